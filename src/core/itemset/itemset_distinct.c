/*
 * itemset_distinct.c
 *	  Recoded baskets, each different short one once.
 *
 * Shops see the same small baskets over and over, and one that stands for many is mined
 * as fast as one.  Equal baskets are found by a hash table with open addressing.  It is
 * far larger than a cache, so a basket asks the memory for its slot and waits while a
 * few others do the same.
 */
#include "core/itemset/itemset_distinct.h"

/* The table begins with no more slots than this. */
#define MAX_FIRST_SLOTS ((uint32) 1 << 20)

/* Baskets that wait for their slots of the hash table at a time */
#define MAX_WAITING 16

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
	ItemsetWeight weight;
	uint32		ranks[DISTINCT_SHORT];
} Waiting;

static uint32
hash_ranks(const uint32 *ranks, uint32 count)
{
	uint64		hash = count;

	for (uint32 x = 0; x < count; x++)
		hash = (hash ^ ranks[x]) * UINT64CONST(0x9E3779B97F4A7C15);
	return (uint32) (hash >> 32);
}

/* Slots to begin with, less one: as if most baskets were different, if that is not too much. */
static uint32
first_mask(const DistinctBaskets *baskets)
{
	Size		left = baskets->budget->limit - baskets->budget->taken;
	uint32		mask = 4095;

	while (mask < baskets->limit && mask < MAX_FIRST_SLOTS - 1 &&
		   ((Size) mask + 1) * 4 * sizeof(BasketSlot) < left / 4)
		mask = mask * 2 + 1;
	return mask;
}

/* Make the table, or double it.  False if memory does not suffice. */
static bool
grow_table(DistinctBaskets *baskets)
{
	BasketSlot *old = baskets->slots;
	uint32		old_mask = baskets->mask;
	uint32		mask = old == NULL ? first_mask(baskets) : old_mask * 2 + 1;
	BasketSlot *slots = budget_take_zero(baskets->budget, ((Size) mask + 1) * sizeof(BasketSlot));

	if (slots == NULL)
		return false;
	baskets->slots = slots;
	baskets->mask = mask;
	for (uint32 x = 0; old != NULL && x <= old_mask; x++)
	{
		uint32		y = old[x].hash & mask;

		if (old[x].number == 0)
			continue;
		while (slots[y].number != 0)
			y = (y + 1) & mask;
		slots[y] = old[x];
	}
	budget_return(baskets->budget, old, ((Size) old_mask + 1) * sizeof(BasketSlot));
	return true;
}

bool
RecsysDistinctInit(DistinctBaskets *baskets, Budget *budget, uint32 limit, uint64 room,
				   bool weighted)
{
	memset(baskets, 0, sizeof(*baskets));
	baskets->budget = budget;
	baskets->limit = limit;
	baskets->room = room;
	if ((baskets->ranks = budget_take(budget, room * sizeof(uint32))) == NULL ||
		(baskets->starts = budget_take(budget, ((Size) limit + 1) * sizeof(uint32))) == NULL ||
		(baskets->counts = budget_take(budget, (Size) limit * sizeof(uint32))) == NULL ||
		(weighted &&
		 (baskets->weights = budget_take(budget, (Size) limit * sizeof(ItemsetWeight))) == NULL) ||
		!grow_table(baskets))
		return false;
	baskets->starts[0] = 0;
	baskets->waiting = palloc(sizeof(Waiting) * MAX_WAITING);
	return true;
}

/* Append a basket, equal to none so far. */
static void
append_basket(DistinctBaskets *baskets, const uint32 *ranks, uint32 length, ItemsetWeight weight)
{
	if (baskets->count >= baskets->limit || baskets->nranks + length > baskets->room)
		elog(ERROR, "baskets have changed between two passes over them");
	memcpy(baskets->ranks + baskets->nranks, ranks, length * sizeof(uint32));
	baskets->nranks += length;
	baskets->counts[baskets->count] = 1;
	if (baskets->weights != NULL)
		baskets->weights[baskets->count] = weight;
	baskets->starts[++baskets->count] = (uint32) baskets->nranks;
}

/* Count one more of a basket, or append it.  False if memory does not suffice. */
static bool
settle_basket(DistinctBaskets *baskets, const Waiting *waiting)
{
	uint32		x = waiting->hash & baskets->mask;

	for (; baskets->slots[x].number != 0; x = (x + 1) & baskets->mask)
	{
		uint32		basket = baskets->slots[x].number - 1;
		uint32		start = baskets->starts[basket];

		if (baskets->slots[x].hash == waiting->hash &&
			baskets->starts[basket + 1] - start == waiting->length &&
			memcmp(baskets->ranks + start, waiting->ranks, waiting->length * sizeof(uint32)) == 0)
		{
			baskets->counts[basket]++;
			if (baskets->weights != NULL)
				itemset_weight_add(&baskets->weights[basket], waiting->weight);
			return true;
		}
	}
	baskets->slots[x].hash = waiting->hash;
	append_basket(baskets, waiting->ranks, waiting->length, waiting->weight);
	baskets->slots[x].number = baskets->count;
	return ++baskets->nhashed <= baskets->mask / 2 || grow_table(baskets);
}

bool
RecsysDistinctAdd(DistinctBaskets *baskets, const uint32 *ranks, uint32 length, ItemsetWeight weight)
{
	Waiting    *next;

	if (length > DISTINCT_SHORT)
	{
		append_basket(baskets, ranks, length, weight);
		return true;
	}

	/* the one that has waited for the longest time goes */
	if (baskets->nwaiting - baskets->nsettled == MAX_WAITING &&
		!settle_basket(baskets, &baskets->waiting[baskets->nsettled++ % MAX_WAITING]))
		return false;
	next = &baskets->waiting[baskets->nwaiting++ % MAX_WAITING];
	memcpy(next->ranks, ranks, length * sizeof(uint32));
	next->hash = hash_ranks(ranks, length);
	next->length = length;
	next->weight = weight;
	__builtin_prefetch(&baskets->slots[next->hash & baskets->mask]);
	return true;
}

static void
free_table(DistinctBaskets *baskets)
{
	budget_return(baskets->budget, baskets->slots, ((Size) baskets->mask + 1) * sizeof(BasketSlot));
	baskets->slots = NULL;
	if (baskets->waiting != NULL)
		pfree(baskets->waiting);
	baskets->waiting = NULL;
}

bool
RecsysDistinctFinish(DistinctBaskets *baskets)
{
	while (baskets->nsettled != baskets->nwaiting)
	{
		if (!settle_basket(baskets, &baskets->waiting[baskets->nsettled++ % MAX_WAITING]))
			return false;
	}
	free_table(baskets);
	return true;
}

void
RecsysDistinctFree(DistinctBaskets *baskets)
{
	/* nothing has been taken yet */
	if (baskets->budget == NULL)
		return;
	free_table(baskets);
	budget_return(baskets->budget, baskets->ranks, baskets->room * sizeof(uint32));
	budget_return(baskets->budget, baskets->starts, ((Size) baskets->limit + 1) * sizeof(uint32));
	budget_return(baskets->budget, baskets->counts, (Size) baskets->limit * sizeof(uint32));
	budget_return(baskets->budget, baskets->weights, (Size) baskets->limit * sizeof(ItemsetWeight));
}
