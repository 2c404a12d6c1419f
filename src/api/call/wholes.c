/*
 * wholes.c
 *	  From a partitioned index to the one that has the rows of all partitions.
 *
 * The index that somebody has created on a partitioned table, the root, has no pages.  What is read
 * is its whole (am/parts).  It is locked after the root, and whoever has locked that may look it up by
 * its name: it goes with the root only.  There is none as long as nothing has told that all
 * partitions have their index: of a table without partitions, and where indexes were attached one by
 * one, as a restored dump does.  A merge makes it, and so does the first call of its owner.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/whole/adopt.h"
#include "api/call/recommender.h"
#include "api/call/recommendernames.h"
#include "api/call/rights.h"
#include "api/call/wholes.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void
refuse_part(Oid relation, Oid root)
{
	Oid			table = IndexGetRelation(root, true);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is a part of a recommender", RecsysNameForMessage(relation)),
			 !OidIsValid(table) ? 0 :
			 errdetail("There is one for all partitions of table \"%s\".", RecsysNameForMessage(table)),
			 errhint("Name the index of that table, %s.", RecsysFirstNameLiteral(list_make1_oid(root)))));
}

void
RecsysRefusePart(Oid relation)
{
	Oid			root = RecsysRootOfWholeOid(relation);

	if (OidIsValid(root))
		refuse_part(relation, root);
	if (!get_rel_relispartition(relation))
		return;
	root = RecsysRootOf(relation);
	if (OidIsValid(root) && root != relation)
		refuse_part(relation, root);
}

/* The valid ones of the indexes of partitions, as far as the caller may use them */
static List *
usable_partitions(Oid relation)
{
	List	   *all = find_all_inheritors(relation, NoLock, NULL);
	List	   *usable = NIL;
	ListCell   *cell;

	foreach(cell, all)
	{
		Oid			index = lfirst_oid(cell);
		Oid			table = IndexGetRelation(index, true);

		if (get_rel_relkind(index) == RELKIND_INDEX && OidIsValid(table) && get_index_isvalid(index) &&
			!isOtherTempNamespace(get_rel_namespace(index)) && RecsysMayUseSchema(index) &&
			RecsysMayReadColumns(table, index))
			usable = lappend_oid(usable, index);
	}
	list_free(all);
	return usable;
}

void
RecsysRefusePartitionedItems(Oid relation)
{
	List	   *partitions = usable_partitions(relation);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is a partitioned index", RecsysNameForMessage(relation)),
			 partitions == NIL ?
			 errdetail("Each partition has a recommender of its own.") :
			 errdetail("Each partition has a recommender of its own: %s.", RecsysListNames(partitions)),
			 errhint("Name the index of a partition.")));
}

/* A partition whose table has no index below the root, or InvalidOid */
static Oid
leaf_without_part(Oid root)
{
	Oid			table = IndexGetRelation(root, true);
	List	   *covered = NIL;
	ListCell   *cell;

	foreach(cell, find_all_inheritors(root, NoLock, NULL))
		covered = lappend_oid(covered, IndexGetRelation(lfirst_oid(cell), true));
	foreach(cell, OidIsValid(table) ? RecsysLeafTables(table) : NIL)
		if (!list_member_oid(covered, lfirst_oid(cell)))
			return lfirst_oid(cell);
	return InvalidOid;
}

void
RecsysLockToMakeWhole(Oid table, Oid root)
{
	if (OidIsValid(table) && !OidIsValid(RecsysWholeOf(root)))
		LockRelationOid(table, ShareRowExclusiveLock);
}

static bool
has_leaves(Oid root)
{
	Oid			table = IndexGetRelation(root, true);

	return OidIsValid(table) && RecsysLeafTables(table) != NIL;
}

static char *
merge_command(Oid root)
{
	return psprintf("SELECT recsys.merge(%s)", quote_literal_cstr(RecsysQualifiedName(root)));
}

char *
RecsysWhyNoWhole(Oid root)
{
	Oid			lacking = leaf_without_part(root);

	if (OidIsValid(lacking))
		return psprintf("not complete: partition %s has no index that is attached to it", RecsysQualifiedName(lacking));
	return psprintf("not put together: %s, make one by %s",
					has_leaves(root) ? "its partitions' indexes are there" : "there are no partitions yet",
					merge_command(root));
}

static void
refuse_incomplete(Oid root)
{
	Oid			lacking = leaf_without_part(root);

	if (OidIsValid(lacking))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is not complete", RecsysNameForMessage(root)),
				 errdetail("Partition %s has no index that is attached to it.", RecsysQualifiedName(lacking)),
				 errhint("Create an index of the same columns on it, and attach that to this one.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recsys index \"%s\" has not been put together", RecsysNameForMessage(root)),
			 has_leaves(root) ?
			 errdetail("Nothing has told it yet that all partitions have their indexes.") :
			 errdetail("Its table has no partitions yet."),
			 errhint("%s;", merge_command(root))));
}

/* Locks the table before the index, as everywhere. */
static Relation
lock_and_open(Oid whole, LOCKMODE lockmode)
{
	Oid			table = IndexGetRelation(whole, true);
	Relation	index;

	/* readers have locked the root, without which nobody changes the table */
	if (lockmode != AccessShareLock && OidIsValid(table))
		LockRelationOid(table, lockmode);
	LockRelationOid(whole, lockmode);
	index = try_relation_open(whole, NoLock);
	if (index == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the recommender has been dropped")));
	return index;
}

/*
 * May a reader have it made?  A restore fills materialized views before anybody could merge: with the
 * rights of their owners, by a superuser or the owner of all.
 */
bool
RecsysMayMakeWhole(Oid root)
{
	return !RecoveryInProgress() && !XactReadOnly && !IsInParallelMode() &&
		(RECSYS_OWNS_RELATION(root) || superuser_arg(GetSessionUserId())) && RecsysAllLeavesHaveParts(root);
}

Relation
RecsysOpenWhole(Relation definition, LOCKMODE lockmode, bool missing_ok)
{
	Oid			root = RelationGetRelid(definition);
	Oid			whole = RecsysWholeOf(root);

	if (!OidIsValid(whole) && missing_ok)
		return NULL;
	if (!OidIsValid(whole))
	{
		if (!RecsysMayMakeWhole(root))
			refuse_incomplete(root);
		RecsysLockToMakeWhole(definition->rd_index->indrelid, root);
		whole = RecsysEnsureWhole(root);
	}
	return lock_and_open(whole, lockmode);
}

Relation
RecsysOpenOrMakeWhole(Relation definition)
{
	Oid			root = RelationGetRelid(definition);

	if (!OidIsValid(RecsysWholeOf(root)) && !RecsysAllLeavesHaveParts(root))
		refuse_incomplete(root);
	return lock_and_open(RecsysEnsureWhole(root), RowExclusiveLock);
}
