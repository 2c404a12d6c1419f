/*
 * chain.h
 *	  Walking the chain pages of an owner.
 */
#ifndef RECSYS_CHAIN_H
#define RECSYS_CHAIN_H

#include "postgres.h"

#include "access/xlogdefs.h"
#include "am/store/page.h"
#include "miscadmin.h"

typedef struct RecsysChain
{
	Relation	index;
	RecsysSide	side;
	int			stride;
	uint32		hash;			/* of the owner */
	uint64		claimed;		/* most entries that there can be */
	uint64		least;			/* and the least, unless some have gone */
	uint64		seen;			/* entries so far, the owner's tail included */
	uint32		pages;			/* so far */
	BlockNumber next;			/* page to come */
	BlockNumber mark;			/* a page met before */

	/* once the bucket has been let go */
	bool		loose;
	XLogRecPtr	since;			/* what is logged behind this has happened since */
	bool		lost;			/* somebody may have removed entries since */
} RecsysChain;

/*
 * Begins a walk of a list whose bucket is locked.  The owner has been checked
 * (RecsysOwnerCheck) and need not stay where it is.
 */
extern void RecsysChainBegin(RecsysChain *chain, Relation index, RecsysSide side, int stride,
							 const RecsysOwnerData *owner);

/*
 * From now on the walk does without the lock of the bucket, which is still locked now.  Who
 * must meet every entry once, and not twice, has read the tail and the first page by then; who
 * must meet every entry at least once has done with the tail.  The caller holds a snapshot
 * that keeps pages which leave the list readable, or is VACUUM, which takes them away.
 */
extern void RecsysChainLetGo(RecsysChain *chain);

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
