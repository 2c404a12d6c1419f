/*
 * shopnext.h
 *	  next_basket() by a declared recommender.
 */
#ifndef RECSYS_SHOPNEXT_H
#define RECSYS_SHOPNEXT_H

#include "postgres.h"

#include "api/next/nextcall.h"

extern void RecsysShopNextBasket(RecsysAnswer *answer, RecsysShop *definition,
								 const RecsysNextCall *call);

#endif							/* RECSYS_SHOPNEXT_H */
