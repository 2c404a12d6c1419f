/*
 * Some customers, each with what they had and what they are recommended, and why; and all of them
 * by persona, segment, and recency and frequency (recsys.customer_segments).
 */
\set segments_query 'SELECT NULL::text AS user_id, NULL::text AS segment, NULL::text AS persona, NULL::integer AS recency_days, NULL::bigint AS frequency, NULL::double precision AS monetary, NULL::integer AS r, NULL::integer AS f, NULL::integer AS m, NULL::timestamptz AS first_at, NULL::timestamptz AS latest_at, NULL::boolean AS excluded WHERE false'
SELECT :'kind' = 'recommender' AS is_declared \gset
\if :is_declared
	SELECT format('SELECT * FROM recsys.customer_segments(%L)', :'name') AS segments_try \gset
	SELECT count(*) AS segments_rows FROM (:segments_try) s \gset
	\if :ERROR
	\else
		\set segments_query :segments_try
	\endif
\endif
SELECT CASE WHEN :'users_query' <> '' THEN :'users_query'
	ELSE format('SELECT user_id, frequency AS events FROM (%s) s WHERE frequency > 0', :'segments_query') END AS users_query \gset

-- who: some with a history of usual length, the busiest, some with one thing, some with nothing
\set customer_ids '{}'
SELECT coalesce(array_agg(user_id ORDER BY place, user_id), '{}') AS customer_ids
FROM (SELECT DISTINCT ON (user_id) user_id, place
	  FROM (WITH u AS MATERIALIZED (SELECT user_id, events, md5(user_id) AS draw FROM (:users_query) q WHERE user_id IS NOT NULL)
			(SELECT user_id, 1 AS place FROM u WHERE events BETWEEN 4 AND 40 ORDER BY draw LIMIT 16)
			UNION ALL (SELECT user_id, 2 FROM u ORDER BY events DESC, draw LIMIT 4)
			UNION ALL (SELECT user_id, 3 FROM u WHERE events = 1 ORDER BY draw LIMIT 4)
			UNION ALL (SELECT user_id, 4 FROM (:segments_query) s WHERE frequency = 0 AND NOT coalesce(excluded, false) ORDER BY md5(user_id) LIMIT 2)) c
	  ORDER BY user_id, place) d \gset
WITH all_segments AS MATERIALIZED (:segments_query),
untimed AS MATERIALIZED (SELECT user_id, item_id FROM (:pairs_query) q WHERE user_id = ANY (:'customer_ids'::text[]))
SELECT json_build_object(
	'customers', (SELECT coalesce(json_agg(json_build_object(
			'user_id', c.user_id,
			'history', (SELECT json_agg(json_build_object('signal', g.name, 'items', CASE WHEN timed THEN (
								SELECT coalesce(json_agg(json_build_object('item_id', v.item_id, 'at', v.last_at, 'times', v.times) ORDER BY v.rank), '[]')
								FROM recently_viewed(c.user_id, 12, g.events, NULL::text) v)
							ELSE (SELECT coalesce(json_agg(json_build_object('item_id', v.item_id, 'at', NULL, 'times', v.times) ORDER BY v.times DESC, v.item_id), '[]')
								  FROM (SELECT item_id, count(*) AS times FROM untimed u WHERE u.user_id = c.user_id AND g.place = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12) v) END) ORDER BY g.place)
						FROM (SELECT coalesce(s.value ->> 'name', CASE WHEN place = 1 THEN 'had' ELSE s.value ->> 'events' END) AS name, s.value ->> 'events' AS events, place
							  FROM recsys.recommenders r, jsonb_array_elements(r.signals) WITH ORDINALITY s (value, place) WHERE r.name = :'name' AND :'kind' = 'recommender'
							  UNION ALL SELECT 'had', :'index', 1 WHERE :'kind' = 'index') g,
							 -- without a time nothing can be said to have been latest
							 LATERAL (SELECT coalesce(bool_or(a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)), false) AS timed
									  FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(g.events) AND a.attnum > 2) t),
			'list', (SELECT coalesce(json_agg(json_build_object('item_id', r.item_id, 'score', r.score, 'source', r.source, 'reason', left(r.reason, 400),
							'parts', (SELECT json_agg(json_build_object('part', p.value ->> 'part', 'signal', p.value ->> 'signal', 'because', p.value ->> 'because', 'title', left(p.value ->> 'title', 200),
												'contribution', p.value -> 'contribution') ORDER BY p.place)
									  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(r.details -> 'parts') = 'array' THEN r.details -> 'parts' END) WITH ORDINALITY p (value, place) WHERE p.place <= 4)) ORDER BY r.rank), '[]')
					 FROM recommend_with_reasons(c.user_id, 10, :'name', NULL::text, NULL::jsonb) r),
			'segment', (SELECT json_build_object('segment', s.segment, 'persona', s.persona, 'recency_days', s.recency_days, 'frequency', s.frequency, 'monetary', s.monetary,
							'r', s.r, 'f', s.f, 'm', s.m, 'first_at', s.first_at, 'latest_at', s.latest_at, 'excluded', s.excluded)
						FROM all_segments s WHERE s.user_id = c.user_id LIMIT 1)) ORDER BY c.place), '[]')
		FROM unnest(:'customer_ids'::text[]) WITH ORDINALITY c (user_id, place)),
	'personas', (SELECT coalesce(json_agg(p ORDER BY customers DESC, persona), '[]')
				 FROM (SELECT persona, count(*) AS customers, sum(frequency) AS orders, sum(monetary) AS revenue, avg(recency_days)::double precision AS recency_days
					   FROM all_segments WHERE NOT coalesce(excluded, false) GROUP BY 1) p),
	'segments', (SELECT coalesce(json_agg(p ORDER BY customers DESC, segment), '[]')
				 FROM (SELECT left(segment, 100) AS segment, count(*) AS customers, sum(frequency) AS orders, sum(monetary) AS revenue
					   FROM all_segments WHERE segment IS NOT NULL AND NOT coalesce(excluded, false) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 25) p),
	'rfm', (SELECT coalesce(json_agg(p ORDER BY r, f), '[]')
			FROM (SELECT r, f, count(*) AS customers, avg(monetary)::double precision AS monetary FROM all_segments WHERE r IS NOT NULL AND f IS NOT NULL GROUP BY 1, 2) p)
	) AS customers_page \gset
