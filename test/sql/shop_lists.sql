-- Lists of declared recommenders: with nothing declared those of the index, and what the stages
-- of the funnel do to them, against plain SQL.
SET client_min_messages = warning;
CREATE SCHEMA shop_lists;
SET search_path = shop_lists, public;
CREATE TABLE products (product_id bigint PRIMARY KEY, title text, category text, price numeric,
	stock integer, seller_id integer, canonical integer);
INSERT INTO products
SELECT p, 'Product ' || p, 'category ' || p % 6, 5 + p * 7 % 31, p % 5, p % 9, p / 2 FROM generate_series(1, 240) p;
CREATE TABLE purchases (user_id bigint, product_id bigint, purchased_at timestamptz);
INSERT INTO purchases
SELECT u, 1 + (u % 8 * 30 + (hashint4(u * 100 + x) & 1023) * (hashint4(u * 7 + x) & 1023) / 1048576.0 * 60)::integer % 240,
	'2024-01-01'::timestamptz + u * x * interval '1 hour'
FROM generate_series(1, 600) u, generate_series(1, 8) x;
CREATE TABLE views AS
SELECT user_id, 1 + (product_id * 3 + user_id) % 240 AS product_id, purchased_at - interval '1 day' AS viewed_at
FROM purchases WHERE user_id % 3 > 0;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, purchased_at) WITH (similarity = cosine);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id, viewed_at) WITH (similarity = cosine);
VACUUM ANALYZE;

-- nothing declared but the signal: the same rows, scores and order
SELECT recsys.create_recommender('plain', '[{"events": "purchases_recsys"}]');
CREATE FUNCTION differences(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', a, b) INTO result;
	RETURN result;
END
$$;
SELECT call, differences(format(call, 'plain'), format(call, 'purchases_recsys')) FROM unnest(ARRAY[
	'SELECT u, r.* FROM generate_series(0, 620) u, recommend(u, 10, %L) r',
	'SELECT u, r.* FROM generate_series(0, 620, 20) u, recommend(u, NULL, %L) r',
	'SELECT u, r.* FROM generate_series(0, 620, 20) u, recommend(u, 300, %L, exclude_seen => false) r',
	'SELECT u, r.* FROM generate_series(0, 620, 5) u, recommend(u, 10, %L, half_life => ''7 days'') r',
	'SELECT i, r.* FROM generate_series(0, 250) i, recommend_for_items(ARRAY[i, i + 2, i], 10, %L) r',
	'SELECT i, r.* FROM generate_series(0, 250, 9) i, recommend_for_items(ARRAY[i, i + 2], 10, %L, false) r',
	'SELECT i, r.* FROM generate_series(0, 250) i, similar_items(i, 10, %L) r',
	'SELECT * FROM popular_items(20, %L)',
	'SELECT * FROM popular_items(NULL, %L)',
	'SELECT item_id, score::real, rank FROM popular_items(20, %L, half_life => ''30 days'')',
	'SELECT u, r.because_item_id, r.contribution::real, r.weight::real, r.similarity, r.support, r.rank, r.part, r.signal FROM generate_series(1, 600, 50) u, recommend(u, 3, ''purchases_recsys'') i, explain_recommendation(u, i.item_id, %L) r']) call;
SELECT count(*) FROM recommend(42, 0, 'plain');
SELECT * FROM recommend(42, -1, 'plain');
SELECT count(*), min(source) FROM recommend(NULL::bigint, 5, 'plain');
SELECT * FROM recommend('abc', 5, 'plain', NULL::text);
SELECT count(*) FROM recommend('42', 1, 'plain') r, recommend(42, 1, 'plain', NULL::text) t WHERE r.item_id::text = t.item_id;

-- two signals, the sum of what each says on the scale of the first, by plain SQL
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}, {"events": "views_recsys", "weight": 0.5}]',
	items => 'products', item_key => 'product_id', item_filter => 'stock > 0', title => 'title', category => 'category',
	seller => 'seller_id', max_per_seller => 2, caps => '{"category": 3}');
CREATE TABLE lists AS SELECT u, r.* FROM generate_series(1, 600, 3) u, recommend_with_reasons(u, 10, 'home') r;
SELECT count(*) AS lists, min(n) AS shortest FROM (SELECT count(*) AS n FROM lists GROUP BY u) l;
SELECT count(*) AS not_in_stock FROM lists JOIN products p ON p.product_id = item_id WHERE stock = 0;
SELECT max(n) AS most_of_a_seller FROM (SELECT count(*) AS n FROM lists JOIN products p ON p.product_id = item_id GROUP BY u, seller_id) l;
SELECT max(n) AS most_of_a_category FROM (SELECT count(*) AS n FROM lists JOIN products p ON p.product_id = item_id GROUP BY u, category) l;
SELECT count(*) AS seen FROM lists JOIN purchases b ON b.user_id = u AND b.product_id = item_id;
SELECT count(*) AS doubles FROM (SELECT u, item_id FROM lists GROUP BY 1, 2 HAVING count(*) > 1) d;
SELECT bool_and(rank = place) AS ranked, bool_and(score <= before) AS descending
FROM (SELECT *, row_number() OVER w AS place, coalesce(lag(score) OVER w, 'infinity') AS before FROM lists WINDOW w AS (PARTITION BY u ORDER BY rank)) l;

-- reasons: their contributions add up to the score
SELECT count(*) AS wrong_sums FROM lists l, LATERAL (SELECT sum(contribution) AS sum FROM explain_recommendation(l.u, l.item_id, 'home')) e
WHERE abs(e.sum - l.score) > 1e-5 * (1 + abs(l.score));
SELECT count(*) AS wrong_details FROM lists l,
	LATERAL (SELECT sum((p ->> 'contribution')::float8) AS sum FROM jsonb_array_elements(details -> 'parts') p) e
WHERE abs(e.sum - l.score) > 1e-5 * (1 + abs(l.score)) OR reason IS NULL OR details ->> 'source' <> source;
SELECT rank, source, reason FROM lists WHERE u = 4 ORDER BY rank LIMIT 3;
SELECT rank, reason FROM recommend_with_reasons(4, 3, 'purchases_recsys');

-- a context: what is in the cart counts and is not listed, what is excluded is not, and filters hold
SELECT count(*) FILTER (WHERE item_id IN (7, 9)) AS given, count(*) FILTER (WHERE p.price > 20) AS dear, count(*)
FROM generate_series(1, 600, 10) u,
	recommend(u, 10, 'home', context => '{"cart": [7], "exclude": [9], "filter": {"max_price": 20}}') r
	JOIN products p ON p.product_id = r.item_id;
SELECT count(*), bool_and(source = 'history') FROM recommend(NULL::bigint, 5, 'home', context => '{"recently_viewed": [7, 8]}');
SELECT count(*) FROM recommend(42, 5, 'purchases_recsys', context => '{"cart": [7]}') WHERE item_id = 7;
SELECT count(*) FROM recommend(42, 5, 'purchases_recsys', context => '{"filter": {"max_price": 20}}');

-- what goes with an item is not of its category; neither it nor its like is listed with it
SELECT count(*) FILTER (WHERE o.category = p.category) AS same_category, bool_and(o.stock > 0) AS in_stock, count(*) > 200 AS many
FROM products p, goes_with(p.product_id, 5, 'home') g JOIN products o ON o.product_id = g.item_id;
SELECT count(*) FILTER (WHERE item_id = p.product_id) AS itself, count(*) FILTER (WHERE o.stock = 0) AS out, min(n)
FROM products p, LATERAL (SELECT *, count(*) OVER () AS n FROM similar_items(p.product_id, 5, 'home')) s
	JOIN products o ON o.product_id = s.item_id;
SELECT count(*) FROM similar_items(NULL::bigint, 5, 'home');

-- k rows whenever k qualify, however few pass
SELECT recsys.create_recommender('few', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'product_id IN (3, 77, 78, 140, 239)');
SELECT count(*) FILTER (WHERE n <> least(4, (SELECT count(*) FROM products WHERE product_id IN (3, 77, 78, 140, 239)
	AND product_id NOT IN (SELECT product_id FROM purchases WHERE user_id = u)))) AS wrong, count(*)
FROM (SELECT u, (SELECT count(*) FROM recommend(u, 4, 'few')) AS n FROM generate_series(1, 620) u) l;
-- in the order of the index's scores
SELECT count(*) AS misplaced FROM (
	SELECT u, r.item_id, r.rank, row_number() OVER (PARTITION BY u ORDER BY i.rank) AS place
	FROM generate_series(1, 600, 7) u, recommend(u, 5, 'few') r, recommend(u, NULL, 'purchases_recsys') i
	WHERE i.item_id = r.item_id AND i.source = 'history' AND r.source = 'history') l WHERE rank <> place;

-- items that nobody has bought come last, and come
INSERT INTO products SELECT p, 'Product ' || p, NULL, NULL, 1, NULL, NULL FROM generate_series(1001, 1003) p;
SELECT array_agg(item_id ORDER BY rank), min(source) FROM recommend(42, 1000, 'home') WHERE item_id > 1000;

-- offers of one product count as one, and the cheapest that passes is shown
SELECT recsys.create_recommender('offers', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	item_filter => 'stock > 0', group_by => 'canonical', offer_order => 'price');
SELECT count(*) FILTER (WHERE r.item_id <> (SELECT o.product_id FROM products o WHERE o.canonical = p.canonical AND o.stock > 0
		ORDER BY o.price, o.product_id LIMIT 1)) AS dearer,
	count(*) FILTER (WHERE EXISTS (SELECT FROM purchases b JOIN products o USING (product_id) WHERE b.user_id = u AND o.canonical = p.canonical)) AS seen,
	count(*) - count(DISTINCT (u, p.canonical)) AS doubles, count(*)
FROM generate_series(1, 600, 6) u, recommend(u, 10, 'offers') r JOIN products p ON p.product_id = r.item_id;

-- names: an index's comes first; the only declared recommender needs none
SELECT recsys.drop_recommender(name) FROM unnest('{plain, few, offers}'::text[]) name;
SELECT differences('SELECT * FROM recommend(42, 10)', 'SELECT * FROM recommend(42, 10, ''home'')');
SELECT recsys.create_recommender('other', '[{"events": "purchases_recsys"}]');
SELECT * FROM recommend(42, 10);

-- other keys
CREATE TABLE visits AS SELECT 'u' || user_id AS visitor, md5(product_id::text)::uuid AS sku FROM purchases;
CREATE INDEX visits_recsys ON visits USING recsys (visitor, sku) WITH (similarity = cosine);
CREATE TABLE skus AS SELECT md5(product_id::text)::uuid AS sku, stock FROM products;
ALTER TABLE skus ADD PRIMARY KEY (sku);
SELECT recsys.create_recommender('uuids', '[{"events": "visits_recsys"}]', items => 'skus', item_key => 'sku', item_filter => 'stock > 2');
SELECT count(*), bool_and(stock > 2) FROM recommend('u42', 10, 'uuids', NULL::uuid) JOIN skus ON sku = item_id;
SELECT count(*), bool_and(stock > 2) FROM recommend('u42', 10, 'uuids', NULL::text) JOIN skus ON sku::text = item_id;
SELECT * FROM recommend('u42', 10, 'uuids');
SELECT count(*) FROM recommend('u42', 10, 'uuids', NULL::text, context => jsonb_build_object('cart', jsonb_build_array(md5('7'))));

SELECT recsys.drop_recommender(name) FROM unnest('{home, other, uuids}'::text[]) name;
DROP SCHEMA shop_lists CASCADE;
