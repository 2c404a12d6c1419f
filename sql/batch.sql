/*
 * recommend_all: the lists of all users at once, for newsletters and exports.
 */
CREATE FUNCTION recommend_all(
	recommender text DEFAULT NULL,
	k bigint DEFAULT 10)
RETURNS TABLE (user_id bigint, item_id bigint, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint) IS 'the k best items for each user that the recommender knows; bigint keys';

CREATE FUNCTION recommend_all(
	recommender text,
	k bigint,
	user_type anyelement,
	item_type anycompatible)
RETURNS TABLE (user_id anyelement, item_id anycompatible, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint, anyelement, anycompatible) IS 'the k best items for each user that the recommender knows; keys of the types of the last two arguments';

-- what comes without types, and NULL::text as the types
CREATE FUNCTION recommend_all(
	recommender text,
	k bigint,
	user_type text,
	item_type text)
RETURNS TABLE (user_id text, item_id text, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint, text, text) IS 'the k best items for each user that the recommender knows; keys of every type, as text';
