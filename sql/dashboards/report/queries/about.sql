/*
 * What the report is about: sets the variables that the other files need, and "about".
 *
 * found            whether recsys is in this database
 * name             the recommender: a declared one, or an index with its schema; empty: there is none
 * index            its first signal's index, with its schema
 * since, until     the last 28 whole days, in UTC
 * together         the index of what is bought together: the complements', or the first signal's
 * items_query      item_id, title, category, price, seller, is_new, facts of all items
 * sellers_query    seller, name
 * photos_query     item_id, photo
 * events_query     what the index reads: user, item [, weight [, time]]; empty: that may not be read
 * users_query      user_id, events
 * pairs_query      user_id, item_id: what users had, for an index that has no time
 *
 * Titles and so on are expressions that somebody has declared, and run with the rights of whoever asks.
 * A superuser does not ask for those of others, unless they are superusers, too.
 */
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'recsys') AS found \gset
\if :found
\else
	\warn 'recsys: this database has no extension recsys: CREATE EXTENSION recsys'
	\quit
\endif

-- nothing of \gset is NULL here, which would unset the variable
SELECT coalesce(name, '') AS name, coalesce(kind, '') AS kind, coalesce(owner, '') AS owner, coalesce(problem, '') AS problem, coalesce(index, '') AS index,
	   coalesce(NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) OR owner = current_user
				OR (SELECT rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = c.owner), false) AS trusted
FROM (SELECT) one LEFT JOIN (SELECT 'recommender' AS kind, name, owner::text, created_at, problem, signals -> 0 ->> 'events' AS index, name AS short
	  FROM recsys.recommenders
	  UNION ALL
	  SELECT 'index', format('%I.%I', s.schema_name, s.index_name), pg_catalog.pg_get_userbyid(c.relowner)::text, s.built_at, s.problem,
			 format('%I.%I', s.schema_name, s.index_name), s.index_name
	  FROM recsys.index_stats s
	  JOIN pg_catalog.pg_class c ON c.oid = to_regclass(format('%I.%I', s.schema_name, s.index_name))
	  WHERE s.index_kind = 'interactions') c ON :'recommender' IN ('', name, short)
ORDER BY kind DESC, problem IS NOT NULL, created_at, name LIMIT 1 \gset
SELECT :'name' = '' AND :'recommender' <> '' AS missing \gset
\if :missing
	\warn 'recsys: there is no recommender and no index called' :"recommender"
	\quit
\endif

-- What calls the recommender evaluates what it declares, so without trust there is its index only
SELECT :'name' AS shown_name, :'kind' AS shown_kind, CASE WHEN :'trusted' THEN :'name' ELSE :'index' END AS name,
	   CASE WHEN :'trusted' THEN :'kind' ELSE 'index' END AS kind \gset

-- days are those of recsys.metrics_daily: UTC; today only where there is no day before it
\set only_today false
SELECT coalesce(bool_and(time >= date_trunc('day', now(), 'UTC')), false) AS only_today FROM recsys.metrics_daily \gset
SELECT until, until - interval '28 days' AS since
FROM (SELECT date_trunc('day', now(), 'UTC') + CASE WHEN :'only_today' THEN interval '1 day' ELSE interval '0' END AS until) d \gset

/*
 * Queries that depend on what is declared: each is tried, and replaced by an empty one where it fails.
 */
\set no_items 'SELECT NULL::text AS item_id, NULL::text AS title, NULL::text AS category, NULL::double precision AS price, NULL::text AS seller, NULL::boolean AS is_new, NULL::jsonb AS facts WHERE false'
\set no_sellers 'SELECT NULL::text AS seller, NULL::text AS name WHERE false'
\set no_photos 'SELECT NULL::text AS item_id, NULL::bytea AS photo WHERE false'
\set items_query :no_items
\set sellers_query :no_sellers
\set photos_query :no_photos
\set events_query ''
\set users_query ''
\set pairs_query 'SELECT NULL::text AS user_id, NULL::text AS item_id WHERE false'
\set photos_found ''

SELECT coalesce(items_query, :'no_items') AS items_query, coalesce(sellers_query, '') AS sellers_query, coalesce(photos_found, '') AS photos_found
FROM (SELECT) one LEFT JOIN (
SELECT format('SELECT (items.%s)::text AS item_id, (%s)::text AS title, (%s)::text AS category, (%s)::double precision AS price, (%s)::text AS seller, (%s)::boolean AS is_new, jsonb_build_object(%s) AS facts FROM %s AS items',
			  key, coalesce(title, 'NULL'), coalesce(category, 'NULL'), coalesce(price, 'NULL'), coalesce(seller, 'NULL'), coalesce(new_item_since, 'NULL'),
			  (SELECT string_agg(format('%L, %s', attname, CASE WHEN typcategory = 'S' THEN format('left(items.%I, 200)', attname) ELSE format('items.%I', attname) END), ', ' ORDER BY attnum)
			   -- short and plain columns, the first of them
			   FROM (SELECT a.attname, a.attnum, t.typcategory FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
					 WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace = 'pg_catalog'::regnamespace
					   AND t.typcategory IN ('S', 'N', 'B', 'D') AND quote_ident(a.attname) <> r.key
					   AND format('items.%I', a.attname) NOT IN (coalesce(r.title, ''), coalesce(r.category, ''), coalesce(r.price, ''), coalesce(r.seller, ''))
					 ORDER BY a.attnum LIMIT 10) plain),
			  relation) AS items_query,
	   coalesce((SELECT format('SELECT (sellers.%s)::text AS seller, (sellers.%I)::text AS name FROM %s AS sellers', coalesce((SELECT quote_ident(k.attname) FROM pg_catalog.pg_attribute k WHERE k.attrelid = a.attrelid AND k.attname = r.seller_key AND NOT k.attisdropped), r.seller_key), a.attname, r.sellers)
		FROM pg_catalog.pg_attribute a JOIN unnest('{name,title,display_name,shop_name,seller_name,label}'::text[]) WITH ORDINALITY n (name, place) ON n.name = a.attname
		WHERE a.attrelid = to_regclass(r.sellers) AND NOT a.attisdropped AND a.atttypid IN ('text'::regtype, 'varchar'::regtype)
		ORDER BY n.place LIMIT 1), '') AS sellers_query,
	   -- pictures in the table of items, or in one of that name beside it
	   coalesce((SELECT format('SELECT (p.%I)::text AS item_id, p.%I AS photo FROM %s AS p', k.attname, a.attname, c.oid::regclass)
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype
		JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attnum > 0 AND NOT k.attisdropped AND quote_ident(k.attname) = r.key
		WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = r.relation)
		  AND CASE WHEN c.oid = r.relation THEN a.attname ELSE c.relname END ~* 'photo|image|picture|thumb'
		ORDER BY c.oid <> r.relation, c.relname, a.attnum LIMIT 1), '') AS photos_found
FROM (SELECT r.*, to_regclass(r.items) AS relation,
			 coalesce((SELECT quote_ident(attname) FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(r.items) AND attname = r.item_key AND NOT attisdropped), r.item_key) AS key
	  FROM recsys.recommenders r) r
WHERE r.name = :'name' AND :'kind' = 'recommender' AND r.relation IS NOT NULL AND :'trusted') found ON true \gset

SELECT CASE WHEN :'sellers_query' = '' THEN :'no_sellers' ELSE :'sellers_query' END AS sellers_query,
	   CASE WHEN :'photos' <> '' THEN format('SELECT p.item_id::text, p.photo FROM (%s) AS p (item_id, photo)', :'photos')
			WHEN :'photos_found' <> '' THEN :'photos_found' ELSE :'no_photos' END AS photos_query \gset

\set items_problem ''
SELECT FROM (:items_query) q LIMIT 0;
\if :ERROR
	\set items_problem :LAST_ERROR_MESSAGE
	\set items_query :no_items
\endif
SELECT FROM (:sellers_query) q LIMIT 0;
\if :ERROR
	\set sellers_query :no_sellers
\endif
SELECT FROM (:photos_query) q LIMIT 0;
\if :ERROR
	\if :{?LAST_ERROR_MESSAGE} \warn 'recsys: no photos:' :LAST_ERROR_MESSAGE \endif
	\set photos_query :no_photos
\endif
SELECT EXISTS (SELECT FROM (:items_query) q) AS has_items \gset

-- what the index reads, where its owner's expressions may be evaluated
SELECT coalesce(events_query, '') AS events_query, coalesce(users_query, '') AS users_query, coalesce(pairs_query, :'pairs_query') AS pairs_query
FROM (SELECT) one LEFT JOIN (
SELECT format('SELECT %s FROM %s%s', string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n), i.indrelid::regclass,
			  coalesce(' WHERE (' || pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) || ')', '')) AS events_query,
	   format('SELECT (%s)::text AS user_id, count(*) AS events FROM %s%s GROUP BY 1', pg_catalog.pg_get_indexdef(i.indexrelid, 1, true), i.indrelid::regclass,
			  coalesce(' WHERE (' || pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) || ')', '')) AS users_query,
	   format('SELECT (%s)::text AS user_id, (%s)::text AS item_id FROM %s%s', pg_catalog.pg_get_indexdef(i.indexrelid, 1, true), pg_catalog.pg_get_indexdef(i.indexrelid, 2, true), i.indrelid::regclass,
			  coalesce(' WHERE (' || pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) || ')', '')) AS pairs_query
FROM pg_catalog.pg_index i, generate_series(1, i.indnkeyatts) n
WHERE i.indexrelid = to_regclass(nullif(:'index', '')) AND :'trusted'
  AND (NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
	   OR EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
				  WHERE c.oid = i.indrelid AND (o.rolsuper OR o.rolname = current_user)))
GROUP BY i.indexrelid, i.indrelid, i.indpred) found ON true \gset

SELECT coalesce((SELECT complements FROM recsys.recommenders WHERE name = :'name' AND :'kind' = 'recommender' AND to_regclass(complements) IS NOT NULL), :'index') AS together \gset
SELECT :'customers' NOT IN ('no', 'off', '0', 'false') AND :'name' <> '' AS show_customers,
	   :'evaluate' NOT IN ('no', 'off', '0', 'false') AND :'events_query' <> '' AS evaluates \gset

SELECT json_build_object(
	'generated_at', now(),
	'database', current_database(),
	'user', current_user,
	'server', current_setting('server_version'),
	'recsys', (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'recsys'),
	'recommender', nullif(:'shown_name', ''),
	'kind', nullif(:'shown_kind', ''),
	'owner', nullif(:'owner', ''),
	'problem', nullif(:'problem', ''),
	'index', nullif(:'index', ''),
	'trusted', :'trusted'::boolean,
	'has_items', :'has_items'::boolean,
	'items_problem', nullif(:'items_problem', ''),
	'show_customers', :'show_customers'::boolean,
	'evaluates', :'evaluates'::boolean,
	'only_today', :'only_today'::boolean,
	'together_of', CASE WHEN :'together' = :'index' THEN 'customers' ELSE 'orders' END,
	'evaluate_off', :'evaluate' IN ('no', 'off', '0', 'false'),
	'since', :'since'::timestamptz,
	'until', :'until'::timestamptz,
	'recommenders', (SELECT coalesce(json_agg(name ORDER BY created_at, name), '[]') FROM recsys.recommenders),
	'indexes', (SELECT coalesce(json_agg(format('%I.%I', schema_name, index_name) ORDER BY 1), '[]') FROM recsys.index_stats WHERE index_kind = 'interactions')
	) AS about \gset
