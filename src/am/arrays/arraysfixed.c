/*
 * arraysfixed.c
 *	  What becomes of an index over an item graph when its table changes: nothing.
 *
 * The graph is served as it was when the index was built.  A row that comes, a new version of one
 * included, is refused, as the index would not have it.  One that goes stays in the index up to a
 * REINDEX; check_index says so.  VACUUM takes no entry away: nobody looks rows up by the index, so
 * it does not matter that a TID leads nowhere.
 *
 * CREATE INDEX CONCURRENTLY asks by way of bulk delete which rows the index has, and inserts
 * those that it misses.  So entries have TIDs, and a row without an item, which is in no
 * index, may be inserted.
 */
#include "postgres.h"

#include "am/arrays/arraycolumns.h"
#include "am/arrays/arrayshandler.h"
#include "am/lists/owner.h"
#include "am/store/meta.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

bool
recsys_graph_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
					IndexUniqueCheck unique, bool unchanged, struct IndexInfo *info)
{
	if (isnull[RECSYS_ARRAYS_ITEM])
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has an index over its item graph and takes no new rows",
					RelationGetRelationName(heap)),
			 errdetail("Index \"%s\" serves the graph as it was when the index was built.",
					   RelationGetRelationName(index)),
			 errhint("Fill another table and index that; or drop the index, change the table, and create it again.")));
	return false;
}

/* Tells the callback of the entries of a locked bucket. */
static void
visit_bucket(Relation index, const RecsysCache *cache, Page page, IndexBulkDeleteResult *stats,
			 IndexBulkDeleteCallback callback, void *callback_state)
{
	int			stride = cache->stride[RECSYS_ITEMS];

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(index, page, off, stride);
		for (int i = 0; i < owner->tail; i++)
		{
			RecsysEntry entry;

			RecsysUnpackEntry(RecsysOwnerEntries(owner) + i * stride, RECSYS_ITEMS, &cache->meta, &entry);
			if (!callback(&entry.tid, callback_state))
				stats->num_index_tuples++;
		}
	}
}

IndexBulkDeleteResult *
recsys_graph_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
						IndexBulkDeleteCallback callback, void *callback_state)
{
	RecsysCache *cache = RecsysRefreshCache(info->index);
	BlockNumber nblocks = RelationGetNumberOfBlocks(info->index);

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	stats->num_pages = nblocks;
	stats->num_index_tuples = 0;
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		Buffer		buffer = ReadBufferExtended(info->index, MAIN_FORKNUM, block, RBM_NORMAL,
												info->strategy);
		Page		page = BufferGetPage(buffer);

		RECSYS_VACUUM_DELAY_POINT();
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (RecsysPageIsOurs(page) && RecsysPageGetOpaque(page)->kind == RECSYS_PAGE_BUCKET &&
			RecsysPageGetOpaque(page)->side == RECSYS_ITEMS)
		{
			RecsysPageCheck(info->index, buffer, RECSYS_PAGE_BUCKET);
			visit_bucket(info->index, cache, page, stats, callback, callback_state);
		}
		UnlockReleaseBuffer(buffer);
	}
	return stats;
}

IndexBulkDeleteResult *
recsys_graph_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	return stats;
}
