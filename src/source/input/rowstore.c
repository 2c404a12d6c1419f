/*
 * rowstore.c
 *	  Interactions in memory: chunks in arrival order, then arrays by user.
 *
 * Chunks of parallel arrays grow without copying, which doubling arrays of
 * hundreds of megabytes could not.  The grouping is a counting sort: one pass to
 * count, one to place.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/rowstore.h"

void
RecsysRowStoreInit(RecsysRowStore *store, bool weighted, bool timed)
{
	memset(store, 0, sizeof(*store));
	store->weighted = weighted;
	store->timed = timed;
	store->chunk_rows = RECSYS_CHUNK_ROWS;
}

static RecsysRowChunk *
add_chunk(RecsysRowStore *store)
{
	RecsysRowChunk *chunk = palloc0(sizeof(RecsysRowChunk));

	chunk->users = palloc(sizeof(uint32) * store->chunk_rows);
	chunk->items = palloc(sizeof(uint32) * store->chunk_rows);
	chunk->positions = palloc(sizeof(uint64) * store->chunk_rows);
	if (store->weighted)
		chunk->weights = palloc(sizeof(double) * store->chunk_rows);
	if (store->timed)
		chunk->times = palloc(sizeof(int64) * store->chunk_rows);

	if (store->last != NULL)
		store->last->next = chunk;
	else
		store->first = chunk;
	store->last = chunk;
	return chunk;
}

void
RecsysRowStoreAdd(RecsysRowStore *store, uint32 user, uint32 item, uint64 position,
				  double weight, int64 time)
{
	RecsysRowChunk *chunk = store->last;
	uint32		row;

	if (chunk == NULL || chunk->nrows == store->chunk_rows)
		chunk = add_chunk(store);
	row = chunk->nrows++;
	chunk->users[row] = user;
	chunk->items[row] = item;
	chunk->positions[row] = position;
	if (store->weighted)
		chunk->weights[row] = weight;
	if (store->timed)
		chunk->times[row] = time;
	store->nrows++;
}

static void
free_first_chunk(RecsysRowStore *store)
{
	RecsysRowChunk *chunk = store->first;

	store->first = chunk->next;
	if (store->first == NULL)
		store->last = NULL;
	pfree(chunk->users);
	pfree(chunk->items);
	pfree(chunk->positions);
	if (chunk->weights)
		pfree(chunk->weights);
	if (chunk->times)
		pfree(chunk->times);
	pfree(chunk);
}

void
RecsysRowStoreFree(RecsysRowStore *store)
{
	while (store->first != NULL)
		free_first_chunk(store);
	store->nrows = 0;
}

Size
RecsysRowStoreRowSize(const RecsysRowStore *store)
{
	return sizeof(uint32) * 2 + sizeof(uint64) +
		(store->weighted ? sizeof(double) : 0) + (store->timed ? sizeof(int64) : 0);
}

/* While they are grouped by user */
Size
RecsysRowStoreGroupSize(const RecsysRowStore *store)
{
	return 2 * RecsysRowStoreRowSize(store) - sizeof(uint32);
}

Size
RecsysRowStorePeakSize(const RecsysRowStore *store, bool postings)
{
	Size		grouped = RecsysRowStoreRowSize(store) - sizeof(uint32);
	Size		folded = sizeof(uint32) + (store->weighted ? sizeof(float) : 0);
	Size		placing = RecsysRowStoreRowSize(store);
	Size		posting = sizeof(uint32) + sizeof(uint64) + (store->timed ? sizeof(int64) : 0);
	Size		modelling = folded * 2 + (postings ? posting : 0);

	return grouped + Max(placing, modelling);
}

RecsysUserRows *
RecsysGroupByUser(RecsysRowStore *store, const uint32 *rank, uint32 nusers,
				  const uint32 *itemnumber)
{
	RecsysUserRows *rows = palloc0(sizeof(RecsysUserRows));
	Size		total = Max(store->nrows, 1);
	uint64	   *next;

	rows->ngroups = nusers + 1;
	rows->offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) rows->ngroups + 2));
	rows->items = recsys_alloc_huge(sizeof(uint32) * total);
	rows->positions = recsys_alloc_huge(sizeof(uint64) * total);
	if (store->weighted)
		rows->weights = recsys_alloc_huge(sizeof(double) * total);
	if (store->timed)
		rows->times = recsys_alloc_huge(sizeof(int64) * total);

	/*
	 * Counting two places up makes offsets[g + 1] the next free place of group
	 * g while rows are placed, and the end of the group afterwards.
	 */
	next = rows->offsets + 1;
	for (RecsysRowChunk *chunk = store->first; chunk != NULL; chunk = chunk->next)
	{
		for (uint32 i = 0; i < chunk->nrows; i++)
		{
			uint32		user = chunk->users[i];

			user = user == RECSYS_NONE ? nusers : rank[user];
			chunk->users[i] = user;
			next[(Size) user + 1]++;
		}
		CHECK_FOR_INTERRUPTS();
	}
	for (Size group = 1; group <= rows->ngroups; group++)
		next[group] += next[group - 1];

	while (store->first != NULL)
	{
		RecsysRowChunk *chunk = store->first;

		for (uint32 i = 0; i < chunk->nrows; i++)
		{
			uint64		place = next[chunk->users[i]]++;
			uint32		item = chunk->items[i];

			rows->items[place] = item == RECSYS_NONE ? RECSYS_NONE : itemnumber[item];
			rows->positions[place] = chunk->positions[i];
			if (rows->weights)
				rows->weights[place] = chunk->weights[i];
			if (rows->times)
				rows->times[place] = chunk->times[i];
		}
		free_first_chunk(store);
		CHECK_FOR_INTERRUPTS();
	}
	return rows;
}

void
RecsysUserRowsFree(RecsysUserRows *rows)
{
	pfree(rows->offsets);
	pfree(rows->items);
	pfree(rows->positions);
	if (rows->weights)
		pfree(rows->weights);
	if (rows->times)
		pfree(rows->times);
	pfree(rows);
}
