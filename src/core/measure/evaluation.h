/*
 * evaluation.h
 *	  Recommendation lists for users with held-out items, and what they are worth.
 *
 * The kernel of recsys.evaluate() and its kin: plain arrays in, one row of
 * figures and one list for each user out.  Users do not depend on each other,
 * so several evaluators may work on parts of the same evaluation.
 */
#ifndef RECSYS_EVALUATION_H
#define RECSYS_EVALUATION_H

#include "core/dense/factors.h"
#include "core/measure/metrics.h"
#include "core/pairs/neighbors.h"

#define RECSYS_EVALUATION_MAX_KS 16

/* Most items of a list */
#define RECSYS_EVALUATION_MAX_K 1000

/* Rows of item numbers one after the other */
typedef struct RecsysItemRows
{
	uint64	   *offsets;		/* one more than there are rows */
	uint32	   *items;
} RecsysItemRows;

typedef struct RecsysEvaluation
{
	/* the model: items are 0 .. nitems-1, ties go to the lower number */
	uint32		nitems;
	uint64		nusers_trained; /* N: users that the model has learnt from */
	uint32	   *item_users;		/* n_i; not one: not part of the catalogue */
	uint32	   *plain_users;	/* n_i by the default of max_history; NULL: those are they */
	uint32		ncatalogue;		/* items with users that are offered */
	uint32	   *popular;		/* the catalogue, most users first, then lower number */
	RecsysItemRows graph;		/* each item's neighbors */
	float	   *scores;			/* parallel to graph.items */
	double		score_scale;	/* divides scores where they measure alikeness */

	/* every list gets these too, with weight 1 (core/pairs/prior.h); not by factors */
	uint32		nprior;
	uint32	   *prior_items;
	float	   *prior_scores;

	/* 0: the item is never listed, and has no rank; NULL: all items are */
	uint8	   *offered;

	/*
	 * Of a model that has some: users are folded in, and all items are scored by their
	 * factors instead of by the graph.  items is NULL when there are none.
	 */
	RecsysFactors factors;
	uint32		nfactors;		/* rows of factors.items, if not those of the shape */

	/* users with at least one held-out item */
	uint32		nusers;
	RecsysItemRows histories;
	double	   *weights;		/* parallel to histories.items; NULL when all are 1 */
	RecsysItemRows seen;		/* never recommended; offsets is NULL when nothing is excluded */
	RecsysItemRows test;		/* ascending and distinct; numbers >= nitems: unknown to the model */

	/* lists are next baskets, made of these instead of histories, weights and seen; or NULL */
	struct RecsysBaskets *baskets;

	/* of items; NULL when not known */
	uint32	   *categories;		/* RECSYS_NONE: the item has none */
	uint8	   *new_items;		/* 1: new */

	int			nks;
	int			ks[RECSYS_EVALUATION_MAX_KS];	/* ascending, distinct, > 0 */
	uint32		metrics;		/* RECSYS_METRIC_BITs */
} RecsysEvaluation;

/* Is the item part of the catalogue? */
#define RecsysEvaluationRanks(evaluation, item) \
	((evaluation)->item_users[item] > 0 && \
	 ((evaluation)->offered == NULL || (evaluation)->offered[item] != 0))

/* Items 0 .. so many - 1 have a row of factors, perhaps of zeros. */
#define RecsysEvaluationFactors(evaluation) \
	((evaluation)->nfactors > 0 ? (evaluation)->nfactors : (evaluation)->factors.shape.nitems)

/* Columns of the table of figures: for each user metric that is asked for, each k. */
extern int	RecsysEvaluationColumns(const RecsysEvaluation *evaluation);

/* Where the columns of a metric begin; -1 when it has none. */
extern int	RecsysEvaluationColumn(const RecsysEvaluation *evaluation, RecsysMetric metric);

/* Length of the lists: the largest k. */
#define RecsysEvaluationLength(evaluation) ((evaluation)->ks[(evaluation)->nks - 1])

typedef struct RecsysOutcome
{
	double	   *figures;		/* nusers rows of columns; NaN: not defined for the user */
	uint32	   *lists;			/* nusers rows of RecsysEvaluationLength, RECSYS_NONE at the end */
} RecsysOutcome;

typedef struct RecsysEvaluator RecsysEvaluator;

extern RecsysEvaluator *RecsysEvaluatorCreate(const RecsysEvaluation *evaluation);
extern void RecsysEvaluatorUsers(RecsysEvaluator *evaluator, uint32 first, uint32 last,
								 RecsysOutcome *outcome);
extern void RecsysEvaluatorFree(RecsysEvaluator *evaluator);

/* Bytes that an evaluator allocates. */
extern Size RecsysEvaluatorMemory(const RecsysEvaluation *evaluation);

/* The prior becomes a copy of the list. */
extern void RecsysEvaluationSetPrior(RecsysEvaluation *evaluation, const RecsysNeighborList *prior);

/*
 * popular and ncatalogue from item_users and offered; popular has room for nitems.
 */
extern void RecsysEvaluationSortItems(RecsysEvaluation *evaluation);

#endif							/* RECSYS_EVALUATION_H */
