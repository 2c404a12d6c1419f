/*
 * policydraws.h
 *	  Random numbers of the laws that policies draw from.
 */
#ifndef RECSYS_POLICYDRAWS_H
#define RECSYS_POLICYDRAWS_H

#include "core/base/random.h"

/* 0 < u < 1 */
static inline double
RecsysDrawUnit(RecsysRandom *random)
{
	return ((double) (RecsysRandomNext(random) >> 11) + 0.5) / 9007199254740992.0;
}

/* mean 0, variance 1 */
extern double RecsysDrawNormal(RecsysRandom *random);

/* Logarithm of a gamma variable of that shape > 0 and scale 1; as such it cannot underflow. */
extern double RecsysDrawLogGamma(double shape, RecsysRandom *random);

#endif							/* RECSYS_POLICYDRAWS_H */
