/*
 * shardparts.c
 *	  Shards of tables that Citus has distributed, and that are partitioned as well.
 *
 * The shard of a partitioned table, purchases_102008, is partitioned itself, and its partitions are
 * shards of the partitions: purchases_2024_01_102016.  When a shard is moved or split, or a table
 * is distributed that has its index already, Citus makes all of these as plain tables first, copies
 * the rows, creates an index on each, and attaches the partitions one by one at last.
 *
 * So an index is built on each partition's shard that will hold nothing as soon as it is attached.
 * What it will be is told by the shell (am/entry/shells.h), whose index is a partition's: then
 * it is made a part from the start, as if it had been detached.  Should it never be attached, scans
 * of the server read the table.
 *
 * And a whole that were built when the first partition is there would get the rows of the others
 * one by one.  The shell tells how many there are to be.
 *
 * Shells are not locked: another session of the same distributed transaction may have them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/indexes.h"
#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "am/parts/leaves.h"
#include "am/whole/shardparts.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* The indexes of a table, which is not locked */
static List *
indexes_of(Oid table)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	List	   *indexes = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		indexes = lappend_oid(indexes, ((Form_pg_index) GETSTRUCT(tuple))->indexrelid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return indexes;
}

bool
RecsysWillBePart(Relation heap, Relation index)
{
	int64		shard;
	Oid			shell;
	List	   *indexes;
	ListCell   *cell;
	bool		will = false;

	if (!RecsysCitusIsThere() || heap->rd_rel->relispartition || index->rd_rel->relkind != RELKIND_INDEX)
		return false;
	shell = RecsysShellOfShard(RelationGetRelid(heap), &shard);
	if (!OidIsValid(shell) || !get_rel_relispartition(shell))
		return false;
	indexes = indexes_of(shell);
	foreach(cell, indexes)
		will |= get_rel_relispartition(lfirst_oid(cell)) &&
			RecsysKindOfIndex(lfirst_oid(cell)) == RECSYS_INTERACTIONS_INDEX &&
			RecsysShardRelation(lfirst_oid(cell), shard) == RelationGetRelid(index);
	list_free(indexes);
	return will;
}

/* What would be the shell if the table were a shard */
static Oid
shell_by_name(Oid table)
{
	char	   *name = get_rel_name(table);
	char	   *place = name == NULL ? NULL : strrchr(name, '_');
	Oid			shell;

	if (place == NULL || place[1] == '\0' || strspn(place + 1, "0123456789") != strlen(place + 1))
		return InvalidOid;
	*place = '\0';
	shell = get_relname_relid(name, get_rel_namespace(table));
	return RecsysIsShell(shell) ? shell : InvalidOid;
}

bool
RecsysShardIsComplete(Oid table, bool by_name)
{
	Oid			shell;
	int			expected;

	if (!RecsysCitusIsThere())
		return true;
	shell = RecsysShellOfShard(table, NULL);
	if (!OidIsValid(shell) && by_name)
		shell = shell_by_name(table);
	if (!OidIsValid(shell) || get_rel_relkind(shell) != RELKIND_PARTITIONED_TABLE)
		return true;
	expected = RecsysGetLeaves(shell)->n;
	return RecsysGetLeaves(table)->n >= expected;
}

bool
RecsysShardIsElsewhere(Oid table)
{
	int64		shard;

	return OidIsValid(RecsysShellOfShard(table, &shard)) && !RecsysShardIsHere(shard);
}
