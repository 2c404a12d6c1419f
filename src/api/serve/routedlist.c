/*
 * routedlist.c
 *	  The list of a call whose name may lead elsewhere: to a variant of an experiment, to an arm of a
 *	  bandit, to two lists in one, or to a list with places that a bandit fills.
 *
 * Where it leads is served as if it had been called by its own name: with the caller's rights, and by
 * the arguments of the call.
 *
 * What a unit gets depends on its key as text, so all ways to write a key must come to one text.  Of
 * values that have a type that is so; a text, as drivers send it, is read as a key of the type
 * that the recommender has, and written again.  If that gives another text, the name is looked up
 * once more.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/route/interleave.h"
#include "api/scoring/serving.h"
#include "api/serve/routedlist.h"
#include "api/shards/dispatch.h"
#include "api/shards/shardprofile.h"
#include "catalog/pg_type.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"

#define RECOMMENDER_NAME(recommender) RelationGetRelationName((recommender).definition)

/* By an index, without what only a declared recommender does */
static void
put_by_index(const RecsysListCall *call, RecsysAnswer *answer, RecsysRecommender *recommender,
			 const RecsysKey *user)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	RecsysProfile profile = {0};
	int			k = RecsysArgK(fcinfo, 1);
	int			exclude_seen = call->arguments->exclude_seen;
	bool		exclude = PG_ARGISNULL(exclude_seen) || PG_GETARG_BOOL(exclude_seen);
	int64		decay = RecsysArgHalfLife(fcinfo, call->arguments->half_life,
										  recommender->columns.time_column > 0,
										  RECOMMENDER_NAME(*recommender),
										  RecsysServingHalfLife(recommender->index));

	if (!PG_ARGISNULL(0) && k > 0)
		RecsysReadProfileByIndex(recommender, user, decay, &profile);
	if (k > 0)
		RecsysPutRecommendations(recommender, answer, &profile, k, exclude);
}

/* By an index whose rows are on several nodes */
static void
put_distributed(const RecsysListCall *call, RecsysAnswer *answer, const RecsysDistributed *distributed,
				RecsysRecommender *shell, bool reasons)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	int			exclude_seen = call->arguments->exclude_seen;
	int			half_life = call->arguments->half_life;
	RecsysListAsk ask = {RecsysArgK(fcinfo, 1), true, NULL, 0};
	RecsysKey	user;

	if (reasons || RecsysHasArgument(fcinfo, call->arguments->context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("distributed recommender \"%s\" takes no context and gives no reasons",
						RECOMMENDER_NAME(*shell)),
				 errhint("What a score is made of is told by explain_recommendation.")));
	if (RecsysHasArgument(fcinfo, exclude_seen))
		ask.exclude_seen = PG_GETARG_BOOL(exclude_seen);
	if (RecsysHasArgument(fcinfo, half_life))
		ask.half_life = PG_GETARG_INTERVAL_P(half_life);
	ask.decay = RecsysArgHalfLife(fcinfo, half_life, shell->columns.time_column > 0,
								  RECOMMENDER_NAME(*shell), RecsysServingHalfLife(shell->index));
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, shell->columns.user_type, "user", RECOMMENDER_NAME(*shell), &user);
	RecsysAnswerCheckKind(answer, shell->columns.item_kind, RECOMMENDER_NAME(*shell));
	if (answer->collected != NULL)
		RecsysAnswerServes(answer, distributed->name, shell->columns.user_type,
						   PG_ARGISNULL(0) ? NULL : &user);
	RecsysPutDistributed(distributed, shell, answer, PG_ARGISNULL(0) ? NULL : &user, &ask);
}

void
RecsysPutListOfIndex(const RecsysListCall *call, const char *name, RecsysAnswer *answer, bool reasons)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	RecsysRecommender recommender;
	RecsysDistributed distributed;
	RecsysKey	user;

	if (RecsysOpenDistributed(name, &recommender, &distributed))
	{
		put_distributed(call, answer, &distributed, &recommender, reasons);
		RecsysCloseRecommender(&recommender);
		return;
	}
	RecsysOpenRecommender(name, &recommender);

	/* the user first: the hint about items repeats it */
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, recommender.columns.user_type, "user", RECOMMENDER_NAME(recommender),
					 &user);
	RecsysAnswerCheckKind(answer, recommender.columns.item_kind, RECOMMENDER_NAME(recommender));
	if (answer->collected != NULL)
		RecsysAnswerServes(answer, RecsysKeptName(RelationGetRelid(recommender.definition)),
						   recommender.columns.user_type, PG_ARGISNULL(0) ? NULL : &user);
	if (reasons || RecsysHasArgument(fcinfo, call->arguments->context))
	{
		RecsysShop *shop = RecsysMakeShop(RecsysKeptName(RelationGetRelid(recommender.definition)),
										  RECOMMENDER_NAME(recommender));

		RecsysShopRecommend(fcinfo, answer, shop, call->arguments, reasons);
		RecsysReleaseShop(shop);
	}
	else
		put_by_index(call, answer, &recommender, &user);
	RecsysCloseRecommender(&recommender);
}

/* shop: what RecsysServed has found under the name */
static void
put_list(const RecsysListCall *call, const char *name, RecsysShop *shop, RecsysAnswer *answer,
		 bool reasons)
{
	if (shop != NULL)
		RecsysShopRecommend(call->fcinfo, answer, shop, call->arguments, reasons);
	else
		RecsysPutListOfIndex(call, name, answer, reasons);
}

void
RecsysPutListOf(const RecsysListCall *call, const char *recommender, RecsysAnswer *answer, bool reasons)
{
	put_list(call, recommender, RecsysServedShop(recommender), answer, reasons);
}

static void
collect(const RecsysListCall *call, const char *name, RecsysShop *shop, RecsysKeptRows *collected)
{
	RecsysAnswer answer;

	RecsysAnswerCollect(&answer, call->fcinfo, call->item_type, collected);
	put_list(call, name, shop, &answer, false);
}

static void
as_list(const RecsysKeptRows *collected, RecsysRoutedList *list)
{
	memset(list, 0, sizeof(*list));
	list->count = collected->count;
	list->items = collected->items;
	list->scores = collected->scores;
	list->sources = collected->sources;
}

/* The type of a recommender's users; errors out unless the caller may use it. */
static Oid
user_type_of(const char *name)
{
	RecsysShop *shop = RecsysServedShop(name);
	RecsysRecommender recommender;
	Oid			type;

	(void) RecsysOpenForColumns(shop == NULL ? name : shop->definition->signals[0].events, &recommender);
	type = recommender.columns.user_type;
	RecsysCloseRecommender(&recommender);
	return type;
}

/* A key that was passed as text, as it is written by its type */
static char *
written_key(const char *given, Oid user_type)
{
	RecsysKeyKind kind;
	RecsysKey	key;

	if (!RecsysKeyKindOfType(user_type, &kind))
		elog(ERROR, "type %u is not a key type", user_type);
	RecsysKeyFromText(user_type, given, &key);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, &key));
}

bool
RecsysRouteCall(const RecsysListCall *call, RecsysRoute *route)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	int			place = call->arguments->context;
	Jsonb	   *context = RecsysHasArgument(fcinfo, place) ? PG_GETARG_JSONB_P(place) : NULL;
	char	   *user = RecsysArgIsKey(fcinfo, 0) ? RecsysArgKeyText(fcinfo, 0) : NULL;
	char	   *written;

	if (!RecsysRouteRequest(call->name, user, call->session, context, route))
		return false;
	if (user == NULL || !RecsysArgIsText(fcinfo, 0))
		return true;
	written = written_key(user, user_type_of(route->recommender));
	return strcmp(written, user) == 0 ||
		RecsysRouteRequest(call->name, written, call->session, context, route);
}

/* The second list of two in one */
static void
draft(const RecsysListCall *call, const RecsysRoute *route, int k, const RecsysKeptRows *first,
	  RecsysRoutedList *list)
{
	RecsysKeptRows second;
	RecsysRoutedList one = *list;
	RecsysRoutedList other;

	collect(call, route->other, RecsysServedShop(route->other), &second);
	if (second.kind != first->kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("recommender \"%s\" has %s item keys, but \"%s\" has %s ones",
						first->recommender, RecsysKeyKindName(first->kind),
						second.recommender, RecsysKeyKindName(second.kind))));
	as_list(&second, &other);
	RecsysTeamDraft(&one, &other, route->teams, route->draft_seed, k, list);
}

/*
 * Each place has the probability of the list, unless there is one of its own.  Of a draft of two lists
 * it is not known.
 */
static void
fill_propensities(const RecsysRoute *route, RecsysRoutedList *list)
{
	if (route->policy == NULL || route->other != NULL || list->propensities != NULL)
		return;
	list->propensities = palloc(sizeof(double) * Max(list->count, 1));
	for (int i = 0; i < list->count; i++)
		list->propensities[i] = route->propensity;
}

static void
finish(const RecsysListCall *call, const RecsysKeptRows *first, RecsysRoutedAnswer *answer)
{
	const RecsysRoute *route = &answer->route;
	int			k = RecsysArgK(call->fcinfo, 1);

	answer->kind = first->kind;
	answer->user = first->user;
	as_list(first, &answer->list);
	if (route->other != NULL)
		draft(call, route, k, first, &answer->list);
	if (route->slots != NULL)
		RecsysFillSlots(route, first->user, k, &answer->list);
	fill_propensities(route, &answer->list);
	answer->route.recommender = first->recommender;
}

void
RecsysMakeListOf(const RecsysListCall *call, const RecsysRoute *route, RecsysRoutedAnswer *answer)
{
	RecsysKeptRows first;

	answer->route = *route;
	collect(call, route->recommender, RecsysServedShop(route->recommender), &first);
	finish(call, &first, answer);
}

void
RecsysMakeRoutedList(const RecsysListCall *call, RecsysRoutedAnswer *answer)
{
	bool		unknown;
	RecsysShop *shop = RecsysServed(call->name, &unknown);
	RecsysKeptRows first;

	memset(answer, 0, sizeof(*answer));
	answer->route.propensity = 1.0;
	if (unknown && RecsysRouteCall(call, &answer->route))
	{
		RecsysRoute route = answer->route;

		RecsysMakeListOf(call, &route, answer);
		return;
	}
	collect(call, call->name, shop, &first);
	finish(call, &first, answer);
}

Datum
RecsysRoutedItem(const RecsysAnswer *answer, const char *item)
{
	RecsysKey	key;

	if (answer->item_type == TEXTOID)
		return CStringGetTextDatum(item);
	RecsysKeyFromText(RecsysKeyKindType(answer->kind), item, &key);
	return RecsysAnswerKey(answer, &key);
}
