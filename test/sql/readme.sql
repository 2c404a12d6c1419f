-- The README's first example does what its comments say.
SET client_min_messages = warning;
CREATE SCHEMA readme;
SET search_path = readme, public;
RESET client_min_messages;

CREATE TABLE purchases (user_id bigint, product_id bigint, quantity int, purchased_at timestamptz);
INSERT INTO purchases
SELECT u, u % 20 * 5 + p, 1 + u % 3, now() - random() * interval '90 days'
FROM generate_series(1, 500) u, generate_series(1, 12) p;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
VACUUM purchases;
SELECT item_id FROM recommend(42, 5);
CREATE TEMP TABLE before AS SELECT item_id, score FROM similar_items(90, 5);
INSERT INTO purchases VALUES (42, 90, 5, now());
SELECT item_id FROM recommend(42, 5);
SELECT merged FROM recsys.merge('purchases_recsys');
SELECT count(*) AS same, count(*) FILTER (WHERE a.score <> b.score) AS changed
FROM before b JOIN similar_items(90, 5) a USING (item_id);

-- a column that goes takes the index along
ALTER TABLE purchases DROP COLUMN quantity;
SELECT to_regclass('purchases_recsys');

SET client_min_messages = warning;
DROP TABLE before;
DROP SCHEMA readme CASCADE;
