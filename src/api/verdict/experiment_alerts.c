/*
 * experiment_alerts.c
 *	  recsys.find_experiment_alerts(): what is wrong with the experiments that the caller may see.
 *
 * Looked at are the daily sums, as they were refreshed last, and the newest rows of the log. An
 * experiment without sums is summed for this from raw rows.  What cannot be looked at, because a
 * table of purchases has gone, is an alert, too, and hides nothing of the others.
 *
 * An alert lasts since the first day from which on it has held on all days.
 */
#include "postgres.h"

#include "api/call/guard.h"
#include "api/keep/keeper.h"
#include "api/log/wholelog.h"
#include "api/verdict/dailysums.h"
#include "api/verdict/experimentfigures.h"
#include "api/verdict/experimentstretch.h"
#include "api/verdict/verdict.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "core/decide/sampleratio.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_experiment_alerts);

/* More units of several variants than this make an error of a warning */
#define MANY_MIXED 0.01

/* Without a refresh for so long, a running experiment's sums are old */
#define OLD USECS_PER_DAY

typedef struct Alerts
{
	ReturnSetInfo *result;
	const RecsysExperiment *experiment;
	RecsysExperimentFigures *figures;	/* as of the last refresh, or of now */
	TimestampTz *ends;			/* of the days that are kept */
	int			days;
} Alerts;

static void
put_alert(const Alerts *alerts, const char *alert, const char *severity, TimestampTz since, char *detail)
{
	Datum		values[5];
	bool		isnull[5] = {false};

	isnull[0] = alerts->experiment == NULL;
	values[0] = isnull[0] ? (Datum) 0 : CStringGetTextDatum(alerts->experiment->name);
	values[1] = CStringGetTextDatum(alert);
	values[2] = CStringGetTextDatum(severity);
	values[3] = TimestampTzGetDatum(since);
	isnull[3] = TIMESTAMP_NOT_FINITE(since);
	values[4] = CStringGetTextDatum(detail);
	tuplestore_putvalues(alerts->result->setResult, alerts->result->setDesc, values, isnull);
}

static RecsysExperimentFigures *
read_day(const Alerts *alerts, int day)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysExperimentFigures *figures;
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	MemoryContextSwitchTo(context);
	figures = RecsysReadDay(alerts->experiment, alerts->ends[day]);
	RecsysEndAsKeeper(&before);
	MemoryContextSwitchTo(context);
	return figures;
}

/* The end of the first day from which on it has held; the last figures' time if there are no days */
static TimestampTz
since_when(const Alerts *alerts, bool (*holds) (const Alerts *alerts, const RecsysExperimentFigures *figures, int which),
		   int which)
{
	TimestampTz since = alerts->figures->until;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys alerts", ALLOCSET_DEFAULT_SIZES);
	bool		held = true;

	for (int d = alerts->days - 1; d >= 0 && held; d--)
	{
		MemoryContext old = MemoryContextSwitchTo(scratch);
		RecsysExperimentFigures *figures = read_day(alerts, d);

		CHECK_FOR_INTERRUPTS();
		held = figures != NULL && holds(alerts, figures, which);
		if (held)
			since = Min(since, figures->until);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	return since;
}

static bool
ratio_is_off(const Alerts *alerts, const RecsysExperimentFigures *figures, int which)
{
	return RecsysSampleRatioP(alerts->experiment, &figures->segments[0]) < RECSYS_SAMPLE_RATIO_ALERT;
}

static void
look_at_ratio(const Alerts *alerts)
{
	const RecsysExperiment *experiment = alerts->experiment;
	const RecsysSegmentFigures *all = &alerts->figures->segments[0];
	StringInfoData detail;

	if (!ratio_is_off(alerts, alerts->figures, 0))
		return;
	initStringInfo(&detail);
	for (int v = 0; v < experiment->nvariants; v++)
		appendStringInfo(&detail, "%s%.0f units in \"%s\" with share %g", v == 0 ? "" : ", ",
						 all->arms[v].fresh, experiment->variants[v].name, experiment->variants[v].share);
	appendStringInfo(&detail, ": p = %.2g", RecsysSampleRatioP(experiment, all));
	put_alert(alerts, "sample ratio mismatch", "error", since_when(alerts, ratio_is_off, 0), detail.data);
}

static const RecsysVerdict *
find_verdict(const RecsysVerdict *verdicts, int count, int metric, int variant)
{
	for (int i = 0; i < count; i++)
		if (verdicts[i].segment == 0 && verdicts[i].metric == metric && verdicts[i].variant == variant)
			return &verdicts[i];
	return NULL;
}

/* which: metric and variant */
static bool
is_worse(const Alerts *alerts, const RecsysExperimentFigures *figures, int which)
{
	int			count;
	RecsysVerdict *verdicts = RecsysReachVerdicts(alerts->experiment, figures, &count);
	const RecsysVerdict *verdict = find_verdict(verdicts, count, which / alerts->experiment->nvariants,
												which % alerts->experiment->nvariants);

	return verdict != NULL && RecsysIsWorse(verdict);
}

static void
look_at_guardrails(const Alerts *alerts)
{
	const RecsysExperiment *experiment = alerts->experiment;
	int			count;
	RecsysVerdict *verdicts = RecsysReachVerdicts(experiment, alerts->figures, &count);

	for (int i = 0; i < count; i++)
	{
		const RecsysVerdict *verdict = &verdicts[i];

		if (verdict->segment != 0 || !verdict->is_guardrail || !RecsysIsWorse(verdict))
			continue;
		put_alert(alerts, "guardrail worse", "error",
				  since_when(alerts, is_worse, verdict->metric * experiment->nvariants + verdict->variant),
				  psprintf("%s of \"%s\" is %.4g, that of \"%s\" %.4g: p = %.2g, adjusted",
						   RecsysMetricNames[verdict->metric].name, experiment->variants[verdict->variant].name,
						   verdict->value, experiment->variants[0].name, verdict->control_value, verdict->p_adjusted));
	}
}

static double
all_units(const Alerts *alerts)
{
	double		units = 0;

	for (int v = 0; v < alerts->experiment->nvariants; v++)
		units += alerts->figures->segments[0].arms[v].units;
	return units;
}

static bool
has_mixed(const Alerts *alerts, const RecsysExperimentFigures *figures, int which)
{
	return figures->mixed > 0;
}

static void
look_at_units(const Alerts *alerts)
{
	double		mixed = alerts->figures->mixed;
	double		units = all_units(alerts);

	if (mixed > 0)
		put_alert(alerts, "units in two variants", mixed > MANY_MIXED * (units + mixed) ? "error" : "warning",
				  since_when(alerts, has_mixed, 0),
				  psprintf("%.0f units of %.0f were shown several variants, and count for none", mixed, units + mixed));
	if (units > alerts->experiment->expected_users && RecsysExperimentRuns(alerts->experiment))
		put_alert(alerts, "past its size", "info", alerts->figures->until,
				  psprintf("%.0f units take part; it was planned for " INT64_FORMAT, units, alerts->experiment->expected_users));
	if (alerts->figures->lacks_segments)
		put_alert(alerts, "too many segments", "warning", alerts->figures->until,
				  psprintf("there are more than %d, which are not looked at", RECSYS_SEGMENTS_MAX));
}

static TimestampTz
time_at(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
}

static int64
count_at(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * Hours of the last two days without a request, where the same hours of the week before had ten
 * or more on average: by chance that is 1 in 20,000.  Complete hours only, and of those days only
 * that the experiment has been running.
 */
static const char gaps_query[] =
"WITH counts AS (SELECT date_trunc('hour', r.time) AS hour, count(*) AS n FROM recsys.request_log AS r"
" WHERE r.experiment = $1 AND r.time >= date_trunc('hour', now()) - interval '9 days' AND r.time >= $2 AND r.time < now() GROUP BY 1),"
" hours AS (SELECT h AS hour, (SELECT sum(c.n) FROM counts AS c WHERE c.hour IN"
" (SELECT h - d * interval '24 hours' FROM generate_series(1, 7) AS d)) AS before,"
" (SELECT count(*) FROM generate_series(1, 7) AS d WHERE h - d * interval '24 hours' >= $2) AS days"
" FROM generate_series(date_trunc('hour', now()) - interval '48 hours', date_trunc('hour', now()) - interval '1 hour', '1 hour') AS h"
" WHERE h >= $2 AND h + interval '1 hour' <= $3)"
" SELECT min(hour), count(*), avg(before / days)::int8 FROM hours WHERE days > 0 AND before / days >= 10"
" AND NOT EXISTS (SELECT FROM counts AS c WHERE c.hour = hours.hour)";

static void
look_for_gaps(const Alerts *alerts)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[3];
	RecsysLogExtent extent = {.until = DT_NOEND};
	RecsysRights before;
	TimestampTz since;
	int64		hours;
	int64		usual;

	values[0] = CStringGetTextDatum(alerts->experiment->name);
	values[1] = TimestampTzGetDatum(alerts->experiment->started_at);
	values[2] = TimestampTzGetDatum(alerts->experiment->stopped_at);
	extent.from = alerts->experiment->started_at;
	extent.experiment = alerts->experiment->name;
	RecsysBeginAsKeeper(&before);
	RecsysBeginWholeLog(&extent);
	(void) RecsysKeeperQuery(RecsysHere(gaps_query), lengthof(types), types, values, NULL, true);
	since = time_at(1);
	hours = count_at(2);
	usual = count_at(3);
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&before);
	if (hours > 0)
		put_alert(alerts, "logging gap", "error", since,
				  psprintf(INT64_FORMAT " hours of the last 48 have no requests; usually there are " INT64_FORMAT " an hour", hours, usual));
}

static bool
looks_at_latency(const RecsysExperiment *experiment)
{
	int		   *metrics;
	int			n = RecsysExperimentMetrics(experiment, &metrics);

	for (int i = 0; i < n; i++)
		if (strcmp(RecsysMetricNames[metrics[i]].name, "latency_ms") == 0)
			return true;
	return false;
}

/* Requests of the last day without latency, where the experiment looks at it */
static void
look_for_latency(const Alerts *alerts)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID};
	Datum		values[2];
	RecsysLogExtent extent = {.until = DT_NOEND};
	RecsysRights before;
	TimestampTz since;
	int64		lacking;
	int64		all;

	if (!looks_at_latency(alerts->experiment))
		return;
	values[0] = CStringGetTextDatum(alerts->experiment->name);
	values[1] = TimestampTzGetDatum(alerts->experiment->started_at);
	extent.from = Max(alerts->experiment->started_at, GetCurrentTimestamp() - 2 * USECS_PER_DAY);
	extent.experiment = alerts->experiment->name;
	RecsysBeginAsKeeper(&before);
	RecsysBeginWholeLog(&extent);
	(void) RecsysKeeperQuery(RecsysHere("SELECT min(time) FILTER (WHERE latency_ms IS NULL), count(*) FILTER (WHERE latency_ms IS NULL), count(*)"
										" FROM recsys.request_log WHERE experiment = $1 AND time >= $2"
										" AND time >= now() - interval '24 hours' AND time < now()"),
							 lengthof(types), types, values, NULL, true);
	since = time_at(1);
	lacking = count_at(2);
	all = count_at(3);
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&before);
	if (lacking > all / 100)
		put_alert(alerts, "latency missing", "warning", since,
				  psprintf(INT64_FORMAT " of " INT64_FORMAT " requests of the last 24 hours have no latency", lacking, all));
}

/* How refreshing goes */
static void
look_at_state(const Alerts *alerts)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysExperimentState *state;
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	MemoryContextSwitchTo(context);
	state = RecsysReadExperimentState(alerts->experiment->name, false);
	RecsysEndAsKeeper(&before);
	MemoryContextSwitchTo(context);
	if (state == NULL)
		return;
	if (state->failure != NULL)
		put_alert(alerts, "refresh failed", "error", state->refreshed_until, state->failure);
	else if (RecsysExperimentRuns(alerts->experiment) && state->refreshed_until < GetCurrentTimestamp() - OLD)
		put_alert(alerts, "not refreshed", "warning", state->refreshed_until,
				  pstrdup("daily sums are more than a day old: recsys.maintain is not called"));
}

static void
look_at_figures(void *arg)
{
	Alerts	   *alerts = arg;

	alerts->ends = RecsysDayEnds(alerts->experiment, &alerts->days);
	alerts->figures = RecsysFindFigures(alerts->experiment, alerts->days > 0 ? "daily" : "raw", DT_NOEND);
	look_at_ratio(alerts);
	look_at_guardrails(alerts);
	look_at_units(alerts);
}

static void
try_figures(Alerts *alerts)
{
	ErrorData  *error = RecsysGuardCatch(look_at_figures, alerts, RecsysIsOfStep);

	if (error == NULL)
		return;
	put_alert(alerts, "no results", "error", DT_NOBEGIN, pstrdup(error->message));
	FreeErrorData(error);
}

/* Events of the last two days, but of this hour, whose request is not there */
static void
look_for_orphans(ReturnSetInfo *result)
{
	Alerts		alerts = {.result = result};
	RecsysLogExtent extent = {.from = GetCurrentTimestamp() - 3 * USECS_PER_DAY,.until = DT_NOEND};
	RecsysRights before;
	TimestampTz since;
	int64		orphans;

	RecsysBeginAsKeeper(&before);
	RecsysBeginWholeLog(&extent);
	(void) RecsysKeeperQuery(RecsysHere("SELECT min(e.time), count(*) FROM recsys.event_log AS e"
										" WHERE e.request_time >= now() - interval '48 hours' AND e.request_time < now() - interval '1 hour'"
										" AND NOT EXISTS (SELECT FROM recsys.request_log AS r WHERE r.request_id = e.request_id AND r.time = e.request_time)"),
							 0, NULL, NULL, NULL, true);
	since = time_at(1);
	orphans = count_at(2);
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&before);
	if (orphans > 0)
		put_alert(&alerts, "events without request", "warning", since,
				  psprintf(INT64_FORMAT " events of requests of the last 48 hours belong to requests that are not logged", orphans));
}

static bool
may_see(const RecsysExperiment *experiment, bool all)
{
	Oid			owner;

	if (all)
		return true;
	owner = get_role_oid(experiment->owner, true);
	return OidIsValid(owner) && has_privs_of_role(GetUserId(), owner);
}

Datum
recsys_experiment_alerts(PG_FUNCTION_ARGS)
{
	bool		all = RecsysIsKeeper() || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_DATA);
	Alerts		alerts = {0};
	ListCell   *cell;

	/* one experiment that cannot be looked at must not hide the others: RecsysGuardCatch */
	PreventCommandIfParallelMode("recsys.experiment_alerts");
	InitMaterializedSRF(fcinfo, 0);
	alerts.result = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach(cell, RecsysAllExperiments(GetActiveSnapshot()))
	{
		alerts.experiment = lfirst(cell);
		if (alerts.experiment->started_at > GetCurrentTimestamp() || alerts.experiment->interleaved ||
			!may_see(alerts.experiment, all))
			continue;
		try_figures(&alerts);
		look_for_gaps(&alerts);
		look_for_latency(&alerts);
		look_at_state(&alerts);
	}
	if (all)
		look_for_orphans(alerts.result);
	return (Datum) 0;
}
