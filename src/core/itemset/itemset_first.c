/*
 * itemset_first.c
 *	  The first item sets, in the alphabet of their items, that have just one support.
 *
 * Of the k most frequent sets, the least frequent ones are as a rule many more than
 * have room: one basket of thirty items alone has a thousand million sets.  So they must
 * not be enumerated to find the first of them.
 *
 * A search depth first, which adds items in ascending order only, comes upon sets in the
 * very order that is wanted.  All that it passes on the way has that support or a higher
 * one, and the sets with a higher one are fewer than k, so that it is over soon.  (Where
 * only long sets count, or such with certain items, it also passes those that do not.)
 *
 * Baskets of the current set are a list of places in the block's entries.  As long as
 * there are only items of all_of in it, that is all baskets, and supports are known.
 */
#include "core/itemset/itemset_block.h"
#include "core/itemset/itemset_first.h"

/* Look for interrupts after so many entries. */
#define WORK_BETWEEN_CHECKS 1000000

typedef struct Extension
{
	uint32		place;			/* in the alphabet */
	uint32		support;
} Extension;

/* The current set up to one of its items */
typedef struct Level
{
	uint32		place;			/* of the last item */
	uint32		support;
	ItemsetWeight weight;
	bool		all;			/* all baskets of the block */
	bool		own;			/* are heads this level's? */
	uint32	   *heads;			/* where its baskets' last words of heads are */
	uint32		nheads;
	uint32		heads_room;
	uint32		ncommon;		/* items of all_of in it */
	Extension  *extensions;
	uint32		nextensions;
	uint32		extensions_room;
	uint32		next;
} Level;

typedef struct Search
{
	const ItemsetBlock *block;
	const uint32 *entries;
	const uint32 *items;		/* as reported, by rank; behind them all_of's */
	uint32		nplaces;
	uint32	   *ranks;			/* by place */
	uint32	   *places;			/* by rank */
	uint32	   *common_places;	/* of all_of's items, ascending */
	uint32	   *counts;			/* by rank; zeros between uses */
	uint32	   *touched;
	uint32	   *set;
	uint32		support;
	uint64		missing;		/* so many more */
	Level	   *levels;
	uint32		nlevels;
	uint32		room;
	Size		memory;
	Size		memory_limit;
	uint64		work;
	RecsysItemsetReporter report;
	void	   *arg;
} Search;

static void *
allocate(Search *search, Size size)
{
	size = Max(size, 1);
	if (size > search->memory_limit - Min(search->memory_limit, search->memory))
		return NULL;
	search->memory += size;
	return recsys_alloc_huge(size);
}

static void
give_back(Search *search, void *pointer, Size size)
{
	search->memory -= Max(size, 1);
	pfree(pointer);
}

static void
add_work(Search *search, uint64 work)
{
	search->work += work;
	if (search->work < WORK_BETWEEN_CHECKS)
		return;
	search->work = 0;
	CHECK_FOR_INTERRUPTS();
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}

static int
compare_places(const void *a, const void *b)
{
	return compare_numbers(&((const Extension *) a)->place, &((const Extension *) b)->place);
}

/* An item's number, and what it is in the block */
typedef struct Letter
{
	uint32		number;
	uint32		rank;
} Letter;

/* Ranks, and behind them the items of all_of, in the order of their numbers. */
static bool
make_alphabet(Search *search)
{
	const ItemsetBlock *block = search->block;
	Size		size = sizeof(uint32) * (Size) search->nplaces;
	Letter	   *letters = allocate(search, sizeof(Letter) * (Size) search->nplaces);
	uint32		ncommon = 0;

	search->ranks = allocate(search, size);
	search->places = allocate(search, size);
	search->counts = allocate(search, size);
	search->touched = allocate(search, size);
	search->set = allocate(search, size);
	search->common_places = allocate(search, sizeof(uint32) * ((Size) block->ncommon + 1));
	search->room = 16;
	search->levels = allocate(search, sizeof(Level) * search->room);
	if (letters == NULL || search->ranks == NULL || search->places == NULL || search->counts == NULL ||
		search->touched == NULL || search->set == NULL || search->common_places == NULL ||
		search->levels == NULL)
		return false;

	memset(search->counts, 0, size);
	for (uint32 x = 0; x < search->nplaces; x++)
	{
		letters[x].number = search->items[x];
		letters[x].rank = x;
	}
	qsort(letters, search->nplaces, sizeof(Letter), compare_numbers);
	for (uint32 p = 0; p < search->nplaces; p++)
	{
		search->ranks[p] = letters[p].rank;
		search->places[letters[p].rank] = p;
		if (letters[p].rank >= block->nranks)
			search->common_places[ncommon++] = p;
	}
	give_back(search, letters, sizeof(Letter) * (Size) search->nplaces);
	return true;
}

/* Where the items that may follow end: one of all_of must not be passed over. */
static uint32
end_of_extensions(const Search *search, const Level *level)
{
	return level->ncommon < search->block->ncommon ?
		search->common_places[level->ncommon] : search->nplaces;
}

/* Counts the items of the level's baskets that come after its last one; returns how many. */
static uint32
count_items(Search *search, const Level *level, uint32 end)
{
	uint32		ntouched = 0;
	uint64		work = 0;

	for (uint32 h = 0; h < level->nheads; h++)
	{
		const uint32 *head = search->entries + level->heads[h];
		uint32		count = *head & ~ITEMSET_HEAD;
		const uint32 *e = head + 1;

		for (; !(*e & ITEMSET_HEAD); e++)
		{
			uint32		place = search->places[*e];

			if (place <= level->place || place >= end)
				continue;
			if (search->counts[*e] == 0)
				search->touched[ntouched++] = *e;
			search->counts[*e] += count;
		}
		work += e - head;
	}
	add_work(search, work);
	return ntouched;
}

/* The items that may be added, in order.  A first level with no items has place UINT32_MAX. */
static bool
find_extensions(Search *search, Level *level)
{
	const ItemsetBlock *block = search->block;
	const uint32 *supports = ITEMSET_ARRAY(block, const uint32, supports);
	uint32		end = end_of_extensions(search, level);
	uint32		first = level->place + 1;
	uint32		n = level->all ? (end > first ? end - first : 0) : count_items(search, level, end);

	level->extensions_room = n + 1;
	level->extensions = allocate(search, sizeof(Extension) * (Size) level->extensions_room);
	if (level->extensions == NULL)
		return false;
	level->nextensions = 0;
	for (uint32 x = 0; x < n; x++)
	{
		uint32		rank = level->all ? search->ranks[first + x] : search->touched[x];
		uint32		support = level->all ? supports[rank] : search->counts[rank];

		search->counts[rank] = 0;
		if (support < search->support)
			continue;
		level->extensions[level->nextensions].place = search->places[rank];
		level->extensions[level->nextensions++].support = support;
	}
	qsort(level->extensions, level->nextensions, sizeof(Extension), compare_places);
	if (end < search->nplaces)
	{
		level->extensions[level->nextensions].place = end;
		level->extensions[level->nextensions++].support = level->support;
	}
	return true;
}

static void
leave(Search *search)
{
	Level	   *level = &search->levels[--search->nlevels];

	if (level->extensions != NULL)
		give_back(search, level->extensions, sizeof(Extension) * (Size) level->extensions_room);
	if (level->own)
		give_back(search, level->heads, sizeof(uint32) * (Size) level->heads_room);
}

/* The baskets of all of the block's that have a rank */
static bool
baskets_of_rank(Search *search, uint32 rank, Level *child)
{
	const uint32 *places = ITEMSET_ARRAY(search->block, const uint32, places);
	const uint32 *occurrences = ITEMSET_ARRAY(search->block, const uint32, occurrences);

	child->nheads = child->heads_room = places[rank + 1] - places[rank];
	child->heads = allocate(search, sizeof(uint32) * (Size) child->heads_room);
	if (child->heads == NULL)
		return false;
	child->own = true;
	for (uint32 o = 0; o < child->nheads; o++)
	{
		uint32		e = occurrences[places[rank] + o];

		while (!(search->entries[e] & ITEMSET_HEAD))
			e--;
		child->heads[o] = e;
	}
	add_work(search, child->nheads);
	return true;
}

/* Those of the parent's baskets that have a rank */
static bool
narrow_baskets(Search *search, const Level *parent, uint32 rank, Level *child)
{
	uint32	   *heads;
	uint64		work = 0;

	/* a basket in the block is one basket or more */
	child->heads_room = Min(parent->nheads, child->support);
	heads = allocate(search, sizeof(uint32) * (Size) child->heads_room);
	if (heads == NULL)
		return false;
	child->nheads = 0;
	for (uint32 h = 0; h < parent->nheads; h++)
	{
		const uint32 *head = search->entries + parent->heads[h];
		const uint32 *e = head + 1;

		while (!(*e & ITEMSET_HEAD) && *e < rank)
			e++;
		if (*e == rank)
			heads[child->nheads++] = parent->heads[h];
		work += e - head;
	}
	add_work(search, work);
	child->heads = heads;
	child->own = true;
	return true;
}

static ItemsetWeight
weight_of_baskets(const Search *search, const Level *level)
{
	const ItemsetWeight *weights = ITEMSET_ARRAY(search->block, const ItemsetWeight, basket_weights);
	ItemsetWeight sum = {0, 0};

	for (uint32 h = 0; h < level->nheads; h++)
		itemset_weight_add(&sum, weights[search->entries[level->heads[h] - 1] & ~ITEMSET_HEAD]);
	return sum;
}

/* Adds the parent's next item to the set. */
static bool
enter(Search *search)
{
	const ItemsetBlock *block = search->block;
	Level	   *parent;
	Level	   *child;
	uint32		rank;

	if (search->nlevels == search->room)
	{
		Size		more = sizeof(Level) * (Size) search->room;

		if (more > search->memory_limit - Min(search->memory_limit, search->memory))
			return false;
		search->memory += more;
		search->room *= 2;
		search->levels = recsys_realloc_huge(search->levels, sizeof(Level) * (Size) search->room);
	}
	parent = &search->levels[search->nlevels - 1];
	child = &search->levels[search->nlevels];
	*child = *parent;
	child->own = false;
	child->extensions = NULL;
	child->nextensions = child->next = 0;
	child->place = parent->extensions[parent->next].place;
	child->support = parent->extensions[parent->next++].support;
	rank = search->ranks[child->place];
	search->set[search->nlevels - 1] = search->items[rank];
	search->nlevels++;

	/* all baskets have those of all_of */
	if (rank >= block->nranks)
	{
		child->ncommon++;
		return true;
	}
	child->all = false;
	if (parent->all)
	{
		if (!baskets_of_rank(search, rank, child))
			return false;

		/* baskets of one item are not in the block, but they count */
		if (block->weighted)
			child->weight = ITEMSET_ARRAY(block, const ItemsetWeight, weights)[rank];
		return true;
	}
	if (!narrow_baskets(search, parent, rank, child))
		return false;
	if (block->weighted)
		child->weight = weight_of_baskets(search, child);
	return true;
}

/* Reports the current set if it is one of those wanted; false ends the search. */
static bool
report_current(Search *search)
{
	Level	   *level = &search->levels[search->nlevels - 1];
	RecsysItemset set = {search->set, search->nlevels - 1, level->support, 0};

	if (level->support != search->support || level->ncommon < search->block->ncommon ||
		set.length < Max(search->block->min_length, 1))
		return true;
	search->missing--;
	if (search->block->weighted)
		set.weight = itemset_weight_get(level->weight, search->block->weight_unit);
	return search->report(search->arg, &set) && search->missing > 0;
}

static RecsysItemsetOutcome
run(Search *search)
{
	const ItemsetBlock *block = search->block;
	Level	   *root = &search->levels[0];

	memset(root, 0, sizeof(Level));
	root->place = PG_UINT32_MAX;
	root->all = true;
	root->support = block->common_support;
	root->weight = block->common_weight;
	search->nlevels = 1;
	if (!find_extensions(search, root))
		return RECSYS_ITEMSETS_NO_MEMORY;

	while (search->nlevels > 0)
	{
		Level	   *level = &search->levels[search->nlevels - 1];

		if (level->next == level->nextensions)
		{
			leave(search);
			continue;
		}
		if (!enter(search))
			return RECSYS_ITEMSETS_NO_MEMORY;
		if (!report_current(search))
			return search->missing == 0 ? RECSYS_ITEMSETS_DONE : RECSYS_ITEMSETS_STOPPED;
		level = &search->levels[search->nlevels - 1];
		if (search->nlevels - 1 < block->max_length && !find_extensions(search, level))
			return RECSYS_ITEMSETS_NO_MEMORY;
	}
	return RECSYS_ITEMSETS_DONE;
}

RecsysItemsetOutcome
RecsysItemsetsFirst(const RecsysItemsets *sets, uint32 support, uint64 most, Size memory_limit,
					RecsysItemsetReporter report, void *arg)
{
	Search		search = {0};
	RecsysItemsetOutcome outcome = RECSYS_ITEMSETS_NO_MEMORY;

	search.block = (const ItemsetBlock *) sets;
	search.entries = ITEMSET_ARRAY(search.block, const uint32, entries);
	search.items = ITEMSET_ARRAY(search.block, const uint32, items);
	search.nplaces = search.block->nranks + search.block->ncommon;
	search.support = support;
	search.missing = most;
	search.memory_limit = memory_limit;
	search.report = report;
	search.arg = arg;
	if (most == 0)
		return RECSYS_ITEMSETS_DONE;
	if (make_alphabet(&search))
		outcome = run(&search);
	while (search.nlevels > 0)
		leave(&search);
	for (int x = 0; x < 7; x++)
	{
		void	   *pointers[] = {search.ranks, search.places, search.counts, search.touched,
		search.set, search.common_places, search.levels};

		if (pointers[x] != NULL)
			pfree(pointers[x]);
	}
	return outcome;
}
