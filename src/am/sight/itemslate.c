/*
 * itemslate.c
 *	  Which items may have content that the graph does not know.
 *
 * Those of pending events, but for events of transactions that the snapshot does not see.  And if
 * a merge has taken in what the snapshot does not see, those with rows that are not the
 * current ones any more: all content pages are looked through for them.
 *
 * Snapshot and graph are compared by the snapshot that the last merge has worked under.  What was
 * running for the reader's snapshot and is running still was running for the merge, too.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "am/sight/itemsreader.h"
#include "am/lists/pendingwalk.h"
#include "am/store/enlarge.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"

static void
add_row(RecsysItemsReader *reader, uint32 item, BlockNumber block, const ItemPointerData *tid,
		uint64 xid)
{
	RecsysLateRow *row;

	if (reader->nlate == reader->maxlate)
	{
		reader->maxlate = Max(64, reader->maxlate * 2);
		reader->late = RecsysEnlarge(reader->context, reader->late,
									 sizeof(RecsysLateRow) * (Size) reader->maxlate);
	}
	row = &reader->late[reader->nlate++];
	memset(row, 0, sizeof(*row));
	row->item = item;
	row->block = block;
	row->tid = *tid;
	row->xid = xid;
}

/* Might the snapshot see what the transaction has written? */
static bool
may_see(RecsysItemsReader *reader, TransactionId xid)
{
	if (!TransactionIdIsNormal(xid))
		return true;
	if (xid != reader->asked_xid)
	{
		reader->asked_xid = xid;
		reader->asked_seen = TransactionIdIsCurrentTransactionId(xid) ||
			!XidInMVCCSnapshot(xid, reader->snapshot);
	}
	return reader->asked_seen;
}

static void
see_events(void *arg, const RecsysEvent *events, int count)
{
	RecsysItemsReader *reader = arg;

	for (int i = 0; i < count; i++)
	{
		const RecsysEvent *event = &events[i];
		bool		gone = (event->flags & RECSYS_EVENT_REMOVED) != 0;

		if (may_see(reader, (TransactionId) event->xid))
			add_row(reader, event->item, gone ? InvalidBlockNumber : event->user_hash,
					&event->tid, event->xid);
	}
}

static void
see_content(void *arg, const RecsysContentPage *page)
{
	RecsysItemsReader *reader = arg;

	for (int i = 0; i < page->ntuples; i++)
	{
		RecsysContentTuple tuple = page->tuples[i];

		if ((tuple->flags & (RECSYS_CONTENT_CURRENT | RECSYS_CONTENT_DEAD)) == 0 &&
			RecsysIsVisible(&reader->visibility, tuple->tid, reader->snapshot))
			add_row(reader, tuple->item, page->block, &tuple->tid, 0);
	}
}

/* Does the graph know of a transaction that the snapshot does not see? */
static bool
graph_is_newer(const RecsysItemsReader *reader)
{
	Snapshot	snapshot = reader->snapshot;
	const TransactionId *running = snapshot->takenDuringRecovery ? snapshot->subxip : snapshot->xip;
	uint32		nrunning = snapshot->takenDuringRecovery ? snapshot->subxcnt : snapshot->xcnt;
	uint64		known = reader->meta.merged_xid;

	if (known == 0)
		return false;
	if (RecsysContentSnapshotEnd(snapshot) < known)
		return true;
	for (uint32 i = 0; i < nrunning; i++)
		if (TransactionIdPrecedes(running[i], (TransactionId) known) &&
			!TransactionIdIsInProgress(running[i]))
			return true;
	return false;
}

static int
compare_rows(const void *a, const void *b)
{
	const RecsysLateRow *x = a;
	const RecsysLateRow *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	if (!ItemPointerEquals((ItemPointer) &x->tid, (ItemPointer) &y->tid))
		return ItemPointerCompare((ItemPointer) &x->tid, (ItemPointer) &y->tid);
	return (x->xid > y->xid) - (x->xid < y->xid);
}

/* By item, each row once */
static void
put_in_order(RecsysItemsReader *reader)
{
	int			left = 0;

	qsort(reader->late, reader->nlate, sizeof(RecsysLateRow), compare_rows);
	for (int i = 0; i < reader->nlate; i++)
		if (i == 0 || compare_rows(&reader->late[i], &reader->late[left - 1]) != 0)
			reader->late[left++] = reader->late[i];
	reader->nlate = left;
}

void
RecsysLateRead(RecsysItemsReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	reader->nlate = 0;
	reader->asked_xid = InvalidTransactionId;
	RecsysPendingWalk(reader->index, see_events, reader);
	reader->older = graph_is_newer(reader);
	if (reader->older)
		RecsysContentScan(reader->index, see_content, reader);
	if (reader->nlate > 1)
		put_in_order(reader);
	MemoryContextSwitchTo(old);
}

int
RecsysLateFind(const RecsysItemsReader *reader, uint32 item)
{
	int			low = 0;
	int			high = reader->nlate;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (reader->late[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < reader->nlate && reader->late[low].item == item ? low : -1;
}
