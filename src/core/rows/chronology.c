/*
 * chronology.c
 *	  The order in which a user came to the items of the history.
 *
 * The distinct times are sorted; an item's place is where its time stands among them.
 */
#include "core/rows/chronology.h"

/* Times of histories up to this length are on the stack. */
#define SHORT_HISTORY 64

/* The distinct times there are, ascending; returns how many. */
static int
distinct_times(const RecsysHistoryItem *items, int count, int64 *times)
{
	int			n = 0;
	int			distinct = 0;

	for (int x = 0; x < count; x++)
		if (items[x].time != RECSYS_NO_TIME)
			times[n++] = items[x].time;
	qsort_interruptible(times, n, sizeof(int64), RecsysCompareTimes, NULL);
	for (int x = 0; x < n; x++)
		if (distinct == 0 || times[distinct - 1] != times[x])
			times[distinct++] = times[x];
	return distinct;
}

/* How many of the times are no later than that. */
static int
place_of(const int64 *times, int n, int64 time)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (times[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
RecsysHistoryPlaces(const RecsysHistoryItem *items, int count, RecsysOrdinal *places)
{
	int64		short_times[SHORT_HISTORY];
	int64	   *times = count > SHORT_HISTORY ? recsys_alloc_huge(sizeof(int64) * (Size) count) :
		short_times;
	int			distinct = distinct_times(items, count, times);
	int			beyond = Max(distinct - RECSYS_ORDINALS, 0);

	for (int x = 0; x < count; x++)
		places[x] = items[x].time == RECSYS_NO_TIME ? RECSYS_NO_ORDINAL :
			(RecsysOrdinal) Max(place_of(times, distinct, items[x].time) - beyond, 1);
	if (times != short_times)
		pfree(times);
}
