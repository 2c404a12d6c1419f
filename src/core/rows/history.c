/*
 * history.c
 *	  Folding of one user's interactions.
 *
 * This runs once for every user of a build and once for every recommendation,
 * mostly over a few dozen interactions, so the common cases are kept cheap:
 * one 64-bit word per interaction (item in the high half, place in the array
 * in the low half) is sorted instead of the interactions themselves, by
 * insertion for short histories and by a radix sort otherwise.
 */
#include "core/rows/history.h"

#include "core/rows/exactsum.h"

#include <float.h>
#include <math.h>

/* Histories up to this length are sorted on the stack. */
#define SHORT_HISTORY 64

/* In loops over long ones a look at whether to go on comes after so many steps. */
#define LOOK_EVERY 65536

#define RADIX_BITS 8
#define RADIX_SIZE (1 << RADIX_BITS)

static void
insertion_sort(uint64 *words, int n)
{
	for (int x = 1; x < n; x++)
	{
		uint64		word = words[x];
		int			y = x;

		while (y > 0 && words[y - 1] > word)
		{
			words[y] = words[y - 1];
			y--;
		}
		words[y] = word;
	}
}

/*
 * Sort by the items in the high halves, from their lowest digit up to the
 * highest that is used.  Stable, which makes it a sort of the whole words.
 * Returns where the result is: words or spare.
 */
static uint64 *
radix_sort(uint64 *words, uint64 *spare, int n, uint32 max_item)
{
	for (int shift = 32; shift < 64 && (max_item >> (shift - 32)) > 0; shift += RADIX_BITS)
	{
		int			places[RADIX_SIZE] = {0};
		int			next = 0;
		uint64	   *swap;

		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < n; x++)
			places[(words[x] >> shift) & (RADIX_SIZE - 1)]++;
		for (int digit = 0; digit < RADIX_SIZE; digit++)
		{
			int			count = places[digit];

			places[digit] = next;
			next += count;
		}
		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < n; x++)
			spare[places[(words[x] >> shift) & (RADIX_SIZE - 1)]++] = words[x];

		swap = words;
		words = spare;
		spare = swap;
	}
	return words;
}

/* The sum of the finite weights at these places */
static double
sum_weights(const RecsysInteraction *interactions, const uint64 *words, int n)
{
	RecsysExactSum sum;

	RecsysExactSumInit(&sum);
	for (int x = 0; x < n; x++)
	{
		double		weight = interactions[(uint32) words[x]].weight;

		if (x % LOOK_EVERY == LOOK_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
		if (isfinite(weight))
			RecsysExactSumAdd(&sum, weight);
	}
	return RecsysExactSumGet(&sum);
}

static inline double
transformed(double sum, RecsysWeightTransform transform)
{
	switch (transform)
	{
		case RECSYS_TRANSFORM_AUTO:
		case RECSYS_TRANSFORM_NONE:
			break;
		case RECSYS_TRANSFORM_LOG:
			return log1p(sum);
		case RECSYS_TRANSFORM_BINARY:
			return 1.0;
	}
	return sum;
}

double
RecsysHistoryTransform(double sum, RecsysWeightTransform transform)
{
	return transformed(sum, transform);
}

/*
 * Fold the interactions with one item, which stand at the places in the low
 * halves of words[0 .. n-1].  False when they are no evidence.
 */
static inline bool
fold_item(const RecsysInteraction *interactions, const uint64 *words, int n,
		  RecsysWeightTransform transform, RecsysHistoryItem *out)
{
	double		sum;

	out->item = interactions[(uint32) words[0]].item;
	out->time = interactions[(uint32) words[0]].time;
	for (int x = 1; x < n; x++)
		out->time = Max(out->time, interactions[(uint32) words[x]].time);
	sum = n == 1 ? interactions[(uint32) words[0]].weight : sum_weights(interactions, words, n);
	if (!(sum > 0.0 && isfinite(sum)))
		return false;
	out->weight = transformed(sum, transform);
	return true;
}

int
RecsysCompareTimes(const void *a, const void *b, void *arg)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

int
RecsysCompareMoments(const void *a, const void *b, void *arg)
{
	const RecsysInteraction *left = a;
	const RecsysInteraction *right = b;
	int			order = RecsysCompareTimes(&left->time, &right->time, NULL);

	return order != 0 ? order :
		(left->position > right->position) - (left->position < right->position);
}

/* Latest first */
static int
compare_times(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	/* sorts of long histories take seconds */
	CHECK_FOR_INTERRUPTS();
	return (x < y) - (x > y);
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* Of the items with that time, those with the lowest keys, ascending by number. */
static uint32 *
lowest_keys(const RecsysHistoryItem *items, int n, int64 time, int wanted,
			const RecsysKeyOrder *order)
{
	uint32	   *tied = recsys_alloc_huge((Size) n * sizeof(uint32));
	int			ntied = 0;

	for (int x = 0; x < n; x++)
		if (items[x].time == time)
			tied[ntied++] = items[x].item;

	/* they are in the order of numbers, which nearly always is that of keys */
	if (order != NULL && order->compare_keys != NULL && ntied > wanted &&
		tied[ntied - 1] >= order->nsorted)
	{
		RecsysKeyOrderSort(order, tied, ntied);
		qsort(tied, wanted, sizeof(uint32), compare_numbers);
	}
	return tied;
}

/* Keep the most recent of n items, in the order they are in. */
static int
keep_recent(RecsysHistoryItem *items, int n, int max_history, const RecsysKeyOrder *order)
{
	int64	   *times;
	int64		oldest;
	int			later = 0;
	uint32	   *tied;
	int			next = 0;
	int			kept = 0;

	if (max_history <= 0)
		return 0;
	times = recsys_alloc_huge((Size) n * sizeof(int64));
	for (int x = 0; x < n; x++)
		times[x] = items[x].time;
	qsort(times, n, sizeof(int64), compare_times);
	oldest = times[max_history - 1];
	while (times[later] > oldest)
		later++;
	pfree(times);

	tied = lowest_keys(items, n, oldest, max_history - later, order);
	for (int x = 0; x < n; x++)
	{
		bool		chosen = next < max_history - later && tied[next] == items[x].item;

		next += chosen;
		if (items[x].time > oldest || chosen)
			items[kept++] = items[x];
	}
	pfree(tied);
	return kept;
}

int
RecsysHistoryFold(const RecsysInteraction *interactions, int n, const RecsysFolding *folding,
				  RecsysHistoryItem *out, int *dropped)
{
	uint64		short_words[SHORT_HISTORY];
	uint64	   *allocated = NULL;
	uint64	   *words = short_words;
	uint32		max_item = 0;
	int			nitems = 0;
	int			before = 0;
	int			kept;

	if (n > SHORT_HISTORY)
	{
		allocated = recsys_alloc_huge(2 * (Size) n * sizeof(uint64));
		words = allocated;
	}
	for (int x = 0; x < n; x++)
	{
		words[x] = (uint64) interactions[x].item << 32 | (uint32) x;
		max_item = Max(max_item, interactions[x].item);
	}
	if (n > SHORT_HISTORY)
		words = radix_sort(words, words + n, n, max_item);
	else
		insertion_sort(words, n);

	for (int first = 0, last; first < n; first = last)
	{
		uint32		item = (uint32) (words[first] >> 32);

		if (first / LOOK_EVERY != before / LOOK_EVERY)
			CHECK_FOR_INTERRUPTS();
		before = first;
		last = first + 1;
		while (last < n && (uint32) (words[last] >> 32) == item)
			last++;
		if (!fold_item(interactions, words + first, last - first, folding->transform, &out[nitems]))
			continue;
		nitems++;
		if (last - first > 1 && folding->repeated != NULL)
			folding->repeated(folding->arg, interactions, words + first, last - first);
	}
	if (allocated != NULL)
		pfree(allocated);

	kept = nitems;
	if (nitems > folding->max_history)
		kept = keep_recent(out, nitems, folding->max_history, folding->order);
	if (dropped != NULL)
		*dropped = nitems - kept;
	return kept;
}

float
RecsysHistoryWeight(double weight)
{
	return (float) Min(Max(weight, FLT_MIN), FLT_MAX);
}

double
RecsysDecay(int64 time, int64 reference, int64 half_life)
{
	int64		age;
	double		age_in_double;

	if (half_life <= 0 || time == RECSYS_NO_TIME || time >= reference)
		return 1.0;

	/* exact unless infinite times make the difference overflow */
	if (__builtin_sub_overflow(reference, time, &age))
		age_in_double = (double) reference - (double) time;
	else
		age_in_double = (double) age;
	return exp2(-age_in_double / (double) half_life);
}

bool
RecsysIsWithinAge(int64 time, int64 reference, int64 max_age)
{
	if (max_age <= 0 || time == RECSYS_NO_TIME || reference == RECSYS_NO_TIME || time >= reference)
		return true;
	return (uint64) reference - (uint64) time <= (uint64) max_age;
}
