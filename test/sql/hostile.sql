/*
 * What a table's owner has declared (expressions, a predicate) never runs with the
 * rights of whoever calls a function for the index.
 */
SET client_min_messages = warning;
CREATE ROLE regress_recsys_thief;
CREATE SCHEMA trap AUTHORIZATION regress_recsys_thief;
SET ROLE regress_recsys_thief;
CREATE TABLE trap.loot (who name);
CREATE TABLE trap.sales (user_id bigint, item_id bigint, quantity int, sold timestamptz);
INSERT INTO trap.sales SELECT u, (u * i) % 7, i, timestamptz '2024-01-01' + u * interval '1 day'
FROM generate_series(1, 20) u, generate_series(1, 4) i;
-- tries what it may, whoever runs it, and tells who that was
CREATE FUNCTION trap.grab() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	BEGIN
		EXECUTE 'RESET ROLE';
	EXCEPTION WHEN OTHERS THEN NULL;
	END;
	BEGIN
		EXECUTE 'ALTER ROLE regress_recsys_thief SUPERUSER';
	EXCEPTION WHEN OTHERS THEN NULL;
	END;
	INSERT INTO trap.loot VALUES (current_user);
END $$;
CREATE FUNCTION trap.innocent(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM trap.grab();
	RETURN $1;
END $$;
CREATE INDEX sales_recsys ON trap.sales USING recsys (user_id, (trap.innocent(item_id)), quantity, sold) WHERE trap.innocent(user_id) > trap.innocent(0);
RESET ROLE;
TRUNCATE trap.loot;

-- a superuser calls everything that there is for an index
SELECT count(*) FROM recsys.tune('trap.sales_recsys'::regclass, models => '{"similarity = cosine"}', resamples => 0, time_limit => NULL);
SELECT count(*) FROM recsys.tune('trap.sales_recsys'::regclass, trials => 2, resamples => 0, time_limit => NULL,
	test => 'SELECT user_id, item_id + 1 FROM trap.sales');
SELECT count(*) > 0 FROM recsys.evaluate_recommender('trap.sales_recsys', 'SELECT user_id, item_id + 1 FROM trap.sales');
SELECT recsys.check_index('trap.sales_recsys');
SELECT merged IS NOT NULL FROM recsys.merge('trap.sales_recsys', exact => true);
SELECT recsys.forget_user('trap.sales_recsys', 3::bigint) > 0;
SELECT count(*) FROM recsys.index_info('trap.sales_recsys');
SELECT count(*) FROM recsys.index_stats WHERE schema_name = 'trap';
SELECT count(*) > 0 FROM recsys.index_sections('trap.sales_recsys');
SELECT count(*) > 0 FROM recsys.page_summary('trap.sales_recsys');
SELECT count(*) FROM recommend(4, 2, 'trap.sales_recsys');
SELECT count(*) FROM recommend_for_items(ARRAY[1], 2, 'trap.sales_recsys');
SELECT count(*) FROM recommend_for_session(ARRAY[1], 2, 'trap.sales_recsys');
SELECT count(*) FROM similar_items(1, 2, 'trap.sales_recsys');
SELECT count(*) FROM popular_items(2, 'trap.sales_recsys', half_life => '1 day');
SELECT count(*) > 0 FROM explain_recommendation(4, 1, 'trap.sales_recsys');
SELECT count(*) > 0 FROM item_similarity('trap.sales_recsys');
SELECT count(*) > 0 FROM association_rules('trap.sales_recsys', 1, 0);
SELECT count(*) > 0 FROM frequent_itemsets('trap.sales_recsys', 1);
SELECT count(*) FROM frequently_bought_together(1, 2, 'trap.sales_recsys');
VACUUM trap.sales;
ANALYZE trap.sales;
REINDEX INDEX trap.sales_recsys;
REINDEX INDEX CONCURRENTLY trap.sales_recsys;
SET min_parallel_table_scan_size = 0;
REINDEX INDEX trap.sales_recsys;
RESET min_parallel_table_scan_size;

-- nor what a declared recommender reads of the table itself
CREATE TABLE trap_items AS SELECT i AS item_id, i % 3 AS seller, 1.5 * i AS price FROM generate_series(0::bigint, 6) i;
CREATE UNIQUE INDEX ON trap_items (item_id);
SELECT recsys.create_recommender('trapped', '[{"events": "trap.sales_recsys", "price": "quantity * 2"}]',
	items => 'trap_items', item_key => 'item_id', seller => 'seller', price => 'price', price_affinity => 0.2, segment => 'persona');
SELECT count(*) FROM recommend(4, 2, 'trapped');
SELECT count(*) FROM explain_recommendation(4, 1, 'trapped');
SELECT recsys.refresh_recommender('trapped');
SELECT count(*) FROM recsys.customer_segments('trapped');
SELECT count(*) FROM recsys.audience('trapped', '3');
SELECT count(*) FROM recsys.seller_exposure('trapped');
SELECT count(*) FROM popular_items(2, 'trapped', half_life => '1 day');
SELECT count(*) FROM similar_items(1, 2, 'trapped');
SELECT count(*) FROM recsys.recommenders WHERE problem IS NULL;
-- whose own it is may read them, and so may who reads the table with its policies
GRANT SELECT ON trap_items TO regress_recsys_thief;
GRANT CREATE ON SCHEMA public TO regress_recsys_thief;
SELECT recsys.alter_recommender('trapped', new_owner => 'regress_recsys_thief');
SELECT recsys.refresh_recommender('trapped') > 0 AS refreshed;
SET SESSION AUTHORIZATION regress_recsys_thief;
SELECT count(*) > 0 AS customers FROM recsys.customer_segments('trapped');
SELECT count(*) > 0 AS some FROM recommend(4, 2, 'trapped');
-- what a domain checks is code, too
CREATE DOMAIN trap.quiet AS bigint CHECK (trap.innocent(VALUE) IS NOT NULL);
CREATE INDEX quiet_recsys ON trap.sales USING recsys (user_id, ((item_id::trap.quiet)::bigint));
RESET SESSION AUTHORIZATION;
REVOKE CREATE ON SCHEMA public FROM regress_recsys_thief;
SELECT recsys.create_recommender('quiet', '[{"events": "trap.quiet_recsys"}]');
SELECT count(*) FROM recsys.customer_segments('quiet');
-- replacing a function leaves its owner
SET SESSION AUTHORIZATION regress_recsys_thief;
CREATE FUNCTION trap.recommend(user_id bigint, k integer DEFAULT 10) RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	LANGUAGE sql AS 'SELECT 1::bigint, 1::real, NULL::text, 1';
COMMENT ON FUNCTION trap.recommend(bigint, integer) IS 'made by recsys.create_functions: indeed';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM recsys.create_functions('quiet', 'trap');
SELECT recsys.drop_recommender(name) FROM unnest('{trapped, quiet}'::text[]) name;

-- it did run, as its owner
SELECT DISTINCT who FROM trap.loot;
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_recsys_thief';

-- column privileges are the caller's: the owner's rights are not lent either
CREATE ROLE regress_recsys_guest;
GRANT USAGE ON SCHEMA trap TO regress_recsys_guest;
GRANT SELECT (user_id, item_id) ON trap.sales TO regress_recsys_guest;
SET ROLE regress_recsys_guest;
SELECT count(*) FROM recsys.tune('trap.sales_recsys'::regclass, models => '{"similarity = cosine"}', resamples => 0);
RESET ROLE;
GRANT SELECT ON trap.sales TO regress_recsys_guest;
SET ROLE regress_recsys_guest;
SELECT count(*) FROM recsys.tune('trap.sales_recsys'::regclass, models => '{"similarity = cosine"}', resamples => 0);
-- the caller's test query is the caller's
SELECT count(*) FROM recsys.tune('trap.sales_recsys'::regclass, models => '{"similarity = cosine"}', resamples => 0,
	test => 'SELECT 1::bigint, 2::bigint FROM trap.loot');
RESET ROLE;
DROP SCHEMA trap CASCADE;
DROP TABLE trap_items;
DROP ROLE regress_recsys_thief, regress_recsys_guest;
