/*
 * test_rule_measures.c
 *	  Tests of core/rules/rule_measures: values worked out by hand, and Fisher's test
 *	  against the sum of its definition.
 */
#include "core/rules/rule_measures.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

static bool
near(double value, double expected, double relative)
{
	if (value == expected)
		return true;
	return fabs(value - expected) <= relative * fabs(expected);
}

/* 200 baskets, 40 with X, 50 with Y, 20 with both */
static void
test_by_hand(void)
{
	static const RecsysRuleCounts counts = {20, 40, 50, 200};
	static const double expected[RECSYS_RULE_MEASURES] =
	{
		20,						/* support */
		0.1,					/* 20 / 200 */
		0.5,					/* 20 / 40 */
		2,						/* 20 * 200 / (40 * 50) */
		0.05,					/* 0.1 - 0.2 * 0.25 */
		1.5,					/* 0.2 * 0.75 / 0.1 */
		20.0 / 70,				/* jaccard */
		0.44721359549995794,	/* 20 / sqrt(2000) = 1 / sqrt(5) */
		0.45,					/* (0.5 + 0.4) / 2 */
		10.0 / 70,				/* imbalance */
		50.0 / 3,				/* 200 * 2000^2 / (40 * 50 * 160 * 150) */
		4.4557090604056078e-05, /* erfc(sqrt(25 / 3)) */
		0.00010580243109906178	/* sum of C(40, k) C(160, 50 - k) / C(200, 50), k = 20 .. 40 */
	};

	for (int x = 0; x < RECSYS_RULE_MEASURES; x++)
	{
		RecsysRuleMeasure parsed;
		double		value = RecsysRuleMeasureValue((RecsysRuleMeasure) x, &counts);

		if (x == RECSYS_RULE_ADJUSTED_P)
			continue;

		ok(near(value, expected[x], 1e-13) &&
		   RecsysRuleMeasureParse(RecsysRuleMeasureName((RecsysRuleMeasure) x), &parsed) &&
		   parsed == (RecsysRuleMeasure) x,
		   "rule measure %s: %.17g", RecsysRuleMeasureName((RecsysRuleMeasure) x), value);
	}
}

static void
test_borders(void)
{
	static const RecsysRuleCounts certain = {10, 10, 20, 100};
	static const RecsysRuleCounts everywhere = {10, 10, 100, 100};
	static const RecsysRuleCounts same = {10, 10, 10, 10};
	static const RecsysRuleCounts extreme = {500000, 500000, 500000, 1000000};
	RecsysRuleMeasure measure;
	bool		sane = true;

	ok(isinf(RecsysRuleMeasureValue(RECSYS_RULE_CONVICTION, &certain)),
	   "conviction of a rule without exception is infinite");
	ok(RecsysRuleMeasureValue(RECSYS_RULE_CONVICTION, &everywhere) == 1 &&
	   RecsysRuleMeasureValue(RECSYS_RULE_CHI_SQUARE, &everywhere) == 0 &&
	   RecsysRuleMeasureValue(RECSYS_RULE_CHI_SQUARE_P, &everywhere) == 1 &&
	   RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, &everywhere) == 1,
	   "a consequent that every basket holds tells nothing");
	for (int x = 0; x < RECSYS_RULE_MEASURES; x++)
		sane = sane && !isnan(RecsysRuleMeasureValue((RecsysRuleMeasure) x, &same)) &&
			!isnan(RecsysRuleMeasureValue((RecsysRuleMeasure) x, &extreme));
	ok(sane, "no measure is NaN when all baskets are alike, or a million split in halves");
	ok(!RecsysRuleMeasureParse("", &measure) && !RecsysRuleMeasureParse("lif", &measure) &&
	   !RecsysRuleMeasureParse("lift2", &measure) && RecsysRuleMeasureParse("LIFT", &measure) &&
	   measure == RECSYS_RULE_LIFT, "names of measures");
}

/* The definition, by binomial coefficients as sums of logarithms */
static double
slow_fisher(const RecsysRuleCounts *t)
{
	double		sum = 0;
	uint64		lowest = t->antecedent + t->consequent > t->baskets ?
		t->antecedent + t->consequent - t->baskets : 0;

	for (uint64 k = Max(t->both, lowest); k <= Min(t->antecedent, t->consequent); k++)
		sum += exp(lgamma(t->antecedent + 1.0) - lgamma(k + 1.0) - lgamma(t->antecedent - k + 1.0) +
				   lgamma(t->baskets - t->antecedent + 1.0) - lgamma(t->consequent - k + 1.0) -
				   lgamma(t->baskets - t->antecedent - t->consequent + k + 1.0) -
				   lgamma(t->baskets + 1.0) + lgamma(t->consequent + 1.0) +
				   lgamma(t->baskets - t->consequent + 1.0));
	return Min(sum, 1);
}

static void
test_fisher(void)
{
	/* by exact arithmetic on fractions */
	static const struct
	{
		RecsysRuleCounts counts;
		double		p;
	}			exact[] =
	{
		{{8, 10, 12, 40}, 0.00022808187194485008},
		{{3, 10, 12, 40}, 0.64473886650057632},
		{{2, 20, 30, 200}, 0.83907098304861283},
		{{120, 300, 500, 2000}, 3.1464897538769395e-10},
		{{60, 1000, 1200, 20000}, 0.52005359775095139},
		{{200, 1000, 1200, 20000}, 9.2321775418053628e-55}
	};
	Random		random;
	int			wrong = 0;
	bool		right = true;

	for (int x = 0; x < (int) lengthof(exact); x++)
		right = right && near(RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, &exact[x].counts),
							  exact[x].p, 1e-12);
	ok(right, "Fisher's test against fractions");

	random_seed(&random, 7);
	for (int round = 0; round < 2000; round++)
	{
		RecsysRuleCounts t;
		double		p;
		uint64		lowest;
		uint64		highest;

		t.baskets = 1 + (uint64) (random_unit(&random) * (round % 2 ? 40 : 3000));
		t.antecedent = 1 + (uint64) (random_unit(&random) * t.baskets);
		t.consequent = 1 + (uint64) (random_unit(&random) * t.baskets);
		lowest = t.antecedent + t.consequent > t.baskets ? t.antecedent + t.consequent - t.baskets : 0;
		highest = Min(t.antecedent, t.consequent);
		t.both = lowest + (uint64) (random_unit(&random) * (highest - lowest + 1));
		p = RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, &t);
		if (fabs(p - slow_fisher(&t)) > 1e-8 * slow_fisher(&t) + 1e-300 || p < 0 || p > 1)
			wrong++;
	}
	ok(wrong == 0, "Fisher's test against its definition (%d of 2000 differ)", wrong);
}

/* Benjamini and Hochberg's own words, for every p the least over the ranks behind it */
static void
test_adjustment(void)
{
	/* the 15 p-values of their paper, section 3.1 */
	static const double paper[] =
	{
		0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
		0.4262, 0.5719, 0.6528, 0.7590, 1.0000
	};
	double		ordered[300];
	double		sorted[300];
	double		p[300];
	Random		random;
	int			rejected = 0;
	int			wrong = 0;

	memcpy(ordered, paper, sizeof(paper));
	RecsysAdjustPrepare(ordered, sorted, lengthof(paper));
	for (int i = 0; i < (int) lengthof(paper); i++)
		rejected += RecsysAdjusted(ordered, sorted, lengthof(paper), paper[i]) <= 0.05;
	ok(rejected == 4, "Benjamini and Hochberg reject four hypotheses at 0.05, as their paper says");

	random_seed(&random, 11);
	for (int i = 0; i < 300; i++)
	{
		p[i] = random_unit(&random);
		if (i % 3 == 0)
			p[i] = floor(p[i] * 10) / 1000;	/* with ties, and zeros */
	}
	memcpy(ordered, p, sizeof(p));
	RecsysAdjustPrepare(ordered, sorted, 300);
	for (int i = 0; i < 300; i++)
	{
		double		least = 1;

		for (int j = 0; j < 300; j++)
		{
			int			rank = 0;

			for (int other = 0; other < 300; other++)
				rank += p[other] <= p[j];
			if (p[j] >= p[i])
				least = Min(least, p[j] * 300 / rank);
		}
		wrong += !near(RecsysAdjusted(ordered, sorted, 300, p[i]), least, 1e-14);
	}
	ok(wrong == 0, "adjusted p-values against their definition (%d of 300 differ)", wrong);
}

typedef unsigned __int128 Large;

/* Is value, which is positive, the double nearest to n / d?  n and d have at most 64 bits. */
static bool
is_nearest(double value, Large n, Large d)
{
	int			exponent;
	Large		digits = (Large) ldexp(frexp(value, &exponent), 53);

	/* digits * 2^(exponent - 53), give or take a half of the last one */
	exponent -= 54;
	while (exponent > 0 && exponent-- > 0)
		d *= 2;
	while (exponent < 0 && n >> 126 == 0)
	{
		n *= 2;
		exponent++;
	}
	if (exponent < 0)
		return false;
	return (2 * digits - 1) * d <= n && n <= (2 * digits + 1) * d;
}

static bool
is_cosine(double value, uint64 c, uint64 x, uint64 y)
{
	long double exact = c / sqrtl((long double) x * y);
	double		half = (nextafter(value, 2) - value) / 2;

	return fabsl(value - exact) <= half * 1.002L;
}

/* Every quotient of integers is rounded once. */
static void
test_rounding(void)
{
	static const RecsysRuleCounts nine_twentieths = {9, 15, 30, 100};
	int			wrong[RECSYS_RULE_MEASURES] = {0};
	Random		random;

	random_seed(&random, 16);
	ok(RecsysRuleMeasureValue(RECSYS_RULE_KULCZYNSKI, &nine_twentieths) >= 0.45, "9/20 is at least 0.45");

	for (int i = 0; i < 20000; i++)
	{
		RecsysRuleCounts t;
		Large		c;
		Large		x;
		Large		y;
		Large		all;
		Large		apart;
		RecsysRuleMeasure m;

		t.baskets = 4 + random_bits(&random) % (i % 2 == 0 ? UINT64CONST(4000) : UINT64CONST(60000));
		if (i % 4 == 3)
			t.baskets = UINT64CONST(1000000000) + random_bits(&random) % UINT64CONST(3000000000);
		t.antecedent = 2 + random_bits(&random) % (t.baskets - 3);
		t.consequent = 1 + random_bits(&random) % (t.baskets - 2);
		t.both = 1 + random_bits(&random) % Min(t.antecedent, t.consequent);
		if (t.both == t.antecedent)
			t.both--;
		if (t.antecedent + t.consequent > t.baskets + t.both)
			t.both = t.antecedent + t.consequent - t.baskets;
		if (t.both == t.antecedent || t.both > t.consequent)
			continue;
		c = t.both;
		x = t.antecedent;
		y = t.consequent;
		all = t.baskets;

#define CHECK(measure, n, d) \
	(m = (measure), wrong[m] += !is_nearest(fabs(RecsysRuleMeasureValue(m, &t)), (n), (d)))
		CHECK(RECSYS_RULE_SUPPORT_SHARE, c, all);
		CHECK(RECSYS_RULE_CONFIDENCE, c, x);
		CHECK(RECSYS_RULE_LIFT, c * all, x * y);
		CHECK(RECSYS_RULE_CONVICTION, x * (all - y), all * (x - c));
		CHECK(RECSYS_RULE_JACCARD, c, x + y - c);
		if (x != y)
			CHECK(RECSYS_RULE_IMBALANCE_RATIO, x > y ? x - y : y - x, x + y - c);
		apart = c * all > x * y ? c * all - x * y : x * y - c * all;
		if (apart > 0)
			CHECK(RECSYS_RULE_LEVERAGE, apart, all * all);
		if (2 * x * y >> 64 == 0)
			CHECK(RECSYS_RULE_KULCZYNSKI, c * (x + y), 2 * x * y);
		if (apart > 0 && all <= 4004)
			CHECK(RECSYS_RULE_CHI_SQUARE, all * apart * apart, x * y * (all - x) * (all - y));
		wrong[RECSYS_RULE_COSINE] += !is_cosine(RecsysRuleMeasureValue(RECSYS_RULE_COSINE, &t),
												t.both, t.antecedent, t.consequent);
	}
	for (int m = RECSYS_RULE_SUPPORT_SHARE; m <= RECSYS_RULE_CHI_SQUARE; m++)
		ok(wrong[m] == 0, "%s is the double next to the fraction (%d are not)",
		   RecsysRuleMeasureName((RecsysRuleMeasure) m), wrong[m]);
}

void
test_rule_measures(void)
{
	test_by_hand();
	test_rounding();
	test_borders();
	test_fisher();
	test_adjustment();
}
