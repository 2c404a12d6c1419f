/*
 * check_events.h
 *	  The pending events by user, for a check that goes through all users.
 */
#ifndef RECSYS_CHECK_EVENTS_H
#define RECSYS_CHECK_EVENTS_H

#include "postgres.h"

#include "utils/rel.h"

typedef struct RecsysEventsByUser RecsysEventsByUser;

/*
 * Sorts what is pending now, of items below nitems; seen is called for the item of each
 * event.  Lives in the current memory context.
 */
typedef void (*RecsysEventSeen) (void *arg, uint32 item);

extern RecsysEventsByUser *RecsysEventsSort(Relation index, uint32 nitems, RecsysEventSeen seen,
											void *arg);

/* Before each pass over the users. */
extern void RecsysEventsRewind(RecsysEventsByUser *events);

/*
 * The items that events of the users with a hash name, ascending; returns how many.
 * Hashes come in ascending order.
 */
extern uint32 RecsysEventsOfUser(RecsysEventsByUser *events, uint32 hash, const uint32 **items);

extern void RecsysEventsFree(RecsysEventsByUser *events);

#endif							/* RECSYS_CHECK_EVENTS_H */
