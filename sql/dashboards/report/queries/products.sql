/*
 * Some dozens of products, each with what is similar, what is bought with it, what the log says of it,
 * and who would be shown it, and why.  Bestsellers, what was shown most, what is new, and some of what
 * few have.
 */
\set product_ids '{}'
SELECT coalesce(array_agg(item_id ORDER BY place, rank, item_id), '{}') AS product_ids, coalesce(array_agg(why ORDER BY place, rank, item_id), '{}') AS product_whys
FROM (SELECT DISTINCT ON (item_id) *
	  FROM (SELECT item_id, rank::bigint, 1 AS place, 'bestseller' AS why
			FROM popular_items(12, nullif(:'name', ''), NULL::text, NULL::timestamptz, NULL::interval) WHERE :'name' <> ''
			UNION ALL
			SELECT item_id, row_number() OVER (ORDER BY impressions DESC, item_id), 2, 'shown most'
			FROM (SELECT item_id, sum(impressions) AS impressions FROM recsys.metrics_items_daily WHERE time >= :'since' AND time < :'until' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12) s
			UNION ALL
			SELECT item_id, row_number() OVER (ORDER BY impressions DESC, item_id), 3, 'new'
			FROM (SELECT item_id, sum(impressions) AS impressions FROM recsys.metrics_items_daily WHERE time >= :'since' AND time < :'until' AND is_new GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8) s
			UNION ALL
			-- every so many of the long tail
			SELECT item_id, rank, 4, 'long tail'
			FROM (SELECT item_id, rank, count(*) OVER () AS items FROM popular_items(1000, nullif(:'name', ''), NULL::text, NULL::timestamptz, NULL::interval) WHERE :'name' <> '') t
			WHERE rank > 40 AND rank % greatest(items / 10, 1) = 0) c
	  ORDER BY item_id, place) p \gset
\set product_problem :LAST_ERROR_MESSAGE
\if :ERROR \else \set product_problem '' \endif
SELECT :'product_ids' <> '{}' AS has_products \gset
\if :has_products
\else
	\set product_whys '{}'
\endif

-- who would be shown it: not of large shops, where it takes its time for each
SELECT CASE WHEN :'show_customers' AND :'kind' = 'recommender' AND coalesce((SELECT users <= 100000 FROM recsys.index_stats WHERE to_regclass(format('%I.%I', schema_name, index_name)) = to_regclass(nullif(:'index', ''))), false)
	THEN format('(SELECT json_agg(json_build_object(''user_id'', user_id, ''score'', score, ''because'', because_item_id, ''reason'', left(reason, 300)) ORDER BY rank) FROM recsys.audience(%L, p.item_id, 5))', :'name')
	ELSE 'NULL::json' END AS audience \gset
\ir product.sql
-- better without them than not at all
SELECT :ERROR AND :'audience' <> 'NULL::json' AS again \gset
\if :again
	\set audience 'NULL::json'
	\ir product.sql
\endif
