/*
 * listing.c
 *	  An index's list: items scored for a profile, the best of those that are offered, and
 *	  popular ones behind them.
 *
 * Where the index has factors, scores come from those (factorserving.c), else from the item
 * graph, with the prior (core/pairs/prior.h) added.  Items that nobody has taken for item_max_age
 * before the latest time of the index are passed over.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "api/scoring/factorserving.h"
#include "api/scoring/listing.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

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

void
RecsysListingPut(RecsysListing *listing, RecsysAnswer *answer, const RecsysScored *item, Datum source,
				 int rank)
{
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};

	values[0] = RecsysAnswerItem(answer, &listing->reader, item->item);
	values[1] = Float4GetDatum(item->score);
	values[2] = source;
	values[3] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

int64
RecsysItemMaxAge(Relation index, int64 *latest)
{
	const RecsysMetaData *meta = &RecsysGetCache(index)->meta;
	int64		max_age = meta->options.item_max_age;
	RecsysPrior *prior;

	if (meta->prior == InvalidBlockNumber || max_age == 0)
		return 0;
	prior = palloc(sizeof(RecsysPrior));
	(void) RecsysReadPrior(index, prior);
	*latest = prior->latest;
	pfree(prior);
	return max_age;
}

bool
RecsysListingOffers(const RecsysListing *listing, int64 latest)
{
	return listing->max_age == 0 || RecsysIsWithinAge(latest, listing->latest, listing->max_age);
}

bool
RecsysListingOffersItem(RecsysListing *listing, uint32 item)
{
	return listing->max_age == 0 ||
		RecsysListingOffers(listing, RecsysGraphNeedLatest(&listing->reader, item));
}

/* Puts one of the items that have no score of their own, if it may stand there. */
static bool
put_popular(RecsysListing *listing, RecsysAnswer *answer, uint32 item, Datum source, int rank)
{
	RecsysScored popular = {item, 0};

	if (RecsysScorerIsExcluded(listing->scorer, item) ||
		RecsysScorerIsCandidate(listing->scorer, item) || !RecsysListingOffersItem(listing, item))
		return false;
	RecsysListingPut(listing, answer, &popular, source, rank);
	return true;
}

/*
 * Candidates are listed already, and excluded ones stay out.  The score is 0, as the user has
 * nothing that speaks for these items.  A number of buyers would be on another scale and could
 * exceed the scores above.
 */
void
RecsysListingFill(RecsysListing *listing, RecsysAnswer *answer, int rank, int k)
{
	Relation	index = listing->recommender->index;
	Datum		source = PointerGetDatum(cstring_to_text("popular"));
	int			nshort;
	uint32	   *items;
	uint32		nall;

	if (rank >= k)
		return;
	items = RecsysReadPopular(index, &nshort);
	nall = nshort;
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
add_row(void *arg, int position, RecsysStoredRow row)
{
	ScoreSum   *sum = arg;
	uint32		peers[RECSYS_MAX_STORED];

	if (likely(RecsysStoredIsNarrow(row)))
	{
		RecsysScorerAddNarrow(sum->scorer, sum->weights[position], RecsysStoredNarrowPeers(row),
							  RecsysStoredScores(row), row->nneighbors);
		return;
	}
	RecsysStoredPeers(row, peers);
	RecsysScorerAdd(sum->scorer, sum->weights[position], peers, RecsysStoredScores(row),
					row->nneighbors);
}

/*
 * May rows be added in any order?  With weights that are all 1 sums are exact: scores have 24 bits,
 * sums 53, so that a thousand scores may differ by a factor of half a million.  Other products have
 * been rounded, and so are their sums: in the order of the history, as wherever else lists are made.
 */
static bool
sums_are_exact(const RecsysProfile *profile)
{
	bool		exact = true;

	for (int i = 0; i < profile->nevidence; i++)
		exact &= profile->weights[i] == 1.0;
	return exact;
}

static void
add_neighbors(RecsysListing *listing, const RecsysProfile *profile, const RecsysItemNeighbors *neighbors)
{
	ScoreSum	sum = {listing->scorer, profile->weights};

	if (neighbors == NULL)
	{
		RecsysScorerExpect(listing->scorer, profile->nevidence);
		(sums_are_exact(profile) ? RecsysGraphVisitByPage : RecsysGraphVisitStored)
			(&listing->reader, profile->items, profile->nevidence, add_row, &sum);
	}
	else
		for (int i = 0; i < profile->nevidence; i++)
			RecsysScorerAdd(listing->scorer, profile->weights[i], neighbors[i].items,
							neighbors[i].scores, neighbors[i].count);
}

/* Scores at least the k best items, all of them unless it is done by factors. */
static bool
score_items(RecsysListing *listing, const RecsysProfile *profile, const RecsysItemNeighbors *neighbors,
			int k)
{
	for (int i = 0; i < listing->nexcluded; i++)
		RecsysScorerExclude(listing->scorer, listing->excluded[i].item);
	if (RecsysScoreByFactors(listing->recommender, profile, k, listing->scorer))
		return true;
	add_neighbors(listing, profile, neighbors);
	if (listing->prior != NULL)
		RecsysScorerAdd(listing->scorer, 1.0, listing->prior->items, listing->prior->scores,
						listing->prior->count);
	return false;
}

void
RecsysListingScore(RecsysListing *listing, const RecsysProfile *profile,
				   const RecsysItemNeighbors *neighbors)
{
	(void) score_items(listing, profile, neighbors, PG_INT32_MAX);
}

/* The best of the items scored, at most n of them. */
static int
best_items(RecsysListing *listing, int n, RecsysScored **best)
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

/* Leaves those of n items that are offered, at most k; returns how many. */
static int
keep_offered(RecsysListing *listing, RecsysScored *best, int n, int k)
{
	int			kept = 0;

	for (int i = 0; i < n && kept < k; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (RecsysListingOffersItem(listing, best[i].item))
			best[kept++] = best[i];
	}
	return kept;
}

/*
 * How old an item is stands in its row, and only rows of items that would be listed are read: if
 * too few of them are offered, those behind them.  What is scored by factors is scored again then,
 * for profile; NULL: all scores are there.
 */
static int
best_offered(RecsysListing *listing, const RecsysProfile *profile, int k, RecsysScored **best)
{
	for (int most = k;; most = most > PG_INT32_MAX / 4 ? PG_INT32_MAX : most * 4)
	{
		int			count;
		int			kept;

		if (profile != NULL && most > k)
		{
			RecsysScorerReset(listing->scorer, listing->nitems);
			(void) score_items(listing, profile, NULL, most);
		}
		count = best_items(listing, most, best);
		kept = keep_offered(listing, *best, count, k);
		if (kept == k || count < most)
			return kept;
		pfree(*best);
	}
}

int
RecsysListingBest(RecsysListing *listing, const RecsysProfile *profile, int k, RecsysScored **best)
{
	bool		by_factors = score_items(listing, profile, NULL, k);

	return best_offered(listing, by_factors ? profile : NULL, k, best);
}

int
RecsysListingBestScored(RecsysListing *listing, int k, RecsysScored **best)
{
	return best_offered(listing, NULL, k, best);
}

void
RecsysListingSeen(RecsysListing *listing, const RecsysInteraction *rows, int n, bool exclude)
{
	uint32		highest = 0;

	for (int i = 0; i < n; i++)
		highest = Max(highest, rows[i].item);
	if (n > 0 && highest >= listing->nitems)
		RecsysNoItem(listing->recommender->index, highest);
	listing->excluded = rows;
	listing->nexcluded = exclude ? n : 0;
}

void
RecsysListingBegin(RecsysListing *listing, RecsysRecommender *recommender)
{
	const RecsysMetaData *meta = &RecsysGetCache(recommender->index)->meta;

	memset(listing, 0, sizeof(*listing));
	listing->recommender = recommender;
	listing->nitems = RecsysItemCount(recommender->index);
	if (meta->prior != InvalidBlockNumber)
	{
		listing->prior = palloc(sizeof(RecsysPrior));
		(void) RecsysReadPrior(recommender->index, listing->prior);
		listing->max_age = meta->options.item_max_age;
		listing->latest = listing->prior->latest;
	}
	listing->scorer = acquire_scorer(listing->nitems);
	RecsysGraphReaderInit(&listing->reader, recommender->index);
	RecsysGraphReaderRemember(&listing->reader);
}

void
RecsysListingEnd(RecsysListing *listing)
{
	RecsysGraphReaderDone(&listing->reader);
	release_scorer(listing->nitems);
}
