/*
 * pendingwalk.h
 *	  Reading the pending lists beside a process that merges.
 */
#ifndef RECSYS_PENDINGWALK_H
#define RECSYS_PENDINGWALK_H

#include "am/lists/pending.h"

/* Sees the events of a page, which is locked: the visitor locks none. */
typedef void (*RecsysEventVisitor) (void *arg, const RecsysEvent *events, int count);

/*
 * All events that are there from the first to the last moment of the walk, the queue left out;
 * those that come or go meanwhile perhaps, and perhaps twice.
 */
extern void RecsysPendingWalk(Relation index, RecsysEventVisitor visit, void *arg);

#endif							/* RECSYS_PENDINGWALK_H */
