/*
 * brokeroptions.c
 *	  Which options of librdkafka may be set for a stream, and where.
 *
 * Names are those of librdkafka's CONFIGURATION.md, which it compares with regard to case.  What is open
 * is listed: a version that is newer than this list may know options that run code or read files, and
 * these are for the program's file until somebody has looked at them.
 */
#include "core/stream/brokeroptions.h"

typedef struct KnownOption
{
	const char *name;
	RecsysBrokerOption kind;
	const char *why;
} KnownOption;

static const char password[] = "A declaration is part of dumps, and secrets are not.";
static const char file[] = "It names a file of the machine that recsys-stream runs on.";
static const char trust[] = "Whom recsys-stream trusts, and with what, is said where it runs.";
static const char command[] = "It becomes part of a command on the machine that recsys-stream runs on.";
static const char library[] = "It loads code.";
static const char position[] = "Offsets are kept in the database, with the rows.";
static const char aborted[] = "Messages of aborted transactions never happened.";
static const char own[] = "recsys-stream sets it.";
static const char brokers[] = "It is the parameter brokers of a stream.";
static const char callback[] = "It is not for configuration.";
static const char unknown[] = "It is none of the options that are known to be harmless wherever they come from.";
static const char talk[] = "What recsys-stream logs is said where it runs.";

#define OPEN(name) {name, RECSYS_BROKER_OPTION_OPEN, NULL}
#define SECRET(name) {name, RECSYS_BROKER_OPTION_SECRET, password}
#define LOCAL(name, why) {name, RECSYS_BROKER_OPTION_LOCAL, why}
#define FIXED(name, why) {name, RECSYS_BROKER_OPTION_FIXED, why}

static const KnownOption options[] = {
	/* how to connect */
	OPEN("security.protocol"),
	OPEN("sasl.mechanism"),
	OPEN("sasl.mechanisms"),
	OPEN("sasl.username"),
	OPEN("broker.address.family"),
	OPEN("broker.address.ttl"),
	OPEN("client.id"),
	OPEN("client.rack"),
	OPEN("socket.timeout.ms"),
	OPEN("socket.keepalive.enable"),
	OPEN("socket.nagle.disable"),
	OPEN("socket.max.fails"),
	OPEN("socket.connection.setup.timeout.ms"),
	OPEN("socket.send.buffer.bytes"),
	OPEN("socket.receive.buffer.bytes"),
	OPEN("connections.max.idle.ms"),
	OPEN("reconnect.backoff.ms"),
	OPEN("reconnect.backoff.max.ms"),
	OPEN("retry.backoff.ms"),
	OPEN("retry.backoff.max.ms"),
	OPEN("api.version.request"),
	OPEN("api.version.request.timeout.ms"),
	OPEN("api.version.fallback.ms"),
	OPEN("broker.version.fallback"),

	/* what is known of the cluster */
	OPEN("topic.metadata.refresh.interval.ms"),
	OPEN("topic.metadata.refresh.fast.interval.ms"),
	OPEN("topic.metadata.refresh.sparse"),
	OPEN("topic.metadata.propagation.max.ms"),
	OPEN("metadata.max.age.ms"),

	/* the group */
	OPEN("session.timeout.ms"),
	OPEN("heartbeat.interval.ms"),
	OPEN("max.poll.interval.ms"),
	OPEN("coordinator.query.interval.ms"),
	OPEN("partition.assignment.strategy"),

	/* fetching */
	OPEN("queued.min.messages"),
	OPEN("queued.max.messages.kbytes"),
	OPEN("fetch.wait.max.ms"),
	OPEN("fetch.queue.backoff.ms"),
	OPEN("fetch.message.max.bytes"),
	OPEN("max.partition.fetch.bytes"),
	OPEN("fetch.max.bytes"),
	OPEN("fetch.min.bytes"),
	OPEN("fetch.error.backoff.ms"),
	OPEN("message.max.bytes"),
	OPEN("receive.message.max.bytes"),
	OPEN("check.crcs"),

	SECRET("sasl.password"),
	SECRET("sasl.oauthbearer.client.secret"),
	SECRET("sasl.oauthbearer.config"),
	SECRET("sasl.oauthbearer.assertion.private.key.passphrase"),
	SECRET("sasl.oauthbearer.assertion.private.key.pem"),
	SECRET("ssl.key.password"),
	SECRET("ssl.key.pem"),
	SECRET("ssl.keystore.password"),

	LOCAL("ssl.key.location", file),
	LOCAL("ssl.certificate.location", file),
	LOCAL("ssl.ca.location", file),
	LOCAL("ssl.crl.location", file),
	LOCAL("ssl.keystore.location", file),
	LOCAL("https.ca.location", file),
	LOCAL("sasl.oauthbearer.assertion.file", file),
	LOCAL("sasl.oauthbearer.assertion.jwt.template.file", file),
	LOCAL("sasl.oauthbearer.assertion.private.key.file", file),
	LOCAL("sasl.kerberos.keytab", command),
	LOCAL("sasl.kerberos.principal", command),
	LOCAL("sasl.kerberos.service.name", command),
	LOCAL("sasl.kerberos.kinit.cmd", command),
	LOCAL("sasl.kerberos.min.time.before.relogin", trust),
	LOCAL("ssl.certificate.pem", trust),
	LOCAL("ssl.ca.pem", trust),
	LOCAL("ssl.ca.certificate.stores", trust),
	LOCAL("https.ca.pem", trust),
	LOCAL("ssl.cipher.suites", trust),
	LOCAL("ssl.curves.list", trust),
	LOCAL("ssl.sigalgs.list", trust),
	LOCAL("enable.ssl.certificate.verification", trust),
	LOCAL("ssl.endpoint.identification.algorithm", trust),
	LOCAL("sasl.oauthbearer.method", trust),
	LOCAL("sasl.oauthbearer.client.id", trust),
	LOCAL("sasl.oauthbearer.scope", trust),
	LOCAL("sasl.oauthbearer.extensions", trust),
	LOCAL("sasl.oauthbearer.token.endpoint.url", trust),
	LOCAL("enable.sasl.oauthbearer.unsecure.jwt", trust),
	LOCAL("group.instance.id", "It must be another one for each process of recsys-stream."),
	LOCAL("ssl.engine.location", library),
	LOCAL("ssl.engine.id", library),
	LOCAL("ssl.providers", library),
	LOCAL("debug", talk),
	LOCAL("log_level", talk),
	LOCAL("log.connection.close", talk),
	LOCAL("log.thread.name", talk),
	LOCAL("statistics.interval.ms", talk),

	FIXED("bootstrap.servers", brokers),
	FIXED("metadata.broker.list", brokers),
	FIXED("enable.auto.commit", position),
	FIXED("auto.commit.enable", position),
	FIXED("auto.commit.interval.ms", position),
	FIXED("enable.auto.offset.store", position),
	FIXED("auto.offset.reset", position),
	FIXED("offset.store.method", position),
	FIXED("offset.store.path", position),
	FIXED("offset.store.sync.interval.ms", position),
	FIXED("isolation.level", aborted),
	FIXED("group.id", own),
	FIXED("group.protocol", own),
	FIXED("group.protocol.type", own),
	FIXED("group.remote.assignor", own),
	FIXED("enable.partition.eof", own),
	FIXED("allow.auto.create.topics", own),
	FIXED("topic.blacklist", own),
	FIXED("enabled_events", own),
	FIXED("log.queue", own),
	FIXED("internal.termination.signal", own),
	FIXED("test.mock.num.brokers", own),
	FIXED("plugin.library.paths", library),
	FIXED("interceptors", callback),
	FIXED("opaque", callback),
	FIXED("default_topic_conf", callback),
	FIXED("ssl_key", callback),
	FIXED("ssl_certificate", callback),
	FIXED("ssl_ca", callback),
	FIXED("ssl_engine_callback_data", callback),
};

/* Callbacks of all kinds are functions of a program. */
static bool
is_callback(const char *name)
{
	size_t		length = strlen(name);

	return length >= 3 && strcmp(name + length - 3, "_cb") == 0;
}

RecsysBrokerOption
RecsysBrokerOptionKind(const char *name, const char **why)
{
	for (size_t i = 0; i < lengthof(options); i++)
		if (strcmp(options[i].name, name) == 0)
		{
			*why = options[i].why;
			return options[i].kind;
		}
	if (is_callback(name))
	{
		*why = callback;
		return RECSYS_BROKER_OPTION_FIXED;
	}
	*why = unknown;
	return RECSYS_BROKER_OPTION_LOCAL;
}

const char *
RecsysBrokerOptionName(int number)
{
	return number < (int) lengthof(options) ? options[number].name : NULL;
}
