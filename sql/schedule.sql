/*
 * Schedules: what is due, and jobs that do it
 */
CREATE FUNCTION recsys.recommender_relations(recommender text)
RETURNS TABLE (relation regclass, is_index boolean)
	AS 'MODULE_PATHNAME', 'recsys_recommender_relations' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.recommender_relations(text) IS 'what belongs to a recommender of yours: its recsys indexes, the tables under them, and the relations that are declared';

CREATE FUNCTION recsys.rebuilds_due(recommender text DEFAULT NULL, max_staleness double precision DEFAULT 0.2)
RETURNS TABLE (schema_name text, table_name text, index_name text, staleness double precision, reason text, command text)
	LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
BEGIN ATOMIC
	SELECT s.schema_name, s.table_name, s.index_name, s.staleness,
		   CASE WHEN s.problem LIKE 'not valid: left by a REINDEX CONCURRENTLY that failed%' THEN 'left by a REINDEX CONCURRENTLY that failed'
				WHEN s.problem LIKE 'not valid: %' THEN 'building it has failed'
				WHEN s.problem IS NOT NULL THEN s.problem
				WHEN s.set_options IS NOT NULL THEN format('built with %s, set to %s', s.built_options, s.set_options)
				ELSE format('%s of %s rows have come or gone since its model was built', s.changes,
							round(s.changes / s.staleness)) END,
		   format('%s %I.%I',
				  CASE WHEN s.problem LIKE 'not valid: left by%' THEN 'DROP INDEX CONCURRENTLY'
					   WHEN c.relkind = 'I' THEN 'REINDEX INDEX' ELSE 'REINDEX INDEX CONCURRENTLY' END, s.schema_name, s.index_name)
	FROM recsys.index_stats s
	JOIN pg_catalog.pg_namespace n ON n.nspname = s.schema_name
	JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.index_name
	JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
	-- first of all: an error where there is no such recommender
	WHERE (SELECT count(*) FROM recsys.recommender_relations(rebuilds_due.recommender)) >= 0
	AND CASE WHEN s.problem LIKE 'not valid: it may still be%' THEN false
			 WHEN s.problem IN ('locked by another session', 'dropped') OR s.problem LIKE 'unlogged, %' THEN false
			 -- a partition lacks its index
			 WHEN s.problem LIKE 'not complete: %' THEN false
			 ELSE s.problem IS NOT NULL OR s.set_options IS NOT NULL OR (s.drifts AND s.staleness > 0 AND s.staleness > rebuilds_due.max_staleness) END
	AND (rebuilds_due.recommender IS NULL
		 OR c.oid IN (SELECT r.relation FROM recsys.recommender_relations(rebuilds_due.recommender) r WHERE r.is_index)
		 OR (s.problem LIKE 'not valid: left by%'
			 AND x.indrelid IN (SELECT r.relation FROM recsys.recommender_relations(rebuilds_due.recommender) r)))
	ORDER BY s.problem LIKE 'not valid: left by%' DESC NULLS LAST, s.staleness DESC NULLS LAST, 1, 3;
END;
COMMENT ON FUNCTION recsys.rebuilds_due(text, double precision) IS 'recsys indexes that are due for a rebuild, of a recommender or all that you may read, each with the reason and the command: models with a larger staleness, options that wait, and what failed builds have left';

CREATE PROCEDURE recsys.reindex(recommender text DEFAULT NULL, max_staleness double precision DEFAULT 0.2)
	AS 'MODULE_PATHNAME', 'recsys_reindex' LANGUAGE C;
COMMENT ON PROCEDURE recsys.reindex(text, double precision) IS 'runs the commands of recsys.rebuilds_due for the indexes that you own, one after the other; others may read and write meanwhile';

CREATE FUNCTION recsys.merge_pending(recommender text DEFAULT NULL)
RETURNS TABLE (index_name text, merged bigint, recomputed bigint, inexact bigint)
	AS 'MODULE_PATHNAME', 'recsys_merge_pending' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 10;
COMMENT ON FUNCTION recsys.merge_pending(text) IS 'merges those of your recsys indexes, of a recommender or all, that have pending changes; returns what was done as recsys.merge does';

CREATE FUNCTION recsys.schedule(
	recommender text,
	refresh text DEFAULT '15 3 * * *',
	reindex text DEFAULT '45 3 * * *',
	merge text DEFAULT '*/5 * * * *',
	maintain text DEFAULT '20 * * * *',
	vacuum text DEFAULT '35 2 * * *',
	max_staleness double precision DEFAULT 0.2)
RETURNS TABLE (job text, schedule text, command text, job_id bigint, note text)
	AS 'MODULE_PATHNAME', 'recsys_schedule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION recsys.schedule(text, text, text, text, text, text, double precision) IS 'has pg_cron do what a recommender needs now and then, each job by a schedule of its own, NULL for none; replaces your jobs of that recommender; where pg_cron is not there, says what to run instead';

CREATE FUNCTION recsys.unschedule(recommender text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_unschedule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.unschedule(text) IS 'takes away the jobs that you have from recsys.schedule for a recommender, which need not exist any more; returns how many there were';

CREATE FUNCTION recsys.scheduled_jobs(
	OUT job text, OUT schedule text, OUT command text, OUT active boolean, OUT job_id bigint,
	OUT last_run timestamptz, OUT last_status text, OUT last_message text, OUT role text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_scheduled_jobs' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.scheduled_jobs() IS 'rows of the view recsys.schedules';

CREATE VIEW recsys.schedules AS
SELECT s.job, substring(s.job FROM '^recsys (.+) (?:refresh|reindex|merge|maintain|vacuum)$') AS recommender,
	   s.schedule, s.command, s.active, s.job_id, s.last_run, s.last_status, s.last_message, s.role
FROM recsys.scheduled_jobs() s;
COMMENT ON VIEW recsys.schedules IS 'jobs of pg_cron in this database that are about recsys, with their last runs: yours, and for superusers all; empty without pg_cron';
COMMENT ON COLUMN recsys.schedules.job IS 'name of the job';
COMMENT ON COLUMN recsys.schedules.recommender IS 'recommender that recsys.schedule has made it for, NULL for a job of your own';
COMMENT ON COLUMN recsys.schedules.schedule IS 'when it runs: minute, hour, day of the month, month, day of the week, by the clock of pg_cron';
COMMENT ON COLUMN recsys.schedules.command IS 'what it runs';
COMMENT ON COLUMN recsys.schedules.active IS 'whether it runs at all';
COMMENT ON COLUMN recsys.schedules.job_id IS 'its number in cron.job';
COMMENT ON COLUMN recsys.schedules.last_run IS 'when its last run began, NULL: it has not run yet, or its run could not begin';
COMMENT ON COLUMN recsys.schedules.last_status IS 'what became of that: succeeded, failed, or where it is';
COMMENT ON COLUMN recsys.schedules.last_message IS 'what it has said: the command''s tag, or the error';
COMMENT ON COLUMN recsys.schedules.role IS 'with whose rights it runs';
GRANT SELECT ON recsys.schedules TO PUBLIC;

/*
 * Advice
 */
-- tables with recsys indexes that the caller may read, of partitioned ones the partitions, and what their next VACUUM has to do
CREATE VIEW recsys.vacuum_state AS
SELECT v.nspname::text AS schema_name, c.relname::text AS table_name, c.reltuples, c.relpages, c.relallvisible,
	   pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
	   pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) AS inserted,
	   pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS all_inserted,
	   pg_catalog.pg_stat_get_tuples_updated(c.oid) + pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS all_changed,
	   EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
			   WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean) AS switched_off,
	   EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
			   WHERE o.option_name = 'autovacuum_vacuum_insert_scale_factor') AS tuned
FROM (SELECT DISTINCT s.schema_name, s.table_name FROM recsys.index_stats s) t
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name
JOIN pg_catalog.pg_class i ON i.relnamespace = n.oid AND i.relname = t.table_name
CROSS JOIN LATERAL (SELECT i.oid WHERE i.relkind <> 'p'
					UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(i.oid) p WHERE i.relkind = 'p' AND p.isleaf) l
JOIN pg_catalog.pg_class c ON c.oid = l.oid
JOIN pg_catalog.pg_namespace v ON v.oid = c.relnamespace
WHERE c.relpersistence <> 't';
COMMENT ON VIEW recsys.vacuum_state IS 'tables with recsys indexes that you may read, of partitioned ones the partitions, as the server''s statistics have them; recsys.maintenance_advice is made of it';
COMMENT ON COLUMN recsys.vacuum_state.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.vacuum_state.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.vacuum_state.reltuples IS 'its rows as of the last VACUUM or ANALYZE, -1: there was none';
COMMENT ON COLUMN recsys.vacuum_state.relpages IS 'its pages as of then';
COMMENT ON COLUMN recsys.vacuum_state.relallvisible IS 'of these, pages that everybody sees all of, so that an index need not look at the table';
COMMENT ON COLUMN recsys.vacuum_state.dead IS 'dead rows';
COMMENT ON COLUMN recsys.vacuum_state.inserted IS 'rows inserted since the last VACUUM';
COMMENT ON COLUMN recsys.vacuum_state.all_inserted IS 'rows inserted since statistics are kept';
COMMENT ON COLUMN recsys.vacuum_state.all_changed IS 'rows updated or deleted since then';
COMMENT ON COLUMN recsys.vacuum_state.switched_off IS 'whether autovacuum is switched off for the table';
COMMENT ON COLUMN recsys.vacuum_state.tuned IS 'whether autovacuum_vacuum_insert_scale_factor is set for the table';
GRANT SELECT ON recsys.vacuum_state TO PUBLIC;

CREATE VIEW recsys.maintenance_advice AS
-- rebuilds
SELECT CASE WHEN d.reason LIKE 'left by %' OR d.reason LIKE 'building it %' THEN 'invalid index'
			WHEN d.reason LIKE 'built with %' THEN 'options'
			WHEN d.reason LIKE '% since its model was built' THEN 'stale model'
			ELSE 'problem' END AS topic,
	   pg_catalog.format('%I.%I', d.schema_name, d.index_name) AS object, d.reason, d.command || ';' AS command
FROM recsys.rebuilds_due() d
UNION ALL
-- changes that nobody merges: a thousand, or a hundredth of the rows, for more than an hour
SELECT 'merge', pg_catalog.format('%I.%I', s.schema_name, s.index_name),
	   pg_catalog.format('%s changes are pending, the last merge was %s', s.pending,
						 coalesce(pg_catalog.to_char(s.last_merge_at, 'YYYY-MM-DD HH24:MI'), 'before the last build')),
	   pg_catalog.format('SELECT * FROM recsys.merge(%L);', pg_catalog.format('%I.%I', s.schema_name, s.index_name))
FROM recsys.index_stats s
WHERE s.problem IS NULL AND s.pending >= least(1000, greatest(coalesce(s.interactions, s.contents), 100) / 100)
AND greatest(s.last_merge_at, s.built_at) < pg_catalog.now() - interval '1 hour'
UNION ALL
-- VACUUM
SELECT 'vacuum', pg_catalog.format('%I.%I', v.schema_name, v.table_name),
	   CASE WHEN v.dead >= 1000 AND v.dead > 0.2 * greatest(v.reltuples, 0) THEN pg_catalog.format('%s rows are dead', v.dead)
			WHEN v.inserted >= 1000 AND v.inserted > 0.2 * greatest(v.reltuples, 0) THEN pg_catalog.format('%s rows were inserted since the last VACUUM', v.inserted)
			ELSE pg_catalog.format('of %s pages %s are known to be visible to everybody', v.relpages, v.relallvisible) END,
	   pg_catalog.format('VACUUM (ANALYZE) %I.%I;', v.schema_name, v.table_name)
FROM recsys.vacuum_state v
WHERE (v.dead >= 1000 AND v.dead > 0.2 * greatest(v.reltuples, 0))
   OR (v.inserted >= 1000 AND v.inserted > 0.2 * greatest(v.reltuples, 0))
   OR (v.relpages >= 100 AND v.relallvisible < 0.8 * v.relpages)
UNION ALL
SELECT 'autovacuum', pg_catalog.format('%I.%I', v.schema_name, v.table_name),
	   CASE WHEN v.switched_off THEN 'autovacuum is switched off for the table'
			ELSE pg_catalog.format('rows are inserted and rarely changed, and autovacuum waits for %s of them',
								   pg_catalog.round(v.reltuples * pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::double precision)) END,
	   CASE WHEN v.switched_off THEN pg_catalog.format('ALTER TABLE %I.%I RESET (autovacuum_enabled);', v.schema_name, v.table_name)
			ELSE pg_catalog.format('ALTER TABLE %I.%I SET (autovacuum_vacuum_insert_scale_factor = 0.02);', v.schema_name, v.table_name) END
FROM recsys.vacuum_state v
WHERE v.switched_off
   OR (NOT v.tuned AND v.all_inserted > 10 * v.all_changed
	   AND v.reltuples * pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::double precision >= 100000)
UNION ALL
-- declared recommenders of the caller's
SELECT CASE WHEN p.problem IS NOT NULL THEN 'problem' ELSE 'refresh' END, r.name,
	   coalesce(p.problem, 'its lists were made ' || pg_catalog.to_char(f.at, 'YYYY-MM-DD HH24:MI'), 'its lists were never made'),
	   CASE WHEN p.problem IS NOT NULL THEN pg_catalog.format('SELECT * FROM recsys.recommenders WHERE name = %L;', r.name)
			ELSE pg_catalog.format('CALL recsys.refresh(%L);', r.name) END
FROM recsys.recommender r
JOIN pg_catalog.pg_roles o ON o.rolname = r.owner AND pg_catalog.pg_has_role(o.oid, 'USAGE')
CROSS JOIN LATERAL (SELECT max(l.refreshed_at) AS at FROM recsys.popularity l WHERE l.recommender = r.name) f
CROSS JOIN LATERAL (SELECT recsys.recommender_problem(r.name) AS problem) p
WHERE p.problem IS NOT NULL OR f.at IS NULL OR f.at < pg_catalog.now() - interval '7 days'
UNION ALL
-- materialized views of the caller's that are made by this extension's functions and have never been filled
SELECT 'materialized view', pg_catalog.format('%I.%I', n.nspname, m.relname), 'it has not been filled',
	   pg_catalog.format('REFRESH MATERIALIZED VIEW %I.%I;', n.nspname, m.relname)
FROM pg_catalog.pg_class m
JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
WHERE m.relkind = 'm' AND NOT m.relispopulated AND pg_catalog.pg_has_role(m.relowner, 'USAGE')
AND EXISTS (SELECT FROM pg_catalog.pg_rewrite w
			JOIN pg_catalog.pg_depend u ON u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND u.objid = w.oid
				AND u.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
			JOIN pg_catalog.pg_depend e ON e.classid = u.refclassid AND e.objid = u.refobjid AND e.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid AND x.extname = 'recsys'
			WHERE w.ev_class = m.oid)
UNION ALL
-- the log, for the owner of the extension
SELECT 'maintain', 'recsys.request_log',
	   coalesce('recsys.maintain ran last ' || pg_catalog.to_char(k.at, 'YYYY-MM-DD HH24:MI'), 'recsys.maintain has never run'),
	   'SELECT * FROM recsys.maintain();'
FROM (SELECT max(t.time) AS at FROM recsys.maintenance t) k
JOIN pg_catalog.pg_extension x ON x.extname = 'recsys' AND pg_catalog.pg_has_role(x.extowner, 'USAGE')
WHERE (k.at IS NULL OR k.at < pg_catalog.now() - interval '1 day') AND recsys.log_is_used()
UNION ALL
-- partitions by time that are kept
SELECT 'partitions', pg_catalog.format('%I.%I', p.schema_name, p.table_name),
	   CASE WHEN p.problem IS NOT NULL THEN p.problem
			WHEN p.covered_until <= pg_catalog.now() + p.ahead / 2 THEN 'there are none from ' || pg_catalog.to_char(p.covered_until, 'YYYY-MM-DD HH24:MI') || ' on'
			ELSE pg_catalog.format('%s should have been dropped, the first one %s', p.expired, pg_catalog.to_char(p.expired_since, 'YYYY-MM-DD HH24:MI')) END,
	   CASE WHEN p.problem = 'the table does not exist' THEN pg_catalog.format('SELECT recsys.leave_partitions(%L);', pg_catalog.format('%I.%I', p.schema_name, p.table_name))
			WHEN p.problem IS NOT NULL THEN pg_catalog.format('SELECT * FROM recsys.kept_partitions WHERE (schema_name, table_name) = (%L, %L);', p.schema_name, p.table_name)
			ELSE pg_catalog.format('SELECT * FROM recsys.maintain_partitions(%L);', pg_catalog.format('%I.%I', p.schema_name, p.table_name)) END
FROM recsys.kept_partitions p
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = p.owner
WHERE CASE WHEN o.oid IS NULL THEN pg_catalog.pg_has_role('pg_database_owner', 'USAGE') ELSE pg_catalog.pg_has_role(o.oid, 'USAGE') END
AND (p.problem IS NOT NULL OR p.covered_until <= pg_catalog.now() + p.ahead / 2 OR p.expired_since < pg_catalog.now() - interval '1 day')
UNION ALL
-- streams of the caller's: those that stand still, or fall behind
SELECT 'stream', s.stream, w.reason, w.command
FROM recsys.streams s
CROSS JOIN LATERAL (
	SELECT 'it has failed: ' || coalesce(s.last_message, '') AS reason, pg_catalog.format('SELECT recsys.resume_stream(%L);', s.stream) AS command
	WHERE s.state = 'failed'
	UNION ALL
	SELECT pg_catalog.format('partition %s is lost: %s', p.partition, p.message),
		   pg_catalog.format('SELECT recsys.seek_stream(%L, partition => %s, at => ''-infinity'');', s.stream, p.partition)
	FROM recsys.stream_partitions p
	WHERE p.stream = s.stream AND p.topic = s.topic AND p.state = 'lost' AND s.state NOT IN ('failed', 'paused')
	UNION ALL
	SELECT coalesce('no recsys-stream has been at it since ' || pg_catalog.to_char(s.seen_at, 'YYYY-MM-DD HH24:MI'), 'no recsys-stream has ever been at it'),
		   pg_catalog.format('SELECT * FROM recsys.streams WHERE stream = %L;', s.stream)
	WHERE s.state IN ('waiting', 'lost') AND s.consumers = 0 AND coalesce(s.seen_at, s.changed_at) < pg_catalog.clock_timestamp() - interval '1 minute'
	UNION ALL
	SELECT pg_catalog.format('it waits %s ms after each batch, as indexes of its target have too much to merge', s.throttle), 'SELECT * FROM recsys.merge_pending();'
	WHERE s.state IN ('running', 'lost') AND s.throttle > 0
	UNION ALL
	SELECT pg_catalog.format('it is %s messages behind, and has come to those of %s', s.lag, pg_catalog.to_char(s.last_message_time, 'YYYY-MM-DD HH24:MI')),
		   CASE WHEN coalesce((s.definition->>'jobs')::integer, 2) < least(s.partitions, 16) THEN pg_catalog.format('SELECT recsys.alter_stream(%L, jobs => %s);', s.stream, least(s.partitions, 16))
				ELSE pg_catalog.format('SELECT * FROM recsys.stream_partitions WHERE stream = %L;', s.stream) END
	WHERE s.state IN ('running', 'lost') AND s.throttle = 0 AND s.lag >= 1000 AND s.last_message_time < pg_catalog.now() - interval '5 minutes'
	UNION ALL
	SELECT pg_catalog.format('%s messages were rejected in the last hour', e.n),
		   pg_catalog.format('SELECT * FROM recsys.stream_errors WHERE stream = %L ORDER BY rejected_at DESC LIMIT 20;', s.stream)
	FROM (SELECT count(*) AS n FROM recsys.stream_errors e WHERE e.stream = s.stream AND e.rejected_at > pg_catalog.now() - interval '1 hour') e
	WHERE e.n > 0) w
UNION ALL
-- jobs
SELECT 'schedule', s.job, CASE WHEN s.active THEN 'its last run has failed: ' || coalesce(s.last_message, '') ELSE 'it is switched off' END,
	   CASE WHEN s.active THEN s.command || ';' ELSE pg_catalog.format('SELECT cron.alter_job(%s, active => true);', s.job_id) END
FROM recsys.schedules s
WHERE NOT s.active OR s.last_status = 'failed';
COMMENT ON VIEW recsys.maintenance_advice IS 'what should be done now about your recommenders, each with the statement that does it; empty when all is well';
COMMENT ON COLUMN recsys.maintenance_advice.topic IS 'problem, invalid index, options, stale model, merge, vacuum, autovacuum, refresh, materialized view, maintain, partitions, stream or schedule';
COMMENT ON COLUMN recsys.maintenance_advice.object IS 'what it is about: an index, a table, a recommender, a materialized view, a stream, a job';
COMMENT ON COLUMN recsys.maintenance_advice.reason IS 'why';
COMMENT ON COLUMN recsys.maintenance_advice.command IS 'what to run';
GRANT SELECT ON recsys.maintenance_advice TO PUBLIC;
