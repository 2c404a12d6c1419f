/*
 * burst.h
 *	  Whether an item is taken much more often lately than it used to be.
 *
 * Time is cut into windows that end now.  The base of an item is in how many of the windows
 * before the last one how many users took it; the shop's growth is taken out by comparing
 * shares: of all that users took in the last window, the item is expected to have the share
 * that it had of the base.  One user more is added to each item's base (a Gamma prior that
 * stands for the shop's typical item), so that an item without a base is expected to have
 * little, but not nothing.
 *
 * What came beside what was expected is measured in standard deviations of a Poisson variable,
 * by the variance-stabilizing transformation of Freeman and Tukey, "Transformations related to
 * the angular and the square root", Annals of Mathematical Statistics 21 (1950).
 */
#ifndef RECSYS_BURST_H
#define RECSYS_BURST_H

#include "core/base/platform.h"

/* Windows that the base has at most */
#define RECSYS_BASE_WINDOWS 12

/* Counts, each user once for an item and a window */
typedef struct RecsysBurstTotals
{
	double		items;			/* items with any count */
	double		lately;			/* sum over items, in the last window */
	double		base;			/* and in those before it */
} RecsysBurstTotals;

/* Users that are to be expected in the last window; base of the item alone. */
extern double RecsysBurstExpected(double base, const RecsysBurstTotals *totals);

/* Standard deviations that the count lies above (or, negative, below) what was expected */
extern double RecsysBurstScore(double lately, double expected);

#endif							/* RECSYS_BURST_H */
