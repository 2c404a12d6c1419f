/*
 * dailysums.h
 *	  The sums of experiments that are kept day by day: reading and writing them.
 *
 * Days are those of UTC.  The sums of a day are those of all that happened until its end.
 */
#ifndef RECSYS_DAILYSUMS_H
#define RECSYS_DAILYSUMS_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "api/verdict/unitsums.h"
#include "utils/date.h"

/* A row of recsys.experiment_state */
typedef struct RecsysExperimentState
{
	TimestampTz closed_until;
	TimestampTz refreshed_until;	/* DT_NOBEGIN: never */
	TimestampTz stale_since;	/* DT_NOEND: sums are those of the log */
	char	   *signature;
	char	   *failure;		/* NULL: none */
} RecsysExperimentState;

/* Both as the keeper; NULL, and false, if there is none. lock: nobody else refreshes meanwhile. */
extern RecsysExperimentState *RecsysReadExperimentState(const char *experiment, bool lock);

/* The day that a time is of, and when it begins and ends */
extern DateADT RecsysDayOf(TimestampTz time);
extern TimestampTz RecsysDayStart(DateADT day);

/*
 * As the keeper: the sums of the last day whose sums reach no further than at; NULL if there is
 * none.  In the current memory context.
 */
extern RecsysExperimentFigures *RecsysReadDay(const RecsysExperiment *experiment, TimestampTz at);

/* Up to when the sums of each of its days reach, in ascending order; with any rights. */
extern TimestampTz *RecsysDayEnds(const RecsysExperiment *experiment, int *count);

/* As the keeper: puts the sums of a day in the place of those that are there. */
extern void RecsysWriteDay(const RecsysExperiment *experiment, DateADT day, bool closed,
						   const RecsysExperimentFigures *figures);

#endif							/* RECSYS_DAILYSUMS_H */
