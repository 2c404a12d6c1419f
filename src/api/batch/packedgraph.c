/*
 * packedgraph.c
 *	  The item graph of an index, packed in memory for the lists of all users.
 *
 * The rows are read twice: first how many users and neighbors each item has, which says where sums
 * have their places, and how much room there has to be; then the neighbors.  A merge may change
 * rows meanwhile.  As for a single list, each row is read whole as it is at some time; where the
 * graph has grown beyond the room, it is read again.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "am/graph/prior_page.h"
#include "api/batch/packedgraph.h"
#include "core/base/largepages.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Looks at a graph that grows while it is read */
#define MOST_LOOKS 5

typedef struct Packing
{
	const RecsysRecommender *recommender;
	RecsysGraphReader reader;
	uint32		nitems;
	uint32	   *users;
	uint64		neighbors;		/* of all items, as they were counted */
	uint32	   *standings;		/* NULL: numbers are in the order of keys */
} Packing;

static void
count_rows(Packing *packing)
{
	packing->neighbors = 0;
	for (uint32 item = 0; item < packing->nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&packing->reader, item);

		packing->users[item] = row->users;
		packing->neighbors += row->nneighbors;
		RecsysGraphReleaseRow(&packing->reader);
		CHECK_FOR_INTERRUPTS();
	}
}

/* How many of the items that a build has numbered have keys before that of a late one */
static uint32
count_before(RecsysItemOrder *items, uint32 nsorted, uint32 late)
{
	uint32		low = 0;
	uint32		high = nsorted;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (RecsysItemOrderCompare(items, middle, late) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The place of each item in the order of keys, where the items that a build has not seen stand
 * between others.
 */
static uint32 *
read_standings(Relation index, uint32 nitems)
{
	uint32		nsorted = Min(RecsysGetCache(index)->meta.nsorted, nitems);
	uint32		nlate = nitems - nsorted;
	RecsysItemOrder *items;
	RecsysKeyOrder order;
	uint32	   *late;
	uint32	   *standings;
	uint32		passed = 0;

	if (nlate == 0)
		return NULL;
	items = RecsysItemOrderCreate(index, nitems);
	order = RecsysItemOrderForCore(items);
	standings = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) nitems);
	late = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) nlate);
	for (uint32 i = 0; i < nlate; i++)
		late[i] = nsorted + i;
	RecsysKeyOrderSort(&order, late, (int) nlate);
	for (uint32 i = 0; i < nlate; i++)
	{
		uint32		before = count_before(items, nsorted, late[i]);

		CHECK_FOR_INTERRUPTS();
		for (; passed < before; passed++)
			standings[passed] = passed + i;
		standings[late[i]] = before + i;
	}
	for (; passed < nsorted; passed++)
		standings[passed] = passed + nlate;
	pfree(late);
	RecsysItemOrderFree(items);
	return standings;
}

static bool
add_rows(Packing *packing, RecsysBatchGraph *graph, int64 max_age, int64 latest)
{
	for (uint32 item = 0; item < packing->nitems; item++)
	{
		RecsysGraphRow row = RecsysGraphNeedRow(&packing->reader, item);
		bool		fits = RecsysBatchGraphAdd(graph, item, row->peers, RecsysRowScores(row), row->nneighbors);

		if (max_age > 0 && !RecsysIsWithinAge(row->latest, latest, max_age))
			RecsysBatchGraphWithhold(graph, item);
		RecsysGraphReleaseRow(&packing->reader);
		CHECK_FOR_INTERRUPTS();
		if (!fits)
			return false;
	}
	return true;
}

/* *grown: it does not fit into the room that was counted. */
static RecsysBatchGraph *
pack(Packing *packing, Size memory_limit, bool *grown)
{
	Relation	index = packing->recommender->index;
	RecsysBatchGraph *graph;
	RecsysPrior *prior = NULL;
	int64		max_age = 0;
	uint64		room;
	Size		size;

	*grown = false;
	count_rows(packing);
	room = packing->neighbors + packing->neighbors / 32;
	size = RecsysBatchGraphSize(packing->nitems, room);
	if (size > memory_limit)
		return NULL;
	if (RecsysGetCache(index)->meta.prior != InvalidBlockNumber)
	{
		max_age = RecsysGetCache(index)->meta.options.item_max_age;
		prior = palloc(sizeof(RecsysPrior));
		(void) RecsysReadPrior(index, prior);
	}
	graph = MemoryContextAllocHuge(CurrentMemoryContext, size);
	RecsysMapPages(graph, size);
	(void) RecsysBatchGraphInit(graph, packing->nitems, room, packing->users, packing->standings);
	if (!add_rows(packing, graph, max_age, prior != NULL ? prior->latest : RECSYS_NO_TIME))
	{
		*grown = true;
		pfree(graph);
		graph = NULL;
	}
	else if (prior != NULL)
		RecsysBatchGraphSetPrior(graph, prior->items, prior->scores, prior->count);
	if (prior != NULL)
		pfree(prior);
	return graph;
}

RecsysBatchGraph *
RecsysPackGraph(const RecsysRecommender *recommender, Size memory_limit)
{
	Packing		packing = {0};
	RecsysBatchGraph *graph = NULL;
	bool		grown = true;

	packing.recommender = recommender;
	if (RecsysGetCache(recommender->index)->meta.factor_rank > 0)
		return NULL;
	packing.nitems = RecsysItemCount(recommender->index);
	if (RecsysBatchGraphSize(packing.nitems, 0) > memory_limit)
		return NULL;
	packing.users = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(uint32) * ((Size) packing.nitems + 1));
	packing.standings = read_standings(recommender->index, packing.nitems);
	RecsysGraphReaderInit(&packing.reader, recommender->index);
	for (int look = 0; grown && look < MOST_LOOKS; look++)
		graph = pack(&packing, memory_limit, &grown);
	RecsysGraphReaderDone(&packing.reader);
	pfree(packing.users);
	if (packing.standings != NULL)
		pfree(packing.standings);
	return graph;
}
