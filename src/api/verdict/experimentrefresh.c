/*
 * experimentrefresh.c
 *	  Bringing the daily sums of experiments up to date.
 *
 * recsys.experiment_unit has what each unit has done until closed_until, the end of a day.  To close
 * the next day, what units have gained in it is added there, and then all units are summed, once.
 * A day is closed an hour after its end, when no session has rows of it any more that it has
 * not committed.  Days that are not closed yet are summed each time from what is kept and
 * what has been gained since, without writing the gains down.
 *
 * What comes later than that to the log (requests that were kept elsewhere for hours) or leaves it
 * (recsys.forget_user) makes sums differ from those of the log.  Then units are made anew from raw
 * rows as they were at the end of a day, and the days behind it are summed again.  That needs
 * all rows since the start: days are not made anew from a log that has lost some.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/guard.h"
#include "api/keep/keeper.h"
#include "api/log/wholelog.h"
#include "api/verdict/dailysums.h"
#include "api/verdict/experimentstretch.h"
#include "api/verdict/experimentrefresh.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_refresh_experiment);

/* After the end of a day, until it is closed */
#define GRACE USECS_PER_HOUR

typedef struct Refresh
{
	RecsysExperimentSources sources;
	const RecsysExperiment *experiment;
	TimestampTz closed_until;
	TimestampTz now;
	int			days;			/* summed */
} Refresh;

static TimestampTz
first_day(const RecsysExperiment *experiment)
{
	return RecsysDayStart(RecsysDayOf(experiment->started_at));
}

static void
run(const Refresh *refresh, const char *query, TimestampTz time, const char *text)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[3];

	values[0] = CStringGetTextDatum(refresh->experiment->name);
	values[1] = TimestampTzGetDatum(time);
	values[2] = CStringGetTextDatum(text == NULL ? "" : text);
	(void) RecsysKeeperQuery(query, lengthof(types), types, values, NULL, false);
}

/* What units have gained until then goes to what is kept of them. */
static void
keep_gains(const Refresh *refresh, const RecsysStretch *stretch)
{
	Oid			types[RECSYS_STRETCH_PARAMETERS];
	Datum		values[RECSYS_STRETCH_PARAMETERS];
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "INSERT INTO recsys.experiment_unit AS k (experiment, unit, first_time, variant, mixed, segment");
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		appendStringInfo(&query, ", %s", RecsysFigureNames[f].name);
	appendStringInfoString(&query, ") SELECT $1, g.unit, COALESCE(u.first_time, g.first_time), COALESCE(u.variant, g.variant),"
						   " COALESCE(g.variant <> g.other_variant OR u.variant <> g.variant, false), COALESCE(u.segment, g.segment)");
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		appendStringInfo(&query, ", g.%s", RecsysFigureNames[f].name);
	appendStringInfoString(&query, " FROM (");
	RecsysAppendGains(&query, stretch);
	appendStringInfoString(&query, ") AS g LEFT JOIN recsys.experiment_unit AS u ON u.experiment = $1 AND u.unit = g.unit"
						   " WHERE u.unit IS NOT NULL OR g.first_time IS NOT NULL"
						   " ON CONFLICT (experiment, unit) DO UPDATE SET mixed = k.mixed OR EXCLUDED.mixed");
	for (int f = 0; f < RECSYS_UNIT_FIGURES; f++)
		appendStringInfo(&query, ", %s = k.%s + EXCLUDED.%s", RecsysFigureNames[f].name,
						 RecsysFigureNames[f].name, RecsysFigureNames[f].name);
	RecsysStretchParameters(stretch, types, values);
	(void) RecsysKeeperQuery(RecsysHere(query.data), RECSYS_STRETCH_PARAMETERS, types, values, NULL, false);
}

/* Units as they are at that time, the end of a day */
static void
advance_units(Refresh *refresh, TimestampTz until)
{
	RecsysStretch stretch;
	RecsysRights before;

	RecsysSetStretch(&refresh->sources, refresh->closed_until, until, &stretch);
	RecsysBeginAsKeeper(&before);
	RecsysRegisterSources(&refresh->sources, &stretch);
	keep_gains(refresh, &stretch);
	RecsysReleaseSources(&stretch);
	run(refresh, "UPDATE recsys.experiment_state SET closed_until = $2 WHERE experiment = $1 AND $3 = ''",
		until, NULL);
	RecsysEndAsKeeper(&before);
	refresh->closed_until = until;
}

static void
sum_day(Refresh *refresh, DateADT day, TimestampTz until, bool closed)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "recsys sums of a day",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	RecsysExperimentFigures figures;
	RecsysStretch stretch;
	RecsysRights before;

	RecsysSetStretch(&refresh->sources, refresh->closed_until, until, &stretch);
	RecsysBeginAsKeeper(&before);
	MemoryContextSwitchTo(scratch);
	RecsysRegisterSources(&refresh->sources, &stretch);
	RecsysSumStretch(&stretch, false, &figures);
	RecsysWriteDay(refresh->experiment, day, closed, &figures);
	RecsysReleaseSources(&stretch);
	RecsysEndAsKeeper(&before);
	refresh->days++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/* All days until now, or until nothing counts any more */
static void
sum_days(Refresh *refresh)
{
	TimestampTz horizon = RecsysExperimentHorizon(refresh->experiment);
	TimestampTz last = Min(refresh->now, horizon);

	while (refresh->closed_until < last && refresh->closed_until + USECS_PER_DAY + GRACE <= refresh->now)
	{
		DateADT		day = RecsysDayOf(refresh->closed_until);

		CHECK_FOR_INTERRUPTS();
		advance_units(refresh, RecsysDayStart(day + 1));
		sum_day(refresh, day, RecsysDayStart(day + 1), true);
	}
	for (TimestampTz start = refresh->closed_until; start < last; start += USECS_PER_DAY)
		sum_day(refresh, RecsysDayOf(start), Min(start + USECS_PER_DAY, refresh->now), false);
}

/* Does the log still have all requests that the units have? */
static bool
log_is_complete(const Refresh *refresh)
{
	RecsysStretch stretch;
	Oid			types[RECSYS_STRETCH_PARAMETERS];
	Datum		values[RECSYS_STRETCH_PARAMETERS];
	RecsysLogExtent extent = {0};
	RecsysRights before;
	bool		isnull;
	bool		complete;

	RecsysSetStretch(&refresh->sources, refresh->experiment->started_at, refresh->closed_until, &stretch);
	RecsysStretchParameters(&stretch, types, values);
	extent.from = stretch.start;
	extent.until = stretch.until;
	extent.experiment = refresh->experiment->name;
	RecsysBeginAsKeeper(&before);
	RecsysBeginWholeLog(&extent);
	(void) RecsysKeeperQuery(RecsysHere(psprintf("SELECT (SELECT COALESCE(sum(requests), 0) FROM recsys.experiment_unit WHERE experiment = $1)"
									  " <= (SELECT count(*) FROM recsys.request_log AS r WHERE r.experiment = $1"
									  " AND r.%s IS NOT NULL AND r.time >= $2 AND r.time < LEAST($4, $7)"
									  " AND ($3, $5, $6) IS NOT NULL)",
												 refresh->experiment->by_session ? "session_id" : "user_id")),
							 RECSYS_STRETCH_PARAMETERS, types, values, NULL, false);
	complete = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	RecsysEndWholeLog();
	RecsysEndAsKeeper(&before);
	return complete;
}

/* Units as they were at the start of a day, from raw rows; days from there on are to be summed. */
static void
start_anew(Refresh *refresh, TimestampTz since)
{
	TimestampTz start = first_day(refresh->experiment);
	bool		all = since <= start;
	TimestampTz from = all ? DT_NOBEGIN : RecsysDayStart(RecsysDayOf(since));
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	run(refresh, "DELETE FROM recsys.experiment_unit WHERE experiment = $1 AND ($2, $3) IS NOT NULL", from, NULL);
	run(refresh, "DELETE FROM recsys.experiment_sums WHERE experiment = $1 AND day >= ($2 AT TIME ZONE 'UTC')::date AND $3 = ''", from, NULL);
	run(refresh, "DELETE FROM recsys.experiment_day WHERE experiment = $1 AND day >= ($2 AT TIME ZONE 'UTC')::date AND $3 = ''", from, NULL);
	run(refresh, "INSERT INTO recsys.experiment_state AS s (experiment, closed_until, signature) VALUES ($1, $2, $3)"
		" ON CONFLICT (experiment) DO UPDATE SET closed_until = EXCLUDED.closed_until,"
		" signature = EXCLUDED.signature, stale_since = NULL", start, refresh->sources.signature);
	RecsysEndAsKeeper(&before);
	refresh->closed_until = start;
	if (!all)
		advance_units(refresh, from);
}

static void
log_has_expired(const RecsysExperiment *experiment)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the sums of experiment \"%s\" cannot be made anew", experiment->name),
			 errdetail("The log no longer has all requests since its start."),
			 errhint("SELECT * FROM recsys.experiment_results(%s, 'daily');",
					 quote_literal_cstr(experiment->name))));
}

/*
 * From where on what is kept has to be made anew; DT_NOEND: from nowhere.  If the log has lost rows,
 * what it has lost stays in the sums: those that are stale because a user was forgotten, too.
 */
static TimestampTz
find_since(const Refresh *refresh, const RecsysExperimentState *state, TimestampTz since)
{
	TimestampTz from = Min(since, state->stale_since);

	if (state->signature[0] == '\0')
		return DT_NOBEGIN;
	if (strcmp(state->signature, refresh->sources.signature) != 0)
		from = since = DT_NOBEGIN;
	if (from >= refresh->closed_until)
		return DT_NOEND;
	if (log_is_complete(refresh))
		return from;
	if (since < refresh->closed_until)
		log_has_expired(refresh->experiment);
	return DT_NOEND;
}

/* Whoever comes second waits for the first one, and sees what it has done. */
static RecsysExperimentState *
lock_state(const Refresh *refresh)
{
	RecsysExperimentState *state;
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	run(refresh, "INSERT INTO recsys.experiment_state (experiment, closed_until, signature) VALUES ($1, $2, $3)"
		" ON CONFLICT DO NOTHING", first_day(refresh->experiment), NULL);
	old = MemoryContextSwitchTo(context);
	state = RecsysReadExperimentState(refresh->experiment->name, true);
	MemoryContextSwitchTo(old);
	RecsysEndAsKeeper(&before);
	return state;
}

static void
note_refresh(const Refresh *refresh)
{
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	run(refresh, "UPDATE recsys.experiment_state SET refreshed_until = $2, stale_since = NULL, failure = NULL"
		" WHERE experiment = $1 AND $3 = ''", refresh->now, NULL);
	RecsysEndAsKeeper(&before);
}

/*
 * Sums what has happened since the last time; with since (DT_NOEND: not), days from that one on are
 * summed anew.  Returns how many days were summed.  The caller may have no rights on the log.
 */
static int
refresh_experiment(const RecsysExperiment *experiment, TimestampTz since)
{
	Refresh		refresh = {.experiment = experiment, .now = GetCurrentTimestamp()};
	RecsysExperimentState *state;

	if (experiment->started_at > refresh.now || experiment->interleaved)
		return 0;
	RecsysGetSources(experiment, &refresh.sources);
	state = lock_state(&refresh);
	refresh.closed_until = state->closed_until;
	since = find_since(&refresh, state, since);
	if (since != DT_NOEND)
		start_anew(&refresh, since);
	sum_days(&refresh);
	note_refresh(&refresh);
	return refresh.days;
}

static void
note_failure(const RecsysExperiment *experiment, const char *message)
{
	Refresh		refresh = {.experiment = experiment};
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	run(&refresh, "INSERT INTO recsys.experiment_state AS s (experiment, closed_until, signature, failure)"
		" VALUES ($1, $2, '', $3) ON CONFLICT (experiment) DO UPDATE SET failure = EXCLUDED.failure",
		first_day(experiment), message);
	RecsysEndAsKeeper(&before);
}

typedef struct Refreshing
{
	const RecsysExperiment *experiment;
	int			days;
} Refreshing;

static void
refresh(void *arg)
{
	Refreshing *refreshing = arg;

	refreshing->days = refresh_experiment(refreshing->experiment, DT_NOEND);
}

/* One that fails leaves nothing behind; has it summed anything? */
static bool
try_refresh(const RecsysExperiment *experiment)
{
	Refreshing	refreshing = {.experiment = experiment};
	ErrorData  *error = RecsysGuardCatch(refresh, &refreshing, RecsysIsOfStep);

	if (error == NULL)
		return refreshing.days > 0;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("experiment \"%s\" could not be brought up to date: %s", experiment->name, error->message),
			 error->context != NULL ? errdetail_internal("%s", error->context) : 0));
	note_failure(experiment, error->message);
	FreeErrorData(error);
	return false;
}

/* What dropped experiments have left */
static void
drop_leftovers(void)
{
	static const char *const tables[] = {"unit", "sums", "day"};
	RecsysRights before;

	RecsysBeginAsKeeper(&before);
	for (int i = 0; i < (int) lengthof(tables); i++)
		(void) RecsysKeeperQuery(RecsysHere(psprintf("DELETE FROM recsys.experiment_%s AS o WHERE experiment IN"
													 " (SELECT experiment FROM recsys.experiment_day EXCEPT SELECT name FROM recsys.experiment)",
													 tables[i])), 0, NULL, NULL, NULL, false);
	(void) RecsysKeeperQuery(RecsysHere("DELETE FROM recsys.experiment_state WHERE experiment NOT IN (SELECT name FROM recsys.experiment)"),
							 0, NULL, NULL, NULL, false);
	RecsysEndAsKeeper(&before);
}

int
RecsysRefreshExperiments(void)
{
	List	   *experiments = RecsysAllExperiments(GetActiveSnapshot());
	ListCell   *cell;
	int			done = 0;

	drop_leftovers();
	foreach(cell, experiments)
	{
		const RecsysExperiment *experiment = lfirst(cell);

		if (experiment->started_at > GetCurrentTimestamp() || experiment->interleaved)
			continue;
		done += try_refresh(experiment);
	}
	return done;
}

/* Arguments: name, since */
Datum
recsys_refresh_experiment(PG_FUNCTION_ARGS)
{
	const char *name = RecsysArgQuery(fcinfo, 0, "name");
	RecsysExperiment *experiment;

	PreventCommandDuringRecovery("recsys.refresh_experiment()");
	PreventCommandIfReadOnly("recsys.refresh_experiment()");
	PreventCommandIfParallelMode("recsys.refresh_experiment()");
	RecsysNeedLogHere("recsys.refresh_experiment()");
	experiment = RecsysNeedExperiment(name);
	(void) RecsysNeedExperimentOwner(experiment);
	PG_RETURN_INT32(refresh_experiment(experiment, PG_ARGISNULL(1) ? DT_NOEND :
											PG_GETARG_TIMESTAMPTZ(1)));
}
