/*
 * test_bestarm.c
 *	  Tests of core/policy/rewardlaw and core/policy/bestarm: densities and distribution functions
 *	  against plain sums, how likely each arm is the best against SciPy, sums over a fine grid, and
 *	  draws.
 *
 * Figures of SciPy 1.17 are those of scipy.special.betainc and stdtr; shares are the trapezoidal
 * rule over 400,001 points of log odds (Student: 4,000,001 points of an inverse hyperbolic sine)
 * with these and scipy.stats densities, good to about 1e-10.
 */
#include "core/policy/bestarm.h"

#include "generate.h"
#include "tap.h"

static bool
near(double a, double b, double error)
{
	return fabs(a - b) <= error;
}

static double
log_odds(double x)
{
	return log(x) - log1p(-x);
}

/* P(Beta(a, b) <= x) for whole a and b: at least a of a + b - 1 throws succeed */
static double
plain_beta_below(int a, int b, double x)
{
	double		sum = 0;
	int			n = a + b - 1;

	for (int k = a; k <= n; k++)
	{
		double		term = 1;

		for (int i = 1; i <= k; i++)
			term *= (double) (n - k + i) / i * x;
		sum += term * pow(1 - x, n - k);
	}
	return sum;
}

static void
test_laws(void)
{
	static const double betas[][4] = {
		{5, 3, 0.6, 0.419904}, {0.5, 0.5, 0.01, 0.06376856085852},
		{1e6, 1e6, 0.5005, 0.92135042241908}, {2e5, 3e7, 0.0066, 0.063434114426713}, {1, 1, 0.3, 0.3}
	};
	static const double students[][3] = {
		{1, -3, 0.10241638234957}, {2, 0.7, 0.72180348768357}, {5, 30, 0.99999961406757},
		{1e6, 2, 0.97724973307434}, {33, -0.001, 0.49960406819982}
	};
	RecsysLaw	law;
	bool		same = true;
	bool		plain = true;

	for (int x = 0; x < (int) lengthof(betas); x++)
	{
		RecsysLawBeta(&law, betas[x][0], betas[x][1]);
		same &= near(RecsysLawBelow(&law, log_odds(betas[x][2])), betas[x][3], 1e-12);
	}
	for (int x = 0; x < (int) lengthof(students); x++)
	{
		RecsysLawStudent(&law, 7, 2, students[x][0]);
		same &= near(RecsysLawBelow(&law, 7 + 2 * students[x][1]), students[x][2], 1e-12);
	}
	RecsysLawNormal(&law, 1, 3);
	same &= near(RecsysLawBelow(&law, 1 + 3 * 1.959963984540054), 0.975, 1e-13);
	ok(same, "laws: distribution functions are SciPy's to 1e-12");

	for (int a = 1; a <= 12; a++)
		for (int b = 1; b <= 12; b++)
		{
			RecsysLawBeta(&law, a, b);
			for (double x = 0.05; x < 1; x += 0.1)
				plain &= near(RecsysLawBelow(&law, log_odds(x)), plain_beta_below(a, b, x), 1e-13);
		}
	ok(plain, "laws: Beta of whole parameters is a sum of binomial terms");
}

/* Does a grid of the density sum up to 1, and is next to nothing outside? */
static void
test_ends(void)
{
	static const double parameters[][2] = {
		{1, 1}, {0.1, 0.1}, {0.1, 50}, {1, 1e6}, {1e6, 1e6}, {1e6, 1}, {1e7, 1e9}, {3, 4}
	};
	double		worst = 0;

	for (int x = 0; x < (int) lengthof(parameters); x++)
	{
		RecsysLaw	law;
		double		sum = 0;
		int			steps = 20000;

		RecsysLawBeta(&law, parameters[x][0], parameters[x][1]);
		RecsysLawFindEnds(&law);
		for (int i = 0; i <= steps; i++)
		{
			RecsysLawPoint point = RecsysLawPointAt(&law, law.low + (law.high - law.low) * i / steps);

			sum += exp(RecsysLawLogDensity(&law, &point)) * (law.high - law.low) / steps;
		}
		worst = Max(worst, fabs(sum - 1));
	}
	ok(worst < 1e-12, "laws: Beta densities sum up to 1 from end to end (%g)", worst);
}

static bool
shares_are(const RecsysLaw *laws, int n, int places, const double *expected, double error)
{
	double		shares[100];
	bool		same = RecsysBestArms(laws, n, places, shares) < 1e-11;

	for (int x = 0; x < n * places; x++)
		same &= near(shares[x], expected[x], error);
	return same;
}

static void
test_figures(void)
{
	static const double few[] = {
		0.022963133256, 0.220873488764, 0.542752825103, 0.213410552865,
		0.094844147570, 0.647729650622, 0.215473066430, 0.041953135365,
		0.013228012764, 0.101999661470, 0.209385702864, 0.675386622889,
		0.868964706397, 0.029397199131, 0.032388405592, 0.069249688868
	};
	static const double many[] = {
		0.113609310398, 0.332712065113, 0.694694762829, 0.225295113269, 0.191695926763, 0.441992821607
	};
	static const double students[] = {
		0.204922705631, 0.110068025630, 0.364606205849, 0.320403062837,
		0.013361809636, 0.429400182158, 0.441517762818, 0.115720245334,
		0.315457399967, 0.031905187127, 0.091313487064, 0.561323925789,
		0.466258084712, 0.428626605032, 0.102562544215, 0.002552765987
	};
	static const double third[] = {1.0 / 3, 2.0 / 3, 2.0 / 3, 1.0 / 3};
	RecsysLaw	laws[100];
	double		shares[300];
	double		error;

	RecsysLawBeta(&laws[0], 20, 180);
	RecsysLawBeta(&laws[1], 25, 175);
	RecsysLawBeta(&laws[2], 5, 60);
	RecsysLawBeta(&laws[3], 1, 1);
	ok(shares_are(laws, 4, 4, few, 2e-10), "best arm: four Beta laws at four places, as SciPy has it");
	RecsysLawBeta(&laws[0], 1e6, 1e6);
	RecsysLawBeta(&laws[1], 1e6 + 1000, 1e6 - 1000);
	RecsysLawBeta(&laws[2], 1e6, 1e6 - 500);
	ok(shares_are(laws, 3, 2, many, 2e-10), "best arm: a million of successes and failures");
	RecsysLawBeta(&laws[0], 1, 1);
	RecsysLawBeta(&laws[1], 2, 1);
	ok(shares_are(laws, 2, 2, third, 1e-13), "best arm: Beta(2, 1) beats Beta(1, 1) two times in three");
	RecsysLawStudent(&laws[0], 0, 1, 2);
	RecsysLawStudent(&laws[1], 0.5, 0.1, 30);
	RecsysLawStudent(&laws[2], -1, 3, 1);
	RecsysLawStudent(&laws[3], 0.7, 1e-3, 1e6);
	ok(shares_are(laws, 4, 4, students, 2e-10), "best arm: Student's laws, from 1 to a million degrees");

	for (int arm = 0; arm < 100; arm++)
		RecsysLawBeta(&laws[arm], 1 + arm % 7 * 13, 1 + arm * 37 % 101 * 5);
	error = RecsysBestArms(laws, 100, 3, shares);
	ok(error < 1e-11 && near(shares[41 * 3], 0.814911222533, 1e-11) &&
	   near(shares[1], 0.080414185904, 1e-11) && near(shares[11 * 3 + 2], 0.360277981589, 1e-11) &&
	   near(shares[82 * 3], 0.011745721689, 1e-11), "best arm: a hundred Beta laws, as SciPy has it");
}

/* Normal laws of two arms: the difference is normal */
static void
test_two_normals(void)
{
	Random		random;
	bool		same = true;

	random_seed(&random, 3);
	for (int number = 0; number < 100; number++)
	{
		RecsysLaw	laws[2];
		double		shares[2];
		double		deviation = 0;

		for (int x = 0; x < 2; x++)
		{
			RecsysLawNormal(&laws[x], random_normal(&random), exp(4 * random_normal(&random)));
			deviation += laws[x].scale * laws[x].scale;
		}
		same &= RecsysBestArms(laws, 2, 1, shares) < 1e-11;
		same &= near(shares[0], 0.5 * erfc((laws[1].center - laws[0].center) / sqrt(2 * deviation)), 1e-11);
	}
	ok(same, "best arm: of two normal laws, by the law of their difference");
}

/* The sum over a fine grid with distribution functions at each point: slow and obvious */
static void
plain_best(RecsysLaw *laws, int n, double *shares)
{
	double		from = INFINITY;
	double		to = -INFINITY;
	int			steps = 8000;

	for (int i = 0; i < n; i++)
	{
		RecsysLawFindEnds(&laws[i]);
		from = Min(from, laws[i].low);
		to = Max(to, laws[i].high);
	}
	memset(shares, 0, sizeof(double) * n);
	for (int step = 0; step <= steps; step++)
	{
		double		t = from + (to - from) * step / steps;
		RecsysLawPoint point = RecsysLawPointAt(laws, t);

		for (int i = 0; i < n; i++)
		{
			double		product = exp(RecsysLawLogDensity(&laws[i], &point)) * (to - from) / steps;

			for (int j = 0; j < n; j++)
				product *= i == j ? 1 : RecsysLawBelow(&laws[j], t);
			shares[i] += product;
		}
	}
}

static void
test_plain(void)
{
	Random		random;
	double		worst = 0;
	double		sums = 0;

	random_seed(&random, 5);
	for (int number = 0; number < 40; number++)
	{
		RecsysLaw	laws[8];
		double		shares[8];
		double		expected[8];
		int			n = 1 + (int) (random_bits(&random) % 8);

		for (int i = 0; i < n; i++)
			RecsysLawBeta(&laws[i], 0.5 + exp(7 * random_unit(&random)),
						  0.5 + exp(7 * random_unit(&random)));
		sums = Max(sums, RecsysBestArms(laws, n, 1, shares));
		plain_best(laws, n, expected);
		for (int i = 0; i < n; i++)
			worst = Max(worst, fabs(shares[i] - expected[i]));
	}
	ok(sums < 1e-11, "best arm: probabilities of random arms sum up to 1 (%g)", sums);
	ok(worst < 1e-10, "best arm: and are those of a sum over a fine grid (%g)", worst);
}

/* All alike; one far ahead; very different certainty; one arm; a thousand */
static void
test_extremes(void)
{
	RecsysLaw  *laws = palloc(sizeof(RecsysLaw) * 1000);
	double	   *shares = palloc(sizeof(double) * 1000 * 3);
	double		worst = 0;
	bool		alike = true;

	RecsysLawBeta(&laws[0], 3, 4);
	worst = Max(worst, RecsysBestArms(laws, 1, 1, shares));
	ok(shares[0] == 1, "best arm: the only one");
	for (int number = 0; number < 3; number++)
	{
		int			n = number == 0 ? 100 : 1000;

		for (int i = 0; i < n; i++)
			RecsysLawBeta(&laws[i], number == 1 ? 1e6 : 1, number == 1 ? 1e6 : 1);
		worst = Max(worst, RecsysBestArms(laws, n, 3, shares));
		for (int i = 0; i < 3 * n; i++)
			alike &= near(shares[i] * n, 1, 1e-10);
	}
	ok(alike, "best arm: arms of which the same is known are alike, 100 and 1,000 of them");

	for (int i = 0; i < 100; i++)
		RecsysLawBeta(&laws[i], exp(0.15 * i), 1 + exp(0.15 * (100 - i)));
	worst = Max(worst, RecsysBestArms(laws, 100, 3, shares));
	for (int i = 0; i < 100; i++)
		RecsysLawBeta(&laws[i], 1 + pow(i, 3), 1 + 30 * pow(i, 3));
	worst = Max(worst, RecsysBestArms(laws, 100, 3, shares));
	for (int i = 0; i < 100; i++)
		RecsysLawStudent(&laws[i], 0.01 * i, pow(10, -i % 12), 1 + i * i);
	worst = Max(worst, RecsysBestArms(laws, 100, 3, shares));
	RecsysLawBeta(&laws[0], 1e6, 1);
	for (int i = 1; i < 100; i++)
		RecsysLawBeta(&laws[i], 1, 1e6);
	worst = Max(worst, RecsysBestArms(laws, 100, 1, shares));
	ok(near(shares[0], 1, 1e-12), "best arm: one is far ahead");
	ok(worst < 1e-10, "best arm: sums are 1 for laws of all widths (%g)", worst);
	pfree(laws);
	pfree(shares);
}

/* Order of draws against the integrals */
static void
test_draws(void)
{
	RecsysRandom random;
	RecsysLaw	laws[3][5];
	bool		same = true;
	int			draws = 300000;

	for (int i = 0; i < 5; i++)
	{
		RecsysLawBeta(&laws[0][i], 0.4 + 3 * i, 2 + 5 * i);
		RecsysLawStudent(&laws[1][i], 0.2 * i, 1.5 - 0.2 * i, 1 + 2 * i);
		RecsysLawNormal(&laws[2][i], 0.1 * i, 1 + i);
	}
	RecsysRandomStart(&random, 9, 0);
	for (int kind = 0; kind < 3; kind++)
	{
		double		shares[10];
		int			counts[10] = {0};

		RecsysBestArms(laws[kind], 5, 2, shares);
		for (int draw = 0; draw < draws; draw++)
		{
			double		values[5];

			for (int i = 0; i < 5; i++)
				values[i] = RecsysLawDraw(&laws[kind][i], &random);
			for (int i = 0; i < 5; i++)
			{
				int			above = 0;

				for (int j = 0; j < 5; j++)
					above += values[j] > values[i];
				if (above < 2)
					counts[2 * i + above]++;
			}
		}
		for (int x = 0; x < 10; x++)
			same &= near((double) counts[x] / draws, shares[x], 5 * sqrt(shares[x] / draws));
	}
	ok(same, "best arm: draws from the laws are the best, and the second best, as often");
}

void
test_bestarm(void)
{
	test_laws();
	test_ends();
	test_figures();
	test_two_normals();
	test_plain();
	test_extremes();
	test_draws();
}
