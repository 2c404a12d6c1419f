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
DROP ROLE regress_recsys_thief, regress_recsys_guest;
