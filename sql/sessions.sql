/*
 * What comes next in a session.
 */
CREATE FUNCTION recommend_for_session(
	items bigint[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_session' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_session(bigint[], bigint, text, boolean) IS 'the k items that come next after the given ones, the last one last; bigint item keys';

CREATE FUNCTION recommend_for_session(
	items text[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_session' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_session(text[], bigint, text, boolean) IS 'the k items that come next after the given ones, the last one last; item keys of every type, as text';

CREATE FUNCTION recommend_for_session(
	items uuid[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id uuid, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_session' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_session(uuid[], bigint, text, boolean) IS 'the k items that come next after the given ones, the last one last; uuid item keys';

-- what comes without a type: an array as it is written, in and out as text
CREATE FUNCTION recommend_for_session(
	items text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_session' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_session(text, bigint, text, boolean) IS 'the k items that come next after those of an array that is written as text, as in ''{1,2}'', the last one last; item keys of every type, as text';

/*
 * recsys.evaluate_sessions: each item of the test sessions, foretold from those before it.
 */
CREATE FUNCTION recsys.evaluate_sessions(
	recommender text,
	test text,
	k integer[] DEFAULT '{20}',
	method text DEFAULT NULL,
	repeats boolean DEFAULT true)
RETURNS TABLE (metric text, k integer, value double precision, positions bigint)
	AS 'MODULE_PATHNAME', 'recsys_evaluate_sessions' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 3;
COMMENT ON FUNCTION recsys.evaluate_sessions(text, text, integer[], text, boolean) IS 'how well an index foretells the next item of sessions that it does not know, item by item';
