/*
 * setstore.h
 *	  Item sets with their supports, found again by their items.
 */
#ifndef RECSYS_SETSTORE_H
#define RECSYS_SETSTORE_H

#include "core/base/platform.h"

/* A stored set; the weight stands behind the items, see RecsysStoredWeight */
typedef struct RecsysStoredSet
{
	uint32		support;
	uint32		length;
	uint32		items[FLEXIBLE_ARRAY_MEMBER];	/* ascending */
} RecsysStoredSet;

typedef struct RecsysSetStore RecsysSetStore;

/* Items are below nitems.  Lives in the current memory context. */
extern RecsysSetStore *RecsysSetStoreCreate(uint32 nitems, bool weighted, Size memory_limit);
extern void RecsysSetStoreFree(RecsysSetStore *store);

/*
 * Adds a set that is not there yet; items are ascending.  False, and nothing
 * added, if the memory limit does not suffice.
 */
extern bool RecsysSetStoreAdd(RecsysSetStore *store, const uint32 *items, uint32 length,
							  uint32 support, double weight);

/* NULL if there is no such set; items are ascending. */
extern const RecsysStoredSet *RecsysSetStoreFind(const RecsysSetStore *store, const uint32 *items,
												 uint32 length);

/* Sets in the order they came; start with a place that is all zero. */
typedef struct RecsysSetPlace
{
	uint32		chunk;
	uint32		word;
} RecsysSetPlace;

extern const RecsysStoredSet *RecsysSetStoreNext(const RecsysSetStore *store,
												 RecsysSetPlace *place);

/* Of a store that is weighted; else 0. */
extern double RecsysStoredWeight(const RecsysSetStore *store, const RecsysStoredSet *set);

extern uint64 RecsysSetStoreCount(const RecsysSetStore *store);
extern Size RecsysSetStoreMemory(const RecsysSetStore *store);

#endif							/* RECSYS_SETSTORE_H */
