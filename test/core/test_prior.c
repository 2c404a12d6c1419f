/*
 * test_prior.c
 *	  Tests of core/rows/recency and core/pairs/prior against the formulas as they stand,
 *	  with everything sorted.
 */
#include "core/pairs/prior.h"

#include "core/pairs/modeloptions.h"
#include "core/rows/history.h"
#include "generate.h"
#include "tap.h"

static bool
near(double a, double b, double error)
{
	return fabs(a - b) <= error * Max(fabs(a), fabs(b));
}

/* Sums of random times, in two orders and in parts, with half-lives short and long. */
static void
test_random_recency(Random *random, int number)
{
	int64		half_life = 1 + (int64) (random_bits(random) % (number % 2 == 0 ? 1000 : 1000000000));
	int64		start = (int64) (random_bits(random) % 2000000) - 1000000;
	int			n = 1 + (int) (random_bits(random) % 50);
	int64	   *times = palloc(sizeof(int64) * n);
	RecsysRecency there = {0};
	RecsysRecency back = {0};
	RecsysRecency parts[2] = {{0, 0}, {0, 0}};
	int64		latest = RECSYS_NO_TIME;
	double		expected = 0;
	double		found;

	for (int x = 0; x < n; x++)
	{
		times[x] = random_bits(random) % 9 == 0 ? RECSYS_NO_TIME :
			start + (int64) (random_bits(random) % (uint64) (half_life * 15));
		latest = Max(latest, times[x]);
		RecsysRecencyAdd(&there, times[x], half_life);
		RecsysRecencyAdd(&parts[x % 2], times[x], half_life);
	}
	for (int x = n - 1; x >= 0; x--)
		RecsysRecencyAdd(&back, times[x], half_life);
	RecsysRecencyAddAll(&parts[0], &parts[1]);
	for (int x = 0; x < n && latest != RECSYS_NO_TIME; x++)
		if (times[x] != RECSYS_NO_TIME)
			expected += exp2((double) (times[x] - latest) / half_life);
	found = latest == RECSYS_NO_TIME ? there.sum :
		RecsysRecencyAt(&there, there.at) *
		exp2(-(double) (latest - RecsysRecencyPeriod(latest, half_life) * half_life) / half_life);

	/* times within 15 half-lives: the same in any order, to the last bit */
	ok(near(found, expected, 1e-9) && there.sum == back.sum && there.at == back.at &&
	   there.sum == parts[0].sum && there.at == parts[0].at,
	   "recency %d: %d times, %g of %g", number, n, found, expected);
	pfree(times);
}

static void
test_totals(Random *random)
{
	enum
	{
		N = 300
	};
	RecsysRecency items[N];
	RecsysRecencyTotal there = {0};
	RecsysRecencyTotal back = {0};
	RecsysRecencyTotal rest = {0};
	RecsysRecencyTotal taken;
	double		sum = 0;

	for (int x = 0; x < N; x++)
	{
		items[x].sum = random_bits(random) % 10 == 0 ? 0 : random_unit(random) * 1000;
		items[x].at = (int64) (random_bits(random) % 20);
		RecsysRecencyTotalAdd(&there, &items[x]);
	}
	for (int x = N - 1; x >= 0; x--)
	{
		RecsysRecencyTotalAdd(&back, &items[x]);
		if (x % 3 == 0 || items[x].at == there.at)
			RecsysRecencyTotalAdd(&rest, &items[x]);
	}
	taken = there;
	for (int x = 0; x < N; x++)
	{
		sum += RecsysRecencyAt(&items[x], there.at);
		if (x % 3 != 0 && items[x].at != there.at)
			RecsysRecencyTotalTake(&taken, &items[x]);
	}
	ok(near(RecsysRecencyTotalGet(&there), sum, 1e-12) && there.at == back.at,
	   "total of recencies: %g of %g", RecsysRecencyTotalGet(&there), sum);
	ok(near(RecsysRecencyTotalGet(&there), RecsysRecencyTotalGet(&back), 1e-15),
	   "and in another order");
	ok(near(RecsysRecencyTotalGet(&taken), RecsysRecencyTotalGet(&rest), 1e-12),
	   "what was added is taken away again: %g of %g", RecsysRecencyTotalGet(&taken),
	   RecsysRecencyTotalGet(&rest));
	for (int x = 0; x < N; x++)
		RecsysRecencyTotalTake(&there, &items[x]);
	ok(RecsysRecencyTotalGet(&there) < 1e-15, "all of it: %g are left", RecsysRecencyTotalGet(&there));

	/* ages later nothing is left of it, and new sums count */
	back.at = 0;
	items[0].sum = 1.5;
	items[0].at = INT64CONST(1000000000000);
	RecsysRecencyTotalAdd(&back, &items[0]);
	ok(RecsysRecencyTotalGet(&back) == 1.5 && back.at == items[0].at, "ages later");
	ok(RecsysRecencyAt(&items[0], 0) > DBL_MAX, "an age ago it is infinite, not wrong");
}

void
test_recency(void)
{
	Random		random;

	random_seed(&random, 20260202);
	for (int number = 0; number < 40; number++)
		test_random_recency(&random, number);
	test_totals(&random);
	ok(RecsysRecencyPeriod(-1, 10) == -1 && RecsysRecencyPeriod(-10, 10) == -1 &&
	   RecsysRecencyPeriod(-11, 10) == -2 && RecsysRecencyPeriod(9, 10) == 0,
	   "periods before and after the epoch");
}

/* The formulas as they are written down */
static double
reference_score(const RecsysModelOptions *options, double n_users, double n_items, double m,
				double all_recent, double users, double recent)
{
	double		r = options->popularity_half_life > 0 ? m * recent / all_recent : users;

	if (users == 0 || (options->popularity_half_life > 0 && all_recent == 0))
		return 0;
	if (options->similarity == RECSYS_RP3BETA)
		return options->popularity * pow(m / n_items, 1 - options->alpha) / n_users *
			pow(m / n_users, -(options->alpha + options->user_damping)) * r *
			pow(users, -options->beta);
	return options->popularity * sqrt(m / n_items * r) / n_users * pow(users, -options->alpha);
}

static int
reverse(void *arg, uint32 a, uint32 b)
{
	return (a < b) - (a > b);
}

static void
test_random_prior(Random *random, int number)
{
	RecsysModelOptions options;
	RecsysPriorTotals totals = {0};
	RecsysKeyOrder order = {0, reverse, NULL};
	uint32		nitems = 1 + (uint32) (random_bits(random) % 60);
	int			most = 1 + (int) (random_bits(random) % 80);
	RecsysPriorItem *items = palloc0(sizeof(RecsysPriorItem) * nitems);
	double	   *scores = palloc(sizeof(double) * nitems);
	bool	   *listed = palloc0(nitems);
	RecsysNeighborList list;
	double		all = 0;
	int			positive = 0;
	bool		right = true;

	RecsysModelOptionsInit(&options);
	options.similarity = number % 2 == 0 ? RECSYS_RP3BETA : RECSYS_COSINE;
	options.popularity = 1 + (double) (random_bits(random) % 10);
	options.popularity_half_life = number % 4 >= 2 ? 100 : 0;
	options.alpha = (double) (random_bits(random) % 5) / 4;
	options.beta = (double) (random_bits(random) % 5) / 4;
	options.user_damping = (double) (random_bits(random) % 3) / 4;
	RecsysModelOptionsResolve(&options);
	for (uint32 x = 0; x < nitems; x++)
	{
		/* few distinct numbers: ties */
		items[x].item = x;
		items[x].users = (uint32) (random_bits(random) % 4);
		for (uint32 user = 0; user < items[x].users; user++)
			RecsysRecencyAdd(&items[x].recent, (int64) (random_bits(random) % 3) * 250, 100);
		totals.items += items[x].users > 0;
		totals.interactions += items[x].users;
		RecsysRecencyTotalAdd(&totals.recent, &items[x].recent);
		all += RecsysRecencyAt(&items[x].recent, 5);
	}
	totals.users = Max(totals.interactions / 2, 1);
	for (uint32 x = 0; x < nitems; x++)
	{
		scores[x] = reference_score(&options, totals.users, totals.items, totals.interactions, all,
									items[x].users, RecsysRecencyAt(&items[x].recent, 5));
		positive += scores[x] > 0;
	}

	RecsysPriorSelect(&options, &totals, items, nitems, most, number % 3 == 0 ? &order : NULL, &list);
	right &= list.count == Min(positive, most) && (list.floor_score > 0) == (positive >= most);
	for (int x = 0; x < list.count; x++)
	{
		uint32		item = list.neighbors[x].item;

		right &= near(list.neighbors[x].score, scores[item], 1e-6) && !listed[item] &&
			list.neighbors[x].support == item;
		listed[item] = true;
		if (x > 0)
			right &= list.neighbors[x - 1].score > list.neighbors[x].score ||
				(list.neighbors[x - 1].score == list.neighbors[x].score &&
				 (list.neighbors[x - 1].item < item) == (number % 3 != 0));
	}
	for (uint32 x = 0; x < nitems && list.count > 0; x++)
		right &= listed[x] || scores[x] <= list.neighbors[list.count - 1].score * (1 + 1e-6);
	ok(right, "prior %d: %d of %u items", number, list.count, nitems);
	pfree(list.neighbors);
	pfree(items);
	pfree(scores);
	pfree(listed);
}

void
test_prior(void)
{
	Random		random;
	RecsysModelOptions options;
	RecsysPriorTotals none = {0};
	RecsysPriorTotals one = {.users = 1, .items = 1, .interactions = 1};
	RecsysRecency recent = {0};

	random_seed(&random, 20260203);
	for (int number = 0; number < 48; number++)
		test_random_prior(&random, number);

	RecsysModelOptionsInit(&options);
	options.similarity = RECSYS_RP3BETA;
	RecsysModelOptionsResolve(&options);
	ok(!RecsysModelHasPrior(&options) && options.popularity == 0 &&
	   options.popularity_half_life == 0 && options.item_max_age == 0, "no prior by default");
	options.popularity = 3;
	ok(RecsysPriorScore(&options, &none, 1, &recent) == 0, "no prior of nobody");
	ok(RecsysPriorScore(&options, &one, 1, &recent) == 3, "one user, one item");
	options.popularity_half_life = 1000;
	ok(RecsysPriorScore(&options, &one, 1, &recent) == 0, "no times, no prior");
	options.similarity = RECSYS_JACCARD;
	ok(!RecsysModelHasPrior(&options), "no prior of other measures");
}
