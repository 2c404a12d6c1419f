/*
 * armtest.h
 *	  Is a treatment better than the control?  From sums over units (users, sessions) of each arm.
 *
 * Nothing but sums is needed, so what is computed from raw rows and what is computed from sums
 * that were kept day by day are the same.
 */
#ifndef RECSYS_ARMTEST_H
#define RECSYS_ARMTEST_H

#include "core/base/platform.h"

/* What is summed of each unit */
typedef enum RecsysUnitColumn
{
	RECSYS_UNIT_VALUE,			/* the metric's value, or its numerator */
	RECSYS_UNIT_DENOMINATOR,	/* of a ratio metric; else 0 */
	RECSYS_UNIT_PRE_VALUE,		/* the same from the time before the experiment; else 0 */
	RECSYS_UNIT_PRE_DENOMINATOR,
	RECSYS_UNIT_COLUMNS
} RecsysUnitColumn;

typedef struct RecsysArmSums
{
	double		units;
	double		sum[RECSYS_UNIT_COLUMNS];
	double		product[RECSYS_UNIT_COLUMNS][RECSYS_UNIT_COLUMNS];	/* sums of products, symmetric */
} RecsysArmSums;

typedef enum RecsysMetricKind
{
	RECSYS_METRIC_MEAN,			/* mean of the values over units */
	RECSYS_METRIC_PROPORTION,	/* the same, values are 0 or 1 */
	RECSYS_METRIC_RATIO			/* sum of the values by sum of the denominators: delta method */
} RecsysMetricKind;

typedef struct RecsysArmTestOptions
{
	RecsysMetricKind kind;
	bool		relative;		/* lift: (treatment - control) / control */
	bool		adjusted;		/* CUPED, by the columns from before */
	bool		sequential;		/* valid however often one looks */
	double		alpha;
	double		tuning;			/* units, of both arms, at which sequential intervals are narrowest */
} RecsysArmTestOptions;

/* NaN is what cannot be said: fewer than two units in an arm, a control of 0 for a lift */
typedef struct RecsysArmTest
{
	double		control;		/* the metric of each arm, not adjusted */
	double		treatment;
	double		difference;		/* absolute or relative, as asked */
	double		standard_error;
	double		low;
	double		high;
	double		p_value;		/* two-sided; always valid if sequential */
} RecsysArmTest;

extern void RecsysTestArms(const RecsysArmSums *control, const RecsysArmSums *treatment,
						   const RecsysArmTestOptions *options, RecsysArmTest *result);

/* The metric of a single arm with an interval at every time, or at one. */
extern void RecsysArmValue(const RecsysArmSums *arm, const RecsysArmTestOptions *options,
						   double *value, double *low, double *high);

#endif							/* RECSYS_ARMTEST_H */
