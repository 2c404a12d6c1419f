/*
 * historychunk.c
 *	  Some users' folded histories, as compact as they can be.
 *
 * What is read again and again, from disk or from memory that is scarce, is worth little
 * space.  Rows are copied in runs, array by array.
 */
#include "core/rows/historychunk.h"

static inline bool
is_narrow(uint32 nitems)
{
	return nitems <= RECSYS_COMPACT_COLUMNS;
}

Size
RecsysHistoryChunkEntrySize(uint32 nitems, bool weighted, bool ordered)
{
	return (is_narrow(nitems) ? sizeof(uint16) : sizeof(uint32)) +
		(weighted ? sizeof(float) : 0) + (ordered ? sizeof(RecsysOrdinal) : 0);
}

void
RecsysHistoryChunkInit(RecsysHistoryChunk *chunk, uint32 nitems, bool weighted, bool ordered,
					   uint32 maxrows, uint64 maxentries)
{
	RecsysMatrix *matrix = &chunk->matrix;

	memset(chunk, 0, sizeof(*chunk));
	chunk->maxrows = Max(maxrows, 1);
	chunk->maxentries = Max(maxentries, 1);
	matrix->ncolumns = nitems;
	matrix->offsets = recsys_alloc_huge(sizeof(uint64) * ((Size) chunk->maxrows + 1));
	matrix->offsets[0] = 0;
	if (is_narrow(nitems))
		matrix->narrow = recsys_alloc_huge(sizeof(uint16) * chunk->maxentries);
	else
		matrix->columns = recsys_alloc_huge(sizeof(uint32) * chunk->maxentries);
	if (weighted)
		matrix->weights = recsys_alloc_huge(sizeof(float) * chunk->maxentries);
	if (ordered)
		matrix->places = recsys_alloc_huge(sizeof(RecsysOrdinal) * chunk->maxentries);
}

void
RecsysHistoryChunkInitFixed(RecsysHistoryChunk *chunk, const RecsysMatrix *matrix,
							uint32 maxrows, uint64 maxentries)
{
	memset(chunk, 0, sizeof(*chunk));
	chunk->matrix = *matrix;
	chunk->matrix.nrows = 0;
	chunk->matrix.offsets[0] = 0;
	chunk->maxrows = maxrows;
	chunk->maxentries = maxentries;
	chunk->fixed = true;
}

void
RecsysHistoryChunkClear(RecsysHistoryChunk *chunk)
{
	chunk->matrix.nrows = 0;
}

static void
enlarge(RecsysHistoryChunk *chunk, uint64 entries)
{
	RecsysMatrix *matrix = &chunk->matrix;

	if (chunk->fixed)
		elog(ERROR, "more histories than were counted");
	chunk->maxentries = entries;
	if (matrix->narrow != NULL)
		matrix->narrow = recsys_realloc_huge(matrix->narrow, sizeof(uint16) * entries);
	if (matrix->columns != NULL)
		matrix->columns = recsys_realloc_huge(matrix->columns, sizeof(uint32) * entries);
	if (matrix->weights != NULL)
		matrix->weights = recsys_realloc_huge(matrix->weights, sizeof(float) * entries);
	if (matrix->places != NULL)
		matrix->places = recsys_realloc_huge(matrix->places, sizeof(RecsysOrdinal) * entries);
}

/* Columns, from an array of either width to one of either width */
static void
copy_columns(RecsysMatrix *matrix, uint64 place, const RecsysMatrix *from, uint64 start, uint64 n)
{
	if (matrix->narrow != NULL && from->narrow != NULL)
		memcpy(matrix->narrow + place, from->narrow + start, sizeof(uint16) * n);
	else if (matrix->narrow != NULL)
	{
		for (uint64 x = 0; x < n; x++)
			matrix->narrow[place + x] = (uint16) from->columns[start + x];
	}
	else if (from->narrow != NULL)
	{
		for (uint64 x = 0; x < n; x++)
			matrix->columns[place + x] = from->narrow[start + x];
	}
	else
		memcpy(matrix->columns + place, from->columns + start, sizeof(uint32) * n);
}

uint32
RecsysHistoryChunkAppend(RecsysHistoryChunk *chunk, const RecsysMatrix *from, uint32 first)
{
	RecsysMatrix *matrix = &chunk->matrix;
	uint64		place = matrix->offsets[matrix->nrows];
	uint64		start = from->offsets[first];
	uint32		last = first;
	uint64		n;

	if (first < from->nrows && matrix->nrows == 0 &&
		from->offsets[first + 1] - start > chunk->maxentries)
		enlarge(chunk, from->offsets[first + 1] - start);
	while (last < from->nrows && matrix->nrows < chunk->maxrows &&
		   place + (from->offsets[last + 1] - start) <= chunk->maxentries)
	{
		last++;
		matrix->offsets[++matrix->nrows] = place + (from->offsets[last] - start);
	}
	n = from->offsets[last] - start;
	if (n == 0)
		return last - first;
	copy_columns(matrix, place, from, start, n);
	if (matrix->weights != NULL)
		memcpy(matrix->weights + place, from->weights + start, sizeof(float) * n);
	if (matrix->places != NULL)
		memcpy(matrix->places + place, from->places + start, sizeof(RecsysOrdinal) * n);
	return last - first;
}

void
RecsysHistoryChunkFree(RecsysHistoryChunk *chunk)
{
	RecsysMatrix *matrix = &chunk->matrix;

	if (chunk->fixed)
		return;
	pfree(matrix->offsets);
	if (matrix->narrow != NULL)
		pfree(matrix->narrow);
	if (matrix->columns != NULL)
		pfree(matrix->columns);
	if (matrix->weights != NULL)
		pfree(matrix->weights);
	if (matrix->places != NULL)
		pfree(matrix->places);
}
