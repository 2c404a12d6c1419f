/*
 * scan.c
 *	  Native index scans: user_id = $1, item_id = $1, both, or neither.
 *
 * A scan reads the newest entries of a list at its first call, and the others chain page by chain
 * page when they are wanted (am/lists/chain.c).  It gives out TIDs without any lock.  A row that
 * VACUUM removes meanwhile leaves a TID whose line pointer may be used again, but only for a row
 * that is newer than the scan's snapshot: MVCC snapshots cannot see it.  Other snapshots, those
 * of exclusion constraints, could: for them every row is to be rechecked.
 *
 * With both keys given, the user's list is read and filtered by item number.
 * Without any the table is read (tablescan.c).
 *
 * The index of a partition reads the lists of the whole table's index (partscan.c).  Where that
 * cannot answer, and for a partition that has been detached, the table is read, too, and
 * the executor compares the keys.  The whole's own table has no rows, whatever entries it has.
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/table.h"
#include "am/entry/handler.h"
#include "am/graph/graph.h"
#include "am/lists/owner.h"
#include "am/parts/whole.h"
#include "am/read/partscan.h"
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
	RecsysPartScan *part;		/* of a partition; outlives a rescan, and so does what follows: */
	Relation	source;			/* whose lists are read; NULL: not known yet, or the table's rows */
	bool		judged;			/* it is known */
	bool		nothing;		/* there can be no rows */
	bool		loaded;
	RecsysEntryArray array;		/* of the page at hand, or the newest ones */
	uint32		next;
	bool		more;			/* there may be older ones: */
	RecsysChain chain;
	bool		any_item;		/* or only entries with the number: */
	uint32		item;
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
	state->more = false;
	memset(&state->array, 0, sizeof(state->array));
	state->next = 0;
}

/*
 * Finds out where rows come from, once in a scan.  heap may be NULL, as in bitmap scans.
 */
static void
judge_source(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;
	Relation	index = scan->indexRelation;
	MemoryContext old;

	if (state->judged)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
	if (OidIsValid(RecsysRootOfWhole(index)))
		state->nothing = true;
	else if (RecsysIsPart(index))
	{
		Relation	leaf = scan->heapRelation;

		/* the query has locked the table */
		if (leaf == NULL)
			leaf = table_open(IndexGetRelation(RelationGetRelid(index), false), NoLock);
		state->part = RecsysPartScanBegin(index, leaf, scan->xs_snapshot);
		if (scan->heapRelation == NULL)
			table_close(leaf, NoLock);
		if (state->part != NULL)
			state->source = RecsysPartScanWhole(state->part);
	}
	else if (!RecsysGetCache(index)->meta.part)
		state->source = index;
	state->judged = true;
	MemoryContextSwitchTo(old);
}

/* Are lists read, and not the table? */
static bool
reads_lists(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;

	if (!state->keyed)
		return false;
	judge_source(scan);
	return state->nothing || state->source != NULL;
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

/* Takes the entries of a page that are wanted. */
static void
take_run(void *arg, const char *packed, int count)
{
	RecsysScan  *state = arg;
	RecsysEntryArray *array = &state->array;
	uint32		kept = array->count;
	uint32		first = kept;

	RecsysUnpackEntries(state->chain.index, state->chain.side, packed, count, array);
	for (uint32 i = first; i < array->count; i++)
		if (state->any_item || array->entries[i].peer == state->item)
			array->entries[kept++] = array->entries[i];
	array->count = kept;
}

/* The newest entries of a key */
static void
begin_list(RecsysScan *state, Relation index, RecsysSide side, const RecsysKey *key)
{
	Buffer		bucket;
	RecsysOwner owner;

	if (!RecsysLockOwner(index, side, key, &bucket, &owner))
		return;
	RecsysWalkNewest(&state->chain, index, RecsysGetCache(index), side, owner, take_run, state);
	RecsysChainLetGo(&state->chain);
	UnlockReleaseBuffer(bucket);
	state->more = true;
	if (state->part != NULL)
		RecsysPartScanKeep(state->part, &state->array);
}

/* The next page of the list with entries that are wanted; false behind the last one. */
static bool
next_page(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->array.count = 0;
	state->next = 0;
	while (state->array.count == 0 && state->more)
	{
		CHECK_FOR_INTERRUPTS();
		state->more = RecsysWalkPage(&state->chain, take_run, state);
		if (state->part != NULL)
			RecsysPartScanKeep(state->part, &state->array);
	}
	MemoryContextSwitchTo(old);
	return state->array.count > 0;
}

static void
load(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;
	Relation	index = state->source;
	RecsysColumns columns;
	MemoryContext old;
	RecsysKey	user;
	RecsysKey	item;
	bool		has_user;
	bool		has_item;

	state->loaded = true;
	RECSYS_COUNT_INDEX_SCAN(scan);
	if (state->nothing)
		return;

	old = MemoryContextSwitchTo(state->context);
	columns = RecsysGetCache(index)->columns;
	for (int i = 0; i < scan->numberOfKeys; i++)
		if (scan->keyData[i].sk_attno > RECSYS_ITEM_COLUMN)
			state->recheck = true;

	if (scan_key(scan, RECSYS_USER_COLUMN, columns.user_type, columns.user_kind, &user, &has_user) &&
		scan_key(scan, RECSYS_ITEM_COLUMN, columns.item_type, columns.item_kind, &item, &has_item))
	{
		Assert(has_user || has_item);

		/* the item's number is looked up first, so that no two buckets are locked */
		state->any_item = !has_user || !has_item;
		if (!has_user)
			begin_list(state, index, RECSYS_ITEMS, &item);
		else if (!has_item || RecsysReadOwner(index, RECSYS_ITEMS, &item, NULL, &state->item, NULL, NULL))
			begin_list(state, index, RECSYS_USERS, &user);
	}
	MemoryContextSwitchTo(old);
}

/*
 * The next row of a scan that reads the table.  A snapshot does not see other rows later on, so
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
	if (!reads_lists(scan))
		return next_of_table(scan);
	if (!state->loaded)
		load(scan);
	if (state->next >= state->array.count && !next_page(scan))
		return false;
	scan->xs_heaptid = state->array.entries[state->next++].tid;
	scan->xs_recheck = state->recheck || !IsMVCCSnapshot(scan->xs_snapshot);
	return true;
}

int64
recsys_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	RecsysScan  *state = scan->opaque;
	int64		count = 0;

	if (!reads_lists(scan))
	{
		RECSYS_COUNT_INDEX_SCAN(scan);
		return RecsysTableScanBitmap(scan->indexRelation, bitmap);
	}

	/* a scan gives its rows once */
	Assert(!state->loaded);
	load(scan);
	do
	{
		for (uint32 i = 0; i < state->array.count; i++)
			tbm_add_tuples(bitmap, &state->array.entries[i].tid, 1, state->recheck);
		count += state->array.count;
	} while (next_page(scan));
	return count;
}

void
recsys_endscan(IndexScanDesc scan)
{
	RecsysScan  *state = scan->opaque;

	if (state->table != NULL)
		RecsysTableScanEnd(state->table);
	if (state->part != NULL)
		RecsysPartScanEnd(state->part);
	MemoryContextDelete(state->context);
	pfree(state);
}
