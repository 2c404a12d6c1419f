/*
 * training.h
 *	  Training a model: from folded histories to the item graph.
 */
#ifndef RECSYS_TRAINING_H
#define RECSYS_TRAINING_H

#include "postgres.h"

#include "core/dense/factors.h"
#include "core/pairs/cooccurrence.h"
#include "source/train/historyfile.h"

typedef struct RecsysTraining
{
	int			nworkers;		/* most that may be used */
	Size		memory_left;	/* bytes that may still be allocated, by all together */
	int			max_history;
	const RecsysItemTotals *totals;
	const RecsysModelOptions *options;	/* resolved */

	/*
	 * The histories are in one of the two.  With workers the arrays of the matrix
	 * are freed once they are in shared memory.
	 */
	RecsysMatrix *matrix;
	RecsysHistoryFile *file;

	/* gets the factors of a model that has some, in the current memory context; NULL: not wanted */
	RecsysFactors **factors;

	/* gets the totals that scores are computed with, valid while rows are reported */
	const RecsysItemTotals **scored;
} RecsysTraining;

/*
 * Reports every item's neighbors, in ascending item order.  Returns the number of
 * passes over the histories.
 */
extern int	RecsysTrain(const RecsysTraining *training, RecsysRowReporter report, void *arg);

#endif							/* RECSYS_TRAINING_H */
