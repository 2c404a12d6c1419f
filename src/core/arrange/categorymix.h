/*
 * categorymix.h
 *	  How near the categories of a list are to those of a history.
 */
#ifndef RECSYS_CATEGORYMIX_H
#define RECSYS_CATEGORYMIX_H

#include "core/base/platform.h"

typedef struct RecsysMix
{
	int			ntarget;
	double	   *target;			/* by category: its share of the history; all together 1 */
	int		   *counts;			/* by category: how many of the list are of it */
	int			length;			/* of the list */
	double	   *gains;			/* by category: see RecsysMixGain */
} RecsysMix;

/* Returns false, and makes nothing, when the history says nothing of categories. */
extern bool RecsysMixInit(RecsysMix *mix, const double *target, int ntarget);
extern void RecsysMixFree(RecsysMix *mix);

/* Starts with an empty list. */
extern void RecsysMixReset(RecsysMix *mix);
extern void RecsysMixAdd(RecsysMix *mix, uint32 category);

/*
 * What adding an item of a category would do for the list: 1 for the category that brings it
 * nearest to the history, 0 for those that the history does not have, and for none.
 */
static inline double
RecsysMixGain(const RecsysMix *mix, uint32 category)
{
	return category > 0 && category < (uint32) mix->ntarget ? mix->gains[category] : 0.0;
}

#endif							/* RECSYS_CATEGORYMIX_H */
