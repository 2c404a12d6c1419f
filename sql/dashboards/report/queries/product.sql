/*
 * The products that products.sql has chosen.
 */
WITH shown AS MATERIALIZED (
	SELECT item_id, time, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue, sum(expected_clicks) AS expected_clicks
	FROM recsys.metrics_items_daily
	WHERE time >= :'since' AND time < :'until' AND item_id = ANY (:'product_ids'::text[]) GROUP BY 1, 2)
SELECT json_build_object('problem', nullif(:'product_problem', ''), 'products', (
	SELECT coalesce(json_agg(json_build_object(
		'item_id', p.item_id, 'why', p.why,
		'similar', (SELECT coalesce(json_agg(json_build_object('item_id', s.item_id, 'score', s.score, 'support', s.support) ORDER BY s.rank), '[]')
					FROM similar_items(p.item_id, 10, :'name') s),
		'together', (SELECT coalesce(json_agg(json_build_object('item_id', f.item_id, 'support', f.support, 'confidence', f.confidence, 'lift', f.lift, 'p', f.fisher_p) ORDER BY f.rank), '[]')
					 FROM frequently_bought_together(p.item_id, 6, :'together') f),
		'log', (SELECT json_build_object('impressions', sum(impressions), 'clicks', sum(clicks), 'carts', sum(carts), 'orders', sum(orders), 'revenue', sum(revenue), 'expected_clicks', sum(expected_clicks))
				FROM shown s WHERE s.item_id = p.item_id),
		'days', (SELECT coalesce(json_agg(json_build_array(to_char(s.time, 'YYYY-MM-DD'), s.impressions, s.clicks) ORDER BY s.time), '[]') FROM shown s WHERE s.item_id = p.item_id),
		'audience', :audience) ORDER BY p.place), '[]')
	FROM unnest(:'product_ids'::text[], :'product_whys'::text[]) WITH ORDINALITY p (item_id, why, place))
	) AS products \gset
