/*
 * passrow.c
 *	  The counters of one row, over a stream of histories.
 *
 * Rows of a pass share the memory, so they are small.  A row has one of two layouts,
 * whichever is smaller:
 *
 *	dense	a counter for each item, of 8, 16 or 32 bits depending on how many
 *			users the row's item has (no pair can have more)
 *	hashed	an open-addressing table, at most two thirds full, for rows whose
 *			users have so few items between them that most counters of a dense
 *			row would stay zero
 *
 * When weights matter, either has a double beside each counter.
 */
#include "core/pairs/passrow.h"

#include "core/base/product.h"

/* How many users ahead a history is fetched into the cache, and how much of it */
#define PREFETCH_HISTORY 4
#define PREFETCH_BYTES 256
#define CACHE_LINE 64

static inline Size
align_up(Size size)
{
	return (size + 7) & ~(Size) 7;
}

Size
RecsysPassRowPlan(RecsysPassRow *row, const RecsysItemTotals *totals, uint32 item,
					uint32 min_support, bool weighted, uint32 chunk_rows)
{
	Size		dot_width = weighted ? sizeof(double) : 0;
	uint32		users = totals->users[item];
	uint64		nslots = totals->work[item] + totals->work[item] / 2 + 2;
	Size		list;
	Size		dense;
	Size		hashed;

	memset(row, 0, sizeof(RecsysPassRow));
	row->item = item;
	row->nitems = totals->nitems;
	row->weighted = weighted;
	if (!RecsysRowIsComputed(totals, item, min_support))
		return 0;
	row->room = Min(users, chunk_rows);
	list = align_up((Size) row->room * (sizeof(uint32) + (weighted ? sizeof(float) : 0)));
	row->width = users <= 255 ? 1 : users <= PG_UINT16_MAX ? 2 : 4;
	dense = align_up((Size) totals->nitems * row->width) + totals->nitems * dot_width;
	hashed = nslots * (2 * sizeof(uint32) + dot_width);
	if (hashed >= dense || nslots > PG_INT32_MAX)
		return dense + list;
	row->nslots = (uint32) nslots;
	return hashed + list;
}

void
RecsysPassRowPlace(RecsysPassRow *row, char *place)
{
	if (row->width == 0)
		return;
	if (row->nslots > 0)
	{
		row->slots = (uint32 *) place;
		place += (Size) row->nslots * 2 * sizeof(uint32);
	}
	else
	{
		row->counts = place;
		place += align_up((Size) row->nitems * row->width);
	}
	if (row->weighted)
	{
		row->dots = (double *) place;
		place += sizeof(double) * (row->nslots > 0 ? row->nslots : row->nitems);
		row->weights = (float *) place;
		place += sizeof(float) * row->room;
	}
	row->users = (uint32 *) place;
}

/* Bring the beginning of a history to come into the cache. */
static inline __attribute__((always_inline)) void
fetch_ahead(const RecsysMatrix *matrix, const RecsysPassRow *row, uint32 x)
{
	const char *place;

	if (x + PREFETCH_HISTORY >= row->nusers)
		return;
	place = matrix->narrow != NULL ?
		(const char *) (matrix->narrow + matrix->offsets[row->users[x + PREFETCH_HISTORY]]) :
		(const char *) (matrix->columns + matrix->offsets[row->users[x + PREFETCH_HISTORY]]);
	for (int byte = 0; byte < PREFETCH_BYTES; byte += CACHE_LINE)
		__builtin_prefetch(place + byte);
}

/* Histories into counters of one type; columns is an array of 16 or 32-bit numbers. */
#define COUNT_DENSE(ctype, itype, columns) \
	do { \
		ctype	   *counts = (ctype *) row->counts; \
		\
		for (uint32 x = first; x < last; x++) \
		{ \
			const itype *entry = (columns) + offsets[row->users[x]]; \
			const itype *end = (columns) + offsets[row->users[x] + 1]; \
			\
			fetch_ahead(matrix, row, x); \
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
count_dense(const RecsysMatrix *matrix, const RecsysPassRow *row, uint32 first, uint32 last)
{
	const uint64 *offsets = matrix->offsets;
	const uint16 *narrow = matrix->narrow;
	const uint32 *columns = matrix->columns;

	if (narrow != NULL && row->width == 1)
		COUNT_DENSE(uint8, uint16, narrow);
	else if (narrow != NULL && row->width == 2)
		COUNT_DENSE(uint16, uint16, narrow);
	else if (narrow != NULL)
		COUNT_DENSE(uint32, uint16, narrow);
	else if (row->width == 1)
		COUNT_DENSE(uint8, uint32, columns);
	else if (row->width == 2)
		COUNT_DENSE(uint16, uint32, columns);
	else
		COUNT_DENSE(uint32, uint32, columns);
}

static void
add_dots(RecsysPassRow *row, const RecsysMatrix *matrix, uint64 start, const float *weights,
		 double weight, int count)
{
	for (int x = 0; x < count; x++)
		row->dots[RecsysMatrixColumn(matrix, start + x)] += RecsysProduct(weight, weights[x]);
}

static void
add_hashed(RecsysPassRow *row, const RecsysMatrix *matrix, uint64 start, const float *weights,
		   double weight, int count)
{
	for (int x = 0; x < count; x++)
	{
		uint32		key = RecsysMatrixColumn(matrix, start + x) + 1;
		uint32		hash = key * 0x9E3779B1U;
		uint32		place = (uint32) ((uint64) hash * row->nslots >> 32);

		while (row->slots[2 * (Size) place] != key)
		{
			if (row->slots[2 * (Size) place] == 0)
			{
				row->slots[2 * (Size) place] = key;
				break;
			}
			if (++place == row->nslots)
				place = 0;
		}
		row->slots[2 * (Size) place + 1]++;
		if (row->dots != NULL)
			row->dots[place] += RecsysProduct(weight, weights[x]);
	}
}

/* Where weights or a table do not let the plain loops do */
static void
count_otherwise(RecsysPassRow *row, const RecsysMatrix *matrix, uint32 first, uint32 last,
				RecsysSuccession *succession)
{
	for (uint32 x = first; x < last; x++)
	{
		uint64		start = matrix->offsets[row->users[x]];
		int			count = (int) (matrix->offsets[row->users[x] + 1] - start);
		const float *weights = row->weighted ? matrix->weights + start : NULL;
		double		weight = row->weighted ? row->weights[x] : 1.0;

		fetch_ahead(matrix, row, x);
		if (succession != NULL)
		{
			double		guess = (double) row->item / row->nitems;
			uint64		own = RecsysMatrixFind(matrix, row->users[x], row->item, guess);

			weights = RecsysSuccessionWeights(succession, matrix->places[own],
											  matrix->places + start, weights, count);
		}
		if (row->nslots > 0)
			add_hashed(row, matrix, start, weights, weight, count);
		else
			add_dots(row, matrix, start, weights, weight, count);
	}
}

void
RecsysPassRowCount(RecsysPassRow *row, const RecsysMatrix *chunk, uint32 first, uint32 last,
					 RecsysSuccession *succession)
{
	if (row->nslots == 0)
		count_dense(chunk, row, first, last);
	if (row->nslots > 0 || row->dots != NULL)
		count_otherwise(row, chunk, first, last, succession);
}

/* Copy n counters out; returns the largest. */
RECSYS_TARGET_CLONES static uint32
widen_bytes(const uint8 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

RECSYS_TARGET_CLONES static uint32
widen_shorts(const uint16 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

RECSYS_TARGET_CLONES static uint32
copy_words(const uint32 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

static void
offer_dense(const RecsysPassRow *row, RecsysRowSelector *selector, uint32 min_support)
{
	for (uint32 first = 0; first < row->nitems; first += RECSYS_SELECT_BLOCK)
	{
		int			n = Min(row->nitems - first, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		uint32		largest;

		if (row->width == 1)
			largest = widen_bytes((uint8 *) row->counts + first, counts, n);
		else if (row->width == 2)
			largest = widen_shorts((uint16 *) row->counts + first, counts, n);
		else
			largest = copy_words((uint32 *) row->counts + first, counts, n);
		if (largest >= min_support)
			RecsysRowSelectorOffer(selector, NULL, first, counts,
								   row->dots != NULL ? row->dots + first : NULL, n);
	}
}

static void
offer_hashed(const RecsysPassRow *row, RecsysRowSelector *selector)
{
	uint32		items[RECSYS_SELECT_BLOCK];
	uint32		counts[RECSYS_SELECT_BLOCK];
	double		dots[RECSYS_SELECT_BLOCK];
	int			n = 0;

	for (uint32 place = 0; place < row->nslots; place++)
	{
		if (row->slots[2 * (Size) place] == 0)
			continue;
		items[n] = row->slots[2 * (Size) place] - 1;
		counts[n] = row->slots[2 * (Size) place + 1];
		dots[n] = row->dots != NULL ? row->dots[place] : 0.0;
		if (++n == RECSYS_SELECT_BLOCK)
		{
			RecsysRowSelectorOffer(selector, items, 0, counts, dots, n);
			n = 0;
		}
	}
	if (n > 0)
		RecsysRowSelectorOffer(selector, items, 0, counts, dots, n);
}

void
RecsysPassRowOffer(const RecsysPassRow *row, RecsysRowSelector *selector, uint32 min_support)
{
	if (row->nslots > 0)
		offer_hashed(row, selector);
	else if (row->counts != NULL)
		offer_dense(row, selector, min_support);
}
