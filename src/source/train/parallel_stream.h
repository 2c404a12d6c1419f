/*
 * parallel_stream.h
 *	  Measures of pairs by parallel workers, where histories and their transpose do not fit in
 *	  memory together.
 */
#ifndef RECSYS_PARALLEL_STREAM_H
#define RECSYS_PARALLEL_STREAM_H

#include "source/train/training.h"

/*
 * Reports every item's neighbors, in ascending item order.  Returns the number of passes
 * over the histories, or 0 if nothing has been done, because memory does not suffice for a
 * single worker.
 */
extern int	RecsysParallelStreamRun(const RecsysTraining *training, RecsysRowReporter report,
									void *arg);

#endif							/* RECSYS_PARALLEL_STREAM_H */
