/*
 * citusrows.c
 *	  Rows of Citus's catalog, and what a session keeps of them.
 *
 * No header of Citus is used, and nothing of it need be installed: its tables are found by their
 * names in pg_catalog, where only a superuser can have put them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "am/entry/citusrows.h"
#include "catalog/pg_namespace.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

Oid
RecsysCitusCatalog(const char *name)
{
	return get_relname_relid(name, PG_CATALOG_NAMESPACE);
}

bool
RecsysBeginCitusRow(RecsysCitusRow *row, const char *catalog, const char *index, const char *column,
					RegProcedure equal, Datum value)
{
	Oid			index_oid = RecsysCitusCatalog(index);
	ScanKeyData key;

	row->relation = table_open(RecsysCitusCatalog(catalog), AccessShareLock);
	ScanKeyInit(&key, get_attnum(RelationGetRelid(row->relation), column), BTEqualStrategyNumber,
				equal, value);
	row->scan = systable_beginscan(row->relation, index_oid, OidIsValid(index_oid), NULL, 1, &key);
	row->tuple = systable_getnext(row->scan);
	return HeapTupleIsValid(row->tuple);
}

Datum
RecsysCitusValue(const RecsysCitusRow *row, const char *column, bool *isnull)
{
	return heap_getattr(row->tuple, get_attnum(RelationGetRelid(row->relation), column),
						RelationGetDescr(row->relation), isnull);
}

void
RecsysNextCitusRow(RecsysCitusRow *row)
{
	row->tuple = systable_getnext(row->scan);
}

void
RecsysEndCitusRow(RecsysCitusRow *row)
{
	systable_endscan(row->scan);
	table_close(row->relation, AccessShareLock);
}

HTAB *
RecsysKeepOfCitus(const char *name, Size key_size, Size entry_size)
{
	HASHCTL		control = {.keysize = key_size,.entrysize = entry_size,.hcxt = TopMemoryContext};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
RecsysForgetKept(HTAB *table)
{
	HASH_SEQ_STATUS status;
	void	   *entry;

	hash_seq_init(&status, table);
	while ((entry = hash_seq_search(&status)) != NULL)
		(void) hash_search(table, entry, HASH_REMOVE, NULL);
}
