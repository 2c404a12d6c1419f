/*
 * itemset_prepare.c
 *	  From baskets to the block that item sets are mined from.
 *
 * The first pass over the baskets counts items, the second one keeps what is frequent,
 * recoded to ranks.  Equal baskets are found by a hash table.  See itemset_block.h for
 * what comes out.
 */
#include "core/itemset_block.h"
#include "core/pages.h"

#define ITEM_EXCLUDED 1
#define ITEM_ALL_OF 2
#define ITEM_ANY_OF 4

/*
 * Baskets up to this length are sorted by insertion and looked for among those seen;
 * longer ones are hardly ever equal.
 */
#define SHORT_BASKET 32

/* The table begins with no more slots than this. */
#define MOST_FIRST_SLOTS ((uint32) 1 << 20)

/* So many baskets wait for their slots of the hash table. */
#define MAX_WAITING 16

typedef struct Preparation
{
	RecsysBaskets *baskets;
	const RecsysItemsetOptions *options;
	Size		memory;			/* taken, without the block */
	uint8	   *flags;			/* by item */
	uint32		nall_of;		/* different ones */
	bool		any_of;			/* does the filter filter? */
	uint32	   *supports;		/* by item */
	double	   *weights;		/* by item, or NULL */
	uint32	   *ranks;			/* by item */
	uint32	   *items;			/* by rank */
	uint32		nranks;
	uint32		nbaskets;		/* of the source */
	uint32		nleft_out;
	uint32		nchosen;		/* with all of all_of, and not too large */
	double		chosen_weight;

	/* recoded baskets, one after the other */
	uint32	   *recoded;
	uint32	   *starts;			/* by basket: where in recoded; one more for the end */
	uint32	   *counts;
	double	   *basket_weights;
	uint32		ndistinct;
	uint64		room;			/* in recoded */
	uint64		nentries;		/* without heads */

	/* hash table of short baskets, never more than half full */
	struct BasketSlot *slots;
	uint32		mask;
	uint32		nhashed;
} Preparation;

/* Take memory from the limit; NULL if it does not suffice. */
static void *
take_raw(Preparation *p, Size size)
{
	void	   *memory;

	if (size > p->options->memory_limit - p->memory)
		return NULL;
	p->memory += size;
	memory = recsys_alloc_huge(Max(size, 1));
	RecsysMapPages(memory, size);
	return memory;
}

/* The same, with zeros. */
static void *
take(Preparation *p, Size size)
{
	void	   *memory = take_raw(p, size);

	if (memory != NULL)
		memset(memory, 0, size);
	return memory;
}

static void
give_back(void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}

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

static void
count_items(Preparation *p)
{
	RecsysBaskets *baskets = p->baskets;
	const uint32 *items;
	uint32		count;
	double		weight = 0.0;

	baskets->rewind(baskets->arg);
	while (baskets->next(baskets->arg, &items, &count, &weight))
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
		p->chosen_weight += weight;
		for (uint32 x = 0; x < count; x++)
			p->supports[items[x]]++;
		if (p->weights != NULL)
		{
			for (uint32 x = 0; x < count; x++)
				p->weights[items[x]] += weight;
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

static uint32
hash_ranks(const uint32 *ranks, uint32 count)
{
	uint64		hash = count;

	for (uint32 x = 0; x < count; x++)
		hash = (hash ^ ranks[x]) * UINT64CONST(0x9E3779B97F4A7C15);
	return (uint32) (hash >> 32);
}

typedef struct BasketSlot
{
	uint32		hash;
	uint32		number;			/* of the basket, plus 1; 0 if empty */
} BasketSlot;

/* A basket on its way: its slot has been asked for from memory. */
typedef struct Waiting
{
	uint32		hash;
	uint32		length;
	double		weight;
	uint32		ranks[SHORT_BASKET];
} Waiting;

/* Add a basket, equal to none so far. */
static void
append_basket(Preparation *p, const uint32 *ranks, uint32 length, double weight)
{
	if (p->ndistinct >= p->nchosen || p->nentries + length > p->room)
		elog(ERROR, "baskets have changed between two passes over them");
	memcpy(p->recoded + p->nentries, ranks, length * sizeof(uint32));
	p->nentries += length;
	p->counts[p->ndistinct] = 1;
	if (p->basket_weights != NULL)
		p->basket_weights[p->ndistinct] = weight;
	p->starts[++p->ndistinct] = (uint32) p->nentries;
}

/* Slots to begin with, less one: as if most baskets were different, if that is not too much. */
static uint32
first_mask(const Preparation *p)
{
	uint32		mask = 4095;

	while (mask < p->nchosen && mask < MOST_FIRST_SLOTS - 1 &&
		   ((Size) mask + 1) * 4 * sizeof(BasketSlot) < (p->options->memory_limit - p->memory) / 4)
		mask = mask * 2 + 1;
	return mask;
}

/* Twice the slots.  False if memory does not suffice. */
static bool
grow_table(Preparation *p)
{
	BasketSlot *old = p->slots;
	Size		old_size = old == NULL ? 0 : ((Size) p->mask + 1) * sizeof(BasketSlot);
	uint32		old_mask = p->mask;
	uint32		mask = old == NULL ? first_mask(p) : old_mask * 2 + 1;
	BasketSlot *slots = take(p, ((Size) mask + 1) * sizeof(BasketSlot));

	if (slots == NULL)
		return false;
	p->slots = slots;
	p->mask = mask;
	for (uint32 x = 0; old != NULL && x <= old_mask; x++)
	{
		uint32		y = old[x].hash & mask;

		if (old[x].number == 0)
			continue;
		while (slots[y].number != 0)
			y = (y + 1) & mask;
		slots[y] = old[x];
	}
	give_back(old);
	p->memory -= old_size;
	return true;
}

/* Count one more of a basket, or append it.  False if memory does not suffice. */
static bool
settle_basket(Preparation *p, const Waiting *waiting)
{
	uint32		x = waiting->hash & p->mask;

	for (; p->slots[x].number != 0; x = (x + 1) & p->mask)
	{
		uint32		basket = p->slots[x].number - 1;
		uint32		start = p->starts[basket];

		if (p->slots[x].hash == waiting->hash &&
			p->starts[basket + 1] - start == waiting->length &&
			memcmp(p->recoded + start, waiting->ranks, waiting->length * sizeof(uint32)) == 0)
		{
			p->counts[basket]++;
			if (p->basket_weights != NULL)
				p->basket_weights[basket] += waiting->weight;
			return true;
		}
	}
	p->slots[x].hash = waiting->hash;
	append_basket(p, waiting->ranks, waiting->length, waiting->weight);
	p->slots[x].number = p->ndistinct;
	return ++p->nhashed <= p->mask / 2 || grow_table(p);
}

/*
 * Recode the baskets, each different short one once.  False if memory does not suffice.
 */
static bool
recode_baskets(Preparation *p)
{
	RecsysBaskets *baskets = p->baskets;
	const uint32 *items;
	uint32		count;
	double		weight = 0.0;
	uint32		seen = 0;
	uint32	   *ranks;
	Waiting		waiting[MAX_WAITING];
	uint32		nwaiting = 0;
	uint32		settled = 0;
	bool		enough = true;	/* memory */

	for (uint32 rank = 0; rank < p->nranks; rank++)
		p->room += p->supports[p->items[rank]];
	if (p->room > PG_UINT32_MAX || p->nbaskets > ITEMSET_MAX_BASKETS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions to mine item sets from"),
				 errdetail("There are %llu of frequent items in %u baskets.",
						   (unsigned long long) p->room, p->nbaskets),
				 errhint("Raise the minimum support.")));
	if ((p->recoded = take_raw(p, p->room * sizeof(uint32))) == NULL ||
		(p->starts = take_raw(p, ((Size) p->nchosen + 1) * sizeof(uint32))) == NULL ||
		(p->counts = take_raw(p, (Size) p->nchosen * sizeof(uint32))) == NULL ||
		(baskets->weighted &&
		 (p->basket_weights = take_raw(p, (Size) p->nchosen * sizeof(double))) == NULL) ||
		(ranks = take_raw(p, (Size) p->nranks * sizeof(uint32))) == NULL)
		return false;
	p->starts[0] = 0;
	if (!grow_table(p))
	{
		pfree(ranks);
		return false;
	}

	baskets->rewind(baskets->arg);
	while (baskets->next(baskets->arg, &items, &count, &weight))
	{
		uint32		length = 0;
		Waiting    *next;

		if (++seen % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (too_large(p, count) || !choose_basket(p, items, count))
			continue;
		for (uint32 x = 0; x < count; x++)
		{
			uint32		rank = p->ranks[items[x]];

			if (rank == RECSYS_NONE)
				continue;
			if (length >= p->nranks)
				elog(ERROR, "an item occurs twice in a basket");
			ranks[length++] = rank;
		}
		if (length < 2)
			continue;
		sort_ranks(ranks, length);
		if (length > SHORT_BASKET)
		{
			append_basket(p, ranks, length, weight);
			continue;
		}

		/* the one that has waited for the longest time goes */
		if (nwaiting - settled == MAX_WAITING &&
			!(enough = settle_basket(p, &waiting[settled++ % MAX_WAITING])))
			break;
		next = &waiting[nwaiting++ % MAX_WAITING];
		memcpy(next->ranks, ranks, length * sizeof(uint32));
		next->hash = hash_ranks(ranks, length);
		next->length = length;
		next->weight = weight;
		__builtin_prefetch(&p->slots[next->hash & p->mask]);
	}
	while (enough && settled != nwaiting)
		enough = settle_basket(p, &waiting[settled++ % MAX_WAITING]);
	pfree(ranks);
	p->memory -= (Size) p->nranks * sizeof(uint32);
	if (!enough)
		return false;
	pfree(p->slots);
	p->slots = NULL;
	p->memory -= ((Size) p->mask + 1) * sizeof(BasketSlot);
	return true;
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
	block->occurrences = reserve(block, p->nentries + ITEMSET_AHEAD, sizeof(uint32));
	if (block->weighted)
	{
		block->weights = reserve(block, p->nranks, sizeof(double));
		block->basket_weights = reserve(block, p->ndistinct, sizeof(double));
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
			ITEMSET_ARRAY(block, double, weights)[rank] = p->weights[p->items[rank]];
	}
	for (uint32 item = 0; item < block->nitems && block->ncommon > 0; item++)
	{
		if (p->flags[item] & ITEM_ALL_OF)
			items[p->nranks + ncommon++] = item;
	}
	memcpy(ITEMSET_ARRAY(block, uint32, ranks), p->ranks, block->nitems * sizeof(uint32));
	if (block->weighted)
		memcpy(ITEMSET_ARRAY(block, double, basket_weights), p->basket_weights,
			   p->ndistinct * sizeof(double));

	/* occurrences by rank: count, add up, and fill from each list's end */
	memset(places, 0, (p->nranks + 1) * sizeof(uint32));
	for (uint64 x = 0; x < p->nentries; x++)
		places[p->recoded[x]]++;
	for (uint32 rank = 0; rank <= p->nranks; rank++)
		places[rank] = sum += places[rank];
	for (uint32 basket = 0; basket < p->ndistinct; basket++)
	{
		if (block->weighted)
			entries[place++] = ITEMSET_HEAD | basket;
		entries[place++] = ITEMSET_HEAD | p->counts[basket];
		for (uint32 x = p->starts[basket]; x < p->starts[basket + 1]; x++)
			entries[place++] = p->recoded[x];
		if (basket % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	entries[place] = ITEMSET_HEAD;
	memset(occurrences + p->nentries, 0, ITEMSET_AHEAD * sizeof(uint32));
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
	give_back(p->flags);
	give_back(p->supports);
	give_back(p->weights);
	give_back(p->ranks);
	give_back(p->items);
	give_back(p->recoded);
	give_back(p->starts);
	give_back(p->slots);
	give_back(p->counts);
	give_back(p->basket_weights);
}

RecsysItemsets *
RecsysItemsetsPrepare(RecsysBaskets *baskets, const RecsysItemsetOptions *options,
					  RecsysItemsetsPlace place, void *arg)
{
	Preparation preparation = {0};
	Preparation *p = &preparation;
	Size		n = baskets->nitems;
	ItemsetBlock shape;
	ItemsetBlock *block = NULL;
	ItemOrder  *order = NULL;

	memset(&shape, 0, sizeof(shape));
	p->baskets = baskets;
	p->options = options;
	if ((p->flags = take(p, n)) == NULL ||
		(p->supports = take(p, n * sizeof(uint32))) == NULL ||
		(baskets->weighted && (p->weights = take(p, n * sizeof(double))) == NULL) ||
		(p->ranks = take(p, n * sizeof(uint32))) == NULL ||
		(p->items = take(p, n * sizeof(uint32))) == NULL ||
		(order = take(p, n * sizeof(ItemOrder))) == NULL)
	{
		finish(p);
		return NULL;
	}
	flag_items(p);
	count_items(p);
	shape.first_rank = rank_items(p, order);
	pfree(order);
	p->memory -= n * sizeof(ItemOrder);
	if (p->nchosen < Max(options->min_support, 1))
		p->nranks = shape.first_rank = 0;
	else if (p->nall_of > 0)
	{
		shape.ncommon = p->nall_of;
		shape.report_common = !p->any_of;
	}
	if (!recode_baskets(p))
	{
		finish(p);
		return NULL;
	}

	shape.public.nbaskets = p->nbaskets;
	shape.public.nleft_out = p->nleft_out;
	shape.public.nfrequent = p->nranks + shape.ncommon;
	shape.public.min_support = Max(options->min_support, 1);
	shape.public.kind = options->kind;
	shape.public.ntasks = p->nranks - shape.first_rank + shape.report_common;
	shape.nitems = baskets->nitems;
	shape.nranks = p->nranks;
	shape.common_support = p->nchosen;
	shape.common_weight = p->chosen_weight;
	shape.weighted = baskets->weighted;
	shape.min_length = options->min_length;
	shape.max_length = options->max_length == 0 ? PG_UINT32_MAX : options->max_length;
	shape.ndistinct = p->ndistinct;
	shape.nentries = p->nentries + (uint64) p->ndistinct * (shape.weighted ? 2 : 1) + 1;
	if (shape.nentries > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions to mine item sets from"),
				 errdetail("There are %llu of frequent items in %u different baskets.",
						   (unsigned long long) p->nentries, p->ndistinct),
				 errhint("Raise the minimum support.")));
	lay_out(p, &shape);
	if (shape.public.size <= options->memory_limit - p->memory)
	{
		if (place != NULL)
			block = place(arg, shape.public.size);
		else
			block = recsys_alloc_huge(shape.public.size);
		*block = shape;
		fill(p, block);
	}
	finish(p);
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
