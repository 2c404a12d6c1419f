/*
 * stream_claim.c
 *	  recsys.stream_register(), recsys.stream_claim(), recsys.stream_resolve(), recsys.stream_stop().
 *
 * Who claims a partition gives it a higher epoch, and waits for a transaction that is moving it on: what
 * that has written is then part of where the partition stands.  All others that had it fail when they
 * come to move it on, with their rows.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/keep/keeper.h"
#include "api/stream/streamarrays.h"
#include "api/stream/streamdefinition.h"
#include "api/stream/streamrow.h"
#include "api/stream/streamshape.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_stream_register);
PG_FUNCTION_INFO_V1(recsys_stream_claim);
PG_FUNCTION_INFO_V1(recsys_stream_resolve);
PG_FUNCTION_INFO_V1(recsys_stream_stop);

static SPIPlanPtr claim_plan = NULL;

/* The declaration that the caller goes by must be the one that there is. */
static void
check_version(FunctionCallInfo fcinfo, int argument, const RecsysStreamRow *row)
{
	if (!PG_ARGISNULL(argument) && PG_GETARG_INT64(argument) != row->version)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the declaration of stream \"%s\" has changed", row->name),
				 errhint("Read it again: SELECT * FROM recsys.stream_settings(%s);",
						 quote_literal_cstr(row->name))));
}

static char *
topic_of(const RecsysStreamRow *row)
{
	return RecsysJsonText(&row->definition->root, "topic");
}

/*
 * Rows of partitions that are not there; the first ones of a topic begin where the stream says.  Those that
 * somebody has sent somewhere before that begin there, and are not yet among them.
 */
static void
register_partitions(const RecsysStreamRow *row, const RecsysStreamArray *partitions, const int *order)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, TEXTOID};
	Datum		values[4];
	bool		first;

	values[0] = CStringGetTextDatum(row->name);
	values[1] = CStringGetTextDatum(topic_of(row));
	first = RecsysKeeperQuery("SELECT FROM recsys.stream_partition WHERE stream = $1 AND topic = $2 AND registered LIMIT 1",
							  2, types, values, NULL, false) == 0;
	values[3] = CStringGetTextDatum(first ? RecsysStreamStart(row->definition) : "earliest");
	for (int i = 0; i < partitions->n; i++)
	{
		values[2] = partitions->values[order[i]];
		(void) RecsysKeeperQuery("INSERT INTO recsys.stream_partition (stream, topic, partition, seek)"
								 " VALUES ($1, $2, $3, $4) ON CONFLICT (stream, topic, partition) DO UPDATE"
								 " SET registered = true WHERE NOT stream_partition.registered",
								 4, types, values, NULL, false);
	}
}

static void
read_partitions(FunctionCallInfo fcinfo, RecsysStreamArray *partitions)
{
	int			n = -1;

	RecsysArgStreamArray(fcinfo, 1, "partitions", INT4OID, false, &n, partitions);
	for (int i = 0; i < n; i++)
		if (DatumGetInt32(partitions->values[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("partitions must not be negative")));
}

Datum
recsys_stream_register(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	RecsysStreamRow row;
	RecsysStreamArray partitions;
	int		   *order;
	RecsysRights before;

	PreventCommandIfReadOnly("recsys.stream_register()");
	PreventCommandIfParallelMode("recsys.stream_register()");
	RecsysNeedStream(name, ExclusiveLock, &row);
	check_version(fcinfo, 2, &row);
	read_partitions(fcinfo, &partitions);
	order = RecsysPartitionOrder(&partitions);
	RecsysBeginAsOwnerOf("stream", &before);
	register_partitions(&row, &partitions, order);
	RecsysEndAsKeeper(&before);
	PG_RETURN_VOID();
}

/* Claims one; returns false if it has no row yet. */
static bool
claim(ReturnSetInfo *result, Datum *arguments)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID};
	Datum		values[8];
	bool		isnull[8];

	(void) RecsysKeeperPlan(&claim_plan,
							"UPDATE recsys.stream_partition SET consumer = $4,"
							" epoch = GREATEST(epoch + 1, (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint),"
							" claimed_at = pg_catalog.clock_timestamp(), seen_at = pg_catalog.clock_timestamp()"
							" WHERE stream = $1 AND topic = $2 AND partition = $3"
							" RETURNING partition, epoch, next_offset, seek, last_offset, last_timestamp, last_checksum,"
							" CASE WHEN $5 = 'running' THEN state ELSE $5 END",
							5, types);
	if (RecsysKeeperRun(claim_plan, arguments, NULL, false) == 0)
		return false;
	for (int column = 0; column < 8; column++)
		values[column] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column + 1, &isnull[column]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	return true;
}

Datum
recsys_stream_claim(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	char	   *consumer = RecsysArgQuery(fcinfo, 2, "consumer");
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecsysStreamRow row;
	RecsysStreamArray partitions;
	int		   *order;
	RecsysRights before;
	Datum		values[5];

	PreventCommandIfReadOnly("recsys.stream_claim()");
	PreventCommandIfParallelMode("recsys.stream_claim()");
	InitMaterializedSRF(fcinfo, 0);
	RecsysNeedStream(name, ShareLock, &row);
	check_version(fcinfo, 3, &row);
	read_partitions(fcinfo, &partitions);
	order = RecsysPartitionOrder(&partitions);
	(void) RecsysFindStreamTable(RecsysJsonText(&row.definition->root, "target"), "target");
	(void) RecsysStreamErrorTable(row.definition);
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(topic_of(&row));
	values[3] = CStringGetTextDatum(consumer);
	values[4] = CStringGetTextDatum(row.state);
	RecsysBeginAsOwnerOf("stream", &before);
	for (int i = 0; i < partitions.n; i++)
	{
		values[2] = partitions.values[order[i]];
		if (claim(result, values))
			continue;
		register_partitions(&row, &partitions, order);
		if (!claim(result, values))
			elog(ERROR, "partition %d of stream \"%s\" cannot be claimed", DatumGetInt32(values[2]), name);
	}
	RecsysEndAsKeeper(&before);
	return (Datum) 0;
}

static void
was_claimed(const char *name, int partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("partition %d of stream \"%s\" has been claimed anew", partition, name),
			 errdetail("Another consumer has it, or the stream was changed, paused or sent elsewhere.")));
}

/* Runs a command about a claimed partition, with one more parameter or two. */
static void
run_claimed(const char *command, const RecsysStreamRow *row, int partition, int64 epoch, Oid type, Datum value,
			const char *message)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID, type, TEXTOID};
	Datum		values[6] = {0};
	char		nulls[] = "     n";
	RecsysRights before;
	uint64		count;

	values[0] = CStringGetTextDatum(row->name);
	values[1] = CStringGetTextDatum(topic_of(row));
	values[2] = Int32GetDatum(partition);
	values[3] = Int64GetDatum(epoch);
	values[4] = value;
	if (message != NULL)
	{
		values[5] = CStringGetTextDatum(message);
		nulls[5] = ' ';
	}
	RecsysBeginAsOwnerOf("stream", &before);
	count = RecsysKeeperQuery(command, 6, types, values, nulls, false);
	RecsysEndAsKeeper(&before);
	if (count == 0)
		was_claimed(row->name, partition);
}

static void
need_arguments(FunctionCallInfo fcinfo, int first, int last, const char *const *names)
{
	for (int i = first; i <= last; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be NULL", names[i])));
}

Datum
recsys_stream_resolve(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"stream", "partition", "epoch", "next_offset"};
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	RecsysStreamRow row;

	PreventCommandIfReadOnly("recsys.stream_resolve()");
	PreventCommandIfParallelMode("recsys.stream_resolve()");
	need_arguments(fcinfo, 1, 3, names);
	RecsysNeedStream(name, NoLock, &row);
	run_claimed("UPDATE recsys.stream_partition SET next_offset = $5, seek = NULL,"
				" changed_at = pg_catalog.clock_timestamp()"
				" WHERE stream = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND next_offset IS NULL"
				" AND $6 IS NULL", &row, PG_GETARG_INT32(1), PG_GETARG_INT64(2), INT8OID, PG_GETARG_DATUM(3), NULL);
	PG_RETURN_VOID();
}

/* The stream as a whole has failed, as it was declared in that version. */
static void
stop_stream(FunctionCallInfo fcinfo, const char *name, const char *state, const char *message)
{
	static const char *const states[] = {"failed"};
	RecsysStreamRow row;

	RecsysCheckWord(state, "state", states, lengthof(states));
	RecsysNeedStream(name, ExclusiveLock, &row);
	check_version(fcinfo, 2, &row);
	RecsysSetStreamState(name, state, message);
}

/* A partition that has been claimed is lost, active after all, or given back. */
static void
stop_partition(FunctionCallInfo fcinfo, const char *name, char *state, const char *message)
{
	static const char *const states[] = {"active", "lost", "released"};
	RecsysStreamRow row;

	RecsysCheckWord(state, "state", states, lengthof(states));
	RecsysNeedStream(name, NoLock, &row);
	run_claimed("UPDATE recsys.stream_partition SET state = CASE WHEN $5 = 'released' THEN state ELSE $5 END,"
				" consumer = CASE WHEN $5 = 'released' THEN NULL ELSE consumer END,"
				" message = COALESCE($6, message),"
				" message_at = CASE WHEN $6 IS NULL THEN message_at ELSE pg_catalog.clock_timestamp() END,"
				" seen_at = pg_catalog.clock_timestamp()"
				" WHERE stream = $1 AND topic = $2 AND partition = $3 AND epoch = $4",
				&row, PG_GETARG_INT32(1), PG_GETARG_INT64(2), TEXTOID, CStringGetTextDatum(state), message);
}

Datum
recsys_stream_stop(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"stream", "partition", "epoch"};
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	char	   *state = RecsysArgQuery(fcinfo, 3, "state");
	char	   *message = RecsysArgText(fcinfo, 4);

	PreventCommandIfReadOnly("recsys.stream_stop()");
	PreventCommandIfParallelMode("recsys.stream_stop()");
	if (PG_ARGISNULL(1))
		stop_stream(fcinfo, name, state, message);
	else
	{
		need_arguments(fcinfo, 2, 2, names);
		stop_partition(fcinfo, name, state, message);
	}
	PG_RETURN_VOID();
}
