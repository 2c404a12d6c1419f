/*
 * distribution.h
 *	  Tails and quantiles of the distributions that tests are read from.
 */
#ifndef RECSYS_DISTRIBUTION_H
#define RECSYS_DISTRIBUTION_H

#include "core/base/platform.h"

/* P(Z > z) of the normal distribution with mean 0 and variance 1 */
extern double RecsysGaussianTail(double z);

/* z with P(Z > z) = tail, 0 < tail < 1 */
extern double RecsysGaussianQuantile(double tail);

/* P(T > t) of Student's distribution; degrees of freedom > 0 need not be whole */
extern double RecsysStudentTail(double t, double freedom);

/* t with P(T > t) = tail, 0 < tail < 1 */
extern double RecsysStudentQuantile(double tail, double freedom);

/* P(X > x) of the chi-square distribution */
extern double RecsysChiSquareTail(double x, double freedom);

#endif							/* RECSYS_DISTRIBUTION_H */
