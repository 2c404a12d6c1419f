/*
 * decoder.c
 *	  Messages to rows.
 *
 * The paths of all fields into the payload are one tree, those into the key another (pathtree.h); each is
 * filled by whoever reads that format, and then fields take their values from there.
 */
#include "stream/record/decoder.h"

#include <time.h>

#include "core/stream/formatoptions.h"
#include "stream/record/avromessage.h"
#include "stream/record/copytext.h"
#include "stream/record/fieldsource.h"
#include "stream/record/fieldtext.h"
#include "stream/record/jsonwalk.h"

/*
 * Rows of a message, and what is read for them, bytes: a large value beside many items would become very
 * many of them, and is read for each, even if it is but a time or a pseudonym then.
 */
#define MOST_BYTES ((size_t) 64 * 1024 * 1024)

struct RecsysDecoder
{
	RecsysStreamFormat format;
	RecsysTombstones tombstones;
	RecsysFieldSource *fields;
	int			nfields;
	RecsysFieldSource *consent; /* behind the fields; NULL if none is needed */
	RecsysStreamField consent_declared;
	bool		needs_headers;
	bool		reads_payload;	/* does any field need more than its bytes? */
	bool		reads_key;
	RecsysMessageParts parts;
	RecsysAvro *avro;
	RecsysFieldWriter writer;
	size_t		taken;			/* bytes of values that rows of this message were made of */
};

static const char *
format_name(RecsysStreamFormat format)
{
	static const char *const names[] = {"json", "avro", "csv", "text"};

	return names[format];
}

static bool
prepare_payload_field(RecsysDecoder *decoder, RecsysFieldSource *field, PQExpBuffer fault)
{
	if (decoder->format == RECSYS_STREAM_CSV && field->path.nsteps > 0)
	{
		field->column = RecsysCsvColumn(decoder->parts.csv, field->path.steps[0].name);
		if (field->column < 0)
		{
			appendPQExpBuffer(fault, "The source of %s, %s, is no column of the CSV: it is neither in the "
							  "option header nor a number from 1.", field->declared->name,
							  field->declared->source);
			return false;
		}
		decoder->reads_payload = true;
	}
	else if (decoder->format == RECSYS_STREAM_JSON || decoder->format == RECSYS_STREAM_AVRO)
	{
		field->slot = RecsysPathTreeAdd(decoder->parts.payload, &field->path);
		decoder->reads_payload = true;
	}
	return true;
}

static bool
prepare_field(RecsysDecoder *decoder, RecsysFieldSource *field, const RecsysStreamField *declared, PQExpBuffer fault)
{
	RecsysPathForm form = RECSYS_PATH_TREE;
	const char *why;

	field->declared = declared;
	field->unit = declared->unit;
	field->slot = -1;
	field->column = -1;
	RecsysStreamFormatForm(format_name(decoder->format), &form);
	if (!RecsysParseStreamPath(declared->source, form, &field->path, &why))
	{
		appendPQExpBuffer(fault, "The source of %s, %s, %s.", declared->name, declared->source, why);
		return false;
	}
	field->in_items = field->path.each >= 0;
	switch (field->path.source)
	{
		case RECSYS_PATH_PAYLOAD:
			return prepare_payload_field(decoder, field, fault);
		case RECSYS_PATH_KEY:
			if (field->path.nsteps > 0)
			{
				field->slot = RecsysPathTreeAdd(decoder->parts.key, &field->path);
				decoder->reads_key = true;
			}
			break;
		case RECSYS_PATH_HEADER:
			decoder->needs_headers = true;
			break;
		case RECSYS_PATH_TIMESTAMP:
			field->unit = RECSYS_TIME_MILLISECONDS;
			break;
		default:
			break;
	}
	return true;
}

static bool
prepare_fields(RecsysDecoder *decoder, const RecsysStreamSettings *settings, PQExpBuffer fault)
{
	const RecsysFieldSource *array = NULL;

	decoder->nfields = settings->nfields;
	decoder->fields = pg_malloc0(sizeof(RecsysFieldSource) * (settings->nfields + 1));
	for (int i = 0; i < settings->nfields; i++)
	{
		if (!prepare_field(decoder, &decoder->fields[i], &settings->fields[i], fault))
			return false;
	}
	if (settings->consent != NULL)
	{
		decoder->consent_declared.name = "consent";
		decoder->consent_declared.source = settings->consent;
		decoder->consent = &decoder->fields[settings->nfields];
		if (!prepare_field(decoder, decoder->consent, &decoder->consent_declared, fault))
			return false;
	}
	for (int i = 0; i < settings->nfields + (decoder->consent != NULL); i++)
	{
		const RecsysFieldSource *field = &decoder->fields[i];

		if (!field->in_items)
			continue;
		if (array != NULL && !RecsysStreamPathSameArray(&array->path, &field->path))
		{
			appendPQExpBuffer(fault, "The sources %s and %s have items of two arrays.",
							  array->declared->source, field->declared->source);
			return false;
		}
		array = field;
	}
	return true;
}

static bool
prepare_format(RecsysDecoder *decoder, const RecsysStreamSettings *settings,
			   const RecsysStreamOption *secrets, int nsecrets, PQExpBuffer fault)
{
	for (int i = 0; i < settings->noptions; i++)
	{
		if (!RecsysFormatHasOption(format_name(settings->format), settings->options[i].name))
		{
			appendPQExpBuffer(fault, "The format %s has no option %s.", format_name(settings->format),
							  settings->options[i].name);
			return false;
		}
	}
	if (settings->format == RECSYS_STREAM_CSV)
	{
		decoder->parts.csv = RecsysCsvCreate(settings->options, settings->noptions, fault);
		return decoder->parts.csv != NULL;
	}
	if (settings->format == RECSYS_STREAM_AVRO)
	{
		decoder->avro = RecsysAvroCreate(settings, secrets, nsecrets, fault);
		return decoder->avro != NULL;
	}
	return true;
}

static bool
prepare_pseudonyms(RecsysDecoder *decoder, const RecsysStreamSettings *settings,
				   const RecsysStreamOption *secrets, int nsecrets, PQExpBuffer fault)
{
	for (int i = 0; i < settings->nfields; i++)
	{
		if (settings->fields[i].pseudonym == RECSYS_PSEUDONYM_NONE)
			continue;
		decoder->writer.pseudonyms = RecsysPseudonymsCreate(secrets, nsecrets, fault);
		return decoder->writer.pseudonyms != NULL;
	}
	return true;
}

RecsysDecoder *
RecsysDecoderCreate(const RecsysStreamSettings *settings, const RecsysStreamOption *secrets, int nsecrets,
					PQExpBuffer fault)
{
	RecsysDecoder *decoder = pg_malloc0(sizeof(RecsysDecoder));

	decoder->format = settings->format;
	decoder->tombstones = settings->tombstones;
	decoder->parts.payload = RecsysPathTreeCreate();
	decoder->parts.key = RecsysPathTreeCreate();
	decoder->writer.scratch = createPQExpBuffer();
	decoder->writer.more_scratch = createPQExpBuffer();
	if (prepare_format(decoder, settings, secrets, nsecrets, fault) &&
		prepare_fields(decoder, settings, fault) &&
		prepare_pseudonyms(decoder, settings, secrets, nsecrets, fault))
		return decoder;
	RecsysDecoderFree(decoder);
	return NULL;
}

bool
RecsysDecoderNeedsHeaders(const RecsysDecoder *decoder)
{
	return decoder->needs_headers;
}

void
RecsysDecoderFree(RecsysDecoder *decoder)
{
	if (decoder == NULL)
		return;
	RecsysPathTreeFree(decoder->parts.payload);
	RecsysPathTreeFree(decoder->parts.key);
	RecsysCsvFree(decoder->parts.csv);
	RecsysAvroFree(decoder->avro);
	RecsysPseudonymsFree(decoder->writer.pseudonyms);
	destroyPQExpBuffer(decoder->writer.scratch);
	destroyPQExpBuffer(decoder->writer.more_scratch);
	pg_free(decoder->fields);
	pg_free(decoder);
}

static RecsysVerdict
read_json(RecsysDecoder *decoder, RecsysPathTree *tree, const char *text, size_t length, const char *what,
		  PQExpBuffer reason)
{
	if (!RecsysIsText(text, length))
		appendPQExpBuffer(reason, "The %s is no text in UTF-8.", what);
	else if (RecsysJsonWalk(tree, text, length, what, decoder->writer.scratch, reason))
		return RECSYS_VERDICT_ROWS;
	return RECSYS_VERDICT_REJECTED;
}

static RecsysVerdict
read_csv(RecsysDecoder *decoder, const RecsysStreamRecord *record, PQExpBuffer reason)
{
	if (!RecsysIsText(record->payload, record->payload_length))
		appendPQExpBufferStr(reason, "The payload is no text in UTF-8.");
	else if (RecsysCsvParse(decoder->parts.csv, record->payload, record->payload_length, reason))
		return RECSYS_VERDICT_ROWS;
	return RECSYS_VERDICT_REJECTED;
}

static RecsysVerdict
read_payload(RecsysDecoder *decoder, const RecsysStreamRecord *record, PQExpBuffer reason)
{
	RecsysPathTreeBegin(decoder->parts.payload);
	if (record->payload == NULL || !decoder->reads_payload)
		return RECSYS_VERDICT_ROWS;
	switch (decoder->format)
	{
		case RECSYS_STREAM_JSON:
			return read_json(decoder, decoder->parts.payload, record->payload, record->payload_length, "payload", reason);
		case RECSYS_STREAM_CSV:
			return read_csv(decoder, record, reason);
		case RECSYS_STREAM_AVRO:
			return RecsysAvroRead(decoder->avro, decoder->parts.payload, record->payload, record->payload_length,
								  "payload", reason);
		default:
			return RECSYS_VERDICT_ROWS;
	}
}

static RecsysVerdict
read_key(RecsysDecoder *decoder, const RecsysStreamRecord *record, PQExpBuffer reason)
{
	RecsysPathTreeBegin(decoder->parts.key);
	if (record->key == NULL || !decoder->reads_key)
		return RECSYS_VERDICT_ROWS;
	/* JSON never begins with a null byte */
	if (decoder->avro != NULL && RecsysAvroIsFramed(decoder->avro, record->key, record->key_length))
		return RecsysAvroRead(decoder->avro, decoder->parts.key, record->key, record->key_length, "key", reason);
	return read_json(decoder, decoder->parts.key, record->key, record->key_length, "key", reason);
}

/* Yes, and nothing else, is consent. */
static bool
has_consent(RecsysDecoder *decoder, const RecsysStreamRecord *record, int item)
{
	static const char *const yes[] = {"true", "yes", "granted", "1"};
	RecsysStreamValue value;
	const char *text;
	const char *fault;
	size_t		length;

	if (!RecsysFindValue(&decoder->parts, decoder->consent, record, item, &value) ||
		value.kind == RECSYS_VALUE_ABSENT || value.kind == RECSYS_VALUE_NULL ||
		!RecsysValueText(&value, decoder->writer.scratch, &text, &length, &fault))
		return false;
	for (int i = 0; i < lengthof(yes); i++)
	{
		if (strlen(yes[i]) == length && pg_strncasecmp(yes[i], text, length) == 0)
			return true;
	}
	return false;
}

static bool
write_field(RecsysDecoder *decoder, const RecsysFieldSource *field, const RecsysStreamRecord *record, int item,
			PQExpBuffer rows, PQExpBuffer reason)
{
	RecsysStreamValue value;

	if (!RecsysFindValue(&decoder->parts, field, record, item, &value))
	{
		appendPQExpBuffer(reason, "The payload has no column %d, which is that of %s.", field->column + 1,
						  field->declared->name);
		return false;
	}
	if (value.kind != RECSYS_VALUE_ABSENT && value.kind != RECSYS_VALUE_TIME && value.kind != RECSYS_VALUE_DAY)
		decoder->taken += value.length;
	/* the payload of a tombstone has no defaults */
	if (record->payload == NULL && field->path.source == RECSYS_PATH_PAYLOAD)
	{
		RecsysCopyNull(rows);
		return true;
	}
	return RecsysWriteField(&decoder->writer, field->declared, field->unit, &value, rows, reason);
}

static bool
write_row(RecsysDecoder *decoder, const RecsysStreamRecord *record, int64 number, int item,
		  PQExpBuffer rows, PQExpBuffer reason)
{
	RecsysCopyInteger(rows, number);
	appendBinaryPQExpBuffer(rows, record->payload == NULL ? "\td" : "\tr", 2);
	for (int i = 0; i < decoder->nfields; i++)
	{
		appendPQExpBufferChar(rows, '\t');
		if (!write_field(decoder, &decoder->fields[i], record, item, rows, reason))
			return false;
	}
	appendPQExpBufferChar(rows, '\n');
	return true;
}

static RecsysVerdict
write_rows(RecsysDecoder *decoder, const RecsysStreamRecord *record, int64 number, PQExpBuffer rows,
		   PQExpBuffer reason)
{
	bool		has_items = record->payload != NULL && decoder->parts.payload->has_items;
	int			count = has_items ? decoder->parts.payload->nitems : 1;
	bool		ask = decoder->consent != NULL && record->payload != NULL;
	size_t		before = rows->len;
	int			refused = 0;

	decoder->taken = 0;
	if (ask && !decoder->consent->in_items && !has_consent(decoder, record, 0))
		return RECSYS_VERDICT_SKIPPED;
	for (int item = 0; item < count; item++)
	{
		if (ask && decoder->consent->in_items && !has_consent(decoder, record, item))
		{
			refused++;
			continue;
		}
		if (!write_row(decoder, record, number, item, rows, reason))
			return RECSYS_VERDICT_REJECTED;
		if (rows->len - before > MOST_BYTES || decoder->taken > MOST_BYTES)
		{
			appendPQExpBufferStr(reason, "The message has large values beside many items: more than 64 MB for its rows.");
			return RECSYS_VERDICT_REJECTED;
		}
	}
	return count > 0 && refused == count ? RECSYS_VERDICT_SKIPPED : RECSYS_VERDICT_ROWS;
}

RecsysVerdict
RecsysDecode(RecsysDecoder *decoder, const RecsysStreamRecord *record, int64 number, PQExpBuffer rows,
			 PQExpBuffer reason)
{
	size_t		before = rows->len;
	RecsysVerdict verdict;

	if (record->payload == NULL && decoder->tombstones == RECSYS_TOMBSTONES_SKIP)
		return RECSYS_VERDICT_SKIPPED;
	if (record->payload == NULL && decoder->tombstones == RECSYS_TOMBSTONES_REJECT)
	{
		appendPQExpBufferStr(reason, "The message has no payload: it is a tombstone.");
		return RECSYS_VERDICT_REJECTED;
	}
	decoder->writer.time = record->timestamp >= 0 ? record->timestamp : (int64) time(NULL) * 1000;
	if (decoder->avro != NULL)
		RecsysAvroBegin(decoder->avro);
	verdict = read_payload(decoder, record, reason);
	if (verdict == RECSYS_VERDICT_ROWS)
		verdict = read_key(decoder, record, reason);
	if (verdict == RECSYS_VERDICT_ROWS)
		verdict = write_rows(decoder, record, number, rows, reason);
	if (verdict != RECSYS_VERDICT_ROWS && rows->len > before)
	{
		rows->len = before;
		rows->data[before] = '\0';
	}
	return verdict;
}
