/*
 * rowranges.c
 *	  Rows of the item graph by leader and workers, who claim ranges of items.
 *
 * Ranges are claimed from a shared counter, in ascending order and small enough that nobody is
 * left with much when the others are done.  Workers send the rows, and the leader reports them in
 * order (roworder.c).
 */
#include "postgres.h"

#include "source/team/rowranges.h"

/* The part of the memory left that a queue may be: one in so many. */
#define QUEUE_FRACTION 64

void
RecsysSharedRowsInit(RecsysSharedRows *shared, const RecsysItemTotals *totals, int participants,
					 int ranges_each)
{
	uint64		cost = 0;

	for (uint32 item = 0; item < totals->nitems; item++)
		cost += RecsysKernelCost(totals, item);
	shared->nitems = totals->nitems;
	shared->range_cost = cost / ((uint64) ranges_each * participants) + 1;
	pg_atomic_init_u32(&shared->next, 0);
	pg_atomic_init_u32(&shared->ranges, 0);
}

uint32
RecsysSharedRowsEnd(const RecsysSharedRows *shared, const RecsysItemTotals *totals, uint32 first)
{
	uint64		cost = 0;
	uint32		last = first;

	do
		cost += RecsysKernelCost(totals, last++);
	while (last < shared->nitems && cost < shared->range_cost);
	return last;
}

/* Claim the next range, if there is one. */
static bool
claim_range(RecsysRowMaker *maker, uint32 *first)
{
	RecsysSharedRows *shared = maker->shared;

	*first = pg_atomic_read_u32(&shared->next);
	while (*first < shared->nitems)
	{
		maker->last = maker->range_end(maker->arg, *first);
		if (pg_atomic_compare_exchange_u32(&shared->next, first, maker->last))
		{
			pg_atomic_fetch_add_u32(&shared->ranges, 1);
			return true;
		}
	}
	return false;
}

/* A RecsysRangeTaker */
static bool
take_range(void *arg, RecsysRowReporter report, void *report_arg)
{
	RecsysRowMaker *maker = arg;
	uint32		first;

	if (!claim_range(maker, &first))
		return false;
	maker->compute(maker->arg, first, maker->last, report, report_arg);
	return true;
}

/* A RecsysRowReporter */
static void
send_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysRowMaker *maker = arg;

	RecsysRowSend(maker->worker, item, neighbors, count, item + 1 == maker->last);
}

void
RecsysRowMakerSend(RecsysRowMaker *maker, RecsysWorker *worker)
{
	maker->worker = worker;
	while (!worker->abandoned && take_range(maker, send_row, maker))
		;
}

void
RecsysRowMakerLead(RecsysRowMaker *maker, RecsysWorkers *workers, int nlaunched, Size queue,
				   RecsysRowReporter report, void *arg)
{
	RecsysRowOrder *order = RecsysRowOrderCreate(workers, nlaunched, maker->shared->nitems, queue,
												 report, arg);

	RecsysRowOrderLead(order, take_range, maker);
	RecsysRowOrderFree(order);
}

Size
RecsysRowQueueSize(Size left)
{
	return RECSYS_ROW_QUEUE(left / QUEUE_FRACTION);
}

void
RecsysCopyTotals(RecsysItemTotals *to, const RecsysItemTotals *from)
{
	Size		nitems = from->nitems;

	memcpy(to->users, from->users, sizeof(uint32) * nitems);
	memcpy(to->work, from->work, sizeof(uint64) * nitems);
	if (to->norm2 == NULL)
		return;
	memcpy(to->norm2, from->norm2, sizeof(double) * nitems);
	memcpy(to->mass, from->mass, sizeof(double) * nitems);
}
