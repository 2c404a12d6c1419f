/*
 * graph.c
 *	  The item graph on disk: where its rows are, and entering new items.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/lists/append.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/patch.h"
#include "fault.h"
#include "miscadmin.h"

RecsysStoredRow
RecsysGraphLocateRow(Relation index, Page page, OffsetNumber off, uint32 item)
{
	if (!RecsysPageIsOurs(page) || RecsysPageGetOpaque(page)->kind != RECSYS_PAGE_GRAPH)
		return NULL;
	return RecsysGraphLocateNext(index, page, off, item);
}

RecsysStoredRow
RecsysGraphLocateNext(Relation index, Page page, OffsetNumber off, uint32 item)
{
	ItemId		itemid;
	RecsysStoredRow row;

	if (!RecsysPageBoundsAreSane(page) || off < FirstOffsetNumber ||
		off > PageGetMaxOffsetNumber(page))
		return NULL;
	itemid = PageGetItemId(page, off);
	if (!RecsysItemIsSane(page, itemid, RECSYS_STORED_LEAST))
		return NULL;
	row = (RecsysStoredRow) PageGetItem(page, itemid);
	if (row->item != item ||
		!RecsysStoredRowIsSane(row, ItemIdGetLength(itemid), RecsysGetCache(index)->meta.item_kind))
		return NULL;
	return row;
}

void
RecsysNoItem(Relation index, uint32 item)
{
	RecsysCorrupted(index, "index \"%s\" has no item number %u", RecsysIndexName(index),
					item);
}

void
RecsysWrongRow(Relation index, uint32 item)
{
	RecsysCorrupted(index, "index \"%s\" has a wrong graph row for item number %u",
					RecsysIndexName(index), item);
}

void
RecsysGraphSetFlags(RecsysGraphReader *reader, uint32 item, uint8 set, uint8 clear)
{
	ItemPointerData tid = RecsysGraphFindRow(reader, item);
	Buffer		buffer;
	RecsysStoredRow row;
	uint8		flags;

	if (!ItemPointerIsValid(&tid))
		RecsysNoItem(reader->index, item);
	buffer = RecsysReadPage(reader->index, ItemPointerGetBlockNumber(&tid), BUFFER_LOCK_EXCLUSIVE,
							RECSYS_PAGE_GRAPH);
	row = RecsysGraphLocateRow(reader->index, BufferGetPage(buffer), ItemPointerGetOffsetNumber(&tid),
							   item);
	if (row == NULL)
		RecsysWrongRow(reader->index, item);
	flags = (row->flags & ~clear) | set;
	if (flags != row->flags)
	{
		RecsysPatch patch;

		patch.dest = (char *) &row->flags;
		patch.data = &flags;
		patch.length = sizeof(flags);
		RecsysPatchPage(reader->index, buffer, &patch, 1);
	}
	UnlockReleaseBuffer(buffer);
}

void
RecsysGraphSetNeighbors(RecsysGraphRow row, const RecsysNeighborList *list, int neighbors)
{
	row->nneighbors = Min(list->count, neighbors);
	row->nstored = list->count;
	row->floor_score = list->floor_score;
	row->floor_item = list->floor_item;
	for (int i = 0; i < list->count; i++)
	{
		row->peers[i] = list->neighbors[i].item;
		RecsysRowScores(row)[i] = list->neighbors[i].score;
		RecsysRowSupports(row)[i] = list->neighbors[i].support;
	}
}

uint32
RecsysItemCount(Relation index)
{
	uint32		checked = RecsysGetCache(index)->nleaves;
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	const RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(buffer));
	uint32		nitems;

	/* every list asks; a number that fits what has been found sound before needs no other look */
	if (meta->magic != RECSYS_MAGIC || meta->version != RECSYS_FORMAT_VERSION ||
		meta->nitems < meta->nsorted || meta->nitems > checked * RECSYS_MAP_LEAF_ROWS)
		RecsysMetaCheck(index, BufferGetPage(buffer));
	nitems = meta->nitems;
	UnlockReleaseBuffer(buffer);
	return nitems;
}

/*
 * Make sure that the row map has a leaf for item number meta->nitems.  The meta
 * page is exclusively locked.  One atomic step over meta, root and leaf.
 */
static void
extend_row_map(Relation index, Buffer metabuffer)
{
	RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(metabuffer));
	uint32		leaves = meta->map_leaves;
	uint32		rootnumber = leaves / RECSYS_MAP_ROOT_LEAVES;
	bool		newroot = leaves % RECSYS_MAP_ROOT_LEAVES == 0;
	Buffer		root;
	Buffer		leaf;
	GenericXLogState *state;
	Page		page;

	if (meta->nitems < leaves * RECSYS_MAP_LEAF_ROWS)
		return;
	if (rootnumber >= RECSYS_MAP_ROOTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("recsys index \"%s\" cannot hold more items", RecsysIndexName(index))));

	if (newroot)
		root = RecsysNewPage(index, true);
	else
		root = RecsysReadPage(index, meta->map_roots[rootnumber], BUFFER_LOCK_EXCLUSIVE,
							  RECSYS_PAGE_MAP_ROOT);
	leaf = RecsysNewPage(index, true);

	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, leaf, GENERIC_XLOG_FULL_IMAGE);
	RecsysPageInit(page, RECSYS_PAGE_MAP_LEAF, RECSYS_ITEMS);
	page = GenericXLogRegisterBuffer(state, root, newroot ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (newroot)
		RecsysPageInit(page, RECSYS_PAGE_MAP_ROOT, RECSYS_ITEMS);
	((BlockNumber *) PageGetContents(page))[leaves % RECSYS_MAP_ROOT_LEAVES] =
		BufferGetBlockNumber(leaf);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	meta->map_roots[rootnumber] = BufferGetBlockNumber(root);
	meta->map_leaves++;
	GenericXLogFinish(state);
	RECSYS_FAULT("item-map-leaf");

	UnlockReleaseBuffer(leaf);
	UnlockReleaseBuffer(root);
}

Buffer
RecsysGraphPageWithRoom(Relation index, Buffer metabuffer, Size size)
{
	RecsysMetaData *meta = RecsysPageGetMeta(BufferGetPage(metabuffer));
	Buffer		buffer;
	GenericXLogState *state;

	if (meta->graph_tail != InvalidBlockNumber)
	{
		buffer = RecsysReadPage(index, meta->graph_tail, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_GRAPH);
		if (PageGetFreeSpace(BufferGetPage(buffer)) >= MAXALIGN(size))
			return buffer;
		UnlockReleaseBuffer(buffer);
	}

	buffer = RecsysNewPage(index, true);
	state = GenericXLogStart(index);
	RecsysPageInit(GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE),
				   RECSYS_PAGE_GRAPH, RECSYS_ITEMS);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	meta->graph_tail = BufferGetBlockNumber(buffer);
	GenericXLogFinish(state);
	RECSYS_FAULT("item-graph-page");
	return buffer;
}

/*
 * Enter a new item: its owner tuple, its number, its empty graph row and the
 * row's place in the map change in one atomic step over four pages.  The bucket
 * comes exclusively locked and is released.  Lock order: bucket, meta page,
 * graph page, row map leaf.
 */
static uint32
create_item(Relation index, Buffer bucket, RecsysKeyKind kind, const RecsysKey *key, uint32 hash)
{
	RecsysCache *cache = RecsysGetCache(index);
	Size		ownersize;
	Size		rowsize;
	RecsysOwner owner = RecsysFormOwner(kind, key, hash, 0, 2, cache->stride[RECSYS_ITEMS],
										&ownersize);
	RecsysGraphRow row = palloc0(RECSYS_ROW_SIZE(0, key->len));
	RecsysStoredRow stored = palloc0(RECSYS_ROW_SIZE(0, key->len));
	GenericXLogState *state;
	RecsysMetaData *meta;
	Buffer		metabuffer;
	Buffer		graph;
	Buffer		leaf;
	Buffer		root;
	BlockNumber leafblock;
	OffsetNumber off;
	Page		page;
	uint32		item;

	row->latest = RECSYS_NO_TIME;
	row->keylen = key->len;
	RecsysKeyStore(kind, key, RecsysRowKey(row));
	rowsize = RecsysStoreRow(row, stored);

	bucket = RecsysMakeRoom(index, RECSYS_ITEMS, bucket, hash, ownersize);
	metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_META);
	RecsysMetaCheck(index, BufferGetPage(metabuffer));
	extend_row_map(index, metabuffer);
	graph = RecsysGraphPageWithRoom(index, metabuffer, rowsize);

	meta = RecsysPageGetMeta(BufferGetPage(metabuffer));
	item = meta->nitems;
	root = RecsysReadPage(index, meta->map_roots[item / RECSYS_MAP_LEAF_ROWS / RECSYS_MAP_ROOT_LEAVES],
						  BUFFER_LOCK_SHARE, RECSYS_PAGE_MAP_ROOT);
	leafblock = ((BlockNumber *) PageGetContents(BufferGetPage(root)))
		[item / RECSYS_MAP_LEAF_ROWS % RECSYS_MAP_ROOT_LEAVES];
	UnlockReleaseBuffer(root);
	leaf = RecsysReadPage(index, leafblock, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_MAP_LEAF);

	owner->number = item;
	stored->item = item;

	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, bucket, 0);
	if (PageAddItem(page, (Item) owner, ownersize, RecsysBucketSearch(page, hash),
					false, false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"", RecsysIndexName(index));
	page = GenericXLogRegisterBuffer(state, graph, 0);
	off = PageAddItem(page, (Item) stored, rowsize, InvalidOffsetNumber, false, false);
	if (off == InvalidOffsetNumber)
		elog(ERROR, "failed to add a graph row to index \"%s\"", RecsysIndexName(index));
	page = GenericXLogRegisterBuffer(state, leaf, 0);
	ItemPointerSet((ItemPointer) PageGetContents(page) + item % RECSYS_MAP_LEAF_ROWS,
				   BufferGetBlockNumber(graph), off);
	meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	meta->nitems++;
	GenericXLogFinish(state);
	RECSYS_FAULT("item-created");

	UnlockReleaseBuffer(leaf);
	UnlockReleaseBuffer(graph);
	UnlockReleaseBuffer(metabuffer);
	UnlockReleaseBuffer(bucket);
	pfree(owner);
	pfree(row);
	pfree(stored);
	return item;
}

uint32
RecsysInternItem(Relation index, const RecsysKey *key)
{
	RecsysCache *cache = RecsysGetCache(index);
	RecsysKeyKind kind = cache->meta.item_kind;
	uint32		hash = RECSYS_TREE_HASH(RecsysKeyHash(kind, key, cache->meta.seed));
	Buffer		bucket;
	OffsetNumber off;
	uint32		item;

	if (RecsysReadOwner(index, RECSYS_ITEMS, key, NULL, &item, NULL, NULL))
		return item;

	bucket = RecsysFindBucket(index, RECSYS_ITEMS, hash, BUFFER_LOCK_EXCLUSIVE);
	off = RecsysFindOwner(index, BufferGetPage(bucket), kind, key, hash);
	if (off == InvalidOffsetNumber)
		return create_item(index, bucket, kind, key, hash);

	item = RecsysPageGetOwner(BufferGetPage(bucket), off)->number;
	UnlockReleaseBuffer(bucket);
	return item;
}
