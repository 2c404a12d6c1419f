/*
 * evaluator.h
 *	  What measures a user's list, while it is at it: shared by evaluation.c, auc.c and
 *	  listfigures.c.
 */
#ifndef RECSYS_EVALUATOR_H
#define RECSYS_EVALUATOR_H

#include "core/measure/evaluation.h"
#include "core/scoring/scorer.h"
#include "core/sequence/baskethistory.h"

struct RecsysEvaluator
{
	const RecsysEvaluation *evaluation;
	int			length;			/* of lists */
	int			ncolumns;
	int			columns[RECSYS_USER_METRICS];
	RecsysScorer *scorer;
	RecsysFoldIn *foldin;		/* NULL without factors */
	RecsysScored *best;
	bool	   *hits;
	bool	   *known;			/* of the list: has the user had it?  (baskets) */
	RecsysBasketHistory history;	/* of the user at hand; no items: none (baskets) */
	uint16	   *places;			/* by item: place in a list + 1, 0 for none */
	double	   *pair_sums;		/* by place: similarity to the places before it */
	uint32	   *pair_counts;
	float	   *pair_row;		/* similarity of the item at hand to each place before it */

	/* AUC: of each item, how much of the catalogue has fewer and as many users */
	uint32	   *fewer;
	uint32	   *equal;
	uint64	   *values;			/* standing of the held-out items at hand */
	uint64		nvalues;
};

/* Where a figure of the user goes */
static inline double *
figure(const RecsysEvaluator *evaluator, double *figures, RecsysMetric metric, int x)
{
	return &figures[evaluator->columns[metric] + x];
}

static inline bool
wanted(const RecsysEvaluator *evaluator, RecsysMetric metric)
{
	return evaluator->columns[metric] >= 0;
}

static inline int
compare_item_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

/* Is the item among n ascending ones? */
static inline bool
contains(const uint32 *items, uint64 n, uint32 item)
{
	return bsearch(&item, items, n, sizeof(uint32), compare_item_numbers) != NULL;
}

/* Sums in the scorer, which is reset, from a history of n items; weights NULL: all are 1 */
extern void RecsysScoreHistory(RecsysEvaluator *evaluator, const uint32 *items,
							   const double *weights, uint64 n);

/* AUC of the whole ranking of the user who has just been scored */
extern double RecsysMeasureAuc(RecsysEvaluator *evaluator, const uint32 *test, uint64 ntest);

/* All other figures of the user; evaluator->hits are filled in. */
extern void RecsysMeasureList(RecsysEvaluator *evaluator, const uint32 *list, int length,
							  uint64 relevant, double *figures);

#endif							/* RECSYS_EVALUATOR_H */
