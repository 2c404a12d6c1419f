/*
 * customers.c
 *	  recsys.customer_segments(): a shop's customers by recency, frequency and money, their
 *	  segment and where they stand in the life cycle.
 *
 * RFM as Hughes has it (Strategic Database Marketing, 1994): fifths of the customers, 5 for
 * the latest, the most frequent, those who pay most.  Customers who are equal get the
 * same fifth: where nearly all have bought once, nearly all have an f of 1.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"
#include "api/declare/popularity.h"
#include "api/operate/queryanswer.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

PG_FUNCTION_INFO_V1(recsys_customer_segments);

/* The gap that personas are served by: that of the last refresh */
static char *
typical_gap(const RecsysDefinition *definition)
{
	double		seconds;

	if (RecsysReadFigure(definition->name, "typical_gap", &seconds, 1) == 0)
		return pstrdup("NULL::pg_catalog.interval");
	return psprintf("pg_catalog.make_interval(secs => %.17g)", seconds);
}

/* A fifth, as 1 to 5; of those who have done something and are not excluded */
static void
append_fifth(StringInfo out, const char *order)
{
	appendStringInfo(out, ", CASE WHEN counts AND %s IS NOT NULL THEN 1 + LEAST(4, pg_catalog.floor(5 * pg_catalog.percent_rank() OVER (PARTITION BY counts ORDER BY %s NULLS FIRST)))::pg_catalog.int4 END",
					 order, order);
}

static char *
customers_query(const RecsysDefinition *definition)
{
	RecsysEventsQuery events;
	StringInfoData out;
	const char *price = definition->signals[0].price;

	RecsysGetEventsQuery(definition->signals[0].events, &events);
	initStringInfo(&out);
	appendStringInfoString(&out, "WITH customers AS MATERIALIZED (");
	RecsysAppendCustomers(&out, definition, events.user_kind);
	appendStringInfo(&out, "), life AS MATERIALIZED (SELECT u, pg_catalog.min(t) FILTER (WHERE w > 0) AS first_at, pg_catalog.max(t) FILTER (WHERE w > 0) AS latest_at, pg_catalog.count(%s) FILTER (WHERE w > 0) AS acts, pg_catalog.sum(w%s) AS money FROM (",
					 events.time != NULL ? "DISTINCT d" : "*", price != NULL ? " * COALESCE(p, 0)" : "");
	RecsysAppendEvents(&out, &events, price);
	appendStringInfo(&out, ") AS b GROUP BY u), everybody AS (SELECT u, %s AS segment, recsys.persona(first_at, latest_at, acts, %s, pg_catalog.now()) AS persona, COALESCE(acts, 0) AS acts, COALESCE(money, 0) AS money, first_at, latest_at, COALESCE(excluded, false) AS excluded, COALESCE(acts, 0) > 0 AND excluded IS NOT TRUE AS counts FROM life FULL JOIN customers USING (u))",
					 definition->nsegments == 0 || strcmp(definition->segments[0], "persona") == 0 ?
					 "NULL::pg_catalog.text" : "s1", typical_gap(definition));
	appendStringInfo(&out, " SELECT u::pg_catalog.text, %s, persona, pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.now() - latest_at) / 86400)::pg_catalog.int4, acts, money",
					 definition->nsegments > 0 && strcmp(definition->segments[0], "persona") == 0 ?
					 "persona" : "segment");
	append_fifth(&out, "latest_at");
	append_fifth(&out, "acts");
	append_fifth(&out, "money");
	appendStringInfoString(&out, ", first_at, latest_at, excluded FROM everybody");
	return out.data;
}

Datum
recsys_customer_segments(PG_FUNCTION_ARGS)
{
	RecsysShop *shop = RecsysNeedShop(RecsysArgText(fcinfo, 0));

	RecsysUseShop(shop);
	RecsysAnswerByQuery(fcinfo, shop, customers_query(shop->definition));
	RecsysReleaseShop(shop);
	return (Datum) 0;
}
