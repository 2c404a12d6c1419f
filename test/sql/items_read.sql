-- An index over items is read: neighbors as the snapshot sees them, merged or not.
CREATE TABLE goods (id bigint PRIMARY KEY, category text, price numeric, shape real[], note text);
CREATE FUNCTION good(id bigint) RETURNS goods LANGUAGE sql AS $$
	SELECT id, chr(97 + (id * 7 % 5)::int), round(exp(2 + (id * 37 % 101) / 25.0)::numeric, 2),
		ARRAY(SELECT (sin(id * (i + 1) * 0.7) + 1.2)::real FROM generate_series(1, 6) i), NULL
$$;
INSERT INTO goods SELECT (good(n)).* FROM generate_series(1, 119, 2) n;
CREATE INDEX goods_items ON goods USING recsys_items (id, category text_label_ops (weight = 0.5), price, shape) WITH (neighbors = 20);

-- the reference: likeness as its definition says, of what the statement sees
CREATE VIEW pairs AS
SELECT a.id AS a, b.id AS b,
	(0.5 * (a.category = b.category)::int + exp(-power(ln(a.price) - ln(b.price), 2) / (2 * 0.5 * 0.5)) +
		greatest(0, (SELECT sum(x::float8 * y) / sqrt(sum(x::float8 * x) * sum(y::float8 * y)) FROM unnest(a.shape, b.shape) v(x, y)))) / 2.5 AS score
FROM goods a JOIN goods b ON a.id <> b.id;

-- what is wrong with the answers for all items, by that reference
CREATE FUNCTION wrong(k bigint) RETURNS TABLE (item bigint, what text) LANGUAGE sql STABLE AS $$
	WITH said AS MATERIALIZED (SELECT g.id AS a, s.* FROM goods g, similar_items(g.id, wrong.k, 'goods_items') s),
		 truth AS MATERIALIZED (SELECT * FROM pairs)
	SELECT s.a, 'score of ' || item_id || ': ' || s.score || ' for ' || coalesce(t.score::text, 'nothing')
	FROM said s LEFT JOIN truth t ON t.a = s.a AND t.b = s.item_id
	WHERE t.score IS NULL OR abs(s.score - t.score) > 0.0005 OR s.support IS NOT NULL
	UNION ALL
	SELECT a, 'number: ' || count(b) FROM (SELECT id AS a FROM goods) g LEFT JOIN (SELECT a, item_id AS b FROM said) s USING (a)
	GROUP BY a HAVING count(b) <> least(wrong.k, 20, (SELECT count(*) FROM truth t WHERE t.a = g.a AND t.score > 0))
	UNION ALL
	SELECT t.a, 'misses ' || t.b FROM truth t JOIN (SELECT a, min(score) AS least FROM said GROUP BY a) l USING (a)
	WHERE t.score > l.least + 0.0005 AND NOT EXISTS (SELECT FROM said s WHERE s.a = t.a AND s.item_id = t.b)
	UNION ALL
	SELECT a, 'order' FROM (SELECT a, rank, score, lag(score) OVER w AS before, lag(rank) OVER w AS place FROM said WINDOW w AS (PARTITION BY a ORDER BY rank)) o
	WHERE rank <> coalesce(place, 0) + 1 OR score > before
$$;
SELECT * FROM wrong(10);
SELECT * FROM wrong(1);
SELECT count(*) FROM wrong(1000);
SELECT count(*) FROM similar_items(1, 0, 'goods_items');
SELECT count(*) FROM similar_items(1, NULL, 'goods_items');
SELECT similar_items(1, -1, 'goods_items');
SELECT count(*) FROM similar_items(12345, 10, 'goods_items');
SELECT count(*) FROM similar_items(NULL::bigint, 10, 'goods_items');

-- rows that no merge has taken yet: new ones, changed ones and those that are gone
INSERT INTO goods SELECT (good(n)).* FROM generate_series(121, 140, 2) n;
SELECT * FROM wrong(10);
UPDATE goods SET category = 'b', price = price * 3 WHERE id % 11 = 0;
UPDATE goods SET note = 'not indexed' WHERE id % 3 = 0;
SELECT * FROM wrong(10);
DELETE FROM goods WHERE id % 13 = 0;
SELECT * FROM wrong(10);
DELETE FROM goods WHERE id BETWEEN 20 AND 60;
SELECT * FROM wrong(20);
INSERT INTO goods SELECT (good(n + 3)).* FROM generate_series(20, 40) n WHERE n NOT IN (SELECT id FROM goods) AND n + 3 NOT IN (SELECT id FROM goods);
SELECT * FROM wrong(10);
SELECT pending > 0 AS pending, index_kind, similarity, users, interactions, contents > 0 AS contents, model FROM recsys.index_stats WHERE index_name = 'goods_items';

-- within a transaction: what it has done is seen by itself, and not what it has undone
BEGIN;
INSERT INTO goods SELECT (good(n)).* FROM generate_series(201, 210) n;
SELECT * FROM wrong(10);
SAVEPOINT s;
UPDATE goods SET price = price * 10 WHERE id % 4 = 1;
DELETE FROM goods WHERE id % 5 = 0;
SELECT * FROM wrong(10);
ROLLBACK TO s;
SELECT * FROM wrong(10);
SAVEPOINT t;
DELETE FROM goods WHERE id % 5 = 0;
RELEASE t;
SELECT * FROM wrong(10);
-- a cursor sees what was there when it was declared
DECLARE before CURSOR FOR SELECT count(*), count(*) FILTER (WHERE item_id = 300) AS later FROM similar_items(101, 3, 'goods_items');
INSERT INTO goods SELECT 300, category, price, shape, NULL FROM goods WHERE id = 101;
FETCH ALL FROM before;
SELECT count(*), count(*) FILTER (WHERE item_id = 300) AS later FROM similar_items(101, 3, 'goods_items');
ROLLBACK;
SELECT * FROM wrong(10);

-- merges and VACUUM change nothing
SELECT merged > 0 AS merged FROM recsys.merge('goods_items');
SELECT recsys.check_index('goods_items');
SELECT * FROM wrong(10);
VACUUM goods;
SELECT * FROM wrong(20);
SELECT inexact FROM recsys.merge('goods_items', true);
SELECT recsys.check_index('goods_items');
SELECT * FROM wrong(20);
SELECT pending FROM recsys.index_stats WHERE index_name = 'goods_items';

-- all pairs are the neighbors of each
SELECT count(*) AS differ FROM (
	(SELECT item_id, similar_item_id, score, support, rank FROM item_similarity('goods_items')
	EXCEPT ALL SELECT g.id, s.* FROM goods g, similar_items(g.id, 20, 'goods_items') s)
	UNION ALL
	(SELECT g.id, s.* FROM goods g, similar_items(g.id, 20, 'goods_items') s
	EXCEPT ALL SELECT item_id, similar_item_id, score, support, rank FROM item_similarity('goods_items'))) d;
INSERT INTO goods SELECT (good(n)).* FROM generate_series(401, 410) n;
SELECT count(*) AS differ FROM (
	(SELECT item_id, similar_item_id, score, support, rank FROM item_similarity('goods_items')
	EXCEPT ALL SELECT g.id, s.* FROM goods g, similar_items(g.id, 20, 'goods_items') s)
	UNION ALL
	(SELECT g.id, s.* FROM goods g, similar_items(g.id, 20, 'goods_items') s
	EXCEPT ALL SELECT item_id, similar_item_id, score, support, rank FROM item_similarity('goods_items'))) d;

-- for several items: the sum over their neighbors, without them
CREATE VIEW sums AS
SELECT s.item_id, sum(s.score)::real AS score FROM unnest(ARRAY[1, 3, 401]) g, similar_items(g, 20, 'goods_items') s GROUP BY 1;
SELECT bool_and(r.score = s.score) AS right_scores, array_agg(r.rank ORDER BY r.score DESC) AS ranks, array_agg(DISTINCT source) AS source
FROM recommend_for_items(ARRAY[1, 3, 401, 3], 5, 'goods_items') r JOIN sums s USING (item_id);
SELECT count(*) = (SELECT count(*) FROM sums WHERE item_id NOT IN (1, 3, 401)) AS all_of_them FROM recommend_for_items(ARRAY[1, 3, 401], NULL, 'goods_items');
SELECT count(*) = (SELECT count(*) FROM sums) AS all_of_them FROM recommend_for_items(ARRAY[1, 3, 401], NULL, 'goods_items', exclude_given => false);
SELECT count(*) FROM recommend_for_items('{}'::bigint[], 5, 'goods_items');
SELECT count(*) FROM recommend_for_items(ARRAY[99999], 5, 'goods_items');

-- a table without a unique key: of rows of one item that which stands first counts
CREATE TABLE twice (id integer, category text, price real);
INSERT INTO twice SELECT n, chr(97 + n % 4), 10 + n % 17 FROM generate_series(1, 40) n;
INSERT INTO twice VALUES (1, 'z', 5000), (NULL, 'a', 11), (41, NULL, NULL);
CREATE INDEX twice_items ON twice USING recsys_items (id, category text_label_ops, price);
SELECT item_id FROM similar_items(1, 4, 'twice_items');
INSERT INTO twice VALUES (50, 'z', 5000);
SELECT count(*) FILTER (WHERE item_id = 1) AS second_row FROM similar_items(50, 100, 'twice_items');
DELETE FROM twice WHERE id = 1 AND category <> 'z';
SELECT item_id FROM similar_items(50, 1, 'twice_items');
SELECT item_id FROM similar_items(1, 1, 'twice_items');
SELECT count(*) FROM similar_items(41, 4, 'twice_items');
VACUUM twice;
SELECT merged FROM recsys.merge('twice_items', true);
SELECT item_id FROM similar_items(50, 1, 'twice_items');
SELECT item_id FROM similar_items(1, 1, 'twice_items');
SELECT recsys.check_index('twice_items');

-- keys of other types
CREATE TABLE words AS SELECT 'w' || id AS id, category, price FROM goods;
CREATE INDEX words_items ON words USING recsys_items (id, category text_label_ops, price);
CREATE TABLE uuids AS SELECT lpad(to_hex(id), 32, '0')::uuid AS id, category, price FROM goods;
CREATE INDEX uuids_items ON uuids USING recsys_items (id, category text_label_ops, price);
CREATE TABLE numbers AS SELECT id::integer AS id, category, price FROM goods;
CREATE INDEX numbers_items ON numbers USING recsys_items (id, category text_label_ops, price);
SELECT count(*) AS differ FROM (
	SELECT score, rank FROM similar_items(3, 5, 'numbers_items') EXCEPT SELECT score, rank FROM similar_items('3', 5, 'numbers_items')) d;
SELECT count(*) AS rows, min(left(item_id, 1)) AS w FROM similar_items('w3', 5, 'words_items');
SELECT count(*) FROM similar_items('00000000-0000-0000-0000-000000000003'::uuid, 5, 'uuids_items');
SELECT count(*) FROM similar_items('00000000-0000-0000-0000-000000000003', 5, 'uuids_items');
SELECT count(*) FROM item_similarity('words_items', NULL::text) WHERE rank = 1;
SELECT count(*) FROM item_similarity('uuids_items', NULL::uuid) WHERE rank = 1;
SELECT count(*) FROM item_similarity('words_items');
SELECT count(*) FROM recommend_for_items(ARRAY['w1', 'w3'], 5, 'words_items');
INSERT INTO words VALUES ('w9999', 'a', 20);
SELECT count(*) FROM similar_items('w9999', 5, 'words_items');

-- what comes without a type
PREPARE like_item AS SELECT count(*) FROM similar_items($1, $2, $3);
EXECUTE like_item ('3', 5, 'goods_items');
PREPARE for_items AS SELECT count(*) FROM recommend_for_items($1, $2, $3);
EXECUTE for_items ('{1,3}', 5, 'goods_items');
PREPARE probe AS SELECT count(*) FROM items_like($1, $2, $3);
EXECUTE probe ('{"category": "a"}', 5, 'goods_items');
DEALLOCATE ALL;

-- search by values of attributes: the mean over those that are given
SELECT bool_and(score > 0.999) AS alike, bool_and(category = 'c') AS right_ones, count(*), max(rank)
FROM items_like('{"category": "c"}', 7, 'goods_items') JOIN goods ON id = item_id;
SELECT count(*) = (SELECT count(*) FROM goods WHERE category = 'c') AS all_of_them FROM items_like('{"category": "c"}', NULL, 'goods_items');
SELECT count(*) AS wrong FROM items_like('{"price": 30.5, "category": "b"}', NULL, 'goods_items') JOIN goods ON id = item_id
WHERE abs(score - (0.5 * (category = 'b')::int + exp(-power(ln(price) - ln(30.5), 2) / 0.5)) / 1.5) > 0.0005;
SELECT item_id, rank FROM goods, items_like(jsonb_build_object('shape', shape), 1, 'goods_items') WHERE id = 5;
SELECT item_id FROM items_like('{"category": "c", "price": null}', 2, 'goods_items') EXCEPT SELECT item_id FROM items_like('{"category": "c"}', 2, 'goods_items');
SELECT count(*) FROM items_like('{"price": null}', 5, 'goods_items');
SELECT count(*) FROM items_like('{}', 5, 'goods_items');
SELECT count(*) FROM items_like(NULL, 5, 'goods_items');
SELECT items_like('{"colour": "red"}', 5, 'goods_items');
SELECT items_like('["red"]', 5, 'goods_items');
SELECT items_like('{"price": "dear"}', 5, 'goods_items');
SELECT items_like('{"shape": [1, 2]}', 5, 'goods_items');
SELECT count(*) FROM items_like('{"category": "c"}', 5, 'words_items', NULL::text);
SELECT count(*) FROM items_like('{"category": "c"}', 5, 'words_items', 'as text');
SELECT count(*) FROM items_like('{"category": "c"}', 5, 'uuids_items', NULL::uuid);
SELECT items_like('{"category": "c"}', 5, 'words_items');
SELECT items_like('{"category": "c"}');
BEGIN;
INSERT INTO goods VALUES (500, 'brand new', 12, NULL);
SELECT item_id FROM items_like('{"category": "brand new"}', 5, 'goods_items');
ROLLBACK;
SELECT item_id FROM items_like('{"category": "brand new"}', 5, 'goods_items');

-- arrays and texts as JSON
-- from PostgreSQL 17 on the owner's rights come with a search path of their own, so that messages
-- name types with their schemas, as they do everywhere for a schema that no path has
CREATE SCHEMA grades;
CREATE TYPE grades.grade AS ENUM ('low', 'high');
CREATE TABLE tagged (id bigint PRIMARY KEY, title text, tags text[], live boolean, grade grades.grade);
INSERT INTO tagged VALUES (1, 'red shoes for running', ARRAY['red', 'a "b"', 'x\y'], true, 'low'),
	(2, 'blue shoes', '{blue}', false, 'high'), (3, 'green hat', '{red,green}', true, 'high');
CREATE INDEX tagged_items ON tagged USING recsys_items (id, title, tags, live, grade);
SELECT item_id FROM items_like('{"title": "Running SHOES, red"}', 5, 'tagged_items');
SELECT item_id, score > 0.99 AS same FROM items_like('{"tags": ["a \"b\"", "x\\y", "red", null]}', 5, 'tagged_items');
SELECT item_id FROM items_like('{"live": false, "grade": "low"}', 5, 'tagged_items') ORDER BY 1;
SELECT items_like('{"grade": "middling"}', 5, 'tagged_items');

-- functions that need users refuse it, and it is nobody's only recommender
SELECT recommend(1, 5, 'goods_items');
SELECT popular_items(5, 'goods_items');
SELECT goes_with(1, 5, 'goods_items');
SELECT recsys.forget_user('goods_items', 1::bigint);
SELECT explain_recommendation(1, 2::bigint, 'goods_items');
SELECT similar_items(1, 5);
SELECT similar_items(1, 5, 'goods');
SELECT items_like('{}', 5, 'goods');
CREATE TABLE bought AS SELECT n / 3 AS user_id, n % 7 AS id FROM generate_series(1, 60) n;
CREATE INDEX bought_recsys ON bought USING recsys (user_id, id);
SELECT count(*) > 0 AS the_only_one FROM recommend(1, 3);
SELECT count(*) > 0 AS the_only_one FROM similar_items(1, 3);
SELECT items_like('{"a": 1}', 5, 'bought_recsys');
SELECT recommend(1, 5, 'goods_items');
DROP INDEX words_items, uuids_items, numbers_items, twice_items, tagged_items;
SELECT count(*) FROM items_like('{"category": "c"}', 3);
CREATE TABLE parts (id bigint, category text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE INDEX parts_items ON parts USING recsys_items (id, category text_label_ops);
SELECT similar_items(1, 5, 'parts_items');
DROP TABLE parts;

-- rights
CREATE ROLE items_reader;
SET ROLE items_reader;
SELECT similar_items(1, 5, 'goods_items');
SELECT items_like('{"category": "c"}');
SELECT count(*) FROM recsys.index_stats WHERE index_name = 'goods_items';
RESET ROLE;
GRANT SELECT (id, category, price, shape) ON goods TO items_reader;
SET ROLE items_reader;
SELECT count(*) FROM similar_items(1, 5, 'goods_items');
SELECT count(*) FROM items_like('{"category": "c"}', 3, 'goods_items');
SELECT count(*) FROM recsys.index_stats WHERE index_name = 'goods_items';
SELECT recsys.merge('goods_items');
SELECT recsys.check_index('goods_items');
RESET ROLE;
ALTER TABLE goods ENABLE ROW LEVEL SECURITY;
SET ROLE items_reader;
SELECT similar_items(1, 5, 'goods_items');
RESET ROLE;
ALTER TABLE goods DISABLE ROW LEVEL SECURITY;

-- looking at it
SELECT kind, sum(pages) > 0 AS pages, sum(entries) > 0 AS entries FROM recsys.page_summary('goods_items')
WHERE kind IN ('content', 'graph', 'meta', 'pending', 'bucket') GROUP BY kind ORDER BY kind;
SELECT content_bytes > 0 AS content, graph_bytes > 0 AS graph, user_bytes > 0 AS users, factor_bytes FROM recsys.index_sections('goods_items');
SELECT format_version > 0 AS version, similarity, users, items > 0 AS items, interactions FROM recsys.index_info('goods_items');
ALTER INDEX goods_items SET (neighbors = 7);
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'goods_items';
REINDEX INDEX goods_items;
SELECT count(*) FROM similar_items(1, NULL, 'goods_items');
SELECT built_options, set_options FROM recsys.index_stats WHERE index_name = 'goods_items';
ALTER INDEX goods_items SET (similarity = 'jaccard');
DROP TABLE goods, twice, words, uuids, numbers, tagged, bought CASCADE;
DROP TYPE grades.grade;
DROP SCHEMA grades;
DROP FUNCTION wrong;
DROP VIEW sums;
DROP ROLE items_reader;
