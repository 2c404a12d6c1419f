/*
 * keyadvice.c
 *	  What to write in the place of a column whose type cannot be a key.
 *
 * An index takes only what is IMMUTABLE, so each expression is one whose functions
 * all are, and none gives two keys to values that the type holds for equal.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "source/input/keyadvice.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* citext is an extension's, so that only its name is known. */
static bool
is_citext(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), "citext") == 0;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Is type::text allowed in an index?  Of the server's own types those are named for which
 * it is also right: an interval of 30 days equals one of a month, and their texts differ.
 */
static bool
has_immutable_text(Oid type)
{
	Oid			output;
	bool		varlena;

	if (type < FirstNormalObjectId || get_typtype(type) != TYPTYPE_BASE ||
		OidIsValid(get_element_type(type)))
		return false;
	getTypeOutputInfo(type, &output, &varlena);
	return func_volatile(output) == PROVOLATILE_IMMUTABLE;
}

char *
RecsysKeyExpression(Oid type, const char *column)
{
	type = getBaseType(type);
	switch (type)
	{
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case OIDOID:
			return psprintf("%s::bigint", column);
		case BOOLOID:
			return psprintf("%s::int", column);
		case DATEOID:
			return psprintf("%s - DATE '2000-01-01'", column);
		case TIMESTAMPOID:
			return psprintf("%s::date - DATE '2000-01-01'", column);
		case TIMESTAMPTZOID:
			return psprintf("(%s AT TIME ZONE 'UTC')::date - DATE '2000-01-01'", column);
		case BYTEAOID:
			return psprintf("encode(%s, 'hex')", column);
		case JSONOID:
		case JSONBOID:
			return psprintf("%s ->> 'id'", column);
		case BITOID:
		case VARBITOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case MACADDR8OID:
		case CHAROID:
		case TIMEOID:
			return psprintf("%s::text", column);
		default:
			if (is_citext(type))
				return psprintf("lower(%s::text)", column);

			return has_immutable_text(type) ? psprintf("%s::text", column) : NULL;
	}
}
