/*
 * trainstream.c
 *	  Measures of pairs where histories and their transpose do not fit in memory together.
 *
 * What takes least is preferred in this order:
 *
 * - the histories fit at their most compact: they are loaded, and there is a transpose of one
 *	 range of items at a time (core/pairs/rangekernel.c). A pass over the histories finds the
 *	 users of a range, which costs next to nothing;
 * - they do not: they are read from their file in chunks, and as many items are counted in a
 *	 pass as the counters of fit (core/pairs/cooccurrence_stream.c).
 *
 * A matrix that is in memory stays there, so for it there is the first way only.
 */
#include "postgres.h"

#include "core/pairs/modeloptions.h"
#include "core/pairs/rangekernel.h"
#include "miscadmin.h"
#include "source/train/trainmemory.h"
#include "source/train/trainstream.h"
#include "utils/memutils.h"

/* The kernels get at least this much. */
#define MIN_STREAM_MEMORY ((Size) 1024 * 1024)

/* Histories that are copied between two checks for interrupts */
#define ROWS_PER_CHECK 65536

/* Bytes of all histories at their most compact */
static Size
compact_size(const RecsysTraining *training)
{
	const RecsysItemTotals *totals = training->totals;

	return RecsysTrainingEntries(training) *
		RecsysHistoryChunkEntrySize(totals->nitems, RecsysTrainingIsWeighted(training),
									RecsysModelUsesOrder(training->options)) +
		(totals->nusers + 1) * RECSYS_CHUNK_ROW_SIZE;
}

void
RecsysTrainingFillChunk(const RecsysTraining *training, RecsysHistoryChunk *chunk)
{
	RecsysUserStream stream;

	if (training->file == NULL)
	{
		RecsysMatrix some = *training->matrix;

		for (uint32 row = 0; row < training->matrix->nrows; row = some.nrows)
		{
			CHECK_FOR_INTERRUPTS();
			some.nrows = Min(row + ROWS_PER_CHECK, training->matrix->nrows);
			(void) RecsysHistoryChunkAppend(chunk, &some, row);
		}
	}
	else
	{
		RecsysHistoryFileStream(training->file, &stream);
		stream.rewind(stream.arg);
		(void) stream.fill(stream.arg, chunk);
	}
	if (chunk->matrix.nrows != training->totals->nusers)
		elog(ERROR, "%u histories of " UINT64_FORMAT " do not fit", chunk->matrix.nrows,
			 training->totals->nusers);
}

static int
run_ranges(const RecsysTraining *training, const RecsysMatrix *users, Size memory,
		   RecsysRowReporter report, void *arg)
{
	RecsysRangeKernel *kernel = RecsysRangeKernelCreate(users, training->totals, training->options,
														memory);
	uint32		last;
	int			passes = 0;

	for (uint32 first = 0; first < training->totals->nitems; first = last)
	{
		last = RecsysRangeKernelEnd(kernel, first, PG_UINT64_MAX);
		RecsysRangeKernelRows(kernel, first, last, report, arg);
		passes++;
	}
	RecsysRangeKernelFree(kernel);
	return passes;
}

/* Over a matrix that is there: the compact copy comes first, as it makes the kernel faster. */
static int
run_matrix(const RecsysTraining *training, Size left, RecsysRowReporter report, void *arg)
{
	RecsysMatrix matrix = *training->matrix;
	bool		weighted = RecsysTrainingIsWeighted(training);
	Size		kernel = RecsysRangeKernelMemory(training->totals->nitems, weighted);
	Size		least = RecsysRangeKernelLeast(training->totals, weighted);
	Size		compact = RecsysMatrixCompactMemory(RecsysTrainingEntries(training), weighted);
	int			passes;

	if (kernel + least + compact <= left && RecsysMatrixCompact(&matrix))
		left -= compact;
	passes = run_ranges(training, &matrix, left > kernel ? left - kernel : 0, report, arg);
	if (matrix.narrow != NULL && training->matrix->narrow == NULL)
		pfree(matrix.narrow);
	if (matrix.packed != NULL && training->matrix->packed == NULL)
		pfree(matrix.packed);
	return passes;
}

static int
run_file(const RecsysTraining *training, Size left, RecsysRowReporter report, void *arg)
{
	const RecsysItemTotals *totals = training->totals;
	bool		weighted = RecsysTrainingIsWeighted(training);
	Size		compact = compact_size(training);
	Size		kernel = RecsysRangeKernelMemory(totals->nitems, weighted);
	Size		least = RecsysRangeKernelLeast(totals, weighted);
	RecsysHistoryChunk chunk;
	RecsysUserStream stream;
	int			passes;

	if (compact + kernel + least > left)
	{
		RecsysHistoryFileStream(training->file, &stream);
		return RecsysCooccurrenceStream(&stream, totals, training->options, left, report, arg);
	}
	RecsysHistoryChunkInit(&chunk, totals->nitems, weighted, RecsysModelUsesOrder(training->options),
						   (uint32) totals->nusers, RecsysTrainingEntries(training));
	RecsysTrainingFillChunk(training, &chunk);
	passes = run_ranges(training, &chunk.matrix, left - compact - kernel, report, arg);
	RecsysHistoryChunkFree(&chunk);
	return passes;
}

int
RecsysTrainStream(const RecsysTraining *training, RecsysRowReporter report, void *arg)
{
	Size		left = Max(training->memory_left, MIN_STREAM_MEMORY);
	int			passes;

	if (training->file == NULL)
		passes = run_matrix(training, left, report, arg);
	else
		passes = run_file(training, left, report, arg);
	ereport(DEBUG1,
			(errmsg_internal("recsys: item graph computed in %d passes over %llu histories",
							 passes, (unsigned long long) training->totals->nusers)));
	return passes;
}
