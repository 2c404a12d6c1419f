/*
 * world.c
 *	  What bandits are tried in: arms whose means are known, and a policy that learns them.
 *
 * With batches, the policy's probabilities are computed when a batch has come in, and arms drawn
 * by them: what a server does that keeps them for a while.  Without, arms are drawn by the policy
 * itself, each time.
 */
#include "world.h"

#include "core/policy/policydraws.h"
#include "plot.h"

typedef struct Meter
{
	double	   *regret;
	int			points;
	int			next;
	double		sum;
} Meter;

static void
note(Meter *meter, int64 trial, double lost)
{
	meter->sum += lost;
	while (meter->next < meter->points &&
		   trial >= (int64) (pow(10, (double) meter->next / POINTS_OF_TEN) + 1e-6))
		meter->regret[meter->next++] = meter->sum;
}

static void
run_bernoulli(const World *world, const Learner *learner, RecsysRandom *random, Meter *meter)
{
	RecsysArmCounts known[MOST_WORLD_ARMS] = {{0}};
	RecsysArmCounts waiting[MOST_WORLD_ARMS] = {{0}};
	RecsysPolicyInput input = {.narms = world->narms,.arms = known};
	double		shares[MOST_WORLD_ARMS];
	double		factor = RecsysDecayFactor(learner->batch, learner->half_life);
	int64		trials = (int64) (pow(10, (double) (meter->points - 1) / POINTS_OF_TEN) + 0.5);

	for (int64 trial = 1; trial <= trials; trial++)
	{
		int			shift = world->period > 0 ? (trial - 1) / world->period % world->narms : 0;
		int			arm;
		double		mean;

		if (learner->batch == 1)
			RecsysPolicyDrawPlaces(&learner->options, &input, 1, random, &arm);
		else
		{
			if (trial % learner->batch == 1)
				RecsysPolicyShares(&learner->options, &input, shares);
			arm = RecsysDrawArm(shares, world->narms, random);
		}
		mean = world->means[(arm + world->narms - shift) % world->narms];
		RecsysArmTrial(&waiting[arm], RecsysDrawUnit(random) < mean ? 1 : 0, 1);
		if (learner->batch == 1)
		{
			RecsysArmFold(&known[arm], &waiting[arm]);
			memset(&waiting[arm], 0, sizeof(waiting[arm]));
		}
		if (trial % learner->batch == 0 && (learner->batch > 1 || factor < 1))
			for (int x = 0; x < world->narms; x++)
			{
				RecsysArmDecay(&known[x], factor);
				RecsysArmFold(&known[x], &waiting[x]);
				memset(&waiting[x], 0, sizeof(waiting[x]));
			}
		note(meter, trial, world->means[0] - mean);
	}
}

/* A direction, in any way, of that length */
static void
draw_direction(RecsysRandom *random, int d, double length, double *x)
{
	double		square = 0;

	for (int i = 0; i < d; i++)
	{
		x[i] = RecsysDrawNormal(random);
		square += x[i] * x[i];
	}
	for (int i = 0; i < d; i++)
		x[i] *= length / sqrt(square);
}

static void
run_linear(const World *world, const Learner *learner, RecsysRandom *random, Meter *meter)
{
	static RecsysLinearFit fits[MOST_WORLD_ARMS];
	const RecsysLinearFit *each[MOST_WORLD_ARMS];
	double		truth[MOST_WORLD_ARMS][RECSYS_MOST_FEATURES];
	double		features[MOST_WORLD_ARMS * RECSYS_MOST_FEATURES];
	RecsysArmCounts counts[MOST_WORLD_ARMS] = {{0}};
	RecsysPolicyOptions options = learner->options;
	RecsysPolicyInput input = {.narms = world->narms,.arms = counts,.fits = each,.features = features};
	bool		shared = world->kind == WORLD_LINEAR_SHARED;
	int			d = world->dimension;
	int64		trials = (int64) (pow(10, (double) (meter->points - 1) / POINTS_OF_TEN) + 0.5);

	input.stride = shared ? d : 0;
	for (int arm = 0; arm < world->narms; arm++)
	{
		RecsysLinearSolve(NULL, d, options.ridge, &fits[arm]);
		each[arm] = &fits[arm];
		draw_direction(random, d, 1, truth[arm]);
	}
	for (int64 trial = 1; trial <= trials; trial++)
	{
		double		best = -INFINITY;
		double		means[MOST_WORLD_ARMS];
		double	   *seen;
		double		reward;
		int			arm;

		for (int x = 0; x < (shared ? world->narms : 1); x++)
			draw_direction(random, d, 1, features + x * d);
		for (int x = 0; x < world->narms; x++)
		{
			means[x] = 0;
			for (int i = 0; i < d; i++)
				means[x] += truth[shared ? 0 : x][i] * features[x * input.stride + i];
			best = Max(best, means[x]);
		}
		options.seed = RecsysRandomNext(random);
		RecsysPolicyDrawPlaces(&options, &input, 1, random, &arm);
		reward = means[arm] + world->noise * RecsysDrawNormal(random);
		seen = features + arm * input.stride;
		if (RecsysPolicyIsLinear(options.kind))
			RecsysLinearUpdate(&fits[shared ? 0 : arm], seen, reward, 1);
		else
			RecsysArmTrial(&counts[arm], reward, 1);
		note(meter, trial, best - means[arm]);
	}
}

void
world_run(const World *world, const Learner *learner, int run, int points, double *regret)
{
	Meter		meter = {.regret = regret,.points = points};
	RecsysRandom random;

	RecsysRandomStart(&random, 2024, run);
	if (world->kind == WORLD_BERNOULLI)
		run_bernoulli(world, learner, &random, &meter);
	else
		run_linear(world, learner, &random, &meter);
}

/* Lai, Robbins: Asymptotically efficient adaptive allocation rules, 1985 */
double
world_lai_robbins(const World *world)
{
	double		best = world->means[0];
	double		sum = 0;

	for (int arm = 1; arm < world->narms; arm++)
	{
		double		p = world->means[arm];

		sum += (best - p) / (p * log(p / best) + (1 - p) * log((1 - p) / (1 - best)));
	}
	return sum;
}

double
world_ucb1_bound(const World *world, int points)
{
	double		logarithm = log(10) * (points - 1) / POINTS_OF_TEN;
	double		sum = 0;

	for (int arm = 1; arm < world->narms; arm++)
	{
		double		gap = world->means[0] - world->means[arm];

		sum += 8 * logarithm / gap + (1 + M_PI * M_PI / 3) * gap;
	}
	return sum;
}
