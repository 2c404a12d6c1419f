/*
 * rule_arguments.c
 *	  Reading and checking the arguments of the functions that mine baskets.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "api/basket/rule_arguments.h"
#include "api/call/arguments.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* More conditions than this in one filter are a mistake. */
#define MAX_CONDITIONS 64

static const char *
measure_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int x = 0; x < RECSYS_RULE_MEASURES; x++)
		appendStringInfo(&names, "%s%s", x == 0 ? "" : ", ",
						 RecsysRuleMeasureName((RecsysRuleMeasure) x));
	return names.data;
}

RecsysRuleMeasure
RecsysArgMeasure(const char *name, const char *argument)
{
	RecsysRuleMeasure measure;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", argument)));
	if (!RecsysRuleMeasureParse(name, &measure))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s names the unknown measure \"%s\"", argument, name),
				 errhint("Measures are %s.", measure_names())));
	return measure;
}

static void
bad_filter(const char *text, const char *place)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot understand filter \"%s\" at \"%s\"", text, place),
			 errhint("Write conditions on measures, as in 'lift >= 2 and fisher_p < 0.01'; the measures are %s.",
					 measure_names())));
}

static const char *
skip_spaces(const char *place)
{
	while (isspace((unsigned char) *place))
		place++;
	return place;
}

static const char *
skip_word(const char *place)
{
	while (isalnum((unsigned char) *place) || *place == '_')
		place++;
	return place;
}

/* measure operator number; returns the place after it */
static const char *
parse_condition(const char *text, const char *place, RecsysRuleCondition *condition)
{
	static const struct
	{
		const char *sign;
		RecsysRuleOperator operator;
	}			operators[] =
	{
		{">=", RECSYS_RULE_AT_LEAST}, {"<=", RECSYS_RULE_AT_MOST},
		{">", RECSYS_RULE_MORE}, {"<", RECSYS_RULE_LESS}
	};
	const char *word = skip_spaces(place);
	char	   *name;
	char	   *end;
	int			sign;

	place = skip_word(word);
	if (place == word)
		bad_filter(text, word);
	name = pnstrdup(word, place - word);
	condition->measure = RecsysArgMeasure(name, "filter");
	pfree(name);

	place = skip_spaces(place);
	for (sign = 0; sign < (int) lengthof(operators); sign++)
		if (strncmp(place, operators[sign].sign, strlen(operators[sign].sign)) == 0)
			break;
	if (sign == (int) lengthof(operators))
		bad_filter(text, place);
	condition->operator = operators[sign].operator;

	place = skip_spaces(place + strlen(operators[sign].sign));
	condition->value = strtod(place, &end);
	if (end == place || isnan(condition->value) || skip_word(end) != end)
		bad_filter(text, place);
	return end;
}

RecsysRuleCondition *
RecsysArgConditions(const char *text, int *count)
{
	RecsysRuleCondition *conditions;
	const char *place = text;

	*count = 0;
	if (text == NULL || *skip_spaces(text) == '\0')
		return NULL;
	conditions = palloc(sizeof(RecsysRuleCondition) * MAX_CONDITIONS);
	for (;;)
	{
		if (*count == MAX_CONDITIONS)
			bad_filter(text, place);
		place = skip_spaces(parse_condition(text, place, &conditions[(*count)++]));
		if (*place == '\0')
			return conditions;
		if (pg_strncasecmp(place, "and", 3) != 0 || !isspace((unsigned char) place[3]))
			bad_filter(text, place);
		place += 3;
	}
}

RecsysRuleCondition *
RecsysAddCondition(RecsysRuleCondition *conditions, int *count, RecsysRuleMeasure measure,
				   RecsysRuleOperator operator, double value)
{
	RecsysRuleCondition *more = palloc(sizeof(RecsysRuleCondition) * ((Size) *count + 1));

	if (*count > 0)
		memcpy(more, conditions, sizeof(RecsysRuleCondition) * *count);
	more[*count].measure = measure;
	more[*count].operator = operator;
	more[(*count)++].value = value;
	return more;
}

const char *
RecsysArgSource(FunctionCallInfo fcinfo, bool is_query)
{
	return is_query ? RecsysArgQuery(fcinfo, 0, "query") : RecsysArgText(fcinfo, 0);
}

RecsysItemsetKind
RecsysArgItemsetKind(FunctionCallInfo fcinfo, int argument)
{
	char	   *kind = RecsysArgText(fcinfo, argument);

	if (kind != NULL && pg_strcasecmp(kind, "all") == 0)
		return RECSYS_ITEMSETS_ALL;
	if (kind != NULL && pg_strcasecmp(kind, "closed") == 0)
		return RECSYS_ITEMSETS_CLOSED;
	if (kind != NULL && pg_strcasecmp(kind, "maximal") == 0)
		return RECSYS_ITEMSETS_MAXIMAL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of item sets \"%s\"", kind == NULL ? "NULL" : kind),
			 errhint("Valid values are \"all\", \"closed\" and \"maximal\".")));
	return RECSYS_ITEMSETS_ALL;
}

double
RecsysArgMinSupport(FunctionCallInfo fcinfo, int argument)
{
	double		value = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (!(value > 0 && value < 1e15) || (value >= 1 && value != floor(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_support must be a share of the baskets between 0 and 1, or a whole number of baskets"),
				 errhint("0.01 means one basket in a hundred, 50 means fifty baskets, 1 means one basket.")));
	return value;
}

uint64
RecsysSupportCount(double min_support, uint64 baskets)
{
	double		all = (double) baskets;
	double		count = min_support;

	/* the least number whose share is not below: 0.07 * 100, a little more than 7, is 7 */
	if (min_support < 1)
	{
		count = ceil(min_support * all);
		while (count > 1 && (count - 1) / all >= min_support)
			count--;
		while (count < all && count / all < min_support)
			count++;
	}
	return Max((uint64) count, 1);
}

void
RecsysArgKeys(FunctionCallInfo fcinfo, int argument, const char *name, Oid item_type,
			  RecsysKeyList *list)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *isnull;
	Oid			input;
	Oid			input_argument;

	memset(list, 0, sizeof(*list));
	if (PG_ARGISNULL(argument))
		return;
	list->present = true;
	(void) RecsysKeyKindOfType(item_type, &list->kind);
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_ELEMTYPE(array) == INT8OID)
		deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &values, &isnull, &list->count);
	else
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &isnull, &list->count);
	getTypeInputInfo(item_type, &input, &input_argument);
	list->keys = palloc(sizeof(RecsysKey) * Max(list->count, 1));

	for (int i = 0; i < list->count; i++)
	{
		if (isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain NULL", name)));
		if (ARR_ELEMTYPE(array) == INT8OID)
			RecsysKeyFromDatum(INT8OID, values[i], &list->keys[i]);
		else
			RecsysKeyFromDatum(item_type,
							   OidInputFunctionCall(input, TextDatumGetCString(values[i]),
													input_argument, -1),
							   &list->keys[i]);
	}
}

void
RecsysKeyListAs(RecsysKeyList *list, Oid type)
{
	if (list->kind != RECSYS_KEY_TEXT)
		return;
	for (int i = 0; i < list->count; i++)
		RecsysKeyFromText(type, pnstrdup(list->keys[i].data, list->keys[i].len), &list->keys[i]);
	(void) RecsysKeyKindOfType(type, &list->kind);
}
