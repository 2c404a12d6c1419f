/*
 * sampleratio.h
 *	  Do the arms have as many units as their shares say?  If not, no figure can be trusted.
 */
#ifndef RECSYS_SAMPLERATIO_H
#define RECSYS_SAMPLERATIO_H

#include "core/base/platform.h"

/* Below it an experiment's assignment is taken to be broken */
#define RECSYS_SAMPLE_RATIO_ALERT 0.001

/*
 * Pearson's chi-square of counts against shares, which need not sum up to 1; n - 1 degrees of
 * freedom, arms with share 0 left out.  *p_value: NaN where fewer than two are left or there are
 * no counts.
 */
extern double RecsysSampleRatio(const double *counts, const double *shares, int n, double *p_value);

#endif							/* RECSYS_SAMPLERATIO_H */
