/*
 * recentsessions.c
 *	  An item's recent sessions: the newest entries of its list.
 *
 * Builds write an item's entries in the order of their times, and inserts append to them
 * at once (insert.c), so a list is read from its end: the owner's tail, then the chain
 * pages, which are linked newest first, each from its end.  An item with millions of
 * clicks costs two or three pages.
 */
#include "postgres.h"

#include "am/lists/chain.h"
#include "am/lists/owner.h"
#include "am/session/recentsessions.h"

/* Where hashes go */
typedef struct Reading
{
	Relation	index;
	uint32	   *hashes;
	int			count;
	int			left;			/* entries still to be looked at */
} Reading;

static void
take_newest(Reading *reading, const char *packed, int count)
{
	const RecsysMetaData *meta = &RecsysGetCache(reading->index)->meta;
	const int	stride = RecsysGetCache(reading->index)->stride[RECSYS_ITEMS];

	for (int i = count - 1; i >= 0 && reading->left > 0; i--, reading->left--)
	{
		RecsysEntry entry;

		RecsysUnpackEntry(packed + (Size) i * stride, RECSYS_ITEMS, meta, &entry);
		if (!entry.orphan)
			reading->hashes[reading->count++] = entry.peer;
	}
}

/* False when there is no other page to look at. */
static bool
take_next_page(Reading *reading, RecsysChain *chain)
{
	Buffer		buffer;

	if (reading->left == 0)
		return false;
	buffer = RecsysChainNext(chain, BUFFER_LOCK_SHARE);
	if (!BufferIsValid(buffer))
		return false;
	take_newest(reading, RecsysChainEntries(BufferGetPage(buffer)),
				RecsysChainCount(BufferGetPage(buffer), chain->stride));
	UnlockReleaseBuffer(buffer);
	CHECK_FOR_INTERRUPTS();
	return true;
}

int
RecsysReadRecentSessions(Relation index, const RecsysKey *item, int most, uint32 *hashes,
						 uint32 *number)
{
	Reading		reading = {index, hashes, 0, most};
	RecsysOwner owner;
	RecsysChain chain;
	Buffer		bucket;
	bool		more;

	if (!RecsysLockOwner(index, RECSYS_ITEMS, item, &bucket, &owner))
		return -1;
	*number = owner->number;
	RecsysChainBegin(&chain, index, RECSYS_ITEMS, RecsysGetCache(index)->stride[RECSYS_ITEMS],
					 owner);
	take_newest(&reading, RecsysOwnerEntries(owner), owner->tail);
	more = take_next_page(&reading, &chain);
	RecsysChainLetGo(&chain);
	UnlockReleaseBuffer(bucket);
	while (more)
		more = take_next_page(&reading, &chain);
	return reading.count;
}
