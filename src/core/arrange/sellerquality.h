/*
 * sellerquality.h
 *	  How good a seller is by its ratings, of which there may be few.
 */
#ifndef RECSYS_SELLERQUALITY_H
#define RECSYS_SELLERQUALITY_H

#include "core/base/platform.h"

/* No quality more than doubles a score, or takes more than half of it. */
#define RECSYS_LEAST_FACTOR 0.5
#define RECSYS_MOST_FACTOR 2.0

/*
 * The mean of a seller's ratings as if it had `prior` more at the given mean: a seller with
 * few ratings is about as good as all are.  sum or number NaN: nothing is known of it.
 */
extern double RecsysShrunkMean(double sum, double number, double prior, double mean);

/*
 * The lower end of the interval of a share, as of positive ratings; z is the quantile of
 * the normal distribution, 1.96 for an interval of 95 %.  NaN without ratings.
 */
extern double RecsysWilsonLower(double positive, double number, double z);

/* What a seller's quality multiplies scores by, given the mean quality; 1 when either is unknown. */
extern double RecsysQualityFactor(double quality, double mean);

#endif							/* RECSYS_SELLERQUALITY_H */
