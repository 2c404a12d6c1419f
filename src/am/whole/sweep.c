/*
 * sweep.c
 *	  Removing the entries of partitions that are gone from the whole.
 *
 * DETACH, DROP and TRUNCATE of a partition tell no index.  Its rows are invisible at once, as the
 * storage of their chunks is not current any more (am/parts/tidspace.h).  Here their entries go, as
 * those of dead rows go in a VACUUM, and leave events, so that the item graph follows.
 *
 * A storage that is not current never becomes it again, unless a transaction is rolled back that
 * has made it so.  That one has an exclusive lock on the table.  So the question is asked once
 * more under a lock that does not wait for it; what is gone then is gone for good.  If it is our
 * own transaction, there is no merge (am/merge/partsdoubt.h).  A storage that is only about to be
 * one has such a lock, too.
 *
 * A chunk is noted to be swept when no entry of it is left.  A crash before that has it swept once
 * more.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "am/parts/whole.h"
#include "am/whole/storagefate.h"
#include "am/whole/sweep.h"
#include "am/write/vacuum.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "commands/vacuum.h"
#include "fault.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/lsyscache.h"

/* Chunks that are to be swept; later ones than n have come meanwhile */
typedef struct Sweeping
{
	bool	   *gone;
	uint32		n;
} Sweeping;

/* DETACH … CONCURRENTLY has begun, and older queries may still read the table as a partition. */
static bool
is_being_detached(Oid table)
{
	while (get_rel_relispartition(table))
	{
		if (PartitionHasPendingDetach(table))
			return true;
		table = get_partition_parent(table, false);
	}
	return false;
}

static bool
is_gone(Relation whole, HTAB *fates, const RecsysStorage *storage)
{
	bool		gone;

	if (RecsysStorageMayBeCurrent(whole, fates, storage))
		return false;
	if (!ConditionalLockRelationOid(storage->heap, AccessShareLock))
		return false;

	/* the lock has made us hear of all that others have committed */
	gone = !RecsysStorageMayBeCurrent(whole, fates, storage) && !is_being_detached(storage->heap);
	UnlockRelationOid(storage->heap, AccessShareLock);
	return gone;
}

/* Is the transaction that has added the chunk over? */
static bool
is_settled(const RecsysChunk *chunk, uint64 next)
{
	if (chunk->xid == 0 || chunk->xid >= next || next - chunk->xid > PG_INT32_MAX)
		return true;
	return !TransactionIdIsInProgress((TransactionId) chunk->xid);
}

/* Which chunks are to be swept?  False if none is. */
static bool
find_gone(Relation whole, const RecsysChunk *chunks, Sweeping *sweeping)
{
	HTAB	   *fates = RecsysStorageFates(chunks, sweeping->n);
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());
	HASH_SEQ_STATUS sequence;
	RecsysStorageFate *fate;
	bool		any = false;

	/* each storage is looked for once; of what is not current no chunk counts from here on */
	hash_seq_init(&sequence, fates);
	while ((fate = hash_seq_search(&sequence)) != NULL)
		if (fate->unswept && is_gone(whole, fates, &fate->storage))
			fate->beginning = 0;

	sweeping->gone = palloc0(sizeof(bool) * Max(sweeping->n, 1));
	for (uint32 i = 0; i < sweeping->n; i++)
	{
		fate = hash_search(fates, &chunks[i].storage, HASH_FIND, NULL);
		sweeping->gone[i] = (chunks[i].flags & RECSYS_CHUNK_SWEPT) == 0 &&
			chunks[i].beginning != fate->beginning && is_settled(&chunks[i], next);
		any |= sweeping->gone[i];
	}
	hash_destroy(fates);
	return any;
}

/* IndexBulkDeleteCallback */
static bool
entry_is_gone(ItemPointer tid, void *arg)
{
	const Sweeping *sweeping = arg;
	uint32		chunk = RecsysChunkOf(ItemPointerGetBlockNumberNoCheck(tid));

	return chunk < sweeping->n && sweeping->gone[chunk];
}

static void
sweep(Relation whole, Sweeping *sweeping)
{
	IndexVacuumInfo info = {.index = whole,.message_level = DEBUG2};

	(void) RecsysBulkDelete(&info, NULL, entry_is_gone, sweeping, NULL);
	RECSYS_FAULT("sweep-removed");
	RecsysNoteSwept(whole, sweeping->gone, sweeping->n);
	RECSYS_FAULT("sweep-noted");
}

void
RecsysSweep(Relation whole)
{
	Oid			table = whole->rd_index->indrelid;
	Sweeping	sweeping;
	RecsysChunk *chunks;

	/* one bulk delete at a time */
	if (!ConditionalLockRelationOid(table, ShareUpdateExclusiveLock))
		return;
	chunks = RecsysReadAllChunks(whole, &sweeping.n);
	if (find_gone(whole, chunks, &sweeping))
		sweep(whole, &sweeping);
	pfree(sweeping.gone);
	pfree(chunks);
	UnlockRelationOid(table, ShareUpdateExclusiveLock);
}
