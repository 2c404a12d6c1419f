/*
 * slim.h
 *	  SLIM: each item as a sparse non-negative combination of others.
 */
#ifndef RECSYS_SLIM_H
#define RECSYS_SLIM_H

#include "core/pairs/cooccurrence.h"

typedef struct RecsysSlimKernel RecsysSlimKernel;

/*
 * users is user-major, items its transpose; the arguments must outlive the
 * kernel, and several kernels may read the same ones.
 */
extern RecsysSlimKernel *RecsysSlimKernelCreate(const RecsysMatrix *users,
												const RecsysMatrix *items,
												const RecsysItemTotals *totals,
												const RecsysModelOptions *options);

/*
 * Reports the items that predict each of the targets first .. last-1, with their
 * weights as scores, in no order: the columns of the item graph.
 */
extern void RecsysSlimKernelColumns(RecsysSlimKernel *kernel, uint32 first, uint32 last,
									RecsysRowReporter report, void *arg);
extern void RecsysSlimKernelFree(RecsysSlimKernel *kernel);

/* Memory that a kernel needs in addition to its arguments. */
extern Size RecsysSlimMemory(uint32 nusers, uint32 nitems, bool weighted,
							 const RecsysModelOptions *options);

#endif							/* RECSYS_SLIM_H */
