/*
 * off_policy_value.c
 *	  recsys.off_policy_value(): what a recommender would have been worth, from the log.
 *
 * Where the log has lists that the recommender made as an arm of an experiment or a bandit, they are
 * compared as wholes.  Else its lists of today stand for those that it would have made: they are
 * asked for with the caller's rights, once a user, and compared place by place with what was shown
 * with a propensity.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/declare/takennames.h"
#include "api/log/pseudonym.h"
#include "api/offpolicy/loggedrows.h"
#include "api/offpolicy/policyanswer.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_off_policy_value);

#define MOST_PLACES 1000

#define NOTE_ARMS "by whole lists that the target itself has made"
#define NOTE_PLACES \
	"by single places; lists of the target are those of today, and what users have done since is in them"

#define REFUSED_PSEUDONYMS \
	"the log has pseudonyms, for which no lists can be made, and none that the target has made"
#define REFUSED_NOTHING "the log has no requests with propensities that can be used and that you may see"

/* What chooses between recommenders has no lists of its own. */
static void
refuse_choosing(const char *name)
{
	bool		is_bandit = RecsysNameExists(name, RECSYS_NAMED_BANDIT);

	if (OidIsValid(RelnameGetRelid(name)) ||
		(!is_bandit && !RecsysNameExists(name, RECSYS_NAMED_EXPERIMENT)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is %s", name, is_bandit ? "a bandit" : "an experiment"),
			 errdetail("What is estimated is the worth of one of the recommenders that it chooses from."),
			 errhint("Name one of them, and %s in logged_by.", quote_literal_cstr(name))));
}

/* The recommender as the log calls it */
static char *
logged_name(const char *name)
{
	RecsysShop *shop = RecsysServedShop(name);

	if (shop == NULL)
		refuse_choosing(name);
	return shop != NULL ? pstrdup(shop->definition->name) : RecsysKeptName(RecsysNamedRecommender(name));
}

/* What counts as a reward, and whether it is that of a request */
static void
read_metric(const char *metric, RecsysLoggedAsk *logged, RecsysPolicyAsk *ask)
{
	logged->valued = strcmp(metric, "revenue") == 0;
	ask->options.per_request = logged->valued;
	if (logged->valued)
		logged->kind = "purchase";
	else
		logged->kind = strcmp(metric, "ctr") == 0 ? "click" : metric;
}

static TimestampTz
read_time(FunctionCallInfo fcinfo, int argument, TimestampTz otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_TIMESTAMPTZ(argument);
}

/* The target's list for a user of today; returns how many items there are. */
static int
target_list(SPIPlanPtr plan, const char *recommender, const char *user, int k, bool exclude_seen,
			char **items)
{
	Datum		values[4];
	int			count;

	values[0] = CStringGetTextDatum(user);
	values[1] = Int64GetDatum(k);
	values[2] = CStringGetTextDatum(recommender);
	values[3] = BoolGetDatum(exclude_seen);
	if (SPI_execute_plan(plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed");
	count = (int) Min(SPI_processed, (uint64) k);
	for (int x = 0; x < count; x++)
		items[x] = SPI_getvalue(SPI_tuptable->vals[x], SPI_tuptable->tupdesc, 1);
	return count;
}

static SPIPlanPtr
prepare_lists(void)
{
	Oid			types[] = {TEXTOID, INT8OID, TEXTOID, BOOLOID};
	SPIPlanPtr	plan = SPI_prepare("SELECT item_id FROM recsys.off_policy_list($1, $2, $3, $4)",
								   4, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

static void
add_place(RecsysPolicyTable *table, const RecsysLoggedPlace *place, char *const *items, int count)
{
	RecsysPolicyRow row = {0};

	row.reward = place->reward;
	row.propensity = place->propensity;
	row.request = place->request;
	row.unit = place->user;
	row.position = place->position;
	row.item = place->item;
	row.target_item = place->position <= count ? items[place->position - 1] : NULL;
	row.target = row.target_item != NULL && strcmp(row.item, row.target_item) == 0;
	RecsysPolicyTableAdd(table, &row);
}

static RecsysPolicyTable *
compare_places(const RecsysLoggedAsk *logged, const char *recommender, bool exclude_seen,
			   bool users_known)
{
	RecsysPolicyParts parts = {0};
	RecsysPolicyTable *table;
	RecsysLoggedPlace *places = NULL;
	uint32		n = users_known ? RecsysReadLoggedPlaces(logged, &places) : 0;
	char	   *items[MOST_PLACES];
	int			count = 0;
	SPIPlanPtr	plan;

	parts.request = parts.unit = parts.position = parts.item = parts.target_item = true;
	table = RecsysPolicyTableCreate(&parts);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = prepare_lists();
	for (uint32 i = 0; i < n; i++)
	{
		if (i == 0 || strcmp(places[i - 1].user, places[i].user) != 0)
		{
			CHECK_FOR_INTERRUPTS();
			SPI_freetuptable(SPI_tuptable);
			for (int x = 0; x < count; x++)
				pfree(items[x]);
			count = target_list(plan, recommender, places[i].user, logged->k, exclude_seen, items);
		}
		add_place(table, &places[i], items, count);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return table;
}

/*
 * Arguments: recommender, since, until, metric, k, estimators, max_requests, logged_by, exclude_seen,
 * confidence, resamples, seed, clip, interval_method, by_position, min_effective
 */
Datum
recsys_off_policy_value(PG_FUNCTION_ARGS)
{
	static const RecsysPolicyArguments arguments = {5, 9, 10, 11, 12, 13, 14, -1, 15};
	char	   *recommender = RecsysArgQuery(fcinfo, 0, "recommender");
	bool		exclude_seen = RecsysArgFlag(fcinfo, 8, "exclude_seen");
	RecsysLoggedAsk logged = {0};
	RecsysPolicyAsk ask;
	RecsysPolicyTable *table;

	RecsysArgPolicyAsk(fcinfo, &arguments, &ask);
	logged.target = logged_name(recommender);
	logged.since = read_time(fcinfo, 1, DT_NOBEGIN);
	logged.until = read_time(fcinfo, 2, DT_NOEND);
	logged.k = RecsysArgInteger(fcinfo, 4, "k", 1, MOST_PLACES);
	logged.max_requests = RecsysArgInteger(fcinfo, 6, "max_requests", 1, PG_INT32_MAX);
	logged.logged_by = RecsysArgText(fcinfo, 7);
	logged.seed = ask.options.resampling.seed;
	read_metric(RecsysArgQuery(fcinfo, 3, "metric"), &logged, &ask);
	InitMaterializedSRF(fcinfo, 0);

	table = RecsysReadLoggedArms(&logged);
	if (table != NULL)
		RecsysPutPolicyValues(fcinfo, table, &ask, NOTE_ARMS, NULL);
	else
	{
		bool		pseudonyms = RecsysLogIsPseudonymous();

		table = compare_places(&logged, recommender, exclude_seen, !pseudonyms);
		RecsysPutPolicyValues(fcinfo, table, &ask, NOTE_PLACES,
							  pseudonyms ? REFUSED_PSEUDONYMS : table->n == 0 ? REFUSED_NOTHING : NULL);
	}
	return (Datum) 0;
}
