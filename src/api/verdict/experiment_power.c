/*
 * experiment_power.c
 *	  recsys.experiment_power(): how long an experiment has to go on.
 *
 * How much units differ is taken from the experiment itself: the standard error of its difference,
 * times the square root of what the numbers of units divide it by, is the deviation of a unit, with
 * all that makes it smaller (the time before) or larger (ratios).  Units come as fast as in the last
 * week.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/keep/keeper.h"
#include "api/verdict/dailysums.h"
#include "api/verdict/experimentfigures.h"
#include "api/verdict/experimentstretch.h"
#include "api/verdict/verdict.h"
#include "core/decide/samplesize.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(recsys_experiment_power);

#define POWER_COLUMNS 12

typedef struct Planned
{
	RecsysDesign design;
	double		units;			/* of both arms, now */
	double		a_day;			/* more of them a day; NaN: not known */
} Planned;

static double
units_of(const RecsysExperimentFigures *figures, int variant)
{
	return figures->segments[0].arms[0].units + figures->segments[0].arms[variant].units;
}

/* The sums of a week before, or the start, when there was none */
static double
units_a_day(const RecsysExperiment *experiment, const RecsysExperimentFigures *figures, int variant)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysExperimentFigures *week = NULL;
	RecsysRights before;
	TimestampTz since = experiment->started_at;
	double		units = 0;

	RecsysBeginAsKeeper(&before);
	MemoryContextSwitchTo(context);
	if (figures->until > experiment->started_at + 7 * USECS_PER_DAY)
		week = RecsysReadDay(experiment, figures->until - 7 * USECS_PER_DAY);
	RecsysEndAsKeeper(&before);
	MemoryContextSwitchTo(context);
	if (week != NULL)
	{
		since = week->until;
		units = units_of(week, variant);
	}
	/* less than an hour tells nothing of a day */
	if (figures->until - since < USECS_PER_HOUR)
		return get_float8_nan();
	return (units_of(figures, variant) - units) / ((double) (figures->until - since) / USECS_PER_DAY);
}

static void
plan(const RecsysExperiment *experiment, const RecsysExperimentFigures *figures, const RecsysVerdict *verdict,
	 Planned *planned)
{
	double		a = verdict->control_units;
	double		b = verdict->units;
	RecsysDesign *design = &planned->design;

	memset(planned, 0, sizeof(*planned));
	planned->units = a + b;
	planned->a_day = units_a_day(experiment, figures, verdict->variant);
	design->kind = RECSYS_METRIC_MEAN;
	design->baseline = verdict->control_value;
	design->deviation = verdict->difference.standard_error / sqrt(1 / a + 1 / b);
	design->sequential = strcmp(experiment->method, "fixed") != 0;
	design->alpha = experiment->alpha;
	design->tuning = experiment->expected_users;
	design->treatment_share = b / (a + b);
}

static void
put_number(Datum *values, bool *isnull, int *column, double number)
{
	values[*column] = Float8GetDatum(number);
	isnull[(*column)++] = !isfinite(number);
}

static void
put_plan(ReturnSetInfo *result, const RecsysExperiment *experiment, const RecsysVerdict *verdict,
		 const Planned *planned, double effect, double power)
{
	Datum		values[POWER_COLUMNS];
	bool		isnull[POWER_COLUMNS] = {false};
	const RecsysDesign *design = &planned->design;
	double		difference = fabs(effect * design->baseline);
	bool		known = design->deviation > 0 && difference > 0 && planned->units > 1;
	double		needed = known ? ceil(RecsysDesignUnits(design, difference, power)) : get_float8_nan();
	double		days = (needed - planned->units) / planned->a_day;
	int			column = 0;

	values[column++] = CStringGetTextDatum(RecsysMetricNames[verdict->metric].name);
	values[column++] = CStringGetTextDatum(experiment->variants[verdict->variant].name);
	values[column++] = Int64GetDatum((int64) planned->units);
	put_number(values, isnull, &column, planned->a_day);
	put_number(values, isnull, &column, design->baseline);
	put_number(values, isnull, &column, design->deviation);
	put_number(values, isnull, &column, effect);
	put_number(values, isnull, &column, known ? RecsysDesignPower(design, difference, planned->units) : get_float8_nan());
	put_number(values, isnull, &column, needed);
	put_number(values, isnull, &column, needed <= planned->units ? 0 : planned->a_day > 0 ? days : get_float8_nan());
	put_number(values, isnull, &column, known ?
			   RecsysDesignDifference(design, planned->units, power) / fabs(design->baseline) : get_float8_nan());
	values[column] = BoolGetDatum(verdict->is_primary);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/* Arguments: name, effect, power, source */
Datum
recsys_experiment_power(PG_FUNCTION_ARGS)
{
	RecsysExperiment *experiment = RecsysNeedExperiment(RecsysArgQuery(fcinfo, 0, "name"));
	double		effect = RecsysArgDouble(fcinfo, 1, "effect", 1e-6, 100);
	double		power = RecsysArgDouble(fcinfo, 2, "power", 0.01, 0.9999);
	const char *source = RecsysArgQuery(fcinfo, 3, "source");
	RecsysExperimentFigures *figures;
	RecsysVerdict *verdicts;
	int			count;

	RecsysNeedExperimentReader(experiment);
	InitMaterializedSRF(fcinfo, 0);
	figures = RecsysFindFigures(experiment, source, DT_NOEND);
	verdicts = RecsysReachVerdicts(experiment, figures, &count);
	for (int i = 0; i < count; i++)
	{
		Planned		planned;

		CHECK_FOR_INTERRUPTS();
		if (verdicts[i].segment != 0)
			continue;
		plan(experiment, figures, &verdicts[i], &planned);
		put_plan((ReturnSetInfo *) fcinfo->resultinfo, experiment, &verdicts[i], &planned, effect, power);
	}
	return (Datum) 0;
}
