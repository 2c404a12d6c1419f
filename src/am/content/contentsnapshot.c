/*
 * contentsnapshot.c
 *	  Up to which transaction an item graph knows.
 *
 * Items that have changed since the last merge are compared when they are asked for; but what a
 * merge has carried into the graph cannot be told from what was there before.  So the graph
 * says which snapshot it was made with, and who reads it with an older one does not rely on it.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/transam.h"
#include "am/content/contentpage.h"

/* A full transaction id for one that a snapshot names */
static uint64
widen(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32		epoch = EpochFromFullTransactionId(next);

	if (!TransactionIdIsNormal(xid))
		return xid;
	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xid));
}

uint64
RecsysContentSnapshotEnd(Snapshot snapshot)
{
	return widen(snapshot->xmax);
}

void
RecsysContentNoteBuild(RecsysContentMeta *meta)
{
	meta->merged_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
	meta->merges = 0;
}

/* Another number that says whether somebody is at it */
static uint64
next_number(uint64 merges, bool at_it)
{
	merges++;
	return (merges & 1) == (at_it ? 1 : 0) ? merges : merges + 1;
}

static void
note(Relation index, uint64 end, bool at_it)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
										RECSYS_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	RecsysContentMeta *meta = RecsysPageGetContentMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	meta->merged_xid = Max(meta->merged_xid, end);
	meta->merges = next_number(meta->merges, at_it);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

void
RecsysContentNoteSnapshot(Relation index, Snapshot snapshot)
{
	note(index, RecsysContentSnapshotEnd(snapshot), true);
}

void
RecsysContentNoteDone(Relation index)
{
	note(index, 0, false);
}

uint64
RecsysContentMerges(Relation index)
{
	Buffer		buffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_META);
	uint64		merges = RecsysPageGetContentMeta(BufferGetPage(buffer))->merges;

	UnlockReleaseBuffer(buffer);
	return merges;
}
