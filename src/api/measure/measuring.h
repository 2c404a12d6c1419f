/*
 * measuring.h
 *	  What recsys.evaluate, recsys.compare and recsys.tune share: arguments, and
 *	  lists and figures of a model.
 */
#ifndef RECSYS_MEASURING_H
#define RECSYS_MEASURING_H

#include "postgres.h"

#include "api/measure/model_argument.h"
#include "core/measure/evaluation.h"
#include "fmgr.h"
#include "source/input/labels.h"
#include "source/input/split.h"

/* How much is told of the progress: INFO when asked for, as VACUUM VERBOSE does. */
#define RecsysProgressLevel(verbose) ((verbose) ? INFO : DEBUG1)

typedef struct RecsysMeasuring
{
	int			nks;
	int			ks[RECSYS_EVALUATION_MAX_KS];
	uint32		metrics;
	char	   *segments;		/* queries or NULL */
	char	   *categories;
	char	   *sellers;
	char	   *new_items;
	double		confidence;
	int			resamples;
	uint64		seed;
	bool		verbose;
} RecsysMeasuring;

/*
 * Reading arguments, by their numbers: test, holdout_share, holdout_last and
 * holdout_since from test on; exclude_seen; seed.
 */
extern void RecsysArgSplit(FunctionCallInfo fcinfo, const char *query, int test, int exclude_seen,
						   int seed, RecsysSplitOptions *options);

extern double RecsysArgConfidence(FunctionCallInfo fcinfo, int argument);
extern int	RecsysArgResamples(FunctionCallInfo fcinfo, int argument);
extern uint64 RecsysArgSeed(FunctionCallInfo fcinfo, int argument);
extern void RecsysArgKs(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring);

/*
 * metrics: NULL for all that can be told, given which queries there are.  Errors out
 * on unknown ones and on such that lack their query.
 */
extern void RecsysArgMetrics(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring);

/*
 * k, metrics, segments, categories, sellers, new_items, exclude_seen, confidence,
 * resamples, seed and verbose, from first on.
 */
extern void RecsysArgMeasuring(FunctionCallInfo fcinfo, int first, RecsysMeasuring *measuring);

/* Splits, and errors out when there is nothing to foretell. */
extern RecsysSplit *RecsysMakeSplit(const RecsysSplitOptions *options, bool verbose);

/* Workers that may take part. */
extern int	RecsysMeasuringWorkers(void);

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

/*
 * Fills in what the measuring says, checks that the rest fits in memory_limit, of
 * which so much is used, and evaluates all users.
 */
extern void RecsysMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
						  RecsysEvaluation *evaluation, Size used, Size memory_limit,
						  RecsysOutcome *outcome);

/*
 * Trains a model on the split and evaluates it.  context, the current one, holds
 * all that counts for memory.  Milliseconds that training and evaluation took go
 * to the last two, which may be NULL.
 */
extern void RecsysTrainAndMeasure(const RecsysMeasuring *measuring,
								  const RecsysItemKnowledge *knowledge, RecsysSplit *split,
								  const RecsysModelText *model, MemoryContext context,
								  RecsysEvaluation *evaluation, RecsysOutcome *outcome,
								  double *training_ms, double *evaluation_ms);

/*
 * Visits all users, with segment NULL and rows NULL, then each segment that any
 * user is in.
 */
typedef void (*RecsysSegmentVisitor) (void *arg, uint32 label, const char *segment,
									  const uint32 *rows, uint32 nrows);

extern void RecsysForSegments(const RecsysLabels *segments, uint32 nusers,
							  RecsysSegmentVisitor visit, void *arg);

#endif							/* RECSYS_MEASURING_H */
