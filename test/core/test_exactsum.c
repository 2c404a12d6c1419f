/*
 * test_exactsum.c
 *	  Tests of core/rows/exactsum, and of the weights that item sets are mined with,
 *	  against integers of 128 bits.
 */
#include "core/itemset/itemset_weight.h"
#include "core/rows/exactsum.h"
#include "generate.h"
#include "tap.h"

#include <math.h>

#define MOST_NUMBERS 1000

/* References count in units of 10^-UNIT_DIGITS. */
#define UNIT_DIGITS 15

typedef __int128 Wide;

static uint32
random_below(Random *random, uint32 n)
{
	return (uint32) (random_bits(random) % n);
}

static Wide
power(int digits)
{
	Wide		result = 1;

	while (digits-- > 0)
		result *= 10;
	return result;
}

/* The double next to so many units, read as text */
static double
read_units(Wide units)
{
	char		text[64];
	int			place = sizeof(text) - 5;
	bool		negative = units < 0;

	memcpy(text + place, "e-15", 5);
	if (negative)
		units = -units;
	do
	{
		text[--place] = '0' + (char) (units % 10);
		units /= 10;
	} while (units > 0);
	if (negative)
		text[--place] = '-';
	return strtod(text + place, NULL);
}

static Wide
random_digits(Random *random, int digits)
{
	Wide		number = 0;

	for (int x = 0; x < digits; x++)
		number = number * 10 + random_below(random, 10);
	return random_below(random, 3) == 0 ? -number : number;
}

typedef struct Numbers
{
	int			n;
	double		numbers[MOST_NUMBERS];
	Wide		sum;			/* in units */
	Wide		size;			/* the same of absolute values */
} Numbers;

/* Numbers of at most 15 digits; what they look like depends on the round. */
static void
make_numbers(Random *random, int round, Numbers *made)
{
	made->n = 1 + random_below(random, round % 10 == 0 ? MOST_NUMBERS : 20);
	made->sum = made->size = 0;
	for (int x = 0; x < made->n; x++)
	{
		int			digits;
		int			decimals;
		Wide		units;

		switch (round % 4)
		{
			case 0:				/* quantities */
				digits = 1 + random_below(random, 3);
				decimals = 0;
				break;
			case 1:				/* prices */
				digits = 1 + random_below(random, 6);
				decimals = 2;
				break;
			case 2:				/* anything of 15 digits at one scale */
				digits = 15;
				decimals = round / 4 % (UNIT_DIGITS + 1);
				break;
			default:			/* anything */
				digits = 1 + random_below(random, 15);
				decimals = random_below(random, UNIT_DIGITS + 1);
				break;
		}
		units = random_digits(random, digits) * power(UNIT_DIGITS - decimals);
		/* now and then what makes it zero */
		if (x == made->n - 1 && round % 3 == 0 && made->sum % power(UNIT_DIGITS) == 0 &&
			made->sum < power(UNIT_DIGITS) * power(15) && made->sum > -power(UNIT_DIGITS) * power(15))
			units = -made->sum;
		made->numbers[x] = read_units(units);
		made->sum += units;
		made->size += units < 0 ? -units : units;
	}
}

static void
shuffle(Random *random, double *numbers, int n)
{
	for (int x = n - 1; x > 0; x--)
	{
		int			y = random_below(random, x + 1);
		double		swap = numbers[x];

		numbers[x] = numbers[y];
		numbers[y] = swap;
	}
}

static void
add_all(RecsysExactSum *sum, const double *numbers, int n)
{
	RecsysExactSumInit(sum);
	for (int x = 0; x < n; x++)
		RecsysExactSumAdd(sum, numbers[x]);
}

/* The same sum from parts of some of the numbers, and the rest */
static double
sum_by_parts(Random *random, const double *numbers, int n, int *nparts)
{
	double		parts[RECSYS_SUM_WORDS];
	RecsysExactSum sum;
	int			first = random_below(random, n + 1);

	add_all(&sum, numbers, first);
	*nparts = RecsysExactSumParts(&sum, parts, RECSYS_SUM_WORDS);
	add_all(&sum, numbers + first, n - first);
	for (int x = 0; x < *nparts; x++)
		RecsysExactSumAdd(&sum, parts[x]);
	return RecsysExactSumGet(&sum);
}

/* The same sum as weights of baskets have it, of several numbers each */
static double
sum_as_weights(const Numbers *made, const double *numbers)
{
	ItemsetWeightRange range = {0};
	ItemsetWeight sum = {0, 0};
	ItemsetUnit unit;

	for (int pass = 0; pass < 2; pass++)
	{
		if (pass == 1)
			unit = itemset_weight_unit(&range);
		for (int x = 0, next; x < made->n; x = next)
		{
			RecsysExactSum basket;
			RecsysDecimal decimal;

			next = Min(x + 1 + x % 7, made->n);
			add_all(&basket, numbers + x, next - x);
			decimal = RecsysExactSumDecimal(&basket);
			if (pass == 0)
				itemset_weight_note(&range, decimal);
			else
				itemset_weight_add(&sum, itemset_weight_from(decimal, unit));
		}
	}
	return itemset_weight_get(sum, unit);
}

static void
test_decimal(void)
{
	static Numbers made;
	Random		random;
	int			wrong = 0;
	int			moved = 0;
	int			grouped = 0;
	int			weighed = 0;
	int			zeros = 0;
	int			rounds = 4000;

	random_seed(&random, 13);
	for (int round = 0; round < rounds; round++)
	{
		RecsysExactSum sum;
		double		expected;
		int			nparts;

		make_numbers(&random, round, &made);
		expected = read_units(made.sum);
		zeros += made.sum == 0;
		add_all(&sum, made.numbers, made.n);
		wrong += RecsysExactSumGet(&sum) != expected;
		shuffle(&random, made.numbers, made.n);
		add_all(&sum, made.numbers, made.n);
		moved += RecsysExactSumGet(&sum) != expected;
		grouped += sum_by_parts(&random, made.numbers, made.n, &nparts) != expected || nparts == 0 ||
			(made.n == 1 && nparts > 1);
		weighed += sum_as_weights(&made, made.numbers) != expected;
	}
	ok(wrong == 0 && moved == 0 && zeros > 100,
	   "exact sums: %d of %d wrong, %d depend on the order; %d are zero", wrong, rounds, moved, zeros);
	ok(grouped == 0, "exact sums: %d of %d depend on what was put together before", grouped, rounds);
	ok(weighed == 0, "weights of baskets: %d of %d sums are wrong", weighed, rounds);
}

static double
sum_of(int n, const double *numbers)
{
	RecsysExactSum sum;

	add_all(&sum, numbers, n);
	return RecsysExactSumGet(&sum);
}

#define SUM(...) sum_of(lengthof(((double[]) {__VA_ARGS__})), (double[]) {__VA_ARGS__})

/* Any double counts as its shortest digits, however large or small it is. */
static void
test_range(void)
{
	Random		random;
	int			wrong = 0;
	int			cancelled = 0;

	ok(SUM(0.3, 0.6, -0.9) == 0 && SUM(19999999, 5, -20000004) == 0 && SUM(0.1, 0.2) == 0.3 &&
	   SUM(0.3, -0.1) == 0.2 && SUM(0.3, -0.2) == 0.1, "exact sums: what cancels in decimal is nothing");
	ok(SUM(DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, 5e-324) == 5e-324 && isinf(SUM(DBL_MAX, DBL_MAX)) &&
	   isinf(SUM(-DBL_MAX, -DBL_MAX)) && SUM(DBL_MAX, -5e-324) == DBL_MAX,
	   "exact sums: of the largest and the smallest doubles");
	ok(SUM(9007199254740993.0, 1) == 9007199254740992.0 + 1 && SUM(1e22, 1, -1e22) == 1 && SUM(0.0, -0.0) == 0,
	   "exact sums: of large integers");

	random_seed(&random, 14);
	for (int round = 0; round < 2000; round++)
	{
		double		numbers[40];
		double		parts[RECSYS_SUM_WORDS];
		RecsysExactSum sum;
		double		one;
		int			nparts;

		/* all comes back with the other sign, in another order */
		for (int x = 0; x < 20; x++)
		{
			numbers[x] = ldexp(random_unit(&random) - 0.5, (int) random_below(&random, 2040) - 1020);
			numbers[x + 20] = -numbers[x];
		}
		one = numbers[0];
		shuffle(&random, numbers, 40);
		cancelled += sum_of(40, numbers) != 0;

		/* a number alone is itself; parts are too, or say that they cannot be */
		add_all(&sum, &one, 1);
		wrong += RecsysExactSumGet(&sum) != one;
		nparts = RecsysExactSumParts(&sum, parts, RECSYS_SUM_WORDS);
		wrong += (nparts == 0 && fabs(one) > 1e-270) || (nparts > 0 && sum_of(nparts, parts) != one);
		wrong += RecsysExactSumParts(&sum, parts, 0) != 0;
	}
	ok(cancelled == 0, "exact sums: of 2000 random doubles and their negatives, %d are not 0", cancelled);
	ok(wrong == 0, "exact sums: %d numbers alone come out as others", wrong);
}

/* More digits than there are: rounded, and the same in any order */
static void
test_wide_weights(void)
{
	static Numbers made = {.n = 3, .numbers = {1e300, 7.5, 1e-300}};
	static double backwards[] = {1e-300, 7.5, 1e300};
	static Numbers none = {.n = 2, .numbers = {0, 0}};

	ok(sum_as_weights(&made, made.numbers) == 1e300 && sum_as_weights(&made, backwards) == 1e300,
	   "weights of baskets: of very different sizes");
	ok(sum_as_weights(&none, none.numbers) == 0, "weights of baskets: nothing");
}

void
test_exactsum(void)
{
	test_decimal();
	test_range();
	test_wide_weights();
}
