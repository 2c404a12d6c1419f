/*
 * samplesize.h
 *	  How many units an experiment needs, and what it can find out with those it has.
 */
#ifndef RECSYS_SAMPLESIZE_H
#define RECSYS_SAMPLESIZE_H

#include "core/base/platform.h"

#include "core/decide/armtest.h"

typedef struct RecsysDesign
{
	RecsysMetricKind kind;		/* a ratio is planned as the mean that it is linearised to */
	double		baseline;		/* the control's metric; of a proportion above 0 and below 1 */
	double		deviation;		/* standard deviation of a unit; not of a proportion */
	bool		relative;		/* what is tested is the lift */
	bool		sequential;
	double		alpha;
	double		tuning;			/* as in RecsysArmTestOptions; 0: as many units as there are */
	double		treatment_share;	/* of the units of both arms */
} RecsysDesign;

/*
 * Chance that the test finds treatment - control = difference, with so many units in both arms.
 */
extern double RecsysDesignPower(const RecsysDesign *design, double difference, double units);

/* Units in both arms for that power; NaN if no number will do */
extern double RecsysDesignUnits(const RecsysDesign *design, double difference, double power);

/* The least difference above 0 that is found with that power; NaN if there is none */
extern double RecsysDesignDifference(const RecsysDesign *design, double units, double power);

#endif							/* RECSYS_SAMPLESIZE_H */
