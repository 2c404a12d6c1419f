/*
 * userbaskets.c
 *	  A user's baskets as an index has them, and what the item graph says of when their items are
 *	  bought again.
 *
 * Every entry of a user in the index is a row with its weight and time, so that baskets need no
 * look into the table.  What other users tell of an item stands in its row of the item graph,
 * which serving reads anyway.
 */
#include "postgres.h"

#include "am/graph/graph.h"
#include "am/graph/itemorder.h"
#include "api/next/userbaskets.h"
#include "api/scoring/serving.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "utils/memutils.h"

static void
make_history(RecsysRecommender *recommender, int64 until, RecsysUserBaskets *baskets)
{
	Relation	index = recommender->index;
	Size		size = sizeof(RecsysInteraction) * (Size) baskets->nseen;
	RecsysInteraction *copy = MemoryContextAllocHuge(CurrentMemoryContext, size);
	RecsysItemOrder *items = RecsysItemOrderCreate(index, RecsysItemCount(index));
	RecsysKeyOrder order = RecsysItemOrderForCore(items);
	RecsysFolding folding;

	memcpy(copy, baskets->seen, size);
	RecsysMetaFolding(&RecsysGetCache(index)->meta, &order, &folding);
	RecsysBasketHistoryMake(copy, baskets->nseen, &folding, until, &baskets->history);
	RecsysItemOrderFree(items);
	pfree(copy);
}

/*
 * As of now means as of the start of the transaction, like everything that the session's clock is
 * asked for; but what others have committed meanwhile, and what this transaction has written by
 * the clock on the wall, has been bought.
 */
void
RecsysReadUserBaskets(RecsysRecommender *recommender, const RecsysKey *user, const TimestampTz *at,
					  RecsysUserBaskets *baskets)
{
	Oid			type = recommender->columns.time_type;
	int64		until = at != NULL ? RecsysTimeOfColumn(type, *at) : RecsysClockOfColumn(type);

	memset(baskets, 0, sizeof(*baskets));
	baskets->now = at != NULL ? until : RecsysNow(type);
	if (user == NULL)
		return;
	baskets->nseen = RecsysReadUserRows(recommender, user, until, &baskets->seen);
	if (baskets->nseen == 0)
		return;
	make_history(recommender, until, baskets);
	if (baskets->history.nbaskets > 0)
		baskets->now = Max(baskets->now, baskets->history.times[baskets->history.nbaskets - 1]);
}

/* What is taken of the rows that are visited */
typedef struct Visit
{
	RecsysBasketItemFacts *facts;
	RecsysItemNeighbors *neighbors; /* NULL: they are not wanted */
	char	   *room;			/* what is left of the last piece of memory for them */
	Size		left;
	Size		taken;
} Visit;

/* Pieces of memory for neighbors: some hundred rows each */
#define PIECE ((Size) 128 * 1024)

/* A row can be on its page only while that is locked. */
static void
copy_neighbors(Visit *visit, int position, RecsysGraphRow row)
{
	Size		size = sizeof(uint32) * (Size) row->nneighbors;
	RecsysItemNeighbors *copy = &visit->neighbors[position];

	visit->taken += 2 * size;
	if (visit->taken > (Size) work_mem * 1024)
	{
		visit->neighbors = NULL;
		return;
	}
	if (visit->left < 2 * size)
	{
		visit->left = Max(PIECE, 2 * size);
		visit->room = palloc(visit->left);
	}
	copy->count = row->nneighbors;
	copy->items = memcpy(visit->room, row->peers, size);
	copy->scores = memcpy(visit->room + size, RecsysRowScores(row), size);
	visit->room += 2 * size;
	visit->left -= 2 * size;
}

static void
take_facts(void *arg, int position, RecsysGraphRow row)
{
	Visit	   *visit = arg;
	RecsysBasketItemFacts *facts = &visit->facts[position];

	facts->users = row->users;
	facts->rhythm = row->rhythm;
	facts->latest = row->latest;
	if (visit->neighbors != NULL)
		copy_neighbors(visit, position, row);
}

static void *
make_zeroed(Size size, Size n)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size * Max(n, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

RecsysBasketItemFacts *
RecsysReadBasketFacts(RecsysRecommender *recommender, const RecsysUserBaskets *baskets,
					  RecsysItemNeighbors **neighbors)
{
	uint32		n = baskets->history.nitems;
	uint32	   *items = make_zeroed(sizeof(uint32), n);
	RecsysGraphReader reader;
	Visit		visit = {0};

	visit.facts = make_zeroed(sizeof(RecsysBasketItemFacts), n);
	if (neighbors != NULL)
		visit.neighbors = make_zeroed(sizeof(RecsysItemNeighbors), n);
	for (uint32 x = 0; x < n; x++)
		items[x] = baskets->history.items[x].item;
	RecsysGraphReaderInit(&reader, recommender->index);
	RecsysGraphVisitRows(&reader, items, (int) n, take_facts, &visit);
	RecsysGraphReaderDone(&reader);
	pfree(items);
	if (neighbors != NULL)
		*neighbors = visit.neighbors;
	return visit.facts;
}

RecsysRenewal *
RecsysEstimateRenewals(RecsysRecommender *recommender, const RecsysUserBaskets *baskets,
					   const RecsysBasketItemFacts *facts)
{
	RecsysRenewalPrior prior;
	uint64		pairs;
	uint32		n = baskets->history.nitems;
	RecsysRenewal *renewals = MemoryContextAllocHuge(CurrentMemoryContext,
													 sizeof(RecsysRenewal) * (Size) Max(n, 1));

	RecsysReadRhythm(recommender->index, &pairs, &prior.rhythm);
	prior.users = (double) pairs;
	for (uint32 x = 0; x < n; x++)
	{
		if (x % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
		RecsysRenewalEstimate(&baskets->history, x, facts[x].users, &facts[x].rhythm, &prior,
							  baskets->now, &renewals[x]);
	}
	return renewals;
}
