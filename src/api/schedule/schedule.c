/*
 * schedule.c
 *	  recsys.schedule() and recsys.unschedule(): what has to be done for a recommender now and
 *	  then, as jobs of pg_cron.
 *
 * Each job is one statement, the same each time: what is due is found when it runs.  Where pg_cron
 * cannot be used from here the answer is the same, without numbers of jobs, and has for each the
 * line or the statement that makes it elsewhere.
 */
#include "postgres.h"

#include "am/write/wake.h"
#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/keep/keeper.h"
#include "api/schedule/cron.h"
#include "api/schedule/jobtext.h"
#include "api/schedule/scheduledindexes.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "worker/maintainer.h"

PG_FUNCTION_INFO_V1(recsys_schedule);
PG_FUNCTION_INFO_V1(recsys_unschedule);

/* The kinds of jobs, in the order of the function's arguments, which their names end with */
typedef enum JobKind
{
	JOB_REFRESH,
	JOB_REINDEX,
	JOB_MERGE,
	JOB_MAINTAIN,
	JOB_VACUUM,
	JOB_KINDS
} JobKind;

static const char *const kind_names[JOB_KINDS] = {"refresh", "reindex", "merge", "maintain", "vacuum"};

typedef struct Scheduling
{
	RecsysScheduled scheduled;
	RecsysCron	cron;
	double		max_staleness;
	bool		never;			/* staleness alone is no reason */
	ReturnSetInfo *result;
	StringInfoData lines;		/* what is to be done elsewhere, for the NOTICE */
} Scheduling;

/*
 * VACUUM of the tables that the caller may vacuum; NULL: there are none.  It must not wait for a table's
 * lock: ANALYZE does so with a snapshot, for which a REINDEX CONCURRENTLY that has the lock would wait.
 */
static char *
vacuum_command(const List *relations)
{
	StringInfoData command;
	ListCell   *cell;
	int			count = 0;

	initStringInfo(&command);
	foreach(cell, relations)
	{
		Oid			table = lfirst_oid(cell);
		char		kind = get_rel_relkind(table);

		if ((kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE) ||
			!(RECSYS_OWNS_RELATION(table) || RECSYS_MAY_MAINTAIN(table)))
			continue;
		appendStringInfo(&command, "%s%s", count++ == 0 ? "VACUUM (ANALYZE, SKIP_LOCKED) " : ", ", RecsysKeptName(table));
	}
	return count > 0 ? command.data : NULL;
}

/* The statement of a job; NULL, and why, where there is no need of it. */
static char *
job_command(const Scheduling *scheduling, JobKind kind, const char **why)
{
	char	   *name = quote_literal_cstr(scheduling->scheduled.name);
	char	   *command = NULL;

	switch (kind)
	{
		case JOB_REFRESH:
			return psprintf("CALL recsys.refresh(%s)", name);
		case JOB_REINDEX:
			return psprintf("CALL recsys.reindex(%s, %s)", name, scheduling->never ? "NULL" :
							DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(scheduling->max_staleness))));
		case JOB_MERGE:
			if (!RecsysIsPreloaded() || RecsysMergeInterval == 0)
				return psprintf("SELECT * FROM recsys.merge_pending(%s)", name);
			*why = "not needed: the background worker merges";
			return NULL;
		case JOB_MAINTAIN:
			if (!RecsysIsKeeper())
				*why = "not yours: recsys.maintain is for the owner of the extension";
			else if (RecsysIsPreloaded() && RecsysMaintainInterval > 0)
				*why = "not needed: the background worker does it";
			else
				command = pstrdup("SELECT * FROM recsys.maintain()");
			return command;
		case JOB_VACUUM:
			command = vacuum_command(scheduling->scheduled.relations);
			if (command == NULL)
				*why = "not yours: the tables belong to others";
			return command;
		default:
			return NULL;
	}
}

static void
put_text(Datum *values, bool *isnull, int column, const char *text)
{
	isnull[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
put_job(const Scheduling *scheduling, const char *job, const char *schedule, const char *command,
		int64 number, const char *note)
{
	Datum		values[5];
	bool		isnull[5];

	put_text(values, isnull, 0, job);
	put_text(values, isnull, 1, schedule);
	put_text(values, isnull, 2, command);
	values[3] = Int64GetDatum(number);
	isnull[3] = number == 0;
	put_text(values, isnull, 4, note);
	tuplestore_putvalues(scheduling->result->setResult, scheduling->result->setDesc, values, isnull);
}

/* Where there is no pg_cron here: what to run elsewhere instead */
static char *
note_elsewhere(Scheduling *scheduling, const char *job, const char *schedule, const char *command)
{
	const char *database = get_database_name(MyDatabaseId);
	char	   *note;

	if (scheduling->cron.place == RECSYS_CRON_ELSEWHERE)
		note = RecsysCronStatement(job, schedule, command, database);
	else
		note = RecsysCrontabLine(schedule, command, database);
	if (note != NULL)
		appendStringInfo(&scheduling->lines, "%s%s", scheduling->lines.len > 0 ? "\n" : "", note);
	return note;
}

/* One job: written, or replaced, or taken away; and the row that tells. */
static void
do_job(Scheduling *scheduling, JobKind kind, const char *schedule)
{
	char	   *job = RecsysJobName(scheduling->scheduled.name, kind_names[kind]);
	const char *why = NULL;
	char	   *command;
	bool		here = scheduling->cron.place == RECSYS_CRON_HERE;
	int64		number = 0;
	char	   *note;

	if (schedule == NULL)
	{
		if (here)
			(void) RecsysCronUnschedule(job);
		return;
	}
	command = job_command(scheduling, kind, &why);
	if (command == NULL)
	{
		if (here)
			(void) RecsysCronUnschedule(job);
		put_job(scheduling, job, NULL, NULL, 0, why);
		return;
	}
	if (here)
	{
		number = RecsysCronSchedule(job, schedule, command);
		note = psprintf("times are of %s", scheduling->cron.clock);
	}
	else
		note = note_elsewhere(scheduling, job, schedule, command);
	put_job(scheduling, job, schedule, command, number, note);
}

static void
tell_of_cron(const Scheduling *scheduling)
{
	const RecsysCron *cron = &scheduling->cron;

	switch (cron->place)
	{
		case RECSYS_CRON_HERE:
			break;
		case RECSYS_CRON_NONE:
			ereport(NOTICE,
					(errmsg("nothing is scheduled: the server runs without pg_cron"),
					 errdetail("%s", scheduling->lines.data),
					 errhint("Put these lines into the crontab of a user of the operating system who may connect as role \"%s\", or install pg_cron and call this again.",
							 GetUserNameFromId(GetUserId(), false))));
			break;
		case RECSYS_CRON_ELSEWHERE:
			ereport(NOTICE,
					(errmsg("nothing is scheduled: pg_cron takes its jobs from database \"%s\"", cron->database),
					 errdetail("%s", scheduling->lines.data),
					 errhint("Run these statements in database \"%s\", as a superuser.", cron->database)));
			break;
		case RECSYS_CRON_NOT_CREATED:
			ereport(NOTICE,
					(errmsg("nothing is scheduled: extension pg_cron is not installed in this database, or is older than 1.4"),
					 errhint("As a superuser: CREATE EXTENSION pg_cron; then call this again.")));
			break;
		case RECSYS_CRON_REFUSED:
			ereport(NOTICE,
					(errmsg("nothing is scheduled: role \"%s\" may not use pg_cron",
							GetUserNameFromId(GetUserId(), false)),
					 errhint("As a superuser: GRANT USAGE ON SCHEMA cron TO %s; then call this again.",
							 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
			break;
	}
}

/* The schedules of the arguments; NULL: no such job */
static void
read_schedules(FunctionCallInfo fcinfo, const char **schedules)
{
	for (int kind = 0; kind < JOB_KINDS; kind++)
	{
		schedules[kind] = RecsysArgText(fcinfo, 1 + kind);
		if (schedules[kind] != NULL)
			RecsysCheckSchedule(kind_names[kind], schedules[kind]);
	}
}

static void
begin(Scheduling *scheduling, FunctionCallInfo fcinfo, const char *function)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "recommender");

	RecsysRefuseInRecovery(function);
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	RecsysFindScheduled(name, &scheduling->scheduled);
	RecsysFindCron(&scheduling->cron);
	initStringInfo(&scheduling->lines);
}

Datum
recsys_schedule(PG_FUNCTION_ARGS)
{
	Scheduling	scheduling = {0};
	const char *schedules[JOB_KINDS];
	int			nestlevel;

	begin(&scheduling, fcinfo, "recsys.schedule()");
	read_schedules(fcinfo, schedules);
	scheduling.never = PG_ARGISNULL(1 + JOB_KINDS);
	if (!scheduling.never)
		scheduling.max_staleness = RecsysArgDouble(fcinfo, 1 + JOB_KINDS, "max_staleness", 0, 1);
	InitMaterializedSRF(fcinfo, 0);
	scheduling.result = (ReturnSetInfo *) fcinfo->resultinfo;

	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int kind = 0; kind < JOB_KINDS; kind++)
		do_job(&scheduling, kind, schedules[kind]);
	tell_of_cron(&scheduling);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	return (Datum) 0;
}

/* Returns how many jobs there were. */
Datum
recsys_unschedule(PG_FUNCTION_ARGS)
{
	const char *name = RecsysMarkedName(RecsysArgQuery(fcinfo, 0, "recommender"));
	RecsysCron	cron;
	int64		count = 0;
	int			nestlevel;

	RecsysRefuseInRecovery("recsys.unschedule()");
	PreventCommandIfReadOnly("recsys.unschedule()");
	PreventCommandIfParallelMode("recsys.unschedule()");
	RecsysFindCron(&cron);
	if (cron.place != RECSYS_CRON_HERE)
		PG_RETURN_INT64(0);
	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int kind = 0; kind < JOB_KINDS; kind++)
		count += RecsysCronUnschedule(RecsysJobName(name, kind_names[kind]));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	PG_RETURN_INT64(count);
}
