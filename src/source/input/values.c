/*
 * values.c
 *	  SQL values of the supported types to keys, weights and times, and back.
 *
 * timestamp and date values are taken as they are, without regard to the
 * session's time zone, so that what is stored does not depend on it: see clock.c.
 *
 * An enum value's key is its label: what a caller can read and write, on any server.
 * No operator class compares enums, since ALTER TYPE ... RENAME VALUE changes a label
 * without a change of any row.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "compat.h"
#include "core/rows/history.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

bool
RecsysKeyKindOfType(Oid type, RecsysKeyKind *kind)
{
	type = getBaseType(type);
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*kind = RECSYS_KEY_INT;
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
			*kind = RECSYS_KEY_TEXT;
			return true;
		case UUIDOID:
			*kind = RECSYS_KEY_UUID;
			return true;
		default:
			if (!type_is_enum(type))
				return false;
			*kind = RECSYS_KEY_TEXT;
			return true;
	}
}

bool
RecsysQueryKeyKindOfType(Oid type, RecsysKeyKind *kind)
{
	switch (getBaseType(type))
	{
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			*kind = RECSYS_KEY_INT;
			return true;
		default:
			return RecsysKeyKindOfType(type, kind);
	}
}

void
RecsysCheckCollation(RecsysKeyKind kind, Oid collation, const char *hint)
{
	if (kind == RECSYS_KEY_TEXT && OidIsValid(collation) &&
		!get_collation_isdeterministic(collation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("nondeterministic collations are not supported for keys of a recommender"),
				 errdetail("Keys are the same when their bytes are, whatever collation \"%s\" says.",
						   get_collation_name(collation)),
				 errhint("%s", hint)));
}

const char *
RecsysKeyKindName(RecsysKeyKind kind)
{
	switch (kind)
	{
		case RECSYS_KEY_INT:
			return "integer";
		case RECSYS_KEY_TEXT:
			return "text";
		case RECSYS_KEY_UUID:
			return "uuid";
	}
	return "unknown";
}

bool
RecsysTypeIsWeight(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

bool
RecsysTypeIsTime(Oid type)
{
	switch (getBaseType(type))
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return true;
		default:
			return false;
	}
}

static void
not_whole(const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key %s is not a whole number", value),
			 errdetail("Keys of type numeric, real and double precision are taken as bigint."),
			 errhint("Where such keys are meant, select them as text, as in user_id::text.")));
}

/* 17850.0, as a CSV file may have it, is 17850. */
static int64
whole_numeric(Datum value)
{
	Datum		whole = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(0));

	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, whole, value)))
		not_whole(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

static int64
whole_double(double value)
{
	if (value != trunc(value) || !isfinite(value))
		not_whole(float8out_internal(value));
	if (!FLOAT8_FITS_IN_INT64(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));
	return (int64) value;
}

static char *
enum_label(Oid value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	char	   *label;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	label = pstrdup(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel));
	ReleaseSysCache(tuple);
	return label;
}

static Datum
enum_value(Oid type, const RecsysKey *key)
{
	char	   *label = pnstrdup(key->data, key->len);
	HeapTuple	tuple = NULL;
	Oid			value;

	/* a longer one would be cut off and then found */
	if (key->len < NAMEDATALEN)
		tuple = SearchSysCache2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(label));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("item key \"%s\" is no value of enum %s", label, format_type_be(type)),
				 errhint("Ask for text: item_type => NULL::text.")));
	value = ((Form_pg_enum) GETSTRUCT(tuple))->oid;
	ReleaseSysCache(tuple);
	pfree(label);
	return ObjectIdGetDatum(value);
}

static Datum
name_value(const RecsysKey *key)
{
	Name		name = palloc0(sizeof(NameData));

	if (key->len >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("item key of %u bytes is too long for type name", key->len),
				 errhint("Ask for text: item_type => NULL::text.")));
	memcpy(NameStr(*name), key->data, key->len);
	return NameGetDatum(name);
}

void
RecsysKeyFromDatum(Oid basetype, Datum value, RecsysKey *key)
{
	key->number = 0;
	key->data = NULL;
	key->len = sizeof(int64);

	switch (basetype)
	{
		case INT2OID:
			key->number = DatumGetInt16(value);
			break;
		case INT4OID:
			key->number = DatumGetInt32(value);
			break;
		case INT8OID:
			key->number = DatumGetInt64(value);
			break;
		case TEXTOID:
		case VARCHAROID:
			{
				text	   *string = DatumGetTextPP(value);

				key->data = VARDATA_ANY(string);
				key->len = VARSIZE_ANY_EXHDR(string);
				break;
			}
		case BPCHAROID:
			{
				/* trailing blanks do not count in comparisons of the type */
				BpChar	   *string = DatumGetBpCharPP(value);

				key->data = VARDATA_ANY(string);
				key->len = bpchartruelen(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
				break;
			}
		case NAMEOID:
			key->data = NameStr(*DatumGetName(value));
			key->len = strlen(key->data);
			break;
		case UUIDOID:
			key->data = (const char *) DatumGetUUIDP(value)->data;
			key->len = UUID_LEN;
			break;
		case NUMERICOID:
			key->number = whole_numeric(value);
			break;
		case FLOAT4OID:
			key->number = whole_double(DatumGetFloat4(value));
			break;
		case FLOAT8OID:
			key->number = whole_double(DatumGetFloat8(value));
			break;
		default:
			if (!type_is_enum(basetype))
				elog(ERROR, "type %u is not a key type", basetype);
			key->data = enum_label(DatumGetObjectId(value));
			key->len = strlen(key->data);
	}
}

Datum
RecsysKeyToDatum(Oid basetype, const RecsysKey *key)
{
	switch (basetype)
	{
		case INT2OID:
			if (key->number < PG_INT16_MIN || key->number > PG_INT16_MAX)
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("item key %lld is out of range for type smallint",
								(long long) key->number)));
			return Int16GetDatum((int16) key->number);
		case INT4OID:
			if (key->number < PG_INT32_MIN || key->number > PG_INT32_MAX)
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("item key %lld is out of range for type integer",
								(long long) key->number)));
			return Int32GetDatum((int32) key->number);
		case INT8OID:
			return Int64GetDatum(key->number);
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return PointerGetDatum(cstring_to_text_with_len(key->data, key->len));
		case NAMEOID:
			return name_value(key);
		case UUIDOID:
			{
				pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

				memcpy(uuid->data, key->data, UUID_LEN);
				return UUIDPGetDatum(uuid);
			}
		default:
			if (!type_is_enum(basetype))
				elog(ERROR, "type %u is not a key type", basetype);
			return enum_value(basetype, key);
	}
	return (Datum) 0;
}

/*
 * A real as it is written: 0.3 is not the double next to it.  Six digits tell it from any
 * other with so many.
 */
static double
decimal_of_float(float value)
{
	char		text[FLOAT_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		return 0.0;
	if (value == (float) (int32) value || fabsf(value) >= 1e9f)
		return value;
	for (double scale = 10.0; scale <= 1e4; scale *= 10.0)
	{
		double		scaled = rint(value * scale);

		if (fabs(scaled) < 1e6 && (float) (scaled / scale) == value)
			return scaled / scale;
	}
	float_to_shortest_decimal_buf(value, text);
	return strtod(text, NULL);
}

double
RecsysWeightFromDatum(Oid basetype, Datum value)
{
	double		weight;

	switch (basetype)
	{
		case INT2OID:
			weight = DatumGetInt16(value);
			break;
		case INT4OID:
			weight = DatumGetInt32(value);
			break;
		case INT8OID:
			weight = (double) DatumGetInt64(value);
			break;
		case FLOAT4OID:
			weight = decimal_of_float(DatumGetFloat4(value));
			break;
		case FLOAT8OID:
			weight = DatumGetFloat8(value);
			break;
		case NUMERICOID:
			weight = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		default:
			elog(ERROR, "type %u is not a weight type", basetype);
	}

	return isfinite(weight) ? weight : 0.0;
}

int64
RecsysTimeFromDatum(Oid basetype, Datum value)
{
	switch (basetype)
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			{
				Timestamp	time = DatumGetTimestamp(value);

				return TIMESTAMP_NOT_FINITE(time) ? RECSYS_NO_TIME : time;
			}
		case DATEOID:
			{
				DateADT		date = DatumGetDateADT(value);

				if (DATE_NOT_FINITE(date))
					return RECSYS_NO_TIME;

				/* a date may lie beyond what microseconds can count */
				if (date > PG_INT64_MAX / USECS_PER_DAY)
					return PG_INT64_MAX;
				return (int64) date * USECS_PER_DAY;
			}
		default:
			elog(ERROR, "type %u is not a time type", basetype);
	}
	return RECSYS_NO_TIME;
}

double
RecsysIntervalMicroseconds(const Interval *interval)
{
	return (double) interval->time +
		((double) interval->day + (double) interval->month * DAYS_PER_MONTH) * USECS_PER_DAY;
}
