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
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/merge/mark.h"
#include "miscadmin.h"

/* The bucket of a user, exclusively locked, and where his owner tuple is. */
static Buffer
lock_user(Relation index, const RecsysUserView *user, OffsetNumber *off)
{
	RecsysKeyKind kind = RecsysGetCache(index)->meta.user_kind;
	Buffer		bucket = RecsysFindBucket(index, RECSYS_USERS, user->hash, BUFFER_LOCK_EXCLUSIVE);
	RecsysKey	key;

	RecsysKeyLoad(kind, user->key, user->keylen, &key);
	*off = RecsysFindOwner(index, BufferGetPage(bucket), kind, &key, user->hash);
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

		/* the prior's scores are shares of all users */
		meta->prior_state = RECSYS_PRIOR_BEHIND;
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

/* Page by page; false when it was stopped half way. */
static bool
mark_chain(Relation index, RecsysCache *cache, RecsysOwner owner, bool stoppable,
		   RecsysEntryMarker marker, void *arg)
{
	RecsysChain chain;
	Buffer		buffer;

	RecsysChainBegin(&chain, index, RECSYS_USERS, cache->stride[RECSYS_USERS], owner);
	while ((buffer = RecsysChainNext(&chain, BUFFER_LOCK_EXCLUSIVE)) != InvalidBuffer)
	{
		GenericXLogState *state = GenericXLogStart(index);
		Page		page = GenericXLogRegisterBuffer(state, buffer, 0);

		mark_packed(cache, RecsysChainEntries(page), RecsysChainCount(page, chain.stride), marker, arg);
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
		if (stoppable && RecsysIsCancelled())
			return false;
	}
	return true;
}

void
RecsysMarkEntries(Relation index, const RecsysUserView *user, uint16 flags,
				  RecsysEntryMarker marker, void *arg)
{
	RecsysCache *cache = RecsysGetCache(index);
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);
	GenericXLogState *state;
	RecsysOwner owner;

	for (bool stoppable = true; off != InvalidOffsetNumber; stoppable = false)
	{
		RecsysOwnerCheck(index, BufferGetPage(bucket), off, cache->stride[RECSYS_USERS]);
		if (mark_chain(index, cache, RecsysPageGetOwner(BufferGetPage(bucket), off), stoppable, marker, arg))
			break;
		UnlockReleaseBuffer(bucket);
		CHECK_FOR_INTERRUPTS();
		bucket = lock_user(index, user, &off);
	}
	if (off == InvalidOffsetNumber)
	{
		UnlockReleaseBuffer(bucket);
		return;
	}

	state = GenericXLogStart(index);
	owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(state, bucket, 0), off);
	mark_packed(cache, RecsysOwnerEntries(owner), owner->tail, marker, arg);
	owner->flags |= flags;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(bucket);
}
