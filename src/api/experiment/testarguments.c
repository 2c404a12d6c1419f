/*
 * testarguments.c
 *	  What the functions over counts and sums share: their arguments, checked, and their row.
 *
 * Sums come from anywhere, so they are checked for what no values can have: a sum of squares that
 * is less than the sum allows, products of two columns that are greater than their squares allow.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "api/call/arguments.h"
#include "api/experiment/testarguments.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

/* How far sums may be from what values can have, as a part of them: rounding */
#define TOLERANCE 1e-9

#define MOST_FIGURES 8

static const char *const columns[RECSYS_UNIT_COLUMNS] = {
	[RECSYS_UNIT_VALUE] = "values",
	[RECSYS_UNIT_DENOMINATOR] = "denominators",
	[RECSYS_UNIT_PRE_VALUE] = "values from before",
	[RECSYS_UNIT_PRE_DENOMINATOR] = "denominators from before"
};

double
RecsysArgFinite(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	value = PG_GETARG_FLOAT8(argument);
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number", name)));
	return value;
}

bool
RecsysArgsNull(FunctionCallInfo fcinfo, int first, int n)
{
	for (int x = first; x < first + n; x++)
		if (PG_ARGISNULL(x))
			return true;
	return false;
}

bool
RecsysArgSequential(FunctionCallInfo fcinfo, int argument)
{
	char	   *method = RecsysArgQuery(fcinfo, argument, "method");

	if (strcmp(method, "sequential") != 0 && strcmp(method, "fixed") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method \"%s\"", method),
				 errhint("Methods are sequential, which holds however often you look, and fixed, for one look at a time that was chosen beforehand.")));
	return method[0] == 's';
}

RecsysMetricKind
RecsysArgMetricKind(FunctionCallInfo fcinfo, int argument)
{
	static const char *const kinds[] = {
		[RECSYS_METRIC_MEAN] = "mean",
		[RECSYS_METRIC_PROPORTION] = "proportion",
		[RECSYS_METRIC_RATIO] = "ratio"
	};
	char	   *kind = RecsysArgQuery(fcinfo, argument, "kind");

	for (int x = 0; x < lengthof(kinds); x++)
		if (strcmp(kind, kinds[x]) == 0)
			return (RecsysMetricKind) x;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown kind of metric \"%s\"", kind),
			 errhint("Kinds are mean, proportion, and ratio.")));
}

double
RecsysArgAlpha(FunctionCallInfo fcinfo, int argument)
{
	return RecsysArgDouble(fcinfo, argument, "alpha", 1e-9, 0.5);
}

double
RecsysArgExpectedUnits(FunctionCallInfo fcinfo, int argument)
{
	return RecsysArgDouble(fcinfo, argument, "expected_units", 1, 1e15);
}

void
RecsysArgTestOptions(FunctionCallInfo fcinfo, int first, RecsysArmTestOptions *options)
{
	options->relative = RecsysArgFlag(fcinfo, first, "relative");
	options->sequential = RecsysArgSequential(fcinfo, first + 1);
	options->alpha = RecsysArgAlpha(fcinfo, first + 2);
	options->tuning = RecsysArgExpectedUnits(fcinfo, first + 3);
}

static void
refuse(const char *arm, const char *detail, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the sums of the %s are not those of any values", arm),
			 errdetail(detail, column)));
}

/* Sum of products of deviations from the means */
static double
deviations(const RecsysArmSums *sums, int a, int b)
{
	return sums->product[a][b] - sums->sum[a] * (sums->sum[b] / sums->units);
}

/* What rounding may have done to the above */
static double
slack(const RecsysArmSums *sums, int a, int b)
{
	return TOLERANCE * sqrt(sums->product[a][a]) * sqrt(sums->product[b][b]);
}

/* Errors out where no values of so many units have such sums; arm: "control" or "treatment". */
static void
check_arm_sums(const RecsysArmSums *sums, const RecsysArmTestOptions *options, const char *arm)
{
	if (!(sums->units >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the units of the %s must not be negative", arm)));
	for (int x = 0; x < RECSYS_UNIT_COLUMNS; x++)
	{
		if (sums->units == 0 && (sums->sum[x] != 0 || sums->product[x][x] != 0))
			refuse(arm, "There are no units, but their %s have a sum.", columns[x]);
		if (sums->product[x][x] < 0)
			refuse(arm, "The sum of the squares of the %s is negative.", columns[x]);
		if (sums->units > 0 && deviations(sums, x, x) < -slack(sums, x, x))
			refuse(arm, "The sum of the squares of the %s is less than their sum allows.", columns[x]);
	}
	for (int x = 0; sums->units > 0 && x < RECSYS_UNIT_COLUMNS; x++)
		for (int y = 0; y < x; y++)
		{
			double		most = sqrt(Max(deviations(sums, x, x), 0)) * sqrt(Max(deviations(sums, y, y), 0));

			if (fabs(deviations(sums, x, y)) > most + slack(sums, x, y))
				refuse(arm, "A sum of products with the %s is greater than the sums of squares allow.", columns[x]);
		}
	if (options->kind == RECSYS_METRIC_PROPORTION &&
		(fabs(sums->sum[0] - sums->product[0][0]) > TOLERANCE * sums->product[0][0] ||
		 sums->sum[0] > sums->units))
		refuse(arm, "The %s of a proportion must be 0 or 1.", columns[0]);
}

Datum
RecsysFigureRow(FunctionCallInfo fcinfo, const double *figures, int n)
{
	TupleDesc	desc;
	Datum		values[MOST_FIGURES];
	bool		isnull[MOST_FIGURES];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != n)
		elog(ERROR, "return type must be a row of %d figures", n);
	for (int x = 0; x < n; x++)
	{
		Oid			type = TupleDescAttr(desc, x)->atttypid;

		isnull[x] = isnan(figures[x]);
		if (isnull[x])
			values[x] = (Datum) 0;
		else if (type == INT4OID)
			values[x] = Int32GetDatum((int32) figures[x]);
		else if (type == INT8OID)
			values[x] = Int64GetDatum((int64) figures[x]);
		else
			values[x] = Float8GetDatum(figures[x]);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, isnull));
}

Datum
RecsysArmTestRow(FunctionCallInfo fcinfo, const RecsysArmSums *control, const RecsysArmSums *treatment,
				 const RecsysArmTestOptions *options)
{
	RecsysArmTest test;
	double		figures[7];

	check_arm_sums(control, options, "control");
	check_arm_sums(treatment, options, "treatment");
	RecsysTestArms(control, treatment, options, &test);
	figures[0] = test.control;
	figures[1] = test.treatment;
	figures[2] = test.difference;
	figures[3] = test.low;
	figures[4] = test.high;
	figures[5] = test.standard_error;
	figures[6] = test.p_value;
	return RecsysFigureRow(fcinfo, figures, lengthof(figures));
}
