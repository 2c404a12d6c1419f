/*
 * Over how much of the catalogue lists are spread, in the last 28 whole days: by day
 * (recsys.metrics_catalogue_daily), by how popular items are, by category, and single items
 * (recsys.metrics_items_daily, recsys.item_fatigue).
 */
-- the rows of the items are read once: a shop may have millions of them
WITH shown AS MATERIALIZED (
	SELECT recommender, experiment, variant, item_id, left(category, 100) AS category, is_new, least(10, 1 + floor(10 * popularity)::integer) AS class,
		   sum(impressions) AS impressions, sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
	FROM recsys.metrics_items_daily
	WHERE time >= :'since' AND time < :'until'
	GROUP BY 1, 2, 3, 4, 5, 6, 7)
SELECT json_build_object(
	'days', (SELECT coalesce(json_agg(d ORDER BY day, experiment NULLS LAST, variant, recommender), '[]')
			 FROM (SELECT to_char(time, 'YYYY-MM-DD') AS day, recommender, experiment, variant, impressions, catalogue_items, coverage, novelty, popularity_bias,
						  new_items_shown, new_items_clicked, new_items_ordered
				   FROM recsys.metrics_catalogue_daily
				   WHERE time >= :'since' AND time < :'until') d),
	-- distinct items over all of the days, which daily figures do not tell
	'spread', (SELECT coalesce(json_agg(s ORDER BY experiment NULLS LAST, variant, recommender), '[]')
			   FROM (SELECT recommender, experiment, variant, count(DISTINCT item_id) AS items_shown FROM shown GROUP BY 1, 2, 3) s),
	-- ten classes of popularity: 10 is the tenth of the items that most users have
	'popularity', (SELECT coalesce(json_agg(p ORDER BY class, experiment NULLS LAST, variant, recommender), '[]')
				   FROM (SELECT recommender, experiment, variant, class, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(orders) AS orders
						 FROM shown WHERE class IS NOT NULL GROUP BY 1, 2, 3, 4) p),
	'categories', (SELECT coalesce(json_agg(c ORDER BY impressions DESC, category), '[]')
				   FROM (SELECT category, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(orders) AS orders, sum(revenue) AS revenue
						 FROM shown WHERE category IS NOT NULL
						 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 30) c),
	'newness', (SELECT json_agg(n ORDER BY is_new)
				FROM (SELECT is_new, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(orders) AS orders, count(DISTINCT item_id) AS items
					  FROM shown WHERE is_new IS NOT NULL GROUP BY 1) n),
	'top', (SELECT coalesce(json_agg(t ORDER BY impressions DESC, item_id), '[]')
			FROM (SELECT item_id, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
				  FROM shown GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15) t),
	'vain', (SELECT coalesce(json_agg(v ORDER BY chance, item_id, recommender), '[]')
			 FROM (SELECT recommender, item_id, impressions, clicks, expected_clicks, chance
				   FROM recsys.item_fatigue WHERE chance < 0.05 ORDER BY chance, item_id, recommender LIMIT 10) v)
	) AS catalogue \gset
