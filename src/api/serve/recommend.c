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

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).index)

/* The user, unless NULL, is the first argument, and the recommender the third. */
static void
open_for_user(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysRecommender *recommender,
			  RecsysKey *user)
{
	const char *name;

	RecsysAnswerInit(answer, fcinfo);
	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), recommender);
	name = RECOMMENDER_NAME(*recommender);

	/* the user first: the hint about items repeats it */
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, recommender->columns.user_type, "user", name, user);
	RecsysAnswerCheckKind(answer, recommender->columns.item_kind, name);
}

/* By an index, without what only a declared recommender does */
static void
recommend_by_index(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysRecommender *recommender,
				   const RecsysKey *user, const RecsysListArguments *arguments)
{
	RecsysProfile profile = {0};
	int			k = RecsysArgK(fcinfo, 1);
	int			exclude_seen = arguments->exclude_seen;
	bool		exclude = PG_ARGISNULL(exclude_seen) || PG_GETARG_BOOL(exclude_seen);
	int64		decay = RecsysArgHalfLife(fcinfo, arguments->half_life,
										  recommender->columns.time_column > 0,
										  RECOMMENDER_NAME(*recommender),
										  RecsysServingHalfLife(recommender->index));

	if (!PG_ARGISNULL(0) && k > 0)
		RecsysReadProfile(recommender, user, decay, &profile);
	if (k > 0)
		RecsysPutRecommendations(recommender, answer, &profile, k, exclude);
}

static char *
qualified_name(Relation index)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(index)),
									  RelationGetRelationName(index));
}

/* Arguments: user, k, recommender, and others at the given places */
static void
recommend(FunctionCallInfo fcinfo, const RecsysListArguments *arguments, bool reasons)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysKey	user;
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));

	if (shop != NULL)
	{
		RecsysAnswerInit(&answer, fcinfo);
		RecsysShopRecommend(fcinfo, &answer, shop, arguments, reasons);
		return;
	}
	open_for_user(fcinfo, &answer, &recommender, &user);
	if (reasons || RecsysHasArgument(fcinfo, arguments->context))
	{
		shop = RecsysMakeShop(qualified_name(recommender.index), RECOMMENDER_NAME(recommender));
		RecsysShopRecommend(fcinfo, &answer, shop, arguments, reasons);
		RecsysReleaseShop(shop);
	}
	else
		recommend_by_index(fcinfo, &answer, &recommender, &user, arguments);
	RecsysCloseRecommender(&recommender);
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
