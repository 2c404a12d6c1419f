/*
 * What lists have brought, by day: recsys.metrics_daily without its segments, recsys.metrics_positions_daily
 * and segments of the last 28 whole days.  A line of the page is a variant of an experiment or, outside
 * of experiments, a recommender: the twelve with most lists, and others together, without which the
 * page of who has very many would be too large.
 */
WITH daily AS MATERIALIZED (
	SELECT * FROM recsys.metrics_daily WHERE time < :'until' AND time >= :'until'::timestamptz - interval '400 days'),
lines AS MATERIALIZED (
	SELECT recommender, experiment, variant, row_number() OVER (ORDER BY sum(requests) DESC, recommender, experiment, variant) <= 12 AS own
	FROM daily GROUP BY 1, 2, 3)
SELECT json_build_object(
	'days', (SELECT coalesce(json_agg(json_build_object(
				'day', to_char(time, 'YYYY-MM-DD'), 'recommender', recommender, 'experiment', experiment, 'variant', variant,
				'requests', requests, 'impressions', impressions, 'users', users, 'clicks', clicks, 'carts', carts,
				'orders', orders, 'revenue', revenue, 'ordered_users', ordered_users, 'is_final', is_final) ORDER BY time, experiment NULLS LAST, variant, recommender), '[]')
			 FROM (SELECT time, CASE WHEN own THEN d.recommender ELSE 'others' END AS recommender, CASE WHEN own THEN d.experiment END AS experiment,
						  CASE WHEN own THEN d.variant END AS variant, sum(requests) AS requests, sum(impressions) AS impressions,
						  sum(users) AS users, sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue,
						  sum(ordered_users) AS ordered_users, bool_and(is_final) AS is_final
				   FROM daily d JOIN lines l ON (d.recommender, coalesce(d.experiment, ''), coalesce(d.variant, '')) = (l.recommender, coalesce(l.experiment, ''), coalesce(l.variant, ''))
				   -- what is not known of some of them stays apart
				   GROUP BY 1, 2, 3, 4, d.orders IS NULL, d.revenue IS NULL) d),
	'positions', (SELECT coalesce(json_agg(p ORDER BY experiment NULLS LAST, variant, recommender, position), '[]')
				  FROM (SELECT recommender, experiment, variant, position, sum(impressions) AS impressions, sum(clicks) AS clicks,
							   sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
						FROM recsys.metrics_positions_daily
						WHERE time >= :'since' AND time < :'until' AND position <= 50
						GROUP BY 1, 2, 3, 4) p),
	'segments', (SELECT coalesce(json_agg(s ORDER BY requests DESC, segment), '[]')
				 FROM (SELECT segment, sum(requests) AS requests, sum(impressions) AS impressions, sum(users) AS users, sum(clicks) AS clicks,
							  sum(orders) AS orders, sum(revenue) AS revenue, sum(ordered_users) AS ordered_users,
							  sum(users) FILTER (WHERE ordered_users IS NOT NULL) AS known_users
					   FROM recsys.metrics_daily
					   WHERE time >= :'since' AND time < :'until' AND segment IS NOT NULL
					   GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20) s),
	'log', (SELECT json_build_object('last', to_char(max(time), 'YYYY-MM-DD')) FROM recsys.metrics_daily)) AS overview \gset
