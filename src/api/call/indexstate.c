/*
 * indexstate.c
 *	  Whether an index can be used as it is, and what to do where it cannot.
 *
 * The index of a partition holds nothing, since the one of the whole table has its rows.  Detached
 * it is an index of its own, and still holds nothing until it is rebuilt.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/relation.h"
#include "access/xlog.h"
#include "am/entry/indexes.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/inspect.h"
#include "am/store/meta.h"
#include "api/call/indexstate.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"

void
RecsysCheckReachable(Relation index)
{
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	if (!RelationIsPermanent(index) && RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary or unlogged relations during recovery")));
}

/*
 * Is this the name of an index that REINDEX CONCURRENTLY makes and, unless it fails,
 * drops: name_ccnew or name_ccold, perhaps with a number?
 */
static bool
is_from_reindex(Relation index)
{
	const char *name = RelationGetRelationName(index);
	Size		length = strlen(name);

	while (length > 0 && isdigit((unsigned char) name[length - 1]))
		length--;
	return length > 6 && (strncmp(name + length - 6, "_ccnew", 6) == 0 ||
						  strncmp(name + length - 6, "_ccold", 6) == 0);
}

/* Does somebody hold the lock on the table that builds an index concurrently? */
static bool
may_be_under_way(Relation index)
{
	LOCKTAG		tag;
	int			count;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, index->rd_index->indrelid);
	(void) GetLockConflicts(&tag, ShareUpdateExclusiveLock, &count);
	return count > 0;
}

/* That of all partitions together is rebuilt with the partitioned one. */
static const char *
rebuild_of(Relation index)
{
	return RecsysCreatedIndex(index) == RelationGetRelid(index) ? "REINDEX INDEX CONCURRENTLY" : "REINDEX INDEX";
}

char *
RecsysWhyNotValid(Relation index)
{
	char	   *name = RecsysQualifiedIndexName(index);

	if (may_be_under_way(index))
		return psprintf("not valid: it may still be under construction, as its table is locked for that or for maintenance");
	if (is_from_reindex(index))
		return psprintf("not valid: left by a REINDEX CONCURRENTLY that failed, remove it with DROP INDEX %s", name);
	return psprintf("not valid: building it has failed, remove it with DROP INDEX %s or build it with %s %s",
					name, rebuild_of(index), name);
}

static void
refuse_invalid(Relation index)
{
	char	   *name = RecsysQualifiedIndexName(index);

	if (may_be_under_way(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 index->rd_index->indisready ?
				 errmsg("recsys index \"%s\" is not valid", RecsysIndexName(index)) :
				 errmsg("recsys index \"%s\" is still being built", RecsysIndexName(index)),
				 errdetail("Its table is locked for CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY, or for maintenance."),
				 errhint("Wait for that to finish.")));
	if (is_from_reindex(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is not valid", RecsysIndexName(index)),
				 errdetail("It was left by a REINDEX CONCURRENTLY that failed; the index that was to be rebuilt is still there."),
				 errhint("DROP INDEX %s;", name)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recsys index \"%s\" is not valid", RecsysIndexName(index)),
			 errdetail("Building it has failed."),
			 errhint("%s %s;", rebuild_of(index), name)));
}

/* An index over items of a partition is one like any other. */
static bool
is_stub(Relation index)
{
	return index->rd_rel->relkind == RELKIND_INDEX && !RecsysIndexIsItems(index) && RecsysIsStub(index);
}

bool
RecsysIsKnownEmpty(Oid relation)
{
	RecsysMetaData meta;
	Relation	index;
	bool		is_empty;

	if (RecsysKindOfIndex(relation) != RECSYS_INTERACTIONS_INDEX || get_rel_relkind(relation) != RELKIND_INDEX ||
		!ConditionalLockRelationOid(relation, AccessShareLock))
		return false;
	index = try_relation_open(relation, NoLock);
	is_empty = index != NULL && !RELATION_IS_OTHER_TEMP(index) &&
		(RelationIsPermanent(index) || !RecoveryInProgress()) && !RecsysIsPart(index) &&
		RecsysPeekMeta(index, &meta) && meta.version == RECSYS_FORMAT_VERSION && meta.part;
	if (index != NULL)
		relation_close(index, NoLock);
	UnlockRelationOid(relation, AccessShareLock);
	return is_empty;
}

char *
RecsysWhyEmpty(Relation index)
{
	if (!is_stub(index))
		return NULL;
	return psprintf("empty: its table was a partition, whose rows the partitioned table's index has, build it with REINDEX INDEX %s",
					RecsysQualifiedIndexName(index));
}

void
RecsysCheckState(Relation index)
{
	RecsysCheckReachable(index);
	if (!index->rd_index->indisready || !index->rd_index->indisvalid)
		refuse_invalid(index);
	if (is_stub(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is empty", RecsysIndexName(index)),
				 errdetail("Its table has been detached from a partitioned one, whose index had the rows."),
				 errhint("REINDEX INDEX %s;", RecsysQualifiedIndexName(index))));
}
