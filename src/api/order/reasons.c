/*
 * reasons.c
 *	  Reasons as text that people read.
 */
#include "postgres.h"

#include "api/order/reasons.h"
#include "lib/stringinfo.h"

/* Formats of those who declare none; a signal's label may say nothing to a customer. */
static const RecsysReasonFormat defaults[] = {
	{"history", "because of {item}"},
	{"context", "because of {item}"},
	{"negative", "less because of {item}"},
	{"popularity", "because it is popular"},
	{"popular", "because it is popular"},
	{"category", "popular in {value}"},
	{"seller", "popular from {value}"},
	{"segment", "popular in {value}"},
	{"price", "popular at this price level"},
	{"promotion", "because of a promotion"},
	{"seller and price", "for its seller and its price"},
	{"fatigue", "less because it was shown before"},
	{"new", "because it is new"},
	{"any", "also available"},
	{"content", "similar to {item} in {value}"}
};

static const char *
find_format(const RecsysReasonFormat *formats, int n, const char *kind)
{
	for (int i = 0; i < n; i++)
		if (strcmp(formats[i].kind, kind) == 0)
			return formats[i].format;
	return NULL;
}

static const char *
format_of(const RecsysDefinition *definition, const char *kind, bool has_value)
{
	const char *format = find_format(definition->formats, definition->nformats, kind);

	if (format == NULL && !has_value && strcmp(kind, "content") == 0)
		return "similar to {item}";
	if (format == NULL)
		format = find_format(defaults, lengthof(defaults), kind);
	return format != NULL ? format : kind;
}

/* Puts what a word in braces stands for; false if it stands for nothing. */
static bool
append_value(StringInfo text, const char *word, int len, const char *item, const char *value)
{
	const char *put;

	if (len == 4 && strncmp(word, "item", 4) == 0)
		put = item;
	else if ((len == 5 && strncmp(word, "value", 5) == 0) ||
			 (len == 6 && strncmp(word, "signal", 6) == 0))
		put = value;
	else
		return false;
	if (put != NULL)
		appendStringInfoString(text, put);
	return true;
}

/* Without the blanks at both ends, which what is left out leaves behind */
static char *
trim(char *text)
{
	int			len = (int) strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	while (*text == ' ')
		text++;
	return text;
}

char *
RecsysReasonText(const RecsysDefinition *definition, const char *kind, const RecsysSignal *signal,
				 const char *because_title, const char *value)
{
	const char *format = signal != NULL && signal->reason != NULL && strcmp(kind, "history") == 0 ?
		signal->reason : format_of(definition, kind, value != NULL);
	StringInfoData text;

	initStringInfo(&text);
	while (*format != '\0')
	{
		const char *end = *format == '{' ? strchr(format, '}') : NULL;

		if ((format[0] == '{' || format[0] == '}') && format[1] == format[0])
		{
			appendStringInfoChar(&text, format[0]);
			format += 2;
		}
		else if (end != NULL &&
				 append_value(&text, format + 1, (int) (end - format - 1), because_title, value))
			format = end + 1;
		else
			appendStringInfoChar(&text, *format++);
	}
	return trim(text.data);
}
