/*
 * check.c
 *	  Verifying the on-disk invariants of a recsys index.
 *
 * The pages: both trees are walked from their roots; ranges must nest without
 * gaps, owners must be in order and under the right hash, lists as long as they
 * claim.  Every block of the relation must be reached exactly once, or be free.
 * The item graph: one row per item number, under the item's own key; neighbors
 * in order and within bounds; totals as the meta page has them.  The rows, what
 * the graph counts of them, and the factors: see check_rows.c, check_counts.c and
 * check_factors.c.
 *
 * The caller keeps writers out (on a standby: hopes that replay is quiet).
 */
#include "postgres.h"

#include <math.h>

#include "am/check/check.h"
#include "am/check/check_parts.h"
#include "am/graph/factor.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/lists/chain.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/recycle.h"
#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct RecsysPagesCheck
{
	Relation	index;
	RecsysCache *cache;
	const RecsysCheckHooks *hooks;
	void	   *arg;			/* of the hooks */
	BlockNumber nblocks;
	bool	   *reached;		/* by block */
	bool	   *has_owner;		/* by item number */
	uint32		nitems;
	RecsysGraphReader reader;
} CheckState;

#define corrupted(state, ...) RecsysCheckFailed((state)->index, __VA_ARGS__)

void
RecsysCheckReach(RecsysPagesCheck *state, BlockNumber block)
{
	CHECK_FOR_INTERRUPTS();
	if (block >= state->nblocks)
		corrupted(state, "A page refers to block %u, beyond the end.", block);
	if (state->reached[block])
		corrupted(state, "Block %u is used twice.", block);
	state->reached[block] = true;
}

static void
check_entries(CheckState *state, RecsysSide side, RecsysOwner owner, const RecsysEntryArray *array)
{
	for (uint32 i = 0; i < array->count; i++)
	{
		RecsysEntry *entry = &array->entries[i];

		if (!ItemPointerIsValid(&entry->tid))
			corrupted(state, "An entry has an invalid TID.");
		if (side == RECSYS_USERS && !entry->orphan && entry->peer >= state->nitems)
			corrupted(state, "A user has item number %u, there are %u items.",
					  entry->peer, state->nitems);
		if (entry->forgotten && (owner->flags & RECSYS_OWNER_FORGOTTEN) == 0)
			corrupted(state, "A user has forgotten entries without saying so.");
		state->hooks->entry(state->arg, side, owner, entry);
	}
}

/*
 * The list of an owner on a copy of its bucket: nothing is locked but the page at hand while
 * it is read.  The pages are the list's own, and its entries as many as it claims: the walk
 * looks at that.
 */
static void
check_entries_of(CheckState *state, RecsysSide side, RecsysOwner owner)
{
	RecsysEntryArray array = {0};
	RecsysChain chain;
	Buffer		buffer;

	RecsysChainBegin(&chain, state->index, side, state->cache->stride[side], owner);
	RecsysUnpackEntries(state->index, side, RecsysOwnerEntries(owner), owner->tail, &array);
	check_entries(state, side, owner, &array);
	while ((buffer = RecsysChainNext(&chain, BUFFER_LOCK_SHARE)) != InvalidBuffer)
	{
		BlockNumber block = BufferGetBlockNumber(buffer);

		array.count = 0;
		RecsysUnpackEntries(state->index, side, RecsysChainEntries(BufferGetPage(buffer)),
							RecsysChainCount(BufferGetPage(buffer), chain.stride), &array);
		UnlockReleaseBuffer(buffer);
		RecsysCheckReach(state, block);
		check_entries(state, side, owner, &array);
	}
	if (array.entries != NULL)
		pfree(array.entries);
}

/* The owner of an item and its graph row must agree on number and key. */
static void
check_item(CheckState *state, RecsysOwner owner)
{
	RecsysGraphRow row;

	if (owner->number >= state->nitems)
		corrupted(state, "An item has number %u, there are %u items.", owner->number, state->nitems);
	if (state->has_owner[owner->number])
		corrupted(state, "Item number %u is used twice.", owner->number);
	state->has_owner[owner->number] = true;

	row = RecsysGraphReadRow(&state->reader, owner->number);
	if (row == NULL || row->keylen != owner->keylen ||
		memcmp(RecsysRowKey(row), owner->key, owner->keylen) != 0)
		corrupted(state, "The graph row of item number %u has another key.", owner->number);
	RecsysGraphReleaseRow(&state->reader);
}

static void
check_bucket(CheckState *state, RecsysSide side, BlockNumber block, uint32 low, uint32 high)
{
	RecsysMetaData *meta = &state->cache->meta;
	RecsysKeyKind kind = side == RECSYS_USERS ? meta->user_kind : meta->item_kind;
	PGAlignedBlock copy;
	Page		page = (Page) copy.data;
	RecsysPageOpaque opaque;
	Buffer		buffer;
	uint32		previous = low;

	RecsysCheckReach(state, block);

	/* a copy, so that graph rows and chains can be read without nesting locks */
	buffer = RecsysReadPage(state->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_BUCKET);
	memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);

	opaque = RecsysPageGetOpaque(page);
	if (opaque->side != side || opaque->low != low || opaque->high != high)
		corrupted(state, "Bucket %u covers hashes %u to %u where %u to %u were expected.",
				  block, opaque->low, opaque->high, low, high);

	for (OffsetNumber off = FirstOffsetNumber; off <= PageGetMaxOffsetNumber(page); off++)
	{
		RecsysOwner owner = RecsysPageGetOwner(page, off);
		RecsysKey	key;

		RecsysOwnerCheck(state->index, page, off, state->cache->stride[side]);
		if (owner->hash < previous || owner->hash > high)
			corrupted(state, "Bucket %u has owners out of order or range.", block);
		RecsysKeyLoad(kind, owner->key, owner->keylen, &key);
		if (RECSYS_TREE_HASH(RecsysKeyHash(kind, &key, meta->seed)) != owner->hash)
			corrupted(state, "An owner on bucket %u stands under a wrong hash.", block);
		previous = owner->hash;
		check_entries_of(state, side, owner);
		if (side == RECSYS_ITEMS)
			check_item(state, owner);
	}
}

static void
check_directory(CheckState *state, RecsysSide side, BlockNumber block, int level,
				uint32 low, uint32 high)
{
	PGAlignedBlock copy;
	RecsysDirectoryData *directory = RecsysPageGetDirectory((Page) copy.data);
	RecsysPageOpaque opaque;
	Buffer		buffer;

	check_stack_depth();
	RecsysCheckReach(state, block);
	buffer = RecsysReadPage(state->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_DIRECTORY);
	memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);

	opaque = RecsysPageGetOpaque((Page) copy.data);
	if (opaque->side != side || opaque->low != low || opaque->high != high ||
		(level >= 0 && directory->level != level) ||
		directory->nslots < 1 || directory->nslots > RECSYS_DIRECTORY_SLOTS ||
		directory->slots[0].low != low)
		corrupted(state, "Directory page %u is not what its parent expects.", block);

	for (int i = 0; i < directory->nslots; i++)
	{
		uint32		first = directory->slots[i].low;
		uint32		last = i + 1 < directory->nslots ? directory->slots[i + 1].low - 1 : high;

		if (i + 1 < directory->nslots && directory->slots[i + 1].low <= first)
			corrupted(state, "Directory page %u has slots out of order.", block);
		if (directory->level == 0)
			check_bucket(state, side, directory->slots[i].child, first, last);
		else
			check_directory(state, side, directory->slots[i].child, directory->level - 1,
							first, last);
	}
}

/* What a graph row says of its item alone */
static void
check_totals(CheckState *state, RecsysGraphRow row)
{
	RecsysMetaData *meta = &state->cache->meta;

	if (!isfinite(row->norm2) || !isfinite(row->mass) ||
		(row->users > 0) != (row->norm2 > 0) || (row->users > 0) != (row->mass > 0))
		corrupted(state, "Item number %u has %u users with weights that add up to %g, their squares to %g.",
				  row->item, row->users, row->mass, row->norm2);
	if (row->latest != RECSYS_NO_TIME && (!meta->timed || row->users == 0))
		corrupted(state, "Item number %u has a latest time without a time to count.", row->item);
	if (!isfinite(row->recent.sum) || row->recent.sum < 0 || row->recent.sum > 2.0 * row->users ||
		(row->recent.sum > 0 && row->latest == RECSYS_NO_TIME))
		corrupted(state, "Item number %u has %u users, of which %g have it lately.",
				  row->item, row->users, row->recent.sum);
	if (row->rhythm.repeaters > Min(row->users, row->rhythm.gaps) ||
		(row->rhythm.gaps > 0 && (!meta->timed || row->rhythm.repeaters == 0)))
		corrupted(state, "Item number %u has %u users, of which %u have it again, with %u gaps.",
				  row->item, row->users, row->rhythm.repeaters, row->rhythm.gaps);
}

/* No pair has a smaller support; of an index over interactions, as others count none. */
static uint32
least_support(const CheckState *state)
{
	return RecsysIndexIsItems(state->index) || RecsysIndexIsGraph(state->index) ? 0 :
		state->cache->meta.min_support;
}

/* Order and bounds of one graph row */
static void
check_row(CheckState *state, RecsysGraphRow row)
{
	RecsysMetaData *meta = &state->cache->meta;
	const float *scores = RecsysRowScores(row);
	const uint32 *supports = RecsysRowSupports(row);

	if (row->nneighbors > meta->neighbors)
		corrupted(state, "Item number %u has %u neighbors, more than %d.",
				  row->item, row->nneighbors, meta->neighbors);
	if (row->nstored > RECSYS_ROW_CAPACITY(meta->neighbors) ||
		row->nneighbors != Min(row->nstored, meta->neighbors))
		corrupted(state, "Item number %u stores %u neighbors, of which it shows %u.",
				  row->item, row->nstored, row->nneighbors);
	if ((row->flags & RECSYS_ROW_INEXACT) == 0 && row->floor_score > 0 &&
		(row->flags & RECSYS_ROW_SHORT) == 0 && row->nstored < meta->neighbors)
		corrupted(state, "Item number %u has too few neighbors and is not queued.", row->item);
	check_totals(state, row);
	if ((row->flags & RECSYS_ROW_STALE) != 0 && !meta->learned)
		corrupted(state, "Item number %u is stale, though its scores are not learned.", row->item);
	if (row->floor_score != 0 && meta->learned)
		corrupted(state, "Item number %u has a floor, though its scores are learned.", row->item);
	for (int i = 0; i < row->nstored; i++)
	{
		if (row->peers[i] >= meta->nitems || row->peers[i] == row->item)
			corrupted(state, "Item number %u has neighbor %u.", row->item, row->peers[i]);
		if (!(scores[i] > 0) || !isfinite(scores[i]))
			corrupted(state, "Item number %u has a neighbor with score %g.", row->item, scores[i]);

		/* more than the item's users as counted: their events are yet to come */
		if (supports[i] < least_support(state))
			corrupted(state, "Item number %u has a neighbor with support %u.",
					  row->item, supports[i]);
		if (i > 0 && (scores[i] > scores[i - 1] ||
					  (scores[i] == scores[i - 1] && row->peers[i] < meta->nsorted &&
					   row->peers[i] <= row->peers[i - 1] && row->peers[i - 1] < meta->nsorted)))
			corrupted(state, "Item number %u has neighbors out of order.", row->item);
	}
}

static void
check_graph(CheckState *state)
{
	RecsysMetaData *meta = &state->cache->meta;
	uint64		interactions = 0;
	uint64		pairs = 0;
	uint64		stale = 0;
	RecsysRhythm rhythm = {0};

	for (uint32 item = 0; item < state->nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphReadRow(&state->reader, item);

		CHECK_FOR_INTERRUPTS();
		if (!state->has_owner[item])
			corrupted(state, "Item number %u has no owner.", item);
		if (row == NULL || !RecsysGraphRowIsTight(&state->reader, item))
			corrupted(state, row == NULL ? "Item number %u has no graph row." :
					  "Item number %u has a row in another form than it should have.", item);
		check_row(state, row);
		interactions += row->users;
		pairs += row->nneighbors;
		stale += (row->flags & RECSYS_ROW_STALE) != 0;
		RecsysRhythmAddAll(&rhythm, &row->rhythm);
		RecsysGraphReleaseRow(&state->reader);
	}
	if (interactions != meta->interactions)
		corrupted(state, "The items' users add up to %llu interactions, the meta page has %llu.",
				  (unsigned long long) interactions, (unsigned long long) meta->interactions);
	if (pairs != meta->pairs)
		corrupted(state, "The graph has %llu pairs, the meta page has %llu.",
				  (unsigned long long) pairs, (unsigned long long) meta->pairs);
	if (stale != meta->stale)
		corrupted(state, "%llu items are stale, the meta page has %llu.",
				  (unsigned long long) stale, (unsigned long long) meta->stale);
	if (memcmp(&rhythm, &meta->rhythm, sizeof(RecsysRhythm)) != 0)
		corrupted(state, "The items' users have %u gaps between occasions, the meta page has %u; or they differ in length.",
				  rhythm.gaps, meta->rhythm.gaps);
}

/*
 * The popular page follows a little later than the rows when a merge is cut short,
 * so nothing is said about its order.
 */
static void
check_popular(CheckState *state)
{
	int			count;
	uint32	   *items = RecsysReadPopular(state->index, &count);

	for (int i = 0; i < count; i++)
	{
		if (items[i] >= state->nitems)
			corrupted(state, "Item number %u is popular and does not exist.", items[i]);
	}
}

/* A pending list: linked from head to tail. */
static void
check_list(CheckState *state, int list)
{
	RecsysMetaData *meta = &state->cache->meta;
	BlockNumber block = meta->pending_head[list];
	BlockNumber last = InvalidBlockNumber;

	while (BlockNumberIsValid(block))
	{
		Buffer		buffer;
		Page		page;

		RecsysCheckReach(state, block);
		buffer = RecsysReadPage(state->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_PENDING);
		page = BufferGetPage(buffer);
		if (RecsysPageGetOpaque(page)->low != (uint32) list)
			corrupted(state, "Block %u belongs to another pending list.", block);
		for (int i = 0; i < RecsysPageEventCount(page); i++)
		{
			if (RecsysPageEvents(page)[i].item >= state->nitems)
				corrupted(state, "A pending entry on block %u names item number %u.",
						  block, RecsysPageEvents(page)[i].item);
		}
		last = block;
		block = RecsysPageGetOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
	}
	if (last != meta->pending_tail[list])
		corrupted(state, "Pending list %d ends at block %u, not at %u.",
				  list, last, meta->pending_tail[list]);
}

/* The consecutive pages of n factors, sketches or rests, so many a page. */
static void
reach_vectors(CheckState *state, BlockNumber block, uint32 n, uint32 per_page)
{
	for (uint64 first = 0; first < n; first += per_page)
		RecsysCheckReach(state, block++);
}

static void
reach_factors(CheckState *state, const RecsysMetaData *meta)
{
	uint32		per_page;
	RecsysSketchLayout layout;

	if (meta->factor_rank == 0)
		return;
	per_page = RECSYS_PAGE_VECTORS(RECSYS_FACTOR_SIZE(meta->factor_rank));
	RecsysSketchLayoutInit(&layout, meta->factor_rank, RECSYS_SKETCH_BYTES);
	reach_vectors(state, meta->factors, meta->factor_items, per_page);
	RecsysCheckReach(state, meta->gram);
	reach_vectors(state, meta->sketches, meta->factor_items, layout.room);
	reach_vectors(state, meta->sketches + RecsysSketchBlocks(&layout, meta->factor_items),
				  meta->factor_items, layout.room);
}

/* Pages that are no part of the trees: meta, row map, graph, popular, factors; and that nothing is lost. */
static void
check_other_pages(CheckState *state)
{
	RecsysMetaData *meta = &state->cache->meta;

	RecsysCheckReach(state, RECSYS_META_BLOCK);
	for (uint32 i = 0; i < state->cache->nleaves; i++)
		RecsysCheckReach(state, state->cache->leaves[i]);
	for (uint32 i = 0; i < meta->map_leaves; i += RECSYS_MAP_ROOT_LEAVES)
		RecsysCheckReach(state, meta->map_roots[i / RECSYS_MAP_ROOT_LEAVES]);
	if (meta->popular != InvalidBlockNumber)
		RecsysCheckReach(state, meta->popular);
	if (meta->prior != InvalidBlockNumber)
		RecsysCheckReach(state, meta->prior);
	reach_factors(state, meta);
	for (int list = 0; list < RECSYS_LISTS; list++)
		check_list(state, list);

	for (BlockNumber block = 0; block < state->nblocks; block++)
	{
		Buffer		buffer = ReadBuffer(state->index, block);
		Page		page = BufferGetPage(buffer);
		FullTransactionId when;
		int			kind = 0;

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (!PageIsNew(page))
		{
			if (RecsysPageIsOurs(page))
				kind = RecsysPageGetOpaque(page)->kind;
			RecsysPageCheck(state->index, buffer, kind);

			/* that time may be yet to come: a crash forgets transactions that logged nothing */
			if (kind == RECSYS_PAGE_DELETED && !RecsysPageDeletedAt(page, &when))
				corrupted(state, "Block %u does not tell when it was deleted.", block);
		}
		UnlockReleaseBuffer(buffer);

		/* graph rows are reached one by one, not page by page */
		if (state->reached[block] != (kind != 0 && kind != RECSYS_PAGE_FREE &&
									  kind != RECSYS_PAGE_DELETED && kind != RECSYS_PAGE_GRAPH))
		{
			if (state->reached[block])
				corrupted(state, "Block %u of kind %d is in use.", block, kind);
			corrupted(state, "Block %u of kind %d is lost.", block, kind);
		}
	}
}

void
RecsysCheckPages(Relation index, const RecsysCheckHooks *hooks, void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys check",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysPagesCheck state;

	state.index = index;
	state.hooks = hooks;
	state.arg = arg;
	state.cache = RecsysRefreshCache(index);
	state.nitems = state.cache->meta.nitems;
	state.nblocks = RelationGetNumberOfBlocks(index);
	state.reached = MemoryContextAllocExtended(context, Max(state.nblocks, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state.has_owner = MemoryContextAllocExtended(context, Max(state.nitems, 1),
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysGraphReaderInit(&state.reader, index);

	if (state.hooks->pages != NULL)
		state.hooks->pages(state.arg, &state);
	for (int side = RECSYS_USERS; side <= RECSYS_ITEMS; side++)
		check_directory(&state, side, RECSYS_ROOT_BLOCK(side), -1, 0, PG_UINT32_MAX);
	check_graph(&state);
	check_popular(&state);
	check_other_pages(&state);
	RecsysGraphReaderDone(&state.reader);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* What the hooks get */
typedef struct IndexCheck
{
	RecsysRowCheck *rows;
	RecsysWholeCheck *whole;	/* NULL: of a plain table */
} IndexCheck;

static void
check_entry(void *arg, RecsysSide side, const RecsysOwnerData *owner, const RecsysEntry *entry)
{
	IndexCheck *check = arg;
	uint64		position = RecsysTidPosition(&entry->tid);

	if (check->whole != NULL)
		RecsysWholeCheckEntry(check->whole, entry);
	if (side == RECSYS_USERS)
		RecsysRowCheckUserEntry(check->rows, owner->hash, entry->peer, position);
	else
		RecsysRowCheckItemEntry(check->rows, owner->number, entry->orphan, entry->peer, position);
}

static void
check_more_pages(void *arg, RecsysPagesCheck *pages)
{
	IndexCheck *check = arg;

	if (check->whole != NULL)
		RecsysWholeCheckPages(check->whole, pages);
}

void
RecsysCheckIndex(Relation heap, Relation index)
{
	static const RecsysCheckHooks hooks = {check_entry, check_more_pages};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys check rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	IndexCheck	check;

	if (RecsysBeforeReading != NULL)
		RecsysBeforeReading();
	RecsysWholeCheckLockLeaves(heap);
	check.whole = RecsysWholeCheckCreate(heap, index);
	check.rows = RecsysRowCheckCreate(heap, index, check.whole);
	RecsysCheckPages(index, &hooks, &check);
	RecsysCheckFactors(index);
	RecsysCheckPrior(index);
	RecsysRowCheckFinish(check.rows);
	RecsysCheckCounts(heap, index);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
