/*
 * similarity = session: what comes after what, against plain SQL on random sessions with
 * times that are the same, times that are missing, weights and returns; through builds of
 * every kind; served, explained and measured.
 */
SET client_min_messages = warning;
CREATE SCHEMA session_model;
SET search_path = session_model, public;
CREATE FUNCTION chance(row_number integer, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(row_number::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;

-- by hand: a phone, then its case, then a charger or nothing; the case never comes first
CREATE TABLE clicks (session_id bigint, item_id bigint, weight real, at timestamptz);
INSERT INTO clicks (session_id, item_id, at) VALUES
	(1, 10, '2024-01-01 10:00+00'), (1, 11, '2024-01-01 10:01+00'), (1, 12, '2024-01-01 10:05+00'),
	(2, 10, '2024-01-01 10:00+00'), (2, 11, '2024-01-01 12:00+00'),
	(3, 12, '2024-01-01 10:00+00'), (3, 10, '2024-01-01 10:00+00'),	-- at the same time
	(4, 12, NULL), (4, 11, '2024-01-01 10:00+00'),					-- nobody knows when
	(5, 10, '2024-01-01 10:00+00'), (5, 11, '2024-01-01 10:30+00'), (5, 10, '2024-01-01 09:00+00');
CREATE INDEX clicks_recsys ON clicks USING recsys (session_id, item_id, at)
	WITH (similarity = session, gap_decay = 0.5, backward = 0.25, shrinkage = 0);
-- 10 -> 11: 3 / 4; 10 -> 12: (0.5 + 0.625) / 4; 11 -> 12: 1 / 4; 11 -> 10: 0.25 * 3 / 4; 12 -> 10: (0.125 + 0.625) / 3; 12 -> 11: 0.25 / 3
SELECT * FROM item_similarity('clicks_recsys') ORDER BY item_id, rank;
SELECT * FROM similar_items(10, 10, 'clicks_recsys');
-- what goes with it has one score in both directions
SELECT a.item_id, a.similar_item_id, a.score = b.score AS same
FROM query_item_similarity('SELECT session_id, item_id, at FROM clicks', 'cosine') a
JOIN query_item_similarity('SELECT session_id, item_id, at FROM clicks', 'cosine') b
  ON (a.item_id, a.similar_item_id) = (b.similar_item_id, b.item_id) WHERE a.item_id < a.similar_item_id ORDER BY 1, 2;
SELECT recsys.check_index('clicks_recsys');
SELECT * FROM recommend_for_items(ARRAY[10], 10, 'clicks_recsys');
SELECT * FROM explain_recommendation(2, 12, 'clicks_recsys');
-- nothing but what came after
SELECT item_id, similar_item_id, score FROM query_item_similarity('SELECT session_id, item_id, at FROM clicks',
	options => 'similarity = session, gap_decay = 0, backward = 0, shrinkage = 0') ORDER BY 1, 2;
SELECT pg_get_indexdef('clicks_recsys'::regclass);
SELECT model, built_options, set_options FROM recsys.index_stats WHERE index_name = 'clicks_recsys';
DROP INDEX clicks_recsys;

-- without times there is nothing to learn
CREATE INDEX ON clicks USING recsys (session_id, item_id) WITH (similarity = session);
CREATE INDEX clicks_recsys ON clicks USING recsys (session_id, item_id, weight);
ALTER INDEX clicks_recsys SET (similarity = session);
DROP INDEX clicks_recsys;
CREATE INDEX ON clicks USING recsys (session_id, item_id, at) WITH (similarity = session, gap_decay = 1.5);
CREATE INDEX ON clicks USING recsys (session_id, item_id, at) WITH (similarity = session, backward = -1);
SELECT query_item_similarity('SELECT session_id, item_id, weight FROM clicks', 'session');
SELECT recsys.evaluate('SELECT session_id, item_id FROM clicks', 'similarity = session');
SELECT count(*) FROM query_item_similarity('SELECT session_id, item_id, NULL::timestamptz FROM clicks', 'session');
SELECT count(*) FROM query_item_similarity('SELECT session_id, item_id, at FROM clicks WHERE false', 'session');

-- random sessions
TRUNCATE clicks;
INSERT INTO clicks
SELECT floor(200 * chance(g, 'session') ^ 1.5), floor(40 * chance(g, 'item') ^ 2),
	   CASE WHEN g % 23 = 0 THEN -1 WHEN g % 29 <> 0 THEN round((0.5 + 5 * chance(g, 'weight'))::numeric, 2) END,
	   CASE WHEN g % 19 <> 0 THEN '2024-01-01 00:00+00'::timestamptz + interval '1 hour' * floor(60 * chance(g, 'at')) END
FROM generate_series(1, 2500) g;

-- succession.c and similarity.c, as their comments have them
CREATE FUNCTION reference(weighted boolean, gap_decay double precision, backward double precision, shrinkage double precision,
						  alpha double precision, hours double precision, damping double precision)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score double precision, support bigint)
LANGUAGE sql AS $$
	WITH folded AS (
		SELECT c.session_id, c.item_id, max(c.at) AS at,
			   CASE WHEN weighted THEN sum(coalesce(c.weight, 1)::numeric)::double precision
					WHEN hours > 0 THEN count(*) ELSE 1 END AS w	-- what decays has weights, 1 for each row
		FROM clicks c GROUP BY 1, 2 HAVING NOT weighted OR sum(coalesce(c.weight, 1)::numeric) > 0),
	placed AS (
		SELECT session_id, item_id, w,
			   w * CASE WHEN hours > 0 AND at IS NOT NULL
						THEN 2 ^ (-extract(epoch FROM (SELECT max(at) FROM clicks) - at)::double precision / 3600 / hours) ELSE 1 END *
				   count(*) OVER (PARTITION BY session_id) ^ (-damping / 2) AS v,
			   CASE WHEN at IS NOT NULL THEN dense_rank() OVER (PARTITION BY session_id ORDER BY at NULLS LAST) END AS place
		FROM folded),
	items AS (SELECT item_id, count(*) AS n, sum(v * v) AS norm2 FROM placed GROUP BY 1),
	pairs AS (
		SELECT a.item_id AS i, b.item_id AS j, count(*) AS c,
			   sum(a.v * b.v * CASE
				WHEN a.place IS NULL OR b.place IS NULL THEN 0
				WHEN a.place = b.place THEN (1 + backward) / 2
				WHEN a.place < b.place THEN gap_decay ^ (b.place - a.place - 1)
				ELSE backward * gap_decay ^ (a.place - b.place - 1) END) AS dot
		FROM placed a JOIN placed b USING (session_id) WHERE a.item_id <> b.item_id GROUP BY 1, 2)
	SELECT i, j, dot / x.norm2 * y.n ^ -alpha * c / (c + shrinkage), c
	FROM pairs JOIN items x ON x.item_id = i JOIN items y ON y.item_id = j WHERE dot > 0
$$;
-- what differs by more than a ten thousandth; what is next to nothing may be rounded away
CREATE FUNCTION compare(weighted boolean, gap_decay double precision DEFAULT 0.7, backward double precision DEFAULT 0.5,
						shrinkage double precision DEFAULT 2, alpha double precision DEFAULT 0, hours double precision DEFAULT 0,
						damping double precision DEFAULT 0, OUT enough boolean, OUT differences bigint)
LANGUAGE sql AS $$
	SELECT count(*) > 1000,
		   count(*) FILTER (WHERE (abs(q.score - r.score) <= 1e-4 * r.score + 2e-6 AND q.support = r.support) IS NOT TRUE AND
							coalesce(r.score, q.score) > 1e-5)
	FROM reference(weighted, gap_decay, backward, shrinkage, alpha, hours, damping) r
	FULL JOIN query_item_similarity('SELECT session_id, item_id, ' || CASE WHEN weighted THEN 'weight, ' ELSE '' END || 'at FROM clicks',
									'session', 100, options => format('gap_decay=%s, backward=%s, shrinkage=%s, alpha=%s, user_damping=%s, training_half_life=%s',
																	  gap_decay, backward, shrinkage, alpha, damping, CASE WHEN hours > 0 THEN hours || ' hours' END)) q
	USING (item_id, similar_item_id)
$$;
SELECT w AS weighted, d AS gap_decay, b AS backward, enough, differences
FROM unnest(ARRAY[false, true]) w, unnest(ARRAY[0.3, 0.9, 1]) d, unnest(ARRAY[0.0, 0.5, 1]) b, compare(w, d, b);
SELECT w AS weighted, enough, differences FROM unnest(ARRAY[false, true]) w, compare(w);
SELECT w AS weighted, enough, differences FROM unnest(ARRAY[false, true]) w, compare(w, 0.8, 0.2, 5, 0.3, 20, 0.5);

-- max_history and the order of rows
SELECT count(*) AS differences FROM
	(SELECT * FROM query_item_similarity('SELECT session_id, item_id, at FROM clicks ORDER BY ctid', options => 'similarity = session, max_history = 5')
	 EXCEPT ALL SELECT * FROM query_item_similarity('SELECT session_id, item_id, at FROM clicks ORDER BY item_id DESC', options => 'similarity = session, max_history = 5')) d;
-- a date and a timestamp order as well
SELECT count(*) > 0 AS some FROM query_item_similarity('SELECT session_id, item_id, at::date FROM clicks', 'session');

/*
 * Builds in memory and as a stream give the rows of the query, bit for bit.
 */
CREATE TABLE many AS
SELECT g % 9000 AS session_id, floor(3000 * chance(g, 'many') ^ 2)::bigint AS item_id,
	   '2024-01-01'::timestamp + interval '1 minute' * floor(chance(g, 'minute') * 500) AS at FROM generate_series(1, 60000) g;
CREATE INDEX many_recsys ON many USING recsys (session_id, item_id, at) WITH (similarity = session, neighbors = 50);
SELECT count(*) AS differences FROM (SELECT * FROM item_similarity('many_recsys')
	EXCEPT ALL SELECT * FROM query_item_similarity('SELECT * FROM many', options => 'similarity = session, neighbors = 50')) d;
SELECT recsys.check_index('many_recsys');
CREATE TABLE built AS SELECT * FROM item_similarity('many_recsys');
SET maintenance_work_mem = '1MB';
REINDEX INDEX many_recsys;
RESET maintenance_work_mem;
SELECT count(*) AS differences FROM (SELECT * FROM item_similarity('many_recsys') EXCEPT ALL SELECT * FROM built) d;
SELECT recsys.check_index('many_recsys');

-- merges follow (merge_session.sql has more of that), slices of inserts as well
INSERT INTO many SELECT 20000 + g % 50, g % 7, '2024-01-02'::timestamp + interval '1 minute' * g FROM generate_series(1, 300) g;
INSERT INTO many VALUES (30000, 5000, '2024-01-02'), (30000, 3, '2024-01-02 00:01');
SELECT merged > 0 AS merged, inexact FROM recsys.merge('many_recsys', exact => true);
SELECT recsys.check_index('many_recsys');
SELECT count(*) AS differences FROM (SELECT * FROM item_similarity('many_recsys')
	EXCEPT ALL SELECT * FROM query_item_similarity('SELECT * FROM many', options => 'similarity = session, neighbors = 50')) d;
SELECT count(*) > 0 AS other_scores FROM item_similarity('many_recsys') i JOIN built b USING (item_id, similar_item_id) WHERE i.score <> b.score;
SELECT count(*) AS wrong_supports
FROM item_similarity('many_recsys') i
JOIN (SELECT a.item_id, b.item_id AS similar_item_id, count(*) AS support
	  FROM (SELECT DISTINCT session_id, item_id FROM many) a JOIN (SELECT DISTINCT session_id, item_id FROM many) b USING (session_id)
	  GROUP BY 1, 2) c USING (item_id, similar_item_id) WHERE i.support <> c.support;
SELECT item_id, support FROM similar_items(5000, 10, 'many_recsys');
-- options act after a REINDEX
ALTER INDEX many_recsys SET (gap_decay = 0.9);
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'many_recsys';
ALTER INDEX many_recsys RESET (gap_decay);

-- measured, compared, tuned: four successive numbers in each session, the last of them held out
CREATE TABLE chains AS
SELECT g AS session_id, (floor(200 * chance(g, 'start'))::bigint + n) % 200 AS item_id, '2024-01-01'::timestamp + interval '1 minute' * (5 * g + n) AS at
FROM generate_series(1, 600) g, generate_series(0, 3) n;
SELECT a.value AS session, b.value < 0.9 * a.value AS better
FROM recsys.evaluate('SELECT * FROM chains', 'similarity = session, backward = 0, gap_decay = 0.1', holdout_last => 1, metrics => '{hit_rate}', k => '{1}', resamples => 0) a,
	 recsys.evaluate('SELECT * FROM chains', 'similarity = cosine, min_support = 1', holdout_last => 1, metrics => '{hit_rate}', k => '{1}', resamples => 0) b;
SELECT difference < 0 AS better FROM recsys.compare('SELECT * FROM chains', 'similarity = session, backward = 0.1', 'similarity = cosine', holdout_last => 1, metrics => '{ndcg}', k => '{5}');
SELECT model, honest_value > 0 AS measured FROM recsys.tune('SELECT * FROM chains', models => '{similarity = session, "similarity = session, gap_decay = 0.1, backward = 0"}', resamples => 0) ORDER BY model;
DROP TABLE clicks, many, built, chains;
RESET search_path;
RESET client_min_messages;
DROP FUNCTION session_model.chance, session_model.reference, session_model.compare;
DROP SCHEMA session_model;
