/*
 * policy.c
 *	  Bandits: which of some arms to show next, and how likely each was to be chosen.
 *
 * Policies are of three kinds: those that put arms in the order of a score (epsilon-greedy, UCB1,
 * LinUCB; core/policy/armorder), those that draw from independent laws of the arms' means, whose
 * probabilities are integrals (Thompson sampling, linear with a function for each arm;
 * core/policy/bestarm), and linear Thompson sampling with one function for all
 * (core/policy/lineardraws).
 */
#include "core/policy/policy.h"

#include <math.h>

#include "core/policy/armorder.h"
#include "core/policy/bestarm.h"
#include "core/policy/lineardraws.h"
#include "core/policy/policydraws.h"

static const char *const names[] = {
	[RECSYS_POLICY_EPSILON_GREEDY] = "epsilon_greedy",
	[RECSYS_POLICY_UCB1] = "ucb1",
	[RECSYS_POLICY_THOMPSON] = "thompson",
	[RECSYS_POLICY_THOMPSON_NORMAL] = "thompson_normal",
	[RECSYS_POLICY_LINUCB] = "linucb",
	[RECSYS_POLICY_LINEAR_THOMPSON] = "linear_thompson",
	[RECSYS_POLICY_UNIFORM] = "uniform"
};

const char *
RecsysPolicyName(RecsysPolicyKind kind)
{
	return names[kind];
}

bool
RecsysPolicyByName(const char *name, RecsysPolicyKind *kind)
{
	for (int x = 0; x < (int) lengthof(names); x++)
		if (strcmp(names[x], name) == 0)
		{
			*kind = (RecsysPolicyKind) x;
			return true;
		}
	return false;
}

bool
RecsysPolicyIsLinear(RecsysPolicyKind kind)
{
	return kind == RECSYS_POLICY_LINUCB || kind == RECSYS_POLICY_LINEAR_THOMPSON;
}

/*
 * No reward from 0 to 1 deviates by more than 1/2 from its mean, which is what linear Thompson
 * sampling takes for the deviation of all.
 */
void
RecsysPolicyDefaults(RecsysPolicyKind kind, RecsysPolicyOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->kind = kind;
	options->epsilon = 0.1;
	options->exploration = kind == RECSYS_POLICY_LINEAR_THOMPSON ? 0.5 : 1;
	options->prior_successes = 1;
	options->prior_failures = 1;
	options->prior_trials = 1;
	options->prior_shape = 1;
	options->prior_variance = 1;
	options->dimension = 1;
	options->ridge = 1;
	options->draws = 1000;
}

static bool
is_positive(double x)
{
	return isfinite(x) && x > 0;
}

const char *
RecsysPolicyFault(const RecsysPolicyOptions *options)
{
	if (!(options->epsilon >= 0 && options->epsilon <= 1))
		return "epsilon is not between 0 and 1";
	if (!(isfinite(options->epsilon_trials) && options->epsilon_trials >= 0))
		return "epsilon_trials is not a number of trials";
	if (!(isfinite(options->exploration) && options->exploration >= 0))
		return "exploration is negative or not finite";
	if (!(isfinite(options->prior_successes) && options->prior_successes >= 0.1 &&
		  isfinite(options->prior_failures) && options->prior_failures >= 0.1))
		return "prior_successes and prior_failures are not 0.1 or more";
	if (!isfinite(options->prior_mean))
		return "prior_mean is not finite";
	if (!is_positive(options->prior_trials) || !is_positive(options->prior_variance))
		return "prior_trials and prior_variance are not positive";
	if (!(isfinite(options->prior_shape) && options->prior_shape >= 0.5))
		return "prior_shape is not 0.5 or more";
	if (options->dimension < 1 || options->dimension > RECSYS_MOST_FEATURES)
		return "there is not one feature at least, or there are more than 64";
	if (!is_positive(options->ridge))
		return "ridge is not positive";
	if (options->draws < 1)
		return "draws is not positive";
	return NULL;
}

static const double *
features_of(const RecsysPolicyInput *input, int arm)
{
	return input->features + (Size) arm * input->stride;
}

static const RecsysLinearFit *
fit_of(const RecsysPolicyOptions *options, const RecsysPolicyInput *input, int arm)
{
	return input->fits[options->shared ? 0 : arm];
}

static double
all_trials(const RecsysPolicyInput *input)
{
	double		sum = 0;

	for (int arm = 0; arm < input->narms; arm++)
		sum += Max(input->arms[arm].trials, 0);
	return sum;
}

/*
 * What such policies order arms by; an arm that has never been tried comes first.  UCB1: Auer et
 * al., figure 1; LinUCB: Li et al., algorithm 1, line 9.
 */
static void
score_arms(const RecsysPolicyOptions *options, const RecsysPolicyInput *input, double *scores)
{
	double		turns = 0;

	if (options->kind == RECSYS_POLICY_UCB1)
		turns = log(Max(all_trials(input), 1));
	for (int arm = 0; arm < input->narms; arm++)
	{
		if (options->kind == RECSYS_POLICY_UNIFORM)
			scores[arm] = 0;
		else if (options->kind == RECSYS_POLICY_LINUCB)
		{
			const RecsysLinearFit *fit = fit_of(options, input, arm);
			const double *features = features_of(input, arm);

			scores[arm] = RecsysLinearMean(fit, features) +
				options->exploration * RecsysLinearWidth(fit, features);
		}
		else if (input->arms[arm].trials > 0)
		{
			double		trials = input->arms[arm].trials;

			scores[arm] = input->arms[arm].sum / trials;
			if (options->kind == RECSYS_POLICY_UCB1)
				scores[arm] += options->exploration * sqrt(2 * turns / trials);
		}
		else
			scores[arm] = INFINITY;
	}
}

/* Auer et al., figure 3 */
static double
epsilon_now(const RecsysPolicyOptions *options, const RecsysPolicyInput *input)
{
	double		trials;

	if (options->kind != RECSYS_POLICY_EPSILON_GREEDY)
		return 0;
	if (options->epsilon_trials <= 0)
		return options->epsilon;
	trials = all_trials(input);
	return Min(options->epsilon,
			   options->epsilon_trials * input->narms / Max(trials, 1));
}

/*
 * The posterior of a normal arm: Murphy: Conjugate Bayesian analysis of the Gaussian distribution,
 * 2007, section 6.  The mean follows Student's law, with the variance integrated out.
 */
static void
normal_law(const RecsysPolicyOptions *options, const RecsysArmCounts *arm, RecsysLaw *law)
{
	double		n = Max(arm->trials, 0);
	double		trials = options->prior_trials + n;
	double		shape = options->prior_shape + 0.5 * n;
	double		rate = options->prior_shape * options->prior_variance;
	double		center = options->prior_mean;

	if (n > 0)
	{
		double		mean = arm->sum / n;
		double		apart = mean - options->prior_mean;

		center += n / trials * apart;
		rate += 0.5 * Max(arm->squares - mean * arm->sum, 0) +
			0.5 * options->prior_trials * n / trials * apart * apart;
	}
	RecsysLawStudent(law, center, sqrt(rate / (shape * trials)), 2 * shape);
}

/* Is the policy one of independent laws?  Then they are made. */
static RecsysLaw *
laws_of(const RecsysPolicyOptions *options, const RecsysPolicyInput *input)
{
	RecsysLaw  *laws;

	if (options->kind != RECSYS_POLICY_THOMPSON && options->kind != RECSYS_POLICY_THOMPSON_NORMAL &&
		options->kind != RECSYS_POLICY_LINEAR_THOMPSON)
		return NULL;
	laws = palloc(sizeof(RecsysLaw) * input->narms);
	for (int arm = 0; arm < input->narms; arm++)
	{
		if (options->kind == RECSYS_POLICY_THOMPSON)
		{
			double		successes = Max(input->arms[arm].sum, 0);
			double		failures = Max(input->arms[arm].trials - successes, 0);

			RecsysLawBeta(&laws[arm], options->prior_successes + successes,
						  options->prior_failures + failures);
		}
		else if (options->kind == RECSYS_POLICY_THOMPSON_NORMAL)
			normal_law(options, &input->arms[arm], &laws[arm]);
		else
		{
			const RecsysLinearFit *fit = fit_of(options, input, arm);
			const double *features = features_of(input, arm);
			double		mean = RecsysLinearMean(fit, features);
			double		width = options->exploration * RecsysLinearWidth(fit, features);

			/* features of nothing but zeros: all arms are alike, and the law has to have a width */
			RecsysLawNormal(&laws[arm], mean, Max(width, 1e-12 * (1 + fabs(mean))));
		}
	}
	return laws;
}

static bool
is_by_draws(const RecsysPolicyOptions *options)
{
	return options->kind == RECSYS_POLICY_LINEAR_THOMPSON && options->shared;
}

static RecsysLinearDraws
draws_of(const RecsysPolicyOptions *options, const RecsysPolicyInput *input)
{
	RecsysLinearDraws draws = {.fit = input->fits[0],.features = input->features,
		.stride = input->stride,.narms = input->narms,.deviation = options->exploration,
		.draws = options->draws,.seed = options->seed};

	return draws;
}

void
RecsysPolicyPlaceShares(const RecsysPolicyOptions *options, const RecsysPolicyInput *input,
						int places, double *shares)
{
	RecsysLaw  *laws;

	if (is_by_draws(options))
	{
		RecsysLinearDraws draws = draws_of(options, input);

		RecsysLinearDrawsShares(&draws, places, shares);
	}
	else if ((laws = laws_of(options, input)) != NULL)
	{
		RecsysBestArms(laws, input->narms, places, shares);
		pfree(laws);
	}
	else
	{
		double	   *scores = palloc(sizeof(double) * input->narms);

		score_arms(options, input, scores);
		RecsysOrderShares(scores, input->narms, epsilon_now(options, input), places, shares);
		pfree(scores);
	}
}

void
RecsysPolicyShares(const RecsysPolicyOptions *options, const RecsysPolicyInput *input,
				   double *shares)
{
	RecsysPolicyPlaceShares(options, input, 1, shares);
}

void
RecsysPolicyDrawPlaces(const RecsysPolicyOptions *options, const RecsysPolicyInput *input,
					   int places, RecsysRandom *random, int *chosen)
{
	double	   *scores;
	double		epsilon = 0;
	RecsysLaw  *laws;

	if (is_by_draws(options))
	{
		RecsysLinearDraws draws = draws_of(options, input);

		RecsysLinearDrawsPick(&draws, places, random, chosen);
		return;
	}
	scores = palloc(sizeof(double) * input->narms);
	laws = laws_of(options, input);
	if (laws != NULL)
	{
		for (int arm = 0; arm < input->narms; arm++)
			scores[arm] = RecsysLawDraw(&laws[arm], random);
		pfree(laws);
	}
	else
	{
		score_arms(options, input, scores);
		epsilon = epsilon_now(options, input);
	}
	RecsysDrawOrder(scores, input->narms, epsilon, places, random, chosen);
	pfree(scores);
}

int
RecsysDrawArm(const double *shares, int narms, RecsysRandom *random)
{
	double		left = RecsysDrawUnit(random);
	int			last = 0;

	for (int arm = 0; arm < narms; arm++)
	{
		if (shares[arm] <= 0)
			continue;
		last = arm;
		left -= shares[arm];
		if (left < 0)
			break;
	}
	return last;
}
