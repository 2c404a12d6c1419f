/*
 * copytext.c
 *	  Values in COPY's text format.
 *
 * Backslashes, tabs, line feeds and carriage returns are escaped; other control characters are themselves.
 */
#include "stream/record/copytext.h"

#include "mb/pg_wchar.h"

void
RecsysCopyText(PQExpBuffer rows, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end)
	{
		const char *at = text;
		char		escape[2] = "\\";

		while (at < end && *at != '\\' && *at != '\t' && *at != '\n' && *at != '\r')
			at++;
		appendBinaryPQExpBuffer(rows, text, at - text);
		if (at >= end)
			break;
		escape[1] = *at == '\t' ? 't' : *at == '\n' ? 'n' : *at == '\r' ? 'r' : '\\';
		appendBinaryPQExpBuffer(rows, escape, 2);
		text = at + 1;
	}
}

void
RecsysCopyNull(PQExpBuffer rows)
{
	appendBinaryPQExpBuffer(rows, "\\N", 2);
}

void
RecsysCopyInteger(PQExpBuffer rows, int64 value)
{
	char		digits[24];
	char	   *at = digits + sizeof(digits);
	uint64		rest = value < 0 ? -(uint64) value : (uint64) value;

	do
	{
		*--at = '0' + rest % 10;
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	appendBinaryPQExpBuffer(rows, at, digits + sizeof(digits) - at);
}

void
RecsysCopyBytes(PQExpBuffer rows, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	appendBinaryPQExpBuffer(rows, "\\\\x", 3);
	if (!enlargePQExpBuffer(rows, length * 2))
		return;
	for (size_t i = 0; i < length; i++)
	{
		rows->data[rows->len++] = digits[(unsigned char) bytes[i] >> 4];
		rows->data[rows->len++] = digits[(unsigned char) bytes[i] & 0xF];
	}
	rows->data[rows->len] = '\0';
}

void
RecsysCheckMemory(PQExpBuffer buffer)
{
	if (!PQExpBufferBroken(buffer))
		return;
	fprintf(stderr, "out of memory\n");
	exit(EXIT_FAILURE);
}

bool
RecsysIsText(const char *text, size_t length)
{
	return length <= PG_INT32_MAX && pg_encoding_verifymbstr(PG_UTF8, text, (int) length) == (int) length;
}
