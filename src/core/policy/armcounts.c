/*
 * armcounts.c
 *	  What is known of an arm of a bandit that looks at no features.
 */
#include "core/policy/armcounts.h"

#include <math.h>

double
RecsysDecayFactor(double elapsed, double half_life)
{
	if (!(half_life > 0) || !(elapsed > 0))
		return 1.0;
	return exp2(-elapsed / half_life);
}
