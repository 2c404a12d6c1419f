/*
 * fatigue.c
 *	  What is left of an item's score when it has been shown to somebody in vain.
 */
#include "core/arrange/fatigue.h"

#include <math.h>

/* Of any score that a float can hold, so much of it is still a normal number. */
#define LEAST_FACTOR 1e-20

double
RecsysImpressionWeight(int place)
{
	return 1 / log2(1.0 + Max(place, 1));
}

double
RecsysFatigueFactor(double fatigue, double impressions)
{
	if (!(fatigue > 0) || !(impressions > 0))
		return 1;
	return Max(pow(1 - Min(fatigue, 1), impressions), LEAST_FACTOR);
}
