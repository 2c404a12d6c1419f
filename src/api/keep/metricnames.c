/*
 * metricnames.c
 *	  The metrics by which experiments are decided.
 *
 * The unit of all of them is a user, or a session.  A ratio is that of two sums over units, its
 * error is by the delta method.
 */
#include "postgres.h"

#include "api/declare/nearest.h"
#include "api/keep/metricnames.h"

const RecsysMetricName RecsysMetricNames[] = {
	{"ctr", RECSYS_METRIC_RATIO, false, false, false, "clicks by impressions"},
	{"click_rate", RECSYS_METRIC_RATIO, false, false, false, "requests with a click by requests"},
	{"add_to_cart_rate", RECSYS_METRIC_RATIO, false, false, false, "add-to-carts by impressions"},
	{"conversion", RECSYS_METRIC_PROPORTION, false, true, false, "share of units with an attributed purchase"},
	{"revenue", RECSYS_METRIC_MEAN, false, true, true, "attributed amount per unit"},
	{"revenue_per_request", RECSYS_METRIC_RATIO, false, true, true, "attributed amount by requests"},
	{"orders", RECSYS_METRIC_MEAN, false, true, false, "attributed purchases per unit"},
	{"user_revenue", RECSYS_METRIC_MEAN, false, true, true, "amount of all purchases since the first request, per unit"},
	{"user_orders", RECSYS_METRIC_MEAN, false, true, false, "all purchases since the first request, per unit"},
	{"requests_per_user", RECSYS_METRIC_MEAN, false, false, false, "requests per unit"},
	{"latency_ms", RECSYS_METRIC_RATIO, true, false, false, "milliseconds per request"},
};
const int	RecsysMetricNameCount = lengthof(RecsysMetricNames);

const RecsysMetricName *
RecsysFindMetric(const char *name)
{
	const char *names[lengthof(RecsysMetricNames)];

	for (int i = 0; i < RecsysMetricNameCount; i++)
	{
		if (strcmp(RecsysMetricNames[i].name, name) == 0)
			return &RecsysMetricNames[i];
		names[i] = RecsysMetricNames[i].name;
	}
	RecsysCheckWord(name, "metric", names, RecsysMetricNameCount);
	return NULL;
}
