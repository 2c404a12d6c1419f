/*
 * recsys.evaluate and its kin against plain SQL, on random data: the whole chain
 * from interactions to figures.  The item graph is taken from
 * query_item_similarity(), which reference_graph.sql verifies.
 */
CREATE SCHEMA evaluation;
SET search_path = evaluation, public;
SET maintenance_work_mem = '64MB';
SET jit = off;
-- on random data no model beats bestsellers: bestsellers.sql has what is said of that
SET client_min_messages = error;
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

CREATE TABLE figures (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision);

-- what both sides make of the interactions
-- the reference is slow: a quarter of the users with held-out items
CREATE VIEW sampled AS SELECT * FROM future WHERE user_id % 4 = 1 OR user_id IS NULL;
CREATE VIEW folded AS
SELECT user_id, item_id, max(at) AS at, sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END)::real AS weight
FROM past WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY 1, 2;
CREATE VIEW item_users AS SELECT item_id, count(*) AS users FROM folded WHERE weight > 0 GROUP BY 1;
CREATE TABLE relevant (user_id bigint, item_id bigint);
CREATE TABLE ranking (user_id bigint, item_id bigint, score real, users bigint, place bigint);
CREATE TABLE graph (item_id bigint, similar_item_id bigint, score real);
CREATE TABLE reference (metric text, k integer, segment text, value double precision, users bigint);

CREATE PROCEDURE rank_items(exclude_seen boolean, half_life interval) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE relevant, ranking;
	INSERT INTO relevant
	SELECT user_id, item_id FROM sampled
	WHERE user_id IS NOT NULL AND item_id IS NOT NULL
	  AND NOT (exclude_seen AND EXISTS (SELECT FROM folded p WHERE p.user_id = sampled.user_id AND p.item_id = sampled.item_id))
	GROUP BY 1, 2 HAVING sum(coalesce(weight::real, 1))::real > 0;
	INSERT INTO ranking
	WITH decayed AS (
		SELECT user_id, item_id,
			   weight * CASE WHEN at IS NULL OR half_life IS NULL THEN 1
						ELSE 2 ^ (-extract(epoch FROM max(at) OVER (PARTITION BY user_id) - at)::float8 /
								  extract(epoch FROM half_life)::float8) END AS weight
		FROM folded WHERE weight > 0),
	scored AS (
		SELECT user_id, similar_item_id AS item_id, sum(weight * score)::real AS score
		FROM decayed JOIN graph USING (item_id) GROUP BY 1, 2)
	SELECT user_id, item_id, score, item_users.users,
		   row_number() OVER (PARTITION BY user_id ORDER BY score DESC NULLS LAST, item_users.users DESC, item_id)
	FROM (SELECT DISTINCT user_id FROM relevant) u CROSS JOIN item_users
	LEFT JOIN scored USING (user_id, item_id)
	WHERE NOT (exclude_seen AND EXISTS (SELECT FROM folded p WHERE p.user_id = u.user_id AND p.item_id = item_users.item_id));
	ANALYZE relevant, ranking;
END $$;

-- by user, then over users and segments
CREATE PROCEDURE measure(ks integer[]) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE reference;
	CREATE TEMP TABLE by_user (user_id bigint, metric text, k integer, value double precision) ON COMMIT DROP;
	CREATE TEMP TABLE listed ON COMMIT DROP AS
	SELECT k, r.user_id, r.item_id, r.place, r.users, t.item_id IS NOT NULL AS hit,
		   pop.place <= k AS is_popular, category, seller, is_new
	FROM unnest(ks) k JOIN ranking r ON r.place <= k
	JOIN (SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY users DESC, item_id) AS place FROM ranking) pop
		USING (user_id, item_id)
	LEFT JOIN relevant t ON t.user_id = r.user_id AND t.item_id = r.item_id
	LEFT JOIN products p ON p.item_id = r.item_id;
	CREATE TEMP TABLE targets ON COMMIT DROP AS SELECT user_id, count(*) AS n FROM relevant GROUP BY 1;
	ANALYZE listed, targets;

	INSERT INTO by_user
	SELECT t.user_id, m.metric, k, m.value
	FROM targets t CROSS JOIN unnest(ks) k
	LEFT JOIN LATERAL (
		SELECT count(*) AS length, count(*) FILTER (WHERE hit) AS hits,
			   sum(1 / log(2, place + 1)) FILTER (WHERE hit) AS gain, min(place) FILTER (WHERE hit) AS first,
			   sum(hits_so_far::float8 / place) FILTER (WHERE hit) AS precisions,
			   avg(-log(2, users::numeric / (SELECT count(DISTINCT user_id) FROM folded WHERE weight > 0))) AS novelty,
			   avg(users) AS popularity, avg(is_new::int) AS new_items, count(*) FILTER (WHERE hit AND NOT is_popular) AS surprising
		FROM (SELECT *, count(*) FILTER (WHERE hit) OVER (ORDER BY place) AS hits_so_far FROM listed l
			  WHERE l.user_id = t.user_id AND l.k = k.k) l) l ON true,
	LATERAL (VALUES
		('recall', hits::float8 / n), ('recall_capped', hits::float8 / least(n, k)), ('precision', hits::float8 / k),
		('hit_rate', (hits > 0)::int), ('mrr', coalesce(1.0 / first, 0)), ('map', coalesce(precisions, 0) / least(n, k)),
		('ndcg', coalesce(gain, 0) / (SELECT sum(1 / log(2, r + 1)) FROM generate_series(1, least(n, k)) r)),
		('novelty', novelty), ('popularity', popularity), ('new_items', new_items), ('serendipity', surprising::float8 / k)) m(metric, value);

	-- pairs of listed items
	INSERT INTO by_user
	SELECT user_id, m.metric, k, m.value
	FROM (SELECT a.user_id, a.k,
				 1 - avg(greatest(ab.score, ba.score, 0) / (SELECT greatest(max(score), 1) FROM graph)) AS diversity,
				 1 - avg((a.category = b.category)::int) AS categories
		  FROM listed a JOIN listed b ON a.user_id = b.user_id AND a.k = b.k AND a.place < b.place
		  LEFT JOIN graph ab ON ab.item_id = a.item_id AND ab.similar_item_id = b.item_id
		  LEFT JOIN graph ba ON ba.item_id = b.item_id AND ba.similar_item_id = a.item_id
		  GROUP BY 1, 2) p,
	LATERAL (VALUES ('diversity', diversity), ('category_diversity', categories)) m(metric, value);

	-- a single item has no pairs
	INSERT INTO by_user SELECT user_id, metric, k, NULL FROM targets, unnest(ks) k, unnest('{diversity,category_diversity}'::text[]) metric WHERE k = 1;

	-- held-out items against all others of the ranking
	INSERT INTO by_user
	SELECT r.user_id, 'auc', NULL, avg(CASE WHEN s.above THEN 1 WHEN s.equal THEN 0.5 ELSE 0 END)
	FROM ranking r JOIN relevant USING (user_id, item_id)
	JOIN ranking o ON o.user_id = r.user_id AND NOT EXISTS (SELECT FROM relevant t WHERE t.user_id = o.user_id AND t.item_id = o.item_id),
	LATERAL (SELECT (coalesce(r.score, 0), CASE WHEN r.score > 0 THEN 0 ELSE r.users END) >
					(coalesce(o.score, 0), CASE WHEN o.score > 0 THEN 0 ELSE o.users END),
					(coalesce(r.score, 0), CASE WHEN r.score > 0 THEN 0 ELSE r.users END) =
					(coalesce(o.score, 0), CASE WHEN o.score > 0 THEN 0 ELSE o.users END)) s(above, equal)
	GROUP BY 1;

	INSERT INTO reference
	SELECT metric, k, segment, avg(value), count(value)
	FROM by_user LEFT JOIN countries USING (user_id), LATERAL (VALUES (NULL), (country)) s(segment)
	WHERE segment IS NOT NULL OR segment IS NOT DISTINCT FROM NULL
	GROUP BY GROUPING SETS ((metric, k, segment));
	-- users without a country count once
	DELETE FROM reference WHERE segment IS NULL;
	INSERT INTO reference SELECT metric, k, NULL, avg(value), count(value) FROM by_user GROUP BY 1, 2;

	-- all lists together
	INSERT INTO reference
	SELECT m.metric, k, s.segment, m.value, s.n
	FROM (SELECT segment, count(*) AS n, array_agg(user_id) AS members
		  FROM targets LEFT JOIN countries USING (user_id),
			   LATERAL (SELECT NULL UNION ALL SELECT country WHERE country IS NOT NULL) s(segment) GROUP BY 1) s
	CROSS JOIN unnest(ks) k,
	LATERAL (SELECT avg((c > 0)::int) AS coverage, sum((2 * x - n - 1) * c) / nullif(max(n) * sum(c), 0) AS gini
			 FROM (SELECT count(l.item_id) AS c, row_number() OVER (ORDER BY count(l.item_id)) AS x, count(*) OVER () AS n
				   FROM item_users i LEFT JOIN listed l ON l.item_id = i.item_id AND l.k = k.k AND l.user_id = ANY (members)
				   GROUP BY i.item_id) c) items,
	LATERAL (SELECT avg((c > 0)::int) AS coverage, sum((2 * x - n - 1) * c) / nullif(max(n) * sum(c), 0) AS gini
			 FROM (SELECT count(l.item_id) AS c, row_number() OVER (ORDER BY count(l.item_id)) AS x, count(*) OVER () AS n
				   FROM (SELECT DISTINCT seller FROM products) p LEFT JOIN listed l ON l.seller = p.seller AND l.k = k.k AND l.user_id = ANY (members)
				   GROUP BY p.seller) c) sellers,
	LATERAL (VALUES ('coverage', items.coverage), ('gini', items.gini),
					('seller_coverage', sellers.coverage), ('seller_gini', sellers.gini)) m(metric, value);
	DROP TABLE by_user, listed, targets;
END $$;


CREATE FUNCTION check_evaluate(OUT models bigint, OUT compared bigint, OUT differences bigint, OUT popular bigint) LANGUAGE plpgsql AS $$
DECLARE
	o record;
	n bigint;
BEGIN
	models := 0;
	compared := 0;
	differences := 0;
	FOR o IN SELECT * FROM (VALUES
		('similarity = cosine, neighbors = 6, min_support = 1', 'cosine', 6, 1, 0, 0, NULL::interval),
		('similarity = jaccard, neighbors = 12, min_support = 1, shrinkage = 3', 'jaccard', 12, 1, 3, 0, NULL),
		('similarity = lift, neighbors = 8, min_support = 2, half_life = ''20 days''', 'lift', 8, 2, 0, 0, '20 days'),
		('similarity = confidence, neighbors = 3, min_support = 2, alpha = 0.5', 'confidence', 3, 2, 0, 0.5, NULL))
		m(model, similarity, neighbors, min_support, shrinkage, alpha, half_life), unnest(ARRAY[true, false]) exclude
		WHERE exclude = (similarity IN ('cosine', 'confidence'))
	LOOP
		TRUNCATE graph, figures;
		INSERT INTO graph SELECT item_id, similar_item_id, score FROM query_item_similarity('SELECT user_id, item_id, weight FROM past',
			similarity => o.similarity, neighbors => o.neighbors, min_support => o.min_support, shrinkage => o.shrinkage, alpha => o.alpha);
		CALL rank_items(o.exclude, o.half_life);
		CALL measure('{1,4,60}');
		INSERT INTO figures SELECT * FROM recsys.evaluate('SELECT * FROM past', o.model, test => 'SELECT * FROM sampled', k => '{4,1,60,4}',
			segments => 'SELECT user_id, country FROM countries', categories => 'SELECT item_id, category FROM products',
			sellers => 'SELECT item_id, seller FROM products', new_items => 'SELECT item_id FROM products WHERE is_new',
			exclude_seen => o.exclude, resamples => 20);
		SELECT count(*) INTO n FROM figures f FULL JOIN reference r
			ON r.metric = f.metric AND r.k IS NOT DISTINCT FROM f.k AND r.segment IS NOT DISTINCT FROM f.segment
		WHERE f.metric IS NULL OR r.metric IS NULL OR f.users <> r.users OR
			  (f.value IS NULL) <> (r.value IS NULL) OR abs(f.value - r.value) > 1e-6 * greatest(1, r.value) OR
			  f.ci_low > f.value + 1e-9 OR f.ci_high < f.value - 1e-9;
		models := models + 1;
		compared := compared + (SELECT count(*) FROM figures);
		differences := differences + n;

		-- bestsellers are what is left without an item graph; diversity is measured by it all the same
		CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM graph;
		TRUNCATE graph;
		CALL rank_items(o.exclude, o.half_life);
		INSERT INTO graph SELECT * FROM kept;
		DROP TABLE kept;
		CALL measure('{1,4,60}');
		SELECT count(*) INTO n FROM figures f FULL JOIN reference r
			ON r.metric = f.metric AND r.k IS NOT DISTINCT FROM f.k AND r.segment IS NOT DISTINCT FROM f.segment
		WHERE f.metric IS NULL OR r.metric IS NULL OR
			  (f.popular_value IS NULL) <> (r.value IS NULL) OR abs(f.popular_value - r.value) > 1e-6 * greatest(1, r.value);
		popular := coalesce(popular, 0) + n;
	END LOOP;
END $$;
SELECT * FROM check_evaluate();

-- an index gives the same figures as its options do, intervals included
CREATE INDEX past_recsys ON past USING recsys (user_id, item_id, weight, at)
	WITH (similarity = cosine, neighbors = 6, min_support = 1, half_life = '10 days');
CREATE FUNCTION both_ways(exclude boolean) RETURNS TABLE (rows bigint, differences bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE a.metric IS NULL OR b.metric IS NULL OR (a.value, a.ci_low, a.ci_high, a.users, a.popular_value, a.p_popular) IS DISTINCT FROM (b.value, b.ci_low, b.ci_high, b.users, b.popular_value, b.p_popular))
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
SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY at DESC NULLS LAST, item_id) AS latest, count(*) OVER (PARTITION BY user_id) AS n
FROM (SELECT user_id, item_id, max(at) AS at, sum(CASE WHEN weight IS NULL THEN 1 WHEN weight = 'NaN' THEN 0 ELSE weight::real END)::real AS weight
	  FROM past
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

/*
 * Tuning: a search tries what fits into memory, and its commands say all of a model.
 */
SELECT count(*) AS trials, count(DISTINCT model) AS models, count(*) FILTER (WHERE model LIKE '%ease%') > 0 AS ease, count(*) FILTER (WHERE model LIKE '%spectral%') > 0 AS spectral, count(*) FILTER (WHERE model LIKE '%als%') > 0 AS als
FROM recsys.tune('SELECT * FROM past', trials => 15, resamples => 0, models => NULL, time_limit => NULL);
SELECT command FROM recsys.tune('SELECT user_id, item_id, at FROM past WHERE item_id > 0 LIMIT 1000', resamples => 0,
	models => '{"similarity = spectral, rank = 16, power = 0.5", "similarity = rp3beta, beta = 0.4, min_support = 1", "similarity = als, rank = 8, unobserved = 0.2, lambda = 0.01, iterations = 4", "similarity = als", "weighting = bm25, training_half_life = ''3 days''"}') ORDER BY command;

SET client_min_messages = warning;
DROP SCHEMA evaluation CASCADE;
