/*
 * Every error that a user can run into, its code and its hint.  Errors of
 * CREATE INDEX are in ddl.sql, those of keys in keys.sql, those of privileges
 * in privileges.sql.
 */
CREATE FUNCTION code_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- which recommender?
SELECT * FROM recommend(1);
SELECT * FROM recommend(1, recommender => 'nowhere');
SELECT * FROM recommend(1, recommender => 'no_schema.nowhere');
SELECT * FROM recommend(1, recommender => '');
SELECT * FROM recommend(1, recommender => 'a.b.c.d');
SELECT * FROM recommend(1, recommender => 'a b');
CREATE TABLE shop (user_id bigint, item_id bigint, quantity integer);
INSERT INTO shop VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 1);
SELECT * FROM recommend(1);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id, quantity);
CREATE INDEX shop_btree ON shop (user_id);
CREATE VIEW shop_view AS SELECT 1 AS one;
SELECT * FROM recommend(1, recommender => 'shop');
SELECT * FROM recommend(1, recommender => 'shop_btree');
SELECT * FROM similar_items(1, recommender => 'shop_view');
SELECT recsys.check_index('shop_btree');
SELECT recsys.check_index('shop');
SELECT recsys.check_index(0);
SELECT recsys.index_info('shop_btree');
SELECT recsys.index_info(1);
SELECT recsys.check_index(NULL) IS NULL AS strict, (recsys.index_info(NULL)).users IS NULL AS strict_too;
CREATE INDEX second_recsys ON shop USING recsys (user_id, item_id);
SELECT * FROM recommend(1);
SELECT * FROM recommend_for_items(ARRAY[1]);
SELECT * FROM similar_items(1);
SELECT * FROM popular_items();
SELECT * FROM explain_recommendation(1, 2);
SELECT * FROM item_similarity();
CREATE INDEX a_recsys ON shop USING recsys (user_id, item_id);
CREATE INDEX b_recsys ON shop USING recsys (user_id, item_id);
CREATE INDEX "C recsys" ON shop USING recsys (user_id, item_id);
CREATE INDEX d_recsys ON shop USING recsys (user_id, item_id);
SELECT * FROM recommend(1);
SELECT count(*) FROM recommend(1, recommender => '"C recsys"', exclude_seen => false);
SELECT count(*) FROM recommend(1, recommender => 'public."C recsys"', exclude_seen => false);
DROP INDEX a_recsys, b_recsys, "C recsys", d_recsys, second_recsys;
SELECT count(*) FROM recommend(1, exclude_seen => false);

-- an index that is not valid: out of a failed CREATE INDEX CONCURRENTLY, and of one that got further
INSERT INTO shop VALUES (4, 0);
CREATE INDEX CONCURRENTLY failed_recsys ON shop USING recsys (user_id, (10 / item_id));
SELECT * FROM recommend(1, recommender => 'failed_recsys');
SELECT recsys.check_index('failed_recsys');
SELECT count(*) FROM recommend(1, exclude_seen => false);
DELETE FROM shop WHERE item_id = 0;
REINDEX INDEX failed_recsys;
SELECT count(*) FROM recommend(1, recommender => 'failed_recsys', exclude_seen => false);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'failed_recsys'::regclass;
SELECT * FROM recommend(1, recommender => 'failed_recsys');
SELECT recsys.index_info('failed_recsys');
DROP INDEX failed_recsys;

-- arguments
SELECT * FROM recommend(1, -1);
SELECT * FROM recommend(1, -2147483648, 'shop_recsys', NULL::bigint);
SELECT * FROM similar_items(1, -1);
SELECT * FROM popular_items(-1);
SELECT * FROM popular_items(-1, NULL, NULL::bigint);
SELECT * FROM recommend_for_items(ARRAY[1], -1);
SELECT * FROM recommend(1, 2147483648);
SELECT * FROM recommend('1', 10);
SELECT * FROM recommend(1, half_life => '1 day');
SELECT count(*) FROM recommend(1, half_life => '0', exclude_seen => false);
SELECT * FROM recommend(1, half_life => '-1 day');
SELECT * FROM explain_recommendation(1, 2, half_life => '1 day');
SELECT * FROM popular_items(half_life => '1 day');
SELECT * FROM popular_items(since => now());
-- checked even where no row would come out
SELECT * FROM recommend(1, 0, 'nowhere');
SELECT * FROM recommend('x'::text, 0);
SELECT * FROM recommend(NULL::text, 0);
SELECT code_of('SELECT * FROM recommend(1, -1)') AS k,
	   code_of('SELECT * FROM recommend(1, 1, ''nowhere'')') AS unknown,
	   code_of('SELECT * FROM recommend(1, 1, ''shop'')') AS no_index,
	   code_of('SELECT * FROM recommend(''x''::text)') AS key_type,
	   code_of('SELECT * FROM recommend(1, half_life => ''1 day'')') AS no_time;

-- query_item_similarity: options
SELECT * FROM query_item_similarity(NULL);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', 'euclid');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', NULL);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', neighbors => 0);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', neighbors => NULL);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', min_support => 0);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', shrinkage => -1);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', shrinkage => 'NaN');
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', alpha => 2.5);
SELECT * FROM query_item_similarity('SELECT user_id, item_id FROM shop', max_history => 0);
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM shop', 'COSINE', 1000000, 1, 1e9, 1, 100000);

-- its query
SELECT * FROM query_item_similarity('');
SELECT * FROM query_item_similarity('SELECT');
SELECT * FROM query_item_similarity('SELECT user_id FROM shop');
SELECT * FROM query_item_similarity('SELECT *, 1, 2 FROM shop');
SELECT * FROM query_item_similarity('SELECT 1.5, item_id FROM shop');
SELECT * FROM query_item_similarity('SELECT user_id, now() FROM shop');
SELECT * FROM query_item_similarity('SELECT user_id, item_id, ''x''::text FROM shop');
SELECT * FROM query_item_similarity('SELECT user_id, item_id, now(), quantity FROM shop');
SELECT * FROM query_item_similarity('SELECT user_id, item_id, quantity, quantity FROM shop');
SELECT * FROM query_item_similarity('SELECT user_id, nothing FROM shop');
SELECT * FROM query_item_similarity('SELEC user_id');
SELECT * FROM query_item_similarity('SELECT 1, 2; SELECT 3, 4');
SELECT * FROM query_item_similarity('SELECT 1, $1');
SELECT * FROM query_item_similarity('DELETE FROM shop');
SELECT * FROM query_item_similarity('INSERT INTO shop VALUES (1, 1) RETURNING user_id, item_id');
SELECT * FROM query_item_similarity('WITH d AS (DELETE FROM shop RETURNING *) SELECT user_id, item_id FROM d');
SELECT * FROM query_item_similarity('TRUNCATE shop');
SELECT * FROM query_item_similarity('SHOW work_mem');
SELECT * FROM query_item_similarity('SELECT user_id, 1 / (item_id - 1) FROM shop');
SELECT count(*) FROM query_item_similarity('VALUES (1, 1), (1, 2), (2, 1), (2, 2)');
SELECT count(*) FROM query_item_similarity('TABLE shop');
SELECT count(*) FROM query_item_similarity('SELECT user_id, item_id FROM shop WHERE false');
SELECT count(*) FROM query_item_similarity('SELECT NULL::bigint, item_id FROM shop');
SELECT count(*) FROM shop;

-- keys that do not fit in memory
SET maintenance_work_mem = '1MB';
SELECT * FROM query_item_similarity('SELECT 1, repeat(''x'', 1000) || g FROM generate_series(1, 2000) g', item_type => NULL::text);
RESET maintenance_work_mem;

-- an error in the middle leaves nothing behind
DO $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		BEGIN
			PERFORM * FROM recommend(1, 5), query_item_similarity('SELECT user_id, 1 / (item_id - 1) FROM shop');
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) FROM recommend(1, exclude_seen => false);
SELECT recsys.check_index('shop_recsys');

DROP VIEW shop_view;
DROP TABLE shop;
DROP FUNCTION code_of;
