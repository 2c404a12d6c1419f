/*
 * rowgather.h
 *	  Rows of the item graph gathered from its columns.
 *
 * For models that learn for each item what predicts it.  Of each row only the
 * best neighbors are kept, so that memory is bounded by the size of the graph.
 */
#ifndef RECSYS_ROWGATHER_H
#define RECSYS_ROWGATHER_H

#include "core/pairs/cooccurrence.h"

typedef struct RecsysRowGather RecsysRowGather;

/* Keeps at most this many neighbors for each row. */
extern RecsysRowGather *RecsysRowGatherCreate(uint32 nitems, int neighbors);

/*
 * Row reporter for the columns, arg being the gather: item is the target, the
 * neighbors are the rows with a positive score for it.  Each target once.
 */
extern void RecsysRowGatherAdd(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count);

/* Reports all rows, in ascending item order, best neighbors first. */
extern void RecsysRowGatherReport(RecsysRowGather *gather, RecsysRowReporter report, void *arg);
extern void RecsysRowGatherFree(RecsysRowGather *gather);

/* Bytes taken now, and what they can come to. */
extern Size RecsysRowGatherUsed(const RecsysRowGather *gather);
extern Size RecsysRowGatherMemory(uint32 nitems, int neighbors);

#endif							/* RECSYS_ROWGATHER_H */
