/*
 * categorytarget.c
 *	  Which share each category has in what a user has.
 *
 * An item counts with the weights that the user's signals give it, old ones decayed, and with
 * those of the signals; what a signal pushes down does not count.  Of a long history
 * the items with the most weight count, which are the latest where there is a half-life.
 */
#include "postgres.h"

#include "api/order/categorytarget.h"
#include "utils/memutils.h"

/* Items that count */
#define MOST_ITEMS 200

typedef struct WeighedItem
{
	uint32		slot;
	double		weight;
} WeighedItem;

/* Slots are given as items come up: an order that lasts is that of keys. */
static int
compare_weights(const void *a, const void *b, void *arg)
{
	const WeighedItem *left = a;
	const WeighedItem *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return RecsysKeyOrderCompare(arg, left->slot, right->slot);
}

static int
compare_slots(const void *a, const void *b)
{
	uint32		left = ((const WeighedItem *) a)->slot;
	uint32		right = ((const WeighedItem *) b)->slot;

	return left < right ? -1 : left > right;
}

/* One entry for each item that speaks for something */
static int
weigh_items(const RecsysShopProfile *profile, WeighedItem **weighed)
{
	Size		room = profile->ncontext_items;
	WeighedItem *list;
	Size		n = 0;
	int			count = 0;

	for (int e = 0; e < profile->nevidence; e++)
		room += profile->evidence[e].count;
	list = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(WeighedItem) * Max(room, 1));
	for (int e = 0; e < profile->nevidence; e++)
		for (int x = 0; x < profile->evidence[e].count; x++)
		{
			const RecsysEvidence *evidence = &profile->evidence[e];

			if (evidence->weights[x] > 0 && evidence->weight > 0 && !evidence->signal->other_items)
				list[n++] = (WeighedItem)
			{
				evidence->slots[x], evidence->weights[x] * evidence->weight
			};
		}
	for (int x = 0; x < profile->ncontext_items; x++)
		list[n++] = (WeighedItem)
	{
		profile->context_items[x], profile->context_weights[x]
	};

	qsort(list, n, sizeof(WeighedItem), compare_slots);
	for (Size x = 0; x < n; x++)
	{
		if (count > 0 && list[count - 1].slot == list[x].slot)
			list[count - 1].weight += list[x].weight;
		else
			list[count++] = list[x];
	}
	*weighed = list;
	return count;
}

int
RecsysCategoryTarget(const RecsysShopProfile *profile, RecsysItems *items, double **target)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(profile->catalogue);
	WeighedItem *weighed;
	int			n = weigh_items(profile, &weighed);
	uint32		slots[MOST_ITEMS];
	RecsysItemRow *rows = palloc(sizeof(RecsysItemRow) * MOST_ITEMS);
	RecsysLabel highest = 0;
	int			known;
	int			next = 0;

	qsort_arg(weighed, n, sizeof(WeighedItem), compare_weights, &order);
	n = Min(n, MOST_ITEMS);
	for (int x = 0; x < n; x++)
		slots[x] = weighed[x].slot;
	known = n > 0 ? RecsysItemsKnown(items, slots, n, rows) : 0;
	for (int x = 0; x < known; x++)
		highest = Max(highest, rows[x].category);

	*target = palloc0(sizeof(double) * ((Size) highest + 1));
	for (int x = 0; x < known; x++)
	{
		/* rows are in the order of the slots, without those that the table does not have */
		while (next < n && weighed[next].slot != rows[x].slot)
			next++;
		if (next < n)
			(*target)[rows[x].category] += weighed[next].weight;
	}
	pfree(rows);
	pfree(weighed);
	return (int) highest + 1;
}
