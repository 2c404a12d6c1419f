/*
 * chain.h
 *	  Walking the chain pages of an owner.
 */
#ifndef RECSYS_CHAIN_H
#define RECSYS_CHAIN_H

#include "postgres.h"

#include "am/store/page.h"
#include "miscadmin.h"

typedef struct RecsysChain
{
	Relation	index;
	RecsysSide	side;
	int			stride;
	uint32		hash;			/* of the owner */
	uint32		claimed;		/* entries that the owner says there are */
	uint64		seen;			/* entries so far, the owner's tail included */
	uint32		pages;			/* so far */
	BlockNumber next;			/* page to come */
	BlockNumber held;			/* page that the caller has still locked, if any */
	BlockNumber mark;			/* a page met before */
} RecsysChain;

/*
 * Begins a walk; the owner's bucket is locked until it ends.  The owner has been
 * checked (RecsysOwnerCheck) and need not stay where it is.
 */
extern void RecsysChainBegin(RecsysChain *chain, Relation index, RecsysSide side, int stride,
							 const RecsysOwnerData *owner);

/*
 * The next page, locked in that mode, or InvalidBuffer behind the last one.
 * Errors out when the page cannot belong to the list, the list comes back to a
 * page that was met before, or there are not as many entries as the owner claims.
 * So a walk of a damaged list ends, too, and soon.
 */
extern Buffer RecsysChainNext(RecsysChain *chain, int lockmode);

/*
 * Has this statement been cancelled, or the session ended?  No interrupt is
 * served while a page is locked.  Whoever works for long with one locked looks at
 * this now and then, lets go of all pages, and calls CHECK_FOR_INTERRUPTS.
 */
static inline bool
RecsysIsCancelled(void)
{
	return unlikely(InterruptPending) && (QueryCancelPending || ProcDiePending);
}

#endif							/* RECSYS_CHAIN_H */
