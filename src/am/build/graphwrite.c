/*
 * graphwrite.c
 *	  Writing the item graph during a build: graph pages and row map.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "miscadmin.h"
#include "utils/memutils.h"

Size
RecsysGraphWriterMemory(uint32 nitems)
{
	return sizeof(RecsysGraphWriter) + sizeof(ItemPointerData) * (Size) nitems;
}

void
RecsysGraphWriterInit(RecsysGraphWriter *writer, Relation index, ForkNumber fork, uint32 nitems)
{
	writer->index = index;
	writer->fork = fork;
	writer->empty = true;
	writer->nitems = 0;
	writer->rows = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(ItemPointerData) * (Size) Max(nitems, 1));
	writer->tail = InvalidBlockNumber;
	writer->pairs = 0;
	RecsysPageInit((Page) writer->image.data, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
}

static void
flush_page(RecsysGraphWriter *writer)
{
	Page		page = (Page) writer->image.data;

	if (writer->empty)
		return;
	writer->tail = RecsysAppendPage(writer->index, writer->fork, page);
	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysGraphRow row = (RecsysGraphRow) PageGetItem(page, PageGetItemId(page, off));

		ItemPointerSet(&writer->rows[row->item], writer->tail, off);
	}
	RecsysPageInit(page, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
	writer->empty = true;
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
	Size		size = RECSYS_ROW_SIZE(count, key->len);
	Page		page = (Page) writer->image.data;
	PGAlignedBlock buffer;
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

	if (PageGetFreeSpace(page) < MAXALIGN(size))
		flush_page(writer);
	if (PageAddItem(page, (Item) row, size, InvalidOffsetNumber, false,
					false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add a graph row to index \"%s\"",
			 RelationGetRelationName(writer->index));
	writer->nitems++;
	writer->empty = false;
	writer->pairs += row->nneighbors;
}

void
RecsysGraphWriterFinish(RecsysGraphWriter *writer, RecsysMetaData *meta)
{
	PGAlignedBlock image;
	PGAlignedBlock root;
	uint32		leaves = 0;

	flush_page(writer);

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
							RelationGetRelationName(writer->index))));

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
