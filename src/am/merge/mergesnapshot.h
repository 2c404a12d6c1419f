/*
 * mergesnapshot.h
 *	  The snapshot that a merge works under, and whose events it may take.
 */
#ifndef RECSYS_MERGESNAPSHOT_H
#define RECSYS_MERGESNAPSHOT_H

#include "postgres.h"

#include "am/store/page.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * A new snapshot, registered, under which this transaction has done nothing yet:
 * what all others agree upon.  Of an index that this transaction has made it sees
 * this transaction's rows as well, see RecsysIndexIsNew.
 */
extern Snapshot RecsysMergeSnapshot(Relation index);

/*
 * Errors out if old_snapshot_threshold may have let rows go that the snapshot sees: to
 * be asked after rows have been looked up and before anything is made of them.
 */
extern void RecsysCheckMergeSnapshot(Relation index, Snapshot snapshot);

/*
 * Is the transaction behind an event over, and was it when the snapshot was taken?
 * next is the next transaction id, as of some time after the event was read.
 */
extern bool RecsysEventIsFinished(const RecsysEvent *event, Snapshot snapshot, uint64 next);

/*
 * Was the index built in this transaction?  Then nobody else has seen it, and if
 * the transaction fails it will never have been there.
 */
extern bool RecsysIndexIsNew(Relation index);

/*
 * Lazy VACUUM lets others remove rows that its snapshots still see.  Between these
 * two calls it does not; the first returns false, and the second must not follow,
 * when this process is not in lazy VACUUM.  No snapshot of the caller may be
 * registered at either.  After an error the end of the transaction does the rest.
 */
extern bool RecsysStepOutOfVacuum(void);
extern void RecsysStepBackIntoVacuum(void);

#endif							/* RECSYS_MERGESNAPSHOT_H */
