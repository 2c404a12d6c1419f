/*
 * parallel_model.h
 *	  The item graph computed by parallel workers.
 */
#ifndef RECSYS_PARALLEL_MODEL_H
#define RECSYS_PARALLEL_MODEL_H

#include "postgres.h"

#include "core/cooccurrence.h"
#include "source/historyfile.h"

typedef struct RecsysParallelModel
{
	int			nworkers;		/* most that may be used */
	Size		memory_left;	/* bytes that may still be allocated, by all together */
	int			max_history;
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;

	/*
	 * The histories are in one of the two.  The arrays of the matrix are freed
	 * once they are in shared memory.
	 */
	RecsysMatrix *matrix;
	RecsysHistoryFile *file;
} RecsysParallelModel;

/*
 * Report every item's neighbors, in ascending item order.  Returns the number
 * of passes over the histories, or 0 if nothing has been done, because memory
 * does not suffice for a single worker.
 */
extern int	RecsysParallelModelRun(const RecsysParallelModel *model,
								   RecsysRowReporter report, void *arg);

#endif							/* RECSYS_PARALLEL_MODEL_H */
