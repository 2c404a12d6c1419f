/*
 * samplesize.c
 *	  How many units an experiment needs, and what it can find out with those it has.
 *
 * All is from the power of the test at a number of units, the distribution of estimates being
 * taken as normal, as it is with the numbers that matter here.  At a fixed time that gives the
 * textbook's formulas: n = (z_alpha/2 + z_power)^2 2 variance / difference^2 for means (Cohen
 * 1988); for proportions with the common variance under the hypothesis and both variances else
 * (Fleiss, Levin, Paik 2003, "Statistical methods for rates and proportions", section 4.2.1).
 *
 * At all times, what is asked for is that the interval excludes 0 at the last look.  It is
 * promised whatever the number of looks; earlier looks only add to it.
 */
#include "core/decide/samplesize.h"

#include <math.h>

#include "core/decide/confseq.h"
#include "core/measure/distribution.h"

/* More units than there will ever be */
#define MOST_UNITS 1e18

/* Chance that a normal estimate is further from 0 than the bound, to either side */
static double
beyond(double difference, double standard_error, double bound)
{
	return RecsysGaussianTail((bound - difference) / standard_error) +
		RecsysGaussianTail((bound + difference) / standard_error);
}

/* How many standard errors an estimate must be from 0 to be found */
static double
needed(const RecsysDesign *design, double units)
{
	if (!design->sequential)
		return RecsysGaussianQuantile(design->alpha / 2);
	return RecsysSequentialHalfWidth(1.0, units, design->tuning > 0 ? design->tuning : units, design->alpha);
}

/*
 * The power of a lift's test.  It finds a lift if the difference T - C exceeds w S, w as above,
 * where S^2 = var(T) + var(C) T^2 / C^2 goes by the arms' own figures.  S is greater where T is,
 * so the margin T - C - w S varies less than T - C: by the delta method again.
 */
static double
power_of_lift(double control, double treatment, double va, double vb, double w)
{
	double		ratio = treatment / control;
	double		s = sqrt(vb + ratio * ratio * va);
	double		slope = w * va * ratio / (control * s);
	double		power = 0;

	/* a treatment whose values are all 0 */
	if (!(s > 0))
		return 1;
	for (int side = -1; side <= 1; side += 2)
	{
		double		by_treatment = side - slope;
		double		by_control = -side + slope * ratio;

		power += RecsysGaussianTail((w * s - side * (treatment - control)) /
									sqrt(by_treatment * by_treatment * vb + by_control * by_control * va));
	}
	return power;
}

double
RecsysDesignPower(const RecsysDesign *design, double difference, double units)
{
	double		na = units * (1 - design->treatment_share);
	double		nb = units * design->treatment_share;
	double		treatment = design->baseline + difference;
	double		a = design->deviation * design->deviation;
	double		b = a;
	double		standard_error;
	double		w;
	double		power;

	if (design->kind == RECSYS_METRIC_PROPORTION)
	{
		a = design->baseline * (1 - design->baseline);
		b = treatment * (1 - treatment);
		if (!(b >= 0))
			return NAN;
	}

	/* a test of proportions at a fixed time looks at the difference, even for a lift */
	if (design->kind == RECSYS_METRIC_PROPORTION && !design->sequential)
	{
		double		both = design->baseline + difference * design->treatment_share;
		double		alike = sqrt(both * (1 - both) * (1 / na + 1 / nb));

		return beyond(difference, sqrt(a / na + b / nb), alike * RecsysGaussianQuantile(design->alpha / 2));
	}
	standard_error = sqrt(a / na + b / nb);
	if (!(standard_error > 0))
		return NAN;
	w = needed(design, units);
	power = beyond(difference, standard_error, w * standard_error);
	/* a lift counts only if the difference is found, too */
	if (design->relative)
		power = Min(power, power_of_lift(design->baseline, treatment, a / na, b / nb, w));
	return power;
}

/* Power grows with the units: bisection of their logarithm */
double
RecsysDesignUnits(const RecsysDesign *design, double difference, double power)
{
	double		low = log(2.0);
	double		high = log(MOST_UNITS);

	if (difference == 0 || !(RecsysDesignPower(design, difference, MOST_UNITS) >= power))
		return NAN;
	for (int step = 0; step < 100; step++)
	{
		double		middle = 0.5 * (low + high);

		if (RecsysDesignPower(design, difference, exp(middle)) < power)
			low = middle;
		else
			high = middle;
	}
	return exp(high);
}

/*
 * Power grows with the difference: bisection between 0 and a difference that is found surely.
 * That of a lift has a limit, as its standard error grows with it.
 */
double
RecsysDesignDifference(const RecsysDesign *design, double units, double power)
{
	bool		proportion = design->kind == RECSYS_METRIC_PROPORTION;
	double		low = 0;
	double		high = proportion ? 1 - design->baseline : 10 * design->deviation;

	for (int step = 0; step < 100 && !proportion && RecsysDesignPower(design, high, units) < power; step++)
		high *= 2;
	if (!(RecsysDesignPower(design, high, units) >= power))
		return NAN;
	for (int step = 0; step < 200 && high - low > 1e-15 * high; step++)
	{
		double		middle = 0.5 * (low + high);

		if (RecsysDesignPower(design, middle, units) < power)
			low = middle;
		else
			high = middle;
	}
	return high;
}
