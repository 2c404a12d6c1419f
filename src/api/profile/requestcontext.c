/*
 * requestcontext.c
 *	  The context argument: what a call says beside the user.
 *
 * Numbers are read by way of their text, as jsonb has them exactly: an item key beyond
 * 2^53 is the same as in the table.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "api/profile/requestcontext.h"
#include "catalog/pg_type.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_PREFIX "max_"
#define MIN_PREFIX "min_"
#define PREFIX_LENGTH 4

static const char *const words[] = {"cart", "recently_viewed", "exclude", "filter", "segment", "features"};

/* "an array", as jsonb_typeof has it, with its article */
static const char *
describe(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		case jbvArray:
			return "an array";
		case jbvObject:
			return "an object";
		default:
			break;
	}
	return JsonContainerIsArray(value->val.binary.data) ? "an array" : "an object";
}

static bool
is_container(const JsonbValue *value)
{
	return value->type == jbvBinary || value->type == jbvArray || value->type == jbvObject;
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* A scalar other than null as text.  Trailing zeros say nothing: 7.0 is the item 7. */
static char *
text_of_scalar(const JsonbValue *value)
{
	Numeric		number;

	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			number = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale,
														 NumericGetDatum(value->val.numeric)));
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	}
}

static void
refuse(const char *word, const char *expected, const JsonbValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" of the context must be %s, not %s", word, expected, describe(value)),
			 errhint("A context looks like %s.",
					 "{\"cart\": [1001], \"recently_viewed\": [77, 78], \"exclude\": [5], \"filter\": {\"max_price\": 30}}")));
}

/* The items of an array; null elements are none. */
static int
read_items(const char *word, const JsonbValue *value, Oid item_type, RecsysKey **keys)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	int			n = 0;

	*keys = NULL;
	if (value->type == jbvNull)
		return 0;
	if (!is_array(value))
		refuse(word, "an array of items", value);
	*keys = palloc_extended(sizeof(RecsysKey) *
							(Size) Max(JsonContainerSize(value->val.binary.data), 1), MCXT_ALLOC_HUGE);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM || element.type == jbvNull)
			continue;
		if (element.type != jbvString && element.type != jbvNumeric)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" of the context has %s where an item is expected", word,
							describe(&element)),
					 errdetail("Items are numbers or strings.")));
		RecsysKeyFromText(item_type, text_of_scalar(&element), &(*keys)[n++]);
	}
	return n;
}

/* The values that a column may have */
static void
read_values(const char *word, const JsonbValue *value, RecsysContextFilter *filter)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;

	if (!is_array(value))
	{
		if (is_container(value))
			refuse(word, "a value or an array of values", value);
		filter->values = palloc(sizeof(char *));
		filter->values[0] = value->type == jbvNull ? NULL : text_of_scalar(value);
		filter->nvalues = 1;
		return;
	}
	filter->values = palloc_extended(sizeof(char *) *
									 (Size) Max(JsonContainerSize(value->val.binary.data), 1),
									 MCXT_ALLOC_HUGE);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		if (is_container(&element))
			refuse(word, "a value or an array of values", &element);
		filter->values[filter->nvalues++] = element.type == jbvNull ? NULL : text_of_scalar(&element);
	}
}

/* False for a bound that is null: there is none. */
static bool
read_filter(const char *word, const JsonbValue *value, RecsysContextFilter *filter)
{
	bool		most = strncmp(word, MAX_PREFIX, PREFIX_LENGTH) == 0 && word[PREFIX_LENGTH] != '\0';
	bool		least = strncmp(word, MIN_PREFIX, PREFIX_LENGTH) == 0 && word[PREFIX_LENGTH] != '\0';

	filter->comparison = most ? RECSYS_AT_MOST : least ? RECSYS_AT_LEAST : RECSYS_EQUAL;
	filter->column = pstrdup(most || least ? word + PREFIX_LENGTH : word);
	if ((most || least) && value->type == jbvNull)
		return false;
	if ((most || least) && is_container(value))
		refuse(word, "a single value", value);
	read_values(word, value, filter);
	return true;
}

static int
compare_filters(const void *a, const void *b)
{
	const RecsysContextFilter *left = a;
	const RecsysContextFilter *right = b;
	int			order = strcmp(left->column, right->column);

	return order != 0 ? order : (int) left->comparison - (int) right->comparison;
}

static void
read_filters(const JsonbValue *value, RecsysContext *context)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	char	   *word = NULL;

	if (value->type == jbvNull)
		return;
	if (!is_object(value))
		refuse("filter", "an object of columns and values", value);
	context->filters = palloc0(sizeof(RecsysContextFilter) *
							   Max(JsonContainerSize(value->val.binary.data), 1));
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			word = pnstrdup(element.val.string.val, element.val.string.len);
		else if (token == WJB_VALUE &&
				 read_filter(word, &element, &context->filters[context->nfilters]))
			context->nfilters++;
	}
	qsort(context->filters, context->nfilters, sizeof(RecsysContextFilter), compare_filters);
}

static void
read_segment(const JsonbValue *value, RecsysContext *context)
{
	if (value->type == jbvNull)
		return;
	if (value->type != jbvString && value->type != jbvNumeric)
		refuse("segment", "a string", value);
	context->segment = text_of_scalar(value);
}

static void
read_word(const char *word, int length, const JsonbValue *value, Oid item_type,
		  RecsysContext *context)
{
	for (int x = 0; x < lengthof(words); x++)
	{
		if (strlen(words[x]) != length || strncmp(words[x], word, length) != 0)
			continue;
		switch (x)
		{
			case 0:
				context->ncart = read_items(words[x], value, item_type, &context->cart);
				return;
			case 1:
				context->nviewed = read_items(words[x], value, item_type, &context->viewed);
				return;
			case 2:
				context->nexclude = read_items(words[x], value, item_type, &context->exclude);
				return;
			case 3:
				read_filters(value, context);
				return;
			case 4:
				read_segment(value, context);
				return;
			case 5:
				/* for who chooses what is to answer, see api/route/banditfeatures */
				if (value->type != jbvNull && !is_object(value))
					refuse(words[x], "an object of names and values", value);
				return;
		}
	}
	RecsysCheckWord(pnstrdup(word, length), "key of the context", words, lengthof(words));
}

RecsysContext *
RecsysContextRead(Jsonb *json, Oid item_type)
{
	RecsysContext *context = palloc0(sizeof(RecsysContext));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	JsonbValue	word = {0};

	if (json == NULL)
		return context;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the context must be a JSON object"),
				 errhint("A context looks like %s.",
						 "{\"cart\": [1001], \"recently_viewed\": [77, 78], \"exclude\": [5], \"filter\": {\"max_price\": 30}}")));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			word = element;
		else if (token == WJB_VALUE)
			read_word(word.val.string.val, word.val.string.len, &element, item_type, context);
	}
	return context;
}
