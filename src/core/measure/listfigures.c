/*
 * listfigures.c
 *	  The figures of one user's list.
 *
 * metrics.c has those that follow from the hits alone.  Here are the others:
 *
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
 */
#include "core/measure/evaluator.h"

#include <math.h>

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

void
RecsysMeasureList(RecsysEvaluator *evaluator, const uint32 *list, int length, uint64 relevant,
				  double *figures)
{
	measure_accuracy(evaluator, length, relevant, figures);
	measure_items(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_SERENDIPITY))
		measure_serendipity(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_DIVERSITY))
		measure_diversity(evaluator, list, length, figures);
	if (wanted(evaluator, RECSYS_METRIC_CATEGORY_DIVERSITY))
		measure_category_diversity(evaluator, list, length, figures);
}
