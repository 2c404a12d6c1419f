--
-- What experiments say: numbers by hand, a random log against plain SQL, daily sums against raw rows
--
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA results;
CREATE ROLE regress_results_owner;
CREATE ROLE regress_results_other;
CREATE ROLE regress_results_reader IN ROLE pg_read_all_data;
GRANT USAGE, CREATE ON SCHEMA results TO regress_results_owner;
GRANT USAGE ON SCHEMA results TO regress_results_other;
SET ROLE regress_results_owner;
SET search_path = results, public;
CREATE TABLE likes (user_id text, item_id text, at timestamptz);
INSERT INTO likes VALUES ('c1', 'a', '2026-01-01');
CREATE INDEX likes_recsys ON likes USING recsys (user_id, item_id, at);
CREATE TABLE sales (customer text, product text, sold_at timestamptz, price numeric, quantity int);
RESET ROLE;

-- the id of a request
CREATE FUNCTION results.id(at timestamptz, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(n::text, 15, '0'))::uuid $$;
-- an experiment that has been running for that time
CREATE FUNCTION results.ran(name text, since timestamptz, until timestamptz) RETURNS void LANGUAGE sql AS $$
	UPDATE recsys.experiment AS e SET started_at = since, stopped_at = until WHERE e.name = ran.name $$;
-- what differs between raw rows and daily sums, at the end of each day
CREATE FUNCTION results.differing(name text) RETURNS TABLE (days bigint, compared bigint, different bigint) LANGUAGE sql AS $$
	SELECT count(DISTINCT d.day), count(*), count(*) FILTER (WHERE to_jsonb(a) - 'computed_from' IS DISTINCT FROM to_jsonb(b) - 'computed_from')
	FROM recsys.experiment_day AS d CROSS JOIN LATERAL recsys.experiment_results(differing.name, 'daily', d.until) AS a
	CROSS JOIN LATERAL (SELECT * FROM recsys.experiment_results(differing.name, 'raw', d.until) AS r
		WHERE r.metric = a.metric AND r.variant = a.variant AND r.segment IS NOT DISTINCT FROM a.segment) AS b
	WHERE d.experiment = differing.name $$;

--
-- By hand: users c1 and c2 get the control, n1 and n2 the new variant, x both, so it is left out
--
SET ROLE regress_results_owner;
SELECT recsys.create_experiment('results_hand',
	'{"control": {"recommender": "results.likes_recsys", "share": 0.5}, "new": {"recommender": "results.likes_recsys", "share": 0.5}}',
	metrics => '{ctr,click_rate,add_to_cart_rate,conversion,revenue,revenue_per_request,orders,user_revenue,user_orders,requests_per_user}',
	primary_metric => 'ctr', guardrails => '{latency_ms}',
	purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at"}',
	attribution_window => '1 day', method => 'fixed', correction => 'none');
RESET ROLE;
SELECT definition -> 'purchases' AS purchases FROM recsys.experiment WHERE name = 'results_hand';
SELECT results.ran('results_hand', '2026-03-01', '2026-03-05');
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, latency_ms, item_ids)
SELECT results.id(at, n), at, u, 'results.likes_recsys', 'results_hand', v, l, i FROM (VALUES
	(1, '2026-03-01 10:00'::timestamptz, 'c1', 'control', 10, '{a,b}'::text[]),
	(2, '2026-03-02 10:00', 'c1', 'control', 20, '{a,c}'),
	(3, '2026-03-01 11:00', 'c2', 'control', 30, '{a,b,c,d}'),
	(4, '2026-03-01 12:00', 'n1', 'new', 10, '{a,b}'),
	(5, '2026-03-02 12:00', 'n2', 'new', 50, '{a,b,c}'),
	(6, '2026-03-02 13:00', 'n2', 'new', NULL, '{b,c}'),
	(7, '2026-03-01 09:00', 'x', 'control', 1, '{a}'),
	(8, '2026-03-01 09:30', 'x', 'new', 1, '{a}'),
	-- not of the experiment: before its start, after its end, of nobody, of a variant that it does not have
	(9, '2026-02-28 10:00', 'c1', 'control', 99, '{a,b}'),
	(10, '2026-03-05 00:00', 'c1', 'control', 99, '{a,b}'),
	(11, '2026-03-02 10:00', NULL, 'control', 99, '{a,b}'),
	(12, '2026-03-02 10:00', 'g1', 'gone', 99, '{a,b}')) AS r (n, at, u, v, l, i);
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, kind, item, time + after FROM (VALUES
	(1, 'click', 'a', '1 minute'::interval), (2, 'click', 'a', '1 minute'), (2, 'click', 'c', '2 minutes'), (2, 'cart', 'c', '3 minutes'),
	(4, 'click', 'b', '1 minute'), (5, 'cart', 'a', '1 minute'),
	-- comes two days later; and a kind that no metric is made of
	(6, 'click', 'b', '2 days'), (6, 'shared', 'b', '1 day')) AS e (n, kind, item, after)
JOIN recsys.request_log ON request_id = results.id(time, n);
INSERT INTO sales VALUES
	('c1', 'a', '2026-03-01 12:00', 5, 2),		-- 10, of request 1
	('c1', 'c', '2026-03-04 12:00', 7, 1),		-- of none: the window of request 2 has passed
	('c2', 'z', '2026-03-02 12:00', 5, 1),		-- of none: was not shown
	('c2', 'a', '2026-03-01 10:00', 100, 1),	-- before the first request, counts nowhere
	('n1', 'b', '2026-03-01 18:00', 3, 10),		-- 30, of request 4
	('n2', 'c', '2026-03-02 14:00', 8, 1),		-- 8, of request 6, the last one that has shown it
	('n2', 'a', '2026-03-02 12:00', 2, 1),		-- 2, of request 5, at its very time
	('n2', 'a', '2026-03-03 12:00', 4, 1),		-- of none: a window later
	('x', 'a', '2026-03-01 12:00', 1000, 1), ('nobody', 'a', '2026-03-01 12:00', 1000, 1),
	(NULL, 'a', '2026-03-01 12:00', 1000, 1), ('c1', 'a', NULL, 1000, 1);

-- control: 3 requests, 8 impressions, clicks 3 of 2 requests, cart 1, revenue 10, all 10 + 7 and 5, latency 60/3
-- new: 3 requests, 7 impressions, clicks 2 of 2 requests, cart 1, revenue 30 and 8 + 2, all the same and 4, latency 60/2
SELECT metric, users, control_users, round(value::numeric, 6) AS value, round(control_value::numeric, 6) AS control_value,
	round(lift::numeric, 6) AS lift, verdict, is_primary, is_guardrail, method, computed_from, as_of
FROM recsys.experiment_results('results_hand', 'raw');
-- the late click and what was sold after noon of the 2nd are not there yet
SELECT metric, users, control_users, round(value::numeric, 6) AS value, round(control_value::numeric, 6) AS control_value
FROM recsys.experiment_results('results_hand', 'raw', '2026-03-02 12:30');
-- nothing has happened
SELECT metric, users, value, lift, p_value, verdict, sample_ratio_p FROM recsys.experiment_results('results_hand', 'raw', '2026-03-01') LIMIT 2;

-- daily: not refreshed yet, then the same
SELECT * FROM recsys.experiment_results('results_hand', 'daily');
SELECT * FROM recsys.experiment_history('results_hand');
SELECT recsys.refresh_experiment('results_hand') AS days;
SELECT * FROM recsys.experiment_day WHERE experiment = 'results_hand' ORDER BY day;
SELECT * FROM results.differing('results_hand');
SELECT DISTINCT computed_from, as_of FROM recsys.experiment_results('results_hand');
SELECT "time", users, round(value::numeric, 6) AS value FROM recsys.experiment_history('results_hand') WHERE metric = 'user_revenue';
-- nothing more can happen
SELECT recsys.refresh_experiment('results_hand') AS days;

-- sessions of one request each: x's two count now, and his purchase of 1000 is of the first one, or shared;
-- of the first, n2's purchase of c is of request 5.  All purchases are of the user's last session before.
UPDATE recsys.experiment SET definition = definition || '{"unit": "session", "attribution": "first"}' WHERE name = 'results_hand';
UPDATE recsys.request_log SET session_id = user_id || request_id::text WHERE experiment = 'results_hand';
SELECT metric, users, control_users, round(value::numeric, 6) AS value, round(control_value::numeric, 6) AS control_value
FROM recsys.experiment_results('results_hand', 'raw') WHERE metric IN ('conversion', 'revenue', 'orders', 'user_revenue', 'user_orders');
UPDATE recsys.experiment SET definition = definition || '{"attribution": "position"}' WHERE name = 'results_hand';
-- c stood at places 3 and 2: weights 1/log2(4) = .5 and 1/log2(3) = .63093; conversion counts both sessions
SELECT metric, users, control_users, round(value::numeric, 6) AS value, round(control_value::numeric, 6) AS control_value
FROM recsys.experiment_results('results_hand', 'raw') WHERE metric IN ('conversion', 'orders', 'revenue');
SELECT recsys.refresh_experiment('results_hand') AS days;
SELECT * FROM results.differing('results_hand');

-- the table of purchases loses a column, is gone, or may not be read
ALTER TABLE sales RENAME COLUMN price TO cost;
SELECT count(*) FROM recsys.experiment_results('results_hand', 'raw');
ALTER TABLE sales RENAME COLUMN cost TO price;
ALTER TABLE sales OWNER TO regress_results_other;
SELECT count(*) FROM recsys.experiment_results('results_hand', 'raw');
SELECT count(*) FROM recsys.experiment_results('results_hand');
SELECT recsys.refresh_experiment('results_hand', '2026-03-02');
ALTER TABLE sales OWNER TO regress_results_owner;
SELECT recsys.refresh_experiment('results_hand', '2026-03-02') AS days;
SELECT * FROM results.differing('results_hand');

-- who may see it
SET ROLE regress_results_other;
SELECT count(*) FROM recsys.experiment_results('results_hand');
SELECT count(*) FROM recsys.experiment_history('results_hand');
SELECT count(*) FROM recsys.experiment_power('results_hand');
SELECT recsys.refresh_experiment('results_hand');
SELECT count(*) FROM recsys.experiment_unit;
SELECT count(*) FROM recsys.experiment_alerts;
SET ROLE regress_results_reader;
SELECT count(*) > 0 AS seen FROM recsys.experiment_results('results_hand');
SELECT recsys.refresh_experiment('results_hand');
SET ROLE regress_results_owner;
SELECT count(*) > 0 AS seen FROM recsys.experiment_results('results_hand', 'raw');
SELECT count(*) FROM recsys.experiment_unit;
SELECT recsys.refresh_experiment('results_hand') AS days;
RESET ROLE;

-- names and arguments
SELECT * FROM recsys.experiment_results('results_hnd');
SELECT * FROM recsys.experiment_results(NULL);
SELECT * FROM recsys.experiment_results('results_hand', 'dayly');
SELECT * FROM recsys.experiment_results('results_hand', NULL);
SELECT * FROM recsys.experiment_power('results_hand', 0);
SELECT recsys.refresh_experiment(NULL);
BEGIN READ ONLY;
SELECT recsys.refresh_experiment('results_hand');
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) > 0 AS seen FROM recsys.experiment_results('results_hand', 'raw');
ROLLBACK;

-- a user is forgotten: what is kept of him goes, and the sums are made anew
SELECT count(*) FROM recsys.experiment_unit WHERE experiment = 'results_hand' AND unit LIKE 'n2%';
SELECT recsys.forget_user('results.likes_recsys', 'n2'::text) >= 0 AS forgotten;
SELECT count(*) FROM recsys.experiment_unit WHERE experiment = 'results_hand' AND unit LIKE 'n2%';
SELECT DISTINCT computed_from FROM recsys.experiment_results('results_hand');
SELECT recsys.refresh_experiment('results_hand') AS days;
SELECT DISTINCT computed_from, users FROM recsys.experiment_results('results_hand');
SELECT * FROM results.differing('results_hand');
-- with a log that has expired, sums stay as they are
DELETE FROM recsys.request_log WHERE time < '2026-03-02';
SELECT recsys.refresh_experiment('results_hand', '2026-03-01');
SELECT recsys.refresh_experiment('results_hand') AS days;
SELECT count(*) > 0 AS seen FROM recsys.experiment_results('results_hand', 'daily');
SELECT recsys.drop_experiment('results_hand');
SELECT count(*) FROM recsys.experiment_state WHERE experiment = 'results_hand';

--
-- A random log: late events, users in both variants, segments, other recommenders before the start
--
CREATE TABLE results.profiles (customer text PRIMARY KEY, country text);
SELECT recsys.create_experiment('results_random',
	'{"control": {"recommender": "results.likes_recsys", "share": 0.4}, "b": {"recommender": "results.likes_recsys", "share": 0.3}, "c": {"recommender": "results.likes_recsys", "share": 0.3}}',
	metrics => '{ctr,click_rate,add_to_cart_rate,conversion,revenue,revenue_per_request,orders,user_revenue,user_orders,requests_per_user}',
	primary_metric => 'revenue', guardrails => '{latency_ms}',
	purchases => '{"table": "sales", "user": "customer", "item": "product", "time": "sold_at", "amount": "price * quantity"}',
	attribution_window => '2 days', attribution => 'position', pre_period => '3 days', winsorise => 0.95, expected_users => 200);
UPDATE recsys.experiment SET definition = definition || '{"segment": "profiles.country"}' WHERE name = 'results_random';
SELECT results.ran('results_random', '2026-03-01 06:00', '2026-03-06 12:00');
TRUNCATE results.sales;
DELETE FROM recsys.request_log;
DELETE FROM recsys.event_log;
CREATE FUNCTION results.draw(n int, what text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashtextextended(n || what, 42) & 1048575) / 1048576.0::float8 $$;
INSERT INTO recsys.request_log (request_id, time, user_id, session_id, recommender, experiment, variant, segment, latency_ms, item_ids)
SELECT results.id(at, n), at, 'u' || u, 's' || u || '-' || n % 3, 'results.likes_recsys', CASE WHEN inside THEN 'results_random' END,
	CASE WHEN NOT inside THEN NULL WHEN n % 97 = 0 THEN 'c' ELSE (ARRAY['control', 'b', 'c'])[1 + u % 3] END,
	CASE WHEN inside AND u % 5 < 4 THEN (ARRAY['de', 'fr'])[1 + u % 2] END, nullif(round(10 * results.draw(n, 'latency')), 3),
	ARRAY(SELECT 'i' || (40 * results.draw(n, 'item' || p))::int FROM generate_series(1, 4) AS p)
FROM (SELECT *, at >= '2026-03-01 06:00' AND at < '2026-03-06 12:00' AS inside FROM (SELECT n,
	date_trunc('milliseconds', '2026-02-26'::timestamptz + results.draw(n, 'time') * interval '10 days') AS at,
	(250 * results.draw(n, 'user') * results.draw(n, 'user2'))::int AS u FROM generate_series(1, 3000) AS n) AS r) AS r;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, CASE WHEN results.draw(n, 'kind') < 0.7 THEN 'click' ELSE 'cart' END, item,
	time - interval '2 hours' + results.draw(n, 'late') * results.draw(n, 'later') * interval '4 days'
FROM (SELECT *, (row_number() OVER (ORDER BY request_id, item))::int AS n FROM recsys.request_log CROSS JOIN LATERAL unnest(item_ids) AS item) AS r
WHERE results.draw(n, 'event') < 0.15 ON CONFLICT DO NOTHING;
INSERT INTO results.sales
SELECT user_id, item_ids[1 + floor(4 * results.draw(n, 'which'))::int], time - interval '6 hours' + results.draw(n, 'wait') * interval '3 days',
	round((100 * results.draw(n, 'price') * results.draw(n, 'price2'))::numeric, 2), 1 + n % 3
FROM (SELECT *, (row_number() OVER (ORDER BY request_id))::int AS n FROM recsys.request_log) AS r WHERE results.draw(n, 'sale') < 0.4;

-- plain SQL: one step after the other, for users, credit by position
CREATE VIEW results.plain AS
WITH r AS (SELECT * FROM recsys.request_log WHERE experiment = 'results_random'),
	u AS (SELECT user_id, min(time) AS first_time, min(variant) AS variant, count(DISTINCT variant) AS variants,
		(array_agg(segment ORDER BY time))[1] AS segment, count(*) AS requests, sum(cardinality(item_ids)) AS impressions,
		sum(latency_ms::numeric) AS latency, count(latency_ms) AS timed FROM r GROUP BY user_id),
	e AS (SELECT r.user_id, count(*) FILTER (WHERE kind = 'click') AS clicks, count(*) FILTER (WHERE kind = 'cart') AS carts,
		count(DISTINCT request_id) FILTER (WHERE kind = 'click') AS clicked FROM recsys.event_log JOIN r USING (request_id)
		WHERE event_log.time < '2026-03-08 12:00' GROUP BY r.user_id),
	p AS (SELECT row_number() OVER () AS n, customer AS user_id, product, sold_at, price * quantity AS amount FROM results.sales
		WHERE sold_at < '2026-03-08 12:00'),
	t AS (SELECT p.*, 1 / log(2, 1 + place) AS weight FROM p JOIN r USING (user_id)
		CROSS JOIN LATERAL (SELECT min(o) AS place FROM unnest(item_ids) WITH ORDINALITY AS i (item, o) WHERE item = product) AS i
		WHERE place IS NOT NULL AND r.time <= sold_at AND sold_at < r.time + interval '2 days'),
	c AS (SELECT user_id, sum(share) AS orders, sum(share * amount) AS revenue FROM (SELECT user_id, amount,
		weight / sum(weight) OVER (PARTITION BY n) AS share FROM t) AS t GROUP BY user_id),
	a AS (SELECT user_id, count(*) AS orders, sum(amount) AS revenue FROM p JOIN u USING (user_id) WHERE sold_at >= first_time GROUP BY user_id)
SELECT u.*, coalesce(clicks, 0) AS clicks, coalesce(carts, 0) AS carts, coalesce(clicked, 0) AS clicked,
	round(coalesce(c.orders, 0), 6) AS orders, round(coalesce(c.revenue, 0), 6) AS revenue,
	coalesce(a.orders, 0) AS all_orders, coalesce(a.revenue, 0) AS all_revenue
FROM u LEFT JOIN e USING (user_id) LEFT JOIN c USING (user_id) LEFT JOIN a USING (user_id) WHERE variants = 1;
-- winsorised at the quantile of positive values, of all variants together
CREATE VIEW results.capped AS
SELECT p.*, least(orders, (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY orders) FROM results.plain WHERE orders > 0)) AS orders_capped,
	least(revenue, (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY revenue) FROM results.plain WHERE revenue > 0)) AS revenue_capped,
	least(all_orders, (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY all_orders) FROM results.plain WHERE all_orders > 0)) AS all_orders_capped,
	least(all_revenue, (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY all_revenue) FROM results.plain WHERE all_revenue > 0)) AS all_revenue_capped
FROM results.plain AS p;
CREATE VIEW results.reference AS
SELECT s.segment, s.variant, s.n AS users, m.metric, m.value FROM (SELECT CASE WHEN grouping(segment) = 0 THEN segment END AS segment, grouping(segment) AS whole,
		variant, count(*) AS n, sum(clicks) / sum(impressions) AS ctr, sum(clicked) / sum(requests) AS click_rate, sum(carts) / sum(impressions) AS add_to_cart_rate,
		avg((orders > 0)::int) AS conversion, avg(revenue_capped) AS revenue, sum(revenue_capped) / sum(requests) AS revenue_per_request,
		avg(orders_capped) AS orders, avg(all_revenue_capped) AS user_revenue, avg(all_orders_capped) AS user_orders,
		avg(requests) AS requests_per_user, sum(latency) / sum(timed) AS latency_ms
	FROM results.capped GROUP BY GROUPING SETS ((variant), (variant, segment))) AS s
CROSS JOIN LATERAL (VALUES ('ctr', ctr), ('click_rate', click_rate), ('add_to_cart_rate', add_to_cart_rate), ('conversion', conversion),
	('revenue', revenue), ('revenue_per_request', revenue_per_request), ('orders', orders), ('user_revenue', user_revenue),
	('user_orders', user_orders), ('requests_per_user', requests_per_user), ('latency_ms', latency_ms)) AS m (metric, value)
WHERE whole = 1 OR s.segment IS NOT NULL;
SELECT count(*), count(DISTINCT r.segment) AS segments, count(DISTINCT r.variant) AS variants, min(method) AS method,
	count(*) FILTER (WHERE r.users <> f.users OR r.control_users <> g.users) AS wrong_users,
	count(*) FILTER (WHERE abs(r.value - f.value) > 1e-5) AS wrong_values,
	count(*) FILTER (WHERE abs(r.control_value - g.value) > 1e-5) AS wrong_controls
FROM recsys.experiment_results('results_random', 'raw') AS r
JOIN results.reference AS f ON f.metric = r.metric AND f.variant = r.variant AND f.segment IS NOT DISTINCT FROM r.segment
JOIN results.reference AS g ON g.metric = r.metric AND g.variant = 'control' AND g.segment IS NOT DISTINCT FROM r.segment;
SELECT users, control_users FROM recsys.experiment_results('results_random', 'raw') WHERE is_primary AND segment IS NULL;
SELECT variant, count(*) FROM results.plain GROUP BY variant ORDER BY variant;

-- the same from daily sums, to the last digit, whatever is asked for
SELECT recsys.refresh_experiment('results_random') AS days;
SELECT * FROM results.differing('results_random');
UPDATE recsys.experiment SET definition = definition || '{"attribution": "first", "winsorise": 1, "method": "fixed", "correction": "benjamini_hochberg"}' WHERE name = 'results_random';
SELECT recsys.refresh_experiment('results_random') AS days;
SELECT * FROM results.differing('results_random');
UPDATE recsys.experiment SET definition = definition || '{"attribution": "position", "unit": "session"}' WHERE name = 'results_random';
SELECT recsys.refresh_experiment('results_random') AS days;
SELECT * FROM results.differing('results_random');
-- what comes late is there only after it was asked for
UPDATE recsys.experiment SET definition = definition || '{"attribution": "last", "unit": "user"}' WHERE name = 'results_random';
SELECT recsys.refresh_experiment('results_random') AS days;
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT results.id(at, 5001), at, 'late', 'results.likes_recsys', 'results_random', 'b', '{i1,i2}' FROM (SELECT '2026-03-03 12:00'::timestamptz AS at) AS r;
SELECT different > 0 AS differs FROM results.differing('results_random');
SELECT recsys.refresh_experiment('results_random', '2026-03-03 15:00') AS days;
SELECT * FROM results.differing('results_random');

-- adjusted p-values are those of each family
SELECT segment IS NULL AS whole, bool_and(p_adjusted >= p_value) AS larger, bool_or(p_adjusted > p_value) AS adjusted
FROM recsys.experiment_results('results_random') GROUP BY 1 ORDER BY 1 DESC;

--
-- Verdicts, power and alerts: sums as they may be, written by hand
--
SELECT date_trunc('day', now()) AS today, date_trunc('hour', now()) AS hour \gset
SELECT recsys.create_experiment('results_now',
	'{"control": {"recommender": "results.likes_recsys", "share": 0.5}, "new": {"recommender": "results.likes_recsys", "share": 0.5}}',
	metrics => '{ctr}', primary_metric => 'ctr', guardrails => '{latency_ms}', method => 'fixed', expected_users => 300);
SELECT results.ran('results_now', timestamptz :'today' - interval '3 days', NULL);
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, latency_ms, item_ids)
SELECT results.id(at, n), at, 'u' || n, 'x', 'results_now', CASE WHEN n % 2 = 0 THEN 'control' ELSE 'new' END, CASE WHEN n % 2 = 0 THEN 10 ELSE 12 END + n % 3, '{i1,i2}'
FROM (SELECT n, timestamptz :'today' - interval '3 days' + n * interval '1 minute' AS at FROM generate_series(1, 400) AS n) AS r;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, 'click', 'i1', time + interval '1 second' FROM recsys.request_log
WHERE experiment = 'results_now' AND (substr(user_id, 2)::int % 3 = 0 OR variant = 'new' AND substr(user_id, 2)::int % 5 < 2);
SELECT metric, users, control_users, round(value::numeric, 4) AS value, round(control_value::numeric, 4) AS control_value, verdict
FROM recsys.experiment_results('results_now');
SELECT alert, severity, CASE WHEN alert = 'logging gap' THEN regexp_replace(detail, '\d+ ', '… ', 'g') ELSE detail END AS detail
FROM recsys.experiment_alerts WHERE experiment = 'results_now';
SELECT metric, variant, users, round(baseline::numeric, 4) AS baseline, round(users_needed) AS users_needed, days_left > 0 AS goes_on, round(power_now::numeric, 3) AS power_now
FROM recsys.experiment_power('results_now', 0.2);
-- the control loses units on the way
DELETE FROM recsys.request_log WHERE experiment = 'results_now' AND variant = 'control' AND substr(user_id, 2)::int % 4 = 0;
UPDATE recsys.request_log SET variant = 'control' WHERE experiment = 'results_now' AND user_id = 'u399';
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT results.id(time, 6001), time, user_id, recommender, experiment, 'new', item_ids FROM recsys.request_log WHERE experiment = 'results_now' AND user_id = 'u399';
SELECT metric, verdict, sample_ratio_p < 0.001 AS broken FROM recsys.experiment_results('results_now', 'raw');
SELECT alert, severity, detail FROM recsys.experiment_alerts WHERE experiment = 'results_now' AND alert <> 'logging gap';
-- every hour has requests again, those of the last one have no latency; an event of a request that is not there
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, latency_ms, item_ids)
SELECT results.id(at, 7000 + n), at, 'v' || n, 'x', 'results_now', CASE WHEN n % 2 = 0 THEN 'control' ELSE 'new' END, CASE WHEN n > 1 THEN 10 END, '{i1,i2}'
FROM (SELECT n, timestamptz :'hour' - n * interval '1 hour' + interval '5 minutes' AS at FROM generate_series(1, 49) AS n) AS r;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT results.id(at, 8000), at, 'click', 'i1', at FROM (SELECT date_trunc('milliseconds', now() - interval '5 hours') AS at) AS e;
SELECT alert, severity FROM recsys.experiment_alerts WHERE experiment = 'results_now' AND alert IN ('logging gap', 'latency missing');
SELECT alert, severity FROM recsys.experiment_alerts WHERE experiment IS NULL;
-- one that cannot be read hides nothing of the others
SELECT recsys.drop_experiment('results_now');
DROP TABLE results.sales CASCADE;
DELETE FROM recsys.experiment_day WHERE experiment = 'results_random';
SELECT experiment, alert, severity, detail FROM recsys.experiment_alerts WHERE experiment IS NOT NULL;

-- a variant is taken away: who has seen it and another one was shown two
SELECT recsys.create_experiment('results_three', '[{"name": "control", "recommender": "results.likes_recsys"},
	{"name": "new", "recommender": "results.likes_recsys"}, {"name": "bad", "recommender": "results.likes_recsys"}]');
SELECT results.ran('results_three', '2026-03-01', NULL);
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT results.id(at, n), at, 'u' || n % 30, 'x', 'results_three', CASE WHEN n = 4 THEN 'new' ELSE (array['control', 'new', 'bad'])[n % 3 + 1] END, '{i1,i2}'
FROM (SELECT n, '2026-03-01'::timestamptz + n * interval '1 hour' AS at FROM generate_series(1, 60) AS n) AS r;
UPDATE recsys.request_log SET variant = 'new' WHERE experiment = 'results_three' AND user_id IN ('u2', 'u5') AND time >= '2026-03-02';
SELECT recsys.refresh_experiment('results_three') > 0 AS days;
SELECT recsys.alter_experiment('results_three', variants => '{"control": {"share": 0.5}, "new": {"share": 0.5}}');
SELECT compared > 0 AS compared, different FROM results.differing('results_three');
SELECT recsys.refresh_experiment('results_three') > 0 AS days;
SELECT compared > 0 AS compared, different FROM results.differing('results_three');
SELECT users, control_users FROM recsys.experiment_results('results_three', 'raw');
SELECT detail FROM recsys.experiment_alerts WHERE alert = 'units in two variants';
SELECT recsys.drop_experiment('results_three');
-- another one of that name begins anew, and does not show what the first one has left
SELECT recsys.create_experiment('results_three', '{"control": "results.likes_recsys", "new": "results.likes_recsys"}');
SELECT count(*) FROM recsys.experiment_history('results_three');
SELECT count(*) FROM recsys.experiment_results('results_three', 'daily');
SELECT recsys.refresh_experiment('results_three') AS days;
SELECT users, control_users, computed_from FROM recsys.experiment_results('results_three', 'daily');
SELECT recsys.drop_experiment('results_three');

-- no variant has anything; one is empty
SELECT recsys.drop_experiment('results_random');
SELECT recsys.create_experiment('results_empty',
	'{"control": {"recommender": "results.likes_recsys", "share": 0.5}, "new": {"recommender": "results.likes_recsys", "share": 0.5}}',
	metrics => '{ctr,requests_per_user}', primary_metric => 'ctr', start => false);
SELECT metric, users, value, lift, p_value, verdict, sample_ratio_p FROM recsys.experiment_results('results_empty');
SELECT recsys.refresh_experiment('results_empty') AS days;
SELECT results.ran('results_empty', '2026-03-01', '2026-03-02');
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT results.id(at, n), at, 'u' || n, 'x', 'results_empty', 'control', '{i1,i2}'
FROM (SELECT n, '2026-03-01'::timestamptz + n * interval '1 minute' AS at FROM generate_series(1, 40) AS n) AS r;
SELECT metric, users, control_users, value, control_value, lift, p_value, verdict FROM recsys.experiment_results('results_empty');
-- what was bought was said by the log's settings, and is no longer
CREATE TABLE results.sales (customer text, product text, sold_at timestamptz);
SELECT recsys.configure_log(purchases => '{"table": "results.sales", "user": "customer", "item": "product", "time": "sold_at"}');
SELECT recsys.alter_experiment('results_empty', metrics => '{ctr,conversion}');
SELECT metric, control_users, control_value FROM recsys.experiment_results('results_empty');
SELECT recsys.configure_log(purchases => '');
SELECT metric, control_users, control_value FROM recsys.experiment_results('results_empty');
SELECT recsys.drop_experiment('results_empty');
DELETE FROM recsys.request_log;
DELETE FROM recsys.event_log;
DELETE FROM recsys.log_setting;
DELETE FROM recsys.experiment_unit WHERE experiment LIKE 'results%';
DELETE FROM recsys.experiment_sums WHERE experiment LIKE 'results%';
DELETE FROM recsys.experiment_day WHERE experiment LIKE 'results%';
SET client_min_messages = error;
DROP SCHEMA results CASCADE;
DROP OWNED BY regress_results_owner, regress_results_other, regress_results_reader;
DROP ROLE regress_results_owner, regress_results_other, regress_results_reader;
