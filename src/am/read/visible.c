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
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/read/visible.h"
#include "am/store/enlarge.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

/* A look at whether the statement is cancelled comes after so many entries. */
#define LOOK_EVERY 1024

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
static bool
ask_visibility_map(RecsysEntryArray *array, bool stoppable, void *arg)
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
		if (stoppable && i % LOOK_EVERY == 0 && RecsysIsCancelled())
			return false;
	}
	return true;
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

/*
 * A scan of many users.  Entries become interactions as they are unpacked; the few
 * whose page is not all-visible are noted, and looked up once the bucket is
 * unlocked.
 */
struct RecsysVisibleScan
{
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	VisibilityState state;
	int			stride;
	bool		weighted;
	bool		timed;
	bool		sane;			/* all TIDs so far */

	/* of the bucket at hand: all its users' interactions, and where each user's end */
	RecsysInteraction *interactions;
	uint32		count;
	uint32		size;
	uint32	   *ends;
	int			maxends;
	uint32	   *doubtful;		/* interactions to be looked up, ascending */
	uint32		ndoubtful;
	uint32		maxdoubtful;
};

RecsysVisibleScan *
RecsysVisibleScanCreate(Relation heap, Relation index, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys user scan",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysVisibleScan *scan = MemoryContextAllocZero(context, sizeof(RecsysVisibleScan));
	RecsysCache *cache = RecsysGetCache(index);

	check_snapshot(index, snapshot);
	scan->index = index;
	scan->snapshot = snapshot;
	scan->context = context;
	init_visibility(&scan->state, heap);
	scan->stride = cache->stride[RECSYS_USERS];
	scan->weighted = cache->meta.weighted;
	scan->timed = cache->meta.timed;
	scan->sane = true;
	return scan;
}

void
RecsysVisibleScanFree(RecsysVisibleScan *scan)
{
	done_visibility(&scan->state);
	MemoryContextDelete(scan->context);
}

static void
note_doubtful(RecsysVisibleScan *scan)
{
	if (scan->ndoubtful == scan->maxdoubtful)
	{
		scan->maxdoubtful = Max(256, scan->maxdoubtful * 2);
		scan->doubtful = RecsysEnlarge(scan->context, scan->doubtful,
									   sizeof(uint32) * (Size) scan->maxdoubtful);
	}
	scan->doubtful[scan->ndoubtful++] = scan->count;
}

/* Runs under the bucket's lock, as ask_visibility_map does. */
static void
take_run(void *arg, const char *packed, int count)
{
	RecsysVisibleScan *scan = arg;
	VisibilityState *state = &scan->state;

	if ((uint64) scan->count + count > scan->size)
	{
		uint64		needed = (uint64) scan->count + count;

		if (needed > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many interactions with one key")));
		scan->size = Max(1024, Max(needed, Min((uint64) scan->size * 2, PG_INT32_MAX)));
		scan->interactions = RecsysEnlarge(scan->context, scan->interactions,
										   sizeof(RecsysInteraction) * (Size) scan->size);
	}
	for (int i = 0; i < count; i++, packed += scan->stride)
	{
		RecsysInteraction *out = &scan->interactions[scan->count];
		const char *place = packed;
		ItemPointerData tid;
		BlockNumber block;
		bool		forgotten;

		memcpy(&out->item, place, sizeof(uint32));
		memcpy(&tid, place + sizeof(uint32), sizeof(ItemPointerData));
		forgotten = (tid.ip_posid & RECSYS_TID_FORGOTTEN) != 0;
		tid.ip_posid &= ~RECSYS_TID_FLAGS;
		scan->sane &= RecsysTidIsSane(&tid);
		if (forgotten || out->item == RECSYS_NONE)
			continue;
		place += sizeof(uint32) + sizeof(ItemPointerData);
		out->weight = 1.0f;
		out->time = RECSYS_NO_TIME;
		if (scan->weighted)
		{
			memcpy(&out->weight, place, sizeof(float));
			place += sizeof(float);
		}
		if (scan->timed)
			memcpy(&out->time, place, sizeof(int64));
		out->position = RecsysTidPosition(&tid);

		block = ItemPointerGetBlockNumberNoCheck(&tid);
		if (block != state->lastblock)
		{
			/* no look at the map for a block that is none */
			if (!scan->sane)
				RecsysInvalidTid(scan->index);
			state->lastblock = block;
			state->lastvisible = VM_ALL_VISIBLE(state->heap, block, &state->vmbuffer);
		}
		if (!state->lastvisible)
			note_doubtful(scan);
		scan->count++;
	}
	if (!scan->sane)
		RecsysInvalidTid(scan->index);
}

/*
 * Copy the users of a bucket up to a hash; returns how many, *next gets the hash after
 * them.  -1: stopped half way, see RecsysWalkEntries.
 */
static int
try_bucket(RecsysVisibleScan *scan, uint32 low, uint32 high, bool stoppable, uint64 *next)
{
	RecsysCache *cache = RecsysGetCache(scan->index);
	Buffer		bucket = RecsysFindBucket(scan->index, RECSYS_USERS, low, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	int			nowners = 0;

	scan->count = 0;
	scan->ndoubtful = 0;
	scan->state.lastblock = InvalidBlockNumber;
	for (OffsetNumber off = RecsysBucketSearch(page, low); off <= max; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		if (owner->hash > high)
			break;
		RecsysOwnerCheck(scan->index, page, off, scan->stride);
		if (!RecsysWalkEntries(scan->index, cache, RECSYS_USERS, owner, stoppable, take_run, scan))
		{
			UnlockReleaseBuffer(bucket);
			return -1;
		}
		if (nowners == scan->maxends)
		{
			scan->maxends = Max(256, scan->maxends * 2);
			scan->ends = RecsysEnlarge(scan->context, scan->ends,
									   sizeof(uint32) * (Size) scan->maxends);
		}
		scan->ends[nowners++] = scan->count;
	}
	*next = (uint64) RecsysPageGetOpaque(page)->high + 1;
	UnlockReleaseBuffer(bucket);
	return nowners;
}

static int
take_bucket(RecsysVisibleScan *scan, uint32 low, uint32 high, uint64 *next)
{
	int			nowners = try_bucket(scan, low, high, true, next);

	if (nowners < 0)
	{
		CHECK_FOR_INTERRUPTS();
		nowners = try_bucket(scan, low, high, false, next);
	}
	return nowners;
}

/*
 * Leave out of the interactions from first to end what the snapshot does not see;
 * returns how many are left.  *doubt is the first doubtful one that has not been
 * looked up yet.
 */
static uint32
drop_invisible(RecsysVisibleScan *scan, uint32 first, uint32 end, uint32 *doubt)
{
	VisibilityState *state = &scan->state;
	uint32		kept = first;
	uint32		from = first;

	while (*doubt < scan->ndoubtful && scan->doubtful[*doubt] < end)
	{
		uint32		i = scan->doubtful[(*doubt)++];
		uint64		position = scan->interactions[i].position;
		ItemPointerData tid;
		bool		call_again = false;

		CHECK_FOR_INTERRUPTS();
		if (state->fetch == NULL)
		{
			state->fetch = table_index_fetch_begin(state->heap);
			state->slot = table_slot_create(state->heap, NULL);
		}
		ItemPointerSet(&tid, (BlockNumber) (position >> 16), (OffsetNumber) (position & 0xFFFF));
		if (table_index_fetch_tuple(state->fetch, &tid, scan->snapshot, state->slot,
									&call_again, NULL))
		{
			ExecClearTuple(state->slot);
			continue;
		}

		/* everything since the last one that went, and this one goes */
		memmove(scan->interactions + kept, scan->interactions + from,
				sizeof(RecsysInteraction) * (i - from));
		kept += i - from;
		from = i + 1;
	}
	if (from > first)
	{
		memmove(scan->interactions + kept, scan->interactions + from,
				sizeof(RecsysInteraction) * (end - from));
		kept += end - from;
	}
	else
		kept = end;
	return kept - first;
}

void
RecsysVisibleScanRange(RecsysVisibleScan *scan, uint32 low, uint32 high,
					   RecsysVisibleUser report, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	uint64		next = low;

	/* bucket by bucket along the hash range: splits behind or ahead do no harm */
	while (next <= high)
	{
		int			nowners = take_bucket(scan, (uint32) next, high, &next);
		uint32		start = 0;
		uint32		doubt = 0;

		for (int i = 0; i < nowners; i++)
		{
			uint32		end = scan->ends[i];

			if (end > start)
			{
				uint32		count = drop_invisible(scan, start, end, &doubt);

				MemoryContextSwitchTo(old);
				report(arg, scan->interactions + start, (int) count);
				MemoryContextSwitchTo(scan->context);
			}
			start = end;
		}
		/* keep no page pinned: it would keep VACUUM from cleaning it */
		if (scan->ndoubtful > 0)
			table_index_fetch_reset(scan->state.fetch);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
}

void
RecsysScanVisible(Relation heap, Relation index, Snapshot snapshot, RecsysVisibleUser report,
				  void *arg)
{
	RecsysVisibleScan *scan = RecsysVisibleScanCreate(heap, index, snapshot);

	RecsysVisibleScanRange(scan, 0, PG_UINT32_MAX, report, arg);
	RecsysVisibleScanFree(scan);
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

/*
 * Copies what the bucket of low has of the hashes up to high; returns the number of
 * owners, or -1 as try_bucket.  *next gets the hash after those of the bucket.
 */
static int
try_owners(RecsysUserReader *reader, uint32 low, uint32 high, bool stoppable, uint64 *next)
{
	RecsysCache *cache = RecsysGetCache(reader->index);
	Buffer		bucket = RecsysFindBucket(reader->index, RECSYS_USERS, low, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	bool		done = true;
	int			nowners = 0;

	reader->array.count = 0;
	for (OffsetNumber off = RecsysBucketSearch(page, low);
		 done && off <= max && RecsysPageGetOwner(page, off)->hash <= high; off++)
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
		view->hash = owner->hash;
		view->flags = owner->flags;
		view->keylen = Min(owner->keylen, RECSYS_MAX_KEY_LEN);
		memcpy(view->key, owner->key, view->keylen);
		done = RecsysCollectEntries(reader->index, cache, RECSYS_USERS, owner, stoppable,
									&reader->array);
		reader->ends[nowners++] = reader->array.count;
	}
	if (done && nowners > 0)
		done = ask_visibility_map(&reader->array, stoppable, &reader->state);
	*next = (uint64) RecsysPageGetOpaque(page)->high + 1;
	UnlockReleaseBuffer(bucket);
	return done ? nowners : -1;
}

static int
copy_owners(RecsysUserReader *reader, uint32 low, uint32 high, uint64 *next)
{
	int			nowners = try_owners(reader, low, high, true, next);

	if (nowners < 0)
	{
		CHECK_FOR_INTERRUPTS();
		nowners = try_owners(reader, low, high, false, next);
	}
	return nowners;
}

static uint64
read_users(RecsysUserReader *reader, uint32 low, uint32 high, RecsysUserVisitor visit, void *arg)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	uint64		next;
	int			nowners = copy_owners(reader, low, high, &next);
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
	return next;
}

void
RecsysUserReaderRead(RecsysUserReader *reader, uint32 hash, RecsysUserVisitor visit, void *arg)
{
	(void) read_users(reader, hash, hash, visit, arg);
}

uint64
RecsysUserReaderReadBucket(RecsysUserReader *reader, uint32 hash, RecsysUserVisitor visit,
						   void *arg)
{
	return read_users(reader, hash, PG_UINT32_MAX, visit, arg);
}

void
RecsysUserReaderFree(RecsysUserReader *reader)
{
	done_visibility(&reader->state);
	MemoryContextDelete(reader->context);
}
