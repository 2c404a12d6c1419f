/*
 * requestdocument.c
 *	  A request as one JSON document: from a standby, by way of the application, to the primary.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/jsonfields.h"
#include "api/log/requestdocument.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static void
put_element(JsonbParseState **state, double value)
{
	JsonbValue	number = {.type = jbvNumeric};

	number.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(value)));
	pushJsonbValue(state, WJB_ELEM, &number);
}

static void
put_texts(JsonbParseState **state, const char *key, const char **texts, int count)
{
	if (texts == NULL)
		return;
	RecsysJsonPutKey(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	none = {.type = jbvNull};

		if (texts[i] == NULL)
			pushJsonbValue(state, WJB_ELEM, &none);
		else
			RecsysJsonPutElement(state, texts[i]);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
put_numbers(JsonbParseState **state, const char *key, const double *numbers, int count)
{
	if (numbers == NULL)
		return;
	RecsysJsonPutKey(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
		put_element(state, numbers[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* As short as they are written, which gives the same numbers when they are read */
static double *
as_doubles(const float *numbers, int count)
{
	double	   *doubles;

	if (numbers == NULL)
		return NULL;
	doubles = palloc(sizeof(double) * Max(count, 1));
	for (int i = 0; i < count; i++)
		doubles[i] = strtod(DatumGetCString(DirectFunctionCall1(float4out, Float4GetDatum(numbers[i]))), NULL);
	return doubles;
}

Jsonb *
RecsysRequestDocument(const RecsysRequest *request)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	RecsysJsonPutText(&state, "request_id",
					  DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&request->id))));
	RecsysJsonPutText(&state, "user_id", request->user);
	RecsysJsonPutText(&state, "session_id", request->session);
	RecsysJsonPutText(&state, "recommender", request->recommender);
	RecsysJsonPutText(&state, "experiment", request->experiment);
	RecsysJsonPutText(&state, "variant", request->variant);
	RecsysJsonPutText(&state, "bandit", request->bandit);
	RecsysJsonPutText(&state, "arm", request->arm);
	RecsysJsonPutText(&state, "policy", request->policy);
	RecsysJsonPutText(&state, "segment", request->segment);
	if (!isnan(request->latency_ms))
		RecsysJsonPutNumber(&state, "latency_ms", rint(request->latency_ms * 1000) / 1000);
	put_texts(&state, "item_ids", request->count > 0 ? request->items : (const char *[]) {NULL}, request->count);
	put_numbers(&state, "scores", as_doubles(request->scores, request->count), request->count);
	put_texts(&state, "sources", request->sources, request->count);
	put_numbers(&state, "propensities", request->propensities, request->count);
	put_texts(&state, "arms", request->arms, request->count);
	put_numbers(&state, "features", request->nfeatures > 0 ? request->features : NULL, request->nfeatures);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The elements of an array; NULL if there is no such field.  *count < 0: there may be any number. */
static JsonbValue *
read_array(JsonbContainer *document, const char *key, int *count)
{
	JsonbValue	value;
	JsonbContainer *array;
	JsonbValue *elements;
	int			length;

	if (!RecsysJsonGet(document, key, &value))
		return NULL;
	array = RecsysJsonArray(&value, key);
	length = JsonContainerSize(array);
	if (*count >= 0 && length != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("\"%s\" must have as many elements as \"item_ids\"", key)));
	*count = length;
	elements = palloc(sizeof(JsonbValue) * Max(length, 1));
	for (int i = 0; i < length; i++)
		elements[i] = *getIthJsonbValueFromContainer(array, i);
	return elements;
}

/* may_be_null: of what the elements say it may be that nothing is said */
static const char **
read_texts(JsonbContainer *document, const char *key, bool may_be_null, int *count)
{
	JsonbValue *elements = read_array(document, key, count);
	const char **texts;

	if (elements == NULL)
		return NULL;
	texts = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		/* keys that are numbers may be written as such */
		if (may_be_null && elements[i].type == jbvNull)
			texts[i] = NULL;
		else if (elements[i].type == jbvNumeric)
			texts[i] = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(elements[i].val.numeric)));
		else
			texts[i] = RecsysJsonValueText(&elements[i], key);
	}
	return texts;
}

static double *
read_numbers(JsonbContainer *document, const char *key, int *count)
{
	JsonbValue *elements = read_array(document, key, count);
	double	   *numbers;

	if (elements == NULL)
		return NULL;
	numbers = palloc(sizeof(double) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		numbers[i] = RecsysJsonValueNumber(&elements[i], key);
	return numbers;
}

static float *
as_floats(const double *numbers, int count)
{
	float	   *floats;

	if (numbers == NULL)
		return NULL;
	floats = palloc(sizeof(float) * Max(count, 1));
	for (int i = 0; i < count; i++)
		floats[i] = (float) numbers[i];
	return floats;
}

/* A key, which may be written as a number */
static char *
read_key(JsonbContainer *document, const char *key)
{
	JsonbValue	value;

	if (!RecsysJsonGet(document, key, &value))
		return NULL;
	if (value.type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
	return RecsysJsonValueText(&value, key);
}

static void
need(const void *field, const char *key)
{
	if (field == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the request has no \"%s\"", key),
				 errhint("Pass what recommend_request has returned.")));
}

void
RecsysReadRequestDocument(Jsonb *document, RecsysRequest *request)
{
	static const char *const known[] = {"request_id", "user_id", "session_id", "recommender", "experiment",
		"variant", "bandit", "arm", "policy", "segment", "latency_ms", "item_ids", "scores", "sources",
	"propensities", "arms", "features"};
	JsonbContainer *fields = &document->root;
	char	   *id;
	int			count = -1;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the request must be a JSON object"),
				 errhint("Pass what recommend_request has returned.")));
	RecsysJsonCheckKeys(fields, known, lengthof(known));
	memset(request, 0, sizeof(*request));
	id = RecsysJsonText(fields, "request_id");
	need(id, "request_id");
	request->id = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(id)));
	request->time = RecsysRequestIdTime(&request->id);
	request->user = read_key(fields, "user_id");
	request->session = read_key(fields, "session_id");
	request->recommender = RecsysJsonText(fields, "recommender");
	need(request->recommender, "recommender");
	request->experiment = RecsysJsonText(fields, "experiment");
	request->variant = RecsysJsonText(fields, "variant");
	request->bandit = RecsysJsonText(fields, "bandit");
	request->arm = RecsysJsonText(fields, "arm");
	request->policy = RecsysJsonText(fields, "policy");
	request->segment = RecsysJsonText(fields, "segment");
	request->latency_ms = RecsysJsonNumber(fields, "latency_ms", NAN);
	request->items = read_texts(fields, "item_ids", false, &count);
	need(request->items, "item_ids");
	request->count = count;
	request->scores = as_floats(read_numbers(fields, "scores", &count), count);
	request->sources = read_texts(fields, "sources", false, &count);
	request->propensities = read_numbers(fields, "propensities", &count);
	request->arms = read_texts(fields, "arms", true, &count);
	count = -1;
	request->features = read_numbers(fields, "features", &count);
	request->nfeatures = Max(count, 0);
}
