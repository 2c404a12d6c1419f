/*
 * Olist: products of a marketplace in Brazil, keys of text, most people buy once.  Run by
 * content.sh.  A product has a category, a size and a weight; its lines say who sells it, at
 * what price.  People are numbered; an order that is missing in the file is a person of its own.
 */
\o /dev/null
SET datestyle = 'ISO, MDY';
CREATE TABLE customers (customer_id text PRIMARY KEY, customer_unique_id text NOT NULL, customer_zip_code_prefix text, customer_city text, customer_state text);
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text, order_status text, order_purchase_timestamp timestamp, order_approved_at text,
	order_delivered_carrier_date text, order_delivered_customer_date text, order_estimated_delivery_date text);
CREATE TABLE products (product_id text PRIMARY KEY, product_category_name text, product_name_lenght integer,
	product_description_lenght integer, product_photos_qty integer, product_weight_g numeric, product_length_cm numeric,
	product_height_cm numeric, product_width_cm numeric);
CREATE TABLE order_items (order_id text, order_item_id integer, product_id text, seller_id text, shipping_limit_date timestamptz, price numeric, freight_value numeric);
COPY customers FROM :'customers' (FORMAT csv, HEADER);
COPY orders FROM :'orders_first_10000' (FORMAT csv, HEADER);
COPY products FROM :'products' (FORMAT csv, HEADER);
COPY order_items FROM :'order_items' (FORMAT csv, HEADER);
CREATE TABLE events AS
SELECT dense_rank() OVER (ORDER BY coalesce(c.customer_unique_id, i.order_id)) AS user_id, i.product_id AS item_id,
	   row_number() OVER (ORDER BY min(i.shipping_limit_date), min(i.order_item_id), i.product_id) AS place
FROM order_items i LEFT JOIN orders o USING (order_id) LEFT JOIN customers c USING (customer_id)
GROUP BY coalesce(c.customer_unique_id, i.order_id), i.product_id;
CREATE TABLE items AS
SELECT p.product_id AS item_id, p.product_category_name AS category, l.seller, l.price, p.product_weight_g AS weight,
	   p.product_length_cm * p.product_height_cm * p.product_width_cm AS volume
FROM products p JOIN (SELECT product_id, min(seller_id) AS seller, avg(price) AS price FROM order_items GROUP BY product_id) l USING (product_id);
\o
\set key text
\set attributes 'category text_label_ops, seller text_label_ops, price, weight numeric_ops (weight = 0.5), volume numeric_ops (weight = 0.5)'
\echo
\echo '### Olist'
SELECT (SELECT count(*) FROM items) AS items, count(*) AS purchases, count(DISTINCT user_id) AS people,
	   (SELECT count(*) FROM (SELECT FROM events GROUP BY user_id HAVING count(*) > 1) e) AS "people with several" FROM events;
\ir cold.sql
