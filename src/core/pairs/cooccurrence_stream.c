/*
 * cooccurrence_stream.c
 *	  Item co-occurrence when not even the histories fit in memory.
 *
 * The histories are read again and again.  Each pass counts for as many
 * consecutive items as memory allows: a history is searched for the items of
 * that range, and added to the counters of each of them.  All passes together
 * make just as many additions as the kernel in memory; what a pass costs
 * beside them is one reading of the stream.
 *
 * So the smaller the counters the fewer the passes.  A row has one of two
 * layouts, whichever is smaller:
 *
 *	dense	a counter for each item, of 8, 16 or 32 bits depending on how many
 *			users the row's item has (no pair can have more)
 *	hashed	an open-addressing table, at most two thirds full, for rows whose
 *			users have so few items between them that most counters of a dense
 *			row would stay zero
 *
 * When weights matter, either has a double beside each counter.
 */
#include "core/pairs/cooccurrence.h"

#include "core/pairs/product.h"
#include "core/pairs/rowselect.h"
#include "core/pairs/succession.h"

typedef struct StreamRow
{
	char	   *counts;			/* dense; NULL for an item without a row */
	double	   *dots;			/* dense or hashed; NULL when unweighted */
	uint32	   *slots;			/* hashed: pairs of item + 1 and count */
	uint32		nslots;			/* 0 when dense */
	int			width;			/* bytes of a dense counter */
} StreamRow;

struct RecsysStreamKernel
{
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;
	RecsysRowSelector *selector;
	bool		weighted;
	RecsysSuccession *succession;	/* NULL when the order of histories does not matter */
	Size		limit;			/* of a pass, in bytes */
	char	   *block;			/* rows and counters of the largest pass */
	StreamRow  *rows;			/* of the current pass */
	char	   *counters;		/* of all rows of the current pass */
};

static inline Size
align_up(Size size)
{
	return (size + 7) & ~(Size) 7;
}

/*
 * Choose the layout of an item's row; pointers are set by place_row.  Returns
 * the bytes of its counters.
 */
static Size
plan_row(const RecsysStreamKernel *kernel, uint32 item, StreamRow *row)
{
	const RecsysItemTotals *totals = kernel->totals;
	Size		dot_width = kernel->weighted ? sizeof(double) : 0;
	uint32		users = totals->users[item];
	uint64		nslots = totals->work[item] + totals->work[item] / 2 + 2;
	Size		dense;
	Size		hashed;

	memset(row, 0, sizeof(StreamRow));
	if (users < kernel->options->min_support)
		return 0;
	row->width = users <= 255 ? 1 : users <= PG_UINT16_MAX ? 2 : 4;
	dense = align_up((Size) totals->nitems * row->width) + totals->nitems * dot_width;
	hashed = nslots * (2 * sizeof(uint32) + dot_width);
	if (hashed >= dense || nslots > PG_INT32_MAX)
		return dense;
	row->nslots = (uint32) nslots;
	return hashed;
}

static void
place_row(const RecsysStreamKernel *kernel, StreamRow *row, char *place)
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
		row->dots = (double *) place;
}

/*
 * The end of the pass that begins with item first, and the bytes of its
 * counters.  At least one row is taken, whatever its size.
 */
static uint32
plan_pass(const RecsysStreamKernel *kernel, uint32 first, Size *bytes)
{
	uint32		last = first;
	Size		used = 0;

	*bytes = 0;
	while (last < kernel->totals->nitems)
	{
		StreamRow	row;
		Size		counters = plan_row(kernel, last, &row);

		used += counters + sizeof(StreamRow);
		if (used > kernel->limit && last > first)
			break;
		*bytes += counters;
		last++;
	}
	return last;
}

static void
add_dense(StreamRow *row, const uint32 *items, const float *weights, double weight, int count)
{
	if (row->width == 1)
	{
		uint8	   *counts = (uint8 *) row->counts;

		for (int x = 0; x < count; x++)
			counts[items[x]]++;
	}
	else if (row->width == 2)
	{
		uint16	   *counts = (uint16 *) row->counts;

		for (int x = 0; x < count; x++)
			counts[items[x]]++;
	}
	else
	{
		uint32	   *counts = (uint32 *) row->counts;

		for (int x = 0; x < count; x++)
			counts[items[x]]++;
	}
	if (row->dots != NULL)
	{
		for (int x = 0; x < count; x++)
			row->dots[items[x]] += RecsysProduct(weight, weights[x]);
	}
}

static void
add_hashed(StreamRow *row, const uint32 *items, const float *weights, double weight, int count)
{
	for (int x = 0; x < count; x++)
	{
		uint32		key = items[x] + 1;
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

/* Where in a history the first item at or above a number stands. */
static int
lower_bound(const uint32 *items, int count, uint32 item)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (items[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
count_pass(RecsysStreamKernel *kernel, RecsysUserStream *stream, uint32 first, uint32 last)
{
	const uint32 *items;
	const float *weights;
	int			count;

	stream->rewind(stream->arg);
	while (stream->next(stream->arg, &items, &weights, &count))
	{
		CHECK_FOR_INTERRUPTS();
		for (int x = lower_bound(items, count, first); x < count && items[x] < last; x++)
		{
			StreamRow  *row = &kernel->rows[items[x] - first];
			double		weight = kernel->weighted ? weights[x] : 1.0;
			const float *others = weights;

			if (kernel->succession != NULL)
			{
				const RecsysOrdinal *places = stream->places(stream->arg);

				others = RecsysSuccessionWeights(kernel->succession, places[x], places, weights, count);
			}
			if (row->nslots > 0)
				add_hashed(row, items, others, weight, count);
			else if (row->counts != NULL)
				add_dense(row, items, others, weight, count);
		}
	}
}

static void
offer_dense(RecsysStreamKernel *kernel, const StreamRow *row)
{
	uint32		nitems = kernel->totals->nitems;

	for (uint32 first = 0; first < nitems; first += RECSYS_SELECT_BLOCK)
	{
		int			n = Min(nitems - first, RECSYS_SELECT_BLOCK);
		uint32		counts[RECSYS_SELECT_BLOCK];
		uint32		largest = 0;

		for (int x = 0; x < n; x++)
		{
			Size		place = (Size) first + x;

			counts[x] = row->width == 1 ? ((uint8 *) row->counts)[place] :
				row->width == 2 ? ((uint16 *) row->counts)[place] :
				((uint32 *) row->counts)[place];
			largest = Max(largest, counts[x]);
		}
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
report_pass(RecsysStreamKernel *kernel, uint32 first, uint32 last,
			RecsysRowReporter report, void *arg)
{
	for (uint32 item = first; item < last; item++)
	{
		const StreamRow *row = &kernel->rows[item - first];

		CHECK_FOR_INTERRUPTS();
		RecsysRowSelectorStart(kernel->selector, item);
		if (row->nslots > 0)
			offer_hashed(kernel, row);
		else if (row->counts != NULL)
			offer_dense(kernel, row);
		RecsysRowSelectorFinish(kernel->selector, report, arg);
	}
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

	/* the largest pass decides what is allocated, once for all of them */
	for (uint32 first = 0; first < totals->nitems; first = last)
	{
		Size		bytes;

		last = plan_pass(kernel, first, &bytes);
		most = Max(most, (last - first) * sizeof(StreamRow) + bytes);
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
	Size		bytes = 0;

	kernel->counters = kernel->block + (last - first) * sizeof(StreamRow);
	for (uint32 item = first; item < last; item++)
	{
		StreamRow  *row = &kernel->rows[item - first];
		Size		row_bytes = plan_row(kernel, item, row);

		place_row(kernel, row, kernel->counters + bytes);
		bytes += row_bytes;
	}
	memset(kernel->counters, 0, bytes);
	count_pass(kernel, stream, first, last);
	report_pass(kernel, first, last, report, arg);
}

void
RecsysStreamKernelFree(RecsysStreamKernel *kernel)
{
	pfree(kernel->block);
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
