/*
 * streamarrays.c
 *	  Arrays that recsys-stream passes: a value for each partition, or for each message.
 */
#include "postgres.h"

#include "api/stream/streamarrays.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

void
RecsysArgStreamArray(FunctionCallInfo fcinfo, int argument, const char *name, Oid element, bool nulls, int *n,
					 RecsysStreamArray *array)
{
	int16		length;
	bool		byvalue;
	char		align;
	ArrayType  *given;

	if (PG_ARGISNULL(argument) && nulls && *n >= 0)
	{
		array->n = *n;
		array->values = palloc0(sizeof(Datum) * Max(*n, 1));
		array->isnull = palloc(sizeof(bool) * Max(*n, 1));
		memset(array->isnull, true, sizeof(bool) * *n);
		return;
	}
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	given = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(given) > 1 || (!nulls && array_contains_nulls(given)))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension%s", name, nulls ? "" : ", and no elements that are NULL")));
	get_typlenbyvalalign(element, &length, &byvalue, &align);
	deconstruct_array(given, element, length, byvalue, align, &array->values, &array->isnull, &array->n);
	if (*n >= 0 && array->n != *n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have as many elements as partitions", name)));
	*n = array->n;
}

static int
compare_places(const void *a, const void *b, void *arg)
{
	const Datum *partitions = arg;
	int32		left = DatumGetInt32(partitions[*(const int *) a]);
	int32		right = DatumGetInt32(partitions[*(const int *) b]);

	return (left > right) - (left < right);
}

int *
RecsysPartitionOrder(const RecsysStreamArray *partitions)
{
	int		   *order = palloc(sizeof(int) * Max(partitions->n, 1));

	for (int i = 0; i < partitions->n; i++)
		order[i] = i;
	qsort_arg(order, partitions->n, sizeof(int), compare_places, partitions->values);
	for (int i = 1; i < partitions->n; i++)
		if (DatumGetInt32(partitions->values[order[i]]) == DatumGetInt32(partitions->values[order[i - 1]]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("partition %d is there twice", DatumGetInt32(partitions->values[order[i]]))));
	return order;
}
