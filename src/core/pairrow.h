/*
 * pairrow.h
 *	  Rows of the item graph of a model that scores pairs which share users.
 */
#ifndef RECSYS_PAIRROW_H
#define RECSYS_PAIRROW_H

#include "core/cooccurrence.h"
#include "core/team.h"

/*
 * Scores of the row's pairs; what is not positive and finite is not stored.  pairs[].score is
 * the cosine, weighted where the matrix is.  In no order.
 */
typedef void (*RecsysPairScorer) (void *arg, uint32 item, const RecsysNeighbor *pairs, int n,
								  float *scores);

/*
 * Reports every item's best options->neighbors among the pairs that have
 * options->min_support users.  keep is by neighbor, or NULL: which ones are stored is decided
 * by score * keep.  Each member reports, in ascending order, the rows that it has claimed; nobody
 * waits for the others.
 */
extern void RecsysPairRows(RecsysTeam *team, const RecsysMatrix *users, const RecsysMatrix *items,
						   const RecsysItemTotals *totals, const RecsysModelOptions *options,
						   const float *keep, RecsysPairScorer score, void *score_arg,
						   RecsysRowReporter report, void *report_arg);

/* Bytes that each member takes beside the arguments. */
extern Size RecsysPairRowsMemory(uint32 nitems, bool weighted);

#endif							/* RECSYS_PAIRROW_H */
