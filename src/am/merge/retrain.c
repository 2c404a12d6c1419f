/*
 * retrain.c
 *	  A merge that trains the model anew instead of recomputing items one by one.
 *
 * Recomputing an item costs a hundred times what training spends on it: its users are read
 * one by one, by hash, and each pair is put into the row of another item.  So where most
 * items have changed, after the end of a big partition, a mass DELETE or a bulk load, the
 * merge reads all histories from the user side, as its snapshot sees them, trains as a build does
 * (source/train), and writes all rows.
 *
 * 1. The snapshot is taken.  Every user is read, in the order of hashes, as a build reads them.
 *	  Those of whom other items count than the marks say are flagged (mark.c).  Items are numbered by rank, in the order of their keys, since ties are broken by it.
 * 2. The rows are written page by page, as those of any merge (graphupdate.c), for others to read.  Rows
 *	  that are flagged keep their flags.
 * 3. All rows are as they shall be: the flags go, and then the queue.
 * 4. Flags of users follow, then prior, popular page and numbers of the meta page.
 * 5. The events go that the snapshot has finished.
 *
 * It may be cut short after any step.  Then rows of the old training and of the new one
 * stand beside each other, as after any merge that was cut short: what events and queue name
 * will be recomputed with all pairs, and nothing else has changed.  Only scores that depend on the
 * numbers of users or items need more, which the meta page tells (rescoring): the next exact
 * merge computes all rows anew.
 *
 * Scores that are learned are none of this.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/build/build_parallel.h"
#include "am/build/indexmodel.h"
#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "am/lists/pending.h"
#include "am/merge/mark.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/retrain.h"
#include "am/store/corrupted.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"
#include "am/store/patch.h"
#include "am/store/progress.h"
#include "core/pairs/modeloptions.h"
#include "fault.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Rows that are written together at least, whatever the memory */
#define LEAST_ROWS 64

typedef struct Retraining
{
	RecsysMergeState *merge;
	Relation	index;
	Snapshot	snapshot;
	MemoryContext context;
	RecsysMetaData meta;
	RecsysModelOptions options;
	uint32		nitems;
	RecsysItemOrder *order;
	RecsysKeyOrder keys;
	uint32	   *by_rank;		/* item numbers in the order of keys; NULL: that of the numbers */
	uint32	   *ranks;			/* the other way round */
	RecsysUserReader *reader;
	RecsysModel *model;

	/* users whose flags are to follow, by hash */
	uint32	   *hashes;
	uint64		nhashes;
	uint64		maxhashes;

	/* rows on their way */
	uint16	   *flags;			/* by item: those on the queue; NULL: there are none */
	RecsysRowUpdate *rows;
	RecsysNeighbor *neighbors;	/* room for capacity of them for each row */
	int			nrows;
	int			maxrows;
	int			capacity;
} Retraining;

static uint32
rank_of(const Retraining *state, uint32 item)
{
	if (item >= state->nitems)
		RecsysCorrupted(state->index,
						"index \"%s\" has an entry with item number %u, which does not exist",
						RecsysIndexName(state->index), item);
	return state->ranks != NULL ? state->ranks[item] : item;
}

static uint32
item_of(const Retraining *state, uint32 rank)
{
	return state->by_rank != NULL ? state->by_rank[rank] : rank;
}

/*
 * Reading
 */

/* What counts of a user, ascending by rank */
typedef struct RankedHistory
{
	const Retraining *state;
	const RecsysHistoryItem *items;
	int			count;
} RankedHistory;

static int
compare_ranks(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = ((const RecsysHistoryItem *) b)->item;

	return (x > y) - (x < y);
}

static bool
counts(const RankedHistory *history, const RecsysEntry *entry)
{
	uint32		rank;

	if (entry->orphan || history->count == 0)
		return false;

	/* entries of rows that are newer than the snapshot may have newer items */
	if (entry->peer >= history->state->nitems)
		return false;
	rank = rank_of(history->state, entry->peer);
	return bsearch(&rank, history->items, history->count, sizeof(RecsysHistoryItem),
				   compare_ranks) != NULL;
}

/* Have the user's entries to tell which of them count? */
static bool
needs_marks(const Retraining *state, const RecsysUserView *user)
{
	return (user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != 0 ||
		user->nentries >= (uint32) state->meta.max_history;
}

/* Are the flags of a user and of the entries as the history has them? */
static bool
flags_are_right(const Retraining *state, const RecsysUserView *user, const RankedHistory *history)
{
	if (((user->flags & RECSYS_OWNER_COUNTED) != 0) != (history->count > 0))
		return false;
	if (!needs_marks(state, user))
		return true;
	if ((user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != RECSYS_OWNER_MARKED)
		return false;
	for (uint32 i = 0; i < user->nentries; i++)
		if (user->entries[i].counted != counts(history, &user->entries[i]))
			return false;
	return true;
}

static void
note_user(Retraining *state, uint32 hash)
{
	if (state->nhashes > 0 && state->hashes[state->nhashes - 1] == hash)
		return;
	if (state->nhashes == state->maxhashes)
	{
		state->maxhashes = Max(1024, state->maxhashes * 2);
		state->hashes = RecsysEnlarge(state->context, state->hashes,
									  sizeof(uint32) * state->maxhashes);
	}
	state->hashes[state->nhashes++] = hash;
}

/* Visitor: a user's history goes to the model. */
static void
take_user(void *arg, RecsysUserView *user)
{
	Retraining *state = arg;
	RankedHistory history = {state, NULL, 0};

	for (int i = 0; i < user->ninteractions; i++)
	{
		user->interactions[i].item = rank_of(state, user->interactions[i].item);
		RecsysModelAdd(state->model, &user->interactions[i]);
	}
	(void) RecsysModelEndUser(state->model);
	history.items = RecsysModelLastHistory(state->model, &history.count);
	if (flags_are_right(state, user, &history))
		return;
	note_user(state, user->hash);
	if (needs_marks(state, user))
		RecsysDoubtMarks(state->index, user);
}

static void
read_histories(Retraining *state)
{
	uint64		next = 0;

	RecsysMergeProgressPhase(RECSYS_PHASE_HISTORIES);
	while (next <= PG_UINT32_MAX)
	{
		CHECK_FOR_INTERRUPTS();
		next = RecsysUserReaderReadBucket(state->reader, (uint32) next, take_user, state);
	}
	RECSYS_FAULT("retrain-read");
}

/*
 * Rows
 */

static void
write_rows(Retraining *state)
{
	RecsysCheckMergeSnapshot(state->index, state->snapshot);
	RecsysGraphReplace(state->index, &state->keys, state->rows, state->nrows);
	RecsysMergeProgressItems(state->nrows);
	state->merge->result->recomputed += state->nrows;
	state->nrows = 0;
	RECSYS_FAULT("retrain-rows");
}

/* RecsysRowReporter; items are ranks. */
static void
take_row(void *arg, uint32 rank, const RecsysNeighbor *neighbors, int count)
{
	Retraining *state = arg;
	RecsysRowUpdate *row = &state->rows[state->nrows];
	RecsysNeighborList *list = &row->list;

	memset(row, 0, sizeof(*row));
	row->item = item_of(state, rank);
	row->flags = state->flags != NULL ? state->flags[row->item] : 0;
	RecsysIndexModelTotals(state->model, false, rank, &row->totals);
	list->neighbors = state->neighbors + (Size) state->nrows * state->capacity;
	list->count = count;
	for (int i = 0; i < count; i++)
	{
		list->neighbors[i] = neighbors[i];
		list->neighbors[i].item = item_of(state, neighbors[i].item);
	}
	if (count == state->capacity)
	{
		list->floor_score = list->neighbors[count - 1].score;
		list->floor_item = list->neighbors[count - 1].item;
	}
	if (++state->nrows == state->maxrows)
		write_rows(state);
}

static void
train(Retraining *state)
{
	RecsysModelOptions options = state->options;

	RecsysMergeProgressPhase(RECSYS_PHASE_TRAINING);
	options.neighbors = state->capacity;
	(void) RecsysModelFinish(state->model);

	/* workers want one; the background worker has none */
	PushActiveSnapshot(state->snapshot);
	RecsysModelRun(state->model, &options, take_row, state);
	PopActiveSnapshot();
	if (state->nrows > 0)
		write_rows(state);
	RECSYS_FAULT("retrain-written");
}

/*
 * The queue
 */

/* The flags of the items on the queue; their rows keep them until all rows are written. */
static void
read_queue(Retraining *state)
{
	RecsysPendingPage *page = palloc(sizeof(RecsysPendingPage));
	RecsysGraphReader reader;
	BlockNumber block;

	if (state->meta.queued == 0)
		return;
	state->flags = MemoryContextAllocExtended(state->context, sizeof(uint16) * (Size) state->nitems,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysGraphReaderInit(&reader, state->index);
	RecsysPendingEnds(state->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block))
	{
		CHECK_FOR_INTERRUPTS();
		RecsysPendingRead(state->index, RECSYS_QUEUE, block, page);
		for (int i = 0; i < page->count; i++)
			if (page->events[i].item < state->nitems)
				state->flags[page->events[i].item] = RecsysMergeQueuedFlags(&reader, page->events[i].item);
		block = page->next;
	}
	RecsysGraphReaderDone(&reader);
	pfree(page);
}

/* The row of an item is as it shall be. */
static void
clear_flags(RecsysGraphReader *reader, uint32 item)
{
	ItemPointerData tid = RecsysGraphFindRow(reader, item);
	Buffer		buffer;
	RecsysStoredRow row;

	if (!ItemPointerIsValid(&tid))
		RecsysNoItem(reader->index, item);
	buffer = RecsysReadPage(reader->index, ItemPointerGetBlockNumber(&tid), BUFFER_LOCK_EXCLUSIVE,
							RECSYS_PAGE_GRAPH);
	row = RecsysGraphLocateRow(reader->index, BufferGetPage(buffer), ItemPointerGetOffsetNumber(&tid),
							   item);
	if (row == NULL)
		RecsysWrongRow(reader->index, item);
	if ((row->flags & RECSYS_ROW_QUEUED) != 0)
	{
		uint8		flags = row->flags & ~RECSYS_ROW_QUEUED;
		RecsysPatch patch;

		patch.dest = (char *) &row->flags;
		patch.data = &flags;
		patch.length = sizeof(flags);
		RecsysPatchPage(reader->index, buffer, &patch, 1);
	}
	UnlockReleaseBuffer(buffer);
}

/* Flags of rows, then the items that they stood on the queue for. */
static void
empty_queue(Retraining *state)
{
	RecsysPendingPage *page = palloc(sizeof(RecsysPendingPage));
	RecsysGraphReader reader;
	BlockNumber block;

	if (state->flags == NULL)
		return;
	RecsysGraphReaderInit(&reader, state->index);
	for (uint32 item = 0; item < state->nitems; item++)
	{
		CHECK_FOR_INTERRUPTS();
		if (state->flags[item] != 0)
			clear_flags(&reader, item);
	}
	RecsysGraphReaderDone(&reader);
	RECSYS_FAULT("retrain-flags");

	RecsysPendingEnds(state->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block))
	{
		CHECK_FOR_INTERRUPTS();
		RecsysPendingRead(state->index, RECSYS_QUEUE, block, page);
		for (int i = 0; i < page->count; i++)
			page->done[i] = page->events[i].item < state->nitems;
		if (!RecsysPendingRemove(state->index, page, InvalidBlockNumber))
			break;
		block = page->next;
	}
	pfree(page);
	RECSYS_FAULT("retrain-queue");
}

/*
 * Users
 */

static void
mark_counted(void *arg, RecsysEntry *entry)
{
	entry->counted = counts(arg, entry);
}

/* Visitor: a user whose flags are to follow; the history is what it was when it was read. */
static void
update_user(void *arg, RecsysUserView *user)
{
	Retraining *state = arg;
	RecsysHistoryItem *folded = palloc_extended(sizeof(RecsysHistoryItem) *
												((Size) user->ninteractions + 1), MCXT_ALLOC_HUGE);
	RankedHistory history = {state, folded, 0};
	RecsysFolding folding;

	RecsysMetaFolding(&state->meta, NULL, &folding);
	for (int i = 0; i < user->ninteractions; i++)
		user->interactions[i].item = rank_of(state, user->interactions[i].item);
	if (user->ninteractions > 0)
		history.count = RecsysHistoryFold(user->interactions, user->ninteractions, &folding,
										  folded, NULL);
	if (needs_marks(state, user) && !flags_are_right(state, user, &history))
		RecsysMarkEntries(state->index, user, RECSYS_OWNER_MARKED, mark_counted, &history);
	RecsysSetCounted(state->index, user, history.count > 0);
	pfree(folded);
}

static void
update_users(Retraining *state)
{
	for (uint64 i = 0; i < state->nhashes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		RecsysUserReaderRead(state->reader, state->hashes[i], update_user, state);
	}
	RECSYS_FAULT("retrain-users");
}

/*
 * What belongs to all rows together
 */

static void
update_pages(Retraining *state)
{
	uint32	   *all = MemoryContextAllocHuge(state->context, sizeof(uint32) * (Size) Max(state->nitems, 1));

	for (uint32 item = 0; item < state->nitems; item++)
		all[item] = item;
	RecsysUpdatePopular(state->index, all, state->nitems);
	pfree(all);
	RecsysRenewPrior(state->index, state->merge->now, true);
}

/* Begins or ends to write scores with other numbers than the meta page has. */
static void
note_numbers(Retraining *state, bool written)
{
	const RecsysModelStatistics *statistics = RecsysModelGetStatistics(state->model);
	Buffer		buffer = RecsysReadPage(state->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *xlog = GenericXLogStart(state->index);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(xlog, buffer, 0));

	meta->rescoring = !written;
	if (written)
	{
		meta->score_users = statistics->users;
		meta->score_items = statistics->items;
		meta->capped_users = statistics->capped_users;
		meta->capped_interactions = statistics->capped_interactions;
		meta->retrained_at = GetCurrentTimestamp();
		meta->retrain_duration = meta->retrained_at - state->merge->start;
	}
	GenericXLogFinish(xlog);
	UnlockReleaseBuffer(buffer);
}

/*
 * Events that the snapshot has finished.  Those that VACUUM has put on a list since then are among
 * them, rightly: what they are of the snapshot does not see either.
 */
static void
remove_events(Retraining *state)
{
	RecsysMergeState *merge = state->merge;
	MemoryContext context = AllocSetContextCreate(state->context, "recsys events",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		more = true;

	merge->list = -1;
	merge->block = InvalidBlockNumber;
	merge->previous = InvalidBlockNumber;
	while (more)
	{
		BlockNumber previous = BlockNumberIsValid(merge->block) ? merge->previous : InvalidBlockNumber;

		MemoryContextReset(context);
		merge->nevents = 0;
		merge->nvisited = 0;
		more = RecsysMergeReadBatch(merge);
		if (more)
		{
			merge->previous = RecsysMergeRemoveEvents(merge, previous);
			merge->result->merged += merge->nevents;
			RecsysMergeProgressChanges(merge->result->merged);
			RECSYS_FAULT("retrain-events");
		}
		more &= merge->list < RECSYS_PENDING_LISTS;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * The whole
 */

/* Where numbers are not in the order of keys, both ways. */
static void
rank_items(Retraining *state)
{
	state->order = RecsysItemOrderCreate(state->index, state->nitems);
	state->keys = RecsysItemOrderForCore(state->order);
	state->by_rank = RecsysItemsByKey(state->order);
	if (state->by_rank == NULL)
		return;
	state->ranks = MemoryContextAllocHuge(state->context, sizeof(uint32) * (Size) state->nitems);
	for (uint32 rank = 0; rank < state->nitems; rank++)
		state->ranks[state->by_rank[rank]] = rank;
}

/* As many as a build of that size may have, for who waits for it. */
static int
find_workers(const RecsysMergeState *merge)
{
	if (merge->mode != RECSYS_MERGE_EXACT)
		return 0;
	return RecsysWorkersForPages(merge->index, RelationGetNumberOfBlocks(merge->index));
}

/* An eighth of the memory is for rows; the model has what is left. */
static void
share_memory(Retraining *state)
{
	RecsysMergeState *merge = state->merge;
	Size		memory = merge->memory;
	Size		each = sizeof(RecsysRowUpdate) + sizeof(RecsysNeighbor) * (Size) state->capacity;
	bool		weighted = state->meta.weighted && RecsysModelHasWeights(&state->options);
	Size		entry = sizeof(uint32) + (weighted ? sizeof(float) : 0) +
		(RecsysModelUsesOrder(&state->options) ? sizeof(RecsysOrdinal) : 0);
	double		entries = (double) state->meta.interactions + RecsysPendingCount(state->index);

	state->maxrows = (int) Max(LEAST_ROWS, Min(memory / 8 / each, Max(state->nitems, 1)));
	state->rows = MemoryContextAllocHuge(state->context, sizeof(RecsysRowUpdate) * (Size) state->maxrows);
	state->neighbors = MemoryContextAllocHuge(state->context, sizeof(RecsysNeighbor) *
											  (Size) state->capacity * state->maxrows);
	memory -= Min(memory, MemoryContextMemAllocated(state->context, true));
	state->model = RecsysIndexModelCreate(&state->meta, &state->options, RECSYS_NO_TIME,
										  state->nitems, memory, entries * entry > memory / 2,
										  find_workers(merge));
	RecsysModelKeepRecent(state->model, RecsysRecentHalfLife(&state->options), merge->now);
}

static void
begin(Retraining *state, RecsysMergeState *merge)
{
	memset(state, 0, sizeof(*state));
	MemoryContextReset(merge->context);
	state->merge = merge;
	state->index = merge->index;
	state->context = merge->context;
	state->snapshot = merge->snapshot = RecsysMergeSnapshot(merge->index);

	/* after the snapshot was taken: no row that it sees has a higher number */
	state->meta = RecsysRefreshCache(merge->index)->meta;
	state->nitems = merge->nitems = state->meta.nitems;
	merge->recount = NULL;
	merge->maxpages = Min(RECSYS_BATCH_PAGES, Max(1, merge->memory / 8 / sizeof(RecsysPendingPage)));
	RecsysGraphOptions(&state->meta, &state->options);
	state->capacity = RECSYS_ROW_CAPACITY(state->meta.neighbors);
	state->reader = RecsysUserReaderCreate(merge->heap, merge->index, state->snapshot);
	rank_items(state);
	read_queue(state);
	share_memory(state);
}

static void
end(Retraining *state)
{
	RecsysModelFree(state->model);
	RecsysUserReaderFree(state->reader);
	RecsysItemOrderFree(state->order);
	UnregisterSnapshot(state->snapshot);
}

void
RecsysMergeRetrain(RecsysMergeState *merge)
{
	Retraining	state;

	begin(&state, merge);
	read_histories(&state);
	note_numbers(&state, false);
	RECSYS_FAULT("retrain-begun");
	train(&state);
	empty_queue(&state);
	update_users(&state);
	update_pages(&state);
	note_numbers(&state, true);
	RECSYS_FAULT("retrain-numbers");
	remove_events(&state);
	end(&state);
}
