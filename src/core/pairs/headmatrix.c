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
 *
 * Whether an entry is of the head nobody can predict, so nothing branches on it: a rank goes to
 * the end of the tail, which moves on or does not, and a bit is set in a word of the head or in
 * one that nobody reads.  Entries are turned into ranks first.  That takes one process after the
 * other, as tails stand one behind the other, but is the smaller part; the larger part, to put
 * ranks where they belong, may be divided by users.
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

/* How many are turned into ranks before these are used: they stay in the nearest cache. */
#define ENTRIES_STAGED 4096

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

/* Items by rank */
static uint32 *
rank_items(const RecsysItemTotals *totals)
{
	Size		nitems = Max(totals->nitems, 1);
	Ranked	   *ranked = recsys_alloc_huge(sizeof(Ranked) * nitems);
	uint32	   *ranking = recsys_alloc_huge(sizeof(uint32) * nitems);

	for (uint32 item = 0; item < totals->nitems; item++)
	{
		ranked[item].work = totals->work[item];
		ranked[item].item = item;
	}
	qsort(ranked, totals->nitems, sizeof(Ranked), compare_ranked);
	for (uint32 rank = 0; rank < totals->nitems; rank++)
		ranking[rank] = ranked[rank].item;
	pfree(ranked);
	return ranking;
}

void
RecsysHeadShape(RecsysHeadMatrix *split, uint32 nrows, const RecsysItemTotals *totals)
{
	uint32	   *ranking = rank_items(totals);
	uint64		nentries = 0;

	memset(split, 0, sizeof(RecsysHeadMatrix));
	split->nrows = nrows;
	split->nitems = totals->nitems;
	split->ranking = ranking;
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
			work += totals->work[ranking[rank]];
			users += totals->users[ranking[rank]];
		}
		if (work <= nentries * BLOCK_COST)
			break;
		split->nblocks++;
		split->nhead = last;
		split->ntail -= users;
	}
}

void
RecsysHeadForgetRanking(RecsysHeadMatrix *split)
{
	if (split->ranking != NULL)
		pfree(split->ranking);
	split->ranking = NULL;
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

void
RecsysHeadBegin(RecsysHeadMatrix *split)
{
	for (uint32 rank = 0; rank < split->nitems; rank++)
	{
		split->items[rank] = split->ranking[rank];
		split->ranks[split->ranking[rank]] = rank;
	}
	split->offsets[0] = 0;
	RecsysHeadForgetRanking(split);
}

/* staged is an array of numbers of that type */
#define STAGE_USERS(type) \
	do { \
		type	   *place = staged; \
		\
		for (uint32 user = first; user < last; user++) \
		{ \
			uint64		end = matrix->offsets[user + 1]; \
			\
			for (uint64 x = matrix->offsets[user]; x < end; x++) \
			{ \
				uint32		rank = ranks[columns[x]]; \
				\
				*place++ = (type) rank; \
				tail += rank >= nhead; \
			} \
			split->offsets[user + 1] = tail; \
		} \
	} while (0)

void
RecsysHeadStage(RecsysHeadMatrix *split, const RecsysMatrix *matrix, uint32 first, uint32 last,
				void *staged)
{
	const uint32 *ranks = split->ranks;
	const uint32 *columns = matrix->columns;
	uint32		nhead = split->nhead;
	uint64		tail = split->offsets[first];

	Assert(matrix->nrows == split->nrows && matrix->ncolumns == split->nitems);
	if (RecsysHeadStagesNarrow(split))
		STAGE_USERS(uint16);
	else
		STAGE_USERS(uint32);
	Assert(tail <= split->ntail);
}

/*
 * A user's entries.  The last word is for ranks beyond the head.  Where the tail ends the next
 * user's begins, which another process may have written already.
 */
#define SPLIT_ENTRIES(type, tails) \
	do { \
		const type *ranks = (const type *) staged + (histories[user] - histories[first]); \
		uint64		n = histories[user + 1] - histories[user]; \
		\
		for (uint64 x = 0; x < n && tail < tail_end; x++) \
		{ \
			(tails)[tail] = ranks[x] - nhead; \
			tail += ranks[x] >= nhead; \
		} \
		for (uint64 x = 0; x < n; x++) \
		{ \
			uint32		word = ranks[x] < nhead ? ranks[x] / 64 : spare; \
			\
			words[word] |= UINT64CONST(1) << (ranks[x] % 64); \
		} \
	} while (0)

void
RecsysHeadFill(RecsysHeadMatrix *split, const uint64 *histories, uint32 first, uint32 last,
			   const void *staged)
{
	Size		block_size = RECSYS_BLOCK_WORDS * (Size) split->nrows;
	uint32		nhead = split->nhead;
	uint32		spare = RECSYS_BLOCK_WORDS * split->nblocks;
	bool		staged_narrow = RecsysHeadStagesNarrow(split);
	uint64		words[RECSYS_BLOCK_WORDS * MAX_BLOCKS + 1];

	for (uint32 user = first; user < last; user++)
	{
		uint64		tail = split->offsets[user];
		uint64		tail_end = split->offsets[user + 1];
		uint64	   *bits = split->bits + RECSYS_BLOCK_WORDS * (Size) user;

		memset(words, 0, sizeof(uint64) * spare);
		if (staged_narrow)
			SPLIT_ENTRIES(uint16, split->narrow);
		else if (split->narrow != NULL)
			SPLIT_ENTRIES(uint32, split->narrow);
		else
			SPLIT_ENTRIES(uint32, split->wide);
		for (int block = 0; block < split->nblocks; block++)
			memcpy(bits + block * block_size, words + block * RECSYS_BLOCK_WORDS,
				   sizeof(uint64) * RECSYS_BLOCK_WORDS);
	}
}

void
RecsysHeadMapPages(RecsysHeadMatrix *split, uint32 first, uint32 last)
{
	Size		block_size = RECSYS_BLOCK_WORDS * (Size) split->nrows;
	uint64		tail = split->offsets[first];
	uint64		ntail = split->offsets[last] - tail;

	for (int block = 0; block < split->nblocks; block++)
		RecsysMapPages(split->bits + block * block_size + RECSYS_BLOCK_WORDS * (Size) first,
					   sizeof(uint64) * RECSYS_BLOCK_WORDS * (last - first));
	if (split->narrow != NULL)
		RecsysMapPages(split->narrow + tail, sizeof(uint16) * ntail);
	else
		RecsysMapPages(split->wide + tail, sizeof(uint32) * ntail);
}

/* All users, whose ranks need no place of their own */
static void
fill_all(RecsysHeadMatrix *split, const RecsysMatrix *matrix)
{
	uint32	   *staged = NULL;
	uint64		room = 0;
	uint64		since_check = 0;
	uint32		last;

	RecsysHeadBegin(split);
	for (uint32 first = 0; first < split->nrows; first = last)
	{
		uint64		start = matrix->offsets[first];
		uint64		n;

		last = first + 1;
		while (last < split->nrows && matrix->offsets[last + 1] - start <= ENTRIES_STAGED)
			last++;
		n = matrix->offsets[last] - start;
		if (n > room)
		{
			if (staged != NULL)
				pfree(staged);
			room = Max(n, ENTRIES_STAGED);
			staged = recsys_alloc_huge(sizeof(uint32) * room);
		}
		RecsysHeadStage(split, matrix, first, last, staged);
		RecsysHeadFill(split, matrix->offsets, first, last, staged);
		since_check += n;
		if (since_check >= ENTRIES_PER_CHECK)
		{
			CHECK_FOR_INTERRUPTS();
			since_check = 0;
		}
	}
	if (staged != NULL)
		pfree(staged);
	Assert(split->offsets[split->nrows] == split->ntail);
}

RecsysHeadMatrix *
RecsysHeadCreateWithin(const RecsysMatrix *matrix, const RecsysItemTotals *totals, Size limit)
{
	RecsysHeadMatrix *split = palloc(sizeof(RecsysHeadMatrix));
	Size		size;

	RecsysHeadShape(split, matrix->nrows, totals);
	size = RecsysHeadSize(split);
	if (size > limit)
	{
		RecsysHeadForgetRanking(split);
		pfree(split);
		return NULL;
	}
	/* read all over the place: in large pages, if it can be */
	split->memory = recsys_alloc_huge(size);
	RecsysMapPages(split->memory, size);
	RecsysHeadPlace(split, split->memory);
	fill_all(split, matrix);
	return split;
}

RecsysHeadMatrix *
RecsysHeadCreate(const RecsysMatrix *matrix, const RecsysItemTotals *totals)
{
	return RecsysHeadCreateWithin(matrix, totals, SIZE_MAX);
}

void
RecsysHeadFree(RecsysHeadMatrix *split)
{
	pfree(split->memory);
	pfree(split);
}
