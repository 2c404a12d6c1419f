/*
 * learningsample.h
 *	  A sample of users, each with items held out.
 */
#ifndef RECSYS_LEARNINGSAMPLE_H
#define RECSYS_LEARNINGSAMPLE_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "common/hashfn.h"

typedef struct RecsysHeldOut
{
	int			nheld;
	uint32	   *held;			/* numbers of the items held out; all but the first are treated as new */
	bool		has_target;		/* the first one is not */
	int			count;			/* the others */
	uint32	   *items;			/* by number */
	double	   *weights;		/* as evidence, of the time of the latest of them */
} RecsysHeldOut;

typedef struct RecsysLearningSample
{
	int			count;
	RecsysHeldOut *users;
} RecsysLearningSample;

/*
 * About so many users of an index, those whose hashes come first: the same for the same rows.  Of
 * each the latest item is held out (without times, any one), and all that are treated as new.
 * Users with nothing left, or nothing held out, are not there.
 */
extern void RecsysReadLearningSample(RecsysRecommender *events, int users,
									 RecsysLearningSample *sample);

/* One item in ten is treated as new, by its number. */
static inline bool
RecsysIsTreatedAsNew(uint32 item)
{
	return murmurhash32(item) % 10 == 0;
}

#endif							/* RECSYS_LEARNINGSAMPLE_H */
