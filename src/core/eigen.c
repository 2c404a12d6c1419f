/*
 * eigen.c
 *	  The largest eigenvalues of the Gram matrix of a sparse matrix.
 *
 * Chebyshev-filtered subspace iteration (Zhou, Saad, Tiago, Chelikowsky 2006,
 * "Self-consistent-field calculations using Chebyshev-filtered subspace
 * iteration").  A block X of some more vectors than wanted is multiplied by a polynomial of
 * P = A'A that is small on [0, cut] and grows fast beyond, where cut is the smallest
 * eigenvalue that the block knows of; then the eigenvectors within its span
 * are taken (Rayleigh, Ritz).  The start is random but always the same.
 *
 * Blocks are ncolumns x k and row-major, so a product with P reads and writes whole rows:
 * PX = sum of the users' a_u' (a_u X).  For BLAS they are k x ncolumns.
 */
#include "core/eigen.h"

#include <float.h>
#include <math.h>

#include "core/blas.h"

/* More vectors than wanted: these, and this part of those wanted */
#define SPARE_VECTORS 16
#define SPARE_PART 8

/* An eigenpair is good enough if |Pv - sv| is that part of the largest eigenvalue. */
#define TOLERANCE 1e-4

/* Products with P after which the result is taken as it is: the last ones of a slowly falling
 * spectrum are never separated well, nor does it matter. */
#define MOST_PRODUCTS 40

/* Eigenvalues below this part of the largest are zero in single precision. */
#define ZERO 1e-5

/* A filter must not tell directions apart by more than single precision resolves. */
#define MOST_GAIN 1e4
#define MOST_DEGREE 8

/* Vectors of an orthonormal block have products within this of the unit matrix. */
#define ORTHONORMAL 1e-3
#define MOST_PASSES 6

#define ROWS_PER_CALL 2048
#define USERS_PER_CHECK 256

typedef struct Subspace
{
	const RecsysMatrix *a;
	int			k;
	Size		n;
	float	   *x;				/* orthonormal after orthonormalize */
	float	   *y;				/* P x after rotate */
	float	   *z;
	float	   *gram;			/* k x k */
	float	   *values;			/* ascending */
	float	   *piece;			/* ROWS_PER_CALL x k */
	float	   *row;			/* k */
	float	   *work;			/* of ssyevd */
	int		   *iwork;
	uint64		random;
} Subspace;

static int
block_size(uint32 nrows, uint32 ncolumns, int rank)
{
	Size		wanted = (Size) rank + rank / SPARE_PART + SPARE_VECTORS;

	return (int) Min(wanted, (Size) Min(nrows, ncolumns));
}

static Size
work_size(Size k)
{
	return 1 + 6 * k + 2 * k * k;
}

static Size
iwork_size(Size k)
{
	return 3 + 5 * k;
}

/* -1 .. 1; the generator is xorshift64* (Marsaglia 2003, Vigna 2014) */
static float
random_value(Subspace *space)
{
	space->random ^= space->random >> 12;
	space->random ^= space->random << 25;
	space->random ^= space->random >> 27;
	return (float) ((double) ((space->random * UINT64CONST(0x2545F4914F6CDD1D)) >> 11) /
					4503599627370496.0 - 1.0);
}

RECSYS_TARGET_CLONES static void
add_scaled(float *sum, const float *row, float factor, int k)
{
	for (int x = 0; x < k; x++)
		sum[x] += factor * row[x];
}

/* result = P block */
static void
multiply(Subspace *space, const float *block, float *result)
{
	const RecsysMatrix *a = space->a;
	Size		k = space->k;

	for (Size item = 0; item < space->n; item += ROWS_PER_CALL)
	{
		CHECK_FOR_INTERRUPTS();
		memset(result + item * k, 0, sizeof(float) * k * Min(space->n - item, ROWS_PER_CALL));
	}
	for (uint32 user = 0; user < a->nrows; user++)
	{
		if (user % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		memset(space->row, 0, sizeof(float) * k);
		for (uint64 x = a->offsets[user]; x < a->offsets[user + 1]; x++)
			add_scaled(space->row, block + a->columns[x] * k,
					   a->weights != NULL ? a->weights[x] : 1.0f, space->k);
		for (uint64 x = a->offsets[user]; x < a->offsets[user + 1]; x++)
			add_scaled(result + a->columns[x] * k, space->row,
					   a->weights != NULL ? a->weights[x] : 1.0f, space->k);
	}
}

/* gram = left' right */
static void
products(Subspace *space, const float *left, const float *right)
{
	int			k = space->k;
	const float one = 1.0f;
	float		beta = 0.0f;

	for (Size row = 0; row < space->n; row += ROWS_PER_CALL)
	{
		int			rows = (int) Min(space->n - row, ROWS_PER_CALL);

		CHECK_FOR_INTERRUPTS();
		sgemm_("N", "T", &k, &k, &rows, &one, left + row * k, &k, right + row * k, &k,
			   &beta, space->gram, &k, 1, 1);
		beta = 1.0f;
	}
}

/* block := block gram */
static void
rotate(Subspace *space, float *block)
{
	int			k = space->k;
	const float one = 1.0f;
	const float zero = 0.0f;

	for (Size row = 0; row < space->n; row += ROWS_PER_CALL)
	{
		int			rows = (int) Min(space->n - row, ROWS_PER_CALL);

		CHECK_FOR_INTERRUPTS();
		memcpy(space->piece, block + row * k, sizeof(float) * rows * k);
		sgemm_("T", "N", &k, &rows, &k, &one, space->gram, &k, space->piece, &k,
			   &zero, block + row * k, &k, 1, 1);
	}
}

/* gram := its eigenvectors, column by column; values: ascending */
static void
diagonalize(Subspace *space)
{
	int			k = space->k;
	int			lwork = (int) work_size(k);
	int			liwork = (int) iwork_size(k);
	int			info;

	CHECK_FOR_INTERRUPTS();
	ssyevd_("V", "U", &k, space->gram, &k, space->values, space->work, &lwork,
			space->iwork, &liwork, &info, 1, 1);
	if (info != 0)
		elog(ERROR, "eigenvalues did not converge (%d)", info);
}

/* Columns of x to length one; a column of zeros becomes random. */
static void
scale_columns(Subspace *space)
{
	int			k = space->k;
	double	   *length = palloc0(sizeof(double) * k);
	bool	   *lost = palloc0(sizeof(bool) * k);

	for (Size row = 0; row < space->n; row++)
	{
		for (int j = 0; j < k; j++)
			length[j] += (double) space->x[row * k + j] * space->x[row * k + j];
	}
	for (int j = 0; j < k; j++)
	{
		lost[j] = !(length[j] > 0.0) || !isfinite(length[j]);
		length[j] = lost[j] ? 1.0 : 1.0 / sqrt(length[j]);
	}
	for (Size row = 0; row < space->n; row++)
	{
		for (int j = 0; j < k; j++)
			space->x[row * k + j] = lost[j] ? random_value(space) :
				(float) (space->x[row * k + j] * length[j]);
	}
	pfree(length);
	pfree(lost);
}

/*
 * By the eigenvectors of the products of the columns, which cannot fail, however dependent they
 * are (Stathopoulos, Wu 2002, "A block orthogonalization procedure with constant
 * synchronization requirements"): directions that are all but lost come back as noise, and the
 * next pass makes something of it.
 */
static void
orthonormalize(Subspace *space)
{
	int			k = space->k;

	for (int pass = 0; pass < MOST_PASSES; pass++)
	{
		float		deviation = 0;

		scale_columns(space);
		products(space, space->x, space->x);
		for (int i = 0; i < k; i++)
		{
			for (int j = 0; j < i; j++)
				deviation = Max(deviation, fabsf(space->gram[i * k + j]));
		}
		if (deviation < ORTHONORMAL / sqrt(k))
			break;
		diagonalize(space);
		for (int j = 0; j < k; j++)
		{
			float		length2 = Max(space->values[j], 1e-6f * space->values[k - 1]);

			for (int i = 0; i < k; i++)
				space->gram[j * k + i] /= sqrtf(length2);
		}
		rotate(space, space->x);
	}
}

/* Ritz vectors in x, P times them in y. */
static void
ritz(Subspace *space)
{
	orthonormalize(space);
	multiply(space, space->x, space->y);
	products(space, space->x, space->y);
	diagonalize(space);
	rotate(space, space->x);
	rotate(space, space->y);
}

/* Are the last wanted vectors eigenvectors? */
static bool
converged(Subspace *space, int wanted)
{
	int			k = space->k;
	double		tolerance = TOLERANCE * space->values[k - 1];

	for (int j = k - wanted; j < k; j++)
	{
		double		residual = 0;

		for (Size row = 0; row < space->n; row++)
		{
			double		difference = space->y[row * k + j] -
				(double) space->values[j] * space->x[row * k + j];

			residual += difference * difference;
		}
		if (sqrt(residual) > tolerance)
			return false;
	}
	return true;
}

/*
 * x := T(P) x with the Chebyshev polynomial of [0, cut] that is scaled to one at the largest
 * eigenvalue.  y holds P x.  Returns the number of products.
 */
static int
filter(Subspace *space, double cut)
{
	Size		total = space->n * space->k;
	double		half = cut / 2;
	double		top = Max((space->values[space->k - 1] - half) / half, 1.0);
	double		sigma = 1.0 / top;
	double		previous = sigma;
	int			degree = 2;

	while (degree < MOST_DEGREE && cosh((degree + 1) * acosh(top)) < MOST_GAIN)
		degree++;
	for (Size i = 0; i < total; i++)
		space->y[i] = (float) ((space->y[i] - half * space->x[i]) * sigma / half);
	for (int step = 2; step <= degree; step++)
	{
		double		next = 1.0 / (2.0 / sigma - previous);
		float	   *swap = space->x;

		multiply(space, space->y, space->z);
		for (Size i = 0; i < total; i++)
			space->z[i] = (float) (2.0 * next / half * (space->z[i] - half * space->y[i]) -
								   previous * next * space->x[i]);
		space->x = space->y;
		space->y = space->z;
		space->z = swap;
		previous = next;
	}
	memcpy(space->x, space->y, sizeof(float) * total);
	return degree;
}

static RecsysEigen *
take_result(const Subspace *space, int rank)
{
	RecsysEigen *eigen = palloc0(sizeof(RecsysEigen));
	int			k = space->k;
	int			wanted = Min(rank, k);
	float		largest = k > 0 ? space->values[k - 1] : 0.0f;

	eigen->complete = k == 0 || space->values[0] <= ZERO * largest ||
		(k == Min(space->a->nrows, space->a->ncolumns) && wanted == k);
	while (eigen->rank < wanted &&
		   space->values[k - 1 - eigen->rank] > ZERO * Max(largest, FLT_MIN))
		eigen->rank++;
	if (eigen->rank == wanted && wanted < k && space->values[k - 1 - wanted] > ZERO * largest)
		eigen->complete = false;
	eigen->values = palloc(sizeof(float) * Max(eigen->rank, 1));
	eigen->vectors = recsys_alloc_huge(sizeof(float) * Max(space->n * eigen->rank, 1));
	for (int j = 0; j < eigen->rank; j++)
		eigen->values[j] = space->values[k - 1 - j];
	for (Size row = 0; row < space->n; row++)
	{
		for (int j = 0; j < eigen->rank; j++)
			eigen->vectors[row * eigen->rank + j] = space->x[row * k + k - 1 - j];
	}
	return eigen;
}

RecsysEigen *
RecsysEigenCompute(const RecsysMatrix *a, int rank)
{
	Subspace	space = {.a = a, .n = a->ncolumns, .random = UINT64CONST(0x9E3779B97F4A7C15)};
	int			k = block_size(a->nrows, a->ncolumns, rank);
	Size		total = Max(space.n * k, 1);
	RecsysEigen *eigen;

	space.k = k;
	space.x = recsys_alloc_huge(sizeof(float) * total);
	space.y = recsys_alloc_huge(sizeof(float) * total);
	space.z = recsys_alloc_huge(sizeof(float) * total);
	space.gram = recsys_alloc_huge(sizeof(float) * Max((Size) k * k, 1));
	space.values = palloc0(sizeof(float) * Max(k, 1));
	space.piece = recsys_alloc_huge(sizeof(float) * ROWS_PER_CALL * Max(k, 1));
	space.row = palloc(sizeof(float) * Max(k, 1));
	space.work = recsys_alloc_huge(sizeof(float) * work_size(k));
	space.iwork = palloc(sizeof(int) * iwork_size(k));

	if (k > 0)
	{
		int			done = 3;

		for (Size i = 0; i < space.n * k; i++)
			space.x[i] = random_value(&space);
		multiply(&space, space.x, space.y);
		multiply(&space, space.y, space.x);
		ritz(&space);
		while (done < MOST_PRODUCTS && !converged(&space, Min(rank, k)) &&
			   space.values[0] > ZERO * space.values[k - 1])
		{
			done += filter(&space, space.values[0]);
			ritz(&space);
		}
	}
	eigen = take_result(&space, rank);
	pfree(space.x);
	pfree(space.y);
	pfree(space.z);
	pfree(space.gram);
	pfree(space.values);
	pfree(space.piece);
	pfree(space.row);
	pfree(space.work);
	pfree(space.iwork);
	return eigen;
}

void
RecsysEigenFree(RecsysEigen *eigen)
{
	pfree(eigen->values);
	pfree(eigen->vectors);
	pfree(eigen);
}

Size
RecsysEigenMemory(uint32 nrows, uint32 ncolumns, int rank)
{
	Size		k = Max(block_size(nrows, ncolumns, rank), 1);
	Size		n = Max(ncolumns, 1);

	return sizeof(float) * (n * k * 3 + n * Min((Size) rank, k) + k * k +
							ROWS_PER_CALL * k + work_size(k) + 3 * k) +
		sizeof(int) * iwork_size(k) + (sizeof(double) + sizeof(bool)) * k + sizeof(RecsysEigen);
}
