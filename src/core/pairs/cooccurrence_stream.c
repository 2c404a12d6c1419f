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
 * The smaller the counters the fewer the passes.  A row has one of two layouts, whichever is
 * smaller:
 *
 *	dense	a counter for each item, of 8, 16 or 32 bits depending on how many
 *			users the row's item has (no pair can have more)
 *	hashed	an open-addressing table, at most two thirds full, for rows whose
 *			users have so few items between them that most counters of a dense
 *			row would stay zero
 *
 * When weights matter, either has a double beside each counter.
 *
 * Of the memory a third is for the chunk and the rest for counters and the lists of users.
 * Larger chunks mean that counters are fetched less often, more counters that the stream is
 * read less often.
 */
#include "core/pairs/cooccurrence.h"

#include "core/pairs/product.h"
#include "core/pairs/rowselect.h"
#include "core/pairs/succession.h"

/* The chunk's part of the memory: one in so many */
#define CHUNK_FRACTION 3

/* Rows of a chunk may be shorter than those of all histories are on average. */
#define ROWS_SLACK 1.25

/* How many users ahead a history is fetched into the cache, and how much of it */
#define PREFETCH_HISTORY 4
#define PREFETCH_BYTES 256
#define CACHE_LINE 64

/* Users between two checks for interrupts: well below a few milliseconds. */
#define USERS_PER_CHECK 256

typedef struct StreamRow
{
	char	   *counts;			/* dense; NULL for an item without a row */
	double	   *dots;			/* dense or hashed; NULL when unweighted */
	uint32	   *slots;			/* hashed: pairs of item + 1 and count */
	uint32		nslots;			/* 0 when dense */
	int			width;			/* bytes of a dense counter */
	uint32	   *users;			/* rows of the chunk that have the item */
	float	   *weights;		/* its weights there; NULL when unweighted */
	uint32		nusers;
} StreamRow;

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
	StreamRow  *rows;			/* of the current pass */
	uint32		first;			/* its range */
	uint32		last;
};

static inline Size
align_up(Size size)
{
	return (size + 7) & ~(Size) 7;
}

/* Most users of an item that are in one chunk */
static inline Size
list_room(const RecsysStreamKernel *kernel, uint32 item)
{
	return Min(kernel->totals->users[item], kernel->chunk.maxrows);
}

/*
 * Choose the layout of an item's row; pointers are set by place_row.  Returns
 * the bytes of its counters and its list.
 */
static Size
plan_row(const RecsysStreamKernel *kernel, uint32 item, StreamRow *row)
{
	const RecsysItemTotals *totals = kernel->totals;
	Size		dot_width = kernel->weighted ? sizeof(double) : 0;
	uint32		users = totals->users[item];
	uint64		nslots = totals->work[item] + totals->work[item] / 2 + 2;
	Size		list = align_up(list_room(kernel, item) *
								(sizeof(uint32) + (kernel->weighted ? sizeof(float) : 0)));
	Size		dense;
	Size		hashed;

	memset(row, 0, sizeof(StreamRow));
	if (users < kernel->options->min_support)
		return 0;
	row->width = users <= 255 ? 1 : users <= PG_UINT16_MAX ? 2 : 4;
	dense = align_up((Size) totals->nitems * row->width) + totals->nitems * dot_width;
	hashed = nslots * (2 * sizeof(uint32) + dot_width);
	if (hashed >= dense || nslots > PG_INT32_MAX)
		return dense + list;
	row->nslots = (uint32) nslots;
	return hashed + list;
}

static void
place_row(const RecsysStreamKernel *kernel, uint32 item, StreamRow *row, char *place)
{
	if (row->nslots > 0)
	{
		row->slots = (uint32 *) place;
		place += (Size) row->nslots * 2 * sizeof(uint32);
	}
	else if (row->width > 0)
	{
		row->counts = place;
		place += align_up((Size) kernel->totals->nitems * row->width);
	}
	else
		return;
	if (kernel->weighted)
	{
		row->dots = (double *) place;
		place += sizeof(double) * (row->nslots > 0 ? row->nslots : kernel->totals->nitems);
		row->weights = (float *) place;
		place += sizeof(float) * list_room(kernel, item);
	}
	row->users = (uint32 *) place;
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
		StreamRow	row;
		Size		more = plan_row(kernel, last, &row) + sizeof(StreamRow);

		if (*bytes + more > kernel->limit && last > first)
			break;
		*bytes += more;
		last++;
	}
	return last;
}

/* Bring the beginning of a history to come into the cache. */
static inline __attribute__((always_inline)) void
fetch_ahead(const RecsysMatrix *matrix, const StreamRow *row, uint32 x)
{
	const char *place;

	if (x + PREFETCH_HISTORY >= row->nusers)
		return;
	place = matrix->narrow != NULL ?
		(const char *) (matrix->narrow + matrix->offsets[row->users[x + PREFETCH_HISTORY]]) :
		(const char *) (matrix->columns + matrix->offsets[row->users[x + PREFETCH_HISTORY]]);
	for (int byte = 0; byte < PREFETCH_BYTES; byte += CACHE_LINE)
		__builtin_prefetch(place + byte);
}

/* Histories into counters of one type; columns is an array of 16 or 32-bit numbers. */
#define COUNT_DENSE(ctype, itype, columns) \
	do { \
		ctype	   *counts = (ctype *) row->counts; \
		\
		for (uint32 x = first; x < last; x++) \
		{ \
			const itype *entry = (columns) + offsets[row->users[x]]; \
			const itype *end = (columns) + offsets[row->users[x] + 1]; \
			\
			fetch_ahead(matrix, row, x); \
			for (; entry + 4 <= end; entry += 4) \
			{ \
				counts[entry[0]]++; \
				counts[entry[1]]++; \
				counts[entry[2]]++; \
				counts[entry[3]]++; \
			} \
			for (; entry < end; entry++) \
				counts[*entry]++; \
		} \
	} while (0)

static void
count_dense(const RecsysMatrix *matrix, const StreamRow *row, uint32 first, uint32 last)
{
	const uint64 *offsets = matrix->offsets;
	const uint16 *narrow = matrix->narrow;
	const uint32 *columns = matrix->columns;

	if (narrow != NULL && row->width == 1)
		COUNT_DENSE(uint8, uint16, narrow);
	else if (narrow != NULL && row->width == 2)
		COUNT_DENSE(uint16, uint16, narrow);
	else if (narrow != NULL)
		COUNT_DENSE(uint32, uint16, narrow);
	else if (row->width == 1)
		COUNT_DENSE(uint8, uint32, columns);
	else if (row->width == 2)
		COUNT_DENSE(uint16, uint32, columns);
	else
		COUNT_DENSE(uint32, uint32, columns);
}

static void
add_dots(StreamRow *row, const RecsysMatrix *matrix, uint64 start, const float *weights,
		 double weight, int count)
{
	for (int x = 0; x < count; x++)
		row->dots[RecsysMatrixColumn(matrix, start + x)] += RecsysProduct(weight, weights[x]);
}

static void
add_hashed(StreamRow *row, const RecsysMatrix *matrix, uint64 start, const float *weights,
		   double weight, int count)
{
	for (int x = 0; x < count; x++)
	{
		uint32		key = RecsysMatrixColumn(matrix, start + x) + 1;
		uint32		hash = key * 0x9E3779B1U;
		uint32		place = (uint32) ((uint64) hash * row->nslots >> 32);

		while (row->slots[2 * (Size) place] != key)
		{
			if (row->slots[2 * (Size) place] == 0)
			{
				row->slots[2 * (Size) place] = key;
				break;
			}
			if (++place == row->nslots)
				place = 0;
		}
		row->slots[2 * (Size) place + 1]++;
		if (row->dots != NULL)
			row->dots[place] += RecsysProduct(weight, weights[x]);
	}
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
			StreamRow  *row;

			if (item >= kernel->last)
				break;
			row = &kernel->rows[item - kernel->first];
			if (row->users == NULL)
				continue;
			if (kernel->weighted)
				row->weights[row->nusers] = matrix->weights[place];
			row->users[row->nusers++] = user;
		}
	}
}

/* A row where weights or a table do not let the plain loops do. */
static void
count_otherwise(RecsysStreamKernel *kernel, uint32 item, StreamRow *row, uint32 first, uint32 last)
{
	const RecsysMatrix *matrix = &kernel->chunk.matrix;

	for (uint32 x = first; x < last; x++)
	{
		uint64		start = matrix->offsets[row->users[x]];
		int			count = (int) (matrix->offsets[row->users[x] + 1] - start);
		const float *weights = kernel->weighted ? matrix->weights + start : NULL;
		double		weight = kernel->weighted ? row->weights[x] : 1.0;

		fetch_ahead(matrix, row, x);
		if (kernel->succession != NULL)
		{
			double		guess = (double) item / kernel->totals->nitems;
			uint64		own = RecsysMatrixFind(matrix, row->users[x], item, guess);

			weights = RecsysSuccessionWeights(kernel->succession, matrix->places[own],
											  matrix->places + start, weights, count);
		}
		if (row->nslots > 0)
			add_hashed(row, matrix, start, weights, weight, count);
		else
			add_dots(row, matrix, start, weights, weight, count);
	}
}

static void
count_chunk(RecsysStreamKernel *kernel)
{
	list_users(kernel);
	for (uint32 item = kernel->first; item < kernel->last; item++)
	{
		StreamRow  *row = &kernel->rows[item - kernel->first];

		for (uint32 first = 0; first < row->nusers; first += USERS_PER_CHECK)
		{
			uint32		last = Min(first + USERS_PER_CHECK, row->nusers);

			CHECK_FOR_INTERRUPTS();
			if (row->nslots == 0)
				count_dense(&kernel->chunk.matrix, row, first, last);
			if (row->nslots > 0 || row->dots != NULL)
				count_otherwise(kernel, item, row, first, last);
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

/* Copy n counters out; returns the largest. */
RECSYS_TARGET_CLONES static uint32
widen_bytes(const uint8 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

RECSYS_TARGET_CLONES static uint32
widen_shorts(const uint16 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

RECSYS_TARGET_CLONES static uint32
copy_words(const uint32 *restrict from, uint32 *restrict to, int n)
{
	uint32		largest = 0;

	for (int x = 0; x < n; x++)
	{
		to[x] = from[x];
		largest = Max(largest, to[x]);
	}
	return largest;
}

static void
offer_dense(RecsysStreamKernel *kernel, const StreamRow *row)
{
	uint32		nitems = kernel->totals->nitems;

	for (uint32 first = 0; first < nitems; first += RECSYS_SELECT_BLOCK)
	{
		int			n = Min(nitems - first, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		uint32		largest;

		if (row->width == 1)
			largest = widen_bytes((uint8 *) row->counts + first, counts, n);
		else if (row->width == 2)
			largest = widen_shorts((uint16 *) row->counts + first, counts, n);
		else
			largest = copy_words((uint32 *) row->counts + first, counts, n);
		if (largest >= kernel->options->min_support)
			RecsysRowSelectorOffer(kernel->selector, NULL, first, counts,
								   row->dots != NULL ? row->dots + first : NULL, n);
	}
}

static void
offer_hashed(RecsysStreamKernel *kernel, const StreamRow *row)
{
	uint32		items[RECSYS_SELECT_BLOCK];
	uint32		counts[RECSYS_SELECT_BLOCK];
	double		dots[RECSYS_SELECT_BLOCK];
	int			n = 0;

	for (uint32 place = 0; place < row->nslots; place++)
	{
		if (row->slots[2 * (Size) place] == 0)
			continue;
		items[n] = row->slots[2 * (Size) place] - 1;
		counts[n] = row->slots[2 * (Size) place + 1];
		dots[n] = row->dots != NULL ? row->dots[place] : 0.0;
		if (++n == RECSYS_SELECT_BLOCK)
		{
			RecsysRowSelectorOffer(kernel->selector, items, 0, counts, dots, n);
			n = 0;
		}
	}
	if (n > 0)
		RecsysRowSelectorOffer(kernel->selector, items, 0, counts, dots, n);
}

static void
report_pass(RecsysStreamKernel *kernel, RecsysRowReporter report, void *arg)
{
	for (uint32 item = kernel->first; item < kernel->last; item++)
	{
		const StreamRow *row = &kernel->rows[item - kernel->first];

		CHECK_FOR_INTERRUPTS();
		RecsysRowSelectorStart(kernel->selector, item);
		if (row->nslots > 0)
			offer_hashed(kernel, row);
		else if (row->counts != NULL)
			offer_dense(kernel, row);
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
	kernel->rows = (StreamRow *) kernel->block;
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
	char	   *place = kernel->block + (last - first) * sizeof(StreamRow);
	char	   *start = place;

	kernel->first = first;
	kernel->last = last;
	for (uint32 item = first; item < last; item++)
	{
		StreamRow  *row = &kernel->rows[item - first];
		Size		bytes = plan_row(kernel, item, row);

		place_row(kernel, item, row, place);
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
