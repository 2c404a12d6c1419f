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

#include "core/cooccurrence.h"
#include "core/modeloptions.h"
#include "core/team.h"

/* What is to be done, the same for all members */
typedef struct RecsysDenseTask
{
	RecsysModelOptions options; /* resolved */
	uint32		nrows;			/* of the user-major matrix */
	uint32		nitems;
	uint64		nusers;			/* N */
	uint64		nentries;
	bool		weighted;

	/* are users' offsets and columns not in the block?  Only a team of one can do with that. */
	bool		apart;

	/* ease: of the inverse, which is one of users or of items */
	Size		order;
	bool		by_users;
} RecsysDenseTask;

typedef struct RecsysDenseModel
{
	/* bytes of the block, and bytes that each member takes beside, the leader more than others */
	Size		(*shared) (const RecsysDenseTask *task);
	Size		(*memory) (const RecsysDenseTask *task, bool leader);

	/*
	 * After this users and totals are not needed any more, but for users' offsets and columns
	 * where they are apart.
	 */
	void		(*prepare) (const RecsysDenseTask *task, void *shared,
							const RecsysMatrix *users, const RecsysItemTotals *totals);

	/* users is NULL unless apart.  A member's rows come in ascending order. */
	void		(*run) (RecsysTeam *team, const RecsysDenseTask *task, void *shared,
						const RecsysMatrix *users, RecsysRowReporter report, void *arg);
} RecsysDenseModel;

static inline RecsysDenseTask
RecsysDenseTaskFor(const RecsysMatrix *users, const RecsysItemTotals *totals,
				   const RecsysModelOptions *options)
{
	RecsysDenseTask task = {.options = *options, .nrows = users->nrows, .nitems = totals->nitems,
		.nusers = totals->nusers, .nentries = users->offsets[users->nrows],
		.weighted = users->weights != NULL};

	return task;
}

#endif							/* RECSYS_DENSEMODEL_H */
