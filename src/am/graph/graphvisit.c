/*
 * graphvisit.c
 *	  The item graph on disk: visiting the rows of a history.
 *
 * Rows of a history are on many pages, and most of the cost of reading them is waiting for memory,
 * then pinning and locking pages.  Hints (rowhints.h) tell where rows are before their pages are
 * even pinned, so memory is asked for ahead, by batches: in one go where the page begins and ends,
 * which is checked, and the row begins, so that the processor looks up the addresses of all those
 * pages at the same time; then the rest of each row shortly before it is visited.  If a hint is wrong,
 * that was in vain.  Whatever is mapped may be asked for.
 *
 * Of a long history several rows are on a page, as popular items' rows are together.  Who does not
 * need them in an order has them page by page, and each page is pinned and locked once.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "miscadmin.h"
#include "storage/buf_internals.h"

/* Rows whose pages are asked for at once, and how far ahead the rest of a row is */
#define BATCH 32
#define ROWS_AHEAD 4

/* Of a row that is copied all may be read, and a row is seldom longer. */
#define LINES_OF_ALL 10

#define CACHE_LINE 64

/* Always inlined: gcc takes calls away of a function that does nothing but prefetch. */
static pg_attribute_always_inline void
ask_for_page(const RecsysRowHint *hint)
{
	const char *page = BufferGetPage(hint->buffer);

	__builtin_prefetch(GetBufferDescriptor(hint->buffer - 1));
	__builtin_prefetch(page);
	__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
	__builtin_prefetch(page + hint->start * RECSYS_HINT_UNIT);
}

static pg_attribute_always_inline void
ask_for_row(const RecsysRowHint *hint, int lines)
{
	const char *row = (const char *) BufferGetPage(hint->buffer) + hint->start * RECSYS_HINT_UNIT;

	for (int line = 1; line < lines; line++)
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
	{
		const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, items[i]);

		if (hint != NULL)
			ask_for_page(hint);
	}
	for (int i = BATCH; i < Min(n, 2 * BATCH); i++)
		ask_for_hint(reader, items[i]);
}

static pg_attribute_always_inline void
visit_in_order(RecsysGraphReader *reader, const uint32 *items, int n, RecsysStoredVisitor visit,
			   void *arg, int least_lines)
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
		{
			const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, items[i + ROWS_AHEAD]);

			if (hint != NULL)
				ask_for_row(hint, Max(hint->lines, least_lines));
		}
		row = RecsysGraphLockRow(reader, items[i], &buffer);
		if (row == NULL)
			continue;
		visit(arg, i, row);
		UnlockReleaseBuffer(buffer);
	}
}

void
RecsysGraphVisitStored(RecsysGraphReader *reader, const uint32 *items, int n,
					   RecsysStoredVisitor visit, void *arg)
{
	visit_in_order(reader, items, n, visit, arg, 0);
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

	visit->visit(visit->arg, position,
				 RecsysGraphCopyRow(visit->reader, row, visit->reader->for_keys));
}

void
RecsysGraphVisitRows(RecsysGraphReader *reader, const uint32 *items, int n,
					 RecsysRowVisitor visit, void *arg)
{
	CopyVisit	copy = {reader, visit, arg};

	visit_in_order(reader, items, n, visit_copy, &copy, LINES_OF_ALL);
}

/* So many rows are put in order by page at once, and fewer than that not at all. */
#define SORTED_AT_ONCE 1024
#define LEAST_SORTED 128

/*
 * Pages have so many places in the order.  Those of a large graph share them, and may be locked
 * several times then.
 */
#define PLACES 2048

/* Rows by the place of their page, then as they were given; without a hint: buffer 0, anywhere */
typedef struct SortedRows
{
	RecsysRowHint hints[SORTED_AT_ONCE];
	uint16		positions[SORTED_AT_ONCE];
} SortedRows;

static void
sort_rows(RecsysGraphReader *reader, const uint32 *items, int n, SortedRows *sorted)
{
	static const RecsysRowHint unknown = {.buffer = InvalidBuffer};
	const RecsysRowHint *hints[SORTED_AT_ONCE];
	uint16		places[SORTED_AT_ONCE];
	uint16		starts[PLACES] = {0};
	uint16		start = 0;

	for (int i = 0; i < n; i++)
	{
		const RecsysRowHint *hint = RecsysRowHintGet(reader->hints, items[i]);

		hints[i] = hint != NULL ? hint : &unknown;
		places[i] = (uint16) (ItemPointerGetBlockNumberNoCheck(&hints[i]->tid) % PLACES);
		starts[places[i]]++;
	}
	for (int place = 0; place < PLACES; place++)
	{
		uint16		count = starts[place];

		starts[place] = start;
		start += count;
	}
	for (int i = 0; i < n; i++)
	{
		uint16		to = starts[places[i]]++;

		sorted->hints[to] = *hints[i];
		sorted->positions[to] = (uint16) i;
	}
}

/* A row where its hint says, on a page that is locked already or is locked now; NULL: not there */
static pg_attribute_always_inline RecsysStoredRow
find_on_page(RecsysGraphReader *reader, const RecsysRowHint *hint, uint32 item, Buffer *buffer,
			 BlockNumber *block)
{
	OffsetNumber off = ItemPointerGetOffsetNumberNoCheck(&hint->tid);
	BlockNumber hinted = ItemPointerGetBlockNumberNoCheck(&hint->tid);

	if (hint->buffer != *buffer || hinted != *block)
	{
		if (BufferIsValid(*buffer))
			UnlockReleaseBuffer(*buffer);
		*buffer = InvalidBuffer;
		*block = InvalidBlockNumber;
		if (!BufferIsValid(hint->buffer) || !RecsysGraphPinHinted(reader, hint))
			return NULL;
		*buffer = hint->buffer;
		*block = hinted;
		LockBuffer(*buffer, BUFFER_LOCK_SHARE);
		return RecsysGraphLocateRow(reader->index, BufferGetPage(*buffer), off, item);
	}
	return RecsysGraphLocateNext(reader->index, BufferGetPage(*buffer), off, item);
}

static void
visit_sorted(RecsysGraphReader *reader, const uint32 *items, int n, const SortedRows *sorted,
			 int first, RecsysStoredVisitor visit, void *arg)
{
	Buffer		buffer = InvalidBuffer;
	BlockNumber block = InvalidBlockNumber;

	for (int i = 0; i < n; i++)
	{
		const RecsysRowHint *hint = &sorted->hints[i];
		uint32		item = items[sorted->positions[i]];
		RecsysStoredRow row;

		if (i % BATCH == 0)
			for (int x = i; x < Min(n, i + BATCH); x++)
				if (BufferIsValid(sorted->hints[x].buffer))
					ask_for_page(&sorted->hints[x]);
		if (i + ROWS_AHEAD < n && BufferIsValid(hint[ROWS_AHEAD].buffer))
			ask_for_row(&hint[ROWS_AHEAD], hint[ROWS_AHEAD].lines);
		row = find_on_page(reader, hint, item, &buffer, &block);
		if (row == NULL)
		{
			if (BufferIsValid(buffer))
				UnlockReleaseBuffer(buffer);
			row = RecsysGraphLockRow(reader, item, &buffer);
			if (row == NULL)
			{
				buffer = InvalidBuffer;
				block = InvalidBlockNumber;
				continue;
			}
			block = BufferGetBlockNumber(buffer);
		}
		visit(arg, first + sorted->positions[i], row);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

void
RecsysGraphVisitByPage(RecsysGraphReader *reader, const uint32 *items, int n,
					   RecsysStoredVisitor visit, void *arg)
{
	SortedRows	sorted;

	if (n < LEAST_SORTED || reader->hints == NULL)
	{
		RecsysGraphVisitStored(reader, items, n, visit, arg);
		return;
	}
	for (int first = 0; first < n; first += SORTED_AT_ONCE)
	{
		int			count = Min(n - first, SORTED_AT_ONCE);

		CHECK_FOR_INTERRUPTS();
		sort_rows(reader, items + first, count, &sorted);
		visit_sorted(reader, items + first, count, &sorted, first, visit, arg);
	}
}
