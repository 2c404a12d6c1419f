/*
 * mergetouched.c
 *	  The part of a merge that works on the items that a batch of events has touched.
 *
 * As many are recomputed as the budget has room for: first those that somebody has gained
 * or lost, the cheapest first, then those that are only reweighted.  What is left of the
 * latter is flagged, of the others adjusted; either way it is queued.
 */
#include "postgres.h"

#include <float.h>

#include "am/graph/itemorder.h"
#include "am/merge/mergestate.h"
#include "am/merge/recount.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* After so many microseconds a slice recomputes no further item. */
#define SLICE_TIME		((int64) 10000)

typedef struct ItemCost
{
	uint32		item;
	bool		later;			/* only reweighted: behind all others */
	bool		taken;			/* the budget has room for it */
	double		cost;
} ItemCost;

static int
compare_costs(const void *a, const void *b)
{
	const ItemCost *x = a;
	const ItemCost *y = b;

	if (x->later != y->later)
		return x->later ? 1 : -1;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/*
 * The costs of the touched items, in the order in which the budget is spent on them.
 * Returns how many there are: what is on the queue already and no more than reweighted
 * is left to the queue.
 *
 * Other rows may hold pairs with an item which no user has any more (*shrunk).  Such an
 * item is on the queue, so that all rows will be looked through when it is recomputed.
 */
static uint32
order_touched(RecsysMergeState *merge, ItemCost *costs, bool *shrunk)
{
	const RecsysMetaData *meta = &RecsysGetCache(merge->index)->meta;
	bool		queued = meta->queued > 0 || meta->unsaid > 0;
	RecsysGraphReader reader;
	uint32		n = 0;

	*shrunk = false;
	RecsysGraphReaderInit(&reader, merge->index);
	for (uint32 i = 0; i < merge->ntouched; i++)
	{
		uint32		item = merge->touched[i];
		uint16		flags = queued ? RecsysMergeQueuedFlags(&reader, item) : 0;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		costs[n].item = item;
		costs[n].later = merge->touch[item] == RECSYS_REWEIGHTED;
		if (costs[n].later && (flags & RECSYS_ROW_INEXACT) != 0 &&
			(merge->mode != RECSYS_MERGE_EXACT || merge->queue_follows))
			continue;
		costs[n].cost = RecsysRecountCost(merge->recount, item);
		if ((flags & RECSYS_ROW_SHRUNK) != 0)
		{
			/* rather when the queue's turn comes */
			*shrunk = true;
			costs[n].cost = DBL_MAX;
		}
		n++;
	}
	RecsysGraphReaderDone(&reader);
	qsort(costs, n, sizeof(ItemCost), compare_costs);
	return n;
}

/*
 * Recomputes an item right away, if there is time left.  An insert waits, and costs tell
 * only roughly what an item takes: its users may all have long lists.
 */
static bool
recount_in_time(RecsysMergeState *merge, uint32 item)
{
	if (GetCurrentTimestamp() - merge->start >= SLICE_TIME)
		return false;
	RecsysRecountExactly(merge->recount, &item, 1, merge->rows, merge->nrows, false, false);
	return true;
}

/*
 * Spends the budget on costs.  touched begins with the items that it has room for, *exact
 * of them; a slice has recomputed them.  Then come those that are only reweighted,
 * *reweighted of them, then the others.
 */
static void
spend_budget(RecsysMergeState *merge, ItemCost *costs, uint32 *exact, uint32 *reweighted)
{
	double		budget = merge->budget * (100 - RECSYS_QUEUE_PERCENT) / 100;
	double		spent = 0;
	uint32		place = 0;

	for (uint32 i = 0; i < merge->ntouched; i++)
	{
		bool		fits = merge->mode == RECSYS_MERGE_EXACT || spent + costs[i].cost <= budget;

		costs[i].taken = fits &&
			(merge->mode != RECSYS_MERGE_SLICE || recount_in_time(merge, costs[i].item));
		if (!costs[i].taken)
			continue;
		spent += costs[i].cost;
		merge->touched[place++] = costs[i].item;
	}
	merge->budget -= spent;
	*exact = place;
	for (uint32 i = 0; i < merge->ntouched; i++)
		if (!costs[i].taken && costs[i].later)
			merge->touched[place++] = costs[i].item;
	*reweighted = place - *exact;
	for (uint32 i = 0; i < merge->ntouched; i++)
		if (!costs[i].taken && !costs[i].later)
			merge->touched[place++] = costs[i].item;
}

void
RecsysMergeTouched(RecsysMergeState *merge)
{
	ItemCost   *costs = MemoryContextAllocHuge(merge->context,
											   sizeof(ItemCost) * (Size) Max(merge->ntouched, 1));
	uint32		exact;
	uint32		reweighted;
	bool		any_shrunk;

	merge->ntouched = order_touched(merge, costs, &any_shrunk);
	spend_budget(merge, costs, &exact, &reweighted);
	if (merge->mode != RECSYS_MERGE_SLICE)
	{
		/* neighbors on the same pages are visited one after the other */
		qsort(merge->touched, exact, sizeof(uint32), RecsysCompareItemNumbers);
		RecsysRecountExactly(merge->recount, merge->touched, exact, merge->rows, merge->nrows,
							 any_shrunk && merge->mode == RECSYS_MERGE_EXACT, false);
	}
	merge->result->recomputed += exact;
	RecsysRecountPostpone(merge->recount, merge->touched + exact, reweighted);
	RecsysRecountAdjust(merge->recount, merge->touched + exact + reweighted,
						merge->ntouched - exact - reweighted, &merge->users,
						merge->nrows > 0 || merge->removed);
}
