/*
 * trials.h
 *	  Models trained and measured one after the other, and what has come of it.
 */
#ifndef RECSYS_TRIALS_H
#define RECSYS_TRIALS_H

#include "postgres.h"

#include "api/measure/bestsellers.h"
#include "api/measure/candidates.h"
#include "api/measure/crossfit.h"
#include "api/measure/measuring_arguments.h"
#include "core/measure/resample.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "source/input/split.h"

typedef struct RecsysTrial
{
	const char *model;
	RecsysLevel level;			/* rows are those of RECSYS_LEVEL_FULL */
	bool		popular;		/* it is a list of bestsellers */
	bool		counted;		/* merges keep it exact */
	RecsysMean	mean;			/* its interval at RECSYS_LEVEL_FULL only */
	double		p_popular;		/* of the paired test against bestsellers */
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
	/* how to measure, and the budget */
	RecsysMeasuring measuring;
	int			max_trials;		/* so much work as full trials are */
	double		microseconds;	/* from start on; INFINITY: no limit */
	TimestampTz start;
	RecsysSplit *splits[RECSYS_LEVELS]; /* NULL: no trials at that level */

	/* what has come of it */
	MemoryContext context;
	RecsysTrial *trials;
	int			ntrials;
	int			size;
	int			nfull;			/* at RECSYS_LEVEL_FULL, bestsellers not counted */
	List	   *failures;		/* of RecsysFailedModel */
	double	   *popular;		/* each user's figure with bestsellers */
	RecsysCrossfit *crossfit;
	MemoryContext trial_context;	/* of the trial at hand */
} RecsysTrials;

/* That share of the time has not passed yet. */
extern bool RecsysTimeIsLeft(const RecsysTrials *trials, double share);

/*
 * Tries a model at a level.  False when it had to be passed over: a NOTICE has been given.
 * Samples are interrupted at a share of the time, so that some is left for full trials; that
 * is told when it is clear that there is none of the model.
 */
extern bool RecsysTryCandidate(RecsysTrials *trials, RecsysCandidate *candidate,
							   RecsysLevel level);

/*
 * The text, or what it leaves to similarity = auto as that chooses on the split.  NULL when
 * that failed, or a share of the time has passed: then it is passed over.
 */
extern const char *RecsysChosenText(RecsysTrials *trials, const char *text, double time_share);

/* A model whose trial on a sample was interrupted, and which has not been tried since. */
extern void RecsysTellInterrupted(RecsysTrials *trials, const RecsysCandidate *candidate);

/* Bestsellers in full, which all others are measured against: the first trial of all. */
extern void RecsysTryPopular(RecsysTrials *trials);

/* Tells in a NOTICE what is finished, where rows cannot be returned any more. */
extern void RecsysTellTrials(RecsysTrials *trials);

/* Full trials first, the best first. */
extern void RecsysSortTrials(RecsysTrials *trials);

#endif							/* RECSYS_TRIALS_H */
