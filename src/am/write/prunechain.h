/*
 * prunechain.h
 *	  Removing the entries of dead rows from the chain of a list.
 */
#ifndef RECSYS_PRUNECHAIN_H
#define RECSYS_PRUNECHAIN_H

#include "am/lists/chain.h"
#include "am/write/prune.h"

/* An owner of a bucket as it was when that was locked */
typedef struct RecsysPrunedList
{
	RecsysOwner owner;			/* a copy without entries */
	RecsysChain chain;			/* its walk, which has let go of the bucket */
} RecsysPrunedList;

/* Where the owner of a list is on the locked bucket, or InvalidOffsetNumber: it has moved. */
extern OffsetNumber RecsysFindPrunedList(RecsysPruning *state, Buffer bucket,
										 const RecsysPrunedList *list);

/*
 * Prunes the chain of a list whose tail has been pruned; returns whether any page has gone.  The
 * bucket is pinned and not locked.
 */
extern bool RecsysPruneChain(RecsysPruning *state, RecsysPrunedList *list, Buffer bucket);

#endif							/* RECSYS_PRUNECHAIN_H */
