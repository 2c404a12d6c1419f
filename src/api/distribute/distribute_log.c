/*
 * distribute_log.c
 *	  recsys.distribute_log(): one log of all nodes.
 *
 * The two tables of the log become distributed ones, by the id of the request, with as many
 * shards as every node with shards has SHARDS_OF_NODE of.  What says how it is logged and what
 * experiments there are becomes reference tables: each node serves an experiment by its own
 * copy.
 *
 * Each node has had a log of its own until then.  The coordinator's is distributed with its tables.
 * The workers' are set aside under other names, since Citus makes shells of the tables on every
 * node, and are added behind.  All of it is done by sessions of their own and stays.
 *
 * In those sessions, which are the owner's of the extension, a name means what their search path
 * says, and anybody may have made something in there.  So all commands name schemas, of
 * operators, too.
 */
#include "postgres.h"

#include "am/entry/shells.h"
#include "api/distribute/distribute.h"
#include "api/keep/keeper.h"
#include "api/log/wholelog.h"
#include "api/shards/nodes.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_distribute_log);

#define SHARDS_OF_NODE 2

static void
on_coordinator(const char *command, const char *doing)
{
	(void) RecsysRunOnNode(RecsysCoordinator(), command, doing);
}

static void
on_workers(const char *command, const char *doing)
{
	List	   *workers = NIL;
	ListCell   *cell;
	RecsysNode *coordinator = RecsysCoordinator();

	foreach(cell, RecsysAllNodes())
	{
		RecsysNode *node = lfirst(cell);

		if (node->port == coordinator->port && strcmp(node->name, coordinator->name) == 0)
			continue;
		node->command = unconstify(char *, command);
		workers = lappend(workers, node);
	}
	RecsysRunOnNodes(workers, doing);
}

/* Nobody would see them any more. */
static const char need_no_experiments[] =
"DO $$ BEGIN IF EXISTS (SELECT FROM recsys.experiment) THEN"
" RAISE EXCEPTION 'it has experiments of its own; declare them on the coordinator, and drop them here'; END IF; END $$";

/*
 * Settings and experiments, each by its owner.  The trigger of recsys.experiment, which looks at
 * a row's owner, comes along: it reads nothing, and whoever writes on another node has the same
 * rights there.
 */
static void
share_definitions(void)
{
	static const char *const tables[] = {"experiment", "log_setting", "log_key"};
	RecsysRights before;

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		if (RecsysIsShell(RecsysKeptTable(tables[i])))
			continue;
		RecsysBeginAsOwnerOf(tables[i], &before);
		if (i == 0)
			on_workers(need_no_experiments, "looking for experiments");
		on_coordinator(psprintf("DO $$ BEGIN SET LOCAL citus.enable_unsafe_triggers = on;"
								" PERFORM pg_catalog.create_reference_table('recsys.%s'); END $$", tables[i]),
					   "making a reference table");
		RecsysEndAsKeeper(&before);
	}
	RecsysBeginAsOwnerOf("experiment", &before);
	on_coordinator("SELECT pg_catalog.replicate_reference_tables('block_writes')", "copying reference tables");
	RecsysEndAsKeeper(&before);
}

/*
 * The rows of a worker's own log to tables that Citus knows nothing of, and its partitions away:
 * there will be shells of these names.  What has been summed up of them goes, too: it cannot be
 * added to the coordinator's sums, which are made anew of the rows.  Sums of days of which the
 * worker's log has no rows any more are lost by that, as doc/citus.md says.
 */
static const char set_aside[] =
"DO $$ DECLARE one record; BEGIN"
" LOCK TABLE recsys.request_log, recsys.event_log IN ACCESS EXCLUSIVE MODE;"
" CREATE TABLE IF NOT EXISTS recsys.request_log_aside AS SELECT * FROM recsys.request_log WITH NO DATA;"
" CREATE TABLE IF NOT EXISTS recsys.event_log_aside AS SELECT * FROM recsys.event_log WITH NO DATA;"
" INSERT INTO recsys.request_log_aside SELECT * FROM recsys.request_log;"
" INSERT INTO recsys.event_log_aside SELECT * FROM recsys.event_log;"
" DELETE FROM recsys.request_log_default; DELETE FROM recsys.event_log_default;"
" DELETE FROM recsys.experiment_state; DELETE FROM recsys.experiment_unit; DELETE FROM recsys.experiment_day;"
" DELETE FROM recsys.experiment_sums; DELETE FROM recsys.metrics_day; DELETE FROM recsys.daily_request;"
" DELETE FROM recsys.daily_position; DELETE FROM recsys.daily_item; DELETE FROM recsys.daily_catalogue;"
" DELETE FROM recsys.daily_seller; DELETE FROM recsys.daily_latency; DELETE FROM recsys.hourly_request;"
" FOR one IN SELECT i.inhrelid::pg_catalog.regclass AS name FROM pg_catalog.pg_inherits AS i"
" WHERE i.inhparent OPERATOR(pg_catalog.=) ANY (ARRAY['recsys.request_log'::pg_catalog.regclass,"
" 'recsys.event_log'::pg_catalog.regclass]::pg_catalog.oid[])"
" AND i.inhrelid OPERATOR(pg_catalog.<>) ALL (ARRAY['recsys.request_log_default'::pg_catalog.regclass,"
" 'recsys.event_log_default'::pg_catalog.regclass]::pg_catalog.oid[])"
" LOOP EXECUTE pg_catalog.format('DROP TABLE %s', one.name); END LOOP; END $$";

/* What a call that did not come to its end has left aside is added by the next one, too. */
static const char add_back[] =
"DO $$ BEGIN"
" IF pg_catalog.to_regclass('recsys.request_log_aside') IS NOT NULL THEN"
" INSERT INTO recsys.request_log SELECT * FROM recsys.request_log_aside ON CONFLICT DO NOTHING;"
" DROP TABLE recsys.request_log_aside; END IF;"
" IF pg_catalog.to_regclass('recsys.event_log_aside') IS NOT NULL THEN"
" INSERT INTO recsys.event_log SELECT * FROM recsys.event_log_aside ON CONFLICT DO NOTHING;"
" DROP TABLE recsys.event_log_aside; END IF; END $$";

/* Each shard is on one node, whatever is set for other tables: rows are written right into it. */
static void
distribute_table(const char *arguments)
{
	on_coordinator(psprintf("DO $$ BEGIN SET LOCAL citus.shard_replication_factor = 1;"
							" PERFORM pg_catalog.create_distributed_table(%s); END $$", arguments),
				   "distributing the log");
}

static void
distribute_tables(void)
{
	int			shards = SHARDS_OF_NODE * Max(list_length(RecsysNodesWithShards()), 1);

	on_workers(set_aside, "setting the log of a worker aside");
	distribute_table(psprintf("'recsys.request_log', 'request_id', colocate_with => 'none',"
							  " shard_count => %d", shards));
}

/* The events are where their requests are. */
static void
distribute_events(void)
{
	distribute_table("'recsys.event_log', 'request_id', colocate_with => 'recsys.request_log'");
}

/* The rows that are in shards now still lie in the tables of the coordinator's. */
static void
remove_leftovers(const char *table)
{
	on_coordinator(psprintf("SELECT pg_catalog.truncate_local_data_after_distributing_table('recsys.%s')", table),
				   "removing what has been distributed");
}

Datum
recsys_distribute_log(PG_FUNCTION_ARGS)
{
	RecsysRights before;

	RecsysCheckDistributing("recsys.distribute_log()",
							"The log of one server needs nothing: SELECT * FROM recsys.maintain();");
	RecsysNeedKeeper("recsys.distribute_log");
	share_definitions();
	RecsysBeginAsKeeper(&before);
	if (!RecsysLogIsShared())
	{
		distribute_tables();
		remove_leftovers("request_log");
	}
	if (!RecsysIsShell(RecsysKeptTable("event_log")))
	{
		distribute_events();
		remove_leftovers("event_log");
	}
	on_workers(add_back, "adding the log of a worker");
	RecsysEndAsKeeper(&before);
	PG_RETURN_VOID();
}
