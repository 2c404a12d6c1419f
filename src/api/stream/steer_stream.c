/*
 * steer_stream.c
 *	  recsys.pause_stream(), recsys.resume_stream(), recsys.seek_stream(), recsys.purge_stream_errors().
 *
 * Whoever has claimed a partition is shut out first, so that what is said here holds from the moment that
 * it is committed.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/call/commands.h"
#include "api/declare/jsonfields.h"
#include "api/keep/keeper.h"
#include "api/stream/streamrow.h"
#include "api/stream/streamseek.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_pause_stream);
PG_FUNCTION_INFO_V1(recsys_resume_stream);
PG_FUNCTION_INFO_V1(recsys_seek_stream);
PG_FUNCTION_INFO_V1(recsys_purge_stream_errors);

static char *
begin_command(FunctionCallInfo fcinfo, const char *command, LOCKMODE lock, RecsysStreamRow *row)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");

	RecsysRefuseInRecovery(command);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	RecsysNeedStream(name, lock, row);
	return name;
}

Datum
recsys_pause_stream(PG_FUNCTION_ARGS)
{
	RecsysStreamRow row;
	char	   *name = begin_command(fcinfo, "recsys.pause_stream()", ExclusiveLock, &row);

	if (strcmp(row.state, "paused") == 0)
	{
		ereport(NOTICE,
				(errmsg("stream \"%s\" is paused already", name)));
		PG_RETURN_VOID();
	}
	RecsysFenceStream(name);
	RecsysSetStreamState(name, "paused", NULL);
	RecsysNotifyStream(name);
	PG_RETURN_VOID();
}

static void
run(const char *command, int n, Oid *types, Datum *values, const char *nulls, uint64 *count)
{
	RecsysRights before;

	RecsysBeginAsOwnerOf("stream", &before);
	*count = RecsysKeeperQuery(command, n, types, values, nulls, false);
	RecsysEndAsKeeper(&before);
}

Datum
recsys_resume_stream(PG_FUNCTION_ARGS)
{
	RecsysStreamRow row;
	char	   *name = begin_command(fcinfo, "recsys.resume_stream()", ExclusiveLock, &row);
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	uint64		count;

	if (strcmp(row.state, "running") == 0)
	{
		ereport(NOTICE,
				(errmsg("stream \"%s\" is running already", name)));
		PG_RETURN_VOID();
	}
	run("WITH all_of_them AS (SELECT topic, partition FROM recsys.stream_partition"
		" WHERE stream = $1 AND rejected_since IS NOT NULL ORDER BY topic, partition FOR UPDATE)"
		" UPDATE recsys.stream_partition p SET rejected_since = NULL, rejected_lately = 0 FROM all_of_them a"
		" WHERE p.stream = $1 AND p.topic = a.topic AND p.partition = a.partition",
		1, &type, &value, NULL, &count);
	RecsysSetStreamState(name, "running", NULL);
	RecsysNotifyStream(name);
	PG_RETURN_VOID();
}

/* Exactly one of the two says where; an offset is of a partition. */
static void
check_seek(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(2) == PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("either at or next_offset must be given"),
				 errhint("A time is for all partitions or one, an offset for one: SELECT recsys.seek_stream(%s, partition => 0, next_offset => 0);",
						 quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(0))))));
	if (!PG_ARGISNULL(3) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an offset is of one partition"),
				 errhint("SELECT recsys.seek_stream(%s, partition => 0, next_offset => %lld);",
						 quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(0))),
						 (long long) PG_GETARG_INT64(3))));
	if (!PG_ARGISNULL(3) && PG_GETARG_INT64(3) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("next_offset must not be negative")));
	if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partition must not be negative")));
}

/*
 * What was read last says nothing of what comes next.  Who has claimed the partition has to do so anew; a
 * partition that no consumer has seen yet begins there when it is.
 */
#define SEEK \
	"SET epoch = GREATEST(p.epoch + 1, (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint)," \
	" consumer = NULL, next_offset = $4, seek = $5, last_offset = NULL, last_timestamp = NULL, last_checksum = NULL," \
	" state = 'active', message = NULL, message_at = NULL, changed_at = pg_catalog.clock_timestamp()"

Datum
recsys_seek_stream(PG_FUNCTION_ARGS)
{
	RecsysStreamRow row;
	char	   *name = begin_command(fcinfo, "recsys.seek_stream()", ExclusiveLock, &row);
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID, TEXTOID};
	Datum		values[5] = {0};
	char		nulls[] = "  nnn";
	uint64		count;

	check_seek(fcinfo);
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(RecsysJsonText(&row.definition->root, "topic"));
	if (!PG_ARGISNULL(1))
	{
		values[2] = PG_GETARG_DATUM(1);
		nulls[2] = ' ';
	}
	if (!PG_ARGISNULL(3))
	{
		values[3] = PG_GETARG_DATUM(3);
		nulls[3] = ' ';
	}
	else
	{
		values[4] = CStringGetTextDatum(RecsysStreamSeekAt(PG_GETARG_TIMESTAMPTZ(2)));
		nulls[4] = ' ';
	}
	if (PG_ARGISNULL(1))
	{
		run("WITH all_of_them AS (SELECT partition FROM recsys.stream_partition"
			" WHERE stream = $1 AND topic = $2 ORDER BY partition FOR UPDATE)"
			" UPDATE recsys.stream_partition p " SEEK " FROM all_of_them a"
			" WHERE p.stream = $1 AND p.topic = $2 AND p.partition = a.partition", 5, types, values, nulls, &count);
		if (count == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("stream \"%s\" has not seen its topic yet", name),
					 errhint("Say where it is to start: SELECT recsys.alter_stream(%s, start => 'latest');",
							 quote_literal_cstr(name))));
	}
	else
		run("INSERT INTO recsys.stream_partition AS p (stream, topic, partition, next_offset, seek, registered, changed_at)"
			" VALUES ($1, $2, $3, $4, $5, false, pg_catalog.clock_timestamp())"
			" ON CONFLICT (stream, topic, partition) DO UPDATE " SEEK, 5, types, values, nulls, &count);
	RecsysNotifyStream(name);
	PG_RETURN_VOID();
}

Datum
recsys_purge_stream_errors(PG_FUNCTION_ARGS)
{
	RecsysStreamRow row;
	char	   *name = begin_command(fcinfo, "recsys.purge_stream_errors()", NoLock, &row);
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID};
	Datum		values[2];
	uint64		count;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("before must not be NULL")));
	values[0] = CStringGetTextDatum(name);
	values[1] = PG_GETARG_DATUM(1);
	run("DELETE FROM recsys.stream_error WHERE stream = $1 AND rejected_at < $2", 2, types, values, NULL, &count);
	PG_RETURN_INT64((int64) count);
}
