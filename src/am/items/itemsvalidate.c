/*
 * itemsvalidate.c
 *	  Checks operator classes of the access method recsys_items.
 *
 * An operator class has no operators and one support function, which tells its parameters; its
 * family says how values compare, and the type must be one for that.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "am/content/itemtypes.h"
#include "am/items/itemshandler.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static bool
valid_procedure(Form_pg_amproc procedure, const char *opclass)
{
	if (procedure->amprocnum != 1)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items contains function %s with invalid support number %d",
						opclass, format_procedure(procedure->amproc), procedure->amprocnum)));
		return false;
	}
	if (!check_amoptsproc_signature(procedure->amproc))
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items contains function %s with wrong signature for support number %d",
						opclass, format_procedure(procedure->amproc), procedure->amprocnum)));
		return false;
	}
	return true;
}

/* Does the family compare values of the type? */
static bool
valid_type(Form_pg_opclass opclass)
{
	RecsysItemFamily family;
	RecsysItemType type;

	if (!RecsysItemFamilyOf(opclass->opcfamily, &family))
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items is in a family that says nothing of how values compare",
						NameStr(opclass->opcname))));
		return false;
	}
	if (opclass->opcintype == ANYELEMENTOID ? family != RECSYS_FAMILY_ANY :
		!RecsysItemTypeOf(opclass->opcintype, family, &type))
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items is for type %s, which its family does not compare",
						NameStr(opclass->opcname), format_type_be(opclass->opcintype))));
		return false;
	}
	return true;
}

bool
recsys_items_validate(Oid opclass)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	CatCList   *operators;
	CatCList   *procedures;
	bool		found = false;
	bool		result = true;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);

	operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(form->opcfamily));
	procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(form->opcfamily));

	if (operators->n_members > 0)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items contains operators, it takes none",
						NameStr(form->opcname))));
		result = false;
	}
	for (int i = 0; i < procedures->n_members; i++)
	{
		Form_pg_amproc procedure = (Form_pg_amproc) GETSTRUCT(&procedures->members[i]->tuple);

		result &= valid_procedure(procedure, NameStr(form->opcname));
		found |= procedure->amproclefttype == form->opcintype;
	}
	if (!found)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys_items is missing support function 1",
						NameStr(form->opcname))));
		result = false;
	}
	result &= valid_type(form);

	ReleaseCatCacheList(procedures);
	ReleaseCatCacheList(operators);
	ReleaseSysCache(tuple);
	return result;
}
