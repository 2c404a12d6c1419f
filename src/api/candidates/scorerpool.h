/*
 * scorerpool.h
 *	  Scorers that a session keeps from call to call.
 *
 * A filter is SQL, and what it calls may ask for recommendations itself: a call may begin
 * while another one has its scores.  So there are several.
 */
#ifndef RECSYS_SCORERPOOL_H
#define RECSYS_SCORERPOOL_H

#include "postgres.h"

#include "core/scoring/scorer.h"

typedef struct RecsysLease RecsysLease;

/* A cleared scorer for so many items, until it is returned or the current memory context goes. */
extern RecsysLease *RecsysScorerLease(uint32 nitems);
extern void RecsysScorerReturn(RecsysLease *lease);

/* What may allocate is to be called through these. */
extern RecsysScorer *RecsysLeased(const RecsysLease *lease);
extern void RecsysLeasedReset(RecsysLease *lease, uint32 nitems);
extern int	RecsysLeasedTop(RecsysLease *lease, int k, const RecsysKeyOrder *order,
							RecsysScored *out);

#endif							/* RECSYS_SCORERPOOL_H */
