/*
 * parallel_model.h
 *	  The item graph computed by parallel workers.
 */
#ifndef RECSYS_PARALLEL_MODEL_H
#define RECSYS_PARALLEL_MODEL_H

#include "source/train/training.h"

/*
 * Reports every item's neighbors, in ascending item order; of slim, for every
 * target what predicts it (core/pairs/slim.h).  Returns the number of passes over the
 * histories, or 0 if nothing has been done, because memory does not suffice for a
 * single worker.
 */
extern int	RecsysParallelModelRun(const RecsysTraining *model,
								   RecsysRowReporter report, void *arg);

#endif							/* RECSYS_PARALLEL_MODEL_H */
