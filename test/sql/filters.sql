-- Which items may be shown: filters, groups and offers, filters of a call, promotions, all compared with
-- plain SQL over everything that the index would recommend.
SET client_min_messages = warning;
CREATE SCHEMA filters;
SET search_path = filters, public;

CREATE TABLE filter_events (user_id integer, product_id integer);
INSERT INTO filter_events
SELECT u, 1 + (u * 31 + n * n * 7 + (u % 13) * n * 17) % (CASE WHEN n % 3 = 0 THEN 60 ELSE 400 END)
FROM generate_series(1, 150) u, generate_series(1, 20) n;
CREATE INDEX filter_events_recsys ON filter_events USING recsys (user_id, product_id) WITH (similarity = cosine);

CREATE TABLE filter_sellers (seller_id integer PRIMARY KEY, rating_sum numeric, ratings integer, joined date);
INSERT INTO filter_sellers SELECT s, s * 3.5, s, date '2026-01-01' + s FROM generate_series(1, 25) s;

-- items that no event has, and events of items that are not there
CREATE TABLE filter_items (
	product_id integer PRIMARY KEY, stock integer, fake boolean, product numeric, price numeric, shipping numeric,
	seller_id integer, category text, color varchar(10), tags text[], consumable boolean, max_weight integer, "Odd name" text);
INSERT INTO filter_items
SELECT p, p % 4, CASE WHEN p % 11 = 0 THEN NULL ELSE p % 7 = 0 END, CASE WHEN p % 5 > 0 THEN p % 90 END,
	(p * 37) % 100, p % 3, p % 27, CASE WHEN p % 17 > 0 THEN 'category ' || p % 6 END,
	(ARRAY['red', 'green', 'blue', NULL])[1 + p % 4], ARRAY['t' || p % 5, 'u' || p % 3], p % 10 = 3, p % 9, 'x' || p % 2
FROM generate_series(1, 440) p WHERE p % 19 > 0;
ANALYZE filter_items;

-- all that there is to recommend, in order, for each user
CREATE TABLE ranked AS
SELECT u AS user_id, r.item_id, r.score, r.rank FROM generate_series(1, 160, 3) u
CROSS JOIN LATERAL recommend(u, 100000, 'filter_events_recsys') r WHERE r.source = 'history';
CREATE TABLE seen AS SELECT DISTINCT user_id, product_id FROM filter_events;

/*
 * How many lists of k are other than the first k of those ranked that pass, where so many do; are
 * shorter than min(k, all that pass and are not seen); have an item that does not pass.
 */
CREATE FUNCTION differences(recommender text, k integer, passes text, context jsonb DEFAULT NULL,
	OUT other bigint, OUT shorter bigint, OUT wrong bigint, OUT lists bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$
		WITH passing AS (SELECT items.product_id FROM filter_items items WHERE %s),
		lists AS MATERIALIZED (SELECT u, r.* FROM generate_series(1, 160, 3) u
			CROSS JOIN LATERAL recommend(u, %s, %L, context => %L) r),
		wanted AS (SELECT * FROM (SELECT user_id, item_id, score, row_number() OVER (PARTITION BY user_id ORDER BY rank) AS place
				FROM ranked WHERE item_id IN (SELECT product_id FROM passing)) w WHERE place <= %s),
		counts AS (SELECT u, (SELECT count(*) FROM lists l WHERE l.u = g.u) AS listed,
				(SELECT count(*) FROM passing WHERE (g.u, product_id) NOT IN (SELECT user_id, product_id FROM seen)) AS eligible
			FROM generate_series(1, 160, 3) g(u))
		SELECT
			(SELECT count(*) FROM wanted w FULL JOIN (SELECT * FROM lists WHERE source = 'history') l
				ON l.u = w.user_id AND l.item_id = w.item_id AND l.rank = w.place AND l.score = w.score
				WHERE l.u IS NULL OR w.user_id IS NULL),
			(SELECT count(*) FROM counts WHERE listed <> least(%s, eligible)),
			(SELECT count(*) FROM lists WHERE item_id NOT IN (SELECT product_id FROM passing)
				OR (u, item_id) IN (SELECT user_id, product_id FROM seen)),
			(SELECT count(DISTINCT u) FROM lists) $q$,
		passes, k, recommender, context, k, k) INTO other, shorter, wrong, lists;
END $$;

-- filters that pass most, a few, two of all, none; without one, all items of the table pass and no others
SELECT recsys.create_recommender('most', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'stock > 0 AND NOT fake');
SELECT recsys.create_recommender('few', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'price < 3');
SELECT recsys.create_recommender('two', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'product_id IN (17, 431)');
SELECT recsys.create_recommender('none', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'NULL::boolean');
SELECT recsys.create_recommender('all', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id');
SELECT recsys.create_recommender('subquery', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'EXISTS (SELECT FROM filter_sellers s WHERE s.seller_id = items.seller_id AND ratings > 5)');
SELECT k, d.* FROM unnest(ARRAY[1, 10, 40, 1000]) k, differences('most', k, 'stock > 0 AND NOT fake') d;
SELECT k, d.* FROM unnest(ARRAY[1, 10, 1000]) k, differences('few', k, 'price < 3') d;
SELECT k, d.* FROM unnest(ARRAY[1, 10]) k, differences('two', k, 'product_id IN (17, 431)') d;
SELECT * FROM differences('none', 10, 'false');
SELECT * FROM differences('all', 1000, 'true');
SELECT * FROM differences('subquery', 10, 'seller_id BETWEEN 6 AND 25');

-- the same before there are any statistics, and over a view that has items twice, or without a key
CREATE TABLE filter_copy AS SELECT * FROM filter_items;
CREATE VIEW filter_view AS SELECT c.*, n FROM filter_copy c, generate_series(1, 3) n
	UNION ALL SELECT NULL, 1, false, 1, 1, 1, 1, 'x', 'red', '{}', false, 1, 'x', 1;
SELECT recsys.create_recommender('viewed', '[{"events": "filter_events_recsys"}]', 'filter_view', 'product_id',
	item_filter => 'stock > 0 AND NOT fake');
SELECT k, d.* FROM unnest(ARRAY[10, 1000]) k, differences('viewed', k, 'stock > 0 AND NOT fake') d;

-- filters of a call: each comparison, alone and together with the others
SELECT c, d.* FROM (VALUES
	('{"max_price": 30}'::jsonb, 'price <= 30'),
	('{"min_price": 30, "max_price": 60.5}', 'price BETWEEN 30 AND 60.5'),
	('{"category": "category 1"}', 'category = ''category 1'''),
	('{"category": ["category 1", "category 2", "nothing"]}', 'category IN (''category 1'', ''category 2'')'),
	('{"category": null}', 'category IS NULL'),
	('{"category": ["category 1", null]}', 'category = ''category 1'' OR category IS NULL'),
	('{"category": []}', 'false'),
	('{"max_price": null}', 'true'),
	('{"color": "red", "consumable": false}', 'color = ''red'' AND NOT consumable'),
	('{"tags": "t1"}', '''t1'' = ANY (tags)'),
	('{"tags": ["t1", "u2"]}', 'tags && ARRAY[''t1'', ''u2'']'),
	('{"max_weight": 4}', 'max_weight = 4'),
	('{"Odd name": "x1"}', '"Odd name" = ''x1'''),
	('{"color": "red''; DROP TABLE filter_items; --"}', 'false')) v (c, passes)
CROSS JOIN LATERAL differences('all', 10, passes, jsonb_build_object('filter', c)) d;
SELECT recsys.create_recommender('priced', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'stock > 0', price => 'items.price + shipping', seller => 'seller_id');
SELECT * FROM differences('priced', 10, 'stock > 0 AND price <= 30', '{"filter": {"max_price": 30}}');
SELECT * FROM differences('priced', 10, 'stock > 0 AND seller_id IN (3, 4)', '{"filter": {"seller": [3, 4]}}');
ALTER TABLE filter_items RENAME price TO cost;
SELECT * FROM differences('all', 10, 'cost <= 30', '{"filter": {"max_cost": 30}}');
ALTER TABLE filter_items RENAME cost TO price;

-- what cannot be asked
SELECT * FROM recommend(1, 10, 'all', context => '{"filter": {"max_prize": 30}}');
SELECT * FROM recommend(1, 10, 'all', context => '{"filter": {"max_price": "cheap"}}');
SELECT * FROM recommend(1, 10, 'all', context => '{"filter": {"consumable": "perhaps"}}');
SELECT * FROM recommend(1, 10, 'all', context => '{"filter": {"max_tags": "t1"}}');
SELECT recsys.create_recommender('plain', '[{"events": "filter_events_recsys"}]');
SELECT * FROM recommend(1, 10, 'plain', context => '{"filter": {"max_price": 30}}');

-- one offer of a product: the cheapest that passes, and none of what the user has in another variant
SELECT recsys.create_recommender('offers', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'stock > 0 AND fake IS NOT TRUE', group_by => 'product', offer_order => 'price + shipping',
	repeatable => 'consumable');
CREATE TABLE offered AS SELECT u AS user_id, r.*, i.product, i.price + i.shipping AS cost, i.consumable
	FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 20, 'offers') r
	LEFT JOIN filter_items i ON i.product_id = r.item_id;
SELECT count(*) AS rows,
	count(*) FILTER (WHERE NOT EXISTS (SELECT FROM filter_items i WHERE i.product_id = o.item_id AND stock > 0 AND fake IS NOT TRUE)) AS not_passing,
	count(*) FILTER (WHERE NOT consumable AND EXISTS (SELECT FROM seen s JOIN filter_items i USING (product_id)
		WHERE s.user_id = o.user_id AND (i.product = o.product OR i.product_id = o.item_id))) AS had,
	count(*) FILTER (WHERE EXISTS (SELECT FROM filter_items i WHERE i.product = o.product AND stock > 0 AND fake IS NOT TRUE
		AND (i.price + i.shipping, i.product_id) < (o.cost, o.item_id)
		AND (consumable OR (o.user_id, i.product_id) NOT IN (SELECT user_id, product_id FROM seen)))) AS not_cheapest,
	count(*) - count(DISTINCT (user_id, coalesce(product::text, 'item ' || item_id))) AS twice
FROM offered o;
-- each row is explained, whatever it is from, and its parts add up to its score
CREATE FUNCTION unexplained(OUT listed bigint, OUT without_a_part bigint, OUT other_sums bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE sum IS NULL), count(*) FILTER (WHERE source = 'history' AND abs(sum - score) > 1e-5 * score)
	FROM generate_series(1, 160, 20) u CROSS JOIN LATERAL recommend(u, 1000, 'offers') r
	CROSS JOIN LATERAL (SELECT sum(contribution) FROM explain_recommendation(u, r.item_id, 'offers')) e
$$;
SELECT listed > 100 AS some, without_a_part, other_sums FROM unexplained();
BEGIN;
SELECT recsys.alter_recommender('offers', reset => '{offer_order}');
SELECT listed > 100 AS some, without_a_part, other_sums FROM unexplained();
ROLLBACK;
-- of a product that the user has, what may come again is shown, and no other offer in its place
BEGIN;
SELECT recsys.alter_recommender('offers', repeatable => 'product_id > 200');
SELECT count(*) > 500 AS some, count(*) FILTER (WHERE product_id <= 200 AND EXISTS (SELECT FROM seen s JOIN filter_items h USING (product_id)
		WHERE s.user_id = u AND h.product = i.product)) AS had
FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 1000, 'offers') r JOIN filter_items i ON i.product_id = r.item_id;
SELECT listed > 100 AS some, without_a_part, other_sums FROM unexplained();
ROLLBACK;
-- with an expression, text and a type without equality
SELECT recsys.alter_recommender('offers', group_by => '''p'' || product');
SELECT count(*) FILTER (WHERE a.item_id IS DISTINCT FROM o.item_id) AS other FROM offered o
	FULL JOIN (SELECT u, r.* FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 20, 'offers') r) a ON a.u = o.user_id AND a.rank = o.rank;
SELECT recsys.alter_recommender('offers', group_by => 'to_json(product)');
SELECT count(*) FILTER (WHERE a.item_id IS DISTINCT FROM o.item_id) AS other FROM offered o
	FULL JOIN (SELECT u, r.* FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 20, 'offers') r) a ON a.u = o.user_id AND a.rank = o.rank;
-- an offer that the call excludes is not shown in the place of another one
SELECT count(*) FROM offered o CROSS JOIN LATERAL recommend(o.user_id, 20, 'offers', context => jsonb_build_object('exclude', jsonb_build_array(o.item_id))) r
WHERE o.rank = 1 AND r.item_id = o.item_id;

-- what is new, by the item or by its seller; a filter holds for it, too
SELECT recsys.create_recommender('novelties', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id',
	item_filter => 'stock > 1', new_item_since => 'max_weight = 7', new_item_share => 0.25,
	seller => 'seller_id', sellers => 'filter_sellers', seller_key => 'seller_id', new_seller_since => 'joined >= date ''2026-01-24''', new_seller_share => 0.25,
	seller_quality => '{"rating": "rating_sum", "ratings": "ratings"}');
SELECT sum(drawn) > 0 AS some_drawn, sum(not_new) AS not_new, sum(wrong) AS wrong, min(new_items) >= 3 AS items, min(of_new_sellers) >= 3 AS sellers FROM (
	SELECT count(*) FILTER (WHERE source = 'new') AS drawn,
		count(*) FILTER (WHERE source = 'new' AND NOT (max_weight = 7 OR coalesce(seller_id IN (23, 24, 25), false))) AS not_new,
		count(*) FILTER (WHERE (stock > 1) IS NOT TRUE) AS wrong,
		count(*) FILTER (WHERE max_weight = 7) AS new_items, count(*) FILTER (WHERE seller_id IN (23, 24, 25)) AS of_new_sellers
	FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 12, 'novelties') r LEFT JOIN filter_items i ON i.product_id = r.item_id
	GROUP BY u) lists;

-- promotions: the largest boost of an item, within bounds; those that say nothing are ignored
CREATE TABLE filter_promotions (item bigint, boost float8, running boolean);
INSERT INTO filter_promotions VALUES (1, 1.2, true), (1, 1.5, true), (1, 1.9, false), (2, 1e300, true), (3, 'NaN', true), (4, NULL, true),
	(5, -1, true), (6, 0.01, true), (7, 'Infinity', true), (8, 0, true), (NULL, 2, true), (9, 1.1, NULL), (5000000000, 2, true);
SELECT recsys.create_recommender('promoted', '[{"events": "filter_events_recsys"}]', 'filter_items', 'product_id', item_filter => 'true',
	promotions => '{"table": "filter_promotions", "item": "item", "boost": "boost", "when": "running", "limit": 4}');
SELECT p.item_id, count(*) > 5 AS often, min(round((p.score / r.score)::numeric, 4)) AS least, max(round((p.score / r.score)::numeric, 4)) AS most
FROM ranked r JOIN filter_items i ON i.product_id = r.item_id
JOIN (SELECT u, r.* FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 1000, 'promoted') r WHERE source = 'history') p
	ON p.u = r.user_id AND p.item_id = r.item_id
WHERE p.item_id < 10 GROUP BY 1 ORDER BY 1;

-- keys of every type; what the table's type cannot have is not in the table
CREATE TYPE filter_sku AS ENUM ('a', 'b', 'c', 'd', 'e');
CREATE TABLE filter_words (user_id integer, sku text);
INSERT INTO filter_words SELECT u, chr(97 + (u + n * n) % 6) FROM generate_series(1, 30) u, generate_series(1, 3) n;
INSERT INTO filter_words VALUES (1, repeat('long', 50)), (2, repeat('long', 50));
CREATE INDEX filter_words_recsys ON filter_words USING recsys (user_id, sku) WITH (similarity = cosine);
CREATE TABLE skus_enum (sku filter_sku PRIMARY KEY, ok boolean);
INSERT INTO skus_enum VALUES ('a', true), ('b', false), ('c', true), ('d', true), ('e', NULL);
CREATE TABLE skus_char (sku char(9) PRIMARY KEY, ok boolean);
CREATE TABLE skus_varchar (sku varchar(9) PRIMARY KEY, ok boolean);
CREATE TABLE skus_name (sku name PRIMARY KEY, ok boolean);
CREATE DOMAIN filter_domain AS text;
CREATE TABLE skus_domain (sku filter_domain PRIMARY KEY, ok boolean);
INSERT INTO skus_char SELECT * FROM skus_enum;
INSERT INTO skus_varchar SELECT * FROM skus_enum;
INSERT INTO skus_name SELECT sku::text, ok FROM skus_enum;
INSERT INTO skus_domain SELECT * FROM skus_enum;
INSERT INTO skus_domain VALUES (repeat('x', 2000), true);
SELECT recsys.create_recommender('sku_' || t, '[{"events": "filter_words_recsys"}]', 'skus_' || t, 'sku', item_filter => 'ok')
FROM unnest(ARRAY['enum', 'char', 'varchar', 'name', 'domain']) t;
SELECT t, count(*), string_agg(DISTINCT r.item_id, ' ' ORDER BY r.item_id)
FROM unnest(ARRAY['enum', 'char', 'varchar', 'name', 'domain']) t, generate_series(1, 40) u
CROSS JOIN LATERAL recommend(u, 10, 'sku_' || t, NULL::text) r GROUP BY 1 ORDER BY 1;
CREATE TABLE filter_uuids (user_id integer, item uuid);
INSERT INTO filter_uuids SELECT user_id, md5(sku)::uuid FROM filter_words;
CREATE INDEX filter_uuids_recsys ON filter_uuids USING recsys (user_id, item) WITH (similarity = cosine);
CREATE TABLE skus_uuid (item uuid PRIMARY KEY, ok boolean);
INSERT INTO skus_uuid SELECT md5(sku::text)::uuid, ok FROM skus_enum;
SELECT recsys.create_recommender('sku_uuid', '[{"events": "filter_uuids_recsys"}]', 'skus_uuid', 'item', item_filter => 'ok');
SELECT count(*), count(DISTINCT r.item_id), bool_and(s.ok) FROM generate_series(1, 40) u
CROSS JOIN LATERAL recommend(u, 10, 'sku_uuid', NULL::uuid) r JOIN skus_uuid s ON s.item = r.item_id;
CREATE TABLE skus_small (product_id smallint PRIMARY KEY, ok boolean);
INSERT INTO skus_small SELECT p, p % 2 = 0 FROM generate_series(1, 300) p;
INSERT INTO filter_events SELECT u, 70000 FROM generate_series(1, 150) u;
SELECT recsys.create_recommender('small', '[{"events": "filter_events_recsys"}]', 'skus_small', 'product_id', item_filter => 'ok');
SELECT count(*), count(*) FILTER (WHERE r.item_id % 2 = 1 OR r.item_id > 300) AS wrong
FROM generate_series(1, 160, 3) u CROSS JOIN LATERAL recommend(u, 10, 'small') r;
DELETE FROM filter_events WHERE product_id = 70000;
SELECT recsys.create_recommender('mismatch', '[{"events": "filter_events_recsys"}]', 'skus_varchar', 'sku');
SELECT * FROM recommend(1, 10, 'mismatch');

-- errors of what a filter calls, and of what has been dropped since
CREATE FUNCTION filter_raises(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'no item today'; END $$;
SELECT recsys.alter_recommender('most', item_filter => 'filter_raises(stock)');
SELECT * FROM recommend(1, 10, 'most');
CREATE OR REPLACE FUNCTION filter_raises(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 > 0; END $$;
SELECT * FROM differences('most', 10, 'stock > 0');
CREATE OR REPLACE FUNCTION filter_raises(integer) RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 > 0; END $$;
SELECT * FROM recommend(1, 10, 'most');
CREATE OR REPLACE FUNCTION filter_raises(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN INSERT INTO filters.seen VALUES (0, 0); RETURN true; END $$;
SELECT * FROM recommend(1, 10, 'most');
CREATE OR REPLACE FUNCTION filter_raises(integer) RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM seen); END $$;
SELECT * FROM recommend(1, 10, 'most');
ALTER FUNCTION filter_raises(integer) SET search_path = filters;
SELECT count(*) FROM recommend(1, 10, 'most');
DROP FUNCTION filter_raises;
SELECT * FROM recommend(1, 10, 'most');
SELECT recsys.alter_recommender('most', item_filter => 'stock > 0 AND NOT fake');
ALTER TABLE filter_items RENAME fake TO counterfeit;
SELECT * FROM recommend(1, 10, 'most');
SELECT count(*) FROM recommend(1, 10, 'all');
ALTER TABLE filter_items RENAME counterfeit TO fake;
ALTER TABLE filter_items RENAME TO filter_products;
SELECT * FROM recommend(1, 10, 'most');
ALTER TABLE filter_products RENAME TO filter_items;
ALTER TABLE filter_items RENAME product_id TO id;
SELECT * FROM recommend(1, 10, 'most');
ALTER TABLE filter_items RENAME id TO product_id;
ALTER TABLE filter_items ALTER product_id TYPE bigint;
SELECT * FROM differences('most', 10, 'stock > 0 AND NOT fake');

SELECT count(recsys.drop_recommender(name)) AS dropped FROM recsys.recommender WHERE definition ->> 'signals' LIKE '%filters.%';
DROP SCHEMA filters CASCADE;
