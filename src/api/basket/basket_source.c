/*
 * basket_source.c
 *	  The baskets of an index or of a query, read, and the items that they have.
 *
 * Baskets are the users of a recsys index, as far as the caller's snapshot sees
 * them, or what a query returns.  They count as they do in an index: rows with
 * the same basket and item are one, an item whose weights do not sum up to more
 * than zero is not in the basket, and of very large baskets the most recent items
 * count.  So the supports of pairs are those of the item graph.
 *
 * Half of maintenance_work_mem is for the baskets as they are read; beyond that
 * they go to disk.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/parts/leaves.h"
#include "am/read/basketscan.h"
#include "api/basket/basket_source.h"
#include "api/scoring/serving.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/snapmgr.h"

/* Most items of a basket that a query yields; an index has its max_history. */
#define RECSYS_DEFAULT_MAX_BASKET 2000

static void
read_index(const RecsysMiningRequest *request, RecsysBasketSource *source)
{
	RecsysRecommender *recommender = &source->recommender;
	Snapshot	snapshot = GetActiveSnapshot();
	RecsysBasketOptions options;
	RecsysItemOrder *items;
	RecsysKeyOrder order;

	options.max_basket = request->max_basket;
	if (options.max_basket == 0)
		options.max_basket = RecsysGetCache(recommender->index)->meta.max_history;
	if (request->weights && recommender->columns.weight_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no weight to sum up", RelationGetRelationName(recommender->definition)),
				 errhint("Create an index with a weight, as in CREATE INDEX ON order_items USING recsys (order_id, product_id, (price::numeric * quantity)), or leave out weights.")));
	source->nitems = RecsysItemCount(recommender->index);
	options.nitems = source->nitems;
	options.weighted = request->weights;
	items = RecsysItemOrderCreate(recommender->index, options.nitems);
	order = RecsysItemOrderForCore(items);
	source->store = RecsysBasketStoreCreate(options.nitems, options.max_basket, &order,
											options.weighted, source->memory_limit / 2);
	RecsysPredicateLockTable(recommender->heap, snapshot);
	RecsysScanBaskets(recommender->heap, recommender->index, snapshot, &options, source->store,
					  max_parallel_workers_per_gather, &source->team);
	RecsysItemOrderFree(items);
	RecsysGraphReaderInit(&source->reader, recommender->index);
}

static void
read_query(const RecsysMiningRequest *request, bool weighted, RecsysBasketSource *source)
{
	RecsysCollector *collector = source->collector;
	RecsysInteraction *interactions = NULL;
	Size		room = 0;
	RecsysKey	key;
	uint32		hash;

	if (request->weights && !weighted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no weight to sum up"),
				 errhint("Select a weight as the third column, or leave out weights.")));
	source->nitems = RecsysCollectorItems(collector);
	source->store = RecsysBasketStoreCreate(source->nitems, request->max_basket > 0 ?
											request->max_basket : RECSYS_DEFAULT_MAX_BASKET, NULL,
											request->weights, source->memory_limit / 4);
	while (RecsysCollectorNextUser(collector, &key, &hash))
	{
		RecsysUserRow row;
		int			count = 0;

		while (RecsysCollectorNextOfUser(collector, &row))
		{
			if ((Size) count == room)
			{
				room = Max(64, room * 2);
				interactions = interactions == NULL ?
					recsys_alloc_huge(sizeof(RecsysInteraction) * room) :
					recsys_realloc_huge(interactions, sizeof(RecsysInteraction) * room);
			}
			interactions[count++] = row.interaction;
		}
		RecsysBasketStoreAdd(source->store, interactions, count);
		CHECK_FOR_INTERRUPTS();
	}
	if (interactions != NULL)
		pfree(interactions);
	RecsysCollectorRelease(collector);
}

void
RecsysReadBaskets(const RecsysMiningRequest *request, RecsysAnswer *answer, RecsysBasketSource *source)
{
	bool		weighted;

	memset(source, 0, sizeof(*source));
	source->memory_limit = (Size) maintenance_work_mem * 1024;
	if (request->is_query)
	{
		source->collector = RecsysCollectQuery(request->source, source->memory_limit / 2,
											   &source->type, &weighted);
		(void) RecsysKeyKindOfType(source->type, &source->kind);
		RecsysAnswerCheckKind(answer, source->kind, NULL);
		read_query(request, weighted, source);
	}
	else
	{
		RecsysOpenRecommender(request->source, &source->recommender);
		source->kind = source->recommender.columns.item_kind;
		source->type = source->recommender.columns.item_type;
		RecsysAnswerCheckKind(answer, source->kind,
							  RelationGetRelationName(source->recommender.definition));
		read_index(request, source);
	}
}

Size
RecsysBasketSourceMemory(const RecsysBasketSource *source)
{
	return (source->store != NULL ? RecsysBasketStoreMemory(source->store) : 0) +
		(source->collector != NULL ? RecsysCollectorMemory(source->collector) : 0);
}

void
RecsysBasketSourceKey(RecsysBasketSource *source, uint32 item, RecsysKey *key)
{
	if (source->collector != NULL)
		RecsysCollectorItemKey(source->collector, item, key);
	else
		RecsysGraphNeedKey(&source->reader, item, key);
}

/* A query's items are in key order; their keys stand in no array that bsearch could look at. */
static bool
find_in_query(RecsysBasketSource *source, const RecsysKey *key, uint32 *item)
{
	uint32		low = 0;
	uint32		high = source->nitems;

	while (low < high)
	{
		RecsysKey	found;
		int			order;

		*item = low + (high - low) / 2;
		RecsysCollectorItemKey(source->collector, *item, &found);
		order = RecsysKeyCompare(source->kind, &found, key);
		if (order == 0)
			return true;
		if (order < 0)
			low = *item + 1;
		else
			high = *item;
	}
	return false;
}

bool
RecsysBasketSourceFind(RecsysBasketSource *source, const RecsysKey *key, uint32 *item)
{
	if (source->collector != NULL)
		return find_in_query(source, key, item);
	return RecsysFindItem(&source->recommender, key, item) && *item < source->nitems;
}

void
RecsysBasketSourceDropBaskets(RecsysBasketSource *source)
{
	if (source->store != NULL)
		RecsysBasketStoreFree(source->store);
	source->store = NULL;
}

void
RecsysBasketSourceClose(RecsysBasketSource *source)
{
	RecsysBasketSourceDropBaskets(source);
	if (source->collector != NULL)
		return;
	RecsysGraphReaderDone(&source->reader);
	RecsysCloseRecommender(&source->recommender);
}
