/*
 * history.c
 *	  Folding of one user's interactions.
 *
 * This runs once for every user of a build and once for every recommendation,
 * mostly over a few dozen interactions, so the common cases are kept cheap:
 * one 64-bit word per interaction (item in the high half, place in the array
 * in the low half) is sorted instead of the interactions themselves, by
 * insertion for short histories and by a radix sort otherwise.  Both keep
 * interactions with the same item in the order they came in, which in a heap
 * scan is that of their positions; only where it is not, an item's
 * interactions are sorted again.
 */
#include "core/history.h"

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

/* Sorts of long histories take seconds: comparing is where they can be cancelled. */
static int
compare_positions(const void *a, const void *b)
{
	uint64		x = ((const RecsysInteraction *) a)->position;
	uint64		y = ((const RecsysInteraction *) b)->position;

	CHECK_FOR_INTERRUPTS();
	return (x > y) - (x < y);
}

/*
 * Fold the interactions with one item, which stand at the places in the low
 * halves of words[0 .. n-1].  False when they are no evidence.
 */
static bool
fold_item(const RecsysInteraction *interactions, const uint64 *words, int n,
		  RecsysHistoryItem *out)
{
	const RecsysInteraction *first = &interactions[(uint32) words[0]];
	RecsysInteraction *sorted = NULL;
	double		sum = 0.0;

	out->item = first->item;
	out->time = first->time;
	out->position = first->position;

	/* sums of doubles depend on the order: see to it that it is by position */
	for (int x = 1; x < n; x++)
	{
		if (interactions[(uint32) words[x]].position <
			interactions[(uint32) words[x - 1]].position)
		{
			sorted = recsys_alloc_huge((Size) n * sizeof(RecsysInteraction));
			for (int y = 0; y < n; y++)
				sorted[y] = interactions[(uint32) words[y]];
			qsort(sorted, n, sizeof(RecsysInteraction), compare_positions);
			break;
		}
	}

	for (int x = 0; x < n; x++)
	{
		const RecsysInteraction *one;

		if (x % LOOK_EVERY == LOOK_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
		one = sorted ? &sorted[x] : &interactions[(uint32) words[x]];

		if (isfinite(one->weight))
			sum += one->weight;
		if (one->time > out->time ||
			(one->time == out->time && one->position > out->position))
		{
			out->time = one->time;
			out->position = one->position;
		}
	}

	if (sorted != NULL)
		pfree(sorted);
	out->weight = (float) sum;
	return out->weight > 0.0f && isfinite(out->weight);
}

/* Most recent first; two items can share a position only in artificial data. */
static int
compare_recency(const void *a, const void *b)
{
	const RecsysHistoryItem *x = a;
	const RecsysHistoryItem *y = b;

	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	if (x->position != y->position)
		return x->position > y->position ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static int
compare_recency_cancellably(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return compare_recency(a, b);
}

/* Keep the most recent of n items, in the order they are in. */
static int
keep_recent(RecsysHistoryItem *items, int n, int max_history)
{
	RecsysHistoryItem *recent;
	RecsysHistoryItem oldest;
	int			kept = 0;

	if (max_history <= 0)
		return 0;
	recent = recsys_alloc_huge((Size) n * sizeof(RecsysHistoryItem));
	memcpy(recent, items, (Size) n * sizeof(RecsysHistoryItem));
	qsort(recent, n, sizeof(RecsysHistoryItem), compare_recency_cancellably);
	oldest = recent[max_history - 1];
	pfree(recent);

	for (int x = 0; x < n; x++)
	{
		if (compare_recency(&items[x], &oldest) <= 0)
			items[kept++] = items[x];
	}
	return kept;
}

int
RecsysHistoryFold(RecsysInteraction *interactions, int n, int max_history,
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
		if (fold_item(interactions, words + first, last - first, &out[nitems]))
			nitems++;
	}
	if (allocated != NULL)
		pfree(allocated);

	kept = nitems > max_history ? keep_recent(out, nitems, max_history) : nitems;
	if (dropped != NULL)
		*dropped = nitems - kept;
	return kept;
}

double
RecsysDecay(int64 time, int64 reference, int64 half_life)
{
	int64		age;
	double		age_in_double;

	if (half_life <= 0 || time == RECSYS_NO_TIME || reference == RECSYS_NO_TIME)
		return 1.0;

	/* exact unless infinite times make the difference overflow */
	if (__builtin_sub_overflow(reference, time, &age))
		age_in_double = (double) reference - (double) time;
	else
		age_in_double = (double) age;
	return exp2(-age_in_double / (double) half_life);
}
