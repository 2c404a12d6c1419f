/*
 * consumer.c
 *	  A process that consumes: see consumer.h.
 *
 * The loop: give back what the group wants, claim what it gives, read until a batch is full or its first
 * message has waited long enough, write it, tell the database and the broker how far things are.  Partitions
 * are given back and claimed only when the batch is empty.
 *
 * Whatever goes wrong with the database, the batch is dropped, and all partitions are claimed and read anew
 * from where the database says; what of a batch was written before that is known there.
 */
#include "postgres_fe.h"

#include <signal.h>
#include <unistd.h>

#include "stream/run/consumer.h"
#include "stream/run/joining.h"
#include "stream/run/journal.h"
#include "stream/run/reading.h"
#include "stream/run/session.h"
#include "stream/run/signals.h"
#include "stream/run/streamfault.h"

#define LONGEST_WAIT 100		/* ms for messages, while signals and notifications may come */
#define IDLE_ADVANCE 1000		/* ms between advances over what is no message */
#define BROKER_INTERVAL 2000	/* ms between the broker's being told where reading stands */
#define ONCE_PATIENCE 60000		/* ms without any progress until --once gives up */
#define CLOSE_PATIENCE 10		/* s until leaving the group is given up */
#define POLL_AFTER 1000			/* ms of another wait after which librdkafka must see that the process lives */

static bool
is_orphan(pid_t parent)
{
	return getppid() != parent;
}

/* Nothing is written for a while: merges are behind. */
static void
wait_throttled(RecsysConsumer *consumer, int milliseconds)
{
	int64		now = RecsysNow();
	int64		until = now + milliseconds;
	int64		poll_at = now + POLL_AFTER;

	while (now < until && !RecsysStopAsked && !consumer->assignment.revoking)
	{
		RecsysWaitForSocket(-1, false, (int) Min(until - now, LONGEST_WAIT));
		if ((now = RecsysNow()) >= poll_at)
		{
			RecsysKeepPlace(consumer);
			poll_at = now + POLL_AFTER;
		}
	}
	RecsysResumeFetching(&consumer->assignment);
}

/* What was read and not written is forgotten, and read anew from where the database says. */
static void
begin_anew(RecsysConsumer *consumer, int delay)
{
	RecsysBatchClear(&consumer->batch);
	RecsysResumeFetching(&consumer->assignment);
	RecsysRewindAll(&consumer->assignment, delay);
}

static void
lose_connection(RecsysConsumer *consumer)
{
	if (consumer->database.connection != NULL)
		RecsysJournal(RECSYS_JOURNAL_WARNING, "the database is gone: %s", consumer->database.message.data);
	RecsysDisconnect(&consumer->database);
	consumer->connect_at = RecsysNow() + (consumer->failures > 0 ? RecsysBackoff(consumer->failures) : 0);
	begin_anew(consumer, 0);
}

static void
heed_outcome(RecsysConsumer *consumer, RecsysOutcome outcome)
{
	RecsysDatabase *database = &consumer->database;

	switch (outcome)
	{
		case RECSYS_OUTCOME_DONE:
			RecsysBatchClear(&consumer->batch);
			consumer->failures = 0;
			consumer->progress_at = RecsysNow();
			RecsysResumeFetching(&consumer->assignment);
			RecsysHeedAnswer(consumer);
			if (consumer->ended == RECSYS_EXIT_NOT_YET && consumer->apply.answer.throttle > 0)
				wait_throttled(consumer, consumer->apply.answer.throttle);
			break;
		case RECSYS_OUTCOME_FENCED:
			RecsysJournal(RECSYS_JOURNAL_INFO, "what was read is dropped, as another process has a partition or the stream was changed: %s",
						  database->message.data);
			RecsysHeedAnswer(consumer);
			begin_anew(consumer, consumer->failures++ == 0 ? 0 : RecsysBackoff(consumer->failures));
			break;
		case RECSYS_OUTCOME_LOST:
			lose_connection(consumer);
			break;
		case RECSYS_OUTCOME_DECLARATION:
		case RECSYS_OUTCOME_MESSAGE:
			RecsysBatchClear(&consumer->batch);
			RecsysFailStream(consumer, database->message.data);
			break;
		case RECSYS_OUTCOME_ENVIRONMENT:
			if (consumer->batch.written > 0)
				consumer->failures = 0;
			strlcpy(consumer->assignment.problem, database->message.data, sizeof(consumer->assignment.problem));
			RecsysJournal(RECSYS_JOURNAL_WARNING, "what was read cannot be written now: %s", database->message.data);
			begin_anew(consumer, RecsysBackoff(consumer->failures++));
			if (consumer->once && consumer->failures >= 10)
				consumer->ended = RECSYS_EXIT_ERROR;
			RecsysHeartbeat(consumer, true);
			break;
	}
}

/* Writes the batch, if there is anything to write. */
static void
write_batch(RecsysConsumer *consumer)
{
	if (consumer->database.connection == NULL ||
		(consumer->batch.nmessages == 0 && !RecsysIsAhead(&consumer->assignment)))
		return;
	consumer->apply.answer.running = true;
	consumer->apply.answer.version = consumer->declaration->settings.version;
	heed_outcome(consumer, RecsysApplyBatch(&consumer->apply, &consumer->batch));
	consumer->advance_at = RecsysNow() + IDLE_ADVANCE;
}

static bool
batch_is_due(RecsysConsumer *consumer)
{
	int64		now = RecsysNow();

	if (consumer->batch.nmessages == 0)
		return RecsysIsAhead(&consumer->assignment) && (consumer->once || now >= consumer->advance_at);
	return RecsysBatchIsDue(consumer, now);
}

/* How long to wait for messages */
static int
reading_wait(RecsysConsumer *consumer)
{
	int64		left;

	if (consumer->batch.nmessages == 0)
		return LONGEST_WAIT;
	left = consumer->batch.since + consumer->declaration->settings.max_delay - RecsysNow();
	return (int) Max(0, Min(left, LONGEST_WAIT));
}

/* --once: was all read that there was?  Lost partitions do not keep the others. */
static void
end_once(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;
	bool		lost = false;

	if (RecsysNow() - consumer->progress_at > ONCE_PATIENCE && consumer->ended == RECSYS_EXIT_NOT_YET)
	{
		RecsysJournal(RECSYS_JOURNAL_ERROR, "nothing could be read for a long time%s%s", assignment->problem[0] != '\0' ? ": " : "",
					  assignment->problem);
		consumer->ended = RECSYS_EXIT_ERROR;
	}
	if (!assignment->given || consumer->batch.nmessages > 0 || consumer->ended != RECSYS_EXIT_NOT_YET)
		return;
	for (int number = 0; number < assignment->npartitions; number++)
	{
		const RecsysPartition *partition = assignment->partitions[number];

		if (partition->step == RECSYS_PARTITION_LOST)
			lost = true;
		else if (partition->step != RECSYS_PARTITION_FETCH || !partition->at_end || partition->position != partition->committed)
			return;
	}
	consumer->ended = lost ? RECSYS_EXIT_LOST : RECSYS_EXIT_DONE;
}

/*
 * Somebody has called a function of the stream's, or says so: everybody may call NOTIFY.  The heartbeat
 * finds out what it was about, and is called once a second at most.
 */
static void
heed_notification(RecsysConsumer *consumer)
{
	consumer->notified |= RecsysNotified(&consumer->database, consumer->stream);
	if (!consumer->notified || RecsysNow() < consumer->heed_at)
		return;
	consumer->notified = false;
	consumer->heed_at = RecsysNow() + 1000;
	RecsysHeartbeat(consumer, true);
}

static void
reconnect(RecsysConsumer *consumer)
{
	if (RecsysNow() >= consumer->connect_at)
		RecsysOpenSession(consumer);
}

/*
 * What was read until now is of the logs that were verified, and is written; then all logs are verified once
 * more.  Where there is no topic of that name for more than a moment, the group takes the partitions away.
 */
static void
verify_again(RecsysConsumer *consumer)
{
	RecsysJournal(RECSYS_JOURNAL_INFO, "a partition has another leader, or its topic was deleted: the logs are verified again");
	write_batch(consumer);
	consumer->assignment.suspicious = 0;	/* what is seen from now on is of logs that are yet to be verified */
	begin_anew(consumer, 0);
}

/* One round of the loop, with a consumer in the group */
static void
work(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;
	bool		claims;

	RecsysResumeFetching(assignment);	/* before any of them is given back */
	if (consumer->database.connection != NULL && PQstatus(consumer->database.connection) == CONNECTION_BAD)
	{
		printfPQExpBuffer(&consumer->database.message, "the server has closed the connection");
		lose_connection(consumer);
	}
	if (consumer->database.connection == NULL)
		reconnect(consumer);
	if (assignment->suspicious)
		verify_again(consumer);
	/* asked once: one that becomes due after the batch was looked at would be read twice into it */
	claims = RecsysHasToClaim(assignment);
	if (assignment->revoking || claims)
	{
		write_batch(consumer);
		if (consumer->batch.nmessages > 0)
			begin_anew(consumer, 0);	/* it cannot be written; who gets the partitions reads it anew */
		if (assignment->revoking)
			RecsysGiveBack(assignment);
	}
	if (consumer->database.connection != NULL && claims && !RecsysClaimPartitions(assignment))
		lose_connection(consumer);
	RecsysResumeFetching(&consumer->assignment);
	if (assignment->outdated && consumer->ended == RECSYS_EXIT_NOT_YET)
		consumer->ended = RECSYS_EXIT_CHANGED;
	if (assignment->hang_at != 0 && RecsysNow() > assignment->hang_at && consumer->ended == RECSYS_EXIT_NOT_YET)
	{
		/* a new process will find its way; nothing is lost by it */
		RecsysJournal(RECSYS_JOURNAL_WARNING, "the group has not given any partitions for a long time");
		consumer->ended = RECSYS_EXIT_ERROR;
	}
	if (consumer->ended != RECSYS_EXIT_NOT_YET)
		return;

	RecsysRead(consumer, reading_wait(consumer));
	if (batch_is_due(consumer))
		write_batch(consumer);
	heed_notification(consumer);
	RecsysHeartbeat(consumer, false);
	if (RecsysNow() >= consumer->broker_at)
	{
		RecsysTellBroker(assignment);
		consumer->broker_at = RecsysNow() + BROKER_INTERVAL;
	}
	if (consumer->once)
		end_once(consumer);
}

/* --once has no process that merges beside it. */
static void
merge_once(RecsysConsumer *consumer)
{
	if (consumer->declaration->settings.merge_interval > 0 &&
		!RecsysExecute(&consumer->database, "SELECT recsys.merge_pending()", NULL, 0, NULL))
		RecsysJournal(RECSYS_JOURNAL_WARNING, "indexes cannot be merged: %s", consumer->database.message.data);
}

static int	last_status;		/* for end_at_once */

/* The group will find out by itself. */
static void
end_at_once(int signal)
{
	_exit(last_status);
}

/* Leaves the group, so that others get the partitions at once. */
static void
leave(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;

	if (RecsysStopAsked && consumer->ended == RECSYS_EXIT_NOT_YET)
	{
		write_batch(consumer);
		consumer->ended = RECSYS_EXIT_DONE;
	}
	RecsysBatchClear(&consumer->batch);
	last_status = consumer->ended == RECSYS_EXIT_NOT_YET ? RECSYS_EXIT_ERROR : consumer->ended;
	if (assignment->broker == NULL)
		return;
	if (consumer->once && consumer->ended == RECSYS_EXIT_DONE)
		merge_once(consumer);
	RecsysTellBroker(assignment);
	RecsysReleasePartitions(consumer);
	assignment->closing = true;
	if (assignment->revoking)
		RecsysGiveBack(assignment);

	/*
	 * Leaving waits for the broker, which may be gone.  rd_kafka_destroy() is not called: it would wait for
	 * ever for a topic that was deleted, and the process ends anyway.
	 */
	signal(SIGALRM, end_at_once);
	alarm(CLOSE_PATIENCE);
	rd_kafka_consumer_close(assignment->broker);
	alarm(0);
	RECSYS_STREAM_FAULT("after close");
	RecsysDisconnect(&consumer->database);
}

int
RecsysConsume(const char *conninfo, const char *stream, const RecsysProgramFile *file, int job, bool once)
{
	RecsysConsumer *consumer = pg_malloc0(sizeof(RecsysConsumer));
	pid_t		parent = getppid();
	bool		joined = false;
	char		host[64] = "";

	gethostname(host, sizeof(host) - 1);
	consumer->stream = stream;
	consumer->file = file;
	consumer->job = job;
	consumer->once = once;
	consumer->ended = RECSYS_EXIT_NOT_YET;
	consumer->progress_at = RecsysNow();
	snprintf(consumer->name, sizeof(consumer->name), "%s:%d", host, (int) getpid());
	RecsysDatabaseInit(&consumer->database, conninfo);
	consumer->database.hook = RecsysKeepPlace;
	consumer->database.argument = consumer;
	RecsysBatchInit(&consumer->batch);

	while (consumer->ended == RECSYS_EXIT_NOT_YET && !RecsysStopAsked && !is_orphan(parent))
	{
		if (joined)
			work(consumer);
		else if (RecsysNow() < consumer->connect_at)
			RecsysWaitForSocket(-1, false, LONGEST_WAIT);
		else if ((consumer->database.connection != NULL || RecsysOpenSession(consumer)) &&
				 (consumer->assignment.broker != NULL || RecsysMakeConsumer(consumer)))
		{
			joined = RecsysJoinGroup(consumer);
			if (!joined && consumer->database.outcome == RECSYS_OUTCOME_LOST)
				RecsysDisconnect(&consumer->database);
			if (!joined)
				consumer->connect_at = RecsysNow() + RecsysBackoff(consumer->failures++);
		}
	}
	leave(consumer);
	return last_status;
}
