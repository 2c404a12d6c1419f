/*
 * Experiments, the wanted one first, then those that run, then the latest: results, history,
 * alerts, and how long they have to go on.
 */
SELECT json_build_object('experiments', (
	SELECT coalesce(json_agg(json_build_object(
		'name', name, 'state', state, 'variants', variants, 'winner', winner, 'primary_metric', primary_metric, 'unit', unit, 'method', method, 'alpha', alpha, 'interleave', interleave,
		'started_at', started_at, 'stopped_at', stopped_at, 'problem', problem,
		'results', CASE WHEN started_at IS NOT NULL AND problem IS NULL AND NOT interleave THEN (
			SELECT coalesce(json_agg(r ORDER BY segment NULLS FIRST, is_primary DESC, metric, variant), '[]') FROM recsys.experiment_results(name) r) END,
		'history', CASE WHEN started_at IS NOT NULL AND problem IS NULL AND NOT interleave THEN (
			SELECT coalesce(json_agg(-- the end of a day is a moment of that day, not of the next
						json_build_object('day', to_char(h.time - interval '1 microsecond', 'YYYY-MM-DD'), 'time', h.time, 'metric', h.metric, 'variant', h.variant,
						'users', h.users, 'control_users', h.control_users, 'value', h.value, 'control_value', h.control_value,
						'lift', h.lift, 'lift_low', h.lift_low, 'lift_high', h.lift_high, 'verdict', h.verdict, 'p_adjusted', h.p_adjusted)
					ORDER BY h.metric, h.variant, h.time), '[]')
			FROM recsys.experiment_history(name) h WHERE h.segment IS NULL) END,
		'interleaved', CASE WHEN interleave AND started_at IS NOT NULL AND problem IS NULL THEN (SELECT to_jsonb(i) FROM recsys.interleaving_results(name) i) END,
		'power', CASE WHEN started_at IS NOT NULL AND stopped_at IS NULL AND problem IS NULL AND NOT interleave THEN (
			SELECT coalesce(json_agg(p ORDER BY is_primary DESC, metric, variant), '[]') FROM recsys.experiment_power(name) p) END,
		'alerts', (SELECT coalesce(json_agg(a ORDER BY severity, alert, detail), '[]') FROM recsys.experiment_alerts a WHERE a.experiment = e.name)
		) ORDER BY place), '[]')
	FROM (SELECT *, row_number() OVER (ORDER BY name <> :'experiment', started_at IS NULL, stopped_at IS NOT NULL, started_at DESC, name) AS place
		  FROM recsys.experiments) e
	WHERE place <= 6 OR name = :'experiment')) AS experiments \gset
