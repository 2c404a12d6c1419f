/*
 * Olist: 3,095 sellers in Brazil, keys of text, people who buy once.  Run by
 * marketplaces.sh in a directory with the files.
 *
 * The tables are loaded as they are.  Of the orders only the first 10,000 are in the file;
 * an order that is missing gets a customer of its own of whom nothing is known, who is as good as
 * the real one where 97 of 100 buy once, and the time of a week before the seller had to send it.
 */
SET client_min_messages = warning;
SET datestyle = 'ISO, MDY';
CREATE TABLE customers (customer_id text PRIMARY KEY, customer_unique_id text NOT NULL, customer_zip_code_prefix text,
	customer_city text, customer_state text);
CREATE TABLE sellers (seller_id text PRIMARY KEY, seller_zip_code_prefix text, seller_city text, seller_state text);
CREATE TABLE products (product_id text PRIMARY KEY, product_category_name text, product_name_lenght integer,
	product_description_lenght integer, product_photos_qty integer, product_weight_g numeric, product_length_cm numeric,
	product_height_cm numeric, product_width_cm numeric);
CREATE TABLE category_names (product_category_name text PRIMARY KEY, product_category_name_english text);
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text NOT NULL REFERENCES customers, order_status text,
	order_purchase_timestamp timestamp NOT NULL, order_approved_at text, order_delivered_carrier_date text,
	order_delivered_customer_date text, order_estimated_delivery_date text);
CREATE TABLE order_items (order_id text NOT NULL, order_item_id integer, product_id text NOT NULL REFERENCES products,
	seller_id text NOT NULL REFERENCES sellers, shipping_limit_date timestamptz NOT NULL, price numeric, freight_value numeric,
	PRIMARY KEY (order_id, order_item_id));
COPY customers FROM :'customers' (FORMAT csv, HEADER);
COPY sellers FROM :'sellers' (FORMAT csv, HEADER);
COPY products FROM :'products' (FORMAT csv, HEADER);
COPY category_names FROM :'product_category_name_translation' (FORMAT csv, HEADER);
COPY orders FROM :'orders_first_10000' (FORMAT csv, HEADER);
COPY order_items FROM :'order_items' (FORMAT csv, HEADER);
INSERT INTO customers SELECT DISTINCT order_id, order_id FROM order_items WHERE order_id NOT IN (SELECT order_id FROM orders);
INSERT INTO orders
SELECT order_id, order_id, NULL, min(shipping_limit_date) - interval '7 days' FROM order_items
WHERE order_id NOT IN (SELECT order_id FROM orders) GROUP BY order_id;
ALTER TABLE order_items ADD FOREIGN KEY (order_id) REFERENCES orders;

-- what a shop would keep of a product, and this one leaves to its lines: who sells it, at what price
CREATE TABLE catalogue AS
SELECT DISTINCT ON (product_id) product_id, seller_id, price, freight_value, product_category_name AS category,
	   initcap(replace(coalesce(product_category_name_english, product_category_name, 'unknown'), '_', ' ')) AS title, product_photos_qty AS photos
FROM order_items JOIN products USING (product_id) LEFT JOIN category_names USING (product_category_name)
JOIN orders USING (order_id)
ORDER BY product_id, order_purchase_timestamp DESC, order_id, order_item_id;
ALTER TABLE catalogue ADD PRIMARY KEY (product_id);
ANALYZE;

SELECT min(order_purchase_timestamp) FILTER (WHERE share > 0.8) AS cut FROM (
	SELECT order_purchase_timestamp, percent_rank() OVER (ORDER BY order_purchase_timestamp) AS share FROM orders) o
\gset
\echo
\echo '### Olist'
SELECT count(*) AS lines, count(DISTINCT order_id) AS orders, count(DISTINCT product_id) AS products, count(DISTINCT seller_id) AS sellers,
	   (SELECT count(*) FROM (SELECT FROM order_items GROUP BY order_id HAVING count(DISTINCT product_id) > 1) o) AS "orders of several products"
FROM order_items;

/*
 * Held out: the last fifth of the time.  Of an order of several products all but the last stay, as what the
 * customer has in the cart; who bought one thing is a newcomer.  The graph knows neither.
 */
CREATE TABLE later AS
SELECT order_id, order_item_id, product_id, customer_unique_id, customer_state, several,
	   several AND product_id <> last AS is_given
FROM (SELECT i.*, o.customer_id, min(product_id) OVER w <> max(product_id) OVER w AS several,
			 last_value(product_id) OVER (PARTITION BY order_id ORDER BY order_item_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last
	  FROM order_items i JOIN orders o USING (order_id) WHERE o.order_purchase_timestamp >= :'cut' WINDOW w AS (PARTITION BY order_id)) i
JOIN customers USING (customer_id);
CREATE TABLE later_items AS SELECT i.* FROM order_items i JOIN later USING (order_id, order_item_id);
DELETE FROM order_items i USING later l WHERE (l.order_id, l.order_item_id) = (i.order_id, i.order_item_id);

\echo 'The customer is two joins from the line.  Three ways to an index, and what each costs:'
\ir ways.sql

-- the first way goes on
CREATE INDEX lines_recsys ON order_items USING recsys (customer_id, product_id, (1), ordered_at);
SELECT recsys.create_recommender('olist',
	signals => '[{"events": "lines_recsys", "name": "bought", "price": "price"}]',
	items => 'catalogue', item_key => 'product_id', title => 'title', category => 'category', price => 'price',
	seller => 'seller_id', max_per_seller => 3, profiles => 'buyers', profile_key => 'customer_unique_id',
	segment => 'customer_state', caps => '{"category": 6}', price_affinity => 0.1) \g /dev/null
SELECT recsys.refresh_recommender('olist') \g /dev/null
VACUUM ANALYZE;

\echo 'Without a recommender: how many products have a neighbor, and how many of 2,000 customers get a list of their own'
SELECT (SELECT count(DISTINCT item_id) FROM item_similarity('lines_recsys', NULL::text)) AS "products with a neighbor",
	   count(DISTINCT items) FILTER (WHERE list = 'index') AS "lists of the index", count(DISTINCT items) FILTER (WHERE list = 'declared') AS "lists of the declared one"
FROM (SELECT list, customer_id, array_agg(item_id ORDER BY rank) AS items
	  FROM (SELECT customer_id FROM (SELECT DISTINCT customer_id FROM order_items) c ORDER BY md5(customer_id) LIMIT 2000) c,
		   LATERAL (SELECT 'index' AS list, * FROM recommend(customer_id, 10, 'lines_recsys', NULL::text)
					UNION ALL SELECT 'declared', * FROM recommend(customer_id, 10, 'olist', NULL::text)) r
	  GROUP BY list, customer_id) l;

-- what is in the carts comes in: committed, not merged
INSERT INTO order_items SELECT i.* FROM later_items i JOIN later l USING (order_id, order_item_id) WHERE l.is_given;

/* Orders of several products: the cart is there, what else? */
INSERT INTO held SELECT DISTINCT customer_unique_id, product_id FROM later WHERE several AND NOT is_given
	AND product_id IN (SELECT product_id FROM order_items) ON CONFLICT DO NOTHING;
CREATE TABLE popular AS
SELECT product_id, category, count(DISTINCT customer_id) AS users FROM order_items JOIN catalogue USING (product_id)
WHERE ordered_at < :'cut' GROUP BY product_id, category;
CREATE INDEX ON popular (users DESC, product_id);
CREATE INDEX ON popular (category, users DESC, product_id);
INSERT INTO lists SELECT 'declared', h.customer, r.rank, r.item_id, r.source
FROM (SELECT DISTINCT customer FROM held) h, LATERAL recommend(h.customer, 10, 'olist', NULL::text) r;
INSERT INTO lists SELECT 'the index alone', h.customer, r.rank, r.item_id, r.source
FROM (SELECT DISTINCT customer FROM held) h, LATERAL recommend(h.customer, 10, 'lines_recsys', NULL::text) r;
INSERT INTO lists SELECT 'popular', h.customer, row_number() OVER (PARTITION BY h.customer ORDER BY p.users DESC, p.product_id), p.product_id
FROM (SELECT DISTINCT customer FROM held) h, LATERAL (SELECT * FROM popular p
	WHERE NOT EXISTS (SELECT FROM order_items i WHERE i.customer_id = h.customer AND i.product_id = p.product_id)
	ORDER BY users DESC, product_id LIMIT 10) p;
INSERT INTO lists SELECT 'popular in the category', h.customer, row_number() OVER (PARTITION BY h.customer ORDER BY p.users DESC, p.product_id), p.product_id
FROM (SELECT DISTINCT customer FROM held) h, LATERAL (SELECT * FROM popular p
	WHERE p.category IN (SELECT c.category FROM order_items i JOIN catalogue c USING (product_id) WHERE i.customer_id = h.customer)
	  AND NOT EXISTS (SELECT FROM order_items i WHERE i.customer_id = h.customer AND i.product_id = p.product_id)
	ORDER BY users DESC, product_id LIMIT 10) p;
\echo 'What goes into a cart next, in the last fifth of the time:'
SELECT * FROM figures ORDER BY "NDCG@10" DESC;
\echo 'Where the places of the declared lists come from:'
SELECT source, count(*) AS places, count(h.item) AS hits FROM lists l LEFT JOIN held h USING (customer, item) WHERE list = 'declared' GROUP BY source ORDER BY places DESC;

\echo 'Ten customers, for you to judge:'
SELECT CASE WHEN place = 1 THEN left(customer, 8) END AS customer,
	   CASE WHEN place = 1 THEN (SELECT string_agg(DISTINCT c.title || ' ' || round(c.price) || ' R$', ', ') FROM order_items i JOIN catalogue c USING (product_id) WHERE i.customer_id = l.customer) END AS "in the cart",
	   place AS rank, c.title AS recommended, round(c.price) AS "R$", left(c.seller_id, 6) AS seller, source, CASE WHEN h.item IS NOT NULL THEN 'bought' END AS then
FROM (SELECT *, rank AS place FROM lists WHERE list = 'declared'
	AND customer IN (SELECT customer FROM held GROUP BY customer ORDER BY md5(customer) LIMIT 10)) l
JOIN catalogue c ON c.product_id = l.item LEFT JOIN held h USING (customer, item)
ORDER BY l.customer, l.place;

/* Newcomers of known state: their first purchase */
TRUNCATE held, lists;
INSERT INTO held SELECT DISTINCT l.customer_unique_id, l.product_id FROM later l WHERE NOT several AND customer_state IS NOT NULL
	AND product_id IN (SELECT product_id FROM order_items) AND customer_unique_id NOT IN (SELECT customer_id FROM order_items);
INSERT INTO lists SELECT 'declared', h.customer, r.rank, r.item_id, r.source
FROM (SELECT DISTINCT customer FROM held) h, LATERAL recommend(h.customer, 10, 'olist', NULL::text) r;
INSERT INTO lists SELECT 'popular', h.customer, p.rank, p.product_id
FROM (SELECT DISTINCT customer FROM held) h, (SELECT product_id, row_number() OVER (ORDER BY users DESC, product_id) AS rank FROM popular) p WHERE p.rank <= 10;
INSERT INTO lists SELECT 'popular in the state', h.customer, p.rank, p.product_id
FROM (SELECT DISTINCT customer FROM held) h JOIN buyers b ON b.customer_unique_id = h.customer
JOIN (SELECT customer_state, product_id, row_number() OVER (PARTITION BY customer_state ORDER BY count(DISTINCT customer_id) DESC, product_id) AS rank
	  FROM order_items JOIN buyers ON customer_unique_id = customer_id WHERE ordered_at < :'cut' GROUP BY customer_state, product_id) p
USING (customer_state) WHERE p.rank <= 10;
\echo 'The first purchase of newcomers whose state is known:'
SELECT * FROM figures ORDER BY "NDCG@10" DESC;
