/*
 * unitfigures.c
 *	  What is counted of each unit of an experiment, and the metrics that are made of it.
 */
#include "postgres.h"

#include "api/verdict/unitfigures.h"

const RecsysFigureName RecsysFigureNames[RECSYS_UNIT_FIGURES] = {
	{"requests", "int8"},
	{"impressions", "int8"},
	{"clicks", "int8"},
	{"carts", "int8"},
	{"clicked_requests", "int8"},
	{"latency", "int8"},
	{"timed_requests", "int8"},
	{"orders", "numeric"},
	{"revenue", "numeric"},
	{"all_orders", "int8"},
	{"all_revenue", "numeric"},
	{"pre_requests", "int8"},
	{"pre_impressions", "int8"},
	{"pre_clicks", "int8"},
	{"pre_carts", "int8"},
	{"pre_clicked_requests", "int8"},
	{"pre_orders", "int8"},
	{"pre_revenue", "numeric"},
};

#define NOTHING (-1)

/* Figures that a metric's columns are; a metric is found by its name, once */
typedef struct MetricFigures
{
	const char *metric;
	int			columns[RECSYS_UNIT_COLUMNS];
} MetricFigures;

static const MetricFigures metric_figures[] = {
	{"ctr", {RECSYS_CLICKS, RECSYS_IMPRESSIONS, RECSYS_PRE_CLICKS, RECSYS_PRE_IMPRESSIONS}},
	{"click_rate", {RECSYS_CLICKED_REQUESTS, RECSYS_REQUESTS, RECSYS_PRE_CLICKED_REQUESTS, RECSYS_PRE_REQUESTS}},
	{"add_to_cart_rate", {RECSYS_CARTS, RECSYS_IMPRESSIONS, RECSYS_PRE_CARTS, RECSYS_PRE_IMPRESSIONS}},
	{"conversion", {RECSYS_ORDERS, NOTHING, RECSYS_PRE_ORDERS, NOTHING}},
	{"revenue", {RECSYS_REVENUE, NOTHING, RECSYS_PRE_REVENUE, NOTHING}},
	{"revenue_per_request", {RECSYS_REVENUE, RECSYS_REQUESTS, RECSYS_PRE_REVENUE, RECSYS_PRE_REQUESTS}},
	{"orders", {RECSYS_ORDERS, NOTHING, RECSYS_PRE_ORDERS, NOTHING}},
	{"user_revenue", {RECSYS_ALL_REVENUE, NOTHING, RECSYS_PRE_REVENUE, NOTHING}},
	{"user_orders", {RECSYS_ALL_ORDERS, NOTHING, RECSYS_PRE_ORDERS, NOTHING}},
	{"requests_per_user", {RECSYS_REQUESTS, NOTHING, RECSYS_PRE_REQUESTS, NOTHING}},
	/* how fast the machine was before says nothing of the unit */
	{"latency_ms", {RECSYS_LATENCY, RECSYS_TIMED_REQUESTS, NOTHING, NOTHING}},
};

static const MetricFigures *
figures_of(int metric)
{
	static const MetricFigures *known[RECSYS_METRICS_MAX];

	for (int i = 0; known[metric] == NULL && i < (int) lengthof(metric_figures); i++)
		if (strcmp(metric_figures[i].metric, RecsysMetricNames[metric].name) == 0)
			known[metric] = &metric_figures[i];
	if (known[metric] == NULL)
		elog(ERROR, "it is not known what metric \"%s\" is made of", RecsysMetricNames[metric].name);
	return known[metric];
}

void
RecsysMetricColumns(int metric, const double *figures, double columns[RECSYS_UNIT_COLUMNS])
{
	const MetricFigures *of = figures_of(metric);

	for (int c = 0; c < RECSYS_UNIT_COLUMNS; c++)
	{
		int			figure = of->columns[c];

		columns[c] = figure == NOTHING ? 0 : figures[figure];
		if (figure == RECSYS_LATENCY)
			columns[c] /= 1000;
		if (RecsysMetricNames[metric].kind == RECSYS_METRIC_PROPORTION)
			columns[c] = columns[c] > 0;
	}
}

bool
RecsysIsCapped(RecsysUnitFigure figure)
{
	switch (figure)
	{
		case RECSYS_ORDERS:
		case RECSYS_REVENUE:
		case RECSYS_ALL_ORDERS:
		case RECSYS_ALL_REVENUE:
		case RECSYS_PRE_ORDERS:
		case RECSYS_PRE_REVENUE:
			return true;
		default:
			return false;
	}
}
