/*
 * test_retirement.c
 *	  Tests of core/policy/retirement: bounds by hand and on a grid, and by simulation that they hold
 *	  at all times, that good candidates stay, bad ones go, and what they have cost.
 */
#include "core/policy/retirement.h"

#include "core/policy/policydraws.h"
#include "generate.h"
#include "tap.h"

static bool
near(double a, double b, double error)
{
	return fabs(a - b) <= error;
}

/* One success: density 2p.  n failures: density (n + 1) (1 - p)^n. */
static void
test_by_hand(void)
{
	RecsysArmCounts nothing = {0};
	RecsysArmCounts success = {1, 1, 1};
	RecsysArmCounts failures = {100, 0, 0};
	RecsysArmCounts huge = {1e9, 1e7, 1e7};

	ok(RecsysLowerBound(&nothing, 0.05) == 0 && RecsysUpperBound(&nothing, 0.05) == 1,
	   "bounds: nothing is known");
	ok(near(RecsysLowerBound(&success, 0.05), 0.025, 1e-12) && RecsysUpperBound(&success, 0.05) == 1,
	   "bounds: one success");
	ok(RecsysLowerBound(&failures, 0.05) == 0 &&
	   near(RecsysUpperBound(&failures, 0.05), 1 - pow(0.05 / 101, 0.01), 1e-12),
	   "bounds: a hundred failures");
	ok(near(RecsysUpperBound(&huge, 0.05), 0.01, 3e-5) && RecsysUpperBound(&huge, 0.05) > 0.01 &&
	   near(RecsysLowerBound(&huge, 0.05), 0.01, 3e-5), "bounds: a thousand million trials");
}

static void
test_grid(void)
{
	Random		random;
	bool		same = true;

	random_seed(&random, 12);
	for (int number = 0; number < 50; number++)
	{
		double		n = 1 + (int) (random_bits(&random) % 500);
		double		s = n * random_unit(&random);
		RecsysArmCounts arm = {n, s, s};
		double		upper = 0;
		double		lower = 1;

		for (int i = 1; i < 100000; i++)
		{
			double		p = i / 1e5;
			double		ratio = lgamma(s + 1) + lgamma(n - s + 1) - lgamma(n + 2) -
				s * log(p) - (n - s) * log(1 - p);

			if (ratio <= log(1 / 0.02))
			{
				upper = p;
				lower = Min(lower, p);
			}
		}
		same &= near(RecsysUpperBound(&arm, 0.02), upper, 1.1e-5) &&
			near(RecsysLowerBound(&arm, 0.02), lower, 1.1e-5);
	}
	ok(same, "bounds: are where the mixture's ratio is 1 / delta");
}

/* Looking again and again at 3,000 trials: how many of 400 arms ever have a bound on the wrong side */
static void
test_coverage(void)
{
	static const double means[] = {0.02, 0.3};
	RecsysRandom random;

	RecsysRandomStart(&random, 13, 0);
	for (int x = 0; x < (int) lengthof(means); x++)
	{
		int			above = 0;
		int			below = 0;

		for (int arm = 0; arm < 400; arm++)
		{
			RecsysArmCounts counts = {0};
			bool		high = false;
			bool		low = false;

			for (int trial = 1; trial <= 3000; trial++)
			{
				RecsysArmTrial(&counts, RecsysDrawUnit(&random) < means[x] ? 1 : 0, 1);

				if (trial % 20 == 0 || trial < 30)
				{
					high |= RecsysUpperBound(&counts, 0.1) < means[x];
					low |= RecsysLowerBound(&counts, 0.1) > means[x];
				}
			}
			above += high;
			below += low;
		}
		ok(above <= 58 && below <= 58, "bounds: at 10 %%, mean %g, %d and %d of 400 arms ever miss",
		   means[x], above, below);
	}
}

/*
 * A base list of mean .1, 30 candidates of which a third are as good as the base, the others worse.
 * Each request has one of 10 places explored in the mean, by whichever candidate has had fewest
 * trials.  Returns what has been lost against the base, by place explored.
 */
static void
test_candidates(void)
{
	RecsysRetirement rule = {.tolerance = 0.2,.delta = 0.05,.candidates = 30};
	RecsysRandom random;
	int			wrong = 0;
	int			left = 0;
	double		worst = 0;
	double		explored = 0;
	double		requests = 0;

	RecsysRandomStart(&random, 14, 0);
	for (int run = 0; run < 10; run++)
	{
		RecsysArmCounts base = {0};
		RecsysArmCounts candidates[30] = {{0}};
		bool		retired[30] = {false};

		for (int request = 0; request < 40000; request++)
		{
			int			places = RecsysExploredPlaces(10, 0.05, &random);

			requests++;
			explored += places;
			for (int place = 0; place < 10; place++)
			{
				int			next = -1;

				for (int c = 0; c < 30 && place < places; c++)
					if (!retired[c] && (next < 0 || candidates[c].trials < candidates[next].trials))
						next = c;
				if (next < 0)
					RecsysArmTrial(&base, RecsysDrawUnit(&random) < 0.1 ? 1 : 0, 1);
				else
				{
					double		mean = next % 3 == 0 ? 0.1 : next % 3 == 1 ? 0.02 : 0.005;

					RecsysArmTrial(&candidates[next], RecsysDrawUnit(&random) < mean ? 1 : 0, 1);
					retired[next] = RecsysIsRetired(&rule, &base, &candidates[next]);
					wrong += retired[next] && next % 3 == 0;
				}
			}
		}
		for (int c = 0; c < 30; c++)
		{
			double		mean = c % 3 == 1 ? 0.02 : 0.005;

			if (c % 3 == 0)
				continue;
			left += !retired[c];
			worst = Max(worst, candidates[c].trials / RecsysTrialsToRetire(&rule, &base, mean));
		}
	}
	ok(wrong == 0, "retirement: no candidate goes that is as good as the base");
	ok(left == 0, "retirement: all go that are not");
	ok(worst < 4, "retirement: after about as many trials as foretold (at most %.1f times)", worst);
	ok(near(explored / requests, 0.5, 0.005), "retirement: one place of twenty is explored (%.4f of ten)",
	   explored / requests);
}

static void
test_rule(void)
{
	RecsysRetirement rule = {.tolerance = 0.2,.delta = 0.05,.candidates = 100};
	RecsysArmCounts base = {1e6, 1e5, 1e5};
	RecsysArmCounts candidate = {0};
	double		trials = RecsysTrialsToRetire(&rule, &base, 0.02);
	RecsysRandom random;
	bool		whole = true;

	candidate.trials = trials;
	candidate.sum = 0.02 * trials;
	ok(RecsysIsRetired(&rule, &base, &candidate), "retirement: a candidate goes at its trial");
	candidate.trials -= 1;
	candidate.sum = 0.02 * candidate.trials;
	ok(!RecsysIsRetired(&rule, &base, &candidate), "retirement: and not before");
	ok(isinf(RecsysTrialsToRetire(&rule, &base, 0.09)), "retirement: one of .09 is never to go");
	ok(trials < 500 && RecsysTrialsToRetire(&rule, &base, 0) < trials, "retirement: %g trials for .02", trials);

	RecsysRandomStart(&random, 15, 0);
	for (int x = 0; x < 1000; x++)
	{
		whole &= RecsysExploredPlaces(10, 0, &random) == 0 && RecsysExploredPlaces(10, 1, &random) == 10;
		whole &= RecsysExploredPlaces(10, 0.2, &random) == 2;
	}
	ok(whole, "retirement: whole numbers of places are not left to chance");
}

void
test_retirement(void)
{
	test_by_hand();
	test_grid();
	test_coverage();
	test_candidates();
	test_rule();
}
