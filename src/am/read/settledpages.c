/*
 * settledpages.c
 *	  Pages of tables all of whose rows a snapshot sees, as the session has found out.
 *
 * A table that VACUUM has not been to yet has no all-visible pages, though nearly all of its rows
 * have been committed long ago.  To look at a row takes a lock and, more than that, waiting for
 * two places of the page in memory: the line pointer and the tuple.  So the session remembers of a
 * page that all of its rows are *settled*: there are no other line pointers than of tuples whose
 * inserting transaction is known to be committed, that nobody has deleted or locked, and that no
 * HOT update has made.  A snapshot sees all of them if it is newer than all of these transactions,
 * the newest of which is remembered, too.
 *
 * Whatever changes a page of a table that is logged sets its LSN, but for hint bits, which
 * take nothing away of what has been found.  So what is known of a page holds as long as it
 * has the LSN that it had.  The LSN is read without a lock, from a page that is pinned:
 *
 * - A transaction that our snapshot sees has ended before the snapshot was taken, so it had set
 *   the LSN before.
 * - One that is just changing the page may have done so and not have set the LSN yet.  It has not
 *   ended, so that our snapshot sees nothing of it anyway.  Our own changes are complete.
 * - The two halves of an LSN are set and read one by one.  LSNs only grow, so halves of two can
 *   only be equal to the older one if they are that one, as far as we see.
 * - An entry of the index for a row that came later is read after that row's page had its LSN.
 *
 * Two pages have the same LSN only if one record has changed both.  No record changes the same
 * block of two tables, so block and LSN say which page it is, whatever has become of the table.
 * An LSN of zero, of tables that are not logged or whose log was spared when they were filled,
 * says nothing; such pages are not remembered.  With wal_level = minimal none are: a transaction that
 * moves a table to another tablespace copies LSNs, and what it changes afterwards sets none.
 *
 * An XID that is remembered cannot be so old that it is taken for a future one: the server freezes
 * it before, which sets the LSN.
 *
 * To look at all rows of a page costs as much as looking at some dozens in vain.  So it is
 * done when a page comes for the second time unchanged.  What is known takes 1 MB at most; pages
 * that share a place drive each other out of it (am/store/blockarray).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "am/read/settledpages.h"
#include "am/store/blockarray.h"

#define MAX_ENTRIES (1 << 16)

/* In place of the newest transaction; no tuple of a table that anybody makes has these. */
#define SEEN_ONCE InvalidTransactionId
#define NOT_SETTLED BootstrapTransactionId

/* A page that was not settled is looked at again after about so many visits. */
#define VISITS_BETWEEN_LOOKS 16

typedef struct SettledPage
{
	XLogRecPtr	lsn;			/* InvalidXLogRecPtr: nothing is known */
	BlockNumber block;
	TransactionId newest;		/* that has inserted a row; FrozenTransactionId: all are frozen */
} SettledPage;

static RecsysBlockArray pages;
static uint32 visits = 0;

/* The entry of a page, which may be that of another one; there are entries. */
static inline SettledPage *
entry_of(Relation heap, BlockNumber block)
{
	return RecsysBlockArrayEntry(&pages, sizeof(SettledPage), heap, block);
}

void
RecsysAskForSettled(Relation heap, BlockNumber block)
{
	if (pages.entries != NULL)
		__builtin_prefetch(entry_of(heap, block));
}

static inline bool
is_known(const SettledPage *entry, BlockNumber block)
{
	return entry->block == block && entry->newest >= FrozenTransactionId;
}

bool
RecsysWasSettled(Relation heap, BlockNumber block)
{
	return pages.entries != NULL && is_known(entry_of(heap, block), block);
}

/* Does whatever changes the table's pages set their LSN? */
static inline bool
sets_lsn(Relation heap)
{
	return RelationNeedsWAL(heap) && XLogIsNeeded();
}

bool
RecsysPageIsSettled(Relation heap, BlockNumber block, Page page, Snapshot snapshot)
{
	const SettledPage *entry;

	if (pages.entries == NULL || !sets_lsn(heap))
		return false;
	entry = entry_of(heap, block);
	return is_known(entry, block) && entry->lsn == PageGetLSN(page) &&
		(entry->newest == FrozenTransactionId ||
		 TransactionIdPrecedes(entry->newest, snapshot->xmin));
}

/* The newest transaction that has inserted a row, or NOT_SETTLED */
static TransactionId
newest_of(Page page)
{
	OffsetNumber end = PageGetMaxOffsetNumber(page);
	TransactionId newest = FrozenTransactionId;

	for (OffsetNumber offset = FirstOffsetNumber; offset <= end; offset++)
	{
		ItemId		itemid = PageGetItemId(page, offset);
		HeapTupleHeader tuple;
		TransactionId xmin;

		if (!ItemIdIsNormal(itemid))
			return NOT_SETTLED;
		tuple = (HeapTupleHeader) PageGetItem(page, itemid);
		if ((tuple->t_infomask & HEAP_XMIN_COMMITTED) == 0 ||
			(tuple->t_infomask & HEAP_XMAX_INVALID) == 0 ||
			HeapTupleHeaderIsHeapOnly(tuple))
			return NOT_SETTLED;
		xmin = HeapTupleHeaderXminFrozen(tuple) ? FrozenTransactionId : HeapTupleHeaderGetRawXmin(tuple);
		if (TransactionIdIsNormal(xmin) &&
			(!TransactionIdIsNormal(newest) || TransactionIdPrecedes(newest, xmin)))
			newest = xmin;
	}
	return newest;
}

void
RecsysNotePage(Relation heap, BlockNumber block, Page page)
{
	XLogRecPtr	lsn = PageGetLSN(page);
	SettledPage *entry;
	bool		conflict;

	if (!sets_lsn(heap) || XLogRecPtrIsInvalid(lsn))
		return;
	if (!RecsysBlockArrayReady(&pages, sizeof(SettledPage)))
		return;
	entry = entry_of(heap, block);
	if (entry->block == block && entry->lsn == lsn)
	{
		/* what is known may be of no use to this snapshot, and is no other for that */
		if (entry->newest == SEEN_ONCE ||
			(entry->newest == NOT_SETTLED && ++visits % VISITS_BETWEEN_LOOKS == 0))
			entry->newest = newest_of(page);
		return;
	}
	conflict = !XLogRecPtrIsInvalid(entry->lsn) && entry->block != block;
	*entry = (SettledPage) {.lsn = lsn, .block = block, .newest = SEEN_ONCE};
	if (conflict)
		RecsysBlockArrayConflict(&pages, sizeof(SettledPage), MAX_ENTRIES);
}
