/*
 * keyparameter.c
 *	  Keys as parameters of queries over a shop's tables.
 *
 * Integers of all widths go as bigint, which indexes on all of them are searched by, and
 * which has room for keys that the column has not.  An enum has no operator beside text,
 * and a label that it lacks cannot be made one: it is compared as text, without its index.
 */
#include "postgres.h"

#include "api/profile/keyparameter.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

bool
RecsysGetKeyParameter(Oid column_type, RecsysKeyKind kind, RecsysKeyParameter *parameter)
{
	Oid			base = getBaseType(column_type);
	RecsysKeyKind found;

	if (!OidIsValid(column_type) || !RecsysKeyKindOfType(column_type, &found) || found != kind)
		return false;
	parameter->type = base == BPCHAROID ? BPCHAROID : RecsysKeyKindType(kind);
	parameter->array = get_array_type(parameter->type);
	parameter->as_text = type_is_enum(base);
	return true;
}

char *
RecsysKeyColumn(const RecsysKeyParameter *parameter, const char *column)
{
	return parameter->as_text ? psprintf("(%s)::pg_catalog.text", column) : pstrdup(column);
}

Datum
RecsysKeyValue(const RecsysKeyParameter *parameter, const RecsysKey *key)
{
	return RecsysKeyToDatum(parameter->type, key);
}

Datum
RecsysKeyArray(const RecsysKeyParameter *parameter, const RecsysKey *keys, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(n, 1));
	ArrayType  *array;
	int16		length;
	bool		by_value;
	char		align;

	for (int x = 0; x < n; x++)
		values[x] = RecsysKeyValue(parameter, &keys[x]);
	get_typlenbyvalalign(parameter->type, &length, &by_value, &align);
	array = construct_array(values, n, parameter->type, length, by_value, align);
	for (int x = 0; x < n && !by_value; x++)
		pfree(DatumGetPointer(values[x]));
	pfree(values);
	return PointerGetDatum(array);
}

Oid
RecsysTypeOfColumn(const char *relation, const char *column)
{
	List	   *names = NIL;
	Oid			oid = RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(relation))),
									   NoLock, true);
	AttrNumber	number;

	if (!OidIsValid(oid) || !SplitIdentifierString(pstrdup(column), '.', &names) ||
		list_length(names) != 1)
		return InvalidOid;
	number = get_attnum(oid, linitial(names));
	return number == InvalidAttrNumber ? InvalidOid : get_atttype(oid, number);
}
