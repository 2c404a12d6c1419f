/*
 * linearreward.h
 *	  Rewards as a linear function of features: ridge regression from sums.
 *
 * What is kept of an arm (or, if arms share one function, of all) is an array of
 * RecsysLinearLength(d) doubles: the trials, d sums of reward times feature, and the lower triangle,
 * row by row, of the d x d sums of products of features.  All are sums: arrays are added element by
 * element in any order, and decay by one factor.  The prior is no part of them.
 */
#ifndef RECSYS_LINEARREWARD_H
#define RECSYS_LINEARREWARD_H

#include "core/base/random.h"

#define RECSYS_MOST_FEATURES 64

static inline int
RecsysLinearLength(int d)
{
	return 1 + d + d * (d + 1) / 2;
}

/* A trial of this weight was made with these features; what it brings is added by the second. */
extern void RecsysLinearTrial(double *sums, int d, const double *features, double weight);
extern void RecsysLinearReward(double *sums, int d, const double *features, double reward,
							   double weight);

extern void RecsysLinearFold(double *sums, int d, const double *more);
extern void RecsysLinearDecay(double *sums, int d, double factor);

/*
 * The regression of such sums: coefficients and the Cholesky factor of A = ridge I + sum of x x'.
 * To be made once, and used for many choices.
 */
typedef struct RecsysLinearFit
{
	int			d;
	int			updates;		/* since it was made from sums */
	double		coefficients[RECSYS_MOST_FEATURES];
	double		moments[RECSYS_MOST_FEATURES];	/* sums of reward times feature */
	double		factor[RECSYS_MOST_FEATURES * (RECSYS_MOST_FEATURES + 1) / 2];	/* L of A = L L', rows of a triangle */
} RecsysLinearFit;

/* ridge > 0; sums may be NULL: nothing is known yet. */
extern void RecsysLinearSolve(const double *sums, int d, double ridge, RecsysLinearFit *fit);

/*
 * The same after one more trial, in d^2 steps (Golub, Van Loan: Matrix computations, 6.5.4), for who
 * learns as it goes.  Rounding adds up: solve from the sums again after some thousand.
 */
extern void RecsysLinearUpdate(RecsysLinearFit *fit, const double *features, double reward,
							   double weight);

/* x' coefficients, and sqrt(x' A^-1 x): the width of what is not known of it */
extern double RecsysLinearMean(const RecsysLinearFit *fit, const double *features);
extern double RecsysLinearWidth(const RecsysLinearFit *fit, const double *features);

/* Coefficients from the normal law of mean `coefficients` and covariances deviation^2 A^-1 */
extern void RecsysLinearDraw(const RecsysLinearFit *fit, double deviation, RecsysRandom *random,
							 double *coefficients);

#endif							/* RECSYS_LINEARREWARD_H */
