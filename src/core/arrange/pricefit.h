/*
 * pricefit.h
 *	  How well a price fits what somebody pays.
 */
#ifndef RECSYS_PRICEFIT_H
#define RECSYS_PRICEFIT_H

#include "core/base/platform.h"

/*
 * What a price multiplies a score by:
 *
 *		2 ^ (affinity * (2 * exp(-z * z / 2) - 1)),	z = (ln price - level) / spread
 *
 * With affinity 1 that is 2 at the user's own level, 1 at 1.18 spreads from it and 0.5 far
 * from it; with affinity 0 it is 1.  level and spread are mean and standard deviation of the
 * natural logarithms of what the user has paid.  1 when price or level are unknown.
 */
extern double RecsysPriceFactor(double price, double level, double spread, double affinity);

#endif							/* RECSYS_PRICEFIT_H */
