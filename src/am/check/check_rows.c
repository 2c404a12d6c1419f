/*
 * check_rows.c
 *	  Does every row stand exactly once in each direction of the index?
 *
 * Three streams are sorted together by TID: the entries of the user side, those
 * of the item side, and the rows that a new snapshot sees in the heap, with
 * their keys looked up.  For each TID the three must agree.  A TID without a visible
 * row belongs to a dead row or to one that the snapshot does not see yet.  It may be on
 * one side only: a server that stops in the middle of an insert leaves that behind.
 *
 * The rows of a partitioned table are those of its leaves, as check_parts.c shows them, and TIDs are
 * the virtual ones of entries.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/check/check.h"
#include "am/check/check_parts.h"
#include "am/lists/directory.h"
#include "am/lists/owner.h"
#include "am/store/columns.h"
#include "am/store/corrupted.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#define COLUMNS 4

/* Sorted in this order within a TID */
#define FROM_HEAP 0
#define FROM_USERS 1
#define FROM_ITEMS 2

/* Stands for a missing user or item; hashes and numbers are 32 bits wide */
#define NONE ((int64) -1)

struct RecsysRowCheck
{
	Relation	heap;
	Relation	index;
	RecsysWholeCheck *whole;	/* NULL: of a plain table */
	Snapshot	snapshot;
	RecsysColumns columns;
	TupleTableSlot *in;
	TupleTableSlot *out;
	Tuplesortstate *sort;
	MemoryContext row_context;
};

RecsysRowCheck *
RecsysRowCheckCreate(Relation heap, Relation index, RecsysWholeCheck *whole)
{
	RecsysRowCheck *check = palloc0(sizeof(RecsysRowCheck));
	TupleDesc	desc = CreateTemplateTupleDesc(COLUMNS);
	AttrNumber	columns[2] = {1, 2};
	Oid			operators[2];
	Oid			collations[2] = {InvalidOid, InvalidOid};
	bool		nullsfirst[2] = {false, false};

	check->heap = heap;
	check->index = index;
	check->whole = whole;
	check->columns = RecsysGetCache(index)->columns;

	/* taken before any entry is read: all that it sees must be indexed already */
	check->snapshot = RegisterSnapshot(GetLatestSnapshot());
	check->row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys check row",
											   ALLOCSET_DEFAULT_SIZES);

	TupleDescInitEntry(desc, 1, "position", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "source", INT4OID, -1, 0);
	TupleDescInitEntry(desc, 3, "user", INT8OID, -1, 0);
	TupleDescInitEntry(desc, 4, "item", INT8OID, -1, 0);
	check->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	check->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	for (int i = 0; i < 2; i++)
		operators[i] = lookup_type_cache(TupleDescAttr(desc, i)->atttypid,
										 TYPECACHE_LT_OPR)->lt_opr;
	check->sort = tuplesort_begin_heap(desc, 2, columns, operators, collations, nullsfirst,
									   maintenance_work_mem, NULL, TUPLESORT_NONE);
	return check;
}

static void
put(RecsysRowCheck *check, int source, int64 user, int64 item, uint64 position)
{
	TupleTableSlot *slot = check->in;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, COLUMNS);
	slot->tts_values[0] = Int64GetDatum((int64) position);
	slot->tts_values[1] = Int32GetDatum(source);
	slot->tts_values[2] = Int64GetDatum(user);
	slot->tts_values[3] = Int64GetDatum(item);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(check->sort, slot);
}

void
RecsysRowCheckUserEntry(RecsysRowCheck *check, uint32 owner_hash, uint32 item, uint64 position)
{
	put(check, FROM_USERS, owner_hash, item == RECSYS_NONE ? NONE : (int64) item, position);
}

void
RecsysRowCheckItemEntry(RecsysRowCheck *check, uint32 owner_item, bool no_user,
						uint32 user_hash, uint64 position)
{
	put(check, FROM_ITEMS, no_user ? NONE : (int64) user_hash, owner_item, position);
}

static void
heap_row(Relation scanned, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	RecsysRowCheck *check = arg;
	Relation	index = check->index;
	MemoryContext old = MemoryContextSwitchTo(check->row_context);
	RecsysRow	row;
	int64		user = NONE;
	int64		item = NONE;

	RecsysFormRow(index, &check->columns, values, isnull, &row);
	if (row.has_user)
		user = RECSYS_TREE_HASH(RecsysKeyHash(check->columns.user_kind, &row.user,
											  RecsysGetCache(index)->meta.seed));
	if (row.has_item)
	{
		uint32		number;

		if (!RecsysReadOwner(index, RECSYS_ITEMS, &row.item, NULL, &number, NULL, NULL))
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" lacks the item of row (%u,%u)",
							RecsysIndexName(index),
							ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid))));
		item = number;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(check->row_context);
	if (row.has_user || row.has_item)
		put(check, FROM_HEAP, user, item,
			check->whole != NULL ? RecsysWholeCheckPosition(check->whole, tid) : RecsysTidPosition(tid));
}

/* Of the type RecsysLeafVisitor: rows of a table, with the keys that they have by an index of it */
static void
scan_heap(void *arg, Relation heap, Relation index)
{
	RecsysRowCheck *check = arg;
	IndexInfo  *info = BuildIndexInfo(index);
	TableScanDesc scan = table_beginscan_strat(heap, check->snapshot, 0, NULL, true, true);

	/* the flag makes the scan go by its snapshot */
	info->ii_Concurrent = true;
	table_index_build_scan(heap, index, info, true, false, heap_row, check, scan);
}

/* What is known of one TID */
typedef struct TidState
{
	bool		started;
	int64		position;
	int			count[3];		/* by source */
	int64		user[3];
	int64		item[3];
} TidState;

static void
fail(RecsysRowCheck *check, const TidState *tid, const char *what)
{
	RecsysCorrupted(check->index, "index \"%s\" disagrees with its table about row (%u,%u): %s",
					RecsysIndexName(check->index), (unsigned) (tid->position >> 16),
					(unsigned) (tid->position & 0xFFFF), what);
}

static void
judge(RecsysRowCheck *check, const TidState *tid)
{
	const int	users = tid->count[FROM_USERS];
	const int	items = tid->count[FROM_ITEMS];

	if (users > 1)
		fail(check, tid, "it stands more than once on the user side");
	if (items > 1)
		fail(check, tid, "it stands more than once on the item side");
	if (users == 1 && items == 1 &&
		(tid->user[FROM_USERS] != tid->user[FROM_ITEMS] ||
		 tid->item[FROM_USERS] != tid->item[FROM_ITEMS]))
		fail(check, tid, "the two sides have different keys");
	if (tid->count[FROM_HEAP] == 0)
		return;

	if (users != (tid->user[FROM_HEAP] != NONE))
		fail(check, tid, users ? "it should not stand on the user side" : "it is missing on the user side");
	if (items != (tid->item[FROM_HEAP] != NONE))
		fail(check, tid, items ? "it should not stand on the item side" : "it is missing on the item side");
	if (users == 1 && (tid->user[FROM_USERS] != tid->user[FROM_HEAP] ||
					   tid->item[FROM_USERS] != tid->item[FROM_HEAP]))
		fail(check, tid, "the user side has other keys");
	if (items == 1 && (tid->user[FROM_ITEMS] != tid->user[FROM_HEAP] ||
					   tid->item[FROM_ITEMS] != tid->item[FROM_HEAP]))
		fail(check, tid, "the item side has other keys");
}

void
RecsysRowCheckFinish(RecsysRowCheck *check)
{
	TidState	tid = {0};

	if (check->whole != NULL)
		RecsysWholeCheckVisit(check->whole, scan_heap, check);
	else
		scan_heap(check, check->heap, check->index);
	tuplesort_performsort(check->sort);
	while (tuplesort_gettupleslot(check->sort, true, false, check->out, NULL))
	{
		int64		position;
		int			source;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(check->out);
		position = DatumGetInt64(check->out->tts_values[0]);
		source = DatumGetInt32(check->out->tts_values[1]);
		if (!tid.started || position != tid.position)
		{
			if (tid.started)
				judge(check, &tid);
			memset(&tid, 0, sizeof(tid));
			tid.started = true;
			tid.position = position;
		}
		tid.count[source]++;
		tid.user[source] = DatumGetInt64(check->out->tts_values[2]);
		tid.item[source] = DatumGetInt64(check->out->tts_values[3]);
	}
	if (tid.started)
		judge(check, &tid);

	ExecDropSingleTupleTableSlot(check->in);
	ExecDropSingleTupleTableSlot(check->out);
	tuplesort_end(check->sort);
	UnregisterSnapshot(check->snapshot);
	MemoryContextDelete(check->row_context);
	pfree(check);
}
