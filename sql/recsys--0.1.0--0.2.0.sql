/*
 * From 0.1.0 to 0.2.0.  What changed of a function's result has to be dropped and
 * created again; all else is replaced.  test/t/021_versions.pl sees to it that an
 * upgraded database and a new one are the same.
 */

-- complain if the script is sourced in psql rather than run by ALTER EXTENSION
\echo Use "ALTER EXTENSION recsys UPDATE" to load this file. \quit

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
