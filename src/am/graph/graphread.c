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

/*
 * The row at a place on a pinned page, which is locked then; the page is released if it is not
 * there.
 */
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
 * Pins the page that a hint leads to.  That alone does not count as use of the buffer, and pages
 * that are read most would be the first to be evicted; so it is found in the usual way now and
 * then.
 */
#define HINTS_BETWEEN_USES 256

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

bool
RecsysGraphRowIsTight(RecsysGraphReader *reader, uint32 item)
{
	PGAlignedBlock again;
	Buffer		buffer;
	RecsysStoredRow row = lock_row(reader, item, &buffer);
	Size		size;
	bool		tight;

	if (row == NULL)
		RecsysNoItem(reader->index, item);
	size = RecsysStoreRow(copy_row(reader, row, false), (RecsysStoredRow) again.data);
	tight = size == RecsysStoredRowSize(row->form, row->nneighbors, row->nstored, row->keylen) &&
		memcmp(again.data, row, size) == 0;
	UnlockReleaseBuffer(buffer);
	return tight;
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
 * memory is asked for ahead, by batches: in one go where the page begins and ends, which is
 * checked, and the row begins, so that the processor looks up the addresses of all those pages at
 * the same time; then the rest of each row shortly before it is visited.  If a hint is wrong, that
 * was in vain.  Whatever is mapped may be asked for.
 *
 * Both are always inlined: gcc takes calls away of a function that does nothing but prefetch.
 */
#define BATCH 32
#define ROWS_AHEAD 2
#define CACHE_LINE 64
#define LINES_AHEAD 10

static pg_attribute_always_inline void
ask_for_page(RecsysGraphReader *reader, uint32 item)
{
	const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, item);
	const char *page;

	if (hint == NULL)
		return;
	__builtin_prefetch(GetBufferDescriptor(hint->buffer - 1));
	page = BufferGetPage(hint->buffer);
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
	__builtin_prefetch(page + hint->start);
}

static pg_attribute_always_inline void
ask_for_row(RecsysGraphReader *reader, uint32 item)
{
	const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, item);
	const char *row;

	if (hint == NULL)
		return;
	row = (const char *) BufferGetPage(hint->buffer) + hint->start;
	for (int line = 1; line < LINES_AHEAD; line++)
		__builtin_prefetch(row + line * CACHE_LINE);
}

static pg_attribute_always_inline void
ask_for_hint(RecsysGraphReader *reader, uint32 item)
{
	if (reader->hints != NULL && item % RECSYS_ROW_HINTS < reader->hints->n)
		__builtin_prefetch(&reader->hints->hints[item % RECSYS_ROW_HINTS]);
}

/* For a batch of rows, and the hints of the one behind it */
static pg_attribute_always_inline void
ask_for_batch(RecsysGraphReader *reader, const uint32 *items, int n)
{
	for (int i = 0; i < Min(n, BATCH); i++)
		ask_for_page(reader, items[i]);
	for (int i = BATCH; i < Min(n, 2 * BATCH); i++)
		ask_for_hint(reader, items[i]);
}

void
RecsysGraphVisitStored(RecsysGraphReader *reader, const uint32 *items, int n,
					   RecsysStoredVisitor visit, void *arg)
{
	for (int i = 0; i < Min(n, BATCH); i++)
		ask_for_hint(reader, items[i]);
	for (int i = 0; i < n; i++)
	{
		RecsysStoredRow row;
		Buffer		buffer;

		if (i % BATCH == 0)
		{
			CHECK_FOR_INTERRUPTS();
			ask_for_batch(reader, items + i, n - i);
		}
		if (i + ROWS_AHEAD < n)
			ask_for_row(reader, items[i + ROWS_AHEAD]);
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
