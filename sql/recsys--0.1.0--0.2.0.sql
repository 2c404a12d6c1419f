/*
 * From 0.1.0 to 0.2.0.  What changed of a function's result has to be dropped and
 * created again; all else is replaced.  test/t/021_versions.pl sees to it that an
 * upgraded database and a new one are the same.
 */

-- complain if the script is sourced in psql rather than run by ALTER EXTENSION
\echo Use "ALTER EXTENSION recsys UPDATE" to load this file. \quit

/* key types */
CREATE OPERATOR CLASS bpchar_ops DEFAULT FOR TYPE bpchar USING recsys AS
	OPERATOR 1 = (bpchar, bpchar);
CREATE OPERATOR CLASS name_ops DEFAULT FOR TYPE name USING recsys FAMILY text_ops AS
	OPERATOR 1 = (name, name);

ALTER OPERATOR FAMILY text_ops USING recsys ADD
	OPERATOR 1 = (name, text),
	OPERATOR 1 = (text, name);

-- an enum's key is its label, which may be renamed: no operator.  What is no key type either is
-- refused with the expression to index, which the server could not tell.
CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement USING recsys AS STORAGE anyelement;
COMMENT ON OPERATOR CLASS any_ops USING recsys IS 'enums as users and items; an index over any other type is refused, with the expression to index instead';


-- tune: models that cannot be trained are rows with the reason
DROP FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text)
	AS 'MODULE_PATHNAME', 'recsys_tune' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'tries models and their options on held-out interactions, within a number of trials and a time; best first, each with the command that makes it an index; models that cannot be trained come last, value NULL, with the reason as problem';

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text)
	AS 'MODULE_PATHNAME', 'recsys_tune_index' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'the same for the interactions of a recsys index';

-- index_stats tells options that wait for a REINDEX; the view lives on for those that are made of it
CREATE OR REPLACE VIEW recsys.index_stats AS SELECT
	NULL::text AS schema_name,
	NULL::text AS table_name,
	NULL::text AS index_name,
	NULL::text AS similarity,
	NULL::bigint AS users,
	NULL::bigint AS items,
	NULL::bigint AS interactions,
	NULL::bigint AS neighbors,
	NULL::bigint AS pending,
	NULL::bigint AS inexact_items,
	NULL::bigint AS capped_users,
	NULL::bigint AS capped_interactions,
	NULL::bigint AS score_users,
	NULL::timestamptz AS built_at,
	NULL::timestamptz AS last_merge_at,
	NULL::double precision AS last_merge_ms,
	NULL::bigint AS last_merge_entries,
	NULL::bigint AS last_merge_items,
	NULL::bigint AS format_version,
	NULL::bigint AS size_bytes,
	NULL::text AS problem;
DROP FUNCTION recsys.index_statistics();
CREATE FUNCTION recsys.index_statistics(
	OUT schema_name text, OUT table_name text, OUT index_name text, OUT similarity text,
	OUT users bigint, OUT items bigint, OUT interactions bigint, OUT neighbors bigint,
	OUT pending bigint, OUT inexact_items bigint, OUT capped_users bigint, OUT capped_interactions bigint,
	OUT score_users bigint, OUT built_at timestamptz, OUT last_merge_at timestamptz,
	OUT last_merge_ms double precision, OUT last_merge_entries bigint, OUT last_merge_items bigint,
	OUT format_version bigint, OUT size_bytes bigint, OUT problem text,
	OUT future_interactions bigint, OUT built_options text, OUT set_options text,
	OUT model text, OUT model_quality jsonb)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_index_statistics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.index_statistics() IS 'rows of the view recsys.index_stats';
CREATE OR REPLACE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON COLUMN recsys.index_stats.future_interactions IS 'interactions whose time was in the future at the last build; where interactions decay, these count as if they had just happened; NULL for a build of 0.1.0';
COMMENT ON COLUMN recsys.index_stats.built_options IS 'options that the index was built with and that are set to something else now; NULL when there are none';
COMMENT ON COLUMN recsys.index_stats.set_options IS 'what these options are set to; takes effect with the next REINDEX';
COMMENT ON COLUMN recsys.index_stats.model IS 'the model with its options, as it stands in CREATE INDEX … WITH (…)';
COMMENT ON COLUMN recsys.index_stats.model_quality IS 'where similarity = auto has chosen it: NDCG at 20 of the model, of the runner-up and of bestsellers, on held-out interactions of a sample of users; NULL where nothing was measured';

-- forget_user takes a table, too
COMMENT ON FUNCTION recsys.forget_user(regclass, anyelement) IS 'makes a recsys index, or all recsys indexes of a table, forget a user at once; rows of the user that you do not delete are ignored until the next REINDEX; returns how many interactions were forgotten';

/*
 * What answers in order tells the place: column rank.  k is bigint, which drivers send
 * for whole numbers.  What comes without a type is text, in and out.
 */
DROP FUNCTION recommend(anycompatible, integer, text, boolean, interval);
DROP FUNCTION recommend(anycompatible, integer, text, anyelement, boolean, interval);
DROP FUNCTION recommend_for_items(bigint[], integer, text, boolean);
DROP FUNCTION recommend_for_items(text[], integer, text, boolean);
DROP FUNCTION recommend_for_items(uuid[], integer, text, boolean);
DROP FUNCTION similar_items(bigint, integer, text);
DROP FUNCTION similar_items(text, integer, text);
DROP FUNCTION similar_items(uuid, integer, text);
DROP FUNCTION popular_items(integer, text, timestamptz, interval);
DROP FUNCTION popular_items(integer, text, anyelement, timestamptz, interval);
DROP FUNCTION explain_recommendation(anycompatible, bigint, text, interval);
DROP FUNCTION explain_recommendation(anycompatible, text, text, interval);
DROP FUNCTION explain_recommendation(anycompatible, uuid, text, interval);
DROP FUNCTION frequently_bought_together(bigint, integer, text, text);
DROP FUNCTION frequently_bought_together(text, integer, text, text);
DROP FUNCTION frequently_bought_together(uuid, integer, text, text);
DROP FUNCTION complete_basket(bigint[], integer, regclass);
DROP FUNCTION complete_basket(text[], integer, regclass);
DROP FUNCTION complete_basket(uuid[], integer, regclass);

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, boolean, interval) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, boolean, interval) IS 'the k best items for a user; item keys of the type of the fourth argument';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	exclude_seen_text text,
	half_life text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, text) IS 'the k best items for a user, exclude_seen written as text; item keys of every type, as text';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	exclude_seen boolean,
	half_life interval)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, boolean, interval) IS 'the k best items for a user, with all arguments; item keys of every type, as text';

CREATE FUNCTION recommend_for_items(
	items bigint[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(bigint[], bigint, text, boolean) IS 'the k best items to go with the given ones; bigint item keys';

CREATE FUNCTION recommend_for_items(
	items text[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text[], bigint, text, boolean) IS 'the k best items to go with the given ones; item keys of every type, as text';

CREATE FUNCTION recommend_for_items(
	items uuid[],
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id uuid, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(uuid[], bigint, text, boolean) IS 'the k best items to go with the given ones; uuid item keys';

CREATE FUNCTION recommend_for_items(
	items text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	exclude_given boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_for_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_for_items(text, bigint, text, boolean) IS 'the k best items to go with those of an array that is written as text, as in ''{1,2}''; item keys of every type, as text';

CREATE FUNCTION similar_items(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(bigint, bigint, text) IS 'the k nearest neighbors of an item; bigint item keys';

CREATE FUNCTION similar_items(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(text, bigint, text) IS 'the k nearest neighbors of an item; item keys of every type, as text';

CREATE FUNCTION similar_items(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION similar_items(uuid, bigint, text) IS 'the k nearest neighbors of an item; uuid item keys';

CREATE FUNCTION popular_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, timestamptz, interval) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, anyelement, timestamptz, interval) IS 'the k most popular items; item keys of the type of the third argument';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	since_text text,
	half_life text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, text) IS 'the k most popular items since a time that is written as text; item keys of every type, as text';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type text,
	since timestamptz,
	half_life interval)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, timestamptz, interval) IS 'the k most popular items, with all arguments; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'the interactions behind a recommendation, and popularity as a row without item; contributions add up to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'the interactions behind a recommendation, and popularity as a row without item; contributions add up to its score; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'the interactions behind a recommendation, and popularity as a row without item; contributions add up to its score; uuid item keys';

CREATE FUNCTION item_similarity(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, similar_item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_item_similarity_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100000;
COMMENT ON FUNCTION item_similarity(text, text) IS 'all item pairs of a recommender; item keys of every type, as text';

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

CREATE FUNCTION complete_basket(
	items text,
	k bigint,
	rules regclass)
RETURNS TABLE (item_id text, confidence double precision, lift double precision, support bigint, antecedent text[], rank integer)
	AS 'MODULE_PATHNAME', 'recsys_complete_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION complete_basket(text, bigint, regclass) IS 'the k best items to add to a basket, by the rules in a table or materialized view; the basket is written as text, as in ''{1,2}''; item keys of every type, as text';

CREATE FUNCTION recsys.forget_user(index regclass, user_id text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_forget_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.forget_user(regclass, text) IS 'the same for a user whose key is written as text';

CREATE FUNCTION recsys.item_factors(
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, factor real[])
	AS 'MODULE_PATHNAME', 'recsys_item_factors_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_factors(text, text) IS 'the factors of all items of a recommender; item keys of every type, as text';

-- comments in plainer words
COMMENT ON FUNCTION frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that are in enough of a recommender''s baskets; bigint item keys';
COMMENT ON FUNCTION frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that are in enough of a recommender''s baskets; item keys of the type of the second argument';
COMMENT ON FUNCTION query_frequent_itemsets(text, double precision, text, integer, integer, bigint[], bigint[], integer, integer, boolean) IS 'item sets that are in enough baskets of a query that returns basket, item [, weight [, time]]; bigint item keys';
COMMENT ON FUNCTION query_frequent_itemsets(text, anyelement, double precision, text, integer, integer, text[], text[], integer, integer, boolean) IS 'item sets that are in enough baskets of a query that returns basket, item [, weight [, time]]; item keys of the type of the second argument';
COMMENT ON FUNCTION recsys.merge(regclass, boolean) IS 'brings the item graph of a recsys index up to date with its table; exact also recomputes items that are only approximate; returns NULLs while another merge is running';
COMMENT ON COLUMN recsys.index_stats.index_name IS 'name of the index, which is also the name of the recommender';
COMMENT ON COLUMN recsys.index_stats.capped_interactions IS 'interactions left out because of max_history';

-- bestsellers beside every figure
DROP FUNCTION recsys.evaluate(text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.evaluate_recommender(text, text, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.compare(text, text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);
DROP FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean);

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
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision)
	AS 'MODULE_PATHNAME', 'recsys_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate(text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'quality of a model that is trained on one part of a query''s interactions and asked for the others: accuracy, coverage, diversity, novelty, with bootstrap intervals, beside the same of a list of bestsellers';

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
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision)
	AS 'MODULE_PATHNAME', 'recsys_evaluate_recommender' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate_recommender(text, text, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'quality of what an index recommends, measured on interactions that it does not know yet, beside the same of a list of bestsellers';

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
	p_bootstrap double precision, p_wilcoxon double precision, p_t double precision, users bigint,
	popular_value double precision, p_popular_a double precision, p_popular_b double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.compare(text, text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean)
	IS 'two models on the same held-out interactions, user by user: differences (b - a) with bootstrap intervals and the p-values of paired tests, beside a list of bestsellers';

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text,
	p_popular double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(text, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'tries models and their options on held-out interactions, within a number of trials and a time; those measured in full, best first, each with the command that makes it an index, bestsellers among them; models that cannot be trained come last, value NULL, with the reason as problem';

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
	training_ms double precision, evaluation_ms double precision, users bigint, model text, command text, problem text,
	p_popular double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune_index' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 40;
COMMENT ON FUNCTION recsys.tune(regclass, text, integer, integer, interval, text[], text, double precision, integer, timestamptz, boolean, double precision, integer, bigint, boolean)
	IS 'the same for the interactions of a recsys index';

-- queries have a model chosen for them, too; what is NULL is left to it
CREATE OR REPLACE FUNCTION query_item_similarity(
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

CREATE OR REPLACE FUNCTION query_item_similarity(
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
