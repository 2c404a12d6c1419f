/*
 * split_train.h
 *	  A model trained on the training part of a split, made ready to be measured.
 */
#ifndef RECSYS_SPLIT_TRAIN_H
#define RECSYS_SPLIT_TRAIN_H

#include "postgres.h"

#include "core/measure/evaluation.h"
#include "core/pairs/similarity.h"
#include "source/input/split.h"

/*
 * Trains a model on the training part and fills in an evaluation of it: model,
 * users, their histories and held-out items.  Its arrays live in the current memory context.
 * metrics, ks, categories and new_items are left to the caller.
 */
extern void RecsysSplitTrain(RecsysSplit *split, const RecsysModelOptions *options,
							 int max_history, int64 half_life, int nworkers,
							 RecsysEvaluation *evaluation);

/*
 * What similarity = auto chooses on the training part: options as asked for become those to
 * use, and so does half_life.
 */
extern void RecsysSplitChoose(RecsysSplit *split, int nworkers, RecsysModelOptions *options,
							  int64 *half_life);

/* Over how long the interactions of the training part are spread; 0 without times. */
extern int64 RecsysSplitSpan(const RecsysSplit *split);

/* Collects the rows that a model reports into an evaluation's item graph. */
typedef struct RecsysGraphCollector
{
	RecsysEvaluation *evaluation;
	MemoryContext context;
	uint64		size;			/* room for neighbors */
	Size		memory_limit;	/* bytes, for the graph */
	float		largest;		/* score */
} RecsysGraphCollector;

extern void RecsysGraphCollectorInit(RecsysGraphCollector *collector, RecsysEvaluation *evaluation,
									 Size memory_limit);
extern void RecsysGraphCollectorAdd(RecsysGraphCollector *collector, uint32 item,
									const uint32 *items, const float *scores, int count);
extern void RecsysGraphCollectorFinish(RecsysGraphCollector *collector);

#endif							/* RECSYS_SPLIT_TRAIN_H */
