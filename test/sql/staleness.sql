/*
 * How far a table has moved on since the build: changes and staleness of index_stats.
 */
CREATE TABLE drift (user_id bigint, item_id bigint, note text) WITH (autovacuum_enabled = off);
INSERT INTO drift SELECT u, (u * p) % 17 FROM generate_series(1, 100) u, generate_series(1, 4) p;
CREATE INDEX drift_recsys ON drift USING recsys (user_id, item_id);
CREATE VIEW drifted AS SELECT pending, changes, round(staleness::numeric, 4) AS staleness FROM recsys.index_stats WHERE index_name = 'drift_recsys';
SELECT * FROM drifted;

-- pending changes count as merged ones do, and each of them once
INSERT INTO drift SELECT 1000 + u, u FROM generate_series(1, 100) u;
SELECT * FROM drifted;
SELECT merged FROM recsys.merge('drift_recsys');
SELECT * FROM drifted;
SELECT merged FROM recsys.merge('drift_recsys', exact => true);
SELECT * FROM drifted;
INSERT INTO drift SELECT 2000 + u, u FROM generate_series(1, 3) u;
SELECT * FROM drifted;

-- a row with neither a user nor an item to count is no change
INSERT INTO drift VALUES (NULL, 5), (5, NULL);
SELECT changes FROM drifted;

-- what VACUUM removes is one, too; an update is both
DELETE FROM drift WHERE user_id > 2000;
SELECT changes FROM drifted;
VACUUM drift;
SELECT changes FROM drifted;
UPDATE drift SET item_id = item_id + 1 WHERE user_id = 1001;
VACUUM drift;
SELECT changes FROM drifted;

-- the many of a transaction over several pages of lists, and a rolled back one, whose rows VACUUM finds
INSERT INTO drift SELECT u, u % 50 FROM generate_series(5000, 5999) u;
SELECT merged FROM recsys.merge('drift_recsys');
SELECT * FROM drifted;
BEGIN;
INSERT INTO drift SELECT 1, u FROM generate_series(100, 103) u;
ROLLBACK;
SELECT merged FROM recsys.merge('drift_recsys');
SELECT changes FROM drifted;

-- a build starts over, from all rows
REINDEX INDEX drift_recsys;
SELECT * FROM drifted;
INSERT INTO drift SELECT 6000 + u, 3 FROM generate_series(1, 1500) u;
SELECT pending, changes, round(staleness::numeric, 4) = round(1500.0 / count(*), 4) AS share
FROM drifted, drift WHERE user_id IS NOT NULL AND item_id IS NOT NULL GROUP BY pending, changes, staleness;

-- nothing but changes
TRUNCATE drift;
SELECT * FROM drifted;
INSERT INTO drift VALUES (1, 1);
SELECT * FROM drifted;
SELECT merged FROM recsys.merge('drift_recsys');
SELECT * FROM drifted;
SELECT recsys.check_index('drift_recsys');

-- an index over items
CREATE TABLE drift_items (id bigint PRIMARY KEY, title text) WITH (autovacuum_enabled = off);
INSERT INTO drift_items SELECT i, 'thing ' || i % 7 || ' of sort ' || i % 5 FROM generate_series(1, 30) i;
CREATE INDEX drift_items_recsys ON drift_items USING recsys_items (id, title);
INSERT INTO drift_items SELECT i, 'thing ' || i % 7 FROM generate_series(31, 40) i;
SELECT pending, changes, staleness FROM recsys.index_stats WHERE index_name = 'drift_items_recsys';
SELECT merged FROM recsys.merge('drift_items_recsys');
SELECT pending, changes, staleness FROM recsys.index_stats WHERE index_name = 'drift_items_recsys';
SELECT recsys.check_index('drift_items_recsys');

DROP VIEW drifted;
DROP TABLE drift, drift_items;
