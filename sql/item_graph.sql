/*
 * item_similarity: the whole item graph of an index.
 */
CREATE FUNCTION item_similarity(
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_item_similarity' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100000;
COMMENT ON FUNCTION item_similarity(text) IS 'all item pairs of a recommender; bigint item keys';

CREATE FUNCTION item_similarity(
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, similar_item_id anyelement, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100000;
COMMENT ON FUNCTION item_similarity(text, anyelement) IS 'all item pairs of a recommender; item keys of the type of the second argument';

-- the same where the second argument comes without a type, and for NULL::text
CREATE FUNCTION item_similarity(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, similar_item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100000;
COMMENT ON FUNCTION item_similarity(text, text) IS 'all item pairs of a recommender; item keys of every type, as text';

/*
 * query_item_similarity: the same graph from any query returning
 * user, item [, weight [, time]].
 */
CREATE FUNCTION query_item_similarity(
	query text,
	similarity text DEFAULT 'auto',
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	shrinkage double precision DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	max_history integer DEFAULT 2000,
	options text DEFAULT NULL)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_item_similarity' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_item_similarity(text, text, integer, integer, double precision, double precision, integer, text) IS 'all item pairs of a query that returns user, item [, weight [, time]]; bigint item keys';

CREATE FUNCTION query_item_similarity(
	query text,
	item_type anyelement,
	similarity text DEFAULT 'auto',
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	shrinkage double precision DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	max_history integer DEFAULT 2000,
	options text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, similar_item_id anyelement, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_item_similarity(text, anyelement, text, integer, integer, double precision, double precision, integer, text) IS 'all item pairs of a query; item keys of the type of the second argument';

