/*
 * indexes.c
 *	  All recsys indexes of a database.
 *
 * Finding them takes a scan of pg_class, so they are remembered until any
 * relation's definition changes.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "am/indexes.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define ACCESS_METHOD "recsys"

/* All indexes of the access method, as of the last look */
static bool known_valid = false;
static Oid *known = NULL;
static int	nknown = 0;

/* Invalidations so far */
static uint64 forgotten = 0;

static void
forget_known(Datum arg, Oid relation)
{
	known_valid = false;
	forgotten++;
}

Oid
RecsysAccessMethod(void)
{
	return get_am_oid(ACCESS_METHOD, true);
}

static void
find_known(Oid am)
{
	static bool registered = false;
	Relation	pg_class;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *found = NIL;
	ListCell   *cell;
	uint64		before;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(forget_known, (Datum) 0);
		registered = true;
	}

	before = forgotten;
	pg_class = table_open(RelationRelationId, AccessShareLock);
	scan = systable_beginscan(pg_class, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->relkind == RELKIND_INDEX && form->relam == am)
			found = lappend_oid(found, form->oid);
	}
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);

	if (known != NULL)
		pfree(known);
	known = NULL;
	nknown = 0;
	if (found != NIL)
		known = MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * list_length(found));
	foreach(cell, found)
		known[nknown++] = lfirst_oid(cell);
	list_free(found);

	/* what was invalidated during the scan is good for this once only */
	known_valid = before == forgotten;
}

List *
RecsysAllIndexes(void)
{
	Oid			am = RecsysAccessMethod();
	List	   *indexes = NIL;

	if (!OidIsValid(am))
		return NIL;
	if (!known_valid)
		find_known(am);
	for (int i = 0; i < nknown; i++)
		indexes = lappend_oid(indexes, known[i]);
	return indexes;
}
