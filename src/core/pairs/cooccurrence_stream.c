/*
 * cooccurrence_stream.c
 *	  Item co-occurrence when not even the histories fit in memory.
 *
 * The histories are read again and again.  Each pass counts for as many consecutive items as
 * memory allows.  All passes together make just as many additions as the kernel in memory;
 * what a pass costs beside them is one reading of the stream.
 *
 * Within a pass the histories come in chunks.  A chunk is first searched for the users of
 * each row's item; then one row after the other takes the histories of its users in the
 * chunk.  So additions go to the counters of one row at a time, which stay in the cache, and
 * the chunk is read over and over while it is there.  Taking a history to all of its rows
 * at once would wait for memory at every addition.
 *
 * The smaller the counters the fewer the passes: see passrow.c.
 *
 * Of the memory a third is for the chunk and the rest for counters and the lists of users.
 * Larger chunks mean that counters are fetched less often, more counters that the stream is
 * read less often.
 */
#include "core/pairs/cooccurrence.h"

#include "core/pairs/rowselect.h"
#include "core/pairs/passrow.h"
#include "core/pairs/succession.h"

/* The chunk's part of the memory: one in so many */
#define CHUNK_FRACTION 3

/* Rows of a chunk may be shorter than those of all histories are on average. */
#define ROWS_SLACK 1.25

/* Users between two checks for interrupts: well below a few milliseconds. */
#define USERS_PER_CHECK 256

struct RecsysStreamKernel
{
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysRowSelector *selector;
	bool		weighted;
	RecsysSuccession *succession;	/* NULL when the order of histories does not matter */
	RecsysHistoryChunk chunk;
	bool		loaded;			/* all histories are in the chunk, and stay there */
	RecsysStreamReading reading;
	uint64		entries;		/* of all histories */
	Size		limit;			/* of a pass, in bytes, without the chunk */
	char	   *block;			/* rows, lists and counters of the largest pass */
	RecsysPassRow *rows;		/* of the current pass */
	uint32		first;			/* its range */
	uint32		last;
};

/* Bytes of an item's row */
static Size
plan_row(const RecsysStreamKernel *kernel, uint32 item, RecsysPassRow *row)
{
	return RecsysPassRowPlan(row, kernel->totals, item, kernel->options->min_support,
							   kernel->weighted, kernel->chunk.maxrows);
}

/*
 * The end of the pass that begins with item first, and the bytes of its
 * rows.  At least one row is taken, whatever its size.
 */
static uint32
plan_pass(const RecsysStreamKernel *kernel, uint32 first, Size *bytes)
{
	uint32		last = first;

	*bytes = 0;
	while (last < kernel->totals->nitems)
	{
		RecsysPassRow row;
		Size		more = plan_row(kernel, last, &row) + sizeof(RecsysPassRow);

		if (*bytes + more > kernel->limit && last > first)
			break;
		*bytes += more;
		last++;
	}
	return last;
}

/* Find the users of each row in the chunk. */
static void
list_users(RecsysStreamKernel *kernel)
{
	const RecsysMatrix *matrix = &kernel->chunk.matrix;
	double		guess = (double) kernel->first / kernel->totals->nitems;

	for (uint32 user = 0; user < matrix->nrows; user++)
	{
		uint64		end = matrix->offsets[user + 1];
		uint64		place = RecsysMatrixFind(matrix, user, kernel->first, guess);

		if (user % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		for (; place < end; place++)
		{
			uint32		item = RecsysMatrixColumn(matrix, place);

			if (item >= kernel->last)
				break;
			RecsysPassRowList(&kernel->rows[item - kernel->first], matrix, user, place);
		}
	}
}

static void
count_chunk(RecsysStreamKernel *kernel)
{
	list_users(kernel);
	for (uint32 item = kernel->first; item < kernel->last; item++)
	{
		RecsysPassRow *row = &kernel->rows[item - kernel->first];

		for (uint32 first = 0; first < row->nusers; first += USERS_PER_CHECK)
		{
			uint32		last = Min(first + USERS_PER_CHECK, row->nusers);

			CHECK_FOR_INTERRUPTS();
			RecsysPassRowCount(row, &kernel->chunk.matrix, first, last, kernel->succession);
		}
		row->nusers = 0;
	}
}

/* Users without items do not matter, whether they are in the stream or not. */
static bool
holds_all(const RecsysStreamKernel *kernel)
{
	return kernel->chunk.matrix.offsets[kernel->chunk.matrix.nrows] == kernel->entries;
}

static void
count_pass(RecsysStreamKernel *kernel, RecsysUserStream *stream)
{
	if (kernel->loaded)
	{
		count_chunk(kernel);
		return;
	}
	RecsysStreamReadingBegin(&kernel->reading, stream);
	for (;;)
	{
		RecsysHistoryChunkClear(&kernel->chunk);
		if (!RecsysStreamReadingFill(&kernel->reading, &kernel->chunk))
			break;
		kernel->loaded = holds_all(kernel);
		count_chunk(kernel);
		if (kernel->loaded)
			break;
	}
}

static void
report_pass(RecsysStreamKernel *kernel, RecsysRowReporter report, void *arg)
{
	for (uint32 item = kernel->first; item < kernel->last; item++)
	{
		const RecsysPassRow *row = &kernel->rows[item - kernel->first];

		CHECK_FOR_INTERRUPTS();
		RecsysRowSelectorStart(kernel->selector, item);
		RecsysPassRowOffer(row, kernel->selector, kernel->options->min_support);
		RecsysRowSelectorFinish(kernel->selector, report, arg);
	}
}

/* Make the chunk, within its part of the memory unless all histories fit in that. */
static void
init_chunk(RecsysStreamKernel *kernel)
{
	const RecsysItemTotals *totals = kernel->totals;
	bool		ordered = kernel->succession != NULL;
	Size		width = RecsysHistoryChunkEntrySize(totals->nitems, kernel->weighted, ordered);
	Size		memory = kernel->limit / CHUNK_FRACTION;
	double		length;			/* of a history on average */
	double		rows;
	uint64		entries;

	for (uint32 item = 0; item < totals->nitems; item++)
		kernel->entries += totals->users[item];
	entries = kernel->entries;
	if (entries * width + (totals->nusers + 1) * RECSYS_CHUNK_ROW_SIZE <= memory)
		RecsysHistoryChunkInit(&kernel->chunk, totals->nitems, kernel->weighted, ordered,
							   (uint32) totals->nusers, entries);
	else
	{
		length = Max((double) entries / Max(totals->nusers, 1), 1.0);
		rows = memory / (length * width + ROWS_SLACK * RECSYS_CHUNK_ROW_SIZE);
		RecsysHistoryChunkInit(&kernel->chunk, totals->nitems, kernel->weighted, ordered,
							   (uint32) Min(rows * ROWS_SLACK, (double) totals->nusers),
							   Min((uint64) (rows * length), entries));
	}
	kernel->limit -= Min(kernel->limit, kernel->chunk.maxentries * width +
						 ((Size) kernel->chunk.maxrows + 1) * RECSYS_CHUNK_ROW_SIZE);
}

RecsysStreamKernel *
RecsysStreamKernelCreate(const RecsysItemTotals *totals, const RecsysModelOptions *options,
						 Size memory_limit)
{
	RecsysStreamKernel *kernel = palloc0(sizeof(RecsysStreamKernel));
	Size		fixed;
	Size		most = 0;
	uint32		last;

	kernel->totals = totals;
	kernel->options = options;
	kernel->selector = RecsysRowSelectorCreate(totals, options);
	kernel->weighted = RecsysRowSelectorUsesDots(kernel->selector);
	if (RecsysModelUsesOrder(options))
		kernel->succession = RecsysSuccessionCreate(options);

	/* the selector counts too */
	fixed = sizeof(RecsysStreamKernel) +
		RecsysRowSelectorMemory(totals->nitems, options->neighbors, kernel->weighted);
	kernel->limit = memory_limit > fixed ? memory_limit - fixed : 0;
	init_chunk(kernel);

	/* the largest pass decides what is allocated, once for all of them */
	for (uint32 first = 0; first < totals->nitems; first = last)
	{
		Size		bytes;

		last = plan_pass(kernel, first, &bytes);
		most = Max(most, bytes);
	}
	kernel->block = recsys_alloc_huge(Max(most, 1));
	kernel->rows = (RecsysPassRow *) kernel->block;
	return kernel;
}

uint32
RecsysStreamKernelPassEnd(const RecsysStreamKernel *kernel, uint32 first)
{
	Size		bytes;

	return plan_pass(kernel, first, &bytes);
}

void
RecsysStreamKernelPass(RecsysStreamKernel *kernel, RecsysUserStream *stream,
					   uint32 first, uint32 last, RecsysRowReporter report, void *arg)
{
	char	   *place = kernel->block + (last - first) * sizeof(RecsysPassRow);
	char	   *start = place;

	kernel->first = first;
	kernel->last = last;
	for (uint32 item = first; item < last; item++)
	{
		RecsysPassRow *row = &kernel->rows[item - first];
		Size		bytes = plan_row(kernel, item, row);

		RecsysPassRowPlace(row, place);
		place += bytes;
	}
	memset(start, 0, place - start);
	count_pass(kernel, stream);
	report_pass(kernel, report, arg);
}

void
RecsysStreamKernelFree(RecsysStreamKernel *kernel)
{
	pfree(kernel->block);
	RecsysHistoryChunkFree(&kernel->chunk);
	if (kernel->succession != NULL)
		RecsysSuccessionFree(kernel->succession);
	RecsysRowSelectorFree(kernel->selector);
	pfree(kernel);
}

int
RecsysCooccurrenceStream(RecsysUserStream *stream, const RecsysItemTotals *totals,
						 const RecsysModelOptions *options, Size memory_limit,
						 RecsysRowReporter report, void *arg)
{
	RecsysStreamKernel *kernel = RecsysStreamKernelCreate(totals, options, memory_limit);
	uint32		last;
	int			passes = 0;

	for (uint32 first = 0; first < totals->nitems; first = last)
	{
		last = RecsysStreamKernelPassEnd(kernel, first);
		RecsysStreamKernelPass(kernel, stream, first, last, report, arg);
		passes++;
	}
	RecsysStreamKernelFree(kernel);
	return passes;
}
