/*
 * policyinterval.c
 *	  How sure the value of a policy is.
 *
 * Bootstrap: units are drawn with replacement, requests with all of their rows, and the interval
 * has the quantiles of the resamples' values (Efron, Tibshirani: An introduction to the bootstrap,
 * 1993, chapter 13).  Numerators and denominators are resampled together.
 *
 * Empirical Bernstein (Maurer, Pontil: Empirical Bernstein bounds and sample variance penalization,
 * COLT 2009, theorem 4), once for each side: with probability 1 - d the mean of n values with
 * sample variance V and range b is within
 *	  sqrt(2 V ln(4/d) / n) + 7 b ln(4/d) / (3 (n - 1))
 * of their expectation.  A ratio is linearised around its value, so for one whose denominator is
 * left to chance it holds as n grows.
 */
#include "core/offpolicy/policyinterval.h"

#include <math.h>

#include "core/measure/resample.h"

typedef struct ValueResamples
{
	const RecsysPolicyRatio *ratios;
	int			nratios;
	int			resamples;
	double	   *values;			/* resamples of each ratio */
} ValueResamples;

/* A RecsysResampleSums */
static void
take_ratios(void *arg, int resample, const double *sums)
{
	ValueResamples *state = arg;

	for (int r = 0; r < state->nratios; r++)
	{
		const RecsysPolicyRatio *ratio = &state->ratios[r];

		state->values[(Size) r * state->resamples + resample] =
			ratio->scale * sums[ratio->numerator] / sums[ratio->denominator];
	}
}

static int
compare_values(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Resamples in which nothing has been drawn that the target shows have no value. */
static int
drop_undefined(double *values, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
		if (isfinite(values[i]))
			values[kept++] = values[i];
	return kept;
}

static void
bootstrap(const double *table, int ncolumns, uint32 n, const RecsysPolicyResampling *resampling,
		  RecsysPolicyRatio *ratios, int nratios)
{
	RecsysResampling drawing = {0};
	ValueResamples state;

	drawing.resamples = resampling->resamples;
	drawing.confidence = resampling->confidence;
	drawing.seed = resampling->seed;
	state.ratios = ratios;
	state.nratios = nratios;
	state.resamples = resampling->resamples;
	state.values = recsys_alloc_huge(sizeof(double) * (Size) resampling->resamples * Max(nratios, 1));
	RecsysResample(table, ncolumns, n, &drawing, take_ratios, &state);
	for (int r = 0; r < nratios; r++)
	{
		double	   *values = state.values + (Size) r * resampling->resamples;
		int			kept = drop_undefined(values, resampling->resamples);

		if (kept == 0)
			continue;
		qsort(values, kept, sizeof(double), compare_values);
		ratios[r].low = RecsysQuantile(values, kept, (1 - resampling->confidence) / 2);
		ratios[r].high = RecsysQuantile(values, kept, (1 + resampling->confidence) / 2);
	}
	pfree(state.values);
}

static void
bernstein(const double *table, int ncolumns, uint32 n, double confidence, RecsysPolicyRatio *ratio)
{
	double		denominators = 0;
	double		squares = 0;
	double		by;				/* what a sum over units is divided by, for each unit */
	double		logarithm = log(4 / (1 - confidence));
	double		half;

	if (n < 2)
		return;
	for (uint32 u = 0; u < n; u++)
		denominators += table[(Size) u * ncolumns + ratio->denominator];
	by = denominators / n / ratio->scale;
	for (uint32 u = 0; u < n; u++)
	{
		const double *row = table + (Size) u * ncolumns;
		double		z = (row[ratio->numerator] - ratio->value / ratio->scale * row[ratio->denominator]) / by;

		squares += z * z;
	}
	half = sqrt(2 * squares / (n - 1) * logarithm / n) +
		7 * (ratio->most - ratio->least) / by * logarithm / (3 * (n - 1.0));
	ratio->low = ratio->value - half;
	ratio->high = ratio->value + half;
}

void
RecsysPolicyIntervals(const double *table, int ncolumns, uint32 n,
					  const RecsysPolicyResampling *resampling, RecsysPolicyRatio *ratios,
					  int nratios)
{
	for (int r = 0; r < nratios; r++)
		ratios[r].low = ratios[r].high = NAN;
	if (resampling->method == RECSYS_POLICY_BERNSTEIN)
		for (int r = 0; r < nratios; r++)
			bernstein(table, ncolumns, n, resampling->confidence, &ratios[r]);
	else if (resampling->resamples > 0 && n > 0 && nratios > 0)
		bootstrap(table, ncolumns, n, resampling, ratios, nratios);
}
