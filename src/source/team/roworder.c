/*
 * roworder.c
 *	  Rows of the item graph from several processes, reported in ascending order.
 *
 * Leader and workers claim ranges of rows in ascending order, so each worker sends its
 * rows in ascending order through its own queue.  The leader reports a row once all
 * rows before it have been reported.  The next row to report is the first in some
 * queue, or among the leader's own rows, or has yet to arrive.  Own rows of the leader
 * that are not due yet wait in a buffer.
 *
 * There is no deadlock: when a queue or the buffer is full, whoever claimed the ranges
 * below it is still computing, and the leader reads what they send.
 */
#include "postgres.h"

#include "source/team/roworder.h"

/* A row as it is sent; its neighbors follow. */
typedef struct RowHeader
{
	uint32		item;
	uint32		count;
} RowHeader;

struct RecsysRowOrder
{
	RecsysWorkers *workers;
	int			nworkers;
	const RowHeader **heads;	/* of each worker: a row received, not yet due */
	uint32		nitems;
	uint32		next;			/* item that is due */
	RecsysRowReporter report;
	void	   *arg;

	/* rows of our own that are not yet due: buffer[start .. end-1] */
	char	   *buffer;
	Size		size;
	Size		start;
	Size		end;
};

RecsysRowOrder *
RecsysRowOrderCreate(RecsysWorkers *workers, int nworkers, uint32 nitems, Size size,
					 RecsysRowReporter report, void *arg)
{
	RecsysRowOrder *order = palloc0(sizeof(RecsysRowOrder));

	order->workers = workers;
	order->nworkers = nworkers;
	order->heads = palloc0(sizeof(RowHeader *) * Max(nworkers, 1));
	order->nitems = nitems;
	order->report = report;
	order->arg = arg;
	order->size = size;
	order->buffer = palloc(size);
	return order;
}

void
RecsysRowOrderFree(RecsysRowOrder *order)
{
	pfree(order->buffer);
	pfree(order->heads);
	pfree(order);
}

static Size
row_size(const RowHeader *row)
{
	return sizeof(RowHeader) + sizeof(RecsysNeighbor) * row->count;
}

static void
report_row(RecsysRowOrder *order, const RowHeader *row)
{
	order->report(order->arg, row->item, (const RecsysNeighbor *) (row + 1), row->count);
	order->next++;
}

/* The first row of a worker's queue that has not been reported, if it is there. */
static const RowHeader *
head_of(RecsysRowOrder *order, int worker)
{
	const void *message;
	Size		size;

	if (order->heads[worker] == NULL &&
		RecsysWorkersReceive(order->workers, worker, &message, &size))
	{
		order->heads[worker] = message;
		if (size < sizeof(RowHeader) || size != row_size(message))
			elog(ERROR, "invalid row of %zu bytes from a recsys parallel worker", size);
	}
	return order->heads[worker];
}

void
RecsysRowOrderReport(RecsysRowOrder *order)
{
	bool		reported;

	do
	{
		reported = false;
		while (order->start < order->end)
		{
			const RowHeader *row = (const RowHeader *) (order->buffer + order->start);

			if (row->item != order->next)
				break;
			order->start += row_size(row);
			report_row(order, row);
			reported = true;
		}
		for (int worker = 0; worker < order->nworkers; worker++)
		{
			const RowHeader *row;

			while ((row = head_of(order, worker)) != NULL && row->item == order->next)
			{
				report_row(order, row);
				order->heads[worker] = NULL;
				reported = true;
			}
		}
	} while (reported);
	if (order->start == order->end)
		order->start = order->end = 0;
}

bool
RecsysRowOrderHasRoom(const RecsysRowOrder *order)
{
	return order->end - order->start <= order->size / 2;
}

bool
RecsysRowOrderDone(const RecsysRowOrder *order)
{
	return order->next >= order->nitems;
}

void
RecsysRowOrderWait(RecsysRowOrder *order)
{
	if (RecsysWorkersDone(order->workers))
	{
		/* this raises the error of a worker that had one */
		RecsysWorkersFinish(order->workers);
		elog(ERROR, "rows from item %u on are missing", order->next);
	}
	RecsysWorkersWait(order->workers);
	RecsysRowOrderReport(order);
}

void
RecsysRowOrderTake(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysRowOrder *order = arg;
	RowHeader	header;

	header.item = item;
	header.count = count;
	RecsysRowOrderReport(order);
	while (item != order->next && order->end - order->start + row_size(&header) > order->size)
		RecsysRowOrderWait(order);
	if (item == order->next)
	{
		order->report(order->arg, item, neighbors, count);
		order->next++;
		return;
	}

	if (order->end + row_size(&header) > order->size)
	{
		order->end -= order->start;
		memmove(order->buffer, order->buffer + order->start, order->end);
		order->start = 0;
	}
	memcpy(order->buffer + order->end, &header, sizeof(header));
	memcpy(order->buffer + order->end + sizeof(header), neighbors,
		   sizeof(RecsysNeighbor) * count);
	order->end += row_size(&header);
}

void
RecsysRowOrderLead(RecsysRowOrder *order, RecsysRangeTaker take, void *arg)
{
	while (!RecsysRowOrderDone(order))
	{
		RecsysRowOrderReport(order);
		if (RecsysRowOrderHasRoom(order) && take(arg, RecsysRowOrderTake, order))
			continue;
		if (!RecsysRowOrderDone(order))
			RecsysRowOrderWait(order);
	}
}

void
RecsysRowSend(RecsysWorker *worker, uint32 item, const RecsysNeighbor *neighbors, int count,
			  bool flush)
{
	RowHeader	header;

	header.item = item;
	header.count = count;
	RecsysWorkerSend(worker, &header, sizeof(header), neighbors, sizeof(RecsysNeighbor) * count,
					 flush);
}
