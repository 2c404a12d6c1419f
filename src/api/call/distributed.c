/*
 * distributed.c
 *	  Recommenders over tables that Citus has distributed.
 *
 * The index that has the recommender's name is a shell (am/entry/shells.h): on the coordinator it
 * is empty or of what the table had before it was distributed, on workers it is always empty.
 * Whoever answered from it would answer with nothing, or with what is long past.  So every
 * function that opens an index refuses it, but for those that know where the rows are: to them
 * recsys.distributed tells what recsys.distribute() has made.
 *
 * That table is a reference table, with a copy on every node, which is read as it is: a query that
 * Citus plans would take longer than most lists do.  It has one row for each distributed
 * recommender.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "am/store/indexname.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/* Columns of recsys.distributed */
#define DISTRIBUTED_NAME 1
#define DISTRIBUTED_GRAPH 2
#define DISTRIBUTED_VERSION 3
#define DISTRIBUTED_SECRET 4
#define DISTRIBUTED_TABLE 5

Oid
RecsysLocalCopy(Oid relation)
{
	char		kind = get_rel_relkind(relation);
	Oid			table = kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX ?
		IndexGetRelation(relation, true) : relation;

	if (!RecsysIsShell(table))
		return relation;
	return RecsysShardRelation(relation, RecsysOnlyShard(table));
}

static char *
text_of(HeapTuple tuple, TupleDesc descriptor, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, descriptor, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Takes the row if it is the recommender's. */
static bool
take_row(HeapTuple tuple, TupleDesc descriptor, const char *name, RecsysDistributed *found)
{
	char	   *this = text_of(tuple, descriptor, DISTRIBUTED_NAME);
	char	   *table = text_of(tuple, descriptor, DISTRIBUTED_TABLE);
	bytea	   *secret;
	bool		isnull;

	/* another index of the name may have been made since, over another table */
	if (this == NULL || strcmp(this, name) != 0 || table == NULL ||
		strcmp(table, RecsysQualifiedName(found->table)) != 0)
		return false;
	found->name = this;
	found->graph = text_of(tuple, descriptor, DISTRIBUTED_GRAPH);
	found->version = DatumGetInt32(heap_getattr(tuple, DISTRIBUTED_VERSION, descriptor, &isnull));
	secret = DatumGetByteaPP(heap_getattr(tuple, DISTRIBUTED_SECRET, descriptor, &isnull));
	found->secret_length = Min(VARSIZE_ANY_EXHDR(secret), sizeof(found->secret));
	memcpy(found->secret, VARDATA_ANY(secret), found->secret_length);
	return true;
}

Snapshot
RecsysSnapshotOfNow(void)
{
	return IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot();
}

/* As of now, whatever the transaction has seen before: what was served then may be gone. */
static bool
read_row(Oid copy, const char *name, RecsysDistributed *found)
{
	Relation	relation = table_open(copy, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(RecsysSnapshotOfNow());
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;
	bool		taken = false;

	while (!taken && HeapTupleIsValid(tuple = systable_getnext(scan)))
		taken = take_row(tuple, RelationGetDescr(relation), name, found);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(relation, AccessShareLock);
	return taken;
}

bool
RecsysFindDistributed(Oid index, RecsysDistributed *found)
{
	Oid			schema = get_namespace_oid("recsys", true);
	Oid			table;
	Oid			kept;
	Oid			copy;

	memset(found, 0, sizeof(*found));
	if (!RecsysCitusIsThere() || !OidIsValid(schema) || get_rel_name(index) == NULL)
		return false;
	table = IndexGetRelation(index, true);
	kept = get_relname_relid("distributed", schema);
	if (!RecsysIsShell(table) || !RecsysIsShell(kept))
		return false;
	copy = RecsysLocalCopy(kept);
	if (!OidIsValid(copy))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no copy of reference table recsys.distributed"),
				 errhint("On the coordinator: SELECT replicate_reference_tables(); or, if it is the coordinator that has none, SELECT citus_set_coordinator_host('…').")));
	found->index = index;
	found->table = table;
	return read_row(copy, RecsysQualifiedName(index), found);
}

bool
RecsysMayBeMeant(Oid index, Oid table)
{
	RecsysDistributed found;

	if (!RecsysCitusIsThere())
		return true;
	if (RecsysIsShell(table))
		return RecsysFindDistributed(index, &found);
	return !OidIsValid(RecsysShellOfShard(table, NULL));
}

/* A reference table, or a local one: all of it is in one shard, perhaps on this node. */
static void
refuse_undivided(Relation heap, Relation index)
{
	Oid			copy = RecsysLocalCopy(RelationGetRelid(index));

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("recsys index \"%s\" stands for an index of Citus", RelationGetRelationName(index)),
			 errdetail("The rows of table \"%s\" are in another table, which Citus has made of it.",
					   RelationGetRelationName(heap)),
			 OidIsValid(copy) ?
			 errhint("Name the index that has them on this node, as in recommender => %s.",
					 quote_literal_cstr(RecsysQualifiedName(copy))) :
			 errhint("Call it on a node that has a copy of the table.")));
}

void
RecsysRefuseShell(Relation heap, Relation index)
{
	RecsysDistributed found;

	if (!RecsysIsShell(RelationGetRelid(heap)))
		return;
	if (RecsysShellMethod(RelationGetRelid(heap)) == 'n')
		refuse_undivided(heap, index);
	if (RecsysFindDistributed(RelationGetRelid(index), &found))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("recommender \"%s\" is distributed over several nodes, and this function is not for such a one",
						RelationGetRelationName(index)),
				 errdetail("recommend, recommend_for_items, similar_items, popular_items, explain_recommendation, recsys.merge, recsys.forget_user and recsys.check_index take it."),
				 errhint("Functions that take a query read all nodes, as in query_item_similarity('SELECT … FROM %s').",
						 RecsysQualifiedName(RelationGetRelid(heap)))));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("recsys index \"%s\" stands for the indexes of several nodes", RelationGetRelationName(index)),
			 errdetail("Table \"%s\" is distributed by Citus: its rows are in shards, which have an index each.",
					   RelationGetRelationName(heap)),
			 errhint("To have one recommender over all of them: SELECT recsys.distribute(%s);",
					 quote_literal_cstr(RecsysQualifiedName(RelationGetRelid(index))))));
}

/* This node's copy of an index over a reference table; InvalidOid: it is another, or not here */
static Oid
copy_of(const char *name)
{
	Oid			index;
	Oid			table;

	if (name == NULL || !RecsysCitusIsThere())
		return InvalidOid;
	index = RecsysNamedRecommender(name);
	table = IndexGetRelation(index, true);
	if (!OidIsValid(table) || !RecsysIsShell(table) || RecsysShellMethod(table) != 'n')
		return InvalidOid;
	return RecsysLocalCopy(index);
}

bool
RecsysOpenSpread(const char *name, RecsysRecommender *recommender, RecsysDistributed *distributed)
{
	Oid			copy;

	if (RecsysOpenDistributed(name, recommender, distributed))
		return true;
	copy = copy_of(name);
	if (OidIsValid(copy))
		RecsysOpenRecommenderIndex(copy, recommender);
	else
		RecsysOpenRecommender(name, recommender);
	return false;
}

bool
RecsysOpenForColumns(const char *name, RecsysRecommender *recommender)
{
	RecsysDistributed distributed;

	return RecsysOpenSpread(name, recommender, &distributed);
}

void
RecsysOpenUndivided(const char *name, RecsysRecommender *recommender)
{
	if (RecsysOpenForColumns(name, recommender))
		RecsysRefuseShell(recommender->heap, recommender->definition);
}

/* The index of this node that has the graph; InvalidOid if it is not here. */
static Oid
graph_here(const RecsysDistributed *distributed)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(distributed->graph));
	Oid			index = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);

	return OidIsValid(index) ? RecsysLocalCopy(index) : InvalidOid;
}

/* The index may have been made anew with items of another type. */
static void
check_items(const RecsysDistributed *distributed, const RecsysRecommender *graph)
{
	Relation	shell = relation_open(distributed->index, AccessShareLock);
	RecsysColumns columns;

	RecsysGetColumns(shell, &columns);
	relation_close(shell, NoLock);
	if (columns.item_kind != graph->columns.item_kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the items of recommender \"%s\" are of another type than those of its item graph",
						distributed->name),
				 errhint("SELECT recsys.distribute(%s);", quote_literal_cstr(distributed->name))));
}

void
RecsysOpenGraphOf(const RecsysDistributed *distributed, RecsysRecommender *graph)
{
	Oid			index;

	if (distributed->graph == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("distributed recommender \"%s\" has not been trained", distributed->name),
				 errhint("SELECT recsys.retrain(%s);", quote_literal_cstr(distributed->name))));
	index = graph_here(distributed);
	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no copy of the item graph of recommender \"%s\"", distributed->name),
				 errdetail("It is in reference table %s.", distributed->graph),
				 errhint("On the coordinator: SELECT replicate_reference_tables(); or SELECT recsys.distribute(%s);",
						 quote_literal_cstr(distributed->name))));
	RecsysOpenOfNode(index, graph);
	check_items(distributed, graph);
}

bool
RecsysOpenGraphInstead(RecsysRecommender *recommender)
{
	RecsysDistributed distributed;

	if (!RecsysIsShell(RelationGetRelid(recommender->heap)) ||
		!RecsysFindDistributed(RelationGetRelid(recommender->definition), &distributed))
		return false;
	RecsysCloseRecommender(recommender);
	RecsysOpenGraphOf(&distributed, recommender);
	return true;
}
