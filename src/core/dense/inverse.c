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
#include "core/dense/inverse.h"

#include "core/dense/area.h"
#include "core/dense/blas.h"

/* Columns that are swept at once. */
#define SWEEP_BLOCK 256

/* Columns, or rows, in a chunk of work */
#define UPDATE_BLOCK 256
#define PANEL_ROWS 256

/* Both triangles are made from one in tiles. */
#define TILE 64

typedef struct Sweep
{
	RecsysTeam *team;
	float	   *a;
	Size		n;
	Size		k;				/* first column of the block at hand, and how many there are */
	int			width;

	/* shared */
	float	   *panel;			/* n x width: the block's columns */
	float	   *product;		/* panel D */
	float	   *block;			/* D */
	bool	   *positive;
} Sweep;

static const float one = 1.0f;
static const float minus_one = -1.0f;
static const float zero = 0.0f;

static inline float *
at(const Sweep *sweep, Size row, Size column)
{
	return sweep->a + column * sweep->n + row;
}

static inline Size
chunks_of(Size total, Size chunk)
{
	return (total + chunk - 1) / chunk;
}

/* Column block k as a full n x width matrix: what stands above the diagonal comes from the rows. */
static void
copy_panel(Sweep *sweep)
{
	Size		n = sweep->n;
	Size		k = sweep->k;
	uint64		chunk;

	while (RecsysTeamClaim(sweep->team, chunks_of(n, PANEL_ROWS), &chunk))
	{
		Size		first = chunk * PANEL_ROWS;
		Size		last = Min(first + PANEL_ROWS, n);

		CHECK_FOR_INTERRUPTS();
		for (Size row = first; row < Min(last, k); row++)
		{
			for (int x = 0; x < sweep->width; x++)
				sweep->panel[x * n + row] = *at(sweep, k + x, row);
		}
		for (int x = 0; x < sweep->width; x++)
		{
			Size		row = Max(first, k);

			for (; row < Min(last, k + x); row++)
				sweep->panel[x * n + row] = *at(sweep, k + x, row);
			if (row < last)
				memcpy(sweep->panel + x * n + row, at(sweep, row, k + x),
					   sizeof(float) * (last - row));
		}
	}
	RecsysTeamWait(sweep->team);
}

/* Leader: the diagonal block's inverse, both triangles. */
static void
invert_block(Sweep *sweep)
{
	int			width = sweep->width;
	float	   *block = sweep->block;
	int			info;

	CHECK_FOR_INTERRUPTS();
	for (int x = 0; x < width; x++)
		memcpy(block + x * width, sweep->panel + x * sweep->n + sweep->k, sizeof(float) * width);
	spotrf_("L", &width, block, &width, &info, 1);
	if (info == 0)
		spotri_("L", &width, block, &width, &info, 1);
	*sweep->positive = info == 0;
	for (int x = 0; x < width; x++)
	{
		for (int y = 0; y < x; y++)
			block[y + x * width] = block[x + y * width];
	}
}

static void
multiply_panel(Sweep *sweep)
{
	int			order = (int) sweep->n;
	int			width = sweep->width;
	uint64		chunk;

	while (RecsysTeamClaim(sweep->team, chunks_of(sweep->n, PANEL_ROWS), &chunk))
	{
		Size		row = chunk * PANEL_ROWS;
		int			rows = (int) Min(sweep->n - row, PANEL_ROWS);

		CHECK_FOR_INTERRUPTS();
		sgemm_("N", "N", &rows, &width, &width, &one, sweep->panel + row, &order,
			   sweep->block, &width, &zero, sweep->product + row, &order, 1, 1);
	}
	RecsysTeamWait(sweep->team);
}

/* Everything below the diagonal, longest columns first */
static void
update(Sweep *sweep)
{
	int			order = (int) sweep->n;
	int			width = sweep->width;
	uint64		chunk;

	while (RecsysTeamClaim(sweep->team, chunks_of(sweep->n, UPDATE_BLOCK), &chunk))
	{
		Size		column = chunk * UPDATE_BLOCK;
		int			columns = (int) Min(sweep->n - column, UPDATE_BLOCK);
		int			rows = (int) (sweep->n - column);

		CHECK_FOR_INTERRUPTS();
		sgemm_("N", "T", &rows, &columns, &width, &minus_one, sweep->product + column, &order,
			   sweep->panel + column, &order, &one, at(sweep, column, column), &order, 1, 1);
	}
	RecsysTeamWait(sweep->team);
}

/* The update has gone through the block's own rows and columns too. */
static void
put_panel(Sweep *sweep)
{
	Size		n = sweep->n;
	Size		k = sweep->k;
	int			width = sweep->width;
	uint64		chunk;

	while (RecsysTeamClaim(sweep->team, chunks_of(n, PANEL_ROWS), &chunk))
	{
		Size		first = chunk * PANEL_ROWS;
		Size		last = Min(first + PANEL_ROWS, n);

		for (Size row = first; row < Min(last, k); row++)
		{
			for (int x = 0; x < width; x++)
				*at(sweep, k + x, row) = sweep->product[x * n + row];
		}
		for (Size row = Max(first, k); row < Min(last, k + width); row++)
		{
			for (int x = 0; x <= row - k; x++)
				*at(sweep, row, k + x) = -sweep->block[row - k + x * width];
		}
		for (int x = 0; x < width; x++)
		{
			Size		row = Max(first, k + width);

			if (row < last)
				memcpy(at(sweep, row, k + x), sweep->product + x * n + row,
					   sizeof(float) * (last - row));
		}
	}
	RecsysTeamWait(sweep->team);
}

/* The other sign, and the upper triangle from the lower one. */
static void
finish(Sweep *sweep)
{
	Size		n = sweep->n;
	uint64		chunk;

	while (RecsysTeamClaim(sweep->team, chunks_of(n, TILE), &chunk))
	{
		Size		first = chunk * TILE;

		CHECK_FOR_INTERRUPTS();
		for (Size second = first; second < n; second += TILE)
		{
			for (Size column = first; column < Min(first + TILE, n); column++)
			{
				for (Size row = Max(second, column); row < Min(second + TILE, n); row++)
				{
					float		entry = -*at(sweep, row, column);

					*at(sweep, row, column) = entry;
					*at(sweep, column, row) = entry;
				}
			}
		}
	}
	RecsysTeamWait(sweep->team);
}

static Size
lay_out(Size n, void *shared, Sweep *sweep)
{
	RecsysArea	area = {shared, 0};
	Size		most = Min(n, SWEEP_BLOCK);

	sweep->panel = RecsysCarve(&area, sizeof(float) * n * most);
	sweep->product = RecsysCarve(&area, sizeof(float) * n * most);
	sweep->block = RecsysCarve(&area, sizeof(float) * most * most);
	sweep->positive = RecsysCarve(&area, sizeof(bool));
	return area.used;
}

bool
RecsysInvert(RecsysTeam *team, float *a, Size n, void *shared)
{
	Sweep		sweep = {.team = team, .a = a, .n = n};

	(void) lay_out(n, shared, &sweep);
	for (sweep.k = 0; sweep.k < n; sweep.k += SWEEP_BLOCK)
	{
		sweep.width = (int) Min(n - sweep.k, SWEEP_BLOCK);
		copy_panel(&sweep);
		if (RecsysTeamLeads(team))
			invert_block(&sweep);
		RecsysTeamWait(team);
		if (!*sweep.positive)
			return false;
		multiply_panel(&sweep);
		update(&sweep);
		put_panel(&sweep);
	}
	finish(&sweep);
	return true;
}

Size
RecsysInvertShared(Size n)
{
	Sweep		none;

	return lay_out(n, NULL, &none);
}
