/*
 * policyinterval.h
 *	  How sure the value of a policy is.
 */
#ifndef RECSYS_POLICYINTERVAL_H
#define RECSYS_POLICYINTERVAL_H

#include "core/base/platform.h"

typedef enum RecsysPolicyMethod
{
	RECSYS_POLICY_BOOTSTRAP,	/* percentiles of resampled units */
	RECSYS_POLICY_BERNSTEIN		/* holds for any number of units: Maurer, Pontil 2009 */
} RecsysPolicyMethod;

typedef struct RecsysPolicyResampling
{
	RecsysPolicyMethod method;
	double		confidence;
	int			resamples;		/* 0: no intervals */
	uint64		seed;
} RecsysPolicyResampling;

/*
 * A value as a ratio of sums over units, by columns of one table: the sum of numerators by that of
 * denominators, times scale.
 */
typedef struct RecsysPolicyRatio
{
	int			numerator;		/* column */
	int			denominator;
	double		scale;
	double		least;			/* a numerator's bounds, whatever the rewards of its unit had been */
	double		most;
	double		value;
	double		low;			/* set by RecsysPolicyIntervals */
	double		high;
} RecsysPolicyRatio;

/* table: rows of ncolumns for n units */
extern void RecsysPolicyIntervals(const double *table, int ncolumns, uint32 n,
								  const RecsysPolicyResampling *resampling,
								  RecsysPolicyRatio *ratios, int nratios);

#endif							/* RECSYS_POLICYINTERVAL_H */
