/*
 * figures.c
 *	  Figures of recommendation quality as columns of a row.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/figures.h"
#include "core/measure/spread.h"
#include "utils/builtins.h"

void
RecsysSetFigureKey(Datum *values, bool *isnull, RecsysMetric metric, int k, const char *segment)
{
	values[0] = CStringGetTextDatum(RecsysMetricName(metric));
	isnull[1] = k == 0;
	values[1] = Int32GetDatum(k);
	isnull[2] = segment == NULL;
	if (segment != NULL)
		values[2] = CStringGetTextDatum(segment);
}

void
RecsysSetFigure(Datum *values, bool *isnull, int column, double value)
{
	isnull[column] = isnan(value);
	values[column] = Float8GetDatum(value);
}

double
RecsysSpreadFigure(const RecsysEvaluation *evaluation, const RecsysOutcome *outcome,
				   const RecsysLabels *sellers, RecsysMetric metric, int k,
				   const RecsysSegment *segment)
{
	RecsysListChoice choice = {.lists = outcome->lists, .k = k, .segments = segment->labels,
		.segment = segment->label};
	RecsysSpread spread;

	if (metric == RECSYS_METRIC_SELLER_COVERAGE || metric == RECSYS_METRIC_SELLER_GINI)
	{
		choice.groups = sellers->labels;
		choice.ngroups = sellers->count;
	}
	spread = RecsysEvaluationSpread(evaluation, &choice);
	return metric == RECSYS_METRIC_COVERAGE || metric == RECSYS_METRIC_SELLER_COVERAGE ?
		spread.coverage : spread.gini;
}
