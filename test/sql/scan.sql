/*
 * The index as an index: WHERE user_id = …, item_id = …, or both.
 */
CREATE TABLE events (user_id bigint, item_id integer, weight integer, note text);
INSERT INTO events SELECT g % 2000 * (g % 3), (g * 7) % 501, g % 5, 'row ' || g FROM generate_series(1, 50000) g;
-- rows without a user or an item are found as well; without both they cannot be asked for
INSERT INTO events VALUES (NULL, 77, 1, 'no user'), (77, NULL, 1, 'no item'), (NULL, NULL, 1, 'nothing'), (77, 77, NULL, 'no weight');
CREATE INDEX events_recsys ON events USING recsys (user_id, item_id, weight);
VACUUM ANALYZE events;

-- the planner takes it by itself
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE item_id = 42;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42 AND item_id = 42;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42 AND weight = 1;
-- and leaves it where it is of no use
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE weight = 1;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id > 42;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id IS NULL;
EXPLAIN (COSTS OFF) SELECT count(*) FROM events;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42 AND weight = 1;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE item_id = 42;
RESET enable_bitmapscan;
RESET enable_seqscan;

-- cross-type constants
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42::smallint AND item_id = 42::bigint;
SELECT * FROM events WHERE user_id = 77::smallint ORDER BY note COLLATE "C" LIMIT 2;
SELECT count(*) FROM events WHERE item_id = 99999999999;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 42.0;

-- results are those of a B-tree and of a sequential scan, for plain and bitmap scans
CREATE FUNCTION scan_all(method text, OUT method text, OUT users text, OUT items text, OUT both_keys text)
LANGUAGE sql SET enable_seqscan = off SET enable_indexscan = off SET enable_bitmapscan = off AS $$
	SELECT set_config('enable_' || method, 'on', true);
	SELECT method,
		   (SELECT count(*) || ' ' || sum(hashtext(note)) FROM generate_series(-13, 4001, 13) u, LATERAL (SELECT note FROM events WHERE user_id = u OFFSET 0) e),
		   (SELECT count(*) || ' ' || sum(hashtext(note)) FROM generate_series(-1, 502, 7) i, LATERAL (SELECT note FROM events WHERE item_id = i OFFSET 0) e),
		   (SELECT count(*) || ' ' || sum(hashtext(note)) FROM generate_series(-13, 2001, 13) u, generate_series(0, 500, 19) i,
				   LATERAL (SELECT note FROM events WHERE user_id = u AND item_id = i OFFSET 0) e);
$$;
CREATE TABLE scanned AS SELECT * FROM scan_all('indexscan');
INSERT INTO scanned SELECT * FROM scan_all('bitmapscan');
DROP INDEX events_recsys;
INSERT INTO scanned
SELECT 'sequential', (SELECT count(*) || ' ' || sum(hashtext(note)) FROM events WHERE user_id IN (SELECT generate_series(-13, 4001, 13))),
	   (SELECT count(*) || ' ' || sum(hashtext(note)) FROM events WHERE item_id IN (SELECT generate_series(-1, 502, 7))),
	   (SELECT count(*) || ' ' || sum(hashtext(note)) FROM events
		WHERE user_id IN (SELECT generate_series(-13, 2001, 13)) AND item_id IN (SELECT generate_series(0, 500, 19)));
CREATE INDEX events_btree ON events (item_id, user_id);
INSERT INTO scanned SELECT * FROM scan_all('indexscan');
SELECT count(*), count(DISTINCT (users, items, both_keys)) AS different,
	   min(split_part(users, ' ', 1)) AS users, min(split_part(items, ' ', 1)) AS items, min(split_part(both_keys, ' ', 1)) AS both_keys FROM scanned;
DROP INDEX events_btree;
CREATE INDEX events_recsys ON events USING recsys (user_id, item_id, weight);

-- NULLs
SELECT * FROM events WHERE item_id = 77 AND note LIKE 'no%' ORDER BY note COLLATE "C";
SELECT * FROM events WHERE user_id = 77 AND note LIKE 'no%' ORDER BY note COLLATE "C";
SELECT * FROM events WHERE user_id = 77 AND item_id = 77 AND note LIKE 'no%';
SELECT count(*) FROM events WHERE user_id = NULL;

-- contradictions and repetitions
-- PostgreSQL 17 and later name the result of a subquery otherwise
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(regexp_replace(line, ' \(returns \$\d+\)', ''), '\(InitPlan \d+\)\.col1|\$\d+', 'subquery');
	END LOOP;
END $$;
SELECT plan_of('SELECT * FROM events WHERE user_id = 42 AND user_id = (SELECT 43)');
DROP FUNCTION plan_of;
SELECT count(*) FROM events WHERE user_id = 42 AND user_id = (SELECT 43);
SELECT count(*) > 0 AS found FROM events WHERE user_id = 42 AND user_id = (SELECT 42);
SELECT count(*) FROM events WHERE user_id = (SELECT NULL::bigint);

-- lists
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = ANY (ARRAY[41, 42]);
SELECT count(*) FROM events WHERE user_id = ANY (ARRAY[41, 42, 42, NULL]);
SELECT (SELECT count(*) FROM events WHERE user_id = 41) + (SELECT count(*) FROM events WHERE user_id = 42) AS count;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE user_id = 41 OR item_id = 42;

-- joins and prepared statements
SET enable_hashjoin = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM (VALUES (1), (42)) v(u) JOIN events ON user_id = u;
SELECT u, count(*) FROM (VALUES (1), (42), (NULL), (-5)) v(u) JOIN events ON user_id = u GROUP BY u ORDER BY u;
RESET enable_hashjoin;
RESET enable_mergejoin;
PREPARE of_user(bigint) AS SELECT count(*) FROM events WHERE user_id = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE of_user(42);
EXECUTE of_user(42);
EXECUTE of_user(NULL);
EXECUTE of_user(1);
RESET plan_cache_mode;
DEALLOCATE of_user;

-- a cursor that goes back
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT weight, item_id FROM events WHERE user_id = 4;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ABSOLUTE 2 FROM c;
COMMIT;

-- after updates and deletes
UPDATE events SET item_id = 5000 WHERE user_id = 42 AND weight = 1;
UPDATE events SET note = 'changed' WHERE user_id = 42 AND weight = 2;
UPDATE events SET user_id = 5000 WHERE user_id = 41;
DELETE FROM events WHERE user_id = 43;
SELECT count(*), count(*) FILTER (WHERE item_id = 5000) AS moved, count(*) FILTER (WHERE note = 'changed') AS changed FROM events WHERE user_id = 42;
SELECT count(*) > 0 AS found, bool_and(user_id = 42) AS right_user FROM events WHERE item_id = 5000;
SELECT count(*) FROM events WHERE user_id = 41;
SELECT count(*) > 0 AS found FROM events WHERE user_id = 5000;
SELECT count(*) FROM events WHERE user_id = 43;
SELECT recsys.check_index('events_recsys');
VACUUM events;
SELECT count(*), count(*) FILTER (WHERE item_id = 5000) AS moved, count(*) FILTER (WHERE note = 'changed') AS changed FROM events WHERE user_id = 42;
SELECT count(*) FROM events WHERE user_id = 43;
SELECT recsys.check_index('events_recsys');
DROP TABLE events, scanned CASCADE;
DROP FUNCTION scan_all;

-- partial and expression indexes
CREATE TABLE orders (customer text, product integer, amount numeric, state text);
INSERT INTO orders SELECT 'Customer ' || g % 300, g * 13 % 97, g % 7 * 1.5, CASE WHEN g % 4 = 0 THEN 'cancelled' ELSE 'paid' END
FROM generate_series(1, 6000) g;
CREATE INDEX orders_recsys ON orders USING recsys (lower(customer), (product % 50), (amount * 2)) WITH (similarity = cosine) WHERE state = 'paid';
ANALYZE orders;
SELECT recsys.check_index('orders_recsys');
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE lower(customer) = 'customer 7' AND state = 'paid';
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE lower(customer) = 'customer 7';
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE product % 50 = 7 AND state = 'paid';
SELECT count(*) FROM orders WHERE lower(customer) = 'customer 7' AND state = 'paid';
SELECT count(*) FROM orders WHERE lower(customer) = 'customer 7' AND state || '' = 'paid';
SELECT count(*) FROM orders WHERE product % 50 = 7 AND state = 'paid';
SELECT count(*) FROM orders WHERE (product || '')::integer % 50 = 7 AND state = 'paid';
-- the model is that of the query
SELECT count(*) AS differences FROM item_similarity() i
FULL JOIN query_item_similarity($$SELECT lower(customer), product % 50, amount * 2 FROM orders WHERE state = 'paid'$$, similarity => 'cosine') q
	USING (item_id, similar_item_id, score, support, rank)
WHERE i.item_id IS NULL OR q.item_id IS NULL;
-- rows enter and leave a partial index
INSERT INTO orders VALUES ('NEW', 7, 1, 'cancelled'), ('New', 8, 1, 'paid');
SELECT item_id FROM recommend('new'::text, 3, exclude_seen => false) EXCEPT SELECT item_id FROM similar_items(8);
UPDATE orders SET state = 'paid' WHERE customer = 'NEW';
SELECT product FROM orders WHERE lower(customer) = 'new' AND state = 'paid' ORDER BY 1;
SELECT because_item_id, weight FROM explain_recommendation('new'::text, 9) ORDER BY 1;
UPDATE orders SET state = 'cancelled' WHERE customer = 'New';
SELECT because_item_id, weight FROM explain_recommendation('new'::text, 9) ORDER BY 1;
SELECT recsys.check_index('orders_recsys');
DROP TABLE orders;
