/*
 * burstcount.c
 *	  How many users took each item of an index in the last window of time, and in those before.
 *
 * Passes over the users' lists with the caller's snapshot.  Where the windows end is known only
 * behind the first one, which finds the latest row; the second one counts.  That takes eight bytes
 * of memory for each item, and what is trending beside them.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "am/parts/leaves.h"
#include "am/read/visible.h"
#include "am/store/enlarge.h"
#include "api/ready/burstcount.h"
#include "api/scoring/serving.h"
#include "core/rows/exactsum.h"
#include "core/sequence/rhythm.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A cancel is looked for after so many items. */
#define LOOK_UP_EVERY 65536

/* Windows in all, the last one first */
#define WINDOWS (1 + RECSYS_BASE_WINDOWS)

/* Users in the last window, and those of the windows before it added up */
typedef struct ItemCount
{
	uint32		lately;
	uint32		base;
} ItemCount;

struct RecsysBurstCount
{
	RecsysRecommender *recommender;
	int64		window;
	int64		end;			/* of the last window: the latest row */
	uint32		nitems;
	ItemCount  *items;
	uint32		step;			/* what a user adds to a count: 1, or -1 to be taken away */
};

static void
find_latest(void *arg, RecsysInteraction *rows, int n)
{
	RecsysBurstCount *count = arg;
	int64		now = RecsysClockOfColumn(count->recommender->columns.time_type);

	for (int i = 0; i < n; i++)
		if (rows[i].time <= now && RecsysIsOnOccasion(&rows[i]))
			count->end = Max(count->end, rows[i].time);
}

RecsysBurstCount *
RecsysBurstCountCreate(RecsysRecommender *recommender, int64 window)
{
	RecsysBurstCount *count = palloc0(sizeof(RecsysBurstCount));

	count->recommender = recommender;
	count->window = window;
	count->end = RECSYS_NO_TIME;
	count->step = 1;
	count->nitems = RecsysItemCount(recommender->index);
	count->items = MemoryContextAllocExtended(CurrentMemoryContext,
											  sizeof(ItemCount) * (Size) Max(count->nitems, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysPredicateLockTable(recommender->heap, GetActiveSnapshot());
	RecsysScanVisible(recommender->heap, recommender->index, GetActiveSnapshot(), find_latest, count);
	return count;
}

/* The window that a row is in, 0 the last one; -1: none of them */
static int
window_of(const RecsysBurstCount *count, const RecsysInteraction *row)
{
	uint64		age;

	if (!RecsysIsOnOccasion(row) || row->time > count->end || row->item >= count->nitems)
		return -1;
	age = ((uint64) count->end - (uint64) row->time) / (uint64) count->window;
	return age < WINDOWS ? (int) age : -1;
}

static int
compare_rows(const void *a, const void *b)
{
	const RecsysInteraction *left = a;
	const RecsysInteraction *right = b;

	if (left->item != right->item)
		return left->item < right->item ? -1 : 1;
	return 0;
}

static void
count_item(ItemCount *item, uint32 windows, uint32 step)
{
	if (windows & 1)
		item->lately += step;
	for (windows >>= 1; windows != 0; windows &= windows - 1)
		item->base += step;
}

/* The sum of the finite weights, exact in decimal as in histories: what was returned is gone. */
static double
sum_weights(const RecsysInteraction *rows, int n)
{
	RecsysExactSum sum;

	if (n == 1)
		return isfinite(rows->weight) ? rows->weight : 0;
	RecsysExactSumInit(&sum);
	for (int i = 0; i < n; i++)
		if (isfinite(rows[i].weight))
			RecsysExactSumAdd(&sum, rows[i].weight);
	return RecsysExactSumGet(&sum);
}

/* What is taken back is not taken: only items whose weights add up to something count. */
static void
count_rows(void *arg, RecsysInteraction *rows, int n)
{
	RecsysBurstCount *count = arg;

	qsort(rows, n, sizeof(RecsysInteraction), compare_rows);
	for (int i = 0; i < n;)
	{
		uint32		item = rows[i].item;
		uint32		windows = 0;
		int			first = i;

		for (; i < n && rows[i].item == item; i++)
		{
			int			window = window_of(count, &rows[i]);

			if (window >= 0)
				windows |= (uint32) 1 << window;
		}
		if (windows != 0 && sum_weights(&rows[first], i - first) > 0)
			count_item(&count->items[item], windows, count->step);
	}
}

void
RecsysBurstCountAll(RecsysBurstCount *count)
{
	RecsysScanVisible(count->recommender->heap, count->recommender->index, GetActiveSnapshot(),
					  count_rows, count);
}

void
RecsysBurstCountUser(RecsysBurstCount *count, const RecsysKey *user)
{
	RecsysInteraction *rows;
	int			n = RecsysReadVisible(count->recommender->heap, count->recommender->index, user,
									  GetActiveSnapshot(), &rows);

	count_rows(count, rows, n);
	if (rows != NULL)
		pfree(rows);
}

void
RecsysBurstTakeUser(RecsysBurstCount *count, const RecsysKey *user)
{
	count->step = (uint32) -1;
	RecsysBurstCountUser(count, user);
	count->step = 1;
}

static int
compare_bursts(const void *a, const void *b, void *order)
{
	const RecsysBurst *left = a;
	const RecsysBurst *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysItemOrderCompare(order, left->item, right->item);
}

static void
add_totals(const RecsysBurstCount *count, RecsysBurstTotals *totals)
{
	for (uint32 item = 0; item < count->nitems; item++)
	{
		const ItemCount *counted = &count->items[item];

		if (item % LOOK_UP_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		totals->items += counted->lately > 0 || counted->base > 0;
		totals->lately += counted->lately;
		totals->base += counted->base;
	}
}

uint32
RecsysBurstRank(RecsysBurstCount *count, uint32 least_users, double least_score, RecsysBurst **bursts)
{
	RecsysItemOrder *order = RecsysItemOrderCreate(count->recommender->index, count->nitems);
	RecsysBurstTotals totals = {0};
	uint32		room = 0;
	uint32		n = 0;

	*bursts = NULL;
	add_totals(count, &totals);
	for (uint32 item = 0; item < count->nitems; item++)
	{
		const ItemCount *counted = &count->items[item];
		RecsysBurst burst = {item, counted->lately, counted->base, 0, 0};

		if (item % LOOK_UP_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		if (burst.lately < Max(least_users, 1))
			continue;
		burst.expected = RecsysBurstExpected(burst.base, &totals);
		burst.score = RecsysBurstScore(burst.lately, burst.expected);
		if (!(burst.score >= least_score))
			continue;
		if (n == room)
		{
			room = Max(256, room * 2);
			*bursts = RecsysEnlarge(CurrentMemoryContext, *bursts, sizeof(RecsysBurst) * (Size) room);
		}
		(*bursts)[n++] = burst;
	}
	qsort_arg(*bursts, n, sizeof(RecsysBurst), compare_bursts, order);
	RecsysItemOrderFree(order);
	return n;
}
