/*
 * test_burst.c
 *	  Tests of core/sequence/burst against what its comments say, written plainly.
 */
#include "core/sequence/burst.h"

#include "generate.h"
#include "tap.h"

#define MOST_ITEMS 50

typedef struct Counted
{
	double		lately;
	double		base;
} Counted;

/* Users of an item among n: its share of all items' bases, one user more for each, of all lately */
static double
plain_expected(const Counted *items, int n, int item)
{
	double		bases = 0;
	double		lately = 0;

	for (int x = 0; x < n; x++)
	{
		if (items[x].lately + items[x].base <= 0)
			continue;
		bases += items[x].base + 1;
		lately += items[x].lately;
	}
	return (items[item].base + 1) / bases * lately;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * Max(1, fabs(b));
}

/* What is expected adds up to what there is, and is what the plain formula says. */
static bool
shop_is_plain(Random *random)
{
	Counted		items[MOST_ITEMS];
	RecsysBurstTotals totals = {0};
	int			n = 1 + (int) (random_bits(random) % MOST_ITEMS);
	double		sum = 0;
	bool		same = true;

	for (int x = 0; x < n; x++)
	{
		items[x].lately = random_bits(random) % 3 == 0 ? 0 : random_bits(random) % 1000;
		items[x].base = random_bits(random) % 3 == 0 ? 0 : random_bits(random) % 10000;
		totals.items += items[x].lately + items[x].base > 0;
		totals.lately += items[x].lately;
		totals.base += items[x].base;
	}
	for (int x = 0; x < n; x++)
	{
		double		expected = RecsysBurstExpected(items[x].base, &totals);

		if (items[x].lately + items[x].base <= 0)
			continue;
		sum += expected;
		same &= near(expected, plain_expected(items, n, x));
		same &= near(RecsysBurstScore(items[x].lately, expected),
					 sqrt(items[x].lately) + sqrt(items[x].lately + 1) - sqrt(4 * expected + 1));
	}
	return same && near(sum, totals.lately);
}

/* Standard deviation of the score of a Poisson variable, and its share of scores of 3 or more */
static void
poisson(double mean, double *deviation, double *beyond)
{
	double		probability = exp(-mean);
	double		sum = 0;
	double		squares = 0;

	*beyond = 0;
	for (int x = 0; x < 20 * mean + 100; x++)
	{
		double		score = RecsysBurstScore(x, mean);

		sum += probability * score;
		squares += probability * score * score;
		*beyond += score >= 3 ? probability : 0;
		probability *= mean / (x + 1);
	}
	*deviation = sqrt(squares - sum * sum);
}

static bool
is_standardized(void)
{
	double		means[] = {2, 5, 10, 50, 200};
	bool		good = true;

	for (int x = 0; x < (int) lengthof(means); x++)
	{
		double		deviation;
		double		beyond;

		poisson(means[x], &deviation, &beyond);
		good &= deviation > 0.9 && deviation < 1.1 && beyond < 0.002;
	}
	return good;
}

static bool
is_monotonic(void)
{
	bool		rises = true;

	for (int x = 0; x < 1000; x++)
	{
		rises &= RecsysBurstScore(x + 1, 10) > RecsysBurstScore(x, 10);
		rises &= RecsysBurstScore(10, x + 1) < RecsysBurstScore(10, x);
	}
	return rises;
}

void
test_burst(void)
{
	Random		random;
	RecsysBurstTotals nothing = {0};
	bool		plain = true;

	random_seed(&random, 11);
	for (int number = 0; number < 200; number++)
		plain &= shop_is_plain(&random);
	ok(plain, "burst: what is expected of items is their share of the base, and adds up");
	ok(RecsysBurstExpected(0, &nothing) == 0, "burst: an empty shop expects nothing");
	ok(is_standardized(), "burst: scores of Poisson variables have a deviation of one, and are rarely 3");
	ok(is_monotonic(), "burst: scores rise with users, and fall with what was expected");
	ok(RecsysBurstScore(0, 0) == 0 && RecsysBurstScore(1e9, 1) > RecsysBurstScore(1e8, 1),
	   "burst: nothing, and very many");
}
