/*
 * test_linearpolicy.c
 *	  Tests of core/policy/linearreward and the policies that use it, against elimination, closed
 *	  forms and frequencies.
 */
#include "core/policy/policy.h"

#include "generate.h"
#include "tap.h"

static bool
near(double a, double b, double error)
{
	return fabs(a - b) <= error * Max(1, fabs(b));
}

/* (ridge I + sum of x x')^-1 y by elimination with all of the rows; trials: rows of d + 1, reward last */
static void
plain_solve(const double *trials, int n, int d, double ridge, const double *y, double *result)
{
	double		matrix[RECSYS_MOST_FEATURES][RECSYS_MOST_FEATURES + 1];

	for (int i = 0; i < d; i++)
	{
		for (int j = 0; j < d; j++)
		{
			matrix[i][j] = i == j ? ridge : 0;
			for (int t = 0; t < n; t++)
				matrix[i][j] += trials[t * (d + 1) + i] * trials[t * (d + 1) + j];
		}
		matrix[i][d] = y[i];
	}
	for (int k = 0; k < d; k++)
		for (int i = 0; i < d; i++)
		{
			double		times = matrix[i][k] / matrix[k][k];

			for (int j = k; j <= d && i != k; j++)
				matrix[i][j] -= times * matrix[k][j];
		}
	for (int i = 0; i < d; i++)
		result[i] = matrix[i][d] / matrix[i][i];
}

static void
test_regression(void)
{
	Random		random;
	bool		means = true;
	bool		widths = true;
	bool		updated = true;
	bool		folded = true;

	random_seed(&random, 6);
	for (int number = 0; number < 60; number++)
	{
		int			d = number == 0 ? RECSYS_MOST_FEATURES : 1 + (int) (random_bits(&random) % 12);
		int			n = (int) (random_bits(&random) % 100);
		double	   *trials = palloc(sizeof(double) * (n + 1) * (d + 1));
		double	   *sums[3];
		double		moments[RECSYS_MOST_FEATURES] = {0};
		double		expected[RECSYS_MOST_FEATURES];
		double		x[RECSYS_MOST_FEATURES];
		double		width = 0;
		RecsysLinearFit fit;
		RecsysLinearFit grown;
		RecsysLinearFit added;

		for (int part = 0; part < 3; part++)
			sums[part] = palloc0(sizeof(double) * RecsysLinearLength(d));
		RecsysLinearSolve(NULL, d, 0.7, &grown);
		for (int t = 0; t < n; t++)
		{
			double	   *trial = trials + t * (d + 1);

			for (int i = 0; i <= d; i++)
				trial[i] = random_normal(&random);
			for (int i = 0; i < d; i++)
				moments[i] += trial[d] * trial[i];
			RecsysLinearTrial(sums[0], d, trial, 1);
			RecsysLinearReward(sums[0], d, trial, trial[d], 1);
			RecsysLinearTrial(sums[1 + t % 2], d, trial, 1);
			RecsysLinearReward(sums[2 - t % 2], d, trial, trial[d], 1);
			RecsysLinearUpdate(&grown, trial, trial[d], 1);
		}
		RecsysLinearSolve(sums[0], d, 0.7, &fit);
		plain_solve(trials, n, d, 0.7, moments, expected);
		for (int i = 0; i < d; i++)
		{
			means &= near(fit.coefficients[i], expected[i], 1e-9);
			updated &= near(grown.coefficients[i], expected[i], 1e-9);
			x[i] = random_normal(&random);
		}
		plain_solve(trials, n, d, 0.7, x, expected);
		for (int i = 0; i < d; i++)
			width += x[i] * expected[i];
		widths &= near(RecsysLinearWidth(&fit, x), sqrt(width), 1e-9);
		updated &= near(RecsysLinearWidth(&grown, x), sqrt(width), 1e-9) && grown.updates == n;
		RecsysLinearFold(sums[1], d, sums[2]);
		RecsysLinearSolve(sums[1], d, 0.7, &added);
		folded &= near(RecsysLinearMean(&added, x), RecsysLinearMean(&fit, x), 1e-9) &&
			sums[1][0] == n;
		for (int part = 0; part < 3; part++)
			pfree(sums[part]);
		pfree(trials);
	}
	ok(means, "linear: coefficients are those of ridge regression by elimination");
	ok(widths, "linear: and the width is that of its inverse");
	ok(updated, "linear: trial by trial comes to the same");
	ok(folded, "linear: trials and rewards in parts come to the same");
}

/* numpy 2: A = [[3, 1], [1, 2]] + I, b = (2, 1): theta = (5/11, 2/11), A^-1 = [[3, -1], [-1, 4]] / 11 */
static void
test_by_hand(void)
{
	double		sums[] = {3, 2, 1, 3, 1, 2};
	double		x[] = {1, 2};
	double		nothing[] = {0, 0};
	RecsysLinearFit fit;
	RecsysLinearFit none;

	RecsysLinearSolve(sums, 2, 1, &fit);
	ok(near(fit.coefficients[0], 5.0 / 11, 1e-15) && near(fit.coefficients[1], 2.0 / 11, 1e-15) &&
	   near(RecsysLinearMean(&fit, x), 9.0 / 11, 1e-15) &&
	   near(RecsysLinearWidth(&fit, x), sqrt(15.0 / 11), 1e-15) &&
	   RecsysLinearWidth(&fit, nothing) == 0, "linear: two features by hand");
	RecsysLinearDecay(sums, 2, 0);
	RecsysLinearSolve(sums, 2, 4, &fit);
	RecsysLinearSolve(NULL, 2, 4, &none);
	ok(near(RecsysLinearWidth(&fit, x), sqrt(5.0 / 4), 1e-15) && RecsysLinearMean(&none, x) == 0 &&
	   near(RecsysLinearWidth(&none, x), sqrt(5.0 / 4), 1e-15), "linear: without trials there is the prior");
}

/* Sums that rounding has spoiled, and features that all depend on each other */
static void
test_degenerate(void)
{
	int			d = 30;
	double	   *sums = palloc0(sizeof(double) * RecsysLinearLength(d));
	double		x[30];
	RecsysLinearFit fit;
	bool		sane;

	for (int i = 0; i < d; i++)
		x[i] = 1e4;
	for (int t = 0; t < 1000; t++)
	{
		RecsysLinearTrial(sums, d, x, 1);
		RecsysLinearReward(sums, d, x, 1, 1);
	}
	RecsysLinearSolve(sums, d, 1e-3, &fit);
	sane = near(RecsysLinearMean(&fit, x), 1, 1e-6) && isfinite(RecsysLinearWidth(&fit, x));
	sums[1 + d] = -5;
	RecsysLinearSolve(sums, d, 1e-3, &fit);
	sane &= isfinite(RecsysLinearMean(&fit, x)) && isfinite(RecsysLinearWidth(&fit, x));
	ok(sane, "linear: features that are all the same, and sums that cannot be");
	pfree(sums);
}

#define ARMS 4
#define FEATURES 3

static void
make_fits(RecsysLinearFit *fits, double *features)
{
	Random		random;

	random_seed(&random, 7);
	for (int arm = 0; arm < ARMS; arm++)
	{
		RecsysLinearSolve(NULL, FEATURES, 1, &fits[arm]);
		for (int t = 0; t < 5 + 10 * arm; t++)
		{
			double		x[FEATURES];

			for (int i = 0; i < FEATURES; i++)
				x[i] = random_unit(&random);
			RecsysLinearUpdate(&fits[arm], x, random_unit(&random), 1);
		}
		for (int i = 0; i < FEATURES; i++)
			features[arm * FEATURES + i] = random_unit(&random);
	}
}

static bool
draws_agree(const RecsysPolicyOptions *options, const RecsysPolicyInput *input, int places)
{
	double		shares[ARMS * ARMS];
	int			counts[ARMS * ARMS] = {0};
	int			chosen[ARMS];
	int			draws = 200000;
	RecsysRandom random;
	bool		agree = true;

	RecsysRandomStart(&random, 8, places);
	RecsysPolicyPlaceShares(options, input, places, shares);
	for (int draw = 0; draw < draws; draw++)
	{
		RecsysPolicyDrawPlaces(options, input, places, &random, chosen);
		for (int place = 0; place < places; place++)
			counts[chosen[place] * places + place]++;
	}
	for (int cell = 0; cell < input->narms * places; cell++)
		agree &= fabs((double) counts[cell] / draws - shares[cell]) <=
			5 * sqrt(shares[cell] / draws) + 1e-9;
	return agree;
}

static void
test_policies(void)
{
	static RecsysLinearFit fits[ARMS];
	const RecsysLinearFit *each[ARMS];
	double		features[ARMS * FEATURES];
	RecsysPolicyInput input = {.narms = ARMS,.fits = each,.features = features};
	RecsysPolicyOptions options;
	double		shares[ARMS];
	double		deviation = 0;
	double		first;
	double		second;
	int			best = 0;
	bool		agree = true;

	make_fits(fits, features);
	for (int arm = 0; arm < ARMS; arm++)
		each[arm] = &fits[arm];

	RecsysPolicyDefaults(RECSYS_POLICY_LINUCB, &options);
	options.exploration = 0.4;
	RecsysPolicyShares(&options, &input, shares);
	for (int arm = 1; arm < ARMS; arm++)
		if (RecsysLinearMean(each[arm], features) + 0.4 * RecsysLinearWidth(each[arm], features) >
			RecsysLinearMean(each[best], features) + 0.4 * RecsysLinearWidth(each[best], features))
			best = arm;
	ok(shares[best] == 1, "linucb: the arm with the highest bound");
	agree &= draws_agree(&options, &input, 3);

	/* two arms with functions of their own: the difference is normal */
	RecsysPolicyDefaults(RECSYS_POLICY_LINEAR_THOMPSON, &options);
	agree &= draws_agree(&options, &input, 3);
	input.narms = 2;
	RecsysPolicyShares(&options, &input, shares);
	for (int arm = 0; arm < 2; arm++)
		deviation += pow(options.exploration * RecsysLinearWidth(each[arm], features), 2);
	first = RecsysLinearMean(each[0], features);
	second = RecsysLinearMean(each[1], features);
	ok(near(shares[0], 0.5 * erfc((second - first) / sqrt(2 * deviation)), 1e-11),
	   "linear_thompson: of two arms, by the law of their difference");

	/* one function: the difference is that of the features */
	options.shared = true;
	options.draws = 100000;
	input.stride = FEATURES;
	RecsysPolicyShares(&options, &input, shares);
	{
		double		apart[FEATURES];

		for (int i = 0; i < FEATURES; i++)
			apart[i] = features[FEATURES + i] - features[i];
		first = 0.5 * erfc(RecsysLinearMean(each[0], apart) /
						   (options.exploration * RecsysLinearWidth(each[0], apart) * M_SQRT2));
	}
	ok(fabs(shares[0] - first) < 5 * sqrt(0.25 / options.draws),
	   "linear_thompson: one function for all arms, within the error of its draws");
	options.draws = 50;
	input.narms = ARMS;
	agree &= draws_agree(&options, &input, 1) && draws_agree(&options, &input, 3);
	ok(agree, "linear policies: propensities are frequencies of draws");
	RecsysPolicyShares(&options, &input, shares);
	ok(shares[0] > 0 && shares[1] > 0 && shares[2] > 0 && shares[3] > 0,
	   "linear_thompson: no arm is impossible");

	memset(features, 0, sizeof(features));
	for (int shared = 0; shared < 2; shared++)
	{
		options.shared = shared;
		options.draws = 40000;
		RecsysPolicyShares(&options, &input, shares);
		agree = fabs(shares[0] - 0.25) < (shared ? 0.02 : 1e-9);
	}
	ok(agree, "linear_thompson: without any feature all arms are alike");
}

void
test_linearpolicy(void)
{
	test_regression();
	test_by_hand();
	test_degenerate();
	test_policies();
}
