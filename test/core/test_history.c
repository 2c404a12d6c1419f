/*
 * test_history.c
 *	  Tests of core/rows/history against a fold that is slow and obvious, and of
 *	  core/rows/chronology against counting.
 */
#include "core/rows/chronology.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define MOST_INTERACTIONS 3000

#define LARGE 1.5e308

/* Are keys in the opposite order of numbers? */
static bool reversed;

static int
compare_keys(void *arg, uint32 a, uint32 b)
{
	return (a < b) - (a > b);
}

static int
compare_recency(const void *a, const void *b)
{
	const RecsysHistoryItem *x = a;
	const RecsysHistoryItem *y = b;

	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return reversed ? (x->item < y->item) - (x->item > y->item) :
		(x->item > y->item) - (x->item < y->item);
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
	static int64 tenths[MOST_INTERACTIONS];
	static int	large[MOST_INTERACTIONS];
	int			nitems = 0;
	int			kept = 0;

	for (int x = 0; x < n; x++)
	{
		double		weight = isfinite(interactions[x].weight) ? interactions[x].weight : 0.0;
		int			y = 0;

		while (y < nitems && out[y].item != interactions[x].item)
			y++;
		if (y == nitems)
		{
			nitems++;
			out[y].item = interactions[x].item;
			out[y].time = interactions[x].time;
			tenths[y] = 0;
			large[y] = 0;
		}
		/* the others are nothing beside the large ones */
		if (weight == LARGE)
			large[y]++;
		else
			tenths[y] += llround(weight * 10);
		out[y].time = Max(out[y].time, interactions[x].time);
	}
	for (int y = 0; y < nitems; y++)
	{
		out[y].weight = large[y] > 0 ? large[y] * LARGE : tenths[y] / 10.0;
		if (out[y].weight > 0.0 && out[y].weight <= DBL_MAX)
			out[kept++] = out[y];
	}
	qsort(out, kept, sizeof(RecsysHistoryItem), compare_recency);
	*dropped = Max(kept - max_history, 0);
	kept = Min(kept, max_history);
	qsort(out, kept, sizeof(RecsysHistoryItem), compare_item);
	return kept;
}

static double
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
			return -1.0;
		case 4:
			return 0.0;
		case 5:
			return 0.1;
		case 6:
			return LARGE;
		default:
			return random_bits(random) % 8 == 0 ? -0.3 : 1.0;
	}
}

static bool
same_histories(const RecsysHistoryItem *a, const RecsysHistoryItem *b, int n)
{
	for (int x = 0; x < n; x++)
	{
		if (a[x].item != b[x].item || a[x].weight != b[x].weight ||
			a[x].time != b[x].time)
			return false;
	}
	return true;
}

/* Transforms act on what the others fold; they leave out nothing. */
static void
test_transforms(void)
{
	RecsysInteraction rows[] = {{1, 5, 0, 0}, {1, -2, 1, 1}, {2, 0.3, 0, 2}, {2, 0.6, 0, 3},
	{2, -0.9, 0, 4}, {3, 1e-300, 0, 5}, {4, -1, 0, 6}, {5, 1e300, 0, 7}};
	RecsysInteraction copy[lengthof(rows)];
	RecsysHistoryItem out[lengthof(rows)];
	RecsysFolding folding = {.max_history = 100};
	int			count;

	for (RecsysWeightTransform t = RECSYS_TRANSFORM_AUTO; t <= RECSYS_TRANSFORM_BINARY; t++)
	{
		const double sums[] = {3, 1e-300, 1e300};
		bool		right;

		folding.transform = t;
		memcpy(copy, rows, sizeof(rows));
		count = RecsysHistoryFold(copy, lengthof(rows), &folding, out, NULL);
		right = count == 3 && out[0].item == 1 && out[1].item == 3 && out[2].item == 5;
		for (int x = 0; right && x < 3; x++)
			right = out[x].weight == (t == RECSYS_TRANSFORM_LOG ? log1p(sums[x]) :
									  t == RECSYS_TRANSFORM_BINARY ? 1 : sums[x]);
		ok(right, "history fold: transform %d of sums, returns taken back", (int) t);
	}
	ok(RecsysHistoryWeight(1e300) == FLT_MAX && RecsysHistoryWeight(1e-300) == FLT_MIN &&
	   RecsysHistoryWeight(0.1) == 0.1f, "history weights stay positive and finite as floats");
}

/* How many distinct times are no later than an item's */
static int
counted_place(const RecsysHistoryItem *items, int count, int64 time)
{
	int			place = 0;

	for (int x = 0; x < count; x++)
	{
		bool		first = items[x].time != RECSYS_NO_TIME;

		for (int y = 0; y < x && first; y++)
			first = items[y].time != items[x].time;
		place += first && items[x].time <= time;
	}
	return time == RECSYS_NO_TIME ? RECSYS_NO_ORDINAL : place;
}

static void
test_places(void)
{
	static RecsysHistoryItem items[300];
	static RecsysOrdinal places[100000];
	RecsysHistoryItem *many = palloc0(sizeof(RecsysHistoryItem) * lengthof(places));
	Random		random;
	int			wrong = 0;

	for (int round = 0; round < 500; round++)
	{
		int			count;

		random_seed(&random, round);
		count = (int) (random_bits(&random) % (round % 20 == 0 ? 300 : 30));
		for (int x = 0; x < count; x++)
			items[x].time = random_bits(&random) % 10 == 0 ? RECSYS_NO_TIME :
				round % 2 ? (int64) random_bits(&random) : (int64) (random_bits(&random) % 20);
		RecsysHistoryPlaces(items, count, places);
		for (int x = 0; x < count; x++)
			wrong += places[x] != counted_place(items, count, items[x].time);
	}
	ok(wrong == 0, "places of histories in time (%d differ)", wrong);

	for (int x = 0; x < (int) lengthof(places); x++)
		many[x].time = -x;
	RecsysHistoryPlaces(many, lengthof(places), places);
	ok(places[0] == RECSYS_ORDINALS && places[65534] == 1 && places[lengthof(places) - 1] == 1,
	   "places of a history with more times than there are places");
	pfree(many);
}

void
test_history(void)
{
	static RecsysInteraction interactions[MOST_INTERACTIONS];
	static RecsysHistoryItem folded[MOST_INTERACTIONS];
	static RecsysHistoryItem expected[MOST_INTERACTIONS];
	RecsysKeyOrder order = {0, compare_keys, NULL};
	RecsysFolding folding = {.transform = RECSYS_TRANSFORM_NONE};
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
			interactions[x].weight = round % 2 ? strange_weight(&random) : 1.0;
			interactions[x].time = round % 5 == 0 ? RECSYS_NO_TIME :
				(int64) (random_bits(&random) % 50);
			interactions[x].position = round % 4 == 0 ? x :
				(random_bits(&random) & ~UINT64CONST(4095)) + x;
		}
		reversed = round % 4 == 1;
		expected_kept = reference_fold(interactions, n, max_history, expected,
									   &expected_dropped);
		folding.max_history = max_history;
		folding.order = reversed ? &order : NULL;
		kept = RecsysHistoryFold(interactions, n, &folding, folded, &dropped);
		if (kept != expected_kept || dropped != expected_dropped ||
			!same_histories(folded, expected, kept))
			wrong++;
	}
	ok(wrong == 0, "history fold: %d random histories, %d differ from the reference",
	   rounds, wrong);
	ok(RecsysHistoryFold(interactions, 0, &folding, folded, &dropped) == 0 && dropped == 0,
	   "history fold: no interactions");

	test_transforms();
	test_places();

	ok(RecsysDecay(100, 100, 50) == 1.0 && RecsysDecay(50, 100, 50) == 0.5 &&
	   RecsysDecay(0, 100, 50) == 0.25, "decay halves with each half-life");
	ok(RecsysDecay(0, 100, 0) == 1.0 && RecsysDecay(0, 100, -1) == 1.0 &&
	   RecsysDecay(RECSYS_NO_TIME, 100, 50) == 1.0, "decay is 1 without half-life or time");
	ok(RecsysDecay(PG_INT64_MIN + 1, PG_INT64_MAX, 1000) == 0.0,
	   "decay over an infinite time is 0");
}
