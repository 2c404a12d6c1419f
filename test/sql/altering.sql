-- Options that wait for a REINDEX, and what is left when one fails.
SET client_min_messages = warning;
CREATE SCHEMA altering;
SET search_path = altering, public;
RESET client_min_messages;

CREATE TABLE visits AS SELECT u AS user_id, (u * i) % 23 AS item_id, timestamptz '2024-01-01' + i * interval '1 day' AS at FROM generate_series(1, 60) u, generate_series(1, 5) i;
CREATE INDEX visits_recsys ON visits USING recsys (user_id, item_id, at);
CREATE VIEW waiting AS SELECT index_name, similarity, built_options, set_options, problem FROM recsys.index_stats
WHERE schema_name = 'altering' ORDER BY index_name COLLATE "C";
SELECT * FROM waiting;

-- what waits is said, and the hint runs as it stands
ALTER INDEX visits_recsys SET (similarity = jaccard, neighbors = 50);
SELECT * FROM waiting;
ALTER INDEX visits_recsys SET (similarity = rp3beta, training_half_life = '1 day');
SELECT * FROM waiting;
ALTER INDEX visits_recsys RESET (training_half_life);
REINDEX INDEX CONCURRENTLY altering.visits_recsys;
SELECT * FROM waiting;
BEGIN;
ALTER INDEX visits_recsys SET (beta = 0.7, weighting = tfidf);
ROLLBACK;
SELECT * FROM waiting;

-- nothing waits: options that act at once, those that are as built, other alterations
ALTER INDEX visits_recsys SET (half_life = '30 days', pending_limit = 1024);
ALTER INDEX visits_recsys SET (neighbors = 50);
ALTER INDEX visits_recsys RENAME TO "Visits";
ALTER INDEX "Visits" SET (beta = 0.7);
ALTER INDEX "Visits" RENAME TO visits_recsys;
ALTER INDEX visits_recsys SET (beta = 0.6);
SELECT * FROM waiting;

-- in functions, and for other access methods nothing at all
DO $$ BEGIN ALTER INDEX visits_recsys SET (similarity = cosine); END $$;
ALTER INDEX visits_recsys SET (similarity = rp3beta);
CREATE INDEX visits_btree ON visits (user_id);
ALTER INDEX visits_btree SET (fillfactor = 50);
ALTER TABLE visits SET (fillfactor = 50);

-- a REINDEX CONCURRENTLY that fails leaves an index, which is named for what it is
CREATE FUNCTION moody(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
$$ BEGIN IF current_setting('altering.fail', true) = 'on' THEN RAISE 'a bad day'; END IF; RETURN $1; END $$;
CREATE TABLE orders AS SELECT u::bigint AS user_id, (u * i) % 23 AS item_id FROM generate_series(1, 60) u, generate_series(1, 5) i;
CREATE INDEX orders_recsys ON orders USING recsys ((moody(user_id)), item_id);
SET altering.fail = on;
\set VERBOSITY terse
REINDEX INDEX CONCURRENTLY orders_recsys;
CREATE INDEX CONCURRENTLY unfinished ON orders USING recsys ((moody(user_id)), item_id);
\set VERBOSITY default
RESET altering.fail;
SELECT index_name, problem FROM waiting;
SELECT * FROM recommend(1, 1, 'orders_recsys_ccnew');
SELECT * FROM recommend(1, 1, 'unfinished');
SELECT recsys.merge('altering.orders_recsys_ccnew');

-- neither it nor VACUUM is in the way: writes, merges, the index without a name
INSERT INTO orders VALUES (1, 7);
VACUUM orders;
SELECT inexact FROM recsys.merge('orders_recsys');
DROP INDEX visits_recsys;
SELECT count(*) FROM recommend(1, 3);
DROP INDEX altering.orders_recsys_ccnew;
REINDEX INDEX CONCURRENTLY altering.unfinished;
SELECT index_name, problem FROM waiting;

SET client_min_messages = warning;
DROP SCHEMA altering CASCADE;
