/*
 * pool.h
 *	  The items that a list is chosen from: the best candidates that may be shown.
 *
 * Candidates are asked of their source in batches, best first, until enough of them pass.
 * Where the planner says that few pass, all that do are read instead, and looked up among the
 * candidates.  When the source has no more, the pool is filled with what is popular nearby,
 * and at last with whatever passes: it grows until it has every item that may be shown.
 */
#ifndef RECSYS_POOL_H
#define RECSYS_POOL_H

#include "postgres.h"

#include "api/candidates/scores.h"
#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"
#include "api/serve/tireditems.h"

/* Candidates, best first: at least the first n, or all there are; the array is the source's. */
typedef int (*RecsysCandidateSource) (void *arg, int n, const RecsysScored **best);

/* What stands in when the source has no more */
typedef enum RecsysStandIns
{
	RECSYS_STAND_IN_NOTHING,
	RECSYS_STAND_IN_NEARBY,		/* what is popular in categories and with sellers */
	RECSYS_STAND_IN_ANYTHING
} RecsysStandIns;

typedef struct RecsysPool
{
	const RecsysShopProfile *profile;
	RecsysItems *items;
	RecsysStandIns stand_ins;
	RecsysLabel barred_category;	/* 0: none */
	const RecsysTiredItems *tired;	/* NULL: none; stand-ins among them come last */

	/* parallel: what has passed, each item once */
	int			count;
	int			room;
	RecsysItemRow *rows;
	double	   *scores;
	uint32	   *scored;			/* slots that the scores are of: the items, or other offers of their groups */
	const char **sources;		/* constant strings */
	const char **details;		/* or NULL */

	struct RecsysPoolState *state;
} RecsysPool;

/* scores may be NULL; then no item is pushed down.  In the current memory context. */
extern RecsysPool *RecsysPoolCreate(const RecsysShopProfile *profile, RecsysItems *items,
									RecsysCandidateSource source, void *arg,
									const RecsysScores *scores, RecsysStandIns stand_ins);

/*
 * Until it has about `want` items, but at least `least`: for the last few of those wanted another
 * look into the shop's table is not worth its price.  False: there are no more.
 */
extern bool RecsysPoolGrow(RecsysPool *pool, int want, int least);

/* Up to `most` new items, or items of new sellers, that have not come up, drawn for this user. */
extern void RecsysPoolAddNew(RecsysPool *pool, int most, bool of_new_sellers);

extern void RecsysPoolFree(RecsysPool *pool);

#endif							/* RECSYS_POOL_H */
