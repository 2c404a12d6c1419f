/*
 * heaprows.h
 *	  Which rows of a heap a snapshot sees, many of them at once.
 */
#ifndef RECSYS_HEAPROWS_H
#define RECSYS_HEAPROWS_H

#include "postgres.h"

#include "utils/rel.h"
#include "utils/snapshot.h"

/* Can it be asked of that table, with that snapshot? */
extern bool RecsysHeapRowsCanBeSeen(Relation table, Snapshot snapshot);

/*
 * Rows at n positions, see RecsysTidPosition, which are TIDs that an index has: seen[i] becomes
 * whether the snapshot sees the row at positions[i].  Fastest where rows of one page stand
 * together.  No page stays pinned.
 */
extern void RecsysSeeHeapRows(Relation heap, Snapshot snapshot, const uint64 *positions, int n,
							  bool *seen);

/* The same for rows of several heaps: that at positions[i] is of heaps[i]. */
extern void RecsysSeeRowsOfHeaps(const Relation *heaps, Snapshot snapshot, const uint64 *positions,
								 int n, bool *seen);

#endif							/* RECSYS_HEAPROWS_H */
