/*
 * matrix.c
 *	  Transposition of the sparse interaction matrix.
 *
 * A counting sort: count the entries of each column, turn the counts into
 * offsets, then walk the rows in order and drop each entry at its column's
 * next free place.  Rows are walked in ascending order, so the new columns
 * come out ascending within each new row without any sorting.
 */
#include "core/rows/matrix.h"

/* How many entries are handled between two checks for interrupts. */
#define ENTRIES_PER_CHECK 1000000

/* Steps away from the guess double until they have passed the column; then the gap is halved. */
uint64
RecsysMatrixFind(const RecsysMatrix *matrix, uint32 row, uint32 column, double guess)
{
	uint64		low = matrix->offsets[row]; /* what is before it is below the column */
	uint64		high = matrix->offsets[row + 1];	/* it and what is behind it is not */
	uint64		place = low + (uint64) ((high - low) * guess);
	uint64		step = 1;

	if (place < high && RecsysMatrixColumn(matrix, place) < column)
	{
		low = place + 1;
		while (low < high && low + step < high &&
			   RecsysMatrixColumn(matrix, low + step - 1) < column)
		{
			low += step;
			step *= 2;
		}
		high = Min(high, low + step);
	}
	else
	{
		high = place;
		while (high > low && high - low > step &&
			   RecsysMatrixColumn(matrix, high - step) >= column)
		{
			high -= step;
			step *= 2;
		}
		if (high - low > step)
			low = high - step;
	}
	while (low < high)
	{
		place = low + (high - low) / 2;
		if (RecsysMatrixColumn(matrix, place) < column)
			low = place + 1;
		else
			high = place;
	}
	return low;
}

static RecsysMatrix *
matrix_create(uint32 nrows, uint32 ncolumns, uint64 nentries, bool weighted)
{
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));

	matrix->nrows = nrows;
	matrix->ncolumns = ncolumns;
	matrix->offsets = recsys_alloc_huge_zero(((Size) nrows + 1) * sizeof(uint64));
	matrix->columns = recsys_alloc_huge(Max(nentries, 1) * sizeof(uint32));
	if (weighted)
		matrix->weights = recsys_alloc_huge(Max(nentries, 1) * sizeof(float));
	return matrix;
}

/*
 * Number of entries in each column.  counts[column + 1] is used, so that the
 * running sum leaves each column's first place at counts[column].
 */
static void
count_columns(const RecsysMatrix *matrix, uint64 *counts)
{
	uint64		nentries = matrix->offsets[matrix->nrows];

	for (uint64 start = 0; start < nentries; start += ENTRIES_PER_CHECK)
	{
		uint64		end = Min(start + ENTRIES_PER_CHECK, nentries);

		CHECK_FOR_INTERRUPTS();
		for (uint64 x = start; x < end; x++)
			counts[(Size) matrix->columns[x] + 1]++;
	}
}

RecsysMatrix *
RecsysMatrixTranspose(const RecsysMatrix *matrix)
{
	RecsysMatrix *result = matrix_create(matrix->ncolumns, matrix->nrows,
										 matrix->offsets[matrix->nrows],
										 matrix->weights != NULL);

	RecsysMatrixTransposeTo(matrix, result);
	return result;
}

void
RecsysMatrixTransposeTo(const RecsysMatrix *matrix, RecsysMatrix *result)
{
	uint64	   *places;
	uint64		since_check = 0;

	Assert(result->nrows == matrix->ncolumns && result->ncolumns == matrix->nrows);
	count_columns(matrix, result->offsets);
	for (uint32 row = 0; row < result->nrows; row++)
		result->offsets[row + 1] += result->offsets[row];

	/* the next free place of each new row */
	places = recsys_alloc_huge(((Size) result->nrows + 1) * sizeof(uint64));
	memcpy(places, result->offsets, ((Size) result->nrows + 1) * sizeof(uint64));

	for (uint32 row = 0; row < matrix->nrows; row++)
	{
		uint64		first = matrix->offsets[row];
		uint64		last = matrix->offsets[row + 1];

		for (uint64 x = first; x < last; x++)
		{
			uint64		place = places[matrix->columns[x]]++;

			result->columns[place] = row;
			if (matrix->weights != NULL)
				result->weights[place] = matrix->weights[x];
		}

		since_check += last - first;
		if (since_check >= ENTRIES_PER_CHECK)
		{
			CHECK_FOR_INTERRUPTS();
			since_check = 0;
		}
	}

	pfree(places);
}

void
RecsysMatrixFree(RecsysMatrix *matrix)
{
	pfree(matrix->offsets);
	pfree(matrix->columns);
	if (matrix->weights != NULL)
		pfree(matrix->weights);
	if (matrix->places != NULL)
		pfree(matrix->places);
	if (matrix->narrow != NULL)
		pfree(matrix->narrow);
	if (matrix->packed != NULL)
		pfree(matrix->packed);
	pfree(matrix);
}

Size
RecsysMatrixMemory(uint32 nrows, uint64 nentries, bool weighted)
{
	return sizeof(RecsysMatrix) +
		((Size) nrows + 1) * sizeof(uint64) +
		(Size) nentries * (sizeof(uint32) + (weighted ? sizeof(float) : 0));
}

/*
 * The power of two that makes all weights integers below 65,536, or -1 when
 * there is none.  More than 8 binary places are not tried.
 */
static int
find_weight_shift(const RecsysMatrix *matrix)
{
	uint64		nentries = matrix->offsets[matrix->nrows];
	float		largest = 0.0f;
	float		scale = 1.0f;
	int			shift = 0;

	for (uint64 x = 0; x < nentries; x++)
	{
		float		weight = matrix->weights[x];

		if (x % ENTRIES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (!(weight > 0.0f && weight < 65536.0f))
			return -1;
		largest = Max(largest, weight);
		while (weight * scale != (float) (uint32) (weight * scale))
		{
			if (++shift > 8)
				return -1;
			scale *= 2.0f;
			if (largest * scale >= 65536.0f)
				return -1;
		}
	}
	return largest * scale < 65536.0f ? shift : -1;
}

static void
fill_compact(RecsysMatrix *matrix, bool packed, void *place)
{
	uint64		nentries = matrix->offsets[matrix->nrows];
	float		scale = (float) (1 << Max(matrix->weight_shift, 0));

	if (!packed)
	{
		matrix->narrow = place;
		for (uint64 x = 0; x < nentries; x++)
			matrix->narrow[x] = (uint16) matrix->columns[x];
		return;
	}
	matrix->packed = place;
	for (uint64 x = 0; x < nentries; x++)
		matrix->packed[x] = (uint32) (matrix->weights[x] * scale) << 16 | matrix->columns[x];
}

bool
RecsysMatrixCompact(RecsysMatrix *matrix)
{
	uint64		nentries = matrix->offsets[matrix->nrows];
	bool		packed;

	if (matrix->narrow != NULL || matrix->packed != NULL)
		return true;
	if (matrix->ncolumns > RECSYS_COMPACT_COLUMNS)
		return false;

	if (matrix->weights != NULL)
		matrix->weight_shift = find_weight_shift(matrix);
	packed = matrix->weights != NULL && matrix->weight_shift >= 0;
	fill_compact(matrix, packed,
				 recsys_alloc_huge(RecsysMatrixCompactMemory(Max(nentries, 1), packed)));
	return true;
}

void
RecsysMatrixCompactTo(RecsysMatrix *matrix, void *place)
{
	Assert(matrix->ncolumns <= RECSYS_COMPACT_COLUMNS);
	if (matrix->weights != NULL)
		matrix->weight_shift = find_weight_shift(matrix);
	fill_compact(matrix, matrix->weights != NULL && matrix->weight_shift >= 0, place);
}

Size
RecsysMatrixCompactMemory(uint64 nentries, bool weighted)
{
	return (Size) nentries * (weighted ? sizeof(uint32) : sizeof(uint16));
}
