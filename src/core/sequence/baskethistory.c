/*
 * baskethistory.c
 *	  One user's rows as baskets in time.
 *
 * Which items are in the history is what folding says, so that a user has the same items
 * here as in a recommendation.  Then the rows are put in the order of their times, which
 * gives each its basket, and in that of their items, which gives each item its occasions.
 */
#include "core/sequence/baskethistory.h"

#include <math.h>

static bool
is_in_basket(const RecsysInteraction *row)
{
	return row->weight > 0.0 && isfinite(row->weight);
}

static int
compare_times(const void *a, const void *b)
{
	const RecsysInteraction *x = a;
	const RecsysInteraction *y = b;

	/* sorts of long histories take seconds */
	CHECK_FOR_INTERRUPTS();
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* A row that belongs to a basket */
typedef struct PlacedRow
{
	uint32		item;
	uint32		basket;
	int64		time;
	double		weight;
} PlacedRow;

static int
compare_items(const void *a, const void *b)
{
	const PlacedRow *x = a;
	const PlacedRow *y = b;

	CHECK_FOR_INTERRUPTS();
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->basket != y->basket)
		return x->basket < y->basket ? -1 : 1;
	return (x->time > y->time) - (x->time < y->time);
}

/* Does a row open a basket, the one before it having that time? */
static bool
opens_basket(int64 time, int64 before)
{
	if (time == RECSYS_NO_TIME || before == RECSYS_NO_TIME)
		return true;
	return RecsysIsNextOccasion(before, time);
}

/* Give each of n rows, which are in the order of times, its basket. */
static void
place_rows(const RecsysInteraction *rows, int n, PlacedRow *placed, RecsysBasketHistory *history)
{
	uint32		nbaskets = 0;

	for (int x = 0; x < n; x++)
	{
		if (x == 0 || opens_basket(rows[x].time, rows[x - 1].time))
			nbaskets++;
		history->times[nbaskets - 1] = rows[x].time;
		placed[x].item = rows[x].item;
		placed[x].basket = nbaskets - 1;
		placed[x].time = rows[x].time;
		placed[x].weight = rows[x].weight;
	}
	history->nbaskets = nbaskets;
}

/* The occasions of an item from its rows, by basket, and how many rows that were */
static int
add_occasions(const PlacedRow *placed, int n, RecsysBasketItem *item, RecsysBasketHistory *history)
{
	int			x = 0;

	item->first = history->noccasions;
	item->count = 0;
	while (x < n && placed[x].item == item->item)
	{
		RecsysOccasion *occasion = &history->occasions[history->noccasions++];

		occasion->basket = placed[x].basket;
		occasion->weight = 0.0;
		for (; x < n && placed[x].item == item->item && placed[x].basket == occasion->basket; x++)
		{
			occasion->time = placed[x].time;
			occasion->weight += placed[x].weight;
		}
		item->count++;
	}
	return x;
}

void
RecsysBasketHistoryMake(RecsysInteraction *rows, int n, const RecsysFolding *folding, int64 until,
						RecsysBasketHistory *history)
{
	int			nrows = 0;
	RecsysHistoryItem *folded;
	PlacedRow  *placed;
	int			nfolded;

	memset(history, 0, sizeof(RecsysBasketHistory));
	for (int x = 0; x < n; x++)
		if (rows[x].time <= until)
			rows[nrows++] = rows[x];
	folded = recsys_alloc_huge((Size) Max(nrows, 1) * sizeof(RecsysHistoryItem));
	nfolded = RecsysHistoryFold(rows, nrows, folding, folded, NULL);

	n = nrows;
	nrows = 0;
	for (int x = 0; x < n; x++)
	{
		if (!is_in_basket(&rows[x]))
			continue;
		rows[nrows] = rows[x];

		/* infinity is no time that anything happened at */
		if (rows[nrows].time == PG_INT64_MAX)
			rows[nrows].time = RECSYS_NO_TIME;
		nrows++;
	}
	qsort(rows, nrows, sizeof(RecsysInteraction), compare_times);

	placed = recsys_alloc_huge((Size) Max(nrows, 1) * sizeof(PlacedRow));
	history->times = recsys_alloc_huge((Size) Max(nrows, 1) * sizeof(int64));
	history->occasions = recsys_alloc_huge((Size) Max(nrows, 1) * sizeof(RecsysOccasion));
	history->items = recsys_alloc_huge((Size) Max(nfolded, 1) * sizeof(RecsysBasketItem));
	place_rows(rows, nrows, placed, history);
	qsort(placed, nrows, sizeof(PlacedRow), compare_items);

	/* both are ascending by item */
	for (int x = 0, next = 0; x < nfolded; x++)
	{
		RecsysBasketItem *item = &history->items[history->nitems++];

		while (placed[next].item != folded[x].item)
			next++;
		item->item = folded[x].item;
		item->weight = folded[x].weight;
		next += add_occasions(placed + next, nrows - next, item, history);
	}
	pfree(placed);
	pfree(folded);
}

int
RecsysFindBasketItem(const RecsysBasketHistory *history, uint32 item)
{
	uint32		low = 0;
	uint32		high = history->nitems;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (history->items[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < history->nitems && history->items[low].item == item ? (int) low : -1;
}

void
RecsysBasketHistoryFree(RecsysBasketHistory *history)
{
	pfree(history->times);
	pfree(history->items);
	pfree(history->occasions);
	memset(history, 0, sizeof(RecsysBasketHistory));
}
