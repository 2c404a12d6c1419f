/*
 * audiencepairs.h
 *	  How similar all items are to some: the item graph read backwards.
 */
#ifndef RECSYS_AUDIENCEPAIRS_H
#define RECSYS_AUDIENCEPAIRS_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/declare/shop.h"
#include "api/operate/audiencefactors.h"
#include "api/operate/audienceitems.h"

/* What stands in the graph's rows of the targets, row by row */
typedef struct RecsysAudiencePairs
{
	uint32		nitems;			/* of the events' index, given */
	uint64	   *offsets;		/* nitems + 1 of them */
	uint32	   *places;			/* of targets, */
	float	   *scores;			/* parallel */
	double	   *prior;			/* of each target, whoever the user is */
	RecsysAudienceFactors *factors; /* that users are scored by instead, or NULL */
} RecsysAudiencePairs;

/*
 * From the first signal's graph, its own or another, with the caller's rights.  In the current
 * memory context.
 */
extern void RecsysReadAudiencePairs(RecsysShop *shop, RecsysRecommender *events,
									const RecsysTargets *targets, RecsysAudiencePairs *pairs);

#endif							/* RECSYS_AUDIENCEPAIRS_H */
