/*
 * trainparts.h
 *	  Training divided by items: which part has which, so that all parts have as much to do.
 *
 * An item is known by a hash of its key.  Items with most of the work are divided one by one, the rest
 * by buckets of their hashes; so every item has a part, those that come later too.  Which one
 * depends on nothing but the plan and the hash.
 */
#ifndef RECSYS_TRAINPARTS_H
#define RECSYS_TRAINPARTS_H

#include "core/base/platform.h"

#define RECSYS_MAX_TRAIN_PARTS 1000

typedef struct RecsysHeavyItem
{
	uint64		hash;
	uint16		part;
} RecsysHeavyItem;

typedef struct RecsysTrainParts
{
	uint32		parts;
	uint32		nbuckets;
	uint16	   *buckets;		/* part of each */
	uint32		nheavy;
	RecsysHeavyItem *heavy;		/* ascending by hash */
} RecsysTrainParts;

/* costs: what the row of each item costs.  Palloc'd. */
extern RecsysTrainParts *RecsysTrainPartsPlan(const uint64 *hashes, const uint64 *costs, uint32 nitems,
											  uint32 parts);

/* Less than parts */
extern uint32 RecsysTrainPartOf(const RecsysTrainParts *plan, uint64 hash);

extern void RecsysTrainPartsFree(RecsysTrainParts *plan);

#endif							/* RECSYS_TRAINPARTS_H */
