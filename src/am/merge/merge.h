/*
 * merge.h
 *	  Carrying pending events into the item graph.
 */
#ifndef RECSYS_MERGE_H
#define RECSYS_MERGE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/rel.h"

typedef enum RecsysMergeMode
{
	RECSYS_MERGE_SLICE,			/* a few pages of events, for an insert that
								 * finds the lists too long */
	RECSYS_MERGE_BOUNDED,		/* all events; what is too much work is adjusted
								 * and queued, and some of the queue is done */
	RECSYS_MERGE_EXACT			/* all events and all of the queue */
} RecsysMergeMode;

typedef struct RecsysMergeResult
{
	uint64		merged;			/* events */
	uint64		recomputed;		/* rows computed exactly */
	uint64		inexact;		/* rows that are not as a build would have them */
} RecsysMergeResult;

/* Called once, from _PG_init. */
extern void RecsysInitMerge(void);

/*
 * What is due before a merge of a whole that is more than a slice: set once, as it stands above this
 * room (am/whole/adopt.c).  The one is called first, and may wait for locks of tables, which VACUUM may
 * hold that waits for a merge to end; the other when nobody else merges.
 */
typedef void (*RecsysBeforeMergeHook) (Relation index, RecsysMergeMode mode);

extern void RecsysSetBeforeMerge(RecsysBeforeMergeHook lock, RecsysBeforeMergeHook work);

/*
 * Merges what was pending when it was called and is visible by now.  Returns
 * false at once when somebody else is merging.  The caller holds
 * RowExclusiveLock, or a stronger one, on both relations and is in a
 * transaction; what is merged stays merged if that is rolled back.
 */
extern bool RecsysMerge(Relation heap, Relation index, RecsysMergeMode mode,
						RecsysMergeResult *result);

/* Start of the last merge that did anything, 0 if there was none, and what it took (microseconds). */
extern void RecsysLastMerge(Relation index, TimestampTz *merged_at, int64 *duration);

/*
 * Recomputes exactly what all entries of the users with a hash, visible or not,
 * have a part in.  Waits for another merge to end.
 */
extern void RecsysMergeUser(Relation heap, Relation index, uint32 user_hash,
							RecsysMergeResult *result);

#endif							/* RECSYS_MERGE_H */
