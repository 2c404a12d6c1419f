/*
 * Maintenance
 */
CREATE FUNCTION recsys.merge(index regclass, exact boolean DEFAULT false,
	OUT merged bigint, OUT recomputed bigint, OUT inexact bigint)
	AS 'MODULE_PATHNAME', 'recsys_merge' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.merge(regclass, boolean) IS 'brings the item graph of a recsys index up to date with its table; exact also recomputes items that are only approximate; returns NULLs while another merge is running';

CREATE FUNCTION recsys.forget_user(index regclass, user_id anyelement) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_forget_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.forget_user(regclass, anyelement) IS 'makes a recsys index, or all recsys indexes of a table, forget a user at once; rows of the user that you do not delete are ignored until the next REINDEX; returns how many interactions were forgotten';

-- a user that comes without a type is read as a key of the index
CREATE FUNCTION recsys.forget_user(index regclass, user_id text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_forget_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.forget_user(regclass, text) IS 'the same for a user whose key is written as text';

CREATE FUNCTION recsys.check_index(index regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_check_index' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.check_index(regclass) IS 'verifies every on-disk invariant of a recsys index against its table; an error says what is wrong';

CREATE FUNCTION recsys.index_info(index regclass,
	OUT format_version integer, OUT similarity text, OUT users bigint, OUT items bigint,
	OUT interactions bigint, OUT pairs bigint, OUT capped_users bigint, OUT capped_interactions bigint,
	OUT built_at timestamptz)
	AS 'MODULE_PATHNAME', 'recsys_index_info' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION recsys.index_info(regclass) IS 'what a recsys index is made of';

/*
 * Factors
 */
CREATE FUNCTION recsys.item_factors(
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, factor real[])
	AS 'MODULE_PATHNAME', 'recsys_item_factors' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_factors(text) IS 'the factors of all items of a recommender that has learned any; bigint item keys';

CREATE FUNCTION recsys.item_factors(
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, factor real[])
	AS 'MODULE_PATHNAME', 'recsys_item_factors_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_factors(text, anyelement) IS 'the factors of all items of a recommender; item keys of the type of the second argument';

-- the same where the second argument comes without a type, and for NULL::text
CREATE FUNCTION recsys.item_factors(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, factor real[])
	AS 'MODULE_PATHNAME', 'recsys_item_factors_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_factors(text, text) IS 'the factors of all items of a recommender; item keys of every type, as text';

