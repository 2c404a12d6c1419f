/*
 * fieldtext.c
 *	  A value of the message as what its column wants.
 *
 * A null of the message is a null of the column, whatever its kind, and one that is not there is what the
 * declaration has as a default, or a null.
 */
#include "stream/record/fieldtext.h"

#include "stream/record/copytext.h"
#include "stream/record/eventtime.h"
#include "stream/record/jsonscan.h"

static bool
refuse(const RecsysStreamField *field, const char *why, PQExpBuffer reason)
{
	appendPQExpBuffer(reason, "The value for %s %s.", field->name, why);
	return false;
}

bool
RecsysValueText(const RecsysStreamValue *value, PQExpBuffer scratch, const char **text, size_t *length,
				const char **fault)
{
	*text = value->text;
	*length = value->length;
	switch (value->kind)
	{
		case RECSYS_VALUE_STRING:
			return RecsysJsonText(value, scratch, text, length, fault);
		case RECSYS_VALUE_DOCUMENT:
			return RecsysJsonFits(value->text, value->length, fault);
		case RECSYS_VALUE_BYTES:
			*fault = "is no text in UTF-8";
			return RecsysIsText(value->text, value->length);
		case RECSYS_VALUE_TIME:
		case RECSYS_VALUE_DAY:
			resetPQExpBuffer(scratch);
			if (value->kind == RECSYS_VALUE_DAY)
				RecsysDayText(scratch, value->time);
			else
				RecsysTimeText(scratch, value->time);
			RecsysCheckMemory(scratch);
			*text = scratch->data;
			*length = scratch->len;
			return true;
		default:
			return true;
	}
}

static bool
write_time(const RecsysFieldWriter *writer, const RecsysStreamField *field, RecsysTimeUnit unit,
		   const RecsysStreamValue *value, PQExpBuffer row, PQExpBuffer reason)
{
	const char *text;
	const char *fault;
	size_t		length;
	int64		time;
	bool		fits;

	if (value->kind == RECSYS_VALUE_DAY)
	{
		RecsysDayText(row, value->time);
		return true;
	}
	if (value->kind == RECSYS_VALUE_TIME)
	{
		RecsysTimeText(row, value->time);
		return true;
	}
	if (value->kind == RECSYS_VALUE_BOOLEAN || value->kind == RECSYS_VALUE_DOCUMENT ||
		!RecsysValueText(value, writer->scratch, &text, &length, &fault))
		return refuse(field, "is no time", reason);
	/* eight digits in quotes are a day, 20261129, rather than some seconds of 1970 */
	if (value->kind == RECSYS_VALUE_NUMBER ||
		(IsValidJsonNumber(text, length) && !(unit == RECSYS_TIME_AUTO && length == 8)))
		fits = RecsysTimeFromNumber(text, length, unit, &time);
	else
		fits = RecsysTimeFromText(text, length, &time);
	if (!fits)
		return refuse(field, "is no time: a number since 1970 or ISO 8601 is expected", reason);
	RecsysTimeText(row, time);
	return true;
}

static bool
write_pseudonym(const RecsysFieldWriter *writer, const RecsysStreamField *field,
				const RecsysStreamValue *value, PQExpBuffer row, PQExpBuffer reason)
{
	const char *text;
	const char *fault;
	size_t		length;

	if (value->kind == RECSYS_VALUE_DOCUMENT)
		return refuse(field, "is an object or an array and cannot have a pseudonym", reason);
	if (value->kind == RECSYS_VALUE_BYTES)
	{
		text = value->text;
		length = value->length;
	}
	else if (!RecsysValueText(value, writer->scratch, &text, &length, &fault))
		return refuse(field, fault, reason);
	if (!RecsysPseudonym(writer->pseudonyms, field->pseudonym, writer->time, text, length, row))
		return refuse(field, "has no pseudonym: the program's file has no secret for the message's time", reason);
	return true;
}

/* Is a text JSON of itself, or an array of it? */
static bool
is_json(const char *text, size_t length, bool array)
{
	RecsysJsonScan scan;
	const char *fault;

	RecsysJsonBegin(&scan, text, length);
	return (!array || scan.token == JSON_TOKEN_ARRAY_START) && RecsysJsonSkip(&scan) &&
		RecsysJsonEnd(&scan) && RecsysJsonFits(text, length, &fault);
}

/* As JSON; what is no array is put into one, if it has to be one. */
static bool
write_json(const RecsysFieldWriter *writer, const RecsysStreamField *field, bool array,
		   const RecsysStreamValue *value, PQExpBuffer row, PQExpBuffer reason)
{
	const char *text = value->text;
	const char *fault;
	size_t		length = value->length;
	bool		is_array = value->kind == RECSYS_VALUE_DOCUMENT && text[0] == '[';

	if (value->kind == RECSYS_VALUE_STRING || value->kind == RECSYS_VALUE_DOCUMENT)
	{
		if (value->kind == RECSYS_VALUE_STRING)
		{
			text--;
			length += 2;
		}
		if (!RecsysJsonFits(text, length, &fault))
			return refuse(field, fault, reason);
	}
	else if (value->kind != RECSYS_VALUE_NUMBER && value->kind != RECSYS_VALUE_BOOLEAN)
	{
		if (!RecsysValueText(value, writer->scratch, &text, &length, &fault))
			return refuse(field, fault, reason);
		if (is_json(text, length, array))
			is_array = true;
		else
		{
			resetPQExpBuffer(writer->more_scratch);
			RecsysJsonQuote(text, length, writer->more_scratch);
			RecsysCheckMemory(writer->more_scratch);
			text = writer->more_scratch->data;
			length = writer->more_scratch->len;
		}
	}
	if (array && !is_array)
		appendPQExpBufferChar(row, '[');
	RecsysCopyText(row, text, length);
	if (array && !is_array)
		appendPQExpBufferChar(row, ']');
	return true;
}

static bool
write_text(const RecsysFieldWriter *writer, const RecsysStreamField *field, const RecsysStreamValue *value,
		   PQExpBuffer row, PQExpBuffer reason)
{
	const char *text;
	const char *fault;
	size_t		length;

	if (!RecsysValueText(value, writer->scratch, &text, &length, &fault))
		return refuse(field, fault, reason);
	RecsysCopyText(row, text, length);
	return true;
}

static bool
write_bytes(const RecsysFieldWriter *writer, const RecsysStreamField *field, const RecsysStreamValue *value,
			PQExpBuffer row, PQExpBuffer reason)
{
	const char *text = value->text;
	const char *fault;
	size_t		length = value->length;

	if (value->kind != RECSYS_VALUE_BYTES && !RecsysValueText(value, writer->scratch, &text, &length, &fault))
		return refuse(field, fault, reason);
	RecsysCopyBytes(row, text, length);
	return true;
}

bool
RecsysWriteField(RecsysFieldWriter *writer, const RecsysStreamField *field, RecsysTimeUnit unit,
				 const RecsysStreamValue *value, PQExpBuffer row, PQExpBuffer reason)
{
	if (value->kind == RECSYS_VALUE_ABSENT && field->fallback != NULL)
		RecsysCopyText(row, field->fallback, strlen(field->fallback));
	else if (value->kind == RECSYS_VALUE_ABSENT || value->kind == RECSYS_VALUE_NULL)
		RecsysCopyNull(row);
	else if (field->pseudonym != RECSYS_PSEUDONYM_NONE)
		return write_pseudonym(writer, field, value, row, reason);
	else
	{
		switch (field->kind)
		{
			case RECSYS_FIELD_TEXT:
				return write_text(writer, field, value, row, reason);
			case RECSYS_FIELD_TIME:
				return write_time(writer, field, unit, value, row, reason);
			case RECSYS_FIELD_DOCUMENT:
			case RECSYS_FIELD_ARRAY:
				return write_json(writer, field, field->kind == RECSYS_FIELD_ARRAY, value, row, reason);
			case RECSYS_FIELD_BYTES:
				return write_bytes(writer, field, value, row, reason);
		}
	}
	return true;
}
