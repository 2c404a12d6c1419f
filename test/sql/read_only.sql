-- Functions that change an index: not in a read-only transaction, and what they have
-- changed stays.
CREATE TABLE visits (user_id bigint, item_id bigint);
INSERT INTO visits SELECT i % 20, i % 9 FROM generate_series(1, 60) i;
CREATE INDEX visits_recsys ON visits USING recsys (user_id, item_id);
INSERT INTO visits VALUES (3, 8);

BEGIN READ ONLY;
SELECT recsys.merge('visits_recsys');
ROLLBACK;
BEGIN READ ONLY;
SELECT recsys.forget_user('visits_recsys', 3::bigint);
ROLLBACK;
SET default_transaction_read_only = on;
SELECT recsys.merge('visits_recsys', true);
SELECT recsys.forget_user('visits_recsys', 3::bigint);
RESET default_transaction_read_only;

-- all else that reads an index is allowed there
BEGIN READ ONLY;
SELECT count(*) > 0 FROM recommend(3::bigint, 5, 'visits_recsys');
SELECT pending FROM recsys.index_stats WHERE index_name = 'visits_recsys';
SELECT count(*) > 0 FROM recsys.page_summary('visits_recsys');
SELECT count(*) > 0 FROM recsys.evaluate_recommender('visits_recsys', 'SELECT 3::bigint, i::bigint FROM generate_series(1, 20) i');
COMMIT;

-- temporary indexes change there, as temporary tables do
CREATE TEMPORARY TABLE looks AS SELECT * FROM visits;
CREATE INDEX looks_recsys ON looks USING recsys (user_id, item_id);
INSERT INTO looks VALUES (3, 1);
BEGIN READ ONLY;
INSERT INTO looks VALUES (3, 2);
COMMIT;
BEGIN READ ONLY;
SELECT merged FROM recsys.merge('looks_recsys');
COMMIT;

-- forgetting survives ROLLBACK, which is said
BEGIN;
SELECT recsys.forget_user('visits_recsys', 3::bigint) > 0 AS forgotten;
ROLLBACK;
SELECT DISTINCT source FROM recommend(3::bigint, 5, 'visits_recsys');
BEGIN;
SELECT recsys.forget_user('visits_recsys', 3::bigint);
ROLLBACK;
SELECT recsys.forget_user('visits_recsys', 4::bigint) > 0 AS forgotten;
SELECT recsys.check_index('visits_recsys');
DROP TABLE visits, looks;
