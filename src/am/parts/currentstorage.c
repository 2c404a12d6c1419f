/*
 * currentstorage.c
 *	  Which storage a leaf has now.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/parts/currentstorage.h"
#include "catalog/pg_class.h"
#include "utils/syscache.h"

Oid
RecsysFileOf(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			file = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		file = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
		ReleaseSysCache(tuple);
	}
	return file;
}
