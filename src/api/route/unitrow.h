/*
 * unitrow.h
 *	  What the profile of a user says to an experiment: whether it is for this user, and the segment.
 */
#ifndef RECSYS_UNITROW_H
#define RECSYS_UNITROW_H

#include "postgres.h"

#include "api/keep/experimentrow.h"

typedef struct RecsysUnitRow
{
	bool		eligible;
	char	   *segment;		/* NULL: none, or not known */
} RecsysUnitRow;

/*
 * Reads the profiles of the first variant's recommender, with the caller's rights; segment is of the
 * current memory context.  Who has no row is in no segment, and eligible only where everybody is.
 */
extern void RecsysReadUnitRow(const RecsysExperiment *experiment, const char *user,
							  RecsysUnitRow *row);

#endif							/* RECSYS_UNITROW_H */
