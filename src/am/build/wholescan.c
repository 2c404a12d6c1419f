/*
 * wholescan.c
 *	  The table scan of a whole's build: all leaves of the partitioned table, one by one.
 *
 * A leaf is scanned by its own index, which knows the numbers of its columns, and its expressions
 * and predicate; they run with the rights of the leaf's owner, whoever owns the whole.  The leaf's
 * blocks get chunks one after the other, so that a virtual position is the leaf's own plus a
 * constant.
 *
 * All leaves are locked before the first is read, in the order of their OIDs.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "am/build/build_parallel.h"
#include "am/build/wholescan.h"
#include "am/parts/currentstorage.h"
#include "am/parts/leaves.h"
#include "am/parts/leafspace.h"
#include "am/parts/whole.h"
#include "catalog/index.h"
#include "fault.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "source/input/runas.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

/* Rows of one leaf on their way */
typedef struct LeafRows
{
	uint64		shift;			/* from own positions to virtual ones */
	RecsysAddRow add;
	void	   *arg;
} LeafRows;

void
RecsysCheckLeafPersistence(Relation leaf, Relation whole, Oid root)
{
	if (leaf->rd_rel->relpersistence == whole->rd_rel->relpersistence)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("partition \"%s\" cannot have a part in recsys index \"%s\"",
					RelationGetRelationName(leaf), get_rel_name(root)),
			 errdetail("Some partitions are unlogged and others are not, or some are temporary."),
			 errhint("Drop the index, make all partitions logged or all of them unlogged, and create it again.")));
}

/* Until all that there are have been locked */
List *
RecsysLockLeaves(Oid table)
{
	List	   *leaves = RecsysLeafTables(table);
	List	   *before;

	do
	{
		ListCell   *cell;

		before = leaves;
		foreach(cell, before)
			LockRelationOid(lfirst_oid(cell), ShareLock);
		leaves = RecsysLeafTables(table);
	} while (!equal(leaves, before));
	return leaves;
}

void
RecsysLeafScanBegin(RecsysLeafScan *scan, Relation whole, Oid root)
{
	ListCell   *cell;

	memset(scan, 0, sizeof(*scan));
	scan->whole = whole;
	scan->root = root;
	scan->leaves = RecsysLockLeaves(RecsysIndexedTable(RelationGetRelid(whole)));
	foreach(cell, scan->leaves)
	{
		Relation	leaf = table_open(lfirst_oid(cell), NoLock);

		RecsysCheckLeafPersistence(leaf, whole, root);
		table_close(leaf, NoLock);
	}
}

/* As many as for one table of that size */
int
RecsysLeafScanWorkers(const RecsysLeafScan *scan)
{
	double		pages = 0;
	ListCell   *cell;

	foreach(cell, scan->leaves)
	{
		Relation	leaf = table_open(lfirst_oid(cell), NoLock);

		pages += RelationGetNumberOfBlocks(leaf);
		table_close(leaf, NoLock);
	}
	return RecsysWorkersForPages(scan->whole, pages);
}

static Relation
open_part(const RecsysLeafScan *scan, Relation leaf)
{
	Oid			part = RecsysPartOfLeaf(leaf, scan->root);

	if (!OidIsValid(part))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("partition \"%s\" has no index that belongs to recsys index \"%s\"",
						RelationGetRelationName(leaf), get_rel_name(scan->root)),
				 errhint("Create one on it, and attach that to this one.")));
	return index_open(part, AccessShareLock);
}

/* Chunks for all blocks of a leaf; the first one's number. */
static uint32
add_chunks(RecsysLeafScan *scan, Relation leaf)
{
	uint32		first = scan->nchunks;
	uint32		n = RelationGetNumberOfBlocks(leaf) / RECSYS_CHUNK_BLOCKS + 1;
	RecsysChunk chunk = {.beginning = 1};

	if (!RecsysOwnStorageOf(scan->whole, leaf, &chunk.storage))
		elog(ERROR, "table \"%s\" is not a partition any more", RelationGetRelationName(leaf));
	RecsysNoteEntered(scan->whole, leaf);
	if (n > RECSYS_MAX_CHUNKS - first)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the partitions of recsys index \"%s\" are too large together",
						get_rel_name(scan->root))));
	scan->chunks = scan->chunks == NULL ? palloc(sizeof(RecsysChunk) * n) :
		repalloc(scan->chunks, sizeof(RecsysChunk) * (first + n));
	for (chunk.piece = 0; chunk.piece < n; chunk.piece++)
	{
		chunk.flags = chunk.piece == 0 ? RECSYS_CHUNK_FIRST : 0;
		scan->chunks[scan->nchunks++] = chunk;
	}
	return first;
}

static void
add_leaf_row(void *arg, const RecsysCollected *row)
{
	LeafRows   *rows = arg;
	RecsysCollected moved = *row;

	moved.position += rows->shift;
	rows->add(rows->arg, &moved);
}

static double
scan_leaf(RecsysLeafScan *scan, Relation leaf, struct IndexInfo *info, const RecsysColumns *columns,
		  LeafRows *rows)
{
	Relation	part = open_part(scan, leaf);
	IndexInfo  *part_info;
	double		heap_tuples;
	RecsysRights before;

	rows->shift = (uint64) add_chunks(scan, leaf) << (RECSYS_CHUNK_SHIFT + 16);

	/* what this owner's functions set is not for those of the next; constants are folded here, too */
	RecsysBeginAs(leaf->rd_rel->relowner, &before);
	part_info = BuildIndexInfo(part);
	part_info->ii_Concurrent = info->ii_Concurrent;
	heap_tuples = RecsysBuildScan(leaf, part, part_info, columns, RecsysBuildWorkers(leaf, part),
								  add_leaf_row, rows);
	RecsysEndAs(&before);
	info->ii_BrokenHotChain |= part_info->ii_BrokenHotChain;
	index_close(part, NoLock);
	return heap_tuples;
}

double
RecsysScanLeaves(RecsysLeafScan *scan, struct IndexInfo *info, const RecsysColumns *columns,
				 RecsysAddRow add, void *arg)
{
	LeafRows	rows = {.add = add,.arg = arg};
	double		heap_tuples = 0;
	ListCell   *cell;

	foreach(cell, scan->leaves)
	{
		Relation	leaf = table_open(lfirst_oid(cell), NoLock);

		heap_tuples += scan_leaf(scan, leaf, info, columns, &rows);
		table_close(leaf, NoLock);
		RECSYS_FAULT("build-leaf");
	}
	return heap_tuples;
}
