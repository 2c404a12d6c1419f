/*
 * copies.h
 *	  Which items have nearly the same picture or title as well-known ones of other sellers.
 */
#ifndef RECSYS_COPIES_H
#define RECSYS_COPIES_H

#include "postgres.h"

#include "api/offers/itemfacts.h"
#include "api/offers/offers.h"

typedef struct RecsysCopy
{
	uint32		known;			/* the well-known item */
	uint32		item;			/* and the other one */
	float		likeness;		/* of what is most alike of what identifies them */
} RecsysCopy;

typedef struct RecsysCopies
{
	RecsysCopy *pairs;			/* by well-known item, then by the other */
	uint64		count;
	uint64		room;
} RecsysCopies;

/*
 * Well-known are those with so many users; sellers are known and differ.  Variants, which may
 * rightly share a picture, are no copies.
 */
extern void RecsysFindCopies(RecsysOffers *offers, const RecsysItemFacts *facts,
							 const uint32 *users, uint32 min_users, float threshold,
							 RecsysCopies *copies);

#endif							/* RECSYS_COPIES_H */
