/*
 * pending.h
 *	  The pending lists: events that merges have not carried into the graph yet.
 */
#ifndef RECSYS_PENDING_H
#define RECSYS_PENDING_H

#include "am/store/meta.h"
#include "am/store/page.h"
#include "am/store/patch.h"

/* A page of a list as it was read, and which of its events are done with */
typedef struct RecsysPendingPage
{
	int			list;
	BlockNumber block;
	BlockNumber next;
	int			count;			/* events read */
	bool		done[RECSYS_PAGE_EVENTS];
	RecsysEvent events[RECSYS_PAGE_EVENTS];
} RecsysPendingPage;

/* Build: gives every list its first page. */
extern void RecsysPendingCreate(Relation index, ForkNumber fork, RecsysMetaData *meta);

/*
 * Appends events to a list of this process's choice.  Returns true if that has
 * made the lists longer than the index's pending_limit.
 */
extern bool RecsysPendingAppend(Relation index, const RecsysEvent *events, int nevents);

/*
 * Appends one event in the same step as patches of another page, which is exclusively
 * locked and comes before pending pages in the order of locks.
 */
extern bool RecsysPendingAppendWith(Relation index, const RecsysEvent *event, Buffer buffer,
									const RecsysPatch *patches, int npatches);

/* Appends items to the queue. */
extern void RecsysQueueAppend(Relation index, const uint32 *items, int nitems);

/* The event of an entry that goes or does not count any more. */
extern void RecsysRemovedEvent(RecsysEvent *event, uint32 user_hash, const RecsysEntry *entry);

/* First and last (may be NULL) page of a list, as of now. */
extern void RecsysPendingEnds(Relation index, int list, BlockNumber *head, BlockNumber *tail);

/* Only the merging process may call the following two. */
extern void RecsysPendingRead(Relation index, int list, BlockNumber block, RecsysPendingPage *page);

/*
 * Removes the events that are done from the page.  previous is the page before
 * it in the list, or InvalidBlockNumber.  Returns true if the page, left empty,
 * has gone as well.
 */
extern bool RecsysPendingRemove(Relation index, const RecsysPendingPage *page,
								BlockNumber previous);

/* Events in the lists, the queue not included; right as of some recent time. */
extern uint64 RecsysPendingCount(Relation index);

#endif							/* RECSYS_PENDING_H */
