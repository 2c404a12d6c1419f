/*
 * Serving: pairs from the item graph, and what the rules of a materialized view
 * say about a basket.
 */
CREATE FUNCTION frequently_bought_together(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id bigint, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(bigint, bigint, text, text) IS 'the k items bought together with an item most often, and more often than by chance; each value of the index''s first column is a basket; bigint item keys';

CREATE FUNCTION frequently_bought_together(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id text, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(text, bigint, text, text) IS 'the k items bought together with an item most often, and more often than by chance; each value of the index''s first column is a basket; item keys of every type, as text';

CREATE FUNCTION frequently_bought_together(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id uuid, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(uuid, bigint, text, text) IS 'the k items bought together with an item most often, and more often than by chance; each value of the index''s first column is a basket; uuid item keys';

CREATE FUNCTION complete_basket(
	items bigint[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id bigint, confidence double precision, lift double precision, support bigint, antecedent bigint[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(bigint[], bigint, regclass) IS 'the k best items to add to a basket, by the rules in a table or materialized view; bigint item keys';

CREATE FUNCTION complete_basket(
	items text[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text[], bigint, regclass) IS 'the k best items to add to a basket, by the rules in a table or materialized view; item keys of every type, as text';

CREATE FUNCTION complete_basket(
	items uuid[],
	k bigint,
	rules regclass)
RETURNS TABLE (item_id uuid, confidence double precision, lift double precision, support bigint, antecedent uuid[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(uuid[], bigint, regclass) IS 'the k best items to add to a basket, by the rules in a table or materialized view; uuid item keys';

-- what comes without a type: an array as it is written, in and out as text
CREATE FUNCTION complete_basket(
	items text,
	k bigint,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text, bigint, regclass) IS 'the k best items to add to a basket, by the rules in a table or materialized view; the basket is written as text, as in ''{1,2}''; item keys of every type, as text';

