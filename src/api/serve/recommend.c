/*
 * recommend.c
 *	  recommend(), recommend_with_reasons() and recommend_for_items().
 */
#include "postgres.h"

#include "am/store/options.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/content/contentserving.h"
#include "api/declare/servedname.h"
#include "api/scoring/serving.h"
#include "api/serve/routedlist.h"
#include "api/serve/shoplist.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_recommend);
PG_FUNCTION_INFO_V1(recsys_recommend_typed);
PG_FUNCTION_INFO_V1(recsys_recommend_text);
PG_FUNCTION_INFO_V1(recsys_recommend_with_reasons);
PG_FUNCTION_INFO_V1(recsys_recommend_with_reasons_typed);
PG_FUNCTION_INFO_V1(recsys_recommend_with_reasons_text);
PG_FUNCTION_INFO_V1(recsys_recommend_for_items);

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).definition)

/* What a name that no recommender has leads to: one list, or one that is put together. */
static void
put_routed(const RecsysListCall *call, const RecsysRoute *route, RecsysAnswer *answer, bool reasons)
{
	RecsysRoutedAnswer routed;

	/* lists that are put together have no reasons of their own */
	if (reasons || (route->other == NULL && route->slots == NULL))
	{
		RecsysPutListOf(call, route->recommender, answer, reasons);
		return;
	}
	RecsysMakeListOf(call, route, &routed);
	answer->kind = routed.kind;
	for (int i = 0; i < routed.list.count; i++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};

		values[0] = RecsysRoutedItem(answer, routed.list.items[i]);
		values[1] = Float4GetDatum(routed.list.scores[i]);
		values[2] = CStringGetTextDatum(routed.list.sources[i]);
		values[3] = Int32GetDatum(i + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
}

/* Arguments: user, k, recommender, and others at the given places */
static void
recommend(FunctionCallInfo fcinfo, const RecsysListArguments *arguments, bool reasons)
{
	RecsysListCall call = {fcinfo, arguments, RecsysArgText(fcinfo, 2), NULL, InvalidOid};
	RecsysAnswer answer;
	RecsysRoute route;
	bool		unknown;
	RecsysShop *shop = RecsysServed(call.name, &unknown);

	RecsysAnswerInit(&answer, fcinfo);
	call.item_type = answer.item_type;
	if (shop != NULL)
		RecsysShopRecommend(fcinfo, &answer, shop, arguments, reasons);
	else if (unknown && RecsysRouteCall(&call, &route))
		put_routed(&call, &route, &answer, reasons);
	else
		RecsysPutListOfIndex(&call, call.name, &answer, reasons);
}

Datum
recsys_recommend(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, &(RecsysListArguments) {3, 4, 5}, false);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_recommend_typed(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, &(RecsysListArguments) {4, 5, 6}, false);
	return (Datum) 0;
}

/*
 * The variant for arguments without types: exclude_seen, half_life and context are text, and
 * so are the item keys.  Before there was this variant, NULL::text as the fourth argument
 * asked for text keys; here it still does.
 */
Datum
recsys_recommend_text(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {BOOLOID, INTERVALOID, JSONBOID};

	recommend(RecsysReadArguments(fcinfo, 3, types, lengthof(types)),
			  &(RecsysListArguments) {3, 4, 5}, false);
	return (Datum) 0;
}

/* Arguments: user, k, recommender, context */
Datum
recsys_recommend_with_reasons(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, &(RecsysListArguments) {-1, -1, 3}, true);
	return (Datum) 0;
}

Datum
recsys_recommend_with_reasons_typed(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, &(RecsysListArguments) {-1, -1, 4}, true);
	return (Datum) 0;
}

/* As of recommend: context as text, and NULL::text as the type of the items */
Datum
recsys_recommend_with_reasons_text(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {JSONBOID};

	recommend(RecsysReadArguments(fcinfo, 3, types, lengthof(types)),
			  &(RecsysListArguments) {-1, -1, 3}, true);
	return (Datum) 0;
}

/* Arguments: items, k, recommender, exclude_given */
Datum
recsys_recommend_for_items(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysProfile profile = {0};
	int			k = RecsysArgK(fcinfo, 1);
	bool		exclude = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	RecsysKey  *keys = NULL;
	int			count = 0;
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
	{
		RecsysShopForItems(fcinfo, &answer, shop);
		return (Datum) 0;
	}
	RecsysOpenNamed(RecsysArgText(fcinfo, 2), RECSYS_TAKES_BOTH, &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind, RECOMMENDER_NAME(recommender));

	if (!PG_ARGISNULL(0))
		count = RecsysArgKeyArray(fcinfo, 0, recommender.columns.item_type,
								  RECOMMENDER_NAME(recommender), &keys);
	if (k > 0 && RecsysIndexIsItems(recommender.index))
		RecsysPutLikeItems(&recommender, &answer, keys, count, k, exclude);
	else if (k > 0)
	{
		RecsysItemsProfile(&recommender, keys, count, &profile);
		RecsysPutRecommendations(&recommender, &answer, &profile, k, exclude);
	}
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
