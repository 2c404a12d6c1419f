/*
 * Who may ask: SELECT on the table, or on every column that the index looks at, and no
 * row-level security in the way.
 */
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_recsys_shop;
DROP ROLE IF EXISTS regress_recsys_clerk, regress_recsys_owner;
RESET client_min_messages;
CREATE ROLE regress_recsys_owner;
CREATE ROLE regress_recsys_clerk;
GRANT CREATE ON SCHEMA public TO regress_recsys_owner;

SET ROLE regress_recsys_owner;
CREATE TABLE shop (user_id bigint, item_id bigint, quantity integer, secret text, country text);
INSERT INTO shop VALUES (1, 1, 1, 's', 'fr'), (1, 2, 1, 's', 'fr'), (2, 1, 1, 's', 'fr'), (2, 2, 1, 's', 'fr'), (3, 1, 1, 's', 'fr'),
						(4, 3, 1, 's', 'de'), (4, 4, 1, 's', 'de'), (5, 3, 1, 's', 'de'), (5, 4, 1, 's', 'de');
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id, quantity);
SELECT * FROM recommend(3, 1);

-- nothing without SELECT
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1, 'shop_recsys');
SELECT * FROM recommend(3, 1, 'shop_recsys', NULL::bigint);
SELECT * FROM recommend_for_items(ARRAY[1], 1, 'shop_recsys');
SELECT * FROM recommend_for_session(ARRAY[1], 1, 'shop_recsys');
SELECT * FROM similar_items(1, 1, 'shop_recsys');
SELECT * FROM popular_items(1, 'shop_recsys');
SELECT * FROM explain_recommendation(3, 2, 'shop_recsys');
SELECT * FROM item_similarity('shop_recsys');
SELECT * FROM recsys.index_info('shop_recsys');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop');
SELECT recsys.check_index('shop_recsys');
-- and no default
SELECT * FROM recommend(3, 1);

-- the indexed columns suffice, all of them
SET ROLE regress_recsys_owner;
GRANT SELECT (user_id, item_id) ON shop TO regress_recsys_clerk;
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1, 'shop_recsys');
SET ROLE regress_recsys_owner;
GRANT SELECT (quantity) ON shop TO regress_recsys_clerk;
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1);
SELECT * FROM similar_items(1, 1);
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM shop');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id, quantity FROM shop WHERE secret = ''s''');
-- not where an expression or a condition of the index looks at another column
SET ROLE regress_recsys_owner;
CREATE INDEX shop_secret ON shop USING recsys (user_id, (length(secret)));
CREATE INDEX shop_partial ON shop USING recsys (user_id, item_id) WHERE secret IS NOT NULL;
SELECT * FROM recommend(3, 1);
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1, 'shop_secret');
SELECT * FROM recommend(3, 1, 'shop_partial');
-- so for the clerk there is still only one
SELECT * FROM recommend(3, 1);
SET ROLE regress_recsys_owner;
GRANT SELECT ON shop TO regress_recsys_clerk;
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1);
SELECT count(*) FROM recommend(3, 1, 'shop_partial');
SET ROLE regress_recsys_owner;
DROP INDEX shop_secret, shop_partial;

-- check_index is for the owner
SET ROLE regress_recsys_clerk;
SELECT recsys.check_index('shop_recsys');
SELECT users, items FROM recsys.index_info('shop_recsys');
SET ROLE regress_recsys_owner;
SELECT recsys.check_index('shop_recsys');
RESET ROLE;
SELECT recsys.check_index('shop_recsys');

-- row-level security
SET ROLE regress_recsys_owner;
CREATE POLICY french ON shop TO regress_recsys_clerk USING (country = 'fr');
ALTER TABLE shop ENABLE ROW LEVEL SECURITY;
SELECT * FROM recommend(3, 1);
SELECT count(*) FROM item_similarity();
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1);
SELECT * FROM similar_items(1, 1, 'shop_recsys');
SELECT * FROM popular_items(1, 'shop_recsys');
SELECT * FROM item_similarity('shop_recsys');
SELECT * FROM recsys.index_info('shop_recsys');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop') ORDER BY item_id;
SET row_security = off;
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop');
SELECT * FROM recommend(3, 1);
RESET row_security;
SET ROLE regress_recsys_owner;
ALTER TABLE shop FORCE ROW LEVEL SECURITY;
SELECT * FROM recommend(3, 1);
RESET ROLE;
SELECT * FROM recommend(3, 1);
ALTER ROLE regress_recsys_clerk BYPASSRLS;
SET ROLE regress_recsys_clerk;
SELECT * FROM recommend(3, 1);
RESET ROLE;
ALTER ROLE regress_recsys_clerk NOBYPASSRLS;

-- a definer's function passes on what its owner may see
SET ROLE regress_recsys_owner;
ALTER TABLE shop NO FORCE ROW LEVEL SECURITY;
CREATE FUNCTION recommend_for_me() RETURNS SETOF bigint LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
	SELECT item_id FROM recommend(3, 1);
END;
SET ROLE regress_recsys_clerk;
SELECT recommend_for_me();

-- the plan of a prepared statement asks again
SET ROLE regress_recsys_owner;
ALTER TABLE shop DISABLE ROW LEVEL SECURITY;
PREPARE ask AS SELECT item_id FROM recommend(3, 1);
EXECUTE ask;
REVOKE ALL ON shop FROM regress_recsys_clerk;
SET ROLE regress_recsys_clerk;
EXECUTE ask;
RESET ROLE;
DEALLOCATE ask;
DROP FUNCTION recommend_for_me;
DROP TABLE shop;

-- who owns a database can install the extension there without being a superuser
ALTER ROLE regress_recsys_owner LOGIN;
CREATE DATABASE regress_recsys_shop OWNER regress_recsys_owner;
SELECT current_database() AS database, current_user AS superuser \gset
\c regress_recsys_shop regress_recsys_owner
SELECT rolsuper FROM pg_roles WHERE rolname = current_user;
CREATE EXTENSION recsys;
CREATE TABLE shop (user_id bigint, item_id bigint);
INSERT INTO shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id);
SELECT * FROM recommend(3);
SELECT recsys.check_index('shop_recsys');
DROP EXTENSION recsys;
DROP EXTENSION recsys CASCADE;
\d shop
CREATE SCHEMA verbs;
CREATE EXTENSION recsys SCHEMA verbs;
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id);
SELECT * FROM verbs.recommend(3);
SELECT recommend(3);
\c :database :superuser
DROP DATABASE regress_recsys_shop;
REVOKE CREATE ON SCHEMA public FROM regress_recsys_owner;
DROP ROLE regress_recsys_clerk, regress_recsys_owner;
