/*
 * preference.c
 *	  Which of two lists do users prefer that were shown them as one?
 *
 * Team draft is fair: who does not prefer one of the lists clicks on both teams alike, in
 * expectation (Radlinski, Kurup, Joachims: How does clickthrough data reflect retrieval quality?,
 * CIKM 2008).  So the mean of what units say is 0 then, and is compared with 0.
 *
 * The interval is an asymptotic confidence sequence: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas:
 * Time-uniform central limit theory and asymptotic confidence sequences, 2021, theorem 2.2:
 *		mean +- s sqrt(2 (n r^2 + 1) / (n^2 r^2) log(sqrt(n r^2 + 1) / alpha))
 * with s^2 the variance and r such that it is narrowest at n = tuning (their appendix B.2).  The
 * p-value is the alpha at which it comes to touch 0, r being left as it is.
 */
#include "core/decide/preference.h"

#include <math.h>

void
RecsysAddPreference(RecsysPreferenceSums *sums, double first, double second, uint64 units)
{
	double		says;

	sums->units += units;
	if (!(first + second > 0))
		return;
	says = (second - first) / (first + second);
	if (first > second)
		sums->first += units;
	else if (second > first)
		sums->second += units;
	else
		sums->ties += units;
	sums->sum += says * (double) units;
	sums->sum_squares += says * says * (double) units;
}

/* The square of r */
static double
mixture(double alpha, double tuning)
{
	double		twice = -2 * log(alpha);

	return (twice + log(twice + 1)) / tuning;
}

/*
 * With one more unit for each team: the first few units, which may all say the same, would else
 * have too little variance, or none, and the interval would be too narrow.
 */
static double
careful_variance(const RecsysPreferenceSums *sums, double n)
{
	double		mean = sums->sum / (n + 2);

	return (sums->sum_squares + 2 - (n + 2) * mean * mean) / (n + 1);
}

void
RecsysMeasurePreference(const RecsysPreferenceSums *sums, double alpha, double tuning,
						RecsysPreference *result)
{
	double		n = (double) (sums->first + sums->second + sums->ties);
	double		r2 = mixture(alpha, Max(tuning, 1));
	double		mean = sums->sum / n;
	double		variance;
	double		half;

	result->sign_p_value = RecsysSignTest(sums->first, sums->second);
	if (n < 2)
	{
		result->preference = n > 0 ? mean : NAN;
		result->standard_error = result->low = result->high = result->p_value = NAN;
		return;
	}
	variance = careful_variance(sums, n);
	half = sqrt(variance * 2 * (n * r2 + 1) / (n * n * r2) * log(sqrt(n * r2 + 1) / alpha));
	result->preference = mean;
	result->standard_error = sqrt(Max(sums->sum_squares - n * mean * mean, 0) / (n - 1) / n);
	result->low = Max(mean - half, -1);
	result->high = Min(mean + half, 1);
	result->p_value = Min(sqrt(n * r2 + 1) *
						  exp(-n * n * r2 * mean * mean / (2 * variance * (n * r2 + 1))), 1);
}

/*
 * Twice the smaller tail of Binomial(n, 1/2), from its end at the smaller count down, each term by
 * the one before it; terms that add nothing end it.
 */
double
RecsysSignTest(uint64 first, uint64 second)
{
	double		n = (double) (first + second);
	double		k = (double) Min(first, second);
	double		term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2.0));
	double		sum = 0;

	while (k >= 0 && term > sum * 1e-17)
	{
		sum += term;
		term *= k / (n - k + 1);
		k--;
	}
	return Min(2 * sum, 1);
}
