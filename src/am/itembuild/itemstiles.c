/*
 * itemstiles.c
 *	  Build of an items index: current content read back from the pages just written.
 *
 * Content is compared with thousands of others once it has been read, so copying it costs
 * nothing, and no page stays pinned.
 */
#include "postgres.h"

#include "am/content/contentpage.h"
#include "am/itembuild/itemstiles.h"
#include "am/store/page.h"
#include "miscadmin.h"

struct RecsysTileReader
{
	Relation	index;
	BlockNumber last;
	BlockNumber block;			/* to be read next */
	OffsetNumber off;			/* tuple of it to look at first */
	uint32		skip;			/* current tuples to pass over */
	RecsysTile	tile;
	char	   *buffer;			/* content of the tile */
	Size		size;
};

/* Largest content, aligned; a tile ends early rather than to move what it has. */
#define TILE_BYTES ((Size) RECSYS_TILE * 1024)

RecsysTileReader *
RecsysTileReaderCreate(Relation index, BlockNumber first, BlockNumber last)
{
	RecsysTileReader *reader = palloc0(sizeof(RecsysTileReader));

	reader->index = index;
	reader->last = last;
	reader->block = first;
	reader->off = FirstOffsetNumber;
	reader->size = TILE_BYTES + MAXALIGN(RECSYS_MAX_CONTENT);
	reader->buffer = palloc(reader->size);
	return reader;
}

void
RecsysTileSeek(RecsysTileReader *reader, BlockNumber block, uint32 skip)
{
	reader->block = block;
	reader->off = FirstOffsetNumber;
	reader->skip = skip;
}

/* Takes tuples of a page until the tile is full; true if it is. */
static bool
take_page(RecsysTileReader *reader, Page page, int most, Size *used)
{
	RecsysTile *tile = &reader->tile;
	OffsetNumber max = PageGetMaxOffsetNumber(page);

	for (; reader->off <= max; reader->off++)
	{
		ItemId		itemid = PageGetItemId(page, reader->off);
		RecsysContentTuple tuple = (RecsysContentTuple) PageGetItem(page, itemid);
		Size		size = ItemIdGetLength(itemid) - RECSYS_CONTENT_HEADER;

		if ((tuple->flags & RECSYS_CONTENT_CURRENT) == 0)
			continue;
		if (reader->skip > 0)
		{
			reader->skip--;
			continue;
		}
		if (tile->n == most || *used > TILE_BYTES)
			return true;
		tile->items[tile->n] = tuple->item;
		tile->packed[tile->n++] = reader->buffer + *used;
		memcpy(reader->buffer + *used, tuple->packed, size);
		*used += MAXALIGN(size);
	}
	return false;
}

const RecsysTile *
RecsysTileNext(RecsysTileReader *reader, int most)
{
	Size		used = 0;
	bool		full = false;

	CHECK_FOR_INTERRUPTS();
	reader->tile.n = 0;
	while (!full && reader->block <= reader->last)
	{
		Buffer		buffer = RecsysReadPage(reader->index, reader->block, BUFFER_LOCK_SHARE,
											RECSYS_PAGE_CONTENT);

		full = take_page(reader, BufferGetPage(buffer), most, &used);
		UnlockReleaseBuffer(buffer);
		if (!full)
		{
			reader->block++;
			reader->off = FirstOffsetNumber;
		}
	}
	return reader->tile.n > 0 ? &reader->tile : NULL;
}

void
RecsysTileReaderFree(RecsysTileReader *reader)
{
	pfree(reader->buffer);
	pfree(reader);
}
