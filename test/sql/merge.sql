/*
 * Incremental equals rebuilt: after random inserts, updates (HOT and others),
 * deletes, rollbacks, VACUUMs and merges of every kind, in transactions with
 * savepoints too, and one exact merge at the end, the item graph, the popular items
 * and the totals are those of a fresh index.  A savepoint that is rolled back is a
 * transaction which has ended after its parent began, as those of other sessions do.
 */
SET client_min_messages = warning;
CREATE TABLE histories (user_id bigint, item_id text, weight integer, at timestamptz, note text) WITH (fillfactor = 80);
-- VACUUM cannot run in a function: psql runs what this makes up, one statement each
CREATE FUNCTION history(seed integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	measures text[] := '{cosine,jaccard,dice,confidence,lift,pmi,log_likelihood}';
	columns text[] := '{"user_id, item_id","user_id, item_id, weight","user_id, item_id, weight, at","user_id, item_id, at"}';
	options text;
	more text := $sql$INSERT INTO histories SELECT 1 + floor(%s * random() * random()), md5((1 + floor(%s ^ random()))::bigint::text),
		floor(4 * random()), '2026-01-01 00:00+00'::timestamptz + random() * interval '100 days' FROM generate_series(1, %s)$sql$;
	users integer := (ARRAY[30, 200])[1 + seed % 2];
	items integer := (ARRAY[20, 150, 60])[1 + seed % 3];
BEGIN
	PERFORM setseed(seed / 100.0);
	options := format('similarity = %s, neighbors = %s, min_support = %s, max_history = %s, alpha = %s, shrinkage = %s, pending_limit = %s',
		measures[1 + seed % 7], (ARRAY[1, 3, 10, 100])[1 + floor(4 * random())::integer], 1 + floor(3 * random()),
		(ARRAY[2000, 5, 20])[1 + seed % 3], (ARRAY[0, 0, 0.5])[1 + floor(3 * random())::integer],
		(ARRAY[0, 0, 5])[1 + floor(3 * random())::integer], (ARRAY[64, 4096])[1 + seed % 2]);
	RETURN NEXT 'TRUNCATE histories';
	RETURN NEXT format('SELECT setseed(%s)', seed / 100.0);
	RETURN NEXT format(more, users, items, (ARRAY[0, 500, 4000])[1 + floor(3 * random())::integer]);
	RETURN NEXT format('CREATE INDEX merged ON histories USING recsys (%s) WITH (%s)', columns[1 + seed % 4], options);
	FOR step IN 1 .. 30 LOOP
		RETURN NEXT CASE floor(19 * random())
			WHEN 0 THEN format(more, users * 1.2, items * 1.2, 1)
			WHEN 1 THEN format(more, users * 1.2, items * 1.2, 50)
			WHEN 2 THEN format(more, users * 1.2, items * 1.2, 300)
			WHEN 3 THEN 'DELETE FROM histories WHERE random() < 0.02'
			WHEN 4 THEN 'DELETE FROM histories WHERE random() < 0.2'
			WHEN 5 THEN format('DELETE FROM histories WHERE user_id = %s', 1 + floor(users * random()))
			WHEN 6 THEN 'UPDATE histories SET user_id = user_id + 1 WHERE random() < 0.02'
			WHEN 7 THEN 'UPDATE histories SET weight = 2 WHERE random() < 0.05'
			WHEN 8 THEN 'VACUUM histories'
			WHEN 9 THEN 'SELECT merged FROM recsys.merge(''merged'')'
			WHEN 10 THEN 'SELECT merged FROM recsys.merge(''merged'', exact => true)'
			WHEN 11 THEN format('SET recsys.merge_budget = %s', (ARRAY[0, 1, 100000])[1 + floor(3 * random())::integer])
			WHEN 12 THEN format('SET maintenance_work_mem = %L', (ARRAY['1MB', '64MB'])[1 + floor(2 * random())::integer])
			WHEN 13 THEN 'UPDATE histories SET note = ''x'' WHERE random() < 0.2'
			WHEN 14 THEN 'UPDATE histories SET note = repeat(''y'', 50), item_id = item_id WHERE user_id % 7 = 0'
			WHEN 15 THEN format('BEGIN; %s; SAVEPOINT a; %s; ROLLBACK TO a; SELECT recsys.merge(''merged'', %s); %s',
				format(more, users, items, 40), format(more, users, items, 10), (random() < 0.5)::text,
				(ARRAY['COMMIT', 'ROLLBACK'])[1 + floor(2 * random())::integer])
			WHEN 16 THEN format('BEGIN; SAVEPOINT a; %s; ROLLBACK TO a; %s; COMMIT',
				format(more, users, items, 1), format(more, users * 1.2, items * 1.2, 2000))
			WHEN 17 THEN format('BEGIN; DELETE FROM histories WHERE random() < 0.05; SAVEPOINT a; %s; RELEASE a; SELECT recsys.merge(''merged''); ROLLBACK',
				format(more, users, items, 40))
			ELSE format('BEGIN; %s; ROLLBACK', format(more, users, items, 40))
		END;
	END LOOP;
	RETURN NEXT 'SELECT recsys.check_index(''merged'')';
	IF seed % 4 = 0 THEN
		-- a bulk load of items that no later change touches, when slices are due again
		-- and have nothing else to take
		RETURN NEXT 'SELECT merged FROM recsys.merge(''merged'')';
		RETURN NEXT 'SELECT pg_sleep(0.1 + last_merge_ms / 100) FROM recsys.index_stats WHERE index_name = ''merged''';
		RETURN NEXT format('BEGIN; SAVEPOINT a; %s; ROLLBACK TO a; %s; COMMIT',
			format(more, users, items, 1), format(more, users * 1.2, 10000, 3000));
	END IF;
	RETURN NEXT 'VACUUM histories';
	RETURN NEXT 'SELECT inexact FROM recsys.merge(''merged'', exact => true)';
	RETURN NEXT 'SELECT recsys.check_index(''merged'')';
	RETURN NEXT format('CREATE INDEX fresh ON histories USING recsys (%s) WITH (%s)', columns[1 + seed % 4], options);
	RETURN NEXT format('INSERT INTO outcome SELECT %s, count_differences()', seed);
	RETURN NEXT 'DROP INDEX merged, fresh';
END $$;
CREATE FUNCTION count_differences() RETURNS bigint LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM item_similarity('merged', NULL::text) a
			FULL JOIN item_similarity('fresh', NULL::text) b USING (item_id, similar_item_id, score, support, rank)
			WHERE a.item_id IS NULL OR b.item_id IS NULL) +
		   (SELECT count(*) FROM popular_items(NULL, 'merged', NULL::text) WITH ORDINALITY a
			FULL JOIN popular_items(NULL, 'fresh', NULL::text) WITH ORDINALITY b USING (item_id, users, score, ordinality)
			WHERE a.item_id IS NULL OR b.item_id IS NULL) +
		   (SELECT count(*) FROM recsys.index_stats a JOIN recsys.index_stats b
			ON a.index_name = 'merged' AND b.index_name = 'fresh'
			WHERE (a.users, a.items, a.interactions, a.neighbors, a.pending, a.inexact_items, a.score_users) IS DISTINCT FROM
				  (b.users, b.items, b.interactions, b.neighbors, 0, 0, b.score_users));
$$;
CREATE TABLE outcome (seed integer, differences bigint);
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
SELECT count(*) AS histories, sum(differences) AS differences FROM outcome;

-- a pair that nobody has any more is gone; new items and users are there
TRUNCATE histories;
INSERT INTO histories VALUES (1, 'a', 1), (1, 'b', 1), (2, 'a', 1), (2, 'b', 1);
CREATE INDEX merged ON histories USING recsys (user_id, item_id);
INSERT INTO histories VALUES (3, 'c', 1), (3, 'a', 1), (4, 'c', 1), (4, 'a', 1);
SELECT * FROM similar_items('c'::text, 5, 'merged');
SELECT * FROM recsys.merge('merged');
SELECT * FROM similar_items('c'::text, 5, 'merged');
SELECT * FROM similar_items('a'::text, 5, 'merged');
DELETE FROM histories WHERE user_id = 1;
SELECT * FROM recsys.merge('merged');
SELECT * FROM similar_items('a'::text, 5, 'merged');
VACUUM histories;
SELECT * FROM similar_items('a'::text, 5, 'merged');
SELECT recsys.check_index('merged');

-- a user is forgotten: rows and index scans keep him, answers and graph do not
TRUNCATE histories;
INSERT INTO histories SELECT g % 40, chr(97 + (g * 7 % 11)), 1 FROM generate_series(1, 300) g;
INSERT INTO histories SELECT 99, chr(97 + g), 1 FROM generate_series(0, 5) g;
DROP INDEX merged;
CREATE INDEX merged ON histories USING recsys (user_id, item_id) WITH (max_history = 20);
CREATE TABLE without AS SELECT * FROM histories WHERE user_id <> 99;
CREATE INDEX fresh ON without USING recsys (user_id, item_id) WITH (max_history = 20);
SELECT recsys.forget_user('merged', 99::bigint);
SELECT count_differences();
SELECT DISTINCT source FROM recommend(99, 10, 'merged', NULL::text);
SET enable_seqscan = off;
SELECT count(*) FROM histories WHERE user_id = 99;
RESET enable_seqscan;
SELECT recsys.forget_user('merged', 99::bigint), recsys.forget_user('merged', 123456::bigint), recsys.forget_user('merged', NULL::bigint);
SELECT recsys.check_index('merged');
-- what he buys now counts
INSERT INTO histories VALUES (99, 'a', 1), (99, 'b', 1);
INSERT INTO without VALUES (99, 'a', 1), (99, 'b', 1);
SELECT merged FROM recsys.merge('merged', exact => true);
SELECT merged FROM recsys.merge('fresh', exact => true);
SELECT count_differences();
SELECT DISTINCT source FROM recommend(99, 1, 'merged', NULL::text);
-- and REINDEX learns from all rows
REINDEX INDEX merged;
SELECT users FROM recsys.index_stats WHERE index_name = 'merged';
DROP TABLE histories, without, outcome;
DROP FUNCTION history, count_differences;
