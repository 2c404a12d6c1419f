/*
 * cooccurrence.c
 *	  Item co-occurrence in memory: one row of the item graph after the other.
 *
 * For row i the histories of all users of item i are added into an array of
 * counters with one place per item, from which rowselect.c picks the
 * neighbors.  Nearly all of the time goes into that addition (the sum of the
 * squared history lengths: billions), and what bounds it is memory traffic,
 * so everything here is about size:
 *
 * - the histories are read from the matrix's compact copy if there is one;
 * - unweighted counters have 16 bits where the item has few enough users;
 * - a count and a weighted dot product share one 64-bit word if weights are
 *	 small integers (times a power of two): the product goes into the upper,
 *	 the count into the lower bits, and the sum is exact.  Other weights take a
 *	 double and a count, side by side;
 * - the histories of the users to come are fetched into the cache ahead.
 *
 * An item with few users touches few counters.  If looking through all of
 * them would be the larger part of the work, a list of the touched ones is
 * kept.
 */
#include "core/cooccurrence.h"

#include <math.h>

#include "core/rowselect.h"

/* Users between two checks for interrupts: well below a few milliseconds. */
#define USERS_PER_CHECK 64

/* How many users ahead a history, and where it is, are fetched. */
#define PREFETCH_HISTORY 3
#define PREFETCH_OFFSET 16
#define CACHE_LINE 64

/* Looking at one counter costs about this part of one update. */
#define SCAN_DISCOUNT 4

/* The upper end of the option's range, and the spare neighbors that come with it. */
#define LARGEST_NEIGHBORS 590

typedef enum Counting
{
	COUNT_NARROW,				/* compact copy, 16-bit counters */
	COUNT_WIDE,					/* 32-bit counters */
	COUNT_PACKED,				/* compact copy, product and count in a word */
	COUNT_WEIGHTED				/* WeightedSum */
} Counting;

/* Side by side, so that one addition goes to one cache line. */
typedef struct WeightedSum
{
	double		dot;
	uint32		count;
} WeightedSum;

struct RecsysKernel
{
	const RecsysMatrix *users;
	const RecsysMatrix *items;
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysRowSelector *selector;
	bool		weighted;		/* are dot products wanted? */
	bool		packable;		/* does COUNT_PACKED apply? */
	int			count_bits;		/* COUNT_PACKED: width of the count */

	/* the current row */
	Counting	counting;
	bool		touching;		/* is the list of touched items kept? */
	uint32		ntouched;
	uint32	   *touched;

	/* counters, all zero between rows; null where no row uses them */
	uint16	   *narrow;
	uint32	   *counts;
	WeightedSum *sums;
	uint64	   *words;
};

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

/*
 * The inner loops.  Each adds the histories of users[0 .. n-1], all of whom
 * have the row's item; n_total - n more of them follow behind, which may be
 * fetched ahead.
 */
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

static void
add_narrow(uint16 *counts, const uint64 *offsets, const uint16 *columns,
		   const uint32 *users, uint64 n, uint64 n_total)
{
	COUNT_HISTORIES(uint16, columns);
}

static void
add_wide(uint32 *counts, const uint64 *offsets, const RecsysMatrix *matrix,
		 const uint32 *users, uint64 n, uint64 n_total)
{
	if (matrix->narrow != NULL)
		COUNT_HISTORIES(uint16, matrix->narrow);
	else
		COUNT_HISTORIES(uint32, matrix->columns);
}

static void
add_packed(uint64 *words, const uint64 *offsets, const uint32 *packed,
		   const uint32 *users, const float *weights, float scale, int count_bits,
		   uint64 n, uint64 n_total)
{
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

/* columns is an array of 16 or 32-bit numbers */
#define ADD_WEIGHTED_LOOP(columns) \
	do { \
		for (uint64 y = offsets[users[x]]; y < last; y++) \
		{ \
			WeightedSum *sum = &sums[(columns)[y]]; \
			\
			sum->count++; \
			sum->dot += weight * all_weights[y]; \
		} \
	} while (0)

static void
add_weighted(WeightedSum *sums, const uint64 *offsets, const RecsysMatrix *matrix,
			 const uint32 *users, const float *weights, uint64 n, uint64 n_total)
{
	const uint32 *columns = matrix->columns;
	const uint16 *narrow = matrix->narrow;
	const float *all_weights = matrix->weights;

	for (uint64 x = 0; x < n; x++)
	{
		uint64		last = offsets[users[x] + 1];
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

/* As add_wide and add_weighted, and note each item at its first touch. */
static uint32
add_touching(uint32 *counts, WeightedSum *sums, uint32 *touched, uint32 ntouched,
			 const uint64 *offsets, const RecsysMatrix *matrix,
			 const uint32 *users, const float *weights, uint64 n, uint64 n_total)
{
	const uint32 *columns = matrix->columns;
	const uint16 *narrow = matrix->narrow;

	for (uint64 x = 0; x < n; x++)
	{
		uint64		last = offsets[users[x] + 1];

		if (narrow != NULL)
			fetch_ahead(offsets, (const char *) narrow, sizeof(uint16), users, x, n_total);
		else
			fetch_ahead(offsets, (const char *) columns, sizeof(uint32), users, x, n_total);
		for (uint64 y = offsets[users[x]]; y < last; y++)
		{
			uint32		item = narrow != NULL ? narrow[y] : columns[y];
			uint32	   *count = sums != NULL ? &sums[item].count : &counts[item];

			if ((*count)++ == 0)
				touched[ntouched++] = item;
			if (sums != NULL)
				sums[item].dot += (double) weights[x] * matrix->weights[y];
		}
	}
	return ntouched;
}

/*
 * Can product sums and counts share a word?  By Cauchy and Schwarz no product
 * sum exceeds the largest sum of squares.
 */
static bool
can_pack(const RecsysMatrix *users, const RecsysItemTotals *totals, int *count_bits)
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

/* Is a list of the touched counters less work than looking through all of them? */
static inline bool
is_touching(const RecsysItemTotals *totals, uint32 item)
{
	return totals->work[item] < totals->nitems / SCAN_DISCOUNT;
}

static void
choose_counting(RecsysKernel *kernel, uint32 item)
{
	kernel->touching = is_touching(kernel->totals, item);
	kernel->ntouched = 0;
	if (kernel->weighted)
		kernel->counting = kernel->packable && !kernel->touching ? COUNT_PACKED : COUNT_WEIGHTED;
	else if (kernel->users->narrow != NULL && !kernel->touching &&
			 kernel->totals->users[item] <= PG_UINT16_MAX)
		kernel->counting = COUNT_NARROW;
	else
		kernel->counting = COUNT_WIDE;
}

static void
count_row(RecsysKernel *kernel, uint32 item)
{
	const RecsysMatrix *matrix = kernel->users;
	const uint64 *offsets = matrix->offsets;
	uint64		last = kernel->items->offsets[item + 1];

	for (uint64 first = kernel->items->offsets[item]; first < last; first += USERS_PER_CHECK)
	{
		const uint32 *users = kernel->items->columns + first;
		const float *weights = kernel->weighted ? kernel->items->weights + first : NULL;
		uint64		n_total = last - first;
		uint64		n = Min(n_total, USERS_PER_CHECK);

		CHECK_FOR_INTERRUPTS();
		if (kernel->touching)
			kernel->ntouched = add_touching(kernel->counts, kernel->sums,
											kernel->touched, kernel->ntouched,
											offsets, matrix, users, weights, n, n_total);
		else if (kernel->counting == COUNT_NARROW)
			add_narrow(kernel->narrow, offsets, matrix->narrow, users, n, n_total);
		else if (kernel->counting == COUNT_PACKED)
			add_packed(kernel->words, offsets, matrix->packed, users, weights,
					   (float) (1 << matrix->weight_shift), kernel->count_bits, n, n_total);
		else if (kernel->counting == COUNT_WIDE)
			add_wide(kernel->counts, offsets, matrix, users, n, n_total);
		else
			add_weighted(kernel->sums, offsets, matrix, users, weights, n, n_total);
	}
}

/*
 * Copy one block of counters out, in the form the selector wants, and clear
 * it.  Returns the largest count.
 */
RECSYS_TARGET_CLONES static uint32
take_narrow(uint16 *narrow, uint32 *counts, int n)
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

RECSYS_TARGET_CLONES static uint32
take_wide(uint32 *wide, uint32 *counts, int n)
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

RECSYS_TARGET_CLONES static uint32
take_packed(uint64 *words, uint32 *counts, double *dots, int n, int count_bits, double unit)
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

static uint32
take_weighted(WeightedSum *sums, uint32 *counts, double *dots, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		counts[x] = sums[x].count;
		dots[x] = sums[x].dot;
		largest = Max(largest, counts[x]);
	}
	if (largest > 0)
		memset(sums, 0, n * sizeof(WeightedSum));
	return largest;
}

static void
offer_all(RecsysKernel *kernel, uint32 min_support)
{
	uint32		nitems = kernel->totals->nitems;
	double		unit = ldexp(1.0, -2 * kernel->users->weight_shift);

	for (uint32 first = 0; first < nitems; first += RECSYS_SELECT_BLOCK)
	{
		int			n = Min(nitems - first, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		double		dots[RECSYS_SELECT_BLOCK];
		uint32		largest;

		switch (kernel->counting)
		{
			case COUNT_NARROW:
				largest = take_narrow(kernel->narrow + first, counts, n);
				break;
			case COUNT_PACKED:
				largest = take_packed(kernel->words + first, counts, dots, n,
									  kernel->count_bits, unit);
				break;
			case COUNT_WEIGHTED:
				largest = take_weighted(kernel->sums + first, counts, dots, n);
				break;
			default:
				largest = take_wide(kernel->counts + first, counts, n);
				break;
		}
		if (largest >= min_support)
			RecsysRowSelectorOffer(kernel->selector, NULL, first, counts,
								   kernel->weighted ? dots : NULL, n);
	}
}

static void
offer_touched(RecsysKernel *kernel)
{
	for (uint32 start = 0; start < kernel->ntouched; start += RECSYS_SELECT_BLOCK)
	{
		const uint32 *touched = kernel->touched + start;
		int			n = Min(kernel->ntouched - start, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		double		dots[RECSYS_SELECT_BLOCK];

		for (int x = 0; x < n; x++)
		{
			if (kernel->weighted)
			{
				WeightedSum *sum = &kernel->sums[touched[x]];

				counts[x] = sum->count;
				dots[x] = sum->dot;
				sum->count = 0;
				sum->dot = 0.0;
			}
			else
			{
				counts[x] = kernel->counts[touched[x]];
				kernel->counts[touched[x]] = 0;
			}
		}
		RecsysRowSelectorOffer(kernel->selector, touched, 0, counts,
							   kernel->weighted ? dots : NULL, n);
	}
}

RecsysKernel *
RecsysKernelCreate(const RecsysMatrix *users, const RecsysMatrix *items,
				   const RecsysItemTotals *totals, const RecsysModelOptions *options)
{
	RecsysKernel *kernel = palloc0(sizeof(RecsysKernel));
	Size		nitems = Max(totals->nitems, 1);

	Assert(users->ncolumns == totals->nitems && items->nrows == totals->nitems);
	kernel->users = users;
	kernel->items = items;
	kernel->totals = totals;
	kernel->options = options;
	kernel->selector = RecsysRowSelectorCreate(totals, options);
	kernel->weighted = RecsysRowSelectorUsesDots(kernel->selector);
	kernel->touched = recsys_alloc_huge((nitems / SCAN_DISCOUNT + 1) * sizeof(uint32));
	if (kernel->weighted)
	{
		kernel->sums = recsys_alloc_huge_zero(nitems * sizeof(WeightedSum));
		kernel->packable = can_pack(users, totals, &kernel->count_bits);
		if (kernel->packable)
			kernel->words = recsys_alloc_huge_zero(nitems * sizeof(uint64));
	}
	else
	{
		kernel->counts = recsys_alloc_huge_zero(nitems * sizeof(uint32));
		if (users->narrow != NULL)
			kernel->narrow = recsys_alloc_huge_zero(nitems * sizeof(uint16));
	}
	return kernel;
}

void
RecsysKernelAnyOrder(RecsysKernel *kernel)
{
	RecsysRowSelectorAnyOrder(kernel->selector);
}

void
RecsysKernelRows(RecsysKernel *kernel, uint32 first, uint32 last,
				 RecsysRowReporter report, void *arg)
{
	const RecsysModelOptions *options = kernel->options;

	for (uint32 item = first; item < last; item++)
	{
		RecsysRowSelectorStart(kernel->selector, item);
		if (kernel->totals->users[item] >= options->min_support)
		{
			choose_counting(kernel, item);
			count_row(kernel, item);
			if (kernel->touching)
				offer_touched(kernel);
			else
				offer_all(kernel, options->min_support);
		}
		else if (item % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysRowSelectorFinish(kernel->selector, report, arg);
	}
}

void
RecsysKernelFree(RecsysKernel *kernel)
{
	if (kernel->narrow != NULL)
		pfree(kernel->narrow);
	if (kernel->words != NULL)
		pfree(kernel->words);
	if (kernel->sums != NULL)
		pfree(kernel->sums);
	if (kernel->counts != NULL)
		pfree(kernel->counts);
	pfree(kernel->touched);
	RecsysRowSelectorFree(kernel->selector);
	pfree(kernel);
}

void
RecsysCooccurrence(const RecsysMatrix *users, const RecsysMatrix *items,
				   const RecsysItemTotals *totals, const RecsysModelOptions *options,
				   uint32 first, uint32 last, RecsysRowReporter report, void *arg)
{
	RecsysKernel *kernel = RecsysKernelCreate(users, items, totals, options);

	RecsysKernelRows(kernel, first, last, report, arg);
	RecsysKernelFree(kernel);
}

uint64
RecsysKernelCost(const RecsysItemTotals *totals, uint32 item)
{
	return totals->work[item] +
		(is_touching(totals, item) ? 0 : totals->nitems / SCAN_DISCOUNT) + 1;
}

Size
RecsysCooccurrenceMemory(uint32 nitems, bool weighted)
{
	Size		per_item = sizeof(uint32) / SCAN_DISCOUNT;

	if (weighted)
		per_item += sizeof(WeightedSum) + sizeof(uint64);
	else
		per_item += sizeof(uint32) + sizeof(uint16);

	/* with the largest number of neighbors that an index can ask for */
	return sizeof(RecsysKernel) + Max((Size) nitems, 1) * per_item + sizeof(uint32) +
		RecsysRowSelectorMemory(nitems, LARGEST_NEIGHBORS, weighted);
}
