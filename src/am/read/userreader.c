/*
 * userreader.c
 *	  Reads users by hash: their entries as the index has them, and as a snapshot sees
 *	  them.
 *
 * Under a bucket's lock the entries of its users are copied and the visibility map is
 * asked about them (visibility.c), page by page.  Then the bucket is unlocked, and the users are
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
	RecsysVisibilityInit(&reader->state, heap, index);
	return reader;
}

/* A run of entries, and what the visibility map says of them */
static void
take_run(void *arg, const char *packed, int count)
{
	RecsysUserReader *reader = arg;
	uint32		first = reader->array.count;

	RecsysUnpackEntries(reader->index, RECSYS_USERS, packed, count, &reader->array);
	(void) RecsysAskVisibilityMap(&reader->array, first, false, &reader->state);
}

/* Copies of an owner what does not change, and its flags. */
static void
view_owner(RecsysUserReader *reader, int i, const RecsysOwnerData *owner)
{
	RecsysUserView *view;

	if (i == reader->maxviews)
	{
		reader->maxviews = Max(4, reader->maxviews * 2);
		reader->views = RecsysEnlarge(reader->context, reader->views,
									  sizeof(RecsysUserView) * reader->maxviews);
		reader->ends = RecsysEnlarge(reader->context, reader->ends,
									 sizeof(uint32) * reader->maxviews);
	}
	view = &reader->views[i];
	view->hash = owner->hash;
	view->flags = owner->flags;
	view->keylen = Min(owner->keylen, RECSYS_MAX_KEY_LEN);
	memcpy(view->key, owner->key, view->keylen);
}

/*
 * Copies what the bucket of low has of the hashes up to high; returns the number of owners.
 * *next gets the hash to go on with.  An owner with a long list is the last one, and
 * most of it is read without the bucket's lock.
 */
static int
copy_owners(RecsysUserReader *reader, uint32 low, uint32 high, uint64 *next)
{
	Buffer		bucket = RecsysFindBucket(reader->index, RECSYS_USERS, low, BUFFER_LOCK_SHARE);
	RecsysCache *cache = RecsysGetCache(reader->index);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	uint64		locked = 0;
	bool		later = false;
	RecsysChain chain;
	int			nowners = 0;

	reader->array.count = 0;
	*next = (uint64) RecsysPageGetOpaque(page)->high + 1;
	for (OffsetNumber off = RecsysBucketSearch(page, low);
		 !later && off <= max && RecsysPageGetOwner(page, off)->hash <= high; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(reader->index, page, off, cache->stride[RECSYS_USERS]);
		view_owner(reader, nowners, owner);
		RecsysWalkNewest(&chain, reader->index, cache, RECSYS_USERS, owner, take_run, reader);
		later = RecsysReadsRestLater(page, off, &chain, &locked);
		if (later)
		{
			RecsysChainLetGo(&chain);
			*next = (uint64) owner->hash + 1;
		}
		else
			RecsysWalkOlder(&chain, take_run, reader);
		reader->ends[nowners++] = reader->array.count;
	}
	UnlockReleaseBuffer(bucket);
	if (later)
	{
		RecsysWalkOlder(&chain, take_run, reader);
		reader->ends[nowners - 1] = reader->array.count;
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
