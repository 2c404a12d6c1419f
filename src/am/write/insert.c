/*
 * insert.c
 *	  INSERT and non-HOT UPDATE: a row is entered (enter.c), or staged (stage.c).
 *
 * A row of a partition goes to the index of the whole table (passon.c).  An index that was a
 * partition's, and is none any more, is out of date, and gets nothing until it is rebuilt.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "am/entry/handler.h"
#include "am/parts/whole.h"
#include "am/store/columns.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "am/write/enter.h"
#include "am/write/passon.h"
#include "am/write/stage.h"
#include "nodes/execnodes.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

/*
 * Has the row before the UPDATE an entry with the same values?  The server says so when the
 * UPDATE names no column of the index.  But triggers may have changed some, an expression
 * may be of the whole row, which the server overlooks, a partial index need not have had the
 * row, nor an index that CREATE INDEX CONCURRENTLY has not looked through yet.
 */
static bool
is_version(Relation heap, Relation index, bool unchanged, const IndexInfo *info)
{
	return unchanged && index->rd_index->indisvalid &&
		info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
		(heap->trigdesc == NULL || !heap->trigdesc->trig_update_before_row);
}

/*
 * Is the row a speculative insertion (ON CONFLICT), which may be taken back?  Of other
 * tables than heaps it cannot be told.
 */
static bool
is_speculative(Relation heap, ItemPointer tid)
{
	Buffer		buffer;
	Page		page;
	ItemId		itemid;
	bool		speculative = true;

	if (heap->rd_tableam != GetHeapamTableAmRoutine())
		return true;
	buffer = ReadBuffer(heap, ItemPointerGetBlockNumber(tid));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	itemid = PageGetItemId(page, ItemPointerGetOffsetNumber(tid));
	if (ItemIdIsNormal(itemid))
		speculative = HeapTupleHeaderIsSpeculative((HeapTupleHeader) PageGetItem(page, itemid));
	UnlockReleaseBuffer(buffer);
	return speculative;
}

static bool
may_stage(Relation heap, Relation index, ItemPointer tid)
{
	return RecsysStaging != RECSYS_STAGING_OFF && !index->rd_index->indisexclusion &&
		(RecsysStaging == RECSYS_STAGING_ON || !is_speculative(heap, tid));
}

/* What forming and entering a row takes; empty between two of them. */
static MemoryContext
row_context(void)
{
	static MemoryContext context = NULL;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "recsys insert", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(context);
	return context;
}

/* Enters a row into an index, or stages it: one of a partition into the whole, whose heap is NULL. */
static void
enter_row(Relation heap, Relation index, Relation part, RecsysNewRow *row, bool stage)
{
	if (stage)
		RecsysStageRow(heap, index, part, row);
	else
		RecsysRowsEntered(heap, index, RecsysEnterRow(index, row), true);
}

bool
recsys_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
			  IndexUniqueCheck unique, bool unchanged, struct IndexInfo *info)
{
	MemoryContext old = MemoryContextSwitchTo(row_context());
	Relation	part = RecsysPassesOn(index) ? index : NULL;
	Relation	target = index;
	ItemPointerData place = *tid;
	bool		complete = true;
	RecsysColumns columns;
	RecsysRow	formed;
	RecsysNewRow row;

	if (part != NULL)
		target = RecsysPassOnRow(part, heap, &place, &complete);
	else if (OidIsValid(RecsysRootOfWhole(index)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" can have no rows", RelationGetRelationName(heap)),
				 errdetail("It is there for the recsys index \"%s\", which has the rows of partitions.",
						   RecsysIndexName(index))));
	else if (RecsysGetCache(index)->meta.part != 0)
		target = NULL;
	if (target != NULL)
	{
		columns = RecsysGetCache(target)->columns;

		/* detoasting a key may accept invalidations, which free the cached copy */
		RecsysFormRow(index, &columns, values, isnull, &formed);
		RecsysNewRowForm(&row, RecsysGetCache(target), &formed, &place,
						 complete && is_version(heap, index, unchanged, info));
		enter_row(part != NULL ? NULL : heap, target, part, &row, may_stage(heap, index, tid));
		if (part != NULL)
			index_close(target, NoLock);
	}
	MemoryContextReset(CurrentMemoryContext);
	MemoryContextSwitchTo(old);
	return false;
}
