/*
 * dispatch.c
 *	  Lists of a distributed recommender: on the node that has the user.
 *
 * The history is in the user's shard, the neighbors of its items are on every node.  So a list is made
 * where the shard is.  On that node its index is read directly; from any other the call goes to a
 * function that recsys.distribute() has made for the recommender's types, which Citus takes to the node
 * of its first argument, in a transaction block, too.  There it calls recommend() again, which then
 * finds the shard.
 *
 * Where a shard is, its placement says, not whether a table of its name exists: moves leave tables
 * behind.  It is looked at again when the table is locked, from when on it stays.
 *
 * The forced way of Citus has nothing to do with plans of the caller's statement: it works in views,
 * WITH, joins and functions, since the call inside is a statement of its own.
 */
#include "postgres.h"

#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "am/lists/owner.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/columns.h"
#include "am/store/indexname.h"
#include "am/write/wake.h"
#include "api/call/wholes.h"
#include "api/scoring/itemnumbers.h"
#include "api/shards/dispatch.h"
#include "api/shards/forgotten.h"
#include "api/shards/madename.h"
#include "api/shards/nodes.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "source/input/clock.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* So often a shard is looked for that moves in the meantime. */
#define MOST_LOOKS 5

/* Can a column of the type have the key?  Nobody of the shop has it if not. */
static bool
fits(Oid type, RecsysKeyKind kind, const RecsysKey *key)
{
	if (kind != RECSYS_KEY_INT)
		return true;
	if (type == INT2OID)
		return key->number >= PG_INT16_MIN && key->number <= PG_INT16_MAX;
	if (type == INT4OID)
		return key->number >= PG_INT32_MIN && key->number <= PG_INT32_MAX;
	return true;
}

/*
 * Opens the index of a shard.  That of a partitioned table may have to be put together, which is a
 * build: of whoever may not ask for that, the background worker is told.
 */
static void
open_shard(const RecsysDistributed *distributed, Oid index, RecsysRecommender *own)
{
	if (get_rel_relkind(index) == RELKIND_PARTITIONED_INDEX && !OidIsValid(RecsysWholeOf(index)) &&
		!RecsysMayMakeWhole(index))
	{
		bool		woken = RecsysWakeMergeWorker();

		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a shard of recommender \"%s\" has not been put together on this node", distributed->name),
				 errdetail("Its partitions are there, and an index over all of them has to be built: \"%s\".",
						   get_rel_name(index)),
				 woken ?
				 errhint("The background worker is building it: call again.  Its owner may also call SELECT recsys.merge(%s);",
						 quote_literal_cstr(distributed->name)) :
				 errhint("SELECT recsys.merge(%s);", quote_literal_cstr(distributed->name))));
	}
	RecsysOpenOfNode(index, own);
}

/*
 * The partitions of a shell are locked before those of its shards, as by a query over the table.
 */
static void
lock_partitions(Oid table)
{
	List	   *leaves;
	ListCell   *cell;

	if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		return;
	leaves = RecsysLeafTables(table);
	foreach(cell, leaves)
		LockRelationOid(lfirst_oid(cell), AccessShareLock);
	list_free(leaves);
}

void
RecsysFindUserPlace(const RecsysDistributed *distributed, const RecsysRecommender *shell,
					const RecsysKey *user, RecsysUserPlace *place)
{
	Oid			type = shell->columns.user_type;

	memset(place, 0, sizeof(*place));
	place->here = true;
	if (user == NULL || !fits(type, shell->columns.user_kind, user))
		return;
	place->known = true;
	place->key = *user;
	place->table = distributed->table;
	place->value = RecsysKeyToDatum(type, user);
	place->shard = RecsysShardOfValue(distributed->table, type, get_typcollation(type), place->value);

	/* of a range that no shard has */
	if (place->shard == 0)
	{
		place->known = false;
		return;
	}
	for (int look = 0; look < MOST_LOOKS && RecsysShardIsHere(place->shard); look++)
	{
		RecsysRecommender own;

		place->index = RecsysShardRelation(distributed->index, place->shard);
		if (!OidIsValid(place->index))
			continue;
		if (look == 0)
			lock_partitions(distributed->table);
		open_shard(distributed, place->index, &own);
		RecsysCloseRecommender(&own);
		if (RecsysShardIsHere(place->shard))
			return;
	}
	place->here = false;
}

/*
 * Rows that were there when the user was forgotten are marked, unless the index was built since,
 * or a partition was attached that has older ones.
 */
bool
RecsysHasUnmarked(RecsysRecommender *history, const RecsysKey *user, TimestampTz until)
{
	RecsysInteraction *rows;
	Buffer		bucket;
	RecsysOwner owner;
	bool		marked;

	if (!RecsysLockOwner(history->index, RECSYS_USERS, user, &bucket, &owner))
		return false;
	marked = (owner->flags & RECSYS_OWNER_FORGOTTEN) != 0;
	UnlockReleaseBuffer(bucket);
	if (history->columns.time_column == 0)
		return !marked;
	return RecsysReadUserRows(history, user, RecsysTimeOfColumn(history->columns.time_type, until), &rows) > 0;
}

bool
RecsysOpenHistoryHere(const RecsysDistributed *distributed, const RecsysUserPlace *place,
					  RecsysRecommender *history)
{
	TimestampTz until;

	if (!place->known)
		return false;
	open_shard(distributed, place->index, history);
	if (!RecsysWasForgotten(distributed, history->columns.user_kind, &place->key, &until) ||
		!RecsysHasUnmarked(history, &place->key, until))
		return true;
	RecsysCloseRecommender(history);
	return false;
}

void
RecsysReadProfileHere(const RecsysDistributed *distributed, const RecsysUserPlace *place,
					  RecsysRecommender *graph, int64 half_life, RecsysProfile *profile)
{
	RecsysRecommender history;

	memset(profile, 0, sizeof(*profile));
	if (!RecsysOpenHistoryHere(distributed, place, &history))
		return;
	RecsysReadProfile(&history, &place->key, half_life, profile);
	RecsysTranslateProfile(&history, graph, profile);
	RecsysCloseRecommender(&history);
}

char *
RecsysConcreteName(const RecsysDistributed *distributed, const char *suffix)
{
	return RecsysMadeFunction(get_namespace_name(get_rel_namespace(distributed->index)),
							  get_rel_name(distributed->index), suffix);
}

char *
RecsysListColumns(Oid item_type)
{
	return psprintf("item_id %s, score real, source pg_catalog.text, rank integer", format_type_be_qualified(item_type));
}

char *
RecsysReasonColumns(Oid item_type)
{
	return psprintf("because_item_id %s, contribution double precision, weight double precision, similarity real,"
					" support bigint, rank integer, part pg_catalog.text, signal pg_catalog.text, reason pg_catalog.text",
					format_type_be_qualified(item_type));
}

/*
 * Rows whose first column is an item, or NULL: that is answered as the caller has it, the rest as it
 * is.
 */
static void
put_rows(RecsysAnswer *answer)
{
	TupleDesc	descriptor = SPI_tuptable->tupdesc;
	int			n = descriptor->natts;
	Datum	   *values = palloc(sizeof(Datum) * n);
	bool	   *isnull = palloc(sizeof(bool) * n);

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		RecsysKey	item;

		for (int i = 0; i < n; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[row], descriptor, i + 1, &isnull[i]);
		if (!isnull[0])
		{
			RecsysKeyFromDatum(getBaseType(SPI_gettypeid(descriptor, 1)), values[0], &item);
			values[0] = RecsysAnswerKey(answer, &item);
		}
		RecsysAnswerPut(answer, values, isnull);
	}
}

/* The call that was made last, prepared, with the types of its arguments */
#define MOST_ARGUMENTS 5

static SPIPlanPtr kept_plan = NULL;
static char *kept_call = NULL;
static Oid	kept_types[MOST_ARGUMENTS];

static SPIPlanPtr
prepare_call(const char *call, int nargs, Oid *types)
{
	SPIPlanPtr	plan;

	Assert(nargs <= MOST_ARGUMENTS);
	if (kept_plan != NULL && strcmp(kept_call, call) == 0 && memcmp(kept_types, types, sizeof(Oid) * nargs) == 0)
		return kept_plan;
	plan = SPI_prepare_cursor(call, nargs, types, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	if (kept_plan != NULL)
	{
		SPI_freeplan(kept_plan);
		pfree(kept_call);
	}
	kept_plan = NULL;
	kept_call = MemoryContextStrdup(TopMemoryContext, call);
	memcpy(kept_types, types, sizeof(Oid) * nargs);
	SPI_keepplan(plan);
	kept_plan = plan;
	return plan;
}

/*
 * The way of Citus; between SPI_connect and SPI_finish, as what follows.  In a function Citus would
 * open a transaction on the other node and end it again, which takes longer than the call, and a
 * call that only reads does not need it; in a transaction block of the caller's it does so all the
 * same.
 *
 * On the coordinator, that is: DDL locks the table there before it does on any worker.  A worker
 * that asks another one has a lock on its own shell meanwhile, which DDL may wait for that has
 * locked the other's already.  Only of transactions that Citus knows on both nodes it finds out,
 * and ends one.
 */
static void
ask_by_function(const char *call, int nargs, Oid *types, Datum *values, const char *nulls)
{
	SPIPlanPtr	plan = prepare_call(call, nargs, types);
	int			nestlevel = NewGUCNestLevel();

	if (RecsysLocalGroup() == 0 && GetConfigOption("citus.function_opens_transaction_block", true, false) != NULL)
		(void) set_config_option("citus.function_opens_transaction_block", "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_execute_plan(plan, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	AtEOXact_GUC(false, nestlevel);
}

/* The node that has a shard, as of now */
static RecsysNode *
node_of(int64 shard)
{
	List	   *nodes = RecsysNodesOf(shard);

	if (nodes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no node has shard " INT64_FORMAT, shard)));
	return linitial(nodes);
}

static void
append_argument(StringInfo call, Oid type, Datum value, bool isnull)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	appendStringInfo(call, "%s::%s", isnull ? "NULL" : quote_literal_cstr(OidOutputFunctionCall(output, value)),
					 format_type_be_qualified(type));
}

/*
 * The rows as JSON, which numbers survive to the last bit, and back.  Nobody would notice that this
 * session and DDL on both nodes wait for one another; so the other one does not wait for ever.
 */
static void
ask_by_command(const RecsysUserPlace *place, const char *function, const char *columns, int nargs, Oid *types,
			   Datum *values, const char *nulls)
{
	Oid			json = TEXTOID;
	Datum		answer;
	StringInfoData call;
	char	   *result;

	initStringInfo(&call);
	appendStringInfo(&call, "SELECT pg_catalog.json_agg(r) FROM (SELECT pg_catalog.set_config('lock_timeout', '20s', true)) s, LATERAL %s(",
					 function);
	for (int i = 0; i < nargs; i++)
	{
		appendStringInfoString(&call, i > 0 ? ", " : "");
		append_argument(&call, types[i], values[i], nulls != NULL && nulls[i] == 'n');
	}
	appendStringInfoString(&call, ") r");
	result = RecsysRunOnNode(node_of(place->shard), call.data, "asking for a list");
	answer = CStringGetTextDatum(result == NULL || *result == '\0' ? "[]" : result);
	if (SPI_execute_with_args(psprintf("SELECT * FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS r (%s)", columns),
							  1, &json, &answer, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(SPI_result));
}

/*
 * Citus takes a function to another node only from a session of a client's.  In one that serves another
 * node, which a part of a query has come to, or a call for a user whose shard has just been moved,
 * it calls the function right here, which finds itself asking once more; then the node is asked by
 * a command.
 */
static int	asking = 0;
static int64 asked_shard = 0;

int64
RecsysTakeAskedShard(void)
{
	int64		shard = asked_shard;

	asked_shard = 0;
	return shard;
}

/* Is this a session that serves another node, in which Citus takes no query to a shard? */
static bool
serves_a_node(void)
{
	return application_name != NULL && strncmp(application_name, "citus_internal", strlen("citus_internal")) == 0;
}

/*
 * To a standby Citus takes no functions, but a query of one shard, with what it calls: it has
 * one row of nothing, whether there is anything of the user or not.
 */
static void
append_any_row(StringInfo call, Oid table)
{
	appendStringInfo(call, "(SELECT pg_catalog.count(*) FROM (SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1 LIMIT 1) AS o) AS one"
					 " CROSS JOIN LATERAL ",
					 RecsysQualifiedName(table),
					 quote_identifier(get_attname(table, RecsysShellColumn(table), false)));
}

void
RecsysAskNodeOf(const RecsysDistributed *distributed, const RecsysUserPlace *place, const char *function,
				const char *columns, int nargs, Oid *types, Datum *values, const char *nulls,
				RecsysAnswer *answer)
{
	RecsysAskFunction(place, RecsysConcreteName(distributed, function), columns, nargs, types, values,
					  nulls, answer);
}

void
RecsysAskFunction(const RecsysUserPlace *place, const char *name, const char *columns, int nargs, Oid *types,
				  Datum *values, const char *nulls, RecsysAnswer *answer)
{
	StringInfoData call;

	asked_shard = place->shard;
	initStringInfo(&call);
	appendStringInfoString(&call, "SELECT r.* FROM ");
	if (RecsysReadsFromSecondaries())
		append_any_row(&call, place->table);
	appendStringInfo(&call, "%s(", name);
	for (int i = 0; i < nargs; i++)
		appendStringInfo(&call, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoString(&call, ") AS r");

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (asking > 0 || (RecsysReadsFromSecondaries() && serves_a_node()))
		ask_by_command(place, name, columns, nargs, types, values, nulls);
	else
	{
		asking++;
		PG_TRY();
		{
			ask_by_function(call.data, nargs, types, values, nulls);
		}
		PG_FINALLY();
		{
			asking--;
		}
		PG_END_TRY();
	}
	put_rows(answer);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static void
ask_other_node(const RecsysDistributed *distributed, const RecsysRecommender *shell, RecsysAnswer *answer,
			   const RecsysUserPlace *place, const RecsysListAsk *ask)
{
	Oid			types[] = {shell->columns.user_type, INT8OID, BOOLOID, INTERVALOID};
	Datum		values[] = {place->value, Int64GetDatum(ask->k), BoolGetDatum(ask->exclude_seen),
		PointerGetDatum(ask->half_life)};
	char		nulls[] = "    ";

	if (ask->half_life == NULL)
		nulls[3] = 'n';
	RecsysAskNodeOf(distributed, place, "recommend", RecsysListColumns(RecsysKeyKindType(shell->columns.item_kind)),
					lengthof(types), types, values, nulls, answer);
}

void
RecsysPutDistributed(const RecsysDistributed *distributed, const RecsysRecommender *shell,
					 RecsysAnswer *answer, const RecsysKey *user, const RecsysListAsk *ask)
{
	RecsysUserPlace place;
	RecsysRecommender graph;
	RecsysProfile profile;

	if (ask->k <= 0)
		return;
	RecsysFindUserPlace(distributed, shell, user, &place);
	if (!place.here)
	{
		ask_other_node(distributed, shell, answer, &place, ask);
		return;
	}
	RecsysOpenGraphOf(distributed, &graph);
	RecsysReadProfileHere(distributed, &place, &graph, ask->decay, &profile);
	RecsysPutRecommendations(&graph, answer, &profile, ask->k, ask->exclude_seen);
	RecsysCloseRecommender(&graph);
}
