/*
 * test_dense.c
 *	  Tests of the models by linear algebra, against textbook arithmetic in double precision.
 *
 * The references know nothing of blocks, sides or filters: Gauss-Jordan for
 * inverses, Jacobi rotations for eigenvalues, whole matrices throughout.
 */
#include "core/dense/ease.h"
#include "core/dense/eigen.h"
#include "core/dense/inverse.h"
#include "core/dense/spectral.h"
#include "generate.h"
#include "members.h"
#include "tap.h"
#include "totals.h"

#include <math.h>

#define TOLERANCE 1e-4
#define ENOUGH_MEMORY ((Size) 1 << 30)

/* a dense matrix, row-major */
static double *
dense(Size rows, Size columns)
{
	return palloc0(sizeof(double) * Max(rows * columns, 1));
}

static double
weight_of(const RecsysMatrix *matrix, uint64 x)
{
	return matrix->weights != NULL ? matrix->weights[x] : 1.0;
}

static double *
to_dense(const RecsysMatrix *matrix)
{
	double	   *result = dense(matrix->nrows, matrix->ncolumns);

	for (uint32 row = 0; row < matrix->nrows; row++)
	{
		for (uint64 x = matrix->offsets[row]; x < matrix->offsets[row + 1]; x++)
			result[(Size) row * matrix->ncolumns + matrix->columns[x]] = weight_of(matrix, x);
	}
	return result;
}

/* a' a */
static double *
gram_of(const double *a, Size rows, Size columns)
{
	double	   *gram = dense(columns, columns);

	for (Size row = 0; row < rows; row++)
	{
		for (Size i = 0; i < columns; i++)
		{
			for (Size j = 0; j < columns; j++)
				gram[i * columns + j] += a[row * columns + i] * a[row * columns + j];
		}
	}
	return gram;
}

/* Gauss-Jordan with pivots */
static double *
invert_dense(const double *matrix, Size n)
{
	double	   *a = dense(n, n);
	double	   *inverse = dense(n, n);

	memcpy(a, matrix, sizeof(double) * n * n);
	for (Size i = 0; i < n; i++)
		inverse[i * n + i] = 1.0;
	for (Size column = 0; column < n; column++)
	{
		Size		pivot = column;
		double		scale;

		for (Size row = column + 1; row < n; row++)
		{
			if (fabs(a[row * n + column]) > fabs(a[pivot * n + column]))
				pivot = row;
		}
		for (Size x = 0; x < n; x++)
		{
			double		swap = a[pivot * n + x];

			a[pivot * n + x] = a[column * n + x];
			a[column * n + x] = swap;
			swap = inverse[pivot * n + x];
			inverse[pivot * n + x] = inverse[column * n + x];
			inverse[column * n + x] = swap;
		}
		scale = 1.0 / a[column * n + column];
		for (Size x = 0; x < n; x++)
		{
			a[column * n + x] *= scale;
			inverse[column * n + x] *= scale;
		}
		for (Size row = 0; row < n; row++)
		{
			double		factor = a[row * n + column];

			if (row == column)
				continue;
			for (Size x = 0; x < n; x++)
			{
				a[row * n + x] -= factor * a[column * n + x];
				inverse[row * n + x] -= factor * inverse[column * n + x];
			}
		}
	}
	pfree(a);
	return inverse;
}

/* Jacobi's rotations: a becomes diagonal, the columns of vectors its eigenvectors */
static void
jacobi(double *a, double *vectors, Size n)
{
	for (Size i = 0; i < n; i++)
		vectors[i * n + i] = 1.0;
	for (int round = 0; round < 30; round++)
	{
		for (Size p = 0; p < n; p++)
		{
			for (Size q = p + 1; q < n; q++)
			{
				double		theta;
				double		t;
				double		c;
				double		s;

				if (fabs(a[p * n + q]) < 1e-14)
					continue;
				theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
				t = (theta >= 0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
				c = 1.0 / sqrt(t * t + 1.0);
				s = t * c;
				for (Size x = 0; x < n; x++)
				{
					double		left = a[x * n + p];
					double		right = a[x * n + q];

					a[x * n + p] = c * left - s * right;
					a[x * n + q] = s * left + c * right;
				}
				for (Size x = 0; x < n; x++)
				{
					double		left = a[p * n + x];
					double		right = a[q * n + x];

					a[p * n + x] = c * left - s * right;
					a[q * n + x] = s * left + c * right;
				}
				for (Size x = 0; x < n; x++)
				{
					double		left = vectors[x * n + p];
					double		right = vectors[x * n + q];

					vectors[x * n + p] = c * left - s * right;
					vectors[x * n + q] = s * left + c * right;
				}
			}
		}
	}
}

/* What rows are compared with, and what was found. */
typedef struct Expected
{
	const double *scores;		/* items x items */
	const double *x;			/* users x items */
	uint32		nusers;
	uint32		nitems;
	const RecsysModelOptions *options;
	const double *keep;			/* by item: what is stored is decided by score * keep; or NULL */
	uint32		next;			/* the row that is due */
	int			pairs;
	int			wrong;
} Expected;

static uint32
support_of(const Expected *expected, uint32 i, uint32 j)
{
	uint32		support = 0;

	for (uint32 user = 0; user < expected->nusers; user++)
	{
		const double *row = expected->x + (Size) user * expected->nitems;

		support += row[i] > 0 && row[j] > 0;
	}
	return support;
}

static double
kept_by(const Expected *expected, uint32 item, double score)
{
	return expected->keep != NULL ? score * expected->keep[item] : score;
}

static void
check_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int n)
{
	Expected   *expected = arg;
	const double *scores = expected->scores + (Size) item * expected->nitems;
	bool	   *seen = palloc0(expected->nitems);
	double		least = n == expected->options->neighbors ? INFINITY : 0.0;

	expected->wrong += item != expected->next++ || n > expected->options->neighbors;
	for (int x = 0; x < n; x++)
	{
		const RecsysNeighbor *neighbor = &neighbors[x];
		double		score = scores[neighbor->item];

		expected->pairs++;
		least = Min(least, kept_by(expected, neighbor->item, neighbor->score));
		expected->wrong += seen[neighbor->item] || neighbor->item == item ||
			!(neighbor->score > 0) ||
			fabs(neighbor->score - score) > TOLERANCE * Max(1.0, fabs(score)) ||
			neighbor->support != support_of(expected, item, neighbor->item) ||
			neighbor->support < expected->options->min_support ||
			(x > 0 && (neighbor->score > neighbors[x - 1].score ||
					   (neighbor->score == neighbors[x - 1].score &&
						neighbor->item < neighbors[x - 1].item)));
		seen[neighbor->item] = true;
	}

	/* nothing better is missing */
	for (uint32 other = 0; other < expected->nitems; other++)
	{
		if (other != item && !seen[other] && 
			kept_by(expected, other, scores[other]) > least + 2 * TOLERANCE &&
			support_of(expected, item, other) >= expected->options->min_support)
			expected->wrong++;
	}
	pfree(seen);
}

static Expected
expect(const double *scores, const double *x, const RecsysMatrix *users,
	   const RecsysModelOptions *options)
{
	Expected	expected = {.scores = scores, .x = x, .nusers = users->nrows,
		.nitems = users->ncolumns, .options = options};

	return expected;
}

/* Inverting by a team */
typedef struct Inversion
{
	float	   *a;
	Size		n;
	void	   *shared;
	bool		done;
} Inversion;

static void
invert(RecsysTeam *team, void *arg)
{
	Inversion  *inversion = arg;

	inversion->done = RecsysInvert(team, inversion->a, inversion->n, inversion->shared);
}

/* by so many members */
static bool
invert_by(int members, float *a, Size n)
{
	Size		shared = RecsysInvertShared(n);
	Inversion	inversion = {.a = members_allocate(sizeof(float) * n * n), .n = n,
		.shared = members_allocate(shared)};

	memcpy(inversion.a, a, sizeof(float) * n * n);
	members_run(members, invert, &inversion);
	memcpy(a, inversion.a, sizeof(float) * n * n);
	members_free(inversion.a, sizeof(float) * n * n);
	members_free(inversion.shared, shared);
	return inversion.done;
}

static void
test_inverse(Random *random)
{
	static const Size sizes[] = {1, 2, 17, 256, 257, 600};

	for (int s = 0; s < (int) lengthof(sizes); s++)
	{
		Size		n = sizes[s];
		float	   *a = palloc0(sizeof(float) * n * n);
		float	   *original = palloc(sizeof(float) * n * n);
		float	   *other = palloc(sizeof(float) * n * n);
		double		worst = 0;

		/* diagonally dominant, hence positive definite */
		for (Size row = 0; row < n; row++)
		{
			for (Size column = 0; column < row; column++)
				a[column * n + row] = a[row * n + column] = (float) (random_unit(random) - 0.5);
			a[row * n + row] = (float) n;
		}
		memcpy(original, a, sizeof(float) * n * n);
		memcpy(other, a, sizeof(float) * n * n);
		ok(invert_by(1, a, n), "a matrix of order %zu is inverted", n);
		ok(invert_by(3, other, n) && memcmp(a, other, sizeof(float) * n * n) == 0,
		   "and by three members to the last bit");
		for (Size row = 0; row < n; row++)
		{
			for (Size column = 0; column < n; column += n / 16 + 1)
			{
				double		sum = row == column ? -1.0 : 0.0;

				for (Size x = 0; x < n; x++)
					sum += (double) original[row * n + x] * a[column * n + x];
				worst = Max(worst, fabs(sum));
			}
		}
		ok(worst < TOLERANCE, "and the product is the unit matrix (%g)", worst);
		pfree(a);
		pfree(original);
		pfree(other);
	}
	{
		float		a[4] = {1, 2, 2, 1};

		ok(!invert_by(1, a, 2) && !invert_by(2, a, 2), "a matrix that is not positive definite is refused");
	}
}

/* A number that depends on every bit of all rows (FNV) */
static void
hash_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int n)
{
	uint64	   *hash = arg;

	*hash = (*hash ^ item) * UINT64CONST(0x100000001B3);
	for (Size x = 0; x < sizeof(RecsysNeighbor) * n; x++)
		*hash = (*hash ^ ((const uint8 *) neighbors)[x]) * UINT64CONST(0x100000001B3);
}

/* The same users in another order */
static RecsysMatrix *
reverse_users(const RecsysMatrix *users)
{
	RecsysMatrix *items = RecsysMatrixTranspose(users);
	RecsysMatrix *result = RecsysMatrixTranspose(items);
	uint64		at = 0;

	for (uint32 row = 0; row < users->nrows; row++)
	{
		uint32		user = users->nrows - 1 - row;

		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++, at++)
		{
			result->columns[at] = users->columns[x];
			if (users->weights != NULL)
				result->weights[at] = users->weights[x];
		}
		result->offsets[row + 1] = at;
	}
	RecsysMatrixFree(items);
	return result;
}

void
test_members(const RecsysDenseModel *model, RecsysDenseTask task, const RecsysMatrix *users,
			 const RecsysItemTotals *totals)
{
	uint64		hashes[4] = {0};
	RecsysMatrix *reverse = reverse_users(users);

	for (int members = 1; members < 4; members++)
		(void) members_train(model, task, members, users, totals, hash_row, &hashes[members], NULL, NULL);
	(void) members_train(model, task, 1, reverse, totals, hash_row, &hashes[0], NULL, NULL);
	ok(hashes[1] != 0 && hashes[1] == hashes[2] && hashes[1] == hashes[3],
	   "two and three members find the same to the last bit");
	ok(hashes[0] == hashes[1], "and so does one with the users in another order");
	RecsysMatrixFree(reverse);
}

/* P from its definition, the scores from P; with a head as ease.c says. */
static double *
ease_reference(const double *x, const RecsysMatrix *users, const RecsysItemTotals *totals,
			   double lambda, uint32 head_size)
{
	Size		n = users->ncolumns;
	double	   *scores = dense(n, n);
	double	   *gram = gram_of(x, users->nrows, n);
	uint32	   *head = palloc(sizeof(uint32) * n);
	bool	   *taken = palloc0(n);
	double	   *part = dense(head_size, head_size);
	double	   *p;

	for (uint32 h = 0; h < head_size; h++)
	{
		uint32		best = RECSYS_NONE;

		for (uint32 item = 0; item < n; item++)
		{
			if (!taken[item] && (best == RECSYS_NONE || totals->users[item] > totals->users[best]))
				best = item;
		}
		taken[best] = true;
		head[h] = best;
	}
	for (uint32 i = 0; i < head_size; i++)
	{
		for (uint32 j = 0; j < head_size; j++)
			part[i * head_size + j] = gram[head[i] * n + head[j]] + (i == j ? lambda : 0.0);
	}
	p = invert_dense(part, head_size);
	for (uint32 i = 0; i < head_size; i++)
	{
		for (uint32 j = 0; j < head_size; j++)
		{
			if (i != j)
				scores[head[i] * n + head[j]] =
					-p[i * head_size + j] / p[j * head_size + j];
		}
	}
	for (uint32 t = 0; t < n; t++)
	{
		double		left = gram[t * n + t] + lambda;

		if (taken[t])
			continue;
		for (uint32 i = 0; i < head_size; i++)
		{
			double		m = 0;

			for (uint32 j = 0; j < head_size; j++)
				m += p[i * head_size + j] * gram[head[j] * n + t];
			scores[head[i] * n + t] = m;
			left -= m * gram[head[i] * n + t];
		}
		for (uint32 i = 0; i < head_size; i++)
			scores[t * n + head[i]] = scores[head[i] * n + t] / (left * p[i * head_size + i]);
	}
	pfree(gram);
	pfree(head);
	pfree(taken);
	pfree(part);
	pfree(p);
	return scores;
}

static void
test_ease(Random *random, uint32 nusers, uint32 nitems, WeightKind weights, double lambda,
		  int neighbors, uint32 min_support, bool with_tail)
{
	RecsysMatrix *users = generate_matrix(random, nusers, nitems, nusers * 5, 30, true, weights);
	RecsysItemTotals *totals = totals_compute(users);
	RecsysModelOptions options = {.similarity = RECSYS_EASE, .neighbors = neighbors,
		.min_support = min_support, .lambda = lambda};
	RecsysDenseTask task = members_task(users, totals, &options);
	double	   *x = to_dense(users);
	Expected	expected = expect(NULL, x, users, &options);
	double	   *scores;
	Size		limit;
	Size		peak;
	uint32		head;

	limit = with_tail ? RecsysEaseExactMemory(&task) - 160000 : ENOUGH_MEMORY;
	head = RecsysEasePlan(&task, limit);
	scores = ease_reference(x, users, totals, lambda, head);
	expected.scores = scores;
	peak = members_train(&RecsysEase, task, 1, users, totals, check_row, &expected, NULL, NULL);
	ok(expected.wrong == 0 && expected.pairs > 0 && expected.next == nitems,
	   "ease of %u users, %u items, weights %d, lambda %g: %d pairs, head %u (%d differ)",
	   nusers, nitems, (int) weights, lambda, expected.pairs, head, expected.wrong);
	ok(with_tail ? head < nitems : head == nitems, "its head is as large as memory allows");
	ok(peak <= RecsysEase.memory(&task, true) && RecsysEase.shared(&task) + peak <= limit,
	   "it takes no more than it says (%zu of %zu)", peak, RecsysEase.memory(&task, true));
	test_members(&RecsysEase, task, users, totals);
	pfree(scores);
	pfree(x);
	totals_free(totals);
	RecsysMatrixFree(users);
}

/* The formula in spectral.c, with all eigenvalues. */
static double *
spectral_reference(const double *x, const RecsysMatrix *users,
				   const RecsysSpectralParameters *parameters)
{
	Size		n = users->ncolumns;
	Size		m = users->nrows;
	double	   *normal = dense(m, n);
	double	   *scores = dense(n, n);
	double	   *by_item = dense(n, 1);
	double	   *vectors = dense(n, n);
	uint32	   *order = palloc(sizeof(uint32) * n);
	double	   *gram;
	double		largest;
	double		linear;

	for (Size u = 0; u < m; u++)
	{
		for (Size i = 0; i < n; i++)
			by_item[i] += x[u * n + i];
	}
	for (Size u = 0; u < m; u++)
	{
		double		by_user = 0;

		for (Size i = 0; i < n; i++)
			by_user += x[u * n + i];
		for (Size i = 0; i < n; i++)
		{
			if (x[u * n + i] > 0)
				normal[u * n + i] = x[u * n + i] * pow(by_user, -parameters->user_exponent) *
					pow(by_item[i], -parameters->item_exponent);
		}
	}
	gram = gram_of(normal, m, n);
	{
		double	   *rotated = dense(n, n);

		memcpy(rotated, gram, sizeof(double) * n * n);
		jacobi(rotated, vectors, n);
		for (uint32 i = 0; i < n; i++)
		{
			uint32		at = i;

			for (; at > 0 && rotated[order[at - 1] * (n + 1)] < rotated[i * (n + 1)]; at--)
				order[at] = order[at - 1];
			order[at] = i;
		}
		largest = rotated[order[0] * (n + 1)];
		linear = parameters->tail *
			pow(rotated[order[parameters->rank - 1] * (n + 1)] / largest, parameters->power - 1);
		for (Size i = 0; i < n; i++)
		{
			for (Size j = 0; j < n; j++)
			{
				double		sum = linear * gram[i * n + j] / largest;

				for (int k = 0; k < parameters->rank; k++)
				{
					double		s = rotated[order[k] * (n + 1)] / largest;

					sum += (pow(s, parameters->power) - linear * s) *
						vectors[i * n + order[k]] * vectors[j * n + order[k]];
				}
				if (i != j && by_item[i] > 0 && by_item[j] > 0)
					scores[i * n + j] = sum * pow(by_item[i], -parameters->item_exponent -
												  parameters->row_exponent) *
						pow(by_item[j], parameters->target_exponent);
			}
		}
		pfree(rotated);
	}
	pfree(normal);
	pfree(by_item);
	pfree(vectors);
	pfree(order);
	pfree(gram);
	return scores;
}

static void
test_spectral(Random *random, uint32 nusers, uint32 nitems, WeightKind weights, int rank,
			  int neighbors, uint32 min_support)
{
	RecsysMatrix *users = generate_matrix(random, nusers, nitems, nusers * 6, 30, true, weights);
	RecsysItemTotals *totals = totals_compute(users);
	RecsysSpectralParameters parameters = RecsysSpectralDefaults;
	RecsysModelOptions options = {.similarity = RECSYS_SPECTRAL, .neighbors = neighbors,
		.min_support = min_support, .rank = rank, .power = parameters.power, .tail = parameters.tail};
	RecsysDenseTask task = members_task(users, totals, &options);
	double	   *x = to_dense(users);
	double	   *scores;
	double	   *keep;
	Expected	expected;
	Size		peak;
	uint64		checks = standalone_interrupt_checks;

	parameters.rank = rank;
	scores = spectral_reference(x, users, &parameters);
	expected = expect(scores, x, users, &options);
	keep = palloc(sizeof(double) * nitems);
	for (uint32 item = 0; item < nitems; item++)
		keep[item] = pow(Max(totals->mass != NULL ? totals->mass[item] : totals->users[item], 1e-9),
						 -parameters.keep_exponent);
	expected.keep = keep;
	peak = members_train(&RecsysSpectral, task, 1, users, totals, check_row, &expected, NULL, NULL);
	ok(expected.wrong == 0 && expected.pairs > 0 && expected.next == nitems,
	   "spectral of %u users, %u items, weights %d, rank %d: %d pairs (%d differ)",
	   nusers, nitems, (int) weights, rank, expected.pairs, expected.wrong);
	ok(peak <= RecsysSpectral.memory(&task, true), "it takes no more than it says (%zu of %zu)",
	   peak, RecsysSpectral.memory(&task, true));
	test_members(&RecsysSpectral, task, users, totals);
	ok(standalone_interrupt_checks > checks, "it looks for interrupts");
	pfree(scores);
	pfree(keep);
	pfree(x);
	totals_free(totals);
	RecsysMatrixFree(users);
}

/* No users, no items, one item, more rank than there is. */
static void
test_small(void)
{
	for (uint32 nitems = 0; nitems <= 3; nitems++)
	{
		RecsysMatrix users = {.nrows = nitems == 0 ? 0 : 2, .ncolumns = nitems};
		uint64		offsets[3] = {0, nitems, Min(2 * nitems, 6)};
		uint32		columns[6] = {0, 1, 2, 0, 1, 2};
		RecsysItemTotals *totals;
		RecsysSpectralParameters parameters = RecsysSpectralDefaults;
		RecsysModelOptions options = {.neighbors = 5, .min_support = 1, .lambda = 1.0,
		.rank = parameters.rank, .power = parameters.power, .tail = parameters.tail};
		RecsysDenseTask task;
		double	   *scores = dense(3, 3);
		double	   *x;
		Expected	expected;
		int			wrong = 0;

		for (uint32 y = 0; y < nitems; y++)
			columns[nitems + y] = y;
		users.offsets = offsets;
		users.columns = columns;
		x = to_dense(&users);
		totals = totals_compute(&users);
		task = members_task(&users, totals, &options);
		for (Size y = 0; y < 9; y++)
			scores[y] = nitems > 1 && y / nitems != y % nitems && y < nitems * nitems ?
				2.0 / (2.0 * (nitems - 1) + 1.0) : 0.0;
		expected = expect(scores, x, &users, &options);
		(void) RecsysEasePlan(&task, ENOUGH_MEMORY);
		(void) members_train(&RecsysEase, task, 1, &users, totals, check_row, &expected, NULL, NULL);
		wrong += expected.wrong + (expected.next != nitems);

		/* all items alike: one eigenvalue, a vector of equal parts */
		for (Size y = 0; y < 9; y++)
		{
			if (scores[y] > 0)
				scores[y] = pow(2.0, parameters.target_exponent - parameters.item_exponent -
								parameters.row_exponent) / nitems;
		}
		expected = expect(scores, x, &users, &options);
		(void) members_train(&RecsysSpectral, task, 1, &users, totals, check_row, &expected, NULL, NULL);
		wrong += expected.wrong + (expected.next != nitems);
		ok(wrong == 0, "%u items that two users share (%d differ)", nitems, wrong);
		pfree(scores);
		pfree(x);
		totals_free(totals);
	}
}

void
test_dense(void)
{
	Random		random;

	random_seed(&random, 20190512);
	test_inverse(&random);
	test_ease(&random, 200, 40, WEIGHTS_NONE, 10.0, 100, 1, false);
	test_ease(&random, 60, 150, WEIGHTS_NONE, 5.0, 100, 1, false);
	test_ease(&random, 60, 150, WEIGHTS_SMALL, 5.0, 10, 2, false);
	test_ease(&random, 200, 40, WEIGHTS_SMALL, 20.0, 5, 2, false);
	test_ease(&random, 300, 120, WEIGHTS_NONE, 10.0, 100, 1, true);
	test_ease(&random, 300, 120, WEIGHTS_SMALL, 10.0, 20, 2, true);
	test_spectral(&random, 200, 60, WEIGHTS_NONE, 8, 100, 1);
	test_spectral(&random, 80, 120, WEIGHTS_NONE, 20, 100, 1);
	test_spectral(&random, 300, 60, WEIGHTS_NONE, 16, 8, 1);
	test_spectral(&random, 200, 60, WEIGHTS_SMALL, 8, 10, 2);
	test_small();
}
