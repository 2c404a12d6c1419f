/*
 * eigen.c
 *	  The largest eigenvalues of the Gram matrix of a sparse matrix.
 *
 * Block Lanczos with full orthogonalization and thick restarts (Golub, Underwood 1977,
 * "The block Lanczos method for computing eigenvalues"; Wu, Simon 2000, "Thick-restart
 * Lanczos method for large symmetric eigenvalue problems").  With P = A'A, an orthonormal basis
 * Q grows block by block: the next one is P times the last, from which all that Q
 * has already is taken off.  When Q is as large as it may become, the eigenvectors of Q'PQ
 * give the best approximations within its span (Rayleigh, Ritz).  If those are not good
 * enough, Q is cut down to the best of them and grows again, with the block that would
 * have come next.
 *
 * But for rounding, P times the last block has a part in the last two blocks only (right
 * after a restart, in all of them).  Q'PQ is made of these products.  What rounding has
 * let in is then taken off over all blocks.
 *
 * P may take some directions of a block to nothing new.  Random ones stand in for them.
 * These and the start are the same in every run.
 */
#include "core/dense/eigen.h"

#include <float.h>
#include <math.h>

#include "core/dense/area.h"
#include "core/dense/blas.h"
#include "core/dense/krylov.h"

/* Size of the basis: vectors for each one that is wanted, and blocks on top of that */
#define BASIS_FACTOR 3
#define BASIS_BLOCKS 4

/* An eigenpair is good enough if |Pv - sv| is that part of the largest eigenvalue. */
#define TOLERANCE 1e-4

/* Where eigenvalues fall slowly the last ones never separate well.  That does no harm. */
#define MAX_RESTARTS 3

/* Eigenvalues below this part of the largest are zero in single precision. */
#define ZERO 1e-5

/* What is kept in a restart: some more than wanted, in whole blocks */
static int
kept_size(int rank)
{
	return (rank + rank / 16 + BLOCK - 1) / BLOCK * BLOCK;
}

static int
basis_size(uint32 ncolumns, int rank)
{
	Size		wanted = ((BASIS_FACTOR * (Size) rank + BLOCK - 1) / BLOCK + BASIS_BLOCKS) * BLOCK;

	return (int) Min(wanted, (Size) ncolumns);
}

/* Leader: the last block's part of Q'PQ, and what the block that follows begins with. */
static void
note_products(Krylov *krylov)
{
	Findings   *findings = krylov->findings;
	Size		m = krylov->m;
	int			b = BLOCK;
	double		largest = 0;

	memcpy(krylov->left, RecsysKrylovSumGrams(krylov), sizeof(float) * b * b);
	for (int x = 0; x < krylov->width; x++)
	{
		const float *products = krylov->products + x * m;
		float	   *column = krylov->projected + (krylov->dims - krylov->width + x) * m;
		double		length2 = krylov->left[x * b + x];

		memset(column, 0, sizeof(float) * m);
		for (int y = krylov->before; y < krylov->dims; y++)
		{
			column[y] = products[y];
			length2 += (double) products[y] * products[y];
		}
		largest = Max(largest, sqrt(length2));
	}
	findings->largest = Max(findings->largest, largest);
	findings->exhausted = largest <= ZERO * findings->largest;
}

/* block := what P times the last block has beyond the basis */
static void
expand(Krylov *krylov)
{
	RecsysKrylovMultiply(krylov, krylov->a, krylov->block, krylov->spread);
	RecsysKrylovMultiply(krylov, krylov->transposed, krylov->spread, krylov->block);
	RecsysKrylovTakeOff(krylov, krylov->before);
	if (RecsysTeamLeads(krylov->team))
		note_products(krylov);
	RecsysTeamWait(krylov->team);
}

/* |Pv - sv| of an eigenvector, from its coordinates in the last block */
static double
residual(const Krylov *krylov, int j)
{
	const float *last = krylov->projected + (Size) j * krylov->m + krylov->dims - krylov->width;
	double		sum = 0;

	for (int x = 0; x < krylov->width; x++)
	{
		for (int y = 0; y < krylov->width; y++)
			sum += (double) last[x] * last[y] * krylov->left[x * BLOCK + y];
	}
	return sqrt(Max(sum, 0.0));
}

/* Leader: eigenvectors of Q'PQ, largest eigenvalue first; are they good enough? */
static void
solve_projected(Krylov *krylov, bool last_chance)
{
	Findings   *findings = krylov->findings;
	Size		m = krylov->m;
	int			dims = krylov->dims;
	float	   *values = krylov->values;
	float		largest;
	bool		whole = findings->exhausted || dims == krylov->n;

	RecsysKrylovDiagonalize(krylov, krylov->projected, dims, krylov->m, values);
	for (int j = 0; j < dims / 2; j++)
	{
		float	   *left = krylov->projected + j * m;
		float	   *right = krylov->projected + (dims - 1 - j) * m;
		float		swap = values[j];

		values[j] = values[dims - 1 - j];
		values[dims - 1 - j] = swap;
		memcpy(krylov->piece, left, sizeof(float) * dims);
		memcpy(left, right, sizeof(float) * dims);
		memcpy(right, krylov->piece, sizeof(float) * dims);
	}

	findings->finished = true;
	if (!whole && !last_chance)
	{
		for (int j = 0; j < krylov->wanted; j++)
			findings->finished &= residual(krylov, j) <= TOLERANCE * values[0];
	}
	largest = Max(values[0], FLT_MIN);
	findings->rank = 0;
	while (findings->rank < Min(krylov->wanted, dims) && values[findings->rank] > ZERO * largest)
		findings->rank++;
	findings->complete = whole &&
		(findings->rank == dims || !(values[findings->rank] > ZERO * largest));
}

/* Start over with the best vectors. */
static void
restart(Krylov *krylov, int keep)
{
	RecsysKrylovRotateBasis(krylov, keep);
	if (RecsysTeamLeads(krylov->team))
	{
		for (Size j = 0; j < keep; j++)
		{
			memset(krylov->projected + j * krylov->m, 0, sizeof(float) * krylov->m);
			krylov->projected[j * krylov->m + j] = krylov->values[j];
		}
	}
	krylov->dims = keep;
}

static void
run(Krylov *krylov)
{
	const Findings *findings = krylov->findings;
	int			keep = kept_size(krylov->wanted);

	RecsysKrylovStart(krylov);
	for (int restarts = 0;;)
	{
		int			last_block = krylov->dims - krylov->width;

		expand(krylov);
		krylov->before = last_block;
		if (findings->exhausted || krylov->dims == krylov->m)
		{
			if (RecsysTeamLeads(krylov->team))
				solve_projected(krylov, restarts == MAX_RESTARTS);
			RecsysTeamWait(krylov->team);
			if (findings->finished)
				break;
			restart(krylov, keep);
			krylov->before = 0;
			restarts++;
		}
		RecsysKrylovAppend(krylov, ZERO * findings->largest);
	}
	RecsysKrylovRotateBasis(krylov, findings->rank);
}

static Krylov
lay_out(const RecsysMatrix *a, uint32 nrows, uint32 ncolumns, int rank, RecsysArea *area)
{
	Krylov		krylov = {.a = a, .wanted = rank, .n = ncolumns,
		.nchunks = ((Size) ncolumns + ROWS - 1) / ROWS, .m = basis_size(ncolumns, rank)};
	Size		b = BLOCK;
	Size		m = krylov.m;

	krylov.findings = RecsysCarve(area, sizeof(Findings));
	krylov.basis = RecsysCarve(area, sizeof(float) * krylov.n * m);
	krylov.block = RecsysCarve(area, sizeof(float) * krylov.n * b);
	krylov.spread = RecsysCarve(area, sizeof(float) * nrows * b);
	krylov.projected = RecsysCarve(area, sizeof(float) * m * m);
	krylov.products = RecsysCarve(area, sizeof(float) * m * b);
	krylov.grams = RecsysCarve(area, sizeof(float) * krylov.nchunks * b * b);
	krylov.left = RecsysCarve(area, sizeof(float) * b * b);
	krylov.rotation = RecsysCarve(area, sizeof(float) * b * b);
	krylov.values = RecsysCarve(area, sizeof(float) * m);
	return krylov;
}

static Size
piece_size(int m)
{
	return (Size) ROWS * Max(m, BLOCK);
}

void
RecsysEigenCompute(RecsysTeam *team, const RecsysMatrix *a, const RecsysMatrix *transposed,
				   int rank, void *shared, RecsysEigen *eigen)
{
	RecsysArea	area = {shared, 0};
	Krylov		krylov = lay_out(a, a->nrows, a->ncolumns, rank, &area);
	Size		k = Max(krylov.m, BLOCK);

	memset(eigen, 0, sizeof(RecsysEigen));
	eigen->complete = true;
	if (krylov.n == 0)
		return;
	krylov.team = team;
	krylov.transposed = transposed;
	krylov.piece = recsys_alloc_huge(sizeof(float) * piece_size(krylov.m));
	if (RecsysTeamLeads(team))
	{
		krylov.work = recsys_alloc_huge(sizeof(float) * RecsysEigenWork(k));
		krylov.iwork = palloc(sizeof(int) * RecsysEigenIntegerWork(k));
	}
	run(&krylov);
	eigen->rank = krylov.findings->rank;
	eigen->complete = krylov.findings->complete;
	eigen->values = krylov.values;
	eigen->vectors = krylov.basis;
	eigen->stride = krylov.m;
	if (RecsysTeamLeads(team))
	{
		pfree(krylov.work);
		pfree(krylov.iwork);
	}
	pfree(krylov.piece);
}

Size
RecsysEigenShared(uint32 nrows, uint32 ncolumns, int rank)
{
	RecsysArea	area = {NULL, 0};

	(void) lay_out(NULL, nrows, ncolumns, rank, &area);
	return area.used;
}

Size
RecsysEigenMemory(uint32 nrows, uint32 ncolumns, int rank, bool leader)
{
	int			m = basis_size(ncolumns, rank);
	Size		k = Max(m, BLOCK);

	return sizeof(float) * piece_size(m) +
		(leader ? sizeof(float) * RecsysEigenWork(k) + sizeof(int) * RecsysEigenIntegerWork(k) : 0);
}
