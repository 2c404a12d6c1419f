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
 *	  Those of whom other items count than the marks say are flagged (mark.c).  Items are numbered
 *	  by rank, in the order of their keys, since ties are broken by it.  (retrainusers.c)
 * 2. The rows are written page by page, as those of any merge (graphupdate.c), for others to read.
 *	  Rows that are flagged keep their flags.
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
#include "am/merge/mergesnapshot.h"
#include "am/merge/retrain.h"
#include "am/merge/retrainstate.h"
#include "am/store/corrupted.h"
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

static uint32
item_of(const RecsysRetraining *state, uint32 rank)
{
	return state->by_rank != NULL ? state->by_rank[rank] : rank;
}

/*
 * Rows
 */

static void
write_rows(RecsysRetraining *state)
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
	RecsysRetraining *state = arg;
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
train(RecsysRetraining *state)
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
read_queue(RecsysRetraining *state)
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

/* Flags of rows, then the items that they stood on the queue for. */
static void
empty_queue(RecsysRetraining *state)
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
			RecsysGraphSetFlags(&reader, item, 0, RECSYS_ROW_QUEUED);
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
 * What belongs to all rows together
 */

static void
update_pages(RecsysRetraining *state)
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
note_numbers(RecsysRetraining *state, bool written)
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
remove_events(RecsysRetraining *state)
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
rank_items(RecsysRetraining *state)
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
share_memory(RecsysRetraining *state)
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
begin(RecsysRetraining *state, RecsysMergeState *merge)
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
end(RecsysRetraining *state)
{
	RecsysModelFree(state->model);
	RecsysUserReaderFree(state->reader);
	RecsysItemOrderFree(state->order);
	UnregisterSnapshot(state->snapshot);
}

void
RecsysMergeRetrain(RecsysMergeState *merge)
{
	RecsysRetraining	state;

	begin(&state, merge);
	RecsysRetrainRead(&state);
	note_numbers(&state, false);
	RECSYS_FAULT("retrain-begun");
	train(&state);
	empty_queue(&state);
	RecsysRetrainUsers(&state);
	update_pages(&state);
	note_numbers(&state, true);
	RECSYS_FAULT("retrain-numbers");
	remove_events(&state);
	end(&state);
}
