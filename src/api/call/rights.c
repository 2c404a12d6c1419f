/*
 * rights.c
 *	  What somebody must be allowed to read to use a recommender.
 *
 * As for a query over the same rows: SELECT on the table, or on each column that the
 * index's columns, expressions and condition look at, and USAGE on the schema.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "api/call/rights.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Adds the columns that an expression tree of the index's tuple looks at. */
static void
add_columns_of_tree(HeapTuple index, AttrNumber attribute, Bitmapset **columns)
{
	bool		isnull;
	Datum		tree = SysCacheGetAttr(INDEXRELID, index, attribute, &isnull);

	if (!isnull)
		pull_varattnos(stringToNode(TextDatumGetCString(tree)), 1, columns);
}

bool
RecsysMayReadColumns(Oid table, Oid index)
{
	Oid			user = GetUserId();
	HeapTuple	tuple;
	Form_pg_index form;
	Bitmapset  *columns = NULL;
	bool		allowed = true;
	int			member = -1;

	if (pg_class_aclcheck(table, user, ACL_SELECT) == ACLCHECK_OK)
		return true;

	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	for (int i = 0; i < form->indnatts; i++)
		if (form->indkey.values[i] != InvalidAttrNumber)
			columns = bms_add_member(columns,
									 form->indkey.values[i] - FirstLowInvalidHeapAttributeNumber);
	add_columns_of_tree(tuple, Anum_pg_index_indexprs, &columns);
	add_columns_of_tree(tuple, Anum_pg_index_indpred, &columns);
	ReleaseSysCache(tuple);

	while (allowed && (member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	column = member + FirstLowInvalidHeapAttributeNumber;

		/* the whole row counts as all columns */
		allowed = column == InvalidAttrNumber ?
			pg_attribute_aclcheck_all(table, user, ACL_SELECT, ACLMASK_ALL) == ACLCHECK_OK :
			pg_attribute_aclcheck(table, column, user, ACL_SELECT) == ACLCHECK_OK;
	}
	bms_free(columns);
	return allowed;
}

bool
RecsysMayUseSchema(Oid relation)
{
	Oid			schema = get_rel_namespace(relation);

	return OidIsValid(schema) &&
		RECSYS_SCHEMA_ACLCHECK(schema, ACL_USAGE) == ACLCHECK_OK;
}

Oid
RecsysRelationOwner(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

bool
RecsysTrustsOwner(Oid owner)
{
	return superuser() ? superuser_arg(owner) : has_privs_of_role(GetUserId(), owner);
}
