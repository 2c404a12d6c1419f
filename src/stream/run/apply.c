/*
 * apply.c
 *	  A batch into the database: see apply.h.
 *
 * Each event counts once, as
 *
 * 1. rows, rejected messages and the offsets behind them are written in one transaction: if one is there, so
 *	  are the others, whatever dies when.  What is in memory, or known to Kafka, is never relied upon: a
 *	  process begins where the database says.
 *
 * 2. stream_advance() moves an offset on only from where this process has begun to read, and only with the
 *	  epoch of its own claim.  So two processes that have read the same messages cannot both write them: the
 *	  second one to reach the partition's row waits for the first one's transaction, and then finds another
 *	  offset, or another epoch.  A transaction that is fenced takes its rows with it.
 *
 * 3. Where the outcome of a COMMIT is not known, as the connection was lost, the batch is dropped.  Claiming
 *	  waits for that transaction, if its server process still lives, since it holds the partition's row from
 *	  stream_advance() on; before that call, it cannot commit any more after the claim.  The claim tells
 *	  what became of it.  On a standby that was promoted without having got the transaction, rows and
 *	  offset are missing both.
 *
 * 4. A batch holds the messages of a partition in the order of their offsets, without leaving any out: those
 *	  that are passed over (no consent) or rejected are in it too.  Pieces of a batch are written in order,
 *	  and each moves its partitions on to behind its last message of them, no further.  Offsets that are no
 *	  message (control records, aborted transactions, what compaction took) are passed over when the broker
 *	  says that the partition was read to that offset: position, of which the last piece knows.
 *
 * A message whose rows the server refuses would stop all others.  So when a transaction fails and it may be
 * a message's fault, a shorter piece is tried, down to one message, which is then rejected with the
 * server's words; pieces grow again behind it.
 */
#include "postgres_fe.h"

#include "stream/run/apply.h"
#include "stream/run/journal.h"
#include "stream/run/streamfault.h"

/* How often a transaction that was the victim of a deadlock is tried again at once */
#define DEADLOCK_RETRIES 5

void
RecsysTakeAnswer(RecsysAnswer *answer, const PGresult *result)
{
	int			state = PQfnumber(result, "state");
	int			version = PQfnumber(result, "version");
	int			throttle = PQfnumber(result, "throttle");

	if (PQntuples(result) != 1 || state < 0 || version < 0 || throttle < 0)
		return;
	strlcpy(answer->state, PQgetvalue(result, 0, state), sizeof(answer->state));
	answer->running = strcmp(answer->state, "running") == 0;
	answer->version = strtoll(PQgetvalue(result, 0, version), NULL, 10);
	answer->throttle = atoi(PQgetvalue(result, 0, throttle));
}

bool
RecsysIsAhead(const RecsysAssignment *assignment)
{
	for (int number = 0; number < assignment->npartitions; number++)
	{
		const RecsysPartition *partition = assignment->partitions[number];

		if (partition->step == RECSYS_PARTITION_FETCH && !partition->verifying && partition->position > partition->committed)
			return true;
	}
	return false;
}

/* The last message that the database will know of a partition */
static RecsysLastMessage
last_of(const RecsysPartition *partition, const RecsysBatch *batch)
{
	RecsysLastMessage last = partition->last;

	if (partition->piece_last >= 0)
	{
		const rd_kafka_message_t *message = batch->messages[partition->piece_last].message;

		last.offset = message->offset;
		last.timestamp = RecsysTimestamp(message);
		last.checksum = RecsysChecksum(message);
	}
	return last;
}

/* Finds out how far the messages from first to before end take each partition. */
static void
measure_piece(RecsysApply *apply, RecsysBatch *batch, int first, int end)
{
	RecsysAssignment *assignment = apply->assignment;

	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		/* the last piece takes partitions over what is no message, too */
		partition->involved = end == batch->nmessages && partition->step == RECSYS_PARTITION_FETCH &&
			!partition->verifying && partition->position > partition->committed;
		partition->piece_next = partition->involved ? partition->position : partition->committed;
		partition->piece_last = -1;
		partition->piece_messages = partition->piece_rejected = 0;
	}
	for (int number = first; number < end; number++)
	{
		RecsysBatchMessage *message = &batch->messages[number];
		RecsysPartition *partition = message->partition;

		partition->involved = true;
		partition->piece_next = Max(partition->piece_next, message->message->offset + 1);
		partition->piece_last = number;
		partition->piece_messages++;
		partition->piece_rejected += message->reason != NULL;
	}
	for (int number = 0; number < assignment->npartitions; number++)
		if (assignment->partitions[number]->involved)
			assignment->partitions[number]->piece_end = last_of(assignment->partitions[number], batch);
}

enum
{
	COLUMN_PARTITION, COLUMN_EPOCH, COLUMN_EXPECTED, COLUMN_NEXT, COLUMN_LAST_OFFSET, COLUMN_LAST_TIMESTAMP,
	COLUMN_LAST_CHECKSUM, COLUMN_HIGH, COLUMN_MESSAGES, COLUMN_REJECTED, COLUMNS
};

/* What one of the arrays of stream_advance() has of a partition; false for NULL */
static bool
column_value(const RecsysPartition *partition, int column, int64 *value)
{
	const RecsysLastMessage *last = &partition->piece_end;

	switch (column)
	{
		case COLUMN_PARTITION:
			*value = partition->id;
			return true;
		case COLUMN_EPOCH:
			*value = partition->epoch;
			return true;
		case COLUMN_EXPECTED:
			*value = partition->committed;
			return true;
		case COLUMN_NEXT:
			*value = partition->piece_next;
			return true;
		case COLUMN_LAST_OFFSET:
			*value = last->offset;
			return last->offset >= 0;
		case COLUMN_LAST_TIMESTAMP:
			*value = last->timestamp;
			return last->offset >= 0;
		case COLUMN_LAST_CHECKSUM:
			*value = last->checksum;
			return last->offset >= 0;
		case COLUMN_HIGH:
			*value = partition->high_watermark;
			return *value >= 0;
		case COLUMN_MESSAGES:
			*value = partition->piece_messages;
			return true;
		default:
			*value = partition->piece_rejected;
			return true;
	}
}

static void
append_column(PQExpBuffer statement, const RecsysAssignment *assignment, int column)
{
	const char *separator = ", '{";

	for (int number = 0; number < assignment->npartitions; number++)
	{
		const RecsysPartition *partition = assignment->partitions[number];
		int64		value;

		if (!partition->involved)
			continue;
		appendPQExpBufferStr(statement, separator);
		if (column_value(partition, column, &value))
			appendPQExpBuffer(statement, INT64_FORMAT, value);
		else
			appendPQExpBufferStr(statement, "NULL");
		separator = ",";
	}
	appendPQExpBufferStr(statement, "}'");
}

static bool
append_literal(RecsysDatabase *database, PQExpBuffer statement, const char *text)
{
	char	   *literal = PQescapeLiteral(database->connection, text, strlen(text));

	if (literal == NULL)
		return false;
	appendPQExpBufferStr(statement, literal);
	PQfreemem(literal);
	return true;
}

/* The server commits, whatever becomes of this process. */
static void
commit_is_sent(void)
{
	RECSYS_STREAM_FAULT("during commit");
}

/*
 * Moves the partitions on, and commits.  The two go to the server together: between them there is nothing
 * that this process could still do.
 */
static RecsysOutcome
advance(RecsysApply *apply, int64 rows)
{
	RecsysDatabase *database = apply->assignment->database;
	PQExpBufferData statement;
	PGresult   *result = NULL;

	initPQExpBuffer(&statement);
	appendPQExpBufferStr(&statement, "SELECT * FROM recsys.stream_advance(");
	if (append_literal(database, &statement, apply->settings->name))
	{
		for (int column = 0; column < COLUMNS; column++)
			append_column(&statement, apply->assignment, column);
		appendPQExpBuffer(&statement, ", " INT64_FORMAT "); COMMIT", rows);
		RECSYS_STREAM_FAULT("before advance");
		database->sent = commit_is_sent;
		result = RecsysQuery(database, statement.data, 0, NULL);
		database->sent = NULL;
		RECSYS_STREAM_FAULT("after commit");
	}
	termPQExpBuffer(&statement);

	if (result == NULL)
	{
		/* offsets were moved on, so it is COMMIT that failed: constraints that wait for it are rows' matter */
		if (database->answered && database->outcome != RECSYS_OUTCOME_LOST)
			database->outcome = RecsysRowsOutcome(database->sqlstate);
		return database->outcome;
	}
	if (strcmp(database->tag, "COMMIT") != 0)
	{
		/* rolled back, if somebody has had the transaction fail without an error that was seen */
		PQclear(result);
		printfPQExpBuffer(&database->message, "COMMIT was answered by %s", database->tag);
		return database->outcome = RECSYS_OUTCOME_ENVIRONMENT;
	}
	RecsysTakeAnswer(&apply->answer, result);
	PQclear(result);
	return RECSYS_OUTCOME_DONE;
}

/* Elements of arrays as text: quoted, or NULL */
static void
append_element(PQExpBuffer array, const char *text)
{
	appendPQExpBufferChar(array, array->len == 0 ? '{' : ',');
	if (text == NULL)
	{
		appendPQExpBufferStr(array, "NULL");
		return;
	}
	appendPQExpBufferChar(array, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			appendPQExpBufferChar(array, '\\');
		appendPQExpBufferChar(array, *text);
	}
	appendPQExpBufferChar(array, '"');
}

static void
append_number(PQExpBuffer array, int64 number)
{
	appendPQExpBuffer(array, "%c" INT64_FORMAT, array->len == 0 ? '{' : ',', number);
}

static void
append_bytes(PQExpBuffer array, const void *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = bytes;

	if (bytes == NULL)
	{
		append_element(array, NULL);
		return;
	}
	appendPQExpBufferStr(array, array->len == 0 ? "{\"\\\\x" : ",\"\\\\x");
	if (!enlargePQExpBuffer(array, 2 * length + 8))
		return;
	for (size_t number = 0; number < length; number++)
	{
		array->data[array->len++] = digits[at[number] >> 4];
		array->data[array->len++] = digits[at[number] & 15];
	}
	array->data[array->len] = '\0';
	appendPQExpBufferChar(array, '"');
}

/* Writes the rejected messages of a piece.  Payloads and keys go along only if no pseudonyms are made. */
static bool
write_rejected(RecsysApply *apply, RecsysBatch *batch, int first, int end)
{
	enum {PARTITIONS, OFFSETS, TIMESTAMPS, KEYS, PAYLOADS, REASONS, STATES, ARRAYS};
	PQExpBufferData arrays[ARRAYS];
	const char *parameters[ARRAYS + 1];
	PGresult   *result;
	bool		good;

	for (int array = 0; array < ARRAYS; array++)
		initPQExpBuffer(&arrays[array]);
	for (int number = first; number < end; number++)
	{
		const RecsysBatchMessage *rejected = &batch->messages[number];
		const rd_kafka_message_t *message = rejected->message;
		bool		keep = apply->settings->keep_payload;

		if (rejected->reason == NULL)
			continue;
		append_number(&arrays[PARTITIONS], message->partition);
		append_number(&arrays[OFFSETS], message->offset);
		append_number(&arrays[TIMESTAMPS], RecsysTimestamp(message));
		append_bytes(&arrays[KEYS], keep ? message->key : NULL, message->key_len);
		append_bytes(&arrays[PAYLOADS], keep ? message->payload : NULL, message->len);
		append_element(&arrays[REASONS], rejected->reason);
		append_element(&arrays[STATES], rejected->sqlstate[0] != '\0' ? rejected->sqlstate : NULL);
	}
	parameters[0] = apply->settings->name;
	good = true;
	for (int array = 0; array < ARRAYS; array++)
	{
		appendPQExpBufferChar(&arrays[array], '}');
		parameters[array + 1] = arrays[array].data;
		good &= !PQExpBufferDataBroken(arrays[array]);
	}
	if (!good)
	{
		fprintf(stderr, "out of memory\n");
		exit(EXIT_FAILURE);
	}
	result = RecsysQuery(apply->assignment->database, "SELECT recsys.stream_reject($1, $2, $3, $4, $5, $6, $7, $8)",
						 ARRAYS + 1, parameters);
	good = result != NULL;
	PQclear(result);
	for (int array = 0; array < ARRAYS; array++)
		termPQExpBuffer(&arrays[array]);
	return good;
}

/* BEGIN, COPY and the statements that take rows from the staging table, in one go. */
static bool
write_rows(RecsysApply *apply, RecsysBatch *batch, size_t begin, size_t length, int64 *rows)
{
	const RecsysStreamSettings *settings = apply->settings;
	RecsysDatabase *database = apply->assignment->database;
	PQExpBufferData statements;
	bool		good;

	initPQExpBuffer(&statements);
	appendPQExpBufferStr(&statements, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	if (length > 0)
	{
		appendPQExpBuffer(&statements, ";\n%s", settings->copy);
		for (int number = 0; number < settings->napply; number++)
			appendPQExpBuffer(&statements, "\n;\n%s", settings->apply[number]);
	}
	RECSYS_STREAM_FAULT("before copy");
	database->writes_rows = length > 0;
	good = RecsysExecute(database, statements.data, batch->rows.data + begin, length, rows);
	database->writes_rows = false;
	RECSYS_STREAM_FAULT("after rows");
	termPQExpBuffer(&statements);
	return good;
}

/* One transaction with the messages from first to before end */
static RecsysOutcome
write_piece(RecsysApply *apply, RecsysBatch *batch, int first, int end)
{
	RecsysAssignment *assignment = apply->assignment;
	RecsysDatabase *database = assignment->database;
	size_t		begin = RecsysBatchRows(batch, first);
	size_t		length = RecsysBatchRows(batch, end) - begin;
	int64		rejected = 0;
	int64		rows = 0;

	measure_piece(apply, batch, first, end);
	for (int number = 0; number < assignment->npartitions; number++)
		rejected += assignment->partitions[number]->piece_rejected;

	/* rows of a message that the server has refused stay in the batch: it is alone in its piece */
	if (end - first == 1 && rejected > 0)
		length = 0;

	if (!write_rows(apply, batch, begin, length, &rows) ||
		(rejected > 0 && !write_rejected(apply, batch, first, end)) ||
		advance(apply, rows) != RECSYS_OUTCOME_DONE)
	{
		RecsysOutcome outcome = database->outcome;

		if (!RecsysRollback(database))
			outcome = RECSYS_OUTCOME_LOST;
		return outcome;
	}

	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		if (!partition->involved)
			continue;
		partition->last = partition->piece_end;
		partition->committed = partition->piece_next;
		partition->told = partition->high_watermark;
	}
	apply->rejected += rejected;
	return RECSYS_OUTCOME_DONE;
}

/*
 * Rejects a message with the server's reason.  That may show values of the message, which must not be kept
 * where those of its payload must not.
 */
static void
reject(RecsysApply *apply, RecsysBatch *batch, int number)
{
	RecsysDatabase *database = apply->assignment->database;
	char	   *anonymous = psprintf("the server refused it with SQLSTATE %s", database->sqlstate);

	RecsysBatchReject(batch, number, apply->settings->keep_payload ? database->message.data : anonymous, database->sqlstate);
	pg_free(anonymous);
}

RecsysOutcome
RecsysApplyBatch(RecsysApply *apply, RecsysBatch *batch)
{
	RecsysDatabase *database = apply->assignment->database;
	int			deadlocks = 0;

	RecsysNoteWatermarks(apply->assignment);
	do
	{
		int			first = batch->written;
		int			left = batch->nmessages - first;
		int			end = first + (apply->limit > 0 ? Min(left, apply->limit) : left);
		RecsysOutcome outcome = write_piece(apply, batch, first, end);

		if (outcome == RECSYS_OUTCOME_DONE)
		{
			batch->written = end;
			/* 0 is no limit: so far from a faulty message that the next one is not expected soon */
			apply->limit = apply->limit > apply->settings->max_rows / 2 ? 0 : apply->limit * 2;
			if (!apply->answer.running)
				return end == batch->nmessages ? RECSYS_OUTCOME_DONE : RECSYS_OUTCOME_FENCED;
		}
		else if (outcome == RECSYS_OUTCOME_MESSAGE && end - first > 1)
			apply->limit = (end - first) / 2;
		else if (outcome == RECSYS_OUTCOME_MESSAGE && end - first == 1 && batch->messages[first].reason == NULL)
		{
			apply->limit = 1;
			reject(apply, batch, first);
		}
		else if (outcome == RECSYS_OUTCOME_MESSAGE)
			return RECSYS_OUTCOME_DECLARATION;	/* not even its rejection can be written */
		else if (outcome == RECSYS_OUTCOME_ENVIRONMENT && strcmp(database->sqlstate, "40P01") == 0 &&
				 deadlocks++ < DEADLOCK_RETRIES)
			RecsysJournal(RECSYS_JOURNAL_DEBUG, "a deadlock: the transaction is made again");
		else
		{
			/* statement_timeout, or no memory: the same batch would find that for ever, fewer messages may not */
			if (strcmp(database->sqlstate, "57014") == 0 || strcmp(database->sqlstate, "53200") == 0)
				apply->limit = Max(1, (end - first) / 2);
			return outcome;
		}
	} while (batch->written < batch->nmessages);
	return RECSYS_OUTCOME_DONE;
}
