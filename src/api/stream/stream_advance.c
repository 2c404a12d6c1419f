/*
 * stream_advance.c
 *	  recsys.stream_advance(), recsys.stream_heartbeat(): partitions that move on, and signs of life.
 *
 * This is where each message comes to count once: the offset moves on in the transaction that writes the
 * rows, and only from where it was expected to be, for whoever has claimed the partition last.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/keep/keeper.h"
#include "api/stream/streamarrays.h"
#include "api/stream/streamrow.h"
#include "api/stream/streamshape.h"
#include "api/stream/streamthrottle.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_stream_advance);
PG_FUNCTION_INFO_V1(recsys_stream_heartbeat);

/* Places of the arguments of stream_advance */
typedef enum Argument
{
	STREAM,
	PARTITIONS,
	EPOCHS,
	EXPECTED,
	NEXT_OFFSETS,
	LAST_OFFSETS,
	LAST_TIMESTAMPS,
	LAST_CHECKSUMS,
	HIGH_WATERMARKS,
	MESSAGES,
	REJECTED,
	ROWS,
	ARGUMENTS
} Argument;

static SPIPlanPtr advance_plan = NULL;
static SPIPlanPtr heartbeat_plan = NULL;
static SPIPlanPtr rejected_plan = NULL;

/*
 * Parameters are those of stream_advance in their order from the third one on, behind stream, topic and
 * partition, and the time to wait.  The rate decays within half a minute: each row adds 1/30, and
 * all of it shrinks by exp(-t/30).
 */
#define ADVANCE \
	"UPDATE recsys.stream_partition SET next_offset = $6," \
	" last_offset = COALESCE($7, last_offset)," \
	" last_timestamp = CASE WHEN $7 IS NULL THEN last_timestamp ELSE $8 END," \
	" last_checksum = CASE WHEN $7 IS NULL THEN last_checksum ELSE $9 END," \
	" high_watermark = COALESCE($10, high_watermark)," \
	" messages = messages + $11, rejected = rejected + $12, rows = rows + $13," \
	" rejected_lately = CASE WHEN $12 > 0 AND (rejected_since IS NULL OR" \
	" rejected_since < pg_catalog.clock_timestamp() - '1 hour'::interval) THEN $12" \
	" ELSE rejected_lately + $12 END," \
	" rejected_since = CASE WHEN $12 > 0 AND (rejected_since IS NULL OR" \
	" rejected_since < pg_catalog.clock_timestamp() - '1 hour'::interval) THEN pg_catalog.clock_timestamp()" \
	" ELSE rejected_since END," \
	" rate = $13 / 30.0::float8 + CASE WHEN rate_at IS NULL THEN 0 ELSE rate * pg_catalog.exp(-LEAST(GREATEST(" \
	"EXTRACT(epoch FROM pg_catalog.clock_timestamp() - rate_at)::float8 / 30, 0), 500)) END," \
	" rate_at = pg_catalog.clock_timestamp(), throttle = $14," \
	" seen_at = pg_catalog.clock_timestamp(), changed_at = pg_catalog.clock_timestamp()" \
	" WHERE stream = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND next_offset = $5"

#define HEARTBEAT \
	"UPDATE recsys.stream_partition SET high_watermark = COALESCE($5, high_watermark), consumer = $6," \
	" throttle = $7, seen_at = pg_catalog.clock_timestamp()" \
	" WHERE stream = $1 AND topic = $2 AND partition = $3 AND epoch = $4"

#define REJECTED_LATELY \
	"SELECT COALESCE(pg_catalog.sum(rejected_lately), 0)::bigint FROM recsys.stream_partition" \
	" WHERE stream = $1 AND topic = $2 AND rejected_since >= pg_catalog.clock_timestamp() - '1 hour'::interval"

typedef struct Advance
{
	RecsysStreamArray arrays[ARGUMENTS];	/* those of them that are arrays */
	int		   *order;
	int64		messages;		/* of all partitions */
	int64		rejected;
	int64		rows;
} Advance;

static void
read_advance(FunctionCallInfo fcinfo, Advance *advance)
{
	static const char *const names[ARGUMENTS] = {
		"stream", "partitions", "epochs", "expected", "next_offsets", "last_offsets", "last_timestamps",
		"last_checksums", "high_watermarks", "messages", "rejected", "rows"
	};
	int			n = -1;

	for (int i = PARTITIONS; i <= REJECTED; i++)
		RecsysArgStreamArray(fcinfo, i, names[i], i == PARTITIONS ? INT4OID : INT8OID,
							 i >= LAST_OFFSETS && i <= HIGH_WATERMARKS, &n, &advance->arrays[i]);
	if (PG_ARGISNULL(ROWS))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rows must not be NULL")));
	advance->rows = PG_GETARG_INT64(ROWS);
	for (int i = 0; i < n; i++)
	{
		int64		messages = DatumGetInt64(advance->arrays[MESSAGES].values[i]);
		int64		rejected = DatumGetInt64(advance->arrays[REJECTED].values[i]);

		if (messages < 0 || rejected < 0 || advance->rows < 0 ||
			DatumGetInt64(advance->arrays[NEXT_OFFSETS].values[i]) <
			DatumGetInt64(advance->arrays[EXPECTED].values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("partitions move forward, and counts are not negative")));
		advance->messages += messages;
		advance->rejected += rejected;
	}
	advance->order = RecsysPartitionOrder(&advance->arrays[PARTITIONS]);
}

/*
 * The rows of one partition: in proportion to its messages, as rows are counted together.  seen are the
 * messages of the partitions before it; shares add up to all of the rows.
 */
static int64
share_of_rows(const Advance *advance, int64 seen, int64 messages, bool is_last)
{
	double		rows = advance->rows;
	int64		before = advance->messages > 0 ? (int64) (rows * seen / advance->messages) : 0;
	int64		until = advance->messages > 0 ? (int64) (rows * (seen + messages) / advance->messages) : 0;

	return (is_last ? advance->rows : until) - before;
}

/* Moves one partition on, in SPI; false if it is not where it should be. */
static bool
move(const Advance *advance, int place, Datum *values, int64 rows)
{
	static Oid	types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID,
	INT8OID, INT8OID, INT8OID, INT8OID, INT4OID};
	char		nulls[lengthof(types)];

	memset(nulls, ' ', sizeof(nulls));
	for (int i = PARTITIONS; i <= REJECTED; i++)
	{
		/* the partition is the third parameter, the others follow */
		values[i + 1] = advance->arrays[i].values[place];
		if (advance->arrays[i].isnull[place])
			nulls[i + 1] = 'n';
	}
	values[12] = Int64GetDatum(rows);
	(void) RecsysKeeperPlan(&advance_plan, ADVANCE, lengthof(types), types);
	return RecsysKeeperRun(advance_plan, values, nulls, false) > 0;
}

static void
not_there(const char *name, int partition, int64 expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("partition %d of stream \"%s\" is not yours at offset %lld any more", partition, name,
					(long long) expected),
			 errdetail("Another consumer has it, or the stream was changed, paused or sent elsewhere.")));
}

/* Is that more than may be rejected in an hour? */
static bool
too_many_rejected(const RecsysStreamRow *row, const Advance *advance, Datum *values, int64 *count)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	int64		limit = RecsysJsonInteger(&row->definition->root, "max_errors", -1);
	bool		isnull;

	if (advance->rejected == 0 || limit < 0)
		return false;
	(void) RecsysKeeperPlan(&rejected_plan, REJECTED_LATELY, 2, types);
	if (RecsysKeeperRun(rejected_plan, values, NULL, false) != 1)
		return false;
	*count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return *count > limit;
}

static Datum
answer(FunctionCallInfo fcinfo, const char *state, int64 version, int throttle)
{
	TupleDesc	descriptor;
	Datum		values[3];
	bool		isnull[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(state);
	values[1] = Int64GetDatum(version);
	values[2] = Int32GetDatum(throttle);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, isnull));
}

Datum
recsys_stream_advance(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	RecsysStreamRow row;
	Advance		advance = {0};
	Datum		values[14];
	RecsysRights before;
	int64		seen = 0;
	int64		count = 0;
	int			throttle;
	bool		fails;

	PreventCommandIfReadOnly("recsys.stream_advance()");
	PreventCommandIfParallelMode("recsys.stream_advance()");
	RecsysNeedStream(name, NoLock, &row);
	read_advance(fcinfo, &advance);
	RecsysCheckStreamTarget(RecsysJsonText(&row.definition->root, "target"));
	throttle = RecsysStreamThrottle(name, row.definition, advance.rows);
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(RecsysJsonText(&row.definition->root, "topic"));
	values[13] = Int32GetDatum(throttle);
	RecsysBeginAsOwnerOf("stream", &before);
	for (int i = 0; i < advance.arrays[PARTITIONS].n; i++)
	{
		int			place = advance.order[i];
		int64		messages = DatumGetInt64(advance.arrays[MESSAGES].values[place]);
		int64		rows = share_of_rows(&advance, seen, messages, i + 1 == advance.arrays[PARTITIONS].n);

		if (!move(&advance, place, values, rows))
			not_there(name, DatumGetInt32(advance.arrays[PARTITIONS].values[place]),
					  DatumGetInt64(advance.arrays[EXPECTED].values[place]));
		seen += messages;
	}
	fails = too_many_rejected(&row, &advance, values, &count);
	RecsysEndAsKeeper(&before);
	if (fails && strcmp(row.state, "running") == 0)
	{
		row.state = "failed";
		RecsysSetStreamState(name, row.state,
							 psprintf("%lld messages were rejected within an hour, more than max_errors", (long long) count));
	}
	return answer(fcinfo, row.state, row.version, throttle);
}

Datum
recsys_stream_heartbeat(PG_FUNCTION_ARGS)
{
	static Oid	types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID, INT8OID, TEXTOID, INT4OID};
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	char	   *consumer = RecsysArgQuery(fcinfo, 1, "consumer");
	char	   *message = RecsysArgText(fcinfo, 5);
	RecsysStreamRow row;
	RecsysStreamArray partitions;
	RecsysStreamArray epochs;
	RecsysStreamArray watermarks;
	int		   *order;
	int			n = -1;
	Datum		values[7];
	char		nulls[] = "       ";
	RecsysRights before;
	int			throttle;

	PreventCommandIfReadOnly("recsys.stream_heartbeat()");
	PreventCommandIfParallelMode("recsys.stream_heartbeat()");
	RecsysNeedStream(name, NoLock, &row);
	RecsysArgStreamArray(fcinfo, 2, "partitions", INT4OID, false, &n, &partitions);
	RecsysArgStreamArray(fcinfo, 3, "epochs", INT8OID, false, &n, &epochs);
	RecsysArgStreamArray(fcinfo, 4, "high_watermarks", INT8OID, true, &n, &watermarks);
	order = RecsysPartitionOrder(&partitions);
	throttle = RecsysStreamThrottle(name, row.definition, 0);
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(RecsysJsonText(&row.definition->root, "topic"));
	values[5] = CStringGetTextDatum(consumer);
	values[6] = Int32GetDatum(throttle);
	RecsysBeginAsOwnerOf("stream", &before);
	(void) RecsysKeeperPlan(&heartbeat_plan, HEARTBEAT, lengthof(types), types);
	for (int i = 0; i < n; i++)
	{
		values[2] = partitions.values[order[i]];
		values[3] = epochs.values[order[i]];
		values[4] = watermarks.values[order[i]];
		nulls[4] = watermarks.isnull[order[i]] ? 'n' : ' ';
		if (RecsysKeeperRun(heartbeat_plan, values, nulls, false) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("partition %d of stream \"%s\" has been claimed anew", DatumGetInt32(values[2]), name),
					 errdetail("Another consumer has it, or the stream was changed, paused or sent elsewhere.")));
	}
	RecsysEndAsKeeper(&before);
	if (message != NULL)
		RecsysSayOfStream(name, message);
	return answer(fcinfo, row.state, row.version, throttle);
}
