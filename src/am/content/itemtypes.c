/*
 * itemtypes.c
 *	  Types of attributes: which kind they are, and how a value is read.
 *
 * Types of extensions, such as pgvector's vector and halfvec, are vectors if there is a cast to
 * real[].  It is looked for when an index is used, so this library knows nothing of them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/content/itemtypes.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_type.h"
#include "core/rows/key.h"
#include "source/input/values.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static bool
is_label(Oid type, RecsysItemType *result)
{
	RecsysKeyKind kind;

	result->kind = RECSYS_ATTRIBUTE_LABEL;
	if (type == BOOLOID)
		result->form = RECSYS_VALUE_BOOLEAN;
	else if (type == NUMERICOID)
		result->form = RECSYS_VALUE_NUMERIC;
	else if (RecsysKeyKindOfType(type, &kind))
		result->form = RECSYS_VALUE_KEY;
	else
		return false;
	result->is_enum = type_is_enum(type);
	return true;
}

static bool
is_labels(Oid type, RecsysItemType *result)
{
	Oid			element = get_element_type(type);
	RecsysKeyKind kind;

	if (!OidIsValid(element) || !RecsysKeyKindOfType(element, &kind))
		return false;
	result->kind = RECSYS_ATTRIBUTE_LABELS;
	result->form = RECSYS_VALUE_ARRAY;
	result->element = getBaseType(element);
	result->is_enum = type_is_enum(result->element);
	get_typlenbyvalalign(element, &result->element_length, &result->element_by_value,
						 &result->element_align);
	return true;
}

static bool
is_text(Oid type, RecsysItemType *result)
{
	result->kind = RECSYS_ATTRIBUTE_TEXT;
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			result->form = RECSYS_VALUE_TEXT;
			return true;
		case TSVECTOROID:
			result->form = RECSYS_VALUE_TSVECTOR;
			return true;
		default:
			return false;
	}
}

static bool
is_number(Oid type, RecsysItemType *result)
{
	result->kind = RECSYS_ATTRIBUTE_NUMBER;
	result->form = RECSYS_VALUE_NUMBER;
	return RecsysTypeIsWeight(type);
}

static bool
is_time(Oid type, RecsysItemType *result)
{
	result->kind = RECSYS_ATTRIBUTE_NUMBER;
	result->form = RECSYS_VALUE_TIME;
	return RecsysTypeIsTime(type);
}

/* pg_cast says how one gets from the type to real[]. */
static bool
find_cast(Oid type, RecsysItemType *result)
{
	HeapTuple	tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(type),
										ObjectIdGetDatum(FLOAT4ARRAYOID));
	Form_pg_cast form;
	bool		found = true;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_cast) GETSTRUCT(tuple);
	if (form->castmethod == COERCION_METHOD_FUNCTION)
	{
		fmgr_info(form->castfunc, &result->cast);
		result->cast_arguments = get_func_nargs(form->castfunc);
	}
	else
		found = form->castmethod == COERCION_METHOD_BINARY;
	ReleaseSysCache(tuple);
	return found;
}

static bool
is_vector(Oid type, RecsysItemType *result)
{
	result->kind = RECSYS_ATTRIBUTE_VECTOR;
	switch (type)
	{
		case FLOAT4ARRAYOID:
			result->form = RECSYS_VALUE_FLOAT4_ARRAY;
			return true;
		case FLOAT8ARRAYOID:
			result->form = RECSYS_VALUE_FLOAT8_ARRAY;
			return true;
		default:
			result->form = RECSYS_VALUE_CAST;
			return find_cast(type, result);
	}
}

/* What a type is taken for when the operator class leaves it open */
static bool
find_family(Oid type, RecsysItemFamily *family)
{
	static const RecsysItemFamily in_turn[] = {
		RECSYS_FAMILY_TEXT, RECSYS_FAMILY_TIME, RECSYS_FAMILY_LABEL, RECSYS_FAMILY_LABELS,
		RECSYS_FAMILY_NUMBER, RECSYS_FAMILY_VECTOR
	};
	RecsysItemType ignored;

	for (int i = 0; i < lengthof(in_turn); i++)
		if ((in_turn[i] != RECSYS_FAMILY_LABEL || type != NUMERICOID) &&
			RecsysItemTypeOf(type, in_turn[i], &ignored))
		{
			*family = in_turn[i];
			return true;
		}
	return false;
}

bool
RecsysItemTypeOf(Oid type, RecsysItemFamily family, RecsysItemType *result)
{
	type = getBaseType(type);
	if (family == RECSYS_FAMILY_ANY && !find_family(type, &family))
		return false;
	memset(result, 0, sizeof(*result));
	result->type = type;
	result->family = family;
	switch (family)
	{
		case RECSYS_FAMILY_LABEL:
			return is_label(type, result);
		case RECSYS_FAMILY_LABELS:
			return is_labels(type, result);
		case RECSYS_FAMILY_TEXT:
			return is_text(type, result);
		case RECSYS_FAMILY_NUMBER:
			return is_number(type, result);
		case RECSYS_FAMILY_TIME:
			return is_time(type, result);
		case RECSYS_FAMILY_VECTOR:
			return is_vector(type, result);
		case RECSYS_FAMILY_ANY:
			break;
	}
	return false;
}
