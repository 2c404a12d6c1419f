/*
 * test_arrange.c
 *	  Tests of core/arrange against slow, obvious references.
 */
#include "core/arrange/arrange.h"
#include "core/arrange/fatigue.h"
#include "core/arrange/pricefit.h"
#include "core/arrange/sellerquality.h"
#include "core/base/random.h"
#include "tap.h"

#include <math.h>

#define MAX_ITEMS 40
#define MAX_CAPS 3

/* A list to be made, drawn at random */
typedef struct Draw
{
	RecsysArrangeRules rules;
	RecsysArrangeItem items[MAX_ITEMS];
	uint32		labels[MAX_ITEMS][MAX_CAPS];
	int			caps[MAX_CAPS];
	double		alike[MAX_ITEMS][MAX_ITEMS];
	double		target[8];
	int			n;
	int			k;
} Draw;

static int	likeness_calls;

static double
draw_likeness(void *arg, int item, int listed)
{
	likeness_calls++;
	return ((Draw *) arg)->alike[item][listed];
}

static void
draw(Draw *d, RecsysRandom *random, int most, int ncaps, bool grouped)
{
	double		score = 10;

	memset(d, 0, sizeof(*d));
	d->n = 1 + RecsysRandomBelow(random, most);
	d->k = 1 + RecsysRandomBelow(random, most);
	for (int i = 0; i < d->n; i++)
	{
		RecsysArrangeItem *item = &d->items[i];

		score -= RecsysRandomBelow(random, 3) * 0.125;
		/* some have no score */
		item->score = score > 7 ? score : 0;
		item->category = RecsysRandomBelow(random, 6);
		item->group = grouped ? RecsysRandomBelow(random, d->n + 1) : 0;
		item->is_new = RecsysRandomBelow(random, 8) == 0;
		item->is_new_seller = RecsysRandomBelow(random, 8) == 0;
		for (int c = 0; c < ncaps; c++)
			d->labels[i][c] = RecsysRandomBelow(random, 2 + d->n / 2);
		item->labels = d->labels[i];
		for (int j = 0; j < i; j++)
		{
			d->alike[i][j] = RecsysRandomBelow(random, 5) / 4.0;
			d->alike[j][i] = RecsysRandomBelow(random, 5) / 4.0;
		}
	}
	for (int c = 0; c < ncaps; c++)
		d->caps[c] = 1 + RecsysRandomBelow(random, 2);
	for (int c = 0; c < 8; c++)
		d->target[c] = RecsysRandomBelow(random, 2) * RecsysRandomBelow(random, 100) / 100.0;
	d->rules.ncaps = ncaps;
	d->rules.caps = d->caps;
}

/* May the item be added to a list? */
static bool
may_add(const Draw *d, const int *list, int count, int item)
{
	for (int x = 0; x < count; x++)
		if (list[x] == item ||
			(d->items[item].group != 0 && d->items[list[x]].group == d->items[item].group))
			return false;
	for (int c = 0; c < d->rules.ncaps; c++)
	{
		int			same = 0;

		for (int x = 0; x < count; x++)
			same += d->labels[list[x]][c] == d->labels[item][c];
		if (d->labels[item][c] != 0 && same >= d->caps[c])
			return false;
	}
	return true;
}

static bool
keeps_rules(const Draw *d, const int *list, int count)
{
	for (int x = 0; x < count; x++)
		if (list[x] < 0 || list[x] >= d->n || !may_add(d, list, x, list[x]))
			return false;
	return true;
}

/* The most items that any list of at most k can have, by trying all */
static int
most_items(const Draw *d, int *list, int count, int next)
{
	int			best = count;

	for (int i = next; i < d->n && count < d->k && best < d->k; i++)
		if (may_add(d, list, count, i))
		{
			int			most;

			list[count] = i;
			most = most_items(d, list, count + 1, i + 1);
			best = Max(best, most);
		}
	return best;
}

static double
divergence(const double *target, const double *list)
{
	double		sum = 0;
	double		total = 0;

	for (int c = 1; c < 8; c++)
		total += target[c];
	for (int c = 1; c < 8; c++)
		if (target[c] > 0)
			sum += target[c] / total * log(target[c] / total / (0.99 * list[c] + 0.01 * target[c] / total));
	return sum;
}

/* The divergence after an item of a category has been added to the list; 0: of one that is not in the history */
static double
divergence_with(const Draw *d, const int *list, int count, uint32 category)
{
	double		shares[8] = {0};

	for (int x = 0; x < count; x++)
		shares[d->items[list[x]].category] += 1.0 / (count + 1);
	shares[category] += 1.0 / (count + 1);
	return divergence(d->target, shares);
}

static double
slow_gain(const Draw *d, const int *list, int count, uint32 category)
{
	double		nearest = INFINITY;
	double		farthest = divergence_with(d, list, count, 0);

	for (int c = 0; c < 8; c++)
		nearest = Min(nearest, divergence_with(d, list, count, c));
	return (farthest - divergence_with(d, list, count, category)) / (farthest - nearest);
}

static double
slow_value(const Draw *d, const int *list, int count, int item)
{
	double		likeness = 0;
	double		m = 0;
	double		value;

	for (int c = 1; c < 8; c++)
		if (d->target[c] > 0)
			m = d->rules.mix;
	for (int x = 0; x < count; x++)
		likeness = Max(likeness, d->rules.likeness != NULL ? d->alike[item][list[x]] :
					   d->items[item].category != 0 &&
					   d->items[item].category == d->items[list[x]].category);
	value = d->items[0].score > 0 ?
		(1 - d->rules.diversity - m) * d->items[item].score / d->items[0].score : 0;
	value += d->rules.diversity * (1 - likeness);
	if (m > 0)
		value += m * slow_gain(d, list, count, d->items[item].category);
	return value;
}

/* Is the place, from 1, the last one of 1/share places in a row? */
static bool
ends_row(double share, int place)
{
	return share > 0 && floor(place * share + 1e-9) != floor((place - 1) * share + 1e-9);
}

/* The places since the last such one, up to the place before this: is a new one there? */
static bool
is_met(const Draw *d, const int *list, int place, double share, bool sellers)
{
	for (int x = place - 1; x >= 1 && !ends_row(share, x); x--)
		if (sellers ? d->items[list[x - 1]].is_new_seller : d->items[list[x - 1]].is_new)
			return true;
	return false;
}

static double
best_value(const Draw *d, const int *list, int count, bool new_item, bool new_seller)
{
	double		best = -1;

	/* first those with a score, then those without */
	for (int tier = 0; tier < 2 && best < 0; tier++)
		for (int i = 0; i < d->n; i++)
			if (may_add(d, list, count, i) && (!new_item || d->items[i].is_new) &&
				(!new_seller || d->items[i].is_new_seller) && (d->items[i].score > 0) == (tier == 0))
				best = Max(best, slow_value(d, list, count, i));
	return best;
}

/* What value the next item of a list must have, and of which kind it must be; -1: there is none. */
static double
expected_value(const Draw *d, const int *list, int count, bool *new_item, bool *new_seller)
{
	double		a = d->rules.new_item_share;
	double		b = d->rules.new_seller_share;
	int			place = count + 1;
	bool		item = ends_row(a, place) && !is_met(d, list, place, a, false);
	bool		seller = ends_row(b, place) && !is_met(d, list, place, b, true);
	double		value;

	if (!item && !seller && place < d->k && ends_row(a, place + 1) && ends_row(b, place + 1) &&
		!is_met(d, list, place, a, false) && !is_met(d, list, place, b, true) &&
		!ends_row(a, place) && !ends_row(b, place))
		seller = true;
	for (int step = 0; step < 4; step++)
	{
		*new_item = item && step != 2 && step != 3;
		*new_seller = seller && step != 1 && step != 3;
		if ((step == 1 && !item) || (step == 2 && !seller))
			continue;
		value = best_value(d, list, count, *new_item, *new_seller);
		if (value >= 0)
			return value;
	}
	return -1;
}

/* Each place has the first of the best, as the slow reference finds them, until nothing is left. */
static bool
is_greedy(const Draw *d, const int *list, int count)
{
	for (int x = 0; x <= count && x < d->k; x++)
	{
		bool		new_item;
		bool		new_seller;
		double		value = expected_value(d, list, x, &new_item, &new_seller);

		if (x == count || value < 0)
			return x == count && value < 0;
		if ((new_item && !d->items[list[x]].is_new) ||
			(new_seller && !d->items[list[x]].is_new_seller) ||
			fabs(slow_value(d, list, x, list[x]) - value) > 1e-9)
			return false;
		/* of those that are equal the first one */
		for (int i = 0; i < list[x]; i++)
			if (may_add(d, list, x, i) && (!new_item || d->items[i].is_new) &&
				(!new_seller || d->items[i].is_new_seller) &&
				(d->items[i].score > 0 || !(d->items[list[x]].score > 0)) &&
				slow_value(d, list, x, i) > value - 1e-13)
				return false;
	}
	return true;
}

/* Lists of at most one rule that matters are greedy to the end: there is nothing to exchange. */
static void
test_places(void)
{
	RecsysRandom random;
	int			lists = 0;
	int			wrong = 0;
	int			broken = 0;

	RecsysRandomStart(&random, 14, 1);
	for (int round = 0; round < 20000; round++)
	{
		Draw		d;
		int			list[MAX_ITEMS];
		int			count;

		draw(&d, &random, MAX_ITEMS, 1, false);
		if (round % 2 == 0)
			d.rules.diversity = RecsysRandomBelow(&random, 4) / 8.0;
		if (round % 3 == 0)
			d.rules.mix = RecsysRandomBelow(&random, 4) / 8.0;
		if (round % 5 > 2)
			d.rules.new_item_share = 1.0 / (1 + RecsysRandomBelow(&random, 10));
		if (round % 7 > 3)
			d.rules.new_seller_share = (1 + RecsysRandomBelow(&random, 9)) / 20.0;
		if (round % 4 > 0)
		{
			d.rules.likeness = draw_likeness;
			d.rules.likeness_arg = &d;
		}
		d.rules.target = d.target;
		d.rules.ntarget = round % 11 == 0 ? 0 : 8;
		if (d.rules.ntarget == 0)
			memset(d.target, 0, sizeof(d.target));
		count = RecsysArrange(&d.rules, d.items, d.n, d.k, list);
		lists++;
		broken += !keeps_rules(&d, list, count) || count > d.k;
		wrong += !is_greedy(&d, list, count);
	}
	ok(broken == 0, "arranging: %d of %d lists break a rule", broken, lists);
	ok(wrong == 0, "arranging: %d of %d lists differ from the slow reference", wrong, lists);
}

/* As many as there can be, found by trying all; the share that the search of exchanges misses is told. */
static void
test_most(int ncaps, bool grouped, const char *what)
{
	RecsysRandom random;
	int			missed = 0;
	int			exchanged = 0;
	int			broken = 0;
	int			rounds = 6000;

	RecsysRandomStart(&random, 15, ncaps * 2 + grouped);
	for (int round = 0; round < rounds; round++)
	{
		Draw		d;
		int			list[MAX_ITEMS];
		int			other[MAX_ITEMS];
		int			count;
		int			greedy = 0;

		draw(&d, &random, 14, ncaps, grouped);
		if (round % 2 == 0)
			d.rules.new_item_share = 0.5;
		d.rules.exchange = true;
		count = RecsysArrange(&d.rules, d.items, d.n, d.k, list);
		broken += !keeps_rules(&d, list, count);
		for (int i = 0; i < d.n && greedy < d.k; i++)
			if (may_add(&d, other, greedy, i))
				other[greedy++] = i;
		missed += count < most_items(&d, other, 0, 0);
		exchanged += count > greedy;
	}
	ok(missed == 0 && broken == 0, "%s: %d of %d lists are shorter than they need be, %d break a rule", what,
	   missed, rounds, broken);
	ok(ncaps + grouped < 2 ? exchanged == 0 : exchanged > 50,
	   "%s: %d lists are longer than greedy ones", what, exchanged);
}

static void
test_no_rules(void)
{
	RecsysArrangeRules rules = {0};
	RecsysArrangeItem *items = palloc0(sizeof(RecsysArrangeItem) * 50000);
	int		   *list = palloc(sizeof(int) * 50000);
	bool		same = true;

	for (int i = 0; i < 50000; i++)
		items[i].score = i < 30000 ? 1.0 / (1 + i / 3) : 0;
	same &= RecsysArrange(&rules, items, 50000, 60000, list) == 50000;
	for (int i = 0; i < 50000; i++)
		same &= list[i] == i;
	ok(same, "without rules the order is that of the scores");
	ok(RecsysArrange(&rules, items, 0, 5, list) == 0 && RecsysArrange(&rules, items, 5, 0, list) == 0,
	   "no items, no places");
	pfree(items);
	pfree(list);
}

static double
counting_likeness(void *arg, int a, int b)
{
	likeness_calls++;
	return (a * 7 + b * 7) % 10 / 10.0;
}

/* That what is not needed is not asked for */
static void
test_laziness(void)
{
	RecsysArrangeRules rules = {.diversity = 0.3, .likeness = counting_likeness};
	RecsysArrangeItem *items = palloc0(sizeof(RecsysArrangeItem) * 10000);
	int			list[20];
	int			count;

	for (int i = 0; i < 10000; i++)
		items[i].score = 10.0 - i / 1000.0;
	likeness_calls = 0;
	count = RecsysArrange(&rules, items, 10000, 20, list);
	ok(count == 20 && likeness_calls > 0 && likeness_calls < 20000,
	   "diversity: likeness is asked for %d times, of 200,000", likeness_calls);
	pfree(items);
}

static int
arrange_shares(const bool *is_new, const bool *is_new_seller, int n, RecsysArrangeRules rules, int k,
			   int *list)
{
	RecsysArrangeItem items[MAX_ITEMS] = {{0}};

	for (int i = 0; i < n; i++)
	{
		items[i].score = n - i;
		items[i].is_new = is_new[i];
		items[i].is_new_seller = is_new_seller[i];
	}
	return RecsysArrange(&rules, items, n, k, list);
}

static void
test_shares(void)
{
	bool		none[MAX_ITEMS] = {false};
	bool		late[MAX_ITEMS] = {false};
	bool		later[MAX_ITEMS] = {false};
	int			list[MAX_ITEMS];

	late[30] = late[31] = true;
	later[35] = later[36] = true;
	arrange_shares(late, none, 40, (RecsysArrangeRules) {.new_item_share = 0.1}, 20, list);
	ok(list[9] == 30 && list[19] == 31 && list[8] == 8 && list[10] == 9,
	   "a share of a tenth: the tenth and the twentieth place");
	arrange_shares(late, later, 40, (RecsysArrangeRules) {.new_item_share = 0.1, .new_seller_share = 0.1}, 10, list);
	ok(list[9] == 30 && list[8] == 35 && list[7] == 7,
	   "both shares at one place: the new seller has the one before");
	arrange_shares(late, late, 40, (RecsysArrangeRules) {.new_item_share = 0.1, .new_seller_share = 0.1}, 10, list);
	ok(list[8] == 30 && list[9] == 8, "an item that is both will do for both");
	arrange_shares(late, none, 40, (RecsysArrangeRules) {.new_item_share = 0.05}, 10, list);
	ok(list[9] == 9, "a share of less than one place has none");
	arrange_shares(late, none, 40, (RecsysArrangeRules) {.new_item_share = 0.05, .last_is_new_item = true}, 10, list);
	ok(list[9] == 30 && list[8] == 8, "unless the last place is kept");
	arrange_shares(late, none, 40, (RecsysArrangeRules) {.new_item_share = 1}, 4, list);
	ok(list[0] == 30 && list[1] == 31 && list[2] == 0 && list[3] == 1, "all places, as long as there are new ones");
	arrange_shares(none, none, 40, (RecsysArrangeRules) {.new_item_share = 0.5, .new_seller_share = NAN}, 4, list);
	ok(list[0] == 0 && list[3] == 3, "without new ones the places go to the best");
}

static bool
near(double value, double expected)
{
	return fabs(value - expected) < 1e-9;
}

static void
test_factors(void)
{
	ok(near(RecsysShrunkMean(10, 2, 8, 4), 4.2) && near(RecsysShrunkMean(0, 0, 8, 4), 4) &&
	   near(RecsysShrunkMean(NAN, NAN, 8, 4), 4) && near(RecsysShrunkMean(10, 2, 0, 4), 5) &&
	   isnan(RecsysShrunkMean(0, 0, 8, NAN)), "shrunk means: 5 twice with 8 at 4 is 4.2");
	/* the interval of 8 of 10 as it is tabulated: 0.4902 to 0.9433 */
	ok(fabs(RecsysWilsonLower(8, 10, 1.959964) - 0.49016) < 1e-5 && RecsysWilsonLower(0, 5, 1.96) == 0 &&
	   fabs(RecsysWilsonLower(5, 5, 1.959964) - 0.56552) < 1e-5 && isnan(RecsysWilsonLower(0, 0, 1.96)),
	   "Wilson's lower bound (%.5f, %.5f)", RecsysWilsonLower(8, 10, 1.959964), RecsysWilsonLower(5, 5, 1.959964));
	ok(near(RecsysQualityFactor(4.2, 4), 1.05) && RecsysQualityFactor(1, 4) == 0.5 &&
	   RecsysQualityFactor(10, 4) == 2 && RecsysQualityFactor(3, 0) == 1 && RecsysQualityFactor(NAN, 4) == 1,
	   "a seller's factor is between a half and two");
	ok(near(RecsysPriceFactor(20, log(20), 0.5, 1), 2) && near(RecsysPriceFactor(1e9, log(20), 0.5, 1), 0.5) &&
	   near(RecsysPriceFactor(20, log(20), 0.5, 0.5), sqrt(2)) &&
	   near(RecsysPriceFactor(20 * exp(0.5 * sqrt(2 * log(2))), log(20), 0.5, 1), 1) &&
	   near(RecsysPriceFactor(40, log(20), 0.5, 1), RecsysPriceFactor(10, log(20), 0.5, 1)),
	   "a price's factor: 2 at the user's level, 1/2 far away");
	ok(RecsysPriceFactor(0, 1, 1, 1) == 1 && RecsysPriceFactor(NAN, 1, 1, 1) == 1 &&
	   RecsysPriceFactor(5, NAN, 1, 1) == 1 && RecsysPriceFactor(5, 1, 1, 0) == 1 &&
	   RecsysPriceFactor(-5, 1, 1, 1) == 1, "prices that say nothing");
	/* 1 / log2(4) is 1/2, 1 / log2(8) is 1/3 */
	ok(RecsysImpressionWeight(1) == 1 && near(RecsysImpressionWeight(3), 0.5) &&
	   near(RecsysImpressionWeight(7), 1.0 / 3) && near(RecsysImpressionWeight(10), 0.289064826), "impressions by their places");
	ok(near(RecsysFatigueFactor(0.19, 0.5), 0.9) && near(RecsysFatigueFactor(0.5, 3), 0.125) &&
	   RecsysFatigueFactor(0, 9) == 1 && RecsysFatigueFactor(1, 0) == 1 && RecsysFatigueFactor(NAN, 1) == 1 &&
	   RecsysFatigueFactor(0.5, NAN) == 1 && RecsysFatigueFactor(1, 0.3) > 0 && RecsysFatigueFactor(0.9, 1e9) > 0,
	   "what is left after impressions in vain");
}

void
test_arrange(void)
{
	test_factors();
	test_no_rules();
	test_shares();
	test_places();
	test_most(0, true, "groups");
	test_most(1, false, "one cap");
	test_most(1, true, "groups and a cap");
	test_most(2, false, "two caps");
	test_most(2, true, "groups and two caps");
	test_most(3, true, "groups and three caps");
	test_laziness();
}
