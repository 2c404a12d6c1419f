/*
 * rowranges.h
 *	  Rows of the item graph by leader and workers, who claim ranges of items.
 */
#ifndef RECSYS_ROWRANGES_H
#define RECSYS_ROWRANGES_H

#include "postgres.h"

#include "core/pairs/cooccurrence.h"
#include "port/atomics.h"
#include "source/team/roworder.h"
#include "source/team/workers.h"

/* In shared memory */
typedef struct RecsysSharedRows
{
	uint32		nitems;
	uint64		range_cost;		/* of a range */
	pg_atomic_uint32 next;		/* first item that nobody has claimed */
	pg_atomic_uint32 ranges;	/* claimed so far */
} RecsysSharedRows;

/* One process that computes rows */
typedef struct RecsysRowMaker
{
	RecsysSharedRows *shared;

	/* the end of the range that begins with an item */
	uint32		(*range_end) (void *arg, uint32 first);

	/* the rows first .. last - 1 */
	void		(*compute) (void *arg, uint32 first, uint32 last, RecsysRowReporter report,
							void *report_arg);
	void	   *arg;

	/* of this file */
	RecsysWorker *worker;		/* NULL in the leader */
	uint32		last;			/* end of the range at hand */
} RecsysRowMaker;

/* For the leader, before workers begin: each participant claims so many ranges on average. */
extern void RecsysSharedRowsInit(RecsysSharedRows *shared, const RecsysItemTotals *totals,
								 int participants, int ranges_each);

/* The end of the range that begins with an item, if it is to cost as much as the others. */
extern uint32 RecsysSharedRowsEnd(const RecsysSharedRows *shared, const RecsysItemTotals *totals,
								  uint32 first);

/* In a worker: compute rows and send them until there are none left. */
extern void RecsysRowMakerSend(RecsysRowMaker *maker, RecsysWorker *worker);

/*
 * In the leader: compute rows and report all of them, in order.  Those that are not yet due take
 * queue bytes.
 */
extern void RecsysRowMakerLead(RecsysRowMaker *maker, RecsysWorkers *workers, int nlaunched,
							   Size queue, RecsysRowReporter report, void *arg);

/* Bytes of a queue, of so many that are left of the memory */
extern Size RecsysRowQueueSize(Size left);

/* Totals as training by pairs looks at them, in arrays that are there; those of weights may be missing. */
extern void RecsysCopyTotals(RecsysItemTotals *to, const RecsysItemTotals *from);

#endif							/* RECSYS_ROWRANGES_H */
