/*
 * readtopic.c
 *	  What is in a topic, as a reader of committed messages finds it: the truth that the tests hold
 *	  tables against.  It has nothing of the program that is tested, nor of consumer groups.
 *
 *		readtopic BROKERS TOPIC FILE
 *
 * A line of the file, in COPY's text format, is a message: partition, offset, timestamp in milliseconds,
 * key, value.  Bytes that are no printing ASCII are written \xHH, so the text of two messages is
 * the same only if their bytes are.  It prints how many there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "readtopic: %s: %s\n", what, why);
	exit(1);
}

static void
write_bytes(FILE *file, const char *bytes, size_t length)
{
	if (!bytes)
	{
		fputs("\\N", file);
		return;
	}
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) bytes[i];

		if (c < 0x20 || c >= 0x7f || c == '\\')
			fprintf(file, "\\\\x%02x", c);
		else
			putc(c, file);
	}
}

int
main(int argc, char **argv)
{
	char		message[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *consumer;
	rd_kafka_topic_t *topic;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
	rd_kafka_resp_err_t error;
	FILE	   *file;
	int			open = 0;
	long long	messages = 0;

	if (argc != 4)
	{
		fprintf(stderr, "usage: readtopic BROKERS TOPIC FILE\n");
		return 2;
	}
	rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "readtopic", NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0);
	rd_kafka_conf_set(conf, "isolation.level", "read_committed", NULL, 0);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, message, sizeof(message));
	if (!consumer)
		fail("librdkafka", message);
	rd_kafka_poll_set_consumer(consumer);
	topic = rd_kafka_topic_new(consumer, argv[2], NULL);
	error = rd_kafka_metadata(consumer, 0, topic, &metadata, 30000);
	if (error || metadata->topics[0].err)
		fail(argv[2], rd_kafka_err2str(error ? error : metadata->topics[0].err));
	for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
	{
		rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
		open++;
	}
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
	rd_kafka_assign(consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	if ((file = fopen(argv[3], "w")) == NULL)
		fail(argv[3], "cannot be written");

	while (open > 0)
	{
		rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 60000);

		if (!m)
			fail(argv[2], "no message and no end for a minute");
		if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			open--;
		else if (m->err == 0)
		{
			fprintf(file, "%d\t%lld\t%lld\t", m->partition, (long long) m->offset,
					(long long) rd_kafka_message_timestamp(m, NULL));
			write_bytes(file, m->key, m->key_len);
			putc('\t', file);
			write_bytes(file, m->payload, m->len);
			putc('\n', file);
			messages++;
		}
		rd_kafka_message_destroy(m);
	}
	if (fclose(file) != 0)
		fail(argv[3], "cannot be written");
	printf("%lld\n", messages);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	return 0;
}
