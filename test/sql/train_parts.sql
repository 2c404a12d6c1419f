-- An item graph trained in parts, and histories as arrays.
SET client_min_messages = warning;
CREATE SCHEMA tp;
SET search_path = tp, public;
CREATE TABLE sales (user_id integer, product_id bigint, quantity real, sold_at timestamptz);
INSERT INTO sales
SELECT u, p, 1 + (u * p) % 4, timestamptz '2026-01-01' + ((u * 7 + p * 13) % 200) * interval '1 day'
FROM generate_series(1, 300) AS u, generate_series(1, 80) AS p
WHERE (u * 31 + p * 17) % 97 < 1500 / (p + 12) AND (u + p) % 3 <> 0;
INSERT INTO sales SELECT * FROM sales WHERE (user_id + product_id) % 11 = 0;
INSERT INTO sales VALUES (1, 3, NULL, NULL), (2, NULL, 1, '2026-01-01'), (NULL, 3, 1, '2026-01-01');

-- arrays say what rows say
CREATE TABLE shapes (number integer, rows text, arrays text);
INSERT INTO shapes VALUES
	(1, 'SELECT user_id, product_id FROM sales',
	 'SELECT user_id, array_agg(product_id) FROM sales GROUP BY user_id'),
	(2, 'SELECT user_id, product_id, quantity FROM sales',
	 'SELECT user_id, array_agg(product_id), array_agg(quantity) FROM sales GROUP BY user_id'),
	(3, 'SELECT user_id, product_id, quantity, sold_at FROM sales',
	 'SELECT user_id, array_agg(product_id), array_agg(quantity), array_agg(sold_at) FROM sales GROUP BY user_id'),
	(4, 'SELECT user_id, product_id, sold_at FROM sales',
	 'SELECT user_id, array_agg(product_id), array_agg(sold_at) FROM sales GROUP BY user_id, product_id % 5'),
	(5, 'SELECT user_id::text, ''p'' || product_id, 2 FROM sales',
	 'SELECT user_id::text, array_agg(''p'' || product_id), 2 FROM sales GROUP BY user_id'),
	(6, 'SELECT user_id, md5(product_id::text)::uuid FROM sales',
	 'SELECT user_id, array_agg(md5(product_id::text)::uuid) FROM sales GROUP BY user_id');
SELECT number, similarity, pairs, differ
FROM shapes, unnest(ARRAY['cosine', 'rp3beta', 'session', 'slim']) AS similarity,
	 LATERAL (SELECT count(*) AS pairs, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
			  FROM query_item_similarity(rows, NULL::text, similarity, neighbors => 15) AS a
			  FULL JOIN query_item_similarity(arrays, NULL::text, similarity, neighbors => 15) AS b ON a::text = b::text) AS c
WHERE number IN (3, 4) OR similarity <> 'session'
ORDER BY number, similarity;

-- so do other functions that read interactions from a query
SELECT count(*) AS rules, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM query_association_rules('SELECT user_id, product_id FROM sales', min_support => 0.3) AS a
FULL JOIN query_association_rules('SELECT user_id, array_agg(product_id) FROM sales GROUP BY user_id', min_support => 0.3) AS b
	ON a::text = b::text;
SELECT (a = b) AS equal FROM
	(SELECT array_agg(e::text ORDER BY e::text) FROM recsys.evaluate('SELECT user_id, product_id, quantity, sold_at FROM sales', 'similarity = cosine', k => '{5}') AS e) AS x(a),
	(SELECT array_agg(e::text ORDER BY e::text) FROM recsys.evaluate('SELECT user_id, array_agg(product_id), array_agg(quantity), array_agg(sold_at) FROM sales GROUP BY user_id', 'similarity = cosine', k => '{5}') AS e) AS y(b);

-- NULLs and nothing
SELECT * FROM query_item_similarity($$VALUES (1, ARRAY[1, 2, NULL]), (2, ARRAY[2, NULL, 1]), (3, NULL), (NULL, ARRAY[1, 2]), (4, '{}'), (5, ARRAY[1]), (6, ARRAY[[1, 2], [2, 3]])$$, 'cosine', min_support => 1);
SELECT * FROM query_item_similarity($$VALUES (1, ARRAY[1, 2], ARRAY[NULL, 2]), (2, ARRAY[1, 2], NULL)$$, 'cosine', min_support => 1);
SELECT count(*) FROM query_item_similarity('SELECT 1, NULL::bigint[]', 'cosine');
SELECT count(*) FROM query_item_similarity('SELECT 1, ARRAY[1, 2]::smallint[] WHERE false', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, ARRAY[1, 2], ARRAY[1]', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, ARRAY[1, 2] AS items, 1.5, ARRAY[now()] AS times', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, ARRAY[1.5, 2]', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, ARRAY[true]', 'cosine');
SELECT * FROM query_item_similarity('SELECT ARRAY[1], 1', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, 1, ARRAY[1]', 'cosine');
SELECT * FROM query_item_similarity('SELECT 1, ARRAY[1], ARRAY[''a'']', 'cosine');

-- the parts together are the whole, which is the graph of the pairs
CREATE FUNCTION parts_differ(query text, parts integer, similarity text, options text DEFAULT NULL, planned boolean DEFAULT true)
RETURNS TABLE (rows bigint, twice bigint, pairs bigint, differ bigint) LANGUAGE plpgsql AS $$
DECLARE
	the_plan bytea;
BEGIN
	IF planned THEN
		SELECT p.plan INTO the_plan FROM recsys.train_plan(query, parts) AS p;
	END IF;
	CREATE TEMP TABLE parted AS
	SELECT t.* FROM generate_series(0, parts - 1) AS part,
		   recsys.train_part(query, part, parts, NULL::text, similarity, neighbors => 15, min_support => 2, options => options, plan => the_plan) AS t;
	RETURN QUERY
	SELECT (SELECT count(*) FROM parted), (SELECT count(*) - count(DISTINCT item_id) FROM parted),
		   count(*), count(*) FILTER (WHERE a IS NULL OR b IS NULL)
	FROM query_item_similarity(query, NULL::text, similarity, neighbors => 15, min_support => 2, options => options) AS a
	FULL JOIN (SELECT (p.item_id, u.item, u.score, u.support::bigint, u.rank::integer)::text AS b
			   FROM parted AS p, unnest(similar_ids, scores, supports) WITH ORDINALITY AS u(item, score, support, rank)) AS b
		ON a::text = b;
	DROP TABLE parted;
END $$;
SELECT number, parts, similarity, d.*
FROM shapes, unnest(ARRAY[1, 2, 7]) AS parts, unnest(ARRAY['cosine', 'lift', 'rp3beta', 'popular']) AS similarity,
	 parts_differ(arrays, parts, similarity) AS d
WHERE number IN (1, 3, 5)
ORDER BY number, parts, similarity;
SELECT d.* FROM shapes, parts_differ(arrays, 3, 'session') AS d WHERE number = 3;
SELECT d.* FROM shapes, parts_differ(arrays, 3, 'cosine', 'weighting = tfidf, training_half_life = 60, user_damping = 0.5') AS d WHERE number = 3;
SELECT d.* FROM shapes, parts_differ(rows, 3, 'cosine', NULL, false) AS d WHERE number = 2;
SELECT d.* FROM shapes, parts_differ(arrays, 1, 'slim') AS d WHERE number = 2;

-- with so little memory that histories are on disk
SET maintenance_work_mem = '1MB';
CREATE TABLE more AS
SELECT u AS user_id, (u * p * p + p) % 4000 AS product_id FROM generate_series(1, 3000) AS u, generate_series(1, 30) AS p;
SELECT d.* FROM parts_differ('SELECT user_id, array_agg(product_id) FROM more GROUP BY user_id', 3, 'cosine') AS d;
RESET maintenance_work_mem;

-- all parts count as many pairs, and every item is in one of them
SELECT parts, cardinality(items) AS planned, (SELECT sum(x) FROM unnest(items) AS x) AS items,
	   (SELECT sum(x) FROM unnest(pair_updates) AS x) AS updates,
	   (SELECT max(x) < 1.1 * avg(x) FROM unnest(pair_updates) AS x) AS balanced
FROM unnest(ARRAY[1, 2, 3, 4, 8, 16]) AS parts,
	 recsys.train_plan('SELECT user_id, array_agg(product_id) FROM more GROUP BY user_id', parts);
SELECT sum(n * n) AS updates FROM (SELECT count(DISTINCT product_id) AS n FROM more GROUP BY user_id) AS h;

-- a plan holds for items that it does not know
SELECT count(*) AS rows, count(DISTINCT item_id) AS items
FROM recsys.train_plan('SELECT user_id, product_id FROM sales WHERE product_id < 20', 3) AS p, generate_series(0, 2) AS part,
	 recsys.train_part('SELECT user_id, product_id FROM sales', part, 3, plan => p.plan);
SELECT count(DISTINCT product_id) AS items FROM sales WHERE user_id IS NOT NULL;

-- a row as an index takes it
CREATE TABLE graph AS
SELECT t.* FROM generate_series(0, 1) AS part, recsys.train_part('SELECT user_id, product_id FROM sales', part, 2, 'cosine', 12, 2) AS t;
CREATE INDEX graph_index ON graph USING recsys_graph (item_id, users, similar_ids, scores, supports);
SELECT recsys.check_index('graph_index');
CREATE INDEX sales_recsys ON sales USING recsys (user_id, product_id) WITH (similarity = cosine, neighbors = 12, min_support = 2);
SELECT count(*) AS answers, count(*) FILTER (WHERE a IS NULL OR b IS NULL) AS differ
FROM (SELECT u, r AS a FROM generate_series(1, 300) AS u, recommend(u, 10, 'sales_recsys') AS r) AS x
FULL JOIN (SELECT u, r AS b FROM generate_series(1, 300) AS u, recsys.recommend_from(u, 10, 'sales_recsys', 'graph') AS r) AS y
	ON x.u = y.u AND x.a::text = y.b::text;

-- refused
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 2, 2);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', -1, 2);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 0);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 1001);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, NULL);
SELECT * FROM recsys.train_part(NULL, 0, 1);
SELECT * FROM recsys.train_part('sales_recsys', 0, 1);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2, 'auto');
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2, 'ease');
SELECT * FROM recsys.train_part('SELECT user_id, product_id::text FROM sales', 0, 2);
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2, plan => '\x00');
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2,
	plan => (SELECT plan FROM recsys.train_plan('SELECT user_id, product_id FROM sales', 3)));
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2,
	plan => (SELECT plan FROM recsys.train_plan('SELECT user_id, product_id::text FROM sales', 2)));
SELECT * FROM recsys.train_part('SELECT user_id, product_id FROM sales', 0, 2,
	plan => (SELECT substr(plan, 1, length(plan) - 1) FROM recsys.train_plan('SELECT user_id, product_id FROM sales', 2)));
DO $$
DECLARE
	good bytea := (SELECT plan FROM recsys.train_plan('SELECT user_id, product_id FROM sales', 2));
	refused integer := 0;
BEGIN
	FOR place IN 0 .. 299 LOOP
		BEGIN
			PERFORM recsys.train_part('SELECT 1, 1', 0, 2, plan => set_byte(good, place, 255));
		EXCEPTION WHEN invalid_parameter_value THEN
			refused := refused + 1;
		END;
	END LOOP;
	RAISE WARNING '% of 300 damaged plans are refused', refused;
END $$;
DROP SCHEMA tp CASCADE;
