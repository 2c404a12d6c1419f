/*
 * forgetin.c
 *	  Which indexes are to forget a user.
 *
 * A table may have several recsys indexes, and whoever has to erase somebody does not
 * want to look for them.  But the indexes may disagree on what a user is: in an index for
 * baskets it is the order.  A customer's number must not be taken for an order's, so such
 * a table is refused.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "am/entry/indexes.h"
#include "am/parts/whole.h"
#include "api/call/indexstate.h"
#include "api/call/recommender.h"
#include "api/operate/forgetin.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The index's name as it can be written; NULL if it has been dropped */
static char *
index_name(Oid index)
{
	char	   *name = get_rel_name(index);
	char	   *schema = get_namespace_name(get_rel_namespace(index));

	return name == NULL || schema == NULL ? NULL : quote_qualified_identifier(schema, name);
}

/*
 * A partition's index is a part of one that is over all of them: that is in the list already if its
 * table is the one that was named, or below it.
 */
static bool
stands_for_itself(Oid index, const List *tables)
{
	Oid			root;

	if (!get_rel_relispartition(index))
		return true;
	root = RecsysRootOf(index);
	if (!OidIsValid(root) || list_member_oid(tables, IndexGetRelation(root, true)))
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("recsys index \"%s\" knows the users of all partitions together", RecsysNameForMessage(root)),
			 errdetail("Its partitions have no index of their own that could forget a user."),
			 errhint("Call recsys.forget_user for %s.", index_name(root))));
	return false;
}

/* The indexes of one of the tables, which stays locked, or is gone. */
static List *
indexes_of_table(Oid table, const List *tables, List *indexes)
{
	Relation	heap = try_relation_open(table, RowExclusiveLock);
	ListCell   *cell;

	if (heap == NULL)
		return indexes;
	foreach(cell, RelationGetIndexList(heap))
	{
		Relation	index = try_relation_open(lfirst_oid(cell), AccessShareLock);

		if (index == NULL)
			continue;
		if (index->rd_rel->relam == RecsysAccessMethod() && stands_for_itself(RelationGetRelid(index), tables))
		{
			if (!index->rd_index->indisvalid)
				ereport(WARNING,
						(errmsg("recsys index \"%s\" is not valid, and knows the user as soon as it is",
								RelationGetRelationName(index)),
						 errhint("Drop it, or build it and call recsys.forget_user again.")));
			else if (!RecsysIsKnownEmpty(RelationGetRelid(index)))
				indexes = lappend_oid(indexes, RelationGetRelid(index));
		}
		relation_close(index, NoLock);
	}
	relation_close(heap, NoLock);
	return indexes;
}

/* Of the table and those below it */
static List *
indexes_of_tree(Oid relation)
{
	List	   *tables = find_all_inheritors(relation, RowExclusiveLock, NULL);
	List	   *indexes = NIL;
	ListCell   *cell;

	/* indexes are opened behind their tables, one by one */
	foreach(cell, tables)
		indexes = indexes_of_table(lfirst_oid(cell), tables, indexes);
	return indexes;
}

/* "column or expression" that is the user */
static char *
user_of(Oid index)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(index),
												   Int32GetDatum(1), BoolGetDatum(false)));
}

static void
check_users(Oid table, List *indexes)
{
	Oid			first = linitial_oid(indexes);
	char	   *user = user_of(first);
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Oid			index = lfirst_oid(cell);
		char	   *other = user_of(index);

		if (strcmp(user, other) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
					 errmsg("recsys indexes of table \"%s\" have different users",
							get_rel_name(table)),
					 errdetail("The user of index %s is %s, that of index %s is %s.",
							   index_name(first), user, index_name(index), other),
					 errhint("Call recsys.forget_user for one index after the other, each with a user of its own.")));
		pfree(other);
	}
}

/* Locks the table at the top before those below it and before indexes, as everybody else does. */
static void
lock_table(Oid table, char kind)
{
	LockRelationOid(table, RowExclusiveLock);
	if (get_rel_relkind(table) != kind)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the relation with the user has been dropped")));
}

List *
RecsysIndexesToForgetIn(Oid relation)
{
	char		kind = get_rel_relkind(relation);
	List	   *indexes;

	/* an index, or something that its error is right for */
	if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE)
		return list_make1_oid(relation);

	if (!RECSYS_OWNS_RELATION(relation) && !RECSYS_MAY_MAINTAIN(relation))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RecsysNameForMessage(relation));
	lock_table(relation, kind);
	indexes = indexes_of_tree(relation);
	if (indexes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("\"%s\" has no recsys index that could forget a user",
						get_rel_name(relation)),
				 errdetail("Rows that no recsys index covers are in no recommendation.")));
	check_users(relation, indexes);
	return indexes;
}
