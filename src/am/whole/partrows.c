/*
 * partrows.c
 *	  Entering the rows that a leaf has already into the whole.
 *
 * The leaf is scanned as for a build, and its rows are entered as those of a COPY are: many at a
 * time, in the order of pages (am/write/enter.c), as many as a half of maintenance_work_mem holds.
 *
 * Each of them leaves an event, by which merges count it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "am/parts/leafspace.h"
#include "am/whole/partrows.h"
#include "am/write/enter.h"
#include "am/write/passon.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_index.h"
#include "fault.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* More memory than this does not make batches better, see am/write/stage.c. */
#define MOST_MEMORY ((Size) 256 * 1024 * 1024)

#define FIRST_ROWS 64

typedef struct LeafBatch
{
	Relation	whole;
	Relation	leaf;
	RecsysColumns columns;
	bool		settled;
	bool		too_long;		/* the pending lists */
	MemoryContext context;		/* of rows and keys */
	MemoryContext row_context;	/* of one row */
	Size		memory_limit;
	Size		memory;
	RecsysNewRow *rows;
	uint32		n;
	uint32		size;
} LeafBatch;

static void
begin_batch(LeafBatch *batch)
{
	MemoryContextReset(batch->context);
	batch->n = 0;
	batch->size = FIRST_ROWS;
	batch->rows = MemoryContextAlloc(batch->context, sizeof(RecsysNewRow) * batch->size);
	batch->memory = 0;
}

static void
enter_batch(LeafBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->row_context);

	if (batch->n > 0)
		batch->too_long |= RecsysEnterRows(batch->whole, batch->rows, batch->n);
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->row_context);
	begin_batch(batch);
	RECSYS_FAULT("part-batch");
}

/* Keys that are no integers are copied. */
static void
copy_key(LeafBatch *batch, RecsysNewRow *row, RecsysSide side, RecsysKeyKind kind)
{
	char	   *copy;

	if ((row->flags & RECSYS_NEW_HAS(side)) == 0 || kind == RECSYS_KEY_INT)
		return;
	copy = MemoryContextAlloc(batch->context, Max(row->keylen[side], 1));
	memcpy(copy, (const char *) (uintptr_t) row->key[side], row->keylen[side]);
	row->key[side] = (uint64) (uintptr_t) copy;
	batch->memory += GetMemoryChunkSpace(copy);
}

static void
add_row(LeafBatch *batch, const RecsysNewRow *row)
{
	RecsysNewRow *copy;

	if (batch->n == batch->size)
	{
		batch->size *= 2;
		batch->rows = repalloc_huge(batch->rows, sizeof(RecsysNewRow) * (Size) batch->size);
	}
	copy = &batch->rows[batch->n++];
	*copy = *row;
	copy_key(batch, copy, RECSYS_USERS, batch->columns.user_kind);
	copy_key(batch, copy, RECSYS_ITEMS, batch->columns.item_kind);
	batch->memory += sizeof(RecsysNewRow);
}

static void
take_row(Relation part, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	LeafBatch  *batch = arg;
	MemoryContext old = MemoryContextSwitchTo(batch->row_context);
	ItemPointerData moved = *tid;
	RecsysRow	formed;
	RecsysNewRow row;

	RecsysFormRow(part, &batch->columns, values, isnull, &formed);

	/* a table above the leaf may have begun to be detached meanwhile */
	if ((formed.has_user || formed.has_item) &&
		RecsysPartTid(batch->whole, batch->leaf, &moved, NULL))
	{
		RecsysNewRowForm(&row, RecsysGetCache(batch->whole), &formed, &moved, false);
		if (batch->settled)
			row.flags |= RECSYS_NEW_SETTLED;
		add_row(batch, &row);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->row_context);
	if (batch->memory >= batch->memory_limit)
		enter_batch(batch);
}

void
RecsysRefuseOlderSnapshots(Relation whole)
{
	Relation	pg_index;
	HeapTuple	tuple;

	/* two of us would update one row */
	LockRelationOid(whole->rd_index->indrelid, ShareUpdateExclusiveLock);
	pg_index = table_open(IndexRelationId, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(INDEXRELID, ObjectIdGetDatum(RelationGetRelid(whole)));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", RelationGetRelid(whole));
	((Form_pg_index) GETSTRUCT(tuple))->indcheckxmin = true;
	CatalogTupleUpdate(pg_index, &tuple->t_self, tuple);
	heap_freetuple(tuple);
	table_close(pg_index, RowExclusiveLock);
}

void
RecsysEnterLeaf(Relation whole, Relation leaf, Relation part, struct IndexInfo *info, bool settled)
{
	LeafBatch	batch = {.whole = whole,.leaf = leaf,.settled = settled};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys leaf",
												  ALLOCSET_DEFAULT_SIZES);

	batch.columns = RecsysGetCache(whole)->columns;
	batch.context = AllocSetContextCreate(context, "recsys leaf rows", ALLOCSET_DEFAULT_SIZES);
	batch.row_context = AllocSetContextCreate(context, "recsys leaf row", ALLOCSET_DEFAULT_SIZES);
	batch.memory_limit = Min((Size) maintenance_work_mem * 1024 / 2, MOST_MEMORY);
	begin_batch(&batch);

	if (!RecsysEnterLeafAnew(whole, leaf, false))
	{
		MemoryContextDelete(context);
		return;
	}
	RECSYS_FAULT("part-begun");
	(void) table_index_build_scan(leaf, part, info, true, true, take_row, &batch, NULL);
	enter_batch(&batch);
	RecsysLeafEntered(whole, leaf);
	RecsysMarkPart(part, leaf, true);
	RECSYS_FAULT("part-entered");
	if (info->ii_BrokenHotChain)
		RecsysRefuseOlderSnapshots(whole);
	RecsysRowsEntered(leaf, whole, batch.too_long, false);
	MemoryContextDelete(context);
}
