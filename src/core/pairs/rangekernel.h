/*
 * rangekernel.h
 *	  Item co-occurrence in memory, without the whole transpose: bands of items have theirs
 *	  one after the other.
 */
#ifndef RECSYS_RANGEKERNEL_H
#define RECSYS_RANGEKERNEL_H

#include "core/pairs/cooccurrence.h"

typedef struct RecsysRangeKernel RecsysRangeKernel;

/*
 * users is the user-major matrix, of which narrow may be all that there is of columns.
 * memory bounds the transpose of a band, which has one item at least.  The other arguments
 * must outlive the kernel.
 */
extern RecsysRangeKernel *RecsysRangeKernelCreate(const RecsysMatrix *users,
												  const RecsysItemTotals *totals,
												  const RecsysModelOptions *options, Size memory);

/*
 * The end of the range that begins with an item, within the band at hand or one that begins
 * there; no further where its rows cost so much.
 */
extern uint32 RecsysRangeKernelEnd(const RecsysRangeKernel *kernel, uint32 first, uint64 cost);

extern void RecsysRangeKernelRows(RecsysRangeKernel *kernel, uint32 first, uint32 last,
								  RecsysRowReporter report, void *arg);
extern void RecsysRangeKernelFree(RecsysRangeKernel *kernel);

/* Bytes that a kernel takes beside the transposes, and the least that these should have */
extern Size RecsysRangeKernelMemory(uint32 nitems, bool weighted);
extern Size RecsysRangeKernelLeast(const RecsysItemTotals *totals, bool weighted);

#endif							/* RECSYS_RANGEKERNEL_H */
