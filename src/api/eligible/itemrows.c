/*
 * itemrows.c
 *	  The third stage: which items may be shown, by the shop's own table of them.
 */
#include "postgres.h"

#include "access/relation.h"
#include "api/eligible/itemcall.h"
#include "api/eligible/itemkeys.h"
#include "api/eligible/slotplaces.h"
#include "api/here/localnames.h"
#include "catalog/pg_class.h"
#include "optimizer/plancat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* What rows are written to */
typedef struct Wanted
{
	RecsysItems *items;
	places_hash *places;
	RecsysItemRow *rows;		/* parallel to the slots; slot RECSYS_NONE: it is not there */
} Wanted;

/* The same of titles */
typedef struct Titles
{
	RecsysItems *items;
	places_hash *places;
	char	  **titles;
} Titles;

/* A list that grows, of items each once */
typedef struct Gathered
{
	RecsysItems *items;
	places_hash *slots;
	RecsysItemRow *rows;
	int			count;
	int			room;
	int			limit;
} Gathered;

#define FIRST_ROOM 64

/* A slot that is asked for twice has the first of its places. */
static places_hash *
places_of(const uint32 *slots, int n)
{
	places_hash *places = places_create(CurrentMemoryContext, n, NULL);

	for (int i = 0; i < n; i++)
	{
		bool		found;
		PlaceEntry *entry = places_insert(places, slots[i], &found);

		if (!found)
			entry->place = i;
	}
	return places;
}

/* A view may have an item twice: the first row counts. */
static bool
take_wanted(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Wanted	   *wanted = arg;
	PlaceEntry *entry = places_lookup(wanted->places, slot);
	RecsysItemRow *row;

	if (entry == NULL || wanted->rows[entry->place].slot != RECSYS_NONE)
		return true;
	row = &wanted->rows[entry->place];
	RecsysDecodeItem(wanted->items, slot, values, nulls, types, row);
	RecsysKeepCaps(wanted->items, row);
	return true;
}

static int
read_wanted(RecsysItems *items, RecsysItemQuery query, const uint32 *slots, int n,
			RecsysItemRow *rows)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	Wanted		wanted = {.items = items, .places = places_of(slots, n), .rows = rows};
	Datum		array;
	int			count = 0;

	for (int i = 0; i < n; i++)
		rows[i].slot = RECSYS_NONE;
	array = RecsysItemKeyArray(items->profile->catalogue, items->plans->key_type, slots, n);
	RecsysReadRows(items, query, RECSYS_LIMIT_NONE, array, RECSYS_SKIP_NEW_KEYS, take_wanted,
				   &wanted);
	for (int i = 0; i < n; i++)
		if (rows[i].slot != RECSYS_NONE)
			rows[count++] = rows[i];
	pfree(DatumGetPointer(array));
	places_destroy(wanted.places);
	MemoryContextSwitchTo(old);
	return count;
}

/* Without a table of them, every item is one. */
static int
plain_items(RecsysItems *items, const uint32 *slots, int n, RecsysItemRow *rows)
{
	for (int i = 0; i < n; i++)
		RecsysPlainItem(items, slots[i], &rows[i]);
	return n;
}

int
RecsysItemsAmong(RecsysItems *items, const uint32 *slots, int n, RecsysItemRow *rows)
{
	return items->plans == NULL ? plain_items(items, slots, n, rows) :
		read_wanted(items, RECSYS_QUERY_AMONG, slots, n, rows);
}

int
RecsysItemsKnown(RecsysItems *items, const uint32 *slots, int n, RecsysItemRow *rows)
{
	return items->plans == NULL ? plain_items(items, slots, n, rows) :
		read_wanted(items, RECSYS_QUERY_KNOWN, slots, n, rows);
}

static bool
take_gathered(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Gathered   *gathered = arg;
	RecsysItemRow *row;
	bool		found;

	(void) places_insert(gathered->slots, slot, &found);
	if (found)
		return true;
	if (gathered->count == gathered->room)
	{
		gathered->room *= 2;
		gathered->rows = repalloc_huge(gathered->rows,
									   sizeof(RecsysItemRow) * (Size) gathered->room);
	}
	row = &gathered->rows[gathered->count++];
	RecsysDecodeItem(gathered->items, slot, values, nulls, types, row);
	RecsysKeepCaps(gathered->items, row);
	return gathered->count < gathered->limit;
}

/* Whether there may be more behind what the limit of the query has let through */
static bool
gather(Gathered *gathered, RecsysItemQuery query, RecsysItemLimit limit)
{
	uint64		rows;

	places_reset(gathered->slots);
	gathered->count = 0;
	rows = RecsysReadRows(gathered->items, query, limit, (Datum) 0, RECSYS_NUMBER_NEW_KEYS,
						  take_gathered, gathered);
	return gathered->count < gathered->limit && limit != RECSYS_LIMIT_NONE &&
		rows >= RecsysItemLimitRows(limit);
}

/* The table has rows that are no items of their own, or more than one of an item, now and then. */
static void
gather_all(Gathered *gathered, RecsysItemQuery query)
{
	if (gathered->limit <= RecsysItemLimitRows(RECSYS_LIMIT_LOW) &&
		!gather(gathered, query, RECSYS_LIMIT_LOW))
		return;
	if (gathered->limit <= RecsysItemLimitRows(RECSYS_LIMIT_HIGH) &&
		!gather(gathered, query, RECSYS_LIMIT_HIGH))
		return;
	gather(gathered, query, RECSYS_LIMIT_NONE);
}

int
RecsysItemsAll(RecsysItems *items, int limit, RecsysItemsWhich which, RecsysItemRow **rows)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	Gathered	gathered = {.items = items, .room = FIRST_ROOM, .limit = limit};

	gathered.slots = places_create(items->context, FIRST_ROOM, NULL);
	gathered.rows = palloc(sizeof(RecsysItemRow) * gathered.room);
	if (items->plans != NULL && limit > 0)
		gather_all(&gathered,
				   which == RECSYS_ITEMS_NEW ? RECSYS_QUERY_NEW :
				   which == RECSYS_ITEMS_OF_NEW_SELLERS ? RECSYS_QUERY_OF_NEW_SELLERS :
				   RECSYS_QUERY_ALL);
	places_destroy(gathered.slots);
	MemoryContextSwitchTo(old);
	*rows = gathered.rows;
	return gathered.count;
}

static bool
take_title(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Titles	   *titles = arg;
	PlaceEntry *entry = places_lookup(titles->places, slot);

	if (entry != NULL && !nulls[1] && titles->titles[entry->place] == NULL)
		titles->titles[entry->place] =
			MemoryContextStrdup(titles->items->context, TextDatumGetCString(values[1]));
	return true;
}

char **
RecsysItemsTitles(RecsysItems *items, const uint32 *slots, int n)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);
	Titles		titles = {.items = items};

	titles.titles = palloc0(sizeof(char *) * Max(n, 1));
	if (items->plans != NULL && items->definition->title != NULL && n > 0)
	{
		titles.places = places_of(slots, n);
		RecsysReadRows(items, RECSYS_QUERY_TITLES, RECSYS_LIMIT_NONE,
					   RecsysItemKeyArray(items->profile->catalogue, items->plans->key_type,
										  slots, n),
					   RECSYS_SKIP_NEW_KEYS, take_title, &titles);
		for (int i = 0; i < n; i++)
			titles.titles[i] = titles.titles[places_lookup(titles.places, slots[i])->place];
	}
	MemoryContextSwitchTo(old);
	return titles.titles;
}

/*
 * All rows of the table, those that policies hide included: what is asked is how many of the
 * candidates are left, and candidates come from everywhere.
 */
static double
estimate_total(RecsysItems *items, Relation table)
{
	Relation	there;
	BlockNumber pages;
	double		rows;
	double		all_visible;

	if (table->rd_rel->relkind != RELKIND_RELATION && table->rd_rel->relkind != RELKIND_MATVIEW)
		return RecsysPlanRows(RecsysItemPlanOf(items->plans, items->shape, items->conditions,
											   RECSYS_QUERY_TOTAL, RECSYS_LIMIT_NONE));
	there = relation_open(RecsysTableOfRows(RelationGetRelid(table)), AccessShareLock);
	estimate_rel_size(there, NULL, &pages, &rows, &all_visible);
	relation_close(there, NoLock);
	return rows;
}

static double
estimate_share(RecsysItems *items)
{
	Relation	table = RecsysOpenItems(items->shop);
	double		total;
	double		passing;

	if (items->definition->item_filter == NULL && items->conditions == NULL &&
		!table->rd_rel->relrowsecurity)
	{
		relation_close(table, NoLock);
		return 1.0;
	}
	total = estimate_total(items, table);
	relation_close(table, NoLock);
	passing = RecsysPlanRows(RecsysItemPlanOf(items->plans, items->shape, items->conditions,
											  RECSYS_QUERY_PASSING, RECSYS_LIMIT_NONE));
	return total > passing ? passing / total : 1.0;
}

double
RecsysItemsShare(RecsysItems *items)
{
	MemoryContext old = MemoryContextSwitchTo(items->context);

	if (items->share < 0)
		items->share = items->plans == NULL ? 1.0 : estimate_share(items);
	MemoryContextSwitchTo(old);
	return items->share;
}

const char *
RecsysItemsLabel(const RecsysItems *items, RecsysLabel label)
{
	return RecsysItemLabelText(items->labels, label);
}
