/*
 * itemset_weight.c
 *	  Weights of baskets as integers of a common unit, so that sums are exact.
 *
 * The unit is the last decimal that any of the weights has.  Weights that lie so far from
 * each other that their sum takes more than some 37 digits of it are rounded to a larger
 * one, each for itself: sums are still the same in any order.
 */
#include "core/itemset/itemset_weight.h"

#include <math.h>

/* Sums stay below 10^MOST_DIGITS units, and so below 2^127. */
#define MOST_DIGITS 37

/* Integers up to here are exact as doubles, and so are powers of ten up to 10^22. */
#define MOST_EXACT (INT64CONST(1) << 53)
#define EXACT_POWER 22

void
itemset_weight_note(ItemsetWeightRange *range, RecsysDecimal weight)
{
	if (weight.digits == 0 && weight.more == 0)
		return;
	range->size += fabs((double) weight.digits * 1e18 + (double) weight.more) * pow(10.0, weight.exponent);
	if (!range->any || weight.exponent < range->lowest)
		range->lowest = weight.exponent;
	range->any = true;
}

ItemsetUnit
itemset_weight_unit(const ItemsetWeightRange *range)
{
	ItemsetUnit unit = {0};

	if (!range->any)
		return unit;
	unit.exponent = range->lowest;
	if (isfinite(range->size) && range->size > 0)
		unit.exponent = Max(unit.exponent, (int) ceil(log10(range->size)) - MOST_DIGITS + 1);
	else
		unit.exponent = Max(unit.exponent, 309 + 10 - MOST_DIGITS);
	return unit;
}

static inline bool
is_negative(ItemsetWeight weight)
{
	return weight.high >> 63 != 0;
}

static ItemsetWeight
negated(ItemsetWeight weight)
{
	ItemsetWeight result = {~weight.low, ~weight.high};
	ItemsetWeight one = {1, 0};

	itemset_weight_add(&result, one);
	return result;
}

static void
times_ten(ItemsetWeight *weight)
{
	ItemsetWeight twice = *weight;

	itemset_weight_add(&twice, twice);
	*weight = twice;
	itemset_weight_add(weight, *weight);
	itemset_weight_add(weight, *weight);
	itemset_weight_add(weight, twice);
}

/* Divides by ten; returns what is left over. */
static int
over_ten(ItemsetWeight *weight)
{
	uint32		words[4] = {(uint32) (weight->high >> 32), (uint32) weight->high,
	(uint32) (weight->low >> 32), (uint32) weight->low};
	uint64		rest = 0;

	for (int x = 0; x < 4; x++)
	{
		rest = rest << 32 | words[x];
		words[x] = (uint32) (rest / 10);
		rest %= 10;
	}
	weight->high = (uint64) words[0] << 32 | words[1];
	weight->low = (uint64) words[2] << 32 | words[3];
	return (int) rest;
}

/* digits * 10^exponent, not negative, in units, rounded */
static ItemsetWeight
in_units(uint64 digits, int exponent, ItemsetUnit unit)
{
	ItemsetWeight result = {digits, 0};
	int			rest = 0;

	for (int x = unit.exponent; x < exponent; x++)
		times_ten(&result);
	for (int x = exponent; x < unit.exponent && (result.low > 0 || rest > 0); x++)
		rest = over_ten(&result);
	if (rest >= 5)
		result.low++;
	return result;
}

ItemsetWeight
itemset_weight_from(RecsysDecimal weight, ItemsetUnit unit)
{
	bool		negative = weight.digits < 0 || weight.more < 0;
	ItemsetWeight result = in_units((uint64) (negative ? -weight.more : weight.more), weight.exponent, unit);

	if (weight.digits != 0)
		itemset_weight_add(&result, in_units((uint64) (negative ? -weight.digits : weight.digits),
											 weight.exponent + RECSYS_DECIMAL_SHIFT, unit));
	return negative ? negated(result) : result;
}

double
itemset_weight_get(ItemsetWeight weight, ItemsetUnit unit)
{
	char		digits[MOST_DIGITS + 3];
	int			place = sizeof(digits);
	bool		negative = is_negative(weight);

	if (negative)
		weight = negated(weight);
	if (weight.high == 0 && weight.low <= MOST_EXACT && unit.exponent >= -EXACT_POWER &&
		unit.exponent <= 0)
	{
		double		result = (double) weight.low;
		double		power = 1;

		for (int x = unit.exponent; x < 0; x++)
			power *= 10;
		result /= power;
		return negative ? -result : result;
	}
	while (place > 0 && (weight.low > 0 || weight.high > 0))
		digits[--place] = '0' + (char) over_ten(&weight);
	if (place == sizeof(digits))
		return 0;
	return RecsysDecimalRead(negative, digits + place, (int) sizeof(digits) - place, unit.exponent);
}
