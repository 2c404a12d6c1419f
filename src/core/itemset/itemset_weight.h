/*
 * itemset_weight.h
 *	  Weights of baskets as integers of a common unit, so that sums are exact.
 *
 * A miner adds up the weights of the same baskets again and again, in ever other orders.
 * As integers of 128 bits they can be added without a thought of rounding, and come out
 * the same whoever adds them.
 */
#ifndef RECSYS_ITEMSET_WEIGHT_H
#define RECSYS_ITEMSET_WEIGHT_H

#include "core/rows/exactsum.h"

/* Two's complement */
typedef struct ItemsetWeight
{
	uint64		low;
	uint64		high;
} ItemsetWeight;

/* The unit is 10^exponent: that of the last digit of all weights, unless they take more than there is. */
typedef struct ItemsetUnit
{
	int			exponent;
} ItemsetUnit;

static inline void
itemset_weight_add(ItemsetWeight *sum, ItemsetWeight weight)
{
	sum->low += weight.low;
	sum->high += weight.high + (sum->low < weight.low);
}

/* What is known of some weights: enough to choose their unit. */
typedef struct ItemsetWeightRange
{
	double		size;			/* sum of their absolute values, about */
	int			lowest;			/* exponent of the last digit */
	bool		any;
} ItemsetWeightRange;

extern void itemset_weight_note(ItemsetWeightRange *range, RecsysDecimal weight);

/* Sums of the weights have room in it. */
extern ItemsetUnit itemset_weight_unit(const ItemsetWeightRange *range);

extern ItemsetWeight itemset_weight_from(RecsysDecimal weight, ItemsetUnit unit);
extern double itemset_weight_get(ItemsetWeight weight, ItemsetUnit unit);

#endif							/* RECSYS_ITEMSET_WEIGHT_H */
