/*
 * prepared_baskets.h
 *	  Baskets laid out for mining, their frequent items numbered in key order.
 */
#ifndef RECSYS_PREPARED_BASKETS_H
#define RECSYS_PREPARED_BASKETS_H

#include "postgres.h"

#include "api/basket/basket_source.h"
#include "api/basket/mining_request.h"
#include "api/call/itemarray.h"
#include "core/itemset/itemset.h"
#include "core/itemset/setpack.h"
#include "source/basket/parallel_mining.h"

typedef struct RecsysPreparedBaskets
{
	RecsysItemsets *sets;		/* NULL if the answer is certain to be empty */
	uint64		baskets;		/* N */
	uint64		min_support;	/* baskets */
	bool		for_rules;		/* which need all subsets */
	uint32		nitems;			/* frequent ones */
	RecsysKeyKind kind;
	RecsysKey  *keys;			/* of each, ascending */
	RecsysSetFormat format;		/* of item sets in these numbers */
	RecsysItemArrays *arrays;
	Size		memory_limit;	/* bytes that are left */
	RecsysMiningTeam team;		/* workers that have read the baskets */
} RecsysPreparedBaskets;

/*
 * Prepares what is asked for; the source's baskets and workers are used up.  item_type is the
 * element type of the answer, whose arrays live in that context.
 */
extern void RecsysPrepareBaskets(const RecsysMiningRequest *request, RecsysBasketSource *source,
								 Oid item_type, MemoryContext context,
								 RecsysPreparedBaskets *prepared);

/* Number of a key among the frequent items, or RECSYS_NONE. */
extern uint32 RecsysPreparedItem(const RecsysPreparedBaskets *prepared, const RecsysKey *key);

/* No more is mined: gives back what is not the memory context's. */
extern void RecsysPreparedBasketsEnd(RecsysPreparedBaskets *prepared);

#endif							/* RECSYS_PREPARED_BASKETS_H */
