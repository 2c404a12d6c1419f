/*
 * basketlist.c
 *	  Lists of what a user's next basket will hold, and how much of it they foretell.
 *
 * The mix is the list that next_basket() serves at the time when the held-out basket began.
 * The others are what it is measured against: G-TopFreq, P-TopFreq and GP-TopFreq of Li,
 * Jullien, Ariannezhad, de Rijke: A next basket recommendation reality check, ACM TOIS 41
 * (2023), frequencies being numbers of baskets, and equal ones in the order of the items'
 * users.
 */
#include "core/measure/basketlist.h"

#include <math.h>

static const char *const methods[RECSYS_BASKET_METHODS] = {
	[RECSYS_BASKET_MIX] = "mix",
	[RECSYS_BASKET_FREQUENCY] = "personal_frequency",
	[RECSYS_BASKET_POPULAR] = "popular",
	[RECSYS_BASKET_FREQUENCY_POPULAR] = "personal_then_popular"
};

const char *
RecsysBasketMethodName(RecsysBasketMethod method)
{
	return methods[method];
}

bool
RecsysBasketMethodParse(const char *name, RecsysBasketMethod *method)
{
	for (int x = 0; x < RECSYS_BASKET_METHODS; x++)
	{
		if (strcmp(name, methods[x]) == 0)
		{
			*method = (RecsysBasketMethod) x;
			return true;
		}
	}
	return false;
}

/* The user's baskets before the one held out */
static void
make_history(const RecsysBaskets *baskets, uint32 user, RecsysBasketHistory *history)
{
	uint64		first = baskets->offsets[user];
	int			n = (int) (baskets->offsets[user + 1] - first);
	RecsysInteraction *rows = recsys_alloc_huge(sizeof(RecsysInteraction) * (Size) Max(n, 1));

	for (int x = 0; x < n; x++)
	{
		rows[x].item = baskets->items[first + x];
		rows[x].weight = baskets->weights != NULL ? baskets->weights[first + x] : 1.0;
		rows[x].time = baskets->times[first + x];
		rows[x].position = (uint64) x;
	}
	RecsysBasketHistoryMake(rows, n, &baskets->folding, PG_INT64_MAX, history);
	pfree(rows);
}

/* Most occasions first, then most users, then lower number */
static int
compare_frequency(const void *a, const void *b, void *arg)
{
	const RecsysBasketItem *x = a;
	const RecsysBasketItem *y = b;
	const uint32 *users = arg;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (users[x->item] != users[y->item])
		return users[x->item] > users[y->item] ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static int
list_frequent(RecsysEvaluator *evaluator, const RecsysBasketHistory *history, uint32 *list)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	RecsysBasketItem *sorted = recsys_alloc_huge(sizeof(RecsysBasketItem) *
												 (Size) Max(history->nitems, 1));
	int			count = 0;

	memcpy(sorted, history->items, sizeof(RecsysBasketItem) * history->nitems);
	qsort_interruptible(sorted, history->nitems, sizeof(RecsysBasketItem), compare_frequency,
						evaluation->item_users);
	for (uint32 x = 0; x < history->nitems && count < evaluator->length; x++)
		if (RecsysEvaluationRanks(evaluation, sorted[x].item))
			list[count++] = sorted[x].item;
	pfree(sorted);
	return count;
}

/* What speaks for each item of the history */
static double *
score_repeats(const RecsysEvaluation *evaluation, uint32 user, const RecsysBasketHistory *history)
{
	const RecsysBaskets *baskets = evaluation->baskets;
	Size		n = Max(history->nitems, 1);
	RecsysRenewal *renewals = recsys_alloc_huge(sizeof(RecsysRenewal) * n);
	double	   *scores = recsys_alloc_huge(sizeof(double) * n);

	for (uint32 x = 0; x < history->nitems; x++)
	{
		uint32		item = history->items[x].item;

		RecsysRenewalEstimate(history, x, evaluation->item_users[item], &baskets->rhythms[item],
							  &baskets->prior, baskets->at[user], &renewals[x]);
	}
	RecsysRepeatScores(history, renewals, baskets->at[user], &baskets->mix, scores);
	pfree(renewals);
	return scores;
}

/* Scores by the graph with repeat scores as weights, the best of which is 1; of repeats into graph */
static double
score_graph(RecsysEvaluator *evaluator, uint32 user, const RecsysBasketHistory *history,
			const double *scores, double *graph)
{
	const RecsysBaskets *baskets = evaluator->evaluation->baskets;
	uint32	   *items = recsys_alloc_huge(sizeof(uint32) * (Size) Max(history->nitems, 1));
	double		best = 0.0;
	RecsysScored first;

	for (uint32 x = 0; x < history->nitems; x++)
		best = Max(best, scores[x]);
	for (uint32 x = 0; x < history->nitems; x++)
	{
		items[x] = history->items[x].item;
		graph[x] = best > 0.0 ? scores[x] / best : 1.0;
	}
	RecsysScoreHistory(evaluator, items, graph, history->nitems);
	for (uint32 x = 0; x < history->nitems; x++)
	{
		graph[x] = evaluator->foldin != NULL ? 0.0 : RecsysScorerScore(evaluator->scorer, items[x]);
	}
	pfree(items);

	/* what the user has returned is neither a repeat nor a discovery */
	for (uint64 x = baskets->offsets[user]; x < baskets->offsets[user + 1]; x++)
		RecsysScorerExclude(evaluator->scorer, baskets->items[x]);
	return RecsysScorerTop(evaluator->scorer, 1, NULL, &first) > 0 ? first.score : 0.0;
}

static int
list_mixed(RecsysEvaluator *evaluator, uint32 user, const RecsysBasketHistory *history,
		   uint32 *list)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const RecsysNextBasketOptions *mix = &evaluation->baskets->mix;
	double	   *scores = score_repeats(evaluation, user, history);
	double	   *graph = recsys_alloc_huge(sizeof(double) * (Size) Max(history->nitems, 1));
	RecsysScored *all = recsys_alloc_huge(sizeof(RecsysScored) *
										  ((Size) evaluator->length + history->nitems));
	double		best = score_graph(evaluator, user, history, scores, graph);
	double		scale = RecsysNextBasketPopular(evaluator->scorer, best, evaluation->popular,
												evaluation->ncatalogue, mix);
	int			count = RecsysScorerTop(evaluator->scorer, evaluator->length, NULL, all);
	RecsysKeyOrder order = {0}; /* that of the numbers */

	for (int x = 0; x < count; x++)
		all[x].score = (float) (all[x].score * scale);
	for (uint32 x = 0; x < history->nitems; x++)
	{
		uint32		item = history->items[x].item;
		double		sum = RecsysScorerScore(evaluator->scorer, item);

		if (RecsysEvaluationRanks(evaluation, item))
			all[count++] = (RecsysScored)
		{
			item, (float) RecsysNextBasketRepeat(scores[x], graph[x], sum, best, mix)
		};
	}
	qsort_interruptible(all, count, sizeof(RecsysScored), RecsysCompareScored, &order);
	count = Min(count, evaluator->length);
	for (int x = 0; x < count; x++)
		list[x] = all[x].item;
	pfree(scores);
	pfree(graph);
	pfree(all);
	return count;
}

/* Popular items that are not in the list, behind it */
static int
fill_popular(RecsysEvaluator *evaluator, uint32 *list, int count)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	int			before = count;

	for (int x = 0; x < before; x++)
		evaluator->places[list[x]] = 1;
	for (uint32 x = 0; x < evaluation->ncatalogue && count < evaluator->length; x++)
		if (evaluator->places[evaluation->popular[x]] == 0 &&
			!RecsysScorerIsExcluded(evaluator->scorer, evaluation->popular[x]))
			list[count++] = evaluation->popular[x];
	for (int x = 0; x < before; x++)
		evaluator->places[list[x]] = 0;
	return count;
}

int
RecsysListBasket(RecsysEvaluator *evaluator, uint32 user, uint32 *list)
{
	RecsysBasketMethod method = evaluator->evaluation->baskets->method;
	RecsysBasketHistory *history = &evaluator->history;
	int			count = 0;

	if (history->items != NULL)
		RecsysBasketHistoryFree(history);
	make_history(evaluator->evaluation->baskets, user, history);
	if (method == RECSYS_BASKET_MIX)
		count = list_mixed(evaluator, user, history, list);
	else
		RecsysScorerReset(evaluator->scorer, evaluator->evaluation->nitems);
	if (method == RECSYS_BASKET_FREQUENCY || method == RECSYS_BASKET_FREQUENCY_POPULAR)
		count = list_frequent(evaluator, history, list);
	if (method != RECSYS_BASKET_FREQUENCY)
		count = fill_popular(evaluator, list, count);
	for (int x = 0; x < evaluator->length; x++)
	{
		if (x >= count)
			list[x] = RECSYS_NONE;
		evaluator->known[x] = x < count && RecsysFindBasketItem(history, list[x]) >= 0;
	}
	return count;
}

void
RecsysMeasureBasket(RecsysEvaluator *evaluator, const uint32 *test, uint64 ntest, int length,
					double *figures)
{
	static const RecsysMetric recalls[] = {RECSYS_METRIC_RECALL_EXPLORE, RECSYS_METRIC_RECALL_REPEAT};
	static const RecsysMetric ndcgs[] = {RECSYS_METRIC_NDCG_EXPLORE, RECSYS_METRIC_NDCG_REPEAT};
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	uint64		relevant[2] = {0, 0};
	bool	   *hits = palloc(sizeof(bool) * Max(length, 1));

	for (uint64 x = 0; x < ntest; x++)
		relevant[RecsysFindBasketItem(&evaluator->history, test[x]) >= 0]++;
	for (int known = 0; known < 2; known++)
	{
		for (int x = 0; x < length; x++)
			hits[x] = evaluator->hits[x] && evaluator->known[x] == known;
		for (int x = 0; x < evaluation->nks; x++)
		{
			int			k = evaluation->ks[x];

			if (wanted(evaluator, recalls[known]))
				*figure(evaluator, figures, recalls[known], x) = relevant[known] == 0 ? NAN :
					RecsysRecall(hits, length, k, relevant[known]);
			if (wanted(evaluator, ndcgs[known]))
				*figure(evaluator, figures, ndcgs[known], x) = relevant[known] == 0 ? NAN :
					RecsysNdcg(hits, length, k, relevant[known]);
		}
	}
	for (int x = 0; x < evaluation->nks && wanted(evaluator, RECSYS_METRIC_REPEAT_SHARE); x++)
	{
		int			listed = Min(length, evaluation->ks[x]);
		int			count = 0;

		for (int y = 0; y < listed; y++)
			count += evaluator->known[y];
		*figure(evaluator, figures, RECSYS_METRIC_REPEAT_SHARE, x) =
			listed > 0 ? (double) count / listed : NAN;
	}
	pfree(hits);
}
