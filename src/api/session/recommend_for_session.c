/*
 * recommend_for_session.c
 *	  recommend_for_session(): what comes next, by an index or a declared recommender.
 *
 * All variants have the same arguments: items, k, recommender, exclude_given.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/scoring/listing.h"
#include "api/serve/shoplist.h"
#include "api/session/sessionserving.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_recommend_for_session);

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).definition)

static int
read_items(FunctionCallInfo fcinfo, const RecsysRecommender *recommender, const char *name,
		   RecsysKey **keys)
{
	return PG_ARGISNULL(0) ? 0 :
		RecsysArgKeyArray(fcinfo, 0, recommender->columns.item_type, name, keys);
}

/* All that the session speaks for, best first; returns how many. */
static int
rank_items(RecsysRecommender *recommender, const RecsysKey *keys, int n, RecsysScored **ranked)
{
	RecsysSession session;
	RecsysListing listing;
	int			count;

	RecsysReadSession(recommender, keys, n, &session);
	RecsysListingBegin(&listing, recommender);
	RecsysScoreSession(&session, listing.scorer);
	count = RecsysListingBestScored(&listing, PG_INT32_MAX, ranked);
	RecsysListingEnd(&listing);
	return count;
}

/* By the index of a declared recommender's first signal; all else is as of recommend_for_items. */
static void
session_in_shop(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop, int k, bool exclude)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysScored *ranked = NULL;
	RecsysKey  *keys = NULL;
	int			count;
	int			nranked = 0;
	const RecsysListed *rows;

	RecsysShopOpenFirst(shop, answer, &first);
	RecsysRefuseShell(first.heap, first.definition);
	count = read_items(fcinfo, &first, shop->definition->name, &keys);
	if (k > 0)
		nranked = rank_items(&first, keys, count, &ranked);
	RecsysCloseRecommender(&first);
	if (k == 0)
		return;

	funnel = RecsysFunnelBeginItems(shop, keys, count, exclude);
	count = RecsysFunnelRankedFirst(funnel, ranked, nranked, k, &rows);
	RecsysShopPutList(answer, funnel, rows, count, false);
	RecsysFunnelClose(funnel);
}

static void
session_in_index(RecsysRecommender *recommender, RecsysAnswer *answer, const RecsysKey *keys, int n,
				 int k, bool exclude)
{
	RecsysSession session;
	RecsysListing listing;
	RecsysScored *best;
	Datum		source;
	int			count;

	RecsysReadSession(recommender, keys, n, &session);
	RecsysListingBegin(&listing, recommender);
	for (int i = 0; exclude && i < session.nitems; i++)
		RecsysScorerExclude(listing.scorer, session.items[i]);
	RecsysScoreSession(&session, listing.scorer);
	count = RecsysListingBestScored(&listing, k, &best);
	source = CStringGetTextDatum("history");
	for (int i = 0; i < count; i++)
		RecsysListingPut(&listing, answer, &best[i], source, i + 1);
	RecsysListingFill(&listing, answer, count, k);
	RecsysListingEnd(&listing);
}

Datum
recsys_recommend_for_session(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	int			k = RecsysArgK(fcinfo, 1);
	bool		exclude = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	RecsysKey  *keys = NULL;
	int			count;
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));

	RecsysAnswerInit(&answer, fcinfo);
	if (shop != NULL)
	{
		session_in_shop(fcinfo, &answer, shop, k, exclude);
		return (Datum) 0;
	}
	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind, RECOMMENDER_NAME(recommender));
	count = read_items(fcinfo, &recommender, RECOMMENDER_NAME(recommender), &keys);
	if (k > 0)
		session_in_index(&recommender, &answer, keys, count, k, exclude);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
