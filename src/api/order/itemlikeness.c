/*
 * itemlikeness.c
 *	  How alike items of a pool are, by the graph of a recommender's first signal.
 *
 * Neighbors of an item are read once, when it is first compared with, and of them only
 * those are kept that are in the pool.  Nearly all neighbors are in no pool: whether one
 * is takes a look into a small table, by the numbers that the graph itself has.
 */
#include "postgres.h"

#include "api/candidates/scorepiece.h"
#include "api/order/itemlikeness.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* How alike two items of a category are at least */
#define SAME_CATEGORY 0.5

/* Rows of the pool by their items' numbers: open addressing, at most a quarter full */
typedef struct RowPlace
{
	uint32		number;			/* of the index, or the slot where the graph is a table */
	int			row;			/* -1: empty */
} RowPlace;

/* A neighbor that is in the pool */
typedef struct PoolNeighbor
{
	int			row;
	float		score;
} PoolNeighbor;

typedef struct PoolNeighbors
{
	bool		is_read;
	int			count;
	int			room;
	PoolNeighbor *neighbors;	/* ascending by row */
	float		highest;		/* of all neighbors */
} PoolNeighbors;

struct RecsysItemLikeness
{
	const RecsysShopProfile *profile;
	const RecsysItemRow *rows;
	int			n;
	MemoryContext context;
	PoolNeighbors *of;			/* by row */

	bool		is_open;
	RowPlace   *places;
	uint32		mask;
	RecsysScorePiece graph;		/* of no items */
	RecsysGraphReader reader;
};

RecsysItemLikeness *
RecsysItemLikenessCreate(const RecsysShopProfile *profile, const RecsysItemRow *rows, int n)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "recsys item likeness",
												  ALLOCSET_DEFAULT_SIZES);
	RecsysItemLikeness *likeness = MemoryContextAllocZero(context, sizeof(RecsysItemLikeness));

	likeness->profile = profile;
	likeness->rows = rows;
	likeness->n = n;
	likeness->context = context;
	likeness->of = MemoryContextAllocExtended(context, sizeof(PoolNeighbors) * (Size) Max(n, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return likeness;
}

void
RecsysItemLikenessFree(RecsysItemLikeness *likeness)
{
	if (likeness->is_open)
	{
		if (likeness->graph.graph.index != NULL)
			RecsysGraphReaderDone(&likeness->reader);
		RecsysClosePieceGraph(&likeness->graph);
	}
	MemoryContextDelete(likeness->context);
}

static void
enter_row(RecsysItemLikeness *likeness, uint32 number, int row)
{
	uint32		x = number & likeness->mask;

	while (likeness->places[x].row >= 0)
		x = (x + 1) & likeness->mask;
	likeness->places[x] = (RowPlace) {number, row};
}

static void
open_graph(RecsysItemLikeness *likeness)
{
	const RecsysShopProfile *profile = likeness->profile;
	RecsysScorePiece *graph = &likeness->graph;
	uint32		size = pg_nextpower2_32(Max(likeness->n * 4, 64));

	RecsysOpenPieceGraph(graph, profile->shop, profile->shop->definition->signals[0].graph,
						 &profile->evidence[0]);
	likeness->is_open = true;
	likeness->mask = size - 1;
	likeness->places = palloc_extended(sizeof(RowPlace) * (Size) size, MCXT_ALLOC_HUGE);
	memset(likeness->places, 0xFF, sizeof(RowPlace) * (Size) size);
	for (int row = 0; row < likeness->n; row++)
	{
		uint32		number = likeness->rows[row].slot;

		if (graph->graph.index != NULL)
			number = RecsysMapNumber(graph->map, graph->graph.index, number);
		if (number != RECSYS_NONE)
			enter_row(likeness, number, row);
	}
	if (graph->graph.index != NULL)
		RecsysGraphReaderInit(&likeness->reader, graph->graph.index);
}

/* The first row of a number, -1 if it has none. */
static inline int
find_row(const RecsysItemLikeness *likeness, uint32 number)
{
	for (uint32 x = number & likeness->mask;; x = (x + 1) & likeness->mask)
		if (likeness->places[x].row < 0 || likeness->places[x].number == number)
			return likeness->places[x].row;
}

static void
add_neighbor(RecsysItemLikeness *likeness, PoolNeighbors *of, uint32 number, float score)
{
	int			row = find_row(likeness, number);

	of->highest = Max(of->highest, score);
	if (row < 0)
		return;
	if (of->count == of->room)
	{
		of->room = Max(of->room * 2, 8);
		/* a query that is being run has a context of its own */
		of->neighbors = of->neighbors == NULL ?
			MemoryContextAlloc(likeness->context, sizeof(PoolNeighbor) * of->room) :
			repalloc(of->neighbors, sizeof(PoolNeighbor) * of->room);
	}
	of->neighbors[of->count++] = (PoolNeighbor) {row, score};
}

/* A row's neighbors, copied while its page is locked */
typedef struct RowCopy
{
	int			n;
	uint32		peers[RECSYS_MAX_STORED];
	float		scores[RECSYS_MAX_STORED];
} RowCopy;

static void
copy_row(void *arg, int place, RecsysGraphRow row)
{
	RowCopy    *copy = arg;

	copy->n = row->nneighbors;
	memcpy(copy->peers, row->peers, sizeof(uint32) * copy->n);
	memcpy(copy->scores, RecsysRowScores(row), sizeof(float) * copy->n);
}

static void
read_index(RecsysItemLikeness *likeness, PoolNeighbors *of, uint32 slot)
{
	uint32		number = RecsysMapNumber(likeness->graph.map, likeness->graph.graph.index, slot);
	RowCopy		copy;

	copy.n = 0;
	if (number == RECSYS_NONE)
		return;
	RecsysGraphReaderRemember(&likeness->reader);
	RecsysGraphVisitRows(&likeness->reader, &number, 1, copy_row, &copy);
	for (int x = 0; x < copy.n; x++)
		add_neighbor(likeness, of, copy.peers[x], copy.scores[x]);
}

typedef struct TableReading
{
	RecsysItemLikeness *likeness;
	PoolNeighbors *of;
} TableReading;

static void
add_pair(void *arg, int place, uint32 similar, float score, int64 support)
{
	TableReading *reading = arg;

	add_neighbor(reading->likeness, reading->of, similar, score);
}

static int
compare_rows(const void *a, const void *b)
{
	int			left = ((const PoolNeighbor *) a)->row;
	int			right = ((const PoolNeighbor *) b)->row;

	return left < right ? -1 : left > right;
}

static void
read_neighbors(RecsysItemLikeness *likeness, int row)
{
	PoolNeighbors *of = &likeness->of[row];
	uint32		slot = likeness->rows[row].slot;
	MemoryContext old = MemoryContextSwitchTo(likeness->context);

	if (!likeness->is_open)
		open_graph(likeness);
	if (likeness->graph.graph.index != NULL)
		read_index(likeness, of, slot);
	else
	{
		TableReading reading = {likeness, of};

		RecsysVisitTableGraph(likeness->graph.table, NULL, likeness->profile->catalogue, &slot, 1,
							  RECSYS_NONE, add_pair, &reading);
	}
	if (of->count > 1)
		qsort(of->neighbors, of->count, sizeof(PoolNeighbor), compare_rows);
	of->is_read = true;
	MemoryContextSwitchTo(old);
}

double
RecsysItemLikenessOf(RecsysItemLikeness *likeness, int row, int other)
{
	PoolNeighbors *of = &likeness->of[other];
	RecsysLabel category = likeness->rows[row].category;
	double		least = category != 0 && category == likeness->rows[other].category ? SAME_CATEGORY : 0;
	PoolNeighbor key = {row, 0};
	PoolNeighbor *found;

	if (!of->is_read)
		read_neighbors(likeness, other);
	found = of->count == 0 ? NULL :
		bsearch(&key, of->neighbors, of->count, sizeof(PoolNeighbor), compare_rows);
	if (found == NULL || !(of->highest > 0))
		return least;
	return Max(least, (double) found->score / of->highest);
}
