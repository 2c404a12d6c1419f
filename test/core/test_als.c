/*
 * test_als.c
 *	  Tests of the model of factors, against its objective in double precision.
 *
 * The reference solves each row's normal equations by Gauss elimination, pair by pair as the
 * objective is written, and knows nothing of Gram matrices, rotations or short systems.
 */
#include "core/dense/als.h"
#include "core/pairs/modeloptions.h"
#include "generate.h"
#include "members.h"
#include "tap.h"
#include "totals.h"

#include <math.h>

#define TOLERANCE 1e-4
#define ENOUGH_MEMORY ((Size) 1 << 30)

static double
weight_of(const RecsysMatrix *matrix, uint64 x)
{
	return matrix->weights != NULL ? matrix->weights[x] : 1.0;
}

static double
product(const float *a, const float *b, int rank)
{
	double		sum = 0;

	for (int x = 0; x < rank; x++)
		sum += (double) a[x] * b[x];
	return sum;
}

/* x := the solution of a x = b; a is rank x rank and destroyed */
static void
eliminate(double *a, double *b, int rank)
{
	for (int column = 0; column < rank; column++)
	{
		int			pivot = column;

		for (int row = column; row < rank; row++)
		{
			if (fabs(a[row * rank + column]) > fabs(a[pivot * rank + column]))
				pivot = row;
		}
		for (int x = 0; x <= rank; x++)
		{
			double	   *left = x < rank ? &a[pivot * rank + x] : &b[pivot];
			double	   *right = x < rank ? &a[column * rank + x] : &b[column];
			double		swap = *left;

			*left = *right;
			*right = swap;
		}
		for (int row = 0; row < rank; row++)
		{
			double		factor = a[row * rank + column] / a[column * rank + column];

			if (row == column)
				continue;
			for (int x = column; x < rank; x++)
				a[row * rank + x] -= factor * a[column * rank + x];
			b[row] -= factor * b[column];
		}
	}
	for (int x = 0; x < rank; x++)
		b[x] /= a[x * rank + x];
}

/* One row's factor, from the definition; n others */
static double *
solve_row(const RecsysMatrix *rows, uint32 row, const float *others, const RecsysFactorShape *shape)
{
	int			rank = shape->rank;
	double	   *a = palloc0(sizeof(double) * rank * rank);
	double	   *b = palloc0(sizeof(double) * rank);
	double		mass = 0;

	for (uint32 other = 0; other < rows->ncolumns; other++)
	{
		const float *y = others + (Size) other * rank;

		for (int i = 0; i < rank; i++)
		{
			for (int j = 0; j < rank; j++)
				a[i * rank + j] += shape->unobserved * y[i] * y[j];
		}
	}
	for (uint64 x = rows->offsets[row]; x < rows->offsets[row + 1]; x++)
	{
		const float *y = others + (Size) rows->columns[x] * rank;
		double		weight = weight_of(rows, x);

		for (int i = 0; i < rank; i++)
		{
			for (int j = 0; j < rank; j++)
				a[i * rank + j] += weight * y[i] * y[j];
			b[i] += weight * y[i];
		}
		mass += weight;
	}
	for (int i = 0; i < rank; i++)
		a[i * rank + i] += shape->lambda *
			pow(mass + shape->unobserved * shape->nitems, shape->exponent);
	eliminate(a, b, rank);
	pfree(a);
	return b;
}

static float *
random_factors(Random *random, uint32 n, int rank)
{
	float	   *factors = palloc(sizeof(float) * Max((Size) n, 1) * rank);

	for (Size x = 0; x < (Size) n * rank; x++)
		factors[x] = (float) (random_normal(random) / sqrt(rank));
	return factors;
}

static float *
gram_of(const float *factors, uint32 n, int rank)
{
	float	   *gram = palloc0(sizeof(float) * rank * rank);

	for (int i = 0; i < rank; i++)
	{
		for (int j = 0; j < rank; j++)
		{
			double		sum = 0;

			for (Size x = 0; x < n; x++)
				sum += (double) factors[x * rank + i] * factors[x * rank + j];
			gram[i * rank + j] = (float) sum;
		}
	}
	return gram;
}

/* Columns of the factors to be orthogonal to each other: a diagonal Gram matrix (Gram, Schmidt) */
static float *
make_orthogonal(float *factors, uint32 n, int rank)
{
	float	   *gram = palloc0(sizeof(float) * rank * rank);

	for (int i = 0; i < rank; i++)
	{
		double		sum = 0;

		for (int j = 0; j < i; j++)
		{
			double		dot = 0;

			if (gram[j * rank + j] <= 0)
				continue;
			for (Size x = 0; x < n; x++)
				dot += (double) factors[x * rank + i] * factors[x * rank + j];
			for (Size x = 0; x < n; x++)
				factors[x * rank + i] -= (float) (dot / gram[j * rank + j] * factors[x * rank + j]);
		}
		for (Size x = 0; x < n; x++)
			sum += (double) factors[x * rank + i] * factors[x * rank + i];

		/* more columns than rows: what is left of those beyond is rounding */
		if (i >= (int) n)
		{
			for (Size x = 0; x < n; x++)
				factors[x * rank + i] = 0;
			sum = 0;
		}
		gram[i * rank + i] = (float) sum;
	}
	return gram;
}

/* A half step and all shares, with a full and with a diagonal Gram matrix. */
static void
test_half_step(Random *random, uint32 nusers, uint32 nitems, int most, WeightKind weights,
			   int rank, double unobserved, double lambda, double exponent, bool orthogonal)
{
	RecsysMatrix *users = generate_matrix(random, nusers, nitems, (uint64) nusers * most / 3, most,
										  true, weights);
	RecsysFactorShape shape = {.nitems = nitems, .rank = rank, .unobserved = unobserved,
		.lambda = lambda, .exponent = exponent};
	float	   *items = random_factors(random, nitems, rank);
	float	   *gram = orthogonal ? make_orthogonal(items, nitems, rank) :
		gram_of(items, nitems, rank);
	float	   *result = palloc(sizeof(float) * nusers * rank);
	Size		before = standalone_memory_now;
	RecsysFoldIn *foldin = RecsysFoldInCreate(&shape, gram);
	double		worst = 0;
	double		worst_share = 0;
	int			empty = 0;
	int			longest = 0;

	ok(standalone_memory_now - before <= RecsysFoldInMemory(rank),
	   "folding in takes no more than it says (%zu of %zu)", standalone_memory_now - before,
	   RecsysFoldInMemory(rank));

	/* in two parts, the second one first */
	RecsysAlsHalfStep(foldin, rank, users, items, nusers / 3, nusers, result);
	RecsysAlsHalfStep(foldin, rank, users, items, 0, nusers / 3, result);
	for (uint32 user = 0; user < nusers; user++)
	{
		double	   *expected = solve_row(users, user, items, &shape);
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];
		double		length = 0;
		const float *x;

		for (int d = 0; d < rank; d++)
			length = Max(length, fabs(expected[d]));
		for (int d = 0; d < rank; d++)
			worst = Max(worst, fabs(result[(Size) user * rank + d] - expected[d]) / Max(length, 1e-3));
		empty += first == last;
		longest = Max(longest, (int) (last - first));

		/* the same user by hand, in the other order */
		RecsysFoldInStart(foldin);
		for (uint64 e = last; e > first; e--)
			RecsysFoldInAdd(foldin, items + (Size) users->columns[e - 1] * rank,
							weight_of(users, e - 1));
		x = RecsysFoldInSolve(foldin);
		for (int d = 0; d < rank; d++)
			worst = Max(worst, fabs(x[d] - result[(Size) user * rank + d]) / Max(length, 1e-3));
		for (uint32 target = user % 3; target < nitems; target += nitems / 3 + 1)
		{
			const float *y = items + (Size) target * rank;
			double		sum = 0;

			for (uint64 e = first; e < last; e++)
				sum += RecsysFoldInShare(foldin, y, items + (Size) users->columns[e] * rank,
										 weight_of(users, e));
			worst_share = Max(worst_share, fabs(sum - product(y, x, rank)));
		}
		pfree(expected);
	}
	ok(worst < 10 * TOLERANCE, "half step of %u users (%d empty, at most %d of %u items), weights %d, rank %d, %s Gram matrix (%g)",
	   nusers, empty, longest, nitems, (int) weights, rank, orthogonal ? "diagonal" : "full", worst);
	ok(worst_share < 10 * TOLERANCE, "shares sum up to the score (%g)", worst_share);
	RecsysFoldInFree(foldin);
	pfree(result);
	pfree(gram);
	pfree(items);
	RecsysMatrixFree(users);
}

/* Each share, from the inverse of A: with few items all of them can be looked at. */
static void
test_shares(Random *random, bool orthogonal)
{
	enum
	{
		RANK = 6, ITEMS = 12, HISTORY = 4
	};
	RecsysFactorShape shape = {.nitems = ITEMS, .rank = RANK, .unobserved = 0.3, .lambda = 0.05,
		.exponent = 1.0};
	float	   *items = random_factors(random, ITEMS, RANK);
	float	   *gram = orthogonal ? make_orthogonal(items, ITEMS, RANK) : gram_of(items, ITEMS, RANK);
	double		weights[HISTORY] = {1.0, 0.25, 3.0, 1.5};
	double		mass = 5.75;
	RecsysFoldIn *foldin = RecsysFoldInCreate(&shape, gram);
	double		worst = 0;

	RecsysFoldInStart(foldin);
	for (int e = 0; e < HISTORY; e++)
		RecsysFoldInAdd(foldin, items + 2 * e * RANK, weights[e]);

	/* no evidence */
	RecsysFoldInAdd(foldin, items + RANK, 0.0);
	RecsysFoldInAdd(foldin, items + RANK, -1.0);
	RecsysFoldInAdd(foldin, items + RANK, NAN);
	RecsysFoldInAdd(foldin, items + RANK, INFINITY);
	RecsysFoldInAdd(foldin, (float[RANK]) {0}, 1.0);
	RecsysFoldInSolve(foldin);
	for (int target = 0; target < ITEMS; target++)
	{
		double		a[RANK * RANK];
		double		inverted[RANK];

		for (int i = 0; i < RANK; i++)
		{
			inverted[i] = items[target * RANK + i];
			for (int j = 0; j < RANK; j++)
			{
				a[i * RANK + j] = shape.unobserved * gram[i * RANK + j] +
					(i == j ? shape.lambda * (mass + shape.unobserved * ITEMS) : 0.0);
				for (int e = 0; e < HISTORY; e++)
					a[i * RANK + j] += weights[e] * items[2 * e * RANK + i] * items[2 * e * RANK + j];
			}
		}
		eliminate(a, inverted, RANK);
		for (int e = 0; e < HISTORY; e++)
		{
			double		expected = 0;

			for (int i = 0; i < RANK; i++)
				expected += weights[e] * inverted[i] * items[2 * e * RANK + i];
			worst = Max(worst, fabs(expected - RecsysFoldInShare(foldin, items + target * RANK,
																 items + 2 * e * RANK, weights[e])));
		}
	}
	ok(worst < TOLERANCE, "each share is what the inverse says, %s Gram matrix (%g)",
	   orthogonal ? "diagonal" : "full", worst);

	/* nobody */
	RecsysFoldInStart(foldin);
	worst = 0;
	for (int d = 0; d < RANK; d++)
		worst += fabs(RecsysFoldInSolve(foldin)[d]);
	worst += fabs(RecsysFoldInShare(foldin, items, items + RANK, 1.0));
	ok(worst == 0, "a user without items has no taste");
	RecsysFoldInFree(foldin);
	pfree(gram);
	pfree(items);
}

/* The whole objective, the best users' factors given */
static double
objective(const RecsysMatrix *users, const RecsysItemTotals *totals, const RecsysFactors *factors)
{
	const RecsysFactorShape *shape = &factors->shape;
	int			rank = shape->rank;
	double		sum = 0;

	for (uint32 user = 0; user < users->nrows; user++)
	{
		double	   *x = solve_row(users, user, factors->items, shape);
		double		mass = 0;
		double		norm2 = 0;
		uint64		entry = users->offsets[user];

		for (uint32 item = 0; item < users->ncolumns; item++)
		{
			double		score = 0;

			for (int d = 0; d < rank; d++)
				score += x[d] * factors->items[(Size) item * rank + d];
			sum += shape->unobserved * score * score;
			if (entry < users->offsets[user + 1] && users->columns[entry] == item)
			{
				sum += weight_of(users, entry) * (1 - score) * (1 - score);
				mass += weight_of(users, entry++);
			}
		}
		for (int d = 0; d < rank; d++)
			norm2 += x[d] * x[d];
		sum += shape->lambda * pow(mass + shape->unobserved * shape->nitems, shape->exponent) * norm2;
		pfree(x);
	}
	for (uint32 item = 0; item < users->ncolumns; item++)
	{
		const float *y = factors->items + (Size) item * rank;
		double		mass = totals->mass != NULL ? totals->mass[item] : totals->users[item];

		sum += shape->lambda * pow(mass + shape->unobserved * totals->nusers, shape->exponent) *
			product(y, y, rank);
	}
	return sum;
}

/* What rows are compared with */
typedef struct Expected
{
	const RecsysMatrix *items;
	const RecsysFactors *factors;
	const RecsysModelOptions *options;
	uint32		next;
	int			pairs;
	int			wrong;
} Expected;

static double
cosine(const RecsysFactors *factors, uint32 i, uint32 j)
{
	int			rank = factors->shape.rank;
	const float *a = factors->items + (Size) i * rank;
	const float *b = factors->items + (Size) j * rank;
	double		norms = product(a, a, rank) * product(b, b, rank);

	return norms > 0 ? product(a, b, rank) / sqrt(norms) : 0;
}

static uint32
support_of(const RecsysMatrix *items, uint32 i, uint32 j)
{
	uint64		x = items->offsets[i];
	uint64		y = items->offsets[j];
	uint32		support = 0;

	while (x < items->offsets[i + 1] && y < items->offsets[j + 1])
	{
		if (items->columns[x] == items->columns[y])
		{
			support++;
			x++;
			y++;
		}
		else if (items->columns[x] < items->columns[y])
			x++;
		else
			y++;
	}
	return support;
}

static void
check_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int n)
{
	Expected   *expected = arg;
	bool	   *seen = palloc0(expected->items->nrows);
	double		least = n == expected->options->neighbors ? neighbors[n - 1].score : 0.0;

	expected->wrong += item != expected->next++ || n > expected->options->neighbors;
	for (int x = 0; x < n; x++)
	{
		expected->pairs++;
		expected->wrong += seen[neighbors[x].item] || neighbors[x].item == item ||
			!(neighbors[x].score > 0) || (x > 0 && neighbors[x].score > neighbors[x - 1].score) ||
			fabs(neighbors[x].score - cosine(expected->factors, item, neighbors[x].item)) > TOLERANCE ||
			neighbors[x].support != support_of(expected->items, item, neighbors[x].item) ||
			neighbors[x].support < expected->options->min_support;
		seen[neighbors[x].item] = true;
	}
	for (uint32 other = 0; other < expected->items->nrows; other++)
	{
		if (other != item && !seen[other] &&
			cosine(expected->factors, item, other) > least + TOLERANCE &&
			support_of(expected->items, item, other) >= expected->options->min_support)
			expected->wrong++;
	}
	pfree(seen);
}

static void
ignore_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int n)
{
	*(int *) arg += 1;
}

static void
take_factors(void *arg, const RecsysDenseTask *task, void *shared)
{
	*(RecsysFactors **) arg = RecsysAlsFactors(task, shared);
}

static void
test_training(Random *random, uint32 nusers, uint32 nitems, WeightKind weights, int rank,
			  double unobserved, double lambda, int neighbors, uint32 min_support)
{
	RecsysMatrix *users = generate_matrix(random, nusers, nitems - 1, nusers * 6, 30, true, weights);
	RecsysMatrix *items;
	RecsysItemTotals *totals;
	RecsysModelOptions options = {.similarity = RECSYS_ALS, .neighbors = neighbors,
		.min_support = min_support, .rank = rank, .unobserved = unobserved, .lambda = lambda};
	RecsysFactors *factors = NULL;
	RecsysDenseTask task;
	RecsysFoldIn *foldin;
	float	   *user_factors;
	float	   *scores;
	Expected	expected;
	Size		taken = 0;
	uint64		checks = 0;
	int			rows = 0;
	double		first = 0;
	double		last = INFINITY;
	double		worst = 0;
	int			risen = 0;
	int			unlearned = 0;

	/* the last item has no users */
	users->ncolumns = nitems;
	items = RecsysMatrixTranspose(users);
	totals = totals_compute(users);

	for (options.iterations = 1; options.iterations <= 8; options.iterations++)
	{
		double		value;

		if (factors != NULL)
			RecsysFactorsFree(factors);
		checks = standalone_interrupt_checks;
		task = members_task(users, totals, &options);
		taken = members_train(&RecsysAls, task, 1, users, totals, ignore_row, &rows,
							  take_factors, &factors);
		checks = standalone_interrupt_checks - checks;
		value = objective(users, totals, factors);
		if (options.iterations == 1)
			first = value;
		risen += !(value <= last * (1 + 1e-6));
		last = value;
	}
	options.iterations--;
	ok(risen == 0 && last < first, "als of %u users, %u items, weights %d, rank %d: the objective never rises (%g, then %g)",
	   nusers, nitems, (int) weights, rank, first, last);
	ok(taken <= RecsysAls.memory(&task, true), "it takes no more than it says (%zu of %zu)", taken,
	   RecsysAls.memory(&task, true));
	ok(checks >= (uint64) options.iterations * (nusers + nitems), "it looks for interrupts");

	test_members(&RecsysAls, task, users, totals);

	{
		float	   *gram = gram_of(factors->items, nitems, rank);
		double		largest = 0;

		for (int x = 0; x < rank * rank; x++)
		{
			worst = Max(worst, fabs(gram[x] - factors->gram[x]));
			largest = Max(largest, gram[x]);
		}
		ok(worst < TOLERANCE * largest, "its Gram matrix is that of its factors (%g of %g)",
		   worst, largest);
		pfree(gram);
	}
	for (int d = 0; d < rank; d++)
		unlearned += factors->items[(Size) (nitems - 1) * rank + d] != 0.0f;
	ok(totals->users[nitems - 1] == 0 && unlearned == 0, "of an item without users nothing is learned");

	/* folding users in is the half step that comes next */
	foldin = RecsysFoldInCreate(&factors->shape, factors->gram);
	user_factors = palloc(sizeof(float) * nusers * rank);
	scores = palloc(sizeof(float) * nitems);
	RecsysAlsHalfStep(foldin, rank, users, factors->items, 0, nusers, user_factors);
	worst = 0;
	for (uint32 user = 0; user < nusers; user++)
	{
		double	   *x = solve_row(users, user, factors->items, &factors->shape);

		RecsysFactorScores(user_factors + (Size) user * rank, factors->items, (int) nitems, rank, scores);
		for (uint32 item = 0; item < nitems; item++)
		{
			double		score = 0;

			for (int d = 0; d < rank; d++)
				score += x[d] * factors->items[(Size) item * rank + d];
			worst = Max(worst, fabs(score - scores[item]));
		}
		pfree(x);
	}
	ok(worst < 10 * TOLERANCE, "users folded in have the scores of the definition (%g)", worst);

	expected.items = items;
	expected.factors = factors;
	expected.options = &options;
	expected.next = expected.pairs = expected.wrong = 0;
	(void) members_train(&RecsysAls, task, 1, users, totals, check_row, &expected, NULL, NULL);
	ok(expected.wrong == 0 && expected.pairs > 0 && expected.next == nitems,
	   "the item graph has cosines of factors: %d pairs (%d differ)", expected.pairs, expected.wrong);
	RecsysFoldInFree(foldin);
	pfree(user_factors);
	pfree(scores);
	RecsysFactorsFree(factors);
	totals_free(totals);
	RecsysMatrixFree(items);
	RecsysMatrixFree(users);
}

/* No users, no items, one of each. */
static void
test_small(void)
{
	for (uint32 n = 0; n <= 1; n++)
	{
		uint64		offsets[2] = {0, n};
		uint32		columns[1] = {0};
		RecsysMatrix users = {.nrows = n, .ncolumns = n, .offsets = offsets, .columns = columns};
		RecsysItemTotals *totals = totals_compute(&users);
		RecsysModelOptions options = {.similarity = RECSYS_ALS, .neighbors = 5, .min_support = 1,
			.rank = 3, .unobserved = 0.1, .lambda = 0.01, .iterations = 2000};
		RecsysFactors *factors = NULL;
		int			rows = 0;

		(void) members_train(&RecsysAls, members_task(&users, totals, &options), 1, &users, totals,
							 ignore_row, &rows, take_factors, &factors);
		ok(factors->shape.nitems == n && rows == (int) n, "%u user and item", n);
		if (n == 1)
		{
			/*
			 * With x = y = z the objective is (1 - z^2)^2 + a z^4 + 2 lambda (1 + a) z^2, which is
			 * least at z^2 = 1 / (1 + a) - lambda.
			 */
			double		norm2 = product(factors->items, factors->items, 3);

			ok(fabs(norm2 - (1 / 1.1 - 0.01)) < TOLERANCE, "whose factor has the best length (%g)", norm2);
		}
		RecsysFactorsFree(factors);
		totals_free(totals);
	}
}

/* Defaults that depend on the model */
static void
test_options(void)
{
	RecsysModelOptions options;

	RecsysModelOptionsInit(&options);
	options.similarity = RECSYS_ALS;
	RecsysModelOptionsResolve(&options);
	ok(options.rank > 0 && options.lambda > 0 && options.lambda < 1 && options.unobserved > 0 &&
	   options.iterations > 0, "als has defaults of its own");
	RecsysModelOptionsInit(&options);
	options.similarity = RECSYS_EASE;
	RecsysModelOptionsResolve(&options);
	ok(options.lambda == 80 && options.rank == 512, "and the others have theirs");
}

void
test_als(void)
{
	Random		random;

	random_seed(&random, 20080101);
	for (int orthogonal = 0; orthogonal <= 1; orthogonal++)
	{
		test_half_step(&random, 60, 50, 20, WEIGHTS_NONE, 8, 0.1, 0.01, 1.0, orthogonal);
		test_half_step(&random, 60, 50, 20, WEIGHTS_SMALL, 40, 0.5, 0.01, 1.0, orthogonal);
		test_half_step(&random, 30, 400, 300, WEIGHTS_SMALL, 16, 0.02, 0.003, 1.0, orthogonal);
		test_half_step(&random, 40, 200, 120, WEIGHTS_NONE, 80, 0.1, 0.003, 0.5, orthogonal);
		test_half_step(&random, 60, 50, 20, WEIGHTS_NONE, 1, 0.1, 0.01, 1.0, orthogonal);
		test_half_step(&random, 60, 50, 20, WEIGHTS_SMALL, 1, 0.0, 0.1, 0.0, orthogonal);
		test_shares(&random, orthogonal);
	}
	test_training(&random, 120, 60, WEIGHTS_NONE, 8, 0.1, 0.01, 100, 1);
	test_training(&random, 60, 90, WEIGHTS_NONE, 20, 0.3, 0.003, 10, 2);
	test_training(&random, 100, 40, WEIGHTS_SMALL, 12, 0.05, 0.02, 5, 2);
	test_training(&random, 100, 40, WEIGHTS_NONE, 1, 0.1, 0.01, 10, 1);
	test_training(&random, 30, 40, WEIGHTS_SMALL, 64, 0.1, 0.01, 10, 1);
	test_small();
	test_options();
}
