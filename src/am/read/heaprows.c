/*
 * heaprows.c
 *	  Which rows of a heap a snapshot sees, many of them at once.
 *
 * This does for many rows what table_index_fetch_tuple does for one, and by the same function
 * of the heap, heap_hot_search_buffer: it follows chains of HOT updates, sets hint bits, and tells
 * serializable transactions of what has been read.  So an answer is what any index scan would give.
 *
 * A user's rows are on as many pages as there are rows, as a rule, and what they cost is waiting
 * for memory: the buffer's header, the page's, the line pointer, the tuple.  So
 *
 * - buffers are found by what the session knows of them (am/store/recentbuffer),
 * - what the session knows of pages is asked for a batch of rows ahead of that,
 * - headers of buffers and pages and line pointers are asked for a batch of rows at a time,
 * - the tuples that line pointers lead to are asked for while those of the next batch come, and
 * - only then a page is pinned and locked, once for all of its rows that stand together.
 *
 * What is read of pages that are not pinned decides what to ask for, and nothing else.
 *
 * A page all of whose rows are known to be seen is pinned, to read its LSN, and no more
 * (settledpages.c).
 *
 * Most tuples have been committed long ago and never been touched since, and say so themselves by
 * their hint bits.  These are seen without further ado; what is_plain asks for is what the first
 * lines of HeapTupleSatisfiesMVCC ask for in this case.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "am/read/heaprows.h"
#include "am/read/settledpages.h"
#include "am/store/recentbuffer.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"

#define BATCH 16

#define BLOCK(position) ((BlockNumber) ((position) >> 16))
#define OFFSET(position) ((OffsetNumber) ((position) & 0xFFFF))

bool
RecsysHeapRowsCanBeSeen(Relation table, Snapshot snapshot)
{
	return table->rd_tableam == GetHeapamTableAmRoutine() &&
		snapshot->snapshot_type == SNAPSHOT_MVCC;
}

static inline bool
is_offset(OffsetNumber offset)
{
	return offset >= FirstOffsetNumber && offset <= MaxHeapTuplesPerPage;
}

/* Rows that are asked for: those of one heap, or each of its own */
typedef struct Rows
{
	Relation	heap;			/* NULL: */
	const Relation *heaps;
	const uint64 *positions;
} Rows;

static inline Relation
heap_of(const Rows *rows, int i)
{
	return rows->heap != NULL ? rows->heap : rows->heaps[i];
}

/* The end of the rows from one on that are of the same heap */
static inline int
end_of_heap(const Rows *rows, int i, int end)
{
	Relation	heap = heap_of(rows, i);

	if (rows->heap != NULL)
		return end;
	while (++i < end && rows->heaps[i] == heap)
		;
	return i;
}

/* Asks for what the session knows of pages. */
static void
expect_knowledge(const Rows *rows, int first, int n)
{
	for (int i = first; i < first + n; i++)
	{
		RecsysAskForRecent(heap_of(rows, i), BLOCK(rows->positions[i]));
		RecsysAskForSettled(heap_of(rows, i), BLOCK(rows->positions[i]));
	}
}

/*
 * Asks for headers and line pointers, and says which buffers have them, of pages that more has to
 * be asked for of.
 */
static void
expect_pages(const Rows *rows, int first, int n, Buffer *buffers)
{
	const uint64 *positions = rows->positions + first;
	BlockNumber blocks[BATCH];

	for (int i = 0; i < n; i++)
		blocks[i] = BLOCK(positions[i]);
	for (int i = 0, end; i < n; i = end)
	{
		end = end_of_heap(rows, first + i, first + n) - first;
		RecsysExpectBlocks(heap_of(rows, first + i), blocks + i, end - i, buffers + i);
	}
	for (int i = 0; i < n; i++)
		if (RecsysWasSettled(heap_of(rows, first + i), blocks[i]))
			buffers[i] = InvalidBuffer;
		else if (BufferIsValid(buffers[i]) && is_offset(OFFSET(positions[i])))
			__builtin_prefetch((char *) BufferGetPage(buffers[i]) + SizeOfPageHeaderData +
							   (OFFSET(positions[i]) - 1) * sizeof(ItemIdData));
}

/*
 * Asks for what line pointers lead to.  Pages are not pinned, which an address sanitizer would
 * complain about.
 */
#ifdef __SANITIZE_ADDRESS__
__attribute__((no_sanitize_address))
#endif
static void
expect_tuples(const uint64 *positions, int n, const Buffer *buffers)
{
	for (int i = 0; i < n; i++)
	{
		const char *page;
		Size		start;

		if (!BufferIsValid(buffers[i]) || !is_offset(OFFSET(positions[i])))
			continue;
		page = BufferGetBlock(buffers[i]);
		start = ((const volatile ItemIdData *) (page + SizeOfPageHeaderData))[OFFSET(positions[i]) - 1].lp_off;
		start %= BLCKSZ;
		__builtin_prefetch(page + start);
		__builtin_prefetch(page + Min(start + SizeofHeapTupleHeader, BLCKSZ - 1));
	}
}

/* Is there a tuple that the snapshot sees, and that tells so by its header alone? */
static bool
is_plain(Page page, OffsetNumber offset, Snapshot snapshot)
{
	ItemId		itemid;
	HeapTupleHeader tuple;

	if (offset < FirstOffsetNumber || offset > PageGetMaxOffsetNumber(page))
		return false;
	itemid = PageGetItemId(page, offset);
	if (!ItemIdIsNormal(itemid))
		return false;
	tuple = (HeapTupleHeader) PageGetItem(page, itemid);

	/* one that a HOT update has made is none that an index leads to */
	return (tuple->t_infomask & HEAP_XMIN_COMMITTED) != 0 &&
		(tuple->t_infomask & HEAP_XMAX_INVALID) != 0 &&
		!HeapTupleHeaderIsHeapOnly(tuple) &&
		(HeapTupleHeaderXminFrozen(tuple) ||
		 TransactionIdPrecedes(HeapTupleHeaderGetRawXmin(tuple), snapshot->xmin));
}

/* Rows of one page, which is pinned */
static void
see_page(Relation heap, Snapshot snapshot, Buffer buffer, const uint64 *positions, int n, bool *seen)
{
	Page		page = BufferGetPage(buffer);
	bool		all_plain = true;

	/* as index scans do; what it looks at first is looked at here */
	if (TransactionIdIsValid(((PageHeader) page)->pd_prune_xid))
		heap_page_prune_opt(heap, buffer);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (int i = 0; i < n; i++)
	{
		seen[i] = !IsolationIsSerializable() && is_plain(page, OFFSET(positions[i]), snapshot);
		if (!seen[i])
		{
			ItemPointerData tid;
			HeapTupleData tuple;

			all_plain = false;
			ItemPointerSet(&tid, BLOCK(positions[i]), OFFSET(positions[i]));
			seen[i] = heap_hot_search_buffer(&tid, heap, buffer, snapshot, &tuple, NULL, true);
		}
	}
	if (all_plain)
		RecsysNotePage(heap, BLOCK(positions[0]), page);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
}

/* The same, of a page all of whose rows are seen */
static void
see_settled(Page page, const uint64 *positions, int n, bool *seen)
{
	for (int i = 0; i < n; i++)
		seen[i] = OFFSET(positions[i]) >= FirstOffsetNumber &&
			OFFSET(positions[i]) <= PageGetMaxOffsetNumber(page);
}

static void
see_batch(const Rows *rows, Snapshot snapshot, int start, int n, bool *seen)
{
	const uint64 *positions = rows->positions + start;
	int			next = 0;

	while (next < n)
	{
		Relation	heap = heap_of(rows, start + next);
		BlockNumber block = BLOCK(positions[next]);
		int			first = next;
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		while (++next < n && BLOCK(positions[next]) == block && heap_of(rows, start + next) == heap)
			;
		buffer = RecsysPinRecent(heap, block);
		if (!IsolationIsSerializable() &&
			RecsysPageIsSettled(heap, block, BufferGetPage(buffer), snapshot))
			see_settled(BufferGetPage(buffer), positions + first, next - first, seen + first);
		else
			see_page(heap, snapshot, buffer, positions + first, next - first, seen + first);
		ReleaseBuffer(buffer);
	}
}

static void
see_rows(const Rows *rows, Snapshot snapshot, int n, bool *seen)
{
	Buffer		buffers[2][BATCH];

	expect_knowledge(rows, 0, Min(BATCH, n));
	for (int pages = 0; pages < n + 2 * BATCH; pages += BATCH)
	{
		int			knowledge = pages + BATCH;
		int			tuples = pages - BATCH;
		int			batch = tuples - BATCH;

		if (knowledge < n)
			expect_knowledge(rows, knowledge, Min(BATCH, n - knowledge));
		if (pages < n)
			expect_pages(rows, pages, Min(BATCH, n - pages), buffers[pages / BATCH % 2]);
		if (tuples >= 0 && tuples < n)
			expect_tuples(rows->positions + tuples, Min(BATCH, n - tuples), buffers[tuples / BATCH % 2]);
		if (batch >= 0)
			see_batch(rows, snapshot, batch, Min(BATCH, n - batch), seen + batch);
	}
}

void
RecsysSeeHeapRows(Relation heap, Snapshot snapshot, const uint64 *positions, int n, bool *seen)
{
	Rows		rows = {.heap = heap, .positions = positions};

	see_rows(&rows, snapshot, n, seen);
}

void
RecsysSeeRowsOfHeaps(const Relation *heaps, Snapshot snapshot, const uint64 *positions, int n,
					 bool *seen)
{
	Rows		rows = {.heaps = heaps, .positions = positions};

	see_rows(&rows, snapshot, n, seen);
}
