/*
 * graph.c
 *	  The item graph on disk: reading rows, entering new items.
 *
 * Row map leaves never move once written.  A graph row moves when a merge finds
 * no room for it to grow; map and row then change in one atomic step.  A reader
 * holds no lock on the leaf while it reads the row, so it may find that the row
 * has left, and looks into the map again.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/lists/append.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/corrupted.h"
#include "fault.h"
#include "miscadmin.h"

void
RecsysGraphReaderInit(RecsysGraphReader *reader, Relation index)
{
	reader->index = index;
	reader->leaf = InvalidBuffer;
	reader->row = InvalidBuffer;
	reader->leafnumber = RECSYS_NONE;
	reader->hints = NULL;
	reader->nhints = 0;
	reader->for_keys = false;
}

void
RecsysGraphReaderDone(RecsysGraphReader *reader)
{
	if (BufferIsValid(reader->leaf))
		ReleaseBuffer(reader->leaf);
	reader->leaf = InvalidBuffer;
	reader->leafnumber = RECSYS_NONE;
}

ItemPointerData
RecsysGraphFindRow(RecsysGraphReader *reader, uint32 item)
{
	uint32		leafnumber = item / RECSYS_MAP_LEAF_ROWS;
	ItemPointerData tid;

	if (leafnumber != reader->leafnumber)
	{
		RecsysCache *cache = RecsysGetCache(reader->index);

		if (leafnumber >= cache->nleaves)
			cache = RecsysRefreshCache(reader->index);
		ItemPointerSetInvalid(&tid);
		if (leafnumber >= cache->nleaves)
			return tid;

		RecsysGraphReaderDone(reader);
		reader->leaf = RecsysPinBlock(reader->index, cache->leaves[leafnumber]);
		reader->leafnumber = leafnumber;
	}

	LockBuffer(reader->leaf, BUFFER_LOCK_SHARE);
	RecsysPageCheck(reader->index, reader->leaf, RECSYS_PAGE_MAP_LEAF);
	tid = ((ItemPointer) PageGetContents(BufferGetPage(reader->leaf)))[item % RECSYS_MAP_LEAF_ROWS];
	LockBuffer(reader->leaf, BUFFER_LOCK_UNLOCK);
	return tid;
}

/* Does the tuple hold all that the row claims? */
static bool
row_is_sane(Relation index, ItemId itemid, RecsysGraphRow row)
{
	return row->nneighbors <= row->nstored && row->nstored <= RECSYS_MAX_STORED &&
		RecsysKeyLengthIsSane(RecsysGetCache(index)->meta.item_kind, row->keylen) &&
		RECSYS_ROW_SIZE(row->nstored, row->keylen) <= ItemIdGetLength(itemid);
}

RecsysGraphRow
RecsysGraphLocateRow(Relation index, Page page, OffsetNumber off, uint32 item)
{
	ItemId		itemid;
	RecsysGraphRow row;

	if (!RecsysPageIsOurs(page) || RecsysPageGetOpaque(page)->kind != RECSYS_PAGE_GRAPH ||
		off < FirstOffsetNumber || off > PageGetMaxOffsetNumber(page))
		return NULL;

	itemid = PageGetItemId(page, off);
	if (!RecsysItemIsSane(page, itemid, offsetof(RecsysGraphRowData, peers)))
		return NULL;
	row = (RecsysGraphRow) PageGetItem(page, itemid);
	if (row->item != item || !row_is_sane(index, itemid, row))
		return NULL;
	return row;
}

void
RecsysNoItem(Relation index, uint32 item)
{
	RecsysCorrupted(index, "index \"%s\" has no item number %u", RelationGetRelationName(index),
					item);
}

void
RecsysWrongRow(Relation index, uint32 item)
{
	RecsysCorrupted(index, "index \"%s\" has a wrong graph row for item number %u",
					RelationGetRelationName(index), item);
}

RecsysGraphRow
RecsysGraphReadRow(RecsysGraphReader *reader, uint32 item)
{
	ItemPointerData tid = RecsysGraphFindRow(reader, item);

	while (ItemPointerIsValid(&tid))
	{
		ItemPointerData known = tid;
		RecsysGraphRow row;

		reader->row = RecsysPinBlock(reader->index, ItemPointerGetBlockNumber(&tid));
		LockBuffer(reader->row, BUFFER_LOCK_SHARE);
		row = RecsysGraphLocateRow(reader->index, BufferGetPage(reader->row), ItemPointerGetOffsetNumber(&tid),
								   item);
		if (row != NULL)
			return row;
		RecsysGraphReleaseRow(reader);

		/* it has moved, and the map tells where to; otherwise it is lost */
		tid = RecsysGraphFindRow(reader, item);
		if (ItemPointerEquals(&tid, &known))
			RecsysWrongRow(reader->index, item);
	}
	return NULL;
}

/*
 * Finds a row's page and pins it, by the hint if there is one: it spares the look into the row
 * map, and the look for the buffer.  A hint that is out of date leads to a page without the row.
 */
static Buffer
pin_row(RecsysGraphReader *reader, uint32 item, ItemPointerData *tid)
{
	RecsysRowHint *hint = item < reader->nhints ? &reader->hints[item] : NULL;
	Buffer		buffer;

	if (hint != NULL && ItemPointerIsValid(&hint->tid) && BufferIsValid(hint->buffer) &&
		RECSYS_READ_RECENT_BUFFER(reader->index, ItemPointerGetBlockNumberNoCheck(&hint->tid),
								  hint->buffer))
	{
		*tid = hint->tid;
		return hint->buffer;
	}

	*tid = RecsysGraphFindRow(reader, item);
	if (!ItemPointerIsValid(tid))
		return InvalidBuffer;
	buffer = RecsysPinBlock(reader->index, ItemPointerGetBlockNumber(tid));
	if (hint != NULL)
	{
		hint->tid = *tid;
		hint->buffer = RECSYS_IS_SHARED_BUFFER(buffer) ? buffer : InvalidBuffer;
	}
	return buffer;
}

/* A row that is not where its hint says. */
static void
forget_hint(RecsysGraphReader *reader, uint32 item)
{
	if (item < reader->nhints)
		ItemPointerSetInvalid(&reader->hints[item].tid);
}

/*
 * Rows of a history are on unrelated pages, and most of the cost of reading them is
 * waiting for memory.  So a batch of pages is pinned first and their headers are
 * prefetched, then the rows; only then are the rows used one by one.  What is read
 * without a lock only decides what to prefetch.
 */
#define VISIT_BATCH 16
#define CACHE_LINE 64
#define PREFETCHED_LINES 4

/* Line pointers that fit a page: a damaged TID may name another */
#define MAX_ROWS (RECSYS_PAGE_ROOM / sizeof(ItemIdData))

/* The end of the row, by what it says without a lock */
static void
prefetch_key(Page page, OffsetNumber off)
{
	Size		start = ItemIdGetOffset(PageGetItemId(page, off));

	if (start <= BLCKSZ - offsetof(RecsysGraphRowData, peers))
	{
		RecsysGraphRow row = (RecsysGraphRow) ((char *) page + start);
		Size		key = start + RECSYS_ROW_SIZE(row->nstored, 0);

		__builtin_prefetch((char *) page + Min(key, BLCKSZ - 1));
	}
}

void
RecsysGraphVisitRows(RecsysGraphReader *reader, const uint32 *items, int n,
					 RecsysRowVisitor visit, void *arg)
{
	for (int first = 0; first < n; first += VISIT_BATCH)
	{
		int			count = Min(VISIT_BATCH, n - first);
		ItemPointerData tids[VISIT_BATCH];
		Buffer		buffers[VISIT_BATCH];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			Page		page;

			buffers[i] = pin_row(reader, items[first + i], &tids[i]);
			if (!BufferIsValid(buffers[i]))
				continue;
			page = BufferGetPage(buffers[i]);
			__builtin_prefetch(page);
			__builtin_prefetch((char *) page + BLCKSZ - CACHE_LINE);
		}

		for (int i = 0; i < count; i++)
		{
			Page		page;
			char	   *row;

			if (!BufferIsValid(buffers[i]) || ItemPointerGetOffsetNumber(&tids[i]) > MAX_ROWS)
				continue;
			page = BufferGetPage(buffers[i]);
			row = (char *) page +
				(ItemIdGetOffset(PageGetItemId(page, ItemPointerGetOffsetNumber(&tids[i]))) % BLCKSZ);
			for (int line = 0; line < PREFETCHED_LINES; line++)
				__builtin_prefetch(row + line * CACHE_LINE);
		}

		for (int i = 0; i < count && reader->for_keys; i++)
			if (BufferIsValid(buffers[i]) && ItemPointerGetOffsetNumber(&tids[i]) <= MAX_ROWS)
				prefetch_key(BufferGetPage(buffers[i]), ItemPointerGetOffsetNumber(&tids[i]));

		for (int i = 0; i < count; i++)
		{
			RecsysGraphRow row;

			if (!BufferIsValid(buffers[i]))
				continue;
			LockBuffer(buffers[i], BUFFER_LOCK_SHARE);
			row = RecsysGraphLocateRow(reader->index, BufferGetPage(buffers[i]),
									   ItemPointerGetOffsetNumber(&tids[i]), items[first + i]);
			if (row != NULL)
				visit(arg, first + i, row);
			UnlockReleaseBuffer(buffers[i]);

			/* the row has moved since the map was read, or its hint was written */
			if (row == NULL)
			{
				forget_hint(reader, items[first + i]);
				row = RecsysGraphReadRow(reader, items[first + i]);
				visit(arg, first + i, row);
				RecsysGraphReleaseRow(reader);
			}
		}
	}
}

RecsysGraphRow
RecsysGraphNeedRow(RecsysGraphReader *reader, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	return row;
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

void
RecsysGraphReleaseRow(RecsysGraphReader *reader)
{
	UnlockReleaseBuffer(reader->row);
	reader->row = InvalidBuffer;
}

bool
RecsysGraphReadKey(RecsysGraphReader *reader, uint32 item, RecsysKey *key)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);
	char	   *copy;

	if (row == NULL)
		return false;
	copy = palloc(row->keylen + 1);
	memcpy(copy, RecsysRowKey(row), row->keylen);
	RecsysKeyLoad(RecsysGetCache(reader->index)->meta.item_kind, copy, row->keylen, key);
	RecsysGraphReleaseRow(reader);
	return true;
}

void
RecsysGraphNeedKey(RecsysGraphReader *reader, uint32 item, RecsysKey *key)
{
	if (!RecsysGraphReadKey(reader, item, key))
		RecsysNoItem(reader->index, item);
}

uint32
RecsysItemCount(Relation index)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	uint32		nitems;

	RecsysMetaCheck(index, BufferGetPage(buffer));
	nitems = RecsysPageGetMeta(BufferGetPage(buffer))->nitems;
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
				 errmsg("recsys index \"%s\" cannot hold more items", RelationGetRelationName(index))));

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
	Size		rowsize = RECSYS_ROW_SIZE(0, key->len);
	RecsysOwner owner = RecsysFormOwner(kind, key, hash, 0, 2, cache->stride[RECSYS_ITEMS],
										&ownersize);
	RecsysGraphRow row = palloc0(rowsize);
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
	row->item = item;
	row->latest = RECSYS_NO_TIME;
	row->keylen = key->len;
	RecsysKeyStore(kind, key, RecsysRowKey(row));

	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, bucket, 0);
	if (PageAddItem(page, (Item) owner, ownersize, RecsysBucketSearch(page, hash),
					false, false) == InvalidOffsetNumber)
		elog(ERROR, "failed to add an owner tuple to index \"%s\"", RelationGetRelationName(index));
	page = GenericXLogRegisterBuffer(state, graph, 0);
	off = PageAddItem(page, (Item) row, rowsize, InvalidOffsetNumber, false, false);
	if (off == InvalidOffsetNumber)
		elog(ERROR, "failed to add a graph row to index \"%s\"", RelationGetRelationName(index));
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
