-- lists of long histories, whose rows of the item graph are visited page by page: they are what SQL makes of them
SET client_min_messages = warning;
CREATE SCHEMA long_histories;
SET search_path = long_histories, public;
RESET client_min_messages;

-- 2,503 items, of which users have 100 to 1,900; some have a few of them twice
CREATE TABLE lines (user_id bigint, item_id bigint, weight real);
INSERT INTO lines SELECT u, 1 + i * (2 * u + 1) % 2503, 0.25 * (1 + (u + i) % 7)
FROM generate_series(1, 40) u, generate_series(1, 100 + 60 * (u % 31)) i;
INSERT INTO lines SELECT * FROM lines WHERE user_id % 5 = 0 AND item_id % 9 = 0;
INSERT INTO lines SELECT 1000 + u, 1 + (u * u + i * 13) % 2503, 1 FROM generate_series(1, 600) u, generate_series(1, 8) i;
CREATE INDEX plain ON lines USING recsys (user_id, item_id) WITH (similarity = cosine, neighbors = 50, min_support = 1);
CREATE INDEX weighted ON lines USING recsys (user_id, item_id, weight) WITH (similarity = cosine, neighbors = 50, min_support = 1);
SELECT recsys.check_index('plain'), recsys.check_index('weighted');
SELECT count(*) > 10 AS very_long FROM (SELECT FROM lines GROUP BY user_id HAVING count(DISTINCT item_id) > 1024) u;

-- scores are sums over the user's items, in double precision, that are rounded once
CREATE FUNCTION lists_that_differ(index text, weighs boolean, k integer) RETURNS bigint LANGUAGE sql AS $$
	WITH graph AS MATERIALIZED (SELECT * FROM item_similarity(index)),
	histories AS MATERIALIZED (
		SELECT user_id, item_id, CASE WHEN weighs THEN sum(weight::float8) ELSE count(*) END AS weight
		FROM lines WHERE user_id < 1000 GROUP BY 1, 2),
	sums AS (
		SELECT h.user_id, g.similar_item_id AS item_id, sum(h.weight * g.score::float8 ORDER BY h.item_id)::real AS score
		FROM histories h JOIN graph g USING (item_id)
		WHERE NOT EXISTS (SELECT FROM histories s WHERE s.user_id = h.user_id AND s.item_id = g.similar_item_id)
		GROUP BY 1, 2),
	ranked AS (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, item_id) AS rank FROM sums),
	listed AS (SELECT u.user_id, r.item_id, r.score, r.rank FROM generate_series(1, 40) u(user_id), recommend(u.user_id, k, index) r WHERE r.source = 'history')
	SELECT count(*) FROM (SELECT * FROM ranked WHERE rank <= k) w FULL JOIN listed r USING (user_id, rank)
	WHERE (w.item_id, w.score) IS DISTINCT FROM (r.item_id, r.score)
$$;

-- places of rows are not known yet, then they are
SELECT lists_that_differ('plain', false, 10), lists_that_differ('weighted', true, 10);
SELECT lists_that_differ('plain', false, 10), lists_that_differ('weighted', true, 10);
SELECT lists_that_differ('plain', false, 100), lists_that_differ('plain', false, 1), lists_that_differ('weighted', true, 300);

-- rows that have grown and moved, new ones, and an index with rows elsewhere under the same name
INSERT INTO lines SELECT 2000 + u, 1 + (u * i * 17) % 2600, 1 FROM generate_series(1, 300) u, generate_series(1, 20) i;
INSERT INTO lines SELECT u, 2600 + i, 0.5 FROM generate_series(1, 40) u, generate_series(1, 3 + u % 9) i;
SELECT count(*) FROM recsys.merge('plain', true);
SELECT count(*) FROM recsys.merge('weighted', true);
SELECT recsys.check_index('plain'), recsys.check_index('weighted');
SELECT lists_that_differ('plain', false, 20), lists_that_differ('weighted', true, 20);
REINDEX INDEX plain;
SELECT lists_that_differ('plain', false, 20), lists_that_differ('weighted', true, 20);
DROP INDEX plain;
CREATE INDEX plain ON lines USING recsys (user_id, item_id) WITH (similarity = cosine, neighbors = 20, min_support = 1);
SELECT lists_that_differ('plain', false, 20), lists_that_differ('weighted', true, 20);

-- everybody's list at once has the same sums
SELECT count(*) FROM recommend_all('plain', 10) a FULL JOIN
	(SELECT u.user_id, r.* FROM generate_series(1, 40) u(user_id), recommend(u.user_id, 10, 'plain') r) r
	USING (user_id, rank) WHERE user_id <= 40 AND (a.item_id, a.score) IS DISTINCT FROM (r.item_id, r.score);

SET client_min_messages = warning;
DROP SCHEMA long_histories CASCADE;
RESET client_min_messages;
