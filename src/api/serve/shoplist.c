/*
 * shoplist.c
 *	  The SQL functions that make lists, where a declared recommender makes them.
 *
 * Arguments mean what they mean for an index.  Keys are read as the first signal's index has
 * them.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/here/nodeevents.h"
#include "api/route/variantchoice.h"
#include "api/serve/shoplist.h"
#include "api/serve/shopreasons.h"
#include "api/shards/shopdispatch.h"
#include "utils/builtins.h"

void
RecsysShopOpenFirst(RecsysShop *shop, RecsysAnswer *answer, RecsysRecommender *first)
{
	(void) RecsysOpenEvents(shop->definition->signals[0].events, first, NULL, NULL);
	RecsysAnswerCheckKind(answer, first->columns.item_kind, shop->definition->name);
}

Datum
RecsysShopItem(const RecsysAnswer *answer, RecsysFunnel *funnel, uint32 slot)
{
	RecsysKey	key;

	RecsysCatalogueKey(RecsysFunnelProfile(funnel)->catalogue, slot, &key);
	return RecsysAnswerKey(answer, &key);
}

const int64 *
RecsysShopHalfLife(FunctionCallInfo fcinfo, int argument, const RecsysRecommender *first,
				   RecsysShop *shop, int64 *given)
{
	if (!RecsysHasArgument(fcinfo, argument))
		return NULL;
	*given = RecsysArgHalfLife(fcinfo, argument, first->columns.time_column > 0,
							   shop->definition->name, 0);
	return given;
}

void
RecsysShopPutList(RecsysAnswer *answer, RecsysFunnel *funnel, const RecsysListed *rows, int count,
				  bool reasons)
{
	for (int i = 0; i < count; i++)
	{
		Datum		values[6];
		bool		isnull[6] = {false, false, false, false, false, false};

		values[0] = RecsysShopItem(answer, funnel, rows[i].slot);
		values[1] = Float4GetDatum((float) rows[i].score);
		values[2] = CStringGetTextDatum(rows[i].source);
		values[3] = Int32GetDatum(i + 1);
		if (reasons)
			RecsysShopReason(funnel, &rows[i], answer, &values[4], &isnull[4]);
		RecsysAnswerPut(answer, values, isnull);
	}
}

/*
 * Has another node, that of the user, made the list?  As the arguments say, which have been
 * looked at.
 */
static bool
ask_elsewhere(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop, const RecsysRecommender *first,
			  const RecsysKey *user, const RecsysListArguments *arguments, bool reasons)
{
	RecsysShopAsk ask = {RecsysArgK(fcinfo, 1), true, NULL, NULL, reasons};
	RecsysUserPlace place;

	if (!RecsysShopUserIsElsewhere(shop, first, user, &place))
		return false;
	if (RecsysHasArgument(fcinfo, arguments->exclude_seen))
		ask.exclude_seen = PG_GETARG_BOOL(arguments->exclude_seen);
	if (RecsysHasArgument(fcinfo, arguments->half_life))
		ask.half_life = PG_GETARG_INTERVAL_P(arguments->half_life);
	if (RecsysHasArgument(fcinfo, arguments->context))
		ask.context = RecsysContextOfList(PG_GETARG_JSONB_P(arguments->context));
	RecsysAskShopList(shop, first, &place, &ask, answer);
	return true;
}

void
RecsysShopRecommend(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop,
					const RecsysListArguments *arguments, bool reasons)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysKey	user;
	int			k = RecsysArgK(fcinfo, 1);
	int			exclude = arguments->exclude_seen;
	int			context = arguments->context;
	int			count;
	int64		given;
	const int64 *half_life;
	const RecsysListed *rows;
	bool		elsewhere;

	RecsysShopOpenFirst(shop, answer, &first);
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, first.columns.user_type, "user", shop->definition->name, &user);
	RecsysAnswerServes(answer, shop->definition->name, first.columns.user_type,
					   PG_ARGISNULL(0) ? NULL : &user);
	half_life = RecsysShopHalfLife(fcinfo, arguments->half_life, &first, shop, &given);
	elsewhere = k > 0 && !PG_ARGISNULL(0) && ask_elsewhere(fcinfo, answer, shop, &first, &user, arguments, reasons);
	RecsysCloseRecommender(&first);
	if (k == 0 || elsewhere)
		return;

	funnel = RecsysFunnelOpen(shop, PG_ARGISNULL(0) ? NULL : &user,
							  RecsysHasArgument(fcinfo, context) ?
							  RecsysContextOfList(PG_GETARG_JSONB_P(context)) : NULL,
							  !RecsysHasArgument(fcinfo, exclude) || PG_GETARG_BOOL(exclude),
							  half_life);
	count = RecsysFunnelList(funnel, k, &rows);
	RecsysShopPutList(answer, funnel, rows, count, reasons);
	RecsysFunnelClose(funnel);
}

void
RecsysShopForItems(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysKey  *keys = NULL;
	int			count = 0;
	int			listed;
	int			k = RecsysArgK(fcinfo, 1);
	const RecsysListed *rows;

	RecsysShopOpenFirst(shop, answer, &first);
	if (!PG_ARGISNULL(0))
		count = RecsysArgKeyArray(fcinfo, 0, first.columns.item_type, shop->definition->name, &keys);
	RecsysCloseRecommender(&first);
	if (k == 0)
		return;

	funnel = RecsysFunnelOpenItems(shop, keys, count, PG_ARGISNULL(3) || PG_GETARG_BOOL(3));
	listed = RecsysFunnelList(funnel, k, &rows);
	RecsysShopPutList(answer, funnel, rows, listed, false);
	RecsysFunnelClose(funnel);
}

/* By how many users a neighbor is supported; 0 where that is not known. */
static int64
support_of(RecsysFunnel *funnel, const RecsysListed *row)
{
	return row->base <= 0 ? 0 : RecsysScoresSupport(RecsysFunnelScores(funnel), row->slot);
}

void
RecsysShopNeighbors(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop, bool beside)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysKey	item;
	int			k = RecsysArgK(fcinfo, 1);
	int			count;
	const RecsysListed *rows;

	RecsysShopOpenFirst(shop, answer, &first);
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, first.columns.item_type, "item", shop->definition->name, &item);
	RecsysCloseRecommender(&first);
	if (k == 0 || PG_ARGISNULL(0))
		return;

	funnel = RecsysFunnelOpenItem(shop, &item, beside);
	count = RecsysFunnelList(funnel, k, &rows);
	for (int i = 0; i < count; i++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};

		values[0] = RecsysShopItem(answer, funnel, rows[i].slot);
		values[1] = Float4GetDatum((float) rows[i].score);
		values[2] = Int64GetDatum(support_of(funnel, &rows[i]));
		values[3] = Int32GetDatum(i + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
	RecsysFunnelClose(funnel);
}
