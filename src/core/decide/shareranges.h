/*
 * shareranges.h
 *	  From shares of variants to ranges of places, and from there to those of other shares.
 *
 * When shares change, as few units move as can: the sum of what variants lose.  A variant that keeps
 * or gains loses nobody; what others lose goes to those that gain, in proportion to their gains.
 */
#ifndef RECSYS_SHARERANGES_H
#define RECSYS_SHARERANGES_H

#include "core/base/platform.h"

/* Where the one before it ends, or from 0, to high: units of a variant.  The last one ends at 1. */
typedef struct RecsysVariantRange
{
	double		high;
	int			variant;		/* its number */
} RecsysVariantRange;

/* Less than that of all units is nobody. */
#define RECSYS_LEAST_SHARE 1e-9

/*
 * Ranges, palloc'd, of n shares that sum up to 1, made of those before, of which there may be none;
 * returns how many there are.  A variant of before that is gone has the number -1.
 */
extern int	RecsysShareRanges(const RecsysVariantRange *before, int nbefore, const double *shares,
							  int n, RecsysVariantRange **after);

/* Whose the place is. */
extern int	RecsysVariantAt(const RecsysVariantRange *ranges, int n, double place);

#endif							/* RECSYS_SHARERANGES_H */
