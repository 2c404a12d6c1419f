/*
 * assigned.c
 *	  The partitions of a process: see assigned.h.
 *
 * When the group gives a partition, librdkafka is answered at once with an empty assignment; the partition
 * is fetched when it was claimed in the database and its log was found to be the one that was read before.
 * So a database that is down costs nobody a place in the group, and there is one way in for a partition
 * whatever has happened: a new process, a rebalance, a lost connection, an outcome that is not known, a
 * partition that another one had taken, a seek.
 */
#include "postgres_fe.h"

#include "stream/run/assigned.h"
#include "stream/run/claim.h"
#include "stream/run/journal.h"
#include "stream/run/signals.h"
#include "stream/run/streamfault.h"

#define TROUBLE_LASTS 5000		/* ms after an error of a broker in which nothing is committed there */

RecsysPartition *
RecsysFindPartition(RecsysAssignment *assignment, int32 id)
{
	for (int number = 0; number < assignment->npartitions; number++)
		if (assignment->partitions[number]->id == id)
			return assignment->partitions[number];
	return NULL;
}

static void
add_partition(RecsysAssignment *assignment, int32 id)
{
	RecsysPartition *partition = RecsysFindPartition(assignment, id);

	if (partition != NULL)
	{
		/* given again before it was given back: messages of it may be in the batch */
		partition->given_again = partition->revoked;
		return;
	}
	assignment->partitions = pg_realloc(assignment->partitions, (assignment->npartitions + 1) * sizeof(RecsysPartition *));
	partition = assignment->partitions[assignment->npartitions++] = pg_malloc0(sizeof(RecsysPartition));
	partition->id = id;
	partition->step = RECSYS_PARTITION_CLAIM;
	partition->high_watermark = partition->told = partition->last.offset = -1;
}

static bool
is_cooperative(rd_kafka_t *broker)
{
	const char *protocol = rd_kafka_rebalance_protocol(broker);

	return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static void
note_failure(const char *what, rd_kafka_error_t *error)
{
	if (error == NULL)
		return;
	RecsysJournal(RECSYS_JOURNAL_WARNING, "%s failed: %s", what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
}

/*
 * Has librdkafka fetch those partitions that are in step FETCH, of which changed have come or gone.  The
 * eager protocol knows whole assignments only, so all of them begin again where this process is.
 */
static void
assign_fetched(RecsysAssignment *assignment, RecsysPartition **changed, int nchanged, bool come)
{
	bool		cooperative = is_cooperative(assignment->broker);
	int			number = cooperative ? nchanged : assignment->npartitions;
	RecsysPartition **partitions = cooperative ? changed : assignment->partitions;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(number);

	for (int at = 0; at < number; at++)
		if (cooperative || partitions[at]->step == RECSYS_PARTITION_FETCH)
			rd_kafka_topic_partition_list_add(list, assignment->topic, partitions[at]->id)->offset =
				RecsysFetchOffset(partitions[at]);

	if (!cooperative)
	{
		rd_kafka_resp_err_t error = rd_kafka_assign(assignment->broker, list);

		if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
			RecsysJournal(RECSYS_JOURNAL_WARNING, "the assignment of partitions failed: %s", rd_kafka_err2str(error));
	}
	else if (come)
		note_failure("the assignment of partitions", rd_kafka_incremental_assign(assignment->broker, list));
	else
		note_failure("giving partitions back", rd_kafka_incremental_unassign(assignment->broker, list));
	rd_kafka_topic_partition_list_destroy(list);
}

/* Answers the group that nothing is fetched yet of what it has given. */
static void
accept_nothing(RecsysAssignment *assignment)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	if (is_cooperative(assignment->broker))
		note_failure("the assignment of partitions", rd_kafka_incremental_assign(assignment->broker, list));
	else
		rd_kafka_assign(assignment->broker, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/*
 * Called while messages are awaited, and so perhaps while a batch is being written.  What is given back
 * waits until that is done: what follows stays in the batch's process and nobody reads it twice.  It would
 * be safe otherwise too, but a fence would undo the work.
 */
void
RecsysRebalance(rd_kafka_t *broker, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t *list, void *opaque)
{
	RecsysAssignment *assignment = opaque;

	if (kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
	{
		assignment->given = true;
		assignment->hang_at = 0;
		for (int number = 0; number < list->cnt; number++)
			add_partition(assignment, list->elems[number].partition);
		RecsysJournal(RECSYS_JOURNAL_DEBUG, "the group gives %d partitions", list->cnt);
		accept_nothing(assignment);
		return;
	}

	for (int number = 0; number < assignment->npartitions; number++)
		if (kind != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS ||
			rd_kafka_topic_partition_list_find(list, assignment->topic, assignment->partitions[number]->id) != NULL)
			assignment->partitions[number]->revoked = true;
	RecsysJournal(RECSYS_JOURNAL_DEBUG, "the group takes %d partitions", list->cnt);
	if (kind != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		RecsysJournal(RECSYS_JOURNAL_WARNING, "the group failed: %s", rd_kafka_err2str(kind));
	assignment->revoking = true;
	if (assignment->closing)
		RecsysGiveBack(assignment);
}

void
RecsysGiveBack(RecsysAssignment *assignment)
{
	RecsysPartition **fetched = pg_malloc((assignment->npartitions + 1) * sizeof(RecsysPartition *));
	int			nfetched = 0;
	int			kept = 0;

	assignment->revoking = false;
	assignment->hang_at = RecsysNow() + assignment->patience;
	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		if (!partition->revoked)
			continue;
		if (partition->step == RECSYS_PARTITION_FETCH)
			fetched[nfetched++] = partition;
		partition->step = RECSYS_PARTITION_CLAIM;
		partition->revoked = !partition->given_again;
		partition->given_again = false;
	}

	/* librdkafka waits for this call even if nothing was fetched */
	if (is_cooperative(assignment->broker))
		assign_fetched(assignment, fetched, nfetched, false);
	else
		rd_kafka_assign(assignment->broker, NULL);

	for (int number = 0; number < assignment->npartitions; number++)
	{
		if (assignment->partitions[number]->revoked)
		{
			pg_free(assignment->partitions[number]->seek);
			pg_free(assignment->partitions[number]);
		}
		else
			assignment->partitions[kept++] = assignment->partitions[number];
	}
	assignment->npartitions = kept;
	pg_free(fetched);
}

void
RecsysRewind(RecsysAssignment *assignment, RecsysPartition *partition, int delay)
{
	bool		fetched = partition->step == RECSYS_PARTITION_FETCH;

	partition->step = RECSYS_PARTITION_CLAIM;
	partition->claim_at = RecsysNow() + delay;
	if (fetched)
		assign_fetched(assignment, &partition, 1, false);
}

void
RecsysRewindAll(RecsysAssignment *assignment, int delay)
{
	RecsysPartition **fetched = pg_malloc((assignment->npartitions + 1) * sizeof(RecsysPartition *));
	int			nfetched = 0;

	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		if (partition->step == RECSYS_PARTITION_FETCH)
			fetched[nfetched++] = partition;
		partition->step = RECSYS_PARTITION_CLAIM;
		partition->claim_at = RecsysNow() + delay;
	}
	if (nfetched > 0)
		assign_fetched(assignment, fetched, nfetched, false);
	pg_free(fetched);
}

bool
RecsysHasToClaim(const RecsysAssignment *assignment)
{
	int64		now = RecsysNow();

	for (int number = 0; number < assignment->npartitions; number++)
	{
		const RecsysPartition *partition = assignment->partitions[number];

		if (partition->step == RECSYS_PARTITION_CLAIM && !partition->revoked && partition->claim_at <= now)
			return true;
	}
	return false;
}

bool
RecsysClaimPartitions(RecsysAssignment *assignment)
{
	RecsysPartition **due = pg_malloc((assignment->npartitions + 1) * sizeof(RecsysPartition *));
	int			ndue = 0;
	int			ready = 0;
	int64		now = RecsysNow();
	bool		good;

	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		if (partition->step == RECSYS_PARTITION_CLAIM && !partition->revoked && partition->claim_at <= now)
			due[ndue++] = partition;
	}
	RECSYS_STREAM_FAULT("before claim");
	good = RecsysClaim(assignment, due, ndue);
	RECSYS_STREAM_FAULT("after claim");
	for (int number = 0; good && number < ndue; number++)
	{
		RecsysPlace place = RecsysPlacePartition(assignment, due[number]);

		if (place == RECSYS_PLACE_UNREACHABLE)
			break;				/* the others would wait for the same broker */
		if (place == RECSYS_PLACE_FOUND)
		{
			due[number]->fetched_high = -1;
			due[number]->step = RECSYS_PARTITION_FETCH;
			due[number]->at_end = false;
			due[number]->failures = 0;
			due[ready++] = due[number];
		}
		if (assignment->database->outcome == RECSYS_OUTCOME_LOST)
			good = false;
	}
	if (ready > 0)
		assign_fetched(assignment, due, ready, true);
	pg_free(due);
	return good;
}

void
RecsysLosePartition(RecsysAssignment *assignment, RecsysPartition *partition, const char *format,...)
{
	char		reason[1024];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	RecsysJournal(RECSYS_JOURNAL_ERROR, "partition %d: %s", partition->id, reason);

	/* if the database cannot be told, the partition is claimed and looked at again */
	RecsysRewind(assignment, partition, RecsysBackoff(partition->failures++));
	if (RecsysStopPartition(assignment, partition, "lost", reason))
		partition->step = RECSYS_PARTITION_LOST;
}

void
RecsysNoteProblem(RecsysAssignment *assignment, const char *format,...)
{
	char		problem[sizeof(assignment->problem)];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(problem, sizeof(problem), format, arguments);
	va_end(arguments);
	if (strcmp(problem, assignment->problem) != 0)
		RecsysJournal(RECSYS_JOURNAL_WARNING, "%s", problem);
	strlcpy(assignment->problem, problem, sizeof(assignment->problem));
}

static rd_kafka_topic_partition_list_t *
list_partitions(const RecsysAssignment *assignment, bool fetched)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(assignment->npartitions + 1);

	for (int number = 0; number < assignment->npartitions; number++)
		if (!fetched || assignment->partitions[number]->step == RECSYS_PARTITION_FETCH)
			rd_kafka_topic_partition_list_add(list, assignment->topic, assignment->partitions[number]->id);
	return list;
}

void
RecsysPauseFetching(RecsysAssignment *assignment)
{
	rd_kafka_topic_partition_list_t *list = list_partitions(assignment, true);

	assignment->paused = true;
	rd_kafka_pause_partitions(assignment->broker, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/*
 * What librdkafka has dropped when it paused, and what was thrown away since, is between two offsets that it
 * believes to know.  As a message that is missing would never be seen to be missing, it is told once more
 * where each partition goes on.
 */
void
RecsysResumeFetching(RecsysAssignment *assignment)
{
	rd_kafka_topic_partition_list_t *list;
	RecsysPartition **fetched;
	int			nfetched = 0;

	if (!assignment->paused)
		return;
	assignment->paused = false;
	list = list_partitions(assignment, false);
	rd_kafka_resume_partitions(assignment->broker, list);
	rd_kafka_topic_partition_list_destroy(list);

	fetched = pg_malloc((assignment->npartitions + 1) * sizeof(RecsysPartition *));
	for (int number = 0; number < assignment->npartitions; number++)
		if (assignment->partitions[number]->step == RECSYS_PARTITION_FETCH)
			fetched[nfetched++] = assignment->partitions[number];
	if (nfetched > 0)
	{
		if (is_cooperative(assignment->broker))
			assign_fetched(assignment, fetched, nfetched, false);
		assign_fetched(assignment, fetched, nfetched, true);
	}
	pg_free(fetched);
}

void
RecsysNoteWatermarks(RecsysAssignment *assignment)
{
	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];
		int64		low;
		int64		high;

		if (partition->step == RECSYS_PARTITION_FETCH &&
			rd_kafka_get_watermark_offsets(assignment->broker, assignment->topic, partition->id, &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
			high >= 0)
		{
			/* the log has become shorter: it is another one, or has lost messages */
			if (high < partition->fetched_high)
				assignment->suspicious = 1;
			partition->fetched_high = high;
			/* what librdkafka knows may be from long ago, when it had the partition last */
			if (high >= partition->position)
				partition->high_watermark = high;
		}
	}
}

void
RecsysBrokerTold(rd_kafka_t *broker, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *opaque)
{
	((RecsysAssignment *) opaque)->telling = false;
}

/*
 * librdkafka may wait for ever for the answer to a commit, and so for partitions to be given back, if the
 * group's coordinator goes away meanwhile.  So one is sent only while all is well.
 */
void
RecsysTellBroker(RecsysAssignment *assignment)
{
	rd_kafka_topic_partition_list_t *list;

	if (assignment->telling || assignment->revoking || assignment->hang_at != 0 ||
		RecsysNow() - assignment->trouble_at < TROUBLE_LASTS)
		return;
	list = rd_kafka_topic_partition_list_new(assignment->npartitions + 1);
	for (int number = 0; number < assignment->npartitions; number++)
	{
		RecsysPartition *partition = assignment->partitions[number];

		if (partition->step != RECSYS_PARTITION_FETCH || partition->told_broker == partition->committed)
			continue;
		rd_kafka_topic_partition_list_add(list, assignment->topic, partition->id)->offset = partition->committed;
		partition->told_broker = partition->committed;
	}
	RECSYS_STREAM_FAULT("before kafka commit");
	if (list->cnt > 0)
		assignment->telling = rd_kafka_commit(assignment->broker, list, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
}
