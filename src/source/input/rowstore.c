/*
 * rowstore.c
 *	  Interactions in memory: chunks in arrival order, then arrays by user and
 *	  by item.
 *
 * Chunks of parallel arrays grow without copying, which doubling arrays of
 * hundreds of megabytes could not.  Both groupings are counting sorts: one pass
 * to count, one to place.  The rows of an item are sorted by time after that, as
 * those who read the newest of them expect.
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
}

static RecsysRowChunk *
add_chunk(RecsysRowStore *store)
{
	RecsysRowChunk *chunk = palloc0(sizeof(RecsysRowChunk));

	chunk->users = palloc(sizeof(uint32) * RECSYS_CHUNK_ROWS);
	chunk->items = palloc(sizeof(uint32) * RECSYS_CHUNK_ROWS);
	chunk->positions = palloc(sizeof(uint64) * RECSYS_CHUNK_ROWS);
	if (store->weighted)
		chunk->weights = palloc(sizeof(double) * RECSYS_CHUNK_ROWS);
	if (store->timed)
		chunk->times = palloc(sizeof(int64) * RECSYS_CHUNK_ROWS);

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

	if (chunk == NULL || chunk->nrows == RECSYS_CHUNK_ROWS)
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

RecsysItemRows *
RecsysGroupByItem(const RecsysUserRows *rows, const uint32 *rank, uint32 nitems,
				  const uint32 *hashes)
{
	RecsysItemRows *result = palloc0(sizeof(RecsysItemRows));
	uint64		total = rows->offsets[rows->ngroups];
	uint64	   *next;

	result->ngroups = nitems;
	result->offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) nitems + 2));
	result->hashes = recsys_alloc_huge(sizeof(uint32) * (Size) Max(total, 1));
	result->positions = recsys_alloc_huge(sizeof(uint64) * (Size) Max(total, 1));
	if (rows->times)
		result->times = recsys_alloc_huge(sizeof(int64) * (Size) Max(total, 1));

	next = result->offsets + 1;
	for (uint64 i = 0; i < total; i++)
		if (rows->items[i] != RECSYS_NONE)
			next[(Size) rank[rows->items[i]] + 1]++;
	for (Size group = 1; group <= nitems; group++)
		next[group] += next[group - 1];

	for (uint32 group = 0; group < rows->ngroups; group++)
	{
		bool		no_user = group == rows->ngroups - 1;

		for (uint64 i = rows->offsets[group]; i < rows->offsets[group + 1]; i++)
		{
			uint64		place;

			if (rows->items[i] == RECSYS_NONE)
				continue;
			place = next[rank[rows->items[i]]]++;
			result->hashes[place] = no_user ? 0 : hashes[group];
			result->positions[place] = (rows->positions[i] & RECSYS_POSITION_MASK) |
				(no_user ? RECSYS_POSITION_NO_USER : 0);
			if (rows->times)
				result->times[place] = rows->times[i];
		}
		if (group % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return result;
}

/* A row of an item while the item's rows are sorted */
typedef struct SortedRow
{
	int64		time;
	uint64		position;
	uint32		hash;
} SortedRow;

static inline int
compare_rows(const SortedRow *left, const SortedRow *right)
{
	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return left->position < right->position ? -1 : left->position > right->position ? 1 : 0;
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE SortedRow
#define ST_COMPARE(a, b) compare_rows(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
RecsysSortItemRows(RecsysItemRows *rows)
{
	SortedRow  *sorted;
	uint64		most = 0;

	for (uint32 group = 0; group < rows->ngroups; group++)
		most = Max(most, rows->offsets[group + 1] - rows->offsets[group]);
	sorted = recsys_alloc_huge(sizeof(SortedRow) * (Size) Max(most, 1));
	for (uint32 group = 0; group < rows->ngroups; group++)
	{
		uint64		start = rows->offsets[group];
		uint64		n = rows->offsets[group + 1] - start;

		for (uint64 i = 0; i < n; i++)
		{
			sorted[i].time = rows->times ? rows->times[start + i] : 0;
			sorted[i].position = rows->positions[start + i];
			sorted[i].hash = rows->hashes[start + i];
		}
		sort_rows(sorted, n);
		for (uint64 i = 0; i < n; i++)
		{
			rows->positions[start + i] = sorted[i].position;
			rows->hashes[start + i] = sorted[i].hash;
		}
		if (group % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(sorted);
	if (rows->times)
		pfree(rows->times);
	rows->times = NULL;
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

void
RecsysItemRowsFree(RecsysItemRows *rows)
{
	pfree(rows->offsets);
	pfree(rows->hashes);
	pfree(rows->positions);
	if (rows->times)
		pfree(rows->times);
	pfree(rows);
}
