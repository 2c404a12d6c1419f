/*
 * confseq.h
 *	  Bounds that hold at all times together, however often one looks.
 *
 * A sum of v observations with mean 0 and variance 1 (v need not be whole: it is the sum's
 * variance, "intrinsic time") stays within its bound for ever with probability 1 - alpha.  The
 * bound is narrowest, beside what is possible, at a time that has to be chosen beforehand.
 */
#ifndef RECSYS_CONFSEQ_H
#define RECSYS_CONFSEQ_H

#include "core/base/platform.h"

/* One side: the sum does not exceed the bound; two: nor does the sum times -1 */
typedef enum RecsysSides
{
	RECSYS_ONE_SIDE = 1,
	RECSYS_TWO_SIDES = 2
} RecsysSides;

/*
 * The parameter rho of the boundaries below that makes them narrow at time v_opt, 0 < alpha < 1.
 */
extern double RecsysMixtureRho(double v_opt, double alpha, RecsysSides sides);

/*
 * Logarithm of the evidence against mean 0 that a sum s at time v is.  It exceeds ln(1 / alpha)
 * at any time with probability alpha at most, so that exp(-it), at most 1, is a p-value that is
 * always valid.
 */
extern double RecsysMixtureLog(double s, double v, double rho, RecsysSides sides);

/* The sum s at which the above is ln(1 / alpha) */
extern double RecsysMixtureBound(double v, double rho, double alpha, RecsysSides sides);

/*
 * What is estimated from n units with that standard error: half the width of its interval at n,
 * and the p-value against 0.  tuning: the number of units at which the width is least.
 */
extern double RecsysSequentialHalfWidth(double standard_error, double n, double tuning, double alpha);
extern double RecsysSequentialP(double estimate, double standard_error, double n, double tuning,
								double alpha);

#endif							/* RECSYS_CONFSEQ_H */
