/*
 * pendingwalk.c
 *	  Reading the pending lists beside a process that merges.
 *
 * A merge takes pages out of a list, for which it locks the page before as well, or the meta
 * page.  So a walk that has a page locked until it has the next one cannot be led to
 * a page that has gone.  The first pages are looked for in the meta page once they are locked.
 */
#include "postgres.h"

#include "am/lists/chain.h"
#include "am/lists/pendingwalk.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "miscadmin.h"

/* Times that the first page of a list may have gone when it is locked. */
#define HEAD_ATTEMPTS 1000

/* A look at whether the statement is cancelled comes after so many pages. */
#define LOOK_EVERY 256

static bool
is_page_of_list(Page page, int list)
{
	return RecsysPageIsOurs(page) && RecsysPageGetOpaque(page)->kind == RECSYS_PAGE_PENDING &&
		RecsysPageGetOpaque(page)->low == (uint32) list &&
		(((PageHeader) page)->pd_lower - MAXALIGN(SizeOfPageHeaderData)) % sizeof(RecsysEvent) == 0;
}

static void
bad_list(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" has a corrupted pending list",
					RecsysIndexName(index));
}

/* Where the lists begin now; tells whether that is where they were known to. */
static bool
read_heads(Relation index, BlockNumber *heads)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	const BlockNumber *now = RecsysPageGetMeta(BufferGetPage(buffer))->pending_head;
	bool		same = memcmp(heads, now, sizeof(BlockNumber) * RECSYS_PENDING_LISTS) == 0;

	memcpy(heads, now, sizeof(BlockNumber) * RECSYS_PENDING_LISTS);
	UnlockReleaseBuffer(buffer);
	return same;
}

/* A page of a list, share-locked; InvalidBuffer if the block is none. */
static Buffer
lock_page(Relation index, int list, BlockNumber block)
{
	Buffer		buffer = RecsysPinBlock(index, block);

	if (RecsysPeekKind(buffer) == RECSYS_PAGE_PENDING)
	{
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (is_page_of_list(BufferGetPage(buffer), list))
			return buffer;
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(buffer);
	return InvalidBuffer;
}

/*
 * The first pages of all lists, share-locked: no process has pages of two lists locked otherwise
 * than in their order.  heads are where they were known to be, and are brought up to date.
 */
static void
lock_heads(Relation index, BlockNumber *heads, Buffer *buffers)
{
	for (int attempt = 0; attempt < HEAD_ATTEMPTS; attempt++)
	{
		bool		sound = true;

		for (int list = 0; list < RECSYS_PENDING_LISTS; list++)
		{
			buffers[list] = lock_page(index, list, heads[list]);
			sound &= BufferIsValid(buffers[list]);
		}
		if (read_heads(index, heads) && sound)
			return;
		for (int list = 0; list < RECSYS_PENDING_LISTS; list++)
			if (BufferIsValid(buffers[list]))
				UnlockReleaseBuffer(buffers[list]);
		CHECK_FOR_INTERRUPTS();
	}
	bad_list(index);
}

/*
 * A list from its first page on, which comes locked.  False when it has stopped half way because
 * the statement is cancelled, which it does only if stoppable.
 */
static bool
walk_list(Relation index, int list, Buffer buffer, bool stoppable, RecsysEventVisitor visit,
		  void *arg)
{
	BlockNumber nblocks = 0;

	for (BlockNumber pages = 1;; pages++)
	{
		Page		page = BufferGetPage(buffer);
		BlockNumber next = RecsysPageGetOpaque(page)->next;
		Buffer		following;

		visit(arg, RecsysPageEvents(page), Min(RecsysPageEventCount(page), RECSYS_PAGE_EVENTS));
		if (!BlockNumberIsValid(next))
			break;

		/* the list may have grown since */
		if (pages > nblocks && pages > (nblocks = RelationGetNumberOfBlocks(index)))
			bad_list(index);
		if (next == BufferGetBlockNumber(buffer))
			RecsysBadLink(index, next);
		following = lock_page(index, list, next);
		if (!BufferIsValid(following))
			RecsysBadLink(index, next);
		UnlockReleaseBuffer(buffer);
		buffer = following;

		if (stoppable && pages % LOOK_EVERY == 0 && RecsysIsCancelled())
		{
			UnlockReleaseBuffer(buffer);
			return false;
		}
	}
	UnlockReleaseBuffer(buffer);
	return true;
}

/* False when it has stopped. */
static bool
walk_lists(Relation index, bool stoppable, RecsysEventVisitor visit, void *arg)
{
	BlockNumber *heads = RecsysGetCache(index)->meta.pending_head;
	Buffer		buffers[RECSYS_PENDING_LISTS];
	int			list = 0;

	lock_heads(index, heads, buffers);
	while (list < RECSYS_PENDING_LISTS &&
		   walk_list(index, list, buffers[list], stoppable, visit, arg))
		list++;
	if (list == RECSYS_PENDING_LISTS)
		return true;
	while (++list < RECSYS_PENDING_LISTS)
		UnlockReleaseBuffer(buffers[list]);
	return false;
}

void
RecsysPendingWalk(Relation index, RecsysEventVisitor visit, void *arg)
{
	if (walk_lists(index, true, visit, arg))
		return;
	CHECK_FOR_INTERRUPTS();
	(void) walk_lists(index, false, visit, arg);
}
