/*
 * shoplist.h
 *	  The SQL functions that make lists, where a declared recommender makes them.
 */
#ifndef RECSYS_SHOPLIST_H
#define RECSYS_SHOPLIST_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/declare/shop.h"
#include "api/serve/funnel.h"

/* Positions of the arguments that not every variant of a function has; -1: it has none */
typedef struct RecsysListArguments
{
	int			exclude_seen;
	int			half_life;
	int			context;
} RecsysListArguments;

/* recommend and recommend_with_reasons: user, k, recommender, and those; with the reasons as two more columns. */
extern void RecsysShopRecommend(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop,
								const RecsysListArguments *arguments, bool reasons);

/* recommend_for_items: items, k, recommender, exclude_given. */
extern void RecsysShopForItems(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop);

/* similar_items, and goes_with if `beside`: item, k, recommender. */
extern void RecsysShopNeighbors(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop,
								bool beside);

/* item, score, source, rank, and with the reasons reason and details */
extern void RecsysShopPutList(RecsysAnswer *answer, RecsysFunnel *funnel, const RecsysListed *rows,
							  int count, bool reasons);

/* A slot's item as a value of the answer. */
extern Datum RecsysShopItem(const RecsysAnswer *answer, RecsysFunnel *funnel, uint32 slot);

/* The types of keys are those of the first signal's index: opens it, checks the answer's. */
extern void RecsysShopOpenFirst(RecsysShop *shop, RecsysAnswer *answer, RecsysRecommender *first);

/*
 * half_life of a call, NULL if it has none: in *given, of which a pointer is returned.  It takes the
 * place of the half-lives of all signals that have times.
 */
extern const int64 *RecsysShopHalfLife(FunctionCallInfo fcinfo, int argument,
									   const RecsysRecommender *first, RecsysShop *shop, int64 *given);

#endif							/* RECSYS_SHOPLIST_H */
