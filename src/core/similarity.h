/*
 * similarity.h
 *	  The similarity family: pure functions of (c_ij, n_i, n_j, N).
 *
 * similarity.c gives each formula and where it comes from.
 */
#ifndef RECSYS_SIMILARITY_H
#define RECSYS_SIMILARITY_H

#include "core/platform.h"

/* stored on disk: never renumber */
typedef enum RecsysSimilarity
{
	RECSYS_COSINE = 1,			/* weighted when weights are given */
	RECSYS_JACCARD = 2,
	RECSYS_DICE = 3,
	RECSYS_CONFIDENCE = 4,		/* P(j | i), the row item i being the condition */
	RECSYS_LIFT = 5,
	RECSYS_PMI = 6,				/* pointwise mutual information, natural logarithm */
	RECSYS_LOG_LIKELIHOOD = 7	/* Dunning's G2, natural logarithm; 0 for negative association */
} RecsysSimilarity;

typedef struct RecsysModelOptions
{
	RecsysSimilarity similarity;
	int			neighbors;		/* most neighbors kept for an item, >= 1 */
	uint32		min_support;	/* fewest distinct users behind a pair, >= 1 */
	double		shrinkage;		/* >= 0: score times c / (c + shrinkage) */
	double		alpha;			/* 0..1: score times n_j ^ -alpha */
} RecsysModelOptions;

/* What is known of one item or of the whole set beside the pair itself. */
typedef struct RecsysPairTotals
{
	double		n_i;			/* distinct users of the row item */
	double		n_j;			/* distinct users of the neighbor */
	double		n_users;		/* N: users with any interaction */
	double		norm2_i;		/* sum of squared weights; equals n_i when unweighted */
	double		norm2_j;
} RecsysPairTotals;

/* "cosine", "jaccard", …; false when the name is none of them (case-insensitive) */
extern bool RecsysSimilarityParse(const char *name, RecsysSimilarity *similarity);
extern const char *RecsysSimilarityName(RecsysSimilarity similarity);

/*
 * Score of the pair (i, j) with count c = c_ij and weighted dot product dot
 * (= c when unweighted), shrinkage and alpha applied.  The result is exact to
 * double precision; callers store (float) of it.  Not positive means: no pair.
 */
extern double RecsysSimilarityScore(const RecsysModelOptions *options, double c, double dot,
									const RecsysPairTotals *totals);

#endif							/* RECSYS_SIMILARITY_H */
