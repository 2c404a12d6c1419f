/*
 * evidence.h
 *	  What one signal knows of a user: rows, and the evidence that they are.
 */
#ifndef RECSYS_EVIDENCE_H
#define RECSYS_EVIDENCE_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

/* The rows behind the evidence */
typedef struct RecsysSignalRows
{
	RecsysInteraction *rows;	/* visible ones, in no order */
	int			nrows;
	int64		age;			/* of the latest one that is evidence, microseconds; at least 0 */
	bool		has_age;
} RecsysSignalRows;

/*
 * Reads both, in the current memory context.  evidence has its signal and its open index.
 * half_life is NULL or takes the place of the signal's own; rows later than until (NULL: none) are
 * left out.
 */
extern void RecsysReadEvidence(RecsysEvidence *evidence, const RecsysKey *user,
							   const int64 *half_life, const TimestampTz *until,
							   RecsysSignalRows *rows);

/* As if the user had never had the item. */
extern void RecsysHoldOutEvidence(RecsysEvidence *evidence, const RecsysKey *item,
								  RecsysSignalRows *rows);

/*
 * What rows of ratings say, of a signal that is centered: fills in items and weights, and reorders
 * nothing.
 */
extern void RecsysWeighRatings(RecsysEvidence *evidence, const RecsysInteraction *rows, int nrows,
							   int64 half_life);

/* The half-life that a signal is read with. */
extern int64 RecsysSignalHalfLife(const RecsysEvidence *evidence, const int64 *half_life);

/* Places of a sorted array of item numbers, -1 if it is not there. */
extern int	RecsysFindEvidence(const RecsysEvidence *evidence, uint32 item);

#endif							/* RECSYS_EVIDENCE_H */
