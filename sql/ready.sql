/*
 * Lists that every shop has: viewed lately, on sale, trending.
 */

/*
 * recently_viewed: a user's items, latest first.
 */
CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text) IS 'the items that a user had last, latest first; bigint item keys';

CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text, anyelement) IS 'the items that a user had last, latest first; item keys of the type of the fourth argument';

-- the same where the fourth argument comes without a type, and for NULL::text
CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text, text) IS 'the items that a user had last, latest first; item keys of every type, as text';

/*
 * trending_items: what is taken much more often in the last window than its base explains.
 */
CREATE FUNCTION trending_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	window_size interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, interval, text) IS 'the k items that are taken much more often lately than they used to be; bigint item keys';

CREATE FUNCTION trending_items(
	k bigint,
	recommender text,
	item_type anyelement,
	window_size interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, anyelement, interval, text) IS 'the k items that are taken much more often lately than they used to be; item keys of the type of the third argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION trending_items(
	k bigint,
	recommender text,
	window_size_text text,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, text, text) IS 'the k items that are taken much more often lately than they used to be, the window written as text; item keys of every type, as text';

/*
 * on_sale_for: what a user is likely to take that costs less than it usually does.
 */
CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, jsonb) IS 'items for a user whose price is below what is usual; bigint item keys';

CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, anyelement, jsonb) IS 'items for a user whose price is below what is usual; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	context_text text)
RETURNS TABLE (item_id text, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, text) IS 'items for a user whose price is below what is usual, context written as text; item keys of every type, as text';

CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	context jsonb)
RETURNS TABLE (item_id text, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, text, jsonb) IS 'items for a user whose price is below what is usual, with all arguments; item keys of every type, as text';
