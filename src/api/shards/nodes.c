/*
 * nodes.c
 *	  Statements on the nodes of Citus, each in a session and a transaction of its own.
 *
 * What is done this way stays when the caller's transaction is rolled back.  It is for what
 * several nodes do at the same time, and for what they must see of one another before the caller's
 * transaction ends.  The caller must hold no lock that such a statement waits for: nobody would see
 * that they wait for one another.
 *
 * The function of Citus that does it, master_run_on_worker, tells of errors and of lost connections as
 * rows, so that all nodes come to their end before there is an error here.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "api/shards/nodes.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* By its own setting; or as a standby itself, which is no place to burden the primaries from */
bool
RecsysReadsFromSecondaries(void)
{
	const char *setting = GetConfigOption("citus.use_secondary_nodes", true, false);

	return RecoveryInProgress() || (setting != NULL && strcmp(setting, "always") == 0);
}

static List *
find_nodes_of(const char *roles, const char *condition)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *nodes = NIL;
	char	   *query = psprintf("SELECT nodename, nodeport FROM pg_catalog.pg_dist_node WHERE isactive"
								 " AND noderole OPERATOR(pg_catalog.=) ANY ('%s')"
								 " AND nodecluster OPERATOR(pg_catalog.=) pg_catalog.current_setting('citus.cluster_name')"
								 " AND %s ORDER BY groupid, noderole OPERATOR(pg_catalog.=) 'primary'", roles, condition);

	if (SPI_execute(query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(SPI_result));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		RecsysNode *node = MemoryContextAllocZero(context, sizeof(RecsysNode));
		bool		isnull;

		node->name = MemoryContextStrdup(context, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
		node->port = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
		nodes = lappend(nodes, node);
	}
	return nodes;
}

static List *
find_nodes(const char *condition)
{
	return find_nodes_of("{primary}", condition);
}

List *
RecsysNodesWithShards(void)
{
	return find_nodes("shouldhaveshards");
}

List *
RecsysAllNodes(void)
{
	return find_nodes("true");
}

List *
RecsysNodesOf(int64 shard)
{
	return find_nodes_of(RecsysReadsFromSecondaries() ? "{primary,secondary}" : "{primary}",
						 psprintf("groupid IN (SELECT p.groupid FROM pg_catalog.pg_dist_placement p"
								  " WHERE p.shardid OPERATOR(pg_catalog.=) " INT64_FORMAT
								  " AND p.shardstate OPERATOR(pg_catalog.=) 1)", shard));
}

RecsysNode *
RecsysCoordinator(void)
{
	List	   *nodes = find_nodes("groupid OPERATOR(pg_catalog.=) 0");

	if (nodes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the coordinator is not among the nodes of the cluster"),
				 errdetail("It needs copies of reference tables, too."),
				 errhint("On the coordinator, by the name that the workers know it by: SELECT citus_set_coordinator_host('…');")));
	return linitial(nodes);
}

static Datum
array_of(List *nodes, Oid type, Datum (*value) (const RecsysNode *node))
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(nodes), 1));
	ListCell   *cell;

	foreach(cell, nodes)
		values[foreach_current_index(cell)] = value(lfirst(cell));
	return PointerGetDatum(construct_array(values, list_length(nodes), type, type == INT4OID ? 4 : -1,
										   type == INT4OID, TYPALIGN_INT));
}

static Datum
name_value(const RecsysNode *node)
{
	return CStringGetTextDatum(node->name);
}

static Datum
port_value(const RecsysNode *node)
{
	return Int32GetDatum(node->port);
}

static Datum
command_value(const RecsysNode *node)
{
	return CStringGetTextDatum(node->command);
}

static RecsysNode *
find_node(List *nodes, const char *name, int port)
{
	ListCell   *cell;

	foreach(cell, nodes)
	{
		RecsysNode *node = lfirst(cell);

		if (strcmp(node->name, name) == 0 && node->port == port)
			return node;
	}
	elog(ERROR, "there is an answer of node %s:%d, which was not asked", name, port);
}

/* A node's answer is the message without its severity; "ERROR: " may stand before it. */
static void
take_answers(List *nodes, MemoryContext context, const char *doing)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	descriptor = SPI_tuptable->tupdesc;
		bool		isnull;
		int			port = DatumGetInt32(SPI_getbinval(tuple, descriptor, 2, &isnull));
		RecsysNode *node = find_node(nodes, SPI_getvalue(tuple, descriptor, 1), port);
		bool		success = DatumGetBool(SPI_getbinval(tuple, descriptor, 3, &isnull));
		char	   *result = SPI_getvalue(tuple, descriptor, 4);

		if (!success)
			ereport(ERROR,
					(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					 errmsg("%s has failed on node %s:%d", doing, node->name, node->port),
					 errdetail("%s", result == NULL ? "It has given no reason." :
							   strncmp(result, "ERROR: ", 7) == 0 ? result + 7 + strspn(result + 7, " ") : result)));
		node->result = result == NULL ? NULL : MemoryContextStrdup(context, result);
	}
}

void
RecsysRunOnNodes(List *nodes, const char *doing)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID};
	Datum		values[] = {array_of(nodes, TEXTOID, name_value), array_of(nodes, INT4OID, port_value),
		array_of(nodes, TEXTOID, command_value)};

	if (nodes == NIL)
		return;
	if (SPI_execute_with_args("SELECT node_name, node_port, success, result"
							  " FROM pg_catalog.master_run_on_worker($1, $2, $3, true)",
							  lengthof(types), types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(SPI_result));
	take_answers(nodes, context, doing);
}

char *
RecsysRunOnNode(RecsysNode *node, const char *command, const char *doing)
{
	node->command = unconstify(char *, command);
	RecsysRunOnNodes(list_make1(node), doing);
	return node->result;
}
