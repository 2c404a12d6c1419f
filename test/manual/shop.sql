/*
 * The shop of the manual's examples.  Every file of the manual begins with it.
 * Taste is made up: each product has a theme, and customers buy mostly within
 * one or two themes, so that recommendations are worth looking at.
 */
CREATE TABLE products (product_id bigint PRIMARY KEY, sku text UNIQUE NOT NULL, name text NOT NULL, category text NOT NULL,
	seller_id integer NOT NULL, in_stock boolean NOT NULL DEFAULT true, listed_at timestamptz NOT NULL);
INSERT INTO products
SELECT 1000 + n, 'SKU-' || 1000 + n, (ARRAY['Oak', 'Steel', 'Linen', 'Cedar', 'Copper', 'Wool'])[1 + n % 6] || ' ' ||
	(ARRAY['lamp', 'chair', 'table', 'rug', 'shelf', 'mug', 'vase', 'clock', 'basket', 'frame'])[1 + n / 20] || ' ' || n % 20,
	(ARRAY['light', 'seating', 'tables', 'textiles', 'storage', 'kitchen', 'decor', 'decor', 'storage', 'decor'])[1 + n / 20],
	1 + n % 12, true, now() - make_interval(days => 400 - n)
FROM generate_series(0, 199) n;

CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
INSERT INTO purchases
SELECT u, 1000 + 20 * ((u + CASE WHEN p % 4 = 0 THEN p ELSE 0 END) % 10) + (u / 10 * 7 + p * p * 3) % 20,
	1 + (u + p) % 3, now() - make_interval(days => (u * 13 + p * 29) % 300, mins => u)
FROM generate_series(1, 2000) u, generate_series(1, 6 + u % 7) p;

CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz);
INSERT INTO orders SELECT n, 1 + n % 2000, now() - make_interval(hours => n) FROM generate_series(1, 5000) n;
CREATE TABLE order_items (order_id bigint, product_id bigint, quantity integer, price numeric(10, 2));
INSERT INTO order_items
SELECT n, 1000 + 20 * (n % 10) + CASE WHEN p < 3 THEN p + 4 * (n / 10 % 3) ELSE n * 7 % 20 END, 1 + n % 2, 5 + (n * p) % 40 + 0.99
FROM generate_series(1, 5000) n, generate_series(0, 3) p;

CREATE TABLE clicks (visitor_id uuid, sku text, clicked_at timestamptz);
INSERT INTO clicks
SELECT md5((u % 500)::text)::uuid, 'SKU-' || product_id, purchased_at
FROM (SELECT user_id AS u, product_id, purchased_at FROM purchases) p;
