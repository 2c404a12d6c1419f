/*
 * test_smallsystem.c
 *	  Tests of core/dense/smallsystem: products, factors and solutions are those of plain loops in
 *	  double precision, for every order and for rows of any length.
 */
#include "core/dense/smallsystem.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define MAX_ORDER 130

static float
number(Random *random)
{
	return (float) ((double) (random_bits(random) % 2000001) / 1e6 - 1.0) / 3;
}

/* How far a matrix is from 1 + rows rows', and from the product of its factor with itself */
static double
furthest_product(const float *rows, int n, int length, const float *matrix, const float *factor)
{
	Size		stride = RECSYS_SMALL_STRIDE(n);
	double		furthest = 0;

	for (int row = 0; row < n; row++)
		for (int column = 0; column <= row; column++)
		{
			double		sum = row == column;

			for (int x = 0; x < length; x++)
				sum += (double) rows[row * length + x] * rows[column * length + x];
			furthest = Max(furthest, fabs(sum - matrix[column * stride + row]));
			for (int x = 0; x <= column; x++)
				sum -= (double) factor[x * stride + row] * factor[x * stride + column];
			furthest = Max(furthest, fabs(sum));
		}
	return furthest;
}

/* How far the matrix times what was found is from the right side */
static double
furthest_solution(const float *matrix, int n, const float *found, const float *right)
{
	Size		stride = RECSYS_SMALL_STRIDE(n);
	double		furthest = 0;

	for (int row = 0; row < n; row++)
	{
		double		sum = 0;

		for (int x = 0; x < n; x++)
			sum += (double) matrix[Min(row, x) * stride + Max(row, x)] * found[x];
		furthest = Max(furthest, fabs(sum - right[row]));
	}
	return furthest;
}

static double
test_order(Random *random, int n, int length)
{
	Size		size = RECSYS_SMALL_SIZE(n);
	float	   *rows = palloc(sizeof(float) * n * length);
	float	   *matrix = palloc(sizeof(float) * size);
	float	   *factor = palloc(sizeof(float) * size);
	float	   *room = palloc(sizeof(float) * 2 * RECSYS_SMALL_STRIDE(n));
	float	   *right = palloc(sizeof(float) * n);
	float	   *found = palloc(sizeof(float) * n);
	double		furthest = 1;

	for (int x = 0; x < n * length; x++)
		rows[x] = number(random);
	for (int x = 0; x < n; x++)
		right[x] = found[x] = number(random);

	/* what is there before does not matter */
	memset(matrix, 0xFF, sizeof(float) * size);
	memset(room, 0xFF, sizeof(float) * 2 * RECSYS_SMALL_STRIDE(n));
	RecsysSmallProducts(rows, n, length, matrix);
	memcpy(factor, matrix, sizeof(float) * size);
	if (RecsysSmallFactorize(factor, n))
	{
		RecsysSmallSolve(factor, n, found, room);
		furthest = Max(furthest_product(rows, n, length, matrix, factor), furthest_solution(matrix, n, found, right));
	}
	pfree(rows);
	pfree(matrix);
	pfree(factor);
	pfree(room);
	pfree(right);
	pfree(found);
	return furthest;
}

/* Matrices that are not positive definite, or no numbers */
static int
accepted(float diagonal, int at)
{
	enum
	{
		ORDER = 20
	};
	float		matrix[RECSYS_SMALL_SIZE(ORDER)] = {0};

	for (Size x = 0; x < ORDER; x++)
		matrix[x * RECSYS_SMALL_STRIDE(ORDER) + x] = (int) x == at ? diagonal : 1;
	return RecsysSmallFactorize(matrix, ORDER);
}

void
test_smallsystem(void)
{
	const int	lengths[] = {1, 7, 16, 33, 128};
	Random		random;
	int			wrong = 0;

	random_seed(&random, 1650);
	for (int length = 0; length < (int) lengthof(lengths); length++)
	{
		double		furthest = 0;

		for (int n = 1; n <= MAX_ORDER; n++)
			furthest = Max(furthest, test_order(&random, n, lengths[length]));
		ok(furthest < 1e-4, "rows of %d numbers, up to %d of them: no number is off by more than %g",
		   lengths[length], MAX_ORDER, furthest);
	}
	for (int at = 0; at < 20; at++)
		wrong += accepted(0, at) + accepted(-1, at) + accepted((float) NAN, at) + accepted((float) INFINITY, at) +
			!accepted(1, at);
	ok(wrong == 0, "what is not positive definite is told (%d)", wrong);
}
