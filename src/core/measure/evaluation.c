/*
 * evaluation.c
 *	  Recommendation lists for users with held-out items, and what they are worth.
 *
 * The ranking is the one that recommend() serves: all items of the catalogue
 * that the user does not have yet, first those with a positive score, best
 * first, then the others, most users first; ties by item.  No items are sampled.
 * Scores are sums over the item graph or, for a model of factors, those of a user who is
 * folded in.  Where baskets are held out, lists are those of next_basket() (basketlist.c).
 *
 * auc.c and listfigures.c measure the list, spread.c all lists together.
 */
#include "core/measure/basketlist.h"
#include "core/measure/evaluator.h"

/* Items that are scored by their factors at a time */
#define ITEMS_PER_CALL 1024

int
RecsysEvaluationColumn(const RecsysEvaluation *evaluation, RecsysMetric metric)
{
	int			column = 0;

	if ((evaluation->metrics & RECSYS_METRIC_BIT(metric)) == 0 || metric >= RECSYS_USER_METRICS)
		return -1;
	for (int other = 0; other < (int) metric; other++)
		if (evaluation->metrics & RECSYS_METRIC_BIT(other))
			column += RecsysMetricHasK(other) ? evaluation->nks : 1;
	return column;
}

int
RecsysEvaluationColumns(const RecsysEvaluation *evaluation)
{
	int			columns = 0;

	for (int metric = 0; metric < RECSYS_USER_METRICS; metric++)
		if (evaluation->metrics & RECSYS_METRIC_BIT(metric))
			columns += RecsysMetricHasK(metric) ? evaluation->nks : 1;
	return columns;
}

typedef struct ItemUsers
{
	uint32		users;
	uint32		item;
} ItemUsers;

static int
compare_popularity(const void *a, const void *b)
{
	const ItemUsers *left = a;
	const ItemUsers *right = b;

	if (left->users != right->users)
		return left->users > right->users ? -1 : 1;
	return (left->item > right->item) - (left->item < right->item);
}

void
RecsysEvaluationSortItems(RecsysEvaluation *evaluation)
{
	ItemUsers  *sorted = recsys_alloc_huge(sizeof(ItemUsers) * (Size) Max(evaluation->nitems, 1));
	uint32		count = 0;

	for (uint32 item = 0; item < evaluation->nitems; item++)
	{
		if (!RecsysEvaluationRanks(evaluation, item))
			continue;
		sorted[count].users = evaluation->item_users[item];
		sorted[count++].item = item;
	}
	qsort(sorted, count, sizeof(ItemUsers), compare_popularity);
	for (uint32 x = 0; x < count; x++)
		evaluation->popular[x] = sorted[x].item;
	evaluation->ncatalogue = count;
	pfree(sorted);
}

void
RecsysEvaluationSetPrior(RecsysEvaluation *evaluation, const RecsysNeighborList *prior)
{
	evaluation->prior_items = recsys_alloc_huge(sizeof(uint32) * (Size) Max(prior->count, 1));
	evaluation->prior_scores = recsys_alloc_huge(sizeof(float) * (Size) Max(prior->count, 1));
	evaluation->nprior = (uint32) prior->count;
	for (int x = 0; x < prior->count; x++)
	{
		evaluation->prior_items[x] = prior->neighbors[x].item;
		evaluation->prior_scores[x] = prior->neighbors[x].score;
	}
}

/* Of the catalogue in order of users: how much comes behind, how much is equal. */
static void
count_users(RecsysEvaluator *evaluator)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	uint32		n = evaluation->ncatalogue;

	for (uint32 first = 0, last; first < n; first = last)
	{
		uint32		users = evaluation->item_users[evaluation->popular[first]];

		for (last = first + 1; last < n; last++)
			if (evaluation->item_users[evaluation->popular[last]] != users)
				break;
		for (uint32 x = first; x < last; x++)
		{
			evaluator->fewer[evaluation->popular[x]] = n - last;
			evaluator->equal[evaluation->popular[x]] = last - first;
		}
	}
}

RecsysEvaluator *
RecsysEvaluatorCreate(const RecsysEvaluation *evaluation)
{
	RecsysEvaluator *evaluator = palloc0(sizeof(RecsysEvaluator));
	Size		nitems = Max(evaluation->nitems, 1);

	evaluator->evaluation = evaluation;
	evaluator->length = RecsysEvaluationLength(evaluation);
	evaluator->ncolumns = RecsysEvaluationColumns(evaluation);
	for (int metric = 0; metric < RECSYS_USER_METRICS; metric++)
		evaluator->columns[metric] = RecsysEvaluationColumn(evaluation, metric);
	evaluator->scorer = RecsysScorerCreate(evaluation->nitems);
	RecsysScorerOffer(evaluator->scorer, evaluation->offered);
	if (evaluation->factors.items != NULL)
		evaluator->foldin = RecsysFoldInCreate(&evaluation->factors.shape, evaluation->factors.gram);
	evaluator->best = palloc(sizeof(RecsysScored) * evaluator->length);
	evaluator->hits = palloc(sizeof(bool) * evaluator->length);
	evaluator->known = palloc(sizeof(bool) * evaluator->length);
	evaluator->places = recsys_alloc_huge_zero(sizeof(uint16) * nitems);
	evaluator->pair_sums = palloc(sizeof(double) * evaluator->length);
	evaluator->pair_counts = palloc(sizeof(uint32) * evaluator->length);
	evaluator->pair_row = palloc0(sizeof(float) * evaluator->length * (Size) evaluator->length);
	evaluator->fewer = recsys_alloc_huge_zero(sizeof(uint32) * nitems);
	evaluator->equal = recsys_alloc_huge_zero(sizeof(uint32) * nitems);
	evaluator->nvalues = 64;
	evaluator->values = palloc(sizeof(uint64) * evaluator->nvalues);
	count_users(evaluator);
	return evaluator;
}

void
RecsysEvaluatorFree(RecsysEvaluator *evaluator)
{
	RecsysScorerFree(evaluator->scorer);
	if (evaluator->foldin != NULL)
		RecsysFoldInFree(evaluator->foldin);
	pfree(evaluator->best);
	pfree(evaluator->hits);
	pfree(evaluator->known);
	if (evaluator->history.items != NULL)
		RecsysBasketHistoryFree(&evaluator->history);
	pfree(evaluator->places);
	pfree(evaluator->pair_sums);
	pfree(evaluator->pair_counts);
	pfree(evaluator->pair_row);
	pfree(evaluator->fewer);
	pfree(evaluator->equal);
	pfree(evaluator->values);
	pfree(evaluator);
}

Size
RecsysEvaluatorMemory(const RecsysEvaluation *evaluation)
{
	Size		length = RecsysEvaluationLength(evaluation);

	/* the scorer's sums, marks, list of marked items and pool; then what Create allocates */
	return (Size) evaluation->nitems * (8 + 1 + 4 + 2 + 4 + 4) +
		length * (4 * 16 + 8 + 2 + 8 + 4) + length * length * sizeof(float) + 64 * 1024 +
		(evaluation->factors.items != NULL ? RecsysFoldInMemory(evaluation->factors.shape.rank) : 0);
}

/* The row of one user. */
static uint64
row_of(const RecsysItemRows *rows, uint32 row, const uint32 **items)
{
	*items = rows->items + rows->offsets[row];
	return rows->offsets[row + 1] - rows->offsets[row];
}

/* Folds a user in and scores all items. */
static void
score_by_factors(RecsysEvaluator *evaluator, const uint32 *items, const double *weights, uint64 n)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const RecsysFactors *factors = &evaluation->factors;
	Size		rank = factors->shape.rank;
	uint32		nitems = Min(evaluation->nitems, RecsysEvaluationFactors(evaluation));
	const float *taste;
	float		scores[ITEMS_PER_CALL];

	RecsysFoldInStart(evaluator->foldin);
	for (uint64 x = 0; x < n; x++)
	{
		if (items[x] < nitems)
			RecsysFoldInAdd(evaluator->foldin, factors->items + items[x] * rank,
							weights != NULL ? weights[x] : 1.0);
	}
	taste = RecsysFoldInSolve(evaluator->foldin);
	for (uint32 first = 0; first < nitems; first += ITEMS_PER_CALL)
	{
		int			count = (int) Min(nitems - first, ITEMS_PER_CALL);

		RecsysFactorScores(taste, factors->items + first * rank, count, (int) rank, scores);
		RecsysScorerAddRange(evaluator->scorer, first, scores, count);
	}
}

void
RecsysScoreHistory(RecsysEvaluator *evaluator, const uint32 *items, const double *weights, uint64 n)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;

	RecsysScorerReset(evaluator->scorer, evaluation->nitems);
	if (evaluator->foldin != NULL)
	{
		score_by_factors(evaluator, items, weights, n);
		return;
	}
	for (uint64 x = 0; x < n; x++)
	{
		uint64		row = evaluation->graph.offsets[items[x]];

		RecsysScorerAdd(evaluator->scorer, weights != NULL ? weights[x] : 1.0,
						evaluation->graph.items + row, evaluation->scores + row,
						(int) (evaluation->graph.offsets[items[x] + 1] - row));
	}
	RecsysScorerAdd(evaluator->scorer, 1.0, evaluation->prior_items, evaluation->prior_scores,
					(int) evaluation->nprior);
}

static void
score_user(RecsysEvaluator *evaluator, uint32 user)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const uint32 *items;
	uint64		count = row_of(&evaluation->histories, user, &items);

	RecsysScoreHistory(evaluator, items,
					   evaluation->weights == NULL ? NULL :
					   evaluation->weights + evaluation->histories.offsets[user], count);
	if (evaluation->seen.offsets == NULL)
		return;
	count = row_of(&evaluation->seen, user, &items);
	for (uint64 x = 0; x < count; x++)
		RecsysScorerExclude(evaluator->scorer, items[x]);
}

/* Fills the user's list; returns its length. */
static int
list_items(RecsysEvaluator *evaluator, uint32 *list)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	int			count = RecsysScorerTop(evaluator->scorer, evaluator->length, NULL, evaluator->best);

	for (int x = 0; x < count; x++)
		list[x] = evaluator->best[x].item;
	for (uint32 x = 0; x < evaluation->ncatalogue && count < evaluator->length; x++)
	{
		uint32		item = evaluation->popular[x];

		if (!RecsysScorerIsExcluded(evaluator->scorer, item) &&
			!RecsysScorerIsCandidate(evaluator->scorer, item))
			list[count++] = item;
	}
	for (int x = count; x < evaluator->length; x++)
		list[x] = RECSYS_NONE;
	return count;
}

static void
evaluate_user(RecsysEvaluator *evaluator, uint32 user, double *figures, uint32 *list)
{
	const uint32 *test;
	uint64		ntest = row_of(&evaluator->evaluation->test, user, &test);
	int			length;

	if (evaluator->evaluation->baskets != NULL)
		length = RecsysListBasket(evaluator, user, list);
	else
	{
		score_user(evaluator, user);
		length = list_items(evaluator, list);
	}
	for (int x = 0; x < length; x++)
		evaluator->hits[x] = contains(test, ntest, list[x]);
	if (wanted(evaluator, RECSYS_METRIC_AUC))
		*figure(evaluator, figures, RECSYS_METRIC_AUC, 0) = RecsysMeasureAuc(evaluator, test, ntest);
	RecsysMeasureList(evaluator, list, length, ntest, figures);
	if (evaluator->evaluation->baskets != NULL)
		RecsysMeasureBasket(evaluator, test, ntest, length, figures);
}

void
RecsysEvaluatorUsers(RecsysEvaluator *evaluator, uint32 first, uint32 last, RecsysOutcome *outcome)
{
	for (uint32 user = first; user < last; user++)
	{
		CHECK_FOR_INTERRUPTS();
		evaluate_user(evaluator, user,
					  outcome->figures + (Size) user * evaluator->ncolumns,
					  outcome->lists + (Size) user * evaluator->length);
	}
}
