/*
 * test_crossgraph.c
 *	  Tests of core/cross/crossgraph against all pairs.
 *
 * The reference has a count and a sum for each pair in a dense array, made of the formulas as the
 * comments give them, and sorts all scores.
 */
#include "core/cross/crossgraph.h"
#include "core/pairs/modeloptions.h"
#include "core/base/product.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define USERS 300
#define EVENTS 40
#define PREDICTS 60

typedef struct Case
{
	RecsysMatrix *events;
	RecsysMatrix *predicts;
	RecsysModelOptions options;
	double		min_likelihood;
	bool		weighted;

	/* of the reference, by item */
	RecsysPairTotals pairs[EVENTS][PREDICTS];
	double		counts[EVENTS][PREDICTS];
	double		dots[EVENTS][PREDICTS];

	/* of the kernel */
	uint32		next;
	uint32		last;
	bool		in_order;
	int			reported;
	int			wrong;
} Case;

static double
weight_of(const RecsysMatrix *matrix, uint64 x)
{
	return matrix->weights != NULL ? matrix->weights[x] : 1.0;
}

/* What a kernel makes of a weight: of an item of the events, or of what a user with that sum has */
static float
walk_weight(const Case *c, double weight, double sum)
{
	if (c->options.similarity != RECSYS_RP3BETA)
		return (float) weight;
	return RecsysHistoryWeight(pow(weight, c->options.alpha) / pow(sum, c->options.alpha));
}

static void
add_user(Case *c, uint32 user, double *users_i, double *users_j, double *norm_i, double *norm_j, double *mass_i)
{
	const RecsysMatrix *events = c->events;
	const RecsysMatrix *predicts = c->predicts;
	double		sum = 0;

	for (uint64 y = predicts->offsets[user]; y < predicts->offsets[user + 1]; y++)
		sum += weight_of(predicts, y);
	for (uint64 y = predicts->offsets[user]; y < predicts->offsets[user + 1]; y++)
	{
		float		weight = walk_weight(c, weight_of(predicts, y), sum);

		users_j[predicts->columns[y]]++;
		norm_j[predicts->columns[y]] += (double) weight * weight;
	}
	for (uint64 x = events->offsets[user]; x < events->offsets[user + 1]; x++)
	{
		float		weight = walk_weight(c, weight_of(events, x), 1);

		users_i[events->columns[x]]++;
		mass_i[events->columns[x]] += weight_of(events, x);
		norm_i[events->columns[x]] += (double) weight * weight;
		for (uint64 y = predicts->offsets[user]; y < predicts->offsets[user + 1]; y++)
		{
			c->counts[events->columns[x]][predicts->columns[y]]++;
			c->dots[events->columns[x]][predicts->columns[y]] +=
				RecsysProduct(weight, walk_weight(c, weight_of(predicts, y), sum));
		}
	}
}

static void
make_reference(Case *c)
{
	double		users_i[EVENTS] = {0};
	double		users_j[PREDICTS] = {0};
	double		norm_i[EVENTS] = {0};
	double		norm_j[PREDICTS] = {0};
	double		mass_i[EVENTS] = {0};

	memset(c->counts, 0, sizeof(c->counts));
	memset(c->dots, 0, sizeof(c->dots));
	for (uint32 user = 0; user < c->events->nrows; user++)
		add_user(c, user, users_i, users_j, norm_i, norm_j, mass_i);
	for (int i = 0; i < EVENTS; i++)
		for (int j = 0; j < PREDICTS; j++)
			c->pairs[i][j] = (RecsysPairTotals)
		{
			.n_i = users_i[i], .n_j = users_j[j], .n_users = c->events->nrows,
			.norm2_i = c->weighted ? norm_i[i] : users_i[i],
			.norm2_j = c->weighted ? norm_j[j] : users_j[j],
			.mass_i = c->weighted ? mass_i[i] : users_i[i]
		};
}

static float
score_of(const Case *c, uint32 i, uint32 j)
{
	double		count = c->counts[i][j];

	if (count < c->options.min_support || count == 0 ||
		(c->min_likelihood > 0 && RecsysLogLikelihood(count, &c->pairs[i][j]) < c->min_likelihood))
		return 0;
	return (float) RecsysSimilarityScore(&c->options, count, c->weighted ? c->dots[i][j] : count, &c->pairs[i][j]);
}

static void
check_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Case	   *c = arg;
	int			better = 0;		/* scores above the worst that is reported */
	int			any = 0;

	c->in_order &= item == c->next++;
	c->reported += count;
	for (int x = 0; x < count; x++)
	{
		float		score = score_of(c, item, neighbors[x].item);

		c->wrong += neighbors[x].support != c->counts[item][neighbors[x].item];
		c->wrong += !(fabsf(score - neighbors[x].score) <= 1e-6f * score);
		c->wrong += x > 0 && (neighbors[x].score > neighbors[x - 1].score ||
							  (neighbors[x].score == neighbors[x - 1].score && neighbors[x].item <= neighbors[x - 1].item));
	}
	for (uint32 j = 0; j < PREDICTS; j++)
	{
		float		score = score_of(c, item, j);

		any += score > 0;
		better += count > 0 && score > neighbors[count - 1].score * (1 + 1e-6f);
	}
	c->wrong += count != Min(any, c->options.neighbors);
	c->wrong += better > count;
}

/* Rows of the items from first to last - 1 */
static void
run_range(Case *c, RecsysCrossGraph *graph, uint32 first, uint32 last)
{
	RecsysMatrix range = *c->events;
	uint64		nentries = c->events->offsets[c->events->nrows];
	uint64		n = 0;

	range.ncolumns = last - first;
	range.offsets = palloc0(((Size) range.nrows + 1) * sizeof(uint64));
	range.columns = palloc((nentries + 1) * sizeof(uint32));
	range.weights = c->events->weights != NULL ? palloc((nentries + 1) * sizeof(float)) : NULL;
	for (uint32 user = 0; user < range.nrows; user++)
	{
		for (uint64 x = c->events->offsets[user]; x < c->events->offsets[user + 1]; x++)
		{
			if (c->events->columns[x] < first || c->events->columns[x] >= last)
				continue;
			range.columns[n] = c->events->columns[x] - first;
			if (range.weights != NULL)
				range.weights[n] = c->events->weights[x];
			n++;
		}
		range.offsets[user + 1] = n;
	}
	RecsysCrossGraphRows(graph, &range, first, check_row, c);
	pfree(range.offsets);
	pfree(range.columns);
	if (range.weights != NULL)
		pfree(range.weights);
}

static void
run_case(Case *c, RecsysSimilarity similarity, double alpha, int neighbors, int min_support, double floor, uint32 step)
{
	RecsysCrossGraph *graph;
	bool		given = c->events->weights != NULL || c->predicts->weights != NULL;

	RecsysModelOptionsInit(&c->options);
	c->options.similarity = similarity;
	c->options.neighbors = neighbors;
	c->options.min_support = min_support;
	c->options.alpha = alpha;
	c->options.beta = 0.3;
	RecsysModelOptionsResolve(&c->options);
	c->min_likelihood = floor;
	c->weighted = RecsysCrossUsesWeights(&c->options, given);
	make_reference(c);
	c->next = 0;
	c->in_order = true;
	c->reported = 0;
	c->wrong = 0;
	graph = RecsysCrossGraphCreate(c->predicts, given, &c->options, floor);
	for (uint32 first = 0; first < EVENTS; first += step)
		run_range(c, graph, first, Min(first + step, EVENTS));
	RecsysCrossGraphFree(graph);
	ok(c->in_order && c->next == EVENTS && c->wrong == 0 && c->reported > 0,
	   "cross graph: %s, alpha %g, %d neighbors, min_support %d, min_likelihood %g, %u items at once, %s weights: %d wrong of %d",
	   RecsysSimilarityName(similarity), alpha, neighbors, min_support, floor, step,
	   c->events->weights != NULL ? (given && c->predicts->weights != NULL ? "two" : "the events'") :
	   c->predicts->weights != NULL ? "the predicted" : "no", c->wrong, c->reported);
}

static void
run_measures(Case *c)
{
	static const RecsysSimilarity measures[] = {
		RECSYS_RP3BETA, RECSYS_COSINE, RECSYS_JACCARD, RECSYS_DICE, RECSYS_CONFIDENCE, RECSYS_LIFT, RECSYS_PMI,
		RECSYS_LOG_LIKELIHOOD
	};

	for (int x = 0; x < (int) lengthof(measures); x++)
	{
		run_case(c, measures[x], 0.4, PREDICTS, 1, 0, EVENTS);
		run_case(c, measures[x], 0, 5, 2, 0, 7);
		run_case(c, measures[x], 0.4, 3, 2, 1.5, EVENTS);
		run_case(c, measures[x], 0.4, PREDICTS, 1, 3.84, 11);
	}
}

void
test_crossgraph(void)
{
	static const WeightKind kinds[][2] = {
		{WEIGHTS_NONE, WEIGHTS_NONE}, {WEIGHTS_SMALL, WEIGHTS_NONE}, {WEIGHTS_NONE, WEIGHTS_REAL}, {WEIGHTS_SMALL, WEIGHTS_SMALL}
	};
	Random		random;

	random_seed(&random, 16);
	for (int x = 0; x < (int) lengthof(kinds); x++)
	{
		Case	   *c = palloc0(sizeof(Case));

		/* some users have nothing on a side: they are no users of both, but do no harm */
		c->events = generate_matrix(&random, USERS, EVENTS, 2500, EVENTS, x % 2 == 1, kinds[x][0]);
		c->predicts = generate_matrix(&random, USERS, PREDICTS, 1800, PREDICTS, x > 1, kinds[x][1]);
		run_measures(c);
		RecsysMatrixFree(c->events);
		RecsysMatrixFree(c->predicts);
		pfree(c);
	}
}
