/*
 * categorymix.c
 *	  How near the categories of a list are to those of a history.
 *
 * Steck: Calibrated recommendations, RecSys 2018: with p the shares of the categories in the
 * history, q those in the list, and q' = (1 - a) q + a p so that no share is 0,
 *
 *		KL(p, q') = sum over categories c of p_c log(p_c / q'_c)
 *
 * is how far the list is from the history.  A list of n items, n_c of them of category c,
 * that gets one more of category c comes nearer by
 *
 *		p_c log(1 + (1 - a) / ((1 - a) n_c + a p_c (n + 1)))
 *
 * than it would by one of a category that the history does not have.  As that becomes less
 * with the length of a list, it is divided by the largest such gain of the place: a mix of
 * 0.2 means the same at the tenth place as at the first.
 */
#include "core/arrange/categorymix.h"

#include <math.h>

/* As in the paper */
#define SMOOTHING 0.01

static void
find_gains(RecsysMix *mix)
{
	double		highest = 0;

	for (int c = 1; c < mix->ntarget; c++)
	{
		double		share = mix->target[c];

		if (share <= 0)
			continue;
		mix->gains[c] = share * log1p((1 - SMOOTHING) / ((1 - SMOOTHING) * mix->counts[c] +
														 SMOOTHING * share * (mix->length + 1)));
		highest = Max(highest, mix->gains[c]);
	}
	for (int c = 1; c < mix->ntarget; c++)
		mix->gains[c] = highest > 0 ? mix->gains[c] / highest : 0;
}

bool
RecsysMixInit(RecsysMix *mix, const double *target, int ntarget)
{
	double		sum = 0;

	/* 0 is no category */
	for (int c = 1; c < ntarget; c++)
		if (target[c] > 0 && isfinite(target[c]))
			sum += target[c];
	if (sum <= 0 || !isfinite(sum))
		return false;

	mix->ntarget = ntarget;
	mix->target = recsys_alloc_huge_zero(sizeof(double) * (Size) ntarget);
	mix->gains = recsys_alloc_huge_zero(sizeof(double) * (Size) ntarget);
	mix->counts = recsys_alloc_huge_zero(sizeof(int) * (Size) ntarget);
	mix->length = 0;
	for (int c = 1; c < ntarget; c++)
		if (target[c] > 0 && isfinite(target[c]))
			mix->target[c] = target[c] / sum;
	find_gains(mix);
	return true;
}

void
RecsysMixFree(RecsysMix *mix)
{
	pfree(mix->target);
	pfree(mix->gains);
	pfree(mix->counts);
}

void
RecsysMixReset(RecsysMix *mix)
{
	memset(mix->counts, 0, sizeof(int) * (Size) mix->ntarget);
	mix->length = 0;
	find_gains(mix);
}

void
RecsysMixAdd(RecsysMix *mix, uint32 category)
{
	mix->length++;
	if (category > 0 && category < (uint32) mix->ntarget)
		mix->counts[category]++;
	find_gains(mix);
}
