/*
 * repeatscores.h
 *	  What speaks for the items of a user's history, and how that is mixed with the rest.
 */
#ifndef RECSYS_REPEATSCORES_H
#define RECSYS_REPEATSCORES_H

#include "postgres.h"

#include "api/next/userbaskets.h"
#include "core/sequence/nextbasket.h"

typedef struct RecsysRepeats
{
	RecsysNextBasketOptions options;
	int			count;
	double	   *scores;			/* of the items of the history, in their order */
	uint32	   *items;			/* parallel: their numbers, */
	double	   *weights;		/* and what they weigh as evidence: the best repeat weighs 1 */
} RecsysRepeats;

/* declared: name of the recommender, NULL for an index.  In the current memory context. */
extern void RecsysScoreRepeats(RecsysRecommender *index, const char *declared,
							   const RecsysUserBaskets *baskets, const RecsysBasketItemFacts *facts,
							   RecsysRepeats *repeats);

#endif							/* RECSYS_REPEATSCORES_H */
