/*
 * recommend: a user's history times the item graph.  source tells a personal
 * answer ('history') from the popular items that fill up a short one ('popular').
 */
CREATE FUNCTION recommend(
	user_id anycompatible,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, integer, text, boolean, interval) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k integer,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, integer, text, anyelement, boolean, interval) IS 'the k best items for a user; item keys of the type of the fourth argument';

/*
 * recommend_for_items: the same for a cart, a session, an anonymous visitor.
 */
CREATE FUNCTION recommend_for_items(
	items bigint[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id bigint, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(bigint[], integer, text, boolean) IS 'the k best items to go with the given ones; bigint item keys';

CREATE FUNCTION recommend_for_items(
	items text[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text[], integer, text, boolean) IS 'the k best items to go with the given ones; text item keys';

CREATE FUNCTION recommend_for_items(
	items uuid[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id uuid, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(uuid[], integer, text, boolean) IS 'the k best items to go with the given ones; uuid item keys';

/*
 * similar_items: one row of the item graph.
 */
CREATE FUNCTION similar_items(
	item_id bigint,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(bigint, integer, text) IS 'the k nearest neighbors of an item; bigint item keys';

CREATE FUNCTION similar_items(
	item_id text,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(text, integer, text) IS 'the k nearest neighbors of an item; text item keys';

CREATE FUNCTION similar_items(
	item_id uuid,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(uuid, integer, text) IS 'the k nearest neighbors of an item; uuid item keys';

/*
 * popular_items: items by number of users; since or half_life make it trending.
 */
CREATE FUNCTION popular_items(
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(integer, text, timestamptz, interval) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k integer,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(integer, text, anyelement, timestamptz, interval) IS 'the k most popular items; item keys of the type of the third argument';

/*
 * explain_recommendation: which items of the user's history the score comes from.
 */
CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; text item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; uuid item keys';

