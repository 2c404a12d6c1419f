/*
 * resample.h
 *	  Bootstrap: how much a mean over users depends on which users there are.
 */
#ifndef RECSYS_RESAMPLE_H
#define RECSYS_RESAMPLE_H

#include "core/base/platform.h"

typedef struct RecsysMean
{
	double		mean;			/* over the rows where it is defined; NaN when there is none */
	double		low;			/* ends of the confidence interval; NaN when there is none */
	double		high;
	uint32		rows;			/* where it is defined */
	double		p_value;		/* two-sided, of a mean of 0 */
} RecsysMean;

/* Rows of a row-major table, in which NaN is no value */
typedef struct RecsysSample
{
	const double *table;
	int			ncolumns;
	const uint32 *rows;			/* which rows; NULL: the first nrows */
	uint32		nrows;
} RecsysSample;

typedef struct RecsysResampling
{
	int			resamples;		/* 0: no intervals and no p-values */
	double		confidence;

	/* which rows the resamples draw */
	uint64		seed;
	uint64		stream;
} RecsysResampling;

/*
 * The mean of each column, with a percentile bootstrap interval.
 *
 * Interval: quantiles of the means of resamples, Efron, Tibshirani: An
 * introduction to the bootstrap (1993), chapter 13.  p-value: how often the mean of a
 * resample is as far from the mean as that is from 0, Sakai: Evaluating
 * evaluation metrics based on the bootstrap, SIGIR 2006 (counting the sample
 * itself, so it is never 0).
 */
extern void RecsysBootstrap(const RecsysSample *sample, const RecsysResampling *resampling,
							RecsysMean *means);

/*
 * For figures that are no means: sums of the columns over each resample's rows, of which there are
 * as many as in the sample.  No value of the table, n rows of ncolumns, may be NaN.
 */
typedef void (*RecsysResampleSums) (void *arg, int resample, const double *sums);

extern void RecsysResample(const double *table, int ncolumns, uint32 n,
						   const RecsysResampling *resampling, RecsysResampleSums take, void *arg);

/* The quantile of sorted values, n > 0, linear in between. */
extern double RecsysQuantile(const double *values, int n, double share);

#endif							/* RECSYS_RESAMPLE_H */
