/*
 * itemorder.c
 *	  The orders of items: by key, for breaking ties, and by number.
 *
 * A build numbers items in key order.  Items that came later have the next
 * numbers; to place one of them its key has to be looked at.  Keys of late items
 * are read once and kept.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "miscadmin.h"
#include "utils/memutils.h"

struct RecsysItemOrder
{
	RecsysKeyKind kind;
	uint32		nsorted;
	uint32		nitems;
	RecsysGraphReader reader;
	RecsysKey **keys;			/* of late items, as far as asked for */
	MemoryContext parent;
	MemoryContext context;		/* NULL until a key is asked for */
	MemoryContext scratch;		/* keys of other items, while two are compared */
};

RecsysItemOrder *
RecsysItemOrderCreate(Relation index, uint32 nitems)
{
	RecsysItemOrder *order = palloc0(sizeof(RecsysItemOrder));
	RecsysMetaData *meta = &RecsysGetCache(index)->meta;

	order->kind = meta->item_kind;
	order->nsorted = Min(meta->nsorted, nitems);
	order->nitems = nitems;
	order->parent = CurrentMemoryContext;
	RecsysGraphReaderInit(&order->reader, index);
	return order;
}

void
RecsysItemOrderFree(RecsysItemOrder *order)
{
	RecsysGraphReaderDone(&order->reader);
	if (order->context != NULL)
		MemoryContextDelete(order->context);
	pfree(order);
}

/* Most of those who might have to break a tie never come upon one. */
static void
create_keys(RecsysItemOrder *order)
{
	if (order->context != NULL)
		return;
	order->context = AllocSetContextCreate(order->parent, "recsys item order",
										   ALLOCSET_DEFAULT_SIZES);
	order->scratch = AllocSetContextCreate(order->context, "recsys keys compared",
										   ALLOCSET_SMALL_SIZES);
	order->keys = MemoryContextAllocExtended(order->context,
											 sizeof(RecsysKey *) * ((Size) order->nitems - order->nsorted + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
read_key(RecsysItemOrder *order, uint32 item, RecsysKey *key)
{
	RecsysKey **kept;

	if (item < order->nsorted || item >= order->nitems)
	{
		MemoryContext old = MemoryContextSwitchTo(order->scratch);

		RecsysGraphNeedKey(&order->reader, item, key);
		MemoryContextSwitchTo(old);
		return;
	}
	kept = &order->keys[item - order->nsorted];
	if (*kept == NULL)
	{
		*kept = palloc(sizeof(RecsysKey));
		RecsysGraphNeedKey(&order->reader, item, *kept);
	}
	*key = **kept;
}

int
RecsysItemOrderCompare(void *arg, uint32 a, uint32 b)
{
	RecsysItemOrder *order = arg;
	MemoryContext old;
	RecsysKey	left;
	RecsysKey	right;
	int			result;

	if (a == b)
		return 0;
	if (a < order->nsorted && b < order->nsorted)
		return a < b ? -1 : 1;
	create_keys(order);
	old = MemoryContextSwitchTo(order->context);
	read_key(order, a, &left);
	read_key(order, b, &right);
	MemoryContextSwitchTo(old);
	result = RecsysKeyCompare(order->kind, &left, &right);
	MemoryContextReset(order->scratch);
	return result;
}

static int
compare_late(const void *a, const void *b, void *order)
{
	return RecsysItemOrderCompare(order, *(const uint32 *) a, *(const uint32 *) b);
}

/* How many of the items that a build has numbered come before a late one */
static uint32
sorted_before(RecsysItemOrder *order, uint32 late)
{
	uint32		low = 0;
	uint32		high = order->nsorted;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (RecsysItemOrderCompare(order, middle, late) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32 *
RecsysItemsByKey(RecsysItemOrder *order)
{
	uint32		nlate = order->nitems - order->nsorted;
	uint32	   *items;
	uint32	   *late;
	uint32		done = 0;		/* of the sorted ones */
	uint32		place = 0;

	if (nlate == 0)
		return NULL;
	items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) order->nitems);
	late = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) nlate);
	for (uint32 i = 0; i < nlate; i++)
		late[i] = order->nsorted + i;
	qsort_interruptible(late, nlate, sizeof(uint32), compare_late, order);
	for (uint32 i = 0; i < nlate; i++)
	{
		uint32		before = sorted_before(order, late[i]);

		CHECK_FOR_INTERRUPTS();
		while (done < before)
			items[place++] = done++;
		items[place++] = late[i];
	}
	while (done < order->nsorted)
		items[place++] = done++;
	pfree(late);
	return items;
}

RecsysKeyOrder
RecsysItemOrderForCore(RecsysItemOrder *order)
{
	return (RecsysKeyOrder)
	{
		order->nsorted, RecsysItemOrderCompare, order
	};
}

int
RecsysCompareItemNumbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	/* some sorts are of millions */
	CHECK_FOR_INTERRUPTS();
	return (x > y) - (x < y);
}
