/*
 * merge.c
 *	  Carrying pending events into the item graph.
 *
 * A merge takes events in batches.  For each batch:
 *
 * 1. a snapshot is taken, and the events are read whose transactions it sees
 *	  finished;
 * 2. the users they name are looked up: which of their items count now?  The
 *	  items touched are those of the events, and those that a user with more
 *	  than max_history items has gained or lost by them;
 * 3. touched items are recomputed exactly, the cheapest first, until the budget
 *	  is spent; the others are adjusted and queued (recount.c);
 * 4. the users' flags follow, and the events go.
 *
 * Every step is complete in itself.  Exact recomputation looks at what is there,
 * not at what has changed, so when a merge is cut short and its events are met
 * again, the result is the same.  An adjustment may then be made twice; the item
 * is on the queue.
 *
 * What makes the graph that of a fresh build, once all is merged: whenever the
 * counts of a pair change, because one of its items comes or goes in somebody's
 * history, there is an event later on that makes this item be recomputed from a
 * snapshot which sees the change, and with it the pair, in both rows.
 *
 * One process merges at a time; a heavyweight lock on the meta page sees to
 * that.  Nobody else is kept out longer than by the lock of a page.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/transam.h"
#include "access/xact.h"
#include "fault.h"
#include "am/enlarge.h"
#include "am/itemorder.h"
#include "am/mark.h"
#include "am/merge.h"
#include "am/pending.h"
#include "am/popular.h"
#include "am/recount.h"
#include "core/history.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * Pair updates that a bounded merge may spend on exact recomputation, in
 * thousands (setting recsys.merge_budget).  A part of them, in percent, is for
 * the queue; a slice has a thousandth of them.
 */
static int	merge_budget = 20000;

#define QUEUE_PERCENT	25
#define SLICE_PERMILLE	1

/* Pages and events that a slice looks at, so that an insert never waits long for one */
#define SLICE_PAGES		2
#define SLICE_EVENTS	64

/* Pages of a batch at most */
#define BATCH_PAGES		256

/* A page of a list on the way: with events to merge, or passed by */
typedef struct VisitedPage
{
	int			list;
	BlockNumber block;
	RecsysPendingPage *page;	/* NULL when passed by */
} VisitedPage;

/* A user whose flags are to follow */
typedef struct ChangedUser
{
	RecsysUserView view;		/* key and flags only */
	bool		counted;
	bool		mark;
	uint32		first;			/* place among the batch's histories */
} ChangedUser;

typedef struct Merge
{
	Relation	heap;
	Relation	index;
	RecsysMergeMode mode;
	TimestampTz start;
	RecsysMergeResult *result;
	Size		memory;
	double		budget;
	MemoryContext context;		/* of the batch at hand */

	/* where in which list the next batch begins, and where the list ended */
	int			list;
	BlockNumber block;
	BlockNumber last;
	BlockNumber previous;		/* page before block in its list */

	/* the batch */
	Snapshot	snapshot;
	RecsysRecount *recount;
	VisitedPage *visited;
	int			nvisited;
	RecsysEvent *events;
	uint64		nevents;
	uint64		event;			/* of the user at hand: first ... */
	uint64		event_end;		/* ... and behind the last */
	bool	   *is_touched;		/* by item */
	uint32	   *touched;
	uint32		ntouched;
	uint32	   *rows;			/* that may hold pairs without users */
	uint64		nrows;
	uint64		maxrows;
	bool		removed;		/* has a user lost an item? */
	RecsysChangedUsers users;
	uint64		maxadded;		/* room in users.added */
	ChangedUser **changed;
	uint32		nchanged;
	uint32		maxchanged;
} Merge;

/* next is the next transaction id, as of some time after the event was read. */
static bool
is_finished(const RecsysEvent *event, Snapshot snapshot, uint64 next)
{
	/* one that old is finished, whatever a 32-bit comparison would say */
	if (event->xid == 0 || event->xid >= next || next - event->xid > PG_INT32_MAX)
		return true;
	return !XidInMVCCSnapshot((TransactionId) event->xid, snapshot);
}

/* Read the next pages; false when there was nothing to merge up to the lists' ends. */
static bool
read_batch(Merge *merge)
{
	int			maxpages = merge->mode == RECSYS_MERGE_SLICE ? SLICE_PAGES :
		Min(BATCH_PAGES, Max(1, merge->memory / 8 / sizeof(RecsysPendingPage)));
	uint32		nitems = RecsysRecountItems(merge->recount);
	uint64		maxevents = (uint64) maxpages * RECSYS_PAGE_EVENTS;
	int			npages = 0;
	int			maxvisited = 64;
	RecsysPendingPage *page = NULL;

	merge->visited = palloc(sizeof(VisitedPage) * maxvisited);
	merge->events = palloc_extended(sizeof(RecsysEvent) * maxevents, MCXT_ALLOC_HUGE);
	while (npages < maxpages)
	{
		bool		any = false;
		uint64		next;

		CHECK_FOR_INTERRUPTS();
		if (!BlockNumberIsValid(merge->block))
		{
			if (++merge->list == RECSYS_PENDING_LISTS)
				break;
			RecsysPendingEnds(merge->index, merge->list, &merge->block, &merge->last);
		}

		if (page == NULL)
			page = palloc(sizeof(RecsysPendingPage));
		RecsysPendingRead(merge->index, merge->list, merge->block, page);
		next = U64FromFullTransactionId(ReadNextFullTransactionId());
		for (int i = 0; i < page->count; i++)
		{
			if (merge->mode == RECSYS_MERGE_SLICE && merge->nevents >= SLICE_EVENTS)
				break;
			if (page->events[i].item >= nitems ||
				!is_finished(&page->events[i], merge->snapshot, next))
				continue;
			page->done[i] = true;
			merge->events[merge->nevents++] = page->events[i];
			any = true;
		}

		if (merge->nvisited == maxvisited)
		{
			maxvisited *= 2;
			merge->visited = repalloc(merge->visited, sizeof(VisitedPage) * maxvisited);
		}
		merge->visited[merge->nvisited].list = merge->list;
		merge->visited[merge->nvisited].block = merge->block;
		merge->visited[merge->nvisited++].page = any ? page : NULL;
		merge->block = merge->block == merge->last ? InvalidBlockNumber : page->next;
		if (any)
		{
			npages++;
			page = NULL;
			if (merge->mode == RECSYS_MERGE_SLICE && merge->nevents >= SLICE_EVENTS)
				break;
		}
		else if (merge->mode == RECSYS_MERGE_SLICE && merge->nvisited >= 2 * SLICE_PAGES)
			break;
	}
	return merge->nevents > 0;
}

static void
touch(Merge *merge, uint32 item)
{
	if (item >= RecsysRecountItems(merge->recount) || merge->is_touched[item])
		return;
	merge->is_touched[item] = true;
	merge->touched[merge->ntouched++] = item;
}

static void
note_row(Merge *merge, uint32 row)
{
	if (merge->nrows == merge->maxrows)
	{
		merge->maxrows = Max(1024, merge->maxrows * 2);
		merge->rows = RecsysEnlarge(merge->context, merge->rows,
									sizeof(uint32) * merge->maxrows);
	}
	merge->rows[merge->nrows++] = row;
}

/*
 * Has the user the item only since these events?  They are few, and so are the
 * rows of one user with one item.
 */
static bool
is_added(const Merge *merge, const RecsysUserView *user, uint32 item)
{
	bool		named = false;

	for (uint64 e = merge->event; e < merge->event_end; e++)
		named |= merge->events[e].item == item && (merge->events[e].flags & RECSYS_EVENT_REMOVED) == 0;
	if (!named)
		return false;

	for (int i = 0; i < user->ninteractions; i++)
	{
		bool		is_new = false;

		if (user->interactions[i].item != item)
			continue;
		for (uint64 e = merge->event; e < merge->event_end && !is_new; e++)
			is_new = merge->events[e].item == item &&
				RecsysTidPosition(&merge->events[e].tid) == user->interactions[i].position;
		if (!is_new)
			return false;
	}
	return true;
}

/*
 * A user with more entries than count: what has come in or gone out beside the
 * items of the events?  Entries that are marked tell what was counted; if they
 * are not yet, it may be anything.
 */
static void
touch_displaced(Merge *merge, const RecsysUserView *user, const RecsysHistoryItem *history,
				int count)
{
	bool		marked = (user->flags & RECSYS_OWNER_MARKED) != 0;
	uint32	   *now = palloc_extended(sizeof(uint32) * ((Size) count + 1), MCXT_ALLOC_HUGE);
	uint32	   *before = palloc_extended(sizeof(uint32) * ((Size) user->nentries + 1), MCXT_ALLOC_HUGE);
	uint32		nbefore = 0;
	uint32		x = 0;

	for (int i = 0; i < count; i++)
		now[i] = history[i].item;
	for (uint32 i = 0; i < user->nentries; i++)
	{
		if (user->entries[i].orphan)
			continue;
		if (!marked)
			touch(merge, user->entries[i].peer);
		else if (user->entries[i].counted)
			before[nbefore++] = user->entries[i].peer;
	}
	qsort(before, nbefore, sizeof(uint32), RecsysCompareItemNumbers);

	/* both ascending: touch what is in one of them only */
	for (int i = 0; marked && i < count; i++)
	{
		while (x < nbefore && before[x] < now[i])
			touch(merge, before[x++]);
		if (x < nbefore && before[x] == now[i])
		{
			while (x < nbefore && before[x] == now[i])
				x++;
		}
		else
			touch(merge, now[i]);
	}
	while (marked && x < nbefore)
		touch(merge, before[x++]);
	pfree(now);
	pfree(before);
}

static void
note_change(Merge *merge, const RecsysUserView *user, bool counted, bool mark)
{
	ChangedUser *changed = palloc(sizeof(ChangedUser));

	changed->view.hash = user->hash;
	changed->view.flags = user->flags;
	changed->view.keylen = user->keylen;
	memcpy(changed->view.key, user->key, user->keylen);
	changed->counted = counted;
	changed->mark = mark;
	changed->first = merge->users.histories.matrix.nrows;
	if (merge->nchanged == merge->maxchanged)
	{
		merge->maxchanged = Max(256, merge->maxchanged * 2);
		merge->changed = RecsysEnlarge(merge->context, merge->changed,
									   sizeof(ChangedUser *) * (Size) merge->maxchanged);
	}
	merge->changed[merge->nchanged++] = changed;
}

/* Visitor: a user with events. */
static void
visit_user(void *arg, RecsysUserView *user)
{
	Merge	   *merge = arg;
	RecsysCache *cache = RecsysGetCache(merge->index);
	int			max_history = cache->meta.max_history;
	bool		large = user->nentries > (uint32) max_history;
	bool		marked = (user->flags & RECSYS_OWNER_MARKED) != 0;
	bool		removed = false;
	RecsysHistoryItem *history = palloc_extended(sizeof(RecsysHistoryItem) *
												 ((Size) user->ninteractions + 1), MCXT_ALLOC_HUGE);
	int			count = 0;
	uint64		used;
	RecsysChangedUsers *users = &merge->users;

	if (user->ninteractions > 0)
		count = RecsysHistoryFold(user->interactions, user->ninteractions, max_history, history, NULL);
	for (uint64 e = merge->event; e < merge->event_end; e++)
		removed |= (merge->events[e].flags & RECSYS_EVENT_REMOVED) != 0;

	if (large || marked)
		touch_displaced(merge, user, history, count);
	if (large || marked || ((user->flags & RECSYS_OWNER_COUNTED) != 0) != (count > 0))
		note_change(merge, user, count > 0, large || marked);

	used = RecsysHistoriesAdd(&users->histories, history, count);
	if (used + count > merge->maxadded)
	{
		merge->maxadded = Max(used + count, Max(16384, merge->maxadded * 2));
		users->added = RecsysEnlarge(merge->context, users->added, sizeof(bool) * merge->maxadded);
	}
	for (int i = 0; i < count; i++)
	{
		users->added[used + i] = is_added(merge, user, history[i].item);

		/* these rows may hold a pair with an item that the user no longer has */
		if (large || marked || removed)
			note_row(merge, history[i].item);
	}
	pfree(history);
}

static int
compare_events(const void *a, const void *b)
{
	const RecsysEvent *x = a;
	const RecsysEvent *y = b;

	if (x->user_hash != y->user_hash)
		return x->user_hash < y->user_hash ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static void
visit_users(Merge *merge)
{
	uint32		nitems = RecsysRecountItems(merge->recount);

	merge->is_touched = MemoryContextAllocExtended(merge->context, Max(nitems, 1),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	merge->touched = MemoryContextAllocHuge(merge->context, sizeof(uint32) * (Size) Max(nitems, 1));
	qsort(merge->events, merge->nevents, sizeof(RecsysEvent), compare_events);
	RecsysHistoriesInit(&merge->users.histories, nitems,
						RecsysGetCache(merge->index)->meta.weighted);

	for (merge->event = 0; merge->event < merge->nevents; merge->event = merge->event_end)
	{
		uint32		hash = merge->events[merge->event].user_hash;

		CHECK_FOR_INTERRUPTS();
		merge->event_end = merge->event;
		while (merge->event_end < merge->nevents && merge->events[merge->event_end].user_hash == hash)
		{
			const RecsysEvent *event = &merge->events[merge->event_end++];

			touch(merge, event->item);
			merge->removed |= (event->flags & RECSYS_EVENT_REMOVED) != 0;
		}
		RecsysUserReaderRead(RecsysRecountReader(merge->recount), hash, visit_user, merge);
	}
}

typedef struct ItemCost
{
	uint32		item;
	double		cost;
} ItemCost;

static int
compare_costs(const void *a, const void *b)
{
	const ItemCost *x = a;
	const ItemCost *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/* Touched items: the cheapest exactly, the others by adjustment. */
static void
recount_touched(Merge *merge)
{
	double		budget = merge->budget * (100 - QUEUE_PERCENT) / 100;
	ItemCost   *costs = MemoryContextAllocHuge(merge->context,
											   sizeof(ItemCost) * (Size) Max(merge->ntouched, 1));
	double		spent = 0;
	uint32		exact = 0;

	for (uint32 i = 0; i < merge->ntouched; i++)
	{
		costs[i].item = merge->touched[i];
		costs[i].cost = RecsysRecountCost(merge->recount, merge->touched[i]);
	}
	qsort(costs, merge->ntouched, sizeof(ItemCost), compare_costs);
	while (exact < merge->ntouched &&
		   (merge->mode == RECSYS_MERGE_EXACT || spent + costs[exact].cost <= budget))
		spent += costs[exact++].cost;
	for (uint32 i = 0; i < merge->ntouched; i++)
		merge->touched[i] = costs[i].item;
	merge->budget -= spent;

	/* neighbors on the same pages are visited one after the other */
	qsort(merge->touched, exact, sizeof(uint32), RecsysCompareItemNumbers);
	RecsysRecountExactly(merge->recount, merge->touched, exact, merge->rows, merge->nrows, false,
						 false);
	merge->result->recomputed += exact;
	RecsysRecountAdjust(merge->recount, merge->touched + exact, merge->ntouched - exact,
						&merge->users, merge->nrows > 0 || merge->removed);
}

/* The histories of a user's entries to mark: ascending items that count */
typedef struct Marking
{
	const uint32 *items;
	uint64		nitems;
} Marking;

static void
mark_counted(void *arg, RecsysEntry *entry)
{
	Marking    *marking = arg;

	entry->counted = !entry->orphan &&
		bsearch(&entry->peer, marking->items, marking->nitems, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

static void
update_users(Merge *merge)
{
	for (uint32 i = 0; i < merge->nchanged; i++)
	{
		ChangedUser *changed = merge->changed[i];

		CHECK_FOR_INTERRUPTS();
		if (changed->mark)
		{
			Marking		marking;
			const RecsysMatrix *histories = &merge->users.histories.matrix;
			uint64		first = histories->offsets[changed->first];

			marking.items = histories->columns + first;
			marking.nitems = histories->offsets[changed->first + 1] - first;
			RecsysMarkEntries(merge->index, &changed->view, RECSYS_OWNER_MARKED,
							  mark_counted, &marking);
		}
		RecsysSetCounted(merge->index, &changed->view, changed->counted);
	}
}

/*
 * Take the batch's events off their pages.  previous is the page before the
 * first, or InvalidBlockNumber; returns the page before the next to visit.
 */
static BlockNumber
remove_events(Merge *merge, BlockNumber previous)
{
	for (int i = 0; i < merge->nvisited; i++)
	{
		VisitedPage *visited = &merge->visited[i];

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && visited->list != merge->visited[i - 1].list)
			previous = InvalidBlockNumber;
		if (visited->page == NULL || !RecsysPendingRemove(merge->index, visited->page, previous))
			previous = visited->block;
	}
	return previous;
}

static void
start_batch(Merge *merge)
{
	MemoryContextReset(merge->context);

	/* VACUUM may have workers, with whom the latest one is not to be had */
	merge->snapshot = RegisterSnapshot(IsInParallelMode() ? GetTransactionSnapshot() :
									   GetLatestSnapshot());
	merge->recount = RecsysRecountCreate(merge->heap, merge->index, merge->snapshot, merge->memory);
	merge->visited = NULL;
	merge->nvisited = 0;
	merge->nevents = 0;
	merge->ntouched = 0;
	merge->rows = NULL;
	merge->nrows = merge->maxrows = 0;
	merge->removed = false;
	memset(&merge->users, 0, sizeof(merge->users));
	merge->maxadded = 0;
	merge->changed = NULL;
	merge->nchanged = merge->maxchanged = 0;
}

static void
end_batch(Merge *merge)
{
	RecsysRecountFree(merge->recount);
	UnregisterSnapshot(merge->snapshot);
}

static void
merge_events(Merge *merge)
{
	bool		more = true;

	merge->list = -1;
	merge->block = InvalidBlockNumber;
	merge->previous = InvalidBlockNumber;
	while (more)
	{
		/* the page before the batch's first, if that goes on in a list */
		BlockNumber previous = BlockNumberIsValid(merge->block) ? merge->previous : InvalidBlockNumber;

		start_batch(merge);
		more = read_batch(merge);
		if (more)
		{
			RECSYS_FAULT("merge-read");
			visit_users(merge);
			recount_touched(merge);
			RECSYS_FAULT("merge-recounted");
			update_users(merge);
			RECSYS_FAULT("merge-users");
			merge->previous = remove_events(merge, previous);
			RECSYS_FAULT("merge-removed");
			if (merge->ntouched > 0)
				RecsysUpdatePopular(merge->index, merge->touched, merge->ntouched);
			merge->result->merged += merge->nevents;
		}
		end_batch(merge);
		if (merge->mode == RECSYS_MERGE_SLICE || merge->list == RECSYS_PENDING_LISTS)
			more = false;
	}
}

/* The flags of an item's row. */
static uint16
row_flags(RecsysGraphReader *reader, uint32 item)
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
 * Work on the queue, a page of it at a time, within the budget.  At least one
 * item is done, whatever it costs.  An item that is no longer flagged has been
 * recomputed since it was queued.
 */
static void
merge_queue(Merge *merge)
{
	BlockNumber block;
	bool		first = true;
	bool		spent = false;

	RecsysPendingEnds(merge->index, RECSYS_QUEUE, &block, NULL);
	while (BlockNumberIsValid(block) && !spent)
	{
		RecsysPendingPage *page;
		RecsysGraphReader reader;
		uint32	   *inexact;
		uint32	   *incomplete;
		uint32		ninexact = 0;
		uint32		nincomplete = 0;
		bool		shrunk = false;
		uint32		nitems;

		start_batch(merge);
		page = palloc(sizeof(RecsysPendingPage));
		inexact = palloc(sizeof(uint32) * RECSYS_PAGE_EVENTS);
		incomplete = palloc(sizeof(uint32) * RECSYS_PAGE_EVENTS);
		nitems = RecsysRecountItems(merge->recount);
		merge->is_touched = MemoryContextAllocExtended(merge->context, Max(nitems, 1),
													   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		RecsysPendingRead(merge->index, RECSYS_QUEUE, block, page);
		RecsysGraphReaderInit(&reader, merge->index);
		for (int i = 0; i < page->count; i++)
		{
			uint32		item = page->events[i].item;
			uint16		flags;

			if (item >= nitems)
				continue;
			flags = merge->is_touched[item] ? 0 : row_flags(&reader, item);
			if (flags != 0)
			{
				double		cost = RecsysRecountCost(merge->recount, item);

				if (merge->mode != RECSYS_MERGE_EXACT && !first && cost > merge->budget)
				{
					spent = true;
					continue;
				}
				merge->budget -= cost;
				first = false;
				shrunk |= (flags & RECSYS_ROW_SHRUNK) != 0;
				if (flags & RECSYS_ROW_INEXACT)
					inexact[ninexact++] = item;
				else
					incomplete[nincomplete++] = item;
				merge->is_touched[item] = true;
			}
			page->done[i] = true;
		}
		RecsysGraphReaderDone(&reader);
		qsort(inexact, ninexact, sizeof(uint32), RecsysCompareItemNumbers);
		qsort(incomplete, nincomplete, sizeof(uint32), RecsysCompareItemNumbers);
		RecsysRecountExactly(merge->recount, inexact, ninexact, NULL, 0, shrunk, false);
		RecsysRecountExactly(merge->recount, incomplete, nincomplete, NULL, 0, false, true);
		merge->result->recomputed += ninexact + nincomplete;
		if (ninexact > 0)
			RecsysUpdatePopular(merge->index, inexact, ninexact);
		RECSYS_FAULT("merge-queue");

		/* the next page comes to be the first if this one goes */
		if (RecsysPendingRemove(merge->index, page, InvalidBlockNumber))
			block = page->next;
		else
		{
			RecsysPendingPage *again = palloc(sizeof(RecsysPendingPage));

			RecsysPendingRead(merge->index, RECSYS_QUEUE, block, again);
			if (again->count == 0)
				block = InvalidBlockNumber;
			else if (merge->mode != RECSYS_MERGE_EXACT)
				spent = true;
		}
		end_batch(merge);
	}
}

/* Do scores of the measure depend on N? */
static bool
depends_on_users(int similarity)
{
	return similarity == RECSYS_LIFT || similarity == RECSYS_PMI ||
		similarity == RECSYS_LOG_LIKELIHOOD;
}

static RecsysMetaData
read_meta(Relation index)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	RecsysMetaData meta = *RecsysPageGetMeta(BufferGetPage(buffer));

	UnlockReleaseBuffer(buffer);
	return meta;
}

static uint64
inexact_items(Relation index)
{
	RecsysMetaData meta = read_meta(index);

	return RecsysInexactItems(&meta);
}

/* All rows anew, with the number of users there are now. */
static void
merge_users(Merge *merge)
{
	RecsysMetaData meta = read_meta(merge->index);
	uint32	   *all;
	Buffer		buffer;
	GenericXLogState *state;

	if (meta.users == meta.score_users)
		return;
	if (depends_on_users(meta.similarity))
	{
		uint32		nitems;

		start_batch(merge);
		RecsysRecountSetUsers(merge->recount, meta.users);
		nitems = RecsysRecountItems(merge->recount);
		all = MemoryContextAllocHuge(merge->context, sizeof(uint32) * (Size) Max(nitems, 1));
		for (uint32 item = 0; item < nitems; item++)
			all[item] = item;
		RecsysRecountExactly(merge->recount, all, nitems, NULL, 0, false, true);
		merge->result->recomputed += nitems;
		end_batch(merge);
	}

	buffer = RecsysReadPage(merge->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
							RECSYS_PAGE_META);
	state = GenericXLogStart(merge->index);
	RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0))->score_users = meta.users;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

static void
record_merge(Merge *merge)
{
	Buffer		buffer = RecsysReadPage(merge->index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(merge->index);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	meta->merged_at = merge->start;
	meta->merge_duration = GetCurrentTimestamp() - merge->start;
	meta->merge_entries = merge->result->merged;
	meta->merge_items = merge->result->recomputed;
	if (!depends_on_users(meta->similarity))
		meta->score_users = meta->users;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

void
RecsysInitMerge(void)
{
	DefineCustomIntVariable("recsys.merge_budget",
							"Work that one merge may spend on exact recomputation, in thousands of pair updates.",
							"Items for which it does not suffice are adjusted and queued.",
							&merge_budget, 20000, 0, PG_INT32_MAX, PGC_USERSET, 0,
							NULL, NULL, NULL);
}

static void
init_merge(Merge *merge, Relation heap, Relation index, RecsysMergeMode mode,
		   RecsysMergeResult *result, MemoryContext context)
{
	memset(merge, 0, sizeof(*merge));
	memset(result, 0, sizeof(*result));
	merge->heap = heap;
	merge->index = index;
	merge->mode = mode;
	merge->start = GetCurrentTimestamp();
	merge->result = result;
	merge->context = context;
	merge->budget = merge_budget * 1e3 * (mode == RECSYS_MERGE_SLICE ? SLICE_PERMILLE / 1000.0 : 1.0);
	merge->memory = (Size) (IsAutoVacuumWorkerProcess() && autovacuum_work_mem >= 0 ?
							autovacuum_work_mem : maintenance_work_mem) * 1024;
}

bool
RecsysMerge(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeResult *result)
{
	MemoryContext context;
	MemoryContext old;
	Merge		merge;

	if (!ConditionalLockPage(index, RECSYS_META_BLOCK, ExclusiveLock))
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "recsys merge", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	init_merge(&merge, heap, index, mode, result, context);
	merge_events(&merge);
	if (mode != RECSYS_MERGE_SLICE)
	{
		merge.budget = Max(merge.budget, merge_budget * 1e3 * QUEUE_PERCENT / 100);
		merge_queue(&merge);
	}
	if (mode == RECSYS_MERGE_EXACT)
		merge_users(&merge);
	if (result->merged > 0 || result->recomputed > 0)
		record_merge(&merge);
	result->inexact = inexact_items(index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	return true;
}

void
RecsysLastMerge(Relation index, TimestampTz *merged_at, int64 *duration)
{
	RecsysMetaData meta = read_meta(index);

	*merged_at = meta.merged_at;
	*duration = meta.merge_duration;
}

/* Visitor: an event for every entry of the user with the key that arg has. */
static void
collect_events(void *arg, RecsysUserView *user)
{
	Merge	   *merge = arg;

	merge->events = RecsysEnlarge(merge->context, merge->events,
								  sizeof(RecsysEvent) * (merge->nevents + user->nentries + 1));
	for (uint32 i = 0; i < user->nentries; i++)
	{
		if (!user->entries[i].orphan)
			RecsysRemovedEvent(&merge->events[merge->nevents++], user->hash, &user->entries[i]);
	}
}

void
RecsysMergeUser(Relation heap, Relation index, uint32 user_hash, RecsysMergeResult *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys merge",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Merge		merge;

	LockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
	init_merge(&merge, heap, index, RECSYS_MERGE_EXACT, result, context);
	start_batch(&merge);
	merge.events = NULL;
	RecsysUserReaderRead(RecsysRecountReader(merge.recount), user_hash, collect_events, &merge);
	if (merge.nevents > 0)
	{
		visit_users(&merge);
		recount_touched(&merge);
		update_users(&merge);
		RecsysUpdatePopular(index, merge.touched, merge.ntouched);
		record_merge(&merge);
	}
	end_batch(&merge);
	result->inexact = inexact_items(index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	UnlockPage(index, RECSYS_META_BLOCK, ExclusiveLock);
}
