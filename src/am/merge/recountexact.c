/*
 * recountexact.c
 *	  Computing the graph rows of some items anew.
 *
 * An item is recomputed from the two directions of the interaction graph: its
 * postings tell its users, their lists tell what else they have.  Users' visible
 * rows are folded just as in a build, so the counts are those of a build.  A round
 * whose histories do not fit in memory is halved, and a single item too large for
 * it is counted piece by piece.
 *
 * A pair that no user of x has any more does not come up when x is counted.  It is
 * found in the rows that the caller names, which are those of the items that the
 * changed users still have.  (If they have lost the other item too, that item is
 * recomputed as well, now or with a later change, and its row is written anew.)
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/lists/owner.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/recountround.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/progress.h"
#include "core/base/product.h"
#include "core/rows/history.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Bytes of an item of a history */
static Size
entry_size(const RecsysRecount *recount)
{
	return sizeof(uint32) + (recount->uses_dots ? sizeof(float) : 0) +
		(recount->succession != NULL ? sizeof(RecsysOrdinal) : 0);
}

static Size
histories_size(const RecsysRecount *recount)
{
	return RecsysHistoriesEntries(&recount->histories) * entry_size(recount) +
		recount->histories.matrix.nrows * sizeof(uint64) + recount->nmembers * sizeof(RecsysMember) * 2;
}

/* One more user has the item of a round. */
static void
total_item(const RecsysRecount *recount, RecsysRowTotals *totals, const RecsysHistoryItem *item,
		   float mass)
{
	const RecsysRhythm *rhythm = NULL;

	totals->users++;
	totals->norm2 += RecsysProduct(item->weight, item->weight);
	totals->mass += mass;
	RecsysRoundAddTime(recount, totals, item->time);
	if (recount->rhythms != NULL)
		rhythm = RecsysUserRhythmsOf(recount->rhythms, item->item);
	if (rhythm != NULL)
		RecsysRhythmAddAll(&totals->rhythm, rhythm);
}

/* Visitor: a user of the round. */
static void
add_user(void *arg, RecsysUserView *user)
{
	RecsysRecount *recount = arg;
	RecsysFolding folding;
	bool		member = false;
	int			count;

	/* a round of several items is over then; one of a single item takes all users of a hash */
	if (user->ninteractions == 0 || (recount->overflow && recount->nround > 1))
		return;
	if (user->ninteractions > recount->maxfolded)
	{
		pfree(recount->folded);
		recount->maxfolded = Max(user->ninteractions, recount->maxfolded * 2);
		recount->folded = MemoryContextAllocHuge(recount->context,
												 sizeof(RecsysHistoryItem) * (Size) recount->maxfolded);
	}
	RecsysMetaFolding(&recount->meta, &recount->order, &folding);
	if (recount->rhythms != NULL)
		RecsysUserRhythmsStart(recount->rhythms, &folding, recount->slots, recount->nitems);
	count = RecsysHistoryFold(user->interactions, user->ninteractions, &folding,
							  recount->folded, NULL);
	for (int i = 0; i < count; i++)
	{
		uint32		item = recount->folded[i].item;

		if (item >= recount->nitems)
			RecsysCorrupted(recount->index,
							"index \"%s\" has an entry with item number %u, which does not exist",
							RecsysIndexName(recount->index), item);
		member |= recount->slots[item] != 0;
	}
	if (!member)
		return;

	RecsysRecountWeigh(recount, recount->folded, count, recount->masses);
	for (int i = 0; i < count; i++)
	{
		uint32		slot = recount->slots[recount->folded[i].item];

		if (slot == 0)
			continue;
		total_item(recount, &recount->totals[slot - 1], &recount->folded[i], recount->masses[i]);
		RecsysRoundAddMember(recount, slot - 1, recount->histories.matrix.nrows,
							 recount->folded[i].weight);
	}
	RecsysHistoriesAdd(&recount->histories, recount->folded, count);
	if (histories_size(recount) > recount->memory / 2)
		recount->overflow = true;
}

static inline int
compare_hashes(const uint32 *a, const uint32 *b)
{
	return (*a > *b) - (*a < *b);
}

#define ST_SORT sort_hashes
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) compare_hashes(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Hashes of all that have postings of the round's items, sorted and distinct. */
static uint64
posters(RecsysRecount *recount, RecsysHashArray *array)
{
	MemoryContext old = MemoryContextSwitchTo(recount->round);
	uint64		distinct = 0;

	memset(array, 0, sizeof(*array));
	for (uint32 slot = 0; slot < recount->nround; slot++)
	{
		RecsysKey	key;

		CHECK_FOR_INTERRUPTS();
		if (!RecsysGraphReadKey(&recount->graph, recount->items[slot], &key) ||
			!RecsysReadPostings(recount->index, &key, array))
			RecsysCorrupted(recount->index, "index \"%s\" lacks the owner of item number %u",
							RecsysIndexName(recount->index), recount->items[slot]);
	}
	if (array->count > 0)
		sort_hashes(array->hashes, array->count);
	for (uint64 i = 0; i < array->count; i++)
	{
		if (i == 0 || array->hashes[i] != array->hashes[i - 1])
			array->hashes[distinct++] = array->hashes[i];
	}
	MemoryContextSwitchTo(old);
	return distinct;
}

/*
 * Writes the counts of an item whose scores are learned: only the supports of its pairs
 * change, in its own row and in others.  A pair with too little support is removed.
 */
static void
finish_learned_item(RecsysRecount *recount, uint32 slot)
{
	uint32		x = recount->items[slot];
	uint32		min_support = recount->options.min_support;
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysNeighborList *list = &update->list;
	RecsysGraphRow row;

	for (uint32 i = 0; i < recount->ntouched; i++)
		RecsysRoundLoadRow(recount, recount->touched[i]);
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		const RecsysStoredPair *pair = &recount->stored[p - 1];
		uint32		support = recount->counts[pair->row];

		if (recount->slots[pair->row] == 0)
			RecsysRoundPutPair(recount, pair->row, x, support, support >= min_support ? pair->score : 0);
	}

	row = RecsysGraphNeedRow(&recount->graph, x);
	list->neighbors = MemoryContextAlloc(recount->round,
										 sizeof(RecsysNeighbor) * Max(row->nstored, 1));
	list->count = 0;
	for (int i = 0; i < row->nstored; i++)
	{
		uint32		y = row->peers[i];

		if (y >= recount->nitems || recount->counts[y] < min_support)
			continue;
		list->neighbors[list->count].item = y;
		list->neighbors[list->count].support = recount->counts[y];
		list->neighbors[list->count++].score = RecsysRowScores(row)[i];
	}

	/* a row by itself is counted anew where the clock has moved, and nothing else has */
	update->flags = recount->rows_only ? row->flags & RECSYS_ROW_STALE : RECSYS_ROW_STALE;
	RecsysGraphReleaseRow(&recount->graph);
}

/* The counted pairs of an item: into its own list, and into the rows of others. */
static int
gather_candidates(RecsysRecount *recount, uint32 slot, RecsysNeighbor *candidates)
{
	uint32		x = recount->items[slot];
	int			ncandidates = 0;

	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		uint32		y = recount->touched[i];
		uint32		count = recount->counts[y];
		double		dot = recount->uses_dots ? recount->dots[y] : count;
		double		dot_of_other = recount->succession != NULL ? recount->dots_of_others[y] : dot;
		float		theirs;
		float		ours;

		if (count < recount->options.min_support || y == x)
			continue;
		ours = RecsysRoundScore(recount, x, y, count, dot);
		if (ours > 0)
		{
			candidates[ncandidates].item = y;
			candidates[ncandidates].support = count;
			candidates[ncandidates++].score = ours;
		}
		if (recount->slots[y] != 0 || recount->rows_only)
			continue;
		theirs = recount->symmetric ? ours : RecsysRoundScore(recount, y, x, count, dot_of_other);
		if (recount->stored_at[y] == slot + 1 || (theirs > 0 && theirs >= recount->floors[y]))
			RecsysRoundPutPair(recount, y, x, count, theirs);
	}
	return ncandidates;
}

/* The pairs with the item that other rows store and no user has any more. */
static void
drop_unsupported(RecsysRecount *recount, uint32 slot)
{
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		uint32		y = recount->stored[p - 1].row;

		if (recount->counts[y] < recount->options.min_support && recount->slots[y] == 0 &&
			!recount->rows_only)
			RecsysRoundPutPair(recount, y, recount->items[slot], 0, 0);
		recount->stored_at[y] = 0;
	}
}

/*
 * From the counts of an item: its row, and its pairs in other rows.  The rows of
 * the round's other items are written anew themselves.
 */
static void
finish_item(RecsysRecount *recount, uint32 slot)
{
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysNeighbor *candidates;
	int			ncandidates = 0;
	RecsysNeighbor *kept;

	if (recount->meta.learned)
	{
		finish_learned_item(recount, slot);
		return;
	}

	for (uint32 i = 0; i < recount->ntouched; i++)
	{
		if (recount->counts[recount->touched[i]] >= recount->options.min_support)
		{
			RecsysRoundLoadRow(recount, recount->touched[i]);
			ncandidates++;
		}
	}
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
		recount->stored_at[recount->stored[p - 1].row] = slot + 1;

	candidates = recsys_alloc_huge(sizeof(RecsysNeighbor) * (Size) Max(ncandidates, 1));
	ncandidates = gather_candidates(recount, slot, candidates);
	drop_unsupported(recount, slot);

	RecsysNeighborListSelect(&update->list, candidates, ncandidates, recount->capacity,
							 &recount->order);
	kept = MemoryContextAlloc(recount->round,
							  sizeof(RecsysNeighbor) * Max(update->list.count, 1));
	memcpy(kept, update->list.neighbors, sizeof(RecsysNeighbor) * update->list.count);
	update->list.neighbors = kept;
	pfree(candidates);
}

/* Rows that may hold pairs which do not come up in counting. */
static void
load_named_rows(RecsysRecount *recount, const uint32 *rows, uint64 nrows)
{
	for (uint64 i = 0; i < nrows; i++)
		RecsysRoundLoadRow(recount, rows[i]);
	for (uint32 item = 0; recount->all_rows && item < recount->nitems; item++)
	{
		if (item % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		RecsysRoundLoadRow(recount, item);
	}
}

/* One item whose users' histories do not fit in memory: piece by piece. */
static void
recount_large_item(RecsysRecount *recount, uint32 item, const uint32 *rows, uint64 nrows)
{
	RecsysHashArray array;
	uint64		nhashes;

	RecsysRoundStart(recount, &item, 1);
	nhashes = posters(recount, &array);
	for (uint64 i = 0; i < nhashes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(recount->reader, array.hashes[i], add_user, recount);
		if (recount->overflow || i == nhashes - 1)
		{
			RecsysRoundCount(recount, 0, recount->nmembers);
			RecsysHistoriesClear(&recount->histories);
			recount->nmembers = 0;
			recount->overflow = false;
		}
	}
	RecsysRoundPutTotals(recount, 0, &recount->totals[0]);
	load_named_rows(recount, rows, nrows);
	finish_item(recount, 0);
	RecsysRoundClear(recount);
	RecsysCheckMergeSnapshot(recount->index, recount->snapshot);
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, 1,
					  recount->pairs, recount->npairs);
	RecsysRoundEnd(recount);
}

/* Some items at once; false when their users' histories do not fit in memory. */
static bool
recount_round(RecsysRecount *recount, const uint32 *items, uint32 nitems,
			  const uint32 *rows, uint64 nrows)
{
	RecsysHashArray array;
	uint64		nhashes;
	uint64	   *starts;

	RecsysRoundStart(recount, items, nitems);
	nhashes = posters(recount, &array);
	for (uint64 i = 0; i < nhashes && !recount->overflow; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(recount->reader, array.hashes[i], add_user, recount);
	}
	if (recount->overflow)
	{
		RecsysRoundEnd(recount);
		return false;
	}

	/* all totals must be known before the first score */
	starts = RecsysRoundGroupMembers(recount);
	for (uint32 slot = 0; slot < nitems; slot++)
		RecsysRoundPutTotals(recount, slot, &recount->totals[slot]);
	load_named_rows(recount, rows, nrows);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		RecsysRoundCount(recount, starts[slot], starts[slot + 1]);
		finish_item(recount, slot);
		RecsysRoundClear(recount);
	}
	RecsysCheckMergeSnapshot(recount->index, recount->snapshot);
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, nitems,
					  recount->pairs, recount->npairs);
	RecsysRoundEnd(recount);
	return true;
}

void
RecsysRecountExactly(RecsysRecount *recount, const uint32 *items, uint32 nitems,
					 const uint32 *rows, uint64 nrows, bool all_rows, bool rows_only)
{
	MemoryContext old = MemoryContextSwitchTo(recount->round);

	recount->rows_only = rows_only;
	recount->all_rows = all_rows;

	/* a round that fails has read half of the memory's worth: don't try too much */
	while (nitems > 0)
	{
		double		room = (double) recount->memory / 2 / entry_size(recount);
		double		all = (double) recount->meta.interactions;
		double		entries = 0;
		uint32		n = 0;

		while (n < nitems && (n == 0 || entries < room || all < room))
			entries += RecsysRecountCost(recount, items[n++]);

		while (n > 1 && !recount_round(recount, items, n, rows, nrows))
			n /= 2;
		if (n == 1)
			recount_large_item(recount, items[0], rows, nrows);
		RECSYS_FAULT("merge-round");
		RecsysMergeProgressItems(n);
		items += n;
		nitems -= n;
	}
	MemoryContextSwitchTo(old);
}
