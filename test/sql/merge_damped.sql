/*
 * Incremental equals rebuilt, where what a user weighs depends on all that the user has:
 * rp3beta, cosine with user_damping or tfidf, and session, where the order of all counts.  As in
 * merge.sql: random histories of changes and merges of every kind, then an exact merge, and everything is as in a fresh
 * index, scores to the last digit.  check_index compares norms, masses and latest times.
 */
SET client_min_messages = warning;
CREATE TABLE histories (user_id bigint, item_id text, weight real, at timestamptz, note text) WITH (fillfactor = 80);
-- VACUUM cannot run in a function: psql runs what this makes up, one statement each
CREATE FUNCTION history(seed integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text[] := '{"user_id, item_id","user_id, item_id, weight","user_id, item_id, weight, at","user_id, item_id, at"}';
	options text;
	more text := $sql$INSERT INTO histories SELECT 1 + floor(%s * random() * random()), md5((1 + floor(%s ^ random()))::bigint::text),
		(floor(400 * random()) - 40) / 100, '2026-01-01 00:00+00'::timestamptz + random() * interval '100 days' FROM generate_series(1, %s)$sql$;
	users integer := (ARRAY[30, 200])[1 + seed % 2];
	items integer := (ARRAY[20, 150, 60])[1 + seed / 3 % 3];
BEGIN
	PERFORM setseed(seed / 100.0);
	options := format('similarity = %s, neighbors = %s, min_support = %s, max_history = %s, alpha = %s, beta = %s, user_damping = %s, weighting = %s, shrinkage = %s, pending_limit = %s',
		CASE WHEN seed % 3 = 0 THEN 'cosine' ELSE 'rp3beta' END, (ARRAY[1, 3, 10, 100])[1 + floor(4 * random())::integer],
		1 + floor(3 * random()), (ARRAY[2000, 5, 20])[1 + seed / 2 % 3],
		(ARRAY[0, 0.7, 1, 2, 2 * random()])[1 + floor(5 * random())::integer], (ARRAY[0, 0.2, 2 * random()])[1 + floor(3 * random())::integer],
		(ARRAY[0, 0.5, 1, 2 * random()])[CASE WHEN seed % 3 = 0 THEN 2 + floor(3 * random())::integer ELSE 1 + floor(4 * random())::integer END],
		(ARRAY['none', 'none', 'tfidf'])[1 + floor(3 * random())::integer], (ARRAY[0, 0, 5])[1 + floor(3 * random())::integer],
		(ARRAY[64, 4096])[1 + seed % 2]);
	RETURN NEXT 'TRUNCATE histories';
	RETURN NEXT format('SELECT setseed(%s)', seed / 100.0);
	RETURN NEXT format(more, users, items, (ARRAY[0, 500, 4000])[1 + floor(3 * random())::integer]);
	RETURN NEXT format('CREATE INDEX merged ON histories USING recsys (%s) WITH (%s)', columns[1 + seed / 2 % 4], options);
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
	RETURN NEXT format('CREATE INDEX fresh ON histories USING recsys (%s) WITH (%s)', columns[1 + seed / 2 % 4], options);
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


-- one more item changes what all pairs of its user weigh: beyond the budget they wait, each once
TRUNCATE histories;
INSERT INTO histories SELECT u, 'i' || i, 1 FROM generate_series(1, 40) u, generate_series(1, 30) i WHERE (u * 7 + i * i) % 5 < 2;
CREATE INDEX merged ON histories USING recsys (user_id, item_id) WITH (similarity = rp3beta, min_support = 1, alpha = 0.8);
CREATE TABLE before AS SELECT * FROM item_similarity('merged', NULL::text);
SELECT count(DISTINCT item_id) AS items FROM histories WHERE user_id = 1;
SET recsys.merge_budget = 0;
INSERT INTO histories VALUES (1, 'new', 1);
SELECT merged, recomputed, inexact FROM recsys.merge('merged');
INSERT INTO histories VALUES (1, 'newer', 1);
SELECT merged, recomputed, inexact FROM recsys.merge('merged');
SELECT inexact_items > 5 AS some, inexact_items <= items AS each_once FROM recsys.index_stats WHERE index_name = 'merged';
SELECT recsys.check_index('merged');
SELECT merged, inexact FROM recsys.merge('merged', exact => true);
SELECT inexact_items FROM recsys.index_stats WHERE index_name = 'merged';
CREATE INDEX fresh ON histories USING recsys (user_id, item_id) WITH (similarity = rp3beta, min_support = 1, alpha = 0.8);
SELECT count_differences();
SELECT count(*) > 100 AS scores_of_others_changed FROM before JOIN item_similarity('merged', NULL::text) m USING (item_id, similar_item_id) WHERE before.score <> m.score;
-- what gains interactions comes before what is only reweighted
SET recsys.merge_budget = 1;
INSERT INTO histories VALUES (2, 'newest', 1);
SELECT merged FROM recsys.merge('merged');
SELECT count(*) > 5 AS in_the_graph FROM similar_items('newest'::text, 100, 'merged');
RESET recsys.merge_budget;
-- a merge within the budget leaves nothing, as with any other measure
SELECT merged, inexact FROM recsys.merge('merged');
SELECT merged, inexact FROM recsys.merge('merged');
SELECT recsys.check_index('merged');
REINDEX INDEX fresh;
SELECT count_differences();

-- a user who has grown beyond max_history, and one who is forgotten
DROP INDEX merged, fresh;
CREATE INDEX merged ON histories USING recsys (user_id, item_id) WITH (similarity = cosine, user_damping = 1, min_support = 1, max_history = 12);
INSERT INTO histories SELECT 3, 'i' || i, 1 FROM generate_series(1, 30) i;
DELETE FROM histories WHERE user_id = 4 AND item_id > 'i2';
VACUUM histories;
SELECT inexact FROM recsys.merge('merged', exact => true);
CREATE INDEX fresh ON histories USING recsys (user_id, item_id) WITH (similarity = cosine, user_damping = 1, min_support = 1, max_history = 12);
SELECT count_differences();
SELECT recsys.forget_user('merged', 5::bigint) > 0 AS forgotten;
DELETE FROM histories WHERE user_id = 5;
REINDEX INDEX fresh;
SELECT count_differences();
SELECT recsys.check_index('merged');

-- inserts merge slices, of which none takes a user of many items; what is left waits for a merge
DROP INDEX merged, fresh;
CREATE INDEX merged ON histories USING recsys (user_id, item_id) WITH (similarity = rp3beta, min_support = 1, pending_limit = 64);
INSERT INTO histories SELECT 1000, 'many' || i, 1 FROM generate_series(1, 1500) i;
\set ECHO none
\o /dev/null
SELECT format('INSERT INTO histories VALUES (%s, ''i%s'', 1), (1000, ''many%s'', 1)', i % 50, i % 30, i) FROM generate_series(1, 300) i \gexec
\o
\set ECHO all
SELECT merged > 0 AS waited, inexact FROM recsys.merge('merged', exact => true);
SELECT recsys.check_index('merged');
CREATE INDEX fresh ON histories USING recsys (user_id, item_id) WITH (similarity = rp3beta, min_support = 1);
SELECT count_differences();

-- models that take more than a user's own history stay learned
DROP INDEX merged, fresh;
CREATE INDEX merged ON histories USING recsys (user_id, item_id, at) WITH (similarity = rp3beta, training_half_life = '10 days');
CREATE INDEX fresh ON histories USING recsys (user_id, item_id, weight) WITH (similarity = cosine, weighting = bm25);
INSERT INTO histories VALUES (2, 'i1', 5), (2, 'i2', 5);
RESET client_min_messages;
SELECT inexact > 0 AS stale FROM recsys.merge('merged', exact => true);
SELECT inexact > 0 AS stale FROM recsys.merge('fresh', exact => true);
DROP TABLE histories, outcome, before;
DROP FUNCTION history, count_differences;
