/*
 * mergestate.h
 *	  What the parts of a merge share; for merge.c, mergechanges.c, mergetouched.c,
 *	  mergequeue.c and, what reading and removing events needs, the merge of an items index.
 */
#ifndef RECSYS_MERGESTATE_H
#define RECSYS_MERGESTATE_H

#include "am/lists/pending.h"
#include "am/merge/merge.h"
#include "am/merge/recount.h"
#include "datatype/timestamp.h"
#include "utils/snapshot.h"

/* Of the budget of a merge so much, in percent, is for the queue. */
#define RECSYS_QUEUE_PERCENT	25

/* Pages and events that a slice looks at, so that an insert never waits long for one */
#define RECSYS_SLICE_PAGES		2
#define RECSYS_SLICE_EVENTS		64

/* Pages of a batch at most */
#define RECSYS_BATCH_PAGES		256

/* A page of a list on the way: with events to merge, or passed by */
typedef struct RecsysVisitedPage
{
	int			list;
	BlockNumber block;
	RecsysPendingPage *page;	/* NULL when passed by */
} RecsysVisitedPage;

/* A user whose flags are to follow */
typedef struct RecsysChangedUser
{
	RecsysUserView view;		/* key and flags only */
	bool		counted;
	bool		mark;
	bool		displaced;		/* do other items count than the marks say? */
	uint32		first;			/* place among the batch's histories */
} RecsysChangedUser;

typedef struct RecsysMergeState
{
	Relation	heap;
	Relation	index;
	RecsysMergeMode mode;
	TimestampTz start;
	RecsysMergeResult *result;
	Size		memory;
	double		budget;
	int64		now;			/* clock, as a time of the index */
	bool		queue_follows;	/* will this merge work on the whole queue, at its end? */
	MemoryContext context;		/* of the batch at hand */

	/* where in which list the next batch begins, and where the list ended */
	int			list;
	BlockNumber block;
	BlockNumber last;
	BlockNumber previous;		/* page before block in its list */

	/* the batch */
	Snapshot	snapshot;
	uint32		nitems;			/* no row that the snapshot sees has an item beyond */
	int			maxpages;		/* pages and, in a slice, events that it takes at most */
	uint64		maxevents;
	RecsysRecount *recount;		/* NULL: no users have to be looked up */
	RecsysVisitedPage *visited;
	int			nvisited;
	RecsysEvent *events;
	uint64		nevents;
	uint64		event;			/* of the user at hand: first ... */
	uint64		event_end;		/* ... and behind the last */
	uint8	   *touch;			/* by item: RecsysTouch */
	uint32	   *touched;
	uint32		ntouched;
	uint32	   *rows;			/* that may hold pairs without users */
	uint64		nrows;
	uint64		maxrows;
	bool		removed;		/* has a user lost an item? */
	RecsysChangedUsers users;
	uint64		maxitems;		/* room in users.items */
	float	   *masses;			/* of the user at hand, room for max_history */
	RecsysChangedUser **changed;
	uint32		nchanged;
	uint32		maxchanged;
} RecsysMergeState;

/*
 * merge.c, for both kinds of merges: RecsysMergeBy locks, makes a state, calls run and cleans
 * up, as RecsysMerge does.  Begin reports progress and puts on lists what VACUUM could not;
 * Budget is that of a bounded one, in pair updates; BudgetQueue leaves the queue its part of it;
 * Record writes what has been done to the meta page.
 */
typedef void (*RecsysMergeRun) (RecsysMergeState *merge);

extern bool RecsysMergeBy(Relation heap, Relation index, RecsysMergeMode mode, RecsysMergeRun run,
						  RecsysMergeResult *result);
extern void RecsysMergeBegin(RecsysMergeState *merge);
extern double RecsysMergeBudget(void);
extern void RecsysMergeBudgetQueue(RecsysMergeState *merge);
extern void RecsysRecordMerge(RecsysMergeState *merge);

/* A batch has a snapshot, and what is allocated in its context, from its start to its end. */
extern void RecsysMergeStartBatch(RecsysMergeState *merge);
extern void RecsysMergeEndBatch(RecsysMergeState *merge);

/*
 * The prior's page (am/graph/prior_page.h): a merge that was cut short has left it behind;
 * items of a batch have changed, before their events are removed; an exact merge is over.
 */
extern void RecsysMergePriorLeft(RecsysMergeState *merge);
extern void RecsysMergePriorChanged(RecsysMergeState *merge, const uint32 *items, uint32 nitems);
extern void RecsysMergePriorExactly(RecsysMergeState *merge);

/* Flags of an item's row by which it stands on the queue; 0 when it need not. */
extern uint16 RecsysMergeQueuedFlags(RecsysGraphReader *reader, uint32 item);

/*
 * Works on the queue, a page of it at a time, within the budget.  At least one item is
 * done, whatever it costs.
 */
extern void RecsysMergeQueue(RecsysMergeState *merge);

/* Reads the next pages; false when there was nothing to merge up to the lists' ends. */
extern bool RecsysMergeReadBatch(RecsysMergeState *merge);

/* Looks up the users of the batch's events: what is touched, which flags are to follow. */
extern void RecsysMergeVisitUsers(RecsysMergeState *merge);

/* Recomputes, adjusts or postpones what is touched. */
extern void RecsysMergeTouched(RecsysMergeState *merge);

/* The flags follow. */
extern void RecsysMergeUpdateUsers(RecsysMergeState *merge);

/*
 * Takes the batch's events off their pages.  previous is the page before the
 * first, or InvalidBlockNumber; returns the page before the next to visit.
 */
extern BlockNumber RecsysMergeRemoveEvents(RecsysMergeState *merge, BlockNumber previous);

#endif							/* RECSYS_MERGESTATE_H */
