/*
 * prune.c
 *	  Removing the entries of dead rows from a bucket and the chains of its owners.
 *
 * First the tails of all owners of the bucket are pruned in one atomic step, then their chains,
 * page by page, from the head on.  So no entry escapes that moves from a tail to a
 * page meanwhile (am/lists/chain.c): those that were in the tails have been looked at.
 *
 * An owner whose list is empty is removed on the user side.  On the item side it stays,
 * because it holds the item's number.
 *
 * Each step is preceded by events, which tell merges what has gone.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/lists/pending.h"
#include "am/merge/unsaid.h"
#include "am/write/prune.h"
#include "am/write/prunechain.h"
#include "am/write/wake.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/lmgr.h"

/* Owners of a bucket, of which there is more to do once it is unlocked */
typedef struct PrunedLists
{
	RecsysPrunedList *lists;
	int			count;
} PrunedLists;

/*
 * Does an entry go?  Counts each row once: on the user side, or on the item
 * side when it has no user.
 */
static bool
is_dead(RecsysPruning *state, RecsysSide side, RecsysEntry *entry)
{
	bool		counts;
	bool		dead;

	if (!RecsysTidIsSane(&entry->tid))
		RecsysInvalidTid(state->index);
	counts = side == RECSYS_USERS || entry->orphan || state->no_users;
	dead = state->callback(&entry->tid, state->callback_state);
	if (counts)
	{
		if (dead)
			state->stats->tuples_removed++;
		else
			state->stats->num_index_tuples++;
	}
	return dead;
}

void
RecsysPrunePutEvents(RecsysPruning *state)
{
	if (state->nevents > 0)
	{
		if (state->starved)
			RecsysNoteUnsaid(state->index, state->events, state->nevents);
		else
			(void) RecsysPendingAppend(state->index, state->events, state->nevents);
		RecsysNotePending();
	}
	state->nevents = 0;
}

/* An event for an entry that has an item. */
static void
note_event(RecsysPruning *state, uint32 hash, const RecsysEntry *entry)
{
	if (entry->orphan)
		return;
	if (state->nevents == RECSYS_MAX_PRUNE_EVENTS)
		RecsysPrunePutEvents(state);
	RecsysRemovedEvent(&state->events[state->nevents++], hash, entry);
}

/* An event for an entry of an item, which has no user: both change places. */
static void
note_item_event(RecsysPruning *state, uint32 item, const RecsysEntry *entry)
{
	RecsysEntry named = *entry;

	named.peer = item;
	note_event(state, entry->peer, &named);
}

int
RecsysPruneEntries(RecsysPruning *state, RecsysSide side, const RecsysOwnerData *owner,
				   const char *packed, int count, char *kept)
{
	int			stride = state->stride[side];
	int			left = 0;

	for (int i = 0; i < count; i++)
	{
		const char *place = packed + (Size) i * stride;
		RecsysEntry entry;

		RecsysUnpackEntry(place, side, &state->meta, &entry);
		if (is_dead(state, side, &entry))
		{
			if (side == RECSYS_USERS)
				note_event(state, owner->hash, &entry);
			else if (state->no_users)
				note_item_event(state, owner->number, &entry);
			continue;
		}
		memcpy(kept + (Size) left * stride, place, stride);
		left++;
	}
	return left;
}

static void
note_list(PrunedLists *lists, RecsysPruning *state, Page page, OffsetNumber off)
{
	RecsysOwner owner = RecsysPageGetOwner(page, off);
	Size		size = offsetof(RecsysOwnerData, key) + owner->keylen;
	RecsysPrunedList *list;

	if (lists->lists == NULL)
		lists->lists = palloc(sizeof(RecsysPrunedList) * PageGetMaxOffsetNumber(page));
	list = &lists->lists[lists->count++];
	list->owner = palloc(size);
	memcpy(list->owner, owner, size);
	RecsysChainBegin(&list->chain, state->index, RecsysPageGetOpaque(page)->side,
					 state->stride[RecsysPageGetOpaque(page)->side], owner);
	RecsysChainLetGo(&list->chain);
}

static void
free_lists(PrunedLists *lists)
{
	for (int i = 0; i < lists->count; i++)
		pfree(lists->lists[i].owner);
	if (lists->lists != NULL)
		pfree(lists->lists);
}

/*
 * Removes the owners of a registered bucket page whose lists are empty, and notes that there are
 * fewer users, in the same step.  Returns the meta page if it is part of that.
 */
static Buffer
remove_empty_owners(RecsysPruning *state, GenericXLogState *xlog, Page page, bool *changed)
{
	Buffer		metabuffer = InvalidBuffer;
	uint64		gone = 0;		/* users of the model */

	/* backwards, as removing an owner renumbers those behind it */
	for (OffsetNumber off = PageGetMaxOffsetNumber(page); off >= FirstOffsetNumber; off--)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		if (owner->count > 0)
			continue;
		gone += (owner->flags & RECSYS_OWNER_COUNTED) != 0;
		PageIndexTupleDelete(page, off);
		*changed = true;
	}
	if (gone > 0)
	{
		RecsysMetaData *meta;

		metabuffer = RecsysReadPage(state->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
									RECSYS_PAGE_META);
		meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(xlog, metabuffer, 0));
		meta->users -= gone;

		/* the prior's scores are shares of all users */
		meta->prior_state = RECSYS_PRIOR_BEHIND;
	}
	return metabuffer;
}

/* Prunes the tail of an owner on a registered copy of its page. */
static bool
prune_tail(RecsysPruning *state, RecsysSide side, RecsysOwner owner)
{
	PGAlignedBlock kept;
	int			left = RecsysPruneEntries(state, side, owner, RecsysOwnerEntries(owner), owner->tail, kept.data);

	if (left == owner->tail)
		return false;
	memcpy(RecsysOwnerEntries(owner), kept.data, (Size) left * state->stride[side]);
	owner->count -= owner->tail - left;
	owner->tail = left;
	if (state->starved && side == RECSYS_USERS)
		owner->flags |= RECSYS_OWNER_UNSAID;
	return true;
}

/*
 * Prune the tails of all owners of a bucket, which is exclusively locked, in one atomic step; lists
 * (may be NULL) gets those with chains, which are to be looked at after that.  Without lists it but
 * removes owners that have become empty.
 */
static void
vacuum_tails(RecsysPruning *state, Buffer bucket, PrunedLists *lists)
{
	GenericXLogState *xlog = GenericXLogStart(state->index);
	Page		page = GenericXLogRegisterBuffer(xlog, bucket, 0);
	RecsysSide	side = RecsysPageGetOpaque(page)->side;
	bool		changed = false;
	Buffer		metabuffer = InvalidBuffer;

	for (OffsetNumber off = FirstOffsetNumber;
		 lists != NULL && off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwnerCheck(state->index, page, off, state->stride[side]);
		changed |= prune_tail(state, side, RecsysPageGetOwner(page, off));
		if (RecsysPageGetOwner(page, off)->chain != InvalidBlockNumber)
			note_list(lists, state, page, off);
	}

	/* a merge may come to see the rows gone before they are: no harm done */
	RecsysPrunePutEvents(state);
	if (side == RECSYS_USERS)
		metabuffer = remove_empty_owners(state, xlog, page, &changed);
	if (changed)
		GenericXLogFinish(xlog);
	else
		GenericXLogAbort(xlog);
	if (BufferIsValid(metabuffer))
		UnlockReleaseBuffer(metabuffer);
}

/*
 * Large users
 */

/* The entries of a user, on their way into events */
typedef struct Noting
{
	RecsysPruning *state;
	uint32		hash;
	bool		loses;			/* one of them at least goes */
	bool		note;			/* in a second walk: each gets an event */
} Noting;

static void
note_run(void *arg, const char *packed, int count)
{
	Noting	   *noting = arg;
	RecsysPruning *state = noting->state;

	for (int i = 0; i < count && (noting->note || !noting->loses); i++)
	{
		RecsysEntry entry;

		RecsysUnpackEntry(packed + (Size) i * state->stride[RECSYS_USERS], RECSYS_USERS, &state->meta, &entry);
		if (!RecsysTidIsSane(&entry.tid))
			RecsysInvalidTid(state->index);
		if (noting->note)
			note_event(state, noting->hash, &entry);
		else
			noting->loses = state->callback(&entry.tid, state->callback_state);
	}
}

/* Goes through the entries of a list; nothing is locked. */
static void
walk_list(RecsysPruning *state, Buffer bucket, const RecsysPrunedList *list, Noting *noting)
{
	RecsysChain chain;
	OffsetNumber off;

	LockBuffer(bucket, BUFFER_LOCK_SHARE);
	off = RecsysFindPrunedList(state, bucket, list);
	if (off != InvalidOffsetNumber)
	{
		RecsysWalkNewest(&chain, state->index, RecsysGetCache(state->index), RECSYS_USERS,
						 RecsysPageGetOwner(BufferGetPage(bucket), off), note_run, noting);
		RecsysChainLetGo(&chain);
	}
	LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
	if (off != InvalidOffsetNumber)
		RecsysWalkOlder(&chain, note_run, noting);
}

/*
 * A user has more entries than count, is not marked, and is about to lose some.  Others
 * may count in their place, and afterwards nothing would tell.  So every item of the
 * user gets an event.  Those that a user gets meanwhile have events of their own.
 */
static void
note_large_user(RecsysPruning *state, Buffer bucket, const RecsysPrunedList *list)
{
	Noting		noting = {state, list->owner->hash, false, false};

	walk_list(state, bucket, list, &noting);
	if (noting.loses)
	{
		noting.note = true;
		walk_list(state, bucket, list, &noting);
		RecsysPrunePutEvents(state);
	}
}

/*
 * A look at the bucket before anything is changed: bytes that events about all of its entries would
 * take, and the users of whom more goes than their rows.
 */
static uint64
look_at_bucket(RecsysPruning *state, Buffer bucket, PrunedLists *large)
{
	Page		page = BufferGetPage(bucket);
	uint64		entries = 0;

	LockBuffer(bucket, BUFFER_LOCK_SHARE);
	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysSide	side = RecsysPageGetOpaque(page)->side;
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(state->index, page, off, state->stride[side]);
		if (side == RECSYS_USERS || state->no_users)
			entries += owner->count;
		if (side == RECSYS_USERS && owner->count > (uint32) state->meta.max_history &&
			(owner->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != RECSYS_OWNER_MARKED)
			note_list(large, state, page, off);
	}
	LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
	return entries * sizeof(RecsysEvent);
}

void
RecsysPruneBucket(RecsysPruning *state, Buffer bucket)
{
	PrunedLists large = {0};
	PrunedLists chained = {0};
	bool		gone = false;
	uint64		bytes = look_at_bucket(state, bucket, &large);

	if (bytes > 0 && !state->starved && !RecsysHasRoom(state->index, bytes))
	{
		/* no merges until the end, see unsaid.c */
		LockPage(state->index, RECSYS_META_BLOCK, ExclusiveLock);
		state->starved = true;
	}
	for (int i = 0; i < large.count; i++)
		note_large_user(state, bucket, &large.lists[i]);

	LockBuffer(bucket, BUFFER_LOCK_EXCLUSIVE);
	vacuum_tails(state, bucket, &chained);
	LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
	for (int i = 0; i < chained.count; i++)
		gone |= RecsysPruneChain(state, &chained.lists[i], bucket);
	if (gone)
	{
		LockBuffer(bucket, BUFFER_LOCK_EXCLUSIVE);
		vacuum_tails(state, bucket, NULL);
		LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
	}
	free_lists(&large);
	free_lists(&chained);
	RECSYS_FAULT("vacuum-bucket");
}
