/*
 * itemsround.c
 *	  Some items' rows brought up to date, and those of others that have them.
 *
 * The new and the old contents of the items are compared with all other current content, in one
 * scan over the content pages.  New content gives the item's own row.  The row of another item
 * changes only if the new likeness reaches its floor, or the old one did, so that the row
 * may store the item; the floor stands beside the content.  Then the row itself is read: it
 * knows its floor exactly, and whether it stores the item.  A pair below the floor is taken out
 * rather than stored behind it, so that every stored pair has a score of at least the floor.
 * That is why the next round finds all rows with the item by its old likeness.
 *
 * A round may be cut short after any step.  The steps are in this order:
 *
 * 1. The items' rows are flagged: rows of others may hold pairs with them that are neither by
 *	  the old content nor by the new.
 * 2. The rows of others are patched.
 * 3. The new content becomes the current one.
 * 4. The items' rows are replaced, which takes the flags away.
 *
 * The events that led here are still on their list then (or the items on the queue), and who
 * meets a flagged item again looks at all rows for it.  Floors beside the content may be
 * lower than those of the rows, never higher: one that sinks is written before the row, one that
 * rises after it.
 */
#include "postgres.h"

#include "am/content/contentchange.h"
#include "am/compare/itemsnearest.h"
#include "am/compare/itemsround.h"
#include "am/merge/graphupdate.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/unsaid.h"
#include "am/store/enlarge.h"
#include "am/store/progress.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* An item of the round */
typedef struct RoundItem
{
	RecsysItemChange *change;
	int			new_query;		/* its number in the block, or -1 */
	int			old_query;
	RecsysNearest *best;		/* of new content */
	bool		is_stored;		/* by the row at hand, with a score */
	float		stored;
} RoundItem;

/* A floor beside the content that is lower than that of the row */
typedef struct LowFloor
{
	BlockNumber block;
	RecsysContentFloor floor;
} LowFloor;

typedef struct Round
{
	RecsysItemsBatch *batch;
	RoundItem  *items;
	int			nitems;
	bool		flagged;		/* has one of them to be looked for in all rows? */
	RecsysLikenessBlock *block;
	int			stride;
	float	   *scores;
	RecsysPairUpdate *pairs;
	uint64		npairs;
	uint64		maxpairs;
	LowFloor   *floors;
	uint64		nfloors;
	uint64		maxfloors;
	uint64		contents;
} Round;

/* Candidates of a page, or of the round itself, on their way into a comparison */
typedef struct Tile
{
	int			n;
	const char *packed[RECSYS_TILE];
	RecsysContentTuple tuples[RECSYS_TILE];
} Tile;

static void
flush_pairs(Round *round)
{
	RecsysItemsBatch *batch = round->batch;

	RecsysCheckMergeSnapshot(batch->merge->index, batch->merge->snapshot);
	RecsysGraphUpdate(batch->merge->index, &batch->order, NULL, 0, round->pairs, round->npairs);
	round->npairs = 0;
	RECSYS_FAULT("items-patched");
}

/* A score that is not positive takes the item out of the row. */
static void
put_pair(Round *round, uint32 row, uint32 item, float score)
{
	if (round->npairs == round->maxpairs)
	{
		/* rather write what there is than take more memory */
		if (round->npairs * sizeof(RecsysPairUpdate) >= round->batch->merge->memory / 4)
			flush_pairs(round);
		else
		{
			round->maxpairs = Max(1024, round->maxpairs * 2);
			round->pairs = RecsysEnlarge(CurrentMemoryContext, round->pairs,
										 sizeof(RecsysPairUpdate) * round->maxpairs);
		}
	}
	round->pairs[round->npairs++] = (RecsysPairUpdate) {row, item, 0, score};
}

static void
note_floor(Round *round, BlockNumber block, uint32 item, float floor)
{
	if (round->nfloors == round->maxfloors)
	{
		round->maxfloors = Max(1024, round->maxfloors * 2);
		round->floors = RecsysEnlarge(CurrentMemoryContext, round->floors,
									  sizeof(LowFloor) * round->maxfloors);
	}
	round->floors[round->nfloors++] = (LowFloor) {block, {item, floor}};
}

static inline float
score_of(const float *scores, int query)
{
	return query >= 0 ? scores[query] : 0;
}

/* Notes what the row of an item stores of the round's items; returns its floor. */
static float
read_stored(Round *round, uint32 item)
{
	RecsysItemsBatch *batch = round->batch;
	RecsysGraphRow row = RecsysGraphNeedRow(&batch->graph, item);
	float		floor = row->floor_score;

	for (int i = 0; i < round->nitems; i++)
		round->items[i].is_stored = false;
	for (int i = 0; i < row->nstored; i++)
	{
		uint32		peer = row->peers[i];

		if (peer >= batch->merge->nitems || batch->slots[peer] == 0)
			continue;
		round->items[batch->slots[peer] - 1].is_stored = true;
		round->items[batch->slots[peer] - 1].stored = RecsysRowScores(row)[i];
	}
	RecsysGraphReleaseRow(&batch->graph);
	return floor;
}

/* The pairs of the row of a tuple's item that change. */
static void
patch_row(Round *round, RecsysContentTuple tuple, BlockNumber block, const float *scores)
{
	float		floor = read_stored(round, tuple->item);
	bool		any = false;

	for (int i = 0; i < round->nitems; i++)
	{
		RoundItem  *item = &round->items[i];
		float		score = score_of(scores, item->new_query);
		bool		belongs = score > 0 && score >= floor;

		if (item->change->own_only || (!belongs && !item->is_stored))
			continue;
		any = true;
		if (!item->is_stored || !belongs || item->stored != score)
			put_pair(round, tuple->item, item->change->item, belongs ? score : 0);
	}
	if (!any && tuple->floor < floor)
		note_floor(round, block, tuple->item, floor);
}

/* May the row of a tuple's item have, or come to have, one of the round's items? */
static bool
is_near(const Round *round, RecsysContentTuple tuple, const float *scores)
{
	bool		near = round->flagged;

	for (int i = 0; !near && i < round->nitems; i++)
	{
		const RoundItem *item = &round->items[i];
		float		score = Max(score_of(scores, item->new_query), score_of(scores, item->old_query));

		near = !item->change->own_only && score > 0 && score >= tuple->floor;
	}
	return near;
}

/* Compares the tile with the round's contents. */
static void
compare(Round *round, Tile *tile)
{
	if (tile->n > 0)
		RecsysBlockCompare(round->block, tile->packed, tile->n, round->scores);
}

static void
compare_tile(Round *round, Tile *tile, BlockNumber block)
{
	compare(round, tile);
	for (int c = 0; c < tile->n; c++)
	{
		const float *scores = round->scores + (Size) c * round->stride;

		for (int i = 0; i < round->nitems; i++)
			if (round->items[i].new_query >= 0)
				RecsysNearestOffer(round->items[i].best, tile->tuples[c]->item,
									 scores[round->items[i].new_query]);
		if (is_near(round, tile->tuples[c], scores))
			patch_row(round, tile->tuples[c], block, scores);
	}
	tile->n = 0;
}

static void
visit_page(void *arg, const RecsysContentPage *page)
{
	Round	   *round = arg;
	Tile		tile = {0};

	round->contents += page->ntuples;
	for (int i = 0; i < page->ntuples; i++)
	{
		RecsysContentTuple tuple = page->tuples[i];

		if ((tuple->flags & RECSYS_CONTENT_CURRENT) == 0)
			continue;

		/* nobody else makes content current */
		if (tuple->item >= round->batch->merge->nitems)
			RecsysNoItem(round->batch->merge->index, tuple->item);

		/* items of the round are compared by what they are to have */
		if (round->batch->slots[tuple->item] != 0)
			continue;
		tile.packed[tile.n] = tuple->packed;
		tile.tuples[tile.n++] = tuple;
		if (tile.n == RECSYS_TILE)
			compare_tile(round, &tile, page->block);
	}
	compare_tile(round, &tile, page->block);
}

/* The round's items among themselves; all of their rows are replaced. */
static void
compare_own(Round *round)
{
	Tile		tile = {0};

	for (int candidate = 0; candidate < round->nitems; candidate++)
	{
		CHECK_FOR_INTERRUPTS();
		if (round->items[candidate].change->new != NULL)
		{
			tile.packed[tile.n] = round->items[candidate].change->new->packed;
			tile.tuples[tile.n++] = round->items[candidate].change->new;
		}
		if (tile.n < RECSYS_TILE && candidate < round->nitems - 1)
			continue;

		compare(round, &tile);
		for (int c = 0; c < tile.n; c++)
			for (int i = 0; i < round->nitems; i++)
				if (round->items[i].new_query >= 0 && round->items[i].change->item != tile.tuples[c]->item)
					RecsysNearestOffer(round->items[i].best, tile.tuples[c]->item,
										 round->scores[(Size) c * round->stride + round->items[i].new_query]);
		tile.n = 0;
	}
}

static int
add_query(Round *round, RecsysContentTuple tuple, int *nqueries)
{
	if (tuple == NULL)
		return -1;
	RecsysBlockAdd(round->block, tuple->packed);
	return (*nqueries)++;
}

static void
start_round(Round *round, RecsysItemsBatch *batch, RecsysItemChange *changes, int nchanges)
{
	int			nqueries = 0;

	memset(round, 0, sizeof(*round));
	round->batch = batch;
	round->items = palloc0(sizeof(RoundItem) * nchanges);
	round->nitems = nchanges;
	for (int i = 0; i < nchanges; i++)
		nqueries += RecsysItemsQueries(&changes[i]);
	round->block = RecsysBlockCreate(&batch->model, Max(nqueries, 1));

	nqueries = 0;
	for (int i = 0; i < nchanges; i++)
	{
		RoundItem  *item = &round->items[i];

		item->change = &changes[i];
		item->new_query = add_query(round, changes[i].new, &nqueries);
		item->old_query = add_query(round, changes[i].own_only ? NULL : changes[i].old, &nqueries);
		if (item->new_query >= 0)
			item->best = RecsysNearestCreate(batch->capacity, &batch->order);
		if (changes[i].flags & RECSYS_ROW_SHRUNK)
			round->flagged = true;
		batch->slots[changes[i].item] = i + 1;
	}
	round->stride = RecsysBlockStride(round->block);
	round->scores = (float *) TYPEALIGN(64, palloc_extended(sizeof(float) * RECSYS_TILE * round->stride + 64,
															MCXT_ALLOC_HUGE));
}

/* From now on the items' pairs in rows of others are not to be relied upon. */
static void
flag_rows(Round *round)
{
	RecsysCheckMergeSnapshot(round->batch->merge->index, round->batch->merge->snapshot);
	for (int i = 0; i < round->nitems; i++)
		if (!round->items[i].change->own_only)
			RecsysFlagItem(&round->batch->graph, round->items[i].change->item);
	RECSYS_FAULT("items-flagged");
}

static void
set_floor(Round *round, const RecsysItemChange *change, float floor)
{
	RecsysContentFloor one = {change->item, floor};

	RecsysContentWriteFloors(round->batch->merge->index, change->new_block, &one, 1);
}

/* The new content becomes the current one. */
static void
move_contents(Round *round, const RecsysRowUpdate *rows)
{
	for (int i = 0; i < round->nitems; i++)
	{
		const RecsysItemChange *change = round->items[i].change;

		CHECK_FOR_INTERRUPTS();
		if (!change->own_only)
			RecsysContentMove(round->batch->merge->index, change->item, change->old_block,
							  change->new_block, change->new != NULL ? &change->new->tid : NULL,
							  rows[i].list.floor_score);
		else if (rows[i].list.floor_score < change->new->floor)
			set_floor(round, change, rows[i].list.floor_score);
	}
}

static void
form_rows(Round *round, RecsysRowUpdate *rows)
{
	for (int i = 0; i < round->nitems; i++)
	{
		RoundItem  *item = &round->items[i];

		rows[i].item = item->change->item;
		rows[i].totals.latest = RECSYS_NO_TIME;
		if (item->best == NULL)
			continue;
		rows[i].totals.users = 1;
		rows[i].totals.norm2 = rows[i].totals.mass = 1;
		RecsysNearestFinish(item->best, &rows[i].list);
	}
}

/* Floors that have risen. */
static void
raise_floors(Round *round, const RecsysRowUpdate *rows)
{
	uint64		first = 0;

	for (int i = 0; i < round->nitems; i++)
		if (round->items[i].change->own_only &&
			rows[i].list.floor_score > round->items[i].change->new->floor)
			set_floor(round, round->items[i].change, rows[i].list.floor_score);

	/* they come in the order of the pages */
	while (first < round->nfloors)
	{
		RecsysContentFloor floors[MaxIndexTuplesPerPage];
		BlockNumber block = round->floors[first].block;
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		while (first < round->nfloors && round->floors[first].block == block)
			floors[n++] = round->floors[first++].floor;
		RecsysContentWriteFloors(round->batch->merge->index, block, floors, n);
	}
}

void
RecsysItemsRound(RecsysItemsBatch *batch, RecsysItemChange *changes, int nchanges)
{
	RecsysRowUpdate *rows = palloc0(sizeof(RecsysRowUpdate) * nchanges);
	RecsysRowUpdate *sorted = palloc(sizeof(RecsysRowUpdate) * nchanges);
	Round		round;

	start_round(&round, batch, changes, nchanges);
	flag_rows(&round);
	RecsysContentScan(batch->merge->index, visit_page, &round);
	compare_own(&round);
	flush_pairs(&round);
	form_rows(&round, rows);
	move_contents(&round, rows);
	RECSYS_FAULT("items-moved");
	memcpy(sorted, rows, sizeof(RecsysRowUpdate) * nchanges);
	RecsysGraphUpdate(batch->merge->index, &batch->order, sorted, nchanges, NULL, 0);
	RECSYS_FAULT("items-rows");
	raise_floors(&round, rows);

	for (int i = 0; i < nchanges; i++)
		batch->slots[changes[i].item] = 0;
	RecsysBlockFree(round.block);
	batch->contents = round.contents;
	batch->merge->result->recomputed += nchanges;
	RecsysMergeProgressItems(nchanges);
}
