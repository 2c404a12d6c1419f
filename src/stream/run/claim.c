/*
 * claim.c
 *	  Claiming partitions: see claim.h.
 *
 * A claim raises the partition's epoch in the database.  It waits for a transaction that has moved the
 * partition on and is about to commit, as both lock its row; so what a claim returns is what has become of
 * every COMMIT before it, that of a lost connection too, and no transaction that began with an older epoch
 * can commit after it.
 *
 * Offsets mean something only within one log.  If a topic is deleted and made again, the same offsets are
 * other messages, and to go on would lose or double them in silence.  Kafka tells consumers of this age
 * nothing of it; so the last message that was consumed is kept by its checksum, and reading begins there:
 * what comes first must be that message.
 */
#include "postgres_fe.h"

#include "stream/run/claim.h"
#include "stream/run/journal.h"
#include "stream/run/signals.h"

#define BROKER_PATIENCE 10000	/* ms */
/* How often, and so (by RecsysBackoff) for about 15 s, a log that ends early may turn out to go on */
#define SHORT_LOG_CHECKS 6

/* Has librdkafka call back; there are no messages before the group is joined. */
static void
serve_callbacks(rd_kafka_t *broker)
{
	rd_kafka_message_t *message = rd_kafka_consumer_poll(broker, 0);

	if (message != NULL)
		rd_kafka_message_destroy(message);
}

bool
RecsysRegister(RecsysAssignment *assignment)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(assignment->broker, assignment->topic, NULL);
	const rd_kafka_metadata_t *metadata = NULL;
	rd_kafka_resp_err_t error = topic != NULL ? rd_kafka_metadata(assignment->broker, 0, topic, &metadata, BROKER_PATIENCE)
		: rd_kafka_last_error();
	PQExpBufferData ids;
	bool		good = false;

	if (error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
		error = metadata->topics[0].err;
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0)
	{
		/* why a connection fails is told by the poll, not by the call */
		assignment->reported[0] = '\0';
		if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT)
			serve_callbacks(assignment->broker);
		RecsysNoteProblem(assignment, "the topic \"%s\" cannot be read: %s%s%s", assignment->topic,
					 error != RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_err2str(error) : "it has no partitions",
					 assignment->reported[0] != '\0' ? ": " : "", assignment->reported);
	}
	else
	{
		char		version[32];
		const char *parameters[] = {assignment->stream, NULL, version};
		PGresult   *result;

		initPQExpBuffer(&ids);
		for (int number = 0; number < metadata->topics[0].partition_cnt; number++)
			appendPQExpBuffer(&ids, "%c%d", number == 0 ? '{' : ',', metadata->topics[0].partitions[number].id);
		appendPQExpBufferChar(&ids, '}');
		parameters[1] = ids.data;
		snprintf(version, sizeof(version), INT64_FORMAT, assignment->version);
		result = RecsysQuery(assignment->database, "SELECT recsys.stream_register($1, $2, $3)", 3, parameters);
		good = result != NULL;
		PQclear(result);
		termPQExpBuffer(&ids);
		if (!good)
			RecsysNoteProblem(assignment, "%s", assignment->database->message.data);
	}
	if (metadata != NULL)
		rd_kafka_metadata_destroy(metadata);
	if (topic != NULL)
		rd_kafka_topic_destroy(topic);
	return good;
}

static int64
value_or(const PGresult *result, int row, const char *column, int64 otherwise)
{
	int			number = PQfnumber(result, column);

	return number < 0 || PQgetisnull(result, row, number) ? otherwise : strtoll(PQgetvalue(result, row, number), NULL, 10);
}

static const char *
text_or_null(const PGresult *result, int row, const char *column)
{
	int			number = PQfnumber(result, column);

	return number < 0 || PQgetisnull(result, row, number) ? NULL : PQgetvalue(result, row, number);
}

/* Where a partition begins that has no offset yet, as the stream's start or a seek says */
static int64
resolve_seek(RecsysAssignment *assignment, RecsysPartition *partition, const char *seek, int64 low, int64 high)
{
	rd_kafka_topic_partition_list_t *list;
	int64		found = -1;
	rd_kafka_resp_err_t error;

	if (seek == NULL || strcmp(seek, "earliest") == 0)
		return low;
	if (strcmp(seek, "latest") == 0)
		return high;

	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, assignment->topic, partition->id)->offset = strtoll(seek, NULL, 10);
	error = rd_kafka_offsets_for_times(assignment->broker, list, BROKER_PATIENCE);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		error = list->elems[0].err;
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		/* no message is that young */
		found = list->elems[0].offset >= 0 ? list->elems[0].offset : high;
	else
		RecsysNoteProblem(assignment, "partition %d: %s", partition->id, rd_kafka_err2str(error));
	rd_kafka_topic_partition_list_destroy(list);
	return found;
}

/* The claim's answer is kept until the broker has been asked; the seek is resolved with it. */
static void
take_claim(RecsysAssignment *assignment, RecsysPartition *partition, const PGresult *result, int row)
{
	const char *state = text_or_null(result, row, "state");

	partition->epoch = value_or(result, row, "epoch", 0);
	partition->committed = partition->position = value_or(result, row, "next_offset", -1);
	partition->last.offset = value_or(result, row, "last_offset", -1);
	partition->last.timestamp = value_or(result, row, "last_timestamp", -1);
	partition->last.checksum = value_or(result, row, "last_checksum", 0);
	partition->told = -1;
	partition->claimed = true;
	pg_free(partition->seek);
	partition->seek = text_or_null(result, row, "seek") != NULL ? pg_strdup(text_or_null(result, row, "seek")) : NULL;
	if (state != NULL && strcmp(state, "lost") == 0)
		partition->step = RECSYS_PARTITION_LOST;
	else if (state != NULL && strcmp(state, "active") != 0)
		assignment->outdated = true;	/* paused or failed meanwhile */
}

bool
RecsysClaim(RecsysAssignment *assignment, RecsysPartition **partitions, int npartitions)
{
	PQExpBufferData ids;
	char		version[32];
	const char *parameters[] = {assignment->stream, NULL, assignment->consumer, version};
	PGresult   *result;

	initPQExpBuffer(&ids);
	for (int number = 0; number < npartitions; number++)
	{
		partitions[number]->claimed = false;
		appendPQExpBuffer(&ids, "%c%d", number == 0 ? '{' : ',', partitions[number]->id);
	}
	appendPQExpBufferChar(&ids, '}');
	parameters[1] = ids.data;
	snprintf(version, sizeof(version), INT64_FORMAT, assignment->version);
	result = RecsysQuery(assignment->database, "SELECT * FROM recsys.stream_claim($1, $2, $3, $4)", 4, parameters);
	termPQExpBuffer(&ids);
	if (result == NULL)
	{
		RecsysOutcome outcome = assignment->database->outcome;

		assignment->outdated |= outcome == RECSYS_OUTCOME_FENCED || outcome == RECSYS_OUTCOME_DECLARATION;
		if (assignment->outdated)
			RecsysJournal(RECSYS_JOURNAL_INFO, "%s", assignment->database->message.data);
		else
			RecsysNoteProblem(assignment, "partitions cannot be claimed: %s", assignment->database->message.data);
		for (int number = 0; number < npartitions; number++)
			partitions[number]->claim_at = RecsysNow() + RecsysBackoff(partitions[number]->failures++);
		return assignment->database->outcome != RECSYS_OUTCOME_LOST;
	}
	for (int row = 0; row < PQntuples(result); row++)
		for (int number = 0; number < npartitions; number++)
			if (partitions[number]->id == (int32) value_or(result, row, "partition", -1))
				take_claim(assignment, partitions[number], result, row);
	PQclear(result);
	return true;
}

/* Writes down where a seek leads. */
static bool
keep_resolved(RecsysAssignment *assignment, RecsysPartition *partition, int64 offset)
{
	char		id[16];
	char		epoch[32];
	char		next[32];
	const char *const parameters[] = {assignment->stream, id, epoch, next};
	PGresult   *result;

	snprintf(id, sizeof(id), "%d", partition->id);
	snprintf(epoch, sizeof(epoch), INT64_FORMAT, partition->epoch);
	snprintf(next, sizeof(next), INT64_FORMAT, offset);
	result = RecsysQuery(assignment->database, "SELECT recsys.stream_resolve($1, $2, $3, $4)", 4, parameters);
	if (result == NULL)
	{
		RecsysNoteProblem(assignment, "partition %d: %s", partition->id, assignment->database->message.data);
		return false;
	}
	PQclear(result);
	partition->committed = partition->position = offset;
	partition->last.offset = -1;
	return true;
}

static RecsysPlace
try_later(RecsysPartition *partition, RecsysPlace place)
{
	partition->claim_at = RecsysNow() + RecsysBackoff(partition->failures++);
	return place;
}

RecsysPlace
RecsysPlacePartition(RecsysAssignment *assignment, RecsysPartition *partition)
{
	int64		low;
	int64		high;
	rd_kafka_resp_err_t error;

	if (partition->step == RECSYS_PARTITION_LOST || assignment->outdated)
		return RECSYS_PLACE_LATER;
	if (!partition->claimed)
		return try_later(partition, RECSYS_PLACE_LATER);

	error = rd_kafka_query_watermark_offsets(assignment->broker, assignment->topic, partition->id, &low, &high, BROKER_PATIENCE);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		RecsysNoteProblem(assignment, "partition %d: the broker does not tell where its log begins and ends: %s",
					 partition->id, rd_kafka_err2str(error));
		return try_later(partition, RECSYS_PLACE_UNREACHABLE);
	}
	partition->high_watermark = high;

	if (partition->committed < 0)
	{
		int64		offset = resolve_seek(assignment, partition, partition->seek, low, high);

		if (offset < 0 || !keep_resolved(assignment, partition, offset))
			return try_later(partition, RECSYS_PLACE_LATER);
	}

	if (partition->committed < low)
	{
		RecsysLosePartition(assignment, partition,
							"messages from offset " INT64_FORMAT " are gone: the log begins at " INT64_FORMAT
							"; recsys.seek_stream() says where to go on", partition->committed, low);
		return RECSYS_PLACE_LATER;
	}
	if (partition->committed > high)
	{
		/* a broker that has just started may not know yet how far its log goes */
		if (partition->short_log++ < SHORT_LOG_CHECKS)
			return try_later(partition, RECSYS_PLACE_LATER);
		RecsysLosePartition(assignment, partition,
							"the log ends at offset " INT64_FORMAT ", before " INT64_FORMAT " where reading stands: the topic was made"
							" anew, or has lost messages; recsys.seek_stream() says where to go on", high, partition->committed);
		return RECSYS_PLACE_LATER;
	}
	partition->short_log = 0;
	partition->verifying = partition->last.offset >= low && partition->last.offset < partition->committed;
	return RECSYS_PLACE_FOUND;
}

bool
RecsysStopPartition(RecsysAssignment *assignment, RecsysPartition *partition, const char *state, const char *message)
{
	char		id[16];
	char		epoch[32];
	const char *const parameters[] = {assignment->stream, id, epoch, state, message};
	PGresult   *result;
	bool		good;

	snprintf(id, sizeof(id), "%d", partition->id);
	snprintf(epoch, sizeof(epoch), INT64_FORMAT, partition->epoch);
	result = RecsysQuery(assignment->database, "SELECT recsys.stream_stop($1, $2, $3, $4, $5)", 5, parameters);
	if (result == NULL)
		RecsysNoteProblem(assignment, "the database cannot be told of that: %s", assignment->database->message.data);
	good = result != NULL;
	PQclear(result);
	return good;
}
