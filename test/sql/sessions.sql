-- recommend_for_session: what comes next in a session, by those that are most like it
SET client_min_messages = warning;
CREATE SCHEMA sessions;
SET search_path = sessions, public;
RESET client_min_messages;

-- sessions walk from item to item, mostly to near ones; popular items have more clicks than are looked at
CREATE TABLE clicks (session_id bigint, item_id bigint, at timestamptz, arrival integer DEFAULT 0);
CREATE FUNCTION walk(first integer, sessions integer, items integer) RETURNS SETOF clicks LANGUAGE sql AS $$
	SELECT s, 1 + (((hashint4(s) & 1023) * (hashint4(s) & 1023) / (1048576 / items) + CASE WHEN hashint4(s * 31 + n) % 4 = 0 THEN 0 ELSE (n * n + hashint4(s + n) % 3) END) % items + items) % items,
		'2024-05-01 00:00+00'::timestamptz + s % 977 * interval '7 minutes' + n * interval '20 seconds', 0
	FROM generate_series(first, first + sessions - 1) s, generate_series(1, 2 + (hashint4(s * 7) & 7)) n
$$;
INSERT INTO clicks SELECT * FROM walk(1, 4000, 40);
INSERT INTO clicks SELECT 8000 + n, i, '2024-05-01'::timestamptz + n * interval '5 minutes' + i * interval '1 minute', 0 FROM generate_series(1, 1100) n, generate_series(1, 5) i WHERE (n + i) % 5 <> 0;
INSERT INTO clicks SELECT NULL, 1 + n % 40, '2024-05-06' FROM generate_series(1, 50) n;
INSERT INTO clicks SELECT 20000 + n, NULL, '2024-05-06' FROM generate_series(1, 50) n;
CREATE INDEX ON clicks (session_id);
CREATE INDEX ON clicks (item_id, arrival, at);
ANALYZE clicks;
CREATE INDEX clicks_recsys ON clicks USING recsys (session_id, item_id, at);
SELECT count(*), count(*) FILTER (WHERE clicks > 1000) > 3 AS many_beyond
FROM (SELECT count(*) AS clicks FROM clicks WHERE item_id IS NOT NULL GROUP BY item_id) c;

-- the method in SQL; arrival is in which order rows have been added to the index, those of a build by their times
CREATE TABLE counts (item_id bigint, sessions bigint);
CREATE FUNCTION count_sessions() RETURNS void LANGUAGE sql AS $$
	DELETE FROM counts;
	INSERT INTO counts SELECT item_id, count(DISTINCT session_id) FROM clicks WHERE item_id IS NOT NULL GROUP BY ROLLUP (item_id)
$$;
CREATE FUNCTION reference(given bigint[], exclude boolean DEFAULT true) RETURNS TABLE (item_id bigint, score real, rank bigint) LANGUAGE sql AS $$
	WITH known AS (
		SELECT g.item, row_number() OVER (ORDER BY g.n DESC) AS d FROM unnest(given) WITH ORDINALITY g(item, n)
		WHERE EXISTS (SELECT FROM clicks c WHERE c.item_id = g.item)
	), query AS (
		SELECT item, min(d) AS d, 1 / (min(d) * sqrt(min(d)::float8)) AS w FROM known GROUP BY item ORDER BY d LIMIT 8
	), recent AS (
		SELECT q.d, q.w, r.session_id, min(r.n) AS n
		FROM query q, LATERAL (SELECT session_id, row_number() OVER (ORDER BY arrival DESC, at DESC, ctid DESC) AS n FROM clicks c WHERE c.item_id = q.item ORDER BY n LIMIT 1000) r
		WHERE r.session_id IS NOT NULL GROUP BY q.d, q.w, r.session_id
	), neighbors AS (
		SELECT session_id FROM recent GROUP BY session_id ORDER BY sum(w ORDER BY d) DESC, min(d), (array_agg(n ORDER BY d))[1] LIMIT 200
	), visits AS (
		SELECT session_id, item_id, max(n) AS n
		FROM (SELECT c.*, row_number() OVER (PARTITION BY session_id ORDER BY at, ctid) AS n FROM (SELECT *, ctid FROM clicks) c JOIN neighbors USING (session_id) WHERE c.item_id IS NOT NULL) c
		GROUP BY session_id, item_id
	), common AS (
		SELECT v.session_id, sum(q.w ORDER BY q.d) AS score, (array_agg(v.n ORDER BY q.d))[1] AS anchor FROM visits v JOIN query q ON q.item = v.item_id GROUP BY v.session_id
	), votes AS (
		SELECT v.item_id, sum(c.score * CASE WHEN v.n = c.anchor THEN 2 ELSE 1 / sqrt(abs(v.n - c.anchor)::float8) END ORDER BY c.session_id) AS votes FROM visits v JOIN common c USING (session_id) GROUP BY v.item_id
	), scored AS (
		SELECT v.item_id, (votes * (1 + ln((SELECT count(DISTINCT session_id)::float8 FROM clicks WHERE item_id IS NOT NULL) / (SELECT count(DISTINCT session_id) FROM clicks c WHERE c.item_id = v.item_id))))::real AS score
		FROM votes v WHERE NOT exclude OR v.item_id <> ALL (array_remove(given, NULL))
	)
	SELECT item_id, score, row_number() OVER (ORDER BY score DESC, item_id) FROM scored
$$;
CREATE FUNCTION differences(index text, exclude boolean DEFAULT true) RETURNS TABLE (sessions bigint, lists bigint, wrong bigint) LANGUAGE sql AS $$
	SELECT count(*), count(list), count(*) FILTER (WHERE list IS DISTINCT FROM wanted)
	FROM (SELECT array_agg(item_id ORDER BY at, n) AS given FROM (SELECT *, row_number() OVER () AS n FROM walk(5000, 30, 44)) w GROUP BY session_id) q,
		LATERAL (SELECT array_agg((item_id, rank, round(score::numeric, 2)) ORDER BY rank) AS list FROM recommend_for_session(given, 7, index, exclude) WHERE source = 'history') served,
		LATERAL (SELECT array_agg((item_id, rank::integer, round(score::numeric, 2)) ORDER BY rank) AS wanted FROM reference(given, exclude) WHERE rank <= 7) r
$$;
SELECT d.* FROM count_sessions(), differences('clicks_recsys') d;
SELECT d.* FROM count_sessions(), differences('clicks_recsys', false) d;

-- without times the order of the table counts
CREATE TABLE untimed AS SELECT session_id, item_id FROM clicks ORDER BY at, session_id;
CREATE INDEX untimed_recsys ON untimed USING recsys (session_id, item_id);
CREATE TABLE as_read AS SELECT * FROM clicks;
TRUNCATE clicks;
INSERT INTO clicks SELECT session_id, item_id, '2024-05-01'::timestamptz + n * interval '1 second', 0 FROM (SELECT *, row_number() OVER () AS n FROM untimed) u;
SELECT d.* FROM count_sessions(), differences('untimed_recsys') d;

-- a build that sorts on disk writes the lists in the same order
SET maintenance_work_mem = '1MB';
REINDEX INDEX untimed_recsys;
RESET maintenance_work_mem;
SELECT d.* FROM count_sessions(), differences('untimed_recsys') d;
DROP TABLE untimed;
TRUNCATE clicks;
INSERT INTO clicks SELECT * FROM as_read ORDER BY hashint8(session_id), at;
DROP TABLE as_read;
SET maintenance_work_mem = '1MB';
REINDEX INDEX clicks_recsys;
RESET maintenance_work_mem;
SELECT d.* FROM count_sessions(), differences('clicks_recsys') d;

-- the arguments
SELECT * FROM recommend_for_session(ARRAY[7, 12], 3, 'clicks_recsys');
SELECT * FROM recommend_for_session(items => ARRAY[7, 12], k => 3, recommender => 'clicks_recsys', exclude_given => false);
SELECT a.item_ids = b.item_ids AS unknown_and_null_passed_over, a.item_ids = c.item_ids AS order_counts
FROM (SELECT array_agg(item_id ORDER BY rank) AS item_ids FROM recommend_for_session(ARRAY[7, 12], 10, 'clicks_recsys')) a,
	(SELECT array_agg(item_id ORDER BY rank) AS item_ids FROM recommend_for_session(ARRAY[99, 7, NULL, 12, 98], 10, 'clicks_recsys')) b,
	(SELECT array_agg(item_id ORDER BY rank) AS item_ids FROM recommend_for_session(ARRAY[12, 7], 10, 'clicks_recsys')) c;
SELECT array_agg(item_id ORDER BY rank) = (SELECT array_agg(item_id ORDER BY rank) FROM popular_items(4, 'clicks_recsys')) AS popular, array_agg(DISTINCT source) AS sources, max(score)
FROM recommend_for_session('{}'::bigint[], 4, 'clicks_recsys');
SELECT array_agg(DISTINCT source) AS sources FROM recommend_for_session(NULL::bigint[], 4, 'clicks_recsys');
SELECT array_agg(DISTINCT source) AS sources FROM recommend_for_session(ARRAY[99, NULL]::bigint[], 4, 'clicks_recsys');
SELECT count(*), count(DISTINCT item_id), min(rank), max(rank) FROM recommend_for_session(ARRAY[40], NULL, 'clicks_recsys');
SELECT count(*) FROM recommend_for_session(ARRAY[7, 12], 0, 'clicks_recsys');
SELECT count(*) FROM recommend_for_session(ARRAY[7, 12], 4000000000, 'clicks_recsys', NULL);
SELECT * FROM recommend_for_session(ARRAY[7, 12], -1, 'clicks_recsys');
SELECT * FROM recommend_for_session(ARRAY['7', 'x'], 3, 'clicks_recsys');
SELECT * FROM recommend_for_session(ARRAY[7, 12], 3, 'nowhere');

-- of long sessions the last items count
SELECT a.item_ids = b.item_ids AS same
FROM (SELECT array_agg(item_id ORDER BY rank) AS item_ids FROM recommend_for_session(ARRAY(SELECT generate_series(31, 40)::bigint) || ARRAY[1, 2, 3, 4, 5, 6, 7, 8]::bigint[], 5, 'clicks_recsys', false)) a,
	(SELECT array_agg(item_id ORDER BY rank) AS item_ids FROM recommend_for_session(ARRAY[1, 2, 3, 4, 5, 6, 7, 8], 5, 'clicks_recsys', false)) b;
SELECT count(*) FROM recommend_for_session(ARRAY(SELECT n % 50 FROM generate_series(1, 20000) n)::bigint[], 5, 'clicks_recsys');

-- fresh: what has just been committed counts before any merge, and of one's own transaction even before
SELECT count(*) FROM recommend_for_session(ARRAY[41], 5, 'clicks_recsys') WHERE source = 'history';
INSERT INTO clicks VALUES (30001, 41, '2024-05-07 10:00', 1), (30001, 42, '2024-05-07 10:01', 2);
SELECT item_id, source, rank FROM recommend_for_session(ARRAY[41], 2, 'clicks_recsys');
BEGIN;
INSERT INTO clicks VALUES (30002, 41, '2024-05-07 10:02', 3), (30002, 43, '2024-05-07 10:03', 4), (30002, 42, '2024-05-07 10:04', 5);
SELECT item_id, source, rank FROM recommend_for_session(ARRAY[41], 2, 'clicks_recsys');
SAVEPOINT s;
DELETE FROM clicks WHERE session_id = 30002 AND item_id = 41;
SELECT item_id, source, rank FROM recommend_for_session(ARRAY[41], 2, 'clicks_recsys');
ROLLBACK TO s;
ROLLBACK;
SELECT item_id, source, rank FROM recommend_for_session(ARRAY[41], 2, 'clicks_recsys');
DELETE FROM clicks WHERE session_id = 30001 AND item_id = 42;
SELECT item_id, source, rank FROM recommend_for_session(ARRAY[41], 1, 'clicks_recsys', false);
SELECT count(*) FROM recommend_for_session(ARRAY[41], 5, 'clicks_recsys') WHERE source = 'history';
-- inserts in the order in which they come, merged and not
INSERT INTO clicks SELECT session_id, item_id, at, 100 + row_number() OVER (ORDER BY at, session_id)
FROM (SELECT 10000 + session_id AS session_id, item_id, '2024-05-08'::timestamptz + (at - '2024-05-01'::timestamptz) AS at FROM walk(7001, 400, 44) ORDER BY at, session_id) w;
SELECT recsys.merge('clicks_recsys', exact => true) IS NOT NULL AS merged;
SELECT d.* FROM count_sessions(), differences('clicks_recsys') d;
DELETE FROM clicks WHERE session_id % 7 = 2;
VACUUM clicks;
SELECT recsys.merge('clicks_recsys', exact => true) IS NOT NULL AS merged;
SELECT d.* FROM count_sessions(), differences('clicks_recsys') d;
-- who is forgotten does not vote
SELECT count(*) FROM recommend_for_session(ARRAY[41], 50, 'clicks_recsys', false) WHERE item_id = 41 AND source = 'history';
INSERT INTO clicks VALUES (30003, 45, '2024-05-17 10:00', 9001), (30003, 46, '2024-05-17 10:01', 9002);
SELECT item_id, source FROM recommend_for_session(ARRAY[45], 1, 'clicks_recsys');
SELECT recsys.forget_user('clicks_recsys', 30003) IS NOT NULL AS forgotten;
SELECT count(*) FROM recommend_for_session(ARRAY[45], 1, 'clicks_recsys') WHERE source = 'history';

-- keys of other types, and arguments without types
CREATE TABLE text_clicks AS SELECT 's' || session_id AS session_id, 'i' || item_id AS item_id, at FROM clicks WHERE session_id < 200;
CREATE TABLE uuid_clicks AS SELECT md5(session_id::text)::uuid AS session_id, md5(item_id::text)::uuid AS item_id, at FROM clicks WHERE session_id < 200;
CREATE INDEX text_recsys ON text_clicks USING recsys (session_id, item_id, at);
CREATE INDEX uuid_recsys ON uuid_clicks USING recsys (session_id, item_id, at);
SELECT pg_typeof(item_id), count(*), count(*) FILTER (WHERE source = 'history') > 0 AS history FROM recommend_for_session(ARRAY['i7', 'i12'], 5, 'text_recsys') GROUP BY 1;
SELECT pg_typeof(item_id), count(*), count(*) FILTER (WHERE source = 'history') > 0 AS history FROM recommend_for_session(ARRAY[md5('7'), md5('12')]::uuid[], 5, 'uuid_recsys') GROUP BY 1;
SELECT pg_typeof(item_id), count(*), count(*) FILTER (WHERE source = 'history') > 0 AS history FROM recommend_for_session('{7,12}', '5', 'clicks_recsys', 'true') GROUP BY 1;
SELECT a.item_id::text = b.item_id AS same FROM recommend_for_session(ARRAY[7, 12], 1, 'clicks_recsys') a, recommend_for_session('{7,12}', 1, 'clicks_recsys') b;
SELECT * FROM recommend_for_session(ARRAY[7, 12], 5, 'text_recsys');
SELECT * FROM recommend_for_session('7', 5, 'clicks_recsys');
CREATE TABLE products (item_id bigint PRIMARY KEY, title text, category text, stock integer);
CREATE INDEX products_items ON products USING recsys_items (item_id, title);
SELECT * FROM recommend_for_session(ARRAY[7, 12], 5, 'products_items');

-- how good it is: every item but the first of a session, from those before it; against the lists themselves
CREATE TABLE visits AS SELECT session_id, item_id, at FROM walk(6000, 40, 44);
INSERT INTO visits VALUES (7000, 5, '2024-06-01'), (7001, 5, '2024-06-01'), (7001, 999, '2024-06-02'), (NULL, 5, '2024-06-01'), (7002, NULL, '2024-06-01');
CREATE FUNCTION positions(call text, repeats boolean) RETURNS TABLE (metric text, value text, positions bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH steps AS (
			SELECT item_id AS target, given[1 : n - 1] AS given
			FROM (SELECT item_id, row_number() OVER w AS n, array_agg(item_id) OVER w AS given FROM visits WHERE session_id IS NOT NULL AND item_id < 50
				WINDOW w AS (PARTITION BY session_id ORDER BY at, ctid ROWS UNBOUNDED PRECEDING)) v WHERE n > 1
		), ranked AS (
			SELECT (SELECT rank FROM %s r WHERE item_id = target AND source = 'history') AS rank FROM steps WHERE %L::boolean OR target <> ALL (given)
		)
		SELECT m.name, to_char(avg(coalesce(m.value, 0)), '0.999999'), count(*) FROM ranked,
			LATERAL (VALUES ('hit_rate', 1 - (rank IS NULL)::int), ('mrr', 1 / rank::float8), ('ndcg', ln(2) / ln(1 + rank))) m(name, value) GROUP BY m.name$q$, call, repeats);
END $$;
SELECT e.method, e.repeats, bool_and(to_char(f.value, '0.999999') = p.value AND f.positions = p.positions AND f.k = 5) AS same, count(*), max(f.positions)
FROM (VALUES ('session', true, 'recommend_for_session(given, 5, ''clicks_recsys'', false)'), ('session', false, 'recommend_for_session(given, 5, ''clicks_recsys'')'),
		('items', true, 'recommend_for_items(given, 5, ''clicks_recsys'', false)'), ('items', false, 'recommend_for_items(given, 5, ''clicks_recsys'')'),
		('last_item', true, 'recommend_for_items(given[cardinality(given) :], 5, ''clicks_recsys'', false)')) e(method, repeats, call),
	LATERAL positions(e.call, e.repeats) p
	JOIN LATERAL recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id, at FROM visits', '{5}', e.method, e.repeats) f USING (metric)
GROUP BY 1, 2 ORDER BY 1 DESC, 2 DESC;
SELECT metric, k FROM recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id, at FROM visits', '{20,5,5}');
SELECT * FROM recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id, at FROM visits', method => 'magic');
SELECT * FROM recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id, at FROM visits WHERE session_id > 7000');
SELECT * FROM recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id::text, at FROM visits');
SELECT * FROM recsys.evaluate_sessions('clicks_recsys', 'SELECT session_id, item_id, at FROM visits', '{0}');
SELECT * FROM recsys.evaluate_sessions('clicks_recsys', NULL);

-- every model has it, those of factors, too
ALTER INDEX text_recsys SET (similarity = als, rank = 4);
REINDEX INDEX text_recsys;
SELECT count(*) FILTER (WHERE source = 'history') > 0 AS history FROM recommend_for_session(ARRAY['i7', 'i12'], 5, 'text_recsys');
-- of a model that says what comes after, the graph is added
CREATE TABLE pairs AS SELECT 'a' || n AS session_id, CASE i WHEN 1 THEN 'first' WHEN 2 THEN CASE WHEN n <= 1200 THEN 'new' WHEN n % 3 = 0 THEN 'often' ELSE 'old' END END AS item_id, n * 10 + i AS seconds
FROM generate_series(1, 3000) n, generate_series(1, 2) i;
CREATE INDEX pairs_recsys ON pairs USING recsys (session_id, item_id, (1), (to_timestamp(seconds))) WITH (similarity = cosine);
SELECT item_id, source FROM recommend_for_session(ARRAY['first'], 5, 'pairs_recsys');
DROP INDEX pairs_recsys;
CREATE INDEX pairs_recsys ON pairs USING recsys (session_id, item_id, (1), (to_timestamp(seconds))) WITH (similarity = session);
SELECT item_id, source FROM recommend_for_session(ARRAY['first'], 5, 'pairs_recsys');
ALTER INDEX text_recsys SET (similarity = popular);
REINDEX INDEX text_recsys;
SELECT count(*) FILTER (WHERE source = 'history') > 0 AS history FROM recommend_for_session(ARRAY['i7', 'i12'], 5, 'text_recsys');

-- a declared recommender: by its first signal, its rules applied, popular items behind
INSERT INTO products SELECT i, 'Product ' || i, 'c' || i % 3, CASE WHEN i % 5 = 0 THEN 0 ELSE 9 END FROM generate_series(1, 50) i;
DROP INDEX products_items;
SELECT recsys.create_recommender('session_shop', signals => '[{"events": "clicks_recsys"}]', items => 'products', item_key => 'item_id',
	item_filter => 'stock > 0', category => 'category', caps => '{"category": 2}');
SELECT count(*), bool_and(item_id % 5 <> 0) AS filtered, max(n) AS of_a_category, bool_or(item_id IN (7, 12)) AS given
FROM (SELECT item_id, count(*) OVER (PARTITION BY item_id % 3) AS n FROM recommend_for_session(ARRAY[7, 12], 6, 'session_shop')) r;
SELECT array_agg(r.item_id ORDER BY r.rank) = (SELECT array_agg(item_id ORDER BY rank) FROM (
		SELECT item_id, rank, row_number() OVER (PARTITION BY item_id % 3 ORDER BY rank) AS n FROM recommend_for_session(ARRAY[7, 12], 50, 'clicks_recsys') WHERE item_id % 5 <> 0) i WHERE n <= 2) AS as_by_the_index
FROM recommend_for_session(ARRAY[7, 12], 6, 'session_shop') r;
SELECT bool_or(item_id IN (7, 12)) AS given FROM recommend_for_session(ARRAY[7, 12], 4, 'session_shop', false);
SELECT count(*) FROM recommend_for_session(ARRAY[7, 12], 0, 'session_shop');
SELECT count(*), bool_and(source <> 'history') AS popular FROM recommend_for_session('{}', 4, 'session_shop');
SELECT recsys.alter_recommender('session_shop', reset => '{caps}');
SELECT count(*), count(DISTINCT item_id), count(*) FILTER (WHERE source = 'history') BETWEEN 1 AND count(*) - 1 AS filled FROM recommend_for_session(ARRAY[41], 40, 'session_shop');
CREATE TABLE promoted (item_id bigint, boost real);
INSERT INTO promoted VALUES (26, 1000);
SELECT recsys.alter_recommender('session_shop', promotions => '{"table": "promoted", "item": "item_id", "boost": "boost"}');
SELECT item_id, source FROM recommend_for_session(ARRAY[7, 12], 1, 'session_shop');
CREATE SCHEMA session_functions;
SELECT count(*) FROM recsys.create_functions('session_shop', 'session_functions') f WHERE f::text LIKE '%recommend_for_session%';
SELECT count(*) FROM session_functions.recommend_for_session('{7,12}', 3);
DROP SCHEMA session_functions CASCADE;

-- rights: the table's
CREATE ROLE session_reader;
GRANT USAGE ON SCHEMA sessions TO session_reader;
SET ROLE session_reader;
SELECT * FROM recommend_for_session(ARRAY[7], 1, 'clicks_recsys');
SELECT * FROM recommend_for_session(ARRAY[7], 1, 'session_shop');
RESET ROLE;
GRANT SELECT (session_id, item_id, at) ON clicks TO session_reader;
SET ROLE session_reader;
SELECT count(*) FROM recommend_for_session(ARRAY[7], 1, 'clicks_recsys');
RESET ROLE;
ALTER TABLE clicks ENABLE ROW LEVEL SECURITY;
SET ROLE session_reader;
SELECT * FROM recommend_for_session(ARRAY[7], 1, 'clicks_recsys');
RESET ROLE;
ALTER TABLE clicks DISABLE ROW LEVEL SECURITY;

-- read only
BEGIN READ ONLY;
SELECT count(*) FROM recommend_for_session(ARRAY[7, 12], 3, 'clicks_recsys');
COMMIT;

SELECT recsys.drop_recommender('session_shop');
SET client_min_messages = warning;
DROP SCHEMA sessions CASCADE;
DROP ROLE session_reader;
