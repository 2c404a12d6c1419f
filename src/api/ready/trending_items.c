/*
 * trending_items.c
 *	  trending_items(): what is taken much more often lately than it used to be.
 *
 * Where popular_items() with a half-life lists bestsellers that still sell, this asks of each
 * item whether its last window is more than its own base rate explains (core/sequence/burst.h).
 * Only items for which chance is an unlikely explanation are listed, so that a list may well be
 * shorter than k.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/eligible/slotplaces.h"
#include "api/ready/burstcount.h"
#include "api/ready/countedusers.h"
#include "api/serve/shoplist.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_trending_items);
PG_FUNCTION_INFO_V1(recsys_trending_items_typed);
PG_FUNCTION_INFO_V1(recsys_trending_items_text);

/* Fewer users are no trend, whatever they take. */
#define LEAST_USERS 3

/* What a Poisson variable reaches by chance with a probability of about .001, in standard deviations */
#define LEAST_SCORE 3

/* Positions of the arguments that variants have at different places */
typedef struct TrendingArguments
{
	int			window;
	int			segment;
} TrendingArguments;

static int64
window_size(FunctionCallInfo fcinfo, int argument, const RecsysRecommender *recommender, const char *name)
{
	double		microseconds = 7.0 * USECS_PER_DAY;

	if (recommender->columns.time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no time column to tell what is trending", name),
				 errhint("Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at).")));
	if (!PG_ARGISNULL(argument))
		microseconds = RecsysIntervalMicroseconds(PG_GETARG_INTERVAL_P(argument));
	if (!(microseconds >= 1 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window_size must be a positive interval"),
				 errhint("Pass NULL for seven days.")));
	return (int64) microseconds;
}

static void
put_burst(RecsysAnswer *answer, Datum item, const RecsysBurst *burst, double score, int rank)
{
	Datum		values[5];
	bool		isnull[5] = {false, false, false, false, false};

	values[0] = item;
	values[1] = Int64GetDatum((int64) burst->lately);
	values[2] = Float8GetDatum(burst->expected);
	values[3] = Float8GetDatum(score);
	values[4] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

/* Of a segment nothing is said that few persons have done. */
static uint32
rank_in_shop(RecsysShop *shop, RecsysRecommender *first, int64 window, const char *segment,
			 RecsysBurst **bursts)
{
	RecsysBurstCount *count = RecsysBurstCountCreate(first, window);
	uint32		least = LEAST_USERS;

	if (segment == NULL)
		RecsysBurstCountAll(count);
	else
		least = Max(least, shop->definition->min_users);
	if (segment != NULL || shop->definition->exclude_users != NULL)
		RecsysCountProfiles(count, shop, first->columns.user_kind, segment);
	return RecsysBurstRank(count, least, LEAST_SCORE, bursts);
}

/* Bursts as candidates of the shop, and where each slot's stands among them */
static RecsysScored *
bursts_by_slot(RecsysFunnel *funnel, RecsysRecommender *first, const RecsysBurst *bursts, uint32 n,
			   places_hash *places)
{
	RecsysScored *ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(n, 1));
	RecsysItemMap *map = RecsysCatalogueMap(RecsysFunnelProfile(funnel)->catalogue, first->index);
	RecsysGraphReader reader;

	RecsysGraphReaderInit(&reader, first->index);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		slot = RecsysMapSlot(map, &reader, bursts[i].item);
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (slot == RECSYS_NONE)
			RecsysNoItem(first->index, bursts[i].item);
		ranked[i] = (RecsysScored) {slot, (float) bursts[i].score};
		places_insert(places, slot, &found)->place = (int) i;
	}
	RecsysGraphReaderDone(&reader);
	return ranked;
}

/* By a declared recommender: the same ranking, its rules applied */
static void
put_listed(RecsysAnswer *answer, RecsysFunnel *funnel, RecsysRecommender *first,
		   const RecsysBurst *bursts, uint32 n, int k)
{
	places_hash *places = places_create(CurrentMemoryContext, Max(n, 16), NULL);
	RecsysScored *ranked = bursts_by_slot(funnel, first, bursts, n, places);
	const RecsysListed *rows;
	int			count = RecsysFunnelRankedSlots(funnel, ranked, (int) n, k, &rows);

	for (int i = 0; i < count; i++)
	{
		const RecsysBurst *burst = &bursts[places_lookup(places, rows[i].scored)->place];

		put_burst(answer, RecsysShopItem(answer, funnel, rows[i].slot), burst, rows[i].score, i + 1);
	}
}

static void
trending_in_shop(FunctionCallInfo fcinfo, const TrendingArguments *arguments, RecsysAnswer *answer,
				 RecsysShop *shop, int k)
{
	char	   *segment = RecsysArgText(fcinfo, arguments->segment);
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysBurst *bursts;
	uint32		n;
	int64		window;

	RecsysShopOpenFirst(shop, answer, &first);
	RecsysRefuseShell(first.heap, first.definition);
	window = window_size(fcinfo, arguments->window, &first, shop->definition->name);
	if (segment != NULL && shop->definition->nsegments == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no segments", shop->definition->name),
				 errhint("Declare profiles and segment with recsys.alter_recommender.")));
	if (k > 0)
	{
		funnel = RecsysFunnelOpen(shop, NULL, NULL, true, NULL);
		n = rank_in_shop(shop, &first, window, segment, &bursts);
		put_listed(answer, funnel, &first, bursts, n, k);
		RecsysFunnelClose(funnel);
	}
	RecsysCloseRecommender(&first);
}

static void
trending_by_index(FunctionCallInfo fcinfo, const TrendingArguments *arguments, RecsysAnswer *answer,
				  int k)
{
	RecsysRecommender recommender;
	RecsysGraphReader reader;
	RecsysBurst *bursts;
	const char *name;
	int64		window;

	RecsysOpenRecommender(RecsysArgText(fcinfo, 1), &recommender);
	name = RelationGetRelationName(recommender.definition);
	RecsysAnswerCheckKind(answer, recommender.columns.item_kind, name);
	if (!PG_ARGISNULL(arguments->segment))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" is an index and knows no segments", name),
				 errhint("Declare segments with recsys.create_recommender.")));
	window = window_size(fcinfo, arguments->window, &recommender, name);
	if (k > 0)
	{
		RecsysBurstCount *count = RecsysBurstCountCreate(&recommender, window);
		uint32		n;

		RecsysBurstCountAll(count);
		n = RecsysBurstRank(count, LEAST_USERS, LEAST_SCORE, &bursts);
		RecsysGraphReaderInit(&reader, recommender.index);
		for (uint32 i = 0; i < Min(n, (uint32) k); i++)
			put_burst(answer, RecsysAnswerItem(answer, &reader, bursts[i].item), &bursts[i],
					  bursts[i].score, (int) i + 1);
		RecsysGraphReaderDone(&reader);
	}
	RecsysCloseRecommender(&recommender);
}

/* Arguments: k, recommender, and others at the given places */
static void
trending_items(FunctionCallInfo fcinfo, const TrendingArguments *arguments)
{
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 1));
	int			k = RecsysArgK(fcinfo, 0);
	RecsysAnswer answer;

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
		trending_in_shop(fcinfo, arguments, &answer, shop, k);
	else
		trending_by_index(fcinfo, arguments, &answer, k);
}

Datum
recsys_trending_items(PG_FUNCTION_ARGS)
{
	trending_items(fcinfo, &(TrendingArguments) {2, 3});
	return (Datum) 0;
}

/* The third argument only gives the type of the answer. */
Datum
recsys_trending_items_typed(PG_FUNCTION_ARGS)
{
	trending_items(fcinfo, &(TrendingArguments) {3, 4});
	return (Datum) 0;
}

/* The variant for arguments without types: window_size is text, and so are the item keys. */
Datum
recsys_trending_items_text(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {INTERVALOID};

	trending_items(RecsysReadArguments(fcinfo, 2, types, lengthof(types)),
				   &(TrendingArguments) {2, 3});
	return (Datum) 0;
}
