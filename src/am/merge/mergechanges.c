/*
 * mergechanges.c
 *	  What a batch of events has changed: which items are touched, which users'
 *	  flags are to follow.
 *
 * Events name users and items; they may be out of date or duplicated.  What counts now
 * is looked up under the batch's snapshot.  Users with more than max_history items need
 * care, because one more item pushes another out.  Marks on their entries tell which
 * of them counted at the last merge.
 *
 * Where what a user weighs depends on all that the user has, an event touches all items
 * that count now: those it does not name are reweighted.  An item that has ceased to
 * count has an event of its own, or a mark.
 */
#include "postgres.h"

#include "access/transam.h"
#include "am/graph/itemorder.h"
#include "am/lists/owner.h"
#include "am/merge/mark.h"
#include "am/merge/mergesnapshot.h"
#include "am/merge/mergestate.h"
#include "am/store/enlarge.h"
#include "core/rows/history.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Where an event touches all items of its user, a slice takes events of users who have
 * no more entries than this, together.
 */
#define SLICE_ENTRIES	256

/* In loops over a long list a look at interrupts comes after so many steps. */
#define LOOK_EVERY		65536

/*
 * Is an event too much work for an insert?  All entries of a user have to be read, and
 * where there are more than count and they are not marked, all items of the user are
 * touched.  Such events are left to a merge that holds up nobody.  *entries is what the
 * slice has of the users of its events; of one user after the other they count once.
 */
static bool
is_too_much(const RecsysMergeState *merge, const RecsysEvent *event, uint64 *entries)
{
	uint64		count;

	if (merge->mode != RECSYS_MERGE_SLICE || merge->recount == NULL)
		return false;
	count = RecsysCountEntries(merge->index, RECSYS_USERS, event->user_hash);
	if (count > (uint64) RecsysGetCache(merge->index)->meta.max_history)
		return true;
	if (!RecsysRecountWeighs(merge->recount))
		return false;
	if (merge->nevents > 0 && merge->events[merge->nevents - 1].user_hash == event->user_hash)
		return false;
	if (*entries + count > SLICE_ENTRIES)
		return true;
	*entries += count;
	return false;
}

bool
RecsysMergeReadBatch(RecsysMergeState *merge)
{
	int			maxpages = merge->maxpages;
	uint64		maxevents = (uint64) maxpages * RECSYS_PAGE_EVENTS;
	bool		slice = merge->mode == RECSYS_MERGE_SLICE;
	int			npages = 0;
	int			maxvisited = 64;
	RecsysPendingPage *page = NULL;
	uint64		entries = 0;

	merge->visited = palloc(sizeof(RecsysVisitedPage) * maxvisited);
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
			if (slice && merge->nevents >= merge->maxevents)
				break;
			if (page->events[i].item >= merge->nitems ||
				!RecsysEventIsFinished(&page->events[i], merge->snapshot, next) ||
				is_too_much(merge, &page->events[i], &entries))
				continue;
			page->done[i] = true;
			merge->events[merge->nevents++] = page->events[i];
			any = true;
		}

		if (merge->nvisited == maxvisited)
		{
			maxvisited *= 2;
			merge->visited = repalloc(merge->visited, sizeof(RecsysVisitedPage) * maxvisited);
		}
		merge->visited[merge->nvisited].list = merge->list;
		merge->visited[merge->nvisited].block = merge->block;
		merge->visited[merge->nvisited++].page = any ? page : NULL;
		merge->block = merge->block == merge->last ? InvalidBlockNumber : page->next;
		if (any)
		{
			npages++;
			page = NULL;
			if (slice && merge->nevents >= merge->maxevents)
				break;
		}
		else if (slice && merge->nvisited >= 2 * maxpages)
			break;
	}
	return merge->nevents > 0;
}

static void
touch(RecsysMergeState *merge, uint32 item, RecsysTouch how)
{
	if (item >= RecsysRecountItems(merge->recount))
		return;
	if (merge->touch[item] == RECSYS_UNTOUCHED)
		merge->touched[merge->ntouched++] = item;
	merge->touch[item] = Max(merge->touch[item], how);
}

static void
note_row(RecsysMergeState *merge, uint32 row)
{
	if (merge->nrows == merge->maxrows)
	{
		merge->maxrows = Max(1024, merge->maxrows * 2);
		merge->rows = RecsysEnlarge(merge->context, merge->rows,
									sizeof(uint32) * merge->maxrows);
	}
	merge->rows[merge->nrows++] = row;
}

static inline int
compare_events(const RecsysEvent *x, const RecsysEvent *y)
{
	if (x->user_hash != y->user_hash)
		return x->user_hash < y->user_hash ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return ItemPointerCompare((ItemPointer) &x->tid, (ItemPointer) &y->tid);
}

#define ST_SORT sort_events
#define ST_ELEMENT_TYPE RecsysEvent
#define ST_COMPARE(a, b) compare_events(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

static inline int
compare_items(const uint32 *x, const uint32 *y)
{
	return (*x > *y) - (*x < *y);
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) compare_items(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Is there an event of the user at hand with the item and the row? */
static bool
is_named(const RecsysMergeState *merge, uint32 item, uint64 position)
{
	uint64		low = merge->event;
	uint64		high = merge->event_end;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;
		const RecsysEvent *event = &merge->events[middle];

		if (event->item < item ||
			(event->item == item && RecsysTidPosition(&event->tid) < position))
			low = middle + 1;
		else
			high = middle;
	}
	return low < merge->event_end && merge->events[low].item == item &&
		RecsysTidPosition(&merge->events[low].tid) == position;
}

/*
 * Which items does the user have only since these events?  Those that an addition
 * names, if events name all the rows that the user has of them.
 */
static void
find_added(const RecsysMergeState *merge, const RecsysUserView *user,
		   const RecsysHistoryItem *history, int count, RecsysChangedItem *items)
{
	bool		any = false;
	int			h = 0;

	for (int i = 0; i < count; i++)
		items[i].added = false;
	for (uint64 e = merge->event; e < merge->event_end; e++)
	{
		const RecsysEvent *event = &merge->events[e];

		/* both ascend by item */
		while (h < count && history[h].item < event->item)
			h++;
		if (h < count && history[h].item == event->item && (event->flags & RECSYS_EVENT_REMOVED) == 0)
			any = items[h].added = true;
	}
	for (int i = 0; any && i < user->ninteractions; i++)
	{
		const RecsysInteraction *row = &user->interactions[i];
		int			low = 0;
		int			high = count;

		if (i % LOOK_EVERY == LOOK_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
		while (low < high)
		{
			int			middle = low + (high - low) / 2;

			if (history[middle].item < row->item)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < count && history[low].item == row->item && items[low].added &&
			!is_named(merge, row->item, row->position))
			items[low].added = false;
	}
}

/* Do the user's entries tell which of them rows have counted? */
static bool
marks_are_right(const RecsysUserView *user)
{
	return (user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) == RECSYS_OWNER_MARKED;
}

static bool
touch_one(RecsysMergeState *merge, uint32 item)
{
	touch(merge, item, RECSYS_CHANGED);
	return true;
}

/*
 * A user with more entries than count: which items other than those of the events have
 * begun or ceased to count?  Marked entries tell what counted before.  If they are not
 * marked yet, it could be any of them.  False: none.
 */
static bool
touch_displaced(RecsysMergeState *merge, const RecsysUserView *user, const RecsysHistoryItem *history,
				int count)
{
	bool		marked = marks_are_right(user);
	bool		any = !marked;
	uint32	   *now = palloc_extended(sizeof(uint32) * ((Size) count + 1), MCXT_ALLOC_HUGE);
	uint32	   *before = palloc_extended(sizeof(uint32) * ((Size) user->nentries + 1), MCXT_ALLOC_HUGE);
	uint32		nbefore = 0;
	uint32		x = 0;

	for (int i = 0; i < count; i++)
		now[i] = history[i].item;
	for (uint32 i = 0; i < user->nentries; i++)
	{
		if (i % LOOK_EVERY == LOOK_EVERY - 1)
			CHECK_FOR_INTERRUPTS();
		if (user->entries[i].orphan)
			continue;
		if (!marked)
			touch(merge, user->entries[i].peer, RECSYS_CHANGED);
		else if (user->entries[i].counted)
			before[nbefore++] = user->entries[i].peer;
	}
	sort_items(before, nbefore);

	/* both ascending: touch what is in one of them only */
	for (int i = 0; marked && i < count; i++)
	{
		while (x < nbefore && before[x] < now[i])
			any = touch_one(merge, before[x++]);
		if (x < nbefore && before[x] == now[i])
		{
			while (x < nbefore && before[x] == now[i])
				x++;
		}
		else
			any = touch_one(merge, now[i]);
	}
	while (marked && x < nbefore)
		any = touch_one(merge, before[x++]);
	pfree(now);
	pfree(before);
	return any;
}

static void
note_change(RecsysMergeState *merge, const RecsysUserView *user, bool counted, bool mark,
			bool displaced)
{
	RecsysChangedUser *changed = palloc(sizeof(RecsysChangedUser));

	changed->view.hash = user->hash;
	changed->view.flags = user->flags;
	changed->view.keylen = user->keylen;
	memcpy(changed->view.key, user->key, user->keylen);
	changed->counted = counted;
	changed->mark = mark;
	changed->displaced = displaced;
	changed->first = merge->users.histories.matrix.nrows;
	if (merge->nchanged == merge->maxchanged)
	{
		merge->maxchanged = Max(256, merge->maxchanged * 2);
		merge->changed = RecsysEnlarge(merge->context, merge->changed,
									   sizeof(RecsysChangedUser *) * (Size) merge->maxchanged);
	}
	merge->changed[merge->nchanged++] = changed;
}

/* Visitor: a user with events. */
static void
visit_user(void *arg, RecsysUserView *user)
{
	RecsysMergeState *merge = arg;
	RecsysCache *cache = RecsysGetCache(merge->index);
	int			max_history = cache->meta.max_history;
	bool		large = user->nentries > (uint32) max_history;
	bool		marked = (user->flags & (RECSYS_OWNER_MARKED | RECSYS_OWNER_UNSURE)) != 0;
	bool		displaced = false;

	/* with the next entry it will matter which of them counted */
	bool		mark = large || marked || user->nentries >= (uint32) max_history;
	bool		removed = false;
	RecsysHistoryItem *history = palloc_extended(sizeof(RecsysHistoryItem) *
												 ((Size) user->ninteractions + 1), MCXT_ALLOC_HUGE);
	int			count = 0;
	uint64		used;
	RecsysChangedUsers *users = &merge->users;
	RecsysFolding folding;

	RecsysMetaFolding(&cache->meta, RecsysRecountOrder(merge->recount), &folding);
	if (user->ninteractions > 0)
		count = RecsysHistoryFold(user->interactions, user->ninteractions, &folding, history, NULL);
	for (uint64 e = merge->event; e < merge->event_end; e++)
		removed |= (merge->events[e].flags & RECSYS_EVENT_REMOVED) != 0;

	if (large || marked)
		displaced = touch_displaced(merge, user, history, count);
	if (mark || ((user->flags & RECSYS_OWNER_COUNTED) != 0) != (count > 0))
		note_change(merge, user, count > 0, mark, displaced);

	RecsysRecountWeigh(merge->recount, history, count, merge->masses);
	used = RecsysHistoriesAdd(&users->histories, history, count);
	if (used + count > merge->maxitems)
	{
		merge->maxitems = Max(used + count, Max(16384, merge->maxitems * 2));
		users->items = RecsysEnlarge(merge->context, users->items,
									 sizeof(RecsysChangedItem) * merge->maxitems);
	}
	for (int i = 0; i < count; i++)
	{
		users->items[used + i].mass = merge->masses[i];
		users->items[used + i].time = history[i].time;
		if (RecsysRecountWeighs(merge->recount))
			touch(merge, history[i].item, RECSYS_REWEIGHTED);
	}
	find_added(merge, user, history, count, users->items + used);

	/* these rows may hold a pair with an item that the user no longer has */
	for (int i = 0; (large || marked || removed) && i < count; i++)
		note_row(merge, history[i].item);
	pfree(history);
}

void
RecsysMergeVisitUsers(RecsysMergeState *merge)
{
	uint32		nitems = RecsysRecountItems(merge->recount);

	merge->touch = MemoryContextAllocExtended(merge->context, Max(nitems, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	merge->masses = MemoryContextAlloc(merge->context, sizeof(float) *
									   RecsysGetCache(merge->index)->meta.max_history);
	merge->touched = MemoryContextAllocHuge(merge->context, sizeof(uint32) * (Size) Max(nitems, 1));
	sort_events(merge->events, merge->nevents);
	RecsysHistoriesInit(&merge->users.histories, nitems, RecsysRecountUsesWeights(merge->recount));
	if (RecsysRecountUsesOrder(merge->recount))
		RecsysHistoriesKeepPlaces(&merge->users.histories);

	for (merge->event = 0; merge->event < merge->nevents; merge->event = merge->event_end)
	{
		uint32		hash = merge->events[merge->event].user_hash;

		CHECK_FOR_INTERRUPTS();
		merge->event_end = merge->event;
		while (merge->event_end < merge->nevents && merge->events[merge->event_end].user_hash == hash)
		{
			const RecsysEvent *event = &merge->events[merge->event_end++];

			touch(merge, event->item, RECSYS_CHANGED);
			merge->removed |= (event->flags & RECSYS_EVENT_REMOVED) != 0;
		}
		RecsysUserReaderRead(RecsysRecountReader(merge->recount), hash, visit_user, merge);
	}
	for (uint32 i = 0; i < merge->nchanged; i++)
		if (merge->changed[i]->displaced)
			RecsysDoubtMarks(merge->index, &merge->changed[i]->view);
	RECSYS_FAULT("merge-doubted");
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
		marking->nitems > 0 &&
		bsearch(&entry->peer, marking->items, marking->nitems, sizeof(uint32),
				RecsysCompareItemNumbers) != NULL;
}

void
RecsysMergeUpdateUsers(RecsysMergeState *merge)
{
	for (uint32 i = 0; i < merge->nchanged; i++)
	{
		RecsysChangedUser *changed = merge->changed[i];

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

BlockNumber
RecsysMergeRemoveEvents(RecsysMergeState *merge, BlockNumber previous)
{
	for (int i = 0; i < merge->nvisited; i++)
	{
		RecsysVisitedPage *visited = &merge->visited[i];

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && visited->list != merge->visited[i - 1].list)
			previous = InvalidBlockNumber;
		if (visited->page == NULL || !RecsysPendingRemove(merge->index, visited->page, previous))
			previous = visited->block;
	}
	return previous;
}
