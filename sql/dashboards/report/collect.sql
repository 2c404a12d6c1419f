/*
 * Everything that the report shows, as one JSON document.
 *
 *     psql -X -q -f collect.sql >data.json
 *
 * psql variables, all of them optional: recommender (which one; else the first that is declared,
 * else the first index), experiment (the one shown first), photos (a query: item, bytea; else they
 * are looked for), customers (no: nothing about single customers), evaluate (no: nothing is
 * trained), time_limit (milliseconds of one query).
 *
 * One transaction that only reads and sees one moment.  Each file that is named here is a page, and ends in
 * \gset of one column with the page's name.  One that fails, for want of rights or of a function, has its
 * message instead, and the others go on.
 */
\set ON_ERROR_ROLLBACK on
\set ON_ERROR_STOP off
\set QUIET on
\set VERBOSITY terse
\pset tuples_only on
\pset format unaligned
\pset null ''
\encoding UTF8

\if :{?recommender} \else \set recommender '' \endif
\if :{?experiment} \else \set experiment '' \endif
\if :{?photos} \else \set photos '' \endif
\if :{?customers} \else \set customers yes \endif
\if :{?evaluate} \else \set evaluate yes \endif
\if :{?time_limit} \else \set time_limit 60000 \endif

-- settings end with the transaction: the session may be a pooler's
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off;
-- sums of millions of rows, one query at a time
SELECT set_config('work_mem', greatest(pg_catalog.pg_size_bytes(current_setting('work_mem')), 67108864) / 1024 || 'kB', true) AS memory \gset
SET LOCAL statement_timeout = :time_limit;
SET LOCAL lock_timeout = '10s';
-- its functions need not be in a schema that is looked at
SELECT set_config('search_path', current_setting('search_path') || coalesce((
	SELECT ', ' || quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
	WHERE e.extname = 'recsys' AND n.nspname <> ALL (current_schemas(false))), ''), true) AS path \gset

\ir queries/about.sql
\if :found
\else
	\quit
\endif

\set overview ''
\ir queries/overview.sql
\set overview_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set overview_error '' \endif

\set experiments ''
\ir queries/experiments.sql
\set experiments_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set experiments_error '' \endif

\set sellers ''
\ir queries/sellers.sql
\set sellers_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set sellers_error '' \endif

\set catalogue ''
\ir queries/catalogue.sql
\set catalogue_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set catalogue_error '' \endif

\set quality ''
\ir queries/quality.sql
\set quality_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set quality_error '' \endif

\set products ''
\ir queries/products.sql
\set products_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set products_error '' \endif

\set customers_page ''
\set customers_page_error ''
\if :show_customers
	\ir queries/customers.sql
	\set customers_page_error :LAST_ERROR_MESSAGE
	\if :ERROR \else \set customers_page_error '' \endif
\endif

\set operations ''
\ir queries/operations.sql
\set operations_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set operations_error '' \endif

-- titles, facts and photos of every item that any of them names
\set items ''
\ir queries/items.sql
\set items_error :LAST_ERROR_MESSAGE
\if :ERROR \else \set items_error '' \endif

SELECT json_build_object(
	'about', :'about'::json,
	'overview', nullif(:'overview', '')::json,
	'experiments', nullif(:'experiments', '')::json,
	'sellers', nullif(:'sellers', '')::json,
	'catalogue', nullif(:'catalogue', '')::json,
	'quality', nullif(:'quality', '')::json,
	'products', nullif(:'products', '')::json,
	'customers', nullif(:'customers_page', '')::json,
	'operations', nullif(:'operations', '')::json,
	'items', coalesce(nullif(:'items', '')::json, '{}'),
	'errors', json_strip_nulls(json_build_object(
		'overview', nullif(:'overview_error', ''),
		'experiments', nullif(:'experiments_error', ''),
		'sellers', nullif(:'sellers_error', ''),
		'catalogue', nullif(:'catalogue_error', ''),
		'quality', nullif(:'quality_error', ''),
		'products', nullif(:'products_error', ''),
		'customers', nullif(:'customers_page_error', ''),
		'operations', nullif(:'operations_error', ''),
		'items', nullif(:'items_error', ''))));
COMMIT;
