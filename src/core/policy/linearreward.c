/*
 * linearreward.c
 *	  Rewards as a linear function of features: ridge regression from sums.
 */
#include "core/policy/linearreward.h"

#include <math.h>

#include "core/policy/policydraws.h"

/* Place of row i, column j <= i, of a triangle kept row by row */
#define TRIANGLE(i, j) ((i) * ((i) + 1) / 2 + (j))

void
RecsysLinearTrial(double *sums, int d, const double *features, double weight)
{
	double	   *products = sums + 1 + d;

	sums[0] += weight;
	for (int i = 0; i < d; i++)
		for (int j = 0; j <= i; j++)
			*products++ += weight * features[i] * features[j];
}

void
RecsysLinearReward(double *sums, int d, const double *features, double reward, double weight)
{
	for (int i = 0; i < d; i++)
		sums[1 + i] += weight * reward * features[i];
}

void
RecsysLinearFold(double *sums, int d, const double *more)
{
	for (int i = 0; i < RecsysLinearLength(d); i++)
		sums[i] += more[i];
}

void
RecsysLinearDecay(double *sums, int d, double factor)
{
	for (int i = 0; i < RecsysLinearLength(d); i++)
		sums[i] *= factor;
}

/* L y = x, in place */
static void
solve_forward(const double *factor, int d, double *x)
{
	for (int i = 0; i < d; i++)
	{
		const double *row = factor + TRIANGLE(i, 0);
		double		sum = x[i];

		for (int j = 0; j < i; j++)
			sum -= row[j] * x[j];
		x[i] = sum / row[i];
	}
}

/* L' y = x, in place */
static void
solve_backward(const double *factor, int d, double *x)
{
	for (int i = d - 1; i >= 0; i--)
	{
		const double *row = factor + TRIANGLE(i, 0);

		x[i] /= row[i];
		for (int j = 0; j < i; j++)
			x[j] -= row[j] * x[i];
	}
}

static void
find_coefficients(RecsysLinearFit *fit)
{
	memcpy(fit->coefficients, fit->moments, sizeof(double) * fit->d);
	solve_forward(fit->factor, fit->d, fit->coefficients);
	solve_backward(fit->factor, fit->d, fit->coefficients);
}

/*
 * A pivot is at least ridge, were it not for rounding (or sums that no trials can have).  Where
 * features are so large, or ridge so small, that it drowns in the rounding of the sums, that takes
 * its place.  The squares of a row of the factor sum up to the diagonal of A.
 */
static void
factorise(double *factor, int d, double ridge)
{
	for (int i = 0; i < d; i++)
	{
		double	   *row = factor + TRIANGLE(i, 0);
		double		least = Max(ridge, 1e-13 * d * row[i]);
		double		most = sqrt(Max(row[i], ridge));

		for (int j = 0; j <= i; j++)
		{
			const double *other = factor + TRIANGLE(j, 0);
			double		sum = row[j];

			for (int k = 0; k < j; k++)
				sum -= row[k] * other[k];
			row[j] = j < i ? Min(Max(sum / other[j], -most), most) : sqrt(Max(sum, least));
		}
	}
}

void
RecsysLinearSolve(const double *sums, int d, double ridge, RecsysLinearFit *fit)
{
	Size		length = d * (d + 1) / 2;

	fit->d = d;
	fit->updates = 0;
	if (sums == NULL)
	{
		memset(fit->moments, 0, sizeof(double) * d);
		memset(fit->factor, 0, sizeof(double) * length);
	}
	else
	{
		memcpy(fit->moments, sums + 1, sizeof(double) * d);
		memcpy(fit->factor, sums + 1 + d, sizeof(double) * length);
	}
	for (int i = 0; i < d; i++)
		fit->factor[TRIANGLE(i, i)] += ridge;
	factorise(fit->factor, d, ridge);
	find_coefficients(fit);
}

void
RecsysLinearUpdate(RecsysLinearFit *fit, const double *features, double reward, double weight)
{
	double		x[RECSYS_MOST_FEATURES];
	double		root = sqrt(weight);

	for (int i = 0; i < fit->d; i++)
	{
		x[i] = root * features[i];
		fit->moments[i] += weight * reward * features[i];
	}
	for (int k = 0; k < fit->d; k++)
	{
		double	   *pivot = &fit->factor[TRIANGLE(k, k)];
		double		length = sqrt(*pivot * *pivot + x[k] * x[k]);
		double		cosine = length / *pivot;
		double		sine = x[k] / *pivot;

		*pivot = length;
		for (int i = k + 1; i < fit->d; i++)
		{
			double	   *below = &fit->factor[TRIANGLE(i, k)];

			*below = (*below + sine * x[i]) / cosine;
			x[i] = cosine * x[i] - sine * *below;
		}
	}
	fit->updates++;
	find_coefficients(fit);
}

double
RecsysLinearMean(const RecsysLinearFit *fit, const double *features)
{
	double		sum = 0;

	for (int i = 0; i < fit->d; i++)
		sum += fit->coefficients[i] * features[i];
	return sum;
}

double
RecsysLinearWidth(const RecsysLinearFit *fit, const double *features)
{
	double		x[RECSYS_MOST_FEATURES];
	double		sum = 0;

	memcpy(x, features, sizeof(double) * fit->d);
	solve_forward(fit->factor, fit->d, x);
	for (int i = 0; i < fit->d; i++)
		sum += x[i] * x[i];
	return sqrt(sum);
}

/* With z of independent standard normals, L'^-1 z has the covariances A^-1. */
void
RecsysLinearDraw(const RecsysLinearFit *fit, double deviation, RecsysRandom *random,
				 double *coefficients)
{
	for (int i = 0; i < fit->d; i++)
		coefficients[i] = RecsysDrawNormal(random);
	solve_backward(fit->factor, fit->d, coefficients);
	for (int i = 0; i < fit->d; i++)
		coefficients[i] = fit->coefficients[i] + deviation * coefficients[i];
}
