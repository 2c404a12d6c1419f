/*
 * What events of one kind say about those of another: who viewed this, bought that.
 */
CREATE FUNCTION cross_similarity(
	events text,
	predicts text,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_cross_similarity' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION cross_similarity(text, text, text, integer, integer, double precision, text) IS 'item pairs from events of one recommender to those of another; bigint item keys';

CREATE FUNCTION cross_similarity(
	events text,
	predicts text,
	item_type anyelement,
	similar_item_type anycompatible,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, similar_item_id anycompatible, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_cross_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION cross_similarity(text, text, anyelement, anycompatible, text, integer, integer, double precision, text) IS 'item pairs from events of one recommender to those of another; item keys of the types of the third and fourth argument';

-- the same where these arguments come without a type
CREATE FUNCTION cross_similarity(
	events text,
	predicts text,
	item_type text,
	similar_item_type text,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id text, similar_item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_cross_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION cross_similarity(text, text, text, text, text, integer, integer, double precision, text) IS 'item pairs from events of one recommender to those of another; item keys of every type, as text';

CREATE FUNCTION query_cross_similarity(
	events text,
	predicts text,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id bigint, similar_item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_cross_similarity' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_cross_similarity(text, text, text, integer, integer, double precision, text) IS 'item pairs from events of one query to those of another, both of which return user, item [, weight [, time]]; bigint item keys';

CREATE FUNCTION query_cross_similarity(
	events text,
	predicts text,
	item_type anyelement,
	similar_item_type anycompatible,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, similar_item_id anycompatible, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_cross_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_cross_similarity(text, text, anyelement, anycompatible, text, integer, integer, double precision, text) IS 'item pairs from events of one query to those of another, both of which return user, item [, weight [, time]]; item keys of the types of the third and fourth argument';

-- the same where these arguments come without a type
CREATE FUNCTION query_cross_similarity(
	events text,
	predicts text,
	item_type text,
	similar_item_type text,
	similarity text DEFAULT NULL,
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	min_likelihood double precision DEFAULT NULL,
	options text DEFAULT NULL)
RETURNS TABLE (item_id text, similar_item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_cross_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_cross_similarity(text, text, text, text, text, integer, integer, double precision, text) IS 'item pairs from events of one query to those of another, both of which return user, item [, weight [, time]]; item keys of every type, as text';
