/*
 * als.c
 *	  Factors of items by alternating least squares (iALS).
 *
 * Factors x_u of the users and y_i of the items, of a few dimensions, minimize
 *
 *		sum_(u, i) observed w_ui (1 - x_u.y_i)^2 + a sum_(all u, i) (x_u.y_i)^2
 *		+ lambda (sum_u (W_u + a |I|)^nu |x_u|^2 + sum_i (W_i + a |U|)^nu |y_i|^2),  nu = 1
 *
 * where W_u and W_i are the sums of weights of user and item; without weights the number
 * of their interactions, which gives the objective of Rendle, Krichene, Zhang, Koren 2021,
 * "Revisiting the performance of iALS on item recommendation benchmarks".  The method is that of
 * Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit feedback datasets": with
 * the items fixed, each user's factor has a closed form (factors.c), then the items' with the
 * users fixed, and so on.  The second sum is over all pairs, but needs no more of the other side
 * than G = Y'Y.
 *
 * The objective does not change if both sides are rotated.  So before each half step the side
 * that is fixed is turned into the eigenvectors of its G, which is diagonal then: that is what
 * makes the systems of most rows as small as their histories (factors.c).
 *
 * The start is random but always the same.  The result depends on the order of users by rounding.
 */
#include "core/als.h"

#include <math.h>

#include "core/blas.h"
#include "core/pairrow.h"
#include "core/random.h"

/* nu: regularization in proportion to how much is known of a row (Rendle et al.) */
#define EXPONENT 1.0

/* Standard deviation of the first factors times sqrt(rank) (Rendle et al.) */
#define FIRST_DEVIATION 0.1

#define SEED 2008
#define ROWS_PER_CALL 2048
#define PAIRS_PER_CHECK 1024

/* What the rotations need. */
typedef struct Rotation
{
	int			rank;
	float	   *vectors;		/* rank x rank */
	float	   *values;
	float	   *piece;			/* ROWS_PER_CALL x rank */
	double	   *sums;			/* rank */
	float	   *work;			/* of ssyevd */
	int		   *iwork;
} Rotation;

static Size
work_size(Size rank)
{
	return 1 + 6 * rank + 2 * rank * rank;
}

static Size
iwork_size(Size rank)
{
	return 3 + 5 * rank;
}

static void
create_rotation(Rotation *rotation, int rank)
{
	Size		k = rank;

	rotation->rank = rank;
	rotation->vectors = recsys_alloc_huge(sizeof(float) * k * k);
	rotation->values = palloc(sizeof(float) * k);
	rotation->piece = recsys_alloc_huge(sizeof(float) * ROWS_PER_CALL * k);
	rotation->sums = palloc(sizeof(double) * k);
	rotation->work = recsys_alloc_huge(sizeof(float) * work_size(k));
	rotation->iwork = palloc(sizeof(int) * iwork_size(k));
}

static void
free_rotation(Rotation *rotation)
{
	pfree(rotation->vectors);
	pfree(rotation->values);
	pfree(rotation->piece);
	pfree(rotation->sums);
	pfree(rotation->work);
	pfree(rotation->iwork);
}

static Size
rotation_memory(int rank)
{
	Size		k = rank;

	return sizeof(float) * (k * k + k + ROWS_PER_CALL * k + work_size(k)) +
		sizeof(double) * k + sizeof(int) * iwork_size(k);
}

/* The eigenvectors of the sum of y y', in columns */
static void
find_rotation(Rotation *rotation, const float *factors, uint32 n)
{
	int			rank = rotation->rank;
	int			lwork = (int) work_size(rank);
	int			liwork = (int) iwork_size(rank);
	int			info;
	const float one = 1.0f;
	float		beta = 0.0f;

	memset(rotation->vectors, 0, sizeof(float) * rank * rank);
	for (Size row = 0; row < n; row += ROWS_PER_CALL)
	{
		int			rows = (int) Min(n - row, ROWS_PER_CALL);

		CHECK_FOR_INTERRUPTS();
		ssyrk_("L", "N", &rank, &rows, &one, factors + row * rank, &rank, &beta,
			   rotation->vectors, &rank, 1, 1);
		beta = 1.0f;
	}
	CHECK_FOR_INTERRUPTS();
	ssyevd_("V", "L", &rank, rotation->vectors, &rank, rotation->values, rotation->work, &lwork,
			rotation->iwork, &liwork, &info, 1, 1);
	if (info != 0)
		elog(ERROR, "eigenvalues did not converge (%d)", info);
}

/* Turns n factors so that gram, the sum of y y', is diagonal. */
static void
rotate(Rotation *rotation, float *factors, uint32 n, float *gram)
{
	int			rank = rotation->rank;
	const float one = 1.0f;
	const float zero = 0.0f;

	find_rotation(rotation, factors, n);
	memset(rotation->sums, 0, sizeof(double) * rank);
	for (Size row = 0; row < n; row += ROWS_PER_CALL)
	{
		int			rows = (int) Min(n - row, ROWS_PER_CALL);
		float	   *turned = factors + row * rank;

		CHECK_FOR_INTERRUPTS();
		memcpy(rotation->piece, turned, sizeof(float) * rows * rank);
		sgemm_("T", "N", &rank, &rows, &rank, &one, rotation->vectors, &rank, rotation->piece, &rank,
			   &zero, turned, &rank, 1, 1);
		for (int x = 0; x < rows; x++)
		{
			for (int y = 0; y < rank; y++)
				rotation->sums[y] += (double) turned[(Size) x * rank + y] * turned[(Size) x * rank + y];
		}
	}

	/* off the diagonal there is nothing but rounding */
	memset(gram, 0, sizeof(float) * rank * rank);
	for (Size x = 0; x < (Size) rank; x++)
		gram[x * rank + x] = (float) rotation->sums[x];
}

void
RecsysAlsHalfStep(RecsysFoldIn *foldin, int rank, const RecsysMatrix *rows, const float *others,
				  uint32 first, uint32 last, float *result)
{
	Size		k = rank;

	for (uint32 row = first; row < last; row++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysFoldInStart(foldin);
		for (uint64 x = rows->offsets[row]; x < rows->offsets[row + 1]; x++)
			RecsysFoldInAdd(foldin, others + rows->columns[x] * k,
							rows->weights != NULL ? rows->weights[x] : 1.0);
		memcpy(result + row * k, RecsysFoldInSolve(foldin), sizeof(float) * k);
	}
}

/* All rows; shape and gram are those of others. */
static void
fit_rows(const RecsysMatrix *rows, const RecsysFactorShape *shape, const float *others,
		 const float *gram, float *result)
{
	RecsysFoldIn *foldin = RecsysFoldInCreate(shape, gram);

	RecsysAlsHalfStep(foldin, shape->rank, rows, others, 0, rows->nrows, result);
	RecsysFoldInFree(foldin);
}

/* Small random factors of equal variance, each from a stream of its own */
static void
start_factors(float *factors, const RecsysItemTotals *totals, int rank)
{
	/* uniform between -limit and limit: variance limit^2 / 3 */
	double		limit = FIRST_DEVIATION * sqrt(3.0 / rank);

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		float	   *factor = factors + (Size) item * rank;
		RecsysRandom random;

		if (item % ROWS_PER_CALL == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysRandomStart(&random, SEED, item);
		for (int x = 0; x < rank; x++)
			factor[x] = totals->users[item] == 0 ? 0.0f :
				(float) (((double) (RecsysRandomNext(&random) >> 11) / 4503599627370496.0 - 1.0) * limit);
	}
}

static RecsysFactors *
create_factors(uint32 nitems, const RecsysModelOptions *options)
{
	RecsysFactors *factors = palloc(sizeof(RecsysFactors));
	Size		rank = options->rank;

	factors->shape.nitems = nitems;
	factors->shape.rank = options->rank;
	factors->shape.unobserved = options->unobserved;
	factors->shape.lambda = options->lambda;
	factors->shape.exponent = EXPONENT;
	factors->items = recsys_alloc_huge(sizeof(float) * Max((Size) nitems, 1) * rank);
	factors->gram = recsys_alloc_huge(sizeof(float) * rank * rank);
	return factors;
}

RecsysFactors *
RecsysAlsTrain(const RecsysMatrix *users, const RecsysMatrix *items, const RecsysItemTotals *totals,
			   const RecsysModelOptions *options, Size memory_limit)
{
	int			rank = options->rank;
	RecsysFactors *factors;
	RecsysFactorShape of_users;
	float	   *user_factors;
	float	   *user_gram;
	Rotation	rotation;

	if (RecsysAlsMemory(users->nrows, totals->nitems, rank) > memory_limit)
		elog(ERROR, "too little memory to train the model");
	factors = create_factors(totals->nitems, options);
	of_users = factors->shape;
	of_users.nitems = (uint32) totals->nusers;
	user_factors = recsys_alloc_huge(sizeof(float) * Max((Size) users->nrows, 1) * rank);
	user_gram = recsys_alloc_huge(sizeof(float) * (Size) rank * rank);
	create_rotation(&rotation, rank);

	start_factors(factors->items, totals, rank);
	rotate(&rotation, factors->items, totals->nitems, factors->gram);
	for (int iteration = 0; iteration < options->iterations; iteration++)
	{
		fit_rows(users, &factors->shape, factors->items, factors->gram, user_factors);
		rotate(&rotation, user_factors, users->nrows, user_gram);
		fit_rows(items, &of_users, user_factors, user_gram, factors->items);
		rotate(&rotation, factors->items, totals->nitems, factors->gram);
	}
	free_rotation(&rotation);
	pfree(user_factors);
	pfree(user_gram);
	return factors;
}

Size
RecsysAlsMemory(uint32 nusers, uint32 nitems, int rank)
{
	Size		k = rank;

	return sizeof(RecsysFactors) +
		sizeof(float) * k * (Max((Size) nusers, 1) + Max((Size) nitems, 1) + 2 * k) +
		rotation_memory(rank) + RecsysFoldInMemory(rank);
}

typedef struct AlsRows
{
	const RecsysFactors *factors;
	float	   *inverse_lengths;	/* 1 / |y|; 0 where nothing was learned */
} AlsRows;

static void
score_pairs(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	AlsRows    *rows = arg;
	const float *factors = rows->factors->items;
	Size		rank = rows->factors->shape.rank;

	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;

		if (x % PAIRS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysFactorScores(factors + item * rank, factors + other * rank, 1, (int) rank, &scores[x]);
		scores[x] *= rows->inverse_lengths[item] * rows->inverse_lengths[other];
	}
}

void
RecsysAlsRows(const RecsysMatrix *users, const RecsysMatrix *items, const RecsysItemTotals *totals,
			  const RecsysModelOptions *options, const RecsysFactors *factors,
			  RecsysRowReporter report, void *arg)
{
	Size		rank = factors->shape.rank;
	AlsRows		rows = {.factors = factors};

	rows.inverse_lengths = recsys_alloc_huge(sizeof(float) * Max((Size) totals->nitems, 1));
	for (uint32 item = 0; item < totals->nitems; item++)
	{
		const float *factor = factors->items + item * rank;
		double		sum = 0;

		for (Size x = 0; x < rank; x++)
			sum += (double) factor[x] * factor[x];
		rows.inverse_lengths[item] = sum > 0 ? (float) (1.0 / sqrt(sum)) : 0.0f;
	}
	RecsysPairRows(users, items, totals, options, NULL, score_pairs, &rows, report, arg);
	pfree(rows.inverse_lengths);
}

Size
RecsysAlsRowsMemory(uint32 nitems, bool weighted)
{
	return sizeof(float) * Max((Size) nitems, 1) + RecsysPairRowsMemory(nitems, weighted);
}
