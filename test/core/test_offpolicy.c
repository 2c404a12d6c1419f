/*
 * test_offpolicy.c
 *	  Tests of core/offpolicy: figures by hand, slow references, and simulations whose truth is known.
 */
#include "core/base/random.h"
#include "core/offpolicy/policyvalue.h"
#include "core/offpolicy/rewardmodel.h"
#include "tap.h"

#define EVERYTHING ((1u << RECSYS_POLICY_ESTIMATORS) - 1)

static bool
near(double value, double expected, double tolerance)
{
	return fabs(value - expected) <= tolerance;
}

static double
uniform(RecsysRandom *random)
{
	return (double) (RecsysRandomNext(random) >> 11) / 9007199254740992.0;
}

static RecsysPolicyOptions
options_of(uint32 estimators)
{
	RecsysPolicyOptions options = {0};

	options.estimators = estimators;
	options.position = RECSYS_NONE;
	options.clip = NAN;
	options.min_effective = 0;
	options.resampling.confidence = 0.95;
	return options;
}

static void
test_by_hand(void)
{
	/* weights 2, 0.5, 1, 1; predicted 0.5 of what was shown, 0.25 of the target */
	const double reward[] = {1, 0, 1, 0};
	const double propensity[] = {0.25, 0.5, 0.5, 0.5};
	const double target[] = {0.5, 0.25, 0.5, 0.5};
	const double predicted[] = {0.5, 0.5, 0.5, 0.5};
	const double expected[] = {0.25, 0.25, 0.25, 0.25};
	const uint32 request[] = {0, 0, 1, 1};
	RecsysPolicyRows rows = {4, reward, propensity, target, request, NULL, NULL, NULL, NULL, NULL, predicted, expected};
	RecsysPolicyOptions options = options_of(EVERYTHING);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];
	double		logarithm = log(80);

	options.clip = 1.5;
	/* a single request has 2.5 of 4.5 of the weight */
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_DOMINATED && isnan(values[RECSYS_POLICY_IPS].value),
	   "off-policy: no answer when a single request has most of the weight");
	ok(near(values[RECSYS_POLICY_IPS].overlap.effective, 4.5 * 4.5 / 6.25, 1e-15) &&
	   near(values[RECSYS_POLICY_IPS].overlap.mean_weight, 1.125, 1e-15) &&
	   near(values[RECSYS_POLICY_IPS].overlap.largest, 2.5 / 4.5, 1e-15), "off-policy: Kish's effective rows");

	/* the same four times over: shares of 0.14 */
	{
		double		many[6][16];
		uint32		requests[16];

		for (int i = 0; i < 16; i++)
		{
			many[0][i] = reward[i % 4];
			many[1][i] = propensity[i % 4];
			many[2][i] = target[i % 4];
			many[3][i] = predicted[i % 4];
			many[4][i] = expected[i % 4];
			requests[i] = i / 2;
		}
		rows = (RecsysPolicyRows) {16, many[0], many[1], many[2], requests, NULL, NULL, NULL, NULL, NULL, many[3], many[4]};
		RecsysEvaluatePolicy(&rows, &options, values);
		ok(near(values[RECSYS_POLICY_IPS].value, 3.0 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_SNIPS].value, 3.0 / 4.5, 1e-15) &&
		   near(values[RECSYS_POLICY_CLIPPED].value, 2.5 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_DIRECT].value, 0.25, 1e-15), "off-policy: ips, snips, clipped and direct by hand");
		/* 0.25 + mean of w (r - 0.5) = (1 - 0.25 + 0.5 - 0.5) / 4; switched: without the 1 */
		ok(near(values[RECSYS_POLICY_DR].value, 0.25 + 0.75 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_SWITCH_DR].value, 0.25 - 0.25 / 4, 1e-15), "off-policy: dr and switch_dr by hand");
		/* products down the lists: 2, 1; 1, 1 */
		ok(near(values[RECSYS_POLICY_CASCADE].value, 3.0 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_LIST].value, 2.0 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_INDEPENDENT].value, 3.0 / 4, 1e-15), "off-policy: whole lists by hand");
		ok(near(values[RECSYS_POLICY_CLIPPED].bias_bound, 0.5 / 4, 1e-15) &&
		   near(values[RECSYS_POLICY_SWITCH_DR].bias_bound, 2.0 / 4, 1e-15), "off-policy: what limits of weights cost");
		options.per_request = true;
		RecsysEvaluatePolicy(&rows, &options, values);
		ok(near(values[RECSYS_POLICY_IPS].value, 1.5, 1e-15) && near(values[RECSYS_POLICY_SNIPS].value, 3 / 2.25, 1e-15),
		   "off-policy: of a request");

		/* requests are worth 2 and 1: variance 2/7, and no reward leaves 0 to 2.5 */
		options.resampling.method = RECSYS_POLICY_BERNSTEIN;
		RecsysEvaluatePolicy(&rows, &options, values);
		ok(near(values[RECSYS_POLICY_IPS].high - 1.5, sqrt(2 * (2.0 / 7) * logarithm / 8) + 7 * 2.5 * logarithm / 21, 1e-12) &&
		   near(values[RECSYS_POLICY_IPS].low - 1.5, 1.5 - values[RECSYS_POLICY_IPS].high, 1e-12),
		   "off-policy: empirical Bernstein by hand");
	}
}

/* Random requests with rows of everything */
typedef struct RandomLog
{
	RecsysPolicyRows rows;
	double	   *columns;
	uint32	   *numbers;
	uint32	   *units;			/* of three requests each */
} RandomLog;

static void
random_log(RecsysRandom *random, uint32 n, RandomLog *log)
{
	double	   *d = palloc(sizeof(double) * 5 * n);
	uint32	   *u = palloc(sizeof(uint32) * 6 * n);
	uint32		request = 0;
	uint32		position = 0;

	for (uint32 i = 0; i < n; i++)
	{
		if (i > 0 && RecsysRandomBelow(random, 3) == 0)
		{
			request++;
			position = 0;
		}
		d[i] = RecsysRandomBelow(random, 4) - 1.0;
		d[n + i] = 0.2 + 0.8 * uniform(random);
		d[2 * n + i] = RecsysRandomBelow(random, 5) == 0 ? 0 : uniform(random);
		d[3 * n + i] = uniform(random);
		d[4 * n + i] = uniform(random);
		u[i] = request;
		u[n + i] = position++;
		u[2 * n + i] = RecsysRandomBelow(random, 2);
		u[3 * n + i] = RecsysRandomBelow(random, 6);
		u[5 * n + i] = request / 3;
		u[4 * n + i] = RecsysRandomBelow(random, 8) == 0 ? RECSYS_NONE : RecsysRandomBelow(random, 7);
	}
	log->columns = d;
	log->numbers = u;
	log->units = u + 5 * n;
	log->rows = (RecsysPolicyRows) {n, d, d + n, d + 2 * n, u, NULL, u + n, u + 2 * n, u + 3 * n, u + 4 * n, d + 3 * n, d + 4 * n};
}

/* Product of row weights over a request's places up to one */
static double
slow_product(const RecsysPolicyRows *rows, uint32 row, bool whole)
{
	double		product = 1;

	for (uint32 i = 0; i < rows->n; i++)
		if (rows->request[i] == rows->request[row] && (whole || rows->position[i] <= rows->position[row]))
			product *= rows->target[i] / rows->propensity[i];
	return product;
}

static double
slow_value(const RecsysPolicyRows *rows, RecsysPolicyEstimator estimator, uint32 position, double clip, bool per_request)
{
	double		sum = 0;
	double		weights = 0;
	double		count = 0;
	double		requests = 0;
	uint32		last = RECSYS_NONE;

	for (uint32 i = 0; i < rows->n; i++)
	{
		double		w = rows->target[i] / rows->propensity[i];
		double		r = rows->reward[i];
		double		q = rows->predicted[i];
		double		v = rows->target_predicted[i];

		if (position != RECSYS_NONE && rows->position[i] != position)
			continue;
		count++;
		requests += rows->request[i] != last;
		last = rows->request[i];
		weights += w;
		if (estimator == RECSYS_POLICY_DIRECT)
			sum += v;
		else if (estimator == RECSYS_POLICY_DR)
			sum += v + w * (r - q);
		else if (estimator == RECSYS_POLICY_SWITCH_DR)
			sum += v + (w <= clip ? w * (r - q) : 0);
		else if (estimator == RECSYS_POLICY_CLIPPED)
			sum += (w < clip ? w : clip) * r;
		else if (estimator == RECSYS_POLICY_LIST)
			sum += slow_product(rows, i, true) * r;
		else if (estimator == RECSYS_POLICY_CASCADE)
			sum += slow_product(rows, i, false) * r;
		else
			sum += w * r;
	}
	if (estimator == RECSYS_POLICY_SNIPS)
		return sum / weights * (per_request ? count / requests : 1);
	return sum / (per_request ? requests : count);
}

static void
test_random(void)
{
	RecsysRandom random;
	int			wrong = 0;
	int			answers = 0;

	RecsysRandomStart(&random, 7, 1);
	for (int trial = 0; trial < 200; trial++)
	{
		RandomLog	log;
		RecsysPolicyOptions options = options_of(EVERYTHING);
		RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];

		random_log(&random, 30 + RecsysRandomBelow(&random, 300), &log);
		options.position = trial % 3 == 0 ? RecsysRandomBelow(&random, 3) : RECSYS_NONE;
		options.clip = 0.5 + uniform(&random);
		options.per_request = trial % 2;
		if (trial % 5 == 0)
			log.rows.unit = log.units;
		RecsysEvaluatePolicy(&log.rows, &options, values);
		for (int e = 0; e < RECSYS_POLICY_ESTIMATORS; e++)
			if (values[e].state == RECSYS_POLICY_OK)
			{
				double		slow = slow_value(&log.rows, e, options.position, options.clip, options.per_request);

				answers++;
				wrong += !near(values[e].value, slow, 1e-9 * (1 + fabs(slow)));
			}
		pfree(log.columns);
		pfree(log.numbers);
	}
	ok(wrong == 0 && answers > 500, "off-policy: estimators against plain formulas, %d values", answers);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Bootstrap interval of snips, resampling units one by one */
static void
test_bootstrap(void)
{
	RecsysRandom random;
	RandomLog	log;
	RecsysPolicyOptions options = options_of(1u << RECSYS_POLICY_SNIPS);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];
	uint32		first[400];
	double		means[200];
	uint32		nrequests = 0;

	RecsysRandomStart(&random, 11, 1);
	random_log(&random, 399, &log);
	log.rows.unit = log.units;
	options.resampling.resamples = 200;
	options.resampling.seed = 5;
	RecsysEvaluatePolicy(&log.rows, &options, values);
	for (uint32 i = 0; i < 399; i++)
		if (i == 0 || log.units[i] != log.units[i - 1])
			first[nrequests++] = i;
	first[nrequests] = 399;
	for (int b = 0; b < 200; b++)
	{
		double		sum = 0;
		double		weights = 0;

		RecsysRandomStart(&random, 5, b);
		for (uint32 x = 0; x < nrequests; x++)
		{
			uint32		request = RecsysRandomBelow(&random, nrequests);

			for (uint32 i = first[request]; i < first[request + 1]; i++)
			{
				sum += log.rows.target[i] / log.rows.propensity[i] * log.rows.reward[i];
				weights += log.rows.target[i] / log.rows.propensity[i];
			}
		}
		means[b] = sum / weights;
	}
	qsort(means, 200, sizeof(double), compare_doubles);
	ok(near(values[RECSYS_POLICY_SNIPS].low, means[4] + 0.975 * (means[5] - means[4]), 1e-12) &&
	   near(values[RECSYS_POLICY_SNIPS].high, means[194] + 0.025 * (means[195] - means[194]), 1e-12),
	   "off-policy: bootstrap of whole units against a plain one");
	pfree(log.columns);
	pfree(log.numbers);
}

/* The reward model, put together from scratch for every row */
static double
slow_shrink(const double *count, const double *sum, const uint32 *group, int n, double within, const double *prior, int which)
{
	double		numerator = 0;
	double		denominator = 0;
	double		between;

	for (int g = 0; g < 50; g++)
	{
		double		total = 0;
		double		squares = 0;
		int			cells = 0;

		for (int c = 0; c < n; c++)
			if (group[c] == (uint32) g && count[c] > 0)
			{
				total += count[c];
				squares += count[c] * count[c];
				numerator += count[c] * pow(sum[c] / count[c] - prior[c], 2);
				cells++;
			}
		if (cells == 0)
			continue;
		numerator -= (cells - 1) * within;
		denominator += total - squares / total;
	}
	between = denominator > 0 && numerator > 0 ? numerator / denominator : 0;
	if (count[which] == 0 || between == 0)
		return prior[which];
	return (between * sum[which] / count[which] + within / count[which] * prior[which]) / (between + within / count[which]);
}

#define POSITIONS 50
#define ITEMS 7

static void
slow_model(const RecsysPolicyRows *rows, const int *fold, int without, double cell_mean[POSITIONS][ITEMS], double *position_mean)
{
	double		count[POSITIONS * ITEMS] = {0};
	double		sum[POSITIONS * ITEMS] = {0};
	double		square[POSITIONS * ITEMS] = {0};
	double		pcount[POSITIONS] = {0};
	double		psum[POSITIONS] = {0};
	uint32		group[POSITIONS * ITEMS];
	uint32		zero[POSITIONS] = {0};
	double		prior[POSITIONS * ITEMS];
	double		within = 0;
	double		degrees = 0;
	double		total = 0;
	double		all = 0;

	for (uint32 i = 0; i < rows->n; i++)
		if (fold[i] != without)
		{
			int			c = rows->position[i] * ITEMS + rows->item[i];

			count[c]++;
			sum[c] += rows->reward[i];
			square[c] += rows->reward[i] * rows->reward[i];
			pcount[rows->position[i]]++;
			psum[rows->position[i]] += rows->reward[i];
			total++;
			all += rows->reward[i];
		}
	for (int c = 0; c < POSITIONS * ITEMS; c++)
	{
		group[c] = c / ITEMS;
		if (count[c] > 0)
		{
			within += square[c] - sum[c] * sum[c] / count[c];
			degrees += count[c] - 1;
		}
	}
	within /= degrees;
	for (int p = 0; p < POSITIONS; p++)
		prior[p] = all / total;
	for (int p = 0; p < POSITIONS; p++)
		position_mean[p] = slow_shrink(pcount, psum, zero, POSITIONS, within, prior, p);
	for (int c = 0; c < POSITIONS * ITEMS; c++)
		prior[c] = position_mean[c / ITEMS];
	for (int c = 0; c < POSITIONS * ITEMS; c++)
		cell_mean[c / ITEMS][c % ITEMS] = slow_shrink(count, sum, group, POSITIONS * ITEMS, within, prior, c);
}

static void
test_model(void)
{
	RecsysRandom random;
	int			wrong = 0;
	int			shrunk = 0;
	int			differing = 0;
	int			overfull = 0;

	RecsysRandomStart(&random, 3, 1);
	for (int trial = 0; trial < 20; trial++)
	{
		RandomLog	log;
		uint32		n = 200 + RecsysRandomBelow(&random, 300);
		double	   *predicted = palloc(sizeof(double) * n);
		double	   *expected = palloc(sizeof(double) * n);
		int		   *fold = palloc(sizeof(int) * n);
		static double cell_means[RECSYS_REWARD_FOLDS][POSITIONS][ITEMS];
		static double position_means[RECSYS_REWARD_FOLDS][POSITIONS];

		random_log(&random, n, &log);
		for (uint32 i = 0; i < n; i++)
		{
			/* rewards that depend on the item; at even trials the target's probabilities do on context and item */
			log.columns[i] += log.rows.item[i];
			fold[i] = RecsysRandomMix(RecsysRandomMix(trial + RECSYS_RANDOM_STEP) + log.rows.request[i]) % RECSYS_REWARD_FOLDS;
			log.columns[2 * n + i] = (log.rows.item[i] + 1.0) / (log.rows.context[i] ? 21 : 30);
		}
		if (trial % 2 == 0)
			log.rows.target_item = NULL;
		wrong += RecsysRewardModel(&log.rows, trial, predicted, expected) != RECSYS_REWARD_MODEL_MADE;
		for (int f = 0; f < RECSYS_REWARD_FOLDS; f++)
			slow_model(&log.rows, fold, f, cell_means[f], position_means[f]);
		for (uint32 i = 0; i < n; i++)
		{
			double		value = 0;
			double		rest = 1;
			bool		seen[ITEMS] = {false};
			double	  (*cell_mean)[ITEMS] = cell_means[fold[i]];
			double	   *position_mean = position_means[fold[i]];

			wrong += !near(predicted[i], cell_mean[log.rows.position[i]][log.rows.item[i]], 1e-9);
			shrunk += fabs(predicted[i] - position_mean[log.rows.position[i]]) > 0.01;
			for (uint32 j = 0; j < n; j++)
				if (log.rows.position[j] == log.rows.position[i] && log.rows.context[j] == log.rows.context[i] && !seen[log.rows.item[j]])
				{
					seen[log.rows.item[j]] = true;
					value += log.rows.target[j] * cell_mean[log.rows.position[i]][log.rows.item[j]];
					rest -= log.rows.target[j];
				}
			value += rest * position_mean[log.rows.position[i]];
			if (trial % 2)
				value = log.rows.target_item[i] == RECSYS_NONE ? 0 :
					cell_mean[log.rows.position[i]][log.rows.target_item[i]];
			wrong += !near(expected[i], value, 1e-9);
		}
		if (trial % 2 == 0)
		{
			for (uint32 i = 0; i < n; i++)
				log.columns[2 * n + i] *= 2;
			overfull += RecsysRewardModel(&log.rows, trial, predicted, expected) == RECSYS_REWARD_MODEL_OVERFULL;
			for (uint32 i = n / 2; i < n; i++)
				log.columns[2 * n + i] += 0.01;
			differing += RecsysRewardModel(&log.rows, trial, predicted, expected) == RECSYS_REWARD_MODEL_NO_TARGET;
		}
		pfree(predicted);
		pfree(expected);
		pfree(fold);
		pfree(log.columns);
		pfree(log.numbers);
	}
	ok(wrong == 0 && shrunk > 100, "off-policy: the reward model against plain formulas");
	ok(overfull == 10, "off-policy: nor of probabilities that sum up to more than 1");
	ok(differing == 10, "off-policy: no model of a target whose probabilities differ within a cell");
}

static void
test_refusals(void)
{
	double		reward[400];
	double		propensity[400];
	double		target[400];
	RecsysPolicyRows rows = {400, reward, propensity, target, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
	RecsysPolicyOptions options = options_of(EVERYTHING);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];

	options.min_effective = 30;
	for (int i = 0; i < 400; i++)
	{
		reward[i] = i % 3 == 0;
		propensity[i] = 0.5;
		target[i] = 0;
	}
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_NO_OVERLAP &&
	   values[RECSYS_POLICY_DR].state == RECSYS_POLICY_NO_MODEL &&
	   values[RECSYS_POLICY_CASCADE].state == RECSYS_POLICY_NO_REQUESTS, "off-policy: no overlap, no model, no requests");
	for (int i = 0; i < 400; i++)
		target[i] = i % 2 ? 0 : 0.5;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_UNCOVERED &&
	   near(values[RECSYS_POLICY_IPS].overlap.mean_weight, 0.5, 1e-15), "off-policy: half of what the target shows is not in the log");
	for (int i = 0; i < 400; i++)
		target[i] = i % 2 ? 0.5 : 1;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_OVERWEIGHT, "off-policy: weights that are too large on average");
	for (int i = 0; i < 400; i++)
	{
		propensity[i] = i % 20 ? 0.5 : 0.05;
		target[i] = i % 20 ? 0 : 1;
	}
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_TOO_FEW &&
	   near(values[RECSYS_POLICY_IPS].overlap.effective, 20, 1e-12), "off-policy: twenty rows in effect");
	for (int i = 0; i < 400; i++)
	{
		reward[i] = 0;
		propensity[i] = target[i] = 0.5;
	}
	reward[0] = 1;
	target[0] = 0;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].state == RECSYS_POLICY_NO_REWARDS, "off-policy: resamples do not tell how rare rewards are");
	options.resampling.method = RECSYS_POLICY_BERNSTEIN;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_IPS].value == 0 && near(values[RECSYS_POLICY_IPS].high, 7 * log(80) / (3 * 399), 1e-12),
	   "off-policy: Bernstein does");
	rows.n = 0;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_SNIPS].state == RECSYS_POLICY_NO_ROWS, "off-policy: no rows");
}

/* Actions, and how likely they are and are clicked in each of three contexts */
#define ACTIONS 6
#define CONTEXTS 3

static const double logging[ACTIONS] = {0.3, 0.25, 0.15, 0.1, 0.1, 0.1};

static double
target_of(int context, int action)
{
	return action == context ? 0.5 : 0.1;
}

static double
rate_of(int context, int action)
{
	return 0.05 + 0.1 * action + (action == context ? 0.2 : 0);
}

static int
draw(RecsysRandom *random, const double *probabilities, int n)
{
	double		u = uniform(random);
	int			x = 0;

	while (x < n - 1 && (u -= probabilities[x]) >= 0)
		x++;
	return x;
}

typedef struct Tally
{
	int			covered;
	int			trials;
	double		sum;
	double		squares;
	double		width;
} Tally;

static void
tally(Tally *tally, const RecsysPolicyValue *value, double truth)
{
	tally->trials++;
	tally->covered += value->low <= truth && truth <= value->high;
	tally->sum += value->value - truth;
	tally->squares += (value->value - truth) * (value->value - truth);
	tally->width += value->high - value->low;
}

/* Is that many of so many what an interval with 95 % confidence covers, or more?  At 1 %, by the normal. */
static bool
holds(const Tally *tally)
{
	return tally->covered >= tally->trials * 0.95 - 2.326 * sqrt(tally->trials * 0.95 * 0.05);
}

#define ROWS 1000
#define TRIALS 400

static void
simulate(RecsysRandom *random, double columns[5][ROWS], uint32 numbers[3][ROWS])
{
	for (int i = 0; i < ROWS; i++)
	{
		int			context = RecsysRandomBelow(random, CONTEXTS);
		int			action = draw(random, logging, ACTIONS);

		columns[0][i] = uniform(random) < rate_of(context, action);
		columns[1][i] = logging[action];
		columns[2][i] = target_of(context, action);
		numbers[0][i] = context;
		numbers[1][i] = action;
		numbers[2][i] = 0;
	}
}

static void
test_coverage(void)
{
	static double columns[5][ROWS];
	static uint32 numbers[3][ROWS];
	RecsysPolicyRows rows = {ROWS, columns[0], columns[1], columns[2], NULL, NULL, numbers[2], numbers[0], numbers[1], NULL, columns[3], columns[4]};
	RecsysPolicyOptions options = options_of(1u << RECSYS_POLICY_IPS | 1u << RECSYS_POLICY_SNIPS |
											 1u << RECSYS_POLICY_DR | 1u << RECSYS_POLICY_SWITCH_DR);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];
	Tally		tallies[RECSYS_POLICY_ESTIMATORS] = {{0}};
	Tally		bernstein = {0};
	RecsysRandom random;
	double		truth = 0;

	for (int c = 0; c < CONTEXTS; c++)
		for (int a = 0; a < ACTIONS; a++)
			truth += target_of(c, a) * rate_of(c, a) / CONTEXTS;
	RecsysRandomStart(&random, 2024, 1);
	for (int trial = 0; trial < TRIALS; trial++)
	{
		simulate(&random, columns, numbers);
		(void) RecsysRewardModel(&rows, trial, columns[3], columns[4]);
		options.resampling.method = RECSYS_POLICY_BOOTSTRAP;
		options.resampling.resamples = 300;
		options.resampling.seed = trial;
		RecsysEvaluatePolicy(&rows, &options, values);
		tally(&tallies[RECSYS_POLICY_IPS], &values[RECSYS_POLICY_IPS], truth);
		tally(&tallies[RECSYS_POLICY_SNIPS], &values[RECSYS_POLICY_SNIPS], truth);
		tally(&tallies[RECSYS_POLICY_DR], &values[RECSYS_POLICY_DR], truth);
		options.resampling.method = RECSYS_POLICY_BERNSTEIN;
		RecsysEvaluatePolicy(&rows, &options, values);
		tally(&bernstein, &values[RECSYS_POLICY_IPS], truth);
	}
	ok(holds(&tallies[RECSYS_POLICY_IPS]) && holds(&tallies[RECSYS_POLICY_SNIPS]) && holds(&tallies[RECSYS_POLICY_DR]),
	   "off-policy: intervals hold in 95 of 100 cases: %d, %d and %d of %d by ips, snips and dr",
	   tallies[RECSYS_POLICY_IPS].covered, tallies[RECSYS_POLICY_SNIPS].covered, tallies[RECSYS_POLICY_DR].covered, TRIALS);
	ok(holds(&bernstein) && bernstein.width > tallies[RECSYS_POLICY_IPS].width,
	   "off-policy: those of Bernstein hold, too, %d of %d, and are wider", bernstein.covered, TRIALS);
	ok(tallies[RECSYS_POLICY_DR].squares < tallies[RECSYS_POLICY_SNIPS].squares &&
	   tallies[RECSYS_POLICY_SNIPS].squares < tallies[RECSYS_POLICY_IPS].squares &&
	   tallies[RECSYS_POLICY_DR].width < tallies[RECSYS_POLICY_IPS].width,
	   "off-policy: mean squared errors: ips %.6f, snips %.6f, dr %.6f", tallies[RECSYS_POLICY_IPS].squares / TRIALS,
	   tallies[RECSYS_POLICY_SNIPS].squares / TRIALS, tallies[RECSYS_POLICY_DR].squares / TRIALS);
	ok(fabs(tallies[RECSYS_POLICY_IPS].sum / TRIALS) < 4 * sqrt(tallies[RECSYS_POLICY_IPS].squares) / TRIALS &&
	   fabs(tallies[RECSYS_POLICY_DR].sum / TRIALS) < 4 * sqrt(tallies[RECSYS_POLICY_DR].squares) / TRIALS,
	   "off-policy: ips and dr are right on average");
}

/*
 * Lists of two.  The second place is clicked much if the first one shows the same, which the target
 * does more often: its value depends on both.
 */
static void
test_cascade(void)
{
	static double columns[3][ROWS];
	static uint32 numbers[2][ROWS];
	RecsysPolicyRows rows = {ROWS, columns[0], columns[1], columns[2], numbers[0], NULL, numbers[1], NULL, NULL, NULL, NULL, NULL};
	RecsysPolicyOptions options = options_of(1u << RECSYS_POLICY_CASCADE | 1u << RECSYS_POLICY_INDEPENDENT | 1u << RECSYS_POLICY_LIST);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];
	Tally		cascade = {0};
	Tally		independent = {0};
	Tally		list = {0};
	RecsysRandom random;
	double		truth = 0.2;	/* of the first place; the target shows 0 there with 0.8 */

	/* probabilities of what the target shows: (0.8, 0.2) at both places; logged evenly */
	truth += 0.8 * (0.8 * 0.6 + 0.2 * 0.1) + 0.2 * (0.8 * 0.1 + 0.2 * 0.6);
	RecsysRandomStart(&random, 99, 1);
	for (int trial = 0; trial < TRIALS; trial++)
	{
		for (int i = 0; i < ROWS; i += 2)
		{
			int			first = RecsysRandomBelow(&random, 2);
			int			second = RecsysRandomBelow(&random, 2);

			columns[0][i] = uniform(&random) < 0.2;
			columns[0][i + 1] = uniform(&random) < (first == second ? 0.6 : 0.1);
			columns[1][i] = columns[1][i + 1] = 0.5;
			columns[2][i] = first == 0 ? 0.8 : 0.2;
			columns[2][i + 1] = second == 0 ? 0.8 : 0.2;
			numbers[0][i] = numbers[0][i + 1] = i / 2;
			numbers[1][i] = 0;
			numbers[1][i + 1] = 1;
		}
		options.per_request = true;
		options.resampling.resamples = 300;
		options.resampling.seed = trial;
		RecsysEvaluatePolicy(&rows, &options, values);
		tally(&cascade, &values[RECSYS_POLICY_CASCADE], truth);
		tally(&independent, &values[RECSYS_POLICY_INDEPENDENT], truth);
		tally(&list, &values[RECSYS_POLICY_LIST], truth);
	}
	ok(holds(&cascade) && holds(&list) && list.squares > cascade.squares,
	   "off-policy: cascade is right where rewards depend on what stands above, %d of %d, with less variance than whole lists",
	   cascade.covered, TRIALS);
	ok(independent.covered < TRIALS / 2 && fabs(independent.sum) > 10 * fabs(cascade.sum),
	   "off-policy: and independence is not: %d of %d", independent.covered, TRIALS);
}

/* A few huge weights: a limit costs less than it brings. */
static void
test_limits(void)
{
	static double columns[3][ROWS];
	RecsysPolicyRows rows = {ROWS, columns[0], columns[1], columns[2], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
	RecsysPolicyOptions options = options_of(1u << RECSYS_POLICY_CLIPPED | 1u << RECSYS_POLICY_IPS);
	RecsysPolicyValue values[RECSYS_POLICY_ESTIMATORS];
	RecsysRandom random;

	RecsysRandomStart(&random, 42, 1);
	for (int i = 0; i < ROWS; i++)
	{
		/* as likely for both, but in a single row that the log says was rare */
		columns[0][i] = uniform(&random) < 0.5;
		columns[1][i] = i == 10 ? 0.02 : 0.5;
		columns[2][i] = 0.5;
	}
	columns[0][10] = 1;
	RecsysEvaluatePolicy(&rows, &options, values);
	ok(values[RECSYS_POLICY_CLIPPED].clip == 1 && near(values[RECSYS_POLICY_CLIPPED].bias_bound, 24.0 / ROWS, 1e-12) &&
	   values[RECSYS_POLICY_CLIPPED].effective == ROWS, "off-policy: a limit of weights is chosen, with what it may cost");
}

void
test_offpolicy(void)
{
	test_by_hand();
	test_random();
	test_bootstrap();
	test_model();
	test_refusals();
	test_coverage();
	test_cascade();
	test_limits();
}
