/*
 * arrayscheck.c
 *	  Verifying an index over an item graph: its pages, as those of any recsys index, and every row
 *	  of the table against the index.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/arrays/arraycolumns.h"
#include "am/arrays/arrayscheck.h"
#include "am/check/check.h"
#include "am/graph/graph.h"
#include "am/lists/owner.h"
#include "am/store/indexname.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct ArraysCheck
{
	Relation	index;
	RecsysArrayColumns columns;
	uint32		nitems;
	bool	   *has_entry;		/* by item: it had a row at the build */
	bool	   *has_row;		/* and has it now */
	RecsysGraphReader reader;
	MemoryContext row_context;
} ArraysCheck;

#define corrupted(check, ...) RecsysCheckFailed((check)->index, __VA_ARGS__)

static void
check_entry(void *arg, RecsysSide side, const RecsysOwnerData *owner, const RecsysEntry *entry)
{
	ArraysCheck *check = arg;

	if (side == RECSYS_USERS)
		corrupted(check, "It has a user.");
	if (owner->number >= check->nitems)
		corrupted(check, "An item has number %u, there are %u items.", owner->number, check->nitems);
	if (check->has_entry[owner->number])
		corrupted(check, "Item number %u has two rows.", owner->number);
	check->has_entry[owner->number] = true;
}

static uint32
number_of(ArraysCheck *check, const RecsysKey *key)
{
	uint32		number;

	if (!RecsysReadOwner(check->index, RECSYS_ITEMS, key, NULL, &number, NULL, NULL) ||
		number >= check->nitems)
		corrupted(check, "It does not have item \"%s\".", RecsysArrayItemText(&check->columns, key));
	return number;
}

static bool
same_neighbors(ArraysCheck *check, const RecsysArrayRow *row, const RecsysGraphRowData *stored)
{
	RecsysNeighbor *neighbors = palloc(sizeof(RecsysNeighbor) * Max(row->count, 1));
	RecsysKeyOrder order = {.nsorted = PG_UINT32_MAX};

	if (stored->nneighbors != row->count || stored->nstored != row->count)
		return false;
	for (int i = 0; i < row->count; i++)
	{
		neighbors[i].item = number_of(check, &row->peers[i]);
		neighbors[i].score = row->scores[i];
		neighbors[i].support = row->supports[i];
	}
	RecsysNeighborSort(neighbors, row->count, &order);
	for (int i = 0; i < row->count; i++)
		if (stored->peers[i] != neighbors[i].item || RecsysRowScores(stored)[i] != neighbors[i].score ||
			RecsysRowSupports(stored)[i] != neighbors[i].support)
			return false;
	return true;
}

static void
check_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	ArraysCheck *check = arg;
	MemoryContext old = MemoryContextSwitchTo(check->row_context);
	RecsysArrayRow row;

	CHECK_FOR_INTERRUPTS();
	if (RecsysFormArrayRow(index, &check->columns, values, isnull, &row))
	{
		uint32		number = number_of(check, &row.item);
		RecsysGraphRow stored = RecsysGraphNeedRow(&check->reader, number);

		if (!check->has_entry[number])
			corrupted(check, "Item number %u has a row that the index does not know of.", number);
		if (stored->users != row.users || !same_neighbors(check, &row, stored))
			corrupted(check, "The graph row of item number %u is not that of the table.", number);
		RecsysGraphReleaseRow(&check->reader);
		check->has_row[number] = true;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(check->row_context);
}

static void
scan_heap(ArraysCheck *check, Relation heap, Snapshot snapshot)
{
	IndexInfo  *info = BuildIndexInfo(check->index);
	TableScanDesc scan = table_beginscan_strat(heap, snapshot, 0, NULL, true, true);

	/* the flag makes the scan go by its snapshot */
	info->ii_Concurrent = true;
	RecsysGraphReaderInit(&check->reader, check->index);
	table_index_build_scan(heap, check->index, info, true, false, check_row, check, scan);
	RecsysGraphReaderDone(&check->reader);
}

/* It is no fault of the index that its table has changed. */
static void
tell_of_gone(const ArraysCheck *check, Relation heap)
{
	uint32		gone = 0;

	for (uint32 item = 0; item < check->nitems; item++)
		gone += check->has_entry[item] && !check->has_row[item];
	if (gone > 0)
		ereport(WARNING,
				(errmsg_plural("%u row of table \"%s\" has gone since index \"%s\" was built",
							   "%u rows of table \"%s\" have gone since index \"%s\" was built",
							   gone, gone, RelationGetRelationName(heap), RelationGetRelationName(check->index)),
				 errdetail("The index still serves them."),
				 errhint("REINDEX INDEX %s;", RecsysQualifiedIndexName(check->index))));
}

void
RecsysCheckArrays(Relation heap, Relation index)
{
	static const RecsysCheckHooks hooks = {check_entry, NULL};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys check graph",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ArraysCheck check = {.index = index};
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	RecsysGetArrayColumns(index, &check.columns);
	check.nitems = RecsysItemCount(index);
	check.has_entry = MemoryContextAllocExtended(context, Max(check.nitems, 1),
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check.has_row = MemoryContextAllocExtended(context, Max(check.nitems, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check.row_context = AllocSetContextCreate(context, "recsys check row", ALLOCSET_DEFAULT_SIZES);
	RecsysCheckPages(index, &hooks, &check);
	scan_heap(&check, heap, snapshot);
	tell_of_gone(&check, heap);

	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
