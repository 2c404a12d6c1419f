/*
 * fewclicks.h
 *	  How likely so few events are by chance: the lower tail of the Poisson distribution.
 *
 * Clicks on an item at its places are independent trials with small probabilities that differ;
 * their number is nearly Poisson, and never more likely to be 0 than that (Le Cam: An approximation
 * theorem for the Poisson binomial distribution, Pacific J. Math. 10, 1960).
 */
#ifndef RECSYS_FEWCLICKS_H
#define RECSYS_FEWCLICKS_H

#include "core/base/platform.h"

/*
 * P(X <= events), X with that mean: sum of exp(-mean) mean^i / i!.  NaN for a mean that is
 * negative or not finite; 0 for fewer events than none.
 */
extern double RecsysPoissonLower(int64 events, double mean);

#endif							/* RECSYS_FEWCLICKS_H */
