-- recsys.create_views, recsys.drop_views, recsys.popular_lists and recsys.refresh
SET client_min_messages = warning;
CREATE SCHEMA shop_views;
SET search_path = shop_views, public;
CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'grey');
CREATE DOMAIN product AS integer CHECK (VALUE > 0);
-- users have every item of their group but one; two groups, and a few who have something of both
CREATE TABLE purchases AS
SELECT u AS user_id, 10 * (u % 2) + i AS product_id, 1 AS quantity, '2024-01-01 00:00+00'::timestamptz + u * interval '1 hour' AS at
FROM generate_series(1, 40) u, generate_series(1, 6) i WHERE (u / 2 + i) % 6 > 0
UNION ALL SELECT u, 1 + 10 * ((u + 1) % 2), 1, '2024-02-01 00:00+00' FROM generate_series(1, 40, 4) u;
CREATE TABLE products AS
SELECT DISTINCT product_id, 'Thing ''' || product_id || '''' AS name, 'category ' || product_id % 3 AS category FROM purchases;
ALTER TABLE products ADD PRIMARY KEY (product_id);
CREATE TABLE customers AS SELECT u AS customer_id, CASE WHEN u % 4 < 2 THEN 'DE' ELSE 'FR' END AS country, u = 40 AS is_bot FROM generate_series(1, 41) u;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, at);
SELECT recsys.create_recommender('views_shop', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id',
	title => 'name', category => 'category', profiles => 'customers', profile_key => 'customer_id', segment => 'country',
	exclude_users => 'is_bot');
CREATE SCHEMA "Bi";
CREATE ROLE recsys_views_reader;

-- what is made, and kept the second time
SELECT * FROM recsys.create_views('views_shop', 'Bi', '{recsys_views_reader}');
SELECT * FROM recsys.create_views('views_shop', 'Bi');

-- columns, their types and comments, the indexes, the rights
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, col_description(a.attrelid, a.attnum) IS NOT NULL AS said
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = '"Bi"'::regnamespace AND c.relkind = 'v' AND a.attnum > 0 ORDER BY c.relname, a.attnum;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = '"Bi"'::regnamespace AND c.relkind IN ('v', 'm') AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;
SELECT tablename, indexname, regexp_replace(indexdef, '.* USING ', '') AS def FROM pg_indexes WHERE schemaname = 'Bi' ORDER BY 1, 2;
SELECT relname, obj_description(oid) FROM pg_class WHERE relnamespace = '"Bi"'::regnamespace AND relkind IN ('v', 'm') ORDER BY 1;
SET ROLE recsys_views_reader;
SELECT count(*) FROM "Bi".item_similarity;
SELECT count(*) FROM "Bi".item_similarity_mv;
RESET ROLE;

-- rows are those of the functions
(SELECT item_id, similar_item_id, score, support, rank FROM "Bi".item_similarity EXCEPT SELECT * FROM item_similarity('purchases_recsys'))
UNION ALL (SELECT * FROM item_similarity('purchases_recsys') EXCEPT SELECT item_id, similar_item_id, score, support, rank FROM "Bi".item_similarity);
SELECT s.* FROM "Bi".item_similarity s LEFT JOIN products p ON p.product_id = s.item_id LEFT JOIN products q ON q.product_id = s.similar_item_id
WHERE (s.title, s.similar_title) IS DISTINCT FROM (p.name, q.name);
-- by hand: baskets with both, with each, and all
WITH pairs AS (
	SELECT a.product_id AS x, b.product_id AS y, count(*) AS n FROM purchases a JOIN purchases b USING (user_id) WHERE a.product_id <> b.product_id GROUP BY 1, 2),
single AS (SELECT product_id, count(*) AS n FROM purchases GROUP BY 1),
wanted AS (
	SELECT ARRAY[p.x] AS antecedent, ARRAY[px.name] AS antecedent_titles, p.y AS consequent, py.name AS consequent_title, p.n AS support,
		   round(p.n::numeric / sx.n, 9) AS confidence, round(p.n::numeric / sx.n / (sy.n / 40.0), 9) AS lift, 40::bigint AS baskets
	FROM pairs p JOIN single sx ON sx.product_id = p.x JOIN single sy ON sy.product_id = p.y
	JOIN products px ON px.product_id = p.x JOIN products py ON py.product_id = p.y
	WHERE p.n >= 5 AND p.n::numeric / sx.n >= 0.05),
had AS (SELECT antecedent, antecedent_titles, consequent, consequent_title, support, round(confidence::numeric, 9), round(lift::numeric, 9), baskets FROM "Bi".association_rules)
SELECT (SELECT count(*) FROM wanted) AS wanted, (SELECT count(*) FROM had) AS had,
	(SELECT count(*) FROM (TABLE wanted EXCEPT TABLE had) x) AS missing, (SELECT count(*) FROM (TABLE had EXCEPT TABLE wanted) x) AS too_many;
-- by hand, too: who counts in a segment
WITH counted AS (
	SELECT 'segment1' AS kind, c.country AS segment, p.product_id, count(DISTINCT user_id) AS users
	FROM purchases p JOIN customers c ON c.customer_id = p.user_id WHERE NOT is_bot GROUP BY 1, 2, 3
	UNION ALL SELECT 'category', g.category, p.product_id, count(DISTINCT user_id)
	FROM purchases p JOIN products g USING (product_id) WHERE user_id <> 40 GROUP BY 1, 2, 3
	UNION ALL SELECT 'all', '', p.product_id, count(DISTINCT user_id) FROM purchases p WHERE user_id <> 40 GROUP BY 1, 2, 3),
wanted AS (SELECT kind, segment, product_id AS item_id, users FROM counted WHERE users >= CASE kind WHEN 'all' THEN 1 ELSE 5 END),
had AS (SELECT kind, segment, item_id, users FROM "Bi".popular_by_segment WHERE kind <> 'persona')
SELECT (SELECT count(*) FROM had) AS had, (SELECT count(*) FROM (TABLE wanted EXCEPT TABLE had) x) AS missing,
	(SELECT count(*) FROM (TABLE had EXCEPT TABLE wanted) x) AS too_many;
SELECT kind, segment, array_agg(rank ORDER BY rank) AS ranks FROM "Bi".popular_by_segment WHERE kind = 'segment1' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM (SELECT kind, segment, item_id::text, users, rank FROM "Bi".popular_by_segment
	EXCEPT SELECT * FROM recsys.popular_lists('views_shop')) x;
SELECT count(*), count(*) FILTER (WHERE excluded) AS excluded FROM "Bi".customer_segments;
SELECT s.user_id, s.segment, s.frequency, s.monetary, s.f, s.first_at = f.first_at AS same FROM "Bi".customer_segments s
JOIN recsys.customer_segments('views_shop') f ON f.user_id = s.user_id::text WHERE s.user_id IN (1, 2, 40, 41) ORDER BY 1;
SELECT count(*) FROM "Bi".daily_metrics;

-- what is declared in another way: replaced, with its grants; what is built on it stays where columns allow
CREATE VIEW "Bi".mine AS SELECT count(*) AS pairs FROM "Bi".item_similarity;
SELECT recsys.alter_recommender('views_shop', title => 'upper(name)');
SELECT * FROM recsys.create_views('views_shop', 'Bi');
SELECT min(title) FROM "Bi".item_similarity;
TABLE "Bi".mine;
SELECT recsys.alter_recommender('views_shop', reset => '{title}');
SELECT * FROM recsys.create_views('views_shop', 'Bi');
DROP VIEW "Bi".mine;
SELECT recsys.alter_recommender('views_shop', reset => '{profiles, profile_key, segment, exclude_users}');
SELECT * FROM recsys.create_views('views_shop', 'Bi');
SELECT relname, relacl::text LIKE '%recsys_views_reader=r/%' AS granted FROM pg_class WHERE relnamespace = '"Bi"'::regnamespace AND relkind = 'v' ORDER BY 1;
SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = '"Bi".item_similarity'::regclass AND attnum > 0;
-- a view and an index that somebody has dropped come back
DROP VIEW "Bi".daily_metrics;
DROP INDEX "Bi".item_similarity_mv_key;
SELECT * FROM recsys.create_views('views_shop', 'Bi', min_support => 8, min_confidence => 0.5, max_length => 3);
SELECT count(*) FROM pg_indexes WHERE indexname = 'item_similarity_mv_key';
SELECT min(support), min(round(confidence::numeric, 2)), max(cardinality(antecedent)) FROM "Bi".association_rules;

-- refreshed: those made here, and others that name the recommender or its index
CREATE MATERIALIZED VIEW mine AS SELECT * FROM popular_items(100, 'purchases_recsys');
CREATE VIEW between AS SELECT count(*) AS n FROM item_similarity('shop_views.purchases_recsys');
CREATE MATERIALIZED VIEW through_view AS SELECT n, (SELECT count(*) FROM mine) AS mine FROM between;
CREATE MATERIALIZED VIEW of_shop AS SELECT (SELECT array_agg(item_id) FROM popular_items(3, 'views_shop')) AS items;
CREATE MATERIALIZED VIEW others AS SELECT count(*) FROM purchases;
CREATE MATERIALIZED VIEW in_text AS SELECT 'views_shop' AS name, count(*) FROM purchases;
INSERT INTO purchases SELECT u, 99, 1, '2024-03-01 00:00+00' FROM generate_series(1, 30) u;
INSERT INTO products VALUES (99, 'New', 'new');
SELECT merged > 0 FROM recsys.merge('purchases_recsys');
CALL recsys.refresh('views_shop');
SELECT item_id, users FROM mine WHERE item_id = 99;
SELECT n = (SELECT n FROM between) AS n, mine FROM through_view;
SELECT items[1] FROM of_shop;
TABLE others;
TABLE in_text;
SELECT count(*) > 0 AS similar FROM "Bi".item_similarity WHERE item_id = 99;
SELECT rank FROM "Bi".popular_by_segment WHERE kind = 'all' AND item_id = 99;
-- within a transaction, all or nothing
BEGIN;
CALL recsys.refresh('purchases_recsys');
COMMIT;
CREATE VIEW broken AS SELECT 1 / (count(*) - (SELECT count(*) FROM purchases)) AS n FROM purchases WHERE user_id > 0;
CREATE MATERIALIZED VIEW fails AS SELECT b.n, i.item_id FROM broken b, popular_items(1, 'views_shop') i WITH NO DATA;
CALL recsys.refresh('views_shop');
BEGIN;
CALL recsys.refresh('views_shop');
ROLLBACK;
DO $$ BEGIN CALL recsys.refresh('views_shop'); EXCEPTION WHEN OTHERS THEN RAISE WARNING 'caught: %', SQLERRM; END $$;
DROP MATERIALIZED VIEW fails;
CALL recsys.refresh('nothing');
CALL recsys.refresh('purchases');
CALL recsys.refresh(NULL);

-- what is somebody's own, or another recommender's
CREATE TABLE "Bi".customer_segments (a integer);
SELECT recsys.alter_recommender('views_shop', profiles => 'customers', profile_key => 'customer_id');
SELECT * FROM recsys.create_views('views_shop', 'Bi');
DROP TABLE "Bi".customer_segments;
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi');
-- a name that has changed: told of, and taken over
SELECT recsys.alter_recommender('views_shop', new_name => 'views_renamed');
CALL recsys.refresh('views_renamed');
SELECT * FROM recsys.create_views('views_renamed', 'Bi');
SELECT * FROM recsys.create_views('views_renamed', 'Bi');
SELECT recsys.drop_recommender('views_renamed');
SELECT * FROM recsys.drop_views('views_shop', 'Bi');
SELECT * FROM recsys.drop_views('views_renamed', 'Bi');
SELECT * FROM recsys.drop_views('views_renamed', 'nothing');

-- keys of other types, by an index alone
CREATE TABLE other AS
SELECT user_id AS u, 'p''\' || product_id AS a_text, lpad(to_hex(product_id), 32, '0')::uuid AS a_uuid,
	(ARRAY['red', 'green', 'blue', 'grey'])[1 + product_id % 4]::colour AS a_colour, product_id::product AS a_domain,
	product_id::char(4) AS a_char, product_id::varchar(12) AS a_varchar, product_id::smallint AS a_small
FROM purchases;
CREATE FUNCTION made_of(name text) RETURNS TABLE (item_type text, array_type text, pairs bigint, rules bigint, popular bigint, again text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX other_recsys ON other USING recsys (u, %I)', name);
	PERFORM recsys.create_views('shop_views.other_recsys', 'Bi');
	RETURN QUERY SELECT (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '"Bi".item_similarity'::regclass AND attname = 'item_id'),
		(SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '"Bi".association_rules'::regclass AND attname = 'antecedent'),
		(SELECT count(*) FROM "Bi".item_similarity), (SELECT count(*) FROM "Bi".association_rules), (SELECT count(*) FROM "Bi".popular_by_segment),
		(SELECT string_agg(DISTINCT action, ', ') FROM recsys.create_views('shop_views.other_recsys', 'Bi'));
	CALL recsys.refresh('other_recsys');
	PERFORM recsys.drop_views('other_recsys', 'Bi');
	DROP INDEX other_recsys;
END $$;
SELECT c.name, m.* FROM unnest('{a_text,a_uuid,a_colour,a_domain,a_char,a_varchar,a_small}'::text[]) WITH ORDINALITY c (name, n), made_of(c.name) m ORDER BY c.n;

-- an index over items has no users; a graph in a table is one, too
CREATE INDEX products_items ON products USING recsys_items (product_id, category, name);
SELECT * FROM recsys.create_views('products_items', 'Bi', with_data => false);
SELECT count(*) FROM "Bi".item_similarity;
SELECT * FROM recsys.create_views('products_items', 'Bi');
SELECT count(*) > 0 AS any FROM "Bi".item_similarity;
SELECT * FROM recsys.drop_views('products_items', 'Bi');
CREATE MATERIALIZED VIEW own_graph AS SELECT x AS item_id, x % 3 + 1 AS similar_item_id, x / 10.0 AS score FROM generate_series(1, 6) x UNION ALL SELECT 1, 2, 5;
SELECT recsys.create_recommender('views_graph', '[{"events": "purchases_recsys", "graph": "own_graph"}]');
SELECT * FROM recsys.create_views('views_graph', 'Bi');
SELECT * FROM "Bi".item_similarity ORDER BY item_id, rank;
DROP INDEX "Bi".item_similarity_mv_key;
CALL recsys.refresh('views_graph');
SELECT * FROM recsys.drop_views('views_graph', 'Bi');
SELECT recsys.drop_recommender('views_graph');

-- arguments
SELECT * FROM recsys.create_views('nothing', 'Bi');
SELECT * FROM recsys.create_views('purchases_recsys', 'nothing');
SELECT * FROM recsys.create_views(NULL, 'Bi');
SELECT * FROM recsys.create_views('purchases_recsys', NULL);
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi', '{recsys_views_nobody}');
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi', '{NULL}');
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi', min_support => 0);
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi', max_length => 1);
SELECT * FROM recsys.popular_lists('nothing');
-- who may not use the schema does not lock it either
SET ROLE recsys_views_reader;
SELECT * FROM recsys.create_views('purchases_recsys', 'shop_views');
SELECT * FROM recsys.drop_views('purchases_recsys', 'shop_views');
RESET ROLE;
-- an index of that name over something else is not taken for ours
CREATE TABLE "Bi".others (a integer);
CREATE INDEX item_similarity_mv_key ON "Bi".others (a);
SELECT * FROM recsys.create_views('purchases_recsys', 'Bi');
DROP TABLE "Bi".others;
PREPARE untyped AS SELECT * FROM recsys.create_views($1, $2, $3);
EXECUTE untyped ('purchases_recsys', 'Bi', '{public}');
DEALLOCATE untyped;
SELECT * FROM recsys.drop_views('purchases_recsys', 'Bi');

CREATE TEMP TABLE passing AS SELECT user_id, product_id FROM purchases;
CREATE INDEX passing_recsys ON passing USING recsys (user_id, product_id);
SELECT * FROM recsys.create_views('passing_recsys', 'Bi');
DROP TABLE passing;
-- a view that only looks like ours is put right
CREATE VIEW "Bi".item_similarity AS SELECT NULL::integer AS item_id, NULL::integer AS similar_item_id, NULL::real AS score, NULL::bigint AS support, 7 AS rank;
COMMENT ON VIEW "Bi".item_similarity IS 'made by recsys.create_views for ''shop_views.purchases_recsys'': not yet';
SELECT action, count(*) FROM recsys.create_views('purchases_recsys', 'Bi') GROUP BY 1;
SELECT count(*) FILTER (WHERE rank = 7) < count(*) AS ours FROM "Bi".item_similarity;
SELECT count(*) FROM recsys.drop_views('purchases_recsys', 'Bi');

SET search_path = public;
DROP SCHEMA shop_views CASCADE;
DROP SCHEMA "Bi" CASCADE;
DROP ROLE recsys_views_reader;
