/*
 * cron.c
 *	  pg_cron, if it is there: jobs of the current user in this database.
 *
 * Its functions are called with the rights of who schedules, often a superuser's.  So a schema "cron"
 * that somebody else has made is none: what is called has to be a member of the extension, which only
 * a superuser can install.
 */
#include "postgres.h"

#include "api/declare/names.h"
#include "api/schedule/cron.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(recsys_scheduled_jobs);

/* Is there this function in its schema, and is it the extension's? */
static bool
has_function(Oid extension, Oid schema, const char *name, const Oid *types, int ntypes)
{
	oidvector  *arguments = buildoidvector(types, ntypes);
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
										   PointerGetDatum(arguments), ObjectIdGetDatum(schema));

	return OidIsValid(function) && getExtensionOfObject(ProcedureRelationId, function) == extension;
}

static bool
has_table(Oid extension, Oid schema, const char *name)
{
	Oid			table = get_relname_relid(name, schema);

	return OidIsValid(table) && getExtensionOfObject(RelationRelationId, table) == extension;
}

/* The extension as it is known from version 1.4 on */
static bool
is_created(void)
{
	static const Oid texts[] = {TEXTOID, TEXTOID, TEXTOID};
	static const Oid number[] = {INT8OID};
	Oid			extension = get_extension_oid("pg_cron", true);
	Oid			schema = get_namespace_oid("cron", true);

	return OidIsValid(extension) && OidIsValid(schema) &&
		has_function(extension, schema, "schedule", texts, lengthof(texts)) &&
		has_function(extension, schema, "unschedule", number, lengthof(number)) &&
		has_table(extension, schema, "job") && has_table(extension, schema, "job_run_details");
}

static bool
may_use(void)
{
	Oid			schema = get_namespace_oid("cron", true);

	return OidIsValid(schema) && RECSYS_SCHEMA_ACLCHECK(schema, ACL_USAGE) == ACLCHECK_OK;
}

/* Settings of pg_cron are shown to superusers; to which database it belongs is no secret of theirs. */
static const char *
setting(const char *name)
{
	return GetConfigOption(name, true, false);
}

void
RecsysFindCron(RecsysCron *cron)
{
	const char *here = get_database_name(MyDatabaseId);

	cron->database = setting("cron.database_name");
	cron->clock = setting("cron.timezone");
	if (cron->clock == NULL)
		cron->clock = "GMT";
	if (cron->database == NULL)
		cron->place = RECSYS_CRON_NONE;
	else if (here == NULL || strcmp(cron->database, here) != 0)
		cron->place = RECSYS_CRON_ELSEWHERE;
	else if (!is_created())
		cron->place = RECSYS_CRON_NOT_CREATED;
	else
		cron->place = may_use() ? RECSYS_CRON_HERE : RECSYS_CRON_REFUSED;
}

static uint64
run(const char *query, int nargs, const char **arguments, bool read_only)
{
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3];
	int			result;

	for (int i = 0; i < nargs; i++)
		values[i] = CStringGetTextDatum(arguments[i]);
	result = SPI_execute_with_args(query, nargs, types, values, NULL, read_only, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* A job of that name and user in another database would be taken for this one, and become it in part. */
static void
check_elsewhere(const char *job)
{
	const char *arguments[1] = {job};

	if (run("SELECT j.database, j.jobid FROM cron.job j WHERE j.jobname = $1"
			" AND j.username = current_user AND j.database <> current_database()", 1, arguments, true) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("job \"%s\" of yours runs in database \"%s\"", job,
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("SELECT cron.unschedule(%s);",
						 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2))));
}

int64
RecsysCronSchedule(const char *job, const char *schedule, const char *command)
{
	const char *arguments[3] = {job, schedule, command};
	bool		isnull;
	Datum		number;

	check_elsewhere(job);
	if (run("SELECT cron.schedule($1, $2, $3)", 3, arguments, false) != 1)
		elog(ERROR, "pg_cron has given no number of job \"%s\"", job);
	number = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? 0 : DatumGetInt64(number);
}

bool
RecsysCronUnschedule(const char *job)
{
	const char *arguments[1] = {job};

	return run("SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.jobname = $1"
			   " AND j.username = current_user AND j.database = current_database()",
			   1, arguments, false) > 0;
}

/*
 * The jobs of this database that are about recsys, as rows of the view recsys.schedules.  The policies of
 * pg_cron's tables show everybody his own ones, and all of them to superusers.  The last run of each is
 * looked for in one pass: there is no index for it.
 */
#define JOBS_QUERY \
	"SELECT j.jobname::text, j.schedule, j.command, j.active, j.jobid," \
	" d.start_time, d.status, d.return_message, j.username::text" \
	" FROM cron.job j" \
	" LEFT JOIN (SELECT r.jobid, max(r.runid) AS runid FROM cron.job_run_details r" \
	" GROUP BY r.jobid) l ON l.jobid = j.jobid" \
	" LEFT JOIN cron.job_run_details d ON d.runid = l.runid" \
	" WHERE j.database = current_database()" \
	" AND (j.jobname LIKE 'recsys %' OR j.command ~ '(^|[^A-Za-z0-9_])recsys[.]')"

static const Oid job_types[] = {TEXTOID, TEXTOID, TEXTOID, BOOLOID, INT8OID, TIMESTAMPTZOID,
TEXTOID, TEXTOID, TEXTOID};

/* Another version of pg_cron might have other types. */
static void
check_types(TupleDesc desc)
{
	for (int i = 0; i < (int) lengthof(job_types); i++)
		if (SPI_gettypeid(desc, i + 1) != job_types[i])
			elog(ERROR, "column %d of pg_cron's jobs has type %u", i + 1, SPI_gettypeid(desc, i + 1));
}

Datum
recsys_scheduled_jobs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysCron	cron;
	int			nestlevel;

	InitMaterializedSRF(fcinfo, 0);
	RecsysFindCron(&cron);
	if (cron.place != RECSYS_CRON_HERE)
		return (Datum) 0;
	nestlevel = RecsysBeginPlainNames();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) run(JOBS_QUERY, 0, NULL, true);
	check_types(SPI_tuptable->tupdesc);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[lengthof(job_types)];
		bool		isnull[lengthof(job_types)];

		for (int x = 0; x < (int) lengthof(job_types); x++)
			values[x] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, x + 1, &isnull[x]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndPlainNames(nestlevel);
	return (Datum) 0;
}
