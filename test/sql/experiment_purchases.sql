--
-- What was bought: how it is declared, what is kept of that, and with whose rights it is read
--
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA bought;
CREATE ROLE regress_bought_owner;
CREATE ROLE regress_bought_other;
GRANT USAGE, CREATE ON SCHEMA bought TO regress_bought_owner, regress_bought_other;
SET ROLE regress_bought_owner;
SET search_path = bought, public;
CREATE TABLE likes (user_id bigint, item_id bigint);
INSERT INTO likes VALUES (1, 1);
CREATE INDEX likes_recsys ON likes USING recsys (user_id, item_id);
CREATE TABLE sales ("user" bigint, "Item" bigint, at timestamptz, price numeric, quantity int, kind text, stamp timestamp, note json);
CREATE FUNCTION bought.kept(declared text, metrics text[] DEFAULT '{conversion}') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	PERFORM recsys.create_experiment('bought_kept', '{"control": {"recommender": "bought.likes_recsys", "share": 0.5}, "new": {"recommender": "bought.likes_recsys", "share": 0.5}}',
		metrics => metrics, primary_metric => metrics[1], purchases => declared, start => false);
	SELECT definition -> 'purchases' INTO result FROM recsys.experiment WHERE name = 'bought_kept';
	PERFORM recsys.drop_experiment('bought_kept');
	RETURN result;
END $$;
RESET ROLE;
GRANT SELECT ON recsys.experiment TO regress_bought_owner, regress_bought_other;
SET ROLE regress_bought_owner;

-- no index says what a purchase is: columns have to be named
SELECT kept('sales');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "stamp", "amount": "price - 1", "condition": "kind = ''sale''"}', '{revenue}');
SELECT kept(E' \n\t{"table": "sales", "user": "user", "item": "\\"Item\\"", "time": "at", "amount": null}');
-- an index, a table that has one, and what a partial one adds
CREATE INDEX sales_recsys ON sales USING recsys ("user", "Item", at) WHERE kind = 'sale';
SELECT kept('sales');
SELECT kept('sales_recsys');
SELECT kept('bought.sales_recsys', '{revenue}');
SELECT kept('{"table": "sales", "time": "stamp"}');
SELECT kept('{"table": "sales_recsys", "condition": "kind <> ''gift''"}');
-- one without times says nothing; two that differ
CREATE INDEX timeless_recsys ON sales USING recsys ("user", "Item");
SELECT kept('sales') ->> 'time' AS time;
SELECT kept('timeless_recsys');
CREATE INDEX stamp_recsys ON sales USING recsys ("user", "Item", stamp);
SELECT kept('sales');
SELECT kept('stamp_recsys');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at"}');
-- what is wrong
SELECT kept('nowhere');
SELECT kept('bought');
SELECT kept('{"table": "sales", "user": "buyer"}');
SELECT kept('{"table": "sales", "user": "note", "item": "\"Item\"", "time": "at"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "price"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "amount": "kind"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "amount": "price); DROP TABLE sales; --"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "amount": "random()"}');
SELECT kept('{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "condition": "price"}');
SELECT kept('{"table": "sales", "users": "u"}');
SELECT kept('{"user": "\"user\""}');
SELECT kept('{"table": 1}');
SELECT kept('{"table": "sales"');
SELECT kept('');
CREATE TEMPORARY TABLE passing AS SELECT 1::bigint AS u, 1::bigint AS i, now() AS t;
SELECT kept('{"table": "passing", "user": "u", "item": "i", "time": "t"}');
CREATE VIEW sales_view AS SELECT "user" AS u, "Item" AS i, at, kind FROM sales;
SELECT kept('{"table": "sales_view", "user": "u", "item": "i", "time": "at"}');
SELECT kept('{"table": "sales_view", "user": "u", "item": "i", "time": "at"}', '{revenue}');
SET ROLE regress_bought_other;
SELECT bought.kept('{"table": "bought.sales", "user": "\"user\"", "item": "\"Item\"", "time": "at"}');
SET ROLE regress_bought_owner;
GRANT SELECT ("user", "Item", at) ON sales TO regress_bought_other;
GRANT SELECT ON likes TO regress_bought_other;
SET ROLE regress_bought_other;
SELECT bought.kept('{"table": "bought.sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "amount": "1"}');
SELECT bought.kept('{"table": "bought.sales", "user": "\"user\"", "item": "\"Item\"", "time": "at", "amount": "price"}');
RESET ROLE;

-- read as the owner, whoever asks: row-level security, functions of theirs, session's time zones
SET ROLE regress_bought_owner;
CREATE FUNCTION bought.tell(price numeric) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
	RAISE WARNING 'read by %', current_user;
	RETURN price;
END $$;
SELECT recsys.create_experiment('bought', '{"control": {"recommender": "bought.likes_recsys", "share": 0.5}, "new": {"recommender": "bought.likes_recsys", "share": 0.5}}',
	metrics => '{orders,revenue,user_revenue}', primary_metric => 'orders', attribution_window => '1 day',
	purchases => '{"table": "sales", "user": "\"user\"", "item": "\"Item\"", "time": "stamp", "amount": "bought.tell(price)"}');
RESET ROLE;
UPDATE recsys.experiment SET started_at = '2026-03-01', stopped_at = '2026-03-03' WHERE name = 'bought';
INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, item_ids)
SELECT ('019ca000-0000-7000-8000-00000000000' || n)::uuid, '2026-03-01 10:00', n, 'x', 'bought', CASE n WHEN 1 THEN 'control' ELSE 'new' END, '{5,6}' FROM generate_series(1, 2) AS n;
INSERT INTO bought.sales ("user", "Item", stamp, price) VALUES (1, 5, '2026-03-01 11:00', 3), (2, 6, '2026-03-01 11:00', 'NaN'), (2, 5, '2026-03-01 11:30', NULL),
	(2, 5, 'infinity', 1000), (2, 5, '-infinity', 1000);
SET client_min_messages = notice;
SELECT metric, control_value, value FROM recsys.experiment_results('bought', 'raw');
SET client_min_messages = warning;
CREATE OR REPLACE FUNCTION bought.tell(price numeric) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT $1';
ALTER FUNCTION bought.tell(numeric) OWNER TO regress_bought_owner;
-- a session's own time zone changes nothing
SET timezone = 'Asia/Tokyo';
SELECT metric, control_value, value FROM recsys.experiment_results('bought', 'raw');
SET timezone = 'UTC';
-- policies hold for the owner who is made subject to them
SET ROLE regress_bought_owner;
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales FORCE ROW LEVEL SECURITY;
CREATE POLICY sales_of_one ON sales USING ("user" = 1);
RESET ROLE;
SELECT metric, control_value, value FROM recsys.experiment_results('bought', 'raw');
-- what the expression does is done with the owner's rights, and writes nothing
SET ROLE regress_bought_owner;
CREATE OR REPLACE FUNCTION bought.tell(price numeric) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM count(*) FROM recsys.experiment_unit;
	RETURN price;
END $$;
RESET ROLE;
SELECT count(*) FROM recsys.experiment_results('bought', 'raw');
CREATE OR REPLACE FUNCTION bought.tell(price numeric) RETURNS numeric LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	EXECUTE 'SET ROLE regress_bought_other';
	RETURN price;
END $$;
SELECT count(*) FROM recsys.experiment_results('bought', 'raw');
-- nor does the keeper's relation have a name that they could see
SET ROLE regress_bought_owner;
CREATE OR REPLACE FUNCTION bought.tell(price numeric) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT count(*) FROM purchases);
END $$;
RESET ROLE;
SELECT count(*) FROM recsys.experiment_results('bought', 'raw');
-- the role has gone
UPDATE recsys.experiment SET owner = 'regress_bought_nobody' WHERE name = 'bought';
SELECT count(*) FROM recsys.experiment_results('bought', 'raw');

DELETE FROM recsys.experiment WHERE name LIKE 'bought%';
DELETE FROM recsys.request_log;
REVOKE SELECT ON recsys.experiment FROM regress_bought_owner, regress_bought_other;
SET client_min_messages = error;
DROP SCHEMA bought CASCADE;
DROP OWNED BY regress_bought_owner, regress_bought_other;
DROP ROLE regress_bought_owner, regress_bought_other;

-- an index without a time, and the only column that can be one; two of them are too many
CREATE TABLE plain_sales (customer_id bigint, product_id bigint, price numeric, sold_at timestamptz);
CREATE INDEX plain_sales_recsys ON plain_sales USING recsys (customer_id, product_id) WITH (similarity = cosine);
BEGIN;
SELECT recsys.configure_log(purchases => 'plain_sales');
SELECT purchases FROM recsys.log_setting;
ROLLBACK;
ALTER TABLE plain_sales ADD shipped_on date;
SELECT recsys.configure_log(purchases => 'plain_sales');
DROP TABLE plain_sales;
