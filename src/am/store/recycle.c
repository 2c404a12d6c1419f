/*
 * recycle.c
 *	  Pages that have left a list, and when they may be used again.
 *
 * A walk of a long list has nothing locked between two pages (am/lists/chain.c).  VACUUM may
 * take the next page out of the list before the walk comes to it.  So such a page is not
 * free at once: it becomes a deleted page, without entries, which still leads to the
 * page behind it.  It is stamped with the next transaction id.  A walk that can come to
 * it has found a link to it before it went, and holds a snapshot that was taken before that.
 * When every snapshot is newer than the stamp, nobody can, and RecsysNewPage takes it.
 *
 * Deleted pages lead to others that are deleted or are still in the list.  If the page behind a
 * deleted one goes later, it has a later stamp, and is recycled later.
 *
 * On a standby server snapshots do not keep the primary from recycling.  So a record tells of
 * it: replay waits for the queries that are too old, or cancels them.  The server's GiST has such
 * a record, which names the relation, the block and the stamp, and does nothing else.
 *
 * nbtree, GIN and GiST have it the same way.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "am/store/page.h"
#include "am/store/recycle.h"
#include "compat.h"
#include "utils/snapmgr.h"

#define STAMP_END (MAXALIGN(SizeOfPageHeaderData) + sizeof(FullTransactionId))

void
RecsysPageDelete(Page page)
{
	FullTransactionId now = ReadNextFullTransactionId();

	RecsysPageGetOpaque(page)->kind = RECSYS_PAGE_DELETED;
	memcpy(PageGetContents(page), &now, sizeof(now));
	((PageHeader) page)->pd_lower = STAMP_END;
}

bool
RecsysPageDeletedAt(Page page, FullTransactionId *when)
{
	if (((PageHeader) page)->pd_lower != STAMP_END)
		return false;
	memcpy(when, PageGetContents(page), sizeof(*when));
	return true;
}

bool
RecsysPageIsRecyclable(Page page)
{
	FullTransactionId when;

	return RecsysPageDeletedAt(page, &when) && GlobalVisCheckRemovableFullXid(NULL, when);
}

void
RecsysLogRecycling(Relation index, BlockNumber block, Page page)
{
	FullTransactionId when;

	if (XLogStandbyInfoActive() && RelationNeedsWAL(index) && RecsysPageDeletedAt(page, &when))
		RECSYS_LOG_PAGE_REUSE(index, block, when);
}
