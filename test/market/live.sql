/*
 * Sixty days of the generated marketplace's life, up to now: after generate.sql and declare.sql.
 *
 *     psql -v customers=3000 -v seed=1 -f generate.sql -f declare.sql -f live.sql
 *
 * What a shop has when it has had recsys for a while: photos of its products, a log of what was
 * shown and what came of it, an experiment that is decided, metrics by day.  3000 customers take
 * some 8 seconds.  The same seed and the same day give the same rows, but for today's: those of
 * hours that are still to come are left out.
 *
 *     photos          a small picture of each product (photos.sql)
 *     bestsellers     a recommender: what sells best, the same for all
 *     home_page       an experiment of the last three weeks: bestsellers beside home
 *     recsys.*        the log, and what is made of it
 *
 * Customers come to the home page, the most active ones on every third day, most of them in the
 * evening.  At first all see bestsellers; then the experiment gives half of them home.
 * On product pages they see what goes with the product.  What is clicked depends on the
 * customer's true tastes and price level, the product's quality, and its place in the list
 * (1 / log2(1 + position), as in recsys.metrics_sellers_daily).  Some of what is clicked goes into
 * the cart, and is bought some minutes or a day later; that is in the shop's own tables.
 *
 * Lists are those that recommend() makes now, without what was not there yet on the day, and
 * without a few at random: what it would have said on each of the days cannot be asked any more.
 */
\if :{?seed}
\else
\set seed 1
\endif

\ir photos.sql

SELECT 1000 * :seed + 700 AS of_visit, 1000 * :seed + 800 AS of_event,
	   now() - interval '6 hours' AS lately,
	   date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS today,
	   date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '21 days' AS begins
\gset

-- A number from 0 to 1, and one of a normal distribution, as generate.sql has them
CREATE OR REPLACE FUNCTION pg_temp.draw(what integer, a bigint, b bigint) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT (hashint8extended(a, hashint8extended(b, what)) & 4503599627370495) / 4503599627370496.0::double precision';
CREATE OR REPLACE FUNCTION pg_temp.bell(what integer, a bigint, b bigint) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT sqrt(-2 * ln(1 - pg_temp.draw(what, a, b))) * cos(2 * pi() * pg_temp.draw(what + 1, a, b))';
-- A request's id: a UUID of version 7, its time in milliseconds and what tells it from others
CREATE OR REPLACE FUNCTION pg_temp.request_id(at timestamptz, other text) RETURNS uuid
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS $$SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(other), 1, 3) || '8' || substr(md5(other), 4, 15))::uuid$$;

/*
 * What is declared
 */
SELECT recsys.configure_log(retention => '400 days', attribution_window => '7 days',
	purchases => '{"table": "purchases", "user": "customer_id", "item": "product_id", "time": "purchased_at", "amount": "price * quantity"}');
CREATE INDEX purchases_popular ON purchases USING recsys (customer_id, product_id, quantity, purchased_at) WITH (similarity = popular);
SELECT recsys.create_recommender('bestsellers',
	signals => '[{"events": "purchases_popular", "name": "bought", "price": "price"}]',
	items => 'products', item_key => 'product_id', title => 'title', category => 'category', price => 'price',
	item_filter => 'stock > 0 AND NOT suspected_fake',
	group_by => 'canonical_product_id', offer_order => 'price + shipping', repeatable => 'consumable',
	seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id',
	new_item_since => 'listed_at > now() - interval ''14 days''', new_seller_since => 'joined_at > now() - interval ''30 days''',
	profiles => 'customers', profile_key => 'customer_id', exclude_users => 'is_fraud');
SELECT recsys.refresh_recommender('bestsellers');
SELECT recsys.create_experiment('home_page',
	variants => '{"control": {"recommender": "bestsellers", "share": 0.5}, "personal": {"recommender": "home", "share": 0.5}}',
	segment => 'country', metrics => '{ctr,conversion,revenue,add_to_cart_rate}', primary_metric => 'ctr',
	guardrails => '{user_orders}', expected_users => 3000);
-- an experiment begins when it is declared; this one did so three weeks ago
UPDATE recsys.experiment SET started_at = :'begins', created_at = :'begins', changed_at = :'begins' WHERE name = 'home_page';

BEGIN;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

/*
 * Who comes when
 */
CREATE TEMP TABLE visits ON COMMIT DROP AS
SELECT *, pg_temp.request_id(at, format('%s %s %s', :seed, customer_id, day)) AS request_id
FROM (SELECT customer_id, country, day, variant,
			 -- at noon or in the evening
			 date_trunc('milliseconds', :'today'::timestamptz - interval '1 day' * day + interval '1 hour' * least(23.9, greatest(0.2,
				CASE WHEN pg_temp.draw(:of_visit + 3, customer_id, day) < 0.35 THEN 12.5 + 1.8 * pg_temp.bell(:of_visit + 4, customer_id, day)
					 ELSE 19.5 + 2.0 * pg_temp.bell(:of_visit + 4, customer_id, day) END))) AS at
	  FROM (SELECT c.*, a.variant, 0.03 + 0.3 * pg_temp.draw(:of_visit, customer_id, 0) ^ 2 AS rate
			FROM customers c, LATERAL recsys.assignment('home_page', c.customer_id) a WHERE NOT is_fraud) c,
		   generate_series(0, 59) day
	  WHERE pg_temp.draw(:of_visit + 1, customer_id, day) < rate * (1.2 - 0.006 * day) *
			-- more of them on Sundays, fewest on Tuesdays
			(ARRAY[1.25, 0.95, 0.85, 0.9, 0.95, 1.0, 1.15])[1 + extract(dow FROM :'today'::timestamptz AT TIME ZONE 'UTC' - interval '1 day' * day)::integer]
		AND joined_at < :'today'::timestamptz - interval '1 day' * day) v
WHERE at < now() - interval '1 minute';
ANALYZE visits;

/*
 * What they are shown
 */
CREATE TEMP TABLE lists ON COMMIT DROP AS
SELECT 'home' AS recommender, c.customer_id, r.rank, r.item_id, r.score, r.source
FROM (SELECT DISTINCT customer_id FROM visits WHERE variant = 'personal' AND at >= :'begins') c, LATERAL recommend(c.customer_id, 18, 'home') r
UNION ALL
SELECT 'bestsellers', c.customer_id, r.rank, r.item_id, r.score, r.source
FROM (SELECT DISTINCT customer_id FROM visits WHERE variant = 'control' OR at < :'begins') c, LATERAL recommend(c.customer_id, 18, 'bestsellers') r;
CREATE INDEX ON lists (customer_id, recommender);
ANALYZE lists;

CREATE TEMP TABLE shown ON COMMIT DROP AS
SELECT * FROM (
	SELECT v.request_id, v.customer_id, v.day, v.at, l.recommender, l.item_id, l.score, l.source,
		   row_number() OVER (PARTITION BY v.request_id ORDER BY l.rank) AS position
	FROM visits v
	JOIN lists l ON l.customer_id = v.customer_id AND l.recommender = CASE WHEN v.at >= :'begins' AND v.variant = 'personal' THEN 'home' ELSE 'bestsellers' END
	JOIN products p ON p.product_id = l.item_id
	WHERE p.listed_at < v.at AND pg_temp.draw(:of_visit + 6, 100 * v.customer_id + v.day, l.item_id) > 0.15) s
WHERE position <= 10;
-- as recommend(…, 'home_page', log => true) would have logged it
SELECT count(*) FILTER (WHERE recsys.log_request(request)) AS requests
FROM (SELECT jsonb_build_object('request_id', v.request_id, 'user_id', v.customer_id::text, 'session_id', format('s%s-%s', v.customer_id, v.day),
			 'recommender', s.recommender, 'item_ids', s.item_ids, 'scores', s.scores, 'sources', s.sources,
			 -- milliseconds; on one afternoon the disks were busy
			 'latency_ms', round((CASE s.recommender WHEN 'home' THEN 2.1 ELSE 0.8 END * exp(0.35 * pg_temp.bell(:of_visit + 8, v.customer_id, v.day)) *
				CASE WHEN v.day = 9 AND extract(hour FROM v.at AT TIME ZONE 'UTC') BETWEEN 12 AND 17 THEN 7 ELSE 1 END)::numeric, 3)) ||
			 CASE WHEN v.at < :'begins' THEN '{}' ELSE
				jsonb_build_object('experiment', 'home_page', 'variant', v.variant, 'policy', 'hash', 'segment', v.country,
					'propensities', array_fill(0.5::double precision, ARRAY[cardinality(s.item_ids)])) END AS request
	  FROM visits v
	  JOIN (SELECT request_id, recommender, array_agg(item_id::text ORDER BY position) AS item_ids, array_agg(score ORDER BY position) AS scores,
				   array_agg(source ORDER BY position) AS sources
			FROM shown GROUP BY 1, 2) s USING (request_id)
	  ORDER BY v.at, v.request_id) r;

-- On a product's page: of the views of the last four weeks every third one
CREATE TEMP TABLE pages ON COMMIT DROP AS
SELECT customer_id, day, at, product_id, item_ids, scores, pg_temp.request_id(at, format('%s %s %s page', :seed, customer_id, n)) AS request_id
FROM (SELECT customer_id, product_id, (:'today'::timestamptz::date - viewed_at::date) AS day, date_trunc('milliseconds', viewed_at) AS at,
			 row_number() OVER (PARTITION BY customer_id ORDER BY viewed_at, product_id) AS n
	  FROM views WHERE viewed_at > :'today'::timestamptz - interval '28 days' AND viewed_at < now()) w
JOIN (SELECT product_id, array_agg(s.item_id::text ORDER BY s.rank) AS item_ids, array_agg(s.score::real ORDER BY s.rank) AS scores
	  FROM (SELECT DISTINCT product_id FROM views WHERE viewed_at > :'today'::timestamptz - interval '28 days') d,
		   LATERAL similar_items(d.product_id, 6, 'purchases_recsys') s GROUP BY 1) l USING (product_id)
WHERE pg_temp.draw(:of_visit + 10, customer_id, n) < 0.35;
SELECT count(recsys.log_impressions('purchases_recsys', item_ids, customer_id, request_id => request_id, scores => scores)) AS pages
FROM (SELECT * FROM pages ORDER BY at, request_id) p;
INSERT INTO shown
SELECT request_id, customer_id, day, at, 'purchases_recsys', i.item_id::bigint, NULL, NULL, i.position
FROM pages, unnest(item_ids) WITH ORDINALITY i (item_id, position);
ANALYZE shown;

/*
 * What they make of it
 */
CREATE TEMP TABLE clicks ON COMMIT DROP AS
SELECT s.request_id, s.customer_id, s.item_id, p.canonical_product_id, p.price, p.consumable, t.theme IS NOT NULL AS liked,
	   s.at + interval '1 second' * (4 + 50 * pg_temp.draw(:of_event + 2, s.customer_id, 100000 * s.day + s.item_id)) AS at,
	   100000 * s.day + s.item_id AS which
FROM shown s
JOIN products p ON p.product_id = s.item_id
JOIN canonical_products c USING (canonical_product_id)
JOIN true_levels l ON l.customer_id = s.customer_id
LEFT JOIN true_tastes t ON t.customer_id = s.customer_id AND t.theme = c.theme
JOIN (SELECT category, avg(ln(price::double precision)) AS usual FROM products GROUP BY 1) u ON u.category = p.category
WHERE pg_temp.draw(:of_event, s.customer_id, 100000 * s.day + s.item_id) <
		-- what anybody may be curious about, and what this one likes
		(0.05 + CASE WHEN t.theme IS NULL THEN 0 ELSE 0.08 + 0.08 * t.share END) * (0.5 + c.quality) *
		exp(-0.3 * (ln(p.price::double precision) - u.usual - l.price_level) ^ 2) / ln(1 + s.position) * ln(2::double precision)
  AND s.at < now() - interval '2 minutes';

CREATE TEMP TABLE added ON COMMIT DROP AS
SELECT *, at + interval '20 seconds' AS added_at FROM clicks
WHERE pg_temp.draw(:of_event + 4, customer_id, which) < CASE WHEN liked THEN 0.42 ELSE 0.22 END;

SELECT (SELECT count(*) FILTER (WHERE recsys.log_event(request_id, 'click', item_id::text, at => at)) FROM (SELECT * FROM clicks ORDER BY at, which) c) AS clicks,
	   (SELECT count(*) FILTER (WHERE recsys.log_event(request_id, 'cart', item_id::text, price::double precision, at => added_at)) FROM (SELECT * FROM added ORDER BY at, which) a) AS carts;

-- half of the carts are bought: at once, or some hours later; and once only, unless it is used up
CREATE TEMP TABLE bought ON COMMIT DROP AS
SELECT * FROM (
	SELECT DISTINCT ON (customer_id, CASE WHEN consumable THEN -item_id ELSE canonical_product_id END, CASE WHEN consumable THEN which END)
		   customer_id, item_id, price, 1 + floor(1.6 * pg_temp.draw(:of_event + 6, customer_id, which) ^ 4)::integer AS quantity,
		   added_at + CASE WHEN pg_temp.draw(:of_event + 7, customer_id, which) < 0.7 THEN interval '8 minutes' ELSE interval '30 hours' END *
			(0.2 + pg_temp.draw(:of_event + 8, customer_id, which)) AS at
	FROM added
	WHERE pg_temp.draw(:of_event + 9, customer_id, which) < CASE WHEN liked THEN 0.55 ELSE 0.3 END
	ORDER BY customer_id, CASE WHEN consumable THEN -item_id ELSE canonical_product_id END, CASE WHEN consumable THEN which END, added_at, which) b
WHERE at < now();
-- of the last six hours later: see below
CREATE TEMP TABLE lately AS
SELECT 'views' AS kind, customer_id, item_id, NULL::numeric AS price, NULL::integer AS quantity, at FROM clicks
UNION ALL SELECT 'carts', customer_id, item_id, NULL, NULL, added_at FROM added WHERE added_at < now()
UNION ALL SELECT 'purchases', customer_id, item_id, price, quantity, at FROM bought;
INSERT INTO views SELECT customer_id, item_id, at FROM lately WHERE kind = 'views' AND at < :'lately' ORDER BY at, customer_id, item_id;
INSERT INTO carts SELECT customer_id, item_id, at FROM lately WHERE kind = 'carts' AND at < :'lately' ORDER BY at, customer_id, item_id;
INSERT INTO purchases
SELECT (SELECT max(purchase_id) FROM purchases) + row_number() OVER (ORDER BY at, customer_id, item_id), customer_id, item_id, quantity, price, at
FROM lately WHERE kind = 'purchases' AND at < :'lately';
COMMIT;

/*
 * Upkeep: what the background worker and the hours do.  What came lately waits for the next merge.
 * maintain() makes partitions of ten days of the past at a time, and the metrics and experiments
 * of the days: it comes last, for what comes after a day is closed is not added to it.
 */
SELECT recsys.merge('purchases_recsys'), recsys.merge('views_recsys'), recsys.merge('carts_recsys'), recsys.merge('purchases_popular');
SELECT recsys.refresh_recommender('home'), recsys.refresh_recommender('bestsellers');
VACUUM ANALYZE purchases, views, carts, photos;
INSERT INTO views SELECT customer_id, item_id, at FROM lately WHERE kind = 'views' AND at >= :'lately' ORDER BY at, customer_id, item_id;
INSERT INTO carts SELECT customer_id, item_id, at FROM lately WHERE kind = 'carts' AND at >= :'lately' ORDER BY at, customer_id, item_id;
INSERT INTO purchases
SELECT (SELECT max(purchase_id) FROM purchases) + row_number() OVER (ORDER BY at, customer_id, item_id), customer_id, item_id, quantity, price, at
FROM lately WHERE kind = 'purchases' AND at >= :'lately';
DROP TABLE lately;
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
SELECT count(*) FROM recsys.maintain();
