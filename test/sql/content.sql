-- Content in a declared recommender: what is kept, and lists against a plain SQL reference of the blend.
SET client_min_messages = warning;
CREATE SCHEMA content;
SET search_path = content, public;
CREATE TABLE products (product_id bigint PRIMARY KEY, category text, brand text, price numeric, stock integer DEFAULT 1, code text);
INSERT INTO products SELECT p, 'c' || p * 7 % 9, 'b' || p % 7, round(exp(2 + (p * 37 % 101) / 25.0)::numeric, 2), 1, 'p' || p FROM generate_series(1, 160) p;
CREATE TABLE other_products (LIKE products INCLUDING ALL);
CREATE TABLE purchases (user_id bigint, product_id bigint);
-- nobody has bought what comes after 130
INSERT INTO purchases SELECT DISTINCT u, 1 + (u * 11 + k * k * 17 + u * k) % 130 FROM generate_series(1, 300) u, generate_series(1, 6) k;
CREATE TABLE views (user_id bigint, product_id bigint);
INSERT INTO views SELECT DISTINCT u, 1 + (u * 5 + k * k * 29 + u * k) % 150 FROM generate_series(1, 300) u, generate_series(1, 4) k WHERE u % 3 > 0;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id) WITH (similarity = cosine, min_support = 1, popularity = 0);
CREATE INDEX views_recsys ON views USING recsys (user_id, product_id) WITH (similarity = jaccard, min_support = 1);
CREATE INDEX products_recsys ON products USING recsys_items (product_id, category text_label_ops, brand text_label_ops (weight = 0.5), price) WITH (neighbors = 25);
CREATE INDEX codes_recsys ON products USING recsys_items (code, category text_label_ops, price);
CREATE INDEX halves_recsys ON products USING recsys_items ((product_id / 2), category text_label_ops, price);
CREATE INDEX other_recsys ON other_products USING recsys_items (product_id, category text_label_ops, price);
CREATE VIEW shown AS SELECT * FROM products WHERE stock > 0;
VACUUM ANALYZE;

-- what is declared
SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', item_filter => 'stock > 0', title => 'code', content => 'products_recsys');
SELECT name, content, definition ->> 'content' AS kept, problem FROM recsys.recommenders JOIN recsys.recommender USING (name) WHERE name = 'home';
SELECT recommender, events, content, scale > 0 AS scale, users >= 0 AS users, pairs > 0 AS pairs, held_out > 0 AS held_out, ndcg_with >= ndcg_without AS as_good, p_value BETWEEN 0 AND 1 AS p, ndcg_all > 0 AS finds
FROM recsys.content_weight;
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', content => 'products_recsys');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'purchases_recsys');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'products_pkey');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'nothing');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'codes_recsys');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'halves_recsys');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'other_recsys');
SELECT recsys.create_recommender('bad', '[{"events": "products_recsys"}]');
SELECT recsys.create_recommender('bad', '[{"events": "purchases_recsys"}]', complements => 'products_recsys');
-- over a view the keys are all that can be looked at
SELECT recsys.create_recommender('viewed', '[{"events": "purchases_recsys"}]', items => 'shown', item_key => 'product_id', content => 'products_recsys');
SELECT content, problem FROM recsys.recommenders WHERE name = 'viewed';
SELECT recsys.drop_recommender('viewed');
SELECT recommender FROM recsys.content_weight;
SELECT recsys.alter_recommender('home', reset => '{items,item_key,item_filter,title}');
SELECT recsys.alter_recommender('home', reset => '{content}');
SELECT content, problem FROM recsys.recommenders WHERE name = 'home';
SELECT count(*) FROM recsys.content_weight;
SELECT recsys.alter_recommender('home', content => 'products_recsys', new_name => 'front');
SELECT recommender, content FROM recsys.content_weight;
SELECT recsys.alter_recommender('front', new_name => 'home');

/*
 * The reference.  Graphs are read by item_similarity, users are counted in the tables; weights
 * are set, so that they are known.
 */
CREATE TABLE asked (kind text, user_id bigint, items bigint[]);
INSERT INTO asked SELECT 'user', u, (SELECT array_agg(product_id) FROM purchases p WHERE p.user_id = u) FROM generate_series(1, 300, 9) u;
INSERT INTO asked SELECT 'clicked', -p, ARRAY[p] FROM generate_series(1, 160, 9) p;
CREATE VIEW known AS SELECT product_id, count(*) AS n FROM purchases GROUP BY 1;
CREATE TABLE graph AS SELECT * FROM item_similarity('purchases_recsys');
CREATE TABLE likes AS SELECT * FROM item_similarity('products_recsys');
CREATE INDEX ON graph (item_id);
CREATE INDEX ON likes (item_id);
CREATE FUNCTION wanted(a bigint[], seen bigint[], c double precision, m double precision) RETURNS TABLE (item_id bigint, score double precision, by_content boolean) LANGUAGE sql STABLE AS $$
	WITH e AS (SELECT i, coalesce(n / (n + m), 0) AS a FROM unnest(a) i LEFT JOIN known ON product_id = i),
	s AS (SELECT g.similar_item_id AS j, sum(g.score) AS s FROM e JOIN graph g ON g.item_id = e.i GROUP BY 1),
	t AS (SELECT g.similar_item_id AS j, sum(g.score) AS t, sum(e.a * g.score) AS known FROM e JOIN likes g ON g.item_id = e.i GROUP BY 1)
	SELECT product_id, coalesce(k.n / (k.n + m), 0) * (coalesce(s, 0) - c * coalesce(t.known, 0)) + c * coalesce(t, 0), coalesce(s, 0) = 0
	FROM products LEFT JOIN s ON s.j = product_id LEFT JOIN t ON t.j = product_id LEFT JOIN known k USING (product_id)
	WHERE stock > 0 AND product_id <> ALL (seen)
$$;
-- what is wrong with the lists of all who ask, of so many rows
CREATE FUNCTION wrong(k bigint, c double precision, m double precision) RETURNS TABLE (asker bigint, what text) LANGUAGE sql STABLE AS $$
	WITH said AS MATERIALIZED (
		SELECT a.user_id, r.* FROM asked a, recommend(a.user_id, k, 'home') r WHERE kind = 'user'
		UNION ALL SELECT a.user_id, r.* FROM asked a, recommend(NULL::bigint, k, 'home', context => jsonb_build_object('cart', a.items)) r WHERE kind = 'clicked'),
	truth AS MATERIALIZED (SELECT a.user_id, w.*, row_number() OVER (PARTITION BY a.user_id ORDER BY w.score::real DESC, w.item_id) AS rank
		FROM asked a, wanted(a.items, a.items, c, m) w WHERE w.score > 1e-9)
	SELECT user_id, format('score of %s: %s for %s, %s', item_id, s.score, coalesce(t.score::text, 'nothing'), s.source)
	FROM said s LEFT JOIN truth t USING (user_id, item_id)
	WHERE source IN ('history', 'content') AND (t.score IS NULL OR abs(s.score - t.score) > 1e-5 OR (source = 'content') <> t.by_content)
	UNION ALL
	SELECT user_id, format('misses %s', t.item_id)
	FROM truth t LEFT JOIN said s USING (user_id, item_id)
	LEFT JOIN (SELECT user_id, score FROM said WHERE rank = k AND source IN ('history', 'content')) least USING (user_id)
	WHERE t.rank <= k AND s.item_id IS NULL AND t.score > 1e-5 + coalesce(least.score, 0)
	UNION ALL
	SELECT user_id, 'order' FROM (SELECT user_id, rank, score, lag(score) OVER w AS before FROM said WINDOW w AS (PARTITION BY user_id ORDER BY rank)) o WHERE score > before
$$;
CREATE FUNCTION weigh(c double precision, m double precision) RETURNS void LANGUAGE sql AS 'UPDATE recsys.content_weight SET scale = c, users = m';
SELECT weigh(0.3, 5);
SELECT * FROM wrong(10, 0.3, 5);
SELECT * FROM wrong(1, 0.3, 5);
SELECT * FROM wrong(200, 0.3, 5);
SELECT weigh(1, 0);
SELECT * FROM wrong(10, 1, 0);
SELECT weigh(0.001, 0.5);
SELECT * FROM wrong(10, 0.001, 0.5);
SELECT weigh(2, 1000);
SELECT * FROM wrong(10, 2, 1000);
SELECT * FROM wrong(200, 2, 1000);

-- neighbors are blended by the same rule
SELECT weigh(0.5, 3);
CREATE FUNCTION wrong_neighbors(c double precision, m double precision) RETURNS TABLE (item bigint, what text) LANGUAGE sql STABLE AS $$
	SELECT p.product_id, format('%s: %s for %s', s.item_id, s.score, w.score)
	FROM products p CROSS JOIN LATERAL similar_items(p.product_id, 12, 'home') s
	LEFT JOIN LATERAL (SELECT * FROM wanted(ARRAY[p.product_id], ARRAY[p.product_id], c, m) w WHERE w.item_id = s.item_id) w ON true
	WHERE s.score > 0 AND (w.score IS NULL OR abs(w.score - s.score) > 1e-5)
	UNION ALL
	SELECT p.product_id, 'places' FROM products p, LATERAL (SELECT array_agg(score::numeric(9, 5) ORDER BY rank) AS said FROM similar_items(p.product_id, 12, 'home') WHERE score > 0) s,
	LATERAL (SELECT array_agg(score) AS wanted FROM (SELECT score::numeric(9, 5) FROM wanted(ARRAY[p.product_id], ARRAY[p.product_id], c, m) WHERE score > 1e-5 ORDER BY 1 DESC LIMIT 12) t) w
	WHERE (SELECT max(abs(x - y)) FROM unnest(said, wanted) u (x, y)) > 1e-4
$$;
SELECT * FROM wrong_neighbors(0.5, 3);
-- what goes with an item is not what is like it
SELECT count(*) FROM goes_with(150, 5, 'home');

-- parts of an explanation add up to the score, and say what is alike
SELECT count(*) > 0 AS some, max(abs(r.score - e.sum)) < 1e-5 AS add_up, bool_or(content) AS by_content
FROM asked a CROSS JOIN LATERAL recommend(a.user_id, 10, 'home') r
CROSS JOIN LATERAL (SELECT sum(contribution), bool_or(part = 'content') AS content FROM explain_recommendation(a.user_id, r.item_id, 'home')) e
WHERE kind = 'user' AND a.user_id < 100 AND r.score > 0;
SELECT item_id, source, reason, details -> 'parts' -> 0 ->> 'part' AS part, details -> 'parts' -> 0 ->> 'value' AS value, details ->> 'source' AS said
FROM recommend_with_reasons(NULL::bigint, 3, 'home', context => '{"cart": [150]}');
SELECT because_item_id, part, signal, reason FROM explain_recommendation(1, (SELECT item_id FROM recommend(1, 100, 'home') WHERE source = 'content' ORDER BY rank LIMIT 1), 'home');
SELECT recsys.alter_recommender('home', reason_formats => '{"content": "wie {item}"}');
SELECT reason FROM recommend_with_reasons(NULL::bigint, 1, 'home', context => '{"cart": [150]}');

-- a new item: from the transaction that has made it on, without a merge
SELECT weigh(0.5, 3);
BEGIN;
INSERT INTO products SELECT 500, category, brand, price * 1.01, 1, 'new' FROM products WHERE product_id = (SELECT product_id FROM purchases WHERE user_id = 10 ORDER BY 1 LIMIT 1);
SELECT source, rank <= 10 AS high FROM recommend(10, 20, 'home') WHERE item_id = 500;
SELECT part, similarity > 0.9 AS alike FROM explain_recommendation(10, 500, 'home') LIMIT 1;
SELECT count(*) FROM similar_items(500, 10, 'home') WHERE score > 0;
-- it is there for those who see it, whatever they have: somebody who has looked at it
SELECT count(*) AS by_click FROM recommend(NULL::bigint, 10, 'home', context => '{"recently_viewed": [500]}') WHERE source IN ('history', 'content');
SELECT count(*) AS as_well FROM recommend(987654, 10, 'home', context => '{"cart": [500]}') WHERE source IN ('history', 'content');
ROLLBACK;
SELECT count(*) FROM recommend(10, 200, 'home') WHERE item_id = 500;

-- newcomers get what is popular in their segment, and from the first click on what is like it, too
CREATE TABLE profiles (user_id bigint PRIMARY KEY, country text);
INSERT INTO profiles SELECT u, 'L' || u % 2 FROM generate_series(1, 300) u;
INSERT INTO profiles VALUES (7001, 'L1');
SELECT recsys.create_recommender('segmented', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', content => 'products_recsys',
	profiles => 'profiles', profile_key => 'user_id', segment => 'country');
SELECT recsys.refresh_recommender('segmented') > 0 AS lists;
SELECT source, count(*) FROM recommend(7001, 10, 'segmented') GROUP BY 1;
SELECT min(rank) AS first, source, count(*) FROM recommend(7001, 100, 'segmented', context => '{"recently_viewed": [150]}') GROUP BY source HAVING source <> 'any' ORDER BY 1;
SELECT source, count(*) FROM recommend_for_items(ARRAY[150::bigint, 140], 5, 'segmented') GROUP BY 1;
SELECT recsys.drop_recommender('segmented');

-- what is pending counts as if it were merged, where rows have room for all
ALTER INDEX products_recsys SET (neighbors = 200);
REINDEX INDEX products_recsys;
INSERT INTO products SELECT product_id + 200, category, brand, price * 1.02, 1, 'q' || product_id FROM products WHERE product_id <= 20;
UPDATE products SET category = 'c3', price = price * 2 WHERE product_id % 13 = 0;
CREATE VIEW answers AS
SELECT a.user_id, r.item_id, r.score, r.source FROM asked a, recommend(a.user_id, 200, 'home') r WHERE kind = 'user' AND score > 0
UNION ALL SELECT a.user_id, r.item_id, r.score, r.source FROM asked a, recommend(NULL::bigint, 200, 'home', context => jsonb_build_object('cart', a.items || ARRAY[205::bigint, 213])) r WHERE kind = 'clicked' AND score > 0;
CREATE TABLE before AS SELECT * FROM answers;
SELECT merged > 0 AS merged FROM recsys.merge('products_recsys');
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE b.score IS NULL OR a.score IS NULL OR abs(b.score - a.score) > 1e-5 OR a.source <> b.source) AS differ
FROM before b FULL JOIN answers a USING (user_id, item_id);
TRUNCATE likes;
INSERT INTO likes SELECT * FROM item_similarity('products_recsys');
SELECT * FROM wrong(10, 0.5, 3);
DELETE FROM products WHERE product_id > 200;

-- several signals, one that pushes down, and what one of them alone knows
SELECT recsys.create_recommender('several', '[{"events": "purchases_recsys"}, {"events": "views_recsys", "weight": 0.3}, {"events": "views_recsys", "name": "dislikes", "weight": -0.2}]',
	items => 'products', item_key => 'product_id', content => 'products_recsys');
SELECT count(*) FILTER (WHERE r.score > 0) > 0 AS some, max(abs(r.score - e.sum)) < 1e-4 AS add_up
FROM generate_series(1, 60, 7) u CROSS JOIN LATERAL recommend(u::bigint, 10, 'several') r
CROSS JOIN LATERAL (SELECT sum(contribution) FROM explain_recommendation(u::bigint, r.item_id, 'several')) e WHERE r.score > 0;

-- before anything is learned content stands beside what this user's scores say, and speaks for what nobody has
DELETE FROM recsys.content_weight;
SELECT count(*) FILTER (WHERE source = 'content' AND item_id <= 130 AND item_id IN (SELECT product_id FROM purchases)) AS warm, count(*) FILTER (WHERE source = 'content') > 0 AS new
FROM recommend(1, 100, 'home');
SELECT recsys.refresh_recommender('home');
SELECT recommender, scale > 0 AS scale FROM recsys.content_weight;

-- promotions multiply what is blended
CREATE TABLE promotions (product_id bigint, boost real);
INSERT INTO promotions VALUES (135, 2), (20, 1.5);
SELECT weigh(0.5, 3);
CREATE TABLE before_boost AS SELECT * FROM recommend(1, 200, 'home');
SELECT recsys.alter_recommender('home', promotions => '{"table": "promotions", "item": "product_id", "boost": "boost"}');
SELECT r.item_id, round((r.score / b.score)::numeric, 4) AS factor FROM recommend(1, 200, 'home') r JOIN before_boost b USING (item_id) WHERE item_id IN (135, 20) AND b.score > 0 ORDER BY 1;
SELECT recsys.alter_recommender('home', reset => '{promotions}');

-- rights: those of the columns that the items index is made of
CREATE ROLE content_reader;
GRANT USAGE ON SCHEMA content TO content_reader;
GRANT SELECT ON purchases TO content_reader;
GRANT SELECT (product_id, stock, code, category, brand) ON products TO content_reader;
SET ROLE content_reader;
SELECT * FROM recommend(1, 3, 'home');
SELECT problem FROM recsys.recommenders WHERE name = 'home';
RESET ROLE;
GRANT SELECT (price) ON products TO content_reader;
SET ROLE content_reader;
SELECT count(*) FROM recommend(1, 3, 'home');
SELECT problem FROM recsys.recommenders WHERE name = 'home';
SELECT count(*) FROM recsys.content_weight;
UPDATE recsys.content_weight SET scale = 0;
RESET ROLE;

-- search by content takes it by its recommender
SELECT count(*) > 0 AS found, count(*) FILTER (WHERE r IS DISTINCT FROM i) AS differ
FROM items_like('{"category": "c3", "price": 20}', 10, 'home') r FULL JOIN items_like('{"category": "c3", "price": 20}', 10, 'products_recsys') i USING (rank);

-- without the index the error says what to do
DROP INDEX products_recsys;
SELECT * FROM recommend(1, 3, 'home');
SELECT problem FROM recsys.recommenders WHERE name = 'home';
SELECT recsys.alter_recommender('home', reset => '{content}');
SELECT * FROM items_like('{"price": 20}', 10, 'home');
SELECT count(*) FROM recommend(1, 3, 'home');

SET client_min_messages = error;
SELECT recsys.drop_recommender(name) FROM recsys.recommenders WHERE name IN ('home', 'several');
DROP SCHEMA content CASCADE;
DROP ROLE content_reader;
