/*
 * contextfilter.c
 *	  What the context of a call asks of items, as conditions of a query.
 *
 * A call comes from an application, often enough with what a visitor has typed.  Names are
 * looked up among the columns, and nothing else becomes part of a query; values are parameters.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "api/eligible/contextfilter.h"
#include "api/eligible/typeoperator.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef enum ConditionForm
{
	CONDITION_SCALAR,			/* expression operator $n */
	CONDITION_ANY,				/* expression operator ANY ($n) */
	CONDITION_OVERLAPS,			/* of a column that is an array, an element is among $n */
	CONDITION_NULL				/* nothing but null was asked for */
} ConditionForm;

typedef struct RecsysContextCondition
{
	char	   *expression;
	char	   *operator;
	ConditionForm form;
	bool		or_null;
} RecsysContextCondition;

/* What a name of the filter stands for */
typedef struct Subject
{
	char	   *expression;
	Oid			type;			/* a base type */
	RecsysComparison comparison;
} Subject;

static void
add_context(void *arg)
{
	errcontext("value of \"%s\" in the filter of the context", (const char *) arg);
}

static bool
find_column(const RecsysDefinition *definition, Relation items, const char *name, Subject *subject)
{
	TupleDesc	columns = RelationGetDescr(items);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
			continue;
		subject->expression = psprintf("%s.%s", definition->items_alias, quote_identifier(name));
		subject->type = getBaseType(column->atttypid);
		return true;
	}
	return false;
}

static bool
find_declared(const RecsysDefinition *definition, Oid category_type, Oid seller_type,
			  const char *name, Subject *subject)
{
	if (strcmp(name, "price") == 0 && definition->price != NULL)
	{
		subject->expression = psprintf("(%s)::pg_catalog.float8", definition->price);
		subject->type = FLOAT8OID;
		return true;
	}
	if (strcmp(name, "category") == 0 && definition->category != NULL)
	{
		subject->expression = psprintf("(%s)", definition->category);
		subject->type = category_type;
		return true;
	}
	if (strcmp(name, "seller") == 0 && definition->seller != NULL)
	{
		subject->expression = psprintf("(%s)", definition->seller);
		subject->type = seller_type;
		return true;
	}
	return false;
}

static void
unknown_column(const RecsysDefinition *definition, Relation items,
			   const RecsysContextFilter *filter)
{
	TupleDesc	columns = RelationGetDescr(items);
	const char **known = palloc(sizeof(char *) * (columns->natts + 3));
	const char *nearest;
	int			n = 0;

	for (int i = 0; i < columns->natts; i++)
		if (!TupleDescAttr(columns, i)->attisdropped)
			known[n++] = NameStr(TupleDescAttr(columns, i)->attname);
	if (definition->price != NULL)
		known[n++] = "price";
	if (definition->category != NULL)
		known[n++] = "category";
	if (definition->seller != NULL)
		known[n++] = "seller";
	nearest = RecsysNearestWord(filter->column, known, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" in the filter of the context does not exist", filter->column),
			 errdetail("The items of recommender \"%s\" are those of %s.", definition->name,
					   definition->items),
			 nearest != NULL ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
}

/* A column called max_weight is itself, unless there is one called weight. */
static void
find_subject(const RecsysDefinition *definition, Relation items, Oid category_type,
			 Oid seller_type, const RecsysContextFilter *filter, Subject *subject)
{
	subject->comparison = filter->comparison;
	if (find_column(definition, items, filter->column, subject))
		return;
	if (filter->comparison != RECSYS_EQUAL &&
		find_column(definition, items,
					psprintf("%s_%s", filter->comparison == RECSYS_AT_MOST ? "max" : "min",
							 filter->column), subject))
	{
		subject->comparison = RECSYS_EQUAL;
		return;
	}
	if (!find_declared(definition, category_type, seller_type, filter->column, subject))
		unknown_column(definition, items, filter);
}

static int
count_nulls(const RecsysContextFilter *filter)
{
	int			count = 0;

	for (int i = 0; i < filter->nvalues; i++)
		count += filter->values[i] == NULL;
	return count;
}

/* Reads the values that are not null as a type's input function does. */
static Datum *
read_values(const RecsysContextFilter *filter, Oid type)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(filter->nvalues, 1));
	ErrorContextCallback callback = {error_context_stack, add_context, filter->column};
	Oid			input;
	Oid			argument;
	int			n = 0;

	error_context_stack = &callback;
	getTypeInputInfo(type, &input, &argument);
	for (int i = 0; i < filter->nvalues; i++)
		if (filter->values[i] != NULL)
			values[n++] = OidInputFunctionCall(input, filter->values[i], argument, -1);
	error_context_stack = callback.previous;
	return values;
}

static Datum
array_of(Datum *values, int n, Oid type)
{
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, n, type, length, by_value, align));
}

static void
add_value(RecsysContextConditions *conditions, Oid type, Datum value)
{
	conditions->types[conditions->nvalues] = type;
	conditions->values[conditions->nvalues++] = value;
}

static StrategyNumber
strategy_of(RecsysComparison comparison)
{
	switch (comparison)
	{
		case RECSYS_AT_MOST:
			return BTLessEqualStrategyNumber;
		case RECSYS_AT_LEAST:
			return BTGreaterEqualStrategyNumber;
		default:
			return BTEqualStrategyNumber;
	}
}

static void
add_condition(RecsysContextConditions *conditions, const RecsysContextFilter *filter,
			  const Subject *subject)
{
	RecsysContextCondition *condition = &conditions->conditions[conditions->count];
	Oid			element = get_element_type(subject->type);
	Oid			type = OidIsValid(element) ? element : subject->type;
	int			nulls = count_nulls(filter);
	int			n = filter->nvalues - nulls;
	Datum	   *values = read_values(filter, type);

	/* no upper or lower bound at all, as applications send it from an empty field */
	if (subject->comparison != RECSYS_EQUAL && n == 0)
		return;
	condition->expression = subject->expression;
	condition->or_null = nulls > 0 && subject->comparison == RECSYS_EQUAL;
	condition->form = n == 0 && condition->or_null ? CONDITION_NULL :
		OidIsValid(element) ? CONDITION_OVERLAPS :
		n == 1 ? CONDITION_SCALAR : CONDITION_ANY;
	condition->operator = condition->form == CONDITION_OVERLAPS ?
		pstrdup("OPERATOR(pg_catalog.&&)") :
		RecsysTypeOperator(subject->type, strategy_of(subject->comparison));
	if (condition->operator == NULL ||
		(OidIsValid(element) && subject->comparison != RECSYS_EQUAL) ||
		(n != 1 && !OidIsValid(get_array_type(type))))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("values of type %s cannot be compared in the filter of the context",
						format_type_be(subject->type)),
				 errcontext("value of \"%s\" in the filter of the context", filter->column)));
	conditions->count++;

	if (condition->form == CONDITION_SCALAR)
		add_value(conditions, type, values[0]);
	else if (condition->form != CONDITION_NULL)
		add_value(conditions, get_array_type(type), array_of(values, n, type));
}

RecsysContextConditions *
RecsysContextConditionsOf(const RecsysDefinition *definition, Relation items, Oid category_type,
						  Oid seller_type, const RecsysContext *context)
{
	RecsysContextConditions *conditions = palloc0(sizeof(RecsysContextConditions));
	StringInfoData shape;

	conditions->conditions = palloc(sizeof(RecsysContextCondition) * Max(context->nfilters, 1));
	conditions->types = palloc(sizeof(Oid) * Max(context->nfilters, 1));
	conditions->values = palloc(sizeof(Datum) * Max(context->nfilters, 1));
	for (int i = 0; i < context->nfilters; i++)
	{
		Subject		subject;

		find_subject(definition, items, category_type, seller_type, &context->filters[i], &subject);
		add_condition(conditions, &context->filters[i], &subject);
	}

	/* the text of the conditions, and what the parameters in it are */
	initStringInfo(&shape);
	RecsysAppendContextConditions(&shape, conditions, 1);
	for (int i = 0; i < conditions->nvalues; i++)
		appendStringInfo(&shape, " %u", conditions->types[i]);
	conditions->shape = shape.data;
	return conditions;
}

void
RecsysAppendContextConditions(StringInfo text, const RecsysContextConditions *conditions,
							  int parameter)
{
	for (int i = 0; conditions != NULL && i < conditions->count; i++)
	{
		const RecsysContextCondition *condition = &conditions->conditions[i];

		appendStringInfoString(text, " AND (");
		if (condition->form == CONDITION_ANY)
			appendStringInfo(text, "%s %s ANY ($%d)", condition->expression, condition->operator,
							 parameter++);
		else if (condition->form != CONDITION_NULL)
			appendStringInfo(text, "%s %s $%d", condition->expression, condition->operator,
							 parameter++);
		if (condition->or_null)
			appendStringInfo(text, "%s%s IS NULL",
							 condition->form == CONDITION_NULL ? "" : " OR ", condition->expression);
		appendStringInfoChar(text, ')');
	}
}
