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

/* frequently_bought_together: what a basket is */
COMMENT ON FUNCTION frequently_bought_together(bigint, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; bigint item keys';
COMMENT ON FUNCTION frequently_bought_together(text, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; text item keys';
COMMENT ON FUNCTION frequently_bought_together(uuid, integer, text, text) IS 'the k items most often in one basket with an item, and more often than by chance; a basket is what the first column of the index tells apart; uuid item keys';
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
-- recsys.index_stats tells of interactions in the future
DROP VIEW recsys.index_stats;
DROP FUNCTION recsys.index_statistics();
CREATE FUNCTION recsys.index_statistics(
	OUT schema_name text, OUT table_name text, OUT index_name text, OUT similarity text,
	OUT users bigint, OUT items bigint, OUT interactions bigint, OUT neighbors bigint,
	OUT pending bigint, OUT inexact_items bigint, OUT capped_users bigint, OUT capped_interactions bigint,
	OUT score_users bigint, OUT built_at timestamptz, OUT last_merge_at timestamptz,
	OUT last_merge_ms double precision, OUT last_merge_entries bigint, OUT last_merge_items bigint,
	OUT format_version bigint, OUT size_bytes bigint, OUT problem text,
	OUT built_options text, OUT set_options text)
RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'recsys_index_statistics' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION recsys.index_statistics() IS 'rows of the view recsys.index_stats';
CREATE OR REPLACE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON COLUMN recsys.index_stats.built_options IS 'options that the index was built with and that are set to something else now; NULL when there are none';
COMMENT ON COLUMN recsys.index_stats.set_options IS 'what they are set to, from the next REINDEX on';

-- forget_user takes a table, too
COMMENT ON FUNCTION recsys.forget_user(regclass, anyelement) IS 'makes a recsys index, or all of a table, forget a user at once; rows that are not deleted count no more until a REINDEX; returns how many interactions were forgotten';
	OUT future_interactions bigint)
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
COMMENT ON COLUMN recsys.index_stats.future_interactions IS 'interactions whose time was in the future at the last build, which count as of now where they decay; NULL for a build of 0.1.0';
GRANT SELECT ON recsys.index_stats TO PUBLIC;
