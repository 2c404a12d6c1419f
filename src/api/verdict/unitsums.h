/*
 * unitsums.h
 *	  Sums over the units of an experiment, by variant, segment and metric.
 *
 * All sums are exact in decimal (core/rows/exactsum), so they are the same to the last digit
 * in whatever order units come, and from whatever their figures have been added up.
 */
#ifndef RECSYS_UNITSUMS_H
#define RECSYS_UNITSUMS_H

#include "postgres.h"

#include "api/verdict/unitfigures.h"
#include "utils/timestamp.h"

/* Beyond so many segments only the whole is summed */
#define RECSYS_SEGMENTS_MAX 1000

typedef struct RecsysArmFigures
{
	double		units;
	double		fresh;			/* that have come since shares were changed last */
	RecsysArmSums *sums;		/* of each metric, as in RecsysMetricNames */
} RecsysArmFigures;

typedef struct RecsysSegmentFigures
{
	char	   *name;			/* "": all units */
	RecsysArmFigures *arms;		/* by variant */
} RecsysSegmentFigures;

typedef struct RecsysExperimentFigures
{
	TimestampTz until;			/* what happened before it is counted */
	bool		is_daily;		/* from sums that are kept */
	double		mixed;			/* units in several variants, which are left out */
	bool		lacks_segments; /* there are too many */
	int			nvariants;
	int			nsegments;		/* all units, then the segments in the order of their bytes */
	RecsysSegmentFigures *segments;
} RecsysExperimentFigures;

typedef struct RecsysUnitSums RecsysUnitSums;

extern RecsysUnitSums *RecsysUnitSumsCreate(int nvariants);
extern void RecsysUnitSumsAdd(RecsysUnitSums *sums, const char *segment, int variant, bool fresh,
							  const double figures[RECSYS_UNIT_FIGURES]);

/* The sums, rounded once; sets variants, segments and lacks_segments. */
extern void RecsysUnitSumsGet(const RecsysUnitSums *sums, RecsysExperimentFigures *figures);

#endif							/* RECSYS_UNITSUMS_H */
