/*
 * keytext.c
 *	  Keys written as text: what arrives without a type, and what is answered to it.
 *
 * Drivers send parameters without a type, which the server then takes for text
 * where a function has a choice.  Such a text is read as a key of the recommender's
 * type.  Whole numbers are read as bigint, whatever the width of the column: keys
 * of all widths are compared as numbers, and one that no row can have is unknown.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

bool
RecsysTypeIsText(Oid type)
{
	char		category;
	bool		preferred;

	switch (getBaseType(type))
	{
		case TEXTOID:
		case VARCHAROID:
		case UNKNOWNOID:
			return true;
		case InvalidOid:
			return false;
		default:
			/* char(n), name, and those of extensions, citext above all */
			get_type_category_preferred(getBaseType(type), &category, &preferred);
			return category == TYPCATEGORY_STRING;
	}
}

char *
RecsysTextOfDatum(Oid type, Datum value)
{
	Oid			output;
	bool		varlena;
	char	   *text;

	getTypeOutputInfo(getBaseType(type), &output, &varlena);
	text = OidOutputFunctionCall(output, value);

	/* blanks at the end of char(n) mean nothing, as in a cast to text */
	if (getBaseType(type) == BPCHAROID)
	{
		size_t		length = strlen(text);

		while (length > 0 && text[length - 1] == ' ')
			length--;
		text[length] = '\0';
	}
	return text;
}

Oid
RecsysKeyKindType(RecsysKeyKind kind)
{
	switch (kind)
	{
		case RECSYS_KEY_INT:
			return INT8OID;
		case RECSYS_KEY_TEXT:
			return TEXTOID;
		case RECSYS_KEY_UUID:
			return UUIDOID;
	}
	return InvalidOid;
}

const char *
RecsysKeyKindTypeName(RecsysKeyKind kind)
{
	return format_type_be(RecsysKeyKindType(kind));
}

void
RecsysKeyFromText(Oid column_type, const char *text, RecsysKey *key)
{
	RecsysKeyKind kind;
	Oid			type;
	Oid			input;
	Oid			argument;

	if (!RecsysKeyKindOfType(column_type, &kind))
		elog(ERROR, "type %u is not a key type", column_type);

	/* a char(n) comes from its column with the blanks that fill it up, and goes back so */
	type = getBaseType(column_type) == BPCHAROID ? BPCHAROID : RecsysKeyKindType(kind);
	getTypeInputInfo(type, &input, &argument);
	RecsysKeyFromDatum(type, OidInputFunctionCall(input, unconstify(char *, text), argument, -1),
					   key);
}

bool
RecsysKeyFitsType(Oid basetype, RecsysKeyKind kind)
{
	RecsysKeyKind wanted;

	return basetype == TEXTOID || basetype == VARCHAROID ||
		(RecsysKeyKindOfType(basetype, &wanted) && wanted == kind);
}

Datum
RecsysKeyToValue(Oid basetype, RecsysKeyKind kind, const RecsysKey *key)
{
	Oid			output;
	bool		varlena;
	char	   *text;
	Datum		value;

	if (kind == RECSYS_KEY_TEXT || (basetype != TEXTOID && basetype != VARCHAROID))
		return RecsysKeyToDatum(basetype, key);
	getTypeOutputInfo(RecsysKeyKindType(kind), &output, &varlena);
	text = OidOutputFunctionCall(output, RecsysKeyToDatum(RecsysKeyKindType(kind), key));
	value = PointerGetDatum(cstring_to_text(text));
	pfree(text);
	return value;
}

char *
RecsysTypeInSql(Oid type, int32 length)
{
	return format_type_extended(type, length, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}
