/*
 * fallback.h
 *	  What there is for those whose signals say too little: popular items of what they are near to.
 *
 * In this order: categories of what they have, its sellers, their segments from the smallest
 * to the largest, their price level, all.  Lists come from recsys.popularity, which
 * recsys.refresh_recommender brings up to date; the last one comes from the first signal's
 * index and is always fresh.
 */
#ifndef RECSYS_FALLBACK_H
#define RECSYS_FALLBACK_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

typedef struct RecsysFallback RecsysFallback;

extern RecsysFallback *RecsysFallbackBegin(const RecsysShopProfile *profile);

/*
 * The next at most n items, best first; each slot comes once.  *source gets where they are
 * from, a constant string: "category", "seller", "segment", "price" or "popular"; *detail the
 * value of that category or segment, or NULL.  0: there are no more.
 */
extern int	RecsysFallbackNext(RecsysFallback *fallback, int n, uint32 *slots, const char **source,
							   const char **detail);
extern void RecsysFallbackEnd(RecsysFallback *fallback);

/*
 * From now on nothing comes behind the lists: for a caller who knows which few items are left,
 * and ranks them by their users in the first signal's index.
 */
extern void RecsysFallbackListsOnly(RecsysFallback *fallback);
extern int64 RecsysUsersOf(const RecsysShopProfile *profile, uint32 slot);

/* The items that are popular in one segment (or persona) alone, best first, with their users. */
extern int	RecsysPopularInSegment(const RecsysShopProfile *profile, const char *segment, int n,
								   uint32 **slots, int64 **users);

/*
 * The items that are popular with all who are not excluded, likewise; 0 where nobody is or the
 * list has not been made, and what the index knows is all there is.
 */
extern int	RecsysPopularWithAll(const RecsysShopProfile *profile, uint32 **slots, int64 **users);

#endif							/* RECSYS_FALLBACK_H */
