/*
 * log_requests.c
 *	  recsys.log_request(), recsys.log_impressions(), recsys.new_request_id() and
 *	  recsys.log_is_used().
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/keep/keeper.h"
#include "api/log/loggingrights.h"
#include "api/log/logshard.h"
#include "api/log/requestdocument.h"
#include "api/log/requestlog.h"
#include "catalog/pg_type.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_new_request_id);
PG_FUNCTION_INFO_V1(recsys_log_request);
PG_FUNCTION_INFO_V1(recsys_log_impressions);
PG_FUNCTION_INFO_V1(recsys_log_is_used);

/* Places of the arguments of log_impressions */
typedef enum Argument
{
	RECOMMENDER,
	ITEM_IDS,
	USER_ID,
	SESSION_ID,
	REQUEST_ID,
	SCORES,
	SOURCES,
	PROPENSITIES,
	POLICY,
	REQUEST_TIME
} Argument;

Datum
recsys_new_request_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	TimestampTz time;

	RecsysNewRequestId(id, &time);
	RecsysKeepRequestHere(id, 0);
	PG_RETURN_UUID_P(id);
}

Datum
recsys_log_is_used(PG_FUNCTION_ARGS)
{
	RecsysRights before;
	bool		used;

	RecsysBeginAsKeeper(&before);
	used = RecsysKeeperQuery("SELECT FROM recsys.request_log LIMIT 1", 0, NULL, NULL, NULL, true) > 0;
	RecsysEndAsKeeper(&before);
	PG_RETURN_BOOL(used);
}

/* What a shop says of itself is looked at before it is written. */
static void
check_propensities(const RecsysRequest *request)
{
	for (int i = 0; request->propensities != NULL && i < request->count; i++)
		if (!(request->propensities[i] > 0 && request->propensities[i] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("propensities must be above 0 and at most 1")));
}

Datum
recsys_log_request(PG_FUNCTION_ARGS)
{
	RecsysRequest request;

	RecsysCheckLogWritable("recsys.log_request()");
	RecsysReadRequestDocument(PG_GETARG_JSONB_P(0), &request);
	check_propensities(&request);
	RecsysCheckLoggedTime(request.time);
	request.recommender = RecsysLoggedName(request.recommender);
	RecsysCheckLoggedRoute(&request);
	PG_RETURN_BOOL(RecsysLogRequest(&request));
}

static void
refuse_null(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not be NULL, nor have elements that are", name)));
}

/* Elements of an array argument; *count < 0: any number */
static Datum *
elements_of(ArrayType *array, const char *name, int *count)
{
	int16		length;
	bool		byvalue;
	char		align;
	Datum	   *elements;
	bool	   *isnull;
	int			n;

	if (array_contains_nulls(array))
		refuse_null(name);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &byvalue, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, byvalue, align, &elements, &isnull, &n);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension", name)));
	if (*count >= 0 && n != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have as many elements as item_ids", name)));
	*count = n;
	return elements;
}

/* An array, or what is written as one */
static ArrayType *
items_argument(FunctionCallInfo fcinfo)
{
	Oid			input;
	Oid			element;

	if (PG_ARGISNULL(ITEM_IDS))
		refuse_null("item_ids");
	if (get_fn_expr_argtype(fcinfo->flinfo, ITEM_IDS) != TEXTOID)
		return PG_GETARG_ARRAYTYPE_P(ITEM_IDS);
	getTypeInputInfo(TEXTARRAYOID, &input, &element);
	return DatumGetArrayTypeP(OidInputFunctionCall(input, text_to_cstring(PG_GETARG_TEXT_PP(ITEM_IDS)),
												   element, -1));
}

static void
read_items(FunctionCallInfo fcinfo, RecsysRequest *request)
{
	ArrayType  *array = items_argument(fcinfo);
	Oid			output;
	bool		varlena;
	Datum	   *elements;

	request->count = -1;
	elements = elements_of(array, "item_ids", &request->count);
	request->items = palloc(sizeof(char *) * Max(request->count, 1));
	getTypeOutputInfo(ARR_ELEMTYPE(array), &output, &varlena);
	for (int i = 0; i < request->count; i++)
		request->items[i] = OidOutputFunctionCall(output, elements[i]);
}

static void
read_beside(FunctionCallInfo fcinfo, RecsysRequest *request)
{
	Datum	   *elements;

	if (!PG_ARGISNULL(SCORES))
	{
		elements = elements_of(PG_GETARG_ARRAYTYPE_P(SCORES), "scores", &request->count);
		request->scores = palloc(sizeof(float) * Max(request->count, 1));
		for (int i = 0; i < request->count; i++)
			request->scores[i] = DatumGetFloat4(elements[i]);
	}
	if (!PG_ARGISNULL(SOURCES))
	{
		elements = elements_of(PG_GETARG_ARRAYTYPE_P(SOURCES), "sources", &request->count);
		request->sources = palloc(sizeof(char *) * Max(request->count, 1));
		for (int i = 0; i < request->count; i++)
			request->sources[i] = TextDatumGetCString(elements[i]);
	}
	if (!PG_ARGISNULL(PROPENSITIES))
	{
		elements = elements_of(PG_GETARG_ARRAYTYPE_P(PROPENSITIES), "propensities", &request->count);
		request->propensities = palloc(sizeof(double) * Max(request->count, 1));
		for (int i = 0; i < request->count; i++)
			request->propensities[i] = DatumGetFloat8(elements[i]);
	}
}

/* The id that was passed, or a new one, of the time that was passed or of now. */
static void
read_id(FunctionCallInfo fcinfo, RecsysRequest *request)
{
	if (!PG_ARGISNULL(REQUEST_ID) && !PG_ARGISNULL(REQUEST_TIME))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("request_id and request_time exclude each other"),
				 errdetail("The time of a request is in its id.")));
	if (!PG_ARGISNULL(REQUEST_ID))
	{
		request->id = *PG_GETARG_UUID_P(REQUEST_ID);
		request->time = RecsysRequestIdTime(&request->id);
	}
	else if (!PG_ARGISNULL(REQUEST_TIME))
		RecsysRequestIdOf(PG_GETARG_TIMESTAMPTZ(REQUEST_TIME), &request->id, &request->time);
	else
		RecsysNewRequestId(&request->id, &request->time);
	if (PG_ARGISNULL(REQUEST_ID))
		RecsysKeepRequestHere(&request->id, 0);
}

Datum
recsys_log_impressions(PG_FUNCTION_ARGS)
{
	RecsysRequest request = {.latency_ms = NAN};
	pg_uuid_t  *id;

	RecsysCheckLogWritable("recsys.log_impressions()");
	if (PG_ARGISNULL(RECOMMENDER))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("recommender must not be NULL")));
	request.recommender = RecsysLoggedName(RecsysArgText(fcinfo, RECOMMENDER));
	read_items(fcinfo, &request);
	read_beside(fcinfo, &request);
	request.user = RecsysArgKeyText(fcinfo, USER_ID);
	request.session = RecsysArgText(fcinfo, SESSION_ID);
	request.policy = RecsysArgText(fcinfo, POLICY);
	read_id(fcinfo, &request);
	check_propensities(&request);
	RecsysCheckLoggedTime(request.time);
	(void) RecsysLogRequest(&request);

	id = palloc(sizeof(pg_uuid_t));
	*id = request.id;
	PG_RETURN_UUID_P(id);
}
