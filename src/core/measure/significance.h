/*
 * significance.h
 *	  Is the mean of paired differences anything but chance?
 */
#ifndef RECSYS_SIGNIFICANCE_H
#define RECSYS_SIGNIFICANCE_H

#include "core/base/platform.h"

/*
 * Two-sided p-value of Student's paired t-test; NaN for fewer than two
 * differences.  Differences that are all alike give 0, all 0 give 1.
 */
extern double RecsysPairedT(const double *differences, uint32 n);

/*
 * Two-sided p-value of Wilcoxon's signed-rank test, differences of 0 left out; 1
 * when there is no other.
 */
extern double RecsysWilcoxon(const double *differences, uint32 n);

#endif							/* RECSYS_SIGNIFICANCE_H */
