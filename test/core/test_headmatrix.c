/*
 * test_headmatrix.c
 *	  Tests of core/pairs/headmatrix, userlists and bitcounts.
 *
 * Counts of bits are compared with those made one by one, split histories with those they
 * were made of, lists of users with the transposed matrix, and the kernel with itself on
 * histories that are not split, in shapes that test_cooccurrence is too small for.
 */
#include "core/pairs/userlists.h"
#include "generate.h"
#include "tap.h"
#include "totals.h"

static void
test_bits(void)
{
	Random		random;
	uint32		nrows = 1000;
	Size		room = sizeof(uint64) * RECSYS_BLOCK_WORDS * nrows + RECSYS_BLOCK_ALIGNMENT;
	char	   *memory = palloc(room);
	uint64	   *block = (uint64 *) (((uintptr_t) memory + RECSYS_BLOCK_ALIGNMENT - 1) /
									RECSYS_BLOCK_ALIGNMENT * RECSYS_BLOCK_ALIGNMENT);
	uint32	   *users = palloc(sizeof(uint32) * 70000);
	uint32	   *touched = palloc(sizeof(uint32) * (2 * RECSYS_BLOCK_ITEMS + 1));
	int			wrong = 0;
	int			touched_wrong = 0;

	random_seed(&random, 11);
	for (int round = 0; round < 400; round++)
	{
		uint64		n = round < 200 ? round : random_bits(&random) % (round == 399 ? 70000 : 3000);
		uint32		expected[2 * RECSYS_BLOCK_ITEMS] = {0};
		uint32		counts[RECSYS_BLOCK_ITEMS];
		uint32		added[2 * RECSYS_BLOCK_ITEMS] = {0};
		uint32		ntouched = 0;
		uint32		distinct = 0;

		/* from hardly any bits to all of them */
		for (Size x = 0; x < RECSYS_BLOCK_WORDS * (Size) nrows; x++)
		{
			block[x] = random_bits(&random);
			for (int y = round % 5; y > 0; y--)
				block[x] = round % 2 ? block[x] & random_bits(&random) : block[x] | random_bits(&random);
			if (round % 20 == 0)
				block[x] = round % 40 == 0 ? 0 : ~UINT64CONST(0);
		}
		for (uint64 x = 0; x < n; x++)
		{
			users[x] = (uint32) (random_bits(&random) % nrows);
			for (uint32 item = 0; item < RECSYS_BLOCK_ITEMS; item++)
				expected[RECSYS_BLOCK_ITEMS + item] +=
					block[RECSYS_BLOCK_WORDS * (Size) users[x] + item / 64] >> (item % 64) & 1;
		}
		memset(counts, 0xAA, sizeof(counts));
		RecsysCountBits(block, users, n, counts);
		if (memcmp(counts, expected + RECSYS_BLOCK_ITEMS, sizeof(counts)) != 0)
			wrong++;

		/* in two steps; the list has each item once */
		for (int step = 0; step < 2; step++)
			ntouched = RecsysTouchBits(block, users + (step ? n / 3 : 0), step ? n - n / 3 : n / 3,
									   RECSYS_BLOCK_ITEMS, added, touched, ntouched);
		for (uint32 item = 0; item < 2 * RECSYS_BLOCK_ITEMS; item++)
			distinct += expected[item] > 0;
		if (memcmp(added, expected, sizeof(added)) != 0 || ntouched != distinct)
			touched_wrong++;
		for (uint32 x = 0; x < ntouched; x++)
		{
			if (added[touched[x]] == 0)
			{
				touched_wrong++;
				break;
			}
			added[touched[x]] = 0;
		}
	}
	ok(wrong == 0, "bitcounts: users of 512 items at a time, as one by one (%d differ)", wrong);
	ok(touched_wrong == 0, "bitcounts: each item is noted once (%d differ)", touched_wrong);
	pfree(memory);
	pfree(users);
	pfree(touched);
}

/* Does a user have all of its items, and no more, in split histories? */
static bool
same_history(const RecsysHeadMatrix *split, const RecsysMatrix *users, uint32 user)
{
	uint64		n = users->offsets[user + 1] - users->offsets[user];
	uint64		found = split->offsets[user + 1] - split->offsets[user];

	for (int block = 0; block < split->nblocks; block++)
	{
		const uint64 *words = RecsysHeadBlock(split, block) + RECSYS_BLOCK_WORDS * (Size) user;

		for (int word = 0; word < RECSYS_BLOCK_WORDS; word++)
			found += __builtin_popcountll(words[word]);
	}
	for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
	{
		uint32		rank = split->ranks[users->columns[x]];
		bool		there = false;

		if (split->items[rank] != users->columns[x])
			return false;
		if (rank < split->nhead)
			there = RecsysHeadBlock(split, rank / RECSYS_BLOCK_ITEMS)
				[RECSYS_BLOCK_WORDS * (Size) user + rank % RECSYS_BLOCK_ITEMS / 64] >> (rank % 64) & 1;
		for (uint64 y = split->offsets[user]; y < split->offsets[user + 1] && !there; y++)
			there = (split->narrow != NULL ? split->narrow[y] : split->wide[y]) == rank - split->nhead;
		if (!there)
			return false;
	}
	return found == n;
}

/* A sum that any other row changes */
typedef struct Digest
{
	uint64		sum;
	uint64		total;
} Digest;

static void
digest_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Digest	   *digest = arg;

	for (int x = 0; x < count; x++)
	{
		uint32		bits;

		memcpy(&bits, &neighbors[x].score, sizeof(bits));
		digest->sum = (digest->sum ^ item ^ (uint64) neighbors[x].item << 32 ^ bits ^
					   (uint64) neighbors[x].support << 16) * UINT64CONST(0x9E3779B97F4A7C15);
	}
	digest->total += count;
}

static Digest
digest(const RecsysMatrix *users, const RecsysMatrix *items, const RecsysItemTotals *totals,
	   const RecsysModelOptions *options)
{
	RecsysKernel *kernel = RecsysKernelCreate(users, items, totals, options);
	Digest		result = {0};

	RecsysKernelRows(kernel, 0, totals->nitems, digest_row, &result);
	RecsysKernelFree(kernel);
	return result;
}

/* Blocks that have been staged, made in any order by two makers in turn */
static void
make_blocks(Random *random, RecsysUserLists *lists, RecsysHeadMatrix *split,
			const RecsysMatrix *users, bool *bound_wrong)
{
	Size		before = standalone_memory_now;
	RecsysListMaker *makers[2];
	uint32	   *waiting = palloc(sizeof(uint32) * (lists->nblocks + 1));
	uint32		nwaiting = 0;
	uint32		nmade = 0;

	makers[0] = RecsysListMakerCreate(lists);
	*bound_wrong = standalone_memory_now - before > RecsysListMakerMemory(lists) +
		sizeof(uint32) * (lists->nblocks + 1);
	makers[1] = RecsysListMakerCreate(lists);
	RecsysHeadBegin(split);
	for (uint32 staged = 0; nmade < lists->nblocks;)
	{
		uint32		x;

		if (staged < lists->nblocks && (nwaiting == 0 || random_bits(random) % 2))
		{
			RecsysUserListsStage(lists, split, users, staged);
			waiting[nwaiting++] = staged++;
			continue;
		}
		x = (uint32) (random_bits(random) % nwaiting);
		RecsysUserListsMake(lists, split, makers[nmade++ % 2], waiting[x]);
		waiting[x] = waiting[--nwaiting];
	}
	RecsysListMakerFree(makers[0]);
	RecsysListMakerFree(makers[1]);
	pfree(waiting);
}

/* Lists and split histories that are made block by block */
static void
test_lists(const char *what, const RecsysMatrix *users, const RecsysMatrix *items,
		   const RecsysItemTotals *totals, const RecsysModelOptions *options,
		   const Digest *expected)
{
	Random		random;
	RecsysMatrix split_users = {.nrows = users->nrows, .ncolumns = users->ncolumns};
	RecsysHeadMatrix split;
	RecsysUserLists lists;
	RecsysKernel *kernel;
	Digest		found = {0};
	char	   *split_memory;
	char	   *lists_memory;
	uint32	   *listed;
	Size		lists_size;
	uint32		histories_wrong = 0;
	uint32		lists_wrong = 0;
	bool		bound_wrong;

	random_seed(&random, users->nrows);
	RecsysHeadShape(&split, users->nrows, totals);
	RecsysUserListsShape(&lists, users, totals);
	lists_size = RecsysUserListsSize(&lists);
	split_memory = palloc(RecsysHeadSize(&split));
	lists_memory = palloc(lists_size + 1);
	listed = palloc(sizeof(uint32) * (lists.most_users + 1));
	lists_memory[lists_size] = 77;
	RecsysHeadPlace(&split, split_memory);
	RecsysUserListsPlace(&lists, lists_memory);
	make_blocks(&random, &lists, &split, users, &bound_wrong);

	for (uint32 user = 0; user < users->nrows; user++)
		histories_wrong += !same_history(&split, users, user);
	for (uint32 item = 0; item < users->ncolumns; item++)
	{
		uint64		first = items->offsets[item];
		uint64		n = items->offsets[item + 1] - first;

		lists_wrong += RecsysUserListsGet(&lists, item, listed) != n ||
			memcmp(listed, items->columns + first, sizeof(uint32) * n) != 0;
	}
	ok(histories_wrong == 0 && lists_wrong == 0 && !bound_wrong && lists_memory[lists_size] == 77,
	   "userlists, %s: users of %u blocks are there (%u histories, %u lists differ)", what,
	   lists.nblocks, histories_wrong, lists_wrong);

	split_users.split = &split;
	kernel = RecsysKernelCreateByLists(&split_users, &lists, totals, options);
	RecsysKernelRows(kernel, 0, totals->nitems, digest_row, &found);
	RecsysKernelFree(kernel);
	ok(found.sum == expected->sum && found.total == expected->total,
	   "userlists, %s: rows are the same", what);
	pfree(split_memory);
	pfree(lists_memory);
	pfree(listed);
}

static void
test_shape(const char *what, uint32 nusers, uint32 nitems, uint64 nentries, WeightKind weights,
		   int least_blocks, int most_blocks, bool wide)
{
	Random		random;
	RecsysModelOptions options = {.similarity = RECSYS_JACCARD, .neighbors = 20, .min_support = 2};
	RecsysMatrix *users;
	RecsysMatrix *items;
	RecsysItemTotals *totals;
	RecsysHeadMatrix *split;
	Digest		expected;
	Digest		found;
	Size		before;
	Size		announced;
	uint32		wrong = 0;

	random_seed(&random, nitems);
	users = generate_matrix(&random, nusers, nitems, nentries, 1000, true, weights);
	items = RecsysMatrixTranspose(users);
	totals = totals_compute(users);
	expected = digest(users, items, totals, &options);

	before = standalone_memory_now;
	split = RecsysHeadCreate(users, totals);
	announced = RecsysHeadSize(split) + sizeof(RecsysHeadMatrix);
	ok(standalone_memory_now - before <= announced && split->nblocks >= least_blocks &&
	   split->nblocks <= most_blocks && (split->wide != NULL) == wide,
	   "headmatrix, %s: as large as announced, and of the shape that suits (%d blocks, %u items)",
	   what, split->nblocks, split->nhead);
	for (uint32 user = 0; user < nusers; user++)
		wrong += !same_history(split, users, user);
	ok(wrong == 0, "headmatrix, %s: histories are there (%u differ)", what, wrong);

	users->split = split;
	found = digest(users, items, totals, &options);
	ok(found.sum == expected.sum && found.total == expected.total &&
	   (found.total > 0 || nentries == 1),
	   "headmatrix, %s: rows are the same", what);
	RecsysHeadFree(split);
	test_lists(what, users, items, totals, &options, &expected);
	totals_free(totals);
	RecsysMatrixFree(items);
	RecsysMatrixFree(users);
}

void
test_headmatrix(void)
{
	test_bits();
	test_shape("all items in the head", 300, 400, 20000, WEIGHTS_NONE, 1, 1, false);
	test_shape("histories of weights, a head and a tail", 3000, 3000, 90000, WEIGHTS_REAL, 1, 4, false);
	test_shape("short histories, no head", 5000, 4000, 8000, WEIGHTS_NONE, 0, 0, false);
	test_shape("more items than 16 bits can tell", 2000, 80000, 150000, WEIGHTS_NONE, 1, 4, true);
	test_shape("more users than 16 bits can count", 75000, 900, 600000, WEIGHTS_NONE, 0, 2, false);
	test_shape("nobody and nothing", 1, 1, 1, WEIGHTS_NONE, 0, 1, false);
}
