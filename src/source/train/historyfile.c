/*
 * historyfile.c
 *	  Folded histories in a temporary file, to be read several times.
 *
 * Each history is its length, its items and, if there are weights, its
 * weights, and places where the order is kept.  A file that workers read too belongs to a set of shared files, whose
 * description stands in a small segment of its own: the file is there before
 * anybody knows which workers there will be, and is deleted when the last
 * process lets go of the segment, be it by an error.
 */
#include "postgres.h"

#include <fcntl.h>

#include "miscadmin.h"
#include "source/input/tempfile.h"
#include "source/train/historyfile.h"
#include "storage/sharedfileset.h"

#define FILE_NAME "recsys histories"

struct RecsysHistoryFile
{
	BufFile    *file;
	dsm_segment *segment;		/* of the file set; NULL for a private file */
	bool		weighted;
	int			max_history;

	/* one history */
	uint32	   *items;
	float	   *weights;
	RecsysOrdinal *places;		/* NULL: not kept */
};

static RecsysHistoryFile *
make_file(bool weighted, int max_history)
{
	RecsysHistoryFile *file = palloc0(sizeof(RecsysHistoryFile));

	file->weighted = weighted;
	file->max_history = max_history;
	file->items = palloc(sizeof(uint32) * Max(max_history, 1));
	file->weights = palloc(sizeof(float) * Max(max_history, 1));
	return file;
}

RecsysHistoryFile *
RecsysHistoryFileCreate(bool weighted, int max_history, bool shared)
{
	RecsysHistoryFile *file = make_file(weighted, max_history);

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
RecsysHistoryFileOpen(bool weighted, int max_history, dsm_handle handle)
{
	dsm_segment *segment = dsm_attach(handle);
	RecsysHistoryFile *file;
	SharedFileSet *set;

	if (segment == NULL)
		return NULL;
	file = make_file(weighted, max_history);
	file->segment = segment;
	set = dsm_segment_address(segment);
	SharedFileSetAttach(set, segment);
	file->file = BufFileOpenFileSet(&set->fs, FILE_NAME, O_RDONLY, false);
	return file;
}

void
RecsysHistoryFileKeepPlaces(RecsysHistoryFile *file)
{
	file->places = palloc(sizeof(RecsysOrdinal) * Max(file->max_history, 1));
}

void
RecsysHistoryFileAppend(RecsysHistoryFile *file, const RecsysHistoryItem *items, int count)
{
	uint32		header = count;

	for (int i = 0; i < count; i++)
	{
		file->items[i] = items[i].item;
		file->weights[i] = RecsysHistoryWeight(items[i].weight);
	}
	BufFileWrite(file->file, &header, sizeof(header));
	BufFileWrite(file->file, file->items, sizeof(uint32) * count);
	if (file->weighted)
		BufFileWrite(file->file, file->weights, sizeof(float) * count);
	if (file->places != NULL)
	{
		RecsysHistoryPlaces(items, count, file->places);
		BufFileWrite(file->file, file->places, sizeof(RecsysOrdinal) * count);
	}
}

void
RecsysHistoryFileFinish(RecsysHistoryFile *file)
{
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
}

static bool
next_history(void *arg, const uint32 **items, const float **weights, int *count)
{
	RecsysHistoryFile *file = arg;
	uint32		header;

	if (!RecsysTempFileReadCount(file->file, &header, (uint32) file->max_history))
		return false;
	RecsysTempFileRead(file->file, file->items, sizeof(uint32) * header);
	if (file->weighted)
		RecsysTempFileRead(file->file, file->weights, sizeof(float) * header);
	if (file->places != NULL)
		RecsysTempFileRead(file->file, file->places, sizeof(RecsysOrdinal) * header);
	*items = file->items;
	*weights = file->weighted ? file->weights : NULL;
	*count = header;
	return true;
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
}

RecsysHistoryFile *
RecsysHistoryFileWithoutWeights(RecsysHistoryFile *file, bool shared)
{
	RecsysHistoryFile *copy = RecsysHistoryFileCreate(false, file->max_history, shared);
	const uint32 *items;
	const float *weights;
	int			count;

	rewind_file(file);
	while (next_history(file, &items, &weights, &count))
	{
		uint32		header = count;

		CHECK_FOR_INTERRUPTS();
		BufFileWrite(copy->file, &header, sizeof(header));
		BufFileWrite(copy->file, (void *) items, sizeof(uint32) * count);
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
	pfree(file->items);
	pfree(file->weights);
	if (file->places != NULL)
		pfree(file->places);
	pfree(file);
}
