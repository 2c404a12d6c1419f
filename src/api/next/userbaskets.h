/*
 * userbaskets.h
 *	  A user's baskets as an index has them, and what the item graph says of when their items are
 *	  bought again.
 */
#ifndef RECSYS_USERBASKETS_H
#define RECSYS_USERBASKETS_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/scoring/listing.h"
#include "core/sequence/renewal.h"
#include "datatype/timestamp.h"

/* What the item graph says of an item of the history */
typedef struct RecsysBasketItemFacts
{
	uint32		users;
	RecsysRhythm rhythm;
	int64		latest;			/* that anybody has taken it */
} RecsysBasketItemFacts;

typedef struct RecsysUserBaskets
{
	RecsysInteraction *seen;	/* rows that are not later than asked for, in no order */
	int			nseen;
	RecsysBasketHistory history;
	int64		now;			/* by the clock of the time column: the time asked for */
} RecsysUserBaskets;

/*
 * Reads them with the caller's rights, in the current memory context.  at NULL: as of now.  user
 * NULL: nobody, who has no baskets.
 */
extern void RecsysReadUserBaskets(RecsysRecommender *recommender, const RecsysKey *user,
								  const TimestampTz *at, RecsysUserBaskets *baskets);

/*
 * The facts of all items of the history, in their order, palloc'd.  *neighbors (may be NULL) gets
 * what the same rows say of neighbors, in the same order; NULL where that is more than work_mem.
 */
extern RecsysBasketItemFacts *RecsysReadBasketFacts(RecsysRecommender *recommender,
													const RecsysUserBaskets *baskets,
													RecsysItemNeighbors **neighbors);

/* The renewals of all items of the history, in their order, palloc'd. */
extern RecsysRenewal *RecsysEstimateRenewals(RecsysRecommender *recommender,
											 const RecsysUserBaskets *baskets,
											 const RecsysBasketItemFacts *facts);

#endif							/* RECSYS_USERBASKETS_H */
