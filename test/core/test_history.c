/*
 * test_history.c
 *	  Tests of core/rows/history against a fold that is slow and obvious.
 */
#include "core/rows/exactsum.h"
#include "core/rows/history.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define MOST_INTERACTIONS 3000

#define LARGE 3e38f

/* More than 100 binary digits */
#ifdef __x86_64__
typedef __float128 Wide;
#else
typedef long double Wide;
#endif

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
	static Wide sums[MOST_INTERACTIONS];
	static int	large[MOST_INTERACTIONS];
	int			nitems = 0;
	int			kept = 0;

	for (int x = 0; x < n; x++)
	{
		float		weight = isfinite(interactions[x].weight) ? interactions[x].weight : 0.0f;
		int			y = 0;

		while (y < nitems && out[y].item != interactions[x].item)
			y++;
		if (y == nitems)
		{
			nitems++;
			out[y].item = interactions[x].item;
			out[y].time = interactions[x].time;
			sums[y] = 0;
			large[y] = 0;
		}
		/* the others are nothing beside the large ones */
		if (weight == LARGE)
			large[y]++;
		else
			sums[y] += weight;
		out[y].time = Max(out[y].time, interactions[x].time);
	}
	for (int y = 0; y < nitems; y++)
	{
		out[y].weight = large[y] > 0 ? (float) (large[y] * (double) LARGE) : (float) (double) sums[y];
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
			return LARGE;
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
			a[x].time != b[x].time)
			return false;
	}
	return true;
}

/* Sums against 113 bits, which hold them exactly, in several orders */
static void
test_sums(void)
{
	Random		random;
	int			wrong = 0;
	int			moved = 0;

	random_seed(&random, 12);
	for (int round = 0; round < 2000; round++)
	{
		RecsysExactSum sum;
		RecsysExactSum backwards;
		float		numbers[200];
		Wide	expected = 0;
		int			n = (int) (random_bits(&random) % 200);

		RecsysExactSumInit(&sum);
		RecsysExactSumInit(&backwards);
		for (int x = 0; x < n; x++)
		{
			numbers[x] = (float) ldexp((random_unit(&random) - 0.5),
									   (int) (random_bits(&random) % 60) - (round % 2 == 0 ? 120 : 20));
			expected += numbers[x];
			RecsysExactSumAdd(&sum, numbers[x]);
		}
		for (int x = n - 1; x >= 0; x--)
			RecsysExactSumAdd(&backwards, numbers[x]);
		wrong += RecsysExactSumGet(&sum) != (double) expected;
		moved += RecsysExactSumGet(&sum) != RecsysExactSumGet(&backwards);
	}
	ok(wrong == 0 && moved == 0, "exact sums: %d of 2000 wrong, %d depend on the order", wrong, moved);

	{
		RecsysExactSum sum;
		double		result;

		RecsysExactSumInit(&sum);
		for (int x = 0; x < 1000; x++)
			RecsysExactSumAdd(&sum, FLT_MAX);
		for (int x = 0; x < 1000; x++)
			RecsysExactSumAdd(&sum, x % 2 == 0 ? -FLT_MAX : 0);
		RecsysExactSumAdd(&sum, 1e-45f);
		result = RecsysExactSumGet(&sum);
		ok(result == 500 * (double) FLT_MAX, "exact sums: of the largest and the smallest floats");
		for (int x = 0; x < 500; x++)
			RecsysExactSumAdd(&sum, -FLT_MAX);
		ok(RecsysExactSumGet(&sum) == (double) 1e-45f, "exact sums: cancellation leaves the smallest");
		RecsysExactSumAdd(&sum, -1e-45f);
		ok(RecsysExactSumGet(&sum) == 0, "exact sums: nothing");
	}
}

void
test_history(void)
{
	static RecsysInteraction interactions[MOST_INTERACTIONS];
	static RecsysHistoryItem folded[MOST_INTERACTIONS];
	static RecsysHistoryItem expected[MOST_INTERACTIONS];
	RecsysKeyOrder order = {0, compare_keys, NULL};
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
		reversed = round % 4 == 1;
		expected_kept = reference_fold(interactions, n, max_history, expected,
									   &expected_dropped);
		kept = RecsysHistoryFold(interactions, n, max_history, reversed ? &order : NULL, folded,
								 &dropped);
		if (kept != expected_kept || dropped != expected_dropped ||
			!same_histories(folded, expected, kept))
			wrong++;
	}
	ok(wrong == 0, "history fold: %d random histories, %d differ from the reference",
	   rounds, wrong);
	ok(RecsysHistoryFold(interactions, 0, 10, NULL, folded, &dropped) == 0 && dropped == 0,
	   "history fold: no interactions");

	test_sums();

	ok(RecsysDecay(100, 100, 50) == 1.0 && RecsysDecay(50, 100, 50) == 0.5 &&
	   RecsysDecay(0, 100, 50) == 0.25, "decay halves with each half-life");
	ok(RecsysDecay(0, 100, 0) == 1.0 && RecsysDecay(0, 100, -1) == 1.0 &&
	   RecsysDecay(RECSYS_NO_TIME, 100, 50) == 1.0, "decay is 1 without half-life or time");
	ok(RecsysDecay(PG_INT64_MIN + 1, PG_INT64_MAX, 1000) == 0.0,
	   "decay over an infinite time is 0");
}
