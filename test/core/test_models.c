/*
 * test_models.c
 *	  Weights, slim and rows gathered from columns, on random matrices.
 */
#include <float.h>
#include <math.h>

#include "core/pairs/modeloptions.h"
#include "core/base/product.h"
#include "core/pairs/rowgather.h"
#include "core/pairs/slim.h"
#include "core/pairs/weighting.h"
#include "generate.h"
#include "tap.h"
#include "totals.h"

/* A dense matrix of scores and supports, filled by columns or by rows */
typedef struct Dense
{
	uint32		nitems;
	bool		by_rows;
	uint32		next;			/* item that is due */
	bool		in_order;
	int			longest;
	double	   *scores;
	uint32	   *supports;
} Dense;

static Dense *
dense_create(uint32 nitems, bool by_rows)
{
	Dense	   *dense = palloc0(sizeof(Dense));

	dense->nitems = nitems;
	dense->by_rows = by_rows;
	dense->in_order = true;
	dense->scores = palloc0(sizeof(double) * nitems * nitems);
	dense->supports = palloc0(sizeof(uint32) * nitems * nitems);
	return dense;
}

static void
dense_free(Dense *dense)
{
	pfree(dense->scores);
	pfree(dense->supports);
	pfree(dense);
}

static void
put(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Dense	   *dense = arg;

	dense->in_order &= item == dense->next++;
	dense->longest = Max(dense->longest, count);
	for (int x = 0; x < count; x++)
	{
		Size		place = dense->by_rows ?
			(Size) item * dense->nitems + neighbors[x].item :
			(Size) neighbors[x].item * dense->nitems + item;

		dense->scores[place] = neighbors[x].score;
		dense->supports[place] = neighbors[x].support;
		if (dense->by_rows && x > 0 &&
			(neighbors[x].score > neighbors[x - 1].score ||
			 (neighbors[x].score == neighbors[x - 1].score && neighbors[x].item < neighbors[x - 1].item)))
			dense->in_order = false;
	}
}

/* X'X and the counts behind it */
static void
gram(const RecsysMatrix *users, double *dots, uint32 *counts)
{
	Size		n = users->ncolumns;

	for (uint32 user = 0; user < users->nrows; user++)
	{
		for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
		{
			for (uint64 y = users->offsets[user]; y < users->offsets[user + 1]; y++)
			{
				double		product = users->weights == NULL ? 1.0 :
					(double) users->weights[x] * users->weights[y];

				dots[users->columns[x] * n + users->columns[y]] += product;
				counts[users->columns[x] * n + users->columns[y]]++;
			}
		}
	}
}

/* How far slim's weights are from the conditions of a minimum, in units of weight */
static double
worst_violation(const Dense *dense, const double *dots, const uint32 *counts,
				const RecsysModelOptions *options, int *wrong_supports)
{
	Size		n = dense->nitems;
	double		worst = 0;

	for (Size j = 0; j < n; j++)
	{
		for (Size i = 0; i < n; i++)
		{
			double		w = dense->scores[i * n + j];
			double		slope = options->l1 + options->l2 * w - dots[i * n + j];

			if (w > 0 && (i == j || dense->supports[i * n + j] != counts[i * n + j]))
				(*wrong_supports)++;
			if (i == j || counts[i * n + j] < options->min_support)
			{
				*wrong_supports += w > 0;
				continue;
			}
			for (Size k = 0; k < n; k++)
				slope += dots[i * n + k] * dense->scores[k * n + j];
			worst = Max(worst, (w > 0 ? fabs(slope) : -slope) / (dots[i * n + i] + options->l2));
		}
	}
	return worst;
}

static void
test_slim(WeightKind weights)
{
	double		worst = 0;
	int			wrong_supports = 0;
	int			wrong_order = 0;
	int			wrong_memory = 0;
	int			wrong_gather = 0;

	for (int seed = 1; seed <= 12; seed++)
	{
		Random		random;
		RecsysModelOptions options;
		RecsysMatrix *users;
		RecsysMatrix *items;
		RecsysItemTotals *totals;
		RecsysSlimKernel *kernel;
		RecsysRowGather *gather;
		Dense	   *columns;
		Dense	   *rows;
		double	   *dots;
		uint32	   *counts;
		uint32		n;
		Size		before;

		random_seed(&random, seed * 10 + weights);
		n = 2 + (uint32) (random_bits(&random) % 40);
		users = generate_matrix(&random, 200, n, 1000, 60, seed % 2 == 0, weights);
		items = RecsysMatrixTranspose(users);
		totals = totals_compute(users);
		RecsysModelOptionsInit(&options);
		options.similarity = RECSYS_SLIM;
		options.min_support = 1 + seed % 3;
		options.l1 = seed % 4 == 0 ? 0 : random_unit(&random) * 3;
		options.l2 = 0.5 + random_unit(&random) * 5;
		options.candidates = 1000;
		RecsysModelOptionsResolve(&options);

		columns = dense_create(n, false);
		rows = dense_create(n, true);
		dots = palloc0(sizeof(double) * n * n);
		counts = palloc0(sizeof(uint32) * n * n);
		gram(users, dots, counts);
		before = standalone_memory_now;
		standalone_memory_peak = before;
		kernel = RecsysSlimKernelCreate(users, items, totals, &options);
		RecsysSlimKernelColumns(kernel, 0, n, put, columns);
		wrong_memory += standalone_memory_peak - before >
			RecsysSlimMemory(users->nrows, n, users->weights != NULL, &options);
		worst = Max(worst, worst_violation(columns, dots, counts, &options, &wrong_supports));
		wrong_order += !columns->in_order;

		/* all of it fits, so the rows are the columns the other way */
		before = standalone_memory_now;
		standalone_memory_peak = before;
		gather = RecsysRowGatherCreate(n, 100);
		RecsysSlimKernelColumns(kernel, 0, n, RecsysRowGatherAdd, gather);
		wrong_memory += RecsysRowGatherUsed(gather) > RecsysRowGatherMemory(n, 100);
		RecsysRowGatherReport(gather, put, rows);
		wrong_order += !rows->in_order;
		wrong_gather += memcmp(rows->scores, columns->scores, sizeof(double) * n * n) != 0 ||
			memcmp(rows->supports, columns->supports, sizeof(uint32) * n * n) != 0;
		RecsysRowGatherFree(gather);
		RecsysSlimKernelFree(kernel);
		dense_free(columns);
		dense_free(rows);
		pfree(dots);
		pfree(counts);
		totals_free(totals);
		RecsysMatrixFree(items);
		RecsysMatrixFree(users);
	}
	ok(worst <= 1e-4, "slim, weights of kind %d: conditions of the minimum hold (off by %g)",
	   weights, worst);
	ok(wrong_supports == 0 && wrong_order == 0, "slim, weights of kind %d: supports and order (%d, %d)",
	   weights, wrong_supports, wrong_order);
	ok(wrong_gather == 0, "slim, weights of kind %d: rows are the columns transposed", weights);
	ok(wrong_memory == 0, "slim, weights of kind %d: memory as announced", weights);
}

/* A row keeps the best of what came, whatever the order. */
static void
test_gather(void)
{
	enum
	{
		NITEMS = 500, KEPT = 7
	};
	RecsysRowGather *gather = RecsysRowGatherCreate(NITEMS, KEPT);
	Dense	   *rows = dense_create(NITEMS, true);
	Random		random;
	float		scores[NITEMS];
	int			wrong = 0;

	random_seed(&random, 5);
	for (uint32 target = 0; target < NITEMS; target++)
	{
		/* few different scores: ties go to the lower item number */
		RecsysNeighbor one = {3, (float) (1 + random_bits(&random) % 20), target};

		scores[target] = one.score;
		RecsysRowGatherAdd(gather, target, &one, target == 3 ? 0 : 1);
	}
	RecsysRowGatherReport(gather, put, rows);
	for (uint32 x = 0; x < NITEMS; x++)
	{
		int			better = 0;

		if (x == 3)
			continue;
		for (uint32 y = 0; y < NITEMS; y++)
			better += y != 3 && (scores[y] > scores[x] || (scores[y] == scores[x] && y < x));
		wrong += (rows->scores[3 * NITEMS + x] > 0) != (better < KEPT);
	}
	ok(wrong == 0 && rows->in_order && rows->longest == KEPT && rows->next == NITEMS,
	   "rows gathered from columns keep the best");
	RecsysRowGatherFree(gather);
	dense_free(rows);
}

/* Sums of products in any order, as far apart as weights of users are */
static void
test_products(void)
{
	enum
	{
		SUMMANDS = 2000
	};
	static float weights[SUMMANDS][2];
	Random		random;
	int			differ = 0;
	int			imprecise = 0;

	random_seed(&random, 7);
	for (int round = 0; round < 100; round++)
	{
		double		sum = 0;
		double		exact = 0;

		for (int x = 0; x < SUMMANDS; x++)
		{
			weights[x][0] = (float) (0.05 + random_unit(&random));
			weights[x][1] = (float) (0.05 + random_unit(&random));
			sum += RecsysProduct(weights[x][0], weights[x][1]);
			exact += (double) weights[x][0] * weights[x][1];
		}
		imprecise += fabs(sum - exact) > 1e-10 * exact;
		for (int again = 0; again < 5; again++)
		{
			double		other = 0;

			for (int x = SUMMANDS - 1; x > 0; x--)
			{
				int			y = (int) (random_bits(&random) % (x + 1));
				float		swap[2] = {weights[x][0], weights[x][1]};

				memcpy(weights[x], weights[y], sizeof(swap));
				memcpy(weights[y], swap, sizeof(swap));
			}
			for (int x = 0; x < SUMMANDS; x++)
				other += RecsysProduct(weights[x][1], weights[x][0]);
			differ += other != sum;
		}
	}
	ok(differ == 0 && imprecise == 0, "sums of products do not depend on their order (%d, %d)",
	   differ, imprecise);
	ok(RecsysProduct(65535, 65535) == 65535.0 * 65535.0 && RecsysProduct(FLT_MIN, FLT_MIN) > 0 &&
	   isfinite(RecsysProduct(FLT_MAX, FLT_MAX)), "products of integers are exact, and all finite");
}

/* A user weighed alone, as merges do, and among all others, as builds do: the same floats */
static void
test_weighed_alone(void)
{
	int			differ = 0;
	Random		random;

	random_seed(&random, 11);
	for (int round = 0; round < 200; round++)
	{
		WeightKind	kind = round % 2 == 0 ? WEIGHTS_REAL : WEIGHTS_NONE;
		RecsysMatrix *users = generate_matrix(&random, 20, 30, 200, 30, false, kind);
		RecsysItemTotals *totals = totals_compute(users);
		RecsysModelOptions options;
		RecsysWeigher *weigher;
		double	   *masses = palloc0(sizeof(double) * 30);
		double		nitems = 0;

		RecsysModelOptionsInit(&options);
		options.similarity = round % 3 == 0 ? RECSYS_COSINE : RECSYS_RP3BETA;
		options.alpha = round % 5 == 0 ? RECSYS_MODEL_DEFAULT : 2 * random_unit(&random);
		options.user_damping = round % 7 == 0 ? 0 : 2 * random_unit(&random);
		options.weighting = round % 4 < 3 ? RECSYS_WEIGHTING_NONE : RECSYS_WEIGHTING_TFIDF;
		RecsysModelOptionsResolve(&options);
		for (uint32 item = 0; item < 30; item++)
			nitems += totals->users[item] > 0;
		weigher = RecsysWeigherCreate(totals, &options);
		for (uint32 user = 0; user < users->nrows; user++)
		{
			uint64		first = users->offsets[user];
			int			count = (int) (users->offsets[user + 1] - first);
			const float *given = users->weights != NULL ? users->weights + first : NULL;
			float		among[30];
			float		alone[30];
			float		mass[30];

			RecsysWeigh(weigher, users->columns + first, given, count, among);
			RecsysWeighHistory(&options, nitems, given, count, mass, alone);
			differ += memcmp(among, alone, sizeof(float) * count) != 0;
			for (int x = 0; x < count; x++)
				masses[users->columns[first + x]] += mass[x];
		}
		for (uint32 item = 0; item < 30; item++)
			differ += masses[item] != RecsysWeigherTotals(weigher)->mass[item];
		pfree(masses);
		RecsysWeigherFree(weigher);
		totals_free(totals);
		RecsysMatrixFree(users);
	}
	ok(differ == 0, "a user weighs alone what he does among all (%d)", differ);
}

/* Which models merges recompute */
static void
test_counted(void)
{
	RecsysModelOptions options;
	int			wrong = 0;

	for (int similarity = RECSYS_COSINE; similarity <= RECSYS_LAST_SIMILARITY; similarity++)
	{
		bool		weighs = similarity == RECSYS_COSINE || similarity == RECSYS_RP3BETA ||
			similarity == RECSYS_SESSION;

		RecsysModelOptionsInit(&options);
		options.similarity = (RecsysSimilarity) similarity;
		wrong += RecsysModelIsCounted(&options) != !RecsysSimilarityIsLearned(similarity);
		options.user_damping = 0.5;
		options.weighting = RECSYS_WEIGHTING_TFIDF;
		wrong += RecsysModelIsCounted(&options) != !RecsysSimilarityIsLearned(similarity);
		options.weighting = RECSYS_WEIGHTING_BM25;
		wrong += RecsysModelIsCounted(&options) != !(weighs || RecsysSimilarityIsLearned(similarity));
		options.weighting = RECSYS_WEIGHTING_NONE;
		options.training_half_life = 1000;
		wrong += RecsysModelIsCounted(&options) != !(weighs || RecsysSimilarityIsLearned(similarity));
	}
	ok(wrong == 0, "options: which models are counted (%d)", wrong);
}

static void
test_options(void)
{
	RecsysModelOptions options;
	RecsysWeighting weighting;
	int			wrong = 0;

	RecsysModelOptionsInit(&options);
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];

		wrong += RecsysModelOptionFind(option->name) != option;
		if (option->kind != RECSYS_OPTION_REAL && option->kind != RECSYS_OPTION_INTEGER)
			continue;
		wrong += !RecsysModelOptionSet(option, &options, option->least);
		wrong += !RecsysModelOptionSet(option, &options, option->most);
		wrong += RecsysModelOptionSet(option, &options, option->least - 1);
		wrong += RecsysModelOptionSet(option, &options, NAN);
	}
	ok(wrong == 0 && RecsysModelOptionFind("nonsense") == NULL, "options: names and ranges");

	RecsysModelOptionsInit(&options);
	RecsysModelOptionsResolve(&options);
	ok(options.alpha == 0 && RecsysModelIsCounted(&options) && !RecsysWeighsAnew(&options),
	   "options: what is initial is a counted model");
	RecsysModelOptionsInit(&options);
	options.similarity = RECSYS_RP3BETA;
	RecsysModelOptionsResolve(&options);
	ok(options.alpha == 1 && RecsysModelIsCounted(&options) && RecsysWeighsAnew(&options),
	   "options: rp3beta has defaults of its own");
	RecsysModelOptionsInit(&options);
	options.similarity = RECSYS_SESSION;
	RecsysModelOptionsResolve(&options);
	ok(options.min_support == 1 && options.shrinkage == 2 && RecsysWeighsAnew(&options) &&
	   strcmp(RecsysModelOptionTimed(&options), "similarity") == 0,
	   "options: session has defaults of its own, and needs times");
	ok(RecsysWeightingParse("BM25", &weighting) && weighting == RECSYS_WEIGHTING_BM25 &&
	   !RecsysWeightingParse("bm", &weighting), "options: weightings by name");
}

void
test_models(void)
{
	test_products();
	test_weighed_alone();
	test_counted();
	test_options();
	test_gather();
	for (WeightKind weights = WEIGHTS_NONE; weights <= WEIGHTS_SMALL; weights++)
		test_slim(weights);
}
