/*
 * streamstatements.c
 *	  The statements that take a batch of messages from the stage, where they are text, to the target.
 *
 * The stage has a column for each value.  Each is cast to the type of its column without the modifier: a
 * cast to varchar(3) would cut, where the INSERT errs.  Only rows that the filter lets through are cast
 * as a whole, as it comes first.
 *
 * With tombstones that delete, rows go first, then come those that no tombstone follows; of a key that is
 * to be updated, only the last one of the batch: ON CONFLICT takes none twice.  For these, and where the
 * first one of a key stays, the stage numbers its rows as they come, which is as the log has them.  Where
 * they are in the table does not say that, as COPY fills pages that have room.
 */
#include "postgres.h"

#include "access/table.h"
#include "api/declare/names.h"
#include "api/stream/streamfilter.h"
#include "api/stream/streamrejection.h"
#include "api/stream/streamstatements.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/runas.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Does it matter in which order rows have come? */
static bool
is_ordered(const RecsysStreamShape *shape)
{
	return shape->deletes || shape->conflict != RECSYS_STREAM_CONFLICT_ERROR;
}

/* Named by how many values there are: all have the same types, whatever they are for. */
static char *
stage_name(const RecsysStreamShape *shape)
{
	return psprintf("pg_temp.recsys_%s_%d", is_ordered(shape) ? "ordered_stage" : "stage", shape->nvalues);
}

char *
RecsysStreamStage(const RecsysStreamShape *shape)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "CREATE TEMPORARY TABLE IF NOT EXISTS %s (n bigint, op \"char\"", stage_name(shape));
	for (int i = 1; i <= shape->nvalues; i++)
		appendStringInfo(&text, ", v%d text", i);
	if (is_ordered(shape))
		appendStringInfoString(&text, ", place bigint GENERATED ALWAYS AS IDENTITY");
	appendStringInfoString(&text, ") ON COMMIT DELETE ROWS");
	return text.data;
}

char *
RecsysStreamCopy(const RecsysStreamShape *shape)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "COPY %s (n, op", stage_name(shape));
	for (int i = 1; i <= shape->nvalues; i++)
		appendStringInfo(&text, ", v%d", i);
	appendStringInfoString(&text, ") FROM STDIN");
	return text.data;
}

/* What the place of a row is called beside its values: none of them has that name. */
static const char *
place_name(const RecsysStreamShape *shape)
{
	char	   *name = pstrdup("place");

	for (int i = 0; i < shape->nvalues; i++)
	{
		if (strcmp(shape->values[i].name, name) != 0 &&
			(shape->values[i].word == NULL || strcmp(shape->values[i].word, name) != 0))
			continue;
		name = psprintf("place_%d", i);
		i = -1;
	}
	return quote_identifier(name);
}

/* The stage as it would be if it were there, for looking at statements */
static char *
empty_stage(const RecsysStreamShape *shape)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "(SELECT NULL::bigint AS place, NULL::pg_catalog.\"char\" AS op");
	for (int i = 1; i <= shape->nvalues; i++)
		appendStringInfo(&text, ", NULL::pg_catalog.text AS v%d", i);
	appendStringInfoString(&text, ")");
	return text.data;
}

/* A value of the stage, called by that alias, as its type */
static void
append_cast(StringInfo text, const RecsysStreamShape *shape, int number, const char *stage)
{
	const RecsysStreamValue *value = &shape->values[number];
	Oid			element = get_base_element_type(value->type);
	char	   *from = psprintf("%s.v%d", stage, number + 1);

	if (OidIsValid(element))
		appendStringInfo(text,
						 "CASE WHEN %s IS NOT NULL THEN ARRAY(SELECT CAST(e.value AS %s)"
						 " FROM pg_catalog.json_array_elements_text(CAST(%s AS pg_catalog.json)) AS e(value)) END",
						 from, RecsysStreamTypeName(getBaseType(element)), from);
	else if (value->type == TIMESTAMPOID)
		appendStringInfo(text, "pg_catalog.timezone('UTC', CAST(%s AS pg_catalog.timestamptz))", from);
	else if (value->type == DATEOID)
		appendStringInfo(text,
						 "CAST(pg_catalog.timezone('UTC', CAST(%s AS pg_catalog.timestamptz)) AS pg_catalog.date)",
						 from);
	else if (value->type == TEXTOID)
		appendStringInfoString(text, from);
	else
		appendStringInfo(text, "CAST(%s AS %s)", from, RecsysStreamTypeName(value->type));
}

/* The values under their names; what is only for the filter is left out unless there is one. */
static void
append_values(StringInfo text, const RecsysStreamShape *shape)
{
	for (int i = 0; i < shape->nvalues; i++)
	{
		const RecsysStreamValue *value = &shape->values[i];

		if (value->is_field && shape->filter == NULL)
			continue;
		appendStringInfoString(text, i > 0 ? ", " : "");
		append_cast(text, shape, i, "s");
		appendStringInfo(text, " AS %s", quote_identifier(value->name));
		if (shape->filter == NULL || value->word == NULL)
			continue;
		appendStringInfoString(text, ", ");
		append_cast(text, shape, i, "s");
		appendStringInfo(text, " AS %s", quote_identifier(value->word));
	}
}

void
RecsysAppendEmptyMessage(StringInfo query, const RecsysStreamShape *shape)
{
	appendStringInfoString(query, "SELECT ");
	for (int i = 0; i < shape->nvalues; i++)
	{
		const RecsysStreamValue *value = &shape->values[i];

		appendStringInfo(query, "%sNULL::%s AS %s", i > 0 ? ", " : "", RecsysStreamTypeName(value->type),
						 quote_identifier(value->name));
		if (value->word != NULL)
			appendStringInfo(query, ", NULL::%s AS %s", RecsysStreamTypeName(value->type),
							 quote_identifier(value->word));
	}
}

/* The operator that says whether two values of the type are equal, as it is written */
static char *
equals_of(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR);
	HeapTuple	tuple;
	Form_pg_operator form;
	char	   *name;

	if (!OidIsValid(entry->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("values of type %s cannot be told apart, so they cannot be a key",
						format_type_be(type))));
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(entry->eq_opr));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", entry->eq_opr);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	name = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return name;
}

static void
append_key(StringInfo text, const RecsysStreamShape *shape, const char *alias)
{
	for (int i = 0; i < shape->nkey; i++)
		appendStringInfo(text, "%s%s%s%s", i > 0 ? ", " : "", alias, *alias == '\0' ? "" : ".",
						 quote_identifier(shape->values[shape->key[i]].name));
}

/*
 * What tells rows of a batch apart by their key, in ON CONFLICT's sense: NULL is not equal to NULL.  Rows
 * whose key has one are told apart by where they are.
 */
static void
append_distinct_key(StringInfo text, const RecsysStreamShape *shape)
{
	append_key(text, shape, "message");
	for (int i = 0; i < shape->nkey; i++)
		if (!shape->values[shape->key[i]].not_null)
			appendStringInfo(text, ", CASE WHEN message.%s IS NULL THEN message.%s END",
							 quote_identifier(shape->values[shape->key[i]].name), place_name(shape));
}

/* Rows that there are of what tombstones of the batch name */
static char *
delete_statement(const RecsysStreamShape *shape, const char *stage)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "DELETE FROM %s AS target USING (SELECT DISTINCT ", RecsysKeptName(shape->target));
	for (int i = 0; i < shape->nkey; i++)
	{
		appendStringInfoString(&text, i > 0 ? ", " : "");
		append_cast(&text, shape, shape->key[i], "s");
		appendStringInfo(&text, " AS %s", quote_identifier(shape->values[shape->key[i]].name));
	}
	appendStringInfo(&text, " FROM %s AS s WHERE s.op OPERATOR(pg_catalog.=) 'd') AS gone WHERE", stage);
	for (int i = 0; i < shape->nkey; i++)
	{
		const RecsysStreamValue *value = &shape->values[shape->key[i]];
		const char *name = quote_identifier(value->name);

		appendStringInfo(&text, "%s target.%s %s gone.%s", i > 0 ? " AND" : "", name, equals_of(value->type),
						 name);
	}
	return text.data;
}

/* ... and rows of the batch itself that a tombstone follows */
static void
append_not_deleted(StringInfo text, const RecsysStreamShape *shape, const char *stage)
{
	appendStringInfo(text,
					 " AND NOT EXISTS (SELECT FROM %s AS d WHERE d.op OPERATOR(pg_catalog.=) 'd'"
					 " AND d.place OPERATOR(pg_catalog.>) s.place", stage);
	for (int i = 0; i < shape->nkey; i++)
	{
		appendStringInfoString(text, " AND ");
		append_cast(text, shape, shape->key[i], "d");
		appendStringInfo(text, " %s ", equals_of(shape->values[shape->key[i]].type));
		append_cast(text, shape, shape->key[i], "s");
	}
	appendStringInfoString(text, ")");
}

static bool
is_key(const RecsysStreamShape *shape, int number)
{
	for (int i = 0; i < shape->nkey; i++)
		if (shape->key[i] == number)
			return true;
	return false;
}

/* SET the columns besides the key, where they differ at all: a row that comes again is left alone. */
static void
append_update(StringInfo text, const RecsysStreamShape *shape)
{
	StringInfoData old;
	StringInfoData new;
	bool		all_compare = true;
	int			n = 0;

	initStringInfo(&old);
	initStringInfo(&new);
	for (int i = 0; i < shape->ncolumns; i++)
	{
		const char *name = quote_identifier(shape->values[i].name);

		if (is_key(shape, i))
			continue;
		appendStringInfo(text, "%s %s = EXCLUDED.%s", n > 0 ? "," : " DO UPDATE SET", name, name);
		appendStringInfo(&old, "%starget.%s", n > 0 ? ", " : "", name);
		appendStringInfo(&new, "%sEXCLUDED.%s", n > 0 ? ", " : "", name);
		n++;
		if (!OidIsValid(lookup_type_cache(shape->values[i].type, TYPECACHE_EQ_OPR)->eq_opr))
			all_compare = false;
	}
	if (n == 0)
		appendStringInfoString(text, " DO NOTHING");
	else if (all_compare)
		appendStringInfo(text, " WHERE ROW(%s) IS DISTINCT FROM ROW(%s)", old.data, new.data);
}

static void
append_conflict(StringInfo text, const RecsysStreamShape *shape)
{
	if (shape->conflict == RECSYS_STREAM_CONFLICT_ERROR)
		return;
	appendStringInfoString(text, " ON CONFLICT");
	if (shape->nkey > 0)
	{
		appendStringInfoString(text, " (");
		append_key(text, shape, "");
		appendStringInfoString(text, ")");
	}
	if (shape->conflict == RECSYS_STREAM_CONFLICT_UPDATE)
		append_update(text, shape);
	else
		appendStringInfoString(text, " DO NOTHING");
}

static char *
insert_statement(const RecsysStreamShape *shape, const char *stage)
{
	bool		last_only = shape->conflict == RECSYS_STREAM_CONFLICT_UPDATE;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "INSERT INTO %s AS target (", RecsysKeptName(shape->target));
	for (int i = 0; i < shape->ncolumns; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", quote_identifier(shape->values[i].name));
	appendStringInfoString(&text, ") SELECT ");
	if (last_only)
	{
		appendStringInfoString(&text, "DISTINCT ON (");
		append_distinct_key(&text, shape);
		appendStringInfoString(&text, ") ");
	}
	for (int i = 0; i < shape->ncolumns; i++)
		appendStringInfo(&text, "%smessage.%s", i > 0 ? ", " : "", quote_identifier(shape->values[i].name));
	appendStringInfoString(&text, " FROM (SELECT ");
	append_values(&text, shape);
	if (shape->conflict != RECSYS_STREAM_CONFLICT_ERROR)
		appendStringInfo(&text, ", s.place AS %s", place_name(shape));
	appendStringInfo(&text, " FROM %s AS s WHERE s.op OPERATOR(pg_catalog.=) 'r'", stage);
	if (shape->deletes)
		append_not_deleted(&text, shape, stage);
	appendStringInfoString(&text, ") AS message");
	/* a line of its own: the filter may end in a comment */
	if (shape->filter != NULL)
		appendStringInfo(&text, " WHERE (%s\n)", shape->filter);
	if (last_only)
	{
		appendStringInfoString(&text, " ORDER BY ");
		append_distinct_key(&text, shape);
		appendStringInfo(&text, ", message.%s DESC", place_name(shape));
	}
	else if (shape->conflict == RECSYS_STREAM_CONFLICT_IGNORE)
		appendStringInfo(&text, " ORDER BY message.%s", place_name(shape));
	append_conflict(&text, shape);
	return text.data;
}

static List *
statements(const RecsysStreamShape *shape, const char *stage)
{
	List	   *all = NIL;

	if (shape->deletes)
		all = lappend(all, delete_statement(shape, stage));
	return lappend(all, insert_statement(shape, stage));
}

List *
RecsysStreamApply(const RecsysStreamShape *shape)
{
	return statements(shape, stage_name(shape));
}

/* Do the index's columns, all of them, make the key? */
static bool
is_index_of_key(Oid index, const RecsysStreamShape *shape)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	fits = form->indisunique && form->indisvalid && form->indimmediate &&
		form->indnkeyatts == shape->nkey && heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	for (int i = 0; fits && i < form->indnkeyatts; i++)
	{
		fits = false;
		for (int k = 0; k < shape->nkey; k++)
			if (form->indkey.values[i] == get_attnum(shape->target, shape->values[shape->key[k]].name))
				fits = true;
	}
	ReleaseSysCache(tuple);
	return fits;
}

/* ON CONFLICT with a key needs an index that is unique on it. */
static void
check_unique_key(const RecsysStreamShape *shape)
{
	Relation	target;
	ListCell   *cell;
	StringInfoData columns;

	if (shape->conflict == RECSYS_STREAM_CONFLICT_ERROR || shape->nkey == 0)
		return;
	target = table_open(shape->target, NoLock);
	foreach(cell, RelationGetIndexList(target))
		if (is_index_of_key(lfirst_oid(cell), shape))
			break;
	table_close(target, NoLock);
	if (cell != NULL)
		return;
	initStringInfo(&columns);
	append_key(&columns, shape, "");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("\"%s\" has no unique index on the key of the stream", get_rel_name(shape->target)),
			 errhint("CREATE UNIQUE INDEX ON %s (%s);", RecsysKeptName(shape->target), columns.data)));
}

/* Plans a statement and looks at the rights that it needs. */
static void
explain(const char *statement, int n, Oid *types)
{
	Datum	   *values = palloc0(sizeof(Datum) * Max(n, 1));
	char	   *nulls = palloc(n + 1);

	memset(nulls, 'n', n);
	nulls[n] = '\0';
	if (SPI_execute_with_args(psprintf("EXPLAIN (COSTS OFF) %s", statement), n, types, values, nulls, false, 0) < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(SPI_result));
}

/* What messages have that have no value must be one of the column. */
static void
check_defaults(const RecsysStreamShape *shape)
{
	for (int i = 0; i < shape->nvalues; i++)
	{
		StringInfoData text;

		if (shape->values[i].fallback == NULL)
			continue;
		initStringInfo(&text);
		appendStringInfoString(&text, "SELECT ");
		append_cast(&text, shape, i, "s");
		appendStringInfo(&text, " FROM (SELECT %s::pg_catalog.text AS v%d) AS s",
						 quote_literal_cstr(shape->values[i].fallback), i + 1);
		if (SPI_execute(text.data, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(SPI_result));
	}
}

/* With the rights of who owns the stream: planning runs what it takes for constant. */
void
RecsysCheckStreamStatements(const RecsysStreamShape *shape, Oid owner, Oid errors)
{
	RecsysRights before;
	ListCell   *cell;

	check_unique_key(shape);
	RecsysBeginAs(owner, &before);
	/* as in the program's session */
	RecsysUseStreamNames(shape);
	(void) set_config_option("standard_conforming_strings", "on", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	RecsysCheckStreamFilter(shape);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	check_defaults(shape);
	foreach(cell, statements(shape, empty_stage(shape)))
		explain(lfirst(cell), 0, NULL);
	if (OidIsValid(errors))
	{
		Oid			types[RECSYS_REJECTED_COLUMNS];
		char	   *statement = RecsysStreamRejection(errors, types);

		explain(statement, RECSYS_REJECTED_COLUMNS, types);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysEndAs(&before);
}
