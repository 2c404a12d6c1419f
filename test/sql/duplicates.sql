-- Duplicates and fakes, by examples and against plain SQL
CREATE TABLE offers (id bigint PRIMARY KEY, seller text, brand text, title text, size text, price numeric, photo real[]);
INSERT INTO offers VALUES
	(1, 'a', 'Fjord', 'Fjord oak desk lamp with shade', 'L', 40, '{1,0.1,0,0,0}'),
	(2, 'b', 'Fjord', 'NEW! FJORD oak desk lamp with shade', 'L', 38, '{1,0.12,0,0,0}'),
	(3, 'c', NULL, 'desk lamp with shade, oak, Fjord', NULL, 44, '{1,0.09,0,0,0}'),
	(4, 'a', 'Fjord', 'Fjord oak desk lamp with shade, white', 'L', 40, '{1,0.1,0,0,0}'),
	(5, 'b', 'Fjord', 'Fjord oak desk lamp with shade, black', 'L', 40, '{1,0.1,0,0,0}'),
	(6, 'd', 'Fjord', 'Fjord oak desk lamp with shade', 'S', 30, '{1,0.1,0,0,0}'),
	(7, 'd', 'Holt', 'Holt steel phone stand twelve inch', 'M', 20, '{0,0,1,0,0}'),
	(8, 'e', 'Holt', 'Holt phone 12 64 GB', 'M', 500, '{0,0,0,1,0}'),
	(9, 'f', 'Holt', 'Holt phone 12 128 GB', 'M', 560, '{0,0,0,1,0}'),
	(10, 'g', 'Holt', 'Holt phone 12, 64 GB, free', 'M', 480, '{0,0,0,1,0.05}'),
	(11, 'h', 'Orla', 'Orla linen cushion cover', 'M', 12, NULL),
	(12, 'i', 'Orla', 'Orla linen cushion cover', 'M', NULL, NULL),
	(13, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO offers SELECT 100 + n, 's' || n, 'Brand ' || n, 'thing ' || md5(n::text) || ' ' || md5((n * 7)::text), 'M', 10 + n,
	ARRAY[sin(n), cos(n * 3), sin(n * n), cos(n * n * 5), sin(n * 11)]::real[] FROM generate_series(1, 30) n;
CREATE INDEX offers_recsys ON offers USING recsys_items (id, brand text_label_ops (weight = 0.5), title, size text_label_ops (weight = 0), price, photo);

-- the lowest key leads; the white one may be the one without a colour, but then the black one is not
SELECT item_id, duplicate_of, score > 0.9 AS alike, evidence ? 'price' AS price, evidence ? 'brand' AS brand
FROM recsys.duplicate_items('offers_recsys', 0.85) ORDER BY item_id::bigint;
-- a higher threshold has less of it
SELECT count(*) < (SELECT count(*) FROM recsys.duplicate_items('offers_recsys', 0.85)) AS less FROM recsys.duplicate_items('offers_recsys', 0.99);
-- the only items index needs no name
SELECT count(*) FROM recsys.duplicate_items(threshold => 0.85);
-- sizes have to agree
DROP INDEX offers_recsys;
CREATE INDEX offers_recsys ON offers USING recsys_items (id, brand text_label_ops (weight = 0.5), title, size text_label_ops (weight = 0.1), price, photo);
SELECT item_id, duplicate_of FROM recsys.duplicate_items('offers_recsys', 0.85, must_agree => '{size}') ORDER BY item_id::bigint;
-- by pictures alone
SELECT item_id, duplicate_of FROM recsys.duplicate_items('offers_recsys', 0.95, identifying => '{photo}') ORDER BY item_id::bigint;
-- the item with the most users leads
CREATE TABLE sales (customer bigint, item bigint);
INSERT INTO sales SELECT c, 2 FROM generate_series(1, 30) c UNION ALL SELECT c, 1 FROM generate_series(1, 5) c UNION ALL SELECT c, 8 FROM generate_series(1, 20) c;
CREATE INDEX sales_recsys ON sales USING recsys (customer, item) WITH (similarity = cosine);
SELECT item_id, duplicate_of FROM recsys.duplicate_items('offers_recsys', 0.85, events => 'sales_recsys') ORDER BY item_id::bigint;
-- what has not been merged counts, what is deleted does not
BEGIN;
INSERT INTO offers VALUES (20, 'x', 'Orla', 'Orla linen cushion cover!', 'M', 13, NULL);
DELETE FROM offers WHERE id = 11;
SELECT item_id, duplicate_of FROM recsys.duplicate_items('offers_recsys', 0.85) WHERE item_id::bigint IN (11, 12, 20);
ROLLBACK;
-- what a shop does with it
ALTER TABLE offers ADD canonical_id bigint;
UPDATE offers SET canonical_id = duplicate_of::bigint FROM recsys.duplicate_items('offers_recsys', 0.85) WHERE id = item_id::bigint;
SELECT id, canonical_id FROM offers WHERE canonical_id IS NOT NULL ORDER BY id;

-- fakes: number 8 is known, 10 sells it at a usual price, 30 and 31 do not; 31 is another thing with its picture
INSERT INTO offers VALUES (30, 'new', 'Holt', 'Holt phone 12 64 GB original', 'M', 120, '{0,0,0,1,0.02}'), (31, 'newer', NULL, 'bargain of the day', NULL, 99, '{0,0,0,1,0.01}'),
	(32, 'e', 'Holt', 'Holt phone 12 64 GB', 'M', 100, '{0,0,0,1,0}');
SELECT rank, item_id, seller_id, copy_of, copied_seller_id, round(score::numeric, 2) AS score, evidence->'price' AS price, evidence->'usual_price' AS usual, evidence->'users_of_copied' AS users,
	(evidence->>'deviation')::numeric < -3 AS cheap, evidence ? 'new_seller' AS new_seller
FROM recsys.suspicious_items('offers_recsys', events => 'sales_recsys', seller => 'seller', price => 'price') ORDER BY rank;
SELECT count(*) FROM recsys.suspicious_items('offers_recsys', events => 'sales_recsys', seller => 'seller', price => 'price', min_users => 21);
SELECT count(*) FROM recsys.suspicious_items('offers_recsys', deviation => 100, events => 'sales_recsys', seller => 'seller', price => 'price');

-- errors
\set VERBOSITY default
SELECT * FROM recsys.duplicate_items('offers_recsys', 0.3);
SELECT * FROM recsys.duplicate_items('offers_recsys', NULL);
SELECT * FROM recsys.duplicate_items('offers_recsys', identifying => '{colour}');
SELECT * FROM recsys.duplicate_items('offers_recsys', identifying => '{price}');
SELECT * FROM recsys.duplicate_items('offers_recsys', must_agree => '{colour}');
SELECT * FROM recsys.duplicate_items('sales_recsys');
SELECT * FROM recsys.duplicate_items('nothing');
SELECT * FROM recsys.suspicious_items('offers_recsys');
SELECT * FROM recsys.suspicious_items('offers_recsys', events => 'sales_recsys', seller => 'colour', price => 'price');
SELECT * FROM recsys.suspicious_items('offers_recsys', events => 'sales_recsys', seller => 'seller', price => 'title');
SELECT * FROM recsys.suspicious_items('offers_recsys', events => 'offers_recsys', seller => 'seller', price => 'price');
CREATE INDEX labels_recsys ON offers USING recsys_items (id, brand text_label_ops, price);
SELECT * FROM recsys.duplicate_items('labels_recsys');
CREATE INDEX words_recsys ON offers USING recsys_items (id, brand);
SELECT * FROM recsys.duplicate_items('words_recsys');
SELECT * FROM recsys.duplicate_items();
DROP INDEX labels_recsys, words_recsys;

-- a declared recommender
SELECT recsys.create_recommender('stall', signals => '[{"events": "sales_recsys"}]', items => 'offers', item_key => 'id');
SELECT * FROM recsys.duplicate_items('stall');
SELECT recsys.alter_recommender('stall', content => 'offers_recsys');
SELECT count(*) FROM recsys.duplicate_items('stall', 0.85);
SELECT * FROM recsys.suspicious_items('stall');
SELECT recsys.alter_recommender('stall', seller => 'seller', price => 'price');
SELECT * FROM recsys.suspicious_items('stall', seller => 'seller');
SELECT item_id FROM recsys.suspicious_items('stall') ORDER BY rank;

-- rights: those to read the columns
CREATE ROLE regress_duplicates;
SET ROLE regress_duplicates;
SELECT count(*) FROM recsys.duplicate_items('offers_recsys');
RESET ROLE;
GRANT SELECT (id, brand, title, size, price, photo) ON offers TO regress_duplicates;
SET ROLE regress_duplicates;
SELECT count(*) FROM recsys.duplicate_items('offers_recsys', 0.85);
SELECT count(*) FROM recsys.duplicate_items('offers_recsys', events => 'sales_recsys');
RESET ROLE;
GRANT SELECT (seller) ON offers TO regress_duplicates;
GRANT SELECT ON sales TO regress_duplicates;
SET ROLE regress_duplicates;
SELECT count(*) FROM recsys.suspicious_items('offers_recsys', events => 'sales_recsys', seller => 'seller', price => 'price');
RESET ROLE;
SELECT recsys.drop_recommender('stall');
DROP TABLE offers, sales;
DROP OWNED BY regress_duplicates;
DROP ROLE regress_duplicates;
\set VERBOSITY terse

-- against plain SQL: by titles alone an item's score is its likeness to what leads it
CREATE TABLE words (sku text PRIMARY KEY, title text);
INSERT INTO words SELECT 'S' || n, (SELECT string_agg(w, ' ' ORDER BY o) FROM (SELECT chr(97 + (hashint8(n / 4 * 100 + o) & 15)) || chr(97 + (hashint8(n / 4 * 100 + 50 + o) & 7)) || 'o' AS w, o
	FROM generate_series(1, 6) o WHERE o <> n % 7 OR n % 4 = 0) w) || CASE WHEN n % 3 = 0 THEN ' shipping' ELSE '' END FROM generate_series(0, 599) n;
CREATE INDEX words_recsys ON words USING recsys_items (sku, title);
CREATE TEMP TABLE found AS SELECT * FROM recsys.duplicate_items('words_recsys', 0.8);
CREATE TEMP TABLE graph AS SELECT item_id, similar_item_id, score FROM item_similarity('words_recsys', NULL::text);
SELECT count(*) > 200 AS many FROM found;
-- each is like its leader, which leads itself; its score is what the graph says, but for the lot
SELECT count(*) FROM found LEFT JOIN graph g ON g.item_id = found.item_id AND similar_item_id = duplicate_of
WHERE g.score IS NULL OR g.score < 0.79 OR abs(g.score - found.score) > 1e-3 OR duplicate_of IN (SELECT item_id FROM found)
	OR found.item_id COLLATE "C" < duplicate_of COLLATE "C";
-- no two leaders are alike
SELECT count(*) FROM graph WHERE score > 0.801 AND item_id NOT IN (SELECT item_id FROM found) AND similar_item_id NOT IN (SELECT item_id FROM found);
-- and no other leader before it is more like it
SELECT count(*) FROM found JOIN graph g USING (item_id)
WHERE g.score > found.score + 1e-3 AND similar_item_id NOT IN (SELECT item_id FROM found) AND similar_item_id COLLATE "C" < found.item_id COLLATE "C";
DROP TABLE words, found, graph;
