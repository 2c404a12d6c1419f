/*
 * batch.c
 *	  Messages that are written together: see batch.h.
 */
#include "postgres_fe.h"

#include "port/pg_crc32c.h"
#include "stream/run/batch.h"
#include "stream/run/signals.h"

/* A batch is full at so many bytes of messages, or of rows, however few they are. */
#define BATCH_BYTES (16 * 1024 * 1024)

void
RecsysBatchInit(RecsysBatch *batch)
{
	memset(batch, 0, sizeof(*batch));
	initPQExpBuffer(&batch->rows);
	initPQExpBuffer(&batch->reason);
}

int64
RecsysTimestamp(const rd_kafka_message_t *message)
{
	rd_kafka_timestamp_type_t kind;

	return rd_kafka_message_timestamp(message, &kind);
}

/*
 * CRC-32C of key and payload, each with its length, which tells NULL from empty and where one ends.
 */
int64
RecsysChecksum(const rd_kafka_message_t *message)
{
	int64		lengths[2] = {message->key ? (int64) message->key_len : -1, message->payload ? (int64) message->len : -1};
	pg_crc32c	checksum;

	INIT_CRC32C(checksum);
	COMP_CRC32C(checksum, lengths, sizeof(lengths));
	if (message->key != NULL)
		COMP_CRC32C(checksum, message->key, message->key_len);
	if (message->payload != NULL)
		COMP_CRC32C(checksum, message->payload, message->len);
	FIN_CRC32C(checksum);
	return (int64) checksum;
}

static int
read_headers(RecsysBatch *batch, rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t		length;
	int			number = 0;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	while (rd_kafka_header_get_all(headers, number, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (number == batch->nheaders)
		{
			batch->nheaders = Max(16, batch->nheaders * 2);
			batch->headers = pg_realloc(batch->headers, batch->nheaders * sizeof(RecsysStreamHeader));
		}
		batch->headers[number].name = name;
		batch->headers[number].value = value;
		batch->headers[number++].length = length;
	}
	return number;
}

RecsysVerdict
RecsysBatchAdd(RecsysBatch *batch, RecsysDecoder *decoder, rd_kafka_message_t *message, RecsysPartition *partition)
{
	RecsysStreamRecord record;
	RecsysBatchMessage *added;
	size_t		rows = batch->rows.len;
	RecsysVerdict verdict;

	if (batch->nmessages == batch->room)
	{
		batch->room = Max(1024, batch->room * 2);
		batch->messages = pg_realloc(batch->messages, batch->room * sizeof(RecsysBatchMessage));
	}

	record.topic = rd_kafka_topic_name(message->rkt);
	record.partition = message->partition;
	record.offset = message->offset;
	record.timestamp = RecsysTimestamp(message);
	record.key = message->key;
	record.key_length = message->key_len;
	record.payload = message->payload;
	record.payload_length = message->len;
	record.nheaders = RecsysDecoderNeedsHeaders(decoder) ? read_headers(batch, message) : 0;
	record.headers = batch->headers;

	resetPQExpBuffer(&batch->reason);
	verdict = RecsysDecode(decoder, &record, batch->nmessages, &batch->rows, &batch->reason);
	if (verdict == RECSYS_VERDICT_RETRY)
		return verdict;
	if (PQExpBufferDataBroken(batch->rows))
	{
		fprintf(stderr, "out of memory\n");
		exit(EXIT_FAILURE);		/* nothing of it was written; the next process begins where the database says */
	}

	if (batch->nmessages == 0)
		batch->since = RecsysNow();
	added = &batch->messages[batch->nmessages++];
	added->message = message;
	added->partition = partition;
	added->rows = rows;
	added->reason = NULL;
	batch->bytes += message->len + message->key_len;
	if (verdict == RECSYS_VERDICT_REJECTED)
		RecsysBatchReject(batch, batch->nmessages - 1, batch->reason.data, "");
	return verdict;
}

bool
RecsysBatchIsFull(const RecsysBatch *batch, int max_rows)
{
	return batch->nmessages >= max_rows || batch->bytes >= BATCH_BYTES || batch->rows.len >= BATCH_BYTES;
}

void
RecsysBatchReject(RecsysBatch *batch, int number, const char *reason, const char *sqlstate)
{
	RecsysBatchMessage *rejected = &batch->messages[number];

	pg_free(rejected->reason);
	rejected->reason = pg_strdup(reason);
	strlcpy(rejected->sqlstate, sqlstate, sizeof(rejected->sqlstate));
}

size_t
RecsysBatchRows(const RecsysBatch *batch, int number)
{
	return number < batch->nmessages ? batch->messages[number].rows : batch->rows.len;
}

void
RecsysBatchClear(RecsysBatch *batch)
{
	for (int number = 0; number < batch->nmessages; number++)
	{
		rd_kafka_message_destroy(batch->messages[number].message);
		pg_free(batch->messages[number].reason);
	}
	batch->nmessages = batch->written = 0;
	batch->bytes = 0;

	/* a batch of long rows is not to keep its memory for ever */
	if (batch->rows.maxlen > 2 * BATCH_BYTES)
	{
		termPQExpBuffer(&batch->rows);
		initPQExpBuffer(&batch->rows);
	}
	resetPQExpBuffer(&batch->rows);
}
