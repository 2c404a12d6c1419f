/*
 * rowplace.c
 *	  Changed rows of the item graph, put on their pages.
 *
 * The page is locked and its changed rows are overwritten, together with the totals of
 * the meta page, in one atomic step.
 *
 * A row that grows gets some room to grow further.  When its page has none left
 * it moves to the page where new rows go, and the row map changes in the same
 * step.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "am/graph/graph.h"
#include "am/merge/rowplace.h"
#include "am/store/indexname.h"
#include "fault.h"
#include "storage/indexfsm.h"

/* The page at hand */
typedef struct Placing
{
	Relation	index;
	BlockNumber block;
	int			neighbors;
	int			capacity;
} Placing;

/* Length that a row gets when it outgrows the one it has. */
static Size
roomy(const Placing *placing, const RecsysNewRow *new)
{
	int			stored = new->row->nstored + Max(new->row->nstored / 2, 8);

	stored = Min(stored, placing->capacity);
	return Max(new->size, RecsysStoredRowSize(new->row->form, Min(stored, placing->neighbors), stored,
											  new->row->keylen));
}

/* A copy of the row in a tuple of the given length. */
static RecsysStoredRow
padded(const RecsysNewRow *new, Size size)
{
	RecsysStoredRow row = palloc0(size);

	memcpy(row, new->row, new->size);
	return row;
}

/* Put the row in its old place if there is room. */
static bool
overwrite_row(const Placing *placing, Page page, const RecsysNewRow *new)
{
	ItemId		itemid = PageGetItemId(page, new->off);
	Size		had = ItemIdGetLength(itemid);
	Size		size = roomy(placing, new);
	Size		free = PageGetExactFreeSpace(page);

	if (new->size <= had)
	{
		memcpy(PageGetItem(page, itemid), new->row, new->size);
		return true;
	}
	if (MAXALIGN(size) - MAXALIGN(had) > free)
		size = new->size;
	if (MAXALIGN(size) - MAXALIGN(had) > free)
		return false;
	return PageIndexTupleOverwrite(page, new->off, (Item) padded(new, size), size);
}

/* The totals change in the same step as the row. */
static void
change_totals(RecsysMetaData *meta, const RecsysNewRow *new)
{
	meta->interactions += new->interactions;
	meta->items += new->items;
	meta->pairs += new->stored;
	meta->stale += new->stale;
	RecsysRhythmAddAll(&meta->rhythm, &new->after.rhythm);
	RecsysRhythmTakeAll(&meta->rhythm, &new->before.rhythm);

	/* what the prior is made of: its scores depend on the totals, too */
	if (new->interactions != 0 || new->items != 0)
		meta->prior_state = RECSYS_PRIOR_BEHIND;
	if (new->before.users != new->after.users || new->before.latest != new->after.latest ||
		memcmp(&new->before.recent, &new->after.recent, sizeof(RecsysRecency)) != 0)
	{
		RecsysRecencyTotalAdd(&meta->recent, &new->after.recent);
		RecsysRecencyTotalTake(&meta->recent, &new->before.recent);
		meta->prior_state = RECSYS_PRIOR_BEHIND;
	}
}

/* Move a row to the page where new rows go. */
static void
move_row(const Placing *placing, RecsysNewRow *new)
{
	Relation	index = placing->index;
	Size		size = roomy(placing, new);
	RecsysStoredRow row = padded(new, size);

	/* before the meta page is locked, which the cache is read from */
	BlockNumber leafblock = RecsysGetCache(index)->leaves[new->item / RECSYS_MAP_LEAF_ROWS];
	Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	Buffer		target = RecsysGraphPageWithRoom(index, metabuffer, size);
	Buffer		source = InvalidBuffer;
	Buffer		leaf;
	GenericXLogState *state;
	OffsetNumber off;
	Page		page;
	bool		emptied = false;

	if (BufferGetBlockNumber(target) != placing->block)
		source = RecsysReadPage(index, placing->block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_GRAPH);
	leaf = RecsysReadPage(index, leafblock, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_MAP_LEAF);

	state = GenericXLogStart(index);
	if (BufferIsValid(source))
	{
		page = GenericXLogRegisterBuffer(state, source, 0);
		PageIndexTupleDeleteNoCompact(page, new->off);
		emptied = PageGetMaxOffsetNumber(page) == 0;
		if (emptied)
			RecsysPageInit(page, RECSYS_PAGE_FREE, RECSYS_ITEMS);
		page = GenericXLogRegisterBuffer(state, target, 0);
	}
	else
	{
		page = GenericXLogRegisterBuffer(state, target, 0);
		PageIndexTupleDeleteNoCompact(page, new->off);
	}
	off = PageAddItem(page, (Item) row, size, InvalidOffsetNumber, false, false);
	if (off == InvalidOffsetNumber)
		elog(ERROR, "failed to move a graph row of index \"%s\"", RecsysIndexName(index));
	page = GenericXLogRegisterBuffer(state, leaf, 0);
	ItemPointerSet((ItemPointer) PageGetContents(page) + new->item % RECSYS_MAP_LEAF_ROWS,
				   BufferGetBlockNumber(target), off);
	change_totals(RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0)), new);
	GenericXLogFinish(state);

	UnlockReleaseBuffer(leaf);
	if (BufferIsValid(source))
		UnlockReleaseBuffer(source);
	UnlockReleaseBuffer(target);
	UnlockReleaseBuffer(metabuffer);
	if (emptied)
		RecordFreeIndexPage(index, placing->block);
	RECSYS_FAULT("merge-row-moved");
}

void
RecsysPlaceRows(Relation index, BlockNumber block, RecsysNewRow *rows, int nrows, int neighbors)
{
	Placing		placing = {index, block, neighbors, RECSYS_ROW_CAPACITY(neighbors)};
	Buffer		metabuffer = RecsysReadPage(index, RECSYS_META_BLOCK, BUFFER_LOCK_EXCLUSIVE,
											RECSYS_PAGE_META);
	Buffer		buffer = RecsysReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, RECSYS_PAGE_GRAPH);
	GenericXLogState *state = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(state, buffer, 0);
	RecsysMetaData *meta = RecsysPageGetMeta(GenericXLogRegisterBuffer(state, metabuffer, 0));
	bool		changed = false;

	for (int i = 0; i < nrows; i++)
	{
		rows[i].moves = !overwrite_row(&placing, page, &rows[i]);
		if (rows[i].moves)
			continue;
		change_totals(meta, &rows[i]);
		changed = true;
	}
	if (changed)
		GenericXLogFinish(state);
	else
		GenericXLogAbort(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(metabuffer);
	RECSYS_FAULT("merge-page-written");

	for (int i = 0; i < nrows; i++)
	{
		if (rows[i].moves)
			move_row(&placing, &rows[i]);
	}
}
