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
	OUT model text, OUT model_quality jsonb, OUT index_kind text, OUT contents bigint,
	OUT changes bigint, OUT staleness double precision, OUT drifts boolean)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_index_statistics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.index_statistics() IS 'rows of the view recsys.index_stats';
CREATE OR REPLACE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON COLUMN recsys.index_stats.future_interactions IS 'interactions whose time was in the future at the last build; where interactions decay, these count as if they had just happened; NULL for a build of 0.1.0';
COMMENT ON COLUMN recsys.index_stats.built_options IS 'options that the index was built with and that are set to something else now; NULL when there are none';
COMMENT ON COLUMN recsys.index_stats.set_options IS 'what these options are set to; takes effect with the next REINDEX';
COMMENT ON COLUMN recsys.index_stats.model IS 'the model with its options, as it stands in CREATE INDEX ... WITH (...); of an index over items the attributes with their weights';
COMMENT ON COLUMN recsys.index_stats.model_quality IS 'where similarity = auto has chosen it: NDCG at 20 of the model, of the runner-up and of bestsellers, on held-out interactions of a sample of users; NULL where nothing was measured';
COMMENT ON COLUMN recsys.index_stats.index_kind IS 'interactions, of the access method recsys; or items, of recsys_items';
COMMENT ON COLUMN recsys.index_stats.contents IS 'of an index over items: rows of the table with their contents, those of dead rows until VACUUM; NULL for interactions';
COMMENT ON COLUMN recsys.index_stats.changes IS 'changes since the last build, those that are pending included: each row that has come or gone; an updated row is both, once VACUUM has removed what it was';
COMMENT ON COLUMN recsys.index_stats.staleness IS 'share of these changes in them and the rows of the build together, between 0 and 1: with new rows alone, how many of all rows are new';
COMMENT ON COLUMN recsys.index_stats.drifts IS 'whether staleness is a reason for a REINDEX: scores that are learned, or that decay, are computed by builds alone, and similarity = auto chooses with a build; else merges keep all of it up to date';

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
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, boolean, interval, jsonb) IS 'the k best items for a user; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, boolean, interval, jsonb) IS 'the k best items for a user; item keys of the type of the fourth argument';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	exclude_seen_text text,
	half_life text DEFAULT NULL,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, text, text) IS 'the k best items for a user, exclude_seen written as text; item keys of every type, as text';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	exclude_seen boolean,
	half_life interval,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, boolean, interval, jsonb) IS 'the k best items for a user, with all arguments; item keys of every type, as text';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, jsonb) IS 'the k best items for a user, each with its reason; bigint item keys';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, anyelement, jsonb) IS 'the k best items for a user, each with its reason; item keys of the type of the fourth argument';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	context_text text)
RETURNS TABLE (item_id text, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, text) IS 'the k best items for a user, each with its reason, context written as text; item keys of every type, as text';

CREATE FUNCTION recommend_with_reasons(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	context jsonb)
RETURNS TABLE (item_id text, score real, source text, rank integer, reason text, details jsonb)
	AS 'MODULE_PATHNAME', 'recsys_recommend_with_reasons_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend_with_reasons(anycompatible, bigint, text, text, jsonb) IS 'the k best items for a user, each with its reason, with all arguments; item keys of every type, as text';

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

CREATE FUNCTION goes_with(
	item_id bigint,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(bigint, bigint, text) IS 'the k items that go best with an item; bigint item keys';

CREATE FUNCTION goes_with(
	item_id text,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(text, bigint, text) IS 'the k items that go best with an item; item keys of every type, as text';

CREATE FUNCTION goes_with(
	item_id uuid,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id uuid, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_goes_with' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION goes_with(uuid, bigint, text) IS 'the k items that go best with an item; uuid item keys';

CREATE FUNCTION popular_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, timestamptz, interval, text) IS 'the k most popular items; bigint item keys';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type anyelement,
	since timestamptz DEFAULT NULL,
	half_life interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, anyelement, timestamptz, interval, text) IS 'the k most popular items; item keys of the type of the third argument';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	since_text text,
	half_life text DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, text, text) IS 'the k most popular items since a time that is written as text; item keys of every type, as text';

CREATE FUNCTION popular_items(
	k bigint,
	recommender text,
	item_type text,
	since timestamptz,
	half_life interval,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION popular_items(bigint, text, text, timestamptz, interval, text) IS 'the k most popular items, with all arguments; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id bigint,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id bigint, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, bigint, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; bigint item keys';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id text,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id text, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, text, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; item keys of every type, as text';

CREATE FUNCTION explain_recommendation(
	user_id anycompatible,
	item_id uuid,
	recommender text DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because_item_id uuid, contribution double precision, weight double precision, similarity real, support bigint, rank integer, part text, signal text, reason text)
	AS 'MODULE_PATHNAME', 'recsys_explain_recommendation' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION explain_recommendation(anycompatible, uuid, text, interval) IS 'what is behind a recommendation, part by part: interactions with items, and rows without item for all else; contributions add up to its score; uuid item keys';

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
DROP FUNCTION recsys.holdout(text, text, double precision, integer, timestamptz, boolean, bigint);

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
	verbose boolean DEFAULT false,
	task text DEFAULT NULL)
RETURNS TABLE (metric text, k integer, segment text, value double precision, ci_low double precision, ci_high double precision, users bigint,
	popular_value double precision, p_popular double precision)
	AS 'MODULE_PATHNAME', 'recsys_evaluate' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.evaluate(text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean, text)
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
	verbose boolean DEFAULT false,
	task text DEFAULT NULL)
RETURNS TABLE (metric text, k integer, segment text, value_a double precision, value_b double precision,
	difference double precision, ci_low double precision, ci_high double precision,
	p_bootstrap double precision, p_wilcoxon double precision, p_t double precision, users bigint,
	popular_value double precision, p_popular_a double precision, p_popular_b double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION recsys.compare(text, text, text, text, double precision, integer, timestamptz, integer[], text[], text, text, text, text, boolean, double precision, integer, bigint, boolean, text)
	IS 'two models on the same held-out interactions, user by user: differences (b - a) with bootstrap intervals and the p-values of paired tests, beside a list of bestsellers';

CREATE FUNCTION recsys.holdout(
	query text,
	test text DEFAULT NULL,
	holdout_share double precision DEFAULT NULL,
	holdout_last integer DEFAULT NULL,
	holdout_since timestamptz DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	seed bigint DEFAULT 0,
	task text DEFAULT NULL)
RETURNS TABLE (user_id text, item_id text)
	AS 'MODULE_PATHNAME', 'recsys_holdout' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.holdout(text, text, double precision, integer, timestamptz, boolean, bigint, text)
	IS 'the pairs of user and item that recsys.evaluate, compare and tune hold out with the same arguments, keys as text';

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

/*
 * Declared recommenders
 *
 * A row of recsys.recommender is what a shop has declared once, by names, so that a dump brings
 * it along.  It is written by the functions below alone; recsys.recommenders shows it.
 */
CREATE TABLE recsys.recommender (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.recommender IS 'declared recommenders, as recsys.create_recommender has made them; recsys.recommenders shows them';
COMMENT ON COLUMN recsys.recommender.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.recommender.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.recommender.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.recommender.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.recommender.changed_at IS 'when it was changed last';
GRANT SELECT ON recsys.recommender TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('recsys.recommender', '');

-- bestsellers of parts of a shop, as of the last refresh: a dump has no need of them
CREATE TABLE recsys.popularity (
	recommender text COLLATE "C" NOT NULL REFERENCES recsys.recommender ON DELETE CASCADE,
	kind text COLLATE "C" NOT NULL,
	value text COLLATE "C" NOT NULL,
	items text[] NOT NULL,
	users bigint[] NOT NULL,
	refreshed_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (recommender, kind, value));
COMMENT ON TABLE recsys.popularity IS 'what is popular in each segment, category, price level and with each seller, as of the last recsys.refresh_recommender';
COMMENT ON COLUMN recsys.popularity.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.popularity.kind IS 'what the list is of: segment1 for the smallest segments, segment2, ..., persona, category, seller, price, or all; shop: figures of the shop itself';
COMMENT ON COLUMN recsys.popularity.value IS 'which segment, persona, category, seller or price level, 0 to 4';
COMMENT ON COLUMN recsys.popularity.items IS 'item keys, the most popular one first';
COMMENT ON COLUMN recsys.popularity.users IS 'how many users have each of them';
COMMENT ON COLUMN recsys.popularity.refreshed_at IS 'when the list was made';

CREATE FUNCTION recsys.create_recommender(
	name text,
	signals jsonb,
	items text DEFAULT NULL,
	item_key text DEFAULT NULL,
	item_filter text DEFAULT NULL,
	title text DEFAULT NULL,
	category text DEFAULT NULL,
	price text DEFAULT NULL,
	group_by text DEFAULT NULL,
	offer_order text DEFAULT NULL,
	repeatable text DEFAULT NULL,
	seller text DEFAULT NULL,
	sellers text DEFAULT NULL,
	seller_key text DEFAULT NULL,
	seller_quality jsonb DEFAULT NULL,
	max_per_seller integer DEFAULT NULL,
	profiles text DEFAULT NULL,
	profile_key text DEFAULT NULL,
	segment text DEFAULT NULL,
	larger_segments text[] DEFAULT NULL,
	exclude_users text DEFAULT NULL,
	consent text DEFAULT NULL,
	min_users integer DEFAULT NULL,
	caps jsonb DEFAULT NULL,
	diversity double precision DEFAULT NULL,
	category_mix double precision DEFAULT NULL,
	price_affinity double precision DEFAULT NULL,
	new_item_share double precision DEFAULT NULL,
	new_item_since text DEFAULT NULL,
	new_seller_share double precision DEFAULT NULL,
	new_seller_since text DEFAULT NULL,
	promotions jsonb DEFAULT NULL,
	complements text DEFAULT NULL,
	reason_formats jsonb DEFAULT NULL,
	seed bigint DEFAULT NULL,
	content text DEFAULT NULL,
	price_history jsonb DEFAULT NULL,
	fatigue double precision DEFAULT NULL,
	fatigue_window text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb, double precision, text)
	IS 'declares a recommender over the tables of a shop; its name is then one for recommend and the others';

CREATE FUNCTION recsys.drop_recommender(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_recommender(text, boolean) IS 'removes a declared recommender; indexes and tables stay';

CREATE FUNCTION recsys.alter_recommender(
	name text,
	signals jsonb DEFAULT NULL,
	items text DEFAULT NULL,
	item_key text DEFAULT NULL,
	item_filter text DEFAULT NULL,
	title text DEFAULT NULL,
	category text DEFAULT NULL,
	price text DEFAULT NULL,
	group_by text DEFAULT NULL,
	offer_order text DEFAULT NULL,
	repeatable text DEFAULT NULL,
	seller text DEFAULT NULL,
	sellers text DEFAULT NULL,
	seller_key text DEFAULT NULL,
	seller_quality jsonb DEFAULT NULL,
	max_per_seller integer DEFAULT NULL,
	profiles text DEFAULT NULL,
	profile_key text DEFAULT NULL,
	segment text DEFAULT NULL,
	larger_segments text[] DEFAULT NULL,
	exclude_users text DEFAULT NULL,
	consent text DEFAULT NULL,
	min_users integer DEFAULT NULL,
	caps jsonb DEFAULT NULL,
	diversity double precision DEFAULT NULL,
	category_mix double precision DEFAULT NULL,
	price_affinity double precision DEFAULT NULL,
	new_item_share double precision DEFAULT NULL,
	new_item_since text DEFAULT NULL,
	new_seller_share double precision DEFAULT NULL,
	new_seller_since text DEFAULT NULL,
	promotions jsonb DEFAULT NULL,
	complements text DEFAULT NULL,
	reason_formats jsonb DEFAULT NULL,
	seed bigint DEFAULT NULL,
	content text DEFAULT NULL,
	price_history jsonb DEFAULT NULL,
	fatigue double precision DEFAULT NULL,
	fatigue_window text DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_name text DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb, double precision, text, text[], text, text)
	IS 'changes a declared recommender; what is NULL stays as it is, reset names the parameters to do without';

CREATE FUNCTION recsys.recommender_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_recommender_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.recommender_problem(text) IS 'why you cannot use a declared recommender as it is, or NULL: what is gone, has another type, or may not be read by you; nothing that is declared is run';

CREATE VIEW recsys.recommenders AS
SELECT r.name, r.owner,
	   r.definition -> 'signals' AS signals,
	   r.definition ->> 'items' AS items,
	   r.definition ->> 'item_key' AS item_key,
	   r.definition ->> 'item_filter' AS item_filter,
	   r.definition ->> 'title' AS title,
	   r.definition ->> 'category' AS category,
	   r.definition ->> 'price' AS price,
	   r.definition ->> 'group_by' AS group_by,
	   r.definition ->> 'offer_order' AS offer_order,
	   r.definition ->> 'repeatable' AS repeatable,
	   r.definition ->> 'seller' AS seller,
	   r.definition ->> 'sellers' AS sellers,
	   r.definition ->> 'seller_key' AS seller_key,
	   r.definition -> 'seller_quality' AS seller_quality,
	   (r.definition ->> 'max_per_seller')::integer AS max_per_seller,
	   r.definition ->> 'profiles' AS profiles,
	   r.definition ->> 'profile_key' AS profile_key,
	   r.definition ->> 'segment' AS segment,
	   CASE WHEN r.definition ? 'larger_segments'
			THEN ARRAY(SELECT jsonb_array_elements_text(r.definition -> 'larger_segments')) END AS larger_segments,
	   r.definition ->> 'exclude_users' AS exclude_users,
	   r.definition ->> 'consent' AS consent,
	   (r.definition ->> 'min_users')::integer AS min_users,
	   r.definition -> 'caps' AS caps,
	   (r.definition ->> 'diversity')::double precision AS diversity,
	   (r.definition ->> 'category_mix')::double precision AS category_mix,
	   (r.definition ->> 'price_affinity')::double precision AS price_affinity,
	   (r.definition ->> 'new_item_share')::double precision AS new_item_share,
	   r.definition ->> 'new_item_since' AS new_item_since,
	   (r.definition ->> 'new_seller_share')::double precision AS new_seller_share,
	   r.definition ->> 'new_seller_since' AS new_seller_since,
	   r.definition -> 'promotions' AS promotions,
	   r.definition ->> 'complements' AS complements,
	   r.definition -> 'reason_formats' AS reason_formats,
	   (r.definition ->> 'seed')::bigint AS seed,
	   r.created_at, r.changed_at,
	   (SELECT max(p.refreshed_at) FROM recsys.popularity p WHERE p.recommender = r.name) AS refreshed_at,
	   recsys.recommender_problem(r.name) AS problem,
	   r.definition ->> 'content' AS content,
	   r.definition -> 'price_history' AS price_history,
	   (r.definition ->> 'fatigue')::double precision AS fatigue,
	   r.definition ->> 'fatigue_window' AS fatigue_window
FROM recsys.recommender r;
COMMENT ON VIEW recsys.recommenders IS 'declared recommenders, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.recommenders.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.recommenders.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.recommenders.signals IS 'what users do, the most telling first';
COMMENT ON COLUMN recsys.recommenders.items IS 'table or view with one row for each item';
COMMENT ON COLUMN recsys.recommenders.item_key IS 'its column that the signals have as item';
COMMENT ON COLUMN recsys.recommenders.item_filter IS 'which items may be shown';
COMMENT ON COLUMN recsys.recommenders.title IS 'what reasons call an item';
COMMENT ON COLUMN recsys.recommenders.category IS 'category of an item';
COMMENT ON COLUMN recsys.recommenders.price IS 'price of an item';
COMMENT ON COLUMN recsys.recommenders.group_by IS 'items that have this in common count as one';
COMMENT ON COLUMN recsys.recommenders.offer_order IS 'of a group, the item with the least of this is shown';
COMMENT ON COLUMN recsys.recommenders.repeatable IS 'which items may be recommended to those who have them';
COMMENT ON COLUMN recsys.recommenders.seller IS 'seller of an item';
COMMENT ON COLUMN recsys.recommenders.sellers IS 'table or view with one row for each seller';
COMMENT ON COLUMN recsys.recommenders.seller_key IS 'its column that seller is looked up in';
COMMENT ON COLUMN recsys.recommenders.seller_quality IS 'sum and number of a seller''s ratings';
COMMENT ON COLUMN recsys.recommenders.max_per_seller IS 'so many items of one seller are in a list at most';
COMMENT ON COLUMN recsys.recommenders.profiles IS 'table or view with one row for each user';
COMMENT ON COLUMN recsys.recommenders.profile_key IS 'its column that the signals have as user';
COMMENT ON COLUMN recsys.recommenders.segment IS 'segment of a user';
COMMENT ON COLUMN recsys.recommenders.larger_segments IS 'where that says nothing: larger and larger ones';
COMMENT ON COLUMN recsys.recommenders.exclude_users IS 'which users neither count nor get personal lists';
COMMENT ON COLUMN recsys.recommenders.consent IS 'which users may be written to';
COMMENT ON COLUMN recsys.recommenders.min_users IS 'what fewer users of a segment have is not said of it';
COMMENT ON COLUMN recsys.recommenders.caps IS 'how many items with one value of an expression are in a list at most';
COMMENT ON COLUMN recsys.recommenders.diversity IS 'how far items of a list are to be unlike each other, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.category_mix IS 'how far a list is to have the categories of the history, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.price_affinity IS 'how far the price level of the history counts, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.new_item_share IS 'share of a list that is kept for new items';
COMMENT ON COLUMN recsys.recommenders.new_item_since IS 'which items are new';
COMMENT ON COLUMN recsys.recommenders.new_seller_share IS 'share of a list that is kept for new sellers';
COMMENT ON COLUMN recsys.recommenders.new_seller_since IS 'which sellers are new';
COMMENT ON COLUMN recsys.recommenders.promotions IS 'table of promotions: item, boost, when it holds, and how much it may do';
COMMENT ON COLUMN recsys.recommenders.complements IS 'index that goes_with reads';
COMMENT ON COLUMN recsys.recommenders.reason_formats IS 'texts of reasons';
COMMENT ON COLUMN recsys.recommenders.seed IS 'of what is drawn at random';
COMMENT ON COLUMN recsys.recommenders.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.recommenders.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.recommenders.refreshed_at IS 'when its lists were made by recsys.refresh_recommender, NULL: never';
COMMENT ON COLUMN recsys.recommenders.problem IS 'why you cannot use it as it is, else NULL';
COMMENT ON COLUMN recsys.recommenders.content IS 'index over the items by which they are recommended for what they are';
COMMENT ON COLUMN recsys.recommenders.price_history IS 'what items cost since when, for on_sale_for';
COMMENT ON COLUMN recsys.recommenders.fatigue IS 'what part of its score an item loses each time it is shown in vain, from 0 to 1';
COMMENT ON COLUMN recsys.recommenders.fatigue_window IS 'how far back the log is read for that';
GRANT SELECT ON recsys.recommenders TO PUBLIC;

-- who restores a dump without being a superuser brings definitions back, too; but they are his then
CREATE FUNCTION recsys.recommender_owner()
RETURNS trigger
	AS 'MODULE_PATHNAME', 'recsys_recommender_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION recsys.recommender_owner() IS 'trigger of recsys.recommender: nobody gives a definition to a role that he has not the rights of';
CREATE TRIGGER recommender_owner BEFORE INSERT OR UPDATE ON recsys.recommender
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT INSERT ON recsys.recommender TO @extowner@;

CREATE FUNCTION recsys.create_functions(recommender text, schema text)
RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'recsys_create_functions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 7;
COMMENT ON FUNCTION recsys.create_functions(text, text) IS 'makes functions for a recommender with the exact types of its users and items, for drivers and gateways; returns their names, replaces only its own';

/*
 * Segments, life cycles, audiences, exposure
 */
-- what excluded users have put into item graphs; a dump has no need of it
CREATE TABLE recsys.excluded_pairs (
	recommender text COLLATE "C" NOT NULL REFERENCES recsys.recommender ON DELETE CASCADE,
	graph text COLLATE "C" NOT NULL,
	item text COLLATE "C" NOT NULL,
	item_share real NOT NULL,
	similar_items text[] NOT NULL,
	shares real[] NOT NULL,
	PRIMARY KEY (recommender, graph, item));
COMMENT ON TABLE recsys.excluded_pairs IS 'what users whom exclude_users holds for have put into the item graphs of a declared recommender, as of the last recsys.refresh_recommender';
COMMENT ON COLUMN recsys.excluded_pairs.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.excluded_pairs.graph IS 'recsys index with the item graph';
COMMENT ON COLUMN recsys.excluded_pairs.item IS 'item whose neighbors they have changed';
COMMENT ON COLUMN recsys.excluded_pairs.item_share IS 'share of its users that are not excluded';
COMMENT ON COLUMN recsys.excluded_pairs.similar_items IS 'those of its neighbors whose similarity would be another without them';
COMMENT ON COLUMN recsys.excluded_pairs.shares IS 'what each of these similarities is multiplied by';

CREATE FUNCTION recsys.refresh_recommender(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_refresh_recommender' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.refresh_recommender(text) IS 'brings the lists of a declared recommender up to date: what is popular in its segments, categories, price levels and with its sellers, without users that are excluded; returns how many lists there are';

CREATE FUNCTION recsys.persona(
	first_at timestamptz,
	latest_at timestamptz,
	acts bigint,
	typical_gap interval DEFAULT NULL,
	as_of timestamptz DEFAULT now())
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_persona' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.persona(timestamptz, timestamptz, bigint, interval, timestamptz) IS 'where a customer stands in the life cycle, by the first and the latest day of so many days with a purchase: new, active, at risk or lost';

CREATE FUNCTION recsys.customer_segments(
	recommender text DEFAULT NULL)
RETURNS TABLE (user_id text, segment text, persona text, recency_days integer, frequency bigint,
	monetary double precision, r integer, f integer, m integer, first_at timestamptz, latest_at timestamptz,
	excluded boolean)
	AS 'MODULE_PATHNAME', 'recsys_customer_segments' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.customer_segments(text) IS 'the customers of a declared recommender by segment, life cycle, recency, frequency and money, with fifths for the last three, 5 the best';

CREATE FUNCTION recsys.seller_exposure(
	recommender text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	users integer DEFAULT 1000,
	k integer DEFAULT 10)
RETURNS TABLE (seller_id text, shown bigint, shown_share double precision, listed bigint,
	listed_share double precision, sold bigint, sold_share double precision, gini double precision)
	AS 'MODULE_PATHNAME', 'recsys_seller_exposure' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100;
COMMENT ON FUNCTION recsys.seller_exposure(text, timestamptz, integer, integer) IS 'how often each seller stands on the lists that a sample of users would get now, against what it lists and what it has sold since then; gini is that of the places over all sellers';

CREATE FUNCTION recsys.audience(
	recommender text,
	item_id text DEFAULT NULL,
	k bigint DEFAULT 1000,
	segment text DEFAULT NULL,
	seller text DEFAULT NULL,
	category text DEFAULT NULL)
RETURNS TABLE (user_id text, score real, because_item_id text, reason text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_audience' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000;
COMMENT ON FUNCTION recsys.audience(text, text, bigint, text, text, text) IS 'the k users who most likely want an item, the newest of a seller or those of a category, and do not have it yet';

-- variants
CREATE FUNCTION recsys.title_groups(query text)
RETURNS TABLE (item_id text, group_id text, label text)
	AS 'MODULE_PATHNAME', 'recsys_title_groups' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION recsys.title_groups(text) IS 'which items of a query that returns item, title are variants of one product, by their titles: each with the smallest item of its group, and what the titles share';

/*
 * images.sql
 */
CREATE FUNCTION recsys.image_descriptor(image bytea)
RETURNS real[]
	AS 'MODULE_PATHNAME', 'recsys_image_descriptor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500000;
COMMENT ON FUNCTION recsys.image_descriptor(bytea) IS 'what a JPEG, PNG or WebP image looks like, as a unit vector of shape and color: the inner product of two is how alike they look';

CREATE FUNCTION recsys.try_image_descriptor(image bytea)
RETURNS real[]
	AS 'MODULE_PATHNAME', 'recsys_try_image_descriptor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 500000;
COMMENT ON FUNCTION recsys.try_image_descriptor(bytea) IS 'the same, and NULL for an image that is damaged, too large or of another format';

/*
 * items.sql
 */
CREATE FUNCTION recsys.items_index_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'recsys_items_handler' LANGUAGE C;
COMMENT ON FUNCTION recsys.items_index_handler(internal) IS 'handler of the recsys_items index access method';

CREATE ACCESS METHOD recsys_items TYPE INDEX HANDLER recsys.items_index_handler;
COMMENT ON ACCESS METHOD recsys_items IS 'content index over (item, attribute [, ...])';

/*
 * Parameters of operator classes.
 */
CREATE FUNCTION recsys.weight_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_weight_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.weight_parameters(internal) IS 'parameters of operator classes for labels, arrays of labels and vectors';
CREATE FUNCTION recsys.text_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_text_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.text_parameters(internal) IS 'parameters of operator classes for texts';
CREATE FUNCTION recsys.number_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_number_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.number_parameters(internal) IS 'parameters of operator classes for numbers';
CREATE FUNCTION recsys.time_parameters(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_time_parameters' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.time_parameters(internal) IS 'parameters of operator classes for times';

/*
 * Operator classes.  The family says how values compare, and is known to the library by
 * name.  There are no operators: such an index is never searched by conditions.
 */
CREATE OPERATOR FAMILY label_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY label_ops USING recsys_items IS 'equal values are alike';
CREATE OPERATOR FAMILY labels_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY labels_ops USING recsys_items IS 'arrays are as alike as the labels that they share, rare ones counting more';
CREATE OPERATOR FAMILY text_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY text_ops USING recsys_items IS 'texts are as alike as the words that they share, rare ones counting more (BM25)';
CREATE OPERATOR FAMILY number_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY number_ops USING recsys_items IS 'numbers are alike that are near to each other, by their logarithms unless linear';
CREATE OPERATOR FAMILY time_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY time_ops USING recsys_items IS 'times are alike that are near to each other';
CREATE OPERATOR FAMILY vector_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY vector_ops USING recsys_items IS 'vectors are as alike as the cosine between them';
CREATE OPERATOR FAMILY any_ops USING recsys_items;
COMMENT ON OPERATOR FAMILY any_ops USING recsys_items IS 'as the type says';

CREATE OPERATOR CLASS int2_ops DEFAULT FOR TYPE smallint USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int2_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int4_ops DEFAULT FOR TYPE integer USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int4_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int8_ops DEFAULT FOR TYPE bigint USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int8_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS uuid_ops DEFAULT FOR TYPE uuid USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS uuid_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS bool_ops DEFAULT FOR TYPE boolean USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS bool_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS bpchar_ops DEFAULT FOR TYPE bpchar USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS bpchar_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS name_ops DEFAULT FOR TYPE name USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS name_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS text_label_ops FOR TYPE text USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS text_label_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS numeric_label_ops FOR TYPE numeric USING recsys_items FAMILY label_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS numeric_label_ops USING recsys_items IS 'label: alike if equal';
CREATE OPERATOR CLASS int2_array_ops DEFAULT FOR TYPE smallint[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int2_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS int4_array_ops DEFAULT FOR TYPE integer[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int4_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS int8_array_ops DEFAULT FOR TYPE bigint[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS int8_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS uuid_array_ops DEFAULT FOR TYPE uuid[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS uuid_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS text_array_ops DEFAULT FOR TYPE text[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS text_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS varchar_array_ops DEFAULT FOR TYPE varchar[] USING recsys_items FAMILY labels_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS varchar_array_ops USING recsys_items IS 'labels: alike by those that both have';
CREATE OPERATOR CLASS text_ops DEFAULT FOR TYPE text USING recsys_items FAMILY text_ops AS
	FUNCTION 1 recsys.text_parameters(internal);
COMMENT ON OPERATOR CLASS text_ops USING recsys_items IS 'text: alike by the words that both have';
CREATE OPERATOR CLASS tsvector_ops DEFAULT FOR TYPE tsvector USING recsys_items FAMILY text_ops AS
	FUNCTION 1 recsys.text_parameters(internal);
COMMENT ON OPERATOR CLASS tsvector_ops USING recsys_items IS 'text: alike by the words that both have';
CREATE OPERATOR CLASS float4_ops DEFAULT FOR TYPE real USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS float4_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS float8_ops DEFAULT FOR TYPE double precision USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS float8_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS numeric_ops DEFAULT FOR TYPE numeric USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS numeric_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int2_number_ops FOR TYPE smallint USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int2_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int4_number_ops FOR TYPE integer USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int4_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS int8_number_ops FOR TYPE bigint USING recsys_items FAMILY number_ops AS
	FUNCTION 1 recsys.number_parameters(internal);
COMMENT ON OPERATOR CLASS int8_number_ops USING recsys_items IS 'number: alike if near';
CREATE OPERATOR CLASS date_ops DEFAULT FOR TYPE date USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS date_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS timestamp_ops DEFAULT FOR TYPE timestamp USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS timestamp_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS timestamptz_ops DEFAULT FOR TYPE timestamptz USING recsys_items FAMILY time_ops AS
	FUNCTION 1 recsys.time_parameters(internal);
COMMENT ON OPERATOR CLASS timestamptz_ops USING recsys_items IS 'time: alike if near';
CREATE OPERATOR CLASS float4_array_ops DEFAULT FOR TYPE real[] USING recsys_items FAMILY vector_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS float4_array_ops USING recsys_items IS 'vector: alike by the cosine';
CREATE OPERATOR CLASS float8_array_ops DEFAULT FOR TYPE double precision[] USING recsys_items FAMILY vector_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS float8_array_ops USING recsys_items IS 'vector: alike by the cosine';
CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement USING recsys_items FAMILY any_ops AS
	FUNCTION 1 recsys.weight_parameters(internal);
COMMENT ON OPERATOR CLASS any_ops USING recsys_items IS 'enums, arrays of keys, and any type with a cast to real[], such as vector and halfvec; an index over any other type is refused';

/*
 * content.sql
 */

-- search by content: what is looked for is given by values of attributes
CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text) IS 'the k items of an index over items that are most like given values of its attributes, as in {"title": "red shoes", "price": 20}; bigint item keys';

CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint,
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text, anyelement) IS 'the k items that are most like given values of attributes; item keys of the type of the last argument';

-- the same where the last argument comes without a type, and for NULL::text
CREATE FUNCTION items_like(
	attributes jsonb,
	k bigint,
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like(jsonb, bigint, text, text) IS 'the k items that are most like given values of attributes; item keys of every type, as text';

-- visual search: by the attribute that is a call of recsys.image_descriptor
CREATE FUNCTION items_like_image(
	image bytea,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text) IS 'the k items of an index over items whose pictures look most like a given one; bigint item keys';

CREATE FUNCTION items_like_image(
	image bytea,
	k bigint,
	recommender text,
	item_type anyelement,
	attribute text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text, anyelement, text) IS 'the k items whose pictures look most like a given one, by one of several attributes with pictures; item keys of the type of the fourth argument';

CREATE FUNCTION items_like_image(
	image bytea,
	k bigint,
	recommender text,
	item_type text,
	attribute text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_items_like_image' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION items_like_image(bytea, bigint, text, text, text) IS 'the k items whose pictures look most like a given one, by one of several attributes with pictures; item keys of every type, as text';

-- indexes over items beside those over interactions
COMMENT ON COLUMN recsys.index_stats.table_name IS 'table with the interactions, or the items';
COMMENT ON COLUMN recsys.index_stats.similarity IS 'similarity that the item graph is computed with; content for an index over items';
COMMENT ON COLUMN recsys.index_stats.users IS 'users with at least one interaction that counts; NULL for an index over items';
COMMENT ON COLUMN recsys.index_stats.items IS 'items with at least one interaction that counts; of an index over items, those with content in the graph';
COMMENT ON COLUMN recsys.index_stats.interactions IS 'pairs of a user and an item that count; NULL for an index over items';

CREATE OR REPLACE VIEW recsys.merge_progress AS
SELECT p.pid, n.nspname::text AS schema_name, c.relname::text AS index_name,
	   CASE p.param11 WHEN 7 THEN 'merging changes' WHEN 8 THEN 'recomputing queued items'
					WHEN 13 THEN 'reading histories' WHEN 14 THEN 'training anew' ELSE 'recomputing all scores' END AS phase,
	   p.param12 AS changes_total, p.param13 AS changes_done, p.param15 AS items_recomputed
FROM pg_stat_get_progress_info('CREATE INDEX') p
JOIN pg_database d ON d.oid = p.datid AND d.datname = current_database()
JOIN pg_class x ON x.oid = p.param7::oid
-- what has the pages of a partitioned index has its number in the name
JOIN pg_class c ON c.oid = coalesce(CASE WHEN x.relnamespace = 'pg_toast'::regnamespace
										THEN substring(x.relname FROM '^recsys_(\d+)_index$')::oid END, x.oid)
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.param11 IN (7, 8, 9, 13, 14) AND c.relam IN (SELECT oid FROM pg_am WHERE amname IN ('recsys', 'recsys_items'));

DROP FUNCTION recsys.index_sections(regclass);
CREATE FUNCTION recsys.index_sections(index regclass,
	OUT user_bytes bigint, OUT item_bytes bigint, OUT graph_bytes bigint, OUT pending_bytes bigint,
	OUT other_bytes bigint, OUT free_bytes bigint, OUT factor_bytes bigint, OUT content_bytes bigint)
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE COST 1000000
BEGIN ATOMIC
	SELECT coalesce(sum(bytes) FILTER (WHERE section = 'user'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'item'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'graph'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'pending'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'other'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'free'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'factor'), 0)::bigint,
		   coalesce(sum(bytes) FILTER (WHERE section = 'content'), 0)::bigint
	FROM (SELECT CASE WHEN s.side IS NOT NULL THEN s.side
					  WHEN s.kind IN ('map_root', 'map_leaf', 'graph', 'popular') THEN 'graph'
					  WHEN s.kind = 'pending' THEN 'pending'
					  WHEN s.kind IN ('factor', 'gram', 'sketch') THEN 'factor'
					  WHEN s.kind IN ('content', 'terms') THEN 'content'
					  WHEN s.kind IN ('free', 'deleted', 'zero') THEN 'free'
					  ELSE 'other' END AS section,
				 s.used_bytes + s.free_bytes AS bytes
		  FROM recsys.page_summary(index_sections.index) s) p;
END;
COMMENT ON FUNCTION recsys.index_sections(regclass) IS 'reads a whole recsys index and tells what its size is made of';

CREATE FUNCTION recsys.duplicate_items(
	recommender text DEFAULT NULL,
	threshold double precision DEFAULT 0.9,
	events text DEFAULT NULL,
	identifying text[] DEFAULT NULL,
	must_agree text[] DEFAULT NULL)
RETURNS TABLE (item_id text, duplicate_of text, score real, evidence jsonb)
	AS 'MODULE_PATHNAME', 'recsys_duplicate_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 1000;
COMMENT ON FUNCTION recsys.duplicate_items(text, double precision, text, text[], text[]) IS 'items of an items index that are likely the same product as another one, by what tells one thing from another: titles, pictures, embeddings';

CREATE FUNCTION recsys.suspicious_items(
	recommender text DEFAULT NULL,
	threshold double precision DEFAULT 0.9,
	deviation double precision DEFAULT 3,
	min_users integer DEFAULT 10,
	events text DEFAULT NULL,
	seller text DEFAULT NULL,
	price text DEFAULT NULL,
	identifying text[] DEFAULT NULL)
RETURNS TABLE (item_id text, seller_id text, copy_of text, copied_seller_id text, score real, evidence jsonb, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_suspicious_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100;
COMMENT ON FUNCTION recsys.suspicious_items(text, double precision, double precision, integer, text, text, text, text[]) IS 'items with nearly the picture or the title of another seller''s well-known product at an unusual price, with the evidence';

-- how content and interactions are weighed; a dump has no need of it
CREATE TABLE recsys.content_weight (
	recommender text COLLATE "C" PRIMARY KEY REFERENCES recsys.recommender ON DELETE CASCADE,
	events text NOT NULL,
	content text NOT NULL,
	scale double precision NOT NULL,
	users double precision NOT NULL,
	pairs bigint NOT NULL,
	held_out bigint NOT NULL,
	ndcg_without double precision,
	ndcg_with double precision,
	p_value double precision,
	ndcg_all double precision,
	learned_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.content_weight IS 'how a declared recommender weighs content and interactions, as recsys.create_recommender, alter_recommender or refresh_recommender has found out';
COMMENT ON COLUMN recsys.content_weight.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.content_weight.events IS 'index of interactions that it was learned from';
COMMENT ON COLUMN recsys.content_weight.content IS 'index over items that it was learned for';
COMMENT ON COLUMN recsys.content_weight.scale IS 'what a score by content is multiplied by to be one by interactions';
COMMENT ON COLUMN recsys.content_weight.users IS 'as many users of an item say as much of it as its content; 0: content speaks only where there are none';
COMMENT ON COLUMN recsys.content_weight.pairs IS 'scores of one user and one item that the scale was learned from';
COMMENT ON COLUMN recsys.content_weight.held_out IS 'users with items held out that scale and users were chosen by';
COMMENT ON COLUMN recsys.content_weight.ndcg_without IS 'NDCG@20 of the latest item of these users, by interactions alone';
COMMENT ON COLUMN recsys.content_weight.ndcg_with IS 'the same with content and new items in the list';
COMMENT ON COLUMN recsys.content_weight.p_value IS 'probability that it is no better than without, by a paired test';
COMMENT ON COLUMN recsys.content_weight.ndcg_all IS 'NDCG@20 with content of all that was held out, one item in ten treated as new among it';
COMMENT ON COLUMN recsys.content_weight.learned_at IS 'when';
GRANT SELECT ON recsys.content_weight TO PUBLIC;

/*
 * What a customer buys next: again, or for the first time.
 */

CREATE FUNCTION recsys.item_rhythm(
	index regclass)
RETURNS TABLE (item_id text, users bigint, repeaters bigint, repeat_share double precision,
	gaps bigint, typical_gap interval, spread double precision)
	AS 'MODULE_PATHNAME', 'recsys_item_rhythm' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10000 ROWS 10000;
COMMENT ON FUNCTION recsys.item_rhythm(regclass) IS 'items of a recsys index over interactions that have times: how many users have each, how many of them again, and after how long';
/*
 * buy_again: what a user has had and will want again, by the probability that it comes with the
 * next basket.  at: as of when, now without it; what was bought later is not looked at.
 */
CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected; bigint item keys';

CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, anyelement, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	at_text text,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, text, text) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected, at written as text; item keys of every type, as text';

CREATE FUNCTION buy_again(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	at timestamptz,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, times integer, last_bought_at timestamptz, due_at timestamptz, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_buy_again_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION buy_again(anycompatible, bigint, text, text, timestamptz, jsonb) IS 'items that a user is likely to buy again, with how often, when last and when the next time is to be expected, with all arguments; item keys of every type, as text';

/*
 * next_basket: repeats and discoveries in one list; source tells what the user has ('repeat') from
 * what recommend would say.
 */
CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time; bigint item keys';

CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	at timestamptz DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, anyelement, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	at_text text,
	context text DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, text, text) IS 'the k items that a user will most likely buy next time, again or for the first time, at written as text; item keys of every type, as text';

CREATE FUNCTION next_basket(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	at timestamptz,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id text, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_next_basket_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION next_basket(anycompatible, bigint, text, text, timestamptz, jsonb) IS 'the k items that a user will most likely buy next time, again or for the first time, with all arguments; item keys of every type, as text';

/*
 * How next baskets are mixed, learned from the last baskets of users; a dump keeps it.
 */
CREATE TABLE recsys.basket_mix (
	recommender text COLLATE "C" PRIMARY KEY,
	basket_decay double precision NOT NULL CHECK (basket_decay >= 0 AND basket_decay <= 1),
	basket_half_life interval NOT NULL,
	due_weight double precision NOT NULL CHECK (due_weight >= 0 AND due_weight <= 1),
	neighbor_weight double precision NOT NULL CHECK (neighbor_weight >= 0 AND neighbor_weight <= 1),
	discover_weight double precision NOT NULL CHECK (discover_weight >= 0 AND discover_weight <= 1),
	popular_weight double precision NOT NULL CHECK (popular_weight >= 0 AND popular_weight <= 1),
	users bigint NOT NULL,
	judged_by bigint NOT NULL,
	recall double precision,
	ndcg double precision,
	recall_frequency double precision,
	ndcg_frequency double precision,
	p_value double precision,
	learned_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.basket_mix IS 'how next_basket mixes repeats, discoveries and popular items, as recsys.learn_next_basket has found out';
COMMENT ON COLUMN recsys.basket_mix.recommender IS 'declared recommender, or index with its schema';
COMMENT ON COLUMN recsys.basket_mix.basket_decay IS 'a basket counts so much of the one after it';
COMMENT ON COLUMN recsys.basket_mix.basket_half_life IS 'and half as much after that long; 0: its age does not matter';
COMMENT ON COLUMN recsys.basket_mix.due_weight IS '0 to 1: how much it counts among repeats when an item is due';
COMMENT ON COLUMN recsys.basket_mix.neighbor_weight IS 'what the item graph can add to a repeat, as a probability';
COMMENT ON COLUMN recsys.basket_mix.discover_weight IS 'what the best discovery by the item graph counts, as a probability';
COMMENT ON COLUMN recsys.basket_mix.popular_weight IS 'what being the item with the most users counts, as a probability';
COMMENT ON COLUMN recsys.basket_mix.users IS 'users whose last baskets it was learned on';
COMMENT ON COLUMN recsys.basket_mix.judged_by IS 'other users, whose last baskets the figures are of';
COMMENT ON COLUMN recsys.basket_mix.recall IS 'recall@10 of the mix';
COMMENT ON COLUMN recsys.basket_mix.ndcg IS 'NDCG@10 of the mix';
COMMENT ON COLUMN recsys.basket_mix.recall_frequency IS 'recall@10 of what each user has had most often';
COMMENT ON COLUMN recsys.basket_mix.ndcg_frequency IS 'NDCG@10 of what each user has had most often';
COMMENT ON COLUMN recsys.basket_mix.p_value IS 'probability that the two NDCG differ by chance, by a paired test';
COMMENT ON COLUMN recsys.basket_mix.learned_at IS 'when';
GRANT SELECT ON recsys.basket_mix TO PUBLIC;

-- restored by whoever has the extension, as the declared recommenders are
GRANT INSERT ON recsys.basket_mix TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('recsys.basket_mix', '');

CREATE FUNCTION recsys.learn_next_basket(
	recommender text DEFAULT NULL)
RETURNS TABLE (learned_for text, basket_decay double precision, basket_half_life interval,
	due_weight double precision, neighbor_weight double precision, discover_weight double precision,
	popular_weight double precision, users bigint, judged_by bigint, recall double precision,
	ndcg double precision, recall_frequency double precision, ndcg_frequency double precision,
	p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_learn_next_basket' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 10000000 ROWS 1;
COMMENT ON FUNCTION recsys.learn_next_basket(text) IS 'learns how next_basket mixes repeats, discoveries and popular items, on the last baskets of half of the users, and measures it on those of the others, beside what each has had most often';

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

CREATE FUNCTION recsys.tune_signals(
	recommender text,
	metric text DEFAULT 'ndcg',
	k integer DEFAULT 10,
	users integer DEFAULT 2000,
	seed bigint DEFAULT 0)
RETURNS TABLE (rank integer, value double precision, ci_low double precision, ci_high double precision,
	users bigint, what text, signals jsonb, command text, p_declared double precision, honest_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_tune_signals' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000000 ROWS 5;
COMMENT ON FUNCTION recsys.tune_signals(text, text, integer, integer, bigint) IS 'weighs the signals of a declared recommender by what users had last, which is held out: the best weights, those declared, and those without each signal, best first, each with the command that takes it over';

/*
 * Lists that every shop has: viewed lately, on sale, trending.
 */

/*
 * recently_viewed: a user's items, latest first.
 */
CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL)
RETURNS TABLE (item_id bigint, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text) IS 'the items that a user had last, latest first; bigint item keys';

CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text, anyelement) IS 'the items that a user had last, latest first; item keys of the type of the fourth argument';

-- the same where the fourth argument comes without a type, and for NULL::text
CREATE FUNCTION recently_viewed(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text)
RETURNS TABLE (item_id text, last_at timestamptz, times integer, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recently_viewed_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recently_viewed(anycompatible, bigint, text, text) IS 'the items that a user had last, latest first; item keys of every type, as text';

/*
 * trending_items: what is taken much more often in the last window than its base explains.
 */
CREATE FUNCTION trending_items(
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	window_size interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id bigint, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, interval, text) IS 'the k items that are taken much more often lately than they used to be; bigint item keys';

CREATE FUNCTION trending_items(
	k bigint,
	recommender text,
	item_type anyelement,
	window_size interval DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, anyelement, interval, text) IS 'the k items that are taken much more often lately than they used to be; item keys of the type of the third argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION trending_items(
	k bigint,
	recommender text,
	window_size_text text,
	segment text DEFAULT NULL)
RETURNS TABLE (item_id text, users bigint, expected double precision, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_trending_items_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION trending_items(bigint, text, text, text) IS 'the k items that are taken much more often lately than they used to be, the window written as text; item keys of every type, as text';

/*
 * on_sale_for: what a user is likely to take that costs less than it usually does.
 */
CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, jsonb) IS 'items for a user whose price is below what is usual; bigint item keys';

CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	context jsonb DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, anyelement, jsonb) IS 'items for a user whose price is below what is usual; item keys of the type of the fourth argument';

-- what comes without types, and NULL::text as the type of the items
CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	context_text text)
RETURNS TABLE (item_id text, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_text' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, text) IS 'items for a user whose price is below what is usual, context written as text; item keys of every type, as text';

CREATE FUNCTION on_sale_for(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	context jsonb)
RETURNS TABLE (item_id text, score real, price double precision, usual_price double precision, discount real, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_on_sale_for_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION on_sale_for(anycompatible, bigint, text, text, jsonb) IS 'items for a user whose price is below what is usual, with all arguments; item keys of every type, as text';

/*
 * recommend_all: the lists of all users at once, for newsletters and exports.
 */
CREATE FUNCTION recommend_all(
	recommender text DEFAULT NULL,
	k bigint DEFAULT 10)
RETURNS TABLE (user_id bigint, item_id bigint, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint) IS 'the k best items for each user that the recommender knows; bigint keys';

CREATE FUNCTION recommend_all(
	recommender text,
	k bigint,
	user_type anyelement,
	item_type anycompatible)
RETURNS TABLE (user_id anyelement, item_id anycompatible, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint, anyelement, anycompatible) IS 'the k best items for each user that the recommender knows; keys of the types of the last two arguments';

-- what comes without types, and NULL::text as the types
CREATE FUNCTION recommend_all(
	recommender text,
	k bigint,
	user_type text,
	item_type text)
RETURNS TABLE (user_id text, item_id text, rank integer, score real)
	AS 'MODULE_PATHNAME', 'recsys_recommend_all' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000000 ROWS 100000;
COMMENT ON FUNCTION recommend_all(text, bigint, text, text) IS 'the k best items for each user that the recommender knows; keys of every type, as text';
/*
 * Statistics of experiments, from counts and sums: for those that run elsewhere, and for planning
 * those that run here.  No function reads a table; what cannot be said is NULL.
 */
CREATE FUNCTION recsys.compare_means(
	control_units bigint,
	control_sum double precision,
	control_sum_squares double precision,
	treatment_units bigint,
	treatment_sum double precision,
	treatment_sum_squares double precision,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_means' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_means(bigint, double precision, double precision, bigint, double precision, double precision, boolean, text, double precision, double precision)
	IS 'means of two arms from their units, sums, and sums of squares: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_proportions(
	control_units bigint,
	control_successes bigint,
	treatment_units bigint,
	treatment_successes bigint,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_proportions' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_proportions(bigint, bigint, bigint, bigint, boolean, text, double precision, double precision)
	IS 'proportions of two arms from their units and how many of them succeeded: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_ratios(
	control_units bigint,
	control_sum double precision,
	control_sum_squares double precision,
	control_denominator_sum double precision,
	control_denominator_sum_squares double precision,
	control_product_sum double precision,
	treatment_units bigint,
	treatment_sum double precision,
	treatment_sum_squares double precision,
	treatment_denominator_sum double precision,
	treatment_denominator_sum_squares double precision,
	treatment_product_sum double precision,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_ratios' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_ratios(bigint, double precision, double precision, double precision, double precision, double precision, bigint, double precision, double precision, double precision, double precision, double precision, boolean, text, double precision, double precision)
	IS 'ratios of two arms (clicks by impressions) whose units have a value and a denominator each, by the delta method: the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.compare_arms(
	control_sums double precision[],
	treatment_sums double precision[],
	kind text DEFAULT 'mean',
	adjusted boolean DEFAULT false,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	expected_units double precision DEFAULT 5000,
	OUT control double precision, OUT treatment double precision, OUT difference double precision,
	OUT ci_low double precision, OUT ci_high double precision, OUT standard_error double precision, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_compare_arms' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.compare_arms(double precision[], double precision[], text, boolean, boolean, text, double precision, double precision)
	IS 'two results of recsys.arm_sums as means, proportions, or ratios, adjusted by the values from before the experiment if you wish (CUPED): the lift of the treatment over the control or, with relative => false, the difference, by which to decide, with an interval and a p-value; sequential ones hold however often you look, fixed ones for one look';

CREATE FUNCTION recsys.arm_sums_combine(double precision[], double precision[])
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_combine(double precision[], double precision[])
	IS 'two results of recsys.arm_sums over different units, such as those of two days'' newcomers, as one';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a mean or proportion';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision, denominator double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision, double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a ratio';

CREATE FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision, double precision, double precision)
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_arm_sums_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.arm_sums_add(double precision[], double precision, double precision, double precision, double precision)
	IS 'transition of the aggregate recsys.arm_sums';
CREATE AGGREGATE recsys.arm_sums(value double precision, denominator double precision, value_before double precision, denominator_before double precision) (
	SFUNC = recsys.arm_sums_add,
	STYPE = double precision[],
	INITCOND = '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}',
	COMBINEFUNC = recsys.arm_sums_combine,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE recsys.arm_sums(double precision, double precision, double precision, double precision)
	IS 'units, sums, and sums of products of an arm, from a row a unit, for recsys.compare_arms: of a mean, proportion, or ratio that is adjusted by the time before the experiment; denominators are NULL of what has none';

CREATE FUNCTION recsys.sample_ratio_test(
	counts bigint[],
	shares double precision[] DEFAULT NULL,
	OUT chi_square double precision, OUT degrees integer, OUT p_value double precision)
	AS 'MODULE_PATHNAME', 'recsys_sample_ratio_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.sample_ratio_test(bigint[], double precision[])
	IS 'whether arms have as many units as their shares say (NULL: equal shares), by Pearson''s chi-square; below 0.001 something is wrong with the assignment or the log, and no other figure can be trusted';

CREATE FUNCTION recsys.adjust_p_values(
	p_values double precision[],
	correction text DEFAULT 'holm')
RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'recsys_adjust_p_values' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.adjust_p_values(double precision[], text)
	IS 'p-values of many comparisons, adjusted so that you may look at all of them: holm bounds the chance of any false alarm, benjamini_hochberg the share of false alarms among the alarms; NULL stays and does not count';

CREATE FUNCTION recsys.normal_mixture_bound(
	v double precision,
	v_opt double precision,
	alpha double precision DEFAULT 0.05,
	one_sided boolean DEFAULT false)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_normal_mixture_bound' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION recsys.normal_mixture_bound(double precision, double precision, double precision, boolean)
	IS 'how far a sum of variance v may be from its expectation, at all times together, with probability 1 - alpha; tightest near v_opt (Howard et al. 2021)';

CREATE FUNCTION recsys.sample_size(
	baseline double precision,
	effect double precision,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL,
	power double precision DEFAULT 0.8,
	units_per_day double precision DEFAULT NULL,
	OUT control_units bigint, OUT treatment_units bigint, OUT units bigint, OUT days bigint)
	AS 'MODULE_PATHNAME', 'recsys_sample_size' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.sample_size(double precision, double precision, text, double precision, boolean, text, double precision, double precision, double precision, double precision, double precision)
	IS 'units that it takes to find an effect (a lift, unless relative is false) over the control''s baseline with that power, and days if units_per_day come; NULL if no number will do';

CREATE FUNCTION recsys.detectable_effect(
	baseline double precision,
	units bigint,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL,
	power double precision DEFAULT 0.8)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_detectable_effect' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.detectable_effect(double precision, bigint, text, double precision, boolean, text, double precision, double precision, double precision, double precision)
	IS 'the least effect above 0 (a lift, unless relative is false) that units of both arms together find with that power; NULL if they find none';

CREATE FUNCTION recsys.test_power(
	baseline double precision,
	effect double precision,
	units bigint,
	kind text DEFAULT 'proportion',
	deviation double precision DEFAULT NULL,
	relative boolean DEFAULT true,
	method text DEFAULT 'sequential',
	alpha double precision DEFAULT 0.05,
	treatment_share double precision DEFAULT 0.5,
	expected_units double precision DEFAULT NULL)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_test_power' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION recsys.test_power(double precision, double precision, bigint, text, double precision, boolean, text, double precision, double precision, double precision)
	IS 'chance that units of both arms together find an effect (a lift, unless relative is false) over the control''s baseline';
/*
 * The log: what was shown to whom, and what came of it
 *
 * One row a request, its impressions in arrays.  Both tables are partitioned by the day of the
 * request, which is in its id; recsys.maintain makes partitions and drops old ones, and the default
 * partition takes what no other one is there for.
 *
 * Partitions are not part of the extension, so that a dump brings them along.  Each has its own
 * primary key and indexes: with those of a partitioned table a restore would make them twice, as
 * the table is there, with all its indexes, as soon as the extension is.  All of it is owned by the owner
 * of the extension, who need not be a superuser to dump, restore and maintain it.
 */
GRANT CREATE ON SCHEMA recsys TO @extowner@;

CREATE TABLE recsys.request_log (
	request_id uuid NOT NULL,
	time timestamptz NOT NULL,
	user_id text,
	session_id text,
	recommender text NOT NULL,
	experiment text,
	variant text,
	bandit text,
	arm text,
	policy text,
	segment text,
	latency_ms real,
	item_ids text[] NOT NULL,
	scores real[],
	sources text[],
	propensities double precision[],
	arms text[],
	features double precision[]
) PARTITION BY RANGE (time);
ALTER TABLE recsys.request_log OWNER TO @extowner@;
COMMENT ON TABLE recsys.request_log IS 'requests and what was shown, one row each; written by recommend(..., log => true), recsys.log_request and recsys.log_impressions';
COMMENT ON COLUMN recsys.request_log.request_id IS 'UUID of version 7; its time is in it';
COMMENT ON COLUMN recsys.request_log.time IS 'when it was made: the time in request_id, in milliseconds';
COMMENT ON COLUMN recsys.request_log.user_id IS 'key of the user as text, or its pseudonym; NULL: not known';
COMMENT ON COLUMN recsys.request_log.session_id IS 'session, or its pseudonym; NULL: none was given';
COMMENT ON COLUMN recsys.request_log.recommender IS 'what has made the list: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.request_log.experiment IS 'experiment that the request is part of; NULL: none';
COMMENT ON COLUMN recsys.request_log.variant IS 'its variant';
COMMENT ON COLUMN recsys.request_log.bandit IS 'bandit that has chosen; NULL: none';
COMMENT ON COLUMN recsys.request_log.arm IS 'the arm that it has chosen';
COMMENT ON COLUMN recsys.request_log.policy IS 'how it was decided: hash, interleaving, or the policy of the bandit; NULL: nothing was';
COMMENT ON COLUMN recsys.request_log.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.request_log.latency_ms IS 'milliseconds to make the list; NULL: not measured';
COMMENT ON COLUMN recsys.request_log.item_ids IS 'keys of the items shown, as text, in the order of their positions';
COMMENT ON COLUMN recsys.request_log.scores IS 'their scores; NULL: not known';
COMMENT ON COLUMN recsys.request_log.sources IS 'where each is from; NULL: not known';
COMMENT ON COLUMN recsys.request_log.propensities IS 'how likely each was shown at its position; NULL: nothing was left to chance';
COMMENT ON COLUMN recsys.request_log.arms IS 'whose each position is, where a list has several arms; NULL: it has one';
COMMENT ON COLUMN recsys.request_log.features IS 'what a policy with features has seen of the context';

CREATE TABLE recsys.request_log_default PARTITION OF recsys.request_log (
	PRIMARY KEY (request_id, time)) DEFAULT;
CREATE INDEX request_log_default_user_id ON recsys.request_log_default (user_id, time);
ALTER TABLE recsys.request_log_default OWNER TO @extowner@;
COMMENT ON TABLE recsys.request_log_default IS 'requests of days that have no partition yet; other partitions have its indexes, too';
SELECT pg_catalog.pg_extension_config_dump('recsys.request_log_default', '');

CREATE TABLE recsys.event_log (
	request_id uuid NOT NULL,
	request_time timestamptz NOT NULL,
	kind text NOT NULL,
	item_id text NOT NULL,
	event_key text NOT NULL DEFAULT '',
	time timestamptz NOT NULL,
	value double precision
) PARTITION BY RANGE (request_time);
ALTER TABLE recsys.event_log OWNER TO @extowner@;
COMMENT ON TABLE recsys.event_log IS 'what users have done with what was shown; written by recsys.log_click, recsys.log_add_to_cart and recsys.log_event';
COMMENT ON COLUMN recsys.event_log.request_id IS 'the request that has shown the item';
COMMENT ON COLUMN recsys.event_log.request_time IS 'its time';
COMMENT ON COLUMN recsys.event_log.kind IS 'click, cart, or a name of your own';
COMMENT ON COLUMN recsys.event_log.item_id IS 'key of the item as text';
COMMENT ON COLUMN recsys.event_log.event_key IS 'tells events of one kind on one item apart; empty: there is one';
COMMENT ON COLUMN recsys.event_log.time IS 'when it happened';
COMMENT ON COLUMN recsys.event_log.value IS 'what it is worth; NULL: not given';

CREATE TABLE recsys.event_log_default PARTITION OF recsys.event_log (
	PRIMARY KEY (request_id, kind, item_id, event_key, request_time)) DEFAULT;
ALTER TABLE recsys.event_log_default OWNER TO @extowner@;
COMMENT ON TABLE recsys.event_log_default IS 'events of requests of days that have no partition yet; other partitions have its indexes, too';
SELECT pg_catalog.pg_extension_config_dump('recsys.event_log_default', '');

-- at most one row each; without one the defaults hold, and no key has been needed yet
CREATE TABLE recsys.log_setting (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	retention interval,
	pseudonymous boolean NOT NULL DEFAULT false,
	purchases jsonb,
	purchases_role text,
	attribution_window interval NOT NULL DEFAULT '7 days',
	attribution text NOT NULL DEFAULT 'last' CHECK (attribution IN ('first', 'last', 'position')));
ALTER TABLE recsys.log_setting OWNER TO @extowner@;
COMMENT ON TABLE recsys.log_setting IS 'settings of the log, as recsys.configure_log has made them; no row: the defaults';
COMMENT ON COLUMN recsys.log_setting.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.log_setting.retention IS 'how long requests are kept; NULL: for ever';
COMMENT ON COLUMN recsys.log_setting.pseudonymous IS 'users and sessions are logged as keyed hashes';
COMMENT ON COLUMN recsys.log_setting.purchases IS 'where purchases are read, with names that mean the same for everyone; NULL: nowhere';
COMMENT ON COLUMN recsys.log_setting.purchases_role IS 'role with whose rights they are read: the one that has set them';
COMMENT ON COLUMN recsys.log_setting.attribution_window IS 'time after a request in which a purchase is of it';
COMMENT ON COLUMN recsys.log_setting.attribution IS 'which request a purchase is of if there are several: first, last, or position: shared by their positions';
SELECT pg_catalog.pg_extension_config_dump('recsys.log_setting', '');

CREATE TABLE recsys.log_key (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	key bytea NOT NULL);
ALTER TABLE recsys.log_key OWNER TO @extowner@;
COMMENT ON TABLE recsys.log_key IS 'the key of pseudonyms; who has it can find out whose they are';
COMMENT ON COLUMN recsys.log_key.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.log_key.key IS '32 random bytes; a dump brings them along, or users would have other pseudonyms afterwards';
SELECT pg_catalog.pg_extension_config_dump('recsys.log_key', '');

CREATE TABLE recsys.maintenance (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	time timestamptz NOT NULL);
ALTER TABLE recsys.maintenance OWNER TO @extowner@;
COMMENT ON TABLE recsys.maintenance IS 'when recsys.maintain has run last; until then, when the background worker came first';
COMMENT ON COLUMN recsys.maintenance.one IS 'true: there is one row at most';
COMMENT ON COLUMN recsys.maintenance.time IS 'when it began';

/*
 * Settings and upkeep
 */
CREATE FUNCTION recsys.configure_log(
	retention interval DEFAULT NULL,
	pseudonymous boolean DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT NULL,
	attribution text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_configure_log' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.configure_log(interval, boolean, text, interval, text) IS 'changes settings of the log, those that are not NULL; interval ''0'' and an empty text take back retention and purchases; for the owner of the extension';

CREATE FUNCTION recsys.maintain()
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_maintain' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 20;
COMMENT ON FUNCTION recsys.maintain() IS 'makes partitions of the log, drops expired ones, brings experiments, bandits and metrics up to date; returns what it has done; for the owner of the extension';

-- no query of Citus within the views of others, where the log is one of all nodes
CREATE FUNCTION recsys.log_is_used() RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_is_used' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION recsys.log_is_used() IS 'whether there are requests in the log';

/*
 * Logging by function
 */
CREATE DOMAIN recsys.switch AS boolean;
COMMENT ON DOMAIN recsys.switch IS 'a boolean that is given by name, as in log => true';

CREATE FUNCTION recsys.new_request_id()
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_new_request_id' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION recsys.new_request_id() IS 'an id for a request that you log yourself: a UUID of version 7, which has the time in it';

CREATE FUNCTION recsys.log_request(request jsonb)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_request' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_request(jsonb) IS 'logs what recommend_request has returned; false if it is logged already';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids text[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, text[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'logs a list that was made elsewhere, or shown in another way; returns the id of the request';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids bigint[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, bigint[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of items with bigint keys';

CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids uuid[],
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, uuid[], anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of items with uuid keys';

-- what comes without a type: an array as it is written
CREATE FUNCTION recsys.log_impressions(
	recommender text,
	item_ids text,
	user_id anycompatible DEFAULT NULL::text,
	session_id text DEFAULT NULL,
	request_id uuid DEFAULT NULL,
	scores real[] DEFAULT NULL,
	sources text[] DEFAULT NULL,
	propensities double precision[] DEFAULT NULL,
	policy text DEFAULT NULL,
	request_time timestamptz DEFAULT NULL)
RETURNS uuid
	AS 'MODULE_PATHNAME', 'recsys_log_impressions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_impressions(text, text, anycompatible, text, uuid, real[], text[], double precision[], text, timestamptz) IS 'the same of the items of an array that is written as text, as in ''{1,2}''';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, text) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id bigint)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, bigint) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_click(request_id uuid, item_id uuid)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_click' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_click(uuid, uuid) IS 'an item of a request was clicked; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, text) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id bigint)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, bigint) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_add_to_cart(request_id uuid, item_id uuid)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_add_to_cart' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_add_to_cart(uuid, uuid) IS 'an item of a request was put into the cart; false if that is logged already';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id text,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, text, double precision, text, timestamptz) IS 'something has happened to an item of a request; false if it is logged already: one event of a kind, an item and an event_key counts';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id bigint,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, bigint, double precision, text, timestamptz) IS 'the same of an item with a bigint key';

CREATE FUNCTION recsys.log_event(
	request_id uuid,
	kind text,
	item_id uuid,
	value double precision DEFAULT NULL,
	event_key text DEFAULT NULL,
	at timestamptz DEFAULT NULL)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_log_event' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.log_event(uuid, text, uuid, double precision, text, timestamptz) IS 'the same of an item with a uuid key';

/*
 * Lists that are logged.  log is of a type of its own, so that a boolean in the fourth place still
 * is exclude_seen.  What follows it stands in such an order that calls whose arguments all have no
 * type still lead where they did: categories of types agree, place by place, with the variants that
 * do not log.
 */
CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	log recsys.switch,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, recsys.switch, boolean, interval, jsonb, text) IS 'the k best items for a user, by a recommender, an experiment or a bandit, and the request logged; bigint item keys';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type anyelement,
	log recsys.switch,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged_typed' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, anyelement, recsys.switch, interval, jsonb, text, boolean) IS 'the same; item keys of the type of the fourth argument';

CREATE FUNCTION recommend(
	user_id anycompatible,
	k bigint,
	recommender text,
	item_type text,
	log recsys.switch,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true)
RETURNS TABLE (item_id text, score real, source text, rank integer, request_id uuid, experiment text, variant text, propensity double precision)
	AS 'MODULE_PATHNAME', 'recsys_recommend_logged_typed' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 2000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recommend(anycompatible, bigint, text, text, recsys.switch, interval, jsonb, text, boolean) IS 'the same; item keys of every type, as text';

CREATE FUNCTION recommend_request(
	user_id anycompatible,
	k bigint DEFAULT 10,
	recommender text DEFAULT NULL,
	session_id text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS jsonb
	AS 'MODULE_PATHNAME', 'recsys_recommend_request' LANGUAGE C STABLE PARALLEL RESTRICTED COST 2000;
COMMENT ON FUNCTION recommend_request(anycompatible, bigint, text, text, boolean, interval, jsonb) IS 'the same as one document, for a standby: recsys.log_request logs it on the primary';
/*
 * Experiments
 *
 * A row of recsys.experiment is what somebody has declared, by names, so that a dump brings it along.
 * It is written by the functions below alone; recsys.experiments shows it.  Purchases are read with
 * the rights of its owner, so who restores a dump gives experiments only to roles that he has the
 * rights of, as with recommenders.
 */
CREATE TABLE recsys.experiment (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	started_at timestamptz,
	stopped_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.experiment IS 'experiments, as recsys.create_experiment has made them; recsys.experiments shows them';
COMMENT ON COLUMN recsys.experiment.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.experiment.owner IS 'role that has declared it, with whose rights purchases are read';
COMMENT ON COLUMN recsys.experiment.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.experiment.started_at IS 'when it began to assign; NULL: not yet';
COMMENT ON COLUMN recsys.experiment.stopped_at IS 'when it ended; NULL: not yet';
COMMENT ON COLUMN recsys.experiment.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.experiment.changed_at IS 'when it was changed last';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment', '');
CREATE TRIGGER experiment_owner BEFORE INSERT OR UPDATE ON recsys.experiment
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.experiment TO @extowner@;

CREATE FUNCTION recsys.create_experiment(
	name text,
	variants jsonb,
	segment text DEFAULT NULL,
	metrics text[] DEFAULT NULL,
	primary_metric text DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT '7 days',
	attribution text DEFAULT 'last',
	guardrails text[] DEFAULT NULL,
	unit text DEFAULT 'user',
	eligible text DEFAULT NULL,
	layer text DEFAULT NULL,
	layer_share double precision DEFAULT 1,
	holdout double precision DEFAULT NULL,
	interleave boolean DEFAULT false,
	method text DEFAULT 'sequential',
	correction text DEFAULT 'holm',
	alpha double precision DEFAULT 0.05,
	winsorise double precision DEFAULT NULL,
	pre_period interval DEFAULT NULL,
	expected_users bigint DEFAULT 5000,
	salt text DEFAULT NULL,
	start boolean DEFAULT true)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_experiment(text, jsonb, text, text[], text, text, interval, text, text[], text, text, text, double precision, double precision, boolean, text, text, double precision, double precision, interval, bigint, text, boolean)
	IS 'declares an experiment, whose name is then one for recommend: each user, or session, gets one of its variants';

CREATE FUNCTION recsys.alter_experiment(
	name text,
	variants jsonb DEFAULT NULL,
	segment text DEFAULT NULL,
	metrics text[] DEFAULT NULL,
	primary_metric text DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT NULL,
	attribution text DEFAULT NULL,
	guardrails text[] DEFAULT NULL,
	unit text DEFAULT NULL,
	eligible text DEFAULT NULL,
	layer text DEFAULT NULL,
	layer_share double precision DEFAULT NULL,
	holdout double precision DEFAULT NULL,
	interleave boolean DEFAULT NULL,
	method text DEFAULT NULL,
	correction text DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	winsorise double precision DEFAULT NULL,
	pre_period interval DEFAULT NULL,
	expected_users bigint DEFAULT NULL,
	salt text DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_experiment(text, jsonb, text, text[], text, text, interval, text, text[], text, text, text, double precision, double precision, boolean, text, text, double precision, double precision, interval, bigint, text, text[], text)
	IS 'changes an experiment; what is NULL stays as it is, reset names the parameters to have their defaults again; users keep their variants as far as shares allow';

CREATE FUNCTION recsys.start_experiment(name text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_start_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.start_experiment(text) IS 'starts an experiment that was created with start => false';

CREATE FUNCTION recsys.stop_experiment(name text, winner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stop_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stop_experiment(text, text) IS 'ends an experiment: from then on everybody gets the winner, or the first variant, and requests do not count any more';

CREATE FUNCTION recsys.drop_experiment(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_experiment(text, boolean) IS 'removes an experiment; recommenders, tables and what has been logged stay';

CREATE FUNCTION recsys.experiment_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_experiment_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.experiment_problem(text) IS 'why you cannot use an experiment as it is, or NULL: what is gone, has another type, or may not be read by you; nothing that is declared is run';

CREATE VIEW recsys.experiments WITH (security_barrier) AS
SELECT e.name, e.owner,
	   CASE WHEN e.stopped_at IS NOT NULL THEN 'stopped' WHEN e.started_at IS NOT NULL THEN 'running' ELSE 'created' END AS state,
	   e.definition -> 'variants' AS variants,
	   e.definition ->> 'winner' AS winner,
	   e.definition ->> 'segment' AS segment,
	   ARRAY(SELECT jsonb_array_elements_text(e.definition -> 'metrics')) AS metrics,
	   e.definition ->> 'primary_metric' AS primary_metric,
	   e.definition -> 'purchases' AS purchases,
	   (e.definition ->> 'attribution_window')::interval AS attribution_window,
	   e.definition ->> 'attribution' AS attribution,
	   ARRAY(SELECT jsonb_array_elements_text(e.definition -> 'guardrails')) AS guardrails,
	   e.definition ->> 'unit' AS unit,
	   e.definition ->> 'eligible' AS eligible,
	   e.definition ->> 'layer' AS layer,
	   (e.definition ->> 'layer_share')::double precision AS layer_share,
	   (e.definition ->> 'layer_low')::double precision AS layer_low,
	   (e.definition ->> 'layer_high')::double precision AS layer_high,
	   (e.definition ->> 'holdout')::double precision AS holdout,
	   coalesce((e.definition ->> 'interleave')::boolean, false) AS interleave,
	   e.definition ->> 'method' AS method,
	   e.definition ->> 'correction' AS correction,
	   (e.definition ->> 'alpha')::double precision AS alpha,
	   (e.definition ->> 'winsorise')::double precision AS winsorise,
	   (e.definition ->> 'pre_period')::interval AS pre_period,
	   (e.definition ->> 'expected_users')::bigint AS expected_users,
	   coalesce(e.definition ->> 'salt', e.name) AS salt,
	   e.created_at, e.changed_at, e.started_at, e.stopped_at,
	   (e.definition ->> 'shares_since')::timestamptz AS shares_since,
	   recsys.experiment_problem(e.name) AS problem
FROM recsys.experiment e
WHERE pg_has_role('pg_read_all_data', 'USAGE') OR
	  EXISTS (SELECT FROM pg_roles r WHERE r.rolname = e.owner AND pg_has_role(r.oid, 'USAGE')) OR
	  EXISTS (SELECT FROM pg_class c WHERE c.oid = 'recsys.request_log'::regclass AND pg_has_role(c.relowner, 'USAGE'));
COMMENT ON VIEW recsys.experiments IS 'experiments of those whose rights you have, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.experiments.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.experiments.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.experiments.state IS 'created, running or stopped';
COMMENT ON COLUMN recsys.experiments.variants IS 'name, recommender and share of each variant, the control first';
COMMENT ON COLUMN recsys.experiments.winner IS 'variant that everybody gets once it is stopped; NULL: the first one';
COMMENT ON COLUMN recsys.experiments.segment IS 'expression over the profiles by which results are divided';
COMMENT ON COLUMN recsys.experiments.metrics IS 'by what variants are compared';
COMMENT ON COLUMN recsys.experiments.primary_metric IS 'by which of them it is decided';
COMMENT ON COLUMN recsys.experiments.purchases IS 'where purchases are read; NULL: where the log reads them';
COMMENT ON COLUMN recsys.experiments.attribution_window IS 'time after a request in which a purchase is of it';
COMMENT ON COLUMN recsys.experiments.attribution IS 'which request a purchase is of if there are several: first, last, or position: shared by their positions';
COMMENT ON COLUMN recsys.experiments.guardrails IS 'metrics that must not get worse';
COMMENT ON COLUMN recsys.experiments.unit IS 'who gets a variant and is counted: user or session';
COMMENT ON COLUMN recsys.experiments.eligible IS 'expression over the profiles: who takes part';
COMMENT ON COLUMN recsys.experiments.layer IS 'experiments of one layer have no unit in common; NULL: of its own';
COMMENT ON COLUMN recsys.experiments.layer_share IS 'share of the layer''s units that take part, of those that are not held out';
COMMENT ON COLUMN recsys.experiments.layer_low IS 'the places of the layer that it has: from here';
COMMENT ON COLUMN recsys.experiments.layer_high IS 'to here';
COMMENT ON COLUMN recsys.experiments.holdout IS 'share of the layer''s units that take part in none of its experiments';
COMMENT ON COLUMN recsys.experiments.interleave IS 'both variants'' lists are shown as one';
COMMENT ON COLUMN recsys.experiments.method IS 'sequential: intervals hold however often one looks; fixed: for one look';
COMMENT ON COLUMN recsys.experiments.correction IS 'of p-values for many variants and metrics: holm, benjamini_hochberg or none';
COMMENT ON COLUMN recsys.experiments.alpha IS 'how often a difference may be seen where there is none';
COMMENT ON COLUMN recsys.experiments.winsorise IS 'quantile at which values of a unit are capped; 1: they are not';
COMMENT ON COLUMN recsys.experiments.pre_period IS 'time before a unit''s first request that its values are adjusted by; NULL: they are not';
COMMENT ON COLUMN recsys.experiments.expected_users IS 'number of units at which sequential intervals are narrowest';
COMMENT ON COLUMN recsys.experiments.salt IS 'what the hash of units is made with';
COMMENT ON COLUMN recsys.experiments.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.experiments.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.experiments.started_at IS 'when it began to assign; NULL: not yet';
COMMENT ON COLUMN recsys.experiments.stopped_at IS 'when it ended; NULL: not yet';
COMMENT ON COLUMN recsys.experiments.shares_since IS 'when shares were changed last while it ran; NULL: never';
COMMENT ON COLUMN recsys.experiments.problem IS 'why you cannot use it as it is, else NULL';
GRANT SELECT ON recsys.experiments TO PUBLIC;

CREATE FUNCTION recsys.assignment(
	experiment text,
	user_id anyelement,
	session_id text DEFAULT NULL,
	OUT variant text,
	OUT recommender text,
	OUT segment text,
	OUT takes_part boolean,
	OUT reason text)
	AS 'MODULE_PATHNAME', 'recsys_assignment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10;
COMMENT ON FUNCTION recsys.assignment(text, anyelement, text) IS 'the variant of an experiment that a user or a session gets, whether that counts, and why not';

CREATE FUNCTION recsys.assignment(
	experiment text,
	user_id text DEFAULT NULL,
	session_id text DEFAULT NULL,
	OUT variant text,
	OUT recommender text,
	OUT segment text,
	OUT takes_part boolean,
	OUT reason text)
	AS 'MODULE_PATHNAME', 'recsys_assignment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10;
COMMENT ON FUNCTION recsys.assignment(text, text, text) IS 'the same for a key that is written as text';

CREATE FUNCTION recsys.interleaving_results(
	experiment text,
	OUT first text,
	OUT second text,
	OUT users bigint,
	OUT requests bigint,
	OUT first_clicks bigint,
	OUT second_clicks bigint,
	OUT first_users bigint,
	OUT second_users bigint,
	OUT tied_users bigint,
	OUT preference double precision,
	OUT ci_low double precision,
	OUT ci_high double precision,
	OUT p_value double precision,
	OUT sign_test_p_value double precision,
	OUT preferred text)
	AS 'MODULE_PATHNAME', 'recsys_interleaving_results' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.interleaving_results(text) IS 'which of two interleaved variants users click on: from -1, only on the first one''s items, to 1, only on the second one''s, with an interval that holds however often one looks; preferred is NULL as long as that is not sure';
/*
 * What experiments say
 *
 * From raw rows of the log, or from sums that are kept day by day.  The tables are written by the
 * functions below alone; a dump brings them along, because the log they are made of expires.
 */
-- no foreign keys: triggers of these tables would run when a superuser's table is written
CREATE TABLE recsys.experiment_state (
	experiment text COLLATE "C" PRIMARY KEY,
	closed_until timestamptz NOT NULL,
	refreshed_until timestamptz,
	stale_since timestamptz,
	signature text NOT NULL,
	failure text);
ALTER TABLE recsys.experiment_state OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_state IS 'up to when the sums of each experiment are kept';
COMMENT ON COLUMN recsys.experiment_state.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_state.closed_until IS 'what happened before is in recsys.experiment_unit';
COMMENT ON COLUMN recsys.experiment_state.refreshed_until IS 'what happened before is in the sums of the last day';
COMMENT ON COLUMN recsys.experiment_state.stale_since IS 'since when sums are no longer those of the log, as after recsys.forget_user; NULL: they are';
COMMENT ON COLUMN recsys.experiment_state.signature IS 'what the sums depend on; they are made anew when it changes';
COMMENT ON COLUMN recsys.experiment_state.failure IS 'why the last refresh has failed; NULL: it has not';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_state', '');

CREATE TABLE recsys.experiment_unit (
	experiment text COLLATE "C" NOT NULL,
	unit text NOT NULL,
	first_time timestamptz NOT NULL,
	variant text COLLATE "C" NOT NULL,
	mixed boolean NOT NULL,
	segment text COLLATE "C",
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	clicked_requests bigint NOT NULL,
	latency bigint NOT NULL,
	timed_requests bigint NOT NULL,
	orders numeric NOT NULL,
	revenue numeric NOT NULL,
	all_orders bigint NOT NULL,
	all_revenue numeric NOT NULL,
	pre_requests bigint NOT NULL,
	pre_impressions bigint NOT NULL,
	pre_clicks bigint NOT NULL,
	pre_carts bigint NOT NULL,
	pre_clicked_requests bigint NOT NULL,
	pre_orders bigint NOT NULL,
	pre_revenue numeric NOT NULL,
	PRIMARY KEY (experiment, unit))
	WITH (fillfactor = 80);
ALTER TABLE recsys.experiment_unit OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_unit IS 'what each unit of an experiment has done until the last closed day';
COMMENT ON COLUMN recsys.experiment_unit.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_unit.unit IS 'user or session, as the log has it';
COMMENT ON COLUMN recsys.experiment_unit.first_time IS 'time of its first request';
COMMENT ON COLUMN recsys.experiment_unit.variant IS 'the variant that it has got';
COMMENT ON COLUMN recsys.experiment_unit.mixed IS 'it has got others, too, and counts for none';
COMMENT ON COLUMN recsys.experiment_unit.segment IS 'segment of its first request';
COMMENT ON COLUMN recsys.experiment_unit.requests IS 'requests';
COMMENT ON COLUMN recsys.experiment_unit.impressions IS 'items in their lists';
COMMENT ON COLUMN recsys.experiment_unit.clicks IS 'clicks on them';
COMMENT ON COLUMN recsys.experiment_unit.carts IS 'add-to-carts of them';
COMMENT ON COLUMN recsys.experiment_unit.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.experiment_unit.latency IS 'microseconds that requests have taken';
COMMENT ON COLUMN recsys.experiment_unit.timed_requests IS 'requests of which that is known';
COMMENT ON COLUMN recsys.experiment_unit.orders IS 'purchases attributed to requests';
COMMENT ON COLUMN recsys.experiment_unit.revenue IS 'their amounts';
COMMENT ON COLUMN recsys.experiment_unit.all_orders IS 'purchases since the first request';
COMMENT ON COLUMN recsys.experiment_unit.all_revenue IS 'their amounts';
COMMENT ON COLUMN recsys.experiment_unit.pre_requests IS 'requests in the time before the first one';
COMMENT ON COLUMN recsys.experiment_unit.pre_impressions IS 'items in their lists';
COMMENT ON COLUMN recsys.experiment_unit.pre_clicks IS 'clicks on them, before the first request';
COMMENT ON COLUMN recsys.experiment_unit.pre_carts IS 'add-to-carts of them, before the first request';
COMMENT ON COLUMN recsys.experiment_unit.pre_clicked_requests IS 'requests of that time with a click';
COMMENT ON COLUMN recsys.experiment_unit.pre_orders IS 'purchases of that time';
COMMENT ON COLUMN recsys.experiment_unit.pre_revenue IS 'their amounts';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_unit', '');

CREATE TABLE recsys.experiment_day (
	experiment text COLLATE "C" NOT NULL,
	day date NOT NULL,
	until timestamptz NOT NULL,
	closed boolean NOT NULL,
	mixed bigint NOT NULL,
	lacks_segments boolean NOT NULL,
	PRIMARY KEY (experiment, day));
ALTER TABLE recsys.experiment_day OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_day IS 'the days whose sums are in recsys.experiment_sums; days are those of UTC';
COMMENT ON COLUMN recsys.experiment_day.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_day.day IS 'the day';
COMMENT ON COLUMN recsys.experiment_day.until IS 'what happened before is in the sums';
COMMENT ON COLUMN recsys.experiment_day.closed IS 'the sums are final';
COMMENT ON COLUMN recsys.experiment_day.mixed IS 'units in several variants, which are left out';
COMMENT ON COLUMN recsys.experiment_day.lacks_segments IS 'there are too many segments to be summed';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_day', '');

CREATE TABLE recsys.experiment_sums (
	experiment text COLLATE "C" NOT NULL,
	day date NOT NULL,
	segment text COLLATE "C" NOT NULL,
	variant text COLLATE "C" NOT NULL,
	metric text COLLATE "C" NOT NULL,
	units bigint NOT NULL,
	fresh bigint NOT NULL,
	sums double precision[] NOT NULL,
	PRIMARY KEY (experiment, day, segment, variant, metric));
ALTER TABLE recsys.experiment_sums OWNER TO @extowner@;
COMMENT ON TABLE recsys.experiment_sums IS 'sums over the units of an experiment from its start to the end of a day';
COMMENT ON COLUMN recsys.experiment_sums.experiment IS 'name of the experiment';
COMMENT ON COLUMN recsys.experiment_sums.day IS 'the day, of UTC';
COMMENT ON COLUMN recsys.experiment_sums.segment IS 'the segment; empty: all units';
COMMENT ON COLUMN recsys.experiment_sums.variant IS 'the variant';
COMMENT ON COLUMN recsys.experiment_sums.metric IS 'the metric';
COMMENT ON COLUMN recsys.experiment_sums.units IS 'units of the variant';
COMMENT ON COLUMN recsys.experiment_sums.fresh IS 'those that have come since shares were changed last';
COMMENT ON COLUMN recsys.experiment_sums.sums IS 'of value, denominator, and both from before: four sums, then those of their ten products';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment_sums', '');

CREATE FUNCTION recsys.experiment_results(
	name text,
	source text DEFAULT 'auto',
	at timestamptz DEFAULT NULL)
RETURNS TABLE (metric text, segment text, variant text, control text, users bigint, control_users bigint, value double precision, control_value double precision, lift double precision, lift_low double precision, lift_high double precision, difference double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision, verdict text, sample_ratio_p double precision, is_primary boolean, is_guardrail boolean, method text, computed_from text, as_of timestamptz)
	AS 'MODULE_PATHNAME', 'recsys_experiment_results' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 20;
COMMENT ON FUNCTION recsys.experiment_results(text, text, timestamptz) IS 'what an experiment says: each metric of each variant beside that of the control, for all units and by segment';

CREATE FUNCTION recsys.experiment_history(name text)
RETURNS TABLE ("time" timestamptz, metric text, segment text, variant text, control text, users bigint, control_users bigint, value double precision, control_value double precision, lift double precision, lift_low double precision, lift_high double precision, difference double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision, verdict text, sample_ratio_p double precision, is_primary boolean, is_guardrail boolean, method text)
	AS 'MODULE_PATHNAME', 'recsys_experiment_history' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 200;
COMMENT ON FUNCTION recsys.experiment_history(text) IS 'what an experiment said at the end of each day, from the sums that are kept';

CREATE FUNCTION recsys.refresh_experiment(name text, since timestamptz DEFAULT NULL)
RETURNS integer
	AS 'MODULE_PATHNAME', 'recsys_refresh_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000;
COMMENT ON FUNCTION recsys.refresh_experiment(text, timestamptz) IS 'brings the daily sums of an experiment up to date, those from a time on anew if it is given; returns how many days it has summed';

CREATE FUNCTION recsys.experiment_power(
	name text,
	effect double precision DEFAULT 0.05,
	power double precision DEFAULT 0.8,
	source text DEFAULT 'auto')
RETURNS TABLE (metric text, variant text, users bigint, users_a_day double precision, baseline double precision, deviation double precision, effect_asked double precision, power_now double precision, users_needed double precision, days_left double precision, detectable_effect double precision, is_primary boolean)
	AS 'MODULE_PATHNAME', 'recsys_experiment_power' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.experiment_power(text, double precision, double precision, text) IS 'how long an experiment has to go on to find an effect, given as a part of the control''s value, with that probability';

CREATE FUNCTION recsys.find_experiment_alerts()
RETURNS TABLE (experiment text, alert text, severity text, since timestamptz, detail text)
	AS 'MODULE_PATHNAME', 'recsys_experiment_alerts' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.find_experiment_alerts() IS 'what recsys.experiment_alerts shows';

CREATE VIEW recsys.experiment_alerts AS
	SELECT experiment, alert, severity, since, detail FROM recsys.find_experiment_alerts();
COMMENT ON VIEW recsys.experiment_alerts IS 'what is wrong with the experiments that you own; no row: nothing';
COMMENT ON COLUMN recsys.experiment_alerts.experiment IS 'name of the experiment; NULL: the log as a whole';
COMMENT ON COLUMN recsys.experiment_alerts.alert IS 'sample ratio mismatch, guardrail worse, units in two variants, logging gap, events without request, latency missing, past its size, too many segments, no results, refresh failed, not refreshed';
COMMENT ON COLUMN recsys.experiment_alerts.severity IS 'error: do not trust it, or stop it; warning: look at it; info';
COMMENT ON COLUMN recsys.experiment_alerts.since IS 'since when; NULL: not known';
COMMENT ON COLUMN recsys.experiment_alerts.detail IS 'the figures';
GRANT SELECT ON recsys.experiment_alerts TO PUBLIC;
/*
 * Bandits
 *
 * What is declared is a row of recsys.bandit.  What is learned comes in as rows of
 * recsys.bandit_delta, which are only inserted, so that nobody waits for anybody; whoever gets the
 * bandit's lock without waiting folds them into recsys.bandit_state.  All of it is dumped: a bandit
 * that is restored goes on with what it has learned.
 */

/*
 * Written by the functions below alone; names, so that a dump brings it along.  Candidates are read with
 * the rights of the row's owner, so the table is not that of the extension's owner: he might write
 * another role there.
 */
CREATE TABLE recsys.bandit (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),
	generation uuid NOT NULL DEFAULT gen_random_uuid(),
	counted_since timestamptz NOT NULL DEFAULT clock_timestamp(),
	features_since timestamptz NOT NULL DEFAULT clock_timestamp());
COMMENT ON TABLE recsys.bandit IS 'bandits, as recsys.create_bandit has made them; recsys.bandits shows them';
COMMENT ON COLUMN recsys.bandit.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.bandit.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.bandit.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.bandit.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.bandit.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.bandit.generation IS 'what its counts are found by: another one when it has been reset';
COMMENT ON COLUMN recsys.bandit.counted_since IS 'when it began to count: what requests before that bring is not its';
COMMENT ON COLUMN recsys.bandit.features_since IS 'since when its features are what they are';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit', '');
CREATE TRIGGER bandit_owner BEFORE INSERT OR UPDATE ON recsys.bandit
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.bandit TO @extowner@;

CREATE TABLE recsys.bandit_state (
	generation uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	trials double precision NOT NULL,
	rewards double precision NOT NULL,
	squares double precision NOT NULL,
	sums double precision[],
	as_of timestamptz NOT NULL,
	retired_at timestamptz,
	PRIMARY KEY (generation, arm, place));
ALTER TABLE recsys.bandit_state OWNER TO @extowner@;
COMMENT ON TABLE recsys.bandit_state IS 'what bandits have learned of their arms; recsys.bandit_arms shows it';
COMMENT ON COLUMN recsys.bandit_state.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_state.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_state.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_state.trials IS 'how often it was shown, decayed';
COMMENT ON COLUMN recsys.bandit_state.rewards IS 'what that has brought, decayed';
COMMENT ON COLUMN recsys.bandit_state.squares IS 'sum of the squares of what each of them has brought, decayed';
COMMENT ON COLUMN recsys.bandit_state.sums IS 'of policies with features: trials, sums of reward times feature, and of products of features';
COMMENT ON COLUMN recsys.bandit_state.as_of IS 'when all of this was so: it decays from then on';
COMMENT ON COLUMN recsys.bandit_state.retired_at IS 'since when the item is no candidate any more';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_state', '');

CREATE TABLE recsys.bandit_delta (
	generation uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	request_id uuid NOT NULL,
	request_time timestamptz NOT NULL,
	reward double precision,
	features double precision[]);
ALTER TABLE recsys.bandit_delta OWNER TO @extowner@;
CREATE INDEX bandit_delta_generation ON recsys.bandit_delta (generation);
COMMENT ON TABLE recsys.bandit_delta IS 'trials and rewards that are not yet in recsys.bandit_state';
COMMENT ON COLUMN recsys.bandit_delta.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_delta.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_delta.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_delta.request_id IS 'request';
COMMENT ON COLUMN recsys.bandit_delta.request_time IS 'when that was';
COMMENT ON COLUMN recsys.bandit_delta.reward IS 'what it has brought; NULL: it was shown';
COMMENT ON COLUMN recsys.bandit_delta.features IS 'what the policy has seen of the context';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_delta', '');
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.bandit_delta REPLICA IDENTITY FULL;

CREATE TABLE recsys.bandit_paid (
	generation uuid NOT NULL,
	request_id uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	request_time timestamptz NOT NULL,
	paid double precision NOT NULL,
	PRIMARY KEY (generation, request_id, arm, place));
ALTER TABLE recsys.bandit_paid OWNER TO @extowner@;
COMMENT ON TABLE recsys.bandit_paid IS 'what each request has brought so far, so that a second click on one list is known to be one; rows are kept for 60 days';
COMMENT ON COLUMN recsys.bandit_paid.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_paid.request_id IS 'request';
COMMENT ON COLUMN recsys.bandit_paid.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_paid.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_paid.request_time IS 'when the request was';
COMMENT ON COLUMN recsys.bandit_paid.paid IS 'the sum of its rewards that is in recsys.bandit_state';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_paid', '');

CREATE FUNCTION recsys.create_bandit(
	name text,
	arms text[] DEFAULT NULL,
	policy text DEFAULT NULL,
	reward jsonb DEFAULT NULL,
	epsilon double precision DEFAULT NULL,
	half_life interval DEFAULT NULL,
	features jsonb DEFAULT NULL,
	prior jsonb DEFAULT NULL,
	exploration double precision DEFAULT NULL,
	minimum_share double precision DEFAULT NULL,
	recommender text DEFAULT NULL,
	places integer[] DEFAULT NULL,
	candidates text DEFAULT NULL,
	tolerance double precision DEFAULT NULL,
	seed bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_bandit(text, text[], text, jsonb, double precision, interval, jsonb, jsonb, double precision, double precision, text, integer[], text, double precision, bigint)
	IS 'declares a bandit: a name for recommend under which the better one of several recommenders is found by showing them, or the better ones of new items at places of a list';

CREATE FUNCTION recsys.alter_bandit(
	name text,
	arms text[] DEFAULT NULL,
	policy text DEFAULT NULL,
	reward jsonb DEFAULT NULL,
	epsilon double precision DEFAULT NULL,
	half_life interval DEFAULT NULL,
	features jsonb DEFAULT NULL,
	prior jsonb DEFAULT NULL,
	exploration double precision DEFAULT NULL,
	minimum_share double precision DEFAULT NULL,
	recommender text DEFAULT NULL,
	places integer[] DEFAULT NULL,
	candidates text DEFAULT NULL,
	tolerance double precision DEFAULT NULL,
	seed bigint DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_name text DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_bandit(text, text[], text, jsonb, double precision, interval, jsonb, jsonb, double precision, double precision, text, integer[], text, double precision, bigint, text[], text, text)
	IS 'changes a bandit, which goes on with what it has learned; what is NULL stays as it is, reset names the parameters to do without';

CREATE FUNCTION recsys.reset_bandit(name text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_reset_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.reset_bandit(text) IS 'a bandit forgets what it has learned; what requests before that still bring is not counted';

CREATE FUNCTION recsys.drop_bandit(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_bandit(text, boolean) IS 'removes a bandit and what it has learned; recommenders and the log stay';

CREATE FUNCTION recsys.fold_bandits()
RETURNS integer
	AS 'MODULE_PATHNAME', 'recsys_fold_bandits' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.fold_bandits() IS 'folds trials and rewards that have come in into the states of all bandits, as serving and recsys.maintain() do now and then; returns how many bandits had some';

CREATE FUNCTION recsys.bandit_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_bandit_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.bandit_problem(text) IS 'why you cannot use a bandit as it is, or NULL: what is gone, has another type, or may not be read by you';

CREATE FUNCTION recsys.bandit_choice(
	name text,
	user_id anycompatible,
	session_id text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (arm text, propensity double precision, policy text, features double precision[])
	AS 'MODULE_PATHNAME', 'recsys_bandit_choice' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION recsys.bandit_choice(text, anycompatible, text, jsonb) IS 'the arm that a bandit chooses now, how likely that was, and what of the context it has looked at: for applications that show and log by themselves';

CREATE FUNCTION recsys.bandit_arm_rows(name text)
RETURNS TABLE (arm text, place integer, trials double precision, rewards double precision,
	mean double precision, mean_low double precision, mean_high double precision,
	probability double precision, retired_at timestamptz, is_current boolean)
	AS 'MODULE_PATHNAME', 'recsys_bandit_arm_rows' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION recsys.bandit_arm_rows(text) IS 'what a bandit of yours has learned, arm by arm: recsys.bandit_arms has that of all';

CREATE VIEW recsys.bandits AS
SELECT b.name, b.owner,
	   CASE WHEN b.definition ? 'arms' THEN ARRAY(SELECT jsonb_array_elements_text(b.definition -> 'arms')) END AS arms,
	   b.definition ->> 'policy' AS policy,
	   b.definition -> 'reward' AS reward,
	   (b.definition ->> 'epsilon')::double precision AS epsilon,
	   (b.definition ->> 'half_life')::interval AS half_life,
	   b.definition -> 'features' AS features,
	   b.definition -> 'prior' AS prior,
	   (b.definition ->> 'exploration')::double precision AS exploration,
	   (b.definition ->> 'minimum_share')::double precision AS minimum_share,
	   b.definition ->> 'recommender' AS recommender,
	   CASE WHEN b.definition ? 'places' THEN ARRAY(SELECT p::integer FROM jsonb_array_elements_text(b.definition -> 'places') p) END AS places,
	   b.definition ->> 'candidates' AS candidates,
	   (b.definition ->> 'tolerance')::double precision AS tolerance,
	   (b.definition ->> 'seed')::bigint AS seed,
	   b.created_at, b.changed_at, b.counted_since,
	   recsys.bandit_problem(b.name) AS problem
FROM recsys.bandit b
WHERE EXISTS (SELECT FROM pg_roles r WHERE r.rolname = b.owner AND pg_has_role(r.oid, 'USAGE')) OR pg_has_role('pg_read_all_data', 'USAGE')
	OR pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = 'recsys.bandit_state'::regclass), 'USAGE');
GRANT SELECT ON recsys.bandits TO PUBLIC;
COMMENT ON VIEW recsys.bandits IS 'your bandits, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.bandits.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.bandits.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.bandits.arms IS 'recommenders that it chooses from';
COMMENT ON COLUMN recsys.bandits.policy IS 'how it chooses';
COMMENT ON COLUMN recsys.bandits.reward IS 'kinds of events, and what each pays';
COMMENT ON COLUMN recsys.bandits.epsilon IS 'how often epsilon_greedy chooses any arm';
COMMENT ON COLUMN recsys.bandits.half_life IS 'after that time a trial counts half';
COMMENT ON COLUMN recsys.bandits.features IS 'what linucb and linear_thompson look at';
COMMENT ON COLUMN recsys.bandits.prior IS 'what is believed of an arm that was never shown';
COMMENT ON COLUMN recsys.bandits.exploration IS 'how far ucb1, linucb and linear_thompson go for what is not known';
COMMENT ON COLUMN recsys.bandits.minimum_share IS 'how likely each arm is at least; of places: the item of the base list';
COMMENT ON COLUMN recsys.bandits.recommender IS 'whose list has places to be filled';
COMMENT ON COLUMN recsys.bandits.places IS 'those places';
COMMENT ON COLUMN recsys.bandits.candidates IS 'which items they are for';
COMMENT ON COLUMN recsys.bandits.tolerance IS 'how much worse than the base list a candidate may be before it is retired';
COMMENT ON COLUMN recsys.bandits.seed IS 'of what is drawn at random: choices can be repeated';
COMMENT ON COLUMN recsys.bandits.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.bandits.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.bandits.counted_since IS 'since when it learns: its creation or last reset';
COMMENT ON COLUMN recsys.bandits.problem IS 'why you cannot use it as it is, or NULL';

CREATE VIEW recsys.bandit_arms AS
SELECT b.name AS bandit, a.arm, a.place, a.trials, a.rewards, a.mean, a.mean_low, a.mean_high,
	   a.probability, a.retired_at, a.is_current
FROM recsys.bandits b, LATERAL recsys.bandit_arm_rows(b.name) a;
GRANT SELECT ON recsys.bandit_arms TO PUBLIC;
COMMENT ON VIEW recsys.bandit_arms IS 'what your bandits have learned: a row for each arm, or for each candidate and place';
COMMENT ON COLUMN recsys.bandit_arms.bandit IS 'bandit';
COMMENT ON COLUMN recsys.bandit_arms.arm IS 'recommender; of places an item, or NULL for the base list at that place';
COMMENT ON COLUMN recsys.bandit_arms.place IS 'place of the list, NULL: the list as a whole';
COMMENT ON COLUMN recsys.bandit_arms.trials IS 'how often it was shown, decayed';
COMMENT ON COLUMN recsys.bandit_arms.rewards IS 'what that has brought, decayed';
COMMENT ON COLUMN recsys.bandit_arms.mean IS 'reward of a trial';
COMMENT ON COLUMN recsys.bandit_arms.mean_low IS 'lower end of the 95 % interval of the mean';
COMMENT ON COLUMN recsys.bandit_arms.mean_high IS 'its upper end';
COMMENT ON COLUMN recsys.bandit_arms.probability IS 'how likely it is chosen now; NULL where that depends on the context';
COMMENT ON COLUMN recsys.bandit_arms.retired_at IS 'since when it is no candidate any more';
COMMENT ON COLUMN recsys.bandit_arms.is_current IS 'is it one of the arms or candidates now?';
/*
 * What a policy would have been worth
 */
CREATE FUNCTION recsys.off_policy_estimate(
	query text,
	estimators text[] DEFAULT NULL,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	clip double precision DEFAULT NULL,
	interval_method text DEFAULT 'bootstrap',
	by_position boolean DEFAULT false,
	per_request boolean DEFAULT false,
	min_effective double precision DEFAULT 30)
RETURNS TABLE (estimator text, "position" integer, value double precision, ci_low double precision, ci_high double precision,
	ci_method text, effective_rows double precision, rows bigint, requests bigint, units bigint, mean_weight double precision,
	largest_share double precision, clip_used double precision, bias_bound double precision, status text)
	AS 'MODULE_PATHNAME', 'recsys_off_policy_estimate' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 9;
COMMENT ON FUNCTION recsys.off_policy_estimate(text, text[], double precision, integer, bigint, double precision, text, boolean, boolean, double precision)
	IS 'what a policy would have been worth, from a query that returns what another one has shown: reward, propensity, target_probability and more, by their names';

/* lists of today, by the functions of this extension whatever the search path; with the rights of who calls */
CREATE FUNCTION recsys.off_policy_list(user_id text, k bigint, recommender text, exclude_seen boolean)
RETURNS TABLE (item_id text, rank integer)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000 ROWS 10
BEGIN ATOMIC
	SELECT r.item_id, r.rank
	FROM recommend(user_id => $1, k => $2, recommender => $3, item_type => NULL::text, exclude_seen => $4, half_life => NULL::interval) r
	ORDER BY r.rank;
END;
COMMENT ON FUNCTION recsys.off_policy_list(text, bigint, text, boolean) IS 'what recommend answers to a user whose key is given as text; recsys.off_policy_value asks it';

CREATE FUNCTION recsys.off_policy_value(
	recommender text,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	metric text DEFAULT 'ctr',
	k integer DEFAULT 10,
	estimators text[] DEFAULT NULL,
	max_requests integer DEFAULT 10000,
	logged_by text DEFAULT NULL,
	exclude_seen boolean DEFAULT true,
	confidence double precision DEFAULT 0.95,
	resamples integer DEFAULT 1000,
	seed bigint DEFAULT 0,
	clip double precision DEFAULT NULL,
	interval_method text DEFAULT 'bootstrap',
	by_position boolean DEFAULT false,
	min_effective double precision DEFAULT 30)
RETURNS TABLE (estimator text, "position" integer, value double precision, ci_low double precision, ci_high double precision,
	ci_method text, effective_rows double precision, rows bigint, requests bigint, units bigint, mean_weight double precision,
	largest_share double precision, clip_used double precision, bias_bound double precision, status text)
	AS 'MODULE_PATHNAME', 'recsys_off_policy_value' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 9;
COMMENT ON FUNCTION recsys.off_policy_value(text, timestamptz, timestamptz, text, integer, text[], integer, text, boolean, double precision, integer, bigint, double precision, text, boolean, double precision)
	IS 'what a recommender would have been worth in the place of those that were logged: by its own lists where it was an arm of an experiment or a bandit, else place by place with its lists of today';
/*
 * Metrics of the business
 *
 * Days of the log, in UTC, are computed once into tables and again as long as orders may still be
 * attributed to their requests: src/api/metrics/refreshing.c.  The views add what is divided, and
 * show what you may see.  Columns of views are only ever appended, and mean what they mean for good.
 */

CREATE TABLE recsys.metrics_day (
	day date PRIMARY KEY,
	refreshed_at timestamptz NOT NULL,
	is_final boolean NOT NULL);
ALTER TABLE recsys.metrics_day OWNER TO @extowner@;
COMMENT ON TABLE recsys.metrics_day IS 'days of the log that the tables daily_... and hourly_... have';
COMMENT ON COLUMN recsys.metrics_day.day IS 'day in UTC';
COMMENT ON COLUMN recsys.metrics_day.refreshed_at IS 'as of when it has been computed';
COMMENT ON COLUMN recsys.metrics_day.is_final IS 'the attribution window of all of its requests had passed: it is not computed again';
SELECT pg_catalog.pg_extension_config_dump('recsys.metrics_day', '');

CREATE TABLE recsys.daily_request (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	segment text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric,
	clicked_requests bigint NOT NULL,
	ordered_requests bigint,
	ordered_users bigint);
ALTER TABLE recsys.daily_request OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_request IS 'rows of recsys.metrics_daily';
COMMENT ON COLUMN recsys.daily_request.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_request.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_request.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_request.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_request.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.daily_request.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.daily_request.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_request.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.daily_request.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_request.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_request.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_request.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.daily_request.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.daily_request.ordered_requests IS 'requests that an order is attributed to';
COMMENT ON COLUMN recsys.daily_request.ordered_users IS 'users that an order is attributed to';
CREATE INDEX ON recsys.daily_request (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_request', '');
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.daily_request REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_position (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	position integer NOT NULL,
	impressions bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.daily_position OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_position IS 'rows of recsys.metrics_positions_daily';
COMMENT ON COLUMN recsys.daily_position.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_position.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_position.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_position.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_position.position IS 'place in the list, from 1';
COMMENT ON COLUMN recsys.daily_position.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_position.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_position.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_position.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_position.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.daily_position (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_position', '');
ALTER TABLE recsys.daily_position REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_item (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	item_id text NOT NULL,
	impressions bigint NOT NULL,
	exposure double precision NOT NULL,
	expected_clicks double precision NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric,
	category text,
	seller text,
	is_new boolean,
	is_new_seller boolean,
	user_share double precision,
	popularity double precision);
ALTER TABLE recsys.daily_item OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_item IS 'rows of recsys.metrics_items_daily';
COMMENT ON COLUMN recsys.daily_item.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_item.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_item.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_item.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_item.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.daily_item.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_item.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.daily_item.expected_clicks IS 'clicks that any item would have got at these places: the day''s click rates of the places, added up';
COMMENT ON COLUMN recsys.daily_item.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_item.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_item.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_item.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.daily_item.category IS 'category of the item, as the recommender declares it; NULL: not declared, or not known';
COMMENT ON COLUMN recsys.daily_item.seller IS 'likewise its seller';
COMMENT ON COLUMN recsys.daily_item.is_new IS 'likewise, by new_item_since';
COMMENT ON COLUMN recsys.daily_item.is_new_seller IS 'likewise of its seller, by new_seller_since';
COMMENT ON COLUMN recsys.daily_item.user_share IS 'share of the users of the first signal that have the item, of nobody as of one; NULL: not known';
COMMENT ON COLUMN recsys.daily_item.popularity IS 'share of the other items that fewer users have: 1 is the most popular one, 0 the least';
CREATE INDEX ON recsys.daily_item (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_item', '');
ALTER TABLE recsys.daily_item REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_catalogue (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	items_shown bigint NOT NULL,
	catalogue_items bigint,
	gini double precision,
	herfindahl double precision,
	categories_per_list double precision,
	novelty double precision,
	popularity_shown double precision,
	popularity_clicked double precision,
	popularity_ordered double precision,
	new_items_shown double precision,
	new_items_clicked double precision,
	new_items_ordered double precision,
	new_sellers_shown double precision,
	new_sellers_clicked double precision,
	new_sellers_ordered double precision,
	sellers_shown bigint,
	catalogue_sellers bigint,
	seller_gini double precision,
	repeated_impressions bigint NOT NULL);
ALTER TABLE recsys.daily_catalogue OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_catalogue IS 'rows of recsys.metrics_catalogue_daily';
COMMENT ON COLUMN recsys.daily_catalogue.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_catalogue.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_catalogue.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_catalogue.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_catalogue.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.daily_catalogue.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_catalogue.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.daily_catalogue.items_shown IS 'different items shown';
COMMENT ON COLUMN recsys.daily_catalogue.catalogue_items IS 'items that may be shown, and those that were; NULL: not known';
COMMENT ON COLUMN recsys.daily_catalogue.gini IS 'how unequally impressions are spread over them, 0 to 1; over the items shown where the catalogue is not known';
COMMENT ON COLUMN recsys.daily_catalogue.herfindahl IS 'sum of the squares of the items'' shares of impressions';
COMMENT ON COLUMN recsys.daily_catalogue.categories_per_list IS 'mean number of different categories of a list, of lists with any';
COMMENT ON COLUMN recsys.daily_catalogue.novelty IS 'mean over impressions of -log2(share of users that have the item)';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_shown IS 'mean popularity of what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_clicked IS 'mean popularity of what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.popularity_ordered IS 'mean popularity of what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_shown IS 'share of new items in what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_clicked IS 'share of new items in what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.new_items_ordered IS 'share of new items in what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_shown IS 'share of new sellers'' items in what was shown';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_clicked IS 'share of new sellers'' items in what was clicked';
COMMENT ON COLUMN recsys.daily_catalogue.new_sellers_ordered IS 'share of new sellers'' items in what was bought';
COMMENT ON COLUMN recsys.daily_catalogue.sellers_shown IS 'different sellers shown; NULL: no seller is known';
COMMENT ON COLUMN recsys.daily_catalogue.catalogue_sellers IS 'sellers of items that may be shown, and of those that were';
COMMENT ON COLUMN recsys.daily_catalogue.seller_gini IS 'how unequally exposure is spread over them, 0 to 1';
COMMENT ON COLUMN recsys.daily_catalogue.repeated_impressions IS 'impressions of an item that the same user was shown before that day, and did not take all day';
CREATE INDEX ON recsys.daily_catalogue (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_catalogue', '');
ALTER TABLE recsys.daily_catalogue REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_seller (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	seller text NOT NULL,
	is_new boolean,
	items_shown bigint NOT NULL,
	impressions bigint NOT NULL,
	exposure double precision NOT NULL,
	exposure_share double precision,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.daily_seller OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_seller IS 'rows of recsys.metrics_sellers_daily';
COMMENT ON COLUMN recsys.daily_seller.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_seller.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_seller.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_seller.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_seller.seller IS 'seller, as the recommender declares it';
COMMENT ON COLUMN recsys.daily_seller.is_new IS 'whether it is new, by new_seller_since; NULL: not declared';
COMMENT ON COLUMN recsys.daily_seller.items_shown IS 'different items of it shown';
COMMENT ON COLUMN recsys.daily_seller.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.daily_seller.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.daily_seller.exposure_share IS 'share of that in the exposure of all sellers';
COMMENT ON COLUMN recsys.daily_seller.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.daily_seller.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.daily_seller.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.daily_seller.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.daily_seller (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_seller', '');
ALTER TABLE recsys.daily_seller REPLICA IDENTITY FULL;

CREATE TABLE recsys.daily_latency (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	mean_ms double precision,
	p50_ms double precision,
	p95_ms double precision,
	p99_ms double precision,
	max_ms double precision);
ALTER TABLE recsys.daily_latency OWNER TO @extowner@;
COMMENT ON TABLE recsys.daily_latency IS 'rows of recsys.metrics_latency_daily';
COMMENT ON COLUMN recsys.daily_latency.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.daily_latency.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.daily_latency.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.daily_latency.variant IS 'its variant';
COMMENT ON COLUMN recsys.daily_latency.requests IS 'requests whose latency is known';
COMMENT ON COLUMN recsys.daily_latency.mean_ms IS 'mean milliseconds to make a list';
COMMENT ON COLUMN recsys.daily_latency.p50_ms IS 'median, exact';
COMMENT ON COLUMN recsys.daily_latency.p95_ms IS 'so many milliseconds or fewer in 95 of 100 requests, exact';
COMMENT ON COLUMN recsys.daily_latency.p99_ms IS 'likewise in 99 of 100';
COMMENT ON COLUMN recsys.daily_latency.max_ms IS 'the most';
CREATE INDEX ON recsys.daily_latency (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.daily_latency', '');
ALTER TABLE recsys.daily_latency REPLICA IDENTITY FULL;

CREATE TABLE recsys.hourly_request (
	time timestamptz NOT NULL,
	recommender text NOT NULL,
	experiment text,
	variant text,
	requests bigint NOT NULL,
	impressions bigint NOT NULL,
	users bigint NOT NULL,
	clicks bigint NOT NULL,
	carts bigint NOT NULL,
	orders numeric,
	revenue numeric);
ALTER TABLE recsys.hourly_request OWNER TO @extowner@;
COMMENT ON TABLE recsys.hourly_request IS 'rows of recsys.metrics_hourly';
COMMENT ON COLUMN recsys.hourly_request.time IS 'the hour of the requests: its beginning';
COMMENT ON COLUMN recsys.hourly_request.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.hourly_request.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.hourly_request.variant IS 'its variant';
COMMENT ON COLUMN recsys.hourly_request.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.hourly_request.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.hourly_request.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.hourly_request.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.hourly_request.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.hourly_request.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.hourly_request.revenue IS 'their amounts; NULL: these are not declared';
CREATE INDEX ON recsys.hourly_request (time);
SELECT pg_catalog.pg_extension_config_dump('recsys.hourly_request', '');
ALTER TABLE recsys.hourly_request REPLICA IDENTITY FULL;

CREATE FUNCTION recsys.refresh_metrics(since date DEFAULT NULL)
RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_refresh_metrics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.refresh_metrics(date) IS 'brings the metrics up to date: today, days to whose requests orders may still be attributed, and all from since on; returns how many days were computed, NULL if another session is at it; for the owner of the extension';

CREATE FUNCTION recsys.chance_of_so_few(clicks bigint, expected double precision)
RETURNS double precision
	AS 'MODULE_PATHNAME', 'recsys_chance_of_so_few' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION recsys.chance_of_so_few(bigint, double precision) IS 'how likely so few clicks, or fewer, are by chance where so many are expected: the lower tail of the Poisson distribution';

/*
 * What the current user may see: the metrics of what belongs to roles that it has the rights of
 */
CREATE VIEW recsys.metrics_access AS
SELECT pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'recsys.request_log'::regclass), 'USAGE')
	   OR pg_has_role(current_user, 'pg_read_all_data', 'USAGE') AS sees_all,
	   ARRAY(SELECT r.name COLLATE "default" FROM recsys.recommender AS r
			 WHERE pg_has_role(current_user, to_regrole(quote_ident(r.owner))::oid, 'USAGE')
			 UNION ALL
			 SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
			 FROM pg_class AS c JOIN pg_am AS i ON i.oid = c.relam JOIN pg_namespace AS n ON n.oid = c.relnamespace
			 WHERE c.relkind IN ('i', 'I') AND i.amname IN ('recsys', 'recsys_items') AND n.nspname <> 'pg_toast'
			   AND pg_has_role(current_user, c.relowner, 'USAGE')) AS recommenders,
	   ARRAY(SELECT e.name COLLATE "default" FROM recsys.experiment AS e
			 WHERE pg_has_role(current_user, to_regrole(quote_ident(e.owner))::oid, 'USAGE')) AS experiments;
COMMENT ON VIEW recsys.metrics_access IS 'whose metrics the views of metrics show you, one row';
COMMENT ON COLUMN recsys.metrics_access.sees_all IS 'all of them: you have the rights of the owner of the extension, or of pg_read_all_data';
COMMENT ON COLUMN recsys.metrics_access.recommenders IS 'recommenders and indexes whose owner''s rights you have';
COMMENT ON COLUMN recsys.metrics_access.experiments IS 'experiments whose owner''s rights you have';
GRANT SELECT ON recsys.metrics_access TO PUBLIC;

/*
 * The views
 */
CREATE VIEW recsys.metrics_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.segment,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicked_requests,
	   m.ordered_requests,
	   m.ordered_users,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.clicked_requests::double precision / nullif(m.requests, 0)::double precision AS click_rate,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate,
	   m.ordered_users::double precision / nullif(m.users, 0)::double precision AS conversion,
	   m.ordered_requests::double precision / nullif(m.requests, 0)::double precision AS request_conversion,
	   m.revenue::double precision / nullif(m.requests, 0)::double precision AS revenue_per_request,
	   (SELECT d.refreshed_at FROM recsys.metrics_day AS d WHERE d.day = (m.time AT TIME ZONE 'UTC')::date) AS refreshed_at,
	   (SELECT d.is_final FROM recsys.metrics_day AS d WHERE d.day = (m.time AT TIME ZONE 'UTC')::date) AS is_final
FROM recsys.daily_request AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_daily IS 'requests, clicks, orders and revenue by day of the request, recommender, experiment, variant and segment';
COMMENT ON COLUMN recsys.metrics_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_daily.segment IS 'segment of the user, as the experiment has it';
COMMENT ON COLUMN recsys.metrics_daily.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_daily.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_daily.clicked_requests IS 'requests with a click';
COMMENT ON COLUMN recsys.metrics_daily.ordered_requests IS 'requests that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.ordered_users IS 'users that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_daily.click_rate IS 'share of requests with a click';
COMMENT ON COLUMN recsys.metrics_daily.add_to_cart_rate IS 'carts / impressions';
COMMENT ON COLUMN recsys.metrics_daily.conversion IS 'share of users that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.request_conversion IS 'share of requests that an order is attributed to';
COMMENT ON COLUMN recsys.metrics_daily.revenue_per_request IS 'revenue / requests';
COMMENT ON COLUMN recsys.metrics_daily.refreshed_at IS 'as of when the day has been computed';
COMMENT ON COLUMN recsys.metrics_daily.is_final IS 'no more orders can be attributed to its requests';
GRANT SELECT ON recsys.metrics_daily TO PUBLIC;

CREATE VIEW recsys.metrics_positions_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.position,
	   m.impressions,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate
FROM recsys.daily_position AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_positions_daily IS 'impressions, clicks and orders by day of the request and place in the list';
COMMENT ON COLUMN recsys.metrics_positions_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_positions_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_positions_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_positions_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_positions_daily.position IS 'place in the list, from 1';
COMMENT ON COLUMN recsys.metrics_positions_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_positions_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_positions_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_positions_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_positions_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_positions_daily.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_positions_daily.add_to_cart_rate IS 'carts / impressions';
GRANT SELECT ON recsys.metrics_positions_daily TO PUBLIC;

CREATE VIEW recsys.metrics_items_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.item_id,
	   m.impressions,
	   m.exposure,
	   m.expected_clicks,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.category,
	   m.seller,
	   m.is_new,
	   m.is_new_seller,
	   m.user_share,
	   m.popularity,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr
FROM recsys.daily_item AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_items_daily IS 'impressions, clicks and orders by day of the request and item, with what was known of the item that day';
COMMENT ON COLUMN recsys.metrics_items_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_items_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_items_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_items_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_items_daily.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.metrics_items_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_items_daily.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.metrics_items_daily.expected_clicks IS 'clicks that any item would have got at these places: the day''s click rates of the places, added up';
COMMENT ON COLUMN recsys.metrics_items_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_items_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_items_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_items_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_items_daily.category IS 'category of the item, as the recommender declares it; NULL: not declared, or not known';
COMMENT ON COLUMN recsys.metrics_items_daily.seller IS 'likewise its seller';
COMMENT ON COLUMN recsys.metrics_items_daily.is_new IS 'likewise, by new_item_since';
COMMENT ON COLUMN recsys.metrics_items_daily.is_new_seller IS 'likewise of its seller, by new_seller_since';
COMMENT ON COLUMN recsys.metrics_items_daily.user_share IS 'share of the users of the first signal that have the item, of nobody as of one; NULL: not known';
COMMENT ON COLUMN recsys.metrics_items_daily.popularity IS 'share of the other items that fewer users have: 1 is the most popular one, 0 the least';
COMMENT ON COLUMN recsys.metrics_items_daily.ctr IS 'clicks / impressions';
GRANT SELECT ON recsys.metrics_items_daily TO PUBLIC;

CREATE VIEW recsys.metrics_catalogue_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.items_shown,
	   m.catalogue_items,
	   m.gini,
	   m.herfindahl,
	   m.categories_per_list,
	   m.novelty,
	   m.popularity_shown,
	   m.popularity_clicked,
	   m.popularity_ordered,
	   m.new_items_shown,
	   m.new_items_clicked,
	   m.new_items_ordered,
	   m.new_sellers_shown,
	   m.new_sellers_clicked,
	   m.new_sellers_ordered,
	   m.sellers_shown,
	   m.catalogue_sellers,
	   m.seller_gini,
	   m.repeated_impressions,
	   m.items_shown::double precision / nullif(m.catalogue_items, 0)::double precision AS coverage,
	   1 - m.herfindahl AS diversity,
	   m.popularity_shown - m.popularity_ordered AS popularity_bias,
	   m.repeated_impressions::double precision / nullif(m.impressions, 0)::double precision AS fatigue
FROM recsys.daily_catalogue AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_catalogue_daily IS 'over how much of the catalogue, and over which items and sellers, the lists of a day were spread';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.items_shown IS 'different items shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.catalogue_items IS 'items that may be shown, and those that were; NULL: not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.gini IS 'how unequally impressions are spread over them, 0 to 1; over the items shown where the catalogue is not known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.herfindahl IS 'sum of the squares of the items'' shares of impressions';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.categories_per_list IS 'mean number of different categories of a list, of lists with any';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.novelty IS 'mean over impressions of -log2(share of users that have the item)';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_shown IS 'mean popularity of what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_clicked IS 'mean popularity of what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_ordered IS 'mean popularity of what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_shown IS 'share of new items in what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_clicked IS 'share of new items in what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_items_ordered IS 'share of new items in what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_shown IS 'share of new sellers'' items in what was shown';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_clicked IS 'share of new sellers'' items in what was clicked';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.new_sellers_ordered IS 'share of new sellers'' items in what was bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.sellers_shown IS 'different sellers shown; NULL: no seller is known';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.catalogue_sellers IS 'sellers of items that may be shown, and of those that were';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.seller_gini IS 'how unequally exposure is spread over them, 0 to 1';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.repeated_impressions IS 'impressions of an item that the same user was shown before that day, and did not take all day';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.coverage IS 'items shown / items of the catalogue';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.diversity IS '1 - Herfindahl: how likely two impressions are of different items';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.popularity_bias IS 'how much more popular what is shown is than what is bought';
COMMENT ON COLUMN recsys.metrics_catalogue_daily.fatigue IS 'share of impressions that repeat in vain what the same user was shown before that day';
GRANT SELECT ON recsys.metrics_catalogue_daily TO PUBLIC;

CREATE VIEW recsys.metrics_sellers_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.seller,
	   m.is_new,
	   m.items_shown,
	   m.impressions,
	   m.exposure,
	   m.exposure_share,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr
FROM recsys.daily_seller AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_sellers_daily IS 'exposure, clicks and orders by day of the request and seller';
COMMENT ON COLUMN recsys.metrics_sellers_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_sellers_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_sellers_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_sellers_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_sellers_daily.seller IS 'seller, as the recommender declares it';
COMMENT ON COLUMN recsys.metrics_sellers_daily.is_new IS 'whether it is new, by new_seller_since; NULL: not declared';
COMMENT ON COLUMN recsys.metrics_sellers_daily.items_shown IS 'different items of it shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.exposure IS 'impressions, each as far as its place is looked at: 1 / log2(1 + position)';
COMMENT ON COLUMN recsys.metrics_sellers_daily.exposure_share IS 'share of that in the exposure of all sellers';
COMMENT ON COLUMN recsys.metrics_sellers_daily.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_sellers_daily.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_sellers_daily.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_sellers_daily.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_sellers_daily.ctr IS 'clicks / impressions';
GRANT SELECT ON recsys.metrics_sellers_daily TO PUBLIC;

CREATE VIEW recsys.metrics_latency_daily WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.mean_ms,
	   m.p50_ms,
	   m.p95_ms,
	   m.p99_ms,
	   m.max_ms
FROM recsys.daily_latency AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_latency_daily IS 'how long lists took to make, by day of the request';
COMMENT ON COLUMN recsys.metrics_latency_daily.time IS 'the day of the requests: its beginning in UTC';
COMMENT ON COLUMN recsys.metrics_latency_daily.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_latency_daily.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_latency_daily.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_latency_daily.requests IS 'requests whose latency is known';
COMMENT ON COLUMN recsys.metrics_latency_daily.mean_ms IS 'mean milliseconds to make a list';
COMMENT ON COLUMN recsys.metrics_latency_daily.p50_ms IS 'median, exact';
COMMENT ON COLUMN recsys.metrics_latency_daily.p95_ms IS 'so many milliseconds or fewer in 95 of 100 requests, exact';
COMMENT ON COLUMN recsys.metrics_latency_daily.p99_ms IS 'likewise in 99 of 100';
COMMENT ON COLUMN recsys.metrics_latency_daily.max_ms IS 'the most';
GRANT SELECT ON recsys.metrics_latency_daily TO PUBLIC;

CREATE VIEW recsys.metrics_hourly WITH (security_barrier) AS
SELECT m.time,
	   m.recommender,
	   m.experiment,
	   m.variant,
	   m.requests,
	   m.impressions,
	   m.users,
	   m.clicks,
	   m.carts,
	   m.orders,
	   m.revenue,
	   m.clicks::double precision / nullif(m.impressions, 0)::double precision AS ctr,
	   m.carts::double precision / nullif(m.impressions, 0)::double precision AS add_to_cart_rate,
	   m.revenue::double precision / nullif(m.requests, 0)::double precision AS revenue_per_request
FROM recsys.hourly_request AS m, recsys.metrics_access AS a
WHERE a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments);
COMMENT ON VIEW recsys.metrics_hourly IS 'requests, clicks, orders and revenue by hour of the request';
COMMENT ON COLUMN recsys.metrics_hourly.time IS 'the hour of the requests: its beginning';
COMMENT ON COLUMN recsys.metrics_hourly.recommender IS 'what has made the lists: declared recommender, index with its schema, or a name of your own';
COMMENT ON COLUMN recsys.metrics_hourly.experiment IS 'experiment that the requests are part of; NULL: none';
COMMENT ON COLUMN recsys.metrics_hourly.variant IS 'its variant';
COMMENT ON COLUMN recsys.metrics_hourly.requests IS 'lists that were shown';
COMMENT ON COLUMN recsys.metrics_hourly.impressions IS 'items on them, each as often as it was shown';
COMMENT ON COLUMN recsys.metrics_hourly.users IS 'different users, or sessions of users who are not known';
COMMENT ON COLUMN recsys.metrics_hourly.clicks IS 'clicks on items shown';
COMMENT ON COLUMN recsys.metrics_hourly.carts IS 'items shown that were put into the cart';
COMMENT ON COLUMN recsys.metrics_hourly.orders IS 'purchases attributed to the requests; NULL: the log knows no purchases';
COMMENT ON COLUMN recsys.metrics_hourly.revenue IS 'their amounts; NULL: these are not declared';
COMMENT ON COLUMN recsys.metrics_hourly.ctr IS 'clicks / impressions';
COMMENT ON COLUMN recsys.metrics_hourly.add_to_cart_rate IS 'carts / impressions';
COMMENT ON COLUMN recsys.metrics_hourly.revenue_per_request IS 'revenue / requests';
GRANT SELECT ON recsys.metrics_hourly TO PUBLIC;

CREATE VIEW recsys.item_fatigue WITH (security_barrier) AS
SELECT f.recommender, f.item_id, f.impressions, f.clicks, f.expected_clicks,
	   recsys.chance_of_so_few(f.clicks, f.expected_clicks) AS chance,
	   f.carts, f.orders, f.first_day, f.last_day
FROM (SELECT m.recommender, m.item_id, sum(m.impressions)::bigint AS impressions, sum(m.clicks)::bigint AS clicks,
			 sum(m.expected_clicks) AS expected_clicks, sum(m.carts)::bigint AS carts, sum(m.orders) AS orders,
			 min(m.time) AS first_day, max(m.time) AS last_day
	  FROM recsys.daily_item AS m, recsys.metrics_access AS a
	  WHERE m.time >= now() - interval '28 days'
		AND (a.sees_all OR m.recommender = ANY (a.recommenders) OR m.experiment = ANY (a.experiments))
	  GROUP BY m.recommender, m.item_id) AS f
WHERE f.clicks < f.expected_clicks;
COMMENT ON VIEW recsys.item_fatigue IS 'items that were shown in the last 28 days and clicked less often than other items at their places';
COMMENT ON COLUMN recsys.item_fatigue.recommender IS 'what has made the lists';
COMMENT ON COLUMN recsys.item_fatigue.item_id IS 'key of the item';
COMMENT ON COLUMN recsys.item_fatigue.impressions IS 'how often it was shown';
COMMENT ON COLUMN recsys.item_fatigue.clicks IS 'clicks on it';
COMMENT ON COLUMN recsys.item_fatigue.expected_clicks IS 'clicks that any item would have got at these places';
COMMENT ON COLUMN recsys.item_fatigue.chance IS 'how likely so few are by chance: below .001 the item is shown in vain';
COMMENT ON COLUMN recsys.item_fatigue.carts IS 'how often it was put into the cart';
COMMENT ON COLUMN recsys.item_fatigue.orders IS 'purchases attributed to requests that have shown it';
COMMENT ON COLUMN recsys.item_fatigue.first_day IS 'first day that it was shown';
COMMENT ON COLUMN recsys.item_fatigue.last_day IS 'last day that it was shown';
GRANT SELECT ON recsys.item_fatigue TO PUBLIC;
/*
 * Materialized views that a shop wants
 */
CREATE FUNCTION recsys.popular_lists(
	recommender text DEFAULT NULL)
RETURNS TABLE (kind text, segment text, item_id text, users bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_lists' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10000;
COMMENT ON FUNCTION recsys.popular_lists(text) IS 'what is popular in each segment, category, price level and with each seller of a declared recommender, as of the last recsys.refresh_recommender';

CREATE FUNCTION recsys.create_views(
	recommender text,
	schema text,
	readers text[] DEFAULT NULL,
	min_support double precision DEFAULT NULL,
	min_confidence double precision DEFAULT 0.05,
	max_length integer DEFAULT 2,
	with_data boolean DEFAULT true)
RETURNS TABLE (name text, materialized_view text, action text)
	AS 'MODULE_PATHNAME', 'recsys_create_views' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 5;
COMMENT ON FUNCTION recsys.create_views(text, text, text[], double precision, double precision, integer, boolean) IS 'makes the views that a shop wants of a recommender: item_similarity, association_rules, popular_by_segment, customer_segments and daily_metrics, each over a materialized view of that name with _mv behind it; replaces only its own';

CREATE FUNCTION recsys.drop_views(
	recommender text,
	schema text)
RETURNS TABLE (name text, materialized_view text, action text)
	AS 'MODULE_PATHNAME', 'recsys_drop_views' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION recsys.drop_views(text, text) IS 'drops what recsys.create_views has made for a recommender, which may be gone already';

CREATE PROCEDURE recsys.refresh(recommender text)
	AS 'MODULE_PATHNAME', 'recsys_refresh' LANGUAGE C;
COMMENT ON PROCEDURE recsys.refresh(text) IS 'brings up to date what is computed ahead for a recommender: its lists, and the materialized views that are made of it; commits after each where it may';
/*
 * Retention by partition: tables of the shop that are partitioned by time
 *
 * What is declared belongs to whoever declares it, and recsys.maintain keeps to it with the rights of
 * the table's owner.  The table is a superuser's, as it says whose tables lose partitions.
 */
CREATE TABLE recsys.kept_partition (
	schema_name text COLLATE "C" NOT NULL,
	table_name text COLLATE "C" NOT NULL,
	owner text NOT NULL,
	every interval NOT NULL,
	keep interval,
	ahead interval NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (schema_name, table_name));
COMMENT ON TABLE recsys.kept_partition IS 'tables whose partitions are kept, as recsys.keep_partitions has it; recsys.kept_partitions shows them';
COMMENT ON COLUMN recsys.kept_partition.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.kept_partition.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.kept_partition.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.kept_partition.every IS 'length of a partition';
COMMENT ON COLUMN recsys.kept_partition.keep IS 'how long rows are kept; NULL: for ever';
COMMENT ON COLUMN recsys.kept_partition.ahead IS 'time for which there are partitions before it comes';
COMMENT ON COLUMN recsys.kept_partition.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.kept_partition.changed_at IS 'when it was changed last';
GRANT SELECT ON recsys.kept_partition TO PUBLIC;
-- who restores a dump without being a superuser brings definitions back, too; but they are his then
CREATE TRIGGER kept_partition_owner BEFORE INSERT OR UPDATE ON recsys.kept_partition
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT INSERT ON recsys.kept_partition TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('recsys.kept_partition', '');

CREATE FUNCTION recsys.keep_partitions(
	target text,
	every interval DEFAULT '1 day',
	keep interval DEFAULT NULL,
	ahead interval DEFAULT '7 days')
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_keep_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.keep_partitions(text, interval, interval, interval) IS 'has recsys.maintain make the partitions of a table of yours that is partitioned by time, and drop those older than keep; makes those of the coming time, and says which ones will go; called again it changes that';

CREATE FUNCTION recsys.leave_partitions(target text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_leave_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.leave_partitions(text) IS 'leaves the partitions of a table to you again, and makes and drops none; false if they were not kept';

CREATE FUNCTION recsys.maintain_partitions(target text DEFAULT NULL)
RETURNS TABLE (action text, object text, detail text)
	AS 'MODULE_PATHNAME', 'recsys_maintain_partitions' LANGUAGE C VOLATILE PARALLEL UNSAFE
	COST 100000 ROWS 10;
COMMENT ON FUNCTION recsys.maintain_partitions(text) IS 'what recsys.maintain does for partitions that are kept, for those of your tables alone, or one of them; returns what it has done';

CREATE FUNCTION recsys.table_partitions(target regclass)
RETURNS TABLE (partition regclass, starts timestamptz, ends timestamptz, is_default boolean)
	AS 'MODULE_PATHNAME', 'recsys_table_partitions' LANGUAGE C STABLE STRICT PARALLEL SAFE
	COST 100 ROWS 100;
COMMENT ON FUNCTION recsys.table_partitions(regclass) IS 'partitions of a table by time with their bounds, earliest first; none of a table that is not partitioned by range of a time, one without anything of a table that another session has locked';

CREATE VIEW recsys.kept_partitions AS
SELECT k.schema_name, k.table_name, k.owner, k.every, k.keep, k.ahead,
	   p.partitions, p.starts, p.has_default,
	   CASE WHEN p.covered THEN p.ends WHEN NOT p.locked THEN now() END AS covered_until,
	   coalesce(p.expired, 0) AS expired, p.expired_since,
	   CASE WHEN c.oid IS NULL THEN 'the table does not exist'
			WHEN o.oid IS NULL THEN pg_catalog.format('role "%s" does not exist', k.owner)
			WHEN NOT pg_catalog.pg_has_role(o.oid, c.relowner, 'USAGE') THEN pg_catalog.format('the table is not that of role "%s"', k.owner)
			WHEN p.locked THEN 'the table is locked by another session'
			WHEN p.partitions = 0 AND NOT p.has_default THEN 'it has no partitions by time' END AS problem
FROM recsys.kept_partition k
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema_name
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.table_name
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = k.owner
LEFT JOIN LATERAL (
	SELECT count(*) FILTER (WHERE NOT t.is_default) AS partitions, min(t.starts) AS starts,
		   -- where the partitions that begin with that of now have an end, or the first gap
		   min(t.ends) FILTER (WHERE t.ends > now() AND NOT t.followed) AS ends,
		   coalesce(bool_or(t.starts <= now() AND t.ends > now()), false) AS covered,
		   coalesce(bool_or(t.is_default), false) AS has_default,
		   coalesce(bool_or(t.partition IS NULL), false) AS locked,
		   count(*) FILTER (WHERE t.ends <= now() - k.keep) AS expired,
		   min(t.ends) FILTER (WHERE t.ends <= now() - k.keep) + k.keep AS expired_since
	FROM (SELECT a.*, lead(a.starts) OVER (ORDER BY a.starts) IS NOT DISTINCT FROM a.ends AS followed
		  FROM recsys.table_partitions(c.oid) a) t) p ON true;
COMMENT ON VIEW recsys.kept_partitions IS 'tables whose partitions recsys.maintain keeps, and how far it has come';
COMMENT ON COLUMN recsys.kept_partitions.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.kept_partitions.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.kept_partitions.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.kept_partitions.every IS 'length of a partition';
COMMENT ON COLUMN recsys.kept_partitions.keep IS 'how long rows are kept; NULL: for ever';
COMMENT ON COLUMN recsys.kept_partitions.ahead IS 'time for which there are partitions before it comes';
COMMENT ON COLUMN recsys.kept_partitions.partitions IS 'how many there are, without the default partition';
COMMENT ON COLUMN recsys.kept_partitions.starts IS 'from when on there are partitions';
COMMENT ON COLUMN recsys.kept_partitions.has_default IS 'whether there is a default partition, which takes times that no other one has';
COMMENT ON COLUMN recsys.kept_partitions.covered_until IS 'from now until then each time has a partition; NULL: not known';
COMMENT ON COLUMN recsys.kept_partitions.expired IS 'partitions that are older than keep and still there';
COMMENT ON COLUMN recsys.kept_partitions.expired_since IS 'since when the first of them should be gone; NULL: there are none';
COMMENT ON COLUMN recsys.kept_partitions.problem IS 'why they cannot be kept; NULL: there is nothing';
GRANT SELECT ON recsys.kept_partitions TO PUBLIC;
/*
 * Streams: events from Kafka into tables of the shop, each once
 *
 * A row of recsys.stream is what somebody has declared, by names, so that a dump brings it along.  The
 * program recsys-stream reads it by recsys.stream_settings and brings the events in: rows, rejected
 * messages and the next offset of each partition are written in one transaction.  Rows and offsets belong
 * together, so offsets are dumped, too.
 *
 * The tables are not those of the extension's owner: the program runs as the role that a row names.
 */
CREATE TABLE recsys.stream (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'failed')),
	version bigint NOT NULL,
	message text,
	message_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.stream IS 'streams, as recsys.create_stream has made them; recsys.streams shows them';
COMMENT ON COLUMN recsys.stream.name IS 'name of the stream';
COMMENT ON COLUMN recsys.stream.owner IS 'role that has declared it, and that rows are written as';
COMMENT ON COLUMN recsys.stream.definition IS 'what is declared, under the names of the parameters; tables with their schemas';
COMMENT ON COLUMN recsys.stream.state IS 'running, paused or failed';
COMMENT ON COLUMN recsys.stream.version IS 'another number with each change of the declaration';
COMMENT ON COLUMN recsys.stream.message IS 'what was said of the stream as a whole last';
COMMENT ON COLUMN recsys.stream.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.stream.changed_at IS 'when it was changed last';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream', '');
CREATE TRIGGER stream_owner BEFORE INSERT OR UPDATE ON recsys.stream
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.stream TO @extowner@;

-- written several times a second: half of each page is room for the next versions of its rows
CREATE TABLE recsys.stream_partition (
	stream text COLLATE "C" NOT NULL REFERENCES recsys.stream ON DELETE CASCADE,
	topic text COLLATE "C" NOT NULL,
	partition integer NOT NULL CHECK (partition >= 0),
	epoch bigint NOT NULL DEFAULT 0,
	consumer text,
	next_offset bigint CHECK (next_offset >= 0),
	seek text,
	last_offset bigint,
	last_timestamp bigint,
	last_checksum bigint,
	high_watermark bigint,
	messages bigint NOT NULL DEFAULT 0,
	rows bigint NOT NULL DEFAULT 0,
	rejected bigint NOT NULL DEFAULT 0,
	rejected_since timestamptz,
	rejected_lately bigint NOT NULL DEFAULT 0,
	rate double precision NOT NULL DEFAULT 0,
	rate_at timestamptz,
	throttle integer NOT NULL DEFAULT 0,
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'lost')),
	registered boolean NOT NULL DEFAULT true,
	message text,
	message_at timestamptz,
	claimed_at timestamptz,
	seen_at timestamptz,
	changed_at timestamptz,
	PRIMARY KEY (stream, topic, partition),
	CHECK ((next_offset IS NULL) <> (seek IS NULL)))
WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE recsys.stream_partition IS 'how far streams have come; recsys.stream_partitions shows it';
COMMENT ON COLUMN recsys.stream_partition.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_partition.topic IS 'topic';
COMMENT ON COLUMN recsys.stream_partition.partition IS 'partition of the topic';
COMMENT ON COLUMN recsys.stream_partition.epoch IS 'another, higher number with each claim: only who has made the last one writes';
COMMENT ON COLUMN recsys.stream_partition.consumer IS 'who has claimed it; NULL: nobody';
COMMENT ON COLUMN recsys.stream_partition.next_offset IS 'offset of the next message; NULL: the broker is yet to be asked for it';
COMMENT ON COLUMN recsys.stream_partition.seek IS 'where to begin: earliest, latest, or milliseconds since 1970; NULL: at next_offset';
COMMENT ON COLUMN recsys.stream_partition.last_offset IS 'offset of the last message, by which the log is known again';
COMMENT ON COLUMN recsys.stream_partition.last_timestamp IS 'its timestamp, milliseconds since 1970';
COMMENT ON COLUMN recsys.stream_partition.last_checksum IS 'a hash of its key and payload';
COMMENT ON COLUMN recsys.stream_partition.high_watermark IS 'end of the log as it was seen last';
COMMENT ON COLUMN recsys.stream_partition.messages IS 'messages so far';
COMMENT ON COLUMN recsys.stream_partition.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.stream_partition.rejected IS 'messages rejected so far';
COMMENT ON COLUMN recsys.stream_partition.rejected_since IS 'when the hour began that rejected_lately is of';
COMMENT ON COLUMN recsys.stream_partition.rejected_lately IS 'messages rejected in that hour, or since the stream was resumed in it';
COMMENT ON COLUMN recsys.stream_partition.rate IS 'rows a second, decaying within half a minute, as of rate_at';
COMMENT ON COLUMN recsys.stream_partition.rate_at IS 'when the rate was that';
COMMENT ON COLUMN recsys.stream_partition.throttle IS 'milliseconds that the consumer was last told to wait, as the target''s indexes have too much to merge';
COMMENT ON COLUMN recsys.stream_partition.state IS 'active, or lost: the log is not the one that was read before';
COMMENT ON COLUMN recsys.stream_partition.registered IS 'whether recsys-stream has seen it; false: recsys.seek_stream has said where it is to begin before that';
COMMENT ON COLUMN recsys.stream_partition.message IS 'what was said of it last';
COMMENT ON COLUMN recsys.stream_partition.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream_partition.claimed_at IS 'when it was claimed last';
COMMENT ON COLUMN recsys.stream_partition.seen_at IS 'when its consumer gave a sign of life last';
COMMENT ON COLUMN recsys.stream_partition.changed_at IS 'when it moved last';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream_partition', '');
GRANT SELECT, INSERT ON recsys.stream_partition TO @extowner@;

CREATE TABLE recsys.stream_error (
	stream text COLLATE "C" NOT NULL REFERENCES recsys.stream ON DELETE CASCADE,
	topic text NOT NULL,
	partition integer NOT NULL,
	message_offset bigint NOT NULL,
	message_timestamp timestamptz,
	key text,
	payload text,
	reason text,
	sqlstate text,
	rejected_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX stream_error_rejected_at ON recsys.stream_error (stream, rejected_at);
COMMENT ON TABLE recsys.stream_error IS 'messages that became no rows; recsys.stream_errors shows them';
COMMENT ON COLUMN recsys.stream_error.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_error.topic IS 'topic of the message';
COMMENT ON COLUMN recsys.stream_error.partition IS 'its partition';
COMMENT ON COLUMN recsys.stream_error.message_offset IS 'its offset';
COMMENT ON COLUMN recsys.stream_error.message_timestamp IS 'its timestamp';
COMMENT ON COLUMN recsys.stream_error.key IS 'its key; what is no text is written as \x and hexadecimal digits';
COMMENT ON COLUMN recsys.stream_error.payload IS 'what it says, in the same way; at most a million bytes';
COMMENT ON COLUMN recsys.stream_error.reason IS 'why it became no row';
COMMENT ON COLUMN recsys.stream_error.sqlstate IS 'the error''s code; NULL: it was not the server that rejected it';
COMMENT ON COLUMN recsys.stream_error.rejected_at IS 'when it was rejected';
SELECT pg_catalog.pg_extension_config_dump('recsys.stream_error', '');
GRANT SELECT, INSERT ON recsys.stream_error TO @extowner@;
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.stream_error REPLICA IDENTITY FULL;

/*
 * Declaring
 */
CREATE FUNCTION recsys.create_stream(
	stream text,
	brokers text,
	topic text,
	target text,
	columns jsonb,
	format text DEFAULT 'json',
	filter text DEFAULT NULL,
	errors text DEFAULT NULL,
	start text DEFAULT 'earliest',
	config jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL,
	fields jsonb DEFAULT NULL,
	key text[] DEFAULT NULL,
	conflict text DEFAULT 'error',
	tombstones text DEFAULT 'skip',
	pseudonyms text[] DEFAULT NULL,
	consent text DEFAULT NULL,
	max_rows integer DEFAULT 10000,
	max_delay interval DEFAULT '250 ms',
	max_errors integer DEFAULT 1000,
	max_pending bigint DEFAULT 1000000,
	jobs integer DEFAULT 2,
	merge_interval interval DEFAULT '5 s')
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_stream(text, text, text, text, jsonb, text, text, text, text, jsonb, jsonb, jsonb, text[], text, text, text[], text, integer, interval, integer, bigint, integer, interval)
	IS 'declares which messages of a Kafka topic become rows of a table; the program recsys-stream brings them in, each once';

CREATE FUNCTION recsys.alter_stream(
	stream text,
	brokers text DEFAULT NULL,
	topic text DEFAULT NULL,
	target text DEFAULT NULL,
	columns jsonb DEFAULT NULL,
	format text DEFAULT NULL,
	filter text DEFAULT NULL,
	errors text DEFAULT NULL,
	start text DEFAULT NULL,
	config jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL,
	fields jsonb DEFAULT NULL,
	key text[] DEFAULT NULL,
	conflict text DEFAULT NULL,
	tombstones text DEFAULT NULL,
	pseudonyms text[] DEFAULT NULL,
	consent text DEFAULT NULL,
	max_rows integer DEFAULT NULL,
	max_delay interval DEFAULT NULL,
	max_errors integer DEFAULT NULL,
	max_pending bigint DEFAULT NULL,
	jobs integer DEFAULT NULL,
	merge_interval interval DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_stream(text, text, text, text, jsonb, text, text, text, text, jsonb, jsonb, jsonb, text[], text, text, text[], text, integer, interval, integer, bigint, integer, interval, text[], text)
	IS 'changes a stream, which goes on where it is; what is NULL stays as it is, reset names the parameters to have their defaults again';

CREATE FUNCTION recsys.drop_stream(stream text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_stream(text, boolean) IS 'removes a stream, its offsets and its rejected messages; the rows that it has brought stay';

CREATE FUNCTION recsys.pause_stream(stream text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_pause_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.pause_stream(text) IS 'stops a stream until recsys.resume_stream: once this is committed nothing more is written';

CREATE FUNCTION recsys.resume_stream(stream text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_resume_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.resume_stream(text) IS 'lets a stream that was paused, or has failed, go on where it is; its rejected messages are counted anew';

CREATE FUNCTION recsys.seek_stream(stream text, partition integer DEFAULT NULL, at timestamptz DEFAULT NULL, next_offset bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_seek_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.seek_stream(text, integer, timestamptz, bigint)
	IS 'has a stream go on elsewhere: at the first message of a time or later, -infinity for the earliest and infinity for the end, or of one partition at an offset; a partition that was lost goes on, too';

CREATE FUNCTION recsys.purge_stream_errors(stream text, before timestamptz DEFAULT now())
RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_purge_stream_errors' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.purge_stream_errors(text, timestamptz) IS 'deletes messages of recsys.stream_errors that a stream has rejected before a time; returns how many there were';

/*
 * What recsys-stream calls
 */
CREATE FUNCTION recsys.stream_list(OUT stream text, OUT version bigint, OUT state text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_list' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.stream_list() IS 'used by recsys-stream: the streams of roles whose rights you have';

CREATE FUNCTION recsys.stream_settings(stream text, OUT section text, OUT number integer, OUT name text, OUT value text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_settings' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 50;
COMMENT ON FUNCTION recsys.stream_settings(text) IS 'used by recsys-stream: a stream''s declaration, and the statements that bring its rows in';

CREATE FUNCTION recsys.stream_register(stream text, partitions integer[], version bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_register' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_register(text, integer[], bigint) IS 'used by recsys-stream: the partitions that a topic has; the first ones begin where the stream is declared to start, those that come later with their first message';

CREATE FUNCTION recsys.stream_claim(stream text, partitions integer[], consumer text, version bigint DEFAULT NULL,
	OUT partition integer, OUT epoch bigint, OUT next_offset bigint, OUT seek text,
	OUT last_offset bigint, OUT last_timestamp bigint, OUT last_checksum bigint, OUT state text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_stream_claim' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.stream_claim(text, integer[], text, bigint) IS 'used by recsys-stream: takes partitions over, so that whoever had them before writes no more, and says where they stand';

CREATE FUNCTION recsys.stream_resolve(stream text, partition integer, epoch bigint, next_offset bigint)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_resolve' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_resolve(text, integer, bigint, bigint) IS 'used by recsys-stream: the offset that the broker has named for where a claimed partition is to begin';

CREATE FUNCTION recsys.stream_advance(stream text, partitions integer[], epochs bigint[], expected bigint[], next_offsets bigint[],
	last_offsets bigint[], last_timestamps bigint[], last_checksums bigint[], high_watermarks bigint[],
	messages bigint[], rejected bigint[], rows bigint,
	OUT state text, OUT version bigint, OUT throttle integer)
RETURNS record
	AS 'MODULE_PATHNAME', 'recsys_stream_advance' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_advance(text, integer[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint)
	IS 'used by recsys-stream: moves claimed partitions on, in the transaction that writes their rows; an error if one of them is not where it is expected, or was claimed by another';

CREATE FUNCTION recsys.stream_reject(stream text, partitions integer[], offsets bigint[], timestamps bigint[],
	keys bytea[], payloads bytea[], reasons text[], states text[])
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_reject' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_reject(text, integer[], bigint[], bigint[], bytea[], bytea[], text[], text[]) IS 'used by recsys-stream: writes messages that became no rows to where the stream says';

CREATE FUNCTION recsys.stream_heartbeat(stream text, consumer text, partitions integer[], epochs bigint[], high_watermarks bigint[], message text DEFAULT NULL,
	OUT state text, OUT version bigint, OUT throttle integer)
RETURNS record
	AS 'MODULE_PATHNAME', 'recsys_stream_heartbeat' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_heartbeat(text, text, integer[], bigint[], bigint[], text) IS 'used by recsys-stream: a sign of life, with the ends of the logs, and what there is to say';

CREATE FUNCTION recsys.stream_stop(stream text, partition integer, epoch bigint, state text, message text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stream_stop' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stream_stop(text, integer, bigint, text, text) IS 'used by recsys-stream: a claimed partition is lost or released, or the stream as a whole has failed, and why';

/*
 * Watching
 */
CREATE FUNCTION recsys.stream_group(stream text, definition jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_stream_group' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION recsys.stream_group(text, jsonb) IS 'the Kafka group of a stream as it is declared: what config says as group.id, or a name that no other database has';

CREATE VIEW recsys.stream_partitions WITH (security_barrier) AS
SELECT p.stream COLLATE "default" AS stream, p.topic COLLATE "default" AS topic, p.partition,
	   p.state, p.consumer, p.next_offset, p.seek, p.high_watermark,
	   CASE WHEN p.high_watermark >= p.next_offset THEN p.high_watermark - p.next_offset
			WHEN p.high_watermark < p.next_offset THEN 0 END AS lag,
	   p.messages, p.rows, p.rejected,
	   CASE WHEN p.rate_at IS NULL THEN 0 ELSE
			p.rate * exp(-least(greatest(extract(epoch FROM clock_timestamp() - p.rate_at) / 30, 0), 500)::double precision) END AS rows_per_second,
	   CASE WHEN p.seen_at > clock_timestamp() - interval '15 seconds' THEN p.throttle ELSE 0 END AS throttle,
	   to_timestamp(p.last_timestamp / 1000.0) AS last_message_time,
	   p.message, p.message_at, p.claimed_at, p.seen_at, p.changed_at, p.epoch
FROM recsys.stream_partition p
JOIN recsys.stream s ON s.name = p.stream
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream', 'SELECT');
COMMENT ON VIEW recsys.stream_partitions IS 'how far streams of those whose rights you have have come, or all if you may read recsys.stream; a row for each partition, also of topics that a stream had before';
COMMENT ON COLUMN recsys.stream_partitions.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_partitions.topic IS 'topic';
COMMENT ON COLUMN recsys.stream_partitions.partition IS 'partition of the topic';
COMMENT ON COLUMN recsys.stream_partitions.state IS 'active, or lost: the log is not the one that was read before, and recsys.seek_stream says where to go on';
COMMENT ON COLUMN recsys.stream_partitions.consumer IS 'process that has claimed it, NULL: none';
COMMENT ON COLUMN recsys.stream_partitions.next_offset IS 'offset of the next message; NULL: it begins where seek says';
COMMENT ON COLUMN recsys.stream_partitions.seek IS 'where to begin: earliest, latest, or milliseconds since 1970; NULL: at next_offset';
COMMENT ON COLUMN recsys.stream_partitions.high_watermark IS 'end of the log as it was seen last';
COMMENT ON COLUMN recsys.stream_partitions.lag IS 'offsets from there to the end; NULL: not known';
COMMENT ON COLUMN recsys.stream_partitions.messages IS 'messages so far';
COMMENT ON COLUMN recsys.stream_partitions.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.stream_partitions.rejected IS 'messages rejected so far';
COMMENT ON COLUMN recsys.stream_partitions.rows_per_second IS 'rows a second over about the last half minute';
COMMENT ON COLUMN recsys.stream_partitions.throttle IS 'milliseconds that its consumer waits between batches, as indexes of the target have too much to merge';
COMMENT ON COLUMN recsys.stream_partitions.last_message_time IS 'timestamp of the last message';
COMMENT ON COLUMN recsys.stream_partitions.message IS 'what was said of it last';
COMMENT ON COLUMN recsys.stream_partitions.message_at IS 'when that was';
COMMENT ON COLUMN recsys.stream_partitions.claimed_at IS 'when it was claimed last';
COMMENT ON COLUMN recsys.stream_partitions.seen_at IS 'when its consumer gave a sign of life last';
COMMENT ON COLUMN recsys.stream_partitions.changed_at IS 'when it moved last';
COMMENT ON COLUMN recsys.stream_partitions.epoch IS 'another, higher number with each claim';
GRANT SELECT ON recsys.stream_partitions TO PUBLIC;

CREATE VIEW recsys.streams WITH (security_barrier) AS
SELECT s.name COLLATE "default" AS stream,
	   CASE WHEN s.state <> 'running' THEN s.state
			WHEN p.lost > 0 THEN 'lost'
			WHEN p.seen_at > clock_timestamp() - interval '15 seconds' THEN 'running'
			ELSE 'waiting' END AS state,
	   s.definition->>'topic' AS topic, s.definition->>'target' AS target,
	   p.partitions, p.next_offset, p.lag, p.rows_per_second, p.messages, p.rows, p.errors,
	   CASE WHEN p.message_at > s.message_at OR s.message_at IS NULL THEN p.message ELSE s.message END AS last_message,
	   greatest(p.message_at, s.message_at) AS last_message_at,
	   p.last_message_time, p.throttle, p.consumers, p.seen_at,
	   s.owner, s.definition->>'brokers' AS brokers, recsys.stream_group(s.name, s.definition) AS consumer_group,
	   s.definition - 'search_path' AS definition, s.created_at, s.changed_at
FROM recsys.stream s
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
CROSS JOIN LATERAL (
	SELECT count(*) AS partitions, count(*) FILTER (WHERE q.state = 'lost') AS lost, sum(q.next_offset)::bigint AS next_offset,
		   sum(q.lag)::bigint AS lag, coalesce(sum(q.rows_per_second), 0) AS rows_per_second,
		   coalesce(sum(q.messages), 0)::bigint AS messages, coalesce(sum(q.rows), 0)::bigint AS rows,
		   coalesce(sum(q.rejected), 0)::bigint AS errors,
		   (array_agg(q.message ORDER BY q.message_at DESC, q.partition) FILTER (WHERE q.message_at IS NOT NULL))[1] AS message,
		   max(q.message_at) AS message_at, max(q.last_message_time) AS last_message_time, coalesce(max(q.throttle), 0) AS throttle,
		   count(DISTINCT q.consumer) FILTER (WHERE q.seen_at > clock_timestamp() - interval '15 seconds') AS consumers,
		   max(q.seen_at) FILTER (WHERE q.consumer IS NOT NULL) AS seen_at
	FROM recsys.stream_partitions q
	WHERE q.stream = s.name AND q.topic = s.definition->>'topic') p
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream', 'SELECT');
COMMENT ON VIEW recsys.streams IS 'streams of those whose rights you have, or all if you may read recsys.stream, one row each, with how far they have come';
COMMENT ON COLUMN recsys.streams.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.streams.state IS 'running; waiting: no recsys-stream is at it; paused; failed: it was stopped by an error; lost: the log of some partition is not the one that was read before';
COMMENT ON COLUMN recsys.streams.topic IS 'topic that is read';
COMMENT ON COLUMN recsys.streams.target IS 'table that rows are written to';
COMMENT ON COLUMN recsys.streams.partitions IS 'partitions that have been seen';
COMMENT ON COLUMN recsys.streams.next_offset IS 'offsets of their next messages, added up';
COMMENT ON COLUMN recsys.streams.lag IS 'offsets that are still to be read, as far as known; NULL: not known at all';
COMMENT ON COLUMN recsys.streams.rows_per_second IS 'rows a second over about the last half minute';
COMMENT ON COLUMN recsys.streams.messages IS 'messages so far';
COMMENT ON COLUMN recsys.streams.rows IS 'rows written so far';
COMMENT ON COLUMN recsys.streams.errors IS 'messages rejected so far';
COMMENT ON COLUMN recsys.streams.last_message IS 'what recsys-stream had to say last, an error most often; it stays when that is over';
COMMENT ON COLUMN recsys.streams.last_message_at IS 'when that was';
COMMENT ON COLUMN recsys.streams.last_message_time IS 'timestamp of the latest message of the topic that was read';
COMMENT ON COLUMN recsys.streams.throttle IS 'milliseconds that consumers wait between batches, as indexes of the target have too much to merge';
COMMENT ON COLUMN recsys.streams.consumers IS 'processes that are at it';
COMMENT ON COLUMN recsys.streams.seen_at IS 'when one of them gave a sign of life last';
COMMENT ON COLUMN recsys.streams.owner IS 'role that has declared it, and that rows are written as';
COMMENT ON COLUMN recsys.streams.brokers IS 'where the topic is';
COMMENT ON COLUMN recsys.streams.consumer_group IS 'Kafka group that consumers join; offsets do not come from it';
COMMENT ON COLUMN recsys.streams.definition IS 'all that is declared, under the names of the parameters';
COMMENT ON COLUMN recsys.streams.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.streams.changed_at IS 'when its declaration was changed last';
GRANT SELECT ON recsys.streams TO PUBLIC;

CREATE VIEW recsys.stream_errors WITH (security_barrier) AS
SELECT e.stream COLLATE "default" AS stream, e.topic, e.partition, e.message_offset, e.message_timestamp, e.key, e.payload, e.reason,
	   e.sqlstate, e.rejected_at
FROM recsys.stream_error e
JOIN recsys.stream s ON s.name = e.stream
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = s.owner
WHERE pg_catalog.pg_has_role(o.oid, 'USAGE') OR pg_catalog.has_table_privilege('recsys.stream_error', 'SELECT');
COMMENT ON VIEW recsys.stream_errors IS 'messages that streams of those whose rights you have have rejected, or all if you may read recsys.stream_error; those that go to a table of your own are there alone';
COMMENT ON COLUMN recsys.stream_errors.stream IS 'name of the stream';
COMMENT ON COLUMN recsys.stream_errors.topic IS 'topic of the message';
COMMENT ON COLUMN recsys.stream_errors.partition IS 'its partition';
COMMENT ON COLUMN recsys.stream_errors.message_offset IS 'its offset';
COMMENT ON COLUMN recsys.stream_errors.message_timestamp IS 'its timestamp';
COMMENT ON COLUMN recsys.stream_errors.key IS 'its key; what is no text is written as \x and hexadecimal digits; NULL of streams with pseudonyms';
COMMENT ON COLUMN recsys.stream_errors.payload IS 'what it says, in the same way; at most a million bytes';
COMMENT ON COLUMN recsys.stream_errors.reason IS 'why it became no row';
COMMENT ON COLUMN recsys.stream_errors.sqlstate IS 'the error''s code; NULL: it was not the server that rejected it';
COMMENT ON COLUMN recsys.stream_errors.rejected_at IS 'when it was rejected';
GRANT SELECT ON recsys.stream_errors TO PUBLIC;
/*
 * Schedules: what is due, and jobs that do it
 */
CREATE FUNCTION recsys.recommender_relations(recommender text)
RETURNS TABLE (relation regclass, is_index boolean)
	AS 'MODULE_PATHNAME', 'recsys_recommender_relations' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.recommender_relations(text) IS 'what belongs to a recommender of yours: its recsys indexes, the tables under them, and the relations that are declared';

CREATE FUNCTION recsys.rebuilds_due(recommender text DEFAULT NULL, max_staleness double precision DEFAULT 0.2)
RETURNS TABLE (schema_name text, table_name text, index_name text, staleness double precision, reason text, command text)
	LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
BEGIN ATOMIC
	SELECT s.schema_name, s.table_name, s.index_name, s.staleness,
		   CASE WHEN s.problem LIKE 'not valid: left by a REINDEX CONCURRENTLY that failed%' THEN 'left by a REINDEX CONCURRENTLY that failed'
				WHEN s.problem LIKE 'not valid: %' THEN 'building it has failed'
				WHEN s.problem IS NOT NULL THEN s.problem
				WHEN s.set_options IS NOT NULL THEN format('built with %s, set to %s', s.built_options, s.set_options)
				ELSE format('%s of %s rows have come or gone since its model was built', s.changes,
							round(s.changes / s.staleness)) END,
		   format('%s %I.%I',
				  CASE WHEN s.problem LIKE 'not valid: left by%' THEN 'DROP INDEX CONCURRENTLY'
					   WHEN c.relkind = 'I' THEN 'REINDEX INDEX' ELSE 'REINDEX INDEX CONCURRENTLY' END, s.schema_name, s.index_name)
	FROM recsys.index_stats s
	JOIN pg_catalog.pg_namespace n ON n.nspname = s.schema_name
	JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.index_name
	JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
	-- first of all: an error where there is no such recommender
	WHERE (SELECT count(*) FROM recsys.recommender_relations(rebuilds_due.recommender)) >= 0
	AND CASE WHEN s.problem LIKE 'not valid: it may still be%' THEN false
			 WHEN s.problem IN ('locked by another session', 'dropped') OR s.problem LIKE 'unlogged, %' THEN false
			 -- a partition lacks its index
			 WHEN s.problem LIKE 'not complete: %' THEN false
			 ELSE s.problem IS NOT NULL OR s.set_options IS NOT NULL OR (s.drifts AND s.staleness > 0 AND s.staleness > rebuilds_due.max_staleness) END
	AND (rebuilds_due.recommender IS NULL
		 OR c.oid IN (SELECT r.relation FROM recsys.recommender_relations(rebuilds_due.recommender) r WHERE r.is_index)
		 OR (s.problem LIKE 'not valid: left by%'
			 AND x.indrelid IN (SELECT r.relation FROM recsys.recommender_relations(rebuilds_due.recommender) r)))
	ORDER BY s.problem LIKE 'not valid: left by%' DESC NULLS LAST, s.staleness DESC NULLS LAST, 1, 3;
END;
COMMENT ON FUNCTION recsys.rebuilds_due(text, double precision) IS 'recsys indexes that are due for a rebuild, of a recommender or all that you may read, each with the reason and the command: models with a larger staleness, options that wait, and what failed builds have left';

CREATE PROCEDURE recsys.reindex(recommender text DEFAULT NULL, max_staleness double precision DEFAULT 0.2)
	AS 'MODULE_PATHNAME', 'recsys_reindex' LANGUAGE C;
COMMENT ON PROCEDURE recsys.reindex(text, double precision) IS 'runs the commands of recsys.rebuilds_due for the indexes that you own, one after the other; others may read and write meanwhile';

CREATE FUNCTION recsys.merge_pending(recommender text DEFAULT NULL)
RETURNS TABLE (index_name text, merged bigint, recomputed bigint, inexact bigint)
	AS 'MODULE_PATHNAME', 'recsys_merge_pending' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 10;
COMMENT ON FUNCTION recsys.merge_pending(text) IS 'merges those of your recsys indexes, of a recommender or all, that have pending changes; returns what was done as recsys.merge does';

CREATE FUNCTION recsys.schedule(
	recommender text,
	refresh text DEFAULT '15 3 * * *',
	reindex text DEFAULT '45 3 * * *',
	merge text DEFAULT '*/5 * * * *',
	maintain text DEFAULT '20 * * * *',
	vacuum text DEFAULT '35 2 * * *',
	max_staleness double precision DEFAULT 0.2)
RETURNS TABLE (job text, schedule text, command text, job_id bigint, note text)
	AS 'MODULE_PATHNAME', 'recsys_schedule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION recsys.schedule(text, text, text, text, text, text, double precision) IS 'has pg_cron do what a recommender needs now and then, each job by a schedule of its own, NULL for none; replaces your jobs of that recommender; where pg_cron is not there, says what to run instead';

CREATE FUNCTION recsys.unschedule(recommender text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'recsys_unschedule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.unschedule(text) IS 'takes away the jobs that you have from recsys.schedule for a recommender, which need not exist any more; returns how many there were';

CREATE FUNCTION recsys.scheduled_jobs(
	OUT job text, OUT schedule text, OUT command text, OUT active boolean, OUT job_id bigint,
	OUT last_run timestamptz, OUT last_status text, OUT last_message text, OUT role text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_scheduled_jobs' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.scheduled_jobs() IS 'rows of the view recsys.schedules';

CREATE VIEW recsys.schedules AS
SELECT s.job, substring(s.job FROM '^recsys (.+) (?:refresh|reindex|merge|maintain|vacuum)$') AS recommender,
	   s.schedule, s.command, s.active, s.job_id, s.last_run, s.last_status, s.last_message, s.role
FROM recsys.scheduled_jobs() s;
COMMENT ON VIEW recsys.schedules IS 'jobs of pg_cron in this database that are about recsys, with their last runs: yours, and for superusers all; empty without pg_cron';
COMMENT ON COLUMN recsys.schedules.job IS 'name of the job';
COMMENT ON COLUMN recsys.schedules.recommender IS 'recommender that recsys.schedule has made it for, NULL for a job of your own';
COMMENT ON COLUMN recsys.schedules.schedule IS 'when it runs: minute, hour, day of the month, month, day of the week, by the clock of pg_cron';
COMMENT ON COLUMN recsys.schedules.command IS 'what it runs';
COMMENT ON COLUMN recsys.schedules.active IS 'whether it runs at all';
COMMENT ON COLUMN recsys.schedules.job_id IS 'its number in cron.job';
COMMENT ON COLUMN recsys.schedules.last_run IS 'when its last run began, NULL: it has not run yet, or its run could not begin';
COMMENT ON COLUMN recsys.schedules.last_status IS 'what became of that: succeeded, failed, or where it is';
COMMENT ON COLUMN recsys.schedules.last_message IS 'what it has said: the command''s tag, or the error';
COMMENT ON COLUMN recsys.schedules.role IS 'with whose rights it runs';
GRANT SELECT ON recsys.schedules TO PUBLIC;

/*
 * Advice
 */
-- tables with recsys indexes that the caller may read, of partitioned ones the partitions, and what their next VACUUM has to do
CREATE VIEW recsys.vacuum_state AS
SELECT v.nspname::text AS schema_name, c.relname::text AS table_name, c.reltuples, c.relpages, c.relallvisible,
	   pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
	   pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) AS inserted,
	   pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS all_inserted,
	   pg_catalog.pg_stat_get_tuples_updated(c.oid) + pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS all_changed,
	   EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
			   WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean) AS switched_off,
	   EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
			   WHERE o.option_name = 'autovacuum_vacuum_insert_scale_factor') AS tuned
FROM (SELECT DISTINCT s.schema_name, s.table_name FROM recsys.index_stats s) t
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name
JOIN pg_catalog.pg_class i ON i.relnamespace = n.oid AND i.relname = t.table_name
CROSS JOIN LATERAL (SELECT i.oid WHERE i.relkind <> 'p'
					UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(i.oid) p WHERE i.relkind = 'p' AND p.isleaf) l
JOIN pg_catalog.pg_class c ON c.oid = l.oid
JOIN pg_catalog.pg_namespace v ON v.oid = c.relnamespace
WHERE c.relpersistence <> 't';
COMMENT ON VIEW recsys.vacuum_state IS 'tables with recsys indexes that you may read, of partitioned ones the partitions, as the server''s statistics have them; recsys.maintenance_advice is made of it';
COMMENT ON COLUMN recsys.vacuum_state.schema_name IS 'schema of the table';
COMMENT ON COLUMN recsys.vacuum_state.table_name IS 'name of the table';
COMMENT ON COLUMN recsys.vacuum_state.reltuples IS 'its rows as of the last VACUUM or ANALYZE, -1: there was none';
COMMENT ON COLUMN recsys.vacuum_state.relpages IS 'its pages as of then';
COMMENT ON COLUMN recsys.vacuum_state.relallvisible IS 'of these, pages that everybody sees all of, so that an index need not look at the table';
COMMENT ON COLUMN recsys.vacuum_state.dead IS 'dead rows';
COMMENT ON COLUMN recsys.vacuum_state.inserted IS 'rows inserted since the last VACUUM';
COMMENT ON COLUMN recsys.vacuum_state.all_inserted IS 'rows inserted since statistics are kept';
COMMENT ON COLUMN recsys.vacuum_state.all_changed IS 'rows updated or deleted since then';
COMMENT ON COLUMN recsys.vacuum_state.switched_off IS 'whether autovacuum is switched off for the table';
COMMENT ON COLUMN recsys.vacuum_state.tuned IS 'whether autovacuum_vacuum_insert_scale_factor is set for the table';
GRANT SELECT ON recsys.vacuum_state TO PUBLIC;

CREATE VIEW recsys.maintenance_advice AS
-- rebuilds
SELECT CASE WHEN d.reason LIKE 'left by %' OR d.reason LIKE 'building it %' THEN 'invalid index'
			WHEN d.reason LIKE 'built with %' THEN 'options'
			WHEN d.reason LIKE '% since its model was built' THEN 'stale model'
			ELSE 'problem' END AS topic,
	   pg_catalog.format('%I.%I', d.schema_name, d.index_name) AS object, d.reason, d.command || ';' AS command
FROM recsys.rebuilds_due() d
UNION ALL
-- changes that nobody merges: a thousand, or a hundredth of the rows, for more than an hour
SELECT 'merge', pg_catalog.format('%I.%I', s.schema_name, s.index_name),
	   pg_catalog.format('%s changes are pending, the last merge was %s', s.pending,
						 coalesce(pg_catalog.to_char(s.last_merge_at, 'YYYY-MM-DD HH24:MI'), 'before the last build')),
	   pg_catalog.format('SELECT * FROM recsys.merge(%L);', pg_catalog.format('%I.%I', s.schema_name, s.index_name))
FROM recsys.index_stats s
WHERE s.problem IS NULL AND s.pending >= least(1000, greatest(coalesce(s.interactions, s.contents), 100) / 100)
AND greatest(s.last_merge_at, s.built_at) < pg_catalog.now() - interval '1 hour'
UNION ALL
-- VACUUM
SELECT 'vacuum', pg_catalog.format('%I.%I', v.schema_name, v.table_name),
	   CASE WHEN v.dead >= 1000 AND v.dead > 0.2 * greatest(v.reltuples, 0) THEN pg_catalog.format('%s rows are dead', v.dead)
			WHEN v.inserted >= 1000 AND v.inserted > 0.2 * greatest(v.reltuples, 0) THEN pg_catalog.format('%s rows were inserted since the last VACUUM', v.inserted)
			ELSE pg_catalog.format('of %s pages %s are known to be visible to everybody', v.relpages, v.relallvisible) END,
	   pg_catalog.format('VACUUM (ANALYZE) %I.%I;', v.schema_name, v.table_name)
FROM recsys.vacuum_state v
WHERE (v.dead >= 1000 AND v.dead > 0.2 * greatest(v.reltuples, 0))
   OR (v.inserted >= 1000 AND v.inserted > 0.2 * greatest(v.reltuples, 0))
   OR (v.relpages >= 100 AND v.relallvisible < 0.8 * v.relpages)
UNION ALL
SELECT 'autovacuum', pg_catalog.format('%I.%I', v.schema_name, v.table_name),
	   CASE WHEN v.switched_off THEN 'autovacuum is switched off for the table'
			ELSE pg_catalog.format('rows are inserted and rarely changed, and autovacuum waits for %s of them',
								   pg_catalog.round(v.reltuples * pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::double precision)) END,
	   CASE WHEN v.switched_off THEN pg_catalog.format('ALTER TABLE %I.%I RESET (autovacuum_enabled);', v.schema_name, v.table_name)
			ELSE pg_catalog.format('ALTER TABLE %I.%I SET (autovacuum_vacuum_insert_scale_factor = 0.02);', v.schema_name, v.table_name) END
FROM recsys.vacuum_state v
WHERE v.switched_off
   OR (NOT v.tuned AND v.all_inserted > 10 * v.all_changed
	   AND v.reltuples * pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::double precision >= 100000)
UNION ALL
-- declared recommenders of the caller's
SELECT CASE WHEN p.problem IS NOT NULL THEN 'problem' ELSE 'refresh' END, r.name,
	   coalesce(p.problem, 'its lists were made ' || pg_catalog.to_char(f.at, 'YYYY-MM-DD HH24:MI'), 'its lists were never made'),
	   CASE WHEN p.problem IS NOT NULL THEN pg_catalog.format('SELECT * FROM recsys.recommenders WHERE name = %L;', r.name)
			ELSE pg_catalog.format('CALL recsys.refresh(%L);', r.name) END
FROM recsys.recommender r
JOIN pg_catalog.pg_roles o ON o.rolname = r.owner AND pg_catalog.pg_has_role(o.oid, 'USAGE')
CROSS JOIN LATERAL (SELECT max(l.refreshed_at) AS at FROM recsys.popularity l WHERE l.recommender = r.name) f
CROSS JOIN LATERAL (SELECT recsys.recommender_problem(r.name) AS problem) p
WHERE p.problem IS NOT NULL OR f.at IS NULL OR f.at < pg_catalog.now() - interval '7 days'
UNION ALL
-- materialized views of the caller's that are made by this extension's functions and have never been filled
SELECT 'materialized view', pg_catalog.format('%I.%I', n.nspname, m.relname), 'it has not been filled',
	   pg_catalog.format('REFRESH MATERIALIZED VIEW %I.%I;', n.nspname, m.relname)
FROM pg_catalog.pg_class m
JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
WHERE m.relkind = 'm' AND NOT m.relispopulated AND pg_catalog.pg_has_role(m.relowner, 'USAGE')
AND EXISTS (SELECT FROM pg_catalog.pg_rewrite w
			JOIN pg_catalog.pg_depend u ON u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND u.objid = w.oid
				AND u.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
			JOIN pg_catalog.pg_depend e ON e.classid = u.refclassid AND e.objid = u.refobjid AND e.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid AND x.extname = 'recsys'
			WHERE w.ev_class = m.oid)
UNION ALL
-- the log, for the owner of the extension
SELECT 'maintain', 'recsys.request_log',
	   coalesce('recsys.maintain ran last ' || pg_catalog.to_char(k.at, 'YYYY-MM-DD HH24:MI'), 'recsys.maintain has never run'),
	   'SELECT * FROM recsys.maintain();'
FROM (SELECT max(t.time) AS at FROM recsys.maintenance t) k
JOIN pg_catalog.pg_extension x ON x.extname = 'recsys' AND pg_catalog.pg_has_role(x.extowner, 'USAGE')
WHERE (k.at IS NULL OR k.at < pg_catalog.now() - interval '1 day') AND recsys.log_is_used()
UNION ALL
-- partitions by time that are kept
SELECT 'partitions', pg_catalog.format('%I.%I', p.schema_name, p.table_name),
	   CASE WHEN p.problem IS NOT NULL THEN p.problem
			WHEN p.covered_until <= pg_catalog.now() + p.ahead / 2 THEN 'there are none from ' || pg_catalog.to_char(p.covered_until, 'YYYY-MM-DD HH24:MI') || ' on'
			ELSE pg_catalog.format('%s should have been dropped, the first one %s', p.expired, pg_catalog.to_char(p.expired_since, 'YYYY-MM-DD HH24:MI')) END,
	   CASE WHEN p.problem = 'the table does not exist' THEN pg_catalog.format('SELECT recsys.leave_partitions(%L);', pg_catalog.format('%I.%I', p.schema_name, p.table_name))
			WHEN p.problem IS NOT NULL THEN pg_catalog.format('SELECT * FROM recsys.kept_partitions WHERE (schema_name, table_name) = (%L, %L);', p.schema_name, p.table_name)
			ELSE pg_catalog.format('SELECT * FROM recsys.maintain_partitions(%L);', pg_catalog.format('%I.%I', p.schema_name, p.table_name)) END
FROM recsys.kept_partitions p
LEFT JOIN pg_catalog.pg_roles o ON o.rolname = p.owner
WHERE CASE WHEN o.oid IS NULL THEN pg_catalog.pg_has_role('pg_database_owner', 'USAGE') ELSE pg_catalog.pg_has_role(o.oid, 'USAGE') END
AND (p.problem IS NOT NULL OR p.covered_until <= pg_catalog.now() + p.ahead / 2 OR p.expired_since < pg_catalog.now() - interval '1 day')
UNION ALL
-- streams of the caller's: those that stand still, or fall behind
SELECT 'stream', s.stream, w.reason, w.command
FROM recsys.streams s
CROSS JOIN LATERAL (
	SELECT 'it has failed: ' || coalesce(s.last_message, '') AS reason, pg_catalog.format('SELECT recsys.resume_stream(%L);', s.stream) AS command
	WHERE s.state = 'failed'
	UNION ALL
	SELECT pg_catalog.format('partition %s is lost: %s', p.partition, p.message),
		   pg_catalog.format('SELECT recsys.seek_stream(%L, partition => %s, at => ''-infinity'');', s.stream, p.partition)
	FROM recsys.stream_partitions p
	WHERE p.stream = s.stream AND p.topic = s.topic AND p.state = 'lost' AND s.state NOT IN ('failed', 'paused')
	UNION ALL
	SELECT coalesce('no recsys-stream has been at it since ' || pg_catalog.to_char(s.seen_at, 'YYYY-MM-DD HH24:MI'), 'no recsys-stream has ever been at it'),
		   pg_catalog.format('SELECT * FROM recsys.streams WHERE stream = %L;', s.stream)
	WHERE s.state IN ('waiting', 'lost') AND s.consumers = 0 AND coalesce(s.seen_at, s.changed_at) < pg_catalog.clock_timestamp() - interval '1 minute'
	UNION ALL
	SELECT pg_catalog.format('it waits %s ms after each batch, as indexes of its target have too much to merge', s.throttle), 'SELECT * FROM recsys.merge_pending();'
	WHERE s.state IN ('running', 'lost') AND s.throttle > 0
	UNION ALL
	SELECT pg_catalog.format('it is %s messages behind, and has come to those of %s', s.lag, pg_catalog.to_char(s.last_message_time, 'YYYY-MM-DD HH24:MI')),
		   CASE WHEN coalesce((s.definition->>'jobs')::integer, 2) < least(s.partitions, 16) THEN pg_catalog.format('SELECT recsys.alter_stream(%L, jobs => %s);', s.stream, least(s.partitions, 16))
				ELSE pg_catalog.format('SELECT * FROM recsys.stream_partitions WHERE stream = %L;', s.stream) END
	WHERE s.state IN ('running', 'lost') AND s.throttle = 0 AND s.lag >= 1000 AND s.last_message_time < pg_catalog.now() - interval '5 minutes'
	UNION ALL
	SELECT pg_catalog.format('%s messages were rejected in the last hour', e.n),
		   pg_catalog.format('SELECT * FROM recsys.stream_errors WHERE stream = %L ORDER BY rejected_at DESC LIMIT 20;', s.stream)
	FROM (SELECT count(*) AS n FROM recsys.stream_errors e WHERE e.stream = s.stream AND e.rejected_at > pg_catalog.now() - interval '1 hour') e
	WHERE e.n > 0) w
UNION ALL
-- jobs
SELECT 'schedule', s.job, CASE WHEN s.active THEN 'its last run has failed: ' || coalesce(s.last_message, '') ELSE 'it is switched off' END,
	   CASE WHEN s.active THEN s.command || ';' ELSE pg_catalog.format('SELECT cron.alter_job(%s, active => true);', s.job_id) END
FROM recsys.schedules s
WHERE NOT s.active OR s.last_status = 'failed';
COMMENT ON VIEW recsys.maintenance_advice IS 'what should be done now about your recommenders, each with the statement that does it; empty when all is well';
COMMENT ON COLUMN recsys.maintenance_advice.topic IS 'problem, invalid index, options, stale model, merge, vacuum, autovacuum, refresh, materialized view, maintain, partitions, stream or schedule';
COMMENT ON COLUMN recsys.maintenance_advice.object IS 'what it is about: an index, a table, a recommender, a materialized view, a stream, a job';
COMMENT ON COLUMN recsys.maintenance_advice.reason IS 'why';
COMMENT ON COLUMN recsys.maintenance_advice.command IS 'what to run';
GRANT SELECT ON recsys.maintenance_advice TO PUBLIC;
/*
 * Pictures
 *
 * SVG as text, in SQL alone: for psql (\o file), notebooks and mail.  What a picture shows is asked
 * with the caller's rights by the functions that answer it as rows.  Shapes get classes, whose colors
 * the style sheet of recsys.svg_picture has for light and for dark pages.  The same data make the same
 * picture: coordinates are rounded, and nothing depends on settings of the session.
 */
CREATE FUNCTION recsys.item_titles(items text[], recommender text DEFAULT NULL)
RETURNS TABLE (item_id text, title text)
	AS 'MODULE_PATHNAME', 'recsys_item_titles' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.item_titles(text[], text) IS 'what a declared recommender calls items: those of the given keys that it has; no rows where it declares no title';

/*
 * What all pictures are made of
 */
-- not only <, > and &: XML has no signs for control characters and the last two of Unicode's first plane
CREATE FUNCTION recsys.svg_text(label text, most integer DEFAULT 100)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT replace(replace(replace(replace(CASE WHEN length(l.label) > most THEN left(l.label, greatest(most - 1, 0)) ELSE l.label END,
				   '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;') || CASE WHEN length(l.label) > most THEN '&#8230;' ELSE '' END
	FROM (SELECT btrim(regexp_replace(left(svg_text.label, 10000), E'[\\u0001-\\u0020\\u007F\\uFFFE\\uFFFF]+', ' ', 'g')) AS label) AS l;
END;
COMMENT ON FUNCTION recsys.svg_text(text, integer) IS 'a text as XML may have it, cut to so many characters';

CREATE FUNCTION recsys.svg_number(value double precision)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::text
				WHEN abs(value) < 1e-4 AND value <> 0 OR abs(value) >= 1e7 THEN btrim(to_char(value, '9.99EEEE'))
				ELSE trim_scale(round(value::numeric, greatest(0, 2 - floor(log(greatest(abs(value), 1e-4)))::integer)))::text END;
END;
COMMENT ON FUNCTION recsys.svg_number(double precision) IS 'a number with three digits that count, for people';

CREATE FUNCTION recsys.svg_picture(width integer, height integer, title text, description text, body text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('<svg xmlns="http://www.w3.org/2000/svg" class="recsys-plot" role="img" viewBox="0 0 %1$s %2$s" width="%1$s" height="%2$s">'
				  '<title>%3$s</title><desc>%4$s</desc>'
				  '<style>.recsys-plot{font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;max-width:100%%;height:auto}'
				  '.recsys-plot text{fill:#1f2933}.recsys-plot .page{fill:#fff}.recsys-plot .head{font-size:17px;font-weight:600}'
				  '.recsys-plot .dim{fill:#5f6b7a;font-size:12px}.recsys-plot .warn{fill:#c92a2a}.recsys-plot .strong{font-weight:600}'
				  '.recsys-plot .halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}'
				  '.recsys-plot .grid{stroke:#e1e5ea}.recsys-plot .zero{stroke:#8b95a1}.recsys-plot .link{stroke:#8b95a1;fill:none}.recsys-plot .empty{fill:#f3f5f7}'
				  '.recsys-plot .hot{fill:#e8590c}.recsys-plot .cold{fill:#2f6fde}'
				  '%5$s'
				  '@media (prefers-color-scheme:dark){.recsys-plot text{fill:#e6e9ed}.recsys-plot .page{fill:#15191e}.recsys-plot .dim{fill:#9aa5b1}.recsys-plot .warn{fill:#ff8787}'
				  '.recsys-plot .halo{stroke:#15191e}.recsys-plot .grid{stroke:#2c333b}.recsys-plot .zero{stroke:#7b8794}.recsys-plot .link{stroke:#7b8794}.recsys-plot .empty{fill:#1d232a}'
				  '.recsys-plot .hot{fill:#ff922b}.recsys-plot .cold{fill:#5c9dff}'
				  '%6$s}</style>'
				  '<rect class="page" width="%1$s" height="%2$s"/><text class="head" x="20" y="32">%3$s</text><text class="dim" x="20" y="52">%4$s</text>%7$s</svg>',
				  width, height, recsys.svg_text(title, 90), recsys.svg_text(description, 140),
				  (SELECT string_agg(format('.recsys-plot .l%1$s{stroke:%2$s}.recsys-plot .f%1$s{fill:%2$s}', n, light), '' ORDER BY n)
				   FROM unnest(ARRAY['#2f6fde', '#e8590c', '#2b8a3e', '#9c36b5', '#c2255c', '#0b7285', '#a07800', '#5f6b7a']) WITH ORDINALITY AS c (light, n)),
				  (SELECT string_agg(format('.recsys-plot .l%1$s{stroke:%2$s}.recsys-plot .f%1$s{fill:%2$s}', n, dark), '' ORDER BY n)
				   FROM unnest(ARRAY['#74a5ff', '#ff9f5a', '#69db7c', '#da77f2', '#f783ac', '#66d9e8', '#ffd43b', '#adb5bd']) WITH ORDINALITY AS c (dark, n)),
				  body);
END;
COMMENT ON FUNCTION recsys.svg_picture(integer, integer, text, text, text) IS 'an SVG picture of that size with a heading, and what stands below it, in pixels from the upper left corner';

/*
 * An order in which what belongs together stands together: each is followed by what the last one is
 * tied to most, of those that are left; where there is nothing, by the first one left.
 */
CREATE FUNCTION recsys.plot_order(items text[], firsts text[], seconds text[], weights double precision[])
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE ties AS MATERIALIZED (
		SELECT a, b, max(w) AS w
		FROM (SELECT a, b, w FROM unnest(firsts, seconds, weights) AS t (a, b, w)
			  UNION ALL SELECT b, a, w FROM unnest(firsts, seconds, weights) AS t (a, b, w)) AS both_ways
		GROUP BY a, b),
	chain (placed, last) AS (
		SELECT ARRAY[items[1]], items[1] WHERE items[1] IS NOT NULL
		UNION ALL
		SELECT c.placed || n.item, n.item
		FROM chain AS c, LATERAL (SELECT i.item
								  FROM unnest(items) WITH ORDINALITY AS i (item, place) LEFT JOIN ties AS t ON t.a = c.last AND t.b = i.item
								  WHERE i.item <> ALL (c.placed) ORDER BY t.w DESC NULLS LAST, i.place LIMIT 1) AS n)
	SELECT c.placed FROM chain AS c ORDER BY cardinality(c.placed) DESC LIMIT 1;
END;
COMMENT ON FUNCTION recsys.plot_order(text[], text[], text[], double precision[]) IS 'the items in such an order that those tied to each other, by pairs with weights, stand side by side';

/*
 * plot_neighbors: an item, what is like it, and what of that is like each other.
 *
 * Neighbors stand on an ellipse, right half from the top, left half from the bottom, at equal steps
 * of y, so that their labels never meet.
 */
CREATE FUNCTION recsys.plot_neighbors(item_id text, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
BEGIN ATOMIC
	WITH near AS MATERIALIZED (
		SELECT s.item_id AS item, s.score, s.support, s.rank
		FROM @extschema@.similar_items(plot_neighbors.item_id, least(greatest(coalesce(k, 12), 1), 40), plot_neighbors.recommender) AS s),
	-- each neighbor's own neighbors, as far as they are in the picture
	pairs AS MATERIALIZED (
		SELECT n.item AS a, o.item AS b, max(s.score) AS score
		FROM near AS n, LATERAL @extschema@.similar_items(n.item, 100, plot_neighbors.recommender) AS s, near AS o
		WHERE o.item = s.item_id AND o.item <> n.item
		GROUP BY 1, 2),
	edges AS (
		SELECT least(a, b) AS a, greatest(a, b) AS b, max(score) AS score FROM pairs GROUP BY 1, 2),
	titles AS MATERIALIZED (
		SELECT t.item_id AS item, nullif(btrim(t.title), '') AS title FROM recsys.item_titles(ARRAY(SELECT item FROM near), plot_neighbors.recommender) AS t),
	-- by itself: the key may be written in another way than the items' keys are
	center AS MATERIALIZED (
		SELECT coalesce((SELECT nullif(btrim(t.title), '') FROM recsys.item_titles(ARRAY[plot_neighbors.item_id], plot_neighbors.recommender) AS t LIMIT 1), plot_neighbors.item_id) AS label),
	total AS (
		SELECT count(*)::integer AS n, max(abs(score)) AS score, max(support) AS support,
			   CASE count(*) WHEN 0 THEN 20 ELSE greatest(150, (count(*)::integer + 1) / 2 * 18) END AS ry, (count(*)::integer + 1) / 2 AS n_right FROM near),
	placed AS (
		SELECT o.item, o.place - 1 AS place, t.ry, CASE WHEN o.place <= t.n_right THEN 1 ELSE -1 END AS side,
			   CASE WHEN o.place <= t.n_right THEN 2 * t.ry * (o.place - 0.5) / t.n_right - t.ry
					ELSE t.ry - 2 * t.ry * (o.place - t.n_right - 0.5) / (t.n - t.n_right) END AS y
		FROM total AS t, unnest(recsys.plot_order(ARRAY(SELECT n.item FROM near AS n ORDER BY n.rank), ARRAY(SELECT e.a FROM edges AS e ORDER BY e.a, e.b),
								ARRAY(SELECT e.b FROM edges AS e ORDER BY e.a, e.b), ARRAY(SELECT e.score FROM edges AS e ORDER BY e.a, e.b)::double precision[]))
								WITH ORDINALITY AS o (item, place)),
	nodes AS MATERIALIZED (
		SELECT p.item, p.place, p.side, round(450 + p.side * 200 * sqrt(1 - power(p.y / p.ry, 2))::numeric, 1) AS x, round(p.ry + 80 + p.y::numeric, 1) AS y,
			   n.score, n.support, coalesce(i.title, p.item) AS label
		FROM placed AS p JOIN near AS n USING (item) LEFT JOIN titles AS i USING (item)),
	shapes (layer, place, shape) AS (
		SELECT 1, row_number() OVER (ORDER BY e.score, e.a, e.b),
			   format('<path class="link" stroke-width="%s" stroke-opacity=".45" d="M%s %sQ%s %s %s %s"><title>%s &#8211; %s: %s</title></path>',
					  round(0.5 + 3 * (greatest(e.score, 0) / greatest(t.score, 1e-30))::numeric, 1), a.x, a.y,
					  round((a.x + b.x) * 0.3 + 180, 1), round((a.y + b.y) * 0.3 + (t.ry + 80) * 0.4, 1), b.x, b.y,
					  recsys.svg_text(a.label), recsys.svg_text(b.label), recsys.svg_number(e.score))
		FROM edges AS e JOIN nodes AS a ON a.item = e.a JOIN nodes AS b ON b.item = e.b, total AS t
		UNION ALL
		SELECT 2, place, format('<line class="l1" stroke-width="%s" stroke-opacity=".75" x1="450" y1="%s" x2="%s" y2="%s"/>',
								round(1 + 5 * (greatest(n.score, 0) / greatest(t.score, 1e-30))::numeric, 1), t.ry + 80, n.x, n.y)
		FROM nodes AS n, total AS t
		UNION ALL
		SELECT 3, place, format('<circle class="f1" cx="%s" cy="%s" r="%s"/><text class="halo" x="%s" y="%s" text-anchor="%s">%s<title>%s</title></text>'
								'<text class="dim halo" x="%s" y="%s" text-anchor="%s">%s%s</text>',
								n.x, n.y, round(4 + 5 * sqrt(coalesce(n.support, 0)::numeric / greatest(t.support, 1)), 1), n.x + n.side * 14, n.y, CASE n.side WHEN 1 THEN 'start' ELSE 'end' END,
								recsys.svg_text(n.label, 32), recsys.svg_text(n.label, 1000), n.x + n.side * 14, n.y + 14, CASE n.side WHEN 1 THEN 'start' ELSE 'end' END,
								recsys.svg_number(n.score), ' &#183; ' || n.support || CASE n.support WHEN 1 THEN ' user' ELSE ' users' END)
		FROM nodes AS n, total AS t
		UNION ALL
		SELECT 4, 0, format('<circle class="f2" cx="450" cy="%s" r="10"/><text class="strong halo" x="450" y="%s" text-anchor="middle">%s</text>',
							t.ry + 80, t.ry + 106, recsys.svg_text(c.label, 32))
		FROM total AS t, center AS c)
	SELECT recsys.svg_picture(900, (2 * t.ry + 100)::integer, 'Neighbors of ' || c.label,
							  CASE t.n WHEN 0 THEN 'It has no neighbors.' ELSE t.n || ' most similar items; the wider a line, the more similar' END,
							  (SELECT string_agg(s.shape, '' ORDER BY s.layer, s.place) FROM shapes AS s))
	FROM total AS t, center AS c WHERE plot_neighbors.item_id IS NOT NULL;
END;
COMMENT ON FUNCTION recsys.plot_neighbors(text, text, integer) IS 'SVG picture of an item''s k most similar items, at most 40, and of how similar they are to each other';

CREATE FUNCTION recsys.plot_neighbors(item_id bigint, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
	RETURN recsys.plot_neighbors(item_id::text, recommender, k);
COMMENT ON FUNCTION recsys.plot_neighbors(bigint, text, integer) IS 'the same of an item with a bigint key';

CREATE FUNCTION recsys.plot_neighbors(item_id uuid, recommender text DEFAULT NULL, k integer DEFAULT 12)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 20000
	RETURN recsys.plot_neighbors(item_id::text, recommender, k);
COMMENT ON FUNCTION recsys.plot_neighbors(uuid, text, integer) IS 'the same of an item with a uuid key';

/*
 * plot_lift: a heat map.  Color is the logarithm of the lift: 1, as by chance, is colorless.
 */
CREATE FUNCTION recsys.plot_lift(antecedents text[], consequents text[], lifts double precision[], k integer DEFAULT 12, title text DEFAULT 'Lift of rules')
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE COST 10000
BEGIN ATOMIC
	WITH rules AS MATERIALIZED (
		SELECT r.a, r.b, max(r.lift) AS lift, min(r.place) AS place
		FROM unnest(antecedents, consequents, lifts) WITH ORDINALITY AS r (a, b, lift, place)
		WHERE r.a IS NOT NULL AND r.b IS NOT NULL AND r.lift >= 0 AND r.lift < 'Infinity'
		GROUP BY r.a, r.b),
	-- the first k of each, in the order given
	chosen_rows AS (SELECT b AS label FROM rules GROUP BY b ORDER BY min(place), b LIMIT least(greatest(coalesce(k, 12), 1), 40)),
	chosen_columns AS (SELECT a AS label FROM rules GROUP BY a ORDER BY min(place), a LIMIT least(greatest(coalesce(k, 12), 1), 40)),
	shown AS MATERIALIZED (
		SELECT r.a, r.b, r.lift, r.place FROM rules AS r
		WHERE r.a IN (SELECT label FROM chosen_columns) AND r.b IN (SELECT label FROM chosen_rows)),
	ordered AS MATERIALIZED (
		SELECT o.label, o.place
		FROM unnest(recsys.plot_order(ARRAY(SELECT x.label FROM (SELECT s.a AS label, s.place FROM shown AS s UNION ALL SELECT s.b, s.place FROM shown AS s) AS x
											GROUP BY x.label ORDER BY min(x.place), x.label),
									  ARRAY(SELECT s.a FROM shown AS s ORDER BY s.place), ARRAY(SELECT s.b FROM shown AS s ORDER BY s.place),
									  ARRAY(SELECT s.lift FROM shown AS s ORDER BY s.place))) WITH ORDINALITY AS o (label, place)),
	-- room for labels: 7 pixels a sign, those of columns at an angle of 40 degrees
	margin AS MATERIALIZED (
		SELECT 36 + 7 * least(28, coalesce(max(length(s.b)), 0)) AS x, 90 + 5 * least(22, coalesce(max(length(s.a)), 0)) AS y FROM shown AS s),
	ys AS MATERIALIZED (
		SELECT o.label, (SELECT m.y FROM margin AS m) - 36 + 36 * (row_number() OVER (ORDER BY o.place))::integer AS y FROM ordered AS o WHERE o.label IN (SELECT s.b FROM shown AS s)),
	xs AS MATERIALIZED (
		SELECT o.label, (SELECT m.x FROM margin AS m) - 52 + 52 * (row_number() OVER (ORDER BY o.place))::integer AS x FROM ordered AS o WHERE o.label IN (SELECT s.a FROM shown AS s)),
	size AS (
		SELECT (SELECT count(*) FROM xs)::integer AS nx, (SELECT count(*) FROM ys)::integer AS ny,
			   (SELECT max(CASE WHEN s.lift > 0 THEN abs(ln(s.lift)) END) FROM shown AS s) AS most),
	shapes (layer, place, shape) AS (
		SELECT 1, 0::bigint, format('<rect class="empty" x="%s" y="%s" width="%s" height="%s"/>', m.x, m.y, 52 * z.nx, 36 * z.ny) FROM size AS z, margin AS m WHERE z.nx > 0
		UNION ALL
		SELECT 2, row_number() OVER (ORDER BY y.y, x.x),
			   format('<g><title>%s &#8594; %s: lift %s</title><rect class="%s" fill-opacity="%s" x="%s" y="%s" width="50" height="34" rx="3"/><text x="%s" y="%s" text-anchor="middle">%s</text></g>',
					  recsys.svg_text(s.a), recsys.svg_text(s.b), recsys.svg_number(s.lift), CASE WHEN s.lift >= 1 THEN 'hot' ELSE 'cold' END,
					  CASE WHEN s.lift = 0 THEN 0.8 ELSE round((0.8 * abs(ln(s.lift)) / greatest(z.most, 0.1))::numeric, 2) END,
					  x.x + 1, y.y + 1, x.x + 26, y.y + 23, recsys.svg_number(s.lift))
		FROM shown AS s JOIN xs AS x ON x.label = s.a JOIN ys AS y ON y.label = s.b, size AS z
		UNION ALL
		SELECT 3, row_number() OVER (ORDER BY y.y), format('<text x="%s" y="%s" text-anchor="end">%s<title>%s</title></text>', m.x - 8, y.y + 23, recsys.svg_text(y.label, 28), recsys.svg_text(y.label, 1000)) FROM ys AS y, margin AS m
		UNION ALL
		SELECT 4, row_number() OVER (ORDER BY x.x), format('<text x="%1$s" y="%2$s" transform="rotate(-40 %1$s %2$s)">%3$s<title>%4$s</title></text>', x.x + 26, m.y - 8, recsys.svg_text(x.label, 22), recsys.svg_text(x.label, 1000)) FROM xs AS x, margin AS m)
	SELECT recsys.svg_picture(greatest(680, m.x + 140 + 52 * z.nx), greatest(120, m.y + 24 + 36 * z.ny), plot_lift.title,
							  CASE WHEN z.nx = 0 THEN 'There are no rules: ask for less support or confidence.'
								   ELSE 'How many times more often than by chance; columns: what is bought, rows: what goes with it' END,
							  coalesce((SELECT string_agg(s.shape, '' ORDER BY s.layer, s.place) FROM shapes AS s), ''))
	FROM size AS z, margin AS m;
END;
COMMENT ON FUNCTION recsys.plot_lift(text[], text[], double precision[], integer, text) IS 'SVG heat map of rules, antecedent by consequent, colored by lift: of the first k of each in the order given, at most 40';

CREATE FUNCTION recsys.plot_rules(recommender text DEFAULT NULL, k integer DEFAULT 12, min_support double precision DEFAULT 0.01, min_confidence double precision DEFAULT 0.05)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH rules AS MATERIALIZED (
		SELECT r.antecedent[1] AS a, r.consequent AS b, r.lift, row_number() OVER (ORDER BY r.leverage DESC, r.antecedent[1], r.consequent) AS place
		FROM @extschema@.association_rules(coalesce((SELECT coalesce(d.definition ->> 'complements', d.definition -> 'signals' -> 0 ->> 'events')
													 FROM recsys.recommender AS d WHERE d.name = plot_rules.recommender), plot_rules.recommender),
										   NULL::text, plot_rules.min_support, plot_rules.min_confidence, 2, 2,
										   k => least(greatest(coalesce(plot_rules.k, 12), 1), 40) * 40, order_by => 'leverage') AS r),
	titles AS MATERIALIZED (
		-- two items of one title are told apart by their keys
		SELECT t.item_id, CASE WHEN count(*) OVER (PARTITION BY t.title) > 1 THEN t.title || ' (' || t.item_id || ')' ELSE t.title END AS title
		FROM recsys.item_titles(ARRAY(SELECT r.a FROM rules AS r UNION SELECT r.b FROM rules AS r), plot_rules.recommender) AS t WHERE btrim(t.title) <> '')
	SELECT recsys.plot_lift(array_agg(coalesce(t.title, r.a) ORDER BY r.place), array_agg(coalesce(u.title, r.b) ORDER BY r.place), array_agg(r.lift ORDER BY r.place),
							plot_rules.k, 'What goes with what' || coalesce(': ' || plot_rules.recommender, ''))
	FROM rules AS r LEFT JOIN titles AS t ON t.item_id = r.a LEFT JOIN titles AS u ON u.item_id = r.b;
END;
COMMENT ON FUNCTION recsys.plot_rules(text, integer, double precision, double precision) IS 'SVG heat map of the lift of rules between two items, of the pairs with the most leverage; k items each, at most 40';

/*
 * plot_experiment: intervals of lifts.  One that is far wider than the lifts is cut, with an arrow.
 */
CREATE FUNCTION recsys.svg_steps(low double precision, high double precision, most integer DEFAULT 6)
RETURNS SETOF numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 6
BEGIN ATOMIC
	SELECT trim_scale(generate_series(ceil(low::numeric / s.step), floor(high::numeric / s.step)) * s.step)
	FROM (SELECT p.power * CASE WHEN p.part <= p.power THEN 1 WHEN p.part <= 2 * p.power THEN 2 WHEN p.part <= 5 * p.power THEN 5 ELSE 10 END AS step
		  FROM (SELECT q.part, power(10::numeric, floor(log(q.part))) AS power
				FROM (SELECT greatest((high - low)::numeric, 1e-9) / most AS part) AS q) AS p) AS s;
END;
COMMENT ON FUNCTION recsys.svg_steps(double precision, double precision, integer) IS 'round numbers in a range, for an axis';

CREATE FUNCTION recsys.plot_experiment(experiment text, metric text DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
BEGIN ATOMIC
	WITH results AS MATERIALIZED (
		SELECT x.metric, x.segment, x.variant, x.control, x.users, x.control_users, x.lift, x.verdict, x.sample_ratio_p, x.is_primary, x.is_guardrail,
			   CASE WHEN x.lift_low > '-Infinity' AND x.lift_low < 'Infinity' THEN x.lift_low END AS low,
			   CASE WHEN x.lift_high > '-Infinity' AND x.lift_high < 'Infinity' THEN x.lift_high END AS high,
			   58 + 40 * (row_number() OVER (ORDER BY x.segment COLLATE "C" NULLS FIRST, x.is_primary DESC, x.is_guardrail, x.ordinality))::integer AS y
		FROM recsys.experiment_results(plot_experiment.experiment) WITH ORDINALITY AS x
		WHERE CASE WHEN plot_experiment.metric IS NULL THEN x.segment IS NULL ELSE x.metric = plot_experiment.metric END),
	reach AS (
		SELECT greatest(4 * max(abs(lift)), 0.1) AS most, count(*)::integer AS n, count(DISTINCT variant) AS variants FROM results),
	scale AS MATERIALIZED (
		SELECT z.n, z.variants, z.most,
			   least(-0.01, greatest(min(least(r.low, r.lift)), -z.most)) * 1.05 AS low, greatest(0.01, least(max(greatest(r.high, r.lift)), z.most)) * 1.05 AS high
		FROM reach AS z LEFT JOIN results AS r ON true GROUP BY z.n, z.variants, z.most),
	drawn AS (
		SELECT r.*, CASE r.verdict WHEN 'better' THEN 3 WHEN 'worse' THEN 5 ELSE 8 END AS color, r.low < s.low AS cut_low, r.high > s.high AS cut_high,
			   round((260 + 380 * (r.lift - s.low) / (s.high - s.low))::numeric, 1) AS x,
			   CASE WHEN r.low <= r.high THEN round((260 + 380 * (greatest(r.low, s.low) - s.low) / (s.high - s.low))::numeric, 1) END AS x_low,
			   CASE WHEN r.low <= r.high THEN round((260 + 380 * (least(r.high, s.high) - s.low) / (s.high - s.low))::numeric, 1) END AS x_high,
			   CASE WHEN plot_experiment.metric IS NULL THEN r.metric ELSE coalesce(r.segment, 'all users') END AS name,
			   CASE WHEN r.is_primary AND plot_experiment.metric IS NULL THEN ' &#183; primary' WHEN r.is_guardrail AND plot_experiment.metric IS NULL THEN ' &#183; guardrail' ELSE '' END AS role
		FROM results AS r, scale AS s),
	shapes (layer, place, shape) AS (
		SELECT 1, t, format('<line class="%1$s" x1="%2$s" x2="%2$s" y1="74" y2="%3$s"/><text class="dim" x="%2$s" y="%4$s" text-anchor="middle">%5$s%6$s %%</text>',
							CASE WHEN t = 0 THEN 'zero' ELSE 'grid' END, round((260 + 380 * (t::double precision - s.low) / (s.high - s.low))::numeric, 1), 84 + 40 * s.n, 102 + 40 * s.n,
							CASE WHEN t > 0 THEN '+' ELSE '' END, recsys.svg_number(100 * t::double precision))
		FROM scale AS s, recsys.svg_steps(s.low, s.high) AS t WHERE s.n > 0
		UNION ALL
		SELECT 2, d.y, format('<text x="20" y="%s"%s>%s</text><text class="dim" x="20" y="%s">%s &#183; %s users%s</text>', d.y - 2, CASE WHEN d.is_primary THEN ' class="strong"' ELSE '' END,
							  recsys.svg_text(d.name, 30), d.y + 14, recsys.svg_text(d.variant, 18), d.users, d.role)
		FROM drawn AS d
		UNION ALL
		SELECT 3, d.y, format('<line class="l%s" stroke-width="3" stroke-linecap="round" x1="%s" x2="%s" y1="%s" y2="%4$s"/>%s%s', d.color, d.x_low, d.x_high, d.y + 2,
							  CASE WHEN d.cut_low THEN format('<path class="f%s" d="M%s %sl9 -6v12z"/>', d.color, d.x_low - 5, d.y + 2) END,
							  CASE WHEN d.cut_high THEN format('<path class="f%s" d="M%s %sl-9 -6v12z"/>', d.color, d.x_high + 5, d.y + 2) END)
		FROM drawn AS d WHERE d.x_low IS NOT NULL AND d.x_high IS NOT NULL
		UNION ALL
		SELECT 4, d.y, format('<circle class="f%s" cx="%s" cy="%s" r="6"/>', d.color, d.x, d.y + 2) FROM drawn AS d WHERE d.x BETWEEN 260 AND 640
		UNION ALL
		SELECT 5, d.y, format('<text x="656" y="%s">%s</text><text class="dim" x="656" y="%s">%s</text>', d.y - 2,
							  coalesce(CASE WHEN d.lift > 0 THEN '+' ELSE '' END || recsys.svg_number(100 * d.lift) || ' %' ||
									   coalesce(' [' || recsys.svg_number(100 * d.low) || ', ' || recsys.svg_number(100 * d.high) || ']', ''), '&#8211;'), d.y + 14, recsys.svg_text(d.verdict, 40))
		FROM drawn AS d)
	SELECT recsys.svg_picture(860, 120 + 40 * s.n, 'Experiment ' || plot_experiment.experiment || coalesce(': ' || plot_experiment.metric, ''),
							  CASE WHEN s.n = 0 AND plot_experiment.metric IS NOT NULL THEN 'It has no results of such a metric.'
								   WHEN s.n = 0 THEN 'It has no results yet.'
								   WHEN (SELECT bool_or(r.verdict LIKE 'broken%') FROM results AS r)
								   THEN 'Broken: the numbers of users are not as the shares say, and no figure can be trusted.'
								   ELSE (SELECT 'How much more than ' || r.control || ' (' || r.control_users || ' users), with intervals' FROM results AS r ORDER BY r.y LIMIT 1) END,
							  coalesce((SELECT string_agg(p.shape, '' ORDER BY p.layer, p.place) FROM shapes AS p), ''))
	FROM scale AS s WHERE plot_experiment.experiment IS NOT NULL;
END;
COMMENT ON FUNCTION recsys.plot_experiment(text, text) IS 'SVG picture of what an experiment says: the lift of each metric with its interval; of one metric by segment';

/*
 * plot_lines: anything over time.  Days are those of UTC, as in the metrics.
 */
CREATE FUNCTION recsys.plot_lines(times timestamptz[], amounts double precision[], labels text[] DEFAULT NULL, title text DEFAULT 'Over time',
	lows double precision[] DEFAULT NULL, highs double precision[] DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE COST 10000
BEGIN ATOMIC
	WITH points AS MATERIALIZED (
		SELECT extract(epoch FROM p.t)::double precision AS t, p.v, coalesce(p.label, '') AS label, p.place,
			   CASE WHEN p.low > '-Infinity' AND p.low < 'Infinity' THEN p.low END AS low, CASE WHEN p.high > '-Infinity' AND p.high < 'Infinity' THEN p.high END AS high
		FROM unnest(times, amounts, labels, lows, highs) WITH ORDINALITY AS p (t, v, label, low, high, place)
		WHERE isfinite(p.t) AND p.v > '-Infinity' AND p.v < 'Infinity'),
	spread AS (
		SELECT min(t) AS first, max(t) AS last, min(v) AS low, max(v) AS high, greatest(2 * (max(v) - min(v)), 0.5 * max(abs(v)), 1e-9) AS slack,
			   min(low) AS band_low, max(high) AS band_high, count(*) AS n FROM points),
	reach AS (
		SELECT s.n, s.first, greatest(s.last - s.first, 1) AS duration,
			   least(s.low, greatest(s.band_low, s.low - s.slack)) AS low, greatest(s.high, least(s.band_high, s.high + s.slack)) AS high FROM spread AS s),
	-- an axis begins at zero unless that wastes most of it
	scale AS MATERIALIZED (
		SELECT r.n, r.first, r.duration, CASE WHEN r.low >= 0 AND r.low < r.high / 2 THEN 0 WHEN r.low = r.high THEN r.low - greatest(abs(r.low), 1e-9) / 2 ELSE r.low END AS low,
			   CASE WHEN r.low = r.high AND r.low = 0 THEN 1 WHEN r.low = r.high THEN r.high + greatest(abs(r.high), 1e-9) / 2 ELSE r.high END AS high FROM reach AS r),
	series AS MATERIALIZED (
		SELECT p.label, row_number() OVER (ORDER BY min(p.place)) AS number FROM points AS p GROUP BY p.label),
	drawn AS MATERIALIZED (
		SELECT s.label, s.number, 1 + (s.number - 1) % 8 AS color, p.t, p.v, round((70 + 620 * (p.t - z.first) / z.duration)::numeric, 1) AS x,
			   round((350 - 270 * (p.v - z.low) / (z.high - z.low))::numeric, 1) AS y,
			   CASE WHEN p.low <= p.high THEN round((350 - 270 * (greatest(p.low, z.low) - z.low) / (z.high - z.low))::numeric, 1) END AS y_low,
			   CASE WHEN p.low <= p.high THEN round((350 - 270 * (least(p.high, z.high) - z.low) / (z.high - z.low))::numeric, 1) END AS y_high
		FROM points AS p JOIN series AS s USING (label), scale AS z),
	step AS (
		SELECT greatest(CASE WHEN z.duration < 172800 THEN ceil(z.duration / 3600 / 6) * 3600 ELSE ceil(z.duration / 86400 / 6) * 86400 END, 3600) AS seconds,
			   CASE WHEN z.duration < 172800 THEN 'HH24:MI' WHEN z.duration > 2e7 THEN 'YYYY-MM-DD' ELSE 'DD Mon' END AS format FROM scale AS z),
	shapes (layer, place, shape) AS (
		SELECT 1, t::double precision, format('<line class="%s" x1="70" x2="690" y1="%s" y2="%2$s"/><text class="dim" x="62" y="%s" text-anchor="end">%s</text>', CASE WHEN t = 0 THEN 'zero' ELSE 'grid' END,
							round((350 - 270 * (t::double precision - z.low) / (z.high - z.low))::numeric, 1), round((354 - 270 * (t::double precision - z.low) / (z.high - z.low))::numeric, 1),
							recsys.svg_number(t::double precision))
		FROM scale AS z, recsys.svg_steps(z.low, z.high) AS t WHERE z.n > 0
		UNION ALL
		SELECT 2, t, format('<text class="dim" x="%s" y="374" text-anchor="middle">%s</text>', round((70 + 620 * (t - z.first) / z.duration)::numeric, 1),
							to_char(to_timestamp(t) AT TIME ZONE 'UTC', e.format))
		FROM scale AS z, step AS e, generate_series((ceil(z.first / e.seconds) * e.seconds)::bigint, (z.first + z.duration)::bigint, e.seconds::bigint) AS t WHERE z.n > 0
		UNION ALL
		SELECT 3, d.number, format('<path class="f%s" fill-opacity=".15" d="M%s L%sZ"/>', d.color, string_agg(d.x || ' ' || d.y_high, 'L' ORDER BY d.t), string_agg(d.x || ' ' || d.y_low, 'L' ORDER BY d.t DESC))
		FROM drawn AS d WHERE d.y_low IS NOT NULL AND d.y_high IS NOT NULL GROUP BY d.number, d.color HAVING count(*) > 1
		UNION ALL
		SELECT 4, d.number, format('<path class="l%s" fill="none" stroke-width="2" stroke-linejoin="round" d="M%s"/>', d.color, string_agg(d.x || ' ' || d.y, 'L' ORDER BY d.t))
		FROM drawn AS d GROUP BY d.number, d.color HAVING count(*) > 1
		UNION ALL
		SELECT 5, row_number() OVER (ORDER BY d.number, d.t, d.y), format('<circle class="f%s" cx="%s" cy="%s" r="%s"><title>%s %s: %s</title></circle>', d.color, d.x, d.y, CASE WHEN z.n > 100 THEN 1.5 ELSE 3 END,
							recsys.svg_text(d.label), to_char(to_timestamp(d.t) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), recsys.svg_number(d.v))
		FROM drawn AS d, scale AS z
		UNION ALL
		SELECT 6, s.number, format('<rect class="f%s" x="708" y="%s" width="12" height="12" rx="2"/><text x="726" y="%s">%s<title>%s</title></text>', 1 + (s.number - 1) % 8, 70 + 22 * s.number, 81 + 22 * s.number,
								   recsys.svg_text(s.label, 22), recsys.svg_text(s.label, 1000))
		FROM series AS s WHERE s.label <> '' AND s.number <= 13)
	SELECT recsys.svg_picture(900, 396, plot_lines.title, CASE WHEN z.n > 0 THEN 'From ' || to_char(to_timestamp(z.first) AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' to ' ||
							  to_char(to_timestamp((SELECT max(p.t) FROM points AS p)) AT TIME ZONE 'UTC', 'YYYY-MM-DD') ELSE 'There is nothing to show.' END,
							  coalesce((SELECT string_agg(p.shape, '' ORDER BY p.layer, p.place) FROM shapes AS p), ''))
	FROM scale AS z;
END;
COMMENT ON FUNCTION recsys.plot_lines(timestamptz[], double precision[], text[], text, double precision[], double precision[]) IS 'SVG line chart: amounts over time, one line a label, with bands from lows to highs';
/*
 * Item graphs that stand in tables: the access method recsys_graph, and serving by a history
 * that one index has and neighbors that another has
 */
CREATE FUNCTION recsys.graph_index_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'recsys_graph_handler' LANGUAGE C;
COMMENT ON FUNCTION recsys.graph_index_handler(internal) IS 'handler of the recsys_graph index access method';

CREATE ACCESS METHOD recsys_graph TYPE INDEX HANDLER recsys.graph_index_handler;
COMMENT ON ACCESS METHOD recsys_graph IS 'item graph of a table of (item, users, similar items, scores [, supports])';

-- what the columns must be, the library says, with what is wrong
CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement USING recsys_graph AS STORAGE anyelement;
COMMENT ON OPERATOR CLASS any_ops USING recsys_graph IS 'columns of an item graph; an index over others is refused';

/*
 * recommend_from: recommend, with the history of the user from one index and the neighbors of its
 * items, and popular items, from another.
 */
CREATE FUNCTION recsys.recommend_from(
	user_id anycompatible,
	k bigint,
	history regclass,
	graph regclass,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id bigint, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.recommend_from(anycompatible, bigint, regclass, regclass, boolean, interval) IS 'the k best items for a user whose history one index has, by the item graph that another has; bigint item keys';

CREATE FUNCTION recsys.recommend_from(
	user_id anycompatible,
	k bigint,
	history regclass,
	graph regclass,
	item_type anyelement,
	exclude_seen boolean DEFAULT true,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item_id anyelement, score real, source text, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_recommend_from_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 1000 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.recommend_from(anycompatible, bigint, regclass, regclass, anyelement, boolean, interval) IS 'the k best items for a user whose history one index has, by the item graph that another has; item keys of the type of the fifth argument';

/*
 * similar_from, popular_from: what similar_items and popular_items tell, by such a graph.
 */
CREATE FUNCTION recsys.similar_from(
	item_id bigint,
	k bigint,
	graph regclass)
RETURNS TABLE (item_id bigint, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.similar_from(bigint, bigint, regclass) IS 'the k nearest neighbors of an item in an item graph; bigint item keys';

CREATE FUNCTION recsys.similar_from(
	item_id text,
	k bigint,
	graph regclass)
RETURNS TABLE (item_id text, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.similar_from(text, bigint, regclass) IS 'the k nearest neighbors of an item in an item graph; item keys of every type, as text';

CREATE FUNCTION recsys.similar_from(
	item_id uuid,
	k bigint,
	graph regclass)
RETURNS TABLE (item_id uuid, score real, support bigint, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_similar_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.similar_from(uuid, bigint, regclass) IS 'the k nearest neighbors of an item in an item graph; uuid item keys';

CREATE FUNCTION recsys.popular_from(
	k bigint,
	graph regclass)
RETURNS TABLE (item_id bigint, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.popular_from(bigint, regclass) IS 'the k items of an item graph with the most users; bigint item keys';

CREATE FUNCTION recsys.popular_from(
	k bigint,
	graph regclass,
	item_type anyelement)
RETURNS TABLE (item_id anyelement, users bigint, score double precision, rank integer)
	AS 'MODULE_PATHNAME', 'recsys_popular_from' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100 ROWS 10 SUPPORT recsys.rows_support;
COMMENT ON FUNCTION recsys.popular_from(bigint, regclass, anyelement) IS 'the k items of an item graph with the most users; item keys of the type of the third argument';

/*
 * train_part: the rows of such a table for a part of the items, so that several servers, or sessions, train
 * one graph.  train_plan: which items each part has; computed once, and handed to all.
 */
CREATE FUNCTION recsys.train_plan(
	query text,
	parts integer,
	max_history integer DEFAULT 2000,
	OUT plan bytea,
	OUT items bigint[],
	OUT pair_updates bigint[])
	AS 'MODULE_PATHNAME', 'recsys_train_plan' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000;
COMMENT ON FUNCTION recsys.train_plan(text, integer, integer) IS 'which items of a query, returning user, item or arrays of them, each part of a training has, so that all count as many pairs; and how many items and pair updates that is for each part';

CREATE FUNCTION recsys.train_part(
	query text,
	part integer,
	parts integer,
	similarity text DEFAULT 'cosine',
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	shrinkage double precision DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	max_history integer DEFAULT 2000,
	options text DEFAULT NULL,
	plan bytea DEFAULT NULL)
RETURNS TABLE (item_id bigint, users integer, similar_ids bigint[], scores real[], supports integer[])
	AS 'MODULE_PATHNAME', 'recsys_train_part' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.train_part(text, integer, integer, text, integer, integer, double precision, double precision, integer, text, bytea) IS 'rows of the item graph of a query for a part of its items, part 0 to parts - 1; bigint item keys';

CREATE FUNCTION recsys.train_part(
	query text,
	part integer,
	parts integer,
	item_type anyelement,
	similarity text DEFAULT 'cosine',
	neighbors integer DEFAULT NULL,
	min_support integer DEFAULT NULL,
	shrinkage double precision DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	max_history integer DEFAULT 2000,
	options text DEFAULT NULL,
	plan bytea DEFAULT NULL)
RETURNS TABLE (item_id anyelement, users integer, similar_ids anyarray, scores real[], supports integer[])
	AS 'MODULE_PATHNAME', 'recsys_train_part_typed' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 100000 ROWS 10000;
COMMENT ON FUNCTION recsys.train_part(text, integer, integer, anyelement, text, integer, integer, double precision, double precision, integer, text, bytea) IS 'rows of the item graph of a query for a part of its items; item keys of the type of the fourth argument';
/*
 * Recommenders over tables that Citus has distributed
 *
 * Both tables become reference tables, with a copy on every node, when recsys.distribute() first runs.
 */
CREATE TABLE recsys.distributed (
	recommender text COLLATE "C" NOT NULL PRIMARY KEY,
	graph text COLLATE "C",
	version integer NOT NULL,
	secret bytea NOT NULL,
	table_name text COLLATE "C" NOT NULL,
	trained_at timestamptz,
	items bigint);
COMMENT ON TABLE recsys.distributed IS 'recommenders that recsys.distribute() has been to: the index that serves the item graph, and the secret of the hashes in recsys.forgotten';
COMMENT ON COLUMN recsys.distributed.recommender IS 'name of the index that the recommender is named by, with its schema';
COMMENT ON COLUMN recsys.distributed.graph IS 'name of the index over the item graph that serves, with its schema';
COMMENT ON COLUMN recsys.distributed.version IS 'number of the training that has made the graph';
COMMENT ON COLUMN recsys.distributed.secret IS 'key of the hashes of users in recsys.forgotten; nobody but the owner of the extension reads it';
COMMENT ON COLUMN recsys.distributed.table_name IS 'name of the distributed table, with its schema';
COMMENT ON COLUMN recsys.distributed.trained_at IS 'when the graph was trained';
COMMENT ON COLUMN recsys.distributed.items IS 'items that the graph has';
REVOKE ALL ON recsys.distributed FROM PUBLIC;
GRANT SELECT (recommender, graph, version, table_name, trained_at, items) ON recsys.distributed TO PUBLIC;

CREATE TABLE recsys.forgotten (
	user_hash uuid NOT NULL,
	recommender text COLLATE "C" NOT NULL,
	forgotten_at timestamptz NOT NULL,
	PRIMARY KEY (user_hash, recommender));
COMMENT ON TABLE recsys.forgotten IS 'keyed hashes of users whom distributed recommenders have forgotten while rows of theirs were there, and when';
COMMENT ON COLUMN recsys.forgotten.user_hash IS 'first half of HMAC-SHA256 of the user''s key as text, by the secret of the recommender';
COMMENT ON COLUMN recsys.forgotten.recommender IS 'name of the recommender, as in recsys.distributed';
COMMENT ON COLUMN recsys.forgotten.forgotten_at IS 'when the user was forgotten; what has happened until then stays so';
REVOKE ALL ON recsys.forgotten FROM PUBLIC;

-- what the nodes serve declared recommenders by; reference tables from then on, too
CREATE TABLE recsys.distributed_shop (
	name text COLLATE "C" NOT NULL PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL);
COMMENT ON TABLE recsys.distributed_shop IS 'declared recommenders that recsys.distribute() has been to, as all nodes serve them: copies of rows of recsys.recommender on the coordinator';
COMMENT ON COLUMN recsys.distributed_shop.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.distributed_shop.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.distributed_shop.definition IS 'what is declared, as in recsys.recommender';
GRANT SELECT ON recsys.distributed_shop TO PUBLIC;

CREATE TABLE recsys.distributed_popularity (
	recommender text COLLATE "C" NOT NULL,
	kind text COLLATE "C" NOT NULL,
	value text COLLATE "C" NOT NULL,
	items text[] NOT NULL,
	users bigint[] NOT NULL,
	PRIMARY KEY (recommender, kind, value));
COMMENT ON TABLE recsys.distributed_popularity IS 'what their last refresh has found to be popular where: copies of rows of recsys.popularity on the coordinator';
COMMENT ON COLUMN recsys.distributed_popularity.recommender IS 'declared recommender';
COMMENT ON COLUMN recsys.distributed_popularity.kind IS 'what the list is of, as in recsys.popularity';
COMMENT ON COLUMN recsys.distributed_popularity.value IS 'which of them';
COMMENT ON COLUMN recsys.distributed_popularity.items IS 'item keys, the most popular one first';
COMMENT ON COLUMN recsys.distributed_popularity.users IS 'how many users have each of them';
REVOKE ALL ON recsys.distributed_popularity FROM PUBLIC;

CREATE FUNCTION recsys.distribute(recommender text, OUT graph text, OUT items bigint, OUT nodes integer)
	AS 'MODULE_PATHNAME', 'recsys_distribute' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.distribute(text) IS 'makes one recommender of an index over a table that Citus has distributed, or has all nodes serve a declared one: trains an item graph of all nodes, on all nodes, and serves each user where the rows are; run it again after nodes have been added';

CREATE FUNCTION recsys.retrain(recommender text, OUT graph text, OUT items bigint, OUT nodes integer)
	AS 'MODULE_PATHNAME', 'recsys_retrain' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.retrain(text) IS 'trains the item graph of a distributed recommender, or those of a declared one, anew; the old one serves until the new one is on all nodes';

CREATE FUNCTION recsys.undistribute(recommender text) RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_undistribute' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.undistribute(text) IS 'takes back what recsys.distribute has made; the table and its index stay as they are';

-- what the functions above, recsys.merge and others run on every node
CREATE FUNCTION recsys.on_shards(recommender text, action text, argument text DEFAULT NULL) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'recsys_on_shards' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.on_shards(text, text, text) IS 'merges or checks this node''s indexes of a distributed recommender, or has them forget a user; returns the sums of what was done';

CREATE FUNCTION recsys.counts_for(recommender text, user_id anycompatible, at timestamptz) RETURNS boolean
	AS 'MODULE_PATHNAME', 'recsys_counts_for' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION recsys.counts_for(text, anycompatible, timestamptz) IS 'false for what a user has done before a distributed recommender has forgotten the user; of unknown time all is';

CREATE FUNCTION recsys.distribute_log() RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_distribute_log' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.distribute_log() IS 'makes one log of all nodes, to which each can write and whose reports each can give, and copies experiments and settings to all nodes; run it again after nodes have been added';
