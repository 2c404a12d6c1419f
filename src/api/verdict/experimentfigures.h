/*
 * experimentfigures.h
 *	  The figures of an experiment, from where they are had best.
 */
#ifndef RECSYS_EXPERIMENTFIGURES_H
#define RECSYS_EXPERIMENTFIGURES_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "api/verdict/unitsums.h"

/*
 * source: "raw": from the log, as of at, or of now (DT_NOEND).  "daily": from the last sums that are
 * kept and reach no further; errors out if there are none.  "auto": from these if they are as good,
 * which for now are those of the last two hours, else from the log.
 */
extern RecsysExperimentFigures *RecsysFindFigures(const RecsysExperiment *experiment,
												  const char *source, TimestampTz at);

/* Says that an experiment has no daily sums, and what makes them: ERROR or NOTICE */
extern void RecsysSayNoSums(const RecsysExperiment *experiment, int level);

#endif							/* RECSYS_EXPERIMENTFIGURES_H */
