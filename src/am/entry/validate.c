/*
 * validate.c
 *	  Operator class validation.
 *
 * An operator class of this access method either offers equality (strategy 1)
 * over key types, or nothing at all: weights and times are only read.  The class for
 * anyelement serves enums.  It also accepts types that recsys cannot index, so that
 * am/store/columns can say what to write instead; the server could only say that there
 * is no operator class.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "am/entry/handler.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static bool
valid_operator(Form_pg_amop operator, const char *opclass)
{
	RecsysKeyKind left;
	RecsysKeyKind right;

	if (operator->amopstrategy != 1 || operator->amoppurpose != AMOP_SEARCH)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys contains operator %s with invalid strategy number %d",
						opclass, format_operator(operator->amopopr), operator->amopstrategy)));
		return false;
	}
	if (!RecsysKeyKindOfType(operator->amoplefttype, &left) ||
		!RecsysKeyKindOfType(operator->amoprighttype, &right) || left != right ||
		!check_amop_signature(operator->amopopr, BOOLOID,
							  operator->amoplefttype, operator->amoprighttype))
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys contains operator %s with wrong signature",
						opclass, format_operator(operator->amopopr))));
		return false;
	}
	return true;
}

bool
recsys_validate(Oid opclass)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	CatCList   *operators;
	CatCList   *procedures;
	RecsysKeyKind kind;
	bool		result = true;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);

	operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(form->opcfamily));
	procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(form->opcfamily));

	for (int i = 0; i < operators->n_members; i++)
		result &= valid_operator((Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple),
								 NameStr(form->opcname));

	if (procedures->n_members > 0)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys contains support functions, it takes none",
						NameStr(form->opcname))));
		result = false;
	}
	if (!RecsysKeyKindOfType(form->opcintype, &kind) &&
		!RecsysTypeIsWeight(form->opcintype) && !RecsysTypeIsTime(form->opcintype) &&
		form->opcintype != ANYELEMENTOID)
	{
		ereport(INFO,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("operator class \"%s\" of access method recsys is for type %s, which can be no user, item, weight or time",
						NameStr(form->opcname), format_type_be(form->opcintype))));
		result = false;
	}

	ReleaseCatCacheList(procedures);
	ReleaseCatCacheList(operators);
	ReleaseSysCache(tuple);
	return result;
}
