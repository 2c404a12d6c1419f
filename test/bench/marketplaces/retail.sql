/*
 * Online Retail: lunch bags upon lunch bags.  How many of the top five similar products of
 * the hundred most popular share the first or the last two words with them.
 */
SET client_min_messages = warning;
CREATE TABLE sales (invoice text, stock_code text, description text, quantity integer, sold_at timestamp, price numeric, customer text, country text);
COPY sales FROM :'online_retail' (FORMAT csv, HEADER);
DELETE FROM sales WHERE quantity <= 0 OR stock_code IS NULL OR stock_code !~ '^[0-9]{5}' OR price <= 0;
CREATE TABLE products AS
SELECT stock_code, btrim(mode() WITHIN GROUP (ORDER BY description)) AS description FROM sales WHERE description IS NOT NULL GROUP BY stock_code;
ALTER TABLE products ADD PRIMARY KEY (stock_code);
VACUUM ANALYZE;
CREATE INDEX sales_recsys ON sales USING recsys (invoice, stock_code);
CREATE TABLE popular AS
SELECT stock_code, description, regexp_split_to_array(upper(description), '\s+') AS words
FROM (SELECT stock_code, count(DISTINCT invoice) AS invoices FROM sales GROUP BY stock_code ORDER BY invoices DESC, stock_code LIMIT 100) p JOIN products USING (stock_code);
CREATE FUNCTION is_variant(a text[], b text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS
	'SELECT a[1:2] = b[1:2] OR a[cardinality(a) - 1:] = b[cardinality(b) - 1:]';
SELECT recsys.create_recommender('sales', signals => '[{"events": "sales_recsys"}]', items => 'products', item_key => 'stock_code', title => 'description') \g /dev/null
CREATE TABLE near AS SELECT 'no groups' AS list, p.*, s.rank, s.item_id FROM popular p, LATERAL similar_items(stock_code, 5, 'sales') s;

-- variants by their titles: one of a group is shown
ALTER TABLE products ADD variant_group text;
UPDATE products p SET variant_group = g.group_id FROM recsys.title_groups('SELECT stock_code, description FROM products') g WHERE g.item_id = p.stock_code;
VACUUM ANALYZE products;
SELECT recsys.alter_recommender('sales', group_by => 'variant_group') \g /dev/null
INSERT INTO near SELECT 'groups of titles', p.*, s.rank, s.item_id FROM popular p, LATERAL similar_items(stock_code, 5, 'sales') s;

\echo
\echo '### Online Retail: variants among the five most similar of the hundred most popular'
SELECT count(*) AS products, count(DISTINCT variant_group) AS groups, max(n) AS largest FROM (SELECT variant_group, count(*) OVER (PARTITION BY variant_group) AS n FROM products) p;
CREATE VIEW near_words AS
SELECT n.*, q.description AS similar_description, regexp_split_to_array(upper(q.description), '\s+') AS similar_words
FROM near n JOIN products q ON q.stock_code = n.item_id;
SELECT list, count(*) AS "similar items", round(100.0 * count(*) FILTER (WHERE is_variant(words, similar_words)) / count(*), 1) AS "variants of the product, %",
	   round(100.0 * count(*) FILTER (WHERE EXISTS (SELECT FROM near_words o WHERE o.list = n.list AND o.stock_code = n.stock_code AND o.rank < n.rank
			AND is_variant(o.similar_words, n.similar_words))) / count(*), 1) AS "variants of one before, %"
FROM near_words n GROUP BY list ORDER BY list DESC;
\echo 'Ten groups, for you to judge:'
SELECT variant_group, count(*) AS variants, left(string_agg(description, '; ' ORDER BY stock_code), 140) AS products
FROM products GROUP BY variant_group HAVING count(*) > 1 ORDER BY md5(variant_group) LIMIT 10;
\echo 'Five products, for you to judge:'
SELECT CASE WHEN n.rank = 1 THEN n.description END AS product, n.rank, n.similar_description AS "no groups", g.similar_description AS "groups of titles"
FROM near_words n LEFT JOIN near_words g ON g.list = 'groups of titles' AND (g.stock_code, g.rank) = (n.stock_code, n.rank)
WHERE n.list = 'no groups' AND n.stock_code IN (SELECT stock_code FROM popular ORDER BY md5(stock_code) LIMIT 5) ORDER BY n.stock_code, n.rank;
