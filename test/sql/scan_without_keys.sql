/*
 * Scans of the index without a user or an item: by weight, by time, by the predicate of a partial
 * index, or by nothing.  Whatever the planner may and may not use, they have the rows of a
 * sequential scan, also those without a user and without an item.
 */
CREATE SCHEMA keyless;
SET search_path = keyless, public;
CREATE FUNCTION digest(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(hashtext(q::text)), 0) FROM (%s) q', query) INTO found;
	RETURN found;
END $$;
-- how the plan reads the index
CREATE FUNCTION ways(query text, index text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT json) %s', query) INTO plan;
	RETURN ARRAY(SELECT node ->> 'Node Type' FROM jsonb_path_query(plan, 'strict $.**') node WHERE node ->> 'Index Name' = index);
END $$;
-- with every combination of what the planner may use: rows as by a sequential scan?
CREATE FUNCTION compare(asked text, index text, OUT query text, OUT differ bigint, OUT used text[])
LANGUAGE plpgsql SET max_parallel_workers_per_gather = 0 SET enable_seqscan = on AS $$
DECLARE
	scans text[] = ARRAY['enable_seqscan', 'enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan', 'enable_hashjoin'];
	expected text;
	plans text[] = '{}';
BEGIN
	query = asked;
	differ = 0;
	PERFORM set_config(s, 'off', true) FROM unnest(scans[2:4]) s;
	expected = digest(asked);
	FOR choice IN 0 .. CASE WHEN asked LIKE '%JOIN%' THEN 31 ELSE 15 END LOOP
		PERFORM set_config(s, (choice >> (n - 1)::integer & 1)::text, true) FROM unnest(scans) WITH ORDINALITY u(s, n);
		plans = plans || ways(asked, index);
		differ = differ + (digest(asked) IS DISTINCT FROM expected)::integer;
	END LOOP;
	used = plans;
	-- a function's SET clause takes all of it back
END $$;

CREATE TABLE events (user_id bigint, item_id integer, weight integer, at timestamptz, note text);
INSERT INTO events SELECT g % 200 * (g % 3), g * 7 % 51, g % 5, '2024-01-01'::timestamptz + g % 7 * interval '1 day', 'row ' || g
FROM generate_series(1, 1500) g;
INSERT INTO events SELECT CASE WHEN g & 1 = 0 THEN 77 END, CASE WHEN g & 2 = 0 THEN 7 END, CASE WHEN g & 4 = 0 THEN 1 END,
	CASE WHEN g & 8 = 0 THEN '2024-01-02'::timestamptz END, CASE WHEN g & 16 = 0 THEN 'null ' || g END
FROM generate_series(0, 31) g;
CREATE INDEX events_recsys ON events USING recsys (user_id, item_id, weight, at);
-- chains of HOT updates, their newest versions outside of the page and in it; deleted rows; rows of a transaction that is rolled back
UPDATE events SET note = note || ', changed' WHERE weight = 2;
UPDATE events SET note = note || ' again' WHERE weight = 2 AND item_id < 25;
UPDATE events SET weight = 1 WHERE weight = 3 AND item_id < 10;
DELETE FROM events WHERE weight = 1 AND item_id = 20;
BEGIN;
INSERT INTO events SELECT 1, 1, 1, now(), 'gone' FROM generate_series(1, 100);
ROLLBACK;
ANALYZE events;

CREATE TABLE queries (place serial, query text);
INSERT INTO queries (query) VALUES
	('SELECT count(*) FROM events'),
	('SELECT * FROM events'),
	('SELECT count(*) FROM events WHERE weight = 1'),
	('SELECT note FROM events WHERE weight = 2'),
	('SELECT note FROM events WHERE weight = 1::bigint ORDER BY note, user_id LIMIT 20'),
	('SELECT note FROM events WHERE weight = NULL'),
	('SELECT note FROM events WHERE weight = (SELECT NULL::integer)'),
	('SELECT note FROM events WHERE weight = (SELECT 1)'),
	('SELECT note FROM events WHERE weight = ANY (ARRAY[1, 4, NULL])'),
	('SELECT note FROM events WHERE weight = 1 AND weight = (SELECT 2)'),
	('SELECT note FROM events WHERE at = ''2024-01-02'''),
	('SELECT note FROM events WHERE at = ''2024-01-02'' AND weight = 1'),
	('SELECT note FROM events WHERE user_id IS NULL'),
	('SELECT note FROM events WHERE user_id IS NULL AND item_id IS NULL AND weight = 1'),
	('SELECT note FROM events WHERE weight = 1 AND (user_id = 77 OR item_id = 7)'),
	('SELECT note FROM events WHERE weight = 1 OR item_id = 7'),
	('SELECT note FROM events WHERE weight = 1 OR weight = 4 OR user_id = 77'),
	('SELECT note FROM events WHERE weight IS NULL OR weight = 4'),
	('SELECT v.w, note FROM (VALUES (1), (4), (NULL), (9)) v(w) JOIN events ON weight = v.w'),
	('SELECT v.w, note FROM (VALUES (1), (4), (NULL), (9)) v(w) LEFT JOIN events ON weight = v.w'),
	('SELECT v.w, n FROM (VALUES (1), (4), (NULL), (1)) v(w), LATERAL (SELECT count(*) AS n FROM events WHERE weight = v.w OFFSET 0) e'),
	('SELECT v.w, n FROM (VALUES (1), (4), (NULL), (1)) v(w), LATERAL (SELECT count(*) + v.w AS n FROM events OFFSET 0) e'),
	('SELECT a.note, b.user_id FROM events a JOIN events b USING (weight) WHERE a.user_id = 77 AND b.item_id = 7'),
	('SELECT note FROM events e WHERE EXISTS (SELECT FROM events f WHERE f.weight = e.weight AND f.user_id = 77)');
CREATE TABLE compared AS SELECT c.* FROM queries, LATERAL compare(query, 'events_recsys') c ORDER BY place;
SELECT query, differ FROM compared;
SELECT DISTINCT unnest(used) AS used FROM compared ORDER BY 1;
VACUUM events;
-- all pages are visible to everybody: an index-only scan does not look at the table
SELECT c.query, differ FROM queries, LATERAL compare(query, 'events_recsys') c WHERE place <= 3 ORDER BY place;

-- generic plans and cursors
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE of_weight(integer) AS SELECT count(*), count(user_id), count(item_id) FROM events WHERE weight = $1;
EXECUTE of_weight(1);
EXECUTE of_weight(NULL);
SET enable_bitmapscan = off;
EXECUTE of_weight(1);
EXECUTE of_weight(NULL);
-- what a cursor's snapshot does not see, and what it does
BEGIN;
DECLARE c CURSOR FOR SELECT weight, note FROM events WHERE weight = 4 ORDER BY note COLLATE "C";
INSERT INTO events VALUES (NULL, NULL, 4, NULL, 'a');
DELETE FROM events WHERE weight = 4 AND note < 'row 12';
FETCH 2 FROM c;
ROLLBACK;
-- a whole scan of the statement's own snapshot
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT note FROM events WHERE weight = 0;
FETCH 1 FROM c;
UPDATE events SET weight = 0;
FETCH ABSOLUTE 2 FROM c;
MOVE FORWARD ALL FROM c;
ROLLBACK;
UPDATE events SET note = 'every row once' WHERE weight = 0;
SELECT count(*) FROM events WHERE note = 'every row once';
RESET plan_cache_mode;
RESET enable_seqscan;
RESET enable_bitmapscan;
DEALLOCATE of_weight;

-- partial and expression indexes
CREATE TABLE orders (customer text, product integer, amount numeric, state text);
INSERT INTO orders SELECT 'Customer ' || g % 300, g * 13 % 97, g % 7 * 1.5, CASE WHEN g % 4 = 0 THEN 'cancelled' ELSE 'paid' END
FROM generate_series(1, 1500) g;
INSERT INTO orders VALUES (NULL, NULL, 3, 'paid'), (NULL, NULL, 3, 'cancelled'), (NULL, NULL, 3, NULL), (NULL, NULL, NULL, 'paid'), ('a', NULL, 3, 'paid');
CREATE INDEX orders_recsys ON orders USING recsys (lower(customer), (product % 50), (amount * 2)) WHERE state = 'paid';
UPDATE orders SET state = 'cancelled' WHERE product = 5;
UPDATE orders SET customer = 'other' WHERE product = 6;
ANALYZE orders;
TRUNCATE queries RESTART IDENTITY;
INSERT INTO queries (query) VALUES
	('SELECT count(*) FROM orders WHERE state = ''paid'''),
	('SELECT * FROM orders WHERE state = ''paid'''),
	('SELECT * FROM orders WHERE state = ''paid'' AND amount * 2 = 6'),
	('SELECT * FROM orders WHERE amount * 2 = 6'),
	('SELECT * FROM orders WHERE state = ''paid'' AND (amount * 2 = 6 OR lower(customer) = ''customer 7'')'),
	('SELECT * FROM orders WHERE state = ''paid'' AND amount * 2 = 6 OR state = ''cancelled'' AND product = 7'),
	('SELECT a.product, b.product FROM orders a JOIN orders b ON a.amount * 2 = b.amount * 2 WHERE a.state = ''paid'' AND b.state = ''paid'' AND a.product < 3');
TRUNCATE compared;
INSERT INTO compared SELECT c.* FROM queries, LATERAL compare(query, 'orders_recsys') c ORDER BY place;
SELECT query, differ FROM compared;
SELECT DISTINCT unnest(used) AS used FROM compared ORDER BY 1;
VACUUM orders;
SELECT c.query, differ FROM queries, LATERAL compare(query, 'orders_recsys') c WHERE place <= 3 ORDER BY place;

-- where it may, the planner reads the table
EXPLAIN (COSTS OFF) SELECT count(*) FROM orders WHERE state = 'paid';
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE weight = 1;

-- empty tables, and a row without anything
TRUNCATE events;
SELECT query, differ FROM compare('SELECT * FROM events WHERE weight = 1', 'events_recsys');
INSERT INTO events VALUES (NULL, NULL, NULL, NULL, NULL);
SELECT query, differ FROM compare('SELECT count(*) FROM events', 'events_recsys');
SELECT recsys.check_index('events_recsys');
SET client_min_messages = warning;
DROP SCHEMA keyless CASCADE;
