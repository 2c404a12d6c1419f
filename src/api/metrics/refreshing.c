/*
 * refreshing.c
 *	  Metrics of the business: from the log to the tables that the views of recsys.metrics_… read.
 *
 * A day is deleted and inserted anew in one transaction, so readers see the old figures until the
 * new ones are complete, and wait for nobody.  One refresh runs at a time; whoever comes meanwhile
 * leaves it to that.  All statements of a refresh have one snapshot: figures of a day agree with
 * each other whatever is logged meanwhile.
 *
 * Which days: those that the log has requests of, from the first one on that is not final or not
 * known yet.  A day is final once the attribution window of its last request had passed when it was
 * computed.  Of a day that the log has nothing of any more the figures stay.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "api/declare/declaredrows.h"
#include "api/keep/keeper.h"
#include "api/log/wholelog.h"
#include "api/metrics/attributedrows.h"
#include "api/metrics/dayqueries.h"
#include "api/keep/namedrows.h"
#include "api/metrics/ephemeral.h"
#include "api/metrics/itemattributes.h"
#include "api/metrics/refreshing.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(recsys_refresh_metrics);

/* A relation that the statements of the keeper see */
typedef struct NamedRows
{
	const char *name;
	Tuplestorestate *rows;
} NamedRows;

typedef struct Day
{
	TimestampTz from;
	TimestampTz until;
	bool		was_closed;		/* when it was computed last */
} Day;

typedef struct Refresh
{
	Snapshot	snapshot;
	TimestampTz now;
	RecsysOrderSources *sources;
	Datum		window;			/* an interval: a day is final so long after its end */
	Day		   *days;
	int			ndays;

	/* orders are known of these experiments, and amounts; or of all requests */
	Datum		with_orders;
	Datum		with_amounts;
	bool		all_orders;
	bool		all_amounts;
	NamedRows	attributes;
	NamedRows	attributed;
} Refresh;

/* Runs a statement, its own changes before included; nothing is kept of its rows. */
static uint64
run(const Refresh *refresh, const char *statement, int nargs, Oid *types, Datum *values,
	const char *nulls)
{
	SPIPlanPtr	plan = SPI_prepare(RecsysHere(statement), nargs, types);
	int			result;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	result = SPI_execute_snapshot(plan, values, nulls, refresh->snapshot, InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
	return SPI_processed;
}

/* The rows of a query as a relation of that name */
static void
name_query(const Refresh *refresh, const char *name, const char *query, int nargs, Oid *types,
		   Datum *values, const char *nulls, NamedRows *named)
{
	SPIPlanPtr	plan = SPI_prepare(RecsysHere(query), nargs, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	named->name = name;
	named->rows = RecsysBeginRows();
	RecsysAddRows(named->rows, plan, values, nulls, refresh->snapshot);
	RecsysNameRows(name, named->rows, RecsysPlanDescriptor(plan),
				   (double) tuplestore_tuple_count(named->rows));
	SPI_freeplan(plan);
}

static void
find_sources(Refresh *refresh)
{
	Interval   *window = palloc0(sizeof(Interval));

	refresh->sources = RecsysFindOrderSources(refresh->snapshot);
	window->time = RecsysOrderWindow(refresh->sources);
	refresh->window = IntervalPGetDatum(window);
}

/*
 * $1 computed again from there on, or NULL; $2 also those computed today already; $3 now.  Days that
 * are due are closed ones of which not all orders are known, and the open one.
 */
static const char days_query[] =
"WITH known AS (SELECT COALESCE(min(day) FILTER (WHERE NOT is_final), max(day) + 1, '-infinity') AS next"
" FROM recsys.metrics_day),"
" there AS (SELECT DISTINCT (r.time AT TIME ZONE 'UTC')::date AS day FROM recsys.request_log AS r"
" WHERE r.time >= (SELECT LEAST(next, ($1 AT TIME ZONE 'UTC')::date)::timestamp AT TIME ZONE 'UTC' FROM known)"
" AND r.time < ((($3 AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC'))"
" SELECT t.day::timestamp AT TIME ZONE 'UTC', (t.day + 1)::timestamp AT TIME ZONE 'UTC',"
" COALESCE(m.refreshed_at >= (t.day + 1)::timestamp AT TIME ZONE 'UTC', false)"
" FROM there AS t LEFT JOIN recsys.metrics_day AS m ON m.day = t.day"
" WHERE m.day IS NULL OR t.day >= ($1 AT TIME ZONE 'UTC')::date OR t.day = ($3 AT TIME ZONE 'UTC')::date"
" OR (NOT m.is_final AND ($2 OR m.refreshed_at < (($3 AT TIME ZONE 'UTC')::date)::timestamp AT TIME ZONE 'UTC'))"
" ORDER BY 1";

static void
find_days(Refresh *refresh, RecsysRefreshScope scope, TimestampTz since)
{
	Oid			types[] = {TIMESTAMPTZOID, BOOLOID, TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(since), BoolGetDatum(scope == RECSYS_REFRESH_OPEN),
		TimestampTzGetDatum(refresh->now)};
	char		nulls[] = {TIMESTAMP_IS_NOBEGIN(since) ? 'n' : ' ', ' ', ' ', '\0'};

	refresh->ndays = (int) run(refresh, days_query, lengthof(types), types, values, nulls);
	refresh->days = palloc(sizeof(Day) * Max(refresh->ndays, 1));
	for (int i = 0; i < refresh->ndays; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		refresh->days[i].from = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 1, &isnull));
		refresh->days[i].until = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2, &isnull));
		refresh->days[i].was_closed = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
	}
}

static void
name_attributes(Refresh *refresh)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(refresh->days[0].from),
		TimestampTzGetDatum(refresh->days[refresh->ndays - 1].until)};
	List	   *names = NIL;

	(void) run(refresh, "SELECT DISTINCT recommender FROM recsys.request_log WHERE time >= $1 AND time < $2"
			   " AND recommender IS NOT NULL ORDER BY 1",
			   lengthof(types), types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	refresh->attributes.name = "attributes";
	refresh->attributes.rows = RecsysRegisterAttributes(names, refresh->snapshot);
}

/* What has been bought because of the requests of all these days */
static void
name_attributed(Refresh *refresh)
{
	refresh->attributed.name = "attributed";
	refresh->attributed.rows = RecsysNameAttributed(refresh->sources, refresh->days[0].from, refresh->now,
													refresh->snapshot,
													&refresh->with_orders, &refresh->all_orders,
													&refresh->with_amounts, &refresh->all_amounts);
}

static void
note_day(const Refresh *refresh, const Day *day)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID};
	Datum		values[] = {TimestampTzGetDatum(day->from), TimestampTzGetDatum(day->until),
		TimestampTzGetDatum(refresh->now), refresh->window};

	(void) run(refresh, "INSERT INTO recsys.metrics_day AS m (day, refreshed_at, is_final)"
			   " VALUES (($1 AT TIME ZONE 'UTC')::date, $3, $2 + $4 <= $3)"
			   " ON CONFLICT (day) DO UPDATE SET refreshed_at = excluded.refreshed_at, is_final = excluded.is_final",
			   lengthof(types), types, values, NULL);
}

static void
compute_day(const Refresh *refresh, const Day *day)
{
	Datum		values[RECSYS_DAY_PARAMETERS];
	char		nulls[RECSYS_DAY_PARAMETERS + 1] = "     ";
	NamedRows	results;

	values[RECSYS_DAY_FROM] = TimestampTzGetDatum(day->from);
	values[RECSYS_DAY_UNTIL] = TimestampTzGetDatum(day->until);
	values[RECSYS_DAY_KEEPS] = BoolGetDatum(day->was_closed);
	values[RECSYS_DAY_WITH_ORDERS] = refresh->with_orders;
	values[RECSYS_DAY_WITH_AMOUNTS] = refresh->with_amounts;
	if (refresh->all_orders)
		nulls[RECSYS_DAY_WITH_ORDERS] = 'n';
	if (refresh->all_amounts)
		nulls[RECSYS_DAY_WITH_AMOUNTS] = 'n';
	name_query(refresh, "results", RecsysDayResults, RECSYS_DAY_PARAMETERS, RecsysDayTypes, values, nulls,
			   &results);
	for (int i = 0; i < RecsysDayStatementCount; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) run(refresh, RecsysDayStatements[i], RECSYS_DAY_PARAMETERS, RecsysDayTypes, values, nulls);
	}
	note_day(refresh, day);
	RecsysForgetRows(results.name, results.rows);
}

/*
 * Days that the log has nothing of any more, whose orders will be known no better; and rows of items
 * and hours, which are many, go with the log.
 */
static void
tidy_up(const Refresh *refresh)
{
	Oid			types[] = {TIMESTAMPTZOID, INTERVALOID};
	Datum		values[] = {TimestampTzGetDatum(refresh->now), refresh->window};

	(void) run(refresh, "UPDATE recsys.metrics_day SET is_final = true WHERE NOT is_final"
			   " AND refreshed_at < $1 AND (day + 1)::timestamp AT TIME ZONE 'UTC' + $2 <= $1"
			   " AND NOT EXISTS (SELECT FROM recsys.request_log AS r WHERE r.time >= day::timestamp AT TIME ZONE 'UTC'"
			   " AND r.time < (day + 1)::timestamp AT TIME ZONE 'UTC')",
			   lengthof(types), types, values, NULL);
	(void) run(refresh, "DELETE FROM recsys.daily_item USING recsys.log_setting AS s WHERE time < $1 - s.retention",
			   lengthof(types), types, values, NULL);
	(void) run(refresh, "DELETE FROM recsys.hourly_request USING recsys.log_setting AS s WHERE time < $1 - s.retention",
			   lengthof(types), types, values, NULL);
}

/* Of a log of several nodes all that may be looked at; it is cut to the days that are due */
static void
fetch_log(const Refresh *refresh, TimestampTz since)
{
	RecsysLogExtent extent = {.until = refresh->now + USECS_PER_DAY};
	bool		isnull;

	(void) run(refresh, "SELECT COALESCE(min(day) FILTER (WHERE NOT is_final), max(day) + 1, '-infinity')::timestamp"
			   " AT TIME ZONE 'UTC' FROM recsys.metrics_day", 0, NULL, NULL, NULL);
	extent.from = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (!TIMESTAMP_IS_NOBEGIN(since))
		extent.from = Min(extent.from, since);

	/* purchases of the first day may be of requests before it */
	if (!TIMESTAMP_IS_NOBEGIN(extent.from))
		extent.from -= RecsysOrderWindow(refresh->sources);
	RecsysBeginWholeLog(&extent);
}

static int
refresh_days(RecsysRefreshScope scope, TimestampTz since)
{
	Refresh		refresh = {.now = GetCurrentTimestamp()};

	refresh.snapshot = RegisterSnapshot(GetTransactionSnapshot());
	find_sources(&refresh);
	if (RecsysLogIsShared())
		fetch_log(&refresh, since);
	find_days(&refresh, scope, since);
	if (refresh.ndays > 0)
	{
		name_attributes(&refresh);
		name_attributed(&refresh);
	}
	for (int i = 0; i < refresh.ndays; i++)
		compute_day(&refresh, &refresh.days[i]);
	if (refresh.ndays > 0)
	{
		RecsysForgetRows(refresh.attributes.name, refresh.attributes.rows);
		RecsysForgetRows(refresh.attributed.name, refresh.attributed.rows);
	}
	tidy_up(&refresh);
	RecsysEndWholeLog();
	UnregisterSnapshot(refresh.snapshot);
	return refresh.ndays;
}

/* Nobody else takes locks of this kind. */
static bool
lock_refresh(void)
{
	return ConditionalLockDatabaseObject(RecsysShopTable("metrics_day"), 0, 0, ExclusiveLock);
}

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Until the keeper's turn ends: as for other maintenance, memory is that of maintenance_work_mem; and
 * compiling statements that are run once a day takes longer than what it saves.
 */
static void
set_for_maintenance(void)
{
	set("work_mem", psprintf("%d", Max(maintenance_work_mem, work_mem)));
	set("jit", "off");
}

int
RecsysRefreshMetrics(RecsysRefreshScope scope, TimestampTz since)
{
	RecsysRights before;
	int			days;

	if (!lock_refresh())
		return -1;
	RecsysBeginAsKeeper(&before);
	set_for_maintenance();
	days = refresh_days(scope, since);
	RecsysEndAsKeeper(&before);
	return days;
}

/* Argument: since */
Datum
recsys_refresh_metrics(PG_FUNCTION_ARGS)
{
	TimestampTz since = DT_NOBEGIN;
	int			days;

	PreventCommandIfReadOnly("recsys.refresh_metrics()");
	PreventCommandIfParallelMode("recsys.refresh_metrics()");
	RecsysNeedKeeper("recsys.refresh_metrics");
	RecsysNeedLogHere("recsys.refresh_metrics()");
	if (!PG_ARGISNULL(0))
	{
		DateADT		date = PG_GETARG_DATEADT(0);

		/* the first day of the log, at the earliest */
		since = DATE_IS_NOBEGIN(date) || date < 0 ? 0 :
			DATE_IS_NOEND(date) ? DT_NOEND : (TimestampTz) date * USECS_PER_DAY;
	}
	days = RecsysRefreshMetrics(RECSYS_REFRESH_OPEN, since);
	if (days < 0)
	{
		ereport(NOTICE, (errmsg("another session is refreshing the metrics")));
		PG_RETURN_NULL();
	}
	PG_RETURN_INT64(days);
}
