/*
 * krylov.c
 *	  An orthonormal basis that grows block by block, in memory that a team shares.
 *
 * A new block is made orthogonal to the basis by taking off what the basis has of it, and
 * orthonormal in itself by the eigenvectors of the products of its vectors.  Both are
 * done again while rounding has left too much.
 *
 * Blocks are row-major, so a product with a sparse matrix reads and writes whole rows; for
 * BLAS they are transposed.  Rows, or blocks of the basis, are what members of a team
 * claim.
 */
#include "core/dense/krylov.h"

#include <math.h>

#include "core/base/random.h"
#include "core/dense/blas.h"

/*
 * A new block is orthogonal enough when its products with the basis were smaller than this
 * before they were taken off: what taking off leaves is rounding times that.
 */
#define SMALL_PRODUCT 0.03
#define MAX_PASSES 6

/* Rows that are fetched ahead */
#define FETCH_AHEAD 8
#define FLOATS_PER_LINE 16

static const float one = 1.0f;
static const float minus_one = -1.0f;
static const float zero = 0.0f;

/* -1 .. 1 */
static float
random_value(uint64 seed, uint64 number)
{
	return (float) RecsysRandomSigned(RecsysRandomAt(seed, number));
}

/*
 * The sum of rows, each times its weight.  The rows are all over a block that is larger than
 * the cache, so they are fetched ahead.
 */
RECSYS_TARGET_CLONES static void
gather(float *restrict result, const float *restrict rows, const uint32 *columns,
	   const float *weights, Size count)
{
	float		sums[BLOCK] = {0};

	for (Size x = 0; x < count; x++)
	{
		const float *row = rows + (Size) columns[x] * BLOCK;
		float		weight = weights != NULL ? weights[x] : 1.0f;

		if (x + FETCH_AHEAD < count)
		{
			const float *ahead = rows + (Size) columns[x + FETCH_AHEAD] * BLOCK;

			for (int y = 0; y < BLOCK; y += FLOATS_PER_LINE)
				__builtin_prefetch(ahead + y);
		}
		for (int y = 0; y < BLOCK; y++)
			sums[y] += weight * row[y];
	}
	memcpy(result, sums, sizeof(sums));
}

void
RecsysKrylovMultiply(Krylov *krylov, const RecsysMatrix *matrix, const float *block, float *result)
{
	Size		nchunks = ((Size) matrix->nrows + ROWS - 1) / ROWS;
	uint64		chunk;

	while (RecsysTeamClaim(krylov->team, nchunks, &chunk))
	{
		Size		last = Min((Size) matrix->nrows, (chunk + 1) * ROWS);

		CHECK_FOR_INTERRUPTS();
		for (Size row = chunk * ROWS; row < last; row++)
		{
			uint64		first = matrix->offsets[row];

			gather(result + row * BLOCK, block, matrix->columns + first,
				   matrix->weights != NULL ? matrix->weights + first : NULL,
				   matrix->offsets[row + 1] - first);
		}
	}
	RecsysTeamWait(krylov->team);
}

static inline int
rows_of(const Krylov *krylov, uint64 chunk)
{
	return (int) Min(krylov->n - chunk * ROWS, ROWS);
}

/* grams[chunk] = the products of the block's vectors over these rows */
static void
multiply_rows(Krylov *krylov, uint64 chunk)
{
	int			b = BLOCK;
	int			rows = rows_of(krylov, chunk);
	const float *block = krylov->block + chunk * ROWS * b;

	sgemm_("N", "T", &b, &b, &rows, &one, block, &b, block, &b, &zero,
		   krylov->grams + chunk * b * b, &b, 1, 1);
}

void
RecsysKrylovTakeOff(Krylov *krylov, int first)
{
	int			b = BLOCK;
	int			m = krylov->m;
	int			vectors = krylov->dims - first;
	int			n = (int) krylov->n;
	uint64		chunk;

	while (RecsysTeamClaim(krylov->team, (vectors + b - 1) / b, &chunk))
	{
		int			at = first + (int) chunk * b;
		int			count = Min(krylov->dims - at, b);

		CHECK_FOR_INTERRUPTS();
		sgemm_("N", "T", &count, &b, &n, &one, krylov->basis + at, &m, krylov->block, &b,
			   &zero, krylov->products + at, &m, 1, 1);
	}
	RecsysTeamWait(krylov->team);
	while (RecsysTeamClaim(krylov->team, krylov->nchunks, &chunk))
	{
		int			rows = rows_of(krylov, chunk);

		CHECK_FOR_INTERRUPTS();
		if (vectors > 0)
			sgemm_("T", "N", &b, &rows, &vectors, &minus_one, krylov->products + first, &m,
				   krylov->basis + chunk * ROWS * m + first, &m, &one,
				   krylov->block + chunk * ROWS * b, &b, 1, 1);
		multiply_rows(krylov, chunk);
	}
	RecsysTeamWait(krylov->team);
}

float *
RecsysKrylovSumGrams(Krylov *krylov)
{
	Size		size = (Size) BLOCK * BLOCK;

	for (Size x = 0; x < size; x++)
	{
		double		sum = 0;

		for (Size chunk = 0; chunk < krylov->nchunks; chunk++)
			sum += krylov->grams[chunk * size + x];
		krylov->rotation[x] = (float) sum;
	}
	return krylov->rotation;
}

void
RecsysKrylovDiagonalize(Krylov *krylov, float *matrix, int n, int stride, float *values)
{
	int			lwork = (int) RecsysEigenWork(n);
	int			liwork = (int) RecsysEigenIntegerWork(n);
	int			info;

	CHECK_FOR_INTERRUPTS();
	ssyevd_("V", "U", &n, matrix, &stride, values, krylov->work, &lwork,
			krylov->iwork, &liwork, &info, 1, 1);
	if (info != 0)
		elog(ERROR, "eigenvalues did not converge (%d)", info);
}

/*
 * Leader: the rotation that makes the block orthonormal, largest directions first.  By the
 * eigenvectors of the products of its vectors, which cannot fail, however dependent they
 * are (Stathopoulos, Wu 2002, "A block orthogonalization procedure with constant
 * synchronization requirements").
 */
static void
find_rotation(Krylov *krylov, double negligible)
{
	int			b = BLOCK;
	float	   *rotation = RecsysKrylovSumGrams(krylov);
	float		values[BLOCK];

	krylov->findings->lost = 0;
	for (int x = 0; x < b * b; x++)
	{
		if (!isfinite(rotation[x]))
			elog(ERROR, "eigenvalues did not converge");
	}
	RecsysKrylovDiagonalize(krylov, rotation, b, b, values);
	for (int j = 0; j < b / 2; j++)
	{
		float		swap = values[j];

		values[j] = values[b - 1 - j];
		values[b - 1 - j] = swap;
		for (int i = 0; i < b; i++)
		{
			swap = rotation[j * b + i];
			rotation[j * b + i] = rotation[(b - 1 - j) * b + i];
			rotation[(b - 1 - j) * b + i] = swap;
		}
	}
	for (int j = 0; j < b; j++)
	{
		bool		lost = !(values[j] > Max(negligible * negligible, 1e-10 * values[0]));

		if (lost)
			krylov->findings->lost++;
		for (int i = 0; i < b; i++)
			rotation[j * b + i] = lost ? 0.0f : rotation[j * b + i] / sqrtf(values[j]);
	}
}

static void
rotate_block(Krylov *krylov, int width)
{
	int			b = BLOCK;
	int			lost = krylov->findings->lost;
	uint64		chunk;

	while (RecsysTeamClaim(krylov->team, krylov->nchunks, &chunk))
	{
		int			rows = rows_of(krylov, chunk);
		float	   *block = krylov->block + chunk * ROWS * b;

		CHECK_FOR_INTERRUPTS();
		memcpy(krylov->piece, block, sizeof(float) * rows * b);
		sgemm_("T", "N", &b, &rows, &b, &one, krylov->rotation, &b, krylov->piece, &b,
			   &zero, block, &b, 1, 1);
		for (int row = 0; row < rows; row++)
		{
			for (int x = b - lost; x < width; x++)
				block[row * b + x] = random_value(krylov->random, (chunk * ROWS + row) * b + x);
		}
	}
	krylov->random++;
	RecsysTeamWait(krylov->team);
}

/* Leader: has the last pass found the block orthogonal to the basis and in itself? */
static bool
is_orthonormal(const Krylov *krylov)
{
	float		largest = 0;

	for (int x = 0; x < BLOCK; x++)
	{
		for (int y = 0; y < krylov->dims; y++)
			largest = Max(largest, fabsf(krylov->products[(Size) x * krylov->m + y]));
	}
	return largest < SMALL_PRODUCT;
}

void
RecsysKrylovAppend(Krylov *krylov, double negligible)
{
	int			b = BLOCK;
	int			width = (int) Min((Size) b, (Size) krylov->m - krylov->dims);
	uint64		chunk;

	for (int pass = 0;; pass++)
	{
		if (RecsysTeamLeads(krylov->team))
		{
			find_rotation(krylov, pass == 0 ? negligible : 0.0);
			krylov->findings->again = krylov->findings->lost > b - width || pass == 0 ||
				!is_orthonormal(krylov);
		}
		RecsysTeamWait(krylov->team);
		rotate_block(krylov, width);
		if (!krylov->findings->again || pass == MAX_PASSES - 1)
			break;
		RecsysKrylovTakeOff(krylov, 0);
	}

	/* what has no place in the basis is nothing */
	while (RecsysTeamClaim(krylov->team, krylov->nchunks, &chunk))
	{
		for (Size row = chunk * ROWS; row < chunk * ROWS + rows_of(krylov, chunk); row++)
		{
			memset(krylov->block + row * b + width, 0, sizeof(float) * (b - width));
			memcpy(krylov->basis + row * krylov->m + krylov->dims, krylov->block + row * b,
				   sizeof(float) * width);
		}
	}
	RecsysTeamWait(krylov->team);
	krylov->dims += width;
	krylov->width = width;
}

void
RecsysKrylovRotateBasis(Krylov *krylov, int count)
{
	int			m = krylov->m;
	int			dims = krylov->dims;
	uint64		chunk;

	while (RecsysTeamClaim(krylov->team, krylov->nchunks, &chunk))
	{
		int			rows = rows_of(krylov, chunk);
		float	   *basis = krylov->basis + chunk * ROWS * m;

		CHECK_FOR_INTERRUPTS();
		for (Size row = 0; row < rows; row++)
			memcpy(krylov->piece + row * dims, basis + row * m, sizeof(float) * dims);
		if (count > 0)
			sgemm_("T", "N", &count, &rows, &dims, &one, krylov->projected, &m,
				   krylov->piece, &dims, &zero, basis, &m, 1, 1);
	}
	RecsysTeamWait(krylov->team);
}

void
RecsysKrylovStart(Krylov *krylov)
{
	int			b = BLOCK;
	uint64		chunk;

	if (RecsysTeamLeads(krylov->team))
		memset(krylov->findings, 0, sizeof(Findings));
	while (RecsysTeamClaim(krylov->team, krylov->nchunks, &chunk))
	{
		for (Size x = chunk * ROWS * b; x < (chunk * ROWS + rows_of(krylov, chunk)) * b; x++)
			krylov->block[x] = random_value(krylov->random, x);
		multiply_rows(krylov, chunk);
	}
	krylov->random++;
	RecsysTeamWait(krylov->team);
	RecsysKrylovAppend(krylov, 0.0);
}
