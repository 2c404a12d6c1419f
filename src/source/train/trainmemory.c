/*
 * trainmemory.c
 *	  What a training has of memory, and needs of it.
 *
 * maintenance_work_mem bounds all of it.  A model that must have the histories in
 * memory loads them from their file when they fit; when they do not, the error tells
 * how large the setting has to be.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "source/train/trainmemory.h"
#include "utils/memutils.h"

bool
RecsysTrainingIsWeighted(const RecsysTraining *training)
{
	return training->totals->norm2 != NULL;
}

/* Interactions in all histories */
uint64
RecsysTrainingEntries(const RecsysTraining *training)
{
	uint64		entries = 0;

	if (training->matrix != NULL)
		return training->matrix->offsets[training->matrix->nrows];
	for (uint32 item = 0; item < training->totals->nitems; item++)
		entries += training->totals->users[item];
	return entries;
}

void
RecsysTrainingUseMemory(RecsysTraining *training, Size bytes)
{
	training->memory_left -= Min(bytes, training->memory_left);
}

void
RecsysTrainingLacksMemory(const RecsysTraining *training, Size missing)
{
	/* what the limit is now and what is missing, in whole megabytes */
	int64		megabytes = (int64) ((Size) maintenance_work_mem * 1024 + missing) / (1024 * 1024) + 1;

	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("maintenance_work_mem is too small for similarity \"%s\"",
					RecsysSimilarityName(training->options->similarity)),
			 errdetail("%u items with %llu interactions do not fit.", training->totals->nitems,
					   (unsigned long long) RecsysTrainingEntries(training)),
			 training->options->similarity == RECSYS_SPECTRAL ||
			 training->options->similarity == RECSYS_ALS ?
			 errhint("Set maintenance_work_mem to at least %lld MB, or lower \"rank\".",
					 (long long) megabytes) :
			 errhint("Set maintenance_work_mem to at least %lld MB.", (long long) megabytes)));
}

static void
require_memory(const RecsysTraining *training, Size needed)
{
	if (needed > training->memory_left)
		RecsysTrainingLacksMemory(training, needed - training->memory_left);
}

/* Histories that were on disk, in memory. */
static RecsysMatrix *
load_matrix(const RecsysTraining *training)
{
	const RecsysItemTotals *totals = training->totals;
	uint64		entries = RecsysTrainingEntries(training);
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));
	RecsysUserStream stream;
	const uint32 *items;
	const float *weights;
	int			count;

	matrix->ncolumns = totals->nitems;
	matrix->offsets = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint64) * (totals->nusers + 1));
	matrix->columns = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint32) * Max(entries, 1));
	if (RecsysTrainingIsWeighted(training))
		matrix->weights = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(float) * Max(entries, 1));
	matrix->offsets[0] = 0;
	/* no model that comes here looks at their order */
	RecsysHistoryFileStream(training->file, &stream);
	stream.rewind(stream.arg);
	while (stream.next(stream.arg, &items, &weights, &count))
	{
		uint64		first = matrix->offsets[matrix->nrows];

		CHECK_FOR_INTERRUPTS();
		if (matrix->nrows == totals->nusers || first + count > entries)
			elog(ERROR, "more histories than were counted");
		memcpy(matrix->columns + first, items, sizeof(uint32) * count);
		if (matrix->weights != NULL)
			memcpy(matrix->weights + first, weights, sizeof(float) * count);
		matrix->offsets[++matrix->nrows] = first + count;
	}
	return matrix;
}

/* See to it that the histories are in memory, if they and so much more fit. */
void
RecsysTrainingNeedMatrix(RecsysTraining *training, Size more)
{
	Size		size = RecsysMatrixMemory(training->totals->nusers, RecsysTrainingEntries(training),
										  RecsysTrainingIsWeighted(training));

	if (training->file == NULL)
	{
		require_memory(training, more);
		return;
	}
	require_memory(training, size + more);
	training->matrix = load_matrix(training);
	training->file = NULL;
	RecsysTrainingUseMemory(training, size);
}
