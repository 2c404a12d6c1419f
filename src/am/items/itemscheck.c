/*
 * itemscheck.c
 *	  Verifying the on-disk invariants of an items index.
 *
 * The pages that it has in common with other indexes are checked as theirs are (am/check).
 * Then the content pages: a list that ends where the meta page says; the list of those with
 * room; no TID twice; at most one current content of an item.  Every row that a new snapshot
 * sees has one entry under its key, which leads to the content that a build would store for
 * it.  Current content is that of the lowest TID among an item's visible rows, unless an event
 * says that it may not be.  Last the graph, see itemscheckgraph.c.
 *
 * Entries and content of rows that the snapshot does not see may be there or not: a server
 * that stops in the middle of an insert or a VACUUM leaves such behind.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/check/check.h"
#include "am/content/contentpage.h"
#include "am/content/itemcolumns.h"
#include "am/content/termpage.h"
#include "am/graph/graph.h"
#include "am/items/itemscheck.h"
#include "am/compare/itemscheckgraph.h"
#include "am/lists/owner.h"
#include "am/lists/pending.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

typedef struct ItemsCheck
{
	Relation	index;
	RecsysContentMeta meta;
	RecsysItemColumns *columns;
	RecsysKeyKind kind;
	RecsysTermReader terms;
	uint32		nitems;
	RecsysItemFacts *facts;		/* by item */
	Tuplesortstate *entries;	/* positions of TIDs */
	Tuplesortstate *contents;
	MemoryContext row_context;
} ItemsCheck;

#define corrupted(check, ...) RecsysCheckFailed((check)->index, __VA_ARGS__)

/*
 * Pages
 */

static void
check_entry(void *arg, RecsysSide side, const RecsysOwnerData *owner, const RecsysEntry *entry)
{
	ItemsCheck *check = arg;

	if (side == RECSYS_USERS)
		corrupted(check, "It has a user.");
	if (entry->orphan)
		corrupted(check, "An entry of item number %u says that its row has no user.", owner->number);
	tuplesort_putdatum(check->entries, Int64GetDatum((int64) RecsysTidPosition(&entry->tid)), false);
}

/* The list of pages, and that of those with room. */
static void
check_content_lists(ItemsCheck *check, RecsysPagesCheck *pages)
{
	BlockNumber block = check->meta.content_head;
	BlockNumber last = InvalidBlockNumber;
	int64		listed = 0;

	while (BlockNumberIsValid(block))
	{
		Buffer		buffer;

		RecsysCheckReach(pages, block);
		buffer = RecsysReadPage(check->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_CONTENT);
		listed += RecsysPageGetOpaque(BufferGetPage(buffer))->low == RECSYS_CONTENT_LISTED;
		last = block;
		block = RecsysPageGetOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	if (last != check->meta.content_tail)
		corrupted(check, "The list of content pages ends at block %u, not at %u.",
				  last, check->meta.content_tail);

	/* each is listed once: a circle would have more */
	for (block = check->meta.content_free; BlockNumberIsValid(block);)
	{
		Buffer		buffer = RecsysReadPage(check->index, block, BUFFER_LOCK_SHARE,
											RECSYS_PAGE_CONTENT);
		bool		marked = RecsysPageGetOpaque(BufferGetPage(buffer))->low == RECSYS_CONTENT_LISTED;
		BlockNumber next = RecsysPageGetOpaque(BufferGetPage(buffer))->high;

		UnlockReleaseBuffer(buffer);
		if (!marked || --listed < 0)
			corrupted(check, "Block %u is on the list of content pages with room and should not be.",
					  block);
		block = next;
	}
	if (listed != 0)
		corrupted(check, "%lld content pages with room are not on their list.", (long long) listed);
}

/* Terms in the order of their hashes */
static void
check_terms(ItemsCheck *check, RecsysPagesCheck *pages)
{
	uint64		before = 0;

	for (uint32 first = 0; first < check->meta.nterms; first += RECSYS_PAGE_TERM_COUNTS)
	{
		BlockNumber block = check->meta.terms + first / RECSYS_PAGE_TERM_COUNTS;
		uint32		n = Min(RECSYS_PAGE_TERM_COUNTS, check->meta.nterms - first);
		const RecsysTermCount *counts;
		Buffer		buffer;

		RecsysCheckReach(pages, block);
		buffer = RecsysReadPage(check->index, block, BUFFER_LOCK_SHARE, RECSYS_PAGE_TERMS);
		counts = (const RecsysTermCount *) PageGetContents(BufferGetPage(buffer));
		for (uint32 i = 0; i < n; i++)
		{
			if ((first > 0 || i > 0) && counts[i].hash <= before)
				corrupted(check, "Block %u has terms out of order.", block);
			before = counts[i].hash;
		}
		UnlockReleaseBuffer(buffer);
	}
}

static void
check_own_pages(void *arg, RecsysPagesCheck *pages)
{
	check_content_lists(arg, pages);
	check_terms(arg, pages);
}

/*
 * Contents
 */

static void
read_contents(void *arg, const RecsysContentPage *page)
{
	ItemsCheck *check = arg;

	for (int i = 0; i < page->ntuples; i++)
	{
		RecsysContentTuple tuple = page->tuples[i];
		RecsysItemFacts *facts;

		if (tuple->item >= check->nitems)
			corrupted(check, "Block %u has content of item number %u, there are %u items.",
					  page->block, tuple->item, check->nitems);
		if ((tuple->flags & RECSYS_CONTENT_DEAD) == 0)
			tuplesort_putdatum(check->contents,
							   Int64GetDatum((int64) RecsysTidPosition(&tuple->tid)), false);
		if ((tuple->flags & RECSYS_CONTENT_CURRENT) == 0)
		{
			if (tuple->floor != 0)
				corrupted(check, "Content of item number %u has a floor and is not current.",
						  tuple->item);
			continue;
		}
		facts = &check->facts[tuple->item];
		if (facts->has_current)
			corrupted(check, "Item number %u has current content twice.", tuple->item);
		facts->has_current = true;
		facts->is_dead = (tuple->flags & RECSYS_CONTENT_DEAD) != 0;
		facts->floor = tuple->floor;
		facts->block = page->block;
		facts->position = RecsysTidPosition(&tuple->tid);
	}
}

/* No TID twice. */
static void
check_unique(ItemsCheck *check, Tuplesortstate *sort, const char *what)
{
	Datum		value;
	bool		isnull;
	int64		before = 0;
	bool		any = false;

	tuplesort_performsort(sort);
	while (RECSYS_TUPLESORT_GETDATUM(sort, &value, &isnull))
	{
		int64		position = DatumGetInt64(value);

		CHECK_FOR_INTERRUPTS();
		if (any && position == before)
			corrupted(check, "Row (%u,%u) has %s more than once.", (unsigned) (position >> 16),
					  (unsigned) (position & 0xFFFF), what);
		before = position;
		any = true;
	}
	tuplesort_end(sort);
}

/* Items that an event or the queue names */
static void
read_pending(ItemsCheck *check)
{
	RecsysPendingPage *page = palloc(sizeof(RecsysPendingPage));

	for (int list = 0; list < RECSYS_LISTS; list++)
	{
		BlockNumber block;

		RecsysPendingEnds(check->index, list, &block, NULL);
		while (BlockNumberIsValid(block))
		{
			CHECK_FOR_INTERRUPTS();
			RecsysPendingRead(check->index, list, block, page);
			for (int i = 0; i < page->count; i++)
				if (page->events[i].item < check->nitems)
					check->facts[page->events[i].item].pending = true;
			block = page->next;
		}
	}
	pfree(page);
}

/*
 * Rows
 */

pg_noreturn static void
wrong_row(ItemsCheck *check, ItemPointer tid, const char *what)
{
	RecsysCorrupted(check->index, "index \"%s\" disagrees with its table about row (%u,%u): %s",
					RelationGetRelationName(check->index), ItemPointerGetBlockNumber(tid),
					ItemPointerGetOffsetNumber(tid), what);
}

/* The block with the content of a row, by the item's entries */
static BlockNumber
find_entry(ItemsCheck *check, const RecsysKey *key, ItemPointer tid, uint32 *item)
{
	RecsysEntryArray entries = {0};

	if (!RecsysReadOwner(check->index, RECSYS_ITEMS, key, &entries, item, NULL, NULL))
		wrong_row(check, tid, "its item is missing");
	for (uint32 i = 0; i < entries.count; i++)
		if (ItemPointerEquals(&entries.entries[i].tid, tid))
			return entries.entries[i].peer;
	wrong_row(check, tid, "it is missing among the rows of its item");
}

/* Is the stored content what the row's values give? */
static void
check_content(ItemsCheck *check, const RecsysKey *key, const RecsysRawContent *raw,
			  const RecsysContentTupleData *tuple, Size size, ItemPointer tid)
{
	char	   *packed = palloc(RecsysContentPackedSize(&check->meta.model, raw));
	Size		expected = RecsysContentPack(&check->meta.model, raw,
											 (uint32) RecsysKeyHash(check->kind, key, 0),
											 RecsysReadTermCount, &check->terms, packed);

	if (size != expected || memcmp(packed, tuple->packed, size) != 0)
		wrong_row(check, tid, "its content is another one");
}

static void
check_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	ItemsCheck *check = arg;
	MemoryContext old = MemoryContextSwitchTo(check->row_context);
	RecsysRawContent *raw = palloc0(sizeof(RecsysRawContent));
	RecsysKey	key;

	if (RecsysFormContent(index, check->columns, values, isnull, &key, raw))
	{
		uint32		item;
		BlockNumber block = find_entry(check, &key, tid, &item);
		uint64		position = RecsysTidPosition(tid);
		RecsysItemFacts *facts = &check->facts[item];
		Size		size;
		RecsysContentTuple tuple = RecsysContentRead(index, block, tid, &size);

		if (tuple == NULL || tuple->item != item)
			wrong_row(check, tid, "its content is missing");
		check_content(check, &key, raw, tuple, size, tid);
		facts->lowest = Min(facts->lowest, position);
		if (facts->has_current && !facts->is_dead && facts->position == position)
			facts->current_visible = true;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(check->row_context);
}

static void
scan_heap(ItemsCheck *check, Relation heap, Snapshot snapshot)
{
	IndexInfo  *info = BuildIndexInfo(check->index);
	TableScanDesc scan = table_beginscan_strat(heap, snapshot, 0, NULL, true, true);

	/* the flag makes the scan go by its snapshot */
	info->ii_Concurrent = true;
	table_index_build_scan(heap, check->index, info, true, false, check_row, check, scan);
}

/* Items whose rows have not changed since the last merge */
static void
check_current(ItemsCheck *check)
{
	for (uint32 item = 0; item < check->nitems; item++)
	{
		const RecsysItemFacts *facts = &check->facts[item];

		if (facts->pending || facts->lowest == PG_UINT64_MAX)
			continue;
		if (!facts->has_current)
			corrupted(check, "Item number %u has a row, no current content, and no change of it is pending.",
					  item);
		if (facts->current_visible && facts->position != facts->lowest)
			corrupted(check, "Current content of item number %u is of row (%u,%u), which is not its first.",
					  item, (unsigned) (facts->position >> 16), (unsigned) (facts->position & 0xFFFF));
	}
}

static Tuplesortstate *
begin_sort(void)
{
	return tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false,
								 maintenance_work_mem / 2, NULL, TUPLESORT_NONE);
}

void
RecsysCheckItems(Relation heap, Relation index)
{
	static const RecsysCheckHooks hooks = {check_entry, check_own_pages};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys check items",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ItemsCheck	check = {.index = index};
	Snapshot	snapshot;
	Oid			type;

	/* taken before any entry is read: all that it sees must be indexed already */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	check.columns = RecsysGetItemColumns(index);
	check.kind = RecsysItemColumnsKey(check.columns, &type);
	RecsysReadContentMeta(index, &check.meta);
	check.terms = (RecsysTermReader) {index, check.meta.terms, check.meta.nterms};
	check.nitems = RecsysItemCount(index);
	check.facts = MemoryContextAllocExtended(context, sizeof(RecsysItemFacts) * (Size) Max(check.nitems, 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 item = 0; item < check.nitems; item++)
		check.facts[item].lowest = PG_UINT64_MAX;
	check.entries = begin_sort();
	check.contents = begin_sort();
	check.row_context = AllocSetContextCreate(context, "recsys check row", ALLOCSET_DEFAULT_SIZES);

	RecsysCheckPages(index, &hooks, &check);
	RecsysContentScan(index, read_contents, &check);
	check_unique(&check, check.entries, "an entry");
	check_unique(&check, check.contents, "content");
	read_pending(&check);
	scan_heap(&check, heap, snapshot);
	check_current(&check);
	RecsysCheckItemsGraph(index, &check.meta, check.facts, check.nitems);

	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
