/*
 * eventsquery.c
 *	  The rows of a recsys index as SQL, for what is asked of the table itself.
 *
 * Columns, expressions and condition come from the catalogs, printed under a search path
 * that has nothing but the system's own names in it: all others have their schemas then.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "am/entry/indexes.h"
#include "am/store/columns.h"
#include "api/call/recommender.h"
#include "api/call/wholes.h"
#include "api/declare/eventsquery.h"
#include "api/declare/indexfunctions.h"
#include "api/declare/names.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

char *
RecsysKeyInSql(const char *expression, RecsysKeyKind kind)
{
	switch (kind)
	{
		case RECSYS_KEY_INT:
			return psprintf("(%s)::pg_catalog.int8", expression);
		case RECSYS_KEY_UUID:
			return psprintf("(%s)::pg_catalog.uuid", expression);
		case RECSYS_KEY_TEXT:
			break;
	}
	return psprintf("(%s)::pg_catalog.text COLLATE pg_catalog.\"C\"", expression);
}

char *
RecsysIndexColumnInSql(Relation index, int column)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_indexdef_ext,
												   ObjectIdGetDatum(RelationGetRelid(index)),
												   Int32GetDatum(column), BoolGetDatum(false)));
}

/* NULL counts as 1, and what is no number as nothing. */
static char *
weight_in_sql(Relation index, const RecsysColumns *columns)
{
	char	   *text;

	if (columns->weight_column == 0)
		return pstrdup("1::pg_catalog.float8");
	text = RecsysIndexColumnInSql(index, columns->weight_column);
	return psprintf("CASE WHEN (%s) IS NULL THEN 1::pg_catalog.float8 WHEN (%s)::pg_catalog.float8 BETWEEN '-1.7e308'::pg_catalog.float8 AND '1.7e308'::pg_catalog.float8 THEN (%s)::pg_catalog.float8 ELSE 0::pg_catalog.float8 END",
					text, text, text);
}

/* Infinite times tell none, and the future counts as now. */
static char *
time_in_sql(Relation index, const RecsysColumns *columns)
{
	char	   *text;

	if (columns->time_column == 0)
		return NULL;
	text = RecsysIndexColumnInSql(index, columns->time_column);
	return psprintf("CASE WHEN pg_catalog.isfinite(%s) THEN LEAST((%s)::pg_catalog.timestamptz, pg_catalog.now()) END",
					text, text);
}

/* Days of the column's own clock, as RecsysCountActs numbers them: only their differences count. */
static char *
day_in_sql(Relation index, const RecsysColumns *columns)
{
	char	   *text;

	if (columns->time_column == 0)
		return NULL;
	text = RecsysIndexColumnInSql(index, columns->time_column);
	return psprintf("CASE WHEN pg_catalog.isfinite(%s) THEN pg_catalog.floor(EXTRACT(epoch FROM LEAST(%s, pg_catalog.now()::%s)) / 86400)::pg_catalog.int8 END",
					text, text, format_type_be_qualified(columns->time_type));
}

char *
RecsysIndexConditionInSql(Relation index)
{
	bool		isnull;
	Datum		predicate = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
											Anum_pg_index_indpred, &isnull);

	if (isnull)
		return pstrdup("true");
	return TextDatumGetCString(DirectFunctionCall2(pg_get_expr, predicate,
												   ObjectIdGetDatum(index->rd_index->indrelid)));
}

void
RecsysGetEventsQuery(const char *name, RecsysEventsQuery *query)
{
	Oid			oid = RecsysNamedRecommender(name);
	Relation	index = relation_open(oid, AccessShareLock);
	RecsysColumns columns;
	int			nestlevel;

	if (RecsysKindOfIndex(oid) == RECSYS_ITEMS_INDEX || RecsysKindOfIndex(oid) == RECSYS_GRAPH_INDEX)
		RecsysNeedsUsers(oid);
	if (RecsysKindOfIndex(oid) != RECSYS_INTERACTIONS_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a recsys index", name)));
	RecsysRefusePart(oid);
	RecsysGetColumns(index, &columns);
	RecsysCheckIndexFunctions(index);

	nestlevel = RecsysBeginPlainNames();
	query->index = oid;
	query->table = psprintf("%s%s", index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX ? "" : "ONLY ",
							RecsysKeptName(index->rd_index->indrelid));
	query->user = RecsysKeyInSql(RecsysIndexColumnInSql(index, RECSYS_USER_COLUMN), columns.user_kind);
	query->item = RecsysKeyInSql(RecsysIndexColumnInSql(index, RECSYS_ITEM_COLUMN), columns.item_kind);
	query->weight = weight_in_sql(index, &columns);
	query->time = time_in_sql(index, &columns);
	query->day = day_in_sql(index, &columns);
	query->condition = RecsysIndexConditionInSql(index);
	query->user_kind = columns.user_kind;
	query->item_kind = columns.item_kind;
	RecsysEndPlainNames(nestlevel);
	relation_close(index, NoLock);
}

void
RecsysAppendEvents(StringInfo out, const RecsysEventsQuery *query, const char *price)
{
	appendStringInfo(out, "SELECT u, i, w, t, d, p FROM (SELECT %s AS u, %s AS i, %s AS w, %s AS t, %s AS d, ",
					 query->user, query->item, query->weight,
					 query->time != NULL ? query->time : "NULL::pg_catalog.timestamptz",
					 query->day != NULL ? query->day : "NULL::pg_catalog.int8");
	if (price == NULL)
		appendStringInfoString(out, "NULL::pg_catalog.float8");
	else
		appendStringInfo(out, "(%s)::pg_catalog.float8", price);
	appendStringInfo(out, " AS p FROM %s AS events WHERE %s) AS e WHERE u IS NOT NULL AND i IS NOT NULL",
					 query->table, query->condition);
}
