/*
 * weight_transform: what a user's sum of weights of an item means, against plain SQL; for
 * sums with returns, in builds, merges, queries, when serving and when measured.
 */
SET client_min_messages = warning;
SELECT setseed(0.31);

CREATE TABLE sold (id serial, user_id int, item_id int, quantity numeric, at timestamptz);
INSERT INTO sold (user_id, item_id, quantity, at)
SELECT 1 + floor(random() * 150), 1 + floor(random() * 30), q, timestamptz '2024-01-01' + n * interval '1 hour'
FROM (SELECT n, round((random() * 3 - 0.6)::numeric * CASE WHEN random() < 0.1 THEN 500 ELSE 1 END, 1) AS q FROM generate_series(1, 4000) n) r;
INSERT INTO sold (user_id, item_id, quantity, at)
SELECT user_id, item_id, -sum(quantity), max(at) FROM sold WHERE (user_id + item_id) % 7 = 0 GROUP BY 1, 2;

CREATE VIEW sums AS SELECT user_id, item_id, sum(quantity)::double precision AS quantity FROM sold GROUP BY 1, 2 HAVING sum(quantity) > 0;
SELECT count(*) > 1500 AS enough, (SELECT count(*) > 300 FROM (SELECT FROM sold GROUP BY user_id, item_id HAVING sum(quantity) <= 0) n) AS returned,
	   max(quantity) > 500 AS wholesale FROM sums;

CREATE FUNCTION transformed(quantity double precision, transform text) RETURNS double precision LANGUAGE sql IMMUTABLE
	RETURN CASE transform WHEN 'log' THEN ln(1 + quantity) WHEN 'binary' THEN 1 ELSE quantity END;

-- weighted cosine, and how a graph differs from it
CREATE FUNCTION reference(transform text) RETURNS TABLE (item_id int, similar_item_id int, score double precision, support bigint) LANGUAGE sql AS $$
	WITH weights AS (SELECT user_id, item_id, transformed(quantity, transform) AS weight FROM sums),
		norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM weights GROUP BY 1)
	SELECT a.item_id, b.item_id, sum(a.weight * b.weight) / max(x.norm) / max(y.norm), count(*)
	FROM weights a JOIN weights b ON b.user_id = a.user_id AND b.item_id <> a.item_id
		 JOIN norms x ON x.item_id = a.item_id JOIN norms y ON y.item_id = b.item_id
	GROUP BY 1, 2
$$;
CREATE FUNCTION differences(transform text, graph text) RETURNS TABLE (enough boolean, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*) > 800, count(*) FILTER (WHERE r.support IS DISTINCT FROM g.support OR
		abs(r.score - g.score) > 1e-6) FROM reference(%L) r FULL JOIN (SELECT item_id::int, similar_item_id::int, score, support FROM %s) g
		USING (item_id, similar_item_id)', transform, graph);
END $$;

-- the weights that a user is served with, decay on top
CREATE FUNCTION serving_differences(transform text, index text, half_life interval) RETURNS TABLE (enough boolean, differ bigint) LANGUAGE sql AS $$
	WITH latest AS (SELECT user_id, item_id, max(at) AS at FROM sold GROUP BY 1, 2),
		expected AS (SELECT user_id, item_id, transformed(quantity, transform) *
						CASE WHEN half_life IS NULL THEN 1 ELSE
							power(0.5::double precision, extract(epoch FROM max(at) OVER (PARTITION BY user_id) - at)::double precision /
								  extract(epoch FROM half_life)::double precision) END AS weight
					 FROM sums JOIN latest USING (user_id, item_id))
	SELECT count(*) > 1000, count(*) FILTER (WHERE e.weight IS NULL OR x.weight IS NULL OR abs(e.weight - x.weight) > 1e-12 * e.weight)
	FROM (SELECT * FROM expected WHERE item_id <> 1) e
		 FULL JOIN (SELECT user_id, because_item_id::int AS item_id, weight
					FROM (SELECT DISTINCT user_id FROM sold) u, explain_recommendation(user_id, 1, index, half_life)) x USING (user_id, item_id)
$$;

CREATE TABLE empty (LIKE sold);
CREATE TABLE findings (n serial, transform text, what text, enough boolean, differ bigint);
CREATE PROCEDURE check_transform(transform text) LANGUAGE plpgsql AS $$
DECLARE
	options text := format('WITH (min_support = 1, weight_transform = %s)', transform);
BEGIN
	EXECUTE 'CREATE INDEX sold_recsys ON sold USING recsys (user_id, item_id, quantity, at) ' || options;
	PERFORM recsys.check_index('sold_recsys');
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'build', d.* FROM differences(transform, 'item_similarity(''sold_recsys'')') d;
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'serving', d.* FROM serving_differences(transform, 'sold_recsys', NULL) d;
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'serving with decay', d.* FROM serving_differences(transform, 'sold_recsys', '30 days') d;
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'query', d.* FROM differences(transform, format(
		'query_item_similarity(''SELECT user_id, item_id, quantity FROM sold'', min_support => 1, options => ''weight_transform = %s'')', transform)) d;

	-- what has been set since the build waits for a REINDEX
	EXECUTE 'ALTER INDEX sold_recsys SET (weight_transform = ' || CASE transform WHEN 'log' THEN 'binary' ELSE 'log' END || ')';
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'serving as built', d.* FROM serving_differences(transform, 'sold_recsys', NULL) d;
	DROP INDEX sold_recsys;

	-- row by row into an empty index, returns before and after what they return; merged on the way, bounded and exactly
	TRUNCATE empty;
	EXECUTE 'CREATE INDEX empty_recsys ON empty USING recsys (user_id, item_id, quantity, at) ' || options;
	COMMIT;
	INSERT INTO empty SELECT * FROM sold WHERE id % 3 = 0 ORDER BY random();
	COMMIT;
	PERFORM recsys.merge('empty_recsys');
	COMMIT;
	INSERT INTO empty SELECT * FROM sold WHERE id % 3 = 1 ORDER BY random();
	COMMIT;
	PERFORM recsys.merge('empty_recsys', exact => true);
	EXECUTE 'ALTER INDEX empty_recsys SET (weight_transform = none)';
	COMMIT;
	INSERT INTO empty SELECT * FROM sold WHERE id % 3 = 2 ORDER BY random();
	COMMIT;
	PERFORM recsys.merge('empty_recsys', exact => true);
	COMMIT;
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'merge', d.* FROM differences(transform, 'item_similarity(''empty_recsys'')') d;
	PERFORM recsys.check_index('empty_recsys');

	-- users and popular items do not depend on it
	INSERT INTO findings SELECT nextval('findings_n_seq'), transform, 'popular', count(*) = 30, count(*) FILTER (WHERE p.users IS DISTINCT FROM e.users)
		FROM popular_items(1000, 'empty_recsys') p FULL JOIN (SELECT s.item_id, count(*) AS users FROM sums s GROUP BY 1) e USING (item_id);
	DROP INDEX empty_recsys;
END $$;
CALL check_transform('none');
CALL check_transform('log');
CALL check_transform('binary');
CALL check_transform('auto');
SELECT transform, what, enough, differ FROM findings ORDER BY n;

-- rows that go take their part of the sum with them
CREATE INDEX sold_recsys ON sold USING recsys (user_id, item_id, quantity, at) WITH (min_support = 1, weight_transform = log);
DELETE FROM sold WHERE id % 4 = 1;
VACUUM sold;
SELECT recsys.merge('sold_recsys', exact => true) IS NOT NULL AS merged;
SELECT * FROM differences('log', 'item_similarity(''sold_recsys'')');
SELECT * FROM serving_differences('log', 'sold_recsys', NULL);
SELECT recsys.check_index('sold_recsys');
DROP INDEX sold_recsys;

-- binary is as no weight at all, if returns are taken back; whatever the model learns from weights
CREATE FUNCTION same(options text, other_query text, other_options text) RETURNS TABLE (pairs boolean, differ bigint) LANGUAGE sql AS $$
	SELECT count(*) > 100, count(*) FILTER (WHERE a.support IS DISTINCT FROM b.support OR abs(a.score - b.score) > 1e-5)
	FROM query_item_similarity('SELECT user_id, item_id, quantity, at FROM sold', neighbors => 5, options => options) a
		 FULL JOIN query_item_similarity(other_query, neighbors => 5, options => other_options) b USING (item_id, similar_item_id)
$$;
SELECT m AS model, s.*
FROM unnest(ARRAY['similarity = cosine', 'similarity = jaccard', 'similarity = cosine, user_damping = 0.5', 'similarity = cosine, weighting = bm25',
				  'similarity = rp3beta', 'similarity = slim', 'similarity = itemknn', 'similarity = ease', 'similarity = als, rank = 4']) m,
	 same(m || ', weight_transform = binary', 'SELECT user_id, item_id FROM sums', m) s;
-- and log is as a query that sums up itself
SELECT m AS model, s.*
FROM unnest(ARRAY['similarity = cosine, weighting = tfidf', 'similarity = rp3beta, alpha = 0.8', 'similarity = slim', 'similarity = ease']) m,
	 same(m || ', weight_transform = log', 'SELECT user_id, item_id, ln(1 + quantity) FROM sums', m) s;
-- decay acts on what the transform gives
SELECT t AS weight_transform, s.*
FROM unnest(ARRAY['log', 'binary']) t,
	 same('similarity = cosine, training_half_life = 20 days, weight_transform = ' || t,
		  format('SELECT user_id, item_id, transformed(quantity, %L), at FROM sums JOIN (SELECT user_id, item_id, max(at) AS at FROM sold GROUP BY 1, 2) l
			USING (user_id, item_id) UNION ALL SELECT 0, 0, 1, max(at) FROM sold', t), 'similarity = cosine, training_half_life = 20 days') s;

-- measured: as a query that gives the same weights
CREATE FUNCTION quality(query text, model text) RETURNS SETOF text LANGUAGE sql SET client_min_messages = error AS
	$$ SELECT q::text FROM recsys.evaluate(query, model, holdout_share => 0.3, exclude_seen => false) q $$;
CREATE FUNCTION quality_differences(transform text) RETURNS TABLE (enough boolean, differ bigint) LANGUAGE sql AS $$
	SELECT count(*) > 10, count(*) FILTER (WHERE a IS NULL OR b IS NULL)
	FROM quality('SELECT user_id, item_id, quantity FROM sold', 'min_support = 1, weight_transform = ' || transform) a
		 FULL JOIN quality(format('SELECT user_id, item_id, transformed(quantity, %L) FROM sums', transform), 'min_support = 1') b ON a = b
$$;
SELECT t AS weight_transform, d.* FROM unnest(ARRAY['log', 'binary']) t, quality_differences(t) d;

-- an index, as users of it would have been served
CREATE TABLE kept AS SELECT * FROM sold WHERE (user_id + item_id) % 5 > 0;
CREATE TABLE kept_log AS SELECT user_id, item_id, ln(1 + greatest(sum(quantity), 0)) AS quantity FROM kept GROUP BY 1, 2;
CREATE INDEX kept_recsys ON kept USING recsys (user_id, item_id, quantity) WITH (min_support = 1, weight_transform = log);
CREATE INDEX kept_log_recsys ON kept_log USING recsys (user_id, item_id, quantity) WITH (min_support = 1);
CREATE FUNCTION served(index text) RETURNS SETOF text LANGUAGE sql SET client_min_messages = error AS
	$$ SELECT e::text FROM recsys.evaluate_recommender(index, 'SELECT user_id, item_id FROM sums WHERE (user_id + item_id) % 5 = 0', exclude_seen => false) e $$;
SELECT count(*) FROM (SELECT * FROM served('kept_recsys') EXCEPT SELECT * FROM served('kept_log_recsys')) d;
SELECT count(*) FROM (SELECT u, item_id, round(score::numeric, 4) FROM generate_series(1, 150) u, recommend(u, 5, 'kept_log_recsys')
	EXCEPT SELECT u, item_id, round(score::numeric, 4) FROM generate_series(1, 150) u, recommend(u, 5, 'kept_recsys')) d;

-- what it was built with, and what is set
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'kept_recsys';
ALTER INDEX kept_recsys SET (weight_transform = BINARY);
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'kept_recsys';
ALTER INDEX kept_recsys SET (weight_transform = sqrt);
SELECT query_item_similarity('SELECT user_id, item_id FROM sold', options => 'weight_transform = sqrt');

DROP TABLE sold, empty, findings, kept, kept_log CASCADE;
DROP FUNCTION transformed, reference, differences, serving_differences, same, quality, quality_differences, served;
DROP PROCEDURE check_transform;
RESET client_min_messages;
