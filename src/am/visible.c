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

	/* heap look-ups, started at the first */
	struct IndexFetchTableData *fetch;
	TupleTableSlot *slot;

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
	if (state->fetch != NULL)
	{
		ExecDropSingleTupleTableSlot(state->slot);
		table_index_fetch_end(state->fetch);
	}
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

/*
 * Fetch what the map could not answer for; fills out, which has room for all.
 * The entries stand at first and after in the array that the map was asked about.
 */
static int
keep_visible(VisibilityState *state, const RecsysEntry *entries, uint32 first, uint32 nentries,
			 Snapshot snapshot, RecsysInteraction *out)
{
	bool		fetched = false;
	int			count = 0;

	for (uint32 i = first; i < first + nentries; i++)
	{
		const RecsysEntry *entry = &entries[i];

		if (entry->orphan || entry->forgotten)
			continue;
		if (!state->all_visible[i])
		{
			ItemPointerData tid = entry->tid;
			bool		call_again = false;

			if (state->fetch == NULL)
			{
				state->fetch = table_index_fetch_begin(state->heap);
				state->slot = table_slot_create(state->heap, NULL);
			}
			fetched = true;
			CHECK_FOR_INTERRUPTS();
			if (!table_index_fetch_tuple(state->fetch, &tid, snapshot, state->slot,
										 &call_again, NULL))
				continue;
			ExecClearTuple(state->slot);
		}
		out[count].item = entry->peer;
		out[count].weight = entry->weight;
		out[count].time = entry->time;
		out[count].position = RecsysTidPosition(&entry->tid);
		count++;
	}
	/* keep no page pinned: it would keep VACUUM from cleaning it */
	if (fetched)
		table_index_fetch_reset(state->fetch);
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
		count = keep_visible(&state, array.entries, 0, array.count, snapshot, *interactions);
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
			uint32		part = ends[i] - start;

			CHECK_FOR_INTERRUPTS();
			if (part > size)
			{
				size = Max(part, size * 2);
				if (interactions != NULL)
					pfree(interactions);
				interactions = MemoryContextAllocHuge(context, sizeof(RecsysInteraction) * size);
			}
			if (part > 0)
				report(arg, interactions, keep_visible(&state, array.entries, start, part,
													   snapshot, interactions));
			start = ends[i];
		}
		pfree(ends);
	}

	done_visibility(&state);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

struct RecsysUserReader
{
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	VisibilityState state;
	RecsysEntryArray array;
	RecsysUserView *views;
	uint32	   *ends;
	int			maxviews;
	RecsysInteraction *interactions;
	uint32		size;
};

RecsysUserReader *
RecsysUserReaderCreate(Relation heap, Relation index, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys user reader",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysUserReader *reader = MemoryContextAllocZero(context, sizeof(RecsysUserReader));

	check_snapshot(index, snapshot);
	reader->index = index;
	reader->snapshot = snapshot;
	reader->context = context;
	init_visibility(&reader->state, heap);
	return reader;
}

/* Copies what the bucket has of the hash; returns the number of owners. */
static int
copy_owners(RecsysUserReader *reader, uint32 hash)
{
	RecsysCache *cache = RecsysGetCache(reader->index);
	Buffer		bucket = RecsysFindBucket(reader->index, RECSYS_USERS, hash, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	int			nowners = 0;

	reader->array.count = 0;
	for (OffsetNumber off = RecsysBucketSearch(page, hash);
		 off <= max && RecsysPageGetOwner(page, off)->hash == hash; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);
		RecsysUserView *view;

		RecsysOwnerCheck(reader->index, page, off, cache->stride[RECSYS_USERS]);
		if (nowners == reader->maxviews)
		{
			reader->maxviews = Max(4, reader->maxviews * 2);
			if (reader->views == NULL)
			{
				reader->views = palloc(sizeof(RecsysUserView) * reader->maxviews);
				reader->ends = palloc(sizeof(uint32) * reader->maxviews);
			}
			else
			{
				reader->views = repalloc(reader->views, sizeof(RecsysUserView) * reader->maxviews);
				reader->ends = repalloc(reader->ends, sizeof(uint32) * reader->maxviews);
			}
		}
		view = &reader->views[nowners];
		view->hash = hash;
		view->flags = owner->flags;
		view->keylen = Min(owner->keylen, RECSYS_MAX_KEY_LEN);
		memcpy(view->key, owner->key, view->keylen);
		RecsysCollectEntries(reader->index, cache, RECSYS_USERS, owner, &reader->array);
		reader->ends[nowners++] = reader->array.count;
	}
	if (nowners > 0)
		ask_visibility_map(&reader->array, &reader->state);
	UnlockReleaseBuffer(bucket);
	return nowners;
}

void
RecsysUserReaderRead(RecsysUserReader *reader, uint32 hash, RecsysUserVisitor visit, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	int			nowners = copy_owners(reader, hash);
	uint32		start = 0;

	for (int i = 0; i < nowners; i++)
	{
		RecsysUserView *view = &reader->views[i];

		view->nentries = reader->ends[i] - start;
		view->entries = reader->array.entries + start;
		if (view->nentries > reader->size)
		{
			reader->size = Max(view->nentries, reader->size * 2);
			if (reader->interactions != NULL)
				pfree(reader->interactions);
			reader->interactions = palloc_extended(sizeof(RecsysInteraction) * (Size) reader->size,
												   MCXT_ALLOC_HUGE);
		}
		view->interactions = reader->interactions;
		view->ninteractions = keep_visible(&reader->state, reader->array.entries, start,
										   view->nentries, reader->snapshot,
										   reader->interactions);
		start = reader->ends[i];
		MemoryContextSwitchTo(old);
		visit(arg, view);
		MemoryContextSwitchTo(reader->context);
	}
	MemoryContextSwitchTo(old);
}

void
RecsysUserReaderFree(RecsysUserReader *reader)
{
	done_visibility(&reader->state);
	MemoryContextDelete(reader->context);
}
