/*
 * backoff.h
 *	  Indexes whose merge has failed, and when to try them again.
 */
#ifndef RECSYS_BACKOFF_H
#define RECSYS_BACKOFF_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Longest time between two attempts, milliseconds */
#define RECSYS_BACKOFF_MAX 600000

/* n doublings of first, at most RECSYS_BACKOFF_MAX */
extern int	RecsysBackoffDelay(int first, int n);

extern void RecsysBackoffRequestMemory(void);
extern void RecsysBackoffInitMemory(void);

/*
 * All of the following speak of an index of MyDatabaseId.  file is its
 * relfilenode: once it has been rebuilt, what was wrong may be no more.
 */

/* When may it be tried again?  0: it has not failed. */
extern TimestampTz RecsysBackoffUntil(Oid index, Oid file);

/*
 * Notes that its merge has failed with that message.  Returns when it may be tried
 * again.  *news: the previous merge did not fail, or failed with another message.
 */
extern TimestampTz RecsysBackoffFailed(Oid index, Oid file, const char *message, bool *news);

/* It has not failed; returns true when it had before. */
extern bool RecsysBackoffSucceeded(Oid index, Oid file);

#endif							/* RECSYS_BACKOFF_H */
