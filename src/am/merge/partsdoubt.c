/*
 * partsdoubt.c
 *	  Has this transaction itself changed which partitions there are?
 *
 * The catalog shows to a transaction what it has done itself: partitions that it has attached,
 * detached, dropped or truncated.  A merge would carry this into the item graph, where it
 * stays when the transaction is rolled back.  So there is none until the transaction is over.
 * What others do has been committed, or they hold the partition's lock and the merge waits.
 *
 * All of these take AccessExclusiveLock on the partition, and it is kept: whoever has that lock
 * on a leaf, or on a table that has been one, is in doubt.
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/merge/partsdoubt.h"
#include "am/parts/chunkpage.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/heldlock.h"

bool
RecsysIsLockedByUs(Oid table)
{
	return RecsysHoldsLock(table, AccessExclusiveLock, false);
}

bool
RecsysPartsAreInDoubt(Relation index)
{
	const RecsysLeaves *leaves;
	RecsysChunk *chunks;
	uint32		n;
	bool		found = false;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()) || !OidIsValid(RecsysRootOfWhole(index)))
		return false;
	leaves = RecsysGetLeaves(RecsysIndexedTable(RelationGetRelid(index)));
	for (int i = 0; i < leaves->n && !found; i++)
		found = RecsysIsLockedByUs(leaves->leaves[i].table);
	if (found)
		return true;

	chunks = RecsysReadAllChunks(index, &n);
	for (uint32 i = 0; i < n && !found; i++)
		found = (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0 &&
			(chunks[i].flags & RECSYS_CHUNK_FIRST) != 0 && RecsysIsLockedByUs(chunks[i].storage.heap);
	pfree(chunks);
	return found;
}
