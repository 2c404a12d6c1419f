/*
 * sharedshop.h
 *	  Declared recommenders that recsys.distribute() has been to, on all nodes of Citus.
 */
#ifndef RECSYS_SHAREDSHOP_H
#define RECSYS_SHAREDSHOP_H

#include "postgres.h"

#include "api/declare/declaredrows.h"

/*
 * Waits for others that refresh the lists of the recommender, or share it, to commit.  Nobody else
 * takes locks of this kind.  It comes before a lock on the declared row.
 */
extern void RecsysLockLists(const char *recommender);

/*
 * On the coordinator, as part of the transaction, with the rights of the extension's owner:
 * whether the caller may has been looked at.  ShareShop writes what the nodes serve it by, with
 * the lists of the last refresh; ShareLists those alone.
 */
extern void RecsysShareShop(const RecsysDeclaredRow *row);
extern void RecsysShareLists(const char *recommender);
extern void RecsysUnshareShop(const char *recommender);

#endif							/* RECSYS_SHAREDSHOP_H */
