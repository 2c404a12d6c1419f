/*
 * banditslots.h
 *	  Candidates for places of a list, and who may be shown which of them.
 */
#ifndef RECSYS_BANDITSLOTS_H
#define RECSYS_BANDITSLOTS_H

#include "postgres.h"

#include "api/route/banditrow.h"

typedef struct RecsysBanditSlots
{
	Jsonb	   *context;		/* of the call, or NULL */
} RecsysBanditSlots;

/*
 * All candidates, as text, for whoever it may be: items that the recommender may show and that the
 * expression holds for, in the order of their keys, 10,000 at most.  Read with the caller's rights.
 */
extern int	RecsysBanditCandidates(const RecsysBandit *bandit, const char ***items);

/*
 * Those of n items that are candidates for one of the places, its number, now: the first 100 that are
 * not retired.  As these retire others follow, so few are tried at a time.
 */
extern int	RecsysBanditOfPlace(const RecsysBandit *bandit, int number, const char *const *items,
								int n, const char ***candidates);

#endif							/* RECSYS_BANDITSLOTS_H */
