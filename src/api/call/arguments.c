/*
 * arguments.c
 *	  Reading and checking the arguments that the SQL functions share.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "catalog/pg_type.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The type that an argument has been passed with, which is the declared one unless that is polymorphic */
static Oid
argument_type(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	/* called from C, without an expression */
	if (!OidIsValid(type))
	{
		Oid		   *types;
		int			count;

		(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
		if (argument < count && !IsPolymorphicType(types[argument]))
			type = types[argument];
	}
	return type;
}

int
RecsysArgK(FunctionCallInfo fcinfo, int argument)
{
	int64		k;

	if (PG_ARGISNULL(argument))
		return PG_INT32_MAX;

	/* version 0.1.0 and the functions that mine baskets declare an integer */
	k = argument_type(fcinfo, argument) == INT8OID ?
		PG_GETARG_INT64(argument) : PG_GETARG_INT32(argument);
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
				 errmsg("k must not be negative"),
				 errhint("Pass NULL for no limit.")));
	return (int) Min(k, PG_INT32_MAX);
}

bool
RecsysHasArgument(FunctionCallInfo fcinfo, int argument)
{
	return argument >= 0 && argument < PG_NARGS() && !PG_ARGISNULL(argument);
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

static RecsysKeyKind
key_kind(Oid column_type)
{
	RecsysKeyKind kind;

	if (!RecsysKeyKindOfType(column_type, &kind))
		elog(ERROR, "type %u is not a key type", column_type);
	return kind;
}

static void
key_of_value(Oid type, Datum value, Oid column_type, const char *role,
			 const char *recommender, RecsysKey *key)
{
	RecsysKeyKind kind = key_kind(column_type);
	RecsysKeyKind given;

	/* of the blanks at the end of a text, what the column's type says of them holds */
	if (RecsysKeyKindOfType(type, &given) && given == kind &&
		!(getBaseType(column_type) == BPCHAROID && RecsysTypeIsText(type)))
		RecsysKeyFromDatum(getBaseType(type), value, key);
	else if (RecsysTypeIsText(type))
		RecsysKeyFromText(column_type, RecsysTextOfDatum(type, value), key);
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("recommender \"%s\" has %s %s keys, but %s was passed",
						recommender, RecsysKeyKindName(kind), role,
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 kind == RECSYS_KEY_UUID ?
				 errhint("Pass a uuid, or one that is written as text.") :
				 errhint("Cast the argument to %s.", RecsysKeyKindTypeName(kind))));
}

void
RecsysArgKey(FunctionCallInfo fcinfo, int argument, Oid column_type,
			 const char *role, const char *recommender, RecsysKey *key)
{
	key_of_value(argument_type(fcinfo, argument), PG_GETARG_DATUM(argument), column_type,
				 role, recommender, key);
}

bool
RecsysArgIsText(FunctionCallInfo fcinfo, int argument)
{
	return RecsysTypeIsText(argument_type(fcinfo, argument));
}

bool
RecsysArgIsKey(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = argument_type(fcinfo, argument);
	RecsysKeyKind kind;

	return RecsysTypeIsText(type) || (OidIsValid(type) && RecsysKeyKindOfType(type, &kind));
}

char *
RecsysArgKeyText(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = argument_type(fcinfo, argument);
	RecsysKeyKind kind;
	RecsysKey	key;

	if (PG_ARGISNULL(argument))
		return NULL;
	if (RecsysTypeIsText(type))
		return RecsysTextOfDatum(type, PG_GETARG_DATUM(argument));
	if (!RecsysKeyKindOfType(type, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s cannot be a key", OidIsValid(type) ? format_type_be(type) : "unknown")));
	RecsysKeyFromDatum(getBaseType(type), PG_GETARG_DATUM(argument), &key);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, &key));
}

/* A text as PostgreSQL writes arrays, such as '{1,2}' or '{"1","2"}' */
static ArrayType *
read_array(const char *text, RecsysKeyKind kind)
{
	Oid			type = get_array_type(RecsysKeyKindType(kind));
	Oid			input;
	Oid			element;

	getTypeInputInfo(type, &input, &element);
	return DatumGetArrayTypeP(OidInputFunctionCall(input, unconstify(char *, text), element, -1));
}

int
RecsysArgKeyArray(FunctionCallInfo fcinfo, int argument, Oid column_type,
				  const char *recommender, RecsysKey **keys)
{
	Oid			type = argument_type(fcinfo, argument);
	ArrayType  *array;
	int16		length;
	bool		byvalue;
	char		align;
	Datum	   *values;
	bool	   *isnull;
	int			count;
	int			kept = 0;

	if (RecsysTypeIsText(type))
		array = read_array(RecsysTextOfDatum(type, PG_GETARG_DATUM(argument)),
						   key_kind(column_type));
	else
		array = PG_GETARG_ARRAYTYPE_P(argument);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &byvalue, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, byvalue, align, &values, &isnull, &count);
	*keys = palloc(sizeof(RecsysKey) * Max(count, 1));
	for (int i = 0; i < count; i++)
		if (!isnull[i])
			key_of_value(ARR_ELEMTYPE(array), values[i], column_type, "item", recommender,
						 &(*keys)[kept++]);
	return kept;
}

static void
read_argument(FunctionCallInfo fcinfo, int argument, Oid type)
{
	Oid			input;
	Oid			element;

	if (PG_ARGISNULL(argument))
		return;
	getTypeInputInfo(type, &input, &element);
	fcinfo->args[argument].value =
		OidInputFunctionCall(input, text_to_cstring(PG_GETARG_TEXT_PP(argument)), element, -1);
}

FunctionCallInfo
RecsysReadArguments(FunctionCallInfo fcinfo, int first, const Oid *types, int n)
{
	FunctionCallInfo read = palloc(SizeForFunctionCallInfo(PG_NARGS()));

	memcpy(read, fcinfo, SizeForFunctionCallInfo(PG_NARGS()));
	for (int i = 0; i < n; i++)
		read_argument(read, first + i, types[i]);
	return read;
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
				 errhint("Create an index with a time, as in CREATE INDEX ON purchases USING recsys (user_id, product_id, quantity, purchased_at).")));
	return (int64) microseconds;
}
