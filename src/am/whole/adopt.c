/*
 * adopt.c
 *	  Partitions of which nobody has told the whole.
 *
 * A partition may come with an index that is there already: ATTACH PARTITION takes one that
 * matches, and a dump is restored by ALTER INDEX … ATTACH PARTITION.  The access method is not
 * called.  As a rule the session notices what it has done (noticed.c), but not always.  Whoever
 * inserts notices that the leaf is not known, and says so in its chunk; so does nobody for one that
 * is only read.
 *
 * Therefore a merge looks at all leaves first.  Those that are not known completely are entered,
 * under a lock that keeps writers away.  Only an exact merge waits for it, before it keeps other
 * merges away: a VACUUM of the leaf may wait for that.
 *
 * As no writer is there, the transactions of all rows are over, except for our own if it has
 * written to the leaf, or attaches it: then the events wait for it, as always.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/build/wholescan.h"
#include "am/merge/merge.h"
#include "am/parts/leaves.h"
#include "am/parts/leafspace.h"
#include "am/parts/whole.h"
#include "am/whole/adopt.h"
#include "am/whole/partrows.h"
#include "am/whole/rebuild.h"
#include "am/whole/sweep.h"
#include "catalog/index.h"
#include "fault.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "source/input/runas.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"

/* Index functions run with the rights of the table's owner, as in a build. */
static void
enter_as_owner(Relation whole, Relation leaf, Relation part)
{
	bool		settled = !CheckRelationLockedByMe(leaf, RowExclusiveLock, false) &&
		!CheckRelationLockedByMe(leaf, AccessExclusiveLock, false);
	bool		pushed = !ActiveSnapshotSet();
	RecsysRights before;

	RecsysBeginAs(leaf->rd_rel->relowner, &before);
	if (pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	RecsysEnterLeaf(whole, leaf, part, BuildIndexInfo(part), settled);
	if (pushed)
		PopActiveSnapshot();
	RecsysEndAs(&before);
}

void
RecsysAdoptLeaf(Relation whole, Relation leaf)
{
	Oid			oid = RecsysPartOfLeaf(leaf, RecsysRootOfWhole(whole));
	Relation	part;

	/* somebody may have done it before it was locked */
	if (!OidIsValid(oid) || (RecsysStateOfLeaf(whole, leaf) == RECSYS_LEAF_COMPLETE &&
							 !RecsysLeafIsBackAgain(whole, leaf)))
		return;
	part = index_open(oid, AccessShareLock);
	enter_as_owner(whole, leaf, part);
	index_close(part, NoLock);
	RECSYS_FAULT("adopted");
}

/*
 * Locks those leaves that are to be adopted, and does it.  Without waiting, or only to wait for
 * locks
 */
static void
visit_leaves(Relation whole, bool wait)
{
	List	   *leaves = RecsysLeafTables(RecsysIndexedTable(RelationGetRelid(whole)));
	ListCell   *cell;

	foreach(cell, leaves)
	{
		Relation	leaf = try_table_open(lfirst_oid(cell), AccessShareLock);

		if (leaf == NULL)
			continue;
		if (RecsysStateOfLeaf(whole, leaf) != RECSYS_LEAF_COMPLETE)
		{
			if (wait)
				LockRelationOid(lfirst_oid(cell), ShareLock);
			else if (ConditionalLockRelationOid(lfirst_oid(cell), ShareLock))
				RecsysAdoptLeaf(whole, leaf);
		}
		table_close(leaf, NoLock);
	}
	list_free(leaves);
}

/* Workers of a parallel VACUUM do what they are told. */
static bool
is_due(Relation index)
{
	return OidIsValid(RecsysRootOfWhole(index)) && !IsInParallelMode();
}

static void
lock_before_merge(Relation index, RecsysMergeMode mode)
{
	if (mode == RECSYS_MERGE_EXACT && is_due(index))
		visit_leaves(index, true);
}

static void
work_before_merge(Relation index, RecsysMergeMode mode)
{
	if (!is_due(index))
		return;
	RecsysSweep(index);
	visit_leaves(index, false);
}

void
RecsysInitAdopt(void)
{
	RecsysSetBeforeMerge(lock_before_merge, work_before_merge);
}

Oid
RecsysEnsureWhole(Oid root)
{
	if (!OidIsValid(RecsysWholeOf(root)))
		RecsysLockTree(root);
	if (!OidIsValid(RecsysWholeOf(root)))
		(void) RecsysCreateWhole(root);
	return RecsysWholeOf(root);
}
