/*
 * viewqueries.c
 *	  The ready views: what each has, as SQL, and what that means.
 *
 * Keys of items go through the queries as the types that they are compared as (bigint, text, uuid)
 * and get the exact type of the shop's column in the end.  Titles are joined from one pass over the
 * items; a key should be there once, and where it is not the first title by the alphabet counts.
 *
 * REFRESH MATERIALIZED VIEW CONCURRENTLY needs a unique index over plain columns.  Where keys of
 * rows may be longer than a B-tree takes, as names of segments may, the index is on a hash of 128
 * bits: among a million rows two are the same with a chance of 2e-27.
 *
 * Relations are never written as constants of type regclass: a view would keep the number of an
 * index, which REINDEX CONCURRENTLY replaces.
 */
#include "postgres.h"

#include "api/declare/eventsquery.h"
#include "api/declare/graphcolumns.h"
#include "api/declare/names.h"
#include "api/views/viewqueries.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Items of a list of popular ones */
#define LIST_ITEMS 50

/* Rules at most, the most certain ones */
#define MOST_RULES 100000

/*
 * Where no support is given, rules are among the most popular items, so many of them, and are never
 * less than so many baskets: mining then finds two million pairs at most, whatever the data.
 */
#define RULE_ITEMS 2000
#define LEAST_SUPPORT 5

static const RecsysDefinition *
definition_of(const RecsysViewSource *source)
{
	return source->shop == NULL ? NULL : source->shop->definition;
}

static bool
has_titles(const RecsysViewSource *source)
{
	const RecsysDefinition *definition = definition_of(source);

	return definition != NULL && definition->items != NULL && definition->title != NULL;
}

/* Begins a query: WITH …, and titles among it where items have any */
static void
begin(StringInfo out, const RecsysViewSource *source)
{
	const RecsysDefinition *definition = definition_of(source);

	initStringInfo(out);
	if (!has_titles(source))
		appendStringInfoString(out, "WITH ");
	else
		appendStringInfo(out, "WITH titles AS MATERIALIZED (SELECT DISTINCT ON (i) i, title FROM (SELECT %s AS i, (%s)::text AS title FROM %s AS %s) AS x WHERE i IS NOT NULL ORDER BY i, title), ",
						 RecsysKeyInSql(definition->item_key, source->item_kind), definition->title,
						 definition->items, definition->items_alias);
}

/* A column with the title of an item, or none */
static const char *
title_column(const RecsysViewSource *source, const char *alias, const char *name)
{
	return has_titles(source) ? psprintf(", %s.title AS %s", alias, name) : "";
}

static const char *
title_join(const RecsysViewSource *source, const char *alias, const char *item)
{
	if (!has_titles(source))
		return "";
	return psprintf(" LEFT JOIN titles AS %s ON %s.i = %s", alias, alias,
					RecsysKeyInSql(item, source->item_kind));
}

static const char *
row_key(const char *values)
{
	const char *text = psprintf("ROW(%s)::text COLLATE \"C\"", values);

	return psprintf("(lpad(to_hex(hashtextextended(%s, 0)), 16, '0') || lpad(to_hex(hashtextextended(%s, 1)), 16, '0'))::uuid AS " RECSYS_VIEW_KEY,
					text, text);
}

/* The pairs of a relation that is a graph, as item_similarity() has those of an index */
static char *
graph_rows(const RecsysViewSource *source)
{
	Oid			relation = RecsysFindRelation(source->graph);
	AttrNumber	numbers[RECSYS_GRAPH_COLUMNS];
	const char *names[RECSYS_GRAPH_COLUMNS];

	RecsysFindGraphColumns(relation, source->item_kind, source->item_kind, numbers);
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
		names[x] = quote_identifier(get_attname(relation, numbers[x], false));
	return psprintf("SELECT item_id, similar_item_id, score, NULL::bigint AS support, (row_number() OVER (PARTITION BY item_id ORDER BY score DESC, similar_item_id))::integer AS rank"
					" FROM (SELECT DISTINCT ON (1, 2) %s AS item_id, %s AS similar_item_id, g.%s::real AS score FROM %s AS g WHERE g.%s IS NOT NULL AND g.%s IS NOT NULL AND g.%s IS NOT NULL ORDER BY 1, 2, 3 DESC) AS pairs",
					RecsysKeyInSql(psprintf("g.%s", names[RECSYS_GRAPH_ITEM]), source->item_kind),
					RecsysKeyInSql(psprintf("g.%s", names[RECSYS_GRAPH_SIMILAR]), source->item_kind),
					names[RECSYS_GRAPH_SCORE], source->graph, names[RECSYS_GRAPH_ITEM],
					names[RECSYS_GRAPH_SIMILAR], names[RECSYS_GRAPH_SCORE]);
}

static char *
similarity_query(const RecsysViewSource *source)
{
	StringInfoData out;

	begin(&out, source);
	appendStringInfo(&out, "pairs AS (%s) SELECT p.item_id::%s AS item_id%s, p.similar_item_id::%s AS similar_item_id%s, p.score, p.support, p.rank FROM pairs AS p%s%s",
					 source->graph_is_index ?
					 psprintf("SELECT * FROM %s.item_similarity(%s, NULL::%s)", source->verbs,
							  quote_literal_cstr(source->graph), source->call_type) : graph_rows(source),
					 source->item_type, title_column(source, "a", "title"), source->item_type,
					 title_column(source, "b", "similar_title"),
					 title_join(source, "a", "p.item_id"), title_join(source, "b", "p.similar_item_id"));
	return out.data;
}

static const RecsysViewColumn similarity_columns[] = {
	{"item_id", "item"},
	{"title", "its title"},
	{"similar_item_id", "item that goes with it"},
	{"similar_title", "title of that one"},
	{"score", "how much they go together; comparable within a recommender"},
	{"support", "users who have both; NULL where that is not known"},
	{"rank", "place among the neighbors of the item, 1 the nearest"},
	{NULL, NULL}
};

/* As a number of baskets, or as a share below 1 */
static char *
least_support(const RecsysViewSource *source)
{
	if (source->min_support > 0)
		return psprintf("%.17g::double precision", source->min_support);
	return psprintf("(SELECT GREATEST(%d, CASE WHEN count(*) = %d THEN min(users) END)::double precision FROM %s.popular_items(%d, %s, NULL::%s, NULL::timestamptz, NULL::interval))",
					LEAST_SUPPORT, RULE_ITEMS, source->verbs, RULE_ITEMS,
					quote_literal_cstr(source->baskets), source->call_type);
}

static char *
rules_query(const RecsysViewSource *source)
{
	StringInfoData out;
	bool		titles = has_titles(source);

	if (source->baskets == NULL)
		return NULL;
	begin(&out, source);
	appendStringInfo(&out, "rules AS MATERIALIZED (SELECT row_number() OVER () AS n, r.* FROM %s.association_rules(%s, NULL::%s, min_support => %s, min_confidence => %.17g::double precision, max_length => %d, k => %d) AS r)",
					 source->verbs, quote_literal_cstr(source->baskets), source->call_type,
					 least_support(source), source->min_confidence, source->max_length, MOST_RULES);
	if (titles)
		appendStringInfo(&out, ", said AS (SELECT r.n, array_agg(a.title ORDER BY u.place) AS titles FROM rules AS r CROSS JOIN LATERAL unnest(r.antecedent) WITH ORDINALITY AS u (item, place)%s GROUP BY r.n)",
						 title_join(source, "a", "u.item"));
	appendStringInfo(&out, " SELECT %s, r.antecedent::%s[] AS antecedent%s, r.consequent::%s AS consequent%s, r.support, r.support_share, r.confidence, r.lift, r.leverage, r.conviction, r.jaccard, r.cosine, r.kulczynski, r.imbalance_ratio, r.chi_square, r.chi_square_p, r.fisher_p, r.antecedent_support, r.consequent_support, r.baskets FROM rules AS r%s%s",
					 row_key("r.antecedent, r.consequent"), source->item_type,
					 titles ? ", s.titles AS antecedent_titles" : "", source->item_type,
					 title_column(source, "c", "consequent_title"),
					 titles ? " JOIN said AS s ON s.n = r.n" : "", title_join(source, "c", "r.consequent"));
	return out.data;
}

static const RecsysViewColumn rules_columns[] = {
	{RECSYS_VIEW_KEY, "tells rows apart: a hash of antecedent and consequent"},
	{"antecedent", "items of a basket"},
	{"antecedent_titles", "their titles"},
	{"consequent", "item that is often in a basket with them"},
	{"consequent_title", "its title"},
	{"support", "baskets with all of them"},
	{"support_share", "share of these in all baskets"},
	{"confidence", "share of the baskets with the antecedent that have the consequent, too"},
	{"lift", "how many times that is the share in all baskets; 1: nothing to do with each other"},
	{"leverage", "support_share less what it would be by chance"},
	{"conviction", "how many times more often the rule would be wrong by chance"},
	{"jaccard", "baskets with all of them, of those with the antecedent or the consequent"},
	{"cosine", "support / square root of (antecedent_support * consequent_support)"},
	{"kulczynski", "mean of the confidences of both directions"},
	{"imbalance_ratio", "how different the supports of both sides are, 0 to 1"},
	{"chi_square", "how far from independent, Pearson's statistic"},
	{"chi_square_p", "its p-value"},
	{"fisher_p", "the exact p-value of so many baskets or more by chance"},
	{"antecedent_support", "baskets with the antecedent"},
	{"consequent_support", "baskets with the consequent"},
	{"baskets", "all baskets"},
	{NULL, NULL}
};

/*
 * All items by their users: a list of the last refresh where some users do not count, else that of
 * the index.  Of a declared recommender popular_items() would keep the rules for lists to be shown.
 */
static char *
popular_query(const RecsysViewSource *source)
{
	StringInfoData out;
	const RecsysDefinition *definition = definition_of(source);
	bool		is_listed = definition != NULL && definition->exclude_users != NULL;

	if (source->events == NULL)
		return NULL;
	begin(&out, source);
	appendStringInfoString(&out, "popular AS (");
	if (!is_listed)
		appendStringInfo(&out, "SELECT 'all'::text AS kind, ''::text AS segment, p.item_id, p.users, p.rank FROM %s.popular_items(%d, %s, NULL::%s, NULL::timestamptz, NULL::interval) AS p",
						 source->verbs, LIST_ITEMS, quote_literal_cstr(source->events),
						 source->call_type);
	if (definition != NULL)
		appendStringInfo(&out, "%sSELECT l.kind, l.segment, l.item_id::%s AS item_id, l.users, l.rank FROM recsys.popular_lists(%s) AS l WHERE l.rank <= %d%s",
						 is_listed ? "" : " UNION ALL ", source->call_type, source->literal, LIST_ITEMS,
						 is_listed ? "" : " AND l.kind <> 'all'");
	appendStringInfo(&out, ") SELECT %s, p.kind, p.segment, p.item_id::%s AS item_id%s, p.users, p.rank FROM popular AS p%s",
					 row_key("p.kind, p.segment, p.rank"), source->item_type,
					 title_column(source, "a", "title"), title_join(source, "a", "p.item_id"));
	return out.data;
}

static const RecsysViewColumn popular_columns[] = {
	{RECSYS_VIEW_KEY, "tells rows apart: a hash of kind, segment and rank"},
	{"kind", "what the list is of: segment1 for the smallest segments, segment2 and so on for larger ones, persona, category, seller, price; or all"},
	{"segment", "which segment, persona, category, seller or price level, 0 to 4; empty where kind is all"},
	{"item_id", "item"},
	{"title", "its title"},
	{"users", "users of the segment who have it"},
	{"rank", "place in the list, 1 the most popular"},
	{NULL, NULL}
};

static char *
customers_query(const RecsysViewSource *source)
{
	const RecsysDefinition *definition = definition_of(source);

	if (definition == NULL || definition->profiles == NULL)
		return NULL;
	return psprintf("SELECT s.user_id::%s AS user_id, s.segment, s.persona, s.recency_days, s.frequency, s.monetary, s.r, s.f, s.m, s.first_at, s.latest_at, s.excluded FROM recsys.customer_segments(%s) AS s",
					source->user_type, source->literal);
}

static const RecsysViewColumn customers_columns[] = {
	{"user_id", "customer"},
	{"segment", "the smallest segment of the customer"},
	{"persona", "where the customer stands in the life cycle: new, active, at risk or lost"},
	{"recency_days", "days since the latest purchase"},
	{"frequency", "days with a purchase; purchases, where times are not known"},
	{"monetary", "what they were worth, returns taken off"},
	{"r", "fifth by recency, 5 the best; NULL: has bought nothing, or is excluded"},
	{"f", "likewise by frequency"},
	{"m", "likewise by money"},
	{"first_at", "first purchase"},
	{"latest_at", "latest purchase"},
	{"excluded", "one of exclude_users: not part of the fifths"},
	{NULL, NULL}
};

/* Its own requests, and all of the experiments that it takes part in, to be compared */
static char *
metrics_query(const RecsysViewSource *source)
{
	return psprintf("SELECT %s, m.time, m.recommender, m.experiment, m.variant, m.segment, m.requests, m.impressions, m.users, m.clicks, m.carts, m.orders, m.revenue, m.clicked_requests, m.ordered_requests, m.ordered_users, m.ctr, m.click_rate, m.add_to_cart_rate, m.conversion, m.request_conversion, m.revenue_per_request, m.is_final FROM recsys.metrics_daily AS m WHERE m.recommender = %s OR m.experiment IN (SELECT x.experiment FROM recsys.metrics_daily AS x WHERE x.recommender = %s)",
					row_key("EXTRACT(epoch FROM m.time), m.recommender, m.experiment, m.variant, m.segment"),
					source->literal, source->literal);
}

static const RecsysViewColumn metrics_columns[] = {
	{RECSYS_VIEW_KEY, "tells rows apart: a hash of time, recommender, experiment, variant and segment"},
	{"time", "the day of the requests: its beginning in UTC"},
	{"recommender", "what has made the lists; another one where it is part of the same experiment"},
	{"experiment", "experiment that the requests are part of; NULL: none"},
	{"variant", "its variant"},
	{"segment", "segment of the user, as the experiment has it"},
	{"requests", "lists that were shown"},
	{"impressions", "items on them, each as often as it was shown"},
	{"users", "different users, or sessions of users who are not known"},
	{"clicks", "clicks on items shown"},
	{"carts", "items shown that were put into the cart"},
	{"orders", "purchases attributed to the requests; NULL: the log knows no purchases"},
	{"revenue", "their amounts; NULL: these are not declared"},
	{"clicked_requests", "requests with a click"},
	{"ordered_requests", "requests that an order is attributed to"},
	{"ordered_users", "users that an order is attributed to"},
	{"ctr", "clicks / impressions"},
	{"click_rate", "share of requests with a click"},
	{"add_to_cart_rate", "carts / impressions"},
	{"conversion", "share of users that an order is attributed to"},
	{"request_conversion", "share of requests that an order is attributed to"},
	{"revenue_per_request", "revenue / requests"},
	{"is_final", "no more orders can be attributed to its requests"},
	{NULL, NULL}
};

/* A name may not be longer than 48 bytes: those of materialized views and indexes begin with it. */
const RecsysReadyView RecsysReadyViews[] = {
	{"item_similarity", "pairs of items that go together", similarity_query, similarity_columns,
	{{"key", true, "btree (item_id, similar_item_id)"}, {"rank", false, "btree (item_id, rank)"}}},
	{"association_rules", "what is often in a basket together", rules_query, rules_columns,
	{{"key", true, "btree (" RECSYS_VIEW_KEY ")"}, {"consequent", false, "btree (consequent)"},
	{"antecedent", false, "gin (antecedent)"}}},
	{"popular_by_segment", "what is popular in each segment, category, price level and with each seller",
		popular_query, popular_columns,
	{{"key", true, "btree (" RECSYS_VIEW_KEY ")"}, {"segment", false, "hash (segment)"}}},
	{"customer_segments", "customers by segment, life cycle, recency, frequency and money",
		customers_query, customers_columns,
	{{"key", true, "btree (user_id)"}, {"segment", false, "hash (segment)"}}},
	{"daily_metrics", "requests, clicks, orders and revenue by day, and of the experiments that it takes part in",
		metrics_query, metrics_columns,
	{{"key", true, "btree (" RECSYS_VIEW_KEY ")"}, {"time", false, "btree (\"time\")"}}},
};

const int	RecsysReadyViewCount = lengthof(RecsysReadyViews);

const char *
RecsysViewColumnComment(const RecsysReadyView *view, const char *column)
{
	for (const RecsysViewColumn *known = view->columns; known->name != NULL; known++)
		if (strcmp(known->name, column) == 0)
			return known->comment;
	return NULL;
}
