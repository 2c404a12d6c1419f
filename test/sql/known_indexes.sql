-- Which recsys indexes there are is known without a look through pg_class, and right.
CREATE TABLE first_shop (user_id bigint, item_id bigint);
INSERT INTO first_shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
CREATE INDEX first_recsys ON first_shop USING recsys (user_id, item_id);
SELECT item_id FROM recommend(3, 1);

-- whatever changes
BEGIN;
CREATE TEMPORARY TABLE something AS SELECT 1 AS x;
CREATE INDEX ON something (x);
SELECT item_id FROM recommend(3, 1);
DO $$ BEGIN FOR i IN 1 .. 300 LOOP EXECUTE format('CREATE TEMPORARY TABLE t%s (a integer)', i); END LOOP; END $$;
SELECT item_id FROM recommend(3, 1);
SELECT pg_stat_get_xact_numscans('pg_class'::regclass) AS scans_of_pg_class;
ROLLBACK;

-- a new index, and one that is gone again
BEGIN;
CREATE TABLE second_shop AS SELECT * FROM first_shop;
CREATE INDEX second_recsys ON second_shop USING recsys (user_id, item_id);
SELECT item_id FROM recommend(3, 1);
ROLLBACK;
SELECT item_id FROM recommend(3, 1);
CREATE TABLE second_shop (user_id text, item_id text);
BEGIN;
SAVEPOINT s;
CREATE INDEX second_recsys ON second_shop USING recsys (user_id, item_id);
ROLLBACK TO s;
SELECT item_id FROM recommend(3, 1);
COMMIT;
CREATE INDEX second_recsys ON second_shop USING recsys (user_id, item_id);
SELECT index_name FROM recsys.index_stats ORDER BY 1;
DROP INDEX first_recsys;
SELECT index_name FROM recsys.index_stats ORDER BY 1;
CREATE INDEX first_recsys ON first_shop USING recsys (user_id, item_id);
DROP TABLE second_shop;
SELECT item_id FROM recommend(3, 1);
REINDEX INDEX CONCURRENTLY first_recsys;
SELECT item_id FROM recommend(3, 1);
-- another operator class, of somebody's own
CREATE OPERATOR CLASS my_int8_ops FOR TYPE bigint USING recsys AS OPERATOR 1 =;
CREATE INDEX own_recsys ON first_shop USING recsys (user_id my_int8_ops, item_id my_int8_ops);
SELECT index_name FROM recsys.index_stats ORDER BY 1;
DROP INDEX own_recsys;
DROP OPERATOR CLASS my_int8_ops USING recsys;
DROP TABLE first_shop;
