/*
 * itemset_distinct.h
 *	  Recoded baskets, each different short one once.
 */
#ifndef RECSYS_ITEMSET_DISTINCT_H
#define RECSYS_ITEMSET_DISTINCT_H

#include "core/itemset/itemset_budget.h"
#include "core/itemset/itemset_weight.h"

/*
 * Baskets up to this length are looked for among those seen; longer ones are hardly ever
 * equal.
 */
#define DISTINCT_SHORT 32

typedef struct DistinctBaskets
{
	Budget	   *budget;
	uint32		limit;			/* of baskets */

	/* one after the other, in the order in which they were seen first */
	uint32	   *ranks;
	uint64		nranks;
	uint64		room;			/* in ranks */
	uint32		count;
	uint32	   *starts;			/* by basket: where in ranks; one more for the end */
	uint32	   *counts;			/* how often it occurs */
	ItemsetWeight *weights;		/* sums; NULL without weights */

	/* hash table of the short ones, never more than half full */
	struct BasketSlot *slots;
	uint32		mask;
	uint32		nhashed;

	/* baskets that wait for their slots */
	struct Waiting *waiting;
	uint32		nwaiting;		/* baskets that have come ... */
	uint32		nsettled;		/* ... and those of them that have gone */
} DistinctBaskets;

/*
 * Make room for that many baskets, with that many ranks in all.  False, here and below,
 * if memory does not suffice.
 */
extern bool RecsysDistinctInit(DistinctBaskets *baskets, Budget *budget, uint32 limit,
							   uint64 room, bool weighted);

/* Add a basket; its ranks ascend. */
extern bool RecsysDistinctAdd(DistinctBaskets *baskets, const uint32 *ranks, uint32 length,
							  ItemsetWeight weight);

/* All have been added; what only Add needed is given back. */
extern bool RecsysDistinctFinish(DistinctBaskets *baskets);

extern void RecsysDistinctFree(DistinctBaskets *baskets);

#endif							/* RECSYS_ITEMSET_DISTINCT_H */
