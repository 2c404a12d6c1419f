/*
 * Incremental equals rebuilt, for an index over items: after random inserts, updates (HOT
 * and others, of keys and of attributes), deletes, rollbacks, VACUUMs and merges of every kind,
 * in transactions with savepoints too, the neighbors of all items are those of a new index, with
 * the same scores.  check_index compares all pairs on the way.  Keys occur more than once, keys
 * and attributes are missing, and many items are exactly alike.
 *
 * Texts and tags weigh by the counts of the last build.  So where there are such, the table has at
 * the end the rows again that counted when the index was built: one of each key.  With all of them
 * others might count, for of several rows with one key the first in the table does, and where in the table
 * rows come to stand depends on what VACUUM and other sessions have left of those before.
 */
SET client_min_messages = warning;
CREATE TABLE goods (id text, category text, tags text[], title text, price numeric, embedding real[], note text)
	WITH (fillfactor = 80);
CREATE TABLE goods_before (LIKE goods);
-- VACUUM cannot run in a function: psql runs what this makes up, one statement each
CREATE FUNCTION history(seed integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text := CASE seed % 4 WHEN 0 THEN 'id, category text_label_ops, tags, title, price, embedding'
		WHEN 1 THEN 'id, category text_label_ops'
		ELSE 'id, category text_label_ops (weight = 2), price, embedding' END;
	options text;
	vector text := format('ARRAY(SELECT (random() - 0.3)::real FROM generate_series(1, %s) WHERE i = i)', (ARRAY[2, 16])[1 + seed % 2]);
	categories integer := (ARRAY[2, 5, 30])[1 + seed % 3];
	keys integer := (ARRAY[50, 400, 150])[1 + seed % 3];
	more text := format($sql$INSERT INTO goods SELECT CASE WHEN random() < 0.99 THEN md5((1 + floor(%%s * random()))::text) END,
		CASE WHEN random() < 0.9 THEN 'c' || floor(%s * random()) END,
		CASE WHEN random() < 0.9 THEN ARRAY['t' || floor(9 * random()), 't' || floor(99 * random())] END,
		CASE WHEN random() < 0.9 THEN 'w' || floor(9 * random()) || ' v' || floor(99 * random()) END,
		CASE WHEN random() < 0.9 THEN round((10 * exp(2 * random()))::numeric, 1) END,
		CASE WHEN random() < 0.9 THEN %s END FROM generate_series(1, %%s) i$sql$, categories, vector);
BEGIN
	PERFORM setseed(seed / 100.0);
	options := format('neighbors = %s, pending_limit = %s', (ARRAY[3, 5, 100])[1 + floor(3 * random())::integer], (ARRAY[64, 4096])[1 + seed % 2]);
	RETURN NEXT 'TRUNCATE goods, goods_before';
	RETURN NEXT format('SELECT setseed(%s)', seed / 100.0);
	RETURN NEXT format(more, keys, (ARRAY[0, 30, 400])[1 + floor(3 * random())::integer]);
	RETURN NEXT 'INSERT INTO goods_before SELECT DISTINCT ON (id) * FROM goods ORDER BY id, ctid';
	RETURN NEXT format('CREATE INDEX merged ON goods USING recsys_items (%s) WITH (%s)', columns, options);
	FOR step IN 1 .. 25 LOOP
		RETURN NEXT CASE floor(18 * random())
			WHEN 0 THEN format(more, keys * 1.2, 1)
			WHEN 1 THEN format(more, keys * 1.2, 20)
			WHEN 2 THEN format(more, keys * 1.2, 150)
			WHEN 3 THEN 'DELETE FROM goods WHERE random() < 0.02'
			WHEN 4 THEN 'DELETE FROM goods WHERE random() < 0.3'
			WHEN 5 THEN 'UPDATE goods SET price = price * 1.5, title = title || '' w1'' WHERE random() < 0.1'
			WHEN 6 THEN 'UPDATE goods SET category = ''c1'' WHERE random() < 0.1'
			WHEN 7 THEN 'UPDATE goods SET id = md5(id) WHERE random() < 0.02'
			WHEN 8 THEN 'UPDATE goods SET note = ''x'' WHERE random() < 0.3'
			WHEN 9 THEN 'UPDATE goods SET note = repeat(''y'', 50), id = id WHERE random() < 0.1'
			WHEN 10 THEN 'VACUUM goods'
			WHEN 11 THEN 'SELECT recsys.merge(''merged'')'
			WHEN 12 THEN 'SELECT recsys.merge(''merged'', exact => true)'
			WHEN 13 THEN format('SET recsys.merge_budget = %s', (ARRAY[0, 1, 100000])[1 + floor(3 * random())::integer])
			WHEN 14 THEN format('SET maintenance_work_mem = %L', (ARRAY['1MB', '64MB'])[1 + floor(2 * random())::integer])
			WHEN 15 THEN format('BEGIN; %s; SAVEPOINT a; %s; ROLLBACK TO a; SELECT recsys.merge(''merged'', %s); %s',
				format(more, keys, 40), format(more, keys, 10), (random() < 0.5)::text, (ARRAY['COMMIT', 'ROLLBACK'])[1 + floor(2 * random())::integer])
			WHEN 16 THEN format('BEGIN; SAVEPOINT a; %s; ROLLBACK TO a; %s; COMMIT', format(more, keys, 1), format(more, keys * 1.2, 200))
			ELSE 'BEGIN; DELETE FROM goods WHERE random() < 0.05; UPDATE goods SET price = price + 1 WHERE random() < 0.1; SELECT recsys.merge(''merged''); ROLLBACK'
		END;
		IF step % 6 = 0 THEN
			RETURN NEXT 'SELECT recsys.check_index(''merged'')';
		END IF;
	END LOOP;
	IF seed % 4 = 0 THEN
		RETURN NEXT 'DELETE FROM goods';
		IF seed % 8 = 0 THEN
			RETURN NEXT 'SELECT recsys.merge(''merged'')';
			RETURN NEXT 'VACUUM goods';
		END IF;
		RETURN NEXT 'INSERT INTO goods SELECT * FROM goods_before';
	END IF;
	RETURN NEXT 'VACUUM goods';
	RETURN NEXT 'SELECT recsys.merge(''merged'', exact => true)';
	RETURN NEXT 'SELECT recsys.check_index(''merged'')';
	RETURN NEXT format('CREATE INDEX fresh ON goods USING recsys_items (%s) WITH (%s)', columns, options);
	RETURN NEXT format('INSERT INTO outcome SELECT %s, count_differences(), (SELECT count(*) FROM item_similarity(''merged'', NULL::text))', seed);
	RETURN NEXT 'DROP INDEX merged, fresh';
END $$;
CREATE FUNCTION count_differences() RETURNS bigint LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM item_similarity('merged', NULL::text) a
			FULL JOIN item_similarity('fresh', NULL::text) b USING (item_id, similar_item_id, score, rank)
			WHERE a.item_id IS NULL OR b.item_id IS NULL) +
		   (SELECT count(*) FROM recsys.index_stats a JOIN recsys.index_stats b
			ON a.index_name = 'merged' AND b.index_name = 'fresh'
			WHERE (a.items, a.neighbors, a.pending, a.inexact_items) IS DISTINCT FROM (b.items, b.neighbors, 0, 0));
$$;
CREATE TABLE outcome (seed integer, differences bigint, pairs bigint);
\set ECHO none
\pset format unaligned
\pset tuples_only on
\o /dev/null
SELECT history(seed) FROM generate_series(1, 24) seed \gexec
\o
\pset tuples_only off
\pset format aligned
\set ECHO all
RESET maintenance_work_mem;
RESET recsys.merge_budget;
SELECT count(*) AS histories, sum(differences) AS differences, sum(pairs) > 10000 AS many FROM outcome;

-- the neighbors of an item follow its changes, and are gone with it
TRUNCATE goods;
INSERT INTO goods (id, category, price) VALUES ('a', 'shirt', 10), ('b', 'shirt', 11), ('c', 'shoe', 10), ('d', 'shoe', 50);
CREATE INDEX merged ON goods USING recsys_items (id, category text_label_ops, price);
SELECT similar_item_id, round(score::numeric, 3) AS score FROM item_similarity('merged', NULL::text) WHERE item_id = 'a' ORDER BY rank;
INSERT INTO goods (id, category, price) VALUES ('e', 'shirt', 10);
UPDATE goods SET category = 'shirt' WHERE id = 'd';
SELECT merged, recomputed, inexact FROM recsys.merge('merged');
SELECT similar_item_id, round(score::numeric, 3) AS score FROM item_similarity('merged', NULL::text) WHERE item_id = 'a' ORDER BY rank;
-- an UPDATE that leaves the content as it was: nothing is computed
CREATE INDEX goods_note ON goods (note);
UPDATE goods SET note = 'n';
DROP INDEX goods_note;
SELECT merged, recomputed, inexact FROM recsys.merge('merged');
DELETE FROM goods WHERE id = 'b';
VACUUM goods;
SELECT similar_item_id, round(score::numeric, 3) AS score FROM item_similarity('merged', NULL::text) WHERE item_id = 'a' ORDER BY rank;
-- of several rows with one key the first counts
INSERT INTO goods (id, category, price) SELECT 'e', 'shoe', i FROM generate_series(1, 300) i;
SELECT merged, recomputed, inexact FROM recsys.merge('merged');
SELECT recsys.check_index('merged');
DELETE FROM goods WHERE id = 'e' AND category = 'shirt';
VACUUM goods;
SELECT similar_item_id, round(score::numeric, 3) AS score FROM item_similarity('merged', NULL::text) WHERE item_id = 'c' ORDER BY rank;
SELECT recsys.check_index('merged');
-- room that VACUUM has made is used again
DELETE FROM goods;
VACUUM goods;
SELECT pg_relation_size('merged') AS size \gset
INSERT INTO goods (id, category, price) SELECT 'e', 'shoe', i FROM generate_series(1, 300) i;
SELECT pg_relation_size('merged') <= :size AS is_reused;
SELECT recsys.check_index('merged');
DROP INDEX merged;

-- what cannot be stored: vectors of other dimensions than the first, and more than fits a page
TRUNCATE goods;
CREATE INDEX merged ON goods USING recsys_items (id, tags, embedding);
INSERT INTO goods (id, embedding) VALUES ('a', NULL), ('b', '{0, 0}'), ('c', '{1, 2, 3}');
\set VERBOSITY default
INSERT INTO goods (id, embedding) VALUES ('d', '{1, 2}');
INSERT INTO goods (id, embedding) VALUES ('d', '{1, NaN, 2}');
INSERT INTO goods (id) VALUES (repeat('long', 1000));
CREATE TABLE vectors (id integer, a real[], b real[]);
CREATE INDEX vectors_recsys ON vectors USING recsys_items (id, a, b);
INSERT INTO vectors SELECT 1, array_agg(i) FROM generate_series(1, 5000) i;
INSERT INTO vectors SELECT 1, array_agg(i), array_agg(i) FROM generate_series(1, 3000) i;
INSERT INTO vectors SELECT 1, array_agg(i), '{1}' FROM generate_series(1, 3000) i;
SELECT recsys.merge('vectors_recsys');
SELECT recsys.check_index('vectors_recsys');
DROP TABLE vectors;
\set VERBOSITY terse
INSERT INTO goods (id, embedding) VALUES ('d', '{1, 2, 2}');
INSERT INTO goods (id, tags) SELECT 'e', array_agg('tag ' || i) FROM generate_series(1, 3000) i;
SELECT recsys.merge('merged');
SELECT similar_item_id, round(score::numeric, 3) AS score FROM item_similarity('merged', NULL::text) WHERE item_id = 'd' ORDER BY rank;
SELECT recsys.check_index('merged');

-- other keys, expressions and a predicate
CREATE TABLE wares (id uuid, price integer, sold boolean);
CREATE INDEX wares_recsys ON wares USING recsys_items (id, (price / 10), sold) WHERE price > 0;
INSERT INTO wares SELECT md5(i::text)::uuid, i % 40, i % 3 = 0 FROM generate_series(1, 200) i;
UPDATE wares SET price = 0 WHERE price = 5;
SELECT recsys.merge('wares_recsys');
VACUUM wares;
SELECT recsys.check_index('wares_recsys');
CREATE INDEX wares_fresh ON wares USING recsys_items (id, (price / 10), sold) WHERE price > 0;
SELECT count(*) FROM item_similarity('wares_recsys', NULL::uuid) a
	FULL JOIN item_similarity('wares_fresh', NULL::uuid) b USING (item_id, similar_item_id, score, rank)
	WHERE a.item_id IS NULL OR b.item_id IS NULL;
DROP TABLE goods, goods_before, outcome, wares;
DROP FUNCTION history, count_differences;
