/*
 * profilequery.h
 *	  What the shop's own tables say of a user: segments, exclusion, prices paid.
 */
#ifndef RECSYS_PROFILEQUERY_H
#define RECSYS_PROFILEQUERY_H

#include "postgres.h"

#include "api/declare/plan.h"
#include "api/profile/keyparameter.h"
#include "api/profile/shopprofile.h"

/* Plans of a shop, each prepared when it is first needed */
typedef struct RecsysProfilePlans
{
	RecsysPlan *row;			/* of the profiles' table */
	RecsysKeyParameter user;
	RecsysPlan *paid;			/* what the user has paid, from the events' table */
	uint64		paid_names;		/* of the index and the columns that it was made for */
	RecsysPlan *prices;			/* of items */
	RecsysKeyParameter item;
	RecsysPlan *known;			/* which of some keys the items' table has */
} RecsysProfilePlans;

extern RecsysProfilePlans *RecsysGetProfilePlans(RecsysShop *shop);

/* Fills in the segments that are in the table, and is_excluded; in the current memory context. */
extern void RecsysReadProfileRow(RecsysShopProfile *profile, const RecsysKey *user);

/*
 * Fills in price_level and price_spread.  latest are slots of what the user has bought,
 * latest first, for shops that do not keep what was paid.
 */
extern void RecsysReadPriceLevel(RecsysShopProfile *profile, const RecsysKey *user,
								 const uint32 *latest, int n);

/* Most prices that a price level is made of */
#define RECSYS_PRICES 50

/* Who has always paid about the same may still pay a quarter more or less. */
#define RECSYS_LEAST_SPREAD 0.25

/*
 * The cart and what was viewed as evidence, and what is not to be recommended whatever
 * the user has: the context_… and excluded of the profile.  In the current memory context.
 */
extern void RecsysReadContextItems(RecsysShopProfile *profile);

/* Sees to it that the plans' item can be used; plans for another type of the column are forgotten. */
extern void RecsysPrepareItemKey(RecsysShopProfile *profile);

#endif							/* RECSYS_PROFILEQUERY_H */
