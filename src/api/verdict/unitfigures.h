/*
 * unitfigures.h
 *	  What is counted of each unit of an experiment, and the metrics that are made of it.
 */
#ifndef RECSYS_UNITFIGURES_H
#define RECSYS_UNITFIGURES_H

#include "postgres.h"

#include "api/keep/metricnames.h"

/* In the order in which queries give them, and recsys.experiment_unit has them */
typedef enum RecsysUnitFigure
{
	RECSYS_REQUESTS,
	RECSYS_IMPRESSIONS,
	RECSYS_CLICKS,
	RECSYS_CARTS,
	RECSYS_CLICKED_REQUESTS,
	RECSYS_LATENCY,				/* microseconds */
	RECSYS_TIMED_REQUESTS,		/* that it is known of */
	RECSYS_ORDERS,				/* credits of purchases that are attributed to it */
	RECSYS_REVENUE,				/* their amounts */
	RECSYS_ALL_ORDERS,			/* purchases since the first request, attributed or not */
	RECSYS_ALL_REVENUE,
	/* of the time before the first request, for CUPED */
	RECSYS_PRE_REQUESTS,
	RECSYS_PRE_IMPRESSIONS,
	RECSYS_PRE_CLICKS,
	RECSYS_PRE_CARTS,
	RECSYS_PRE_CLICKED_REQUESTS,
	RECSYS_PRE_ORDERS,			/* of any kind: nothing is attributed then */
	RECSYS_PRE_REVENUE,
	RECSYS_UNIT_FIGURES
} RecsysUnitFigure;

typedef struct RecsysFigureName
{
	const char *name;			/* column */
	const char *type;			/* whole numbers are bigint, money and credits numeric: sums are exact */
} RecsysFigureName;

/* There are fewer metrics */
#define RECSYS_METRICS_MAX 32

extern const RecsysFigureName RecsysFigureNames[RECSYS_UNIT_FIGURES];

/* A unit's figures to what is summed of it for a metric, a number of RecsysMetricNames */
extern void RecsysMetricColumns(int metric, const double *figures,
								double columns[RECSYS_UNIT_COLUMNS]);

/*
 * The figures that are capped when values are winsorised: a few units with very many requests or
 * very dear purchases would decide everything.
 */
extern bool RecsysIsCapped(RecsysUnitFigure figure);

#endif							/* RECSYS_UNITFIGURES_H */
