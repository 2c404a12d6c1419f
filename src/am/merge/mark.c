/*
 * mark.c
 *	  Flags of users and of their entries.
 *
 * Two flags of a user's entries are kept in the spare bits of their TIDs:
 * forgotten entries do not count any more, and their owner has a flag; of users with more
 * items than max_history, the entries tell which of their items were counted last.  The tail comes
 * first, under the bucket's exclusive lock, then the chain's pages, each under its own: so
 * entries that move from the tail to a page meanwhile are marked already (lists/chain.c).
 *
 * Marks are of the rows that the last merge has written.  A merge that writes others and is cut short
 * leaves rows of either kind, and who changes again may be back at what the marks say.  So such
 * users are flagged as unsure first, and their marks are good for nothing until they are set anew.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/merge/mark.h"
#include "am/store/patch.h"
#include "fault.h"
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

void
RecsysSetForgotten(Relation index, const RecsysUserView *user)
{
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);

	if (off != InvalidOffsetNumber &&
		(RecsysPageGetOwner(BufferGetPage(bucket), off)->flags & RECSYS_OWNER_FORGOTTEN) == 0)
	{
		GenericXLogState *state = GenericXLogStart(index);

		RecsysPageGetOwner(GenericXLogRegisterBuffer(state, bucket, 0), off)->flags |= RECSYS_OWNER_FORGOTTEN;
		GenericXLogFinish(state);
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

/* Once all entries are marked they tell the truth. */
static uint16
with_flags(uint16 flags, uint16 more)
{
	flags |= more;
	return (more & RECSYS_OWNER_MARKED) != 0 ? flags & ~RECSYS_OWNER_UNSURE : flags;
}

static void
patch_flags(Relation index, Buffer bucket, OffsetNumber off, uint16 flags)
{
	RecsysOwner owner = RecsysPageGetOwner(BufferGetPage(bucket), off);
	RecsysPatch patch;

	if (owner->flags == flags)
		return;
	patch.dest = (char *) &owner->flags;
	patch.data = &flags;
	patch.length = sizeof(flags);
	RecsysPatchPage(index, bucket, &patch, 1);
}

/* The tail of a user, and his flags, in one step. */
static void
mark_tail(Relation index, RecsysCache *cache, Buffer bucket, OffsetNumber off, uint16 flags,
		  RecsysEntryMarker marker, void *arg)
{
	GenericXLogState *state = GenericXLogStart(index);
	RecsysOwner owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(state, bucket, 0), off);

	mark_packed(cache, RecsysOwnerEntries(owner), owner->tail, marker, arg);
	owner->flags = with_flags(owner->flags, flags);
	GenericXLogFinish(state);
}

/* Page by page.  Only the page at hand is locked. */
static void
mark_chain(Relation index, RecsysCache *cache, RecsysChain *chain, RecsysEntryMarker marker, void *arg)
{
	Buffer		buffer;

	while ((buffer = RecsysChainNext(chain, BUFFER_LOCK_EXCLUSIVE)) != InvalidBuffer)
	{
		GenericXLogState *state = GenericXLogStart(index);
		Page		page = GenericXLogRegisterBuffer(state, buffer, 0);

		mark_packed(cache, RecsysChainEntries(page), RecsysChainCount(page, chain->stride), marker, arg);
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
		RECSYS_FAULT("chain-page-marked");
		CHECK_FOR_INTERRUPTS();
	}
}

void
RecsysMarkEntries(Relation index, const RecsysUserView *user, uint16 flags,
				  RecsysEntryMarker marker, void *arg)
{
	RecsysCache *cache = RecsysGetCache(index);
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);
	RecsysChain chain;
	RecsysOwner owner;
	bool		chained;

	if (off == InvalidOffsetNumber)
	{
		UnlockReleaseBuffer(bucket);
		return;
	}
	RecsysOwnerCheck(index, BufferGetPage(bucket), off, cache->stride[RECSYS_USERS]);
	owner = RecsysPageGetOwner(BufferGetPage(bucket), off);
	chained = BlockNumberIsValid(owner->chain);
	RecsysChainBegin(&chain, index, RECSYS_USERS, cache->stride[RECSYS_USERS], owner);
	RecsysChainLetGo(&chain);

	/* flags that speak of all entries come last */
	mark_tail(index, cache, bucket, off, chained ? 0 : flags, marker, arg);
	UnlockReleaseBuffer(bucket);
	if (!chained)
		return;

	mark_chain(index, cache, &chain, marker, arg);
	bucket = lock_user(index, user, &off);
	if (off != InvalidOffsetNumber)
		patch_flags(index, bucket, off,
					with_flags(RecsysPageGetOwner(BufferGetPage(bucket), off)->flags, flags));
	UnlockReleaseBuffer(bucket);
}

void
RecsysDoubtMarks(Relation index, const RecsysUserView *user)
{
	OffsetNumber off;
	Buffer		bucket = lock_user(index, user, &off);

	if (off != InvalidOffsetNumber)
		patch_flags(index, bucket, off,
					RecsysPageGetOwner(BufferGetPage(bucket), off)->flags | RECSYS_OWNER_UNSURE);
	UnlockReleaseBuffer(bucket);
}
