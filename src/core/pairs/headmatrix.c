/*
 * headmatrix.c
 *	  Histories without weights, with the most popular items apart, for co-occurrence to read.
 *
 * A few items are in nearly every history, and half of all additions are to their
 * counters.  As bits they are counted 512 at a time (bitcounts.c), for what ten additions
 * or so cost; a block is worth it while its items take more than that of the additions,
 * for each entry of the matrix.
 *
 * The work of a row, which orders the items, is also what the other rows add to the
 * item's counter, because pairs are symmetric.
 *
 * The tail is in the order of ranks as well, so that the counters that are used most share
 * few cache lines.
 */
#include "core/pairs/headmatrix.h"

#include "core/base/largepages.h"

/* What a block costs for each entry of the matrix, in additions to a counter */
#define BLOCK_COST 12

/* More are never worth it before all items are in blocks, where histories are long. */
#define MAX_BLOCKS 32

#define ALIGNED(value) \
	(((value) + RECSYS_BLOCK_ALIGNMENT - 1) & ~(uintptr_t) (RECSYS_BLOCK_ALIGNMENT - 1))

/* How many entries are handled between two checks for interrupts. */
#define ENTRIES_PER_CHECK 1000000

typedef struct Ranked
{
	uint64		work;
	uint32		item;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->work != y->work)
		return x->work > y->work ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static Ranked *
rank_items(const RecsysItemTotals *totals)
{
	Ranked	   *ranked = recsys_alloc_huge(sizeof(Ranked) * Max((Size) totals->nitems, 1));

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		ranked[item].work = totals->work[item];
		ranked[item].item = item;
	}
	qsort(ranked, totals->nitems, sizeof(Ranked), compare_ranked);
	return ranked;
}

void
RecsysHeadShape(RecsysHeadMatrix *split, uint32 nrows, const RecsysItemTotals *totals)
{
	Ranked	   *ranked = rank_items(totals);
	uint64		nentries = 0;

	memset(split, 0, sizeof(RecsysHeadMatrix));
	split->nrows = nrows;
	split->nitems = totals->nitems;
	for (uint32 item = 0; item < totals->nitems; item++)
		nentries += totals->users[item];
	split->ntail = nentries;
	while (split->nblocks < MAX_BLOCKS && split->nhead < split->nitems)
	{
		uint32		last = Min(split->nitems, split->nhead + RECSYS_BLOCK_ITEMS);
		uint64		work = 0;
		uint64		users = 0;

		for (uint32 rank = split->nhead; rank < last; rank++)
		{
			work += ranked[rank].work;
			users += totals->users[ranked[rank].item];
		}
		if (work <= nentries * BLOCK_COST)
			break;
		split->nblocks++;
		split->nhead = last;
		split->ntail -= users;
	}
	pfree(ranked);
}

/* Take a piece of that size, or only see what it takes when there is no memory. */
static void *
carve(char *memory, Size *used, Size size)
{
	void	   *place = memory == NULL ? NULL : memory + *used;

	*used += ALIGNED(size);
	return place;
}

static bool
is_narrow(const RecsysHeadMatrix *split)
{
	return split->nitems - split->nhead <= RECSYS_COMPACT_COLUMNS;
}

static Size
lay_out(RecsysHeadMatrix *split, char *memory)
{
	Size		used = 0;

	split->bits = carve(memory, &used, sizeof(uint64) * RECSYS_BLOCK_WORDS * split->nblocks *
						(Size) split->nrows);
	split->items = carve(memory, &used, sizeof(uint32) * (Size) split->nitems);
	split->ranks = carve(memory, &used, sizeof(uint32) * (Size) split->nitems);
	split->offsets = carve(memory, &used, sizeof(uint64) * ((Size) split->nrows + 1));
	split->narrow = NULL;
	split->wide = NULL;
	if (is_narrow(split))
		split->narrow = carve(memory, &used, sizeof(uint16) * split->ntail);
	else
		split->wide = carve(memory, &used, sizeof(uint32) * split->ntail);
	return used;
}

Size
RecsysHeadSize(const RecsysHeadMatrix *split)
{
	RecsysHeadMatrix copy = *split;

	/* and what the first block's alignment takes */
	return lay_out(&copy, NULL) + RECSYS_BLOCK_ALIGNMENT;
}

void
RecsysHeadPlace(RecsysHeadMatrix *split, void *memory)
{
	lay_out(split, (char *) ALIGNED((uintptr_t) memory));
}

/* The history of a user; returns the end of the tail. */
static uint64
split_history(RecsysHeadMatrix *split, uint32 user, const uint32 *columns, uint64 n, uint64 tail)
{
	Size		block_size = RECSYS_BLOCK_WORDS * (Size) split->nrows;
	uint64	   *bits = split->bits + RECSYS_BLOCK_WORDS * (Size) user;

	for (int block = 0; block < split->nblocks; block++)
		memset(bits + block * block_size, 0, sizeof(uint64) * RECSYS_BLOCK_WORDS);
	for (uint64 x = 0; x < n; x++)
	{
		uint32		rank = split->ranks[columns[x]];

		if (rank < split->nhead)
			bits[rank / RECSYS_BLOCK_ITEMS * block_size + rank % RECSYS_BLOCK_ITEMS / 64] |=
				UINT64CONST(1) << (rank % 64);
		else if (split->narrow != NULL)
			split->narrow[tail++] = (uint16) (rank - split->nhead);
		else
			split->wide[tail++] = rank - split->nhead;
	}
	return tail;
}

void
RecsysHeadFill(RecsysHeadMatrix *split, const RecsysMatrix *matrix,
				const RecsysItemTotals *totals)
{
	Ranked	   *ranked = rank_items(totals);
	uint64		tail = 0;
	uint64		since_check = 0;

	Assert(matrix->nrows == split->nrows && matrix->ncolumns == split->nitems);
	for (uint32 rank = 0; rank < split->nitems; rank++)
	{
		split->items[rank] = ranked[rank].item;
		split->ranks[ranked[rank].item] = rank;
	}
	pfree(ranked);

	for (uint32 user = 0; user < split->nrows; user++)
	{
		uint64		first = matrix->offsets[user];
		uint64		n = matrix->offsets[user + 1] - first;

		split->offsets[user] = tail;
		tail = split_history(split, user, matrix->columns + first, n, tail);
		since_check += n;
		if (since_check >= ENTRIES_PER_CHECK)
		{
			CHECK_FOR_INTERRUPTS();
			since_check = 0;
		}
	}
	split->offsets[split->nrows] = tail;
	Assert(tail == split->ntail);
}

RecsysHeadMatrix *
RecsysHeadCreate(const RecsysMatrix *matrix, const RecsysItemTotals *totals)
{
	RecsysHeadMatrix *split = palloc(sizeof(RecsysHeadMatrix));
	Size		size;

	RecsysHeadShape(split, matrix->nrows, totals);
	size = RecsysHeadSize(split);
	/* read all over the place: in large pages, if it can be */
	split->memory = recsys_alloc_huge(size);
	RecsysMapPages(split->memory, size);
	RecsysHeadPlace(split, split->memory);
	RecsysHeadFill(split, matrix, totals);
	return split;
}

void
RecsysHeadFree(RecsysHeadMatrix *split)
{
	pfree(split->memory);
	pfree(split);
}
