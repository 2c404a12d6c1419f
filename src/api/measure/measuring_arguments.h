/*
 * measuring_arguments.h
 *	  Arguments that recsys.evaluate, recsys.compare and recsys.tune share.
 */
#ifndef RECSYS_MEASURING_ARGUMENTS_H
#define RECSYS_MEASURING_ARGUMENTS_H

#include "postgres.h"

#include "api/measure/baskettask.h"
#include "core/measure/evaluation.h"
#include "fmgr.h"
#include "source/input/split.h"

typedef struct RecsysMeasuring
{
	int			nks;
	int			ks[RECSYS_EVALUATION_MAX_KS];
	uint32		metrics;
	RecsysTask	task;
	char	   *segments;		/* queries or NULL */
	char	   *categories;
	char	   *sellers;
	char	   *new_items;
	double		confidence;
	int			resamples;
	uint64		seed;
	bool		verbose;
} RecsysMeasuring;

/* Where the arguments stand that RecsysArgMeasuring reads, counted from the first of them */
enum
{
	RECSYS_MEASURING_K,
	RECSYS_MEASURING_METRICS,
	RECSYS_MEASURING_SEGMENTS,
	RECSYS_MEASURING_CATEGORIES,
	RECSYS_MEASURING_SELLERS,
	RECSYS_MEASURING_NEW_ITEMS,
	RECSYS_MEASURING_EXCLUDE_SEEN,	/* the caller's to read */
	RECSYS_MEASURING_CONFIDENCE,
	RECSYS_MEASURING_RESAMPLES,
	RECSYS_MEASURING_SEED,
	RECSYS_MEASURING_VERBOSE,
	RECSYS_MEASURING_ARGUMENTS	/* how many they are */
};

extern void RecsysArgMeasuring(FunctionCallInfo fcinfo, int first, RecsysTask task,
							   RecsysMeasuring *measuring);

/*
 * How a query's interactions are split.  test, holdout_share, holdout_last and holdout_since
 * stand from test on.
 */
extern void RecsysArgSplit(FunctionCallInfo fcinfo, const char *query, int test, int exclude_seen,
						   int seed, RecsysTask task, RecsysSplitOptions *options);

/* k: ascending, each once, into ks, which has room for RECSYS_EVALUATION_MAX_KS; returns how many. */
extern int	RecsysArgCutoffs(FunctionCallInfo fcinfo, int argument, int *ks);

extern double RecsysArgConfidence(FunctionCallInfo fcinfo, int argument);
extern int	RecsysArgResamples(FunctionCallInfo fcinfo, int argument);

#endif							/* RECSYS_MEASURING_ARGUMENTS_H */
