/*
 * kafkaadmin.c
 *	  What the tests do to a broker's topics, in one short process each: Kafka's own tools would start
 *	  a Java machine for each.
 *
 *		kafkaadmin BROKERS wait [SECONDS]				until the broker answers
 *		kafkaadmin BROKERS create TOPIC PARTITIONS [NAME=VALUE ...]
 *		kafkaadmin BROKERS delete TOPIC
 *		kafkaadmin BROKERS partitions TOPIC NUMBER		so many from now on
 *		kafkaadmin BROKERS truncate TOPIC PARTITION OFFSET		what stands before is deleted
 *		kafkaadmin BROKERS alter TOPIC NAME=VALUE ...
 *		kafkaadmin BROKERS offsets TOPIC				partition, low and high watermark
 *		kafkaadmin BROKERS committed GROUP TOPIC		partition and the group's offset, -1 for none
 *
 * It returns when the broker shows what was asked for, or fails with one line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#define TIMEOUT_MS 30000

static rd_kafka_t *client;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "kafkaadmin: %s: %s\n", what, why);
	exit(1);
}

/* errors of the connection are retried by the library */
static void
on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	(void) rk, (void) error, (void) reason, (void) opaque;
}

static void
connect_to(const char *brokers, const char *group)
{
	char		message[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "500", NULL, 0);
	rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", NULL, 0);
	if (group)
		rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set_error_cb(conf, on_error);
	client = rd_kafka_new(group ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, message, sizeof(message));
	if (!client)
		fail("librdkafka", message);
}

/* How many partitions have a leader; -1 if there is no such topic, -2 if nobody answers. */
static int
led_partitions(const char *topic)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
	const struct rd_kafka_metadata *metadata;
	int			led = -1;

	if (rd_kafka_metadata(client, 0, handle, &metadata, 2000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		led = -2;
	else
	{
		if (metadata->topic_cnt == 1 && metadata->topics[0].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		{
			led = 0;
			for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
				led += metadata->topics[0].partitions[i].leader >= 0;
		}
		rd_kafka_metadata_destroy(metadata);
	}
	rd_kafka_topic_destroy(handle);
	return led;
}

/* Until the topic has exactly so many partitions with a leader, -1 for no topic. */
static void
wait_for_partitions(const char *topic, int number)
{
	int			seen = -2;

	for (int try = 0; try < TIMEOUT_MS / 100; try++)
	{
		seen = led_partitions(topic);
		if (seen == number)
			return;
		usleep(100 * 1000);
	}
	fprintf(stderr, "kafkaadmin: %s: %d partitions have a leader instead of %d\n", topic, seen, number);
	exit(1);
}

/* The answer to an administrator's request; topics are what such requests have results about. */
static void
check_answer(rd_kafka_queue_t *queue, const char *what)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
	const rd_kafka_topic_result_t **topics = NULL;
	size_t		ntopics = 0;

	if (!event)
		fail(what, "no answer");
	if (rd_kafka_event_error(event))
		fail(what, rd_kafka_event_error_string(event));
	switch (rd_kafka_event_type(event))
	{
		case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
			topics = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &ntopics);
			break;
		case RD_KAFKA_EVENT_DELETETOPICS_RESULT:
			topics = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &ntopics);
			break;
		case RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT:
			topics = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &ntopics);
			break;
		case RD_KAFKA_EVENT_DELETERECORDS_RESULT:
			{
				const rd_kafka_topic_partition_list_t *offsets =
					rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));

				for (int i = 0; i < offsets->cnt; i++)
				{
					if (offsets->elems[i].err)
						fail(what, rd_kafka_err2str(offsets->elems[i].err));
				}
				break;
			}
		case RD_KAFKA_EVENT_ALTERCONFIGS_RESULT:
			{
				size_t		n;
				const rd_kafka_ConfigResource_t **resources =
					rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &n);

				for (size_t i = 0; i < n; i++)
				{
					if (rd_kafka_ConfigResource_error(resources[i]))
						fail(what, rd_kafka_ConfigResource_error_string(resources[i]));
				}
				break;
			}
		default:
			break;
	}
	for (size_t i = 0; i < ntopics; i++)
	{
		if (rd_kafka_topic_result_error(topics[i]))
			fail(what, rd_kafka_err2str(rd_kafka_topic_result_error(topics[i])));
	}
	rd_kafka_event_destroy(event);
}

/* NAME=VALUE, cut in two */
static char *
cut(char *option)
{
	char	   *equals = strchr(option, '=');

	if (!equals)
		fail(option, "is not NAME=VALUE");
	*equals = '\0';
	return equals + 1;
}

static void
create_topic(rd_kafka_queue_t *queue, const char *topic, int partitions, int noptions, char **options)
{
	char		message[512];
	rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, partitions, 1, message, sizeof(message));

	if (!new)
		fail(topic, message);
	for (int i = 0; i < noptions; i++)
	{
		char	   *value = cut(options[i]);

		rd_kafka_NewTopic_set_config(new, options[i], value);
	}
	rd_kafka_CreateTopics(client, &new, 1, NULL, queue);
	check_answer(queue, topic);
	wait_for_partitions(topic, partitions);
	rd_kafka_NewTopic_destroy(new);
}

static void
delete_topic(rd_kafka_queue_t *queue, const char *topic)
{
	rd_kafka_DeleteTopic_t *old = rd_kafka_DeleteTopic_new(topic);

	rd_kafka_DeleteTopics(client, &old, 1, NULL, queue);
	check_answer(queue, topic);
	wait_for_partitions(topic, -1);
	rd_kafka_DeleteTopic_destroy(old);
}

static void
set_partitions(rd_kafka_queue_t *queue, const char *topic, int number)
{
	char		message[512];
	rd_kafka_NewPartitions_t *new = rd_kafka_NewPartitions_new(topic, number, message, sizeof(message));

	if (!new)
		fail(topic, message);
	rd_kafka_CreatePartitions(client, &new, 1, NULL, queue);
	check_answer(queue, topic);
	wait_for_partitions(topic, number);
	rd_kafka_NewPartitions_destroy(new);
}

static void
truncate_partition(rd_kafka_queue_t *queue, const char *topic, int partition, int64_t offset)
{
	rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
	rd_kafka_DeleteRecords_t *request;

	rd_kafka_topic_partition_list_add(before, topic, partition)->offset = offset;
	request = rd_kafka_DeleteRecords_new(before);
	rd_kafka_DeleteRecords(client, &request, 1, NULL, queue);
	check_answer(queue, topic);
	rd_kafka_DeleteRecords_destroy(request);
	rd_kafka_topic_partition_list_destroy(before);
}

static void
alter_topic(rd_kafka_queue_t *queue, const char *topic, int noptions, char **options)
{
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

	for (int i = 0; i < noptions; i++)
	{
		char	   *value = cut(options[i]);

		rd_kafka_ConfigResource_set_config(resource, options[i], value);
	}
	rd_kafka_AlterConfigs(client, &resource, 1, NULL, queue);
	check_answer(queue, topic);
	rd_kafka_ConfigResource_destroy(resource);
}

static void
print_offsets(const char *topic)
{
	int			partitions = led_partitions(topic);

	if (partitions < 0)
		fail(topic, "there is no such topic");
	for (int i = 0; i < partitions; i++)
	{
		int64_t		low;
		int64_t		high;
		rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(client, topic, i, &low, &high, TIMEOUT_MS);

		if (error)
			fail(topic, rd_kafka_err2str(error));
		printf("%d %lld %lld\n", i, (long long) low, (long long) high);
	}
}

static void
print_committed(const char *topic)
{
	int			partitions = led_partitions(topic);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
	rd_kafka_resp_err_t error;

	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i);
	error = rd_kafka_committed(client, list, TIMEOUT_MS);
	if (error)
		fail(topic, rd_kafka_err2str(error));
	for (int i = 0; i < list->cnt; i++)
		printf("%d %lld\n", list->elems[i].partition, list->elems[i].offset < 0 ? -1LL : (long long) list->elems[i].offset);
	rd_kafka_topic_partition_list_destroy(list);
}

static void
wait_for_broker(int seconds)
{
	for (int try = 0; try < seconds * 10; try++)
	{
		const struct rd_kafka_metadata *metadata;

		if (rd_kafka_metadata(client, 0, NULL, &metadata, 1000) == RD_KAFKA_RESP_ERR_NO_ERROR)
		{
			int			brokers = metadata->broker_cnt;

			rd_kafka_metadata_destroy(metadata);
			if (brokers > 0)
				return;
		}
		usleep(100 * 1000);
	}
	fail("wait", "the broker does not answer");
}

int
main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[2] : "";
	bool		committed = strcmp(command, "committed") == 0 && argc == 5;
	rd_kafka_queue_t *queue;

	if (argc < 3)
	{
		fprintf(stderr, "usage: kafkaadmin BROKERS COMMAND ..., see kafkaadmin.c\n");
		return 2;
	}
	connect_to(argv[1], committed ? argv[3] : NULL);
	queue = rd_kafka_queue_new(client);
	if (strcmp(command, "wait") == 0)
		wait_for_broker(argc > 3 ? atoi(argv[3]) : 60);
	else if (strcmp(command, "create") == 0 && argc >= 5)
		create_topic(queue, argv[3], atoi(argv[4]), argc - 5, argv + 5);
	else if (strcmp(command, "delete") == 0 && argc == 4)
		delete_topic(queue, argv[3]);
	else if (strcmp(command, "partitions") == 0 && argc == 5)
		set_partitions(queue, argv[3], atoi(argv[4]));
	else if (strcmp(command, "truncate") == 0 && argc == 6)
		truncate_partition(queue, argv[3], atoi(argv[4]), atoll(argv[5]));
	else if (strcmp(command, "alter") == 0 && argc >= 5)
		alter_topic(queue, argv[3], argc - 4, argv + 4);
	else if (strcmp(command, "offsets") == 0 && argc == 4)
		print_offsets(argv[3]);
	else if (committed)
		print_committed(argv[4]);
	else
		fail(command, "is no command, or has other arguments");
	rd_kafka_queue_destroy(queue);
	if (committed)
		rd_kafka_consumer_close(client);
	rd_kafka_destroy(client);
	return 0;
}
