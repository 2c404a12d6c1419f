/*
 * partscan.c
 *	  Native scans of a partition: its share of the lists of the whole table's index.
 *
 * A part holds nothing.  The whole has a list for each user and item, with the rows of all
 * partitions; which entries are of the partition at hand is told by their chunks.
 *
 * What the partition's chunks are is found out once, when the scan begins.  A row that the snapshot
 * sees had its chunk by then.  Later on the catalog may say otherwise: when another session begins
 * to DETACH the partition CONCURRENTLY, it is no leaf any more for whoever looks, but scans that
 * have begun are to find its rows.  Their entries stay until the partition has really gone, for
 * which that session waits.
 *
 * The whole cannot answer when there is none yet, when it has not been told of all rows (a merge
 * will see to that), when it is newer than the snapshot and leads to other row versions (see
 * RecsysCheckSnapshot), or when the partition is no leaf any more.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "am/parts/leafspace.h"
#include "am/parts/whole.h"
#include "am/read/partscan.h"
#include "utils/snapmgr.h"

struct RecsysPartScan
{
	Relation	whole;
	RecsysLeafSpace *space;		/* as of when it began */
};

/* Has the whole been built over broken HOT chains that the snapshot may see the other end of? */
static bool
too_new(Relation whole, Snapshot snapshot)
{
	TransactionId builder;

	if (!whole->rd_index->indcheckxmin || !IsMVCCSnapshot(snapshot))
		return false;
	builder = HeapTupleHeaderGetXmin(whole->rd_indextuple->t_data);
	return TransactionIdIsCurrentTransactionId(builder) || XidInMVCCSnapshot(builder, snapshot);
}

RecsysPartScan *
RecsysPartScanBegin(Relation part, Relation leaf, Snapshot snapshot)
{
	Relation	whole = RecsysOpenWholeOfPart(part, AccessShareLock, AccessShareLock);
	RecsysLeafState state = RECSYS_LEAF_UNKNOWN;
	RecsysLeafSpace *space = NULL;
	RecsysPartScan *scan;

	if (whole == NULL)
		return NULL;
	if (!too_new(whole, snapshot))
		space = RecsysLeafSpaceCreate(whole, leaf, &state);
	if (space == NULL || state != RECSYS_LEAF_COMPLETE)
	{
		index_close(whole, AccessShareLock);
		return NULL;
	}
	scan = palloc(sizeof(RecsysPartScan));
	scan->whole = whole;
	scan->space = space;
	return scan;
}

Relation
RecsysPartScanWhole(RecsysPartScan *scan)
{
	return scan->whole;
}

void
RecsysPartScanKeep(RecsysPartScan *scan, RecsysEntryArray *array)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < array->count; i++)
	{
		RecsysEntry entry = array->entries[i];

		if (RecsysLeafSpaceOwn(scan->space, &entry.tid) && RecsysTidIsSane(&entry.tid))
			array->entries[kept++] = entry;
	}
	array->count = kept;
}

void
RecsysPartScanEnd(RecsysPartScan *scan)
{
	index_close(scan->whole, AccessShareLock);
	pfree(scan->space);
	pfree(scan);
}
