/*
 * batch.h
 *	  Messages that are written together, with the rows that were made of them.
 *
 * Messages stay with the batch until they are written: a row that the server refuses is rejected with the
 * message that it came from.  Their rows lie one behind the other in one piece of text, so that any run of
 * messages is a run of bytes that COPY takes.
 */
#ifndef RECSYS_BATCH_H
#define RECSYS_BATCH_H

#include <librdkafka/rdkafka.h>

#include "pqexpbuffer.h"
#include "stream/record/decoder.h"
#include "stream/run/assigned.h"

typedef struct RecsysBatchMessage
{
	rd_kafka_message_t *message;
	RecsysPartition *partition;
	size_t		rows;			/* where its rows begin; they end where those of the next one do */
	char	   *reason;			/* why it is rejected, or NULL */
	char		sqlstate[6];
} RecsysBatchMessage;

typedef struct RecsysBatch
{
	RecsysBatchMessage *messages;
	int			nmessages;
	int			room;
	int			written;		/* so many of them are in the database */
	PQExpBufferData rows;
	PQExpBufferData reason;
	size_t		bytes;			/* of the messages */
	int64		since;			/* RecsysNow() of the first one */
	RecsysStreamHeader *headers;
	int			nheaders;
} RecsysBatch;

extern void RecsysBatchInit(RecsysBatch *batch);

/* Decodes a message into the batch, which then has it; RECSYS_VERDICT_RETRY: it is the caller's still. */
extern RecsysVerdict RecsysBatchAdd(RecsysBatch *batch, RecsysDecoder *decoder, rd_kafka_message_t *message,
									RecsysPartition *partition);
extern bool RecsysBatchIsFull(const RecsysBatch *batch, int max_rows);
extern void RecsysBatchReject(RecsysBatch *batch, int number, const char *reason, const char *sqlstate);

/* Where the rows of a message begin; number may be that behind the last one. */
extern size_t RecsysBatchRows(const RecsysBatch *batch, int number);
extern void RecsysBatchClear(RecsysBatch *batch);

/* What a message is known by when its log is read again */
extern int64 RecsysChecksum(const rd_kafka_message_t *message);
extern int64 RecsysTimestamp(const rd_kafka_message_t *message);

#endif							/* RECSYS_BATCH_H */
