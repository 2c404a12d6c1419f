/*
 * trainparts.c
 *	  Training divided by items, so that all parts have as much to do.
 *
 * What is to be divided are units: the items that cost more than a hundredth or so of a part, and
 * buckets of all others.  The most expensive unit comes first, and each goes to the part that
 * has least so far (Graham 1969, "Bounds on multiprocessing timing anomalies").  So no part has more
 * than the mean and one small unit, unless an item alone costs more than that.
 */
#include "core/pairs/trainparts.h"

/* Units of buckets for each part; an item that costs more than one of them is a unit of its own. */
#define BUCKETS_PER_PART 128

typedef struct Unit
{
	uint64		cost;
	uint32		number;			/* of the bucket, or of the item */
	bool		heavy;
} Unit;

/* Most expensive first; the rest is for the result to be the same everywhere. */
static int
compare_units(const void *a, const void *b)
{
	const Unit *left = a;
	const Unit *right = b;

	if (left->cost != right->cost)
		return left->cost > right->cost ? -1 : 1;
	if (left->heavy != right->heavy)
		return left->heavy ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

static int
compare_heavy(const void *a, const void *b)
{
	uint64		left = ((const RecsysHeavyItem *) a)->hash;
	uint64		right = ((const RecsysHeavyItem *) b)->hash;

	return (left > right) - (left < right);
}

/* The part with least work, the first of equal ones */
static uint32
least_loaded(const uint64 *loads, uint32 parts)
{
	uint32		least = 0;

	for (uint32 part = 1; part < parts; part++)
		if (loads[part] < loads[least])
			least = part;
	return least;
}

/* Divides n units; hashes are those of the items. */
static void
divide(RecsysTrainParts *plan, Unit *units, uint32 n, const uint64 *hashes)
{
	uint64	   *loads = palloc0(sizeof(uint64) * plan->parts);

	qsort(units, n, sizeof(Unit), compare_units);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		part = least_loaded(loads, plan->parts);

		loads[part] += units[i].cost;
		if (units[i].heavy)
		{
			plan->heavy[plan->nheavy].hash = hashes[units[i].number];
			plan->heavy[plan->nheavy++].part = (uint16) part;
		}
		else
			plan->buckets[units[i].number] = (uint16) part;
	}
	qsort(plan->heavy, plan->nheavy, sizeof(RecsysHeavyItem), compare_heavy);
	pfree(loads);
}

RecsysTrainParts *
RecsysTrainPartsPlan(const uint64 *hashes, const uint64 *costs, uint32 nitems, uint32 parts)
{
	RecsysTrainParts *plan = palloc0(sizeof(RecsysTrainParts));
	uint64		total = 0;
	uint64		most;
	uint32		nheavy = 0;
	uint32		n;
	Unit	   *units;

	plan->parts = parts;
	plan->nbuckets = parts * BUCKETS_PER_PART;
	plan->buckets = palloc0(sizeof(uint16) * plan->nbuckets);
	for (uint32 item = 0; item < nitems; item++)
		total += costs[item];
	most = total / plan->nbuckets;
	for (uint32 item = 0; item < nitems; item++)
		nheavy += costs[item] > most;
	plan->heavy = recsys_alloc_huge(sizeof(RecsysHeavyItem) * Max((Size) nheavy, 1));
	units = recsys_alloc_huge(sizeof(Unit) * ((Size) nheavy + plan->nbuckets));
	for (n = 0; n < plan->nbuckets; n++)
	{
		units[n].cost = 0;
		units[n].number = n;
		units[n].heavy = false;
	}
	for (uint32 item = 0; item < nitems; item++)
	{
		if (costs[item] > most)
		{
			units[n].cost = costs[item];
			units[n].number = item;
			units[n++].heavy = true;
		}
		else
			units[hashes[item] % plan->nbuckets].cost += costs[item];
		if (item % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	divide(plan, units, n, hashes);
	pfree(units);
	return plan;
}

uint32
RecsysTrainPartOf(const RecsysTrainParts *plan, uint64 hash)
{
	uint32		low = 0;
	uint32		high = plan->nheavy;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (plan->heavy[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < plan->nheavy && plan->heavy[low].hash == hash)
		return plan->heavy[low].part;
	return plan->buckets[hash % plan->nbuckets];
}

void
RecsysTrainPartsFree(RecsysTrainParts *plan)
{
	pfree(plan->buckets);
	pfree(plan->heavy);
	pfree(plan);
}
