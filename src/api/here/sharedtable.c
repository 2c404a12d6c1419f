/*
 * sharedtable.c
 *	  Tables of the extension that all nodes of Citus have.
 *
 * They are reference tables, made by recsys.distribute().  What is in them is written on the
 * coordinator, and read here from the copy as it is: a query that Citus plans would take longer
 * than most lists do.
 */
#include "postgres.h"

#include "access/table.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/here/sharedtable.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"

Relation
RecsysOpenShared(const char *name)
{
	Oid			schema;
	Oid			table;
	Oid			copy;

	if (!RecsysCitusIsThere())
		return NULL;
	schema = get_namespace_oid("recsys", true);
	table = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
	if (!RecsysIsShell(table))
		return NULL;
	copy = RecsysLocalCopy(table);
	return OidIsValid(copy) ? try_table_open(copy, AccessShareLock) : NULL;
}

Relation
RecsysOpenSharedOfOthers(const char *name)
{
	return RecsysCitusIsThere() && RecsysLocalGroup() != 0 ? RecsysOpenShared(name) : NULL;
}
