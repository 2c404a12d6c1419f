/*
 * armsums.c
 *	  The aggregate recsys.arm_sums: all that the tests need to know of an arm, from a row a unit.
 *
 * Its state is its result: units, sums, and sums of products of up to four columns.  Two of them
 * are added number by number, so the aggregate can be computed by parallel workers, and
 * days can be added up.
 */
#include "postgres.h"

#include <math.h>

#include "api/experiment/armsums.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(recsys_arm_sums_add);
PG_FUNCTION_INFO_V1(recsys_arm_sums_combine);

/* The numbers of an array that is one of sums; NULL if it is none */
static double *
numbers_of(ArrayType *array)
{
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != RECSYS_ARM_SUMS_LENGTH || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != FLOAT8OID)
		return NULL;
	return (double *) ARR_DATA_PTR(array);
}

static void
refuse_shape(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be an array of %d numbers, as recsys.arm_sums makes it", name,
					RECSYS_ARM_SUMS_LENGTH)));
}

/* The state of the aggregate: to be changed in place, if the call is the aggregate's */
static ArrayType *
state_of(FunctionCallInfo fcinfo)
{
	ArrayType  *state;

	if (PG_ARGISNULL(0))
		refuse_shape("state");
	state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(0) : PG_GETARG_ARRAYTYPE_P_COPY(0);
	if (numbers_of(state) == NULL)
		refuse_shape("state");
	return state;
}

static void
add_number(double *sum, double number)
{
	*sum += number;
	if (unlikely(isinf(*sum)))
		float_overflow_error();
}

/*
 * A unit: its value, denominator, value from before, denominator from before, as many as there
 * are. A value that is NULL is no value: what is meant, none or nothing, only the caller can say.
 * The others are 0 of a unit that has none, as one that was not there before.
 */
Datum
recsys_arm_sums_add(PG_FUNCTION_ARGS)
{
	ArrayType  *state = state_of(fcinfo);
	double	   *number = numbers_of(state);
	double		unit[RECSYS_UNIT_COLUMNS] = {0};

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the value of a unit is NULL"),
				 errhint("If it means that there was nothing, take 0 by coalesce; if it is unknown, leave out such units by a FILTER clause.")));
	for (int x = 0; x < RECSYS_UNIT_COLUMNS && x + 1 < PG_NARGS(); x++)
	{
		if (!PG_ARGISNULL(x + 1))
			unit[x] = PG_GETARG_FLOAT8(x + 1);
		if (!isfinite(unit[x]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the value of a unit must be a finite number")));
	}
	add_number(number++, 1);
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		add_number(number++, unit[x]);
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		for (int y = x; y < RECSYS_UNIT_COLUMNS; y++)
			add_number(number++, unit[x] * unit[y]);
	PG_RETURN_ARRAYTYPE_P(state);
}

Datum
recsys_arm_sums_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *state = state_of(fcinfo);
	double	   *number = numbers_of(state);
	double	   *other = numbers_of(PG_GETARG_ARRAYTYPE_P(1));

	if (other == NULL)
		refuse_shape("state");
	for (int x = 0; x < RECSYS_ARM_SUMS_LENGTH; x++)
		add_number(number++, other[x]);
	PG_RETURN_ARRAYTYPE_P(state);
}

void
RecsysArgArmSums(FunctionCallInfo fcinfo, int argument, const char *name, RecsysArmSums *sums)
{
	double	   *number;

	memset(sums, 0, sizeof(RecsysArmSums));
	if (PG_ARGISNULL(argument))
		return;
	number = numbers_of(PG_GETARG_ARRAYTYPE_P(argument));
	if (number == NULL)
		refuse_shape(name);
	for (int x = 0; x < RECSYS_ARM_SUMS_LENGTH; x++)
		if (!isfinite(number[x]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must have finite numbers", name)));
	sums->units = *number++;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		sums->sum[x] = *number++;
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
		for (int y = x; y < RECSYS_UNIT_COLUMNS; y++)
			sums->product[x][y] = sums->product[y][x] = *number++;
}
