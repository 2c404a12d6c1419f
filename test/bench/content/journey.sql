/*
 * The Complete Journey: households of a grocery chain, products with department, category, type,
 * brand and maker.  Run by content.sh.  Fuel, coupons and the like are not products.  Some keys
 * are written as 9e+05.
 */
\o /dev/null
CREATE TABLE products (item_id numeric PRIMARY KEY, manufacturer integer, department text, brand text, category text, type text, size text);
CREATE TABLE transactions (household_id bigint, store_id integer, basket_id numeric, product_id numeric, quantity numeric, sales_value numeric,
	retail_disc numeric, coupon_disc numeric, coupon_match_disc numeric, week integer, at timestamp);
COPY products FROM :'products' (FORMAT csv, HEADER);
COPY transactions FROM :'transactions' (FORMAT csv, HEADER);
CREATE TABLE events AS
SELECT household_id AS user_id, product_id::bigint AS item_id, row_number() OVER (ORDER BY min(at), product_id) AS place
FROM transactions JOIN products ON product_id = item_id
WHERE department NOT IN ('FUEL', 'COUPON', 'MISCELLANEOUS') GROUP BY household_id, product_id;
CREATE TABLE items AS
SELECT p.item_id::bigint, manufacturer, department, brand, category, type, price
FROM products p JOIN (SELECT product_id, avg(sales_value / quantity) FILTER (WHERE quantity > 0) AS price FROM transactions GROUP BY product_id) t
ON product_id = p.item_id;
\o
\set key bigint
\set attributes 'manufacturer int4_ops (weight = 0.5), department text_label_ops (weight = 0.5), brand text_label_ops (weight = 0.25), category text_label_ops, type text_label_ops (weight = 2), price numeric_ops (weight = 0.5)'
\echo
\echo '### Complete Journey'
SELECT (SELECT count(*) FROM items) AS items, count(*) AS "households and products", count(DISTINCT user_id) AS households FROM events;
\ir cold.sql
