/*
 * stage.c
 *	  Rows that a statement has inserted and no index has yet.
 *
 * COPY, INSERT … SELECT and UPDATE call aminsert once for each row, and each call
 * would change pages all over the index.  So the rows are set aside, as far as memory goes
 * (work_mem times hash_mem_multiplier), and entered together (enter.c): in the order of
 * pages, all that belongs on a page at once.
 *
 * Nobody can tell the difference, for these reasons:
 *
 * - To other transactions the rows are invisible until we commit, and before that they
 *	 are entered (statement.c).  Our own session enters them before it reads an index, and
 *	 before any other statement begins.  Snapshots that see rows in progress look into an
 *	 index for exclusion constraints only, and such an index stages nothing.  Speculative
 *	 insertions (ON CONFLICT), which are taken back, do not either.
 * - A staged row's line pointer is not used again.  A row can be removed only when its
 *	 transaction, or subtransaction, has been rolled back; until then HOT updates and
 *	 pruning keep its line pointer, VACUUM finds it in progress.  When a subtransaction is
 *	 rolled back its rows are thrown away here in the same step, between which and the
 *	 end of its id's life nothing else runs in this session; so no row is ever entered that
 *	 anybody could have removed.  Rows thrown away have no entries for VACUUM to look for.
 * - CREATE INDEX CONCURRENTLY validates by a snapshot that does not see us, or else we have
 *	 committed, and entered, before it was taken.  DROP INDEX and REINDEX, concurrently or
 *	 not, wait for our lock on the table, which is kept until the transaction's end.
 * - Serializable transactions: the server looks for conflicts when aminsert is called.
 *	 Somebody may have read the index between then and now, so it is asked to look again
 *	 once the rows are there.
 *
 * If entering is cut short by an error, the rows know what of them is there.  Either they
 * are thrown away with their transaction, or, where a subtransaction is rolled back that
 * has not inserted them, it goes on from there the next time.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/lists/directory.h"
#include "am/write/enter.h"
#include "am/write/stage.h"
#include "executor/nodeHash.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* The rows of one index */
typedef struct Stage
{
	struct Stage *next;
	Oid			heap;			/* InvalidOid: the index is a whole */
	Oid			index;
	List	   *parts;			/* of a whole: indexes that rows have come by */
	Oid			last_part;		/* one of them */
	RecsysKeyKind kinds[2];		/* by side */
	RecsysNewRow *rows;
	uint32		n;
	uint32		size;
} Stage;

/* More memory than this does not make batches better. */
#define MOST_MEMORY ((Size) 256 * 1024 * 1024)

#define FIRST_ROWS 64

RecsysStagingMode RecsysStaging = RECSYS_STAGING_OFF;

static MemoryContext context = NULL;	/* of all that follows; NULL: nothing is staged */
static Stage *stages = NULL;
static Size memory = 0;			/* of rows and keys */
static bool entering = false;

bool
RecsysHasStaged(void)
{
	return context != NULL && !entering;
}

static void
before_reading(void)
{
	if (RecsysHasStaged())
		RecsysEnterStaged(false);
}

static Stage *
find_stage(Relation heap, Relation index)
{
	RecsysCache *cache;
	Stage	   *stage;

	for (stage = stages; stage != NULL; stage = stage->next)
		if (stage->index == RelationGetRelid(index))
			return stage;

	if (context == NULL)
	{
		context = AllocSetContextCreate(TopTransactionContext, "recsys staged rows",
										ALLOCSET_DEFAULT_SIZES);
		RecsysBeforeReading = before_reading;
	}
	cache = RecsysGetCache(index);
	stage = MemoryContextAllocZero(context, sizeof(Stage));
	stage->heap = heap != NULL ? RelationGetRelid(heap) : InvalidOid;
	stage->index = RelationGetRelid(index);
	stage->kinds[RECSYS_USERS] = cache->meta.user_kind;
	stage->kinds[RECSYS_ITEMS] = cache->meta.item_kind;
	stage->size = FIRST_ROWS;
	stage->rows = MemoryContextAlloc(context, sizeof(RecsysNewRow) * stage->size);
	stage->next = stages;
	stages = stage;
	return stage;
}

/* Keys that are no integers are copied. */
static void
copy_key(const Stage *stage, RecsysNewRow *row, RecsysSide side)
{
	char	   *copy;

	if ((row->flags & RECSYS_NEW_HAS(side)) == 0 || stage->kinds[side] == RECSYS_KEY_INT)
		return;
	copy = MemoryContextAlloc(context, Max(row->keylen[side], 1));
	memcpy(copy, (const char *) (uintptr_t) row->key[side], row->keylen[side]);
	row->key[side] = (uint64) (uintptr_t) copy;
	memory += GetMemoryChunkSpace(copy);
}

static void
note_part(Stage *stage, Oid part)
{
	MemoryContext old;

	if (stage->last_part == part)
		return;
	old = MemoryContextSwitchTo(context);
	stage->parts = list_append_unique_oid(stage->parts, part);
	stage->last_part = part;
	MemoryContextSwitchTo(old);
}

void
RecsysStageRow(Relation heap, Relation index, Relation part, const RecsysNewRow *row)
{
	Stage	   *stage = find_stage(heap, index);
	RecsysNewRow *copy;

	if (part != NULL)
		note_part(stage, RelationGetRelid(part));
	if (stage->n == stage->size)
	{
		stage->rows = repalloc_huge(stage->rows, sizeof(RecsysNewRow) * 2 * (Size) stage->size);
		stage->size *= 2;
	}
	copy = &stage->rows[stage->n];
	*copy = *row;
	copy->subid = GetCurrentSubTransactionId();
	copy_key(stage, copy, RECSYS_USERS);
	copy_key(stage, copy, RECSYS_ITEMS);
	stage->n++;

	/* places to sort by come on top of the rows */
	memory += sizeof(RecsysNewRow) + 2 * sizeof(uint64);
	if (memory > Min(get_hash_memory_limit(), MOST_MEMORY))
		RecsysEnterStaged(true);
}

/* Who has read an index is asked for by the index that the server has read: a part, of a whole. */
static void
look_for_conflicts(const Stage *stage, Relation index)
{
	ListCell   *cell;

	CheckForSerializableConflictIn(index, NULL, InvalidBlockNumber);
	if (!IsolationIsSerializable())
		return;
	foreach(cell, stage->parts)
	{
		Relation	part = index_open(lfirst_oid(cell), RowExclusiveLock);

		CheckForSerializableConflictIn(part, NULL, InvalidBlockNumber);
		index_close(part, NoLock);
	}
}

static void
enter_stage(Stage *stage, bool merge)
{
	Relation	heap = OidIsValid(stage->heap) ? table_open(stage->heap, NoLock) : NULL;
	Relation	index = index_open(stage->index, RowExclusiveLock);
	bool		too_long = RecsysEnterRows(index, stage->rows, stage->n);

	/* what has been entered is not to be entered again, whatever comes now */
	stage->n = 0;
	look_for_conflicts(stage, index);
	RecsysRowsEntered(heap, index, too_long, merge);
	index_close(index, RowExclusiveLock);
	if (heap != NULL)
		table_close(heap, NoLock);
}

void
RecsysEnterStaged(bool merge)
{
	MemoryContext old;

	/* nothing is to be done any more for a transaction that has failed */
	if (!RecsysHasStaged() || !IsTransactionState())
		return;

	entering = true;
	old = MemoryContextSwitchTo(AllocSetContextCreate(context, "recsys entering",
													  ALLOCSET_DEFAULT_SIZES));
	PG_TRY();
	{
		for (Stage *stage = stages; stage != NULL; stage = stage->next)
			if (stage->n > 0)
				enter_stage(stage, merge);
	}
	PG_FINALLY();
	{
		MemoryContextSwitchTo(old);
		entering = false;
	}
	PG_END_TRY();
	RecsysDropStaged();
}

void
RecsysDropStaged(void)
{
	if (context != NULL)
		MemoryContextDelete(context);
	context = NULL;
	stages = NULL;
	memory = 0;
	entering = false;
	RecsysBeforeReading = NULL;
}

/* Rows of a later subtransaction come after those of an earlier one. */
void
RecsysDropStagedSince(SubTransactionId subid)
{
	for (Stage *stage = stages; stage != NULL; stage = stage->next)
		while (stage->n > 0 && stage->rows[stage->n - 1].subid >= subid)
			stage->n--;
}

void
RecsysReassignStaged(SubTransactionId subid, SubTransactionId parent)
{
	for (Stage *stage = stages; stage != NULL; stage = stage->next)
		for (uint32 i = stage->n; i > 0 && stage->rows[i - 1].subid >= subid; i--)
			stage->rows[i - 1].subid = parent;
}
