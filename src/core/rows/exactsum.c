/*
 * exactsum.c
 *	  Sums of numbers as people write them: exact in decimal, whatever their order.
 *
 * A double that prints with at most 15 digits is some integer of 15 digits divided by a
 * power of ten, and up to 10^22 that division finds it again, because both of its sides
 * are exact and it is rounded as any number is that is read.  So quantities and prices are
 * summed as integers.  Whatever has more digits, or does not fit beside what is there,
 * goes to an accumulator as long as all doubles (as Kulisch's, but of decimal words),
 * where it adds the shortest digits that tell it from its neighbors.
 */
#include "core/rows/exactsum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef RECSYS_STANDALONE
#include "common/shortest_dec.h"
#endif

/* Digits that any double tells apart from other numbers with so many */
#define SAFE_DIGITS 15
#define MOST_SAFE INT64CONST(999999999999999)

/* More decimals than this are looked for in the shortest digits. */
#define MAX_SCALE 15

/* Integers up to here are exact as doubles. */
#define MOST_EXACT (INT64CONST(1) << 53)

#define WORD_DIGITS 9
#define WORD_BASE INT64CONST(1000000000)

/* What words hold beyond their nine digits reaches so many more. */
#define CARRY_WORDS 3

/* Parts must be larger than this, so that they have all of their digits. */
#define LOWEST_PART (-300)

/* Digits of both halves of a RecsysDecimal */
#define DECIMAL_DIGITS (2 * RECSYS_DECIMAL_SHIFT)

/* The longest number that shortest() makes, with sign, point and exponent */
#define SHORTEST_SIZE 40

static const double powers[] =
{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

static const int64 word_powers[] =
{
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000
};

void
RecsysExactSumInit(RecsysExactSum *sum)
{
	sum->units = 0;
	sum->scale = 0;
	sum->wide = false;
}

/* The shortest digits of a number that is not negative, and the power of ten behind them */
static uint64
shortest(double number, int *exponent)
{
	char		text[SHORTEST_SIZE];
	uint64		digits = 0;
	int			decimals = 0;
	bool		behind = false;
	const char *c = text;

#ifdef RECSYS_STANDALONE
	for (int precision = 0; precision <= 16; precision++)
	{
		snprintf(text, sizeof(text), "%.*e", precision, number);
		if (strtod(text, NULL) == number)
			break;
	}
#else
	text[double_to_shortest_decimal_bufn(number, text)] = '\0';
#endif
	for (; *c != '\0' && *c != 'e'; c++)
	{
		if (*c < '0' || *c > '9')
		{
			behind = true;
			continue;
		}
		digits = digits * 10 + (*c - '0');
		decimals += behind;
	}
	*exponent = (*c == 'e' ? atoi(c + 1) : 0) - decimals;
	return digits;
}

/* Adds digits * 10^exponent. */
static void
add_digits(RecsysExactSum *sum, bool negative, uint64 digits, int exponent)
{
	int			place = exponent - RECSYS_SUM_LOWEST;
	int			word = place / WORD_DIGITS;
	int64		shift = word_powers[place % WORD_DIGITS];

	if (digits == 0)
		return;
	sum->low = Min(sum->low, word);
	for (; digits > 0; digits /= WORD_BASE)
	{
		int64		part = (int64) (digits % WORD_BASE) * shift;

		if (negative)
			part = -part;
		sum->words[word++] += part % WORD_BASE;
		sum->words[word] += part / WORD_BASE;
	}
	sum->high = Max(sum->high, word);
}

/* From here on in words */
static void
widen(RecsysExactSum *sum)
{
	memset(sum->words, 0, sizeof(sum->words));
	sum->wide = true;
	sum->low = RECSYS_SUM_WORDS - 1;
	sum->high = 0;
	add_digits(sum, sum->units < 0, (uint64) (sum->units < 0 ? -sum->units : sum->units), -sum->scale);
}

/* The number as an integer of 15 digits when it has so many decimals, and no more */
static inline bool
units_of(double number, int scale, int64 *units)
{
	double		scaled = number * powers[scale];

	if (!(fabs(scaled) <= (double) MOST_SAFE))
		return false;
	*units = (int64) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
	return (scale == 0 ? (double) *units : (double) *units / powers[scale]) == number;
}

/* More decimals for what is there; false if it gets too long. */
static bool
rescale(RecsysExactSum *sum, int scale)
{
	int64		units = sum->units;

	for (int x = sum->scale; x < scale; x++)
		if (__builtin_mul_overflow(units, 10, &units))
			return false;
	sum->units = units;
	sum->scale = scale;
	return true;
}

static bool
add_units(RecsysExactSum *sum, double number)
{
	int64		units;
	int64		result;
	int			scale = sum->scale;

	while (!units_of(number, scale, &units))
		if (++scale > MAX_SCALE)
			return false;
	if (scale > sum->scale && !rescale(sum, scale))
		return false;

	/* so that it can be negated */
	if (__builtin_add_overflow(sum->units, units, &result) || result == PG_INT64_MIN)
		return false;
	sum->units = result;
	return true;
}

void
RecsysExactSumAdd(RecsysExactSum *sum, double number)
{
	uint64		digits;
	int			exponent;

	if (!sum->wide)
	{
		if (add_units(sum, number))
			return;
		widen(sum);
	}
	digits = shortest(fabs(number), &exponent);
	add_digits(sum, number < 0, digits, exponent);
}

/* A sum without its sign: words of nine digits each, from low to high */
typedef struct Settled
{
	bool		negative;
	int			low;
	int			high;
	int64		words[RECSYS_SUM_WORDS];
} Settled;

/* Each word keeps what is left of it by the base; none but the last is that or more. */
static void
carry(Settled *settled)
{
	for (int x = settled->low; x < settled->high; x++)
	{
		settled->words[x + 1] += settled->words[x] / WORD_BASE;
		settled->words[x] %= WORD_BASE;
	}
}

/* Words may have either sign; the first that is not 0 has that of the sum. */
static void
settle(const RecsysExactSum *sum, Settled *settled)
{
	RecsysExactSum narrow;
	int			top;

	if (!sum->wide)
	{
		narrow.units = sum->units;
		narrow.scale = sum->scale;
		widen(&narrow);
		sum = &narrow;
	}
	settled->low = sum->low;
	settled->high = Min(Max(sum->high, sum->low) + CARRY_WORDS, RECSYS_SUM_WORDS - 1);
	for (int x = settled->low; x <= settled->high; x++)
		settled->words[x] = sum->words[x];
	carry(settled);
	for (top = settled->high; top > settled->low && settled->words[top] == 0;)
		top--;
	settled->negative = settled->words[top] < 0;
	if (settled->negative)
		for (int x = settled->low; x <= top; x++)
			settled->words[x] = -settled->words[x];

	/* the first is positive: it lends to those that are not */
	for (int x = settled->low; x < top; x++)
	{
		if (settled->words[x] < 0)
		{
			settled->words[x] += WORD_BASE;
			settled->words[x + 1]--;
		}
	}
	while (top > settled->low && settled->words[top] == 0)
		top--;
	settled->high = top;
	while (settled->low < top && settled->words[settled->low] == 0)
		settled->low++;
}

/* Decimal digits from the first to the last that counts; returns their number. */
static int
write_digits(const Settled *settled, char *digits, int *exponent)
{
	int			skip = 0;
	int			count = 0;

	for (int x = settled->high; x >= settled->low; x--)
		for (int y = WORD_DIGITS - 1; y >= 0; y--)
			digits[count++] = '0' + (char) (settled->words[x] / word_powers[y] % 10);
	*exponent = RECSYS_SUM_LOWEST + settled->low * WORD_DIGITS;
	while (count > 1 && digits[count - 1] == '0')
	{
		count--;
		(*exponent)++;
	}
	while (skip < count - 1 && digits[skip] == '0')
		skip++;
	memmove(digits, digits + skip, count - skip);
	return count - skip;
}

double
RecsysDecimalRead(bool negative, const char *digits, int ndigits, int exponent)
{
	char		text[RECSYS_SUM_WORDS * WORD_DIGITS + SHORTEST_SIZE];

	/* without a point, which the locale might want otherwise */
	snprintf(text, sizeof(text), "%s%.*se%d", negative ? "-" : "", ndigits, digits, exponent);
	return strtod(text, NULL);
}

double
RecsysExactSumGet(const RecsysExactSum *sum)
{
	Settled		settled;
	char		digits[RECSYS_SUM_WORDS * WORD_DIGITS];
	int			ndigits;
	int			exponent;

	if (!sum->wide && sum->scale == 0)
		return (double) sum->units;
	if (!sum->wide && sum->units >= -MOST_EXACT && sum->units <= MOST_EXACT)
		return (double) sum->units / powers[sum->scale];
	settle(sum, &settled);
	ndigits = write_digits(&settled, digits, &exponent);
	if (ndigits == 1 && digits[0] == '0')
		return 0;
	return RecsysDecimalRead(settled.negative, digits, ndigits, exponent);
}

int
RecsysExactSumParts(const RecsysExactSum *sum, double *parts, int most)
{
	Settled		settled;
	int			count = 0;

	if (most < 1)
		return 0;
	if (!sum->wide && sum->units >= -MOST_SAFE && sum->units <= MOST_SAFE)
	{
		parts[0] = RecsysExactSumGet(sum);
		return 1;
	}
	settle(sum, &settled);
	for (int x = settled.low; x <= settled.high; x++)
	{
		char		digits[WORD_DIGITS + 1];
		int			exponent = RECSYS_SUM_LOWEST + x * WORD_DIGITS;

		if (settled.words[x] == 0)
			continue;
		if (exponent < LOWEST_PART || settled.words[x] >= WORD_BASE || count == most)
			return 0;
		snprintf(digits, sizeof(digits), "%d", (int) settled.words[x]);
		parts[count] = RecsysDecimalRead(settled.negative, digits, (int) strlen(digits), exponent);
		if (!isfinite(parts[count++]))
			return 0;
	}
	if (count == 0)
		parts[count++] = 0;
	return count;
}

RecsysDecimal
RecsysExactSumDecimal(const RecsysExactSum *sum)
{
	Settled		settled;
	char		digits[RECSYS_SUM_WORDS * WORD_DIGITS];
	RecsysDecimal decimal = {0};
	int			ndigits;
	int			exponent;
	int			kept;

	if (!sum->wide)
	{
		decimal.more = sum->units;
		decimal.exponent = -sum->scale;
		return decimal;
	}
	settle(sum, &settled);
	ndigits = write_digits(&settled, digits, &exponent);
	kept = Min(ndigits, DECIMAL_DIGITS);
	for (int x = 0; x < kept; x++)
	{
		int64	   *half = x < kept - RECSYS_DECIMAL_SHIFT ? &decimal.digits : &decimal.more;

		*half = *half * 10 + (digits[x] - '0');
	}
	if (kept < ndigits && digits[kept] >= '5')
		decimal.more++;
	if (settled.negative)
	{
		decimal.digits = -decimal.digits;
		decimal.more = -decimal.more;
	}
	decimal.exponent = exponent + ndigits - kept;
	return decimal;
}
