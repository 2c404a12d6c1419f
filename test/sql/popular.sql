-- similarity = popular: no item graph, everybody gets the bestsellers that he does not have
SET client_min_messages = warning;
CREATE SCHEMA popular;
SET search_path = popular, public;
RESET client_min_messages;

CREATE TABLE lines AS
SELECT u AS user_id, ((u * i * i) % 37)::bigint AS item_id, (CASE WHEN (u + i) % 11 = 0 THEN -1 ELSE 1 + u % 3 END)::real AS quantity,
	   '2024-01-01 00:00+00'::timestamptz + u * interval '1 hour' AS at
FROM generate_series(1, 300) u, generate_series(1, 8) i;

-- options that the model does not have are accepted
CREATE INDEX lines_popular ON lines USING recsys (user_id, item_id, quantity, at)
	WITH (similarity = popular, alpha = 0.5, rank = 16, weighting = bm25, min_support = 3);
CREATE INDEX lines_cosine ON lines USING recsys (user_id, item_id, quantity, at);
SELECT similarity, neighbors, items > 30 AS items FROM recsys.index_stats WHERE index_name = 'lines_popular';
SELECT pg_relation_size('lines_popular') <= pg_relation_size('lines_cosine') AS smaller;
SELECT recsys.check_index('lines_popular');

-- what everybody gets, by plain SQL
CREATE VIEW folded AS SELECT user_id, item_id, sum(quantity) > 0 AS counts FROM lines GROUP BY 1, 2;
CREATE VIEW bestsellers AS SELECT item_id, count(*) AS users FROM folded WHERE counts GROUP BY 1;
CREATE FUNCTION differences(users integer[], index text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(users) u(user_id),
		LATERAL (SELECT array_agg(r.item_id ORDER BY r.rank) AS list, bool_and(r.source = 'popular' AND r.score = 0) AS popular
				 FROM recommend(u.user_id, 10, index) r) served,
		LATERAL (SELECT array_agg(item_id ORDER BY users DESC, item_id) AS list
				 FROM (SELECT item_id, users FROM bestsellers b
					   WHERE NOT EXISTS (SELECT FROM folded f WHERE f.user_id = u.user_id AND f.item_id = b.item_id)
					   ORDER BY users DESC, item_id LIMIT 10) b) wanted
	WHERE served.list IS DISTINCT FROM wanted.list OR NOT served.popular
$$;
SELECT differences(ARRAY(SELECT generate_series(1, 301)), 'lines_popular');

-- nothing is similar, and nothing is a reason
SELECT * FROM similar_items(7, 3, 'lines_popular');
SELECT * FROM explain_recommendation(7, 36, 'lines_popular');
SELECT * FROM item_similarity('lines_popular');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM lines', similarity => 'popular');
SELECT array_agg(item_id ORDER BY rank) = (SELECT array_agg(item_id ORDER BY users DESC, item_id) FROM (SELECT * FROM bestsellers WHERE item_id <> 36 ORDER BY users DESC, item_id LIMIT 5) b) AS bestsellers
FROM recommend_for_items(ARRAY[36], 5, 'lines_popular');

-- it is counted: a merge makes it what a REINDEX would make it
INSERT INTO lines SELECT 1000 + n / 3, (n * n) % 50, 2, '2024-03-01 00:00+00' FROM generate_series(1, 500) n;
DELETE FROM lines WHERE user_id BETWEEN 5 AND 20;
UPDATE lines SET quantity = -quantity WHERE user_id % 17 = 3;
SELECT merged > 0 AS merged, inexact FROM recsys.merge('lines_popular');
SELECT differences(ARRAY(SELECT generate_series(1, 301)) || ARRAY(SELECT generate_series(1000, 1170)), 'lines_popular');
VACUUM lines;
SELECT inexact FROM recsys.merge('lines_popular', exact => true);
SELECT recsys.check_index('lines_popular');
SELECT neighbors, inexact_items FROM recsys.index_stats WHERE index_name = 'lines_popular';
SELECT differences(ARRAY(SELECT generate_series(1, 301)) || ARRAY(SELECT generate_series(1000, 1170)), 'lines_popular');
SELECT recsys.forget_user('lines_popular', 1001);
SELECT recsys.check_index('lines_popular');

-- without rows, of text keys, and as an unlogged one
CREATE TABLE empty (user_id text, item_id text);
CREATE INDEX empty_popular ON empty USING recsys (user_id, item_id) WITH (similarity = POPULAR);
INSERT INTO empty VALUES ('a', 'x'), ('b', 'x'), ('b', 'y'), ('c', 'z');
SELECT merged, inexact FROM recsys.merge('empty_popular');
SELECT * FROM recommend('a', 5, 'empty_popular', NULL::text);
SELECT recsys.check_index('empty_popular');
ALTER INDEX lines_popular SET (similarity = cosine);
REINDEX INDEX lines_popular;
SELECT neighbors > 0 AS neighbors FROM recsys.index_stats WHERE index_name = 'lines_popular';

SET client_min_messages = warning;
DROP SCHEMA popular CASCADE;
