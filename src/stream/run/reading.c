/*
 * reading.c
 *	  Messages from librdkafka into the batch: see reading.h.
 */
#include "postgres_fe.h"

#include "stream/run/journal.h"
#include "stream/run/reading.h"
#include "stream/run/signals.h"

/* How long a partition waits that is to be looked at again */
#define LOOK_AGAIN 500			/* ms */

/* The partition was read to an offset, behind which there is nothing yet. */
static void
take_end(RecsysConsumer *consumer, RecsysPartition *partition, int64 offset)
{
	if (partition->verifying && offset < partition->committed)
	{
		/* not even the last message is there any more, though the log goes on behind it */
		RecsysLosePartition(&consumer->assignment, partition,
							"the log ends at offset " INT64_FORMAT ", before " INT64_FORMAT " where reading stands: the topic was made"
							" anew, or has lost messages; recsys.seek_stream() says where to go on", offset, partition->committed);
		return;
	}
	partition->verifying = false;
	partition->position = Max(partition->position, offset);
	partition->at_end = true;
}

static void
take_error(RecsysConsumer *consumer, RecsysPartition *partition, const rd_kafka_message_t *message)
{
	char		fatal[256];

	switch (message->err)
	{
		case RD_KAFKA_RESP_ERR__PARTITION_EOF:
			if (partition != NULL && partition->step == RECSYS_PARTITION_FETCH && !consumer->assignment.suspicious)
				take_end(consumer, partition, message->offset);
			break;
		case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:

			/* whatever has become of the log: it is looked at as if it was new to this process */
			RecsysNoteProblem(&consumer->assignment, "a log was not found as it was: %s", rd_kafka_message_errstr(message));
			if (partition != NULL && partition->step == RECSYS_PARTITION_FETCH)
				RecsysRewind(&consumer->assignment, partition, LOOK_AGAIN);
			else if (partition == NULL)
				RecsysRewindAll(&consumer->assignment, LOOK_AGAIN);
			break;
		case RD_KAFKA_RESP_ERR__FATAL:
			rd_kafka_fatal_error(consumer->assignment.broker, fatal, sizeof(fatal));
			RecsysNoteProblem(&consumer->assignment, "librdkafka cannot go on: %s", fatal);
			consumer->ended = RECSYS_EXIT_ERROR;
			break;
		default:
			RecsysNoteProblem(&consumer->assignment, "the broker reports: %s", rd_kafka_message_errstr(message));
			break;
	}
}

/*
 * The first message of a partition, whose log must be the one that the database knows.  Returns whether it
 * is to be taken.
 */
static bool
verify(RecsysConsumer *consumer, RecsysPartition *partition, const rd_kafka_message_t *message)
{
	bool		same = message->offset == partition->last.offset &&
		RecsysChecksum(message) == partition->last.checksum && RecsysTimestamp(message) == partition->last.timestamp;

	if (message->offset < partition->last.offset)
		return false;
	if (!same && message->offset < partition->committed)
	{
		RecsysLosePartition(&consumer->assignment, partition,
							"the message at offset " INT64_FORMAT " is not the one that was read there: the topic was made anew;"
							" recsys.seek_stream() says where to go on", message->offset);
		return false;
	}
	/* compaction may have taken the last message; then nothing is known */
	partition->verifying = false;
	return !same;
}

static void
take_message(RecsysConsumer *consumer, RecsysPartition *partition, rd_kafka_message_t *message)
{
	RecsysVerdict verdict;

	/* once a log is suspicious nothing of it is taken: begin_anew() has it read again */
	if (partition == NULL || partition->step != RECSYS_PARTITION_FETCH || partition->revoked || consumer->assignment.suspicious ||
		(partition->verifying && !verify(consumer, partition, message)) ||
		message->offset < partition->position)
	{
		rd_kafka_message_destroy(message);
		return;
	}
	verdict = RecsysBatchAdd(&consumer->batch, consumer->decoder, message, partition);
	if (verdict == RECSYS_VERDICT_RETRY)
	{
		RecsysNoteProblem(&consumer->assignment, "messages cannot be decoded now: %s", consumer->batch.reason.data);
		rd_kafka_message_destroy(message);
		RecsysRewind(&consumer->assignment, partition, RecsysBackoff(++partition->failures));
		return;
	}
	partition->position = message->offset + 1;
	partition->at_end = false;
}

bool
RecsysBatchIsDue(const RecsysConsumer *consumer, int64 now)
{
	const RecsysStreamSettings *settings = &consumer->declaration->settings;

	return consumer->batch.nmessages > 0 &&
		(RecsysBatchIsFull(&consumer->batch, settings->max_rows) || now - consumer->batch.since >= settings->max_delay);
}

void
RecsysRead(RecsysConsumer *consumer, int wait)
{
	RecsysAssignment *assignment = &consumer->assignment;
	RecsysPartition *partition = NULL;
	int			taken = 0;
	rd_kafka_message_t *message;

	while ((message = rd_kafka_consumer_poll(assignment->broker, taken == 0 ? wait : 0)) != NULL)
	{
		/* partitions may have come and gone while this process waited */
		if (partition == NULL || partition->id != message->partition || message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			partition = RecsysFindPartition(assignment, message->partition);
		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		{
			take_error(consumer, partition, message);
			rd_kafka_message_destroy(message);
			partition = NULL;
		}
		else
			take_message(consumer, partition, message);
		if (assignment->revoking || assignment->suspicious || consumer->ended != RECSYS_EXIT_NOT_YET || RecsysStopAsked ||
			RecsysBatchIsFull(&consumer->batch, consumer->declaration->settings.max_rows))
			return;
		/* the clock is looked at now and then only */
		if (++taken % 64 == 0 && RecsysBatchIsDue(consumer, RecsysNow()))
			return;
	}
}

void
RecsysKeepPlace(void *argument)
{
	RecsysConsumer *consumer = argument;
	RecsysAssignment *assignment = &consumer->assignment;
	rd_kafka_message_t *message;

	if (assignment->broker == NULL || assignment->closing)
		return;
	if (!assignment->paused)
		RecsysPauseFetching(assignment);
	while ((message = rd_kafka_consumer_poll(assignment->broker, 0)) != NULL)
		rd_kafka_message_destroy(message);
}
