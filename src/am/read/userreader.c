/*
 * userreader.c
 *	  Reads users by hash: their entries as the index has them, and as a snapshot sees
 *	  them.
 *
 * Under a bucket's lock the entries of its users are copied and the visibility map is
 * asked about them (visibility.c).  Then the bucket is unlocked, and the users are
 * visited one by one, with the rest looked up in the heap.
 */
#include "postgres.h"

#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/read/userreader.h"
#include "am/read/visibility.h"
#include "am/store/enlarge.h"
#include "miscadmin.h"
#include "utils/memutils.h"

struct RecsysUserReader
{
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	RecsysVisibility state;
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

	RecsysCheckSnapshot(index, snapshot);
	reader->index = index;
	reader->snapshot = snapshot;
	reader->context = context;
	RecsysVisibilityInit(&reader->state, heap);
	return reader;
}

/*
 * Copies what the bucket of low has of the hashes up to high; returns the number of
 * owners, or -1 when it was stopped half way, see RecsysWalkEntries.  *next gets the
 * hash after those of the bucket.
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
			reader->views = RecsysEnlarge(reader->context, reader->views,
										  sizeof(RecsysUserView) * reader->maxviews);
			reader->ends = RecsysEnlarge(reader->context, reader->ends,
										 sizeof(uint32) * reader->maxviews);
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
		done = RecsysAskVisibilityMap(&reader->array, 0, stoppable, &reader->state);
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
		view->ninteractions = RecsysKeepVisible(&reader->state, reader->array.entries, start,
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
	RecsysVisibilityDone(&reader->state);
	MemoryContextDelete(reader->context);
}
