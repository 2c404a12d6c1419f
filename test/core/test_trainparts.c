/*
 * test_trainparts.c
 *	  Tests of core/pairs/trainparts: every item has one part, and parts have as much to do.
 *
 * Loads are added up once more, item by item, by a look through all heavy items.  No part has more than the
 * mean and a unit; a unit is a bucket, or an item that is dearer than the mean of buckets.
 */
#include "core/pairs/trainparts.h"
#include "core/rows/key.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

/* The part of a hash, as the comment of RecsysTrainParts has it */
static uint32
part_of(const RecsysTrainParts *plan, uint64 hash)
{
	for (uint32 i = 0; i < plan->nheavy; i++)
		if (plan->heavy[i].hash == hash)
			return plan->heavy[i].part;
	return plan->buckets[hash % plan->nbuckets];
}

/* A catalogue: costs fall as a power of the rank; some are all the same, or one alone is dear. */
static void
make_costs(Random *random, int shape, uint64 *hashes, uint64 *costs, uint32 nitems)
{
	double		exponent = random_unit(random) * 1.5;

	for (uint32 item = 0; item < nitems; item++)
	{
		RecsysKey	key = {.number = item,.len = sizeof(int64)};

		hashes[item] = RecsysKeyHash(RECSYS_KEY_INT, &key, 42);
		costs[item] = shape == 0 ? 7 : 1 + (uint64) (1e6 * pow(item + 1, -exponent));
	}
	if (shape == 1 && nitems > 0)
		costs[random_bits(random) % nitems] = 100000000;
}

void
test_trainparts(void)
{
	int			wrong = 0;
	int			above = 0;
	int			differ = 0;
	double		worst = 0;		/* load above the mean, without a dear item that nothing can be done about */

	for (int seed = 0; seed < 300; seed++)
	{
		Random		random;
		uint32		parts;
		uint32		nitems;
		uint64	   *hashes;
		uint64	   *costs;
		uint64	   *loads;
		uint64	   *buckets;
		uint64		total = 0;
		uint64		most = 0;
		uint64		unit = 0;
		RecsysTrainParts *plan;
		RecsysTrainParts *again;

		random_seed(&random, seed);
		parts = 1 + (uint32) (random_bits(&random) % 20);
		nitems = seed % 10 == 0 ? (uint32) (random_bits(&random) % 4) : 2000 + (uint32) (random_bits(&random) % 8000);
		hashes = palloc(sizeof(uint64) * Max(nitems, 1));
		costs = palloc(sizeof(uint64) * Max(nitems, 1));
		loads = palloc0(sizeof(uint64) * parts);
		make_costs(&random, seed % 4, hashes, costs, nitems);
		plan = RecsysTrainPartsPlan(hashes, costs, nitems, parts);
		again = RecsysTrainPartsPlan(hashes, costs, nitems, parts);
		buckets = palloc0(sizeof(uint64) * plan->nbuckets);
		for (uint32 item = 0; item < nitems; item++)
		{
			uint32		part = RecsysTrainPartOf(plan, hashes[item]);

			wrong += part >= parts || part != part_of(plan, hashes[item]);
			differ += part != RecsysTrainPartOf(again, hashes[item]);
			loads[part] += costs[item];
			total += costs[item];
		}

		/* of what nobody has planned for */
		for (int i = 0; i < 1000; i++)
		{
			uint64		hash = random_bits(&random);

			wrong += RecsysTrainPartOf(plan, hash) != part_of(plan, hash);
		}
		for (uint32 item = 0; item < nitems; item++)
		{
			if (costs[item] > total / plan->nbuckets)
				unit = Max(unit, costs[item]);
			else
				buckets[hashes[item] % plan->nbuckets] += costs[item];
		}
		for (uint32 bucket = 0; bucket < plan->nbuckets; bucket++)
			unit = Max(unit, buckets[bucket]);
		for (uint32 part = 0; part < parts; part++)
			most = Max(most, loads[part]);
		above += most > total / parts + unit;
		if (nitems > 100 && unit < total / parts / 10)
			worst = Max(worst, (double) most * parts / total - 1);
		RecsysTrainPartsFree(plan);
		RecsysTrainPartsFree(again);
		pfree(hashes);
		pfree(costs);
		pfree(loads);
		pfree(buckets);
	}
	ok(wrong == 0, "training by parts: every item has one part (%d have not)", wrong);
	ok(differ == 0, "training by parts: the same plan for the same items");
	ok(above == 0, "training by parts: no part has more than the mean and a unit (%d have)", above);
	ok(worst < 0.1, "training by parts: within a tenth of the mean (%.4f)", worst);
}
