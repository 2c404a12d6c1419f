/*
 * spread.h
 *	  Over how much of the catalogue the lists of all users spread.
 */
#ifndef RECSYS_SPREAD_H
#define RECSYS_SPREAD_H

#include "core/measure/evaluation.h"

/* What of an outcome is counted, and as what */
typedef struct RecsysListChoice
{
	const uint32 *lists;		/* of the outcome */
	int			k;				/* their first items */
	const uint32 *segments;		/* by user: only those of the segment; NULL: all users */
	uint32		segment;

	/* by item: its group, below ngroups or RECSYS_NONE; NULL: each item of the catalogue is one */
	const uint32 *groups;
	uint32		ngroups;
} RecsysListChoice;

typedef struct RecsysSpread
{
	double		coverage;		/* share of groups that are recommended at all */
	double		gini;			/* of how often; NaN when nothing is recommended */
} RecsysSpread;

/* Both are NaN when there are no groups. */
extern RecsysSpread RecsysEvaluationSpread(const RecsysEvaluation *evaluation,
										   const RecsysListChoice *choice);

#endif							/* RECSYS_SPREAD_H */
