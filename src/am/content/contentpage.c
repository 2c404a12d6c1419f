/*
 * contentpage.c
 *	  Reading content pages.
 *
 * Pages come from disk and may be damaged.  So a tuple is looked at before it is given out:
 * it lies within its page, its packed content can be looked at by the functions of
 * core/content, and its TID can be looked up.  How many dimensions the model's vectors
 * have may be set later than a reader has read it; who comes upon a tuple that does not fit the
 * model reads the model again before it complains.
 */
#include "postgres.h"

#include <math.h>

#include "am/content/contentchange.h"
#include "am/content/contentpage.h"
#include "am/store/corrupted.h"
#include "miscadmin.h"

static void
bad_tuple(Relation index, Buffer buffer, OffsetNumber off)
{
	RecsysCorruptedDetail(index,
						  psprintf("index \"%s\" contains a corrupted page at block %u",
								   RelationGetRelationName(index), BufferGetBlockNumber(buffer)),
						  "Content tuple %u is damaged.", (unsigned) off);
}

/* Is the item a tuple, apart from its content? */
static bool
frame_is_sane(Page page, OffsetNumber off)
{
	ItemId		itemid = PageGetItemId(page, off);
	RecsysContentTuple tuple;

	if (!RecsysItemIsSane(page, itemid, RECSYS_CONTENT_HEADER + 1) ||
		ItemIdGetLength(itemid) > RECSYS_CONTENT_HEADER + RECSYS_MAX_CONTENT)
		return false;
	tuple = (RecsysContentTuple) PageGetItem(page, itemid);
	if (!isfinite(tuple->floor) || tuple->floor < 0 ||
		(tuple->flags & ~(RECSYS_CONTENT_CURRENT | RECSYS_CONTENT_DEAD)) != 0)
		return false;

	/* the TID of a dead one is some other row's by now, if any */
	if (tuple->flags & RECSYS_CONTENT_DEAD)
		return (tuple->flags & RECSYS_CONTENT_CURRENT) != 0;
	return RecsysTidIsSane(&tuple->tid);
}

RecsysContentTuple
RecsysContentTupleAt(Relation index, Buffer buffer, Page page, OffsetNumber off, Size *size)
{
	if (!frame_is_sane(page, off))
		bad_tuple(index, buffer, off);
	if (size != NULL)
		*size = ItemIdGetLength(PageGetItemId(page, off)) - RECSYS_CONTENT_HEADER;
	return (RecsysContentTuple) PageGetItem(page, PageGetItemId(page, off));
}

/* More line pointers than fit a page are damage, too. */
OffsetNumber
RecsysContentMaxOffset(Relation index, Buffer buffer, Page page)
{
	OffsetNumber max = PageGetMaxOffsetNumber(page);

	if (max > MaxIndexTuplesPerPage)
		bad_tuple(index, buffer, max);
	return max;
}

static void
check_packed(Relation index, RecsysContentMeta *meta, Buffer buffer, OffsetNumber off,
			 const char *packed, Size size)
{
	if (RecsysContentIsSane(&meta->model, packed, size))
		return;
	RecsysReadContentMeta(index, meta);
	if (!RecsysContentIsSane(&meta->model, packed, size))
		bad_tuple(index, buffer, off);
}

/* Is it the tuple of the row, or, without a TID, the current one of the item? */
static bool
is_wanted(const RecsysContentTupleData *tuple, ItemPointer tid, uint32 item)
{
	if (tid == NULL)
		return tuple->item == item && (tuple->flags & RECSYS_CONTENT_CURRENT) != 0;
	return (tuple->flags & RECSYS_CONTENT_DEAD) == 0 &&
		ItemPointerEquals((ItemPointer) &tuple->tid, tid);
}

OffsetNumber
RecsysContentFind(Relation index, Buffer buffer, Page page, ItemPointer tid, uint32 item)
{
	OffsetNumber max = RecsysContentMaxOffset(index, buffer, page);

	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
		if (is_wanted(RecsysContentTupleAt(index, buffer, page, off, NULL), tid, item))
			return off;
	return InvalidOffsetNumber;
}

static RecsysContentTuple
read_tuple(Relation index, BlockNumber block, ItemPointer tid, uint32 item, Size *size)
{
	RecsysContentTuple copy = NULL;
	RecsysContentMeta meta;
	OffsetNumber off;
	Buffer		buffer;

	RecsysReadContentMeta(index, &meta);
	buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_CONTENT);
	off = RecsysContentFind(index, buffer, BufferGetPage(buffer), tid, item);
	if (off != InvalidOffsetNumber)
	{
		RecsysContentTuple tuple = RecsysContentTupleAt(index, buffer, BufferGetPage(buffer), off,
														size);

		copy = palloc(RECSYS_CONTENT_HEADER + *size);
		memcpy(copy, tuple, RECSYS_CONTENT_HEADER + *size);
		check_packed(index, &meta, buffer, off, copy->packed, *size);
	}
	UnlockReleaseBuffer(buffer);
	return copy;
}

RecsysContentTuple
RecsysContentRead(Relation index, BlockNumber block, ItemPointer tid, Size *size)
{
	return read_tuple(index, block, tid, RECSYS_NONE, size);
}

RecsysContentTuple
RecsysContentReadCurrentOf(Relation index, BlockNumber block, uint32 item, Size *size)
{
	return read_tuple(index, block, NULL, item, size);
}

/* Fills in what the copy of a page has. */
static void
open_page(Relation index, RecsysContentMeta *meta, Buffer buffer, Page copy, RecsysContentPage *page)
{
	OffsetNumber max = RecsysContentMaxOffset(index, buffer, copy);

	page->block = BufferGetBlockNumber(buffer);
	page->ntuples = 0;
	for (OffsetNumber off = FirstOffsetNumber; off <= max; off++)
	{
		Size		size;
		RecsysContentTuple tuple = RecsysContentTupleAt(index, buffer, copy, off, &size);

		check_packed(index, meta, buffer, off, tuple->packed, size);
		page->tuples[page->ntuples] = tuple;
		page->sizes[page->ntuples] = size;
		page->offsets[page->ntuples++] = off;
	}
}

void
RecsysContentScan(Relation index, RecsysContentVisitor visit, void *arg)
{
	RecsysContentMeta meta;
	RecsysContentPage *page = palloc(sizeof(RecsysContentPage));
	PGAlignedBlock *copy = palloc(sizeof(PGAlignedBlock));
	BlockNumber block;
	BlockNumber pages = 0;

	RecsysReadContentMeta(index, &meta);
	block = meta.content_head;
	while (BlockNumberIsValid(block))
	{
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();

		/* more pages than there are: the list goes in a circle */
		if (++pages > RelationGetNumberOfBlocks(index))
			RecsysBadLink(index, block);
		buffer = RecsysReadPage(index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_CONTENT);
		memcpy(copy->data, BufferGetPage(buffer), BLCKSZ);
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		open_page(index, &meta, buffer, (Page) copy->data, page);
		ReleaseBuffer(buffer);
		block = RecsysPageGetOpaque((Page) copy->data)->next;
		visit(arg, page);
	}
	pfree(copy);
	pfree(page);
}
