/*
 * visible.c
 *	  A user's interactions as a snapshot sees them; those of all users, in a scan.
 *
 * A scan goes through the buckets of the user side in the order of their hashes.
 * Under a bucket's lock it copies the interactions of all users and asks the
 * visibility map about them (visibility.c); of a user with a long list, most of them after
 * that, page by page.  Entries become interactions as they are
 * unpacked; the few whose page is not all-visible are noted, and looked up in the heap
 * once the bucket is unlocked.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/read/visibility.h"
#include "am/read/visible.h"
#include "am/store/enlarge.h"
#include "miscadmin.h"

int
RecsysReadVisible(Relation heap, Relation index, const RecsysKey *user, Snapshot snapshot,
				  RecsysInteraction **interactions)
{
	RecsysEntryArray array = {0};
	RecsysVisibility state;
	int			count = 0;

	*interactions = NULL;
	RecsysCheckSnapshot(index, snapshot);
	RecsysVisibilityInit(&state, heap, index);
	if (RecsysReadOwner(index, RECSYS_USERS, user, &array, NULL, RecsysAskVisibilityMap, &state) &&
		array.count > 0)
	{
		*interactions = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(RecsysInteraction) * (Size) array.count);
		count = RecsysKeepVisible(&state, array.entries, 0, array.count, snapshot, *interactions);
	}
	if (array.entries != NULL)
		pfree(array.entries);
	RecsysVisibilityDone(&state);
	return count;
}

/* Rows that are looked up in the table at once, of however many */
#define SEEN_AT_ONCE 512

struct RecsysVisibleScan
{
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	RecsysVisibility state;
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
	uint32	   *doubtful;		/* interactions to be looked up, and then those not seen; ascending */
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

	RecsysCheckSnapshot(index, snapshot);
	scan->index = index;
	scan->snapshot = snapshot;
	scan->context = context;
	RecsysVisibilityInit(&scan->state, heap, index);
	scan->stride = cache->stride[RECSYS_USERS];
	scan->weighted = cache->meta.weighted;
	scan->timed = cache->meta.timed;
	scan->sane = true;
	return scan;
}

void
RecsysVisibleScanFree(RecsysVisibleScan *scan)
{
	RecsysVisibilityDone(&scan->state);
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

/* Runs while the page is locked that the entries are on, as RecsysAskVisibilityMap does. */
static void
take_run(void *arg, const char *packed, int count)
{
	RecsysVisibleScan *scan = arg;
	RecsysVisibility *state = &scan->state;

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
		out->weight = 1.0;
		out->time = RECSYS_NO_TIME;
		if (scan->weighted)
		{
			memcpy(&out->weight, place, sizeof(double));
			place += sizeof(double);
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
			state->lastvisible = RecsysBlockIsAllVisible(state, block);
		}
		if (!state->lastvisible)
			note_doubtful(scan);
		scan->count++;
	}
	if (!scan->sane)
		RecsysInvalidTid(scan->index);
}

/* The rest of a list that is too long to be read under the bucket's lock */
static void
take_older_run(void *arg, const char *packed, int count)
{
	RecsysVisibleScan *scan = arg;

	/* what the map has said while another page was locked is not good enough */
	scan->state.lastblock = InvalidBlockNumber;
	take_run(arg, packed, count);
}

/*
 * Copy the users of a bucket up to a hash; returns how many, *next gets the hash after them.  A
 * user with a long list is the last one, and most of it is read without the bucket's lock.
 */
static int
take_bucket(RecsysVisibleScan *scan, uint32 low, uint32 high, uint64 *next)
{
	Buffer		bucket = RecsysFindBucket(scan->index, RECSYS_USERS, low, BUFFER_LOCK_SHARE);
	RecsysCache *cache = RecsysGetCache(scan->index);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	uint64		locked = 0;
	bool		later = false;
	RecsysChain chain;
	int			nowners = 0;

	scan->count = 0;
	scan->ndoubtful = 0;
	scan->state.lastblock = InvalidBlockNumber;
	*next = (uint64) RecsysPageGetOpaque(page)->high + 1;
	for (OffsetNumber off = RecsysBucketSearch(page, low); off <= max && !later; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		if (owner->hash > high)
			break;
		RecsysOwnerCheck(scan->index, page, off, scan->stride);
		RecsysWalkNewest(&chain, scan->index, cache, RECSYS_USERS, owner, take_run, scan);
		later = RecsysReadsRestLater(page, off, &chain, &locked);
		if (later)
		{
			RecsysChainLetGo(&chain);
			*next = (uint64) owner->hash + 1;
		}
		else
			RecsysWalkOlder(&chain, take_run, scan);
		if (nowners == scan->maxends)
		{
			scan->maxends = Max(256, scan->maxends * 2);
			scan->ends = RecsysEnlarge(scan->context, scan->ends,
									   sizeof(uint32) * (Size) scan->maxends);
		}
		scan->ends[nowners++] = scan->count;
	}
	UnlockReleaseBuffer(bucket);
	if (later)
	{
		RecsysWalkOlder(&chain, take_older_run, scan);
		scan->ends[nowners - 1] = scan->count;
	}
	return nowners;
}

/* Looks up the doubtful interactions; those that the snapshot sees are so no more. */
static void
look_up(RecsysVisibleScan *scan)
{
	uint32		invisible = 0;

	for (uint32 done = 0, end; done < scan->ndoubtful; done = end)
	{
		uint64		positions[SEEN_AT_ONCE];
		bool		seen[SEEN_AT_ONCE];

		end = Min(scan->ndoubtful, done + SEEN_AT_ONCE);
		for (uint32 x = done; x < end; x++)
			positions[x - done] = scan->interactions[scan->doubtful[x]].position;
		RecsysSeeRows(&scan->state, positions, (int) (end - done), scan->snapshot, seen);
		for (uint32 x = done; x < end; x++)
			if (!seen[x - done])
				scan->doubtful[invisible++] = scan->doubtful[x];
	}
	scan->ndoubtful = invisible;
}

/*
 * Leave out of the interactions from first to end what the snapshot does not see;
 * returns how many are left.  *gone is the first of those that it does not see.
 */
static uint32
drop_invisible(RecsysVisibleScan *scan, uint32 first, uint32 end, uint32 *gone)
{
	uint32		kept = first;
	uint32		from = first;

	while (*gone < scan->ndoubtful && scan->doubtful[*gone] < end)
	{
		uint32		i = scan->doubtful[(*gone)++];

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
		uint32		gone = 0;

		look_up(scan);
		for (int i = 0; i < nowners; i++)
		{
			uint32		end = scan->ends[i];

			if (end > start)
			{
				uint32		count = drop_invisible(scan, start, end, &gone);

				MemoryContextSwitchTo(old);
				report(arg, scan->interactions + start, (int) count);
				MemoryContextSwitchTo(scan->context);
			}
			start = end;
		}
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
