/*
 * vacuum.c
 *	  VACUUM: the callbacks.
 *
 * Bulk delete walks all blocks in order and removes the entries of dead rows from
 * each bucket page, with all the chain pages its owners have (prune.c).  Owners change pages only
 * when a bucket is split, and the new bucket always comes from beyond the end of the relation
 * (RecsysNewPage without recycling), so a walk that goes on until the relation stops growing
 * meets every owner at least once.  When a bucket has been processed, no entry of the dead rows
 * is left in it, before their line pointers are recycled.
 *
 * Cleanup looks for free pages, and then merges what is pending.
 *
 * An items index is vacuumed in the same way, but that it has pages of another kind, too,
 * and another merge (am/items/itemsvacuum.c).  The index of a partition passes both on (passon.c).
 */
#include "postgres.h"

#include "access/table.h"
#include "am/entry/handler.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/unsaid.h"
#include "am/parts/whole.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "am/store/recycle.h"
#include "am/write/passon.h"
#include "am/write/prune.h"
#include "am/write/vacuum.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"

static RecsysPageKind
page_kind(Page page)
{
	if (!RecsysPageIsOurs(page))
		return 0;
	return RecsysPageGetOpaque(page)->kind;
}

/* One block of bulk delete. */
static void
vacuum_block(RecsysPruning *state, IndexVacuumInfo *info, BlockNumber block,
			 RecsysVacuumPage other)
{
	Buffer		buffer = ReadBufferExtended(info->index, MAIN_FORKNUM, block, RBM_NORMAL,
											info->strategy);
	RecsysPageKind kind;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	kind = page_kind(BufferGetPage(buffer));
	if (kind == RECSYS_PAGE_BUCKET)
		RecsysPageCheck(info->index, buffer, RECSYS_PAGE_BUCKET);
	else if (other != NULL)
		other(state, buffer, kind);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);

	/* a bucket stays one */
	if (kind == RECSYS_PAGE_BUCKET)
		RecsysPruneBucket(state, buffer);
	ReleaseBuffer(buffer);
}

static BlockNumber
relation_size(Relation index)
{
	bool		needlock = !RELATION_IS_LOCAL(index);
	BlockNumber nblocks;

	if (needlock)
		LockRelationForExtension(index, ExclusiveLock);
	nblocks = RelationGetNumberOfBlocks(index);
	if (needlock)
		UnlockRelationForExtension(index, ExclusiveLock);
	return nblocks;
}

IndexBulkDeleteResult *
RecsysBulkDelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				 IndexBulkDeleteCallback callback, void *callback_state,
				 RecsysVacuumPage other)
{
	RecsysPruning state;
	RecsysCache *cache = RecsysRefreshCache(info->index);
	BlockNumber nblocks;
	BlockNumber block = 0;

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->num_index_tuples = 0;
	stats->estimated_count = false;

	state.index = info->index;
	state.meta = cache->meta;
	memcpy(state.stride, cache->stride, sizeof(state.stride));
	state.stats = stats;
	state.callback = callback;
	state.callback_state = callback_state;
	state.events = palloc(sizeof(RecsysEvent) * RECSYS_MAX_PRUNE_EVENTS);
	state.nevents = 0;
	state.starved = false;
	state.no_users = RecsysIndexIsItems(info->index);

	while (block < (nblocks = relation_size(info->index)))
	{
		for (; block < nblocks; block++)
		{
			RECSYS_VACUUM_DELAY_POINT();
			vacuum_block(&state, info, block, other);
		}
	}
	if (state.starved)
		UnlockPage(info->index, RECSYS_META_BLOCK, ExclusiveLock);
	pfree(state.events);
	return stats;
}

IndexBulkDeleteResult *
recsys_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				  IndexBulkDeleteCallback callback, void *callback_state)
{
	if (RecsysIsPart(info->index))
		return RecsysPassOnBulkDelete(info, stats, callback, callback_state);
	if (RecsysIsStub(info->index))
		return stats;
	return RecsysBulkDelete(info, stats, callback, callback_state, NULL);
}

/* VACUUM merges what is pending, what it has just appended included. */
void
RecsysVacuumMerge(Relation index, RecsysMergeFunction merge)
{
	bool		whole = OidIsValid(RecsysRootOfWhole(index));
	RecsysMergeResult result;
	Relation	heap;
	List	   *leaves = NIL;
	bool		outside;

	if (!index->rd_index->indisvalid)
		return;
	if (!RecsysHasRoom(index, 0))
	{
		ereport(WARNING,
				(errcode(ERRCODE_DISK_FULL),
				 errmsg("index \"%s\" was not merged for lack of disk space",
						RecsysIndexName(index)),
				 errdetail("What has changed is noted and waits for the next merge."),
				 errhint("Make room in its tablespace.")));
		return;
	}

	/* VACUUM itself holds a lock on the table, unless that is another one's partition */
	heap = whole ? RecsysLockTableOfWhole(index, &leaves) : table_open(index->rd_index->indrelid, NoLock);
	if (heap == NULL)
		return;

	/* what the merge looks up must not be pruned meanwhile */
	outside = RecsysStepOutOfVacuum();
	(void) merge(heap, index, RECSYS_MERGE_BOUNDED, &result);
	if (outside)
		RecsysStepBackIntoVacuum();
	if (whole)
		RecsysUnlockTableOfWhole(heap, leaves);
	else
		table_close(heap, NoLock);
}

/*
 * Count what is there when bulk delete had nothing to do, and tell the free
 * space map about every free page: a crash may have lost it.  Pages that have left a list become
 * free here, too, as soon as nobody can walk across them (am/store/recycle.c): as a rule
 * that is the next VACUUM.
 */
IndexBulkDeleteResult *
RecsysVacuumCleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, RecsysMergeFunction merge)
{
	BlockNumber nblocks;

	if (info->analyze_only)
		return stats;

	if (stats == NULL)
	{
		stats = palloc0(sizeof(IndexBulkDeleteResult));
		stats->num_index_tuples = info->num_heap_tuples;
		stats->estimated_count = true;
	}

	nblocks = relation_size(info->index);
	stats->num_pages = nblocks;
	stats->pages_free = 0;
	stats->pages_deleted = 0;
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		Buffer		buffer;
		Page		page;
		bool		deleted;
		bool		usable;

		RECSYS_VACUUM_DELAY_POINT();
		buffer = ReadBufferExtended(info->index, MAIN_FORKNUM, block, RBM_NORMAL, info->strategy);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		deleted = page_kind(page) == RECSYS_PAGE_DELETED;
		usable = PageIsNew(page) || page_kind(page) == RECSYS_PAGE_FREE ||
			(deleted && RecsysPageIsRecyclable(page));
		UnlockReleaseBuffer(buffer);
		stats->pages_free += usable;
		stats->pages_deleted += usable || deleted;
		if (usable)
			RecsysRecordFreePage(info->index, block);
		RECSYS_FAULT("vacuum-cleanup");
	}
	IndexFreeSpaceMapVacuum(info->index);
	if (merge != NULL)
		RecsysVacuumMerge(info->index, merge);
	return stats;
}

IndexBulkDeleteResult *
recsys_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (RecsysIsPart(info->index))
		return RecsysPassOnCleanup(info, stats);
	if (RecsysIsStub(info->index))
		return stats;
	return RecsysVacuumCleanup(info, stats, RecsysMerge);
}
