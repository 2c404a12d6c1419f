/*
 * buy_again.c
 *	  buy_again(): what a user has had and will want again, and when.
 *
 * Items of the user's history, by the probability that they come with the user's next basket
 * (core/sequence/renewal.h).  What hardly anybody buys a second time is left out: a list of
 * televisions that have been bought helps nobody.  A list shorter than k is no error.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/next/nextcall.h"
#include "api/next/shopbaskets.h"
#include "api/next/userbaskets.h"
#include "api/scoring/listing.h"
#include "api/serve/shoplist.h"
#include "core/scoring/scorer.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_buy_again);
PG_FUNCTION_INFO_V1(recsys_buy_again_typed);
PG_FUNCTION_INFO_V1(recsys_buy_again_text);

/* Who buys it again with less than this probability is not asked to. */
#define LEAST_GOES_ON 0.2

static void
put_row(RecsysAnswer *answer, Datum item, double score, const RecsysRecommender *index,
		const RecsysBasketHistory *history, int place, const RecsysRenewal *renewal, int rank)
{
	const RecsysBasketItem *entry = &history->items[place];
	Oid			type = index->columns.time_type;
	Datum		values[6];
	bool		isnull[6] = {false, false, false, false, false, false};

	values[0] = item;
	values[1] = Float4GetDatum((float) score);
	values[2] = Int32GetDatum((int32) entry->count);
	isnull[3] = !RecsysColumnTimestamp(type, history->occasions[entry->first + entry->count - 1].time,
									   &values[3]);
	isnull[4] = !RecsysColumnTimestamp(type, renewal->due_at, &values[4]);
	values[5] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

static void
buy_again_by_index(RecsysAnswer *answer, RecsysRecommender *index, const RecsysNextCall *call)
{
	RecsysUserBaskets baskets;
	RecsysBasketItemFacts *facts;
	RecsysRenewal *renewals;
	RecsysScored *ranked;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	RecsysGraphReader reader;
	int64		latest = RECSYS_NO_TIME;
	int64		max_age = RecsysItemMaxAge(index->index, &latest);
	int			n = 0;

	RecsysReadUserBaskets(index, call->user, call->at, &baskets);
	facts = RecsysReadBasketFacts(index, &baskets, NULL);
	renewals = RecsysEstimateRenewals(index, &baskets, facts);
	ranked = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(RecsysScored) * (Size) Max(baskets.history.nitems, 1));
	for (uint32 x = 0; x < baskets.history.nitems; x++)
		if (renewals[x].goes_on >= LEAST_GOES_ON && RecsysIsWithinAge(facts[x].latest, latest, max_age))
			ranked[n++] = (RecsysScored) {baskets.history.items[x].item, (float) renewals[x].score};
	items = RecsysItemOrderCreate(index->index, RecsysItemCount(index->index));
	order = RecsysItemOrderForCore(items);
	qsort_arg(ranked, n, sizeof(RecsysScored), RecsysCompareScored, &order);
	RecsysItemOrderFree(items);

	RecsysGraphReaderInit(&reader, index->index);
	for (int x = 0; x < Min(n, call->k); x++)
	{
		int			place = RecsysFindBasketItem(&baskets.history, ranked[x].item);

		put_row(answer, RecsysAnswerItem(answer, &reader, ranked[x].item), ranked[x].score, index,
				&baskets.history, place, &renewals[place], x + 1);
	}
	RecsysGraphReaderDone(&reader);
}

/*
 * Candidates by slot, best first.  Where the shop says what is repeatable, that is what may come
 * again, as in its other lists.
 */
static int
rank_for_shop(RecsysShopBaskets *shop, const RecsysRenewal *renewals, RecsysScored **ranked)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(shop->profile->catalogue);
	uint32		nitems = shop->baskets.history.nitems;
	int			n = 0;

	*ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(nitems, 1));
	for (uint32 x = 0; x < nitems; x++)
		if (renewals[x].goes_on >= LEAST_GOES_ON && RecsysShopBasketOffers(shop, (int) x))
			(*ranked)[n++] = (RecsysScored)
		{
			shop->slots[x],
				(float) (renewals[x].score * RecsysFunnelBoost(shop->funnel, shop->slots[x]))
		};
	qsort_arg(*ranked, n, sizeof(RecsysScored), RecsysCompareScored, &order);
	return n;
}

static void
buy_again_by_shop(RecsysAnswer *answer, RecsysShop *definition, const RecsysNextCall *call)
{
	RecsysShopBaskets shop;
	RecsysRenewal *renewals;
	RecsysScored *ranked;
	const RecsysListed *rows;
	int			n;

	RecsysOpenShopBaskets(definition, call, &shop);
	renewals = RecsysEstimateRenewals(shop.events, &shop.baskets, shop.facts);
	n = rank_for_shop(&shop, renewals, &ranked);
	if (definition->definition->repeatable != NULL)
		shop.profile->seen = RecsysSeenWithHistory(&shop, &shop.profile->nseen);
	else
		shop.profile->nseen = 0;
	n = RecsysFunnelRankedSlots(shop.funnel, ranked, n, call->k, &rows);
	for (int x = 0; x < n; x++)
	{
		int			place = RecsysShopBasketPlace(&shop, rows[x].scored);

		put_row(answer, RecsysShopItem(answer, shop.funnel, rows[x].slot), rows[x].score, shop.events,
				&shop.baskets.history, place, &renewals[place], x + 1);
	}
	RecsysFunnelClose(shop.funnel);
}

static const RecsysNextWays buy_again_ways =
{
	buy_again_by_index, buy_again_by_shop,
	gettext_noop("recommender \"%s\" has no time column to tell when something is bought again")
};

Datum
recsys_buy_again(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {3, 4}, &buy_again_ways);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_buy_again_typed(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {4, 5}, &buy_again_ways);
	return (Datum) 0;
}

/* As of recommend: what comes without types, and NULL::text as the type of the items */
Datum
recsys_buy_again_text(PG_FUNCTION_ARGS)
{
	RecsysServeNextText(fcinfo, &buy_again_ways);
	return (Datum) 0;
}
