/*
 * owner.c
 *	  Owner tuples: forming, finding and checking them, and reading their lists.
 *
 * A list is its owner tuple's tail plus the chain pages behind it (append.c tells how
 * it grows).
 *
 * The lock on the bucket page covers the owner tuples, their tails and the links to
 * the first pages of their chains.  What is beyond that is read page by page without
 * it, see chain.c.
 */
#include "postgres.h"

#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"
#include "fault.h"
#include "miscadmin.h"

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
					RecsysIndexName(index));
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

bool
RecsysWalkPage(RecsysChain *chain, RecsysEntryRun run, void *arg)
{
	Buffer		buffer = RecsysChainNext(chain, BUFFER_LOCK_SHARE);

	if (!BufferIsValid(buffer))
		return false;
	run(arg, RecsysChainEntries(BufferGetPage(buffer)),
		RecsysChainCount(BufferGetPage(buffer), chain->stride));
	UnlockReleaseBuffer(buffer);
	RECSYS_FAULT("chain-page-read");
	return true;
}

void
RecsysWalkNewest(RecsysChain *chain, Relation index, RecsysCache *cache, RecsysSide side,
				 const RecsysOwnerData *owner, RecsysEntryRun run, void *arg)
{
	RecsysChainBegin(chain, index, side, cache->stride[side], owner);
	run(arg, RecsysOwnerEntries(owner), owner->tail);
	(void) RecsysWalkPage(chain, run, arg);
}

void
RecsysWalkOlder(RecsysChain *chain, RecsysEntryRun run, void *arg)
{
	while (RecsysWalkPage(chain, run, arg))
		CHECK_FOR_INTERRUPTS();
}

bool
RecsysReadsRestLater(Page page, OffsetNumber off, const RecsysChain *chain, uint64 *locked)
{
	if (!BlockNumberIsValid(chain->next))
		return false;
	*locked += chain->claimed - Min(chain->seen, chain->claimed);
	return *locked > RECSYS_LOCKED_ENTRIES &&
		(off == PageGetMaxOffsetNumber(page) ||
		 RecsysPageGetOwner(page, OffsetNumberNext(off))->hash != chain->hash);
}

uint32
RecsysHashOfKey(const RecsysCache *cache, RecsysSide side, const RecsysKey *key,
				RecsysKeyKind *kind)
{
	*kind = side == RECSYS_USERS ? cache->meta.user_kind : cache->meta.item_kind;
	return RECSYS_TREE_HASH(RecsysKeyHash(*kind, key, cache->meta.seed));
}

bool
RecsysLockOwner(Relation index, RecsysSide side, const RecsysKey *key, Buffer *bucket,
				RecsysOwner *owner)
{
	RecsysKeyKind kind;
	uint32		hash = RecsysHashOfKey(RecsysGetCache(index), side, key, &kind);
	OffsetNumber off;

	*bucket = RecsysFindBucket(index, side, hash, BUFFER_LOCK_SHARE);
	off = RecsysFindOwner(index, BufferGetPage(*bucket), kind, key, hash);
	if (off == InvalidOffsetNumber)
	{
		UnlockReleaseBuffer(*bucket);
		return false;
	}
	RecsysOwnerCheck(index, BufferGetPage(*bucket), off, RecsysGetCache(index)->stride[side]);
	*owner = RecsysPageGetOwner(BufferGetPage(*bucket), off);
	return true;
}

/* Entries on their way into an array */
typedef struct Collecting
{
	Relation	index;
	RecsysSide	side;
	RecsysEntryArray *array;
	RecsysEntryHook hook;
	void	   *arg;			/* of the hook */
} Collecting;

static void
collect_run(void *arg, const char *packed, int count)
{
	Collecting *collecting = arg;
	uint32		first = collecting->array->count;

	RecsysUnpackEntries(collecting->index, collecting->side, packed, count, collecting->array);
	if (collecting->hook != NULL && count > 0)
		(void) collecting->hook(collecting->array, first, false, collecting->arg);
}

bool
RecsysReadOwner(Relation index, RecsysSide side, const RecsysKey *key,
				RecsysEntryArray *array, uint32 *number, RecsysEntryHook hook, void *arg)
{
	Collecting	collecting = {index, side, array, hook, arg};
	RecsysChain chain;
	Buffer		bucket;
	RecsysOwner owner;

	if (!RecsysLockOwner(index, side, key, &bucket, &owner))
		return false;
	if (number != NULL)
		*number = owner->number;
	if (array != NULL)
	{
		RecsysWalkNewest(&chain, index, RecsysGetCache(index), side, owner, collect_run, &collecting);
		RecsysChainLetGo(&chain);
	}
	UnlockReleaseBuffer(bucket);
	if (array != NULL)
		RecsysWalkOlder(&chain, collect_run, &collecting);
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
	RecsysChain chain;
	Buffer		bucket;
	RecsysOwner owner;

	if (!RecsysLockOwner(index, RECSYS_ITEMS, item, &bucket, &owner))
		return false;
	RecsysWalkNewest(&chain, index, RecsysGetCache(index), RECSYS_ITEMS, owner, collect_hashes, array);
	RecsysChainLetGo(&chain);
	UnlockReleaseBuffer(bucket);
	RecsysWalkOlder(&chain, collect_hashes, array);
	return true;
}
