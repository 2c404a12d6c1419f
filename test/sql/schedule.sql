/*
 * What is due for a recommender, and jobs for it, in a server without pg_cron (test/t/085 has it).
 */
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_recsys_planner, regress_recsys_stranger;
RESET client_min_messages;
CREATE ROLE regress_recsys_planner;
CREATE ROLE regress_recsys_stranger;
CREATE SCHEMA planned AUTHORIZATION regress_recsys_planner;
GRANT USAGE ON SCHEMA planned TO regress_recsys_stranger;
SET ROLE regress_recsys_planner;
SET search_path = planned, public;
CREATE TABLE buys (user_id bigint, item_id bigint) WITH (autovacuum_enabled = off);
CREATE TABLE "odd 'table%" (user_id text, item_id text) WITH (autovacuum_enabled = off);
CREATE TABLE things (item_id bigint PRIMARY KEY, title text) WITH (autovacuum_enabled = off);
INSERT INTO buys SELECT u, (u * p) % 29 FROM generate_series(1, 100) u, generate_series(1, 4) p;
INSERT INTO "odd 'table%" SELECT * FROM buys;
INSERT INTO things SELECT i, 'thing ' || i FROM generate_series(0, 28) i;
CREATE INDEX buys_recsys ON buys USING recsys (user_id, item_id) WITH (similarity = ease);
CREATE INDEX counted_recsys ON buys USING recsys (user_id, item_id) WITH (similarity = cosine);
CREATE INDEX "odd 'index%" ON "odd 'table%" USING recsys (user_id, item_id) WITH (similarity = auto);
CREATE INDEX things_recsys ON things USING recsys_items (item_id, title);
SELECT index_name, drifts, staleness FROM recsys.index_stats ORDER BY 1;
SELECT recsys.create_recommender('home', signals => '[{"events": "buys_recsys"}]',
	items => 'things', item_key => 'item_id', title => 'title', content => 'things_recsys', complements => 'counted_recsys');

/*
 * What belongs to it
 */
SELECT * FROM recsys.recommender_relations('home');
SELECT * FROM recsys.recommender_relations('"odd ''index%"');
SELECT * FROM recsys.recommender_relations(NULL);
SELECT * FROM recsys.recommender_relations('nothing');
SELECT * FROM recsys.recommender_relations('buys');

/*
 * Jobs.  The database's name is that of the test run.
 */
SET client_min_messages = warning;
SELECT job, schedule, command, job_id, replace(note, current_database(), 'shop') AS note FROM recsys.schedule('home', maintain => NULL) \g (format=unaligned)
SELECT replace(note, current_database(), 'shop') AS note FROM recsys.schedule('planned."odd ''index%"') \g (format=unaligned)
SELECT job, schedule, command FROM recsys.schedule('planned."odd ''index%"', merge => NULL, max_staleness => 0.05);
SELECT job, command FROM recsys.schedule('counted_recsys', refresh => NULL, reindex => '@weekly', merge => NULL, vacuum => '30 seconds', max_staleness => NULL);
-- a job's name is one of the server's, and none is taken for another
ALTER INDEX counted_recsys RENAME TO an_index_whose_name_is_as_long_as_the_server_allows_names_to_be;
SELECT job, length(job) FROM recsys.schedule('an_index_whose_name_is_as_long_as_the_server_allows_names_to_be', maintain => NULL);
ALTER INDEX an_index_whose_name_is_as_long_as_the_server_allows_names_to_be RENAME TO counted_recsys;
RESET client_min_messages;
SELECT * FROM recsys.schedule(NULL);
SELECT * FROM recsys.schedule('nothing');
SELECT * FROM recsys.schedule('home', refresh => '');
SELECT * FROM recsys.schedule('home', refresh => E'1 2 3 4 5\n* * * * * rm');
SELECT * FROM recsys.schedule('home', reindex => '1 2 3 4');
SELECT * FROM recsys.schedule('home', merge => '* * * * `id`');
SELECT * FROM recsys.schedule('home', vacuum => '@');
-- fields one by one
SET client_min_messages = warning;
CREATE FUNCTION is_schedule(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN PERFORM * FROM recsys.schedule('home', $1); RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN RETURN false; END $$;
SELECT s AS taken FROM unnest('{* * * * *,59 23 31 12 7,"0,30 */2 1-5,7-9/2 jan-Mar mon,WED"," 5  4 * * * ",5 4 $ * *,@hourly,1 second,30 seconds}'::text[]) s WHERE is_schedule(s);
SELECT s AS refused FROM unnest('{60 * * * *,* 24 * * *,* * 0 * *,* * 32 * *,* * * 13 *,* * * * 8,99 3 * * *,"5- * * * *","5-4 * * * *","*/0 * * * *","*/ * * * *",", * * * *","1, * * * *",$ * * * *,* * * mon *,* * * * * *,* * * *,second,x seconds,-1 * * * *,"** * * * *"}'::text[]) s WHERE NOT is_schedule(s);
DROP FUNCTION is_schedule;
RESET client_min_messages;
SELECT * FROM recsys.schedule('home', max_staleness => 1.5);
SELECT * FROM recsys.schedules;
SELECT recsys.unschedule('home'), recsys.unschedule('nothing of that name'), recsys.unschedule('');
SELECT recsys.unschedule(NULL);

/*
 * What is due
 */
SELECT * FROM recsys.rebuilds_due();
SELECT * FROM recsys.rebuilds_due(NULL, -1);
INSERT INTO buys SELECT u, (u * p) % 31 FROM generate_series(201, 250) u, generate_series(1, 4) p;
INSERT INTO "odd 'table%" SELECT u, (u * p) % 31 FROM generate_series(201, 220) u, generate_series(1, 4) p;
SELECT index_name, round(staleness::numeric, 3) AS staleness, reason, command FROM recsys.rebuilds_due();
SELECT index_name, round(staleness::numeric, 3) AS staleness FROM recsys.rebuilds_due(NULL, 0.1);
SELECT index_name, round(staleness::numeric, 3) AS staleness FROM recsys.rebuilds_due('home', 0.1);
SELECT * FROM recsys.rebuilds_due('home', 0.5);
ALTER INDEX counted_recsys SET (neighbors = 20);
SELECT index_name, reason FROM recsys.rebuilds_due('home', NULL);

/*
 * Merging
 */
SELECT * FROM recsys.merge_pending('home') ORDER BY 1;
SELECT index_name, merged FROM recsys.merge_pending();
SELECT * FROM recsys.merge_pending();

/*
 * Rebuilding
 */
CALL recsys.reindex('home', 0.9);
CALL recsys.reindex();
CALL recsys.reindex(NULL, 0.1);
CALL recsys.reindex();
SELECT index_name, changes, staleness FROM recsys.index_stats ORDER BY 1;
BEGIN;
CALL recsys.reindex();
ROLLBACK;
DO $$ BEGIN CALL recsys.reindex(); END $$;
CREATE PROCEDURE nested() LANGUAGE plpgsql AS $$ BEGIN COMMIT; CALL recsys.reindex(); END $$;
CALL nested();
SET default_transaction_read_only = on;
CALL recsys.reindex();
SELECT * FROM recsys.merge_pending();
SELECT * FROM recsys.schedule('home');
RESET default_transaction_read_only;
CALL recsys.reindex('nothing');
\set VERBOSITY terse
SELECT * FROM recsys.rebuilds_due('nothing');
\set VERBOSITY default
DROP PROCEDURE nested;

-- what a failed one leaves: an index that is not valid, and another that still serves
CREATE FUNCTION fails(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF current_setting('planned.fails', true) = 'on' THEN RAISE EXCEPTION 'no'; END IF; RETURN $1; END $$;
CREATE INDEX failing_recsys ON buys USING recsys (planned.fails(user_id), item_id) WITH (similarity = ease);
SET planned.fails = 'on';
ALTER INDEX failing_recsys SET (neighbors = 30);
ALTER INDEX buys_recsys SET (neighbors = 30);
CALL recsys.reindex();
SELECT index_name, reason, command FROM recsys.rebuilds_due();
SELECT index_name, reason FROM recsys.rebuilds_due('home');
RESET planned.fails;
CALL recsys.reindex();
SELECT * FROM recsys.rebuilds_due();
SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)';
DROP INDEX failing_recsys;
DROP FUNCTION fails;

/*
 * Advice
 */
SELECT topic, object, reason, command FROM recsys.maintenance_advice WHERE object ~ 'planned|home' AND topic <> 'vacuum' ORDER BY 1, 2;
SELECT recsys.refresh_recommender('home') > 0 AS lists;
ALTER TABLE buys RESET (autovacuum_enabled);
INSERT INTO buys SELECT u, (u * p) % 31 FROM generate_series(1001, 1200) u, generate_series(1, 4) p;
CREATE MATERIALIZED VIEW likeness AS SELECT * FROM item_similarity('planned.buys_recsys') WITH NO DATA;
CREATE MATERIALIZED VIEW "else" AS SELECT * FROM buys WITH NO DATA;
ALTER INDEX things_recsys RENAME TO moved_recsys;
SELECT topic, object, reason, command FROM recsys.maintenance_advice WHERE object ~ 'buys|likeness|else|home' AND topic <> 'vacuum' ORDER BY 1, 2;
ALTER INDEX moved_recsys RENAME TO things_recsys;
SELECT topic, reason FROM recsys.maintenance_advice WHERE object = 'home';

-- of others
RESET ROLE;
SET ROLE regress_recsys_stranger;
SELECT * FROM recsys.maintenance_advice;
SELECT * FROM recsys.rebuilds_due();
\set VERBOSITY terse
SELECT * FROM recsys.rebuilds_due('home');
\set VERBOSITY default
SELECT * FROM recsys.schedule('home');
SELECT * FROM recsys.schedule('buys_recsys');
SELECT * FROM recsys.merge_pending('buys_recsys');
SELECT * FROM recsys.merge_pending();
CALL recsys.reindex('buys_recsys');
CALL recsys.reindex();
SELECT * FROM recsys.vacuum_state;
RESET ROLE;
GRANT SELECT ON planned.buys TO regress_recsys_stranger;
SET ROLE regress_recsys_stranger;
SELECT index_name FROM recsys.rebuilds_due() ORDER BY 1;
CALL recsys.reindex();
SELECT DISTINCT topic FROM recsys.maintenance_advice WHERE topic <> 'vacuum' ORDER BY 1;
RESET ROLE;

-- every column says what it is
SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.oid IN ('recsys.schedules'::regclass, 'recsys.maintenance_advice'::regclass, 'recsys.vacuum_state'::regclass)
AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;

SELECT recsys.drop_recommender('home');
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA planned CASCADE;
DROP ROLE regress_recsys_planner, regress_recsys_stranger;
