/*
 * Titles, facts and photos of the items that other pages name.  A photo is left out if it is larger
 * than 30 kB, and all that follow when they are more than 1.5 MB together.
 */
WITH named AS MATERIALIZED (
	SELECT DISTINCT item_id
	FROM unnest(ARRAY[nullif(:'catalogue', ''), nullif(:'products', ''), nullif(:'customers_page', '')]::jsonb[]) d,
		 LATERAL (SELECT jsonb_path_query(d, 'lax $.**.item_id') #>> '{}' AS item_id
				  UNION ALL SELECT jsonb_path_query(d, 'lax $.**.because') #>> '{}') i
	WHERE item_id IS NOT NULL),
known AS MATERIALIZED (
	SELECT DISTINCT ON (q.item_id) q.* FROM (:items_query) q JOIN named USING (item_id) ORDER BY q.item_id),
pictured AS MATERIALIZED (
	SELECT DISTINCT ON (item_id) item_id, photo FROM (:photos_query) q JOIN named USING (item_id)
	WHERE length(photo) BETWEEN 16 AND 30720 ORDER BY item_id, photo),
sized AS MATERIALIZED (
	SELECT item_id, translate(encode(photo, 'base64'), E'\n', '') AS photo, sum(length(photo)) OVER (ORDER BY item_id = ANY (:'product_ids'::text[]) DESC, item_id) AS bytes FROM pictured)
SELECT coalesce(json_object_agg(item_id, json_strip_nulls(json_build_object('title', left(k.title, 300), 'category', left(k.category, 100), 'price', k.price, 'seller', left(k.seller, 100), 'is_new', nullif(k.is_new, false),
			'facts', CASE WHEN item_id = ANY (:'product_ids'::text[]) THEN k.facts END, 'photo', p.photo))), '{}') AS items
FROM named LEFT JOIN known k USING (item_id) LEFT JOIN (SELECT * FROM sized WHERE bytes <= 1572864) p USING (item_id)
WHERE k.item_id IS NOT NULL OR p.item_id IS NOT NULL \gset
