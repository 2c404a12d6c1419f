/*
 * distribution.c
 *	  Tails and quantiles of the distributions that tests are read from.
 *
 * Tails are computed as such, never as one minus the other side, so that small
 * p-values keep their digits.  Student's come from the incomplete beta function,
 * chi-square's from the incomplete gamma function; both by their continued
 * fractions (Press et al.: Numerical Recipes, sections 6.2 and 6.4).  Quantiles
 * start from an approximation and are refined until nothing changes.
 */
#include "core/measure/distribution.h"

#include <math.h>

/* Quantities that must not be 0 in Lentz's method */
#define TINY 1e-300

/* Steps of a continued fraction or series; a few dozen are usual. */
#define MOST_STEPS 10000

/*
 * Beyond so many degrees of freedom Student's distribution is taken from the normal one, by a
 * formula whose error is of the order of 1 / freedom^2.
 */
#define MANY_FREEDOM 1e6

/*
 * The regularized incomplete beta function's continued fraction, evaluated by
 * Lentz's method: Abramowitz, Stegun, 26.5.8; Press et al.: Numerical Recipes,
 * section 6.4.
 */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1.0;
	double		d = 1.0 - (a + b) * x / (a + 1.0);
	double		fraction;

	d = 1.0 / (fabs(d) < TINY ? TINY : d);
	fraction = d;
	for (int m = 1; m <= MOST_STEPS; m++)
	{
		double		terms[2];
		double		step = 1.0;

		terms[0] = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
		terms[1] = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
		for (int i = 0; i < 2; i++)
		{
			d = 1.0 + terms[i] * d;
			d = 1.0 / (fabs(d) < TINY ? TINY : d);
			c = 1.0 + terms[i] / c;
			c = fabs(c) < TINY ? TINY : c;
			step = d * c;
			fraction *= step;
		}
		if (fabs(step - 1.0) < 1e-15)
			break;
	}
	return fraction;
}

/*
 * ln Gamma(a + 1/2) - ln Gamma(a).  For a large a both are so large that their difference would
 * keep few digits; it has a series of its own (Tricomi, Erdelyi 1951, "The asymptotic expansion
 * of a ratio of gamma functions").
 */
static double
half_step(double a)
{
	double		square = a * a;

	if (a < 50)
		return lgamma(a + 0.5) - lgamma(a);
	return 0.5 * log(a) - (1.0 / 8 - (1.0 / 192 - (1.0 / 640 - 17.0 / 14336 / square) / square) /
						   square) / a;
}

/*
 * I_x(freedom / 2, 1 / 2), the regularized incomplete beta function at x = freedom / (freedom + t^2):
 * P(|T| > t)
 */
static double
both_tails(double t, double freedom)
{
	double		a = freedom / 2.0;
	double		ratio = t * t / freedom;
	double		x = 1.0 / (1.0 + ratio);
	double		y = ratio < 1e300 ? ratio / (1.0 + ratio) : 1.0;
	double		factor;

	if (ratio == 0.0)
		return 1.0;
	/* Gamma(1/2) is the square root of pi */
	factor = exp(half_step(a) - 0.5 * log(M_PI) - a * log1p(ratio) + 0.5 * log(y));
	if (x < (a + 1.0) / (a + 2.5))
		return factor * beta_fraction(a, 0.5, x) / a;
	return 1.0 - factor * beta_fraction(0.5, a, y) / 0.5;
}

double
RecsysGaussianTail(double z)
{
	return 0.5 * erfc(z * M_SQRT1_2);
}

double
RecsysGaussianQuantile(double tail)
{
	double		side = Min(tail, 1.0 - tail);
	double		t = sqrt(-2.0 * log(side));
	double		z;

	if (tail == 0.5)
		return 0.0;

	/* Abramowitz, Stegun, 26.2.23, to 4.5e-4; then Halley's method on the tail */
	z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
		(1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
	for (int step = 0; step < 4; step++)
	{
		double		density = exp(-0.5 * z * z) / sqrt(2.0 * M_PI);
		double		newton;

		if (density < TINY)
			break;
		newton = (RecsysGaussianTail(z) - side) / density;
		z += newton / (1.0 - 0.5 * z * newton);
	}
	return tail < 0.5 ? z : -z;
}

double
RecsysStudentTail(double t, double freedom)
{
	if (isnan(t) || !(freedom > 0))
		return NAN;
	if (isinf(t))
		return t > 0 ? 0.0 : 1.0;
	if (freedom > MANY_FREEDOM)
		/* Abramowitz, Stegun, 26.7.8 */
		return RecsysGaussianTail(t * (1.0 - 0.25 / freedom) / sqrt(1.0 + t * t / (2.0 * freedom)));
	return t >= 0 ? 0.5 * both_tails(t, freedom) : 1.0 - 0.5 * both_tails(t, freedom);
}

/*
 * Newton's method, kept between bounds that close in.
 */
double
RecsysStudentQuantile(double tail, double freedom)
{
	double		side = Min(tail, 1.0 - tail);
	double		low = 0.0;
	double		high = 1.0;
	double		constant;
	double		t;

	if (!(freedom > 0) || !(side > 0))
		return NAN;
	if (tail == 0.5)
		return 0.0;
	constant = half_step(freedom / 2.0) - 0.5 * log(M_PI * freedom);
	t = RecsysGaussianQuantile(side);
	while (RecsysStudentTail(high, freedom) > side && high < 1e300)
	{
		low = high;
		high *= 2.0;
	}
	for (int step = 0; step < 200; step++)
	{
		double		excess;
		double		next;

		if (!(t > low && t < high))
			t = 0.5 * (low + high);
		excess = RecsysStudentTail(t, freedom) - side;
		if (excess > 0)
			low = t;
		else
			high = t;
		next = t + excess / exp(constant - 0.5 * (freedom + 1.0) * log1p(t * t / freedom));
		if (fabs(next - t) <= 1e-15 * t || high - low <= 1e-15 * high)
			break;
		t = next;
	}
	return tail < 0.5 ? t : -t;
}

/*
 * Q(freedom / 2, x / 2), the regularized upper incomplete gamma function: its series for a small x,
 * else its continued fraction.
 */
double
RecsysChiSquareTail(double x, double freedom)
{
	double		a = freedom / 2.0;
	double		half = x / 2.0;
	double		factor;

	if (isnan(x) || !(freedom > 0))
		return NAN;
	if (half <= 0.0 || isinf(half))
		return half <= 0.0 ? 1.0 : 0.0;
	factor = exp(a * log(half) - half - lgamma(a));
	if (half < a + 1.0)
	{
		double		term = 1.0 / a;
		double		sum = term;

		for (int n = 1; n <= MOST_STEPS && term > sum * 1e-17; n++)
		{
			term *= half / (a + n);
			sum += term;
		}
		return 1.0 - factor * sum;
	}
	else
	{
		double		b = half + 1.0 - a;
		double		c = 1.0 / TINY;
		double		d = 1.0 / b;
		double		fraction = d;

		for (int n = 1; n <= MOST_STEPS; n++)
		{
			double		numerator = -n * (n - a);

			b += 2.0;
			d = numerator * d + b;
			d = 1.0 / (fabs(d) < TINY ? TINY : d);
			c = b + numerator / c;
			c = fabs(c) < TINY ? TINY : c;
			fraction *= d * c;
			if (fabs(d * c - 1.0) < 1e-15)
				break;
		}
		return factor * fraction;
	}
}
