/*
 * recountadjust.c
 *	  Adjusting the graph rows of items that are too much work to recompute now.
 *
 * Members of the round are users that have added an item; what they have beside it
 * is counted as for an exact row, and comes on top of the supports that are stored.
 *
 * Rows of items that are only reweighted are flagged and stay as they are.  There may be
 * as many of them as a user has items, for each user with changes, so no work goes into
 * what they could be.
 */
#include "postgres.h"

#include "am/merge/recountround.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Rows that are flagged at once, for each of which memory is needed */
#define POSTPONED_TOGETHER 256

/* What is counted comes on top, but no pair has more users than its items. */
static uint32
adjusted_support(const RecsysRecount *recount, uint32 x, uint32 y, uint32 support)
{
	return Min(support + recount->counts[y], Min(recount->users[x], recount->users[y]));
}

/* The totals of an item of the round: those of its row and of the users who have added it. */
static void
adjust_totals(RecsysRecount *recount, uint32 slot)
{
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, recount->items[slot]);
	RecsysRowTotals totals = RecsysRowGetTotals(row);

	RecsysGraphReleaseRow(&recount->graph);
	totals.users += recount->totals[slot].users;
	totals.norm2 += recount->totals[slot].norm2;
	totals.mass += recount->totals[slot].mass;

	/* the user may be one of a later event */
	if (totals.users > 0)
		totals.latest = Max(totals.latest, recount->totals[slot].latest);
	RecsysRecencyAddAll(&totals.recent, &recount->totals[slot].recent);
	RecsysRoundPutTotals(recount, slot, &totals);
}

/*
 * Likewise the dot product of x, an item of the round, and y: what it was when row
 * stored the score for peer, which are the two of them, and what is counted.
 */
static double
adjusted_dot(RecsysRecount *recount, uint32 x, uint32 y, const RecsysRowTotals *before,
			 uint32 row, uint32 peer, uint32 support, float score)
{
	double		dot;

	if (!recount->uses_dots)
		return 0;
	RecsysRoundScoreWith(recount, x, before);
	dot = RecsysRoundStoredDot(recount, row, peer, support, score);
	RecsysRoundScoreWith(recount, x, &recount->rows[recount->slots[x] - 1].totals);
	return dot + (recount->succession != NULL && row == y ? recount->dots_of_others[y] : recount->dots[y]);
}

/* The pairs that the item's own row stores, as the users' changes leave them. */
static void
adjust_own_pairs(RecsysRecount *recount, RecsysRowUpdate *update, RecsysGraphRow row)
{
	RecsysNeighborList *list = &update->list;
	RecsysRowTotals before = RecsysRowGetTotals(row);
	uint32		x = update->item;

	for (int i = 0; i < row->nstored; i++)
	{
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		y = row->peers[i];
		double		dot;

		RecsysRoundLoadRow(recount, y);
		recount->stored_at[y] = 0;
		dot = adjusted_dot(recount, x, y, &before, x, y, RecsysRowSupports(row)[i],
						   RecsysRowScores(row)[i]);
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
 * where it does not store them.  Where the order of histories matters, their dot products
 * say nothing of the item's own row, which has what is counted.
 */
static void
adjust_pairs_of_others(RecsysRecount *recount, uint32 slot, RecsysGraphRow row)
{
	RecsysNeighborList *list = &recount->rows[slot].list;
	RecsysRowTotals before = RecsysRowGetTotals(row);
	uint32		x = recount->items[slot];

	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
	{
		const RecsysStoredPair *pair = &recount->stored[p - 1];
		uint32		y = pair->row;
		RecsysNeighbor *neighbor = &list->neighbors[list->count];
		uint32		support = adjusted_support(recount, x, y, pair->support);
		double		dot;

		if (recount->counts[y] == 0 || support < recount->options.min_support)
			continue;
		dot = adjusted_dot(recount, x, y, &before, y, x, pair->support, pair->score);
		RecsysRoundPutPair(recount, y, x, support,
						   recount->meta.learned ? pair->score :
						   RecsysRoundScore(recount, y, x, support, dot));
		if (recount->stored_at[y] != slot + 1 || recount->meta.learned)
			continue;
		neighbor->item = y;
		neighbor->support = support;
		neighbor->score = RecsysRoundScore(recount, x, y, support,
										   recount->succession != NULL ? recount->dots[y] : dot);
		if (neighbor->score > 0 && neighbor->score >= row->floor_score)
			list->count++;
	}
	for (uint32 p = recount->stored_heads[slot]; p != 0; p = recount->stored[p - 1].next)
		recount->stored_at[recount->stored[p - 1].row] = 0;
}

/* A row as it is, in copy, but with more flags. */
static RecsysGraphRow
take_row(RecsysRecount *recount, uint32 item, uint16 flags, RecsysRowUpdate *update,
		 PGAlignedBlock *copy)
{
	RecsysGraphRow row = RecsysGraphNeedRow(&recount->graph, item);

	memcpy(copy->data, row, RECSYS_ROW_SIZE(row->nstored, row->keylen));
	RecsysGraphReleaseRow(&recount->graph);
	row = (RecsysGraphRow) copy->data;
	update->flags = row->flags | flags;
	update->list.floor_score = row->floor_score;
	update->list.floor_item = row->floor_item;
	return row;
}

/* The row of an item of the round, its supports and scores adjusted by the counts. */
static void
adjust_row(RecsysRecount *recount, uint32 slot, uint16 flags)
{
	RecsysRowUpdate *update = &recount->rows[slot];
	PGAlignedBlock copy;
	RecsysGraphRow row = take_row(recount, recount->items[slot], flags, update, &copy);
	RecsysNeighborList *list = &update->list;
	int			extra = 0;

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

/* What the users with changes have of the items of the round. */
static void
add_members(RecsysRecount *recount, const RecsysChangedUsers *users)
{
	const RecsysMatrix *matrix = &users->histories.matrix;

	for (uint32 user = 0; user < matrix->nrows; user++)
	{
		for (uint64 e = matrix->offsets[user]; e < matrix->offsets[user + 1]; e++)
		{
			uint32		slot = recount->slots[matrix->columns[e]];
			double		weight = matrix->weights != NULL ? matrix->weights[e] : users->items[e].mass;
			RecsysRowTotals *totals;

			if (slot == 0)
				continue;
			totals = &recount->totals[slot - 1];
			if (!users->items[e].added)
			{
				totals->latest = Max(totals->latest, users->items[e].time);
				continue;
			}
			RecsysRoundAddTime(recount, totals, users->items[e].time);
			totals->users++;
			totals->norm2 += weight * weight;
			totals->mass += users->items[e].mass;
			RecsysRoundAddMember(recount, slot - 1, user, (float) weight);
		}
	}
}

void
RecsysRecountAdjust(RecsysRecount *recount, const uint32 *items, uint32 nitems,
					const RecsysChangedUsers *users, bool shrunk)
{
	uint16		flags = RECSYS_ROW_INEXACT | (recount->meta.learned ? RECSYS_ROW_STALE : 0);
	MemoryContext old;
	uint64	   *starts;

	if (nitems == 0)
		return;
	old = MemoryContextSwitchTo(recount->round);
	recount->rows_only = false;
	RecsysRoundStart(recount, items, nitems);
	recount->histories = users->histories;
	add_members(recount, users);
	starts = RecsysRoundGroupMembers(recount);

	/* all totals must be known before the first score */
	for (uint32 slot = 0; slot < nitems; slot++)
		adjust_totals(recount, slot);
	for (uint32 slot = 0; slot < nitems; slot++)
	{
		RecsysRoundCount(recount, starts[slot], starts[slot + 1]);
		for (uint32 i = 0; i < recount->ntouched; i++)
			RecsysRoundLoadRow(recount, recount->touched[i]);
		adjust_row(recount, slot, flags | (shrunk ? RECSYS_ROW_SHRUNK : 0));
		RecsysRoundClear(recount);
	}
	RecsysGraphUpdate(recount->index, &recount->order, recount->rows, nitems,
					  recount->pairs, recount->npairs);
	RecsysRoundEnd(recount);
	MemoryContextSwitchTo(old);
}

/* A row as it is, with more flags. */
static void
flag_row(RecsysRecount *recount, uint32 item, uint16 flags, RecsysRowUpdate *update)
{
	PGAlignedBlock copy;
	RecsysGraphRow row = take_row(recount, item, flags, update, &copy);
	RecsysNeighborList *list = &update->list;

	update->item = item;
	update->totals = RecsysRowGetTotals(row);
	list->neighbors = palloc(sizeof(RecsysNeighbor) * (row->nstored + 1));
	list->count = row->nstored;
	for (int i = 0; i < row->nstored; i++)
	{
		list->neighbors[i].item = row->peers[i];
		list->neighbors[i].score = RecsysRowScores(row)[i];
		list->neighbors[i].support = RecsysRowSupports(row)[i];
	}
}

void
RecsysRecountPostpone(RecsysRecount *recount, const uint32 *items, uint32 nitems)
{
	MemoryContext old = MemoryContextSwitchTo(recount->round);

	for (uint32 first = 0; first < nitems; first += POSTPONED_TOGETHER)
	{
		int			n = (int) Min(nitems - first, POSTPONED_TOGETHER);
		RecsysRowUpdate *updates = palloc0(sizeof(RecsysRowUpdate) * n);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			flag_row(recount, items[first + i], RECSYS_ROW_INEXACT, &updates[i]);
		RecsysGraphUpdate(recount->index, &recount->order, updates, n, NULL, 0);
		MemoryContextReset(recount->round);
	}
	MemoryContextSwitchTo(old);
}
