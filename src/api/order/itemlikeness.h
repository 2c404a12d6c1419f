/*
 * itemlikeness.h
 *	  How alike items of a pool are, by the graph of a recommender's first signal.
 */
#ifndef RECSYS_ITEMLIKENESS_H
#define RECSYS_ITEMLIKENESS_H

#include "postgres.h"

#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"

typedef struct RecsysItemLikeness RecsysItemLikeness;

/* Of n rows, which must stay where they are.  Nothing is read before somebody asks. */
extern RecsysItemLikeness *RecsysItemLikenessCreate(const RecsysShopProfile *profile,
													const RecsysItemRow *rows, int n);
extern void RecsysItemLikenessFree(RecsysItemLikeness *likeness);

/*
 * How alike a row is to another one, from 0 to 1: its similarity among the neighbors of the
 * other, as a share of that of the other's nearest neighbor; 0.5 at least within a category.
 */
extern double RecsysItemLikenessOf(RecsysItemLikeness *likeness, int row, int other);

#endif							/* RECSYS_ITEMLIKENESS_H */
