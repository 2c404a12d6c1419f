/*
 * compactrows.c
 *	  Fewer rows that fold to the same.
 *
 * No item is dropped, because a later row may turn a negative sum positive.  Sums are kept
 * exactly, as some numbers that add up to them, because they must not depend on the order of
 * the rows.
 *
 * Where occasions matter, those numbers have no time, which makes them no part of any.  For the
 * occasions there are rows of weight 1, taken from the sum before, and where the latest time is
 * that of a return, a row of weight 0.  Of three rows that follow one another within
 * RECSYS_OCCASION_GAP the middle one tells nothing: whatever row comes in between later is as
 * near to the others.  So an occasion of an hour keeps two rows at most.
 */
#include "core/sequence/compactrows.h"

#include "core/rows/exactsum.h"
#include "core/sequence/rhythm.h"

static int
compare_rows(const void *a, const void *b)
{
	const RecsysInteraction *x = a;
	const RecsysInteraction *y = b;

	/* a user may have millions */
	CHECK_FOR_INTERRUPTS();
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (x->time > y->time) - (x->time < y->time);
}

/* The times of occasions that tell something, ascending as the rows do; to has room for all. */
static int
keep_occasions(const RecsysInteraction *rows, int n, int64 *to)
{
	int			kept = 0;

	for (int x = 0; x < n; x++)
	{
		if (!RecsysIsOnOccasion(&rows[x]))
			continue;
		if (kept > 1 && !RecsysIsNextOccasion(to[kept - 2], rows[x].time))
			kept--;
		to[kept++] = rows[x].time;
	}
	return kept;
}

static void
put_row(RecsysInteraction *to, uint32 item, double weight, int64 time)
{
	to->item = item;
	to->weight = weight;
	to->time = time;
	to->position = 0;
}

/*
 * The n rows of an item, by ascending time, which become those that are put to, which may be
 * the same place.  Where they would not be fewer, all stay as they are.
 */
static int
compact_item(const RecsysInteraction *rows, int n, int64 *times, bool occasions, RecsysInteraction *to)
{
	RecsysExactSum sum;
	double		parts[RECSYS_SUM_WORDS];
	uint32		item = rows[0].item;
	int64		latest = rows[n - 1].time;
	int			ntimes = occasions ? keep_occasions(rows, n, times) : 0;
	bool		returned = occasions && (ntimes == 0 || times[ntimes - 1] < latest);
	int			room = n - 1 - ntimes - returned;
	int			nparts = 0;

	if (room > 0)
	{
		RecsysExactSumInit(&sum);
		for (int x = 0; x < n; x++)
			if (isfinite(rows[x].weight))
				RecsysExactSumAdd(&sum, rows[x].weight);
		for (int x = 0; x < ntimes; x++)
			RecsysExactSumAdd(&sum, -1.0);
		nparts = RecsysExactSumParts(&sum, parts, Min(room, RECSYS_SUM_WORDS));
	}
	if (nparts == 0)
	{
		memmove(to, rows, sizeof(RecsysInteraction) * (Size) n);
		return n;
	}
	for (int x = 0; x < nparts; x++)
		put_row(to++, item, parts[x], occasions ? RECSYS_NO_TIME : latest);
	for (int x = 0; x < ntimes; x++)
		put_row(to++, item, 1.0, times[x]);
	if (returned)
		put_row(to, item, 0.0, latest);
	return nparts + ntimes + returned;
}

int
RecsysCompactRows(RecsysInteraction *rows, int n, bool occasions)
{
	int64	   *times = occasions ? recsys_alloc_huge(sizeof(int64) * (Size) Max(n, 1)) : NULL;
	int			kept = 0;

	qsort(rows, n, sizeof(RecsysInteraction), compare_rows);
	for (int first = 0, last; first < n; first = last)
	{
		last = first + 1;
		while (last < n && rows[last].item == rows[first].item)
			last++;
		kept += compact_item(rows + first, last - first, times, occasions, rows + kept);
	}
	if (times != NULL)
		pfree(times);
	return kept;
}
