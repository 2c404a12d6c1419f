/*
 * session.c
 *	  A consumer's session in the database: see session.h.
 */
#include "postgres_fe.h"

#include "stream/run/claim.h"
#include "stream/run/journal.h"
#include "stream/run/session.h"
#include "stream/run/signals.h"

#define HEARTBEAT 5000			/* ms */
#define LAG_HEARTBEAT 1000		/* ms, while the logs grow and nothing is written */
/* --once gives up after so many failures in a row */
#define ONCE_FAILURES 6

static void
fail_for_now(RecsysConsumer *consumer)
{
	RecsysJournal(RECSYS_JOURNAL_WARNING, "%s", consumer->database.message.data);
	RecsysDisconnect(&consumer->database);
	consumer->connect_at = RecsysNow() + RecsysBackoff(consumer->failures++);
	if (consumer->once && consumer->failures >= ONCE_FAILURES)
		consumer->ended = RECSYS_EXIT_ERROR;
}

/* The declaration as it is now; true if it is the one that this process runs, or the first. */
static bool
take_declaration(RecsysConsumer *consumer)
{
	RecsysDeclaration *declaration = RecsysReadDeclaration(&consumer->database, consumer->stream);

	if (declaration == NULL)
	{
		if (consumer->database.outcome == RECSYS_OUTCOME_DECLARATION)
		{
			RecsysJournal(RECSYS_JOURNAL_ERROR, "%s", consumer->database.message.data);
			consumer->ended = RECSYS_EXIT_STOPPED;
		}
		else
			fail_for_now(consumer);
		return false;
	}
	if (strcmp(declaration->state, "running") != 0)
		consumer->ended = RECSYS_EXIT_STOPPED;
	else if (consumer->declaration != NULL && consumer->declaration->settings.version != declaration->settings.version)
		consumer->ended = RECSYS_EXIT_CHANGED;
	else if (consumer->declaration == NULL)
		consumer->declaration = declaration;
	return consumer->ended == RECSYS_EXIT_NOT_YET;
}

bool
RecsysOpenSession(RecsysConsumer *consumer)
{
	RecsysDatabase *database = &consumer->database;
	char	   *who = psprintf("recsys-stream %s", consumer->stream);
	bool		connected = RecsysConnect(database, who);

	pg_free(who);
	if (!connected)
	{
		fail_for_now(consumer);
		return false;
	}
	if (!take_declaration(consumer))
		return false;
	if (!RecsysBecomeOwner(database, consumer->declaration))
	{
		if (database->outcome == RECSYS_OUTCOME_DECLARATION)
		{
			/* of this program's role, or of its right to have a temporary table: others may be able to run it */
			RecsysJournal(RECSYS_JOURNAL_ERROR, "%s", database->message.data);
			strlcpy(consumer->assignment.problem, database->message.data, sizeof(consumer->assignment.problem));
			RecsysHeartbeat(consumer, true);
			consumer->ended = RECSYS_EXIT_ERROR;
		}
		else
			fail_for_now(consumer);
		return false;
	}
	consumer->failures = 0;
	consumer->heartbeat_at = 0;
	RecsysJournal(RECSYS_JOURNAL_DEBUG, "connected to the database");
	return true;
}

void
RecsysHeedAnswer(RecsysConsumer *consumer)
{
	const RecsysAnswer *answer = &consumer->apply.answer;

	if (consumer->ended != RECSYS_EXIT_NOT_YET)
		return;
	if (!answer->running)
	{
		RecsysJournal(RECSYS_JOURNAL_INFO, "the stream is %s", answer->state);
		consumer->ended = RECSYS_EXIT_STOPPED;
	}
	else if (answer->version != consumer->declaration->settings.version)
		consumer->ended = RECSYS_EXIT_CHANGED;
}

static bool
lag_is_new(const RecsysAssignment *assignment)
{
	for (int number = 0; number < assignment->npartitions; number++)
		if (assignment->partitions[number]->high_watermark != assignment->partitions[number]->told)
			return true;
	return false;
}

/* The partitions that this process has claimed, as arrays */
static void
list_claimed(const RecsysAssignment *assignment, PQExpBuffer ids, PQExpBuffer epochs, PQExpBuffer highs)
{
	const char *separator = "{";

	initPQExpBuffer(ids);
	initPQExpBuffer(epochs);
	initPQExpBuffer(highs);
	for (int number = 0; number < assignment->npartitions; number++)
	{
		const RecsysPartition *partition = assignment->partitions[number];

		/* those that are lost, too: seek_stream() has somebody claim them anew, and this is how that is seen */
		if (partition->step == RECSYS_PARTITION_CLAIM)
			continue;
		appendPQExpBuffer(ids, "%s%d", separator, partition->id);
		appendPQExpBuffer(epochs, "%s" INT64_FORMAT, separator, partition->epoch);
		if (partition->high_watermark >= 0)
			appendPQExpBuffer(highs, "%s" INT64_FORMAT, separator, partition->high_watermark);
		else
			appendPQExpBuffer(highs, "%sNULL", separator);
		separator = ",";
	}
	appendPQExpBufferStr(ids, ids->len == 0 ? "{}" : "}");
	appendPQExpBufferStr(epochs, epochs->len == 0 ? "{}" : "}");
	appendPQExpBufferStr(highs, highs->len == 0 ? "{}" : "}");
}

static void
send_heartbeat(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;
	PQExpBufferData ids;
	PQExpBufferData epochs;
	PQExpBufferData highs;
	const char *parameters[6];
	PGresult   *result;

	list_claimed(assignment, &ids, &epochs, &highs);
	parameters[0] = consumer->stream;
	parameters[1] = consumer->name;
	parameters[2] = ids.data;
	parameters[3] = epochs.data;
	parameters[4] = highs.data;
	parameters[5] = strcmp(assignment->problem, consumer->told) != 0 && assignment->problem[0] != '\0' ? assignment->problem : NULL;
	result = RecsysQuery(&consumer->database, "SELECT * FROM recsys.stream_heartbeat($1, $2, $3, $4, $5, $6)", 6, parameters);
	if (result != NULL)
	{
		RecsysTakeAnswer(&consumer->apply.answer, result);
		RecsysHeedAnswer(consumer);
		strlcpy(consumer->told, assignment->problem, sizeof(consumer->told));
		for (int number = 0; number < assignment->npartitions; number++)
			assignment->partitions[number]->told = assignment->partitions[number]->high_watermark;
		PQclear(result);
	}
	else if (consumer->database.outcome == RECSYS_OUTCOME_FENCED)
	{
		/* somebody has claimed a partition of this process, or called seek_stream(): what is not written is read anew */
		RecsysBatchClear(&consumer->batch);
		RecsysRewindAll(assignment, RecsysBackoff(consumer->failures++));
	}
	else if (consumer->database.outcome == RECSYS_OUTCOME_DECLARATION)
	{
		RecsysJournal(RECSYS_JOURNAL_ERROR, "%s", consumer->database.message.data);
		consumer->ended = RECSYS_EXIT_STOPPED;	/* dropped, or a right is gone */
	}
	else
		RecsysJournal(RECSYS_JOURNAL_WARNING, "%s", consumer->database.message.data);
	termPQExpBuffer(&ids);
	termPQExpBuffer(&epochs);
	termPQExpBuffer(&highs);
}

void
RecsysHeartbeat(RecsysConsumer *consumer, bool now)
{
	RecsysAssignment *assignment = &consumer->assignment;
	int64		time = RecsysNow();

	if (consumer->database.connection == NULL || consumer->declaration == NULL)
		return;
	if (!now && time < consumer->heartbeat_at - (HEARTBEAT - LAG_HEARTBEAT))
		return;
	RecsysNoteWatermarks(assignment);
	if (!now && time < consumer->heartbeat_at && !lag_is_new(assignment) && strcmp(assignment->problem, consumer->told) == 0)
		return;
	consumer->heartbeat_at = time + HEARTBEAT;
	send_heartbeat(consumer);
}

void
RecsysFailStream(RecsysConsumer *consumer, const char *message)
{
	char		version[32];
	const char *const parameters[] = {consumer->stream, NULL, version, "failed", message};
	PGresult   *result;

	RecsysJournal(RECSYS_JOURNAL_ERROR, "the stream stops: %s", message);
	snprintf(version, sizeof(version), INT64_FORMAT, consumer->declaration->settings.version);
	result = RecsysQuery(&consumer->database, "SELECT recsys.stream_stop($1, $2, $3, $4, $5)", 5, parameters);
	consumer->ended = RECSYS_EXIT_STOPPED;
	if (result == NULL)
	{
		/* the next process will find the same */
		RecsysJournal(RECSYS_JOURNAL_WARNING, "the database cannot be told of that: %s", consumer->database.message.data);
		consumer->ended = RECSYS_EXIT_ERROR;
	}
	PQclear(result);
}

void
RecsysReleasePartitions(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;

	for (int number = 0; number < assignment->npartitions; number++)
		if (assignment->partitions[number]->step == RECSYS_PARTITION_FETCH && consumer->database.connection != NULL)
			if (!RecsysStopPartition(assignment, assignment->partitions[number], "released", NULL))
				break;
}
