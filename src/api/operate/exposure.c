/*
 * exposure.c
 *	  recsys.seller_exposure(): how often each seller is shown, against what it lists and sells.
 *
 * Nothing is logged where lists are served.  So some users get their lists now, and whose
 * items stand on them is counted: the users are drawn by a hash of their keys and the
 * recommender's seed, always the same ones.  The Gini coefficient tells how unequally the
 * places are spread over all sellers, from 0, all the same, towards 1, all to one.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"
#include "api/call/extensionschema.h"
#include "api/operate/queryanswer.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_seller_exposure);

static void
check_declared(const RecsysDefinition *definition, const RecsysEventsQuery *events, bool since)
{
	if (definition->items == NULL || definition->seller == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" does not know whose items are whose", definition->name),
				 definition->items == NULL ?
				 errdetail("No table of items is declared.") : errdetail("No seller is declared."),
				 errhint("Declare both, as in SELECT recsys.alter_recommender(%s, items => 'products', item_key => 'product_id', seller => 'seller_id');",
						 quote_literal_cstr(definition->name))));
	if (since && events->time == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index %s has no time column to apply since to", definition->signals[0].events)));
}

/* " AND t >= since" or nothing */
static char *
since_condition(const char *since)
{
	return since == NULL ? pstrdup("") : psprintf(" AND t >= %s::pg_catalog.timestamptz", quote_literal_cstr(since));
}

static char *
exposure_query(const RecsysDefinition *definition, const char *since, int users, int k)
{
	RecsysEventsQuery events;
	StringInfoData out;

	RecsysGetEventsQuery(definition->signals[0].events, &events);
	check_declared(definition, &events, since != NULL);
	initStringInfo(&out);
	appendStringInfoString(&out, "WITH customers AS MATERIALIZED (");
	RecsysAppendCustomers(&out, definition, events.user_kind);
	appendStringInfoString(&out, "), labels AS MATERIALIZED (");
	RecsysAppendItems(&out, definition, events.item_kind);
	appendStringInfoString(&out, "), bought AS MATERIALIZED (SELECT u, i FROM (");
	RecsysAppendEvents(&out, &events, NULL);
	appendStringInfo(&out, ") AS b WHERE w > 0%s AND NOT EXISTS (SELECT FROM customers AS c WHERE c.u = b.u AND c.excluded))",
					 since_condition(since));
	appendStringInfo(&out, ", people AS MATERIALIZED (SELECT u FROM (SELECT DISTINCT u FROM bought) AS d ORDER BY pg_catalog.hashtextextended(u::pg_catalog.text, %lld), u LIMIT %d)",
					 (long long) definition->seed, users);
	appendStringInfo(&out, ", places AS (SELECT seller, pg_catalog.count(*) AS shown FROM people CROSS JOIN LATERAL %s.recommend(u, %d::pg_catalog.int8, %s::pg_catalog.text, NULL::pg_catalog.text) AS r JOIN labels ON labels.i::pg_catalog.text = r.item_id COLLATE pg_catalog.\"C\" GROUP BY seller)",
					 quote_identifier(RecsysExtensionSchema()), k, quote_literal_cstr(definition->name));
	appendStringInfoString(&out, ", listed AS (SELECT seller, pg_catalog.count(*) AS listed FROM labels WHERE offered GROUP BY seller)"
						   ", sold AS (SELECT seller, pg_catalog.count(*) AS sold FROM bought JOIN labels USING (i) GROUP BY seller)"
						   ", sellers AS (SELECT seller, COALESCE(shown, 0) AS shown, COALESCE(listed, 0) AS listed, COALESCE(sold, 0) AS sold FROM listed FULL JOIN sold USING (seller) FULL JOIN places USING (seller) WHERE seller IS NOT NULL)"
						   ", spread AS (SELECT pg_catalog.sum((2 * place - n - 1) * shown)::pg_catalog.float8 / NULLIF(n * pg_catalog.sum(shown), 0)::pg_catalog.float8 AS gini FROM (SELECT shown, pg_catalog.row_number() OVER (ORDER BY shown) AS place, pg_catalog.count(*) OVER () AS n FROM sellers) AS p GROUP BY n)"
						   " SELECT seller::pg_catalog.text, shown, shown::pg_catalog.float8 / NULLIF(pg_catalog.sum(shown) OVER (), 0)::pg_catalog.float8, listed, listed::pg_catalog.float8 / NULLIF(pg_catalog.sum(listed) OVER (), 0)::pg_catalog.float8, sold, sold::pg_catalog.float8 / NULLIF(pg_catalog.sum(sold) OVER (), 0)::pg_catalog.float8, gini FROM sellers CROSS JOIN spread ORDER BY shown DESC, seller");
	return out.data;
}

/* Arguments: recommender, since, users, k */
Datum
recsys_seller_exposure(PG_FUNCTION_ARGS)
{
	RecsysShop *shop = RecsysNeedShop(RecsysArgText(fcinfo, 0));
	int			users = RecsysArgInteger(fcinfo, 2, "users", 1, 1000000);
	int			k = RecsysArgInteger(fcinfo, 3, "k", 1, 1000);
	char	   *since = NULL;

	if (!PG_ARGISNULL(1))
		since = DatumGetCString(DirectFunctionCall1(timestamptz_out, PG_GETARG_DATUM(1)));
	RecsysUseShop(shop);
	RecsysAnswerByQuery(fcinfo, shop, exposure_query(shop->definition, since, users, k));
	RecsysReleaseShop(shop);
	return (Datum) 0;
}
