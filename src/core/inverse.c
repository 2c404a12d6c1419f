/*
 * inverse.c
 *	  Inverse of a large symmetric positive definite matrix, in place.
 *
 * The sweep operator (Goodnight 1979, "A tutorial on the SWEEP operator"), block
 * by block.  For the block k, with D = inverse(A_kk):
 *
 *		A_ij := A_ij - A_ik D A_kj,   A_ik := A_ik D,   A_kk := -D
 *
 * When all blocks have been swept A is minus the inverse.  That is as many
 * operations as a Cholesky factorization and an inverse from it (n^3), but all of
 * it is one product of matrices after the other, which BLAS is best at and which can be
 * cut into pieces between which a backend looks whether it was canceled.
 */
#include "core/inverse.h"

#include "core/blas.h"

/* Columns that are swept at once. */
#define SWEEP_BLOCK 256

/* Columns of the matrix that one call updates. */
#define UPDATE_BLOCK 512

static inline float *
at(float *a, Size n, Size row, Size column)
{
	return a + column * n + row;
}

/* Column block k as a full n x width matrix: what stands above the diagonal comes from the rows. */
static void
copy_panel(float *a, Size n, Size k, int width, float *panel)
{
	for (int x = 0; x < width; x++)
	{
		for (Size row = 0; row < k; row++)
			panel[x * n + row] = *at(a, n, k + x, row);
		for (Size row = k; row < k + x; row++)
			panel[x * n + row] = *at(a, n, k + x, row);
		memcpy(panel + x * n + k + x, at(a, n, k + x, k + x), sizeof(float) * (n - k - x));
	}
}

/* The diagonal block's inverse, both triangles. */
static bool
invert_block(const float *panel, Size n, Size k, int width, float *block)
{
	int			info;

	for (int x = 0; x < width; x++)
		memcpy(block + x * width, panel + x * n + k, sizeof(float) * width);
	spotrf_("L", &width, block, &width, &info, 1);
	if (info == 0)
		spotri_("L", &width, block, &width, &info, 1);
	if (info != 0)
		return false;
	for (int x = 0; x < width; x++)
	{
		for (int y = 0; y < x; y++)
			block[y + x * width] = block[x + y * width];
	}
	return true;
}

bool
RecsysInvert(float *a, Size n)
{
	int			order = (int) n;
	int			most = (int) Min(n, SWEEP_BLOCK);
	float	   *panel;
	float	   *product;
	float	   *block;
	bool		positive = true;
	const float one = 1.0f;
	const float minus_one = -1.0f;
	const float zero = 0.0f;

	if (n == 0)
		return true;
	panel = recsys_alloc_huge(sizeof(float) * n * most);
	product = recsys_alloc_huge(sizeof(float) * n * most);
	block = palloc(sizeof(float) * most * most);
	for (Size k = 0; k < n && positive; k += SWEEP_BLOCK)
	{
		int			width = (int) Min(n - k, SWEEP_BLOCK);

		CHECK_FOR_INTERRUPTS();
		copy_panel(a, n, k, width, panel);
		positive = invert_block(panel, n, k, width, block);
		if (!positive)
			break;
		for (Size row = 0; row < n; row += 8 * UPDATE_BLOCK)
		{
			int			rows = (int) Min(n - row, 8 * UPDATE_BLOCK);

			CHECK_FOR_INTERRUPTS();
			sgemm_("N", "N", &rows, &width, &width, &one, panel + row, &order, block, &width,
				   &zero, product + row, &order, 1, 1);
		}
		for (Size column = 0; column < n; column += UPDATE_BLOCK)
		{
			int			columns = (int) Min(n - column, UPDATE_BLOCK);
			int			rows = (int) (n - column);

			CHECK_FOR_INTERRUPTS();
			sgemm_("N", "T", &rows, &columns, &width, &minus_one, product + column, &order,
				   panel + column, &order, &one, at(a, n, column, column), &order, 1, 1);
		}

		/* the update has gone through the block's own rows and columns too */
		for (int x = 0; x < width; x++)
		{
			for (Size row = 0; row < k; row++)
				*at(a, n, k + x, row) = product[x * n + row];
			for (int y = x; y < width; y++)
				*at(a, n, k + y, k + x) = -block[y + x * width];
			memcpy(at(a, n, k + width, k + x), product + x * n + k + width,
				   sizeof(float) * (n - k - width));
		}
	}
	for (Size column = 0; column < n && positive; column++)
	{
		float	   *entries = at(a, n, 0, column);

		for (Size row = column; row < n; row++)
			entries[row] = -entries[row];
	}
	pfree(panel);
	pfree(product);
	pfree(block);
	return positive;
}

Size
RecsysInvertMemory(Size n)
{
	return sizeof(float) * (2 * n * SWEEP_BLOCK + SWEEP_BLOCK * SWEEP_BLOCK);
}
