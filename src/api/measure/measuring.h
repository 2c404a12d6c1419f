/*
 * measuring.h
 *	  A model trained on one part of the interactions and measured on the other.
 *
 * Split, train, measure: recsys.evaluate, recsys.compare and recsys.tune take these
 * steps one after the other.
 */
#ifndef RECSYS_MEASURING_H
#define RECSYS_MEASURING_H

#include "postgres.h"

#include "api/measure/measuring_arguments.h"
#include "api/measure/model_argument.h"
#include "core/measure/evaluation.h"
#include "source/input/labels.h"
#include "source/input/split.h"

/* How much is told of the progress: INFO when asked for, as VACUUM VERBOSE does. */
#define RecsysProgressLevel(verbose) ((verbose) ? INFO : DEBUG1)

/* Splits, and errors out when there is nothing to foretell. */
extern RecsysSplit *RecsysMakeSplit(const RecsysSplitOptions *options, bool verbose);

/* What is known of the items of an evaluation beside the model: runs the queries. */
typedef struct RecsysItemKnowledge
{
	RecsysLabels *categories;	/* NULL when not known */
	RecsysLabels *sellers;
	uint8	   *new_items;
} RecsysItemKnowledge;

extern void RecsysReadItemKnowledge(const RecsysMeasuring *measuring, RecsysKeyKind kind,
									const RecsysDictionary *items, uint32 nitems,
									RecsysItemKnowledge *knowledge);

/* Trains a model on the split, into the current memory context.  Returns the milliseconds. */
extern double RecsysTrainForMeasuring(RecsysSplit *split, const RecsysModelText *model, bool verbose,
									  RecsysEvaluation *evaluation);

/* Bytes that all of it may take; what counts is in the context. */
typedef struct RecsysMeasuringMemory
{
	MemoryContext context;
	Size		limit;
} RecsysMeasuringMemory;

/*
 * Fills in what the measuring says, checks that the rest fits in memory, and evaluates
 * all users.  Returns the milliseconds.
 */
extern double RecsysMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
							const RecsysMeasuringMemory *memory, RecsysEvaluation *evaluation,
							RecsysOutcome *outcome);

#endif							/* RECSYS_MEASURING_H */
