/*
 * figures.h
 *	  Figures of recommendation quality as columns of a row.
 */
#ifndef RECSYS_FIGURES_H
#define RECSYS_FIGURES_H

#include "postgres.h"

#include "api/measure/segments.h"
#include "core/measure/evaluation.h"
#include "core/measure/metrics.h"

/* The first three columns: metric, k and segment; k 0 and segment NULL are NULL. */
extern void RecsysSetFigureKey(Datum *values, bool *isnull, RecsysMetric metric, int k,
							   const char *segment);

/* NaN, a figure that is not defined, is NULL. */
extern void RecsysSetFigure(Datum *values, bool *isnull, int column, double value);

/*
 * A figure of all lists of a segment together.  sellers, which NULL may be given for unless the
 * metric is about them, has that of each item.
 */
extern double RecsysSpreadFigure(const RecsysEvaluation *evaluation, const RecsysOutcome *outcome,
								 const RecsysLabels *sellers, RecsysMetric metric, int k,
								 const RecsysSegment *segment);

#endif							/* RECSYS_FIGURES_H */
