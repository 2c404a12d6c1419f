/*
 * contextitems.c
 *	  The items of a context: which of them are known, and what they are there for.
 *
 * A known item is one that the catalogue or an index of some signal has, or else the
 * shop's table of items: what is not for sale yet, or was never bought, may be in a cart.
 * Keys that nobody knows are passed over and leave no trace, so that no caller can make
 * a session's memory grow.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/profile/profilequery.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"

/* What an item seen beside one that is in the cart counts for */
#define VIEWED_WEIGHT 0.5

/* The slot of a key that the catalogue or an index knows. */
static uint32
find_slot(RecsysShopProfile *profile, const RecsysKey *key)
{
	uint32		slot = RecsysCatalogueFind(profile->catalogue, key);

	for (int x = 0; slot == RECSYS_NONE && x < profile->nevidence; x++)
	{
		uint32		item;

		if (!profile->evidence[x].signal->other_items &&
			RecsysFindItem(&profile->evidence[x].events, key, &item))
			slot = RecsysCatalogueSlot(profile->catalogue, key);
	}
	return slot;
}

static int
find_slots(RecsysShopProfile *profile, const RecsysKey *keys, int n, uint32 *slots,
		   RecsysKey *unknown, int *nunknown)
{
	int			count = 0;

	for (int x = 0; x < n; x++)
	{
		uint32		slot = find_slot(profile, &keys[x]);

		CHECK_FOR_INTERRUPTS();
		if (slot != RECSYS_NONE)
			slots[count++] = slot;
		else
			unknown[(*nunknown)++] = keys[x];
	}
	return count;
}

/* Takes those of the keys up that the items' table has. */
static void
take_up(RecsysShopProfile *profile, const RecsysKey *keys, int n)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysProfilePlans *plans = RecsysGetProfilePlans(profile->shop);
	char	   *column;
	Datum		value;

	RecsysPrepareItemKey(profile);
	column = psprintf("%s.%s", definition->items_alias, definition->item_key);
	if (plans->known == NULL)
		plans->known = RecsysPlanPrepare(profile->shop, "items",
										 psprintf("SELECT %s FROM %s AS %s WHERE %s = ANY ($1)",
												  column, definition->items,
												  definition->items_alias,
												  RecsysKeyColumn(&plans->item, column)),
										 1, &plans->item.array);
	value = RecsysKeyArray(&plans->item, keys, n);
	RecsysPlanRun(plans->known, &value, NULL, 0);
	for (uint64 x = 0; x < SPI_processed; x++)
	{
		Oid			type = getBaseType(SPI_gettypeid(SPI_tuptable->tupdesc, 1));
		RecsysKey	key;
		bool		isnull;

		value = SPI_getbinval(SPI_tuptable->vals[x], SPI_tuptable->tupdesc, 1, &isnull);
		RecsysKeyFromDatum(type, value, &key);
		(void) RecsysCatalogueSlot(profile->catalogue, &key);
	}
	SPI_freetuptable(SPI_tuptable);
}

static int
keep_distinct(uint32 *slots, int n)
{
	int			count = 0;

	qsort(slots, n, sizeof(uint32), RecsysCompareItemNumbers);
	for (int x = 0; x < n; x++)
		if (count == 0 || slots[count - 1] != slots[x])
			slots[count++] = slots[x];
	return count;
}

/* Those of the slots that are not there yet, at most so many, from the last one back. */
static void
add_evidence(RecsysShopProfile *profile, const uint32 *slots, int n, double weight, int most)
{
	int			before = profile->ncontext_items;

	for (int x = n - 1; x >= 0 && profile->ncontext_items < most; x--)
	{
		bool		known = false;

		CHECK_FOR_INTERRUPTS();
		for (int y = 0; y < before && !known; y++)
			known = profile->context_items[y] == slots[x];
		for (int y = n - 1; y > x && !known; y--)
			known = slots[y] == slots[x];
		if (known)
			continue;
		profile->context_items[profile->ncontext_items] = slots[x];
		profile->context_weights[profile->ncontext_items++] = weight;
	}
}

void
RecsysReadContextItems(RecsysShopProfile *profile)
{
	const RecsysContext *context = profile->context;
	int			most = profile->evidence[0].options.max_history;
	int			all = context->ncart + context->nviewed + context->nexclude;
	uint32	   *slots;
	uint32	   *viewed;
	RecsysKey  *unknown;
	int			nunknown = 0;
	int			ncart;
	int			nviewed;

	if (all == 0)
		return;
	unknown = palloc_extended(sizeof(RecsysKey) * (Size) all, MCXT_ALLOC_HUGE);
	slots = palloc_extended(sizeof(uint32) * (Size) all, MCXT_ALLOC_HUGE);
	viewed = palloc_extended(sizeof(uint32) * (Size) Max(context->nviewed, 1), MCXT_ALLOC_HUGE);
	for (int round = 0;; round++)
	{
		nunknown = 0;
		ncart = find_slots(profile, context->cart, context->ncart, slots, unknown, &nunknown);
		nviewed = find_slots(profile, context->viewed, context->nviewed, viewed, unknown, &nunknown);
		profile->nexcluded = ncart + find_slots(profile, context->exclude, context->nexclude,
												slots + ncart, unknown, &nunknown);
		if (nunknown == 0 || round > 0 || profile->shop->definition->items == NULL)
			break;
		take_up(profile, unknown, nunknown);
	}
	profile->context_items = palloc_extended(sizeof(uint32) * (Size) all, MCXT_ALLOC_HUGE);
	profile->context_weights = palloc_extended(sizeof(double) * (Size) all, MCXT_ALLOC_HUGE);
	add_evidence(profile, slots, ncart, 1, most);
	add_evidence(profile, viewed, nviewed, VIEWED_WEIGHT, most);
	profile->excluded = slots;
	profile->nexcluded = keep_distinct(slots, profile->nexcluded);
	pfree(viewed);
	pfree(unknown);
}
