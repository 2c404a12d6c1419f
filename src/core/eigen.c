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
 * enough, Q begins anew with the best of them and goes on with the block that would have
 * come next.
 *
 * P times the last block is of use to nobody but the last two blocks, but for rounding
 * (or all of them, right after a restart), so Q'PQ is made of those products; what rounding
 * has let in is then taken off over all blocks.
 *
 * The start is random but always the same, and so is what stands in for directions that are lost,
 * because P has taken them to nothing new.
 *
 * Blocks are row-major, so a product with A or A' reads and writes whole rows; for BLAS they are
 * transposed.  Rows, or blocks of Q, are what members of a team claim.
 */
#include "core/eigen.h"

#include <float.h>
#include <math.h>

#include "core/area.h"
#include "core/blas.h"
#include "core/random.h"

/* Vectors in a block.  Sums of so many floats fit the registers. */
#define BLOCK 64

/* Vectors in the basis for each that is wanted, and beside */
#define BASIS_FACTOR 3
#define BASIS_BLOCKS 4

/* An eigenpair is good enough if |Pv - sv| is that part of the largest eigenvalue. */
#define TOLERANCE 1e-4

/* The last ones of a slowly falling spectrum are never separated well, nor does it matter. */
#define MOST_RESTARTS 3

/* Eigenvalues below this part of the largest are zero in single precision. */
#define ZERO 1e-5

/* Products of a new block's vectors with the basis after which they are orthogonal enough once
 * those have been taken off: then as much as rounding is left, by that factor more. */
#define SMALL_PRODUCT 0.03
#define MOST_PASSES 6

/* Rows of a block in a chunk of work */
#define ROWS 512

/* Rows that are fetched ahead */
#define FETCH_AHEAD 8
#define FLOATS_PER_LINE 16

/* What the leader tells the others */
typedef struct Findings
{
	double		largest;		/* |Px| has been that for some |x| = 1 */
	int			lost;			/* directions of the block, the last ones, that are nothing */
	bool		again;			/* does the block need another pass? */
	bool		exhausted;		/* is P zero outside the basis? */
	bool		finished;
	bool		complete;		/* see RecsysEigen */
	int			rank;
} Findings;

typedef struct Krylov
{
	RecsysTeam *team;
	const RecsysMatrix *a;
	const RecsysMatrix *transposed;
	int			wanted;
	Size		n;				/* rows of the basis */
	Size		nchunks;		/* of ROWS rows */
	int			m;				/* most vectors in the basis, and its stride */
	int			dims;			/* vectors in the basis */
	int			width;			/* of the last block */
	int			before;			/* vectors that P times the last block has a part in: from here on */
	uint64		random;			/* changes with each block that is drawn */

	/* shared */
	Findings   *findings;
	float	   *basis;			/* n x m */
	float	   *block;			/* n x b: the last one, P times it, the next one */
	float	   *spread;			/* A block */
	float	   *projected;		/* m x m: Q'PQ, then its eigenvectors */
	float	   *products;		/* m x b: of basis and block */
	float	   *grams;			/* for each chunk b x b */
	float	   *left;			/* b x b: products of what P has brought beyond the basis */
	float	   *rotation;		/* b x b */
	float	   *values;			/* m */

	/* private */
	float	   *piece;			/* ROWS x m */
	float	   *work;			/* leader: of ssyevd */
	int		   *iwork;
} Krylov;

static const float one = 1.0f;
static const float minus_one = -1.0f;
static const float zero = 0.0f;

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

/* -1 .. 1 */
static float
random_value(uint64 seed, uint64 number)
{
	return (float) RecsysRandomSigned(RecsysRandomAt(seed, number));
}

/*
 * The sum of rows, each times its weight.  The rows are all over a block that no cache near the
 * processor holds, so they are fetched ahead.
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

/* result = matrix block */
static void
multiply(Krylov *krylov, const RecsysMatrix *matrix, const float *block, float *result)
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

/* block -= the basis from that vector on, times its products with the block */
static void
take_off(Krylov *krylov, int first)
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

/* Products of the block's vectors; in rotation, because nobody needs that now */
static float *
sum_grams(Krylov *krylov)
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

static void
diagonalize(Krylov *krylov, float *matrix, int n, int stride, float *values)
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
	float	   *rotation = sum_grams(krylov);
	float		values[BLOCK];

	krylov->findings->lost = 0;
	for (int x = 0; x < b * b; x++)
	{
		if (!isfinite(rotation[x]))
			elog(ERROR, "eigenvalues did not converge");
	}
	diagonalize(krylov, rotation, b, b, values);
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

/*
 * Make the block the next one of the basis: orthonormal, and orthogonal to all of it.  What is
 * shorter than negligible becomes random, as far as there is room for it.
 */
static void
append_block(Krylov *krylov, double negligible)
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
		if (!krylov->findings->again || pass == MOST_PASSES - 1)
			break;
		take_off(krylov, 0);
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

/* Leader: the last block's part of Q'PQ, and what the block that follows begins with. */
static void
note_products(Krylov *krylov)
{
	Findings   *findings = krylov->findings;
	Size		m = krylov->m;
	int			b = BLOCK;
	double		largest = 0;

	memcpy(krylov->left, sum_grams(krylov), sizeof(float) * b * b);
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
	multiply(krylov, krylov->a, krylov->block, krylov->spread);
	multiply(krylov, krylov->transposed, krylov->spread, krylov->block);
	take_off(krylov, krylov->before);
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

	diagonalize(krylov, krylov->projected, dims, krylov->m, values);
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

/* basis := its eigenvectors, the first of them */
static void
rotate_basis(Krylov *krylov, int count)
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

/* Begin anew with the best vectors. */
static void
restart(Krylov *krylov, int keep)
{
	rotate_basis(krylov, keep);
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

/* The first block, before it is made orthonormal: all of it is random. */
static void
start(Krylov *krylov)
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
	append_block(krylov, 0.0);
}

static void
run(Krylov *krylov)
{
	const Findings *findings = krylov->findings;
	int			keep = kept_size(krylov->wanted);

	start(krylov);
	for (int restarts = 0;;)
	{
		int			last_block = krylov->dims - krylov->width;

		expand(krylov);
		krylov->before = last_block;
		if (findings->exhausted || krylov->dims == krylov->m)
		{
			if (RecsysTeamLeads(krylov->team))
				solve_projected(krylov, restarts == MOST_RESTARTS);
			RecsysTeamWait(krylov->team);
			if (findings->finished)
				break;
			restart(krylov, keep);
			krylov->before = 0;
			restarts++;
		}
		append_block(krylov, ZERO * findings->largest);
	}
	rotate_basis(krylov, findings->rank);
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
