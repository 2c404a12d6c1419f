/*
 * streamoptions.c
 *	  Options of a declaration: those of librdkafka, and those of the format.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/declare/nearest.h"
#include "api/stream/streamgroup.h"
#include "api/stream/streamoptions.h"
#include "core/stream/brokeroptions.h"
#include "core/stream/formatoptions.h"

static void
refuse_option(const char *name, RecsysBrokerOption kind, const char *why)
{
	if (kind == RECSYS_BROKER_OPTION_FIXED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" of librdkafka cannot be set for a stream", name),
				 errdetail_internal("%s", why)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" of librdkafka cannot be set in a declaration", name),
			 errdetail_internal("%s", why),
			 errhint("Write a line \"kafka.%s = ...\" into the file that recsys-stream is started with: recsys-stream --config FILE.",
					 name)));
}

/* What may have been meant by a name that is none of the known ones, or NULL */
static const char *
nearest_option(const char *name)
{
	const char *names[256];
	int			n = 0;

	while (n < lengthof(names) && RecsysBrokerOptionName(n) != NULL)
	{
		names[n] = RecsysBrokerOptionName(n);
		if (strcmp(names[n], name) == 0)
			return NULL;
		n++;
	}
	return RecsysNearestWord(name, names, n);
}

/*
 * Who joins a group takes partitions from its members and says for it how far it has come.  A declaration
 * is not to do that to other applications or streams with the rights of the program, which looks once more.
 */
static void
check_group(const char *stream, const JsonbValue *value)
{
	char	   *own = psprintf(RECSYS_STREAM_GROUP_PREFIX "%s", stream);
	char	   *group = value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : "";
	size_t		length = strlen(own);

	if (strncmp(group, own, length) != 0 || (group[length] != '\0' && group[length] != '.'))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group.id must be \"%s\", or begin with \"%s.\"", own, own),
				 errdetail("A stream must not take partitions from the consumers of something else.")));
}

static void
check_option(const char *stream, const char *name, const JsonbValue *value)
{
	const char *why;
	const char *nearest;
	RecsysBrokerOption kind;

	if (strcmp(name, "group.id") == 0)
	{
		check_group(stream, value);
		return;
	}
	kind = RecsysBrokerOptionKind(name, &why);
	nearest = nearest_option(name);
	if (nearest != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\" of librdkafka", name),
				 errhint("Perhaps you meant \"%s\".", nearest)));
	if (kind != RECSYS_BROKER_OPTION_OPEN)
		refuse_option(name, kind, why);
	if (value->type != jbvString && value->type != jbvNumeric && value->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a string, a number or a boolean", name)));
}

void
RecsysCheckBrokerConfig(const char *stream, Jsonb *definition)
{
	JsonbValue	member;
	JsonbIterator *iterator;

	if (!RecsysJsonGet(&definition->root, "config", &member))
		return;
	iterator = JsonbIteratorInit(RecsysJsonObject(&member, "config"));
	(void) JsonbIteratorNext(&iterator, &member, true);
	while (JsonbIteratorNext(&iterator, &member, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(member.val.string.val, member.val.string.len);

		(void) JsonbIteratorNext(&iterator, &member, true);
		check_option(stream, name, &member);
	}
}

/* Where schemas are: an address without credentials, which belong into the program's file */
static void
check_registry(const char *address)
{
	size_t		scheme = strncmp(address, "http://", 7) == 0 ? 7 : strncmp(address, "https://", 8) == 0 ? 8 : 0;
	size_t		host = scheme == 0 ? 0 : strcspn(address + scheme, "/?#");

	for (const unsigned char *c = (const unsigned char *) address; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 127 || *c == '\\')
			host = 0;
	if (host == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("registry must be an address that begins with http:// or https://")));
	if (memchr(address + scheme, '@', host) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the address of a registry must not have a user and a password"),
				 errdetail("A declaration is part of dumps, and secrets are not."),
				 errhint("Write lines \"registry = ...\", \"registry_user = ...\" and \"registry_password = ...\" into the file that recsys-stream is started with.")));
}

/* One letter of ASCII, or what else is a word for something */
static void
check_letter(const char *name, const char *value, const char *word)
{
	bool		is_letter = strlen(value) == 1 && !IS_HIGHBIT_SET(*value) && *value >= ' ';

	if (!is_letter && strcmp(value, word) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a single letter of ASCII, or \"%s\"", name, word)));
}

static void
check_format_option(const char *name, const JsonbValue *value)
{
	char	   *text;

	/* schemas and headers may be written as JSON */
	if (strcmp(name, "schema") == 0 || strcmp(name, "header") == 0)
		return;
	text = RecsysJsonValueText(value, name);
	if (strcmp(name, "registry") == 0)
		check_registry(text);
	else if (strcmp(name, "delimiter") == 0)
		check_letter(name, text, "\\t");
	else if (strcmp(name, "quote") == 0)
		check_letter(name, text, "");
}

/* What is binary cannot be read without knowing how it was written. */
static void
check_schemas(const char *format, JsonbContainer *options)
{
	JsonbValue	value;

	if (strcmp(format, "avro") == 0 &&
		(options == NULL ||
		 !(RecsysJsonGet(options, "registry", &value) || RecsysJsonGet(options, "schema", &value))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("format \"avro\" needs a registry or a schema"),
				 errhint("Say where schemas are: options => '{\"registry\": \"http://registry:8081\"}'.")));
}

void
RecsysCheckFormatOptions(Jsonb *definition)
{
	char	   *format = RecsysJsonText(&definition->root, "format");
	const char *known[16];
	int			n = 0;
	JsonbValue	member;
	JsonbIterator *iterator;

	if (format == NULL)
		format = "json";
	while (n < lengthof(known) && RecsysFormatOption(format, n) != NULL)
	{
		known[n] = RecsysFormatOption(format, n);
		n++;
	}
	if (!RecsysJsonGet(&definition->root, "options", &member))
	{
		check_schemas(format, NULL);
		return;
	}
	check_schemas(format, RecsysJsonObject(&member, "options"));
	iterator = JsonbIteratorInit(RecsysJsonObject(&member, "options"));
	(void) JsonbIteratorNext(&iterator, &member, true);
	while (JsonbIteratorNext(&iterator, &member, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(member.val.string.val, member.val.string.len);

		(void) JsonbIteratorNext(&iterator, &member, true);
		if (n == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("format \"%s\" has no options", format)));
		RecsysCheckWord(name, psprintf("option of format \"%s\"", format), known, n);
		check_format_option(name, &member);
	}
}
