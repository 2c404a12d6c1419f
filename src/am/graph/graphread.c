/*
 * graphread.c
 *	  The item graph on disk: reading rows.
 *
 * Row map leaves never move once written.  A graph row moves when a merge finds
 * no room for it to grow; map and row then change in one atomic step.  A reader
 * holds no lock on the leaf while it reads the row, so it may find that the row
 * has left, and looks into the map again.  The same goes for what the session remembers of
 * places (rowhints.h).
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/store/corrupted.h"
#include "miscadmin.h"

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

/* What memory is read by */
#define CACHE_LINE 64

/* Notes where a row is, which is locked. */
static void
note_place(RecsysGraphReader *reader, uint32 item, const ItemPointerData *tid, Buffer buffer,
		   RecsysStoredRow row)
{
	RecsysRowHint *hint = RecsysRowHintMake(reader->hints, item,
											RecsysGetCache(reader->index)->meta.nitems);
	Size		start = (char *) row - (char *) BufferGetPage(buffer);
	Size		end = start % CACHE_LINE + RecsysStoredServingEnd(row);

	if (hint == NULL)
		return;
	hint->tid = *tid;
	hint->start = (uint16) (start / RECSYS_HINT_UNIT);
	hint->lines = (uint16) Min((end + CACHE_LINE - 1) / CACHE_LINE, RECSYS_HINT_LINES);
	hint->buffer = buffer;
}

/*
 * The row at a place on a pinned page, which is locked then; the page is released if it is not
 * there.
 */
static RecsysStoredRow
lock_at(RecsysGraphReader *reader, uint32 item, Buffer buffer, const ItemPointerData *tid)
{
	OffsetNumber off = ItemPointerGetOffsetNumberNoCheck(tid);
	RecsysStoredRow row;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	row = RecsysGraphLocateRow(reader->index, BufferGetPage(buffer), off, item);
	if (row == NULL)
		UnlockReleaseBuffer(buffer);
	return row;
}

/*
 * Pins the page that a hint leads to.  That alone does not count as use of the buffer, and pages
 * that are read most would be the first to be evicted; so it is found in the usual way now and
 * then.
 */
#define HINTS_BETWEEN_USES 256

bool
RecsysGraphPinHinted(RecsysGraphReader *reader, const RecsysRowHint *hint)
{
	static uint32 pins = 0;
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&hint->tid);

	if (!RECSYS_READ_RECENT_BUFFER(reader->index, block, hint->buffer))
		return false;
	if (++pins % HINTS_BETWEEN_USES == 0)
		ReleaseBuffer(ReadBuffer(reader->index, block));
	return true;
}

RecsysStoredRow
RecsysGraphLockRow(RecsysGraphReader *reader, uint32 item, Buffer *buffer)
{
	RecsysRowHint *hint = RecsysRowHintGet(reader->hints, item);
	ItemPointerData tid;
	ItemPointerData tried;
	RecsysStoredRow row;

	if (hint != NULL && RecsysGraphPinHinted(reader, hint))
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

RecsysGraphRow
RecsysGraphCopyRow(RecsysGraphReader *reader, RecsysStoredRow row, bool alone)
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
	RecsysStoredRow row = RecsysGraphLockRow(reader, item, &buffer);
	RecsysGraphRow copy;

	if (row == NULL)
		return NULL;
	copy = RecsysGraphCopyRow(reader, row, false);
	UnlockReleaseBuffer(buffer);
	return copy;
}

bool
RecsysGraphRowIsTight(RecsysGraphReader *reader, uint32 item)
{
	PGAlignedBlock again;
	Buffer		buffer;
	RecsysStoredRow row = RecsysGraphLockRow(reader, item, &buffer);
	Size		size;
	bool		tight;

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	size = RecsysStoreRow(RecsysGraphCopyRow(reader, row, false), (RecsysStoredRow) again.data);
	tight = size == RecsysStoredRowSize(row->form, row->nneighbors, row->nstored, row->keylen) &&
		memcmp(again.data, row, size) == 0;
	UnlockReleaseBuffer(buffer);
	return tight;
}

int64
RecsysGraphNeedLatest(RecsysGraphReader *reader, uint32 item)
{
	Buffer		buffer;
	RecsysStoredRow row = RecsysGraphLockRow(reader, item, &buffer);
	int64		latest;

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	latest = RecsysStoredRowLatest(row);
	UnlockReleaseBuffer(buffer);
	return latest;
}

RecsysGraphRow
RecsysGraphNeedRow(RecsysGraphReader *reader, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	return row;
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
	RecsysStoredRow row = RecsysGraphLockRow(reader, item, &buffer);
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
