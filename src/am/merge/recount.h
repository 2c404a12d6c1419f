/*
 * recount.h
 *	  Computing the graph rows of some items anew, and adjusting those of others.
 */
#ifndef RECSYS_RECOUNT_H
#define RECSYS_RECOUNT_H

#include "am/merge/graphupdate.h"
#include "am/read/userreader.h"
#include "core/rows/histories.h"

/* How the changes of a batch concern an item */
typedef enum RecsysTouch
{
	RECSYS_UNTOUCHED = 0,
	RECSYS_REWEIGHTED,			/* users have it as before, but weigh something else */
	RECSYS_CHANGED				/* it may have come or gone in somebody's history */
} RecsysTouch;

/* An item of a user with changes */
typedef struct RecsysChangedItem
{
	bool		added;			/* does it count since these changes only? */
	float		mass;			/* weight that masses are sums of */
	int64		time;
} RecsysChangedItem;

/* Users with changes */
typedef struct RecsysChangedUsers
{
	RecsysHistories histories;	/* weights as scores are computed with them */
	RecsysChangedItem *items;	/* parallel to the entries */
} RecsysChangedUsers;

typedef struct RecsysRecount RecsysRecount;

/* memory, in bytes, is for histories and updates; the snapshot stays registered. */
extern RecsysRecount *RecsysRecountCreate(Relation heap, Relation index, Snapshot snapshot,
										  Size memory);
extern void RecsysRecountFree(RecsysRecount *recount);

/* N and I that scores are computed with from now on, in place of the meta page's. */
extern void RecsysRecountRescore(RecsysRecount *recount, uint64 users, uint64 items);

/* Are scores computed with weights, or by the order of histories?  Do a user's depend on all that the user has? */
extern bool RecsysRecountUsesWeights(const RecsysRecount *recount);
extern bool RecsysRecountUsesOrder(const RecsysRecount *recount);
extern bool RecsysRecountWeighs(const RecsysRecount *recount);

/*
 * The weights of a folded history become those that scores are computed with; masses
 * gets those that the items' masses are sums of.
 */
extern void RecsysRecountWeigh(RecsysRecount *recount, RecsysHistoryItem *history, int count,
							   float *masses);

/* Item numbers that histories seen by the snapshot can have are below this. */
extern uint32 RecsysRecountItems(const RecsysRecount *recount);

/* The order of item keys. */
extern const RecsysKeyOrder *RecsysRecountOrder(const RecsysRecount *recount);

/* How the reader of users is shared with the caller. */
extern RecsysUserReader *RecsysRecountReader(RecsysRecount *recount);

/*
 * Pair updates that recomputing an item takes, roughly: users times the average
 * length of their histories.
 */
extern double RecsysRecountCost(RecsysRecount *recount, uint32 item);

/*
 * Recomputes the items exactly: their own rows, and their pairs in the rows of
 * all others unless rows_only.  The items are distinct.  rows (may be NULL) are
 * further rows that may hold pairs of the items which no user has any more;
 * with all_rows every row is looked at for them.
 */
extern void RecsysRecountExactly(RecsysRecount *recount, const uint32 *items, uint32 nitems,
								 const uint32 *rows, uint64 nrows, bool all_rows,
								 bool rows_only);

/*
 * Adjusts the items' totals and those pairs that are stored in the row of one of its
 * items by what the users have added, flags their rows as inexact and queues them.  For
 * items that are too much work to recompute now.  Have users lost any of them (shrunk),
 * that is noted for when they are recomputed.
 */
extern void RecsysRecountAdjust(RecsysRecount *recount, const uint32 *items, uint32 nitems,
								const RecsysChangedUsers *users, bool shrunk);

/* Only flags the items' rows as inexact and queues them: for those that are reweighted. */
extern void RecsysRecountPostpone(RecsysRecount *recount, const uint32 *items, uint32 nitems);

#endif							/* RECSYS_RECOUNT_H */
