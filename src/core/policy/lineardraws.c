/*
 * lineardraws.c
 *	  Linear Thompson sampling where all arms share one function.
 */
#include "core/policy/lineardraws.h"

#include "core/policy/armorder.h"
#include "core/policy/policydraws.h"

/* Of any order; the rest of 1 is shared by the draws. */
static double
any_order(const RecsysLinearDraws *draws)
{
	return 1.0 / (1 + 10.0 * draws->draws);
}

/* The arms in the order of one of the draws; those of equal features in random order. */
static void
order_of_draw(const RecsysLinearDraws *draws, int number, int places, double *scores, int *chosen)
{
	double		coefficients[RECSYS_MOST_FEATURES];
	RecsysRandom random;

	CHECK_FOR_INTERRUPTS();
	RecsysRandomStart(&random, draws->seed, number);
	RecsysLinearDraw(draws->fit, draws->deviation, &random, coefficients);
	for (int arm = 0; arm < draws->narms; arm++)
	{
		const double *features = draws->features + (Size) arm * draws->stride;

		scores[arm] = 0;
		for (int i = 0; i < draws->fit->d; i++)
			scores[arm] += coefficients[i] * features[i];
	}
	RecsysDrawOrder(scores, draws->narms, 0, places, &random, chosen);
}

void
RecsysLinearDrawsShares(const RecsysLinearDraws *draws, int places, double *shares)
{
	Size		cells = (Size) draws->narms * places;
	double	   *scores = palloc(sizeof(double) * draws->narms);
	int		   *chosen = palloc(sizeof(int) * places);
	double		one = (1 - any_order(draws)) / draws->draws;

	for (Size cell = 0; cell < cells; cell++)
		shares[cell] = any_order(draws) / draws->narms;
	for (int number = 0; number < draws->draws; number++)
	{
		order_of_draw(draws, number, places, scores, chosen);
		for (int place = 0; place < places; place++)
			shares[(Size) chosen[place] * places + place] += one;
	}
	pfree(scores);
	pfree(chosen);
}

void
RecsysLinearDrawsPick(const RecsysLinearDraws *draws, int places, RecsysRandom *random,
					  int *chosen)
{
	double	   *scores = palloc0(sizeof(double) * draws->narms);

	if (RecsysDrawUnit(random) < any_order(draws))
		RecsysDrawOrder(scores, draws->narms, 0, places, random, chosen);
	else
		order_of_draw(draws, (int) RecsysRandomBelow(random, draws->draws), places, scores, chosen);
	pfree(scores);
}
