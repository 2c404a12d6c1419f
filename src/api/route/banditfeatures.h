/*
 * banditfeatures.h
 *	  What a policy looks at: numbers from a user's profile and from the context of a request.
 */
#ifndef RECSYS_BANDITFEATURES_H
#define RECSYS_BANDITFEATURES_H

#include "postgres.h"

#include "api/declare/plan.h"
#include "api/route/banditrow.h"

/* No number is beyond this: sums of their squares stay exact enough. */
#define RECSYS_MOST_FEATURE 1e6

/*
 * The options.dimension numbers of a request, palloc'd; the first one is 1.  Expressions are read
 * with the caller's rights.  What is not known, or no finite number, is 0; numbers beyond a million
 * count as that.
 */
extern double *RecsysBanditFeatures(const RecsysBandit *bandit, const char *user, Jsonb *context);

/*
 * A query over a shop's tables, prepared when it is first asked for, and kept with the shop.  part:
 * for messages.
 */
extern RecsysPlan *RecsysBanditPlan(RecsysShop *shop, const char *part, const char *query, int nargs,
									Oid *types);

#endif							/* RECSYS_BANDITFEATURES_H */
