/*
 * Rows that a statement inserts are set aside and entered together, page by page.  The
 * index is that of rows which come one by one (ON CONFLICT never sets aside): the same
 * lists in it, the same graph after a merge, and that of a build.  Triggers, functions,
 * savepoints and errors in the middle see, and leave, what they would have otherwise.
 */
SET client_min_messages = warning;

-- what an index has of each user and item: rows found by it, against the table
CREATE FUNCTION found(tab text) RETURNS TABLE (by_user bigint, by_item bigint, both_keys bigint) LANGUAGE plpgsql AS $$
DECLARE
	seen bigint;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_nestloop = on;
	SET LOCAL enable_hashjoin = off;
	SET LOCAL enable_mergejoin = off;
	EXECUTE format('SELECT sum(n) FROM (SELECT DISTINCT user_id FROM %1$I) u, LATERAL (SELECT count(*) n FROM %1$I t WHERE t.user_id = u.user_id) x', tab) INTO by_user;
	EXECUTE format('SELECT sum(n) FROM (SELECT DISTINCT item_id FROM %1$I) u, LATERAL (SELECT count(*) n FROM %1$I t WHERE t.item_id = u.item_id) x', tab) INTO by_item;
	EXECUTE format('SELECT sum(n) FROM (SELECT DISTINCT user_id, item_id FROM %1$I) u, LATERAL (SELECT count(*) n FROM %1$I t WHERE t.user_id = u.user_id AND t.item_id = u.item_id) x', tab) INTO both_keys;
	RETURN NEXT;
END $$;

/*
 * Together, one by one, built
 */
CREATE TABLE source (user_id bigint, item_id text, weight numeric, at timestamptz);
SELECT setseed(0.5);
INSERT INTO source SELECT floor(400 * random() * random()), md5(floor(300 ^ random())::text), floor(5 * random()),
	'2026-01-01 00:00+00'::timestamptz + floor(random() * 100) * interval '1 day' FROM generate_series(1, 20000);
INSERT INTO source SELECT CASE WHEN i % 3 > 0 THEN i % 50 END, CASE WHEN i % 3 < 2 THEN 'item ' || i % 20 END, 1, now() FROM generate_series(1, 300) i;
-- more than a page's lists hold, of one user and of one item
INSERT INTO source SELECT 7, 'item ' || i % 900, 1, '2026-03-01 00:00+00' FROM generate_series(1, 3000) i;
INSERT INTO source SELECT i % 900, 'popular', 1, '2026-03-01 00:00+00' FROM generate_series(1, 3000) i;
CREATE TABLE together (user_id bigint, item_id text, weight numeric, at timestamptz);
CREATE TABLE single (LIKE together);
CREATE TABLE built (LIKE together);
INSERT INTO built SELECT * FROM source;
DO $$
DECLARE
	columns text;
	options text;
BEGIN
	FOREACH columns IN ARRAY '{"user_id, item_id","item_id, user_id","user_id, item_id, weight","user_id, item_id, weight, at","user_id, item_id, at"}'::text[] LOOP
		options := format('similarity = cosine, max_history = %s, pending_limit = %s', 50 + 400 * (length(columns) % 2), 64 + 4000 * (length(columns) % 3));
		EXECUTE format('TRUNCATE together; TRUNCATE single;
			CREATE INDEX together_index ON together USING recsys (%1$s) WITH (%2$s);
			CREATE INDEX single_index ON single USING recsys (%1$s) WITH (%2$s);
			CREATE INDEX built_index ON built USING recsys (%1$s) WITH (%2$s)', columns, options);
		INSERT INTO together SELECT * FROM source WHERE at < '2026-02-15';
		INSERT INTO together SELECT * FROM source WHERE at >= '2026-02-15';
		INSERT INTO single SELECT * FROM source WHERE at < '2026-02-15' ON CONFLICT DO NOTHING;
		INSERT INTO single SELECT * FROM source WHERE at >= '2026-02-15' ON CONFLICT DO NOTHING;
		PERFORM recsys.check_index('together_index'), recsys.check_index('single_index');
		RAISE WARNING '%: pending as one by one: %, all rows found: %', columns,
			(SELECT count(DISTINCT pending) = 1 FROM recsys.index_stats WHERE index_name ~ '^(together|single)'),
			(SELECT f.by_user = (SELECT count(*) FROM source WHERE user_id IS NOT NULL)
				AND f.by_item = (SELECT count(*) FROM source WHERE item_id IS NOT NULL)
				AND f.both_keys = (SELECT count(*) FROM source WHERE user_id IS NOT NULL AND item_id IS NOT NULL) FROM found('together') f);
		DROP INDEX together_index, single_index, built_index;
	END LOOP;
END $$;

-- merged, it is what a build makes of the rows
CREATE INDEX together_index ON together USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine, max_history = 40);
TRUNCATE together;
INSERT INTO together SELECT * FROM source WHERE at < '2026-02-15';
SELECT merged > 0 AS merged FROM recsys.merge('together_index', exact => true);
INSERT INTO together SELECT * FROM source WHERE at >= '2026-02-15';
SELECT merged > 0 AS merged FROM recsys.merge('together_index', exact => true);
SELECT recsys.check_index('together_index');
CREATE INDEX built_index ON built USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine, max_history = 40);
SELECT count(*) AS differences FROM (
	(SELECT * FROM item_similarity('together_index', item_type => NULL::text) EXCEPT SELECT * FROM item_similarity('built_index', item_type => NULL::text))
	UNION ALL (SELECT * FROM item_similarity('built_index', item_type => NULL::text) EXCEPT SELECT * FROM item_similarity('together_index', item_type => NULL::text))) d;
SELECT count(*) AS differences FROM generate_series(0, 400) u
	WHERE (SELECT array_agg((r.item_id, r.score)) FROM recommend(u::bigint, 10, 'together_index', NULL::text) r)
	IS DISTINCT FROM (SELECT array_agg((r.item_id, r.score)) FROM recommend(u::bigint, 10, 'built_index', NULL::text) r);

/*
 * COPY, several indexes, partitions, keys of several types, little memory
 */
CREATE TABLE parted (user_id uuid, item_id smallint, note text) PARTITION BY RANGE (item_id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (50);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (50) TO (MAXVALUE);
CREATE INDEX ON parted USING recsys (user_id, item_id) WITH (similarity = cosine);
CREATE INDEX ON parted USING recsys (note, user_id) WITH (similarity = cosine);
CREATE INDEX ON parted_1 USING recsys (user_id, note) WITH (similarity = cosine) WHERE item_id > 50;
CREATE TABLE lines AS SELECT md5((i % 77)::text)::uuid AS user_id, (i % 101)::smallint AS item_id, repeat(chr(97 + i % 26), 300) AS note FROM generate_series(1, 6000) i;
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
COPY parted (item_id, user_id, note) FROM PROGRAM $$awk 'BEGIN { for (i = 1; i <= 6000; i++) printf "%d\t%032x\tnote %0200d\n", i % 101, i % 77, i % 26 }'$$;
INSERT INTO parted SELECT * FROM lines;
RESET work_mem;
RESET hash_mem_multiplier;
SELECT index_name, pending, recsys.check_index(index_name::regclass) FROM recsys.index_stats WHERE index_name ~ '^parted' ORDER BY 1;
SELECT * FROM found('parted');

CREATE TEMP TABLE passing (user_id bigint, item_id bigint) ON COMMIT DELETE ROWS;
CREATE INDEX ON passing USING recsys (user_id, item_id) WITH (similarity = cosine);
BEGIN;
INSERT INTO passing SELECT i % 20, i % 30 FROM generate_series(1, 300) i;
SELECT * FROM found('passing');
COMMIT;
SELECT recsys.check_index('passing_user_id_item_id_idx');
DROP TABLE passing;

/*
 * In the middle of a statement
 */
CREATE TABLE events (id serial PRIMARY KEY, user_id bigint NOT NULL, item_id bigint NOT NULL, note text) WITH (autovacuum_enabled = off);
CREATE INDEX events_index ON events USING recsys (user_id, item_id) WITH (similarity = cosine);
CREATE TABLE seen (what text, n bigint);

-- by an index scan, as the optimizer is told
CREATE FUNCTION count_user(u bigint) RETURNS bigint LANGUAGE sql VOLATILE SET enable_seqscan = off AS 'SELECT count(*) FROM events WHERE user_id = u';
CREATE FUNCTION notice_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO seen VALUES (TG_ARGV[0], count_user(NEW.user_id));
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION notice_row('before');
CREATE TRIGGER after AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION notice_row('after');
INSERT INTO events (user_id, item_id) SELECT 1, i FROM generate_series(1, 20) i;
SELECT what, array_agg(n) FROM seen GROUP BY what ORDER BY what;
TRUNCATE seen;
DROP TRIGGER before ON events;
COPY events (user_id, item_id) FROM stdin;
2	1
2	2
2	3
\.
SELECT what, array_agg(n) FROM seen GROUP BY what ORDER BY what;
TRUNCATE seen;
DROP TRIGGER after ON events;

-- a simple expression runs without an executor of its own
CREATE FUNCTION check_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	nothing text;
BEGIN
	IF NEW.item_id % 7 = 0 THEN
		nothing := recsys.check_index('events_index');
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION check_row();
INSERT INTO events (user_id, item_id) SELECT 3, i FROM generate_series(1, 20) i;
DROP TRIGGER before ON events;
SELECT count_user(3);

-- RETURNING, several statements in one, a cursor that was there before, another one
INSERT INTO events (user_id, item_id) SELECT 4, i FROM generate_series(1, 4) i RETURNING item_id, count_user(4);
WITH a AS (INSERT INTO events (user_id, item_id) SELECT 5, i FROM generate_series(1, 5) i RETURNING user_id),
	b AS (INSERT INTO events (user_id, item_id) SELECT 6, i FROM generate_series(1, 6) i)
SELECT count(*) FROM a;
WITH a AS (INSERT INTO events (user_id, item_id) SELECT 5, i FROM generate_series(1, 5) i ON CONFLICT DO NOTHING)
INSERT INTO events (user_id, item_id) SELECT 6, i FROM generate_series(1, 6) i;
SELECT count_user(5), count_user(6);
SET enable_seqscan = off;
BEGIN;
DECLARE early CURSOR FOR SELECT item_id FROM events WHERE user_id = 6;
FETCH 1 FROM early;
INSERT INTO events (user_id, item_id) SELECT 6, 100 + i FROM generate_series(1, 6) i;
SELECT count(*) FROM events WHERE user_id = 6;
MOVE ALL FROM early;
COMMIT;
RESET enable_seqscan;

-- functions that read while rows come
CREATE FUNCTION next_item(u bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN 1 + coalesce((SELECT max(item_id) FROM events WHERE user_id = u), 0) + count_user(u);
END $$;
INSERT INTO events (user_id, item_id) SELECT 8, next_item(8) FROM generate_series(1, 5) i;
SELECT array_agg(item_id ORDER BY id) FROM events WHERE user_id = 8;
DO $$
BEGIN
	EXECUTE 'EXPLAIN ANALYZE INSERT INTO events (user_id, item_id) VALUES (9, 1), (9, 2), (9, 3)';
END $$;
SELECT count_user(9);

/*
 * Subtransactions and errors
 */
CREATE FUNCTION fail_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.item_id = 13 THEN
		RAISE EXCEPTION 'thirteen';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail_at();
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(1, 20) i;
SELECT count_user(10);
BEGIN;
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(1, 12) i;
SAVEPOINT a;
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(14, 20) i;
SAVEPOINT b;
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(1, 20) i;
ROLLBACK TO b;
SELECT count_user(10);
RELEASE b;
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(1, 3) i;
ROLLBACK TO a;
INSERT INTO events (user_id, item_id) SELECT 10, i FROM generate_series(1, 2) i;
COMMIT;
SELECT count_user(10);
DROP TRIGGER before ON events;

-- a row's own subtransaction is rolled back while the statement goes on
CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() > 1 THEN
		RETURN NEW;
	END IF;
	BEGIN
		INSERT INTO events (user_id, item_id) SELECT 12, i FROM generate_series(1, 3) i;
		IF NEW.item_id % 2 = 0 THEN
			RAISE EXCEPTION 'even';
		END IF;
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION nested();
INSERT INTO events (user_id, item_id) SELECT 11, i FROM generate_series(1, 9) i;
DROP TRIGGER before ON events;
SELECT count_user(11), count_user(12);
DO $$
BEGIN
	FOR n IN 1 .. 5 LOOP
		BEGIN
			INSERT INTO events (user_id, item_id) SELECT 13, i FROM generate_series(1, 10) i;
			PERFORM 1 / (n % 2);
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count_user(13);
SELECT recsys.check_index('events_index');
SELECT merged > 0 AS merged FROM recsys.merge('events_index', exact => true);
VACUUM events;
SELECT recsys.check_index('events_index');

/*
 * An UPDATE of no column of the index is no event, and the index follows
 */
SELECT pending FROM recsys.index_stats WHERE index_name = 'events_index';
UPDATE events SET id = id + 10000;
UPDATE events SET id = id + 10000, note = 'x';
SELECT pending FROM recsys.index_stats WHERE index_name = 'events_index';
SELECT count_user(10), count_user(13), (SELECT sum(by_user) FROM found('events')) = (SELECT count(*) FROM events) AS found;
SELECT recsys.check_index('events_index');
BEGIN;
UPDATE events SET id = id + 10000;
SELECT count_user(10);
ROLLBACK;
SELECT count_user(10);
VACUUM events;
SELECT recsys.check_index('events_index');
SELECT count_user(10), count_user(13), (SELECT sum(by_user) FROM found('events')) = (SELECT count(*) FROM events) AS found;

-- unless a trigger has changed one, or the index had no such row
CREATE FUNCTION change_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.item_id := 999;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION change_item();
SELECT merged >= 0 AS merged FROM recsys.merge('events_index', exact => true);
UPDATE events SET id = id + 10000 WHERE user_id IN (1, 3);
SELECT pending FROM recsys.index_stats WHERE index_name = 'events_index';
DROP TRIGGER before ON events;
SELECT merged > 0 AS merged FROM recsys.merge('events_index', exact => true);
SELECT recsys.check_index('events_index');
CREATE INDEX partial_index ON events USING recsys (user_id, item_id) WITH (similarity = cosine) WHERE note = 'y';
UPDATE events SET note = 'y' WHERE user_id = 3;
SELECT pending FROM recsys.index_stats WHERE index_name = 'partial_index';
SELECT recsys.check_index('partial_index');
DROP INDEX partial_index;

-- nor of an expression of the whole row, of which the server says that nothing has changed
CREATE FUNCTION item_of(events) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1.item_id + length($1.note); END';
CREATE INDEX whole_index ON events USING recsys (user_id, (item_of(events))) WITH (similarity = cosine);
UPDATE events SET note = 'longer' WHERE user_id = 3;
SELECT pending > 0 AS pending FROM recsys.index_stats WHERE index_name = 'whole_index';
SELECT merged > 0 AS merged FROM recsys.merge('whole_index', exact => true);
SELECT recsys.check_index('whole_index');
DROP INDEX whole_index;
DROP FUNCTION item_of;

-- a version of a forgotten row counts, as what the user does afterwards
SELECT recsys.forget_user('events_index', 13);
SELECT merged >= 0 AS merged FROM recsys.merge('events_index', exact => true);
UPDATE events SET id = id + 10000 WHERE user_id = 13;
SELECT pending FROM recsys.index_stats WHERE index_name = 'events_index';
SELECT recsys.check_index('events_index');
SELECT merged > 0 AS merged FROM recsys.merge('events_index', exact => true);
SELECT recsys.check_index('events_index');

DROP TABLE source, together, single, built, parted, lines, events, seen;
DROP FUNCTION found, count_user, notice_row, check_row, next_item, fail_at, nested, change_item;
