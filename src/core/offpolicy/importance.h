/*
 * importance.h
 *	  Importance weights: how much more likely the target shows something than the logging policy did.
 */
#ifndef RECSYS_IMPORTANCE_H
#define RECSYS_IMPORTANCE_H

#include "core/offpolicy/policyrows.h"

typedef enum RecsysImportance
{
	RECSYS_IMPORTANCE_ROW,		/* of what was shown in the row alone */
	RECSYS_IMPORTANCE_CASCADE,	/* and of all that stood above it in the list */
	RECSYS_IMPORTANCE_LIST		/* of the whole list */
} RecsysImportance;

/* The weight of each row.  Their mean is 1 where the log has everything that the target shows. */
extern void RecsysImportanceWeights(const RecsysPolicyRows *rows, RecsysImportance importance,
									double *weights);

/* The unit of each row, from 0 on; returns how many there are. */
extern uint32 RecsysPolicyUnits(const RecsysPolicyRows *rows, uint32 *unit);

/* Is the row the first one of its request? */
extern bool RecsysPolicyRowBegins(const RecsysPolicyRows *rows, uint32 row);

/* How much of what the target shows is in the log */
typedef struct RecsysOverlap
{
	uint32		rows;
	uint32		requests;
	uint32		units;
	double		effective;		/* rows as good as these, weighted: Kish: Survey sampling, 1965 */
	double		effective_units;	/* the same of units and their sums of weights */
	double		mean_weight;
	double		error;			/* standard error of that */
	double		largest;		/* share of a single unit in all weight */
} RecsysOverlap;

/* Of rows at that position alone, or, RECSYS_NONE, all of them. */
extern void RecsysOverlapOf(const RecsysPolicyRows *rows, const double *weights, const uint32 *unit,
							uint32 position, RecsysOverlap *overlap);

#endif							/* RECSYS_IMPORTANCE_H */
