/*
 * sampleratio.c
 *	  Do the arms have as many units as their shares say?
 *
 * Pearson's chi-square test of goodness of fit (Pearson 1900).  What a mismatch says about an
 * experiment: Fabijan, Gupchup, Gupta, Omhover, Qin, Vermeer, Dmitriev 2019, "Diagnosing sample
 * ratio mismatch in online controlled experiments", KDD.
 */
#include "core/decide/sampleratio.h"

#include <math.h>

#include "core/measure/distribution.h"

double
RecsysSampleRatio(const double *counts, const double *shares, int n, double *p_value)
{
	double		units = 0;
	double		whole = 0;
	double		chi_square = 0;
	int			arms = 0;

	for (int x = 0; x < n; x++)
	{
		if (!(shares[x] > 0))
			continue;
		units += counts[x];
		whole += shares[x];
		arms++;
	}
	*p_value = NAN;
	if (arms < 2 || !(units > 0))
		return NAN;
	for (int x = 0; x < n; x++)
	{
		double		expected = units * (shares[x] / whole);

		if (shares[x] > 0)
			chi_square += (counts[x] - expected) * (counts[x] - expected) / expected;
	}
	*p_value = RecsysChiSquareTail(chi_square, arms - 1);
	return chi_square;
}
