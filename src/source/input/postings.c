/*
 * postings.c
 *	  Rows of interactions in memory, by item.
 *
 * A counting sort puts them there: one pass to count, one to place.  The rows of an item are
 * sorted by time and position after that, as those who read the newest of them expect.  Many
 * of one item are sorted byte by byte, the lowest first, without those bytes that are the
 * same in all of them; a few are compared.
 */
#include "postgres.h"

#include "core/base/platform.h"
#include "source/input/postings.h"

/* So many rows of an item are sorted byte by byte. */
#define RADIX_ROWS 128

/* A row of an item while the item's rows are sorted */
typedef struct SortedRow
{
	uint64		time;			/* unsigned order is that of the times */
	uint64		position;
	uint32		hash;
} SortedRow;

Size
RecsysItemRowsMemory(uint64 nrows, uint64 ngroups, bool timed)
{
	return sizeof(RecsysItemRows) + sizeof(uint64) * ((Size) ngroups + 2) +
		nrows * (sizeof(uint32) + sizeof(uint64) + (timed ? sizeof(int64) : 0));
}

Size
RecsysItemRowsSortMemory(uint64 most)
{
	return 2 * sizeof(SortedRow) * (Size) most;
}

RecsysItemRows *
RecsysItemRowsCreate(uint32 ngroups)
{
	RecsysItemRows *rows = palloc0(sizeof(RecsysItemRows));

	rows->ngroups = ngroups;
	rows->offsets = recsys_alloc_huge_zero(sizeof(uint64) * ((Size) ngroups + 2));
	return rows;
}

uint64
RecsysItemRowsMost(const RecsysItemRows *rows)
{
	uint64		most = 0;

	for (Size group = 0; group < rows->ngroups; group++)
		most = Max(most, rows->offsets[group + 2]);
	return most;
}

void
RecsysItemRowsAllocate(RecsysItemRows *rows, bool timed)
{
	uint64	   *next = rows->offsets + 1;
	Size		total;

	for (Size group = 1; group <= rows->ngroups; group++)
		next[group] += next[group - 1];
	total = Max(next[rows->ngroups], 1);
	rows->hashes = recsys_alloc_huge(sizeof(uint32) * total);
	rows->positions = recsys_alloc_huge(sizeof(uint64) * total);
	if (timed)
		rows->times = recsys_alloc_huge(sizeof(int64) * total);
}

RecsysItemRows *
RecsysGroupByItem(const RecsysUserRows *rows, const uint32 *rank, uint32 nitems,
				  const uint32 *hashes)
{
	RecsysItemRows *result = RecsysItemRowsCreate(nitems);
	uint64		total = rows->offsets[rows->ngroups];

	for (uint64 i = 0; i < total; i++)
		if (rows->items[i] != RECSYS_NONE)
			RecsysItemRowsCount(result, rank[rows->items[i]]);
	RecsysItemRowsAllocate(result, rows->times != NULL);

	for (uint32 group = 0; group < rows->ngroups; group++)
	{
		bool		no_user = group == rows->ngroups - 1;

		for (uint64 i = rows->offsets[group]; i < rows->offsets[group + 1]; i++)
		{
			if (rows->items[i] == RECSYS_NONE)
				continue;
			RecsysItemRowsPlace(result, rank[rows->items[i]], no_user ? 0 : hashes[group],
								(rows->positions[i] & RECSYS_POSITION_MASK) |
								(no_user ? RECSYS_POSITION_NO_USER : 0),
								rows->times != NULL ? rows->times[i] : RECSYS_NO_TIME);
		}
		if (group % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return result;
}

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

/* By one byte of the words, stable */
#define SORT_BY_BYTE(word, shift) \
	do { \
		uint64		places[256] = {0}; \
		uint64		next = 0; \
		\
		for (uint64 x = 0; x < n; x++) \
			places[(from[x].word >> (shift)) & 255]++; \
		for (int value = 0; value < 256; value++) \
		{ \
			uint64		count = places[value]; \
			\
			places[value] = next; \
			next += count; \
		} \
		for (uint64 x = 0; x < n; x++) \
			to[places[(from[x].word >> (shift)) & 255]++] = from[x]; \
	} while (0)

/* Returns where the result is: from or to. */
static SortedRow *
radix_sort(SortedRow *from, SortedRow *to, uint64 n)
{
	uint64		positions = 0;	/* bits that differ */
	uint64		times = 0;

	for (uint64 x = 1; x < n; x++)
	{
		positions |= from[x].position ^ from[0].position;
		times |= from[x].time ^ from[0].time;
	}
	for (int digit = 0; digit < 16; digit++)
	{
		int			shift = digit % 8 * 8;
		SortedRow  *swap = from;

		if ((((digit < 8 ? positions : times) >> shift) & 255) == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (digit < 8)
			SORT_BY_BYTE(position, shift);
		else
			SORT_BY_BYTE(time, shift);
		from = to;
		to = swap;
	}
	return from;
}

static bool
is_sorted(const RecsysItemRows *rows, uint64 start, uint64 n)
{
	const uint64 *positions = rows->positions + start;
	const int64 *times = rows->times != NULL ? rows->times + start : NULL;

	for (uint64 i = 1; i < n; i++)
	{
		if (times != NULL && times[i - 1] != times[i])
		{
			if (times[i - 1] > times[i])
				return false;
		}
		else if (positions[i - 1] > positions[i])
			return false;
	}
	return true;
}

/* spare has room for twice as many. */
static void
sort_group(RecsysItemRows *rows, uint64 start, uint64 n, SortedRow *spare)
{
	SortedRow  *sorted = spare;

	for (uint64 i = 0; i < n; i++)
	{
		sorted[i].time = rows->times != NULL ?
			(uint64) rows->times[start + i] ^ (UINT64CONST(1) << 63) : 0;
		sorted[i].position = rows->positions[start + i];
		sorted[i].hash = rows->hashes[start + i];
	}
	if (n >= RADIX_ROWS)
		sorted = radix_sort(spare, spare + n, n);
	else
		sort_rows(sorted, n);
	for (uint64 i = 0; i < n; i++)
	{
		rows->positions[start + i] = sorted[i].position;
		rows->hashes[start + i] = sorted[i].hash;
	}
}

void
RecsysSortItemRows(RecsysItemRows *rows)
{
	SortedRow  *spare;
	uint64		most = 1;

	for (uint32 group = 0; group < rows->ngroups; group++)
		most = Max(most, rows->offsets[group + 1] - rows->offsets[group]);
	spare = recsys_alloc_huge(RecsysItemRowsSortMemory(most));
	for (uint32 group = 0; group < rows->ngroups; group++)
	{
		uint64		start = rows->offsets[group];
		uint64		n = rows->offsets[group + 1] - start;

		if (!is_sorted(rows, start, n))
			sort_group(rows, start, n, spare);
		if (group % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(spare);
	if (rows->times)
		pfree(rows->times);
	rows->times = NULL;
}

void
RecsysItemRowsFree(RecsysItemRows *rows)
{
	pfree(rows->offsets);
	if (rows->hashes != NULL)
		pfree(rows->hashes);
	if (rows->positions != NULL)
		pfree(rows->positions);
	if (rows->times)
		pfree(rows->times);
	pfree(rows);
}
