/*
 * prepared_baskets.c
 *	  Baskets laid out for mining, their frequent items numbered in key order.
 *
 * What is prepared takes the place of the baskets as they were read, within
 * maintenance_work_mem.
 */
#include "postgres.h"

#include "api/basket/mininglimits.h"
#include "api/basket/prepared_baskets.h"
#include "api/basket/rule_arguments.h"
#include "miscadmin.h"

/* Preparing and mining get no less than this. */
#define MIN_MEMORY ((Size) 1024 * 1024)

/* Item keys read between two checks for interrupts */
#define KEYS_PER_CHECK 1000

static int
compare_keys(const void *a, const void *b, void *kind)
{
	return RecsysKeyCompare(*(const RecsysKeyKind *) kind, a, b);
}

/* The source's items of a list of keys, unknown ones left out; returns how many. */
static uint32
find_items(RecsysBasketSource *source, const RecsysKeyList *list, uint32 **items)
{
	uint32		count = 0;

	*items = palloc(sizeof(uint32) * Max(list->count, 1));
	for (int i = 0; i < list->count; i++)
	{
		bool		known = false;
		uint32		item;

		if (!RecsysBasketSourceFind(source, &list->keys[i], &item))
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
number_items(RecsysBasketSource *source, Oid item_type, MemoryContext context, RecsysPreparedBaskets *prepared)
{
	MemoryContext old;
	uint32	   *numbers;
	uint32	   *items;
	RecsysKey  *keys;
	uint32		n = 0;

	for (uint32 item = 0; item < source->nitems; item++)
		n += RecsysItemsetsSupport(prepared->sets, item) > 0;
	keys = recsys_alloc_huge(sizeof(RecsysKey) * (Size) Max(n, 1));
	items = recsys_alloc_huge(sizeof(uint32) * (Size) Max(n, 1));
	n = 0;
	for (uint32 item = 0; item < source->nitems; item++)
	{
		if (RecsysItemsetsSupport(prepared->sets, item) == 0)
			continue;
		if (n % KEYS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysBasketSourceKey(source, item, &keys[n]);
		items[n++] = item;
	}
	prepared->nitems = n;
	prepared->keys = recsys_alloc_huge(sizeof(RecsysKey) * (Size) Max(n, 1));
	if (n > 0)
		memcpy(prepared->keys, keys, sizeof(RecsysKey) * n);
	if (n > 1)
		qsort_arg(prepared->keys, n, sizeof(RecsysKey), compare_keys, &source->kind);
	prepared->kind = source->kind;
	numbers = recsys_alloc_huge(sizeof(uint32) * (Size) Max(source->nitems, 1));
	for (uint32 i = 0; i < n; i++)
		numbers[items[i]] = RecsysPreparedItem(prepared, &keys[i]);
	RecsysItemsetsRenumber(prepared->sets, numbers);
	pfree(numbers);
	pfree(keys);
	pfree(items);

	/* rows may be made of them when all of this has gone */
	old = MemoryContextSwitchTo(context);
	prepared->arrays = RecsysItemArraysCreate(item_type, source->kind, prepared->keys, n);
	MemoryContextSwitchTo(old);
}

/* What the request asks for can be there: its items are in some basket, and there are enough of those. */
static bool
can_be_there(const RecsysMiningRequest *request, RecsysBasketSource *source,
			 const RecsysPreparedBaskets *prepared)
{
	uint32		item;

	if (prepared->min_support > prepared->baskets)
		return false;
	for (int i = 0; i < request->must_contain.count; i++)
		if (!RecsysBasketSourceFind(source, &request->must_contain.keys[i], &item))
			return false;
	return true;
}

/* Bytes that are left of the statement's when so many are held */
static Size
memory_left(const RecsysBasketSource *source, Size held)
{
	return Max(source->memory_limit, held + MIN_MEMORY) - held;
}

/* The block that the miners work on: for rules, all that they and their parts may need. */
static void
make_block(const RecsysMiningRequest *request, RecsysBasketSource *source, RecsysBaskets *baskets,
		   RecsysPreparedBaskets *prepared)
{
	RecsysItemsetOptions options = {0};
	uint32	   *excluded;
	uint32	   *all_of;

	options.nexcluded = find_items(source, &request->must_not_contain, &excluded);
	options.excluded = excluded;
	options.nall_of = find_items(source, &request->must_contain, &all_of);
	options.all_of = all_of;
	if (request->subsets)
		options.nall_of = 0;
	options.kind = request->kind;
	options.min_support = (uint32) prepared->min_support;
	options.min_length = request->subsets ? 1 : request->min_length;
	options.max_length = request->max_length;
	options.memory_limit = memory_left(source, RecsysBasketSourceMemory(source));
	prepared->sets = RecsysItemsetsPrepare(baskets, &options, RecsysMiningTeamPlace, &prepared->team);
	if (prepared->sets == NULL)
		RecsysMiningOutOfMemory(prepared, RECSYS_MINING_BASKETS);
}

void
RecsysPrepareBaskets(const RecsysMiningRequest *request, RecsysBasketSource *source, Oid item_type,
					 MemoryContext context, RecsysPreparedBaskets *prepared)
{
	RecsysBaskets baskets;

	memset(prepared, 0, sizeof(*prepared));
	prepared->team = source->team;
	RecsysBasketStoreFinish(source->store, &baskets);
	prepared->baskets = RecsysBasketStoreCount(source->store);
	prepared->min_support = RecsysSupportCount(request->min_support, prepared->baskets);
	prepared->for_rules = request->subsets;
	if (prepared->baskets > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot mine more than %u baskets", PG_UINT32_MAX)));
	if (!can_be_there(request, source, prepared))
		return;
	make_block(request, source, &baskets, prepared);
	RecsysBasketSourceDropBaskets(source);
	number_items(source, item_type, context, prepared);
	prepared->format.nitems = prepared->nitems;
	prepared->format.weighted = request->weights;
	prepared->memory_limit = memory_left(source, RecsysBasketSourceMemory(source) + prepared->sets->size +
										 sizeof(RecsysKey) * (Size) prepared->nitems +
										 RecsysItemArraysMemory(prepared->arrays));
}

uint32
RecsysPreparedItem(const RecsysPreparedBaskets *prepared, const RecsysKey *key)
{
	RecsysKeyKind kind = prepared->kind;
	const RecsysKey *found = bsearch_arg(key, prepared->keys, prepared->nitems, sizeof(RecsysKey),
										 compare_keys, &kind);

	return found != NULL ? (uint32) (found - prepared->keys) : RECSYS_NONE;
}

void
RecsysPreparedBasketsEnd(RecsysPreparedBaskets *prepared)
{
	RecsysMiningTeamDismiss(&prepared->team);
}
