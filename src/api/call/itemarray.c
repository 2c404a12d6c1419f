/*
 * itemarray.c
 *	  Arrays of item keys, made fast.
 *
 * Each item's value is laid out once, as it stands in an array: with its length
 * word where the type has one, padded to the type's alignment.  An array is then
 * a header and one copy for each item, in a buffer that is used again.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "api/call/itemarray.h"
#include "compat.h"
#include "source/input/keytext.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#define BUFFERS 2

struct RecsysItemArrays
{
	Oid			type;
	uint32		nitems;
	Datum	   *values;
	char	   *bytes;			/* of all elements */
	Size	   *offsets;		/* where each begins; nitems + 1 */
	Size		longest;		/* element */
	char	   *buffers[BUFFERS];
	Size		sizes[BUFFERS];
};

RecsysItemArrays *
RecsysItemArraysCreate(Oid element_type, RecsysKeyKind kind, const RecsysKey *keys,
					   uint32 nitems)
{
	Oid			base = getBaseType(element_type);
	RecsysItemArrays *arrays = palloc0(sizeof(RecsysItemArrays));
	int16		length;
	bool		byvalue;
	char		alignment;
	Size		size = 0;

	get_typlenbyvalalign(base, &length, &byvalue, &alignment);
	arrays->type = element_type;
	arrays->nitems = nitems;
	arrays->values = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(Datum) * (Size) Max(nitems, 1));
	arrays->offsets = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(Size) * ((Size) nitems + 1));
	for (uint32 item = 0; item < nitems; item++)
	{
		Datum		value = RecsysKeyToValue(base, kind, &keys[item]);

		arrays->values[item] = value;
		arrays->offsets[item] = size;
		size = att_align_nominal(att_addlength_datum(size, length, value), alignment);
		arrays->longest = Max(arrays->longest, size - arrays->offsets[item]);
	}
	arrays->offsets[nitems] = size;

	arrays->bytes = MemoryContextAllocExtended(CurrentMemoryContext, Max(size, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 item = 0; item < nitems; item++)
	{
		char	   *place = arrays->bytes + arrays->offsets[item];

		if (byvalue)
			store_att_byval(place, arrays->values[item], length);
		else
			memcpy(place, DatumGetPointer(arrays->values[item]),
				   att_addlength_datum(0, length, arrays->values[item]));
	}
	return arrays;
}

Datum
RecsysItemArraysItem(const RecsysItemArrays *arrays, uint32 item)
{
	return arrays->values[item];
}

Size
RecsysItemArraysMost(const RecsysItemArrays *arrays, uint32 n)
{
	return ARR_OVERHEAD_NONULLS(1) + arrays->longest * (Size) n;
}

Size
RecsysItemArraysWrite(const RecsysItemArrays *arrays, char *place, const uint32 *items, uint32 n)
{
	ArrayType  *array = (ArrayType *) place;

	place += ARR_OVERHEAD_NONULLS(1);
	for (uint32 i = 0; i < n; i++)
	{
		const char *bytes = arrays->bytes + arrays->offsets[items[i]];
		Size		size = arrays->offsets[items[i] + 1] - arrays->offsets[items[i]];

		/* bigint and its like without a call */
		if (size == sizeof(int64))
			memcpy(place, bytes, sizeof(int64));
		else
			memcpy(place, bytes, size);
		place += size;
	}
	SET_VARSIZE(array, place - (char *) array);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = arrays->type;
	ARR_DIMS(array)[0] = (int) n;
	ARR_LBOUND(array)[0] = 1;
	return place - (char *) array;
}

Datum
RecsysItemArraysForm(RecsysItemArrays *arrays, int buffer, const uint32 *items, uint32 n)
{
	Size		most = RecsysItemArraysMost(arrays, n);

	if (most > arrays->sizes[buffer])
	{
		if (arrays->buffers[buffer] != NULL)
			pfree(arrays->buffers[buffer]);
		arrays->sizes[buffer] = most * 2;
		arrays->buffers[buffer] = MemoryContextAllocZero(GetMemoryChunkContext(arrays), most * 2);
	}
	(void) RecsysItemArraysWrite(arrays, arrays->buffers[buffer], items, n);
	return PointerGetDatum(arrays->buffers[buffer]);
}

Size
RecsysItemArraysMemory(const RecsysItemArrays *arrays)
{
	return arrays->offsets[arrays->nitems] + (sizeof(Datum) + sizeof(Size)) * arrays->nitems;
}
