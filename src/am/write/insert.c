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
#include "am/write/slice.h"
#include "am/write/wake.h"
#include "fault.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"

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
			RecsysMergeSlice(heap, index, RecsysMerge);
	}

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}
