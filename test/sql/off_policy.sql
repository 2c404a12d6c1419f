-- What another policy would have been worth: figures by hand, against plain SQL, and what is refused
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE shown (request int, position int, item text, reward float8, propensity float8, target float8, predicted float8, target_predicted float8);

-- four rows, ten times over: weights 2, 0.5, 1, 1
INSERT INTO shown
SELECT 2 * n + (row > 2)::int, 1 + (row - 1) % 2, 'i' || row, (ARRAY[1, 0, 1, 0])[row], (ARRAY[0.25, 0.5, 0.5, 0.5])[row],
	(ARRAY[0.5, 0.25, 0.5, 0.5])[row], 0.5, 0.25
FROM generate_series(1, 10) n, generate_series(1, 4) row;
\set columns 'reward, propensity, target AS target_probability, request, position, predicted, target_predicted'

-- mean of weighted rewards 3/4; by weights 3/4.5; weights of at most 1.5: 2.5/4; model .25; and its errors .25 + .75/4;
-- those of weights above 1.5 left out: .25 - .25/4; products down the lists 2, 1, 1, 1
SELECT estimator, round(value::numeric, 6) AS value, ci_method, round(effective_rows::numeric, 3) AS effective_rows, rows, requests,
	round(mean_weight::numeric, 6) AS mean_weight, round(largest_share::numeric, 6) AS largest_share, clip_used, round(bias_bound::numeric, 6) AS bias_bound, status
FROM recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', clip => 1.5, resamples => 200, min_effective => 10);
SELECT estimator, round(value::numeric, 6) AS value, round(ci_low::numeric, 6) AS ci_low, round(ci_high::numeric, 6) AS ci_high, ci_method
FROM recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', '{ips,snips,cascade}', interval_method => 'bernstein', per_request => true, min_effective => 10);
-- the first one by hand: requests are worth 2 and 1, at most 2.5
SELECT round((1.5 - h)::numeric, 6) AS ci_low, round((1.5 + h)::numeric, 6) AS ci_high
FROM (SELECT sqrt(2 * (20 * 0.25 / 19) * ln(80) / 20) + 7 * 2.5 * ln(80) / (3 * 19) AS h) x;
-- intervals are repeatable, lie around the value, and are narrower with less confidence
SELECT bool_and(a.ci_low = b.ci_low AND a.ci_high = b.ci_high) AS same, bool_and(a.ci_low <= a.value AND a.value <= a.ci_high) AS around,
	bool_and(c.ci_high - c.ci_low <= a.ci_high - a.ci_low) AS narrower
FROM recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', min_effective => 10) a
	JOIN recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', min_effective => 10) b USING (estimator)
	JOIN recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', confidence => 0.5, min_effective => 10) c USING (estimator);

-- Random lists against plain SQL
TRUNCATE shown;
SELECT setseed(0.5);
INSERT INTO shown
SELECT request, position, 'i' || floor(random() * 5), floor(random() * 3) - 0.5, 0.3 + 0.7 * random(), 0.3 + 0.7 * random(), random(), random()
FROM generate_series(1, 300) request, generate_series(1, 1 + request % 4) position;
CREATE AGGREGATE product_of(float8) (SFUNC = float8mul, STYPE = float8, INITCOND = '1');
CREATE VIEW weighed AS
SELECT *, product_of(w) OVER (PARTITION BY request ORDER BY position) AS cascade, product_of(w) OVER (PARTITION BY request) AS list
FROM (SELECT *, target / propensity AS w FROM shown) s;
CREATE VIEW plain AS
SELECT p, sum(w * reward) / count(*) AS ips, sum(w * reward) / sum(w) AS snips, sum(least(w, 1.2) * reward) / count(*) AS clipped,
	avg(target_predicted) AS direct, avg(target_predicted + w * (reward - predicted)) AS dr,
	avg(target_predicted + CASE WHEN w <= 1.2 THEN w ELSE 0 END * (reward - predicted)) AS switch_dr,
	avg(list * reward) AS list, avg(w * reward) AS independent, avg(cascade * reward) AS cascade,
	sum(w) ^ 2 / sum(w ^ 2) AS effective, avg(w) AS mean_weight, 1.5 * avg(greatest(w - 1.2, 0)) AS bias_bound, count(DISTINCT request) AS requests
FROM weighed, LATERAL (VALUES (0), (position)) x (p) GROUP BY p;
SELECT e.estimator, count(*) AS positions, count(*) FILTER (WHERE e.status ~ '^refused') AS refused,
	bool_and(e.value IS NULL OR abs(e.value - (to_jsonb(x) ->> e.estimator)::float8) < 1e-9) AS equal,
	bool_and(e.requests = x.requests) AS requests,
	bool_and(e.estimator NOT IN ('ips', 'snips', 'independent') OR (abs(e.effective_rows - x.effective) < 1e-6 AND abs(e.mean_weight - x.mean_weight) < 1e-9)) AS overlap,
	bool_and(e.estimator <> 'clipped' OR abs(e.bias_bound - x.bias_bound) < 1e-9) AS bound
FROM recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown ORDER BY md5(request::text || position)', clip => 1.2, resamples => 10, by_position => true, min_effective => 5) e
	JOIN plain x ON x.p = coalesce(e.position, 0)
GROUP BY e.estimator ORDER BY e.estimator;
-- of a request
SELECT bool_and(abs(e.value - p.v) < 1e-9) AS equal
FROM recsys.off_policy_estimate('SELECT ' || :'columns' || ' FROM shown', '{ips,dr,cascade,snips}', per_request => true, resamples => 0) e
	JOIN (SELECT key, value::float8 * (SELECT count(*)::float8 / count(DISTINCT request) FROM shown) AS v FROM plain, jsonb_each_text(to_jsonb(plain)) WHERE p = 0) p ON p.key = e.estimator;

-- A target that shows one item: by target_matches and by target_item; rows in any order, keys of any type
SELECT a.estimator, a.value = b.value AS same, a.ci_low = b.ci_low AS interval
FROM recsys.off_policy_estimate('SELECT reward::numeric, 0.2::real AS propensity, item = ''i1'' AS target_matches FROM shown', '{ips,snips}') a
	JOIN recsys.off_policy_estimate('SELECT reward, 0.2 AS propensity, item, ''i1''::varchar AS target_item FROM shown', '{ips,snips}') b USING (estimator);
PREPARE untyped AS SELECT estimator, status FROM recsys.off_policy_estimate($1, $2, $3, $4);
EXECUTE untyped('SELECT reward, 0.2 AS propensity, item, NULL::text AS target_item FROM shown', '{ips}', '0.9', '10');
DEALLOCATE untyped;

-- What is refused, and why
CREATE FUNCTION why(query text, VARIADIC estimators text[]) RETURNS TABLE (estimator text, value float8, status text)
	LANGUAGE sql AS 'SELECT estimator, value, status FROM recsys.off_policy_estimate(query, estimators, resamples => 10)';
SELECT * FROM why('SELECT reward, propensity, target AS target_probability FROM shown WHERE false', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, n % 2 * 0.5 AS target_probability FROM generate_series(1, 500) n', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, 1 AS target_probability FROM generate_series(1, 500) n', 'snips');
SELECT * FROM why('SELECT 1 AS reward, 0.05 AS propensity, n % 20 = 0 AS target_matches FROM generate_series(1, 500) n', 'dr', 'ips', 'cascade');
SELECT * FROM why('SELECT 0 AS reward, 0.5 AS propensity, 0.5 AS target_probability FROM generate_series(1, 500) n', 'ips');
SELECT * FROM why('SELECT 1 AS reward, CASE n WHEN 1 THEN 0.002 ELSE 0.5 END AS propensity, 0.5 AS target_probability FROM generate_series(1, 500) n', 'ips');
SELECT estimator, round(value::numeric, 6) AS value, status FROM why('SELECT n % 2 AS reward, 0.5 AS propensity, n % 3 AS item, 0.5 + n % 7 * 0.01 - 0.03 AS target_probability FROM generate_series(1, 500) n', 'ips', 'dr');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, 1 AS unit, 0.5 AS target_probability FROM generate_series(1, 500) n', 'ips');

-- Errors
SELECT * FROM why('SELECT 1 AS reward, 0 AS propensity, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, ''NaN''::float4 AS propensity, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, NULL::float8 AS propensity, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 1.5 AS propensity, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, -1 AS target_probability', 'ips');
SELECT * FROM why('SELECT ''infinity''::float8 AS reward, 0.5 AS propensity, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity', 'ips');
SELECT * FROM why('SELECT 1 AS reward, ''a'' AS propensity, true AS target_matches', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches, 1 AS price', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches, 1 AS target_probability', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, 1 AS target_item', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches, 1 AS predicted', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches, 7 AS request, 1 AS position FROM generate_series(1, 2)', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches, 7 AS request, n AS unit FROM generate_series(1, 2) n', 'ips');
SELECT * FROM why('DELETE FROM shown RETURNING 1 AS reward', 'ips');
SELECT * FROM why('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches', 'best');
SELECT * FROM recsys.off_policy_estimate(NULL);
SELECT * FROM recsys.off_policy_estimate('SELECT 1', '{}');
SELECT * FROM recsys.off_policy_estimate('SELECT 1', confidence => 1);
SELECT * FROM recsys.off_policy_estimate('SELECT 1', interval_method => 'exact');
SELECT * FROM recsys.off_policy_estimate('SELECT 1 AS reward, 0.5 AS propensity, true AS target_matches', by_position => true);

-- The query has the caller's rights
CREATE ROLE regress_off_policy;
SET ROLE regress_off_policy;
SELECT * FROM recsys.off_policy_estimate('SELECT reward, propensity, target AS target_probability FROM shown');
RESET ROLE;

-- A recommender by the log
CREATE TABLE bought (user_id bigint, item_id bigint);
INSERT INTO bought SELECT u, (u * 7 + p * p * 3) % 12 FROM generate_series(1, 120) u, generate_series(1, 4) p;
CREATE INDEX bought_recsys ON bought USING recsys (user_id, item_id);
CREATE INDEX other_recsys ON bought USING recsys (user_id, item_id) WITH (similarity = jaccard);
INSERT INTO recsys.experiment (name, owner, definition) VALUES ('regress_off_policy', current_user, '{}');
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, policy, item_ids, propensities)
SELECT md5('off policy ' || n)::uuid, '2001-01-01'::timestamptz + n * interval '1 minute', (n % 120)::text,
	CASE WHEN n % 120 % 10 < 3 THEN 'public.bought_recsys' ELSE 'public.other_recsys' END, 'regress_off_policy', 'a', 'hash',
	ARRAY[n % 20, (n + 1) % 20]::text[], array_fill(CASE WHEN n % 120 % 10 < 3 THEN 0.3 ELSE 0.7 END::float8, ARRAY[2])
FROM generate_series(1, 1200) n;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time, value)
SELECT request_id, time, kind, item_ids[2], time, 10 FROM recsys.request_log, unnest('{click,purchase}'::text[]) kind
WHERE experiment = 'regress_off_policy' AND item_ids[1]::int % CASE WHEN recommender ~ 'bought' THEN 2 ELSE 5 END = 0;
-- each of its requests counts 1 / 0.3
SELECT round(avg(clicks) / 2, 6) AS ctr, round(10 * avg(clicks), 6) AS revenue
FROM (SELECT (SELECT count(*) FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.kind = 'click') AS clicks
	FROM recsys.request_log r WHERE experiment = 'regress_off_policy' AND recommender = 'public.bought_recsys') x;
SELECT estimator, round(value::numeric, 6) AS value, rows, requests, units, round(mean_weight::numeric, 6) AS mean_weight, status
FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', resamples => 50, estimators => '{ips,snips,list}');
SELECT estimator, round(value::numeric, 6) AS value FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', metric => 'revenue', resamples => 50, estimators => '{snips}');
SELECT estimator, position, value = 0 AS nothing, status FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', by_position => true, resamples => 50, estimators => '{ips}');
-- the shop's own purchases, once they are declared: an hour later one of the second item, for 4
CREATE TABLE sales (user_id bigint, item_id bigint, sold_at timestamptz, amount numeric);
INSERT INTO sales SELECT user_id::bigint, item_ids[2]::bigint, time + interval '1 hour', 4
FROM recsys.request_log WHERE experiment = 'regress_off_policy' AND item_ids[1]::int % 4 = 0;
SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "user_id", "item": "item_id", "time": "sold_at", "amount": "amount"}', attribution_window => '2 hours');
SELECT round(4 * avg((item_ids[1]::int % 4 = 0)::int), 6) AS revenue FROM recsys.request_log r WHERE experiment = 'regress_off_policy' AND recommender = 'public.bought_recsys';
SELECT estimator, round(value::numeric, 6) AS value, requests FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', metric => 'revenue', resamples => 50, estimators => '{snips}');
SELECT recsys.configure_log(purchases => '', attribution_window => '7 days');
-- what others have logged is not seen, and what may not be read is not asked
GRANT SELECT ON bought TO regress_off_policy;
SET ROLE regress_off_policy;
SELECT estimator, value, status FROM recsys.off_policy_value('bought_recsys', estimators => '{ips}');
RESET ROLE;
UPDATE recsys.experiment SET owner = 'regress_off_policy' WHERE name = 'regress_off_policy';
SET ROLE regress_off_policy;
SELECT estimator, value > 0 AS value FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', estimators => '{ips}');
RESET ROLE;
REVOKE SELECT ON bought FROM regress_off_policy;
DELETE FROM recsys.experiment WHERE name = 'regress_off_policy';
DELETE FROM recsys.event_log WHERE request_time < '2001-02-01';
DELETE FROM recsys.request_log WHERE time < '2001-02-01';

-- place by place: items drawn from twelve, the list of today on their places
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, item_ids, propensities)
SELECT md5('off policy ' || n)::uuid, '2001-01-01'::timestamptz + n * interval '1 minute', (1 + n % 120)::text, 'regress_off_policy',
	ARRAY[n / 120 % 12, (n / 120 + 5) % 12]::text[], '{0.083333333333333333,0.083333333333333333}'
FROM generate_series(0, 12 * 120 - 1) n;
INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
SELECT request_id, time, 'click', item_ids[1], time FROM recsys.request_log WHERE recommender = 'regress_off_policy' AND item_ids[1]::int < 4;
-- each item was shown to each user once: weights are 12 or 0 and average to 1
CREATE VIEW expected AS
SELECT avg((l.item_id::int < 4)::int) / 2 AS value FROM generate_series(1, 120) u, LATERAL recommend(u, 2, 'bought_recsys', NULL::bigint, exclude_seen => false) l WHERE l.rank = 1;
SELECT e.estimator, abs(e.value - x.value) < 1e-9 AS equal, e.rows, e.requests, e.units, round(e.mean_weight::numeric, 6) AS mean_weight, e.status
FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', k => 2, exclude_seen => false, resamples => 50) e, expected x
WHERE e.estimator IN ('ips', 'snips', 'independent');
SELECT estimator, rows, requests, status FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', k => 1, max_requests => 100, resamples => 50, estimators => '{ips}', min_effective => 100);
SELECT estimator, status FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', logged_by => 'nobody', estimators => '{ips}');
SELECT recsys.configure_log(pseudonymous => true);
SELECT estimator, status FROM recsys.off_policy_value('bought_recsys', until => '2001-02-01', estimators => '{ips}');
SELECT recsys.configure_log(pseudonymous => false);
SELECT * FROM recsys.off_policy_value('no_such_recommender');
-- what chooses is not what is chosen
CREATE INDEX bought_popular ON bought USING recsys (user_id, item_id) WITH (similarity = popular);
SELECT recsys.create_bandit('slot', '{bought_recsys, bought_popular}');
SELECT * FROM recsys.off_policy_value('slot');
SELECT recsys.drop_bandit('slot');
SELECT recsys.create_experiment('slot', '{"control": {"recommender": "bought_recsys"}, "b": {"recommender": "bought_popular"}}');
SELECT * FROM recsys.off_policy_value('slot');
SELECT recsys.drop_experiment('slot');
DROP INDEX bought_popular;
DELETE FROM recsys.event_log WHERE request_time < '2001-02-01';
DELETE FROM recsys.request_log WHERE time < '2001-02-01';
DELETE FROM recsys.log_setting;
DELETE FROM recsys.log_key;

DROP ROLE regress_off_policy;
DROP VIEW expected, plain, weighed;
DROP AGGREGATE product_of(float8);
DROP FUNCTION why(text, text[]);
DROP TABLE shown, bought, sales;
