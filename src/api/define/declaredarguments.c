/*
 * declaredarguments.c
 *	  Arguments of the functions that declare something, as JSON.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/define/declaredarguments.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

static void
put_array(JsonbParseState **state, ArrayType *array)
{
	bool		texts = ARR_ELEMTYPE(array) == TEXTOID;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	if (texts)
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &isnull, &count);
	else
		deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &values, &isnull, &count);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	element = {.type = jbvNumeric};

		if (isnull[i])
			continue;
		if (texts)
		{
			RecsysJsonPutElement(state, TextDatumGetCString(values[i]));
			continue;
		}
		element.val.numeric = DatumGetNumeric(DirectFunctionCall1(int4_numeric, values[i]));
		pushJsonbValue(state, WJB_ELEM, &element);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
put_json(JsonbParseState **state, Jsonb *json)
{
	JsonbValue	value = {.type = jbvBinary};

	if (JB_ROOT_IS_SCALAR(json))
		(void) JsonbExtractScalar(&json->root, &value);
	else
	{
		value.val.binary.data = &json->root;
		value.val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
put_argument(JsonbParseState **state, const char *name, Oid type, Datum value)
{
	switch (type)
	{
		case TEXTOID:
			RecsysJsonPutText(state, name, TextDatumGetCString(value));
			break;
		case BOOLOID:
			RecsysJsonPutFlag(state, name, DatumGetBool(value));
			break;
		case INT4OID:
			RecsysJsonPutInteger(state, name, DatumGetInt32(value));
			break;
		case INT8OID:
			RecsysJsonPutInteger(state, name, DatumGetInt64(value));
			break;
		case FLOAT8OID:
			if (!isfinite(DatumGetFloat8(value)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s must be a finite number", name)));
			RecsysJsonPutNumber(state, name, DatumGetFloat8(value));
			break;
		case INTERVALOID:
			RecsysJsonPutText(state, name, DatumGetCString(DirectFunctionCall1(interval_out, value)));
			break;
		case TEXTARRAYOID:
		case INT4ARRAYOID:
			RecsysJsonPutKey(state, name);
			put_array(state, DatumGetArrayTypeP(value));
			break;
		case JSONBOID:
			RecsysJsonPutKey(state, name);
			put_json(state, DatumGetJsonbP(value));
			break;
		default:
			elog(ERROR, "argument \"%s\" is of type %u", name, type);
	}
}

Jsonb *
RecsysGivenArguments(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	JsonbParseState *state = NULL;
	Oid		   *types;
	int			count;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
	if (count < n + 1)
		elog(ERROR, "function %u has %d arguments", fcinfo->flinfo->fn_oid, count);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
		if (!PG_ARGISNULL(i + 1))
			put_argument(&state, names[i], types[i + 1], PG_GETARG_DATUM(i + 1));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

List *
RecsysResetNames(FunctionCallInfo fcinfo, int argument, Jsonb *given, const char *const *names, int n,
				 const char *must_stay, const char *because)
{
	List	   *reset = NIL;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	if (PG_ARGISNULL(argument))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &isnull, &count);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	value;
		char	   *name;

		if (isnull[i])
			continue;
		name = TextDatumGetCString(values[i]);
		RecsysCheckWord(name, "parameter", names, n);
		if (must_stay != NULL && strcmp(name, must_stay) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s cannot be reset", name),
					 errdetail_internal("%s", because)));
		if (RecsysJsonGet(&given->root, name, &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is both given and reset", name)));
		reset = lappend(reset, name);
	}
	return reset;
}

bool
RecsysIsAmong(const char *name, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(name, lfirst(cell)) == 0)
			return true;
	return false;
}

Jsonb *
RecsysWithoutFields(Jsonb *definition, List *left_out, const char *const *names, int n)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		JsonbValue	value;

		if (RecsysIsAmong(names[i], left_out) || !RecsysJsonGet(&definition->root, names[i], &value))
			continue;
		RecsysJsonPutKey(&state, names[i]);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

void
RecsysCheckNewOwner(const char *owner)
{
	Oid			role = get_role_oid(owner, false);

	if (!superuser() && !has_privs_of_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must have privileges of role \"%s\"", owner)));
}
