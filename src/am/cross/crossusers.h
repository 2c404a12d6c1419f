/*
 * crossusers.h
 *	  The users of two indexes, as a snapshot sees them, with what they have in both.
 */
#ifndef RECSYS_CROSSUSERS_H
#define RECSYS_CROSSUSERS_H

#include "postgres.h"

#include "source/train/crossmodel.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/* One of the two indexes */
typedef struct RecsysCrossSide
{
	Relation	heap;
	Relation	index;
	uint32		nitems;

	/*
	 * Ranks of the items' keys by item number, and item numbers by rank.
	 */
	uint32	   *ranks;
	uint32	   *items;
} RecsysCrossSide;

/* Puts the items in the order of their keys; in the current memory context. */
extern void RecsysCrossSideInit(RecsysCrossSide *side, Relation heap, Relation index);

/*
 * A model of all users of both, whose keys are of one kind.  Its items are ranks.  The snapshot
 * must be registered or active.
 */
extern RecsysCrossModel *RecsysReadCrossUsers(const RecsysCrossSide *events,
											  const RecsysCrossSide *predicts,
											  Snapshot snapshot, Size memory_limit);

#endif							/* RECSYS_CROSSUSERS_H */
