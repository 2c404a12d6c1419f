/*
 * What the report about the marketplace should say, computed without its queries and, where that
 * can be done, without the views that these read: from the rows of the log and of the shop.
 *
 * psql variables: until (the end of the page's period), product and customer (those that are shown).
 * Prints lines of page, metric as data-metric has it, value; an empty value is NULL.
 */
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\t'
\pset null ''
SET TimeZone = 'UTC';
SET client_min_messages = error;
SELECT :'until'::timestamptz - interval '28 days' AS since, :'until'::timestamptz - interval '56 days' AS before \gset
\o /dev/null

-- an item that was shown: when, to whom, where, and what came of it
CREATE TEMP TABLE shown AS
SELECT r.request_id, r.time, r.time::date AS day, r.user_id, r.recommender, r.experiment, r.variant, r.segment, r.latency_ms,
	   coalesce(r.variant, replace(r.recommender, 'public.', '')) AS series, i.item_id, i.position,
	   EXISTS (SELECT FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.request_time = r.time AND e.item_id = i.item_id AND e.kind = 'click') AS clicked,
	   EXISTS (SELECT FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.request_time = r.time AND e.item_id = i.item_id AND e.kind = 'cart') AS carted
FROM recsys.request_log r, unnest(r.item_ids) WITH ORDINALITY i (item_id, position);
CREATE INDEX ON shown (user_id, item_id, time);
ANALYZE shown;

-- purchases, each with the last list before it that had the product, within a week
CREATE TEMP TABLE sold AS
SELECT p.purchase_id, p.price * p.quantity AS amount, s.*
FROM purchases p, LATERAL (SELECT * FROM shown WHERE user_id = p.customer_id::text AND item_id = p.product_id::text
	AND time <= p.purchased_at AND time > p.purchased_at - interval '7 days' ORDER BY time DESC, request_id DESC LIMIT 1) s;
-- the same among the lists of the experiment
CREATE TEMP TABLE sold_by_experiment AS
SELECT p.purchase_id, p.price * p.quantity AS amount, s.*
FROM purchases p, LATERAL (SELECT * FROM shown WHERE experiment = 'home_page' AND user_id = p.customer_id::text AND item_id = p.product_id::text
	AND time <= p.purchased_at AND time > p.purchased_at - interval '7 days' ORDER BY time DESC, request_id DESC LIMIT 1) s;

-- totals of a stretch of days, and of one series or of all
CREATE FUNCTION pg_temp.total(a timestamptz, b timestamptz, one text DEFAULT NULL) RETURNS TABLE (name text, value double precision)
LANGUAGE sql AS $$
	WITH s AS MATERIALIZED (SELECT * FROM shown WHERE time >= a AND time < b AND (one IS NULL OR series = one)),
		 o AS MATERIALIZED (SELECT * FROM sold WHERE time >= a AND time < b AND (one IS NULL OR series = one)),
		 t AS (SELECT (SELECT count(DISTINCT request_id) FROM s)::double precision AS requests, (SELECT count(*) FROM s)::double precision AS impressions,
					  (SELECT count(*) FROM s WHERE clicked)::double precision AS clicks, (SELECT count(*) FROM s WHERE carted)::double precision AS carts,
					  (SELECT count(*) FROM o)::double precision AS orders, (SELECT sum(amount) FROM o)::double precision AS revenue,
					  -- visitors of a day and a variant
					  (SELECT count(DISTINCT (user_id, day, recommender, variant)) FROM s)::double precision AS users,
					  (SELECT count(DISTINCT (user_id, day, recommender, variant)) FROM o)::double precision AS buyers)
	SELECT v.* FROM t, LATERAL (VALUES ('requests', requests), ('impressions', impressions), ('clicks', clicks), ('carts', carts), ('orders', orders), ('revenue', revenue),
		('ctr', clicks / impressions), ('conversion', buyers / users), ('revenue_per_request', revenue / requests)) v $$;
\o

/* The overview */
SELECT 'overview', 'overview.' || name, value FROM pg_temp.total(:'since', :'until') WHERE name NOT IN ('impressions', 'clicks', 'carts')
UNION ALL
SELECT 'overview', 'overview.funnel.' || name, value FROM pg_temp.total(:'since', :'until') WHERE name IN ('impressions', 'clicks', 'carts', 'orders')
UNION ALL
SELECT 'overview', 'overview.' || t.name || '.change', t.value / b.value - 1
FROM pg_temp.total(:'since', :'until') t JOIN pg_temp.total(:'before', :'since') b USING (name) WHERE name NOT IN ('impressions', 'clicks', 'carts')
UNION ALL
SELECT 'overview', 'overview.variant.' || s || '.' || name, value
FROM (SELECT DISTINCT series FROM shown WHERE time >= :'since' AND time < :'until') x (s), LATERAL pg_temp.total(:'since', :'until', s)
WHERE name NOT IN ('impressions', 'clicks', 'carts');

SELECT 'overview', format('overview-ctr.%s.%s', series, day), avg(clicked::int) FROM shown WHERE time >= :'since' AND time < :'until' GROUP BY series, day
UNION ALL
SELECT 'overview', format('overview-revenue.%s.%s', series, day), sum(amount) FROM sold WHERE time >= :'since' AND time < :'until' GROUP BY series, day
UNION ALL
SELECT 'overview', format('overview-conversion.%s.%s', series, s.day), (SELECT count(DISTINCT o.user_id) FROM sold o WHERE o.day = s.day AND o.series = s.series)::float8 / count(DISTINCT user_id)
FROM shown s WHERE time >= :'since' AND time < :'until' GROUP BY series, s.day
UNION ALL
SELECT 'overview', format('overview-positions.%s.%s', series, position), avg(clicked::int) FROM shown WHERE time >= :'since' AND time < :'until' GROUP BY series, position
UNION ALL
SELECT 'overview', format('overview.segment.%s.requests', segment), count(DISTINCT request_id) FROM shown WHERE time >= :'since' AND time < :'until' AND segment IS NOT NULL GROUP BY segment
UNION ALL
SELECT 'overview', format('overview.segment.%s.ctr', segment), avg(clicked::int) FROM shown WHERE time >= :'since' AND time < :'until' AND segment IS NOT NULL GROUP BY segment
UNION ALL
SELECT 'overview', format('overview.segment.%s.revenue', segment), sum(amount) FROM sold WHERE time >= :'since' AND time < :'until' AND segment IS NOT NULL GROUP BY segment;

/* The experiment: values by hand, intervals by the function, from raw rows where the page has daily sums */
WITH u AS (SELECT variant, user_id, min(time) AS first, count(*) AS impressions, count(*) FILTER (WHERE clicked) AS clicks, count(*) FILTER (WHERE carted) AS carts
		   FROM shown WHERE experiment = 'home_page' GROUP BY 1, 2),
	 v AS (SELECT variant, count(*)::float8 AS users, sum(clicks)::float8 / sum(impressions) AS ctr, sum(carts)::float8 / sum(impressions) AS add_to_cart_rate,
				  (SELECT count(DISTINCT o.user_id) FROM sold_by_experiment o WHERE o.variant = u.variant)::float8 / count(*) AS conversion,
				  (SELECT sum(amount) FROM sold_by_experiment o WHERE o.variant = u.variant)::float8 / count(*) AS revenue,
				  sum((SELECT count(*) FROM purchases p WHERE p.customer_id::text = u.user_id AND p.purchased_at >= u.first))::float8 / count(*) AS user_orders
		   FROM u GROUP BY 1),
	 m AS (SELECT variant, users, x.* FROM v, LATERAL (VALUES ('ctr', ctr), ('add_to_cart_rate', add_to_cart_rate), ('conversion', conversion), ('revenue', revenue), ('user_orders', user_orders)) x (metric, value)),
	 b AS (SELECT t.metric, t.value, c.value AS control_value FROM m t JOIN m c USING (metric) WHERE t.variant = 'personal' AND c.variant = 'control')
SELECT 'experiment', format('experiment.home_page.personal.%s.%s', metric, x.name), x.value
FROM b, LATERAL (VALUES ('value', value), ('control_value', control_value), ('lift', value / control_value - 1)) x (name, value)
UNION ALL SELECT 'experiment', 'experiment.home_page.users', sum(users) FROM v
UNION ALL SELECT 'experiment', format('experiment.home_page.%s.users', variant), users FROM v;
SELECT 'experiment', format('experiment.home_page.%spersonal.%s.%s', segment || '.', metric, x.name), x.value
FROM recsys.experiment_results('home_page', 'raw', (SELECT max(as_of) FROM recsys.experiment_results('home_page'))) r,
	 LATERAL (VALUES ('value', r.value), ('control_value', control_value), ('lift', lift), ('p_adjusted', p_adjusted)) x (name, value)
WHERE segment IS NULL OR is_primary;
SELECT 'experiment', 'experiment.home_page.verdict', verdict FROM recsys.experiment_results('home_page') WHERE segment IS NULL AND is_primary;
SELECT 'experiment', format('experiment-history.personal.ctr.%s.%s', to_char(time - interval '1 microsecond', 'YYYY-MM-DD'), x.name), x.value
FROM recsys.experiment_history('home_page') h, LATERAL (VALUES ('lift', lift), ('lift_low', lift_low), ('lift_high', lift_high)) x (name, value)
WHERE segment IS NULL AND metric = 'ctr' AND time < :'until';

/* Sellers: as far as they are declared, so not those of product pages */
CREATE TEMP TABLE shown_sellers AS
SELECT s.*, p.seller_id, p.category FROM shown s JOIN products p ON p.product_id = s.item_id::bigint
WHERE time >= :'since' AND time < :'until' AND recommender IN ('home', 'bestsellers');
CREATE TEMP TABLE sold_sellers AS
SELECT s.*, p.seller_id, p.category FROM sold s JOIN products p ON p.product_id = s.item_id::bigint
WHERE time >= :'since' AND time < :'until' AND recommender IN ('home', 'bestsellers');
CREATE TEMP TABLE exposures AS
SELECT seller_id, sum(1 / log(2, (1 + position)::numeric))::float8 AS exposure FROM shown_sellers GROUP BY 1;
-- with sellers whose products may be shown, and were not
CREATE TEMP TABLE all_exposures AS
SELECT seller_id, coalesce(exposure, 0) AS exposure, row_number() OVER (ORDER BY coalesce(exposure, 0), seller_id) AS place
FROM (SELECT DISTINCT seller_id FROM products WHERE stock > 0 AND NOT suspected_fake UNION SELECT seller_id FROM exposures) s LEFT JOIN exposures USING (seller_id);

SELECT 'sellers', 'sellers.shown', count(*) FROM exposures
UNION ALL SELECT 'sellers', 'sellers.gini', sum((2 * place - n - 1) * exposure) / (max(n) * sum(exposure)) FROM all_exposures, (SELECT count(*) AS n FROM all_exposures) c
UNION ALL SELECT 'sellers', 'sellers.top_share', sum(exposure) FILTER (WHERE place > n - round(n / 10.0)) / sum(exposure) FROM all_exposures, (SELECT count(*) AS n FROM all_exposures) c
UNION ALL SELECT 'sellers', 'sellers.new_share', sum(exposure) FILTER (WHERE joined_at > now() - interval '30 days') / sum(exposure) FROM exposures JOIN sellers USING (seller_id)
UNION ALL SELECT 'sellers', format('sellers.%s.exposure_share', seller_id), exposure / (SELECT sum(exposure) FROM exposures) FROM exposures
UNION ALL SELECT 'sellers', format('sellers.%s.impressions', seller_id), count(*) FROM shown_sellers GROUP BY seller_id
UNION ALL SELECT 'sellers', format('sellers.%s.clicks', seller_id), count(*) FILTER (WHERE clicked) FROM shown_sellers GROUP BY seller_id
UNION ALL SELECT 'sellers', format('sellers.%s.ctr', seller_id), avg(clicked::int) FROM shown_sellers GROUP BY seller_id
UNION ALL SELECT 'sellers', format('sellers.%s.orders', seller_id), count(*) FROM sold_sellers GROUP BY seller_id
UNION ALL SELECT 'sellers', format('sellers.%s.revenue', seller_id), sum(amount) FROM sold_sellers GROUP BY seller_id;

/* The catalogue */
SELECT 'catalogue', 'catalogue.coverage', count(DISTINCT item_id)::float8 / (SELECT max(catalogue_items) FROM recsys.metrics_catalogue_daily WHERE recommender = 'home' AND time >= :'since' AND time < :'until')
FROM shown WHERE recommender = 'home' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'catalogue', format('catalogue.category.%s.impressions', category), count(*) FROM shown_sellers GROUP BY category
UNION ALL SELECT 'catalogue', format('catalogue.category.%s.clicks', category), count(*) FILTER (WHERE clicked) FROM shown_sellers GROUP BY category
UNION ALL SELECT 'catalogue', format('catalogue.category.%s.orders', category), count(*) FROM sold_sellers GROUP BY category
UNION ALL SELECT 'catalogue', format('catalogue.category.%s.revenue', category), sum(amount) FROM sold_sellers GROUP BY category;
SELECT 'catalogue', format('catalogue.item.%s.%s', item_id, x.name), x.value
FROM (SELECT item_id, count(*) AS impressions, avg(clicked::int)::float8 AS ctr, (SELECT count(*) FROM sold o WHERE o.item_id = s.item_id AND time >= :'since' AND time < :'until') AS orders
	  FROM shown s WHERE time >= :'since' AND time < :'until' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15) i,
	 LATERAL (VALUES ('impressions', impressions::float8), ('ctr', ctr), ('orders', orders::float8)) x (name, value);
SELECT 'catalogue', 'catalogue.novelty', sum(novelty * impressions) / sum(impressions) FROM recsys.metrics_catalogue_daily WHERE recommender = 'home' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'catalogue', 'catalogue.popularity_bias', sum(popularity_bias * impressions) / sum(impressions) FROM recsys.metrics_catalogue_daily WHERE recommender = 'home' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'catalogue', format('catalogue-coverage.%s.%s', coalesce(variant, replace(recommender, 'public.', '')), time::date), items_shown::float8 / catalogue_items
	FROM recsys.metrics_catalogue_daily WHERE time >= :'since' AND time < :'until';

/* A product, and a customer */
SELECT 'product', format('product.%s.similar.%s.score', :'product', item_id), score FROM similar_items(:'product'::bigint, 10, 'home');
SELECT 'product', format('product.%s.together.%s.%s', :'product', item_id, x.name), x.value
FROM frequently_bought_together(:'product'::bigint, 6, 'purchases_recsys') f, LATERAL (VALUES ('confidence', f.confidence), ('lift', f.lift)) x (name, value);
SELECT 'product', format('product.%s.impressions', :'product'), count(*) FROM shown WHERE item_id = :'product' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'product', format('product.%s.ctr', :'product'), avg(clicked::int) FROM shown WHERE item_id = :'product' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'product', format('product.%s.orders', :'product'), count(*) FROM sold WHERE item_id = :'product' AND time >= :'since' AND time < :'until'
UNION ALL SELECT 'product', format('product.%s.revenue', :'product'), sum(amount) FROM sold WHERE item_id = :'product' AND time >= :'since' AND time < :'until';
SELECT 'customer', format('customer.%s.list.%s.score', :'customer', item_id), score FROM recommend(:'customer'::bigint, 10, 'home') WHERE score > 0;
SELECT 'customer', format('customer.%s.frequency', :'customer'), count(*) FROM purchases WHERE customer_id = :'customer'
UNION ALL SELECT 'customer', format('customers.segment.%s %s.customers', country, age_band), count(*) FROM customers WHERE NOT is_fraud GROUP BY country, age_band HAVING count(*) > 100
UNION ALL SELECT 'customer', format('customers.persona.%s.customers', persona), count(*) FROM recsys.customer_segments('home') WHERE NOT excluded GROUP BY persona
UNION ALL SELECT 'customer', format('customers.rfm.%s.%s', r, f), count(*) FROM recsys.customer_segments('home') WHERE r IS NOT NULL GROUP BY r, f;

/* Quality: the same held out, by a query of the test's own */
SELECT model AS built_model FROM recsys.index_stats WHERE index_name = 'purchases_recsys' \gset
SELECT 'quality', format('quality-accuracy.%s.%s', metric, x.name), x.value
FROM recsys.evaluate('SELECT customer_id, product_id, quantity, purchased_at FROM purchases', :'built_model', holdout_last => 1, k => '{10}', resamples => 200, metrics => '{ndcg,recall,hit_rate,mrr,precision}') e,
	 LATERAL (VALUES ('value', e.value), ('popular', e.popular_value)) x (name, value);

/* Operations */
SELECT 'operations', format('operations.index.public.%s.%s', s.relname, x.name), x.value
FROM (VALUES ('wishlist_recsys'::regclass, (SELECT count(DISTINCT customer_id) FROM wishlist), (SELECT count(DISTINCT product_id) FROM wishlist), (SELECT count(DISTINCT (customer_id, product_id)) FROM wishlist)),
			 ('ratings_recsys', (SELECT count(DISTINCT customer_id) FROM ratings), (SELECT count(DISTINCT product_id) FROM ratings), (SELECT count(DISTINCT (customer_id, product_id)) FROM ratings)),
			 ('returns_recsys', (SELECT count(DISTINCT customer_id) FROM returns), (SELECT count(DISTINCT product_id) FROM returns), (SELECT count(DISTINCT (customer_id, product_id)) FROM returns))) i (relation, users, items, interactions)
JOIN pg_class s ON s.oid = i.relation, LATERAL (VALUES ('users', users), ('items', items), ('interactions', interactions), ('size_bytes', pg_relation_size(relation))) x (name, value)
UNION ALL SELECT 'operations', format('operations.index.public.%s.pending', index_name), pending FROM recsys.index_stats
UNION ALL SELECT 'operations', 'operations.pending', sum(pending) FROM recsys.index_stats
UNION ALL SELECT 'operations', 'operations.indexes', count(*) FROM recsys.index_stats;
SELECT 'operations', format('operations-latency.%s.%s', series, day), percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms)
FROM (SELECT DISTINCT request_id, series, day, latency_ms FROM shown WHERE time >= :'since' AND time < :'until' AND latency_ms IS NOT NULL) l GROUP BY series, day
UNION ALL
SELECT 'operations', format('operations-median.%s.%s', series, day), percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms)
FROM (SELECT DISTINCT request_id, series, day, latency_ms FROM shown WHERE time >= :'since' AND time < :'until' AND latency_ms IS NOT NULL) l GROUP BY series, day;
