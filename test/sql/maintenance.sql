/*
 * Inserts, updates, deletes and VACUUM at a size where buckets split,
 * the directory grows and long lists leave their bucket for chains of pages.
 */
CREATE TABLE log (user_id bigint, item_id bigint, weight real, at timestamptz, note text) WITH (fillfactor = 70, autovacuum_enabled = off);
CREATE INDEX log_recsys ON log USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine);

-- row by row into an index on an empty table
INSERT INTO log SELECT g % 3001, (g % 3001 / 3 * 7 + g / 3001) % 1009, g % 4, '2024-01-01 00:00+00'::timestamptz + interval '1 minute' * g FROM generate_series(1, 15000) g;
SELECT recsys.check_index('log_recsys');
-- one user with 5,000 rows, one item with 5,000 users
INSERT INTO log SELECT 1000000, g % 2500, 1, '2024-01-01 00:00+00'::timestamptz + interval '1 minute' * g FROM generate_series(1, 5000) g;
INSERT INTO log SELECT 2000000 + g, 7, 1, '2024-01-01 00:00+00' FROM generate_series(1, 5000) g;
SELECT recsys.check_index('log_recsys');
SELECT pg_relation_size('log_recsys') > 100 * 8192 AS many_pages;
-- the graph is as of the build, which saw nothing; histories and trends are of now
SELECT count(*) FROM item_similarity();
SELECT count(*) FROM recommend(1000000, NULL);
SELECT item_id, users > 5000 AS popular FROM popular_items(1, since => '2024-01-01 00:00+00');
SELECT count(*) FROM log WHERE user_id = 1000000;
SELECT count(*) > 5000 AS popular FROM log WHERE item_id = 7;

-- REINDEX gives what a new index would have
CREATE FUNCTION same_graph(one text, other text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM item_similarity(one) a FULL JOIN item_similarity(other) b USING (item_id, similar_item_id, score, support, rank)
	WHERE a.item_id IS NULL OR b.item_id IS NULL;
$$;
CREATE TABLE same_answers AS SELECT DISTINCT user_id FROM log WHERE user_id % 97 = 0 OR user_id = 1000000;
REINDEX INDEX log_recsys;
CREATE INDEX log_new ON log USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine);
SELECT same_graph('log_recsys', 'log_new');
SELECT count(*) FROM same_answers, LATERAL (SELECT * FROM recommend(user_id, 20, 'log_recsys') EXCEPT ALL SELECT * FROM recommend(user_id, 20, 'log_new')) d;
SELECT pairs > 5000 AS large, capped_users, capped_interactions FROM recsys.index_info('log_recsys');
SELECT recsys.check_index('log_recsys');
DROP INDEX log_new;

-- updates: HOT ones, which the index does not see, and others
BEGIN;
UPDATE log SET note = 'hot' WHERE user_id % 5 = 0;
SELECT pg_stat_get_xact_tuples_hot_updated('log'::regclass) > 1000 AS many_hot;
COMMIT;
SELECT recsys.check_index('log_recsys');
SELECT count(*), count(note) FROM log WHERE user_id = 5;
UPDATE log SET weight = weight + 1 WHERE user_id % 5 = 1;
UPDATE log SET item_id = item_id + 5000 WHERE user_id % 5 = 2;
UPDATE log SET user_id = user_id + 7000000 WHERE user_id % 5 = 3;
SELECT recsys.check_index('log_recsys');
SELECT count(*) FROM log WHERE user_id = 3;
SELECT count(*) > 0 AS found FROM log WHERE user_id = 7000003;
-- answers are the same before and after VACUUM, once all is merged
SELECT merged > 0 AS merged, inexact FROM recsys.merge('log_recsys', exact => true);
CREATE TABLE answers AS SELECT user_id, r.* FROM same_answers, LATERAL recommend(user_id, 50, exclude_seen => false) r;
SELECT count(*) FILTER (WHERE source = 'history') > 500 AS enough FROM answers;
VACUUM log;
SELECT recsys.check_index('log_recsys');
SELECT inexact FROM recsys.merge('log_recsys', exact => true);
SELECT count(*) FROM ((TABLE answers) EXCEPT (SELECT user_id, r.* FROM same_answers, LATERAL recommend(user_id, 50, exclude_seen => false) r)) d;

-- deletes: some rows of all lists, whole lists, most of the long ones
DELETE FROM log WHERE at > '2024-01-05 00:00+00' AND user_id < 3001;
DELETE FROM log WHERE user_id = 1000000 AND item_id % 2 = 0;
DELETE FROM log WHERE item_id = 7 AND user_id % 3 > 0;
SELECT recsys.check_index('log_recsys');
SELECT count(*) FROM log WHERE user_id = 1000000;
VACUUM log;
SELECT recsys.check_index('log_recsys');
SELECT count(*) FROM log WHERE user_id = 1000000;
SELECT count(*) FROM recommend(1000000, NULL, exclude_seen => true) r
WHERE item_id IN (SELECT item_id FROM log WHERE user_id = 1000000);
VACUUM (INDEX_CLEANUP off) log;
VACUUM (PARALLEL 0) log;
VACUUM FREEZE log;
SELECT recsys.check_index('log_recsys');

-- pages are used again: the index does not grow from cycle to cycle
CREATE TABLE sizes (cycle integer, bytes bigint);
CREATE PROCEDURE churn(cycle integer) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log SELECT 1000000, 2000 + g % 2500, 1, '2024-03-01 00:00+00'::timestamptz + interval '1 minute' * g FROM generate_series(1, 5000) g;
	INSERT INTO log SELECT 3000000 + g, 7, 1, '2024-03-01 00:00+00' FROM generate_series(1, 5000) g;
	INSERT INTO sizes VALUES (cycle, pg_relation_size('log_recsys'));
	DELETE FROM log WHERE at >= '2024-03-01 00:00+00';
END $$;
CALL churn(1);
VACUUM log;
CALL churn(2);
VACUUM log;
CALL churn(3);
VACUUM log;
CALL churn(4);
VACUUM log;
CALL churn(5);
VACUUM log;
SELECT recsys.check_index('log_recsys');
SELECT (SELECT bytes FROM sizes WHERE cycle = 5) <= 1.05 * (SELECT bytes FROM sizes WHERE cycle = 2) AS steady;

-- rows of the transaction itself count at once, until they are rolled back
BEGIN;
INSERT INTO log VALUES (9000000, 1, 1, '2024-02-01 00:00+00');
SELECT source FROM recommend(9000000, 1);
SELECT count(*) FROM recommend(9000000, NULL) WHERE item_id = 1;
SAVEPOINT s;
INSERT INTO log VALUES (9000000, 8, 1, '2024-02-01 00:00+00'), (9000000, 123456, 1, '2024-02-02 00:00+00');
SELECT count(*) FROM recommend(9000000, NULL) WHERE item_id IN (1, 8, 123456);
SELECT count(*) FROM log WHERE user_id = 9000000;
ROLLBACK TO s;
SELECT count(*) FROM recommend(9000000, NULL) WHERE item_id IN (1, 8, 123456);
SELECT count(*) FROM log WHERE user_id = 9000000;
DELETE FROM log WHERE user_id = 9000000;
SELECT source FROM recommend(9000000, 1);
ROLLBACK;
SELECT source FROM recommend(9000000, 1);
SELECT count(*) FROM log WHERE item_id = 123456;
SELECT recsys.check_index('log_recsys');
VACUUM log;
SELECT recsys.check_index('log_recsys');

-- what was merged on the way is what a new index has
SELECT inexact FROM recsys.merge('log_recsys', exact => true);
CREATE INDEX log_new ON log USING recsys (user_id, item_id, weight, at) WITH (similarity = cosine);
SELECT same_graph('log_recsys', 'log_new');
DROP INDEX log_new;

-- all rows go
DELETE FROM log;
VACUUM log;
SELECT recsys.check_index('log_recsys');
SELECT inexact FROM recsys.merge('log_recsys', exact => true);
SELECT count(*) FROM item_similarity('log_recsys');
SELECT count(*) FROM popular_items(NULL, since => '-infinity');
SELECT count(*) FROM log WHERE item_id = 7;
INSERT INTO log SELECT g % 301, g % 41, 1, '2024-01-01 00:00+00' FROM generate_series(1, 2000) g;
SELECT recsys.check_index('log_recsys');
REINDEX INDEX log_recsys;
SELECT recsys.check_index('log_recsys');
DROP TABLE log, same_answers, answers, sizes;
DROP PROCEDURE churn;

/*
 * Builds that do not fit in maintenance_work_mem, for all kinds of keys: the
 * same graph and the same lists.
 */
CREATE TABLE large AS
SELECT (g * 7919::bigint % 6007)::bigint AS u8, (g * 31 % 499)::integer AS i4, (g % 5)::real AS weight,
	   '2024-01-01 00:00+00'::timestamptz + interval '1 minute' * (g * 613 % 30011) AS at
FROM generate_series(1, 30000) g;
ALTER TABLE large ADD user_text text, ADD item_uuid uuid, ADD user_uuid uuid, ADD item_text text;
UPDATE large SET user_text = 'user ' || u8, item_uuid = md5(i4::text)::uuid, user_uuid = md5(u8::text)::uuid, item_text = 'item ' || i4;
INSERT INTO large (u8, i4) VALUES (NULL, 5), (5, NULL);
VACUUM large;
CREATE FUNCTION build(index text, columns text, memory text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('maintenance_work_mem', memory, true);
	EXECUTE format('CREATE INDEX %s ON large USING recsys (%s) WITH (max_history = 4)', index, columns);
	PERFORM recsys.check_index(index);
END $$;
SELECT build('ints', 'u8, i4, weight, at', '64MB');
SELECT build('ints_small', 'u8, i4, weight, at', '1MB');
SELECT same_graph('ints', 'ints_small');
SELECT build('plain', 'u8, i4', '64MB');
SELECT build('plain_small', 'u8, i4', '1MB');
SELECT same_graph('plain', 'plain_small');
SELECT count(*) FROM generate_series(0, 6006, 97) u,
	LATERAL (SELECT * FROM recommend(u, 20, 'plain') EXCEPT ALL SELECT * FROM recommend(u, 20, 'plain_small')) d;
SELECT count(*) FROM item_similarity('plain') a
FULL JOIN query_item_similarity('SELECT u8, i4 FROM large', max_history => 4) b USING (item_id, similar_item_id, score, support, rank)
WHERE a.item_id IS NULL OR b.item_id IS NULL;
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM item_similarity('ints') a
FULL JOIN query_item_similarity('SELECT u8, i4, weight, at FROM large', max_history => 4) b USING (item_id, similar_item_id, score, support, rank)
WHERE a.item_id IS NULL OR b.item_id IS NULL;
RESET maintenance_work_mem;
SELECT build('text_uuid', 'user_text, item_uuid, weight', '64MB');
SELECT build('text_uuid_small', 'user_text, item_uuid, weight', '1MB');
SELECT build('uuid_text', 'user_uuid, item_text, at', '64MB');
SELECT build('uuid_text_small', 'user_uuid, item_text, at', '1MB');
SELECT count(*) FROM item_similarity('text_uuid', NULL::uuid) a
FULL JOIN item_similarity('text_uuid_small', NULL::uuid) b USING (item_id, similar_item_id, score, support, rank)
WHERE a.item_id IS NULL OR b.item_id IS NULL;
SELECT count(*) FROM item_similarity('uuid_text', NULL::text) a
FULL JOIN item_similarity('uuid_text_small', NULL::text) b USING (item_id, similar_item_id, score, support, rank)
WHERE a.item_id IS NULL OR b.item_id IS NULL;
SELECT (SELECT pairs > 1000 FROM recsys.index_info('ints')) AS ints, (SELECT pairs > 1000 FROM recsys.index_info('plain')) AS plain,
	   (SELECT pairs > 1000 FROM recsys.index_info('text_uuid')) AS text_uuid, (SELECT pairs > 1000 FROM recsys.index_info('uuid_text')) AS uuid_text;
-- what was built from disk takes inserts, deletes and VACUUM like any other
INSERT INTO large SELECT u8 + 10, i4 + 300, weight, at, user_text || 'x', item_uuid, user_uuid, item_text || 'x' FROM large WHERE u8 % 10 = 0;
DELETE FROM large WHERE u8 % 7 = 0;
VACUUM large;
SELECT relname, recsys.check_index(oid) FROM pg_class WHERE relname IN ('ints_small', 'plain_small', 'text_uuid_small', 'uuid_text_small') ORDER BY relname COLLATE "C";
DROP TABLE large;
DROP FUNCTION build, same_graph;
