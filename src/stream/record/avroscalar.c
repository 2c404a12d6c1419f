/*
 * avroscalar.c
 *	  Values of Avro's binary encoding that have no others in them.
 */
#include "stream/record/avroscalar.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "stream/record/copytext.h"
#include "stream/record/eventtime.h"

/* bytes of a decimal's integer: 1000 digits and more */
#define MOST_DECIMAL_BYTES 500

/* digits are kept by nine */
#define DECIMAL_BASE 1000000000
#define MOST_LIMBS (MOST_DECIMAL_BYTES * 8 / 29 + 1)

static bool
fail(RecsysAvroReader *reader, const char *fault)
{
	reader->fault = fault;
	return false;
}

bool
RecsysAvroLong(RecsysAvroReader *reader, int64 *number)
{
	uint64		bits = 0;

	for (int shift = 0; shift < 70; shift += 7)
	{
		uint64		byte;

		if (reader->at >= reader->end)
			return fail(reader, "ends too early");
		byte = (unsigned char) *reader->at++;
		if (shift == 63 && byte > 1)
			break;
		bits |= (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			*number = (int64) (bits >> 1) ^ -(int64) (bits & 1);
			return true;
		}
	}
	return fail(reader, "has a number of more than 64 bits");
}

static bool
take(RecsysAvroReader *reader, int64 length, const char **bytes)
{
	if (length < 0)
		return fail(reader, "has a length below zero");
	if (length > reader->end - reader->at)
		return fail(reader, "ends too early");
	*bytes = reader->at;
	reader->at += length;
	return true;
}

bool
RecsysAvroCounted(RecsysAvroReader *reader, const char **bytes, size_t *length)
{
	int64		count;

	if (!RecsysAvroLong(reader, &count) || !take(reader, count, bytes))
		return false;
	*length = (size_t) count;
	return true;
}

/* A value whose text is put together here. */
static void
set_text(RecsysAvroReader *reader, RecsysStreamValue *value, RecsysValueKind kind, const char *text, size_t length)
{
	value->kind = kind;
	value->text = RecsysTextArenaCopy(reader->arena, text, length);
	value->length = length;
}

static void
set_integer(RecsysAvroReader *reader, RecsysStreamValue *value, int64 number)
{
	char		digits[24];

	set_text(reader, value, RECSYS_VALUE_NUMBER, digits, snprintf(digits, sizeof(digits), INT64_FORMAT, number));
}

/* What is no number in JSON's grammar is a text: NaN, Infinity, -Infinity. */
static void
set_real(RecsysAvroReader *reader, RecsysStreamValue *value, double number, const char *digits, int length)
{
	if (isnan(number))
		set_text(reader, value, RECSYS_VALUE_TEXT, "NaN", 3);
	else if (isinf(number))
		set_text(reader, value, RECSYS_VALUE_TEXT, number > 0 ? "Infinity" : "-Infinity", number > 0 ? 8 : 9);
	else
		set_text(reader, value, RECSYS_VALUE_NUMBER, digits, length);
}

/* Microseconds, if a timestamp can have them; otherwise the number, which no column will take for a time. */
static void
set_time(RecsysAvroReader *reader, RecsysStreamValue *value, RecsysAvroLogical logical, int64 number)
{
	int64		limit = PG_INT64_MAX / 1000;

	value->kind = RECSYS_VALUE_TIME;
	value->time = number;
	if (logical == RECSYS_AVRO_TIMESTAMP_MILLIS)
		value->time = number > limit ? PG_INT64_MAX : number < -limit ? PG_INT64_MIN : number * 1000;
	else if (logical == RECSYS_AVRO_TIMESTAMP_NANOS)
		value->time = number / 1000 + (number % 1000 >= 500) - (number % 1000 <= -500);
	if (!RecsysTimeIsPossible(value->time))
		set_integer(reader, value, number);
}

static void
set_clock(RecsysAvroReader *reader, RecsysStreamValue *value, int64 microseconds)
{
	char		text[40];
	int64		seconds = microseconds / 1000000;

	if (microseconds < 0 || microseconds > INT64CONST(86400000000))
		set_integer(reader, value, microseconds);
	else
		set_text(reader, value, RECSYS_VALUE_TEXT, text,
				 snprintf(text, sizeof(text), "%02d:%02d:%02d.%06d", (int) (seconds / 3600),
						  (int) (seconds / 60 % 60), (int) (seconds % 60), (int) (microseconds % 1000000)));
}

static void
set_logical_integer(RecsysAvroReader *reader, const RecsysAvroNode *node, int64 number, RecsysStreamValue *value)
{
	switch (node->logical)
	{
		case RECSYS_AVRO_DATE:
			value->kind = RECSYS_VALUE_DAY;
			value->time = number;
			if (!RecsysDayIsPossible(number))
				set_integer(reader, value, number);
			break;
		case RECSYS_AVRO_TIME_MILLIS:
			set_clock(reader, value, number * 1000);
			break;
		case RECSYS_AVRO_TIME_MICROS:
			set_clock(reader, value, number);
			break;
		case RECSYS_AVRO_TIMESTAMP_MILLIS:
		case RECSYS_AVRO_TIMESTAMP_MICROS:
		case RECSYS_AVRO_TIMESTAMP_NANOS:
			set_time(reader, value, node->logical, number);
			break;
		default:
			set_integer(reader, value, number);
			break;
	}
}

/* The digits of two's complement, high bytes first, without a sign; *count of them.  limbs: by nine. */
static char *
decimal_digits(RecsysAvroReader *reader, const char *bytes, size_t length, int *count)
{
	uint32		limbs[MOST_LIMBS] = {0};
	int			nlimbs = 1;
	bool		negative = length > 0 && (bytes[0] & 0x80) != 0;
	uint32		carry = negative;
	unsigned char magnitude[MOST_DECIMAL_BYTES];
	char	   *digits;
	char	   *at;

	/* the two's complement of a negative number is its magnitude */
	for (size_t i = length; i-- > 0;)
	{
		uint32		byte = (unsigned char) bytes[i];

		carry += negative ? byte ^ 0xFF : byte;
		magnitude[i] = carry & 0xFF;
		carry = negative ? carry >> 8 : 0;
	}
	for (size_t i = 0; i < length; i++)
	{
		uint64		rest = magnitude[i];

		for (int limb = 0; limb < nlimbs; limb++)
		{
			rest += (uint64) limbs[limb] << 8;
			limbs[limb] = rest % DECIMAL_BASE;
			rest /= DECIMAL_BASE;
		}
		if (rest > 0)
			limbs[nlimbs++] = (uint32) rest;
	}
	digits = RecsysTextArenaTake(reader->arena, nlimbs * 9 + 1);
	at = digits + snprintf(digits, 10, "%u", limbs[nlimbs - 1]);
	for (int limb = nlimbs - 2; limb >= 0; limb--)
	{
		uint32		rest = limbs[limb];

		for (int i = 8; i >= 0; i--, rest /= 10)
			at[i] = '0' + rest % 10;
		at += 9;
	}
	*count = (int) (at - digits);
	return digits;
}

static bool
set_decimal(RecsysAvroReader *reader, const RecsysAvroNode *node, const char *bytes, size_t length,
			RecsysStreamValue *value)
{
	const char *digits;
	char	   *text;
	int			count;
	int			whole;			/* digits before the point */
	size_t		size = 0;

	if (length > MOST_DECIMAL_BYTES)
		return fail(reader, "has a decimal of more than 500 bytes");
	digits = decimal_digits(reader, bytes, length, &count);
	whole = count - node->scale;
	text = RecsysTextArenaTake(reader->arena, count + node->scale + 4);
	if (length > 0 && (bytes[0] & 0x80) != 0)
		text[size++] = '-';
	if (whole <= 0)
		text[size++] = '0';
	else
	{
		memcpy(text + size, digits, whole);
		size += whole;
	}
	if (node->scale > 0)
	{
		text[size++] = '.';
		for (int i = whole; i < 0; i++)
			text[size++] = '0';
		memcpy(text + size, digits + Max(whole, 0), count - Max(whole, 0));
		size += count - Max(whole, 0);
	}
	value->kind = RECSYS_VALUE_NUMBER;
	value->text = text;
	value->length = size;
	return true;
}

static void
set_uuid(RecsysAvroReader *reader, const char *bytes, RecsysStreamValue *value)
{
	static const char digits[] = "0123456789abcdef";
	char	   *at = RecsysTextArenaTake(reader->arena, 36);

	value->kind = RECSYS_VALUE_TEXT;
	value->text = at;
	value->length = 36;
	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[(unsigned char) bytes[i] >> 4];
		*at++ = digits[(unsigned char) bytes[i] & 0xF];
	}
}

static bool
read_bytes(RecsysAvroReader *reader, const RecsysAvroNode *node, RecsysStreamValue *value)
{
	const char *bytes;
	size_t		length = node->size;

	if (node->type == RECSYS_AVRO_FIXED ? !take(reader, node->size, &bytes) :
		!RecsysAvroCounted(reader, &bytes, &length))
		return false;
	if (node->logical == RECSYS_AVRO_DECIMAL)
		return set_decimal(reader, node, bytes, length, value);
	if (node->logical == RECSYS_AVRO_UUID)
	{
		set_uuid(reader, bytes, value);
		return true;
	}
	value->kind = RECSYS_VALUE_BYTES;
	value->text = bytes;
	value->length = length;
	return true;
}

static bool
read_string(RecsysAvroReader *reader, RecsysStreamValue *value)
{
	if (!RecsysAvroCounted(reader, &value->text, &value->length))
		return false;
	/* whether it is text at all is asked when it is needed as such */
	value->kind = RecsysIsText(value->text, value->length) ? RECSYS_VALUE_TEXT : RECSYS_VALUE_BYTES;
	return true;
}

static bool
read_real(RecsysAvroReader *reader, const RecsysAvroNode *node, RecsysStreamValue *value)
{
	bool		is_float = node->type == RECSYS_AVRO_FLOAT;
	const char *bytes;
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	uint64		bits = 0;
	uint32		half;
	float		narrow;
	double		wide;

	if (!take(reader, is_float ? 4 : 8, &bytes))
		return false;
	for (int i = is_float ? 3 : 7; i >= 0; i--)
		bits = (bits << 8) | (unsigned char) bytes[i];
	half = (uint32) bits;
	memcpy(&narrow, &half, sizeof(narrow));
	memcpy(&wide, &bits, sizeof(wide));
	if (is_float)
		set_real(reader, value, narrow, digits, float_to_shortest_decimal_bufn(narrow, digits));
	else
		set_real(reader, value, wide, digits, double_to_shortest_decimal_bufn(wide, digits));
	return true;
}

static bool
read_symbol(RecsysAvroReader *reader, const RecsysAvroNode *node, RecsysStreamValue *value)
{
	int64		number;

	if (!RecsysAvroLong(reader, &number))
		return false;
	if (number < 0 || number >= node->count)
		return fail(reader, "has a symbol that its schema does not have");
	value->kind = RECSYS_VALUE_TEXT;
	value->text = node->names[number];
	value->length = strlen(value->text);
	return true;
}

bool
RecsysAvroScalar(RecsysAvroReader *reader, const RecsysAvroNode *node, RecsysStreamValue *value)
{
	const char *byte;
	int64		number;

	memset(value, 0, sizeof(*value));
	switch (node->type)
	{
		case RECSYS_AVRO_NULL:
			value->kind = RECSYS_VALUE_NULL;
			return true;
		case RECSYS_AVRO_BOOLEAN:
			if (!take(reader, 1, &byte))
				return false;
			value->kind = RECSYS_VALUE_BOOLEAN;
			value->text = *byte != 0 ? "true" : "false";
			value->length = *byte != 0 ? 4 : 5;
			return true;
		case RECSYS_AVRO_INT:
		case RECSYS_AVRO_LONG:
			if (!RecsysAvroLong(reader, &number))
				return false;
			if (node->type == RECSYS_AVRO_INT && number != (int32) number)
				return fail(reader, "has a number of more than 32 bits");
			set_logical_integer(reader, node, number, value);
			return true;
		case RECSYS_AVRO_FLOAT:
		case RECSYS_AVRO_DOUBLE:
			return read_real(reader, node, value);
		case RECSYS_AVRO_BYTES:
		case RECSYS_AVRO_FIXED:
			return read_bytes(reader, node, value);
		case RECSYS_AVRO_STRING:
			return read_string(reader, value);
		case RECSYS_AVRO_ENUM:
			return read_symbol(reader, node, value);
		default:
			return fail(reader, "has a value of a type that is none");
	}
}
