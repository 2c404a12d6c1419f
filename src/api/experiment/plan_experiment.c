/*
 * plan_experiment.c
 *	  recsys.sample_size(), recsys.detectable_effect(), recsys.test_power(): before an experiment.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/experiment/testarguments.h"
#include "core/decide/samplesize.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_sample_size);
PG_FUNCTION_INFO_V1(recsys_detectable_effect);
PG_FUNCTION_INFO_V1(recsys_test_power);

/* More would not fit into a bigint. */
#define MOST_UNITS 9e18

/* Arguments that all three have, one after the other */
enum
{
	KIND, DEVIATION, RELATIVE, METHOD, ALPHA, TREATMENT_SHARE, EXPECTED_UNITS
};

static void
read_deviation(FunctionCallInfo fcinfo, int argument, RecsysDesign *design)
{
	if (design->kind == RECSYS_METRIC_PROPORTION)
	{
		if (!(design->baseline > 0 && design->baseline < 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the baseline of a proportion must be greater than 0 and less than 1")));
		return;
	}
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the standard deviation of the values must be known to plan for a mean"),
				 errhint("Give it as the parameter deviation: the stddev of the values over the units of a time before.")));
	design->deviation = RecsysArgFinite(fcinfo, argument, "deviation");
	if (!(design->deviation > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("deviation must be greater than 0")));
}

static void
read_design(FunctionCallInfo fcinfo, int first, RecsysDesign *design)
{
	memset(design, 0, sizeof(RecsysDesign));
	design->baseline = RecsysArgFinite(fcinfo, 0, "baseline");
	design->kind = RecsysArgMetricKind(fcinfo, first + KIND);
	if (design->kind == RECSYS_METRIC_RATIO)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a ratio cannot be planned from its baseline alone"),
				 errhint("Plan it as a mean, with the deviation of (value - baseline * denominator) / average denominator over units.")));
	read_deviation(fcinfo, first + DEVIATION, design);
	design->relative = RecsysArgFlag(fcinfo, first + RELATIVE, "relative");
	design->sequential = RecsysArgSequential(fcinfo, first + METHOD);
	design->alpha = RecsysArgAlpha(fcinfo, first + ALPHA);
	design->treatment_share = RecsysArgDouble(fcinfo, first + TREATMENT_SHARE, "treatment_share", 0.001, 0.999);
	if (!PG_ARGISNULL(first + EXPECTED_UNITS))
		design->tuning = RecsysArgExpectedUnits(fcinfo, first + EXPECTED_UNITS);
	if (design->relative && design->baseline == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no lift over a baseline of 0"),
				 errhint("Write relative => false to plan for a difference.")));
}

/* What a lift of the baseline is as a difference */
static double
scale_of(const RecsysDesign *design)
{
	return design->relative ? fabs(design->baseline) : 1;
}

static double
read_difference(FunctionCallInfo fcinfo, const RecsysDesign *design)
{
	double		difference = RecsysArgFinite(fcinfo, 1, "effect") * scale_of(design);
	double		treatment = design->baseline + difference;

	if (difference == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("effect must not be 0")));
	if (design->kind == RECSYS_METRIC_PROPORTION && !(treatment >= 0 && treatment <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("with this effect the treatment's proportion would be %g", treatment)));
	return difference;
}

static double
read_power(FunctionCallInfo fcinfo, int argument)
{
	return RecsysArgDouble(fcinfo, argument, "power", 0.01, 0.9999);
}

/*
 * (baseline, effect, kind, …, expected_units, power, units_per_day); each arm's units are rounded
 * up.
 */
Datum
recsys_sample_size(PG_FUNCTION_ARGS)
{
	RecsysDesign design;
	double		difference;
	double		power = read_power(fcinfo, 9);
	double		units;
	double		figures[4] = {NAN, NAN, NAN, NAN};

	read_design(fcinfo, 2, &design);
	difference = read_difference(fcinfo, &design);
	units = RecsysDesignUnits(&design, difference, power);
	if (units < MOST_UNITS)
	{
		/* two units are the least that have a variance */
		figures[0] = Max(ceil(units * (1 - design.treatment_share) - 1e-6), 2);
		figures[1] = Max(ceil(units * design.treatment_share - 1e-6), 2);
		figures[2] = figures[0] + figures[1];
		if (!PG_ARGISNULL(10))
			figures[3] = ceil(figures[2] / RecsysArgDouble(fcinfo, 10, "units_per_day", 1e-3, 1e15));
	}
	PG_RETURN_DATUM(RecsysFigureRow(fcinfo, figures, lengthof(figures)));
}

static double
read_units(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument) || PG_GETARG_INT64(argument) < 4)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("units must be 4 or more")));
	return (double) PG_GETARG_INT64(argument);
}

/* (baseline, units, kind, …, expected_units, power) */
Datum
recsys_detectable_effect(PG_FUNCTION_ARGS)
{
	RecsysDesign design;
	double		units = read_units(fcinfo, 1);
	double		power = read_power(fcinfo, 9);
	double		difference;

	read_design(fcinfo, 2, &design);
	difference = RecsysDesignDifference(&design, units, power);
	if (isnan(difference))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(difference / scale_of(&design));
}

/* (baseline, effect, units, kind, …, expected_units) */
Datum
recsys_test_power(PG_FUNCTION_ARGS)
{
	RecsysDesign design;
	double		units = read_units(fcinfo, 2);
	double		power;

	read_design(fcinfo, 3, &design);
	power = RecsysDesignPower(&design, read_difference(fcinfo, &design), units);
	if (isnan(power))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(power);
}
