-- Builds that do not fit in maintenance_work_mem give the index that the others give: users
-- and items whose rows alone do not fit, rows without user or item, keys of all types.
SET client_min_messages = warning;
SET max_parallel_maintenance_workers = 0;

-- user 1 and item 1 have a good half of all rows each; some moments have thousands of them
CREATE TABLE low_memory AS
SELECT CASE WHEN i % 5 < 3 THEN 1 WHEN i % 1009 = 7 THEN NULL ELSE i::bigint * 7919 % 2003 END AS user_id,
	CASE WHEN i % 7 IN (0, 2, 4, 6) THEN 1 WHEN i % 997 = 9 THEN NULL ELSE i::bigint * 104729 % 311 END AS item_id,
	i % 9 - 1 AS quantity,
	timestamptz '2024-01-01 UTC' + make_interval(secs => i::bigint * 7 % 100003 * CASE WHEN i % 4 = 0 THEN 0 ELSE 100 END) AS bought_at
FROM generate_series(1, 120000) i;
INSERT INTO low_memory VALUES (5, 7, 1, '1970-01-01 UTC'), (NULL, 7, 1, NULL), (5, NULL, 1, '2024-01-01 UTC'), (5, 8, 1, NULL);
DELETE FROM low_memory WHERE user_id % 17 = 3;
ANALYZE low_memory;

-- How many rows of graphs and lists are in one of both builds alone
CREATE FUNCTION compare_builds(columns text, options text, little text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	key text := CASE WHEN columns LIKE '%::uuid%' THEN ', NULL::uuid' WHEN columns LIKE '%::text%' THEN ', NULL::text' ELSE '' END;
	as_key text := CASE WHEN columns LIKE '%::uuid%' THEN 'lpad(u::text, 32, ''0'')::uuid' WHEN columns LIKE '%::text%' THEN '''user '' || u' ELSE 'u' END;
	graph bigint;
	lists bigint;
	shown bigint;
BEGIN
	PERFORM set_config('maintenance_work_mem', '64MB', true);
	EXECUTE format('CREATE INDEX low_memory_much ON low_memory USING recsys (%s) %s', columns, options);
	PERFORM set_config('maintenance_work_mem', little, true);
	EXECUTE format('CREATE INDEX low_memory_little ON low_memory USING recsys (%s) %s', columns, options);
	PERFORM recsys.check_index('low_memory_little');
	EXECUTE format('SELECT count(*) FROM ((SELECT * FROM item_similarity(''low_memory_much''%1$s) EXCEPT ALL SELECT * FROM item_similarity(''low_memory_little''%1$s))
		UNION ALL (SELECT * FROM item_similarity(''low_memory_little''%1$s) EXCEPT ALL SELECT * FROM item_similarity(''low_memory_much''%1$s))) d', key) INTO graph;
	EXECUTE format('WITH much AS (SELECT u, r.* FROM generate_series(0, 2003, 7) u, recommend(%1$s, 20, ''low_memory_much''%2$s) r),
		little AS (SELECT u, r.* FROM generate_series(0, 2003, 7) u, recommend(%1$s, 20, ''low_memory_little''%2$s) r)
		SELECT (SELECT count(*) FROM ((TABLE much EXCEPT ALL TABLE little) UNION ALL (TABLE little EXCEPT ALL TABLE much)) d), (SELECT count(*) FROM little)',
		as_key, CASE WHEN key = '' THEN '' ELSE replace(key, ', ', ', item_type => ') END) INTO lists, shown;
	DROP INDEX low_memory_much, low_memory_little;
	RETURN format('%s rows of graphs and %s of lists differ, %s', graph, lists,
		CASE WHEN shown > 1000 THEN 'many shown' ELSE shown || ' shown' END);
END $$;

SELECT compare_builds('user_id, item_id', '', '1MB');
SELECT compare_builds('user_id, item_id, quantity, bought_at', '', '1MB');
SELECT compare_builds('user_id, item_id, bought_at', 'WITH (similarity = session)', '2MB');
SELECT compare_builds('user_id, item_id, quantity', 'WITH (similarity = rp3beta, user_damping = 0.5, max_history = 100)', '1MB');
SELECT compare_builds('(''user '' || user_id::text), (''item '' || item_id::text), quantity, bought_at', '', '1MB');
SELECT compare_builds('(lpad(user_id::text, 32, ''0'')::uuid), (lpad(item_id::text, 32, ''0'')::uuid), bought_at', '', '2MB');

-- all rows of one user, of none, and of one item
CREATE TABLE low_memory_one AS SELECT 1 AS user_id, i % 300 AS item_id, now() - make_interval(secs => i % 7) AS bought_at FROM generate_series(1, 60000) i;
CREATE TABLE low_memory_none AS SELECT NULL::integer AS user_id, 5 AS item_id, timestamptz '2024-01-01 UTC' AS bought_at FROM generate_series(1, 60000) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX low_memory_one_recsys ON low_memory_one USING recsys (user_id, item_id, bought_at);
CREATE INDEX low_memory_none_recsys ON low_memory_none USING recsys (user_id, item_id, bought_at);
SELECT * FROM recsys.check_index('low_memory_one_recsys');
SELECT * FROM recsys.check_index('low_memory_none_recsys');
SELECT users, items, interactions FROM recsys.index_stats WHERE index_name IN ('low_memory_one_recsys', 'low_memory_none_recsys') ORDER BY index_name;

DROP TABLE low_memory, low_memory_one, low_memory_none;
DROP FUNCTION compare_builds;
