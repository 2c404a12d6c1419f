/*
 * harness.c
 *	  Streams and messages in one line each, for tests of the decoder.
 */
#include "unit.h"

#include <stdarg.h>

extern int	tests;
extern int	failures;

RecsysStreamRecord message = {.topic = "shop", .partition = 3, .offset = 7, .timestamp = INT64CONST(1764398700123)};

static RecsysStreamOption secrets[8];
static int	nsecrets;

/* kept, so that what leaks is the decoder's */
static RecsysStreamSettings *streams[1000];
static int	nstreams;

void
ok(bool passed, const char *format,...)
{
	va_list		arguments;

	tests++;
	failures += !passed;
	printf("%sok %d - ", passed ? "" : "not ", tests);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

static void
set_field_option(RecsysStreamField *field, const char *option)
{
	static const char *const kinds[] = {"text", "time", "document", "array", "bytes"};
	static const char *const units[] = {"auto", "s", "ms", "us"};
	static const char *const pseudonyms[] = {"none", "text!", "uuid!", "bigint!"};

	for (int i = 0; i < lengthof(kinds); i++)
		field->kind = strcmp(option, kinds[i]) == 0 ? i : field->kind;
	for (int i = 0; i < lengthof(units); i++)
		field->unit = strcmp(option, units[i]) == 0 ? i : field->unit;
	for (int i = 0; i < lengthof(pseudonyms); i++)
		field->pseudonym = strcmp(option, pseudonyms[i]) == 0 ? i : field->pseudonym;
	if (strncmp(option, "default=", 8) == 0)
		field->fallback = pg_strdup(option + 8);
}

RecsysStreamSettings *
stream(RecsysStreamFormat format, ...)
{
	RecsysStreamSettings *settings = pg_malloc0(sizeof(RecsysStreamSettings));
	va_list		arguments;
	const char *text;

	streams[nstreams++ % lengthof(streams)] = settings;
	settings->format = format;
	settings->fields = pg_malloc0(sizeof(RecsysStreamField) * 100);
	settings->options = pg_malloc0(sizeof(RecsysStreamOption) * 8);
	va_start(arguments, format);
	while ((text = va_arg(arguments, const char *)) != NULL)
	{
		RecsysStreamField *field = &settings->fields[settings->nfields++];
		char	   *copy = pg_strdup(text);
		char	   *option;

		field->name = copy;
		field->source = strchr(copy, '=') + 1;
		field->source[-1] = '\0';
		option = strchr(field->source, ',');
		while (option != NULL)
		{
			char	   *next = strchr(option + 1, ',');

			*option = '\0';
			if (next != NULL)
				*next = '\0';
			set_field_option(field, option + 1);
			option = next;
		}
	}
	va_end(arguments);
	return settings;
}

void
stream_option(RecsysStreamSettings *settings, const char *name, const char *value)
{
	RecsysStreamOption *option = &settings->options[settings->noptions++];

	option->name = unconstify(char *, name);
	option->value = unconstify(char *, value);
}

void
secret(const char *name, const char *value)
{
	secrets[nsecrets].name = unconstify(char *, name);
	secrets[nsecrets++].value = unconstify(char *, value);
}

void
no_secrets(void)
{
	nsecrets = 0;
}

/* Rows are told without the number of the message and the r. */
static void
tell_rows(PQExpBuffer result, const char *rows)
{
	while (*rows != '\0')
	{
		const char *end = strchr(rows, '\n') + 1;

		if (strncmp(rows, "1\tr", 3) == 0)
			rows += rows[3] == '\t' ? 4 : 3;
		else if (strncmp(rows, "1\t", 2) == 0)
			rows += 2;
		appendBinaryPQExpBuffer(result, rows, end - rows);
		rows = end;
	}
	if (result->len > 0)
		result->data[--result->len] = '\0';
}

const char *
decoded_bytes(const RecsysStreamSettings *settings, const char *payload, size_t length)
{
	static PQExpBuffer result;
	PQExpBuffer rows = createPQExpBuffer();
	PQExpBuffer reason = createPQExpBuffer();
	RecsysDecoder *decoder = RecsysDecoderCreate(settings, secrets, nsecrets, reason);
	char	   *copy = NULL;

	if (result == NULL)
		result = createPQExpBuffer();
	resetPQExpBuffer(result);
	if (payload != NULL)
	{
		/* exactly as large as it is, for the address sanitizer */
		copy = pg_malloc(Max(length, 1));
		memcpy(copy, payload, length);
	}
	message.payload = copy;
	message.payload_length = length;
	if (decoder == NULL)
		appendPQExpBuffer(result, "no decoder: %s", reason->data);
	else
	{
		RecsysVerdict verdict = RecsysDecode(decoder, &message, 1, rows, reason);

		if (verdict == RECSYS_VERDICT_ROWS)
			tell_rows(result, rows->data);
		else if (verdict == RECSYS_VERDICT_SKIPPED)
			appendPQExpBufferStr(result, "skipped");
		else
			appendPQExpBuffer(result, verdict == RECSYS_VERDICT_RETRY ? "retry: %s" : "rejected: %s", reason->data);
		if (verdict != RECSYS_VERDICT_ROWS && rows->len > 0)
			appendPQExpBufferStr(result, " and yet there are rows");
	}
	RecsysDecoderFree(decoder);
	destroyPQExpBuffer(rows);
	destroyPQExpBuffer(reason);
	pg_free(copy);
	return result->data;
}

const char *
decoded(const RecsysStreamSettings *settings, const char *payload)
{
	return decoded_bytes(settings, payload, payload == NULL ? 0 : strlen(payload));
}

void
expect(const char *what, const RecsysStreamSettings *settings, const char *payload, const char *expected)
{
	const char *found = decoded(settings, payload);

	ok(strcmp(found, expected) == 0, "%s", what);
	if (strcmp(found, expected) != 0)
		printf("# expected: %s\n# found:    %s\n", expected, found);
}
