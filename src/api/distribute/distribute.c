/*
 * distribute.c
 *	  recsys.distribute(), recsys.retrain() and recsys.undistribute(): one recommender over a table
 *	  that Citus has distributed.
 *
 * What is made, all of the table's owner and in the schema of the index:
 *
 *	- the item graph, a reference table with an index (trainnodes.c);
 *	- two functions of concrete types, which Citus takes to the node of their first argument
 *	  (api/shards/dispatch.c);
 *	- a row of recsys.distributed, which names the graph that serves.
 *
 * The row is written at the very end and in the caller's transaction: until then what served before
 * serves, and from then on all nodes serve the new graph.
 *
 * The rest is done by sessions of their own and stays whatever becomes of the transaction.  A lock
 * on the index keeps two such calls apart.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "am/entry/shells.h"
#include "am/store/indexname.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/call/distributed.h"
#include "api/call/extensionschema.h"
#include "api/distribute/distribute.h"
#include "api/distribute/shopnodes.h"
#include "api/distribute/trainnodes.h"
#include "api/keep/keeper.h"
#include "api/shards/dispatch.h"
#include "api/shards/nodes.h"
#include "api/shards/shardwork.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(recsys_distribute);
PG_FUNCTION_INFO_V1(recsys_retrain);
PG_FUNCTION_INFO_V1(recsys_undistribute);

void
RecsysCheckDistributing(const char *function, const char *hint)
{
	RecsysRefuseInRecovery(function);
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	if (!RecsysCitusIsThere())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("Citus is not installed in this database"),
				 errhint("%s", hint)));
	if (RecsysLocalGroup() != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is for the coordinator", function),
				 errhint("Connect to the coordinator of the cluster.")));
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", function),
				 errdetail("It works in sessions of its own, which would wait for what the transaction has locked.")));
}

static void
check_session(const char *function)
{
	RecsysCheckDistributing(function,
							"An index over a table that is not distributed is a recommender as it is.");
}

static void
check_table(Oid index, Oid table)
{
	char	   *name = RecsysQualifiedName(table);

	if (!RecsysIsShell(table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table %s is not distributed", name),
				 errhint("Distribute it by the user, as in SELECT create_distributed_table(%s, 'user_id').",
						 quote_literal_cstr(name))));
	if (RecsysShellMethod(table) == 'n')
	{
		Oid			copy = RecsysLocalCopy(index);

		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table %s is not distributed by a column", name),
				 OidIsValid(copy) ?
				 errdetail("All of it is in one shard, whose index %s is a recommender on the nodes that have it.",
						   RecsysQualifiedName(copy)) :
				 errdetail("All of it is in one shard, whose index is a recommender on the nodes that have it.")));
	}
}

/* The users of a shard must be whole. */
static void
check_column(Oid index, Oid table)
{
	Relation	relation = relation_open(index, AccessShareLock);
	AttrNumber	user = relation->rd_index->indkey.values[0];
	AttrNumber	column = RecsysShellColumn(table);

	relation_close(relation, NoLock);
	if (user == column && user != InvalidAttrNumber)
		return;
	if (user == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("the users of index \"%s\" are an expression, and the table is distributed by column \"%s\"",
						get_rel_name(index), get_attname(table, column, false)),
				 errhint("Make the expression a column of the table, and distribute by it.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("the users of index \"%s\" are in column \"%s\", and the table is distributed by column \"%s\"",
					get_rel_name(index), get_attname(table, user, false), get_attname(table, column, false)),
			 errdetail("The rows of a user would be on several nodes."),
			 errhint("SELECT alter_distributed_table(%s, distribution_column => %s);",
					 quote_literal_cstr(RecsysQualifiedName(table)),
					 quote_literal_cstr(get_attname(table, user, false)))));
}

/* The recommender, of which others than its owner must not make anything; locked. */
static Oid
find_index(const char *name)
{
	Oid			index = RecsysNamedRecommender(name);
	Oid			table;

	RecsysNeedsUsers(index);
	if (!RECSYS_OWNS_RELATION(index))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index));
	table = IndexGetRelation(index, false);
	LockRelationOid(table, AccessShareLock);
	LockRelationOid(index, ShareUpdateExclusiveLock);
	check_table(index, table);
	check_column(index, table);
	return index;
}

/* Makes reference tables of those of the extension, once for all recommenders. */
void
RecsysShareTables(void)
{
	static const char *const tables[] = {"distributed", "forgotten", "distributed_shop", "distributed_popularity"};
	RecsysRights before;

	RecsysBeginAsOwnerOf("distributed", &before);
	for (int i = 0; i < (int) lengthof(tables); i++)
		if (!RecsysIsShell(RecsysKeptTable(tables[i])))
			(void) RecsysRunOnNode(RecsysCoordinator(),
								   psprintf("SELECT pg_catalog.create_reference_table('recsys.%s')", tables[i]),
								   "making a reference table");

	/* nodes that have been added since */
	(void) RecsysRunOnNode(RecsysCoordinator(), "SELECT pg_catalog.replicate_reference_tables('block_writes')",
						   "copying reference tables");
	RecsysEndAsKeeper(&before);
}

void
RecsysCreateForced(const char *name, const char *arguments, const char *types, const char *columns,
				   const char *call, Oid table)
{
	RecsysNode *coordinator = RecsysCoordinator();
	char	   *body = psprintf("BEGIN RETURN QUERY SELECT * FROM %s; END", call);

	(void) RecsysRunOnNode(coordinator,
						   psprintf("CREATE OR REPLACE FUNCTION %s(%s) RETURNS TABLE (%s) LANGUAGE plpgsql STABLE COST 1000 ROWS 10 AS %s",
									name, arguments, columns, quote_literal_cstr(body)),
						   "making a function");
	(void) RecsysRunOnNode(coordinator,
						   psprintf("SELECT pg_catalog.create_distributed_function(%s, 'user_id', colocate_with => %s, force_delegation => true)",
									quote_literal_cstr(psprintf("%s(%s)", name, types)),
									quote_literal_cstr(RecsysQualifiedName(table))),
						   "distributing a function");
}

/* For the types that the recommender has; each calls the function that has called it. */
static void
create_functions(const RecsysDistributed *distributed, const RecsysRecommender *shell)
{
	const char *user = format_type_be_qualified(shell->columns.user_type);
	const char *item = format_type_be_qualified(RecsysKeyKindType(shell->columns.item_kind));
	const char *schema = quote_identifier(RecsysExtensionSchema());
	char	   *name = quote_literal_cstr(distributed->name);

	RecsysCreateForced(RecsysConcreteName(distributed, "recommend"),
					   psprintf("user_id %s, k bigint, exclude_seen boolean, half_life interval", user),
					   psprintf("%s, bigint, boolean, interval", user),
					   RecsysListColumns(RecsysKeyKindType(shell->columns.item_kind)),
					   psprintf("%s.recommend(user_id, k, %s, NULL::%s, exclude_seen, half_life)", schema, name, item),
					   distributed->table);
	RecsysCreateForced(RecsysConcreteName(distributed, "explain"),
					   psprintf("user_id %s, item_id %s, half_life interval", user, item),
					   psprintf("%s, %s, interval", user, item),
					   RecsysReasonColumns(RecsysKeyKindType(shell->columns.item_kind)),
					   psprintf("%s.explain_recommendation(user_id, item_id, %s, half_life)", schema, name),
					   distributed->table);
}

/* The graph that serves from now on, and a secret for a recommender that has none */
static void
write_row(const RecsysDistributed *distributed, const RecsysTrainedGraph *trained)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, BYTEAOID, INT8OID, TEXTOID};
	bytea	   *secret = palloc(VARHDRSZ + sizeof(distributed->secret));
	Datum		values[] = {CStringGetTextDatum(distributed->name), CStringGetTextDatum(trained->index),
		Int32GetDatum(trained->version), PointerGetDatum(secret), Int64GetDatum(trained->items),
		CStringGetTextDatum(RecsysQualifiedName(distributed->table))};
	RecsysRights before;

	SET_VARSIZE(secret, VARHDRSZ + sizeof(distributed->secret));
	if (!pg_strong_random(VARDATA(secret), sizeof(distributed->secret)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a secret")));
	RecsysBeginAsOwnerOf("distributed", &before);
	(void) RecsysKeeperQuery("INSERT INTO recsys.distributed AS d (recommender, graph, version, secret, trained_at, items, table_name)"
							 " VALUES ($1, $2, $3, $4, pg_catalog.now(), $5, $6) ON CONFLICT (recommender) DO UPDATE"
							 " SET graph = excluded.graph, version = excluded.version,"
							 " trained_at = excluded.trained_at, items = excluded.items, table_name = excluded.table_name",
							 lengthof(types), types, values, NULL, false);
	RecsysEndAsKeeper(&before);
}

/* Until RecsysEndQueriesAs statements run as the owner of the table. */
static void
begin_as_owner(Oid table, RecsysRights *before)
{
	Relation	relation = relation_open(table, NoLock);
	Oid			owner = relation->rd_rel->relowner;

	relation_close(relation, NoLock);
	RecsysBeginQueriesAs(owner, before);
}

static Datum
answer(FunctionCallInfo fcinfo, const RecsysTrainedGraph *trained)
{
	Datum		values[] = {CStringGetTextDatum(trained->index), Int64GetDatum(trained->items),
		Int32GetDatum(trained->nodes)};
	bool		isnull[] = {false, false, false};
	TupleDesc	descriptor;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, isnull));
}

static void
train(Oid index, bool functions, RecsysTrainedGraph *trained)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysDistributed distributed;
	RecsysRecommender shell;
	RecsysRights before;

	/* the name is its own whether there is a row already or not */
	if (!RecsysFindDistributed(index, &distributed))
	{
		distributed.index = index;
		distributed.table = IndexGetRelation(index, false);
		distributed.name = RecsysQualifiedName(index);
	}
	RecsysOpenOfNode(index, &shell);
	begin_as_owner(distributed.table, &before);
	if (functions)
		create_functions(&distributed, &shell);
	RecsysAssembleShards(&distributed);
	RecsysTrainOnNodes(&distributed, &shell, trained);
	trained->index = MemoryContextStrdup(context, trained->index);
	RecsysEndQueriesAs(&before);
	RecsysCloseRecommender(&shell);
	write_row(&distributed, trained);
}

void
RecsysDistributeIndex(const char *name, RecsysTrainedGraph *trained)
{
	train(find_index(name), true, trained);
}

Datum
recsys_distribute(PG_FUNCTION_ARGS)
{
	RecsysTrainedGraph trained;
	char	   *name = RecsysArgText(fcinfo, 0);
	Oid			index;

	check_session("recsys.distribute()");
	if (RecsysDistributeShop(name, &trained))
		return answer(fcinfo, &trained);
	index = find_index(name);
	RecsysShareTables();
	train(index, true, &trained);
	return answer(fcinfo, &trained);
}

/* Errors out unless recsys.distribute() has been there. */
static void
need_distributed(Oid index, RecsysDistributed *distributed)
{
	if (!RecsysFindDistributed(index, distributed))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommender \"%s\" is not distributed", get_rel_name(index)),
				 errhint("SELECT recsys.distribute(%s);", quote_literal_cstr(RecsysQualifiedName(index)))));
}

void
RecsysRetrainIndex(const char *name, RecsysTrainedGraph *trained)
{
	RecsysDistributed distributed;
	Oid			index = find_index(name);

	need_distributed(index, &distributed);
	train(index, false, trained);
}

Datum
recsys_retrain(PG_FUNCTION_ARGS)
{
	RecsysTrainedGraph trained;
	char	   *name = RecsysArgText(fcinfo, 0);

	check_session("recsys.retrain()");
	if (!RecsysRetrainShop(name, &trained))
		RecsysRetrainIndex(name, &trained);
	return answer(fcinfo, &trained);
}

static void
forget_row(const RecsysDistributed *distributed)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(distributed->name)};
	RecsysRights before;

	RecsysBeginAsOwnerOf("distributed", &before);
	(void) RecsysKeeperQuery("DELETE FROM recsys.distributed WHERE recommender OPERATOR(pg_catalog.=) $1",
							 1, types, values, NULL, false);
	(void) RecsysKeeperQuery("DELETE FROM recsys.forgotten WHERE recommender OPERATOR(pg_catalog.=) $1",
							 1, types, values, NULL, false);
	RecsysEndAsKeeper(&before);
}

static void
drop_functions(const RecsysDistributed *distributed, const RecsysRecommender *shell)
{
	const char *user = format_type_be_qualified(shell->columns.user_type);
	const char *item = format_type_be_qualified(RecsysKeyKindType(shell->columns.item_kind));

	(void) RecsysRunOnNode(RecsysCoordinator(),
						   psprintf("DROP FUNCTION IF EXISTS %s(%s, bigint, boolean, interval), %s(%s, %s, interval)",
									RecsysConcreteName(distributed, "recommend"), user,
									RecsysConcreteName(distributed, "explain"), user, item),
						   "dropping functions");
}

Datum
recsys_undistribute(PG_FUNCTION_ARGS)
{
	RecsysDistributed distributed;
	RecsysRecommender shell;
	RecsysRights before;
	Oid			index;

	check_session("recsys.undistribute()");
	if (RecsysUndistributeShop(RecsysArgText(fcinfo, 0)))
		PG_RETURN_VOID();
	index = find_index(RecsysArgText(fcinfo, 0));
	need_distributed(index, &distributed);
	forget_row(&distributed);
	RecsysOpenOfNode(index, &shell);
	begin_as_owner(distributed.table, &before);
	drop_functions(&distributed, &shell);
	RecsysDropGraphs(&distributed);
	RecsysEndQueriesAs(&before);
	RecsysCloseRecommender(&shell);
	PG_RETURN_VOID();
}
