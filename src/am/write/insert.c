/*
 * insert.c
 *	  INSERT and non-HOT UPDATE: one new entry on each side, and an event.
 *
 * A new item is entered first.  Then comes the item's posting, which gives the item's
 * number, and then the user's entry, which refers to that number.  Each is an atomic
 * step of its own.  If the server stops between two of them, the inserting transaction
 * has not committed.  What is left behind is an entry of a dead row, which VACUUM
 * removes, or an item that nobody has.
 *
 * The item graph and the popularity of items follow with the next merge; the event
 * tells it what has changed.  When many events are waiting, a merge worker is woken.
 * Where there is no worker, inserts merge some of the events now and then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/entry/handler.h"
#include "am/graph/graph.h"
#include "am/lists/append.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/lists/pending.h"
#include "am/merge/merge.h"
#include "am/store/columns.h"
#include "am/store/meta.h"
#include "am/write/wake.h"
#include "fault.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * Slices must not slow inserts down by more than a tenth.  So after a merge of the
 * index no insert merges a slice for this many times as long as the merge took; during
 * a load the lists may grow.  A session whose slice found nothing to merge (all events
 * may be its own transaction's, or another process merges) pauses even longer.
 */
#define SLICE_PAUSE		9
#define IDLE_PAUSE		100
#define SHORTEST_PAUSE	((int64) 10000) /* microseconds */
#define LONGEST_PAUSE	((int64) 60 * USECS_PER_SEC)

/* Slices of this session: when the next of an index may come */
typedef struct SlicePause
{
	Oid			index;
	TimestampTz next;
} SlicePause;

/* More indexes than these are seldom written to by one session; if they are, some forget their pause. */
#define PAUSES 64

static SlicePause *
find_pause(Relation index)
{
	static SlicePause pauses[PAUSES];
	SlicePause *pause = &pauses[RelationGetRelid(index) % PAUSES];

	if (pause->index != RelationGetRelid(index))
	{
		pause->index = RelationGetRelid(index);
		pause->next = 0;
	}
	return pause;
}

static void
merge_slice(Relation heap, Relation index)
{
	SlicePause *pause = find_pause(index);
	TimestampTz start = GetCurrentTimestamp();
	TimestampTz merged_at;
	int64		duration;
	RecsysMergeResult result;

	/* reading others' rows would make a serializable transaction fail for no reason of its own */
	if (IsolationIsSerializable())
		return;

	/* if the clock has been put back, the time that was set means nothing */
	if (start < pause->next && pause->next - start <= LONGEST_PAUSE)
		return;
	RecsysLastMerge(index, &merged_at, &duration);
	pause->next = merged_at + duration + Min(duration * SLICE_PAUSE, LONGEST_PAUSE);
	if (start < pause->next && pause->next - start <= LONGEST_PAUSE)
		return;

	/* should it end in an error, the next try is not soon */
	pause->next = start + LONGEST_PAUSE;
	if (!RecsysMerge(heap, index, RECSYS_MERGE_SLICE, &result) || result.merged == 0)
	{
		duration = GetCurrentTimestamp() - start;
		pause->next = start + Min(Max(duration * IDLE_PAUSE, SHORTEST_PAUSE), LONGEST_PAUSE);
	}
	else
		pause->next = start + SHORTEST_PAUSE;
}

bool
recsys_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
			  IndexUniqueCheck unique, bool unchanged, struct IndexInfo *info)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys insert",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysColumns columns = RecsysGetCache(index)->columns;
	RecsysCache *cache;
	RecsysRow	row;
	RecsysEntry entry = {0};
	RecsysEvent event = {0};
	uint32		item = RECSYS_NONE;
	uint32		user_hash = 0;

	/* detoasting a key may accept invalidations, which free the cached copy */
	RecsysFormRow(index, &columns, values, isnull, &row);
	cache = RecsysGetCache(index);
	entry.tid = *tid;
	entry.weight = row.weight;
	entry.time = row.time;

	if (row.has_item)
	{
		entry.orphan = !row.has_user;
		if (row.has_user)
			user_hash = RECSYS_TREE_HASH(RecsysKeyHash(cache->meta.user_kind, &row.user,
													   cache->meta.seed));
		entry.peer = user_hash;

		/* most items are known already: one descent */
		while (!RecsysAppendEntry(index, RECSYS_ITEMS, &row.item, &entry, &item))
			(void) RecsysInternItem(index, &row.item);
		RECSYS_FAULT("insert-posting");
	}
	if (row.has_user)
	{
		entry.peer = item;
		entry.orphan = !row.has_item;
		(void) RecsysAppendEntry(index, RECSYS_USERS, &row.user, &entry, NULL);
		RECSYS_FAULT("insert-user");
	}
	if (row.has_user && row.has_item)
	{
		event.user_hash = user_hash;
		event.item = item;

		/*
		 * The validation phase of CREATE INDEX CONCURRENTLY enters rows that others
		 * have written, and has no transaction id yet.  It gets one here, so that no
		 * merge with an older snapshot takes these events.
		 */
		event.xid = U64FromFullTransactionId(GetTopFullTransactionId());
		event.tid = *tid;
		if (!RecsysPendingAppend(index, &event, 1))
			RecsysNotePending();
		else if (!RecsysWakeMergeWorker())
			merge_slice(heap, index);
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
