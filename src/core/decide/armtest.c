/*
 * armtest.c
 *	  Is a treatment better than the control?  From sums over units of each arm.
 *
 * Every metric is a function of the means of what is summed of each unit: the mean of the values,
 * or the mean of the values by that of the denominators.  By the delta method its variance is g'
 * S g / n, where g is its gradient and S the covariance of what is summed (ratios: Deng,
 * Knoblich, Lu 2018, "Applying the delta method in metric analytics", KDD; the units are those
 * that are assigned, so requests of one user may depend on each other).
 *
 * Adjusting (CUPED: Deng, Xu, Kohavi, Walker 2013, "Improving the sensitivity of online
 * controlled experiments by utilizing pre-experiment data", WSDM): from the metric of each arm
 * theta times the same metric from before is taken. It has the same expectation in both arms, so
 * that this changes no difference but by chance, and takes away what units differ in anyway.
 * theta is the coefficient of regression: of means over the units of both arms; of ratios from
 * the linearised ratios, summed over the arms.
 *
 * The units' differences from before are chance, and vanish: so the gradient of a lift of means
 * may have the arms as they are, that of ratios has them adjusted (both as GrowthBook has it).
 *
 * A lift is the difference by the absolute value of the control (not adjusted), so that better is
 * more for a control below 0, too.  Its gradient has the control in both places.
 *
 * At a fixed time: Welch's t test (Welch 1947, Satterthwaite 1946), degrees of freedom of the
 * arms' variances.  Proportions: the normal distribution; the interval has the variances of both
 * arms, the p-value that of both arms taken together, as they would be alike.  So an interval
 * that ends near 0 and a p-value near alpha may disagree.
 *
 * At all times: core/decide/confseq, n being the units of both arms.
 */
#include "core/decide/armtest.h"

#include <math.h>

#include "core/decide/confseq.h"
#include "core/measure/distribution.h"

/*
 * A sum of squares about the mean that is less than this part of the sum of squares is rounding:
 * all values are alike.
 */
#define ROUNDING 1e-13

/* An arm's means and their covariance of a unit, and what the metric is made of them */
typedef struct Arm
{
	double		units;
	double		mean[RECSYS_UNIT_COLUMNS];
	double		covariance[RECSYS_UNIT_COLUMNS][RECSYS_UNIT_COLUMNS];
	double		value;
	double		before;			/* the same from before; 0 unless adjusted */
	double		gradient[RECSYS_UNIT_COLUMNS];	/* of the value */
	double		gradient_before[RECSYS_UNIT_COLUMNS];	/* of that from before */
} Arm;

static double
sum_of_products(const RecsysArmSums *sums, int a, int b)
{
	return sums->product[a][b] - sums->sum[a] * (sums->sum[b] / sums->units);
}

static bool
varies(const RecsysArmSums *sums, int column)
{
	return sum_of_products(sums, column, column) > ROUNDING * sums->product[column][column];
}

/* a' S b */
static double
quadratic(const double *a, const Arm *arm, const double *b)
{
	double		sum = 0;

	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		for (int y = 0; y < RECSYS_UNIT_COLUMNS; y++)
			sum += a[x] * arm->covariance[x][y] * b[y];
	return sum;
}

/* A mean, or a ratio of means, from these two columns; NaN where its denominator is 0 */
static double
metric(const Arm *arm, RecsysMetricKind kind, int column, double *gradient)
{
	double		denominator = arm->mean[column + 1];

	if (kind != RECSYS_METRIC_RATIO)
	{
		gradient[column] = 1.0;
		return arm->mean[column];
	}
	if (denominator == 0)
		return NAN;
	gradient[column] = 1.0 / denominator;
	gradient[column + 1] = -arm->mean[column] / (denominator * denominator);
	return arm->mean[column] / denominator;
}

/* Variances of proportions have the divisor n, as p (1 - p) has; others n - 1. */
static void
read_arm(const RecsysArmSums *sums, const RecsysArmTestOptions *options, Arm *arm)
{
	double		divisor = options->kind == RECSYS_METRIC_PROPORTION ? sums->units : sums->units - 1;

	memset(arm, 0, sizeof(Arm));
	arm->units = sums->units;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
	{
		arm->mean[x] = sums->units > 0 ? sums->sum[x] / sums->units : NAN;
		for (int y = 0; y < RECSYS_UNIT_COLUMNS; y++)
			if (sums->units >= 2 && varies(sums, x) && varies(sums, y))
				arm->covariance[x][y] = sum_of_products(sums, x, y) / divisor;
	}
	arm->value = metric(arm, options->kind, RECSYS_UNIT_VALUE, arm->gradient);
	if (options->adjusted)
		arm->before = metric(arm, options->kind, RECSYS_UNIT_PRE_VALUE, arm->gradient_before);
}

/* 0 where nothing is known from before, or it is the same of all units */
static double
regression(const RecsysArmSums *control, const RecsysArmSums *treatment, const Arm *a, const Arm *b,
		   RecsysMetricKind kind)
{
	double		covariance = 0;
	double		variance = 0;

	if (kind != RECSYS_METRIC_RATIO)
	{
		RecsysArmSums both;

		both.units = control->units + treatment->units;
		for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		{
			both.sum[x] = control->sum[x] + treatment->sum[x];
			for (int y = 0; y < RECSYS_UNIT_COLUMNS; y++)
				both.product[x][y] = control->product[x][y] + treatment->product[x][y];
		}
		if (varies(&both, RECSYS_UNIT_PRE_VALUE) && varies(&both, RECSYS_UNIT_VALUE))
		{
			covariance = sum_of_products(&both, RECSYS_UNIT_VALUE, RECSYS_UNIT_PRE_VALUE);
			variance = sum_of_products(&both, RECSYS_UNIT_PRE_VALUE, RECSYS_UNIT_PRE_VALUE);
		}
	}
	else if (!isnan(a->before) && !isnan(b->before))
	{
		covariance = quadratic(a->gradient_before, a, a->gradient) + quadratic(b->gradient_before, b, b->gradient);
		variance = quadratic(a->gradient_before, a, a->gradient_before) +
			quadratic(b->gradient_before, b, b->gradient_before);
	}
	return variance > 0 ? covariance / variance : 0.0;
}

/* The variance of w (metric - theta (that from before)) + u metric, w and u being given */
static double
variance_of(const Arm *arm, double w, double theta, double u)
{
	double		gradient[RECSYS_UNIT_COLUMNS];

	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		gradient[x] = (w + u) * arm->gradient[x] - (theta != 0 ? w * theta * arm->gradient_before[x] : 0);
	return Max(quadratic(gradient, arm, gradient), 0.0) / arm->units;
}

/* Satterthwaite's degrees of freedom of the sum of two variances of means */
static double
freedom_of(double va, double na, double vb, double nb)
{
	return (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));
}

/* Two-sided, of proportions that are alike */
static double
pooled_p(const RecsysArmSums *control, const RecsysArmSums *treatment)
{
	double		pooled = (control->sum[0] + treatment->sum[0]) / (control->units + treatment->units);
	double		variance = pooled * (1 - pooled) * (1 / control->units + 1 / treatment->units);
	double		difference = treatment->sum[0] / treatment->units - control->sum[0] / control->units;

	return 2 * RecsysGaussianTail(fabs(difference) / sqrt(variance));
}

/* The distribution that a test takes its estimates from */
typedef struct Reference
{
	const RecsysArmTestOptions *options;
	double		units;
	double		freedom;		/* of Student's distribution */
} Reference;

/* Half the width of an interval, in standard errors */
static double
reach(const Reference *reference)
{
	const RecsysArmTestOptions *options = reference->options;

	if (options->sequential)
		return RecsysSequentialHalfWidth(1.0, reference->units, options->tuning, options->alpha);
	if (options->kind == RECSYS_METRIC_PROPORTION)
		return RecsysGaussianQuantile(options->alpha / 2);
	return RecsysStudentQuantile(options->alpha / 2, reference->freedom);
}

static double
p_of(const Reference *reference, double estimate, double standard_error)
{
	const RecsysArmTestOptions *options = reference->options;

	if (options->sequential)
		return RecsysSequentialP(estimate, standard_error, reference->units, options->tuning, options->alpha);
	if (options->kind == RECSYS_METRIC_PROPORTION)
		return 2 * RecsysGaussianTail(fabs(estimate) / standard_error);
	return 2 * RecsysStudentTail(fabs(estimate) / standard_error, reference->freedom);
}

/*
 * p-values and the interval, once estimate and standard error are there.
 *
 * A lift that is found by its own standard error counts only if the difference is found, too: "no
 * lift" and "no difference" are the same, and the standard error of a lift is far too small where
 * the treatment looks bad by chance, its own figure being a factor of it.  Without this, 12 % of
 * experiments whose arms are alike find a lift of revenue in 20 looks at 50 units each, with it
 * fewer than 1 % (test/core/test_peeking.c); and at one time, with conversions of 1 % and skewed
 * revenue, 19 % instead of 5 %.
 */
static void
conclude(const Reference *reference, double p_difference, double p_estimate, RecsysArmTest *result)
{
	double		width = reach(reference) * result->standard_error;

	result->low = result->difference - width;
	result->high = result->difference + width;
	result->p_value = Max(p_difference, p_estimate);
	if (reference->options->relative && p_difference >= reference->options->alpha)
	{
		result->low = Min(result->low, 0.0);
		result->high = Max(result->high, 0.0);
	}
}

void
RecsysTestArms(const RecsysArmSums *control, const RecsysArmSums *treatment,
			   const RecsysArmTestOptions *options, RecsysArmTest *result)
{
	Arm			a;
	Arm			b;
	Reference	reference = {.options = options};
	double		theta = 0;
	double		difference;
	double		scale = 1;
	double		in_gradient;
	double		va;
	double		vb;
	double		p_difference;
	double		p_estimate;

	read_arm(control, options, &a);
	read_arm(treatment, options, &b);
	*result = (RecsysArmTest) {a.value, b.value, NAN, NAN, NAN, NAN, NAN};
	if (options->adjusted)
		theta = regression(control, treatment, &a, &b, options->kind);
	difference = b.value - a.value - (theta != 0 ? theta * (b.before - a.before) : 0);
	if (options->relative)
		scale = fabs(a.value);
	if (isnan(difference) || !(scale > 0))
		return;
	result->difference = difference / scale;
	if (a.units < 2 || b.units < 2)
		return;

	/* the gradient of a lift L = D / |C| by C is that of D / |C| and -L / C more */
	in_gradient = options->kind == RECSYS_METRIC_RATIO ? result->difference : (b.value - a.value) / scale;
	result->standard_error = sqrt(variance_of(&a, -1 / scale, theta, options->relative ? -in_gradient / a.value : 0) +
								  variance_of(&b, 1 / scale, theta, 0));
	va = variance_of(&a, 1, theta, 0);
	vb = variance_of(&b, 1, theta, 0);
	if (!(result->standard_error > 0) || !(va + vb > 0))
		return;

	reference.units = a.units + b.units;
	reference.freedom = freedom_of(va, a.units, vb, b.units);
	p_difference = p_of(&reference, difference, sqrt(va + vb));
	p_estimate = p_of(&reference, result->difference, result->standard_error);
	if (options->kind == RECSYS_METRIC_PROPORTION && !options->sequential && theta == 0)
		p_difference = p_estimate = pooled_p(control, treatment);
	conclude(&reference, p_difference, p_estimate, result);
}

/*
 * A proportion at one time has Wilson's interval (1927), which holds near 0 and 1, too.  At all
 * times, the tuning is halved: it is that of both arms.
 */
void
RecsysArmValue(const RecsysArmSums *sums, const RecsysArmTestOptions *options,
			   double *value, double *low, double *high)
{
	bool		proportion = options->kind == RECSYS_METRIC_PROPORTION;
	RecsysArmTestOptions plain = *options;
	Arm			arm;
	double		n = sums->units;
	double		standard_error;
	double		width;

	plain.adjusted = false;
	read_arm(sums, &plain, &arm);
	*value = arm.value;
	*low = *high = NAN;
	if (isnan(arm.value) || n < 2)
		return;
	standard_error = sqrt(variance_of(&arm, 1, 0, 0));
	if (proportion && !options->sequential)
	{
		double		z = RecsysGaussianQuantile(options->alpha / 2);
		double		middle = (arm.value + z * z / (2 * n)) / (1 + z * z / n);

		width = z / (1 + z * z / n) * sqrt(standard_error * standard_error + z * z / (4 * n * n));
		*low = Max(middle - width, 0.0);
		*high = Min(middle + width, 1.0);
		return;
	}
	if (!(standard_error > 0))
		return;
	if (options->sequential)
		width = RecsysSequentialHalfWidth(standard_error, n, options->tuning / 2, options->alpha);
	else
		width = standard_error * RecsysStudentQuantile(options->alpha / 2, n - 1);
	*low = proportion ? Max(arm.value - width, 0.0) : arm.value - width;
	*high = proportion ? Min(arm.value + width, 1.0) : arm.value + width;
}
