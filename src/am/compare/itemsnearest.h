/*
 * itemsnearest.h
 *	  The best neighbors of one item, as candidates come by in any order.
 *
 * Equal scores are ordered by key, as in all neighbor lists; RecsysLikenessBest orders them by
 * number, which is the same only for items that a build has numbered.
 */
#ifndef RECSYS_ITEMSNEAREST_H
#define RECSYS_ITEMSNEAREST_H

#include "core/pairs/neighbors.h"

typedef struct RecsysNearest
{
	const RecsysKeyOrder *order;
	int			capacity;
	int			count;
	float		threshold;		/* scores below are out */
	RecsysNeighbor *candidates; /* room for RECSYS_NEAREST_ROOM(capacity) */
} RecsysNearest;

#define RECSYS_NEAREST_ROOM(capacity) (2 * (capacity) + 64)

extern RecsysNearest *RecsysNearestCreate(int capacity, const RecsysKeyOrder *order);

extern void RecsysNearestAdd(RecsysNearest *best, uint32 item, float score);

static inline void
RecsysNearestOffer(RecsysNearest *best, uint32 item, float score)
{
	if (score > 0 && score >= best->threshold)
		RecsysNearestAdd(best, item, score);
}

/* What has been offered, as a list; the structure is used up. */
extern void RecsysNearestFinish(RecsysNearest *best, RecsysNeighborList *list);

#endif							/* RECSYS_ITEMSNEAREST_H */
