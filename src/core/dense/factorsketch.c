/*
 * factorsketch.c
 *	  Factors in a quarter of their room, and bounds of scores from them.
 *
 * Of a factor y the sketch has a step s and whole numbers c between -127 and 127 such
 * that no y_r is further from s c_r than s / 2.  Of a user x there are likewise numbers u
 * with a step t, which are larger, so that most of the difference is the sketch's:
 *
 *		|y.x - s t c.u| <= s / 2 sum |x_r| + 127 s rank t / 2
 *
 * c.u is a sum of integers, of which processors add up many at once.  Few items can be
 * among the best by such a bound, and only of these the factors need to be looked at: most
 * of the cost of scoring a catalog is getting it from memory.
 */
#include "core/dense/factorsketch.h"

#include <float.h>
#include <math.h>

#define MAX_CODE 127

/* 1024 products of both stay within 32 bits */
#define MAX_USER_CODE 8191

/* Half a step, and what rounding may add: less than a hundredth. */
#define MAX_STEPS 0.51

void
RecsysSketchFactor(const float *factor, int rank, RecsysSketch *sketch)
{
	float		largest = 0;

	memset(sketch, 0, RECSYS_SKETCH_SIZE(rank));
	for (int x = 0; x < rank; x++)
		largest = Max(largest, fabsf(factor[x]));
	sketch->step = largest / MAX_CODE;

	/* too small to be told apart: all codes are 0 */
	if (sketch->step < FLT_MIN)
	{
		sketch->step = 2 * largest;
		return;
	}
	for (int x = 0; x < rank; x++)
		sketch->codes[x] = (int8) Max(Min(rintf(factor[x] / sketch->step), MAX_CODE), -MAX_CODE);
}

bool
RecsysSketchFits(const RecsysSketch *sketch, const float *factor, int rank)
{
	for (int x = 0; x < rank; x++)
		if (!(fabs((double) factor[x] - (double) sketch->step * sketch->codes[x]) <=
			  MAX_STEPS * sketch->step))
			return false;
	return isfinite(sketch->step);
}

void
RecsysSketchUser(const float *user, int rank, RecsysUserSketch *sketch)
{
	float		largest = 0;
	double		sum = 0;

	for (int x = 0; x < rank; x++)
	{
		largest = Max(largest, fabsf(user[x]));
		sum += fabs(user[x]);
	}
	sketch->step = largest / MAX_USER_CODE;
	if (sketch->step < FLT_MIN)
		sketch->step = 2 * largest;
	for (int x = 0; x < rank; x++)
		sketch->codes[x] = sketch->step < FLT_MIN || largest < sketch->step ? 0 :
			(int16) Max(Min(rintf(user[x] / sketch->step), MAX_USER_CODE), -MAX_USER_CODE);
	sketch->spread = (float) (MAX_STEPS * (sum + (double) MAX_CODE * rank * sketch->step));
}

RECSYS_TARGET_CLONES void
RecsysSketchScores(const RecsysUserSketch *user, const RecsysSketch *sketches, int n, int rank,
				   float *scores)
{
	for (int item = 0; item < n; item++)
	{
		const RecsysSketch *sketch = RecsysSketchAt(sketches, item, rank);
		int32		sum = 0;

		for (int x = 0; x < rank; x++)
			sum += (int32) user->codes[x] * (int32) sketch->codes[x];
		scores[item] = sketch->step * (user->step * (float) sum);
	}
}
