/*
 * weighting.h
 *	  Weights that training sees in place of those that were given.
 *
 * weighting.c gives each formula and where it comes from.
 */
#ifndef RECSYS_WEIGHTING_H
#define RECSYS_WEIGHTING_H

#include "core/pairs/cooccurrence.h"

typedef struct RecsysWeigher RecsysWeigher;

/* Does training with these options see other weights than those given? */
extern bool RecsysWeighsAnew(const RecsysModelOptions *options);

/*
 * One user's new weights, positive, from the user's history alone: not for bm25.
 * weights may be NULL.  nitems is the number of items with users (I), which only tfidf
 * looks at.  masses gets the weights that the items' masses are sums of; it may be
 * weights, out may not.  A build makes the same floats.
 */
extern void RecsysWeighHistory(const RecsysModelOptions *options, double nitems,
							   const float *weights, int count, float *masses, float *out);

/*
 * Both arguments must outlive the weigher: totals of the weights given, options
 * resolved.  In the current memory context.
 */
extern RecsysWeigher *RecsysWeigherCreate(const RecsysItemTotals *totals,
										  const RecsysModelOptions *options);

/* One user's new weights, positive; weights may be NULL.  Each user once. */
extern void RecsysWeigh(RecsysWeigher *weigher, const uint32 *items, const float *weights,
						int count, float *out);

/*
 * Totals of the new weights, when all users have been weighed.  They share the
 * arrays that do not change with those given.
 */
extern const RecsysItemTotals *RecsysWeigherTotals(const RecsysWeigher *weigher);

extern void RecsysWeigherFree(RecsysWeigher *weigher);

#endif							/* RECSYS_WEIGHTING_H */
