/*
 * mergesnapshot.c
 *	  The snapshot that a merge works under, and whose events it may take.
 *
 * What a merge writes into the item graph is seen by others at once, and it stays when
 * the merge's own transaction is rolled back.  An event that has been taken off its
 * list never comes back.  So a merge may count a row, and take its event, only when
 * the transaction that wrote the row is over.  Its own transaction never is.
 *
 * An ordinary snapshot does not ensure that.  It lists the running transactions of
 * others, but not our own, which therefore looks finished as soon as a later one has
 * ended.  And it shows rows that our own earlier commands have written.  Therefore:
 *
 * - The snapshot gets the first command id, as if no command of this transaction had
 *   run.  Rows that the transaction has inserted, in any subtransaction, are not
 *   visible, and rows that it has deleted or updated look as they did before.
 * - Events of our own transaction count as unfinished.  They carry the id of the top
 *   transaction, so this covers subtransactions too.  If a subtransaction was rolled
 *   back, its events are taken once the transaction is over, and lead to no rows.
 *
 * Snapshots list prepared transactions among those in progress, also after a crash.  A
 * transaction that was ended by a crash, or by the promotion of a standby, is not
 * listed.  It counts as finished, which is right: its rows are dead.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "am/merge/mergesnapshot.h"
#include "am/store/indexname.h"
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
	 * The snapshot for catalog scans is always taken anew after it has been
	 * invalidated, in REPEATABLE READ too.  GetLatestSnapshot would be refused in
	 * parallel mode, which a VACUUM with workers is in.
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
						RecsysIndexName(index)),
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
 * Horizons say which dead rows may be pruned.  They are computed under ProcArrayLock
 * from the ids and the xmin of all processes except those with PROC_IN_VACUUM.  A
 * horizon computed before we clear the flag only lets go of rows whose deleters were
 * over by then, and a snapshot taken later does not see those rows either.  A horizon
 * computed afterwards respects our xmin.  So it is enough to clear the flag before
 * taking the snapshot.  This also holds for workers of a parallel VACUUM, which
 * inherit the flag from their leader.
 *
 * Our xmin is as old as the VACUUM.  Exposing it would move horizons back to that
 * point.  That is allowed (see ComputeXidHorizons), but it has caused trouble for other
 * VACUUMs, and it would keep others from pruning what they could prune before.  So we
 * first give up the snapshot that vacuum_rel() has set up, with which nothing in VACUUM
 * reads rows.  At the end a new one takes its place, because vacuum_rel() expects one.
 * (In REPEATABLE READ the transaction keeps its first snapshot, and the old xmin is
 * exposed.)
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
