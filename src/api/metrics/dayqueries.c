/*
 * dayqueries.c
 *	  The statements that compute a day of metrics.
 *
 * Rows are grouped by recommender, experiment and variant, the latter two of which may be NULL.  So
 * counts of requests and those of results are put one below the other and added up, which takes no
 * join; where there is one, NULL is the empty text.  No list is unnested that need not be.
 *
 * A day belongs to its requests: a click or an order is of the day of the list that it came from.
 */
#include "postgres.h"

#include "api/log/attribution.h"
#include "api/metrics/dayqueries.h"
#include "catalog/pg_type.h"

Oid			RecsysDayTypes[RECSYS_DAY_PARAMETERS] = {
	TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID, TEXTARRAYOID, TEXTARRAYOID
};

/*
 * The requests of the day.  unit: a user, or a session of a user who is not known.  Lists are arrays
 * of one dimension from 1, as the functions log them; whoever inserts others must not stop all metrics.
 */
#define COLUMNS_OF_REQUESTS \
	"request_id, time, recommender, nullif(experiment, '') AS experiment," \
	" nullif(variant, '') AS variant, nullif(segment, '') AS segment, user_id," \
	" COALESCE('u' || user_id, 's' || session_id) AS unit," \
	" CASE WHEN array_ndims(item_ids) > 1 OR array_lower(item_ids, 1) <> 1" \
	" THEN ARRAY(SELECT unnest(item_ids)) ELSE item_ids END AS item_ids, latency_ms"
#define REQUESTS \
	"(SELECT " COLUMNS_OF_REQUESTS " FROM recsys.request_log WHERE time >= $1 AND time < $2) AS r"

#define GROUP "recommender, experiment, variant"

/* Two relations have the group in common */
#define SAME(a, b) \
	a ".recommender = " b ".recommender" \
	" AND COALESCE(" a ".experiment, '') = COALESCE(" b ".experiment, '')" \
	" AND COALESCE(" a ".variant, '') = COALESCE(" b ".variant, '')"

/* Sums of orders and amounts: NULL where nothing is known of them, else 0 if there are none */
#define KNOWN_FOR(experiments) experiments " IS NULL OR experiment = ANY (" experiments ")"
#define ORDERS(sum) "CASE WHEN " KNOWN_FOR("$4") " THEN COALESCE(" sum ", 0) END"
#define AMOUNTS(sum) "CASE WHEN " KNOWN_FOR("$5") " THEN COALESCE(" sum ", 0) END"

#define NO_RESULTS "0::int8 AS clicks, 0::int8 AS carts, NULL::numeric AS orders, NULL::numeric AS revenue"
#define SUM_RESULTS \
	"sum(clicks)::int8 AS clicks, sum(carts)::int8 AS carts, sum(orders) AS orders, sum(revenue) AS revenue"
#define RESULTS_OF(t) \
	"sum(" t ".clicks)::int8, sum(" t ".carts)::int8, " \
	ORDERS("sum(" t ".orders)") ", " AMOUNTS("sum(" t ".revenue)")

#define REQUESTS_OF_USERS \
	"(SELECT " COLUMNS_OF_REQUESTS " FROM recsys.request_log" \
	" WHERE time >= $1 - $3 AND time < $2 AND user_id IS NOT NULL"

void
RecsysAppendAttributed(StringInfo out, const char *purchases, const char *credit, bool of_experiment)
{
	RecsysAttribution attribution = {
		.requests = of_experiment ? REQUESTS_OF_USERS " AND experiment = $4)" : REQUESTS_OF_USERS ")",
		.columns = "r.recommender, r.experiment, r.variant, r.segment, r.unit",
		.purchases = purchases,
		.window = "$3",
		.credit = credit
	};

	appendStringInfoString(out, "SELECT request_id, request_time, " GROUP ", segment, unit, item_id,"
						   " position, sum(credit) AS orders, sum(credit * amount) AS revenue FROM (");
	RecsysAppendAttribution(out, &attribution);
	appendStringInfoString(out, ") AS a WHERE request_time >= $1"
						   " GROUP BY request_id, request_time, " GROUP ", segment, unit, item_id, position");
}

/* What is not in the list of the request it is said of came from something else. */
const char *const RecsysDayResults =
"SELECT request_id, time, " GROUP ", segment, unit, item_id, position, clicks, carts,"
" NULL::numeric AS orders, NULL::numeric AS revenue"
" FROM (SELECT r.request_id, r.time, r.recommender, r.experiment, r.variant, r.segment, r.unit,"
" e.item_id, array_position(r.item_ids, e.item_id) AS position, e.clicks, e.carts"
" FROM " REQUESTS
" JOIN (SELECT request_id, request_time, item_id, count(*) FILTER (WHERE kind = 'click') AS clicks,"
" count(*) FILTER (WHERE kind = 'cart') AS carts FROM recsys.event_log"
" WHERE request_time >= $1 AND request_time < $2 AND kind IN ('click', 'cart')"
" GROUP BY request_id, request_time, item_id) AS e"
" ON e.request_id = r.request_id AND e.request_time = r.time) AS c WHERE position IS NOT NULL"
" UNION ALL SELECT request_id, request_time, " GROUP ", segment, unit, item_id, position,"
" 0::int8, 0::int8, orders, revenue FROM attributed WHERE request_time >= $1 AND request_time < $2";

#define DAILY_REQUEST \
"INSERT INTO recsys.daily_request SELECT $1, " GROUP ", segment, sum(requests)::int8," \
" sum(impressions)::int8, sum(users)::int8, " RESULTS_OF("t") "," \
" sum(clicked_requests)::int8, " ORDERS("sum(ordered_requests)::int8") ", " ORDERS("sum(ordered_users)::int8") \
" FROM (SELECT " GROUP ", segment, count(*) AS requests, sum(cardinality(item_ids)) AS impressions," \
" count(DISTINCT unit) AS users, " NO_RESULTS ", 0::int8 AS clicked_requests," \
" 0::int8 AS ordered_requests, 0::int8 AS ordered_users FROM " REQUESTS " GROUP BY " GROUP ", segment" \
" UNION ALL SELECT " GROUP ", segment, 0, 0, 0, " SUM_RESULTS "," \
" count(DISTINCT request_id) FILTER (WHERE clicks > 0)," \
" count(DISTINCT request_id) FILTER (WHERE orders > 0), count(DISTINCT unit) FILTER (WHERE orders > 0)" \
" FROM results GROUP BY " GROUP ", segment) AS t GROUP BY " GROUP ", segment"

/* Lists of one length are counted together. */
#define DAILY_POSITION \
"INSERT INTO recsys.daily_position SELECT $1, " GROUP ", position, sum(impressions)::int8, " RESULTS_OF("t") \
" FROM (SELECT " GROUP ", p.position, sum(n) AS impressions, " NO_RESULTS \
" FROM (SELECT " GROUP ", cardinality(item_ids) AS length, count(*) AS n FROM " REQUESTS \
" GROUP BY " GROUP ", cardinality(item_ids)) AS l" \
" CROSS JOIN LATERAL generate_series(1, l.length) AS p (position) GROUP BY " GROUP ", p.position" \
" UNION ALL SELECT " GROUP ", position, 0, " SUM_RESULTS " FROM results GROUP BY " GROUP ", position) AS t" \
" GROUP BY " GROUP ", position"

/*
 * What was known of an item when the day was closed is kept: it is not new for ever, and what is
 * gone is not asked again.  Without that, what is known now comes first.
 */
#define KEPT(column) \
	"CASE WHEN $3 THEN COALESCE(o." column ", a." column ") ELSE COALESCE(a." column ", o." column ") END"

#define DAILY_ITEM \
"WITH o AS (DELETE FROM recsys.daily_item WHERE time = $1 RETURNING *)," \
" groups AS MATERIALIZED (SELECT *, row_number() OVER () AS g FROM (SELECT DISTINCT " GROUP " FROM " REQUESTS ") AS q)," \
" shown AS (SELECT k.g, i.item_id, i.position::int4 AS position, count(*) AS n FROM " REQUESTS " JOIN groups AS k ON " SAME("k", "r") \
" CROSS JOIN LATERAL unnest(r.item_ids) WITH ORDINALITY AS i (item_id, position)" \
" WHERE i.item_id IS NOT NULL GROUP BY k.g, i.item_id, i.position)," \
" places AS (SELECT k.g, p.position, p.clicks::float8 / p.impressions AS rate" \
" FROM recsys.daily_position AS p JOIN groups AS k ON " SAME("k", "p") " WHERE p.time = $1)," \
" t AS (SELECT k.recommender, k.experiment, k.variant, s.item_id, sum(s.impressions)::int8 AS impressions," \
" sum(s.exposure) AS exposure, sum(s.expected_clicks) AS expected_clicks, " RESULTS_OF("s") \
" FROM (SELECT s.g, s.item_id, sum(s.n) AS impressions," \
" sum(s.n * ln(2::float8) / ln(1 + s.position::float8) ORDER BY s.position) AS exposure," \
" sum(s.n * p.rate ORDER BY s.position) AS expected_clicks, " NO_RESULTS \
" FROM shown AS s JOIN places AS p ON p.g = s.g AND p.position = s.position GROUP BY s.g, s.item_id" \
" UNION ALL SELECT k.g, x.item_id, 0, 0, 0, " SUM_RESULTS " FROM results AS x JOIN groups AS k ON " SAME("k", "x") \
" GROUP BY k.g, x.item_id) AS s JOIN groups AS k ON k.g = s.g" \
" GROUP BY k.recommender, k.experiment, k.variant, s.item_id)" \
" INSERT INTO recsys.daily_item SELECT $1, t.*, " KEPT("category") ", " KEPT("seller") ", " \
	KEPT("is_new") ", " KEPT("is_new_seller") ", " KEPT("user_share") ", " KEPT("popularity") \
" FROM t LEFT JOIN attributes AS a ON a.recommender = t.recommender AND a.item_id = t.item_id" \
" LEFT JOIN o ON o.item_id = t.item_id AND " SAME("o", "t")

/* Means of what is known of items, and shares of new ones, by impressions, clicks and orders */
#define MEAN(column, weight) \
	"sum(" column " * " weight "::float8 ORDER BY item_id) /" \
	" nullif(sum(" weight ") FILTER (WHERE " column " IS NOT NULL), 0)::float8"
#define SHARE(flag, weight) \
	"COALESCE(sum(" weight ") FILTER (WHERE " flag "), 0)::float8" \
	" / nullif(sum(" weight ") FILTER (WHERE " flag " IS NOT NULL), 0)::float8"
#define SHARES(flag) SHARE(flag, "impressions") ", " SHARE(flag, "clicks") ", " SHARE(flag, "orders")

/*
 * Gini of shares among `total` of which `shown` have a share, the others none:
 *
 *		sum over the j-th smallest share x of (total - 2 shown + 2 j - 1) x / (total * sum of x)
 *
 * the usual formula with the zeros left out.
 */
#define GINI(total, shown, sum, weighted) \
	"((" total " - 2 * " shown " - 1) * " sum "::float8 + 2 * " weighted "::float8)" \
	" / nullif(" total " * " sum "::float8, 0)"

#define DAILY_SELLER \
"INSERT INTO recsys.daily_seller" \
" SELECT $1, " GROUP ", seller, bool_or(is_new_seller), count(*) FILTER (WHERE impressions > 0)," \
" sum(impressions)::int8, sum(exposure ORDER BY item_id)," \
" sum(exposure ORDER BY item_id) / nullif(sum(sum(exposure ORDER BY item_id)) OVER (PARTITION BY " GROUP " ORDER BY seller ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), 0)," \
" " RESULTS_OF("i") " FROM recsys.daily_item AS i WHERE time = $1 AND seller IS NOT NULL" \
" GROUP BY " GROUP ", seller"

/* How many items and sellers there are: those that may be shown, and the others that were */
#define CATALOGUE \
" offered AS (SELECT recommender, count(*) AS items, count(DISTINCT seller) AS sellers" \
" FROM attributes WHERE offered GROUP BY recommender)," \
" others AS (SELECT i.recommender, i.experiment, i.variant," \
" count(*) FILTER (WHERE a.offered IS NOT TRUE) AS items FROM items AS i" \
" LEFT JOIN attributes AS a ON a.recommender = i.recommender AND a.item_id = i.item_id" \
" WHERE i.impressions > 0 GROUP BY i.recommender, i.experiment, i.variant)," \
" other_sellers AS (SELECT s.recommender, s.experiment, s.variant, count(*) AS sellers FROM recsys.daily_seller AS s" \
" WHERE s.time = $1 AND s.items_shown > 0 AND NOT EXISTS (SELECT FROM attributes AS a" \
" WHERE a.recommender = s.recommender AND a.seller = s.seller AND a.offered)" \
" GROUP BY s.recommender, s.experiment, s.variant),"

/* What only single lists and users know.  These are many rows, which have their group as a number. */
#define LISTS \
" requests AS MATERIALIZED (SELECT *, row_number() OVER () AS g FROM (SELECT " GROUP ", count(*) AS requests," \
" sum(cardinality(item_ids))::int8 AS impressions, count(DISTINCT unit) AS users FROM " REQUESTS " GROUP BY " GROUP ") AS q)," \
" shown AS MATERIALIZED (SELECT r.request_id, k.g, r.unit, i.item_id FROM " REQUESTS " JOIN requests AS k ON " SAME("k", "r") \
" CROSS JOIN LATERAL unnest(r.item_ids) AS i (item_id) WHERE i.item_id IS NOT NULL)," \
" categories AS (SELECT k.g, i.item_id, i.category FROM items AS i JOIN requests AS k ON " SAME("k", "i") \
" WHERE i.category IS NOT NULL)," \
" mixes AS (SELECT g, count(*) / count(DISTINCT request_id)::float8 AS categories" \
" FROM (SELECT DISTINCT s.request_id, s.g, c.category FROM shown AS s" \
" JOIN categories AS c ON c.item_id = s.item_id AND c.g = s.g) AS m GROUP BY g)," \
" taken AS (SELECT DISTINCT k.g, x.unit, x.item_id FROM results AS x JOIN requests AS k ON " SAME("k", "x") ")," \
" repeats AS (SELECT n.g, sum(n.n - 1)::int8 AS repeated FROM (SELECT g, unit, item_id, count(*) AS n" \
" FROM shown WHERE unit IS NOT NULL GROUP BY g, unit, item_id HAVING count(*) > 1) AS n" \
" WHERE NOT EXISTS (SELECT FROM taken AS x WHERE x.g = n.g AND x.unit = n.unit AND x.item_id = n.item_id) GROUP BY n.g),"

/* Figures of the items, and of the sellers, of each group */
#define SPREAD \
" ranked AS (SELECT *, row_number() OVER (PARTITION BY " GROUP " ORDER BY impressions) AS place FROM items WHERE impressions > 0)," \
" spread AS (SELECT " GROUP ", count(*) AS shown, sum(impressions) AS total, sum(place * impressions) AS weighted," \
" (sum(impressions * impressions) / (sum(impressions) * sum(impressions)))::float8 AS herfindahl FROM ranked GROUP BY " GROUP ")," \
" ranked_sellers AS (SELECT *, row_number() OVER (PARTITION BY " GROUP " ORDER BY exposure, seller) AS place" \
" FROM recsys.daily_seller WHERE time = $1 AND items_shown > 0)," \
" seller_spread AS (SELECT " GROUP ", count(*) AS shown, sum(exposure ORDER BY place) AS total," \
" sum(place * exposure ORDER BY place) AS weighted FROM ranked_sellers GROUP BY " GROUP ")," \
" means AS (SELECT " GROUP ", " MEAN("(ln(user_share) / -ln(2::float8))", "impressions") " AS novelty," \
" " MEAN("popularity", "impressions") " AS shown, " MEAN("popularity", "clicks") " AS clicked," \
" " MEAN("popularity", "orders") " AS ordered FROM items GROUP BY " GROUP "),"

#define DAILY_CATALOGUE \
"WITH o AS (DELETE FROM recsys.daily_catalogue WHERE time = $1 RETURNING *)," \
" items AS MATERIALIZED (SELECT * FROM recsys.daily_item WHERE time = $1)," \
	CATALOGUE LISTS SPREAD \
" shares AS (SELECT " GROUP ", ARRAY[" SHARES("is_new") ", " SHARES("is_new_seller") "] AS s FROM items GROUP BY " GROUP ")," \
" sizes AS (SELECT r.*, COALESCE(d.shown, 0) AS shown, d.total, d.weighted, d.herfindahl," \
" e.shown AS sellers_shown, e.total AS exposure, e.weighted AS weighted_exposure," \
" GREATEST(CASE WHEN $3 THEN COALESCE(o.catalogue_items, f.items + COALESCE(x.items, 0)) ELSE COALESCE(f.items + COALESCE(x.items, 0), o.catalogue_items) END," \
" CASE WHEN f.items IS NOT NULL OR o.catalogue_items IS NOT NULL THEN d.shown END) AS size," \
" GREATEST(CASE WHEN $3 THEN COALESCE(o.catalogue_sellers, f.sellers + COALESCE(y.sellers, 0))" \
" ELSE COALESCE(f.sellers + COALESCE(y.sellers, 0), o.catalogue_sellers) END, e.shown) AS sellers" \
" FROM requests AS r LEFT JOIN o ON " SAME("o", "r") \
" LEFT JOIN offered AS f ON f.recommender = r.recommender" \
" LEFT JOIN others AS x ON " SAME("x", "r") " LEFT JOIN other_sellers AS y ON " SAME("y", "r") \
" LEFT JOIN spread AS d ON " SAME("d", "r") " LEFT JOIN seller_spread AS e ON " SAME("e", "r") ")" \
" INSERT INTO recsys.daily_catalogue SELECT $1, r.recommender, r.experiment, r.variant, r.requests, r.impressions, r.users," \
" r.shown, r.size, " GINI("COALESCE(r.size, r.shown)", "r.shown", "r.total", "r.weighted") ", r.herfindahl," \
" m.categories, n.novelty, n.shown, n.clicked, n.ordered, h.s[1], h.s[2], h.s[3], h.s[4], h.s[5], h.s[6]," \
" CASE WHEN r.sellers > 0 THEN COALESCE(r.sellers_shown, 0) END, nullif(r.sellers, 0), " \
	GINI("r.sellers", "r.sellers_shown", "r.exposure", "r.weighted_exposure") "," \
" COALESCE(p.repeated, 0)" \
" FROM sizes AS r LEFT JOIN mixes AS m ON m.g = r.g LEFT JOIN means AS n ON " SAME("n", "r") \
" LEFT JOIN shares AS h ON " SAME("h", "r") " LEFT JOIN repeats AS p ON p.g = r.g"

#define DAILY_LATENCY \
"INSERT INTO recsys.daily_latency SELECT $1, " GROUP ", n, mean, p[1], p[2], p[3], most" \
" FROM (SELECT " GROUP ", count(*) AS n, (sum(latency_ms::numeric) / count(*))::float8 AS mean," \
" percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY latency_ms::float8) AS p," \
" max(latency_ms)::float8 AS most FROM " REQUESTS \
" WHERE latency_ms >= 0 AND latency_ms < 'Infinity' GROUP BY " GROUP ") AS l"

#define HOUR "date_trunc('hour', time, 'UTC') AS hour"

#define HOURLY_REQUEST \
"INSERT INTO recsys.hourly_request SELECT hour, " GROUP ", sum(requests)::int8, sum(impressions)::int8," \
" sum(users)::int8, " RESULTS_OF("t") " FROM (SELECT " HOUR ", " GROUP ", count(*) AS requests," \
" sum(cardinality(item_ids)) AS impressions, count(DISTINCT unit) AS users, " NO_RESULTS \
" FROM " REQUESTS " GROUP BY 1, " GROUP \
" UNION ALL SELECT " HOUR ", " GROUP ", 0, 0, 0, " SUM_RESULTS " FROM results GROUP BY 1, " GROUP ") AS t" \
" GROUP BY hour, " GROUP

const char *const RecsysDayStatements[] = {
	"DELETE FROM recsys.daily_request WHERE time = $1",
	DAILY_REQUEST,
	"DELETE FROM recsys.daily_position WHERE time = $1",
	DAILY_POSITION,
	DAILY_ITEM,
	"DELETE FROM recsys.daily_seller WHERE time = $1",
	DAILY_SELLER,
	DAILY_CATALOGUE,
	"DELETE FROM recsys.daily_latency WHERE time = $1",
	DAILY_LATENCY,
	"DELETE FROM recsys.hourly_request WHERE time >= $1 AND time < $2",
	HOURLY_REQUEST
};

const int	RecsysDayStatementCount = lengthof(RecsysDayStatements);
