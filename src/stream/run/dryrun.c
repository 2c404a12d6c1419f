/*
 * dryrun.c
 *	  recsys-stream --check: see dryrun.h.
 *
 * Does what a consumer does before it joins the group, for each stream, and says what fails: the file, the
 * connection, the rights, the decoder, the brokers, the topic.  Changes nothing.
 */
#include "postgres_fe.h"

#include "stream/record/decoder.h"
#include "stream/run/brokerconfig.h"
#include "stream/run/dryrun.h"
#include "stream/run/consumer.h"
#include "stream/run/declaration.h"

#define BROKER_PATIENCE 10000	/* ms */
#define CAUSE 512				/* bytes of why a connection has failed */

/* Why a connection has failed last; called within rd_kafka_poll() */
static void
note_broker_error(rd_kafka_t *broker, int error, const char *reason, void *opaque)
{
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		strlcpy(opaque, reason, CAUSE);
}

/* What librdkafka logs is for those who run the program. */
static void
pass_over(const rd_kafka_t *broker, int level, const char *facility, const char *text)
{
}

/* Asks the brokers for the topic.  NULL, or what is wrong. */
static const char *
ask_brokers(rd_kafka_conf_t *config, const char *topic_name, int *partitions)
{
	static char why[2 * CAUSE];
	char		cause[CAUSE] = "";
	rd_kafka_t *broker;
	const rd_kafka_metadata_t *metadata;
	rd_kafka_topic_t *topic;
	rd_kafka_resp_err_t error;

	rd_kafka_conf_set_opaque(config, cause);
	rd_kafka_conf_set_error_cb(config, note_broker_error);
	rd_kafka_conf_set_log_cb(config, pass_over);
	broker = rd_kafka_new(RD_KAFKA_CONSUMER, config, why, sizeof(why));
	if (broker == NULL)
	{
		rd_kafka_conf_destroy(config);
		return why;
	}
	topic = rd_kafka_topic_new(broker, topic_name, NULL);
	error = topic != NULL ? rd_kafka_metadata(broker, 0, topic, &metadata, BROKER_PATIENCE) : rd_kafka_last_error();
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
		*partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
		rd_kafka_metadata_destroy(metadata);
	}
	rd_kafka_poll(broker, 0);
	snprintf(why, sizeof(why), "%s%s%s", rd_kafka_err2str(error), cause[0] != '\0' ? ": " : "", cause);
	if (topic != NULL)
		rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(broker);
	return error != RD_KAFKA_RESP_ERR_NO_ERROR ? why : NULL;
}

static bool
check_stream(const RecsysOrders *orders, const RecsysProgramFile *file, const char *stream)
{
	RecsysDatabase database;
	RecsysDeclaration *declaration = NULL;
	RecsysDecoder *decoder = NULL;
	rd_kafka_conf_t *config = NULL;
	PQExpBufferData fault;
	const char *wrong = NULL;
	int			partitions = 0;

	initPQExpBuffer(&fault);
	RecsysDatabaseInit(&database, RecsysConninfo(orders, file));
	if (!RecsysConnect(&database, "recsys-stream check") ||
		(declaration = RecsysReadDeclaration(&database, stream)) == NULL ||
		!RecsysBecomeOwner(&database, declaration))
		wrong = database.message.data;
	else if ((decoder = RecsysDecoderCreate(&declaration->settings, file->others, file->nothers, &fault)) == NULL ||
			 (config = RecsysBrokerConfig(&declaration->settings, file, 1, &fault)) == NULL)
		wrong = fault.data;
	else
		wrong = ask_brokers(config, declaration->settings.topic, &partitions);

	if (wrong != NULL)
		printf("%s: %s\n", stream, wrong);
	else
		printf("%s: %s, %d partitions of topic %s, written as %s\n", stream, declaration->state, partitions,
			   declaration->settings.topic, declaration->settings.owner);
	if (decoder != NULL)
		RecsysDecoderFree(decoder);
	RecsysDisconnect(&database);
	termPQExpBuffer(&fault);
	return wrong == NULL;
}

int
RecsysCheck(const RecsysOrders *orders)
{
	PQExpBufferData fault;
	RecsysProgramFile *file;
	RecsysDatabase database;
	PGresult   *result;
	bool		good = true;
	int			nstreams = orders->nstreams;

	initPQExpBuffer(&fault);
	if ((file = RecsysReadProgramFile(orders->file, &fault)) == NULL)
	{
		printf("%s\n", fault.data);
		return RECSYS_EXIT_USAGE;
	}
	RecsysDatabaseInit(&database, RecsysConninfo(orders, file));
	if (!RecsysConnect(&database, "recsys-stream check") ||
		(result = RecsysQuery(&database, "SELECT stream FROM recsys.stream_list() ORDER BY 1", 0, NULL)) == NULL)
	{
		printf("%s\n", database.message.data);
		return RECSYS_EXIT_ERROR;
	}
	for (int number = 0; number < orders->nstreams; number++)
		good &= check_stream(orders, file, orders->streams[number]);
	for (int row = 0; orders->nstreams == 0 && row < PQntuples(result); row++, nstreams++)
		good &= check_stream(orders, file, PQgetvalue(result, row, 0));
	if (nstreams == 0)
		printf("there is no stream that this role may run\n");
	PQclear(result);
	RecsysDisconnect(&database);
	return good ? RECSYS_EXIT_DONE : RECSYS_EXIT_ERROR;
}
