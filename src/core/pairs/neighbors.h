/*
 * neighbors.h
 *	  One item's neighbors as they are kept: the best of them in order, a few
 *	  spare ones, and a floor that tells what may be missing.
 *
 * The order is score descending, then item key ascending, scores compared as
 * the floats that are stored.
 */
#ifndef RECSYS_NEIGHBORS_H
#define RECSYS_NEIGHBORS_H

#include "core/pairs/cooccurrence.h"
#include "core/rows/keyorder.h"

/*
 * Every pair that is not in the list stands behind the floor in the order; a
 * floor_score of 0 means that there is no such pair.
 */
typedef struct RecsysNeighborList
{
	RecsysNeighbor *neighbors;	/* best first */
	int			count;
	float		floor_score;
	uint32		floor_item;
} RecsysNeighborList;

/* Less than zero when a comes first. */
extern int	RecsysNeighborCompare(const RecsysKeyOrder *order,
								  const RecsysNeighbor *a, const RecsysNeighbor *b);

/*
 * The best of n candidates, at most capacity of them, as a list; the array of
 * candidates is reordered and becomes the list's.  Candidates are complete:
 * what is not among them is no neighbor.
 */
extern void RecsysNeighborListSelect(RecsysNeighborList *list, RecsysNeighbor *candidates, int n,
									 int capacity, const RecsysKeyOrder *order);

/*
 * Replaces what the list has of the patched items.  A patch with a score that
 * is not positive removes its item; no item occurs in two patches.  The patches
 * are reordered.  neighbors has room for count + npatches.
 *
 * Returns how many of the list, from its beginning, are certain to be the item's
 * best neighbors; all of them if none is missing.
 */
extern int	RecsysNeighborListPatch(RecsysNeighborList *list, RecsysNeighbor *patches, int npatches,
									int capacity, const RecsysKeyOrder *order);

/* The number that RecsysNeighborListPatch returns, of a list as it is. */
extern int	RecsysNeighborListCertain(const RecsysNeighborList *list,
									  const RecsysKeyOrder *order);

/* Into the order, after scores have changed. */
extern void RecsysNeighborSort(RecsysNeighbor *neighbors, int n, const RecsysKeyOrder *order);

#endif							/* RECSYS_NEIGHBORS_H */
