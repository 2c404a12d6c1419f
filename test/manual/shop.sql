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

/* What a marketplace has beside that */
CREATE TABLE sellers (seller_id integer PRIMARY KEY, name text, rating_sum numeric, rating_count integer, joined_at timestamptz);
INSERT INTO sellers
SELECT s, 'Seller ' || s, s * 20 * (3 + s % 3), s * 20, now() - make_interval(days => CASE WHEN s = 12 THEN 20 ELSE 100 * s END) FROM generate_series(1, 12) s;
ALTER TABLE products ADD brand text, ADD price numeric(10, 2), ADD shipping numeric(10, 2), ADD stock integer, ADD suspected_fake boolean,
	ADD canonical_product_id bigint;
UPDATE products SET brand = 'Brand ' || product_id % 7, price = 5 + product_id * 37 % 90, shipping = product_id % 4, stock = product_id % 11,
	suspected_fake = product_id % 50 = 0, canonical_product_id = product_id - product_id % 2;
CREATE INDEX ON products (canonical_product_id);
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age_band text, is_fraud boolean, newsletter boolean);
INSERT INTO customers
SELECT c, (ARRAY['DE', 'FR', 'NL'])[1 + c % 3], (ARRAY['18-29', '30-39', '40-59', '60+'])[1 + c % 4], c % 100 = 0, c % 3 > 0
FROM generate_series(1, 2100) c;
CREATE TABLE views (user_id bigint, product_id bigint, viewed_at timestamptz);
INSERT INTO views
SELECT user_id, 1000 + (product_id - 1000 + n * 3) % 200, purchased_at - interval '2 days' FROM purchases, generate_series(0, 1) n WHERE user_id % 2 = 0;
CREATE TABLE returns (user_id bigint, product_id bigint, returned_at timestamptz);
INSERT INTO returns SELECT user_id, product_id, purchased_at + interval '9 days' FROM purchases
WHERE (user_id + product_id) % 23 = 0 AND purchased_at < now() - interval '9 days';
CREATE TABLE reviews (user_id bigint, product_id bigint, stars integer, written_at timestamptz);
INSERT INTO reviews SELECT user_id, product_id, 1 + (user_id * 7 + product_id) % 5, purchased_at + interval '20 days' FROM purchases WHERE user_id % 4 = 0;
CREATE TABLE promotions (product_id bigint, boost numeric, starts_at timestamptz, ends_at timestamptz);
INSERT INTO promotions SELECT 1000 + n * 7, 1.2 + n % 3 * 0.2, now() - interval '1 day', now() + interval '6 days' FROM generate_series(0, 9) n;
CREATE TABLE recalls (product_id bigint PRIMARY KEY, reason text);
CREATE TABLE price_history (product_id bigint, price numeric(10, 2), valid_from timestamptz);
INSERT INTO price_history
SELECT product_id, CASE WHEN n = 1 THEN price WHEN product_id % 3 = 0 THEN price * 1.25 ELSE price END, now() - make_interval(days => CASE n WHEN 0 THEN 200 ELSE 4 END)
FROM products, generate_series(0, 1) n;
CREATE INDEX ON price_history (product_id);

/*
 * What items say of themselves.  A picture is 24 pixels wide: a shape for each kind of product, in
 * one of six colours.
 */
CREATE FUNCTION picture(kind integer, colour integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
SELECT decode('89504e470d0a1a0a0000000d4948445200000018000000180103000000dab9afbb' ||
	(ARRAY['00000006504c5445ffffffaa783c49a484b1',
		'00000006504c5445ffffff828c963929fda6',
		'00000006504c5445ffffffe1d2b482e0b9e1',
		'00000006504c5445ffffff964632c2a8ae3f',
		'00000006504c5445ffffffbe64325344ff47',
		'00000006504c5445ffffff5a5a782a6334c8'])[1 + colour] ||
	(ARRAY['0000002e4944415478da6360400612406c03c47540fc1f8219ff373030ff3fc0c0feff0103ffff0f600c56870783d4433100dda811fb756b9440',
		'000000154944415478da63606760602009ff7f80c00c0431008f990e26fea5932d',
		'000000134944415478da6360c003eaffff836309f2200016990a15199350e2',
		'000000144944415478da6360c002eaffff036372f9480000b69513e1a52905cd',
		'000000174944415478da633060e061b0ffff078c416c744ca11c00e8051591f4dae560',
		'000000254944415478da63604003fcff61f80110ff00621920e601623634cc0395fb01550bd1870600ebe514f9e2867d10',
		'000000294944415478da63608002c6ff0d60cc60c3808aeb80f83f421e8499ff1f40c1c87220b5603d36606301e6d1172ff8ab2781',
		'000000474944415478da636000813a0606e6ff0718d8ff3f60e06ffcc0202751c1602361c360212103c605127c102cdf07c10c7c606cc12003c6364028c75001d60b32036416c84c200000ac87137b3cbc45c7',
		'000000494944415478da63604006750c0c8cff1b18981b0f30b0333c60e0632860e0613060904082bcdb6e3048e76e6060bb9d00645f60e086b259b71d6060ce5dc0c074db818111cc6e00b101fe3114b00c9a615a',
		'000000194944415478da63600002f9ff3fe05886c182228c6c161000004e7711c55c61d303'])[1 + kind] || '0000000049454e44ae426082', 'hex') $$;
ALTER TABLE products ADD tags text[], ADD photo bytea, ADD embedding real[];
UPDATE products SET
	tags = ARRAY[category, (ARRAY['rustic', 'modern', 'playful', 'plain'])[1 + product_id % 4], (ARRAY['gift', 'outdoor', 'new'])[1 + product_id % 5]],
	photo = picture(((product_id - 1000) / 20)::integer, (product_id - 1000)::integer % 6),
	embedding = ARRAY(SELECT (sin((product_id - 1000) / 20 * d) + 0.3 * sin(product_id * d * d))::real FROM generate_series(1, 8) d);
CREATE TABLE uploads (id integer PRIMARY KEY, photo bytea NOT NULL);
INSERT INTO uploads SELECT n, picture(n % 10, n % 4) FROM generate_series(0, 9) n;
