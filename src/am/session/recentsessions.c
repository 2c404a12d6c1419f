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

int
RecsysReadRecentSessions(Relation index, const RecsysKey *item, int most, uint32 *hashes,
						 uint32 *number)
{
	Reading		reading = {index, hashes, 0, most};
	RecsysOwner owner;
	RecsysChain chain;
	Buffer		bucket;

	if (!RecsysLockOwner(index, RECSYS_ITEMS, item, &bucket, &owner))
		return -1;
	*number = owner->number;
	take_newest(&reading, RecsysOwnerEntries(owner), owner->tail);
	RecsysChainBegin(&chain, index, RECSYS_ITEMS, RecsysGetCache(index)->stride[RECSYS_ITEMS],
					 owner);

	/* a few pages, so no interrupt is waited for long */
	while (reading.left > 0 && (uint64) (most - reading.left) < owner->count)
	{
		Buffer		buffer = RecsysChainNext(&chain, BUFFER_LOCK_SHARE);

		if (buffer == InvalidBuffer)
			break;
		take_newest(&reading, RecsysChainEntries(BufferGetPage(buffer)),
					RecsysChainCount(BufferGetPage(buffer), chain.stride));
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(bucket);
	return reading.count;
}
