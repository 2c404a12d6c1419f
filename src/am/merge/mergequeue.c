/*
 * mergequeue.c
 *	  The part of a merge that works on the queue.
 *
 * Items wait on the queue whose rows a merge could not recompute, because they were
 * beyond its budget, or which store too few neighbors.  Their rows say so by flags,
 * which are what counts: an item that is on the queue and no longer flagged has been
 * recomputed since it was queued, and is passed over.
 *
 * The queue is worked on page by page.  From each page the items are taken that the
 * budget has room for, and recomputed together; then they go from the page.  The
 * first item is recomputed whatever it costs, so that a queue gets shorter with
 * every merge.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "am/graph/popular_page.h"
#include "am/lists/pending.h"
#include "am/merge/mergestate.h"
#include "am/merge/recount.h"
#include "am/store/progress.h"
#include "fault.h"
#include "utils/memutils.h"

/* A page of the queue, and its items that are recomputed now */
typedef struct QueueBatch
{
	RecsysPendingPage *page;
	uint32	   *inexact;		/* with all their pairs, in the rows of others, too */
	uint32		ninexact;
	uint32	   *incomplete;		/* their own rows only */
	uint32		nincomplete;
	bool		shrunk;			/* is one of them, so that all rows have to be looked at? */
} QueueBatch;

uint16
RecsysMergeQueuedFlags(RecsysGraphReader *reader, uint32 item)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);
	uint16		flags = 0;

	if (row != NULL)
	{
		flags = row->flags & RECSYS_ROW_QUEUED;
		RecsysGraphReleaseRow(reader);
	}
	return flags;
}

/*
 * Takes an item into the batch, if it has to be recomputed; false when the budget does
 * not suffice for it.  *first: no item has been taken yet.
 */
static bool
take_item(RecsysMergeState *merge, QueueBatch *batch, uint32 item, uint16 flags, bool *first)
{
	double		cost = RecsysRecountCost(merge->recount, item);

	if (merge->mode != RECSYS_MERGE_EXACT && !*first && cost > merge->budget)
		return false;
	merge->budget -= cost;
	*first = false;
	batch->shrunk |= (flags & RECSYS_ROW_SHRUNK) != 0;
	if (flags & RECSYS_ROW_INEXACT)
		batch->inexact[batch->ninexact++] = item;
	else
		batch->incomplete[batch->nincomplete++] = item;
	merge->touch[item] = RECSYS_CHANGED;
	return true;
}

/* Reads a page of the queue and takes its items; false when the budget was spent. */
static bool
take_page(RecsysMergeState *merge, BlockNumber block, QueueBatch *batch, bool *first)
{
	uint32		nitems = RecsysRecountItems(merge->recount);
	RecsysGraphReader reader;
	bool		enough = true;

	memset(batch, 0, sizeof(*batch));
	batch->page = palloc(sizeof(RecsysPendingPage));
	batch->inexact = palloc(sizeof(uint32) * RECSYS_PAGE_EVENTS);
	batch->incomplete = palloc(sizeof(uint32) * RECSYS_PAGE_EVENTS);
	merge->touch = MemoryContextAllocExtended(merge->context, Max(nitems, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysPendingRead(merge->index, RECSYS_QUEUE, block, batch->page);
	RecsysGraphReaderInit(&reader, merge->index);
	for (int i = 0; i < batch->page->count; i++)
	{
		uint32		item = batch->page->events[i].item;
		uint16		flags;

		/* an item that is newer than the snapshot waits for the next merge */
		if (item >= nitems)
			continue;
		flags = merge->touch[item] != RECSYS_UNTOUCHED ? 0 : RecsysMergeQueuedFlags(&reader, item);
		if (flags != 0 && !take_item(merge, batch, item, flags, first))
			enough = false;
		else
			batch->page->done[i] = true;
	}
	RecsysGraphReaderDone(&reader);
	qsort(batch->inexact, batch->ninexact, sizeof(uint32), RecsysCompareItemNumbers);
	qsort(batch->incomplete, batch->nincomplete, sizeof(uint32), RecsysCompareItemNumbers);
	return enough;
}

static void
recount_page(RecsysMergeState *merge, const QueueBatch *batch)
{
	RecsysRecountExactly(merge->recount, batch->inexact, batch->ninexact, NULL, 0, batch->shrunk,
						 false);
	RecsysRecountExactly(merge->recount, batch->incomplete, batch->nincomplete, NULL, 0, false,
						 true);
	merge->result->recomputed += batch->ninexact + batch->nincomplete;
	RecsysMergePriorChanged(merge, batch->inexact, batch->ninexact);
	RecsysMergePriorChanged(merge, batch->incomplete, batch->nincomplete);
	if (batch->ninexact > 0)
		RecsysUpdatePopular(merge->index, batch->inexact, batch->ninexact);
	RECSYS_FAULT("merge-queue");
}

/*
 * Takes what is done off the page.  Returns the page to go on with, which is the same
 * one where items are left on it, or InvalidBlockNumber.
 */
static BlockNumber
leave_page(RecsysMergeState *merge, BlockNumber block, RecsysPendingPage *page)
{
	RecsysPendingPage *again;

	/* the next page comes to be the first if this one goes */
	if (RecsysPendingRemove(merge->index, page, InvalidBlockNumber))
		return page->next;
	again = palloc(sizeof(RecsysPendingPage));
	RecsysPendingRead(merge->index, RECSYS_QUEUE, block, again);
	return again->count == 0 ? InvalidBlockNumber : block;
}

void
RecsysMergeQueue(RecsysMergeState *merge)
{
	BlockNumber block;
	bool		first = true;
	bool		spent = false;

	RecsysMergeProgressPhase(RECSYS_PHASE_QUEUE);
	RecsysPendingEnds(merge->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block) && !spent)
	{
		QueueBatch	batch;
		BlockNumber next;

		RecsysMergeStartBatch(merge);
		spent = !take_page(merge, block, &batch, &first);
		recount_page(merge, &batch);
		next = leave_page(merge, block, batch.page);
		if (next == block && merge->mode != RECSYS_MERGE_EXACT)
			spent = true;
		block = next;
		RecsysMergeEndBatch(merge);
	}
}
