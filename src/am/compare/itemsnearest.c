/*
 * itemsnearest.c
 *	  The best neighbors of one item, as candidates come by in any order.
 *
 * Candidates are collected until there are about twice as many as wanted; then the best are
 * kept, and the worst of them is what others have to reach.
 */
#include "postgres.h"

#include "am/compare/itemsnearest.h"

RecsysNearest *
RecsysNearestCreate(int capacity, const RecsysKeyOrder *order)
{
	RecsysNearest *best = palloc(sizeof(RecsysNearest));

	best->order = order;
	best->capacity = capacity;
	best->count = 0;
	best->threshold = 0;
	best->candidates = palloc(sizeof(RecsysNeighbor) * RECSYS_NEAREST_ROOM(capacity));
	return best;
}

void
RecsysNearestAdd(RecsysNearest *best, uint32 item, float score)
{
	if (best->count == RECSYS_NEAREST_ROOM(best->capacity))
	{
		RecsysNeighborList list;

		RecsysNeighborListSelect(&list, best->candidates, best->count, best->capacity, best->order);
		best->count = list.count;
		best->threshold = list.floor_score;
		if (score < best->threshold)
			return;
	}
	best->candidates[best->count++] = (RecsysNeighbor) {.item = item, .score = score};
}

void
RecsysNearestFinish(RecsysNearest *best, RecsysNeighborList *list)
{
	RecsysNeighborListSelect(list, best->candidates, best->count, best->capacity, best->order);
}
