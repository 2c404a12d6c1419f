/*
 * retirement.h
 *	  How much new items may cost: when a candidate has had its chance, and how many places are given
 *	  away.
 *
 * Let a base list have the mean reward m per place, rewards between 0 and 1.
 *
 * 1. At most a share c of all places is explored (RecsysExploredPlaces).  As no place brings less
 *	  than nothing, the mean reward is at least (1 - c) m, whatever the candidates are.
 * 2. A candidate is retired once its upper bound is below (1 - tolerance) times the lower bound of
 *	  the base.  Bounds hold at all times together with probability 1 - delta, so with that
 *	  probability no candidate is ever retired whose mean is (1 - tolerance) m or more.
 * 3. A candidate whose mean is lower is retired after as many trials as its bound needs to get there:
 *	  about ln(trials / delta) / kl(its mean, (1 - tolerance) m).  So what all candidates cost together
 *	  does not grow with the requests, but with the candidates.
 *
 * The bounds are those of a mixture of likelihood ratios (Robbins: Statistical methods related to
 * the law of the iterated logarithm, 1970; Kaufmann, Koolen: Mixture martingales revisited, 2021):
 * for any mean p the integral of (x/p)^s ((1-x)/(1-p))^(n-s) over x in [0, 1] is a supermartingale
 * of mean 1 for rewards in [0, 1] of that mean, as its factors are convex in each reward; by
 * Ville's inequality it reaches 1/delta with probability delta at most.
 */
#ifndef RECSYS_RETIREMENT_H
#define RECSYS_RETIREMENT_H

#include "core/base/random.h"
#include "core/policy/armcounts.h"

/* Bounds of an arm's mean, each of which holds at all times with probability 1 - delta. */
extern double RecsysLowerBound(const RecsysArmCounts *arm, double delta);
extern double RecsysUpperBound(const RecsysArmCounts *arm, double delta);

typedef struct RecsysRetirement
{
	double		tolerance;		/* 0 to 1: how much worse than the base a candidate may be */
	double		delta;			/* chance that any good candidate is retired by mistake */
	int			candidates;		/* that there will be, for which delta is shared */
} RecsysRetirement;

/* Has the candidate had its chance? */
extern bool RecsysIsRetired(const RecsysRetirement *rule, const RecsysArmCounts *base,
							const RecsysArmCounts *candidate);

/* Trials after which a candidate that always brings `mean` is retired; infinite: never */
extern double RecsysTrialsToRetire(const RecsysRetirement *rule, const RecsysArmCounts *base,
								   double mean);

/* How many of k places of this request to explore, so that it is the share of all in the mean. */
extern int	RecsysExploredPlaces(int k, double share, RecsysRandom *random);

#endif							/* RECSYS_RETIREMENT_H */
