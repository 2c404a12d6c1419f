/*
 * graphupdate.c
 *	  Changing rows of the item graph in place.
 *
 * Only the process that merges changes rows that exist, so new contents can be
 * worked out from a copy of a page, without locks.  Then the page's changed rows
 * are overwritten in one atomic step (rowplace.c): a reader, on a standby too, sees
 * each row either as it was or as it is.
 *
 * Rows that are replaced come last, page by page after all the others.  A row that
 * is on the queue keeps its flag until then: should the update be cut short, its
 * item is recomputed again, and with it the pairs in rows that had not been
 * reached.  Nothing else would ever say so.
 */
#include "postgres.h"

#include "am/lists/pending.h"
#include "am/merge/graphupdate.h"
#include "am/merge/rowplace.h"
#include "am/store/enlarge.h"
#include "am/store/indexname.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Rows on one page at most */
#define MAX_PAGE_ROWS ((int) (RECSYS_PAGE_ROOM / (RECSYS_STORED_LEAST + sizeof(ItemIdData))))

typedef struct Updater
{
	Relation	index;
	const RecsysKeyOrder *order;
	RecsysGraphReader reader;
	int			neighbors;
	int			capacity;
	bool		learned;
	RecsysRowUpdate *rows;
	int			nrows;
	RecsysPairUpdate *pairs;
	uint64		npairs;

	/* the next update of either kind */
	int			row;
	uint64		pair;

	/* the page at hand */
	BlockNumber block;
	PGAlignedBlock copy;
	PGAlignedBlock old;			/* the row at hand, as it is */
	int			nnew;
	RecsysNewRow new[MAX_PAGE_ROWS];
	uint32		queue[MAX_PAGE_ROWS];
	int			nqueue;
	MemoryContext context;		/* of the page at hand */
} Updater;

static int
compare_rows(const void *a, const void *b)
{
	uint32		x = ((const RecsysRowUpdate *) a)->item;
	uint32		y = ((const RecsysRowUpdate *) b)->item;

	return (x > y) - (x < y);
}

static inline int
compare_pairs(const RecsysPairUpdate *a, const RecsysPairUpdate *b)
{
	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->item > b->item) - (a->item < b->item);
}

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE RecsysPairUpdate
#define ST_COMPARE(a, b) compare_pairs(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* The list of a row on the page's copy, with room for more entries. */
static void
load_list(RecsysGraphRow row, int more, RecsysNeighborList *list)
{
	list->count = row->nstored;
	list->floor_score = row->floor_score;
	list->floor_item = row->floor_item;
	list->neighbors = palloc(sizeof(RecsysNeighbor) * (row->nstored + more + 1));
	for (int i = 0; i < row->nstored; i++)
	{
		list->neighbors[i].item = row->peers[i];
		list->neighbors[i].score = RecsysRowScores(row)[i];
		list->neighbors[i].support = RecsysRowSupports(row)[i];
	}
}

static RecsysStoredRow
form_row(const RecsysRowUpdate *update, int neighbors, const char *key, uint16 keylen, Size *size)
{
	const RecsysNeighborList *list = &update->list;
	Size		most = RECSYS_ROW_SIZE(list->count, keylen);
	RecsysGraphRow row = palloc0(most);
	RecsysStoredRow stored = palloc0(most);

	row->item = update->item;
	RecsysRowSetTotals(row, &update->totals);
	row->flags = update->flags;
	row->keylen = keylen;
	RecsysGraphSetNeighbors(row, list, neighbors);
	memcpy(RecsysRowKey(row), key, keylen);
	*size = RecsysStoreRow(row, stored);
	pfree(row);
	return stored;
}

/* The pair updates of a row, which are the next ones, as neighbors; returns how many. */
static int
take_patches(Updater *updater, uint32 item, RecsysNeighbor **patches)
{
	uint64		first = updater->pair;
	int			count;

	while (updater->pair < updater->npairs && updater->pairs[updater->pair].row == item)
		updater->pair++;
	count = (int) (updater->pair - first);
	if (count > 0)
		*patches = palloc(sizeof(RecsysNeighbor) * count);
	for (int i = 0; i < count; i++)
	{
		(*patches)[i].item = updater->pairs[first + i].item;
		(*patches)[i].support = updater->pairs[first + i].support;
		(*patches)[i].score = updater->pairs[first + i].score;
	}
	return count;
}

/* What the row starts from: its replacement, if it has one, or what it is now. */
static void
take_row(Updater *updater, uint32 item, RecsysGraphRow old, int npatches, RecsysRowUpdate *update)
{
	if (updater->row < updater->nrows && updater->rows[updater->row].item == item)
	{
		RecsysNeighbor *larger;

		*update = updater->rows[updater->row++];
		larger = palloc(sizeof(RecsysNeighbor) * (update->list.count + npatches + 1));
		if (update->list.count > 0)
			memcpy(larger, update->list.neighbors, sizeof(RecsysNeighbor) * update->list.count);
		update->list.neighbors = larger;
	}
	else
	{
		update->item = item;
		update->totals = RecsysRowGetTotals(old);
		update->flags = old->flags;
		load_list(old, npatches, &update->list);
	}
}

/* Note the row for when the page is written, if the update changes it. */
static void
note_row(Updater *updater, const RecsysRowUpdate *update, RecsysStoredRow stored,
		 RecsysGraphRow old, OffsetNumber off)
{
	RecsysNewRow *new = &updater->new[updater->nnew];

	new->item = update->item;
	new->off = off;
	new->moves = false;
	new->row = form_row(update, updater->neighbors, RecsysRowKey(old), old->keylen, &new->size);
	if (new->size == RecsysStoredRowSize(stored->form, stored->nneighbors, stored->nstored,
										 stored->keylen) &&
		memcmp(new->row, stored, new->size) == 0)
		return;

	updater->nnew++;
	new->before = RecsysRowGetTotals(old);
	new->after = update->totals;
	new->interactions = (int64) update->totals.users - (int64) old->users;
	new->items = (int64) (update->totals.users > 0) - (int64) (old->users > 0);
	new->stored = (int64) new->row->nneighbors - (int64) old->nneighbors;
	new->stale = (int64) ((update->flags & RECSYS_ROW_STALE) != 0) -
		(int64) ((old->flags & RECSYS_ROW_STALE) != 0);

	/* an item that is flagged is on the queue already */
	if ((old->flags & RECSYS_ROW_QUEUED) == 0 && (update->flags & RECSYS_ROW_QUEUED) != 0)
		updater->queue[updater->nqueue++] = update->item;
}

/* Work out what the updates make of the row of item, which stands at off. */
static void
update_row(Updater *updater, uint32 item, OffsetNumber off)
{
	RecsysStoredRow stored = RecsysGraphLocateRow(updater->index, (Page) updater->copy.data, off,
												  item);
	RecsysGraphRow old = (RecsysGraphRow) updater->old.data;
	RecsysRowUpdate update;
	RecsysNeighbor *patches = NULL;
	int			npatches;
	int			certain;

	if (stored == NULL)
		RecsysWrongRow(updater->index, item);
	RecsysLoadRow(stored, old);

	npatches = take_patches(updater, item, &patches);
	take_row(updater, item, old, npatches, &update);
	if (npatches > 0)
		certain = RecsysNeighborListPatch(&update.list, patches, npatches, updater->capacity,
										  updater->order);
	else
		certain = RecsysNeighborListCertain(&update.list, updater->order);
	if (updater->learned)
	{
		update.list.floor_score = 0;
		update.list.floor_item = 0;
	}
	if (certain < updater->neighbors && update.list.floor_score > 0)
		update.flags |= RECSYS_ROW_SHORT;
	note_row(updater, &update, stored, old, off);
}

/* Write the changed rows of the page at hand. */
static void
flush_page(Updater *updater)
{
	if (updater->nnew > 0)
	{
		/* first the queue: an item that is flagged but not queued stays so */
		if (updater->nqueue > 0)
			RecsysQueueAppend(updater->index, updater->queue, updater->nqueue);
		RECSYS_FAULT("merge-queued");
		RecsysPlaceRows(updater->index, updater->block, updater->new, updater->nnew,
						updater->neighbors);
	}
	updater->nnew = 0;
	updater->nqueue = 0;
	updater->block = InvalidBlockNumber;
	MemoryContextReset(updater->context);
}

static void
open_page(Updater *updater, BlockNumber block)
{
	Buffer		buffer = RecsysReadPage(updater->index, block, BUFFER_LOCK_SHARE,
										RECSYS_PAGE_GRAPH);

	memcpy(updater->copy.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	updater->block = block;
}

/*
 * Puts the pairs of rows that are replaced behind those of the others, both still in
 * order; returns how many the latter are.
 */
static uint64
replaced_last(const RecsysRowUpdate *rows, int nrows, RecsysPairUpdate *pairs, uint64 npairs)
{
	RecsysPairUpdate *last = NULL;
	uint64		nlast = 0;
	uint64		maxlast = 0;
	uint64		nfirst = 0;
	int			row = 0;

	for (uint64 pair = 0; pair < npairs; pair++)
	{
		while (row < nrows && rows[row].item < pairs[pair].row)
			row++;
		if (row == nrows || rows[row].item != pairs[pair].row)
		{
			pairs[nfirst++] = pairs[pair];
			continue;
		}
		if (nlast == maxlast)
		{
			maxlast = Max(1024, maxlast * 2);
			last = RecsysEnlarge(CurrentMemoryContext, last, sizeof(RecsysPairUpdate) * maxlast);
		}
		last[nlast++] = pairs[pair];
	}
	if (last != NULL)
	{
		memcpy(pairs + nfirst, last, sizeof(RecsysPairUpdate) * nlast);
		pfree(last);
	}
	return nfirst;
}

/* Apply what has not been applied of rows and pairs. */
static void
apply_updates(Updater *updater)
{
	while (updater->row < updater->nrows || updater->pair < updater->npairs)
	{
		uint32		item = updater->row < updater->nrows ? updater->rows[updater->row].item : RECSYS_NONE;
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		if (updater->pair < updater->npairs)
			item = Min(item, updater->pairs[updater->pair].row);
		tid = RecsysGraphFindRow(&updater->reader, item);
		if (!ItemPointerIsValid(&tid))
			RecsysNoItem(updater->index, item);
		if (ItemPointerGetBlockNumber(&tid) != updater->block || updater->nnew == MAX_PAGE_ROWS)
		{
			flush_page(updater);
			open_page(updater, ItemPointerGetBlockNumber(&tid));
		}
		update_row(updater, item, ItemPointerGetOffsetNumber(&tid));
	}
	flush_page(updater);
}

static Updater *
create_updater(Relation index, const RecsysKeyOrder *order)
{
	Updater    *updater = palloc0(sizeof(Updater));

	updater->index = index;
	updater->order = order;
	updater->neighbors = RecsysGetCache(index)->meta.neighbors;
	updater->capacity = RECSYS_ROW_CAPACITY(updater->neighbors);
	updater->learned = RecsysGetCache(index)->meta.learned;
	updater->block = InvalidBlockNumber;
	updater->context = AllocSetContextCreate(CurrentMemoryContext, "recsys graph update",
											 ALLOCSET_DEFAULT_SIZES);
	RecsysGraphReaderInit(&updater->reader, index);
	return updater;
}

static void
free_updater(Updater *updater)
{
	RecsysGraphReaderDone(&updater->reader);
	MemoryContextDelete(updater->context);
	pfree(updater);
}

void
RecsysGraphUpdate(Relation index, const RecsysKeyOrder *order,
				  RecsysRowUpdate *rows, int nrows, RecsysPairUpdate *pairs, uint64 npairs)
{
	Updater    *updater = create_updater(index, order);
	MemoryContext old;
	uint64		all = npairs;

	updater->pairs = pairs;
	qsort(rows, nrows, sizeof(RecsysRowUpdate), compare_rows);
	sort_pairs(pairs, npairs);
	npairs = replaced_last(rows, nrows, pairs, npairs);

	old = MemoryContextSwitchTo(updater->context);
	updater->rows = NULL;
	updater->nrows = 0;
	updater->npairs = npairs;
	apply_updates(updater);
	updater->rows = rows;
	updater->nrows = nrows;
	updater->npairs = all;
	apply_updates(updater);
	MemoryContextSwitchTo(old);
	free_updater(updater);
}

/* Which update, and the row that it replaces */
typedef struct RowPlace
{
	ItemPointerData tid;
	int			row;
} RowPlace;

static int
compare_places(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) &((const RowPlace *) a)->tid,
							  (ItemPointer) &((const RowPlace *) b)->tid);
}

void
RecsysGraphReplace(Relation index, const RecsysKeyOrder *order, RecsysRowUpdate *rows, int nrows)
{
	Updater    *updater = create_updater(index, order);
	RowPlace   *places = palloc(sizeof(RowPlace) * Max(nrows, 1));
	MemoryContext old = MemoryContextSwitchTo(updater->context);

	qsort(rows, nrows, sizeof(RecsysRowUpdate), compare_rows);
	for (int i = 0; i < nrows; i++)
	{
		places[i].tid = RecsysGraphFindRow(&updater->reader, rows[i].item);
		places[i].row = i;
		if (!ItemPointerIsValid(&places[i].tid))
			RecsysNoItem(index, rows[i].item);
	}
	qsort(places, nrows, sizeof(RowPlace), compare_places);

	/* a row moves only when its page has been gone through */
	updater->rows = rows;
	updater->nrows = nrows;
	for (int i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ItemPointerGetBlockNumber(&places[i].tid) != updater->block ||
			updater->nnew == MAX_PAGE_ROWS)
		{
			flush_page(updater);
			open_page(updater, ItemPointerGetBlockNumber(&places[i].tid));
		}
		updater->row = places[i].row;
		update_row(updater, rows[updater->row].item, ItemPointerGetOffsetNumber(&places[i].tid));
	}
	flush_page(updater);
	MemoryContextSwitchTo(old);
	pfree(places);
	free_updater(updater);
}
