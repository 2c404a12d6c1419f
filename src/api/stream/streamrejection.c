/*
 * streamrejection.c
 *	  Tables for messages that became no rows: which of their columns a table has.
 */
#include "postgres.h"

#include "api/declare/names.h"
#include "api/stream/streamrejection.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

const RecsysRejectedColumn RecsysRejectedColumns[RECSYS_REJECTED_COLUMNS] = {
	{"stream", TEXTOID},
	{"topic", TEXTOID},
	{"partition", INT4OID},
	{"message_offset", INT8OID},
	{"message_timestamp", TIMESTAMPTZOID},
	{"key", TEXTOID},
	{"payload", TEXTOID},
	{"reason", TEXTOID},
	{"sqlstate", TEXTOID},
	{"rejected_at", TIMESTAMPTZOID},
};

char *
RecsysStreamRejection(Oid table, Oid *types)
{
	StringInfoData columns;
	StringInfoData values;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = 0; i < RECSYS_REJECTED_COLUMNS; i++)
	{
		AttrNumber	number = get_attnum(table, RecsysRejectedColumns[i].name);

		types[i] = RecsysRejectedColumns[i].type;
		if (number <= 0)
			continue;
		if (types[i] == TEXTOID && getBaseType(get_atttype(table, number)) == BYTEAOID)
			types[i] = BYTEAOID;
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "", RecsysRejectedColumns[i].name);
		appendStringInfo(&values, "%s$%d", values.len > 0 ? ", " : "", i + 1);
	}
	if (columns.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("table \"%s\" has no column for rejected messages", get_rel_name(table)),
				 errhint("It may have the columns of recsys.stream_errors, or some of them: CREATE TABLE %s (LIKE recsys.stream_errors);",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
													psprintf("%s_errors", get_rel_name(table))))));
	return psprintf("INSERT INTO %s (%s) VALUES (%s)", RecsysKeptName(table), columns.data, values.data);
}
