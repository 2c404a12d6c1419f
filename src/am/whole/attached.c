/*
 * attached.c
 *	  Partitions that Citus attaches.
 *
 * ATTACH PARTITION takes an index that the table has already, and calls no access method.  Where
 * there is a whole, the partition's rows are entered (noticed.c); where there is none, a merge makes
 * it.  With one server that is seldom.  With Citus it is the rule: each shard that moves, or is
 * split, arrives as tables and indexes that are attached to one another.  Its users would get
 * errors until a merge.
 *
 * So where Citus is installed we look behind each ATTACH PARTITION: the last partition of a shard
 * has the whole built, in the transaction that attaches it, which is before Citus tells others that the
 * shard has moved, and while its old place still takes rows.
 *
 * Whatever Citus asks for comes through ProcessUtility.  It wants to be the first of the preloaded
 * libraries, so that ours is called before its own hook, whose work is done when that returns.  Where we
 * are not preloaded, merges and the background worker do the same later.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/build/build.h"
#include "am/build/wholescan.h"
#include "am/entry/indexes.h"
#include "am/entry/shells.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/whole/adopt.h"
#include "am/whole/attached.h"
#include "am/whole/shardparts.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

/* A part has fewer, an index of some rows soon has more. */
#define MOST_PART_BLOCKS 32

static ProcessUtility_hook_type previous_utility = NULL;

/* The relation that a statement attaches something to, or NULL */
static const RangeVar *
attaches_to(const Node *statement)
{
	const AlterTableStmt *alter = (const AlterTableStmt *) statement;
	ListCell   *cell;

	if (statement == NULL || !IsA(statement, AlterTableStmt))
		return NULL;
	foreach(cell, alter->cmds)
		if (IsA(lfirst(cell), AlterTableCmd) &&
			((const AlterTableCmd *) lfirst(cell))->subtype == AT_AttachPartition)
			return alter->relation;
	return NULL;
}

/* The topmost table above one, or above that of an index */
static Oid
top_table(Oid relation)
{
	char		kind = get_rel_relkind(relation);
	Oid			table = kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX ?
		IndexGetRelation(relation, true) : relation;
	List	   *above;

	if (!OidIsValid(table) || !get_rel_relispartition(table))
		return table;
	above = get_partition_ancestors(table);
	return above == NIL ? table : llast_oid(above);
}

/* Has it more than a part has, which was built as one?  Whoever inserts marks it as a part. */
static bool
is_full(Relation part)
{
	return RelationGetNumberOfBlocks(part) > MOST_PART_BLOCKS;
}

static void
empty_part(Relation leaf, Relation part)
{
	/* a cursor of this session may be reading it */
	if (!is_full(part) || part->rd_refcnt > 1 || !ConditionalLockRelationOid(RelationGetRelid(leaf), ShareLock) ||
		!ConditionalLockRelationOid(RelationGetRelid(part), AccessExclusiveLock))
		return;
	RECSYS_SET_NEW_FILE(part, part->rd_rel->relpersistence);
	RecsysBuildPart(part);
}

void
RecsysEmptyParts(Oid root)
{
	List	   *leaves = RecsysLeafTables(IndexGetRelation(root, false));
	ListCell   *cell;

	foreach(cell, leaves)
	{
		Relation	leaf = try_table_open(lfirst_oid(cell), AccessShareLock);
		Oid			oid = leaf == NULL ? InvalidOid : RecsysPartOfLeaf(leaf, root);
		Relation	part = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;

		if (part != NULL)
		{
			empty_part(leaf, part);
			relation_close(part, NoLock);
		}
		if (leaf != NULL)
			table_close(leaf, NoLock);
	}
	list_free(leaves);
	CommandCounterIncrement();
}

static void
put_together(Oid table, Oid root)
{
	if (!OidIsValid(RecsysWholeOf(root)))
	{
		if (RecsysGetLeaves(table)->n == 0 || !RecsysShardIsComplete(table, true) || !RecsysAllLeavesHaveParts(root))
			return;
		(void) RecsysEnsureWhole(root);
		CommandCounterIncrement();
	}
	RecsysEmptyParts(root);
}

static void
look_at(const RangeVar *name)
{
	Oid			relation;
	Oid			table;
	Relation	open;
	List	   *indexes;
	ListCell   *cell;

	if (!IsTransactionState() || !RecsysCitusIsThere())
		return;
	CommandCounterIncrement();
	relation = RangeVarGetRelid(name, NoLock, true);
	table = OidIsValid(relation) ? top_table(relation) : InvalidOid;
	if (!OidIsValid(table) || RecsysIsShell(table) || get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		return;
	open = table_open(table, AccessShareLock);
	indexes = RelationGetIndexList(open);
	foreach(cell, indexes)
		if (RecsysKindOfIndex(lfirst_oid(cell)) == RECSYS_INTERACTIONS_INDEX)
			put_together(table, lfirst_oid(cell));
	list_free(indexes);
	table_close(open, NoLock);
}

static void
run_utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
			QueryCompletion *completion)
{
	const RangeVar *name = attaches_to(statement->utilityStmt);

	/* the statement need not be there afterwards */
	if (name != NULL)
		name = copyObject(name);
	if (previous_utility)
		previous_utility(statement, text, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
	if (name != NULL)
		look_at(name);
}

void
RecsysInitAttached(void)
{
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
}
