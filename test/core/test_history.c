/*
 * test_history.c
 *	  Tests of core/history against a fold that is slow and obvious.
 */
#include "core/history.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define MOST_INTERACTIONS 3000

static int
compare_position(const void *a, const void *b)
{
	const RecsysInteraction *x = a;
	const RecsysInteraction *y = b;

	return (x->position > y->position) - (x->position < y->position);
}

static int
compare_recency(const void *a, const void *b)
{
	const RecsysHistoryItem *x = a;
	const RecsysHistoryItem *y = b;

	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return x->position > y->position ? -1 : x->position < y->position;
}

static int
compare_item(const void *a, const void *b)
{
	const RecsysHistoryItem *x = a;
	const RecsysHistoryItem *y = b;

	return (x->item > y->item) - (x->item < y->item);
}

static int
reference_fold(const RecsysInteraction *interactions, int n, int max_history,
			   RecsysHistoryItem *out, int *dropped)
{
	static RecsysInteraction sorted[MOST_INTERACTIONS];
	static double sums[MOST_INTERACTIONS];
	int			nitems = 0;
	int			kept = 0;

	memcpy(sorted, interactions, n * sizeof(RecsysInteraction));
	qsort(sorted, n, sizeof(RecsysInteraction), compare_position);
	for (int x = 0; x < n; x++)
	{
		double		weight = isfinite(sorted[x].weight) ? sorted[x].weight : 0.0;
		int			y = 0;

		while (y < nitems && out[y].item != sorted[x].item)
			y++;
		if (y == nitems)
		{
			nitems++;
			out[y].item = sorted[x].item;
			out[y].time = sorted[x].time;
			out[y].position = sorted[x].position;
			sums[y] = 0.0;
		}
		sums[y] += weight;
		if (sorted[x].time >= out[y].time)
		{
			out[y].time = sorted[x].time;
			out[y].position = sorted[x].position;
		}
	}
	for (int y = 0; y < nitems; y++)
	{
		out[y].weight = (float) sums[y];
		if (out[y].weight > 0.0f && out[y].weight <= FLT_MAX)
			out[kept++] = out[y];
	}
	qsort(out, kept, sizeof(RecsysHistoryItem), compare_recency);
	*dropped = Max(kept - max_history, 0);
	kept = Min(kept, max_history);
	qsort(out, kept, sizeof(RecsysHistoryItem), compare_item);
	return kept;
}

static float
strange_weight(Random *random)
{
	switch (random_bits(random) % 12)
	{
		case 0:
			return NAN;
		case 1:
			return INFINITY;
		case 2:
			return -INFINITY;
		case 3:
			return -1.0f;
		case 4:
			return 0.0f;
		case 5:
			return 0.1f;
		case 6:
			return 3e38f;
		default:
			return 1.0f;
	}
}

static bool
same_histories(const RecsysHistoryItem *a, const RecsysHistoryItem *b, int n)
{
	for (int x = 0; x < n; x++)
	{
		if (a[x].item != b[x].item || a[x].weight != b[x].weight ||
			a[x].time != b[x].time || a[x].position != b[x].position)
			return false;
	}
	return true;
}

void
test_history(void)
{
	static RecsysInteraction interactions[MOST_INTERACTIONS];
	static RecsysHistoryItem folded[MOST_INTERACTIONS];
	static RecsysHistoryItem expected[MOST_INTERACTIONS];
	Random		random;
	int			wrong = 0;
	int			rounds = 3000;
	int			dropped;

	for (int round = 0; round < rounds; round++)
	{
		int			n;
		int			nitems;
		int			max_history;
		int			kept;
		int			expected_kept;
		int			expected_dropped;

		random_seed(&random, round);
		n = (int) (random_bits(&random) % (round % 50 == 0 ? MOST_INTERACTIONS : 150));
		nitems = 1 + (int) (random_bits(&random) % 200);
		max_history = round % 3 == 0 ? 1 + (int) (random_bits(&random) % 20) : 2000;
		for (int x = 0; x < n; x++)
		{
			interactions[x].item = (uint32) (random_bits(&random) % nitems);
			if (round % 7 == 0)
				interactions[x].item *= 20000003;
			interactions[x].weight = round % 2 ? strange_weight(&random) : 1.0f;
			interactions[x].time = round % 5 == 0 ? RECSYS_NO_TIME :
				(int64) (random_bits(&random) % 50);
			interactions[x].position = round % 4 == 0 ? x :
				(random_bits(&random) & ~UINT64CONST(4095)) + x;
		}
		expected_kept = reference_fold(interactions, n, max_history, expected,
									   &expected_dropped);
		kept = RecsysHistoryFold(interactions, n, max_history, folded, &dropped);
		if (kept != expected_kept || dropped != expected_dropped ||
			!same_histories(folded, expected, kept))
			wrong++;
	}
	ok(wrong == 0, "history fold: %d random histories, %d differ from the reference",
	   rounds, wrong);
	ok(RecsysHistoryFold(interactions, 0, 10, folded, &dropped) == 0 && dropped == 0,
	   "history fold: no interactions");

	ok(RecsysDecay(100, 100, 50) == 1.0 && RecsysDecay(50, 100, 50) == 0.5 &&
	   RecsysDecay(0, 100, 50) == 0.25, "decay halves with each half-life");
	ok(RecsysDecay(0, 100, 0) == 1.0 && RecsysDecay(0, 100, -1) == 1.0 &&
	   RecsysDecay(RECSYS_NO_TIME, 100, 50) == 1.0, "decay is 1 without half-life or time");
	ok(RecsysDecay(PG_INT64_MIN + 1, PG_INT64_MAX, 1000) == 0.0,
	   "decay over an infinite time is 0");
}
