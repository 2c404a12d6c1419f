/*
 * crossfit.c
 *	  What the best of many models is worth to users who had no part in choosing it.
 *
 * The mean of the best of many models is too high, since it is the best for being lucky
 * with these users, too.  Setting some users aside to measure it would be honest, but the
 * choice would be made by fewer users, and each figure by a part of them only.  So there
 * are two halves of the users, and each half's best model is measured on the other half:
 * every user counts, and nobody has had a part in choosing what he is asked about.  It
 * takes two columns of figures, however many models there are.
 *
 * This is cross-validation of the choice: Varma, Simon: Bias in error estimation when using
 * cross-validation for model selection, BMC Bioinformatics 7 (2006).  What is left of
 * the luck is that a search finds its next candidates by the figures of all users.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/crossfit.h"
#include "core/base/platform.h"

RecsysCrossfit *
RecsysCrossfitCreate(uint32 nusers, const bool *sampled)
{
	RecsysCrossfit *crossfit = palloc0(sizeof(RecsysCrossfit));
	bool		second = false;

	crossfit->nusers = nusers;
	crossfit->halves = recsys_alloc_huge(Max((Size) nusers, 1));
	for (uint32 user = 0; user < nusers; user++)
	{
		if (sampled != NULL && sampled[user])
		{
			crossfit->halves[user] = RECSYS_HALF_NONE;
			continue;
		}
		crossfit->halves[user] = second ? RECSYS_HALF_SECOND : RECSYS_HALF_FIRST;
		second = !second;
	}
	for (int half = 0; half < 2; half++)
	{
		crossfit->best[half] = NAN;
		crossfit->figures[half] = recsys_alloc_huge(sizeof(double) * Max((Size) nusers, 1));
		for (uint32 user = 0; user < nusers; user++)
			crossfit->figures[half][user] = NAN;
	}
	return crossfit;
}

static double
mean_of_half(const RecsysCrossfit *crossfit, const double *figures, int half)
{
	double		sum = 0;
	uint32		count = 0;

	for (uint32 user = 0; user < crossfit->nusers; user++)
	{
		if (crossfit->halves[user] != half || isnan(figures[user]))
			continue;
		sum += figures[user];
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

void
RecsysCrossfitAdd(RecsysCrossfit *crossfit, const double *figures)
{
	for (int half = 0; half < 2; half++)
	{
		double		mean = mean_of_half(crossfit, figures, half);

		if (isnan(mean) || mean <= crossfit->best[half])
			continue;
		crossfit->best[half] = mean;
		memcpy(crossfit->figures[half], figures, sizeof(double) * crossfit->nusers);
	}
}

double *
RecsysCrossfitFigures(const RecsysCrossfit *crossfit)
{
	double	   *figures = recsys_alloc_huge(sizeof(double) * Max((Size) crossfit->nusers, 1));

	for (uint32 user = 0; user < crossfit->nusers; user++)
		figures[user] = crossfit->halves[user] == RECSYS_HALF_NONE ? NAN :
			crossfit->figures[1 - crossfit->halves[user]][user];
	return figures;
}
