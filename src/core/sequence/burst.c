/*
 * burst.c
 *	  Whether an item is taken much more often lately than it used to be.
 */
#include "core/sequence/burst.h"

#include <math.h>

double
RecsysBurstExpected(double base, const RecsysBurstTotals *totals)
{
	if (totals->items <= 0)
		return 0;
	return totals->lately * (base + 1) / (totals->base + totals->items);
}

double
RecsysBurstScore(double lately, double expected)
{
	return sqrt(lately) + sqrt(lately + 1) - sqrt(4 * expected + 1);
}
