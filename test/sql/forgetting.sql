-- recsys.forget_user for all indexes of a table, and what brings a user back.
SET client_min_messages = warning;
CREATE SCHEMA forgetting;
SET search_path = forgetting, public;
RESET client_min_messages;

CREATE TABLE purchases AS SELECT u::bigint AS user_id, ((u * i) % 23)::bigint AS item_id, false AS opted_out
FROM generate_series(1, 60) u, generate_series(1, 5) i;
INSERT INTO purchases SELECT u, 100, false FROM generate_series(1, 2) u;
CREATE INDEX a_recsys ON purchases USING recsys (user_id, item_id);
CREATE INDEX b_recsys ON purchases USING recsys (user_id, item_id) WITH (similarity = jaccard, min_support = 1);

-- one call for both, in one number; rows that stay are said once
SELECT recsys.forget_user('purchases', 1::bigint);
SELECT recsys.forget_user('purchases', 1::bigint);
SELECT 'a' AS index, count(*) FROM similar_items(100, 100, 'a_recsys') UNION ALL SELECT 'b', count(*) FROM similar_items(100, 100, 'b_recsys');
SELECT source, count(*) FROM recommend(1, 5, 'a_recsys') GROUP BY source;
SELECT recsys.forget_user('purchases', 123456::bigint);
SELECT recsys.check_index('a_recsys'), recsys.check_index('b_recsys');

-- a REINDEX learns from rows that are there, and not from those that are deleted
REINDEX TABLE purchases;
SELECT source, count(*) FROM recommend(1, 5, 'a_recsys') GROUP BY source;
BEGIN;
DELETE FROM purchases WHERE user_id = 1;
SELECT recsys.forget_user('purchases', 1::bigint);
COMMIT;
REINDEX TABLE purchases;
SELECT source, count(*) FROM recommend(1, 5, 'a_recsys') GROUP BY source;

-- rows that must stay are left out by a condition, which a REINDEX and a dump keep
DROP INDEX a_recsys, b_recsys;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, item_id) WHERE NOT opted_out;
BEGIN;
UPDATE purchases SET opted_out = true WHERE user_id = 2;
SELECT recsys.forget_user('purchases', 2::bigint);
COMMIT;
SELECT source, count(*) FROM recommend(2, 5) GROUP BY source;
REINDEX INDEX purchases_recsys;
SELECT source, count(*) FROM recommend(2, 5) GROUP BY source;
SELECT count(*) FROM purchases WHERE user_id = 2;

-- an order is no customer
CREATE TABLE lines AS SELECT 1000 + u AS order_id, u / 2 AS customer_id, (u * i) % 7 AS item_id FROM generate_series(1, 60) u, generate_series(1, 5) i;
CREATE INDEX lines_customers ON lines USING recsys (customer_id, item_id);
CREATE INDEX lines_orders ON lines USING recsys (order_id, item_id);
SELECT recsys.forget_user('lines', 3);
SELECT recsys.forget_user('lines_customers', 3);

-- partitions, by table or index; text keys
CREATE TABLE visits (visitor text, page text, day date) PARTITION BY RANGE (day);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
INSERT INTO visits SELECT 'v' || v, 'p' || (v * p) % 11, date '2024-01-30' + p FROM generate_series(1, 40) v, generate_series(0, 4) p;
CREATE INDEX visits_recsys ON visits USING recsys (visitor, page, day);
SELECT recsys.forget_user('visits', 'v1'::text);
SELECT recsys.forget_user('visits_recsys', 'v2'::text);
SELECT recsys.forget_user('visits_1', 'v3'::text);
SELECT recsys.forget_user('visits', 7);

-- what cannot forget says so
CREATE TABLE plain (i int);
CREATE INDEX plain_i ON plain (i);
CREATE VIEW seen AS SELECT * FROM visits;
SELECT recsys.forget_user('plain', 1);
SELECT recsys.forget_user('plain_i', 1);
SELECT recsys.forget_user('seen', 'v1'::text);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lines_orders'::regclass;
SELECT recsys.forget_user('lines', 4);
SET client_min_messages = warning;
CREATE ROLE forgetting_stranger;
RESET client_min_messages;
GRANT USAGE ON SCHEMA forgetting, recsys TO forgetting_stranger;
GRANT SELECT ON purchases TO forgetting_stranger;
SET ROLE forgetting_stranger;
SELECT recsys.forget_user('purchases', 3::bigint);
SELECT recsys.forget_user('visits_recsys', 'v1'::text);
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA forgetting CASCADE;
DROP OWNED BY forgetting_stranger;
DROP ROLE forgetting_stranger;
