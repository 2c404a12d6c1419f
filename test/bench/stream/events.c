/*
 * events.c
 *		Events for stream.sh: sent to a broker, and watched for in the database.
 *
 *			events BROKERS TOPIC send RATE [SECONDS]
 *					lines "user <tab> item" of the standard input as events, so many a second; 0: as fast as the
 *					broker takes them.  Prints how many, and in what time, in milliseconds.
 *			events BROKERS TOPIC own SECONDS FIRST
 *					a user whom nobody has seen views an item of the table anchors; until recommend(user, 10) is not
 *					what somebody gets of whom nothing is known
 *			events BROKERS TOPIC all SECONDS FIRST
 *					two new users view a known item and a new one; until the former is in similar_items(of the
 *					latter, 10)
 *
 * own and all print a line for each probe: milliseconds from before the last event is given to the producer
 * until an answer that begins after that shows it, or "timeout" after a minute.  Answers are asked for every 5 ms (own) and
 * every 50 ms (all), by a session of the environment's (PGHOST, …).  FIRST is the first of the numbers that
 * the probe takes for what is new.
 *
 * An event is {"id": 1, "user": {"id": 7}, "item": 3, "ts": milliseconds, "type": "view", "page": "…"},
 * some 200 bytes; its key is the user.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>

#define PATIENCE 60000.0		/* milliseconds */

static rd_kafka_t *producer;
static const char *topic;
static int64_t number;
static int64_t failures;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "events: %s: %s\n", what, why);
	exit(1);
}

/* Milliseconds of a clock */
static double
read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000.0 + now.tv_nsec / 1000000.0;
}

static void
pause_for(double milliseconds)
{
	struct timespec time = {.tv_sec = (time_t) (milliseconds / 1000)};

	time.tv_nsec = (long) ((milliseconds - time.tv_sec * 1000.0) * 1000000.0);
	nanosleep(&time, NULL);
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void) rk, (void) opaque;
	failures += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void
begin(const char *brokers, const char *linger)
{
	const char *const settings[][2] = {
		{"bootstrap.servers", brokers}, {"enable.idempotence", "true"}, {"linger.ms", linger},
		{"queue.buffering.max.messages", "200000"}, {"log_level", "3"},
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char		why[512];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) != RD_KAFKA_CONF_OK)
			fail(settings[i][0], why);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (producer == NULL)
		fail("producer", why);
}

static void
send_event(long long user, long long item)
{
	char		key[32];
	char		text[512];
	int			key_length = snprintf(key, sizeof(key), "%lld", user);
	int			length;

	length = snprintf(text, sizeof(text), "{\"id\":%lld,\"user\":{\"id\":%lld,\"device\":\"phone\"},\"item\":%lld,\"ts\":%.0f,\"type\":\"view\","
					  "\"page\":{\"url\":\"https://shop.example/products/%lld?from=list\",\"ref\":null,\"width\":412,\"ab\":[1,7,12]}}",
					  (long long) ++number, user, item, read_clock(CLOCK_REALTIME), item);
	while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							 RD_KAFKA_V_KEY(key, key_length), RD_KAFKA_V_VALUE(text, length), RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(producer, 20);
	rd_kafka_poll(producer, 0);
}

static void
finish(void)
{
	if (rd_kafka_flush(producer, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR || failures > 0)
		fail("delivery", "not all events were taken");
}

static void
send_lines(double rate, double seconds)
{
	double		start = read_clock(CLOCK_MONOTONIC);
	double		elapsed = 0;
	char		line[128];

	while ((seconds == 0 || elapsed < seconds * 1000) && fgets(line, sizeof(line), stdin) != NULL)
	{
		char	   *rest;
		long long	user = strtoll(line, &rest, 10);
		long long	item = strtoll(rest, NULL, 10);

		send_event(user, item);
		while ((elapsed = read_clock(CLOCK_MONOTONIC) - start) * rate < number * 1000.0 && rate > 0)
			rd_kafka_poll(producer, 1);
	}
	finish();
	printf("%lld %.0f\n", (long long) number, read_clock(CLOCK_MONOTONIC) - start);
}

static PGconn *
begin_session(const char *kind)
{
	PGconn	   *connection = PQconnectdb("");
	PGresult   *result;
	const char *statement = strcmp(kind, "own") == 0 ?
		"SELECT 1 WHERE (SELECT array_agg(item_id) FROM recommend($1::bigint, 10, 'views_recsys')) IS DISTINCT FROM "
		"(SELECT array_agg(item_id) FROM recommend($2::bigint, 10, 'views_recsys'))" :
		"SELECT 1 FROM similar_items($1::bigint, 10, 'views_recsys') WHERE item_id = $2::bigint";

	if (PQstatus(connection) != CONNECTION_OK)
		fail("database", PQerrorMessage(connection));
	result = PQprepare(connection, "look", statement, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail("statement", PQerrorMessage(connection));
	PQclear(result);
	return connection;
}

/* An item to view */
static long long
choose_anchor(PGconn *connection)
{
	PGresult   *result = PQexec(connection, "SELECT item_id FROM anchors ORDER BY random() LIMIT 1");
	long long	item;

	if (PQntuples(result) != 1)
		fail("anchors", PQerrorMessage(connection));
	item = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return item;
}

/* Looks until the row is there.  Milliseconds since start, or a negative number. */
static double
watch(PGconn *connection, long long of, long long other, double start, double interval)
{
	char		texts[2][32];
	const char *values[2] = {texts[0], texts[1]};
	double		elapsed;

	snprintf(texts[0], sizeof(texts[0]), "%lld", of);
	snprintf(texts[1], sizeof(texts[1]), "%lld", other);
	do
	{
		PGresult   *result = PQexecPrepared(connection, "look", 2, values, NULL, NULL, 0);
		int			rows = PQntuples(result);

		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			fail("look", PQerrorMessage(connection));
		PQclear(result);
		elapsed = read_clock(CLOCK_MONOTONIC) - start;
		if (rows > 0)
			return elapsed;
		rd_kafka_poll(producer, 0);
		pause_for(interval);
	} while (elapsed < PATIENCE);
	return -1;
}

static void
probe(const char *kind, double seconds, long long first)
{
	PGconn	   *connection = begin_session(kind);
	double		end = read_clock(CLOCK_MONOTONIC) + seconds * 1000;
	int			own = strcmp(kind, "own") == 0;

	srandom((unsigned) first);
	while (read_clock(CLOCK_MONOTONIC) < end)
	{
		long long	item = choose_anchor(connection);
		double		start;
		double		elapsed;

		/* at no moment that merges or batches could have a liking for */
		pause_for(random() % 1000);
		if (!own)
		{
			send_event(first, item);
			send_event(first, first);
			send_event(first + 1, first);
		}
		start = read_clock(CLOCK_MONOTONIC);
		send_event(own ? first : first + 1, item);
		elapsed = own ? watch(connection, first, -1, start, 5) : watch(connection, first, item, start, 50);
		if (elapsed < 0)
			printf("timeout\n");
		else
			printf("%.1f\n", elapsed);
		fflush(stdout);
		first += 2;
	}
	finish();
	PQfinish(connection);
}

int
main(int argc, char **argv)
{
	if (argc < 5)
		fail("arguments", "BROKERS TOPIC send RATE [SECONDS] | own SECONDS FIRST | all SECONDS FIRST");
	topic = argv[2];
	if (strcmp(argv[3], "send") == 0)
	{
		begin(argv[1], "5");
		send_lines(atof(argv[4]), argc > 5 ? atof(argv[5]) : 0);
	}
	else
	{
		begin(argv[1], "0");
		probe(argv[3], atof(argv[4]), atoll(argc > 5 ? argv[5] : "1000000000"));
	}
	rd_kafka_destroy(producer);
	return 0;
}
