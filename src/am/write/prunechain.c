/*
 * prunechain.c
 *	  Removing the entries of dead rows from the chain of a list.
 *
 * A chain page is looked at under its own lock.  If any of its entries go, the bucket is locked,
 * the owner looked up again, and the page pruned in one atomic step together with the
 * owner's count.  An empty page leaves the chain in the same step and becomes a deleted
 * page (am/store/recycle.c).  Writers to the bucket wait for one such step at most.  If a
 * bucket split has carried the owner away, it is on a page that VACUUM has yet to come to.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/chain.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/recycle.h"
#include "am/write/prunechain.h"
#include "compat.h"
#include "fault.h"
#include "miscadmin.h"

/* A chain page as it was looked at, and which of its entries go */
typedef struct PageLook
{
	int			count;
	int			left;
	PGAlignedBlock entries;
	PGAlignedBlock kept;
} PageLook;

/* How a chain page was left */
typedef enum PageOutcome
{
	PAGE_KEPT,
	PAGE_GONE,					/* empty, out of the chain */
	PAGE_CHANGED,				/* as it was: it is to be looked at again */
	PAGE_MOVED					/* as it was: the owner is no longer on the bucket */
} PageOutcome;

OffsetNumber
RecsysFindPrunedList(RecsysPruning *state, Buffer bucket, const RecsysPrunedList *list)
{
	RecsysKeyKind kind = list->chain.side == RECSYS_USERS ? state->meta.user_kind : state->meta.item_kind;
	Page		page = BufferGetPage(bucket);
	RecsysKey	key;
	OffsetNumber off;

	RecsysPageCheck(state->index, bucket, RECSYS_PAGE_BUCKET);
	RecsysKeyLoad(kind, list->owner->key, list->owner->keylen, &key);
	off = RecsysFindOwner(state->index, page, kind, &key, list->owner->hash);
	if (off != InvalidOffsetNumber)
		RecsysOwnerCheck(state->index, page, off, list->chain.stride);
	return off;
}

/* Looks which entries of a page go, which is locked; notes events for those. */
static void
look_at_page(RecsysPruning *state, const RecsysPrunedList *list, Page page, PageLook *look)
{
	look->count = RecsysChainCount(page, list->chain.stride);
	memcpy(look->entries.data, RecsysChainEntries(page), (Size) look->count * list->chain.stride);
	look->left = RecsysPruneEntries(state, list->chain.side, list->owner, look->entries.data, look->count,
					   look->kept.data);
}

static void
corrupted_link(RecsysPruning *state, BlockNumber block)
{
	RecsysCorruptedDetail(state->index,
						  psprintf("index \"%s\" contains a corrupted list",
								   RecsysIndexName(state->index)),
						  "Nothing leads to block %u any more.", block);
}

/*
 * The chain page that links to a block, exclusively locked, or InvalidBuffer when the owner does.
 * known is the page that has done so, unless the owner has: new pages may be in between.
 */
static Buffer
lock_previous(RecsysPruning *state, const RecsysPrunedList *list, RecsysOwner owner, BlockNumber known,
			  BlockNumber block)
{
	RecsysChain chain;
	Buffer		buffer;

	if (owner->chain == block)
		return InvalidBuffer;
	if (known == block)
		RecsysBadLink(state->index, block);
	if (!BlockNumberIsValid(known))
	{
		RecsysChainBegin(&chain, state->index, list->chain.side, list->chain.stride, owner);
		while (chain.next != block)
		{
			known = chain.next;
			buffer = RecsysChainNext(&chain, BUFFER_LOCK_SHARE);
			if (!BufferIsValid(buffer))
				corrupted_link(state, block);
			UnlockReleaseBuffer(buffer);
		}
	}
	buffer = RecsysReadPage(state->index, known, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHAIN);
	if (RecsysPageGetOpaque(BufferGetPage(buffer))->next != block)
		corrupted_link(state, block);
	return buffer;
}

/* The record of a page that has been pruned, with all that it changes locked */
static void
write_page(RecsysPruning *state, const RecsysPrunedList *list, Buffer bucket, OffsetNumber off,
		   Buffer previous, Buffer buffer, const PageLook *look)
{
	GenericXLogState *xlog = GenericXLogStart(state->index);
	RecsysOwner owner = RecsysPageGetOwner(GenericXLogRegisterBuffer(xlog, bucket, 0), off);
	Page		page;

	owner->count -= look->count - look->left;
	if (state->starved && list->chain.side == RECSYS_USERS)
		owner->flags |= RECSYS_OWNER_UNSAID;
	if (look->left == 0)
	{
		BlockNumber next = RecsysPageGetOpaque(BufferGetPage(buffer))->next;

		if (BufferIsValid(previous))
			RecsysPageGetOpaque(GenericXLogRegisterBuffer(xlog, previous, 0))->next = next;
		else
		{
			owner->chain = next;
			owner->flags |= RECSYS_OWNER_SEALED;
		}
		RecsysPageDelete(GenericXLogRegisterBuffer(xlog, buffer, 0));
	}
	else
	{
		page = GenericXLogRegisterBuffer(xlog, buffer, 0);
		memcpy(RecsysChainEntries(page), look->kept.data, (Size) look->left * list->chain.stride);
		((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + look->left * list->chain.stride;
	}
	GenericXLogFinish(xlog);
}

/*
 * Prunes a chain page as a look at it has found right.  known is the page before it in the chain,
 * if it is not the first; all pages are pinned and not locked.
 */
static PageOutcome
prune_page(RecsysPruning *state, const RecsysPrunedList *list, Buffer bucket, BlockNumber known,
		   Buffer buffer, const PageLook *look)
{
	Page		page = BufferGetPage(buffer);
	Buffer		previous = InvalidBuffer;
	PageOutcome outcome = look->left == 0 ? PAGE_GONE : PAGE_KEPT;
	OffsetNumber off;

	RecsysPrunePutEvents(state);
	LockBuffer(bucket, BUFFER_LOCK_EXCLUSIVE);
	off = RecsysFindPrunedList(state, bucket, list);
	if (off == InvalidOffsetNumber)
	{
		LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
		return PAGE_MOVED;
	}
	if (look->left == 0)
		previous = lock_previous(state, list, RecsysPageGetOwner(BufferGetPage(bucket), off), known,
								 BufferGetBlockNumber(buffer));
	RecsysLockPage(state->index, buffer, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CHAIN);

	/* entries may have come to the first page, and merges set flags */
	if (RecsysChainCount(page, list->chain.stride) != look->count ||
		memcmp(RecsysChainEntries(page), look->entries.data, (Size) look->count * list->chain.stride) != 0)
		outcome = PAGE_CHANGED;
	else
		write_page(state, list, bucket, off, previous, buffer, look);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (BufferIsValid(previous))
		UnlockReleaseBuffer(previous);
	LockBuffer(bucket, BUFFER_LOCK_UNLOCK);
	if (outcome != PAGE_CHANGED)
		RECSYS_FAULT(outcome == PAGE_KEPT ? "vacuum-chain-pruned" : "vacuum-chain-freed");
	return outcome;
}

/* Looks at a page, which is pinned and locked in share mode, and prunes it; leaves it unlocked. */
static PageOutcome
vacuum_page(RecsysPruning *state, const RecsysPrunedList *list, Buffer bucket, BlockNumber known,
			Buffer buffer)
{
	PageOutcome outcome;

	for (;;)
	{
		IndexBulkDeleteResult before = *state->stats;
		PageLook	look;

		look_at_page(state, list, BufferGetPage(buffer), &look);
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		if (look.left == look.count)
			return PAGE_KEPT;
		outcome = prune_page(state, list, bucket, known, buffer, &look);
		if (outcome != PAGE_CHANGED)
			return outcome;
		*state->stats = before;
		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
	}
}

bool
RecsysPruneChain(RecsysPruning *state, RecsysPrunedList *list, Buffer bucket)
{
	BlockNumber known = InvalidBlockNumber;
	PageOutcome outcome = PAGE_KEPT;
	bool		gone = false;
	Buffer		buffer;

	while (outcome != PAGE_MOVED &&
		   BufferIsValid(buffer = RecsysChainNext(&list->chain, BUFFER_LOCK_SHARE)))
	{
		outcome = vacuum_page(state, list, bucket, known, buffer);
		if (outcome == PAGE_KEPT)
			known = BufferGetBlockNumber(buffer);
		else if (outcome == PAGE_GONE)
		{
			gone = true;
			state->stats->pages_newly_deleted++;
		}
		ReleaseBuffer(buffer);
		RECSYS_VACUUM_DELAY_POINT();
	}
	return gone;
}
