-- Variants by their titles
SET client_min_messages = warning;
CREATE SCHEMA title_groups;
SET search_path = title_groups, public;
CREATE TABLE products (product_id bigint PRIMARY KEY, title text);
INSERT INTO products VALUES
	(30, 'LUNCH BAG RED RETROSPOT'), (7, 'LUNCH BAG  BLACK SKULL.'), (9, 'RED RETROSPOT LUNCH BAG'),
	(11, 'SET OF 3 CAKE TINS PANTRY DESIGN'), (12, 'SET OF 6 SPICE TINS, RUSTIC'), (13, 'SET OF 12 FORK CANDLES'),
	(14, 'SET/20 PAPER NAPKINS'), (15, 'Regency cake tins'), (16, 'REGENCY CAKESTAND 3 TIER'), (17, 'Sweetheart Cakestand 3-tier'),
	(18, 'steel table round, cream'), (19, 'cream steel garden table'), (20, NULL), (21, ''), (22, '...'), (23, 'Postage'), (24, 'POSTAGE!');
SELECT item_id::int, group_id::int, label FROM recsys.title_groups('SELECT product_id, title FROM products') ORDER BY 1;

-- the order of rows does not matter, nor the type of keys and titles; rows without an item are left out
SELECT count(*) AS different
FROM (SELECT * FROM recsys.title_groups('SELECT product_id, title FROM products ORDER BY product_id') EXCEPT
	  SELECT * FROM recsys.title_groups('SELECT product_id::numeric, title::varchar FROM products UNION ALL SELECT NULL, ''lunch bag'' ORDER BY 1 DESC')) s;
SELECT * FROM recsys.title_groups('SELECT lpad(to_hex(product_id), 32, ''0'')::uuid, title FROM products WHERE product_id IN (7, 30)');
SELECT * FROM recsys.title_groups('SELECT ''p'' || product_id, title FROM products WHERE product_id IN (7, 30)') ORDER BY item_id;
SELECT * FROM recsys.title_groups('SELECT 1, 2 WHERE false');
SELECT * FROM recsys.title_groups('SELECT * FROM (VALUES (1, 100), (2, 200)) v');
SELECT * FROM recsys.title_groups('SELECT 1, repeat(''word '' || n, 30) || ''red kite'' FROM generate_series(1, 1) n UNION ALL SELECT 2, ''blue red kite''') ORDER BY 1;

-- each group is known by its smallest item, and has a label that all of it share
CREATE TABLE many AS
SELECT n AS product_id, (ARRAY['lunch bag', 'jumbo bag', 'tea towel', 'photo frame', 'wall clock'])[1 + n % 5] || ' ' ||
	   (ARRAY['red', 'blue', 'green', 'oak', 'steel', 'paisley', 'woodland'])[1 + n * 7 / 5 % 7] || ' ' || md5(n::text) AS title
FROM generate_series(1, 150) n;
CREATE TABLE grouped AS SELECT item_id::int, group_id::int, label FROM recsys.title_groups('SELECT product_id, title FROM many');
SELECT label, count(*), count(DISTINCT group_id) AS groups, min(group_id) = min(item_id) AS smallest, bool_and(title LIKE label || ' %') AS shared
FROM grouped JOIN many ON product_id = item_id GROUP BY label ORDER BY label;

-- a query is one of the caller's: read-only, with the caller's rights
CREATE ROLE title_reader;
GRANT USAGE ON SCHEMA title_groups TO title_reader;
SET ROLE title_reader;
SELECT * FROM recsys.title_groups('SELECT product_id, title FROM title_groups.products');
RESET ROLE;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON products TO title_reader;
CREATE POLICY early ON products USING (product_id < 10);
SET ROLE title_reader;
SELECT * FROM recsys.title_groups('SELECT product_id, title FROM title_groups.products') ORDER BY item_id;
RESET ROLE;
SELECT * FROM recsys.title_groups('DELETE FROM products RETURNING product_id, title');
SELECT * FROM recsys.title_groups('SELECT product_id FROM products');
SELECT * FROM recsys.title_groups('SELECT true, title FROM products');
SELECT * FROM recsys.title_groups('SELECT 1.5, title FROM products');
SELECT * FROM recsys.title_groups('SELECT repeat(''x'', 2000), title FROM products');
SELECT * FROM recsys.title_groups('SELECT 1, title FROM products WHERE product_id IN (7, 9)');
SELECT * FROM recsys.title_groups('products');
SELECT * FROM recsys.title_groups(NULL);
BEGIN READ ONLY;
SELECT count(*) FROM recsys.title_groups('SELECT product_id, title FROM products');
COMMIT;

-- used as a recommender's group_by, it is a column, a table or a materialized view
CREATE MATERIALIZED VIEW variants AS SELECT item_id::bigint AS product_id, group_id FROM recsys.title_groups('SELECT product_id, title FROM title_groups.products');
SELECT count(*), count(DISTINCT group_id) FROM variants;

DROP SCHEMA title_groups CASCADE;
DROP ROLE title_reader;
