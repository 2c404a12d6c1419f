/*
 * bandits.c
 *	  Regret of the policies of bandits on settings that are published.
 *
 *	  bandits RUNS TRIALS DIRECTORY [PART…]
 *
 * Regret is the sum over trials of the mean of the best arm less that of the arm chosen.  Prints
 * its mean over runs at powers of ten with the standard error, by how much it grows each time the
 * trials are multiplied by e, and Lai's and Robbins' bound of that; then whether what theory says
 * is seen.  Writes a plot a setting into the directory, "-": none.  What is measured: ../README.md.
 */
#include "core/policy/policy.h"
#include "core/policy/policydraws.h"
#include "plot.h"
#include "world.h"

#include <time.h>

#define MOST_CURVES 6

static int	failures = 0;

static void
verdict(bool passed, const char *setting, const char *what)
{
	printf("%s - %s: %s\n", passed ? "ok" : "NOT OK", setting, what);
	failures += !passed;
}

/* Growth of a curve over a tenfold of trials that ends there, by the factor e */
static double
slope(const Curve *curve, int point)
{
	return (curve_mean(curve, point) - curve_mean(curve, point - POINTS_OF_TEN)) / log(10);
}

/*
 * Over a tenfold of trials a logarithm grows as much as over the tenfold before, a line ten times as
 * much.  Three standard errors are allowed for.
 */
static void
look_at_growth(const Curve *curve, const char *setting, int points)
{
	double		mean = curve_mean(curve, points - 1);
	double		variance = Max(curve->squares[points - 1] / curve->runs - mean * mean, 0);
	double		error = sqrt(variance / Max(curve->runs - 1, 1)) / log(10);
	char		what[200];

	snprintf(what, sizeof(what), "%s's regret grows as the logarithm does", curve->name);
	verdict(slope(curve, points - 1) < 1.5 * slope(curve, points - 1 - POINTS_OF_TEN) + 3 * error,
			setting, what);
}

static void
print_header(const char *title, int points)
{
	printf("\n%s\n\n| policy |", title);
	for (int point = 2 * POINTS_OF_TEN; point < points; point += POINTS_OF_TEN)
		printf(" 10^%d |", point / POINTS_OF_TEN);
	printf(" growth, last decade | the one before |\n|---|");
	for (int point = 2 * POINTS_OF_TEN; point < points; point += POINTS_OF_TEN)
		printf("---|");
	printf("---|---|\n");
}

static void
print_curve(const Curve *curve, int points)
{
	printf("| %s |", curve->name);
	for (int point = 2 * POINTS_OF_TEN; point < points; point += POINTS_OF_TEN)
	{
		double		mean = curve_mean(curve, point);
		double		variance = Max(curve->squares[point] / curve->runs - mean * mean, 0);

		printf(" %.1f ± %.1f |", mean, sqrt(variance / Max(curve->runs - 1, 1)));
	}
	printf(" %.1f | %.1f |\n", slope(curve, points - 1), slope(curve, points - 1 - POINTS_OF_TEN));
	fflush(stdout);
}

static void
run_policy(const World *world, const Learner *learner, int runs, int points, Curve *curve)
{
	memset(curve, 0, sizeof(*curve));
	curve->name = learner->name;
	for (int run = 0; run < runs; run++)
	{
		double		regret[MOST_POINTS];

		world_run(world, learner, run, points, regret);
		for (int point = 0; point < points; point++)
		{
			curve->sum[point] += regret[point];
			curve->squares[point] += regret[point] * regret[point];
		}
		curve->runs++;
	}
}

static double
last(const Curve *curve, int points)
{
	return curve_mean(curve, points - 1);
}

typedef struct Setting
{
	World		world;
	const char *file;
	const char *title;
	Learner		learners[MOST_CURVES];
	int			nlearners;
	int			costs;			/* runs are divided by this */
	int			decades;		/* trials are at most 10 to this */
} Setting;

static int
run_setting(Setting *setting, int runs, int decades, const char *directory, Curve *curves)
{
	int			points = Min(decades, setting->decades) * POINTS_OF_TEN + 1;
	char		title[300];
	char		file[1000];

	runs = Max(runs / setting->costs, 5);
	snprintf(title, sizeof(title), "%s, %d runs", setting->title, runs);
	print_header(title, points);
	for (int x = 0; x < setting->nlearners; x++)
	{
		run_policy(&setting->world, &setting->learners[x], runs, points, &curves[x]);
		print_curve(&curves[x], points);
	}
	if (setting->world.kind == WORLD_BERNOULLI && setting->world.period == 0)
		printf("\nLai and Robbins: no policy that is good everywhere grows by less than %.1f\n",
			   world_lai_robbins(&setting->world));
	if (strcmp(directory, "-") != 0)
	{
		snprintf(file, sizeof(file), "%s/%s.svg", directory, setting->file);
		if (!plot(file, title, curves, setting->nlearners, points))
			verdict(false, setting->file, "the plot could not be written");
	}
	return points;
}

static Learner
learner_of(const char *name, RecsysPolicyKind kind)
{
	Learner		learner = {.name = name,.batch = 1};

	RecsysPolicyDefaults(kind, &learner.options);
	return learner;
}

static void
add_learner(Setting *setting, Learner learner)
{
	setting->learners[setting->nlearners++] = learner;
}

/*
 * What UCB1 loses, about: each arm has 2 ln(trials) / gap^2 trials.  Where epsilon-greedy loses less
 * by its chance choices alone, there are too few trials to compare the two.
 */
static double
foreseen(const World *world, RecsysPolicyKind kind, int points)
{
	double		trials = pow(10, (points - 1) / POINTS_OF_TEN);
	double		ucb1 = 0;
	double		chance = 0;

	for (int arm = 1; arm < world->narms; arm++)
	{
		ucb1 += 2 * log(trials) / (world->means[0] - world->means[arm]);
		chance += 0.1 * trials * (world->means[0] - world->means[arm]) / world->narms;
	}
	return kind == RECSYS_POLICY_UCB1 ? ucb1 :
		kind == RECSYS_POLICY_THOMPSON ? world_lai_robbins(world) * log(trials) : chance;
}

/* Is the policy below epsilon-greedy, which is the last one? */
static void
compare(const Setting *setting, const Curve *curves, int number, int points)
{
	RecsysPolicyKind kind = setting->learners[number].options.kind;
	const Curve *greedy = &curves[setting->nlearners - 1];
	char		what[200];

	if (foreseen(&setting->world, kind, points) <
		foreseen(&setting->world, RECSYS_POLICY_EPSILON_GREEDY, points))
	{
		snprintf(what, sizeof(what), "%s's regret is below that of %s", curves[number].name, greedy->name);
		verdict(last(&curves[number], points) < last(greedy, points), setting->file, what);
	}
	else
		printf("(%s: too few trials to compare %s with %s)\n", setting->file, curves[number].name, greedy->name);
}

/* One good arm, the others worse by the gap */
static void
run_chapelle(int arms, double gap, int batch, int costs, int runs, int decades, const char *directory)
{
	Setting		setting = {.world = {.kind = WORLD_BERNOULLI,.narms = arms},.costs = costs,
	.decades = batch > 1 ? 7 : 6};
	Curve		curves[MOST_CURVES];
	char		file[100];
	char		title[200];
	int			points;

	for (int arm = 0; arm < arms; arm++)
		setting.world.means[arm] = arm == 0 ? 0.5 : 0.5 - gap;
	snprintf(file, sizeof(file), "arms%d_gap%g", arms, gap);
	snprintf(title, sizeof(title), "Chapelle and Li: %d arms, the best .5, the others %g less%s", arms, gap,
			 batch > 1 ? ", batches of 1,000" : "");
	setting.file = file;
	setting.title = title;
	add_learner(&setting, learner_of("Thompson", RECSYS_POLICY_THOMPSON));
	add_learner(&setting, learner_of("UCB1", RECSYS_POLICY_UCB1));
	add_learner(&setting, learner_of("epsilon .1", RECSYS_POLICY_EPSILON_GREEDY));
	for (int x = 0; x < 3; x++)
		setting.learners[x].batch = batch;
	points = run_setting(&setting, runs, decades, directory, curves);

	verdict(last(&curves[0], points) < last(&curves[1], points), file, "Thompson's regret is below UCB1's");
	compare(&setting, curves, 0, points);
	compare(&setting, curves, 1, points);
	if (arms == 10 && gap == 0.1 && points > 6 * POINTS_OF_TEN)
	{
		look_at_growth(&curves[0], file, points);
		look_at_growth(&curves[1], file, points);
		verdict(slope(&curves[2], points - 1) > 5 * slope(&curves[2], points - 1 - POINTS_OF_TEN),
				file, "epsilon-greedy's grows with the trials");
	}
}

static void
run_auer(int runs, int decades, const char *directory)
{
	static const struct
	{
		int			number;
		int			narms;
		double		means[10];
	}			distributions[] = {
		{1, 2, {.9, .6}}, {2, 2, {.9, .8}}, {3, 2, {.55, .45}},
		{11, 10, {.9, .6, .6, .6, .6, .6, .6, .6, .6, .6}},
		{12, 10, {.9, .8, .8, .8, .7, .7, .7, .6, .6, .6}},
		{13, 10, {.9, .8, .8, .8, .8, .8, .8, .8, .8, .8}},
		{14, 10, {.55, .45, .45, .45, .45, .45, .45, .45, .45, .45}}
	};

	for (int x = 0; x < (int) lengthof(distributions); x++)
	{
		Setting		setting = {.world = {.kind = WORLD_BERNOULLI,.narms = distributions[x].narms},
		.costs = 1,.decades = 5};
		Curve		curves[MOST_CURVES];
		char		file[100];
		char		title[200];
		double		gap;
		int			points;

		memcpy(setting.world.means, distributions[x].means, sizeof(distributions[x].means));
		gap = setting.world.means[0] - setting.world.means[1];
		snprintf(file, sizeof(file), "auer%d", distributions[x].number);
		snprintf(title, sizeof(title), "Auer, Cesa-Bianchi, Fischer: distribution %d", distributions[x].number);
		setting.file = file;
		setting.title = title;
		add_learner(&setting, learner_of("Thompson", RECSYS_POLICY_THOMPSON));
		add_learner(&setting, learner_of("UCB1", RECSYS_POLICY_UCB1));
		add_learner(&setting, learner_of("epsilon_n, c = .1", RECSYS_POLICY_EPSILON_GREEDY));
		setting.learners[2].options.epsilon = 1;
		setting.learners[2].options.epsilon_trials = 0.1 / (gap * gap);
		add_learner(&setting, learner_of("epsilon .1", RECSYS_POLICY_EPSILON_GREEDY));
		points = run_setting(&setting, runs, decades, directory, curves);
		compare(&setting, curves, 0, points);
		compare(&setting, curves, 1, points);
		look_at_growth(&curves[0], file, points);
		verdict(last(&curves[1], points) < world_ucb1_bound(&setting.world, points), file,
				"UCB1's regret is below the bound of the article's theorem 1");
	}
}

static void
run_contextual(bool shared, int runs, int decades, const char *directory)
{
	Setting		setting = {.world = {.kind = shared ? WORLD_LINEAR_SHARED : WORLD_LINEAR,.narms = 10,
	.dimension = 10,.noise = 0.25},.costs = 5,.decades = 5};
	Curve		curves[MOST_CURVES];
	int			points;

	setting.file = shared ? "linear_shared" : "linear";
	setting.title = shared ? "Agrawal and Goyal: rewards linear in 10 features of 10 arms, one function" :
		"Li et al.: rewards linear in 10 features of the context, a function for each of 10 arms";
	add_learner(&setting, learner_of("linear Thompson", RECSYS_POLICY_LINEAR_THOMPSON));
	add_learner(&setting, learner_of("LinUCB", RECSYS_POLICY_LINUCB));
	for (int x = 0; x < 2; x++)
	{
		setting.learners[x].options.dimension = 10;
		setting.learners[x].options.shared = shared;
		setting.learners[x].options.exploration = x == 0 ? 0.25 : 0.5;
	}
	add_learner(&setting, learner_of("epsilon .1, no features", RECSYS_POLICY_EPSILON_GREEDY));
	points = run_setting(&setting, runs, decades, directory, curves);
	for (int x = 0; x < 2; x++)
	{
		verdict(last(&curves[x], points) < 0.2 * last(&curves[2], points), setting.file,
				x == 0 ? "linear Thompson's regret is a fifth of that without features at most" :
				"LinUCB's regret is a fifth of that without features at most");
		verdict(slope(&curves[x], points - 1) < 5 * slope(&curves[x], points - 1 - POINTS_OF_TEN),
				setting.file, "and grows slower than the root of the trials times their logarithm");
	}
}

static void
run_drift(int runs, int decades, const char *directory)
{
	Setting		setting = {.world = {.kind = WORLD_BERNOULLI,.narms = 10,.period = 10000},.costs = 5,
	.decades = 5,.file = "drift",.title = "Another arm becomes the best after each 10,000 trials"};
	Curve		curves[MOST_CURVES];
	int			points;

	for (int arm = 0; arm < 10; arm++)
		setting.world.means[arm] = arm == 0 ? 0.5 : 0.3;
	add_learner(&setting, learner_of("Thompson, half-life 1,000", RECSYS_POLICY_THOMPSON));
	setting.learners[0].half_life = 1000;
	add_learner(&setting, learner_of("Thompson", RECSYS_POLICY_THOMPSON));
	add_learner(&setting, learner_of("UCB1", RECSYS_POLICY_UCB1));
	add_learner(&setting, learner_of("epsilon .1", RECSYS_POLICY_EPSILON_GREEDY));
	points = run_setting(&setting, runs, decades, directory, curves);
	verdict(last(&curves[0], points) < 0.5 * last(&curves[1], points), setting.file,
			"decay halves the regret of Thompson");
}

/* What is new is known only after so many trials: the shares are kept until then */
static void
run_delayed(int runs, int decades, const char *directory)
{
	static const int batches[] = {1, 100, 1000};
	Setting		setting = {.world = {.kind = WORLD_BERNOULLI,.narms = 10},.costs = 10,.decades = 6,
	.file = "delayed",.title = "10 arms, the best .5, the others .1 less: rewards come in batches"};
	Curve		curves[MOST_CURVES];
	char		names[6][40];
	int			points;

	for (int arm = 0; arm < 10; arm++)
		setting.world.means[arm] = arm == 0 ? 0.5 : 0.4;
	for (int x = 0; x < 6; x++)
	{
		snprintf(names[x], sizeof(names[x]), "%s, %d", x < 3 ? "Thompson" : "UCB1", batches[x % 3]);
		add_learner(&setting, learner_of(names[x], x < 3 ? RECSYS_POLICY_THOMPSON : RECSYS_POLICY_UCB1));
		setting.learners[x].batch = batches[x % 3];
	}
	points = run_setting(&setting, runs, decades, directory, curves);
	verdict(last(&curves[2], points) < last(&curves[5], points), setting.file,
			"batches of 1,000 cost Thompson less than UCB1");
	verdict(last(&curves[2], points) < 10 * last(&curves[0], points), setting.file,
			"Thompson learns from batches of 1,000");
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Microseconds of a new state's probabilities, and of a draw by them */
static void
run_cost(void)
{
	static const int sizes[] = {2, 10, 100, 1000};
	static RecsysArmCounts arms[RECSYS_MOST_ARMS];
	static double shares[RECSYS_MOST_ARMS];
	RecsysRandom random;
	volatile int sink = 0;

	RecsysRandomStart(&random, 1, 1);
	printf("\nProcessor time\n\n| policy | arms | probabilities of a new state | a draw by them | draws a second |\n"
		   "|---|---|---|---|---|\n");
	for (RecsysPolicyKind kind = 0; kind <= RECSYS_POLICY_THOMPSON_NORMAL; kind++)
		for (int x = 0; x < (int) lengthof(sizes); x++)
		{
			RecsysPolicyInput input = {.narms = sizes[x],.arms = arms};
			RecsysPolicyOptions options;
			int			rounds = 2000 / sizes[x] + 2;
			double		begin;
			double		state;
			double		draw;

			for (int arm = 0; arm < sizes[x]; arm++)
			{
				arms[arm].trials = 100 + RecsysRandomBelow(&random, 100000);
				arms[arm].sum = arms[arm].squares = arms[arm].trials * (0.02 + 0.02 * RecsysDrawUnit(&random));
			}
			RecsysPolicyDefaults(kind, &options);
			begin = seconds();
			for (int round = 0; round < rounds; round++)
				RecsysPolicyShares(&options, &input, shares);
			state = (seconds() - begin) / rounds;
			begin = seconds();
			for (int round = 0; round < 1000000; round++)
				sink += RecsysDrawArm(shares, sizes[x], &random);
			draw = (seconds() - begin) / 1000000;
			printf("| %s | %d | %.0f µs | %.3f µs | %.1f million |\n", RecsysPolicyName(kind), sizes[x],
				   1e6 * state, 1e6 * draw, 1e-6 / draw);
		}
}

static bool
wanted(const char *part, int argc, char **argv)
{
	for (int x = 4; x < argc; x++)
		if (strcmp(argv[x], part) == 0)
			return true;
	return argc <= 4;
}

int
main(int argc, char **argv)
{
	int			runs = argc > 1 ? atoi(argv[1]) : 200;
	int			decades = argc > 2 ? (int) lround(log10(atof(argv[2]))) : 7;
	const char *directory = argc > 3 ? argv[3] : "-";

	decades = Min(Max(decades, 3), 7);
	if (wanted("chapelle", argc, argv))
	{
		run_chapelle(10, 0.1, 1, 4, runs, decades, directory);
		run_chapelle(10, 0.02, 1000, 5, runs, decades, directory);
		run_chapelle(100, 0.1, 1000, 40, runs, decades, directory);
		run_chapelle(100, 0.02, 1000, 40, runs, decades, directory);
	}
	if (wanted("auer", argc, argv))
		run_auer(runs, decades, directory);
	if (wanted("linear", argc, argv))
	{
		run_contextual(false, runs, decades, directory);
		run_contextual(true, runs, decades, directory);
	}
	if (wanted("drift", argc, argv))
		run_drift(runs, decades, directory);
	if (wanted("delayed", argc, argv))
		run_delayed(runs, decades, directory);
	if (wanted("cost", argc, argv))
		run_cost();
	printf("\n%d verdicts are not as they should be\n", failures);
	return failures > 0;
}
