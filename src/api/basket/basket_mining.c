/*
 * basket_mining.c
 *	  From the arguments of a SQL function to prepared baskets, and from there to
 *	  item sets.
 *
 * Baskets are the users of a recsys index, as far as the caller's snapshot sees
 * them, or what a query returns.  They count as they do in an index: rows with
 * the same basket and item are one, an item whose weights do not sum up to more
 * than zero is not in the basket, and of very large baskets the most recent items
 * count.  So the supports of pairs are those of the item graph.
 *
 * All of it lives within maintenance_work_mem: half of it is for the baskets as
 * they are read, which go to disk beyond that; then what is prepared takes over.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/graph/itemorder.h"
#include "am/read/basketscan.h"
#include "am/store/options.h"
#include "api/basket/basket_mining.h"
#include "api/basket/rule_conflicts.h"
#include "api/call/recommender.h"
#include "api/serve/serving.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "source/basket/basketstore.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Prepare and the query's rows get no less than this. */
#define LEAST_MEMORY ((Size) 1024 * 1024)

/* Item keys read between two checks for interrupts */
#define KEYS_PER_CHECK 1000

int			RecsysMaxItemsets = 10000000;
int			RecsysMaxRules = 10000000;

/* Most items of a basket that a query yields; an index has its max_history. */
#define RECSYS_DEFAULT_MAX_BASKET 2000

/* Where baskets come from */
typedef struct Source
{
	const RecsysMiningRequest *request;
	RecsysKeyKind kind;			/* of the items */
	Oid			type;			/* of the column of items */
	uint32		nitems;
	Size		memory_limit;
	RecsysBasketStore *store;

	/* an index */
	RecsysRecommender recommender;
	RecsysGraphReader reader;

	/* or a query */
	RecsysCollector *collector;
} Source;

void
RecsysInitMining(void)
{
	DefineCustomIntVariable("recsys.max_itemsets",
							"Most item sets that association_rules and frequent_itemsets may come upon.",
							"A statement that comes upon more ends in an error, which tells a min_support that suits.",
							&RecsysMaxItemsets, 10000000, 1, PG_INT32_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("recsys.max_rules",
							"Most rules that association_rules and its variants return, unless k says how many.",
							"A statement that would return more ends in an error.",
							&RecsysMaxRules, 10000000, 1, PG_INT32_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

static void
read_index(Source *source, RecsysMiningTeam *team)
{
	const RecsysMiningRequest *request = source->request;
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
				 errmsg("recommender \"%s\" has no weight to sum up", RelationGetRelationName(recommender->index)),
				 errhint("Create an index with a weight, as in CREATE INDEX ON order_items USING recsys (order_id, product_id, (price::float8 * quantity)), or leave out weights.")));
	source->nitems = RecsysItemCount(recommender->index);
	options.nitems = source->nitems;
	options.weighted = request->weights;
	items = RecsysItemOrderCreate(recommender->index, options.nitems);
	order = RecsysItemOrderForCore(items);
	source->store = RecsysBasketStoreCreate(options.nitems, options.max_basket, &order,
											options.weighted, source->memory_limit / 2);
	PredicateLockRelation(recommender->heap, snapshot);
	RecsysScanBaskets(recommender->heap, recommender->index, snapshot, &options, source->store,
					  max_parallel_workers_per_gather, team);
	RecsysItemOrderFree(items);
	RecsysGraphReaderInit(&source->reader, recommender->index);
}

static void
read_query(Source *source, bool weighted)
{
	const RecsysMiningRequest *request = source->request;
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

static void
read_baskets(Source *source, RecsysAnswer *answer, RecsysMiningTeam *team)
{
	const RecsysMiningRequest *request = source->request;
	bool		weighted;

	if (request->is_query)
	{
		source->collector = RecsysCollectQuery(request->source, source->memory_limit / 2,
											   &source->type, &weighted);
		(void) RecsysKeyKindOfType(source->type, &source->kind);
		RecsysAnswerCheckKind(answer, source->kind, NULL);
		read_query(source, weighted);
	}
	else
	{
		RecsysOpenRecommender(request->source, &source->recommender);
		source->kind = source->recommender.columns.item_kind;
		source->type = source->recommender.columns.item_type;
		RecsysAnswerCheckKind(answer, source->kind,
							  RelationGetRelationName(source->recommender.index));
		read_index(source, team);
	}
}

static void
item_key(Source *source, uint32 item, RecsysKey *key)
{
	if (source->collector != NULL)
		RecsysCollectorItemKey(source->collector, item, key);
	else
		RecsysGraphNeedKey(&source->reader, item, key);
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	return RecsysKeyCompare(*(RecsysKeyKind *) arg, a, b);
}

/* The source's item of a key; a query's items are in key order. */
static bool
find_item(Source *source, const RecsysKey *key, uint32 *item)
{
	uint32		low = 0;
	uint32		high = source->nitems;
	RecsysKey	found;

	if (source->collector == NULL)
		return RecsysFindItem(&source->recommender, key, item) && *item < source->nitems;
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		RecsysCollectorItemKey(source->collector, middle, &found);
		if (RecsysKeyCompare(source->kind, &found, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*item = low;
	if (low == source->nitems)
		return false;
	RecsysCollectorItemKey(source->collector, low, &found);
	return RecsysKeyCompare(source->kind, &found, key) == 0;
}

/* The source's items of a list of keys, unknown ones left out; returns how many. */
static uint32
find_items(Source *source, const RecsysKeyList *list, uint32 **items)
{
	uint32		count = 0;

	*items = palloc(sizeof(uint32) * Max(list->count, 1));
	for (int i = 0; i < list->count; i++)
	{
		bool		known = false;
		uint32		item;

		if (!find_item(source, &list->keys[i], &item))
			continue;
		for (uint32 j = 0; j < count && !known; j++)
			known = (*items)[j] == item;
		if (!known)
			(*items)[count++] = item;
	}
	return count;
}

/* Number the frequent items in key order. */
static void
number_items(Source *source, Oid item_type, MemoryContext context, RecsysMinedBaskets *mined)
{
	MemoryContext old;
	uint32	   *numbers;
	uint32	   *items;
	RecsysKey  *keys;
	uint32		n = 0;

	for (uint32 item = 0; item < source->nitems; item++)
		n += RecsysItemsetsSupport(mined->sets, item) > 0;
	keys = recsys_alloc_huge(sizeof(RecsysKey) * (Size) Max(n, 1));
	items = recsys_alloc_huge(sizeof(uint32) * (Size) Max(n, 1));
	n = 0;
	for (uint32 item = 0; item < source->nitems; item++)
	{
		if (RecsysItemsetsSupport(mined->sets, item) == 0)
			continue;
		if (n % KEYS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		item_key(source, item, &keys[n]);
		items[n++] = item;
	}
	mined->nitems = n;
	mined->keys = recsys_alloc_huge(sizeof(RecsysKey) * (Size) Max(n, 1));
	if (n > 0)
		memcpy(mined->keys, keys, sizeof(RecsysKey) * n);
	if (n > 1)
		qsort_arg(mined->keys, n, sizeof(RecsysKey), compare_keys, &source->kind);
	mined->kind = source->kind;
	numbers = recsys_alloc_huge(sizeof(uint32) * (Size) Max(source->nitems, 1));
	for (uint32 i = 0; i < n; i++)
		numbers[items[i]] = RecsysMinedItem(mined, &keys[i]);
	RecsysItemsetsRenumber(mined->sets, numbers);
	pfree(numbers);
	pfree(keys);
	pfree(items);

	/* rows may be made of them when all of this has gone */
	old = MemoryContextSwitchTo(context);
	mined->arrays = RecsysItemArraysCreate(item_type, source->kind, mined->keys, n);
	MemoryContextSwitchTo(old);
}

static void
prepare(Source *source, Oid item_type, MemoryContext context, RecsysMinedBaskets *mined)
{
	const RecsysMiningRequest *request = source->request;
	RecsysItemsetOptions options = {0};
	RecsysBaskets baskets;
	uint32	   *excluded;
	uint32	   *all_of;
	Size		held;

	RecsysBasketStoreFinish(source->store, &baskets);
	mined->baskets = RecsysBasketStoreCount(source->store);
	mined->min_support = RecsysSupportCount(request->min_support, mined->baskets);
	mined->for_rules = request->subsets;
	if (mined->baskets > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot mine more than %u baskets", PG_UINT32_MAX)));
	options.nexcluded = find_items(source, &request->must_not_contain, &excluded);
	options.excluded = excluded;
	options.nall_of = find_items(source, &request->must_contain, &all_of);

	/* an item that must be there and is in no basket, or more baskets than there are */
	if (mined->min_support > mined->baskets ||
		(request->must_contain.present && options.nall_of == 0 && request->must_contain.count > 0))
		return;
	for (int i = 0; i < request->must_contain.count; i++)
	{
		uint32		item;

		if (!find_item(source, &request->must_contain.keys[i], &item))
			return;
	}

	options.all_of = all_of;
	if (request->subsets)
		options.nall_of = 0;
	options.kind = request->kind;
	options.min_support = (uint32) mined->min_support;
	options.min_length = request->subsets ? 1 : request->min_length;
	options.max_length = request->max_length;
	held = RecsysBasketStoreMemory(source->store);
	if (source->collector != NULL)
		held += RecsysCollectorMemory(source->collector);
	options.memory_limit = Max(source->memory_limit, held + LEAST_MEMORY) - held;
	mined->sets = RecsysItemsetsPrepare(&baskets, &options, RecsysMiningTeamPlace, &mined->team);
	if (mined->sets == NULL)
		RecsysMiningOutOfMemory(mined, RECSYS_MINING_BASKETS);
	number_items(source, item_type, context, mined);

	mined->format.nitems = mined->nitems;
	mined->format.weighted = request->weights;

	held = mined->sets->size + sizeof(RecsysKey) * (Size) mined->nitems + RecsysItemArraysMemory(mined->arrays);
	if (source->collector != NULL)
		held += RecsysCollectorMemory(source->collector);
	mined->memory_limit = Max(source->memory_limit, held + LEAST_MEMORY) - held;
}

void
RecsysPrepareMining(RecsysMiningRequest *request, RecsysAnswer *answer, Oid item_type,
					RecsysMinedBaskets *mined)
{
	Source		source = {0};

	memset(mined, 0, sizeof(*mined));
	source.request = request;
	source.memory_limit = (Size) maintenance_work_mem * 1024;
	read_baskets(&source, answer, &mined->team);
	RecsysKeyListAs(&request->must_contain, source.type);
	RecsysKeyListAs(&request->must_not_contain, source.type);
	RecsysKeyListAs(&request->consequents, source.type);
	RecsysCheckItemLists(request, source.kind);
	prepare(&source, item_type, answer->context, mined);
	RecsysBasketStoreFree(source.store);
	if (!request->is_query)
	{
		RecsysGraphReaderDone(&source.reader);
		RecsysCloseRecommender(&source.recommender);
	}
}

uint32
RecsysMinedItem(const RecsysMinedBaskets *mined, const RecsysKey *key)
{
	uint32		low = 0;
	uint32		high = mined->nitems;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (RecsysKeyCompare(mined->kind, &mined->keys[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < mined->nitems && RecsysKeyCompare(mined->kind, &mined->keys[low], key) == 0)
		return low;
	return RECSYS_NONE;
}

typedef struct MineState
{
	const RecsysMinedBaskets *mined;
	RecsysSetFormat format;
	RecsysSetStream *stream;	/* or, if NULL: */
	RecsysMinedReporter report;
	void	   *arg;
	uint64		count;
	uint64		most;
	bool		too_many;
	uint32	   *items;
	uint32		room;
} MineState;

static bool
count_sets(MineState *state, uint32 nsets)
{
	state->count += nsets;
	state->too_many = state->count > state->most;
	return !state->too_many;
}

static void
make_room(MineState *state, uint32 length)
{
	if (length <= state->room)
		return;
	pfree(state->items);
	state->room = length * 2;
	state->items = palloc(sizeof(uint32) * (Size) state->room);
}

static bool
report_set(void *arg, const RecsysItemset *set)
{
	MineState  *state = arg;

	if (!count_sets(state, 1))
		return false;
	if (state->stream != NULL)
	{
		RecsysSetStreamAdd(state->stream, set);
		return true;
	}
	make_room(state, set->length);
	RecsysSortSet(state->format.nitems, set, state->items);
	return state->report(state->arg, state->items, set->length, set->support, set->weight);
}

static bool
report_packed(void *arg, const uint16 *units, uint32 nunits, uint32 nsets)
{
	MineState  *state = arg;

	if (!count_sets(state, nsets))
		return false;
	if (state->stream != NULL)
	{
		RecsysSetStreamAddPacked(state->stream, units, nunits);
		return true;
	}
	for (uint32 i = 0; i < nsets; i++)
	{
		RecsysItemset set;

		units = RecsysUnpackSet(&state->format, units, &set);
		make_room(state, set.length);
		units = RecsysUnpackItems(&state->format, units, &set, state->items);
		if (!state->report(state->arg, set.items, set.length, set.support, set.weight))
			return false;
	}
	return true;
}

bool
RecsysTryMine(RecsysMinedBaskets *mined, uint64 most, Size memory_limit, RecsysSetStream *stream,
			  RecsysMinedReporter report, void *arg)
{
	MineState	state = {0};
	RecsysMiningReport reporting;
	RecsysItemsetOutcome outcome;

	if (mined->sets == NULL)
		return true;
	state.mined = mined;
	state.format = mined->format;
	state.stream = stream;
	state.report = report;
	state.arg = arg;
	state.most = most;
	state.room = 64;
	state.items = palloc(sizeof(uint32) * state.room);
	reporting.format = mined->format;
	reporting.set = report_set;
	reporting.packed = report_packed;
	reporting.arg = &state;
	outcome = RecsysMineItemsets(mined->sets, memory_limit, max_parallel_workers_per_gather,
								 &mined->team, &reporting);
	pfree(state.items);
	if (state.too_many)
		return false;
	if (outcome != RECSYS_ITEMSETS_DONE)
		RecsysMiningOutOfMemory(mined, RECSYS_MINING_ITEMSETS);
	return true;
}

void
RecsysMine(RecsysMinedBaskets *mined, Size memory_limit, RecsysSetStream *stream,
		   RecsysMinedReporter report, void *arg)
{
	if (!RecsysTryMine(mined, RecsysMaxItemsets, memory_limit, stream, report, arg))
		RecsysTooManyItemsets(mined, memory_limit);
}

bool
RecsysMineBest(RecsysMinedBaskets *mined, uint64 k, Size memory_limit, RecsysRuleReporter report,
			   void *arg)
{
	if (mined->sets->kind == RECSYS_ITEMSETS_MAXIMAL)
		return false;
	if (RecsysItemsetsBest(mined->sets, k, memory_limit, report, arg) != RECSYS_ITEMSETS_DONE)
		RecsysMiningOutOfMemory(mined, RECSYS_MINING_ITEMSETS);
	return true;
}

void
RecsysMiningEnd(RecsysMinedBaskets *mined)
{
	RecsysMiningTeamDismiss(&mined->team);
}
