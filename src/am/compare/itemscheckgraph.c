/*
 * itemscheckgraph.c
 *	  The item graph compared with the current contents.
 *
 * Items are compared with all others again, some hundred at a time.  Every pair that a row
 * stores must have the score of that comparison, to the last bit; and whatever the row does
 * not store must stand behind its floor.  The latter is not so where the build has compared
 * items of near clusters only.
 *
 * A row that is flagged was left by a merge that was cut short, and so may be the pairs of others
 * with its item; the next merge puts that right.
 */
#include "postgres.h"

#include "am/check/check.h"
#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/compare/itemscheckgraph.h"
#include "core/base/random.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Comparisons that a check does; the rows of no more items than that allows are checked. */
#define MAX_COMPARISONS 2e8
#define LEAST_ITEMS		256

/* Items that are compared at once */
#define MAX_QUERIES		512

#define FLAGGED (RECSYS_ROW_INEXACT | RECSYS_ROW_SHRUNK)

/* A row that is checked, and what has been found of it among the contents */
typedef struct CheckedRow
{
	uint32		item;
	uint16		flags;
	RecsysNeighborList list;
	bool	   *found;			/* parallel to the list */
	RecsysContentTuple content;
} CheckedRow;

typedef struct GraphCheck
{
	Relation	index;
	const RecsysContentMeta *meta;
	const RecsysItemFacts *facts;
	uint32		nitems;
	uint8	   *flagged;		/* by item */
	RecsysKeyOrder order;
	CheckedRow *rows;
	int			nrows;
	RecsysLikenessBlock *block;
	float	   *scores;
	uint32	   *slots;			/* by item: 1 + its place in rows, or 0 */
} GraphCheck;

#define corrupted(check, ...) RecsysCheckFailed((check)->index, __VA_ARGS__)

/* A pair with a score as the contents give it */
static void
check_pair(GraphCheck *check, CheckedRow *row, uint32 other, float score)
{
	RecsysNeighbor pair = {.item = other, .score = score};
	RecsysNeighbor floor = {.item = row->list.floor_item, .score = row->list.floor_score};

	if (other == row->item || check->flagged[other])
		return;

	/* most pairs are far below; were one of them stored, it would not be found */
	if (row->list.count > 0 && score < row->list.neighbors[row->list.count - 1].score &&
		score < floor.score)
		return;
	for (int i = 0; i < row->list.count; i++)
	{
		if (row->list.neighbors[i].item != other)
			continue;
		if (row->list.neighbors[i].score != score)
			corrupted(check, "Items number %u and %u have a likeness of %.9g, the graph has %.9g.",
					  row->item, other, score, row->list.neighbors[i].score);
		row->found[i] = true;
		return;
	}
	if (score <= 0 || check->meta->approximate)
		return;
	if (floor.score == 0 || RecsysNeighborCompare(&check->order, &pair, &floor) < 0)
		corrupted(check, "Item number %u lacks neighbor %u with a likeness of %.9g, above its floor of %.9g.",
				  row->item, other, score, floor.score);
}

static void
compare_tile(GraphCheck *check, const RecsysContentTuple *tuples, int n)
{
	const char *packed[RECSYS_TILE];
	int			stride = RecsysBlockStride(check->block);

	for (int i = 0; i < n; i++)
		packed[i] = tuples[i]->packed;
	if (n > 0)
		RecsysBlockCompare(check->block, packed, n, check->scores);
	for (int i = 0; i < n; i++)
		for (int row = 0; row < check->nrows; row++)
			check_pair(check, &check->rows[row], tuples[i]->item,
					   check->scores[(Size) i * stride + row]);
}

static void
compare_page(void *arg, const RecsysContentPage *page)
{
	GraphCheck *check = arg;
	RecsysContentTuple tuples[RECSYS_TILE];
	int			n = 0;

	for (int i = 0; i < page->ntuples; i++)
	{
		if ((page->tuples[i]->flags & RECSYS_CONTENT_CURRENT) == 0)
			continue;
		tuples[n++] = page->tuples[i];
		if (n == RECSYS_TILE)
		{
			compare_tile(check, tuples, n);
			n = 0;
		}
	}
	compare_tile(check, tuples, n);
}

/* Contents of the rows that are checked */
static void
gather_page(void *arg, const RecsysContentPage *page)
{
	GraphCheck *check = arg;

	for (int i = 0; i < page->ntuples; i++)
	{
		RecsysContentTuple tuple = page->tuples[i];
		Size		size = RECSYS_CONTENT_HEADER + page->sizes[i];
		uint32		slot = tuple->item < check->nitems ? check->slots[tuple->item] : 0;

		if ((tuple->flags & RECSYS_CONTENT_CURRENT) == 0 || slot == 0)
			continue;
		check->rows[slot - 1].content = palloc(size);
		memcpy(check->rows[slot - 1].content, tuple, size);
	}
}

static void
read_row(GraphCheck *check, RecsysGraphReader *reader, uint32 item, CheckedRow *checked)
{
	RecsysGraphRow row = RecsysGraphNeedRow(reader, item);

	memset(checked, 0, sizeof(*checked));
	checked->item = item;
	checked->flags = row->flags;
	checked->list.count = row->nstored;
	checked->list.floor_score = row->floor_score;
	checked->list.floor_item = row->floor_item;
	checked->list.neighbors = palloc(sizeof(RecsysNeighbor) * (row->nstored + 1));
	checked->found = palloc0(row->nstored + 1);
	for (int i = 0; i < row->nstored; i++)
	{
		checked->list.neighbors[i].item = row->peers[i];
		checked->list.neighbors[i].score = RecsysRowScores(row)[i];
		checked->list.neighbors[i].support = RecsysRowSupports(row)[i];
	}
	RecsysGraphReleaseRow(reader);
	if (checked->list.floor_score > 0 && checked->list.floor_item >= check->nitems)
		corrupted(check, "Item number %u has a floor at item number %u, there are %u items.",
				  item, checked->list.floor_item, check->nitems);
}

/* Does the row have what all of its neighbors have? */
static void
finish_row(GraphCheck *check, const CheckedRow *row)
{
	for (int i = 0; i < row->list.count; i++)
	{
		const RecsysNeighbor *neighbor = &row->list.neighbors[i];

		if (!row->found[i] && !check->flagged[neighbor->item])
			corrupted(check, "Item number %u has neighbor %u with a score of %.9g, which is not their likeness.",
					  row->item, neighbor->item, neighbor->score);
		if (neighbor->support != 0)
			corrupted(check, "Item number %u has a neighbor with support %u.",
					  row->item, neighbor->support);
		if (i > 0 && RecsysNeighborCompare(&check->order, neighbor - 1, neighbor) >= 0)
			corrupted(check, "Item number %u has neighbors out of order.", row->item);
	}
	if (row->list.floor_score > 0 &&
		check->facts[row->item].floor > row->list.floor_score)
		corrupted(check, "The content of item number %u has a floor of %.9g, its row one of %.9g.",
				  row->item, check->facts[row->item].floor, row->list.floor_score);
	if (row->list.floor_score == 0 && check->facts[row->item].floor != 0)
		corrupted(check, "The content of item number %u has a floor of %.9g, its row has none.",
				  row->item, check->facts[row->item].floor);
}

/* The rows of some items, each with content and not flagged */
static void
check_rows(GraphCheck *check, const uint32 *items, int n)
{
	RecsysGraphReader reader;
	Size		stride;

	check->rows = palloc0(sizeof(CheckedRow) * n);
	check->nrows = n;
	check->block = RecsysBlockCreate(&check->meta->model, n);
	RecsysGraphReaderInit(&reader, check->index);
	for (int i = 0; i < n; i++)
	{
		read_row(check, &reader, items[i], &check->rows[i]);
		check->slots[items[i]] = i + 1;
	}
	RecsysGraphReaderDone(&reader);

	RecsysContentScan(check->index, gather_page, check);
	for (int i = 0; i < n; i++)
	{
		check->slots[items[i]] = 0;
		RecsysBlockAdd(check->block, check->rows[i].content->packed);
	}
	stride = RecsysBlockStride(check->block);
	check->scores = (float *) TYPEALIGN(64, palloc(sizeof(float) * RECSYS_TILE * stride + 64));
	RecsysContentScan(check->index, compare_page, check);
	for (int i = 0; i < n; i++)
		finish_row(check, &check->rows[i]);
	RecsysBlockFree(check->block);
}

/* Notes which items are flagged; those with content must have a row that says so. */
static void
check_flags(GraphCheck *check)
{
	RecsysGraphReader reader;

	RecsysGraphReaderInit(&reader, check->index);
	for (uint32 item = 0; item < check->nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&reader, item);
		uint32		users = row->users;
		int			nstored = row->nstored;

		check->flagged[item] = (row->flags & FLAGGED) != 0;
		RecsysGraphReleaseRow(&reader);
		CHECK_FOR_INTERRUPTS();
		if (check->flagged[item])
			continue;
		if (users != (check->facts[item].has_current ? 1 : 0))
			corrupted(check, check->facts[item].has_current ?
					  "Item number %u has content, which its graph row does not know." :
					  "Item number %u has no content, its graph row says it has.", item);
		if (users == 0 && nstored > 0)
			corrupted(check, "Item number %u has no content and %d neighbors.", item, nstored);
	}
	RecsysGraphReaderDone(&reader);
}

/* The items whose rows are checked: all, or some at random */
static uint32
choose_items(GraphCheck *check, uint32 *items)
{
	uint32		n = 0;
	double		most;
	RecsysRandom random;

	for (uint32 item = 0; item < check->nitems; item++)
		if (check->facts[item].has_current && !check->flagged[item])
			items[n++] = item;
	most = Max(MAX_COMPARISONS / Max(n, 1), LEAST_ITEMS);
	if (n <= most)
		return n;

	RecsysRandomStart(&random, 1, 0);
	for (uint32 i = 0; i < (uint32) most; i++)
	{
		uint32		other = i + RecsysRandomBelow(&random, n - i);
		uint32		swap = items[i];

		items[i] = items[other];
		items[other] = swap;
	}
	return (uint32) most;
}

void
RecsysCheckItemsGraph(Relation index, const RecsysContentMeta *meta, const RecsysItemFacts *facts,
					  uint32 nitems)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys check items",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext some = AllocSetContextCreate(context, "recsys check some items",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecsysItemOrder *order = RecsysItemOrderCreate(index, nitems);
	GraphCheck	check = {.index = index, .meta = meta, .facts = facts, .nitems = nitems};
	uint32	   *items = MemoryContextAllocHuge(context, sizeof(uint32) * (Size) Max(nitems, 1));
	uint32		n;

	check.order = RecsysItemOrderForCore(order);
	check.flagged = MemoryContextAllocExtended(context, Max(nitems, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check.slots = MemoryContextAllocExtended(context, sizeof(uint32) * (Size) Max(nitems, 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check_flags(&check);
	n = choose_items(&check, items);
	for (uint32 first = 0; first < n; first += MAX_QUERIES)
	{
		MemoryContextSwitchTo(some);
		check_rows(&check, items + first, Min(n - first, MAX_QUERIES));
		MemoryContextSwitchTo(context);
		MemoryContextReset(some);
	}
	RecsysItemOrderFree(order);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
