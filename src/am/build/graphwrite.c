/*
 * graphwrite.c
 *	  Writing the item graph during a build: graph pages and row map.
 *
 * Rows may stand anywhere, as the row map leads to them.  Histories are mostly of popular items,
 * so rows of items that are about as popular stand together: what is read most is on few pages,
 * which stay in the processor's cache with all that it takes to find and to check them.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/store/indexname.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

Size
RecsysGraphWriterMemory(uint32 nitems)
{
	return sizeof(RecsysGraphWriter) + BLCKSZ * (Size) Min(nitems / 8 + 1, RECSYS_GRAPH_CLASSES) +
		sizeof(ItemPointerData) * (Size) nitems;
}

void
RecsysGraphWriterInit(RecsysGraphWriter *writer, Relation index, ForkNumber fork, uint32 nitems)
{
	writer->index = index;
	writer->fork = fork;
	writer->nitems = 0;
	writer->rows = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(ItemPointerData) * (Size) Max(nitems, 1));
	writer->tail = InvalidBlockNumber;
	writer->pairs = 0;
	writer->context = CurrentMemoryContext;
	memset(writer->pages, 0, sizeof(writer->pages));
}

/* The page being filled for items with so many users: one for each power of two. */
static Page
page_for(RecsysGraphWriter *writer, uint32 users)
{
	int			class = users == 0 ? 0 : pg_leftmost_one_pos32(users);

	if (writer->pages[class] == NULL)
	{
		writer->pages[class] = MemoryContextAlloc(writer->context, BLCKSZ);
		RecsysPageInit(writer->pages[class], RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
	}
	return writer->pages[class];
}

static void
flush_page(RecsysGraphWriter *writer, Page page)
{
	if (PageGetMaxOffsetNumber(page) == 0)
		return;
	writer->tail = RecsysAppendPage(writer->index, writer->fork, page);
	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysStoredRow row = (RecsysStoredRow) PageGetItem(page, PageGetItemId(page, off));

		ItemPointerSet(&writer->rows[row->item], writer->tail, off);
	}
	RecsysPageInit(page, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
}

static void
put_row(RecsysGraphWriter *writer, Page page, const char *row, Size size)
{
	if (PageGetFreeSpace(page) < MAXALIGN(size))
		flush_page(writer, page);
	if (PageAddItem(page, (Item) row, size, InvalidOffsetNumber, false,
					false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add a graph row to index \"%s\"",
			 RecsysIndexName(writer->index));
}

/* What is left on the pages being filled, together: popular items first */
static void
flush_pages(RecsysGraphWriter *writer)
{
	Page		together = palloc(BLCKSZ);

	RecsysPageInit(together, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
	for (int class = RECSYS_GRAPH_CLASSES - 1; class >= 0; class--)
	{
		Page		page = writer->pages[class];

		if (page == NULL)
			continue;
		for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
		{
			ItemId		itemid = PageGetItemId(page, off);

			put_row(writer, together, PageGetItem(page, itemid), ItemIdGetLength(itemid));
		}
		pfree(page);
		writer->pages[class] = NULL;
	}
	flush_page(writer, together);
	pfree(together);
}

void
RecsysGraphWriterAdd(RecsysGraphWriter *writer, const RecsysMetaData *meta, const RecsysKey *key,
					 const RecsysRowTotals *totals, const RecsysNeighbor *neighbors, int count)
{
	RecsysGraphWriterPut(writer, meta, writer->nitems, key, totals, neighbors, count);
}

void
RecsysGraphWriterPut(RecsysGraphWriter *writer, const RecsysMetaData *meta, uint32 item,
					 const RecsysKey *key, const RecsysRowTotals *totals,
					 const RecsysNeighbor *neighbors, int count)
{
	PGAlignedBlock buffer;
	PGAlignedBlock stored;
	Size		size;
	RecsysGraphRow row = (RecsysGraphRow) buffer.data;
	RecsysNeighborList list = {(RecsysNeighbor *) neighbors, count, 0, 0};

	memset(row, 0, offsetof(RecsysGraphRowData, peers));
	row->item = item;
	RecsysRowSetTotals(row, totals);
	row->keylen = key->len;
	if (count == RECSYS_ROW_CAPACITY(meta->neighbors) && !meta->learned)
	{
		list.floor_score = neighbors[count - 1].score;
		list.floor_item = neighbors[count - 1].item;
	}
	RecsysGraphSetNeighbors(row, &list, meta->neighbors);
	RecsysKeyStore(meta->item_kind, key, RecsysRowKey(row));
	size = RecsysStoreRow(row, (RecsysStoredRow) stored.data);

	put_row(writer, page_for(writer, totals->users), stored.data, size);
	writer->nitems++;
	writer->pairs += row->nneighbors;
}

void
RecsysGraphWriterFinish(RecsysGraphWriter *writer, RecsysMetaData *meta)
{
	PGAlignedBlock image;
	PGAlignedBlock root;
	uint32		leaves = 0;

	flush_pages(writer);

	meta->nitems = writer->nitems;
	meta->nsorted = writer->nitems;
	meta->pairs = writer->pairs;
	meta->graph_tail = writer->tail;

	for (uint32 first = 0; first < writer->nitems; first += RECSYS_MAP_LEAF_ROWS)
	{
		uint32		slot = leaves % RECSYS_MAP_ROOT_LEAVES;

		if (leaves / RECSYS_MAP_ROOT_LEAVES >= RECSYS_MAP_ROOTS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("recsys index \"%s\" cannot hold more items",
							RecsysIndexName(writer->index))));

		RecsysPageInit((Page) image.data, RECSYS_PAGE_MAP_LEAF, RECSYS_ITEMS);
		memcpy(PageGetContents((Page) image.data), writer->rows + first,
			   sizeof(ItemPointerData) * Min(RECSYS_MAP_LEAF_ROWS, writer->nitems - first));
		if (slot == 0)
			RecsysPageInit((Page) root.data, RECSYS_PAGE_MAP_ROOT, RECSYS_ITEMS);
		((BlockNumber *) PageGetContents((Page) root.data))[slot] =
			RecsysAppendPage(writer->index, writer->fork, (Page) image.data);
		leaves++;

		if (slot == RECSYS_MAP_ROOT_LEAVES - 1 || first + RECSYS_MAP_LEAF_ROWS >= writer->nitems)
			meta->map_roots[(leaves - 1) / RECSYS_MAP_ROOT_LEAVES] =
				RecsysAppendPage(writer->index, writer->fork, (Page) root.data);
	}
	meta->map_leaves = leaves;
	pfree(writer->rows);
}
