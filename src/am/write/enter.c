/*
 * enter.c
 *	  Entering rows: an entry on each side, and an event.
 *
 * A new item is entered first.  Then comes the item's posting, which gives the item's
 * number, and then the user's entry, which refers to that number.  Each is an atomic
 * step of its own.  If the server stops between two of them, the inserting transaction
 * has not committed.  What is left behind is an entry of a dead row, which VACUUM
 * removes, or an item that nobody has.
 *
 * Of many rows all postings come first, in the order of the item side's buckets, then
 * all entries of users in that of theirs, then the events, whole pages at a time.  New
 * items get their numbers in the order of the rows.
 *
 * The item graph and the popularity of items follow with the next merge; the event
 * tells it what has changed.  When many events are waiting, a merge worker is woken.
 * Where there is no worker, inserts merge some of the events now and then.
 *
 * No event is due for a new version of a row whose values are those of the version before: its
 * user has the same as ever, in every snapshot.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/graph/graph.h"
#include "am/lists/append.h"
#include "am/lists/directory.h"
#include "am/lists/pending.h"
#include "am/merge/merge.h"
#include "am/write/enter.h"
#include "am/write/slice.h"
#include "am/write/wake.h"
#include "fault.h"
#include "utils/memutils.h"

/* So few rows are entered one by one. */
#define FEW_ROWS 4

void
RecsysNewRowForm(RecsysNewRow *row, const RecsysCache *cache, const RecsysRow *values,
				 ItemPointer tid, bool version)
{
	const RecsysMetaData *meta = &cache->meta;

	memset(row, 0, sizeof(*row));
	row->tid = *tid;
	row->weight = values->weight;
	row->time = values->time;
	row->item = RECSYS_NONE;
	if (version)
		row->flags |= RECSYS_NEW_VERSION;
	if (values->has_user)
	{
		row->flags |= RECSYS_NEW_HAS(RECSYS_USERS);
		row->hash[RECSYS_USERS] = RECSYS_TREE_HASH(RecsysKeyHash(meta->user_kind, &values->user,
																 meta->seed));
		RecsysNewRowSetKey(row, RECSYS_USERS, meta->user_kind, &values->user);
	}
	if (values->has_item)
	{
		row->flags |= RECSYS_NEW_HAS(RECSYS_ITEMS);
		row->hash[RECSYS_ITEMS] = RECSYS_TREE_HASH(RecsysKeyHash(meta->item_kind, &values->item,
																 meta->seed));
		RecsysNewRowSetKey(row, RECSYS_ITEMS, meta->item_kind, &values->item);
	}
}

/* Does merging need to know of the row? */
static bool
needs_event(const RecsysNewRow *row)
{
	return (row->flags & RECSYS_NEW_HAS(RECSYS_USERS)) != 0 &&
		(row->flags & RECSYS_NEW_HAS(RECSYS_ITEMS)) != 0 &&
		(row->flags & RECSYS_NEW_UNSAID) == 0;
}

/*
 * The validation phase of CREATE INDEX CONCURRENTLY enters rows that others have
 * written, and has no transaction id yet.  It gets one here, so that no merge with an
 * older snapshot takes these events.
 */
static void
form_event(RecsysEvent *event, const RecsysNewRow *row)
{
	memset(event, 0, sizeof(*event));
	event->user_hash = row->hash[RECSYS_USERS];
	event->item = row->item;
	if ((row->flags & RECSYS_NEW_SETTLED) == 0)
		event->xid = U64FromFullTransactionId(GetTopFullTransactionId());
	event->tid = row->tid;
}

/* An entry of one side, with the event if there is one. */
static void
enter_single(Relation index, RecsysSide side, RecsysNewRow *row, const RecsysEvent *event,
			 RecsysAppended *result)
{
	RecsysCache *cache = RecsysGetCache(index);
	RecsysKeyKind kind = side == RECSYS_USERS ? cache->meta.user_kind : cache->meta.item_kind;
	RecsysEntry entry;
	RecsysKey	key;

	RecsysNewRowKey(row, side, kind, &key);
	RecsysNewRowEntry(row, side, &entry);

	/* most items are known already: one descent */
	while (!RecsysAppendToLocked(index, side,
								 RecsysFindBucket(index, side, row->hash[side], BUFFER_LOCK_EXCLUSIVE),
								 &key, row->hash[side], &entry, event, result))
		(void) RecsysInternItem(index, &key);
	if (side == RECSYS_ITEMS)
		row->item = result->number;
	else
		RecsysNewRowJudge(row, result->flags);
	row->flags |= RECSYS_NEW_IN(side);
}

static bool
is_missing(const RecsysNewRow *row, RecsysSide side)
{
	return (row->flags & RECSYS_NEW_HAS(side)) != 0 && (row->flags & RECSYS_NEW_IN(side)) == 0;
}

bool
RecsysEnterRow(Relation index, RecsysNewRow *row)
{
	RecsysAppended result = {0};
	RecsysEvent event;
	bool		certain;

	if (is_missing(row, RECSYS_ITEMS))
	{
		enter_single(index, RECSYS_ITEMS, row, NULL, &result);
		RECSYS_FAULT("insert-posting");
	}

	/* whether a version needs one is known once its user's entry is there */
	certain = needs_event(row) && (row->flags & RECSYS_NEW_VERSION) == 0;
	if (needs_event(row))
		form_event(&event, row);
	if (is_missing(row, RECSYS_USERS))
	{
		enter_single(index, RECSYS_USERS, row, certain ? &event : NULL, &result);
		RECSYS_FAULT("insert-user");
	}
	if (result.told)
		return result.too_long;
	return needs_event(row) && RecsysPendingAppend(index, &event, 1);
}

/* Places ascending by hash, stable, a byte at a time; the result is in places. */
static void
sort_places(uint64 *places, uint64 *other, uint32 n)
{
	for (int shift = 32; shift < 64; shift += 8)
	{
		uint32		starts[256] = {0};
		uint32		start = 0;
		uint64	   *swap = places;

		for (uint32 i = 0; i < n; i++)
			starts[(places[i] >> shift) & 0xFF]++;
		for (int digit = 0; digit < 256; digit++)
		{
			uint32		count = starts[digit];

			starts[digit] = start;
			start += count;
		}
		for (uint32 i = 0; i < n; i++)
			other[starts[(places[i] >> shift) & 0xFF]++] = places[i];
		places = other;
		other = swap;
	}
}

/* The places of all rows that lack an entry of a side; returns how many. */
static uint32
missing_places(const RecsysNewRow *rows, uint32 n, RecsysSide side, uint64 *places)
{
	uint32		count = 0;

	for (uint32 i = 0; i < n; i++)
		if (is_missing(&rows[i], side))
			places[count++] = RECSYS_NEW_PLACE(rows, i, side);
	return count;
}

/* Items that no row has had yet get their numbers. */
static void
intern_items(Relation index, const RecsysNewRow *rows, uint32 n)
{
	RecsysKeyKind kind = RecsysGetCache(index)->meta.item_kind;

	for (uint32 i = 0; i < n; i++)
	{
		RecsysKey	key;

		if (!is_missing(&rows[i], RECSYS_ITEMS))
			continue;
		RecsysNewRowKey(&rows[i], RECSYS_ITEMS, kind, &key);
		(void) RecsysInternItem(index, &key);
	}
}

static bool
append_events(Relation index, const RecsysNewRow *rows, uint32 n)
{
	RecsysEvent *events = palloc(sizeof(RecsysEvent) * RECSYS_PAGE_EVENTS);
	bool		too_long = false;
	uint32		i = 0;

	while (i < n)
	{
		int			count = 0;

		for (; i < n && count < RECSYS_PAGE_EVENTS; i++)
			if (needs_event(&rows[i]))
				form_event(&events[count++], &rows[i]);
		if (count > 0)
			too_long |= RecsysPendingAppend(index, events, count);
	}
	pfree(events);
	return too_long;
}

bool
RecsysEnterRows(Relation index, RecsysNewRow *rows, uint32 n)
{
	uint64	   *places;
	uint32		count;
	bool		too_long = false;

	if (n <= FEW_ROWS)
	{
		for (uint32 i = 0; i < n; i++)
			too_long |= RecsysEnterRow(index, &rows[i]);
		return too_long;
	}

	places = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * 2 * (Size) n);
	count = missing_places(rows, n, RECSYS_ITEMS, places);
	sort_places(places, places + n, count);
	RecsysAppendBatch(index, RECSYS_ITEMS, rows, places, count);

	count = missing_places(rows, n, RECSYS_ITEMS, places);
	if (count > 0)
	{
		intern_items(index, rows, n);
		sort_places(places, places + n, count);
		RecsysAppendBatch(index, RECSYS_ITEMS, rows, places, count);
	}
	RECSYS_FAULT("batch-postings");

	count = missing_places(rows, n, RECSYS_USERS, places);
	sort_places(places, places + n, count);
	RecsysAppendBatch(index, RECSYS_USERS, rows, places, count);
	pfree(places);
	RECSYS_FAULT("batch-entries");

	return append_events(index, rows, n);
}

void
RecsysRowsEntered(Relation heap, Relation index, bool too_long, bool may_merge)
{
	if (!too_long)
		RecsysNotePending();
	else if (!RecsysWakeMergeWorker() && may_merge)
		RecsysMergeSlice(heap, index, RecsysMerge);
}
