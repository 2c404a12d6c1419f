/*
 * shoporder.h
 *	  The fourth stage: a declared recommender's rules applied to items that may be shown.
 */
#ifndef RECSYS_SHOPORDER_H
#define RECSYS_SHOPORDER_H

#include "postgres.h"

#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"

/*
 * Puts the places of n rows into chosen, which has room for k, in the order of the list;
 * returns how many.  scores are multiplied by the factors of seller quality and price level.
 * is_all: there are no other rows, so that the best may have to give way for a list as long
 * as it can be.
 */
extern int	RecsysOrderRows(const RecsysShopProfile *profile, RecsysItems *items,
							RecsysItemRow *rows, double *scores, int n, int k, bool is_all,
							int *chosen);

#endif							/* RECSYS_SHOPORDER_H */
