/*
 * recsys.merge() by hand, the view index_stats, and looking at pages.
 */
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_recsys_clerk, regress_recsys_owner, regress_recsys_monitor;
RESET client_min_messages;
CREATE ROLE regress_recsys_owner;
CREATE ROLE regress_recsys_clerk;
CREATE ROLE regress_recsys_monitor IN ROLE pg_read_all_stats;
GRANT CREATE ON SCHEMA public TO regress_recsys_owner;

SET ROLE regress_recsys_owner;
CREATE TABLE visits (user_id bigint, page_id bigint, seconds real) WITH (autovacuum_enabled = off);
INSERT INTO visits SELECT u, (u * p * p) % 29, 1 + u % 3 FROM generate_series(1, 400) u, generate_series(1, 6) p;
CREATE INDEX visits_recsys ON visits USING recsys (user_id, page_id, seconds) WITH (similarity = cosine);

/*
 * Statistics
 */
SELECT schema_name, table_name, index_name, similarity, users, items, interactions, neighbors, pending, inexact_items,
	   capped_users, capped_interactions, score_users = users AS all_users, built_at <= now() AND built_at > now() - interval '1 hour' AS built,
	   last_merge_at, last_merge_ms, last_merge_entries, last_merge_items,
	   size_bytes = pg_relation_size('visits_recsys') AS size, problem
FROM recsys.index_stats \gx
SELECT format_version = (SELECT format_version FROM recsys.index_info('visits_recsys')) AS version FROM recsys.index_stats;
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'recsys' AND table_name = 'index_stats' ORDER BY ordinal_position;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'recsys.index_stats'::regclass AND attnum > 0
AND col_description(attrelid, attnum) IS NULL;

INSERT INTO visits SELECT 1000 + u, 100 + p, 1 FROM generate_series(1, 10) u, generate_series(1, 3) p;
SELECT pending > 0 AS pending FROM recsys.index_stats;
SELECT entries = (SELECT pending FROM recsys.index_stats) AS all_events FROM recsys.page_summary('visits_recsys') WHERE kind = 'pending';

/*
 * Merge
 */
SELECT merged > 0 AS merged, recomputed >= 0 AS recomputed, inexact >= 0 AS inexact FROM recsys.merge('visits_recsys');
SELECT pending, last_merge_at > built_at AND last_merge_at <= clock_timestamp() AS merged_now, last_merge_ms >= 0 AS ms,
	   last_merge_entries > 0 AS entries, last_merge_items >= 0 AS items
FROM recsys.index_stats;
SELECT merged FROM recsys.merge('visits_recsys');
SELECT merged, inexact FROM recsys.merge('visits_recsys', exact => true);
SELECT recsys.merge(NULL) IS NULL AS nothing;
SELECT recsys.check_index('visits_recsys');

-- in a transaction of its own making, later rolled back, and a read-only one
BEGIN;
INSERT INTO visits VALUES (1, 100, 1);
SELECT merged FROM recsys.merge('visits_recsys') \gset
ROLLBACK;
BEGIN READ ONLY;
SELECT merged >= 0 AS merged FROM recsys.merge('visits_recsys');
COMMIT;
SELECT recsys.check_index('visits_recsys');

-- only recsys indexes
SELECT recsys.merge('visits');
SELECT recsys.merge('pg_class_oid_index');
SELECT recsys.merge(0);
CREATE TABLE parts (user_id bigint, page_id bigint) PARTITION BY HASH (user_id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX parts_recsys ON parts USING recsys (user_id, page_id);
SELECT recsys.merge('parts_recsys');
SELECT recsys.page_summary('parts_recsys');
SELECT merged FROM recsys.merge('parts_0_user_id_page_id_idx');
DROP TABLE parts;

/*
 * Pages
 */
SELECT kind, side, pages > 0 AS pages, tuples, entries > 0 AS entries FROM recsys.page_summary('visits_recsys')
WHERE kind IN ('meta', 'directory', 'bucket', 'map_root') ORDER BY kind, side;
SELECT side, sum(entries) FROM recsys.page_summary('visits_recsys') WHERE kind IN ('bucket', 'chain') GROUP BY side ORDER BY side;
SELECT (SELECT tuples FROM recsys.page_summary('visits_recsys') WHERE kind = 'graph') =
	   (SELECT entries FROM recsys.page_summary('visits_recsys') WHERE kind = 'map_leaf') AS rows_mapped;
SELECT sum(used_bytes + free_bytes) = sum(pages) * current_setting('block_size')::bigint AS adds_up,
	   sum(pages) * current_setting('block_size')::bigint = pg_relation_size('visits_recsys') AS all_pages
FROM recsys.page_summary('visits_recsys');
SELECT user_bytes > 0 AS user_side, item_bytes > 0 AS item_side, graph_bytes > 0 AS graph,
	   user_bytes + item_bytes + graph_bytes + pending_bytes + other_bytes + free_bytes + factor_bytes = pg_relation_size('visits_recsys') AS adds_up
FROM recsys.index_sections('visits_recsys');

-- page by page
SELECT s.kind, s.side, s.pages = count(*) AS pages, s.tuples IS NOT DISTINCT FROM sum(p.tuples) AS tuples,
	   s.entries IS NOT DISTINCT FROM sum(p.entries) AS entries, s.used_bytes = sum(p.used_bytes) AS used
FROM recsys.page_summary('visits_recsys') s,
	 generate_series(0, pg_relation_size('visits_recsys') / current_setting('block_size')::bigint - 1) b,
	 LATERAL recsys.page_info('visits_recsys', b) p
WHERE s.kind = p.kind AND s.side IS NOT DISTINCT FROM p.side AND s.kind IN ('meta', 'directory', 'bucket', 'graph')
GROUP BY s.kind, s.side, s.pages, s.tuples, s.entries, s.used_bytes ORDER BY s.kind, s.side;
SELECT kind, side, low_hash, high_hash, next_block FROM recsys.page_info('visits_recsys', 0);
SELECT kind, side, low_hash, high_hash, next_block FROM recsys.page_info('visits_recsys', 1);
SELECT kind, side, low_hash, high_hash, next_block FROM recsys.page_info('visits_recsys', 2);
\set VERBOSITY terse
SELECT recsys.page_info('visits_recsys', -1);
SELECT kind FROM recsys.page_info('visits_recsys', 4294967295);
SELECT kind FROM recsys.page_info('visits_recsys', 4294967296);
\set VERBOSITY default
SELECT * FROM recsys.page_summary('visits');

/*
 * Who may
 */
SET ROLE regress_recsys_clerk;
SELECT * FROM recsys.merge('visits_recsys');
SELECT * FROM recsys.page_summary('visits_recsys');
SELECT * FROM recsys.page_info('visits_recsys', 0);
\set VERBOSITY terse
SELECT * FROM recsys.index_sections('visits_recsys');
\set VERBOSITY default
SELECT count(*) FROM recsys.index_stats;
SET ROLE regress_recsys_monitor;
SELECT index_name, users FROM recsys.index_stats;
SET ROLE regress_recsys_owner;
GRANT SELECT (user_id, page_id, seconds) ON visits TO regress_recsys_clerk;
SET ROLE regress_recsys_clerk;
SELECT index_name, users FROM recsys.index_stats;
SELECT * FROM recsys.merge('visits_recsys');
SET ROLE regress_recsys_owner;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
SET ROLE regress_recsys_clerk;
SELECT count(*) FROM recsys.index_stats;
RESET ROLE;
SELECT index_name, users FROM recsys.index_stats;
SELECT merged >= 0 AS merged FROM recsys.merge('visits_recsys');

-- the merge runs with the owner's rights and gives them back
SELECT current_user = session_user AS myself, current_setting('is_superuser') AS superuser;

/*
 * Other kinds of indexes
 */
CREATE TEMPORARY TABLE mine (user_id bigint, item_id bigint);
INSERT INTO mine SELECT g, g % 3 FROM generate_series(1, 9) g;
CREATE INDEX mine_recsys ON mine USING recsys (user_id, item_id);
INSERT INTO mine VALUES (1, 1);
SELECT merged >= 0 AS merged FROM recsys.merge('mine_recsys');
CREATE UNLOGGED TABLE fleeting (user_id bigint, item_id bigint);
CREATE INDEX fleeting_recsys ON fleeting USING recsys (user_id, item_id);
INSERT INTO fleeting VALUES (1, 1);
SELECT merged >= 0 AS merged FROM recsys.merge('fleeting_recsys');
SELECT table_name, index_name, pending, problem FROM recsys.index_stats ORDER BY index_name COLLATE "C";
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'fleeting_recsys'::regclass;
SELECT recsys.merge('fleeting_recsys');
SELECT users, problem FROM recsys.index_stats WHERE index_name = 'fleeting_recsys';
SELECT count(*) > 0 AS pages FROM recsys.page_summary('fleeting_recsys');

-- within a query that is not about one index
SELECT index_name, m.merged >= 0 AS merged FROM recsys.index_stats s, LATERAL recsys.merge(format('%I.%I', schema_name, index_name)::regclass) m
WHERE problem IS NULL ORDER BY index_name COLLATE "C";

-- settings
SHOW recsys.merge_interval;
SHOW recsys.merge_workers;
SET recsys.merge_interval = 0;
SELECT name, context, unit, min_val, max_val FROM pg_settings WHERE name LIKE 'recsys.%' ORDER BY name;
SET recsys.nonsense = 1;

DROP TABLE visits, mine, fleeting;
SELECT count(*) FROM recsys.index_stats;
REVOKE CREATE ON SCHEMA public FROM regress_recsys_owner;
DROP ROLE regress_recsys_owner, regress_recsys_clerk, regress_recsys_monitor;
