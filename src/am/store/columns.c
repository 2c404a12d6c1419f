/*
 * columns.c
 *	  What the key columns of a recsys index mean.
 *
 * (user, item), (user, item, weight), (user, item, weight, time), and, because
 * the types leave no doubt, (user, item, time).
 */
#include "postgres.h"

#include "am/store/columns.h"
#include "am/store/indexname.h"
#include "am/store/meta.h"
#include "source/input/keyadvice.h"
#include "source/input/clock.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

/* A column, or the expression of one, as it is written in the command that made the index */
static char *
column_text(Relation index, int column)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext,
												   ObjectIdGetDatum(RelationGetRelid(index)),
												   Int32GetDatum(column), BoolGetDatum(false)));
}

/*
 * The command that would make the index, with an expression for each column that can be
 * no key; NULL when there is none for one of them.
 */
static char *
command_with_keys(Relation index)
{
	Oid			table = index->rd_index->indrelid;
	StringInfoData keys;

	initStringInfo(&keys);
	for (int column = 1; column <= IndexRelationGetNumberOfKeyAttributes(index); column++)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(index), column - 1)->atttypid;
		char	   *key = column_text(index, column);
		RecsysKeyKind kind;

		if (column <= RECSYS_ITEM_COLUMN &&
			!RecsysKeyKindOfType(type, &kind))
		{
			char	   *expression = RecsysKeyExpression(type, key);

			if (expression == NULL)
				return NULL;
			key = psprintf("(%s)", expression);
		}
		appendStringInfo(&keys, "%s%s", column > 1 ? ", " : "", key);
	}
	return psprintf("CREATE INDEX ON %s USING recsys (%s)",
					RecsysQualifiedName(table), keys.data);
}

static void
get_key_column(Relation index, int column, RecsysKeyKind *kind, Oid *type)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(index), column - 1);
	Oid			collation = index->rd_indcollation[column - 1];

	if (!RecsysKeyKindOfType(attribute->atttypid, kind))
	{
		char	   *command = command_with_keys(index);

		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 column == RECSYS_USER_COLUMN ?
				 errmsg("column %d of recsys index \"%s\" cannot be the user: its type is %s",
						column, RecsysIndexName(index), format_type_be(attribute->atttypid)) :
				 errmsg("column %d of recsys index \"%s\" cannot be the item: its type is %s",
						column, RecsysIndexName(index), format_type_be(attribute->atttypid)),
				 errdetail(RECSYS_KEY_TYPES),
				 command == NULL ?
				 errhint("The columns of a recsys index are (user, item [, weight [, time]]).") :
				 errhint("Index an expression: %s.", command)));
	}

	RecsysCheckCollation(*kind, collation,
						 "Index the column with COLLATE \"C\" or another deterministic collation.");
	*type = getBaseType(attribute->atttypid);
}

void
RecsysGetColumns(Relation index, RecsysColumns *columns)
{
	int			ncolumns = IndexRelationGetNumberOfKeyAttributes(index);

	memset(columns, 0, sizeof(*columns));

	/*
	 * the attributes are am/content/itemcolumns' business, neighbors am/arrays/arraycolumns', and so is
	 * a key that is none
	 */
	if (RecsysIndexIsItems(index) || RecsysIndexIsGraph(index))
	{
		Oid			type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;

		if (RecsysKeyKindOfType(type, &columns->item_kind))
			columns->item_type = getBaseType(type);
		return;
	}

	if (ncolumns < 2 || ncolumns > 4)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg_plural("recsys index \"%s\" has %d column, it must have 2 to 4",
							   "recsys index \"%s\" has %d columns, it must have 2 to 4",
							   ncolumns, RecsysIndexName(index), ncolumns),
				 errhint("The columns of a recsys index are (user, item [, weight [, time]]).")));

	get_key_column(index, RECSYS_USER_COLUMN, &columns->user_kind, &columns->user_type);
	get_key_column(index, RECSYS_ITEM_COLUMN, &columns->item_kind, &columns->item_type);

	for (int column = 3; column <= ncolumns; column++)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(index), column - 1)->atttypid;

		if (column == 3 && RecsysTypeIsWeight(type))
		{
			columns->weight_column = column;
			columns->weight_type = getBaseType(type);
		}
		else if (column == ncolumns && RecsysTypeIsTime(type))
		{
			columns->time_column = column;
			columns->time_type = getBaseType(type);
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 column == 3 ?
					 errmsg("column %d of recsys index \"%s\" cannot be the weight: its type is %s",
							column, RecsysIndexName(index), format_type_be(type)) :
					 errmsg("column %d of recsys index \"%s\" cannot be the time: its type is %s",
							column, RecsysIndexName(index), format_type_be(type)),
					 errdetail("A weight is a number, a time is a timestamp with or without time zone or a date."),
					 errhint("The columns of a recsys index are (user, item [, weight [, time]]).")));
	}
}

static void
form_key(Relation index, int column, Oid type, Datum value, RecsysKey *key)
{
	RecsysKeyFromDatum(type, value, key);

	if (key->len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %u bytes exceeds maximum %u for recsys index \"%s\"",
						key->len, RECSYS_MAX_KEY_LEN, RecsysIndexName(index)),
				 errdetail("It stands in column %d.", column),
				 errhint("Index an expression such as (md5(%s)::uuid) instead.",
						 column_text(index, column))));
}

void
RecsysFormRow(Relation index, const RecsysColumns *columns,
			  Datum *values, bool *isnull, RecsysRow *row)
{
	row->has_user = !isnull[RECSYS_USER_COLUMN - 1];
	row->has_item = !isnull[RECSYS_ITEM_COLUMN - 1];
	row->weight = 1.0;
	row->time = RECSYS_NO_TIME;

	if (row->has_user)
		form_key(index, RECSYS_USER_COLUMN, columns->user_type,
				 values[RECSYS_USER_COLUMN - 1], &row->user);
	if (row->has_item)
		form_key(index, RECSYS_ITEM_COLUMN, columns->item_type,
				 values[RECSYS_ITEM_COLUMN - 1], &row->item);

	if (columns->weight_column > 0 && !isnull[columns->weight_column - 1])
		row->weight = RecsysWeightFromDatum(columns->weight_type,
											values[columns->weight_column - 1]);
	if (columns->time_column > 0 && !isnull[columns->time_column - 1])
		row->time = RecsysTimeFromDatum(columns->time_type,
										values[columns->time_column - 1]);
}

int64
RecsysIndexNow(Relation index)
{
	RecsysColumns columns;

	RecsysGetColumns(index, &columns);
	return RecsysNow(columns.time_column > 0 ? columns.time_type : InvalidOid);
}
