/*
 * joining.c
 *	  A consumer of librdkafka, made for a stream and joined to its group: see joining.h.
 *
 * librdkafka calls back within the consumer's poll, so in the process's own loop; only what it logs comes
 * from threads of its own.
 */
#include "postgres_fe.h"

#include "stream/run/brokerconfig.h"
#include "stream/run/claim.h"
#include "stream/run/joining.h"
#include "stream/run/journal.h"
#include "stream/run/session.h"
#include "stream/run/signals.h"

#define LEAST_PATIENCE 30000	/* ms until the group is believed to hang */

/* Errors of librdkafka as a whole: brokers that are down, rights that are missing.  It goes on by itself. */
static void
note_broker_error(rd_kafka_t *broker, int error, const char *reason, void *opaque)
{
	RecsysAssignment *assignment = opaque;
	static int64 said_at = 0;
	int64		now = RecsysNow();

	assignment->trouble_at = now;
	/* that all are down says no more than what was said of each */
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		strlcpy(assignment->reported, reason, sizeof(assignment->reported));

	/* each connection that fails is told of, again and again */
	if (strcmp(assignment->problem, reason) != 0 && (said_at == 0 || now - said_at > 5000))
	{
		RecsysJournal(RECSYS_JOURNAL_WARNING, "%s: %s", rd_kafka_err2str(error), reason);
		strlcpy(assignment->problem, reason, sizeof(assignment->problem));
		said_at = now;
	}
}

/* Does the file ask for librdkafka's debugging? */
static bool pass_debug = false;

/* What librdkafka logs, from threads of its own */
static void
pass_log(const rd_kafka_t *broker, int level, const char *facility, const char *text)
{
	static const char *const quiet[] = {"FAIL", "COMMITFAIL", "AUTOCREATE"};
	RecsysJournalLevel as;

	/*
	 * A fetch was answered by "unknown topic", "not the leader" and the like.  librdkafka passes that over in
	 * silence, asks who leads the partition now, and fetches on, from the same offset; of a log, perhaps, that
	 * is another one.  This line, which is written before that, is the only sign of it.
	 */
	if (strcmp(facility, "BROKERUA") == 0)
		((RecsysAssignment *) rd_kafka_opaque(broker))->suspicious = 1;
	if (level > 6 && !pass_debug)
		return;
	/* errors are told by note_broker_error, too; commits are of no importance */
	as = level <= 2 ? RECSYS_JOURNAL_ERROR : level <= 4 ? RECSYS_JOURNAL_WARNING : RECSYS_JOURNAL_DEBUG;
	for (int number = 0; number < lengthof(quiet); number++)
		if (strcmp(facility, quiet[number]) == 0)
			as = RECSYS_JOURNAL_DEBUG;
	RecsysJournal(as, "%s: %s", facility, text);
}

/* What is wrong with this program's configuration, not with the stream: others may be able to run it. */
static void
refuse(RecsysConsumer *consumer, const char *reason)
{
	RecsysJournal(RECSYS_JOURNAL_ERROR, "%s", reason);
	strlcpy(consumer->assignment.problem, reason, sizeof(consumer->assignment.problem));
	RecsysHeartbeat(consumer, true);
	if (consumer->ended == RECSYS_EXIT_NOT_YET)
		consumer->ended = RECSYS_EXIT_ERROR;
}

/*
 * When a group that has taken partitions must have given others, or none: each member that is alive answers
 * within seconds, and one that is not is found out by the session timeout.
 */
static int64
group_patience(const rd_kafka_conf_t *config)
{
	char		session[32] = "";
	size_t		size = sizeof(session);

	if (rd_kafka_conf_get(config, "session.timeout.ms", session, &size) != RD_KAFKA_CONF_OK)
		return LEAST_PATIENCE;
	return Max(LEAST_PATIENCE, 3 * strtoll(session, NULL, 10));
}

bool
RecsysMakeConsumer(RecsysConsumer *consumer)
{
	const RecsysStreamSettings *settings = &consumer->declaration->settings;
	RecsysAssignment *assignment = &consumer->assignment;
	PQExpBufferData fault;
	rd_kafka_conf_t *config;
	char		why[512];

	initPQExpBuffer(&fault);
	consumer->apply.settings = settings;
	consumer->apply.assignment = assignment;
	assignment->database = &consumer->database;
	assignment->stream = consumer->stream;
	assignment->version = settings->version;
	assignment->topic = settings->topic;
	assignment->consumer = consumer->name;

	consumer->decoder = RecsysDecoderCreate(settings, consumer->file->others, consumer->file->nothers, &fault);
	config = consumer->decoder != NULL ? RecsysBrokerConfig(settings, consumer->file, consumer->job, &fault) : NULL;
	if (config == NULL)
	{
		refuse(consumer, fault.data);
		return false;
	}
	pass_debug = RecsysFileOption(consumer->file, "debug") != NULL;
	assignment->patience = group_patience(config);
	rd_kafka_conf_set_opaque(config, assignment);
	rd_kafka_conf_set_rebalance_cb(config, RecsysRebalance);
	rd_kafka_conf_set_offset_commit_cb(config, RecsysBrokerTold);
	rd_kafka_conf_set_error_cb(config, note_broker_error);
	rd_kafka_conf_set_log_cb(config, pass_log);
	assignment->broker = rd_kafka_new(RD_KAFKA_CONSUMER, config, why, sizeof(why));
	if (assignment->broker == NULL)
	{
		rd_kafka_conf_destroy(config);
		refuse(consumer, why);
		return false;
	}
	rd_kafka_poll_set_consumer(assignment->broker);
	termPQExpBuffer(&fault);
	return true;
}

bool
RecsysJoinGroup(RecsysConsumer *consumer)
{
	RecsysAssignment *assignment = &consumer->assignment;
	rd_kafka_topic_partition_list_t *topics;
	rd_kafka_resp_err_t error;

	if (!RecsysRegister(assignment))
	{
		if (consumer->database.outcome == RECSYS_OUTCOME_FENCED)
			consumer->ended = RECSYS_EXIT_CHANGED;
		if (consumer->once && ++consumer->failures >= 3)
			consumer->ended = RECSYS_EXIT_ERROR;
		RecsysHeartbeat(consumer, true);
		return false;
	}
	topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(topics, assignment->topic, RD_KAFKA_PARTITION_UA);
	error = rd_kafka_subscribe(assignment->broker, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		refuse(consumer, rd_kafka_err2str(error));
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}
