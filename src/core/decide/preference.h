/*
 * preference.h
 *	  Which of two lists do users prefer that were shown them as one?
 *
 * The unit is a user, or a session: the clicks of one user are not independent of one another.  What
 * a unit says is by how much its clicks are on the second team rather than on the first:
 * (b - a) / (a + b), from -1 to 1.  A unit without clicks says nothing.
 */
#ifndef RECSYS_PREFERENCE_H
#define RECSYS_PREFERENCE_H

#include "core/base/platform.h"

typedef struct RecsysPreferenceSums
{
	uint64		units;			/* all of them */
	uint64		first;			/* units with more clicks on the first team, */
	uint64		second;			/* on the second one, */
	uint64		ties;			/* on both alike, but some */
	double		sum;			/* of what units say, */
	double		sum_squares;	/* and of the squares of that */
} RecsysPreferenceSums;

/* NaN is what cannot be said: an interval with fewer than two units that say something. */
typedef struct RecsysPreference
{
	double		preference;		/* mean of what units say; above 0: for the second team */
	double		standard_error;
	double		low;			/* interval that holds at all times at once */
	double		high;
	double		p_value;		/* two-sided, always valid: it may be looked at every day */
	double		sign_p_value;	/* exact sign test, two-sided; for one look */
} RecsysPreference;

/* Adds so many units, each with so many clicks on each team. */
extern void RecsysAddPreference(RecsysPreferenceSums *sums, double first, double second, uint64 units);

/* tuning: number of units with clicks at which the interval is narrowest */
extern void RecsysMeasurePreference(const RecsysPreferenceSums *sums, double alpha, double tuning,
									RecsysPreference *result);

/* Two-sided p-value of so many against so many under even chances; 1 if there are none. */
extern double RecsysSignTest(uint64 first, uint64 second);

#endif							/* RECSYS_PREFERENCE_H */
