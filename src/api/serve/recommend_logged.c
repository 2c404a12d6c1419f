/*
 * recommend_logged.c
 *	  recommend(…, log => true), and recommend_request() for where nothing can be written.
 *
 * The first makes a list and logs it; the second returns what is to be logged as a document, which
 * recsys.log_request takes on the primary.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "api/call/arguments.h"
#include "api/log/logshard.h"
#include "api/log/requestdocument.h"
#include "api/log/requestlog.h"
#include "api/serve/routedlist.h"
#include "api/shards/dispatch.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_recommend_logged);
PG_FUNCTION_INFO_V1(recsys_recommend_logged_typed);
PG_FUNCTION_INFO_V1(recsys_recommend_request);

/* Columns of a list that may be logged */
typedef enum Column
{
	ITEM_ID,
	SCORE,
	SOURCE,
	RANK,
	REQUEST_ID,
	EXPERIMENT,
	VARIANT,
	PROPENSITY,
	COLUMNS
} Column;

/* The call that works where nothing can be written, up to the recommender */
static char *
request_call(FunctionCallInfo fcinfo)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfoString(&call, "recommend_request(");
	for (int i = 0; i < 3; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i);
		char	   *text;

		if (i > 0)
			appendStringInfoString(&call, ", ");
		text = PG_ARGISNULL(i) ? NULL : i == 0 ? RecsysArgKeyText(fcinfo, i) :
			i == 1 ? psprintf(INT64_FORMAT, PG_GETARG_INT64(i)) : RecsysArgText(fcinfo, i);
		if (text == NULL)
			appendStringInfoString(&call, i == 0 ? "NULL::text" : "NULL");
		else if (type == INT2OID || type == INT4OID || type == INT8OID)
			appendStringInfoString(&call, text);
		else
			appendStringInfoString(&call, quote_literal_cstr(text));
	}
	appendStringInfoChar(&call, ')');
	return call.data;
}

static void
check_writable(FunctionCallInfo fcinfo)
{
	PreventCommandIfParallelMode("recommend(…, log => true)");
	if (!XactReadOnly && !RecoveryInProgress())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 RecoveryInProgress() ?
			 errmsg("a request cannot be logged during recovery") :
			 errmsg("a request cannot be logged in a read-only transaction"),
			 errhint("Use SELECT %s here, and pass what it returns to recsys.log_request on the primary server.",
					 request_call(fcinfo))));
}

static void
as_request(const RecsysListCall *call, const RecsysRoutedAnswer *answer, RecsysRequest *request)
{
	const RecsysRoute *route = &answer->route;

	memset(request, 0, sizeof(*request));
	request->user = answer->user;
	request->session = call->session;
	request->recommender = route->recommender;
	request->experiment = route->experiment;
	request->variant = route->variant;
	request->bandit = route->bandit;
	request->arm = route->arm;
	request->policy = route->policy;
	request->segment = route->segment;
	request->count = answer->list.count;
	request->items = answer->list.items;
	request->scores = answer->list.scores;
	request->sources = answer->list.sources;
	request->propensities = answer->list.propensities;
	request->arms = answer->list.arms;
	request->nfeatures = route->nfeatures;
	request->features = route->features;
}

/* Makes the list, and the request that it is. */
static void
serve(const RecsysListCall *call, RecsysRoutedAnswer *answer, RecsysRequest *request)
{
	instr_time	start;
	instr_time	end;

	(void) RecsysTakeAskedShard();
	INSTR_TIME_SET_CURRENT(start);
	RecsysMakeRoutedList(call, answer);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	as_request(call, answer, request);
	request->latency_ms = INSTR_TIME_GET_MILLISEC(end);
	RecsysNewRequestId(&request->id, &request->time);
	RecsysKeepRequestHere(&request->id, RecsysTakeAskedShard());
}

static void
put_text(Datum *values, bool *isnull, Column column, const char *text)
{
	isnull[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
put_rows(RecsysAnswer *answer, const RecsysRequest *request, bool logged)
{
	Datum		values[COLUMNS] = {0};
	bool		isnull[COLUMNS] = {false};

	isnull[REQUEST_ID] = !logged;
	values[REQUEST_ID] = UUIDPGetDatum(&request->id);
	put_text(values, isnull, EXPERIMENT, request->experiment);
	put_text(values, isnull, VARIANT, request->variant);
	isnull[PROPENSITY] = request->propensities == NULL;
	for (int i = 0; i < request->count; i++)
	{
		values[ITEM_ID] = RecsysRoutedItem(answer, request->items[i]);
		values[SCORE] = Float4GetDatum(request->scores[i]);
		values[SOURCE] = CStringGetTextDatum(request->sources[i]);
		values[RANK] = Int32GetDatum(i + 1);
		if (!isnull[PROPENSITY])
			values[PROPENSITY] = Float8GetDatum(request->propensities[i]);
		RecsysAnswerPut(answer, values, isnull);
	}
}

/* log, session: the places of these arguments */
static void
recommend_logged(FunctionCallInfo fcinfo, int log, int session, const RecsysListArguments *arguments)
{
	RecsysListCall call = {fcinfo, arguments, RecsysArgText(fcinfo, 2), RecsysArgText(fcinfo, session), InvalidOid};
	bool		logged = RecsysHasArgument(fcinfo, log) && PG_GETARG_BOOL(log);
	RecsysRoutedAnswer routed;
	RecsysRequest request;
	RecsysAnswer answer;

	RecsysAnswerInit(&answer, fcinfo);
	call.item_type = answer.item_type;
	if (logged)
		check_writable(fcinfo);
	serve(&call, &routed, &request);
	answer.kind = routed.kind;
	if (logged)
		RecsysLogNewRequest(&request);
	put_rows(&answer, &request, logged);
}

Datum
recsys_recommend_logged(PG_FUNCTION_ARGS)
{
	recommend_logged(fcinfo, 3, 7, &(RecsysListArguments) {4, 5, 6});
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_recommend_logged_typed(PG_FUNCTION_ARGS)
{
	recommend_logged(fcinfo, 4, 7, &(RecsysListArguments) {8, 5, 6});
	return (Datum) 0;
}

/* Arguments: user, k, recommender, session_id, exclude_seen, half_life, context */
Datum
recsys_recommend_request(PG_FUNCTION_ARGS)
{
	RecsysListCall call = {fcinfo, &(RecsysListArguments) {4, 5, 6}, RecsysArgText(fcinfo, 2),
	RecsysArgText(fcinfo, 3), TEXTOID};
	RecsysRoutedAnswer routed;
	RecsysRequest request;

	serve(&call, &routed, &request);
	PG_RETURN_JSONB_P(RecsysRequestDocument(&request));
}
