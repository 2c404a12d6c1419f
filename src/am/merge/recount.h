/*
 * recount.h
 *	  Computing the graph rows of some items anew, and adjusting those of others.
 */
#ifndef RECSYS_RECOUNT_H
#define RECSYS_RECOUNT_H

#include "am/merge/graphupdate.h"
#include "am/read/userreader.h"
#include "core/rows/histories.h"

/* Users with changes */
typedef struct RecsysChangedUsers
{
	RecsysHistories histories;
	bool	   *added;			/* does the item count since these changes only?
								 * parallel to the entries */
} RecsysChangedUsers;

typedef struct RecsysRecount RecsysRecount;

/* memory, in bytes, is for histories and updates; the snapshot stays registered. */
extern RecsysRecount *RecsysRecountCreate(Relation heap, Relation index, Snapshot snapshot,
										  Size memory);
extern void RecsysRecountFree(RecsysRecount *recount);

/* N that scores are computed with from now on, in place of the meta page's. */
extern void RecsysRecountSetUsers(RecsysRecount *recount, uint64 users);

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
 * Adjusts the items' numbers of users and those pairs that are stored in the row
 * of one of its items by what the users have added, flags their rows as inexact
 * and queues them.  For items that are too much work to recompute now.  Have
 * users lost any of them (shrunk), that is noted for when they are recomputed.
 */
extern void RecsysRecountAdjust(RecsysRecount *recount, const uint32 *items, uint32 nitems,
								const RecsysChangedUsers *users, bool shrunk);

#endif							/* RECSYS_RECOUNT_H */
