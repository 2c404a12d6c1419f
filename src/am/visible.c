/*
 * visible.c
 *	  A user's interactions as a snapshot sees them.
 *
 * Entries carry heap TIDs.  Most of them point to pages that the visibility map
 * knows as all-visible; only the others are looked up in the heap.
 *
 * The map is asked while the bucket is still locked.  That is what makes it
 * safe: VACUUM marks a page all-visible only after it has removed its dead rows
 * from every index, and to remove them here it needs the bucket's exclusive
 * lock.  So an entry of a dead row that is still in the bucket has a page that
 * is not all-visible yet.  (Index-only scans keep a pin for the same reason.)
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "am/directory.h"
#include "am/owner.h"
#include "am/visible.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

typedef struct VisibilityState
{
	Relation	heap;
	Buffer		vmbuffer;
	bool	   *all_visible;	/* parallel to the entries */
	uint32		size;

	/* one page is usually asked about several times in a row */
	BlockNumber lastblock;
	bool		lastvisible;
} VisibilityState;

static void
init_visibility(VisibilityState *state, Relation heap)
{
	memset(state, 0, sizeof(*state));
	state->heap = heap;
	state->vmbuffer = InvalidBuffer;
	state->lastblock = InvalidBlockNumber;
}

static void
done_visibility(VisibilityState *state)
{
	if (BufferIsValid(state->vmbuffer))
		ReleaseBuffer(state->vmbuffer);
	if (state->all_visible != NULL)
		pfree(state->all_visible);
}

/* Hook of RecsysReadOwner: runs under the bucket's lock. */
static void
ask_visibility_map(RecsysEntryArray *array, void *arg)
{
	VisibilityState *state = arg;

	if (array->count > state->size)
	{
		if (state->all_visible != NULL)
			pfree(state->all_visible);
		state->size = Max(array->count, state->size * 2);
		state->all_visible = MemoryContextAllocHuge(CurrentMemoryContext,
													sizeof(bool) * (Size) state->size);
	}
	state->lastblock = InvalidBlockNumber;
	for (uint32 i = 0; i < array->count; i++)
	{
		BlockNumber block = ItemPointerGetBlockNumber(&array->entries[i].tid);

		if (block != state->lastblock)
		{
			state->lastblock = block;
			state->lastvisible = VM_ALL_VISIBLE(state->heap, block, &state->vmbuffer);
		}
		state->all_visible[i] = state->lastvisible;
	}
}

/* Fetch what the map could not answer for; fills out, which has room for all. */
static int
keep_visible(VisibilityState *state, RecsysEntryArray *array, Snapshot snapshot,
			 RecsysInteraction *out)
{
	struct IndexFetchTableData *fetch = NULL;
	TupleTableSlot *slot = NULL;
	int			count = 0;

	for (uint32 i = 0; i < array->count; i++)
	{
		RecsysEntry *entry = &array->entries[i];

		if (entry->orphan)
			continue;
		if (!state->all_visible[i])
		{
			ItemPointerData tid = entry->tid;
			bool		call_again = false;

			if (fetch == NULL)
			{
				fetch = table_index_fetch_begin(state->heap);
				slot = table_slot_create(state->heap, NULL);
			}
			CHECK_FOR_INTERRUPTS();
			if (!table_index_fetch_tuple(fetch, &tid, snapshot, slot, &call_again, NULL))
				continue;
			ExecClearTuple(slot);
		}
		out[count].item = entry->peer;
		out[count].weight = entry->weight;
		out[count].time = entry->time;
		out[count].position = RecsysTidPosition(&entry->tid);
		count++;
	}
	if (fetch != NULL)
	{
		ExecDropSingleTupleTableSlot(slot);
		table_index_fetch_end(fetch);
	}
	return count;
}

/*
 * An index built over broken HOT chains leads older snapshots to row versions
 * with other keys.  The planner does not use such an index until all of them are
 * gone; here the snapshot at hand is known, so that only it has to be newer.
 */
static void
check_snapshot(Relation index, Snapshot snapshot)
{
	TransactionId builder;

	if (!index->rd_index->indcheckxmin)
		return;
	builder = HeapTupleHeaderGetXmin(index->rd_indextuple->t_data);
	if (TransactionIdIsCurrentTransactionId(builder) ? IsolationUsesXactSnapshot() :
		XidInMVCCSnapshot(builder, snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is newer than the snapshot in use",
						RelationGetRelationName(index)),
				 errhint("Use it in a new transaction.")));
}

int
RecsysReadVisible(Relation heap, Relation index, const RecsysKey *user, Snapshot snapshot,
				  RecsysInteraction **interactions)
{
	RecsysEntryArray array = {0};
	VisibilityState state;
	int			count = 0;

	*interactions = NULL;
	check_snapshot(index, snapshot);
	init_visibility(&state, heap);
	if (RecsysReadOwner(index, RECSYS_USERS, user, &array, NULL, ask_visibility_map, &state) &&
		array.count > 0)
	{
		*interactions = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(RecsysInteraction) * (Size) array.count);
		count = keep_visible(&state, &array, snapshot, *interactions);
	}
	if (array.entries != NULL)
		pfree(array.entries);
	done_visibility(&state);
	return count;
}

void
RecsysScanVisible(Relation heap, Relation index, Snapshot snapshot, RecsysVisibleUser report,
				  void *arg)
{
	uint32		low = 0;
	bool		more = true;
	RecsysEntryArray array = {0};
	VisibilityState state;
	uint32	   *ends = NULL;
	RecsysInteraction *interactions = NULL;
	Size		size = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys user scan",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	check_snapshot(index, snapshot);
	init_visibility(&state, heap);

	/* bucket by bucket along the hash range: splits behind or ahead do no harm */
	while (more)
	{
		RecsysCache *cache = RecsysGetCache(index);
		Buffer		bucket = RecsysFindBucket(index, RECSYS_USERS, low, BUFFER_LOCK_SHARE);
		Page		page = BufferGetPage(bucket);
		OffsetNumber first = RecsysBucketSearch(page, low);
		int			nowners = PageGetMaxOffsetNumber(page) - first + 1;
		uint32		start = 0;

		array.count = 0;
		ends = palloc(sizeof(uint32) * Max(nowners, 1));
		for (int i = 0; i < nowners; i++)
		{
			RecsysOwnerCheck(index, page, first + i, cache->stride[RECSYS_USERS]);
			RecsysCollectEntries(index, cache, RECSYS_USERS, RecsysPageGetOwner(page, first + i),
								 &array);
			ends[i] = array.count;
		}
		ask_visibility_map(&array, &state);
		more = RecsysPageGetOpaque(page)->high < PG_UINT32_MAX;
		low = RecsysPageGetOpaque(page)->high + 1;
		UnlockReleaseBuffer(bucket);

		for (int i = 0; i < nowners; i++)
		{
			RecsysEntryArray part;
			VisibilityState partstate = state;

			CHECK_FOR_INTERRUPTS();
			part.entries = array.entries + start;
			part.count = ends[i] - start;
			partstate.all_visible = state.all_visible + start;
			if (part.count > size)
			{
				size = Max(part.count, size * 2);
				if (interactions != NULL)
					pfree(interactions);
				interactions = MemoryContextAllocHuge(context, sizeof(RecsysInteraction) * size);
			}
			if (part.count > 0)
				report(arg, interactions, keep_visible(&partstate, &part, snapshot, interactions));
			start = ends[i];
		}
		pfree(ends);
	}

	done_visibility(&state);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
