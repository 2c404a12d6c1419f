/*
 * counters.c
 *	  Counters of the pairs of one item: histories are added to them, sums taken out.
 *
 * The additions are what training spends its time with.  Users of an item are all over
 * the matrix, so the histories to come are fetched into the cache ahead.
 */
#include "core/pairs/counters.h"

#include <math.h>

#include "core/base/product.h"

/* How many users ahead a history, and where it is, are fetched. */
#define PREFETCH_HISTORY 8
#define PREFETCH_OFFSET 16
#define CACHE_LINE 64

/*
 * Bring the history of a user to come into the cache.  The users of an item
 * are all over the matrix, so without this every history begins with a wait
 * for memory, and it takes the hardware a while to see that more follows.
 * (Always inlined, or gcc drops calls of a function that only prefetches.)
 */
static inline __attribute__((always_inline)) void
fetch_ahead(const uint64 *offsets, const char *entries, Size width,
			const uint32 *users, uint64 x, uint64 n_total)
{
	const char *place;
	const char *end;

	if (x + PREFETCH_OFFSET < n_total)
		__builtin_prefetch(&offsets[users[x + PREFETCH_OFFSET]]);
	if (x + PREFETCH_HISTORY >= n_total)
		return;
	place = entries + offsets[users[x + PREFETCH_HISTORY]] * width;
	end = entries + offsets[users[x + PREFETCH_HISTORY] + 1] * width;
	for (; place < end; place += CACHE_LINE)
		__builtin_prefetch(place);
}

/* columns is an array of numbers of that type */
#define COUNT_HISTORIES(type, columns) \
	do { \
		for (uint64 x = 0; x < n; x++) \
		{ \
			const type *entry = (columns) + offsets[users[x]]; \
			const type *end = (columns) + offsets[users[x] + 1]; \
			\
			fetch_ahead(offsets, (const char *) (columns), sizeof(type), users, x, n_total); \
			for (; entry + 4 <= end; entry += 4) \
			{ \
				counts[entry[0]]++; \
				counts[entry[1]]++; \
				counts[entry[2]]++; \
				counts[entry[3]]++; \
			} \
			for (; entry < end; entry++) \
				counts[*entry]++; \
		} \
	} while (0)

/*
 * The loops store to what might be anything, so they need copies of what the struct has.
 * Declares offsets, users, n and n_total.
 */
#define COPY_USERS(counted) \
	const uint64 *offsets = (counted)->matrix->offsets; \
	const uint32 *users = (counted)->users; \
	uint64		n = (counted)->n; \
	uint64		n_total = (counted)->n_total

void
RecsysCountNarrow(uint16 *counts, const RecsysCountedUsers *counted)
{
	const uint16 *narrow = counted->matrix->narrow;
	const uint32 *columns = counted->matrix->columns;
	COPY_USERS(counted);

	if (narrow != NULL)
		COUNT_HISTORIES(uint16, narrow);
	else
		COUNT_HISTORIES(uint32, columns);
}

void
RecsysCountWide(uint32 *counts, const RecsysCountedUsers *counted)
{
	const uint16 *narrow = counted->matrix->narrow;
	const uint32 *columns = counted->matrix->columns;
	COPY_USERS(counted);

	if (narrow != NULL)
		COUNT_HISTORIES(uint16, narrow);
	else
		COUNT_HISTORIES(uint32, columns);
}

void
RecsysCountPacked(uint64 *words, int count_bits, const RecsysCountedUsers *counted)
{
	const uint32 *packed = counted->matrix->packed;
	const float *weights = counted->weights;
	float		scale = (float) (1 << counted->matrix->weight_shift);
	COPY_USERS(counted);

	for (uint64 x = 0; x < n; x++)
	{
		const uint32 *entry = packed + offsets[users[x]];
		const uint32 *end = packed + offsets[users[x] + 1];
		uint64		weight = (uint64) (weights[x] * scale) << count_bits;

		fetch_ahead(offsets, (const char *) packed, sizeof(uint32), users, x, n_total);
		for (; entry + 4 <= end; entry += 4)
		{
			words[entry[0] & 0xFFFF] += (entry[0] >> 16) * weight + 1;
			words[entry[1] & 0xFFFF] += (entry[1] >> 16) * weight + 1;
			words[entry[2] & 0xFFFF] += (entry[2] >> 16) * weight + 1;
			words[entry[3] & 0xFFFF] += (entry[3] >> 16) * weight + 1;
		}
		for (; entry < end; entry++)
			words[*entry & 0xFFFF] += (*entry >> 16) * weight + 1;
	}
}

/* Where in a user's history, which begins at `first`, the row's item stands. */
static uint64
find_item(const RecsysMatrix *matrix, uint64 first, uint64 last, uint32 item)
{
	while (first + 1 < last)
	{
		uint64		middle = first + (last - first) / 2;

		if ((matrix->narrow != NULL ? matrix->narrow[middle] : matrix->columns[middle]) <= item)
			first = middle;
		else
			last = middle;
	}
	return first;
}

/* Weights of a user's history as they count for the row, one for each entry */
static inline const float *
history_weights(const RecsysCountedUsers *counted, uint64 first, uint64 last)
{
	const RecsysMatrix *matrix = counted->matrix;

	if (counted->succession == NULL)
		return matrix->weights + first;
	return RecsysSuccessionWeights(counted->succession,
								   matrix->places[find_item(matrix, first, last, counted->item)],
								   matrix->places + first, matrix->weights + first,
								   (int) (last - first));
}

/* columns is an array of 16 or 32-bit numbers */
#define ADD_WEIGHTED_LOOP(columns) \
	do { \
		for (uint64 y = first; y < last; y++) \
		{ \
			RecsysWeightedSum *sum = &sums[(columns)[y]]; \
			\
			sum->count++; \
			sum->dot += RecsysProduct(weight, entries[y - first]); \
		} \
	} while (0)

void
RecsysCountWeighted(RecsysWeightedSum *sums, const RecsysCountedUsers *counted)
{
	const uint32 *columns = counted->matrix->columns;
	const uint16 *narrow = counted->matrix->narrow;
	const float *all_weights = counted->matrix->weights;
	const float *weights = counted->weights;
	COPY_USERS(counted);

	for (uint64 x = 0; x < n; x++)
	{
		uint64		first = offsets[users[x]];
		uint64		last = offsets[users[x] + 1];
		const float *entries = history_weights(counted, first, last);
		double		weight = weights[x];

		fetch_ahead(offsets, (const char *) all_weights, sizeof(float), users, x, n_total);
		if (narrow != NULL)
		{
			fetch_ahead(offsets, (const char *) narrow, sizeof(uint16), users, x, n_total);
			ADD_WEIGHTED_LOOP(narrow);
		}
		else
		{
			fetch_ahead(offsets, (const char *) columns, sizeof(uint32), users, x, n_total);
			ADD_WEIGHTED_LOOP(columns);
		}
	}
}

/*
 * Additions that note what is met first.  Whether an item has been met nobody can predict, so
 * it is written to the end of the list in any case, and the end moves on or does not.
 */
#define TOUCH_LOOP(columns) \
	do { \
		for (uint64 y = first; y < last; y++) \
		{ \
			uint32		count = counts[(columns)[y]]; \
			\
			touched[ntouched] = (columns)[y]; \
			ntouched += count == 0; \
			counts[(columns)[y]] = count + 1; \
		} \
	} while (0)

#define TOUCH_WEIGHTED_LOOP(columns) \
	do { \
		for (uint64 y = first; y < last; y++) \
		{ \
			RecsysWeightedSum *sum = &sums[(columns)[y]]; \
			\
			touched[ntouched] = (columns)[y]; \
			ntouched += sum->count == 0; \
			sum->count++; \
			sum->dot += RecsysProduct(weight, entries[y - first]); \
		} \
	} while (0)

static uint32
touch_weighted(RecsysWeightedSum *restrict sums, uint32 *restrict touched, uint32 ntouched,
			   const RecsysCountedUsers *counted)
{
	const uint32 *columns = counted->matrix->columns;
	const uint16 *narrow = counted->matrix->narrow;
	const float *all_weights = counted->matrix->weights;
	const float *weights = counted->weights;
	COPY_USERS(counted);

	for (uint64 x = 0; x < n; x++)
	{
		uint64		first = offsets[users[x]];
		uint64		last = offsets[users[x] + 1];
		const float *entries = history_weights(counted, first, last);
		double		weight = weights[x];

		fetch_ahead(offsets, (const char *) all_weights, sizeof(float), users, x, n_total);
		if (narrow != NULL)
		{
			fetch_ahead(offsets, (const char *) narrow, sizeof(uint16), users, x, n_total);
			TOUCH_WEIGHTED_LOOP(narrow);
		}
		else
		{
			fetch_ahead(offsets, (const char *) columns, sizeof(uint32), users, x, n_total);
			TOUCH_WEIGHTED_LOOP(columns);
		}
	}
	return ntouched;
}

uint32
RecsysCountTouching(uint32 *restrict counts, RecsysWeightedSum *sums, uint32 *restrict touched,
					uint32 ntouched, const RecsysCountedUsers *counted)
{
	const uint32 *columns = counted->matrix->columns;
	const uint16 *narrow = counted->matrix->narrow;
	COPY_USERS(counted);

	if (sums != NULL)
		return touch_weighted(sums, touched, ntouched, counted);
	for (uint64 x = 0; x < n; x++)
	{
		uint64		first = offsets[users[x]];
		uint64		last = offsets[users[x] + 1];

		if (narrow != NULL)
		{
			fetch_ahead(offsets, (const char *) narrow, sizeof(uint16), users, x, n_total);
			TOUCH_LOOP(narrow);
		}
		else
		{
			fetch_ahead(offsets, (const char *) columns, sizeof(uint32), users, x, n_total);
			TOUCH_LOOP(columns);
		}
	}
	return ntouched;
}

/* By Cauchy and Schwarz no product sum exceeds the largest sum of squares. */
bool
RecsysCanPackCounts(const RecsysMatrix *users, const RecsysItemTotals *totals, int *count_bits)
{
	double		scale = ldexp(1.0, 2 * users->weight_shift);
	double		largest = 0.0;
	uint32		most_users = 1;

	if (users->packed == NULL)
		return false;
	for (uint32 item = 0; item < totals->nitems; item++)
	{
		largest = Max(largest, totals->norm2[item] * scale);
		most_users = Max(most_users, totals->users[item]);
	}
	*count_bits = 1;
	while (*count_bits < 32 && most_users >> *count_bits != 0)
		(*count_bits)++;

	/* 53: so that the sum is exact in a double as well */
	return largest < ldexp(1.0, Min(64 - *count_bits, 53)) - 1.0;
}

RECSYS_TARGET_CLONES uint32
RecsysTakeNarrow(uint16 *narrow, uint32 *counts, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		counts[x] = narrow[x];
		largest = Max(largest, counts[x]);
	}
	if (largest > 0)
		memset(narrow, 0, n * sizeof(uint16));
	return largest;
}

RECSYS_TARGET_CLONES uint32
RecsysTakeWide(uint32 *wide, uint32 *counts, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		counts[x] = wide[x];
		largest = Max(largest, counts[x]);
	}
	if (largest > 0)
		memset(wide, 0, n * sizeof(uint32));
	return largest;
}

RECSYS_TARGET_CLONES uint32
RecsysTakePacked(uint64 *words, uint32 *counts, double *dots, int n, int count_bits,
				 double unit)
{
	uint64		mask = (UINT64CONST(1) << count_bits) - 1;
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		counts[x] = (uint32) (words[x] & mask);
		largest = Max(largest, counts[x]);
	}
	if (largest == 0)
		return 0;
	for (int x = 0; x < n; x++)
		dots[x] = (double) (int64) (words[x] >> count_bits) * unit;
	memset(words, 0, n * sizeof(uint64));
	return largest;
}

uint32
RecsysTakeWeighted(RecsysWeightedSum *sums, uint32 *counts, double *dots, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		counts[x] = sums[x].count;
		dots[x] = sums[x].dot;
		largest = Max(largest, counts[x]);
	}
	if (largest > 0)
		memset(sums, 0, n * sizeof(RecsysWeightedSum));
	return largest;
}
