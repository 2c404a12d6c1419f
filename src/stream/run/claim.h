/*
 * claim.h
 *	  Claiming partitions in the database, and finding the place in their logs where reading goes on.
 */
#ifndef RECSYS_CLAIM_H
#define RECSYS_CLAIM_H

#include "stream/run/assigned.h"

typedef enum RecsysPlace
{
	RECSYS_PLACE_FOUND,
	RECSYS_PLACE_LATER,			/* not now: the partition has its claim_at, or is LOST */
	RECSYS_PLACE_UNREACHABLE	/* the broker does not answer */
} RecsysPlace;

/* Tells the database which partitions the topic has, before any is claimed: `start` is about those. */
extern bool RecsysRegister(RecsysAssignment *assignment);

/* Raises the epochs.  false if the connection is lost; partitions that cannot be claimed now wait. */
extern bool RecsysClaim(RecsysAssignment *assignment, RecsysPartition **partitions, int npartitions);

/* Is the log the one that was read, and where does reading go on? */
extern RecsysPlace RecsysPlacePartition(RecsysAssignment *assignment, RecsysPartition *partition);

/* Has the database show a partition in a state. */
extern bool RecsysStopPartition(RecsysAssignment *assignment, RecsysPartition *partition, const char *state,
								const char *message);

#endif							/* RECSYS_CLAIM_H */
