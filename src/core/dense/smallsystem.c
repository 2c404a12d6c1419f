/*
 * smallsystem.c
 *	  Symmetric systems of equations of some dozen unknowns, in single precision.
 *
 * A library of linear algebra is made for large matrices: of what it takes for 40 unknowns most is
 * packing, choosing and calling.  Here the loops are written for vectors of the compiler's, of as
 * many lanes as the widest processors have, and everything stays in the nearest cache.
 *
 * Columns begin at a multiple of the lanes and are worked on in whole vectors.  So numbers above
 * the diagonal are computed along, which nobody looks at.
 */
#include "core/dense/smallsystem.h"

#include <math.h>

#define LANES RECSYS_SMALL_LANES

typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float Half __attribute__((vector_size(LANES * sizeof(float) / 2)));
typedef float Quarter __attribute__((vector_size(LANES * sizeof(float) / 4)));

#define QUARTER (LANES / 4)

/* Products of so many rows with so many others at once: their sums stay in registers. */
#define ROWS 4
#define OTHERS 2

/*
 * Vectors are not passed by value: how they would be depends on the processor that is compiled for.
 */
static inline __attribute__((always_inline)) void
load(Lanes *lanes, const float *from)
{
	memcpy(lanes, from, sizeof(*lanes));
}

static inline __attribute__((always_inline)) void
store(float *to, const Lanes *lanes)
{
	memcpy(to, lanes, sizeof(*lanes));
}

/* Adds up four lanes each. */
static inline __attribute__((always_inline)) void
add_quarters(const Lanes *lanes, float *sums)
{
	Lanes		all = *lanes;
	Half		halves[2];
	Quarter		quarters[2];

	memcpy(halves, &all, sizeof(halves));
	halves[0] += halves[1];
	memcpy(quarters, &halves[0], sizeof(quarters));
	quarters[0] += quarters[1];
	memcpy(sums, &quarters[0], sizeof(quarters[0]));
}

static inline __attribute__((always_inline)) float
sum_of(const Lanes *lanes)
{
	float		sums[QUARTER];

	add_quarters(lanes, sums);
	return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Of ROWS rows with OTHERS; some of them may be the same */
static inline __attribute__((always_inline)) void
multiply_rows(const float *const *rows, const float *const *others, int length, float *products)
{
	float		quarters[ROWS * OTHERS * QUARTER];
	Lanes		sums[ROWS][OTHERS] = {{{0}}};
	int			x = 0;

	for (; x + LANES <= length; x += LANES)
	{
		Lanes		left[ROWS];

		for (int row = 0; row < ROWS; row++)
			load(&left[row], rows[row] + x);
		for (int other = 0; other < OTHERS; other++)
		{
			Lanes		right;

			load(&right, others[other] + x);
			for (int row = 0; row < ROWS; row++)
				sums[row][other] += left[row] * right;
		}
	}
	for (int row = 0; row < ROWS; row++)
		for (int other = 0; other < OTHERS; other++)
			add_quarters(&sums[row][other], quarters + (row * OTHERS + other) * QUARTER);
	for (int y = 0; y < ROWS * OTHERS; y++)
		products[y] = (quarters[y * QUARTER] + quarters[y * QUARTER + 1]) +
			(quarters[y * QUARTER + 2] + quarters[y * QUARTER + 3]);
	for (; x < length; x++)
		for (int y = 0; y < ROWS * OTHERS; y++)
			products[y] += rows[y / OTHERS][x] * others[y % OTHERS][x];
}

RECSYS_TARGET_CLONES void
RecsysSmallProducts(const float *rows, int n, int length, float *matrix)
{
	Size		stride = RECSYS_SMALL_STRIDE(n);

	memset(matrix, 0, sizeof(float) * RECSYS_SMALL_SIZE(n));
	for (int row = 0; row < n; row += ROWS)
	{
		const float *some[ROWS];

		for (int x = 0; x < ROWS; x++)
			some[x] = rows + (Size) Min(row + x, n - 1) * length;
		for (int other = 0; other < Min(row + ROWS, n); other += OTHERS)
		{
			const float *others[OTHERS];
			float		products[ROWS * OTHERS];

			for (int y = 0; y < OTHERS; y++)
				others[y] = rows + (Size) Min(other + y, n - 1) * length;
			multiply_rows(some, others, length, products);
			for (int x = 0; x < Min(ROWS, n - row); x++)
				for (int y = 0; y < OTHERS; y++)
					if (other + y <= row + x)
						matrix[(other + y) * stride + row + x] = products[x * OTHERS + y];
		}
	}
	for (Size x = 0; x < (Size) n; x++)
		matrix[x * stride + x] += 1.0f;
}

/*
 * Subtracts what the columns before a column take from n vectors of it, the first of which is of
 * the rows from `first` on.  Two sums each, as every addition waits for the one before.
 */
static inline __attribute__((always_inline)) void
subtract_columns(float *matrix, Size stride, Size column, Size first, int n)
{
	Lanes		even[4];
	Lanes		odd[4] = {{0}};
	float	   *entries = matrix + column * stride + first;
	const float *from = matrix + first;
	const float *times = matrix + column;
	Size		x = 0;

	for (int y = 0; y < n; y++)
		load(&even[y], entries + y * LANES);
	for (; x + 1 < column; x += 2)
		for (int y = 0; y < n; y++)
		{
			Lanes		one;
			Lanes		other;

			load(&one, from + x * stride + y * LANES);
			load(&other, from + (x + 1) * stride + y * LANES);
			even[y] -= times[x * stride] * one;
			odd[y] += times[(x + 1) * stride] * other;
		}
	for (int y = 0; y < n; y++)
	{
		Lanes		last = {0};

		if (x < column)
			load(&last, from + x * stride + y * LANES);
		even[y] -= odd[y] + times[x * stride] * last;
		store(entries + y * LANES, &even[y]);
	}
}

RECSYS_TARGET_CLONES bool
RecsysSmallFactorize(float *matrix, int order)
{
	Size		stride = RECSYS_SMALL_STRIDE(order);

	for (Size column = 0; column < (Size) order; column++)
	{
		float	   *entries = matrix + column * stride;
		Size		first = column / LANES * LANES;
		Size		at = first;
		float		scale;

		for (; at + 4 * LANES <= stride; at += 4 * LANES)
			subtract_columns(matrix, stride, column, at, 4);
		if (at + 2 * LANES <= stride)
		{
			subtract_columns(matrix, stride, column, at, 2);
			at += 2 * LANES;
		}
		if (at < stride)
			subtract_columns(matrix, stride, column, at, 1);
		if (!(entries[column] > 0.0f) || !isfinite(entries[column]))
			return false;
		scale = 1.0f / sqrtf(entries[column]);
		for (at = first; at < stride; at += LANES)
		{
			Lanes		some;

			load(&some, entries + at);
			some *= scale;
			store(entries + at, &some);
		}
	}
	return true;
}

RECSYS_TARGET_CLONES void
RecsysSmallSolve(const float *factorized, int order, float *right, float *room)
{
	Size		stride = RECSYS_SMALL_STRIDE(order);
	float	   *left = room;		/* of the right side, then what is found */
	float	   *halfway = room + stride;

	memset(room, 0, sizeof(float) * 2 * stride);
	memcpy(left, right, sizeof(float) * order);
	for (Size column = 0; column < (Size) order; column++)
	{
		const float *entries = factorized + column * stride;

		halfway[column] = left[column] / entries[column];
		for (Size at = column / LANES * LANES; at < stride; at += LANES)
		{
			Lanes		rest;
			Lanes		some;

			load(&rest, left + at);
			load(&some, entries + at);
			rest -= halfway[column] * some;
			store(left + at, &rest);
		}
	}
	memset(left, 0, sizeof(float) * stride);
	for (Size column = order; column-- > 0;)
	{
		const float *entries = factorized + column * stride;
		Lanes		sum = {0};

		for (Size at = column / LANES * LANES; at < stride; at += LANES)
		{
			Lanes		known;
			Lanes		some;

			load(&known, left + at);
			load(&some, entries + at);
			sum += known * some;
		}
		left[column] = (halfway[column] - sum_of(&sum)) / entries[column];
	}
	memcpy(right, left, sizeof(float) * order);
}
