/*
 * parallel_lists.h
 *	  Measures of pairs without weights by parallel workers, who prepare the histories, too.
 */
#ifndef RECSYS_PARALLEL_LISTS_H
#define RECSYS_PARALLEL_LISTS_H

#include "source/train/training.h"

/*
 * Reports every item's neighbors, in ascending item order.  Returns the number of passes over
 * the histories, or 0 if nothing has been done: the measure looks at dot products, or memory
 * does not suffice for a single worker.  RECSYS_NO_SHARED_MEMORY: nothing has been done, and
 * other ways to have workers need as much shared memory or help little.
 */
#define RECSYS_NO_SHARED_MEMORY (-1)

extern int	RecsysParallelListsRun(const RecsysTraining *training, RecsysRowReporter report,
								   void *arg);

#endif							/* RECSYS_PARALLEL_LISTS_H */
