/*
 * formcontent.c
 *	  Keys and raw content from the values of a row.
 */
#include "postgres.h"

#include <math.h>

#include "am/content/formterms.h"
#include "am/content/itemcolumnsstate.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "core/rows/history.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* The column of a value that cannot be indexed, for messages */
static const char *
column_text(Relation index, int attribute)
{
	return RecsysItemColumnText(index, RecsysAttributeColumn(attribute));
}

static void
form_number(const RecsysItemType *type, const RecsysAttribute *attribute, Datum value,
			RecsysRawValue *raw)
{
	if (type->form == RECSYS_VALUE_TIME)
	{
		int64		time = RecsysTimeFromDatum(type->type, value);

		raw->known = time != RECSYS_NO_TIME;
		raw->number = (double) time / USECS_PER_DAY;
		return;
	}
	switch (type->type)
	{
		case FLOAT4OID:
			raw->number = DatumGetFloat4(value);
			break;
		case FLOAT8OID:
			raw->number = DatumGetFloat8(value);
			break;
		case NUMERICOID:
			raw->number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		default:
			raw->number = RecsysWeightFromDatum(type->type, value);
			break;
	}

	/* what has no logarithm cannot be near to anything by it */
	raw->known = isfinite(raw->number) && (attribute->linear || raw->number > 0);
}

static void
not_finite(Relation index, int attribute)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("vector in column %s of recsys_items index \"%s\" is not finite",
					column_text(index, attribute), RelationGetRelationName(index)),
			 errdetail("NaN, infinities and numbers beyond the range of real cannot be compared.")));
}

/* An array of real or double precision as floats */
static void
form_array(Relation index, int attribute, ArrayType *array, bool wide, RecsysRawValue *raw)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	float	   *vector;
	bool		zero = true;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("array in column %s of recsys_items index \"%s\" is no vector",
						column_text(index, attribute), RelationGetRelationName(index)),
				 errdetail("A vector has one dimension and no NULLs.")));
	vector = palloc(sizeof(float) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		vector[i] = wide ? (float) ((double *) ARR_DATA_PTR(array))[i] :
			((float *) ARR_DATA_PTR(array))[i];
		if (!isfinite(vector[i]))
			not_finite(index, attribute);
		zero &= vector[i] == 0;
	}
	raw->known = !zero;
	raw->dimensions = n;
	raw->vector = vector;
}

static ArrayType *
cast_to_array(const RecsysItemType *type, Datum value)
{
	FmgrInfo   *cast = unconstify(FmgrInfo *, &type->cast);

	switch (type->cast_arguments)
	{
		case 0:
			return DatumGetArrayTypeP(value);
		case 1:
			return DatumGetArrayTypeP(FunctionCall1(cast, value));
		case 2:
			return DatumGetArrayTypeP(FunctionCall2(cast, value, Int32GetDatum(-1)));
		default:
			return DatumGetArrayTypeP(FunctionCall3(cast, value, Int32GetDatum(-1),
													BoolGetDatum(true)));
	}
}

void
RecsysFormValue(Relation index, const RecsysItemColumns *columns, int attribute,
				Datum value, bool isnull, RecsysRawValue *raw)
{
	const RecsysItemType *type = &columns->types[attribute];

	memset(raw, 0, sizeof(*raw));
	if (isnull)
		return;
	switch (type->form)
	{
		case RECSYS_VALUE_NUMBER:
		case RECSYS_VALUE_TIME:
			form_number(type, &columns->attributes[attribute], value, raw);
			break;
		case RECSYS_VALUE_FLOAT4_ARRAY:
		case RECSYS_VALUE_FLOAT8_ARRAY:
			form_array(index, attribute, DatumGetArrayTypeP(value),
					   type->form == RECSYS_VALUE_FLOAT8_ARRAY, raw);
			break;
		case RECSYS_VALUE_CAST:
			form_array(index, attribute, cast_to_array(type, value), false, raw);
			break;
		default:
			{
				RecsysTerm *terms;

				raw->nterms = RecsysFormTerms(type, attribute, value, &terms);
				raw->terms = terms;
				raw->known = raw->nterms > 0;
				break;
			}
	}
}

bool
RecsysFormContent(Relation index, const RecsysItemColumns *columns, Datum *values, bool *isnull,
				  RecsysKey *key, RecsysRawContent *raw)
{
	if (isnull[0])
		return false;
	RecsysKeyFromDatum(columns->key_type, values[0], key);
	if (key->len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %u bytes exceeds maximum %u for recsys_items index \"%s\"",
						key->len, RECSYS_MAX_KEY_LEN, RelationGetRelationName(index)),
				 errhint("Index an expression such as (md5(%s)::uuid) instead.",
						 RecsysItemColumnText(index, 1))));
	raw->count = columns->count;
	for (int attribute = 0; attribute < columns->count; attribute++)
		RecsysFormValue(index, columns, attribute, values[attribute + 1], isnull[attribute + 1],
						&raw->values[attribute]);
	return true;
}

void
RecsysLearnDimensions(RecsysContentModel *model, const RecsysRawContent *raw)
{
	for (int attribute = 0; attribute < model->count; attribute++)
		if (model->attributes[attribute].kind == RECSYS_ATTRIBUTE_VECTOR &&
			raw->values[attribute].known && model->attributes[attribute].dimensions == 0)
			model->attributes[attribute].dimensions = (uint16) raw->values[attribute].dimensions;
}

void
RecsysCheckContent(Relation index, const RecsysContentModel *model, const RecsysRawContent *raw)
{
	for (int attribute = 0; attribute < model->count; attribute++)
	{
		int			expected = model->attributes[attribute].dimensions;
		int			dimensions = raw->values[attribute].dimensions;

		if (model->attributes[attribute].kind != RECSYS_ATTRIBUTE_VECTOR ||
			!raw->values[attribute].known)
			continue;
		if (dimensions > RECSYS_MAX_CONTENT / (int) sizeof(int16))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("vector in column %s of recsys_items index \"%s\" has %d dimensions, at most %d can be indexed",
							column_text(index, attribute), RelationGetRelationName(index),
							dimensions, RECSYS_MAX_CONTENT / (int) sizeof(int16))));
		if (expected != 0 && dimensions != expected)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("vector in column %s of recsys_items index \"%s\" has %d dimensions, others have %d",
							column_text(index, attribute), RelationGetRelationName(index),
							dimensions, expected),
					 errdetail("All vectors of a column must have as many dimensions.")));
	}
	if (RecsysContentPackedSize(model, raw) > RECSYS_MAX_CONTENT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("row of recsys_items index \"%s\" needs %zu bytes, at most %d can be stored",
						RelationGetRelationName(index), RecsysContentPackedSize(model, raw),
						RECSYS_MAX_CONTENT),
				 errhint("Index fewer columns, or shorter vectors and arrays.")));
}
