/*
 * recsys.evaluate and its kin on random data.
 */
CREATE SCHEMA evaluation;
SET search_path = evaluation, public;
SET maintenance_work_mem = '64MB';
SET jit = off;
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- NULLs, duplicates, returns, NaN; items and users that only one of the two has
CREATE TABLE past (user_id bigint, item_id bigint, weight double precision, at timestamptz);
INSERT INTO past
SELECT nullif(floor(80 * chance(g, 'user')), 7), nullif(floor(50 * chance(g, 'item') ^ 2), 11),
	   CASE WHEN g % 10 = 0 THEN NULL WHEN g % 101 = 0 THEN 'NaN'
			ELSE round((5 * chance(g, 'weight') - 0.5)::numeric, 2) END,
	   CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '6 hours' * floor(300 * chance(g, 'at')) END
FROM generate_series(1, 900) g;
CREATE TABLE future (user_id bigint, item_id bigint, weight double precision);
INSERT INTO future
SELECT nullif(floor(88 * chance(g, 'user2')), 7), nullif(floor(56 * chance(g, 'item2') ^ 1.5), 11),
	   CASE WHEN g % 12 = 0 THEN NULL ELSE 3 * chance(g, 'weight2') - 0.3 END
FROM generate_series(1, 450) g;
CREATE TABLE countries AS
SELECT u AS user_id, CASE WHEN u % 5 = 0 THEN NULL ELSE 'country ' || u % 3 END AS country FROM generate_series(0, 200) u;
CREATE TABLE products AS
SELECT i AS item_id, CASE WHEN i % 6 = 0 THEN NULL ELSE i % 4 END AS category, i % 9 AS seller, i % 7 = 3 AS is_new
FROM generate_series(0, 60) i;

CREATE TABLE figures (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint);
-- an index gives the same figures as its options do, intervals included
CREATE INDEX past_recsys ON past USING recsys (user_id, item_id, weight, at)
	WITH (similarity = cosine, neighbors = 6, min_support = 1, half_life = '10 days');
CREATE FUNCTION both_ways(exclude boolean) RETURNS TABLE (rows bigint, differences bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE a.metric IS NULL OR b.metric IS NULL OR (a.value, a.ci_low, a.ci_high, a.users) IS DISTINCT FROM (b.value, b.ci_low, b.ci_high, b.users))
	FROM recsys.evaluate('SELECT * FROM past', 'similarity = cosine, neighbors = 6, min_support = 1, half_life = ''10 days''',
		test => 'SELECT * FROM future', segments => 'SELECT * FROM countries', sellers => 'SELECT item_id, seller FROM products', exclude_seen => exclude) a
	FULL JOIN recsys.evaluate_recommender('past_recsys', 'SELECT * FROM future', segments => 'SELECT * FROM countries',
		sellers => 'SELECT item_id, seller FROM products', exclude_seen => exclude) b
	ON a.metric = b.metric AND a.k IS NOT DISTINCT FROM b.k AND a.segment IS NOT DISTINCT FROM b.segment;
$$;
SELECT * FROM both_ways(true);
SELECT * FROM both_ways(false);

-- its lists are those of recommend()
WITH users AS (SELECT DISTINCT user_id FROM future f WHERE user_id IS NOT NULL AND item_id IS NOT NULL),
hits AS (
	SELECT u.user_id, count(t.item_id) AS hits
	FROM users u CROSS JOIN LATERAL recommend(u.user_id, 10, 'past_recsys') r
	LEFT JOIN (SELECT user_id, item_id FROM future GROUP BY 1, 2 HAVING sum(coalesce(weight, 1)) > 0) t ON t.user_id = u.user_id AND t.item_id = r.item_id
	GROUP BY 1)
SELECT sum(hits) = (SELECT round(value * users * 10) FROM recsys.evaluate_recommender('past_recsys', 'SELECT * FROM future', k => '{10}', metrics => '{precision}'))
	   AS lists_of_recommend FROM hits;

/*
 * Splits.  recsys.holdout tells what is held out.
 */
CREATE VIEW counting AS
SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY at DESC NULLS LAST, position DESC) AS latest, count(*) OVER (PARTITION BY user_id) AS n
FROM (SELECT user_id, item_id, max(at) AS at, max(position) FILTER (WHERE at IS NOT DISTINCT FROM latest_at) AS position, sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END)::real AS weight
	  FROM (SELECT *, row_number() OVER (ORDER BY ctid) AS position, max(at) OVER (PARTITION BY user_id, item_id) AS latest_at FROM past) p
	  WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY 1, 2) f
WHERE weight > 0;

-- a share: so many of each user's items, one always kept
SELECT count(*) > 50 AS enough, count(*) FILTER (WHERE held IS DISTINCT FROM wanted) AS differences
FROM (SELECT c.user_id, count(h.item_id) AS held, least(floor(max(n) * 0.3 + 0.5), max(n) - 1) AS wanted
	  FROM counting c LEFT JOIN recsys.holdout('SELECT * FROM past', holdout_share => 0.3, seed => 5, exclude_seen => false) h
		ON h.user_id = c.user_id::text AND h.item_id = c.item_id::text GROUP BY 1) s;
-- the same for the same seed, in whatever order the rows come; another for another
SELECT count(*) FILTER (WHERE a.user_id IS NULL OR b.user_id IS NULL) AS differences
FROM recsys.holdout('SELECT * FROM past ORDER BY at', holdout_share => 0.3, seed => 5) a
FULL JOIN recsys.holdout('SELECT * FROM past ORDER BY item_id', holdout_share => 0.3, seed => 5) b USING (user_id, item_id);
SELECT count(*) FILTER (WHERE a.user_id IS NULL OR b.user_id IS NULL) > 100 AS differ
FROM recsys.holdout('SELECT * FROM past', holdout_share => 0.3, seed => 5) a
FULL JOIN recsys.holdout('SELECT * FROM past', holdout_share => 0.3, seed => 6) b USING (user_id, item_id);
-- the last three
SELECT count(*) > 100 AS enough, count(*) FILTER (WHERE (h.item_id IS NULL) <> (latest > least(3, n - 1))) AS differences
FROM counting c LEFT JOIN recsys.holdout('SELECT * FROM past', holdout_last => 3, exclude_seen => false) h
	ON h.user_id = c.user_id::text AND h.item_id = c.item_id::text;
-- from a day on: single interactions, so what was seen before is not held out
SELECT count(*) > 100 AS enough, count(*) FILTER (WHERE h.user_id IS NULL OR f.user_id IS NULL) AS differences
FROM recsys.holdout('SELECT * FROM past', holdout_since => '2024-02-20 12:00+00') h
FULL JOIN (SELECT user_id::text, item_id::text FROM past p WHERE at >= '2024-02-20 12:00+00' AND user_id IS NOT NULL AND item_id IS NOT NULL
		   AND NOT EXISTS (SELECT FROM past o WHERE o.user_id = p.user_id AND o.item_id = p.item_id AND coalesce(o.at, '-infinity') < '2024-02-20 12:00+00')
		   GROUP BY 1, 2 HAVING sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END)::real > 0) f USING (user_id, item_id);

-- a split and the two parts given by themselves are evaluated alike
CREATE FUNCTION alike(share double precision, last integer, since timestamptz) RETURNS TABLE (rows bigint, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS held;
	CREATE TEMP TABLE held AS SELECT user_id::bigint, item_id::bigint
	FROM recsys.holdout('SELECT * FROM past', holdout_share => share, holdout_last => last, holdout_since => since, seed => 3);
	RETURN QUERY
	SELECT count(*), count(*) FILTER (WHERE a.metric IS NULL OR b.metric IS NULL OR (a.value, a.ci_low, a.ci_high, a.users) IS DISTINCT FROM (b.value, b.ci_low, b.ci_high, b.users))
	FROM recsys.evaluate('SELECT * FROM past', 'min_support = 1', holdout_share => share, holdout_last => last, holdout_since => since, seed => 3, resamples => 10) a
	FULL JOIN recsys.evaluate(CASE WHEN since IS NULL THEN
			'SELECT p.* FROM past p LEFT JOIN held h USING (user_id, item_id) WHERE h.user_id IS NULL'
			ELSE format('SELECT * FROM past WHERE (at >= %L) IS NOT TRUE', since) END,
		'min_support = 1', test => 'SELECT * FROM held', seed => 3, resamples => 10) b
	ON a.metric = b.metric AND a.k IS NOT DISTINCT FROM b.k;
END $$;
SELECT * FROM alike(0.25, NULL, NULL);
SELECT * FROM alike(NULL, 2, NULL);
SELECT * FROM alike(NULL, NULL, '2024-02-20 12:00+00');
-- a fifth, when nothing is said
SELECT count(*) FILTER (WHERE a.user_id IS NULL OR b.user_id IS NULL) AS differences, count(*) > 100 AS enough
FROM recsys.holdout('SELECT * FROM past') a FULL JOIN recsys.holdout('SELECT * FROM past', holdout_share => 0.2) b USING (user_id, item_id);

/*
 * Intervals
 */
SELECT bool_and(ci_low <= value AND value <= ci_high AND ci_high > ci_low) AS around,
	   bool_and(ci_high - ci_low BETWEEN 0.7 * e.width AND 1.4 * e.width) AS as_wide_as_they_should_be
FROM recsys.evaluate('SELECT * FROM past', 'min_support = 1', test => 'SELECT * FROM future', metrics => '{hit_rate}', k => '{1,2,5,20}'),
	 LATERAL (SELECT 2 * 1.96 * sqrt(value * (1 - value) / users) AS width) e;
-- narrower with less confidence, none without resamples, the same again
SELECT bool_and(a.ci_high - a.ci_low < b.ci_high - b.ci_low) AS narrower, bool_and(c.ci_low IS NULL AND c.ci_high IS NULL AND c.value = a.value) AS none,
	   bool_and((a.ci_low, a.ci_high) = (d.ci_low, d.ci_high)) AS again, bool_and((a.ci_low, a.ci_high) <> (e.ci_low, e.ci_high)) AS other_seed
FROM recsys.evaluate('SELECT * FROM past', test => 'SELECT * FROM future', metrics => '{recall,auc}', confidence => 0.5) a
JOIN recsys.evaluate('SELECT * FROM past', test => 'SELECT * FROM future', metrics => '{recall,auc}', confidence => 0.99) b ON a.metric = b.metric AND a.k IS NOT DISTINCT FROM b.k
JOIN recsys.evaluate('SELECT * FROM past', test => 'SELECT * FROM future', metrics => '{recall,auc}', resamples => 0) c ON a.metric = c.metric AND a.k IS NOT DISTINCT FROM c.k
JOIN recsys.evaluate('SELECT * FROM past', test => 'SELECT * FROM future', metrics => '{recall,auc}', confidence => 0.5) d ON a.metric = d.metric AND a.k IS NOT DISTINCT FROM d.k
JOIN recsys.evaluate('SELECT * FROM past', test => 'SELECT * FROM future', metrics => '{recall,auc}', confidence => 0.5, seed => 1) e ON a.metric = e.metric AND a.k IS NOT DISTINCT FROM e.k;

/*
 * Workers change nothing.
 */
CREATE TABLE many AS
SELECT (g / 8)::integer AS user_id, floor(200 * chance(g, 'many') ^ 2)::integer AS item_id FROM generate_series(1, 16000) g;
CREATE FUNCTION with_workers(n integer) RETURNS SETOF figures LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('max_parallel_maintenance_workers', n::text, true);
	RETURN QUERY SELECT * FROM recsys.evaluate('SELECT * FROM many', 'min_support = 1', segments => 'SELECT user_id, user_id % 3 FROM many GROUP BY 1');
END $$;
CREATE TABLE alone AS SELECT * FROM with_workers(0);
SELECT count(*) AS rows, count(*) FILTER (WHERE a.* IS DISTINCT FROM b.*) AS differences
FROM alone a FULL JOIN with_workers(2) b ON a.metric = b.metric AND a.k IS NOT DISTINCT FROM b.k AND a.segment IS NOT DISTINCT FROM b.segment;

/*
 * Comparing
 */
-- with itself: no difference, no surprise
SELECT bool_and(difference = 0 AND (ci_low = 0) IS NOT FALSE AND (ci_high = 0) IS NOT FALSE AND value_a = value_b
				AND (p_bootstrap = 1) IS NOT FALSE AND (p_wilcoxon = 1) IS NOT FALSE AND (p_t = 1) IS NOT FALSE) AS no_difference
FROM recsys.compare('SELECT * FROM past', 'min_support = 1', 'similarity = cosine, min_support = 1');
-- values are those of evaluate, and swapping models turns signs around
SELECT bool_and(c.value_a = a.value AND c.value_b = b.value AND abs(c.difference - (b.value - a.value)) < 1e-12) AS values,
	   bool_and(abs(c.difference + r.difference) < 1e-12 AND abs(coalesce(c.ci_low + r.ci_high, 0)) < 1e-12 AND (c.p_bootstrap = r.p_bootstrap) IS NOT FALSE
				AND (abs(c.p_wilcoxon - r.p_wilcoxon) < 1e-12) IS NOT FALSE AND (abs(c.p_t - r.p_t) < 1e-12) IS NOT FALSE) AS symmetric
FROM recsys.compare('SELECT * FROM past', 'min_support = 1', 'similarity = lift', test => 'SELECT * FROM future', segments => 'SELECT * FROM countries', metrics => '{recall,ndcg,gini,coverage}') c
JOIN recsys.compare('SELECT * FROM past', 'similarity = lift', 'min_support = 1', test => 'SELECT * FROM future', segments => 'SELECT * FROM countries', metrics => '{recall,ndcg,gini,coverage}') r
	ON c.metric = r.metric AND c.k = r.k AND c.segment IS NOT DISTINCT FROM r.segment
JOIN recsys.evaluate('SELECT * FROM past', 'min_support = 1', test => 'SELECT * FROM future', segments => 'SELECT * FROM countries') a
	ON c.metric = a.metric AND c.k = a.k AND c.segment IS NOT DISTINCT FROM a.segment
JOIN recsys.evaluate('SELECT * FROM past', 'similarity = lift', test => 'SELECT * FROM future', segments => 'SELECT * FROM countries') b
	ON c.metric = b.metric AND c.k = b.k AND c.segment IS NOT DISTINCT FROM b.segment;
-- groups of eight who buy among eight: a model that knows it is better than one that knows nothing
CREATE TABLE clubs AS
SELECT u AS user_id, (u % 12) * 8 + i AS item_id FROM generate_series(1, 600) u, generate_series(0, 7) i WHERE chance(u * 8 + i, 'club') < 0.7;
SELECT metric, round(value_a::numeric, 1) AS value_a, round(value_b::numeric, 1) AS value_b, ci_low > 0.1 AS certain, p_bootstrap < 0.01 AS p_bootstrap, p_wilcoxon < 1e-6 AS p_wilcoxon, p_t < 1e-6 AS p_t
FROM recsys.compare('SELECT * FROM clubs', 'min_support = 100000', 'min_support = 1', k => '{3}', metrics => '{recall,ndcg}');

SET client_min_messages = warning;
DROP SCHEMA evaluation CASCADE;
