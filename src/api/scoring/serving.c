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
 *
 * To scores by the graph the prior is added (core/pairs/prior.h).  Items that nobody has
 * taken for item_max_age before the latest time of the index are passed over.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "am/lists/owner.h"
#include "am/read/visible.h"
#include "api/scoring/factorserving.h"
#include "api/scoring/serving.h"
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

/* Which items are offered: those that somebody has taken not too long before the latest time */
typedef struct Offer
{
	int64		max_age;		/* 0: all items */
	int64		latest;
} Offer;

static bool
is_offered(const Offer *offer, RecsysGraphReader *reader, uint32 item)
{
	bool		offered;

	if (offer->max_age == 0)
		return true;
	offered = RecsysIsWithinAge(RecsysGraphNeedRow(reader, item)->latest, offer->latest, offer->max_age);
	RecsysGraphReleaseRow(reader);
	return offered;
}

/* Where a list is put together */
typedef struct Listing
{
	RecsysRecommender *recommender;
	const RecsysProfile *profile;
	bool		exclude_seen;
	uint32		nitems;
	RecsysScorer *scorer;
	RecsysGraphReader reader;
	RecsysPrior *prior;			/* NULL: the index has none */
	Offer		offer;
} Listing;

/* Puts one of the items that have no score of their own, if it may stand there. */
static bool
put_popular(Listing *listing, RecsysAnswer *answer, uint32 item, Datum source, int rank)
{
	if (RecsysScorerIsExcluded(listing->scorer, item) ||
		RecsysScorerIsCandidate(listing->scorer, item) ||
		!is_offered(&listing->offer, &listing->reader, item))
		return false;
	put_recommendation(answer, &listing->reader, item, 0, source, rank);
	return true;
}

/*
 * Fills the places after rank, up to k, with popular items.  Candidates are listed
 * already, and excluded ones stay out.  The score is 0, as the user has nothing that
 * speaks for these items.  A number of buyers would be on another scale and could exceed
 * the scores above.
 */
static void
fill_with_popular(Listing *listing, RecsysAnswer *answer, int rank, int k)
{
	Relation	index = listing->recommender->index;
	Datum		source = PointerGetDatum(cstring_to_text("popular"));
	int			nshort;
	uint32	   *items = RecsysReadPopular(index, &nshort);
	uint32		nall = nshort;

	for (uint32 i = 0; rank < k && i < nall; i++)
		rank += put_popular(listing, answer, items[i], source, rank + 1);

	/* the page lists some thousand items; beyond it, all rows have to be read */
	if (rank < k && nshort == RECSYS_POPULAR_ITEMS)
	{
		RecsysPopularity *popular = RecsysReadAllPopular(index, &nall);

		for (int i = 0; i < nshort; i++)
			RecsysScorerExclude(listing->scorer, items[i]);
		for (uint32 i = 0; rank < k && i < nall; i++)
			rank += put_popular(listing, answer, popular[i].item, source, rank + 1);
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

/* Scores at least the k best items, all of them unless it is done by factors. */
static bool
score_items(Listing *listing, int k)
{
	const RecsysProfile *profile = listing->profile;
	ScoreSum	sum = {listing->scorer, profile->weights};

	for (int i = 0; listing->exclude_seen && i < profile->nseen; i++)
		RecsysScorerExclude(listing->scorer, profile->seen[i].item);
	if (RecsysScoreByFactors(listing->recommender, profile, k, listing->scorer))
		return true;
	RecsysGraphVisitRows(&listing->reader, profile->items, profile->nevidence, add_row, &sum);
	if (listing->prior != NULL)
		RecsysScorerAdd(listing->scorer, 1.0, listing->prior->items, listing->prior->scores,
						listing->prior->count);
	return false;
}

/* The best of the items scored, at most n of them. */
static int
best_items(Listing *listing, int n, RecsysScored **best)
{
	RecsysItemOrder *items = RecsysItemOrderCreate(listing->recommender->index, listing->nitems);
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	MemoryContext old;
	int			count = Min(n, RecsysScorerCandidates(listing->scorer));

	*best = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(count, 1));

	/* what the scorer allocates lives as long as the scorer */
	old = MemoryContextSwitchTo(scorer_context);
	count = RecsysScorerTop(listing->scorer, count, &order, *best);
	MemoryContextSwitchTo(old);
	RecsysItemOrderFree(items);
	return count;
}

/*
 * The k best that are offered.  How old an item is stands in its row, and only rows of
 * items that would be listed are read: if too few of them are offered, those behind them.
 */
static int
select_items(Listing *listing, int k, RecsysScored **best)
{
	bool		by_factors = score_items(listing, k);

	for (int most = k;; most = most > PG_INT32_MAX / 4 ? PG_INT32_MAX : most * 4)
	{
		int			count;
		int			kept = 0;

		if (by_factors && most > k)
		{
			RecsysScorerReset(listing->scorer, listing->nitems);
			(void) score_items(listing, most);
		}
		count = best_items(listing, most, best);
		for (int i = 0; i < count && kept < k; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (is_offered(&listing->offer, &listing->reader, (*best)[i].item))
				(*best)[kept++] = (*best)[i];
		}
		if (kept == k || count < most)
			return kept;
		pfree(*best);
	}
}

static void
init_listing(Listing *listing, RecsysRecommender *recommender)
{
	const RecsysMetaData *meta = &RecsysGetCache(recommender->index)->meta;

	listing->recommender = recommender;
	listing->nitems = RecsysItemCount(recommender->index);
	if (meta->prior == InvalidBlockNumber)
		return;
	listing->prior = palloc(sizeof(RecsysPrior));
	(void) RecsysReadPrior(recommender->index, listing->prior);
	listing->offer.max_age = meta->options.item_max_age;
	listing->offer.latest = listing->prior->latest;
}

void
RecsysPutRecommendations(RecsysRecommender *recommender, RecsysAnswer *answer,
						 const RecsysProfile *profile, int k, bool exclude_seen)
{
	Listing		listing = {0};
	uint32		highest = 0;
	RecsysScored *best;
	int			count;

	init_listing(&listing, recommender);
	for (int i = 0; i < profile->nseen; i++)
		highest = Max(highest, profile->seen[i].item);
	if (profile->nseen > 0 && highest >= listing.nitems)
		RecsysNoItem(recommender->index, highest);

	listing.profile = profile;
	listing.exclude_seen = exclude_seen;
	listing.scorer = acquire_scorer(listing.nitems);
	RecsysGraphReaderInit(&listing.reader, recommender->index);
	count = select_items(&listing, k, &best);
	if (count > 0)
	{
		/* without evidence it is but the prior that speaks for them */
		Datum		source = PointerGetDatum(cstring_to_text(profile->nevidence > 0 ?
															 "history" : "popular"));

		for (int i = 0; i < count; i++)
			put_recommendation(answer, &listing.reader, best[i].item, best[i].score, source, i + 1);
	}
	if (count < k)
		fill_with_popular(&listing, answer, count, k);

	RecsysGraphReaderDone(&listing.reader);
	release_scorer(listing.nitems);
}
