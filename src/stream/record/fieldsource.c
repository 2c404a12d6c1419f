/*
 * fieldsource.c
 *	  Where in a message, once it has been read, a field finds its value.
 */
#include "stream/record/fieldsource.h"

static void
set_bytes(RecsysStreamValue *value, const char *bytes, size_t length)
{
	if (bytes == NULL)
		return;
	value->kind = RECSYS_VALUE_BYTES;
	value->text = bytes;
	value->length = length;
}

static void
set_number(RecsysMessageParts *parts, RecsysStreamValue *value, int64 number)
{
	value->kind = RECSYS_VALUE_NUMBER;
	value->length = snprintf(parts->digits, sizeof(parts->digits), INT64_FORMAT, number);
	value->text = parts->digits;
}

/* False: the record has fewer values than that. */
static bool
payload_value(const RecsysMessageParts *parts, const RecsysFieldSource *source, const RecsysStreamRecord *record,
			  int item, RecsysStreamValue *value)
{
	const RecsysPathTree *tree = parts->payload;

	if (record->payload == NULL)
		return true;
	if (source->column >= 0)
		return RecsysCsvValue(parts->csv, source->column, value);
	if (source->in_items)
		*value = tree->items[(size_t) item * tree->nitemslots + source->slot];
	else if (source->slot >= 0)
		*value = tree->values[source->slot];
	else
		set_bytes(value, record->payload, record->payload_length);
	return true;
}

static void
header_value(const RecsysFieldSource *source, const RecsysStreamRecord *record, RecsysStreamValue *value)
{
	for (int i = record->nheaders - 1; i >= 0; i--)
	{
		if (strcmp(record->headers[i].name, source->path.steps[0].name) != 0)
			continue;
		set_bytes(value, record->headers[i].value, record->headers[i].length);
		if (value->kind == RECSYS_VALUE_ABSENT)
			value->kind = RECSYS_VALUE_NULL;
		return;
	}
}

bool
RecsysFindValue(RecsysMessageParts *parts, const RecsysFieldSource *source, const RecsysStreamRecord *record,
				int item, RecsysStreamValue *value)
{
	memset(value, 0, sizeof(*value));
	switch (source->path.source)
	{
		case RECSYS_PATH_PAYLOAD:
			return payload_value(parts, source, record, item, value);
		case RECSYS_PATH_KEY:
			if (source->slot >= 0)
				*value = parts->key->values[source->slot];
			else
				set_bytes(value, record->key, record->key_length);
			break;
		case RECSYS_PATH_HEADER:
			header_value(source, record, value);
			break;
		case RECSYS_PATH_TIMESTAMP:
			if (record->timestamp >= 0)
				set_number(parts, value, record->timestamp);
			break;
		case RECSYS_PATH_OFFSET:
			set_number(parts, value, record->offset);
			break;
		case RECSYS_PATH_PARTITION:
			set_number(parts, value, record->partition);
			break;
		case RECSYS_PATH_TOPIC:
			value->kind = RECSYS_VALUE_TEXT;
			value->text = record->topic;
			value->length = strlen(record->topic);
			break;
	}
	return true;
}
