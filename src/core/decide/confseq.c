/*
 * confseq.c
 *	  Bounds that hold at all times together, however often one looks.
 *
 * The normal mixture (Robbins 1970, "Statistical methods related to the law of the iterated
 * logarithm"; Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic
 * confidence sequences", Annals of Statistics 49, propositions 5 and 6): for every mean l,
 * exp(l s - l^2 v / 2) has expectation 1 at most, whenever one stops.  So has its mean over a
 * normal distribution of l with variance 1 / rho, which is
 *
 *		m(s, v) = sqrt(rho / (v + rho)) exp(s^2 / (2 (v + rho)))
 *
 * and by Ville's inequality (1939) the chance that it ever reaches 1 / alpha is alpha at most.
 * For one side the mean is over the half of the distribution that is positive:
 *
 *		m(s, v) = 2 sqrt(rho / (v + rho)) exp(s^2 / (2 (v + rho))) Phi(s / sqrt(v + rho))
 *
 * rho as in Howard et al. 2021, section 3.5, with an approximation of Lambert's function.  One
 * side has it at 2 alpha.
 *
 * Estimates that are not sums of bounded observations: Waudby-Smith, Arbour, Sinha, Kennedy,
 * Ramdas 2021 (Annals of Statistics 52, 2024), "Time-uniform central limit theory and asymptotic
 * confidence sequences", equation 9.  Theirs is the two-sided bound above, with rho^2 in the
 * place of 1 / rho: the sum of n observations of variance 1 is estimate / standard error *
 * sqrt(n), and half the width is standard error / sqrt(n) * bound(n).
 */
#include "core/decide/confseq.h"

#include <math.h>

#include "core/measure/distribution.h"

double
RecsysMixtureRho(double v_opt, double alpha, RecsysSides sides)
{
	double		logarithm = -2.0 * log(sides == RECSYS_ONE_SIDE ? 2.0 * alpha : alpha);

	return v_opt / (logarithm + log1p(logarithm));
}

double
RecsysMixtureLog(double s, double v, double rho, RecsysSides sides)
{
	double		both = 0.5 * log(rho / (v + rho)) + s * s / (2.0 * (v + rho));

	if (sides == RECSYS_TWO_SIDES)
		return both;
	return both + log(2.0 * RecsysGaussianTail(-s / sqrt(v + rho)));
}

/*
 * The one-sided bound by bisection; the two-sided one at 2 alpha lies above it, as Phi is 1 / 2
 * at least.
 */
double
RecsysMixtureBound(double v, double rho, double alpha, RecsysSides sides)
{
	double		low = 0.0;
	double		high = sqrt((v + rho) * (log1p(v / rho) - 2.0 * log(alpha)));

	if (sides == RECSYS_TWO_SIDES)
		return high;
	for (int step = 0; step < 200 && high - low > 1e-15 * high; step++)
	{
		double		middle = 0.5 * (low + high);

		if (RecsysMixtureLog(middle, v, rho, sides) < -log(alpha))
			low = middle;
		else
			high = middle;
	}
	return 0.5 * (low + high);
}

double
RecsysSequentialHalfWidth(double standard_error, double n, double tuning, double alpha)
{
	double		rho = RecsysMixtureRho(tuning, alpha, RECSYS_TWO_SIDES);

	return standard_error * RecsysMixtureBound(n, rho, alpha, RECSYS_TWO_SIDES) / sqrt(n);
}

double
RecsysSequentialP(double estimate, double standard_error, double n, double tuning, double alpha)
{
	double		rho = RecsysMixtureRho(tuning, alpha, RECSYS_TWO_SIDES);
	double		sum = estimate / standard_error * sqrt(n);

	return exp(-Max(RecsysMixtureLog(sum, n, rho, RECSYS_TWO_SIDES), 0.0));
}
