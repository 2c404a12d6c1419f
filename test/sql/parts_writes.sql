-- Rows of partitions go to the one index of the partitioned table, whatever writes them, and whatever
-- becomes of the partition's file.  q is a plain table with the same rows.
SET timezone = 'UTC';

CREATE TABLE p (user_id bigint, item_id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') PARTITION BY LIST (item_id);
CREATE TABLE p2_odd PARTITION OF p2 FOR VALUES IN (1, 3, 5, 7, 9, 11);
CREATE TABLE p2_rest PARTITION OF p2 DEFAULT;
CREATE TABLE q (user_id bigint, item_id bigint, at timestamptz NOT NULL);
CREATE INDEX p_recsys ON p USING recsys (user_id, item_id, at) WITH (similarity = cosine);
CREATE INDEX q_recsys ON q USING recsys (user_id, item_id, at) WITH (similarity = cosine);

-- how many lists differ, merged or not
CREATE FUNCTION differences() RETURNS TABLE (lists bigint, graph bigint) LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM generate_series(0, 21) u
			WHERE (SELECT array_agg(r ORDER BY r.item_id) FROM recommend(u, 5, 'p_recsys') r)
				IS DISTINCT FROM (SELECT array_agg(r ORDER BY r.item_id) FROM recommend(u, 5, 'q_recsys') r)),
		(SELECT count(*) FROM item_similarity('p_recsys') g FULL JOIN item_similarity('q_recsys') h USING (item_id, similar_item_id)
			WHERE (g.score, g.support) IS DISTINCT FROM (h.score, h.support)) $$;
CREATE FUNCTION merge_both() RETURNS void LANGUAGE sql AS $$
	SELECT recsys.merge('p_recsys'), recsys.merge('q_recsys'), recsys.check_index('p_recsys') $$;

-- one row, several, many
INSERT INTO p SELECT i % 20, (i * 7 + i / 20) % 13, '2024-01-01'::timestamptz + i % 50 * interval '1 day' FROM generate_series(1, 400) i;
INSERT INTO p VALUES (1, 5, '2024-01-05');
INSERT INTO p VALUES (2, 9, '2024-02-05'), (3, 12, '2024-02-29'), (NULL, 4, '2024-01-01'), (4, NULL, '2024-02-01');
COPY p FROM stdin;
5	6	2024-01-31 12:00+00
5	8	2024-02-01 12:00+00
\.
INSERT INTO q SELECT * FROM p;
SELECT lists FROM differences();
SELECT merge_both();
SELECT * FROM differences();

-- straight into a partition; rows that move; rows that do not
INSERT INTO p1 VALUES (6, 10, '2024-01-17');
UPDATE p SET at = at + interval '20 days' WHERE user_id = 7 AND at < '2024-02-05';
UPDATE p SET item_id = item_id + 1 WHERE user_id = 8 AND item_id < 12;
DELETE FROM p WHERE user_id = 9;
TRUNCATE q;
INSERT INTO q SELECT * FROM p;
SELECT merge_both();
VACUUM (INDEX_CLEANUP ON) p;
REINDEX INDEX q_recsys;
SELECT * FROM differences();

-- VACUUM of partitions: entries go, and line pointers are used again by others
INSERT INTO p SELECT 21, i % 13, '2024-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 40) i;
INSERT INTO q SELECT 21, i % 13, '2024-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 40) i;
SELECT lists FROM differences();
SELECT merge_both();
SELECT * FROM differences();

-- subtransactions, of which some are rolled back
BEGIN;
INSERT INTO p VALUES (10, 1, '2024-01-01');
INSERT INTO q VALUES (10, 1, '2024-01-01');
SAVEPOINT a;
INSERT INTO p SELECT 10, i, '2024-02-01' FROM generate_series(1, 12) i;
ROLLBACK TO a;
INSERT INTO p SELECT 10, i, '2024-02-02' FROM generate_series(2, 4) i;
INSERT INTO q SELECT 10, i, '2024-02-02' FROM generate_series(2, 4) i;
SELECT lists FROM differences();
COMMIT;
SELECT lists FROM differences();
SELECT merge_both();
SELECT * FROM differences();

-- a partition that comes and goes within a transaction, and that is emptied in it
BEGIN;
CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
INSERT INTO p SELECT 11, i, '2024-03-05' FROM generate_series(1, 12) i;
TRUNCATE p3;
INSERT INTO p VALUES (12, 3, '2024-03-01'), (12, 4, '2024-03-01');
SELECT count(*) FROM recommend_for_items(ARRAY[3], 5, 'p_recsys') WHERE item_id = 4;
SAVEPOINT a;
DROP TABLE p3;
ROLLBACK TO a;
COMMIT;
INSERT INTO q VALUES (12, 3, '2024-03-01'), (12, 4, '2024-03-01');
SELECT lists FROM differences();
SELECT merge_both();
SELECT * FROM differences();

-- other files for the same rows, and none
VACUUM FULL p1;
SELECT lists FROM differences();
BEGIN;
TRUNCATE p1;
INSERT INTO p VALUES (13, 1, '2024-01-01');
SELECT count(*) > 0 AS forgets FROM differences() WHERE lists > 0;
ROLLBACK;
SELECT lists FROM differences();
CREATE INDEX p1_at ON p1 (at);
CLUSTER p1 USING p1_at;
SELECT lists FROM differences();
SELECT merge_both();
SELECT * FROM differences();
TRUNCATE p1;
DELETE FROM q WHERE at < '2024-02-01';
SELECT lists FROM differences();
VACUUM (INDEX_CLEANUP ON) q;
SELECT merge_both();
SELECT * FROM differences();

-- detached, changed, and attached again, at once or later
ALTER TABLE p2 DETACH PARTITION p2_odd;
DELETE FROM q WHERE at >= '2024-02-01' AND at < '2024-03-01' AND item_id IN (1, 3, 5, 7, 9, 11);
SELECT lists FROM differences();
INSERT INTO p2_odd SELECT 14, 1 + i % 3 * 2, '2024-02-10' FROM generate_series(1, 6) i;
DELETE FROM p2_odd WHERE user_id < 5;
VACUUM (INDEX_CLEANUP ON) p2_odd;
ALTER TABLE p2 ATTACH PARTITION p2_odd FOR VALUES IN (1, 3, 5, 7, 9, 11);
INSERT INTO q SELECT * FROM p2_odd;
VACUUM (INDEX_CLEANUP ON) q;
SELECT merge_both();
SELECT * FROM differences();
BEGIN;
ALTER TABLE p DETACH PARTITION p2;
ROLLBACK;
SELECT * FROM differences();

-- an upper level comes, and goes: the table's own recommender misses what has been written meanwhile
CREATE TABLE top (user_id bigint, item_id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE INDEX top_recsys ON top USING recsys (user_id, item_id, at) WITH (similarity = cosine);
ALTER TABLE top ATTACH PARTITION p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
SELECT recsys.merge('top_recsys') IS NOT NULL AS merged;
INSERT INTO top VALUES (15, 2, '2024-02-20'), (15, 6, '2024-02-20');
ALTER TABLE top DETACH PARTITION p;
INSERT INTO q VALUES (15, 2, '2024-02-20'), (15, 6, '2024-02-20');
SELECT merge_both();
SELECT * FROM differences();

-- the whole goes with the index that it is of
DROP TABLE top;
DROP INDEX p_recsys;
SELECT count(*) FROM pg_class WHERE relname ~ '^recsys_[0-9]+' AND relnamespace = 'pg_toast'::regnamespace;

-- temporary ones, which are emptied in place
CREATE TEMP TABLE tp (user_id int, item_id int) PARTITION BY HASH (user_id);
CREATE TEMP TABLE tp0 PARTITION OF tp FOR VALUES WITH (MODULUS 2, REMAINDER 0) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE tp1 PARTITION OF tp FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX tp_recsys ON tp USING recsys (user_id, item_id);
BEGIN;
INSERT INTO tp SELECT i % 9, i % 7 FROM generate_series(1, 100) i;
SELECT count(*) FROM generate_series(0, 8) u, explain_recommendation(u, 1, 'tp_recsys') WHERE u < 0;
COMMIT;
INSERT INTO tp SELECT i % 9, i % 5 FROM generate_series(1, 30) i;
SELECT recsys.merge('tp_recsys') IS NOT NULL AS merged, recsys.check_index('tp_recsys');
SELECT (SELECT sum(users) FROM popular_items(100, 'tp_recsys')) = (SELECT count(DISTINCT (user_id, item_id)) FROM tp) AS as_many;
DROP TABLE tp;

DROP FUNCTION differences(), merge_both();
DROP TABLE p, q;
