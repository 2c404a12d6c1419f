/*
 * prior_page.h
 *	  The page of the prior (core/pairs/prior.h): the items with the best scores, and the
 *	  latest time there is.
 */
#ifndef RECSYS_PRIOR_PAGE_H
#define RECSYS_PRIOR_PAGE_H

#include "am/store/page.h"
#include "core/pairs/prior.h"
#include "source/train/historystore.h"

/* What serving needs of the page */
typedef struct RecsysPrior
{
	int64		latest;			/* that ages of items are counted from */
	int			count;
	uint32		items[RECSYS_PRIOR_ITEMS];	/* best first */
	float		scores[RECSYS_PRIOR_ITEMS];
} RecsysPrior;

/* Has an index that is built with these options use for the page? */
extern bool RecsysNeedsPrior(const RecsysModelOptions *options);

/* The half-life that rows count the users by who have their item lately, 0 for none. */
extern int64 RecsysRecentHalfLife(const RecsysModelOptions *options);

/* False when the index has no such page; otherwise *prior has what it says now. */
extern bool RecsysReadPrior(Relation index, RecsysPrior *prior);

/*
 * Build: writes the page if there is use for it and fills in what meta says of it.  Without
 * a model there are no items.  now is the clock, as a time of the index's column.
 */
extern void RecsysWritePrior(Relation index, ForkNumber fork, const RecsysModel *model, int64 now,
							 RecsysMetaData *meta);

/*
 * Brings the page up to date after the rows of the given items have changed, and
 * numbers of users, items and interactions.  Only the merging process may call this.
 */
extern void RecsysUpdatePrior(Relation index, const uint32 *items, uint32 nitems, int64 now);

/*
 * Makes the page anew, from all rows; those with times in the future have
 * been counted by now, if recounted.  Only the merging process may
 * call this.
 */
extern void RecsysRenewPrior(Relation index, int64 now, bool recounted);

/* As it stands on the page, and as it would be made anew: to be compared */
typedef struct RecsysPriorCheck
{
	RecsysMetaData meta;
	RecsysPriorHeader header;
	RecsysPrior prior;

	/* of all rows */
	int64		farthest;
	RecsysRecencyTotal recent;
	RecsysNeighborList list;
} RecsysPriorCheck;

/* False when the index has no such page.  In the current memory context. */
extern bool RecsysPriorReadAll(Relation index, RecsysPriorCheck *check);

/*
 * How the page stands to the rows; exact for an index without it.  *counted_by gets the
 * clock that rows with a later time have been counted by: where there is such a row
 * (*future), another clock gives something else.
 */
extern RecsysPriorState RecsysGetPriorState(Relation index, int64 *counted_by, bool *future);

#endif							/* RECSYS_PRIOR_PAGE_H */
