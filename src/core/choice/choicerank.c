/*
 * choicerank.c
 *	  How well a model foretells what a choice has held out.
 *
 * As core/measure ranks, and serving does, but for one length of lists and one metric,
 * NDCG (Järvelin, Kekäläinen 2002), and over rows of a few items only.
 */
#include "core/choice/choicerank.h"

#include <math.h>

#include "core/base/topk.h"
#include "core/pairs/prior.h"
#include "core/scoring/scorer.h"

struct RecsysChoiceRanker
{
	const RecsysChoiceSplit *split;
	const RecsysChoiceCounter *counter;
	RecsysScorer *scorer;
	RecsysScored best[RECSYS_CHOICE_K];
	uint32	   *popular;		/* items, most users first */

	/* of the model at hand */
	RecsysCandidate *candidates;	/* for the prior, as many as items */
	uint32	   *prior_items;
	float	   *prior_scores;
	int			nprior;
	uint8	   *offered;		/* by item, NULL: all are */
};

static int
compare_popularity(const void *a, const void *b, void *arg)
{
	const uint32 *users = arg;
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	if (users[left] != users[right])
		return users[left] > users[right] ? -1 : 1;
	return (left > right) - (left < right);
}

RecsysChoiceRanker *
RecsysChoiceRankerCreate(const RecsysChoiceSplit *split, const RecsysChoiceCounter *counter)
{
	RecsysChoiceRanker *ranker = palloc0(sizeof(RecsysChoiceRanker));
	uint32		count = 0;

	ranker->split = split;
	ranker->counter = counter;
	ranker->scorer = RecsysScorerCreate(split->nitems);
	ranker->popular = recsys_alloc_huge(sizeof(uint32) * Max((Size) split->nitems, 1));
	for (uint32 item = 0; item < split->nitems; item++)
		if (split->item_users[item] > 0)
			ranker->popular[count++] = item;
	qsort_interruptible(ranker->popular, count, sizeof(uint32), compare_popularity, split->item_users);
	ranker->candidates = recsys_alloc_huge(sizeof(RecsysCandidate) * Max((Size) split->nitems, 1));
	ranker->prior_items = palloc(sizeof(uint32) * RECSYS_PRIOR_ITEMS);
	ranker->prior_scores = palloc(sizeof(float) * RECSYS_PRIOR_ITEMS);
	return ranker;
}

void
RecsysChoiceRankerFree(RecsysChoiceRanker *ranker)
{
	RecsysScorerFree(ranker->scorer);
	pfree(ranker->popular);
	pfree(ranker->candidates);
	pfree(ranker->prior_items);
	pfree(ranker->prior_scores);
	if (ranker->offered != NULL)
		pfree(ranker->offered);
	pfree(ranker);
}

/* The items of the model's prior, in any order */
static void
prepare_prior(RecsysChoiceRanker *ranker, const RecsysChoiceModel *model)
{
	const RecsysChoiceSplit *split = ranker->split;
	const RecsysRecency *recent = split->recent[model->trend];
	RecsysPriorTotals totals = {.users = split->users.nrows, .items = split->nknown,
		.interactions = (double) split->interactions, .recent = split->all_recent[model->trend]};
	RecsysModelOptions options = model->options;
	int			count = 0;

	ranker->nprior = 0;
	if (model->rows == NULL || model->options.popularity <= 0)
		return;

	/* a half-life that was asked for, but what is held out cannot tell what is late */
	if (recent == NULL)
		options.popularity_half_life = 0;
	for (uint32 item = 0; item < split->nitems; item++)
	{
		float		score = RecsysPriorScore(&options, &totals, split->item_users[item],
											 recent != NULL ? &recent[item] : NULL);

		if (score > 0)
			ranker->candidates[count++].order = RecsysCandidateOrder(score, item);
	}
	if (count > RECSYS_PRIOR_ITEMS)
	{
		(void) RecsysSelectBest(ranker->candidates, count, RECSYS_PRIOR_ITEMS);
		count = RECSYS_PRIOR_ITEMS;
	}
	ranker->nprior = count;
	for (int x = 0; x < count; x++)
	{
		ranker->prior_items[x] = RecsysCandidateItem(ranker->candidates[x].order);
		ranker->prior_scores[x] = RecsysCandidateScore(ranker->candidates[x].order);
	}
}

/* What is not too old to stand in a list */
static void
prepare_offer(RecsysChoiceRanker *ranker, const RecsysChoiceModel *model)
{
	const RecsysChoiceSplit *split = ranker->split;

	if (ranker->offered != NULL)
		pfree(ranker->offered);
	ranker->offered = NULL;
	if (model->options.item_max_age > 0 && split->last != NULL)
	{
		ranker->offered = recsys_alloc_huge(Max((Size) split->nitems, 1));
		for (uint32 item = 0; item < split->nitems; item++)
			ranker->offered[item] = RecsysIsWithinAge(split->last[item], split->latest,
													  model->options.item_max_age);
	}
	RecsysScorerOffer(ranker->scorer, ranker->offered);
}

static double
weight_of(const RecsysChoiceSplit *split, uint64 entry, const RecsysModelOptions *options)
{
	double		weight = split->weights != NULL ? split->weights[entry] : 1;

	return RecsysHistoryTransform(weight, options->weight_transform);
}

/* Adds up the rows of what the user has. */
static void
score_user(RecsysChoiceRanker *ranker, const RecsysChoiceModel *model, uint32 user)
{
	const RecsysChoiceSplit *split = ranker->split;
	uint64		first = split->users.offsets[user];
	uint64		last = split->users.offsets[user + 1];
	int64		latest = RECSYS_NO_TIME;

	RecsysScorerReset(ranker->scorer, split->nitems);
	for (uint64 e = first; e < last; e++)
	{
		RecsysScorerExclude(ranker->scorer, split->users.columns[e]);
		if (model->half_life > 0)
			latest = Max(latest, split->times[e]);
	}
	if (model->rows == NULL)
		return;
	for (uint64 e = first; e < last; e++)
	{
		uint32		row = RecsysChoiceRowOf(ranker->counter, split->users.columns[e]);
		Size		base = (Size) row * model->rows->width;
		double		weight = weight_of(split, e, &model->options);

		if (model->half_life > 0)
			weight *= RecsysDecay(split->times[e], latest, model->half_life);
		RecsysScorerAdd(ranker->scorer, weight, model->rows->items + base,
						model->rows->scores + base, model->rows->counts[row]);
	}
	RecsysScorerAdd(ranker->scorer, 1.0, ranker->prior_items, ranker->prior_scores, ranker->nprior);
}

static inline bool
is_offered(const RecsysChoiceRanker *ranker, uint32 item)
{
	return ranker->offered == NULL || ranker->offered[item];
}

/* The user's list; returns its length. */
static int
list_user(RecsysChoiceRanker *ranker, uint32 *list)
{
	int			length = RecsysScorerTop(ranker->scorer, RECSYS_CHOICE_K, NULL, ranker->best);

	for (int x = 0; x < length; x++)
		list[x] = ranker->best[x].item;
	for (uint32 x = 0; x < ranker->split->nknown && length < RECSYS_CHOICE_K; x++)
	{
		uint32		item = ranker->popular[x];

		if (!RecsysScorerIsExcluded(ranker->scorer, item) &&
			!RecsysScorerIsCandidate(ranker->scorer, item) && is_offered(ranker, item))
			list[length++] = item;
	}
	return length;
}

static double
ndcg_of(const uint32 *list, int length, const uint32 *wanted, uint64 nwanted)
{
	double		gain = 0;
	double		ideal = 0;

	for (int x = 0; x < length; x++)
	{
		for (uint64 y = 0; y < nwanted; y++)
			if (wanted[y] == list[x])
				gain += 1 / log2(x + 2);
	}
	for (uint64 x = 0; x < Min(nwanted, RECSYS_CHOICE_K); x++)
		ideal += 1 / log2((double) x + 2);
	return gain / ideal;
}

double
RecsysChoiceRank(RecsysChoiceRanker *ranker, const RecsysChoiceModel *model, double *ndcg)
{
	const RecsysChoiceSplit *split = ranker->split;
	double		sum = 0;

	prepare_prior(ranker, model);
	prepare_offer(ranker, model);
	for (uint32 t = 0; t < split->ntest; t++)
	{
		uint64		first = split->test_offsets[t];
		uint32		list[RECSYS_CHOICE_K];
		int			length;

		if (t % 16 == 0)
			CHECK_FOR_INTERRUPTS();
		score_user(ranker, model, split->test_users[t]);
		length = list_user(ranker, list);
		ndcg[t] = ndcg_of(list, length, split->test_items + first, split->test_offsets[t + 1] - first);
		sum += ndcg[t];
	}
	return sum / Max(split->ntest, 1);
}
