-- Queries that functions run must not write, whoever plans them, and in functions that they call.
CREATE TABLE bought (user_id int, item_id int);
INSERT INTO bought SELECT u, i FROM generate_series(1, 20) u, generate_series(1, 4) i WHERE (u + i) % 3 > 0;
CREATE SEQUENCE numbers;
CREATE FUNCTION taken(who int) RETURNS TABLE (user_id int, item_id int) LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY DELETE FROM bought b WHERE b.user_id = who RETURNING b.user_id, b.item_id; END';

SELECT count(*) FROM query_item_similarity('WITH d AS (DELETE FROM bought RETURNING *) SELECT user_id, item_id FROM d');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM bought FOR UPDATE');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM (SELECT * FROM bought FOR SHARE) b');
SELECT count(*) FROM query_item_similarity('SELECT * FROM taken(1)');
SELECT count(*) FROM query_frequent_itemsets('SELECT * FROM taken(1)');
SELECT count(*) FROM recsys.evaluate('SELECT * FROM taken(1)');
SELECT count(*) FROM query_item_similarity('SELECT nextval(''numbers''), item_id FROM bought');
SELECT count(*) FROM bought;

-- the transaction writes before and after, whether the query went well or not
BEGIN;
INSERT INTO bought VALUES (21, 1);
SELECT count(*) > 0 AS pairs FROM query_item_similarity('SELECT user_id, item_id FROM bought');
SHOW transaction_read_only;
INSERT INTO bought VALUES (21, 2);
SAVEPOINT before;
SELECT count(*) FROM query_item_similarity('SELECT * FROM taken(1)');
ROLLBACK TO before;
SHOW transaction_read_only;
INSERT INTO bought VALUES (21, 3);
COMMIT;
SELECT count(*) FROM bought WHERE user_id = 21;
DO $$
BEGIN
	PERFORM * FROM query_item_similarity('SELECT * FROM taken(2)');
EXCEPTION WHEN read_only_sql_transaction THEN
	INSERT INTO bought VALUES (22, 1);
END $$;
SELECT count(*) FROM bought WHERE user_id IN (2, 22);

-- a transaction that only reads stays so
BEGIN READ ONLY;
SELECT count(*) > 0 AS pairs FROM query_item_similarity('SELECT user_id, item_id FROM bought');
SHOW transaction_read_only;
ROLLBACK;

DROP FUNCTION taken(int);
DROP SEQUENCE numbers;
DROP TABLE bought;
