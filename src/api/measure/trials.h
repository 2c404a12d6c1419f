/*
 * trials.h
 *	  Models trained and measured one after the other, within a budget.
 */
#ifndef RECSYS_TRIALS_H
#define RECSYS_TRIALS_H

#include "postgres.h"

#include "api/measure/candidates.h"
#include "api/measure/measuring_arguments.h"
#include "core/measure/resample.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "source/input/split.h"

typedef struct RecsysTrial
{
	const char *model;
	RecsysMean	mean;
	double		training_ms;
	double		evaluation_ms;
	int			number;			/* in the order of trials */
} RecsysTrial;

/* A model that was passed over */
typedef struct RecsysFailedModel
{
	const char *model;
	ErrorData  *error;			/* NULL: interrupted when the time was up */
} RecsysFailedModel;

typedef struct RecsysTrials
{
	/* what to try, how to measure it, and the budget */
	RecsysCandidates *candidates;
	RecsysMeasuring measuring;
	int			max_trials;
	double		microseconds;	/* from start on; INFINITY: no limit */
	TimestampTz start;

	/* what has come of it */
	RecsysTrial *trials;
	int			ntrials;
	List	   *failures;		/* of RecsysFailedModel */
	MemoryContext context;		/* of the trial at hand */
} RecsysTrials;

/*
 * Tries models until the budget is spent or there are none left, at least one.  Afterwards
 * the best trial comes first.  Errors out if all models have failed.
 */
extern void RecsysTryModels(RecsysTrials *trials, RecsysSplit *split);

#endif							/* RECSYS_TRIALS_H */
