/*
 * tablescan.c
 *	  Native scans that the table answers: those without a user or an item, and those of a
 *	  partition that no index has the rows of (scan.c).
 *
 * The planner may ask for the rows that have a weight or a time, for those that satisfy
 * the predicate of a partial index, or just for their number.  Such a scan costs more
 * than a sequential one (cost.c), so it is chosen only when sequential scans are
 * disabled or not possible.  It must still return all rows, and the index does not have
 * them all: a row with neither a user nor an item is on neither side.
 *
 * A bitmap scan gets all pages of the table.  The executor then checks the conditions and
 * the predicate for each row, as it does for all lossy pages of a bitmap.
 *
 * In a plain index scan the executor does not check the predicate, as being in the index
 * implies it.  So the table is read as CREATE INDEX CONCURRENTLY reads it, but with the
 * scan's snapshot.  This checks the predicate and finds the root of each HOT chain, which
 * is what an index points to.  The TIDs may be many, so they are kept in a temporary file.
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "am/read/tablescan.h"
#include "catalog/index.h"
#include "nodes/execnodes.h"
#include "source/input/tempfile.h"
#include "storage/bufmgr.h"

struct RecsysTableScan
{
	BufFile    *file;
	uint64		count;
	uint64		next;
};

static void
keep_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	RecsysTableScan *rows = state;

	BufFileWrite(rows->file, tid, sizeof(*tid));
	rows->count++;
}

RecsysTableScan *
RecsysTableScanBegin(IndexScanDesc scan)
{
	RecsysTableScan *rows = palloc0(sizeof(RecsysTableScan));
	IndexInfo  *info = BuildIndexInfo(scan->indexRelation);
	TableScanDesc table;

	rows->file = BufFileCreateTemp(false);

	/* with a snapshot, not what may be visible to anybody */
	info->ii_Concurrent = true;

	/* nothing but the predicate is evaluated: the keys are of no use here */
	info->ii_NumIndexAttrs = 0;
	info->ii_NumIndexKeyAttrs = 0;
	info->ii_Expressions = NIL;

	/* this also ends the table scan */
	table = table_beginscan_strat(scan->heapRelation, scan->xs_snapshot, 0, NULL, true, true);
	table_index_build_scan(scan->heapRelation, scan->indexRelation, info, true, false,
						   keep_row, rows, table);
	pfree(info);
	RecsysTempFileRewind(rows->file);
	return rows;
}

void
RecsysTableScanRewind(RecsysTableScan *rows)
{
	RecsysTempFileRewind(rows->file);
	rows->next = 0;
}

bool
RecsysTableScanNext(RecsysTableScan *rows, ItemPointer tid)
{
	if (rows->next == rows->count)
		return false;
	RecsysTempFileRead(rows->file, tid, sizeof(*tid));
	rows->next++;
	return true;
}

void
RecsysTableScanEnd(RecsysTableScan *rows)
{
	BufFileClose(rows->file);
	pfree(rows);
}

int64
RecsysTableScanBitmap(Relation index, TIDBitmap *bitmap)
{
	/* the query has locked the table */
	Relation	heap = table_open(IndexGetRelation(RelationGetRelid(index), false), NoLock);
	BlockNumber npages = RelationGetNumberOfBlocks(heap);
	double		nrows = heap->rd_rel->reltuples;

	table_close(heap, NoLock);
	for (BlockNumber page = 0; page < npages; page++)
		tbm_add_page(bitmap, page);

	/* for EXPLAIN only */
	return nrows > 0 ? (int64) nrows : npages;
}
