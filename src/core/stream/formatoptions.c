/*
 * formatoptions.c
 *	  Options of the formats that messages of a stream can have.
 *
 * What they mean, and whether their values make sense, is told where the format is read.
 */
#include "core/stream/formatoptions.h"

typedef struct Option
{
	const char *format;
	const char *name;
} Option;

static const Option options[] = {
	{"csv", "delimiter"},		/* one letter, or \t; a comma if it is not given */
	{"csv", "quote"},			/* one letter, or none; a double quote */
	{"csv", "null"},			/* what stands for no value; nothing at all */
	{"csv", "header"},			/* names of columns: a record, or a JSON array */
	{"avro", "schema"},			/* of messages that do not name theirs, as JSON */
	{"avro", "registry"},		/* address of the registry that has the schemas of those that do */
};

const char *
RecsysFormatOption(const char *format, int number)
{
	for (int i = 0; i < lengthof(options); i++)
	{
		if (strcmp(options[i].format, format) == 0 && number-- == 0)
			return options[i].name;
	}
	return NULL;
}

bool
RecsysFormatHasOption(const char *format, const char *option)
{
	const char *known;

	for (int i = 0; (known = RecsysFormatOption(format, i)) != NULL; i++)
	{
		if (strcmp(known, option) == 0)
			return true;
	}
	return false;
}
