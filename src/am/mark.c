/*
 * mark.c
 *	  Flags of users and of their entries.
 *
 * Two flags of a user's entries are kept in the spare bits of their TIDs:
 * forgotten entries do not count any more; of users with more items than
 * max_history, the entries tell which of their items were counted last.  All of
 * it happens under the bucket's exclusive lock.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/directory.h"
#include "am/mark.h"
#include "miscadmin.h"

/* The bucket of a user, exclusively locked, and where his owner tuple is. */
static Buffer
lock_user(Relation index, const RecsysUserView *user, OffsetNumber *off)
{
	RecsysKeyKind kind = RecsysGetCache(index)->meta.user_kind;
	Buffer		bucket = RecsysFindBucket(index, RECSYS_USERS, user->hash, BUFFER_LOCK_EXCLUSIVE);
	RecsysKey	key;

	RecsysKeyLoad(kind, user->key, user->keylen, &key);
	*off = RecsysFindOwner(BufferGetPage(bucket), kind, &key, user->hash);
	return bucket;
}

void
RecsysSetCounted(Relation index, const RecsysUserView *user, bool counted)
{
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);

	if (off != InvalidOffsetNumber &&
		((RecsysPageGetOwner(BufferGetPage(bucket), off)->flags & RECSYS_OWNER_COUNTED) != 0) != counted)
	{
		Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
												RECSYS_PAGE_META);
		GenericXLogState *state = GenericXLogStart(index);
		RecsysOwner owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(state, bucket, 0), off);
		RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));

		owner->flags ^= RECSYS_OWNER_COUNTED;
		meta->users += counted ? 1 : -1;
		GenericXLogFinish(state);
		UnlockReleaseBuffer(metabuffer);
	}
	UnlockReleaseBuffer(bucket);
}

static void
mark_packed(RecsysCache *cache, char *packed, int count, RecsysEntryMarker marker, void *arg)
{
	for (int i = 0; i < count; i++, packed += cache->stride[RECSYS_USERS])
	{
		RecsysEntry entry;

		RecsysUnpackEntry(packed, RECSYS_USERS, &cache->meta, &entry);
		marker(arg, &entry);
		RecsysPackEntry(packed, RECSYS_USERS, &cache->meta, &entry);
	}
}

void
RecsysMarkEntries(Relation index, const RecsysUserView *user, uint16 flags,
				  RecsysEntryMarker marker, void *arg)
{
	RecsysCache *cache = RecsysGetCache(index);
	int			stride = cache->stride[RECSYS_USERS];
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);
	GenericXLogState *state;
	RecsysOwner owner;
	BlockNumber block;

	if (off == InvalidOffsetNumber)
	{
		UnlockReleaseBuffer(bucket);
		return;
	}
	block = RecsysPageGetOwner(BufferGetPage(bucket), off)->chain;
	while (block != InvalidBlockNumber)
	{
		Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHAIN);
		Page		page;

		state = GenericXLogStart(index);
		page = GenericXLogRegisterBuffer(state, buffer, 0);
		mark_packed(cache, RecsysChainEntries(page), RecsysChainCount(page, stride), marker, arg);
		block = RecsysPageGetOpaque(page)->next;
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
	}

	state = GenericXLogStart(index);
	owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(state, bucket, 0), off);
	mark_packed(cache, RecsysOwnerEntries(owner), owner->tail, marker, arg);
	owner->flags |= flags;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(bucket);
}
