/*
 * itemssort.c
 *	  External sorts of a build of an items index: what they have in common.
 *
 * Keys are bigint or bytea, whose order is that of keys: by number, or by bytes and then by
 * length.
 */
#include "postgres.h"

#include "am/itembuild/itemssort.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "utils/guc.h"
#include "utils/typcache.h"

/* tuplesort refuses to work with less */
#define MIN_SORT_KILOBYTES 64

Tuplesortstate *
RecsysBeginSort(TupleDesc desc, int nkeys, Size memory, bool again)
{
	AttrNumber	columns[2] = {1, 2};
	Oid			operators[2];
	Oid			collations[2] = {InvalidOid, InvalidOid};
	bool		nullsfirst[2] = {false, false};
	int			kilobytes = (int) Min(Max(memory / 1024, MIN_SORT_KILOBYTES), MAX_KILOBYTES);

	for (int i = 0; i < nkeys; i++)
		operators[i] = lookup_type_cache(TupleDescAttr(desc, i)->atttypid,
										 TYPECACHE_LT_OPR)->lt_opr;
	return tuplesort_begin_heap(desc, nkeys, columns, operators, collations, nullsfirst, kilobytes,
								NULL, again ? TUPLESORT_RANDOMACCESS : TUPLESORT_NONE);
}

Oid
RecsysKeyColumnType(RecsysKeyKind kind)
{
	return kind == RECSYS_KEY_INT ? INT8OID : BYTEAOID;
}

Datum
RecsysKeyColumnValue(RecsysKeyKind kind, const RecsysKey *key, char *buffer)
{
	if (kind == RECSYS_KEY_INT)
		return Int64GetDatum(key->number);
	SET_VARSIZE(buffer, VARHDRSZ + key->len);
	memcpy(VARDATA(buffer), key->data, key->len);
	return PointerGetDatum(buffer);
}

void
RecsysKeyOfColumn(RecsysKeyKind kind, Datum value, char *buffer, RecsysKey *key)
{
	struct varlena *bytes;

	key->number = 0;
	key->data = NULL;
	key->len = sizeof(int64);
	if (kind == RECSYS_KEY_INT)
	{
		key->number = DatumGetInt64(value);
		return;
	}
	bytes = (struct varlena *) DatumGetPointer(value);
	key->len = VARSIZE_ANY_EXHDR(bytes);
	memcpy(buffer, VARDATA_ANY(bytes), key->len);
	key->data = buffer;
}
