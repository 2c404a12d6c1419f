/*
 * maintainer.c
 *	  recsys.maintain() in the background.
 *
 * When it has run last stands in the database, so it does not matter who has run it: a worker that is
 * new in the database, one that has been here for long, or pg_cron.  It is called by SQL, with the
 * rights of its owner's tables, as its owner would.
 *
 * A database where it has never run is left alone for an interval: a dump may be on its way in, which
 * brings partitions and what experiments, bandits and metrics have, and would find them there.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "pgstat.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "worker/maintainer.h"

int			RecsysMaintainInterval = 3600;

/* The owner of the extension's tables; InvalidOid if there is nothing to maintain. */
static Oid
find_owner(void)
{
	Oid			schema = get_namespace_oid("recsys", true);
	Oid			table = OidIsValid(schema) ? get_relname_relid("maintenance", schema) : InvalidOid;
	HeapTuple	tuple;
	Oid			owner;

	if (!OidIsValid(table) ||
		!OidIsValid(LookupFuncName(list_make2(makeString("recsys"), makeString("maintain")), 0, NULL, true)))
		return InvalidOid;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* 0: never */
static TimestampTz
last_run(void)
{
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (SPI_execute("SELECT time FROM recsys.maintenance", true, 1) == SPI_OK_SELECT && SPI_processed > 0)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? 0 : DatumGetTimestampTz(value);
}

/* The first visit of a database */
static void
note_visit(void)
{
	if (SPI_execute("INSERT INTO recsys.maintenance (time) VALUES (pg_catalog.now()) ON CONFLICT DO NOTHING",
					false, 0) != SPI_OK_INSERT)
		elog(ERROR, "the visit could not be noted");
}

static void
log_rows(void)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *object = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		char	   *detail = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3);

		ereport(DEBUG1,
				(errmsg_internal("recsys.maintain: %s %s%s%s",
								 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
								 object == NULL ? "" : object, detail == NULL ? "" : ", ",
								 detail == NULL ? "" : detail)));
	}
}

/* In a transaction; returns when the next run is due. */
static TimestampTz
maintain(TimestampTz now)
{
	int64		interval = RecsysMaintainInterval * USECS_PER_SEC;
	Oid			owner = find_owner();
	Oid			caller;
	int			security;
	TimestampTz last;

	if (!OidIsValid(owner))
		return now + interval;
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION);
	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	last = last_run();
	if (last == 0)
	{
		note_visit();
		last = now;
	}
	else if (last + interval <= now)
	{
		pgstat_report_activity(STATE_RUNNING, "recsys: maintaining the log");
		if (SPI_execute("SELECT action, object, detail FROM recsys.maintain()", false, 0) != SPI_OK_SELECT)
			elog(ERROR, "recsys.maintain could not be run");
		log_rows();
		last = now;
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	SetUserIdAndSecContext(caller, security);
	return last + interval;
}

TimestampTz
RecsysMaintainIfDue(MemoryContext context)
{
	TimestampTz now = GetCurrentTimestamp();
	volatile TimestampTz next = now + RecsysMaintainInterval * USECS_PER_SEC;

	if (RecsysMaintainInterval == 0)
		return DT_NOEND;
	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		next = maintain(now);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("recsys.maintain has failed in the background: %s", error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0,
				 error->hint ? errhint("%s", error->hint) : 0));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return next;
}
