/*
 * repeatscores.c
 *	  What speaks for the items of a user's history, and how that is mixed with the rest.
 *
 * As evidence the best repeat weighs 1, as an item does that recommend() takes for current: so the
 * prior of an index keeps its place beside the item graph.
 */
#include "postgres.h"

#include "api/next/basketmix.h"
#include "api/next/repeatscores.h"
#include "utils/memutils.h"

void
RecsysScoreRepeats(RecsysRecommender *index, const char *declared,
				   const RecsysUserBaskets *baskets, const RecsysBasketItemFacts *facts,
				   RecsysRepeats *repeats)
{
	const RecsysBasketHistory *history = &baskets->history;
	Size		n = Max(history->nitems, 1);
	RecsysRenewal *renewals = RecsysEstimateRenewals(index, baskets, facts);
	double		best = 0;

	memset(repeats, 0, sizeof(*repeats));
	RecsysGetBasketMix(declared, RelationGetRelid(index->definition), &repeats->options);
	repeats->count = (int) history->nitems;
	repeats->scores = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * n);
	repeats->items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * n);
	repeats->weights = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * n);

	RecsysRepeatScores(history, renewals, baskets->now, &repeats->options, repeats->scores);
	for (int x = 0; x < repeats->count; x++)
		best = Max(best, repeats->scores[x]);
	for (int x = 0; x < repeats->count; x++)
	{
		repeats->items[x] = history->items[x].item;
		repeats->weights[x] = best > 0 ? repeats->scores[x] / best : 1;
	}
	pfree(renewals);
}
