

/*
 * What answers in order tells the place: column rank.  k is bigint, which drivers send
 * for whole numbers.  What comes without a type is text, in and out.
 */
DROP FUNCTION recommend(anycompatible, integer, text, boolean, interval);
DROP FUNCTION recommend(anycompatible, integer, text, anyelement, boolean, interval);
DROP FUNCTION recommend_for_items(bigint[], integer, text, boolean);
DROP FUNCTION recommend_for_items(text[], integer, text, boolean);
DROP FUNCTION recommend_for_items(uuid[], integer, text, boolean);
DROP FUNCTION similar_items(bigint, integer, text);
DROP FUNCTION similar_items(text, integer, text);
DROP FUNCTION similar_items(uuid, integer, text);
DROP FUNCTION popular_items(integer, text, timestamptz, interval);
DROP FUNCTION popular_items(integer, text, anyelement, timestamptz, interval);
DROP FUNCTION explain_recommendation(anycompatible, bigint, text, interval);
DROP FUNCTION explain_recommendation(anycompatible, text, text, interval);
DROP FUNCTION explain_recommendation(anycompatible, uuid, text, interval);
DROP FUNCTION frequently_bought_together(bigint, integer, text, text);
DROP FUNCTION frequently_bought_together(text, integer, text, text);
DROP FUNCTION frequently_bought_together(uuid, integer, text, text);
DROP FUNCTION complete_basket(bigint[], integer, regclass);
DROP FUNCTION complete_basket(text[], integer, regclass);
DROP FUNCTION complete_basket(uuid[], integer, regclass);

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, boolean, interval) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, boolean, interval) IS 'the k best items for a user; item keys of the type of the fourth argument';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	exclude_seen_text text,
	half_life text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, text) IS 'the k best items for a user, exclude_seen written as text; item keys of every type, as text';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	exclude_seen boolean,
	half_life interval)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, boolean, interval) IS 'the k best items for a user, with all arguments; item keys of every type, as text';

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

CREATE FUNCTION recommend_for_items(
	items text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text, bigint, text, boolean) IS 'the k best items to go with those of an array that is written as text, as in ''{1,2}''; item keys of every type, as text';

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

CREATE FUNCTION popular_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, timestamptz, interval) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, anyelement, timestamptz, interval) IS 'the k most popular items; item keys of the type of the third argument';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	since_text text,
	half_life text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, text) IS 'the k most popular items since a time that is written as text; item keys of every type, as text';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type text,
	since timestamptz,
	half_life interval)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, timestamptz, interval) IS 'the k most popular items, with all arguments; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; uuid item keys';

CREATE FUNCTION item_similarity(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, similar_item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100000;
COMMENT ON FUNCTION item_similarity(text, text) IS 'all item pairs of a recommender; item keys of every type, as text';

CREATE FUNCTION frequently_bought_together(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id bigint, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(bigint, bigint, text, text) IS 'the k items most often in one basket with an item; bigint item keys';

CREATE FUNCTION frequently_bought_together(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id text, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(text, bigint, text, text) IS 'the k items most often in one basket with an item; item keys of every type, as text';

CREATE FUNCTION frequently_bought_together(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id uuid, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(uuid, bigint, text, text) IS 'the k items most often in one basket with an item; uuid item keys';

CREATE FUNCTION complete_basket(
	items bigint[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id bigint, confidence double precision, lift double precision, support bigint, antecedent bigint[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(bigint[], bigint, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; bigint item keys';

CREATE FUNCTION complete_basket(
	items text[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text[], bigint, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; item keys of every type, as text';

CREATE FUNCTION complete_basket(
	items uuid[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id uuid, confidence double precision, lift double precision, support bigint, antecedent uuid[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(uuid[], bigint, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; uuid item keys';

CREATE FUNCTION complete_basket(
	items text,
	k bigint,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text, bigint, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket that is written as text, as in ''{1,2}''; item keys of every type, as text';

CREATE FUNCTION recsys.forget_user(index regclass, user_id text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_forget_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.forget_user(regclass, text) IS 'the same for a user whose key is written as text';

CREATE FUNCTION recsys.item_factors(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, factor real[])
	AS 'MODULE_PATHNAME', 'recsys_item_factors_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_factors(text, text) IS 'the factors of all items of a recommender; item keys of every type, as text';
