/*
 * visibility.c
 *	  Which entries a snapshot sees: the visibility map, and the heap.
 *
 * Entries carry heap TIDs.  Most of them point to pages that the visibility map
 * knows as all-visible; only the others are looked up in the heap.
 *
 * The map is asked while the page is still locked that the entry is on: the bucket, or a
 * chain page.  That is what makes it safe: VACUUM marks a page all-visible only after
 * it has removed its dead rows from every index, and to remove them here it needs
 * the exclusive lock of that page.  So an entry of a dead row that is still there has a
 * heap page that is not all-visible yet.  (Index-only scans keep a pin for the same reason.)
 *
 * Entries of a partitioned table's index carry virtual TIDs (am/parts/tidspace), which lead to rows of
 * several tables.  An entry whose storage is not current any more leads to none.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "am/lists/chain.h"
#include "am/read/heaprows.h"
#include "am/read/visibility.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

/* A look at whether the statement is cancelled comes after so many entries. */
#define LOOK_EVERY 1024

/* Rows that are looked up in the table at once, of however many */
#define SEEN_AT_ONCE 512

void
RecsysVisibilityInit(RecsysVisibility *state, Relation heap, Relation index)
{
	memset(state, 0, sizeof(*state));
	state->heap = heap;
	state->vmbuffer = InvalidBuffer;
	state->lastblock = InvalidBlockNumber;
	state->parts = RecsysPartsOpen(heap, index);
	if (state->parts != NULL)
		state->vmbuffers = palloc0(sizeof(Buffer) * Max(RecsysPartsCount(state->parts), 1));
}

static void
end_fetch(struct IndexFetchTableData *fetch, TupleTableSlot *slot)
{
	if (fetch == NULL)
		return;
	ExecDropSingleTupleTableSlot(slot);
	table_index_fetch_end(fetch);
}

static void
close_parts(RecsysVisibility *state)
{
	for (int i = 0; i < RecsysPartsCount(state->parts); i++)
	{
		if (BufferIsValid(state->vmbuffers[i]))
			ReleaseBuffer(state->vmbuffers[i]);
		if (state->fetches != NULL)
			end_fetch(state->fetches[i], state->slots[i]);
	}
	pfree(state->vmbuffers);
	RecsysPartsClose(state->parts);
}

void
RecsysVisibilityDone(RecsysVisibility *state)
{
	if (BufferIsValid(state->vmbuffer))
		ReleaseBuffer(state->vmbuffer);
	if (state->all_visible != NULL)
		pfree(state->all_visible);
	end_fetch(state->fetch, state->slot);
	if (state->parts != NULL)
		close_parts(state);
}

/* Of a partition that is gone, or newer than what is known, the map says nothing. */
static bool
part_is_all_visible(RecsysVisibility *state, BlockNumber block)
{
	bool		unknown = false;
	BlockNumber own;
	int			leaf = RecsysLeafOfBlock(state->parts, block, &own, &unknown);

	return leaf >= 0 && VM_ALL_VISIBLE(RecsysPartsLeaf(state->parts, leaf), own, &state->vmbuffers[leaf]);
}

bool
RecsysBlockIsAllVisible(RecsysVisibility *state, BlockNumber block)
{
	return state->parts != NULL ? part_is_all_visible(state, block) :
		VM_ALL_VISIBLE(state->heap, block, &state->vmbuffer);
}

bool
RecsysAskVisibilityMap(RecsysEntryArray *array, uint32 first, bool stoppable, void *arg)
{
	RecsysVisibility *state = arg;

	if (array->count > state->size)
	{
		state->size = Max(array->count, state->size * 2);
		state->all_visible = RecsysEnlarge(CurrentMemoryContext, state->all_visible,
										   sizeof(bool) * (Size) state->size);
	}
	state->lastblock = InvalidBlockNumber;
	for (uint32 i = first; i < array->count; i++)
	{
		BlockNumber block = ItemPointerGetBlockNumber(&array->entries[i].tid);

		if (block != state->lastblock)
		{
			state->lastblock = block;
			state->lastvisible = RecsysBlockIsAllVisible(state, block);
		}
		state->all_visible[i] = state->lastvisible;
		if (stoppable && i % LOOK_EVERY == 0 && RecsysIsCancelled())
			return false;
	}
	return true;
}

/* As any index scan asks for a row, whatever the access method of the table */
static void
fetch_rows(Relation table, struct IndexFetchTableData **fetch, TupleTableSlot **slot,
		   const uint64 *positions, int n, Snapshot snapshot, bool *seen)
{
	if (*fetch == NULL)
	{
		*slot = table_slot_create(table, NULL);
		*fetch = table_index_fetch_begin(table);
	}
	for (int i = 0; i < n; i++)
	{
		ItemPointerData tid;
		bool		call_again = false;

		CHECK_FOR_INTERRUPTS();
		ItemPointerSet(&tid, (BlockNumber) (positions[i] >> 16), (OffsetNumber) (positions[i] & 0xFFFF));
		seen[i] = table_index_fetch_tuple(*fetch, &tid, snapshot, *slot, &call_again, NULL);
		if (seen[i])
			ExecClearTuple(*slot);
	}
	/* keep no page pinned: it would keep VACUUM from cleaning it */
	table_index_fetch_reset(*fetch);
}

/* The same of one row of a partition that is no heap */
static bool
fetch_row_of_part(RecsysVisibility *state, int leaf, uint64 position, Snapshot snapshot)
{
	bool		seen;

	if (state->fetches == NULL)
	{
		state->slots = palloc0(sizeof(TupleTableSlot *) * RecsysPartsCount(state->parts));
		state->fetches = palloc0(sizeof(struct IndexFetchTableData *) * RecsysPartsCount(state->parts));
	}
	fetch_rows(RecsysPartsLeaf(state->parts, leaf), &state->fetches[leaf], &state->slots[leaf],
			   &position, 1, snapshot, &seen);
	return seen;
}

/* The partition of a row and its position there; -1: it is gone.  Reads pages. */
static int
find_part(RecsysVisibility *state, uint64 position, uint64 *own_position)
{
	BlockNumber block = (BlockNumber) (position >> 16);
	BlockNumber own = InvalidBlockNumber;
	bool		unknown = false;
	int			leaf = RecsysLeafOfBlock(state->parts, block, &own, &unknown);

	if (unknown)
	{
		RecsysPartsRefresh(state->parts);
		leaf = RecsysLeafOfBlock(state->parts, block, &own, &unknown);
	}
	*own_position = ((uint64) own << 16) | (position & 0xFFFF);
	return leaf;
}

/* So many rows of partitions at most */
static void
see_some_of_parts(RecsysVisibility *state, const uint64 *positions, int n, Snapshot snapshot,
				  bool *seen)
{
	Relation	heaps[SEEN_AT_ONCE];
	uint64		own[SEEN_AT_ONCE];
	bool		answers[SEEN_AT_ONCE];
	int			places[SEEN_AT_ONCE];
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		int			leaf = find_part(state, positions[i], &own[count]);

		seen[i] = false;
		if (leaf < 0)
			continue;
		heaps[count] = RecsysPartsLeaf(state->parts, leaf);
		if (RecsysHeapRowsCanBeSeen(heaps[count], snapshot))
			places[count++] = i;
		else
			seen[i] = fetch_row_of_part(state, leaf, own[count], snapshot);
	}
	if (count > 0)
		RecsysSeeRowsOfHeaps(heaps, snapshot, own, count, answers);
	for (int i = 0; i < count; i++)
		seen[places[i]] = answers[i];
}

void
RecsysSeeRows(RecsysVisibility *state, const uint64 *positions, int n, Snapshot snapshot, bool *seen)
{
	if (state->parts != NULL)
	{
		for (int done = 0; done < n; done += SEEN_AT_ONCE)
			see_some_of_parts(state, positions + done, Min(SEEN_AT_ONCE, n - done), snapshot,
							  seen + done);
	}
	else if (RecsysHeapRowsCanBeSeen(state->heap, snapshot))
		RecsysSeeHeapRows(state->heap, snapshot, positions, n, seen);
	else
		fetch_rows(state->heap, &state->fetch, &state->slot, positions, n, snapshot, seen);
}

bool
RecsysIsVisible(RecsysVisibility *state, ItemPointerData tid, Snapshot snapshot)
{
	uint64		position = RecsysTidPosition(&tid);
	bool		seen;

	RecsysSeeRows(state, &position, 1, snapshot, &seen);
	return seen;
}

/*
 * Does the entry stand for a row with an item that counts?  On the item side all do that have a
 * user.
 */
static inline bool
is_interaction(const RecsysEntry *entry)
{
	return !entry->orphan && !entry->forgotten;
}

void
RecsysSeeEntries(RecsysVisibility *state, const RecsysEntry *entries, uint32 first, uint32 nentries,
				 Snapshot snapshot)
{
	uint64		positions[SEEN_AT_ONCE];
	uint32		places[SEEN_AT_ONCE];
	bool		seen[SEEN_AT_ONCE];
	uint32		end = first + nentries;

	for (uint32 next = first; next < end;)
	{
		int			n = 0;

		for (; next < end && n < SEEN_AT_ONCE; next++)
			if (!state->all_visible[next] && is_interaction(&entries[next]))
			{
				places[n] = next;
				positions[n++] = RecsysTidPosition(&entries[next].tid);
			}
		if (n > 0)
			RecsysSeeRows(state, positions, n, snapshot, seen);
		for (int i = 0; i < n; i++)
			state->all_visible[places[i]] = seen[i];
	}
}

int
RecsysKeepVisible(RecsysVisibility *state, const RecsysEntry *entries, uint32 first,
				  uint32 nentries, Snapshot snapshot, RecsysInteraction *out)
{
	int			count = 0;

	RecsysSeeEntries(state, entries, first, nentries, snapshot);
	for (uint32 i = first; i < first + nentries; i++)
	{
		const RecsysEntry *entry = &entries[i];

		if (!is_interaction(entry) || !state->all_visible[i])
			continue;
		out[count].item = entry->peer;
		out[count].weight = entry->weight;
		out[count].time = entry->time;
		out[count].position = RecsysTidPosition(&entry->tid);
		count++;
	}
	return count;
}

/*
 * An index built over broken HOT chains leads older snapshots to row versions
 * with other keys.  The planner does not use such an index until all of them are
 * gone; here the snapshot at hand is known, so that only it has to be newer.
 */
void
RecsysCheckSnapshot(Relation index, Snapshot snapshot)
{
	TransactionId builder;

	if (!index->rd_index->indcheckxmin)
		return;
	builder = HeapTupleHeaderGetXmin(index->rd_indextuple->t_data);
	if (TransactionIdIsCurrentTransactionId(builder) ? IsolationUsesXactSnapshot() :
		XidInMVCCSnapshot(builder, snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recsys index \"%s\" is newer than the snapshot in use",
						RecsysIndexName(index)),
				 errhint("Use it in a new transaction.")));
}
