/*
 * What the planner is told of the functions, and catalogues of odd sizes.
 */
CREATE TABLE shop (user_id bigint, item_id bigint);
CREATE INDEX shop_recsys ON shop USING recsys (user_id, item_id) WITH (min_support = 1);

CREATE FUNCTION estimated_rows(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT call, estimated_rows('SELECT * FROM ' || call) AS rows FROM unnest(ARRAY[
	'recommend(1)', 'recommend(1, 3)', 'recommend(1, 1 + 2)', 'recommend(1, 0)', 'recommend(1, NULL)', 'recommend(k => 25, user_id => 1)',
	'recommend(1, 500, NULL, NULL::text)', 'recommend(1, length(current_setting(''search_path'')) - length(current_setting(''search_path'')) + 6)',
	'recommend_for_items(ARRAY[1, 2], 4)', 'recommend_for_items(ARRAY[''a'', ''b''], 5)', 'recommend_for_items(''{}''::uuid[], 6)', 'recommend_for_session(ARRAY[1, 2], 4)', 'recommend_for_session(ARRAY[''a'', ''b''], 5)', 'recommend_for_session(''{}''::uuid[], 6)',
	'similar_items(1)', 'similar_items(1, 7)', 'similar_items(''a''::text, 8)', 'similar_items(gen_random_uuid(), 9)',
	'recently_viewed(1)', 'recently_viewed(1, 3)', 'recently_viewed(''a''::text, 4, NULL, NULL::text)', 'trending_items()', 'trending_items(5)', 'trending_items(6, NULL, NULL::uuid)', 'on_sale_for(1)', 'on_sale_for(1, 7)', 'on_sale_for(1, 8, NULL, NULL::text, NULL::jsonb)',
	'popular_items()', 'popular_items(11)', 'popular_items(NULL, NULL, NULL::text)', 'popular_items(12, NULL, NULL::uuid)',
	'explain_recommendation(1, 2)', 'item_similarity()', 'item_similarity(NULL, NULL::text)',
	'query_item_similarity(''SELECT 1, 2'')', 'cross_similarity(''shop_recsys'', ''shop_recsys'')']) WITH ORDINALITY AS c(call, place)
ORDER BY place;
-- in the select list, and with a k that is not known at planning
SELECT estimated_rows('SELECT recommend(1, 5)') AS select_list,
	   estimated_rows('SELECT * FROM (VALUES (1), (2)) v(k), LATERAL recommend(1, v.k)') AS lateral_values,
	   estimated_rows('SELECT * FROM generate_series(1, 20) u, LATERAL recommend(u, 5)') AS lateral_call;
PREPARE ask(integer) AS SELECT * FROM recommend(1, $1);
SET plan_cache_mode = force_custom_plan;
SELECT estimated_rows('EXECUTE ask(42)') AS custom_plan;
SET plan_cache_mode = force_generic_plan;
SELECT estimated_rows('EXECUTE ask(42)') AS generic_plan;
RESET plan_cache_mode;
DEALLOCATE ask;

-- how they are marked
SELECT proname, provolatile, proparallel, proisstrict, count(*), min(procost) AS cost, min(prorows) AS rows
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND deptype = 'e'
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'recsys') AND refclassid = 'pg_extension'::regclass
GROUP BY 1, 2, 3, 4 ORDER BY proname COLLATE "C";

-- an empty table
SELECT * FROM recommend(1);
SELECT * FROM recommend(1, NULL);
SELECT * FROM popular_items();
SELECT * FROM similar_items(1);
SELECT * FROM recommend_for_items(ARRAY[1]);
SELECT * FROM item_similarity();
SELECT * FROM cross_similarity('shop_recsys', 'shop_recsys');
SELECT count(*) FROM shop WHERE user_id = 1;
SELECT users, items, interactions, pairs FROM recsys.index_info('shop_recsys');
SELECT recsys.check_index('shop_recsys');

-- one row
INSERT INTO shop VALUES (1, 1);
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(1);
SELECT * FROM recommend(1, exclude_seen => false);
SELECT * FROM recommend(2);
SELECT * FROM popular_items();
SELECT * FROM item_similarity();
SELECT users, items, interactions, pairs FROM recsys.index_info('shop_recsys');
SELECT recsys.check_index('shop_recsys');

-- all users have the one item
INSERT INTO shop SELECT g, 1 FROM generate_series(2, 1000) g;
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(1);
SELECT * FROM recommend(2000);
SELECT * FROM popular_items();
SELECT users, items, interactions, pairs FROM recsys.index_info('shop_recsys');
SELECT recsys.check_index('shop_recsys');

-- one user has all items
TRUNCATE shop;
INSERT INTO shop SELECT 1, g FROM generate_series(1, 300) g;
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(1);
SELECT * FROM recommend(2, 2);
SELECT * FROM similar_items(300, 3);
SELECT users, items, interactions, pairs FROM recsys.index_info('shop_recsys');
SELECT recsys.check_index('shop_recsys');

-- no user has two items
TRUNCATE shop;
INSERT INTO shop SELECT g, g FROM generate_series(1, 300) g;
REINDEX INDEX shop_recsys;
SELECT * FROM recommend(1, 2);
SELECT users, items, interactions, pairs FROM recsys.index_info('shop_recsys');

-- more items than the page of popular ones lists: every one comes out once, in order
TRUNCATE shop;
ALTER INDEX shop_recsys SET (max_history = 5000);
INSERT INTO shop SELECT u, i FROM generate_series(1, 4) u, generate_series(1, 3000) i WHERE i % u = 0 OR i = 2999;
REINDEX INDEX shop_recsys;
SELECT count(*), count(DISTINCT item_id) FROM recommend(99, NULL);
SELECT count(*) FROM popular_items(NULL) WITH ORDINALITY p
FULL JOIN (SELECT item_id, count(*) AS users, row_number() OVER (ORDER BY count(*) DESC, item_id) AS ordinality FROM shop GROUP BY 1) r
	USING (item_id, users, ordinality)
WHERE p.item_id IS NULL OR r.item_id IS NULL;
SELECT count(*) FROM recommend(99, 2990) WITH ORDINALITY p
FULL JOIN (SELECT item_id, row_number() OVER (ORDER BY count(*) DESC, item_id) AS ordinality FROM shop GROUP BY 1) r USING (item_id, ordinality)
WHERE (p.item_id IS NULL OR r.item_id IS NULL) AND ordinality <= 2990;
SELECT recsys.check_index('shop_recsys');

-- parallel plans around the functions
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE shop SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT count(*) FROM shop s, LATERAL recommend(s.user_id, 1) r;
SELECT count(*) FROM (SELECT DISTINCT user_id FROM shop) s, LATERAL recommend(s.user_id, 1) r;

DROP TABLE shop;
DROP FUNCTION estimated_rows;
