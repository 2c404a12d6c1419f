/*
 * verdict.h
 *	  From sums over units to what is said of each variant.
 */
#ifndef RECSYS_VERDICT_H
#define RECSYS_VERDICT_H

#include "postgres.h"

#include "api/keep/experimentrow.h"
#include "api/verdict/unitsums.h"

/* Fewer units in either arm say nothing: intervals hold for many */
#define RECSYS_UNITS_MIN 30

/* ... nor do fewer clicks, orders and so on in both */
#define RECSYS_EVENTS_MIN 10

typedef struct RecsysVerdict
{
	int			metric;			/* number, as in RecsysMetricNames */
	int			segment;		/* number, as in the figures; 0: all units */
	int			variant;		/* number */
	double		units;
	double		control_units;
	double		value;
	double		control_value;
	RecsysArmTest lift;			/* relative to the control */
	RecsysArmTest difference;
	double		p_value;
	double		p_adjusted;		/* for all that is looked at; segments by themselves */
	bool		is_adjusted;	/* by the time before (CUPED) */
	const char *text;			/* "better", "worse", … */
	double		sample_ratio_p;	/* of the segment */
	bool		is_primary;
	bool		is_guardrail;
} RecsysVerdict;

/* Segment by segment, metric by metric (the primary one first), variant by variant */
extern RecsysVerdict *RecsysReachVerdicts(const RecsysExperiment *experiment,
										  const RecsysExperimentFigures *figures, int *count);

/* Are there as many units in each variant as there should be?  NaN: cannot be said. */
extern double RecsysSampleRatioP(const RecsysExperiment *experiment,
								 const RecsysSegmentFigures *segment);

/* Numbers of the metrics that an experiment looks at, the primary one first */
extern int	RecsysExperimentMetrics(const RecsysExperiment *experiment, int **metrics);

/* Does it say that of a guardrail? */
extern bool RecsysIsWorse(const RecsysVerdict *verdict);

/* "sequential", "fixed", and what else was done */
extern char *RecsysVerdictMethod(const RecsysExperiment *experiment, const RecsysVerdict *verdict);

#endif							/* RECSYS_VERDICT_H */
