/*
 * mockbroker.c
 *	  A Kafka cluster of one process, as librdkafka has it for tests: for machines without Java.
 *
 *		mockbroker [PARTITIONS [TOPIC ...]]
 *
 * The first line of its output are the bootstrap servers.  Topics that are named are made with so many
 * partitions; others are made when somebody writes to them, with librdkafka's own number, which is 4.  It
 * ends when its input does; lines of input are
 *
 *		topic NAME PARTITIONS		makes a topic
 *		down BROKER, up BROKER		stops a broker, or starts it again
 *		slow BROKER MILLISECONDS	each answer takes so long
 *		coordinator GROUP BROKER	the group's coordinator moves
 *
 * each answered by "ok" or "error".  It knows groups, fetches and offsets, but no transactions of others,
 * no deleting of records, and forgets all when it ends.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKERS 2

static rd_kafka_resp_err_t
obey(rd_kafka_mock_cluster_t *cluster, char *line)
{
	char		name[256];
	int			number;
	int			value;

	if (sscanf(line, "topic %255s %d", name, &number) == 2)
		return rd_kafka_mock_topic_create(cluster, name, number, 1);
	if (sscanf(line, "down %d", &number) == 1)
		return rd_kafka_mock_broker_set_down(cluster, number);
	if (sscanf(line, "up %d", &number) == 1)
		return rd_kafka_mock_broker_set_up(cluster, number);
	if (sscanf(line, "slow %d %d", &number, &value) == 2)
		return rd_kafka_mock_broker_set_rtt(cluster, number, value);
	if (sscanf(line, "coordinator %255s %d", name, &number) == 2)
		return rd_kafka_mock_coordinator_set(cluster, "group", name, number);
	return RD_KAFKA_RESP_ERR_INVALID_REQUEST;
}

int
main(int argc, char **argv)
{
	int			partitions = argc > 1 ? atoi(argv[1]) : 4;
	char		why[512];
	char		line[512];
	rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
	rd_kafka_mock_cluster_t *cluster = handle != NULL ? rd_kafka_mock_cluster_new(handle, BROKERS) : NULL;

	if (cluster == NULL || partitions < 1)
	{
		fprintf(stderr, "mockbroker cannot start: %s\n", handle == NULL ? why : "out of memory, or no partitions");
		return 1;
	}
	for (int number = 2; number < argc; number++)
		if (rd_kafka_mock_topic_create(cluster, argv[number], partitions, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
		{
			fprintf(stderr, "mockbroker cannot make the topic %s\n", argv[number]);
			return 1;
		}
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		rd_kafka_resp_err_t error = obey(cluster, line);

		if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
			printf("ok\n");
		else
			printf("error: %s\n", rd_kafka_err2str(error));
		fflush(stdout);
	}
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(handle);
	return 0;
}
