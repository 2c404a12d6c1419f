/*
 * histories.c
 *	  Folded histories collected one after the other.
 */
#include "core/rows/histories.h"

#define FIRST_ROWS 1024
#define FIRST_ENTRIES 16384

void
RecsysHistoriesInit(RecsysHistories *histories, uint32 nitems, bool weighted)
{
	RecsysMatrix *matrix = &histories->matrix;

	memset(histories, 0, sizeof(*histories));
	histories->maxrows = FIRST_ROWS;
	histories->maxentries = FIRST_ENTRIES;
	matrix->offsets = palloc(sizeof(uint64) * (FIRST_ROWS + 1));
	matrix->offsets[0] = 0;
	matrix->columns = palloc(sizeof(uint32) * FIRST_ENTRIES);
	if (weighted)
		matrix->weights = palloc(sizeof(float) * FIRST_ENTRIES);
	matrix->ncolumns = nitems;
}

void
RecsysHistoriesKeepPlaces(RecsysHistories *histories)
{
	Assert(histories->matrix.nrows == 0);
	histories->matrix.places = recsys_alloc_huge(sizeof(RecsysOrdinal) * histories->maxentries);
}

uint64
RecsysHistoriesAdd(RecsysHistories *histories, const RecsysHistoryItem *items, int count)
{
	RecsysMatrix *matrix = &histories->matrix;
	uint64		entries = RecsysHistoriesEntries(histories);

	if (matrix->nrows == histories->maxrows)
	{
		histories->maxrows *= 2;
		matrix->offsets = recsys_realloc_huge(matrix->offsets,
											  sizeof(uint64) * ((Size) histories->maxrows + 1));
	}
	if (entries + count > histories->maxentries)
	{
		histories->maxentries = Max(histories->maxentries + histories->maxentries / 2,
									entries + count);
		matrix->columns = recsys_realloc_huge(matrix->columns,
											  sizeof(uint32) * histories->maxentries);
		if (matrix->weights != NULL)
			matrix->weights = recsys_realloc_huge(matrix->weights,
												  sizeof(float) * histories->maxentries);
		if (matrix->places != NULL)
			matrix->places = recsys_realloc_huge(matrix->places,
												 sizeof(RecsysOrdinal) * histories->maxentries);
	}
	for (int i = 0; i < count; i++)
		matrix->columns[entries + i] = items[i].item;
	for (int i = 0; matrix->weights != NULL && i < count; i++)
		matrix->weights[entries + i] = RecsysHistoryWeight(items[i].weight);
	if (matrix->places != NULL)
		RecsysHistoryPlaces(items, count, matrix->places + entries);
	matrix->offsets[++matrix->nrows] = entries + count;
	return entries;
}

void
RecsysHistoriesClear(RecsysHistories *histories)
{
	histories->matrix.nrows = 0;
}
