/*
 * basketstore.h
 *	  Baskets gathered once, to be read several times by the mining kernel.
 */
#ifndef RECSYS_BASKETSTORE_H
#define RECSYS_BASKETSTORE_H

#include "postgres.h"

#include "core/itemset/itemset.h"
#include "core/rows/history.h"

typedef struct RecsysBasketStore RecsysBasketStore;

/*
 * Items are below nitems.  Of a basket with more items than max_basket the most
 * recent ones count, as with max_history of an index; order tells the order of the
 * items' keys, NULL that it is that of the numbers.  weighted: keep the sum of each
 * basket's weights.
 */
extern RecsysBasketStore *RecsysBasketStoreCreate(uint32 nitems, int max_basket,
												  const RecsysKeyOrder *order,
												  bool weighted, Size memory_limit);

/* One basket's interactions, which are reordered; it counts if anything of it does. */
extern void RecsysBasketStoreAdd(RecsysBasketStore *store, RecsysInteraction *interactions,
								 int count);

/*
 * Baskets as they are packed, to be handed over to another store for the same items:
 * everything that was added so far, in one piece or several.  The first store is
 * empty then.
 */
typedef struct RecsysPackedBaskets
{
	uint32		nbaskets;
	uint32		longest;		/* no basket has more items */
	uint32		nwords;
	const uint32 *words;
	bool		last;			/* piece */
} RecsysPackedBaskets;

typedef void (*RecsysPackedReceiver) (void *arg, const RecsysPackedBaskets *packed);

extern void RecsysBasketStoreHandOver(RecsysBasketStore *store, RecsysPackedReceiver receive,
									  void *arg);
extern void RecsysBasketStoreAddPacked(RecsysBasketStore *store,
									   const RecsysPackedBaskets *packed);

/* No more baskets; they can be read from here on. */
extern void RecsysBasketStoreFinish(RecsysBasketStore *store, RecsysBaskets *baskets);

/* Baskets with at least one item that counts */
extern uint64 RecsysBasketStoreCount(const RecsysBasketStore *store);

/* Bytes held */
extern Size RecsysBasketStoreMemory(const RecsysBasketStore *store);
extern void RecsysBasketStoreFree(RecsysBasketStore *store);

#endif							/* RECSYS_BASKETSTORE_H */
