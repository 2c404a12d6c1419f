/*
 * csvline.c
 *	  A message that is one record of CSV.
 */
#include "stream/record/csvline.h"

#include "stream/record/copytext.h"
#include "stream/record/jsonscan.h"

/* A record with more values is refused. */
#define MOST_COLUMNS 10000

typedef struct Value
{
	size_t		start;			/* in text; a place, as the buffer may move */
	size_t		length;
	bool		is_null;
} Value;

struct RecsysCsv
{
	char		delimiter;
	char		quote;			/* '\0': there is none */
	const char *null;
	PQExpBuffer text;			/* values without their quotes, one after the other */
	Value	   *values;
	int			nvalues;
	int			room;
	char	  **header;
	int			nheader;
};

/* An option that is one letter; false if it is more than that. */
static bool
take_letter(const RecsysStreamOption *option, char *letter, PQExpBuffer fault)
{
	const char *value = option->value;

	if (strcmp(value, "\\t") == 0)
		value = "\t";
	*letter = value[0];
	if (strlen(value) <= 1 && (*letter != '\0' || strcmp(option->name, "quote") == 0) &&
		*letter != '\n' && *letter != '\r' && !IS_HIGHBIT_SET(*letter))
		return true;
	appendPQExpBuffer(fault, "The option %s of CSV must be one letter of ASCII.", option->name);
	return false;
}

static bool
add_value(RecsysCsv *csv, size_t start, bool is_null)
{
	if (csv->nvalues >= MOST_COLUMNS)
		return false;
	if (csv->nvalues >= csv->room)
	{
		csv->room = Max(csv->room * 2, 32);
		csv->values = pg_realloc(csv->values, sizeof(Value) * csv->room);
	}
	csv->values[csv->nvalues].start = start;
	csv->values[csv->nvalues].length = csv->text->len - start;
	csv->values[csv->nvalues].is_null = is_null;
	csv->nvalues++;
	return true;
}

/* The rest of a value in quotes, whose first quote was read; NULL if they do not end. */
static const char *
parse_quoted(RecsysCsv *csv, const char *at, const char *end)
{
	for (;;)
	{
		const char *quote = memchr(at, csv->quote, end - at);

		if (quote == NULL)
			return NULL;
		appendBinaryPQExpBuffer(csv->text, at, quote - at);
		if (quote + 1 >= end || quote[1] != csv->quote)
			return quote + 1;
		appendPQExpBufferChar(csv->text, csv->quote);
		at = quote + 2;
	}
}

/* One value; *at is at the delimiter behind it then, or at the end.  Returns NULL, or what is wrong. */
static const char *
parse_value(RecsysCsv *csv, const char **at, const char *end)
{
	size_t		start = csv->text->len;
	const char *from = *at;

	if (csv->quote != '\0' && from < end && *from == csv->quote)
	{
		*at = parse_quoted(csv, from + 1, end);
		if (*at == NULL)
			return "has quotes that do not end";
		if (*at < end && **at != csv->delimiter)
			return "has something behind the quotes of a value";
		return add_value(csv, start, false) ? NULL : "has more than 10000 values";
	}
	while (*at < end && **at != csv->delimiter)
	{
		if (**at == '\n' || **at == '\r')
			return "has more than one line";
		if (csv->quote != '\0' && **at == csv->quote)
			return "has a quote inside a value without quotes";
		(*at)++;
	}
	appendBinaryPQExpBuffer(csv->text, from, *at - from);
	return add_value(csv, start, csv->text->len - start == strlen(csv->null) &&
					 memcmp(from, csv->null, *at - from) == 0) ? NULL : "has more than 10000 values";
}

bool
RecsysCsvParse(RecsysCsv *csv, const char *text, size_t length, PQExpBuffer reason)
{
	const char *at = text;
	const char *end = text + length;
	const char *fault;

	csv->nvalues = 0;
	resetPQExpBuffer(csv->text);
	if (length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		at += 3;
	if (end > at && end[-1] == '\n')
		end--;
	if (end > at && end[-1] == '\r')
		end--;
	for (;;)
	{
		fault = at >= end && csv->nvalues == 0 ? "is empty" : parse_value(csv, &at, end);
		if (fault != NULL)
		{
			appendPQExpBuffer(reason, "The payload %s.", fault);
			return false;
		}
		if (at >= end)
			break;
		at++;
	}
	RecsysCheckMemory(csv->text);
	return true;
}

bool
RecsysCsvValue(const RecsysCsv *csv, int column, RecsysStreamValue *value)
{
	if (column >= csv->nvalues)
		return false;
	memset(value, 0, sizeof(*value));
	value->kind = csv->values[column].is_null ? RECSYS_VALUE_NULL : RECSYS_VALUE_TEXT;
	value->text = csv->text->data + csv->values[column].start;
	value->length = csv->values[column].length;
	return true;
}

static void
add_header(RecsysCsv *csv, const char *name, size_t length)
{
	csv->header = pg_realloc(csv->header, sizeof(char *) * (csv->nheader + 1));
	csv->header[csv->nheader] = pg_malloc(length + 1);
	memcpy(csv->header[csv->nheader], name, length);
	csv->header[csv->nheader++][length] = '\0';
}

/* ["user", "item"]; false if it is no array of strings */
static bool
take_json_header(RecsysCsv *csv, const char *text)
{
	RecsysJsonScan scan;
	RecsysStreamValue name;
	const char *fault;
	size_t		length;

	RecsysJsonBegin(&scan, text, strlen(text));
	if (!RecsysJsonTake(&scan, JSON_TOKEN_ARRAY_START))
		return false;
	do
	{
		if (!RecsysJsonValue(&scan, &name) || name.kind != RECSYS_VALUE_STRING ||
			!RecsysJsonText(&name, csv->text, &text, &length, &fault))
			return false;
		add_header(csv, text, length);
	} while (RecsysJsonTake(&scan, JSON_TOKEN_COMMA));
	return RecsysJsonTake(&scan, JSON_TOKEN_ARRAY_END) && RecsysJsonEnd(&scan);
}

static bool
take_header(RecsysCsv *csv, const char *text, PQExpBuffer fault)
{
	PQExpBufferData reason;
	bool		done;

	if (text[0] == '[')
		done = take_json_header(csv, text);
	else
	{
		initPQExpBuffer(&reason);
		done = RecsysCsvParse(csv, text, strlen(text), &reason);
		termPQExpBuffer(&reason);
		for (int i = 0; done && i < csv->nvalues; i++)
			add_header(csv, csv->text->data + csv->values[i].start, csv->values[i].length);
	}
	if (!done)
		appendPQExpBufferStr(fault, "The option header of CSV is neither a record nor a JSON array of names.");
	return done;
}

RecsysCsv *
RecsysCsvCreate(const RecsysStreamOption *options, int noptions, PQExpBuffer fault)
{
	RecsysCsv  *csv = pg_malloc0(sizeof(RecsysCsv));
	const char *header = NULL;
	bool		valid = true;

	csv->delimiter = ',';
	csv->quote = '"';
	csv->null = "";
	csv->text = createPQExpBuffer();
	for (int i = 0; i < noptions && valid; i++)
	{
		if (strcmp(options[i].name, "delimiter") == 0)
			valid = take_letter(&options[i], &csv->delimiter, fault);
		else if (strcmp(options[i].name, "quote") == 0)
			valid = take_letter(&options[i], &csv->quote, fault);
		else if (strcmp(options[i].name, "null") == 0)
			csv->null = options[i].value;
		else if (strcmp(options[i].name, "header") == 0)
			header = options[i].value;
	}
	if (valid && csv->delimiter == csv->quote)
	{
		appendPQExpBufferStr(fault, "The delimiter and the quote of CSV cannot be the same letter.");
		valid = false;
	}
	if (valid && header != NULL)
		valid = take_header(csv, header, fault);
	if (valid)
		return csv;
	RecsysCsvFree(csv);
	return NULL;
}

void
RecsysCsvFree(RecsysCsv *csv)
{
	if (csv == NULL)
		return;
	for (int i = 0; i < csv->nheader; i++)
		pg_free(csv->header[i]);
	pg_free(csv->header);
	pg_free(csv->values);
	destroyPQExpBuffer(csv->text);
	pg_free(csv);
}

int
RecsysCsvColumn(const RecsysCsv *csv, const char *name)
{
	int			number = 0;

	for (int i = 0; i < csv->nheader; i++)
	{
		if (strcmp(csv->header[i], name) == 0)
			return i;
	}
	for (; *name >= '0' && *name <= '9' && number <= MOST_COLUMNS; name++)
		number = number * 10 + (*name - '0');
	return *name == '\0' && number >= 1 && number <= MOST_COLUMNS ? number - 1 : -1;
}
