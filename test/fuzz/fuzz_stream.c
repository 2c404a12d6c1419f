/*
 * fuzz_stream.c
 *	  Whatever bytes a message is made of, the decoder of recsys-stream ends with rows that COPY can read
 *	  or with a reason.
 *
 * The first byte picks one of a few streams.  Built for libFuzzer by fuzz.sh; with -DREPLAY it is a program
 * that takes files instead, for compilers without libFuzzer.
 */
#include "stream/record/decoder.h"

#include "core/stream/streampath.h"
#include "stream/record/avroschema.h"
#include "stream/record/copytext.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

#define TREE_FIELDS 8

static RecsysStreamField tree_fields[TREE_FIELDS] = {
	{.name = "user", .source = "user.id", .kind = RECSYS_FIELD_TEXT},
	{.name = "secret", .source = "user.id", .pseudonym = RECSYS_PSEUDONYM_TEXT},
	{.name = "item", .source = "items[*].id", .kind = RECSYS_FIELD_TEXT},
	{.name = "price", .source = "items[*].price", .kind = RECSYS_FIELD_DOCUMENT},
	{.name = "first", .source = "items[0]", .kind = RECSYS_FIELD_ARRAY},
	{.name = "at", .source = "ts", .kind = RECSYS_FIELD_TIME},
	{.name = "bytes", .source = "raw", .kind = RECSYS_FIELD_BYTES},
	{.name = "all", .source = "$value", .kind = RECSYS_FIELD_DOCUMENT},
};

static RecsysStreamField line_fields[] = {
	{.name = "user", .source = "1", .kind = RECSYS_FIELD_TEXT},
	{.name = "at", .source = "2", .kind = RECSYS_FIELD_TIME},
	{.name = "tags", .source = "3", .kind = RECSYS_FIELD_ARRAY},
};

static RecsysStreamField whole_fields[] = {
	{.name = "text", .source = "$value", .kind = RECSYS_FIELD_TEXT},
	{.name = "document", .source = "$value", .kind = RECSYS_FIELD_DOCUMENT},
	{.name = "at", .source = "$value", .kind = RECSYS_FIELD_TIME},
};

static char schema[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":["
	"{\"name\":\"user\",\"type\":{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"id\",\"type\":[\"null\",\"long\",\"string\",\"U\"]}]}},"
	"{\"name\":\"items\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":["
	"{\"name\":\"id\",\"type\":[\"string\",\"float\",\"double\",\"null\"]},"
	"{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":3}}]}}]},"
	"{\"name\":\"ts\",\"type\":[{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},{\"type\":\"int\",\"logicalType\":\"date\"},"
	"{\"type\":\"int\",\"logicalType\":\"time-millis\"},\"string\",\"E\"]},"
	"{\"name\":\"raw\",\"type\":[\"bytes\",{\"type\":\"map\",\"values\":[\"null\",\"E\",\"boolean\"]},{\"type\":\"enum\",\"name\":\"k\",\"symbols\":[\"a\"]}]}]}";

static RecsysStreamOption avro_option = {"schema", schema};
static RecsysStreamOption csv_options[] = {{"delimiter", ";"}, {"null", "-"}};
static RecsysStreamOption secret = {"pseudonym_key", "0123456789abcdef"};

static RecsysStreamSettings streams[] = {
	{.format = RECSYS_STREAM_JSON, .fields = tree_fields, .nfields = TREE_FIELDS},
	{.format = RECSYS_STREAM_AVRO, .fields = tree_fields, .nfields = TREE_FIELDS, .options = &avro_option, .noptions = 1},
	{.format = RECSYS_STREAM_CSV, .fields = line_fields, .nfields = lengthof(line_fields), .options = csv_options, .noptions = 2},
	{.format = RECSYS_STREAM_TEXT, .fields = whole_fields, .nfields = lengthof(whole_fields)},
};

static RecsysDecoder *decoders[lengthof(streams)];
static PQExpBuffer rows;
static PQExpBuffer reason;

/* As many values in each line as the stream has fields, no escape that COPY does not know, all of it text. */
static void
check_rows(const RecsysStreamSettings *settings)
{
	const char *end = rows->data + rows->len;
	int			tabs = 0;

	if (!RecsysIsText(rows->data, rows->len))
		abort();
	for (const char *at = rows->data; at < end; at++)
	{
		if (*at == '\t')
			tabs++;
		else if (*at == '\n')
		{
			if (tabs != settings->nfields + 1)
				abort();
			tabs = 0;
		}
		else if (*at == '\r')
			abort();
		else if (*at == '\\' && (++at >= end || strchr("\\tnrN", *at) == NULL))
			abort();
	}
	if (tabs != 0)
		abort();
}

static void
decode(int number, const char *bytes, size_t length)
{
	RecsysStreamRecord record = {.topic = "t", .timestamp = 0, .payload = bytes, .payload_length = length};
	RecsysVerdict verdict;

	if (decoders[number] == NULL)
		decoders[number] = RecsysDecoderCreate(&streams[number], &secret, 1, reason);
	if (decoders[number] == NULL)
		abort();
	resetPQExpBuffer(rows);
	resetPQExpBuffer(reason);
	verdict = RecsysDecode(decoders[number], &record, 1, rows, reason);
	if ((verdict == RECSYS_VERDICT_REJECTED) != (reason->len > 0) || verdict == RECSYS_VERDICT_RETRY ||
		(verdict != RECSYS_VERDICT_ROWS && rows->len > 0))
		abort();
	check_rows(&streams[number]);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	const char *bytes = (const char *) data + 1;
	int			number;

	if (size < 1)
		return 0;
	if (rows == NULL)
	{
		rows = createPQExpBuffer();
		reason = createPQExpBuffer();
	}
	number = data[0] % (lengthof(streams) + 2);
	size--;
	if (number < lengthof(streams))
		decode(number, bytes, size);
	else if (number == lengthof(streams))
	{
		resetPQExpBuffer(reason);
		RecsysAvroSchemaFree(RecsysAvroSchemaParse(bytes, size, reason));
	}
	else
	{
		RecsysStreamPath path;
		const char *fault;
		char	   *text = pg_malloc(size + 1);

		memcpy(text, bytes, size);
		text[size] = '\0';
		if (RecsysParseStreamPath(text, RECSYS_PATH_TREE, &path, &fault) != (fault == NULL))
			abort();
		pg_free(text);
	}
	return 0;
}

#ifdef REPLAY
#include "replay.h"
#endif
