/*
 * Statistics
 */
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

CREATE VIEW recsys.index_stats AS SELECT * FROM recsys.index_statistics();
COMMENT ON VIEW recsys.index_stats IS 'all recsys indexes of the database that you may read, one row each';
COMMENT ON COLUMN recsys.index_stats.schema_name IS 'schema of the index and its table';
COMMENT ON COLUMN recsys.index_stats.table_name IS 'table with the interactions, or the items';
COMMENT ON COLUMN recsys.index_stats.index_name IS 'name of the index, which is also the name of the recommender';
COMMENT ON COLUMN recsys.index_stats.similarity IS 'similarity that the item graph is computed with; content for an index over items';
COMMENT ON COLUMN recsys.index_stats.users IS 'users with at least one interaction that counts; NULL for an index over items';
COMMENT ON COLUMN recsys.index_stats.items IS 'items with at least one interaction that counts; of an index over items, those with content in the graph';
COMMENT ON COLUMN recsys.index_stats.interactions IS 'pairs of a user and an item that count; NULL for an index over items';
COMMENT ON COLUMN recsys.index_stats.neighbors IS 'neighbors stored in the item graph';
COMMENT ON COLUMN recsys.index_stats.pending IS 'changes that the next merge will bring into the item graph';
COMMENT ON COLUMN recsys.index_stats.inexact_items IS 'items whose neighbors are approximate until they are recomputed';
COMMENT ON COLUMN recsys.index_stats.capped_users IS 'users with more than max_history items';
COMMENT ON COLUMN recsys.index_stats.capped_interactions IS 'interactions left out because of max_history';
COMMENT ON COLUMN recsys.index_stats.score_users IS 'number of users that scores are computed with';
COMMENT ON COLUMN recsys.index_stats.built_at IS 'start of the last build';
COMMENT ON COLUMN recsys.index_stats.last_merge_at IS 'start of the last merge, NULL when there was none since the build';
COMMENT ON COLUMN recsys.index_stats.last_merge_ms IS 'its duration in milliseconds';
COMMENT ON COLUMN recsys.index_stats.last_merge_entries IS 'changes that it took in';
COMMENT ON COLUMN recsys.index_stats.last_merge_items IS 'items that it recomputed';
COMMENT ON COLUMN recsys.index_stats.format_version IS 'version of the on-disk format';
COMMENT ON COLUMN recsys.index_stats.size_bytes IS 'size of the index';
COMMENT ON COLUMN recsys.index_stats.problem IS 'why there is nothing more to say about the index, else NULL';
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
GRANT SELECT ON recsys.index_stats TO PUBLIC;

-- merges report as the server's work on indexes does, with phases of their own: src/am/store/progress.c
CREATE VIEW recsys.merge_progress AS
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

