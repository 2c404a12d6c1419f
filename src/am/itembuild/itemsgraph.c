/*
 * itemsgraph.c
 *	  Build of an items index: the item graph, and the floors of content.
 */
#include "postgres.h"

#include "am/itembuild/itemsbuildstate.h"
#include "am/itembuild/itemsrows.h"
#include "am/store/progress.h"
#include "fault.h"
#include "source/input/tempfile.h"
#include "utils/memutils.h"

/* The next item and its key, which points to bytes */
static uint32
next_key(RecsysItemsBuild *state, BufFile *file, char *bytes, RecsysKey *key)
{
	RecsysKeyHeader	header;

	RecsysTempFileRead(file, &header, sizeof(header));
	if (header.length > RECSYS_MAX_KEY_LEN || header.item >= state->nitems)
		elog(ERROR, "invalid key in a recsys temporary file");
	RecsysTempFileRead(file, bytes, header.length);
	RecsysKeyLoad(state->kind, bytes, header.length, key);
	return header.item;
}

static void
write_graph_row(void *arg, uint32 ordinal, const RecsysNeighbor *neighbors, int count)
{
	RecsysItemsBuild *state = arg;
	RecsysRowTotals totals = {.users = 1,.norm2 = 1,.mass = 1,.latest = RECSYS_NO_TIME};
	char		bytes[RECSYS_MAX_KEY_LEN];
	RecsysKey	key;
	uint32		item = next_key(state, state->keys, bytes, &key);

	if (ordinal != state->reported)
		elog(ERROR, "row %u comes in the place of %u", ordinal, state->reported);
	state->floors[ordinal] = count == RECSYS_ROW_CAPACITY(state->meta.neighbors) ?
		neighbors[count - 1].score : 0;
	RecsysGraphWriterPut(&state->graph, &state->meta, item, &key, &totals, neighbors, count);
	state->reported++;
	RECSYS_FAULT("items-build-row");
	RecsysBuildDone(state->reported);
}

/* Items that only old snapshots see */
static void
write_bare_rows(RecsysItemsBuild *state)
{
	RecsysRowTotals totals = {.latest = RECSYS_NO_TIME};
	char		bytes[RECSYS_MAX_KEY_LEN];
	RecsysKey	key;

	for (uint32 i = state->ncurrent; i < state->nitems; i++)
	{
		uint32		item = next_key(state, state->bare, bytes, &key);

		RecsysGraphWriterPut(&state->graph, &state->meta, item, &key, &totals, NULL, 0);
	}
}

void
RecsysWriteItemGraph(RecsysItemsBuild *state)
{
	RecsysItemRows rows = {0};
	Size		kept;

	RecsysBuildPhaseStart(&state->phase, RECSYS_PHASE_GRAPH, state->ncurrent);
	RecsysTempFileRewind(state->keys);
	RecsysTempFileRewind(state->bare);
	RecsysGraphWriterInit(&state->graph, state->index, state->fork, state->nitems);
	state->floors = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(float) * Max((Size) state->ncurrent, 1));
	kept = RecsysGraphWriterMemory(state->nitems) + sizeof(float) * (Size) state->ncurrent +
		sizeof(uint32) * (Size) state->npages;

	rows.heap = state->heap;
	rows.index = state->index;
	rows.concurrent = state->concurrent;
	rows.model = state->content.model;
	rows.first = state->content.content_head;
	rows.npages = state->npages;
	rows.before = state->before;
	rows.ncurrent = state->ncurrent;
	rows.plan = state->plan;
	rows.packed = state->ncurrent > 0 ? state->packed / state->ncurrent + 1 : 0;
	rows.neighbors = RECSYS_ROW_CAPACITY(state->meta.neighbors);
	rows.nworkers = state->nworkers;
	rows.memory = state->memory > kept ? state->memory - kept : 0;
	RecsysComputeItemRows(&rows, write_graph_row, state);
	if (state->reported != state->ncurrent)
		elog(ERROR, "%u rows of %u are missing", state->ncurrent - state->reported, state->ncurrent);
	write_bare_rows(state);
	RecsysGraphWriterFinish(&state->graph, &state->meta);
	BufFileClose(state->keys);
	BufFileClose(state->bare);
	RecsysContentSetFloors(state->index, &state->content, state->floors, state->ncurrent);
}
