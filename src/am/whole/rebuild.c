/*
 * rebuild.c
 *	  Building the whole of a partitioned table anew.
 *
 * REINDEX INDEX or TABLE of something partitioned comes to the leaves' indexes one by one, each in
 * a transaction of its own, and tells none of them what it is about.  So each part looks at the
 * statement, which the portal has, and the last of them builds the whole.
 *
 * reindex_index() cannot do that, as it does not nest.  The steps here are its own, without
 * those for constraints and invalid indexes.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "am/build/wholescan.h"
#include "am/parts/whole.h"
#include "am/whole/partrows.h"
#include "am/whole/rebuild.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "compat.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "tcop/pquery.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/relcache.h"

/* The statement under way, if it is a REINDEX of one relation */
static const ReindexStmt *
reindex_statement(void)
{
	const PlannedStmt *planned;
	const ReindexStmt *statement;

	if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1)
		return NULL;
	planned = linitial_node(PlannedStmt, ActivePortal->stmts);
	if (planned->commandType != CMD_UTILITY || !IsA(planned->utilityStmt, ReindexStmt))
		return NULL;
	statement = (const ReindexStmt *) planned->utilityStmt;
	return statement->relation != NULL ? statement : NULL;
}

/*
 * May this relation be the one that the statement names?  The search path is not that of the
 * statement any more.
 */
static bool
may_be_named(const RangeVar *name, Oid relation)
{
	const char *found = get_rel_name(relation);

	if (found == NULL || strcmp(name->relname, found) != 0)
		return false;
	return name->schemaname == NULL ||
		strcmp(name->schemaname, get_namespace_name(get_rel_namespace(relation))) == 0;
}

/* The last relation of a tree that REINDEX comes to */
static Oid
last_with_storage(Oid tree)
{
	List	   *all = find_all_inheritors(tree, NoLock, NULL);
	Oid			last = InvalidOid;
	ListCell   *cell;

	foreach(cell, all)
	{
		char		relkind = get_rel_relkind(lfirst_oid(cell));

		if (relkind == RELKIND_INDEX || relkind == RELKIND_RELATION)
			last = lfirst_oid(cell);
	}
	return last;
}

bool
RecsysIsOfReindex(Relation part, Oid root, bool *last)
{
	const ReindexStmt *statement = reindex_statement();
	bool		by_index;
	Oid			tree;
	Oid			own;

	*last = false;
	if (statement == NULL || !ReindexIsProcessingIndex(RelationGetRelid(part)))
		return false;
	by_index = statement->kind == REINDEX_OBJECT_INDEX;
	tree = by_index ? root : IndexGetRelation(root, false);
	own = by_index ? RelationGetRelid(part) : part->rd_index->indrelid;

	/* partitions may be called as their tables are, in another schema */
	if (!may_be_named(statement->relation, tree) || may_be_named(statement->relation, own))
		return false;
	*last = last_with_storage(tree) == own;
	return true;
}

static void
build_anew(Oid whole)
{
	Relation	table = table_open(IndexGetRelation(whole, false), ShareLock);
	Relation	index = index_open(whole, AccessExclusiveLock);
	IndexInfo  *info;

	CheckTableNotInUse(index, "REINDEX INDEX");
	TransferPredicateLocksToHeapRelation(index);
	info = BuildIndexInfo(index);
	RECSYS_SET_NEW_FILE(index, index->rd_rel->relpersistence);
	index_build(table, index, info, true, true);
	if (info->ii_BrokenHotChain)
		RecsysRefuseOlderSnapshots(index);
	index_close(index, NoLock);
	table_close(table, NoLock);
}

void
RecsysLockTree(Oid root)
{
	Oid			table = IndexGetRelation(root, false);

	LockRelationOid(table, ShareLock);
	list_free(RecsysLockLeaves(table));
}

void
RecsysRebuildWhole(Oid root)
{
	Oid			whole;

	/* tables before the whole: who writes to one goes on to that */
	RecsysLockTree(root);
	whole = RecsysWholeOf(root);
	if (OidIsValid(whole))
		build_anew(whole);
	else
		(void) RecsysCreateWhole(root);
}
