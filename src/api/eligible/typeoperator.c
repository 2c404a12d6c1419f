/*
 * typeoperator.c
 *	  Operators that compare values of a type, as they are written in a query.
 *
 * With the schema, so that no operator which happens to be on the search path is taken.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/eligible/typeoperator.h"
#include "catalog/pg_operator.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static Oid
find_operator(Oid type, StrategyNumber strategy)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_BTREE_OPFAMILY);

	if (strategy == BTEqualStrategyNumber)
		return entry->eq_opr;
	if (!OidIsValid(entry->btree_opf))
		return InvalidOid;
	return get_opfamily_member(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
							   strategy);
}

char *
RecsysTypeOperator(Oid type, StrategyNumber strategy)
{
	Oid			operator = find_operator(type, strategy);
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *text;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_operator) GETSTRUCT(tuple);
	text = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}
