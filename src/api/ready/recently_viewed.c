/*
 * recently_viewed.c
 *	  recently_viewed(): what a user had last.
 *
 * The items of the user's list in the index, latest first, each once, with how often; what has
 * been taken back is not among them.  A declared recommender shows of them what may be shown.
 */
#include "postgres.h"

#include "api/next/nextcall.h"
#include "api/next/shopbaskets.h"
#include "api/next/userbaskets.h"
#include "api/serve/shoplist.h"
#include "catalog/pg_type.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_recently_viewed);
PG_FUNCTION_INFO_V1(recsys_recently_viewed_typed);

static int64
last_time(const RecsysBasketHistory *history, int place)
{
	const RecsysBasketItem *item = &history->items[place];

	return history->occasions[item->first + item->count - 1].time;
}

static void
put_viewed(RecsysAnswer *answer, Datum item, const RecsysRecommender *index,
		   const RecsysBasketHistory *history, int place, int rank)
{
	int64		time = last_time(history, place);
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};

	values[0] = item;
	isnull[1] = !RecsysColumnTimestamp(index->columns.time_type, time, &values[1]);
	values[2] = Int32GetDatum((int32) history->items[place].count);
	values[3] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

/* Latest first; those of one time as they stand in the history, which is by item */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const RecsysBasketHistory *history = arg;
	int			left = *(const int *) a;
	int			right = *(const int *) b;
	int64		left_time = last_time(history, left);
	int64		right_time = last_time(history, right);

	if (left_time != right_time)
		return left_time > right_time ? -1 : 1;
	return left - right;
}

static int *
places_by_time(const RecsysBasketHistory *history)
{
	int		   *places = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * (Size) Max(history->nitems, 1));

	for (uint32 i = 0; i < history->nitems; i++)
		places[i] = (int) i;
	qsort_arg(places, history->nitems, sizeof(int), compare_places, (void *) history);
	return places;
}

static void
viewed_by_index(RecsysAnswer *answer, RecsysRecommender *index, const RecsysNextCall *call)
{
	RecsysUserBaskets baskets;
	RecsysGraphReader reader;
	int		   *places;

	RecsysReadUserBaskets(index, call->user, call->at, &baskets);
	places = places_by_time(&baskets.history);
	RecsysGraphReaderInit(&reader, index->index);
	for (int x = 0; x < Min(call->k, (int) baskets.history.nitems); x++)
		put_viewed(answer, RecsysAnswerItem(answer, &reader, baskets.history.items[places[x]].item),
				   index, &baskets.history, places[x], x + 1);
	RecsysGraphReaderDone(&reader);
}

/* A row of a shop's list */
typedef struct ViewedRow
{
	int			place;			/* in the history */
	uint32		slot;			/* of what is shown: the item, or another offer of its group */
} ViewedRow;

static int
compare_rows(const void *a, const void *b, void *history)
{
	return compare_places(&((const ViewedRow *) a)->place, &((const ViewedRow *) b)->place, history);
}

/* The rules of a shop choose, but the order is that of time. */
static void
viewed_by_shop(RecsysAnswer *answer, RecsysShop *definition, const RecsysNextCall *call)
{
	RecsysShopBaskets shop;
	RecsysScored *ranked;
	const RecsysListed *rows;
	ViewedRow  *viewed;
	int		   *places;
	int			n;

	RecsysOpenShopBaskets(definition, call, &shop);
	places = places_by_time(&shop.baskets.history);
	n = (int) shop.baskets.history.nitems;
	ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(n, 1));
	for (int x = 0; x < n; x++)
		ranked[x] = (RecsysScored) {shop.slots[places[x]], (float) (n - x)};
	shop.profile->nseen = 0;
	n = RecsysFunnelRankedSlots(shop.funnel, ranked, n, call->k, &rows);
	viewed = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ViewedRow) * (Size) Max(n, 1));
	for (int x = 0; x < n; x++)
		viewed[x] = (ViewedRow) {RecsysShopBasketPlace(&shop, rows[x].scored), rows[x].slot};
	qsort_arg(viewed, n, sizeof(ViewedRow), compare_rows, &shop.baskets.history);
	for (int x = 0; x < n; x++)
		put_viewed(answer, RecsysShopItem(answer, shop.funnel, viewed[x].slot), shop.events,
				   &shop.baskets.history, viewed[x].place, x + 1);
	RecsysFunnelClose(shop.funnel);
}

static const RecsysNextWays ways =
{
	viewed_by_index, viewed_by_shop,
	gettext_noop("recommender \"%s\" has no time column to tell what was viewed last")
};

Datum
recsys_recently_viewed(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {-1, -1}, &ways);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_recently_viewed_typed(PG_FUNCTION_ARGS)
{
	RecsysServeNext(fcinfo, &(RecsysNextPlaces) {-1, -1}, &ways);
	return (Datum) 0;
}
