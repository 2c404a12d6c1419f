/*
 * test_peeking.c
 *	  Does looking every day cost what core/decide says?  Simulated experiments.
 *
 * 2,000 experiments with a look after each of 20 days, in which both arms are the same: how many
 * find a difference, by intervals that hold at all times and by looking at a test that is made
 * for one time.  Then experiments with the difference and the number of units that they were
 * designed for.
 */
#include "core/base/random.h"
#include "core/decide/armtest.h"
#include "core/decide/samplesize.h"
#include "tap.h"

#define EXPERIMENTS 2000
#define LOOKS 20

/* Three standard errors of a share of 5 % and of 80 % in so many experiments */
#define MOST_ALARMS (0.05 + 3 * 0.00487)
#define POWER_ERROR (3 * 0.00894)

typedef struct Population
{
	const char *name;
	RecsysMetricKind kind;
	double		share;			/* of the units with a value other than 0 */
	double		sigma;			/* of the values' logarithm; 0: all are 1 */
} Population;

static const Population populations[] = {
	{"conversions", RECSYS_METRIC_PROPORTION, 0.1, 0},
	{"revenue", RECSYS_METRIC_MEAN, 0.1, 1}
};

static double
uniform(RecsysRandom *random)
{
	return (double) (RecsysRandomNext(random) >> 11) / 9007199254740992.0;
}

/* A unit more: a conversion, or what a unit spends; shift is added to all that is spent */
static void
add_unit(RecsysRandom *random, const Population *population, double share, double shift, RecsysArmSums *sums)
{
	double		value = shift;

	sums->units++;
	if (uniform(random) < share)
	{
		if (population->sigma == 0)
			value += 1;
		else
			value += exp(population->sigma * sqrt(-2 * log(1 - uniform(random))) * cos(2 * M_PI * uniform(random)));
	}
	sums->sum[0] += value;
	sums->product[0][0] += value * value;
}

/* Whether an experiment finds a difference at any look, and at the last one, by each method */
static void
experiment(RecsysRandom *random, const Population *population, double difference, double units,
		   const RecsysArmTestOptions *options, bool *ever, bool *last)
{
	RecsysArmSums arms[2] = {{0}};
	RecsysArmTestOptions option = *options;
	bool		proportion = population->kind == RECSYS_METRIC_PROPORTION;

	memset(ever, 0, sizeof(bool) * 2);
	for (int look = 1; look <= LOOKS; look++)
	{
		for (int arm = 0; arm < 2; arm++)
			while (arms[arm].units < units / 2 * look / LOOKS)
				add_unit(random, population, population->share + (proportion ? arm * difference : 0),
						 proportion ? 0 : arm * difference, &arms[arm]);
		for (int sequential = 0; sequential < 2; sequential++)
		{
			RecsysArmTest test;

			option.sequential = sequential == 1;
			RecsysTestArms(&arms[0], &arms[1], &option, &test);
			last[sequential] = test.p_value < option.alpha;
			ever[sequential] |= last[sequential];
		}
	}
}

/*
 * Shares of experiments that find a difference: at any look and at the last, fixed and sequential
 */
static void
simulate(const Population *population, double difference, double units, const RecsysArmTestOptions *options,
		 double *ever, double *last)
{
	memset(ever, 0, sizeof(double) * 2);
	memset(last, 0, sizeof(double) * 2);
	for (int x = 0; x < EXPERIMENTS; x++)
	{
		RecsysRandom random;
		bool		found_ever[2];
		bool		found_last[2];

		RecsysRandomStart(&random, 17, x);
		experiment(&random, population, difference, units, options, found_ever, found_last);
		for (int sequential = 0; sequential < 2; sequential++)
		{
			ever[sequential] += found_ever[sequential] / (double) EXPERIMENTS;
			last[sequential] += found_last[sequential] / (double) EXPERIMENTS;
		}
	}
}

static void
test_alarms(const Population *population, bool relative, double units)
{
	RecsysArmTestOptions options = {.kind = population->kind, .relative = relative, .alpha = 0.05, .tuning = 5000};
	double		ever[2];
	double		last[2];

	simulate(population, 0, units, &options, ever, last);
	ok(ever[1] <= MOST_ALARMS, "%s of %s, %.0f units, arms that are alike: false alarms %.2f %% at all times",
	   relative ? "lifts" : "differences", population->name, units, 100 * ever[1]);
	ok(ever[0] > (relative ? 0.1 : 0.2) && last[0] <= MOST_ALARMS, "a test for one time: %.2f %%, if one looks every day %.2f %%",
	   100 * last[0], 100 * ever[0]);
}

static void
test_power(const Population *population, bool relative)
{
	double		mean = population->sigma == 0 ? 1 : exp(population->sigma * population->sigma / 2);
	double		square = population->sigma == 0 ? 1 : exp(2 * population->sigma * population->sigma);
	RecsysDesign design = {.kind = population->kind, .baseline = population->share * mean, .relative = relative,
	.alpha = 0.05, .treatment_share = 0.5};
	RecsysArmTestOptions options = {.kind = population->kind, .relative = relative, .alpha = 0.05, .tuning = 5000};
	double		difference;
	double		units;
	double		ever[2];
	double		last[2];

	design.deviation = sqrt(population->share * square - design.baseline * design.baseline);
	difference = population->kind == RECSYS_METRIC_PROPORTION ? 0.03 : 0.1 * design.deviation;
	units = RecsysDesignUnits(&design, difference, 0.8);
	simulate(population, difference, units, &options, ever, last);
	ok(fabs(last[0] - 0.8) < POWER_ERROR, "%s of %s: power 80 %% takes %.0f units, found %.2f %%",
	   relative ? "lifts" : "differences", population->name, units, 100 * last[0]);

	design.sequential = true;
	units = RecsysDesignUnits(&design, difference, 0.8);
	options.tuning = units;
	simulate(population, difference, units, &options, ever, last);
	/* a lift is planned by an approximation, and of two tests it has to pass by the worse one */
	ok(fabs(last[1] - 0.8) < POWER_ERROR + (relative ? 0.02 : 0) && ever[1] >= 0.8 - POWER_ERROR,
	   "at all times it takes %.0f units, found %.2f %% at the last look, %.2f %% until then", units, 100 * last[1],
	   100 * ever[1]);
}

/*
 * A user with a taste for clicking and a number of requests, in the time before and since;
 * requests of a user are alike, so they are not as good as independent ones.
 */
static void
add_user(RecsysRandom *random, RecsysArmSums *sums)
{
	double		user[RECSYS_UNIT_COLUMNS] = {0};
	double		taste = uniform(random);
	double		visits = 0.5 + 0.4 * uniform(random);

	for (int period = 0; period < RECSYS_UNIT_COLUMNS; period += 2)
		do
		{
			user[period + 1]++;
			user[period] += uniform(random) < taste;
		} while (uniform(random) < visits);
	sums->units++;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
	{
		sums->sum[x] += user[x];
		for (int y = 0; y < RECSYS_UNIT_COLUMNS; y++)
			sums->product[x][y] += user[x] * user[y];
	}
}

/* Clicks by requests: the delta method, adjusting, and what requests as units would give */
static void
test_ratios(void)
{
	RecsysArmTestOptions ratio = {.kind = RECSYS_METRIC_RATIO, .alpha = 0.05, .tuning = 1000};
	RecsysArmTestOptions naive = {.kind = RECSYS_METRIC_PROPORTION, .alpha = 0.05};
	double		alarms[4] = {0};	/* fixed, adjusted, adjusted at all times, naive */
	double		narrower = 0;

	for (int x = 0; x < EXPERIMENTS; x++)
	{
		RecsysArmSums arms[2] = {{0}};
		RecsysArmSums requests[2] = {{0}};
		RecsysArmTest test;
		RecsysRandom random;
		bool		ever = false;
		double		plain;

		RecsysRandomStart(&random, 71, x);
		for (int look = 1; look <= LOOKS; look++)
		{
			for (int n = 0; n < 1000 / LOOKS; n++)
				add_user(&random, &arms[n % 2]);
			ratio.sequential = ratio.adjusted = true;
			RecsysTestArms(&arms[0], &arms[1], &ratio, &test);
			ever |= test.p_value < 0.05;
		}
		alarms[2] += ever;
		ratio.sequential = ratio.adjusted = false;
		RecsysTestArms(&arms[0], &arms[1], &ratio, &test);
		plain = test.standard_error;
		alarms[0] += test.p_value < 0.05;
		ratio.adjusted = true;
		RecsysTestArms(&arms[0], &arms[1], &ratio, &test);
		narrower += test.standard_error / plain / EXPERIMENTS;
		alarms[1] += test.p_value < 0.05;
		for (int arm = 0; arm < 2; arm++)
		{
			requests[arm].units = arms[arm].sum[RECSYS_UNIT_DENOMINATOR];
			requests[arm].sum[0] = requests[arm].product[0][0] = arms[arm].sum[RECSYS_UNIT_VALUE];
		}
		RecsysTestArms(&requests[0], &requests[1], &naive, &test);
		alarms[3] += test.p_value < 0.05;
	}
	for (int x = 0; x < 4; x++)
		alarms[x] *= 100.0 / EXPERIMENTS;
	ok(alarms[0] <= 100 * MOST_ALARMS && alarms[3] > 15, "ratios in arms that are alike: false alarms %.2f %%, %.2f %% if requests were units",
	   alarms[0], alarms[3]);
	ok(alarms[1] <= 100 * MOST_ALARMS && alarms[2] <= 100 * MOST_ALARMS && narrower < 0.95,
	   "adjusted: %.2f %%, at all times %.2f %%; standard errors %.2f of what they were", alarms[1], alarms[2], narrower);
}

void
test_peeking(void)
{
	for (int x = 0; x < lengthof(populations); x++)
	{
		test_alarms(&populations[x], false, 8000);
		test_alarms(&populations[x], true, 8000);
		test_alarms(&populations[x], true, 2000);
		test_power(&populations[x], false);
		test_power(&populations[x], true);
	}
	test_ratios();
}
