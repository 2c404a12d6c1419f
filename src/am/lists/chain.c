/*
 * chain.c
 *	  Walking the chain pages of an owner.
 *
 * All walks of lists are done here: those of readers, VACUUM, marking and checking.
 * A list may have tens of thousands of pages, so a walk does not keep writers out, and
 * can be interrupted: but for the first page, nothing is locked but the page at hand.
 * These rules let it meet every entry that is there when it begins, and none twice:
 *
 * - New entries go to the owner's tail, and from there, many at once, to the page at the
 *	 head of the chain or to a new page in front of it.  Older pages get none.  A page
 *	 that has come to the head because those before it have gone is sealed
 *	 (RECSYS_OWNER_SEALED) and gets none either.  So who has read the tail and the first
 *	 page under the bucket's lock has before him pages that can only lose entries.
 * - Only VACUUM takes pages out of a chain, and no entries are left on them.  Such a page
 *	 stays readable, and still leads to the page behind it (am/store/recycle.c), until no
 *	 snapshot is left that was there before it went.
 * - VACUUM and those who mark entries do the tail first, then the pages from the head on.
 *	 Entries that move from the tail to a page meanwhile have been done already, or are
 *	 newer than what they look for.
 *
 * The pages come from disk and may be damaged.  Three checks end a walk that goes round in
 * a circle, under a lock or not:
 *
 * - Each page must belong to the owner's hash and side, and must have entries.
 * - There must not be more entries than the owner claims.
 * - Each page is compared with one page that was met before.  That page is replaced
 *	 whenever the number of pages has doubled.  This is Brent's way to find a cycle; it
 *	 takes at most three times the cycle's length.
 *
 * There must not be fewer entries either, unless some have gone meanwhile.  Whoever removes
 * entries changes a page that the walk has yet to come to: so the page is deleted, or
 * has been logged since the walk has let go of the bucket.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "am/lists/chain.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/recycle.h"
#include "catalog/pg_class.h"

#define corrupted(chain, ...) \
	RecsysCorruptedDetail((chain)->index, \
						  psprintf("index \"%s\" contains a corrupted list", \
								   RecsysIndexName((chain)->index)), \
						  __VA_ARGS__)

void
RecsysChainBegin(RecsysChain *chain, Relation index, RecsysSide side, int stride,
				 const RecsysOwnerData *owner)
{
	memset(chain, 0, sizeof(*chain));
	chain->index = index;
	chain->side = side;
	chain->stride = stride;
	chain->hash = owner->hash;
	chain->claimed = chain->least = owner->count;
	chain->seen = owner->tail;
	chain->next = owner->chain;
	chain->mark = InvalidBlockNumber;
}

void
RecsysChainLetGo(RecsysChain *chain)
{
	/* until it has been read the first page may get entries */
	if (chain->pages == 0)
		chain->claimed += RecsysChainRoom(chain->stride);
	chain->loose = true;

	/* changes of unlogged indexes leave no trace */
	chain->lost = chain->index->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED;
	if (BlockNumberIsValid(chain->next))
		chain->since = RecoveryInProgress() ? GetXLogReplayRecPtr(NULL) : GetXLogInsertRecPtr();
}

/* Locks the next page.  One that has left the list is met by loose walks only. */
static Buffer
lock_next(const RecsysChain *chain, int lockmode, bool *deleted)
{
	Buffer		buffer = RecsysPinBlock(chain->index, chain->next);

	*deleted = false;
	if (!chain->loose)
	{
		RecsysLockPage(chain->index, buffer, lockmode, RECSYS_PAGE_CHAIN);
		return buffer;
	}

	/* it may leave the list until it is locked */
	if (RecsysPeekKind(buffer) != RECSYS_PAGE_CHAIN && RecsysPeekKind(buffer) != RECSYS_PAGE_DELETED)
	{
		RecsysPageCheck(chain->index, buffer, RECSYS_PAGE_CHAIN);
		RecsysBadLink(chain->index, chain->next);
	}
	LockBuffer(buffer, lockmode);
	*deleted = RecsysPeekKind(buffer) == RECSYS_PAGE_DELETED;
	RecsysPageCheck(chain->index, buffer, *deleted ? RECSYS_PAGE_DELETED : RECSYS_PAGE_CHAIN);
	return buffer;
}

/* The page at hand is behind the walk: on to the one it leads to. */
static void
step(RecsysChain *chain, Page page)
{
	chain->pages++;
	if ((chain->pages & (chain->pages - 1)) == 0)
		chain->mark = chain->next;
	chain->next = RecsysPageGetOpaque(page)->next;
}

static void
count_entries(RecsysChain *chain, Page page)
{
	int			count = RecsysChainCount(page, chain->stride);

	if (count == 0)
		corrupted(chain, "Block %u is empty.", chain->next);
	chain->seen += count;
	if (chain->seen > chain->claimed)
		corrupted(chain, "At least %llu entries are there where %llu were expected.",
				  (unsigned long long) chain->seen, (unsigned long long) chain->claimed);
	if (chain->loose && PageGetLSN(page) > chain->since)
		chain->lost = true;
}

Buffer
RecsysChainNext(RecsysChain *chain, int lockmode)
{
	while (BlockNumberIsValid(chain->next))
	{
		Buffer		buffer;
		Page		page;
		bool		deleted;
		FullTransactionId when;

		if (chain->next == chain->mark)
			corrupted(chain, "It comes back to block %u.", chain->next);
		buffer = lock_next(chain, lockmode, &deleted);
		page = BufferGetPage(buffer);
		if (RecsysPageGetOpaque(page)->side != chain->side ||
			RecsysPageGetOpaque(page)->low != chain->hash)
			corrupted(chain, "Block %u belongs to another list.", chain->next);
		if (!deleted)
			count_entries(chain, page);
		else if (!RecsysPageDeletedAt(page, &when))
			corrupted(chain, "Block %u is deleted and does not tell since when.", chain->next);
		step(chain, page);
		if (!deleted)
			return buffer;
		chain->lost = true;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}

	if (chain->seen < chain->least && !chain->lost)
		corrupted(chain, "%llu entries are there where %llu were expected.",
				  (unsigned long long) chain->seen, (unsigned long long) chain->least);
	return InvalidBuffer;
}
