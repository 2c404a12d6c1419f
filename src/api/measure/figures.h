/*
 * figures.h
 *	  Figures of recommendation quality as columns of a row.
 */
#ifndef RECSYS_FIGURES_H
#define RECSYS_FIGURES_H

#include "postgres.h"

#include "core/measure/metrics.h"

/* The first three columns: metric, k and segment; k 0 and segment NULL are NULL. */
extern void RecsysSetFigureKey(Datum *values, bool *isnull, RecsysMetric metric, int k,
							   const char *segment);

/* NaN, a figure that is not defined, is NULL. */
extern void RecsysSetFigure(Datum *values, bool *isnull, int column, double value);

#endif							/* RECSYS_FIGURES_H */
