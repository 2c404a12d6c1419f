/*
 * customersquery.c
 *	  A shop's customers and items as SQL.
 *
 * A key should be there once.  Where it is not, any one of its rows counts, as one does
 * where a list is served, so that nobody is counted twice.
 */
#include "postgres.h"

#include "api/declare/customersquery.h"
#include "api/declare/eventsquery.h"

static void
append_text(StringInfo out, const char *expression, const char *name)
{
	if (expression == NULL)
		appendStringInfo(out, ", NULL::pg_catalog.text AS %s", name);
	else
		appendStringInfo(out, ", (%s)::pg_catalog.text COLLATE pg_catalog.\"C\" AS %s", expression, name);
}

static void
append_flag(StringInfo out, const char *expression, const char *otherwise, const char *name)
{
	if (expression == NULL)
		appendStringInfo(out, ", %s AS %s", otherwise, name);
	else
		appendStringInfo(out, ", (%s) IS TRUE AS %s", expression, name);
}

void
RecsysAppendCustomers(StringInfo out, const RecsysDefinition *definition, RecsysKeyKind kind)
{
	bool		known = definition->profiles != NULL;
	const char *key = known ? RecsysKeyInSql(definition->profile_key, kind) : RecsysKeyInSql("NULL", kind);

	appendStringInfo(out, "SELECT DISTINCT ON (u) * FROM (SELECT %s AS u", key);
	append_flag(out, definition->exclude_users, "false", "excluded");
	append_flag(out, definition->consent, "true", "consent");
	for (int i = 0; i < definition->nsegments; i++)
		append_text(out, strcmp(definition->segments[i], "persona") == 0 ? NULL : definition->segments[i],
					psprintf("s%d", i + 1));
	if (known)
		appendStringInfo(out, " FROM %s AS %s", definition->profiles, definition->profiles_alias);
	appendStringInfoString(out, ") AS c WHERE u IS NOT NULL");
}

void
RecsysAppendItems(StringInfo out, const RecsysDefinition *definition, RecsysKeyKind kind)
{
	bool		known = definition->items != NULL;
	const char *key = known ? RecsysKeyInSql(definition->item_key, kind) : RecsysKeyInSql("NULL", kind);

	appendStringInfo(out, "SELECT DISTINCT ON (i) * FROM (SELECT %s AS i", key);
	append_text(out, definition->category, "category");
	append_text(out, definition->seller, "seller");
	if (definition->price != NULL)
		appendStringInfo(out, ", (%s)::pg_catalog.float8 AS price", definition->price);
	else
		appendStringInfoString(out, ", NULL::pg_catalog.float8 AS price");
	append_flag(out, definition->item_filter, "true", "offered");
	append_flag(out, definition->new_item_since, "false", "is_new");
	append_flag(out, definition->repeatable, "false", "repeatable");
	append_text(out, definition->group_by, "product");
	if (known)
		appendStringInfo(out, " FROM %s AS %s", definition->items, definition->items_alias);
	appendStringInfoString(out, ") AS c WHERE i IS NOT NULL");
}
