/*
 * arguments.c
 *	  Reading and checking the arguments that the SQL functions share.
 */
#include "postgres.h"

#include "api/arguments.h"
#include "source/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

int
RecsysArgK(FunctionCallInfo fcinfo, int argument)
{
	int32		k;

	if (PG_ARGISNULL(argument))
		return PG_INT32_MAX;
	k = PG_GETARG_INT32(argument);
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
				 errmsg("k must not be negative"),
				 errhint("Pass NULL for no limit.")));
	return k;
}

char *
RecsysArgText(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return NULL;
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

char *
RecsysArgQuery(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

bool
RecsysArgFlag(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return PG_GETARG_BOOL(argument);
}

int
RecsysArgInteger(FunctionCallInfo fcinfo, int argument, const char *name, int low, int high)
{
	if (PG_ARGISNULL(argument) || PG_GETARG_INT32(argument) < low || PG_GETARG_INT32(argument) > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d and %d", name, low, high)));
	return PG_GETARG_INT32(argument);
}

int
RecsysArgIntegerOr(FunctionCallInfo fcinfo, int argument, const char *name, int low, int high,
				   int otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise :
		RecsysArgInteger(fcinfo, argument, name, low, high);
}

double
RecsysArgDouble(FunctionCallInfo fcinfo, int argument, const char *name, double low, double high)
{
	if (PG_ARGISNULL(argument) ||
		!(PG_GETARG_FLOAT8(argument) >= low && PG_GETARG_FLOAT8(argument) <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %g and %g", name, low, high)));
	return PG_GETARG_FLOAT8(argument);
}

void
RecsysArgKey(FunctionCallInfo fcinfo, int argument, RecsysKeyKind kind,
			 const char *role, const char *recommender, RecsysKey *key)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	RecsysKeyKind given;

	if (!RecsysKeyKindOfType(type, &given) || given != kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("recommender \"%s\" has %s %s keys, but %s was passed",
						recommender, RecsysKeyKindName(kind), role,
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("Cast the argument to %s.",
						 kind == RECSYS_KEY_INT ? "bigint" : RecsysKeyKindName(kind))));
	RecsysKeyFromDatum(getBaseType(type), PG_GETARG_DATUM(argument), key);
}

int64
RecsysArgHalfLife(FunctionCallInfo fcinfo, int argument, bool timed,
				  const char *recommender, int64 fallback)
{
	Interval   *interval;
	double		microseconds;

	if (PG_ARGISNULL(argument))
		return timed ? fallback : 0;

	interval = PG_GETARG_INTERVAL_P(argument);
	microseconds = RecsysIntervalMicroseconds(interval);
	if (!(microseconds >= 0 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be a positive interval"),
				 errhint("Pass NULL for the index's own setting, interval '0' for no decay.")));
	if (microseconds > 0 && !timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no time column to apply half_life to", recommender),
				 errhint("Create the index with a time: USING recsys (user_id, item_id, quantity, purchased_at).")));
	return (int64) microseconds;
}
