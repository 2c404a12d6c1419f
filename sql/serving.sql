/*
 * recommend: a user's history times the item graph.  source tells a personal
 * answer ('history') from the popular items that fill up a short one ('popular').
 */
CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, boolean, interval, jsonb) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, boolean, interval, jsonb) IS 'the k best items for a user; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	exclude_seen_text text,
	half_life text DEFAULT NULL,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, text, text) IS 'the k best items for a user, exclude_seen written as text; item keys of every type, as text';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	exclude_seen boolean,
	half_life interval,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, boolean, interval, jsonb) IS 'the k best items for a user, with all arguments; item keys of every type, as text';

/*
 * recommend_with_reasons: the same list, and why each item is in it.
 */
CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, jsonb) IS 'the k best items for a user, each with its reason; bigint item keys';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, anyelement, jsonb) IS 'the k best items for a user, each with its reason; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	context_text text)
RETURNS TABLE (item_id text, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, text) IS 'the k best items for a user, each with its reason, context written as text; item keys of every type, as text';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	context jsonb)
RETURNS TABLE (item_id text, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, text, jsonb) IS 'the k best items for a user, each with its reason, with all arguments; item keys of every type, as text';

/*
 * recommend_for_items: the same for a cart, a session, an anonymous visitor.
 */
CREATE FUNCTION recommend_for_items(
	items bigint[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(bigint[], bigint, text, boolean) IS 'the k best items to go with the given ones; bigint item keys';

CREATE FUNCTION recommend_for_items(
	items text[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text[], bigint, text, boolean) IS 'the k best items to go with the given ones; item keys of every type, as text';

CREATE FUNCTION recommend_for_items(
	items uuid[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id uuid, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(uuid[], bigint, text, boolean) IS 'the k best items to go with the given ones; uuid item keys';

-- what comes without a type: an array as it is written, in and out as text
CREATE FUNCTION recommend_for_items(
	items text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text, bigint, text, boolean) IS 'the k best items to go with those of an array that is written as text, as in ''{1,2}''; item keys of every type, as text';

/*
 * similar_items: one row of the item graph.
 */
CREATE FUNCTION similar_items(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(bigint, bigint, text) IS 'the k nearest neighbors of an item; bigint item keys';

CREATE FUNCTION similar_items(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(text, bigint, text) IS 'the k nearest neighbors of an item; item keys of every type, as text';

CREATE FUNCTION similar_items(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(uuid, bigint, text) IS 'the k nearest neighbors of an item; uuid item keys';

/*
 * goes_with: what is bought beside an item, where similar_items is what is like it.
 */
CREATE FUNCTION goes_with(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(bigint, bigint, text) IS 'the k items that go best with an item; bigint item keys';

CREATE FUNCTION goes_with(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(text, bigint, text) IS 'the k items that go best with an item; item keys of every type, as text';

CREATE FUNCTION goes_with(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(uuid, bigint, text) IS 'the k items that go best with an item; uuid item keys';

/*
 * popular_items: items by number of users; since or half_life make it trending.
 */
CREATE FUNCTION popular_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, timestamptz, interval, text) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, anyelement, timestamptz, interval, text) IS 'the k most popular items; item keys of the type of the third argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	since_text text,
	half_life text DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, text, text) IS 'the k most popular items since a time that is written as text; item keys of every type, as text';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type text,
	since timestamptz,
	half_life interval,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, timestamptz, interval, text) IS 'the k most popular items, with all arguments; item keys of every type, as text';

/*
 * explain_recommendation: which items of the user's history the score comes from.
 */
CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; uuid item keys';

