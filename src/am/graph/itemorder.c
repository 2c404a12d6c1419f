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
	order->keys = MemoryContextAllocExtended(order->context,
											 sizeof(RecsysKey *) * ((Size) order->nitems - order->nsorted + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
read_key(RecsysItemOrder *order, uint32 item, RecsysKey *key)
{
	RecsysKey **kept = NULL;

	if (item >= order->nsorted && item < order->nitems)
	{
		kept = &order->keys[item - order->nsorted];
		if (*kept != NULL)
		{
			*key = **kept;
			return;
		}
	}
	RecsysGraphNeedKey(&order->reader, item, key);
	if (kept != NULL)
	{
		*kept = palloc(sizeof(RecsysKey));
		**kept = *key;
	}
}

int
RecsysItemOrderCompare(void *arg, uint32 a, uint32 b)
{
	RecsysItemOrder *order = arg;
	MemoryContext old;
	RecsysKey	left;
	RecsysKey	right;

	if (a == b)
		return 0;
	if (a < order->nsorted && b < order->nsorted)
		return a < b ? -1 : 1;
	create_keys(order);
	old = MemoryContextSwitchTo(order->context);
	read_key(order, a, &left);
	read_key(order, b, &right);
	MemoryContextSwitchTo(old);
	return RecsysKeyCompare(order->kind, &left, &right);
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
