/*
 * itemfacts.h
 *	  Who sells each item of an items index, and at what price.
 */
#ifndef RECSYS_ITEMFACTS_H
#define RECSYS_ITEMFACTS_H

#include "postgres.h"

#include "api/offers/offers.h"
#include "api/declare/shop.h"
#include "core/rows/dictionary.h"

typedef struct RecsysItemFact
{
	uint32		seller;			/* a number of its own; RECSYS_NONE: not known */
	double		price;			/* above 0; NAN: not known */
	bool		offered;		/* passes the item filter */
	bool		of_new_seller;
} RecsysItemFact;

typedef struct RecsysItemFacts
{
	RecsysItemFact *items;		/* by number */
	RecsysDictionary *sellers;	/* names by number */
	bool		knows_new_sellers;
} RecsysItemFacts;

/* By a declared recommender, which is in use; or by columns of the index's table if shop is NULL. */
extern void RecsysReadItemFacts(RecsysOffers *offers, RecsysShop *shop, const char *seller,
								const char *price, RecsysItemFacts *facts);

/* As text, palloc'd; the seller is known. */
extern Datum RecsysSellerName(const RecsysItemFacts *facts, uint32 seller);

#endif							/* RECSYS_ITEMFACTS_H */
