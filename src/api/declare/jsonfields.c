/*
 * jsonfields.c
 *	  Fields of JSON objects, read and written.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

static void
wrong_type(const char *what, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" must be %s", what, type)));
}

JsonbContainer *
RecsysJsonObject(JsonbValue *value, const char *what)
{
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		wrong_type(what, "a JSON object");
	return value->val.binary.data;
}

JsonbContainer *
RecsysJsonArray(JsonbValue *value, const char *what)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		wrong_type(what, "a JSON array");
	return value->val.binary.data;
}

bool
RecsysJsonGet(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), value) != NULL &&
		value->type != jbvNull;
}

char *
RecsysJsonValueText(const JsonbValue *value, const char *what)
{
	if (value->type != jbvString)
		wrong_type(what, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

double
RecsysJsonValueNumber(const JsonbValue *value, const char *what)
{
	if (value->type != jbvNumeric)
		wrong_type(what, "a number");
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8,
											  NumericGetDatum(value->val.numeric)));
}

int64
RecsysJsonValueInteger(const JsonbValue *value, const char *what)
{
	double		number = RecsysJsonValueNumber(value, what);

	if (number != rint(number))
		wrong_type(what, "a whole number");
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

char *
RecsysJsonText(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return RecsysJsonGet(object, key, &value) ? RecsysJsonValueText(&value, key) : NULL;
}

double
RecsysJsonNumber(JsonbContainer *object, const char *key, double otherwise)
{
	JsonbValue	value;

	return RecsysJsonGet(object, key, &value) ? RecsysJsonValueNumber(&value, key) : otherwise;
}

int64
RecsysJsonInteger(JsonbContainer *object, const char *key, int64 otherwise)
{
	JsonbValue	value;

	return RecsysJsonGet(object, key, &value) ? RecsysJsonValueInteger(&value, key) : otherwise;
}

bool
RecsysJsonFlag(JsonbContainer *object, const char *key, bool otherwise)
{
	JsonbValue	value;

	if (!RecsysJsonGet(object, key, &value))
		return otherwise;
	if (value.type != jbvBool)
		wrong_type(key, "true or false");
	return value.val.boolean;
}

void
RecsysJsonCheckKeys(JsonbContainer *object, const char *const *known, int n)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			RecsysCheckWord(pnstrdup(value.val.string.val, value.val.string.len), "key", known, n);
}

static void
put(JsonbParseState **state, const char *key, JsonbValue *value)
{
	RecsysJsonPutKey(state, key);
	pushJsonbValue(state, WJB_VALUE, value);
}

void
RecsysJsonPutKey(JsonbParseState **state, const char *key)
{
	JsonbValue	name = {.type = jbvString};

	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &name);
}

void
RecsysJsonPutText(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue	text = {.type = jbvString};

	if (value == NULL)
		return;
	text.val.string.val = unconstify(char *, value);
	text.val.string.len = strlen(value);
	put(state, key, &text);
}

void
RecsysJsonPutNumber(JsonbParseState **state, const char *key, double value)
{
	JsonbValue	number = {.type = jbvNumeric};

	number.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(value)));
	put(state, key, &number);
}

void
RecsysJsonPutInteger(JsonbParseState **state, const char *key, int64 value)
{
	JsonbValue	number = {.type = jbvNumeric};

	number.val.numeric = int64_to_numeric(value);
	put(state, key, &number);
}

void
RecsysJsonPutFlag(JsonbParseState **state, const char *key, bool value)
{
	JsonbValue	flag = {.type = jbvBool};

	flag.val.boolean = value;
	put(state, key, &flag);
}

void
RecsysJsonPutElement(JsonbParseState **state, const char *value)
{
	JsonbValue	text = {.type = jbvString};

	text.val.string.val = unconstify(char *, value);
	text.val.string.len = strlen(value);
	pushJsonbValue(state, WJB_ELEM, &text);
}
