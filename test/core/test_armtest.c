/*
 * test_armtest.c
 *	  Tests of core/measure/distribution and core/decide against published figures and against what
 *	  other programs say about random cases (decidefigures.h).
 *
 * Published: Howard's confseq (test/uniform_boundaries_unittest.cpp), GrowthBook's gbstats
 * (packages/stats/tests/frequentist/test_tests.py), Spotify's confidence (tests/frequentist).
 */
#include "core/decide/armtest.h"

#include "core/decide/confseq.h"
#include "core/decide/multiplicity.h"
#include "core/decide/sampleratio.h"
#include "core/decide/samplesize.h"
#include "core/measure/distribution.h"
#include "decidefigures.h"
#include "tap.h"

/* Equal in all digits that the expected figure is printed with */
static bool
prints(double value, double expected, int digits)
{
	return fabs(value - expected) <= 0.5000001 * pow(10, -digits);
}

/* To eleven digits */
static bool
close_to(double value, double expected)
{
	return fabs(value - expected) <= 1e-11 * Max(fabs(expected), 1e-290);
}

static void
test_distributions(void)
{
	bool		right = true;

	for (int x = 0; x < lengthof(student_tails); x++)
		right &= close_to(RecsysStudentTail(student_tails[x][0], student_tails[x][1]), student_tails[x][2]);
	ok(right, "Student's tails");
	right = true;
	for (int x = 0; x < lengthof(student_quantiles); x++)
		right &= close_to(RecsysStudentQuantile(student_quantiles[x][0], student_quantiles[x][1]),
						  student_quantiles[x][2]);
	ok(right, "Student's quantiles");
	right = true;
	for (int x = 0; x < lengthof(gaussian_quantiles); x++)
		right &= close_to(RecsysGaussianQuantile(gaussian_quantiles[x][0]), gaussian_quantiles[x][1]);
	ok(right, "normal quantiles");
	right = true;
	for (int x = 0; x < lengthof(chi_square_tails); x++)
		right &= close_to(RecsysChiSquareTail(chi_square_tails[x][0], chi_square_tails[x][1]),
						  chi_square_tails[x][2]);
	ok(right, "chi-square tails");
	ok(RecsysStudentTail(0, 5) == 0.5 && RecsysStudentTail(-INFINITY, 5) == 1 && RecsysStudentTail(INFINITY, 5) == 0 &&
	   isnan(RecsysStudentTail(1, 0)) && isnan(RecsysStudentQuantile(0.1, NAN)) &&
	   RecsysStudentQuantile(0.5, 3) == 0 && RecsysChiSquareTail(0, 3) == 1 && RecsysChiSquareTail(INFINITY, 3) == 0,
	   "ends of the distributions");
}

static void
test_boundaries(void)
{
	double		rho = RecsysMixtureRho(100, 0.05, RECSYS_TWO_SIDES);
	double		one = RecsysMixtureRho(100, 0.05, RECSYS_ONE_SIDE);
	bool		right = true;

	ok(prints(rho, 12.60056, 5), "normal mixture: rho (%.5f)", rho);
	ok(prints(RecsysMixtureLog(10, 100, rho, RECSYS_TWO_SIDES), -0.6510052, 7),
	   "normal mixture: boundary at (10, 100) (%.7f)", RecsysMixtureLog(10, 100, rho, RECSYS_TWO_SIDES));
	ok(prints(RecsysMixtureBound(100, rho, 0.05, RECSYS_TWO_SIDES), 30.35209, 5),
	   "normal mixture: bound at 100 (%.5f)", RecsysMixtureBound(100, rho, 0.05, RECSYS_TWO_SIDES));
	ok(prints(RecsysMixtureLog(10, 100, one, RECSYS_ONE_SIDE), -0.06502391, 8),
	   "normal mixture, one side: boundary (%.8f)", RecsysMixtureLog(10, 100, one, RECSYS_ONE_SIDE));
	ok(prints(RecsysMixtureBound(100, one, 0.05, RECSYS_ONE_SIDE), 27.66071, 5),
	   "normal mixture, one side: bound (%.5f)", RecsysMixtureBound(100, one, 0.05, RECSYS_ONE_SIDE));
	for (int sides = RECSYS_ONE_SIDE; sides <= RECSYS_TWO_SIDES; sides++)
		for (double v = 0.5; v < 1e7; v *= 3)
			right &= fabs(RecsysMixtureLog(RecsysMixtureBound(v, rho, 0.01, sides), v, rho, sides) - log(100)) < 1e-9;
	ok(right, "at its bound the boundary is crossed");
}

static RecsysArmSums
mean_sums(double units, double sum, double squares)
{
	RecsysArmSums sums = {.units = units, .sum = {sum}, .product = {{squares}}};

	return sums;
}

/* Columns as decidefigures.h has them; returns the place behind */
static const double *
read_sums(const double *numbers, RecsysArmSums *sums)
{
	sums->units = *numbers++;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		sums->sum[x] = *numbers++;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		for (int y = x; y < RECSYS_UNIT_COLUMNS; y++)
			sums->product[x][y] = sums->product[y][x] = *numbers++;
	return numbers;
}

static RecsysArmTest
arm_test(RecsysArmSums control, RecsysArmSums treatment, RecsysArmTestOptions options)
{
	RecsysArmTest result;

	RecsysTestArms(&control, &treatment, &options, &result);
	return result;
}

static void
expect(const char *what, RecsysArmTest test, double difference, double low, double high, double p)
{
	ok(prints(test.difference, difference, 5) && prints(test.low, low, 5) && prints(test.high, high, 5) &&
	   (isnan(p) || prints(test.p_value, p, 5)), "%s: %.5f (%.5f, %.5f) p %.5f", what, test.difference, test.low,
	   test.high, test.p_value);
}

/* GrowthBook's moments of ratios with a time before */
static void
test_published_ratio(void)
{
	const double numbers[] = {
		100, 485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233,
		2715.484666118136, 3602.146836776702, 1113.6215759318352, 1559.2878434944676, 4939.424001640236,
		1460.3181079276983, 2130.9404074446747, 460.076026390857, 634.239482353647, 920.9461385038898,
		100, 514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326,
		2994.897482705013, 3918.1561431600717, 1237.0953021125997, 1701.0287270040265, 5291.36604146392,
		1604.0759503266522, 2292.081739775257, 514.2903702246757, 698.4173425817908, 994.4506208125663
	};
	RecsysArmTestOptions options = {.kind = RECSYS_METRIC_RATIO, .relative = true, .adjusted = true, .alpha = 0.05,
	.tuning = 5000};
	RecsysArmSums a;
	RecsysArmSums b;
	RecsysArmTest test;

	read_sums(read_sums(numbers, &a), &b);
	/* published with the lift's own p-value, 0.85771; that of the difference is greater */
	expect("lift of adjusted ratios", arm_test(a, b, options), -0.0007, -0.00841, 0.007, 0.85773);
	options.sequential = true;
	test = arm_test(a, b, options);
	expect("lift of adjusted ratios, sequential", test, -0.0007, -0.02063, 0.01923, 1);
	ok(prints(test.standard_error, 0.00391, 5), "its standard error (%.5f)", test.standard_error);
}

static void
test_published(void)
{
	RecsysArmSums a = mean_sums(3407, 1396.87, 52377.9767);
	RecsysArmSums b = mean_sums(3461, 2422.7, 134698.29);
	RecsysArmTestOptions options = {.relative = true, .alpha = 0.05, .tuning = 1000};
	RecsysArmTest test;

	test = arm_test(a, b, options);
	expect("lift by Welch's test", test, 0.70732, -0.03526, 1.44989, 0.06191);
	ok(prints(test.standard_error, 0.37879, 5), "its standard error (%.5f)", test.standard_error);
	options.relative = false;
	expect("difference by Welch's test", arm_test(a, b, options), 0.29, 0.04538, 0.53462, 0.02016);

	options.relative = options.sequential = true;
	a.units = 3000;
	test = arm_test(a, b, options);
	expect("sequential lift", test, 0.50336, -0.55844, 1.56516, 1);
	ok(prints(test.standard_error, 0.33341, 5), "its standard error (%.5f)", test.standard_error);

	options.tuning = 5000;
	options.kind = RECSYS_METRIC_PROPORTION;
	test = arm_test(mean_sums(3000, 1396, 1396), mean_sums(3461, 2422, 2422), options);
	expect("sequential lift of proportions", test, 0.50386, 0.40098, 0.60675, 0);
	ok(prints(test.standard_error, 0.03386, 5), "its standard error (%.5f)", test.standard_error);

	options.kind = RECSYS_METRIC_MEAN;
	options.adjusted = true;
	a.sum[RECSYS_UNIT_PRE_VALUE] = 16.87;
	a.product[2][2] = 527.9767;
	b.sum[RECSYS_UNIT_PRE_VALUE] = 22.7;
	b.product[2][2] = 1348.29;
	a.product[0][2] = a.product[2][0] = b.product[0][2] = b.product[2][0] = 1;
	test = arm_test(a, b, options);
	expect("adjusted sequential lift", test, 0.50338, -0.50969, 1.51646, 1);
	ok(prints(test.standard_error, 0.33341, 5), "its standard error (%.5f)", test.standard_error);

	options = (RecsysArmTestOptions) {.kind = RECSYS_METRIC_PROPORTION, .alpha = 0.05};
	test = arm_test(mean_sums(104, 42, 42), mean_sums(1009, 500, 500), options);
	ok(prints(test.difference, 0.091694, 6) && prints(test.low, -0.0075254, 7) && prints(test.high, 0.190913, 6) &&
	   prints(test.p_value, 0.074866, 6), "two proportions: %.6f (%.7f, %.6f) p %.6f", test.difference, test.low,
	   test.high, test.p_value);
}

/*
 * As gbstats has it (value, low, high, p), but where the difference is not found, 0 is in the
 * interval of the lift, and the greater p-value counts.
 */
static bool
lift_agrees(const RecsysArmTest *test, const double *figures, double p_difference)
{
	bool		found = p_difference < 0.05;

	return fabs(test->difference - figures[0]) < 1e-8 &&
		fabs(test->low - (found ? figures[1] : Min(figures[1], 0))) < 1e-8 &&
		fabs(test->high - (found ? figures[2] : Max(figures[2], 0))) < 1e-8 &&
		fabs(test->p_value - Max(figures[3], p_difference)) < 1e-8;
}

static void
test_random_cases(void)
{
	RecsysArmTestOptions options = {.alpha = 0.05, .tuning = 2000};
	bool		right[4] = {true, true, true, true};
	RecsysArmTest test;

	for (int x = 0; x < lengthof(welch_cases); x++)
	{
		const double *c = welch_cases[x];

		options.relative = false;
		test = arm_test(mean_sums(c[0], c[1], c[2]), mean_sums(c[3], c[4], c[5]), options);
		right[0] &= fabs(test.p_value - c[6]) < 1e-9 && fabs(test.low - c[7]) < 1e-9 && fabs(test.high - c[8]) < 1e-9;
		options.relative = true;
		test = arm_test(mean_sums(c[0], c[1], c[2]), mean_sums(c[3], c[4], c[5]), options);
		right[1] &= lift_agrees(&test, c + 9, c[6]);
	}
	ok(right[0], "Welch's test agrees with SciPy in %d cases", (int) lengthof(welch_cases));
	ok(right[1], "lifts of means agree with gbstats");

	options.kind = RECSYS_METRIC_PROPORTION;
	options.relative = false;
	for (int x = 0; x < lengthof(proportion_cases); x++)
	{
		const double *c = proportion_cases[x];

		test = arm_test(mean_sums(c[1], c[0], c[0]), mean_sums(c[3], c[2], c[2]), options);
		right[2] &= fabs(test.p_value - c[4]) < 1e-9 && fabs(test.low - c[5]) < 1e-9 && fabs(test.high - c[6]) < 1e-9;
	}
	ok(right[2], "two proportions agree with statsmodels in %d cases", (int) lengthof(proportion_cases));

	for (int x = 0; x < lengthof(cuped_cases); x++)
	{
		const double *c;
		RecsysArmSums a;
		RecsysArmSums b;

		c = read_sums(read_sums(cuped_cases[x], &a), &b);
		for (int variant = 0; variant < 4; variant++)
		{
			options.kind = variant == 0 ? RECSYS_METRIC_MEAN : RECSYS_METRIC_RATIO;
			options.adjusted = variant < 3;
			options.sequential = variant == 1;
			options.relative = variant % 2 == 1;
			test = arm_test(a, b, options);
			options.relative = false;
			right[3] &= lift_agrees(&test, c, arm_test(a, b, options).p_value);
			c += 4;
		}
	}
	ok(right[3], "means and ratios, adjusted by the time before, agree with gbstats");
}

/* What a test must not be moved by, and what cannot be said */
static void
test_edges(void)
{
	RecsysArmTestOptions options = {.kind = RECSYS_METRIC_RATIO, .adjusted = true, .alpha = 0.05, .tuning = 2000};
	RecsysArmTestOptions lift = {.relative = true, .alpha = 0.05, .tuning = 2000};
	RecsysArmSums a;
	RecsysArmSums b;
	RecsysArmTest test;
	RecsysArmTest other;
	double		value;
	double		low;
	double		high;

	read_sums(read_sums(cuped_cases[0], &a), &b);
	test = arm_test(a, b, options);
	other = arm_test(b, a, options);
	ok(test.difference == -other.difference && fabs(test.low + other.high) < 1e-15 && test.p_value == other.p_value,
	   "arms that change places");
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		a.product[3][x] = a.product[x][3] = a.product[2][x] = a.product[x][2] = 0;
	a.sum[2] = a.sum[3] = 0;
	test = arm_test(a, b, options);
	options.adjusted = false;
	other = arm_test(a, b, options);
	ok(memcmp(&test, &other, sizeof(test)) == 0, "an arm without a time before is not adjusted");

	test = arm_test(mean_sums(50, 0, 0), mean_sums(50, 10, 30), lift);
	ok(test.control == 0 && test.treatment == 0.2 && isnan(test.difference) && isnan(test.p_value),
	   "no lift over a control of 0");
	test = arm_test(mean_sums(50, -100, 400), mean_sums(50, -50, 300), lift);
	ok(test.difference == 0.5 && test.low < 0.5 && test.high > 0.5, "half the loss is a lift of 50 %%");
	lift.relative = false;
	test = arm_test(mean_sums(1, 5, 25), mean_sums(50, 10, 30), lift);
	ok(test.control == 5 && test.difference == 0.2 - 5 && isnan(test.standard_error) && isnan(test.low),
	   "no interval of a single unit");
	test = arm_test(mean_sums(0, 0, 0), mean_sums(50, 10, 30), lift);
	ok(isnan(test.control) && test.treatment == 0.2 && isnan(test.difference), "nothing of no units");
	test = arm_test(mean_sums(30, 30 * 0.1, 30 * 0.1 * 0.1), mean_sums(40, 40 * 0.7, 40 * 0.7 * 0.7), lift);
	ok(test.standard_error == 0 && isnan(test.p_value), "no p-value of values that are all alike");

	/* Wilson 1927 for 0 of 10: (0, z^2 / (n + z^2)) */
	lift.kind = RECSYS_METRIC_PROPORTION;
	a = mean_sums(10, 0, 0);
	RecsysArmValue(&a, &lift, &value, &low, &high);
	ok(value == 0 && low == 0 && prints(high, 0.27753, 5), "a proportion of 0 of 10: up to %.5f", high);
	lift.sequential = true;
	a = mean_sums(1000, 3, 3);
	RecsysArmValue(&a, &lift, &value, &low, &high);
	ok(low == 0 && value == 0.003 && high > 0.003 && high < 0.02, "a proportion at all times is none below 0");
	lift = (RecsysArmTestOptions) {.alpha = 0.05, .tuning = 2000};
	a = mean_sums(3, 6, 14);
	RecsysArmValue(&a, &lift, &value, &low, &high);
	/* 1, 2, 3: 2 -+ 4.302653 / sqrt(3) */
	ok(value == 2 && prints(low, -0.48414, 5) && prints(high, 4.48414, 5), "a mean at one time");
}

static void
test_counts(void)
{
	const double counts[] = {1009, 104, 1502, 100, 100, 150};
	const double shares[] = {0.35, 0.04, 0.52, 0.035, 0.0035, 0.0515};
	const double some[] = {50, 7, 50};
	const double none[] = {0.5, 0, 2};
	double		p[lengthof(p_values) + 1];
	double		q[lengthof(p_values) + 1];
	double		p_value;
	double		chi_square = RecsysSampleRatio(counts, shares, 6, &p_value);
	bool		right = true;

	ok(prints(chi_square, 777.8069, 4) && p_value < 1e-160, "sample ratio: %.4f", chi_square);
	ok(prints(RecsysSampleRatio(some, none, 3, &p_value), 100 * 0.09 / 0.2 + 100 * 0.09 / 0.8, 9),
	   "shares that do not sum up to 1, one of them 0");
	ok(isnan(RecsysSampleRatio(counts, shares, 1, &p_value)) && isnan(p_value), "no sample ratio of one arm");

	p[0] = q[0] = NAN;
	memcpy(p + 1, p_values, sizeof(p_values));
	memcpy(q + 1, p_values, sizeof(p_values));
	RecsysHolm(p, lengthof(p));
	RecsysBenjaminiHochberg(q, lengthof(q));
	for (int x = 0; x < lengthof(p_values); x++)
		right &= close_to(p[x + 1], p_holm[x]) && close_to(q[x + 1], p_benjamini_hochberg[x]);
	ok(right && isnan(p[0]) && isnan(q[0]), "p-values adjusted as statsmodels does");
}

static void
test_designs(void)
{
	bool		right = true;
	RecsysDesign design = {.kind = RECSYS_METRIC_MEAN};
	double		fixed;

	for (int x = 0; x < lengthof(mean_designs); x++)
	{
		const double *c = mean_designs[x];

		design.deviation = c[1];
		design.treatment_share = c[2];
		design.alpha = c[3];
		right &= fabs(RecsysDesignUnits(&design, c[0], c[4]) / c[5] - 1) < 1e-6 &&
			fabs(RecsysDesignDifference(&design, c[5], c[4]) / c[0] - 1) < 1e-6;
	}
	ok(right, "units for means agree with statsmodels");
	right = true;
	design = (RecsysDesign) {.kind = RECSYS_METRIC_PROPORTION, .treatment_share = 0.5};
	for (int x = 0; x < lengthof(proportion_designs); x++)
	{
		const double *c = proportion_designs[x];

		design.baseline = c[0];
		design.alpha = c[2];
		right &= fabs(RecsysDesignPower(&design, c[1], 2 * c[3]) - c[4]) < 1e-6;
	}
	ok(right, "power for proportions agrees with statsmodels");

	design = (RecsysDesign) {.kind = RECSYS_METRIC_PROPORTION, .baseline = 0.1, .alpha = 0.05, .treatment_share = 0.5};
	fixed = RecsysDesignUnits(&design, 0.02, 0.8);
	design.sequential = true;
	ok(RecsysDesignUnits(&design, 0.02, 0.8) > 1.8 * fixed && RecsysDesignUnits(&design, 0.02, 0.8) < 2 * fixed,
	   "looking at all times costs 1.9 times the units at most");
	ok(isnan(RecsysDesignUnits(&design, 0, 0.8)) && isnan(RecsysDesignUnits(&design, 0.95, 0.8)) &&
	   isnan(RecsysDesignDifference(&design, 4, 0.999)), "what cannot be planned");
	design.relative = true;
	ok(RecsysDesignPower(&design, -0.1, 1000) > 0.99 && RecsysDesignPower(&design, -0.1, 20) < 0.5,
	   "a treatment that nobody takes to");
}

void
test_armtest(void)
{
	test_distributions();
	test_boundaries();
	test_published();
	test_published_ratio();
	test_random_cases();
	test_edges();
	test_counts();
	test_designs();
}
