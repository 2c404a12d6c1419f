/*
 * partbuild.c
 *	  The callback that builds an index, and what becomes of partitions.
 *
 * A partition's index below a partitioned one is a part: it holds nothing.  What is to be
 * indexed goes into the whole (am/parts/whole.h):
 *
 * - There is none yet, and this part is the last that was missing: it is created, which scans all
 *	 leaves.  (Where the last one was there before, and was attached, nobody calls us; a merge creates
 *	 the whole, see adopt.c.)
 * - CREATE TABLE … PARTITION OF, or TRUNCATE: there are no rows, and this is noted, so that all
 *	 that come will be known.
 * - ATTACH PARTITION, or a table that has been rewritten: its rows are entered.
 * - REINDEX CONCURRENTLY of a leaf: the copy of its part is one as well.
 * - REINDEX of a leaf: nothing has changed, and the whole is not even looked at, as it may be damaged.
 *	 But if the leaf has been moved, and the whole knows it by an earlier file, the new part cannot say
 *	 so any more (am/parts/currentstorage.h), and its rows are entered.
 * - REINDEX of the root, or of the partitioned table: at the last leaf the whole is built anew.
 *
 * A truncation in place (of a table that the transaction has made itself, or ON COMMIT DELETE
 * ROWS) is told from a REINDEX by the server's own note; the TIDs before it do not count any more.
 */
#include "postgres.h"

#include "access/genam.h"
#include "am/build/build.h"
#include "am/build/wholescan.h"
#include "am/entry/handler.h"
#include "am/parts/leaves.h"
#include "am/parts/leafspace.h"
#include "am/parts/twin.h"
#include "am/parts/whole.h"
#include "am/whole/partrows.h"
#include "am/whole/rebuild.h"
#include "am/whole/shardparts.h"
#include "catalog/index.h"
#include "compat.h"
#include "fault.h"
#include "storage/bufmgr.h"

/*
 * Has the leaf the rows that it had when the transaction began?  The whole knows them, or a merge
 * is to enter them.
 */
static bool
is_as_before(Relation leaf, Relation part)
{
	return ReindexIsProcessingIndex(RelationGetRelid(part)) &&
		leaf->rd_createSubid == InvalidSubTransactionId &&
		RECSYS_FIRST_FILE_SUBID(leaf) == InvalidSubTransactionId;
}

/* What the whole has to know of the leaf whose part is built */
static void
tell_whole(Relation whole, Relation leaf, Relation part, struct IndexInfo *info)
{
	/* a table that was rewritten earlier in this transaction may be reindexed after that */
	if (ReindexIsProcessingIndex(RelationGetRelid(part)) &&
		RecsysStateOfLeaf(whole, leaf) == RECSYS_LEAF_COMPLETE)
		return;
	if (RelationGetNumberOfBlocks(leaf) == 0)
		RecsysEnterLeafAnew(whole, leaf, true);
	else
		RecsysEnterLeaf(whole, leaf, part, info, false);
}

static void
build_part(Relation leaf, Relation part, struct IndexInfo *info)
{
	Oid			root = RecsysRootOf(RelationGetRelid(part));
	bool		last;
	bool		of_tree = RecsysIsOfReindex(part, root, &last);
	bool		as_before = is_as_before(leaf, part);
	Relation	whole;

	RecsysBuildPart(part);
	RECSYS_FAULT("part-built");
	if (last)
		RecsysRebuildWhole(root);

	/* a table that has been neither moved nor rewritten has the file that it was created with */
	if (last || (as_before && (of_tree || RECSYS_FILE_NUMBER(leaf) == RelationGetRelid(leaf))))
		return;
	whole = RecsysOpenWholeOfPart(part, RowExclusiveLock, RowExclusiveLock);
	if (whole != NULL && as_before && RecsysStateOfLeaf(whole, leaf) != RECSYS_LEAF_UNKNOWN)
		index_close(whole, NoLock);
	else if (whole != NULL)
	{
		RecsysCheckLeafPersistence(leaf, whole, root);
		tell_whole(whole, leaf, part, info);
		index_close(whole, NoLock);
	}
	else if (!ReindexIsProcessingIndex(RelationGetRelid(part)) && RecsysAllLeavesHaveParts(root))
		(void) RecsysCreateWhole(root);
}

IndexBuildResult *
recsys_build(Relation heap, Relation index, struct IndexInfo *info)
{
	IndexBuildResult *result;
	Oid			twin = RecsysTwinOf(index);

	if (OidIsValid(twin))
		RecsysBuildTwin(index, twin);
	else if (RecsysIsPart(index))
		build_part(heap, index, info);
	else if (RecsysWillBePart(heap, index))
		RecsysBuildPart(index);
	else
		return RecsysBuildIndex(heap, index, info);

	/* nothing has been counted */
	result = palloc0(sizeof(IndexBuildResult));
	result->heap_tuples = result->index_tuples = -1;
	return result;
}
