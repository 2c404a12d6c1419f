/*
 * test_policy.c
 *	  Tests of core/policy: what is known of arms, epsilon-greedy, UCB1 and Thompson sampling against
 *	  their formulas written plainly, and propensities against how often arms are chosen.
 */
#include "core/policy/policy.h"

#include "core/policy/armorder.h"
#include "core/policy/bestarm.h"
#include "generate.h"
#include "tap.h"

static bool
near(double a, double b, double error)
{
	return fabs(a - b) <= error;
}

static void
test_counts(void)
{
	RecsysArmCounts parts[4] = {{0}};
	RecsysArmCounts all = {0};
	RecsysArmCounts later = {0};
	bool		same = true;
	Random		random;

	random_seed(&random, 1);
	for (int trial = 0; trial < 1000; trial++)
	{
		double		reward = random_bits(&random) % 9 / 4.0;

		RecsysArmTrial(&all, reward, 1);
		RecsysArmTrial(&parts[random_bits(&random) % 4], reward, 1);

		/* nothing at first, then the reward in two parts */
		RecsysArmTrial(&later, 0, 1);
		RecsysArmReward(&later, 0, 0.25, 1);
		RecsysArmReward(&later, 0.25, reward - 0.25, 1);
	}
	for (int order = 0; order < 24; order++)
	{
		RecsysArmCounts sum = {0};

		for (int x = 0; x < 4; x++)
			RecsysArmFold(&sum, &parts[(x * (order % 2 ? 1 : 3) + order) % 4]);
		same &= memcmp(&sum, &all, sizeof(sum)) == 0;
	}
	ok(same, "counts: parts are added in any order");
	ok(memcmp(&later, &all, sizeof(all)) == 0, "counts: rewards that come later count the same");

	RecsysArmDecay(&all, RecsysDecayFactor(3600, 1800));
	ok(near(all.trials, 250, 1e-9) && near(all.sum, later.sum / 4, 1e-9) &&
	   near(all.squares, later.squares / 4, 1e-9), "counts: a quarter is left after two half-lives");
	ok(RecsysDecayFactor(100, 0) == 1 && RecsysDecayFactor(100, INFINITY) == 1 &&
	   RecsysDecayFactor(-5, 10) == 1 && RecsysDecayFactor(INFINITY, 10) == 0 &&
	   near(RecsysDecayFactor(1, 10) * RecsysDecayFactor(2, 10), RecsysDecayFactor(3, 10), 1e-15),
	   "counts: decay without half-life, of no time, of all time, and in steps");
}

/* Sums up what each way of filling the places adds to the arms' shares. */
static void
follow(const double *scores, int n, double epsilon, int places, int place, bool *gone,
	   double probability, double *shares)
{
	int			best = 0;
	double		top = -INFINITY;

	if (place == places)
		return;
	for (int i = 0; i < n; i++)
		if (!gone[i] && scores[i] > top)
			top = scores[i];
	for (int i = 0; i < n; i++)
		best += !gone[i] && scores[i] == top;
	for (int i = 0; i < n; i++)
	{
		double		chance;

		if (gone[i])
			continue;
		chance = epsilon / (n - place) + (scores[i] == top ? (1 - epsilon) / best : 0);
		shares[i * places + place] += probability * chance;
		if (chance == 0)
			continue;
		gone[i] = true;
		follow(scores, n, epsilon, places, place + 1, gone, probability * chance, shares);
		gone[i] = false;
	}
}

static void
test_order(void)
{
	Random		random;
	double		worst = 0;

	random_seed(&random, 2);
	for (int number = 0; number < 300; number++)
	{
		double		scores[5];
		double		shares[25];
		double		expected[25] = {0};
		bool		gone[5] = {false};
		int			n = 1 + (int) (random_bits(&random) % 5);
		int			places = 1 + (int) (random_bits(&random) % n);
		double		epsilon = number % 3 == 0 ? 0 : number % 7 == 0 ? 1 : random_unit(&random);

		for (int i = 0; i < n; i++)
			scores[i] = random_bits(&random) % 4 == 0 ? INFINITY : (double) (random_bits(&random) % 3);
		RecsysOrderShares(scores, n, epsilon, places, shares);
		follow(scores, n, epsilon, places, 0, gone, 1, expected);
		for (int x = 0; x < n * places; x++)
			worst = Max(worst, fabs(shares[x] - expected[x]));
	}
	ok(worst < 1e-14, "order: shares are the sum over all ways, with ties and any epsilon (%g)", worst);
}

/* Frequencies of a million draws lie within 5 standard errors of the shares. */
static bool
draws_agree(const RecsysPolicyOptions *options, const RecsysPolicyInput *input, int places)
{
	int			cells = input->narms * places;
	double	   *shares = palloc(sizeof(double) * cells);
	int		   *counts = palloc0(sizeof(int) * cells);
	int		   *chosen = palloc(sizeof(int) * places);
	int			draws = places == 1 ? 1000000 : 200000;
	RecsysRandom random;
	bool		agree = true;

	RecsysRandomStart(&random, 4, places);
	RecsysPolicyPlaceShares(options, input, places, shares);
	for (int draw = 0; draw < draws; draw++)
	{
		if (places == 1 && draw % 2 == 0)
			counts[RecsysDrawArm(shares, input->narms, &random)]++;
		else
		{
			RecsysPolicyDrawPlaces(options, input, places, &random, chosen);
			for (int place = 0; place < places; place++)
				counts[chosen[place] * places + place]++;
		}
	}
	for (int cell = 0; cell < cells; cell++)
		agree &= near((double) counts[cell] / draws, shares[cell],
					  5 * sqrt(shares[cell] / draws) + 1e-9);
	pfree(shares);
	pfree(counts);
	pfree(chosen);
	return agree;
}

static const RecsysArmCounts arms[] = {
	{100, 10, 10}, {80, 12, 12}, {10, 0, 0}, {300, 33, 33}, {40, 6, 6}
};

static void
test_draws(void)
{
	RecsysPolicyInput input = {.narms = lengthof(arms),.arms = arms};
	RecsysPolicyOptions options;

	for (RecsysPolicyKind kind = 0; kind <= RECSYS_POLICY_UNIFORM; kind++)
	{
		if (RecsysPolicyIsLinear(kind))
			continue;
		RecsysPolicyDefaults(kind, &options);
		ok(draws_agree(&options, &input, 1), "%s: propensities are frequencies of draws",
		   RecsysPolicyName(kind));
		ok(draws_agree(&options, &input, 3), "%s: also at three places", RecsysPolicyName(kind));
	}
}

static void
test_formulas(void)
{
	RecsysPolicyInput input = {.narms = lengthof(arms),.arms = arms};
	RecsysPolicyOptions options;
	double		shares[lengthof(arms)];
	int			best = 0;
	double		most = 0;

	/* arms 1 and 4 have the same mean, .15 */
	RecsysPolicyDefaults(RECSYS_POLICY_EPSILON_GREEDY, &options);
	RecsysPolicyShares(&options, &input, shares);
	ok(near(shares[0], 0.02, 1e-15) && near(shares[1], 0.47, 1e-15) && near(shares[2], 0.02, 1e-15) &&
	   near(shares[4], 0.47, 1e-15), "epsilon_greedy: the best two share what is not left to chance");
	options.epsilon = 1;
	options.epsilon_trials = 10;
	RecsysPolicyShares(&options, &input, shares);
	ok(near(shares[0], 10.0 / 530, 1e-15), "epsilon_greedy: epsilon falls with the trials");

	RecsysPolicyDefaults(RECSYS_POLICY_UCB1, &options);
	RecsysPolicyShares(&options, &input, shares);
	for (int i = 0; i < (int) lengthof(arms); i++)
	{
		double		bound = arms[i].sum / arms[i].trials + sqrt(2 * log(530) / arms[i].trials);

		if (bound > most)
		{
			most = bound;
			best = i;
		}
	}
	ok(shares[best] == 1 && best == 2, "ucb1: the arm with the highest bound");
	options.exploration = 0.01;
	RecsysPolicyShares(&options, &input, shares);
	ok(shares[4] == 1, "ucb1: with little exploration the arm with the best mean that is less certain");
}

/* P(best) of Beta(11, 91), Beta(13, 69) and others by the law; normal arms by hand */
static void
test_thompson(void)
{
	RecsysPolicyInput input = {.narms = lengthof(arms),.arms = arms};
	RecsysPolicyOptions options;
	RecsysLaw	laws[lengthof(arms)];
	double		shares[lengthof(arms)];
	double		expected[lengthof(arms)];
	RecsysArmCounts normal[2] = {{4, 10, 30}, {0, 0, 0}};
	bool		same = true;

	for (int i = 0; i < (int) lengthof(arms); i++)
		RecsysLawBeta(&laws[i], 2 + arms[i].sum, 3 + arms[i].trials - arms[i].sum);
	RecsysBestArms(laws, lengthof(arms), 1, expected);
	RecsysPolicyDefaults(RECSYS_POLICY_THOMPSON, &options);
	options.prior_successes = 2;
	options.prior_failures = 3;
	RecsysPolicyShares(&options, &input, shares);
	for (int i = 0; i < (int) lengthof(arms); i++)
		same &= shares[i] == expected[i];
	ok(same, "thompson: prior and counts make a Beta law");

	/*
	 * Prior: mean 1 as of 2 trials, shape 3, variance 0.5.  Rewards of mean 2.5 and squared
	 * deviations 5: mean (2 + 10) / 6 = 2, shape 5, rate 1.5 + 2.5 + 2 * 4 / 6 / 2 * 2.25 = 5.5.
	 */
	RecsysPolicyDefaults(RECSYS_POLICY_THOMPSON_NORMAL, &options);
	options.prior_mean = 1;
	options.prior_trials = 2;
	options.prior_shape = 3;
	options.prior_variance = 0.5;
	RecsysLawStudent(&laws[0], 2, sqrt(5.5 / (5 * 6)), 10);
	RecsysLawStudent(&laws[1], 1, sqrt(1.5 / (3 * 2)), 6);
	RecsysBestArms(laws, 2, 1, expected);
	input.narms = 2;
	input.arms = normal;
	RecsysPolicyShares(&options, &input, shares);
	ok(near(shares[0], expected[0], 1e-14) && shares[0] > 0.9,
	   "thompson_normal: the posterior is that of the normal-inverse-gamma prior");
}

/* Nothing known, nothing gained, more gained than tried, one arm, a thousand */
static void
test_extremes(void)
{
	RecsysArmCounts *many = palloc0(sizeof(RecsysArmCounts) * RECSYS_MOST_ARMS);
	double	   *shares = palloc(sizeof(double) * RECSYS_MOST_ARMS);
	RecsysArmCounts odd[] = {{5, 9, 20}, {0, 3, 3}, {-1e-12, -1e-12, 0}, {1e9, 5e8, 5e8}, {1e-9, 0, 0}};
	RecsysPolicyOptions options;
	RecsysPolicyInput input = {.arms = many};
	bool		alike = true;
	bool		sane = true;

	for (RecsysPolicyKind kind = 0; kind <= RECSYS_POLICY_UNIFORM; kind++)
	{
		if (RecsysPolicyIsLinear(kind))
			continue;
		RecsysPolicyDefaults(kind, &options);
		for (int state = 0; state < 2; state++)
		{
			for (int i = 0; i < RECSYS_MOST_ARMS; i++)
				many[i].trials = 1000 * state;
			input.arms = many;
			for (input.narms = 1; input.narms <= RECSYS_MOST_ARMS; input.narms *= 10)
			{
				RecsysPolicyShares(&options, &input, shares);
				for (int i = 0; i < input.narms; i++)
					alike &= near(shares[i] * input.narms, 1, 1e-10);
			}
		}
		input.arms = odd;
		for (input.narms = 1; input.narms <= (int) lengthof(odd); input.narms++)
		{
			double		sum = 0;

			RecsysPolicyShares(&options, &input, shares);
			for (int i = 0; i < input.narms; i++)
			{
				sane &= shares[i] >= 0;
				sum += shares[i];
			}
			sane &= near(sum, 1, 1e-12);
		}
	}
	ok(alike, "policies: arms that have had nothing, or have brought nothing, are alike");
	ok(sane, "policies: counts that no trials can have, or so many, do no harm");
	pfree(many);
	pfree(shares);
}

/* What is no number, or beyond all bounds, ends in probabilities all the same */
static void
test_hostile(void)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e18, 1e-300, 0};
	static RecsysLinearFit fits[2];
	const RecsysLinearFit *each[2] = {&fits[0], &fits[1]};
	RecsysArmCounts arms[3] = {{10, 3, 3}, {0, 0, 0}, {1e6, 1e5, 1e5}};
	double		features[4] = {0, 1, 2, 3};
	RecsysPolicyInput input = {.arms = arms,.fits = each,.features = features};
	RecsysPolicyOptions options;
	bool		sane = true;
	RecsysRandom random;

	RecsysRandomStart(&random, 3, 3);
	for (int number = 0; number < 64 * (RECSYS_POLICY_UNIFORM + 1) * 2; number++)
	{
		double		shares[6];
		double		sums[2] = {0, 0};
		int			chosen[2];
		double		one = bad[number % 8];
		double		other = bad[number / 8 % 8];

		RecsysPolicyDefaults((RecsysPolicyKind) (number / 128), &options);
		options.shared = number / 64 % 2;
		options.dimension = 2;
		options.draws = 5;
		input.narms = RecsysPolicyIsLinear(options.kind) ? 2 : 3;
		input.stride = options.shared ? 2 : 0;
		arms[1].trials = one;
		arms[1].sum = other;
		arms[1].squares = number % 3 ? one : other;
		features[0] = one;
		features[3] = other;
		RecsysLinearSolve(NULL, 2, 1, &fits[0]);
		RecsysLinearSolve(NULL, 2, 1, &fits[1]);
		RecsysLinearUpdate(&fits[0], features, other, 1);
		RecsysPolicyPlaceShares(&options, &input, 2, shares);
		RecsysPolicyDrawPlaces(&options, &input, 2, &random, chosen);
		for (int x = 0; x < input.narms * 2; x++)
		{
			sane &= shares[x] >= 0 && shares[x] <= 1;
			sums[x % 2] += shares[x];
		}
		sane &= near(sums[0], 1, 1e-9) && near(sums[1], 1, 1e-9) && chosen[0] != chosen[1];
		sane &= chosen[0] >= 0 && chosen[0] < input.narms && chosen[1] >= 0 && chosen[1] < input.narms;
	}
	ok(sane, "policies: numbers that are none end in probabilities, and in arms");
}

static void
test_options(void)
{
	RecsysPolicyOptions options;
	RecsysPolicyKind kind;
	bool		named = true;
	int			faults = 0;

	for (RecsysPolicyKind each = 0; each <= RECSYS_POLICY_UNIFORM; each++)
	{
		RecsysPolicyDefaults(each, &options);
		named &= RecsysPolicyByName(RecsysPolicyName(each), &kind) && kind == each;
		named &= RecsysPolicyFault(&options) == NULL;
	}
	ok(named && !RecsysPolicyByName("exp3", &kind), "policies: names, and defaults that make sense");
	for (int number = 0; number < 9; number++)
	{
		RecsysPolicyDefaults(RECSYS_POLICY_THOMPSON, &options);
		*(number == 0 ? &options.epsilon : number == 1 ? &options.exploration :
		  number == 2 ? &options.prior_successes : number == 3 ? &options.prior_failures :
		  number == 4 ? &options.prior_trials : number == 5 ? &options.prior_shape :
		  number == 6 ? &options.prior_variance : number == 7 ? &options.ridge :
		  &options.prior_mean) = number % 2 ? NAN : -INFINITY;
		faults += RecsysPolicyFault(&options) != NULL;
	}
	ok(faults == 9, "policies: options that are no numbers are told of");
}

void
test_policy(void)
{
	test_counts();
	test_order();
	test_draws();
	test_formulas();
	test_thompson();
	test_extremes();
	test_hostile();
	test_options();
}
