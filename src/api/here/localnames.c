/*
 * localnames.c
 *	  Queries of a definition over tables of Citus, on the node that has their rows.
 *
 * A definition names tables as everybody does: of a reference table that is the shell, which Citus
 * leads to the copy of the node at hand when it plans a query.  A list is made inside of a function
 * that Citus has taken to the node of its user, and in there it plans none but those by the user:
 * others are an error.  Nor does it plan any inside of a part of a query that it has taken to another
 * node.  So the shells' names are replaced before the server sees the query: by the copy of a
 * reference table, and, where a row is looked up by the user, by the shard that has it.  The rights
 * are the same, as Citus grants on all of them what is granted on one, and so are the plans of one
 * server: nothing of Citus is in the way.
 *
 * Texts that are kept have names with schemas, so what has none is no table of the shop's.
 */
#include "postgres.h"

#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/here/localnames.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static char *
kept_name(Oid table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

static const char *
skip_spaces(const char *place)
{
	while (*place == ' ' || (*place >= '\t' && *place <= '\r'))
		place++;
	return place;
}

/* Behind an identifier, quoted or not */
static const char *
skip_word(const char *place)
{
	if (*place == '"')
	{
		for (place++; *place != '\0' && !(place[0] == '"' && place[1] != '"'); place++)
			place += *place == '"';
		return *place == '"' ? place + 1 : place;
	}
	while ((*place >= 'a' && *place <= 'z') || (*place >= 'A' && *place <= 'Z') ||
		   (*place >= '0' && *place <= '9') || *place == '_' || *place == '$' ||
		   (unsigned char) *place >= 128)
		place++;
	return place;
}

/* Behind "schema.table" */
static const char *
skip_name(const char *place)
{
	const char *dot;

	place = skip_word(place);
	while (*(dot = skip_spaces(place)) == '.')
		place = skip_word(skip_spaces(dot + 1));
	return place;
}

static bool
search_ranges(Node *node, void *arg)
{
	List	  **found = arg;

	if (node == NULL)
		return false;
	if (IsA(node, RangeVar) && ((RangeVar *) node)->schemaname != NULL)
		*found = lappend(*found, node);
	return raw_expression_tree_walker(node, search_ranges, arg);
}

/* The RangeVars of a text that have schemas */
static List *
find_ranges(const char *query)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, raw_parser(query, RAW_PARSE_DEFAULT))
		(void) search_ranges(lfirst_node(RawStmt, cell)->stmt, &found);
	return found;
}

static Oid
relation_of(const RangeVar *range)
{
	Oid			schema = get_namespace_oid(range->schemaname, true);

	return OidIsValid(schema) ? get_relname_relid(range->relname, schema) : InvalidOid;
}

List *
RecsysRelationsIn(const char *query)
{
	List	   *relations = NIL;
	ListCell   *cell;

	foreach(cell, find_ranges(query))
	{
		Oid			relation = relation_of(lfirst(cell));

		if (OidIsValid(relation))
			relations = list_append_unique_oid(relations, relation);
	}
	return relations;
}

static RecsysShellName *
make_name(const char *query, const RangeVar *range, Oid shell)
{
	RecsysShellName *name = palloc(sizeof(RecsysShellName));
	const char *start = query + range->location;

	name->place = range->location;
	name->length = (int) (skip_name(start) - start);
	name->shell = shell;
	name->divided = RecsysShellMethod(shell) != 'n';
	name->named = range->alias != NULL;
	return name;
}

static int
compare_places(const ListCell *a, const ListCell *b)
{
	int			left = ((RecsysShellName *) lfirst(a))->place;
	int			right = ((RecsysShellName *) lfirst(b))->place;

	return (left > right) - (left < right);
}

List *
RecsysFindShellNames(const char *query)
{
	List	   *found = NIL;
	ListCell   *cell;

	if (!RecsysCitusIsThere())
		return NIL;
	foreach(cell, find_ranges(query))
	{
		RangeVar   *range = lfirst_node(RangeVar, cell);
		Oid			relation = relation_of(range);

		if (range->location >= 0 && OidIsValid(relation) && RecsysIsShell(relation))
			found = lappend(found, make_name(query, range, relation));
	}
	list_sort(found, compare_places);
	return found;
}

/* The shard of a value, if it is here.  A key that the column cannot have is nobody's. */
static Oid
shard_of(Oid shell, Oid type, Datum value)
{
	int64		shard = RecsysShardOfValue(shell, type, get_typcollation(type), value);
	Oid			table = shard != 0 && RecsysShardIsHere(shard) ? RecsysShardRelation(shell, shard) : InvalidOid;

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the user's rows of table %s are on another node than those of the signals",
						kept_name(shell)),
				 errhint("Distribute it alike, as in SELECT alter_distributed_table(%s, colocate_with => …).",
						 quote_literal_cstr(kept_name(shell)))));
	return table;
}

static Oid
copy_of(Oid shell)
{
	Oid			table = RecsysLocalCopy(shell);

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no copy of table %s", kept_name(shell)),
				 errhint("If it is a reference table, on the coordinator: SELECT replicate_reference_tables(); or, if it is the coordinator that has none, SELECT citus_set_coordinator_host('…').")));
	return table;
}

Oid
RecsysTableOfRows(Oid table)
{
	Oid			copy = InvalidOid;

	if (RecsysCitusIsThere() && RecsysIsShell(table) && RecsysShellMethod(table) == 'n')
		copy = RecsysLocalCopy(table);
	return OidIsValid(copy) ? copy : table;
}

List *
RecsysLocalTables(List *names, Oid type, const Datum *value)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		RecsysShellName *name = lfirst(cell);
		Oid			table = InvalidOid;

		if (!name->divided)
			table = copy_of(name->shell);
		else if (value != NULL)
			table = shard_of(name->shell, type, *value);
		tables = lappend_oid(tables, table);
	}
	return tables;
}

char *
RecsysWithLocalTables(const char *query, List *names, List *tables)
{
	StringInfoData text;
	int			done = 0;
	ListCell   *name_cell;
	ListCell   *table_cell;

	initStringInfo(&text);
	forboth(name_cell, names, table_cell, tables)
	{
		RecsysShellName *name = lfirst(name_cell);
		Oid			table = lfirst_oid(table_cell);

		if (!OidIsValid(table))
			continue;
		appendBinaryStringInfo(&text, query + done, name->place - done);
		appendStringInfoString(&text, kept_name(table));
		if (!name->named)
			appendStringInfo(&text, " AS %s", quote_identifier(get_rel_name(name->shell)));
		done = name->place + name->length;
	}
	appendStringInfoString(&text, query + done);
	return text.data;
}
