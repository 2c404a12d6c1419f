/*
 * itemcolumns.c
 *	  What the columns of an items index mean: the key, and the attributes.
 */
#include "postgres.h"

#include "am/content/itemcolumnsstate.h"
#include "am/store/indexname.h"
#include "catalog/pg_type.h"
#include "source/input/keyadvice.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#define COLUMNS_HINT \
	"The columns of a recsys_items index are (key, attribute [, attribute ...])."

char *
RecsysItemColumnText(Relation index, int column)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext,
												   ObjectIdGetDatum(RelationGetRelid(index)),
												   Int32GetDatum(column), BoolGetDatum(false)));
}

static Oid
column_type(Relation index, int column)
{
	return TupleDescAttr(RelationGetDescr(index), column - 1)->atttypid;
}

static char *
table_name(Relation index)
{
	return RecsysQualifiedName(index->rd_index->indrelid);
}

static void
get_key(Relation index, RecsysItemColumns *columns)
{
	Oid			type = column_type(index, 1);

	if (!RecsysKeyKindOfType(type, &columns->key_kind))
	{
		char	   *expression = RecsysKeyExpression(type, RecsysItemColumnText(index, 1));

		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column 1 of recsys_items index \"%s\" cannot be the key: its type is %s",
						RelationGetRelationName(index), format_type_be(type)),
				 errdetail("The key must be smallint, integer, bigint, text, varchar, char(n), name, uuid or an enum."),
				 expression == NULL ? errhint(COLUMNS_HINT) :
				 errhint("Index the expression (%s) instead.", expression)));
	}
	RecsysCheckCollation(columns->key_kind, index->rd_indcollation[0],
						 "Index the column with COLLATE \"C\" or another deterministic collation.");
	columns->key_type = getBaseType(type);

	if (get_attoptions(RelationGetRelid(index), 1) != (Datum) 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column 1 of recsys_items index \"%s\" is the key, which has no parameters",
						RelationGetRelationName(index)),
				 errhint(COLUMNS_HINT)));
}

/* An expression over the column that an index takes and that is something to compare, or NULL */
static char *
attribute_expression(Oid type, const char *column)
{
	type = getBaseType(type);
	switch (type)
	{
		case JSONBOID:
		case JSONOID:
			return psprintf("%s ->> 'name'", column);
		case NUMERICARRAYOID:
			return psprintf("%s::real[]", column);
		case CASHOID:
			return psprintf("%s::numeric", column);
		case INTERVALOID:
			return psprintf("extract(epoch FROM %s)", column);
		case TIMEOID:
			return psprintf("extract(hour FROM %s)::integer", column);
		case OIDOID:
			return psprintf("%s::bigint", column);
		default:
			return RecsysKeyExpression(type, column);
	}
}

static void
refuse_attribute(Relation index, int column, RecsysItemFamily family)
{
	Oid			type = column_type(index, column);
	char	   *text = RecsysItemColumnText(index, column);
	char	   *expression = attribute_expression(type, text);

	if (family != RECSYS_FAMILY_ANY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column %d of recsys_items index \"%s\" cannot be compared as its operator class does: its type is %s",
						column, RelationGetRelationName(index), format_type_be(type)),
				 errhint("Leave the operator class out.")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column %d of recsys_items index \"%s\" cannot be an attribute: its type is %s",
					column, RelationGetRelationName(index), format_type_be(type)),
			 errdetail("An attribute is a label, an array of labels, a text, a number, a time or a vector: a type with a cast to real[]."),
			 expression == NULL ? errhint(COLUMNS_HINT) :
			 errhint("Index an expression: CREATE INDEX ON %s USING recsys_items (%s, (%s));",
					 table_name(index), RecsysItemColumnText(index, 1), expression)));
}

static void
get_attribute(Relation index, int attribute, const bytea *parameters, RecsysItemColumns *columns)
{
	int			column = RecsysAttributeColumn(attribute);
	RecsysItemType *type = &columns->types[attribute];
	RecsysAttribute *result = &columns->attributes[attribute];
	RecsysItemFamily family;

	if (!RecsysItemFamilyOf(index->rd_opfamily[column - 1], &family))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column %d of recsys_items index \"%s\" has an operator class that says nothing of how values compare",
						column, RelationGetRelationName(index)),
				 errhint("Leave the operator class out.")));
	if (!RecsysItemTypeOf(column_type(index, column), family, type))
		refuse_attribute(index, column, family);
	result->kind = type->kind;
	RecsysSetParameters(type->family, (const RecsysItemParameters *) parameters, result);
}

RecsysItemColumns *
RecsysGetItemColumns(Relation index)
{
	RecsysItemColumns *columns = palloc0(sizeof(RecsysItemColumns));
	int			ncolumns = IndexRelationGetNumberOfKeyAttributes(index);
	bytea	  **parameters;

	StaticAssertStmt(RECSYS_MAX_ATTRIBUTES == INDEX_MAX_KEYS - 1,
					 "all columns of an index can be attributes");
	if (ncolumns < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("recsys_items index \"%s\" has no column to compare items by",
						RelationGetRelationName(index)),
				 errhint(COLUMNS_HINT)));
	get_key(index, columns);
	columns->count = ncolumns - 1;
	parameters = RelationGetIndexAttOptions(index, false);
	for (int attribute = 0; attribute < columns->count; attribute++)
		get_attribute(index, attribute, parameters[RecsysAttributeColumn(attribute) - 1], columns);
	return columns;
}

void
RecsysDeclaredModel(const RecsysItemColumns *columns, RecsysContentModel *model)
{
	memset(model, 0, sizeof(*model));
	model->count = columns->count;
	memcpy(model->attributes, columns->attributes, sizeof(RecsysAttribute) * columns->count);
}

RecsysKeyKind
RecsysItemColumnsKey(const RecsysItemColumns *columns, Oid *type)
{
	*type = columns->key_type;
	return columns->key_kind;
}

const char *
RecsysAttributeName(Relation index, int attribute)
{
	int			column = RecsysAttributeColumn(attribute);
	AttrNumber	attnum = index->rd_index->indkey.values[column - 1];
	const char *name = NameStr(TupleDescAttr(RelationGetDescr(index), column - 1)->attname);

	/* the table's column may have been renamed; an expression without a name is best as it is */
	if (attnum != 0)
		return get_attname(index->rd_index->indrelid, attnum, false);
	if (strncmp(name, "expr", 4) == 0)
		return RecsysItemColumnText(index, column);
	return pstrdup(name);
}
