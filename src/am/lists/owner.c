/*
 * owner.c
 *	  Owner tuples and their entry lists: reading, appending, pruning.
 *
 * A list is its owner tuple's tail plus the chain pages behind it.  New entries
 * go to the tail, which has some slack so that most inserts change ten-odd
 * bytes of one page.  When the tuple would outgrow RECSYS_MAX_OWNER_SIZE its
 * whole tail moves to the newest chain page, or to a new one in front of it.
 *
 * The lock on the bucket page covers everything that its owners own: chain
 * pages are read with the bucket locked in share mode at least, and written,
 * linked and freed with the bucket locked exclusively.  A reader therefore
 * never meets a chain page that has changed hands.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "am/store/enlarge.h"
#include "am/store/patch.h"
#include "fault.h"
#include "miscadmin.h"

void
RecsysPackEntry(char *dest, RecsysSide side, const RecsysMetaData *meta, const RecsysEntry *entry)
{
	ItemPointerData tid = entry->tid;

	if (side == RECSYS_ITEMS && entry->orphan)
		tid.ip_posid |= RECSYS_TID_NO_USER;
	if (side == RECSYS_USERS && entry->forgotten)
		tid.ip_posid |= RECSYS_TID_FORGOTTEN;
	if (side == RECSYS_USERS && entry->counted)
		tid.ip_posid |= RECSYS_TID_COUNTED;

	memcpy(dest, &entry->peer, sizeof(uint32));
	dest += sizeof(uint32);
	memcpy(dest, &tid, sizeof(ItemPointerData));
	dest += sizeof(ItemPointerData);

	if (side == RECSYS_USERS && meta->weighted)
	{
		memcpy(dest, &entry->weight, sizeof(float));
		dest += sizeof(float);
	}
	if (side == RECSYS_USERS && meta->timed)
		memcpy(dest, &entry->time, sizeof(int64));
}

void
RecsysUnpackEntry(const char *src, RecsysSide side, const RecsysMetaData *meta, RecsysEntry *entry)
{
	OffsetNumber flags;

	memcpy(&entry->peer, src, sizeof(uint32));
	src += sizeof(uint32);
	memcpy(&entry->tid, src, sizeof(ItemPointerData));
	src += sizeof(ItemPointerData);
	entry->weight = 1.0f;
	entry->time = RECSYS_NO_TIME;
	flags = entry->tid.ip_posid & RECSYS_TID_FLAGS;
	entry->tid.ip_posid &= ~RECSYS_TID_FLAGS;
	entry->forgotten = false;
	entry->counted = false;

	if (side == RECSYS_ITEMS)
	{
		entry->orphan = (flags & RECSYS_TID_NO_USER) != 0;
		return;
	}

	entry->orphan = entry->peer == RECSYS_NONE;
	entry->forgotten = (flags & RECSYS_TID_FORGOTTEN) != 0;
	entry->counted = (flags & RECSYS_TID_COUNTED) != 0;
	if (meta->weighted)
	{
		memcpy(&entry->weight, src, sizeof(float));
		src += sizeof(float);
	}
	if (meta->timed)
		memcpy(&entry->time, src, sizeof(int64));
}

RecsysOwner
RecsysFormOwner(RecsysKeyKind kind, const RecsysKey *key, uint32 hash, uint32 number,
				int room, int stride, Size *size)
{
	RecsysOwner owner;

	*size = RECSYS_OWNER_SIZE(key->len, room, stride);
	owner = palloc0(*size);
	owner->hash = hash;
	owner->number = number;
	owner->chain = InvalidBlockNumber;
	owner->room = room;
	owner->keylen = key->len;
	RecsysKeyStore(kind, key, owner->key);
	return owner;
}

/* Is the key of a length that it can have, and inside the tuple? */
static bool
key_is_sane(Page page, OffsetNumber off, RecsysKeyKind kind)
{
	RecsysOwner owner = RecsysPageGetOwner(page, off);

	return RecsysKeyLengthIsSane(kind, owner->keylen) &&
		offsetof(RecsysOwnerData, key) + owner->keylen <= ItemIdGetLength(PageGetItemId(page, off));
}

static void
corrupted_owner(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" contains a corrupted owner tuple",
					RelationGetRelationName(index));
}

OffsetNumber
RecsysFindOwner(Relation index, Page page, RecsysKeyKind kind, const RecsysKey *key, uint32 hash)
{
	OffsetNumber max = PageGetMaxOffsetNumber(page);

	for (OffsetNumber off = RecsysBucketSearch(page, hash); off <= max; off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		if (owner->hash != hash)
			break;
		if (!key_is_sane(page, off, kind))
			corrupted_owner(index);
		if (RecsysKeyEqualsStored(kind, key, owner->key, owner->keylen))
			return off;
	}
	return InvalidOffsetNumber;
}

void
RecsysOwnerCheck(Relation index, Page page, OffsetNumber off, int stride)
{
	RecsysOwner owner = RecsysPageGetOwner(page, off);
	Size		length = ItemIdGetLength(PageGetItemId(page, off));
	RecsysMetaData *meta = &RecsysGetCache(index)->meta;

	if (!key_is_sane(page, off, RecsysPageGetOpaque(page)->side == RECSYS_USERS ?
					 meta->user_kind : meta->item_kind) ||
		owner->tail > owner->room ||
		owner->tail > owner->count ||
		RECSYS_OWNER_SIZE(owner->keylen, owner->room, stride) > length)
		corrupted_owner(index);
}

static void
reserve(RecsysEntryArray *array, uint64 more)
{
	uint64		needed = array->count + more;

	if (needed <= array->size)
		return;
	if (needed > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many interactions with one key")));
	array->size = Max(64, Max(needed, Min((uint64) array->size * 2, PG_INT32_MAX)));
	array->entries = RecsysEnlarge(CurrentMemoryContext, array->entries,
								   sizeof(RecsysEntry) * (Size) array->size);
}

void
RecsysInvalidTid(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" contains an invalid TID", RelationGetRelationName(index));
}

static void
collect(Relation index, RecsysCache *cache, RecsysSide side, const char *packed, int count,
		RecsysEntryArray *array)
{
	int			stride = cache->stride[side];
	bool		sane = true;

	reserve(array, count);
	for (int i = 0; i < count; i++)
	{
		RecsysEntry *entry = &array->entries[array->count++];

		RecsysUnpackEntry(packed + (Size) i * stride, side, &cache->meta, entry);
		sane &= RecsysTidIsSane(&entry->tid);
	}
	if (!sane)
		RecsysInvalidTid(index);
}

bool
RecsysWalkEntries(Relation index, RecsysCache *cache, RecsysSide side, RecsysOwner owner,
				  bool stoppable, RecsysEntryRun run, void *arg)
{
	RecsysChain chain;
	Buffer		buffer;

	RecsysChainBegin(&chain, index, side, cache->stride[side], owner);
	run(arg, RecsysOwnerEntries(owner), owner->tail);
	while ((buffer = RecsysChainNext(&chain, BUFFER_LOCK_SHARE)) != InvalidBuffer)
	{
		Page		page = BufferGetPage(buffer);

		run(arg, RecsysChainEntries(page), RecsysChainCount(page, chain.stride));
		UnlockReleaseBuffer(buffer);
		RECSYS_FAULT("chain-page-read");
		if (stoppable && RecsysIsCancelled())
			return false;

		/* of use to those who walk a copy of the bucket, without its lock */
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

typedef struct Collecting
{
	Relation	index;
	RecsysCache *cache;
	RecsysSide	side;
	RecsysEntryArray *array;
} Collecting;

static void
collect_run(void *arg, const char *packed, int count)
{
	Collecting *collecting = arg;

	collect(collecting->index, collecting->cache, collecting->side, packed, count,
			collecting->array);
}

bool
RecsysCollectEntries(Relation index, RecsysCache *cache, RecsysSide side,
					 RecsysOwner owner, bool stoppable, RecsysEntryArray *array)
{
	Collecting	collecting = {index, cache, side, array};

	return RecsysWalkEntries(index, cache, side, owner, stoppable, collect_run, &collecting);
}

static uint64
hash_key(RecsysCache *cache, RecsysSide side, const RecsysKey *key, RecsysKeyKind *kind)
{
	*kind = side == RECSYS_USERS ? cache->meta.user_kind : cache->meta.item_kind;
	return RecsysKeyHash(*kind, key, cache->meta.seed);
}

/* The owner of key on its locked bucket, checked; false when there is none. */
static bool
find_owner(Relation index, RecsysSide side, const RecsysKey *key, Buffer *bucket, RecsysOwner *owner)
{
	RecsysCache *cache = RecsysGetCache(index);
	RecsysKeyKind kind;
	uint32		hash = RECSYS_TREE_HASH(hash_key(cache, side, key, &kind));
	OffsetNumber off;

	*bucket = RecsysFindBucket(index, side, hash, BUFFER_LOCK_SHARE);
	off = RecsysFindOwner(index, BufferGetPage(*bucket), kind, key, hash);
	if (off == InvalidOffsetNumber)
	{
		UnlockReleaseBuffer(*bucket);
		return false;
	}
	RecsysOwnerCheck(index, BufferGetPage(*bucket), off, cache->stride[side]);
	*owner = RecsysPageGetOwner(BufferGetPage(*bucket), off);
	return true;
}

bool
RecsysReadOwner(Relation index, RecsysSide side, const RecsysKey *key,
				RecsysEntryArray *array, uint32 *number, RecsysEntryHook hook, void *arg)
{
	uint32		before = array != NULL ? array->count : 0;
	bool		stoppable = true;
	bool		done = false;

	while (!done)
	{
		Buffer		bucket;
		RecsysOwner owner;

		if (!find_owner(index, side, key, &bucket, &owner))
			return false;
		if (number != NULL)
			*number = owner->number;
		done = array == NULL ||
			RecsysCollectEntries(index, RecsysGetCache(index), side, owner, stoppable, array);
		if (done && hook != NULL)
			done = hook(array, stoppable, arg);
		UnlockReleaseBuffer(bucket);
		if (!done)
		{
			CHECK_FOR_INTERRUPTS();
			stoppable = false;
			array->count = before;
		}
	}
	return true;
}

uint64
RecsysCountEntries(Relation index, RecsysSide side, uint32 hash)
{
	Buffer		bucket = RecsysFindBucket(index, side, hash, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(bucket);
	OffsetNumber max = PageGetMaxOffsetNumber(page);
	uint64		count = 0;

	for (OffsetNumber off = RecsysBucketSearch(page, hash);
		 off <= max && RecsysPageGetOwner(page, off)->hash == hash; off++)
		count += RecsysPageGetOwner(page, off)->count;
	UnlockReleaseBuffer(bucket);
	return count;
}

/* The peers among packed entries of the item side */
static void
collect_hashes(void *arg, const char *packed, int count)
{
	RecsysHashArray *array = arg;
	const int	stride = sizeof(uint32) + sizeof(ItemPointerData);

	if (array->count + count > array->size)
	{
		array->size = Max(1024, Max(array->count + count, array->size * 2));
		array->hashes = RecsysEnlarge(CurrentMemoryContext, array->hashes,
									  sizeof(uint32) * array->size);
	}
	for (int i = 0; i < count; i++, packed += stride)
	{
		ItemPointerData tid;

		memcpy(&tid, packed + sizeof(uint32), sizeof(tid));
		if ((tid.ip_posid & RECSYS_TID_NO_USER) == 0)
			memcpy(&array->hashes[array->count++], packed, sizeof(uint32));
	}
}

bool
RecsysReadPostings(Relation index, const RecsysKey *item, RecsysHashArray *array)
{
	uint64		before = array->count;
	bool		stoppable = true;
	bool		done = false;

	while (!done)
	{
		Buffer		bucket;
		RecsysOwner owner;

		if (!find_owner(index, RECSYS_ITEMS, item, &bucket, &owner))
			return false;
		done = RecsysWalkEntries(index, RecsysGetCache(index), RECSYS_ITEMS, owner, stoppable,
								 collect_hashes, array);
		UnlockReleaseBuffer(bucket);
		if (!done)
		{
			CHECK_FOR_INTERRUPTS();
			stoppable = false;
			array->count = before;
		}
	}
	return true;
}

/* A copy of the owner with another room; its tail is kept as far as it fits. */
static RecsysOwner
resize_owner(RecsysOwner owner, int room, int stride, Size *size)
{
	RecsysOwner copy;

	*size = RECSYS_OWNER_SIZE(owner->keylen, room, stride);
	copy = palloc0(*size);
	memcpy(copy, owner, offsetof(RecsysOwnerData, key) + owner->keylen +
		   (Size) Min(owner->tail, room) * stride);
	copy->room = room;
	copy->tail = Min(owner->tail, room);
	return copy;
}

static void
replace_owner(Relation index, Page page, OffsetNumber off, RecsysOwner owner, Size size)
{
	if (!PageIndexTupleOverwrite(page, off, (Item) owner, size))
		elog(ERROR, "failed to replace an owner tuple of index \"%s\"",
			 RelationGetRelationName(index));
}

/*
 * Move the tail of an owner to its chain, leaving room for some new entries.
 * One atomic step over the bucket and one chain page.
 */
static void
move_tail_to_chain(Relation index, RecsysSide side, int stride, Buffer bucket, OffsetNumber off)
{
	RecsysOwner owner = RecsysPageGetOwner(BufferGetPage(bucket), off);
	Size		bytes = (Size) owner->tail * stride;
	Buffer		chain = InvalidBuffer;
	bool		fresh = false;
	GenericXLogState *state;
	Page		bucketpage;
	Page		chainpage;
	RecsysOwner copy;
	Size		size;

	if (owner->chain != InvalidBlockNumber)
	{
		RecsysChain walk;

		RecsysChainBegin(&walk, index, side, stride, owner);
		chain = RecsysChainNext(&walk, BUFFER_LOCK_EXCLUSIVE);
		if (RecsysChainCount(BufferGetPage(chain), stride) + owner->tail > RecsysChainRoom(stride))
		{
			UnlockReleaseBuffer(chain);
			chain = InvalidBuffer;
		}
	}
	if (chain == InvalidBuffer)
	{
		chain = RecsysNewPage(index, true);
		fresh = true;
		RECSYS_FAULT("chain-page-added");
	}

	state = GenericXLogStart(index);
	bucketpage = GenericXLogRegisterBuffer(state, bucket, 0);
	chainpage = GenericXLogRegisterBuffer(state, chain, fresh ? GENERIC_XLOG_FULL_IMAGE : 0);
	owner = RecsysPageGetOwner(bucketpage, off);

	if (fresh)
	{
		RecsysPageInit(chainpage, RECSYS_PAGE_CHAIN, side);
		RecsysPageGetOpaque(chainpage)->low = owner->hash;
		RecsysPageGetOpaque(chainpage)->high = owner->hash;
		RecsysPageGetOpaque(chainpage)->next = owner->chain;
		owner->chain = BufferGetBlockNumber(chain);
	}
	memcpy((char *) chainpage + ((PageHeader) chainpage)->pd_lower,
		   RecsysOwnerEntries(owner), bytes);
	((PageHeader) chainpage)->pd_lower += bytes;

	owner->tail = 0;
	copy = resize_owner(owner, Min(owner->room, 8), stride, &size);
	replace_owner(index, bucketpage, off, copy, size);
	GenericXLogFinish(state);
	RECSYS_FAULT("tail-moved");

	UnlockReleaseBuffer(chain);
	pfree(copy);
}

/*
 * Free space on a bucket whose owners all share one hash: move the longest tail
 * away.  With a seeded 32-bit hash three or more such users are rare already.
 */
static void
shrink_bucket(Relation index, RecsysSide side, int stride, Buffer bucket)
{
	Page		page = BufferGetPage(bucket);
	OffsetNumber longest = InvalidOffsetNumber;
	int			tail = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(index, page, off, stride);
		if (owner->tail > tail && owner->room > 8)
		{
			longest = off;
			tail = owner->tail;
		}
	}
	if (longest == InvalidOffsetNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys of recsys index \"%s\" have the same hash",
						RelationGetRelationName(index)),
				 errhint("REINDEX the index: it will use another hash seed.")));
	move_tail_to_chain(index, side, stride, bucket, longest);
}

Buffer
RecsysMakeRoom(Relation index, RecsysSide side, Buffer bucket, uint32 hash, Size needed)
{
	int			stride = RecsysGetCache(index)->stride[side];

	while (PageGetExactFreeSpace(BufferGetPage(bucket)) < MAXALIGN(needed) + sizeof(ItemIdData))
	{
		Buffer		half = RecsysSplitBucket(index, side, bucket, hash);

		if (half == InvalidBuffer)
			shrink_bucket(index, side, stride, bucket);
		else
			bucket = half;
	}
	return bucket;
}

static void
add_owner_with_entry(Relation index, RecsysSide side, RecsysCache *cache, RecsysKeyKind kind,
					 const RecsysKey *key, uint32 hash, const RecsysEntry *entry, Buffer bucket)
{
	int			stride = cache->stride[side];
	GenericXLogState *state;
	RecsysOwner owner;
	Size		size;
	Page		page;

	owner = RecsysFormOwner(kind, key, hash, 0, 2, stride, &size);
	owner->count = owner->tail = 1;
	RecsysPackEntry(RecsysOwnerEntries(owner), side, &cache->meta, entry);

	bucket = RecsysMakeRoom(index, side, bucket, hash, size);
	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, bucket, 0);
	if (PageAddItem(page, (Item) owner, size, RecsysBucketSearch(page, hash),
					false, false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"",
			 RelationGetRelationName(index));
	GenericXLogFinish(state);
	UnlockReleaseBuffer(bucket);
	pfree(owner);
}

/* Room for more entries in the tuple; 0 when it has reached its largest size. */
static int
grown_room(RecsysOwner owner, int stride)
{
	int			most = (RECSYS_MAX_OWNER_SIZE - offsetof(RecsysOwnerData, key) - owner->keylen) / stride;
	int			room = owner->room + Max(2, owner->room / 4);

	if (owner->room >= most)
		return 0;
	return Min(room, most);
}

/* The common case: the tuple has room, and two counters and one entry change. */
static void
append_in_place(Relation index, RecsysSide side, RecsysCache *cache, Buffer bucket,
				RecsysOwner owner, const RecsysEntry *entry)
{
	int			stride = cache->stride[side];
	char		packed[RECSYS_MAX_STRIDE];
	uint32		count = owner->count + 1;
	uint16		tail = owner->tail + 1;
	RecsysPatch patches[3];

	RecsysPackEntry(packed, side, &cache->meta, entry);
	patches[0].dest = (char *) &owner->count;
	patches[0].data = &count;
	patches[0].length = sizeof(count);
	patches[1].dest = (char *) &owner->tail;
	patches[1].data = &tail;
	patches[1].length = sizeof(tail);
	patches[2].dest = RecsysOwnerEntries(owner) + (Size) owner->tail * stride;
	patches[2].data = packed;
	patches[2].length = stride;
	RecsysPatchPage(index, bucket, patches, lengthof(patches));
}

bool
RecsysAppendEntry(Relation index, RecsysSide side, const RecsysKey *key, const RecsysEntry *entry,
				  uint32 *number)
{
	RecsysCache *cache = RecsysGetCache(index);
	int			stride = cache->stride[side];
	RecsysKeyKind kind;
	uint32		hash = RECSYS_TREE_HASH(hash_key(cache, side, key, &kind));
	Buffer		bucket = RecsysFindBucket(index, side, hash, BUFFER_LOCK_EXCLUSIVE);

	for (;;)
	{
		Page		page = BufferGetPage(bucket);
		OffsetNumber off = RecsysFindOwner(index, page, kind, key, hash);
		RecsysOwner owner;
		GenericXLogState *state;
		RecsysOwner copy = NULL;
		Size		size = 0;

		if (off == InvalidOffsetNumber)
		{
			if (side == RECSYS_ITEMS)
			{
				UnlockReleaseBuffer(bucket);
				return false;
			}
			add_owner_with_entry(index, side, cache, kind, key, hash, entry, bucket);
			return true;
		}

		RecsysOwnerCheck(index, page, off, stride);
		owner = RecsysPageGetOwner(page, off);
		if (owner->count == PG_UINT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many interactions with one key")));

		if (owner->tail == owner->room)
		{
			int			room = grown_room(owner, stride);

			if (room == 0)
			{
				move_tail_to_chain(index, side, stride, bucket, off);
				continue;
			}
			copy = resize_owner(owner, room, stride, &size);
			if (PageGetExactFreeSpace(page) + MAXALIGN(ItemIdGetLength(PageGetItemId(page, off))) <
				MAXALIGN(size))
			{
				/* the owner may be in either half afterwards, or shrunk */
				pfree(copy);
				bucket = RecsysMakeRoom(index, side, bucket, hash, size);
				continue;
			}
		}

		if (number != NULL)
			*number = owner->number;
		if (copy == NULL)
			append_in_place(index, side, cache, bucket, owner, entry);
		else
		{
			RecsysPackEntry(RecsysOwnerEntries(copy) + (Size) copy->tail * stride,
							side, &cache->meta, entry);
			copy->tail++;
			copy->count++;
			state = GenericXLogStart(index);
			replace_owner(index, GenericXLogRegisterBuffer(state, bucket, 0), off, copy, size);
			GenericXLogFinish(state);
			pfree(copy);
		}
		UnlockReleaseBuffer(bucket);
		return true;
	}
}
