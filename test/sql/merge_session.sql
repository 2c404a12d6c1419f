/*
 * Incremental equals rebuilt, where the order of a session counts: as in merge_damped.sql,
 * random histories of changes and merges of every kind, then an exact merge, and everything is
 * as in a fresh index, scores to the last digit.  Items come again, at the same times as
 * others, and without a time; times change.  check_index compares scores with those of a build.
 */
SET client_min_messages = warning;
CREATE TABLE histories (user_id bigint, item_id text, weight real, at timestamptz, note text) WITH (fillfactor = 80);
-- VACUUM cannot run in a function: psql runs what this makes up, one statement each
CREATE FUNCTION history(seed integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text[] := '{"user_id, item_id, at","user_id, item_id, weight, at"}';
	options text;
	more text := $sql$INSERT INTO histories SELECT 1 + floor(%s * random() * random()), md5((1 + floor(%s ^ random()))::bigint::text),
		(floor(400 * random()) - 40) / 100,
		CASE WHEN random() < 0.95 THEN '2026-01-01 00:00+00'::timestamptz + floor(random() * 40) * interval '1 day' END FROM generate_series(1, %s)$sql$;
	users integer := (ARRAY[30, 200])[1 + seed % 2];
	items integer := (ARRAY[20, 150, 60])[1 + seed / 3 % 3];
BEGIN
	PERFORM setseed(seed / 100.0);
	options := format('similarity = session, neighbors = %s, min_support = %s, max_history = %s, alpha = %s, gap_decay = %s, backward = %s, user_damping = %s, weighting = %s, shrinkage = %s, pending_limit = %s',
		(ARRAY[1, 3, 10, 100])[1 + floor(4 * random())::integer], 1 + floor(3 * random()), (ARRAY[2000, 5, 20])[1 + seed / 2 % 3],
		(ARRAY[0, 0, 0.7])[1 + floor(3 * random())::integer], (ARRAY[0, 0.5, 0.7, 1, random()])[1 + floor(5 * random())::integer],
		(ARRAY[0, 0.5, 1, random()])[1 + floor(4 * random())::integer], (ARRAY[0, 0, 1])[1 + floor(3 * random())::integer],
		(ARRAY['none', 'none', 'tfidf'])[1 + floor(3 * random())::integer], (ARRAY[0, 2, 2])[1 + floor(3 * random())::integer],
		(ARRAY[64, 4096])[1 + seed % 2]);
	RETURN NEXT 'TRUNCATE histories';
	RETURN NEXT format('SELECT setseed(%s)', seed / 100.0);
	RETURN NEXT format(more, users, items, (ARRAY[0, 500, 4000])[1 + floor(3 * random())::integer]);
	RETURN NEXT format('CREATE INDEX merged ON histories USING recsys (%s) WITH (%s)', columns[1 + seed / 2 % 2], options);
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
			WHEN 13 THEN 'UPDATE histories SET at = at + interval ''3 days'' WHERE random() < 0.05'
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
	RETURN NEXT format('CREATE INDEX fresh ON histories USING recsys (%s) WITH (%s)', columns[1 + seed / 2 % 2], options);
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



-- one more click: what comes after follows with the next merge
TRUNCATE histories;
INSERT INTO histories VALUES (1, 'phone', 1, '2026-01-01'), (1, 'case', 1, '2026-01-02'), (2, 'phone', 1, '2026-01-01');
CREATE INDEX merged ON histories USING recsys (user_id, item_id, at) WITH (similarity = session, shrinkage = 0);
SELECT * FROM similar_items('phone'::text, 10, 'merged');
INSERT INTO histories VALUES (2, 'charger', 1, '2026-01-02'), (3, 'phone', 1, '2026-01-01'), (3, 'charger', 1, '2026-01-05');
SELECT recomputed, inexact FROM recsys.merge('merged', exact => true);
SELECT * FROM similar_items('phone'::text, 10, 'merged');
-- the same item once more, later: the order turns round
INSERT INTO histories VALUES (1, 'phone', 1, '2026-01-03');
SELECT recomputed, inexact FROM recsys.merge('merged', exact => true);
SELECT * FROM similar_items('phone'::text, 10, 'merged');
SELECT * FROM similar_items('case'::text, 10, 'merged');
SELECT recsys.check_index('merged');
DROP TABLE histories, outcome;
DROP FUNCTION history, count_differences;
RESET client_min_messages;
