-- What a node of Citus does for its own users, without Citus: its catalog is made up by hand, and what would be
-- shards and copies are tables like all.  Lists are those of the same rows in one piece.  With Citus:
-- test/t/118_citus_shop.pl.
SET client_min_messages = warning;
CREATE SCHEMA one_piece;
CREATE SCHEMA pieces;
SET search_path = one_piece, public;
CREATE TABLE buys (u bigint, i bigint, paid numeric, at timestamptz);
CREATE TABLE goods (i bigint PRIMARY KEY, name text, shelf text, stock integer, price numeric, seller integer);
CREATE TABLE "the ""best"" sellers" (seller integer PRIMARY KEY, rating double precision, ratings integer, blocked boolean);
CREATE TABLE people (u bigint PRIMARY KEY, country text);
INSERT INTO goods SELECT i, 'item ' || i, 's' || i % 5, i % 4, 10 + i * 7 % 50, i % 9 FROM generate_series(1, 80) i;
INSERT INTO "the ""best"" sellers" SELECT i, 30 + i, 10, i = 4 FROM generate_series(0, 8) i;
INSERT INTO people SELECT 5000000000 + u, (ARRAY['DE', 'FR'])[1 + u % 2] FROM generate_series(1, 150) u;
INSERT INTO buys SELECT 5000000001 + i * 7919 % 163, 1 + (i * i % 97) % 83, i % 30 + 1, timestamptz '2026-01-01' + i * interval '1 hour'
FROM generate_series(1, 2500) i;
CREATE INDEX bought ON buys USING recsys (u, i, at) WITH (similarity = cosine);

-- the same elsewhere: what stands for it is empty, and the rows are in tables with numbers
CREATE TABLE pieces.buys (LIKE buys);
CREATE TABLE pieces.goods (LIKE goods INCLUDING ALL);
CREATE TABLE pieces."the ""best"" sellers" (LIKE "the ""best"" sellers" INCLUDING ALL);
CREATE TABLE pieces.people (LIKE people INCLUDING ALL);
CREATE INDEX bought ON pieces.buys USING recsys (u, i, at) WITH (similarity = cosine);
CREATE TABLE pieces.graph (item_id bigint, users integer, similar_ids bigint[], scores real[], supports integer[]);
CREATE INDEX graph_index ON pieces.graph USING recsys_graph (item_id, users, similar_ids, scores, supports);
CREATE TABLE pieces.goods_905 AS SELECT * FROM goods;
CREATE TABLE pieces."the ""best"" sellers_906" AS SELECT * FROM "the ""best"" sellers";
CREATE TABLE pieces.graph_907 AS
SELECT * FROM recsys.train_part('SELECT u, array_agg(i) FROM one_piece.buys GROUP BY u', 0, 1, NULL::bigint, similarity => 'cosine');
CREATE UNIQUE INDEX ON pieces.goods_905 (i);
CREATE UNIQUE INDEX ON pieces."the ""best"" sellers_906" (seller);
CREATE INDEX graph_index_907 ON pieces.graph_907 USING recsys_graph (item_id, users, similar_ids, scores, supports);

-- a shard is what one user has: of the first five here, others are elsewhere
DO $$
DECLARE
	u bigint;
BEGIN
	FOR u IN SELECT generate_series(5000000001, 5000000005) LOOP
		EXECUTE format('CREATE TABLE pieces.buys_%s AS SELECT * FROM one_piece.buys WHERE u = %1$s', u);
		EXECUTE format('CREATE TABLE pieces.people_%s AS SELECT * FROM one_piece.people WHERE u = %1$s', u);
		EXECUTE format('CREATE INDEX bought_%s ON pieces.buys_%1$s USING recsys (u, i, at) WITH (similarity = cosine)', u);
	END LOOP;
END$$;

CREATE FUNCTION public.declare_over(name text, place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', place || ', public', true);
	PERFORM recsys.create_recommender(name, signals => '[{"events": "bought", "price": "paid"}]', items => 'goods', item_key => 'i',
		item_filter => 'stock > 0 AND NOT EXISTS (SELECT FROM "the ""best"" sellers" WHERE "the ""best"" sellers".seller = goods.seller AND blocked)',
		title => 'name', category => 'shelf', price => 'price', seller => 'seller', sellers => '"the ""best"" sellers"', seller_key => 'seller',
		seller_quality => '{"rating": "rating", "ratings": "ratings"}', max_per_seller => 2, profiles => 'people', profile_key => 'u',
		segment => 'country', caps => '{"shelf": 3}', diversity => 0.2, price_affinity => 0.2, min_users => 1);
END$$;
SELECT declare_over('whole', 'one_piece');
SELECT declare_over('node', 'pieces');
SELECT recsys.refresh_recommender('whole'), recsys.refresh_recommender('node');
ANALYZE one_piece.goods, one_piece."the ""best"" sellers", pieces.goods_905, pieces."the ""best"" sellers_906";

-- what the coordinator would have written, and the catalog
CREATE TABLE recsys.distributed_901 AS SELECT * FROM recsys.distributed;
INSERT INTO recsys.distributed_901 VALUES ('pieces.bought', 'pieces.graph_index', 1, sha256('not very secret'), 'pieces.buys', NULL, 0);
CREATE TABLE recsys.distributed_shop_902 AS SELECT name, owner, definition FROM recsys.recommender WHERE name = 'node';
CREATE TABLE recsys.distributed_popularity_903 (LIKE recsys.distributed_popularity INCLUDING ALL);
INSERT INTO recsys.distributed_popularity_903 SELECT 'node', kind, value, items, users FROM recsys.popularity
WHERE recommender = CASE value WHEN 'meanings' THEN 'node' ELSE 'whole' END;
SELECT recsys.drop_recommender('node');
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_shard AS
SELECT name::regclass AS logicalrelid, shard::bigint AS shardid FROM (VALUES ('recsys.distributed', 901), ('recsys.distributed_shop', 902),
	('recsys.distributed_popularity', 903), ('pieces.goods', 905), ('pieces."the ""best"" sellers"', 906), ('pieces.graph', 907)) s (name, shard);
CREATE TABLE pg_catalog.pg_dist_placement AS SELECT shardid, 1 AS shardstate, 7 AS groupid
FROM (SELECT shardid FROM pg_dist_shard UNION ALL SELECT generate_series(5000000001, 5000000005)) s;
CREATE TABLE pg_catalog.pg_dist_local_group AS SELECT 7 AS groupid;
CREATE FUNCTION pg_catalog.shard_name(relation regclass, shard bigint) RETURNS text LANGUAGE sql STABLE AS
$$SELECT format('%I.%I', relnamespace::regnamespace, relname || '_' || shard) FROM pg_class WHERE oid = relation$$;
-- the greater one of an OID and a user: the user
CREATE FUNCTION pg_catalog.get_shard_id_for_distribution_column(relation regclass, value "any") RETURNS bigint LANGUAGE internal STABLE AS 'int8larger';
CREATE TABLE pg_catalog.pg_dist_partition AS
SELECT logicalrelid, 'n'::"char" AS partmethod, NULL::text AS partkey, 2 AS colocationid, 't'::"char" AS repmodel FROM pg_dist_shard
UNION ALL SELECT t::regclass, 'h', NULL, 1, 's' FROM unnest(ARRAY['pieces.buys', 'pieces.people']) t;
RESET allow_system_table_mods;
\c -
SET search_path = public;

-- users of this node, and nobody; what is asked twice is made of plans that are kept
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	whole text[];
	node text[];
BEGIN
	EXECUTE format('SELECT array_agg(r::text) FROM (%s) r', replace(query, 'SHOP', 'whole')) INTO whole;
	EXECUTE format('SELECT array_agg(r::text) FROM (%s) r', replace(query, 'SHOP', 'node')) INTO node;
	RETURN CASE WHEN whole = node THEN cardinality(node) || ' rows' ELSE format(E'%s\n%s', whole, node) END;
END$$;
SELECT same(format('SELECT u, r.* FROM generate_series(5000000001, 5000000005) u, LATERAL %s r ORDER BY u, rank', call))
FROM unnest(ARRAY['recommend(u, 8, ''SHOP'')', 'recommend(u, 60, ''SHOP'')', 'recommend_with_reasons(u, 4, ''SHOP'')',
	'recommend(u, 8, ''SHOP'', exclude_seen => false, half_life => ''5 days'')', 'explain_recommendation(u, 11, ''SHOP'')',
	'recommend(u, 5, ''SHOP'', context => ''{"exclude": [1, 2], "filter": {"max_price": 40}}'')']) call;
SELECT same(format('SELECT * FROM %s r ORDER BY rank', call)) FROM unnest(ARRAY['recommend(NULL::bigint, 8, ''SHOP'')',
	'recommend(NULL::bigint, 8, ''SHOP'', context => ''{"recently_viewed": [5], "segment": "DE"}'')', 'similar_items(5, 8, ''SHOP'')', 'goes_with(5, 8, ''SHOP'')',
	'recommend_for_items(ARRAY[5, 6], 8, ''SHOP'')', 'popular_items(8, ''SHOP'')', 'popular_items(8, ''SHOP'', segment => ''FR'')']) call;

-- what has changed in the tables that have the rows counts
UPDATE one_piece.goods SET stock = 0 WHERE i % 5 = 1;
UPDATE pieces.goods_905 SET stock = 0 WHERE i % 5 = 1;
INSERT INTO one_piece.buys VALUES (5000000002, 81, 1, '2026-05-01'), (5000000002, 999, 1, '2026-05-01');
INSERT INTO pieces.buys_5000000002 VALUES (5000000002, 81, 1, '2026-05-01'), (5000000002, 999, 1, '2026-05-01');
SELECT same('SELECT u, r.* FROM generate_series(5000000001, 5000000005) u, LATERAL recommend(u, 8, ''SHOP'') r ORDER BY u, rank');

-- names in what is kept, however they are written
CREATE TABLE kept AS SELECT definition FROM recsys.distributed_shop_902;
CREATE FUNCTION with_filter(filter text) RETURNS void LANGUAGE sql AS
$$UPDATE recsys.distributed_shop_902 SET definition = jsonb_set(definition, '{item_filter}', to_jsonb(filter))$$;
CREATE FUNCTION same_lists() RETURNS text LANGUAGE sql AS
$$SELECT same('SELECT u, r.* FROM generate_series(5000000001, 5000000005) u, LATERAL recommend(u, 8, ''SHOP'') r ORDER BY u, rank')$$;
SELECT with_filter('stock > 0 AND NOT EXISTS (SELECT FROM pieces . U&"the ""best"" \0073ellers"/* all */* -- of them
	WHERE "the ""best"" sellers".seller = items.seller AND blocked)');
SELECT same_lists();
SELECT with_filter('stock > 0 AND NOT EXISTS (SELECT FROM only(U&"pi!0065ces" UESCAPE ''!''."the ""best"" sellers")WHERE "the ""best"" sellers".seller = items.seller AND blocked)');
SELECT same_lists();
SELECT with_filter('stock > 0 AND EXISTS (TABLE ONLY pieces."the ""best"" sellers") AND EXISTS (TABLE pieces."the ""best"" sellers"*)
	AND seller IN (SELECT s.seller FROM ONLY pieces."the ""best"" sellers"AS s(seller) WHERE NOT s.blocked)');
SELECT same_lists();
UPDATE recsys.distributed_shop_902 SET definition = kept.definition FROM kept;
DROP TABLE kept;
DROP FUNCTION with_filter(text), same_lists();

-- above a parallel plan
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM (SELECT 5000000000 + count(i % 7) AS u FROM one_piece.goods WHERE i < 6) u, LATERAL recommend(u.u, 8, 'node') r;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- users of another node are asked for there, with all that the call says
SELECT * FROM recommend(5000000009, 3, 'node');
CREATE FUNCTION pieces.node_list(u bigint, k bigint, exclude_seen boolean, half_life interval, context jsonb)
RETURNS TABLE (item_id bigint, score real, source text, rank integer) LANGUAGE sql STABLE AS
$$SELECT 1000 + k, 0.5::real, concat_ws(' ', u, exclude_seen, half_life, context), 1$$;
CREATE FUNCTION pieces.node_reasons(u bigint, k bigint, context jsonb)
RETURNS TABLE (item_id bigint, score real, source text, rank integer, reason text, details jsonb)
LANGUAGE sql STABLE AS $$SELECT 1000 + k, 0.5::real, 'elsewhere', 1, concat_ws(' ', u, context), '[]'::jsonb$$;
SELECT * FROM recommend(5000000009, 3, 'node', exclude_seen => false, half_life => '3 days', context => '{"cart": [5]}');
SELECT * FROM recommend(5000000009, 3, 'node', NULL::text);
SELECT * FROM recommend_with_reasons(5000000009, 3, 'node', context => '{"cart": [5]}');
SELECT * FROM explain_recommendation(5000000009, 3, 'node');
SELECT * FROM next_basket(5000000001, 3, 'node');
SELECT * FROM trending_items(3, 'node');

-- what is not on this node says so; rights are those on the tables that have the rows
CREATE ROLE regress_node;
GRANT USAGE ON SCHEMA pieces TO regress_node;
GRANT SELECT ON pieces.buys, pieces.goods_905, pieces.people_5000000001 TO regress_node;
SET ROLE regress_node;
SELECT * FROM recommend(5000000001, 3, 'node');
RESET ROLE;
GRANT SELECT ON pieces."the ""best"" sellers_906", pieces.buys_5000000001 TO regress_node;
SET ROLE regress_node;
SELECT count(*) FROM recommend(5000000001, 3, 'node');
SELECT count(*) FROM recommend(5000000002, 3, 'node');
RESET ROLE;
DELETE FROM pg_dist_placement WHERE shardid = 5000000005;
SELECT item_id FROM recommend(5000000005, 3, 'node');
ALTER TABLE pieces.goods_905 RENAME TO goods_gone;
SELECT * FROM recommend(5000000001, 3, 'node');
ALTER TABLE pieces.goods_gone RENAME TO goods_905;
SELECT count(*) FROM recommend(5000000001, 3, 'node');
SET allow_system_table_mods = on;
UPDATE pg_dist_partition SET partmethod = 'h' WHERE logicalrelid = 'pieces."the ""best"" sellers"'::regclass;
RESET allow_system_table_mods;
\c -
SELECT * FROM recommend(5000000001, 3, 'node');
DELETE FROM recsys.distributed_shop_902;
SELECT * FROM recommend(5000000001, 3, 'node');

SET client_min_messages = warning;
SET allow_system_table_mods = on;
DROP TABLE pg_catalog.pg_dist_partition, pg_catalog.pg_dist_shard, pg_catalog.pg_dist_placement, pg_catalog.pg_dist_local_group;
DROP FUNCTION pg_catalog.shard_name(regclass, bigint), pg_catalog.get_shard_id_for_distribution_column(regclass, "any");
RESET allow_system_table_mods;
SELECT recsys.drop_recommender('whole');
DROP SCHEMA one_piece, pieces CASCADE;
DROP TABLE recsys.distributed_901, recsys.distributed_shop_902, recsys.distributed_popularity_903;
DROP FUNCTION same(text), declare_over(text, text);
DROP ROLE regress_node;
