/*
 * shells.c
 *	  Tables that Citus has taken apart: shells, which stand for the whole.
 *
 * A distributed table has a shell of its name on every node, with all its indexes and without rows;
 * or with those that it had before it was distributed.  The rows are in shards, which are tables of
 * names with numbers, each with indexes of such names (shards.c).  Citus's catalog tells which is
 * which: pg_dist_partition has the shells, pg_dist_shard the numbers of their shards.
 *
 * What has been found is kept until the server says that one of the relations has changed, which
 * Citus lets it say when it takes one apart or puts it together again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "am/entry/citusrows.h"
#include "am/entry/shells.h"
#include "am/store/relchanges.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct KnownTable
{
	Oid			table;
	bool		shell;
} KnownTable;

static HTAB *known = NULL;

/* The number of this node's group, and the relation that says so */
static bool group_known = false;
static int32 local_group;
static Oid	group_relation = InvalidOid;

bool
RecsysCitusIsThere(void)
{
	return OidIsValid(RecsysCitusCatalog("pg_dist_partition"));
}

/* A callback allocates no memory, and removing does not either. */
static void
forget_table(Datum arg, Oid relation)
{
	if (!OidIsValid(relation) || relation == group_relation)
		group_known = false;
	if (OidIsValid(relation))
		(void) hash_search(known, &relation, HASH_REMOVE, NULL);
	else
		RecsysForgetKept(known);
}

static void
create_known(void)
{
	if (known != NULL)
		return;
	known = RecsysKeepOfCitus("recsys tables of Citus", sizeof(Oid), sizeof(KnownTable));
	RecsysOnRelationChange(forget_table);
}

static bool
begin_partition(RecsysCitusRow *row, Oid table)
{
	return RecsysBeginCitusRow(row, "pg_dist_partition", "pg_dist_partition_logical_relid_index", "logicalrelid",
							   F_OIDEQ, ObjectIdGetDatum(table));
}

bool
RecsysIsShell(Oid table)
{
	KnownTable *entry;
	RecsysCitusRow row;
	bool		found;
	bool		shell;

	if (!OidIsValid(table) || !RecsysCitusIsThere())
		return false;
	create_known();
	entry = hash_search(known, &table, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->shell;

	/* messages that come in while it is looked up have come before the entry */
	shell = begin_partition(&row, table);
	RecsysEndCitusRow(&row);
	entry = hash_search(known, &table, HASH_ENTER, &found);
	entry->shell = shell;
	return shell;
}

char
RecsysShellMethod(Oid table)
{
	RecsysCitusRow row;
	char		method = 'n';
	bool		isnull;

	if (begin_partition(&row, table))
		method = DatumGetChar(RecsysCitusValue(&row, "partmethod", &isnull));
	RecsysEndCitusRow(&row);
	return method;
}

AttrNumber
RecsysShellColumn(Oid table)
{
	RecsysCitusRow row;
	AttrNumber	column = InvalidAttrNumber;
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (begin_partition(&row, table))
		value = RecsysCitusValue(&row, "partkey", &isnull);
	if (!isnull)
	{
		Node	   *node = stringToNode(TextDatumGetCString(value));

		if (node != NULL && IsA(node, Var))
			column = ((Var *) node)->varattno;
	}
	RecsysEndCitusRow(&row);
	return column;
}

int
RecsysShellGroup(Oid table)
{
	RecsysCitusRow row;
	int			group = 0;
	bool		isnull;

	if (begin_partition(&row, table))
		group = DatumGetInt32(RecsysCitusValue(&row, "colocationid", &isnull));
	RecsysEndCitusRow(&row);
	return group;
}

/* pg_dist_partition.repmodel of reference tables */
#define TWO_PHASE 't'

bool
RecsysIsOnAllNodes(Oid table)
{
	RecsysCitusRow row;
	bool		everywhere = false;
	bool		isnull;

	if (!RecsysIsShell(table))
		return false;
	if (begin_partition(&row, table))
		everywhere = DatumGetChar(RecsysCitusValue(&row, "partmethod", &isnull)) == 'n' &&
			DatumGetChar(RecsysCitusValue(&row, "repmodel", &isnull)) == TWO_PHASE;
	RecsysEndCitusRow(&row);
	return everywhere;
}

int32
RecsysLocalGroup(void)
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	int32		group = 0;
	bool		isnull;

	create_known();
	if (group_known)
		return local_group;
	relation = table_open(RecsysCitusCatalog("pg_dist_local_group"), AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	group_relation = RelationGetRelid(relation);
	if (HeapTupleIsValid(tuple))
		group = DatumGetInt32(heap_getattr(tuple, get_attnum(RelationGetRelid(relation), "groupid"),
										   RelationGetDescr(relation), &isnull));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	local_group = group;
	group_known = true;
	return group;
}
