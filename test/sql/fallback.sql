-- What there is for those whose signals say too little: in which order, from which lists.
SET client_min_messages = warning;
CREATE SCHEMA fallback;
SET search_path = fallback, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, country text, age_band text);
INSERT INTO customers SELECT c, (ARRAY['DE', 'FR'])[1 + c % 2], (ARRAY['20-29', '30-39', '40-49'])[1 + c % 3] FROM generate_series(1, 240) c;
INSERT INTO customers VALUES (1001, 'DE', '20-29'), (1002, 'DE', '90-99'), (1003, 'XX', NULL), (1004, NULL, NULL), (1005, NULL, NULL), (1006, NULL, NULL);
CREATE TABLE products (product_id bigint PRIMARY KEY, category text, seller_id text, price numeric, stock integer);
INSERT INTO products SELECT p, 'c' || p % 4, 's' || p % 6, 1.5 ^ (p % 10), p % 9 FROM generate_series(1, 80) p;
CREATE TABLE purchases (customer_id bigint, product_id bigint, bought_at timestamptz);
INSERT INTO purchases SELECT 1 + abs(hashint4(n)) % 240, 1 + (abs(hashint4(n * 3 + 1)) % 70) * (abs(hashint4(n + 70000)) % 70) / 70, now() - abs(hashint4(n + 5)) % 50 * interval '1 day' FROM generate_series(1, 3000) n;
INSERT INTO purchases SELECT c, 3 + (c * i) % 30, now() FROM generate_series(2001, 2060) c, generate_series(1, 4) i;
-- three products of c1 and one of c2 that nobody else has bought: they have no neighbors
INSERT INTO purchases SELECT 1005, p, now() FROM unnest(ARRAY[73, 77, 74]) p;
INSERT INTO products VALUES (81, 'c1', 's5', 1, 1);
INSERT INTO purchases VALUES (1005, 81, now());
CREATE INDEX purchases_recsys ON purchases USING recsys (customer_id, product_id, bought_at) WITH (similarity = cosine);
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock > 0',
	category => 'category', seller => 'seller_id', price => 'price', profiles => 'customers', profile_key => 'customer_id',
	segment => 'country || age_band', larger_segments => ARRAY['country', 'persona']);
-- before the first refresh there is what the index knows
SELECT source, count(*) FROM recommend(1001, 100, 'home') GROUP BY 1 ORDER BY 1;
SELECT recsys.refresh_recommender('home') > 0 AS refreshed;

-- all that may be shown, each once, sources one behind the other
CREATE FUNCTION ordered(u bigint, OUT complete boolean, OUT sorted boolean, OUT sources text) LANGUAGE sql AS $$
WITH list AS (SELECT item_id, source, rank, array_position(ARRAY['history', 'category', 'seller', 'segment', 'price', 'popular', 'any'], source) AS place FROM recommend(u, 1000, 'home'))
SELECT count(DISTINCT item_id) = count(*) AND count(*) = (SELECT count(*) FROM products p WHERE stock > 0 AND NOT EXISTS (SELECT FROM purchases h WHERE h.customer_id = u AND h.product_id = p.product_id)),
	(SELECT bool_and(place >= previous) FROM (SELECT place, lag(place, 1, 0) OVER (ORDER BY rank) AS previous FROM list) s), string_agg(DISTINCT place || ' ' || source, ', ') FROM list
$$;
SELECT u, (ordered(u)).* FROM unnest(ARRAY[1001, 1002, 1003, 1004, 1005, 7, 999999]::bigint[]) u;
-- the segment's own list, then that of the larger one, then that of the persona
CREATE FUNCTION listed(kind text, value text) RETURNS TABLE (kind text, item_id bigint, place bigint) LANGUAGE sql AS $$
SELECT $1, item_id::bigint, place FROM recsys.popularity, LATERAL unnest(items) WITH ORDINALITY u (item_id, place) WHERE recommender = 'home' AND popularity.kind = $1 AND popularity.value = $2
$$;
SELECT count(*) AS listed, count(*) FILTER (WHERE e.item_id IS DISTINCT FROM g.item_id) AS different
FROM (SELECT item_id, row_number() OVER (ORDER BY kind, place) AS rank FROM (
		SELECT DISTINCT ON (item_id) * FROM (SELECT * FROM listed('segment1', 'DE20-29') UNION ALL SELECT * FROM listed('segment2', 'DE') UNION ALL SELECT 'segment3', item_id, place FROM listed('persona', 'new')) l
		WHERE item_id IN (SELECT product_id FROM products WHERE stock > 0) ORDER BY item_id, kind) d) e
	FULL JOIN (SELECT * FROM recommend(1001, 1000, 'home') WHERE source = 'segment') g USING (rank);
-- a segment that nobody is in backs off to the larger one; who is in none has the life cycle
SELECT r.item_id = l.item_id AS country FROM recommend(1002, 1, 'home') r, (SELECT item_id FROM listed('segment2', 'DE') JOIN products ON product_id = item_id WHERE stock > 0 ORDER BY place LIMIT 1) l;
SELECT r.item_id = l.item_id AS life_cycle FROM recommend(1003, 1, 'home') r, (SELECT item_id FROM listed('persona', 'new') JOIN products ON product_id = item_id WHERE stock > 0 ORDER BY place LIMIT 1) l;
-- categories take turns by their shares; then the sellers
SELECT p.category, count(*) FROM recommend(1005, 8, 'home') JOIN products p ON product_id = item_id GROUP BY 1 ORDER BY 1;
SELECT count(*) AS of_categories, count(*) FILTER (WHERE e.item_id IS NULL) AS missing, count(*) FILTER (WHERE g.item_id IS NULL) AS unexpected
FROM (SELECT item_id FROM (SELECT * FROM listed('category', 'c1') UNION ALL SELECT * FROM listed('category', 'c2')) l JOIN products ON product_id = item_id WHERE stock > 0) g
	FULL JOIN (SELECT item_id FROM recommend(1005, 1000, 'home') WHERE source = 'category') e USING (item_id);
SELECT count(*) > 0 AS some, bool_and(p.seller_id IN (SELECT seller_id FROM purchases JOIN products USING (product_id) WHERE customer_id = 1005)) AS theirs
FROM recommend(1005, 1000, 'home') r JOIN products p ON product_id = item_id WHERE source = 'seller';
-- a cart says what is near, too
SELECT source, bool_and(p.category = 'c3') AS of_the_cart FROM recommend(NULL::bigint, 3, 'home', context => '{"cart": [75]}') JOIN products p ON product_id = item_id GROUP BY 1;
-- nothing but the price is known of who has bought what is in no category and of no seller
UPDATE products SET category = NULL, seller_id = NULL WHERE product_id IN (78, 79);
INSERT INTO purchases VALUES (1006, 78, now()), (1006, 79, now());
SELECT recsys.alter_recommender('home', reset => ARRAY['segment', 'larger_segments']);
SELECT recsys.refresh_recommender('home') > 0 AS refreshed;
SELECT source, count(*) > 2 AS some, min(l.value) AS level FROM recommend(1006, 1000, 'home') r
	LEFT JOIN (SELECT value, unnest(items)::bigint AS item_id FROM recsys.popularity WHERE kind = 'price' AND recommender = 'home') l ON l.item_id = r.item_id AND source = 'price' GROUP BY 1 ORDER BY 1;

-- lists of what was declared before are none until the next refresh
SELECT recsys.alter_recommender('home', segment => 'age_band');
SELECT source, count(*) > 0 AS some FROM recommend(1001, 3, 'home') GROUP BY 1;
SELECT recsys.refresh_recommender('home') > 0 AS refreshed;
SELECT source, count(*) > 0 AS some FROM recommend(1001, 3, 'home') GROUP BY 1;
SELECT item_id = (SELECT item_id FROM listed('segment1', '20-29') JOIN products ON product_id = item_id WHERE stock > 0 ORDER BY place LIMIT 1) AS first FROM popular_items(1, 'home', segment => '20-29');
-- a new name has the lists of the old one
SELECT recsys.alter_recommender('home', new_name => 'house');
SELECT source, count(*) > 0 AS some FROM recommend(1001, 3, 'house') GROUP BY 1;
SELECT recsys.drop_recommender('house');
DROP SCHEMA fallback CASCADE;
