/*
 * serving.c
 *	  From a user's rows to scores: what recommend, recommend_for_items and
 *	  explain_recommendation share.
 *
 * The score of item j for a user is the sum over the user's items i of
 * weight_i * decay_i * similarity(i, j), with similarity(i, j) from the graph
 * row of i: item-based top-N recommendation (Sarwar et al. 2001; Deshpande and
 * Karypis 2004).  decay_i halves with every half_life between the user's latest
 * interaction and the one with i, so that answers depend on data alone; what is in the
 * future counts as of now.
 *
 * Where the index has factors, scores come from those instead (factorserving.c); the
 * rest is the same.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/lists/owner.h"
#include "am/read/visible.h"
#include "api/serve/factorserving.h"
#include "api/serve/serving.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A scorer for more items than this is not kept between calls. */
#define KEEP_SCORER_ITEMS 4000000

/* Reused from call to call; cleared at the start of each */
static RecsysScorer *kept_scorer = NULL;
static MemoryContext scorer_context = NULL;

static RecsysScorer *
acquire_scorer(uint32 nitems)
{
	MemoryContext old;

	if (scorer_context == NULL)
		scorer_context = AllocSetContextCreate(TopMemoryContext, "recsys scorer",
											   ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scorer_context);
	if (kept_scorer == NULL)
		kept_scorer = RecsysScorerCreate(nitems);
	else
		RecsysScorerReset(kept_scorer, nitems);
	MemoryContextSwitchTo(old);
	return kept_scorer;
}

static void
release_scorer(uint32 nitems)
{
	if (nitems <= KEEP_SCORER_ITEMS)
		return;
	kept_scorer = NULL;
	MemoryContextReset(scorer_context);
}

bool
RecsysFindItem(RecsysRecommender *recommender, const RecsysKey *key, uint32 *item)
{
	return RecsysReadOwner(recommender->index, RECSYS_ITEMS, key, NULL, item, NULL, NULL);
}

void
RecsysReadProfile(RecsysRecommender *recommender, const RecsysKey *user, int64 half_life,
				  RecsysProfile *profile)
{
	Snapshot	snapshot = GetActiveSnapshot();
	RecsysFolding folding;
	RecsysHistoryItem *history;
	RecsysInteraction *copy;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	int64		latest = RECSYS_NO_TIME;
	int64		now = half_life > 0 ? RecsysNow(recommender->columns.time_type) : PG_INT64_MAX;

	memset(profile, 0, sizeof(*profile));
	PredicateLockRelation(recommender->heap, snapshot);
	profile->nseen = RecsysReadVisible(recommender->heap, recommender->index, user, snapshot,
									   &profile->seen);
	if (profile->nseen == 0)
		return;

	copy = MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(RecsysInteraction) * (Size) profile->nseen);
	memcpy(copy, profile->seen, sizeof(RecsysInteraction) * (Size) profile->nseen);
	history = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(RecsysHistoryItem) * (Size) profile->nseen);
	items = RecsysItemOrderCreate(recommender->index, RecsysItemCount(recommender->index));
	order = RecsysItemOrderForCore(items);
	RecsysMetaFolding(&RecsysGetCache(recommender->index)->meta, &order, &folding);
	profile->nevidence = RecsysHistoryFold(copy, profile->nseen, &folding, history, NULL);
	RecsysItemOrderFree(items);
	profile->items = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * (Size) Max(profile->nevidence, 1));
	profile->weights = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(double) * (Size) Max(profile->nevidence, 1));

	for (int i = 0; i < profile->nevidence; i++)
		latest = Max(latest, Min(history[i].time, now));
	for (int i = 0; i < profile->nevidence; i++)
	{
		profile->items[i] = history[i].item;
		profile->weights[i] = history[i].weight *
			RecsysDecay(history[i].time, latest, half_life);
	}
	pfree(copy);
	pfree(history);
}

static void
put_recommendation(RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item, float score,
				   Datum source, int rank)
{
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};

	values[0] = RecsysAnswerItem(answer, reader, item);
	values[1] = Float4GetDatum(score);
	values[2] = source;
	values[3] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

/*
 * Fills the places after rank, up to k, with popular items.  Candidates are listed
 * already, and excluded ones stay out.  The score is 0, as the user has nothing that
 * speaks for these items.  A number of buyers would be on another scale and could exceed
 * the scores above.
 */
static void
fill_with_popular(RecsysRecommender *recommender, RecsysAnswer *answer, RecsysScorer *scorer,
				  RecsysGraphReader *reader, int rank, int k)
{
	Datum		source = PointerGetDatum(cstring_to_text("popular"));
	int			nshort;
	uint32	   *items = RecsysReadPopular(recommender->index, &nshort);
	uint32		nall = nshort;

	for (uint32 i = 0; rank < k && i < nall; i++)
	{
		if (RecsysScorerIsExcluded(scorer, items[i]) || RecsysScorerIsCandidate(scorer, items[i]))
			continue;
		put_recommendation(answer, reader, items[i], 0, source, ++rank);
	}

	/* the page lists some thousand items; beyond it, all rows have to be read */
	if (rank < k && nshort == RECSYS_POPULAR_ITEMS)
	{
		RecsysPopularity *popular = RecsysReadAllPopular(recommender->index, &nall);

		for (int i = 0; i < nshort; i++)
			RecsysScorerExclude(scorer, items[i]);
		for (uint32 i = 0; rank < k && i < nall; i++)
		{
			if (RecsysScorerIsExcluded(scorer, popular[i].item) ||
				RecsysScorerIsCandidate(scorer, popular[i].item))
				continue;
			put_recommendation(answer, reader, popular[i].item, 0, source, ++rank);
		}
	}
}

typedef struct ScoreSum
{
	RecsysScorer *scorer;
	const double *weights;
} ScoreSum;

static void
add_row(void *arg, int position, RecsysGraphRow row)
{
	ScoreSum   *sum = arg;

	RecsysScorerAdd(sum->scorer, sum->weights[position], row->peers, RecsysRowScores(row),
					row->nneighbors);
}

void
RecsysPutRecommendations(RecsysRecommender *recommender, RecsysAnswer *answer,
						 const RecsysProfile *profile, int k, bool exclude_seen)
{
	uint32		nitems = RecsysItemCount(recommender->index);
	uint32		highest = 0;
	RecsysGraphReader reader;
	RecsysScorer *scorer;
	RecsysScored *best;
	ScoreSum	sum;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	MemoryContext old;
	int			count;

	for (int i = 0; i < profile->nseen; i++)
		highest = Max(highest, profile->seen[i].item);
	if (profile->nseen > 0 && highest >= nitems)
		RecsysNoItem(recommender->index, highest);

	scorer = acquire_scorer(nitems);
	RecsysGraphReaderInit(&reader, recommender->index);

	if (exclude_seen)
		for (int i = 0; i < profile->nseen; i++)
			RecsysScorerExclude(scorer, profile->seen[i].item);

	if (!RecsysScoreByFactors(recommender, profile, k, scorer))
	{
		sum.scorer = scorer;
		sum.weights = profile->weights;
		RecsysGraphVisitRows(&reader, profile->items, profile->nevidence, add_row, &sum);
	}

	count = Min(k, RecsysScorerCandidates(scorer));
	best = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(count, 1));

	/* what the scorer allocates lives as long as the scorer */
	items = RecsysItemOrderCreate(recommender->index, nitems);
	order = RecsysItemOrderForCore(items);
	old = MemoryContextSwitchTo(scorer_context);
	count = RecsysScorerTop(scorer, count, &order, best);
	MemoryContextSwitchTo(old);
	RecsysItemOrderFree(items);
	if (count > 0)
	{
		Datum		source = PointerGetDatum(cstring_to_text("history"));

		for (int i = 0; i < count; i++)
			put_recommendation(answer, &reader, best[i].item, best[i].score, source, i + 1);
	}
	if (count < k)
		fill_with_popular(recommender, answer, scorer, &reader, count, k);

	RecsysGraphReaderDone(&reader);
	release_scorer(nitems);
}
