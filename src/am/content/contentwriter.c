/*
 * contentwriter.c
 *	  Writing content pages during a build.
 *
 * Pages are filled one after the other in private memory and appended when full, so nothing
 * else is to be appended meanwhile: then they are consecutive blocks, which the build relies
 * on.  Their links are those that later pages have.
 */
#include "postgres.h"

#include "am/content/contentpage.h"
#include "miscadmin.h"

struct RecsysContentWriter
{
	Relation	index;
	ForkNumber	fork;
	PGAlignedBlock image;		/* page being filled */
	BlockNumber head;
	BlockNumber block;			/* that the image will have */
	uint64		contents;
};

StaticAssertDecl(offsetof(RecsysContentTupleData, packed) == 16,
				 "the header of a content tuple has no padding");
StaticAssertDecl(MAXALIGN(RECSYS_CONTENT_HEADER + RECSYS_MAX_CONTENT) + sizeof(ItemIdData) <=
				 RECSYS_PAGE_ROOM,
				 "the largest content fits a page");

RecsysContentWriter *
RecsysContentWriterCreate(Relation index, ForkNumber fork)
{
	RecsysContentWriter *writer = palloc0(sizeof(RecsysContentWriter));

	writer->index = index;
	writer->fork = fork;
	writer->head = writer->block = RelationGetNumberOfBlocksInFork(index, fork);
	RecsysPageInit((Page) writer->image.data, RECSYS_PAGE_CONTENT, RECSYS_ITEMS);
	return writer;
}

static void
flush_page(RecsysContentWriter *writer, bool last)
{
	Page		page = (Page) writer->image.data;

	RecsysPageGetOpaque(page)->next = last ? InvalidBlockNumber : writer->block + 1;

	/* it links pages with room, of which there are none yet */
	RecsysPageGetOpaque(page)->high = InvalidBlockNumber;
	if (RecsysAppendPage(writer->index, writer->fork, page) != writer->block)
		elog(ERROR, "content pages of index \"%s\" do not follow each other",
			 RelationGetRelationName(writer->index));
	RecsysPageInit(page, RECSYS_PAGE_CONTENT, RECSYS_ITEMS);
	writer->block++;
}

BlockNumber
RecsysContentWriterAdd(RecsysContentWriter *writer, uint32 item, ItemPointer tid, bool current,
					   float floor, const char *packed, Size size)
{
	Page		page = (Page) writer->image.data;
	PGAlignedBlock buffer;
	RecsysContentTuple tuple = (RecsysContentTuple) buffer.data;

	if (PageGetFreeSpace(page) < MAXALIGN(RECSYS_CONTENT_HEADER + size))
		flush_page(writer, false);
	tuple->item = item;
	tuple->floor = floor;
	tuple->tid = *tid;
	tuple->flags = current ? RECSYS_CONTENT_CURRENT : 0;
	memcpy(tuple->packed, packed, size);
	if (PageAddItem(page, (Item) tuple, RECSYS_CONTENT_HEADER + size, InvalidOffsetNumber, false,
					false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add a content tuple to index \"%s\"",
			 RelationGetRelationName(writer->index));
	writer->contents++;
	return writer->block;
}

void
RecsysContentWriterFinish(RecsysContentWriter *writer, RecsysContentMeta *meta)
{
	/* an index without content has a page, too, for what is to come */
	flush_page(writer, true);
	meta->content_head = writer->head;
	meta->content_tail = writer->block - 1;
	meta->content_free = InvalidBlockNumber;
	meta->contents = writer->contents;
	pfree(writer);
}

void
RecsysContentSetFloors(Relation index, const RecsysContentMeta *meta, const float *floors, uint32 n)
{
	uint32		done = 0;

	for (BlockNumber block = meta->content_head; block <= meta->content_tail; block++)
	{
		Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_CONTENT);
		Page		page = BufferGetPage(buffer);

		for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		{
			RecsysContentTuple tuple = (RecsysContentTuple) PageGetItem(page, PageGetItemId(page, off));

			if ((tuple->flags & RECSYS_CONTENT_CURRENT) != 0 && done < n)
				tuple->floor = floors[done++];
		}

		/* it is logged when the build ends */
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	if (done != n)
		elog(ERROR, "%u of %u current content tuples are missing", n - done, n);
}
