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
