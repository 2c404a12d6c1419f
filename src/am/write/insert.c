/*
 * insert.c
 *	  INSERT and non-HOT UPDATE: one new entry on each side, and an event.
 *
 * The item's posting comes first, as it tells the item's number that the user's
 * entry refers to; a new item is entered before.  Each is an atomic step of its
 * own.
 * If the server stops between two of them the inserting transaction has not
 * committed, so what is left behind is an entry for a dead row that VACUUM
 * removes, or an item that nobody has touched.
 *
 * The item graph and the popularity of items follow with the next merge, which
 * the event tells what has changed.  When events have piled up, a merge worker
 * is woken; where there is none, inserts merge a few pages of them now and then.
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
 * After a merge of the index its inserts go on for so many times as long before one
 * of them merges a slice: they are slowed down by a tenth, and the lists may grow until
 * a load is over.  A session whose slice found nothing to merge (all events may be of
 * this very transaction, or another process merges) pauses even longer.
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
		 * The validation phase of CREATE INDEX CONCURRENTLY enters rows of others and
		 * has no id yet.  It gets one: a merge whose snapshot is older than these
		 * rows must not take their events.
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
