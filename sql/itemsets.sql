/*
 * Frequent item sets, which rules are made of.
 */
CREATE FUNCTION frequent_itemsets(
	recommender text DEFAULT NULL,
	min_support double precision DEFAULT 0.01,
	kind text DEFAULT 'all',
	min_length integer DEFAULT 1,
	max_length integer DEFAULT NULL,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	k integer DEFAULT NULL,
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false)
RETURNS TABLE (items bigint[], support bigint, support_share double precision, length integer, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequent_itemsets' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that are in enough of a recommender''s baskets; bigint item keys';

CREATE FUNCTION frequent_itemsets(
	recommender text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	kind text DEFAULT 'all',
	min_length integer DEFAULT 1,
	max_length integer DEFAULT NULL,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	k integer DEFAULT NULL,
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false)
RETURNS TABLE (items anyarray, support bigint, support_share double precision, length integer, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequent_itemsets_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that are in enough of a recommender''s baskets; item keys of the type of the second argument';

CREATE FUNCTION query_frequent_itemsets(
	query text,
	min_support double precision DEFAULT 0.01,
	kind text DEFAULT 'all',
	min_length integer DEFAULT 1,
	max_length integer DEFAULT NULL,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	k integer DEFAULT NULL,
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false)
RETURNS TABLE (items bigint[], support bigint, support_share double precision, length integer, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_frequent_itemsets' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that are in enough baskets of a query that returns basket, item [, weight [, time]]; bigint item keys';

CREATE FUNCTION query_frequent_itemsets(
	query text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	kind text DEFAULT 'all',
	min_length integer DEFAULT 1,
	max_length integer DEFAULT NULL,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	k integer DEFAULT NULL,
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false)
RETURNS TABLE (items anyarray, support bigint, support_share double precision, length integer, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_frequent_itemsets_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that are in enough baskets of a query that returns basket, item [, weight [, time]]; item keys of the type of the second argument';

