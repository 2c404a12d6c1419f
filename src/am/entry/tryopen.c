/*
 * tryopen.c
 *	  Opening what has the pages of an index, without waiting for anybody.
 *
 * For those who look after all indexes of a database, one after the other: DROP or REINDEX may hold one
 * of them for long, and a lock that is waited for stands before all others.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/tryopen.h"
#include "am/parts/whole.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

static Relation
try_open(Oid relation, LOCKMODE lockmode, RecsysTried *tried)
{
	Relation	open;

	*tried = RECSYS_TRIED_LOCKED;
	if (!ConditionalLockRelationOid(relation, lockmode))
		return NULL;
	open = try_relation_open(relation, NoLock);
	*tried = open != NULL ? RECSYS_TRIED_OPEN : RECSYS_TRIED_DROPPED;
	return open;
}

/* The partitioned index is locked, so that its whole stays. */
static Relation
try_open_whole(Oid root, LOCKMODE lockmode, RecsysTried *tried)
{
	Oid			whole = RecsysWholeOf(root);
	Oid			table = OidIsValid(whole) ? IndexGetRelation(whole, true) : InvalidOid;

	*tried = RECSYS_TRIED_MISSING;
	if (!OidIsValid(table))
		return NULL;
	*tried = RECSYS_TRIED_LOCKED;
	if (lockmode != AccessShareLock && !ConditionalLockRelationOid(table, lockmode))
		return NULL;
	return try_open(whole, lockmode, tried);
}

Relation
RecsysTryOpenPages(Oid index, LOCKMODE lockmode, RecsysTried *tried)
{
	Relation	open = try_open(index, lockmode, tried);

	if (open == NULL || open->rd_rel->relkind != RELKIND_PARTITIONED_INDEX)
		return open;
	relation_close(open, NoLock);
	return try_open_whole(index, lockmode, tried);
}
