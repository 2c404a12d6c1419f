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
