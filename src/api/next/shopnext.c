/*
 * shopnext.c
 *	  next_basket() by a declared recommender.
 *
 * The funnel's list, with the repeats among its candidates.  Baskets are those of the first signal,
 * whose items weigh as evidence what they do as repeats; what the other signals and the content
 * have to say of discoveries stays as it is.  Where the shop says what is repeatable, other items
 * that the user has come up no more than in its other lists.
 */
#include "postgres.h"

#include "am/graph/popular_page.h"
#include "api/next/mixedlist.h"
#include "api/next/repeatscores.h"
#include "api/next/shopbaskets.h"
#include "api/next/shopnext.h"
#include "api/serve/shoplist.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Where candidates come from */
typedef struct NextSource
{
	RecsysShopBaskets shop;
	RecsysRepeats repeats;
	RecsysScores *scores;
	RecsysMixSource way;
	RecsysMixing mixing;
	RecsysScored *mixed;		/* as they have been asked for */
	int			nmixed;
	bool		is_complete;	/* there are no more */
} NextSource;

static int
best_of_shop(void *arg, int n, const RecsysScored **best)
{
	return RecsysScoresBest(((NextSource *) arg)->scores, n, false, best);
}

static double
graph_of_shop(void *arg, uint32 slot)
{
	return RecsysScoresOf(((NextSource *) arg)->scores, slot);
}

/* What the user has, and may not have again, is barred when its row is read. */
static bool
shop_offers(void *arg, uint32 slot)
{
	NextSource *source = arg;

	return RecsysScoresOf(source->scores, slot) >= 0 &&
		!RecsysItemIsTooOld(source->shop.profile, slot);
}

static double
boost_of_shop(void *arg, uint32 slot)
{
	return RecsysFunnelBoost(((NextSource *) arg)->shop.funnel, slot);
}

/*
 * The best of those that are not promoted, and of those that are whatever their promotions: these
 * multiply what is listed and do not change what the best is.
 */
static void
find_best_graph(NextSource *source)
{
	const RecsysScored *best;
	int			n = best_of_shop(source, 1 + RecsysFunnelPromotions(source->shop.funnel), &best);

	for (int x = 0; x < n; x++)
		source->mixing.best_graph = Max(source->mixing.best_graph,
										best[x].score / boost_of_shop(source, best[x].item));
}

static void
take_repeats(NextSource *source)
{
	const RecsysShopBaskets *shop = &source->shop;
	Size		n = Max(source->repeats.count, 1);
	uint32	   *slots = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * n);
	double	   *scores = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * n);

	for (int x = 0; x < source->repeats.count; x++)
		if (RecsysShopBasketOffers(shop, x))
		{
			slots[source->mixing.nrepeats] = shop->slots[x];
			scores[source->mixing.nrepeats++] = source->repeats.scores[x];
		}
	source->mixing.repeats = slots;
	source->mixing.repeat_scores = scores;
}

/* The most popular items of the first signal */
static void
take_popular(NextSource *source)
{
	Relation	index = source->shop.events->index;
	RecsysItemMap *map = source->shop.profile->evidence[0].map;
	RecsysGraphReader reader;
	uint32	   *popular;
	int			n;

	if (!(source->repeats.options.popular > 0))
		return;
	popular = RecsysReadPopular(index, &n);
	n = Min(n, RECSYS_NEXT_BASKET_POPULAR);
	RecsysGraphReaderInit(&reader, index);
	for (int x = 0; x < n; x++)
		popular[x] = RecsysMapSlot(map, &reader, popular[x]);
	RecsysGraphReaderDone(&reader);
	source->mixing.popular = popular;
	source->mixing.npopular = n;
}

/* A RecsysCandidateSource */
static int
next_mixed(void *arg, int n, const RecsysScored **best)
{
	NextSource *source = arg;

	if (n > source->nmixed && !source->is_complete)
	{
		if (source->mixed != NULL)
			pfree(source->mixed);
		source->nmixed = RecsysMixBest(&source->mixing, &source->way, n, &source->mixed);
		source->is_complete = source->nmixed < n;
	}
	*best = source->mixed;
	return Min(n, source->nmixed);
}

/* The first signal's items as evidence; they are those of the history, in another order at most. */
static void
weigh_evidence(NextSource *source)
{
	RecsysEvidence *evidence = &source->shop.profile->evidence[0];

	evidence->count = source->repeats.count;
	evidence->items = source->repeats.items;
	evidence->slots = source->shop.slots;
	evidence->weights = source->repeats.weights;
	source->shop.profile->has_history = true;
}

/* Discoveries are what the user has not; repeats are barred only if the shop says so. */
static void
score(NextSource *source)
{
	RecsysShopBaskets *shop = &source->shop;
	RecsysShopProfile *profile = shop->profile;
	bool		only_repeatable = profile->shop->definition->repeatable != NULL;
	int			nwith;
	int			nwithout;
	uint32	   *with = RecsysSeenWithHistory(shop, &nwith);
	uint32	   *without = RecsysSeenWithoutHistory(shop, &nwithout);

	profile->seen = only_repeatable ? shop->slots : with;
	profile->nseen = only_repeatable ? (int) shop->baskets.history.nitems : nwith;
	RecsysFunnelScore(shop->funnel);
	profile->seen = only_repeatable ? with : without;
	profile->nseen = only_repeatable ? nwith : nwithout;
}

static void
put_list(RecsysAnswer *answer, const RecsysShopBaskets *shop, const RecsysListed *rows, int n)
{
	const RecsysScores *scores = RecsysFunnelScores(shop->funnel);

	for (int x = 0; x < n; x++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};
		const char *from = rows[x].source;

		if (RecsysShopBasketPlace(shop, rows[x].scored) >= 0)
			from = "repeat";
		else if (strcmp(from, "history") == 0 && !(RecsysScoresOf(scores, rows[x].scored) > 0))
			from = "popular";
		values[0] = RecsysShopItem(answer, shop->funnel, rows[x].slot);
		values[1] = Float4GetDatum((float) rows[x].score);
		values[2] = CStringGetTextDatum(from);
		values[3] = Int32GetDatum(x + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
}

/* The list of who has a history */
static int
list_mixed(NextSource *source, const char *declared, int k, const RecsysListed **rows)
{
	RecsysShopBaskets *shop = &source->shop;

	RecsysScoreRepeats(shop->events, declared, &shop->baskets, shop->facts, &source->repeats);
	weigh_evidence(source);
	score(source);
	source->scores = RecsysFunnelScores(shop->funnel);
	source->way = (RecsysMixSource)
	{
		source, best_of_shop, graph_of_shop, shop_offers, boost_of_shop,
			Max(shop->profile->shop->definition->promotion_limit, 1), RecsysCatalogueOrder(shop->profile->catalogue)
	};
	source->mixing.options = &source->repeats.options;
	find_best_graph(source);
	take_repeats(source);
	take_popular(source);
	return RecsysFunnelChoose(shop->funnel, next_mixed, source, RECSYS_STAND_IN_ANYTHING, k, rows);
}

void
RecsysShopNextBasket(RecsysAnswer *answer, RecsysShop *definition, const RecsysNextCall *call)
{
	NextSource	source = {0};
	RecsysShopBaskets *shop = &source.shop;
	const RecsysListed *rows;
	int			n;

	RecsysOpenShopBaskets(definition, call, shop);
	if (shop->baskets.history.nitems > 0)
		n = list_mixed(&source, definition->declared == NULL ? NULL : definition->definition->name, call->k,
					   &rows);
	else
	{
		RecsysFunnelScore(shop->funnel);
		n = RecsysFunnelList(shop->funnel, call->k, &rows);
	}
	put_list(answer, shop, rows, n);
	RecsysFunnelClose(shop->funnel);
}
