/*
 * roworder.h
 *	  Rows of the item graph from several processes, reported in ascending order.
 */
#ifndef RECSYS_ROWORDER_H
#define RECSYS_ROWORDER_H

#include "postgres.h"

#include "core/pairs/cooccurrence.h"
#include "source/team/workers.h"

typedef struct RecsysRowOrder RecsysRowOrder;

/*
 * In the leader, for the rows of nitems items.  Rows of its own that are not yet due wait in a
 * buffer of that many bytes.
 */
extern RecsysRowOrder *RecsysRowOrderCreate(RecsysWorkers *workers, int nworkers, uint32 nitems,
											Size size, RecsysRowReporter report, void *arg);
extern void RecsysRowOrderFree(RecsysRowOrder *order);

/* A RecsysRowReporter that takes the leader's rows.  It waits where the buffer is full. */
extern void RecsysRowOrderTake(void *order, uint32 item, const RecsysNeighbor *neighbors, int count);

/* Report all that is due and there. */
extern void RecsysRowOrderReport(RecsysRowOrder *order);

/* Is there room in the buffer for a good number of rows? */
extern bool RecsysRowOrderHasRoom(const RecsysRowOrder *order);

/* Have all rows been reported? */
extern bool RecsysRowOrderDone(const RecsysRowOrder *order);

/* Wait for workers' rows: there are some to come, and the next one that is due is theirs. */
extern void RecsysRowOrderWait(RecsysRowOrder *order);

/*
 * The leader computes, too, until all rows have been reported.  take reports the rows of a range
 * that nobody has claimed; false when there is none.
 */
typedef bool (*RecsysRangeTaker) (void *arg, RecsysRowReporter report, void *report_arg);

extern void RecsysRowOrderLead(RecsysRowOrder *order, RecsysRangeTaker take, void *arg);

/* Bytes of a queue, and of the leader's buffer, that may be about that large; some rows fit. */
#define RECSYS_MAX_ROW_QUEUE ((Size) 1024 * 1024)
#define RECSYS_MIN_ROW_QUEUE ((Size) 64 * 1024)
#define RECSYS_ROW_QUEUE(size) Min(Max((size), RECSYS_MIN_ROW_QUEUE), RECSYS_MAX_ROW_QUEUE)

/* In a worker.  Rows may stay unnoticed for a while unless flush is set. */
extern void RecsysRowSend(RecsysWorker *worker, uint32 item, const RecsysNeighbor *neighbors,
						  int count, bool flush);

#endif							/* RECSYS_ROWORDER_H */
