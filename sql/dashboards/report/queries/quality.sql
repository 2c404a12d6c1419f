/*
 * How good the model is on what it has not seen: what was measured when it was chosen
 * (recsys.index_stats.model_quality), and the same now: everybody's latest item is held out, and
 * the model and a list of bestsellers are asked for it (recsys.evaluate).
 */
SELECT coalesce(evaluated_model, '') AS evaluated_model, coalesce(evaluation, 'NULL::json') AS evaluation, coalesce(evaluated_last, false) AS evaluated_last
FROM (SELECT) one LEFT JOIN (
SELECT coalesce(model, '') AS evaluated_model,
	   format('(SELECT json_agg(json_build_object(''metric'', metric, ''k'', k, ''value'', value, ''ci_low'', ci_low, ''ci_high'', ci_high, ''users'', users,
			   ''popular_value'', popular_value, ''p_popular'', p_popular) ORDER BY metric, k)
			   FROM recsys.evaluate(%L, %L, %s, k => ''{10}'', resamples => 200,
					metrics => ''{recall,precision,hit_rate,ndcg,mrr,novelty,diversity,coverage,gini}''))',
			  :'events_query', coalesce(model, ''),
			  -- the latest item of each user where there is a time, else a fifth of them
			  CASE WHEN timed THEN 'holdout_last => 1' ELSE 'holdout_share => 0.2' END) AS evaluation, timed AS evaluated_last
FROM recsys.index_stats s,
	 LATERAL (SELECT coalesce(bool_or(a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)), false) AS timed
			  FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(nullif(:'index', '')) AND a.attnum > 2) t
WHERE :'evaluates' AND to_regclass(format('%I.%I', schema_name, index_name)) = to_regclass(nullif(:'index', '')) AND interactions BETWEEN 1 AND 20000000) found ON true \gset
\set evaluated_error ''
\set evaluated ''
SELECT coalesce((:evaluation)::text, '') AS evaluated \gset
\set evaluated_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set evaluated_error '' \endif
SELECT json_build_object(
	'model', nullif(:'evaluated_model', ''),
	'latest', :'evaluated_last'::boolean,
	'evaluated', nullif(:'evaluated', '')::json,
	'error', nullif(:'evaluated_error', ''),
	'indexes', (SELECT coalesce(json_agg(json_build_object('index', format('%I.%I', schema_name, index_name), 'model', model, 'quality', model_quality)
					ORDER BY to_regclass(format('%I.%I', schema_name, index_name)) IS DISTINCT FROM to_regclass(nullif(:'index', '')), schema_name, index_name), '[]')
				FROM recsys.index_stats WHERE index_kind = 'interactions')
	) AS quality \gset
