/*
 * pricefit.c
 *	  How well a price fits what somebody pays.
 *
 * Prices are compared by their ratios: what costs twice as much is as far off for who pays
 * 10 as for who pays 1,000.
 */
#include "core/arrange/pricefit.h"

#include <math.h>

double
RecsysPriceFactor(double price, double level, double spread, double affinity)
{
	double		distance;

	/* nothing is said of what is free */
	if (!(price > 0) || !isfinite(price) || !isfinite(level) || !(spread > 0) || !(affinity > 0))
		return 1;
	distance = (log(price) - level) / spread;
	return exp2(Min(affinity, 1) * (2 * exp(-distance * distance / 2) - 1));
}
