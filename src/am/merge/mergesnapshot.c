/*
 * mergesnapshot.c
 *	  The snapshot that a merge works under, and whose events it may take.
 *
 * What a merge writes into the item graph all others see at once, and it stays when
 * the merge's own transaction is rolled back.  An event that has been taken off its
 * list never comes again.  So a merge must count a row, and take its event, only
 * when the transaction that wrote the row is over; its own transaction never is.
 *
 * A snapshot does not tell that by itself.  It lists the transactions that others
 * have in progress, not the own one, which looks finished as soon as a later one
 * has ended; and of the own rows it shows those of earlier commands.  Therefore
 *
 * - the snapshot's command id is the first one: no command of this transaction has
 *   run then.  Rows that it has inserted, in whatever subtransaction, are not there
 *   yet, and rows that it has deleted or updated still are as they were;
 * - events of the own transaction are not finished.  They carry the id of the top
 *   transaction, so this covers subtransactions, those that have been rolled back
 *   included: their events go when the transaction is over, and find no rows.
 *
 * Prepared transactions are listed in snapshots as all that are in progress, also
 * after a crash.  A transaction that was cut off by a crash, or by the promotion of
 * a standby, is listed nowhere and is rightly taken for finished: its rows are dead.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "am/merge/mergesnapshot.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/snapmgr.h"

bool
RecsysIndexIsNew(Relation index)
{
	return index->rd_createSubid != InvalidSubTransactionId ||
		RECSYS_FIRST_FILE_SUBID(index) != InvalidSubTransactionId;
}

Snapshot
RecsysMergeSnapshot(Relation index)
{
	Snapshot	snapshot;

	/* others would remove what it sees, without any error */
	if (MyProc->statusFlags & PROC_IN_VACUUM)
		elog(ERROR, "lazy VACUUM cannot hold a snapshot of table rows");

	/*
	 * The snapshot for catalog scans is the one that is always taken anew, once it
	 * has been thrown away: in REPEATABLE READ too, and in parallel mode, which a
	 * VACUUM with workers is in, where GetLatestSnapshot is refused.
	 */
	InvalidateCatalogSnapshot();
	snapshot = RegisterSnapshot(GetCatalogSnapshot(RelationGetRelid(index)));

	/* what has been registered is a copy of our own */
	if (!RecsysIndexIsNew(index))
		snapshot->curcid = FirstCommandId;
	return snapshot;
}

void
RecsysCheckMergeSnapshot(Relation index, Snapshot snapshot)
{
	if (RECSYS_SNAPSHOT_IS_TOO_OLD(snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merging recsys index \"%s\" took longer than old_snapshot_threshold allows",
						RelationGetRelationName(index)),
				 errhint("Increase the configuration parameter \"old_snapshot_threshold\", or decrease \"recsys.merge_budget\".")));
}

bool
RecsysEventIsFinished(const RecsysEvent *event, Snapshot snapshot, uint64 next)
{
	FullTransactionId own = GetTopFullTransactionIdIfAny();

	/* VACUUM has no transaction that anybody would have to wait for */
	if (event->xid == 0)
		return true;
	if (FullTransactionIdIsValid(own) && event->xid == U64FromFullTransactionId(own))
		return false;

	/* one that old is finished, whatever a 32-bit comparison would say */
	if (event->xid >= next || next - event->xid > PG_INT32_MAX)
		return true;
	return !XidInMVCCSnapshot((TransactionId) event->xid, snapshot);
}

static void
set_vacuum_flag(bool on)
{
	/* as vacuum_rel() does: who computes a horizon looks at the copy, under this lock */
	LWLockAcquire(ProcArrayLock, LW_EXCLUSIVE);
	if (on)
		MyProc->statusFlags |= PROC_IN_VACUUM;
	else
		MyProc->statusFlags &= ~PROC_IN_VACUUM;
	ProcGlobal->statusFlags[MyProc->pgxactoff] = MyProc->statusFlags;
	LWLockRelease(ProcArrayLock);
}

/*
 * A horizon, the age from which on dead rows may be pruned, is computed under
 * ProcArrayLock from the ids and the xmin of all processes but those with
 * PROC_IN_VACUUM.  One that was computed before the flag is taken off lies before
 * everything that was in progress then, so what it lets go was deleted by
 * transactions that were over: a snapshot taken later does not see it either.  One
 * computed afterwards heeds our xmin.  So it suffices that the flag goes before the
 * snapshot is taken.  That holds for workers of a parallel VACUUM too, which have
 * the flag from their leader.
 *
 * Our xmin is as old as the VACUUM.  To expose it would put horizons back to where
 * they were then, which is allowed (see ComputeXidHorizons) but has been trouble for
 * other VACUUMs, and would keep others from pruning what they could before.  So the
 * snapshot that vacuum_rel() has set up, which nothing in VACUUM reads rows with,
 * is given up first and replaced by a new one at the end, where vacuum_rel() expects
 * one.  (In REPEATABLE READ the transaction holds on to its first snapshot, and the
 * old xmin is exposed.)
 */
bool
RecsysStepOutOfVacuum(void)
{
	if ((MyProc->statusFlags & PROC_IN_VACUUM) == 0)
		return false;
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	InvalidateCatalogSnapshot();
	set_vacuum_flag(false);
	return true;
}

void
RecsysStepBackIntoVacuum(void)
{
	set_vacuum_flag(true);
	PushActiveSnapshot(GetTransactionSnapshot());
}
