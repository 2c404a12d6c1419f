/*
 * nextcall.c
 *	  What calls of buy_again and next_basket have in common: their arguments, and whether an index
 *	  or a declared recommender answers.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/next/nextcall.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#define TIMED_INDEX_HINT "Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at)."

static void
read_at(FunctionCallInfo fcinfo, int argument, const RecsysRecommender *index, const char *name,
		RecsysNextCall *call)
{
	if (!RecsysHasArgument(fcinfo, argument))
		return;
	if (index->columns.time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no time column to apply at to", name),
				 errhint(TIMED_INDEX_HINT)));
	call->at_time = PG_GETARG_TIMESTAMPTZ(argument);
	if (TIMESTAMP_NOT_FINITE(call->at_time))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at must be a finite time"),
				 errhint("Pass NULL for now.")));
	call->at = &call->at_time;
}

/* All errors about arguments are reported; the user's first, as the hint about items repeats it. */
static void
read_call(FunctionCallInfo fcinfo, const RecsysNextPlaces *places, const RecsysNextWays *ways,
		  RecsysAnswer *answer, const RecsysRecommender *index, const char *name, RecsysNextCall *call)
{
	memset(call, 0, sizeof(*call));
	call->k = RecsysArgK(fcinfo, 1);
	if (!PG_ARGISNULL(0))
	{
		RecsysArgKey(fcinfo, 0, index->columns.user_type, "user", name, &call->user_key);
		call->user = &call->user_key;
	}
	RecsysAnswerCheckKind(answer, index->columns.item_kind, name);
	if (ways->untimed != NULL && index->columns.time_column == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(ways->untimed, name),
				 errhint(TIMED_INDEX_HINT)));
	read_at(fcinfo, places->at, index, name, call);
	if (RecsysHasArgument(fcinfo, places->context))
		call->context = PG_GETARG_JSONB_P(places->context);
}

static void
serve_shop(FunctionCallInfo fcinfo, const RecsysNextPlaces *places, const RecsysNextWays *ways,
		   RecsysAnswer *answer, RecsysShop *shop)
{
	RecsysRecommender first;
	RecsysNextCall call;

	RecsysOpenRecommender(shop->definition->signals[0].events, &first);
	read_call(fcinfo, places, ways, answer, &first, shop->definition->name, &call);
	RecsysCloseRecommender(&first);
	if (call.k > 0)
		ways->by_shop(answer, shop, &call);
}

/* With a context it is served as a shop of which nothing else is declared. */
static void
serve_index(FunctionCallInfo fcinfo, const RecsysNextPlaces *places, const RecsysNextWays *ways,
			RecsysAnswer *answer)
{
	RecsysRecommender index;
	RecsysNextCall call;
	const char *name;

	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &index);
	name = RelationGetRelationName(index.definition);
	read_call(fcinfo, places, ways, answer, &index, name, &call);
	if (call.k > 0 && call.context != NULL)
	{
		RecsysShop *shop = RecsysMakeShop(RecsysKeptName(RelationGetRelid(index.definition)), name);

		ways->by_shop(answer, shop, &call);
		RecsysReleaseShop(shop);
	}
	else if (call.k > 0)
		ways->by_index(answer, &index, &call);
	RecsysCloseRecommender(&index);
}

void
RecsysServeNext(FunctionCallInfo fcinfo, const RecsysNextPlaces *places, const RecsysNextWays *ways)
{
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));
	RecsysAnswer answer;

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
		serve_shop(fcinfo, places, ways, &answer, shop);
	else
		serve_index(fcinfo, places, ways, &answer);
}

void
RecsysServeNextText(FunctionCallInfo fcinfo, const RecsysNextWays *ways)
{
	static const Oid types[] = {TIMESTAMPTZOID, JSONBOID};

	RecsysServeNext(RecsysReadArguments(fcinfo, 3, types, lengthof(types)),
					&(RecsysNextPlaces) {3, 4}, ways);
}
