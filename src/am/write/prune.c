/*
 * prune.c
 *	  Removing the entries of dead rows from a bucket and the chains of its owners.
 *
 * Each chain page is pruned in one atomic step together with the owner's count.  An
 * empty chain page leaves the chain in the same step and becomes free.  Then the tails
 * of all owners are pruned in one step.  An owner whose list is empty is removed on the
 * user side.  On the item side it stays, because it holds the item's number.
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
#include "am/write/wake.h"
#include "fault.h"
#include "miscadmin.h"

/* A look at whether it is comes after so many entries. */
#define LOOK_EVERY 1024

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

/*
 * Tell merges about the dead entries, before they go: should the server stop in
 * between, the next VACUUM will say it again, and once too often does no harm.
 */
static void
put_events(RecsysPruning *state)
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
		put_events(state);
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

/*
 * Copies the entries of an owner that stay from packed to kept; returns their number.  Each
 * of the others leaves an event.
 */
static int
prune(RecsysPruning *state, RecsysSide side, const RecsysOwnerData *owner, const char *packed,
	  int count, char *kept)
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

/*
 * Prune one chain page.  previous is the chain page that links to it, or
 * InvalidBuffer when the owner does.  Returns true if the page has left the chain.
 */
static bool
vacuum_chain_page(RecsysPruning *state, RecsysSide side, Buffer bucket, OffsetNumber off,
				  Buffer previous, Buffer buffer)
{
	Page		page = BufferGetPage(buffer);
	int			stride = state->stride[side];
	int			count = RecsysChainCount(page, stride);
	BlockNumber next = RecsysPageGetOpaque(page)->next;
	PGAlignedBlock kept;
	int			left = prune(state, side, RecsysPageGetOwner(BufferGetPage(bucket), off),
							 RecsysChainEntries(page), count, kept.data);
	GenericXLogState *xlog;
	RecsysOwner owner;

	if (left == count)
		return false;

	put_events(state);
	xlog = GenericXLogStart(state->index);
	owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(xlog, bucket, 0), off);
	owner->count -= count - left;
	if (state->starved && side == RECSYS_USERS)
		owner->flags |= RECSYS_OWNER_UNSAID;

	if (left > 0)
	{
		page = GenericXLogRegisterBuffer(xlog, buffer, 0);
		memcpy(RecsysChainEntries(page), kept.data, (Size) left * stride);
		((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + left * stride;
	}
	else
	{
		if (BufferIsValid(previous))
			RecsysPageGetOpaque(GenericXLogRegisterBuffer(xlog, previous, 0))->next = next;
		else
			owner->chain = next;
		page = GenericXLogRegisterBuffer(xlog, buffer, GENERIC_XLOG_FULL_IMAGE);
		RecsysPageInit(page, RECSYS_PAGE_FREE, side);
	}
	GenericXLogFinish(xlog);
	RECSYS_FAULT(left > 0 ? "vacuum-chain-pruned" : "vacuum-chain-freed");
	return left == 0;
}

/* False when it was stopped half way, which may be after any page. */
static bool
vacuum_chain(RecsysPruning *state, RecsysSide side, Buffer bucket, OffsetNumber off)
{
	RecsysChain chain;
	Buffer		buffer;
	Buffer		previous = InvalidBuffer;
	bool		stopped = false;

	/* the walk counts pages as they were before they are pruned */
	RecsysChainBegin(&chain, state->index, side, state->stride[side],
					 RecsysPageGetOwner(BufferGetPage(bucket), off));
	while (!stopped && (buffer = RecsysChainNext(&chain, BUFFER_LOCK_EXCLUSIVE)) != InvalidBuffer)
	{
		if (vacuum_chain_page(state, side, bucket, off, previous, buffer))
		{
			BlockNumber block = BufferGetBlockNumber(buffer);

			UnlockReleaseBuffer(buffer);
			RecsysRecordFreePage(state->index, block);
			state->stats->pages_newly_deleted++;
		}
		else
		{
			if (BufferIsValid(previous))
				UnlockReleaseBuffer(previous);
			previous = buffer;
			chain.held = BufferGetBlockNumber(buffer);
		}
		stopped = state->stoppable && RecsysIsCancelled();
	}
	if (BufferIsValid(previous))
		UnlockReleaseBuffer(previous);
	return !stopped;
}

/* Prune the tails of all owners of a bucket in one atomic step. */
static void
vacuum_tails(RecsysPruning *state, RecsysSide side, Buffer bucket)
{
	GenericXLogState *xlog = GenericXLogStart(state->index);
	Page		page = GenericXLogRegisterBuffer(xlog, bucket, 0);
	int			stride = state->stride[side];
	bool		changed = false;
	Buffer		metabuffer = InvalidBuffer;
	uint64		gone = 0;		/* users of the model */
	PGAlignedBlock kept;

	/* backwards, as removing an owner renumbers those behind it */
	for (OffsetNumber off = PageGetMaxOffsetNumber(page); off >= FirstOffsetNumber; off--)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);
		int			left;

		RecsysOwnerCheck(state->index, page, off, stride);
		left = prune(state, side, owner, RecsysOwnerEntries(owner), owner->tail, kept.data);
		if (left < owner->tail)
		{
			memcpy(RecsysOwnerEntries(owner), kept.data, (Size) left * stride);
			owner->count -= owner->tail - left;
			owner->tail = left;
			if (state->starved && side == RECSYS_USERS)
				owner->flags |= RECSYS_OWNER_UNSAID;
			changed = true;
		}
		if (side == RECSYS_USERS && owner->count == 0)
		{
			gone += (owner->flags & RECSYS_OWNER_COUNTED) != 0;
			PageIndexTupleDelete(page, off);
			changed = true;
		}
	}

	/* a merge may come to see the rows gone before they are: no harm done */
	put_events(state);
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
	if (changed)
		GenericXLogFinish(xlog);
	else
		GenericXLogAbort(xlog);
	if (BufferIsValid(metabuffer))
		UnlockReleaseBuffer(metabuffer);
}

/*
 * A user has more entries than count, is not marked, and is about to lose some.  Others
 * may count in their place, and afterwards nothing would tell.  So every item of the
 * user gets an event.  Returns false when it was stopped; then all of it is done again.
 */
static bool
note_large_user(RecsysPruning *state, RecsysOwner owner)
{
	RecsysEntryArray array = {0};
	bool		loses = false;
	bool		done = RecsysCollectEntries(state->index, RecsysGetCache(state->index), RECSYS_USERS,
											owner, state->stoppable, &array);

	for (uint32 i = 0; done && i < array.count && !loses; i++)
	{
		loses = state->callback(&array.entries[i].tid, state->callback_state);
		done = i % LOOK_EVERY != 0 || !(state->stoppable && RecsysIsCancelled());
	}
	for (uint32 i = 0; done && loses && i < array.count; i++)
	{
		note_event(state, owner->hash, &array.entries[i]);
		done = i % LOOK_EVERY != 0 || !(state->stoppable && RecsysIsCancelled());
	}
	if (done)
		put_events(state);
	state->nevents = 0;
	if (array.entries != NULL)
		pfree(array.entries);
	return done;
}

/* Bytes that events about all entries of a bucket would take */
static uint64
most_events(Page page)
{
	uint64		entries = 0;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		entries += RecsysPageGetOwner(page, off)->count;
	return entries * sizeof(RecsysEvent);
}

RecsysPruneOutcome
RecsysPruneBucket(RecsysPruning *state, Buffer bucket)
{
	Page		page = BufferGetPage(bucket);
	RecsysSide	side = RecsysPageGetOpaque(page)->side;

	if ((side == RECSYS_USERS || state->no_users) && !state->starved &&
		!RecsysHasRoom(state->index, most_events(page)))
		return RECSYS_PRUNE_NO_ROOM;

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);

		RecsysOwnerCheck(state->index, page, off, state->stride[side]);
		if (side == RECSYS_USERS && owner->count > (uint32) state->meta.max_history &&
			(owner->flags & RECSYS_OWNER_MARKED) == 0 && !note_large_user(state, owner))
			return RECSYS_PRUNE_STOPPED;
	}

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		if (RecsysPageGetOwner(page, off)->chain != InvalidBlockNumber &&
			!vacuum_chain(state, side, bucket, off))
			return RECSYS_PRUNE_STOPPED;
	vacuum_tails(state, side, bucket);
	RECSYS_FAULT("vacuum-bucket");
	return RECSYS_PRUNE_DONE;
}
