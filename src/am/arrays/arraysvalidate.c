/*
 * arraysvalidate.c
 *	  Checks operator classes of the access method recsys_graph.
 *
 * There is one, for any type, without operators or functions: what the columns of such an index
 * must be is arraycolumns.c's business, which can say what is wrong with one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/arrays/arrayshandler.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

static bool
is_empty(Oid family)
{
	CatCList   *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	CatCList   *procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));
	bool		empty = operators->n_members == 0 && procedures->n_members == 0;

	ReleaseCatCacheList(procedures);
	ReleaseCatCacheList(operators);
	return empty;
}

bool
recsys_graph_validate(Oid opclass)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	bool		valid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	valid = form->opcintype == ANYELEMENTOID && is_empty(form->opcfamily);
	if (!valid)
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_graph is not for any type, or has operators or functions",
						NameStr(form->opcname))));
	ReleaseSysCache(tuple);
	return valid;
}
