/*
 * itemquery.c
 *	  The text of the queries that the table of items is asked.
 *
 *		SELECT i."recsys 0", …, s."recsys 7", …
 *		FROM (SELECT item."product_id" AS "recsys 0", (category) AS "recsys 1", …
 *			  FROM products AS item
 *			  WHERE item."product_id" = ANY ($1) AND (stock > 0) AND …) AS i
 *		LEFT JOIN LATERAL (SELECT (rating_sum) AS "recsys 7", …
 *						   FROM sellers AS seller WHERE seller.id = i."recsys 3" LIMIT 1) AS s ON true
 *
 * Expressions over the items and those over the sellers stand in queries of their own, so that
 * a column that both tables have is meant as it was when the recommender was declared.  The
 * planner makes one join of them.
 */
#include "postgres.h"

#include "api/eligible/itemquery.h"
#include "lib/stringinfo.h"

#define KEY_EQUALS "OPERATOR(pg_catalog.=)"

/* Sets of promotions are cut here, the largest boosts first. */
#define MOST_PROMOTIONS "10000"

bool
RecsysItemQueryHasArray(RecsysItemQuery query)
{
	switch (query)
	{
		case RECSYS_QUERY_KNOWN:
		case RECSYS_QUERY_AMONG:
		case RECSYS_QUERY_OFFERS:
		case RECSYS_QUERY_GROUPS:
		case RECSYS_QUERY_TITLES:
			return true;
		default:
			return false;
	}
}

bool
RecsysItemQueryIsFiltered(RecsysItemQuery query)
{
	switch (query)
	{
		case RECSYS_QUERY_AMONG:
		case RECSYS_QUERY_OFFERS:
		case RECSYS_QUERY_ALL:
		case RECSYS_QUERY_NEW:
		case RECSYS_QUERY_OF_NEW_SELLERS:
		case RECSYS_QUERY_PASSING:
			return true;
		default:
			return false;
	}
}

static bool
is_ordered(RecsysItemQuery query)
{
	return query == RECSYS_QUERY_ALL || query == RECSYS_QUERY_NEW ||
		query == RECSYS_QUERY_OF_NEW_SELLERS;
}

/* Is anything but its key wanted of a seller? */
static bool
joins_sellers(const RecsysDefinition *definition)
{
	return definition->seller != NULL && definition->sellers != NULL &&
		(definition->seller_rating_sum != NULL || definition->seller_ratings != NULL ||
		 definition->new_seller_since != NULL);
}

static int
next_column(RecsysItemColumns *columns, const void *declared)
{
	return declared != NULL ? columns->count++ : -1;
}

/* Many caps are on what is asked for anyway. */
static int
cap_column(RecsysItemColumns *columns, const RecsysDefinition *definition, int cap)
{
	const char *expression = definition->caps[cap].expression;

	if (definition->group_by != NULL && strcmp(expression, definition->group_by) == 0)
		return columns->group;
	if (definition->category != NULL && strcmp(expression, definition->category) == 0)
		return columns->category;
	if (definition->seller != NULL && strcmp(expression, definition->seller) == 0)
		return columns->seller;
	for (int i = 0; i < cap; i++)
		if (strcmp(expression, definition->caps[i].expression) == 0)
			return columns->caps[i];
	return columns->count++;
}

RecsysItemColumns *
RecsysItemColumnsOf(const RecsysDefinition *definition)
{
	RecsysItemColumns *columns = palloc0(sizeof(RecsysItemColumns));
	bool		sellers = joins_sellers(definition);

	columns->count = 1;
	columns->group = next_column(columns, definition->group_by);
	columns->category = next_column(columns, definition->category);
	columns->seller = next_column(columns, definition->seller);
	columns->ncaps = definition->ncaps;
	columns->caps = palloc(sizeof(int) * Max(columns->ncaps, 1));
	for (int i = 0; i < columns->ncaps; i++)
		columns->caps[i] = cap_column(columns, definition, i);
	columns->price = next_column(columns, definition->price);
	columns->is_new = next_column(columns, definition->new_item_since);
	columns->is_repeatable = next_column(columns, definition->repeatable);
	columns->seller_sum = next_column(columns, sellers ? definition->seller_rating_sum : NULL);
	columns->seller_ratings = next_column(columns, sellers ? definition->seller_ratings : NULL);
	columns->is_new_seller = next_column(columns, sellers ? definition->new_seller_since : NULL);
	return columns;
}

/* Each column once, in the order of their places: caps may have the place of another one. */
static void
append_column(StringInfo text, int column, int *next, const char *before, const char *expression,
			  const char *after)
{
	if (column != *next)
		return;
	appendStringInfo(text, ", %s%s%s AS \"recsys %d\"", before, expression, after, column);
	(*next)++;
}

#define TEXT_OF(expression) "(", expression, ")"
#define NUMBER_OF(expression) "(", expression, ")::pg_catalog.float8"
#define TRUTH_OF(expression) "((", expression, ") IS TRUE)"

/* Returns how many columns there are of the items themselves. */
static int
append_attributes(StringInfo text, const RecsysDefinition *definition,
				  const RecsysItemColumns *columns)
{
	int			next = 1;

	append_column(text, columns->group, &next, TEXT_OF(definition->group_by));
	append_column(text, columns->category, &next, TEXT_OF(definition->category));
	append_column(text, columns->seller, &next, TEXT_OF(definition->seller));
	for (int i = 0; i < columns->ncaps; i++)
		append_column(text, columns->caps[i], &next, TEXT_OF(definition->caps[i].expression));
	append_column(text, columns->price, &next, NUMBER_OF(definition->price));
	append_column(text, columns->is_new, &next, TRUTH_OF(definition->new_item_since));
	append_column(text, columns->is_repeatable, &next, TRUTH_OF(definition->repeatable));
	return next;
}

/* LIMIT 1: a seller that is there twice does not make two items of one. */
static void
append_sellers(StringInfo text, const RecsysDefinition *definition,
			   const RecsysItemColumns *columns, int next)
{
	appendStringInfoString(text, " LEFT JOIN LATERAL (SELECT true");
	append_column(text, columns->seller_sum, &next, NUMBER_OF(definition->seller_rating_sum));
	append_column(text, columns->seller_ratings, &next, NUMBER_OF(definition->seller_ratings));
	append_column(text, columns->is_new_seller, &next, TRUTH_OF(definition->new_seller_since));
	appendStringInfo(text, " FROM %s AS %s WHERE %s.%s = \"recsys item\".\"recsys %d\" LIMIT 1)"
					 " AS \"recsys seller\" ON true",
					 definition->sellers, definition->sellers_alias, definition->sellers_alias,
					 definition->seller_key, columns->seller);
}

/* Returns the number of the first parameter that is free. */
static int
append_array_condition(StringInfo text, const RecsysDefinition *definition, RecsysItemQuery query,
					   const char *group_equals)
{
	if (!RecsysItemQueryHasArray(query))
	{
		appendStringInfoString(text, "true");
		return 1;
	}
	if (query != RECSYS_QUERY_OFFERS)
		appendStringInfo(text, "%s.%s " KEY_EQUALS " ANY ($1)", definition->items_alias,
						 definition->item_key);
	else if (group_equals != NULL)
		appendStringInfo(text, "(%s) %s ANY ($1)", definition->group_by, group_equals);
	else
		appendStringInfo(text, "(%s)::pg_catalog.text " KEY_EQUALS " ANY ($1)",
						 definition->group_by);
	return 2;
}

static void
append_where(StringInfo text, const RecsysDefinition *definition, RecsysItemQuery query,
			 const RecsysContextConditions *conditions, const char *group_equals)
{
	int			parameter;

	appendStringInfoString(text, " WHERE ");
	parameter = append_array_condition(text, definition, query, group_equals);
	if (!RecsysItemQueryIsFiltered(query))
		return;
	if (definition->item_filter != NULL)
		appendStringInfo(text, " AND (%s)", definition->item_filter);
	RecsysAppendContextConditions(text, conditions, parameter);
	if (query == RECSYS_QUERY_NEW)
		appendStringInfo(text, " AND (%s)",
						 definition->new_item_since != NULL ? definition->new_item_since : "false");
	if (query == RECSYS_QUERY_OF_NEW_SELLERS && !joins_sellers(definition))
		appendStringInfoString(text, " AND false");
	else if (query == RECSYS_QUERY_OF_NEW_SELLERS)
		appendStringInfo(text, " AND (%s) IN (SELECT %s.%s FROM %s AS %s WHERE (%s))",
						 definition->seller, definition->sellers_alias, definition->seller_key,
						 definition->sellers, definition->sellers_alias,
						 definition->new_seller_since != NULL ? definition->new_seller_since : "false");
}

/* Rows of the items with all that is declared of them */
static void
append_rows(StringInfo text, const RecsysDefinition *definition, RecsysItemQuery query,
			const RecsysContextConditions *conditions, const char *group_equals)
{
	RecsysItemColumns *columns = RecsysItemColumnsOf(definition);
	int			own;

	appendStringInfoString(text, "SELECT ");
	for (int i = 0; i < columns->count; i++)
		appendStringInfo(text, "%s\"recsys %d\"", i == 0 ? "" : ", ", i);
	appendStringInfo(text, " FROM (SELECT %s.%s AS \"recsys 0\"", definition->items_alias,
					 definition->item_key);
	own = append_attributes(text, definition, columns);
	if (query == RECSYS_QUERY_OFFERS)
		appendStringInfo(text, ", (%s) AS \"recsys order\"", definition->offer_order);
	appendStringInfo(text, " FROM %s AS %s", definition->items, definition->items_alias);
	append_where(text, definition, query, conditions, group_equals);
	appendStringInfoString(text, ") AS \"recsys item\"");
	if (joins_sellers(definition))
		append_sellers(text, definition, columns, own);
	if (query == RECSYS_QUERY_OFFERS)
		appendStringInfoString(text, " ORDER BY \"recsys order\", \"recsys 0\"");
	else if (is_ordered(query))
		appendStringInfoString(text, " ORDER BY \"recsys 0\"");
}

static void
append_promotions(StringInfo text, const RecsysDefinition *definition)
{
	appendStringInfo(text, "SELECT \"recsys 0\", pg_catalog.max(\"recsys 1\")"
					 " FROM (SELECT %s.%s AS \"recsys 0\", (%s)::pg_catalog.float8 AS \"recsys 1\""
					 " FROM %s AS %s WHERE %s.%s IS NOT NULL",
					 definition->promotions_alias, definition->promotion_item,
					 definition->promotion_boost, definition->promotions,
					 definition->promotions_alias, definition->promotions_alias,
					 definition->promotion_item);
	if (definition->promotion_when != NULL)
		appendStringInfo(text, " AND (%s)", definition->promotion_when);
	appendStringInfoString(text, ") AS \"recsys promotion\""
						   " WHERE \"recsys 1\" OPERATOR(pg_catalog.>=) 0::pg_catalog.float8"
						   " AND \"recsys 1\" OPERATOR(pg_catalog.<>) 'NaN'::pg_catalog.float8"
						   " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT " MOST_PROMOTIONS);
}

char *
RecsysItemQueryText(const RecsysDefinition *definition, RecsysItemQuery query,
					const RecsysContextConditions *conditions, int limit, const char *group_equals)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (query)
	{
		case RECSYS_QUERY_PROMOTIONS:
			append_promotions(&text, definition);
			return text.data;
		case RECSYS_QUERY_GROUPS:
		case RECSYS_QUERY_TITLES:
			appendStringInfo(&text, "SELECT %s.%s, (%s)%s FROM %s AS %s", definition->items_alias,
							 definition->item_key,
							 query == RECSYS_QUERY_GROUPS ? definition->group_by : definition->title,
							 query == RECSYS_QUERY_GROUPS ? "" : "::pg_catalog.text",
							 definition->items, definition->items_alias);
			append_where(&text, definition, query, conditions, NULL);
			break;
		case RECSYS_QUERY_TOTAL:
		case RECSYS_QUERY_PASSING:
			appendStringInfo(&text, "SELECT true FROM %s AS %s", definition->items,
							 definition->items_alias);
			append_where(&text, definition, query, conditions, NULL);
			break;
		default:
			append_rows(&text, definition, query, conditions, group_equals);
	}
	if (limit > 0)
		appendStringInfo(&text, " LIMIT %d", limit);
	return text.data;
}
