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
	OUT model text, OUT model_quality jsonb, OUT index_kind text, OUT contents bigint)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_index_statistics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.index_statistics() IS 'rows of the view recsys.index_stats';
CREATE OR REPLACE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON COLUMN recsys.index_stats.future_interactions IS 'interactions whose time was in the future at the last build; where interactions decay, these count as if they had just happened; NULL for a build of 0.1.0';
COMMENT ON COLUMN recsys.index_stats.built_options IS 'options that the index was built with and that are set to something else now; NULL when there are none';
COMMENT ON COLUMN recsys.index_stats.set_options IS 'what these options are set to; takes effect with the next REINDEX';
COMMENT ON COLUMN recsys.index_stats.model IS 'the model with its options, as it stands in CREATE INDEX … WITH (…); of an index over items the attributes with their weights';
COMMENT ON COLUMN recsys.index_stats.model_quality IS 'where similarity = auto has chosen it: NDCG at 20 of the model, of the runner-up and of bestsellers, on held-out interactions of a sample of users; NULL where nothing was measured';
COMMENT ON COLUMN recsys.index_stats.index_kind IS 'interactions, of the access method recsys; or items, of recsys_items';
COMMENT ON COLUMN recsys.index_stats.contents IS 'of an index over items: rows of the table with their contents, those of dead rows until VACUUM; NULL for interactions';

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
COMMENT ON COLUMN recsys.popularity.kind IS 'what the list is of: segment1 for the smallest segments, segment2, …, persona, category, seller, price, or all; shop: figures of the shop itself';
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
	price_history jsonb DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb)
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
	reset text[] DEFAULT NULL,
	new_name text DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_recommender' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_recommender(text, jsonb, text, text, text, text, text, text, text, text, text, text, text, text, jsonb, integer, text, text, text, text[], text, text, integer, jsonb, double precision, double precision, double precision, double precision, text, double precision, text, jsonb, text, jsonb, bigint, text, jsonb, text[], text, text)
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
	   r.definition -> 'price_history' AS price_history
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
	   CASE p.param11 WHEN 7 THEN 'merging changes' WHEN 8 THEN 'recomputing queued items' ELSE 'recomputing all scores' END AS phase,
	   p.param12 AS changes_total, p.param13 AS changes_done, p.param15 AS items_recomputed
FROM pg_stat_get_progress_info('CREATE INDEX') p
JOIN pg_database d ON d.oid = p.datid AND d.datname = current_database()
JOIN pg_class c ON c.oid = p.param7::oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.param11 BETWEEN 7 AND 9 AND c.relam IN (SELECT oid FROM pg_am WHERE amname IN ('recsys', 'recsys_items'));

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
					  WHEN s.kind IN ('free', 'zero') THEN 'free'
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
