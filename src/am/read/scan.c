/*
 * scan.c
 *	  Native index scans: user_id = $1, item_id = $1, both, or neither.
 *
 * A scan reads the whole list at its first call, under the bucket's lock, and
 * then gives out TIDs without any lock.  A row that VACUUM removes meanwhile
 * leaves a TID whose line pointer may be used again, but only for a row that is
 * newer than the scan's snapshot: MVCC snapshots cannot see it.  Other snapshots,
 * those of exclusion constraints, could: for them every row is to be rechecked.
 *
 * With both keys given, the user's list is read and filtered by item number.
 * Without any the table is read (tablescan.c).
 */
#include "postgres.h"

#include "access/relscan.h"
#include "am/entry/handler.h"
#include "am/graph/graph.h"
#include "am/lists/owner.h"
#include "am/read/tablescan.h"
#include "am/store/columns.h"
#include "am/store/meta.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "pgstat.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct RecsysScan
{
	MemoryContext context;
	bool		keyed;			/* a user, an item, or both are given */
	bool		loaded;
	RecsysEntryArray array;
	uint32		next;
	bool		recheck;		/* a weight or time was compared: not ours to do */
	RecsysTableScan *table;		/* without keys; outlives a rescan */
	IndexTuple	empty;			/* what an index-only scan gets */
} RecsysScan;

IndexScanDesc
recsys_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	RecsysScan  *state = palloc0(sizeof(RecsysScan));

	state->context = AllocSetContextCreate(CurrentMemoryContext, "recsys scan",
										   ALLOCSET_SMALL_SIZES);
	scan->opaque = state;
	scan->xs_itupdesc = RelationGetDescr(index);
	return scan;
}

void
recsys_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	RecsysScan  *state = scan->opaque;

	if (keys != NULL && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	MemoryContextReset(state->context);
	state->keyed = false;
	for (int i = 0; i < scan->numberOfKeys; i++)
		if (scan->keyData[i].sk_attno <= RECSYS_ITEM_COLUMN)
			state->keyed = true;
	state->loaded = false;
	state->recheck = false;
	memset(&state->array, 0, sizeof(state->array));
	state->next = 0;
}

/*
 * The key that a column is compared with.  False when no row can match: a NULL,
 * or two conditions that differ.
 */
static bool
scan_key(IndexScanDesc scan, int column, Oid column_type, RecsysKeyKind kind,
		 RecsysKey *key, bool *given)
{
	*given = false;
	for (int i = 0; i < scan->numberOfKeys; i++)
	{
		ScanKey		condition = &scan->keyData[i];
		RecsysKey	this;

		if (condition->sk_attno != column)
			continue;
		if (condition->sk_flags & SK_ISNULL)
			return false;
		RecsysKeyFromDatum(OidIsValid(condition->sk_subtype) ?
						   getBaseType(condition->sk_subtype) : column_type,
						   condition->sk_argument, &this);
		if (*given && RecsysKeyCompare(kind, key, &this) != 0)
			return false;
		*key = this;
		*given = true;
	}
	return true;
}

static void
keep_item(RecsysEntryArray *array, uint32 item)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < array->count; i++)
		if (array->entries[i].peer == item)
			array->entries[kept++] = array->entries[i];
	array->count = kept;
}

static void
load(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;
	Relation	index = scan->indexRelation;
	RecsysColumns columns = RecsysGetCache(index)->columns;
	MemoryContext old = MemoryContextSwitchTo(state->context);
	RecsysKey	user;
	RecsysKey	item;
	bool		has_user;
	bool		has_item;
	uint32		number;

	state->loaded = true;
	RECSYS_COUNT_INDEX_SCAN(scan);

	for (int i = 0; i < scan->numberOfKeys; i++)
		if (scan->keyData[i].sk_attno > RECSYS_ITEM_COLUMN)
			state->recheck = true;

	if (scan_key(scan, RECSYS_USER_COLUMN, columns.user_type, columns.user_kind, &user, &has_user) &&
		scan_key(scan, RECSYS_ITEM_COLUMN, columns.item_type, columns.item_kind, &item, &has_item))
	{
		Assert(has_user || has_item);

		/* the item's number is looked up first, so that no two buckets are locked */
		if (has_user && has_item)
		{
			if (RecsysReadOwner(index, RECSYS_ITEMS, &item, NULL, &number, NULL, NULL) &&
				RecsysReadOwner(index, RECSYS_USERS, &user, &state->array, NULL, NULL, NULL))
				keep_item(&state->array, number);
		}
		else if (has_user)
			RecsysReadOwner(index, RECSYS_USERS, &user, &state->array, NULL, NULL, NULL);
		else
			RecsysReadOwner(index, RECSYS_ITEMS, &item, &state->array, NULL, NULL, NULL);
	}
	MemoryContextSwitchTo(old);
}

/*
 * The next row of a scan without keys.  A snapshot does not see other rows later on, so
 * that a rescan can give those it has found.
 *
 * Where a query asks for rows but for no column, to count them, the planner takes any index to
 * be good enough for an index-only scan: it gets a tuple in which nothing is set.
 */
static bool
next_of_table(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;

	if (!state->loaded)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));

		RECSYS_COUNT_INDEX_SCAN(scan);
		if (state->table != NULL && IsMVCCSnapshot(scan->xs_snapshot))
			RecsysTableScanRewind(state->table);
		else
		{
			if (state->table != NULL)
				RecsysTableScanEnd(state->table);
			state->table = RecsysTableScanBegin(scan);
		}
		if (scan->xs_want_itup && state->empty == NULL)
		{
			Datum		values[INDEX_MAX_KEYS] = {0};
			bool		isnull[INDEX_MAX_KEYS];

			memset(isnull, true, sizeof(isnull));
			state->empty = index_form_tuple(scan->xs_itupdesc, values, isnull);
		}
		MemoryContextSwitchTo(old);
		state->loaded = true;
	}
	scan->xs_itup = state->empty;
	scan->xs_recheck = true;
	return RecsysTableScanNext(state->table, &scan->xs_heaptid);
}

bool
recsys_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	RecsysScan  *state = scan->opaque;

	Assert(ScanDirectionIsForward(direction));
	if (!state->keyed)
		return next_of_table(scan);
	if (!state->loaded)
		load(scan);
	if (state->next >= state->array.count)
		return false;
	scan->xs_heaptid = state->array.entries[state->next++].tid;
	scan->xs_recheck = state->recheck || !IsMVCCSnapshot(scan->xs_snapshot);
	return true;
}

int64
recsys_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	RecsysScan  *state = scan->opaque;

	if (!state->keyed)
	{
		RECSYS_COUNT_INDEX_SCAN(scan);
		return RecsysTableScanBitmap(scan->indexRelation, bitmap);
	}
	if (!state->loaded)
		load(scan);
	for (uint32 i = 0; i < state->array.count; i++)
		tbm_add_tuples(bitmap, &state->array.entries[i].tid, 1, state->recheck);
	return state->array.count;
}

void
recsys_endscan(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;

	if (state->table != NULL)
		RecsysTableScanEnd(state->table);
	MemoryContextDelete(state->context);
	pfree(state);
}
