/*
 * test_preference.c
 *	  Tests of core/decide/teamdraft and core/decide/preference: two lists in one, and which of them
 *	  is preferred.
 */
#include "core/base/random.h"
#include "core/decide/preference.h"
#include "core/decide/teamdraft.h"
#include "tap.h"

static bool
near(double value, double expected, double tolerance)
{
	return fabs(value - expected) <= tolerance;
}

/* "ab|cd" … as a list of one-letter names */
static int
names_of(const char *letters, const char **names)
{
	static char texts[256][2];
	int			n = (int) strlen(letters);

	for (int i = 0; i < n; i++)
	{
		texts[(unsigned char) letters[i]][0] = letters[i];
		names[i] = texts[(unsigned char) letters[i]];
	}
	return n;
}

/* The draft as letters, and whose each is: 0, 1 or - */
static void
draft(const char *first, const char *second, uint64 seed, int k, char *items, char *teams)
{
	const char *names[2][64];
	const char *const *lists[2] = {names[0], names[1]};
	const int	counts[2] = {names_of(first, names[0]), names_of(second, names[1])};
	RecsysDrafted drafted[64];
	int			n = RecsysDraft(lists, counts, seed, k, drafted);

	for (int i = 0; i < n; i++)
	{
		items[i] = names[drafted[i].list][drafted[i].place][0];
		teams[i] = drafted[i].team == RECSYS_NO_TEAM ? '-' : (char) ('0' + drafted[i].team);
	}
	items[n] = teams[n] = '\0';
}

/* All drafts of two lists that seeds lead to, as "items/teams" in ascending order, each with its share */
static int
all_drafts(const char *first, const char *second, int k, char found[32][64], double *shares)
{
	int			n = 0;

	for (int seed = 0; seed < 4000; seed++)
	{
		char		items[64],
					teams[64],
					text[64];
		int			i;

		draft(first, second, seed, k, items, teams);
		snprintf(text, sizeof(text), "%.30s/%.30s", items, teams);
		for (i = 0; i < n && strcmp(found[i], text) != 0; i++)
			;
		if (i == n && n < 32)
		{
			strcpy(found[n], text);
			shares[n++] = 0;
		}
		if (i < 32)
			shares[i] += 1 / 4000.0;
	}
	return n;
}

static bool
drafts_are(const char *first, const char *second, int k, const char *const *expected, int n)
{
	char		found[32][64];
	double		shares[32];
	bool		are = all_drafts(first, second, k, found, shares) == n;

	for (int i = 0; i < n && are; i++)
	{
		int			j = 0;

		while (j < n && strcmp(found[j], expected[i]) != 0)
			j++;
		are = j < n && near(shares[j], 1.0 / n, 0.05);
	}
	return are;
}

static void
test_drafts(void)
{
	static const char *const different[] = {"axby/0101", "axyb/0110", "xaby/1001", "xayb/1010"};
	static const char *const alike[] = {"ab/01", "ab/10"};
	static const char *const single[] = {"a/0", "x/1"};
	static const char *const same_single[] = {"a/0", "a/1"};
	static const char *const shorter[] = {"axbcd/01---", "xabcd/10---"};
	static const char *const last_same[] = {"ab/--"};
	static const char *const none[] = {"abc/---"};
	static const char *const empty[] = {"/"};
	static const char *const twice[] = {"axb/01-", "xab/10-"};
	int			wrong = 0;
	RecsysRandom random;

	ok(drafts_are("ab", "xy", 4, different, 4), "two rounds, each in one of two orders, equally often");
	ok(drafts_are("ab", "ab", 2, alike, 2), "lists that agree: who comes first gets the item, the other one the next");
	ok(drafts_are("abc", "xyz", 1, single, 2) && drafts_are("ab", "ab", 1, same_single, 2),
	   "a place that is left over goes to either");
	ok(drafts_are("abcd", "x", 9, shorter, 2), "where a list ends the other one goes on, for nobody");
	ok(drafts_are("ab", "a", 9, last_same, 1), "a round in which one team may get nothing is nobody's");
	ok(drafts_are("abc", "", 9, none, 1) && drafts_are("", "", 9, empty, 1) && drafts_are("ab", "ab", 0, empty, 1),
	   "one list, none, no places");
	ok(drafts_are("aab", "xx", 9, twice, 2), "an item that is twice in a list counts once");

	/* of random lists: the items are those of both, each once; each team's are in their order; both have as many */
	RecsysRandomStart(&random, 3, 4);
	for (int i = 0; i < 2000; i++)
	{
		char		lists[2][16],
					items[64],
					teams[64];
		int			k = RecsysRandomBelow(&random, 12);
		int			balance = 0;

		for (int list = 0; list < 2; list++)
		{
			int			n = RecsysRandomBelow(&random, 9);

			for (int x = 0; x < n; x++)
				lists[list][x] = (char) ('a' + RecsysRandomBelow(&random, 8));
			lists[list][n] = '\0';
		}
		draft(lists[0], lists[1], i, k, items, teams);
		for (int x = 0; items[x] != '\0'; x++)
		{
			wrong += strchr(items + x + 1, items[x]) != NULL;
			wrong += strchr(lists[0], items[x]) == NULL && strchr(lists[1], items[x]) == NULL;
			wrong += teams[x] != '-' && strchr(lists[teams[x] - '0'], items[x]) == NULL;
			balance += teams[x] == '0' ? 1 : teams[x] == '1' ? -1 : 0;
			wrong += abs(balance) > 1;
		}
		if ((int) strlen(items) < k)
			for (int list = 0; list < 2; list++)
				for (int x = 0; lists[list][x] != '\0'; x++)
					wrong += strchr(items, lists[list][x]) == NULL;
	}
	ok(wrong == 0, "drafts of 2,000 random pairs of lists");
}

static void
test_measures(void)
{
	static const double clicks[][2] = {{0, 2}, {1, 1}, {1, 3}, {2, 0}, {0, 1}, {0, 0}, {1, 2}};
	RecsysPreferenceSums sums = {0};
	RecsysPreferenceSums many = {1000, 150, 200, 50, 60, 300};
	RecsysPreferenceSums one = {0};
	RecsysPreference result;

	for (int i = 0; i < (int) lengthof(clicks); i++)
		RecsysAddPreference(&sums, clicks[i][0], clicks[i][1], 1);
	ok(sums.units == 7 && sums.first == 1 && sums.second == 4 && sums.ties == 1 &&
	   near(sums.sum, 1.0 + 0 + 0.5 - 1 + 1 + 1.0 / 3, 1e-12), "what seven units say");
	RecsysMeasurePreference(&sums, 0.05, 100, &result);
	ok(near(result.preference, 0.3055555556, 1e-9) && near(result.standard_error, 0.3055555556, 1e-9) &&
	   result.low == -1 && result.high == 1 && result.p_value == 1 && near(result.sign_p_value, 0.375, 1e-12),
	   "few units: a preference, and next to no evidence");
	RecsysMeasurePreference(&many, 0.05, 100, &result);
	ok(near(result.preference, 0.15, 1e-12) && near(result.standard_error, 0.0427002139418, 1e-12) &&
	   near(result.low, 0.0163378188447, 1e-12) && near(result.high, 0.2836621811553, 1e-12) &&
	   near(result.p_value, 0.0146203839564, 1e-9), "many units: as computed independently");
	RecsysAddPreference(&one, 1, 0, 1);
	RecsysMeasurePreference(&one, 0.05, 100, &result);
	ok(result.preference == -1 && isnan(result.low) && isnan(result.p_value), "of one unit nothing can be said");

	/* SciPy's binomtest */
	ok(near(RecsysSignTest(3, 9), 0.14599609375, 1e-12) && near(RecsysSignTest(0, 5), 0.0625, 1e-12) &&
	   near(RecsysSignTest(167, 120), 0.006521009350412086, 1e-12) &&
	   near(RecsysSignTest(5000, 5200), 0.04878796312682234, 1e-10) && RecsysSignTest(0, 0) == 1 &&
	   RecsysSignTest(7, 7) == 1, "sign test");
	ok(RecsysSignTest(900000, 1100000) == 0 && near(RecsysSignTest(999000, 1001000), 0.157506847, 1e-7),
	   "sign test of millions");
}

/*
 * A simulated shop: 30 items, of which each user likes some; both recommenders see how much
 * through noise, the second one through a bit less of it.
 */
#define ITEMS 30
#define PLACES 10

static double
normal(RecsysRandom *random)
{
	double		u = ((RecsysRandomNext(random) >> 11) + 1) / 9007199254740993.0;
	double		v = (RecsysRandomNext(random) >> 11) / 9007199254740992.0;

	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979324 * v);
}

static void
best_items(const double *likes, double noise, RecsysRandom *random, const char *const *names,
		   const char **list)
{
	double		scores[ITEMS];

	for (int i = 0; i < ITEMS; i++)
		scores[i] = likes[i] + noise * normal(random);
	for (int place = 0; place < PLACES; place++)
	{
		int			best = 0;

		for (int i = 1; i < ITEMS; i++)
			if (scores[i] > scores[best])
				best = i;
		list[place] = names[best];
		scores[best] = -HUGE_VAL;
	}
}

static const char *const *
item_names(void)
{
	static char texts[ITEMS][4];
	static const char *names[ITEMS];

	for (int i = 0; i < ITEMS; i++)
	{
		snprintf(texts[i], sizeof(texts[i]), "%d", i);
		names[i] = texts[i];
	}
	return names;
}

/* A user: how much each item is liked, and how often the user clicks at all */
static double
draw_user(RecsysRandom *random, double *likes)
{
	for (int i = 0; i < ITEMS; i++)
		likes[i] = normal(random);
	return 0.1 * exp(normal(random));
}

static bool
is_clicked(const char *item, int place, const double *likes, double eagerness, RecsysRandom *random)
{
	double		chance = eagerness * exp(likes[atoi(item)]) / (place + 1);

	return (RecsysRandomNext(random) >> 11) / 9007199254740992.0 < chance;
}

/* Clicks on a list that is of one recommender alone, by places */
static double
clicks_on(const double *likes, double eagerness, double noise, const char *const *names,
		  RecsysRandom *random)
{
	const char *list[PLACES];
	double		clicks = 0;

	best_items(likes, noise, random, names, list);
	for (int place = 0; place < PLACES; place++)
		clicks += is_clicked(list[place], place, likes, eagerness, random);
	return clicks / PLACES;
}

static void
clicks_on_teams(const double *likes, double eagerness, const double *noises, const char *const *names,
				RecsysRandom *random, double *clicks)
{
	const char *list[2][PLACES];
	const char *const *lists[2] = {list[0], list[1]};
	const int	counts[2] = {PLACES, PLACES};
	RecsysDrafted drafted[PLACES];
	int			n;

	for (int team = 0; team < 2; team++)
		best_items(likes, noises[team], random, names, list[team]);
	n = RecsysDraft(lists, counts, RecsysRandomNext(random), PLACES, drafted);
	clicks[0] = clicks[1] = 0;
	for (int place = 0; place < n; place++)
		clicks[drafted[place].team] +=
			is_clicked(list[drafted[place].list][drafted[place].place], place, likes, eagerness, random);
}

/* How many units each way of testing needs, for the same power: in proportion to variance / effect^2 */
static void
test_sensitivity(void)
{
	const double noises[2] = {1.0, 0.85};
	const char *const *names = item_names();
	const int	n = 40000;
	double		sum[2] = {0, 0},
				squares[2] = {0, 0},
				difference,
				variance,
				needs_split,
				needs_draft,
				mean;
	RecsysPreferenceSums sums = {0};
	RecsysRandom random;

	RecsysRandomStart(&random, 5, 6);
	for (int i = 0; i < n; i++)
	{
		double		likes[ITEMS];
		double		clicks[2];
		double		eagerness = draw_user(&random, likes);

		for (int variant = 0; variant < 2; variant++)
		{
			double		ctr = clicks_on(likes, eagerness, noises[variant], names, &random);

			sum[variant] += ctr;
			squares[variant] += ctr * ctr;
		}
		clicks_on_teams(likes, eagerness, noises, names, &random, clicks);
		RecsysAddPreference(&sums, clicks[0], clicks[1], 1);
	}
	difference = (sum[1] - sum[0]) / n;
	variance = squares[0] / n - pow(sum[0] / n, 2) + squares[1] / n - pow(sum[1] / n, 2);
	needs_split = 2 * variance / (difference * difference);
	mean = sums.sum / n;
	needs_draft = (sums.sum_squares / n - mean * mean) / (mean * mean);
	ok(difference > 0 && mean > 0, "both ways find the better recommender");
	ok(needs_split > 5 * needs_draft, "interleaving needs %.0f times fewer users than a test of two halves by CTR (lift %.1f %%)",
	   needs_split / needs_draft, 100 * (sum[1] - sum[0]) / sum[0]);
}

/* Of recommenders that are equally good none is to be preferred, however often one looks. */
static void
test_false_alarms(void)
{
	const double noises[2] = {1.0, 1.0};
	const char *const *names = item_names();
	const int	trials = 400;
	int			alarms = 0;
	int			sign_alarms = 0;
	RecsysRandom random;

	RecsysRandomStart(&random, 7, 8);
	for (int trial = 0; trial < trials; trial++)
	{
		RecsysPreferenceSums sums = {0};
		bool		alarm = false;
		bool		sign_alarm = false;

		for (int i = 0; i < 500; i++)
		{
			double		likes[ITEMS];
			double		clicks[2];
			double		eagerness = 3 * draw_user(&random, likes);
			RecsysPreference result;

			clicks_on_teams(likes, eagerness, noises, names, &random, clicks);
			RecsysAddPreference(&sums, clicks[0], clicks[1], 1);
			RecsysMeasurePreference(&sums, 0.05, 300, &result);
			alarm = alarm || result.p_value < 0.05;
			sign_alarm = sign_alarm || (i % 25 == 24 && result.sign_p_value < 0.05);
		}
		alarms += alarm;
		sign_alarms += sign_alarm;
	}
	/* 400 * .05 + 3 sqrt(400 * .05 * .95) */
	ok(alarms <= 33, "%d of %d comparisons of equals raise an alarm, with a look after each user", alarms, trials);
	ok(sign_alarms > 33, "%d would by a sign test with a look after each 25 of them", sign_alarms);
}

void
test_preference(void)
{
	test_drafts();
	test_measures();
	test_sensitivity();
	test_false_alarms();
}
