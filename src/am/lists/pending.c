/*
 * pending.c
 *	  The pending lists: appending, reading and removing events.
 *
 * A list is a chain of pages from head to tail, at least one, which the meta
 * page points to.  Writers append to the tail under its exclusive lock.  They remember
 * which page it was.  Once it is locked, it shows whether it still is the tail: a
 * pending page of that list without a successor.
 *
 * Pages leave a list from anywhere but the end, and only the one process that
 * merges takes them out, so it can walk the list with no more than the page at
 * hand locked.  Events that cannot be merged yet, because their transactions go
 * on, stay where they are.
 *
 * Lock order: a page of a list, the next page of the list, the meta page.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/lists/pending.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/options.h"
#include "am/store/patch.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"

/* Times that a count starts over when merges change the list under it. */
#define COUNT_ATTEMPTS 10

/* Times that the meta page may name a page as the tail which is none. */
#define TAIL_ATTEMPTS 1000

void
RecsysPendingCreate(Relation index, ForkNumber fork, RecsysMetaData *meta)
{
	for (int list = 0; list < RECSYS_LISTS; list++)
	{
		PGAlignedBlock image;

		RecsysPageInit((Page) image.data, RECSYS_PAGE_PENDING, RECSYS_USERS);
		RecsysPageGetOpaque((Page) image.data)->low = list;
		meta->pending_head[list] = meta->pending_tail[list] =
			RecsysAppendPage(index, fork, (Page) image.data);
	}
	meta->pending_pages = RECSYS_LISTS;
}

static bool
is_page_of_list(Page page, int list)
{
	return RecsysPageIsOurs(page) &&
		RecsysPageGetOpaque(page)->kind == RECSYS_PAGE_PENDING &&
		RecsysPageGetOpaque(page)->low == (uint32) list &&
		(((PageHeader) page)->pd_lower - MAXALIGN(SizeOfPageHeaderData)) % sizeof(RecsysEvent) == 0;
}

static void
bad_list(Relation index)
{
	RecsysCorrupted(index, "index \"%s\" has a corrupted pending list",
					RecsysIndexName(index));
}

/* The last page of a list, exclusively locked. */
static Buffer
lock_tail(Relation index, int list)
{
	RecsysCache *cache = RecsysGetCache(index);
	BlockNumber block = cache->meta.pending_tail[list];
	int			attempts = 0;

	for (;;)
	{
		Buffer		buffer = RecsysPinBlock(index, block);
		Buffer		metabuffer;
		BlockNumber known = block;

		/* VACUUM has a bucket locked, which a damaged meta page may name */
		if (RecsysPeekKind(buffer) == RECSYS_PAGE_PENDING)
		{
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			if (is_page_of_list(BufferGetPage(buffer), list) &&
				RecsysPageGetOpaque(BufferGetPage(buffer))->next == InvalidBlockNumber)
			{
				cache->meta.pending_tail[list] = block;
				return buffer;
			}
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);

		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE, RECSYS_PAGE_META);
		block = RecsysPageGetMeta(BufferGetPage(metabuffer))->pending_tail[list];
		UnlockReleaseBuffer(metabuffer);

		/* others may extend the list just now, but not so often */
		if (block == known && ++attempts > TAIL_ATTEMPTS)
			bad_list(index);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * A new last page; the present one comes locked and is released.  One atomic
 * step over both and the meta page.  *pages gets the pages of all lists.
 */
static Buffer
extend_list(Relation index, int list, Buffer tail, uint32 *pages)
{
	Buffer		buffer = RecsysNewPage(index, true);
	Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
	RecsysMetaData *meta;

	RecsysPageInit(page, RECSYS_PAGE_PENDING, RECSYS_USERS);
	RecsysPageGetOpaque(page)->low = list;
	page = GenericXLogRegisterBuffer(state, tail, 0);
	RecsysPageGetOpaque(page)->next = BufferGetBlockNumber(buffer);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	meta->pending_tail[list] = BufferGetBlockNumber(buffer);
	*pages = ++meta->pending_pages;
	GenericXLogFinish(state);

	UnlockReleaseBuffer(metabuffer);
	UnlockReleaseBuffer(tail);
	RecsysGetCache(index)->meta.pending_tail[list] = BufferGetBlockNumber(buffer);
	return buffer;
}

/* One event, the common case, changes few bytes. */
typedef struct EventPatch
{
	uint16		lower;
	RecsysPatch patches[2];
} EventPatch;

static void
form_patch(EventPatch *patch, Buffer buffer, const RecsysEvent *event)
{
	Page		page = BufferGetPage(buffer);

	patch->lower = ((PageHeader) page)->pd_lower + sizeof(RecsysEvent);
	patch->patches[0].dest = (char *) &((PageHeader) page)->pd_lower;
	patch->patches[0].data = &patch->lower;
	patch->patches[0].length = sizeof(patch->lower);
	patch->patches[1].dest = (char *) page + ((PageHeader) page)->pd_lower;
	patch->patches[1].data = event;
	patch->patches[1].length = sizeof(RecsysEvent);
}

static void
append_one(Relation index, Buffer buffer, const RecsysEvent *event)
{
	EventPatch	patch;

	form_patch(&patch, buffer, event);
	RecsysPatchPage(index, buffer, patch.patches, lengthof(patch.patches));
}

static void
append_several(Relation index, Buffer buffer, const RecsysEvent *events, int nevents)
{
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);

	memcpy(RecsysPageEvents(page) + RecsysPageEventCount(page), events,
		   nevents * sizeof(RecsysEvent));
	((PageHeader) page)->pd_lower += nevents * sizeof(RecsysEvent);
	GenericXLogFinish(state);
}

/* Returns the pages of all lists if it has added one, else 0. */
static uint32
append(Relation index, int list, const RecsysEvent *events, int nevents)
{
	uint32		pages = 0;

	while (nevents > 0)
	{
		Buffer		buffer = lock_tail(index, list);
		int			room = RECSYS_PAGE_EVENTS - RecsysPageEventCount(BufferGetPage(buffer));
		int			n;

		if (room <= 0)
		{
			buffer = extend_list(index, list, buffer, &pages);
			room = RECSYS_PAGE_EVENTS;
		}
		n = Min(room, nevents);
		if (n == 1)
			append_one(index, buffer, events);
		else
			append_several(index, buffer, events, n);
		UnlockReleaseBuffer(buffer);
		events += n;
		nevents -= n;
	}
	return pages;
}

/* Is that more than the index's pending_limit allows? */
static bool
is_too_long(Relation index, uint32 pages)
{
	return (Size) pages * (BLCKSZ / 1024) > (Size) RecsysGetPendingLimit(index);
}

/* The list that this process appends to */
#define OWN_LIST (MyProcPid % RECSYS_PENDING_LISTS)

bool
RecsysPendingAppend(Relation index, const RecsysEvent *events, int nevents)
{
	return is_too_long(index, append(index, OWN_LIST, events, nevents));
}

bool
RecsysPendingAppendWith(Relation index, const RecsysEvent *event, Buffer buffer,
						const RecsysPatch *patches, int npatches)
{
	Buffer		tail = lock_tail(index, OWN_LIST);
	uint32		pages = 0;
	EventPatch	patch;

	if (RecsysPageEventCount(BufferGetPage(tail)) >= RECSYS_PAGE_EVENTS)
		tail = extend_list(index, OWN_LIST, tail, &pages);
	form_patch(&patch, tail, event);
	RecsysPatchPages(index, buffer, patches, npatches, tail, patch.patches, lengthof(patch.patches));
	UnlockReleaseBuffer(tail);
	return is_too_long(index, pages);
}

void
RecsysQueueAppend(Relation index, const uint32 *items, int nitems)
{
	RecsysEvent events[64];
	Buffer		metabuffer;
	GenericXLogState *state;

	for (int first = 0; first < nitems; first += lengthof(events))
	{
		int			n = Min(nitems - first, (int) lengthof(events));

		memset(events, 0, sizeof(events));
		for (int i = 0; i < n; i++)
		{
			events[i].item = items[first + i];
			ItemPointerSetInvalid(&events[i].tid);
		}
		(void) append(index, RECSYS_QUEUE, events, n);
	}

	metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	state = GenericXLogStart(index);
	RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0))->queued += nitems;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(metabuffer);
}

void
RecsysRemovedEvent(RecsysEvent *event, uint32 user_hash, const RecsysEntry *entry)
{
	memset(event, 0, sizeof(RecsysEvent));
	event->user_hash = user_hash;
	event->item = entry->peer;
	event->tid = entry->tid;
	event->flags = RECSYS_EVENT_REMOVED;
}

void
RecsysPendingEnds(Relation index, int list, BlockNumber *head, BlockNumber *tail)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(buffer));

	*head = meta->pending_head[list];
	if (tail != NULL)
		*tail = meta->pending_tail[list];
	UnlockReleaseBuffer(buffer);
}

void
RecsysPendingRead(Relation index, int list, BlockNumber block, RecsysPendingPage *page)
{
	Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_PENDING);

	page->list = list;
	page->block = block;
	page->next = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
	page->count = Min(RecsysPageEventCount(BufferGetPage(buffer)), RECSYS_PAGE_EVENTS);
	memcpy(page->events, RecsysPageEvents(BufferGetPage(buffer)),
		   page->count * sizeof(RecsysEvent));
	memset(page->done, false, sizeof(page->done));
	UnlockReleaseBuffer(buffer);
}

/* Copies the events that stay to kept; those after page->count are new. */
static int
keep_events(const RecsysPendingPage *page, Page disk, RecsysEvent *kept)
{
	int			count = RecsysPageEventCount(disk);
	int			left = 0;

	for (int i = 0; i < count; i++)
	{
		if (i >= page->count || !page->done[i])
			kept[left++] = RecsysPageEvents(disk)[i];
	}
	return left;
}

/* The meta page follows in the step that removes events, so each counts once whatever crashes. */
static void
note_removed(RecsysMetaData *meta, int list, uint64 removed)
{
	if (list == RECSYS_QUEUE)
		meta->queued -= Min(meta->queued, removed);
	else
		meta->changes += removed;
}

bool
RecsysPendingRemove(Relation index, const RecsysPendingPage *page, BlockNumber previous)
{
	RecsysEvent kept[RECSYS_PAGE_EVENTS];
	Buffer		before = InvalidBuffer;
	Buffer		buffer;
	Buffer		metabuffer;
	GenericXLogState *state;
	RecsysMetaData *meta;
	BlockNumber next;
	bool		gone;
	int			had;
	int			left;
	Page		disk;

	if (previous == page->block)
		RecsysBadLink(index, previous);
	if (BlockNumberIsValid(previous))
		before = RecsysReadPage(index, previous, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_PENDING);
	buffer = RecsysReadPage(index, page->block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_PENDING);
	had = RecsysPageEventCount(BufferGetPage(buffer));
	left = keep_events(page, BufferGetPage(buffer), kept);
	next = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
	gone = left == 0 && BlockNumberIsValid(next);

	if (left < had || gone)
	{
		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
									RECSYS_PAGE_META);
		state = GenericXLogStart(index);

		/* a standby locks pages in the order in which they are registered: as everybody does */
		if (gone)
		{
			if (BufferIsValid(before))
				RecsysPageGetOpaque(GenericXLogRegisterBuffer(state, before, 0))->next = next;
			disk = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
			RecsysPageInit(disk, RECSYS_PAGE_FREE, RECSYS_USERS);
		}
		else
		{
			disk = GenericXLogRegisterBuffer(state, buffer, 0);
			memcpy(RecsysPageEvents(disk), kept, left * sizeof(RecsysEvent));
			((PageHeader) disk)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + left * sizeof(RecsysEvent);
		}
		meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
		note_removed(meta, page->list, had - left);
		if (gone)
		{
			if (!BufferIsValid(before))
				meta->pending_head[page->list] = next;
			meta->pending_pages--;
		}
		GenericXLogFinish(state);
		UnlockReleaseBuffer(metabuffer);
	}

	UnlockReleaseBuffer(buffer);
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	if (gone)
		RecordFreeIndexPage(index, page->block);
	return gone;
}

/* False when a merge has taken a page away on the way. */
static bool
count_list(Relation index, int list, uint64 *count)
{
	BlockNumber block;
	BlockNumber pages = 0;

	*count = 0;
	RecsysPendingEnds(index, list, &block, NULL);
	while (BlockNumberIsValid(block))
	{
		Buffer		buffer = RecsysPinBlock(index, block);
		bool		valid;

		CHECK_FOR_INTERRUPTS();
		if (++pages > RelationGetNumberOfBlocks(index))
			bad_list(index);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		valid = is_page_of_list(BufferGetPage(buffer), list);
		if (valid)
		{
			*count += RecsysPageEventCount(BufferGetPage(buffer));
			block = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
		}
		UnlockReleaseBuffer(buffer);
		if (!valid)
			return false;
	}
	return true;
}

uint64
RecsysPendingCount(Relation index)
{
	uint64		total = 0;

	for (int list = 0; list < RECSYS_PENDING_LISTS; list++)
	{
		uint64		count = 0;

		for (int attempt = 0; attempt < COUNT_ATTEMPTS; attempt++)
		{
			if (count_list(index, list, &count))
				break;
		}
		total += count;
	}
	return total;
}
