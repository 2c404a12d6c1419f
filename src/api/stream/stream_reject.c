/*
 * stream_reject.c
 *	  recsys.stream_reject(): messages that became no rows.
 *
 * They are written in the transaction that moves their partition on, to recsys.stream_error, or with the
 * rights of the stream's owner to a table of his.
 */
#include "postgres.h"

#include "api/call/arguments.h"
#include "api/declare/jsonfields.h"
#include "api/keep/keeper.h"
#include "api/stream/streamarrays.h"
#include "api/stream/streamdefinition.h"
#include "api/stream/streamrow.h"
#include "api/stream/streamrejection.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_stream_reject);

/* More of a message is not kept: it is still in the log. */
#define MOST_BYTES 1000000

#define UNIX_EPOCH_MS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000)

/* Places of the arguments, and of what they become among RecsysRejectedColumns */
typedef enum Argument
{
	STREAM,
	PARTITIONS,
	OFFSETS,
	TIMESTAMPS,
	KEYS,
	PAYLOADS,
	REASONS,
	STATES,
	ARGUMENTS
} Argument;

enum Column
{
	STREAM_COLUMN,
	TOPIC_COLUMN,
	PARTITION_COLUMN,
	OFFSET_COLUMN,
	TIMESTAMP_COLUMN,
	KEY_COLUMN,
	PAYLOAD_COLUMN,
	REASON_COLUMN,
	STATE_COLUMN,
	TIME_COLUMN
};

/* Of a text no half of a letter is left; bytes are cut as they are. */
static int
kept_length(const char *bytes, int length)
{
	return length <= MOST_BYTES ? length : pg_encoding_mbcliplen(PG_UTF8, bytes, length, MOST_BYTES);
}

/* Messages are UTF-8; what is not, or cannot be in this database, is written in hexadecimal. */
static Datum
as_text(Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	char	   *data = VARDATA_ANY(bytes);
	int			length = VARSIZE_ANY_EXHDR(bytes);
	int			kept = kept_length(data, length);
	bool		fits = memchr(data, '\0', Min(length, MOST_BYTES)) == NULL &&
		pg_verify_mbstr(PG_UTF8, data, kept, true);
	StringInfoData hex;

	if (fits && GetDatabaseEncoding() != PG_UTF8)
		for (int i = 0; fits && i < kept; i++)
			fits = !IS_HIGHBIT_SET(data[i]);
	if (fits)
		return PointerGetDatum(cstring_to_text_with_len(data, kept));
	initStringInfo(&hex);
	appendStringInfoString(&hex, "\\x");
	for (int i = 0; i < Min(length, MOST_BYTES); i++)
		appendStringInfo(&hex, "%02x", (unsigned char) data[i]);
	return CStringGetTextDatum(hex.data);
}

static Datum
as_bytes(Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	int			length = Min(VARSIZE_ANY_EXHDR(bytes), MOST_BYTES);
	bytea	   *kept = palloc(length + VARHDRSZ);

	SET_VARSIZE(kept, length + VARHDRSZ);
	memcpy(VARDATA(kept), VARDATA_ANY(bytes), length);
	return PointerGetDatum(kept);
}

static Datum
time_of(Datum milliseconds)
{
	return TimestampTzGetDatum((DatumGetInt64(milliseconds) - UNIX_EPOCH_MS) * 1000);
}

/* A time that can be one: Kafka knows none before 1970, and says -1 of messages without. */
static bool
is_time(Datum milliseconds)
{
	return DatumGetInt64(milliseconds) >= 0 && DatumGetInt64(milliseconds) < INT64CONST(200000000000000);
}

static void
set_column(Datum *values, char *nulls, int column, const RecsysStreamArray *array, int place, Datum value)
{
	nulls[column] = array->isnull[place] ? 'n' : ' ';
	values[column] = value;
}

/* The columns of one message */
static void
form_message(const RecsysStreamArray *arrays, int place, bool keeps, const Oid *types, Datum *values, char *nulls)
{
	set_column(values, nulls, PARTITION_COLUMN, &arrays[PARTITIONS], place, arrays[PARTITIONS].values[place]);
	set_column(values, nulls, OFFSET_COLUMN, &arrays[OFFSETS], place, arrays[OFFSETS].values[place]);
	set_column(values, nulls, REASON_COLUMN, &arrays[REASONS], place, arrays[REASONS].values[place]);
	set_column(values, nulls, STATE_COLUMN, &arrays[STATES], place, arrays[STATES].values[place]);
	set_column(values, nulls, TIMESTAMP_COLUMN, &arrays[TIMESTAMPS], place, (Datum) 0);
	if (!arrays[TIMESTAMPS].isnull[place])
	{
		if (is_time(arrays[TIMESTAMPS].values[place]))
			values[TIMESTAMP_COLUMN] = time_of(arrays[TIMESTAMPS].values[place]);
		else
			nulls[TIMESTAMP_COLUMN] = 'n';
	}
	for (int i = KEYS; i <= PAYLOADS; i++)
	{
		int			column = i - KEYS + KEY_COLUMN;

		set_column(values, nulls, column, &arrays[i], place, (Datum) 0);
		if (!keeps)
			nulls[column] = 'n';
		if (nulls[column] == ' ')
			values[column] = types[column] == BYTEAOID ? as_bytes(arrays[i].values[place]) :
				as_text(arrays[i].values[place]);
	}
}

static void
read_messages(FunctionCallInfo fcinfo, RecsysStreamArray *arrays)
{
	static const char *const names[ARGUMENTS] = {
		"stream", "partitions", "offsets", "timestamps", "keys", "payloads", "reasons", "states"
	};
	static const Oid elements[ARGUMENTS] = {
		InvalidOid, INT4OID, INT8OID, INT8OID, BYTEAOID, BYTEAOID, TEXTOID, TEXTOID
	};
	int			n = -1;

	for (int i = PARTITIONS; i < ARGUMENTS; i++)
		RecsysArgStreamArray(fcinfo, i, names[i], elements[i], i > OFFSETS, &n, &arrays[i]);
}

/* The statement that writes a message, and the types of its parameters */
static char *
rejection(Oid table, Oid *types)
{
	if (OidIsValid(table))
		return RecsysStreamRejection(table, types);
	for (int i = 0; i < RECSYS_REJECTED_COLUMNS; i++)
		types[i] = RecsysRejectedColumns[i].type;
	return pstrdup("INSERT INTO recsys.stream_error (stream, topic, partition, message_offset, message_timestamp,"
				   " key, payload, reason, sqlstate, rejected_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
}

static void
begin(const RecsysStreamRow *row, Oid table, RecsysRights *before)
{
	if (!OidIsValid(table))
	{
		RecsysBeginAsOwnerOf("stream", before);
		return;
	}
	RecsysBeginAs(RecsysStreamOwner(row), before);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

Datum
recsys_stream_reject(PG_FUNCTION_ARGS)
{
	char	   *name = RecsysArgQuery(fcinfo, 0, "stream");
	RecsysStreamRow row;
	RecsysStreamArray arrays[ARGUMENTS];
	Oid			table;
	Oid			types[RECSYS_REJECTED_COLUMNS];
	Datum		values[RECSYS_REJECTED_COLUMNS];
	char		nulls[RECSYS_REJECTED_COLUMNS];
	char	   *statement;
	SPIPlanPtr	plan;
	bool		keeps;
	RecsysRights before;

	PreventCommandIfReadOnly("recsys.stream_reject()");
	PreventCommandIfParallelMode("recsys.stream_reject()");
	RecsysNeedStream(name, NoLock, &row);
	read_messages(fcinfo, arrays);
	keeps = RecsysStreamKeepsPayload(row.definition);
	table = RecsysStreamErrorTable(row.definition);
	memset(nulls, ' ', sizeof(nulls));
	values[STREAM_COLUMN] = CStringGetTextDatum(name);
	values[TOPIC_COLUMN] = CStringGetTextDatum(RecsysJsonText(&row.definition->root, "topic"));
	values[TIME_COLUMN] = TimestampTzGetDatum(GetCurrentTimestamp());
	statement = rejection(table, types);
	begin(&row, table, &before);
	plan = SPI_prepare(statement, RECSYS_REJECTED_COLUMNS, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	for (int i = 0; i < arrays[PARTITIONS].n; i++)
	{
		form_message(arrays, i, keeps, types, values, nulls);
		(void) RecsysKeeperRun(plan, values, nulls, false);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndAs(&before);
	PG_RETURN_VOID();
}
