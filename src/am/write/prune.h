/*
 * prune.h
 *	  Removing the entries of dead rows from a bucket and the chains of its owners.
 */
#ifndef RECSYS_PRUNE_H
#define RECSYS_PRUNE_H

#include "postgres.h"

#include "access/genam.h"
#include "am/store/page.h"

typedef struct RecsysPruning
{
	Relation	index;
	RecsysMetaData meta;
	int			stride[2];
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void	   *callback_state;

	/* what the entries found dead on a page mean for the item graph */
	RecsysEvent *events;
	int			nevents;

	bool		starved;		/* the disk is full: no events, see unsaid.c; the lock on the
								 * meta page is held */
	bool		no_users;		/* an items index: the item side stands for the rows */
} RecsysPruning;

/* Most entries that one page can lose at once */
#define RECSYS_MAX_PRUNE_EVENTS ((int) (RECSYS_PAGE_ROOM / (sizeof(uint32) + sizeof(ItemPointerData))))

/*
 * Prunes a bucket page, which is pinned and not locked, and the chains of its owners.  Nothing is
 * locked for long, and interrupts are served.
 */
extern void RecsysPruneBucket(RecsysPruning *state, Buffer bucket);

/* For prunechain.c, too: */

/*
 * Copies the entries of an owner that stay from packed to kept; returns their number.  Each
 * of the others leaves an event.
 */
extern int	RecsysPruneEntries(RecsysPruning *state, RecsysSide side, const RecsysOwnerData *owner,
							   const char *packed, int count, char *kept);

/*
 * Tell merges about the dead entries, before they go: should the server stop in
 * between, the next VACUUM will say it again, and once too often does no harm.
 */
extern void RecsysPrunePutEvents(RecsysPruning *state);

#endif							/* RECSYS_PRUNE_H */
