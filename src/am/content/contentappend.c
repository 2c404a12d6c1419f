/*
 * contentappend.c
 *	  Adding content tuples.
 *
 * A tuple goes to the first page of the free list, if it fits there; a page that is too full
 * leaves the list.  Otherwise it goes to the last page of the list of all pages, which gets a
 * new one behind it when it is full.
 *
 * The blocks are read from the meta page without keeping that locked, so they may be out of
 * date once the page is locked; the page itself tells whether it is listed, or the last.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/content/contentchange.h"
#include "am/content/contentpage.h"
#include "am/store/corrupted.h"
#include "fault.h"
#include "miscadmin.h"

/* Pages of the free list that one insert tries; the next insert goes on from there. */
#define FREE_ATTEMPTS 4

/* Times that the meta page may name a page as the last which is none */
#define TAIL_ATTEMPTS 1000

static bool
has_room(Page page, Size size)
{
	return PageGetFreeSpace(page) >= MAXALIGN(size) &&
		PageGetMaxOffsetNumber(page) < MaxIndexTuplesPerPage;
}

static void
add_tuple(Relation index, Page page, RecsysContentTuple tuple, Size size)
{
	if (PageAddItem(page, (Item) tuple, size, InvalidOffsetNumber, false, false) ==
		InvalidOffsetNumber)
		elog(ERROR, "failed to add a content tuple to index \"%s\"", RelationGetRelationName(index));
}

static void
add_to_page(Relation index, Buffer buffer, RecsysContentTuple tuple, Size size)
{
	GenericXLogState *state = GenericXLogStart(index);

	add_tuple(index, GenericXLogRegisterBuffer(state, buffer, 0), tuple, size);
	GenericXLogFinish(state);
}

static void
read_ends(Relation index, BlockNumber *tail, BlockNumber *first_free)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	RecsysContentMeta *meta = RecsysPageGetContentMeta(BufferGetPage(buffer));

	*tail = meta->content_tail;
	*first_free = meta->content_free;
	UnlockReleaseBuffer(buffer);
}

/* Takes a locked page off the free list, if it is the first there. */
static void
unlist(Relation index, Buffer buffer)
{
	Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	RecsysContentMeta *meta = RecsysPageGetContentMeta(BufferGetPage(metabuffer));

	if (meta->content_free == BufferGetBlockNumber(buffer))
	{
		GenericXLogState *state = GenericXLogStart(index);
		RecsysPageOpaque opaque = RecsysPageGetOpaque(GenericXLogRegisterBuffer(state, buffer, 0));

		meta = RecsysPageGetContentMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
		meta->content_free = opaque->high;
		opaque->high = InvalidBlockNumber;
		opaque->low = 0;
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(metabuffer);
}

/* The block that has got the tuple, or InvalidBlockNumber. */
static BlockNumber
append_to_free(Relation index, RecsysContentTuple tuple, Size size)
{
	for (int attempt = 0; attempt < FREE_ATTEMPTS; attempt++)
	{
		BlockNumber tail;
		BlockNumber block;
		Buffer		buffer;
		bool		added = false;

		read_ends(index, &tail, &block);
		if (!BlockNumberIsValid(block))
			break;
		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CONTENT);
		if (has_room(BufferGetPage(buffer), size))
		{
			add_to_page(index, buffer, tuple, size);
			added = true;
		}
		else if (RecsysPageGetOpaque(BufferGetPage(buffer))->low == RECSYS_CONTENT_LISTED)
			unlist(index, buffer);
		UnlockReleaseBuffer(buffer);
		if (added)
			return block;
	}
	return InvalidBlockNumber;
}

/* A new last page with the tuple, behind the present one.  One step over both and the meta page. */
static BlockNumber
extend_list(Relation index, Buffer tail, RecsysContentTuple tuple, Size size)
{
	Buffer		buffer = RecsysNewPage(index, true);
	BlockNumber block = BufferGetBlockNumber(buffer);
	Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	RecsysPageInit(page, RECSYS_PAGE_CONTENT, RECSYS_ITEMS);
	add_tuple(index, page, tuple, size);
	RecsysPageGetOpaque(GenericXLogRegisterBuffer(state, tail, 0))->next = block;
	RecsysPageGetContentMeta(GenericXLogRegisterBuffer(state, metabuffer, 0))->content_tail = block;
	GenericXLogFinish(state);
	RECSYS_FAULT("content-page-added");

	UnlockReleaseBuffer(metabuffer);
	UnlockReleaseBuffer(buffer);
	return block;
}

static BlockNumber
append_to_tail(Relation index, RecsysContentTuple tuple, Size size)
{
	BlockNumber known = InvalidBlockNumber;
	int			attempts = 0;

	for (;;)
	{
		BlockNumber block;
		BlockNumber unused;
		Buffer		buffer;

		read_ends(index, &block, &unused);
		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CONTENT);
		if (!BlockNumberIsValid(RecsysPageGetOpaque(BufferGetPage(buffer))->next))
		{
			if (has_room(BufferGetPage(buffer), size))
				add_to_page(index, buffer, tuple, size);
			else
				block = extend_list(index, buffer, tuple, size);
			UnlockReleaseBuffer(buffer);
			return block;
		}
		UnlockReleaseBuffer(buffer);

		/* others may extend the list just now, but not so often */
		if (block == known && ++attempts > TAIL_ATTEMPTS)
			RecsysBadLink(index, block);
		known = block;
		CHECK_FOR_INTERRUPTS();
	}
}

BlockNumber
RecsysContentAppend(Relation index, uint32 item, ItemPointer tid, const char *packed, Size size)
{
	RecsysContentTuple tuple = palloc0(RECSYS_CONTENT_HEADER + size);
	BlockNumber block;

	tuple->item = item;
	tuple->tid = *tid;
	memcpy(tuple->packed, packed, size);
	block = append_to_free(index, tuple, RECSYS_CONTENT_HEADER + size);
	if (!BlockNumberIsValid(block))
		block = append_to_tail(index, tuple, RECSYS_CONTENT_HEADER + size);
	pfree(tuple);
	return block;
}
