/*
 * funnel.c
 *	  How a declared recommender makes a list: all stages one after the other.
 *
 *		profile -> scores -> pool of those that may be shown -> order -> list
 *
 * The pool is larger than the list where something is declared by which a lower score may
 * come before a higher one, or take its place.  Rules are applied to the whole pool; if they
 * leave too few, to a larger one, until the list is full or there is nothing left to add.
 *
 * Nothing outlives a call but what the shop keeps: a funnel has a memory context of its own.
 */
#include "postgres.h"

#include "api/here/nodeevents.h"
#include "api/eligible/fallback.h"
#include "api/order/shoporder.h"
#include "api/serve/funnel.h"
#include "api/serve/pool.h"
#include "api/serve/popularrank.h"
#include "api/serve/tireditems.h"
#include "executor/spi.h"
#include "utils/memutils.h"

/*
 * Where rules change the order a list of k is chosen from so many, and of at least so many.  Each
 * of them is looked up in the shop's table, which is most of what a call costs.
 */
#define POOL_FACTOR 3
#define POOL_LEAST 30

/* For each place that is kept for something new so many are drawn, as caps may bar some. */
#define NEW_FOR_PLACE 5

struct RecsysFunnel
{
	RecsysShop *shop;
	MemoryContext context;
	MemoryContext before;		/* the caller's */
	RecsysShopProfile *profile;
	RecsysScores *scores;
	RecsysItems *items;
	RecsysStandIns stand_ins;
	RecsysLabel barred_category;

	uint32	   *promoted;		/* and their boosts */
	double	   *boosts;
	int			npromoted;
	RecsysTiredItems tired;
};

/* Items that are ranked already */
typedef struct RankedItems
{
	RecsysScored *ranked;
	int			count;
} RankedItems;

static int
next_ranked(void *arg, int n, const RecsysScored **best)
{
	RankedItems *items = arg;

	*best = items->ranked;
	return Min(n, items->count);
}

static int
next_scored(void *arg, int n, const RecsysScored **best)
{
	RecsysFunnel *funnel = arg;

	/* whether an item may come again is known when its row has been read */
	return RecsysScoresBest(funnel->scores, n, funnel->shop->definition->repeatable != NULL, best);
}

static RecsysFunnel *
begin(RecsysShop *shop)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys funnel",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysFunnel *funnel = MemoryContextAllocZero(context, sizeof(RecsysFunnel));

	funnel->shop = shop;
	funnel->context = context;
	funnel->before = CurrentMemoryContext;
	RecsysUseShop(shop);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(context);
	return funnel;
}

static void
find_promotions(RecsysFunnel *funnel)
{
	if (funnel->shop->definition->promotions != NULL)
		funnel->npromoted = RecsysItemsPromotions(funnel->items, &funnel->promoted, &funnel->boosts);
}

static void
read_profile(RecsysFunnel *funnel, const RecsysKey *user, const RecsysContext *request,
			 bool exclude_seen, const int64 *half_life)
{
	funnel->profile = RecsysShopProfileRead(funnel->shop, user, request, exclude_seen, half_life,
											funnel->context);
	funnel->items = RecsysItemsBegin(funnel->profile);
	find_promotions(funnel);
}

static void
apply_promotions(RecsysFunnel *funnel)
{
	for (int i = 0; i < funnel->npromoted; i++)
		RecsysScoresBoost(funnel->scores, funnel->promoted[i], funnel->boosts[i]);
}

/* What is pushed down stays where it is. */
static void
apply_fatigue(RecsysFunnel *funnel, const RecsysKey *user)
{
	RecsysReadTiredItems(funnel->profile, user, &funnel->tired);
	for (int i = 0; i < funnel->tired.count; i++)
		if (RecsysScoresOf(funnel->scores, funnel->tired.slots[i]) > 0)
			RecsysScoresBoost(funnel->scores, funnel->tired.slots[i], funnel->tired.factors[i]);
}

/* What a call says beside the user: keys are read as the first signal's index has them. */
static RecsysContext *
read_context(RecsysShop *shop, Jsonb *context)
{
	RecsysContext *request;
	RecsysRecommender first;

	if (context == NULL)
		return palloc0(sizeof(RecsysContext));
	(void) RecsysOpenEvents(shop->definition->signals[0].events, &first, NULL, NULL);
	request = RecsysContextRead(context, first.columns.item_type);
	RecsysCloseRecommender(&first);
	return request;
}

RecsysFunnel *
RecsysFunnelOpen(RecsysShop *shop, const RecsysKey *user, Jsonb *context, bool exclude_seen,
				 const int64 *half_life)
{
	RecsysFunnel *funnel = begin(shop);

	funnel->stand_ins = RECSYS_STAND_IN_ANYTHING;
	read_profile(funnel, user, read_context(shop, context), exclude_seen, half_life);
	funnel->scores = RecsysScoreProfile(funnel->profile);
	apply_promotions(funnel);
	apply_fatigue(funnel, user);
	return funnel;
}

RecsysFunnel *
RecsysFunnelBegin(RecsysShop *shop, const RecsysKey *user, Jsonb *context, const TimestampTz *until)
{
	RecsysFunnel *funnel = begin(shop);
	RecsysContext *request = read_context(shop, context);

	funnel->stand_ins = RECSYS_STAND_IN_ANYTHING;
	request->until = until;
	read_profile(funnel, user, request, true, NULL);
	return funnel;
}

void
RecsysFunnelScore(RecsysFunnel *funnel)
{
	funnel->scores = RecsysScoreProfile(funnel->profile);
	apply_promotions(funnel);
}

RecsysFunnel *
RecsysFunnelBeginItems(RecsysShop *shop, RecsysKey *items, int n, bool exclude)
{
	RecsysFunnel *funnel = begin(shop);
	RecsysContext *request = palloc0(sizeof(RecsysContext));

	funnel->stand_ins = RECSYS_STAND_IN_ANYTHING;
	request->cart = items;
	request->ncart = n;
	read_profile(funnel, NULL, request, true, NULL);
	if (!exclude)
		funnel->profile->nexcluded = 0;
	return funnel;
}

RecsysFunnel *
RecsysFunnelOpenItems(RecsysShop *shop, RecsysKey *items, int n, bool exclude)
{
	RecsysFunnel *funnel = RecsysFunnelBeginItems(shop, items, n, exclude);

	RecsysFunnelScore(funnel);
	return funnel;
}

RecsysFunnel *
RecsysFunnelOpenItem(RecsysShop *shop, const RecsysKey *item, bool beside)
{
	const RecsysDefinition *definition = shop->definition;
	const RecsysSignal *first = &definition->signals[0];
	RecsysFunnel *funnel = begin(shop);
	const char *graph = first->graph != NULL ? first->graph : first->events;
	RecsysItemRow row;
	uint32		slot;

	funnel->stand_ins = beside ? RECSYS_STAND_IN_NOTHING : RECSYS_STAND_IN_NEARBY;
	read_profile(funnel, NULL, palloc0(sizeof(RecsysContext)), true, NULL);

	/* neither the item itself nor one of its group, not even if it may be had again */
	slot = RecsysCatalogueSlot(funnel->profile->catalogue, item);
	funnel->profile->excluded = palloc(sizeof(uint32));
	funnel->profile->excluded[0] = slot;
	funnel->profile->nexcluded = 1;
	if (beside && definition->complements != NULL)
		graph = definition->complements;
	if (beside && definition->category != NULL &&
		RecsysItemsKnown(funnel->items, &slot, 1, &row) == 1)
		funnel->barred_category = row.category;
	funnel->scores = RecsysScoreNeighbors(shop, funnel->profile->context, graph, slot, !beside);
	apply_promotions(funnel);
	return funnel;
}

void
RecsysFunnelClose(RecsysFunnel *funnel)
{
	RecsysShop *shop = funnel->shop;
	MemoryContext before = funnel->before;

	RecsysItemsEnd(funnel->items);
	if (funnel->scores != NULL)
		RecsysScoresFree(funnel->scores);
	RecsysShopProfileClose(funnel->profile);
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(funnel->context);
	RecsysReleaseShop(shop);
}

/* Can a row come before one with a higher score? */
static bool
has_order(const RecsysDefinition *definition)
{
	return definition->diversity > 0 || definition->category_mix > 0 ||
		definition->price_affinity > 0 || definition->seller_rating_sum != NULL;
}

/* Can a row be left out though it passes the filters? */
static bool
has_limits(const RecsysDefinition *definition)
{
	return definition->ncaps > 0 || definition->group_by != NULL;
}

/* How many a list of k is chosen from, at first */
static int64
pool_size(const RecsysFunnel *funnel, int k)
{
	const RecsysDefinition *definition = funnel->shop->definition;

	if (has_order(definition) || (funnel->tired.count > 0 && definition->offer_order != NULL))
		return Max((int64) POOL_FACTOR * k, POOL_LEAST);
	return has_limits(definition) ? (int64) k + k / 2 + 2 : k;
}

static void
add_new(RecsysFunnel *funnel, RecsysPool *pool, int k)
{
	const RecsysDefinition *definition = funnel->shop->definition;

	if (definition->new_item_share > 0)
		RecsysPoolAddNew(pool, NEW_FOR_PLACE * (1 + (int) (Min(k, 1000) * definition->new_item_share)), false);
	if (definition->new_seller_share > 0)
		RecsysPoolAddNew(pool, NEW_FOR_PLACE * (1 + (int) (Min(k, 1000) * definition->new_seller_share)), true);
}

/* An offer that was shown in vain loses, though the score is of another one of its group. */
static void
damp_offers(RecsysFunnel *funnel, const RecsysPool *pool, double *scores)
{
	for (int i = 0; i < pool->count && funnel->tired.count > 0; i++)
		if (pool->rows[i].slot != pool->scored[i] && scores[i] > 0)
			scores[i] *= RecsysFunnelFatigue(funnel, pool->rows[i].slot, pool->scored[i]) /
				RecsysTiredFactor(&funnel->tired, pool->scored[i]);
}

/* Chooses from the pool, which grows until the list is full or nothing is left. */
static int
choose(RecsysFunnel *funnel, RecsysPool *pool, int k, const RecsysListed **listed)
{
	int64		want = Min(pool_size(funnel, k), PG_INT32_MAX / 2);
	RecsysListed *rows;
	double	   *scores;
	int		   *chosen;
	int			count;

	for (bool first = true;; first = false)
	{
		bool		grown = RecsysPoolGrow(pool, (int) want, k);

		if (first && pool->stand_ins == RECSYS_STAND_IN_ANYTHING)
			add_new(funnel, pool, k);
		scores = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (Size) Max(pool->count, 1));
		if (pool->count > 0)
			memcpy(scores, pool->scores, sizeof(double) * (Size) pool->count);
		damp_offers(funnel, pool, scores);
		chosen = MemoryContextAllocHuge(CurrentMemoryContext,
										sizeof(int) * (Size) Max(Min(k, pool->count), 1));
		count = RecsysOrderRows(funnel->profile, funnel->items, pool->rows, scores, pool->count,
								Min(k, pool->count), !grown, chosen);
		if (count == k || !grown)
			break;
		pfree(scores);
		pfree(chosen);
		want = Min(want * 4, PG_INT32_MAX / 2);
	}

	rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysListed) * (Size) Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		rows[i].slot = pool->rows[chosen[i]].slot;
		rows[i].scored = pool->scored[chosen[i]];
		rows[i].score = scores[chosen[i]];
		rows[i].base = pool->scores[chosen[i]];
		rows[i].source = pool->sources[chosen[i]];
		rows[i].detail = pool->details[chosen[i]] == NULL ? NULL :
			pstrdup(pool->details[chosen[i]]);
	}
	*listed = rows;
	RecsysPoolFree(pool);
	return count;
}

int
RecsysFunnelList(RecsysFunnel *funnel, int k, const RecsysListed **rows)
{
	RecsysPool *pool = RecsysPoolCreate(funnel->profile, funnel->items, next_scored, funnel,
										funnel->scores, funnel->stand_ins);

	pool->barred_category = funnel->barred_category;
	pool->tired = &funnel->tired;
	return choose(funnel, pool, k, rows);
}

/* From what is ranked, with nothing standing in when that is used up */
static int
choose_ranked(RecsysFunnel *funnel, RecsysCandidateSource source, void *ranking, int k,
			  const RecsysListed **rows)
{
	return choose(funnel, RecsysPoolCreate(funnel->profile, funnel->items, source, ranking, NULL,
										   RECSYS_STAND_IN_NOTHING),
				  k, rows);
}

static int
popular_in_segment(RecsysFunnel *funnel, const char *segment, int k, const RecsysListed **rows)
{
	RankedItems items;
	uint32	   *slots;
	int64	   *users;

	items.count = RecsysPopularInSegment(funnel->profile, segment, PG_INT32_MAX, &slots, &users);
	items.ranked = palloc(sizeof(RecsysScored) * Max(items.count, 1));
	for (int i = 0; i < items.count; i++)
	{
		items.ranked[i].item = slots[i];
		items.ranked[i].score = (float) users[i];
	}
	return choose_ranked(funnel, next_ranked, &items, k, rows);
}

int
RecsysFunnelPopular(RecsysFunnel *funnel, const char *segment, int k, const RecsysListed **rows)
{
	RecsysRanking ranking;
	RecsysRecommender first;
	int			count;

	if (segment != NULL)
		return popular_in_segment(funnel, segment, k, rows);
	(void) RecsysOpenEvents(funnel->shop->definition->signals[0].events, &first, NULL, NULL);
	RecsysRankingBegin(&ranking, funnel->profile, first.index);
	count = choose_ranked(funnel, RecsysRankingNext, &ranking, k, rows);
	RecsysRankingEnd(&ranking);
	RecsysCloseRecommender(&first);
	return count;
}

int
RecsysFunnelChoose(RecsysFunnel *funnel, RecsysCandidateSource source, void *arg,
				   RecsysStandIns stand_ins, int k, const RecsysListed **rows)
{
	return choose(funnel, RecsysPoolCreate(funnel->profile, funnel->items, source, arg, funnel->scores,
										   stand_ins),
				  k, rows);
}

int
RecsysFunnelRankedSlots(RecsysFunnel *funnel, RecsysScored *ranked, int n, int k, const RecsysListed **rows)
{
	RankedItems items = {ranked, n};

	return choose_ranked(funnel, next_ranked, &items, k, rows);
}

/* Slots of items of the first signal's index */
static void
map_ranked(RecsysFunnel *funnel, const RecsysScored *ranked, int n, RankedItems *items)
{
	RecsysRecommender first;
	RecsysGraphReader reader;
	RecsysItemMap *map;

	(void) RecsysOpenEvents(funnel->shop->definition->signals[0].events, &first, NULL, NULL);
	map = RecsysCatalogueMap(funnel->profile->catalogue, first.index);
	items->count = n;
	items->ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(n, 1));
	RecsysGraphReaderInit(&reader, first.index);
	for (int i = 0; i < n; i++)
	{
		items->ranked[i].item = RecsysMapSlot(map, &reader, ranked[i].item);
		items->ranked[i].score = ranked[i].score;
	}
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&first);
}

int
RecsysFunnelRanked(RecsysFunnel *funnel, const RecsysScored *ranked, int n, int k,
				   const RecsysListed **rows)
{
	RankedItems items;

	map_ranked(funnel, ranked, n, &items);
	return choose_ranked(funnel, next_ranked, &items, k, rows);
}

int
RecsysFunnelRankedFirst(RecsysFunnel *funnel, const RecsysScored *ranked, int n, int k,
						const RecsysListed **rows)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(funnel->profile->catalogue);
	RankedItems items;

	map_ranked(funnel, ranked, n, &items);
	if (funnel->npromoted > 0)
	{
		for (int i = 0; i < n; i++)
			items.ranked[i].score *= (float) RecsysFunnelBoost(funnel, items.ranked[i].item);
		qsort_arg(items.ranked, n, sizeof(RecsysScored), RecsysCompareScored, &order);
	}
	return RecsysFunnelChoose(funnel, next_ranked, &items, RECSYS_STAND_IN_ANYTHING, k, rows);
}

RecsysShopProfile *
RecsysFunnelProfile(RecsysFunnel *funnel)
{
	return funnel->profile;
}

RecsysScores *
RecsysFunnelScores(RecsysFunnel *funnel)
{
	return funnel->scores;
}

RecsysItems *
RecsysFunnelItems(RecsysFunnel *funnel)
{
	return funnel->items;
}

int
RecsysFunnelPromotions(RecsysFunnel *funnel)
{
	return funnel->npromoted;
}

double
RecsysFunnelBoost(RecsysFunnel *funnel, uint32 slot)
{
	for (int i = 0; i < funnel->npromoted; i++)
		if (funnel->promoted[i] == slot)
			return funnel->boosts[i];
	return 1.0;
}

double
RecsysFunnelFatigue(RecsysFunnel *funnel, uint32 slot, uint32 scored)
{
	return Min(RecsysTiredFactor(&funnel->tired, slot), RecsysTiredFactor(&funnel->tired, scored));
}
