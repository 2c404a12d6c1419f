/*
 * wake.h
 *	  How sessions that change indexes and the processes that merge them find
 *	  each other.
 */
#ifndef RECSYS_WAKE_H
#define RECSYS_WAKE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Most databases that are known at a time to have something to merge */
#define RECSYS_WAKE_SLOTS 128

/* Setting recsys.merge_interval: milliseconds from one merge to the next; 0 = off */
extern PGDLLIMPORT int RecsysMergeInterval;

typedef enum RecsysUrgency
{
	RECSYS_CALM,				/* nothing was changed since the last look */
	RECSYS_PENDING,				/* merge when the interval is over */
	RECSYS_URGENT				/* merge now */
} RecsysUrgency;

/*
 * For whoever adds something to a pending list.  Both cost a few instructions
 * when the same has been said since the last merge.
 */

/* Events have been added to an index of this database. */
extern void RecsysNotePending(void);

/*
 * A pending list is over its limit: merge soon.  Returns false when nobody
 * will: the library is not preloaded, merging is switched off, or there is no
 * room for a worker.
 */
extern bool RecsysWakeMergeWorker(void);

/* Was the server started with the library, so that background processes may run? */
extern bool RecsysIsPreloaded(void);

/*
 * For the server's start: before and in shmem_startup_hook's turn.
 */
extern void RecsysWakeRequestMemory(void);
extern void RecsysWakeInitMemory(void);

/*
 * For the launcher.
 */
typedef struct RecsysWakeState
{
	Oid			database;
	RecsysUrgency urgency;
	bool		served;			/* a worker is there */
	TimestampTz retry_at;		/* something is to be tried again then, or 0 */
} RecsysWakeState;

/* From now on this process is woken when a database needs a worker. */
extern void RecsysWakeAttachLauncher(void);

/* Copies what is known to states, which has RECSYS_WAKE_SLOTS; returns the number. */
extern int	RecsysWakeRead(RecsysWakeState *states);

/* A worker is about to be started: until it says otherwise, it has failed. */
extern void RecsysWakeStarting(Oid database);

/* Did the last worker leave by itself? */
extern bool RecsysWakeLeft(Oid database);

/* There is no such database any more. */
extern void RecsysWakeForget(Oid database);

/* Can workers be started?  Do databases wait for one to leave? */
extern void RecsysWakeSetSupply(bool able, bool crowded);

/*
 * For the worker of a database.
 */

/* From now on this process is woken for MyDatabaseId; false: no room. */
extern bool RecsysWakeAttachWorker(void);

/* Becomes calm; call it before looking at the pending lists. */
extern void RecsysWakeTake(void);
extern RecsysUrgency RecsysWakeUrgency(void);
extern bool RecsysWakeCrowded(void);

/* The worker leaves by itself; retry_at as above. */
extern void RecsysWakeLeave(TimestampTz retry_at);

#endif							/* RECSYS_WAKE_H */
