-- The README's first example does what its comments say.
SET client_min_messages = warning;
CREATE SCHEMA readme;
SET search_path = readme, public;
RESET client_min_messages;

CREATE TABLE products (product_id bigint PRIMARY KEY, name text);
CREATE TABLE purchases (user_id bigint, product_id bigint, purchased_at timestamptz DEFAULT now());
INSERT INTO products SELECT p, 'product ' || p FROM generate_series(1, 120) p;
INSERT INTO purchases
SELECT u, u % 20 * 5 + p, now() - random() * interval '90 days'
FROM generate_series(1, 500) u, generate_series(1, 12) p;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
VACUUM purchases;
SELECT r.rank, p.name FROM recommend(42, 5) r JOIN products p ON p.product_id = r.item_id ORDER BY r.rank;
CREATE TEMP TABLE before AS SELECT item_id, score FROM similar_items(90, 5);
INSERT INTO purchases SELECT 42, p FROM generate_series(88, 96) p;
SELECT r.rank, p.name FROM recommend(42, 5) r JOIN products p ON p.product_id = r.item_id ORDER BY r.rank;
SELECT merged FROM recsys.merge('purchases_recsys');
SELECT count(*) AS same, count(*) FILTER (WHERE a.score <> b.score) AS changed
FROM before b JOIN similar_items(90, 5) a USING (item_id);

-- a column that goes takes the index along
ALTER TABLE purchases DROP COLUMN user_id;
SELECT to_regclass('purchases_recsys');

SET client_min_messages = warning;
DROP TABLE before;
DROP SCHEMA readme CASCADE;
