/*
 * produce.c
 *	  A shop's events, sent to a broker, and a record of what became of each.
 *
 *		produce BROKERS TOPIC [NAME=VALUE ...]
 *
 *		count=1000		events; their numbers go from first=1 upwards
 *		rate=0			events a second, 0: as fast as they are taken
 *		users=1000, items=200, seed=1
 *		mixed=0			1: every tenth is of type "cart", every tenth "scroll", all others "view"
 *		pad=0			bytes of a field that nobody reads
 *		headers=0		1: headers "source" and "number"
 *		poison=0		every so many-th is damaged, in one way after the other
 *		tombstone=0		every so many-th has a key and no value
 *		transaction=0	so many events in a transaction of the producer, 0: none
 *		abort=0			every so many-th transaction is aborted
 *		partition=-1	all into that partition; -1: by a hash of the key, the user
 *		out=FILE		a line for each message that the broker has: number, kind (e event, p poisoned,
 *						t tombstone, with an a before it: aborted), partition and offset
 *		lines=0			1: messages are lines of stdin instead: partition, timestamp, key, value, then
 *						names and values of headers, separated by tabs; \N for none, \xHH for a byte
 *		broker.NAME		a setting of librdkafka
 *
 * An event is {"id": 1, "user": {"id": 7}, "item": 3, "ts": milliseconds, "type": "view"}; its key is the
 * user.  The producer is idempotent and tries again for ever, so each event is in the log once, however
 * often the broker dies.  At the end it prints lines of a name and a number: delivered, aborted, poisoned,
 * tombstones, milliseconds.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

typedef struct Options
{
	int64_t		count;
	int64_t		first;
	int64_t		rate;
	int64_t		users;
	int64_t		items;
	int64_t		seed;
	int64_t		mixed;
	int64_t		pad;
	int64_t		headers;
	int64_t		poison;
	int64_t		tombstone;
	int64_t		transaction;
	int64_t		abort;
	int64_t		partition;
	int64_t		lines;
	const char *out;
} Options;

/* what became of a message, in the order of sending; kept until its transaction has ended */
typedef struct Delivery
{
	int64_t		number;
	char		kind;
	int32_t		partition;
	int64_t		offset;
} Delivery;

static Options options = {.count = 1000,.first = 1,.users = 1000,.items = 200,.seed = 1,.partition = -1};
static rd_kafka_t *producer;
static FILE *record;
static Delivery *deliveries;
static size_t ndeliveries;
static size_t max_deliveries;
static int64_t delivered;
static int64_t aborted;
static int64_t poisoned;
static int64_t tombstones;
static uint64_t state;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "produce: %s: %s\n", what, why);
	exit(1);
}

static int64_t
milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* splitmix64, as a number in [0, 1) */
static double
uniform(void)
{
	uint64_t	z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double) ((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* What the deliveries up to now have come to. */
static void
settle(bool abort)
{
	for (size_t i = 0; i < ndeliveries; i++)
	{
		Delivery   *d = &deliveries[i];

		if (abort)
			aborted++;
		else
		{
			delivered++;
			poisoned += d->kind == 'p';
			tombstones += d->kind == 't';
		}
		if (record)
			fprintf(record, "%lld\t%s%c\t%d\t%lld\n", (long long) d->number, abort ? "a" : "", d->kind,
					d->partition, (long long) d->offset);
	}
	ndeliveries = 0;
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	intptr_t	tag = (intptr_t) message->_private;

	(void) rk, (void) opaque;
	if (message->err)
	{
		/* within a transaction that is being aborted messages need not have got anywhere */
		if (options.transaction == 0)
			fail("delivery", rd_kafka_err2str(message->err));
		return;
	}
	if (ndeliveries == max_deliveries)
	{
		max_deliveries = max_deliveries ? 2 * max_deliveries : 1024;
		deliveries = realloc(deliveries, max_deliveries * sizeof(Delivery));
		if (!deliveries)
			fail("memory", "none left");
	}
	deliveries[ndeliveries++] = (Delivery) {
		.number = tag >> 8,.kind = (char) (tag & 0xff),.partition = message->partition,.offset = message->offset
	};
	if (options.transaction == 0)
		settle(false);
}

/* all brokers being down is what the tests do to it */
static void
on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	(void) opaque;
	if (error == RD_KAFKA_RESP_ERR__FATAL)
	{
		char		message[512];

		rd_kafka_fatal_error(rk, message, sizeof(message));
		fail("fatal", message);
	}
	(void) reason;
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char		message[512];

	if (rd_kafka_conf_set(conf, name, value, message, sizeof(message)) != RD_KAFKA_CONF_OK)
		fail(name, message);
}

/* One message; tag is what on_delivery gets. */
static void
send_message(const char *topic, int32_t partition, int64_t timestamp, const void *key, size_t key_length,
			 const void *value, size_t value_length, rd_kafka_headers_t *headers, int64_t number, char kind)
{
	for (;;)
	{
		rd_kafka_headers_t *copy = headers ? rd_kafka_headers_copy(headers) : NULL;
		rd_kafka_resp_err_t error =
			rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
							  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
							  RD_KAFKA_V_VALUE((void *) value, value_length), RD_KAFKA_V_TIMESTAMP(timestamp),
							  RD_KAFKA_V_HEADERS(copy),
							  RD_KAFKA_V_OPAQUE((void *) (intptr_t) (number << 8 | kind)), RD_KAFKA_V_END);

		if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
			break;
		if (copy)
			rd_kafka_headers_destroy(copy);
		if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			fail("produce", rd_kafka_err2str(error));
		rd_kafka_poll(producer, 50);
	}
	rd_kafka_poll(producer, 0);
}

/* Messages that no decoder or no table can take, one way after the other. */
static int
damaged_event(char *text, size_t size, int64_t number, int64_t now)
{
	long long	id = number;
	long long	ts = now;

	switch (number / options.poison % 8)
	{
		case 0:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":", id);	/* cut off */
		case 1:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":\"nobody\"},\"item\":1,\"ts\":%lld,\"type\":\"view\"}", id, ts);
		case 2:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":1},\"item\":1,\"ts\":\"the day before\",\"type\":\"view\"}", id);
		case 3:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":1},\"item\":1,\"ts\":%lld,\"type\":\"\xc3(\"}", id, ts);	/* no UTF-8 */
		case 4:
			return snprintf(text, size, "%s", "");
		case 5:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":null},\"item\":1,\"ts\":%lld,\"type\":\"view\"}", id, ts);
		case 6:
			return snprintf(text, size, "{\"id\":%lld,\"user\":{\"id\":99999999999999999999999},\"item\":1,\"ts\":%lld,\"type\":\"view\"}", id, ts);
		default:
			return snprintf(text, size, "not JSON at all");
	}
}

static void
send_event(const char *topic, int64_t number)
{
	static char text[65536];
	static const char *const types[] = {"view", "view", "view", "view", "view", "view", "view", "view", "cart", "scroll"};
	char		key[32];
	int64_t		now = milliseconds(CLOCK_REALTIME);
	double		random = uniform();
	int64_t		user = 1 + (int64_t) (options.users * random * random);
	int64_t		item = 1 + (int64_t) (options.items * uniform());
	int			key_length = snprintf(key, sizeof(key), "%lld", (long long) user);
	int			length;
	char		kind = 'e';
	rd_kafka_headers_t *headers = NULL;

	if (options.poison > 0 && number % options.poison == 0)
	{
		kind = 'p';
		length = damaged_event(text, sizeof(text), number, now);
	}
	else if (options.tombstone > 0 && number % options.tombstone == 0)
	{
		kind = 't';
		length = 0;
	}
	else
	{
		length = snprintf(text, sizeof(text), "{\"id\":%lld,\"user\":{\"id\":%lld},\"item\":%lld,\"ts\":%lld,\"type\":\"%s\"",
						  (long long) number, (long long) user, (long long) item, (long long) now,
						  types[options.mixed ? number % 10 : 0]);
		if (options.pad > 0)
		{
			length += snprintf(text + length, sizeof(text) - length, ",\"pad\":\"");
			memset(text + length, 'x', options.pad);
			length += options.pad;
			text[length++] = '"';
		}
		text[length++] = '}';
	}
	if (options.headers)
	{
		char		value[32];

		headers = rd_kafka_headers_new(2);
		rd_kafka_header_add(headers, "source", -1, number % 2 ? "web" : "app", 3);
		rd_kafka_header_add(headers, "number", -1, value, snprintf(value, sizeof(value), "%lld", (long long) number));
	}
	send_message(topic, (int32_t) options.partition, now, key, key_length, kind == 't' ? NULL : text, length, headers, number, kind);
	if (headers)
		rd_kafka_headers_destroy(headers);
}

/* An error of a transaction: true if the call is to be made again, false if the transaction must be aborted. */
static bool
try_again(rd_kafka_error_t *error, const char *what)
{
	bool		retriable = rd_kafka_error_is_retriable(error) || rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT;

	if (!retriable && !rd_kafka_error_txn_requires_abort(error))
		fail(what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	if (retriable)
		usleep(100 * 1000);
	return retriable;
}

static void
begin(void)
{
	rd_kafka_error_t *error = rd_kafka_begin_transaction(producer);

	if (error)
		fail("begin", rd_kafka_error_string(error));
}

/* False if what was to be committed had to be aborted. */
static bool
end(bool abort)
{
	rd_kafka_error_t *error;

	/* so that messages to be aborted are in the log, too */
	if (abort)
		rd_kafka_flush(producer, 60000);
	while (!abort && (error = rd_kafka_commit_transaction(producer, 60000)) != NULL)
		abort = !try_again(error, "commit");
	while (abort && (error = rd_kafka_abort_transaction(producer, 60000)) != NULL)
		try_again(error, "abort");
	settle(abort);
	return !abort;
}

static void
send_events(const char *topic)
{
	int64_t		start = milliseconds(CLOCK_MONOTONIC);
	int64_t		transactions = 0;

	for (int64_t i = 0; i < options.count; i++)
	{
		if (options.transaction > 0 && i % options.transaction == 0)
			begin();
		send_event(topic, options.first + i);
		if (options.transaction > 0 && (i % options.transaction == options.transaction - 1 || i == options.count - 1))
		{
			transactions++;
			end(options.abort > 0 && transactions % options.abort == 0);
		}
		while (options.rate > 0 && (milliseconds(CLOCK_MONOTONIC) - start) * options.rate < i * 1000)
			rd_kafka_poll(producer, 1);
	}
}

/* The bytes of a field of lines=1, in place; false for \N. */
static bool
unescape(char *field, size_t *length)
{
	char	   *to = field;

	if (strcmp(field, "\\N") == 0)
		return false;
	for (const char *from = field; *from;)
	{
		unsigned	byte;

		if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &byte) == 1)
		{
			*to++ = (char) byte;
			from += 4;
		}
		else
			*to++ = *from++;
	}
	*to = '\0';
	*length = to - field;
	return true;
}

static void
send_lines(const char *topic)
{
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		read;
	int64_t		number = options.first;

	while ((read = getline(&line, &size, stdin)) > 0)
	{
		char	   *rest = line;
		char	   *partition;
		char	   *timestamp;
		char	   *key;
		char	   *value;
		size_t		key_length = 0;
		size_t		value_length = 0;
		rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
		char	   *name;

		if (line[read - 1] == '\n')
			line[read - 1] = '\0';
		partition = strsep(&rest, "\t");
		timestamp = strsep(&rest, "\t");
		key = strsep(&rest, "\t");
		value = strsep(&rest, "\t");
		if (!value)
			fail("a line has fewer than four fields", line);
		if (!unescape(key, &key_length))
			key = NULL;
		if (!unescape(value, &value_length))
			value = NULL;
		while ((name = strsep(&rest, "\t")) != NULL)
		{
			char	   *text = strsep(&rest, "\t");
			size_t		name_length = 0;
			size_t		text_length = 0;

			if (!text || !unescape(name, &name_length))
				fail("a header has no value", name);
			if (!unescape(text, &text_length))
				text = NULL;
			rd_kafka_header_add(headers, name, name_length, text, text_length);
		}
		send_message(topic, *partition ? atoi(partition) : (int32_t) options.partition,
			 *timestamp ? atoll(timestamp) : milliseconds(CLOCK_REALTIME), key, key_length, value, value_length, headers,
			 number++, value ? 'e' : 't');
		rd_kafka_headers_destroy(headers);
	}
	free(line);
}

/* NAME=VALUE; settings of librdkafka at once */
static void
read_option(rd_kafka_conf_t *conf, char *argument)
{
	static const struct
	{
		const char *name;
		int64_t    *value;
	}			numbers[] = {
		{"count", &options.count}, {"first", &options.first}, {"rate", &options.rate}, {"users", &options.users},
		{"items", &options.items}, {"seed", &options.seed}, {"mixed", &options.mixed}, {"pad", &options.pad},
		{"headers", &options.headers}, {"poison", &options.poison}, {"tombstone", &options.tombstone},
		{"transaction", &options.transaction}, {"abort", &options.abort}, {"partition", &options.partition},
		{"lines", &options.lines}
	};
	char	   *value = strchr(argument, '=');

	if (!value)
		fail(argument, "is not NAME=VALUE");
	*value++ = '\0';
	if (strncmp(argument, "broker.", 7) == 0)
	{
		set(conf, argument + 7, value);
		return;
	}
	if (strcmp(argument, "out") == 0)
	{
		options.out = value;
		return;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		if (strcmp(argument, numbers[i].name) == 0)
		{
			*numbers[i].value = atoll(value);
			return;
		}
	}
	fail(argument, "is no option");
}

int
main(int argc, char **argv)
{
	char		message[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_error_t *error;
	int64_t		start;

	if (argc < 3)
	{
		fprintf(stderr, "usage: produce BROKERS TOPIC [NAME=VALUE ...], see produce.c\n");
		return 2;
	}
	set(conf, "bootstrap.servers", argv[1]);
	set(conf, "enable.idempotence", "true");
	set(conf, "message.timeout.ms", "0");
	set(conf, "linger.ms", "5");
	set(conf, "log_level", "0");
	set(conf, "reconnect.backoff.max.ms", "500");
	set(conf, "queue.buffering.max.messages", "200000");
	for (int i = 3; i < argc; i++)
		read_option(conf, argv[i]);
	if (options.pad > 60000)
		fail("pad", "is greater than 60000");
	if (options.transaction > 0)
	{
		char		id[64];

		snprintf(id, sizeof(id), "produce-%d-%lld", (int) getpid(), (long long) milliseconds(CLOCK_REALTIME));
		set(conf, "transactional.id", id);
		set(conf, "message.timeout.ms", "60000");
	}
	if (options.out && (record = fopen(options.out, "a")) == NULL)
		fail(options.out, "cannot be written");
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_error_cb(conf, on_error);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, message, sizeof(message));
	if (!producer)
		fail("librdkafka", message);
	state = (uint64_t) options.seed;
	while (options.transaction > 0 && (error = rd_kafka_init_transactions(producer, 60000)) != NULL)
		try_again(error, "transactions");

	start = milliseconds(CLOCK_MONOTONIC);
	if (options.lines)
		send_lines(argv[2]);
	else
		send_events(argv[2]);
	while (rd_kafka_flush(producer, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT)
		;
	printf("delivered %lld\naborted %lld\npoisoned %lld\ntombstones %lld\nmilliseconds %lld\n", (long long) delivered,
		   (long long) aborted, (long long) poisoned, (long long) tombstones,
		   (long long) (milliseconds(CLOCK_MONOTONIC) - start));
	if (record && fclose(record) != 0)
		fail(options.out, "cannot be written");
	rd_kafka_destroy(producer);
	return 0;
}
