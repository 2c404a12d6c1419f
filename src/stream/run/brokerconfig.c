/*
 * brokerconfig.c
 *	  librdkafka's configuration of a stream: see brokerconfig.h.
 *
 * The database is not trusted with this machine: whoever may declare a stream could otherwise have it read
 * files, run programs, or send its passwords to a broker of theirs.  So what is declared is looked at once
 * more; where the file has secrets, it also says which brokers get them and how; and what it says wins.
 */
#include "postgres_fe.h"

#include <ctype.h>

#include "core/stream/brokeroptions.h"
#include "stream/run/brokerconfig.h"

/* What a stream begins with; a declaration and the file may say otherwise. */
static const RecsysStreamOption defaults[] = {
	{"client.id", "recsys-stream"},
	{"partition.assignment.strategy", "cooperative-sticky"},
	/*
	 * The partitions of a process that was killed stand still for so long.  librdkafka's 45 s are made for
	 * consumers that lose more by a rebalance than a claim of their rows.
	 */
	{"session.timeout.ms", "10000"},
	{"heartbeat.interval.ms", "1000"},
	/* memory: messages that wait for the process, and what a fetch brings */
	{"queued.max.messages.kbytes", "32768"},
	{"fetch.message.max.bytes", "1048576"},
	/* a message is visible within a second: the broker answers soon, an error does not stop for long */
	{"fetch.wait.max.ms", "100"},
	{"fetch.error.backoff.ms", "250"},
	{"reconnect.backoff.max.ms", "5000"},
	/* partitions that are added are seen within a minute */
	{"topic.metadata.refresh.interval.ms", "60000"},
	{"socket.keepalive.enable", "true"},
};

/* What a stream's guarantee stands on; RecsysBrokerOptionKind() has these as FIXED. */
static const RecsysStreamOption musts[] = {
	{"enable.auto.commit", "false"},	/* the database keeps the offsets */
	{"enable.auto.offset.store", "false"},
	{"auto.offset.reset", "error"}, /* a log that is gone is an error, never a silent jump */
	{"isolation.level", "read_committed"},
	{"enable.partition.eof", "true"},
	{"allow.auto.create.topics", "false"},
	{"debug", "topic"},			/* joining.c looks for one line of it */
};

static bool
set_option(rd_kafka_conf_t *config, const char *name, const char *value, PQExpBuffer fault)
{
	char		why[512];

	if (rd_kafka_conf_set(config, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return true;
	printfPQExpBuffer(fault, "%s", why);
	return false;
}

/* Is a broker one of a list separated by commas?  Blanks do not count. */
static bool
is_listed(const char *broker, size_t length, const char *list)
{
	while (*list != '\0')
	{
		size_t		until = strcspn(list, ",");
		size_t		begin = 0;
		size_t		end = until;

		while (begin < end && isspace((unsigned char) list[begin]))
			begin++;
		while (end > begin && isspace((unsigned char) list[end - 1]))
			end--;
		if (end - begin == length && pg_strncasecmp(list + begin, broker, length) == 0)
			return true;
		list += until + (list[until] == ',');
	}
	return false;
}

/* A stream may be read only from brokers that the file names, if it names any. */
static bool
brokers_are_allowed(const char *declared, const char *allowed, PQExpBuffer fault)
{
	if (allowed == NULL)
		return true;
	while (*declared != '\0')
	{
		size_t		until = strcspn(declared, ",");
		size_t		begin = 0;
		size_t		end = until;

		while (begin < end && isspace((unsigned char) declared[begin]))
			begin++;
		while (end > begin && isspace((unsigned char) declared[end - 1]))
			end--;
		if (end > begin && !is_listed(declared + begin, end - begin, allowed))
		{
			printfPQExpBuffer(fault, "the broker \"%.*s\" is none of those that the program's file names (brokers = %s)",
							  (int) (end - begin), declared + begin, allowed);
			return false;
		}
		declared += until + (declared[until] == ',');
	}
	return true;
}

/* An option that says how brokers are known and what they are told */
static bool
is_security(const char *name)
{
	static const char *const prefixes[] = {"security.", "sasl.", "ssl.", "enable.ssl", "enable.sasl", "https."};

	for (int number = 0; number < lengthof(prefixes); number++)
		if (strncmp(name, prefixes[number], strlen(prefixes[number])) == 0)
			return true;
	return false;
}

/* What a declaration may have of this machine's memory, for each process */
static bool
exceeds_limit(const RecsysStreamOption *option, PQExpBuffer fault)
{
	static const struct
	{
		const char *name;
		int64		most;
	}			limits[] = {
		{"queued.max.messages.kbytes", 262144},
		{"fetch.message.max.bytes", 67108864},
		{"max.partition.fetch.bytes", 67108864},
		{"fetch.max.bytes", 134217728},
		{"message.max.bytes", 67108864},
		{"receive.message.max.bytes", 268435456},
	};

	for (int number = 0; number < lengthof(limits); number++)
		if (strcmp(option->name, limits[number].name) == 0 && strtoll(option->value, NULL, 10) > limits[number].most)
		{
			printfPQExpBuffer(fault, "the declaration sets the option \"%s\" to more than " INT64_FORMAT
							  ", which only the program's file may", option->name, limits[number].most);
			return true;
		}
	return false;
}

static bool
set_declared(rd_kafka_conf_t *config, const RecsysStreamOption *option, const RecsysProgramFile *file, PQExpBuffer fault)
{
	const char *why = NULL;

	if (strcmp(option->name, "group.id") == 0)
		return true;			/* stream_settings() has made it the group */
	if (RecsysBrokerOptionKind(option->name, &why) != RECSYS_BROKER_OPTION_OPEN)
	{
		printfPQExpBuffer(fault, "the declaration sets the option \"%s\": %s", option->name, why ? why : "it must not");
		return false;
	}
	if (exceeds_limit(option, fault))
		return false;
	if (file->has_secrets && is_security(option->name))
		return true;			/* the file's, or librdkafka's default: never a weaker one */
	return set_option(config, option->name, option->value, fault);
}

/* recsys.STREAM, or that followed by a dot and more */
static bool
is_own_group(const char *group, const char *stream)
{
	size_t		prefix = strlen("recsys.");
	size_t		length = strlen(stream);

	return strncmp(group, "recsys.", prefix) == 0 && strncmp(group + prefix, stream, length) == 0 &&
		(group[prefix + length] == '\0' || group[prefix + length] == '.');
}

static bool
set_all(rd_kafka_conf_t *config, const RecsysStreamSettings *settings, const RecsysProgramFile *file, PQExpBuffer fault)
{
	if (!brokers_are_allowed(settings->brokers, file->brokers, fault))
		return false;
	/* who may declare a stream must not take part in, or commit offsets of, somebody else's group */
	if (!is_own_group(settings->group, settings->name))
	{
		printfPQExpBuffer(fault, "the group \"%s\" is not recsys.%s, nor does it begin with recsys.%s. and more", settings->group,
						  settings->name, settings->name);
		return false;
	}
	if (settings->topic[0] == '^')
	{
		printfPQExpBuffer(fault, "the topic \"%s\" is a pattern", settings->topic);
		return false;
	}
	for (int number = 0; number < lengthof(defaults); number++)
		if (!set_option(config, defaults[number].name, defaults[number].value, fault))
			return false;
	for (int number = 0; number < settings->nconfig; number++)
		if (!set_declared(config, &settings->config[number], file, fault))
			return false;
	for (int number = 0; number < file->nkafka; number++)
		if (!set_option(config, file->kafka[number].name, file->kafka[number].value, fault))
			return false;
	for (int number = 0; number < lengthof(musts); number++)
		if (!set_option(config, musts[number].name, musts[number].value, fault))
			return false;
	return set_option(config, "bootstrap.servers", settings->brokers, fault) &&
		set_option(config, "group.id", settings->group, fault);
}

rd_kafka_conf_t *
RecsysBrokerConfig(const RecsysStreamSettings *settings, const RecsysProgramFile *file, int job, PQExpBuffer fault)
{
	rd_kafka_conf_t *config = rd_kafka_conf_new();
	const char *instance = RecsysFileOption(file, "group.instance.id");
	bool		good = set_all(config, settings, file, fault);

	if (good && RecsysFileOption(file, "debug") != NULL)
	{
		char	   *both = psprintf("topic,%s", RecsysFileOption(file, "debug"));

		good = set_option(config, "debug", both, fault);
		pg_free(both);
	}

	/* members of a group that keep their places must have names of their own */
	if (good && instance != NULL)
	{
		char	   *own = psprintf("%s-%d", instance, job);

		good = set_option(config, "group.instance.id", own, fault);
		pg_free(own);
	}
	if (good)
		return config;
	rd_kafka_conf_destroy(config);
	return NULL;
}
