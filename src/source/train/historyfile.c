/*
 * historyfile.c
 *	  Folded histories in a temporary file, to be read several times.
 *
 * Histories are written in blocks: how many there are, how many items they have together, their
 * lengths, and then the items of all of them, in 16 bits where that is enough, the weights, if
 * there are any, and places, where the order is kept.  So a block is read array by array, and
 * chunks of histories are copied from it without looking at each.
 *
 * A file that workers read too belongs to a set of shared files, whose description stands in a
 * small segment of its own: the file is there before anybody knows which workers there will
 * be, and is deleted when the last process lets go of the segment, be it by an error.
 */
#include "postgres.h"

#include <fcntl.h>

#include "miscadmin.h"
#include "source/input/tempfile.h"
#include "source/train/historyfile.h"
#include "storage/sharedfileset.h"

#define FILE_NAME "recsys histories"

/* A block has so many histories and items at most, unless one history alone has more. */
#define BLOCK_ROWS 2048
#define BLOCK_ENTRIES 8192

struct RecsysHistoryFile
{
	BufFile    *file;
	dsm_segment *segment;		/* of the file set; NULL for a private file */
	uint32		nitems;
	bool		weighted;
	bool		ordered;
	int			max_history;

	/* the block that is being written or read */
	RecsysHistoryChunk block;
	uint32	   *lengths;
	uint32		row;			/* the next one to be given out */

	/* one history */
	uint32	   *items;
	float	   *weights;
	RecsysOrdinal *places;		/* NULL: not kept */
};

static RecsysHistoryFile *
make_file(uint32 nitems, bool weighted, int max_history)
{
	RecsysHistoryFile *file = palloc0(sizeof(RecsysHistoryFile));

	file->nitems = nitems;
	file->weighted = weighted;
	file->max_history = max_history;
	file->items = palloc(sizeof(uint32) * Max(max_history, 1));
	file->weights = palloc(sizeof(float) * Max(max_history, 1));
	file->lengths = palloc(sizeof(uint32) * BLOCK_ROWS);
	RecsysHistoryChunkInit(&file->block, nitems, weighted, false, BLOCK_ROWS,
						   Max(BLOCK_ENTRIES, max_history));
	return file;
}

RecsysHistoryFile *
RecsysHistoryFileCreate(uint32 nitems, bool weighted, int max_history, bool shared)
{
	RecsysHistoryFile *file = make_file(nitems, weighted, max_history);

	if (shared)
		file->segment = dsm_create(sizeof(SharedFileSet), DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (file->segment != NULL)
	{
		SharedFileSet *set = dsm_segment_address(file->segment);

		SharedFileSetInit(set, file->segment);
		file->file = BufFileCreateFileSet(&set->fs, FILE_NAME);
	}
	else
		file->file = BufFileCreateTemp(false);
	return file;
}

RecsysHistoryFile *
RecsysHistoryFileOpen(uint32 nitems, bool weighted, int max_history, dsm_handle handle)
{
	dsm_segment *segment = dsm_attach(handle);
	RecsysHistoryFile *file;
	SharedFileSet *set;

	if (segment == NULL)
		return NULL;
	file = make_file(nitems, weighted, max_history);
	file->segment = segment;
	set = dsm_segment_address(segment);
	SharedFileSetAttach(set, segment);
	file->file = BufFileOpenFileSet(&set->fs, FILE_NAME, O_RDONLY, false);
	return file;
}

void
RecsysHistoryFileKeepPlaces(RecsysHistoryFile *file)
{
	file->ordered = true;
	file->places = palloc(sizeof(RecsysOrdinal) * Max(file->max_history, 1));
	RecsysHistoryChunkFree(&file->block);
	RecsysHistoryChunkInit(&file->block, file->nitems, file->weighted, true, BLOCK_ROWS,
						   Max(BLOCK_ENTRIES, file->max_history));
}

static void
write_block(RecsysHistoryFile *file)
{
	const RecsysMatrix *matrix = &file->block.matrix;
	uint32		header[2] = {matrix->nrows, (uint32) matrix->offsets[matrix->nrows]};

	if (matrix->nrows == 0)
		return;
	for (uint32 row = 0; row < matrix->nrows; row++)
		file->lengths[row] = (uint32) (matrix->offsets[row + 1] - matrix->offsets[row]);
	BufFileWrite(file->file, header, sizeof(header));
	BufFileWrite(file->file, file->lengths, sizeof(uint32) * header[0]);
	if (matrix->narrow != NULL)
		BufFileWrite(file->file, matrix->narrow, sizeof(uint16) * header[1]);
	else
		BufFileWrite(file->file, matrix->columns, sizeof(uint32) * header[1]);
	if (matrix->weights != NULL)
		BufFileWrite(file->file, matrix->weights, sizeof(float) * header[1]);
	if (matrix->places != NULL)
		BufFileWrite(file->file, matrix->places, sizeof(RecsysOrdinal) * header[1]);
	RecsysHistoryChunkClear(&file->block);
}

static void
append_row(RecsysHistoryFile *file, int count, const uint32 *items, const float *weights,
		   const RecsysOrdinal *places)
{
	uint64		offsets[2] = {0, count};
	RecsysMatrix row = {.nrows = 1, .offsets = offsets};

	row.columns = (uint32 *) items;
	row.weights = (float *) weights;
	row.places = (uint16 *) places;
	if (RecsysHistoryChunkAppend(&file->block, &row, 0) > 0)
		return;
	write_block(file);
	(void) RecsysHistoryChunkAppend(&file->block, &row, 0);
}

void
RecsysHistoryFileAppend(RecsysHistoryFile *file, const RecsysHistoryItem *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		file->items[i] = items[i].item;
		file->weights[i] = RecsysHistoryWeight(items[i].weight);
	}
	if (file->places != NULL)
		RecsysHistoryPlaces(items, count, file->places);
	append_row(file, count, file->items, file->weights, file->places);
}

void
RecsysHistoryFileFinish(RecsysHistoryFile *file)
{
	write_block(file);
	if (file->segment != NULL)
		BufFileExportFileSet(file->file);
}

bool
RecsysHistoryFileHandle(const RecsysHistoryFile *file, dsm_handle *handle)
{
	if (file->segment == NULL)
		return false;
	*handle = dsm_segment_handle(file->segment);
	return true;
}

static void
rewind_file(void *arg)
{
	RecsysHistoryFile *file = arg;

	RecsysTempFileRewind(file->file);
	RecsysHistoryChunkClear(&file->block);
	file->row = 0;
}

/* Read the next block; false at the end. */
static bool
read_block(RecsysHistoryFile *file)
{
	RecsysHistoryChunk *block = &file->block;
	RecsysMatrix *matrix = &block->matrix;
	uint32		nrows;
	uint32		nentries;

	RecsysHistoryChunkClear(block);
	file->row = 0;
	if (!RecsysTempFileReadCount(file->file, &nrows, BLOCK_ROWS))
		return false;
	if (!RecsysTempFileReadCount(file->file, &nentries, (uint32) block->maxentries))
		nrows = 0;
	RecsysTempFileRead(file->file, file->lengths, sizeof(uint32) * nrows);
	for (uint32 row = 0; row < nrows; row++)
		matrix->offsets[row + 1] = matrix->offsets[row] + file->lengths[row];
	if (nrows == 0 || matrix->offsets[nrows] != nentries)
		elog(ERROR, "invalid block of %u histories with %u items", nrows, nentries);
	matrix->nrows = nrows;
	if (matrix->narrow != NULL)
		RecsysTempFileRead(file->file, matrix->narrow, sizeof(uint16) * nentries);
	else
		RecsysTempFileRead(file->file, matrix->columns, sizeof(uint32) * nentries);
	if (matrix->weights != NULL)
		RecsysTempFileRead(file->file, matrix->weights, sizeof(float) * nentries);
	if (matrix->places != NULL)
		RecsysTempFileRead(file->file, matrix->places, sizeof(RecsysOrdinal) * nentries);
	return true;
}

static bool
next_history(void *arg, const uint32 **items, const float **weights, int *count)
{
	RecsysHistoryFile *file = arg;
	const RecsysMatrix *matrix = &file->block.matrix;
	uint64		start;

	if (file->row == matrix->nrows && !read_block(file))
		return false;
	start = matrix->offsets[file->row];
	*count = (int) (matrix->offsets[++file->row] - start);
	if (*count > file->max_history)
		elog(ERROR, "invalid history of %d items", *count);
	for (int x = 0; x < *count; x++)
		file->items[x] = RecsysMatrixColumn(matrix, start + x);
	*items = file->items;
	*weights = matrix->weights != NULL ? matrix->weights + start : NULL;
	if (file->places != NULL)
		memcpy(file->places, matrix->places + start, sizeof(RecsysOrdinal) * *count);
	return true;
}

static bool
fill_chunk(void *arg, RecsysHistoryChunk *chunk)
{
	RecsysHistoryFile *file = arg;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (file->row == file->block.matrix.nrows && !read_block(file))
			return chunk->matrix.nrows > 0;
		file->row += RecsysHistoryChunkAppend(chunk, &file->block.matrix, file->row);
		if (file->row < file->block.matrix.nrows)
			return true;
	}
}

static const RecsysOrdinal *
last_places(void *arg)
{
	return ((RecsysHistoryFile *) arg)->places;
}

void
RecsysHistoryFileStream(RecsysHistoryFile *file, RecsysUserStream *stream)
{
	stream->rewind = rewind_file;
	stream->next = next_history;
	stream->arg = file;
	stream->places = last_places;
	stream->fill = fill_chunk;
}

RecsysHistoryFile *
RecsysHistoryFileWithoutWeights(RecsysHistoryFile *file, bool shared)
{
	RecsysHistoryFile *copy = RecsysHistoryFileCreate(file->nitems, false, file->max_history, shared);
	const uint32 *items;
	const float *weights;
	int			count;

	rewind_file(file);
	while (next_history(file, &items, &weights, &count))
	{
		CHECK_FOR_INTERRUPTS();
		append_row(copy, count, items, NULL, NULL);
	}
	RecsysHistoryFileFinish(copy);
	return copy;
}

void
RecsysHistoryFileClose(RecsysHistoryFile *file)
{
	BufFileClose(file->file);
	if (file->segment != NULL)
		dsm_detach(file->segment);
	RecsysHistoryChunkFree(&file->block);
	pfree(file->lengths);
	pfree(file->items);
	pfree(file->weights);
	if (file->places != NULL)
		pfree(file->places);
	pfree(file);
}
