/*
 * Incremental equals rebuilt, for the prior and the ages of items: as in merge.sql, random
 * histories of changes and merges of every kind, then an exact merge, and lists are as
 * from a fresh index, scores to the last digit.  check_index compares recencies and the
 * prior's page on the way.
 */
SET client_min_messages = warning;
CREATE TABLE histories (user_id bigint, item_id text, weight real, at timestamptz, note text) WITH (fillfactor = 80);
-- VACUUM cannot run in a function: psql runs what this makes up, one statement each
CREATE FUNCTION history(seed integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text[] := '{"user_id, item_id, at","user_id, item_id","user_id, item_id, weight, at","user_id, item_id, at"}';
	options text;
	more text := $sql$INSERT INTO histories SELECT 1 + floor(%s * random() * random()), md5((1 + floor(%s ^ random()))::bigint::text),
		(floor(400 * random()) - 40) / 100, '2026-01-01 00:00+00'::timestamptz + random() * interval '100 days' * random() ^ 3 FROM generate_series(1, %s)$sql$;
	users integer := (ARRAY[30, 200])[1 + seed % 2];
	items integer := (ARRAY[20, 1500, 60])[1 + seed / 3 % 3];
BEGIN
	PERFORM setseed(seed / 100.0);
	options := format('similarity = %s, neighbors = 3, max_history = %s, popularity = %s, pending_limit = %s%s',
		CASE WHEN seed % 3 = 0 THEN 'cosine' ELSE 'rp3beta' END, (ARRAY[2000, 5, 20])[1 + seed / 2 % 3],
		(ARRAY[1, 7.5, 30, 0])[1 + floor(4 * random())::integer], (ARRAY[64, 4096])[1 + seed % 2],
		CASE WHEN columns[1 + seed % 4] LIKE '% at' THEN
			format(', popularity_half_life = %L, item_max_age = %L', (ARRAY['10 days', '1 hour', '1000 days', ''])[1 + floor(4 * random())::integer],
				   (ARRAY['off', '3 days', '60 days'])[1 + floor(3 * random())::integer]) END);
	RETURN NEXT 'TRUNCATE histories';
	RETURN NEXT format('SELECT setseed(%s)', seed / 100.0);
	RETURN NEXT format(more, users, items, (ARRAY[0, 500, 3000])[1 + floor(3 * random())::integer]);
	RETURN NEXT format('CREATE INDEX merged ON histories USING recsys (%s) WITH (%s)', columns[1 + seed % 4], options);
	FOR step IN 1 .. 20 LOOP
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
	RETURN NEXT 'VACUUM histories';
	RETURN NEXT 'SELECT inexact FROM recsys.merge(''merged'', exact => true)';
	RETURN NEXT 'SELECT recsys.check_index(''merged'')';
	RETURN NEXT format('CREATE INDEX fresh ON histories USING recsys (%s) WITH (%s)', columns[1 + seed % 4], options);
	RETURN NEXT format('INSERT INTO outcome SELECT %s, count_differences()', seed);
	RETURN NEXT 'DROP INDEX merged, fresh';
END $$;
CREATE FUNCTION count_differences() RETURNS bigint LANGUAGE sql AS $$
	-- a user without evidence gets all of the prior, and then everything that is offered
	SELECT (SELECT count(*) FROM recommend(-1::bigint, 100000, 'merged', NULL::text) a
			FULL JOIN recommend(-1::bigint, 100000, 'fresh', NULL::text) b USING (item_id, score, source, rank)
			WHERE a.item_id IS NULL OR b.item_id IS NULL) +
		   (SELECT count(*) FROM generate_series(1, 20) u CROSS JOIN LATERAL (
				SELECT FROM recommend(u::bigint, 50, 'merged', NULL::text) a FULL JOIN recommend(u::bigint, 50, 'fresh', NULL::text) b
				USING (item_id, score, source, rank) WHERE a.item_id IS NULL OR b.item_id IS NULL) d);
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

-- more items than the prior lists: some sink below its floor, and others come up from behind it
TRUNCATE histories;
INSERT INTO histories SELECT u, 'i' || i, 1, '2026-01-01 00:00+00'::timestamptz + u * interval '1 day'
FROM generate_series(1, 1500) i, generate_series(1, 3 + (i < 600)::integer) u;
CREATE INDEX merged ON histories USING recsys (user_id, item_id, at) WITH (similarity = rp3beta, popularity = 5, popularity_half_life = '10 days', neighbors = 1);
SELECT count(*), min(score) = max(score) AS same FROM recommend(-1::bigint, 2000, 'merged', NULL::text) WHERE score > 0;
DELETE FROM histories WHERE item_id IN (SELECT 'i' || i FROM generate_series(1, 500) i);
VACUUM histories;
SELECT inexact FROM recsys.merge('merged', exact => true);
SELECT recsys.check_index('merged');
CREATE INDEX fresh ON histories USING recsys (user_id, item_id, at) WITH (similarity = rp3beta, popularity = 5, popularity_half_life = '10 days', neighbors = 1);
SELECT count_differences();
-- within a budget, the page follows as well
SET recsys.merge_budget = 100;
INSERT INTO histories SELECT 50 + i % 2, 'i' || i, 1, '2026-02-01 00:00+00' FROM generate_series(1400, 1600) i;
SELECT merged FROM recsys.merge('merged');
SELECT recsys.check_index('merged');
SELECT item_id FROM recommend(-1::bigint, 2, 'merged', NULL::text);
DELETE FROM histories WHERE item_id BETWEEN 'i7' AND 'i8';
VACUUM histories;
SELECT merged FROM recsys.merge('merged');
SELECT recsys.check_index('merged');
-- a user who is forgotten
SELECT recsys.forget_user('merged', 3::bigint) > 0 AS forgotten;
SELECT recsys.check_index('merged');
DELETE FROM histories WHERE user_id = 3;
VACUUM histories;
RESET recsys.merge_budget;
SELECT inexact FROM recsys.merge('merged', exact => true);
REINDEX INDEX fresh;
SELECT count_differences();
DROP TABLE histories, outcome;
DROP FUNCTION history, count_differences;
