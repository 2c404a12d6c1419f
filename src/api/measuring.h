/*
 * measuring.h
 *	  What recsys.evaluate, recsys.compare and recsys.tune share: arguments, and
 *	  lists and figures of a model.
 */
#ifndef RECSYS_MEASURING_H
#define RECSYS_MEASURING_H

#include "postgres.h"

#include "api/model_text.h"
#include "core/evaluation.h"
#include "fmgr.h"
#include "source/labels.h"
#include "source/split.h"

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

/* Argument numbers; RECSYS_NO_ARGUMENT for those that a function does not have. */
#define RECSYS_NO_ARGUMENT (-1)

/* Arguments query, test, holdout_share, holdout_last, holdout_since from the given ones on. */
extern void RecsysArgSplit(FunctionCallInfo fcinfo, int query, int test, int exclude_seen, int seed,
						   RecsysSplitOptions *options);

extern char *RecsysArgQuery(FunctionCallInfo fcinfo, int argument, const char *name);
extern bool RecsysArgFlag(FunctionCallInfo fcinfo, int argument, const char *name);
extern int	RecsysArgInteger(FunctionCallInfo fcinfo, int argument, const char *name, int low, int high);
extern double RecsysArgConfidence(FunctionCallInfo fcinfo, int argument);
extern int	RecsysArgResamples(FunctionCallInfo fcinfo, int argument);
extern uint64 RecsysArgSeed(FunctionCallInfo fcinfo, int argument);
extern void RecsysArgKs(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring);

/*
 * metrics: NULL for all that can be told, given which queries there are.  Errors out
 * on unknown ones and on such that lack their query.
 */
extern void RecsysArgMetrics(FunctionCallInfo fcinfo, int argument, RecsysMeasuring *measuring);

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
 * Fills in what the measuring says, checks that the rest fits in memory_limit and
 * evaluates all users.  context holds all that the evaluation has so far.
 */
extern void RecsysMeasure(const RecsysMeasuring *measuring, const RecsysItemKnowledge *knowledge,
						  RecsysEvaluation *evaluation, Size used, Size memory_limit,
						  RecsysOutcome *outcome);

#endif							/* RECSYS_MEASURING_H */
