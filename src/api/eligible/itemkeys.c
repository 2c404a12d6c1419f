/*
 * itemkeys.c
 *	  Keys of the items' table: an array of them to ask it for.
 *
 * Integers of all widths are asked for as bigint: the operator classes compare them with
 * each other, in an index too, and there is a bigint for every key.
 */
#include "postgres.h"

#include "api/eligible/itemkeys.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

Oid
RecsysItemKeyType(Oid column_type)
{
	switch (column_type)
	{
		case INT2OID:
		case INT4OID:
			return INT8OID;
		case VARCHAROID:
			return TEXTOID;
		default:
			return column_type;
	}
}

/* Most tables have numbers for keys: the array is made as it is laid out. */
static Datum
number_array(const RecsysCatalogue *catalogue, const uint32 *slots, int n)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + sizeof(int64) * (Size) n;
	ArrayType  *array = palloc(size);
	int64	   *numbers;
	RecsysKey	key;

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	numbers = (int64 *) ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		RecsysCatalogueKey(catalogue, slots[i], &key);
		numbers[i] = key.number;
	}
	return PointerGetDatum(array);
}

static bool
fits(Oid key_type, const RecsysKey *key)
{
	char		label[NAMEDATALEN];

	if (key_type == NAMEOID)
		return key->len < NAMEDATALEN;
	if (!type_is_enum(key_type))
		return true;
	if (key->len >= NAMEDATALEN)
		return false;
	memcpy(label, key->data, key->len);
	label[key->len] = '\0';
	return SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(key_type),
								 CStringGetDatum(label));
}

Datum
RecsysItemKeyArray(const RecsysCatalogue *catalogue, Oid key_type, const uint32 *slots, int n)
{
	Datum	   *values;
	int			count = 0;
	int16		length;
	bool		by_value;
	char		align;

	if (key_type == INT8OID && n > 0)
		return number_array(catalogue, slots, n);

	values = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		RecsysKey	key;

		RecsysCatalogueKey(catalogue, slots[i], &key);
		if (fits(key_type, &key))
			values[count++] = RecsysKeyToDatum(key_type, &key);
	}
	get_typlenbyvalalign(key_type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, count, key_type, length, by_value, align));
}
