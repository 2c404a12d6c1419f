/*
 * Serving: pairs from the item graph, and what the rules of a materialized view
 * say about a basket.
 */
CREATE FUNCTION frequently_bought_together(
	item_id bigint,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id bigint, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(bigint, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; bigint item keys';

CREATE FUNCTION frequently_bought_together(
	item_id text,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id text, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(text, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; text item keys';

CREATE FUNCTION frequently_bought_together(
	item_id uuid,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id uuid, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(uuid, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; uuid item keys';

CREATE FUNCTION complete_basket(
	items bigint[],
	k integer,
	rules regclass)
RETURNS TABLE (item_id bigint, confidence double precision, lift double precision, support bigint, antecedent bigint[])
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(bigint[], integer, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; bigint item keys';

CREATE FUNCTION complete_basket(
	items text[],
	k integer,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[])
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text[], integer, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; text item keys';

CREATE FUNCTION complete_basket(
	items uuid[],
	k integer,
	rules regclass)
RETURNS TABLE (item_id uuid, confidence double precision, lift double precision, support bigint, antecedent uuid[])
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(uuid[], integer, regclass) IS 'the k best items that the rules of a table or materialized view add to a basket; uuid item keys';

