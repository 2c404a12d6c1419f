/*
 * factors.c
 *	  Items as points of a few dimensions, and a user's point from the items of a history.
 *
 * With factors y of the items and a history of items i with weights w_i, the user's
 * factor x minimizes
 *
 *		sum_i w_i (1 - x.y_i)^2 + a sum_j (x.y_j)^2 + lambda (W + a n)^nu |x|^2
 *
 * where the first sum is over the history, the second over all n items, and W is the sum of
 * w_i (without weights: the length of the history), so that
 *
 *		A x = sum_i w_i y_i,   A = sum_i w_i y_i y_i' + a G + lambda (W + a n)^nu I
 *
 * with G = sum_j y_j y_j': Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit
 * feedback datasets", with the objective of Rendle, Krichene, Zhang, Koren 2021, "Revisiting the
 * performance of iALS on item recommendation benchmarks".  The score of j is
 *
 *		y_j.x = sum_i w_i y_j' inverse(A) y_i
 *
 * of which each summand is the share of one item of the history (Hu et al., section 5).
 *
 * A is factorized by Cholesky.  Where G is diagonal (als.c sees to that) and the history shorter
 * than a factor, a system as large as the history does (smallsystem.c): with D = A without its
 * first sum, rows sqrt(w_i) y_i of Z, s_i = sqrt(w_i), and V = Z D^-1/2,
 *
 *		x = D^-1/2 V' inverse(I + V V') s
 *		inverse(A) = D^-1/2 (I - V' inverse(I + V V') V) D^-1/2
 */
#include "core/dense/factors.h"

#include <math.h>

#include "core/dense/blas.h"
#include "core/dense/smallsystem.h"

/* Items that are added to A at once, at least */
#define MIN_PANEL 64

#define CACHE_LINE 64

/*
 * Sums of a dot product that grow side by side, in a vector of the compiler's: a loop
 * over so many is unrolled before it could be vectorized, and then is not.
 */
#define LANES 16
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));

struct RecsysFoldIn
{
	RecsysFactorShape shape;
	const float *gram;			/* NULL: nothing in it but its diagonal */
	float	   *diagonal;		/* rank: of gram */

	/* items added: those before the panel's are in matrix and right */
	int			capacity;		/* of the panel, at least rank */
	int			count;			/* rows of the panel */
	bool		flushed;		/* are there any before it? */
	double		mass;			/* W */
	float	   *panel;			/* capacity x rank: Z; V after a short Solve; begins with a line
								 * of the cache */
	char	   *panel_memory;
	float	   *roots;			/* capacity: s */

	/* after Solve */
	bool		is_short;		/* matrix is the factor of I + V V', of order count; else of A */
	float	   *matrix;			/* RECSYS_SMALL_SIZE(rank), likewise; of A: rank x rank, lower
								 * triangle by columns */
	char	   *matrix_memory;
	float	   *room;			/* of RecsysSmallSolve */
	float	   *right;			/* rank; count of them when it is short */
	float	   *scale;			/* rank: the diagonal of D^-1/2 */
	float	   *result;			/* rank: x */
	bool		has_target;
	float	   *target;			/* rank: of the last Share */
	float	   *inverted;		/* inverse(A) target */
};

static const float one = 1.0f;
static const float zero = 0.0f;
static const int step = 1;

static int
panel_rows(int rank)
{
	return Max(rank, MIN_PANEL);
}

/* Without a look at each number by itself: this is asked of half a matrix in every call. */
RECSYS_TARGET_CLONES static bool
is_zero(const float *numbers, Size n)
{
	uint32		any = 0;

	for (Size x = 0; x < n; x++)
		any |= numbers[x] != 0.0f;
	return any == 0;
}

/* Room for so many floats that begin with a line of the cache */
static float *
allocate_lines(Size n, char **memory)
{
	*memory = recsys_alloc_huge(sizeof(float) * n + CACHE_LINE);
	return (float *) (((uintptr_t) *memory + CACHE_LINE - 1) & ~(uintptr_t) (CACHE_LINE - 1));
}

static RecsysFoldIn *
create(const RecsysFactorShape *shape)
{
	RecsysFoldIn *foldin = palloc0(sizeof(RecsysFoldIn));
	Size		rank = shape->rank;

	foldin->shape = *shape;
	foldin->diagonal = palloc(sizeof(float) * rank);
	foldin->capacity = panel_rows(shape->rank);
	foldin->panel = allocate_lines(foldin->capacity * rank, &foldin->panel_memory);
	foldin->roots = palloc(sizeof(float) * foldin->capacity);
	foldin->matrix = allocate_lines(RECSYS_SMALL_SIZE(rank), &foldin->matrix_memory);
	foldin->room = palloc(sizeof(float) * 2 * RECSYS_SMALL_STRIDE(rank));
	foldin->right = palloc(sizeof(float) * rank);
	foldin->scale = palloc(sizeof(float) * rank);
	foldin->result = palloc(sizeof(float) * rank);
	foldin->target = palloc(sizeof(float) * rank);
	foldin->inverted = palloc(sizeof(float) * rank);
	RecsysFoldInStart(foldin);
	return foldin;
}

RecsysFoldIn *
RecsysFoldInCreate(const RecsysFactorShape *shape, const float *gram)
{
	RecsysFoldIn *foldin = create(shape);
	Size		rank = shape->rank;

	for (Size row = 0; row < rank; row++)
	{
		foldin->diagonal[row] = gram[row * rank + row];
		if (!is_zero(gram + row * rank, row))
			foldin->gram = gram;
	}
	return foldin;
}

RecsysFoldIn *
RecsysFoldInCreateDiagonal(const RecsysFactorShape *shape, const float *diagonal)
{
	RecsysFoldIn *foldin = create(shape);

	RecsysFoldInRenew(foldin, shape, diagonal);
	return foldin;
}

void
RecsysFoldInRenew(RecsysFoldIn *foldin, const RecsysFactorShape *shape, const float *diagonal)
{
	foldin->shape = *shape;
	foldin->gram = NULL;
	memcpy(foldin->diagonal, diagonal, sizeof(float) * shape->rank);
	RecsysFoldInStart(foldin);
}

void
RecsysFoldInFree(RecsysFoldIn *foldin)
{
	pfree(foldin->diagonal);
	pfree(foldin->panel_memory);
	pfree(foldin->roots);
	pfree(foldin->matrix_memory);
	pfree(foldin->room);
	pfree(foldin->right);
	pfree(foldin->scale);
	pfree(foldin->result);
	pfree(foldin->target);
	pfree(foldin->inverted);
	pfree(foldin);
}

Size
RecsysFoldInMemory(int rank)
{
	Size		k = rank;

	return sizeof(RecsysFoldIn) + 2 * CACHE_LINE + sizeof(float) *
		(panel_rows(rank) * (k + 1) + RECSYS_SMALL_SIZE(k) + 2 * RECSYS_SMALL_STRIDE(k) + 6 * k);
}

void
RecsysFoldInStart(RecsysFoldIn *foldin)
{
	foldin->count = 0;
	foldin->flushed = false;
	foldin->mass = 0;
	foldin->has_target = false;
}

/* What is in the panel, into matrix and right. */
static void
flush(RecsysFoldIn *foldin)
{
	int			rank = foldin->shape.rank;
	const float *beta = foldin->flushed ? &one : &zero;

	if (foldin->count == 0 && foldin->flushed)
		return;
	CHECK_FOR_INTERRUPTS();
	ssyrk_("L", "N", &rank, &foldin->count, &one, foldin->panel, &rank, beta,
		   foldin->matrix, &rank, 1, 1);
	sgemv_("N", &rank, &foldin->count, &one, foldin->panel, &rank, foldin->roots, &step, beta,
		   foldin->right, &step, 1);
	foldin->count = 0;
	foldin->flushed = true;
}

static bool
is_learned(const float *factor, int rank)
{
	for (int x = 0; x < rank; x++)
	{
		if (factor[x] != 0.0f)
			return true;
	}
	return false;
}

void
RecsysFoldInAdd(RecsysFoldIn *foldin, const float *factor, double weight)
{
	int			rank = foldin->shape.rank;
	float		root = sqrtf((float) weight);
	float	   *row;

	if (!(root > 0.0f) || !isfinite(root) || !is_learned(factor, rank))
		return;
	if (foldin->count == foldin->capacity)
		flush(foldin);
	row = foldin->panel + (Size) foldin->count * rank;
	for (int x = 0; x < rank; x++)
		row[x] = root * factor[x];
	foldin->roots[foldin->count++] = root;
	foldin->mass += weight;
}

static void
refuse(const RecsysFoldIn *foldin)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("lambda %g does not go with these weights", foldin->shape.lambda),
			 errhint("Raise lambda, or scale the weights to about 1.")));
}

/* numbers *= scale, of each of n rows one behind the other */
RECSYS_TARGET_CLONES static void
scale_rows(float *numbers, Size n, Size rank, const float *scale)
{
	for (Size row = 0; row < n; row++)
		for (Size x = 0; x < rank; x++)
			numbers[row * rank + x] *= scale[x];
}

/* Adds n rows, one behind the other, times those numbers. */
RECSYS_TARGET_CLONES static void
add_rows(const float *rows, Size n, Size rank, const float *times, float *sum)
{
	for (Size row = 0; row < n; row++)
		for (Size x = 0; x < rank; x++)
			sum[x] += times[row] * rows[row * rank + x];
}

/* By the system that is as large as the history */
static void
solve_short(RecsysFoldIn *foldin, double regularization)
{
	int			rank = foldin->shape.rank;
	int			count = foldin->count;

	for (int x = 0; x < rank; x++)
		foldin->scale[x] = (float) (1.0 / sqrt(foldin->shape.unobserved * foldin->diagonal[x] + regularization));
	scale_rows(foldin->panel, count, rank, foldin->scale);
	RecsysSmallProducts(foldin->panel, count, rank, foldin->matrix);
	if (!RecsysSmallFactorize(foldin->matrix, count))
		refuse(foldin);
	memcpy(foldin->right, foldin->roots, sizeof(float) * count);
	RecsysSmallSolve(foldin->matrix, count, foldin->right, foldin->room);
	memset(foldin->result, 0, sizeof(float) * rank);
	add_rows(foldin->panel, count, rank, foldin->right, foldin->result);
	scale_rows(foldin->result, 1, rank, foldin->scale);
}

static void
solve_long(RecsysFoldIn *foldin, double regularization)
{
	int			rank = foldin->shape.rank;
	float		unobserved = (float) foldin->shape.unobserved;
	int			info;

	flush(foldin);
	for (Size column = 0; column < (Size) rank; column++)
	{
		float	   *entries = foldin->matrix + column * rank;

		if (foldin->gram != NULL)
			for (Size row = column + 1; row < (Size) rank; row++)
				entries[row] += unobserved * foldin->gram[column * rank + row];
		entries[column] += unobserved * foldin->diagonal[column];
		entries[column] += (float) regularization;
	}
	spotrf_("L", &rank, foldin->matrix, &rank, &info, 1);
	if (info != 0)
		refuse(foldin);
	memcpy(foldin->result, foldin->right, sizeof(float) * rank);
	spotrs_("L", &rank, &step, foldin->matrix, &rank, foldin->result, &rank, &info, 1);
}

const float *
RecsysFoldInSolve(RecsysFoldIn *foldin)
{
	const RecsysFactorShape *shape = &foldin->shape;
	double		regularization = shape->lambda *
		pow(foldin->mass + shape->unobserved * shape->nitems, shape->exponent);

	foldin->is_short = !foldin->flushed &&
		(foldin->count == 0 || (foldin->gram == NULL && foldin->count <= shape->rank));
	if (foldin->mass == 0.0)
		memset(foldin->result, 0, sizeof(float) * shape->rank);
	else if (foldin->is_short)
		solve_short(foldin, regularization);
	else
		solve_long(foldin, regularization);

	/* weights too large for single precision */
	for (int x = 0; x < shape->rank; x++)
	{
		if (!isfinite(foldin->result[x]))
			refuse(foldin);
	}
	return foldin->result;
}

/* inverted := inverse(A) target */
static void
invert_target(RecsysFoldIn *foldin)
{
	int			rank = foldin->shape.rank;
	int			count = foldin->count;
	int			info;

	memcpy(foldin->inverted, foldin->target, sizeof(float) * rank);
	if (!foldin->is_short)
	{
		spotrs_("L", &rank, &step, foldin->matrix, &rank, foldin->inverted, &rank, &info, 1);
		return;
	}
	scale_rows(foldin->inverted, 1, rank, foldin->scale);
	RecsysFactorScores(foldin->inverted, foldin->panel, count, rank, foldin->right);
	RecsysSmallSolve(foldin->matrix, count, foldin->right, foldin->room);
	for (int x = 0; x < count; x++)
		foldin->right[x] = -foldin->right[x];
	add_rows(foldin->panel, count, rank, foldin->right, foldin->inverted);
	scale_rows(foldin->inverted, 1, rank, foldin->scale);
}

double
RecsysFoldInShare(RecsysFoldIn *foldin, const float *target, const float *factor, double weight)
{
	int			rank = foldin->shape.rank;
	Size		size = sizeof(float) * rank;
	float		product;

	if (foldin->mass == 0.0)
		return 0.0;

	/* all shares of one target come one after the other */
	if (!foldin->has_target || memcmp(foldin->target, target, size) != 0)
	{
		memcpy(foldin->target, target, size);
		foldin->has_target = true;
		invert_target(foldin);
	}
	RecsysFactorScores(foldin->inverted, factor, 1, rank, &product);
	return weight * product;
}

RECSYS_TARGET_CLONES void
RecsysFactorScores(const float *user, const float *factors, int n, int rank, float *scores)
{
	for (int item = 0; item < n; item++)
	{
		const float *factor = factors + (Size) item * rank;
		Lanes		lanes = {0};
		float		sums[LANES];
		int			x = 0;

		for (; x + LANES <= rank; x += LANES)
		{
			Lanes		left;
			Lanes		right;

			memcpy(&left, user + x, sizeof(left));
			memcpy(&right, factor + x, sizeof(right));
			lanes += left * right;
		}
		memcpy(sums, &lanes, sizeof(sums));
		for (int width = LANES / 2; width > 0; width /= 2)
			for (int y = 0; y < width; y++)
				sums[y] += sums[y + width];
		for (; x < rank; x++)
			sums[0] += user[x] * factor[x];
		scores[item] = sums[0];
	}
}

void
RecsysFactorsFree(RecsysFactors *factors)
{
	pfree(factors->items);
	pfree(factors->gram);
	pfree(factors);
}
