/*
 * shopbaskets.h
 *	  A user's baskets as a declared recommender has them: by its first signal, items as slots.
 */
#ifndef RECSYS_SHOPBASKETS_H
#define RECSYS_SHOPBASKETS_H

#include "postgres.h"

#include "api/eligible/slotplaces.h"
#include "api/next/nextcall.h"
#include "api/next/userbaskets.h"
#include "api/serve/funnel.h"

typedef struct RecsysShopBaskets
{
	RecsysFunnel *funnel;		/* with its profile read; nothing is scored yet */
	RecsysShopProfile *profile;
	RecsysRecommender *events;	/* the first signal's */
	RecsysUserBaskets baskets;	/* without items for users who get no personal list */
	RecsysBasketItemFacts *facts;	/* parallel to the items of the history, as are */
	uint32	   *slots;
	places_hash *places;		/* of slots in the history */
} RecsysShopBaskets;

/* Opens a funnel, which the caller closes.  What a signal with a negative weight has is excluded. */
extern void RecsysOpenShopBaskets(RecsysShop *shop, const RecsysNextCall *call,
								  RecsysShopBaskets *baskets);

/* Place of a slot in the history, -1 if it is not there. */
extern int	RecsysShopBasketPlace(const RecsysShopBaskets *baskets, uint32 slot);

/*
 * The slots of the profile's seen ones, with those of the history or without them, ascending;
 * palloc'd.
 */
extern uint32 *RecsysSeenWithHistory(const RecsysShopBaskets *baskets, int *n);
extern uint32 *RecsysSeenWithoutHistory(const RecsysShopBaskets *baskets, int *n);

/* Is the item at a place still offered? */
extern bool RecsysShopBasketOffers(const RecsysShopBaskets *baskets, int place);

#endif							/* RECSYS_SHOPBASKETS_H */
