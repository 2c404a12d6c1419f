/*
 * pairrow.h
 *	  Rows of the item graph of a model that scores pairs which share users.
 */
#ifndef RECSYS_PAIRROW_H
#define RECSYS_PAIRROW_H

#include "core/base/team.h"
#include "core/pairs/cooccurrence.h"

/*
 * Scores of the row's pairs; what is not positive and finite is not stored.  pairs[].score is
 * the cosine, weighted where the matrix is.  In no order.
 */
typedef void (*RecsysPairScorer) (void *arg, uint32 item, const RecsysNeighbor *pairs, int n,
								  float *scores);

typedef struct RecsysPairModel
{
	const RecsysMatrix *users;	/* user-major */
	const RecsysMatrix *items;	/* its transpose */
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;	/* only neighbors and min_support matter */
	RecsysPairScorer score;
	void	   *arg;			/* of score */

	/* by neighbor, or NULL: which ones are stored is decided by score * keep */
	const float *keep;
} RecsysPairModel;

/*
 * Reports every item's best options->neighbors among the pairs that have
 * options->min_support users.  Each member reports the rows that it has claimed, in
 * ascending order; nobody waits for the others.
 */
extern void RecsysPairRows(RecsysTeam *team, const RecsysPairModel *model,
						   RecsysRowReporter report, void *report_arg);

/* Bytes that each member takes in addition to the arguments. */
extern Size RecsysPairRowsMemory(uint32 nitems, bool weighted);

#endif							/* RECSYS_PAIRROW_H */
