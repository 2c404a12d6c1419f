/*
 * fallback.c
 *	  What there is for those whose signals say too little: popular items of what they are near to.
 *
 * Categories and sellers are those of the user's items.  They take turns, each with as many
 * items of a round as its share of the user's weights: somebody with three books and a kettle
 * gets three books for each kettle.  Segments and price levels have one list each;
 * a segment that is too small has none, and the next larger one speaks.
 *
 * Lists of another definition, from before it was altered, are passed over until the next
 * refresh.  Behind the last list come the items of the first signal's index, most users first.
 * Where users are excluded, the list of all without them stands before that.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/popular_page.h"
#include "api/declare/popularity.h"
#include "api/eligible/fallback.h"
#include "api/eligible/itemrows.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Values of one source that take turns, at most: those with the largest shares */
#define TURNS 8

/* Items that all of them give in a round, about: more are asked for at once than are shown */
#define ROUND_ITEMS 8

/* Items of the history whose categories and sellers are looked up, at most */
#define KNOWN_ITEMS 500

typedef enum Source
{
	SOURCE_CATEGORY,
	SOURCE_SELLER,
	SOURCE_SEGMENT,
	SOURCE_PRICE,
	SOURCE_ALL,					/* the list of all */
	SOURCE_POPULAR,				/* the popular page, ... */
	SOURCE_EVERYTHING,			/* ... and what does not stand on it */
	SOURCE_END
} Source;

static const char *const source_names[] = {
	"category", "seller", "segment", "price", "popular", "popular", "popular"
};

/* One list of the source at hand */
typedef struct Turn
{
	const char *kind;
	const char *value;
	double		share;			/* of the user's weights in the source */
	bool		is_read;
	RecsysPopularList list;
	int			next;
} Turn;

struct RecsysFallback
{
	const RecsysShopProfile *profile;
	const RecsysDefinition *definition;
	MemoryContext context;
	HTAB	   *given;			/* slots */
	Source		source;
	Turn		turns[TURNS];
	int			nturns;
	int			turn;
	bool		lists_only;

	/* of the popular page and what is behind it */
	uint32	   *numbers;
	uint32		nnumbers;
	uint32		next;

	/* what the user has */
	bool		knows_items;
	RecsysItems *items;
	RecsysItemRow *rows;
	int			nrows;
	HTAB	   *weights;		/* by slot */
};

typedef struct SlotWeight
{
	uint32		slot;
	double		weight;
} SlotWeight;

RecsysFallback *
RecsysFallbackBegin(const RecsysShopProfile *profile)
{
	RecsysFallback *fallback = palloc0(sizeof(RecsysFallback));
	HASHCTL		control = {0};

	fallback->profile = profile;
	fallback->definition = profile->shop->definition;
	fallback->context = AllocSetContextCreate(CurrentMemoryContext, "recsys fallback", ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(uint32);
	control.hcxt = fallback->context;
	fallback->given = hash_create("recsys fallback", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	fallback->source = SOURCE_CATEGORY;
	fallback->turn = -1;
	return fallback;
}

void
RecsysFallbackEnd(RecsysFallback *fallback)
{
	if (fallback->items != NULL)
		RecsysItemsEnd(fallback->items);
	MemoryContextDelete(fallback->context);
	pfree(fallback);
}

void
RecsysFallbackListsOnly(RecsysFallback *fallback)
{
	fallback->lists_only = true;
}

int64
RecsysUsersOf(const RecsysShopProfile *profile, uint32 slot)
{
	const RecsysEvidence *first = &profile->evidence[0];
	uint32		item = RecsysMapNumber(first->map, first->events.index, slot);
	RecsysGraphReader reader;
	RecsysGraphRow row;
	int64		users = 0;

	if (item == RECSYS_NONE)
		return 0;
	RecsysGraphReaderInit(&reader, first->events.index);
	row = RecsysGraphReadRow(&reader, item);
	if (row != NULL)
	{
		users = row->users;
		RecsysGraphReleaseRow(&reader);
	}
	RecsysGraphReaderDone(&reader);
	return users;
}

static void
add_weight(RecsysFallback *fallback, uint32 slot, double weight)
{
	bool		found;
	SlotWeight *entry;

	if (!(weight > 0))
		return;
	entry = hash_search(fallback->weights, &slot, HASH_ENTER, &found);
	entry->weight = (found ? entry->weight : 0) + weight;
}

/* What the signals know of the user with a positive weight, and the context, by slot */
static void
weigh_items(RecsysFallback *fallback)
{
	const RecsysShopProfile *profile = fallback->profile;
	HASHCTL		control = {0};

	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(SlotWeight);
	control.hcxt = fallback->context;
	fallback->weights = hash_create("recsys fallback weights", 256, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int s = 0; s < profile->nevidence; s++)
	{
		const RecsysEvidence *evidence = &profile->evidence[s];

		if (evidence->signal != NULL &&
			(evidence->signal->weight <= 0 || evidence->signal->other_items))
			continue;
		for (int i = 0; i < evidence->count; i++)
			add_weight(fallback, evidence->slots[i], evidence->weight * evidence->weights[i]);
	}
	for (int i = 0; i < profile->ncontext_items; i++)
		add_weight(fallback, profile->context_items[i], profile->context_weights[i]);
}

static int
compare_weights(const void *a, const void *b)
{
	const SlotWeight *left = a;
	const SlotWeight *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return (left->slot > right->slot) - (left->slot < right->slot);
}

/* The user's items as the shop knows them, those with the largest weights */
static void
learn_items(RecsysFallback *fallback)
{
	HASH_SEQ_STATUS all;
	SlotWeight *entry;
	SlotWeight *sorted;
	uint32	   *slots;
	int			n = 0;

	if (fallback->knows_items)
		return;
	fallback->knows_items = true;
	if (fallback->definition->items == NULL)
		return;
	weigh_items(fallback);
	sorted = palloc(sizeof(SlotWeight) * Max(hash_get_num_entries(fallback->weights), 1));
	hash_seq_init(&all, fallback->weights);
	while ((entry = hash_seq_search(&all)) != NULL)
		sorted[n++] = *entry;
	qsort(sorted, n, sizeof(SlotWeight), compare_weights);
	n = Min(n, KNOWN_ITEMS);
	slots = palloc(sizeof(uint32) * Max(n, 1));
	for (int i = 0; i < n; i++)
		slots[i] = sorted[i].slot;
	fallback->rows = palloc0(sizeof(RecsysItemRow) * Max(n, 1));
	if (n > 0)
	{
		fallback->items = RecsysItemsBegin(fallback->profile);
		fallback->nrows = RecsysItemsKnown(fallback->items, slots, n, fallback->rows);
	}
	pfree(sorted);
	pfree(slots);
}

static int
compare_turns(const void *a, const void *b)
{
	const Turn *left = a;
	const Turn *right = b;

	if (left->share != right->share)
		return left->share > right->share ? -1 : 1;
	return strcmp(left->value, right->value);
}

/* The categories, or the sellers, of what the user has take turns. */
static void
begin_labels(RecsysFallback *fallback, bool sellers)
{
	Turn	   *turns;
	int			nturns = 0;

	learn_items(fallback);
	turns = palloc0(sizeof(Turn) * Max(fallback->nrows, 1));
	for (int i = 0; i < fallback->nrows; i++)
	{
		const RecsysItemRow *row = &fallback->rows[i];
		RecsysLabel label = sellers ? row->seller : row->category;
		SlotWeight *entry = hash_search(fallback->weights, &row->slot, HASH_FIND, NULL);
		const char *value;
		int			t = 0;

		if (label == 0 || entry == NULL)
			continue;
		value = RecsysItemsLabel(fallback->items, label);
		while (t < nturns && strcmp(turns[t].value, value) != 0)
			t++;
		turns[t].kind = sellers ? "seller" : "category";
		turns[t].value = value;
		turns[t].share += entry->weight;
		nturns = Max(nturns, t + 1);
	}
	qsort(turns, nturns, sizeof(Turn), compare_turns);
	fallback->nturns = Min(nturns, TURNS);
	memcpy(fallback->turns, turns, sizeof(Turn) * fallback->nturns);
	pfree(turns);
}

/* Lists one behind the other: each is to give all it has in its turn. */
static void
add_list(RecsysFallback *fallback, const char *kind, const char *value)
{
	Turn	   *turn;

	if (value == NULL || fallback->nturns == TURNS)
		return;
	turn = &fallback->turns[fallback->nturns++];
	memset(turn, 0, sizeof(Turn));
	turn->kind = kind;
	turn->value = value;
}

/* Where a mean of logarithms of prices stands among the bounds of the levels; NULL: unknown */
static const char *
price_level(const RecsysFallback *fallback)
{
	double		bounds[RECSYS_PRICE_LEVELS - 1];
	int			n;
	int			level = 0;

	if (isnan(fallback->profile->price_level))
		return NULL;
	n = RecsysReadFigure(fallback->definition->name, "price_bounds", bounds, lengthof(bounds));
	if (n < lengthof(bounds))
		return NULL;
	while (level < n && fallback->profile->price_level >= bounds[level])
		level++;
	return psprintf("%d", level);
}

static void
begin_segments(RecsysFallback *fallback)
{
	const RecsysShopProfile *profile = fallback->profile;

	for (int i = 0; i < fallback->definition->nsegments; i++)
		if (profile->segments != NULL && profile->segments[i] != NULL)
			add_list(fallback, RecsysSegmentKind(fallback->definition, i), profile->segments[i]);
}

static void
begin_popular(RecsysFallback *fallback)
{
	Relation	index = fallback->profile->evidence[0].events.index;

	fallback->next = 0;
	if (fallback->source == SOURCE_POPULAR)
	{
		int			count;

		fallback->numbers = RecsysReadPopular(index, &count);
		fallback->nnumbers = count;
	}
	else if (fallback->nnumbers == RECSYS_POPULAR_ITEMS)
	{
		RecsysPopularity *all = RecsysReadAllPopular(index, &fallback->nnumbers);

		fallback->numbers = palloc_extended(sizeof(uint32) * (Size) Max(fallback->nnumbers, 1),
											MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < fallback->nnumbers; i++)
			fallback->numbers[i] = all[i].item;
		pfree(all);
	}
	else
		fallback->nnumbers = 0;
}

/* The lists of the source at hand; those of another meaning are none. */
static void
begin_source(RecsysFallback *fallback)
{
	const char *kind = "";
	bool		current = false;
	int			kept = 0;

	fallback->nturns = 0;
	fallback->turn = 0;
	switch (fallback->source)
	{
		case SOURCE_CATEGORY:
			if (fallback->definition->category != NULL)
				begin_labels(fallback, false);
			break;
		case SOURCE_SELLER:
			if (fallback->definition->seller != NULL)
				begin_labels(fallback, true);
			break;
		case SOURCE_SEGMENT:
			begin_segments(fallback);
			break;
		case SOURCE_PRICE:
			add_list(fallback, "price", price_level(fallback));
			break;
		case SOURCE_ALL:
			if (fallback->definition->exclude_users != NULL)
				add_list(fallback, "all", "");
			break;
		case SOURCE_POPULAR:
		case SOURCE_EVERYTHING:
			begin_popular(fallback);
			return;
		case SOURCE_END:
			return;
	}
	for (int i = 0; i < fallback->nturns; i++)
	{
		if (i == 0 || strcmp(kind, fallback->turns[i].kind) != 0)
		{
			kind = fallback->turns[i].kind;
			current = RecsysPopularityIsCurrent(fallback->definition, kind);
		}
		if (current)
			fallback->turns[kept++] = fallback->turns[i];
	}
	fallback->nturns = kept;
}

/* Gives a slot unless it has been given. */
static int
give(RecsysFallback *fallback, uint32 slot, uint32 *slots, int n)
{
	bool		found;

	(void) hash_search(fallback->given, &slot, HASH_ENTER, &found);
	if (!found)
		slots[n++] = slot;
	return n;
}

static int
give_of_list(RecsysFallback *fallback, Turn *turn, int most, uint32 *slots)
{
	Oid			item_type = fallback->profile->evidence[0].events.columns.item_type;
	int			n = 0;

	if (!turn->is_read)
		(void) RecsysReadPopularList(fallback->definition->name, turn->kind, turn->value,
									 &turn->list);
	turn->is_read = true;
	while (n < most && turn->next < turn->list.count)
	{
		RecsysKey	key;

		RecsysKeyFromText(item_type, turn->list.items[turn->next++], &key);
		n = give(fallback, RecsysCatalogueSlot(fallback->profile->catalogue, &key), slots, n);
	}
	return n;
}

static int
give_of_index(RecsysFallback *fallback, int most, uint32 *slots)
{
	const RecsysEvidence *first = &fallback->profile->evidence[0];
	RecsysGraphReader reader;
	int			n = 0;

	RecsysGraphReaderInit(&reader, first->events.index);
	while (n < most && fallback->next < fallback->nnumbers)
	{
		CHECK_FOR_INTERRUPTS();
		n = give(fallback, RecsysMapSlot(first->map, &reader, fallback->numbers[fallback->next++]),
				 slots, n);
	}
	RecsysGraphReaderDone(&reader);
	return n;
}

/* Of the list whose turn it is; the next call begins with the next one. */
static int
give_in_turn(RecsysFallback *fallback, int most, uint32 *slots, const char **detail)
{
	double		all = 0;

	for (int i = 0; i < fallback->nturns; i++)
		all += fallback->turns[i].share;
	while (fallback->nturns > 0)
	{
		Turn	   *turn;
		int			wanted;
		int			n;

		if (fallback->turn >= fallback->nturns)
			fallback->turn = 0;
		turn = &fallback->turns[fallback->turn];
		wanted = all > 0 ? Min(most, Max(1, (int) rint(ROUND_ITEMS * (turn->share / all)))) : most;
		*detail = turn->value;
		n = give_of_list(fallback, turn, wanted, slots);
		if (n > 0)
		{
			/* without shares a list is read to its end first */
			if (all > 0)
				fallback->turn++;
			return n;
		}
		fallback->nturns--;
		memmove(turn, turn + 1, sizeof(Turn) * (fallback->nturns - fallback->turn));
	}
	return 0;
}

int
RecsysFallbackNext(RecsysFallback *fallback, int n, uint32 *slots, const char **source,
				   const char **detail)
{
	MemoryContext old = MemoryContextSwitchTo(fallback->context);
	int			given = 0;

	if (fallback->turn < 0)
		begin_source(fallback);
	while (n > 0 && fallback->source < SOURCE_END)
	{
		*source = source_names[fallback->source];
		*detail = NULL;
		if (fallback->source >= SOURCE_POPULAR)
			given = give_of_index(fallback, n, slots);
		else
			given = give_in_turn(fallback, n, slots, detail);
		if (fallback->source == SOURCE_ALL)
			*detail = NULL;
		if (given > 0)
			break;
		fallback->source++;
		if (fallback->lists_only && fallback->source == SOURCE_POPULAR)
			fallback->source = SOURCE_END;
		begin_source(fallback);
	}
	MemoryContextSwitchTo(old);
	return given;
}

static int
take_list(const RecsysShopProfile *profile, const RecsysPopularList *list, int n, uint32 **slots,
		  int64 **users)
{
	Oid			item_type = profile->evidence[0].events.columns.item_type;

	n = Min(n, list->count);
	*slots = palloc(sizeof(uint32) * Max(n, 1));
	*users = palloc0(sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		RecsysKey	key;

		RecsysKeyFromText(item_type, list->items[i], &key);
		(*slots)[i] = RecsysCatalogueSlot(profile->catalogue, &key);
		if (list->users != NULL)
			(*users)[i] = list->users[i];
	}
	return n;
}

int
RecsysPopularInSegment(const RecsysShopProfile *profile, const char *segment, int n, uint32 **slots,
					   int64 **users)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysPopularList list = {0};
	bool		found = false;

	RecsysCheckSegmentRights(profile);
	for (int i = 0; i <= definition->nsegments && !found; i++)
	{
		const char *kind = i < definition->nsegments ? RecsysSegmentKind(definition, i) : "persona";

		found = RecsysReadPopularList(definition->name, kind, segment, &list) &&
			RecsysPopularityIsCurrent(definition, kind);
	}
	return found ? take_list(profile, &list, n, slots, users) : 0;
}

int
RecsysPopularWithAll(const RecsysShopProfile *profile, uint32 **slots, int64 **users)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysPopularList list = {0};

	if (definition->exclude_users == NULL ||
		!RecsysReadPopularList(definition->name, "all", "", &list) ||
		!RecsysPopularityIsCurrent(definition, "all"))
		return 0;
	return take_list(profile, &list, PG_INT32_MAX, slots, users);
}
