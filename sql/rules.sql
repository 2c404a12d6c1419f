/*
 * Association rules.  The typed variants take the filters' items as text, since a
 * polymorphic argument cannot have a default.
 */
CREATE FUNCTION association_rules(
	recommender text DEFAULT NULL,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	consequents bigint[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent bigint[], consequent bigint, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_association_rules' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION association_rules(text, double precision, double precision, integer, integer, bigint[], bigint[], bigint[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one item in the consequent, in the baskets of a recommender; bigint item keys';

CREATE FUNCTION association_rules(
	recommender text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	consequents text[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent anyarray, consequent anyelement, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_association_rules_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION association_rules(text, anyelement, double precision, double precision, integer, integer, text[], text[], text[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one item in the consequent, in the baskets of a recommender; item keys of the type of the second argument';

CREATE FUNCTION query_association_rules(
	query text,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	consequents bigint[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent bigint[], consequent bigint, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_association_rules' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_association_rules(text, double precision, double precision, integer, integer, bigint[], bigint[], bigint[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one item in the consequent, of a query that returns basket, item [, weight [, time]]; bigint item keys';

CREATE FUNCTION query_association_rules(
	query text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	consequents text[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent anyarray, consequent anyelement, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_association_rules_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_association_rules(text, anyelement, double precision, double precision, integer, integer, text[], text[], text[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one item in the consequent, of a query that returns basket, item [, weight [, time]]; item keys of the type of the second argument';

CREATE FUNCTION association_rules_to_sets(
	recommender text DEFAULT NULL,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	max_consequent integer DEFAULT 2,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	consequents bigint[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent bigint[], consequent bigint[], support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_association_rules_to_sets' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION association_rules_to_sets(text, double precision, double precision, integer, integer, integer, bigint[], bigint[], bigint[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one or more items in the consequent, in the baskets of a recommender; bigint item keys';

CREATE FUNCTION association_rules_to_sets(
	recommender text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	max_consequent integer DEFAULT 2,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	consequents text[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent anyarray, consequent anyarray, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_association_rules_to_sets_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION association_rules_to_sets(text, anyelement, double precision, double precision, integer, integer, integer, text[], text[], text[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one or more items in the consequent, in the baskets of a recommender; item keys of the type of the second argument';

CREATE FUNCTION query_association_rules_to_sets(
	query text,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	max_consequent integer DEFAULT 2,
	must_contain bigint[] DEFAULT NULL,
	must_not_contain bigint[] DEFAULT NULL,
	consequents bigint[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent bigint[], consequent bigint[], support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_association_rules_to_sets' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_association_rules_to_sets(text, double precision, double precision, integer, integer, integer, bigint[], bigint[], bigint[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one or more items in the consequent, of a query that returns basket, item [, weight [, time]]; bigint item keys';

CREATE FUNCTION query_association_rules_to_sets(
	query text,
	item_type anyelement,
	min_support double precision DEFAULT 0.01,
	min_confidence double precision DEFAULT 0.3,
	min_length integer DEFAULT 2,
	max_length integer DEFAULT 5,
	max_consequent integer DEFAULT 2,
	must_contain text[] DEFAULT NULL,
	must_not_contain text[] DEFAULT NULL,
	consequents text[] DEFAULT NULL,
	min_lift double precision DEFAULT 0,
	filter text DEFAULT NULL,
	k integer DEFAULT NULL,
	order_by text DEFAULT 'confidence',
	max_basket integer DEFAULT NULL,
	weights boolean DEFAULT false,
	adjust boolean DEFAULT false)
RETURNS TABLE (antecedent anyarray, consequent anyarray, support bigint, support_share double precision, confidence double precision, lift double precision, leverage double precision,
	conviction double precision, jaccard double precision, cosine double precision, kulczynski double precision,
	imbalance_ratio double precision, chi_square double precision, chi_square_p double precision, fisher_p double precision,
	adjusted_p double precision, antecedent_support bigint, consequent_support bigint, baskets bigint, basket_weight double precision)
	AS 'MODULE_PATHNAME', 'recsys_query_association_rules_to_sets_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION query_association_rules_to_sets(text, anyelement, double precision, double precision, integer, integer, integer, text[], text[], text[], double precision, text, integer, text, integer, boolean, boolean) IS 'association rules with one or more items in the consequent, of a query that returns basket, item [, weight [, time]]; item keys of the type of the second argument';

