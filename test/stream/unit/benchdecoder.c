/*
 * benchdecoder.c
 *	  How many messages a second the decoder turns into rows on one core.
 */
#include "stream/record/decoder.h"

#include <time.h>

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

static void
measure(const char *what, RecsysStreamSettings *settings, const char *payload)
{
	static RecsysStreamOption secret = {.name = "pseudonym_key", .value = "0123456789abcdef"};
	RecsysStreamRecord record = {.topic = "shop", .timestamp = INT64CONST(1764398700123), .payload = payload,
	.payload_length = strlen(payload)};
	PQExpBuffer rows = createPQExpBuffer();
	PQExpBuffer reason = createPQExpBuffer();
	RecsysDecoder *decoder = RecsysDecoderCreate(settings, &secret, 1, reason);
	double		begin = seconds();
	double		end;
	int64		count = 0;

	do
	{
		resetPQExpBuffer(rows);
		for (int i = 0; i < 10000; i++, count++)
		{
			record.offset = count;
			if (RecsysDecode(decoder, &record, i, rows, reason) != RECSYS_VERDICT_ROWS)
			{
				printf("%s\n", reason->data);
				exit(1);
			}
		}
		end = seconds();
	} while (end < begin + 1);
	printf("%-40s %4zu bytes %9.0f messages/s %6.0f MB/s\n", what, strlen(payload), count / (end - begin),
		   count * strlen(payload) / (end - begin) / 1e6);
	RecsysDecoderFree(decoder);
	destroyPQExpBuffer(rows);
	destroyPQExpBuffer(reason);
}

int
main(void)
{
	static const char json[] = "{\"event_id\":\"6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77\",\"type\":\"view\",\"ts\":1764398700123,"
		"\"user\":{\"id\":1234567,\"session\":\"s-99887766\"},\"item\":\"p-4711\",\"page\":\"/shoes/running?x=1\",\"ref\":null}";
	static const char csv[] = "1234567,p-4711,1764398700123,view,6f1c1a52-5f0e-4d1c-9d5a-0d9b4f1f2a77,/shoes/running?x=1";
	RecsysStreamField fields[] = {
		{.name = "user_id", .source = "user.id"}, {.name = "product_id", .source = "item"}, {.name = "viewed_at", .source = "ts", .kind = RECSYS_FIELD_TIME}, {.name = "event", .source = "type"}
	};
	RecsysStreamField columns[] = {
		{.name = "user_id", .source = "1"}, {.name = "product_id", .source = "2"}, {.name = "viewed_at", .source = "3", .kind = RECSYS_FIELD_TIME}, {.name = "event", .source = "4"}
	};
	RecsysStreamSettings settings = {.format = RECSYS_STREAM_JSON, .fields = fields, .nfields = lengthof(fields)};

	measure("JSON, four fields", &settings, json);
	fields[0].pseudonym = RECSYS_PSEUDONYM_BIGINT;
	measure("JSON, one of them a pseudonym", &settings, json);
	settings.format = RECSYS_STREAM_CSV;
	settings.fields = columns;
	measure("CSV, four columns", &settings, csv);
	return 0;
}
