/*
 * log_events.c
 *	  recsys.log_click(), recsys.log_add_to_cart(), recsys.log_event().
 *
 * Everybody may call them: who knows the id of a request, which cannot be guessed, has been shown
 * its list.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/log/loggingrights.h"
#include "api/log/requestlog.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_log_click);
PG_FUNCTION_INFO_V1(recsys_log_add_to_cart);
PG_FUNCTION_INFO_V1(recsys_log_event);

static void
need_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
}

/* Arguments: request, item */
static Datum
log_item(FunctionCallInfo fcinfo, const char *kind, const char *function)
{
	RecsysCheckLogWritable(function);
	need_argument(fcinfo, 0, "request_id");
	need_argument(fcinfo, 1, "item_id");
	PG_RETURN_BOOL(RecsysLogEvent(PG_GETARG_UUID_P(0), kind, RecsysArgKeyText(fcinfo, 1), NAN, NULL,
								  GetCurrentTimestamp()));
}

Datum
recsys_log_click(PG_FUNCTION_ARGS)
{
	return log_item(fcinfo, "click", "recsys.log_click()");
}

Datum
recsys_log_add_to_cart(PG_FUNCTION_ARGS)
{
	return log_item(fcinfo, "cart", "recsys.log_add_to_cart()");
}

/* Arguments: request, kind, item, value, key, time */
Datum
recsys_log_event(PG_FUNCTION_ARGS)
{
	RecsysCheckLogWritable("recsys.log_event()");
	need_argument(fcinfo, 0, "request_id");
	need_argument(fcinfo, 1, "kind");
	need_argument(fcinfo, 2, "item_id");
	PG_RETURN_BOOL(RecsysLogEvent(PG_GETARG_UUID_P(0), RecsysArgText(fcinfo, 1),
								  RecsysArgKeyText(fcinfo, 2),
								  PG_ARGISNULL(3) ? NAN : PG_GETARG_FLOAT8(3),
								  RecsysArgText(fcinfo, 4),
								  PG_ARGISNULL(5) ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(5)));
}
