/*
 * How it runs: indexes, how long lists took, what is to be done now, what is scheduled, how far streams
 * have come, and how large the log is.  Columns and views that are not there are left out.
 */
SELECT CASE WHEN to_regclass('recsys.maintenance_advice') IS NULL THEN 'NULL::json'
			ELSE '(SELECT coalesce(json_agg(a), ''[]'') FROM (SELECT * FROM recsys.maintenance_advice LIMIT 100) a)' END AS advice_query,
	   CASE WHEN to_regclass('recsys.schedules') IS NULL THEN 'NULL::json'
			ELSE '(SELECT coalesce(json_agg(s), ''[]'') FROM (SELECT * FROM recsys.schedules LIMIT 200) s)' END AS schedules_query,
	   CASE WHEN to_regclass('recsys.streams') IS NULL THEN 'NULL::json'
			ELSE '(SELECT coalesce(json_agg(s ORDER BY stream), ''[]'') FROM (SELECT stream, state, topic, target, partitions, consumers, lag, rows_per_second, rows, errors, throttle, last_message, last_message_time FROM recsys.streams ORDER BY stream LIMIT 200) s)' END AS streams_query,
	   CASE WHEN has_table_privilege('recsys.maintenance', 'SELECT') THEN '(SELECT time FROM recsys.maintenance LIMIT 1)' ELSE 'NULL::timestamptz' END AS maintained_query \gset
\set advice ''
SELECT coalesce((:advice_query)::text, '') AS advice \gset
\set schedules ''
SELECT coalesce((:schedules_query)::text, '') AS schedules \gset
\set streams ''
SELECT coalesce((:streams_query)::text, '') AS streams \gset
SELECT json_build_object(
	'indexes', (SELECT coalesce(json_agg(to_jsonb(s) ORDER BY schema_name, index_name), '[]') FROM recsys.index_stats s),
	'recommenders', (SELECT coalesce(json_agg(json_build_object('name', name, 'owner', owner, 'refreshed_at', refreshed_at, 'changed_at', changed_at, 'problem', problem) ORDER BY created_at, name), '[]')
					 FROM recsys.recommenders),
	'latency', (SELECT coalesce(json_agg(l ORDER BY day, experiment NULLS LAST, variant, recommender), '[]')
				FROM (SELECT to_char(time, 'YYYY-MM-DD') AS day, recommender, experiment, variant, requests, p50_ms, p95_ms
					  FROM recsys.metrics_latency_daily WHERE time >= :'since' AND time < :'until') l),
	'metrics', (SELECT json_build_object('refreshed_at', max(refreshed_at), 'latest', to_char(max(time), 'YYYY-MM-DD'), 'provisional', count(DISTINCT time) FILTER (WHERE NOT is_final))
				FROM recsys.metrics_daily),
	'maintained_at', :maintained_query,
	'log_bytes', (SELECT sum(pg_catalog.pg_total_relation_size(t.relid)) FROM unnest('{recsys.request_log,recsys.event_log}'::regclass[]) l, pg_catalog.pg_partition_tree(l) t WHERE t.isleaf),
	'advice', nullif(:'advice', '')::json,
	'schedules', nullif(:'schedules', '')::json,
	'streams', nullif(:'streams', '')::json
	) AS operations \gset
