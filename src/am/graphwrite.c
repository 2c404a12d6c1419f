/*
 * graphwrite.c
 *	  Writing the item graph during a build: graph pages, row map, popular page.
 */
#include "postgres.h"

#include "am/graph.h"
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
	writer->first = 0;
	writer->rows = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(ItemPointerData) * (Size) Max(nitems, 1));
	writer->tail = InvalidBlockNumber;
	writer->pairs = 0;
	RecsysPageInit((Page) writer->image.data, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
}

static void
flush_page(RecsysGraphWriter *writer)
{
	if (writer->empty)
		return;
	writer->tail = RecsysAppendPage(writer->index, writer->fork, (Page) writer->image.data);
	for (uint32 item = writer->first; item < writer->nitems; item++)
		ItemPointerSetBlockNumber(&writer->rows[item], writer->tail);
	RecsysPageInit((Page) writer->image.data, RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
	writer->empty = true;
	writer->first = writer->nitems;
}

void
RecsysGraphWriterAdd(RecsysGraphWriter *writer, RecsysKeyKind kind, const RecsysKey *key,
					 uint32 users, const RecsysNeighbor *neighbors, int count)
{
	Size		size = RECSYS_ROW_SIZE(count, key->len);
	Page		page = (Page) writer->image.data;
	PGAlignedBlock buffer;
	RecsysGraphRow row = (RecsysGraphRow) buffer.data;
	OffsetNumber off;

	row->item = writer->nitems;
	row->users = users;
	row->nneighbors = count;
	row->keylen = key->len;
	for (int i = 0; i < count; i++)
	{
		row->peers[i] = neighbors[i].item;
		RecsysRowScores(row)[i] = neighbors[i].score;
		RecsysRowSupports(row)[i] = neighbors[i].support;
	}
	RecsysKeyStore(kind, key, RecsysRowKey(row));

	if (PageGetFreeSpace(page) < MAXALIGN(size))
		flush_page(writer);
	off = PageAddItem(page, (Item) row, size, InvalidOffsetNumber, false, false);
	if (off == InvalidOffsetNumber)
		elog(ERROR, "failed to add a graph row to index \"%s\"",
			 RelationGetRelationName(writer->index));
	ItemPointerSet(&writer->rows[writer->nitems], 0, off);
	writer->nitems++;
	writer->empty = false;
	writer->pairs += count;
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

int
RecsysComparePopularity(const void *a, const void *b)
{
	const RecsysPopularity *left = a;
	const RecsysPopularity *right = b;

	if (left->users != right->users)
		return left->users > right->users ? -1 : 1;
	return left->item < right->item ? -1 : left->item > right->item ? 1 : 0;
}

BlockNumber
RecsysWritePopular(Relation index, ForkNumber fork, const uint32 *users, uint32 nitems)
{
	PGAlignedBlock image;
	Page		page = (Page) image.data;
	RecsysPopularity *popular = palloc(sizeof(RecsysPopularity) * RECSYS_POPULAR_ITEMS * 2);
	int			count = 0;
	uint32		fewest = 1;		/* users an item needs to be considered */
	BlockNumber block;

	/* keep the best half of a buffer twice as large as the page */
	for (uint32 item = 0; item < nitems; item++)
	{
		if (users[item] < fewest)
			continue;
		popular[count].item = item;
		popular[count++].users = users[item];
		if (count == RECSYS_POPULAR_ITEMS * 2)
		{
			qsort(popular, count, sizeof(RecsysPopularity), RecsysComparePopularity);
			count = RECSYS_POPULAR_ITEMS;

			/* an equal one with a higher number cannot enter any more */
			fewest = popular[count - 1].users + 1;
		}
	}
	qsort(popular, count, sizeof(RecsysPopularity), RecsysComparePopularity);
	count = Min(count, RECSYS_POPULAR_ITEMS);

	RecsysPageInit(page, RECSYS_PAGE_POPULAR, RECSYS_ITEMS);
	for (int i = 0; i < count; i++)
		((uint32 *) PageGetContents(page))[i] = popular[i].item;
	((PageHeader) page)->pd_lower += count * sizeof(uint32);
	block = RecsysAppendPage(index, fork, page);
	pfree(popular);
	return block;
}
