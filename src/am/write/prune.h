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

	bool		stoppable;		/* may a bucket be left half done when VACUUM is cancelled? */
	bool		starved;		/* the disk is full: no events, see unsaid.c */
	bool		no_users;		/* an items index: the item side stands for the rows */
} RecsysPruning;

/* How a bucket was left */
typedef enum RecsysPruneOutcome
{
	RECSYS_PRUNE_DONE,
	RECSYS_PRUNE_STOPPED,		/* half way: VACUUM is cancelled */
	RECSYS_PRUNE_NO_ROOM		/* not begun: there is no room for the events */
} RecsysPruneOutcome;

/* Most entries that one page can lose at once */
#define RECSYS_MAX_PRUNE_EVENTS ((int) (RECSYS_PAGE_ROOM / (sizeof(uint32) + sizeof(ItemPointerData))))

/*
 * Prunes a bucket that is exclusively locked, and its chains.  It may be stopped only if
 * the state says so.
 */
extern RecsysPruneOutcome RecsysPruneBucket(RecsysPruning *state, Buffer bucket);

#endif							/* RECSYS_PRUNE_H */
