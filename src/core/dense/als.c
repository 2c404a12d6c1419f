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
 * The start is random but always the same.  Members of a team claim rows of a half step; G is summed
 * up in a fixed number of parts.
 */
#include "core/dense/als.h"

#include <math.h>

#include "core/base/random.h"
#include "core/dense/area.h"
#include "core/dense/blas.h"
#include "core/pairs/pairrow.h"

/* nu: regularization in proportion to how much is known of a row (Rendle et al.) */
#define EXPONENT 1.0

/* Standard deviation of the first factors times sqrt(rank) (Rendle et al.) */
#define FIRST_DEVIATION 0.1

#define SEED 2008
#define ROWS_PER_CALL 2048
#define PAIRS_PER_CHECK 1024

/* Rows of a half step that are claimed at once */
#define CHUNK 64

/* G is summed up in this many parts, of equally many rows. */
#define PARTS 16

typedef struct Als
{
	RecsysTeam *team;
	int			rank;
	RecsysFactorShape items_shape;	/* what users are fitted with */
	RecsysFactorShape users_shape;	/* and items */

	/* shared */
	RecsysMatrix users;
	RecsysMatrix items;
	RecsysItemTotals totals;
	float	   *user_factors;
	float	   *item_factors;
	float	   *user_gram;		/* rank x rank */
	float	   *item_gram;
	float	   *vectors;		/* rank x rank: eigenvectors of G */
	float	   *parts;			/* PARTS x rank x rank */
	double	   *squares;		/* PARTS x rank */
	float	   *inverse_lengths;	/* 1 / |y|; 0 where nothing was learned */

	/* private */
	float	   *piece;			/* ROWS_PER_CALL x rank */
	float	   *values;			/* leader: of ssyevd */
	float	   *work;
	int		   *iwork;
} Als;

static Size
part_end(Size part, Size n)
{
	return n * (part + 1) / PARTS;
}

/* The eigenvectors of the sum of y y', in columns */
static void
find_rotation(Als *als, const float *factors, Size n)
{
	int			rank = als->rank;
	Size		size = (Size) rank * rank;
	int			lwork = (int) RecsysEigenWork(rank);
	int			liwork = (int) RecsysEigenIntegerWork(rank);
	int			info;
	const float one = 1.0f;
	uint64		part;

	while (RecsysTeamClaim(als->team, PARTS, &part))
	{
		float	   *sum = als->parts + part * size;
		float		beta = 0.0f;

		memset(sum, 0, sizeof(float) * size);
		for (Size row = part > 0 ? part_end(part - 1, n) : 0; row < part_end(part, n); row += ROWS_PER_CALL)
		{
			int			rows = (int) Min(part_end(part, n) - row, ROWS_PER_CALL);

			CHECK_FOR_INTERRUPTS();
			ssyrk_("L", "N", &rank, &rows, &one, factors + row * rank, &rank, &beta,
				   sum, &rank, 1, 1);
			beta = 1.0f;
		}
	}
	RecsysTeamWait(als->team);
	if (RecsysTeamLeads(als->team))
	{
		for (Size x = 0; x < size; x++)
		{
			double		sum = 0;

			for (Size y = 0; y < PARTS; y++)
				sum += als->parts[y * size + x];
			als->vectors[x] = (float) sum;
		}
		CHECK_FOR_INTERRUPTS();
		ssyevd_("V", "L", &rank, als->vectors, &rank, als->values, als->work, &lwork,
				als->iwork, &liwork, &info, 1, 1);
		if (info != 0)
			elog(ERROR, "eigenvalues did not converge (%d)", info);
	}
	RecsysTeamWait(als->team);
}

/* Turns n factors so that gram, the sum of y y', is diagonal. */
static void
rotate(Als *als, float *factors, Size n, float *gram)
{
	int			rank = als->rank;
	const float one = 1.0f;
	const float zero = 0.0f;
	uint64		part;

	find_rotation(als, factors, n);
	while (RecsysTeamClaim(als->team, PARTS, &part))
	{
		double	   *squares = als->squares + part * rank;

		memset(squares, 0, sizeof(double) * rank);
		for (Size row = part > 0 ? part_end(part - 1, n) : 0; row < part_end(part, n); row += ROWS_PER_CALL)
		{
			int			rows = (int) Min(part_end(part, n) - row, ROWS_PER_CALL);
			float	   *turned = factors + row * rank;

			CHECK_FOR_INTERRUPTS();
			memcpy(als->piece, turned, sizeof(float) * rows * rank);
			sgemm_("T", "N", &rank, &rows, &rank, &one, als->vectors, &rank, als->piece, &rank,
				   &zero, turned, &rank, 1, 1);
			for (Size x = 0; x < rows; x++)
			{
				for (int y = 0; y < rank; y++)
					squares[y] += (double) turned[x * rank + y] * turned[x * rank + y];
			}
		}
	}
	RecsysTeamWait(als->team);

	/* off the diagonal there is nothing but rounding */
	if (RecsysTeamLeads(als->team))
	{
		memset(gram, 0, sizeof(float) * rank * rank);
		for (Size x = 0; x < (Size) rank; x++)
		{
			double		sum = 0;

			for (Size y = 0; y < PARTS; y++)
				sum += als->squares[y * rank + x];
			gram[x * rank + x] = (float) sum;
		}
	}
	RecsysTeamWait(als->team);
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
fit_rows(Als *als, const RecsysMatrix *rows, const RecsysFactorShape *shape, const float *others,
		 const float *gram, float *result)
{
	RecsysFoldIn *foldin = RecsysFoldInCreate(shape, gram);
	uint64		chunk;

	while (RecsysTeamClaim(als->team, ((Size) rows->nrows + CHUNK - 1) / CHUNK, &chunk))
		RecsysAlsHalfStep(foldin, shape->rank, rows, others, (uint32) (chunk * CHUNK),
						  (uint32) Min((Size) rows->nrows, (chunk + 1) * CHUNK), result);
	RecsysTeamWait(als->team);
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
				(float) (RecsysRandomSigned(RecsysRandomNext(&random)) * limit);
	}
}

static void
score_pairs(void *arg, uint32 item, const RecsysNeighbor *pairs, int n, float *scores)
{
	Als		   *als = arg;
	Size		rank = als->rank;

	for (int x = 0; x < n; x++)
	{
		uint32		other = pairs[x].item;

		if (x % PAIRS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysFactorScores(als->item_factors + item * rank, als->item_factors + other * rank, 1,
						   (int) rank, &scores[x]);
		scores[x] *= als->inverse_lengths[item] * als->inverse_lengths[other];
	}
}

static void
find_lengths(Als *als)
{
	Size		rank = als->rank;

	for (Size item = 0; item < als->totals.nitems; item++)
	{
		const float *factor = als->item_factors + item * rank;
		double		sum = 0;

		for (Size x = 0; x < rank; x++)
			sum += (double) factor[x] * factor[x];
		als->inverse_lengths[item] = sum > 0 ? (float) (1.0 / sqrt(sum)) : 0.0f;
	}
}

static Size
lay_out(const RecsysDenseTask *task, void *shared, Als *als)
{
	RecsysArea	area = {shared, 0};
	Size		rank = task->options.rank;

	als->rank = task->options.rank;
	als->items_shape.nitems = task->nitems;
	als->items_shape.rank = task->options.rank;
	als->items_shape.unobserved = task->options.unobserved;
	als->items_shape.lambda = task->options.lambda;
	als->items_shape.exponent = EXPONENT;
	als->users_shape = als->items_shape;
	als->users_shape.nitems = (uint32) task->nusers;
	RecsysCarveMatrix(&area, task->nrows, task->nitems, task->nentries, true, task->weighted,
					  &als->users);
	RecsysCarveMatrix(&area, task->nitems, task->nrows, task->nentries, true, task->weighted,
					  &als->items);
	RecsysCarveTotals(&area, task->nitems, task->weighted, &als->totals);
	als->totals.nusers = task->nusers;
	als->user_factors = RecsysCarve(&area, sizeof(float) * task->nrows * rank);
	als->item_factors = RecsysCarve(&area, sizeof(float) * task->nitems * rank);
	als->user_gram = RecsysCarve(&area, sizeof(float) * rank * rank);
	als->item_gram = RecsysCarve(&area, sizeof(float) * rank * rank);
	als->vectors = RecsysCarve(&area, sizeof(float) * rank * rank);
	als->parts = RecsysCarve(&area, sizeof(float) * PARTS * rank * rank);
	als->squares = RecsysCarve(&area, sizeof(double) * PARTS * rank);
	als->inverse_lengths = RecsysCarve(&area, sizeof(float) * task->nitems);
	return area.used;
}

static Size
shared_memory(const RecsysDenseTask *task)
{
	Als			none;

	return lay_out(task, NULL, &none);
}

static Size
member_memory(const RecsysDenseTask *task, bool leader)
{
	Size		rank = task->options.rank;
	Size		training = sizeof(float) * ROWS_PER_CALL * rank + RecsysFoldInMemory((int) rank);

	if (leader)
		training += sizeof(float) * (rank + RecsysEigenWork(rank)) + sizeof(int) * RecsysEigenIntegerWork(rank);
	return Max(Max(training, RecsysPairRowsMemory(task->nitems, task->weighted)),
			   leader ? RecsysDensePrepareMemory(task) : 0);
}

static void
prepare(const RecsysDenseTask *task, void *shared, const RecsysMatrix *users,
		const RecsysItemTotals *totals)
{
	Als			als = {0};

	(void) lay_out(task, shared, &als);
	RecsysDenseCopyUsers(users, &als.users);
	memset(als.items.offsets, 0, sizeof(uint64) * ((Size) task->nitems + 1));
	RecsysMatrixTransposeTo(&als.users, &als.items);
	RecsysDenseCopyTotals(totals, &als.totals);
	start_factors(als.item_factors, totals, als.rank);
}

static void
train(Als *als, int iterations)
{
	rotate(als, als->item_factors, als->totals.nitems, als->item_gram);
	for (int iteration = 0; iteration < iterations; iteration++)
	{
		fit_rows(als, &als->users, &als->items_shape, als->item_factors, als->item_gram,
				 als->user_factors);
		rotate(als, als->user_factors, als->users.nrows, als->user_gram);
		fit_rows(als, &als->items, &als->users_shape, als->user_factors, als->user_gram,
				 als->item_factors);
		rotate(als, als->item_factors, als->totals.nitems, als->item_gram);
	}
	if (RecsysTeamLeads(als->team))
		find_lengths(als);
	RecsysTeamWait(als->team);
}

static void
run(RecsysTeam *team, const RecsysDenseTask *task, void *shared, RecsysRowReporter report, void *arg)
{
	Als			als = {.team = team};
	RecsysPairModel model = {.users = &als.users, .items = &als.items, .totals = &als.totals,
		.options = &task->options, .score = score_pairs, .arg = &als};
	Size		rank = task->options.rank;

	(void) lay_out(task, shared, &als);
	als.piece = recsys_alloc_huge(sizeof(float) * ROWS_PER_CALL * rank);
	if (RecsysTeamLeads(team))
	{
		als.values = palloc(sizeof(float) * rank);
		als.work = recsys_alloc_huge(sizeof(float) * RecsysEigenWork(rank));
		als.iwork = palloc(sizeof(int) * RecsysEigenIntegerWork(rank));
	}
	train(&als, task->options.iterations);
	pfree(als.piece);
	if (RecsysTeamLeads(team))
	{
		pfree(als.values);
		pfree(als.work);
		pfree(als.iwork);
	}
	RecsysPairRows(team, &model, report, arg);
}

RecsysFactors *
RecsysAlsFactors(const RecsysDenseTask *task, void *shared)
{
	RecsysFactors *factors = palloc(sizeof(RecsysFactors));
	Size		rank = task->options.rank;
	Size		size = sizeof(float) * Max((Size) task->nitems, 1) * rank;
	Als			als;

	(void) lay_out(task, shared, &als);
	factors->shape = als.items_shape;
	factors->items = recsys_alloc_huge(size);
	factors->gram = recsys_alloc_huge(sizeof(float) * rank * rank);
	memcpy(factors->items, als.item_factors, sizeof(float) * task->nitems * rank);
	memcpy(factors->gram, als.item_gram, sizeof(float) * rank * rank);
	return factors;
}

Size
RecsysAlsFactorsMemory(const RecsysDenseTask *task)
{
	Size		rank = task->options.rank;

	return sizeof(RecsysFactors) + sizeof(float) * rank * (Max((Size) task->nitems, 1) + rank);
}

const RecsysDenseModel RecsysAls = {
	.shared = shared_memory,
	.memory = member_memory,
	.prepare = prepare,
	.run = run
};
