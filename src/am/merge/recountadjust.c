/*
 * recountadjust.c
 *	  Adjusting the graph rows of items that are too much work to recompute now.
 *
 * Members of the round are users that have added an item; what they have beside it
 * is counted as for an exact row, and comes on top of the supports that are stored.
 */
#include "postgres.h"

#include <math.h>

#include "am/merge/recountround.h"
#include "utils/memutils.h"

/* What is counted comes on top, but no pair has more users than its items. */
static uint32
adjusted_support(const RecsysRecount *recount, uint32 x, uint32 y, uint32 support)
{
	return Min(support + recount->counts[y], Min(recount->users[x], recount->users[y]));
}

/* The users of an item of the round, those first .. last-1 among the members added. */
static void
adjust_users(RecsysRecount *recount, uint32 item, uint64 first, uint64 last)
{
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, item);

	recount->users[item] = row->users + (uint32) (last - first);
	recount->norm2[item] = row->norm2;
	RecsysGraphReleaseRow(&recount->graph);
	for (uint64 m = first; m < last; m++)
		recount->norm2[item] += (double) recount->members[m].weight * recount->members[m].weight;
}

/* The pairs that the item's own row stores, as the users' changes leave them. */
static void
adjust_own_pairs(RecsysRecount *recount, RecsysRowUpdate *update, RecsysGraphRow row)
{
	RecsysNeighborList *list = &update->list;
	uint32		x = update->item;

	for (int i = 0; i < row->nstored; i++)
	{
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		y = row->peers[i];
		double		dot = 0;

		RecsysRoundLoadRow(recount, y);
		recount->stored_at[y] = 0;
		if (recount->uses_dots)
			dot = (double) RecsysRowScores(row)[i] * sqrt(row->norm2 * recount->norm2[y]) +
				recount->dots[y];
		neighbor->item = y;
		neighbor->support = adjusted_support(recount, x, y, RecsysRowSupports(row)[i]);
		neighbor->score = recount->meta.learned ? RecsysRowScores(row)[i] :
			RecsysRoundScore(recount, x, y, neighbor->support, dot);
		if (neighbor->score > 0 && neighbor->support >= recount->options.min_support)
			list->count++;
	}
}

/*
 * The pairs with the item that other rows store: in those rows, and in the item's own
 * where it does not store them.
 */
static void
adjust_pairs_of_others(RecsysRecount *recount, uint32 slot, RecsysGraphRow row)
{
	RecsysNeighborList *list = &recount->rows[slot].list;
	uint32		x = recount->items[slot];

	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		uint32		y = recount->stored[p - 1].row;
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		support = adjusted_support(recount, x, y, recount->stored[p - 1].support);

		if (recount->counts[y] == 0 || recount->uses_dots ||
			support < recount->options.min_support)
			continue;
		RecsysRoundPutPair(recount, y, x, support,
						   recount->meta.learned ? recount->stored[p - 1].score :
						   RecsysRoundScore(recount, y, x, support, 0));
		if (recount->stored_at[y] != slot + 1 || recount->meta.learned)
			continue;
		neighbor->item = y;
		neighbor->support = support;
		neighbor->score = RecsysRoundScore(recount, x, y, support, 0);
		if (neighbor->score > 0 && neighbor->score >= row->floor_score)
			list->count++;
	}
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
		recount->stored_at[recount->stored[p - 1].row] = 0;
}

/* The row of an item of the round, its supports and scores adjusted by the counts. */
static void
adjust_row(RecsysRecount *recount, uint32 slot)
{
	uint32		x = recount->items[slot];
	RecsysRowUpdate *update = &recount->rows[slot];
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, x);
	RecsysNeighborList *list = &update->list;
	PGAlignedBlock copy;
	int			extra = 0;

	memcpy(copy.data, row, RECSYS_ROW_SIZE(row->nstored, row->keylen));
	RecsysGraphReleaseRow(&recount->graph);
	row = (RecsysGraphRow) copy.data;

	update->item = x;
	update->users = recount->users[x];
	update->norm2 = recount->norm2[x];
	update->flags = row->flags | RECSYS_ROW_INEXACT | (recount->meta.learned ? RECSYS_ROW_STALE : 0);
	list->floor_score = row->floor_score;
	list->floor_item = row->floor_item;

	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		recount->stored_at[recount->stored[p - 1].row] = slot + 1;
		extra++;
	}
	list->neighbors = MemoryContextAlloc(recount->round,
										 sizeof(RecsysNeighbor) * (row->nstored + extra + 1));
	list->count = 0;
	adjust_own_pairs(recount, update, row);
	adjust_pairs_of_others(recount, slot, row);
	RecsysNeighborSort(list->neighbors, list->count, &recount->order);
	list->count = Min(list->count, recount->capacity);
}

/*
 * Members are users that have added an item of the round; what they have beside
 * it is counted as for an exact row.
 */
void
RecsysRecountAdjust(RecsysRecount *recount, const uint32 *items, uint32 nitems,
					const RecsysChangedUsers *users, bool shrunk)
{
	const RecsysMatrix *matrix = &users->histories.matrix;
	MemoryContext old;
	uint64	   *starts;

	if (nitems == 0)
		return;
	old = MemoryContextSwitchTo(recount->round);
	recount->rows_only = false;
	RecsysRoundStart(recount, items, nitems);
	recount->histories = users->histories;
	for (uint32 user = 0; user < matrix->nrows; user++)
	{
		for (uint64 e = matrix->offsets[user]; e < matrix->offsets[user + 1]; e++)
		{
			if (users->added[e] && recount->slots[matrix->columns[e]] != 0)
				RecsysRoundAddMember(recount, recount->slots[matrix->columns[e]] - 1, user,
									 matrix->weights ? matrix->weights[e] : 1.0f);
		}
	}
	starts = RecsysRoundGroupMembers(recount);

	/* all numbers of users must be known before the first score */
	for (uint32 slot = 0; slot < nitems; slot++)
		adjust_users(recount, items[slot], starts[slot], starts[slot + 1]);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		RecsysRoundCount(recount, starts[slot], starts[slot + 1]);
		for (uint32 i = 0; i < recount->ntouched; i++)
			RecsysRoundLoadRow(recount, recount->touched[i]);
		adjust_row(recount, slot);
		if (shrunk)
			recount->rows[slot].flags |= RECSYS_ROW_SHRUNK;
		RecsysRoundClear(recount);
	}
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, nitems,
					  recount->pairs, recount->npairs);
	RecsysRoundEnd(recount);
	MemoryContextSwitchTo(old);
}
