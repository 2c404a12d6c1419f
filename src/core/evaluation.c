/*
 * evaluation.c
 *	  Recommendation lists for users with held-out items, and what they are worth.
 *
 * The ranking is the one that recommend() serves: all items of the catalogue
 * that the user does not have yet, first those with a positive score, best
 * first, then the others, most users first; ties by item.  No items are sampled.
 * Scores are sums over the item graph or, for a model of factors, those of a user who is
 * folded in.
 *
 * auc			share of pairs of a held-out item and any other item of the ranking
 *				where the held-out one stands higher; equal score (or, without a
 *				score, equal numbers of users) counts half.  Held-out items outside
 *				the catalogue have no rank and are left out.  Rendle et al.: BPR,
 *				UAI 2009; ties as in Hanley, McNeil, Radiology 143 (1982).
 * popularity	mean number of users of the listed items
 * serendipity	share of the k places with a held-out item that the k most popular
 *				unseen items do not have: Ge, Delgado-Battenfeld, Jannach: Beyond
 *				accuracy, RecSys 2010, with popularity as the primitive method.
 * diversity	1 - mean similarity of two listed items, by the item graph: the
 *				larger of the two directions, 0 for pairs that it does not have, and
 *				divided by the graph's largest score if that is above 1.  The
 *				intra-list similarity of Ziegler et al.: Improving recommendation
 *				lists through topic diversification, WWW 2005.
 * category_diversity	the same with similarity 1 for items of one category, 0
 *				for items of two; items without category are left out.
 * new_items	share of the listed items that are new
 *
 * AUC costs no sort of the catalogue: scores of the few held-out items are
 * sorted, and each item that got a score looks up how many of them it beats.
 * All that got no score are counted at once, by numbers of users, of which sums
 * over the catalogue are prepared.
 */
#include "core/evaluation.h"

#include <math.h>

#include "core/scorer.h"

/* Items that are scored by their factors at a time */
#define ITEMS_PER_CALL 1024

struct RecsysEvaluator
{
	const RecsysEvaluation *evaluation;
	int			length;			/* of lists */
	int			ncolumns;
	int			columns[RECSYS_USER_METRICS];
	RecsysScorer *scorer;
	RecsysFoldIn *foldin;		/* NULL without factors */
	RecsysScored *best;
	bool	   *hits;
	uint16	   *places;			/* by item: place in a list + 1, 0 for none */
	double	   *pair_sums;		/* by place: similarity to the places before it */
	uint32	   *pair_counts;
	float	   *pair_row;		/* similarity of the item at hand to each place before it */

	/* AUC: of each item, how much of the catalogue has fewer and as many users */
	uint32	   *fewer;
	uint32	   *equal;
	uint64	   *values;			/* standing of the held-out items at hand */
	uint64		nvalues;
};

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
		if (evaluation->item_users[item] == 0)
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
	if (evaluation->factors.items != NULL)
		evaluator->foldin = RecsysFoldInCreate(&evaluation->factors.shape, evaluation->factors.gram);
	evaluator->best = palloc(sizeof(RecsysScored) * evaluator->length);
	evaluator->hits = palloc(sizeof(bool) * evaluator->length);
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
		length * (4 * 16 + 8 + 1 + 8 + 4) + length * length * sizeof(float) + 64 * 1024 +
		(evaluation->factors.items != NULL ? RecsysFoldInMemory(evaluation->factors.shape.rank) : 0);
}

/* The row of one user. */
static uint64
row_of(const RecsysItemRows *rows, uint32 row, const uint32 **items)
{
	*items = rows->items + rows->offsets[row];
	return rows->offsets[row + 1] - rows->offsets[row];
}

/* Folds the user in and scores all items. */
static void
score_by_factors(RecsysEvaluator *evaluator, uint32 user)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const RecsysFactors *factors = &evaluation->factors;
	Size		rank = factors->shape.rank;
	uint32		nitems = Min(evaluation->nitems, RecsysEvaluationFactors(evaluation));
	const uint32 *items;
	uint64		count = row_of(&evaluation->histories, user, &items);
	const float *taste;
	float		scores[ITEMS_PER_CALL];

	RecsysFoldInStart(evaluator->foldin);
	for (uint64 x = 0; x < count; x++)
	{
		if (items[x] < nitems)
			RecsysFoldInAdd(evaluator->foldin, factors->items + items[x] * rank,
							evaluation->weights != NULL ?
							evaluation->weights[evaluation->histories.offsets[user] + x] : 1.0);
	}
	taste = RecsysFoldInSolve(evaluator->foldin);
	for (uint32 first = 0; first < nitems; first += ITEMS_PER_CALL)
	{
		int			n = (int) Min(nitems - first, ITEMS_PER_CALL);

		RecsysFactorScores(taste, factors->items + first * rank, n, (int) rank, scores);
		RecsysScorerAddRange(evaluator->scorer, first, scores, n);
	}
}

static void
score_user(RecsysEvaluator *evaluator, uint32 user)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const uint32 *items;
	uint64		count;
	uint64		first = evaluation->histories.offsets[user];

	RecsysScorerReset(evaluator->scorer, evaluation->nitems);
	if (evaluation->seen.offsets != NULL)
	{
		count = row_of(&evaluation->seen, user, &items);
		for (uint64 x = 0; x < count; x++)
			RecsysScorerExclude(evaluator->scorer, items[x]);
	}

	if (evaluator->foldin != NULL)
	{
		score_by_factors(evaluator, user);
		return;
	}
	count = row_of(&evaluation->histories, user, &items);
	for (uint64 x = 0; x < count; x++)
	{
		uint64		row = evaluation->graph.offsets[items[x]];

		RecsysScorerAdd(evaluator->scorer,
						evaluation->weights != NULL ? evaluation->weights[first + x] : 1.0,
						evaluation->graph.items + row, evaluation->scores + row,
						(int) (evaluation->graph.offsets[items[x] + 1] - row));
	}
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

/* Is the item among n ascending ones? */
static bool
contains(const uint32 *items, uint64 n, uint32 item)
{
	uint64		low = 0;

	while (n > 0)
	{
		uint64		half = n / 2;

		if (items[low + half] < item)
		{
			low += half + 1;
			n -= half + 1;
		}
		else if (items[low + half] == item)
			return true;
		else
			n = half;
	}
	return false;
}

static double *
figure(RecsysEvaluator *evaluator, double *figures, RecsysMetric metric, int x)
{
	return &figures[evaluator->columns[metric] + x];
}

static bool
wanted(const RecsysEvaluator *evaluator, RecsysMetric metric)
{
	return evaluator->columns[metric] >= 0;
}

static void
measure_accuracy(RecsysEvaluator *evaluator, int length, uint64 relevant, double *figures)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	const bool *hits = evaluator->hits;

	for (int x = 0; x < evaluation->nks; x++)
	{
		int			k = evaluation->ks[x];

		if (wanted(evaluator, RECSYS_METRIC_RECALL))
			*figure(evaluator, figures, RECSYS_METRIC_RECALL, x) = RecsysRecall(hits, length, k, relevant);
		if (wanted(evaluator, RECSYS_METRIC_RECALL_CAPPED))
			*figure(evaluator, figures, RECSYS_METRIC_RECALL_CAPPED, x) =
				RecsysRecallCapped(hits, length, k, relevant);
		if (wanted(evaluator, RECSYS_METRIC_PRECISION))
			*figure(evaluator, figures, RECSYS_METRIC_PRECISION, x) = RecsysPrecision(hits, length, k);
		if (wanted(evaluator, RECSYS_METRIC_HIT_RATE))
			*figure(evaluator, figures, RECSYS_METRIC_HIT_RATE, x) = RecsysHitRate(hits, length, k);
		if (wanted(evaluator, RECSYS_METRIC_NDCG))
			*figure(evaluator, figures, RECSYS_METRIC_NDCG, x) = RecsysNdcg(hits, length, k, relevant);
		if (wanted(evaluator, RECSYS_METRIC_MRR))
			*figure(evaluator, figures, RECSYS_METRIC_MRR, x) = RecsysReciprocalRank(hits, length, k);
		if (wanted(evaluator, RECSYS_METRIC_MAP))
			*figure(evaluator, figures, RECSYS_METRIC_MAP, x) =
				RecsysAveragePrecision(hits, length, k, relevant);
	}
}

/*
 * The value that orders the ranking: by score where there is one, and by users
 * below all of those.
 */
static uint64
standing(RecsysEvaluator *evaluator, uint32 item)
{
	float		score = RecsysScorerScore(evaluator->scorer, item);
	uint32		bits;

	if (!(score > 0.0f))
		return evaluator->evaluation->item_users[item];

	/* positive floats have the order of their bits */
	memcpy(&bits, &score, sizeof(bits));
	return (UINT64CONST(1) << 32) + bits;
}

static int
compare_values(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return (left > right) - (left < right);
}

/* Twice the number of the n ascending values above a value, and once those equal to it. */
static uint64
doubled_wins(const uint64 *values, uint64 n, uint64 value)
{
	uint64		low = 0;
	uint64		left = n;
	uint64		equal = 0;

	/* most items beat few held-out ones or many: look at the ends first */
	if (n == 0 || value > values[n - 1])
		return 0;
	if (value < values[0])
		return 2 * n;
	while (left > 0)
	{
		uint64		half = left / 2;

		if (values[low + half] < value)
		{
			low += half + 1;
			left -= half + 1;
		}
		else
			left = half;
	}
	while (low + equal < n && values[low + equal] == value)
		equal++;
	return 2 * (n - low - equal) + equal;
}

static double
measure_auc(RecsysEvaluator *evaluator, const uint32 *test, uint64 ntest)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	RecsysScorer *scorer = evaluator->scorer;
	uint64	   *values;
	uint64		n = 0;
	uint64		doubled = 0;	/* twice the pairs won, a tie counting one */
	uint64		others = evaluation->ncatalogue;	/* unseen items that are not held out */
	const uint32 *touched;
	uint32		ntouched;

	if (ntest > evaluator->nvalues)
	{
		evaluator->nvalues = ntest + ntest / 2;
		evaluator->values = recsys_realloc_huge(evaluator->values,
												sizeof(uint64) * evaluator->nvalues);
	}
	values = evaluator->values;
	for (uint64 x = 0; x < ntest; x++)
	{
		if (test[x] >= evaluation->nitems || evaluation->item_users[test[x]] == 0 ||
			RecsysScorerIsExcluded(scorer, test[x]))
			continue;
		values[n] = standing(evaluator, test[x]);

		/* as if the whole catalogue had no score */
		if (values[n] <= PG_UINT32_MAX)
			doubled += 2 * (uint64) evaluator->fewer[test[x]] + evaluator->equal[test[x]];
		else
			doubled += 2 * (uint64) evaluation->ncatalogue;
		n++;
	}
	if (n == 0)
		return NAN;
	qsort(values, n, sizeof(uint64), compare_values);

	/* held-out items are no others */
	for (uint64 x = 0; x < ntest; x++)
	{
		if (test[x] >= evaluation->nitems || evaluation->item_users[test[x]] == 0 ||
			RecsysScorerIsExcluded(scorer, test[x]))
			continue;
		doubled -= doubled_wins(values, n, evaluation->item_users[test[x]]);
		others--;
	}

	/* those with a score, and those that are seen, have been counted as if they had none */
	ntouched = RecsysScorerTouched(scorer, &touched);
	for (uint32 x = 0; x < ntouched; x++)
	{
		uint32		item = touched[x];

		if (evaluation->item_users[item] == 0)
			continue;
		if (RecsysScorerIsExcluded(scorer, item))
		{
			doubled -= doubled_wins(values, n, evaluation->item_users[item]);
			others--;
		}
		else if (!contains(test, ntest, item))
			doubled = doubled - doubled_wins(values, n, evaluation->item_users[item]) +
				doubled_wins(values, n, standing(evaluator, item));
	}
	return others > 0 ? (double) doubled / 2.0 / ((double) n * (double) others) : NAN;
}

/* Means over the first k items of what each item is: novelty, popularity, newness. */
static void
measure_items(RecsysEvaluator *evaluator, const uint32 *list, int length, double *figures)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	double		information = 0;
	double		users = 0;
	double		fresh = 0;
	int			x = 0;

	for (int at = 0; at < evaluation->nks; at++)
	{
		for (; x < Min(length, evaluation->ks[at]); x++)
		{
			/* an index may still list what the last user has dropped */
			information += RecsysSelfInformation(Max(evaluation->item_users[list[x]], 1),
												 evaluation->nusers_trained);
			users += evaluation->item_users[list[x]];
			if (evaluation->new_items != NULL)
				fresh += evaluation->new_items[list[x]];
		}
		if (wanted(evaluator, RECSYS_METRIC_NOVELTY))
			*figure(evaluator, figures, RECSYS_METRIC_NOVELTY, at) = x > 0 ? information / x : NAN;
		if (wanted(evaluator, RECSYS_METRIC_POPULARITY))
			*figure(evaluator, figures, RECSYS_METRIC_POPULARITY, at) = x > 0 ? users / x : NAN;
		if (wanted(evaluator, RECSYS_METRIC_NEW_ITEMS))
			*figure(evaluator, figures, RECSYS_METRIC_NEW_ITEMS, at) =
				x > 0 && evaluation->new_items != NULL ? fresh / x : NAN;
	}
}

/*
 * Hits that the most popular unseen items do not have, for each k: a hit at rank
 * r counts for k >= r unless it is among the k most popular.
 */
static void
measure_serendipity(RecsysEvaluator *evaluator, const uint32 *list, int length, double *figures)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	int			listed = 0;

	for (uint32 x = 0; x < evaluation->ncatalogue && listed < evaluator->length; x++)
		if (!RecsysScorerIsExcluded(evaluator->scorer, evaluation->popular[x]))
			evaluator->places[evaluation->popular[x]] = (uint16) ++listed;

	for (int at = 0; at < evaluation->nks; at++)
	{
		int			k = evaluation->ks[at];
		int			count = 0;

		for (int x = 0; x < Min(length, k); x++)
		{
			uint16		place = evaluator->places[list[x]];

			if (evaluator->hits[x] && (place == 0 || place > k))
				count++;
		}
		*figure(evaluator, figures, RECSYS_METRIC_SERENDIPITY, at) = (double) count / k;
	}

	listed = 0;
	for (uint32 x = 0; x < evaluation->ncatalogue && listed < evaluator->length; x++)
	{
		if (RecsysScorerIsExcluded(evaluator->scorer, evaluation->popular[x]))
			continue;
		evaluator->places[evaluation->popular[x]] = 0;
		listed++;
	}
}

/*
 * 1 - mean over the pairs of the first k places, from what each place adds to
 * the pairs with the places before it.
 */
static void
put_diversity(RecsysEvaluator *evaluator, RecsysMetric metric, int length, double *figures)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	double		sum = 0;
	uint64		pairs = 0;
	int			x = 0;

	for (int at = 0; at < evaluation->nks; at++)
	{
		for (; x < Min(length, evaluation->ks[at]); x++)
		{
			sum += evaluator->pair_sums[x];
			pairs += evaluator->pair_counts[x];
		}
		*figure(evaluator, figures, metric, at) = pairs > 0 ? 1.0 - sum / (double) pairs : NAN;
	}
}

static void
measure_diversity(RecsysEvaluator *evaluator, const uint32 *list, int length, double *figures)
{
	const RecsysEvaluation *evaluation = evaluator->evaluation;
	uint16	   *places = evaluator->places;
	float	   *pairs = evaluator->pair_row;	/* lower triangle, by place */

	for (int x = 0; x < length; x++)
		places[list[x]] = (uint16) (x + 1);
	for (int x = 0; x < length; x++)
	{
		uint64		last = evaluation->graph.offsets[list[x] + 1];

		for (uint64 y = evaluation->graph.offsets[list[x]]; y < last; y++)
		{
			uint32		neighbor = evaluation->graph.items[y];
			int			other = neighbor < evaluation->nitems ? (int) places[neighbor] - 1 : -1;

			if (other >= 0 && other != x)
			{
				float	   *pair = &pairs[Max(x, other) * evaluator->length + Min(x, other)];

				*pair = Max(*pair, evaluation->scores[y]);
			}
		}
	}
	for (int x = 0; x < length; x++)
	{
		double		sum = 0;

		for (int y = 0; y < x; y++)
		{
			sum += pairs[x * evaluator->length + y] / evaluation->score_scale;
			pairs[x * evaluator->length + y] = 0;
		}
		evaluator->pair_sums[x] = sum;
		evaluator->pair_counts[x] = (uint32) x;
		places[list[x]] = 0;
	}
	put_diversity(evaluator, RECSYS_METRIC_DIVERSITY, length, figures);
}

static void
measure_category_diversity(RecsysEvaluator *evaluator, const uint32 *list, int length,
						   double *figures)
{
	const uint32 *categories = evaluator->evaluation->categories;

	for (int x = 0; x < length; x++)
	{
		uint32		same = 0;
		uint32		known = 0;

		if (categories != NULL && categories[list[x]] != RECSYS_NONE)
		{
			for (int y = 0; y < x; y++)
			{
				known += categories[list[y]] != RECSYS_NONE;
				same += categories[list[y]] == categories[list[x]];
			}
		}
		evaluator->pair_sums[x] = same;
		evaluator->pair_counts[x] = known;
	}
	put_diversity(evaluator, RECSYS_METRIC_CATEGORY_DIVERSITY, length, figures);
}

static void
evaluate_user(RecsysEvaluator *evaluator, uint32 user, double *figures, uint32 *list)
{
	const uint32 *test;
	uint64		ntest = row_of(&evaluator->evaluation->test, user, &test);
	int			length;

	score_user(evaluator, user);
	length = list_items(evaluator, list);
	for (int x = 0; x < length; x++)
		evaluator->hits[x] = contains(test, ntest, list[x]);

	measure_accuracy(evaluator, length, ntest, figures);
	if (wanted(evaluator, RECSYS_METRIC_AUC))
		*figure(evaluator, figures, RECSYS_METRIC_AUC, 0) = measure_auc(evaluator, test, ntest);
	measure_items(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_SERENDIPITY))
		measure_serendipity(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_DIVERSITY))
		measure_diversity(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_CATEGORY_DIVERSITY))
		measure_category_diversity(evaluator, list, length, figures);
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

void
RecsysEvaluationSpread(const RecsysEvaluation *evaluation, const uint32 *lists, int k,
					   const uint32 *segments, uint32 segment,
					   const uint32 *groups, uint32 ngroups, double *coverage, double *gini)
{
	uint32		n = groups != NULL ? ngroups : evaluation->ncatalogue;
	uint32		size = groups != NULL ? ngroups : evaluation->nitems;
	uint64	   *counts = recsys_alloc_huge_zero(sizeof(uint64) * (Size) Max(size, 1));
	int			length = RecsysEvaluationLength(evaluation);
	uint32		covered = 0;
	uint32		kept = 0;

	for (uint32 user = 0; user < evaluation->nusers; user++)
	{
		const uint32 *list = lists + (Size) user * length;

		if (segments != NULL && segments[user] != segment)
			continue;
		for (int x = 0; x < k && list[x] != RECSYS_NONE; x++)
		{
			uint32		group = groups != NULL ? groups[list[x]] : list[x];

			if (group < size)
				counts[group]++;
		}
	}

	/* what is not in the catalogue has no count either */
	for (uint32 x = 0; x < size; x++)
	{
		if (groups == NULL && evaluation->item_users[x] == 0)
			continue;
		covered += counts[x] > 0;
		counts[kept++] = counts[x];
	}
	*coverage = n > 0 ? (double) covered / n : NAN;
	*gini = n > 0 ? RecsysGini(counts, kept) : NAN;
	pfree(counts);
}
