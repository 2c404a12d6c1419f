/*
 * passon.c
 *	  What the indexes of partitions do: they pass rows, and VACUUM, on to the whole.
 *
 * Locks: a partition first, as its writer has it, then the whole's table, then its index.  VACUUM
 * of several partitions takes turns at the whole, by ShareUpdateExclusiveLock on its table.  Who
 * merges beside, an INSERT or VACUUM, never waits for a lock of a partition other than the one at
 * hand.
 *
 * An index that has entries of its own, from before it became a part, would be out of date once it
 * is none any more.  So the first that is passed on marks it.  What has been marked in a
 * transaction that is rolled back stays marked.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/merge/merge.h"
#include "am/parts/leafspace.h"
#include "am/parts/leaves.h"
#include "am/parts/twin.h"
#include "am/parts/whole.h"
#include "am/store/meta.h"
#include "am/write/passon.h"
#include "am/write/vacuum.h"
#include "am/write/wake.h"
#include "compat.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"

static bool
is_marked(const RecsysMetaData *meta, Oid root, Oid file, bool entered)
{
	return meta->part != 0 && (meta->passes_to == root || !OidIsValid(root)) &&
		(!OidIsValid(file) || (entered ? meta->tids_of == file : OidIsValid(meta->tids_of)));
}

/* Which rows the TIDs are of is not noted if a rollback takes the leaf's file away. */
void
RecsysMarkPart(Relation index, Relation leaf, bool entered)
{
	Oid			root = RecsysRootOfPart(index);
	Oid			file = RECSYS_FIRST_FILE_SUBID(leaf) == InvalidSubTransactionId ?
		RECSYS_FILE_NUMBER(leaf) : InvalidOid;
	Buffer		buffer;

	if (is_marked(&RecsysGetCache(index)->meta, root, file, entered))
		return;
	buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	if (!is_marked(RecsysPageGetMeta(BufferGetPage(buffer)), root, file, entered))
	{
		GenericXLogState *state = GenericXLogStart(index);
		RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0));

		meta->part = 1;
		if (OidIsValid(root))
			meta->passes_to = root;
		if (OidIsValid(file) && (entered || !OidIsValid(meta->tids_of)))
			meta->tids_of = file;
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
	(void) RecsysRefreshCache(index);
}

/*
 * The part has been one of other roots, which would take it for complete if they were roots
 * again.  So those are told that it is not, before anything changes that they do not learn of.
 */
static void
outdate_others(Relation part, Relation leaf)
{
	static LocalTransactionId transaction = InvalidLocalTransactionId;
	static SubTransactionId subid;
	static Oid	last;
	Oid			other = RecsysOtherWholeOfPart(part, 0);

	if (!OidIsValid(other) ||
		(transaction == RECSYS_LOCAL_TRANSACTION && subid == GetCurrentSubTransactionId() &&
		 last == RelationGetRelid(part)))
		return;
	for (int i = 1; OidIsValid(other); i++)
	{
		Relation	whole = try_relation_open(other, RowExclusiveLock);

		if (whole != NULL)
		{
			if (RecsysStateOfLeaf(whole, leaf) == RECSYS_LEAF_COMPLETE)
				(void) RecsysEnterLeafAnew(whole, leaf, false);
			relation_close(whole, NoLock);
		}
		other = RecsysOtherWholeOfPart(part, i);
	}
	transaction = RECSYS_LOCAL_TRANSACTION;
	subid = GetCurrentSubTransactionId();
	last = RelationGetRelid(part);
}

/* The row that has been passed on last */
static struct
{
	LocalTransactionId transaction;
	SubTransactionId subid;
	Oid			part;
	Oid			whole;
	Oid			leaf;
	ItemPointerData tid;
} last;

/*
 * Has the row been passed on by the other one of two parts (am/parts/twin.h)?  Nobody passes another
 * one on between the two, and within a subtransaction no TID is used twice for the same leaf.
 */
static bool
is_passed_on(Relation part, Relation leaf, Relation whole, ItemPointer tid)
{
	bool		again = last.transaction == RECSYS_LOCAL_TRANSACTION &&
		ItemPointerEquals(&last.tid, tid) && last.leaf == RelationGetRelid(leaf) &&
		last.whole == RelationGetRelid(whole) && last.subid == GetCurrentSubTransactionId() &&
		last.part != RelationGetRelid(part);

	last.transaction = RECSYS_LOCAL_TRANSACTION;
	last.subid = GetCurrentSubTransactionId();
	last.part = RelationGetRelid(part);
	last.whole = RelationGetRelid(whole);
	last.leaf = RelationGetRelid(leaf);
	last.tid = *tid;
	return again;
}

Relation
RecsysPassOnRow(Relation part, Relation leaf, ItemPointer tid, bool *complete)
{
	Relation	whole;

	RECSYS_FAULT("pass-on");
	RecsysMarkPart(part, leaf, false);
	outdate_others(part, leaf);
	whole = RecsysOpenWholeOfPart(part, RowExclusiveLock, RowExclusiveLock);
	if (whole != NULL && (is_passed_on(part, leaf, whole, tid) || !RecsysPartTid(whole, leaf, tid, complete)))
	{
		index_close(whole, NoLock);
		whole = NULL;
	}
	return whole;
}

bool
RecsysPassesOn(Relation index)
{
	if (RecsysIsPart(index))
		return true;

	/* what REINDEX CONCURRENTLY has not validated yet, or has replaced; it only looks for rows itself */
	return !index->rd_index->indisvalid && RecsysIsStub(index) && !RecsysInReindex();
}

/* VACUUM's callback behind that for the whole's entries: those of other partitions stay. */
typedef struct LeafCallback
{
	const RecsysLeafSpace *space;
	IndexBulkDeleteCallback callback;
	void	   *state;
} LeafCallback;

static bool
is_dead_of_leaf(ItemPointer tid, void *arg)
{
	const LeafCallback *leaf = arg;
	ItemPointerData own = *tid;

	return RecsysLeafSpaceOwn(leaf->space, &own) && leaf->callback(&own, leaf->state);
}

/* What the server is told of the part itself, which has nothing to be counted */
static IndexBulkDeleteResult *
stats_of_part(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	stats->num_index_tuples = info->num_heap_tuples;
	stats->estimated_count = true;
	return stats;
}

static void
remove_dead_of_leaf(Relation whole, IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
					LeafCallback *callback)
{
	IndexVacuumInfo whole_info = *info;
	IndexBulkDeleteResult whole_stats = {0};

	whole_info.index = whole;
	(void) RecsysBulkDelete(&whole_info, &whole_stats, is_dead_of_leaf, callback, NULL);
	stats->tuples_removed += whole_stats.tuples_removed;
}

IndexBulkDeleteResult *
RecsysPassOnBulkDelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
					   IndexBulkDeleteCallback callback, void *callback_state)
{
	Relation	whole;
	Relation	leaf;
	RecsysLeafSpace *space;
	RecsysLeafState state;

	stats = stats_of_part(info, stats);

	/* VACUUM itself holds a lock on it */
	leaf = table_open(info->index->rd_index->indrelid, NoLock);
	RecsysMarkPart(info->index, leaf, false);
	outdate_others(info->index, leaf);
	whole = RecsysOpenWholeOfPart(info->index, ShareUpdateExclusiveLock, RowExclusiveLock);
	if (whole == NULL)
	{
		table_close(leaf, NoLock);
		return stats;
	}
	space = RecsysLeafSpaceCreate(whole, leaf, &state);
	if (space != NULL)
	{
		LeafCallback translated = {space, callback, callback_state};

		remove_dead_of_leaf(whole, info, stats, &translated);
		pfree(space);
	}
	table_close(leaf, NoLock);
	RecsysCloseWholeOfPart(whole, ShareUpdateExclusiveLock, RowExclusiveLock);
	return stats;
}

IndexBulkDeleteResult *
RecsysPassOnCleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	bool		removed = stats != NULL;
	Relation	whole;

	if (info->analyze_only)
		return stats;
	stats = stats_of_part(info, stats);
	whole = RecsysOpenWholeOfPart(info->index, RowExclusiveLock, RowExclusiveLock);
	if (whole == NULL)
		return stats;

	/*
	 * Free pages come from removed entries.  VACUUM of many partitions would merge for each: where
	 * there is a worker, it does that once.
	 */
	if (removed)
	{
		IndexVacuumInfo whole_info = *info;
		IndexBulkDeleteResult whole_stats = {0};
		bool		left = whole->rd_rel->relpersistence != RELPERSISTENCE_TEMP && RecsysWakeMergeWorker();

		whole_info.index = whole;
		(void) RecsysVacuumCleanup(&whole_info, &whole_stats, left ? NULL : RecsysMerge);
	}
	else
		RecsysVacuumMerge(whole, RecsysMerge);
	RecsysCloseWholeOfPart(whole, RowExclusiveLock, RowExclusiveLock);
	return stats;
}

Relation
RecsysLockTableOfWhole(Relation whole, List **leaves)
{
	Oid			oid = RecsysIndexedTable(RelationGetRelid(whole));
	const RecsysLeaves *there;
	Relation	table;
	List	   *wanted = NIL;
	ListCell   *cell;
	bool		foreign;

	*leaves = NIL;
	if (!OidIsValid(oid) || !ConditionalLockRelationOid(oid, AccessShareLock))
		return NULL;
	table = try_table_open(oid, NoLock);
	if (table == NULL)
	{
		UnlockRelationOid(oid, AccessShareLock);
		return NULL;
	}
	there = RecsysGetLeaves(oid);
	foreign = OidIsValid(there->foreign);
	for (int i = 0; i < there->n; i++)
		wanted = lappend_oid(wanted, there->leaves[i].table);
	foreach(cell, wanted)
	{
		if (foreign || !ConditionalLockRelationOid(lfirst_oid(cell), AccessShareLock))
		{
			list_free(wanted);
			RecsysUnlockTableOfWhole(table, *leaves);
			*leaves = NIL;
			return NULL;
		}
		*leaves = lappend_oid(*leaves, lfirst_oid(cell));
	}
	list_free(wanted);
	RecsysPartsRelease(true);
	return table;
}

void
RecsysUnlockTableOfWhole(Relation table, List *leaves)
{
	ListCell   *cell;

	RecsysPartsRelease(false);
	foreach(cell, leaves)
		UnlockRelationOid(lfirst_oid(cell), AccessShareLock);
	list_free(leaves);
	table_close(table, AccessShareLock);
}
