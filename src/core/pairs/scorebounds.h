/*
 * scorebounds.h
 *	  Upper bounds of the scores of a row's pairs, many at a time.
 *
 * A bound is no less than the score, but for rounding: comparisons have to leave room
 * for that.  It is stored as the bits of a float, because compilers vectorize the maximum
 * of integers but not that of floats.  Among positive floats the order is the same.  A
 * negative bound means that the pair does not count, or has a score that is not positive.
 */
#ifndef RECSYS_SCOREBOUNDS_H
#define RECSYS_SCOREBOUNDS_H

#include "core/pairs/cooccurrence.h"

/* Room for rounding between a bound and a score, relative and absolute. */
#define RECSYS_BOUND_RELATIVE_SLACK 1e-5f
#define RECSYS_BOUND_ABSOLUTE_SLACK 1e-37f

typedef struct RecsysScoreBounds
{
	RecsysSimilarity similarity;
	bool		uses_dots;		/* does the measure look at dot products? */
	bool		trusted;		/* if not, bounds say nothing with these options */

	/* by item; one of the two: n_j ^ -alpha, times what else depends on j alone */
	float	   *factors;
	double	   *dot_factors;
	const uint32 *users;

	/* of the row at hand */
	uint32		item;
	float		n_i;
	float		others_i;		/* N - n_i */
	uint32		n_users;
	float		shrinkage;
	double		row_factor;
	uint32		min_support;
} RecsysScoreBounds;

/* Does the measure look at dot products, or at counts alone? */
extern bool RecsysMeasureUsesDots(const RecsysItemTotals *totals, const RecsysModelOptions *options);

/* totals must outlive the bounds. */
extern void RecsysScoreBoundsInit(RecsysScoreBounds *bounds, const RecsysItemTotals *totals,
								  const RecsysModelOptions *options);
extern void RecsysScoreBoundsFree(RecsysScoreBounds *bounds);

/* Go on to the row of an item; the arguments are those of Init. */
extern void RecsysScoreBoundsStart(RecsysScoreBounds *bounds, const RecsysItemTotals *totals,
								   const RecsysModelOptions *options, uint32 item);

/* Bounds of n pairs with counts, and dots unless it is NULL, of items in any order. */
extern void RecsysScoreBoundsScattered(const RecsysScoreBounds *bounds, const uint32 *items,
									   const uint32 *counts, const double *dots, uint32 n,
									   int32 *result);

/* The same of the items first, first + 1, and so on, which are noted in items. */
extern void RecsysScoreBoundsConsecutive(const RecsysScoreBounds *bounds, uint32 first,
										 const uint32 *counts, const double *dots, uint32 n,
										 int32 *result, uint32 *items);

#endif							/* RECSYS_SCOREBOUNDS_H */
