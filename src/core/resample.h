/*
 * resample.h
 *	  Bootstrap: how much a mean over users depends on which users there are.
 */
#ifndef RECSYS_RESAMPLE_H
#define RECSYS_RESAMPLE_H

#include "core/platform.h"

typedef struct RecsysMean
{
	double		mean;			/* over the rows where it is defined; NaN when there is none */
	double		low;			/* ends of the confidence interval; NaN when there is none */
	double		high;
	uint32		rows;			/* where it is defined */
	double		p_value;		/* two-sided, of a mean of 0 */
} RecsysMean;

/*
 * Means of ncolumns columns over n rows of a row-major table (rows numbers them;
 * NULL: the first n), NaN being no value, with percentile bootstrap intervals.
 * resamples may be 0: then there are no intervals and no p-values.  seed and
 * stream decide which rows the resamples draw.
 *
 * Interval: quantiles of the means of resamples, Efron, Tibshirani: An
 * introduction to the bootstrap (1993), chapter 13.  p-value: how often the mean of a
 * resample is as far from the mean as that is from 0, Sakai: Evaluating
 * evaluation metrics based on the bootstrap, SIGIR 2006 (counting the sample
 * itself, so it is never 0).
 */
extern void RecsysBootstrap(const double *table, int ncolumns, const uint32 *rows, uint32 n,
							int resamples, double confidence, uint64 seed, uint64 stream,
							RecsysMean *means);

#endif							/* RECSYS_RESAMPLE_H */
