/*
 * arraycolumns.c
 *	  What the columns of an index over an item graph mean, and one row of its table.
 *
 * (item, users, similar items, scores [, supports]): the item's key, how many users have it, and
 * three arrays of one length, which may be NULL or empty where the item has no neighbors.
 */
#include "postgres.h"

#include <math.h>

#include "am/arrays/arraycolumns.h"
#include "catalog/pg_type.h"
#include "core/pairs/modeloptions.h"
#include "source/input/keytext.h"
#include "source/input/values.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define COLUMNS_HINT \
	"The columns of a recsys_graph index are (item, users, similar items, scores [, supports]), as in CREATE INDEX ON graph USING recsys_graph (item_id, users, similar_ids, scores, supports)."

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_float(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

static bool
is_key_of(Oid type, RecsysKeyKind kind)
{
	RecsysKeyKind own;

	return RecsysKeyKindOfType(type, &own) && own == kind;
}

/* Does the column's type do in that place? */
static bool
type_fits(const RecsysArrayColumns *columns, int column)
{
	Oid			type = columns->types[column];

	switch (column)
	{
		case RECSYS_ARRAYS_ITEM:
			return columns->kind != 0;
		case RECSYS_ARRAYS_SIMILAR:
			return is_key_of(type, columns->kind);
		case RECSYS_ARRAYS_SCORES:
			return is_float(type);
		default:
			return is_integer(type);
	}
}

static void
refuse_column(Relation index, int column)
{
	static const char *const meanings[] = {
		"the item, whose type is smallint, integer, bigint, text or uuid",
		"the number of the item's users, an integer",
		"the similar items, an array of the type of the item",
		"their scores, an array of real",
		"their supports, an array of integers",
	};

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column %d of recsys_graph index \"%s\" has type %s", column + 1,
					RelationGetRelationName(index),
					format_type_be(TupleDescAttr(RelationGetDescr(index), column)->atttypid)),
			 errdetail("It is to be %s.", meanings[column]),
			 errhint(COLUMNS_HINT)));
}

void
RecsysGetArrayColumns(Relation index, RecsysArrayColumns *columns)
{
	int			count = IndexRelationGetNumberOfKeyAttributes(index);

	memset(columns, 0, sizeof(*columns));
	if (count < RECSYS_ARRAYS_SUPPORTS || count > RECSYS_ARRAYS_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg_plural("recsys_graph index \"%s\" has %d column, it must have 4 or 5",
							   "recsys_graph index \"%s\" has %d columns, it must have 4 or 5",
							   count, RelationGetRelationName(index), count),
				 errhint(COLUMNS_HINT)));
	columns->count = count;
	for (int i = 0; i < count; i++)
	{
		Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(index), i)->atttypid);

		/* what is no array has no elements, and no type then */
		if (i >= RECSYS_ARRAYS_SIMILAR)
			type = getBaseType(get_element_type(type));
		columns->types[i] = type;
		if (i == RECSYS_ARRAYS_ITEM && !RecsysKeyKindOfType(type, &columns->kind))
			columns->kind = 0;
		if (!type_fits(columns, i))
			refuse_column(index, i);
	}
	RecsysCheckCollation(columns->kind, index->rd_indcollation[RECSYS_ARRAYS_ITEM],
						 "Index the column with COLLATE \"C\" or another deterministic collation.");
}

char *
RecsysArrayItemText(const RecsysArrayColumns *columns, const RecsysKey *item)
{
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, columns->kind, item));
}

/* What is wrong with a row, as a message */
static void
refuse_row(Relation index, const RecsysArrayColumns *columns, const RecsysArrayRow *row, char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the row of item \"%s\" is no row of an item graph",
					RecsysArrayItemText(columns, &row->item)),
			 errdetail("%s", detail),
			 errhint("Correct it, or leave it out by the WHERE of index \"%s\".",
					 RelationGetRelationName(index))));
}

static void
form_key(Relation index, Oid type, Datum value, RecsysKey *key)
{
	RecsysKeyFromDatum(type, value, key);
	if (key->len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %u bytes exceeds maximum %u for recsys_graph index \"%s\"",
						key->len, RECSYS_MAX_KEY_LEN, RelationGetRelationName(index))));
}

static int64
integer_value(Oid type, Datum value)
{
	return type == INT2OID ? DatumGetInt16(value) : type == INT4OID ? DatumGetInt32(value) :
		DatumGetInt64(value);
}

/* The elements of an array column; NULL is an empty one.  Returns how many there are. */
static int
elements(Relation index, const RecsysArrayColumns *columns, const RecsysArrayRow *row, int column,
		 Datum *values, bool *isnull, Datum **result)
{
	ArrayType  *array;
	int16		length;
	bool		byvalue;
	char		align;
	bool	   *nulls;
	int			count;

	*result = NULL;
	if (isnull[column])
		return 0;
	array = DatumGetArrayTypeP(values[column]);
	if (ARR_NDIM(array) > 1)
		refuse_row(index, columns, row, "An array has more than one dimension.");
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &byvalue, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, byvalue, align, result, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (nulls[i])
			refuse_row(index, columns, row, "An array has a NULL in it.");
	return count;
}

static void
read_counts(Relation index, const RecsysArrayColumns *columns, RecsysArrayRow *row,
			const Datum *supports)
{
	for (int i = 0; i < row->count; i++)
	{
		int64		support = supports == NULL ? 0 :
			integer_value(columns->types[RECSYS_ARRAYS_SUPPORTS], supports[i]);

		if (support < 0 || support > PG_UINT32_MAX)
			refuse_row(index, columns, row, psprintf("A support is %lld.", (long long) support));
		row->supports[i] = (uint32) support;
	}
}

static void
read_neighbors(Relation index, const RecsysArrayColumns *columns, RecsysArrayRow *row,
			   const Datum *peers, const Datum *scores)
{
	for (int i = 0; i < row->count; i++)
	{
		form_key(index, columns->types[RECSYS_ARRAYS_SIMILAR], peers[i], &row->peers[i]);
		row->scores[i] = columns->types[RECSYS_ARRAYS_SCORES] == FLOAT4OID ?
			DatumGetFloat4(scores[i]) : (float) DatumGetFloat8(scores[i]);
		if (!(row->scores[i] > 0) || !isfinite(row->scores[i]))
			refuse_row(index, columns, row, psprintf("A score is %g, and must be positive.", row->scores[i]));
		if (RecsysKeyCompare(columns->kind, &row->peers[i], &row->item) == 0)
			refuse_row(index, columns, row, "It is one of its own similar items.");
	}
}

bool
RecsysFormArrayRow(Relation index, const RecsysArrayColumns *columns, Datum *values, bool *isnull,
				   RecsysArrayRow *row)
{
	Datum	   *peers;
	Datum	   *scores;
	Datum	   *supports = NULL;
	int64		users;
	int			nscores;
	int			nsupports;

	if (isnull[RECSYS_ARRAYS_ITEM])
		return false;
	form_key(index, columns->types[RECSYS_ARRAYS_ITEM], values[RECSYS_ARRAYS_ITEM], &row->item);
	users = isnull[RECSYS_ARRAYS_USERS] ? 0 :
		integer_value(columns->types[RECSYS_ARRAYS_USERS], values[RECSYS_ARRAYS_USERS]);
	if (users < 0 || users > PG_INT32_MAX)
		refuse_row(index, columns, row, psprintf("It has %lld users.", (long long) users));
	row->users = (uint32) users;

	row->count = elements(index, columns, row, RECSYS_ARRAYS_SIMILAR, values, isnull, &peers);
	nscores = elements(index, columns, row, RECSYS_ARRAYS_SCORES, values, isnull, &scores);
	nsupports = columns->count <= RECSYS_ARRAYS_SUPPORTS || isnull[RECSYS_ARRAYS_SUPPORTS] ? row->count :
		elements(index, columns, row, RECSYS_ARRAYS_SUPPORTS, values, isnull, &supports);
	if (nscores != row->count || nsupports != row->count)
		refuse_row(index, columns, row,
				   psprintf("It has %d similar items, %d scores and %d supports.", row->count, nscores, nsupports));
	if (row->count > RECSYS_MAX_NEIGHBORS)
		refuse_row(index, columns, row,
				   psprintf("It has %d similar items, and an index has at most %d.", row->count, RECSYS_MAX_NEIGHBORS));

	row->peers = palloc(sizeof(RecsysKey) * Max(row->count, 1));
	row->scores = palloc(sizeof(float) * Max(row->count, 1));
	row->supports = palloc(sizeof(uint32) * Max(row->count, 1));
	read_neighbors(index, columns, row, peers, scores);
	read_counts(index, columns, row, supports);
	return true;
}
