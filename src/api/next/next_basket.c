/*
 * next_basket.c
 *	  next_basket(): what a user's next basket will hold, repeats and discoveries in one list.
 *
 * Repeats are the items of the user's history, scored by the user's own baskets and by when they
 * are due.  Discoveries come from the item graph, or from factors, with the repeat scores as the
 * weights of the user's items.  core/sequence/nextbasket.h says how the two are mixed, and what
 * popularity counts; the other items stand behind both, by their users.  Without a history it is the
 * list of recommend().
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "api/next/mixedlist.h"
#include "api/next/nextcall.h"
#include "api/next/repeatscores.h"
#include "api/next/shopnext.h"
#include "api/next/userbaskets.h"
#include "api/scoring/listing.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_next_basket);
PG_FUNCTION_INFO_V1(recsys_next_basket_typed);
PG_FUNCTION_INFO_V1(recsys_next_basket_text);

/* An index as what a list is mixed from */
typedef struct IndexSource
{
	RecsysListing listing;
	RecsysScored *best;			/* as they have been asked for; NULL: not yet */
	int			nbest;
} IndexSource;

static int
best_of_index(void *arg, int n, const RecsysScored **best)
{
	IndexSource *source = arg;

	if (source->best == NULL)
		source->nbest = RecsysListingBestScored(&source->listing, n, &source->best);
	*best = source->best;
	return Min(n, source->nbest);
}

static double
graph_of_index(void *arg, uint32 item)
{
	return RecsysScorerScore(((IndexSource *) arg)->listing.scorer, item);
}

static bool
index_offers(void *arg, uint32 item)
{
	IndexSource *source = arg;

	return !RecsysScorerIsExcluded(source->listing.scorer, item) &&
		RecsysListingOffersItem(&source->listing, item);
}

static double
no_boost(void *arg, uint32 item)
{
	return 1;
}

/* The repeats that are offered */
static void
take_repeats(const IndexSource *source, const RecsysBasketItemFacts *facts, const RecsysRepeats *repeats,
			 RecsysMixing *mixing)
{
	Size		n = Max(repeats->count, 1);
	uint32	   *items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * n);
	double	   *scores = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * n);

	for (int x = 0; x < repeats->count; x++)
		if (RecsysListingOffers(&source->listing, facts[x].latest))
		{
			items[mixing->nrepeats] = repeats->items[x];
			scores[mixing->nrepeats++] = repeats->scores[x];
		}
	mixing->repeats = items;
	mixing->repeat_scores = scores;
}

/* Everything is scored; returns how many of k there are. */
static int
mix(IndexSource *source, const RecsysBasketItemFacts *facts, const RecsysRepeats *repeats, int k,
	RecsysScored **list)
{
	Relation	index = source->listing.recommender->index;
	RecsysItemOrder *items = RecsysItemOrderCreate(index, source->listing.nitems);
	RecsysMixSource way = {source, best_of_index, graph_of_index, index_offers, no_boost, 1,
	RecsysItemOrderForCore(items)};
	RecsysMixing mixing = {.options = &repeats->options};
	const RecsysScored *best;
	int			count;

	take_repeats(source, facts, repeats, &mixing);
	if (best_of_index(source, k, &best) > 0)
		mixing.best_graph = best[0].score;
	mixing.popular = RecsysReadPopular(index, &count);
	mixing.npopular = Min(count, RECSYS_NEXT_BASKET_POPULAR);
	count = RecsysMixBest(&mixing, &way, k, list);
	RecsysItemOrderFree(items);
	return count;
}

/* What is listed without anything of the user's that speaks for it is not listed again below. */
static void
put_mixed(RecsysListing *listing, RecsysAnswer *answer, const RecsysBasketHistory *history,
		  const RecsysScored *list, int n)
{
	Datum		repeat = PointerGetDatum(cstring_to_text("repeat"));
	Datum		discovery = PointerGetDatum(cstring_to_text("history"));
	Datum		popular = PointerGetDatum(cstring_to_text("popular"));

	for (int x = 0; x < n; x++)
	{
		uint32		item = list[x].item;

		if (RecsysFindBasketItem(history, item) >= 0)
			RecsysListingPut(listing, answer, &list[x], repeat, x + 1);
		else if (RecsysScorerIsCandidate(listing->scorer, item))
			RecsysListingPut(listing, answer, &list[x], discovery, x + 1);
		else
		{
			RecsysListingPut(listing, answer, &list[x], popular, x + 1);
			RecsysScorerExclude(listing->scorer, item);
		}
	}
}

static void
next_by_index(RecsysAnswer *answer, RecsysRecommender *index, const RecsysNextCall *call)
{
	RecsysUserBaskets baskets;
	RecsysBasketItemFacts *facts;
	RecsysItemNeighbors *neighbors;
	RecsysRepeats repeats;
	RecsysProfile profile = {0};
	IndexSource source = {0};
	RecsysScored *list;
	int			n;

	RecsysReadUserBaskets(index, call->user, call->at, &baskets);
	profile.seen = baskets.seen;
	profile.nseen = baskets.nseen;
	if (baskets.history.nitems == 0)
	{
		RecsysPutRecommendations(index, answer, &profile, call->k, true);
		return;
	}
	facts = RecsysReadBasketFacts(index, &baskets, &neighbors);
	RecsysScoreRepeats(index, NULL, &baskets, facts, &repeats);
	profile.nevidence = repeats.count;
	profile.items = repeats.items;
	profile.weights = repeats.weights;

	RecsysListingBegin(&source.listing, index);
	RecsysListingSeen(&source.listing, baskets.seen, baskets.nseen, true);
	RecsysListingScore(&source.listing, &profile, neighbors);
	n = mix(&source, facts, &repeats, call->k, &list);
	put_mixed(&source.listing, answer, &baskets.history, list, n);
	RecsysListingFill(&source.listing, answer, n, call->k);
	RecsysListingEnd(&source.listing);
}

static const RecsysNextWays next_ways = {next_by_index, RecsysShopNextBasket, false};

Datum
recsys_next_basket(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {3, 4}, &next_ways);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_next_basket_typed(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {4, 5}, &next_ways);
	return (Datum) 0;
}

/* As of recommend: what comes without types, and NULL::text as the type of the items */
Datum
recsys_next_basket_text(PG_FUNCTION_ARGS)
{
	RecsysServeNextText(fcinfo, &next_ways);
	return (Datum) 0;
}
