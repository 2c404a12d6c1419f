/*
 * experiment_results.c
 *	  recsys.experiment_results(), recsys.experiment_history(): what an experiment says.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/arguments.h"
#include "api/keep/keeper.h"
#include "api/verdict/dailysums.h"
#include "api/verdict/experimentfigures.h"
#include "api/verdict/experimentstretch.h"
#include "api/verdict/verdict.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_experiment_results);
PG_FUNCTION_INFO_V1(recsys_experiment_history);

#define RESULT_COLUMNS 23
#define HISTORY_COLUMNS 22

/* Columns of a row in the making */
typedef struct Row
{
	int			count;
	Datum		values[RESULT_COLUMNS];
	bool		isnull[RESULT_COLUMNS];
} Row;

static void
put(Row *row, Datum value, bool isnull)
{
	row->values[row->count] = value;
	row->isnull[row->count++] = isnull;
}

static void
put_text(Row *row, const char *text)
{
	put(row, text == NULL ? (Datum) 0 : CStringGetTextDatum(text), text == NULL);
}

/* What is not known, or without end, is NULL. */
static void
put_number(Row *row, double number)
{
	put(row, Float8GetDatum(number), !isfinite(number));
}

static void
put_verdict(Row *row, const RecsysExperiment *experiment, const RecsysExperimentFigures *figures,
			const RecsysVerdict *verdict)
{
	put_text(row, RecsysMetricNames[verdict->metric].name);
	put_text(row, verdict->segment == 0 ? NULL : figures->segments[verdict->segment].name);
	put_text(row, experiment->variants[verdict->variant].name);
	put_text(row, experiment->variants[0].name);
	put(row, Int64GetDatum((int64) verdict->units), false);
	put(row, Int64GetDatum((int64) verdict->control_units), false);
	put_number(row, verdict->value);
	put_number(row, verdict->control_value);
	put_number(row, verdict->lift.difference);
	put_number(row, verdict->lift.low);
	put_number(row, verdict->lift.high);
	put_number(row, verdict->difference.difference);
	put_number(row, verdict->difference.low);
	put_number(row, verdict->difference.high);
	put_number(row, verdict->p_value);
	put_number(row, verdict->p_adjusted);
	put_text(row, verdict->text);
	put_number(row, verdict->sample_ratio_p);
	put(row, BoolGetDatum(verdict->is_primary), false);
	put(row, BoolGetDatum(verdict->is_guardrail), false);
	put_text(row, RecsysVerdictMethod(experiment, verdict));
}

static void
say_segments(const RecsysExperiment *experiment, const RecsysExperimentFigures *figures)
{
	if (figures->lacks_segments)
		ereport(NOTICE,
				(errmsg("experiment \"%s\" has more than %d segments, which are not looked at",
						experiment->name, RECSYS_SEGMENTS_MAX)));
}

/* Arguments: name, source, at */
Datum
recsys_experiment_results(PG_FUNCTION_ARGS)
{
	RecsysExperiment *experiment = RecsysNeedExperiment(RecsysArgQuery(fcinfo, 0, "name"));
	const char *source = RecsysArgQuery(fcinfo, 1, "source");
	TimestampTz at = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysExperimentFigures *figures;
	RecsysVerdict *verdicts;
	int			count;

	RecsysNeedExperimentReader(experiment);
	InitMaterializedSRF(fcinfo, 0);
	figures = RecsysFindFigures(experiment, source, at);
	say_segments(experiment, figures);
	verdicts = RecsysReachVerdicts(experiment, figures, &count);
	for (int i = 0; i < count; i++)
	{
		Row			row = {0};

		put_verdict(&row, experiment, figures, &verdicts[i]);
		put_text(&row, figures->is_daily ? "daily" : "raw");
		put(&row, TimestampTzGetDatum(figures->until), false);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.isnull);
	}
	return (Datum) 0;
}

static void
put_day(ReturnSetInfo *result, const RecsysExperiment *experiment, const RecsysExperimentFigures *figures)
{
	int			count;
	RecsysVerdict *verdicts = RecsysReachVerdicts(experiment, figures, &count);

	for (int i = 0; i < count; i++)
	{
		Row			row = {0};

		put(&row, TimestampTzGetDatum(figures->until), false);
		put_verdict(&row, experiment, figures, &verdicts[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.isnull);
	}
}

/* Arguments: name */
Datum
recsys_experiment_history(PG_FUNCTION_ARGS)
{
	RecsysExperiment *experiment = RecsysNeedExperiment(RecsysArgQuery(fcinfo, 0, "name"));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext scratch;
	MemoryContext old;
	TimestampTz *ends;
	int			count;

	RecsysNeedExperimentReader(experiment);
	InitMaterializedSRF(fcinfo, 0);
	ends = RecsysDayEnds(experiment, &count);
	/* it has said nothing so far: a dashboard over all experiments is not to fail for a new one */
	if (count == 0)
		RecsysSayNoSums(experiment, NOTICE);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys history", ALLOCSET_DEFAULT_SIZES);
	for (int d = 0; d < count; d++)
	{
		RecsysExperimentFigures *figures;
		RecsysRights before;

		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(scratch);
		RecsysBeginAsKeeper(&before);
		MemoryContextSwitchTo(scratch);
		figures = RecsysReadDay(experiment, ends[d]);
		RecsysEndAsKeeper(&before);
		MemoryContextSwitchTo(scratch);
		put_day(result, experiment, figures);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	return (Datum) 0;
}
