-- rows of the item graph, with item numbers and supports of all widths: lists are what SQL makes of them
SET client_min_messages = warning;
CREATE SCHEMA graph_rows;
SET search_path = graph_rows, public;
RESET client_min_messages;

-- a catalogue of more than 65,536 items: some rows have numbers of two bytes, some of three
CREATE TABLE lines (user_id bigint, item_id bigint);
INSERT INTO lines SELECT g / 4, 1 + g / 2 FROM generate_series(0, 139999) g;
INSERT INTO lines SELECT u, 1 + (u * i * 7919) % 70000 FROM generate_series(0, 299) u, generate_series(1, 12) i;
INSERT INTO lines SELECT 100000 + u, 30 + i FROM generate_series(1, 400) u, generate_series(1, 3) i;
CREATE INDEX lines_recsys ON lines USING recsys (user_id, item_id) WITH (similarity = cosine, neighbors = 20);
SELECT recsys.check_index('lines_recsys');

-- scores are sums over the user's items, in double precision, that are rounded once
CREATE FUNCTION lists_that_differ(users bigint[]) RETURNS bigint LANGUAGE sql AS $$
	WITH graph AS MATERIALIZED (SELECT * FROM item_similarity('lines_recsys')),
	sums AS (
		SELECT l.user_id, g.similar_item_id AS item_id, sum(l.rows * g.score::float8 ORDER BY l.item_id)::real AS score
		FROM (SELECT user_id, item_id, count(*) AS rows FROM lines WHERE user_id = ANY (users) GROUP BY 1, 2) l JOIN graph g USING (item_id)
		WHERE NOT EXISTS (SELECT FROM lines s WHERE s.user_id = l.user_id AND s.item_id = g.similar_item_id)
		GROUP BY 1, 2),
	ranked AS (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, item_id) AS rank FROM sums),
	listed AS (SELECT u.user_id, r.item_id, r.score, r.rank FROM unnest(users) u(user_id), recommend(u.user_id, 10, 'lines_recsys') r WHERE r.source = 'history')
	SELECT count(*) FROM (SELECT * FROM ranked WHERE rank <= 10) w FULL JOIN listed r USING (user_id, rank)
	WHERE (w.item_id, w.score) IS DISTINCT FROM (r.item_id, r.score)
$$;
SELECT lists_that_differ(array(SELECT generate_series(0, 299)));
SELECT lists_that_differ(array(SELECT generate_series(16300, 16500)));
SELECT count(*) > 0 AS both_sides FROM item_similarity('lines_recsys') WHERE item_id < 60000 AND similar_item_id > 66000;

-- merges that make rows wider: supports of more than 255, new items behind all others
INSERT INTO lines SELECT u, 70001 + i FROM generate_series(0, 299) u, generate_series(1, 2) i;
INSERT INTO lines SELECT 200000 + u, 5 + i FROM generate_series(1, 300) u, generate_series(1, 2) i;
SELECT count(*) FROM recsys.merge('lines_recsys', true);
SELECT recsys.check_index('lines_recsys');
SELECT lists_that_differ(array(SELECT generate_series(0, 299)));
SELECT max(support) FROM item_similarity('lines_recsys') WHERE item_id = 6;
CREATE INDEX lines_fresh ON lines USING recsys (user_id, item_id) WITH (similarity = cosine, neighbors = 20);
SELECT count(*) FROM item_similarity('lines_recsys') a FULL JOIN item_similarity('lines_fresh') b
	USING (item_id, similar_item_id, score, support) WHERE a.item_id IS NULL OR b.item_id IS NULL;
DROP INDEX lines_fresh;

-- and narrower again
DELETE FROM lines WHERE user_id < 300 AND item_id > 40000;
VACUUM (INDEX_CLEANUP on) lines;
SELECT count(*) FROM recsys.merge('lines_recsys', true);
SELECT recsys.check_index('lines_recsys');
SELECT lists_that_differ(array(SELECT generate_series(0, 299)));

-- a session that knows where rows were before the index was built anew
REINDEX INDEX lines_recsys;
SELECT lists_that_differ(array(SELECT generate_series(0, 299)));

-- weights and times: rows with all totals, and lists by the same sums
CREATE TABLE rated (user_id bigint, item_id text, weight real, at timestamptz);
INSERT INTO rated SELECT u, 'item ' || (u * i) % 97, 1 + (u + i) % 4, timestamptz '2024-01-01 00:00Z' + (u % 50 + i) * interval '1 day'
FROM generate_series(1, 400) u, generate_series(1, 9) i;
CREATE INDEX rated_recsys ON rated USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine, neighbors = 30, min_support = 1);
SELECT recsys.check_index('rated_recsys');
UPDATE rated SET weight = weight + 0.25 WHERE user_id % 7 = 0;
VACUUM (INDEX_CLEANUP on) rated;
SELECT count(*) FROM recsys.merge('rated_recsys', true);
SELECT recsys.check_index('rated_recsys');
WITH graph AS MATERIALIZED (SELECT * FROM item_similarity('rated_recsys', NULL::text)),
folded AS (SELECT user_id, item_id, sum(weight)::float8 AS weight FROM rated GROUP BY 1, 2),
sums AS (
	SELECT f.user_id, g.similar_item_id AS item_id, sum(f.weight * g.score) AS score
	FROM folded f JOIN graph g USING (item_id)
	WHERE NOT EXISTS (SELECT FROM folded s WHERE s.user_id = f.user_id AND s.item_id = g.similar_item_id)
	GROUP BY 1, 2)
SELECT count(*), count(*) FILTER (WHERE abs(s.score - r.score) > 1e-6 * r.score OR s.score IS NULL) AS differ
FROM generate_series(1, 400) u CROSS JOIN recommend(u::bigint, 10, 'rated_recsys', NULL::text) r
LEFT JOIN sums s ON s.user_id = u AND s.item_id = r.item_id
WHERE r.source = 'history';

SET client_min_messages = warning;
DROP SCHEMA graph_rows CASCADE;
