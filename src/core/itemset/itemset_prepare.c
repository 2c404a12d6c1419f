/*
 * itemset_prepare.c
 *	  From baskets to the block that item sets are mined from.
 *
 * The first pass over the baskets counts items (one before it looks at weights, if there
 * are any).  Those that are frequent get ranks.  The
 * second pass keeps of each basket what is frequent, recoded to ranks, and equal baskets
 * once (itemset_distinct.c).  See itemset_block.h for what comes out.
 */
#include "core/itemset/itemset_block.h"
#include "core/itemset/itemset_distinct.h"

#define ITEM_EXCLUDED 1
#define ITEM_ALL_OF 2
#define ITEM_ANY_OF 4

/* Baskets up to this length are sorted by insertion. */
#define SHORT_BASKET 32

typedef struct Preparation
{
	RecsysBaskets *baskets;
	const RecsysItemsetOptions *options;
	Budget		budget;			/* for all but the block, which has to fit in the rest */
	uint8	   *flags;			/* by item */
	uint32		nall_of;		/* different ones */
	bool		any_of;			/* does the filter filter? */
	uint32	   *supports;		/* by item */
	ItemsetUnit unit;			/* of weights */
	ItemsetWeight *weights;		/* by item, or NULL */
	uint32	   *ranks;			/* by item */
	uint32	   *items;			/* by rank */
	uint32		nranks;
	uint32		nbaskets;		/* of the source */
	uint32		nleft_out;
	uint32		nchosen;		/* with all of all_of, and not too large */
	ItemsetWeight chosen_weight;

	DistinctBaskets distinct;	/* recoded to ranks */
} Preparation;

/* Note what the filters say of each item. */
static void
flag_items(Preparation *p)
{
	const RecsysItemsetOptions *options = p->options;

	for (uint32 x = 0; x < options->nexcluded; x++)
		if (options->excluded[x] < p->baskets->nitems)
			p->flags[options->excluded[x]] |= ITEM_EXCLUDED;
	p->nall_of = 0;
	for (uint32 x = 0; x < options->nall_of; x++)
	{
		uint8	   *flags;

		/* an item that nobody has, so no basket has all */
		if (options->all_of[x] >= p->baskets->nitems)
		{
			p->nall_of++;
			continue;
		}
		flags = &p->flags[options->all_of[x]];
		if (!(*flags & ITEM_ALL_OF))
			p->nall_of++;
		*flags |= ITEM_ALL_OF;
	}
	p->any_of = options->nany_of > 0;
	for (uint32 x = 0; x < options->nany_of; x++)
	{
		if (options->any_of[x] >= p->baskets->nitems)
			continue;
		if (p->flags[options->any_of[x]] & ITEM_ALL_OF)
			p->any_of = false;	/* fulfilled by all_of */
		p->flags[options->any_of[x]] |= ITEM_ANY_OF;
	}
}

/* Is the basket one of those that count? */
static bool
choose_basket(const Preparation *p, const uint32 *items, uint32 count)
{
	uint32		found = 0;

	if (p->nall_of == 0)
		return true;
	for (uint32 x = 0; x < count; x++)
		found += (p->flags[items[x]] & (ITEM_ALL_OF | ITEM_EXCLUDED)) == ITEM_ALL_OF;
	return found == p->nall_of;
}

static bool
too_large(const Preparation *p, uint32 count)
{
	return p->options->max_basket != 0 && count > p->options->max_basket;
}

/* The pass that comes first if there are weights: to choose their unit */
static void
measure_weights(Preparation *p)
{
	RecsysBaskets *baskets = p->baskets;
	ItemsetWeightRange range = {0};
	const uint32 *items;
	uint32		count;
	RecsysDecimal weight;
	uint32		seen = 0;

	baskets->rewind(baskets->arg);
	while (baskets->next(baskets->arg, &items, &count, &weight))
	{
		if (++seen % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		itemset_weight_note(&range, weight);
	}
	p->unit = itemset_weight_unit(&range);
}

static void
count_items(Preparation *p)
{
	RecsysBaskets *baskets = p->baskets;
	const uint32 *items;
	uint32		count;
	RecsysDecimal decimal = {0};

	if (baskets->weighted)
		measure_weights(p);
	baskets->rewind(baskets->arg);
	while (baskets->next(baskets->arg, &items, &count, &decimal))
	{
		p->nbaskets++;
		if (p->nbaskets % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (too_large(p, count))
		{
			p->nleft_out++;
			continue;
		}
		if (!choose_basket(p, items, count))
			continue;
		p->nchosen++;
		for (uint32 x = 0; x < count; x++)
			p->supports[items[x]]++;
		if (p->weights != NULL)
		{
			ItemsetWeight weight = itemset_weight_from(decimal, p->unit);

			itemset_weight_add(&p->chosen_weight, weight);
			for (uint32 x = 0; x < count; x++)
				itemset_weight_add(&p->weights[items[x]], weight);
		}
	}
	for (uint32 item = 0; item < baskets->nitems; item++)
	{
		if (p->flags[item] & ITEM_EXCLUDED)
			p->supports[item] = 0;
	}
}

typedef struct ItemOrder
{
	uint32		last;			/* 1 for items of any_of, which come last */
	uint32		support;
	uint32		item;
} ItemOrder;

static int
compare_items(const void *a, const void *b)
{
	const ItemOrder *x = a;
	const ItemOrder *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	if (x->support != y->support)
		return x->support > y->support ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* Number the frequent items; returns the first rank of those in any_of. */
static uint32
rank_items(Preparation *p, ItemOrder *order)
{
	uint32		min_support = Max(p->options->min_support, 1);
	uint32		first_last;

	for (uint32 item = 0; item < p->baskets->nitems; item++)
	{
		p->ranks[item] = RECSYS_NONE;
		if (p->supports[item] >= min_support && !(p->flags[item] & ITEM_ALL_OF))
		{
			order[p->nranks].last = p->any_of && (p->flags[item] & ITEM_ANY_OF) != 0;
			order[p->nranks].support = p->supports[item];
			order[p->nranks++].item = item;
		}
	}
	qsort(order, p->nranks, sizeof(ItemOrder), compare_items);
	first_last = p->nranks;
	for (uint32 rank = 0; rank < p->nranks; rank++)
	{
		p->ranks[order[rank].item] = rank;
		p->items[rank] = order[rank].item;
		if (order[rank].last && first_last == p->nranks)
			first_last = rank;
	}
	return p->any_of ? first_last : 0;
}

static int
compare_ranks(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

static void
sort_ranks(uint32 *ranks, uint32 count)
{
	if (count > SHORT_BASKET)
	{
		qsort(ranks, count, sizeof(uint32), compare_ranks);
		return;
	}
	for (uint32 x = 1; x < count; x++)
	{
		uint32		rank = ranks[x];
		uint32		y = x;

		for (; y > 0 && ranks[y - 1] > rank; y--)
			ranks[y] = ranks[y - 1];
		ranks[y] = rank;
	}
}

/* The basket's frequent items as ranks, which ascend; returns how many. */
static inline uint32
recode(const Preparation *p, const uint32 *items, uint32 count, uint32 *ranks)
{
	uint32		length = 0;

	for (uint32 x = 0; x < count; x++)
	{
		uint32		rank = p->ranks[items[x]];

		if (rank == RECSYS_NONE)
			continue;
		if (length >= p->nranks)
			elog(ERROR, "an item occurs twice in a basket");
		ranks[length++] = rank;
	}
	sort_ranks(ranks, length);
	return length;
}

/* The second pass.  False if memory does not suffice. */
static bool
read_baskets(Preparation *p, uint32 *ranks)
{
	RecsysBaskets *baskets = p->baskets;
	const uint32 *items;
	uint32		count;
	RecsysDecimal weight = {0};
	uint32		seen = 0;

	baskets->rewind(baskets->arg);
	while (baskets->next(baskets->arg, &items, &count, &weight))
	{
		uint32		length;

		if (++seen % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (too_large(p, count) || !choose_basket(p, items, count))
			continue;
		length = recode(p, items, count, ranks);
		if (length >= 2 &&
			!RecsysDistinctAdd(&p->distinct, ranks, length, itemset_weight_from(weight, p->unit)))
			return false;
	}
	return RecsysDistinctFinish(&p->distinct);
}

/* Recode the baskets.  False if memory does not suffice. */
static bool
recode_baskets(Preparation *p)
{
	uint64		room = 0;
	Size		size = (Size) p->nranks * sizeof(uint32);
	uint32	   *ranks;
	bool		enough;

	for (uint32 rank = 0; rank < p->nranks; rank++)
		room += p->supports[p->items[rank]];
	if (room > PG_UINT32_MAX || p->nbaskets > ITEMSET_MAX_BASKETS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions to mine item sets from"),
				 errdetail("There are %llu of frequent items in %u baskets.",
						   (unsigned long long) room, p->nbaskets),
				 errhint("Raise the minimum support.")));
	ranks = budget_take(&p->budget, size);
	enough = ranks != NULL &&
		RecsysDistinctInit(&p->distinct, &p->budget, p->nchosen, room, p->baskets->weighted) &&
		read_baskets(p, ranks);
	budget_return(&p->budget, ranks, size);
	return enough;
}

static Size
reserve(ItemsetBlock *block, uint64 count, Size width)
{
	Size		place = block->public.size;

	block->public.size += (count * width + 7) & ~(Size) 7;
	return place;
}

/* Fill in where everything stands. */
static void
lay_out(const Preparation *p, ItemsetBlock *block)
{
	block->public.size = (sizeof(ItemsetBlock) + 7) & ~(Size) 7;
	block->items = reserve(block, p->nranks + block->ncommon, sizeof(uint32));
	block->supports = reserve(block, p->nranks, sizeof(uint32));
	block->ranks = reserve(block, block->nitems, sizeof(uint32));
	block->entries = reserve(block, block->nentries, sizeof(uint32));
	block->places = reserve(block, p->nranks + 1, sizeof(uint32));
	block->occurrences = reserve(block, p->distinct.nranks + ITEMSET_AHEAD, sizeof(uint32));
	if (block->weighted)
	{
		block->weights = reserve(block, p->nranks, sizeof(ItemsetWeight));
		block->basket_weights = reserve(block, p->distinct.count, sizeof(ItemsetWeight));
	}
}

/* Fill in the arrays. */
static void
fill(const Preparation *p, ItemsetBlock *block)
{
	uint32	   *items = ITEMSET_ARRAY(block, uint32, items);
	uint32	   *supports = ITEMSET_ARRAY(block, uint32, supports);
	uint32	   *entries = ITEMSET_ARRAY(block, uint32, entries);
	uint32	   *places = ITEMSET_ARRAY(block, uint32, places);
	uint32	   *occurrences = ITEMSET_ARRAY(block, uint32, occurrences);
	uint32		ncommon = 0;
	uint32		place = 0;
	uint32		sum = 0;

	for (uint32 rank = 0; rank < p->nranks; rank++)
	{
		items[rank] = p->items[rank];
		supports[rank] = p->supports[p->items[rank]];
		if (p->weights != NULL)
			ITEMSET_ARRAY(block, ItemsetWeight, weights)[rank] = p->weights[p->items[rank]];
	}
	for (uint32 item = 0; item < block->nitems && block->ncommon > 0; item++)
	{
		if (p->flags[item] & ITEM_ALL_OF)
			items[p->nranks + ncommon++] = item;
	}
	memcpy(ITEMSET_ARRAY(block, uint32, ranks), p->ranks, block->nitems * sizeof(uint32));
	if (block->weighted)
		memcpy(ITEMSET_ARRAY(block, ItemsetWeight, basket_weights), p->distinct.weights,
			   p->distinct.count * sizeof(ItemsetWeight));

	/* occurrences by rank: count, add up, and fill from each list's end */
	memset(places, 0, (p->nranks + 1) * sizeof(uint32));
	for (uint64 x = 0; x < p->distinct.nranks; x++)
		places[p->distinct.ranks[x]]++;
	for (uint32 rank = 0; rank <= p->nranks; rank++)
		places[rank] = sum += places[rank];
	for (uint32 basket = 0; basket < p->distinct.count; basket++)
	{
		if (block->weighted)
			entries[place++] = ITEMSET_HEAD | basket;
		entries[place++] = ITEMSET_HEAD | p->distinct.counts[basket];
		for (uint32 x = p->distinct.starts[basket]; x < p->distinct.starts[basket + 1]; x++)
			entries[place++] = p->distinct.ranks[x];
		if (basket % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	entries[place] = ITEMSET_HEAD;
	memset(occurrences + p->distinct.nranks, 0, ITEMSET_AHEAD * sizeof(uint32));
	while (place-- > 0)
	{
		if (place % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!(entries[place] & ITEMSET_HEAD))
			occurrences[--places[entries[place]]] = place;
	}
}

static void
finish(Preparation *p)
{
	Size		n = p->baskets->nitems;

	budget_return(&p->budget, p->flags, n);
	budget_return(&p->budget, p->supports, n * sizeof(uint32));
	budget_return(&p->budget, p->weights, n * sizeof(ItemsetWeight));
	budget_return(&p->budget, p->ranks, n * sizeof(uint32));
	budget_return(&p->budget, p->items, n * sizeof(uint32));
	RecsysDistinctFree(&p->distinct);
}

/* The first pass, and ranks.  False if memory does not suffice. */
static bool
choose_items(Preparation *p, ItemsetBlock *shape)
{
	Size		n = p->baskets->nitems;
	ItemOrder  *order = NULL;

	if ((p->flags = budget_take_zero(&p->budget, n)) == NULL ||
		(p->supports = budget_take_zero(&p->budget, n * sizeof(uint32))) == NULL ||
		(p->baskets->weighted &&
		 (p->weights = budget_take_zero(&p->budget, n * sizeof(ItemsetWeight))) == NULL) ||
		(p->ranks = budget_take_zero(&p->budget, n * sizeof(uint32))) == NULL ||
		(p->items = budget_take_zero(&p->budget, n * sizeof(uint32))) == NULL ||
		(order = budget_take_zero(&p->budget, n * sizeof(ItemOrder))) == NULL)
		return false;
	flag_items(p);
	count_items(p);
	shape->first_rank = rank_items(p, order);
	budget_return(&p->budget, order, n * sizeof(ItemOrder));
	if (p->nchosen < Max(p->options->min_support, 1))
		p->nranks = shape->first_rank = 0;
	else if (p->nall_of > 0)
	{
		shape->ncommon = p->nall_of;
		shape->report_common = !p->any_of;
	}
	return true;
}

/* Everything of the block but its arrays. */
static void
describe(const Preparation *p, ItemsetBlock *shape)
{
	const RecsysItemsetOptions *options = p->options;

	shape->public.nbaskets = p->nbaskets;
	shape->public.nleft_out = p->nleft_out;
	shape->public.nfrequent = p->nranks + shape->ncommon;
	shape->public.min_support = Max(options->min_support, 1);
	shape->public.kind = options->kind;
	shape->public.ntasks = p->nranks - shape->first_rank + shape->report_common;
	shape->nitems = p->baskets->nitems;
	shape->nranks = p->nranks;
	shape->common_support = p->nchosen;
	shape->weight_unit = p->unit;
	shape->common_weight = p->chosen_weight;
	shape->weighted = p->baskets->weighted;
	shape->min_length = options->min_length;
	shape->max_length = options->max_length == 0 ? PG_UINT32_MAX : options->max_length;
	shape->ndistinct = p->distinct.count;
	shape->nentries = p->distinct.nranks +
		(uint64) p->distinct.count * (shape->weighted ? 2 : 1) + 1;
	if (shape->nentries > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions to mine item sets from"),
				 errdetail("There are %llu of frequent items in %u different baskets.",
						   (unsigned long long) p->distinct.nranks, p->distinct.count),
				 errhint("Raise the minimum support.")));
	lay_out(p, shape);
}

RecsysItemsets *
RecsysItemsetsPrepare(RecsysBaskets *baskets, const RecsysItemsetOptions *options,
					  RecsysItemsetsPlace place, void *arg)
{
	Preparation p = {.baskets = baskets, .options = options,
		.budget = {.limit = options->memory_limit}};
	ItemsetBlock shape;
	ItemsetBlock *block = NULL;

	memset(&shape, 0, sizeof(shape));
	if (choose_items(&p, &shape) && recode_baskets(&p))
	{
		describe(&p, &shape);
		if (shape.public.size <= p.budget.limit - p.budget.taken)
		{
			if (place != NULL)
				block = place(arg, shape.public.size);
			else
				block = recsys_alloc_huge(shape.public.size);
			*block = shape;
			fill(&p, block);
		}
	}
	finish(&p);
	return (RecsysItemsets *) block;
}

uint32
RecsysItemsetsSupport(const RecsysItemsets *sets, uint32 item)
{
	const ItemsetBlock *block = (const ItemsetBlock *) sets;
	uint32		rank = item < block->nitems ? ITEMSET_ARRAY(block, uint32, ranks)[item] : RECSYS_NONE;

	if (rank < block->nranks)
		return ITEMSET_ARRAY(block, uint32, supports)[rank];
	for (uint32 x = 0; x < block->ncommon; x++)
	{
		if (ITEMSET_ARRAY(block, uint32, items)[block->nranks + x] == item)
			return block->common_support;
	}
	return 0;
}

void
RecsysItemsetsRenumber(RecsysItemsets *sets, const uint32 *numbers)
{
	ItemsetBlock *block = (ItemsetBlock *) sets;
	uint32	   *items = ITEMSET_ARRAY(block, uint32, items);

	for (uint32 x = 0; x < block->nranks + block->ncommon; x++)
		items[x] = numbers[items[x]];
}
