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
#include "storage/buf_internals.h"

void
RecsysGraphReaderInit(RecsysGraphReader *reader, Relation index)
{
	reader->index = index;
	reader->leaf = InvalidBuffer;
	reader->leafnumber = RECSYS_NONE;
	reader->hints = NULL;
	reader->for_keys = false;
	reader->context = CurrentMemoryContext;
	reader->copy = NULL;
}

void
RecsysGraphReaderRemember(RecsysGraphReader *reader)
{
	reader->hints = RecsysRowHintsOf(reader->index);
}

static void
release_leaf(RecsysGraphReader *reader)
{
	if (BufferIsValid(reader->leaf))
		ReleaseBuffer(reader->leaf);
	reader->leaf = InvalidBuffer;
	reader->leafnumber = RECSYS_NONE;
}

void
RecsysGraphReaderDone(RecsysGraphReader *reader)
{
	release_leaf(reader);
	if (reader->copy != NULL)
		pfree(reader->copy);
	reader->copy = NULL;
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

		release_leaf(reader);
		reader->leaf = RecsysPinBlock(reader->index, cache->leaves[leafnumber]);
		reader->leafnumber = leafnumber;
	}

	LockBuffer(reader->leaf, BUFFER_LOCK_SHARE);
	RecsysPageCheck(reader->index, reader->leaf, RECSYS_PAGE_MAP_LEAF);
	tid = ((ItemPointer) PageGetContents(BufferGetPage(reader->leaf)))[item % RECSYS_MAP_LEAF_ROWS];
	LockBuffer(reader->leaf, BUFFER_LOCK_UNLOCK);
	return tid;
}

RecsysStoredRow
RecsysGraphLocateRow(Relation index, Page page, OffsetNumber off, uint32 item)
{
	ItemId		itemid;
	RecsysStoredRow row;

	if (!RecsysPageIsOurs(page) || RecsysPageGetOpaque(page)->kind != RECSYS_PAGE_GRAPH ||
		off < FirstOffsetNumber || off > PageGetMaxOffsetNumber(page))
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
	RecsysCorrupted(index, "index \"%s\" has no item number %u", RelationGetRelationName(index),
					item);
}

void
RecsysWrongRow(Relation index, uint32 item)
{
	RecsysCorrupted(index, "index \"%s\" has a wrong graph row for item number %u",
					RelationGetRelationName(index), item);
}

/* Notes where a row is, which is locked. */
static void
note_place(RecsysGraphReader *reader, uint32 item, const ItemPointerData *tid, Buffer buffer,
		   RecsysStoredRow row)
{
	RecsysRowHint *hint = RecsysRowHintMake(reader->hints, item,
											RecsysGetCache(reader->index)->meta.nitems);

	if (hint == NULL)
		return;
	hint->tid = *tid;
	hint->start = (uint16) ((char *) row - (char *) BufferGetPage(buffer));
	hint->buffer = buffer;
}

/* The row at a place on a pinned page, which is locked then; the page is released if it is not there. */
static RecsysStoredRow
lock_at(RecsysGraphReader *reader, uint32 item, Buffer buffer, const ItemPointerData *tid)
{
	RecsysStoredRow row;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	row = RecsysGraphLocateRow(reader->index, BufferGetPage(buffer), ItemPointerGetOffsetNumber(tid),
							   item);
	if (row == NULL)
		UnlockReleaseBuffer(buffer);
	return row;
}

/*
 * Pins the page that a hint leads to.  That alone does not count as use of the buffer, and pages that are
 * read most would be the first to be evicted; so it is found in the usual way now and then.
 */
#define HINTS_BETWEEN_USES 16

static bool
pin_hinted(RecsysGraphReader *reader, const RecsysRowHint *hint)
{
	static uint32 pins = 0;
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&hint->tid);

	if (!RECSYS_READ_RECENT_BUFFER(reader->index, block, hint->buffer))
		return false;
	if (++pins % HINTS_BETWEEN_USES == 0)
		ReleaseBuffer(ReadBuffer(reader->index, block));
	return true;
}

/* The row of an item, with its page pinned and share-locked; NULL: there is no such item number. */
static RecsysStoredRow
lock_row(RecsysGraphReader *reader, uint32 item, Buffer *buffer)
{
	RecsysRowHint *hint = RecsysRowHintGet(reader->hints, item);
	ItemPointerData tid;
	ItemPointerData tried;
	RecsysStoredRow row;

	if (hint != NULL && pin_hinted(reader, hint))
	{
		*buffer = hint->buffer;
		row = lock_at(reader, item, *buffer, &hint->tid);
		if (row != NULL)
			return row;
	}

	ItemPointerSetInvalid(&tried);
	for (;;)
	{
		tid = RecsysGraphFindRow(reader, item);
		if (!ItemPointerIsValid(&tid))
			return NULL;

		/* it has moved, and the map tells where to; otherwise it is lost */
		if (ItemPointerEquals(&tid, &tried))
			RecsysWrongRow(reader->index, item);
		*buffer = RecsysPinBlock(reader->index, ItemPointerGetBlockNumber(&tid));
		row = lock_at(reader, item, *buffer, &tid);
		if (row != NULL)
		{
			note_place(reader, item, &tid, *buffer, row);
			return row;
		}
		tried = tid;
	}
}

/* A copy of a row that is locked, in the reader's memory */
static RecsysGraphRow
copy_row(RecsysGraphReader *reader, RecsysStoredRow row, bool alone)
{
	if (reader->copy == NULL)
		reader->copy = MemoryContextAlloc(reader->context, BLCKSZ);
	if (alone)
		RecsysLoadRowAlone(row, reader->copy);
	else
		RecsysLoadRow(row, reader->copy);
	return reader->copy;
}

RecsysGraphRow
RecsysGraphReadRow(RecsysGraphReader *reader, uint32 item)
{
	Buffer		buffer;
	RecsysStoredRow row = lock_row(reader, item, &buffer);
	RecsysGraphRow copy;

	if (row == NULL)
		return NULL;
	copy = copy_row(reader, row, false);
	UnlockReleaseBuffer(buffer);
	return copy;
}

int64
RecsysGraphNeedLatest(RecsysGraphReader *reader, uint32 item)
{
	Buffer		buffer;
	RecsysStoredRow row = lock_row(reader, item, &buffer);
	int64		latest;

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	latest = RecsysStoredRowLatest(row);
	UnlockReleaseBuffer(buffer);
	return latest;
}

/*
 * Rows of a history are on unrelated pages, and most of the cost of reading them is
 * waiting for memory.  Hints tell where rows are before their pages are even pinned, so
 * memory is asked for some rows ahead: the page's ends, which are checked, and the
 * row.  If a hint is wrong, that was in vain.  Whatever is mapped may be asked for.
 */
#define ROWS_AHEAD 4
#define HINTS_AHEAD 16
#define CACHE_LINE 64
#define LINES_AHEAD 10
#define ROWS_BETWEEN_INTERRUPTS 16

/* Always inlined: gcc takes calls away of a function that does nothing but prefetch. */
static pg_attribute_always_inline void
ask_for_row(RecsysGraphReader *reader, uint32 item)
{
	const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, item);
	const char *page;

	if (hint == NULL)
		return;
	__builtin_prefetch(GetBufferDescriptor(hint->buffer - 1));
	page = BufferGetPage(hint->buffer);
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
	for (int line = 0; line < LINES_AHEAD; line++)
		__builtin_prefetch(page + hint->start + line * CACHE_LINE);
}

static pg_attribute_always_inline void
ask_for_hint(RecsysGraphReader *reader, uint32 item)
{
	if (reader->hints != NULL && item < reader->hints->n)
		__builtin_prefetch(&reader->hints->hints[item]);
}

void
RecsysGraphVisitStored(RecsysGraphReader *reader, const uint32 *items, int n,
					   RecsysStoredVisitor visit, void *arg)
{
	for (int i = -HINTS_AHEAD; i < n; i++)
	{
		RecsysStoredRow row;
		Buffer		buffer;

		if (i + HINTS_AHEAD < n)
			ask_for_hint(reader, items[i + HINTS_AHEAD]);
		if (i + ROWS_AHEAD >= 0 && i + ROWS_AHEAD < n)
			ask_for_row(reader, items[i + ROWS_AHEAD]);
		if (i < 0)
			continue;
		if (i % ROWS_BETWEEN_INTERRUPTS == 0)
			CHECK_FOR_INTERRUPTS();
		row = lock_row(reader, items[i], &buffer);
		if (row == NULL)
			continue;
		visit(arg, i, row);
		UnlockReleaseBuffer(buffer);
	}
}

/* A visitor of copies */
typedef struct CopyVisit
{
	RecsysGraphReader *reader;
	RecsysRowVisitor visit;
	void	   *arg;
} CopyVisit;

static void
visit_copy(void *arg, int position, RecsysStoredRow row)
{
	CopyVisit  *visit = arg;

	visit->visit(visit->arg, position, copy_row(visit->reader, row, visit->reader->for_keys));
}

void
RecsysGraphVisitRows(RecsysGraphReader *reader, const uint32 *items, int n,
					 RecsysRowVisitor visit, void *arg)
{
	CopyVisit	copy = {reader, visit, arg};

	RecsysGraphVisitStored(reader, items, n, visit_copy, &copy);
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

/* The copy is kept for the next row. */
void
RecsysGraphReleaseRow(RecsysGraphReader *reader)
{
}

bool
RecsysGraphReadKey(RecsysGraphReader *reader, uint32 item, RecsysKey *key)
{
	Buffer		buffer;
	RecsysStoredRow row = lock_row(reader, item, &buffer);
	char	   *copy;

	if (row == NULL)
		return false;
	copy = palloc(row->keylen + 1);
	memcpy(copy, RecsysStoredRowKey(row), row->keylen);
	RecsysKeyLoad(RecsysGetCache(reader->index)->meta.item_kind, copy, row->keylen, key);
	UnlockReleaseBuffer(buffer);
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
		elog(ERROR, "failed to add an owner tuple to index \"%s\"", RelationGetRelationName(index));
	page = GenericXLogRegisterBuffer(state, graph, 0);
	off = PageAddItem(page, (Item) stored, rowsize, InvalidOffsetNumber, false, false);
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
