/*
 * graphcolumns.c
 *	  Which columns of a relation are an item graph: item, similar item, score.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/declare/graphcolumns.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static const char *const names[RECSYS_GRAPH_COLUMNS][2] = {
	{"item_id", "item"}, {"similar_item_id", "similar_item"}, {"score", "score"}
};

/* All three by their names; false if one is missing. */
static bool
find_by_name(Oid relation, AttrNumber *columns)
{
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		columns[x] = InvalidAttrNumber;
		for (int y = 0; y < lengthof(names[x]) && columns[x] <= 0; y++)
			columns[x] = get_attnum(relation, names[x][y]);
		if (columns[x] <= 0)
			return false;
	}
	return true;
}

/* The first three; false if there are fewer. */
static bool
find_by_place(Oid relation, AttrNumber *columns)
{
	int			found = 0;

	for (AttrNumber x = 1; found < RECSYS_GRAPH_COLUMNS; x++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(x));

		if (!HeapTupleIsValid(tuple))
			return false;
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			columns[found++] = x;
		ReleaseSysCache(tuple);
	}
	return true;
}

void
RecsysFindGraphColumns(Oid relation, RecsysKeyKind item_kind, RecsysKeyKind similar_kind,
					   AttrNumber *columns)
{
	if (!find_by_name(relation, columns) && !find_by_place(relation, columns))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" is not an item graph", get_rel_name(relation)),
				 errdetail("A graph has three columns: item, similar item and score.")));
	for (int x = 0; x < RECSYS_GRAPH_COLUMNS; x++)
	{
		Oid			type = get_atttype(relation, columns[x]);
		RecsysKeyKind kind = x == RECSYS_GRAPH_ITEM ? item_kind : similar_kind;
		RecsysKeyKind found;

		if (x == RECSYS_GRAPH_SCORE ? RecsysTypeIsWeight(type) :
			RecsysKeyKindOfType(type, &found) && found == kind)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" is not an item graph", get_rel_name(relation)),
				 errdetail("Column \"%s\" is of type %s. Items have to have %s keys, and a score is a number.",
						   get_attname(relation, columns[x], false), format_type_be(type),
						   RecsysKeyKindName(kind))));
	}
}

bool
RecsysIsViewOf(Oid relation, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = form->relkind == RELKIND_MATVIEW && form->relowner == role;
	ReleaseSysCache(tuple);
	return result;
}
