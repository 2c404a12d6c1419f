-- The order of lists of declared recommenders, rule by rule, against plain SQL
SET client_min_messages = warning;
CREATE SCHEMA shop_order;
SET search_path = shop_order, public;
CREATE TABLE sellers (seller_id integer PRIMARY KEY, rating_sum numeric, rating_count integer, joined_at date);
INSERT INTO sellers SELECT s, s % 5 * (s * 3 + 1), s * 3 + 1, date '2024-01-01' + s FROM generate_series(0, 11) s;
INSERT INTO sellers VALUES (12, NULL, NULL, '2024-01-01'), (13, 0, 0, '2024-03-01');
CREATE TABLE products (product_id integer PRIMARY KEY, title text, category text, brand text, price numeric, seller_id integer, listed_at date);
INSERT INTO products
SELECT p, 'Product ' || p, nullif('c' || p % 7, 'c0'), 'b' || p * 11 % 17, 2 + p * 13 % 97, nullif(p % 15, 14), date '2024-01-01' + p * 37 % 60
FROM generate_series(1, 200) p;
-- nobody has bought it yet
INSERT INTO products VALUES (201, 'Product 201', NULL, 'b99', 50, NULL, '2024-01-01');
CREATE TABLE purchases (user_id integer, product_id integer, paid numeric);
INSERT INTO purchases
SELECT DISTINCT ON (u, product_id) u, product_id, price
FROM generate_series(1, 300) u, generate_series(1, 3 + (SELECT 9)) x,
	 LATERAL (SELECT 1 + (u % 9 * 22 + (hashint4(u * 100 + x) & 1023) * (hashint4(u * 7 + x) & 1023) / 1048576.0 * 90)::integer % 200 AS product_id) i
	 JOIN products USING (product_id);
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine, min_support = 1);
CREATE INDEX ON products (seller_id);
VACUUM ANALYZE;

CREATE FUNCTION declare_shop(name text, VARIADIC given text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT recsys.create_recommender(%L, ''[{"events": "purchases_recsys", "name": "bought", "price": "paid"}]'', items => ''products'',
		item_key => ''product_id'', title => ''title'', category => ''category'', price => ''price'',
		seller => ''seller_id'', sellers => ''sellers'', seller_key => ''seller_id'', %s)', name, array_to_string(given, ', '));
END
$$;
-- without rules, all items of some users
SELECT declare_shop('bare', 'seed => 0');
CREATE TABLE bare AS SELECT u, r.* FROM generate_series(1, 300, 11) u, recommend(u, NULL, 'bare') r;
ALTER TABLE bare ADD PRIMARY KEY (u, item_id);
ANALYZE bare;

/*
 * Caps: no more than declared, and as many rows as there can be
 */
SELECT declare_shop('capped', 'caps => ''{"category": 2, "brand": 1}''', 'max_per_seller => 2');
CREATE TABLE lists AS SELECT u, r.*, p.* FROM generate_series(1, 300) u, recommend(u, 10, 'capped') r JOIN products p ON p.product_id = r.item_id;
CREATE INDEX ON lists (u);
ANALYZE lists;
SELECT count(*) AS rows, count(DISTINCT u) AS lists FROM lists;
SELECT cap, max(n) AS most
FROM (SELECT cap, count(*) AS n FROM lists, LATERAL (VALUES ('category', category), ('brand', brand), ('seller', seller_id::text)) c (cap, value)
	  WHERE value IS NOT NULL GROUP BY u, cap, value) s
GROUP BY cap ORDER BY cap;
SELECT max(n) > 2 AS no_category_no_cap FROM (SELECT count(*) AS n FROM lists WHERE category IS NULL GROUP BY u) s;
-- best first: what stands lower in the bare list and comes before would have broken a cap
SELECT count(*) AS passed_over
FROM bare b JOIN products p ON p.product_id = b.item_id
WHERE b.source = 'history' AND NOT EXISTS (SELECT FROM lists l WHERE l.u = b.u AND l.item_id = b.item_id)
  AND b.rank < (SELECT max(x.rank) FROM bare x JOIN lists l ON l.u = x.u AND l.item_id = x.item_id WHERE x.u = b.u)
  AND (SELECT count(*) FILTER (WHERE l.category = p.category) < 2 AND count(*) FILTER (WHERE l.brand = p.brand) < 1
			  AND count(*) FILTER (WHERE l.seller_id = p.seller_id) < 2
	   FROM lists l WHERE l.u = b.u AND l.score >= b.score);

-- the best one makes room for two others
CREATE TABLE trio (product_id integer PRIMARY KEY, color text, size text);
INSERT INTO trio VALUES (1, 'red', 'L'), (2, 'red', 'S'), (3, 'blue', 'L');
CREATE TABLE trio_purchases AS SELECT u AS user_id, p AS product_id FROM generate_series(1, 9) u, generate_series(1, 3) p WHERE u % p = 0;
CREATE INDEX trio_recsys ON trio_purchases USING recsys (user_id, product_id) WITH (similarity = cosine);
SELECT recsys.create_recommender('trio', '[{"events": "trio_recsys"}]', items => 'trio', item_key => 'product_id', caps => '{"color": 1, "size": 1}');
SELECT item_id, rank FROM popular_items(1, 'trio') ORDER BY rank;
SELECT item_id, rank FROM popular_items(2, 'trio') ORDER BY rank;
SELECT item_id, rank FROM popular_items(NULL, 'trio') ORDER BY rank;

/*
 * Factors of sellers and prices: what all scores of the bare list are multiplied by
 */
SELECT declare_shop('rated', 'seller_quality => ''{"rating": "rating_sum", "ratings": "rating_count", "prior": 12}''');
CREATE FUNCTION wrong_quality(mean float8) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*)
	FROM bare b JOIN (SELECT u, r.* FROM generate_series(1, 300, 11) u, recommend(u, NULL, 'rated') r) r USING (u, item_id)
		 JOIN products p ON product_id = item_id LEFT JOIN sellers s USING (seller_id)
	WHERE abs(r.score - b.score * least(2, greatest(0.5, (coalesce(rating_sum, 0) + 12 * mean) / (coalesce(rating_count, 0) + 12) / mean))) > 1e-6 + 1e-5 * b.score
$$;
SELECT wrong_quality((SELECT sum(rating_sum) / sum(rating_count) FROM sellers)) AS before_refresh;
SELECT count(*) > 20 AS lists_differ
FROM (SELECT u, array_agg(item_id ORDER BY rank) AS items FROM bare WHERE rank <= 10 GROUP BY u) b
WHERE items <> (SELECT array_agg(item_id ORDER BY rank) FROM recommend(u, 10, 'rated'));
-- a seller without finite numbers leaves the mean of the others as it is, before and after a refresh
BEGIN;
CREATE TABLE all_sellers AS SELECT * FROM sellers;
ALTER TABLE all_sellers ALTER rating_sum TYPE float8, ALTER rating_count TYPE float8, ADD PRIMARY KEY (seller_id);
INSERT INTO all_sellers (seller_id, rating_sum, rating_count)
VALUES (-1, 'NaN', 5), (-2, 5, 'NaN'), (-3, 'Infinity', 1), (-4, 1, 'Infinity'), (-5, -1e308, 1e308), (-6, -1e308, 1e308);
SELECT recsys.alter_recommender('rated', sellers => 'all_sellers');
SELECT wrong_quality((SELECT sum(rating_sum) / sum(rating_count) FROM sellers)) AS before_refresh;
SELECT recsys.refresh_recommender('rated') > 0 AS refreshed;
SELECT wrong_quality((SELECT sum(rating_sum) / sum(rating_count) FROM sellers)) AS after_refresh;
ROLLBACK;
-- the mean is that of the last refresh, sellers are as they are now
SELECT recsys.refresh_recommender('rated') > 0 AS refreshed;
CREATE TABLE mean AS SELECT sum(rating_sum) / sum(rating_count) AS mean FROM sellers;
SELECT wrong_quality((SELECT mean FROM mean)) AS after_refresh;
BEGIN;
UPDATE sellers SET rating_sum = rating_sum / 2 WHERE seller_id % 3 = 1;
SELECT wrong_quality((SELECT mean FROM mean)) AS after_update;
ROLLBACK;
SELECT count(*) AS out_of_order FROM (SELECT score > lag(score) OVER (PARTITION BY u ORDER BY rank) AS wrong FROM generate_series(1, 300) u, recommend(u, 10, 'rated') r) s WHERE wrong;

SELECT declare_shop('fitting', 'price_affinity => 0.8');
SELECT count(*) AS wrong_price
FROM bare b JOIN (SELECT u, r.* FROM generate_series(1, 300, 11) u, recommend(u, NULL, 'fitting') r) r USING (u, item_id) JOIN products ON product_id = item_id,
	 LATERAL (SELECT avg(ln(paid::float8)) AS level, greatest(stddev_samp(ln(paid::float8)), 0.25) AS spread FROM purchases WHERE user_id = u) l
WHERE abs(r.score - b.score * 2 ^ (0.8 * (2 * exp(-0.5 * ((ln(price::float8) - level) / spread) ^ 2) - 1))) > 1e-6 + 1e-5 * b.score;

/*
 * Likeness and mix, place by place
 */
CREATE TABLE graph AS
SELECT item_id AS listed, similar_item_id AS item, score::float8 / max(score) OVER (PARTITION BY item_id) AS likeness FROM item_similarity('purchases_recsys');
ALTER TABLE graph ADD PRIMARY KEY (listed, item);
CREATE FUNCTION arranged(u integer, k integer, d float8, m float8) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	list bigint[] := '{}';
	best bigint;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS pool (item bigint PRIMARY KEY, place integer, score float8, category text, likeness float8);
	CREATE TEMP TABLE IF NOT EXISTS target (category text PRIMARY KEY, share float8);
	TRUNCATE pool, target;
	INSERT INTO pool SELECT item_id, rank, CASE source WHEN 'history' THEN b.score ELSE 0 END, category, 0
	FROM bare b JOIN products ON product_id = item_id WHERE b.u = arranged.u;
	INSERT INTO target SELECT category, count(*)::float8 / sum(count(*)) OVER () FROM purchases JOIN products USING (product_id)
	WHERE user_id = arranged.u AND category IS NOT NULL GROUP BY category;
	FOR places IN 1 .. k LOOP
		WITH counts AS (SELECT category, count(*) AS n FROM pool WHERE item = ANY (list) GROUP BY category),
		gains AS (SELECT t.category, share * ln(1 + 0.99 / (0.99 * coalesce(n, 0) + 0.01 * share * places)) AS gain FROM target t LEFT JOIN counts USING (category))
		SELECT item INTO best FROM pool LEFT JOIN gains USING (category)
		WHERE item <> ALL (list)
		ORDER BY score > 0 DESC,
				 round(((1 - d - m) * score / (SELECT max(score) FROM pool) + d * (1 - likeness) + m * coalesce(gain / (SELECT max(gain) FROM gains), 0))::numeric, 9) DESC, place
		LIMIT 1;
		list := list || best;
		UPDATE pool p SET likeness = greatest(p.likeness, coalesce((SELECT g.likeness FROM graph g WHERE listed = best AND g.item = p.item), 0),
			CASE WHEN category = (SELECT l.category FROM pool l WHERE l.item = best) THEN 0.5 ELSE 0 END);
	END LOOP;
	RETURN list;
END
$$;
SELECT declare_shop('diverse', 'diversity => 0.4');
SELECT declare_shop('mixed', 'category_mix => 0.3');
SELECT declare_shop('both', 'diversity => 0.25', 'category_mix => 0.25');
-- from a pool of all items, as a list of all is chosen from
SELECT name, count(*) AS lists, count(*) FILTER (WHERE list <> arranged(u, 10, d, m)) AS wrong, count(*) FILTER (WHERE list <> bare) > 3 AS differ
FROM generate_series(1, 300, 33) u, (VALUES ('diverse', 0.4, 0), ('mixed', 0, 0.3), ('both', 0.25, 0.25)) v (name, d, m),
	 LATERAL (SELECT array_agg(item_id ORDER BY rank) FILTER (WHERE rank <= 10) AS list FROM recommend(u, NULL, name)) l,
	 LATERAL (SELECT array_agg(item_id ORDER BY rank) AS bare FROM recommend(u, 10, 'bare')) b
GROUP BY name ORDER BY name;
-- the same where the graph is a table
CREATE TABLE pairs AS SELECT * FROM item_similarity('purchases_recsys');
CREATE UNIQUE INDEX ON pairs (item_id, similar_item_id);
SELECT recsys.create_recommender('tabled', '[{"events": "purchases_recsys", "graph": "pairs"}]', items => 'products', item_key => 'product_id', category => 'category', diversity => 0.4);
SELECT count(*) AS lists, count(*) FILTER (WHERE a.list <> b.list) AS different
FROM generate_series(1, 300, 11) u, LATERAL (SELECT array_agg(item_id ORDER BY rank) AS list FROM recommend(u, 10, 'diverse')) a,
	 LATERAL (SELECT array_agg(item_id ORDER BY rank) AS list FROM recommend(u, 10, 'tabled')) b;
-- diversity makes lists of fewer that are alike, a mix brings them nearer to the history
CREATE TABLE short AS SELECT name, u, r.* FROM generate_series(1, 300, 11) u, unnest(ARRAY['bare', 'diverse', 'mixed']) name, recommend(u, 10, name) r;
SELECT avg(coalesce(likeness, 0)) FILTER (WHERE a.name = 'diverse') < 0.8 * avg(coalesce(likeness, 0)) FILTER (WHERE a.name = 'bare') AS less_alike
FROM short a JOIN short b ON b.name = a.name AND b.u = a.u AND b.item_id <> a.item_id LEFT JOIN graph ON listed = a.item_id AND item = b.item_id;
CREATE FUNCTION distance(u integer, name text) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum(abs(coalesce(h.share, 0) - coalesce(l.share, 0)))
	FROM (SELECT category, count(*)::float8 / sum(count(*)) OVER () AS share FROM purchases JOIN products USING (product_id) WHERE user_id = distance.u AND category IS NOT NULL GROUP BY 1) h
	FULL JOIN (SELECT category, count(*) / 10.0 AS share FROM short s JOIN products ON product_id = item_id WHERE s.u = distance.u AND s.name = distance.name GROUP BY 1) l USING (category)
$$;
SELECT avg(distance(u, 'mixed')) < 0.9 * avg(distance(u, 'bare')) AS nearer FROM generate_series(1, 300, 11) u;

/*
 * Shares of the new
 */
SELECT declare_shop('fresh', 'new_item_share => 0.2', 'new_item_since => ''listed_at > date ''''2024-02-25''''''',
	'new_seller_share => 0.1', 'new_seller_since => ''joined_at > date ''''2024-01-09''''''');
CREATE VIEW fresh AS SELECT product_id, listed_at > '2024-02-25' AS is_new, coalesce(joined_at > '2024-01-09', false) AS is_new_seller FROM products LEFT JOIN sellers USING (seller_id);
CREATE TABLE fresh_lists AS SELECT u, r.rank, item_id, is_new, is_new_seller FROM generate_series(1, 300) u, recommend(u, 20, 'fresh') r JOIN fresh ON product_id = item_id;
SELECT count(*) AS lists, min(items) AS new_items, min(sellers) AS new_sellers, min(rows) AS rows
FROM (SELECT count(*) AS rows, count(DISTINCT (rank - 1) / 5) FILTER (WHERE is_new) AS items, count(DISTINCT (rank - 1) / 10) FILTER (WHERE is_new_seller) AS sellers
	  FROM fresh_lists GROUP BY u) l;
-- in between the best come first, as without shares
SELECT count(*) AS out_of_order
FROM (SELECT NOT is_new AND NOT is_new_seller AND b.rank > min(b.rank) FILTER (WHERE NOT is_new AND NOT is_new_seller)
			 OVER (PARTITION BY u ORDER BY l.rank ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS wrong
	  FROM fresh_lists l JOIN bare b USING (u, item_id)) s
WHERE wrong;
-- of places that are fewer than 1/share the last one is kept for some: for half of the users here
SELECT declare_shop('rare', 'new_seller_share => 0.05', 'new_seller_since => ''joined_at > date ''''2024-02-01''''''');
SELECT declare_shop('rarer', 'new_seller_share => 0.05', 'new_seller_since => ''joined_at > date ''''2024-02-01''''''', 'seed => 1');
CREATE TABLE rare AS
SELECT name, u, coalesce((SELECT max(rank) FROM recommend(u, 10, name) JOIN products ON product_id = item_id JOIN sellers USING (seller_id) WHERE joined_at > '2024-02-01'), 0) AS place
FROM generate_series(1, 300) u, unnest(ARRAY['bare', 'rare', 'rarer']) name;
SELECT r.place, count(*) BETWEEN 50 AND 100 AS half FROM rare r JOIN rare b USING (u) WHERE r.name = 'rare' AND b.name = 'bare' AND b.place = 0 AND r.place IN (0, 10) GROUP BY 1 ORDER BY 1;
SELECT count(*) > 50 AS another_seed FROM rare a JOIN rare b USING (u) WHERE a.name = 'rare' AND b.name = 'rarer' AND (a.place = 0) <> (b.place = 0);

/*
 * Reasons in the shop's words
 */
SELECT declare_shop('said', 'reason_formats => ''{"history": "weil {{Sie}} {item} haben ({signal}){unknown", "any": "}} {x} {value}{item}", "category": "beliebt in {value}"}''');
SELECT DISTINCT regexp_replace(reason, '\d+', 'N') AS reason FROM generate_series(1, 300, 50) u, recommend_with_reasons(u, 3, 'said') WHERE source = 'history';
SELECT DISTINCT source, reason FROM recommend_with_reasons(1, NULL, 'said') WHERE source = 'any';
SELECT DISTINCT source, reason FROM recommend_with_reasons(1, NULL, 'bare') WHERE source IN ('any', 'popular');

/*
 * The same in every session, whatever it has come across before
 */
SELECT declare_shop('all_rules', 'caps => ''{"category": 3, "brand": 2}''', 'max_per_seller => 2', 'diversity => 0.3', 'category_mix => 0.2', 'price_affinity => 0.2',
	'seller_quality => ''{"rating": "rating_sum", "ratings": "rating_count"}''', 'new_item_share => 0.1', 'new_item_since => ''listed_at > date ''''2024-02-25''''''');
CREATE TABLE forward AS SELECT u, r.* FROM generate_series(1, 300) u, recommend(u, 10, 'all_rules') r;
\c -
SET client_min_messages = warning;
SET search_path = shop_order, public;
CREATE TABLE backward AS SELECT u, r.* FROM generate_series(300, 1, -1) u, recommend(u, 10, 'all_rules') r;
SELECT count(*), (SELECT count(*) FROM (TABLE forward EXCEPT TABLE backward) d) AS different FROM forward;

SELECT recsys.drop_recommender(name) FROM unnest(ARRAY['bare', 'capped', 'trio', 'rated', 'fitting', 'diverse', 'mixed', 'both', 'tabled', 'fresh', 'rare', 'rarer', 'said', 'all_rules']) name;
DROP SCHEMA shop_order CASCADE;
