/*
 * burstcount.h
 *	  How many users took each item of an index in the last window of time, and in those before.
 */
#ifndef RECSYS_BURSTCOUNT_H
#define RECSYS_BURSTCOUNT_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "core/sequence/burst.h"

typedef struct RecsysBurst
{
	uint32		item;
	uint32		lately;			/* users in the last window */
	uint32		base;			/* the same of the windows before it, added up */
	double		expected;
	double		score;
} RecsysBurst;

typedef struct RecsysBurstCount RecsysBurstCount;

/*
 * Windows of that length, in microseconds, which end with the latest row that the caller sees, or
 * now if that is earlier.  In the current memory context; needs a time column.
 */
extern RecsysBurstCount *RecsysBurstCountCreate(RecsysRecommender *recommender, int64 window);

/* Counts all users, or one more; takes one who was counted away again.  A user comes once. */
extern void RecsysBurstCountAll(RecsysBurstCount *count);
extern void RecsysBurstCountUser(RecsysBurstCount *count, const RecsysKey *user);
extern void RecsysBurstTakeUser(RecsysBurstCount *count, const RecsysKey *user);

/*
 * The items that at least so many users took in the last window and whose score is at least that,
 * best first, ties by key.  Returns how many.
 */
extern uint32 RecsysBurstRank(RecsysBurstCount *count, uint32 least_users, double least_score,
							  RecsysBurst **bursts);

#endif							/* RECSYS_BURSTCOUNT_H */
