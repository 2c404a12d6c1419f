/*
 * basket_source.h
 *	  The baskets of an index or of a query, read, and the items that they have.
 */
#ifndef RECSYS_BASKET_SOURCE_H
#define RECSYS_BASKET_SOURCE_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "api/basket/mining_request.h"
#include "api/call/answer.h"
#include "api/call/recommender.h"
#include "source/basket/basketstore.h"
#include "source/basket/parallel_mining.h"
#include "source/input/collector.h"

typedef struct RecsysBasketSource
{
	RecsysBasketStore *store;
	RecsysKeyKind kind;			/* of the items */
	Oid			type;			/* of the column of items */
	uint32		nitems;
	Size		memory_limit;	/* bytes, for the whole statement */
	RecsysMiningTeam team;		/* workers that have read, and stay to mine */

	/* the items of a query; NULL: those of an index */
	RecsysCollector *collector;
	RecsysRecommender recommender;
	RecsysGraphReader reader;
} RecsysBasketSource;

/* Errors out if the answer cannot hold the items' keys. */
extern void RecsysReadBaskets(const RecsysMiningRequest *request, RecsysAnswer *answer,
							  RecsysBasketSource *source);

/* Bytes that baskets and items take */
extern Size RecsysBasketSourceMemory(const RecsysBasketSource *source);

extern void RecsysBasketSourceKey(RecsysBasketSource *source, uint32 item, RecsysKey *key);
extern bool RecsysBasketSourceFind(RecsysBasketSource *source, const RecsysKey *key, uint32 *item);

/* Gives back the baskets, then the items. */
extern void RecsysBasketSourceDropBaskets(RecsysBasketSource *source);
extern void RecsysBasketSourceClose(RecsysBasketSource *source);

#endif							/* RECSYS_BASKET_SOURCE_H */
