/*
 * The SQL surface of recsys.
 *
 * Verbs (recommend, similar_items, ...) live in the schema that the extension is
 * installed into; everything operational lives in schema recsys.
 *
 * A function that returns item keys exists once for bigint keys and once for
 * every other key type.  Where an argument already carries the item type
 * (similar_items, recommend_for_items, explain_recommendation) those are plain
 * overloads for text and uuid.  Where none does (recommend, popular_items,
 * item_similarity, query_item_similarity) the overload takes a typed NULL, as
 * in recommend('ann'::text, 10, NULL, NULL::uuid): PostgreSQL cannot resolve a
 * polymorphic result type from a defaulted argument.
 */

-- complain if the script is sourced in psql rather than run by CREATE EXTENSION
\echo Use "CREATE EXTENSION recsys" to load this file. \quit

CREATE SCHEMA recsys;
COMMENT ON SCHEMA recsys IS 'recsys: maintenance and checks of recommender indexes';
GRANT USAGE ON SCHEMA recsys TO PUBLIC;

/*
 * Access method
 */
CREATE FUNCTION recsys.index_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'recsys_index_handler' LANGUAGE C;
COMMENT ON FUNCTION recsys.index_handler(internal) IS 'handler of the recsys index access method';

CREATE ACCESS METHOD recsys TYPE INDEX HANDLER recsys.index_handler;
COMMENT ON ACCESS METHOD recsys IS 'recommender index over (user, item [, weight [, time]])';

/*
 * Operator classes.  Integer widths share one family so that a query may
 * compare a bigint column with an integer constant and still use the index.
 */
CREATE OPERATOR FAMILY integer_ops USING recsys;

CREATE OPERATOR CLASS int2_ops DEFAULT FOR TYPE smallint USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (smallint, smallint);
CREATE OPERATOR CLASS int4_ops DEFAULT FOR TYPE integer USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (integer, integer);
CREATE OPERATOR CLASS int8_ops DEFAULT FOR TYPE bigint USING recsys FAMILY integer_ops AS
	OPERATOR 1 = (bigint, bigint);

ALTER OPERATOR FAMILY integer_ops USING recsys ADD
	OPERATOR 1 = (smallint, integer),
	OPERATOR 1 = (smallint, bigint),
	OPERATOR 1 = (integer, smallint),
	OPERATOR 1 = (integer, bigint),
	OPERATOR 1 = (bigint, smallint),
	OPERATOR 1 = (bigint, integer);

CREATE OPERATOR CLASS text_ops DEFAULT FOR TYPE text USING recsys AS
	OPERATOR 1 = (text, text);
CREATE OPERATOR CLASS uuid_ops DEFAULT FOR TYPE uuid USING recsys AS
	OPERATOR 1 = (uuid, uuid);

-- weights and times are read by the model, never searched: storage only
CREATE OPERATOR CLASS float4_ops DEFAULT FOR TYPE real USING recsys AS STORAGE real;
CREATE OPERATOR CLASS float8_ops DEFAULT FOR TYPE double precision USING recsys AS STORAGE double precision;
CREATE OPERATOR CLASS numeric_ops DEFAULT FOR TYPE numeric USING recsys AS STORAGE numeric;
CREATE OPERATOR CLASS timestamptz_ops DEFAULT FOR TYPE timestamptz USING recsys AS STORAGE timestamptz;
CREATE OPERATOR CLASS timestamp_ops DEFAULT FOR TYPE timestamp USING recsys AS STORAGE timestamp;
CREATE OPERATOR CLASS date_ops DEFAULT FOR TYPE date USING recsys AS STORAGE date;

/*
 * Planner support: a constant k is the number of rows.
 */
CREATE FUNCTION recsys.rows_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'recsys_rows_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION recsys.rows_support(internal) IS 'planner support function: row estimates of the recsys functions';

/*
 * recommend: a user's history times the item graph.  source tells a personal
 * answer ('history') from the popular items that fill up a short one ('popular').
 */
CREATE FUNCTION recommend(
	user_id anycompatible,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, integer, text, boolean, interval) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k integer,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, integer, text, anyelement, boolean, interval) IS 'the k best items for a user; item keys of the type of the fourth argument';

/*
 * recommend_for_items: the same for a cart, a session, an anonymous visitor.
 */
CREATE FUNCTION recommend_for_items(
	items bigint[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id bigint, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(bigint[], integer, text, boolean) IS 'the k best items to go with the given ones; bigint item keys';

CREATE FUNCTION recommend_for_items(
	items text[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text[], integer, text, boolean) IS 'the k best items to go with the given ones; text item keys';

CREATE FUNCTION recommend_for_items(
	items uuid[],
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id uuid, score real, source text)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(uuid[], integer, text, boolean) IS 'the k best items to go with the given ones; uuid item keys';

/*
 * similar_items: one row of the item graph.
 */
CREATE FUNCTION similar_items(
	item_id bigint,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(bigint, integer, text) IS 'the k nearest neighbors of an item; bigint item keys';

CREATE FUNCTION similar_items(
	item_id text,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(text, integer, text) IS 'the k nearest neighbors of an item; text item keys';

CREATE FUNCTION similar_items(
	item_id uuid,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(uuid, integer, text) IS 'the k nearest neighbors of an item; uuid item keys';

/*
 * popular_items: items by number of users; since or half_life make it trending.
 */
CREATE FUNCTION popular_items(
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(integer, text, timestamptz, interval) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k integer,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(integer, text, anyelement, timestamptz, interval) IS 'the k most popular items; item keys of the type of the third argument';

/*
 * explain_recommendation: which items of the user's history the score comes from.
 */
CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; text item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'the interactions behind a recommendation, their contributions sum to its score; uuid item keys';

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

/*
 * query_item_similarity: the same graph from any query returning
 * user, item [, weight [, time]].
 */
CREATE FUNCTION query_item_similarity(
	query text,
	similarity text DEFAULT 'cosine',
	neighbors integer DEFAULT 100,
	min_support integer DEFAULT 2,
	shrinkage double precision DEFAULT 0,
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
	similarity text DEFAULT 'cosine',
	neighbors integer DEFAULT 100,
	min_support integer DEFAULT 2,
	shrinkage double precision DEFAULT 0,
	alpha double precision DEFAULT NULL,
	max_history integer DEFAULT 2000,
	options text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, similar_item_id anyelement, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_query_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION query_item_similarity(text, anyelement, text, integer, integer, double precision, double precision, integer, text) IS 'all item pairs of a query; item keys of the type of the second argument';

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
COMMENT ON FUNCTION frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that occur together in enough baskets in the baskets of a recommender; bigint item keys';

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
COMMENT ON FUNCTION frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that occur together in enough baskets in the baskets of a recommender; item keys of the type of the second argument';

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
COMMENT ON FUNCTION query_frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that occur together in enough baskets of a query that returns basket, item [, weight [, time]]; bigint item keys';

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
COMMENT ON FUNCTION query_frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that occur together in enough baskets of a query that returns basket, item [, weight [, time]]; item keys of the type of the second argument';

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
COMMENT ON FUNCTION frequently_bought_together(bigint, integer, text, text) IS 'the k items most often in one basket with an item; bigint item keys';

CREATE FUNCTION frequently_bought_together(
	item_id text,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id text, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(text, integer, text, text) IS 'the k items most often in one basket with an item; text item keys';

CREATE FUNCTION frequently_bought_together(
	item_id uuid,
	k integer DEFAULT 10,
	recommender text DEFAULT NULL,
	order_by text DEFAULT 'confidence')
RETURNS TABLE (item_id uuid, support bigint, confidence double precision, lift double precision, jaccard double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'recsys_frequently_bought_together' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION frequently_bought_together(uuid, integer, text, text) IS 'the k items most often in one basket with an item; uuid item keys';

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

/*
 * Maintenance
 */
CREATE FUNCTION recsys.merge(index regclass, exact boolean DEFAULT false,
	OUT merged bigint, OUT recomputed bigint, OUT inexact bigint)
	AS 'MODULE_PATHNAME', 'recsys_merge' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.merge(regclass, boolean) IS 'brings the item graph of a recsys index up to date with its table; exact also recomputes what is only approximately right; NULLs when another merge is running';

CREATE FUNCTION recsys.forget_user(index regclass, user_id anyelement) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_forget_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.forget_user(regclass, anyelement) IS 'makes a recsys index forget a user at once: the rows stay, but count no more until a REINDEX; returns how many interactions were forgotten';

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

/*
 * Statistics
 */
CREATE FUNCTION recsys.index_statistics(
	OUT schema_name text, OUT table_name text, OUT index_name text, OUT similarity text,
	OUT users bigint, OUT items bigint, OUT interactions bigint, OUT neighbors bigint,
	OUT pending bigint, OUT inexact_items bigint, OUT capped_users bigint, OUT capped_interactions bigint,
	OUT score_users bigint, OUT built_at timestamptz, OUT last_merge_at timestamptz,
	OUT last_merge_ms double precision, OUT last_merge_entries bigint, OUT last_merge_items bigint,
	OUT format_version bigint, OUT size_bytes bigint, OUT problem text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_index_statistics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.index_statistics() IS 'rows of the view recsys.index_stats';

CREATE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON VIEW recsys.index_stats IS 'all recsys indexes of the database that you may read, one row each';
COMMENT ON COLUMN recsys.index_stats.schema_name IS 'schema of the index and its table';
COMMENT ON COLUMN recsys.index_stats.table_name IS 'table with the interactions';
COMMENT ON COLUMN recsys.index_stats.index_name IS 'name of the index, which is the recommender''s';
COMMENT ON COLUMN recsys.index_stats.similarity IS 'similarity that the item graph is computed with';
COMMENT ON COLUMN recsys.index_stats.users IS 'users with at least one interaction that counts';
COMMENT ON COLUMN recsys.index_stats.items IS 'items with at least one interaction that counts';
COMMENT ON COLUMN recsys.index_stats.interactions IS 'pairs of a user and an item that count';
COMMENT ON COLUMN recsys.index_stats.neighbors IS 'neighbors stored in the item graph';
COMMENT ON COLUMN recsys.index_stats.pending IS 'changes that the next merge will bring into the item graph';
COMMENT ON COLUMN recsys.index_stats.inexact_items IS 'items whose neighbors are approximate until they are recomputed';
COMMENT ON COLUMN recsys.index_stats.capped_users IS 'users with more than max_history items';
COMMENT ON COLUMN recsys.index_stats.capped_interactions IS 'interactions left out for that';
COMMENT ON COLUMN recsys.index_stats.score_users IS 'number of users that scores are computed with';
COMMENT ON COLUMN recsys.index_stats.built_at IS 'start of the last build';
COMMENT ON COLUMN recsys.index_stats.last_merge_at IS 'start of the last merge, NULL when there was none since the build';
COMMENT ON COLUMN recsys.index_stats.last_merge_ms IS 'its duration in milliseconds';
COMMENT ON COLUMN recsys.index_stats.last_merge_entries IS 'changes that it took in';
COMMENT ON COLUMN recsys.index_stats.last_merge_items IS 'items that it recomputed';
COMMENT ON COLUMN recsys.index_stats.format_version IS 'version of the on-disk format';
COMMENT ON COLUMN recsys.index_stats.size_bytes IS 'size of the index';
COMMENT ON COLUMN recsys.index_stats.problem IS 'why there is nothing more to say about the index, else NULL';
GRANT SELECT ON recsys.index_stats TO PUBLIC;

-- merges report as the server's work on indexes does, with phases of their own: src/am/mergeprogress.c
CREATE VIEW recsys.merge_progress AS
SELECT p.pid, n.nspname::text AS schema_name, c.relname::text AS index_name,
	   CASE p.param11 WHEN 7 THEN 'merging changes' WHEN 8 THEN 'recomputing queued items' ELSE 'recomputing all scores' END AS phase,
	   p.param12 AS changes_total, p.param13 AS changes_done, p.param15 AS items_recomputed
FROM pg_stat_get_progress_info('CREATE INDEX') p
JOIN pg_database d ON d.oid = p.datid AND d.datname = current_database()
JOIN pg_class c ON c.oid = p.param7::oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.param11 BETWEEN 7 AND 9 AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'recsys');
COMMENT ON VIEW recsys.merge_progress IS 'merges of this database that are running now; those inside of VACUUM are not shown';
COMMENT ON COLUMN recsys.merge_progress.pid IS 'process that merges';
COMMENT ON COLUMN recsys.merge_progress.schema_name IS 'schema of the index';
COMMENT ON COLUMN recsys.merge_progress.index_name IS 'name of the index';
COMMENT ON COLUMN recsys.merge_progress.phase IS 'what it does';
COMMENT ON COLUMN recsys.merge_progress.changes_total IS 'changes that were pending at its start';
COMMENT ON COLUMN recsys.merge_progress.changes_done IS 'changes merged up to now, later ones included';
COMMENT ON COLUMN recsys.merge_progress.items_recomputed IS 'items recomputed exactly up to now';
GRANT SELECT ON recsys.merge_progress TO PUBLIC;

/*
 * Looking at pages
 */
CREATE FUNCTION recsys.page_summary(index regclass,
	OUT kind text, OUT side text, OUT pages bigint, OUT tuples bigint, OUT entries bigint,
	OUT used_bytes bigint, OUT free_bytes bigint)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_page_summary' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000 ROWS 12;
COMMENT ON FUNCTION recsys.page_summary(regclass) IS 'reads a whole recsys index and tells how many pages there are of each kind, and what they hold';

CREATE FUNCTION recsys.page_info(index regclass, block bigint,
	OUT kind text, OUT side text, OUT low_hash bigint, OUT high_hash bigint, OUT next_block bigint,
	OUT tuples bigint, OUT entries bigint, OUT used_bytes bigint, OUT free_bytes bigint)
	AS 'MODULE_PATHNAME', 'recsys_page_info' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION recsys.page_info(regclass, bigint) IS 'one page of a recsys index';

CREATE FUNCTION recsys.index_sections(index regclass,
	OUT user_bytes bigint, OUT item_bytes bigint, OUT graph_bytes bigint, OUT pending_bytes bigint,
	OUT other_bytes bigint, OUT free_bytes bigint, OUT factor_bytes bigint)
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE COST 1000000
BEGIN ATOMIC
	SELECT coalesce(sum(bytes) FILTER (WHERE section = 'user'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'item'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'graph'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'pending'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'other'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'free'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'factor'), 0)::bigint
	FROM (SELECT CASE WHEN s.side IS NOT NULL THEN s.side
					  WHEN s.kind IN ('map_root', 'map_leaf', 'graph', 'popular') THEN 'graph'
					  WHEN s.kind = 'pending' THEN 'pending'
					  WHEN s.kind IN ('factor', 'gram', 'sketch') THEN 'factor'
					  WHEN s.kind IN ('free', 'zero') THEN 'free'
					  ELSE 'other' END AS section,
				 s.used_bytes + s.free_bytes AS bytes
		  FROM recsys.page_summary(index_sections.index) s) p;
END;
COMMENT ON FUNCTION recsys.index_sections(regclass) IS 'reads a whole recsys index and tells what its size is made of';

/*
 * Measuring quality: see README, "Measuring quality", for every metric's formula
 * and source.
 */
CREATE FUNCTION recsys.evaluate(
	query text,
	model text DEFAULT '',
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint)
	AS 'MODULE_PATHNAME', 'recsys_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate(text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'quality of a model that is trained on one part of a query''s interactions and asked for the others: accuracy, coverage, diversity, novelty, with bootstrap intervals';

CREATE FUNCTION recsys.evaluate_recommender(
	recommender text,
	test text,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint)
	AS 'MODULE_PATHNAME', 'recsys_evaluate_recommender' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate_recommender(text, text, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'quality of what an index recommends, measured on interactions that it does not know yet';

CREATE FUNCTION recsys.compare(
	query text,
	model_a text,
	model_b text,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	k integer[] DEFAULT '{10,20}',
	metrics text[] DEFAULT NULL,
	segments text DEFAULT NULL,
	categories text DEFAULT NULL,
	sellers text DEFAULT NULL,
	new_items text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (metric text, k integer, segment text, value_a double precision, value_b double precision,
	difference double precision, ci_low double precision, ci_high double precision,
	p_bootstrap double precision, p_wilcoxon double precision, p_t double precision, users bigint)
	AS 'MODULE_PATHNAME', 'recsys_compare' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.compare(text, text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'two models on the same held-out interactions, user by user: differences (b - a) with bootstrap intervals and the p-values of paired tests';

CREATE FUNCTION recsys.tune(
	query text,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	trials integer DEFAULT 40,
	time_limit interval DEFAULT '10 minutes',
	models text[] DEFAULT NULL,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text)
	AS 'MODULE_PATHNAME', 'recsys_tune' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'tries models and their options on held-out interactions, within a number of trials and a time; best first, each with the command that makes it an index';

CREATE FUNCTION recsys.tune(
	index regclass,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	trials integer DEFAULT 40,
	time_limit interval DEFAULT '10 minutes',
	models text[] DEFAULT NULL,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	verbose boolean DEFAULT false)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text)
	AS 'MODULE_PATHNAME', 'recsys_tune_index' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'the same for the interactions of a recsys index';

CREATE FUNCTION recsys.holdout(
	query text,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	seed bigint DEFAULT 0)
RETURNS TABLE (user_id text, item_id text)
	AS 'MODULE_PATHNAME', 'recsys_holdout' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.holdout(text, text, double precision, integer, timestamptz, boolean, bigint)
	IS 'the pairs of user and item that recsys.evaluate, compare and tune hold out with the same arguments, keys as text';
