/*
 * densemodel.h
 *	  Models that a team trains by linear algebra over the whole matrix: what they share.
 *
 * Everything that members have to see is in one block of memory:
 *
 *		plan the task, get a block of so many bytes, prepare it (the leader);
 *		run (all members), each of which reports the rows that it has computed.
 */
#ifndef RECSYS_DENSEMODEL_H
#define RECSYS_DENSEMODEL_H

#include "core/base/team.h"
#include "core/pairs/cooccurrence.h"
#include "core/pairs/modeloptions.h"

/* What is to be done, the same for all members */
typedef struct RecsysDenseTask
{
	RecsysModelOptions options; /* resolved */
	uint32		nrows;			/* of the user-major matrix */
	uint32		nitems;
	uint64		nusers;			/* N */
	uint64		nentries;
	bool		weighted;

	/* ease: of the inverse, which is one of users or of items */
	Size		order;
	bool		by_users;
} RecsysDenseTask;

typedef struct RecsysDenseModel
{
	/* bytes of the block; bytes that each member takes in addition, the leader more than the others */
	Size		(*shared) (const RecsysDenseTask *task);
	Size		(*memory) (const RecsysDenseTask *task, bool leader);

	/* After this users and totals are not needed any more. */
	void		(*prepare) (const RecsysDenseTask *task, void *shared,
							const RecsysMatrix *users, const RecsysItemTotals *totals);

	/* A member's rows come in ascending order. */
	void		(*run) (RecsysTeam *team, const RecsysDenseTask *task, void *shared,
						RecsysRowReporter report, void *arg);
} RecsysDenseModel;

/*
 * For models to prepare with: users in an order that does not depend on the one they come in, into
 * a matrix whose arrays are there.  If it has weights and users have none, these are 1.
 */
extern void RecsysDenseCopyUsers(const RecsysMatrix *users, RecsysMatrix *result);

extern void RecsysDenseCopyTotals(const RecsysItemTotals *totals, RecsysItemTotals *result);

/* Bytes that the leader takes to copy users, and to transpose them. */
extern Size RecsysDensePrepareMemory(const RecsysDenseTask *task);

#endif							/* RECSYS_DENSEMODEL_H */
