-- Metrics of the business: figures by hand, against slow SQL, day by day as all at once
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA shop_metrics;
SET search_path = shop_metrics, public;
-- nothing is logged yet
SELECT recsys.refresh_metrics();

/*
 * A log by hand: four requests of 2024-03-01
 *
 *	item	category	seller	new		users	user_share	popularity (rank of 7)
 *	1		a			s1		no		4		1			1
 *	2		a			s1		no		2		1/2			2/3
 *	3		b			s2		no		2		1/2			2/3
 *	4		b			s2		yes		1		1/4			1/3
 *	5		c			s3, new	yes		1		1/4			1/3
 *	6		c			s3, new	no		0		1/4			0			sold out
 *	7		d			s4		no		0		1/4			0
 */
CREATE TABLE sellers (seller_id text PRIMARY KEY, fresh boolean);
INSERT INTO sellers VALUES ('s1', false), ('s2', false), ('s3', true), ('s4', false);
CREATE TABLE products (product_id integer PRIMARY KEY, category text, seller_id text, fresh boolean, stock integer);
INSERT INTO products VALUES (1, 'a', 's1', false, 1), (2, 'a', 's1', false, 1), (3, 'b', 's2', false, 1), (4, 'b', 's2', true, 1),
	(5, 'c', 's3', true, 1), (6, 'c', 's3', false, 0), (7, 'd', 's4', false, 1);
CREATE TABLE history (user_id text, product_id integer);
INSERT INTO history VALUES ('h1', 1), ('h2', 1), ('h3', 1), ('h4', 1), ('h1', 2), ('h2', 2), ('h3', 3), ('h4', 3), ('h1', 4), ('h2', 5);
CREATE INDEX history_recsys ON history USING recsys (user_id, product_id);
SELECT recsys.create_recommender('home', '[{"events": "history_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock > 0',
	category => 'category', seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id', new_item_since => 'fresh', new_seller_since => 'fresh');

CREATE FUNCTION request(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO recsys.request_log (request_id, time, user_id, session_id, recommender, segment, latency_ms, item_ids) VALUES
	(request(1), '2024-03-01 10:00', 'u1', 's1', 'home', 'DE', 10, '{1,2,3}'),
	(request(2), '2024-03-01 10:30', 'u1', 's1', 'home', 'DE', 20, '{1,2,4}'),
	(request(3), '2024-03-01 11:00', 'u2', NULL, 'home', NULL, 30, '{3,1}'),
	(request(4), '2024-03-01 23:59:59.999', NULL, 's9', 'home', NULL, 100, '{5}');
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, r.time, kind, item, at::timestamptz
FROM (VALUES (1, 'click', '1', '2024-03-01 10:01'), (3, 'click', '1', '2024-03-02 11:01'), (3, 'cart', '1', '2024-03-02 11:02'),
			 (1, 'click', '6', '2024-03-01 10:02'),		-- was not shown
			 (2, 'hidden', '2', '2024-03-01 10:31')) v (n, kind, item, at)
	 JOIN recsys.request_log r ON request_id = request(n);
CREATE TABLE sales (customer text, product integer, sold_at timestamptz, amount numeric);
INSERT INTO sales VALUES
	('u1', 1, '2024-03-01 12:00', 10), ('u1', 4, '2024-03-05 09:00', 7.50),	-- both of request 2, the last touch
	('u2', 3, '2024-03-09 11:00', 99), ('u2', 1, '2024-03-01 10:59', 99),	-- later than seven days; before the request
	('u1', 5, '2024-03-01 12:00', 99), ('u3', 1, '2024-03-01 12:00', 99);	-- not shown to them
SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}');
SELECT recsys.refresh_metrics();
SELECT day, is_final FROM recsys.metrics_day;
\x on
-- DE: ctr 1 of 6, click_rate 1 of 2, 17.50 in 2 requests; the others: 1 click and 1 cart of 3
SELECT time, recommender, experiment, variant, segment, requests, impressions, users, clicks, carts, orders, revenue, clicked_requests, ordered_requests, ordered_users,
	ctr, click_rate, add_to_cart_rate, conversion, request_conversion, revenue_per_request, is_final
FROM recsys.metrics_daily ORDER BY segment;
/*
 * coverage 5 of 6 that are not sold out; impressions 0 1 1 2 2 3: Gini 19/54, Herfindahl 19/81; categories 2, 2, 2, 1;
 * novelty (3*0 + 2*1 + 2*1 + 2 + 2) / 9; popularity (3 + 2*2/3 + 2*2/3 + 1/3 + 1/3) / 9 = 19/27, bought (1 + 1/3) / 2;
 * new items: 2 of 9 shown, 0 of 2 clicked, 1 of 2 bought; new sellers: 1 of 9, 0, 0; exposure of sellers 0, 1, 2, 3.8928: Gini 12.678 / (4 * 6.8928);
 * u1 was shown 1 and 2 twice, and clicked 1
 */
SELECT * FROM recsys.metrics_catalogue_daily;
\x off
SELECT gini - 19 / 54.0::float8 AS gini, coverage - 5 / 6.0::float8 AS coverage, herfindahl - 19 / 81.0::float8 AS herfindahl, novelty - 8 / 9.0::float8 AS novelty,
	popularity_shown - 19 / 27.0::float8 < 1e-12 AS shown, popularity_bias - 1 / 27.0::float8 < 1e-12 AS bias
FROM recsys.metrics_catalogue_daily;
-- 1 at the first place of 4, 2 at the second of 3, 3 at the third of 2
SELECT position, impressions, clicks, carts, orders, revenue, ctr, add_to_cart_rate FROM recsys.metrics_positions_daily ORDER BY position;
-- expected: 1/4 for each first place and 1/3 for each second one; exposure 1, 1/log2(3), 1/2
SELECT item_id, impressions, round(exposure::numeric, 5) AS exposure, round(expected_clicks::numeric, 5) AS expected, clicks, carts, orders, revenue, category, seller, is_new, is_new_seller, user_share, round(popularity::numeric, 5) AS popularity, ctr
FROM recsys.metrics_items_daily ORDER BY item_id;
SELECT abs(sum(expected_clicks) - sum(clicks)) < 1e-12 AS as_many_as_there_were FROM recsys.metrics_items_daily;
SELECT seller, is_new, items_shown, impressions, round(exposure::numeric, 5) AS exposure, round(exposure_share::numeric, 5) AS share, clicks, carts, orders, revenue, ctr FROM recsys.metrics_sellers_daily ORDER BY seller;
SELECT requests, mean_ms, p50_ms, round(p95_ms::numeric, 9) AS p95_ms, round(p99_ms::numeric, 9) AS p99_ms, max_ms FROM recsys.metrics_latency_daily;
SELECT time, requests, impressions, users, clicks, carts, orders, revenue, ctr, revenue_per_request FROM recsys.metrics_hourly ORDER BY time;

-- the first touch is request 1; by positions both have shown it first, so each gets half
SELECT recsys.configure_log(attribution => 'first');
SELECT recsys.refresh_metrics();		-- the day is final: nothing to do
SELECT recsys.refresh_metrics('2024-03-01');
SELECT ordered_requests, orders, revenue FROM recsys.metrics_daily WHERE segment = 'DE';
SELECT recsys.configure_log(attribution => 'position');
SELECT recsys.refresh_metrics('2024-03-01');
SELECT ordered_requests, orders, revenue FROM recsys.metrics_daily WHERE segment = 'DE';
-- purchases without amounts, and none at all
ALTER TABLE sales RENAME amount TO other;
SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}', attribution => 'last');
SELECT recsys.refresh_metrics('2024-03-01');
SELECT orders, revenue, revenue_per_request, conversion FROM recsys.metrics_daily WHERE segment = 'DE';
SELECT recsys.configure_log(purchases => '');
SELECT recsys.refresh_metrics('2024-03-01');
SELECT orders, revenue, conversion, ordered_users FROM recsys.metrics_daily WHERE segment = 'DE';
ALTER TABLE sales RENAME other TO amount;
SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}');
SELECT recsys.refresh_metrics('2024-03-01');

/*
 * What is known of items is that of the day, even if the recommender is gone
 */
UPDATE products SET fresh = NOT fresh, seller_id = 's9', category = 'z';
SELECT recsys.refresh_metrics('2024-03-01');
SELECT new_items_shown, catalogue_items, sellers_shown, categories_per_list FROM recsys.metrics_catalogue_daily;
SELECT recsys.drop_recommender('home');
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, item_ids) VALUES (request(5), '2024-03-02 10:00', 'u1', 'home', '{1,6}');
SELECT recsys.refresh_metrics('2024-03-01');
SELECT time, items_shown, catalogue_items, round(coverage::numeric, 4) AS coverage, round(gini::numeric, 4) AS gini, new_items_shown, sellers_shown, catalogue_sellers, novelty, popularity_bias, categories_per_list, fatigue
FROM recsys.metrics_catalogue_daily ORDER BY time;
SELECT time, item_id, category, seller, is_new, popularity FROM recsys.metrics_items_daily WHERE item_id = '1' ORDER BY time;
-- days that the log has nothing of any more stay
DELETE FROM recsys.request_log;
SELECT recsys.refresh_metrics('2020-01-01');
SELECT time, requests, orders FROM recsys.metrics_daily ORDER BY time, segment;

/*
 * A log at random: by recommenders, experiments, segments, over days that are final and some that are not
 */
CREATE FUNCTION forget() RETURNS void LANGUAGE sql BEGIN ATOMIC
	DELETE FROM recsys.event_log;
	DELETE FROM recsys.request_log;
	DELETE FROM recsys.metrics_day;
	DELETE FROM recsys.daily_request;
	DELETE FROM recsys.daily_position;
	DELETE FROM recsys.daily_item;
	DELETE FROM recsys.daily_catalogue;
	DELETE FROM recsys.daily_seller;
	DELETE FROM recsys.daily_latency;
	DELETE FROM recsys.hourly_request;
END;
SELECT forget();
UPDATE products SET stock = 1;
INSERT INTO products SELECT p, nullif('c' || p % 4, 'c0'), nullif('s' || p % 6, 's5'), p % 7 = 0, p % 9 FROM generate_series(8, 60) p;
INSERT INTO sellers VALUES ('s0', true), ('s9', false);
INSERT INTO history SELECT 'h' || u % 40, 1 + (u * u + u) % 57 FROM generate_series(1, 400) u;
REINDEX INDEX history_recsys;
CREATE INDEX products_sold ON history USING recsys (user_id, product_id);
SELECT recsys.create_recommender(name, '[{"events": "history_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock > 0',
	category => 'category', seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id', new_item_since => new, new_seller_since => new)
FROM (VALUES ('home', 'fresh'), ('other', NULL)) v (name, new);
-- hashes are the chance: whatever the machine, the same
CREATE FUNCTION chance(what text, n bigint, most integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT (('x' || substr(md5(what || n), 1, 7))::bit(28)::integer % most) $$;
CREATE TABLE today AS SELECT date_trunc('day', now()) AS day;
INSERT INTO recsys.request_log (request_id, time, user_id, session_id, recommender, experiment, variant, segment, latency_ms, item_ids)
SELECT request(100 + n), day + least(now() - day, interval '86399 s') * chance('time', n, 1000) / 1000.0 - chance('day', n, 12) * interval '1 day',
	CASE WHEN chance('known', n, 6) > 0 THEN 'u' || chance('user', n, 25) END, CASE WHEN chance('session', n, 4) > 0 THEN 's' || chance('user', n, 25) END,
	(ARRAY['home', 'other', 'shop_metrics.products_sold', 'made elsewhere'])[1 + chance('recommender', n, 4)],
	CASE WHEN chance('experiment', n, 3) > 0 THEN 'test' END, CASE WHEN chance('experiment', n, 3) > 0 THEN 'v' || chance('variant', n, 2) END,
	CASE WHEN chance('segment', n, 3) > 0 THEN 'g' || chance('segment', n, 3) END, nullif(chance('latency', n, 200), 0),
	ARRAY(SELECT item FROM (SELECT DISTINCT ON (i) i::text AS item, x FROM (SELECT x, 1 + chance('item' || x, n, 64) AS i FROM generate_series(1, chance('length', n, 9)) x) l ORDER BY i, x) d ORDER BY x)
FROM generate_series(1, 450) n, today;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, event_key, time)
SELECT request_id, r.time, kind, item, chance(kind || item, n, 2), r.time + interval '1 hour'
FROM (SELECT r.*, row_number() OVER (ORDER BY request_id) AS n FROM recsys.request_log r) r, unnest(item_ids || '{99}'::text[]) item, unnest('{click,cart,hidden}'::text[]) kind
WHERE chance('happens' || kind || item, n, 8) = 0;
TRUNCATE sales;
INSERT INTO sales
SELECT coalesce(user_id, 'u1'), item::integer, r.time + chance('after' || item, n, 300) * interval '1 hour' - interval '1 day', round(chance('price' || item, n, 5000) / 100.0, 2)
FROM (SELECT r.*, row_number() OVER (ORDER BY request_id) AS n FROM recsys.request_log r) r, unnest(item_ids) item
WHERE chance('buys' || item, n, 4) = 0;

-- one row for each impression, with all that came of it, the slow way
CREATE FUNCTION credits(how text) RETURNS TABLE (request uuid, item text, orders numeric, revenue numeric) LANGUAGE sql STABLE AS $$
	WITH s AS MATERIALIZED (SELECT row_number() OVER () AS n, * FROM sales WHERE sold_at < now()),
	touches AS (SELECT s.n, s.amount, r.request_id, r.time, s.product::text AS item, array_position(r.item_ids, s.product::text) AS place
				FROM s JOIN recsys.request_log r ON r.user_id = s.customer AND s.sold_at >= r.time AND s.sold_at < r.time + interval '7 days' AND s.product::text = ANY (r.item_ids)),
	shares AS (SELECT t.*, CASE how WHEN 'position' THEN round(((1 / ln(1 + place::float8)) / (SELECT sum(1 / ln(1 + o.place::float8)) FROM touches o WHERE o.n = t.n))::numeric, 12)
						   ELSE (NOT EXISTS (SELECT FROM touches o WHERE o.n = t.n AND CASE how WHEN 'last' THEN (o.time, o.request_id) > (t.time, t.request_id) ELSE (o.time, o.request_id) < (t.time, t.request_id) END))::integer END AS share
			   FROM touches t)
	SELECT request_id, item, sum(share), sum(share * amount) FROM shares WHERE share > 0 GROUP BY 1, 2
$$;
CREATE FUNCTION slow(how text) RETURNS TABLE (day timestamptz, request_id uuid, recommender text, experiment text, variant text, segment text, unit text, item text, place integer, clicks integer, carts integer, orders numeric, revenue numeric, category text, seller text, is_new boolean, is_new_seller boolean) LANGUAGE sql STABLE AS $$
	SELECT date_trunc('day', r.time), r.request_id, r.recommender, r.experiment, r.variant, r.segment, coalesce('u' || r.user_id, 's' || r.session_id), i.item, place::integer,
		(SELECT count(*)::integer FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.item_id = i.item AND kind = 'click'),
		(SELECT count(*)::integer FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.item_id = i.item AND kind = 'cart'),
		coalesce(c.orders, 0), coalesce(c.revenue, 0), p.category, p.seller_id,
		CASE WHEN r.recommender = 'home' THEN p.fresh END, CASE WHEN r.recommender = 'home' AND p.seller_id IS NOT NULL THEN coalesce((SELECT s.fresh FROM sellers s WHERE s.seller_id = p.seller_id), false) END
	FROM recsys.request_log r CROSS JOIN LATERAL unnest(item_ids) WITH ORDINALITY AS i (item, place)
		 LEFT JOIN credits(how) c ON c.request = r.request_id AND c.item = i.item
		 LEFT JOIN products p ON p.product_id::text = i.item AND r.recommender IN ('home', 'other')
$$;
-- which figures of one query are not those of another, up to rounding
CREATE FUNCTION differ(one text, other text) RETURNS TABLE (rows bigint, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('WITH a AS MATERIALIZED (%s), b AS MATERIALIZED (%s), x AS (SELECT (SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = ''number'' THEN to_jsonb(round(value::numeric, 6)) ELSE value END) FROM jsonb_each(to_jsonb(a))) AS j FROM a),
		y AS (SELECT (SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = ''number'' THEN to_jsonb(round(value::numeric, 6)) ELSE value END) FROM jsonb_each(to_jsonb(b))) AS j FROM b)
		SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM ((SELECT * FROM x EXCEPT ALL SELECT * FROM y) UNION ALL (SELECT * FROM y EXCEPT ALL SELECT * FROM x)) d)', one, other);
END
$$;

CREATE TABLE facts AS SELECT * FROM slow('last') WITH NO DATA;
CREATE TABLE known (name text, item text, users bigint, share float8, popularity float8);
-- what recommenders know: home and other of all products, the index of what is in the history
INSERT INTO known (name, item, users)
SELECT name, product_id::text, (SELECT count(DISTINCT user_id) FROM history h WHERE h.product_id = p.product_id)
FROM unnest('{home,other,shop_metrics.products_sold}'::text[]) name, products p
WHERE name <> 'shop_metrics.products_sold' OR EXISTS (SELECT FROM history h WHERE h.product_id = p.product_id);
UPDATE known k SET share = greatest(users, 1)::float8 / (SELECT count(DISTINCT user_id) FROM history),
	popularity = (SELECT count(*) FROM known o WHERE o.name = k.name AND o.users < k.users) / (SELECT count(*) - 1 FROM known o WHERE o.name = k.name)::float8;
CREATE VIEW slow_daily AS
SELECT r.*, q.*, clicks / nullif(impressions, 0)::float8 AS ctr, revenue / requests AS revenue_per_request, ordered_users / nullif(users, 0)::float8 AS conversion
FROM (SELECT date_trunc('day', time) AS time, recommender, experiment, variant, segment, count(*) AS requests, sum(cardinality(item_ids)) AS impressions,
			 count(DISTINCT coalesce('u' || user_id, 's' || session_id)) AS users FROM recsys.request_log GROUP BY 1, 2, 3, 4, 5) r
	 CROSS JOIN LATERAL (SELECT coalesce(sum(clicks), 0) AS clicks, coalesce(sum(carts), 0) AS carts, coalesce(sum(orders), 0) AS orders, coalesce(sum(revenue), 0) AS revenue,
			 count(DISTINCT f.request_id) FILTER (WHERE f.clicks > 0) AS clicked_requests, count(DISTINCT f.request_id) FILTER (WHERE f.orders > 0) AS ordered_requests,
			 count(DISTINCT unit) FILTER (WHERE f.orders > 0) AS ordered_users
		FROM facts f WHERE day = r.time AND f.recommender = r.recommender AND f.experiment IS NOT DISTINCT FROM r.experiment
			AND f.variant IS NOT DISTINCT FROM r.variant AND f.segment IS NOT DISTINCT FROM r.segment) q (clicks, carts, orders, revenue, clicked_requests, ordered_requests, ordered_users);
CREATE VIEW slow_position AS
SELECT day AS time, recommender, experiment, variant, place AS position, count(*) AS impressions,
	sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
FROM facts GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW slow_item AS
SELECT day AS time, recommender, experiment, variant, f.item AS item_id, count(*) AS impressions, sum(ln(2::float8) / ln(1 + place)) AS exposure, sum(rate) AS expected_clicks,
	sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue, min(category) AS category, min(seller) AS seller, bool_or(is_new) AS is_new, bool_or(is_new_seller) AS is_new_seller,
	min(share) AS user_share, min(popularity) AS popularity
FROM (SELECT *, avg(clicks::float8) OVER (PARTITION BY day, recommender, experiment, variant, place) AS rate FROM facts) f
	 LEFT JOIN known k ON name = recommender AND k.item = f.item GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW slow_seller AS
SELECT time, recommender, experiment, variant, seller, bool_or(is_new_seller) AS is_new, count(*) AS items_shown, sum(impressions) AS impressions, sum(exposure) AS exposure,
	sum(exposure) / sum(sum(exposure)) OVER (PARTITION BY time, recommender, experiment, variant) AS exposure_share,
	sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
FROM slow_item WHERE seller IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
-- Gini by its definition: the mean difference of all pairs
CREATE FUNCTION gini(x float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT sum(abs(a - b)) / (2 * sum(a)) FROM unnest(x) a, unnest(x) b $$;
CREATE VIEW slow_catalogue ("time", recommender, experiment, variant, items_shown, catalogue_items, gini, herfindahl, categories_per_list, novelty, popularity_shown, popularity_clicked, popularity_ordered,
	new_items_shown, new_items_clicked, new_items_ordered, new_sellers_shown, new_sellers_clicked, new_sellers_ordered, sellers_shown, catalogue_sellers, seller_gini, repeated_impressions) AS
	WITH f AS MATERIALIZED (SELECT f.day, f.request_id, f.recommender, f.experiment, f.variant, concat_ws('|', f.day, f.recommender, f.experiment, f.variant) AS g, f.unit, f.item, f.place, f.clicks, f.carts, f.orders, f.category, f.seller, f.is_new, f.is_new_seller, k.share, k.popularity
							FROM facts f LEFT JOIN known k ON k.name = f.recommender AND k.item = f.item),
	g AS MATERIALIZED (SELECT DISTINCT day, recommender, experiment, variant, g FROM f),
	items AS MATERIALIZED (SELECT g, item, count(n) AS n FROM
		(SELECT g, item, 1 AS n FROM f UNION ALL SELECT g, product_id::text, NULL FROM g, products WHERE recommender IN ('home', 'other') AND stock > 0
		 UNION ALL SELECT g, item, NULL FROM g JOIN known ON name = recommender WHERE recommender LIKE 'shop%') i GROUP BY 1, 2),
	sellers AS MATERIALIZED (SELECT g, seller, coalesce(sum(n), 0) AS n FROM
		(SELECT g, seller, ln(2::float8) / ln(1 + place) AS n FROM f UNION ALL SELECT g, seller_id, NULL FROM g, products WHERE recommender IN ('home', 'other') AND stock > 0) i WHERE seller IS NOT NULL GROUP BY 1, 2)
	SELECT g.day, g.recommender, g.experiment, g.variant,
		(SELECT count(DISTINCT item) FROM f WHERE f.g = g.g), CASE WHEN g.recommender <> 'made elsewhere' THEN (SELECT count(*) FROM items i WHERE i.g = g.g) END,
		(SELECT gini(array_agg(n::float8)) FROM items i WHERE i.g = g.g), (SELECT sum(n ^ 2) / sum(n) ^ 2 FROM items i WHERE i.g = g.g),
		(SELECT avg(n) FROM (SELECT count(DISTINCT category) AS n FROM f WHERE f.g = g.g AND category IS NOT NULL GROUP BY request_id) l),
		(SELECT -avg(ln(share) / ln(2.0)) FROM f WHERE f.g = g.g), (SELECT avg(popularity) FROM f WHERE f.g = g.g),
		(SELECT sum(popularity * clicks) / nullif(sum(clicks) FILTER (WHERE popularity IS NOT NULL), 0) FROM f WHERE f.g = g.g),
		(SELECT sum(popularity * orders::float8) / nullif(sum(orders) FILTER (WHERE popularity IS NOT NULL), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT count(*) FILTER (WHERE is_new) / nullif(count(is_new), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT coalesce(sum(clicks) FILTER (WHERE is_new), 0) / nullif(sum(clicks) FILTER (WHERE is_new IS NOT NULL), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT coalesce(sum(orders) FILTER (WHERE is_new), 0) / nullif(sum(orders) FILTER (WHERE is_new IS NOT NULL), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT count(*) FILTER (WHERE is_new_seller) / nullif(count(is_new_seller), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT coalesce(sum(clicks) FILTER (WHERE is_new_seller), 0) / nullif(sum(clicks) FILTER (WHERE is_new_seller IS NOT NULL), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT coalesce(sum(orders) FILTER (WHERE is_new_seller), 0) / nullif(sum(orders) FILTER (WHERE is_new_seller IS NOT NULL), 0)::float8 FROM f WHERE f.g = g.g),
		(SELECT CASE WHEN count(*) > 0 THEN count(*) FILTER (WHERE n > 0) END FROM sellers s WHERE s.g = g.g), (SELECT nullif(count(*), 0) FROM sellers s WHERE s.g = g.g),
		(SELECT gini(array_agg(n)) FROM sellers s WHERE s.g = g.g AND EXISTS (SELECT FROM sellers o WHERE o.g = g.g AND o.n > 0)),
		(SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM f WHERE f.g = g.g AND unit IS NOT NULL GROUP BY unit, item HAVING sum(clicks + carts + orders) = 0) t)
	FROM g;
CREATE FUNCTION check_all(how text) RETURNS TABLE (what text, enough boolean, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM recsys.configure_log(attribution => how);
	PERFORM recsys.refresh_metrics('2000-01-01');
	TRUNCATE facts;
	INSERT INTO facts SELECT * FROM slow(how);
	ANALYZE facts;
	RETURN QUERY SELECT 'daily', d.rows > 50, d.differ FROM differ('SELECT time, recommender, experiment, variant, segment, requests, impressions, users, clicks, carts, orders, revenue, clicked_requests, ordered_requests, ordered_users, ctr, revenue_per_request, conversion FROM recsys.metrics_daily', 'SELECT * FROM shop_metrics.slow_daily') d;
	RETURN QUERY SELECT 'positions', d.rows > 50, d.differ FROM differ('SELECT time, recommender, experiment, variant, position, impressions, clicks, carts, orders, revenue FROM recsys.metrics_positions_daily', 'SELECT * FROM slow_position') d;
	RETURN QUERY SELECT 'items', d.rows > 50, d.differ FROM differ('SELECT time, recommender, experiment, variant, item_id, impressions, exposure, expected_clicks, clicks, carts, orders, revenue, category, seller, is_new, is_new_seller, user_share, popularity FROM recsys.metrics_items_daily', 'SELECT * FROM slow_item') d;
	RETURN QUERY SELECT 'sellers', d.rows > 50, d.differ FROM differ('SELECT time, recommender, experiment, variant, seller, is_new, items_shown, impressions, exposure, exposure_share, clicks, carts, orders, revenue FROM recsys.metrics_sellers_daily', 'SELECT * FROM slow_seller') d;
	RETURN QUERY SELECT 'catalogue', d.rows > 30, d.differ FROM differ('SELECT time, recommender, experiment, variant, items_shown, catalogue_items, gini, herfindahl, categories_per_list, novelty, popularity_shown, popularity_clicked, popularity_ordered, new_items_shown, new_items_clicked, new_items_ordered, new_sellers_shown, new_sellers_clicked, new_sellers_ordered, sellers_shown, catalogue_sellers, seller_gini, repeated_impressions FROM recsys.metrics_catalogue_daily WHERE impressions > 0', 'SELECT * FROM slow_catalogue') d;
END
$$;
SELECT * FROM check_all('first');
SELECT * FROM check_all('position');
SELECT * FROM check_all('last');
SELECT d.* FROM differ('SELECT recommender, experiment, variant, time, requests, p50_ms, p95_ms, max_ms FROM recsys.metrics_latency_daily',
	'SELECT recommender, experiment, variant, date_trunc(''day'', time) AS time, count(latency_ms) AS requests, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms::float8) AS p50_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms::float8) AS p95_ms, max(latency_ms) AS max_ms
	 FROM recsys.request_log WHERE latency_ms IS NOT NULL GROUP BY 1, 2, 3, 4') d;
SELECT d.differ FROM differ('SELECT date_trunc(''day'', time) AS day, recommender, sum(requests) AS requests, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(orders) AS orders, sum(revenue) AS revenue FROM recsys.metrics_hourly GROUP BY 1, 2',
	'SELECT time AS day, recommender, sum(requests) AS requests, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(orders) AS orders, sum(revenue) AS revenue FROM recsys.metrics_daily GROUP BY 1, 2') d;
-- items of 28 days, and how likely so few clicks are: exp(-expected) of none
SELECT count(*) > 20 AS enough, bool_and(clicks < expected_clicks) AS fewer, max(abs(chance - exp(-expected_clicks))) FILTER (WHERE clicks = 0) < 1e-12 AS none,
	max(abs(chance - exp(-expected_clicks) * (1 + expected_clicks))) FILTER (WHERE clicks = 1) < 1e-12 AS one
FROM recsys.item_fatigue;
SELECT d.differ FROM differ('SELECT recommender, item_id, impressions, clicks, expected_clicks, carts, orders FROM recsys.item_fatigue',
	'SELECT recommender, item_id, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(expected_clicks) AS expected_clicks, sum(carts) AS carts, sum(orders) AS orders FROM slow_item GROUP BY 1, 2 HAVING sum(clicks) < sum(expected_clicks)') d;
-- as SciPy's poisson.cdf has it
SELECT round(recsys.chance_of_so_few(2, 7.5)::numeric, 12), round(recsys.chance_of_so_few(950, 1000)::numeric, 12), recsys.chance_of_so_few(0, 0), recsys.chance_of_so_few(-1, 3), recsys.chance_of_so_few(3, -1), recsys.chance_of_so_few(5, 'Infinity'), recsys.chance_of_so_few(9000000000000000000, 1e9);

/*
 * Day by day as all at once
 */
CREATE FUNCTION all_rows() RETURNS TABLE (what text, r jsonb) LANGUAGE sql STABLE AS $$
	SELECT 'request', to_jsonb(d) FROM recsys.daily_request d UNION ALL SELECT 'position', to_jsonb(d) FROM recsys.daily_position d
	UNION ALL SELECT 'item', to_jsonb(d) FROM recsys.daily_item d UNION ALL SELECT 'catalogue', to_jsonb(d) FROM recsys.daily_catalogue d
	UNION ALL SELECT 'seller', to_jsonb(d) FROM recsys.daily_seller d UNION ALL SELECT 'latency', to_jsonb(d) FROM recsys.daily_latency d
	UNION ALL SELECT 'hour', to_jsonb(d) FROM recsys.hourly_request d UNION ALL SELECT 'day', to_jsonb(d) - 'refreshed_at' FROM recsys.metrics_day d
$$;
CREATE TABLE requests AS SELECT * FROM recsys.request_log;
CREATE TABLE events AS SELECT * FROM recsys.event_log;
CREATE TABLE bought AS SELECT * FROM sales;
SELECT forget();
-- eight days ago and before is final: what is bought of it is known; of the others clicks are missing, and all of today
DELETE FROM sales WHERE sold_at >= (SELECT day FROM today);
INSERT INTO recsys.request_log SELECT * FROM requests WHERE time < (SELECT day FROM today);
INSERT INTO recsys.event_log SELECT * FROM events WHERE request_time < (SELECT day FROM today) - interval '7 days';
SELECT recsys.refresh_metrics();
SELECT count(*) AS days, count(*) FILTER (WHERE is_final) AS final FROM recsys.metrics_day;
INSERT INTO recsys.event_log SELECT * FROM events WHERE request_time >= (SELECT day FROM today) - interval '7 days' AND request_time < (SELECT day FROM today);
INSERT INTO recsys.request_log SELECT * FROM requests WHERE time >= (SELECT day FROM today) AND variant IS NULL;
SELECT recsys.refresh_metrics();
INSERT INTO recsys.request_log SELECT * FROM requests WHERE time >= (SELECT day FROM today) AND variant IS NOT NULL;
INSERT INTO recsys.event_log SELECT * FROM events WHERE request_time >= (SELECT day FROM today);
INSERT INTO sales SELECT * FROM bought WHERE sold_at >= (SELECT day FROM today);
SELECT recsys.refresh_metrics();
CREATE TABLE bit_by_bit AS SELECT * FROM all_rows();
SELECT recsys.refresh_metrics('2000-01-01');
SELECT count(*) AS differ FROM ((TABLE bit_by_bit EXCEPT ALL SELECT * FROM all_rows()) UNION ALL (SELECT * FROM all_rows() EXCEPT ALL TABLE bit_by_bit)) d;
DELETE FROM recsys.metrics_day;
SELECT recsys.refresh_metrics();
SELECT count(*) AS differ FROM ((TABLE bit_by_bit EXCEPT ALL SELECT * FROM all_rows()) UNION ALL (SELECT * FROM all_rows() EXCEPT ALL TABLE bit_by_bit)) d;
-- what is rolled back has not been
BEGIN;
DELETE FROM recsys.request_log WHERE recommender = 'home';
SELECT recsys.refresh_metrics('2000-01-01');
SELECT count(*) FROM recsys.metrics_daily WHERE recommender = 'home';
ROLLBACK;
SELECT count(*) AS differ FROM (TABLE bit_by_bit EXCEPT ALL SELECT * FROM all_rows()) d;
-- a broken recommender does not stop the others
ALTER TABLE products RENAME category TO sort;
\set VERBOSITY terse
SET client_min_messages = notice;
SELECT recsys.refresh_metrics('2000-01-01');
SET client_min_messages = warning;
\set VERBOSITY default
SELECT what, count(*) AS differ FROM (TABLE bit_by_bit EXCEPT ALL SELECT * FROM all_rows()) d GROUP BY what ORDER BY what;
ALTER TABLE products RENAME sort TO category;
-- purchases that cannot be read do
ALTER TABLE sales RENAME TO elsewhere;
-- how far into its query depends on the version of the server
\set VERBOSITY sqlstate
SELECT recsys.refresh_metrics();
\set VERBOSITY default
ALTER TABLE elsewhere RENAME TO sales;
SELECT count(*) AS differ FROM (TABLE bit_by_bit EXCEPT ALL SELECT * FROM all_rows()) d;

/*
 * Whoever owns a recommender, an index or an experiment sees its figures
 */
CREATE ROLE regress_metrics_owner;
CREATE ROLE regress_metrics_other;
CREATE ROLE regress_metrics_reader IN ROLE pg_read_all_data;
GRANT USAGE ON SCHEMA shop_metrics TO regress_metrics_owner, regress_metrics_other;
GRANT SELECT ON products, sellers, history TO regress_metrics_owner;
SELECT recsys.alter_recommender('home', new_owner => 'regress_metrics_owner');
INSERT INTO recsys.experiment (name, owner, definition) VALUES ('test', 'regress_metrics_owner', '{}') ON CONFLICT DO NOTHING;
CREATE FUNCTION seen() RETURNS TABLE (recommender text, experiment text, n bigint) LANGUAGE sql AS $$ SELECT m.recommender, m.experiment, count(*) FROM recsys.metrics_catalogue_daily m GROUP BY 1, 2 ORDER BY 1, 2 $$;
SET ROLE regress_metrics_owner;
SELECT recommender, experiment, n > 5 AS enough FROM seen();
SELECT (SELECT count(*) FROM recsys.metrics_daily) > 5, (SELECT count(*) FROM recsys.metrics_positions_daily) > 5, (SELECT count(*) FROM recsys.metrics_items_daily) > 5, (SELECT count(*) FROM recsys.metrics_sellers_daily) > 5,
	(SELECT count(*) FROM recsys.metrics_latency_daily) > 5, (SELECT count(*) FROM recsys.metrics_hourly) > 5, (SELECT count(*) FROM recsys.item_fatigue) > 5;
SELECT * FROM recsys.daily_request;
SELECT recsys.refresh_metrics();
SET ROLE regress_metrics_other;
-- a function that tells what it is shown sees nothing more
CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE WARNING 'leaked %', $1; RETURN true; END $$;
SELECT count(*) FROM recsys.metrics_daily WHERE pg_temp.tell(recommender);
SELECT count(*) FROM recsys.item_fatigue WHERE pg_temp.tell(item_id);
SELECT (SELECT count(*) FROM recsys.metrics_positions_daily), (SELECT count(*) FROM recsys.metrics_items_daily), (SELECT count(*) FROM recsys.metrics_sellers_daily),
	(SELECT count(*) FROM recsys.metrics_latency_daily), (SELECT count(*) FROM recsys.metrics_hourly), (SELECT count(*) FROM recsys.metrics_catalogue_daily);
SET ROLE regress_metrics_reader;
SELECT count(*) = (SELECT count(*) FROM recsys.daily_request) AS all_of_them FROM recsys.metrics_daily;
RESET ROLE;
-- the owner of an experiment sees all of its requests, whatever has made the lists
DELETE FROM recsys.experiment WHERE name = 'test';
SET ROLE regress_metrics_owner;
SELECT recommender, experiment IS NULL AS none, n > 5 AS enough FROM seen();
RESET ROLE;
-- expressions run with the rights of who has declared them: what he may not read is not known
REVOKE SELECT ON sellers FROM regress_metrics_owner;
SELECT recsys.refresh_metrics();
GRANT SELECT ON sellers TO regress_metrics_owner;

-- every view, table and column of metrics is described; columns of time series are called so
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'recsys'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname ~ '^(metrics_|daily_|hourly_|item_fatigue)' AND a.attnum > 0
  AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL);
SELECT c.relname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'recsys'::regnamespace AND c.relname ~ '^metrics_.*(daily|hourly)$' AND a.attnum = 1 AND attname = 'time' ORDER BY 1;

/*
 * Where the log's settings know no purchases, those that experiments declare are of their own requests
 */
SELECT recsys.configure_log(purchases => '');
SELECT recsys.alter_recommender('home', new_owner => current_user);
SELECT recsys.create_experiment('own', variants => '{"control": {"recommender": "home", "share": 0.5}, "other": {"recommender": "other", "share": 0.5}}',
	purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}', attribution_window => '2 days', attribution => 'first') IS NOT NULL AS made;
SELECT forget();
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids) VALUES
	(request(700), '2024-03-01 10:00', 'u1', 'home', NULL, NULL, '{1,2}'), (request(701), '2024-03-01 11:00', 'u1', 'home', 'own', 'control', '{1,2}'),
	(request(702), '2024-03-01 12:00', 'u1', 'other', 'own', 'other', '{1,2}'), (request(703), '2024-03-01 12:30', 'u1', 'other', 'another', 'other', '{1,2}');
-- the first request of the experiment has the first one; the second one is later than two days
INSERT INTO sales VALUES ('u1', 1, '2024-03-01 13:00', 10), ('u1', 2, '2024-03-03 13:00', 99);
SELECT recsys.refresh_metrics();
SELECT recommender, experiment, requests, orders, revenue, conversion FROM recsys.metrics_daily ORDER BY experiment, recommender;
ALTER TABLE sales RENAME TO elsewhere;
SELECT recsys.refresh_metrics('2024-03-01');
ALTER TABLE elsewhere RENAME TO sales;
SELECT recommender, experiment, requests, orders, revenue FROM recsys.metrics_daily ORDER BY experiment, recommender;
SELECT recsys.drop_experiment('own');
SELECT recsys.alter_recommender('home', new_owner => 'regress_metrics_owner');
SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}');

-- whatever is in the log does not stop them
SELECT forget();
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, latency_ms, item_ids)
SELECT request(500 + n), day + interval '1 microsecond' * n, 'u1', recommender, '', '', latency, items::text[]
FROM today, (VALUES (1, 'home', 'NaN'::real, '{}'), (2, '', 'infinity', '{{1,2},{3,4}}'), (3, '"unclosed', -1, '[5:6]={1,2}'), (4, 'a.b.c', 0, '{1,1,NULL,""}'),
	(5, repeat('long', 100), NULL, '{x,1}'), (6, '"Quoted".""', 1e30, '{1}'), (7, 'recsys.daily_item_time_idx', 3, '{1}')) v (n, recommender, latency, items);
INSERT INTO recsys.request_log (request_id, time, recommender, item_ids) VALUES (request(600), '-infinity', 'home', '{1}'), (request(601), 'infinity', 'home', '{1}'), (request(602), '0044-03-15 BC', 'home', '{1}');
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, event_key, time) SELECT request_id, time, 'click', item, k, time FROM recsys.request_log, unnest('{1,4,""}'::text[]) item, unnest('{a,b}'::text[]) k;
SELECT recsys.refresh_metrics() > 0 AS computed;
SELECT recsys.refresh_metrics('-infinity') > 0 AS again, recsys.refresh_metrics('infinity') AS open, recsys.refresh_metrics('0001-01-01 BC') > 0 AS early;
SELECT left(recommender, 20) AS recommender, experiment, requests, impressions, clicks FROM recsys.metrics_daily WHERE time = (SELECT day FROM today) ORDER BY recommender COLLATE "C";
SELECT left(recommender, 20) AS recommender, position, impressions, clicks FROM recsys.metrics_positions_daily WHERE time = (SELECT day FROM today) AND clicks > 0 ORDER BY recommender COLLATE "C", position;
SELECT left(recommender, 20) AS recommender, requests FROM recsys.metrics_latency_daily WHERE time = (SELECT day FROM today) ORDER BY recommender COLLATE "C";

-- what the owner of a recommender makes its expressions do is done with his rights, and with less
CREATE FUNCTION public.nosy(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM FROM recsys.request_log; RETURN true; END $$;
CREATE FUNCTION public.sly(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM set_config('role', 'none', false); RETURN true; END $$;
GRANT SELECT ON sellers TO regress_metrics_owner;
SELECT recsys.alter_recommender('home', item_filter => 'public.nosy(product_id)');
SELECT recsys.refresh_metrics() AS nosy;
SELECT recsys.alter_recommender('home', item_filter => 'public.sly(product_id)');
SELECT recsys.refresh_metrics() AS sly;
DROP FUNCTION public.nosy, public.sly;

SELECT forget();
SELECT recsys.configure_log(purchases => '');
DELETE FROM recsys.log_setting;
SELECT recsys.drop_recommender(name) FROM unnest('{home,other}'::text[]) name;
DROP SCHEMA shop_metrics CASCADE;
DROP OWNED BY regress_metrics_owner, regress_metrics_other;
DROP ROLE regress_metrics_owner, regress_metrics_other, regress_metrics_reader;
