/*
 * popular_items.c
 *	  popular_items(): items by number of users, all time or trending.
 *
 * Without since and half_life the answer is as of the last build and costs one
 * page and k rows.  With either of them every user's list is read with the
 * caller's snapshot.  Decay is counted from the latest interaction there is, or from now:
 * each item keeps a sum relative to its own latest interaction, so that one
 * pass suffices and nothing underflows.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/parts/leaves.h"
#include "am/read/visible.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/scoring/itemlists.h"
#include "api/serve/shoplist.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_popular_items);
PG_FUNCTION_INFO_V1(recsys_popular_items_typed);
PG_FUNCTION_INFO_V1(recsys_popular_items_text);

typedef struct Trend
{
	uint32		item;
	uint32		users;
	uint32		untimed;		/* of them, those without a time: they do not decay */
	double		score;			/* of the others, decayed to latest */
	int64		latest;
} Trend;

typedef struct TrendState
{
	Trend	   *trends;
	uint32		nitems;
	bool		has_since;
	TimestampTz since;
	Oid			time_type;
	int64		now;			/* later times are taken for it */
	int64		half_life;
	int64		latest;			/* of all */
	RecsysHistoryItem *history;
	Size		size;
	MemoryContext context;
} TrendState;

static void
count_item(TrendState *state, const RecsysHistoryItem *item)
{
	Trend	   *trend = &state->trends[item->item];

	trend->users++;
	if (item->time == RECSYS_NO_TIME)
		trend->untimed++;
	else if (item->time > trend->latest)
	{
		trend->score = trend->score * RecsysDecay(trend->latest, item->time, state->half_life) + 1;
		trend->latest = item->time;
	}
	else
		trend->score += RecsysDecay(item->time, trend->latest, state->half_life);
	state->latest = Max(state->latest, item->time);
}

static void
count_user(void *arg, RecsysInteraction *interactions, int count)
{
	TrendState *state = arg;
	int			kept = 0;

	for (int i = 0; i < count; i++)
	{
		if (interactions[i].item >= state->nitems ||
			(state->has_since &&
			 !RecsysTimeIsFrom(state->time_type, interactions[i].time, state->since)))
			continue;
		interactions[kept] = interactions[i];
		interactions[kept].time = Min(interactions[kept].time, state->now);
		kept++;
	}

	if ((Size) kept > state->size)
	{
		if (state->history != NULL)
			pfree(state->history);
		state->size = Max((Size) kept, state->size * 2);
		state->history = MemoryContextAllocHuge(state->context,
												sizeof(RecsysHistoryItem) * state->size);
	}
	if (kept > 0)
	{
		RecsysFolding folding = {.max_history = kept, .transform = RECSYS_TRANSFORM_NONE};

		kept = RecsysHistoryFold(interactions, kept, &folding, state->history, NULL);
	}
	for (int i = 0; i < kept; i++)
		count_item(state, &state->history[i]);
}

static int
compare_trends(const void *a, const void *b, void *order)
{
	const Trend *left = a;
	const Trend *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysItemOrderCompare(order, left->item, right->item);
}

/* Items by what is left of their interactions; returns how many there are. */
static uint32
rank_trends(RecsysRecommender *recommender, const TimestampTz *since, int64 half_life, Trend **trends)
{
	TrendState	state = {0};
	RecsysItemOrder *order;
	uint32		count = 0;

	RecsysPredicateLockTable(recommender->heap, GetActiveSnapshot());
	state.context = CurrentMemoryContext;
	state.nitems = RecsysItemCount(recommender->index);
	state.has_since = since != NULL;
	state.since = since != NULL ? *since : 0;
	state.time_type = recommender->columns.time_type;
	state.now = RecsysNow(state.time_type);
	state.half_life = half_life;
	state.latest = RECSYS_NO_TIME;
	state.trends = MemoryContextAllocExtended(CurrentMemoryContext,
											  sizeof(Trend) * (Size) Max(state.nitems, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 item = 0; item < state.nitems; item++)
		state.trends[item].latest = RECSYS_NO_TIME;

	RecsysScanVisible(recommender->heap, recommender->index, GetActiveSnapshot(),
					  count_user, &state);

	for (uint32 item = 0; item < state.nitems; item++)
	{
		Trend		trend = state.trends[item];

		if (trend.users == 0)
			continue;
		trend.item = item;
		trend.score = trend.score * RecsysDecay(trend.latest, state.latest, half_life) + trend.untimed;
		state.trends[count++] = trend;
	}
	order = RecsysItemOrderCreate(recommender->index, state.nitems);
	qsort_arg(state.trends, count, sizeof(Trend), compare_trends, order);
	RecsysItemOrderFree(order);
	*trends = state.trends;
	return count;
}

static void
trending(RecsysRecommender *recommender, RecsysAnswer *answer, RecsysGraphReader *reader,
		 int k, const TimestampTz *since, int64 half_life)
{
	Trend	   *trends;
	uint32		count = rank_trends(recommender, since, half_life, &trends);

	for (uint32 i = 0; i < Min((uint32) k, count); i++)
		RecsysPutPopularItem(answer, reader, trends[i].item, trends[i].users, trends[i].score, i + 1);
}

/* Positions of the arguments that variants have at different places */
typedef struct PopularArguments
{
	int			since;
	int			half_life;
	int			segment;
} PopularArguments;

/* Times asked of an index: what half-life, and is there one or a since at all? */
static bool
has_times(FunctionCallInfo fcinfo, const PopularArguments *arguments, const RecsysRecommender *recommender,
		  const char *name, TimestampTz *since, int64 *half_life)
{
	bool		timed = recommender->columns.time_column > 0;

	*half_life = RecsysArgHalfLife(fcinfo, arguments->half_life, timed, name, 0);
	if (!PG_ARGISNULL(arguments->since) && !timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no time column to apply since to", name),
				 errhint("Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at).")));

	/* a row without a time is older than any since */
	*since = PG_ARGISNULL(arguments->since) ? 0 : PG_GETARG_TIMESTAMPTZ(arguments->since);
	return *half_life > 0 || !PG_ARGISNULL(arguments->since);
}

/* By a declared recommender: the same rankings, its rules applied. */
static void
popular_in_shop(FunctionCallInfo fcinfo, const PopularArguments *arguments, RecsysAnswer *answer,
				RecsysShop *shop, int k)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	TimestampTz since;
	int64		half_life;
	const RecsysListed *rows;
	RecsysScored *ranked = NULL;
	Trend	   *trends = NULL;
	uint32		ntrends = 0;
	bool		timed;
	int			count;
	char	   *segment = RecsysHasArgument(fcinfo, arguments->segment) ?
		RecsysArgText(fcinfo, arguments->segment) : NULL;

	RecsysShopOpenFirst(shop, answer, &first);
	timed = has_times(fcinfo, arguments, &first, shop->definition->name, &since, &half_life);
	if (timed && segment != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("popular items of a segment are not known by time"),
				 errhint("Leave out segment, or since and half_life.")));
	if (timed)
		RecsysRefuseShell(first.heap, first.definition);
	if (timed && k > 0)
	{
		ntrends = rank_trends(&first, PG_ARGISNULL(arguments->since) ? NULL : &since, half_life, &trends);
		ranked = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(RecsysScored) * (Size) Max(ntrends, 1));
		for (uint32 i = 0; i < ntrends; i++)
		{
			ranked[i].item = trends[i].item;
			ranked[i].score = (float) trends[i].score;
		}
	}
	RecsysCloseRecommender(&first);
	if (k == 0)
		return;

	funnel = RecsysFunnelOpen(shop, NULL, NULL, true, NULL);
	count = timed ? RecsysFunnelRanked(funnel, ranked, (int) ntrends, k, &rows) :
		RecsysFunnelPopular(funnel, segment, k, &rows);
	for (int i = 0; i < count; i++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};

		/* users of a decayed ranking are not carried along */
		values[0] = RecsysShopItem(answer, funnel, rows[i].slot);
		values[1] = Int64GetDatum((int64) rows[i].base);
		isnull[1] = timed;
		values[2] = Float8GetDatum(rows[i].score);
		values[3] = Int32GetDatum(i + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
	RecsysFunnelClose(funnel);
}

/*
 * Of a recommender that is distributed: the item graph of this node, opened in the place of the
 * shell
 */
static void
popular_graph(FunctionCallInfo fcinfo, const PopularArguments *arguments,
			  const RecsysDistributed *distributed, RecsysRecommender *recommender)
{
	if (!PG_ARGISNULL(arguments->since) || !PG_ARGISNULL(arguments->half_life))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("recommender \"%s\" is distributed and knows popular items of all time only",
						RelationGetRelationName(recommender->index)),
				 errhint("Leave out since and half_life.")));
	RecsysCloseRecommender(recommender);
	RecsysOpenGraphOf(distributed, recommender);
}

/* Arguments: k, recommender, and others at the given places */
static void
popular_items(FunctionCallInfo fcinfo, const PopularArguments *arguments)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysGraphReader reader;
	int			k = RecsysArgK(fcinfo, 0);
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 1));
	const char *name;
	RecsysDistributed distributed;
	TimestampTz since;
	int64		half_life;
	bool		timed;

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
	{
		popular_in_shop(fcinfo, arguments, &answer, shop, k);
		return;
	}
	if (RecsysOpenDistributed(RecsysArgText(fcinfo, 1), &recommender, &distributed))
		popular_graph(fcinfo, arguments, &distributed, &recommender);
	else
		RecsysOpenRecommender(RecsysArgText(fcinfo, 1), &recommender);
	name = RelationGetRelationName(recommender.definition);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind, name);
	if (RecsysHasArgument(fcinfo, arguments->segment))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" is an index and knows no segments", name),
				 errhint("Declare segments with recsys.create_recommender.")));
	timed = has_times(fcinfo, arguments, &recommender, name, &since, &half_life);

	RecsysGraphReaderInit(&reader, recommender.index);
	if (k > 0 && timed)
		trending(&recommender, &answer, &reader, k, PG_ARGISNULL(arguments->since) ? NULL : &since,
				 half_life);
	else if (k > 0)
		RecsysPutPopular(&recommender, &answer, &reader, k);
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&recommender);
}

Datum
recsys_popular_items(PG_FUNCTION_ARGS)
{
	popular_items(fcinfo, &(PopularArguments) {2, 3, 4});
	return (Datum) 0;
}

/* The third argument only gives the type of the answer. */
Datum
recsys_popular_items_typed(PG_FUNCTION_ARGS)
{
	popular_items(fcinfo, &(PopularArguments) {3, 4, 5});
	return (Datum) 0;
}

/*
 * The variant for arguments without types: since and half_life are text, and so are the
 * item keys.  Before there was this variant, NULL::text as the third argument asked for
 * text keys; here it still does.
 */
Datum
recsys_popular_items_text(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TIMESTAMPTZOID, INTERVALOID};

	popular_items(RecsysReadArguments(fcinfo, 2, types, lengthof(types)),
				  &(PopularArguments) {2, 3, 4});
	return (Datum) 0;
}
