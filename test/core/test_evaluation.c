/*
 * test_evaluation.c
 *	  Tests of core/measure/evaluation: a case by hand, and random ones against a
 *	  reference that sorts the whole catalogue for each user.
 */
#include "core/measure/spread.h"
#include "generate.h"
#include "tap.h"

#define KS 3

typedef struct Case
{
	RecsysEvaluation evaluation;
	RecsysOutcome outcome;
} Case;

/* Rows from a matrix; its columns below ncolumns only. */
static void
rows_of(const RecsysMatrix *matrix, RecsysItemRows *rows)
{
	rows->offsets = matrix->offsets;
	rows->items = matrix->columns;
}

typedef struct Ranked
{
	uint32		item;
	float		score;
	uint32		users;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if ((x->score > 0) != (y->score > 0))
		return x->score > 0 ? -1 : 1;
	if (x->score > 0 && x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (!(x->score > 0) && x->users != y->users)
		return x->users > y->users ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static bool
in_row(const RecsysItemRows *rows, uint32 row, uint32 item)
{
	for (uint64 x = rows->offsets[row]; x < rows->offsets[row + 1]; x++)
		if (rows->items[x] == item)
			return true;
	return false;
}

/* Scores by the graph */
static void
sum_neighbors(const RecsysEvaluation *e, uint32 user, double *sums)
{
	for (uint64 x = e->histories.offsets[user]; x < e->histories.offsets[user + 1]; x++)
	{
		uint32		item = e->histories.items[x];

		for (uint64 y = e->graph.offsets[item]; y < e->graph.offsets[item + 1]; y++)
			sums[e->graph.items[y]] += (e->weights != NULL ? e->weights[x] : 1.0) * e->scores[y];
	}
	for (uint32 x = 0; x < e->nprior; x++)
		sums[e->prior_items[x]] += e->prior_scores[x];
}

/* Scores by factors, of a user folded in by hand */
static void
fold_in(const RecsysEvaluation *e, uint32 user, double *sums)
{
	int			rank = e->factors.shape.rank;
	RecsysFoldIn *foldin = RecsysFoldInCreate(&e->factors.shape, e->factors.gram);
	const float *taste;

	RecsysFoldInStart(foldin);
	for (uint64 x = e->histories.offsets[user]; x < e->histories.offsets[user + 1]; x++)
		RecsysFoldInAdd(foldin, e->factors.items + e->histories.items[x] * rank,
						e->weights != NULL ? e->weights[x] : 1.0);
	taste = RecsysFoldInSolve(foldin);
	for (uint32 item = 0; item < e->nitems; item++)
	{
		for (int d = 0; d < rank; d++)
			sums[item] += (double) taste[d] * e->factors.items[item * rank + d];
	}
	RecsysFoldInFree(foldin);
}

/* The whole ranking of a user; returns its length. */
static int
rank_all(const RecsysEvaluation *e, uint32 user, Ranked *ranking)
{
	double	   *sums = palloc0(sizeof(double) * e->nitems);
	int			count = 0;

	if (e->factors.items != NULL)
		fold_in(e, user, sums);
	else
		sum_neighbors(e, user, sums);
	for (uint32 item = 0; item < e->nitems; item++)
	{
		if (e->item_users[item] == 0 || (e->offered != NULL && e->offered[item] == 0) ||
			(e->seen.offsets != NULL && in_row(&e->seen, user, item)))
			continue;
		ranking[count].item = item;
		ranking[count].score = (float) sums[item];
		ranking[count++].users = e->item_users[item];
	}
	qsort(ranking, count, sizeof(Ranked), compare_ranked);
	pfree(sums);
	return count;
}

static double
reference_auc(const RecsysEvaluation *e, uint32 user, const Ranked *ranking, int count)
{
	double		won = 0;
	double		pairs = 0;

	for (int x = 0; x < count; x++)
	{
		if (!in_row(&e->test, user, ranking[x].item))
			continue;
		for (int y = 0; y < count; y++)
		{
			Ranked		a = ranking[x];
			Ranked		b = ranking[y];

			if (in_row(&e->test, user, b.item))
				continue;
			a.item = b.item = 0;
			pairs++;
			won += compare_ranked(&a, &b) < 0 ? 1 : compare_ranked(&a, &b) == 0 ? 0.5 : 0;
		}
	}
	return pairs > 0 ? won / pairs : NAN;
}

static double
pair_similarity(const RecsysEvaluation *e, uint32 a, uint32 b)
{
	double		best = 0;

	for (uint64 y = e->graph.offsets[a]; y < e->graph.offsets[a + 1]; y++)
		if (e->graph.items[y] == b)
			best = Max(best, e->scores[y]);
	for (uint64 y = e->graph.offsets[b]; y < e->graph.offsets[b + 1]; y++)
		if (e->graph.items[y] == a)
			best = Max(best, e->scores[y]);
	return best / e->score_scale;
}

/* Every figure of one user and k, straight from the definitions. */
static double
reference_figure(const RecsysEvaluation *e, uint32 user, const Ranked *ranking, int count, int metric,
				 int k)
{
	double		relevant = e->test.offsets[user + 1] - e->test.offsets[user];
	int			length = Min(count, k);
	double		hits = 0;
	double		sum = 0;
	double		pairs = 0;
	double		ideal = 0;

	for (int x = 0; x < length; x++)
		hits += in_row(&e->test, user, ranking[x].item);
	switch (metric)
	{
		case RECSYS_METRIC_RECALL:
			return hits / relevant;
		case RECSYS_METRIC_RECALL_CAPPED:
			return hits / Min(relevant, k);
		case RECSYS_METRIC_PRECISION:
			return hits / k;
		case RECSYS_METRIC_HIT_RATE:
			return hits > 0;
		case RECSYS_METRIC_NDCG:
			for (int x = 0; x < length; x++)
				sum += in_row(&e->test, user, ranking[x].item) / log2(x + 2);
			for (int x = 0; x < k && x < relevant; x++)
				ideal += 1 / log2(x + 2);
			return sum / ideal;
		case RECSYS_METRIC_MRR:
			for (int x = 0; x < length; x++)
				if (in_row(&e->test, user, ranking[x].item))
					return 1.0 / (x + 1);
			return 0;
		case RECSYS_METRIC_MAP:
			hits = 0;
			for (int x = 0; x < length; x++)
				if (in_row(&e->test, user, ranking[x].item))
					sum += ++hits / (x + 1);
			return sum / Min(relevant, k);
		case RECSYS_METRIC_AUC:
			return reference_auc(e, user, ranking, count);
		case RECSYS_METRIC_NOVELTY:
			for (int x = 0; x < length; x++)
				sum += -log2((double) ranking[x].users / e->nusers_trained);
			return length > 0 ? sum / length : NAN;
		case RECSYS_METRIC_POPULARITY:
			for (int x = 0; x < length; x++)
				sum += ranking[x].users;
			return length > 0 ? sum / length : NAN;
		case RECSYS_METRIC_NEW_ITEMS:
			for (int x = 0; x < length; x++)
				sum += e->new_items[ranking[x].item];
			return length > 0 ? sum / length : NAN;
		case RECSYS_METRIC_SERENDIPITY:
			for (int x = 0; x < length; x++)
			{
				int			more_popular = 0;

				for (int y = 0; y < count; y++)
					more_popular += ranking[y].users > ranking[x].users ||
						(ranking[y].users == ranking[x].users && ranking[y].item < ranking[x].item);
				sum += in_row(&e->test, user, ranking[x].item) && more_popular >= k;
			}
			return sum / k;
		case RECSYS_METRIC_DIVERSITY:
		case RECSYS_METRIC_CATEGORY_DIVERSITY:
			for (int x = 0; x < length; x++)
			{
				for (int y = 0; y < x; y++)
				{
					uint32		a = ranking[x].item;
					uint32		b = ranking[y].item;

					if (metric == RECSYS_METRIC_DIVERSITY)
						sum += pair_similarity(e, a, b);
					else if (e->categories[a] == RECSYS_NONE || e->categories[b] == RECSYS_NONE)
						continue;
					else
						sum += e->categories[a] == e->categories[b];
					pairs++;
				}
			}
			return pairs > 0 ? 1 - sum / pairs : NAN;
		default:
			return NAN;
	}
}

static bool
same(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * Max(1, fabs(b));
}

/* All figures and lists of an evaluation; counts what differs. */
static int
differences(const RecsysEvaluation *e, const RecsysOutcome *outcome)
{
	Ranked	   *ranking = palloc(sizeof(Ranked) * Max(e->nitems, 1));
	int			columns = RecsysEvaluationColumns(e);
	int			length = RecsysEvaluationLength(e);
	int			wrong = 0;

	for (uint32 user = 0; user < e->nusers; user++)
	{
		int			count = rank_all(e, user, ranking);

		for (int x = 0; x < length; x++)
			wrong += outcome->lists[user * length + x] != (x < count ? ranking[x].item : RECSYS_NONE);
		for (int metric = 0; metric < RECSYS_USER_METRICS; metric++)
		{
			int			column = RecsysEvaluationColumn(e, metric);

			for (int x = 0; column >= 0 && x < (RecsysMetricHasK(metric) ? e->nks : 1); x++)
				wrong += !same(outcome->figures[user * columns + column + x],
							   reference_figure(e, user, ranking, count, metric, e->ks[x]));
		}
	}
	pfree(ranking);
	return wrong;
}

/* Groups, by counting one by one. */
static bool
spread_agrees(const RecsysEvaluation *e, const RecsysOutcome *outcome, int k, const uint32 *segments,
			  uint32 segment, const uint32 *groups, uint32 ngroups)
{
	uint32		size = groups != NULL ? ngroups : e->nitems;
	uint64	   *counts = palloc0(sizeof(uint64) * Max(size, 1));
	uint32		n = 0;
	uint32		covered = 0;
	double		gini = 0;
	double		sum = 0;
	RecsysListChoice choice = {outcome->lists, k, segments, segment, groups, ngroups};
	RecsysSpread found;

	for (uint32 user = 0; user < e->nusers; user++)
		for (int x = 0; x < k; x++)
		{
			uint32		item = outcome->lists[user * RecsysEvaluationLength(e) + x];

			if ((segments != NULL && segments[user] != segment) || item == RECSYS_NONE)
				continue;
			if (groups == NULL || groups[item] != RECSYS_NONE)
				counts[groups != NULL ? groups[item] : item]++;
		}
	for (uint32 x = 0; x < size; x++)
		if (groups != NULL || (e->item_users[x] > 0 && (e->offered == NULL || e->offered[x] != 0)))
		{
			covered += counts[x] > 0;
			sum += counts[x];
			counts[n++] = counts[x];
		}
	for (uint32 x = 0; x < n; x++)
		for (uint32 y = 0; y < n; y++)
			gini += fabs((double) counts[x] - (double) counts[y]);
	gini = sum > 0 ? gini / (2 * n * sum) : NAN;
	pfree(counts);
	found = RecsysEvaluationSpread(e, &choice);
	return same(found.coverage, n > 0 ? (double) covered / n : NAN) && same(found.gini, gini);
}

static void
evaluate(Case *one)
{
	RecsysEvaluation *e = &one->evaluation;
	RecsysEvaluator *evaluator;
	Size		before;

	one->outcome.figures = palloc(sizeof(double) * Max(e->nusers, 1) * Max(RecsysEvaluationColumns(e), 1));
	one->outcome.lists = palloc(sizeof(uint32) * Max(e->nusers, 1) * RecsysEvaluationLength(e));
	before = standalone_memory_now;
	standalone_memory_peak = before;
	evaluator = RecsysEvaluatorCreate(e);
	/* in two parts, the later one first, as workers may */
	RecsysEvaluatorUsers(evaluator, e->nusers / 2, e->nusers, &one->outcome);
	RecsysEvaluatorUsers(evaluator, 0, e->nusers / 2, &one->outcome);
	RecsysEvaluatorFree(evaluator);
	if (standalone_memory_peak - before > RecsysEvaluatorMemory(e))
		ok(false, "memory of an evaluator: %zu, said %zu", standalone_memory_peak - before,
		   RecsysEvaluatorMemory(e));
}

/* Random factors; of the last item, which may be without users, nothing was learned. */
static void
make_factors(Random *random, uint32 nitems, RecsysFactors *factors)
{
	int			rank = 1 + (int) (random_bits(random) % 6);

	factors->shape = (RecsysFactorShape) {.nitems = nitems, .rank = rank, .unobserved = 0.1,
		.lambda = 0.01, .exponent = 1.0};
	factors->items = palloc0(sizeof(float) * nitems * rank);
	factors->gram = palloc0(sizeof(float) * rank * rank);
	for (uint32 x = 0; x < (nitems - 1) * rank; x++)
		factors->items[x] = (float) random_normal(random);
	for (int i = 0; i < rank; i++)
	{
		for (int j = 0; j < rank; j++)
		{
			for (uint32 item = 0; item < nitems; item++)
				factors->gram[i * rank + j] += factors->items[item * rank + i] * factors->items[item * rank + j];
		}
	}
}

/* An item after the other in the prior, by chance; and some that are not offered. */
static void
make_prior(Random *random, RecsysEvaluation *e)
{
	e->prior_items = palloc(sizeof(uint32) * e->nitems);
	e->prior_scores = palloc(sizeof(float) * e->nitems);
	e->offered = palloc(e->nitems);
	for (uint32 item = 0; item < e->nitems; item++)
	{
		e->offered[item] = random_bits(random) % 4 != 0;
		if (e->item_users[item] == 0 || random_bits(random) % 3 == 0)
			continue;
		e->prior_items[e->nprior] = item;
		e->prior_scores[e->nprior++] = (float) (1 + random_bits(random) % 6) / 8.0f;
	}
}

/* One random case: items, graph, users; with ties, unknown items, items without users. */
static void
test_random_case(Random *random, int number)
{
	static Case one;
	RecsysEvaluation *e = &one.evaluation;
	uint32		nitems = 2 + (uint32) (random_bits(random) % 60);
	uint32		nusers = 1 + (uint32) (random_bits(random) % 40);
	RecsysMatrix *graph = generate_matrix(random, nitems, nitems, nitems * 6, (int) nitems, true, WEIGHTS_NONE);
	RecsysMatrix *histories = generate_matrix(random, nusers, nitems, nusers * 4, (int) nitems, true, WEIGHTS_SMALL);
	/* some held-out items are none of the catalogue's */
	RecsysMatrix *test = generate_matrix(random, nusers, nitems + 5, nusers * 5, (int) nitems, false, WEIGHTS_NONE);
	uint32	   *segments = palloc(sizeof(uint32) * nusers);
	bool		spreads = true;

	memset(e, 0, sizeof(*e));
	e->nitems = nitems;
	e->nusers = nusers;
	e->nusers_trained = 50;
	e->item_users = palloc(sizeof(uint32) * nitems);
	e->popular = palloc(sizeof(uint32) * nitems);
	e->categories = palloc(sizeof(uint32) * nitems);
	e->new_items = palloc(nitems);
	for (uint32 item = 0; item < nitems; item++)
	{
		e->item_users[item] = 1 + (uint32) (random_bits(random) % 8);
		e->categories[item] = random_bits(random) % 6 == 0 ? RECSYS_NONE : (uint32) (random_bits(random) % 4);
		e->new_items[item] = random_bits(random) % 3 == 0;
	}
	rows_of(graph, &e->graph);
	e->scores = palloc(sizeof(float) * Max(graph->offsets[nitems], 1));
	e->score_scale = 1.5;
	for (uint64 x = 0; x < graph->offsets[nitems]; x++)
		e->scores[x] = (float) (1 + random_bits(random) % 6) / 4.0f;

	/* no item is its own neighbor, and nobody's neighbors are without users */
	for (uint32 item = 0; item < nitems; item++)
		for (uint64 x = graph->offsets[item]; x < graph->offsets[item + 1]; x++)
			if (graph->columns[x] == item)
				e->scores[x] = 0;
	if (nitems > 10)
	{
		e->item_users[nitems - 1] = 0;
		for (uint64 x = 0; x < graph->offsets[nitems]; x++)
			if (graph->columns[x] == nitems - 1)
				e->scores[x] = 0;
	}
	if (number % 5 >= 3)
		make_prior(random, e);
	RecsysEvaluationSortItems(e);
	if (number % 4 >= 2)
		make_factors(random, nitems, &e->factors);
	rows_of(histories, &e->histories);
	if (number % 2 == 0)
	{
		e->weights = palloc(sizeof(double) * Max(histories->offsets[nusers], 1));
		for (uint64 x = 0; x < histories->offsets[nusers]; x++)
			e->weights[x] = histories->weights[x];
	}
	if (number % 3 != 0)
		rows_of(histories, &e->seen);
	rows_of(test, &e->test);
	for (uint32 user = 0; user < nusers; user++)
		segments[user] = (uint32) (user % 3);

	/* what is seen is not held out */
	for (uint32 user = 0; user < nusers && e->seen.offsets != NULL; user++)
		for (uint64 x = test->offsets[user]; x < test->offsets[user + 1]; x++)
			if (in_row(&e->seen, user, test->columns[x]))
				test->columns[x] = x + 1 < test->offsets[user + 1] ? test->columns[x + 1] - 1 : nitems + 10;
	for (uint32 user = 0; user < nusers; user++)
	{
		uint64		first = test->offsets[user];

		for (uint64 x = first; x < test->offsets[user + 1]; x++)
			if ((x > first && test->columns[x] <= test->columns[x - 1]) ||
				(e->seen.offsets != NULL && in_row(&e->seen, user, test->columns[x])))
				test->columns[x] = nitems + 10 + (uint32) x;
	}

	e->nks = KS;
	e->ks[0] = 1 + (int) (random_bits(random) % 3);
	e->ks[1] = e->ks[0] + 1 + (int) (random_bits(random) % 10);
	e->ks[2] = e->ks[1] + 60;
	e->metrics = number % 5 == 0 ? RECSYS_METRIC_BIT(RECSYS_METRIC_MAP) | RECSYS_METRIC_BIT(RECSYS_METRIC_AUC) :
		(((uint32) 1 << RECSYS_METRICS) - 1) & ~RECSYS_BASKET_METRICS;
	evaluate(&one);
	for (int x = 0; x < KS; x++)
	{
		spreads &= spread_agrees(e, &one.outcome, e->ks[x], NULL, 0, NULL, 0);
		spreads &= spread_agrees(e, &one.outcome, e->ks[x], segments, 1, NULL, 0);
		spreads &= spread_agrees(e, &one.outcome, e->ks[x], segments, 2, e->categories, 5);
	}
	ok(differences(e, &one.outcome) == 0 && spreads,
	   "random evaluation %d: %u users, %u items, by %s: %d differences", number, nusers, nitems,
	   e->factors.items != NULL ? "factors" : "graph", differences(e, &one.outcome));

	RecsysMatrixFree(graph);
	RecsysMatrixFree(histories);
	RecsysMatrixFree(test);
	pfree(segments);
	pfree(e->item_users);
	pfree(e->popular);
	pfree(e->categories);
	pfree(e->new_items);
	pfree(e->scores);
	if (e->offered != NULL)
	{
		pfree(e->prior_items);
		pfree(e->prior_scores);
		pfree(e->offered);
	}
	if (e->weights != NULL)
		pfree(e->weights);
	if (e->factors.items != NULL)
	{
		pfree(e->factors.items);
		pfree(e->factors.gram);
	}
	pfree(one.outcome.figures);
	pfree(one.outcome.lists);
}

/*
 * Five items with 8, 4, 2, 2 and 1 of 8 users.  The user has item 0, whose neighbors
 * are 2 (0.5) and 4 (0.25): the ranking is 2, 4, then by users 1, 3.  Held out are
 * 4, 3 and 9, which the model does not know.
 */
static void
test_by_hand(void)
{
	uint32		item_users[] = {8, 4, 2, 2, 1};
	uint32		popular[5];
	uint64		graph_offsets[] = {0, 2, 2, 3, 3, 3};
	uint32		graph_items[] = {2, 4, 4};
	float		scores[] = {0.5f, 0.25f, 0.75f};
	uint64		one[] = {0, 1};
	uint32		history[] = {0};
	uint64		test_offsets[] = {0, 3};
	uint32		test[] = {3, 4, 9};
	uint32		categories[] = {0, 0, 1, RECSYS_NONE, 1};
	uint8		new_items[] = {0, 0, 0, 0, 1};
	Case		hand = {0};
	RecsysEvaluation *e = &hand.evaluation;
	double	   *figures;

	e->nitems = 5;
	e->nusers_trained = 8;
	e->item_users = item_users;
	e->popular = popular;
	e->graph.offsets = graph_offsets;
	e->graph.items = graph_items;
	e->scores = scores;
	e->score_scale = 1;
	e->nusers = 1;
	e->histories.offsets = e->seen.offsets = one;
	e->histories.items = e->seen.items = history;
	e->test.offsets = test_offsets;
	e->test.items = test;
	e->categories = categories;
	e->new_items = new_items;
	e->nks = 1;
	e->ks[0] = 3;
	e->metrics = (((uint32) 1 << RECSYS_METRICS) - 1) & ~RECSYS_BASKET_METRICS;
	RecsysEvaluationSortItems(e);
	evaluate(&hand);
	figures = hand.outcome.figures;

	ok(hand.outcome.lists[0] == 2 && hand.outcome.lists[1] == 4 && hand.outcome.lists[2] == 1,
	   "by hand: scores first, then users");
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_RECALL)], 1.0 / 3), "by hand: recall");
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_MRR)], 0.5), "by hand: reciprocal rank");
	/* 4 beats 1 but not 2; 3 beats neither; 9 has no rank */
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_AUC)], 1.0 / 4), "by hand: AUC");
	/* -log2 of 2/8, 1/8 and 4/8 */
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_NOVELTY)], (2 + 3 + 1) / 3.0), "by hand: novelty");
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_POPULARITY)], 7.0 / 3), "by hand: popularity");
	/* the popular unseen ones are 1, 2, 3: 4 is a hit that they do not have */
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_SERENDIPITY)], 1.0 / 3), "by hand: serendipity");
	/* of the pairs (2,4), (2,1), (4,1) the first has similarity 0.75 */
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_DIVERSITY)], 1 - 0.75 / 3), "by hand: diversity");
	/* and the first is of one category */
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_CATEGORY_DIVERSITY)], 2.0 / 3),
	   "by hand: diversity of categories");
	ok(same(figures[RecsysEvaluationColumn(e, RECSYS_METRIC_NEW_ITEMS)], 1.0 / 3), "by hand: new items");
	pfree(hand.outcome.figures);
	pfree(hand.outcome.lists);
}

void
test_evaluation(void)
{
	Random		random;

	test_by_hand();
	random_seed(&random, 20260101);
	for (int number = 0; number < 60; number++)
		test_random_case(&random, number);
}
