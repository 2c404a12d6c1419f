/*
 * Storage parameters, and every command that builds, rebuilds, moves or
 * drops an index.
 */
CREATE TABLE shop (user_id bigint, item_id bigint, quantity integer, at timestamptz, note text);
INSERT INTO shop SELECT g % 40, g * 7 % 23, g % 3 + 1, '2024-01-01 00:00+00'::timestamptz + interval '1 hour' * g, 'n' FROM generate_series(1, 400) g;

-- storage parameters
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id, quantity, at)
	WITH (similarity = jaccard, neighbors = 5, min_support = 1, shrinkage = 2.5, alpha = 0.25, max_history = 50, half_life = '1 month', fillfactor = 70);
SELECT unnest(reloptions) FROM pg_class WHERE relname = 'shop_recsys';
SELECT similarity, pairs FROM recsys.index_info('shop_recsys');
SELECT count(*) AS differences FROM item_similarity() i
FULL JOIN query_item_similarity('SELECT user_id, item_id, quantity, at FROM shop', 'jaccard', 5, 1, 2.5, 0.25, 50) q
	USING (item_id, similar_item_id, score, support, rank)
WHERE i.item_id IS NULL OR q.item_id IS NULL;
-- they act at the next build
ALTER INDEX shop_recsys SET (similarity = lift, neighbors = 3);
SELECT similarity, pairs FROM recsys.index_info('shop_recsys');
REINDEX INDEX shop_recsys;
SELECT similarity, pairs FROM recsys.index_info('shop_recsys');
ALTER INDEX shop_recsys RESET (similarity, neighbors, min_support, shrinkage, alpha, max_history, half_life, fillfactor);
REINDEX INDEX shop_recsys;
SELECT similarity, pairs, (SELECT reloptions FROM pg_class WHERE relname = 'shop_recsys') FROM recsys.index_info('shop_recsys');
ALTER INDEX shop_recsys SET (half_life = '');
ALTER INDEX shop_recsys SET (half_life = '2 days 03:04:05');
ALTER INDEX shop_recsys RESET (half_life);

-- what they refuse
ALTER INDEX shop_recsys SET (similarity = euclid);
ALTER INDEX shop_recsys SET (similarity = '');
ALTER INDEX shop_recsys SET (neighbors = 0);
ALTER INDEX shop_recsys SET (neighbors = 501);
ALTER INDEX shop_recsys SET (neighbors = many);
ALTER INDEX shop_recsys SET (min_support = 0);
ALTER INDEX shop_recsys SET (shrinkage = -0.1);
ALTER INDEX shop_recsys SET (alpha = 2.01);
ALTER INDEX shop_recsys SET (alpha = nan);
ALTER INDEX shop_recsys SET (max_history = 0);
ALTER INDEX shop_recsys SET (max_history = 100001);
ALTER INDEX shop_recsys SET (fillfactor = 49);
ALTER INDEX shop_recsys SET (half_life = 'soon');
ALTER INDEX shop_recsys SET (half_life = '-1 day');
ALTER INDEX shop_recsys SET (half_life = '0');
ALTER INDEX shop_recsys SET (half_life = '290000000 years');
ALTER INDEX shop_recsys SET (colour = red);
CREATE INDEX ON shop USING recsys (user_id, item_id) WITH (buffering = on);

-- columns that cannot be
CREATE INDEX ON shop USING recsys (user_id);
CREATE INDEX ON shop USING recsys (user_id, item_id, quantity, at, quantity);
CREATE INDEX ON shop USING recsys (user_id, item_id, at, quantity);
CREATE INDEX ON shop USING recsys (user_id, item_id, note);
CREATE INDEX ON shop USING recsys (user_id, item_id, quantity, note);
CREATE INDEX ON shop USING recsys (user_id, item_id, quantity, quantity);
CREATE INDEX ON shop USING recsys (user_id, at);
CREATE INDEX ON shop USING recsys ((quantity::numeric), item_id);
CREATE INDEX ON shop USING recsys (user_id, (quantity::float8));
CREATE INDEX ON shop USING recsys (user_id, (item_id = 1));
CREATE INDEX ON shop USING recsys (user_id, (ARRAY[item_id]));

-- what the access method has not
CREATE UNIQUE INDEX ON shop USING recsys (user_id, item_id);
CREATE INDEX ON shop USING recsys (user_id, item_id) INCLUDE (quantity);
CREATE INDEX ON shop USING recsys (user_id DESC, item_id);
CREATE INDEX ON shop USING recsys (user_id NULLS FIRST, item_id);
CLUSTER shop USING shop_recsys;
SELECT name, pg_indexam_has_property(oid, name) FROM pg_am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) name
WHERE amname = 'recsys' ORDER BY name COLLATE "C";
SELECT name, pg_index_has_property('shop_recsys', name)
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan']) name ORDER BY name COLLATE "C";
SELECT name, pg_index_column_has_property('shop_recsys', 1, name)
FROM unnest(ARRAY['asc', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls']) name ORDER BY name COLLATE "C";
SELECT opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'recsys' ORDER BY opcname COLLATE "C";

-- a wrong operator class
CREATE OPERATOR CLASS wrong_ops FOR TYPE boolean USING recsys AS OPERATOR 1 = (boolean, boolean);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'wrong_ops';
CREATE INDEX ON shop USING recsys (user_id, (item_id = 1) wrong_ops);
DROP OPERATOR FAMILY wrong_ops USING recsys;

-- a nondeterministic collation; says nothing on servers without ICU
DO $$
BEGIN
	CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	CREATE TABLE any_case_shop (user_id bigint, item_id text COLLATE any_case);
	BEGIN
		CREATE INDEX ON any_case_shop USING recsys (user_id, item_id);
		RAISE WARNING 'a nondeterministic collation was accepted';
	EXCEPTION WHEN feature_not_supported THEN
		IF SQLERRM <> 'nondeterministic collations are not supported for keys of a recommender' THEN
			RAISE WARNING '%', SQLERRM;
		END IF;
	END;
	CREATE INDEX ON any_case_shop USING recsys (user_id, item_id COLLATE "C");
	DROP TABLE any_case_shop;
	DROP COLLATION any_case;
EXCEPTION WHEN feature_not_supported OR undefined_object OR invalid_parameter_value THEN
	IF SQLERRM NOT LIKE '%ICU%' THEN
		RAISE WARNING '%', SQLERRM;
	END IF;
END $$;

-- an exclusion constraint: each user has an item once
CREATE TABLE likes (user_id bigint, item_id bigint, CONSTRAINT once EXCLUDE USING recsys (user_id WITH =, item_id WITH =));
INSERT INTO likes VALUES (1, 1), (1, 2), (2, 1), (NULL, 1), (NULL, 1);
INSERT INTO likes VALUES (3, 1), (1, 2);
DELETE FROM likes WHERE item_id = 2;
INSERT INTO likes VALUES (1, 2) ON CONFLICT DO NOTHING;
INSERT INTO likes VALUES (1, 2) ON CONFLICT DO NOTHING;
SELECT count(*) FROM likes;
SELECT recsys.check_index('once');
DROP TABLE likes;

-- rebuilding; the graph stays what it was
CREATE TABLE before AS SELECT * FROM item_similarity();
CREATE FUNCTION same(recommender text) RETURNS boolean LANGUAGE sql AS $$
	SELECT recsys.check_index(recommender::regclass);
	SELECT count(*) = 0 FROM item_similarity(recommender) i FULL JOIN before b USING (item_id, similar_item_id, score, support, rank)
	WHERE i.item_id IS NULL OR b.item_id IS NULL;
$$;
REINDEX INDEX shop_recsys;
SELECT same('shop_recsys');
REINDEX INDEX CONCURRENTLY shop_recsys;
SELECT same('shop_recsys');
REINDEX TABLE shop;
SELECT same('shop_recsys');
VACUUM FULL shop;
SELECT same('shop_recsys');
CREATE INDEX shop_item ON shop (item_id);
CLUSTER shop USING shop_item;
SELECT same('shop_recsys');
ALTER TABLE shop ALTER item_id TYPE integer, ALTER quantity TYPE numeric;
SELECT same('shop_recsys');
ALTER TABLE shop ALTER user_id TYPE text USING 'user ' || user_id;
SELECT same('shop_recsys');
SELECT count(*) FROM recommend('user 3'::text, 5);
ALTER TABLE shop SET UNLOGGED;
SELECT same('shop_recsys');
ALTER TABLE shop SET LOGGED;
SELECT same('shop_recsys');
ALTER INDEX shop_recsys RENAME TO renamed_recsys;
SELECT same('renamed_recsys');
CREATE SCHEMA "Other Shop";
ALTER TABLE shop SET SCHEMA "Other Shop";
SELECT same('"Other Shop".renamed_recsys');
-- off the search path it is found only where the path has no schema at all, unless there are two of the name
SELECT count(*) FROM recommend('user 3'::text, 5, 'renamed_recsys');
SET search_path = '';
SELECT count(*) FROM public.recommend('user 3'::text, 5, 'renamed_recsys');
SELECT count(*) FROM public.recommend('user 3'::text, 5, 'Other Shop.renamed_recsys');
RESET search_path;
CREATE SCHEMA twin;
CREATE TABLE twin.shop (user_id bigint, item_id bigint);
CREATE INDEX renamed_recsys ON twin.shop USING recsys (user_id, item_id);
SELECT count(*) FROM recommend('user 3'::text, 5, 'renamed_recsys');
SET search_path = twin, public;
SELECT count(*) FROM recommend(3, 5, 'renamed_recsys');
RESET search_path;
DROP TABLE twin.shop;
DROP SCHEMA twin;
ALTER TABLE "Other Shop".shop SET SCHEMA public;
DROP SCHEMA "Other Shop";
CREATE INDEX CONCURRENTLY second_recsys ON shop USING recsys (user_id, item_id, quantity, at);
SELECT same('second_recsys');
DROP INDEX CONCURRENTLY renamed_recsys;
SELECT same('second_recsys');
ALTER TABLE shop DROP COLUMN note;
SELECT same('second_recsys');

-- a build within a transaction, and one that is rolled back
BEGIN;
DELETE FROM shop WHERE item_id = 1;
REINDEX INDEX second_recsys;
SELECT count(*) FROM similar_items(1);
ROLLBACK;
SELECT same('second_recsys');
BEGIN;
INSERT INTO shop VALUES ('user 3', 999);
CREATE INDEX third_recsys ON shop USING recsys (user_id, item_id) WITH (min_support = 1);
SELECT count(*) > 0 AS found FROM similar_items(999, 10, 'third_recsys');
SAVEPOINT s;
DROP INDEX second_recsys;
SELECT count(*) > 0 AS found FROM similar_items(999);
ROLLBACK TO s;
SELECT count(*) > 0 AS found FROM similar_items(999, 10, 'second_recsys');
ROLLBACK;
SELECT same('second_recsys');

-- TRUNCATE empties the index, and it goes on from there
TRUNCATE shop;
SELECT count(*) FROM item_similarity();
SELECT * FROM recommend('user 3'::text);
SELECT users, items, interactions, pairs FROM recsys.index_info('second_recsys');
SELECT recsys.check_index('second_recsys');
INSERT INTO shop VALUES ('a', 1), ('a', 2), ('b', 1), ('b', 2), ('c', 1);
SELECT * FROM recommend('c'::text);
REINDEX INDEX second_recsys;
SELECT * FROM recommend('c'::text);
BEGIN;
TRUNCATE shop;
INSERT INTO shop VALUES ('c', 3);
SELECT * FROM recommend('c'::text);
SELECT recsys.check_index('second_recsys');
ROLLBACK;
SELECT * FROM recommend('c'::text);
SELECT recsys.check_index('second_recsys');
DROP TABLE shop;
SELECT * FROM recommend('c'::text);

-- unlogged and temporary tables
CREATE UNLOGGED TABLE shop (user_id bigint, item_id bigint);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id);
INSERT INTO shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
SELECT recsys.check_index('shop_recsys');
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(3);
DROP TABLE shop;
CREATE TEMP TABLE shop (user_id bigint, item_id bigint) ON COMMIT DELETE ROWS;
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id);
BEGIN;
INSERT INTO shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(3);
SELECT recsys.check_index('shop_recsys');
COMMIT;
SELECT * FROM recommend(3);
SELECT recsys.check_index('shop_recsys');
DROP TABLE shop;

-- partitioned tables: a recommender for each partition
CREATE TABLE shop (user_id bigint, item_id bigint, country text) PARTITION BY LIST (country);
CREATE TABLE shop_fr PARTITION OF shop FOR VALUES IN ('fr');
CREATE TABLE shop_de PARTITION OF shop FOR VALUES IN ('de');
INSERT INTO shop VALUES (1, 1, 'fr'), (1, 2, 'fr'), (2, 1, 'fr'), (2, 2, 'fr'), (3, 1, 'fr'), (4, 3, 'de'), (4, 4, 'de'), (5, 3, 'de'), (5, 4, 'de');
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id);
SELECT * FROM recommend(3, 5, 'shop_fr_user_id_item_id_idx');
SELECT * FROM recommend(3, 5, 'shop_de_user_id_item_id_idx');
SELECT * FROM recommend(3, 5, 'shop_recsys');
SELECT recsys.check_index('shop_recsys');
SELECT recsys.check_index('shop_fr_user_id_item_id_idx');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop') ORDER BY item_id;
DROP TABLE shop;
DROP FUNCTION same;
DROP TABLE before;
