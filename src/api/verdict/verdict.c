/*
 * verdict.c
 *	  From sums over units to what is said of each variant.
 *
 * Each metric of each variant is compared with the control's.  The p-value is that of the lift, and
 * where there is none, since the control has nothing, that of the difference.  All comparisons of
 * all units are one family, whose p-values are adjusted together; those of the segments are
 * another one, so that looking at segments takes nothing away from the whole.
 *
 * Where variants do not have as many units as their shares say, something is wrong with assignment
 * or logging, and nothing is said of any metric.
 */
#include "postgres.h"

#include <math.h>

#include "api/verdict/verdict.h"
#include "core/decide/multiplicity.h"
#include "core/decide/sampleratio.h"

#define BETTER "better"
#define WORSE "worse"
#define UNDECIDED "no difference yet"
#define TOO_FEW "too few"
#define BROKEN "broken: sample ratio"

static void
add_metric(const char *name, int *metrics, int *count)
{
	int			metric = (int) (RecsysFindMetric(name) - RecsysMetricNames);

	for (int i = 0; i < *count; i++)
		if (metrics[i] == metric)
			return;
	metrics[(*count)++] = metric;
}

int
RecsysExperimentMetrics(const RecsysExperiment *experiment, int **metrics)
{
	int			count = 0;

	*metrics = palloc(sizeof(int) * (1 + experiment->nmetrics + experiment->nguardrails));
	add_metric(experiment->primary_metric, *metrics, &count);
	for (int i = 0; i < experiment->nmetrics; i++)
		add_metric(experiment->metrics[i], *metrics, &count);
	for (int i = 0; i < experiment->nguardrails; i++)
		add_metric(experiment->guardrails[i], *metrics, &count);
	return count;
}

double
RecsysSampleRatioP(const RecsysExperiment *experiment, const RecsysSegmentFigures *segment)
{
	double	   *counts = palloc(sizeof(double) * experiment->nvariants);
	double	   *shares = palloc(sizeof(double) * experiment->nvariants);
	double		p;

	for (int v = 0; v < experiment->nvariants; v++)
	{
		counts[v] = segment->arms[v].fresh;
		shares[v] = experiment->variants[v].share;
	}
	(void) RecsysSampleRatio(counts, shares, experiment->nvariants, &p);
	pfree(counts);
	pfree(shares);
	return p;
}

/* Is there something from before that values could be adjusted by? */
static bool
has_before(const RecsysArmSums *sums)
{
	return sums->product[RECSYS_UNIT_PRE_VALUE][RECSYS_UNIT_PRE_VALUE] > 0;
}

static bool
is_guardrail(const RecsysExperiment *experiment, int metric)
{
	for (int i = 0; i < experiment->nguardrails; i++)
		if (strcmp(experiment->guardrails[i], RecsysMetricNames[metric].name) == 0)
			return true;
	return false;
}

static void
compare(const RecsysExperiment *experiment, const RecsysArmFigures *control,
		const RecsysArmFigures *treatment, RecsysVerdict *verdict)
{
	const RecsysArmSums *a = &control->sums[verdict->metric];
	const RecsysArmSums *b = &treatment->sums[verdict->metric];
	RecsysArmTestOptions options = {
		.kind = RecsysMetricNames[verdict->metric].kind,
		.relative = true,
		.adjusted = experiment->pre_period > 0 && (has_before(a) || has_before(b)),
		.sequential = strcmp(experiment->method, "fixed") != 0,
		.alpha = experiment->alpha,
		.tuning = experiment->expected_users
	};

	verdict->units = treatment->units;
	verdict->control_units = control->units;
	verdict->is_adjusted = options.adjusted;
	RecsysTestArms(a, b, &options, &verdict->lift);
	options.relative = false;
	RecsysTestArms(a, b, &options, &verdict->difference);
	verdict->value = verdict->difference.treatment;
	verdict->control_value = verdict->difference.control;
	verdict->p_value = isnan(verdict->lift.p_value) ? verdict->difference.p_value : verdict->lift.p_value;
	verdict->p_adjusted = verdict->p_value;
	verdict->text = UNDECIDED;
	if (isnan(verdict->p_value) || a->units < RECSYS_UNITS_MIN || b->units < RECSYS_UNITS_MIN ||
		(options.kind != RECSYS_METRIC_MEAN &&
		 a->sum[RECSYS_UNIT_VALUE] + b->sum[RECSYS_UNIT_VALUE] < RECSYS_EVENTS_MIN))
		verdict->text = TOO_FEW;
}

static void
adjust(const RecsysExperiment *experiment, RecsysVerdict *verdicts, int n)
{
	double	   *p_values = palloc(sizeof(double) * Max(n, 1));

	for (int i = 0; i < n; i++)
		p_values[i] = verdicts[i].p_value;
	if (strcmp(experiment->correction, "holm") == 0)
		RecsysHolm(p_values, n);
	else if (strcmp(experiment->correction, "benjamini_hochberg") == 0)
		RecsysBenjaminiHochberg(p_values, n);
	for (int i = 0; i < n; i++)
		verdicts[i].p_adjusted = p_values[i];
	pfree(p_values);
}

static void
decide(const RecsysExperiment *experiment, bool broken, RecsysVerdict *verdict)
{
	bool		up = verdict->difference.difference > 0;

	if (broken || verdict->sample_ratio_p < RECSYS_SAMPLE_RATIO_ALERT)
		verdict->text = BROKEN;
	else if (strcmp(verdict->text, UNDECIDED) == 0 && verdict->p_adjusted < experiment->alpha)
		verdict->text = up != RecsysMetricNames[verdict->metric].lower_is_better ? BETTER : WORSE;
}

RecsysVerdict *
RecsysReachVerdicts(const RecsysExperiment *experiment, const RecsysExperimentFigures *figures,
					int *count)
{
	int		   *metrics;
	int			nmetrics = RecsysExperimentMetrics(experiment, &metrics);
	int			of_all = nmetrics * (experiment->nvariants - 1);
	RecsysVerdict *verdicts = palloc0(sizeof(RecsysVerdict) * (Size) Max(of_all * figures->nsegments, 1));
	bool		broken = RecsysSampleRatioP(experiment, &figures->segments[0]) < RECSYS_SAMPLE_RATIO_ALERT;

	*count = 0;
	for (int s = 0; s < figures->nsegments; s++)
	{
		double		p = RecsysSampleRatioP(experiment, &figures->segments[s]);

		for (int m = 0; m < nmetrics; m++)
			for (int v = 1; v < experiment->nvariants; v++)
			{
				RecsysVerdict *verdict = &verdicts[(*count)++];

				verdict->metric = metrics[m];
				verdict->segment = s;
				verdict->variant = v;
				verdict->sample_ratio_p = p;
				verdict->is_primary = m == 0;
				verdict->is_guardrail = is_guardrail(experiment, metrics[m]);
				compare(experiment, &figures->segments[s].arms[0], &figures->segments[s].arms[v], verdict);
			}
	}
	adjust(experiment, verdicts, of_all);
	adjust(experiment, verdicts + of_all, *count - of_all);
	for (int i = 0; i < *count; i++)
		decide(experiment, broken, &verdicts[i]);
	return verdicts;
}

bool
RecsysIsWorse(const RecsysVerdict *verdict)
{
	return strcmp(verdict->text, WORSE) == 0;
}

char *
RecsysVerdictMethod(const RecsysExperiment *experiment, const RecsysVerdict *verdict)
{
	return psprintf("%s%s%s", experiment->method, verdict->is_adjusted ? ", cuped" : "",
					experiment->winsorise < 1 ? ", winsorised" : "");
}
