/*
 * Sellers: what they were shown and sold in the last 28 whole days by the log
 * (recsys.metrics_sellers_daily), and what lists made now would show (recsys.seller_exposure).
 */
\set lists_now 'NULL::json'
SELECT CASE WHEN :'kind' = 'recommender' AND EXISTS (SELECT FROM recsys.recommenders WHERE name = :'name' AND seller IS NOT NULL) THEN
	format('(SELECT json_agg(e ORDER BY shown DESC, seller_id) FROM (SELECT * FROM recsys.seller_exposure(%L, %L::timestamptz, 1000, 10) ORDER BY shown DESC, seller_id LIMIT 40) e)', :'name', :'since')
	ELSE 'NULL::json' END AS lists_now \gset
-- it makes lists, which takes rights that reading the log does not
\set exposure ''
SELECT coalesce((:lists_now)::text, '') AS exposure \gset
WITH shown AS MATERIALIZED (
	SELECT seller, bool_or(is_new) AS is_new, sum(impressions) AS impressions, sum(exposure) AS exposure, sum(clicks) AS clicks,
		   sum(carts) AS carts, sum(orders) AS orders, sum(revenue) AS revenue
	FROM recsys.metrics_sellers_daily
	WHERE time >= :'since' AND time < :'until' AND seller IS NOT NULL
	GROUP BY 1)
SELECT json_build_object(
	'declared', EXISTS (SELECT FROM recsys.recommenders WHERE name = :'name' AND seller IS NOT NULL),
	-- those that are shown most: a page can hold no more, and what it says of all is in totals
	'shown', (SELECT coalesce(json_agg(s ORDER BY exposure DESC, seller), '[]') FROM (SELECT * FROM shown ORDER BY exposure DESC, seller LIMIT 2000) s),
	'totals', (SELECT json_build_object('sellers', count(*), 'exposure', sum(exposure), 'clicks', sum(clicks), 'orders', sum(orders),
					'new_sellers', count(*) FILTER (WHERE is_new), 'new_exposure', sum(exposure) FILTER (WHERE is_new), 'has_new', bool_or(is_new IS NOT NULL),
					'all', max(known), 'top_exposure', sum(exposure) FILTER (WHERE place <= greatest(1, round(known / 10.0))),
					-- of which the Gini coefficient is made
					'ranked_exposure', sum(place * exposure))
			   FROM (SELECT *, row_number() OVER (ORDER BY exposure DESC) AS place,
							-- with those that could be shown
							greatest(count(*) OVER (), (SELECT max(catalogue_sellers) FROM recsys.metrics_catalogue_daily WHERE time >= :'since' AND time < :'until')) AS known
					 FROM shown) s),
	'now', nullif(:'exposure', '')::json,
	'names', (SELECT coalesce(json_object_agg(seller, left(name, 200)), '{}') FROM (
			SELECT * FROM (SELECT DISTINCT ON (seller) * FROM (:sellers_query) q WHERE seller IS NOT NULL ORDER BY seller) q
			ORDER BY seller IN (SELECT s.seller FROM shown s) DESC, seller LIMIT 5000) n)
	) AS sellers \gset
