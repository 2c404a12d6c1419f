/*
 * popularlists.c
 *	  The query that finds popular items segment by segment, and what is typical of a shop.
 *
 * All kinds of lists are branches of one query, so that the table of events is read and
 * grouped once.  What a user has is what the index counts: items whose weights add up to
 * something.  A user counts once for an item, however often it was bought, so nobody makes an
 * item popular alone; who exclude_users holds for does not count at all.
 *
 * An item that fewer than min_users users of a group have is not listed for it: a list
 * must not tell what single persons have bought (k-anonymity, Samarati and Sweeney 1998).
 */
#include "postgres.h"

#include "api/declare/customersquery.h"
#include "api/declare/popularity.h"
#include "api/operate/popularlists.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

/* Bytes of a segment's name: a row of the index over recsys.popularity takes 2,700 in all. */
#define LONGEST_VALUE 2048

/* Rows, customers, what users have, and when they came: the common tables of the query */
static void
append_tables(StringInfo out, const RecsysDefinition *definition, const RecsysEventsQuery *events,
			  const RecsysListCounting *counting)
{
	appendStringInfoString(out, "WITH customers AS MATERIALIZED (");
	RecsysAppendCustomers(out, definition, events->user_kind);
	appendStringInfoString(out, "), labels AS MATERIALIZED (");
	RecsysAppendItems(out, definition, events->item_kind);
	appendStringInfoString(out, "), bought AS MATERIALIZED (SELECT * FROM (");
	RecsysAppendEvents(out, events, definition->signals[0].price);
	appendStringInfoString(out, ") AS b WHERE NOT EXISTS (SELECT FROM customers AS c WHERE c.u = b.u AND c.excluded))");

	/* sums that cancel each other out are not exactly zero */
	appendStringInfo(out, ", sums AS (SELECT u, i, pg_catalog.max(t) AS t, pg_catalog.avg(p) AS p%s FROM bought GROUP BY u, i HAVING pg_catalog.sum(w) > 1e-12 * pg_catalog.sum(pg_catalog.abs(w)))",
					 counting->max_history > 0 ?
					 ", pg_catalog.row_number() OVER (PARTITION BY u ORDER BY pg_catalog.max(t) DESC NULLS LAST, i) AS place" : "");
	appendStringInfoString(out, ", has AS MATERIALIZED (SELECT u, i, p, ");
	if (counting->half_life > 0)
		appendStringInfo(out, "CASE WHEN t IS NULL THEN 1 ELSE pg_catalog.power(0.5::pg_catalog.float8, LEAST(1000, EXTRACT(epoch FROM pg_catalog.now() - t)::pg_catalog.float8 / %.17g)) END AS n",
						 counting->half_life);
	else
		appendStringInfoString(out, "1::pg_catalog.float8 AS n");
	appendStringInfoString(out, " FROM sums");
	if (counting->max_history > 0)
		appendStringInfo(out, " WHERE place <= %d", counting->max_history);
	appendStringInfoString(out, "), life AS MATERIALIZED (SELECT u, pg_catalog.min(t) AS first_at, pg_catalog.max(t) AS latest_at, pg_catalog.count(DISTINCT d) AS acts FROM bought WHERE w > 0 GROUP BY u)");
	appendStringInfoString(out, ", gap AS MATERIALIZED (SELECT pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(epoch FROM latest_at - first_at)::pg_catalog.float8 / (acts - 1)) AS seconds FROM life WHERE acts > 1)");
	appendStringInfo(out, ", prices AS MATERIALIZED (SELECT i, pg_catalog.ln(price) AS price FROM (%s) AS p WHERE price > 0 AND price < 'infinity')",
					 definition->price != NULL ? "SELECT i, price FROM labels" :
					 "SELECT i, pg_catalog.avg(p) AS price FROM has WHERE p > 0 AND p < 'infinity' GROUP BY i");
	appendStringInfoString(out, ", bounds AS MATERIALIZED (SELECT pg_catalog.percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]::pg_catalog.float8[]) WITHIN GROUP (ORDER BY price) AS bounds FROM has JOIN prices USING (i))");
}

/*
 * One branch: the lists of a kind, from a query for u or i and value.  The popular ones first,
 * ties by the key.  A value that is too long for the key of recsys.popularity has no list.
 */
static void
append_lists(StringInfo out, const RecsysDefinition *definition, const char *kind,
			 const char *values)
{
	appendStringInfo(out,
					 " UNION ALL SELECT %s, value, pg_catalog.array_agg(i::pg_catalog.text ORDER BY place), pg_catalog.array_agg(users ORDER BY place)"
					 " FROM (SELECT value, i, users, pg_catalog.row_number() OVER (PARTITION BY value ORDER BY score DESC, i) AS place"
					 " FROM (SELECT value, i, pg_catalog.count(*) AS users, pg_catalog.sum(n) AS score FROM %s WHERE pg_catalog.octet_length(value) <= %d GROUP BY value, i HAVING pg_catalog.count(*) >= %d) AS counted) AS placed"
					 " WHERE place <= %d GROUP BY value",
					 quote_literal_cstr(kind), values, LONGEST_VALUE, definition->min_users,
					 RECSYS_LIST_ITEMS);
}

static void
append_figure(StringInfo out, const char *name, const char *query)
{
	appendStringInfo(out, " UNION ALL SELECT 'shop', %s, figures, '{}'::pg_catalog.int8[] FROM (%s) AS f (figures) WHERE figures IS NOT NULL",
					 quote_literal_cstr(name), query);
}

static void
append_segments(StringInfo out, const RecsysDefinition *definition, const RecsysEventsQuery *events)
{
	for (int i = 0; i < definition->nsegments; i++)
		if (strcmp(definition->segments[i], "persona") != 0)
			append_lists(out, definition, RecsysSegmentKind(definition, i),
						 psprintf("(SELECT u, i, n, s%d AS value FROM has JOIN customers USING (u)) AS v", i + 1));
	if (events->time != NULL)
		append_lists(out, definition, "persona",
					 "(SELECT u, i, n, recsys.persona(first_at, latest_at, acts, pg_catalog.make_interval(secs => seconds), pg_catalog.now()) AS value FROM has JOIN life USING (u) CROSS JOIN gap) AS v");
}

/* What the values of all kinds mean */
static void
append_meanings(StringInfo out, const RecsysDefinition *definition)
{
	StringInfoData array;
	static const char *const kinds[] = {"persona", "category", "seller", "price", "all"};

	initStringInfo(&array);
	appendStringInfoString(&array, "SELECT ARRAY[");
	for (int i = 0; i < definition->nsegments; i++)
		if (strcmp(definition->segments[i], "persona") != 0)
			appendStringInfo(&array, "%s, ",
							 quote_literal_cstr(RecsysPopularityMeaning(definition,
																		RecsysSegmentKind(definition, i))));
	for (int i = 0; i < lengthof(kinds); i++)
		appendStringInfo(&array, "%s%s", i > 0 ? ", " : "",
						 quote_literal_cstr(RecsysPopularityMeaning(definition, kinds[i])));
	appendStringInfoString(&array, "]::pg_catalog.text[]");
	append_figure(out, "meanings", array.data);
}

static void
append_figures(StringInfo out, const RecsysDefinition *definition)
{
	append_figure(out, "typical_gap", "SELECT ARRAY[seconds::pg_catalog.text] FROM gap WHERE seconds IS NOT NULL");
	append_figure(out, "price_bounds", "SELECT bounds::pg_catalog.text[] FROM bounds");
	if (definition->sellers != NULL && definition->seller_rating_sum != NULL &&
		definition->seller_ratings != NULL)
		append_figure(out, "seller_mean",
					  psprintf("SELECT ARRAY[mean::pg_catalog.text] FROM (%s) AS rated WHERE mean IS NOT NULL",
							   RecsysSellerMeanQuery(definition)));
}

char *
RecsysPopularListsQuery(const RecsysDefinition *definition, const RecsysEventsQuery *events,
						const RecsysListCounting *counting)
{
	StringInfoData out;

	initStringInfo(&out);
	append_tables(&out, definition, events, counting);

	/* gives the columns their types */
	appendStringInfoString(&out, " SELECT NULL::pg_catalog.text AS kind, NULL::pg_catalog.text AS value, NULL::pg_catalog.text[] AS items, NULL::pg_catalog.int8[] AS users WHERE false");
	append_segments(&out, definition, events);
	if (definition->category != NULL)
		append_lists(&out, definition, "category", "(SELECT u, i, n, category AS value FROM has JOIN labels USING (i)) AS v");
	if (definition->seller != NULL)
		append_lists(&out, definition, "seller", "(SELECT u, i, n, seller AS value FROM has JOIN labels USING (i)) AS v");
	if (definition->price != NULL || definition->signals[0].price != NULL)
		append_lists(&out, definition, "price",
					 "(SELECT u, i, n, pg_catalog.width_bucket(price, bounds)::pg_catalog.text AS value FROM has JOIN prices USING (i) CROSS JOIN bounds) AS v");
	if (definition->exclude_users != NULL)
		append_lists(&out, definition, "all", "(SELECT u, i, n, ''::pg_catalog.text AS value FROM has) AS v");
	append_meanings(&out, definition);
	append_figures(&out, definition);
	return out.data;
}
