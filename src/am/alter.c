/*
 * alter.c
 *	  Options that ALTER INDEX … SET must not give an index.
 *
 * The server asks an access method about options alone, not about options of a
 * certain index.  What depends on the index's columns is looked at by a hook, which
 * the server calls when it has written the new options, and which can still refuse.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "am/alter.h"
#include "am/columns.h"
#include "am/indexes.h"
#include "am/options.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

static object_access_hook_type next_hook = NULL;

/* The options of an index in a row of pg_class, or 0 */
static Datum
options_of(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		options = heap_getattr(tuple, Anum_pg_class_reloptions, desc, &isnull);

	return isnull ? (Datum) 0 : options;
}

static bool
same_options(Datum a, Datum b)
{
	if (a == 0 || b == 0)
		return a == b;
	return datumIsEqual(a, b, false, -1);
}

static const char *
useless_half_life(Datum options)
{
	RelationData fake = {0};

	if (options == 0)
		return NULL;
	fake.rd_options = RecsysParseOptions(options, false);
	return RecsysUselessHalfLife(&fake);
}

static void
check_index(Oid relation, Datum options, Datum before)
{
	Relation	index = index_open(relation, NoLock);
	const char *option;
	RecsysColumns columns;

	RecsysGetColumns(index, &columns);
	if (columns.time_column == 0)
	{
		option = useless_half_life(options);

		/* other options of an index that has had it can be set all the same */
		if (option != NULL && useless_half_life(before) == NULL)
			RecsysRefuseHalfLife(option, RelationGetRelationName(index));
	}
	index_close(index, NoLock);
}

/* The row as this command has written it, beside what the caches have of it. */
static void
compare_rows(Oid relation, HeapTuple before)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	after;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalog, ClassOidIndexId, true, SnapshotSelf, 1, &key);
	after = systable_getnext(scan);
	if (HeapTupleIsValid(after))
	{
		Datum		options = options_of(after, RelationGetDescr(catalog));
		Datum		old_options = options_of(before, RelationGetDescr(catalog));

		if (options != 0 && !same_options(options, old_options))
			check_index(relation, options, old_options);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
after_change(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	HeapTuple	tuple;

	if (next_hook != NULL)
		next_hook(access, class, object, column, arg);
	if (access != OAT_POST_ALTER || class != RelationRelationId || column != 0)
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(object));
	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_INDEX &&
		((Form_pg_class) GETSTRUCT(tuple))->relam == RecsysAccessMethod())
		compare_rows(object, tuple);
	ReleaseSysCache(tuple);
}

void
RecsysInitAlter(void)
{
	next_hook = object_access_hook;
	object_access_hook = after_change;
}
