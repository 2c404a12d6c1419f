/*
 * retrain.h
 *	  A merge that trains the model anew instead of recomputing items one by one.
 */
#ifndef RECSYS_RETRAIN_H
#define RECSYS_RETRAIN_H

#include "am/merge/mergestate.h"

/*
 * Trains with all histories and writes all rows; afterwards nothing is queued, and of the events
 * those are left whose transactions were not over when it began.  In the place of the merge's
 * events, queue and numbers.
 */
extern void RecsysMergeRetrain(RecsysMergeState *merge);

#endif							/* RECSYS_RETRAIN_H */
