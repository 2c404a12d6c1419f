/*
 * rule_measures.c
 *	  What an association rule is worth: every formula and where it comes from.
 *
 * A rule X -> Y says that baskets with X tend to hold Y, too.  Notation: c =
 * baskets with X and Y, x = with X, y = with Y, N = all; P() = share of N.
 *
 * support			c, support_share c / N			(Agrawal, Imielinski, Swami 1993;
 *					Agrawal, Srikant 1994, "Fast algorithms for mining
 *					association rules")
 * confidence		c / x = P(Y | X)				(the same)
 * lift				c N / (x y)						(Brin, Motwani, Ullman, Tsur 1997,
 *					"Dynamic itemset counting and implication rules for
 *					market basket data", there called interest)
 * leverage			P(XY) - P(X) P(Y)				(Piatetsky-Shapiro 1991,
 *					"Discovery, analysis, and presentation of strong rules")
 * conviction		P(X) P(not Y) / P(X, not Y)		(Brin et al. 1997); infinite
 *					for a rule without exception, 1 if every basket holds Y
 * jaccard			c / (x + y - c)					(Jaccard 1901)
 * cosine			c / sqrt(x y)					(Ochiai 1957; Tan, Kumar,
 *					Srivastava 2004, "Selecting the right objective measure
 *					for association analysis", there called IS)
 * kulczynski		(P(Y | X) + P(X | Y)) / 2		(Kulczynski 1927; Wu, Chen,
 *					Han 2010, "Re-examination of interestingness measures in
 *					pattern mining: a unified framework")
 * imbalance_ratio	|x - y| / (x + y - c)			(Wu, Chen, Han 2010)
 * chi_square		N (c N - x y)^2 / (x y (N - x) (N - y)), Pearson's statistic
 *					of the two-by-two table, without continuity correction
 *					(Brin, Motwani, Silverstein 1997, "Beyond market baskets:
 *					generalizing association rules to correlations"); 0 where
 *					every basket holds X or every basket holds Y
 * chi_square_p		its upper tail with one degree of freedom,
 *					erfc(sqrt(chi_square / 2))
 * fisher_p			Fisher's exact test, one-sided: the probability of c or more
 *					baskets with both, were X and Y independent, which is the
 *					upper tail of the hypergeometric distribution
 *					(Fisher 1935; for rules Webb 2007, "Discovering significant
 *					patterns")
 * adjusted_p		fisher_p, adjusted for the number of rules tested so that
 *					those below a threshold q are false discoveries in a share of
 *					q or less (Benjamini, Hochberg 1995, "Controlling the false
 *					discovery rate")
 *
 * Numerics.  A threshold such as kulczynski >= 0.45 must let 9/20 pass, so every
 * measure that is a quotient of integers (cosine: by a square root) is rounded
 * once, as the threshold was: numerator and denominator are kept as sums of two
 * doubles, which hold products of counts exactly where they have up to 106 bits
 * and to 30 digits beyond that (Dekker 1971, "A floating-point technique for
 * extending the available precision").
 *
 * A hypergeometric probability is a quotient of three binomial ones,
 * and those come by Loader's saddle-point expansion (Loader 2000, "Fast and
 * accurate computation of binomial probabilities"), which loses no digits where
 * differences of log-factorials of millions would.  It is needed once; the tail
 * follows by the ratio of successive terms, relative to the first.
 */
#include "core/rules/rule_measures.h"

#include <math.h>

/* Terms of a tail this much smaller than their sum change nothing. */
#define NEGLIGIBLE 1e-17

static const char *const measure_names[RECSYS_RULE_MEASURES] =
{
	"support", "support_share", "confidence", "lift", "leverage", "conviction", "jaccard",
	"cosine", "kulczynski", "imbalance_ratio", "chi_square", "chi_square_p", "fisher_p",
	"adjusted_p"
};

bool
RecsysRuleMeasureParse(const char *name, RecsysRuleMeasure *measure)
{
	for (int x = 0; x < RECSYS_RULE_MEASURES; x++)
	{
		const char *a = name;
		const char *b = measure_names[x];

		while (*b != '\0' && (*a == *b || (*a >= 'A' && *a <= 'Z' && *a - 'A' + 'a' == *b)))
		{
			a++;
			b++;
		}
		if (*a == '\0' && *b == '\0')
		{
			*measure = (RecsysRuleMeasure) x;
			return true;
		}
	}
	return false;
}

const char *
RecsysRuleMeasureName(RecsysRuleMeasure measure)
{
	return measure_names[measure];
}

bool
RecsysRuleMeasureAscends(RecsysRuleMeasure measure)
{
	return measure == RECSYS_RULE_IMBALANCE_RATIO || measure == RECSYS_RULE_CHI_SQUARE_P ||
		measure == RECSYS_RULE_FISHER_P || measure == RECSYS_RULE_ADJUSTED_P;
}

/*
 * ln(n!) minus Stirling's formula for it, (n + 1/2) ln n - n + ln(2 pi) / 2.
 */
static double
stirling_error(double n)
{
	static const double exact[16] =
	{
		0.0,
		0.081061466795327258219670, 0.041340695955409294093822, 0.027677925684998339148789,
		0.020790672103765093111523, 0.016644691189821192163195, 0.013876128823070747998746,
		0.011896709945891770095056, 0.010411265261972096497479, 0.009255462182712732917729,
		0.008330563433362871256469, 0.007573675487951840794972, 0.006942840107209529865664,
		0.006408994188004207068440, 0.005951370112758847735624, 0.005554733551962801371039
	};
	double		square = n * n;

	if (n < 16)
		return exact[(int) n];
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) /
						square) / square) / n;
}

/* x ln(x / m) + m - x, the deviance, without cancellation where x is near m */
static double
deviance(double x, double m)
{
	double		difference = x - m;

	if (fabs(difference) < 0.1 * (x + m))
	{
		double		v = difference / (x + m);
		double		sum = difference * v;
		double		term = 2 * x * v;
		double		square = v * v;

		for (int j = 1; j < 1000; j++)
		{
			double		next;

			term *= square;
			next = sum + term / (2 * j + 1);
			if (next == sum)
				break;
			sum = next;
		}
		return sum;
	}
	return x * log(x / m) - difference;
}

/* Logarithm of the binomial probability of x out of n, p + q = 1, both positive */
static double
log_binomial(double x, double n, double p, double q)
{
	if (x == 0)
		return n == 0 ? 0 : (p < 0.1 ? -deviance(n, n * q) - n * p : n * log(q));
	if (x == n)
		return q < 0.1 ? -deviance(n, n * p) - n * q : n * log(p);
	return stirling_error(n) - stirling_error(x) - stirling_error(n - x) -
		deviance(x, n * p) - deviance(n - x, n * q) -
		0.5 * (log(2 * M_PI) + log(x) + log1p(-x / n));
}

/*
 * Sum of hypergeometric probabilities from k on, upwards or downwards.  The
 * term at k must not be smaller than the ones that follow by much, or the sum
 * takes long; callers start on the tail's side of the mode.
 */
static double
hypergeometric_tail(double k, const RecsysRuleCounts *counts, bool upwards)
{
	double		x = (double) counts->antecedent;
	double		y = (double) counts->consequent;
	double		all = (double) counts->baskets;
	double		rest = all - x - y;
	double		lowest = Max(0.0, -rest);
	double		highest = Min(x, y);
	double		drawn = x / all;
	double		left = (all - x) / all;
	double		first;
	double		term = 1;
	double		sum = 1;
	uint32		n = 0;

	/* the baskets with X are drawn out of all: k of them are among the y */
	first = log_binomial(k, y, drawn, left) + log_binomial(x - k, all - y, drawn, left) -
		log_binomial(x, all, drawn, left);
	while (upwards ? k < highest : k > lowest)
	{
		if (upwards)
		{
			term *= (x - k) * (y - k) / ((k + 1) * (rest + k + 1));
			k++;
		}
		else
		{
			term *= k * (rest + k) / ((x - k + 1) * (y - k + 1));
			k--;
		}
		sum += term;
		if (term < sum * NEGLIGIBLE)
			break;
		if (++n % 1048576 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return exp(first + log(sum));
}

static double
fisher_p(const RecsysRuleCounts *counts)
{
	double		x = (double) counts->antecedent;
	double		y = (double) counts->consequent;
	double		all = (double) counts->baskets;
	double		c = (double) counts->both;

	/* only one table has these margins */
	if (x >= all || y >= all || c <= Max(0.0, x + y - all))
		return 1;

	/* beyond the mode, (x + 1) (y + 1) / (N + 2), the upper tail falls */
	if (c * (all + 2) >= (x + 1) * (y + 1))
		return Min(hypergeometric_tail(c, counts, true), 1.0);
	return Max(1 - hypergeometric_tail(c - 1, counts, false), 0.0);
}

/* The unevaluated sum of two doubles, the second less than half a digit of the first */
typedef struct Pair
{
	double		high;
	double		low;
} Pair;

/* Integers up to here are doubles. */
#define EXACT_INTEGERS 9007199254740992.0

static Pair
sum_of(double a, double b)
{
	double		sum = a + b;
	double		part = sum - a;

	return (Pair) {sum, (a - (sum - part)) + (b - part)};
}

/* Product of integers */
static Pair
product(double a, double b)
{
	double		high = a * b;

	return (Pair) {high, high < EXACT_INTEGERS ? 0 : fma(a, b, -high)};
}

static Pair
times(Pair a, Pair b)
{
	double		high = a.high * b.high;
	double		low = fma(a.high, b.high, -high);

	return sum_of(high, low + (a.high * b.low + a.low * b.high));
}

static Pair
difference(Pair a, Pair b)
{
	Pair		high = sum_of(a.high, -b.high);
	Pair		low = sum_of(a.low, -b.low);
	Pair		sum = sum_of(high.high, high.low + low.high);

	return sum_of(sum.high, sum.low + low.low);
}

/* Rounded once */
static double
quotient(Pair a, Pair b)
{
	double		value = a.high / b.high;

	if (a.low == 0 && b.low == 0)
		return value;
	return value + (fma(-value, b.high, a.high) + (a.low - value * b.low)) / b.high;
}

/* c / sqrt(x y) */
static double
cosine(double c, double x, double y)
{
	Pair		square = product(x, y);
	double		root = sqrt(square.high);
	double		rest = fma(-root, root, square.high) + square.low;

	return quotient((Pair) {c, 0}, (Pair) {root, rest / (2 * root)});
}

static double
chi_square(double c, double x, double y, double all)
{
	Pair		deviation;

	if (x >= all || y >= all)
		return 0;
	deviation = difference(product(c, all), product(x, y));
	return quotient(times(times(deviation, deviation), (Pair) {all, 0}),
					times(product(x, all - x), product(y, all - y)));
}

double
RecsysRuleMeasureValue(RecsysRuleMeasure measure, const RecsysRuleCounts *counts)
{
	double		c = (double) counts->both;
	double		x = (double) counts->antecedent;
	double		y = (double) counts->consequent;
	double		all = (double) counts->baskets;

	switch (measure)
	{
		case RECSYS_RULE_SUPPORT:
			return c;
		case RECSYS_RULE_SUPPORT_SHARE:
			return c / all;
		case RECSYS_RULE_CONFIDENCE:
			return c / x;
		case RECSYS_RULE_LIFT:
			return quotient(product(c, all), product(x, y));
		case RECSYS_RULE_LEVERAGE:
			return quotient(difference(product(c, all), product(x, y)), product(all, all));
		case RECSYS_RULE_CONVICTION:
			if (y >= all)
				return 1;
			return c >= x ? INFINITY : quotient(product(x, all - y), product(all, x - c));
		case RECSYS_RULE_JACCARD:
			return c / (x + y - c);
		case RECSYS_RULE_COSINE:
			return cosine(c, x, y);
		case RECSYS_RULE_KULCZYNSKI:
			return quotient(product(c, x + y), product(2 * x, y));
		case RECSYS_RULE_IMBALANCE_RATIO:
			return fabs(x - y) / (x + y - c);
		case RECSYS_RULE_CHI_SQUARE:
			return chi_square(c, x, y, all);
		case RECSYS_RULE_CHI_SQUARE_P:
			return erfc(sqrt(chi_square(c, x, y, all) / 2));
		case RECSYS_RULE_FISHER_P:
			return fisher_p(counts);
		case RECSYS_RULE_ADJUSTED_P:
			break;
	}
	return 0;
}

/*
 * Radix sort of numbers that are not negative, whose order is that of their
 * bits.  Eight passes, so that the result ends up where it came from.
 */
static void
sort_doubles(double *numbers, double *spare, uint64 n)
{
	for (int shift = 0; shift < 64; shift += 8)
	{
		uint64		places[257] = {0};
		double	   *swap;

		for (uint64 i = 0; i < n; i++)
		{
			uint64		bits;

			memcpy(&bits, &numbers[i], sizeof(bits));
			places[((bits >> shift) & 0xFF) + 1]++;
		}
		for (int digit = 1; digit <= 256; digit++)
			places[digit] += places[digit - 1];
		for (uint64 i = 0; i < n; i++)
		{
			uint64		bits;

			memcpy(&bits, &numbers[i], sizeof(bits));
			spare[places[(bits >> shift) & 0xFF]++] = numbers[i];
			if (i % 1048576 == 0)
				CHECK_FOR_INTERRUPTS();
		}
		swap = numbers;
		numbers = spare;
		spare = swap;
	}
}

/*
 * The i-th smallest of n p-values (from 1) becomes the least of n p_j / j over
 * all j >= i (Benjamini, Hochberg 1995).
 */
void
RecsysAdjustPrepare(double *ordered, double *sorted, uint64 n)
{
	double		least = 1;

	sort_doubles(ordered, sorted, n);
	for (uint64 i = n; i > 0; i--)
	{
		least = Min(least, ordered[i - 1] * ((double) n / (double) i));
		sorted[i - 1] = least;
	}
}

double
RecsysAdjusted(const double *ordered, const double *sorted, uint64 n, double p)
{
	uint64		low = 0;
	uint64		high = n;

	/* equal p-values have the same adjusted one: that of the first of them */
	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (ordered[middle] < p)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n ? sorted[low] : 1;
}
