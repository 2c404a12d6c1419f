/*
 * metrics.h
 *	  What is measured of recommendations: names, and one user's figures.
 *
 * metrics.c gives each formula and where it comes from.
 */
#ifndef RECSYS_METRICS_H
#define RECSYS_METRICS_H

#include "core/base/platform.h"

/* In the order in which they are reported */
typedef enum RecsysMetric
{
	/* of one user's list: averaged over users */
	RECSYS_METRIC_RECALL,
	RECSYS_METRIC_RECALL_CAPPED,
	RECSYS_METRIC_PRECISION,
	RECSYS_METRIC_HIT_RATE,
	RECSYS_METRIC_NDCG,
	RECSYS_METRIC_MRR,
	RECSYS_METRIC_MAP,
	RECSYS_METRIC_AUC,
	RECSYS_METRIC_NOVELTY,
	RECSYS_METRIC_POPULARITY,
	RECSYS_METRIC_SERENDIPITY,
	RECSYS_METRIC_DIVERSITY,
	RECSYS_METRIC_CATEGORY_DIVERSITY,
	RECSYS_METRIC_NEW_ITEMS,

	/* of one user's next basket (core/measure/basketlist.h), likewise */
	RECSYS_METRIC_RECALL_REPEAT,
	RECSYS_METRIC_RECALL_EXPLORE,
	RECSYS_METRIC_NDCG_REPEAT,
	RECSYS_METRIC_NDCG_EXPLORE,
	RECSYS_METRIC_REPEAT_SHARE,

	/* of all lists together */
	RECSYS_METRIC_COVERAGE,
	RECSYS_METRIC_GINI,
	RECSYS_METRIC_SELLER_COVERAGE,
	RECSYS_METRIC_SELLER_GINI
} RecsysMetric;

#define RECSYS_USER_METRICS		((int) RECSYS_METRIC_COVERAGE)
#define RECSYS_METRICS			((int) RECSYS_METRIC_SELLER_GINI + 1)

#define RECSYS_METRIC_BIT(metric)	((uint32) 1 << (metric))

/* Those that only baskets have */
#define RECSYS_BASKET_METRICS \
	(RECSYS_METRIC_BIT(RECSYS_METRIC_RECALL_REPEAT) | RECSYS_METRIC_BIT(RECSYS_METRIC_RECALL_EXPLORE) | \
	 RECSYS_METRIC_BIT(RECSYS_METRIC_NDCG_REPEAT) | RECSYS_METRIC_BIT(RECSYS_METRIC_NDCG_EXPLORE) | \
	 RECSYS_METRIC_BIT(RECSYS_METRIC_REPEAT_SHARE))

extern const char *RecsysMetricName(RecsysMetric metric);
extern bool RecsysMetricParse(const char *name, RecsysMetric *metric);

/* Is there a figure for each k?  (AUC looks at the whole ranking.) */
extern bool RecsysMetricHasK(RecsysMetric metric);

/*
 * A list as the accuracy metrics see it: hits[x] tells whether the item at rank
 * x + 1 is relevant.  length may be less than k; relevant is the number of all
 * relevant items, at least 1.
 */
extern double RecsysRecall(const bool *hits, int length, int k, uint64 relevant);
extern double RecsysRecallCapped(const bool *hits, int length, int k, uint64 relevant);
extern double RecsysPrecision(const bool *hits, int length, int k);
extern double RecsysHitRate(const bool *hits, int length, int k);
extern double RecsysNdcg(const bool *hits, int length, int k, uint64 relevant);
extern double RecsysReciprocalRank(const bool *hits, int length, int k);
extern double RecsysAveragePrecision(const bool *hits, int length, int k, uint64 relevant);

/* Self-information of an item that users of all have, in bits; users > 0. */
extern double RecsysSelfInformation(uint32 users, uint64 all);

/*
 * Gini index of n counts, which are reordered; NaN when they are all zero.
 */
extern double RecsysGini(uint64 *counts, uint32 n);

#endif							/* RECSYS_METRICS_H */
