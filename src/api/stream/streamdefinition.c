/*
 * streamdefinition.c
 *	  A stream's definition: its parameters, checked and as they are kept.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/define/declaredarguments.h"
#include "api/keep/keeper.h"
#include "api/stream/streamdefinition.h"
#include "api/stream/streamoptions.h"
#include "api/stream/streamseek.h"
#include "api/stream/streamshape.h"
#include "api/stream/streamstatements.h"
#include "catalog/namespace.h"
#include "core/stream/streampath.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

const char *const RecsysStreamParameters[RECSYS_STREAM_PARAMETERS] = {
	"brokers", "topic", "target", "columns", "format", "filter", "errors", "start", "config", "options",
	"fields", "key", "conflict", "tombstones", "pseudonyms", "consent", "max_rows", "max_delay", "max_errors",
	"max_pending", "jobs", "merge_interval"
};

/* Where the messages are that have become none */
#define ERROR_VIEW "recsys.stream_errors"

static void
wrong(const char *parameter, const char *must)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be %s", parameter, must)));
}

/* host:port, …: what librdkafka takes, without anything that it might take for more */
static void
check_brokers(const char *brokers)
{
	if (brokers == NULL || strspn(brokers, " ,") == strlen(brokers) || strlen(brokers) > 4096 ||
		strspn(brokers, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[], ") != strlen(brokers))
		wrong("brokers", "a list of hosts with their ports, as in 'kafka1:9092,kafka2:9092'");
}

/* Names as Kafka has them; one that begins with ^ would be a pattern to librdkafka. */
static void
check_topic(const char *topic)
{
	if (topic == NULL || *topic == '\0' || strlen(topic) > 249 || strcmp(topic, ".") == 0 ||
		strcmp(topic, "..") == 0 ||
		strspn(topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(topic))
		wrong("topic", "the name of a topic: at most 249 letters, digits, dots, underscores and hyphens");
}

static void
check_range(Jsonb *definition, const char *parameter, int64 low, int64 high)
{
	int64		value = RecsysJsonInteger(&definition->root, parameter, low);

	if (value < low || value > high)
		wrong(parameter, psprintf("between %lld and %lld", (long long) low, (long long) high));
}

static void
check_consent(Jsonb *definition)
{
	char	   *consent = RecsysJsonText(&definition->root, "consent");
	char	   *format = RecsysJsonText(&definition->root, "format");
	RecsysPathForm form = RECSYS_PATH_TREE;
	RecsysStreamPath path;
	const char *fault;

	if (consent == NULL)
		return;
	(void) RecsysStreamFormatForm(format == NULL ? "json" : format, &form);
	if (!RecsysParseStreamPath(consent, form, &path, &fault))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path \"%s\" of consent %s", consent, fault)));
	if (path.each >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path \"%s\" of consent is of each element of an array", consent),
				 errdetail("Consent is of the message as a whole.")));
}

static int64
milliseconds_of(const char *text, const char *parameter)
{
	Datum		interval = DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1));
	double		milliseconds = RecsysIntervalMicroseconds(DatumGetIntervalP(interval)) / 1000;

	if (!(milliseconds >= 0 && milliseconds <= PG_INT32_MAX))
		wrong(parameter, "an interval of at most 24 days that is not negative");
	return (int64) milliseconds;
}

int64
RecsysStreamMilliseconds(Jsonb *definition, const char *parameter, int64 otherwise)
{
	char	   *text = RecsysJsonText(&definition->root, parameter);

	return text == NULL ? otherwise : milliseconds_of(text, parameter);
}

char *
RecsysStreamStart(Jsonb *definition)
{
	char	   *start = RecsysJsonText(&definition->root, "start");

	return start == NULL ? pstrdup("earliest") : start;
}

Oid
RecsysStreamErrorTable(Jsonb *definition)
{
	char	   *errors = RecsysJsonText(&definition->root, "errors");

	return errors == NULL ? InvalidOid : RecsysFindStreamTable(errors, "table for rejected messages");
}

bool
RecsysStreamKeepsPayload(Jsonb *definition)
{
	JsonbValue	value;

	return !RecsysJsonGet(&definition->root, "consent", &value) &&
		!(RecsysJsonGet(&definition->root, "pseudonyms", &value) &&
		  JsonContainerSize(RecsysJsonArray(&value, "pseudonyms")) > 0);
}

/* The defaults of create_stream, where they are not what a missing parameter means */
static bool
default_of(const char *parameter, int64 *value)
{
	*value = strcmp(parameter, "max_errors") == 0 ? RECSYS_STREAM_MAX_ERRORS :
		strcmp(parameter, "max_pending") == 0 ? RECSYS_STREAM_MAX_PENDING : -1;
	return *value >= 0;
}

/* A name as it is kept: with its schema; NULL for the extension's own view, which is the default. */
static char *
kept_table(char *name, const char *parameter)
{
	Oid			table;

	if (strcmp(parameter, "errors") == 0)
	{
		Oid			view = RecsysKeptTable("stream_errors");

		if (OidIsValid(view) && RecsysKeptRelation(name) == view)
			return NULL;
		table = RecsysFindStreamTable(name, "table for rejected messages");
	}
	else
		table = RecsysFindStreamTable(name, parameter);
	return RecsysKeptName(table);
}

/* One parameter as it is kept */
static void
put_parameter(JsonbParseState **state, const char *name, JsonbValue *value)
{
	if (strcmp(name, "target") == 0 || strcmp(name, "errors") == 0)
		RecsysJsonPutText(state, name, kept_table(RecsysJsonValueText(value, name), name));
	else if (strcmp(name, "max_delay") == 0 || strcmp(name, "merge_interval") == 0)
		RecsysJsonPutText(state, name, psprintf("%lld ms", (long long) milliseconds_of(RecsysJsonValueText(value, name), name)));
	else if (strcmp(name, "start") == 0)
		RecsysJsonPutText(state, name, RecsysStreamSeekOf(RecsysJsonValueText(value, name)));
	else
	{
		RecsysJsonPutKey(state, name);
		pushJsonbValue(state, WJB_VALUE, value);
	}
}

static Jsonb *
merge(Jsonb *given, Jsonb *before, List *reset)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	char	   *search_path = pstrdup(namespace_search_path);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RECSYS_STREAM_PARAMETERS; i++)
	{
		const char *name = RecsysStreamParameters[i];
		int64		integer;

		if (RecsysJsonGet(&given->root, name, &value))
			put_parameter(&state, name, &value);
		else if (RecsysIsAmong(name, reset))
		{
			if (default_of(name, &integer))
				RecsysJsonPutInteger(&state, name, integer);
		}
		else if (before != NULL && RecsysJsonGet(&before->root, name, &value))
		{
			RecsysJsonPutKey(&state, name);
			pushJsonbValue(&state, WJB_VALUE, &value);
		}
	}
	/* what names in the filter mean is settled when it is declared */
	if (before != NULL && !RecsysJsonGet(&given->root, "filter", &value))
		search_path = RecsysJsonText(&before->root, "search_path");
	RecsysJsonPutText(&state, "search_path", search_path);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

Jsonb *
RecsysMakeStream(const char *stream, Jsonb *given, Jsonb *before, List *reset, Oid owner)
{
	Jsonb	   *definition = merge(given, before, reset);
	RecsysStreamShape shape;

	check_brokers(RecsysJsonText(&definition->root, "brokers"));
	check_topic(RecsysJsonText(&definition->root, "topic"));
	RecsysReadStreamShape(definition, &shape);
	check_consent(definition);
	RecsysCheckBrokerConfig(stream, definition);
	RecsysCheckFormatOptions(definition);
	check_range(definition, "max_rows", 1, 1000000);
	check_range(definition, "jobs", 1, 64);
	check_range(definition, "max_errors", 0, PG_INT32_MAX);
	check_range(definition, "max_pending", 1, PG_INT64_MAX);
	if (RecsysStreamMilliseconds(definition, "max_delay", 250) > 60000)
		wrong("max_delay", "at most a minute");
	(void) RecsysStreamMilliseconds(definition, "merge_interval", 0);
	RecsysCheckStreamStatements(&shape, owner, RecsysStreamErrorTable(definition));
	return definition;
}
