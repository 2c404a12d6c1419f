/*
 * test_nextbasket.c
 *	  Tests of core/sequence/{baskethistory,renewal,nextbasket} and core/measure/basketlist
 *	  against the definitions as they stand, with loops over everything.
 */
#include "core/measure/basketlist.h"

#include "core/scoring/scorer.h"
#include "core/rows/exactsum.h"
#include "generate.h"
#include "tap.h"

#define HOUR INT64CONST(3600000000)
#define DAY (24 * HOUR)

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * Max(1.0, Max(fabs(a), fabs(b)));
}

/* Rows of some visits, in no order: weights of both signs, times that are missing or infinite */
static int
random_rows(Random *random, RecsysInteraction *rows, int visits, bool timed)
{
	int			n = 0;
	int64		time = 0;

	for (int visit = 0; visit < visits; visit++)
	{
		int			size = 1 + (int) (random_bits(random) % 5);

		time += HOUR + (int64) (random_bits(random) % (uint64) (9 * DAY));
		for (int x = 0; x < size; x++)
		{
			time += (int64) (random_bits(random) % (uint64) HOUR);
			rows[n].item = (uint32) (random_bits(random) % 12);
			rows[n].weight = (double) (random_bits(random) % 7) - 1.0;
			rows[n].time = !timed || random_bits(random) % 25 == 0 ? RECSYS_NO_TIME :
				random_bits(random) % 60 == 0 ? PG_INT64_MAX : time;
			rows[n].position = (uint64) n;
			n++;
		}
	}
	for (int x = n - 1; x > 0; x--)
	{
		int			y = (int) (random_bits(random) % (uint64) (x + 1));
		RecsysInteraction swap = rows[x];

		rows[x] = rows[y];
		rows[y] = swap;
	}
	return n;
}

static int64
plain_time(const RecsysInteraction *row)
{
	return row->time == PG_INT64_MAX ? RECSYS_NO_TIME : row->time;
}

/* The basket of a row that is in one: how many of the rows before it, or beside it, open one. */
static uint32
basket_of(const RecsysInteraction *rows, int n, int row)
{
	uint32		opened = 0;
	int64		time = plain_time(&rows[row]);

	for (int x = 0; x < n; x++)
	{
		int64		other = plain_time(&rows[x]);
		bool		opens = true;

		if (rows[x].weight <= 0 || other == RECSYS_NO_TIME || other > time)
			continue;
		for (int y = 0; y < n; y++)
		{
			int64		before = plain_time(&rows[y]);

			if (y == x || rows[y].weight <= 0 || before == RECSYS_NO_TIME)
				continue;
			if (before < other && other - before < RECSYS_OCCASION_GAP)
				opens = false;
			if (before == other && y < x)
				opens = false;
		}
		opened += opens;
	}
	return opened - 1;
}

/* Baskets and occasions of a history with times throughout, by definition */
static void
test_history_rows(Random *random, int number)
{
	RecsysInteraction rows[200];
	RecsysInteraction copy[200];
	RecsysFolding folding = {.max_history = 1000,.transform = RECSYS_TRANSFORM_NONE};
	RecsysBasketHistory history;
	int			n = random_rows(random, rows, 1 + number % 30, true);
	uint32		untimed = 0;
	uint32		timed = 0;
	bool		same = true;
	uint32		occasions = 0;

	memcpy(copy, rows, sizeof(RecsysInteraction) * n);
	RecsysBasketHistoryMake(copy, n, &folding, PG_INT64_MAX, &history);
	for (int x = 0; x < n; x++)
	{
		if (rows[x].weight <= 0)
			continue;
		if (plain_time(&rows[x]) == RECSYS_NO_TIME)
			untimed++;
		else
			timed = Max(timed, basket_of(rows, n, x) + 1);
	}
	same &= history.nbaskets == untimed + timed;
	for (uint32 x = 0; x < history.nitems; x++)
	{
		const RecsysBasketItem *item = &history.items[x];
		double		sum = 0;
		bool		seen[200] = {false};
		uint32		without = 0;

		same &= x == 0 || history.items[x - 1].item < item->item;
		same &= item->first == occasions;
		for (int y = 0; y < n; y++)
		{
			if (rows[y].item != item->item)
				continue;
			sum += rows[y].weight;
			if (rows[y].weight <= 0)
				continue;
			if (plain_time(&rows[y]) == RECSYS_NO_TIME)
				without++;
			else
				seen[untimed + basket_of(rows, n, y)] = true;
		}
		same &= sum > 0 && sum == item->weight;
		for (uint32 y = 0; y < item->count; y++)
		{
			const RecsysOccasion *occasion = &history.occasions[item->first + y];

			same &= occasion->basket < history.nbaskets &&
				occasion->time <= history.times[occasion->basket] && occasion->weight > 0;
			if (occasion->time == RECSYS_NO_TIME)
				without--;
			else
			{
				same &= seen[occasion->basket];
				seen[occasion->basket] = false;
			}
		}
		same &= without == 0;
		for (uint32 y = 0; y < history.nbaskets; y++)
			same &= !seen[y];
		occasions += item->count;
	}
	same &= occasions == history.noccasions;
	ok(same, "history %d: %u baskets, %u items", number, history.nbaskets, history.nitems);
	RecsysBasketHistoryFree(&history);
}

/* Rows after a time are as if they were not there. */
static void
test_until(Random *random)
{
	RecsysInteraction rows[200];
	RecsysInteraction before[200];
	RecsysFolding folding = {.max_history = 5,.transform = RECSYS_TRANSFORM_NONE};
	RecsysBasketHistory a;
	RecsysBasketHistory b;
	int			n = random_rows(random, rows, 20, true);
	int			kept = 0;
	int64		until = 40 * DAY;

	for (int x = 0; x < n; x++)
		if (rows[x].time <= until)
			before[kept++] = rows[x];
	RecsysBasketHistoryMake(rows, n, &folding, until, &a);
	RecsysBasketHistoryMake(before, kept, &folding, PG_INT64_MAX, &b);
	ok(a.nitems <= 5 && a.nitems == b.nitems && a.nbaskets == b.nbaskets && a.noccasions == b.noccasions &&
	   memcmp(a.times, b.times, sizeof(int64) * a.nbaskets) == 0, "history until a time");
	RecsysBasketHistoryFree(&a);
	RecsysBasketHistoryFree(&b);
	RecsysBasketHistoryMake(rows, 0, &folding, until, &a);
	ok(a.nitems == 0 && a.nbaskets == 0, "history of nothing");
	RecsysBasketHistoryFree(&a);
}

/* The repeat score from the definition: of all baskets after the first with the item, how many have it */
static double
plain_repeat(const RecsysBasketHistory *history, uint32 place, const RecsysRenewal *renewal,
			 int64 now, const RecsysNextBasketOptions *options)
{
	const RecsysBasketItem *item = &history->items[place];
	double		again = 0;
	double		baskets = 0;

	for (uint32 x = 0; x < history->nbaskets; x++)
	{
		double		weight = pow(options->basket_decay, history->nbaskets - 1 - x) *
			RecsysDecay(history->times[x], now, options->half_life);
		bool		has = false;

		if (x <= history->occasions[item->first].basket)
			continue;
		for (uint32 y = 0; y < item->count; y++)
			has |= history->occasions[item->first + y].basket == x;
		baskets += weight;
		again += has ? weight : 0;
	}
	return pow((again + 2 * renewal->share) / (baskets + 10), 1 - options->due) *
		pow(Max(renewal->score, 0.001), options->due);
}

static RecsysRhythm
random_rhythm(Random *random)
{
	RecsysRhythm rhythm = {0};
	int64		times[12];
	int			users = (int) (random_bits(random) % 6);

	for (int user = 0; user < users; user++)
	{
		int			n = 1 + (int) (random_bits(random) % 12);

		times[0] = 0;
		for (int x = 1; x < n; x++)
			times[x] = times[x - 1] + 2 * HOUR + (int64) (random_bits(random) % (uint64) (30 * DAY));
		RecsysRhythmAdd(&rhythm, times, n);
	}
	return rhythm;
}

static void
test_repeat_scores(Random *random, int number)
{
	RecsysInteraction rows[200];
	RecsysFolding folding = {.max_history = 1000,.transform = RECSYS_TRANSFORM_NONE};
	RecsysNextBasketOptions options = {0.5 + number % 6 / 10.0, number % 3 * 20 * DAY, number % 5 / 4.0, 0, 0, 0};
	RecsysRenewalPrior prior = {100, {40, 90, 0, 0}};
	RecsysBasketHistory history;
	RecsysRenewal renewals[12];
	double		scores[12];
	int			n = random_rows(random, rows, 1 + number, true);
	int64		now;
	bool		same = true;

	/* without gaps in it, the order among baskets is that of times */
	for (int x = 0; x < n; x++)
		if (plain_time(&rows[x]) == RECSYS_NO_TIME)
			rows[x].weight = 0;
	RecsysBasketHistoryMake(rows, n, &folding, PG_INT64_MAX, &history);
	if (history.nbaskets == 0)
	{
		RecsysBasketHistoryFree(&history);
		return;
	}
	now = history.times[history.nbaskets - 1] + (int64) (random_bits(random) % (uint64) (20 * DAY));
	prior.rhythm = random_rhythm(random);
	for (uint32 x = 0; x < history.nitems; x++)
	{
		RecsysRhythm rhythm = random_rhythm(random);

		RecsysRenewalEstimate(&history, x, rhythm.repeaters + random_bits(random) % 9, &rhythm,
							  number % 2 == 0 ? &prior : NULL, now, &renewals[x]);
		same &= renewals[x].score >= 0 && renewals[x].score <= 1 && renewals[x].share > 0 &&
			renewals[x].share < 1 && renewals[x].goes_on >= 0 && renewals[x].goes_on <= 1 &&
			renewals[x].due_at > history.occasions[history.items[x].first + history.items[x].count - 1].time;
	}
	RecsysRepeatScores(&history, renewals, now, &options, scores);
	for (uint32 x = 0; x < history.nitems; x++)
		same &= near(scores[x], plain_repeat(&history, x, &renewals[x], now, &options)) &&
			scores[x] > 0 && scores[x] < 1;
	ok(same, "repeat scores %d: %u items of %u baskets", number, history.nitems, history.nbaskets);
	RecsysBasketHistoryFree(&history);
}

/* An item on two occasions, and other baskets after that */
static void
estimate(int64 gap, int64 since, int64 later, const RecsysRhythm *rhythm, uint64 users,
		 RecsysRenewal *renewal)
{
	RecsysInteraction rows[] = {{0, 1, 0, 0}, {0, 1, gap, 1}, {1, 1, gap + since, 2}};
	RecsysFolding folding = {.max_history = 10,.transform = RECSYS_TRANSFORM_NONE};
	RecsysBasketHistory history;

	RecsysBasketHistoryMake(rows, 3, &folding, PG_INT64_MAX, &history);
	RecsysRenewalEstimate(&history, 0, users, rhythm, NULL, gap + since + later, renewal);
	RecsysBasketHistoryFree(&history);
}

static void
test_renewal(void)
{
	RecsysRhythm monthly = {0};
	RecsysRhythm never = {0};
	RecsysRhythm wild = {PG_UINT32_MAX, PG_UINT32_MAX, PG_INT64_MAX, PG_UINT64_MAX};
	RecsysRenewal early;
	RecsysRenewal due;
	RecsysRenewal late;
	RecsysRenewal rarely;
	bool		sane = true;
	int64		before = 0;
	bool		later = true;

	for (int user = 0; user < 50; user++)
	{
		int64		times[] = {0, 28 * DAY + user * HOUR, 59 * DAY, 88 * DAY + user * HOUR};

		RecsysRhythmAdd(&monthly, times, 4);
	}
	estimate(30 * DAY, 5 * DAY, DAY, &monthly, 50, &early);
	estimate(30 * DAY, 25 * DAY, 6 * DAY, &monthly, 50, &due);
	estimate(30 * DAY, 300 * DAY, DAY, &monthly, 50, &late);
	ok(early.score < due.score && late.score < due.score, "due: %g, before %g, long after %g", due.score,
	   early.score, late.score);
	ok(late.goes_on < due.goes_on && due.goes_on < early.goes_on, "the longer ago, the likelier it is over");
	ok(due.due_at > 55 * DAY && due.due_at < 65 * DAY, "due after a month: %g days",
	   (double) due.due_at / DAY);
	estimate(30 * DAY, 25 * DAY, 6 * DAY, &never, 5000, &rarely);
	ok(rarely.share < 0.01 && rarely.score < due.score / 2, "a television is not due: %g", rarely.score);

	for (int64 gap = 2 * HOUR; gap < 400 * DAY; gap += 7 * DAY)
	{
		estimate(gap, 3 * DAY, DAY, &monthly, 50, &due);
		later &= due.due_at - gap > before;
		before = due.due_at - gap;
	}
	ok(later, "the longer the user's own gap, the later it is due");

	/* nothing is too far away, too often or too large */
	for (int x = 0; x < 4; x++)
	{
		estimate(x == 0 ? HOUR : PG_INT64_MAX / 2, x < 2 ? HOUR : PG_INT64_MAX / 4,
				 x == 3 ? PG_INT64_MAX / 5 : 0, x % 2 == 0 ? &wild : &never, x % 2 == 0 ? 0 : PG_UINT64_MAX, &due);
		sane &= due.score >= 0 && due.score <= 1 && due.goes_on >= 0 && due.goes_on <= 1 &&
			due.share >= 0 && due.share <= 1;
	}
	ok(sane, "renewals of extremes");
}

/* Without times: each row a basket, all alike, and nothing is due */
static void
test_untimed(void)
{
	RecsysInteraction rows[] = {{3, 1, RECSYS_NO_TIME, 0}, {5, 2, RECSYS_NO_TIME, 1}, {3, 1, RECSYS_NO_TIME, 2},
	{7, 1, RECSYS_NO_TIME, 3}};
	RecsysFolding folding = {.max_history = 10,.transform = RECSYS_TRANSFORM_NONE};
	RecsysNextBasketOptions options = {0.5, DAY, 0, 0, 0, 0};
	RecsysBasketHistory history;
	RecsysRenewal renewals[3];
	RecsysRhythm none = {0};
	double		scores[3];

	RecsysBasketHistoryMake(rows, 4, &folding, PG_INT64_MAX, &history);
	for (uint32 x = 0; x < history.nitems; x++)
		RecsysRenewalEstimate(&history, x, 10, &none, NULL, 0, &renewals[x]);
	RecsysRepeatScores(&history, renewals, 0, &options, scores);
	ok(history.nbaskets == 4 && history.nitems == 3 && renewals[0].due_at == RECSYS_NO_TIME &&
	   near(scores[0], (1 + 2 * renewals[0].share) / 13) && near(scores[1], 2 * renewals[1].share / 13) &&
	   scores[1] == scores[2], "without times");
	RecsysBasketHistoryFree(&history);
}

/* Discoveries and popular items on one scale with repeats */
/* An item without a time is no better than the same one in the last basket, and not due at any time. */
static void
test_partly_untimed(void)
{
	RecsysInteraction rows[] = {{3, 1, RECSYS_NO_TIME, 0}, {5, 1, DAY, 1}, {7, 1, 9 * DAY, 2}};
	RecsysFolding folding = {.max_history = 10,.transform = RECSYS_TRANSFORM_NONE};
	RecsysRhythm rhythm = {0};
	RecsysRenewalPrior prior = {100, {0}};
	RecsysBasketHistory history;
	RecsysRenewal renewals[3];
	int64		times[] = {0, 8 * DAY};

	RecsysRhythmAdd(&rhythm, times, 2);
	RecsysRhythmAdd(&prior.rhythm, times, 2);
	RecsysBasketHistoryMake(rows, 3, &folding, PG_INT64_MAX, &history);
	for (uint32 x = 0; x < 3; x++)
		RecsysRenewalEstimate(&history, x, 10, &rhythm, &prior, 12 * DAY, &renewals[x]);
	ok(renewals[0].due_at == RECSYS_NO_TIME && renewals[2].due_at > 9 * DAY &&
	   near(renewals[0].share, renewals[2].share) && near(renewals[0].score, renewals[2].score) &&
	   near(renewals[0].goes_on, renewals[2].goes_on) && renewals[0].goes_on < 0.2,
	   "an item without a time beside others");
	RecsysBasketHistoryFree(&history);
}

static void
test_mix(void)
{
	RecsysNextBasketOptions options = {1, 0, 0, 0.02, 0.1, 0.05};
	RecsysScorer *scorer = RecsysScorerCreate(6);
	uint32		items[] = {0, 1, 2};
	float		similarities[] = {4, 2, 1};
	uint32		popular[] = {2, 3, 1};
	double		scale;

	RecsysScorerAdd(scorer, 1.0, items, similarities, 3);
	RecsysScorerExclude(scorer, 0);
	scale = RecsysNextBasketPopular(scorer, 2.0, popular, 3, &options);
	ok(fabs(RecsysScorerScore(scorer, 1) * scale - (0.1 + 0.05 / sqrt(3))) < 1e-6 &&
	   fabs(RecsysScorerScore(scorer, 2) * scale - (0.05 + 0.05)) < 1e-6 &&
	   fabs(RecsysScorerScore(scorer, 3) * scale - 0.05 / sqrt(2)) < 1e-6, "discoveries, and what is popular");
	ok(near(RecsysNextBasketRepeat(0.3, 4, 4, 2, &options), 0.3 + 0.02 * 2) &&
	   fabs(RecsysNextBasketRepeat(0.3, 1, RecsysScorerScore(scorer, 2), 2, &options) -
			(0.3 + 0.02 / 2 + 0.05)) < 1e-6 &&
	   near(RecsysNextBasketRepeat(0.3, 0, 0, 0, &options), 0.3), "a repeat");
	ok(near(RecsysNextBasketDiscovery(1, 2, &options), 0.05), "a discovery");

	RecsysScorerReset(scorer, 6);
	options.discover = 0;
	scale = RecsysNextBasketPopular(scorer, 0, popular, 3, &options);
	ok(scale == 1 && fabs(RecsysScorerScore(scorer, 2) - 0.05) < 1e-6, "only what is popular");
	RecsysScorerFree(scorer);
}

/*
 * One user with baskets {0, 1}, {0, 2}, {0, 1}, of which the item 2 is given back later, and a
 * next basket {0, 3, 5}; by users the items are 3, 0, 1, 4, 2.  Item 1 has neighbor 4.
 */
static void
test_lists(void)
{
	static const uint32 expected[RECSYS_BASKET_METHODS][5] = {
		[RECSYS_BASKET_MIX] = {0, 1, 3, 4, RECSYS_NONE},
		[RECSYS_BASKET_FREQUENCY] = {0, 1, RECSYS_NONE, RECSYS_NONE, RECSYS_NONE},
		[RECSYS_BASKET_POPULAR] = {3, 0, 1, 4, 2},
		[RECSYS_BASKET_FREQUENCY_POPULAR] = {0, 1, 3, 4, 2}
	};
	uint64		offsets[] = {0, 7};
	uint32		items[] = {0, 1, 0, 2, 0, 1, 2};
	double		weights[] = {1, 1, 1, 1, 1, 1, -1};
	int64		times[] = {0, 0, 9 * DAY, 9 * DAY, 20 * DAY, 20 * DAY, 20 * DAY};
	int64		at[] = {30 * DAY};
	RecsysRhythm rhythms[5] = {{0}};
	RecsysBaskets baskets = {.mix = {1, 0, 0.3, 0.01, 0.01, 0.02},.offsets = offsets,.items = items,
		.weights = weights,.times = times,.at = at,.folding = {.max_history = 10},.rhythms = rhythms,
	.prior = {20, {0}}};
	uint32		users[] = {8, 7, 2, 9, 3};
	uint32		popular[5];
	uint64		graph[] = {0, 0, 1, 1, 1, 1};
	uint32		neighbors[] = {4};
	float		scores[] = {0.5};
	uint64		test_offsets[] = {0, 3};
	uint32		test[] = {0, 3, 5};
	RecsysEvaluation e = {.nitems = 5,.nusers_trained = 10,.item_users = users,.popular = popular,
		.graph = {graph, neighbors},.scores = scores,.score_scale = 1,.nusers = 1,
		.test = {test_offsets, test},.baskets = &baskets,.nks = 2,.ks = {1, 5},
	.metrics = RECSYS_BASKET_METRICS | RECSYS_METRIC_BIT(RECSYS_METRIC_RECALL)};

	RecsysEvaluationSortItems(&e);
	for (int method = 0; method < RECSYS_BASKET_METHODS; method++)
	{
		double		figures[12];
		uint32		list[5];
		RecsysOutcome outcome = {figures, list};
		RecsysEvaluator *evaluator = RecsysEvaluatorCreate(&e);
		RecsysBasketMethod parsed;

		baskets.method = (RecsysBasketMethod) method;
		RecsysEvaluatorUsers(evaluator, 0, 1, &outcome);
		RecsysEvaluatorFree(evaluator);
		ok(memcmp(list, expected[method], sizeof(list)) == 0 &&
		   RecsysBasketMethodParse(RecsysBasketMethodName(baskets.method), &parsed) && parsed == baskets.method,
		   "list by %s: %u %u %u %u %u", RecsysBasketMethodName(baskets.method), list[0], list[1], list[2],
		   list[3], list[4]);
		if (method == RECSYS_BASKET_MIX)
			ok(near(figures[0], 1 / 3.0) && near(figures[1], 2 / 3.0) && near(figures[2], 1) && near(figures[3], 1) &&
			   near(figures[4], 0) && near(figures[5], 0.5) && near(figures[6], 1) && near(figures[7], 1) &&
			   near(figures[8], 0) && near(figures[9], 1 / log2(4) / (1 + 1 / log2(3))) && near(figures[10], 1) &&
			   near(figures[11], 0.5), "figures of a next basket");
	}
}

void
test_nextbasket(void)
{
	Random		random = {20260101};

	for (int number = 0; number < 60; number++)
		test_history_rows(&random, number);
	test_until(&random);
	for (int number = 0; number < 40; number++)
		test_repeat_scores(&random, number);
	test_renewal();
	test_untimed();
	test_partly_untimed();
	test_mix();
	test_lists();
}
