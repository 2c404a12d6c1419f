/*
 * figures.c
 *	  Figures of recommendation quality as columns of a row.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/figures.h"
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
