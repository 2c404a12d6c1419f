/*
 * halving.h
 *	  A search over models: many on samples of the users, the best of them in full.
 */
#ifndef RECSYS_HALVING_H
#define RECSYS_HALVING_H

#include "postgres.h"

#include "api/measure/trials.h"

/*
 * Searches over all families, within the budget of trials.  Afterwards the best full trial
 * comes first.  Errors out if all models have failed.
 */
extern void RecsysSearchModels(RecsysTrials *trials, RecsysSplit *split);

/* The same with exactly the given models, all of them in full. */
extern void RecsysTryModels(RecsysTrials *trials, RecsysSplit *split, List *texts);

#endif							/* RECSYS_HALVING_H */
