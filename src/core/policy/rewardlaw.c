/*
 * rewardlaw.c
 *	  What is believed of an arm's mean reward: a Beta, a Student or a normal law.
 *
 * Parameters may be millions, where gamma functions are so large that their differences have few
 * digits left.  So densities are written relative to that at the mean, which by Stirling's series
 * has no large parts (Loader: Fast and accurate computation of binomial probabilities, 2000).
 */
#include "core/policy/rewardlaw.h"

#include <math.h>

#include "core/policy/policydraws.h"

/* ln Gamma(z) - ((z - 1/2) ln z - z + ln(2 pi) / 2): Abramowitz, Stegun, 6.1.41 */
static double
stirling_rest(double z)
{
	double		square = z * z;

	if (z < 16)
		return lgamma(z) - ((z - 0.5) * log(z) - z + 0.5 * log(2 * M_PI));
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square)
						/ square) / square) / z;
}

RecsysLawPoint
RecsysLawPointAt(const RecsysLaw *law, double t)
{
	RecsysLawPoint point = {.t = t};

	if (law->kind == RECSYS_LAW_BETA)
	{
		double		power = exp(-fabs(t));

		point.odds_x = (t < 0 ? power : 1) / (1 + power);
		point.odds_rest = (t < 0 ? 1 : power) / (1 + power);
	}
	return point;
}

/* ln(x / mean), where x = mean + difference */
static inline double
log_ratio(double x, double mean, double difference)
{
	return fabs(difference) < 0.5 * mean ? log1p(difference / mean) : log(x / mean);
}

double
RecsysLawLogDensity(const RecsysLaw *law, const RecsysLawPoint *point)
{
	double		z;

	if (law->kind == RECSYS_LAW_BETA)
	{
		double		difference = law->mean < 0.5 ? point->odds_x - law->mean :
			law->rest - point->odds_rest;

		return law->constant + law->a * log_ratio(point->odds_x, law->mean, difference) +
			law->b * log_ratio(point->odds_rest, law->rest, -difference);
	}
	z = (point->t - law->center) / law->scale;
	if (law->kind == RECSYS_LAW_NORMAL)
		return law->constant - 0.5 * z * z;
	return law->constant - 0.5 * (law->freedom + 1) * log1p(z * z / law->freedom);
}

/*
 * Nothing of the law lies beyond the point, on its other side from the middle.  A log-concave
 * density has less there than it is, divided by its slope; Student's less than z times it is.  True
 * for what is no number.
 */
static bool
is_end(const RecsysLaw *law, double t)
{
	RecsysLawPoint point = RecsysLawPointAt(law, t);
	double		density = RecsysLawLogDensity(law, &point);

	if (law->kind == RECSYS_LAW_BETA)
		density -= log(fabs(law->a * point.odds_rest - law->b * point.odds_x));
	else if (law->kind == RECSYS_LAW_STUDENT)
		density += log(Max(fabs(t - law->center), law->scale));
	else
		density += log(law->scale);
	return !(density >= log(RECSYS_LAW_NOTHING));
}

/* Where the law ends in the direction of step, to a tenth of the way from the middle */
static double
find_end(const RecsysLaw *law, double middle, double step)
{
	double		inside = 0;
	double		outside = step;

	while (!is_end(law, middle + outside))
	{
		inside = outside;
		outside *= 2;
	}
	while (fabs(outside - inside) > 0.02 * fabs(outside))
	{
		double		between = 0.5 * (inside + outside);

		if (is_end(law, middle + between))
			outside = between;
		else
			inside = between;
	}
	return middle + outside;
}

void
RecsysLawBeta(RecsysLaw *law, double a, double b)
{
	double		n = a + b;

	memset(law, 0, sizeof(*law));
	law->kind = RECSYS_LAW_BETA;
	law->a = a;
	law->b = b;
	law->mean = a / n;
	law->rest = b / n;
	law->constant = 0.5 * log(a / n * b / (2 * M_PI)) - stirling_rest(a) - stirling_rest(b) +
		stirling_rest(n);
}

void
RecsysLawStudent(RecsysLaw *law, double center, double scale, double freedom)
{
	double		half = 0.5 * freedom;

	memset(law, 0, sizeof(*law));
	law->kind = RECSYS_LAW_STUDENT;
	law->center = center;
	law->scale = scale;
	law->freedom = freedom;

	/* ln Gamma(half + 1/2) - ln Gamma(half) - ln(freedom pi) / 2 - ln(scale) */
	law->constant = half * log1p(0.5 / half) - 0.5 - 0.5 * log(2 * M_PI) - log(scale) +
		stirling_rest(half + 0.5) - stirling_rest(half);
}

void
RecsysLawNormal(RecsysLaw *law, double center, double scale)
{
	memset(law, 0, sizeof(*law));
	law->kind = RECSYS_LAW_NORMAL;
	law->center = center;
	law->scale = scale;
	law->constant = -0.5 * log(2 * M_PI) - log(scale);
}

void
RecsysLawFindEnds(RecsysLaw *law)
{
	double		middle = law->center;
	double		width = law->scale;

	if (law->kind == RECSYS_LAW_BETA)
	{
		middle = log(law->a / law->b);
		width = sqrt(1 / law->a + 1 / law->b);
	}
	law->low = find_end(law, middle, -4 * width);
	law->high = find_end(law, middle, 4 * width);
}

/*
 * The continued fraction of the incomplete beta function, by Lentz's method: Abramowitz, Stegun,
 * 26.5.8.  It takes about as many steps as the root of the larger parameter.
 */
static double
beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double		c = 1.0;
	double		d = 1.0 - (a + b) * x / (a + 1.0);
	double		fraction;

	d = 1.0 / (fabs(d) < tiny ? tiny : d);
	fraction = d;
	for (int m = 1; m <= 1000000; m++)
	{
		double		even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
		double		step;

		d = 1.0 + even * d;
		d = 1.0 / (fabs(d) < tiny ? tiny : d);
		c = 1.0 + even / c;
		c = fabs(c) < tiny ? tiny : c;
		fraction *= d * c;
		d = 1.0 + odd * d;
		d = 1.0 / (fabs(d) < tiny ? tiny : d);
		c = 1.0 + odd / c;
		c = fabs(c) < tiny ? tiny : c;
		step = d * c;
		fraction *= step;
		if (fabs(step - 1.0) < 1e-16)
			break;
	}
	return fraction;
}

/* The regularised incomplete beta function at a point of the law's axis */
static double
beta_below(const RecsysLaw *law, const RecsysLawPoint *point)
{
	double		density = exp(RecsysLawLogDensity(law, point));

	if (point->odds_x < (law->a + 1) / (law->a + law->b + 2))
		return density * beta_fraction(law->a, law->b, point->odds_x) / law->a;
	return 1 - density * beta_fraction(law->b, law->a, point->odds_rest) / law->b;
}

/*
 * P(T > |z|) is half of I_x(freedom / 2, 1 / 2), x = freedom / (freedom + z^2): Abramowitz, Stegun,
 * 26.7.1.
 */
static double
student_below(const RecsysLaw *law, double z)
{
	RecsysLaw	beta = {.kind = RECSYS_LAW_BETA,.a = 0.5 * law->freedom,.b = 0.5};
	double		square = z * z / law->freedom;
	RecsysLawPoint point = {.odds_x = 1 / (1 + square),.odds_rest = square / (1 + square)};
	double		beyond;

	if (z == 0)
		return 0.5;
	beta.mean = beta.a / (beta.a + beta.b);
	beta.rest = beta.b / (beta.a + beta.b);
	beta.constant = 0.5 * log(beta.mean * beta.b / (2 * M_PI)) - stirling_rest(beta.a) -
		stirling_rest(beta.b) + stirling_rest(beta.a + beta.b);
	beyond = 0.5 * beta_below(&beta, &point);
	return z < 0 ? beyond : 1 - beyond;
}

double
RecsysLawBelow(const RecsysLaw *law, double t)
{
	RecsysLawPoint point = RecsysLawPointAt(law, t);

	switch (law->kind)
	{
		case RECSYS_LAW_BETA:
			return beta_below(law, &point);
		case RECSYS_LAW_STUDENT:
			return student_below(law, (t - law->center) / law->scale);
		case RECSYS_LAW_NORMAL:
			break;
	}
	return 0.5 * erfc(-(t - law->center) / law->scale * M_SQRT1_2);
}

double
RecsysLawDraw(const RecsysLaw *law, RecsysRandom *random)
{
	double		normal;

	if (law->kind == RECSYS_LAW_BETA)
	{
		double		gamma = RecsysDrawLogGamma(law->a, random);

		return gamma - RecsysDrawLogGamma(law->b, random);
	}
	normal = RecsysDrawNormal(random);
	if (law->kind == RECSYS_LAW_STUDENT)
		normal *= exp(0.5 * (log(0.5 * law->freedom) -
							 RecsysDrawLogGamma(0.5 * law->freedom, random)));
	return law->center + law->scale * normal;
}

/*
 * A Beta law's density bends within its deviation, and where the odds turn, in a length of 1.  That
 * of Student's law falls as a power far away: with freedom degrees it bends there within the
 * distance from its center divided by these.
 */
double
RecsysLawSmoothness(const RecsysLaw *law, double from, double to)
{
	double		distance;

	if (law->kind == RECSYS_LAW_BETA)
		return Min(1, sqrt(1 / law->a + 1 / law->b));
	if (law->kind == RECSYS_LAW_NORMAL)
		return law->scale;
	distance = Max(Max(from - law->center, law->center - to), 0);
	return Max(law->scale, distance / (1 + 0.25 * law->freedom));
}
