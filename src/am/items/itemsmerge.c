/*
 * itemsmerge.c
 *	  Carrying changed content into the item graph of an items index.
 *
 * As in am/merge/merge.c, events only say where to look, they are taken in batches, each under
 * a snapshot of its own, and removed last; after them comes the queue.  What an item has is
 * looked up (itemschange.c).  If its content is what it was, only the mark moves to the
 * row that has it now.  The others are computed in rounds, as many together as there is memory
 * for: the contents of all others pass by once a round (itemsround.c).
 *
 * The graph is a function of the current contents.  A round leaves what a build would give
 * with these contents, for the rows of its own items by comparing them with all, for the
 * rows of others because it patches every pair that may stand in them.  A row that has come to
 * store too few is flagged and queued, and computed anew from all contents.
 *
 * The queue also has items of which VACUUM could leave no event (am/merge/unsaid.c): those
 * are looked up as if they had one.
 */
#include "postgres.h"

#include "am/content/contentchange.h"
#include "am/items/itemsmerge.h"
#include "am/compare/itemsround.h"
#include "am/merge/mergesnapshot.h"
#include "am/store/progress.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Pages of events that a batch takes: the next one sees with a newer snapshot. */
#define BATCH_PAGES		4

/* Contents that are compared with all others at once, at most */
#define MAX_QUERIES		1024

/*
 * Comparisons that an insert does at most, and contents beyond which it does not even look at
 * them, which it would have to all: they are left to a merge that holds up nobody.
 */
#define SLICE_COMPARISONS	((uint64) 1000000)
#define SLICE_CONTENTS		((uint64) 100000)

static void
start_batch(RecsysItemsBatch *batch)
{
	RecsysMergeState *merge = batch->merge;
	RecsysContentMeta meta;

	MemoryContextReset(merge->context);
	merge->snapshot = RecsysMergeSnapshot(merge->index);
	batch->noted = false;

	/* after the snapshot was taken: no row that it sees has a higher number, or other dimensions */
	merge->nitems = RecsysRefreshCache(merge->index)->meta.nitems;
	RecsysReadContentMeta(merge->index, &meta);
	batch->model = meta.model;
	batch->capacity = RECSYS_ROW_CAPACITY(RecsysGetCache(merge->index)->meta.neighbors);
	batch->maxqueries = Max(2, Min(MAX_QUERIES, RecsysBlockCapacity(&batch->model, RECSYS_MAX_CONTENT,
																	merge->memory / 2)));
	RecsysVisibilityInit(&batch->visibility, merge->heap, merge->index);
	batch->items = RecsysItemOrderCreate(merge->index, merge->nitems);
	batch->order = RecsysItemOrderForCore(batch->items);
	RecsysGraphReaderInit(&batch->graph, merge->index);
	batch->slots = MemoryContextAllocExtended(merge->context, sizeof(uint32) * (Size) Max(merge->nitems, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	merge->recount = NULL;
	merge->maxpages = BATCH_PAGES;
	merge->maxevents = SLICE_COMPARISONS / Max(meta.contents, 1);
	merge->maxevents = Min(Max(merge->maxevents, 1), RECSYS_SLICE_EVENTS);
	merge->visited = NULL;
	merge->nvisited = 0;
	merge->nevents = 0;
}

static void
end_batch(RecsysItemsBatch *batch)
{
	RecsysGraphReaderDone(&batch->graph);
	RecsysItemOrderFree(batch->items);
	RecsysVisibilityDone(&batch->visibility);
	UnregisterSnapshot(batch->merge->snapshot);
	if (batch->noted)
		RecsysContentNoteDone(batch->merge->index);
}

/* The mark moves to the row that has the content now. */
static void
settle(RecsysItemsBatch *batch, const RecsysItemChange *change)
{
	if (change->new == NULL || (change->old_block == change->new_block &&
								ItemPointerEquals(&change->old->tid, &change->new->tid) &&
								(change->old->flags & RECSYS_CONTENT_DEAD) == 0))
		return;
	RecsysCheckMergeSnapshot(batch->merge->index, batch->merge->snapshot);
	RecsysContentMove(batch->merge->index, change->item, change->old_block, change->new_block,
					  &change->new->tid, change->old->floor);
}

/* Items on their way into a round */
typedef struct Gathering
{
	RecsysItemsBatch *batch;
	MemoryContext context;		/* of the round */
	RecsysItemChange *changes;
	int			nchanges;
	int			queries;
} Gathering;

static void
start_gathering(Gathering *gathering, RecsysItemsBatch *batch)
{
	gathering->batch = batch;
	gathering->context = AllocSetContextCreate(batch->merge->context, "recsys items round",
											   ALLOCSET_DEFAULT_SIZES);
	gathering->changes = MemoryContextAlloc(batch->merge->context,
											sizeof(RecsysItemChange) * batch->maxqueries);
	gathering->nchanges = 0;
	gathering->queries = 0;
}

/* The round, of those whose content has changed; the marks of the others are moved. */
static void
run_round(Gathering *gathering)
{
	RecsysItemsBatch *batch = gathering->batch;
	MemoryContext old = MemoryContextSwitchTo(gathering->context);
	int			left = 0;

	/* before anything changes: readers are to know what the graph knows of */
	if (!batch->noted && gathering->nchanges > 0)
		RecsysContentNoteSnapshot(batch->merge->index, batch->merge->snapshot);
	batch->noted |= gathering->nchanges > 0;
	(void) RecsysItemsFindLost(batch, gathering->changes, gathering->nchanges);
	for (int i = 0; i < gathering->nchanges; i++)
	{
		RecsysItemChange *change = &gathering->changes[i];

		if (!change->own_only && RecsysItemsIsSettled(change))
			settle(batch, change);
		else
			gathering->changes[left++] = *change;
	}
	if (left > 0)
		RecsysItemsRound(batch, gathering->changes, left);
	MemoryContextSwitchTo(old);
	MemoryContextReset(gathering->context);
	gathering->nchanges = 0;
	gathering->queries = 0;
}

/* An item joins the round, which is run first if it is full. */
static void
gather(Gathering *gathering, uint32 item, const RecsysEvent *events, uint64 nevents, bool own_only)
{
	RecsysItemsBatch *batch = gathering->batch;
	RecsysItemChange *change;
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (gathering->nchanges == batch->maxqueries || gathering->queries + 2 > batch->maxqueries)
		run_round(gathering);

	old = MemoryContextSwitchTo(gathering->context);
	change = &gathering->changes[gathering->nchanges++];
	RecsysItemsLookUp(batch, item, events, nevents, change);

	/* its row is computed by the content that all others' rows have it with */
	change->own_only = own_only && change->old != NULL && change->had;
	if (change->own_only)
	{
		change->new = change->old;
		change->new_size = change->old_size;
		change->new_block = change->old_block;
	}
	gathering->queries += RecsysItemsQueries(change);
	MemoryContextSwitchTo(old);
}

static int
compare_events(const void *a, const void *b)
{
	uint32		x = ((const RecsysEvent *) a)->item;
	uint32		y = ((const RecsysEvent *) b)->item;

	return (x > y) - (x < y);
}

/* The items that the batch's events name. */
static void
merge_items(RecsysItemsBatch *batch)
{
	RecsysMergeState *merge = batch->merge;
	Gathering	gathering;
	uint64		next;

	start_gathering(&gathering, batch);
	qsort(merge->events, merge->nevents, sizeof(RecsysEvent), compare_events);
	for (uint64 first = 0; first < merge->nevents; first = next)
	{
		uint32		item = merge->events[first].item;

		for (next = first; next < merge->nevents && merge->events[next].item == item;)
			next++;
		gather(&gathering, item, merge->events + first, next - first, false);
	}
	run_round(&gathering);
}

static void
merge_events(RecsysItemsBatch *batch)
{
	RecsysMergeState *merge = batch->merge;
	bool		more = true;

	merge->list = -1;
	merge->block = InvalidBlockNumber;
	merge->previous = InvalidBlockNumber;
	while (more)
	{
		/* the page before the batch's first, if that goes on in a list */
		BlockNumber previous = BlockNumberIsValid(merge->block) ? merge->previous : InvalidBlockNumber;

		start_batch(batch);
		more = RecsysMergeReadBatch(merge);
		if (more)
		{
			RECSYS_FAULT("items-read");
			merge_items(batch);
			RECSYS_FAULT("items-merged");
			merge->previous = RecsysMergeRemoveEvents(merge, previous);
			RECSYS_FAULT("items-removed");
			merge->result->merged += merge->nevents;
			RecsysMergeProgressChanges(merge->result->merged);
		}
		end_batch(batch);
		if (merge->mode == RECSYS_MERGE_SLICE || merge->list == RECSYS_PENDING_LISTS)
			more = false;
	}
}

/* The items of a page of the queue that the budget has room for; false when it was spent. */
static bool
merge_queue_page(RecsysItemsBatch *batch, RecsysPendingPage *page, bool *first)
{
	RecsysMergeState *merge = batch->merge;
	double		cost = (double) RecsysGetCache(merge->index)->meta.items + 1;
	bool	   *seen = MemoryContextAllocExtended(merge->context, Max(merge->nitems, 1),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool		enough = true;
	Gathering	gathering;

	start_gathering(&gathering, batch);
	for (int i = 0; i < page->count; i++)
	{
		uint32		item = page->events[i].item;
		uint16		flags;

		/* an item that is newer than the snapshot waits for the next merge */
		if (item >= merge->nitems)
			continue;
		flags = seen[item] ? 0 : RecsysMergeQueuedFlags(&batch->graph, item);
		if (flags != 0 && merge->mode != RECSYS_MERGE_EXACT && !*first && cost > merge->budget)
		{
			enough = false;
			continue;
		}
		page->done[i] = true;
		if (flags == 0)
			continue;
		merge->budget -= cost;
		*first = false;
		seen[item] = true;
		gather(&gathering, item, NULL, 0,
			   (flags & (RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK)) == 0);
	}
	run_round(&gathering);
	RECSYS_FAULT("items-queue");
	return enough;
}

static void
merge_queue(RecsysItemsBatch *batch)
{
	RecsysMergeState *merge = batch->merge;
	BlockNumber block;
	bool		first = true;
	bool		enough = true;

	RecsysMergeProgressPhase(RECSYS_PHASE_QUEUE);
	RecsysPendingEnds(merge->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block) && enough)
	{
		RecsysPendingPage *page;
		RecsysPendingPage *again;

		start_batch(batch);
		page = palloc(sizeof(RecsysPendingPage));
		RecsysPendingRead(merge->index, RECSYS_QUEUE, block, page);
		enough = merge_queue_page(batch, page, &first);

		/* the next page comes to be the first if this one goes */
		if (RecsysPendingRemove(merge->index, page, InvalidBlockNumber))
			block = page->next;
		else
		{
			again = palloc(sizeof(RecsysPendingPage));
			RecsysPendingRead(merge->index, RECSYS_QUEUE, block, again);
			if (again->count == 0)
				block = InvalidBlockNumber;
			else if (merge->mode != RECSYS_MERGE_EXACT)
				enough = false;
		}
		end_batch(batch);
	}
}

static void
run_items_merge(RecsysMergeState *merge)
{
	RecsysItemsBatch batch = {0};

	RecsysMergeBegin(merge);
	batch.merge = merge;
	merge_events(&batch);
	if (merge->mode != RECSYS_MERGE_SLICE)
	{
		RecsysMergeBudgetQueue(merge);
		merge_queue(&batch);
	}
	if (merge->result->merged > 0 || merge->result->recomputed > 0)
		RecsysRecordMerge(merge);
	if (batch.contents > 0)
		RecsysContentSetCount(merge->index, batch.contents);
}

/* Would a slice's first look at all contents alone hold up an insert? */
static bool
is_too_much(Relation index)
{
	RecsysContentMeta meta;

	RecsysReadContentMeta(index, &meta);
	return meta.contents > SLICE_CONTENTS;
}

bool
RecsysMergeItems(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeResult *result)
{
	if (mode == RECSYS_MERGE_SLICE && is_too_much(index))
	{
		memset(result, 0, sizeof(*result));
		return false;
	}
	return RecsysMergeBy(heap, index, mode, run_items_merge, result);
}

bool
RecsysMergeAny(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeResult *result)
{
	/* where rows are never new, there is nothing to merge */
	if (RecsysIndexIsGraph(index))
	{
		memset(result, 0, sizeof(*result));
		return true;
	}
	if (RecsysIndexIsItems(index))
		return RecsysMergeItems(heap, index, mode, result);
	return RecsysMerge(heap, index, mode, result);
}
