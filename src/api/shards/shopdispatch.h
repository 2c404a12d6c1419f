/*
 * shopdispatch.h
 *	  Lists of a declared recommender whose users are on several nodes: where the user is.
 */
#ifndef RECSYS_SHOPDISPATCH_H
#define RECSYS_SHOPDISPATCH_H

#include "postgres.h"

#include "api/call/answer.h"
#include "api/declare/shop.h"
#include "api/shards/dispatch.h"
#include "utils/timestamp.h"

/*
 * Is the user on another node?  Then *place says where.  first: the index of the first signal as
 * RecsysOpenEvents has opened it; user NULL: nobody in particular.
 */
extern bool RecsysShopUserIsElsewhere(const RecsysShop *shop, const RecsysRecommender *first,
									  const RecsysKey *user, RecsysUserPlace *place);

/* What a list is asked with beside the user; NULL: as it goes without saying */
typedef struct RecsysShopAsk
{
	int			k;
	bool		exclude_seen;
	Interval   *half_life;
	Jsonb	   *context;
	bool		reasons;
} RecsysShopAsk;

/*
 * Rows of (item, score, source, rank) from the user's node; with reasons, reason and details
 * behind
 */
extern void RecsysAskShopList(const RecsysShop *shop, const RecsysRecommender *first,
							  const RecsysUserPlace *place, const RecsysShopAsk *ask, RecsysAnswer *answer);

/* Rows of explain_recommendation() from there */
extern void RecsysAskShopReasons(const RecsysShop *shop, const RecsysRecommender *first,
								 const RecsysUserPlace *place, const RecsysKey *item, Interval *half_life,
								 RecsysAnswer *answer);

/*
 * The functions that recsys.distribute() makes for it, by their names with the schema.  word:
 * "list", "reasons", "because".
 */
extern char *RecsysShopFunction(const RecsysDefinition *definition, const char *word);

/* The columns of their rows, for items of that type */
extern char *RecsysShopReasonedColumns(Oid item_type);

#endif							/* RECSYS_SHOPDISPATCH_H */
